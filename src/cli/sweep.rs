//! Pipelines that may be sweeps: which experiments of them, what is done for each, and what would be.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use infoplane::config::{Declared, Pipeline, Shortened, Sweep, Variant};
use infoplane::stages::record::{self, Existing, Planned};
use infoplane::stages::sweep::{State, Work, look, sweep};
use infoplane::stages::{Outcome, Silent, StageError, aggregate, estimate, exact};
use infoplane::store::Experiment;
use serde_json::json;

use super::bound;
use super::inspect::grid;
use super::path;
use super::terminal::Terminal;

/// Which stages a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stages {
    /// Data, recording, estimates.
    All,
    /// The recording.
    Record,
    /// The estimates of what is recorded.
    Estimate,
    /// Of these, the exact numbers alone.
    Exact,
    /// The information bottleneck's bound.
    Bound,
}

impl Stages {
    /// Whether the networks are trained.
    fn record(self) -> bool {
        matches!(self, Stages::All | Stages::Record)
    }
}

/// What a command does for a pipeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) stages: Stages,
    pub(super) existing: Existing,
}

/// Adds the words for some experiments of a sweep.
pub(super) fn add(command: Command) -> Command {
    let only = Arg::new("only")
        .long("only")
        .value_name("ID")
        .help("Of a sweep, only this experiment; * stands for anything; may be given several times")
        .action(ArgAction::Append);
    let dry_run = Arg::new("dry_run").long("dry-run").help("Only say what would be done").action(ArgAction::SetTrue);
    let number = |name: &'static str, help: &'static str, most: i64| {
        Arg::new(name).long(name).value_name("N").help(help).value_parser(value_parser!(u64).range(1..=most as u64))
    };
    command
        .arg(only)
        .arg(dry_run)
        .arg(number(
            "epochs",
            "Train for N epochs instead of what the pipeline says, to try it out; its recorded `steps` must be among them",
            i64::from(i32::MAX),
        ))
        .arg(number("runs", "Train N networks instead of what the pipeline says", 9999))
}

/// What the pipeline named on the command line declares, and where its results go: `--out`, else `outputs/<name>`.
pub(super) fn declared(matches: &ArgMatches) -> anyhow::Result<(Declared, PathBuf)> {
    let file = path(matches, "pipeline").context("clap requires the pipeline")?;
    let number = |name: &str| matches.get_one::<u64>(name).copied();
    let shortened = Shortened { epochs: number("epochs"), runs: number("runs").map(|runs| runs as usize) };
    let declared = Declared::shortened(file, shortened)?;
    let name = match &declared {
        Declared::One(pipeline) => &pipeline.name,
        Declared::Many(sweep) => &sweep.name,
    };
    if matches!(declared, Declared::One(_)) && matches.contains_id("only") {
        let file = file.display();
        anyhow::bail!("{file} is one experiment and no sweep (none of its parameters is a list); leave out `--only`");
    }
    let out = path(matches, "out").map_or_else(|| Path::new("outputs").join(name), Path::to_owned);
    Ok((declared, out))
}

impl Job {
    /// Says how far `pipeline`, which is one experiment, is.
    pub(super) fn describe(self, pipeline: &Pipeline, root: &Path, terminal: &Terminal) -> anyhow::Result<Outcome> {
        let text = match self.look(pipeline, &Experiment::new(root))? {
            State::Done => "done".to_owned(),
            State::Pending => format!("pending: {} runs to record", pipeline.n_runs),
            State::Unfinished(missing) => format!("unfinished: {missing}"),
        };
        match terminal.is_json() {
            true => terminal.print_json(&json!({ "experiment": root, "state": text }))?,
            false => terminal.print(&format!("{}: {text}\n", root.display()))?,
        }
        Ok(Outcome::UpToDate)
    }

    /// Does the chosen experiments of a sweep, or says how far they are.
    pub(super) fn sweep(
        self,
        all: &Sweep,
        root: &Path,
        matches: &ArgMatches,
        terminal: &Terminal,
    ) -> anyhow::Result<Outcome> {
        let patterns: Vec<&str> =
            matches.get_many::<String>("only").into_iter().flatten().map(String::as_str).collect();
        let chosen = all.chosen(&patterns)?;
        if matches.get_flag("dry_run") {
            let states = look(&chosen, root, |pipeline, experiment| self.look(pipeline, experiment));
            match terminal.is_json() {
                true => terminal.print_json(&described(&chosen, &states))?,
                false => terminal.print(&table(&chosen, &states))?,
            }
            return Ok(Outcome::UpToDate);
        }
        let outcome = sweep(all, &chosen, root, &self, terminal)?;
        terminal.report("sweep", &outcome);
        Ok(outcome)
    }

    /// How far an experiment is, and whether it could be done.
    fn look(self, pipeline: &Pipeline, experiment: &Experiment) -> Result<State, StageError> {
        let is_recorded = || Ok::<_, StageError>(record::plan(pipeline, experiment, self.existing)? == Planned::Whole);
        let state = match self.state(pipeline, experiment)? {
            State::Unfinished(_) if self.stages == Stages::Record && is_recorded()? => State::Done,
            State::Pending if !self.stages.record() => {
                return Err(StageError::Refused("nothing is recorded; run `infoplane record` first".to_owned()));
            }
            state => state,
        };
        let makes_data = self.stages == Stages::All && record::is_to_be_made(&pipeline.data);
        if state != State::Done && self.stages.record() && !makes_data {
            record::expect_fit(pipeline)?;
        }
        Ok(state)
    }
}

