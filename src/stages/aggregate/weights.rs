//! Means of measures of weights over the runs of an experiment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::layer_id::LayerId;
use crate::math::descriptive::mean;
use crate::math::interval::mean_interval;
use crate::store::schema::{WeightMeasureRow, WeightSummaryRow};
use crate::store::{StoreError, read_all_rows};

/// One number of a measure at one snapshot.
type NumberPlace = (Option<LayerId>, String, i64);

/// Means and intervals over the runs, or the groups of runs, of the measure `id` with tables `paths`.
pub(super) fn over_runs(experiment: &str, id: &str, paths: &[PathBuf]) -> Result<Vec<WeightSummaryRow>, StoreError> {
    Ok(summaries(experiment, id, &read_all_rows(paths)?))
}

/// The summaries of the `rows` of a measure. If the measure failed, each of its quantities has failed.
fn summaries(experiment: &str, id: &str, rows: &[WeightMeasureRow]) -> Vec<WeightSummaryRow> {
    // The epoch of each step at which the measure failed, and in how many runs.
    let mut failed: BTreeMap<i64, (i32, i32)> = BTreeMap::new();
    let mut by_place: BTreeMap<NumberPlace, Vec<&WeightMeasureRow>> = BTreeMap::new();
    // Any row of each quantity: the rows differ only in snapshot and run.
    let mut examples: BTreeMap<(Option<LayerId>, String), &WeightMeasureRow> = BTreeMap::new();
    let mut units: BTreeMap<String, String> = BTreeMap::new();
    for row in rows {
        let Some(quantity) = &row.quantity else {
            failed.entry(row.step).or_insert((row.epoch, 0)).1 += 1;
            continue;
        };
        by_place.entry((row.layer, quantity.to_string(), row.step)).or_default().push(row);
        examples.entry((row.layer, quantity.to_string())).or_insert(row);
        if let Some(unit) = &row.unit {
            units.insert(quantity.to_string(), unit.to_string());
        }
    }
    for step in failed.keys() {
        for (layer, quantity) in examples.keys() {
            by_place.entry((*layer, quantity.clone(), *step)).or_default();
        }
    }
    let summary = |((layer, quantity, step), rows): (NumberPlace, Vec<&WeightMeasureRow>)| {
        let numbers = |column: fn(&WeightMeasureRow) -> Option<f64>| -> Vec<f64> {
            rows.iter().filter_map(|row| column(row)).collect()
        };
        let values = numbers(|row| row.value);
        let interval = mean_interval(&values);
        let n_without = (rows.len() - values.len()) as i32;
        let example = examples[&(layer, quantity.clone())];
        let (epoch_of_failure, n_failed) = failed.get(&step).copied().unwrap_or_default();
        WeightSummaryRow {
            experiment: experiment.to_owned(),
            weights: id.to_owned(),
            measure: example.measure.clone(),
            randomness: example.randomness.clone(),
            layer,
            layer_name: example.layer_name.clone(),
            epoch: rows.first().map_or(epoch_of_failure, |row| row.epoch),
            step,
            unit: units.get(&quantity).cloned().unwrap_or_default(),
            quantity,
            n_runs: values.len() as i32,
            n_failed: n_failed + n_without,
            n_warned: rows.iter().filter(|row| row.warning.is_some()).count() as i32,
            mean: mean(&values),
            std: interval.map(|interval| interval.std),
            low: interval.and_then(|interval| interval.range).map(|range| range.low),
            high: interval.and_then(|interval| interval.range).map(|range| range.high),
            null_mean: mean(&numbers(|row| row.null_mean)),
            ceiling: mean(&numbers(|row| row.ceiling)),
        }
    };
    by_place.into_iter().map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::weights::rows::example;

    fn row(run: &str, step: i64, quantity: Option<&str>, value: Option<f64>) -> WeightMeasureRow {
        WeightMeasureRow { epoch: 10 * step as i32, ..example(run, step, quantity, None, value) }
    }

    #[test]
    fn failures_are_counted_where_no_run_has_a_number() {
        let rows = [
            // The first run has no unit to tell.
            row("r0000", 0, Some("snr"), None),
            row("r0001", 0, Some("snr"), Some(3.0)),
            row("r0000", 1, None, None),
            row("r0001", 1, None, None),
            row("r0000", 2, Some("snr"), Some(1.0)),
            row("r0001", 2, None, None),
        ];
        let found: Vec<_> = summaries("a", "batch", &rows)
            .into_iter()
            .map(|row| (row.step, row.epoch, row.unit, row.n_runs, row.n_failed, row.mean))
            .collect();
        let ratio = || "ratio".to_owned();
        let expected =
            [(0, 0, ratio(), 1, 1, Some(3.0)), (1, 10, ratio(), 0, 2, None), (2, 20, ratio(), 1, 1, Some(1.0))];
        assert_eq!(found, expected);
    }
}
