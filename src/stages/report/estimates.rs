//! Estimates for the page: I(X;T) and I(T;Y) of one estimate over runs and of each run.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::packing::{packed, packed_all};
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::plots::ceiling_names;
use crate::store::schema::{EstimateRow, SummaryRow};

#[derive(Debug, Serialize)]
pub(super) struct EstimateData {
    pub(super) id: String,
    #[serde(flatten)]
    estimator: Arc<EstimateId>,
    /// The identity without the value of the scale.
    all_scales: String,
    quantity: String,
    pub(super) runs: Vec<String>,
    epochs: Vec<i32>,
    steps: Vec<i64>,
    i_xt: Option<Curve>,
    i_ty: Option<Curve>,
    i_xt_null: Option<String>,
    i_ty_null: Option<String>,
    i_xt_ceiling: Option<f64>,
    i_ty_ceiling: Option<f64>,
    /// Why I(X;T) and I(T;Y) cannot be larger: the names of the ceilings.
    ceiling_names: [&'static str; 2],
    n_failed: i32,
}

/// One quantity by layer and snapshot; `runs` by run, layer and snapshot.
#[derive(Debug, Serialize)]
struct Curve {
    mean: String,
    low: String,
    high: String,
    runs: Option<String>,
}

impl EstimateData {
    /// `summary` contains the rows of one estimate over runs, `single` its rows for each run; `layers` are the layers of the experiment.
    pub(super) fn new(summary: &[SummaryRow], single: &[EstimateRow], layers: &[LayerId], with_runs: bool) -> Self {
        let id = &summary[0].estimator;
        let snapshots: Vec<(i64, i32)> = summary
            .iter()
            .map(|row| (row.step.unwrap_or(row.epoch.into()), row.epoch))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let runs: Vec<String> = single.iter().map(|row| row.run.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let place = |layer: LayerId, step: i64, epoch: i32| {
            let layer = layers.binary_search(&layer).ok()?;
            Some(layer * snapshots.len() + snapshots.binary_search(&(step, epoch)).ok()?)
        };
        let n = layers.len() * snapshots.len();
        let over_runs = |number: fn(&SummaryRow) -> Option<f64>| {
            let mut numbers = vec![None; n];
            for row in summary {
                if let Some(place) = place(row.layer, row.step.unwrap_or(row.epoch.into()), row.epoch) {
                    numbers[place] = number(row);
                }
            }
            packed(numbers.into_iter())
        };
        let of_runs = |number: fn(&EstimateRow) -> Option<f64>| {
            let mut numbers = vec![None; n * runs.len()];
            for row in single {
                let run = runs.binary_search(&row.run).ok();
                if let (Some(run), Some(place)) = (run, place(row.layer, row.step, row.epoch)) {
                    numbers[run * n + place] = number(row);
                }
            }
            packed(numbers.into_iter()).filter(|_| with_runs)
        };
        type SummaryNumber = fn(&SummaryRow) -> Option<f64>;
        let curve = |[mean, low, high]: [SummaryNumber; 3], runs: fn(&EstimateRow) -> Option<f64>| {
            let mean = over_runs(mean)?;
            let none = || packed_all(&vec![f32::NAN; n]);
            let [low, high] = [low, high].map(|number| over_runs(number).unwrap_or_else(none));
            Some(Curve { mean, low, high, runs: of_runs(runs) })
        };
        let i_xt: [SummaryNumber; 3] = [|row| row.i_xt_bits_mean, |row| row.i_xt_bits_low, |row| row.i_xt_bits_high];
        let i_ty: [SummaryNumber; 3] = [|row| row.i_ty_bits_mean, |row| row.i_ty_bits_low, |row| row.i_ty_bits_high];
        // The ceiling of the widest layer: a layer of few units may have a lower ceiling.
        let most = |number: SummaryNumber| summary.iter().filter_map(number).reduce(f64::max);
        let first = single.first();
        Self {
            estimator: Arc::clone(id),
            all_scales: id.at_all_scales().to_string(),
            quantity: first.and_then(|row| row.quantity.clone()).unwrap_or_default(),
            i_xt: curve(i_xt, |row| row.i_xt_bits),
            i_ty: curve(i_ty, |row| row.i_ty_bits),
            i_xt_null: over_runs(|row| row.i_xt_null_bits_mean),
            i_ty_null: over_runs(|row| row.i_ty_null_bits_mean),
            i_xt_ceiling: most(|row| row.i_xt_ceiling_bits),
            i_ty_ceiling: most(|row| row.i_ty_ceiling_bits),
            ceiling_names: ceiling_names(summary),
            n_failed: summary.iter().map(|row| row.n_failed).sum(),
            epochs: snapshots.iter().map(|(_, epoch)| *epoch).collect(),
            steps: snapshots.iter().map(|(step, _)| *step).collect(),
            runs,
            id: id.to_string(),
        }
    }
}