impl Work for Job {
    fn prepare(&self, pipeline: &Pipeline) -> Result<(), StageError> {
        match self.stages {
            Stages::All => super::run::make_data(pipeline).map(drop),
            Stages::Record | Stages::Estimate | Stages::Exact | Stages::Bound => Ok(()),
        }
    }

    fn is_large(&self, pipeline: &Pipeline) -> bool {
        record::is_large(pipeline)
    }

    fn one(&self, pipeline: &Pipeline, experiment: &Experiment) -> Result<Outcome, StageError> {
        let recorded = match self.stages.record() {
            true => record::record(pipeline, experiment, self.existing, &Silent)?,
            false => Outcome::UpToDate,
        };
        if self.stages == Stages::Record {
            return Ok(recorded);
        }
        let mut estimated = Outcome::UpToDate;
        let does = |stage: Stages| [Stages::All, stage].contains(&self.stages);
        if does(Stages::Estimate) && !pipeline.estimates.is_empty() {
            estimated = estimate::estimate(experiment, &pipeline.estimates, experiment.root(), &Silent)?;
        }
        // Asked for by itself, what is missing in the pipeline is said.
        let with_estimates = does(Stages::Estimate) && pipeline.exact.is_some();
        if self.stages == Stages::Exact || with_estimates {
            estimated = estimated.and(exact::linear(pipeline, experiment, experiment.root(), &Silent)?);
        }
        if self.stages == Stages::Bound || (self.stages == Stages::All && pipeline.bound.is_some()) {
            estimated = estimated.and(bound::of_pipeline(pipeline, experiment, &Silent)?);
        }
        Ok(match (&recorded, &estimated) {
            (Outcome::TrainingsFailed { .. }, _) | (_, Outcome::UpToDate) => recorded,
            _ => estimated,
        })
    }

    fn state(&self, pipeline: &Pipeline, experiment: &Experiment) -> Result<State, StageError> {
        let n_runs = pipeline.n_runs;
        match record::plan(pipeline, experiment, self.existing)? {
            Planned::Nothing => Ok(State::Pending),
            Planned::Begun(n) => Ok(State::Unfinished(format!("{n} of {n_runs} runs are recorded"))),
            Planned::Whole => {
                let needs_bound = matches!(self.stages, Stages::All | Stages::Bound);
                let mut tables = estimate::plan(experiment, &pipeline.estimates, experiment.root())?;
                tables.extend(exact::plan(pipeline, experiment, experiment.root())?);
                let root = experiment.root();
                let is_bound = |request| infoplane::stages::bound::is_done(experiment, request, root);
                let has_bound = pipeline.bound.as_ref().filter(|_| needs_bound).map_or(Ok(true), is_bound)?;
                Ok(match tables.iter().map(|table| table.n_pending).sum() {
                    0_usize if has_bound => State::Done,
                    0 => State::Unfinished("recorded and estimated; the bound is to be solved".to_owned()),
                    n => State::Unfinished(format!("recorded; {n} tables of estimates to make")),
                })
            }
        }
    }

    fn join(&self, experiments: &[Experiment], out: &Path) -> Result<Outcome, StageError> {
        aggregate::aggregate(experiments, out)
    }
}

/// The experiments with their settings, and how far each is, for programs.
fn described(chosen: &[&Variant], states: &[Result<State, String>]) -> Vec<serde_json::Value> {
    let one = |(variant, state): (&&Variant, &Result<State, String>)| {
        let (state, why) = words(state);
        let settings: serde_json::Map<String, serde_json::Value> =
            variant.settings.iter().map(|setting| (setting.parameter.clone(), json!(setting.value))).collect();
        json!({ "experiment": variant.id, "state": state, "reason": why, "settings": settings })
    };
    chosen.iter().zip(states).map(one).collect()
}

/// How far an experiment is, and why no further.
fn words(state: &Result<State, String>) -> (&'static str, &str) {
    match state {
        Err(reason) => ("cannot run", reason.as_str()),
        Ok(State::Done) => ("done", ""),
        Ok(State::Pending) => ("pending", ""),
        Ok(State::Unfinished(missing)) => ("unfinished", missing.as_str()),
    }
}

/// The experiments with their settings, how far each is, and counts.
fn table(chosen: &[&Variant], states: &[Result<State, String>]) -> String {
    let parameters = chosen.first().map_or(&[][..], |variant| &variant.settings);
    let mut header = vec!["experiment", "state"];
    header.extend(parameters.iter().map(|setting| setting.parameter.as_str()));
    header.push("");
    let row = |(variant, state): (&&Variant, &Result<State, String>)| {
        let (state, why) = words(state);
        let values = variant.settings.iter().map(|setting| setting.value.clone());
        let row: Vec<String> = [variant.id.clone(), state.to_owned()].into_iter().chain(values).collect();
        [row, vec![why.to_owned()]].concat()
    };
    let rows: Vec<Vec<String>> = chosen.iter().zip(states).map(row).collect();
    let count = |state| (rows.iter().filter(|row| row[1] == state).count(), state);
    let counts = ["done", "unfinished", "pending", "cannot run"].into_iter().map(count);
    let counts: Vec<String> = counts.filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
    let n = rows.len();
    format!("{}\n{n} experiments: {}\n", grid(&header, rows.into_iter()), counts.join(", "))
}
