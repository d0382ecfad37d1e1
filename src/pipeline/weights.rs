//! Applies the measures of weights that a pipeline asks for.

use super::{Kind, State, Step};
use crate::count::counted;
use crate::stages::weights::{measure_weights, plan};

pub(super) static STEP: Step = Step {
    name: "weights",
    kind: Kind::Results,
    applies: |pipeline| !pipeline.weights.is_empty(),
    lacking: "does not ask for measures of weights; add a table `[[weights]]`",
    state: |task| {
        let planned = plan(task.experiment, &task.pipeline.weights, task.experiment.root())?;
        let n: usize = planned.iter().map(|table| table.n_pending).sum();
        Ok(State::done_if(n == 0, &format!("{} of measures of weights missing", counted(n, "table"))))
    },
    run: |task| measure_weights(task.experiment, &task.pipeline.weights, task.experiment.root(), task.progress),
    join: None,
};
