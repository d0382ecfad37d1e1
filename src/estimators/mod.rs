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
//! | [`Kde`] | an upper or a lower bound with Gaussian noise added to T | deterministic networks of any activation function |
//! | [`Gaussian`] | that of a Gaussian T with noise added | linear networks of Gaussian inputs |
//! | [`KozachenkoLeonenko`] | infinite, not estimated; h(T) and I(T;Y) from nearest neighbours | activations with a density |
//! | [`Ksg`] | that of two densities, from numbers of neighbours | noisy networks, few units, I(T;Y) of activations with a density |
//! | [`MixedKsg`] | that of two mixtures of densities and repeated values, from numbers of neighbours | few units with repeated values, for example after ReLU |
//! | [`Copula`] | that of a Gaussian with the rank correlations of X and T | few units with a density, many samples |
//! | [`Sliced`] | the mean over random projections of X and T | many units; another quantity than I(X;T) |
//! | [`Lossy`] | a lower bound: that of principal components of X and T | many units with few large components |
//! | [`Edge`] | the information of the cells into which X and T are hashed | comparison with published information planes |
//! | [`Renyi`] | a difference of matrix-based Rényi entropies of kernel matrices | comparison with published kernel estimates, up to some thousand samples |
//! | [`Soft`] | not estimated; I(T;Y) from a soft assignment of directions to random points | wide layers, such as those of language models |
//! | [`Decoder`] | not estimated; a lower bound on I(T;Y) from a classifier of T | labels, in any number of units |
//! | [`Neural`] | a lower bound from a trained critic, if the values of X are known | many units, many samples, little information |
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
//! Each estimator is in a separate file; [`ESTIMATORS`] lists them with the parameters of pipelines and commands.

mod binning;
mod conformance;
mod copula;
mod decoder;
mod discrete;
mod edge;
mod errors;
mod gaussian;
mod inputs_and_labels;
mod kde;
mod kozachenko_leonenko;
mod ksg;
mod layer_data;
mod lossy;
mod mixed_ksg;
mod neighbour_samples;
mod neural;
mod pair;
mod projected;
mod quantised;
mod renyi;
mod sliced;
mod soft;
mod truths;

use std::fmt;

use thiserror::Error;

pub use binning::{AboveEdges, BelowEdges, BinRange, BinWidth, Binning, FixedEdges};
pub use copula::Copula;
pub use decoder::Decoder;
pub use discrete::{Code, Neighbours, PredictedClass, neighbours, predicted_class};
pub use edge::{Edge, EdgeVersion};
pub use errors::{EstimateError, InvalidParameter};
pub use gaussian::Gaussian;
pub use inputs_and_labels::{InputsAndLabels, Spread};
pub use kde::Kde;
pub use kozachenko_leonenko::KozachenkoLeonenko;
pub use ksg::{Ksg, KsgAlgorithm};
pub use layer_data::{LayerData, Ranges};
pub use lossy::Lossy;
pub use mixed_ksg::MixedKsg;
pub use neural::Neural;
pub use pair::{Information, Points, Variable};
pub use projected::OnProjections;
pub use quantised::Quantised;
pub use renyi::{KernelConvention, KernelWidth, Renyi};
pub use sliced::Sliced;
pub use soft::{Calibration, DirectionControl, Soft};

use crate::estimate_id::EstimatorId;
pub use crate::math::atoms::Cells;
pub use crate::math::digitise::Precision;
pub use crate::math::edges::EdgesError;
pub use crate::math::entropy::Bias;
use crate::parameter::{Parameter, ParameterError, Parameters, Value};
use crate::sample::Range;
use crate::suggest::{Suggestion, suggestion};
use crate::units::Nats;

