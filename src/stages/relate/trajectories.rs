//! The curves of measures of weights and of I(X;T) over the training, for each run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::StageError;
use super::super::measured::rows_of_quantity;
use crate::layer_id::LayerId;
use crate::store::schema::{EstimateRow, WeightMeasureRow};
use crate::store::{Experiment, read_all_rows};

/// I(X;T) by snapshot: step, epoch, bits.
pub(super) type InformationTrajectory = Vec<(i64, i32, f64)>;

/// A number of a measure by snapshot: step, epoch, number; `None` if the number failed or has a warning.
pub(super) type ValueTrajectory = Vec<(i64, i32, Option<f64>)>;

/// One number of a measure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) weights: String,
    pub(super) randomness: String,
    pub(super) quantity: String,
    pub(super) layer: Option<LayerId>,
}

/// Quantities that describe the accuracy of a measure. They are not related to compression, because more tests would weaken
/// Holm's correction.
const DIAGNOSTICS: [&str; 8] = [
    "key_gap",
    "sign_gap",
    "log2_symmetries",
    "gradient_norm",
    "acceptance",
    "r_hat",
    "layer_bits_divergence",
    "effective_directions",
];

/// Whether a quantity describes the accuracy of a measure, or reproduces an error of a released program.
fn is_diagnostic(quantity: &str) -> bool {
    DIAGNOSTICS.contains(&quantity) || quantity.starts_with("compat_")
}

/// The curves of one quantity, by experiment and run.
pub(super) type ByRun = BTreeMap<(String, String), ValueTrajectory>;

/// The measures of weights.
#[derive(Debug, Default)]
pub(super) struct WeightTrajectories {
    series: BTreeMap<Series, ByRun>,
}

impl WeightTrajectories {
    /// Reads the tables of the measure `id` in `experiment`.
    pub(super) fn read(&mut self, experiment: &Experiment, id: &str, paths: &[PathBuf]) -> Result<(), StageError> {
        let rows: Vec<WeightMeasureRow> = read_all_rows(paths)?;
        self.add(&experiment.name(), id, &rows);
        Ok(())
    }

    /// Adds the quantities of every table of the measure `id` in `experiment`, without diagnostics.
    fn add(&mut self, experiment: &str, id: &str, rows: &[WeightMeasureRow]) {
        let quantities: BTreeSet<&str> = rows.iter().filter_map(|row| row.quantity.as_deref()).collect();
        for quantity in quantities.into_iter().filter(|quantity| !is_diagnostic(quantity)) {
            for (layer, row) in rows_of_quantity(rows, quantity) {
                let series = Series {
                    weights: id.to_owned(),
                    randomness: row.randomness.clone(),
                    quantity: quantity.to_owned(),
                    layer,
                };
                let by_run = self.series.entry(series).or_default();
                let trajectory = by_run.entry((experiment.to_owned(), row.run.clone())).or_default();
                trajectory.push((row.step, row.epoch, row.value.filter(|_| row.warning.is_none())));
            }
        }
    }

    /// The numbers of a layer, and those of the whole network.
    pub(super) fn of_layer(&self, layer: LayerId) -> impl Iterator<Item = (&Series, &ByRun)> {
        self.series.iter().filter(move |(series, _)| series.layer.is_none_or(|other| other == layer))
    }
}

/// I(X;T) over the training.
#[derive(Debug, Default)]
pub(super) struct InformationTrajectories {
    /// By experiment, estimator, run and layer.
    trajectories: BTreeMap<(String, String, String, LayerId), InformationTrajectory>,
}

impl InformationTrajectories {
    /// Reads the tables of one estimator in `experiment`.
    pub(super) fn read(&mut self, experiment: &Experiment, paths: &[PathBuf]) -> Result<(), StageError> {
        let rows: Vec<EstimateRow> = read_all_rows(paths)?;
        for row in rows {
            if let Some(bits) = row.i_xt_bits {
                let place = (experiment.name(), row.estimator.to_string(), row.run, row.layer);
                self.trajectories.entry(place).or_default().push((row.step, row.epoch, bits));
            }
        }
        Ok(())
    }

    /// The curve of one run.
    pub(super) fn of_run(
        &self,
        experiment: &str,
        estimator: &str,
        run: &str,
        layer: LayerId,
    ) -> Option<&InformationTrajectory> {
        self.trajectories.get(&(experiment.to_owned(), estimator.to_owned(), run.to_owned(), layer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::weights::rows::example as row;
    use crate::weights::MEASURES;

    #[test]
    fn a_measure_that_fails_as_a_whole_has_no_number_of_any_layer_at_that_snapshot() {
        let first = Some(LayerId::FIRST);
        let rows = [
            row("r0000", 0, Some("snr"), first, Some(1.0)),
            row("r0000", 0, Some("snr"), None, Some(2.0)),
            row("r0000", 1, None, None, None),
            row("r0001", 0, None, None, None),
            // Of one number the network failed; the layer has its own.
            row("r0002", 0, Some("snr"), first, Some(3.0)),
            row("r0002", 0, Some("snr"), None, None),
            // Of one number all failed at the end.
            row("r0002", 1, Some("snr"), None, None),
        ];
        let mut weights = WeightTrajectories::default();
        weights.add("a", "batch", &rows);
        let trajectories: Vec<(Option<LayerId>, Vec<ValueTrajectory>)> = weights
            .of_layer(LayerId::FIRST)
            .map(|(series, by_run)| (series.layer, by_run.values().cloned().collect()))
            .collect();
        let of_network =
            vec![vec![(0, 0, Some(2.0)), (1, 1, None)], vec![(0, 0, None)], vec![(0, 0, None), (1, 1, None)]];
        let of_first =
            vec![vec![(0, 0, Some(1.0)), (1, 1, None)], vec![(0, 0, None)], vec![(0, 0, Some(3.0)), (1, 1, None)]];
        assert_eq!(trajectories, [(None, of_network), (first, of_first)]);
    }

    #[test]
    fn diagnostics_are_not_related() {
        let quantities = || MEASURES.iter().flat_map(|spec| spec.quantities).map(|quantity| quantity.name);
        for name in DIAGNOSTICS {
            assert!(quantities().any(|quantity| quantity == name), "no measure has {name}");
        }
        let rows: Vec<WeightMeasureRow> =
            ["snr", "r_hat", "compat_iiw"].map(|name| row("r0000", 0, Some(name), None, Some(1.0))).into();
        let mut weights = WeightTrajectories::default();
        weights.add("a", "batch", &rows);
        let names: Vec<&str> = weights.of_layer(LayerId::FIRST).map(|(series, _)| series.quantity.as_str()).collect();
        assert_eq!(names, ["snr"]);
    }
}
