//! Joins the estimates of every layer and snapshot with its losses and gradients. The only place that names `polars`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::{io, thread};

use polars::prelude::*;

use super::inputs::{Estimated, Input, TableFiles};
use super::snapshots::Ratios;
use super::training;
use crate::layer_id::LayerId;
use crate::store::quantities::gradient_snr;
use crate::store::schema::{EpochRow, GradientRow, SummaryRow, TrainingSummaryRow, WeightRow};
use crate::store::{RecordedRow, StoreError, caught, read_recorded};

/// The keys for grouping rows of one layer and snapshot over runs, and for sorting.
const KEYS: [&str; 3] = ["layer", "epoch", "step"];

const FITS: [&str; 6] = [
    "loss_train_nats",
    "loss_test_nats",
    "squared_error_train",
    "squared_error_test",
    "accuracy_train",
    "accuracy_test",
];

const NORMS: [&str; 4] = ["gradient_mean_norm", "gradient_std_norm", "gradient_snr", "weight_norm"];

/// Why a summary could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("cannot aggregate: {0}")]
    Polars(#[from] PolarsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot aggregate: polars cannot start its threads ({0}); allow this process more threads or memory")]
    Threads(String),
}

/// Makes sure that polars can start its threads. Otherwise its first join panics, or waits forever, if the operating system
/// refuses some.
pub(super) fn start_threads() -> Result<(), FrameError> {
    // One thread per core for joins, and as many for background work.
    let n_cores = thread::available_parallelism().map_or(1, usize::from);
    expect_threads(2 * n_cores).map_err(|e| FrameError::Threads(e.to_string()))?;
    let group = || df!("key" => [1])?.lazy().group_by([col("key")]).agg([col("key").count().alias("n")]).collect();
    caught(group).map_err(FrameError::Threads)?.map(|_| ()).map_err(FrameError::Polars)
}

/// Starts `n` threads at the same time, which end at once.
fn expect_threads(n: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let closed = gate.lock();
        let start = |_| thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()));
        let started = (0..n).map(start).collect::<io::Result<Vec<_>>>();
        drop(closed);
        started.map(drop)
    })
}

/// The tables that are joined to the estimates of all estimators of one experiment, in memory.
pub(super) struct TrainingTables {
    /// Losses and accuracies, by run and snapshot.
    fits: Option<DataFrame>,
    /// Norms of gradients and weights, by run, layer and snapshot.
    norms: Option<DataFrame>,
    /// Signal-to-noise ratios, by run, layer and step.
    pub(super) ratios: Ratios,
    gradients_over: Option<String>,
    /// Mean and interval over all runs.
    pub(super) summary: Vec<TrainingSummaryRow>,
    /// Fits and norms over runs, for every set of runs that an estimator has.
    over_runs: BTreeMap<Vec<String>, MeansOverRuns>,
}

/// Means and counts of fits by snapshot, and of norms by layer and snapshot.
struct MeansOverRuns {
    fits: Option<DataFrame>,
    norms: Option<DataFrame>,
}

impl TrainingTables {
    /// Reads the tables of `input`.
    pub(super) fn read(input: &Input) -> Result<Self, FrameError> {
        let fits: Vec<(&str, EpochRow)> = read(&input.epochs)?;
        let (norms, gradients_over) = match input.gradients.as_slice() {
            [] => (weight_norms(&input.weights)?, None),
            gradients => gradient_norms(gradients)?,
        };
        let ratios = ratios(&norms);
        let summary = training::over_runs(&input.experiment.name(), &fits, &norms);
        let (fits, norms) = (fits_frame(&fits)?, norms_frame(&norms)?);
        let mut training = Self { fits, norms, ratios, gradients_over, summary, over_runs: BTreeMap::new() };
        training.prepare(&input.estimators)?;
        Ok(training)
    }

    /// Computes the means over the runs of each of `estimators`. Most estimators have the same runs.
    fn prepare(&mut self, estimators: &[Estimated]) -> PolarsResult<()> {
        for estimated in estimators {
            let runs = runs_of(estimated);
            if !self.over_runs.contains_key(&runs) {
                let means = self.over(&runs)?;
                self.over_runs.insert(runs, means);
            }
        }
        Ok(())
    }

