//! Chooses estimators for a recording: binning over the range of the run, KDE with noise relative to the variance, and
//! counting if there are few different values; and for I(T;Y) the estimator with the smallest error in audits like the
//! layers. The choice is written as a pipeline, `analysis.toml`.

use std::collections::HashSet;
use std::path::PathBuf;

use super::StageError;
use super::audit::{CANDIDATES, Trusted, trusted};
use crate::estimate_id::Values;
use crate::layer_id::LayerId;
use crate::store::{Experiment, Recording, write_bytes};

/// The file, in the folder of the experiment.
pub const FILE: &str = "analysis.toml";

/// The first line of the file.
const FIRST_LINE: &str = "# Written by `infoplane analyse`";

/// A layer with at most this number of different values is treated as quantised: 2⁸ values of an 8-bit network.
const FEW_VALUES: usize = 256;

/// Each value must occur this often on average, because few recorded values are always few different values.
const LEAST_REPEATS: usize = 4;

/// KDE is chosen up to this number of pairs of samples times units, over all layers, snapshots and runs: a few minutes on two
/// cores.
const MOST_PAIRS: f64 = 2e12;

/// Families of estimators that can be chosen.
pub const FAMILIES: [&str; 6] = ["binning", "kde", "quantised", "mixed-ksg", "copula", "decoder"];

/// The choices of the user, which replace automatic choices.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Names of [`FAMILIES`]; `None` is the automatic choice.
    pub families: Option<Vec<String>>,
    /// Numbers of bins over the range of a run.
    pub n_bins: Vec<u64>,
    /// Noise variances of KDE, relative to the variance of the layer.
    pub noise_variances: Vec<f64>,
    /// Number of shuffles for the permutation nulls.
    pub n_shuffles: u64,
    /// The smallest compression that counts, in bits; `None` is the default.
    pub minimum_effect: Option<f64>,
}

/// A written choice of estimators.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The pipeline file.
    pub path: PathBuf,
    /// One sentence for each chosen or left out family of estimators, with the reason.
    pub reasons: Vec<String>,
}

/// Chooses estimators for the recording of `experiment`, except for the choices in `wishes`, and writes them into its folder.
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
            Some(true) => reasons.push(format!("{family}: chosen by the user")),
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
            "{} bins over the range of each run, because this works for all activation functions",
            list(&wishes.n_bins)
        ),
        String::new(),
        &[("n_bins", format!("{:?}", wishes.n_bins)), ("range", "\"run\"".to_owned())],
    );
    add(
        "kde",
        facts.pairs <= MOST_PAIRS,
        format!(
            "upper bound, with noise of {} times the variance of the layer at each snapshot",
            list(&wishes.noise_variances)
        ),
        format!("{} samples at all snapshots would take long; add it with `--estimators binning,kde`", facts.n_samples),
        &[
            ("noise_variance", format!("{:?}", wishes.noise_variances)),
            ("relative", "true".to_owned()),
            ("bound", "\"upper\"".to_owned()),
        ],
    );
    add(
        "quantised",
        facts.has_few_values,
        format!("every layer has at most {FEW_VALUES} different values, so equal activations can be counted"),
        "the activations have too many different values".to_owned(),
        &[("bits", "8".to_owned())],
    );
    let audits = candidates(experiment, &facts, wishes);
    for (family, suits, reason) in audits.as_deref().unwrap_or_default() {
        add(family, *suits, reason.clone(), reason.clone(), &[]);
    }
    match &audits {
        Err(problem) => reasons.push(format!("{} are left out: no audit, because {problem}", list(&CANDIDATES))),
        Ok(audits) if wishes.families.is_none() && audits.iter().all(|(_, is_chosen, _)| !is_chosen) => {
            reasons.push(
                "no estimator of I(T;Y) is added, because none is both fast and trusted by the audits".to_owned(),
            );
        }
        Ok(_) => {}
    }
    let path = experiment.root().join(FILE);
    let before = std::fs::read_to_string(&path).ok();
    if before.as_ref().is_some_and(|text| !text.starts_with(FIRST_LINE)) {
        let problem = "this file was not written by `infoplane analyse`, which would replace it; rename it";
        return Err(StageError::Refused(format!("{}: {problem}", path.display())));
    }
    let folder = std::path::absolute(experiment.root()).ok().and_then(|folder| folder.to_str().map(str::to_owned));
    let folder = folder.ok_or_else(|| {
        StageError::Refused(format!(
            "{}: the path is not UTF-8, so it cannot be written into a pipeline; rename the folder",
            path.display()
        ))
    })?;
    let minimum = wishes.minimum_effect.map(|bits| format!("[aggregate]\nminimum_effect = {bits:?}\n\n"));
    let minimum = minimum.unwrap_or_default();
    let text = format!(
        "{FIRST_LINE}, which overwrites this file. To change it, edit a copy and run the copy with `infoplane run`.\nrecording = {}\n\n{minimum}{}",
        // JSON and TOML write texts in the same way.
        serde_json::json!(folder),
        tables.join("\n"),
    );
    if before.as_deref() != Some(&text) {
        write_bytes(experiment.root(), FILE, text.as_bytes())?;
    }
    Ok(Analysis { path, reasons })
}

