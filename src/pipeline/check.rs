//! Checks how reliable each estimate is.

use super::{Kind, State, Step, has_estimates};
use crate::stages::check::{is_done, update};

pub(super) static STEP: Step = Step {
    name: "check",
    kind: Kind::View,
    applies: has_estimates,
    lacking: "does not ask for estimates; add a table `[[estimate]]`",
    state: |task| Ok(State::done_if(is_done(task.experiment, task.experiment.root())?, "estimates to check")),
    run: |task| update(task.experiment, task.experiment.root()),
    join: None,
};
