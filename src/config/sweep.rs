//! Sweeps: where a parameter of a pipeline file is a list, every value makes an experiment; several lists make all
//! combinations, or go together where `[sweep]` says `zip`.
//!
//! An experiment's id is made of its own values, so a value added to a list leaves the others' folders as they are.

use std::path::Path;

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::{Shortened, Source};
use super::{ConfigError, Pipeline};
use crate::parameter::Value;
use crate::store::hash_bytes;
use crate::suggest::suggestion;

/// What a pipeline file declares.
#[derive(Debug)]
pub enum Declared {
    /// One experiment.
    One(Box<Pipeline>),
    /// An experiment for every value of its lists.
    Many(Sweep),
}

/// A pipeline file with lists where one value belongs.
#[derive(Debug)]
pub struct Sweep {
    /// The file's name without its ending.
    pub name: String,
    /// Its experiments; the parameter that stands last in the file varies fastest.
    pub experiments: Vec<Variant>,
}

/// One experiment of a sweep.
#[derive(Debug)]
pub struct Variant {
    /// Its name, and that of its folder: `activation-relu,batch-512`.
    pub id: String,
    /// The value of each parameter that varies, in the order of the file.
    pub settings: Vec<Setting>,
    /// Its pipeline, or what is wrong with it.
    pub pipeline: Result<Pipeline, ConfigError>,
}

/// A parameter that varies, and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The parameter: `training.batch`.
    pub parameter: String,
    /// Its value as the file has it, texts without quotes.
    pub value: String,
    /// The same as a number, where it is a finite one.
    pub number: Option<f64>,
}

/// No experiment of a sweep has the wanted id.
#[derive(Debug, Error)]
#[error("no experiment `{pattern}` in the sweep; {suggestion}")]
pub struct NoExperiment {
    pattern: String,
    suggestion: String,
}

/// Tables whose keys may vary; besides them, only `seed`.
const TABLES: [&str; 4] = ["data", "network", "training", "record"];

/// Keys whose value is a list itself, with the types of single values that they may have besides: they vary by a list of
/// lists and such values.
const LISTS: [(&str, &[&str]); 3] =
    [("network.hidden", &["string"]), ("record.layers", &[]), ("record.gradients", &["boolean"])];

/// More experiments than anybody wants.
const MOST: usize = 100_000;

/// Bytes of an id; a file's name has at most 255, and pictures add theirs.
const ID_BYTES: usize = 120;

/// The table `[sweep]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSweep {
    #[serde(default)]
    zip: Vec<Spanned<Vec<Spanned<String>>>>,
}

/// A parameter with the list of its values.
struct Axis<'i> {
    table: Option<&'i str>,
    key: &'i str,
    /// Where the key stands.
    at: usize,
    values: Vec<Spanned<DeValue<'i>>>,
}

impl Declared {
    /// Reads and checks a pipeline file. A combination of values that is not allowed does not spoil the others.
    ///
    /// # Errors
    /// The file cannot be read or is no TOML; without lists, as [`Pipeline::read`]; lists that cannot be combined.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::shortened(path, Shortened::default())
    }

    /// As [`Declared::read`], of a smaller version of every experiment.
    ///
    /// # Errors
    /// As [`Declared::read`].
    pub fn shortened(path: &Path, shortened: Shortened) -> Result<Self, ConfigError> {
        let source = Source::read(path, shortened)?;
        let tree = source.tree()?;
        let table = tree.get_ref();
        let axes = axes(&source, table)?;
        let zip = match table.get("sweep") {
            Some(sweep) => source.value::<RawSweep>(sweep.clone())?.zip,
            None => Vec::new(),
        };
        let groups = groups(&source, &axes, zip)?;
        if axes.is_empty() {
            expect_known_ids(&source, table, None)?;
            return Ok(Self::One(Box::new(source.pipeline(source.name(), tree)?)));
        }
        let experiments = combinations(&source, &tree, &axes, &groups)?;
        expect_known_ids(&source, table, Some(&experiments))?;
        Ok(Self::Many(Sweep { name: source.name(), experiments }))
    }
}

