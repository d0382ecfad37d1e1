//! Why an estimator cannot have its parameters, and why there is no estimate.

use thiserror::Error;

use crate::math::edges::EdgesError;
use crate::parameter::{Kind, ParameterError, Value};
use crate::sample::SampleError;

/// Why an estimator cannot have these parameters.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum InvalidParameter {
    /// A number outside of what the estimator can use.
    #[error("`{parameter}` must be {allowed}, got {}", Value::Number(*got))]
    OutOfRange {
        /// The name of the parameter.
        parameter: &'static str,
        /// What is allowed, in words.
        allowed: String,
        /// The number that was given.
        got: f64,
    },
    /// A first edge that is not below the last one.
    #[error("the first edge must be below the last, got {} and {}", Value::Number(*low), Value::Number(*high))]
    Descending {
        /// The first edge.
        low: f64,
        /// The last edge.
        high: f64,
    },
    /// Edges that rounding makes equal.
    #[error(transparent)]
    TooClose(#[from] EdgesError),
    /// A bin width that is 0 or infinite in single precision.
    #[error("f32 cannot hold the bin width {}; use double precision", Value::Number(*width))]
    NotSingle {
        /// The bin width.
        width: f64,
    },
}

impl InvalidParameter {
    /// Returns `count` if it is from `min` to `max`.
    pub(super) fn check_count(parameter: &'static str, count: usize, (min, max): (u64, u64)) -> Result<usize, Self> {
        let out_of_range =
            Self::OutOfRange { parameter, allowed: Kind::Count { min, max }.to_string(), got: count as f64 };
        if (min..=max).contains(&(count as u64)) { Ok(count) } else { Err(out_of_range) }
    }

    /// Returns `number` if it is of this `kind`.
    pub(super) fn check_number(parameter: &'static str, number: f64, kind: Kind) -> Result<f64, Self> {
        let is_allowed = number.is_finite()
            && match kind {
                Kind::Positive => number > 0.0,
                Kind::NotNegative => number >= 0.0,
                _ => true,
            };
        let out_of_range = Self::OutOfRange { parameter, allowed: kind.to_string(), got: number };
        if is_allowed { Ok(number) } else { Err(out_of_range) }
    }
}

impl From<InvalidParameter> for ParameterError {
    fn from(invalid: InvalidParameter) -> Self {
        match invalid {
            InvalidParameter::OutOfRange { parameter, allowed, got } => {
                Self::Value { name: parameter, allowed, got: Value::Number(got).to_string() }
            }
            InvalidParameter::Descending { low, high } => {
                let (low, high) = (Value::Number(low), Value::Number(high));
                Self::Refused(format!("parameter `low`: must be below `high`, got {low} and {high}"))
            }
            InvalidParameter::TooClose(problem) => Self::Refused(format!("parameter `n_edges`: {problem}")),
            InvalidParameter::NotSingle { width } => {
                let width = Value::Number(width);
                Self::Refused(format!("parameter `bin_width`: f32 cannot hold {width}; use `precision` f64"))
            }
        }
    }
}

/// Why there is no estimate. A `sample` is a row of what was estimated until [`EstimateError::located`] names it.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum EstimateError {
    /// Values that are no representation.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// T and Y are of different samples.
    #[error("the layer has {n_t} samples, the labels have {n_y}; record again or repair the samples table")]
    Mismatch {
        /// Samples of T.
        n_t: usize,
        /// Samples of Y.
        n_y: usize,
    },
    /// One sample carries no information.
    #[error("an estimate needs at least 2 samples, got {n}")]
    TooFew {
        /// Number of samples.
        n: usize,
    },
    /// A value the estimator was told to refuse.
    #[error("sample {sample}, unit {unit} is {value}, outside of the edges {low} to {high}")]
    Outside {
        /// Row of the value.
        sample: usize,
        /// Column of the value.
        unit: usize,
        /// The value.
        value: f32,
        /// The first edge.
        low: f64,
        /// The last edge.
        high: f64,
    },
    /// The cell number of a value does not fit into 32 bits.
    #[error(
        "sample {sample}, unit {unit} is {value}: too many bins of width {} away from 0; choose a larger `bin_width`",
        Value::Number(*bin_width)
    )]
    TooFar {
        /// Row of the value.
        sample: usize,
        /// Column of the value.
        unit: usize,
        /// The value.
        value: f32,
        /// The bin width.
        bin_width: f64,
    },
    /// Bins that rounding would not tell apart.
    #[error("the values leave no room for the bins: {problem}")]
    Range {
        /// What is wrong.
        problem: String,
    },
    /// A formula that counts samples of a class, and labels that are probabilities.
    #[error("{what} needs one label for every sample, and these labels are probabilities")]
    NeedsHardLabels {
        /// What needs them.
        what: &'static str,
    },
    /// Noise relative to a spread that is 0.
    #[error("all values of the layer are equal, so it has no spread to set the noise by; leave out `relative`")]
    Constant,
    /// Numbers too large or too small for the arithmetic.
    #[error("the {what} is not a finite number; choose a `noise_variance` nearer to the layer's variance")]
    NotFinite {
        /// Which result.
        what: &'static str,
    },
    /// Samples without a density.
    #[error(
        "{n} of {n_samples} samples equal {k} others or more, so the entropy is -infinity; use `epsilon` 1e-16 to do as Saxe et al. 2018, whose estimate is then set by it, or another estimator"
    )]
    Duplicates {
        /// Samples whose k-th neighbour is at distance 0.
        n: usize,
        /// Number of samples.
        n_samples: usize,
        /// Which neighbour.
        k: usize,
    },
    /// A k-th neighbour needs more than k samples.
    #[error(
        "the smallest class has {n} samples, and neighbour {k} of a sample needs more than {k}; choose a smaller `k`, or another estimator"
    )]
    FewInClass {
        /// Samples of the smallest class.
        n: usize,
        /// Which neighbour.
        k: usize,
    },
    /// A covariance needs more samples than units.
    #[error(
        "{n_units} units need more than {n_units} samples of every class for a covariance, got {n}; use another estimator"
    )]
    TooWide {
        /// Width of the layer.
        n_units: usize,
        /// Samples of the smallest class.
        n: usize,
    },
    /// Rounding left a covariance that is none.
    #[error("{problem}; use a larger `noise_variance`")]
    Singular {
        /// What is wrong.
        problem: String,
    },
}

impl EstimateError {
    /// The same with the number of the sample that stands in a row, and of the unit that was looked at alone.
    #[must_use]
    pub fn located(mut self, number: impl Fn(usize) -> usize, only_unit: Option<usize>) -> Self {
        if let Self::Sample(SampleError::NotFinite { sample, unit, .. })
        | Self::Outside { sample, unit, .. }
        | Self::TooFar { sample, unit, .. } = &mut self
        {
            *sample = number(*sample);
            *unit = only_unit.unwrap_or(*unit);
        }
        self
    }
}
