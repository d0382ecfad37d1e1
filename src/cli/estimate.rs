//! `infoplane estimate`: put numbers on what was recorded.

use anyhow::Context;
use clap::{ArgMatches, Command};
use infoplane::estimators::{self, ESTIMATORS};
use infoplane::stages::Outcome;
use infoplane::stages::estimate::estimate;

use super::terminal::Terminal;
use super::{experiment, experiment_arg, out_arg, parameters, path};

pub(super) fn command() -> Command {
    Command::new("estimate")
        .about("Estimate I(X;T) and I(T;Y) from recorded activations, without training")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(ESTIMATORS.iter().map(|spec| {
            let command = Command::new(spec.name)
                .about(spec.summary)
                .arg(experiment_arg())
                .arg(out_arg("Write the folder `estimates` here [default: the experiment's folder]"));
            parameters::add(command, spec.parameters)
        }))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let (name, matches) = matches.subcommand().context("clap requires an estimator")?;
    let spec = estimators::find(name)?;
    let estimator = (spec.build)(&parameters::read(matches, spec.parameters)?)?;
    let experiment = experiment(matches)?;
    let out = path(matches, "out").unwrap_or(experiment.root());
    let outcome = estimate(&experiment, &[estimator], out, terminal)?;
    terminal.report("estimate", &outcome);
    Ok(outcome)
}