impl Declared {
    /// What a file `p.toml` of this text declares, for tests.
    #[cfg(test)]
    pub(super) fn of_text(text: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, text).unwrap();
        Self::read(&path).map_err(|e| e.without_folder())
    }

    /// The experiments that can be run, each with its id in a sweep.
    pub fn pipelines(&self) -> impl Iterator<Item = (Option<&str>, &Pipeline)> {
        let (one, many) = match self {
            Self::One(pipeline) => (Some((None, &**pipeline)), &[][..]),
            Self::Many(sweep) => (None, sweep.experiments.as_slice()),
        };
        one.into_iter().chain(many.iter().filter_map(Variant::sound))
    }
}

impl Variant {
    fn sound(&self) -> Option<(Option<&str>, &Pipeline)> {
        Some((Some(&self.id), self.pipeline.as_ref().ok()?))
    }
}

impl Sweep {
    /// The experiments whose id is one of the `patterns`, in which `*` stands for anything; all of them without patterns.
    ///
    /// # Errors
    /// A pattern that is no experiment's.
    pub fn chosen(&self, patterns: &[&str]) -> Result<Vec<&Variant>, NoExperiment> {
        for pattern in patterns {
            if !self.experiments.iter().any(|variant| matches(pattern, &variant.id)) {
                let near = suggestion(pattern, self.experiments.iter().map(|variant| variant.id.as_str()));
                let suggestion = match near.starts_with("did you mean") && !pattern.contains('*') {
                    true => near,
                    false => "`--dry-run` lists them all".to_owned(),
                };
                return Err(NoExperiment { pattern: (*pattern).to_owned(), suggestion });
            }
        }
        let is_chosen = |variant: &&Variant| patterns.iter().any(|pattern| matches(pattern, &variant.id));
        Ok(self.experiments.iter().filter(|variant| patterns.is_empty() || is_chosen(variant)).collect())
    }
}

/// Makes sure that the claims which are about some experiments of a sweep name such.
fn expect_known_ids(source: &Source, tree: &DeTable<'_>, sweep: Option<&[Variant]>) -> Result<(), ConfigError> {
    let claims = tree.get("expect").and_then(|claims| claims.get_ref().as_array()).into_iter().flatten();
    for only in claims.filter_map(|claim| claim.get_ref().as_table()?.get("only")) {
        let Some(pattern) = only.get_ref().as_str() else { continue };
        let problem = match sweep {
            None => {
                "`only` chooses experiments of a sweep, and this pipeline is one experiment; leave it out".to_owned()
            }
            Some(all) if !all.iter().any(|variant| matches(pattern, &variant.id)) => {
                format!("`only`: no experiment `{pattern}` in the sweep; `--dry-run` lists them all")
            }
            Some(_) => continue,
        };
        return Err(source.refused(only.span().start, problem));
    }
    Ok(())
}

/// Whether `id` is `pattern`, in which `*` stands for anything.
pub(super) fn matches(pattern: &str, id: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == id };
    let Some(mut rest) = id.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = others.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The parameters with lists where one value belongs, in the order of the file.
fn axes<'t>(source: &Source, tree: &'t DeTable<'t>) -> Result<Vec<Axis<'t>>, ConfigError> {
    if let Some((key, _)) = tree.get_key_value("runs").filter(|(_, runs)| runs.get_ref().is_array()) {
        let problem = "`runs`: every experiment has as many runs as the others; give one number";
        return Err(source.refused(key.span().start, problem.to_owned()));
    }
    let top = tree.get_key_value("seed").map(|entry| (None, entry)).into_iter();
    let inner = TABLES.iter().filter_map(|name| Some((*name, tree.get(*name)?.get_ref().as_table()?)));
    let inner = inner.flat_map(|(name, table)| table.iter().map(move |entry| (Some(name), entry)));
    let mut axes = Vec::new();
    for (table, (key, value)) in top.chain(inner) {
        let axis = |values| Axis { table, key: key.get_ref(), at: key.span().start, values };
        match value.get_ref().as_array().map(|array| axis(array.to_vec())) {
            Some(axis) if !axis.is_one_value() => axes.push(axis),
            _ => {}
        }
    }
    axes.sort_by_key(|axis| axis.at);
    match axes.iter().find(|axis| axis.values.is_empty()) {
        Some(axis) => Err(source.refused(axis.at, format!("`{}`: an empty list; give at least one value", axis.key))),
        None => Ok(axes),
    }
}

