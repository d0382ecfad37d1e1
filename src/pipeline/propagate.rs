//! Computes the information of layers with noise that a pipeline asks for.

use super::estimate::missing;
use super::{Kind, Step};
use crate::stages::propagate::{plan, propagate};

pub(super) static STEP: Step = Step {
    name: "propagate",
    kind: Kind::Results,
    applies: |pipeline| pipeline.propagation.is_some(),
    lacking: "does not ask for sample propagation; add a table `[propagation]`",
    state: |task| Ok(missing(&plan(task.pipeline, task.experiment, task.experiment.root())?)),
    run: |task| propagate(task.pipeline, task.experiment, task.experiment.root(), task.progress),
    join: None,
};
