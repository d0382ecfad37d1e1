//! The joins: every estimate beside the losses, gradients and verdicts of its moment, and what they are over runs. The only
//! place that names `polars`.

use std::collections::{BTreeMap, HashMap};
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

/// What goes beside the estimates of all estimators of one experiment, in memory.
pub(super) struct Beside {
    /// Losses and accuracies, by run and moment.
    fits: Option<DataFrame>,
    /// Norms of gradients and weights, by run, layer and moment.
    norms: Option<DataFrame>,
    /// Signal-to-noise ratios, by run, layer and step.
    snr: BTreeMap<String, HashMap<(i32, i64), f64>>,
    checks: Option<DataFrame>,
    gradients_over: Option<String>,
    /// Fits and norms over runs, for every set of runs that was asked for: estimators have the same, as a rule.
    over_runs: BTreeMap<Vec<String>, OverRuns>,
}

/// Means and counts of fits by moment, and of norms by layer and moment.
#[derive(Clone)]
struct OverRuns {
    fits: Option<DataFrame>,
    norms: Option<DataFrame>,
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
        let snr = norms.as_ref().map_or_else(|| Ok(BTreeMap::new()), ratios)?;
        Ok(Self { fits, norms, snr, checks, gradients_over, over_runs: BTreeMap::new() })
    }

    /// The means of `runs`.
    fn over(&mut self, runs: &[String]) -> PolarsResult<OverRuns> {
        if let Some(known) = self.over_runs.get(runs) {
            return Ok(known.clone());
        }
        let mean = |name: &&str| [col(*name).mean(), col(*name).count().alias(format!("{name}_count"))];
        let of = |table: &Option<DataFrame>, keys: &[&str], names: &[&str]| {
            let over = |table: &DataFrame| {
                let these = df!("run" => runs)?.lazy();
                let table = table.clone().lazy().join(these, [col("run")], [col("run")], JoinType::Inner.into());
                let keys: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
                table.group_by(keys).agg(names.iter().flat_map(mean).collect::<Vec<_>>()).collect()
            };
            table.as_ref().map(over).transpose()
        };
        let made = OverRuns { fits: of(&self.fits, &KEYS[1..], &FITS)?, norms: of(&self.norms, &KEYS, &NORMS)? };
        self.over_runs.insert(runs.to_vec(), made.clone());
        Ok(made)
    }
}

/// The signal-to-noise ratios of a table of norms.
fn ratios(norms: &DataFrame) -> PolarsResult<BTreeMap<String, HashMap<(i32, i64), f64>>> {
    let (run, snr) = (norms.column("run")?.str()?, norms.column("gradient_snr")?.f64()?);
    let (layer, step) = (norms.column("layer")?.i32()?, norms.column("step")?.i64()?);
    let mut ratios: BTreeMap<String, HashMap<(i32, i64), f64>> = BTreeMap::new();
    for i in 0..norms.height() {
        let (Some(run), Some(layer), Some(step), Some(snr)) = (run.get(i), layer.get(i), step.get(i), snr.get(i))
        else {
            continue;
        };
        if !ratios.contains_key(run) {
            ratios.insert(run.to_owned(), HashMap::new());
        }
        if let Some(of_run) = ratios.get_mut(run) {
            of_run.insert((layer, step), snr);
        }
    }
    Ok(ratios)
}

/// Joins the estimates of one estimator with what is beside them.
pub(super) fn of_estimator(
    input: &Input,
    beside: &mut Beside,
    estimated: &Estimated,
) -> Result<OfEstimator, FrameError> {
    let table = estimates(estimated)?.collect()?;
    expect_own(&table, estimated)?;
    let runs: Vec<String> = estimated.tables.iter().map(|(run, _)| run.clone()).collect();
    let over_runs = beside.over(&runs)?;
    let summary = summarise(table.clone().lazy(), &over_runs, beside, estimated)?.collect()?;
    let (i_xt, i_ty, courses) = run_by_run(&table, input, beside)?;
    Ok(OfEstimator { summary: rows(&summary, input, beside, estimated)?, i_xt, i_ty, courses })
}

/// I(X;T) and I(T;Y) of all runs, moment by moment in the order of [`KEYS`]; and the course of every run and layer.
type RunByRun = (Vec<Vec<f64>>, Vec<Vec<f64>>, Vec<Course>);