impl Axis<'_> {
    /// Whether the list as a whole is one value of the parameter.
    fn is_one_value(&self) -> bool {
        let name = self.name();
        let Some((_, single)) = LISTS.iter().find(|(list, _)| *list == name) else { return false };
        let is_value = |value: &Spanned<DeValue<'_>>| {
            let kind = value.get_ref().type_str();
            kind == "array" || single.contains(&kind)
        };
        self.values.is_empty() || !self.values.iter().all(is_value)
    }

    fn name(&self) -> String {
        self.table.map_or_else(|| self.key.to_owned(), |table| format!("{table}.{}", self.key))
    }

    /// What it is called in an id: its key, with the table's name where another parameter has the same key.
    fn short_name(&self, axes: &[Axis<'_>]) -> String {
        let is_shared = axes.iter().filter(|other| other.key == self.key).count() > 1;
        let name = if is_shared { self.name() } else { self.key.to_owned() };
        name.replace(['.', '_'], "-")
    }
}

/// Which of `axes` vary together: each group is one dimension of the product, in the order of the file.
fn groups(
    source: &Source,
    axes: &[Axis<'_>],
    zip: Vec<Spanned<Vec<Spanned<String>>>>,
) -> Result<Vec<Vec<usize>>, ConfigError> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for names in zip {
        let mut group: Vec<usize> = Vec::new();
        for name in names.into_inner() {
            let (at, name) = (name.span().start, name.into_inner());
            let Some(index) = axes.iter().position(|axis| axis.name() == name) else {
                let known: Vec<String> = axes.iter().map(Axis::name).collect();
                let suggestion = suggestion(&name, known.iter().map(String::as_str));
                return Err(source.refused(at, format!("`zip`: `{name}` has no list of values; {suggestion}")));
            };
            if group.contains(&index) || groups.iter().flatten().any(|other| *other == index) {
                return Err(source.refused(at, format!("`zip`: `{name}` is named twice; name it once")));
            }
            if let Some(first) = group.first().map(|first| &axes[*first])
                && first.values.len() != axes[index].values.len()
            {
                let (n, n_here) = (first.values.len(), axes[index].values.len());
                let first = first.name();
                let problem = format!(
                    "`zip`: `{first}` has {n} values and `{name}` has {n_here}; what varies together needs equally many"
                );
                return Err(source.refused(at, problem));
            }
            group.push(index);
        }
        groups.push(group);
    }
    let single = (0..axes.len()).filter(|index| !groups.iter().flatten().any(|other| other == index));
    let single: Vec<Vec<usize>> = single.map(|index| vec![index]).collect();
    groups.extend(single);
    groups.retain(|group| !group.is_empty());
    groups.sort_by_key(|group| group.iter().copied().min());
    Ok(groups)
}

/// The experiments; the last group varies fastest.
fn combinations(
    source: &Source,
    tree: &Spanned<DeTable<'_>>,
    axes: &[Axis<'_>],
    groups: &[Vec<usize>],
) -> Result<Vec<Variant>, ConfigError> {
    let lengths: Vec<usize> = groups.iter().map(|group| axes[group[0]].values.len()).collect();
    let n = lengths.iter().fold(1_usize, |n, length| n.saturating_mul(*length));
    if n > MOST {
        let problem =
            format!("the lists make {n} experiments, {MOST} is the most; shorten them, or `zip` some in `[sweep]`");
        return Err(source.refused(axes[0].at, problem));
    }
    let mut experiments: Vec<Variant> = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    for number in 0..n {
        let mut which = vec![0; axes.len()];
        let mut left = number;
        for (group, length) in groups.iter().zip(&lengths).rev() {
            group.iter().for_each(|axis| which[*axis] = left % length);
            left /= length;
        }
        let chosen: Vec<(&Axis<'_>, &Spanned<DeValue<'_>>)> =
            axes.iter().zip(&which).map(|(axis, index)| (axis, &axis.values[*index])).collect();
        let id = id(axes, &chosen);
        if !ids.insert(id.clone()) {
            let (axis, value) = twice(axes, &which).unwrap_or(chosen[0]);
            let problem = format!("`{}`: two experiments would be called `{id}`; give each value once", axis.key);
            return Err(source.refused(value.span().start, problem));
        }
        let mut varied = tree.get_ref().clone();
        chosen.iter().for_each(|(axis, value)| replace(&mut varied, axis, value));
        let pipeline = source.pipeline(id.clone(), Spanned::new(tree.span(), varied));
        let setting = |(axis, value): &(&Axis<'_>, &Spanned<DeValue<'_>>)| setting(source, axis, value);
        experiments.push(Variant { id, settings: chosen.iter().map(setting).collect(), pipeline });
    }
    Ok(experiments)
}

/// Among the values at the places `which`, one that stands in its list before as well.
fn twice<'a, 'i>(axes: &'a [Axis<'i>], which: &[usize]) -> Option<(&'a Axis<'i>, &'a Spanned<DeValue<'i>>)> {
    axes.iter().zip(which).find_map(|(axis, index)| {
        let value = &axis.values[*index];
        axis.values[..*index].iter().any(|other| slug(other) == slug(value)).then_some((axis, value))
    })
}

