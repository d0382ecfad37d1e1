//! The estimate stage: recorded activations → tables of I(X;T) and I(T;Y), any time after the recording.

mod batches;
mod plan;
mod pools;
mod predictions;
mod resamples;
mod shape;
mod snapshots;
mod table;
mod tables;
mod tally;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;

use super::{Failures, Outcome, Progress, StageError};
use crate::config::{Request, recorded_bounds};
use crate::count::counted;
use crate::estimate_id::{Pool, Values};
use crate::estimators::{RangeOver, ValueBounds};
use crate::sample::Range;
use crate::store::{Experiment, Lock, Manifest, move_earlier_manifests};
use plan::EstimateTarget;
pub use plan::plan;
use snapshots::{OpenRun, Recorded, Runs};
use tables::TargetTables;
use tally::Tally;

/// What the settings of the recordings of `experiments` say of their activations, together: nothing where one of them is of
/// another program. One that cannot be read has no say, and no estimates.
pub fn value_bounds(experiments: &[Experiment]) -> ValueBounds {
    let of_recording = |experiment: &Experiment| {
        let claim = Manifest::read(&experiment.recording().join(".meta/settings.json")).ok()?;
        Some(claim.map_or(ValueBounds::Unknown, |claim| recorded_bounds(&claim.made_from["run"])))
    };
    experiments.iter().filter_map(of_recording).reduce(ValueBounds::and).unwrap_or(ValueBounds::Unknown)
}

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
    recorded.expect_same_widths(requests)?;
    let runs = Runs::read(&recorded)?;
    let n_pooled = plan::expect_pools(&runs, &pending)?;
    let names = plan::locks(&pending);
    let _locks = names.iter().map(|name| Lock::named(out.root(), name)).collect::<Result<Vec<_>, _>>()?;
    move_earlier_manifests(&out)?;
    // Another call may have made some of them while this one waited.
    let targets = plan::targets(&recorded, &hashes, requests, &out)?;
    if targets.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    let order = if pools::fits(n_pooled.saturating_mul(rayon::current_num_threads())) {
        Order::Parallel
    } else {
        Order::OneByOne
    };

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
    let done: Vec<Result<Tally, StageError>> =
        order.map(&targets, |target| make(&runs, target, &all_runs, order, progress));
    progress.end();
    // Of several errors that of the first run, whichever thread was faster.
    let done: Vec<Tally> = done.into_iter().collect::<Result<_, _>>()?;
    let tally = done.into_iter().fold(Tally::default(), Tally::and);
    let seconds = start.elapsed().as_secs_f64();
    let text = format!("{} in {seconds:.1} s → {}", counted(tally.n_rows, "estimate"), out.root().display());
    for warning in tally.warnings() {
        tracing::warn!("{}: {warning}", out.name());
    }
    Ok(Outcome::done(text, Failures::of_estimates(tally.n_failed)))
}

/// Whether pieces of work are done side by side, or one after the other because the values of several do not fit into memory.
#[derive(Debug, Clone, Copy)]
enum Order {
    Parallel,
    OneByOne,
}

impl Order {
    /// What comes of `work` for each of `items`, in their order.
    fn map<T: Sync, R: Send>(self, items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
        match self {
            Self::Parallel => items.par_iter().map(work).collect(),
            Self::OneByOne => items.iter().map(work).collect(),
        }
    }
}

/// Makes the pending tables of one run, or of all runs pooled; returns what they come to.
fn make(
    runs: &Runs<'_>,
    target: &EstimateTarget<'_>,
    all_runs: &BTreeMap<Values, Range>,
    order: Order,
    progress: &dyn Progress,
) -> Result<Tally, StageError> {
    let mut tally = Tally::default();
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
        let by_group: Vec<Result<_, StageError>> = order.map(&groups, |group| {
            let rows = tables.estimate(group)?;
            let n_snapshots = if pool == Pool::Runs { 1 } else { group.parts.len() };
            progress.advance((pending.len() * n_snapshots) as u64);
            Ok(rows)
        });
        tally = tally.and(tables.write(by_group.into_iter().collect::<Result<_, _>>()?)?);
    }
    tracing::debug!(run = %target.id, tables = target.pending.len(), "estimated");
    Ok(tally)
}
