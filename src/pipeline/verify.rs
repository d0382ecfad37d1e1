//! Evaluates the claims of a pipeline; in a sweep, of all experiments together.

use super::{Kind, State, Step};
use crate::stages::Outcome;
use crate::stages::verify::{is_done, update};

pub(super) static STEP: Step = Step {
    name: "verify",
    kind: Kind::View,
    applies: |pipeline| !pipeline.claims.is_empty(),
    lacking: "makes no claims; add `[[expect]]` tables",
    // Whether the verdicts are up to date is known only after evaluating the claims again, which is fast.
    state: |task| {
        let is_done = is_done(&[(task.pipeline, task.experiment.clone())], task.experiment.root())?;
        Ok(State::done_if(is_done, "claims to judge"))
    },
    run: |task| update(&[(task.pipeline, task.experiment.clone())], task.experiment.root()),
    join: Some(|joint| match joint.experiments.iter().any(|(pipeline, _)| !pipeline.claims.is_empty()) {
        true => update(joint.experiments, joint.folder.root()),
        false => Ok(Outcome::UpToDate),
    }),
};
