//! Estimators of I(X;T) and I(T;Y): numbers in, information or an error out. One file each, listed in [`ESTIMATORS`].

mod binning;

use std::fmt;

use thiserror::Error;

use crate::parameter::{Parameter, ParameterError, Parameters};
use crate::sample::{Labels, Representation};
use crate::suggest::suggestion;
use crate::units::Nats;

/// A way to put a number on I(X;T) and I(T;Y), with its parameters chosen.
pub trait Estimator: fmt::Debug + Send + Sync {
    /// A name for files, with every parameter that changes the numbers, for example `binning-n-edges-30`.
    fn id(&self) -> String;

    /// What the number is, in words, for example "entropy of the code of 30 edges over [-1, 1]".
    fn quantity(&self) -> String;

    /// Estimates from one layer's values `t` and the labels `y` of the same samples.
    ///
    /// # Errors
    /// The samples do not match, or the estimator cannot serve these values.
    fn estimate(&self, t: Representation<'_>, y: &Labels) -> Result<Estimate, EstimateError>;
}

/// What an estimator says of one layer at one epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// I(X;T).
    pub i_xt: Nats,
    /// I(T;Y).
    pub i_ty: Nats,
    /// The largest I(X;T) this estimator could give from as many samples.
    pub i_xt_ceiling: Nats,
    /// H(Y), the largest possible I(T;Y).
    pub i_ty_ceiling: Nats,
    /// Number of distinct values of T that the estimator saw.
    pub n_codes: usize,
}

/// Why there is no estimate.
#[derive(Debug, Error, PartialEq)]
pub enum EstimateError {
    /// T and Y are of different samples.
    #[error("the layer has {n_t} samples, the labels have {n_y}; record again or repair the samples table")]
    Mismatch {
        /// Samples of T.
        n_t: usize,
        /// Samples of Y.
        n_y: usize,
    },
    /// A value the estimator was told to refuse.
    #[error("sample {sample}, unit {unit} is {value}, below the first edge -1")]
    BelowEdges {
        /// Row of the value.
        sample: usize,
        /// Column of the value.
        unit: usize,
        /// The value.
        value: f32,
    },
    /// The cell number of a value does not fit into 32 bits.
    #[error(
        "sample {sample}, unit {unit} is {value}: too many bins of width {bin_width} away from 0; choose a larger `bin_width`"
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
    /// Builds it.
    pub build: fn(&Parameters) -> Result<Box<dyn Estimator>, ParameterError>,
}

/// Every estimator, in the order people see.
pub const ESTIMATORS: &[&Spec] = &[&binning::SPEC];

/// No estimator has this name.
#[derive(Debug, Error)]
#[error("unknown estimator `{name}`; {suggestion}")]
pub struct UnknownEstimator {
    name: String,
    suggestion: String,
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
