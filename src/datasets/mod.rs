//! Data sets that a rule makes, or that published files hold. Each has a file of its own and is listed in [`DATASETS`]; a
//! user's own files are read by `infoplane data import`.
//!
//! ```
//! use infoplane::datasets;
//! use infoplane::parameter::{Parameters, Value};
//!
//! // All patterns of 4 bits, labelled by their parity.
//! let spec = datasets::find("parity")?;
//! let parameters = Parameters::new(spec.parameters, [("n_bits".to_owned(), Value::Count(4))])?;
//! let data = spec.make(&parameters, &mut |_| unreachable!("a rule reads no files"))?;
//! assert_eq!(data.x.dim(), (16, 4));
//! assert_eq!(data.y[..4], [0, 1, 1, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bits;
mod cifar_10;
mod committee;
mod fashion_mnist;
mod idx;
mod images;
mod majority;
mod minimal_model;
mod mnist;
mod parity;
mod spiral;
mod student_teacher;
mod tishby;

use ndarray::Array2;
use thiserror::Error;

pub use student_teacher::{Teacher, TeacherShape};

use crate::parameter::{Parameter, ParameterError, Parameters};
use crate::suggest::{Suggestion, suggestion};

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
        /// Makes the data set of them, asking `content` for those that the parameters need.
        read: fn(&mut Content<'_>, &Parameters) -> Result<Dataset, DatasetError>,
    },
}

/// Gives the bytes of a published file, or of a file within a published archive, by its name without `.gz`: unpacked.
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
    /// A file is not there.
    #[error("there is no file `{file}`")]
    Missing {
        /// Which one.
        file: String,
    },
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
pub const DATASETS: &[&Spec] = &[
    &tishby::SPEC,
    &committee::SPEC,
    &parity::SPEC,
    &majority::SPEC,
    &spiral::SPEC,
    &student_teacher::SPEC,
    &minimal_model::SPEC,
    &mnist::SPEC,
    &fashion_mnist::SPEC,
    &cifar_10::SPEC,
];

impl Spec {
    /// The data set with the given parameters, and the defaults of the others. `content` gives the files, where it is
    /// made of files.
    ///
    /// # Errors
    /// Parameters that do not go together; a file that is missing or not what it should be.
    pub fn make(&self, parameters: &Parameters, content: &mut Content<'_>) -> Result<Dataset, DatasetError> {
        let parameters = parameters.or_defaults(self.parameters);
        match self.source {
            Source::Rule(rule) => Ok(rule(&parameters)?),
            Source::Files { read, .. } => read(content, &parameters),
        }
    }

    /// What the data set with these parameters is recognised by, besides the content of its files.
    pub fn identity(&self, parameters: &Parameters) -> String {
        format!("{} {}", self.name, parameters.but_defaults(self.parameters).slug()).trim().to_owned()
    }
}

/// The most values of X that a rule makes: 2 GB.
const MOST_VALUES: usize = 500_000_000;

/// Refuses what would be larger than any machine's memory.
fn check_size(n_samples: usize, n_inputs: usize) -> Result<(), ParameterError> {
    match n_samples.checked_mul(n_inputs) {
        Some(n) if n <= MOST_VALUES => Ok(()),
        _ => Err(ParameterError::Refused(format!(
            "{n_samples} samples of {n_inputs} inputs are too many; {MOST_VALUES} values are allowed"
        ))),
    }
}

/// No data set has this name.
#[derive(Debug, Error)]
#[error("unknown data set `{name}`; {suggestion}")]
pub struct UnknownDataset {
    name: String,
    suggestion: Suggestion,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Value;

    #[test]
    fn every_default_is_a_value_that_its_parameter_may_take() {
        for spec in DATASETS {
            for parameter in spec.parameters.iter().filter(|parameter| !parameter.default.is_empty()) {
                let all = Parameters::default().or_defaults(spec.parameters);
                assert!(all.iter().any(|(name, _)| name == parameter.name), "{}: {}", spec.name, parameter.name);
            }
        }
    }

    #[test]
    fn a_default_that_is_written_out_makes_the_same_data_set() {
        let spec = find("mnist").unwrap();
        let part = |part: &str| {
            let given = [("part".to_owned(), Value::parse(part))];
            spec.identity(&Parameters::new(spec.parameters, given).unwrap())
        };
        assert_eq!((part("all").as_str(), part("test").as_str()), ("mnist", "mnist part-test"));
    }

    #[test]
    fn every_rule_makes_samples_with_its_defaults_and_the_same_again() {
        for spec in DATASETS.iter().filter(|spec| matches!(spec.source, Source::Rule(_))) {
            let make = || spec.make(&Parameters::default(), &mut |_| unreachable!("a rule needs no files")).unwrap();
            let made = make();
            assert_eq!(made.x.nrows(), made.y.len(), "{}", spec.name);
            assert!(made.x.iter().all(|value| value.is_finite()) && made == make(), "{}", spec.name);
        }
    }
}
