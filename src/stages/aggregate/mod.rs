//! The aggregate stage: estimates of all runs, joined with losses, gradients and verdicts, as means, spreads and intervals
//! over runs, and the phases of every training.

mod frames;
mod inputs;
mod phases;
mod snapshots;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rayon::prelude::*;

use super::{Outcome, StageError};
use crate::math::bootstrap::Resamples;
use crate::store::schema::{CompressionRow, EstimateRow, PhaseRow, SummaryRow, VERSION};
use crate::store::{Experiment, Footer, Lock, Pending, write_bytes, write_rows};
use frames::{Beside, FrameError};
use inputs::{Estimated, Input};
use phases::phases;

/// Resamples behind every interval; their seed. The same resamples serve all layers, snapshots, estimators and experiments.
const N_RESAMPLES: usize = 2000;
const RESAMPLES_SEED: u64 = 0;

/// Writes `summary`, `phases` and `compression` over all runs of all `experiments` into the folder `out`, as Parquet, the
/// first and the last also as CSV.
///
/// In memory are the estimates of one estimator of one experiment a thread.
///
/// # Errors
/// No estimates, two experiments of one name, a table that cannot be read or written.
pub fn aggregate(experiments: &[Experiment], out: &Path) -> Result<Outcome, StageError> {
    let (inputs, work) = prepare(experiments, out)?;
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::take(out)?;
    let mut made = Made::default();
    for input in &inputs {
        let beside = Beside::read(input)?;
        let parts: Vec<Made> = input
            .estimators
            .par_iter()
            .map(|estimated| Made::of(input, &beside, estimated))
            .collect::<Result<_, StageError>>()?;
        parts.into_iter().for_each(|part| made.append(part));
    }
    made.sort();
    warn_of_fewer_runs(&made.summary);
    warn_of_what_does_not_match(&made.summary);

    let footer = Footer::from([
        ("infoplane.config_hash".to_owned(), work.key().to_owned()),
        ("infoplane.bootstrap".to_owned(), format!("{N_RESAMPLES} resamples, seed {RESAMPLES_SEED}")),
    ]);
    let mut files = vec![
        write_rows(out, Experiment::SUMMARY, &made.summary, &footer)?,
        write_rows(out, Experiment::PHASES, &made.phases, &footer)?,
        write_rows(out, Experiment::COMPRESSION, &made.compression, &footer)?,
    ];
    for table in [Experiment::SUMMARY, Experiment::COMPRESSION] {
        let csv = frames::csv(&out.join(table)).map_err(FrameError::from)?;
        files.push(write_bytes(out, &table.replace(".parquet", ".csv"), &csv)?);
    }
    work.finish(files)?;
    Ok(Outcome::Done(format!("{} rows → {}", made.summary.len(), out.join(Experiment::SUMMARY).display())))
}

/// Whether the summary of `experiments`, as their tables are now, is in `out`.
///
/// # Errors
/// As [`aggregate`].
pub fn is_done(experiments: &[Experiment], out: &Path) -> Result<bool, StageError> {
    Ok(prepare(experiments, out)?.1.finished()?.is_some())
}

/// The tables to join, and the work of joining them.
fn prepare(experiments: &[Experiment], out: &Path) -> Result<(Vec<Input>, Pending), StageError> {
    let inputs = inputs::of(experiments)?;
    let hashes: BTreeMap<String, &[(String, String)]> =
        inputs.iter().map(|input| (input.experiment.name(), input.hashes.as_slice())).collect();
    let made_from = serde_json::json!({ "tables": hashes, "schema": VERSION, "resamples": N_RESAMPLES });
    let work = Pending::new(out, "summary", &made_from);
    Ok((inputs, work))
}

impl From<FrameError> for StageError {
    fn from(e: FrameError) -> Self {
        match e {
            FrameError::Store(e) => e.into(),
            e @ FrameError::Polars(_) => Self::Refused(e.to_string()),
        }
    }
}

/// The rows of all tables.
#[derive(Debug, Default)]
struct Made {
    summary: Vec<SummaryRow>,
    phases: Vec<PhaseRow>,
    compression: Vec<CompressionRow>,
}

impl Made {
    fn of(input: &Input, beside: &Beside, estimated: &Estimated) -> Result<Self, StageError> {
        let rows = snapshots::read(estimated)?;
        let by_snapshot = snapshots::by_snapshot(&rows);
        let mut summary: Vec<SummaryRow> = by_snapshot.iter().map(|rows| snapshots::over_runs(input, rows)).collect();
        let n_rows: Vec<usize> = by_snapshot.iter().map(|rows| rows.len()).collect();
        frames::join(&mut summary, &n_rows, beside, estimated)?;
        add_intervals(&mut summary, &by_snapshot);
        let histories = snapshots::histories(input, &beside.ratios, &rows);
        let (phases, compression) = phases(
            &input.experiment.name(),
            &estimated.estimator,
            rows.first().and_then(|row| row.quantity.as_deref()),
            &histories,
        );
        Ok(Self { summary, phases, compression })
    }

