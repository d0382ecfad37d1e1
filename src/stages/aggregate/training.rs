//! Losses, accuracies, gradients and norms of weights, snapshot by snapshot: mean and 95 % interval over the recorded runs.

use std::collections::BTreeMap;

use super::frames::Norms;
use crate::layer_id::LayerId;
use crate::math::descriptive::mean;
use crate::math::interval::mean_interval;
use crate::store::quantities::{EPOCHS, by_weight_norm};
use crate::store::schema::{EpochRow, TrainingSummaryRow};

/// The values of all runs, by quantity, layer (none for the whole network), epoch and step.
type RunValues = BTreeMap<(&'static str, Option<LayerId>, i32, i64), Vec<f64>>;

/// The rows of all quantities that are recorded, sorted by quantity, layer and snapshot.
pub(super) fn over_runs(experiment: &str, fits: &[(&str, EpochRow)], norms: &[Norms<'_>]) -> Vec<TrainingSummaryRow> {
    let mut values = RunValues::new();
    for (_, row) in fits {
        for number in EPOCHS {
            values.entry((number.name, None, row.epoch, row.step)).or_default().extend((number.get)(row));
        }
    }
    for row in norms {
        for (quantity, value) in quantities(row) {
            values.entry((quantity, Some(row.layer), row.epoch, row.step)).or_default().extend(value);
        }
    }
    let summary = |((quantity, layer, epoch, step), mut values): (_, Vec<f64>)| {
        // Kernels of zeros, and runs that diverged.
        values.retain(|value| value.is_finite());
        let interval = mean_interval(&values).filter(|interval| interval.std.is_finite());
        let range = interval.and_then(|interval| interval.range);
        Some(TrainingSummaryRow {
            experiment: experiment.to_owned(),
            quantity: str::to_owned(quantity),
            layer,
            epoch,
            step,
            n_runs: values.len() as i32,
            mean: mean(&values).filter(|mean| mean.is_finite())?,
            std: interval.map(|interval| interval.std),
            low: range.map(|range| range.low),
            high: range.map(|range| range.high),
        })
    };
    values.into_iter().filter_map(summary).collect()
}

/// The quantities of the layer and snapshot of `norms`.
fn quantities(norms: &Norms<'_>) -> [(&'static str, Option<f64>); 6] {
    [
        ("gradient_mean_norm", norms.gradient_mean),
        ("gradient_std_norm", norms.gradient_std),
        (by_weight_norm::MEAN, norms.gradient_mean.map(|norm| norm / norms.weight)),
        (by_weight_norm::STD, norms.gradient_std.map(|norm| norm / norms.weight)),
        ("gradient_snr", norms.snr),
        ("weight_norm", Some(norms.weight)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norms(run: &str, gradient: f64, weight: f64) -> Norms<'_> {
        let (layer, epoch, step) = (LayerId::FIRST, 3, 48);
        Norms { run, layer, epoch, step, gradient_mean: Some(gradient), gradient_std: None, snr: None, weight }
    }

    #[test]
    fn intervals_are_those_of_students_distribution() {
        let rows = over_runs("x", &[], &[norms("r0000", 2.0, 1.0), norms("r0001", 4.0, 4.0)]);
        let found = |quantity: &str| rows.iter().find(|row| row.quantity == quantity).unwrap();
        let row = found("gradient_mean_norm");
        assert_eq!((row.n_runs, row.mean, row.layer, row.epoch, row.step), (2, 3.0, Some(LayerId::FIRST), 3, 48));
        // Two values at a distance of 2 have a standard deviation of √2; t of 0.975 with 1 degree of freedom is 12.7062047.
        assert!((row.std.unwrap() - 2.0_f64.sqrt()).abs() < 1e-12);
        assert!((row.high.unwrap() - 15.706_204_7).abs() < 1e-6 && (row.low.unwrap() + 9.706_204_7).abs() < 1e-6);
        // The mean of 2 and 1, not 6 divided by 5.
        assert_eq!(found("gradient_mean_norm_by_weight_norm").mean, 1.5);
        assert!(rows.iter().all(|row| row.quantity != "gradient_snr"));
    }

    #[test]
    fn runs_of_equal_values_have_no_interval_and_a_kernel_of_zeros_no_quotient() {
        let rows = over_runs("x", &[], &[norms("r0000", 2.0, 0.0), norms("r0001", 2.0, 1.0)]);
        let found = |quantity: &str| rows.iter().find(|row| row.quantity == quantity).unwrap();
        let row = found("gradient_mean_norm");
        assert_eq!((row.n_runs, row.std, row.low, row.high), (2, Some(0.0), None, None));
        let row = found("gradient_mean_norm_by_weight_norm");
        assert_eq!((row.n_runs, row.mean, row.std, row.low), (1, 2.0, None, None));
    }
}
