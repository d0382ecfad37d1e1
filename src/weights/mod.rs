//! Measures of the information in recorded weights; each states what makes the weights random.
//!
//! A recorded weight is a number, and a number has no entropy. Every measure states which random experiment it refers
//! to, or which code with a chosen tolerance: see [`Randomness`]. A measure is a value with its parameters; it is
//! applied to one recorded network ([`RecordedNetwork`]), the networks of several runs ([`Ensemble`]) or the losses of
//! one training ([`OnlineLosses`]).
//!
//! Each measure is in a separate file; [`MEASURES`] lists them with the parameters of pipelines and commands.

mod activation;
mod conformance;
mod dense;
mod ensemble;
mod fisher;
mod fixtures;
mod gaussian_code;
mod golden;
mod gradient_noise;
mod gradients;
mod hessian;
mod inputs;
mod linear_model;
mod llc;
mod membership;
mod pac_bayes;
mod precision;
mod prequential;
mod reading;
mod spectrum;
mod volume;

use std::fmt;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use thiserror::Error;

pub use dense::{DenseLayer, DenseNetwork};
pub use ensemble::{
    CanonicalForm, GroupElement, MOST_BRANCH_WEIGHTS, MOST_BRANCHES, SeedEnsemble, UnitChange, UnitSymmetry,
    WeightCells, WeightEntropy, drift_floor, gaussian_drift, log2_group_order,
};
pub use fisher::{Curvature, CurvatureForm, LARGEST_MATRIX};
pub use gaussian_code::{CodeParameters, GaussianCode, InformationInWeights};
pub use gradient_noise::{BatchNoise, GradientNoise, LangevinStep, TwoBatches, information_of_shifts};
pub use inputs::{Ensemble, Labelled, MembershipSplit, OnlineLosses, RecordedNetwork};
pub use linear_model::{Langevin, LinearModel, RandomResponses, RegressionPosterior};
pub use llc::{
    Llc, LlcEstimate, LocalQuadratic, Monomial, Recorded, Sgld, block_llc, code_length_at_tolerance,
    localised_llc_in_plane, localised_llc_on_line, mala_acceptance, n_beta, r_hat, reduced_rank_coefficient,
};
pub use membership::{
    FloorSpread, MaskCounts, Membership, PairInformation, PairNull, PairOutcome, PermutationFloor, Supersample,
    binary_kl_bound, discrete_information, fair_floor, interpolating_bound, pooled, root_bound,
};
pub use pac_bayes::{
    GibbsRisk, PacBayes, PriorGrid, WeightPosterior, gibbs_error_of_linear_classifier, risk_of_draws_at_most,
};
pub use precision::{FewestBits, PrecisionCurve, Quantiser, entropy_coded_length, smooth_code_length};
pub use prequential::Prequential;
pub use reading::{MeasureUnit, MissingReading, Null, Quantity, Reading};
pub use spectrum::Spectrum;

pub use volume::{
    LocalRegion, LocalVolume, VolumeEstimate, log_ellipsoid_volume, log_mean_of_radii, mean_of_log_radii,
    quadratic_information,
};

use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value};
use crate::suggest::{Suggestion, suggestion};

/// What makes the weights random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Randomness {
    /// The seed: initial weights and the order of the samples.
    Seed,
    /// The data set: other samples from the same distribution.
    Data,
    /// Which sample of each pair is used for training.
    Membership,
    /// The initial weights.
    Initialisation,
    /// Which samples are in the batch.
    Batch,
    /// A Gaussian distribution around the weights, which the measure chooses.
    Code,
    /// The sampler of the measure, which starts at the weights.
    Sampler,
    /// Nothing; the weights are described with finite precision.
    Tolerance,
}

impl Randomness {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Data => "data",
            Self::Membership => "membership",
            Self::Initialisation => "initialisation",
            Self::Batch => "batch",
            Self::Code => "code",
            Self::Sampler => "sampler",
            Self::Tolerance => "tolerance",
        }
    }
}

/// An entry of the list of measures.
#[derive(Debug)]
pub struct Spec {
    /// Name of the measure in pipelines and commands.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// What makes the weights random.
    pub randomness: Randomness,
    /// The quantities that it finds.
    pub quantities: &'static [Quantity],
    /// The parameters.
    pub parameters: &'static [Parameter],
    /// Builds the measure with a set of parameters.
    pub build: fn(&Parameters) -> Result<Measure, ParameterError>,
}

