//! The aggregate stage: estimates of all runs, joined with losses, gradients and verdicts, as means, spreads and intervals
//! over runs, and the phases of every training.

mod checks;
mod frames;
mod inputs;
mod phases;
#[cfg(test)]
mod simulated;
mod snapshots;
mod training;
mod verdict;
mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;

use super::{Outcome, StageError};
use crate::count::counted;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::{CompressionRow, PhaseRow, SummaryRow, TrainingSummaryRow, VERSION, WeightSummaryRow};
use crate::store::{Experiment, Footer, Lock, Manifest, Pending, remove_below, write_csv, write_rows};
use checks::Checks;
use frames::{FrameError, TrainingTables};
use inputs::{Estimated, Input};
use phases::{Context, phases};
pub use verdict::MinimumEffect;

/// Writes `summary`, `phases`, `compression`, `training_summary` and `weight_summary` over all runs of all `experiments` into
/// the folder `out`, as Parquet, the first and the third also as CSV.
///
/// Each thread has the estimates of one estimator of one experiment in memory. A compression below `minimum` does not count.
///
/// # Errors
/// There are no estimates, two experiments have the same name, or a table cannot be read or written.
pub fn aggregate(experiments: &[Experiment], minimum: MinimumEffect, out: &Path) -> Result<Outcome, StageError> {
    let (inputs, work) = prepare(experiments, minimum, out)?;
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::take(out)?;
    frames::start_threads()?;
    let mut made = Made::default();
    for input in &inputs {
        let (training, checks) = (TrainingTables::read(input)?, Checks::read(input)?);
        let parts: Vec<Made> = input
            .estimators
            .par_iter()
            .map(|estimated| Made::of(input, &training, &checks, estimated, minimum))
            .collect::<Result<_, StageError>>()?;
        parts.into_iter().for_each(|part| made.append(part));
        made.training.extend(training.summary);
        for (id, paths) in &input.measures {
            made.weights.extend(weights::over_runs(&input.experiment.name(), id, paths)?);
        }
    }
    made.sort();
    verdict::withhold_where_scales_disagree(&mut made.compression);
    warn_of_fewer_runs(&made.summary);
    warn_of_what_does_not_match(&made.summary);

    let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
    let as_csv = |table: &str| table.replace(".parquet", ".csv");
    let mut files = vec![
        write_rows(out, Experiment::SUMMARY, &made.summary, &footer)?,
        write_rows(out, Experiment::PHASES, &made.phases, &footer)?,
        write_rows(out, Experiment::COMPRESSION, &made.compression, &footer)?,
        write_csv(out, &as_csv(Experiment::SUMMARY), &made.summary)?,
        write_csv(out, &as_csv(Experiment::COMPRESSION), &made.compression)?,
    ];
    match made.training.is_empty() {
        true => remove_below(out, Experiment::TRAINING_SUMMARY)?,
        false => files.push(write_rows(out, Experiment::TRAINING_SUMMARY, &made.training, &footer)?),
    }
    match made.weights.is_empty() {
        true => remove_below(out, Experiment::WEIGHT_SUMMARY)?,
        false => files.push(write_rows(out, Experiment::WEIGHT_SUMMARY, &made.weights, &footer)?),
    }
    work.finish(files)?;
    Ok(Outcome::Done(format!("{} → {}", counted(made.summary.len(), "row"), out.join(Experiment::SUMMARY).display())))
}

/// Whether `out` has the summary of the present tables of `experiments`.
///
/// # Errors
/// As [`aggregate`].
pub fn is_done(experiments: &[Experiment], minimum: MinimumEffect, out: &Path) -> Result<bool, StageError> {
    Ok(prepare(experiments, minimum, out)?.1.finished()?.is_some())
}

/// The smallest effect that the summary in `out` was made with, if there is one.
///
/// # Errors
/// Its manifest cannot be read.
pub fn present_minimum(out: &Path) -> Result<Option<MinimumEffect>, StageError> {
    let manifest = Manifest::read(&out.join(".meta/summary.json"))?;
    let minimum = |manifest: Manifest| {
        let number = |index: usize| manifest.made_from["minimum_effect"][index].as_f64();
        Some(MinimumEffect { share: number(0)?, bits: number(1)? })
    };
    Ok(manifest.and_then(minimum))
}

