//! Validates files: manifests, hashes, schemas, row counts, order, finite values.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::experiments::{self, is_sweep};
use super::super::lineage::{CurrentEstimates, Depth, Present, expect_current, inputs_of, run_of};
use super::super::{Outcome, Progress, StageError};
use super::experiment_at;
use crate::count::counted;
use crate::estimate_id::{Unit, Values};
use crate::layer_id::LayerId;
use crate::store::schema::{
    CheckRow, EpochRow, EstimateRow, ExperimentRow, GradientRow, LayerRow, MinimalModelRow, OnlineLossRow, Row, RunRow,
    SampleRow, SettingRow, SplitRow, SummaryRow, UnitEstimateRow, WeightMeasureRow, WeightRow, accuracy_problem,
};
use crate::store::{
    ActivationReader, Experiment, Facts, LayerNames, Manifest, RecordedRow, RecordedRun, Recording, RowKeys, RunId,
    manifests, read_rows, read_samples, verified_hash,
};

/// The snapshot of a row: (epoch, step).
type SnapshotPlace = (i32, i64);

/// Reads and checks everything at `path` and stops at the first fault; for a sweep, only the tables over its experiments.
///
/// # Errors
/// The fault, with its location.
pub fn validate(path: &Path, progress: &dyn Progress) -> Result<Outcome, StageError> {
    if path.is_file() {
        return validate_file(path);
    }
    if is_sweep(path) {
        return validate_sweep(path);
    }
    let experiment = experiment_at(path)?;
    let outcome = validate_experiment(&experiment, progress)?;
    validate_derived(experiment.root(), std::slice::from_ref(&experiment))?;
    Ok(Outcome::Done(outcome))
}

/// The tables over the experiments of a sweep; the experiments are validated separately.
fn validate_sweep(root: &Path) -> Result<Outcome, StageError> {
    let members = experiments::rows(root)?.into_iter().map(|row| Experiment::new(root.join(row.experiment)));
    let members: Vec<Experiment> = members.collect();
    validate_derived(root, &members)?;
    // If two experiments were exchanged, the set of all tables is unchanged, so each is compared separately.
    if root.join(Experiment::SUMMARY).exists() {
        expect_current(&Experiment::new(root))?;
    }
    Ok(Outcome::Done(format!("valid: the tables over {}", counted(members.len(), "experiment"))))
}

/// Validates the recording and the estimates of an experiment; returns a description.
fn validate_experiment(experiment: &Experiment, progress: &dyn Progress) -> Result<String, StageError> {
    let recording = Recording::open(experiment)?;
    if recording.is_own() {
        recording.verify_whole()?;
    }
    let n_samples = samples(&experiment.recording().join(Experiment::SAMPLES))?.len();
    LayerNames::read(experiment, &recording)?;
    let layers = recording.layers(Values::Activations)?;
    let values = [Values::Activations, Values::PreActivations];
    for values in
        values.into_iter().filter(|values| recording.runs().iter().any(|run| !run.layers(values.table()).is_empty()))
    {
        recording.expect_same_widths(values)?;
    }
    progress.begin("validate", recording.runs().len() as u64);
    let checked: Vec<Result<u64, StageError>> = recording
        .runs()
        .par_iter()
        .map(|run| {
            let n_rows = validate_run(run, &layers, n_samples);
            progress.advance(1);
            n_rows
        })
        .collect();
    progress.end();
    // The first fault in the order of the runs, independent of the order of threads.
    let n_rows: u64 = checked.into_iter().sum::<Result<u64, _>>()?;
    let n_estimates = validate_estimates(experiment)?;
    let vouched = if recording.is_own() { "all hashes match the manifests" } else { "no manifests to compare with" };
    Ok(format!(
        "valid: {}, {}, {} of values, {} of estimates; {vouched}",
        counted(recording.runs().len(), "run"),
        counted(layers.len(), "layer"),
        counted(n_rows, "row"),
        counted(n_estimates, "table")
    ))
}

