//! Relates the compression of I(X;T) to the measures of weights; in a sweep also over all experiments together.

use std::path::Path;
use std::slice::from_ref;

use super::{Kind, State, Step, has_estimates};
use crate::stages::relate::{counts, is_done, relate};
use crate::stages::{Outcome, StageError};
use crate::store::Experiment;

pub(super) static STEP: Step = Step {
    name: "relate",
    kind: Kind::View,
    applies: |pipeline| !pipeline.weights.is_empty() && has_estimates(pipeline),
    lacking: "does not ask for both measures of weights and estimates; add tables `[[weights]]` and `[[estimate]]`",
    state: |task| {
        let is_done = is_done(from_ref(task.experiment), task.experiment.root())?;
        Ok(State::done_if(is_done, "measures of weights to relate"))
    },
    run: |task| update(from_ref(task.experiment), task.experiment.root()),
    join: Some(|joint| {
        let is_asked = joint.experiments.iter().any(|(pipeline, _)| (STEP.applies)(pipeline));
        match joint.done {
            done if is_asked && !done.is_empty() => update(done, joint.folder.root()),
            _ => Ok(Outcome::UpToDate),
        }
    }),
};

/// Makes the table, unless it exists.
fn update(experiments: &[Experiment], out: &Path) -> Result<Outcome, StageError> {
    if is_done(experiments, out)? {
        return Ok(Outcome::UpToDate);
    }
    let rows = relate(experiments, out)?;
    Ok(Outcome::Done(format!("{} → {}", counts(&rows), out.display())))
}
