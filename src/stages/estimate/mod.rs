//! The estimate stage: recorded activations → tables of I(X;T) and I(T;Y), any time after the recording.

mod plan;
mod pools;
mod snapshots;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;

use super::{Failures, Outcome, Progress, StageError};
use crate::config::Request;
use crate::estimate_id::{Pool, Values};
use crate::estimators::RangeOver;
use crate::sample::Range;
use crate::store::{Experiment, Lock};
use plan::EstimateTarget;
pub use plan::plan;
use snapshots::{OpenRun, Recorded, Runs};
use tables::TargetTables;

/// Makes what `requests` ask of `experiment` and what is not there yet. The tables go to `<out>/estimates` and
/// `<out>/unit_estimates`. A recorded snapshot is read once for all estimators that do not pool, once more for each way of
/// pooling, and once before for a range over the run.
///
/// # Errors
/// There is no recording, a file is not what was written, or runs, layers or samples do not belong together.
pub fn estimate(
    experiment: &Experiment,
    requests: &[Request],
    out: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    if experiment.is_unfinished() {
        tracing::warn!("{} is unfinished: only its whole runs are estimated", experiment.recording().display());
    }
    let recorded = Recorded::open(experiment)?;
    let out = Experiment::new(out);
    // Different estimators may be at work at the same time, as under `make -j`; sorted, so that two calls with several of
    // them cannot wait for each other.
    let hashes = plan::Hashes::of(&recorded, requests)?;
    let pending = plan::targets(&recorded, &hashes, requests, &out)?;
    if pending.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    let runs = Runs::read(&recorded)?;
    plan::expect_pools(&runs, &pending)?;
    let names = plan::names(&pending);
    let _locks = names.iter().map(|(root, id)| Lock::named(root, id)).collect::<Result<Vec<_>, _>>()?;
    // Another call may have made some of them while this one waited.
    let targets = plan::targets(&recorded, &hashes, requests, &out)?;
    if targets.is_empty() {
        return Ok(Outcome::UpToDate);
    }

    let n_snapshots = runs.n_snapshots()?;
    progress.begin("estimate", targets.iter().map(|target| target.work(n_snapshots)).sum());
    let mut all_runs = BTreeMap::new();
    for values in [Values::Activations, Values::PreActivations] {
        let of_values =
            targets.iter().flat_map(|target| &target.pending).filter(|work| work.request.id.values == values);
        if plan::needs(of_values, RangeOver::AllRuns) {
            all_runs.insert(values, runs.range_of_all(values)?);
        }
    }
    let done: Vec<Result<(usize, usize), StageError>> =
        targets.par_iter().map(|target| make(&runs, target, &all_runs, progress)).collect();
    progress.end();
    // Of several errors that of the first run, whichever thread was faster.
    let done: Vec<(usize, usize)> = done.into_iter().collect::<Result<_, _>>()?;
    let (n_estimates, n_failures) = done.into_iter().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    let seconds = start.elapsed().as_secs_f64();
    let text = format!("{n_estimates} estimates in {seconds:.1} s → {}", out.root().display());
    Ok(Outcome::done(text, Failures::of_estimates(n_failures)))
}

/// Makes the pending tables of one run, or of all runs pooled; returns how many estimates there are and how many failed.
fn make(
    runs: &Runs<'_>,
    target: &EstimateTarget<'_>,
    all_runs: &BTreeMap<Values, Range>,
    progress: &dyn Progress,
) -> Result<(usize, usize), StageError> {
    let mut counts = (0, 0);
    for ((values, pool), pending) in target.by_reading() {
        let open = |run: &usize| runs.open_run(*run, values);
        let open: Vec<OpenRun<'_>> = target.runs.iter().map(open).collect::<Result<_, _>>()?;
        let of_run = match plan::needs(pending.iter().copied(), RangeOver::Run) {
            true => Some(snapshots::range(&open)?),
            false => None,
        };
        let groups = pools::groups(&open, pool)?;
        let ranges = (of_run, all_runs.get(&values).copied());
        let tables = TargetTables::new(runs, &open, &target.id, &pending, &groups, ranges)?;
        // Collected in the order of the snapshots, whichever thread does them; of several errors that of the first.
        let by_group: Vec<Result<_, StageError>> = groups
            .par_iter()
            .map(|group| {
                let rows = tables.estimate(group)?;
                let n_snapshots = if pool == Pool::Runs { 1 } else { group.parts.len() };
                progress.advance((pending.len() * n_snapshots) as u64);
                Ok(rows)
            })
            .collect();
        let (n_rows, n_failed) = tables.write(by_group.into_iter().collect::<Result<_, _>>()?)?;
        counts = (counts.0 + n_rows, counts.1 + n_failed);
    }
    tracing::debug!(run = %target.id, tables = target.pending.len(), "estimated");
    Ok(counts)
}
