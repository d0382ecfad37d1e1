//! The joins: every estimate beside the losses, gradients and verdicts of its moment, and what they are over runs. The only
//! place that names `polars`.

use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::inputs::{Estimated, Input, Parts};
use super::phases::{Course, Moment};
use crate::store::schema::{SummaryRow, WeightRow};
use crate::store::{Experiment, StoreError, read_all_rows};

/// What one moment of one layer is over runs is grouped by, and sorted.
const KEYS: [&str; 3] = ["layer", "epoch", "step"];
const RUN_KEYS: [&str; 4] = ["run", "layer", "epoch", "step"];

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

/// The tables of one experiment that go beside the estimates of all its estimators, in memory.
pub(super) struct Beside {
    fits: Option<DataFrame>,
    norms: Option<DataFrame>,
    checks: Option<DataFrame>,
    gradients_over: Option<String>,
}

/// The estimates of one estimator: over runs, and run by run.
pub(super) struct OfEstimator {
    /// One row for each layer and moment; the intervals are left to whoever has the resamples.
    pub(super) summary: Vec<SummaryRow>,
    /// In the same order, I(X;T) and I(T;Y) of the runs that have them.
    pub(super) i_xt: Vec<Vec<f64>>,
    pub(super) i_ty: Vec<Vec<f64>>,
    pub(super) courses: Vec<Course>,
}

impl Beside {
    /// Reads the tables of `input`.
    pub(super) fn read(input: &Input) -> Result<Self, FrameError> {
        let fits = match input.epochs.as_slice() {
            [] => None,
            epochs => Some(of_runs(epochs, |table| select(table, &["epoch", "step"], &FITS))?.collect()?),
        };
        let (norms, gradients_over) = match input.gradients.as_slice() {
            [] => (weight_norms(&input.weights)?, None),
            gradients => {
                let (norms, over) = gradient_norms(gradients)?;
                (Some(norms), over)
            }
        };
        let checks = input.is_checked.then(|| checks(&input.experiment.root().join(Experiment::CHECKS))).transpose()?;
        Ok(Self { fits, norms, checks, gradients_over })
    }
}

