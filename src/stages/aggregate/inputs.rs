//! The inputs of a summary: the tables of every experiment, verified with their hashes.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::lineage::CurrentEstimates;
use super::super::trainings::{self, Trainings};
use super::super::{StageError, lineage};
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::{CheckRow, EpochRow, GradientRow, Row, RunRow, WeightRow, accuracy_problem};
use crate::store::{Experiment, Manifest, RecordedRun, Recording, RunId, StoreError, read_rows, verified_hash};

/// The tables of one experiment.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) experiment: Experiment,
    /// Every estimator, with its table of each run.
    pub(super) estimators: Vec<Estimated>,
    /// Every measure of weights, with its tables.
    pub(super) measures: Vec<(String, Vec<PathBuf>)>,
    /// Losses and accuracies of every run that has them.
    pub(super) epochs: Vec<TableFiles>,
    /// Gradients of every run that has them.
    pub(super) gradients: Vec<TableFiles>,
    /// Weights by layer, if there are no gradients with the norms of the weights.
    pub(super) weights: Vec<(LayerId, TableFiles)>,
    /// Whether there are verdicts of `infoplane check`.
    pub(super) is_checked: bool,
    /// How the trainings ended, if the recording has this information.
    pub(super) trainings: Option<Trainings>,
    /// Path and hash of every file.
    pub(super) hashes: Vec<(String, String)>,
}

/// The tables of one estimator.
#[derive(Debug)]
pub(super) struct Estimated {
    pub(super) estimator: Arc<EstimateId>,
    /// The run of each table, and the table.
    pub(super) tables: Vec<(String, PathBuf)>,
    /// Whether the verdicts are about the present tables.
    pub(super) is_checked: bool,
}

/// The files of one table of one run.
#[derive(Debug)]
pub(super) struct TableFiles {
    pub(super) run: String,
    pub(super) paths: Vec<PathBuf>,
}

/// The inputs of all `experiments`.
///
/// # Errors
/// Two experiments have the same name, an experiment has no estimates, or a file does not match its hash.
pub(super) fn of(experiments: &[Experiment]) -> Result<Vec<Input>, StageError> {
    let mut names: Vec<String> = experiments.iter().map(Experiment::name).collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let problem = format!("two experiments are called `{}`; rename the folder of one of them", pair[0]);
        return Err(StageError::Refused(problem));
    }
    experiments.iter().map(input).collect()
}

fn input(experiment: &Experiment) -> Result<Input, StageError> {
    let by_estimator = CurrentEstimates::expect(experiment)?;
    let recording = lineage::recording(experiment)?;
    let runs = recording.as_ref().map_or(&[][..], Recording::runs);
    warn_of_missing_estimates(runs.len(), &by_estimator);

    let mut hashes = Vec::new();
    for run in recording.iter().flat_map(Recording::all_runs) {
        hashes.extend(run.verify(RunRow::TABLE, None)?.into_iter().map(|hash| ("runs".to_owned(), hash)));
    }
    let epochs = parts::<EpochRow>(runs, None, &mut hashes)?;
    warn_of_accuracies(&epochs)?;
    let gradients = parts::<GradientRow>(runs, None, &mut hashes)?;
    let mut weights = Vec::new();
    if gradients.is_empty() {
        let layers: std::collections::BTreeSet<LayerId> =
            runs.iter().flat_map(|run| run.layers(WeightRow::TABLE)).collect();
        for layer in layers {
            let parts = parts::<WeightRow>(runs, Some(layer), &mut hashes)?;
            weights.extend(parts.into_iter().map(|parts| (layer, parts)));
        }
    }
    let checked = checked_tables(experiment, &mut hashes)?;
    let mut estimators = Vec::new();
    for (estimator, paths) in by_estimator {
        let mut is_checked = checked.is_some();
        let mut tables = Vec::new();
        for path in paths {
            let (relative, hash) = experiment.verified_estimates(&path)?;
            is_checked &= checked.as_ref().is_some_and(|checked| checked.contains(&hash));
            hashes.push((relative, hash));
            tables.push((lineage::run_of(&path), path));
        }
        let estimator = Arc::new(EstimateId::of_table(&estimator));
        estimators.push(Estimated { estimator, tables, is_checked });
    }
    let CurrentEstimates { tables: measures, left_out } = CurrentEstimates::of_weights(experiment)?;
    left_out.iter().for_each(|(_, sentence)| tracing::warn!("{sentence}"));
    for path in measures.iter().flat_map(|(_, paths)| paths) {
        hashes.push(experiment.verified_estimates(path)?);
    }
    let trainings = recording.as_ref().map_or(Ok(None), trainings::of)?;
    let is_checked = checked.is_some();
    let experiment = experiment.clone();
    Ok(Input { experiment, estimators, measures, epochs, gradients, weights, is_checked, trainings, hashes })
}

/// The hashes of the tables that `infoplane check` has checked, if it was called.
fn checked_tables(
    experiment: &Experiment,
    hashes: &mut Vec<(String, String)>,
) -> Result<Option<Vec<String>>, StoreError> {
    if !experiment.root().join(Experiment::CHECKS).exists() {
        return Ok(None);
    }
    hashes.push((CheckRow::TABLE.to_owned(), verified_hash(experiment.root(), "checks", Experiment::CHECKS)?));
    let manifest = Manifest::read(&experiment.root().join(".meta/checks.json"))?;
    let tables = manifest.and_then(|manifest| manifest.made_from["tables"].as_array().cloned()).unwrap_or_default();
    Ok(Some(tables.iter().filter_map(|hash| Some(hash.as_str()?.to_owned())).collect()))
}

/// Estimates of some runs only, as after a stage that was stopped.
fn warn_of_missing_estimates(n_runs: usize, by_estimator: &[(String, Vec<PathBuf>)]) {
    for (estimator, files) in by_estimator.iter().filter(|(_, files)| files.len() < n_runs && !is_pooled(files)) {
        let n = files.len();
        tracing::warn!("{estimator} has estimates of {n} of {n_runs} recorded runs; run `infoplane estimate` again");
    }
}

/// Whether the only table is of all runs pooled.
fn is_pooled(files: &[PathBuf]) -> bool {
    let name = format!("run={}.parquet", RunId::pooled());
    files.iter().any(|file| file.ends_with(&name))
}

/// The files of a table of every run that has some, and their hashes.
fn parts<R: Row>(
    runs: &[RecordedRun],
    layer: Option<LayerId>,
    hashes: &mut Vec<(String, String)>,
) -> Result<Vec<TableFiles>, StoreError> {
    let mut found = Vec::new();
    for run in runs {
        let paths = run.parts(R::TABLE, layer);
        if !paths.is_empty() {
            let place = format!("{} of {}", R::TABLE, run.id);
            hashes.extend(run.verify(R::TABLE, layer)?.into_iter().map(|hash| (place.clone(), hash)));
            found.push(TableFiles { run: run.id.to_string(), paths });
        }
    }
    Ok(found)
}

/// Accuracies that are not between 0 and 1 are aggregated unchanged, with one warning.
fn warn_of_accuracies(epochs: &[TableFiles]) -> Result<(), StoreError> {
    let problem = |(column, accuracy)| Some((column, accuracy, accuracy_problem(accuracy)?));
    for path in epochs.iter().flat_map(|parts| &parts.paths) {
        let rows: Vec<EpochRow> = read_rows(path)?;
        if let Some((column, accuracy, problem)) = rows.iter().flat_map(EpochRow::accuracies).find_map(problem) {
            tracing::warn!("{}, column `{column}` holds {accuracy}: {problem}", path.display());
            break;
        }
    }
    Ok(())
}
