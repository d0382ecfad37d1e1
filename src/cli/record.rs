//! `infoplane record`: train the networks of a pipeline and record them.

use clap::{Arg, ArgAction, ArgMatches, Command};
use infoplane::config::Declared;
use infoplane::stages::Outcome;
use infoplane::stages::record::{Existing, record};
use infoplane::store::Experiment;

use super::sweep::{Job, Stages};
use super::terminal::Terminal;
use super::{out_arg, pipeline_arg, sweep};

pub(super) fn command() -> Command {
    let command = Command::new("record")
        .about("Train the networks of a pipeline and record their activations, once")
        .arg(pipeline_arg())
        .arg(out_arg("The experiment's folder, or the sweep's [default: outputs/<pipeline>]"))
        .arg(overwrite_arg());
    sweep::add(command)
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
    let job = Job { stages: Stages::Record, existing: existing(matches) };
    let (pipeline, root) = match sweep::declared(matches)? {
        (Declared::Many(sweep), root) => return job.sweep(&sweep, &root, matches, terminal),
        (Declared::One(pipeline), root) => (pipeline, root),
    };
    if matches.get_flag("dry_run") {
        return job.describe(&pipeline, &root, terminal);
    }
    let outcome = record(&pipeline, &Experiment::new(root), job.existing, terminal)?;
    terminal.report("record", &outcome);
    Ok(outcome)
}
