//! `infoplane report`: one page to be opened in a browser.

use std::path::PathBuf;

use anyhow::Context;
use clap::{ArgMatches, Command};
use infoplane::stages::Outcome;
use infoplane::stages::report::report;
use infoplane::store::Experiment;

use super::terminal::Terminal;
use super::{experiment_arg, out_arg, path};

pub(super) fn command() -> Command {
    Command::new("report")
        .about("Write report.html: one page with everything, to be looked at in a browser, without a network")
        .arg(experiment_arg().num_args(1..).help("Folders of experiments or sweeps, for example outputs/tishby"))
        .arg(out_arg("Where the page goes; needed for several experiments [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let roots: Vec<&PathBuf> = matches.get_many("experiment").context("clap requires an experiment")?.collect();
    let out = match (path(matches, "out"), roots.as_slice()) {
        (Some(out), _) => out,
        (None, [only]) => only,
        (None, _) => anyhow::bail!("several experiments: say with `--out DIR` where their common page goes"),
    };
    let experiments: Vec<Experiment> = roots.iter().map(|root| Experiment::new(root.as_path())).collect();
    let outcome = report(&experiments, out)?;
    terminal.report("report", &outcome);
    Ok(outcome)
}
