//! Computes the exact information that a pipeline asks for.

use super::estimate::missing;
use super::{Kind, Step};
use crate::stages::exact::{linear, plan};

pub(super) static STEP: Step = Step {
    name: "exact",
    kind: Kind::Results,
    applies: |pipeline| pipeline.exact.is_some(),
    lacking: "does not ask for exact information; add a table `[exact]`",
    state: |task| Ok(missing(&plan(task.pipeline, task.experiment, task.experiment.root())?)),
    run: |task| linear(task.pipeline, task.experiment, task.experiment.root(), task.progress),
    join: None,
};