/// Puts one value in the place of the list.
fn replace<'i>(tree: &mut DeTable<'i>, axis: &Axis<'i>, value: &Spanned<DeValue<'i>>) {
    let table = match axis.table {
        None => Some(tree),
        Some(name) => tree.get_mut(name).and_then(|table| match table.get_mut() {
            DeValue::Table(table) => Some(table),
            _ => None,
        }),
    };
    if let Some(place) = table.and_then(|table| table.get_mut(axis.key)) {
        *place = value.clone();
    }
}

fn setting(source: &Source, axis: &Axis<'_>, value: &Spanned<DeValue<'_>>) -> Setting {
    let written = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        _ => source.text[value.span()].split_whitespace().collect::<Vec<_>>().join(" "),
    };
    Setting { parameter: axis.name(), value: written, number: number(value.get_ref()).filter(|n| n.is_finite()) }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(count) => i64::from_str_radix(count.as_str(), count.radix()).ok().map(|count| count as f64),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

/// The names and values of what varies, by name, in a form that a folder can be called.
fn id(axes: &[Axis<'_>], chosen: &[(&Axis<'_>, &Spanned<DeValue<'_>>)]) -> String {
    const HASH: usize = 8;
    let part = |(axis, value): &(&Axis<'_>, &Spanned<DeValue<'_>>)| {
        format!("{}-{}", plain(&axis.short_name(axes)), slug(value))
    };
    let mut parts: Vec<String> = chosen.iter().map(part).collect();
    parts.sort();
    let id = parts.join(",");
    if id.len() <= ID_BYTES {
        return id;
    }
    format!("{}-{}", &id[..ID_BYTES - HASH - 1], &hash_bytes(id.as_bytes())[..HASH])
}

/// A text whose every other character than letters, digits, dots, dashes, plus signs and underscores is an underscore.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || ".+_-".contains(c) { c } else { '_' }).collect()
}

