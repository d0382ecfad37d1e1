//! Draws every figure that an experiment has.

use super::{Kind, State, Step, has_estimates};
use crate::plots::PLOTS;
use crate::stages::plot::{Asked, is_done, plot};
use crate::stages::{Outcome, StageError};

pub(super) static STEP: Step = Step {
    name: "plot",
    kind: Kind::View,
    applies: has_estimates,
    lacking: "asks for no estimates; add a table `[[estimate]]`",
    state: |task| {
        let root = task.experiment.root();
        let is_done = is_done(task.experiment, PLOTS, Asked::ForAll, root);
        // Without a summary there is no figure either.
        Ok(State::done_if(is_done.unwrap_or(false), "figures to draw"))
    },
    run: |task| match plot(task.experiment, PLOTS, Asked::ForAll, task.experiment.root()) {
        // The reason, for example that every estimate failed, was reported by an earlier step.
        Err(StageError::NothingToDraw(why)) => Ok(Outcome::Done(why)),
        outcome => outcome,
    },
    join: None,
};
