//! The table of a sweep's experiments, and the states in it.

use std::path::Path;

use crate::store::schema::ExperimentRow;
use crate::store::{Experiment, StoreError, read_rows};

/// What became of an experiment of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExperimentState {
    /// Everything that its pipeline asks for is there.
    Done,
    /// Everything is there, but some trainings or estimates failed.
    Partial,
    /// It could not be done, or all of its trainings failed.
    Failed,
    /// Some of it is there.
    Unfinished,
    /// Nothing is there.
    Pending,
}

impl ExperimentState {
    /// Every state, in the order of a summary.
    pub const ALL: [Self; 5] = [Self::Done, Self::Partial, Self::Failed, Self::Unfinished, Self::Pending];

    /// The state as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
            Self::Pending => "pending",
        }
    }

    /// The state that a row holds; `None` of a state that this version does not have.
    pub fn of(row: &ExperimentRow) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == row.state)
    }

    /// Whether there are results to show.
    pub fn has_results(self) -> bool {
        matches!(self, Self::Done | Self::Partial)
    }
}

/// Whether `root` is the folder of a sweep: it has the tables of one, and no recording.
pub fn is_sweep(root: &Path) -> bool {
    root.join(Experiment::EXPERIMENTS).exists() && !Experiment::new(root).recording().is_dir()
}

/// The experiments of the sweep in `root`.
///
/// # Errors
/// The table cannot be read.
pub fn rows(root: &Path) -> Result<Vec<ExperimentRow>, StoreError> {
    read_rows(&root.join(Experiment::EXPERIMENTS))
}
