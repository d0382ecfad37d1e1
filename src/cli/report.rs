//! `infoplane report`: one page to be opened in a browser.

use clap::{ArgMatches, Command};
use infoplane::stages::Outcome;
use infoplane::stages::report::report;

use super::terminal::Terminal;
use super::{experiment_arg, out_arg};

pub(super) fn command() -> Command {
    Command::new("report")
        .about("Write report.html: one page with everything, to be looked at in a browser, without a network")
        .arg(experiment_arg().num_args(1..).help("Folders of experiments or sweeps, for example outputs/tishby"))
        .arg(out_arg("Where the page goes; needed for several experiments [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let (experiments, out) = super::experiments(matches, "page")?;
    let outcome = report(&experiments, &out)?;
    terminal.report("report", &outcome);
    Ok(outcome)
}
