//! Measures of the information in weights: recorded weights in, numbers with the randomness that they are about out.
//!
//! A recorded weight is a number, and a number has no entropy. Every measure here names the experiment that could have come
//! out otherwise, or the code with a tolerance that was chosen: see [`Randomness`]. A measure is a value with its parameters;
//! what it is applied to is one recorded network ([`RecordedNetwork`]), the networks of several runs ([`Ensemble`]) or the
//! losses of one training ([`OnlineLosses`]).
//!
//! Each measure has a file of its own; [`MEASURES`] lists them with the parameters that pipelines and commands take.

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
pub use reading::{MeasureUnit, MissingReading, Null, Reading};
pub use spectrum::Spectrum;

pub use volume::{
    LocalRegion, LocalVolume, VolumeEstimate, log_ellipsoid_volume, log_mean_of_radii, mean_of_log_radii,
    quadratic_information,
};

use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value};
use crate::suggest::{Suggestion, suggestion};

/// What could have come out otherwise, so that the weights are random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Randomness {
    /// The seed: initial weights and the order of the samples.
    Seed,
    /// The data set: other samples of the same distribution.
    Data,
    /// Which sample of each pair was trained on.
    Membership,
    /// The initial weights.
    Initialisation,
    /// Which samples are in the batch.
    Batch,
    /// A Gaussian code for the weights, which we declare.
    Code,
    /// A sampler around the weights, which we declare.
    Sampler,
    /// Nothing; the description of the weights has a tolerance, which we declare.
    Tolerance,
}

impl Randomness {
    /// Its name in tables.
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

/// A measure that can be chosen.
#[derive(Debug)]
pub struct Spec {
    /// What the user calls it.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// What makes the weights random.
    pub randomness: Randomness,
    /// The numbers that it finds: the name of each, and what it is, with its unit.
    pub quantities: &'static [(&'static str, &'static str)],
    /// What can be chosen.
    pub parameters: &'static [Parameter],
    /// The measure with a set of parameters.
    pub build: fn(&Parameters) -> Result<Measure, ParameterError>,
}

/// A measure with its parameters chosen, by what it is applied to.
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
    /// What it finds, for the whole network and, where it applies, for each layer.
    ///
    /// # Errors
    /// The measure cannot serve this network or these samples.
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError>;

    /// Which of its numbers this network does not have, although it has others, and why.
    fn missing(&self, recorded: &RecordedNetwork<'_>) -> Vec<MissingReading> {
        let _ = recorded;
        Vec::new()
    }
}

/// A measure of the networks of several runs at one step.
pub trait OfRuns: fmt::Debug + Send + Sync {
    /// What it finds, for the whole network and, where it applies, for each layer.
    ///
    /// # Errors
    /// The measure cannot serve these networks.
    fn measure(&self, runs: &Ensemble<'_>) -> Result<Vec<Reading>, MeasureError>;
}

/// A measure of the losses of one training.
pub trait OfTraining: fmt::Debug + Send + Sync {
    /// What it finds.
    ///
    /// # Errors
    /// The measure cannot serve these losses.
    fn measure(&self, losses: &OnlineLosses<'_>) -> Result<Vec<Reading>, MeasureError>;
}

/// Why there is no number, in one sentence: what is wrong and what to do.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum MeasureError {
    /// The arrays do not fit together.
    #[error("layer {layer} has {got} inputs, the layer below has {wanted} units")]
    Shape {
        /// The layer, 1 for the first above the input.
        layer: usize,
        /// Inputs of its kernel.
        got: usize,
        /// Units of the layer below.
        wanted: usize,
    },
    /// A weight, an input or a result is NaN or infinite.
    #[error("{what} is not finite")]
    NotFinite {
        /// What.
        what: &'static str,
    },
    /// Anything else that is the measure's own.
    #[error("{0}")]
    Refused(String),
}

/// Every measure, in the order people see.
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

/// Returns `number` if a parameter of this `kind` may have it.
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

/// The random numbers of a `stream` of a seed.
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
    /// What the user may have meant.
    pub suggestion: Suggestion,
}

/// The measure called `name`.
///
/// # Errors
/// No measure has this name.
pub fn find(name: &str) -> Result<&'static Spec, UnknownMeasure> {
    let suggestion = || suggestion(name, MEASURES.iter().map(|spec| spec.name));
    let found = MEASURES.iter().find(|spec| spec.name == name);
    found.copied().ok_or_else(|| UnknownMeasure { name: name.to_owned(), suggestion: suggestion() })
}
