//! Computes I(X;T) and I(T;Y) of networks with noise by sample propagation, from recorded weights, and writes them to tables
//! of estimates.
//!
//! # Reference
//! Goldfeld et al. 2019, "Estimating information flow in deep neural networks" (ICML). For Gaussian dropout: Adilova et al. 2023,
//! "Information plane analysis for dropout neural networks" (ICLR).

mod passes;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array2, Axis};
use serde_json::json;

use super::computed::{ComputedTable, made_tables};
use super::inputs::{input_values, inputs};
use super::keys::expect_recorded_with;
use super::recorded_weights::{Snapshots, hashes_of, parts_of};
use super::{Outcome, PlannedTables, Progress, StageError};
use crate::config::{LayerWithNoise, Pipeline, Propagation};
use crate::estimate_id::Values;
use crate::estimators::InputsAndLabels;
use crate::math::atoms::Cells;
use crate::math::noise_mixture::{InputInformation, NoiseMixtureError};
use crate::sample::Labels;
use crate::store::schema::{EstimateRow, SampleRow, VERSION};
use crate::store::{
    Experiment, LayerNames, Lock, Pending, RecordedRun, Recording, believed_hash, move_earlier_manifests, read_samples,
    verified_hash,
};
use crate::suggest::Named;
use crate::weights::DenseLayer;
use passes::{NoisyNetwork, PropagatedSamples};

/// Makes the missing tables of `[propagation]` of `pipeline` below `<out>/estimates`.
///
/// # Errors
/// There is no recording of this pipeline's network, or a file does not match its hash.
pub fn propagate(
    pipeline: &Pipeline,
    experiment: &Experiment,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    if experiment.is_unfinished() {
        tracing::warn!("{} is unfinished: only its complete runs are used", experiment.recording().display());
    }
    let settings = asked_for(pipeline)?;
    let (recording, out) = (Recording::open(experiment)?, Experiment::new(out));
    if targets(&recording, settings, experiment, &out)?.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    expect_recorded_with(pipeline, experiment)?;
    let _lock = Lock::named(out.root(), &Experiment::estimate_lock(&settings.id()))?;
    move_earlier_manifests(&out)?;
    // Another call may have made some of them while this one waited.
    let targets = targets(&recording, settings, experiment, &out)?;
    let data = RecordedData::read(experiment)?;
    let names = LayerNames::read(experiment, &recording)?;
    progress.begin("propagate", targets.len() as u64);
    let done: Result<Vec<(usize, usize)>, StageError> = targets
        .iter()
        .map(|target| {
            let counts = make(target, settings, &data, &names);
            progress.advance(1);
            counts
        })
        .collect();
    progress.end();
    Ok(made_tables(&done?, "estimates of layers with noise", start, &out))
}

/// What [`propagate`] would do, without doing it; nothing if `pipeline` has no `[propagation]` table.
///
/// # Errors
/// There is no recording, or it cannot be read.
pub fn plan(pipeline: &Pipeline, experiment: &Experiment, out: &Path) -> Result<Vec<PlannedTables>, StageError> {
    let Some(settings) = &pipeline.propagation else { return Ok(Vec::new()) };
    let (recording, out) = (Recording::open(experiment)?, Experiment::new(out));
    let n_pending = targets(&recording, settings, experiment, &out)?.len();
    Ok(vec![PlannedTables {
        folder: out.estimates().join(settings.id().to_string()),
        quantity: settings.quantity(),
        n_pending,
        n_done: recording.runs().len() - n_pending,
    }])
}

/// The `[propagation]` table of a pipeline.
fn asked_for(pipeline: &Pipeline) -> Result<&Propagation, StageError> {
    pipeline.propagation.as_ref().ok_or_else(|| {
        let name = &pipeline.name;
        StageError::Refused(format!(
            "the pipeline `{name}` does not ask for sample propagation; add a table `[propagation]`"
        ))
    })
}

/// A run that lacks its table.
struct PropagationTarget<'a> {
    run: &'a RecordedRun,
    work: Pending,
}

/// The runs that lack their table.
fn targets<'a>(
    recording: &'a Recording,
    settings: &Propagation,
    experiment: &Experiment,
    out: &Experiment,
) -> Result<Vec<PropagationTarget<'a>>, StageError> {
    let id = settings.id();
    let samples = believed_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?;
    let layer = |layer: &LayerWithNoise| json!([layer.activation.name(), format!("{:?}", layer.noise)]);
    let layers: Vec<serde_json::Value> = settings.layers.iter().map(layer).collect();
    // The recorded activations of one layer name the recorded samples.
    let recorded = recording.layers(Values::Activations)?.first().copied();
    let mut targets = Vec::new();
    for run in recording.runs() {
        let made_from = json!({
            "estimator": id.to_string(),
            "weights": hashes_of(run)?,
            "activations": run.hashes(Values::Activations.table(), recorded)?,
            "samples": samples,
            "layers": layers,
            "schema": VERSION,
        });
        let work = Pending::new(out.root(), &Experiment::estimate_manifest(&id, &run.id.to_string()), &made_from);
        if work.finished()?.is_none() {
            targets.push(PropagationTarget { run, work });
        }
    }
    Ok(targets)
}

/// X and Y of all samples of the data.
struct RecordedData {
    x: Array2<f64>,
    x_cells: Cells,
    labels: Labels,
}