    fn append(&mut self, mut part: Self) {
        self.summary.append(&mut part.summary);
        self.phases.append(&mut part.phases);
        self.compression.append(&mut part.compression);
    }

    fn sort(&mut self) {
        let of_summary = |r: &SummaryRow| (r.experiment.clone(), r.estimator.clone(), r.layer, r.epoch, r.step);
        self.summary.sort_by_cached_key(of_summary);
        let of_phase = |r: &PhaseRow| (r.experiment.clone(), r.estimator.clone(), r.run.clone(), r.layer);
        self.phases.sort_by_cached_key(of_phase);
        self.compression.sort_by_cached_key(|r| (r.experiment.clone(), r.estimator.clone(), r.layer));
    }
}

/// Puts the intervals of both means into `summary`, which has a row for each of `by_snapshot`.
fn add_intervals(summary: &mut [SummaryRow], by_snapshot: &[&[EstimateRow]]) {
    let of_column = |number: fn(&EstimateRow) -> Option<f64>| {
        let numbers: Vec<Vec<f64>> = by_snapshot.iter().map(|rows| snapshots::numbers(rows, number)).collect();
        intervals(&numbers)
    };
    let (of_xt, of_ty) = (of_column(|row| row.i_xt_bits), of_column(|row| row.i_ty_bits));
    for ((row, xt), ty) in summary.iter_mut().zip(of_xt).zip(of_ty) {
        (row.i_xt_bits_low, row.i_xt_bits_high) = (xt.map(|i| i[0]), xt.map(|i| i[1]));
        (row.i_ty_bits_low, row.i_ty_bits_high) = (ty.map(|i| i[0]), ty.map(|i| i[1]));
    }
}

/// The intervals of the means of `snapshots`, each of which has the numbers of some runs; `None` with fewer than two.
fn intervals(snapshots: &[Vec<f64>]) -> Vec<Option<[f64; 2]>> {
    let mut intervals = vec![None; snapshots.len()];
    let counts: BTreeSet<usize> = snapshots.iter().map(Vec::len).collect();
    for n in counts {
        let mut rng = ChaCha8Rng::seed_from_u64(RESAMPLES_SEED);
        let Some(resamples) = Resamples::new(n, N_RESAMPLES, &mut rng) else { continue };
        let places: Vec<usize> = (0..snapshots.len()).filter(|place| snapshots[*place].len() == n).collect();
        let numbers = Array2::from_shape_fn((places.len(), n), |(row, run)| snapshots[places[row]][run]);
        for (place, interval) in places.into_iter().zip(resamples.mean_intervals(numbers.view())) {
            intervals[place] = Some(interval);
        }
    }
    intervals
}

/// A mean over fewer runs than its neighbours is no error, but must not be read as if it stood on all of them.
fn warn_of_fewer_runs(rows: &[SummaryRow]) {
    let n_estimated = |row: &SummaryRow| row.n_runs + row.n_failed;
    for rows in rows.chunk_by(|a, b| (&a.experiment, &a.estimator) == (&b.experiment, &b.estimator)) {
        let most = rows.iter().map(n_estimated).max().unwrap_or(0);
        let n_fewer = rows.iter().filter(|row| n_estimated(row) < most).count();
        if n_fewer > 0 {
            tracing::warn!(
                "{}, {}: {n_fewer} of {} rows stand on fewer than {most} runs, which were recorded at different steps",
                rows[0].experiment,
                rows[0].estimator,
                rows.len()
            );
        }
    }
}

/// What matches is joined; what some experiments have and others have not is named.
fn warn_of_what_does_not_match(rows: &[SummaryRow]) {
    let experiments: BTreeSet<&str> = rows.iter().map(|row| row.experiment.as_str()).collect();
    let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        owners.entry(format!("layer {}", row.layer)).or_default().insert(&row.experiment);
        owners.entry(row.estimator.to_string()).or_default().insert(&row.experiment);
    }
    for (what, owners) in owners.iter().filter(|(_, owners)| owners.len() < experiments.len()) {
        let (n, n_experiments) = (owners.len(), experiments.len());
        let first: Vec<&str> = owners.iter().take(3).copied().collect();
        let more = if n > first.len() { ", …" } else { "" };
        tracing::warn!("{what} is only in {n} of {n_experiments} experiments: {}{more}", first.join(", "));
    }
}
