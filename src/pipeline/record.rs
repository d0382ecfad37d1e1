//! Trains the networks of a pipeline and records them.

use super::{Kind, State, Step};
use crate::count::counted;
use crate::stages::Outcome;
use crate::stages::record::{RecordingProgress, plan, record};

pub(super) static STEP: Step = Step {
    name: "record",
    kind: Kind::Results,
    applies: |pipeline| pipeline.networks().is_some(),
    lacking: "uses a recording of another program, so there is nothing to train",
    state: |task| {
        let Some(networks) = task.pipeline.networks() else { return Ok(State::Done) };
        Ok(match plan(networks, task.experiment, task.existing)? {
            RecordingProgress::Whole => State::Done,
            RecordingProgress::Begun(n) => {
                State::Unfinished(format!("{n} of {} recorded", counted(networks.n_runs, "run")))
            }
            RecordingProgress::Nothing => State::Pending,
        })
    },
    run: |task| match task.pipeline.networks() {
        Some(networks) => record(networks, task.experiment, task.existing, task.progress),
        None => Ok(Outcome::UpToDate),
    },
    join: None,
};
