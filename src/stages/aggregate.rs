//! The aggregate stage: estimates of all runs, joined with losses and accuracies, as means and spreads over runs. The only
//! place that names `polars`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::trainings::{self, Trainings};
use super::{Outcome, StageError};
use crate::store::schema::{EpochRow, EstimateRow, Row, RunRow, SummaryRow, VERSION};
use crate::store::{
    Experiment, FileRecord, Footer, Lock, Pending, RecordedRun, Recording, RunId, StoreError, read_rows, write_bytes,
    write_rows,
};

/// What the summary is grouped by, and its order.
const KEYS: [&str; 5] = ["experiment", "estimator", "layer", "epoch", "step"];

/// Writes `summary.parquet` and `summary.csv` over all runs of all `experiments` into the folder `out`.
///
/// # Errors
/// No estimates, two experiments of one name, a table that cannot be read or written.
pub fn aggregate(experiments: &[Experiment], out: &Path) -> Result<Outcome, StageError> {
    let inputs = inputs(experiments)?;
    let hashes = hashes(&inputs)?;
    let work = Pending::new(out, "summary", &serde_json::json!({ "tables": hashes, "schema": VERSION }));
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::take(out)?;
    let mut table = inputs
        .into_iter()
        .map(joined)
        .collect::<PolarsResult<Vec<LazyFrame>>>()
        .and_then(|frames| concat(frames, UnionArgs::default()))
        .and_then(|all| summarise(all).collect())
        .map_err(|e| StageError::Refused(format!("cannot aggregate: {e}")))?;

    let rows = rows(&table).map_err(|e| StageError::Refused(format!("cannot aggregate: {e}")))?;
    warn_of_fewer_runs(&rows);
    let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
    let parquet = write_rows(out, Experiment::SUMMARY, &rows, &footer)?;
    let mut csv = Vec::new();
    CsvWriter::new(&mut csv).finish(&mut table).map_err(|e| StageError::Refused(format!("cannot write CSV: {e}")))?;
    let csv: FileRecord = write_bytes(out, "summary.csv", &csv)?;
    work.finish(vec![parquet, csv])?;
    Ok(Outcome::Done(format!("{} rows → {}", rows.len(), out.join(Experiment::SUMMARY).display())))
}

/// A mean over fewer runs than its neighbours is no error, but must not be read as if it stood on all of them.
fn warn_of_fewer_runs(rows: &[SummaryRow]) {
    let of = |row: &SummaryRow| row.n_runs + row.n_failed;
    let subjects: BTreeSet<(&str, &str)> = rows.iter().map(|r| (r.experiment.as_str(), r.estimator.as_str())).collect();
    for (experiment, estimator) in subjects {
        let counts: Vec<i32> =
            rows.iter().filter(|r| r.experiment == experiment && r.estimator == estimator).map(of).collect();
        let most = counts.iter().max().copied().unwrap_or(0);
        let n_fewer = counts.iter().filter(|n| **n < most).count();
        if n_fewer > 0 {
            tracing::warn!(
                "{experiment}, {estimator}: {n_fewer} of {} rows stand on fewer than {most} runs, which were recorded at different steps",
                counts.len()
            );
        }
    }
}

/// The files of one experiment.
struct Input {
    experiment: Experiment,
    estimates: Vec<PathBuf>,
    /// Every run that has losses and accuracies.
    epochs: Vec<Fits>,
    /// How the trainings ended, where the recording says so.
    trainings: Option<Trainings>,
    /// The hashes of the tables that say it.
    trainings_hashes: Vec<String>,
}

/// The losses and accuracies of one run.
struct Fits {
    run: String,
    parts: Vec<PathBuf>,
    hashes: Vec<String>,
}

