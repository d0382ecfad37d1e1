//! Joins the estimates of all runs; in a sweep also the estimates of all experiments.

use std::path::Path;
use std::slice::from_ref;

use super::{Kind, State, Step, has_estimates};
use crate::config::Pipeline;
use crate::stages::aggregate::{MinimumEffect, aggregate, is_done};
use crate::stages::{Outcome, StageError, check};
use crate::store::Experiment;

pub(super) static STEP: Step = Step {
    name: "aggregate",
    kind: Kind::View,
    applies: has_estimates,
    lacking: "does not ask for estimates; add a table `[[estimate]]`",
    state: |task| {
        let is_done = is_done(from_ref(task.experiment), minimum(task.pipeline), task.experiment.root())?;
        Ok(State::done_if(is_done, "estimates to aggregate"))
    },
    run: |task| aggregate(from_ref(task.experiment), minimum(task.pipeline), task.experiment.root()),
    join: Some(|joint| match joint.done {
        [] => Ok(Outcome::UpToDate),
        // It cannot be varied in a sweep.
        done => {
            let minimum =
                joint.experiments.first().map_or_else(MinimumEffect::default, |(pipeline, _)| minimum(pipeline));
            checked_aggregate(done, minimum, joint.folder.root())
        }
    }),
};

/// The smallest compression that counts.
fn minimum(pipeline: &Pipeline) -> MinimumEffect {
    MinimumEffect::given(pipeline.minimum_effect)
}

/// As [`aggregate`], after the checks that its verdicts depend on: experiments with unchecked estimates are checked first, and
/// the results are written to their `checks.parquet`.
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
