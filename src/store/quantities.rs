//! The quantities in tables that a claim can use: their names, and how to read them from a row.

use std::fmt;

use super::schema::{BoundLayerRow, EpochRow, EstimateRow, GradientRow};

/// A quantity in the rows of a table.
pub struct Getter<R> {
    /// Name in a pipeline and in the table of claims.
    pub name: &'static str,
    /// The value in a row; `None` if the row has none.
    pub get: fn(&R) -> Option<f64>,
}

/// Quantities of a table of estimates, in bits; shares are from 0 to 1.
pub const ESTIMATES: &[Getter<EstimateRow>] = &[
    Getter { name: "i_xt", get: |row| row.i_xt_bits },
    Getter { name: "i_ty", get: |row| row.i_ty_bits },
    Getter { name: "i_tt", get: |row| row.i_tt_bits },
    Getter { name: "i_xt_given_y", get: |row| row.i_xt_given_y_bits },
    Getter { name: "i_t_predicted", get: |row| row.i_t_predicted_bits },
    Getter { name: "h_predicted_given_t", get: |row| row.h_predicted_given_t_bits },
    Getter { name: "h_t", get: |row| row.h_t_bits },
    Getter { name: "i_xt_null", get: |row| row.i_xt_null_bits_mean },
    Getter { name: "i_ty_null", get: |row| row.i_ty_null_bits_mean },
    Getter { name: "atom_share", get: |row| row.atom_share },
    Getter { name: "distinct_share", get: |row| row.n_distinct.map(|n| n as f64 / f64::from(row.n_samples)) },
];

/// Losses in nats, squared errors, and accuracies as shares.
pub const EPOCHS: &[Getter<EpochRow>] = &[
    Getter { name: "loss_train", get: |row| row.loss_train_nats },
    Getter { name: "loss_test", get: |row| row.loss_test_nats },
    Getter { name: "squared_error_train", get: |row| row.squared_error_train },
    Getter { name: "squared_error_test", get: |row| row.squared_error_test },
    Getter { name: "accuracy_train", get: |row| row.accuracy_train },
    Getter { name: "accuracy_test", get: |row| row.accuracy_test },
];

/// The signal-to-noise ratio of the gradients of a layer: the norm of their mean over that of their standard deviation. None if
/// the gradients do not vary.
pub fn gradient_snr(row: &GradientRow) -> Option<f64> {
    row.gradient_std_norm.filter(|std| *std > 0.0).map(|std| row.gradient_mean_norm / std)
}

/// Norms of gradients and weights.
pub const GRADIENTS: &[Getter<GradientRow>] = &[
    Getter { name: "gradient_snr", get: gradient_snr },
    Getter { name: "gradient_mean_norm", get: |row| Some(row.gradient_mean_norm) },
    Getter { name: "gradient_std_norm", get: |row| row.gradient_std_norm },
    Getter { name: "weight_norm", get: |row| Some(row.weight_norm) },
];

/// Names of the norms of gradients divided by the norm of the weights, as in Fig. 4 of Shwartz-Ziv & Tishby 2017.
pub mod by_weight_norm {
    /// Norm of the mean gradient.
    pub const MEAN: &str = "gradient_mean_norm_by_weight_norm";
    /// Norm of the standard deviation of the gradients.
    pub const STD: &str = "gradient_std_norm_by_weight_norm";
}

/// Position of a layer relative to the information bottleneck curve: multipliers β, and a distance in bits.
pub const BOUND_LAYERS: &[Getter<BoundLayerRow>] = &[
    Getter { name: "beta", get: |row| row.beta },
    Getter { name: "beta_one_step", get: |row| row.beta_one_step },
    Getter { name: "bound_gap", get: |row| row.gap_bits },
];

/// The quantity with this name among those of one table.
pub fn find<R>(numbers: &'static [Getter<R>], name: &str) -> Option<&'static Getter<R>> {
    numbers.iter().find(|number| number.name == name)
}

/// The names of all quantities, table by table.
pub fn names() -> impl Iterator<Item = &'static str> {
    let estimates = ESTIMATES.iter().map(|number| number.name);
    let epochs = EPOCHS.iter().map(|number| number.name);
    let gradients = GRADIENTS.iter().map(|number| number.name);
    let bound = BOUND_LAYERS.iter().map(|number| number.name);
    estimates.chain(epochs).chain(gradients).chain(bound)
}

impl<R> PartialEq for Getter<R> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<R> fmt::Debug for Getter<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_numbers_have_the_same_name() {
        assert_eq!(names().collect::<BTreeSet<_>>().len(), names().count());
    }
}
