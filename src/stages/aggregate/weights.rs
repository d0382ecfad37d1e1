//! What measures of weights found, over the runs of an experiment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::layer_id::LayerId;
use crate::math::descriptive::mean;
use crate::math::interval::mean_interval;
use crate::store::schema::{WeightMeasureRow, WeightSummaryRow};
use crate::store::{StoreError, read_all_rows};

/// One number of a measure at one snapshot.
type NumberPlace = (Option<LayerId>, String, i64);

/// Means and intervals over the runs, or the groups of runs, of the measure `id`, whose tables are `paths`.
pub(super) fn over_runs(experiment: &str, id: &str, paths: &[PathBuf]) -> Result<Vec<WeightSummaryRow>, StoreError> {
    let rows: Vec<WeightMeasureRow> = read_all_rows(paths)?;
    let mut failed: BTreeMap<i64, i32> = BTreeMap::new();
    let mut by_place: BTreeMap<NumberPlace, Vec<&WeightMeasureRow>> = BTreeMap::new();
    for row in &rows {
        match &row.quantity {
            Some(quantity) => by_place.entry((row.layer, quantity.to_string(), row.step)).or_default().push(row),
            None => *failed.entry(row.step).or_default() += 1,
        }
    }
    let summary = |((_, quantity, step), rows): (NumberPlace, Vec<&WeightMeasureRow>)| {
        let numbers = |column: fn(&WeightMeasureRow) -> Option<f64>| -> Vec<f64> {
            rows.iter().filter_map(|row| column(row)).collect()
        };
        let values = numbers(|row| row.value);
        let interval = mean_interval(&values);
        let n_without = (rows.len() - values.len()) as i32;
        WeightSummaryRow {
            experiment: experiment.to_owned(),
            weights: id.to_owned(),
            measure: rows[0].measure.clone(),
            randomness: rows[0].randomness.clone(),
            layer: rows[0].layer,
            layer_name: rows[0].layer_name.clone(),
            epoch: rows[0].epoch,
            step,
            quantity,
            unit: rows[0].unit.as_deref().unwrap_or_default().to_owned(),
            n_runs: values.len() as i32,
            n_failed: failed.get(&step).copied().unwrap_or(0) + n_without,
            n_warned: rows.iter().filter(|row| row.warning.is_some()).count() as i32,
            mean: mean(&values),
            std: interval.map(|interval| interval.std),
            low: interval.and_then(|interval| interval.range).map(|range| range.low),
            high: interval.and_then(|interval| interval.range).map(|range| range.high),
            null_mean: mean(&numbers(|row| row.null_mean)),
            ceiling: mean(&numbers(|row| row.ceiling)),
        }
    };
    Ok(by_place.into_iter().map(summary).collect())
}