/// Estimates I(X;T) and I(T;Y) with fixed parameters.
pub trait Estimator: fmt::Debug + Clone + Send + Sync + 'static {
    /// What this estimator computes.
    fn member(&self) -> Member;

    /// Estimates the information of one layer, in nats.
    ///
    /// # Errors
    /// The estimator cannot be applied to these activations or these labels.
    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError>;

    /// The estimates of several estimators of one method, which may share work, such as the distances between samples.
    /// The values equal those of [`Estimator::estimate`], to the last bit; each of them may fail separately.
    fn estimate_all(estimators: &[Self], layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>> {
        estimators.iter().map(|estimator| estimator.estimate(layer)).collect()
    }

    /// I(A;B), in nats, of the variable `a` and each of the variables `bs` of the same samples, which may share work.
    ///
    /// By default one of the two variables must be real vectors and the other classes: I(T;Y) of [`Estimator::estimate`].
    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        pair::by_labels(self, a, bs)
    }
}

/// Several estimators of one method, of any kind; a [`Spec`] builds it.
pub trait EstimatorSet: fmt::Debug + Send + Sync {
    /// What each of them computes.
    fn members(&self) -> Vec<Member>;

    /// The estimate of each of them, see [`Estimator::estimate_all`].
    fn estimate(&self, layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>>;

    /// For each of them, the information between `a` and each of `bs`, see [`Estimator::between`].
    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Vec<Result<Information, EstimateError>>>;
}

impl<E: Estimator> EstimatorSet for Vec<E> {
    fn members(&self) -> Vec<Member> {
        self.iter().map(E::member).collect()
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>> {
        E::estimate_all(self, layer)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Vec<Result<Information, EstimateError>>> {
        let checked = |estimator: &E, b: &Variable<'_>| {
            pair::same_samples(a, b)?;
            estimator.between(a, std::slice::from_ref(b)).remove(0)
        };
        // One call for all, because estimators share work between them; pairs that do not match are refused one by one.
        let matches = bs.iter().all(|b| pair::same_samples(a, b).is_ok());
        let of_estimator = |estimator: &E| match matches {
            true => estimator.between(a, bs),
            false => bs.iter().map(|b| checked(estimator, b)).collect(),
        };
        let finite = |found: Vec<Result<Information, EstimateError>>| {
            found.into_iter().map(|found| found.and_then(Information::finite)).collect()
        };
        self.iter().map(|estimator| finite(of_estimator(estimator))).collect()
    }
}

/// An estimator with one value for each of its parameters; its results are one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its identity, with every parameter that changes the results.
    pub id: EstimatorId,
    /// The estimated quantity, for example "entropy of the code of 30 edges over [-1, 1]".
    pub quantity: String,
    /// What makes T random once X is known.
    pub randomness: Randomness,
    /// The values that determine the minimum and maximum used by the estimator.
    pub range: RangeOver,
    /// From the lowest to the highest edge if edges are fixed; the estimator does not resolve values outside this
    /// range.
    pub edges: Option<Range>,
    /// Why rows of several snapshots or runs cannot be pooled; `None` if they can.
    pub no_pool: Option<&'static str>,
    /// What the estimator needs to know about X.
    pub inputs: KnownInputs,
}

/// What an estimator needs to know about the inputs X.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownInputs {
    /// Which samples have the same X.
    Identity,
    /// The values of X, for I(X;T) as information between two real vectors.
    Values,
}

/// What makes T random once X is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Randomness {
    /// Nothing: T is a function of X, unless snapshots or runs are pooled.
    None,
    /// Gaussian noise that the estimator adds in the analysis; the network was trained without it.
    Noise,
}

/// The values that determine the minimum and maximum used by an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeOver {
    /// The estimated values, or none.
    Estimated,
    /// Every layer and snapshot of the run.
    Run,
    /// Every layer and snapshot of all runs.
    AllRuns,
}

