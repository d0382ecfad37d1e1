//! Data sets: from a rule, or from files that are published somewhere. One file each, listed in [`DATASETS`]; a user's own
//! files come through `import/`.

mod tishby;

use ndarray::Array2;
use thiserror::Error;

use crate::parameter::{Parameter, ParameterError, Parameters};
use crate::suggest::suggestion;

/// Samples as they are stored: inputs and labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// X, n_samples × n_inputs.
    pub x: Array2<f32>,
    /// The label of each sample.
    pub y: Vec<i32>,
    /// p(y=1 | x) of each sample, where labels are stochastic.
    pub p_y1: Option<Vec<f64>>,
    /// Y as numbers, n_samples × n_outputs, where the squared error is trained on them.
    pub target: Option<Array2<f32>>,
}

/// A data set that can be made.
#[derive(Debug)]
pub struct Spec {
    /// What the user calls it.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// What can be chosen.
    pub parameters: &'static [Parameter],
    /// Where it comes from.
    pub source: Source,
}

/// Where a data set comes from.
#[derive(Debug)]
pub enum Source {
    /// A rule.
    Rule(fn(&Parameters) -> Result<Dataset, ParameterError>),
    /// Published files.
    Files {
        /// The files.
        files: &'static [PublishedFile],
        /// Addresses of folders that hold them, tried in order.
        mirrors: &'static [&'static str],
        /// Reads them; `content` gives the bytes of a file by its name, as published.
        read: fn(&mut Content<'_>, &Parameters) -> Result<Dataset, DatasetError>,
    },
}

/// Gives the bytes of a published file by its name.
pub type Content<'a> = dyn FnMut(&str) -> Result<Vec<u8>, DatasetError> + 'a;

/// A file as it is published.
#[derive(Debug, Clone, Copy)]
pub struct PublishedFile {
    /// Its name, the last part of its address.
    pub name: &'static str,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content, in lower-case hexadecimal digits.
    pub sha256: &'static str,
}

/// Why a data set cannot be made.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// A parameter does not fit.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// A file is not what it should be.
    #[error("{file}: {problem}")]
    File {
        /// Which one.
        file: String,
        /// What is wrong with it, and where.
        problem: String,
    },
}

/// Every data set, in the order people see.
pub const DATASETS: &[&Spec] = &[&tishby::SPEC];

/// No data set has this name.
#[derive(Debug, Error)]
#[error("unknown data set `{name}`; {suggestion}")]
pub struct UnknownDataset {
    name: String,
    suggestion: String,
}

/// The data set called `name`.
///
/// # Errors
/// No data set has this name.
pub fn find(name: &str) -> Result<&'static Spec, UnknownDataset> {
    let suggestion = || suggestion(name, DATASETS.iter().map(|spec| spec.name));
    let found = DATASETS.iter().find(|spec| spec.name == name);
    found.copied().ok_or_else(|| UnknownDataset { name: name.to_owned(), suggestion: suggestion() })
}

/// What a data set made by its rule is recognised by.
pub fn identity(name: &str, parameters: &Parameters) -> String {
    format!("{name} {}", parameters.slug()).trim().to_owned()
}
