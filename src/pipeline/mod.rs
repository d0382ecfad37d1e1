//! The list of steps that make a pipeline's results, and the driver that does them for one experiment.

mod aggregate;
mod bound;
mod check;
mod data;
mod estimate;
mod exact;
mod plot;
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
    /// What a pipeline lacks that does not ask for it.
    pub lacking: &'static str,
    /// How far it is, without doing anything. The steps before it are done.
    pub state: fn(&Task<'_>) -> Result<State, StageError>,
    /// Does whatever is missing.
    pub run: fn(&Task<'_>) -> Result<Outcome, StageError>,
    /// What it does once for all experiments of a sweep, after each of them.
    pub join: Option<Join>,
}

/// What a step does for all experiments of a sweep together.
pub type Join = fn(&Joint<'_>) -> Result<Outcome, StageError>;

/// What a step makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something that several experiments share, so that it is made before any of them.
    Shared,
    /// Results: an experiment is done when all of them are there.
    Results,
    /// Views of results: verdicts, means.
    View,
    /// Figures. Drawing those of one experiment takes longer than a small experiment itself, so of a sweep only the figures
    /// that compare experiments are drawn.
    Figures,
}

/// Every step, in the order in which they are done.
pub static STEPS: &[&Step] = &[
    &data::STEP,
    &record::STEP,
    &estimate::STEP,
    &exact::STEP,
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
pub static ESTIMATE: &[&Step] = &[&estimate::STEP, &exact::STEP];
/// The step of the exact numbers.
pub static EXACT: &[&Step] = &[&exact::STEP];
/// The step of the measures of weights.
pub static WEIGHTS: &[&Step] = &[&weights::STEP];
/// The step of the information bottleneck.
pub static BOUND: &[&Step] = &[&bound::STEP];

const ALL_KINDS: &[Kind] = &[Kind::Shared, Kind::Results, Kind::View, Kind::Figures];

/// What a step works on.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// What is asked for.
    pub pipeline: &'a Pipeline,
    /// Where the results are.
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
    /// Those that are done and have estimates.
    pub done: &'a [Experiment],
    /// The folder of the sweep.
    pub folder: &'a Experiment,
}

/// How far an experiment or one of its steps is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Everything that its pipeline asks for is there.
    Done,
    /// Some of it is; the text says what is missing.
    Unfinished(String),
    /// Nothing is.
    Pending,
}

impl State {
    /// Done, or unfinished with what is missing.
    fn done_if(is_done: bool, missing: &str) -> Self {
        if is_done { Self::Done } else { Self::Unfinished(missing.to_owned()) }
    }
}

/// A step could not be done. What failed in the steps before it is not lost.
#[derive(Debug, Error)]
#[error("{source}{}", if before.is_none() { String::new() } else { format!(" (before that, {})", before.words()) })]
pub struct Stopped {
    /// Why.
    #[source]
    pub source: StageError,
    /// What failed in the steps before.
    pub before: Failures,
}

impl From<StageError> for Stopped {
    fn from(source: StageError) -> Self {
        Self { source, before: Failures::default() }
    }
}

/// Some of the steps, to be done for an experiment or for a sweep.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// The steps, in their order.
    pub steps: &'static [&'static Step],
    /// What happens to a recording made with other settings.
    pub existing: Existing,
}

impl Job {
    /// Some steps that leave recordings alone.
    pub fn new(steps: &'static [&'static Step]) -> Self {
        Self { steps, existing: Existing::Keep }
    }

    /// Whether estimates are made of what is recorded.
    pub fn makes_estimates(&self) -> bool {
        self.steps.iter().any(|step| step.name == estimate::STEP.name)
    }

    /// Does the steps for one experiment, each of which does only what is missing, and reports each.
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
            // Refuses other data, and more runs than the pipeline asks for.
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

    /// How far an experiment is with the steps, and whether the missing ones could be done; nothing is touched.
    ///
    /// # Errors
    /// They could not.
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

    /// The steps that a pipeline asks for.
    fn applying(&self, pipeline: &Pipeline) -> Result<Vec<&'static Step>, StageError> {
        let steps: Vec<&Step> = self.steps.iter().copied().filter(|step| (step.applies)(pipeline)).collect();
        match self.steps.first().filter(|_| steps.is_empty()) {
            Some(first) => Err(StageError::Refused(format!("the pipeline `{}` {}", pipeline.name, first.lacking))),
            None => Ok(steps),
        }
    }
}

/// How far an experiment is with `steps`. Nothing can be said of estimates before everything is recorded, nor of views
/// before what they show is there.
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

/// How far the results of an experiment are, whatever a command does of them.
fn results_state(task: &Task<'_>) -> Result<State, StageError> {
    let is_asked = |step: &&&Step| step.kind == Kind::Results && (step.applies)(task.pipeline);
    state(&STEPS.iter().copied().filter(|step| is_asked(&step)).collect::<Vec<_>>(), task)
}

/// Whether a pipeline asks for estimates of any kind, without which there is nothing to judge, join or draw.
fn has_estimates(pipeline: &Pipeline) -> bool {
    !pipeline.estimates.is_empty() || pipeline.exact.is_some()
}