fn validate_file(path: &Path) -> Result<Outcome, StageError> {
    let table = Facts::of(path)?.table.unwrap_or_default();
    let n = match table.as_str() {
        SampleRow::TABLE => samples(path)?.len(),
        SplitRow::TABLE => recorded::<SplitRow>(path)?.len(),
        EpochRow::TABLE => fits(path)?.len(),
        LayerRow::TABLE => rows::<LayerRow>(path)?.len(),
        RunRow::TABLE => recorded::<RunRow>(path)?.len(),
        WeightRow::TABLE => recorded::<WeightRow>(path)?.len(),
        GradientRow::TABLE => recorded::<GradientRow>(path)?.len(),
        OnlineLossRow::TABLE => recorded::<OnlineLossRow>(path)?.len(),
        WeightMeasureRow::TABLE => rows::<WeightMeasureRow>(path)?.len(),
        EstimateRow::TABLE => rows::<EstimateRow>(path)?.len(),
        SummaryRow::TABLE => rows::<SummaryRow>(path)?.len(),
        ExperimentRow::TABLE => rows::<ExperimentRow>(path)?.len(),
        SettingRow::TABLE => rows::<SettingRow>(path)?.len(),
        MinimalModelRow::TABLE => rows::<MinimalModelRow>(path)?.len(),
        other => {
            let found = [Values::Activations, Values::PreActivations].into_iter().find(|v| v.table() == other);
            let Some(values) = found else {
                let problem = "not a table of infoplane: its footer has no known `infoplane.table`";
                return Err(StageError::Refused(format!("{}: {problem}", path.display())));
            };
            let reader = ActivationReader::open(&[path.to_owned()], values, &[])?;
            usize::try_from(validate_values(&reader, None)?).unwrap_or(usize::MAX)
        }
    };
    let text = format!("valid table: {} of `{table}`; validate its experiment to compare hashes", counted(n, "row"));
    Ok(Outcome::Done(text))
}

/// All rows of a table; every number must be finite.
fn rows<R: Row>(path: &Path) -> Result<Vec<R>, StageError> {
    finite(path, read_rows(path)?)
}

/// The samples in order; every number must be finite.
fn samples(path: &Path) -> Result<Vec<SampleRow>, StageError> {
    finite(path, read_samples(path)?)
}

/// All rows of a table of a run, without duplicates.
fn recorded<R: RecordedRow>(path: &Path) -> Result<Vec<R>, StageError> {
    let rows = rows::<R>(path)?;
    RowKeys::default().add(path, &rows)?;
    Ok(rows)
}

/// The rows of a table of losses and accuracies; accuracies must be between 0 and 1.
fn fits(path: &Path) -> Result<Vec<EpochRow>, StageError> {
    let rows = recorded::<EpochRow>(path)?;
    for (row, cells) in rows.iter().enumerate() {
        for (column, accuracy) in cells.accuracies() {
            if let Some(problem) = accuracy_problem(accuracy) {
                return Err(fault(path, format!("row {row}, column `{column}` is {accuracy}: {problem}")));
            }
        }
    }
    Ok(rows)
}

fn finite<R: Row>(path: &Path, rows: Vec<R>) -> Result<Vec<R>, StageError> {
    match rows.iter().enumerate().find_map(|(row, cells)| Some((row, cells.not_finite()?))) {
        None => Ok(rows),
        Some((row, column)) => Err(fault(path, format!("row {row}, column `{column}` is not finite"))),
    }
}

fn fault(path: &Path, problem: String) -> StageError {
    StageError::Refused(format!("{}: {problem}", path.display()))
}