fn run_by_run(table: &DataFrame, input: &Input, beside: &Beside) -> PolarsResult<RunByRun> {
    let count = |name: &str| table.column(name)?.i32();
    let text = |name: &str| table.column(name)?.str();
    let number = |name: &str| table.column(name)?.f64();
    let (layer, epoch, step) = (count("layer")?, count("epoch")?, table.column("step")?.i64()?);
    let (run, failure) = (text("run")?, text("failure")?);
    let (i_xt, i_ty) = (number("i_xt_bits")?, number("i_ty_bits")?);

    let moment = |i: usize| (layer.get(i), epoch.get(i), step.get(i));
    let mut order: Vec<usize> = (0..table.height()).collect();
    order.sort_by_key(|i| (moment(*i), run.get(*i)));
    let (mut all_xt, mut all_ty, mut courses): RunByRun = Default::default();
    let mut places: HashMap<(&str, i32), usize> = HashMap::new();
    let mut last = None;
    for i in order {
        if last.replace(moment(i)) != Some(moment(i)) {
            all_xt.push(Vec::new());
            all_ty.push(Vec::new());
        }
        if let (Some(of_xt), Some(of_ty)) = (all_xt.last_mut(), all_ty.last_mut()) {
            of_xt.extend(i_xt.get(i));
            of_ty.extend(i_ty.get(i));
        }
        let (Some(run), (Some(layer), Some(epoch), Some(step))) = (run.get(i), moment(i)) else { continue };
        let place = *places.entry((run, layer)).or_insert_with(|| {
            let failed = input.trainings.as_ref().and_then(|trainings| trainings.failed.get(run));
            let failure = failed.map(|reason| format!("its training failed: {reason}"));
            courses.push(Course { run: run.to_owned(), layer, moments: Vec::new(), failure });
            courses.len() - 1
        });
        let course = &mut courses[place];
        if let Some(why) = failure.get(i).filter(|_| course.failure.is_none()) {
            course.failure = Some(format!("epoch {epoch}: {why}"));
        }
        let snr = beside.snr.get(run).and_then(|of_run| of_run.get(&(layer, step))).copied();
        course.moments.push(Moment { epoch, step, i_xt: i_xt.get(i), i_ty: i_ty.get(i), snr });
    }
    Ok((all_xt, all_ty, courses))
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
        false => null(name),
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
    let none = NORMS[..3].iter().map(|name| null(name));
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

/// The tables of all runs below each other, with the run that each should be of.
fn estimates(estimated: &Estimated) -> PolarsResult<LazyFrame> {
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
    concat(tables, UnionArgs::default())
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

/// One row for every layer and moment, with the fits, norms and verdicts of the same.
fn summarise(
    estimates: LazyFrame,
    over_runs: &OverRuns,
    beside: &Beside,
    estimated: &Estimated,
) -> PolarsResult<LazyFrame> {
    let mean = |name: &str| col(name).mean().alias(format!("{name}_mean"));
    let std = |name: &str| col(name).std(1).alias(format!("{name}_std"));
    let median = |name: &str| col(name).median().alias(format!("{name}_median"));
    let mut table = estimates.group_by(KEYS.map(col)).agg([
        len().alias("n_rows"),
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
    ]);
    for (means, keys, names) in [(&over_runs.fits, &KEYS[1..], &FITS[..]), (&over_runs.norms, &KEYS[..], &NORMS[..])] {
        let on: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
        // A mean over fewer runs than the others of its row would be read as one over all of them.
        let of_all = |name: &&str| {
            let is_whole = col(format!("{name}_count")).eq(col("n_rows"));
            when(is_whole).then(col(*name)).otherwise(lit(NULL)).alias(format!("{name}_mean"))
        };
        table = match means {
            None => table.with_columns(names.iter().map(|name| null(&format!("{name}_mean"))).collect::<Vec<_>>()),
            Some(means) => {
                let joined = table.join(means.clone().lazy(), &on, &on, JoinType::Left.into());
                joined.with_columns(names.iter().map(of_all).collect::<Vec<_>>())
            }
        };
    }
    table = match beside.checks.as_ref().filter(|_| estimated.is_checked) {
        None => {
            table.with_columns(["n_checks_warning", "n_checks_violated"].map(|name| null(name).cast(DataType::Int64)))
        }
        Some(checks) => {
            let of_this = col("estimator").eq(lit(estimated.estimator.as_str()));
            let checks = checks.clone().lazy().filter(of_this).drop(cols(["estimator"]));
            table.join(checks, KEYS.map(col), KEYS.map(col), JoinType::Left.into())
        }
    };
    // Group order is not defined; the sorted table has the same bytes every time.
    Ok(table.sort(KEYS, SortMultipleOptions::default()))
}

fn null(name: &str) -> Expr {
    lit(NULL).cast(DataType::Float64).alias(name)
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
