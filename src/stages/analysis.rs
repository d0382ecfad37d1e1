//! Which estimators suit a recording: binning over the run's range, KDE relative to the spread, and counting where values are
//! few. The choice is written as a pipeline, `analysis.toml`.

use std::collections::HashSet;
use std::path::PathBuf;

use super::StageError;
use crate::estimate_id::Values;
use crate::layer_id::LayerId;
use crate::store::{Experiment, Recording, write_bytes};

/// The file, in the folder of the experiment.
pub const FILE: &str = "analysis.toml";

/// How the file begins.
const FIRST_LINE: &str = "# Written by `infoplane analyse`";

/// Distinct values up to which a layer is taken for one of few levels: those of a network that computes with 8 bits.
const FEW_VALUES: usize = 256;

/// How often each of them must be there on average: any layer has few values where few were recorded.
const LEAST_REPEATS: usize = 4;

/// Pairs of samples times units, over all layers, snapshots and runs, up to which KDE is chosen: some minutes on two cores.
const MOST_PAIRS: f64 = 2e12;

/// Families of estimators that can be chosen.
pub const FAMILIES: [&str; 3] = ["binning", "kde", "quantised"];

/// What the user asks for, in place of what would be chosen.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Which of [`FAMILIES`]; `None` is whatever suits the recording.
    pub families: Option<Vec<String>>,
    /// Numbers of bins over the range of a run.
    pub n_bins: Vec<u64>,
    /// Variances of the noise of KDE, in units of the layer's own spread.
    pub noise_variances: Vec<f64>,
    /// Shuffles for the null columns.
    pub n_shuffles: u64,
    /// The smallest compression that counts, in bits; `None` is the default.
    pub minimum_effect: Option<f64>,
}

/// An analysis that is written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The pipeline file.
    pub path: PathBuf,
    /// What was chosen and what was left out, and why: one sentence each.
    pub reasons: Vec<String>,
}

/// Chooses estimators for the recording of `experiment`, as far as there are no `wishes`, and writes them into its folder.
///
/// # Errors
/// There is no recording; the file cannot be written.
pub fn choose(experiment: &Experiment, wishes: &Wishes) -> Result<Analysis, StageError> {
    let facts = Facts::read(experiment)?;
    let is_asked = |family: &str| wishes.families.as_ref().map(|asked| asked.iter().any(|name| name == family));
    let mut reasons = Vec::new();
    let mut tables = Vec::new();
    let mut add = |family: &str, suits: bool, yes: String, no: String, keys: &[(&str, String)]| {
        match is_asked(family) {
            Some(false) => return,
            None if !suits => return reasons.push(format!("{family} is left out: {no}")),
            Some(true) => reasons.push(format!("{family}: asked for")),
            None => reasons.push(format!("{family}: {yes}")),
        }
        let keys: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let reason = reasons.last().map_or("", String::as_str);
        tables.push(format!(
            "# {reason}\n[[estimate]]\nestimator = \"{family}\"\n{keys}shuffles = {}\n",
            wishes.n_shuffles
        ));
    };
    add(
        "binning",
        true,
        format!(
            "{} bins over the range of each run, which need no bounds of the activation functions",
            list(&wishes.n_bins)
        ),
        String::new(),
        &[("n_bins", format!("{:?}", wishes.n_bins)), ("range", "\"run\"".to_owned())],
    );
    add(
        "kde",
        facts.pairs <= MOST_PAIRS,
        format!(
            "upper bound with noise of {} of the layer's variance at each snapshot, so that the noise grows with the layer",
            list(&wishes.noise_variances)
        ),
        format!("{} samples at all snapshots take long; ask for it with `--estimators binning,kde`", facts.n_samples),
        &[
            ("noise_variance", format!("{:?}", wishes.noise_variances)),
            ("relative", "true".to_owned()),
            ("bound", "\"upper\"".to_owned()),
        ],
    );
    add(
        "quantised",
        facts.has_few_values,
        format!("every layer has at most {FEW_VALUES} different values, so its rows can be counted"),
        "values of the layers hardly repeat".to_owned(),
        &[("bits", "8".to_owned())],
    );
    let path = experiment.root().join(FILE);
    let before = std::fs::read_to_string(&path).ok();
    if before.as_ref().is_some_and(|text| !text.starts_with(FIRST_LINE)) {
        let problem = "not written by `infoplane analyse`, which would replace it; give it another name";
        return Err(StageError::Refused(format!("{}: {problem}", path.display())));
    }
    let folder = std::path::absolute(experiment.root()).ok().and_then(|folder| folder.to_str().map(str::to_owned));
    let folder = folder.ok_or_else(|| {
        StageError::Refused(format!("{}: a path that is not UTF-8 cannot be written into a pipeline", path.display()))
    })?;
    let minimum = wishes.minimum_effect.map(|bits| format!("[aggregate]\nminimum_effect = {bits:?}\n\n"));
    let minimum = minimum.unwrap_or_default();
    let text = format!(
        "{FIRST_LINE}, which replaces it. To change it, copy it, and run the copy with `infoplane run`.\nrecording = {}\n\n{minimum}{}",
        // JSON writes a text as TOML does.
        serde_json::json!(folder),
        tables.join("\n"),
    );
    if before.as_deref() != Some(&text) {
        write_bytes(experiment.root(), FILE, text.as_bytes())?;
    }
    Ok(Analysis { path, reasons })
}

fn list<T: std::fmt::Display>(numbers: &[T]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What the choice depends on.
struct Facts {
    n_samples: usize,
    /// Pairs of samples times units, over all layers, snapshots and runs.
    pairs: f64,
    /// Whether every layer has at most [`FEW_VALUES`] different values at the last snapshot of the first run.
    has_few_values: bool,
}

impl Facts {
    fn read(experiment: &Experiment) -> Result<Self, StageError> {
        let recording = Recording::open(experiment)?;
        let run = &recording.runs()[0];
        let mut facts = Self { n_samples: 0, pairs: 0.0, has_few_values: true };
        for layer in recording.layers(Values::Activations)?.into_iter().filter(|layer| *layer > LayerId::INPUT) {
            let reader = run.activations(Values::Activations, layer)?;
            let n_snapshots = reader.snapshots().len();
            if n_snapshots == 0 {
                continue;
            }
            let last = reader.read(n_snapshots - 1)?;
            facts.n_samples = last.samples.len();
            let mut values = HashSet::new();
            for value in &last.t {
                if values.len() <= FEW_VALUES {
                    values.insert(value.to_bits());
                }
            }
            let repeats = last.t.len() >= LEAST_REPEATS * values.len();
            facts.has_few_values &= values.len() <= FEW_VALUES && repeats;
            facts.pairs += (facts.n_samples as f64).powi(2) * (reader.n_units() * n_snapshots) as f64;
        }
        facts.pairs *= recording.runs().len() as f64;
        Ok(facts)
    }
}
