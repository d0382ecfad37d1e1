//! The steps of a pipeline, and the driver that runs them for one experiment.

mod aggregate;
mod bound;
mod check;
mod data;
mod estimate;
mod exact;
mod plot;
mod propagate;
mod record;
mod relate;
mod resolve;
mod sweep;
mod verify;
mod weights;

use thiserror::Error;

use crate::config::Pipeline;
use crate::stages::keys::expect_recorded_with;
use crate::stages::record::{Existing, expect_fit, is_to_be_made};
use crate::stages::{Failures, Outcome, Progress, StageError, experiments};
use crate::store::Experiment;
pub use aggregate::checked_aggregate;
pub use resolve::{Needs, Resolved, resolve};
pub use sweep::run_sweep;
pub use sweep::states;

/// One step of a pipeline.
#[derive(Debug)]
pub struct Step {
    /// Its name in reports.
    pub name: &'static str,
    /// What it makes.
    pub kind: Kind,
    /// Whether a pipeline asks for it.
    pub applies: fn(&Pipeline) -> bool,
    /// What to add to a pipeline that does not ask for it; the end of a sentence that begins with the pipeline.
    pub lacking: &'static str,
    /// Its state, without changing anything. All earlier steps are done.
    pub state: fn(&Task<'_>) -> Result<State, StageError>,
    /// Does the missing work.
    pub run: fn(&Task<'_>) -> Result<Outcome, StageError>,
    /// Its work for all experiments of a sweep together, after all of them are done.
    pub join: Option<Join>,
}

/// The work of a step for all experiments of a sweep together.
pub type Join = fn(&Joint<'_>) -> Result<Outcome, StageError>;

/// What a step makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Files shared by several experiments, made before all of them.
    Shared,
    /// Results: an experiment is done when all of them exist.
    Results,
    /// Tables derived from results: verdicts, means.
    View,
    /// Figures. Drawing the figures of one experiment takes longer than a small experiment, so only the figures that compare
    /// experiments are drawn for a sweep.
    Figures,
}

/// Every step, in execution order.
pub static STEPS: &[&Step] = &[
    &data::STEP,
    &record::STEP,
    &estimate::STEP,
    &exact::STEP,
    &propagate::STEP,
    &bound::STEP,
    &weights::STEP,
    &check::STEP,
    &aggregate::STEP,
    &relate::STEP,
    &plot::STEP,
    &verify::STEP,
];

/// The step that trains and records.
pub static RECORD: &[&Step] = &[&record::STEP];
/// The steps that make tables of estimates.
pub static ESTIMATE: &[&Step] = &[&estimate::STEP, &exact::STEP, &propagate::STEP];
/// The step that computes exact information.
pub static EXACT: &[&Step] = &[&exact::STEP];
/// The step of sample propagation.
pub static PROPAGATE: &[&Step] = &[&propagate::STEP];
/// The step of the measures of weights.
pub static WEIGHTS: &[&Step] = &[&weights::STEP];
/// The step of the information bottleneck.
pub static BOUND: &[&Step] = &[&bound::STEP];

const ALL_KINDS: &[Kind] = &[Kind::Shared, Kind::Results, Kind::View, Kind::Figures];

/// What a step works on.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// The experiment with its folder of results.
    pub experiment: &'a Experiment,
    /// What happens to a recording made with other settings.
    pub existing: Existing,
    /// Where progress is reported.
    pub progress: &'a dyn Progress,
}

/// The experiments of a sweep, for a step that joins them.
pub struct Joint<'a> {
    /// Every experiment that can be run.
    pub experiments: &'a [(&'a Pipeline, Experiment)],
    /// The experiments that are done and have estimates.
    pub done: &'a [Experiment],
    /// The folder of the sweep.
    pub folder: &'a Experiment,
}

/// The state of an experiment or of one of its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Everything that its pipeline asks for exists.
    Done,
    /// Some of it exists; the text names what is missing.
    Unfinished(String),
    /// Nothing exists.
    Pending,
}

impl State {
    /// Done, or unfinished with what is missing.
    fn done_if(is_done: bool, missing: &str) -> Self {
        if is_done { Self::Done } else { Self::Unfinished(missing.to_owned()) }
    }
}

/// A step could not be done. The failures of earlier steps are kept.
#[derive(Debug, Error)]
#[error("{source}{}", if before.is_none() { String::new() } else { format!(" (in earlier steps: {})", before.words()) })]
pub struct Stopped {
    /// Why.
    #[source]
    pub source: StageError,
    /// Failures in earlier steps.
    pub before: Failures,
}

impl From<StageError> for Stopped {
    fn from(source: StageError) -> Self {
        Self { source, before: Failures::default() }
    }
}

