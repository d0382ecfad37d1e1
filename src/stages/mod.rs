//! The stages, one file each: read files, compute, write files. Stages exchange data only through files; no stage calls
//! another.

pub mod aggregate;
pub mod analysis;
pub mod audit;
pub mod bound;
pub mod check;
mod claims;
mod computed;
pub mod data;
pub mod estimate;
pub mod exact;
pub mod experiments;
pub mod fetch;
mod findings;
mod foreign_columns;
pub mod freeze;
mod histograms;
mod inputs;
pub mod inspect;
pub(crate) mod keys;
mod lineage;
mod measured;
pub mod mi;
pub mod movie;
mod overview;
pub mod plot;
pub mod propagate;
pub mod record;
mod recorded_weights;
pub mod relate;
pub mod report;
pub mod stability;
pub mod summary;
pub(crate) mod trainings;
mod untrained;
pub mod verify;
pub mod weights;

use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

use crate::count::counted;
use crate::nn::NetworkError;
use crate::sample::SampleError;
use crate::store::StoreError;

/// Receives the progress of a stage. Only implementations of this trait write to the terminal.
pub trait Progress: Sync {
    /// Work of `total` steps begins; `what` names it.
    fn begin(&self, what: &str, total: u64);
    /// Work on `total` bytes begins; a step is a byte.
    fn begin_bytes(&self, what: &str, total: u64) {
        self.begin(what, total);
    }
    /// `steps` more are done.
    fn advance(&self, steps: u64);
    /// A short text next to the bar.
    fn message(&self, text: &str);
    /// The work is over.
    fn end(&self);
    /// A line for the user, above the bar.
    fn tell(&self, _line: &str) {}
    /// A stage is over.
    fn report(&self, _stage: &str, _outcome: &Outcome) {}
}

/// Discards progress; for stages run inside a larger step.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn message(&self, _text: &str) {}
    fn end(&self) {}
}

/// The outcome of a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing was done: all results exist, made from the same inputs and settings.
    UpToDate,
    /// The work was done; the text describes the result.
    Done(String),
    /// The work was done, but some parts failed; the reasons are recorded.
    Partial {
        /// What was made.
        text: String,
        /// The failures; at least one number is not 0.
        failures: Failures,
    },
}

/// The numbers of failures in otherwise completed work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// Failed trainings, recorded up to the failure, with the reason.
    pub trainings: usize,
    /// Failed estimates, recorded with the reason.
    pub estimates: usize,
    /// Failed measurements of weights, recorded with the reason.
    pub measurements: usize,
    /// Experiments of a sweep that failed or have failed trainings or estimates.
    pub experiments: usize,
}

impl Failures {
    /// Failed trainings alone.
    pub fn of_trainings(trainings: usize) -> Self {
        Self { trainings, ..Self::default() }
    }

    /// Failed estimates alone.
    pub fn of_estimates(estimates: usize) -> Self {
        Self { estimates, ..Self::default() }
    }

    /// Failed measurements of weights alone.
    pub fn of_measurements(measurements: usize) -> Self {
        Self { measurements, ..Self::default() }
    }

    /// Whether nothing failed.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// The failures of two pieces of work.
    pub fn and(self, other: Self) -> Self {
        Self {
            trainings: self.trainings + other.trainings,
            estimates: self.estimates + other.estimates,
            measurements: self.measurements + other.measurements,
            experiments: self.experiments + other.experiments,
        }
    }

    /// The number of each kind of failure, without zeros.
    fn counts(self) -> impl Iterator<Item = (String, &'static str)> {
        let kinds = [
            (self.trainings, "training", "failed", "see the table `runs` of the recording for the reasons"),
            (self.estimates, "estimate", "failed", "see the column `failure` for the reasons"),
            (
                self.measurements,
                "weight measurement",
                "failed",
                "see the column `failure` of weight_measures for the reasons",
            ),
            (self.experiments, "experiment", "failed or had failed runs", "see experiments.parquet"),
        ];
        let found = kinds.into_iter().filter(|(n, ..)| *n > 0);
        found.map(|(n, noun, what, place)| (format!("{} {what}", counted(n, noun)), place))
    }

    /// The failures, and where their reasons are recorded; empty if nothing failed.
    pub fn sentence(self) -> String {
        self.counts().map(|(what, place)| format!("{what}; {place}")).collect::<Vec<_>>().join("; ")
    }

    /// The failures in short: `2 trainings failed, 36 estimates failed`.
    pub fn words(self) -> String {
        self.counts().map(|(what, _)| what).collect::<Vec<_>>().join(", ")
    }
}

impl Outcome {
    /// Completed work with its failures.
    pub fn done(text: String, failures: Failures) -> Self {
        if failures.is_none() { Self::Done(text) } else { Self::Partial { text, failures } }
    }

    /// What failed.
    pub fn failures(&self) -> Failures {
        match self {
            Self::Partial { failures, .. } => *failures,
            Self::UpToDate | Self::Done(_) => Failures::default(),
        }
    }

    /// What was made; empty if nothing was.
    pub fn text(&self) -> &str {
        match self {
            Self::UpToDate => "",
            Self::Done(text) | Self::Partial { text, .. } => text,
        }
    }

    /// The outcome of two pieces of work together, with all failures.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::UpToDate, outcome) | (outcome, Self::UpToDate) => outcome,
            (first, second) => {
                let text = format!("{}; {}", first.text(), second.text());
                Self::done(text, first.failures().and(second.failures()))
            }
        }
    }
}

/// The work for one estimator that a call would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedTables {
    /// The folder of its tables.
    pub folder: PathBuf,
    /// The description of the estimate.
    pub quantity: String,
    /// Number of missing tables.
    pub n_pending: usize,
    /// Number of existing tables.
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
    /// Nothing can be drawn, for example because every estimate failed.
    #[error("{0}")]
    NothingToDraw(String),
    /// Anything else, in one sentence.
    #[error("{0}")]
    Refused(String),
}
