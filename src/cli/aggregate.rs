//! `infoplane aggregate`: means and spreads over runs.

use std::path::PathBuf;

use anyhow::Context;
use clap::{ArgMatches, Command};
use infoplane::stages::Outcome;
use infoplane::stages::aggregate::aggregate;
use infoplane::store::Experiment;

use super::terminal::Terminal;
use super::{experiment_arg, out_arg, path};

pub(super) fn command() -> Command {
    Command::new("aggregate")
        .about("Join the estimates of all runs with losses, gradients and checks: summary, compression and phases, Parquet and CSV")
        .arg(experiment_arg().num_args(1..))
        .arg(out_arg("Where the summary goes; needed for several experiments [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let roots: Vec<&PathBuf> = matches.get_many("experiment").context("clap requires an experiment")?.collect();
    let out = match (path(matches, "out"), roots.as_slice()) {
        (Some(out), _) => out,
        (None, [only]) => only,
        (None, _) => anyhow::bail!("several experiments: say with `--out DIR` where their common summary goes"),
    };
    let experiments: Vec<Experiment> = roots.iter().map(|root| Experiment::new(root.as_path())).collect();
    let outcome = aggregate(&experiments, out)?;
    terminal.report("aggregate", &outcome);
    Ok(outcome)
}
