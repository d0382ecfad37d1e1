//! Solves the information bottleneck that a pipeline asks for.

use super::{Kind, State, Step};
use crate::stages::Outcome;
use crate::stages::bound::{bound, is_done};

pub(super) static STEP: Step = Step {
    name: "bound",
    kind: Kind::Results,
    applies: |pipeline| pipeline.bound.is_some(),
    lacking: "does not ask for a bound; add a table `[bound]` with `code`, the name of one of its estimates",
    state: |task| {
        let is_done = |request| is_done(task.experiment, request, task.experiment.root());
        let is_done = task.pipeline.bound.as_ref().map_or(Ok(true), is_done)?;
        Ok(State::done_if(is_done, "the bound is missing"))
    },
    run: |task| match &task.pipeline.bound {
        Some(request) => bound(task.experiment, request, task.experiment.root(), task.progress),
        None => Ok(Outcome::UpToDate),
    },
    join: None,
};
