//! One number that a measure finds, with its unit and what it can be compared with.

use super::MeasureError;
use crate::layer_id::LayerId;
use crate::units::Nats;

/// The unit of a number.
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
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bits => "bits",
            Self::Samples => "samples",
            Self::Probability => "probability",
            Self::Ratio => "ratio",
        }
    }
}

/// The same number where there is nothing to find, in the unit of the number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Null {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation; `None` where it is not known.
    pub std: Option<f64>,
}

/// One number that a measure finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The layer; `None` for the whole network.
    pub layer: Option<LayerId>,
    /// Which of the measure's numbers, for example `norm_part`.
    pub quantity: &'static str,
    /// Its unit.
    pub unit: MeasureUnit,
    /// The number.
    pub value: f64,
    /// Its standard error, where it was estimated by drawing at random.
    pub std_error: Option<f64>,
    /// The weights that it is shared among, where a number per weight has a meaning.
    pub n_weights: Option<usize>,
    /// What it would be if there were nothing to find.
    pub null: Option<Null>,
    /// The largest that it can be, or what theory says it is at most.
    pub ceiling: Option<f64>,
    /// How it was computed where the measure chooses by itself, for example `block Fisher`.
    pub method: Option<String>,
    /// Why the number must not be read as what its name says; `None` where nothing is wrong.
    pub warning: Option<String>,
}

/// A number that a measure would have, and why it has not.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingReading {
    /// The layer; `None` for the whole network.
    pub layer: Option<LayerId>,
    /// Which of the measure's numbers.
    pub quantity: &'static str,
    /// What is wrong, and what to do.
    pub why: MeasureError,
}

impl MissingReading {
    /// Of a whole network.
    pub fn new(quantity: &'static str, why: MeasureError) -> Self {
        Self { layer: None, quantity, why }
    }
}

impl Reading {
    /// A number of a whole network, without anything to compare it with.
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

    /// The same number of one layer.
    #[must_use]
    pub fn of_layer(self, layer: LayerId) -> Self {
        Self { layer: Some(layer), ..self }
    }

    /// The same number with its standard error, in the unit of the number.
    #[must_use]
    pub fn with_std_error(self, std_error: f64) -> Self {
        Self { std_error: Some(std_error), ..self }
    }

    /// The same number, shared among `n_weights` weights.
    #[must_use]
    pub fn shared_among(self, n_weights: usize) -> Self {
        Self { n_weights: Some(n_weights), ..self }
    }

    /// The same number with its ceiling.
    #[must_use]
    pub fn at_most(self, ceiling: f64) -> Self {
        Self { ceiling: Some(ceiling), ..self }
    }

    /// The same number with its null.
    #[must_use]
    pub fn with_null(self, mean: f64, std: Option<f64>) -> Self {
        Self { null: Some(Null { mean, std }), ..self }
    }

    /// The same number, computed by `method`.
    #[must_use]
    pub fn by(self, method: impl Into<String>) -> Self {
        Self { method: Some(method.into()), ..self }
    }

    /// The same number with the `reasons` why it must not be read as what its name says; without a warning where there are none.
    #[must_use]
    pub fn warned(self, reasons: &[&str]) -> Self {
        Self { warning: (!reasons.is_empty()).then(|| reasons.join("; ")), ..self }
    }

    /// The number per weight, where this has a meaning.
    pub fn per_weight(&self) -> Option<f64> {
        self.n_weights.map(|n_weights| self.value / n_weights as f64)
    }
}
