//! The results of a measure, as rows of its table.

use std::sync::Arc;

use super::MeasureFound;
use super::networks::NetworkPlace;
use crate::config::MeasureRequest;
use crate::layer_id::LayerId;
use crate::store::schema::WeightMeasureRow;
use crate::store::{LayerNames, RunId};
use crate::weights::Reading;

/// The rows of one table.
pub(super) struct MeasureRows {
    /// The common columns of all rows.
    template: WeightMeasureRow,
    rows: Vec<WeightMeasureRow>,
}

impl MeasureRows {
    /// The empty table of `request` for `run`, which represents `n_runs` runs.
    pub(super) fn new(request: &MeasureRequest, run: &RunId, n_runs: usize) -> Self {
        let template = WeightMeasureRow {
            measure: request.spec.name.to_owned(),
            settings: request.settings.as_deref().map(Arc::from),
            randomness: request.spec.randomness.name().to_owned(),
            run: run.to_string(),
            layer: None,
            layer_name: None,
            epoch: 0,
            step: 0,
            quantity: None,
            unit: None,
            value: None,
            value_per_weight: None,
            std_error: None,
            null_mean: None,
            null_std: None,
            ceiling: None,
            n_weights: 0,
            n_runs: n_runs as i32,
            method: None,
            warning: None,
            failure: None,
        };
        Self { template, rows: Vec::new() }
    }

    /// The following rows belong to the `n_runs` runs of a group called `run`.
    pub(super) fn begin_group(&mut self, run: &RunId, n_runs: usize) {
        (self.template.run, self.template.n_runs) = (run.to_string(), n_runs as i32);
    }

    /// Adds the results of a network with `n_weights` weights at one snapshot.
    pub(super) fn extend(&mut self, place: NetworkPlace, n_weights: usize, found: MeasureFound) {
        let here =
            WeightMeasureRow { epoch: place.0, step: place.1, n_weights: n_weights as i64, ..self.template.clone() };
        match found {
            Ok((readings, missing)) => {
                self.rows.extend(readings.into_iter().map(|reading| row(&here, reading)));
                self.rows.extend(missing.into_iter().map(|missing| WeightMeasureRow {
                    layer: missing.layer,
                    quantity: Some(Arc::from(missing.quantity)),
                    failure: Some(missing.why.to_string()),
                    ..here.clone()
                }));
            }
            Err(e) => self.rows.push(WeightMeasureRow { failure: Some(e.to_string()), ..here }),
        }
    }

    /// The rows, with the names of their layers.
    pub(super) fn named(self, names: &LayerNames) -> Vec<WeightMeasureRow> {
        let name = |row| WeightMeasureRow { layer_name: layer_name(&row, names), ..row };
        self.rows.into_iter().map(name).collect()
    }
}

fn layer_name(row: &WeightMeasureRow, names: &LayerNames) -> Option<Arc<str>> {
    row.layer.and_then(|layer: LayerId| names.get(layer))
}

fn row(here: &WeightMeasureRow, reading: Reading) -> WeightMeasureRow {
    let is_finite = reading.value.is_finite();
    let per_weight = reading.per_weight();
    let Reading { layer, quantity, unit, value, n_weights, std_error, null, ceiling, method, warning } = reading;
    WeightMeasureRow {
        layer,
        quantity: Some(Arc::from(quantity)),
        unit: Some(Arc::from(unit.name())),
        value: is_finite.then_some(value),
        value_per_weight: per_weight.filter(|_| is_finite),
        std_error,
        null_mean: null.map(|null| null.mean),
        null_std: null.and_then(|null| null.std),
        ceiling,
        n_weights: n_weights.map_or(here.n_weights, |n_weights| n_weights as i64),
        method: method.map(Arc::from),
        warning: warning.filter(|_| is_finite).map(Arc::from),
        failure: (!is_finite).then(|| format!("{quantity} is {value}")),
        ..here.clone()
    }
}

/// A row of the measure `batch` for tests: without a quantity if the measure failed, without a value if the quantity failed.
#[cfg(test)]
pub(in super::super) fn example(
    run: &str,
    step: i64,
    quantity: Option<&str>,
    layer: Option<LayerId>,
    value: Option<f64>,
) -> WeightMeasureRow {
    WeightMeasureRow {
        measure: "batch".to_owned(),
        settings: None,
        randomness: "batch".to_owned(),
        run: run.to_owned(),
        layer,
        layer_name: None,
        epoch: step as i32,
        step,
        quantity: quantity.map(Into::into),
        unit: value.map(|_| "ratio".into()),
        value,
        value_per_weight: None,
        std_error: None,
        null_mean: None,
        null_std: None,
        ceiling: None,
        n_weights: 10,
        n_runs: 1,
        method: None,
        warning: None,
        failure: value.is_none().then(|| "no gradient".to_owned()),
    }
}
