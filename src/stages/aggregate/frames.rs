//! The joins: every layer and snapshot beside the losses, gradients and verdicts of the same. The only place that names
//! `polars`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::inputs::{Estimated, Input, TableFiles};
use super::snapshots::Ratios;
use crate::store::schema::{EpochRow, GradientRow, Row, SummaryRow, WeightRow};
use crate::store::{CheckVerdict, Experiment, StoreError, read_all_rows};

/// What one snapshot of one layer is over runs is grouped by, and sorted.
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
}

/// What goes beside the estimates of all estimators of one experiment, in memory.
pub(super) struct Beside {
    /// Losses and accuracies, by run and snapshot.
    fits: Option<DataFrame>,
    /// Norms of gradients and weights, by run, layer and snapshot.
    norms: Option<DataFrame>,
    /// Signal-to-noise ratios, by run, layer and step.
    pub(super) ratios: Ratios,
    checks: Option<DataFrame>,
    gradients_over: Option<String>,
    /// Fits and norms over runs, for every set of runs that an estimator has.
    over_runs: BTreeMap<Vec<String>, MeansOverRuns>,
}

/// Means and counts of fits by snapshot, and of norms by layer and snapshot.
struct MeansOverRuns {
    fits: Option<DataFrame>,
    norms: Option<DataFrame>,
}

impl Beside {
    /// Reads the tables of `input`.
    pub(super) fn read(input: &Input) -> Result<Self, FrameError> {
        let fits = if input.epochs.is_empty() { None } else { Some(fits(&input.epochs)?) };
        let (norms, gradients_over) = match input.gradients.as_slice() {
            [] => (weight_norms(&input.weights)?, None),
            gradients => {
                let (norms, over) = gradient_norms(gradients)?;
                (Some(norms), over)
            }
        };
        let checks = input.is_checked.then(|| checks(&input.experiment.root().join(Experiment::CHECKS))).transpose()?;
        let ratios = norms.as_ref().map_or_else(|| Ok(BTreeMap::new()), ratios)?;
        let mut beside = Self { fits, norms, ratios, checks, gradients_over, over_runs: BTreeMap::new() };
        beside.prepare(&input.estimators)?;
        Ok(beside)
    }

