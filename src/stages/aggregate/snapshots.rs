//! The estimates of one estimator, grouped by snapshot over runs, and by run over snapshots.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::super::StageError;
use super::inputs::{Estimated, Input};
use super::phases::{LayerHistory, SnapshotValues};
use crate::layer_id::LayerId;
use crate::math::descriptive;
use crate::math::interval::mean_interval;
use crate::store::schema::{EstimateRow, SummaryRow};
use crate::store::{Experiment, StoreError, read_rows};

/// Signal-to-noise ratios of the gradients, by run, then by layer and step.
pub(super) type Ratios = BTreeMap<String, BTreeMap<(LayerId, i64), f64>>;

/// All estimates of one estimator, sorted by layer, snapshot and run. Tables are read one after the other, because estimators
/// already run in parallel, and a waiting thread would start another estimator and have both in memory.
pub(super) fn read(estimated: &Estimated) -> Result<Vec<EstimateRow>, StageError> {
    let mut rows: Vec<EstimateRow> = Vec::new();
    for (run, path) in &estimated.tables {
        rows.extend(own(estimated, run, path)?);
    }
    rows.sort_by(|a, b| (a.layer, a.epoch, a.step, &a.run).cmp(&(b.layer, b.epoch, b.step, &b.run)));
    Ok(rows)
}

/// The rows of a table. A copy of a table, or a table at the path of another one, is an error: it would count as one more run.
fn own(estimated: &Estimated, run: &str, path: &Path) -> Result<Vec<EstimateRow>, StoreError> {
    let rows: Vec<EstimateRow> = read_rows(path)?;
    match rows.iter().find(|row| row.estimator != estimated.estimator || row.run != run) {
        None => Ok(rows),
        Some(row) => {
            let place = Experiment::estimate(&row.estimator, &row.run);
            let problem = format!("its rows belong to {place}; move the file there, or out of estimates/");
            Err(StoreError::Rows { path: path.to_owned(), problem })
        }
    }
}

/// The rows of one layer and snapshot, which are sorted by run.
pub(super) fn by_snapshot(rows: &[EstimateRow]) -> Vec<&[EstimateRow]> {
    rows.chunk_by(|a, b| (a.layer, a.epoch, a.step) == (b.layer, b.epoch, b.step)).collect()
}

/// The numbers of the runs that have one.
pub(super) fn numbers(rows: &[EstimateRow], number: fn(&EstimateRow) -> Option<f64>) -> Vec<f64> {
    rows.iter().filter_map(number).collect()
}

