//! Draws all figures of an experiment; for a sweep, the figures that compare experiments.

use super::{Kind, State, Step, has_estimates};
use crate::plots::{PLOTS, Spec, Subject};
use crate::stages::plot::{PlotSelection, is_done, plot, skip};
use crate::stages::{Outcome, StageError};

pub(super) static STEP: Step = Step {
    name: "plot",
    kind: Kind::Figures,
    applies: has_estimates,
    lacking: "does not ask for estimates; add a table `[[estimate]]`",
    state: |task| {
        let root = task.experiment.root();
        Ok(State::done_if(is_done(task.experiment, PLOTS, PlotSelection::ForAll, root)?, "figures to draw"))
    },
    run: |task| match plot(task.experiment, PLOTS, PlotSelection::ForAll, task.experiment.root()) {
        // The reason, for example that every estimate failed, was reported by an earlier step.
        Err(StageError::NothingToDraw(why)) => {
            skip(task.experiment, PLOTS, PlotSelection::ForAll, task.experiment.root())?;
            Ok(Outcome::Done(why))
        }
        outcome => outcome,
    },
    join: Some(|joint| {
        if joint.done.len() < 2 {
            return Ok(Outcome::UpToDate);
        }
        let plots: Vec<&Spec> =
            PLOTS.iter().copied().filter(|spec| matches!(spec.subject, Subject::Sweep | Subject::Folder)).collect();
        match plot(joint.folder, &plots, PlotSelection::ForAll, joint.folder.root()) {
            Err(StageError::NothingToDraw(_)) => Ok(Outcome::UpToDate),
            outcome => outcome,
        }
    }),
};