    /// Takes the means over the runs of every one of `estimators`, which are the same for most.
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

/// The signal-to-noise ratios of a table of norms.
fn ratios(norms: &DataFrame) -> PolarsResult<Ratios> {
    let (run, snr) = (norms.column("run")?.str()?, norms.column("gradient_snr")?.f64()?);
    let (layer, step) = (norms.column("layer")?.i32()?, norms.column("step")?.i64()?);
    let mut ratios: Ratios = BTreeMap::new();
    for i in 0..norms.height() {
        let (Some(run), Some(layer), Some(step), Some(snr)) = (run.get(i), layer.get(i), step.get(i), snr.get(i))
        else {
            continue;
        };
        if !ratios.contains_key(run) {
            ratios.insert(run.to_owned(), BTreeMap::new());
        }
        if let Some(of_run) = ratios.get_mut(run) {
            of_run.insert((layer, step), snr);
        }
    }
    Ok(ratios)
}

/// Puts the fits, norms and verdicts of the same layer and snapshot into `summary`, the rows of one estimator; `n_rows` are
/// the estimates behind each.
pub(super) fn join(
    summary: &mut [SummaryRow],
    n_rows: &[usize],
    beside: &Beside,
    estimated: &Estimated,
) -> Result<(), FrameError> {
    let over_runs = &beside.over_runs[&runs_of(estimated)];
    let column = |number: fn(&SummaryRow) -> i32| summary.iter().map(number).collect::<Vec<i32>>();
    let snapshots = df!(
        "place" => (0..summary.len() as i64).collect::<Vec<i64>>(),
        "layer" => column(|row| row.layer),
        "epoch" => column(|row| row.epoch),
        "step" => summary.iter().map(|row| row.step).collect::<Vec<Option<i64>>>(),
        "n_rows" => n_rows.iter().map(|n| *n as u32).collect::<Vec<u32>>(),
    )?;
    let joined = joined(snapshots.lazy(), over_runs, beside, estimated).collect()?;
    let [loss_train, loss_test, error_train, error_test, accuracy_train, accuracy_test] = means(&joined, FITS)?;
    let [gradient_mean, gradient_std, gradient_snr, weight] = means(&joined, NORMS)?;
    let count = |name: &str| joined.column(name)?.i64();
    let (place, n_warning, n_violated) = (count("place")?, count("n_checks_warning")?, count("n_checks_violated")?);
    for i in 0..joined.height() {
        let Some(row) = place.get(i).and_then(|place| summary.get_mut(place as usize)) else { continue };
        row.loss_train_nats_mean = loss_train.get(i);
        row.loss_test_nats_mean = loss_test.get(i);
        row.squared_error_train_mean = error_train.get(i);
        row.squared_error_test_mean = error_test.get(i);
        row.accuracy_train_mean = accuracy_train.get(i);
        row.accuracy_test_mean = accuracy_test.get(i);
        row.gradients_over.clone_from(&beside.gradients_over);
        row.gradient_mean_norm_mean = gradient_mean.get(i);
        row.gradient_std_norm_mean = gradient_std.get(i);
        row.gradient_snr_mean = gradient_snr.get(i);
        row.weight_norm_mean = weight.get(i);
        row.n_checks_warning = n_warning.get(i);
        row.n_checks_violated = n_violated.get(i);
    }
    Ok(())
}

/// The columns of the means of `names`.
fn means<'f, const N: usize>(joined: &'f DataFrame, names: [&str; N]) -> PolarsResult<[&'f Float64Chunked; N]> {
    let columns: Vec<&Float64Chunked> =
        names.iter().map(|name| joined.column(&format!("{name}_mean"))?.f64()).collect::<PolarsResult<_>>()?;
    Ok(std::array::from_fn(|i| columns[i]))
}

/// The table in `file`, as comma-separated values.
pub(super) fn csv(file: &Path) -> PolarsResult<Vec<u8>> {
    let mut csv = Vec::new();
    CsvWriter::new(&mut csv).finish(&mut scan(&[file.to_owned()])?.collect()?)?;
    Ok(csv)
}

fn scan(paths: &[PathBuf]) -> PolarsResult<LazyFrame> {
    let paths = paths.iter().map(|path| PlRefPath::try_from_path(path)).collect::<PolarsResult<Vec<_>>>()?;
    let args = ScanArgsParquet { glob: false, hive_options: HiveOptions::new_disabled(), ..Default::default() };
    LazyFrame::scan_parquet_files(paths.into(), args)
}

/// The rows of a table of every run, with the run beside each. They are read as all stages read them, also where another
/// program wrote them in types of its own.
fn of_runs<R: Row>(runs: &[TableFiles]) -> Result<Vec<(&str, R)>, StoreError> {
    let mut rows = Vec::new();
    for parts in runs {
        rows.extend(read_all_rows(&parts.paths)?.into_iter().map(|row| (parts.run.as_str(), row)));
    }
    Ok(rows)
}

/// One column of some rows.
fn column<R, T>(rows: &[(&str, R)], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(|(_, row)| value(row)).collect()
}

/// Losses, errors and accuracies.
fn fits(runs: &[TableFiles]) -> Result<DataFrame, FrameError> {
    let rows = of_runs::<EpochRow>(runs)?;
    Ok(df!(
        "run" => rows.iter().map(|(run, _)| *run).collect::<Vec<&str>>(),
        "epoch" => column(&rows, |row| row.epoch),
        "step" => column(&rows, |row| row.step),
        "loss_train_nats" => column(&rows, |row| row.loss_train_nats),
        "loss_test_nats" => column(&rows, |row| row.loss_test_nats),
        "squared_error_train" => column(&rows, |row| row.squared_error_train),
        "squared_error_test" => column(&rows, |row| row.squared_error_test),
        "accuracy_train" => column(&rows, |row| row.accuracy_train),
        "accuracy_test" => column(&rows, |row| row.accuracy_test),
    )?)
}

