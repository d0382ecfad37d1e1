//! Audits at the size, dimension and covariance of a recorded layer.

use super::super::{Progress, StageError};
use super::{AuditRequest, Audited, DrawnFrom, audited};
use crate::audit::LayerShape;
use crate::count::counted;
use crate::estimate_id::Values;
use crate::layer_id::LayerId;
use crate::sample::{Labels, Representation};
use crate::store::{Experiment, LayerNames, Recording, read_samples, verified_hash};

/// Correlations of the layer with the variable that determines the classes: none, medium and strong.
const CORRELATIONS: [f64; 3] = [0.0, 0.5, 0.95];

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
    let run = &recording.runs()[0];
    run.verify(Values::Activations.table(), Some(*id))?;
    let reader = run.activations(Values::Activations, *id)?;
    let Some(last) = reader.snapshots().len().checked_sub(1) else {
        return Err(StageError::Refused(format!("run {} has no recorded snapshots; record it again", run.id)));
    };
    let recorded = reader.read(last)?;
    let root = experiment.recording();
    verified_hash(&root, "settings", Experiment::SAMPLES)?;
    let y: Vec<i32> = read_samples(&root.join(Experiment::SAMPLES))?.iter().map(|row| row.y).collect();
    let labels = Labels::hard(&y);
    let mut counts = vec![0; labels.n_classes()];
    for sample in &recorded.samples {
        counts[labels.classes().expect("hard labels")[*sample as usize] as usize] += 1;
    }
    counts.retain(|count| *count > 0);
    let place = || format!("layer {layer} of {}", experiment.root().display());
    let t = Representation::new(&recorded.t, reader.n_units())
        .map_err(|problem| StageError::Refused(format!("{}: {problem}", place())))?;
    LayerShape::of(&t, &counts).ok_or_else(|| {
        StageError::Refused(format!("{} is constant at its last snapshot, or has only one class", place()))
    })
}

/// Audits estimators on normal vectors like a layer: with its number of samples, its dimension and covariance, and with
/// classes of the sizes of its labels.
///
/// # Errors
/// Parameters cannot be combined.
pub fn audit_like(request: &AuditRequest, shape: &LayerShape, progress: &dyn Progress) -> Result<Audited, StageError> {
    let like = |rho: &f64| DrawnFrom::Like(shape.with_correlation(*rho), shape.n_units());
    let sources: Vec<DrawnFrom<'_>> = CORRELATIONS.iter().map(like).collect();
    audited(request, &sources, &[shape.n_samples()], progress)
}

/// Which estimators can be trusted at a layer, in one sentence: their root mean squared error is at most 10 % of H(Y) at
/// every level of information.
pub fn verdict(audited: &Audited, shape: &LayerShape) -> String {
    /// The largest allowed root mean squared error, relative to H(Y).
    const LARGEST_ERROR: f64 = 0.1;
    let most = LARGEST_ERROR * shape.h_y().bits();
    let (mut trusted, mut others, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for rows in audited.summary.chunk_by(|a, b| a.estimator == b.estimator) {
        let worst = rows.iter().filter_map(|row| row.rmse_bits).fold(0.0, f64::max);
        let name = rows[0].estimator.to_string();
        if rows.iter().any(|row| row.n_failed > 0) {
            without.push(name);
        } else if worst > most {
            others.push(format!("{name} (up to {worst:.2} bits)"));
        } else {
            trusted.push(name);
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
