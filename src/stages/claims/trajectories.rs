//! The data of a claim: the curve of a quantity over the training, in every run and layer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::lineage::CurrentEstimates;
use super::super::measured::rows_of_quantity;
use super::super::{StageError, keys};
use crate::config::Pipeline;
use crate::config::expect::Quantity;
use crate::estimate_id::Unit;
use crate::layer_id::LayerId;
use crate::store::quantities::Getter;
use crate::store::schema::{
    BoundLayerRow, EpochRow, EstimateRow, GradientRow, RunRow, WeightMeasureRow, accuracy_problem,
};
use crate::store::{
    Experiment, LayerNames, RecordedRow, Recording, StoreError, TrainingOutcome, read_all_rows, read_recorded,
    read_rows, verified_hash,
};

/// The curve of one run and layer over the training, or the reason why a value is missing: without it, the start, peak and end
/// are unknown.
pub(super) type Trajectory = Result<TrajectoryValues, String>;

/// Numbers over the training.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct TrajectoryValues {
    /// The epoch and the number of each snapshot, in the order of the training.
    pub(super) numbers: Vec<(i32, f64)>,
    /// Warnings about values, by their position in the curve.
    pub(super) warnings: BTreeMap<usize, String>,
}

/// The value of a row, no value, or the reason why there is none.
type EpochNumber = Result<Option<f64>, String>;

/// A step, its epoch, the measured value, and its warning.
type SnapshotNumber = (i64, i32, EpochNumber, Option<Arc<str>>);

/// The run, layer, epoch, step and value of a row.
type TrajectoryRow = (String, Option<LayerId>, i32, i64, EpochNumber);

/// A quantity in every run and layer, if it belongs to layers.
pub(super) type TrajectoriesByPlace = BTreeMap<(String, Option<LayerId>), Trajectory>;

/// The curves of a quantity, or the reason why there are none.
pub(super) type Trajectories = Result<TrajectoriesByPlace, String>;

/// The tables of an experiment, each read when the first claim looks into it.
#[derive(Debug)]
pub(in super::super) struct ClaimTables<'a> {
    experiment: &'a Experiment,
    pipeline: &'a Pipeline,
    recording: Result<Recording, String>,
    pub(in super::super) names: LayerNames,
    /// All runs of the recording; none if there is no recording.
    pub(super) runs: Vec<String>,
    /// Runs whose training failed, so their last snapshot is not the end of a training.
    pub(in super::super) failed: BTreeSet<String>,
    estimates: BTreeMap<String, Vec<EstimateRow>>,
    /// Paths and hashes of the tables of each estimate.
    estimate_files: BTreeMap<String, Vec<(String, String)>>,
    weights: BTreeMap<String, Vec<WeightMeasureRow>>,
    epochs: Option<BTreeMap<String, Vec<EpochRow>>>,
    gradients: Option<BTreeMap<String, Vec<GradientRow>>>,
    /// Hashes of all tables that were read.
    pub(in super::super) hashes: BTreeSet<String>,
}

impl<'a> ClaimTables<'a> {
    pub(in super::super) fn open(pipeline: &'a Pipeline, experiment: &'a Experiment) -> Result<Self, StageError> {
        let recording = match Recording::open(experiment) {
            Err(StoreError::Missing { problem, .. }) => Err(problem),
            recording => Ok(recording?),
        };
        let names = recording.as_ref().map(|recording| LayerNames::read(experiment, recording));
        let mut tables = Self {
            experiment,
            pipeline,
            names: names.unwrap_or_else(|_| Ok(LayerNames::default()))?,
            recording,
            runs: Vec::new(),
            failed: BTreeSet::new(),
            estimates: BTreeMap::new(),
            estimate_files: BTreeMap::new(),
            weights: BTreeMap::new(),
            epochs: None,
            gradients: None,
            hashes: BTreeSet::new(),
        };
        for (run, rows) in tables.of_runs::<RunRow>()?.unwrap_or_default() {
            tables.runs.push(run.clone());
            if rows.iter().any(|row| row.outcome == TrainingOutcome::Failed) {
                tables.failed.insert(run);
            }
        }
        Ok(tables)
    }

    /// The recorded tables, for stages that need a recording.
    pub(in super::super) fn expect_recording(&self) -> Result<(), StageError> {
        self.recording.as_ref().map(drop).map_err(|problem| StageError::Refused(problem.clone()))
    }

