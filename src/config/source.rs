//! The text of a pipeline file: parsed once, with the place of every key and value, so that what is wrong is told with
//! its line also where a list was replaced by one of its values.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, ValueDeserializer};

use super::{ConfigError, Pipeline, RawPipeline, explain};

/// A pipeline file.
pub(super) struct Source {
    path: PathBuf,
    pub(super) text: String,
    shortened: Shortened,
}

/// A smaller version of an experiment, to try it out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shortened {
    /// Epochs of training, in the place of the file's.
    pub epochs: Option<u64>,
    /// Runs, likewise.
    pub runs: Option<usize>,
}

impl Source {
    pub(super) fn read(path: &Path, shortened: Shortened) -> Result<Self, ConfigError> {
        let fail =
            |e| ConfigError { file: path.to_owned(), line: None, problem: format!("cannot read the pipeline: {e}") };
        Ok(Self { path: path.to_owned(), text: fs::read_to_string(path).map_err(fail)?, shortened })
    }

    /// The file's name without its ending.
    pub(super) fn name(&self) -> String {
        self.path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }

    /// Every key and value with its place.
    pub(super) fn tree(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        DeTable::parse(&self.text).map_err(|e| self.explained(&e))
    }

    /// The pipeline called `name` that a tree declares.
    pub(super) fn pipeline(&self, name: String, tree: Spanned<DeTable<'_>>) -> Result<Pipeline, ConfigError> {
        let mut raw = RawPipeline::deserialize(Deserializer::from(tree)).map_err(|e| self.explained(&e))?;
        if let Some(runs) = self.shortened.runs {
            raw.runs = runs;
        }
        if let Some(epochs) = self.shortened.epochs {
            raw.training.as_mut().epochs = epochs;
            raw.record.as_mut().shorten(epochs);
        }
        Pipeline::check(name, raw).map_err(|(at, problem)| self.refused(at, problem))
    }

    /// A value of the tree as `T`.
    pub(super) fn value<'i, T: Deserialize<'i>>(&self, value: Spanned<DeValue<'i>>) -> Result<T, ConfigError> {
        T::deserialize(ValueDeserializer::from(value)).map_err(|e| self.explained(&e))
    }

    /// What is wrong at a byte of the text.
    pub(super) fn refused(&self, at: usize, problem: String) -> ConfigError {
        ConfigError { file: self.path.clone(), line: Some(self.line_at(at)), problem }
    }

    fn explained(&self, e: &toml::de::Error) -> ConfigError {
        let line = e.span().map(|span| self.line_at(span.start));
        ConfigError { file: self.path.clone(), line, problem: explain(&self.text, line, e.message()) }
    }

    fn line_at(&self, offset: usize) -> usize {
        self.text[..offset.min(self.text.len())].matches('\n').count() + 1
    }
}