fn inputs(experiments: &[Experiment]) -> Result<Vec<Input>, StageError> {
    let mut names: Vec<String> = experiments.iter().map(Experiment::name).collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let problem = format!("two experiments are called `{}`; rename the folder of one of them", pair[0]);
        return Err(StageError::Refused(problem));
    }
    let input = |experiment: &Experiment| {
        let by_estimator = experiment.estimate_files()?;
        let recording = match Recording::open(experiment) {
            // Estimates may lie apart from their recording.
            Err(StoreError::Missing { .. }) => None,
            recording => Some(recording?),
        };
        let runs = recording.as_ref().map_or(&[][..], Recording::runs);
        warn_of_missing_estimates(runs.len(), &by_estimator);
        let estimates: Vec<PathBuf> = by_estimator.into_iter().flat_map(|(_, files)| files).collect();
        if estimates.is_empty() {
            let problem = "no estimates; run `infoplane estimate` first".to_owned();
            return Err(StoreError::Missing { path: experiment.estimates(), problem }.into());
        }
        let mut trainings_hashes = Vec::new();
        for run in recording.iter().flat_map(Recording::all_runs) {
            trainings_hashes.extend(run.verify(RunRow::TABLE, None)?);
        }
        let trainings = recording.as_ref().map_or(Ok(None), trainings::of)?;
        Ok(Input { experiment: experiment.clone(), estimates, epochs: epochs(runs)?, trainings, trainings_hashes })
    };
    experiments.iter().map(input).collect()
}

/// Estimates of some runs only, as after a stage that was stopped.
fn warn_of_missing_estimates(n_runs: usize, by_estimator: &[(String, Vec<PathBuf>)]) {
    for (estimator, files) in by_estimator.iter().filter(|(_, files)| files.len() < n_runs && !is_pooled(files)) {
        let n = files.len();
        tracing::warn!("{estimator} has estimated {n} of {n_runs} recorded runs; run `infoplane estimate` again");
    }
}

/// Whether the one table is of all runs pooled.
fn is_pooled(files: &[PathBuf]) -> bool {
    let name = format!("run={}.parquet", RunId::pooled());
    files.iter().any(|file| file.ends_with(&name))
}

fn epochs(runs: &[RecordedRun]) -> Result<Vec<Fits>, StoreError> {
    let mut epochs = Vec::new();
    for run in runs {
        let parts = run.parts(EpochRow::TABLE, None);
        if !parts.is_empty() {
            epochs.push(Fits { run: run.id.to_string(), parts, hashes: run.verify(EpochRow::TABLE, None)? });
        }
    }
    Ok(epochs)
}

/// What the summary depends on: every file by its experiment, its path in there, and its content. Also makes sure that
/// each is a table of ours with the content that was written, so that polars meets no surprise.
fn hashes(inputs: &[Input]) -> Result<Vec<(String, String, String)>, StoreError> {
    let mut hashes = Vec::new();
    for input in inputs {
        let name = input.experiment.name();
        for path in &input.estimates {
            let (relative, hash) = input.experiment.verified_estimates(path)?;
            belongs_here(path, &relative)?;
            hashes.push((name.clone(), relative, hash));
        }
        for fits in &input.epochs {
            ascending(&fits.parts)?;
            let place = format!("epochs of {}", fits.run);
            hashes.extend(fits.hashes.iter().map(|hash| (name.clone(), place.clone(), hash.clone())));
        }
        hashes.extend(input.trainings_hashes.iter().map(|hash| (name.clone(), "runs".to_owned(), hash.clone())));
    }
    Ok(hashes)
}

/// Losses of one moment twice would count a run twice.
fn ascending(paths: &[PathBuf]) -> Result<(), StoreError> {
    let mut last = (-1, -1);
    for path in paths {
        for row in read_rows::<EpochRow>(path)? {
            let (epoch, step) = (row.epoch, row.step);
            if (epoch, step) <= last {
                let problem = format!(
                    "moments must ascend; epoch {epoch}, step {step} comes after epoch {}, step {}",
                    last.0, last.1
                );
                return Err(StoreError::Rows { path: path.clone(), problem });
            }
            last = (epoch, step);
        }
    }
    Ok(())
}

