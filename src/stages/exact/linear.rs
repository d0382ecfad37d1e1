//! Computes exact I(X;T) and I(T;Y) of linear networks from recorded weights, and writes them to tables of estimates.
//!
//! X ~ N(0, I/n_inputs) and Y = W_o X + ε of the data set `student-teacher`; T of a layer is W̄ X plus Gaussian
//! noise, with W̄ the product of the recorded kernels up to this layer. Biases change no information.
//!
//! # Reference
//! Saxe et al. 2018, Figs 3, 4, 6, 18 and 19.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use ndarray::Array2;
use rayon::prelude::*;
use serde_json::json;

use super::super::computed::{ComputedTable, made_tables};
use super::super::keys::is_recorded_with;
use super::super::recorded_weights::{Snapshots, hashes_of, parts_of};
use super::super::{Outcome, PlannedTables, Progress, StageError};
use crate::config::{Data, Exact, Inputs, NamedData, Pipeline};
use crate::datasets::{DatasetError, Teacher, TeacherShape};
use crate::layer_id::LayerId;
use crate::math::determinant::NotPositiveDefinite;
use crate::math::kde::h_t_given_x;
use crate::math::linear_network::{LinearNetwork, LinearTeacher, total_weights};
use crate::store::schema::{EstimateRow, SampleRow, VERSION};
use crate::store::{
    Experiment, LayerNames, Lock, Pending, RecordedRun, Recording, move_earlier_manifests, read_samples, verified_hash,
};
use crate::units::Nats;

/// Makes the missing tables of `[exact]` of `pipeline` below `<out>/estimates`.
///
/// # Errors
/// There is no recording of this pipeline's network and data, or a file does not match its hash.
pub fn linear(
    pipeline: &Pipeline,
    experiment: &Experiment,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    if experiment.is_unfinished() {
        tracing::warn!("{} is unfinished: only its complete runs are used", experiment.recording().display());
    }
    let (exact, data) = asked_for(pipeline)?;
    let recording = Recording::open(experiment)?;
    let out = Experiment::new(out);
    if targets(&recording, exact, data, &out)?.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    expect_recording_of(pipeline, data, experiment)?;
    let mut names: Vec<String> = exact.ids().iter().map(Experiment::estimate_lock).collect();
    names.sort();
    let _locks = names.iter().map(|name| Lock::named(out.root(), name)).collect::<Result<Vec<_>, _>>()?;
    move_earlier_manifests(&out)?;
    // Another call may have made some of them while this one waited.
    let targets = targets(&recording, exact, data, &out)?;
    let given = InputsAndTeacher::new(data)?;
    let names = LayerNames::read(experiment, &recording)?;
    progress.begin("exact", targets.len() as u64);
    let done: Result<Vec<(usize, usize)>, StageError> = targets
        .par_iter()
        .map(|target| {
            let counts = make(target, exact, &given, &names);
            progress.advance(1);
            counts
        })
        .collect();
    progress.end();
    Ok(made_tables(&done?, "exact numbers", start, &out))
}

/// What [`linear`] would do, without doing it; nothing if `pipeline` has no `[exact]` table.
///
/// # Errors
/// There is no recording, or it cannot be read.
pub fn plan(pipeline: &Pipeline, experiment: &Experiment, out: &Path) -> Result<Vec<PlannedTables>, StageError> {
    if pipeline.exact.is_none() {
        return Ok(Vec::new());
    }
    let (exact, data) = asked_for(pipeline)?;
    let (recording, out) = (Recording::open(experiment)?, Experiment::new(out));
    let targets = targets(&recording, exact, data, &out)?;
    let planned = |inputs: &Inputs| {
        let is_of = |target: &&ExactTarget<'_>| target.pending.iter().any(|(wanted, _)| wanted == inputs);
        let n_pending = targets.iter().filter(is_of).count();
        PlannedTables {
            folder: out.estimates().join(exact.id(*inputs).to_string()),
            quantity: exact.quantity(*inputs),
            n_pending,
            n_done: recording.runs().len() - n_pending,
        }
    };
    Ok(exact.inputs.iter().map(planned).collect())
}

/// The `[exact]` table of a pipeline and its data.
fn asked_for(pipeline: &Pipeline) -> Result<(&Exact, &NamedData), StageError> {
    match (&pipeline.exact, pipeline.networks().map(|networks| &networks.data)) {
        (Some(exact), Some(Data::Named(data))) => Ok((exact, data)),
        _ => Err(StageError::Refused(format!(
            "the pipeline `{}` does not ask for exact information; add a table `[exact]`",
            pipeline.name
        ))),
    }
}

