//! `infoplane record`: train the networks of a pipeline and record them.

use clap::{Arg, ArgAction, ArgMatches, Command};
use infoplane::stages::Outcome;
use infoplane::stages::record::{Existing, record};

use super::terminal::Terminal;
use super::{out_arg, pipeline, pipeline_arg};

pub(super) fn command() -> Command {
    Command::new("record")
        .about("Train the networks of a pipeline and record their activations, once")
        .arg(pipeline_arg())
        .arg(out_arg("The experiment's folder [default: outputs/<pipeline>]"))
        .arg(overwrite_arg())
}

pub(super) fn overwrite_arg() -> Arg {
    Arg::new("overwrite")
        .long("overwrite")
        .help("Remove a recording that was made with other settings, and record anew")
        .action(ArgAction::SetTrue)
}

pub(super) fn existing(matches: &ArgMatches) -> Existing {
    if matches.get_flag("overwrite") { Existing::Overwrite } else { Existing::Keep }
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let (pipeline, experiment) = pipeline(matches)?;
    let outcome = record(&pipeline, &experiment, existing(matches), terminal)?;
    terminal.report("record", &outcome);
    Ok(outcome)
}
