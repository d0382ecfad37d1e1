//! Errors in the parameters of an estimator, and reasons why there is no estimate.

use thiserror::Error;

use crate::math::edges::EdgesError;
use crate::parameter::{Kind, ParameterError, Value};
use crate::sample::SampleError;

/// Why an estimator cannot have these parameters.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum InvalidParameter {
    /// A number that the estimator does not allow.
    #[error("`{parameter}` must be {allowed}, got {}", Value::Number(*got))]
    OutOfRange {
        /// The name of the parameter.
        parameter: &'static str,
        /// Description of the allowed values.
        allowed: String,
        /// The number that was given.
        got: f64,
    },
    /// A first edge that is not below the last edge.
    #[error("the first edge must be below the last, got {} and {}", Value::Number(*low), Value::Number(*high))]
    Descending {
        /// The first edge.
        low: f64,
        /// The last edge.
        high: f64,
    },
    /// Edges that are equal after rounding.
    #[error(transparent)]
    TooClose(#[from] EdgesError),
    /// A bin width that is 0 or infinite in single precision.
    #[error("f32 cannot represent the bin width {}; use double precision", Value::Number(*width))]
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
                Self::Refused(format!("parameter `bin_width`: f32 cannot represent {width}; use `precision` f64"))
            }
        }
    }
}

