//! Joins the estimates of all runs, and in a sweep those of all experiments.

use std::slice::from_ref;

use super::{Kind, State, Step, has_estimates};
use crate::stages::aggregate::{MinimumEffect, aggregate, is_done};
use crate::stages::{Outcome, check};

pub(super) static STEP: Step = Step {
    name: "aggregate",
    kind: Kind::View,
    applies: has_estimates,
    lacking: "asks for no estimates; add a table `[[estimate]]`",
    state: |task| {
        let is_done = is_done(from_ref(task.experiment), MinimumEffect::default(), task.experiment.root())?;
        Ok(State::done_if(is_done, "estimates to aggregate"))
    },
    run: |task| aggregate(from_ref(task.experiment), MinimumEffect::default(), task.experiment.root()),
    join: Some(|joint| match joint.done {
        [] => Ok(Outcome::UpToDate),
        done => {
            // Verdicts rest on the checks of these very estimates.
            done.iter().try_for_each(|experiment| check::update(experiment, experiment.root()).map(drop))?;
            aggregate(done, MinimumEffect::default(), joint.folder.root())
        }
    }),
};
