//! The plan: which tables of which runs do not exist yet.

use std::path::Path;

use serde_json::json;

use super::super::{PlannedTables, StageError, trainings};
use crate::config::MeasureRequest;
use crate::store::schema::{OnlineLossRow, Row, SplitRow, VERSION, WeightRow};
use crate::store::{Experiment, Pending, RecordedRun, Recording, RunId, StoreError, believed_hash};
use crate::weights::Measure;

/// One run, or all runs together, with its missing tables.
pub(super) struct MeasureTarget<'a> {
    /// The name of its tables.
    pub(super) id: RunId,
    /// The numbers of its runs.
    pub(super) runs: Vec<usize>,
    /// The tables that are not there yet.
    pub(super) work: Vec<MeasureWork<'a>>,
}

/// A table to make.
pub(super) struct MeasureWork<'a> {
    pub(super) request: &'a MeasureRequest,
    pub(super) pending: Pending,
}

/// What [`super::measure_weights`] would do, without doing it.
///
/// # Errors
/// There is no recording, or it cannot be read.
pub fn plan(
    experiment: &Experiment,
    requests: &[MeasureRequest],
    out: &Path,
) -> Result<Vec<PlannedTables>, StageError> {
    let (recording, out) = (Recording::open(experiment)?, Experiment::new(out));
    let targets = targets(experiment, &recording, requests, &out)?;
    let planned = |request: &MeasureRequest| {
        let n = if is_pooled(request) { 1 } else { recording.runs().len() };
        let is_of = |work: &&MeasureWork<'_>| std::ptr::eq(work.request, request);
        let n_pending = targets.iter().flat_map(|target| &target.work).filter(is_of).count();
        PlannedTables {
            folder: out.weight_measures().join(&request.id),
            quantity: request.spec.summary.to_owned(),
            n_pending,
            n_done: n - n_pending,
        }
    };
    Ok(requests.iter().map(planned).collect())
}

fn is_pooled(request: &MeasureRequest) -> bool {
    matches!(request.measure.as_ref(), Measure::OfRuns(_))
}

/// The runs with missing tables.
pub(super) fn targets<'a>(
    experiment: &Experiment,
    recording: &Recording,
    requests: &'a [MeasureRequest],
    out: &Experiment,
) -> Result<Vec<MeasureTarget<'a>>, StageError> {
    let runs = recording.runs();
    let samples = believed_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?;
    let weights: Vec<Vec<String>> = runs.iter().map(weights).collect::<Result<_, _>>()?;
    let of_table = |table: &'static str| runs.iter().map(|run| run.hashes(table, None)).collect::<Result<Vec<_>, _>>();
    let (splits, losses) = (of_table(SplitRow::TABLE)?, of_table(OnlineLossRow::TABLE)?);
    let by_itself = |index: usize| (runs[index].id.clone(), vec![index]);
    // The last snapshot of a failed training cannot be compared with the end of others.
    let failed = trainings::of(recording)?.unwrap_or_default().failed;
    let has_ended = |index: &usize| !failed.contains_key(&runs[*index].id.to_string());
    let pooled = (RunId::pooled(), (0..runs.len()).filter(has_ended).collect());
    let mut targets = Vec::new();
    for (id, indices) in (0..runs.len()).map(by_itself).chain([pooled]) {
        let mut work = Vec::new();
        for request in requests.iter().filter(|request| is_pooled(request) == (id == RunId::pooled())) {
            let chosen = |by_run: &[Vec<String>]| -> Vec<String> {
                indices.iter().flat_map(|index| &by_run[*index]).cloned().collect()
            };
            let made_from = json!({
                "measure": request.id,
                "weights": chosen(&weights),
                "splits": chosen(&splits),
                "online_losses": chosen(&losses),
                "samples": samples,
                "recording": runs.first().and_then(RecordedRun::settings),
                "schema": VERSION,
            });
            let name = Experiment::weight_measure_manifest(&request.id, &id.to_string());
            let pending = Pending::new(out.root(), &name, &made_from);
            if pending.finished()?.is_none() {
                work.push(MeasureWork { request, pending });
            }
        }
        if !work.is_empty() {
            targets.push(MeasureTarget { id, runs: indices, work });
        }
    }
    Ok(targets)
}

/// The hashes of the weights of every layer, ascending.
fn weights(run: &RecordedRun) -> Result<Vec<String>, StoreError> {
    let of_layer = run.layers(WeightRow::TABLE).into_iter().map(|layer| run.hashes(WeightRow::TABLE, Some(layer)));
    Ok(of_layer.collect::<Result<Vec<_>, _>>()?.concat())
}
