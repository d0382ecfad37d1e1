//! `infoplane run`: all stages of a pipeline, each of which does only what is not done yet.

use clap::{ArgMatches, Command};
use infoplane::config::Data;
use infoplane::plots::PLOTS;
use infoplane::stages::{Outcome, aggregate, data, estimate, plot, record};

use super::terminal::Terminal;
use super::{out_arg, pipeline, pipeline_arg};

pub(super) fn command() -> Command {
    Command::new("run")
        .about("Do all stages of a pipeline: data, record, estimate, aggregate, plot")
        .arg(pipeline_arg())
        .arg(out_arg("The experiment's folder [default: outputs/<pipeline>]"))
        .arg(super::record::overwrite_arg())
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let (pipeline, experiment) = pipeline(matches)?;
    if let Data::Named(named) = &pipeline.data {
        let outcome = data::make(named, &named.path())?;
        terminal.report("data", &outcome);
    }
    let outcome = record::record(&pipeline, &experiment, super::record::existing(matches), terminal)?;
    terminal.report("record", &outcome);
    if pipeline.estimates.is_empty() {
        return Ok(outcome);
    }
    let estimated = estimate::estimate(&experiment, &pipeline.estimates, experiment.root(), terminal)?;
    terminal.report("estimate", &estimated);
    let outcome = aggregate::aggregate(std::slice::from_ref(&experiment), experiment.root())?;
    terminal.report("aggregate", &outcome);
    match (plot::plot(&experiment, PLOTS, experiment.root()), &estimated) {
        // Where every estimate failed there is nothing to draw; the estimates' exit code says it already.
        (Err(e), Outcome::DoneWithFailures { .. }) => terminal.report("plot", &Outcome::Done(e.to_string())),
        (outcome, _) => terminal.report("plot", &outcome?),
    }
    Ok(estimated)
}