/// Checks one run; returns its number of rows of activations.
fn validate_run(run: &RecordedRun, layers: &[LayerId], n_samples: usize) -> Result<u64, StageError> {
    run.verify_all()?;
    let first = run.activations(Values::Activations, layers[0])?;
    let snapshots: Vec<SnapshotPlace> = first.snapshots().collect();
    if snapshots.is_empty() {
        return Err(fault(first.path(), "it has no snapshot".to_owned()));
    }
    let samples = first.read(0)?.samples;
    if samples.len() > n_samples || samples.last().is_some_and(|last| *last as usize >= n_samples) {
        return Err(fault(
            first.path(),
            format!("it has samples that are not in the samples table, which has {n_samples}"),
        ));
    }
    if samples.len() < n_samples && !first.is_partial() {
        let (got, what) = (samples.len(), "without a footer entry `infoplane.samples` for a part of the samples");
        return Err(fault(first.path(), format!("holds {got} of {n_samples} samples, {what}")));
    }
    let mut n_rows = 0;
    for values in [Values::Activations, Values::PreActivations] {
        for layer in run.layers(values.table()) {
            let reader = run.activations(values, layer)?;
            same_snapshots(reader.path(), &reader.snapshots().collect::<Vec<_>>(), &snapshots)?;
            n_rows += validate_values(&reader, Some(&samples))?;
        }
    }
    validate_splits(run, n_samples)?;
    let mut updates = RowKeys::default();
    for path in run.parts(OnlineLossRow::TABLE, None) {
        updates.add(&path, &rows::<OnlineLossRow>(&path)?)?;
    }
    let mut endings = RowKeys::default();
    for path in run.parts(RunRow::TABLE, None) {
        endings.add(&path, &rows::<RunRow>(&path)?)?;
    }
    validate_snapshots(run, None, fits, |row| (row.epoch, row.step), &snapshots)?;
    for layer in run.layers(WeightRow::TABLE) {
        validate_snapshots(run, Some(layer), recorded::<WeightRow>, |row| (row.epoch, row.step), &snapshots)?;
    }
    let mut keys = RowKeys::default();
    for path in run.parts(GradientRow::TABLE, None) {
        let is_recorded = |row: &GradientRow| snapshots.binary_search(&(row.epoch, row.step)).is_ok();
        let rows = rows::<GradientRow>(&path)?;
        keys.add(&path, &rows)?;
        if let Some(row) = rows.iter().find(|row| !is_recorded(row)) {
            let problem = format!("epoch {}, step {} has no activations", row.epoch, row.step);
            return Err(fault(&path, problem));
        }
    }
    Ok(n_rows)
}

/// Every snapshot must be readable and finite, and must have the same samples.
fn validate_values(reader: &ActivationReader, samples: Option<&[i32]>) -> Result<u64, StageError> {
    let mut n_rows = 0;
    for index in 0..reader.snapshots().len() {
        let read = reader.read(index)?;
        let place = format!("epoch {}, step {}", read.epoch, read.step);
        if samples.is_some_and(|samples| samples != read.samples) {
            return Err(fault(reader.path(), format!("{place} has other samples than the run's first snapshot")));
        }
        if let Some(at) = read.t.iter().position(|value| !value.is_finite()) {
            let (sample, unit) = (read.samples[at / reader.n_units()], at % reader.n_units());
            let problem = format!("{place}, sample {sample}, unit {unit} is {}", read.t[at]);
            return Err(fault(reader.path(), problem));
        }
        n_rows += read.samples.len() as u64;
    }
    Ok(n_rows)
}

/// A table must have the snapshots of the activations, part by part.
fn validate_snapshots<R: Row>(
    run: &RecordedRun,
    layer: Option<LayerId>,
    rows: fn(&Path) -> Result<Vec<R>, StageError>,
    snapshot: fn(&R) -> SnapshotPlace,
    want: &[SnapshotPlace],
) -> Result<(), StageError> {
    let parts = run.parts(R::TABLE, layer);
    let mut snapshots = Vec::new();
    for path in &parts {
        snapshots.extend(rows(path)?.iter().map(snapshot));
    }
    parts.first().map_or(Ok(()), |path| same_snapshots(path, &snapshots, want))
}

fn same_snapshots(path: &Path, got: &[SnapshotPlace], want: &[SnapshotPlace]) -> Result<(), StageError> {
    if got == want {
        return Ok(());
    }
    let first = got.iter().zip(want).find(|(got, want)| got != want);
    let problem = match first {
        Some(((epoch, step), (want_epoch, want_step))) => {
            format!("has epoch {epoch}, step {step} where the activations have epoch {want_epoch}, step {want_step}")
        }
        None => format!("has {} snapshots, the activations have {}", got.len(), want.len()),
    };
    Err(fault(path, problem))
}

