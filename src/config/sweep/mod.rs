//! Sweeps: if a parameter of a pipeline file is a list, every value is an experiment. Several lists give all combinations of
//! their values, or vary together if `zip` in `[sweep]` names them.
//!
//! The id of an experiment contains its own values only, so a value can be added to a list without renaming other folders.

mod expansion;
mod id;

use std::path::Path;

use thiserror::Error;
use toml::de::DeTable;

use super::Pipeline;
use super::network;
use super::pattern::matches;
use super::source::{ConfigError, Shortened, Source};
use crate::estimators::ValueBounds;
use crate::suggest::{Suggestion, suggestion};
pub(super) use expansion::KEYS;
#[cfg(test)]
pub(super) use expansion::RawSweep;
use expansion::expand;
pub use expansion::{Setting, Variant};

/// What a pipeline file declares.
#[derive(Debug)]
pub enum Declared {
    /// One experiment.
    One(Box<Pipeline>),
    /// A sweep: several experiments.
    Many(Sweep),
}

/// A pipeline file with a list in place of a single value.
#[derive(Debug)]
pub struct Sweep {
    /// The file's name without its ending.
    pub name: String,
    /// Its experiments; the last parameter in the file varies fastest.
    pub experiments: Vec<Variant>,
}

/// No experiment of a sweep matches a pattern.
#[derive(Debug, Error)]
#[error("no experiment `{pattern}` in the sweep; {suggestion}")]
pub struct NoExperiment {
    pattern: String,
    suggestion: String,
}

impl Declared {
    /// Reads and checks a pipeline file. A combination of values that is not allowed does not affect the others.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML; lists that cannot be combined; without lists, as [`Pipeline::read`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::shortened(path, Shortened::default())
    }

    /// As [`Declared::read`], for a shortened version of every experiment.
    ///
    /// # Errors
    /// As [`Declared::read`].
    pub fn shortened(path: &Path, shortened: Shortened) -> Result<Self, ConfigError> {
        let source = Source::read(path, shortened)?;
        let tree = source.tree()?;
        let table = tree.get_ref();
        let mut experiments = expand(&source, table)?;
        if let Some(bounds) = common_bounds(&experiments) {
            experiments = expand(&source.with_bounds(bounds), table)?;
        }
        check_claimed_experiments(&source, table, &experiments)?;
        if experiments.is_empty() {
            return Ok(Self::One(Box::new(Pipeline::new(&source, source.name(), table)?)));
        }
        Ok(Self::Many(Sweep { name: source.name(), experiments }))
    }
}

impl Declared {
    /// The content of a file `p.toml` with this text, for tests.
    #[cfg(test)]
    pub(super) fn of_text(text: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, text).unwrap();
        Self::read(&path).map_err(|e| e.without_folder())
    }

    /// The file's name without its ending.
    pub fn name(&self) -> &str {
        match self {
            Self::One(pipeline) => &pipeline.name,
            Self::Many(sweep) => &sweep.name,
        }
    }

    /// The experiments without errors, each with its id in a sweep.
    pub fn pipelines(&self) -> impl Iterator<Item = (Option<&str>, &Pipeline)> {
        let (single, many) = match self {
            Self::One(pipeline) => (Some((None, &**pipeline)), &[][..]),
            Self::Many(sweep) => (None, sweep.experiments.as_slice()),
        };
        single.into_iter().chain(many.iter().filter_map(Variant::if_valid))
    }
}

impl Variant {
    fn if_valid(&self) -> Option<(Option<&str>, &Pipeline)> {
        Some((Some(&self.id), self.pipeline.as_ref().ok()?))
    }
}

impl Sweep {
    /// The experiments whose id matches one of the `patterns`, in which `*` matches any characters; all if there are no
    /// patterns.
    ///
    /// # Errors
    /// No experiment matches a pattern.
    pub fn chosen(&self, patterns: &[&str]) -> Result<Vec<&Variant>, NoExperiment> {
        for pattern in patterns {
            if !self.experiments.iter().any(|variant| matches(pattern, &variant.id)) {
                let suggestion = match suggestion(pattern, self.experiments.iter().map(|variant| variant.id.as_str())) {
                    near @ Suggestion::DidYouMean(_) if !pattern.contains('*') => near.to_string(),
                    _ => "`--dry-run` lists them all".to_owned(),
                };
                return Err(NoExperiment { pattern: (*pattern).to_owned(), suggestion });
            }
        }
        let is_chosen = |variant: &&Variant| patterns.iter().any(|pattern| matches(pattern, &variant.id));
        Ok(self.experiments.iter().filter(|variant| patterns.is_empty() || is_chosen(variant)).collect())
    }
}

