//! How the trainings of a recording ended, where it says so.

use crate::store::schema::{Row, RunRow};
use crate::store::{Recording, StoreError, read_all_rows};

/// How many trainings of an experiment did not work out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Trainings {
    pub(super) n_failed: i64,
    pub(super) n_degenerate: i64,
    /// Why the first of them failed.
    pub(super) reason: Option<String>,
}

/// The trainings of a recording; `None` where a run does not say how it ended.
pub(super) fn of(recording: &Recording) -> Result<Option<Trainings>, StoreError> {
    let mut all = Trainings::default();
    for run in recording.all_runs() {
        let rows: Vec<RunRow> = read_all_rows(&run.parts(RunRow::TABLE, None))?;
        let Some(row) = rows.last() else { return Ok(None) };
        if row.outcome == "failed" {
            all.n_failed += 1;
            let reason = || format!("{}: {}", run.id, row.reason.as_deref().unwrap_or("no reason is recorded"));
            all.reason.get_or_insert_with(reason);
        }
        all.n_degenerate += i64::from(row.degenerate.is_some());
    }
    Ok(Some(all))
}
