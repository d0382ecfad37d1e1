//! The estimate stage: estimates I(X;T) and I(T;Y) from recorded activations, at any time after the recording.

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

/// The bounds of the activations of all `experiments`, from the settings of their recordings; unknown if one of them is by
/// another program. Unreadable recordings are ignored here; they get no estimates.
pub fn value_bounds(experiments: &[Experiment]) -> ValueBounds {
    let of_recording = |experiment: &Experiment| {
        let claim = Manifest::read(&experiment.recording().join(".meta/settings.json")).ok()?;
        Some(claim.map_or(ValueBounds::Unknown, |claim| recorded_bounds(&claim.made_from["run"])))
    };
    experiments.iter().filter_map(of_recording).reduce(ValueBounds::and).unwrap_or(ValueBounds::Unknown)
}

/// Makes the requested estimates of `experiment` that do not exist yet. The tables are written to `<out>/estimates` and
/// `<out>/unit_estimates`. A recorded snapshot is read once for all estimators without pooling, once more for each kind of
/// pooling, and once in advance for a range over the run.
///
/// # Errors
/// There is no recording, a file does not match its hash, or runs, layers or samples do not match each other.
pub fn estimate(
    experiment: &Experiment,
    requests: &[Request],
    out: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    if experiment.is_unfinished() {
        tracing::warn!("{} is unfinished: only its complete runs are estimated", experiment.recording().display());
    }
    let recorded = Recorded::open(experiment)?;
    let out = Experiment::new(out);
    // Several processes may make different estimates at the same time, as with `make -j`. The locks are sorted, so that two
    // processes cannot wait for each other.
    let hashes = plan::Hashes::of(&recorded, requests)?;
    let pending = plan::targets(&recorded, &hashes, requests, &out)?;
    if pending.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    recorded.expect_same_widths(requests)?;
    let runs = Runs::read(&recorded, requests)?;
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
    // The error of the first run is returned, independent of the order of threads.
    let done: Vec<Tally> = done.into_iter().collect::<Result<_, _>>()?;
    let tally = done.into_iter().fold(Tally::default(), Tally::and);
    let seconds = start.elapsed().as_secs_f64();
    let text = format!("{} in {seconds:.1} s → {}", counted(tally.n_rows, "estimate"), out.root().display());
    for warning in tally.warnings() {
        tracing::warn!("{}: {warning}", out.name());
    }
    Ok(Outcome::done(text, Failures::of_estimates(tally.n_failed)))
}

/// Whether work is done in parallel, or sequentially because of memory.
#[derive(Debug, Clone, Copy)]
enum Order {
    Parallel,
    OneByOne,
}

impl Order {
    /// The results of `work` for each of `items`, in their order.
    fn map<T: Sync, R: Send>(self, items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
        match self {
            Self::Parallel => items.par_iter().map(work).collect(),
            Self::OneByOne => items.iter().map(work).collect(),
        }
    }
}

/// Makes the pending tables of one run, or of all runs pooled; returns their counts.
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
        // Collected in the order of the snapshots, independent of the order of threads; the first error is returned.
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