/// The common bounds of the activations of all `experiments`; `None` if each of them has these bounds. An estimator chooses its
/// rule by the bounds, and numbers of different rules cannot be compared.
fn common_bounds(experiments: &[Variant]) -> Option<ValueBounds> {
    let chooses = |pipeline: &&Pipeline| pipeline.estimates.iter().any(|request| request.chosen.is_some());
    let valid = experiments.iter().filter_map(|variant| variant.pipeline.as_ref().ok()).filter(chooses);
    let each: Vec<ValueBounds> = valid
        .filter_map(|pipeline| pipeline.networks())
        .map(|networks| network::bounds(&networks.architecture, &networks.record.layers))
        .collect();
    let common = each.iter().copied().reduce(ValueBounds::and)?;
    each.iter().any(|bounds| *bounds != common).then_some(common)
}

/// Checks that the key `only` of every claim matches an experiment of the sweep. If there are no `experiments`, the file is not
/// a sweep.
fn check_claimed_experiments(source: &Source, tree: &DeTable<'_>, experiments: &[Variant]) -> Result<(), ConfigError> {
    let claims = tree.get("expect").and_then(|claims| claims.get_ref().as_array()).into_iter().flatten();
    for only in claims.filter_map(|claim| claim.get_ref().as_table()?.get("only")) {
        let Some(pattern) = only.get_ref().as_str() else { continue };
        let problem = if experiments.is_empty() {
            "`only` selects experiments of a sweep, but this pipeline is a single experiment; leave it out".to_owned()
        } else if experiments.iter().any(|variant| matches(pattern, &variant.id)) {
            continue;
        } else {
            format!("`only`: no experiment `{pattern}` in the sweep; `--dry-run` lists them all")
        };
        return Err(source.refused(only.span().start, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::id::ID_BYTES;
    use super::*;

    const SWEPT: &str = "seed = 3
[data]
name = \"tishby\"
train_fraction = [0.85, 0.5]
[network]
hidden = [10, 7]
activation = \"tanh\"
[training]
optimiser = \"adam\"
learning_rate = 4e-4
batch = [512, \"full\", 64]
epochs = 100
[record]
epochs = { list = [0, 100] }
";

    fn sweep(text: &str) -> Sweep {
        match Declared::of_text(text).unwrap() {
            Declared::Many(sweep) => sweep,
            Declared::One(pipeline) => panic!("{} is no sweep", pipeline.name),
        }
    }

    fn ids(text: &str) -> Vec<String> {
        sweep(text).experiments.into_iter().map(|variant| variant.id).collect()
    }

    /// The ids of `SWEPT` without its lists, and with `line` in the place of `instead`.
    #[track_caller]
    fn check(instead: &str, line: &str, expected: &[&str]) {
        let single = SWEPT.replace("[0.85, 0.5]", "0.85").replace("[512, \"full\", 64]", "512");
        assert!(single.contains(instead));
        assert_eq!(ids(&single.replace(instead, line)), expected);
    }

    #[test]
    fn several_lists_make_every_combination() {
        let expected = [
            "batch-512,train-fraction-0.85",
            "batch-full,train-fraction-0.85",
            "batch-64,train-fraction-0.85",
            "batch-512,train-fraction-0.5",
            "batch-full,train-fraction-0.5",
            "batch-64,train-fraction-0.5",
        ];
        assert_eq!(ids(SWEPT), expected);
        let sweep = sweep(SWEPT);
        let last = sweep.experiments[5].pipeline.as_ref().unwrap();
        assert_eq!((last.name.as_str(), last.networks().unwrap().train_fraction), (expected[5], 0.5));
        assert_eq!(last.networks().unwrap().training.batch_size, crate::nn::BatchSize::Mini(64));
        let setting = |parameter: &str, value: &str, number| Setting {
            parameter: parameter.to_owned(),
            value: value.to_owned(),
            number,
        };
        let expected = [setting("data.train_fraction", "0.85", Some(0.85)), setting("training.batch", "full", None)];
        assert_eq!(sweep.experiments[1].settings, expected);
    }

    #[test]
    fn a_file_without_lists_is_one_experiment() {
        let single = SWEPT.replace("[0.85, 0.5]", "0.85").replace("[512, \"full\", 64]", "512");
        assert!(matches!(Declared::of_text(&single).unwrap(), Declared::One(pipeline) if pipeline.name == "p"));
        check("batch = 512", "batch = [512]", &["batch-512"]);
    }

    #[test]
    fn an_id_contains_the_values_of_its_own_experiment_only() {
        let longer = ids(&SWEPT.replace("\"full\", 64", "1024, 64, \"full\""));
        assert!(ids(SWEPT).iter().all(|id| longer.contains(id)), "{longer:?}");
        assert_eq!(longer.len(), 8);
    }

    #[test]
    fn a_key_with_list_values_varies_in_a_list_of_lists() {
        check("hidden = [10, 7]", "hidden = [[10, 7], [5, 4]]", &["hidden-10-7", "hidden-5-4"]);
        check(
            "hidden = [10, 7]",
            "hidden = [\"10,7,5\", \"12,Dr-0.2,10-tanh\"]",
            &["hidden-10-7-5", "hidden-12-Dr-0.2-10-tanh"],
        );
        check("[record]", "[record]\nlayers = [[1], [\"hidden\", 3]]", &["layers-1", "layers-hidden-3"]);
        check(
            "[record]",
            "[record]\ngradients = [[\"samples\"], false, []]",
            &["gradients-samples", "gradients-false", "gradients-none"],
        );
        let single = SWEPT.replace("[0.85, 0.5]", "0.85").replace("[512, \"full\", 64]", "512");
        for whole in ["gradients = [\"samples\", \"after_step\"]", "layers = [\"hidden\", \"output\"]"] {
            assert!(matches!(
                Declared::of_text(&single.replace("[record]", &format!("[record]\n{whole}"))),
                Ok(Declared::One(_))
            ));
        }
    }

    #[test]
    fn any_value_has_a_name() {
        check("seed = 3", "seed = [3, 0x10]", &["seed-3", "seed-16"]);
        check("4e-4", "[4e-4, 1e-05, 1]", &["learning-rate-0.0004", "learning-rate-1e-5", "learning-rate-1"]);
        check(
            "epochs = { list = [0, 100] }",
            "epochs = [{ log_spaced = 5 }, { every = 50 }]",
            &["epochs-log-spaced-5", "epochs-every-50"],
        );
        check("epochs = 100", "epochs = 100\nreshuffle = [true, false]", &["reshuffle-true", "reshuffle-false"]);
        let single = SWEPT.replace("[0.85, 0.5]", "0.85").replace("[512, \"full\", 64]", "512");
        let files = ids(&single.replace("name = \"tishby\"", "file = [\"a/b c.parquet\", \"a_b/c.parquet\"]"));
        assert!(files[0].starts_with("file-a_b_c.parquet-") && files[1].starts_with("file-a_b_c.parquet-"));
        assert_ne!(files[0], files[1]);
    }

    #[test]
    fn equal_keys_get_the_name_of_their_table() {
        let both = SWEPT.replace("epochs = 100", "epochs = [100, 200]");
        let both = both.replace("{ list = [0, 100] }", "[{ every = 50 }, { list = [0] }]");
        assert_eq!(ids(&both)[0], "batch-512,record-epochs-every-50,train-fraction-0.85,training-epochs-100");
    }

    #[test]
    fn long_ids_are_cut_and_stay_different() {
        let network = |last: usize| {
            format!(
                "[{}]",
                [vec![1000; 40], vec![last]].concat().iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
            )
        };
        let single = SWEPT.replace("[10, 7]", &format!("[{}, {}]", network(1), network(2)));
        let ids = ids(&single);
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 12);
        assert!(ids.iter().all(|id| id.len() == ID_BYTES && id.starts_with("batch-")), "{ids:?}");
    }

    #[test]
    fn zipped_parameters_vary_together() {
        let zip = "[sweep]\nzip = [[\"training.batch\", \"training.learning_rate\"]]\n";
        let zipped = format!("{}{zip}", SWEPT.replace("4e-4", "[0.5, 0.25, 0.5]").replace("[0.85, 0.5]", "0.85"));
        let expected = ["batch-512,learning-rate-0.5", "batch-full,learning-rate-0.25", "batch-64,learning-rate-0.5"];
        assert_eq!(ids(&zipped), expected);
        let with_product = zipped.replace("0.85", "[0.85, 0.5]");
        assert_eq!(ids(&with_product).len(), 6);
    }

    #[test]
    fn lists_that_cannot_be_combined_are_refused_with_their_line() {
        let refused = |text: &str| Declared::of_text(text).unwrap_err();
        let zip = |names: &str| format!("{SWEPT}[sweep]\nzip = [[{names}]]\n");
        assert_eq!(
            refused(&zip("\"data.train_fraction\", \"training.batch\"")),
            "p.toml, line 16: `zip`: `data.train_fraction` has 2 values and `training.batch` has 3; lists that vary together need the same length"
        );
        assert_eq!(
            refused(&zip("\"training.btch\"")),
            "p.toml, line 16: `zip`: `training.btch` has no list of values; did you mean `training.batch`?"
        );
        assert_eq!(
            refused(&zip("\"training.batch\", \"training.batch\"")),
            "p.toml, line 16: `zip`: `training.batch` is named twice; name it once"
        );
        assert_eq!(
            refused(&format!("{SWEPT}[sweep]\nzap = 1\n")),
            "p.toml, line 16: unknown key `zap`; did you mean `zip`? (`infoplane keys sweep` lists the keys)"
        );
        assert_eq!(
            refused(&SWEPT.replace("512, ", "64, ")),
            "p.toml, line 11: `batch`: two experiments would have the id `batch-64,train-fraction-0.85`; give each value once"
        );
        assert_eq!(
            refused(&SWEPT.replace("[512, \"full\", 64]", "[]")),
            "p.toml, line 11: `batch`: the list is empty; give at least one value"
        );
        assert_eq!(
            refused(&format!("runs = [1, 2]\n{SWEPT}")),
            "p.toml, line 1: `runs`: must be one number, as all experiments have the same number of runs"
        );
        let many: Vec<String> = (1..1000).map(|seed| seed.to_string()).collect();
        assert_eq!(
            refused(
                &SWEPT
                    .replace("seed = 3", &format!("seed = [{}]", many.join(",")))
                    .replace("4e-4", &format!("[{}]", many.join(",")))
            ),
            "p.toml, line 1: the lists give 5988006 experiments, at most 100000 are allowed; shorten them, or let some vary together with `zip` in `[sweep]`"
        );
    }

    #[test]
    fn a_value_that_is_not_allowed_affects_its_own_experiment_only() {
        let lines = SWEPT.replace("4e-4", "[\n  4e-4,\n  -1.0, # a = b\n]").replace("[0.85, 0.5]", "0.85");
        let experiment = |n: usize| sweep(&lines).experiments.swap_remove(n).pipeline.map_err(|e| e.without_folder());
        assert!(experiment(0).is_ok());
        let expected =
            "p.toml, line 12: `learning_rate`: must be a finite number above 0 within the range of f32, got -1.0";
        assert_eq!(experiment(3).unwrap_err(), expected);
        let beyond = SWEPT.replace("epochs = 100", "epochs = [100, 50]");
        let beyond = sweep(&beyond).experiments.swap_remove(1).pipeline.unwrap_err();
        assert_eq!(
            beyond.without_folder(),
            "p.toml, line 14: `epochs`: epoch 100 is after the last epoch of `[training]`, 50"
        );
    }

    #[test]
    fn experiments_are_chosen_by_id_or_pattern() {
        let sweep = sweep(SWEPT);
        let chosen = |patterns: &[&str]| sweep.chosen(patterns).map(|chosen| chosen.len()).map_err(|e| e.to_string());
        assert_eq!(chosen(&[]), Ok(6));
        assert_eq!(chosen(&["batch-512,train-fraction-0.5"]), Ok(1));
        assert_eq!(chosen(&["batch-512,*", "*-0.5"]), Ok(4));
        assert_eq!(chosen(&["*64*0.5"]), Ok(1));
        let expected =
            "no experiment `batch-512,train-fraction-0.6` in the sweep; did you mean `batch-512,train-fraction-0.5`?";
        assert_eq!(chosen(&["batch-512,train-fraction-0.6"]).unwrap_err(), expected);
        let expected = "no experiment `*0.6` in the sweep; `--dry-run` lists them all";
        assert_eq!(chosen(&["*", "*0.6"]).unwrap_err(), expected);
    }
}
