//! One file a stage: read files → compute → write files. Stages meet only in files; none calls another.

pub mod aggregate;
pub mod bound;
pub mod check;
mod claims;
pub mod data;
pub mod estimate;
pub mod exact;
pub mod fetch;
mod findings;
pub mod inspect;
mod keys;
pub mod movie;
pub mod plot;
pub mod record;
pub mod report;
pub mod stability;
pub mod summary;
pub mod sweep;
mod trainings;
mod untrained;
pub mod verify;

use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

use crate::nn::NetworkError;
use crate::sample::SampleError;
use crate::store::StoreError;

/// Where a stage tells how far it is. The terminal belongs to whoever implements it.
pub trait Progress: Sync {
    /// Work of `total` steps begins; `what` names it.
    fn begin(&self, what: &str, total: u64);
    /// Work on `total` bytes begins; a step is a byte.
    fn begin_bytes(&self, what: &str, total: u64) {
        self.begin(what, total);
    }
    /// `steps` more are done.
    fn advance(&self, steps: u64);
    /// A short text beside the bar.
    fn message(&self, text: &str);
    /// The work is over.
    fn end(&self);
    /// A line for the user, above the bar.
    fn tell(&self, _line: &str) {}
}

/// Tells nobody: for stages that are steps of something larger.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn message(&self, _text: &str) {}
    fn end(&self) {}
}

/// What a stage did.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing: everything was there, made from the same inputs and settings.
    UpToDate,
    /// Its work; the text says what came of it.
    Done(String),
    /// Its work, but some estimates failed and are recorded with the reason.
    DoneWithFailures {
        /// What came of it.
        text: String,
        /// Number of failed estimates.
        n_failures: usize,
    },
    /// Its work, but some trainings failed and are recorded as far as they went, with the reason.
    TrainingsFailed {
        /// What came of it, with the reasons.
        text: String,
        /// Number of failed trainings.
        n_failed: usize,
    },
    /// Its work, and it found things that the user asked to be told of; the text counts them.
    Objections(String),
    /// Its work for some experiments of a sweep; others failed, or some of their trainings or estimates did.
    ExperimentsFailed {
        /// What came of it, with the reasons.
        text: String,
        /// Number of experiments that did not work out whole.
        n_failed: usize,
    },
}

impl Outcome {
    /// The outcome of two pieces of work of one kind: what was done, and all failures.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Outcome::UpToDate, one) | (one, Outcome::UpToDate) => one,
            (
                Outcome::DoneWithFailures { text, n_failures },
                Outcome::DoneWithFailures { text: other, n_failures: n_others },
            ) => Outcome::DoneWithFailures { text: format!("{text}; {other}"), n_failures: n_failures + n_others },
            (failed @ Outcome::DoneWithFailures { .. }, _) | (_, failed @ Outcome::DoneWithFailures { .. }) => failed,
            (Outcome::Done(text), Outcome::Done(other)) => Outcome::Done(format!("{text}; {other}")),
            (failed @ (Outcome::TrainingsFailed { .. } | Outcome::ExperimentsFailed { .. }), _)
            | (_, failed @ (Outcome::TrainingsFailed { .. } | Outcome::ExperimentsFailed { .. })) => failed,
            (Outcome::Done(text), Outcome::Objections(_)) | (Outcome::Objections(_), Outcome::Done(text)) => {
                Outcome::Done(text)
            }
            (objections @ Outcome::Objections(_), Outcome::Objections(_)) => objections,
        }
    }
}

/// What a call would do for one estimator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The folder of its tables.
    pub folder: PathBuf,
    /// What the number is, in words.
    pub quantity: String,
    /// Tables to make.
    pub n_pending: usize,
    /// Tables that are there.
    pub n_done: usize,
}

/// Why a stage could not run.
#[derive(Debug, Error)]
pub enum StageError {
    /// A file could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network of the pipeline does not fit the data.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Values that cannot be estimated.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// Anything else, told in one sentence.
    #[error("{0}")]
    Refused(String),
}
