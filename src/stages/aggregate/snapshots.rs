//! The estimates of one estimator: snapshot by snapshot over runs, and run by run over snapshots.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::super::StageError;
use super::inputs::{Estimated, Input};
use super::phases::{Course, Snapshot};
use crate::store::schema::{EstimateRow, SummaryRow};
use crate::store::{Experiment, StoreError, read_rows};

/// Signal-to-noise ratios of the gradients, by run, then by layer and step.
pub(super) type Ratios = BTreeMap<String, BTreeMap<(i32, i64), f64>>;

/// All estimates of one estimator, sorted by layer, snapshot and run. One after the other: estimators are side by side already,
/// and a thread that waits would begin another one and hold both.
pub(super) fn read(estimated: &Estimated) -> Result<Vec<EstimateRow>, StageError> {
    let mut rows: Vec<EstimateRow> = Vec::new();
    for (run, path) in &estimated.tables {
        rows.extend(own(estimated, run, path)?);
    }
    rows.sort_by(|a, b| (a.layer, a.epoch, a.step, &a.run).cmp(&(b.layer, b.epoch, b.step, &b.run)));
    Ok(rows)
}

/// The rows of a table. A copy of a table, or one in another's place, would count as one more run.
fn own(estimated: &Estimated, run: &str, path: &Path) -> Result<Vec<EstimateRow>, StoreError> {
    let rows: Vec<EstimateRow> = read_rows(path)?;
    match rows.iter().find(|row| row.estimator != estimated.estimator || row.run != run) {
        None => Ok(rows),
        Some(row) => {
            let place = Experiment::estimate_named(&row.estimator.to_string(), &row.run);
            let problem = format!("its rows belong into estimates/{place}; move the file there, or out of estimates/");
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

/// What the rows of one layer and snapshot are over runs; what is beside the estimates, and the intervals, are left out.
pub(super) fn over_runs(input: &Input, rows: &[EstimateRow]) -> SummaryRow {
    let first = &rows[0];
    let mean = |number| mean(&numbers(rows, number));
    let least = |number| numbers(rows, number).into_iter().reduce(f64::min);
    let (i_xt, i_ty) = (numbers(rows, |row| row.i_xt_bits), numbers(rows, |row| row.i_ty_bits));
    SummaryRow {
        // An experiment is called what its folder is called now.
        experiment: input.experiment.name(),
        estimator: Arc::clone(&first.estimator),
        quantity: first.quantity.clone(),
        layer: first.layer,
        epoch: first.epoch,
        step: Some(first.step),
        // Every estimate has I(T;Y).
        n_runs: i_ty.len() as i32,
        n_failed: rows.iter().filter(|row| row.failure.is_some()).count() as i32,
        i_xt_bits_mean: self::mean(&i_xt),
        i_xt_bits_std: std(&i_xt),
        i_xt_bits_median: median(i_xt),
        i_xt_bits_low: None,
        i_xt_bits_high: None,
        i_ty_bits_mean: self::mean(&i_ty),
        i_ty_bits_std: std(&i_ty),
        i_ty_bits_median: median(i_ty),
        i_ty_bits_low: None,
        i_ty_bits_high: None,
        i_tt_bits_mean: mean(|row| row.i_tt_bits),
        h_t_bits_mean: mean(|row| row.h_t_bits),
        i_xt_null_bits_mean: mean(|row| row.i_xt_null_bits_mean),
        i_ty_null_bits_mean: mean(|row| row.i_ty_null_bits_mean),
        i_xt_ceiling_bits: least(|row| row.i_xt_ceiling_bits),
        i_ty_ceiling_bits: least(|row| row.i_ty_ceiling_bits),
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

/// The course of every run and layer.
pub(super) fn courses(input: &Input, ratios: &Ratios, rows: &[EstimateRow]) -> Vec<Course> {
    let mut courses: BTreeMap<(&str, i32), Course> = BTreeMap::new();
    for row in rows {
        let course = courses.entry((&row.run, row.layer)).or_insert_with(|| {
            let failed = input.trainings.as_ref().and_then(|trainings| trainings.failed.get(&row.run));
            let failure = failed.map(|reason| format!("its training failed: {reason}"));
            Course { run: row.run.clone(), layer: row.layer, snapshots: Vec::new(), failure }
        });
        if let Some(why) = row.failure.as_ref().filter(|_| course.failure.is_none()) {
            course.failure = Some(format!("epoch {}: {why}", row.epoch));
        }
        let snr = ratios.get(&row.run).and_then(|of_run| of_run.get(&(row.layer, row.step))).copied();
        let EstimateRow { epoch, step, i_xt_bits, i_ty_bits, .. } = row;
        course.snapshots.push(Snapshot { epoch: *epoch, step: *step, i_xt: *i_xt_bits, i_ty: *i_ty_bits, snr });
    }
    courses.into_values().map(without_gaps).collect()
}

/// A course that has I(X;T) at some snapshots only says nothing of its peak or end.
fn without_gaps(mut course: Course) -> Course {
    let gap = course.snapshots.iter().find(|snapshot| snapshot.i_xt.is_none());
    if let Some(gap) = gap.filter(|_| course.failure.is_none() && course.snapshots.iter().any(|m| m.i_xt.is_some())) {
        course.failure = Some(format!("epoch {} has no I(X;T)", gap.epoch));
    }
    course
}

/// `None` of no numbers.
pub(super) fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

/// Standard deviation (n − 1); `None` of fewer than two numbers.
fn std(numbers: &[f64]) -> Option<f64> {
    let mean = mean(numbers).filter(|_| numbers.len() > 1)?;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    Some((squares / (numbers.len() as f64 - 1.0)).sqrt())
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let n = numbers.len();
    let (below, above) = (numbers.get(n.checked_sub(1)? / 2)?, numbers.get(n / 2)?);
    Some((below + above) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_spreads_and_medians_are_those_of_a_table_made_by_hand() {
        // 1, 2, 3, 6: mean 3; squares 4 + 1 + 0 + 9 = 14 over 3; between 2 and 3.
        let numbers = [6.0, 1.0, 3.0, 2.0];
        assert_eq!((mean(&numbers), median(numbers.to_vec())), (Some(3.0), Some(2.5)));
        assert!((std(&numbers).unwrap() - (14.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!((mean(&[]), std(&[]), median(vec![])), (None, None, None));
        assert_eq!((mean(&[2.0]), std(&[2.0]), median(vec![2.0])), (Some(2.0), None, Some(2.0)));
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
    }
}