/// The norms of the kind of gradients that was recorded first, and its name.
fn gradient_norms(runs: &[TableFiles]) -> Result<(DataFrame, Option<String>), FrameError> {
    let mut rows = of_runs::<GradientRow>(runs)?;
    // Files of version 1 have no name for the only kind they know.
    let kind = |row: &GradientRow| row.gradients_over.clone().unwrap_or_else(|| "after_step".to_owned());
    let first = rows.first().map(|(_, row)| kind(row));
    rows.retain(|(_, row)| Some(kind(row)) == first);
    let snr =
        |row: &GradientRow| row.gradient_std_norm.filter(|std| *std > 0.0).map(|std| row.gradient_mean_norm / std);
    let norms = df!(
        "run" => rows.iter().map(|(run, _)| *run).collect::<Vec<&str>>(),
        "layer" => column(&rows, |row| row.layer),
        "epoch" => column(&rows, |row| row.epoch),
        "step" => column(&rows, |row| row.step),
        "gradient_mean_norm" => column(&rows, |row| row.gradient_mean_norm),
        "gradient_std_norm" => column(&rows, |row| row.gradient_std_norm),
        "gradient_snr" => column(&rows, snr),
        "weight_norm" => column(&rows, |row| row.weight_norm),
    )?;
    Ok((norms, first))
}

/// The Frobenius norms of recorded kernels; `None` where there are none.
fn weight_norms(weights: &[(usize, TableFiles)]) -> Result<Option<DataFrame>, FrameError> {
    let (mut runs, mut layers, mut epochs, mut steps, mut norms) = (vec![], vec![], vec![], vec![], vec![]);
    for (layer, parts) in weights {
        for row in read_all_rows::<WeightRow>(&parts.paths)? {
            runs.push(parts.run.as_str());
            layers.push(*layer as i32);
            epochs.push(row.epoch);
            steps.push(row.step);
            norms.push(row.kernel.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt());
        }
    }
    if norms.is_empty() {
        return Ok(None);
    }
    let table = df!("run" => runs, "layer" => layers, "epoch" => epochs, "step" => steps, "weight_norm" => norms)?;
    let none = NORMS[..3].iter().map(|name| null(name));
    Ok(Some(table.lazy().with_columns(none.collect::<Vec<_>>()).collect()?))
}

/// How many checks warn and are violated, for every estimator, layer and snapshot.
fn checks(path: &Path) -> PolarsResult<DataFrame> {
    let count = |verdict: CheckVerdict, name: &'static str| {
        col("verdict").eq(lit(verdict.name())).cast(DataType::Int64).sum().alias(name)
    };
    let counts = [count(CheckVerdict::Warning, "n_checks_warning"), count(CheckVerdict::Violated, "n_checks_violated")];
    let keys = ["estimator", "layer", "epoch", "step"].map(col);
    scan(&[path.to_owned()])?.group_by(keys).agg(counts).collect()
}

/// The layers and snapshots of one estimator with what is beside them.
fn joined(mut table: LazyFrame, over_runs: &MeansOverRuns, beside: &Beside, estimated: &Estimated) -> LazyFrame {
    for (means, keys, names) in [(&over_runs.fits, &KEYS[1..], &FITS[..]), (&over_runs.norms, &KEYS[..], &NORMS[..])] {
        let on: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
        // A mean over fewer runs than the others of its row would be read as one over all of them.
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
    match beside.checks.as_ref().filter(|_| estimated.is_checked) {
        None => {
            table.with_columns(["n_checks_warning", "n_checks_violated"].map(|name| null(name).cast(DataType::Int64)))
        }
        Some(checks) => {
            let of_this = col("estimator").eq(lit(estimated.estimator.to_string()));
            let checks = checks.clone().lazy().filter(of_this).drop(cols(["estimator"]));
            table.join(checks, KEYS.map(col), KEYS.map(col), JoinType::Left.into())
        }
    }
}

fn null(name: &str) -> Expr {
    lit(NULL).cast(DataType::Float64).alias(name)
}