/// A run and the tables that it lacks.
struct ExactTarget<'a> {
    run: &'a RecordedRun,
    pending: Vec<(Inputs, Pending)>,
}

/// The runs that lack a table.
fn targets<'a>(
    recording: &'a Recording,
    exact: &Exact,
    data: &NamedData,
    out: &Experiment,
) -> Result<Vec<ExactTarget<'a>>, StageError> {
    let mut targets = Vec::new();
    for run in recording.runs() {
        let hashes = hashes_of(run)?;
        let mut pending = Vec::new();
        for inputs in &exact.inputs {
            let id = exact.id(*inputs);
            let made_from =
                json!({ "estimator": id.to_string(), "weights": hashes, "data": data.identity(), "schema": VERSION });
            let name = Experiment::estimate_manifest(&id, &run.id.to_string());
            let work = Pending::new(out.root(), &name, &made_from);
            if work.finished()?.is_none() {
                pending.push((*inputs, work));
            }
        }
        if !pending.is_empty() {
            targets.push(ExactTarget { run, pending });
        }
    }
    Ok(targets)
}

/// Makes sure that `experiment` is a recording of the pipeline's network and of exactly its data: the teacher is not recorded,
/// and a teacher with other parameters would give other results.
fn expect_recording_of(pipeline: &Pipeline, data: &NamedData, experiment: &Experiment) -> Result<(), StageError> {
    let root = experiment.recording();
    let refused = |what: &str| {
        let place = root.display();
        Err(StageError::Refused(format!(
            "{place} has a recording of other {what} than in the pipeline; record again, or name the pipeline of the recording"
        )))
    };
    if is_recorded_with(pipeline, experiment)? == Some(false) {
        return refused("settings");
    }
    verified_hash(&root, "settings", Experiment::SAMPLES)?;
    let rows = read_samples(&root.join(Experiment::SAMPLES))?;
    let missing = |name: &str| Err(DatasetError::Missing { file: name.to_owned() });
    let made = data.spec.make(&data.parameters, &mut |name| missing(name));
    let made = made.map_err(|e| StageError::Refused(e.to_string()))?;
    let target = made.target.as_ref();
    let is_same = |(i, row): (usize, &SampleRow)| {
        let targets = row.target.iter().flatten().copied();
        made.x.row(i).iter().copied().eq(row.x().iter().copied())
            && target.is_some_and(|target| target.row(i).iter().copied().eq(targets))
    };
    if rows.len() != made.y.len() || !rows.iter().enumerate().all(is_same) {
        return refused("data");
    }
    Ok(())
}

/// The distributions of X and Y.
struct InputsAndTeacher {
    teacher: Teacher,
    input_covariance: Array2<f64>,
    /// I(X;Y), the upper bound of I(T;Y).
    i_xy: Nats,
    n_relevant: usize,
}

impl InputsAndTeacher {
    fn new(data: &NamedData) -> Result<Self, StageError> {
        let refused = StageError::Refused;
        let teacher = Teacher::of(data.spec, &data.parameters).map_err(|e| refused(e.to_string()))?;
        let shape = TeacherShape::of(data.spec, &data.parameters);
        let (Some(teacher), Some(shape)) = (teacher, shape) else {
            return Err(refused(format!("`{}` has no linear teacher", data.spec.name)));
        };
        let input_covariance = Array2::from_diag_elem(shape.n_inputs, teacher.input_variance);
        // Y is the output of a network with the teacher's weights and the teacher's noise.
        let as_network = LinearNetwork {
            weights: teacher.weights.view(),
            input_covariance: input_covariance.view(),
            noise_variance: teacher.noise_variance,
        };
        let i_xy = as_network.i_xt().map_err(|e| refused(e.to_string()))?;
        Ok(Self { i_xy, input_covariance, n_relevant: shape.n_relevant, teacher })
    }

    /// The numbers of the inputs of a part.
    fn subset(&self, inputs: Inputs) -> Vec<usize> {
        match inputs {
            Inputs::All => (0..self.teacher.weights.ncols()).collect(),
            Inputs::Relevant => (0..self.n_relevant).collect(),
            Inputs::Irrelevant => (self.n_relevant..self.teacher.weights.ncols()).collect(),
        }
    }
}

