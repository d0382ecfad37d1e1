//! One value that a measure finds, with its unit and reference values.

use super::MeasureError;
use crate::layer_id::LayerId;
use crate::units::Nats;

/// The unit of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureUnit {
    /// Bits of information or code length.
    Bits,
    /// A number of samples.
    Samples,
    /// A probability or a difference of probabilities, such as an error rate or a gap.
    Probability,
    /// A pure number.
    Ratio,
}

impl MeasureUnit {
    /// Name of the unit in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bits => "bits",
            Self::Samples => "samples",
            Self::Probability => "probability",
            Self::Ratio => "ratio",
        }
    }
}

/// A quantity that a measure finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// Its name in tables and claims.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: MeasureUnit,
    /// Its definition, in one sentence.
    pub doc: &'static str,
}

impl Quantity {
    pub(super) const fn bits(name: &'static str, doc: &'static str) -> Self {
        Self { name, unit: MeasureUnit::Bits, doc }
    }

    pub(super) const fn samples(name: &'static str, doc: &'static str) -> Self {
        Self { name, unit: MeasureUnit::Samples, doc }
    }

    pub(super) const fn probability(name: &'static str, doc: &'static str) -> Self {
        Self { name, unit: MeasureUnit::Probability, doc }
    }

    pub(super) const fn ratio(name: &'static str, doc: &'static str) -> Self {
        Self { name, unit: MeasureUnit::Ratio, doc }
    }
}

/// Distribution of the value under the null hypothesis (no effect), in the unit of the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Null {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation; `None` if unknown.
    pub std: Option<f64>,
}

/// One value that a measure finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The layer; `None` for the whole network.
    pub layer: Option<LayerId>,
    /// Name of the quantity, for example `norm_part`.
    pub quantity: &'static str,
    /// Its unit.
    pub unit: MeasureUnit,
    /// The value.
    pub value: f64,
    /// Its standard error, if it was sampled.
    pub std_error: Option<f64>,
    /// Number of weights, if a value per weight has a meaning.
    pub n_weights: Option<usize>,
    /// Distribution of the value under the null hypothesis.
    pub null: Option<Null>,
    /// The largest possible value, or an upper bound from theory.
    pub ceiling: Option<f64>,
    /// Method that the measure selected, for example `block Fisher`.
    pub method: Option<String>,
    /// Why the value must not be read as its name suggests; `None` without a warning.
    pub warning: Option<String>,
}

/// A value that could not be computed, and the reason.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingReading {
    /// The layer; `None` for the whole network.
    pub layer: Option<LayerId>,
    /// Name of the quantity.
    pub quantity: &'static str,
    /// The problem, and what to do.
    pub why: MeasureError,
}

impl MissingReading {
    /// A missing value of the whole network.
    pub fn new(quantity: &'static str, why: MeasureError) -> Self {
        Self { layer: None, quantity, why }
    }
}

impl Reading {
    /// A value of the whole network, without reference values.
    pub fn new(quantity: &'static str, unit: MeasureUnit, value: f64) -> Self {
        Self {
            layer: None,
            quantity,
            unit,
            value,
            std_error: None,
            n_weights: None,
            null: None,
            ceiling: None,
            method: None,
            warning: None,
        }
    }

    /// An amount of information or a code length.
    pub fn information(quantity: &'static str, amount: Nats) -> Self {
        Self::new(quantity, MeasureUnit::Bits, amount.bits())
    }

    /// This value, for one layer.
    #[must_use]
    pub fn of_layer(self, layer: LayerId) -> Self {
        Self { layer: Some(layer), ..self }
    }

    /// This value with its standard error, in the unit of the value.
    #[must_use]
    pub fn with_std_error(self, std_error: f64) -> Self {
        Self { std_error: Some(std_error), ..self }
    }

    /// This value, with the number of weights it belongs to.
    #[must_use]
    pub fn shared_among(self, n_weights: usize) -> Self {
        Self { n_weights: Some(n_weights), ..self }
    }

    /// This value with its ceiling.
    #[must_use]
    pub fn at_most(self, ceiling: f64) -> Self {
        Self { ceiling: Some(ceiling), ..self }
    }

    /// This value with its null hypothesis.
    #[must_use]
    pub fn with_null(self, mean: f64, std: Option<f64>) -> Self {
        Self { null: Some(Null { mean, std }), ..self }
    }

    /// This value, computed by `method`.
    #[must_use]
    pub fn by(self, method: impl Into<String>) -> Self {
        Self { method: Some(method.into()), ..self }
    }

    /// This value with the `reasons` why it must not be read as its name suggests; without reasons there is no
    /// warning.
    #[must_use]
    pub fn warned(self, reasons: &[&str]) -> Self {
        Self { warning: (!reasons.is_empty()).then(|| reasons.join("; ")), ..self }
    }

    /// The value per weight, if this has a meaning.
    pub fn per_weight(&self) -> Option<f64> {
        self.n_weights.map(|n_weights| self.value / n_weights as f64)
    }
}