    /// The means of `runs`.
    fn over(&self, runs: &[String]) -> PolarsResult<MeansOverRuns> {
        let mean = |name: &&str| [col(*name).mean(), col(*name).count().alias(format!("{name}_count"))];
        let average = |table: &Option<DataFrame>, keys: &[&str], names: &[&str]| {
            let over = |table: &DataFrame| {
                let these = df!("run" => runs)?.lazy();
                let table = table.clone().lazy().join(these, [col("run")], [col("run")], JoinType::Inner.into());
                let keys: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
                table.group_by(keys).agg(names.iter().flat_map(mean).collect::<Vec<_>>()).collect()
            };
            table.as_ref().map(over).transpose()
        };
        Ok(MeansOverRuns { fits: average(&self.fits, &KEYS[1..], &FITS)?, norms: average(&self.norms, &KEYS, &NORMS)? })
    }
}

fn runs_of(estimated: &Estimated) -> Vec<String> {
    estimated.tables.iter().map(|(run, _)| run.clone()).collect()
}

/// Writes the fits and norms of the same layer and snapshot into `summary`, the rows of one estimator; `n_rows` is the number
/// of estimates of each row.
pub(super) fn join(
    summary: &mut [SummaryRow],
    n_rows: &[usize],
    training: &TrainingTables,
    estimated: &Estimated,
) -> Result<(), FrameError> {
    let over_runs = &training.over_runs[&runs_of(estimated)];
    let column = |number: fn(&SummaryRow) -> i32| summary.iter().map(number).collect::<Vec<i32>>();
    let snapshots = df!(
        "place" => (0..summary.len() as i64).collect::<Vec<i64>>(),
        "layer" => column(|row| row.layer.into()),
        "epoch" => column(|row| row.epoch),
        "step" => summary.iter().map(|row| row.step).collect::<Vec<Option<i64>>>(),
        "n_rows" => n_rows.iter().map(|n| *n as u32).collect::<Vec<u32>>(),
    )?;
    let joined = joined(snapshots.lazy(), over_runs).collect()?;
    let [loss_train, loss_test, error_train, error_test, accuracy_train, accuracy_test] = means(&joined, FITS)?;
    let [gradient_mean, gradient_std, gradient_snr, weight] = means(&joined, NORMS)?;
    let place = joined.column("place")?.i64()?;
    for i in 0..joined.height() {
        let Some(row) = place.get(i).and_then(|place| summary.get_mut(place as usize)) else { continue };
        row.loss_train_nats_mean = loss_train.get(i);
        row.loss_test_nats_mean = loss_test.get(i);
        row.squared_error_train_mean = error_train.get(i);
        row.squared_error_test_mean = error_test.get(i);
        row.accuracy_train_mean = accuracy_train.get(i);
        row.accuracy_test_mean = accuracy_test.get(i);
        row.gradients_over.clone_from(&training.gradients_over);
        row.gradient_mean_norm_mean = gradient_mean.get(i);
        row.gradient_std_norm_mean = gradient_std.get(i);
        row.gradient_snr_mean = gradient_snr.get(i);
        row.weight_norm_mean = weight.get(i);
    }
    Ok(())
}

/// The columns of the means of `names`.
fn means<'f, const N: usize>(joined: &'f DataFrame, names: [&str; N]) -> PolarsResult<[&'f Float64Chunked; N]> {
    let columns: Vec<&Float64Chunked> =
        names.iter().map(|name| joined.column(&format!("{name}_mean"))?.f64()).collect::<PolarsResult<_>>()?;
    Ok(std::array::from_fn(|i| columns[i]))
}

/// The rows of a table of every run, each with its run.
fn read<R: RecordedRow>(runs: &[TableFiles]) -> Result<Vec<(&str, R)>, StoreError> {
    let mut rows = Vec::new();
    for parts in runs {
        rows.extend(read_recorded::<R>(&parts.paths)?.into_iter().map(|row| (parts.run.as_str(), row)));
    }
    Ok(rows)
}

/// Losses and accuracies; `None` if there are none.
fn fits_frame(rows: &[(&str, EpochRow)]) -> PolarsResult<Option<DataFrame>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let fit = |number: fn(&EpochRow) -> Option<f64>| rows.iter().map(|(_, row)| number(row)).collect::<Vec<_>>();
    df!(
        "run" => rows.iter().map(|(run, _)| *run).collect::<Vec<_>>(),
        "epoch" => rows.iter().map(|(_, row)| row.epoch).collect::<Vec<_>>(),
        "step" => rows.iter().map(|(_, row)| row.step).collect::<Vec<_>>(),
        FITS[0] => fit(|row| row.loss_train_nats),
        FITS[1] => fit(|row| row.loss_test_nats),
        FITS[2] => fit(|row| row.squared_error_train),
        FITS[3] => fit(|row| row.squared_error_test),
        FITS[4] => fit(|row| row.accuracy_train),
        FITS[5] => fit(|row| row.accuracy_test),
    )
    .map(Some)
}

