//! Numbers of the network for the page: losses, accuracies, gradients and norms of weights, means and 95 % intervals over runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::packing::packed;
use crate::layer_id::LayerId;
use crate::plots::series::of_all_runs;
use crate::plots::single::has_interval;
use crate::store::quantities::{EPOCHS, Getter, by_weight_norm, gradients_in_words};
use crate::store::schema::{EpochRow, SummaryRow, TrainingSummaryRow};

/// Losses and accuracies, means over runs, one number per snapshot.
#[derive(Debug, Default, Serialize)]
pub(super) struct Fits {
    epochs: Vec<i32>,
    steps: Vec<i64>,
    loss_train: Option<String>,
    loss_test: Option<String>,
    squared_error_train: Option<String>,
    squared_error_test: Option<String>,
    accuracy_train: Option<String>,
    accuracy_test: Option<String>,
    /// By quantity, for example `loss_train`.
    intervals: BTreeMap<&'static str, Ends>,
}

/// Gradients and norms of weights, means over runs.
#[derive(Debug, Serialize)]
pub(super) struct GradientData {
    /// The samples or batches that the gradients are over, in words.
    over: Option<String>,
    epochs: Vec<i32>,
    steps: Vec<i64>,
    lines: Vec<GradientLine>,
}

/// One layer by snapshot. Mean and standard deviation are divided by the norm of the weights.
#[derive(Debug, Serialize)]
struct GradientLine {
    layer: LayerId,
    mean: Option<String>,
    std: Option<String>,
    snr: Option<String>,
    weight_norm: Option<String>,
    /// By the name of the field.
    intervals: BTreeMap<&'static str, Ends>,
}

/// The ends of the 95 % intervals over runs of one quantity, one number per snapshot.
#[derive(Debug, Serialize)]
struct Ends {
    low: String,
    high: String,
}

impl Ends {
    /// Of the snapshots with these `steps`, as figures draw them: not of two runs, and not of snapshots that some runs lack. `None` if
    /// no snapshot has such an interval.
    fn of(training: &[TrainingSummaryRow], quantity: &str, layer: Option<LayerId>, steps: &[i64]) -> Option<Self> {
        let drawn = of_all_runs(training, quantity, layer).filter(|row| has_interval(row.n_runs));
        let by_step: BTreeMap<i64, &TrainingSummaryRow> = drawn.map(|row| (row.step, row)).collect();
        let ends = |end: fn(&TrainingSummaryRow) -> Option<f64>| {
            packed(steps.iter().map(|step| by_step.get(step).and_then(|row| end(row))))
        };
        Some(Self { low: ends(|row| row.low)?, high: ends(|row| row.high)? })
    }
}

/// The fields of a [`GradientLine`] and their quantities in the table `training_summary`.
const QUANTITIES: [(&str, &str); 4] = [
    ("mean", by_weight_norm::MEAN),
    ("std", by_weight_norm::STD),
    ("snr", "gradient_snr"),
    ("weight_norm", "weight_norm"),
];

impl Fits {
    pub(super) fn of(summary: &[SummaryRow], training: &[TrainingSummaryRow]) -> Self {
        let mut rows: BTreeMap<(Option<i64>, i32), &SummaryRow> = BTreeMap::new();
        // Pooled estimates have no losses; other estimates of the same snapshot have them.
        let has_fit = |row: &SummaryRow| row.loss_train_nats_mean.or(row.squared_error_train_mean).is_some();
        for row in summary {
            let kept = rows.entry((row.step, row.epoch)).or_insert(row);
            if !has_fit(kept) && has_fit(row) {
                *kept = row;
            }
        }
        let numbers = |number: fn(&SummaryRow) -> Option<f64>| packed(rows.values().map(|row| number(row)));
        let steps: Vec<i64> = rows.keys().map(|(step, epoch)| step.unwrap_or((*epoch).into())).collect();
        let interval = |number: &Getter<EpochRow>| Some((number.name, Ends::of(training, number.name, None, &steps)?));
        Self {
            intervals: EPOCHS.iter().filter_map(interval).collect(),
            epochs: rows.keys().map(|(_, epoch)| *epoch).collect(),
            loss_train: numbers(|row| row.loss_train_nats_mean),
            loss_test: numbers(|row| row.loss_test_nats_mean),
            squared_error_train: numbers(|row| row.squared_error_train_mean),
            squared_error_test: numbers(|row| row.squared_error_test_mean),
            accuracy_train: numbers(|row| row.accuracy_train_mean),
            accuracy_test: numbers(|row| row.accuracy_test_mean),
            steps,
        }
    }
}

impl GradientData {
    /// `None` if the summary contains neither gradients nor norms of weights.
    pub(super) fn of(summary: &[SummaryRow], training: &[TrainingSummaryRow]) -> Option<Self> {
        // The rows of each estimate repeat these numbers.
        let rows: BTreeMap<(i64, LayerId), &SummaryRow> = summary
            .iter()
            .filter(|row| row.weight_norm_mean.is_some() || row.gradient_mean_norm_mean.is_some())
            .map(|row| ((row.step.unwrap_or(row.epoch.into()), row.layer), row))
            .collect();
        let snapshots: BTreeMap<i64, i32> = rows.iter().map(|((step, _), row)| (*step, row.epoch)).collect();
        let layers: BTreeSet<LayerId> = rows.keys().map(|(_, layer)| *layer).collect();
        let steps: Vec<i64> = snapshots.keys().copied().collect();
        let line = |layer: LayerId| {
            let interval = |(field, quantity): (&'static str, &str)| {
                Some((field, Ends::of(training, quantity, Some(layer), &steps)?))
            };
            let numbers = |number: fn(&SummaryRow) -> Option<f64>| {
                packed(snapshots.keys().map(|step| number(rows.get(&(*step, layer))?)))
            };
            GradientLine {
                layer,
                mean: numbers(|row| Some(row.gradient_mean_norm_mean? / row.weight_norm_mean?)),
                std: numbers(|row| Some(row.gradient_std_norm_mean? / row.weight_norm_mean?)),
                snr: numbers(|row| row.gradient_snr_mean),
                weight_norm: numbers(|row| row.weight_norm_mean),
                intervals: QUANTITIES.into_iter().filter_map(interval).collect(),
            }
        };
        (!rows.is_empty()).then(|| Self {
            over: rows.values().find_map(|row| row.gradients_over.as_deref().map(gradients_in_words)),
            epochs: snapshots.values().copied().collect(),
            lines: layers.into_iter().map(line).collect(),
            steps: snapshots.keys().copied().collect(),
        })
    }
}