/// The means of the rows of one layer and snapshot over runs, without fits and norms.
pub(super) fn over_runs(input: &Input, rows: &[EstimateRow]) -> SummaryRow {
    let first = &rows[0];
    let mean = |number| descriptive::mean(&numbers(rows, number));
    let least = |number| numbers(rows, number).into_iter().reduce(f64::min);
    let (i_xt, i_ty) = (numbers(rows, |row| row.i_xt_bits), numbers(rows, |row| row.i_ty_bits));
    let range = |numbers: &[f64]| mean_interval(numbers).and_then(|interval| interval.range);
    let (i_xt_range, i_ty_range) = (range(&i_xt), range(&i_ty));
    SummaryRow {
        // The name of an experiment is the present name of its folder.
        experiment: input.experiment.name(),
        estimator: Arc::clone(&first.estimator),
        quantity: first.quantity.clone(),
        layer: first.layer,
        layer_name: first.layer_name.clone(),
        epoch: first.epoch,
        step: Some(first.step),
        // Every estimate has I(T;Y).
        n_runs: i_ty.len() as i32,
        n_failed: rows.iter().filter(|row| row.failure.is_some()).count() as i32,
        i_xt_bits_mean: descriptive::mean(&i_xt),
        i_xt_bits_std: descriptive::std(&i_xt),
        i_xt_bits_median: descriptive::median(i_xt),
        i_xt_bits_low: i_xt_range.map(|r| r.low),
        i_xt_bits_high: i_xt_range.map(|r| r.high),
        i_ty_bits_mean: descriptive::mean(&i_ty),
        i_ty_bits_std: descriptive::std(&i_ty),
        i_ty_bits_median: descriptive::median(i_ty),
        i_ty_bits_low: i_ty_range.map(|r| r.low),
        i_ty_bits_high: i_ty_range.map(|r| r.high),
        i_tt_bits_mean: mean(|row| row.i_tt_bits),
        i_xt_resampled_bits_std_mean: mean(|row| row.i_xt_resampled_bits_std),
        i_ty_resampled_bits_std_mean: mean(|row| row.i_ty_resampled_bits_std),
        i_xt_given_y_bits_mean: mean(|row| row.i_xt_given_y_bits),
        i_t_predicted_bits_mean: mean(|row| row.i_t_predicted_bits),
        h_predicted_given_t_bits_mean: mean(|row| row.h_predicted_given_t_bits),
        h_t_bits_mean: mean(|row| row.h_t_bits),
        i_xt_null_bits_mean: mean(|row| row.i_xt_null_bits_mean),
        i_ty_null_bits_mean: mean(|row| row.i_ty_null_bits_mean),
        i_xt_ceiling_bits: least(|row| row.i_xt_ceiling_bits),
        i_ty_ceiling_bits: least(|row| row.i_ty_ceiling_bits),
        h_x_bits: least(|row| row.h_x_bits),
        h_y_bits: least(|row| row.h_y_bits),
        n_trainings_failed: input.trainings.as_ref().map(|trainings| trainings.n_failed()),
        n_trainings_degenerate: input.trainings.as_ref().map(|trainings| trainings.n_degenerate),
        loss_train_nats_mean: None,
        loss_test_nats_mean: None,
        squared_error_train_mean: None,
        squared_error_test_mean: None,
        accuracy_train_mean: None,
        accuracy_test_mean: None,
        gradients_over: None,
        gradient_mean_norm_mean: None,
        gradient_std_norm_mean: None,
        gradient_snr_mean: None,
        weight_norm_mean: None,
        n_checks_warning: None,
        n_checks_violated: None,
    }
}

/// The history of every run and layer.
pub(super) fn histories(input: &Input, ratios: &Ratios, rows: &[EstimateRow]) -> Vec<LayerHistory> {
    let mut histories: BTreeMap<(&str, LayerId), LayerHistory> = BTreeMap::new();
    for row in rows {
        let history = histories.entry((&row.run, row.layer)).or_insert_with(|| {
            let failed = input.trainings.as_ref().and_then(|trainings| trainings.failed.get(&row.run));
            let failure = failed.map(|reason| format!("its training failed: {reason}"));
            LayerHistory {
                run: row.run.clone(),
                layer: row.layer,
                layer_name: row.layer_name.clone(),
                snapshots: Vec::new(),
                failure,
            }
        });
        if let Some(why) = row.failure.as_ref().filter(|_| history.failure.is_none()) {
            history.failure = Some(format!("epoch {}: {why}", row.epoch));
        }
        let snr = ratios.get(&row.run).and_then(|of_run| of_run.get(&(row.layer, row.step))).copied();
        history.snapshots.push(SnapshotValues {
            epoch: row.epoch,
            step: row.step,
            i_xt: row.i_xt_bits,
            i_ty: row.i_ty_bits,
            i_xt_ceiling: row.i_xt_ceiling_bits,
            n_codes: row.n_codes,
            snr,
        });
    }
    histories.into_values().map(without_gaps).collect()
}

/// Without I(X;T) at all snapshots, the peak and the end of a history are unknown.
fn without_gaps(mut history: LayerHistory) -> LayerHistory {
    let gap = history.snapshots.iter().find(|snapshot| snapshot.i_xt.is_none());
    if let Some(gap) = gap.filter(|_| history.failure.is_none() && history.snapshots.iter().any(|m| m.i_xt.is_some())) {
        history.failure = Some(format!("epoch {} has no I(X;T)", gap.epoch));
    }
    history
}