/// A copy of a table, or one in another's place, would count as one more run.
fn belongs_here(path: &Path, relative: &str) -> Result<(), StoreError> {
    let place = |row: &EstimateRow| Experiment::estimate_named(&row.estimator, &row.run);
    match read_rows::<EstimateRow>(path)?.iter().map(place).find(|place| place != relative) {
        None => Ok(()),
        Some(place) => {
            let problem = format!("its rows belong into estimates/{place}; move the file there, or out of estimates/");
            Err(StoreError::Rows { path: path.to_owned(), problem })
        }
    }
}

fn scan(paths: &[PathBuf]) -> PolarsResult<LazyFrame> {
    let paths = paths.iter().map(|path| PlRefPath::try_from_path(path)).collect::<PolarsResult<Vec<_>>>()?;
    let args = ScanArgsParquet { glob: false, hive_options: HiveOptions::new_disabled(), ..Default::default() };
    LazyFrame::scan_parquet_files(paths.into(), args)
}

/// The columns of a table of estimates that a summary is made of; those that an earlier version lacks are null.
fn scan_estimates(path: &PathBuf) -> PolarsResult<LazyFrame> {
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
    let kept = ["estimator", "run", "layer", "epoch", "step", "failure"];
    select_numbers(scan(std::slice::from_ref(path))?, &kept, &NUMBERS)
}

/// The columns `kept`, and `numbers`, which are null where the table lacks them.
fn select_numbers(mut table: LazyFrame, kept: &[&str], numbers: &[&str]) -> PolarsResult<LazyFrame> {
    let there = table.collect_schema()?;
    let number = |name: &&str| match there.contains(name) {
        true => col(*name),
        false => lit(NULL).cast(DataType::Float64).alias(*name),
    };
    let kept = kept.iter().map(|name| col(*name));
    Ok(table.select(kept.chain(numbers.iter().map(number)).collect::<Vec<_>>()))
}

/// Every estimate of one experiment beside the loss and accuracy of its run and epoch.
fn joined(input: Input) -> PolarsResult<LazyFrame> {
    const FITS: [&str; 6] = [
        "loss_train_nats",
        "loss_test_nats",
        "squared_error_train",
        "squared_error_test",
        "accuracy_train",
        "accuracy_test",
    ];
    // An experiment is called what its folder is called now.
    let tables = input.estimates.iter().map(scan_estimates).collect::<PolarsResult<Vec<_>>>()?;
    let count = |of: fn(&Trainings) -> i64, name: &str| {
        let count = input.trainings.as_ref().map_or_else(|| lit(NULL), |trainings| lit(of(trainings)));
        count.cast(DataType::Int64).alias(name)
    };
    let estimates = concat(tables, UnionArgs::default())?.with_columns([
        lit(input.experiment.name()).alias("experiment"),
        count(|trainings| trainings.n_failed, "n_trainings_failed"),
        count(|trainings| trainings.n_degenerate, "n_trainings_degenerate"),
    ]);
    if input.epochs.is_empty() {
        return Ok(estimates.with_columns(FITS.map(|name| lit(NULL).cast(DataType::Float64).alias(name))));
    }
    let of_run = |fits: &Fits| {
        let table = select_numbers(scan(&fits.parts)?, &["epoch", "step"], &FITS)?;
        Ok(table.with_column(lit(fits.run.as_str()).alias("run")))
    };
    let epochs = input.epochs.iter().map(of_run).collect::<PolarsResult<Vec<_>>>()?;
    let on = [col("run"), col("epoch"), col("step")];
    let epochs = concat(epochs, UnionArgs::default())?;
    Ok(estimates.join(epochs, &on, &on, JoinArgs::new(JoinType::Left)))
}