/// Makes the missing tables of a run; returns the numbers of rows and of failures.
fn make(
    target: &ExactTarget<'_>,
    exact: &Exact,
    given: &InputsAndTeacher,
    names: &LayerNames,
) -> Result<(usize, usize), StageError> {
    let mut tables: Vec<Vec<EstimateRow>> = vec![Vec::new(); target.pending.len()];
    for parts in parts_of(target.run)? {
        let snapshots = Snapshots::read(&parts, target.run, given.teacher.weights.ncols())?;
        // Collected in the order of the snapshots, independent of the order of threads.
        let rows: Vec<Vec<Vec<EstimateRow>>> = (0..snapshots.places.len())
            .into_par_iter()
            .map(|index| of_snapshot(&snapshots, index, target, exact, given))
            .collect();
        for by_table in rows {
            tables.iter_mut().zip(by_table).for_each(|(table, rows)| table.extend(rows));
        }
    }
    let mut counts = (0, 0);
    for ((inputs, work), rows) in target.pending.iter().zip(tables) {
        let table =
            ComputedTable { id: Arc::new(exact.id(*inputs)), quantity: exact.quantity(*inputs), run: target.run };
        let (n_rows, n_failures) = table.write(rows, names, work)?;
        counts = (counts.0 + n_rows, counts.1 + n_failures);
    }
    Ok(counts)
}

/// The rows of every pending table at one snapshot, sorted by layer.
fn of_snapshot(
    snapshots: &Snapshots,
    index: usize,
    target: &ExactTarget<'_>,
    exact: &Exact,
    given: &InputsAndTeacher,
) -> Vec<Vec<EstimateRow>> {
    let mut tables = vec![Vec::new(); target.pending.len()];
    for (layer, weights) in LayerId::above_input().zip(total_weights(snapshots.kernels(index))) {
        let network = LinearNetwork {
            weights: weights.view(),
            input_covariance: given.input_covariance.view(),
            noise_variance: exact.noise_variance,
        };
        let teacher =
            LinearTeacher { weights: given.teacher.weights.view(), noise_variance: given.teacher.noise_variance };
        let i_ty = network.i_ty(&teacher);
        let noise = h_t_given_x(weights.nrows(), exact.noise_variance);
        let h_t = network.i_xt().map(|i_xt| i_xt + noise);
        for (table, (inputs, _)) in tables.iter_mut().zip(&target.pending) {
            let i_xt = match inputs {
                Inputs::All => network.i_xt(),
                part => network.i_subset_t(&given.subset(*part)),
            };
            let place = Place { layer, snapshot: snapshots.places[index] };
            let found = i_xt.and_then(|i_xt| Ok(Found { i_xt, i_ty: i_ty.clone()?, h_t: h_t.clone()? }));
            table.push(place.row(target.run, exact, *inputs, given, found));
        }
    }
    tables
}

/// The keys of a row.
struct Place {
    layer: LayerId,
    /// Epoch and step.
    snapshot: (i32, i64),
}

/// The exact information of a layer.
#[derive(Clone, Copy)]
struct Found {
    /// I(T;X), of some or all of the inputs.
    i_xt: Nats,
    i_ty: Nats,
    h_t: Nats,
}

impl Place {
    fn row(
        &self,
        run: &RecordedRun,
        exact: &Exact,
        inputs: Inputs,
        given: &InputsAndTeacher,
        found: Result<Found, NotPositiveDefinite>,
    ) -> EstimateRow {
        let (found, failure) = match found {
            Ok(found) => (Some(found), None),
            Err(e) => (None, Some(e.to_string())),
        };
        let table = ComputedTable { id: Arc::new(exact.id(inputs)), quantity: exact.quantity(inputs), run };
        EstimateRow {
            i_xt_bits: found.map(|found| found.i_xt.bits()),
            i_ty_bits: found.map(|found| found.i_ty.bits()),
            i_xt_given_y_bits: found.map(|found| (found.i_xt - found.i_ty).bits()),
            h_t_bits: found.map(|found| found.h_t.bits()),
            h_t_given_x_bits: found.map(|found| (found.h_t - found.i_xt).bits()),
            i_ty_ceiling_bits: found.map(|_| given.i_xy.bits()),
            failure,
            ..table.row(self.layer, self.snapshot)
        }
    }
}