/// A candidate for I(T;Y), whether it is chosen, and why.
type JudgedCandidate = (&'static str, bool, String);

/// Judges the candidates for I(T;Y). The user's choice of estimators needs no audit. The error says why there is no audit.
fn candidates(experiment: &Experiment, facts: &Facts, wishes: &Wishes) -> Result<Vec<JudgedCandidate>, StageError> {
    if wishes.families.is_some() {
        return Ok(CANDIDATES.map(|name| (name, false, String::new())).to_vec());
    }
    let audits = trusted(experiment)?;
    // A fast candidate with the smallest error; the audits are sorted by error.
    let is_fast = |audit: &Trusted| facts.work(audit.estimator, wishes.n_shuffles) <= MOST_PAIRS;
    let chosen = audits.iter().find(|audit| audit.is_trusted() && is_fast(audit)).map(|audit| audit.estimator);
    let reason = |audit: &Trusted| {
        let why = match () {
            () if chosen == Some(audit.estimator) => "the smallest error of I(T;Y) among the audited estimators",
            () if !audit.is_trusted() => "its audit does not show an error of I(T;Y) of at most 10 % of H(Y)",
            () if !is_fast(audit) => "the estimates at all snapshots would take long",
            () => "the error of I(T;Y) is larger than that of the chosen estimator",
        };
        format!("{why}: {}", audit.words)
    };
    Ok(audits.iter().map(|audit| (audit.estimator, chosen == Some(audit.estimator), reason(audit))).collect())
}

fn list<T: std::fmt::Display>(numbers: &[T]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The facts for the choice.
struct Facts {
    n_samples: usize,
    /// Pairs of samples times units, over all layers, snapshots and runs.
    pairs: f64,
    /// Values, over all layers, snapshots and runs.
    values: f64,
    /// Whether every layer has at most [`FEW_VALUES`] different values at the last snapshot of the first run.
    has_few_values: bool,
}

impl Facts {
    /// The work of a candidate with all shuffles of labels and inputs, in the unit of [`MOST_PAIRS`].
    fn work(&self, candidate: &str, n_shuffles: u64) -> f64 {
        /// Visits of each value by the iterations of a classifier in 5 folds.
        const DECODER_VISITS: f64 = 1000.0;
        /// The ranks and covariances of a copula, per value.
        const COPULA_VISITS: f64 = 100.0;
        let of_data = match candidate {
            "decoder" => DECODER_VISITS * self.values,
            "copula" => COPULA_VISITS * self.values,
            _ => self.pairs,
        };
        of_data * (1 + 2 * n_shuffles) as f64
    }

    fn read(experiment: &Experiment) -> Result<Self, StageError> {
        let recording = Recording::open(experiment)?;
        let run = &recording.runs()[0];
        let mut facts = Self { n_samples: 0, pairs: 0.0, values: 0.0, has_few_values: true };
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
            facts.values += (last.t.len() * n_snapshots) as f64;
        }
        facts.pairs *= recording.runs().len() as f64;
        facts.values *= recording.runs().len() as f64;
        Ok(facts)
    }
}
