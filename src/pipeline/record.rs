//! Trains the networks of a pipeline and records them.

use super::{Kind, State, Step};
use crate::stages::record::{Planned, plan, record};

pub(super) static STEP: Step = Step {
    name: "record",
    kind: Kind::Results,
    applies: |_| true,
    lacking: "",
    state: |task| {
        Ok(match plan(task.pipeline, task.experiment, task.existing)? {
            Planned::Whole => State::Done,
            Planned::Begun(n) => State::Unfinished(format!("{n} of {} runs are recorded", task.pipeline.n_runs)),
            Planned::Nothing => State::Pending,
        })
    },
    run: |task| record(task.pipeline, task.experiment, task.existing, task.progress),
    join: None,
};