/// Why there is no estimate. Before [`EstimateError::located`], `sample` is the number of a row; afterwards of a
/// sample.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum EstimateError {
    /// Values that cannot be used as a representation.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// T and Y have different numbers of samples.
    #[error("the layer has {n_t} samples, the labels have {n_y}; record again or correct the table `samples`")]
    Mismatch {
        /// Samples of T.
        n_t: usize,
        /// Samples of Y.
        n_y: usize,
    },
    /// One sample has no information.
    #[error("an estimate needs at least 2 samples, got {n}")]
    TooFew {
        /// Number of samples.
        n: usize,
    },
    /// A value outside the edges, with the setting `refuse`.
    #[error("sample {sample}, unit {unit} is {value}, outside the edges {low} to {high}")]
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
        "sample {sample}, unit {unit} is {value}: too far from 0 for bins of width {}; choose a larger `bin_width`",
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
    /// Bins that would be equal after rounding.
    #[error("the range of the values is too small for the bins: {problem}")]
    Range {
        /// The problem.
        problem: String,
    },
    /// A formula that needs classes, but labels that are probabilities.
    #[error("{what} needs one label for every sample, but these labels are probabilities")]
    NeedsHardLabels {
        /// The part that needs classes.
        what: &'static str,
    },
    /// Two real vectors, or two labels, for an estimator of the information between real vectors and labels.
    #[error(
        "`{estimator}` needs real vectors and labels; use an estimator for two variables of the same kind, or declare one of them as labels"
    )]
    NeedsOneOfEach {
        /// Name of the estimator.
        estimator: String,
    },
    /// Real vectors for an estimator of labels, or the reverse.
    #[error("`{estimator}` cannot estimate the information between {got}; it needs {needed}")]
    WrongKinds {
        /// Name of the estimator.
        estimator: &'static str,
        /// The kinds of the variables.
        got: &'static str,
        /// The kinds that it can use.
        needed: &'static str,
    },
    /// Single precision would change the differences between samples.
    #[error(
        "the values of dimension {dim} are from {low} to {high}, which single precision cannot distinguish; subtract their mean before the estimate"
    )]
    Rounded {
        /// Column of the values.
        dim: usize,
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// A variable whose values are all equal, for an estimator that scales it by its spread.
    #[error("all values of {what} are equal, so they have no spread and no information")]
    NoSpread {
        /// Name of the variable.
        what: &'static str,
    },
    /// Fewer samples than the estimator needs.
    #[error("{what} needs at least {needed} samples, got {n}; {advice}")]
    FewSamples {
        /// What needs the samples.
        what: &'static str,
        /// Number of samples.
        n: usize,
        /// The smallest allowed number.
        needed: usize,
        /// What the user can do.
        advice: &'static str,
    },
    /// Coordinates that are functions of each other, for an estimator that needs a covariance with an inverse.
    #[error("coordinates of {what} are linear functions of each other, so their covariance has no inverse; {advice}")]
    DependentCoordinates {
        /// Name of the variables.
        what: &'static str,
        /// What the user can do.
        advice: &'static str,
    },
    /// Values that repeat, for an estimator that assumes a density.
    #[error("{n} of {n_samples} samples of {what} repeat, so there is no density there; {advice}")]
    Repeated {
        /// Name of the variable.
        what: &'static str,
        /// Number of samples whose neighbours are at distance 0.
        n: usize,
        /// Number of samples.
        n_samples: usize,
        /// What the user can do.
        advice: &'static str,
    },
    /// Values on a lattice, for an estimator that counts neighbours.
    #[error(
        "{n} of {n_samples} samples have several neighbours at exactly the distance of neighbour {k}, as values on a lattice (such as 0 and 1) do, so their neighbours cannot be counted; {advice}"
    )]
    Tied {
        /// Number of samples with such neighbours.
        n: usize,
        /// Number of samples.
        n_samples: usize,
        /// Number of the neighbour.
        k: usize,
        /// What the user can do.
        advice: &'static str,
    },
    /// Samples at the centre of the sphere, for an estimator of directions.
    #[error("{n} of {n_samples} samples have {size}, so they have no direction; {advice}")]
    NoDirection {
        /// Number of these samples.
        n: usize,
        /// Number of samples.
        n_samples: usize,
        /// What is special about these samples.
        size: &'static str,
        /// What the user can do.
        advice: &'static str,
    },
    /// Fewer dimensions than the estimator needs.
    #[error("{what} needs at least {needed} dimensions, got {n_dims}; {advice}")]
    FewDimensions {
        /// What needs the dimensions.
        what: String,
        /// Number of dimensions.
        n_dims: usize,
        /// The smallest allowed number.
        needed: usize,
        /// What the user can do.
        advice: &'static str,
    },
    /// A coordinate that is a linear function of the previous ones, for an estimator that inverts the covariance.
    #[error("dimension {dim} is constant or a linear function of the previous dimensions; {advice}")]
    LinearlyDependent {
        /// Number of the dimension, counted from 0.
        dim: usize,
        /// What the user can do.
        advice: &'static str,
    },
    /// More samples than an estimator allows whose memory grows with their square.
    #[error(
        "`{estimator}` allows at most {most} samples, got {n}, because its memory grows with their square; use fewer samples, or another estimator"
    )]
    ManySamples {
        /// Name of the estimator.
        estimator: &'static str,
        /// Number of samples.
        n: usize,
        /// The largest allowed number.
        most: usize,
    },
    /// More classes than half of the samples.
    #[error(
        "there are {n_classes} classes for {n_samples} samples; an estimate needs at least two samples of a class on average"
    )]
    ManyClasses {
        /// Number of classes.
        n_classes: usize,
        /// Number of samples.
        n_samples: usize,
    },
    /// More classes than the estimator can use.
    #[error(
        "there are {n_classes} classes, but `{estimator}` can use at most {most}; merge classes, or use another estimator"
    )]
    ClassLimit {
        /// Number of classes.
        n_classes: usize,
        /// Name of the estimator.
        estimator: &'static str,
        /// The largest allowed number.
        most: usize,
    },
    /// A network that cannot be built for this number of coordinates.
    #[error("{problem}; use another estimator, or fewer coordinates")]
    NoNetwork {
        /// The problem.
        problem: String,
    },
    /// An optimisation that did not reach its minimum.
    #[error("{what} did not converge within {n_steps} steps; {advice}")]
    NotConverged {
        /// What was optimised.
        what: &'static str,
        /// Number of steps.
        n_steps: usize,
        /// What the user can do.
        advice: &'static str,
    },
    /// Noise relative to a spread of 0.
    #[error("all values of the layer are equal, so noise cannot be relative to their variance; leave out `relative`")]
    Constant,
    /// Results outside the range of floating-point numbers.
    #[error("the {what} is not a finite number; choose a `noise_variance` closer to the variance of the layer")]
    NotFinite {
        /// Name of the result.
        what: &'static str,
    },
    /// An estimate outside the range of floating-point numbers.
    #[error("the estimate is {value}; scale the values to a size of about 1, and look for outliers")]
    NotANumber {
        /// Infinite, or NaN.
        value: f64,
    },
    /// Samples without a density.
    #[error(
        "{n} of {n_samples} samples are equal to {k} or more other samples, so the entropy is -infinity; use another estimator, or `epsilon` 1e-16 as in Saxe et al. 2018, which then determines the estimate"
    )]
    Duplicates {
        /// Number of samples with a distance of 0 from their k-th neighbour.
        n: usize,
        /// Number of samples.
        n_samples: usize,
        /// Number of the neighbour.
        k: usize,
    },
    /// A k-th neighbour needs more than k samples.
    #[error(
        "the smallest class has {n} samples, but neighbour {k} of a sample needs more than {k}; choose a smaller `k`, or another estimator"
    )]
    FewInClass {
        /// Number of samples in the smallest class.
        n: usize,
        /// Number of the neighbour.
        k: usize,
    },
    /// A covariance needs more samples than units.
    #[error(
        "the covariance of {n_units} units needs more than {n_units} samples of every class, got {n}; use another estimator"
    )]
    TooWide {
        /// Number of units of the layer.
        n_units: usize,
        /// Number of samples in the smallest class.
        n: usize,
    },
    /// A covariance that is not positive definite after rounding.
    #[error("{problem}; use a larger `noise_variance`")]
    Singular {
        /// The problem.
        problem: String,
    },
}

impl EstimateError {
    /// Whether the estimator is for variables of other kinds.
    pub fn is_of_kinds(&self) -> bool {
        matches!(self, Self::WrongKinds { .. } | Self::NeedsOneOfEach { .. })
    }

    /// This error with the number of the sample in the row, and of the unit if a single unit was estimated.
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
