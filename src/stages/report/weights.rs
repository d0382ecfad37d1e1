//! Measures of weights for the page: the numbers that are shown of each, over runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::packing::packed;
use crate::layer_id::LayerId;
use crate::plots::weights::shown_numbers;
use crate::store::schema::WeightSummaryRow;

/// One number of a measure of weights.
#[derive(Debug, Serialize)]
pub(super) struct MeasureData {
    id: String,
    randomness: String,
    quantity: String,
    unit: String,
    /// Whether some of its numbers carry a warning.
    has_warnings: bool,
    epochs: Vec<i32>,
    steps: Vec<i64>,
    lines: Vec<MeasureLine>,
}

/// The number in one layer, or in the whole network, by snapshot.
#[derive(Debug, Serialize)]
struct MeasureLine {
    layer: Option<LayerId>,
    mean: Option<String>,
    low: Option<String>,
    high: Option<String>,
    null: Option<String>,
}

impl MeasureData {
    /// Of every table in `rows`, which are of one experiment.
    pub(super) fn of_tables(rows: &[WeightSummaryRow]) -> Vec<Self> {
        shown_numbers(rows).iter().map(|rows| Self::new(rows)).collect()
    }

    fn new(rows: &[&WeightSummaryRow]) -> Self {
        let snapshots: BTreeMap<i64, i32> = rows.iter().map(|row| (row.step, row.epoch)).collect();
        let mut by_layer: BTreeMap<Option<LayerId>, BTreeMap<i64, &WeightSummaryRow>> = BTreeMap::new();
        for row in rows {
            by_layer.entry(row.layer).or_default().insert(row.step, row);
        }
        let line = |(layer, rows): (Option<LayerId>, BTreeMap<i64, &WeightSummaryRow>)| {
            let numbers = |number: fn(&WeightSummaryRow) -> Option<f64>| {
                packed(snapshots.keys().map(|step| number(rows.get(step)?)))
            };
            MeasureLine {
                layer,
                mean: numbers(|row| row.mean),
                low: numbers(|row| row.low),
                high: numbers(|row| row.high),
                null: numbers(|row| row.null_mean),
            }
        };
        Self {
            id: rows[0].weights.clone(),
            randomness: rows[0].randomness.clone(),
            quantity: rows[0].quantity.clone(),
            unit: rows[0].unit.clone(),
            has_warnings: rows.iter().any(|row| row.n_warned > 0),
            epochs: snapshots.values().copied().collect(),
            steps: snapshots.keys().copied().collect(),
            lines: by_layer.into_iter().map(line).collect(),
        }
    }
}
