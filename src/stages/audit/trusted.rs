//! Chooses an estimator of I(T;Y) for a recording: the candidate with the smallest error in audits like its layers.

use super::super::{Silent, StageError};
use super::like::{LastSnapshot, allowed_error, audit_like, largest_errors};
use super::{AuditRequest, Timing};
use crate::audit::{Sampled, TrialSettings, trials};
use crate::estimate_id::Values;
use crate::estimators::{Spec, find};
use crate::layer_id::LayerId;
use crate::math::shuffles::Shuffles;
use crate::store::{Experiment, Recording, read_samples};

/// The audited estimators: those of I(T;Y) that take seconds. `sliced` is another quantity, `neural` and `renyi` take long.
pub const CANDIDATES: [&str; 3] = ["mixed-ksg", "copula", "decoder"];

/// An audit has at most this number of samples and layers of at most this number of units, so that all audits take seconds.
const MOST_SAMPLES: usize = 1000;
const MOST_UNITS: usize = 256;

/// Seeds of each audit.
const N_SEEDS: u64 = 3;

/// Without permutations and halves, which only describe the uncertainty of an estimate.
const SETTINGS: TrialSettings = TrialSettings { n_shuffles: 0, n_halves: 0 };

/// The result of the audits of one candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Trusted {
    /// One of [`CANDIDATES`].
    pub estimator: &'static str,
    /// The largest error over layers, relative to the allowed error; `None` if an estimate failed.
    pub relative_error: Option<f64>,
    /// What the audits found, for example `error up to 0.02 bits at layer 1 (1000 samples, 3 units, H(Y) = 1.00)`.
    pub words: String,
}

impl Trusted {
    /// Whether the error is at most 10 % of H(Y) at every audited layer.
    pub fn is_trusted(&self) -> bool {
        self.relative_error.is_some_and(|error| error <= 1.0)
    }
}

/// Audits the candidates like the narrowest and the widest layer of a recording, and applies each to the recorded values of
/// these layers. The best candidate is first.
///
/// # Errors
/// The layers cannot be audited, for example because a layer is constant or too wide.
pub fn trusted(experiment: &Experiment) -> Result<Vec<Trusted>, StageError> {
    let recording = Recording::open(experiment)?;
    let samples = read_samples(&experiment.recording().join(Experiment::SAMPLES))?;
    if samples.iter().any(|row| row.p_y1.is_some()) {
        return Err(StageError::Refused("the labels are probabilities, and audits have classes".to_owned()));
    }
    let mut found = CANDIDATES.map(|estimator| Trusted { estimator, relative_error: Some(0.0), words: String::new() });
    for layer in narrowest_and_widest(&recording)? {
        let last = LastSnapshot::read(experiment, &recording, layer)?;
        let shape = last.shape(&format!("layer {layer}"))?;
        let n = shape.n_samples().min(MOST_SAMPLES);
        let (most, h_y) = (allowed_error(&shape), shape.h_y().bits());
        let place = format!("layer {layer} ({n} samples, {} units, H(Y) = {h_y:.2} bits)", shape.n_units());
        let drawn = part(&last, n);
        for candidate in &mut found {
            let spec = find(candidate.estimator).expect("every candidate is an estimator");
            let request = request(spec)?;
            let audited = audit_like(&request, &shape, n, &Silent)?;
            let error = largest_errors(&audited).into_iter().next().and_then(|error| error.bits);
            let set = (spec.build)(&request.estimators[0].1).map_err(|e| StageError::Refused(e.to_string()))?;
            let failure = trials(set.as_ref(), &drawn, SETTINGS).into_iter().find_map(Result::err);
            let (relative_error, words) = match (error, failure) {
                (_, Some(failure)) => (None, format!("no estimate of {place}: {failure}")),
                (None, None) => (None, format!("some estimates like {place} failed")),
                (Some(bits), None) => (Some(bits / most), format!("error up to {bits:.2} bits like {place}")),
            };
            candidate.relative_error = candidate.relative_error.zip(relative_error).map(|(a, b)| a.max(b));
            let separator = if candidate.words.is_empty() { "" } else { ", " };
            candidate.words.push_str(&format!("{separator}{words}"));
        }
    }
    let rank = |candidate: &Trusted| candidate.relative_error.unwrap_or(f64::INFINITY);
    found.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    Ok(found.to_vec())
}

/// The narrowest and the widest layer, or the only layer.
fn narrowest_and_widest(recording: &Recording) -> Result<Vec<LayerId>, StageError> {
    let run = &recording.runs()[0];
    let mut widths = Vec::new();
    for layer in recording.layers(Values::Activations)?.into_iter().filter(|layer| *layer > LayerId::INPUT) {
        widths.push((run.activations(Values::Activations, layer)?.n_units(), layer));
    }
    widths.sort_by_key(|(n_units, _)| *n_units);
    let (Some(first), Some(last)) = (widths.first(), widths.last()) else {
        return Err(StageError::Refused("no layer is recorded".to_owned()));
    };
    if last.0 > MOST_UNITS {
        let problem = format!("layer {} has {} units; audits take long above {MOST_UNITS}", last.1, last.0);
        return Err(StageError::Refused(problem));
    }
    Ok(if first == last { vec![first.1] } else { vec![first.1, last.1] })
}

fn request(spec: &'static Spec) -> Result<AuditRequest, StageError> {
    let sets = spec.sets(Vec::new()).map_err(|problem| StageError::Refused(problem.to_string()))?;
    Ok(AuditRequest {
        estimators: vec![(spec, sets)],
        distributions: Vec::new(),
        dims: Vec::new(),
        n_samples: Vec::new(),
        n_seeds: N_SEEDS,
        settings: SETTINGS,
        timing: Timing::Off,
    })
}

/// `n` recorded samples, drawn at random because samples are often sorted by their label.
fn part(last: &LastSnapshot, n: usize) -> Sampled {
    let order = Shuffles::new(1, last.classes.len() as u32);
    let order = order.iter().next().unwrap_or_default();
    let mut order = order.iter().map(|sample| *sample as usize);
    Sampled::labelled(n, last.n_units, |x| {
        let sample = order.next().unwrap_or_default();
        x.extend(last.values[sample * last.n_units..][..last.n_units].iter().map(|value| f64::from(*value)));
        last.classes[sample]
    })
}