/// The information of one layer, in nats, with reference values for comparison.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// I(X;T); `None` if the estimator knows it only up to a constant.
    pub i_xt: Option<Nats>,
    /// I(T;Y).
    pub i_ty: Nats,
    /// Standard error of I(X;T) from the random numbers of the estimator; `None` if it uses none.
    pub i_xt_error: Option<Nats>,
    /// Standard error of I(T;Y) from the random numbers of the estimator; `None` if it uses none.
    pub i_ty_error: Option<Nats>,
    /// H(T): the entropy of a discrete code, with the selected correction; a differential entropy if the estimator adds
    /// noise (of T + Z then) or assumes a density of T. It equals I(X;T) + H(T|X) if these are given.
    pub h_t: Option<Nats>,
    /// H(T|X), a differential entropy if the estimator adds noise; `None` if the estimator assumes a density of T.
    pub h_t_given_x: Option<Nats>,
    /// I(X;T) with the inputs shuffled among the rows; `None` without shuffles or without I(X;T).
    pub i_xt_null: Option<Spread>,
    /// I(T;Y) with the labels shuffled among the samples; `None` without shuffles.
    pub i_ty_null: Option<Spread>,
    /// The largest possible I(X;T); `None` without I(X;T).
    pub i_xt_ceiling: Option<Nats>,
    /// The largest possible I(T;Y): H(Y), minus H(Y|X) if labels are probabilities.
    pub i_ty_ceiling: Nats,
    /// Number of distinct values of T as the estimator sees them.
    pub n_codes: usize,
    /// T as a discrete code, if the estimator makes one.
    pub code: Option<Code>,
}

impl Estimate {
    /// Returns the estimate if all its numbers are finite.
    ///
    /// # Errors
    /// A value is NaN or infinite.
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

/// An entry of the list of estimators.
#[derive(Debug)]
pub struct Spec {
    /// Name of the estimator in pipelines and commands.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// What the information between two variables is, without a network ([`Estimator::between`]).
    pub of_pair: &'static str,
    /// The parameters.
    pub parameters: &'static [Parameter],
    /// Builds the estimators for one or several sets of parameters; members and estimates are in their order.
    pub build: fn(&[Parameters]) -> Built,
    /// Default values of the parameters that select what is measured; `None` if the estimator has fixed defaults.
    pub choose: fn(&Parameters, ValueBounds) -> Option<Chosen>,
}

impl Spec {
    /// Every combination of the `given` values of parameters, for variables whose values may be of any size; other parameters have
    /// their defaults.
    ///
    /// # Errors
    /// A parameter does not exist or is out of range.
    pub fn sets(&'static self, given: Vec<(String, Vec<Value>)>) -> Result<Vec<Parameters>, ParameterError> {
        let open = |set: Parameters| (self.choose)(&set, ValueBounds::Open).map_or(set, |chosen| chosen.parameters);
        Ok(Parameters::product(self.parameters, given)?.into_iter().map(open).collect())
    }
}

/// What is known about the values of T before they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueBounds {
    /// All values are within [−1, 1], whatever the weights of the network.
    WithinOne,
    /// Some values may be outside [−1, 1].
    Open,
    /// Nothing is known, because the network is unknown.
    Unknown,
}

/// Default values of parameters, chosen by an estimator.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The defaults, and the parameters that were given.
    pub parameters: Parameters,
    /// Description of the defaults: `30 bins over the range of each run`.
    pub words: String,
}

impl ValueBounds {
    /// What is known about the values of two networks together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::WithinOne, Self::WithinOne) => Self::WithinOne,
        }
    }
}

/// Estimators, or the error in their parameters.
pub type Built = Result<Box<dyn EstimatorSet>, ParameterError>;

/// The estimators that `build` makes, one for each set of parameters.
fn build_each<E: Estimator>(sets: &[Parameters], build: impl Fn(&Parameters) -> Result<E, ParameterError>) -> Built {
    Ok(Box::new(sets.iter().map(build).collect::<Result<Vec<E>, _>>()?))
}

/// All estimators, in the order of lists.
pub const ESTIMATORS: &[&Spec] = &[
    &binning::SPEC,
    &quantised::SPEC,
    &kde::SPEC,
    &gaussian::SPEC,
    &kozachenko_leonenko::SPEC,
    &ksg::SPEC,
    &mixed_ksg::SPEC,
    &copula::SPEC,
    &sliced::SPEC,
    &lossy::SPEC,
    &edge::SPEC,
    &renyi::SPEC,
    &soft::SPEC,
    &decoder::SPEC,
    &neural::SPEC,
];

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