/// A value in letters, digits, dots, dashes, plus signs and underscores. Numbers that are equal are written alike; a text
/// that loses a character gets a hash, so that different texts stay different.
fn slug(value: &Spanned<DeValue<'_>>) -> String {
    const HASH: usize = 6;
    match value.get_ref() {
        DeValue::String(text) => {
            let dashed = text.replace(", ", ",").replace(',', "-");
            match plain(&dashed) {
                kept if kept == dashed && !kept.is_empty() => kept,
                kept => format!("{kept}-{}", &hash_bytes(text.as_bytes())[..HASH]),
            }
        }
        DeValue::Array(values) if values.is_empty() => "none".to_owned(),
        DeValue::Array(values) => values.iter().map(slug).collect::<Vec<_>>().join("-"),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| format!("{}-{}", plain(key.get_ref()), slug(value)));
            entries.collect::<Vec<_>>().join("-").replace('_', "-")
        }
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(date) => date.to_string().replace(':', "-"),
        DeValue::Integer(count) => {
            i64::from_str_radix(count.as_str(), count.radix()).map_or_else(|_| count.to_string(), |n| n.to_string())
        }
        DeValue::Float(float) => match number(value.get_ref()) {
            Some(number) => Value::Number(number).to_string(),
            None => float.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
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
        let one = SWEPT.replace("[0.85, 0.5]", "0.85").replace("[512, \"full\", 64]", "512");
        assert!(one.contains(instead));
        assert_eq!(ids(&one.replace(instead, line)), expected);
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
        assert_eq!((last.name.as_str(), last.train_fraction), (expected[5], 0.5));
        assert_eq!(last.training.batch_size, crate::nn::BatchSize::Mini(64));
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
        let one = SWEPT.replace("[0.85, 0.5]", "0.85").replace("[512, \"full\", 64]", "512");
        assert!(matches!(Declared::of_text(&one).unwrap(), Declared::One(pipeline) if pipeline.name == "p"));
        check("batch = 512", "batch = [512]", &["batch-512"]);
    }

    #[test]
    fn an_id_is_made_of_the_own_values_only() {
        let longer = ids(&SWEPT.replace("\"full\", 64", "1024, 64, \"full\""));
        assert!(ids(SWEPT).iter().all(|id| longer.contains(id)), "{longer:?}");
        assert_eq!(longer.len(), 8);
    }

    #[test]
    fn a_list_of_lists_varies_what_is_a_list_itself() {
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
        let one = SWEPT.replace("[0.85, 0.5]", "0.85").replace("[512, \"full\", 64]", "512");
        for whole in ["gradients = [\"samples\", \"after_step\"]", "layers = [\"hidden\", \"output\"]"] {
            assert!(matches!(
                Declared::of_text(&one.replace("[record]", &format!("[record]\n{whole}"))),
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
        let one = SWEPT.replace("[0.85, 0.5]", "0.85").replace("[512, \"full\", 64]", "512");
        let files = ids(&one.replace("name = \"tishby\"", "file = [\"a/b c.parquet\", \"a_b/c.parquet\"]"));
        assert!(files[0].starts_with("file-a_b_c.parquet-") && files[1].starts_with("file-a_b_c.parquet-"));
        assert_ne!(files[0], files[1]);
    }

    #[test]
    fn keys_of_one_name_get_that_of_their_table() {
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
        let one = SWEPT.replace("[10, 7]", &format!("[{}, {}]", network(1), network(2)));
        let ids = ids(&one);
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 12);
        assert!(ids.iter().all(|id| id.len() == ID_BYTES && id.starts_with("batch-")), "{ids:?}");
    }

    #[test]
    fn what_is_zipped_varies_together() {
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
            "p.toml, line 16: `zip`: `data.train_fraction` has 2 values and `training.batch` has 3; what varies together needs equally many"
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
            "p.toml, line 16: unknown key `zap`; did you mean `zip`?"
        );
        assert_eq!(
            refused(&SWEPT.replace("512, ", "64, ")),
            "p.toml, line 11: `batch`: two experiments would be called `batch-64,train-fraction-0.85`; give each value once"
        );
        assert_eq!(
            refused(&SWEPT.replace("[512, \"full\", 64]", "[]")),
            "p.toml, line 11: `batch`: an empty list; give at least one value"
        );
        assert_eq!(
            refused(&format!("runs = [1, 2]\n{SWEPT}")),
            "p.toml, line 1: `runs`: every experiment has as many runs as the others; give one number"
        );
        let many: Vec<String> = (1..1000).map(|seed| seed.to_string()).collect();
        assert_eq!(
            refused(
                &SWEPT
                    .replace("seed = 3", &format!("seed = [{}]", many.join(",")))
                    .replace("4e-4", &format!("[{}]", many.join(",")))
            ),
            "p.toml, line 1: the lists make 5988006 experiments, 100000 is the most; shorten them, or `zip` some in `[sweep]`"
        );
    }

    #[test]
    fn a_value_that_is_not_allowed_spoils_its_own_experiment_only() {
        let lines = SWEPT.replace("4e-4", "[\n  4e-4,\n  -1.0, # a = b\n]").replace("[0.85, 0.5]", "0.85");
        let of = |n: usize| sweep(&lines).experiments.swap_remove(n).pipeline.map_err(|e| e.without_folder());
        assert!(of(0).is_ok());
        let expected = "p.toml, line 12: `learning_rate`: must be a number above 0 that f32 can hold, got -1.0";
        assert_eq!(of(3).unwrap_err(), expected);
        let beyond = SWEPT.replace("epochs = 100", "epochs = [100, 50]");
        let beyond = sweep(&beyond).experiments.swap_remove(1).pipeline.unwrap_err();
        assert_eq!(
            beyond.without_folder(),
            "p.toml, line 14: recorded epoch 100 is beyond the 50 epochs of `[training]`"
        );
    }

    #[test]
    fn experiments_are_chosen_by_id_or_pattern() {
        let sweep = sweep(SWEPT);
        let chosen = |patterns: &[&str]| sweep.chosen(patterns).map(|all| all.len()).map_err(|e| e.to_string());
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
