//! The quantities in tables that a claim can use: their names, and how to read them from a row.

use std::fmt;

use QuantityUnit::{Bits, Nats, Norm, Ratio, Share, SquaredError};

use super::schema::{BoundLayerRow, EpochRow, EstimateRow, GradientRow};

/// The unit of a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityUnit {
    /// Bits of information.
    Bits,
    /// Nats per sample: a cross-entropy.
    Nats,
    /// A squared error per sample.
    SquaredError,
    /// A share, a probability or a difference of these.
    Share,
    /// A pure number.
    Ratio,
    /// A norm of weights, or of gradients of the loss.
    Norm,
    /// A number of samples.
    Samples,
    /// A number of epochs.
    Epochs,
}

impl QuantityUnit {
    /// Whether two numbers may be subtracted. Shares have no unit; bounds of information theory compare them with bits.
    pub fn is_comparable_with(self, other: Self) -> bool {
        let is_pair = |unit, with| (self, other) == (unit, with) || (other, self) == (unit, with);
        self == other || is_pair(Self::Share, Self::Bits) || is_pair(Self::Share, Self::Ratio)
    }

    /// In words that follow "in".
    pub fn words(self) -> &'static str {
        match self {
            Self::Bits => "bits",
            Self::Nats => "nats",
            Self::SquaredError => "squared errors per sample",
            Self::Share => "shares from 0 to 1",
            Self::Ratio => "pure numbers",
            Self::Norm => "the unit of weights or gradients",
            Self::Samples => "samples",
            Self::Epochs => "epochs",
        }
    }
}

/// A quantity in the rows of a table.
pub struct Getter<R> {
    /// Name in a pipeline and in the table of claims.
    pub name: &'static str,
    /// Unit of its values.
    pub unit: QuantityUnit,
    /// The value in a row; `None` if the row has none.
    pub get: fn(&R) -> Option<f64>,
}

/// Quantities of a table of estimates.
pub const ESTIMATES: &[Getter<EstimateRow>] = &[
    Getter { name: "i_xt", unit: Bits, get: |row| row.i_xt_bits },
    Getter { name: "i_ty", unit: Bits, get: |row| row.i_ty_bits },
    Getter { name: "i_tt", unit: Bits, get: |row| row.i_tt_bits },
    Getter { name: "i_xt_given_y", unit: Bits, get: |row| row.i_xt_given_y_bits },
    Getter { name: "i_t_predicted", unit: Bits, get: |row| row.i_t_predicted_bits },
    Getter { name: "h_predicted_given_t", unit: Bits, get: |row| row.h_predicted_given_t_bits },
    Getter { name: "h_t", unit: Bits, get: |row| row.h_t_bits },
    Getter { name: "i_xt_null", unit: Bits, get: |row| row.i_xt_null_bits_mean },
    Getter { name: "i_ty_null", unit: Bits, get: |row| row.i_ty_null_bits_mean },
    Getter { name: "atom_share", unit: Share, get: |row| row.atom_share },
    Getter {
        name: "distinct_share",
        unit: Share,
        get: |row| row.n_distinct.map(|n| n as f64 / f64::from(row.n_samples)),
    },
];

/// Losses and accuracies.
pub const EPOCHS: &[Getter<EpochRow>] = &[
    Getter { name: "loss_train", unit: Nats, get: |row| row.loss_train_nats },
    Getter { name: "loss_test", unit: Nats, get: |row| row.loss_test_nats },
    Getter { name: "squared_error_train", unit: SquaredError, get: |row| row.squared_error_train },
    Getter { name: "squared_error_test", unit: SquaredError, get: |row| row.squared_error_test },
    Getter { name: "accuracy_train", unit: Share, get: |row| row.accuracy_train },
    Getter { name: "accuracy_test", unit: Share, get: |row| row.accuracy_test },
];

/// The signal-to-noise ratio of the gradients of a layer: the norm of their mean over that of their standard deviation. None if
/// the gradients do not vary.
pub fn gradient_snr(row: &GradientRow) -> Option<f64> {
    row.gradient_std_norm.filter(|std| *std > 0.0).map(|std| row.gradient_mean_norm / std)
}

/// The description of the gradients called `over` in the column `gradients_over`.
pub fn gradients_in_words(over: &str) -> String {
    match over {
        "after_step" => "gradients of the batches of an epoch, each after its step".to_owned(),
        "before_step" => "gradients of batches of reshuffled samples, each before a step".to_owned(),
        "samples" => "gradients of single training samples".to_owned(),
        other => other.to_owned(),
    }
}

/// Norms of gradients and weights.
pub const GRADIENTS: &[Getter<GradientRow>] = &[
    Getter { name: "gradient_snr", unit: Ratio, get: gradient_snr },
    Getter { name: "gradient_mean_norm", unit: Norm, get: |row| Some(row.gradient_mean_norm) },
    Getter { name: "gradient_std_norm", unit: Norm, get: |row| row.gradient_std_norm },
    Getter { name: "weight_norm", unit: Norm, get: |row| Some(row.weight_norm) },
];

/// Names of the norms of gradients divided by the norm of the weights, as in Fig. 4 of Shwartz-Ziv & Tishby 2017.
pub mod by_weight_norm {
    /// Norm of the mean gradient.
    pub const MEAN: &str = "gradient_mean_norm_by_weight_norm";
    /// Norm of the standard deviation of the gradients.
    pub const STD: &str = "gradient_std_norm_by_weight_norm";
}

/// Position of a layer relative to the information bottleneck curve: multipliers β, and a distance.
pub const BOUND_LAYERS: &[Getter<BoundLayerRow>] = &[
    Getter { name: "beta", unit: Ratio, get: |row| row.beta },
    Getter { name: "beta_one_step", unit: Ratio, get: |row| row.beta_one_step },
    Getter { name: "bound_gap", unit: Bits, get: |row| row.gap_bits },
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