/// Joins the estimates of one estimator with what is beside them.
pub(super) fn of_estimator(input: &Input, beside: &Beside, estimated: &Estimated) -> Result<OfEstimator, FrameError> {
    let table = joined(beside, estimated)?.collect()?;
    expect_own(&table, estimated)?;
    let over_runs = summarise(table.clone().lazy()).collect()?;
    let [layer, epoch] = ["layer", "epoch"].map(|name| table.column(name));
    let (layer, epoch, step) = (layer?.i32()?, epoch?.i32()?, table.column("step")?.i64()?);
    let (run, failure) = (table.column("run")?.str()?, table.column("failure")?.str()?);
    let number = |name: &str| Ok::<_, PolarsError>(table.column(name)?.f64()?.clone());
    let (i_xt, i_ty, snr) = (number("i_xt_bits")?, number("i_ty_bits")?, number("gradient_snr")?);

    let mut made = OfEstimator {
        summary: rows(&over_runs, input, beside, estimated)?,
        i_xt: Vec::new(),
        i_ty: Vec::new(),
        courses: Vec::new(),
    };
    let mut places: std::collections::BTreeMap<(String, i32), usize> = std::collections::BTreeMap::new();
    let mut last = None;
    for i in 0..table.height() {
        let key = (layer.get(i), epoch.get(i), step.get(i));
        if last.replace(key) != Some(key) {
            made.i_xt.push(Vec::new());
            made.i_ty.push(Vec::new());
        }
        if let Some((xt, ty)) = made.i_xt.last_mut().zip(made.i_ty.last_mut()) {
            xt.extend(i_xt.get(i));
            ty.extend(i_ty.get(i));
        }
        let (Some(run), Some(layer)) = (run.get(i), layer.get(i)) else { continue };
        let place = *places.entry((run.to_owned(), layer)).or_insert_with(|| {
            let failed = input.trainings.as_ref().and_then(|trainings| trainings.failed.get(run));
            let failure = failed.map(|reason| format!("its training failed: {reason}"));
            made.courses.push(Course { run: run.to_owned(), layer, moments: Vec::new(), failure });
            made.courses.len() - 1
        });
        let course = &mut made.courses[place];
        let epoch = epoch.get(i).unwrap_or_default();
        if let Some(why) = failure.get(i).filter(|_| course.failure.is_none()) {
            course.failure = Some(format!("epoch {epoch}: {why}"));
        }
        let step = step.get(i).unwrap_or_default();
        course.moments.push(Moment { epoch, step, i_xt: i_xt.get(i), i_ty: i_ty.get(i), snr: snr.get(i) });
    }
    Ok(made)
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

/// The columns `kept`, and `numbers`, which are null where the table lacks them, as earlier versions do.
fn select(mut table: LazyFrame, kept: &[&str], numbers: &[&str]) -> PolarsResult<LazyFrame> {
    let there = table.collect_schema()?;
    let number = |name: &&str| match there.contains(name) {
        true => col(*name),
        false => lit(NULL).cast(DataType::Float64).alias(*name),
    };
    let kept = kept.iter().map(|name| col(*name));
    Ok(table.select(kept.chain(numbers.iter().map(number)).collect::<Vec<_>>()))
}

/// A table of every run, with the run beside it.
fn of_runs(runs: &[Parts], columns: impl Fn(LazyFrame) -> PolarsResult<LazyFrame>) -> PolarsResult<LazyFrame> {
    let of_run = |parts: &Parts| Ok(columns(scan(&parts.paths)?)?.with_column(lit(parts.run.as_str()).alias("run")));
    let tables = runs.iter().map(of_run).collect::<PolarsResult<Vec<_>>>()?;
    concat(tables, UnionArgs::default())
}

/// The norms of the kind of gradients that was recorded first, and its name.
fn gradient_norms(runs: &[Parts]) -> Result<(DataFrame, Option<String>), FrameError> {
    // Files of version 1 have no name for the only kind they know.
    let only = "after_step";
    let columns = |mut table: LazyFrame| {
        let is_named = table.collect_schema()?.contains("gradients_over");
        let over = if is_named { col("gradients_over").fill_null(lit(only)) } else { lit(only) };
        let norms = ["gradient_mean_norm", "gradient_std_norm", "weight_norm"];
        let snr = when(col("gradient_std_norm").gt(lit(0.0)))
            .then(col("gradient_mean_norm") / col("gradient_std_norm"))
            .otherwise(lit(NULL))
            .alias("gradient_snr");
        let table = table.with_column(over.alias("gradients_over"));
        Ok(select(table, &["layer", "epoch", "step", "gradients_over"], &norms)?.with_column(snr))
    };
    let all = of_runs(runs, columns)?.collect()?;
    let first = all.column("gradients_over")?.str()?.get(0).map(str::to_owned);
    let of_first = col("gradients_over").eq(lit(first.clone().unwrap_or_else(|| only.to_owned())));
    let norms = all.lazy().filter(of_first).select([RUN_KEYS.map(col).to_vec(), NORMS.map(col).to_vec()].concat());
    // A moment twice would count its run twice.
    Ok((norms.unique(Some(cols(RUN_KEYS)), UniqueKeepStrategy::Any).collect()?, first))
}

/// The Frobenius norms of recorded kernels; `None` where there are none.
fn weight_norms(weights: &[(usize, Parts)]) -> Result<Option<DataFrame>, FrameError> {
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
    let none = NORMS[..3].iter().map(|name| lit(NULL).cast(DataType::Float64).alias(*name));
    Ok(Some(table.lazy().with_columns(none.collect::<Vec<_>>()).collect()?))
}

/// How many checks warn and are violated, for every estimator, layer and moment.
fn checks(path: &Path) -> PolarsResult<DataFrame> {
    let count = |verdict: &'static str, name: &'static str| {
        col("verdict").eq(lit(verdict)).cast(DataType::Int64).sum().alias(name)
    };
    let counts = [count("warning", "n_checks_warning"), count("violated", "n_checks_violated")];
    let keys = ["estimator", "layer", "epoch", "step"].map(col);
    scan(&[path.to_owned()])?.group_by(keys).agg(counts).collect()
}

/// Every estimate beside the losses, norms and verdicts of its moment, sorted by [`KEYS`] and run.
fn joined(beside: &Beside, estimated: &Estimated) -> PolarsResult<LazyFrame> {
    const NUMBERS: [&str; 8] = [
        "i_xt_bits",
        "i_ty_bits",
        "i_xt_ceiling_bits",
        "i_ty_ceiling_bits",
        "i_tt_bits",
        "h_t_bits",
        "i_xt_null_bits_mean",
        "i_ty_null_bits_mean",
    ];
    let of_run = |(run, path): &(String, PathBuf)| {
        let kept = ["estimator", "run", "layer", "epoch", "step", "failure"];
        let table = select(scan(std::slice::from_ref(path))?, &kept, &NUMBERS)?;
        Ok(table.with_column(lit(run.as_str()).alias("place")))
    };
    let tables = estimated.tables.iter().map(of_run).collect::<PolarsResult<Vec<_>>>()?;
    let mut table = concat(tables, UnionArgs::default())?;
    let null = |name: &str, kind: DataType| lit(NULL).cast(kind).alias(name);
    let left = || JoinArgs::new(JoinType::Left);
    table = match &beside.fits {
        None => table.with_columns(FITS.map(|name| null(name, DataType::Float64))),
        Some(fits) => {
            let on = ["run", "epoch", "step"].map(col);
            table.join(fits.clone().lazy(), &on, &on, left())
        }
    };
    table = match &beside.norms {
        None => table.with_columns(NORMS.map(|name| null(name, DataType::Float64))),
        Some(norms) => table.join(norms.clone().lazy(), RUN_KEYS.map(col), RUN_KEYS.map(col), left()),
    };
    table = match beside.checks.as_ref().filter(|_| estimated.is_checked) {
        None => {
            let none = ["n_checks_warning", "n_checks_violated"].map(|name| null(name, DataType::Int64));
            table.with_columns(none)
        }
        Some(checks) => {
            let of_this = col("estimator").eq(lit(estimated.estimator.as_str()));
            let checks = checks.clone().lazy().filter(of_this).drop(cols(["estimator"]));
            table.join(checks, KEYS.map(col), KEYS.map(col), left())
        }
    };
    Ok(table.sort(["layer", "epoch", "step", "run"], SortMultipleOptions::default()))
}

/// A copy of a table, or one in another's place, would count as one more run.
fn expect_own(table: &DataFrame, estimated: &Estimated) -> Result<(), FrameError> {
    let text = |name: &str| table.column(name)?.str();
    let (estimator, run, place) = (text("estimator")?, text("run")?, text("place")?);
    for i in 0..table.height() {
        if estimator.get(i) != Some(&estimated.estimator) || run.get(i) != place.get(i) {
            let belongs =
                Experiment::estimate_named(estimator.get(i).unwrap_or_default(), run.get(i).unwrap_or_default());
            let problem =
                format!("its rows belong into estimates/{belongs}; move the file there, or out of estimates/");
            let table = estimated.tables.iter().find(|(run, _)| Some(run.as_str()) == place.get(i));
            let path = table.map_or_else(PathBuf::new, |(_, path)| path.clone());
            return Err(StoreError::Rows { path, problem }.into());
        }
    }
    Ok(())
}

fn summarise(estimates: LazyFrame) -> LazyFrame {
    let mean = |name: &str| col(name).mean().alias(format!("{name}_mean"));
    let std = |name: &str| col(name).std(1).alias(format!("{name}_std"));
    let median = |name: &str| col(name).median().alias(format!("{name}_median"));
    // A mean over fewer runs than the others of its row would be read as one over all of them.
    let mean_of_all = |name: &str| {
        let is_whole = col(name).count().eq(len());
        when(is_whole).then(col(name).mean()).otherwise(lit(NULL)).alias(format!("{name}_mean"))
    };
    let of_estimates = [
        // Every estimate has I(T;Y).
        col("i_ty_bits").count().cast(DataType::Int32).alias("n_runs"),
        col("failure").count().cast(DataType::Int32).alias("n_failed"),
        mean("i_xt_bits"),
        std("i_xt_bits"),
        median("i_xt_bits"),
        mean("i_ty_bits"),
        std("i_ty_bits"),
        median("i_ty_bits"),
        mean("i_tt_bits"),
        mean("h_t_bits"),
        col("i_xt_null_bits_mean").mean(),
        col("i_ty_null_bits_mean").mean(),
        col("i_xt_ceiling_bits").min(),
        col("i_ty_ceiling_bits").min(),
        col("n_checks_warning").first(),
        col("n_checks_violated").first(),
    ];
    let beside = FITS.iter().chain(&NORMS).map(|name| mean_of_all(name)).collect::<Vec<_>>();
    let estimates = estimates.group_by(KEYS.map(col)).agg([of_estimates.to_vec(), beside].concat());
    // Group order is not defined; the sorted table has the same bytes every time.
    estimates.sort(KEYS, SortMultipleOptions::default())
}

fn rows(table: &DataFrame, input: &Input, beside: &Beside, estimated: &Estimated) -> PolarsResult<Vec<SummaryRow>> {
    let count = |name: &str| table.column(name)?.i32();
    let number = |name: &str| table.column(name)?.f64();
    let row = |i: usize| {
        let count = |name: &str| Ok::<_, PolarsError>(count(name)?.get(i).unwrap_or_default());
        let number = |name: &str| Ok::<_, PolarsError>(number(name)?.get(i));
        Ok(SummaryRow {
            // An experiment is called what its folder is called now.
            experiment: input.experiment.name(),
            estimator: estimated.estimator.clone(),
            layer: count("layer")?,
            epoch: count("epoch")?,
            step: table.column("step")?.i64()?.get(i),
            n_runs: count("n_runs")?,
            n_failed: count("n_failed")?,
            i_xt_bits_mean: number("i_xt_bits_mean")?,
            i_xt_bits_std: number("i_xt_bits_std")?,
            i_xt_bits_median: number("i_xt_bits_median")?,
            i_xt_bits_low: None,
            i_xt_bits_high: None,
            i_ty_bits_mean: number("i_ty_bits_mean")?,
            i_ty_bits_std: number("i_ty_bits_std")?,
            i_ty_bits_median: number("i_ty_bits_median")?,
            i_ty_bits_low: None,
            i_ty_bits_high: None,
            i_tt_bits_mean: number("i_tt_bits_mean")?,
            h_t_bits_mean: number("h_t_bits_mean")?,
            i_xt_null_bits_mean: number("i_xt_null_bits_mean")?,
            i_ty_null_bits_mean: number("i_ty_null_bits_mean")?,
            i_xt_ceiling_bits: number("i_xt_ceiling_bits")?,
            i_ty_ceiling_bits: number("i_ty_ceiling_bits")?,
            n_trainings_failed: input.trainings.as_ref().map(|trainings| trainings.n_failed()),
            n_trainings_degenerate: input.trainings.as_ref().map(|trainings| trainings.n_degenerate),
            loss_train_nats_mean: number("loss_train_nats_mean")?,
            loss_test_nats_mean: number("loss_test_nats_mean")?,
            squared_error_train_mean: number("squared_error_train_mean")?,
            squared_error_test_mean: number("squared_error_test_mean")?,
            accuracy_train_mean: number("accuracy_train_mean")?,
            accuracy_test_mean: number("accuracy_test_mean")?,
            gradients_over: beside.gradients_over.clone(),
            gradient_mean_norm_mean: number("gradient_mean_norm_mean")?,
            gradient_std_norm_mean: number("gradient_std_norm_mean")?,
            gradient_snr_mean: number("gradient_snr_mean")?,
            weight_norm_mean: number("weight_norm_mean")?,
            n_checks_warning: table.column("n_checks_warning")?.i64()?.get(i),
            n_checks_violated: table.column("n_checks_violated")?.i64()?.get(i),
        })
    };
    (0..table.height()).map(row).collect()
}