fn summarise(estimates: LazyFrame) -> LazyFrame {
    let mean = |name: &str| col(name).mean().alias(format!("{name}_mean"));
    let std = |name: &str| col(name).std(1).alias(format!("{name}_std"));
    // A mean over fewer runs than the others of its row would be read as one over all of them.
    let mean_of_all = |name: &str| {
        let is_whole = col(name).count().eq(len());
        when(is_whole).then(col(name).mean()).otherwise(lit(NULL)).alias(format!("{name}_mean"))
    };
    let estimates = estimates.group_by(KEYS.map(col)).agg([
        // Every estimate has I(T;Y).
        col("i_ty_bits").count().cast(DataType::Int32).alias("n_runs"),
        col("failure").count().cast(DataType::Int32).alias("n_failed"),
        mean("i_xt_bits"),
        std("i_xt_bits"),
        mean("i_ty_bits"),
        std("i_ty_bits"),
        mean("i_tt_bits"),
        mean("h_t_bits"),
        col("i_xt_null_bits_mean").mean(),
        col("i_ty_null_bits_mean").mean(),
        col("i_xt_ceiling_bits").min(),
        col("i_ty_ceiling_bits").min(),
        col("n_trainings_failed").first(),
        col("n_trainings_degenerate").first(),
        mean_of_all("loss_train_nats"),
        mean_of_all("loss_test_nats"),
        mean_of_all("squared_error_train"),
        mean_of_all("squared_error_test"),
        mean_of_all("accuracy_train"),
        mean_of_all("accuracy_test"),
    ]);
    // Group order is not defined; the sorted table has the same bytes every time.
    estimates.sort(KEYS, SortMultipleOptions::default())
}

fn rows(table: &DataFrame) -> PolarsResult<Vec<SummaryRow>> {
    let text = |name: &str| table.column(name)?.str();
    let count = |name: &str| table.column(name)?.i32();
    let number = |name: &str| table.column(name)?.f64();
    let row = |i: usize| {
        let text = |name: &str| Ok::<_, PolarsError>(text(name)?.get(i).unwrap_or_default().to_owned());
        let count = |name: &str| Ok::<_, PolarsError>(count(name)?.get(i).unwrap_or_default());
        let number = |name: &str| Ok::<_, PolarsError>(number(name)?.get(i));
        Ok(SummaryRow {
            experiment: text("experiment")?,
            estimator: text("estimator")?,
            layer: count("layer")?,
            epoch: count("epoch")?,
            step: table.column("step")?.i64()?.get(i),
            n_runs: count("n_runs")?,
            n_failed: count("n_failed")?,
            i_xt_bits_mean: number("i_xt_bits_mean")?,
            i_xt_bits_std: number("i_xt_bits_std")?,
            i_ty_bits_mean: number("i_ty_bits_mean")?,
            i_ty_bits_std: number("i_ty_bits_std")?,
            i_tt_bits_mean: number("i_tt_bits_mean")?,
            h_t_bits_mean: number("h_t_bits_mean")?,
            i_xt_null_bits_mean: number("i_xt_null_bits_mean")?,
            i_ty_null_bits_mean: number("i_ty_null_bits_mean")?,
            i_xt_ceiling_bits: number("i_xt_ceiling_bits")?,
            i_ty_ceiling_bits: number("i_ty_ceiling_bits")?,
            n_trainings_failed: table.column("n_trainings_failed")?.i64()?.get(i),
            n_trainings_degenerate: table.column("n_trainings_degenerate")?.i64()?.get(i),
            loss_train_nats_mean: number("loss_train_nats_mean")?,
            loss_test_nats_mean: number("loss_test_nats_mean")?,
            squared_error_train_mean: number("squared_error_train_mean")?,
            squared_error_test_mean: number("squared_error_test_mean")?,
            accuracy_train_mean: number("accuracy_train_mean")?,
            accuracy_test_mean: number("accuracy_test_mean")?,
            i_xt_bits_median: None,
            i_xt_bits_low: None,
            i_xt_bits_high: None,
            i_ty_bits_median: None,
            i_ty_bits_low: None,
            i_ty_bits_high: None,
            gradients_over: None,
            gradient_mean_norm_mean: None,
            gradient_std_norm_mean: None,
            gradient_snr_mean: None,
            weight_norm_mean: None,
            n_checks_warning: None,
            n_checks_violated: None,
        })
    };
    (0..table.height()).map(row).collect()
}
