//! `infoplane aggregate`: means and spreads over runs.

use clap::{ArgMatches, Command};
use infoplane::stages::Outcome;
use infoplane::stages::aggregate::aggregate;

use super::terminal::Terminal;
use super::{experiment_arg, out_arg};

pub(super) fn command() -> Command {
    Command::new("aggregate")
        .about("Join the estimates of all runs with losses, gradients and checks: summary, compression and phases, Parquet and CSV")
        .arg(experiment_arg().num_args(1..))
        .arg(out_arg("Where the summary goes; needed for several experiments [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let (experiments, out) = super::experiments(matches, "summary")?;
    let outcome = aggregate(&experiments, &out)?;
    terminal.report("aggregate", &outcome);
    Ok(outcome)
}
