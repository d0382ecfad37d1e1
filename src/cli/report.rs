//! `infoplane report`: one page for a browser.

use clap::{ArgMatches, Command};

use super::Ended;
use super::arguments::{all_resolved, common_out, experiment_arg, out_arg};
use super::terminal::Terminal;
use crate::pipeline::{Needs, Resolved};
use crate::stages::Progress;
use crate::stages::report::report;
use crate::store::Experiment;

pub(super) fn command() -> Command {
    Command::new("report")
        .about("Write report.html, an interactive page with all results; the browser needs no network connection to show it")
        .arg(experiment_arg().num_args(1..).help("Folders of experiments or sweeps, for example outputs/tishby"))
        .arg(out_arg("The folder for the page; required for several experiments [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let folders = all_resolved(matches, Needs::Summary)?;
    let out = common_out(matches, &folders, "page")?;
    let experiments: Vec<Experiment> = folders.iter().map(Resolved::folder).cloned().collect();
    let outcome = report(&experiments, &out)?;
    terminal.report("report", &outcome);
    Ok(Ended::from(&outcome))
}