fn validate_splits(run: &RecordedRun, n_samples: usize) -> Result<(), StageError> {
    for path in run.parts(SplitRow::TABLE, None) {
        let rows = recorded::<SplitRow>(&path)?;
        if let Some((row, want)) = rows.iter().zip(0..).find(|(row, want)| row.sample != *want) {
            return Err(fault(
                &path,
                format!("samples must be 0, 1, 2, … in order; got {} in place of {want}", row.sample),
            ));
        }
        if rows.len() != n_samples {
            return Err(fault(&path, format!("has {} samples, the samples table {n_samples}", rows.len())));
        }
        if let Some(row) = rows.iter().find(|row| !["train", "test"].contains(&row.split.as_str())) {
            return Err(fault(&path, format!("sample {}: split `{}`; known: `train`, `test`", row.sample, row.split)));
        }
    }
    Ok(())
}

/// Checks the estimates of an experiment; returns the number of tables.
fn validate_estimates(experiment: &Experiment) -> Result<usize, StageError> {
    let of_layers = validate_tables(experiment, experiment.estimate_files()?, |row: &EstimateRow| {
        (row.estimator.to_string(), row.run.clone())
    })?;
    let of_units = validate_tables(experiment, experiment.unit_estimate_files()?, |row: &UnitEstimateRow| {
        (row.estimator.to_string(), row.run.clone())
    })?;
    let of_weights = validate_tables(experiment, experiment.weight_measure_files()?, |row: &WeightMeasureRow| {
        let name = [Some(row.measure.as_str()), row.settings.as_deref()];
        let run = if RunId::is_pooled(&row.run) { RunId::pooled().to_string() } else { row.run.clone() };
        (name.into_iter().flatten().collect::<Vec<_>>().join("-"), run)
    })?;
    let [layers, units] = [Unit::Layers, Unit::Units].map(|unit| CurrentEstimates::read(experiment, unit));
    for current in [layers, units, CurrentEstimates::of_weights(experiment)] {
        if let Some((_, sentence)) = current?.left_out.into_iter().next() {
            return Err(StageError::Refused(sentence));
        }
    }
    Ok(of_layers + of_units + of_weights)
}

fn validate_tables<R: Row>(
    experiment: &Experiment,
    tables: Vec<(String, Vec<PathBuf>)>,
    place: fn(&R) -> (String, String),
) -> Result<usize, StageError> {
    let mut n_tables = 0;
    for (estimator, files) in tables {
        for path in files {
            experiment.verified_estimates(&path)?;
            let here = (estimator.clone(), run_of(&path));
            if let Some((estimator, run)) = rows::<R>(&path)?.iter().map(place).find(|place| *place != here) {
                return Err(fault(&path, format!("it has estimates of {run} with {estimator}")));
            }
            n_tables += 1;
        }
    }
    Ok(n_tables)
}

/// Summary, verdicts and figures must match their manifests, and must be made from the present tables of `root` and the present
/// recordings and estimates of `members`.
fn validate_derived(root: &Path, members: &[Experiment]) -> Result<(), StageError> {
    let present = Present::of(members, root, Depth::Everything)?;
    for path in manifests(root)? {
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        for file in Manifest::read(&path)?.map_or(Vec::new(), |manifest| manifest.files) {
            verified_hash(root, &name, &file.path)?;
        }
        // Files without inputs, such as the list of the experiments of a sweep, have no inputs in their manifest.
        if !inputs_of(root, &name)?.is_empty() && !present.has_inputs_of(root, &name)? {
            let problem = "its files were made from tables that were changed or removed since; run the command that made them again";
            return Err(fault(&path, problem.to_owned()));
        }
    }
    let summary = root.join(Experiment::SUMMARY);
    if summary.exists() {
        rows::<SummaryRow>(&summary)?;
    }
    let checks = root.join(Experiment::CHECKS);
    if checks.exists() {
        rows::<CheckRow>(&checks)?;
    }
    Ok(())
}
