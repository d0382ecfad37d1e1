//! Audits at the size, dimension and covariance of a recorded layer.

use super::super::{Progress, StageError};
use super::{AuditRequest, Audited, DrawnFrom, audited};
use crate::audit::LayerShape;
use crate::count::counted;
use crate::estimate_id::Values;
use crate::layer_id::LayerId;
use crate::sample::{Labels, Representation};
use crate::store::schema::AuditSummaryRow;
use crate::store::{Experiment, LayerNames, Recording, read_samples, verified_hash};

/// Correlations of the layer with the variable that determines the classes: none, medium and strong.
const CORRELATIONS: [f64; 3] = [0.0, 0.5, 0.95];

/// The values of a layer at the last recorded snapshot of the first run, with the classes of the samples.
#[derive(Debug, Clone)]
pub(super) struct LastSnapshot {
    pub(super) values: Vec<f32>,
    pub(super) n_units: usize,
    /// The class of each sample.
    pub(super) classes: Vec<u32>,
}

impl LastSnapshot {
    pub(super) fn read(experiment: &Experiment, recording: &Recording, id: LayerId) -> Result<Self, StageError> {
        let run = &recording.runs()[0];
        run.verify(Values::Activations.table(), Some(id))?;
        let reader = run.activations(Values::Activations, id)?;
        let Some(last) = reader.snapshots().len().checked_sub(1) else {
            return Err(StageError::Refused(format!("run {} has no recorded snapshots; record it again", run.id)));
        };
        let recorded = reader.read(last)?;
        let root = experiment.recording();
        verified_hash(&root, "settings", Experiment::SAMPLES)?;
        let y: Vec<i32> = read_samples(&root.join(Experiment::SAMPLES))?.iter().map(|row| row.y).collect();
        let labels = Labels::hard(&y);
        let classes = labels.classes().expect("hard labels");
        let class = |sample: &i32| {
            let class = usize::try_from(*sample).ok().and_then(|sample| classes.get(sample)).copied();
            class.ok_or_else(|| StageError::Refused(format!("sample {sample} of layer {id} has no label")))
        };
        let classes = recorded.samples.iter().map(class).collect::<Result<_, _>>()?;
        Ok(Self { n_units: reader.n_units(), values: recorded.t, classes })
    }

    /// The shape of the values; `place` names the layer in messages.
    pub(super) fn shape(&self, place: &str) -> Result<LayerShape, StageError> {
        let mut counts = vec![0; self.classes.iter().max().map_or(0, |class| *class as usize + 1)];
        self.classes.iter().for_each(|class| counts[*class as usize] += 1);
        counts.retain(|count| *count > 0);
        let t = Representation::new(&self.values, self.n_units)
            .map_err(|problem| StageError::Refused(format!("{place}: {problem}")))?;
        LayerShape::of(&t, &counts).ok_or_else(|| {
            StageError::Refused(format!("{place} is constant at its last snapshot, or has only one class"))
        })
    }
}

/// The shape of a layer at the last recorded snapshot of the first run. `layer` is its number or its name.
///
/// # Errors
/// There is no such recording or layer, or its values are constant or not finite.
pub fn layer_shape(experiment: &Experiment, layer: &str) -> Result<LayerShape, StageError> {
    let recording = Recording::open(experiment)?;
    let names = LayerNames::read(experiment, &recording)?;
    let layers = recording.layers(Values::Activations)?;
    let is_meant = |id: &&LayerId| id.to_string() == layer || names.get(**id).is_some_and(|name| *name == *layer);
    let Some(id) = layers.iter().find(is_meant) else {
        let present: Vec<String> = layers.iter().map(LayerId::to_string).collect();
        let folder = experiment.root().display();
        return Err(StageError::Refused(format!("{folder} has no layer `{layer}`; layers: {}", present.join(", "))));
    };
    let place = format!("layer {layer} of {}", experiment.root().display());
    LastSnapshot::read(experiment, &recording, *id)?.shape(&place)
}

/// Audits estimators on `n_samples` normal vectors like a layer: with its dimension and covariance, and with classes of the
/// sizes of its labels.
///
/// # Errors
/// Parameters cannot be combined.
pub fn audit_like(
    request: &AuditRequest,
    shape: &LayerShape,
    n_samples: usize,
    progress: &dyn Progress,
) -> Result<Audited, StageError> {
    let like = |rho: &f64| DrawnFrom::Like(shape.with_correlation(*rho), shape.n_units());
    let sources: Vec<DrawnFrom<'_>> = CORRELATIONS.iter().map(like).collect();
    audited(request, &sources, &[n_samples], progress)
}

/// The error of an estimator in an audit like a layer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LargestError {
    pub(super) estimator: String,
    /// The largest root mean squared error over the levels of information, in bits; `None` if some estimates failed.
    pub(super) bits: Option<f64>,
}

/// The errors of all estimators, in the order of their names.
pub(super) fn largest_errors(audited: &Audited) -> Vec<LargestError> {
    let groups = audited.summary.chunk_by(|a, b| a.estimator == b.estimator);
    let error = |rows: &[AuditSummaryRow]| LargestError {
        estimator: rows[0].estimator.to_string(),
        bits: rows
            .iter()
            .all(|row| row.n_failed == 0)
            .then(|| rows.iter().filter_map(|row| row.rmse_bits).fold(0.0, f64::max)),
    };
    groups.map(error).collect()
}

/// The largest error of a trusted estimator, in bits: 10 % of H(Y).
pub(super) fn allowed_error(shape: &LayerShape) -> f64 {
    0.1 * shape.h_y().bits()
}

/// Which estimators can be trusted at a layer, in one sentence: their root mean squared error is at most 10 % of H(Y) at
/// every level of information.
pub fn verdict(audited: &Audited, shape: &LayerShape) -> String {
    let most = allowed_error(shape);
    let (mut trusted, mut others, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for LargestError { estimator, bits } in largest_errors(audited) {
        match bits {
            None => without.push(estimator),
            Some(worst) if worst > most => others.push(format!("{estimator} (up to {worst:.2} bits)")),
            Some(_) => trusted.push(estimator),
        }
    }
    let sentence = |words: &str, names: Vec<String>| match names.is_empty() {
        true => String::new(),
        false => format!("; {words} {}", names.join(", ")),
    };
    let of_trusted = if trusted.is_empty() { "no estimator".to_owned() } else { trusted.join(", ") };
    format!(
        "{}, {}, normal with the covariance of the layer: the error of I(T;Y) is at most {most:.2} bits (10 % of H(Y)) for {of_trusted}{}{}",
        counted(shape.n_samples(), "sample"),
        counted(shape.n_units(), "unit"),
        sentence("larger for", others),
        sentence("not always an estimate by", without),
    )
}
