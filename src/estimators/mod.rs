//! Estimators of I(X;T) and I(T;Y): one layer's activations in, information or an error out.
//!
//! X is the input of a sample, T the activations of a layer, Y the label. An estimator is a value with its parameters, for
//! example [`Binning::edges`]`(30)?`; it is applied to a [`LayerData`] by [`Estimator::estimate`]. Information is in
//! [`Nats`]; `.bits()` converts it.
//!
//! | estimator | I(X;T) is | suits |
//! |---|---|---|
//! | [`Binning`] | the entropy of a code: every value is replaced by the number of its bin | comparison with published information planes |
//! | [`Quantised`] | the entropy of codes of a few bits, exact for the samples | networks with quantised activations |
//! | [`Kde`] | an upper or a lower bound after Gaussian noise is added to T | deterministic networks of any activation function |
//! | [`Gaussian`] | that of a Gaussian T with noise | linear networks of Gaussian inputs |
//! | [`KozachenkoLeonenko`] | infinite, not estimated; h(T) and I(T;Y) from nearest neighbours | activations with a density |
//!
//! ```
//! use infoplane::estimators::{Binning, Estimator, Kde, LayerData};
//!
//! // Four samples of two units, row-major, and their labels.
//! let activations = [0.9, -0.8, 0.7, -0.9, -0.6, 0.8, -0.9, 0.7];
//! let layer = LayerData::new(&activations, 2, &[1, 1, 0, 0])?;
//!
//! let binned = Binning::edges(30)?.estimate(&layer)?;
//! assert!((binned.i_ty.bits() - 1.0).abs() < 1e-12);
//!
//! // Both bounds at once: the distances between samples are computed once.
//! let bounds = Kde::estimate_all(&[Kde::upper(0.1)?, Kde::lower(0.1)?], &layer);
//! for bound in bounds {
//!     let i_xt = bound?.i_xt.ok_or("KDE always has I(X;T)")?;
//!     assert!((0.0..=2.0).contains(&i_xt.bits()));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each estimator has a file of its own; [`ESTIMATORS`] lists them with the parameters that pipelines and commands take.

mod binning;
mod conformance;
mod discrete;
mod errors;
mod gaussian;
mod inputs_and_labels;
mod kde;
mod kozachenko_leonenko;
mod layer_data;
mod quantised;
mod truths;

use std::fmt;

use thiserror::Error;

pub use binning::{AboveEdges, BelowEdges, BinRange, BinWidth, Binning, FixedEdges};
pub use discrete::{Code, Neighbours, PredictedClass, neighbours, predicted_class};
pub use errors::{EstimateError, InvalidParameter};
pub use gaussian::Gaussian;
pub use inputs_and_labels::{InputsAndLabels, Spread};
pub use kde::Kde;
pub use kozachenko_leonenko::KozachenkoLeonenko;
pub use layer_data::{LayerData, Ranges};
pub use quantised::Quantised;

use crate::estimate_id::EstimatorId;
pub use crate::math::atoms::Cells;
pub use crate::math::digitise::Precision;
pub use crate::math::edges::EdgesError;
pub use crate::math::entropy::Bias;
use crate::parameter::{Parameter, ParameterError, Parameters};
use crate::sample::Range;
use crate::suggest::{Suggestion, suggestion};
use crate::units::Nats;

/// A way to put a number on I(X;T) and I(T;Y), with its parameters chosen.
pub trait Estimator: fmt::Debug + Clone + Send + Sync + 'static {
    /// What it estimates.
    fn member(&self) -> Member;

    /// Estimates the information of one layer, in nats.
    ///
    /// # Errors
    /// The estimator cannot serve these activations or these labels.
    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError>;

    /// The estimate of each of several estimators of one method, which may share work, such as the distances between samples.
    /// The numbers are those of [`Estimator::estimate`], to the last bit; each may fail by itself.
    fn estimate_all(estimators: &[Self], layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>> {
        estimators.iter().map(|estimator| estimator.estimate(layer)).collect()
    }
}

/// Several estimators of one method, whichever it is: what a [`Spec`] builds.
pub trait EstimatorSet: fmt::Debug + Send + Sync {
    /// What each of them estimates.
    fn members(&self) -> Vec<Member>;

    /// The estimate of each of them, as [`Estimator::estimate_all`].
    fn estimate(&self, layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>>;
}

impl<E: Estimator> EstimatorSet for Vec<E> {
    fn members(&self) -> Vec<Member> {
        self.iter().map(E::member).collect()
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>> {
        E::estimate_all(self, layer)
    }
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
    /// From its lowest to its highest edge, where edges are fixed: it does not resolve the values outside.
    pub edges: Option<Range>,
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

/// The information of one layer, in nats, with what it can be compared with.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// I(X;T); `None` when the estimator knows it only up to a constant.
    pub i_xt: Option<Nats>,
    /// I(T;Y).
    pub i_ty: Nats,
    /// H(T): of a code its entropy, with the correction that was chosen; differential when the estimator adds noise (then
    /// of T + Z) or assumes a density of T. It equals I(X;T) + H(T|X) when these are given.
    pub h_t: Option<Nats>,
    /// H(T|X), differential when the estimator adds noise; `None` when the estimator assumes a density of T.
    pub h_t_given_x: Option<Nats>,
    /// I(X;T) with the inputs shuffled among the rows; `None` without shuffles or without I(X;T).
    pub i_xt_null: Option<Spread>,
    /// I(T;Y) with the labels shuffled among the samples; `None` without shuffles.
    pub i_ty_null: Option<Spread>,
    /// The largest possible I(X;T); `None` without I(X;T).
    pub i_xt_ceiling: Option<Nats>,
    /// The largest possible I(T;Y): H(Y), minus H(Y|X) when labels are probabilities.
    pub i_ty_ceiling: Nats,
    /// Number of distinct values of T that the estimator saw.
    pub n_codes: usize,
    /// T as a code, when the estimator makes one of it.
    pub code: Option<Code>,
}

impl Estimate {
    /// Returns the estimate if all its numbers are finite.
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
    /// What it takes for parameters that decide what is measured and are not given; `None` where nothing is left open.
    pub choose: fn(&Parameters, ValueBounds) -> Option<Chosen>,
}

/// What is known of the values of T before any of them is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueBounds {
    /// All of them are within [−1, 1], whatever the weights of the network.
    WithinOne,
    /// Some may be outside [−1, 1].
    Open,
    /// Nothing: the network is not known.
    Unknown,
}

/// Parameters that an estimator takes where they are not given.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// These, and those that were given.
    pub parameters: Parameters,
    /// What they mean, in words: `30 bins over the range of each run`.
    pub words: String,
}

impl ValueBounds {
    /// What is known of the values of two networks together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::WithinOne, Self::WithinOne) => Self::WithinOne,
        }
    }
}

/// Estimators, or why these parameters make none.
pub type Built = Result<Box<dyn EstimatorSet>, ParameterError>;

/// The estimator that `build` makes of each set of parameters.
fn build_each<E: Estimator>(sets: &[Parameters], build: impl Fn(&Parameters) -> Result<E, ParameterError>) -> Built {
    Ok(Box::new(sets.iter().map(build).collect::<Result<Vec<E>, _>>()?))
}

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
