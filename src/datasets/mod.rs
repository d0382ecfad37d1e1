//! Data sets made by a rule. One file each, listed in [`DATASETS`]; data from files comes through `import/`.

mod tishby;

use ndarray::Array2;
use thiserror::Error;

use crate::parameter::{Parameter, Parameters};
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
    /// Makes it.
    pub make: fn(&Parameters) -> Dataset,
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
