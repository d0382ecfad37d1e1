//! The text of a pipeline file, parsed once with the place of every key and value. So an error has the right line even if a
//! list was replaced by one of its values.

use std::path::{Path, PathBuf};

use thiserror::Error;
use toml::Spanned;
use toml::de::DeTable;

use super::tree::Fault;
use crate::estimators::ValueBounds;
use crate::store::read_text;

/// Larger files are refused.
const MOST_BYTES: u64 = 64 << 20;

/// A pipeline file.
#[derive(Clone)]
pub(super) struct Source {
    path: PathBuf,
    pub(super) text: String,
    /// How much every experiment of the file is shortened, if at all.
    pub(super) shortened: Shortened,
    /// The common bounds of the activations of all experiments of a sweep, if each has other bounds.
    pub(super) bounds: Option<ValueBounds>,
}

/// A smaller version of an experiment, to try it out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shortened {
    /// Epochs of training, instead of the number in the file.
    pub epochs: Option<u64>,
    /// Runs, instead of the number in the file.
    pub runs: Option<usize>,
}

/// An error in a pipeline file, with its line.
#[derive(Debug, Error)]
#[error("{}{}: {problem}", file.display(), line.map_or_else(String::new, |line| format!(", line {line}")))]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    problem: String,
}

impl ConfigError {
    /// The message without the folder of the file, for tables.
    pub fn without_folder(&self) -> String {
        let file = self.file.file_name().map_or_else(PathBuf::new, PathBuf::from);
        Self { file, line: self.line, problem: self.problem.clone() }.to_string()
    }
}

impl Source {
    pub(super) fn read(path: &Path, shortened: Shortened) -> Result<Self, ConfigError> {
        let fail =
            |e| ConfigError { file: path.to_owned(), line: None, problem: format!("cannot read the pipeline: {e}") };
        let text = read_text(path, MOST_BYTES).map_err(fail)?;
        let source = Self { path: path.to_owned(), text, shortened, bounds: None };
        let name = source.name();
        match name.trim_matches('.') {
            // Its results would be in `outputs` itself, or outside of it.
            "" => {
                let problem = format!(
                    "the results would be written to `outputs/{name}`, which is not a separate folder; rename the file"
                );
                Err(ConfigError { file: path.to_owned(), line: None, problem })
            }
            _ => Ok(source),
        }
    }

    /// The file with these common `bounds` of its experiments.
    pub(super) fn with_bounds(&self, bounds: ValueBounds) -> Self {
        Self { bounds: Some(bounds), ..self.clone() }
    }

    /// The file's name without its ending.
    pub(super) fn name(&self) -> String {
        self.path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }

    /// Every key and value with its place.
    pub(super) fn tree(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        DeTable::parse(&self.text).map_err(|e| {
            let problem = format!("this is not TOML: {}", e.message().replace('\n', ", "));
            self.error(e.span().map(|span| span.start), problem)
        })
    }

    /// An error at a byte of the text.
    pub(super) fn refused(&self, at: usize, problem: String) -> ConfigError {
        self.error(Some(at), problem)
    }

    /// The error for a fault that serde found.
    pub(super) fn faulty(&self, fault: &Fault) -> ConfigError {
        self.error(fault.at, fault.to_string())
    }

    fn error(&self, at: Option<usize>, problem: String) -> ConfigError {
        let line = at.map(|at| self.text[..at.min(self.text.len())].matches('\n').count() + 1);
        ConfigError { file: self.path.clone(), line, problem }
    }
}
