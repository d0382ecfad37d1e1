//! Estimators of I(X;T) and I(T;Y): numbers in, information or an error out. One file each, listed in [`ESTIMATORS`].

mod binning;
mod conformance;
mod discrete;
mod gaussian;
mod given;
mod kde;
mod kozachenko_leonenko;
mod quantised;
mod truths;

use std::fmt;

use thiserror::Error;

pub use discrete::{Code, Neighbours, neighbours};
pub use given::{Given, Ranges, Sample, Spread};

use crate::estimate_id::EstimatorId;
use crate::parameter::{Parameter, ParameterError, Parameters, Value};
use crate::sample::SampleError;
use crate::suggest::{Suggestion, suggestion};
use crate::units::Nats;

/// A way to put a number on I(X;T) and I(T;Y), with its parameters chosen. It may have been built from several sets of
/// parameters, of which each makes an estimate of its own: several noise variances cost little more than one.
pub trait Estimator: fmt::Debug + Send + Sync {
    /// What it estimates, for each set of parameters.
    fn members(&self) -> Vec<Member>;

    /// Estimates from one layer's values and what is known of the same rows, for each set of parameters.
    ///
    /// # Errors
    /// Each may fail by itself: the estimator cannot serve these values or these labels.
    fn estimate(&self, of: &Sample<'_>) -> Vec<Result<Estimate, EstimateError>>;
}

/// An estimator with one value for each of its parameters: what fills one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its identity, with every parameter that changes the numbers.
    pub id: EstimatorId,
    /// What the number is, in words, for example "entropy of the code of 30 edges over [-1, 1]".
    pub quantity: String,
    /// What makes T random once X is known.
    pub randomness: Randomness,
    /// The values from which it takes the smallest and the largest.
    pub range: RangeOver,
    /// Why rows of several snapshots or runs cannot be put together for it, in words; `None` where they can.
    pub no_pool: Option<&'static str>,
}

/// What makes T random once X is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Randomness {
    /// Nothing: T is a function of X, unless snapshots or runs are pooled.
    None,
    /// Gaussian noise that the estimator adds in its analysis; the network was trained without it.
    Noise,
}

/// The values from which an estimator takes the smallest and the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeOver {
    /// Those that are estimated, or none.
    Estimated,
    /// Every layer and snapshot of the run.
    Run,
    /// Every layer and snapshot of all runs.
    AllRuns,
}

/// What an estimator says of one layer at one snapshot.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// I(X;T); `None` where the estimator knows it up to a constant only.
    pub i_xt: Option<Nats>,
    /// I(T;Y).
    pub i_ty: Nats,
    /// H(T): of a code its entropy, under the correction that was chosen; differential where the estimator adds noise (then
    /// of T + Z) or takes T for a density. I(X;T) + H(T|X) where these are there.
    pub h_t: Option<Nats>,
    /// H(T|X), differential where the estimator adds noise; `None` where T has a density, and H(T|X) none.
    pub h_t_given_x: Option<Nats>,
    /// I(X;T) where the inputs are dealt to the rows anew; `None` without shuffles or without I(X;T).
    pub i_xt_null: Option<Spread>,
    /// I(T;Y) where the labels are dealt to the samples anew; `None` without shuffles.
    pub i_ty_null: Option<Spread>,
    /// The largest possible I(X;T); `None` without I(X;T).
    pub i_xt_ceiling: Option<Nats>,
    /// The largest possible I(T;Y): H(Y), less H(Y|X) where labels are probabilities.
    pub i_ty_ceiling: Nats,
    /// Number of distinct values of T that the estimator saw.
    pub n_codes: usize,
    /// T as a code, where the estimator makes one of it.
    pub code: Option<Code>,
}

impl Estimate {
    /// The same, where all of it is numbers.
    ///
    /// # Errors
    /// Something is NaN or infinite.
    fn finite(self) -> Result<Self, EstimateError> {
        let numbers = [
            ("estimate of I(X;T)", self.i_xt),
            ("estimate of I(T;Y)", Some(self.i_ty)),
            ("entropy of the noise", self.h_t_given_x),
            ("estimate of H(T)", self.h_t),
            ("null of I(T;Y)", self.i_ty_null.map(|null| null.mean)),
        ];
        match numbers.iter().find(|(_, number)| number.is_some_and(|nats| !nats.0.is_finite())) {
            Some((what, _)) => Err(EstimateError::NotFinite { what }),
            None => Ok(self),
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

/// An estimator that can be chosen.
#[derive(Debug)]
pub struct Spec {
    /// What the user calls it.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// What can be chosen.
    pub parameters: &'static [Parameter],
    /// Builds it for one or several sets of parameters; its members and estimates are in their order.
    pub build: fn(&[Parameters]) -> Built,
}

/// An estimator, or why these parameters make none.
pub type Built = Result<Box<dyn Estimator>, ParameterError>;

/// Every estimator, in the order people see.
pub const ESTIMATORS: &[&Spec] =
    &[&binning::SPEC, &quantised::SPEC, &kde::SPEC, &gaussian::SPEC, &kozachenko_leonenko::SPEC];

/// No estimator has this name.
#[derive(Debug, Error)]
#[error("unknown estimator `{name}`; {suggestion}")]
pub struct UnknownEstimator {
    name: String,
    suggestion: Suggestion,
}

/// The estimator called `name`.
///
/// # Errors
/// No estimator has this name.
pub fn find(name: &str) -> Result<&'static Spec, UnknownEstimator> {
    let suggestion = || suggestion(name, ESTIMATORS.iter().map(|spec| spec.name));
    let found = ESTIMATORS.iter().find(|spec| spec.name == name);
    found.copied().ok_or_else(|| UnknownEstimator { name: name.to_owned(), suggestion: suggestion() })
}