/// The tables to join, and the work of joining them.
fn prepare(
    experiments: &[Experiment],
    minimum: MinimumEffect,
    out: &Path,
) -> Result<(Vec<Input>, Pending), StageError> {
    let inputs = inputs::of(experiments)?;
    let hashes: BTreeMap<String, &[(String, String)]> =
        inputs.iter().map(|input| (input.experiment.name(), input.hashes.as_slice())).collect();
    let minimum = [minimum.share, minimum.bits];
    let made_from = serde_json::json!({ "tables": hashes, "schema": VERSION, "minimum_effect": minimum });
    let work = Pending::new(out, "summary", &made_from);
    Ok((inputs, work))
}

impl From<FrameError> for StageError {
    fn from(e: FrameError) -> Self {
        match e {
            FrameError::Store(e) => e.into(),
            e @ (FrameError::Polars(_) | FrameError::Threads(_)) => Self::Refused(e.to_string()),
        }
    }
}

/// The rows of all tables.
#[derive(Debug, Default)]
struct Made {
    summary: Vec<SummaryRow>,
    phases: Vec<PhaseRow>,
    compression: Vec<CompressionRow>,
    training: Vec<TrainingSummaryRow>,
    weights: Vec<WeightSummaryRow>,
}

impl Made {
    fn of(
        input: &Input,
        training: &TrainingTables,
        checks: &Checks,
        estimated: &Estimated,
        minimum: MinimumEffect,
    ) -> Result<Self, StageError> {
        let rows = snapshots::read(estimated)?;
        let by_snapshot = snapshots::by_snapshot(&rows);
        let mut summary: Vec<SummaryRow> = by_snapshot.iter().map(|rows| snapshots::over_runs(input, rows)).collect();
        let n_rows: Vec<usize> = by_snapshot.iter().map(|rows| rows.len()).collect();
        frames::join(&mut summary, &n_rows, training, estimated)?;
        let checks = checks.of(&estimated.estimator).filter(|_| estimated.is_checked);
        if let Some(checks) = checks {
            checks.count(&mut summary);
        }
        let context = Context {
            experiment: &input.experiment.name(),
            estimator: &estimated.estimator,
            quantity: rows.first().and_then(|row| row.quantity.as_deref()),
            checks: checks.map(|checks| &checks.layers),
            minimum,
        };
        let (phases, compression) = phases(&context, &snapshots::histories(input, &training.ratios, &rows));
        Ok(Self { summary, phases, compression, ..Self::default() })
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
        // A stable sort keeps the order of the rows of each quantity and measure.
        self.training.sort_by_cached_key(|r| r.experiment.clone());
        self.weights.sort_by_cached_key(|r| r.experiment.clone());
    }
}

/// Warns about means over fewer runs than their neighbours, which is not an error.
fn warn_of_fewer_runs(rows: &[SummaryRow]) {
    let n_estimated = |row: &SummaryRow| row.n_runs + row.n_failed;
    for rows in rows.chunk_by(|a, b| (&a.experiment, &a.estimator) == (&b.experiment, &b.estimator)) {
        let most = rows.iter().map(n_estimated).max().unwrap_or(0);
        let n_fewer = rows.iter().filter(|row| n_estimated(row) < most).count();
        if n_fewer > 0 {
            tracing::warn!(
                "{}, {}: {n_fewer} of {} rows are means over fewer than {most} runs, because runs were recorded at different steps",
                rows[0].experiment,
                rows[0].estimator,
                rows.len()
            );
        }
    }
}

/// Warns about results that only some of the experiments have.
fn warn_of_what_does_not_match(rows: &[SummaryRow]) {
    let experiments: BTreeSet<&str> = rows.iter().map(|row| row.experiment.as_str()).collect();
    let mut of_layers: BTreeMap<LayerId, BTreeSet<&str>> = BTreeMap::new();
    let mut of_estimators: BTreeMap<&EstimateId, BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        of_layers.entry(row.layer).or_default().insert(&row.experiment);
        of_estimators.entry(&row.estimator).or_default().insert(&row.experiment);
    }
    let of_layers = of_layers.into_iter().map(|(layer, owners)| (format!("layer {layer}"), owners));
    let of_estimators = of_estimators.into_iter().map(|(id, owners)| (id.to_string(), owners));
    for (what, owners) in of_layers.chain(of_estimators).filter(|(_, owners)| owners.len() < experiments.len()) {
        let (n, n_experiments) = (owners.len(), experiments.len());
        let first: Vec<&str> = owners.iter().take(3).copied().collect();
        let more = if n > first.len() { ", …" } else { "" };
        tracing::warn!("{what} is only in {n} of {n_experiments} experiments: {}{more}", first.join(", "));
    }
}