    pub(super) fn trajectories(&mut self, quantity: &Quantity) -> Result<Trajectories, StageError> {
        match quantity {
            Quantity::Estimated { estimate, column } => self.estimated(estimate, column),
            Quantity::Fit(column) => self.fits(column),
            Quantity::Gradient { column, over } => self.gradients(column, over.as_deref()),
            Quantity::Bound(column) => self.bound(column),
            Quantity::Weights { measure, quantity } => self.weights(measure, quantity.name),
        }
    }

    /// The description of an estimate, if it was read.
    pub(super) fn quantity_of(&self, quantity: &Quantity) -> Option<String> {
        let Quantity::Estimated { estimate, .. } = quantity else { return None };
        self.estimates.get(estimate)?.first()?.quantity.clone()
    }

    /// Paths and hashes of the tables that were read, if the quantity is an estimate.
    pub(in super::super) fn estimate_files(&self, quantity: &Quantity) -> &[(String, String)] {
        let Quantity::Estimated { estimate, .. } = quantity else { return &[] };
        self.estimate_files.get(estimate).map_or(&[], Vec::as_slice)
    }

    fn estimated(&mut self, estimate: &str, column: &Getter<EstimateRow>) -> Result<Trajectories, StageError> {
        if !self.estimates.contains_key(estimate) {
            let CurrentEstimates { tables, left_out } = CurrentEstimates::read(self.experiment, Unit::Layers)?;
            let Some((_, paths)) = tables.into_iter().find(|(name, _)| name == estimate) else {
                let why = left_out.into_iter().find(|(name, _)| name == estimate).map(|(_, sentence)| sentence);
                return Ok(Err(
                    why.unwrap_or_else(|| format!("there are no estimates `{estimate}`; run the pipeline again"))
                ));
            };
            let files = paths.iter().map(|path| self.experiment.verified_estimates(path));
            let files = files.collect::<Result<Vec<_>, StoreError>>()?;
            self.hashes.extend(files.iter().map(|(_, hash)| hash.clone()));
            self.estimate_files.insert(estimate.to_owned(), files);
            self.estimates.insert(estimate.to_owned(), read_all_rows(&paths)?);
        }
        let value = |row: &EstimateRow| match &row.failure {
            Some(failure) => Err(format!("epoch {}: {failure}", row.epoch)),
            None => Ok((column.get)(row)),
        };
        let rows = &self.estimates[estimate];
        Ok(Ok(collect(rows.iter().map(|row| (row.run.clone(), Some(row.layer), row.epoch, row.step, value(row))))))
    }

    fn weights(&mut self, measure: &str, quantity: &str) -> Result<Trajectories, StageError> {
        if !self.weights.contains_key(measure) {
            let CurrentEstimates { tables, left_out } = CurrentEstimates::of_weights(self.experiment)?;
            let Some((_, paths)) = tables.into_iter().find(|(name, _)| name == measure) else {
                let why = left_out.into_iter().find(|(name, _)| name == measure).map(|(_, sentence)| sentence);
                return Ok(Err(
                    why.unwrap_or_else(|| format!("there are no measures `{measure}`; run the pipeline again"))
                ));
            };
            for path in &paths {
                self.hashes.insert(self.experiment.verified_estimates(path)?.1);
            }
            self.weights.insert(measure.to_owned(), read_all_rows(&paths)?);
        }
        let value = |row: &WeightMeasureRow| match &row.failure {
            Some(failure) => Err(format!("epoch {}: {failure}", row.epoch)),
            None => Ok(row.value),
        };
        let rows = rows_of_quantity(&self.weights[measure], quantity)
            .into_iter()
            .map(|(layer, row)| ((row.run.clone(), layer, row.epoch, row.step, value(row)), row.warning.clone()));
        Ok(Ok(collect_with_warnings(rows)))
    }

    fn fits(&mut self, column: &Getter<EpochRow>) -> Result<Trajectories, StageError> {
        if self.epochs.is_none() {
            match self.of_runs::<EpochRow>()? {
                Ok(runs) => self.epochs = Some(runs),
                Err(problem) => return Ok(Err(problem)),
            }
        }
        let rows = self.epochs.iter().flatten().flat_map(|(run, rows)| rows.iter().map(move |row| (run, row)));
        let value = |row: &EpochRow| {
            let problem =
                row.accuracies().find(|(name, _)| *name == column.name).and_then(|(_, a)| accuracy_problem(a));
            problem.map_or_else(
                || Ok((column.get)(row)),
                |problem| Err(format!("epoch {}: the recorded accuracy {problem}", row.epoch)),
            )
        };
        Ok(Ok(collect(rows.map(|(run, row)| (run.clone(), None, row.epoch, row.step, value(row))))))
    }