/// The norms of one run, layer and snapshot.
pub(super) struct Norms<'r> {
    pub(super) run: &'r str,
    pub(super) layer: LayerId,
    pub(super) epoch: i32,
    pub(super) step: i64,
    pub(super) gradient_mean: Option<f64>,
    pub(super) gradient_std: Option<f64>,
    /// The signal-to-noise ratio of the gradients.
    pub(super) snr: Option<f64>,
    pub(super) weight: f64,
}

/// The norms of the kind of gradients that was recorded first, and its name.
fn gradient_norms(runs: &[TableFiles]) -> Result<(Vec<Norms<'_>>, Option<String>), StoreError> {
    let mut rows: Vec<(&str, GradientRow)> = read(runs)?;
    for (_, row) in &mut rows {
        // Files of version 1 have one kind of gradients, without a name.
        row.gradients_over.get_or_insert_with(|| "after_step".to_owned());
    }
    let first = rows.first().and_then(|(_, row)| row.gradients_over.clone());
    rows.retain(|(_, row)| row.gradients_over == first);
    let norms = |(run, row): (_, GradientRow)| Norms {
        run,
        layer: row.layer,
        epoch: row.epoch,
        step: row.step,
        gradient_mean: Some(row.gradient_mean_norm),
        gradient_std: row.gradient_std_norm,
        snr: gradient_snr(&row),
        weight: row.weight_norm,
    };
    Ok((rows.into_iter().map(norms).collect(), first))
}

/// The Frobenius norms of recorded kernels.
fn weight_norms(weights: &[(LayerId, TableFiles)]) -> Result<Vec<Norms<'_>>, StoreError> {
    let mut norms = Vec::new();
    for (layer, parts) in weights {
        for row in read_recorded::<WeightRow>(&parts.paths)? {
            norms.push(Norms {
                run: &parts.run,
                layer: *layer,
                epoch: row.epoch,
                step: row.step,
                gradient_mean: None,
                gradient_std: None,
                snr: None,
                weight: row.kernel.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt(),
            });
        }
    }
    Ok(norms)
}

fn norms_frame(norms: &[Norms<'_>]) -> PolarsResult<Option<DataFrame>> {
    if norms.is_empty() {
        return Ok(None);
    }
    df!(
        "run" => norms.iter().map(|norms| norms.run).collect::<Vec<_>>(),
        "layer" => norms.iter().map(|norms| i32::from(norms.layer)).collect::<Vec<_>>(),
        "epoch" => norms.iter().map(|norms| norms.epoch).collect::<Vec<_>>(),
        "step" => norms.iter().map(|norms| norms.step).collect::<Vec<_>>(),
        NORMS[0] => norms.iter().map(|norms| norms.gradient_mean).collect::<Vec<_>>(),
        NORMS[1] => norms.iter().map(|norms| norms.gradient_std).collect::<Vec<_>>(),
        NORMS[2] => norms.iter().map(|norms| norms.snr).collect::<Vec<_>>(),
        NORMS[3] => norms.iter().map(|norms| norms.weight).collect::<Vec<_>>(),
    )
    .map(Some)
}

/// The signal-to-noise ratios of the gradients.
fn ratios(norms: &[Norms<'_>]) -> Ratios {
    let mut ratios = Ratios::new();
    for (norms, snr) in norms.iter().filter_map(|norms| Some((norms, norms.snr?))) {
        ratios.entry(norms.run.to_owned()).or_default().insert((norms.layer, norms.step), snr);
    }
    ratios
}

/// The layers and snapshots of one estimator, joined with fits and norms.
fn joined(mut table: LazyFrame, over_runs: &MeansOverRuns) -> LazyFrame {
    for (means, keys, names) in [(&over_runs.fits, &KEYS[1..], &FITS[..]), (&over_runs.norms, &KEYS[..], &NORMS[..])] {
        let on: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
        // A mean over fewer runs than the other means of its row would be misleading.
        let over_whole_row = |name: &&str| {
            let is_whole = col(format!("{name}_count")).eq(col("n_rows"));
            when(is_whole).then(col(*name)).otherwise(lit(NULL)).alias(format!("{name}_mean"))
        };
        table = match means {
            None => table.with_columns(names.iter().map(|name| null(&format!("{name}_mean"))).collect::<Vec<_>>()),
            Some(means) => {
                let joined = table.join(means.clone().lazy(), &on, &on, JoinType::Left.into());
                joined.with_columns(names.iter().map(over_whole_row).collect::<Vec<_>>())
            }
        };
    }
    table
}

fn null(name: &str) -> Expr {
    lit(NULL).cast(DataType::Float64).alias(name)
}
