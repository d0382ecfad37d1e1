//! Trains the networks of a pipeline and records them.

use super::{Kind, State, Step};
use crate::count::counted;
use crate::stages::record::{RecordingProgress, plan, record};

pub(super) static STEP: Step = Step {
    name: "record",
    kind: Kind::Results,
    applies: |_| true,
    lacking: "",
    state: |task| {
        Ok(match plan(task.pipeline, task.experiment, task.existing)? {
            RecordingProgress::Whole => State::Done,
            RecordingProgress::Begun(n) => {
                State::Unfinished(format!("{n} of {} recorded", counted(task.pipeline.n_runs, "run")))
            }
            RecordingProgress::Nothing => State::Pending,
        })
    },
    run: |task| record(task.pipeline, task.experiment, task.existing, task.progress),
    join: None,
};
