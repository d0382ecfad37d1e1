//! `infoplane run`: all stages of a pipeline, each of which does only what is not done yet.

use std::path::Path;

use clap::{ArgMatches, Command};
use infoplane::config::{Data, Declared, Pipeline};
use infoplane::plots::PLOTS;
use infoplane::stages::{Outcome, StageError, aggregate, check, data, estimate, exact, plot, record};
use infoplane::store::Experiment;

use super::sweep::{Job, Stages};
use super::terminal::Terminal;
use super::{bound, out_arg, pipeline_arg, sweep, verify};

pub(super) fn command() -> Command {
    let command = Command::new("run")
        .about("Do all stages of a pipeline: data, record, estimate, exact, bound, check, aggregate, plot, verify (of a sweep all but check and plot)")
        .arg(pipeline_arg())
        .arg(out_arg("The experiment's folder, or the sweep's [default: outputs/<pipeline>]"))
        .arg(super::record::overwrite_arg());
    sweep::add(command)
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let job = Job { stages: Stages::All, existing: super::record::existing(matches) };
    let (declared, root) = sweep::declared(matches)?;
    let outcome = match &declared {
        Declared::Many(sweep) => job.sweep(sweep, &root, matches, terminal)?,
        Declared::One(pipeline) if matches.get_flag("dry_run") => job.describe(pipeline, &root, terminal)?,
        Declared::One(pipeline) => one(pipeline, &root, job, terminal)?,
    };
    let has_claims = declared.pipelines().any(|(_, pipeline)| !pipeline.claims.is_empty());
    if has_claims && !matches.get_flag("dry_run") {
        let verdicts = verify::of_declared(&declared, &root)?;
        terminal.report("verify", &Outcome::Done(format!("{} → {}", verify::counts(&verdicts), root.display())));
    }
    Ok(outcome)
}

fn one(pipeline: &Pipeline, root: &Path, job: Job, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let experiment = Experiment::new(root);
    if let Some(outcome) = make_data(pipeline)? {
        terminal.report("data", &outcome);
    }
    let recorded = record::record(pipeline, &experiment, job.existing, terminal)?;
    terminal.report("record", &recorded);
    if pipeline.estimates.is_empty() && pipeline.exact.is_none() {
        return Ok(recorded);
    }
    let mut estimated = Outcome::UpToDate;
    if !pipeline.estimates.is_empty() {
        estimated = estimate::estimate(&experiment, &pipeline.estimates, experiment.root(), terminal)?;
        terminal.report("estimate", &estimated);
    }
    if pipeline.exact.is_some() {
        let made = exact::linear(pipeline, &experiment, experiment.root(), terminal)?;
        terminal.report("exact", &made);
        estimated = estimated.and(made);
    }
    if pipeline.bound.is_some() {
        let made = bound::of_pipeline(pipeline, &experiment, terminal)?;
        terminal.report("bound", &made);
        estimated = estimated.and(made);
    }
    terminal.report("check", &check::update(&experiment, experiment.root())?);
    let outcome = aggregate::aggregate(std::slice::from_ref(&experiment), experiment.root())?;
    terminal.report("aggregate", &outcome);
    match (plot::plot(&experiment, PLOTS, plot::Asked::ForAll, experiment.root()), &estimated) {
        // Where every estimate failed there is nothing to draw; the estimates' exit code says it already.
        (Err(e), Outcome::DoneWithFailures { .. }) => terminal.report("plot", &Outcome::Done(e.to_string())),
        (outcome, _) => terminal.report("plot", &outcome?),
    }
    Ok(if let Outcome::TrainingsFailed { .. } = recorded { recorded } else { estimated })
}

/// Makes the data set that a pipeline names; nothing where it names a file.
pub(super) fn make_data(pipeline: &Pipeline) -> Result<Option<Outcome>, StageError> {
    let Data::Named(named) = &pipeline.data else { return Ok(None) };
    data::make(named, &named.path()).map(Some)
}
