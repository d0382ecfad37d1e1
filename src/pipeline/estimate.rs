//! Makes the estimates that a pipeline asks for.

use super::{Kind, State, Step};
use crate::count::counted;
use crate::stages::PlannedTables;
use crate::stages::estimate::{estimate, plan};

pub(super) static STEP: Step = Step {
    name: "estimate",
    kind: Kind::Results,
    applies: |pipeline| !pipeline.estimates.is_empty(),
    lacking: "does not ask for estimates; add a table `[[estimate]]`",
    state: |task| Ok(missing(&plan(task.experiment, &task.pipeline.estimates, task.experiment.root())?)),
    run: |task| estimate(task.experiment, &task.pipeline.estimates, task.experiment.root(), task.progress),
    join: None,
};

/// The state of tables of estimates.
pub(super) fn missing(tables: &[PlannedTables]) -> State {
    let n: usize = tables.iter().map(|table| table.n_pending).sum();
    State::done_if(n == 0, &format!("{} of estimates missing", counted(n, "table")))
}
