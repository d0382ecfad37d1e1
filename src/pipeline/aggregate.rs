//! Joins the estimates of all runs, and in a sweep those of all experiments.

use std::path::Path;
use std::slice::from_ref;

use super::{Kind, State, Step, has_estimates};
use crate::stages::aggregate::{MinimumEffect, aggregate, is_done};
use crate::stages::{Outcome, StageError, check};
use crate::store::Experiment;

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
        done => checked_aggregate(done, MinimumEffect::default(), joint.folder.root()),
    }),
};

/// As [`aggregate`], after the checks that its verdicts rest on: each experiment is checked where that was not done for these
/// very estimates, and keeps its `checks.parquet`.
///
/// # Errors
/// As [`aggregate`] and [`check::update`].
pub fn checked_aggregate(
    experiments: &[Experiment],
    minimum: MinimumEffect,
    out: &Path,
) -> Result<Outcome, StageError> {
    experiments.iter().try_for_each(|experiment| check::update(experiment, experiment.root()).map(drop))?;
    aggregate(experiments, minimum, out)
}