/// Some steps, to be run for an experiment or a sweep.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// The steps, in their order.
    pub steps: &'static [&'static Step],
    /// What happens to a recording made with other settings.
    pub existing: Existing,
}

impl Job {
    /// Some steps that keep existing recordings.
    pub fn new(steps: &'static [&'static Step]) -> Self {
        Self { steps, existing: Existing::Keep }
    }

    /// Whether the steps make estimates.
    pub fn makes_estimates(&self) -> bool {
        self.steps.iter().any(|step| step.name == estimate::STEP.name)
    }

    /// Runs the steps for one experiment and reports each. A step does only the missing work.
    ///
    /// # Errors
    /// A step could not be done, or the pipeline asks for none of them.
    pub fn run(&self, task: &Task<'_>) -> Result<Outcome, Stopped> {
        self.run_kinds(task, ALL_KINDS)
    }

    /// As [`Job::run`], for the steps of some kinds.
    fn run_kinds(&self, task: &Task<'_>, kinds: &[Kind]) -> Result<Outcome, Stopped> {
        let steps = self.applying(task.pipeline)?;
        experiments::expect_no_sweep(task.experiment.root())?;
        if !self.has(&record::STEP) {
            expect_recorded_with(task.pipeline, task.experiment)?;
            // Returns an error for other data, or for more runs than the pipeline asks for.
            (record::STEP.state)(task)?;
        }
        let mut total = Outcome::UpToDate;
        for step in steps.iter().filter(|step| kinds.contains(&step.kind)) {
            let outcome = (step.run)(task).map_err(|source| Stopped { source, before: total.failures() })?;
            task.progress.report(step.name, &outcome);
            total = total.and(outcome);
        }
        Ok(total)
    }

    /// The state of an experiment, and whether the missing steps could be run. Nothing is changed.
    ///
    /// # Errors
    /// A missing step could not be run.
    pub fn state(&self, task: &Task<'_>) -> Result<State, StageError> {
        self.state_of_kinds(task, ALL_KINDS)
    }

    /// As [`Job::state`], for the steps of some kinds.
    fn state_of_kinds(&self, task: &Task<'_>, kinds: &[Kind]) -> Result<State, StageError> {
        let mut steps = self.applying(task.pipeline)?;
        experiments::expect_no_sweep(task.experiment.root())?;
        steps.retain(|step| kinds.contains(&step.kind));
        let state = state(&steps, task)?;
        if state == State::Pending && !self.has(&record::STEP) {
            return Err(StageError::Refused("nothing is recorded; run `infoplane record` first".to_owned()));
        }
        let Some(networks) = task.pipeline.networks() else { return Ok(state) };
        let makes_data = self.has(&data::STEP) && is_to_be_made(&networks.data);
        if state != State::Done && self.has(&record::STEP) && !makes_data {
            expect_fit(networks)?;
        }
        Ok(state)
    }

    fn has(&self, wanted: &Step) -> bool {
        self.steps.iter().any(|step| step.name == wanted.name)
    }

    /// The steps that the pipeline asks for.
    fn applying(&self, pipeline: &Pipeline) -> Result<Vec<&'static Step>, StageError> {
        let steps: Vec<&Step> = self.steps.iter().copied().filter(|step| (step.applies)(pipeline)).collect();
        match self.steps.first().filter(|_| steps.is_empty()) {
            Some(first) => Err(StageError::Refused(format!("the pipeline `{}` {}", pipeline.name, first.lacking))),
            None => Ok(steps),
        }
    }
}

/// The state of an experiment with `steps`. The state of estimates is unknown until everything is recorded, and the state of
/// derived tables is unknown until their inputs exist.
fn state(steps: &[&Step], task: &Task<'_>) -> Result<State, StageError> {
    match (record::STEP.state)(task)? {
        State::Done => {}
        other => return Ok(other),
    }
    let mut missing: Vec<String> = Vec::new();
    for step in steps.iter().filter(|step| step.kind != Kind::Shared) {
        if step.kind != Kind::Results && !missing.is_empty() {
            break;
        }
        if let State::Unfinished(what) = (step.state)(task)? {
            missing.push(what);
        }
    }
    Ok(State::done_if(missing.is_empty(), &format!("recorded; {}", missing.join("; "))))
}

/// The state of all results of an experiment, also of steps that are not run.
fn results_state(task: &Task<'_>) -> Result<State, StageError> {
    let is_asked = |step: &&&Step| step.kind == Kind::Results && (step.applies)(task.pipeline);
    state(&STEPS.iter().copied().filter(|step| is_asked(&step)).collect::<Vec<_>>(), task)
}

/// Whether a pipeline asks for estimates. Without estimates there is nothing to check, join or draw.
fn has_estimates(pipeline: &Pipeline) -> bool {
    !pipeline.estimates.is_empty() || pipeline.exact.is_some() || pipeline.propagation.is_some()
}
