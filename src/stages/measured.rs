//! The rows of one quantity in a table of a measure of weights, for stages that need its values in every layer.

use std::collections::BTreeSet;

use crate::layer_id::LayerId;
use crate::store::schema::WeightMeasureRow;

/// The rows of `quantity` in the table of one measure, each with its layer. If the measure, or this quantity, fails for the whole
/// network, the layers have no rows: the failure then counts for every layer that has the quantity in other rows.
pub(super) fn rows_of_quantity<'a>(
    rows: &'a [WeightMeasureRow],
    quantity: &str,
) -> Vec<(Option<LayerId>, &'a WeightMeasureRow)> {
    let is_of = |row: &&WeightMeasureRow| row.quantity.as_deref() == Some(quantity);
    let of_quantity = || rows.iter().filter(is_of);
    let mut layers: BTreeSet<Option<LayerId>> = of_quantity().map(|row| row.layer).collect();
    if layers.is_empty() {
        layers.insert(None);
    }
    let present: BTreeSet<(&str, i64, Option<LayerId>)> =
        of_quantity().map(|row| (row.run.as_str(), row.step, row.layer)).collect();
    let mut found: Vec<(Option<LayerId>, &WeightMeasureRow)> = of_quantity().map(|row| (row.layer, row)).collect();
    let is_failure = |row: &&WeightMeasureRow| row.failure.is_some() && row.layer.is_none();
    let of_all = rows.iter().filter(|row| row.quantity.is_none());
    for row in of_quantity().chain(of_all).filter(is_failure) {
        let missing = layers.iter().filter(|layer| !present.contains(&(row.run.as_str(), row.step, **layer)));
        found.extend(missing.map(|layer| (*layer, row)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::weights::rows::example;

    /// The result of a measure in the only run at a step.
    fn row(step: i64, quantity: Option<&str>, layer: Option<LayerId>, value: Option<f64>) -> WeightMeasureRow {
        example("r0000", step, quantity, layer, value)
    }

    #[test]
    fn a_failure_for_the_whole_network_counts_for_every_layer_without_a_row() {
        let layers: Vec<Option<LayerId>> = LayerId::above_input().take(2).map(Some).collect();
        let rows = [
            row(0, Some("snr"), None, None),
            row(0, Some("snr"), layers[0], Some(1.0)),
            row(0, Some("snr"), layers[1], Some(2.0)),
            row(0, Some("noise_scale"), layers[0], Some(9.0)),
            row(1, Some("snr"), layers[1], Some(3.0)),
            row(1, Some("snr"), None, None),
            row(2, None, None, None),
        ];
        let values = |quantity: &str, layer: Option<LayerId>| {
            let found = rows_of_quantity(&rows, quantity).into_iter().filter(|(other, _)| *other == layer);
            found.map(|(_, row)| (row.step, row.value)).collect::<Vec<_>>()
        };
        assert_eq!(values("snr", layers[0]), [(0, Some(1.0)), (1, None), (2, None)]);
        assert_eq!(values("snr", layers[1]), [(0, Some(2.0)), (1, Some(3.0)), (2, None)]);
        assert_eq!(values("snr", None), [(0, None), (1, None), (2, None)]);
        // The network has no noise scale at any snapshot, so its failure is not one of the network.
        assert_eq!(values("noise_scale", layers[0]), [(0, Some(9.0)), (2, None)]);
        assert_eq!(values("noise_scale", None), []);
    }

    #[test]
    fn a_measure_that_always_fails_has_its_failure_for_the_network() {
        let rows = [row(0, None, None, None), row(1, None, None, None)];
        let places: Vec<(Option<LayerId>, i64)> =
            rows_of_quantity(&rows, "snr").into_iter().map(|(layer, row)| (layer, row.step)).collect();
        assert_eq!(places, [(None, 0), (None, 1)]);
    }
}