/// A measure with its parameters, by the kind of its input.
#[derive(Debug)]
pub enum Measure {
    /// One recorded network.
    OfNetwork(Box<dyn OfNetwork>),
    /// The networks of several runs at one step.
    OfRuns(Box<dyn OfRuns>),
    /// The losses of one training.
    OfTraining(Box<dyn OfTraining>),
}

/// A measure of one recorded network.
pub trait OfNetwork: fmt::Debug + Send + Sync {
    /// The values for the whole network and, if applicable, for each layer.
    ///
    /// # Errors
    /// The measure cannot be applied to this network or these samples.
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError>;

    /// The quantities that cannot be computed for this network, although others can, and the reason.
    fn missing(&self, recorded: &RecordedNetwork<'_>) -> Vec<MissingReading> {
        let _ = recorded;
        Vec::new()
    }
}

/// A measure of the networks of several runs at one step.
pub trait OfRuns: fmt::Debug + Send + Sync {
    /// The values for the whole network and, if applicable, for each layer.
    ///
    /// # Errors
    /// The measure cannot be applied to these networks.
    fn measure(&self, runs: &Ensemble<'_>) -> Result<Vec<Reading>, MeasureError>;
}

/// A measure of the losses of one training.
pub trait OfTraining: fmt::Debug + Send + Sync {
    /// The values.
    ///
    /// # Errors
    /// The measure cannot be applied to these losses.
    fn measure(&self, losses: &OnlineLosses<'_>) -> Result<Vec<Reading>, MeasureError>;
}

/// Why there is no value, in one sentence: the problem and what to do.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum MeasureError {
    /// Arrays whose shapes do not match.
    #[error("layer {layer} has {got} inputs, but the previous layer has {wanted} units")]
    Shape {
        /// Number of the layer, 1 for the first after the input.
        layer: usize,
        /// Number of inputs of its kernel.
        got: usize,
        /// Number of units of the previous layer.
        wanted: usize,
    },
    /// A weight, an input or a result is NaN or infinite.
    #[error("{what} is not finite")]
    NotFinite {
        /// Name of the value.
        what: &'static str,
    },
    /// Any other error of a measure.
    #[error("{0}")]
    Refused(String),
}

/// All measures, in the order of lists.
pub const MEASURES: &[&Spec] = &[
    &membership::SPEC,
    &ensemble::SPEC,
    &gaussian_code::SPEC,
    &gradient_noise::SPEC,
    &precision::SPEC,
    &llc::SPEC,
    &volume::SPEC,
    &prequential::SPEC,
    &pac_bayes::SPEC,
];

/// Returns `number` if it is allowed for a parameter of this `kind`.
fn check_number(name: &'static str, number: f64, kind: Kind) -> Result<f64, ParameterError> {
    let is_allowed = match kind {
        Kind::Positive => number > 0.0,
        Kind::NotNegative => number >= 0.0,
        _ => true,
    };
    let refused = || ParameterError::Value { name, allowed: kind.to_string(), got: Value::Number(number).to_string() };
    (number.is_finite() && is_allowed).then_some(number).ok_or_else(refused)
}

/// Returns `number` if it is between 0 and 1.
fn check_probability(name: &'static str, number: f64) -> Result<f64, ParameterError> {
    let allowed = "a number between 0 and 1".to_owned();
    let refused = || ParameterError::Value { name, allowed, got: Value::Number(number).to_string() };
    (number > 0.0 && number < 1.0).then_some(number).ok_or_else(refused)
}

/// Returns `count` if it is from `min` to `max`.
fn check_count(name: &'static str, count: usize, (min, max): (u64, u64)) -> Result<usize, ParameterError> {
    let refused = || {
        let allowed = Kind::Count { min, max }.to_string();
        ParameterError::Value { name, allowed, got: count.to_string() }
    };
    (min..=max).contains(&(count as u64)).then_some(count).ok_or_else(refused)
}

/// The random numbers from a `stream` of a seed.
fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// No measure has this name.
#[derive(Debug, Error, PartialEq)]
#[error("unknown measure `{name}`; {suggestion}")]
pub struct UnknownMeasure {
    /// The given name.
    pub name: String,
    /// The most similar name, or all names.
    pub suggestion: Suggestion,
}

/// The measure `name`.
///
/// # Errors
/// No measure has this name.
pub fn find(name: &str) -> Result<&'static Spec, UnknownMeasure> {
    let suggestion = || suggestion(name, MEASURES.iter().map(|spec| spec.name));
    let found = MEASURES.iter().find(|spec| spec.name == name);
    found.copied().ok_or_else(|| UnknownMeasure { name: name.to_owned(), suggestion: suggestion() })
}