impl RecordedData {
    fn read(experiment: &Experiment) -> Result<Self, StageError> {
        let root = experiment.recording();
        verified_hash(&root, "settings", Experiment::SAMPLES)?;
        let path = root.join(Experiment::SAMPLES);
        let rows: Vec<SampleRow> = read_samples(&path)?;
        let refused = |problem: String| StageError::Refused(format!("{}: {problem}", path.display()));
        let values = input_values(&rows).ok_or_else(|| {
            refused(
                "the values of X are not recorded or not finite, so they cannot be propagated through the network"
                    .to_owned(),
            )
        })?;
        let x = Array2::from_shape_vec((rows.len(), values.n_dims()), values.values().to_vec())
            .expect("the points have one width");
        let y: Vec<i32> = rows.iter().map(|row| row.y).collect();
        let p_y1: Vec<Option<f64>> = rows.iter().map(|row| row.p_y1).collect();
        let labels = Labels::new(&y, &p_y1).map_err(|e| refused(e.to_string()))?;
        Ok(Self { x, x_cells: inputs(&rows), labels })
    }

    /// The recorded samples of a run, of all layers and snapshots.
    fn samples_of(&self, run: &RecordedRun) -> Result<Vec<i32>, StageError> {
        let refused = |what: &str| StageError::Refused(format!("run {} has {what}; record it again", run.id));
        let layer = run.layers(Values::Activations.table()).first().copied();
        let layer = layer.ok_or_else(|| refused("no recorded activations, which name the recorded samples"))?;
        run.verify(Values::Activations.table(), Some(layer))?;
        let reader = run.activations(Values::Activations, layer)?;
        if reader.snapshots().len() == 0 {
            return Err(refused("no recorded snapshots"));
        }
        let samples = reader.read(0)?.samples;
        match samples.last() {
            Some(last) if *last as usize >= self.x.nrows() => Err(refused("activations of unknown samples")),
            _ => Ok(samples),
        }
    }
}

/// Makes the missing table of a run; returns the numbers of rows and of failures.
fn make(
    target: &PropagationTarget<'_>,
    settings: &Propagation,
    data: &RecordedData,
    names: &LayerNames,
) -> Result<(usize, usize), StageError> {
    let run = target.run;
    let table = ComputedTable { id: Arc::new(settings.id()), quantity: settings.quantity(), run };
    let recorded = data.samples_of(run)?;
    let rows: Vec<usize> = recorded.iter().map(|sample| *sample as usize).collect();
    let x = data.x.select(Axis(0), &rows);
    let x_cells: Vec<u32> = rows.iter().map(|sample| data.x_cells.numbers()[*sample]).collect();
    let numbers: Vec<u32> = rows.iter().map(|sample| *sample as u32).collect();
    let given = InputsAndLabels::new(Cells::of_rows(&x_cells, 1), &numbers, data.labels.of(&recorded), 0)
        .map_err(|e| StageError::Refused(format!("run {}: {e}", run.id)))?;
    let samples = PropagatedSamples { x: x.view(), classes: given.y.classes() };
    let mut filled: Vec<EstimateRow> = Vec::new();
    for files in parts_of(run)? {
        let snapshots = Snapshots::read(&files, run, x.ncols())?;
        for (index, place) in snapshots.places.iter().enumerate() {
            let network = network(&snapshots, index, run, &settings.layers)?;
            let key = format!("{} {} {}", settings.seed, run.id, place.1);
            for (layer, found) in network.information(&samples, settings, &key) {
                filled.push(with_values(table.row(layer, *place), found, &given));
            }
        }
    }
    table.write(filled, names, &target.work)
}

/// The network of a snapshot, up to its last layer with noise.
fn network(
    snapshots: &Snapshots,
    index: usize,
    run: &RecordedRun,
    layers: &[LayerWithNoise],
) -> Result<NoisyNetwork, StageError> {
    let kernels = snapshots.kernels(index);
    if kernels.len() != layers.len() + 1 {
        return Err(StageError::Refused(format!(
            "run {} has weights of {} layers, but the pipeline describes {}; record it again",
            run.id,
            kernels.len(),
            layers.len() + 1
        )));
    }
    let n_needed = layers.iter().rposition(|layer| layer.noise.is_some()).map_or(0, |last| last + 1);
    let dense = kernels.into_iter().zip(snapshots.biases(index)).zip(layers.iter().copied()).take(n_needed);
    let layer =
        |((kernel, bias), LayerWithNoise { activation, noise })| (DenseLayer { kernel, bias, activation }, noise);
    Ok(NoisyNetwork { layers: dense.map(layer).collect() })
}

/// The row with the information of its layer.
fn with_values(
    row: EstimateRow,
    found: Result<InputInformation, NoiseMixtureError>,
    given: &InputsAndLabels,
) -> EstimateRow {
    let n_samples = given.n_samples() as i32;
    let InputInformation { h_t, i_xt, i_ty } = match found {
        Ok(found) => found,
        Err(e) => return EstimateRow { n_samples, failure: Some(e.to_string()), ..row },
    };
    let i_ty = i_ty.first();
    EstimateRow {
        i_xt_bits: Some(i_xt.value.bits()),
        i_xt_error_bits: Some(i_xt.error.bits()),
        i_ty_bits: i_ty.map(|i_ty| i_ty.value.bits()),
        i_ty_error_bits: i_ty.map(|i_ty| i_ty.error.bits()),
        i_xt_given_y_bits: i_ty.map(|i_ty| (i_xt.value - i_ty.value).bits()),
        h_t_bits: Some(h_t.value.bits()),
        h_t_given_x_bits: Some((h_t.value - i_xt.value).bits()),
        i_xt_ceiling_bits: Some(given.h_x.bits()),
        i_ty_ceiling_bits: Some(given.i_ty_ceiling.bits()),
        h_x_bits: Some(given.h_x.bits()),
        h_y_bits: Some(given.h_y.bits()),
        n_samples,
        n_codes: n_samples,
        ..row
    }
}