    fn gradients(&mut self, column: &Getter<GradientRow>, over: Option<&str>) -> Result<Trajectories, StageError> {
        if self.gradients.is_none() {
            match self.of_runs::<GradientRow>()? {
                Ok(runs) => self.gradients = Some(runs),
                Err(problem) => return Ok(Err(problem)),
            }
        }
        let runs = self.gradients.as_ref().into_iter().flatten();
        // Files of version 1 have one kind of gradients, without a name.
        let kind = |row: &GradientRow| row.gradients_over.clone().unwrap_or_else(|| "after_step".to_owned());
        let Some(first) = runs.clone().flat_map(|(_, rows)| rows).next().map(kind) else {
            return Ok(Err("no gradients are recorded".to_owned()));
        };
        let over = over.unwrap_or(&first);
        let rows = runs.flat_map(|(run, rows)| rows.iter().map(move |row| (run, row)));
        let chosen = rows.filter(|(_, row)| kind(row) == over);
        Ok(Ok(collect(
            chosen.map(|(run, row)| (run.clone(), Some(row.layer), row.epoch, row.step, Ok((column.get)(row)))),
        )))
    }

    fn bound(&mut self, column: &Getter<BoundLayerRow>) -> Result<Trajectories, StageError> {
        let recording = match &self.recording {
            Ok(recording) => recording,
            Err(problem) => return Ok(Err(problem.clone())),
        };
        let root = self.experiment.root();
        let path = root.join(Experiment::BOUND_LAYERS);
        let request = self.pipeline.bound.as_ref();
        let work = request.map(|request| keys::bound(self.experiment, recording, request, root)).transpose()?;
        if work.map_or(Ok(None), |work| work.finished())?.is_none() {
            return Ok(Err(
                "there is no bound for this recording and this `[bound]`; run `infoplane bound` first".to_owned()
            ));
        }
        self.hashes.insert(verified_hash(self.experiment.root(), "bound", Experiment::BOUND_LAYERS)?);
        let value = |row: &BoundLayerRow| match (column.get)(row) {
            None => Err(row.failure.clone().unwrap_or_else(|| "no reason is given".to_owned())),
            number => Ok(number),
        };
        let rows: Vec<BoundLayerRow> = read_rows(&path)?;
        Ok(Ok(collect(rows.iter().map(|row| (row.run.clone(), Some(row.layer), row.epoch, row.step, value(row))))))
    }

    /// The rows of a table that has files for every run.
    fn of_runs<R: RecordedRow>(&mut self) -> Result<Result<BTreeMap<String, Vec<R>>, String>, StageError> {
        let recording = match &self.recording {
            Ok(recording) => recording,
            Err(problem) => return Ok(Err(problem.clone())),
        };
        let mut runs = BTreeMap::new();
        for run in recording.all_runs() {
            self.hashes.extend(run.verify(R::TABLE, None)?);
            runs.insert(run.id.to_string(), read_recorded(&run.parts(R::TABLE, None))?);
        }
        Ok(Ok(runs))
    }
}

/// Rows as curves.
fn collect(rows: impl Iterator<Item = TrajectoryRow>) -> TrajectoriesByPlace {
    collect_with_warnings(rows.map(|row| (row, None)))
}

/// Rows with their warnings, as curves.
fn collect_with_warnings(rows: impl Iterator<Item = (TrajectoryRow, Option<Arc<str>>)>) -> TrajectoriesByPlace {
    let mut trajectories: BTreeMap<(String, Option<LayerId>), Vec<SnapshotNumber>> = BTreeMap::new();
    for ((run, layer, epoch, step, number), warning) in rows {
        trajectories.entry((run, layer)).or_default().push((step, epoch, number, warning));
    }
    trajectories.into_iter().map(|(place, rows)| (place, in_order(rows))).collect()
}

fn in_order(mut rows: Vec<SnapshotNumber>) -> Trajectory {
    rows.sort_by_key(|(step, ..)| *step);
    let mut trajectory = TrajectoryValues::default();
    let mut without = None;
    for (_, epoch, number, warning) in rows {
        let Some(number) = number? else {
            without = without.or(Some(epoch));
            continue;
        };
        if let Some(warning) = warning {
            trajectory.warnings.insert(trajectory.numbers.len(), warning.to_string());
        }
        trajectory.numbers.push((epoch, number));
    }
    match without {
        Some(epoch) if !trajectory.numbers.is_empty() => Err(format!("epoch {epoch} has no value")),
        _ => Ok(trajectory),
    }
}
