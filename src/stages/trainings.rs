//! How the trainings of a recording ended, if this is recorded.

use std::collections::BTreeMap;

use crate::store::schema::{Row, RunRow};
use crate::store::{Recording, StoreError, TrainingOutcome, read_recorded};

/// The failed and degenerate trainings of an experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Trainings {
    /// The runs whose training failed, with the reason.
    pub(crate) failed: BTreeMap<String, String>,
    pub(crate) n_degenerate: i64,
}

impl Trainings {
    pub(crate) fn n_failed(&self) -> i64 {
        self.failed.len() as i64
    }

    /// Why the first of them failed.
    pub(crate) fn reason(&self) -> Option<String> {
        self.failed.first_key_value().map(|(run, reason)| format!("{run}: {reason}"))
    }
}

/// The trainings of a recording; `None` if a run has no record of its end.
pub(crate) fn of(recording: &Recording) -> Result<Option<Trainings>, StoreError> {
    let mut trainings = Trainings::default();
    for run in recording.all_runs() {
        let rows: Vec<RunRow> = read_recorded(&run.parts(RunRow::TABLE, None))?;
        let Some(row) = rows.last() else { return Ok(None) };
        if row.outcome == TrainingOutcome::Failed {
            let reason = row.reason.clone().unwrap_or_else(|| "no reason is recorded".to_owned());
            trainings.failed.insert(run.id.to_string(), reason);
        }
        trainings.n_degenerate += i64::from(row.degenerate.is_some());
    }
    Ok(Some(trainings))
}
