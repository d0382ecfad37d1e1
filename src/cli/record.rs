//! `infoplane record`: train the networks of a pipeline and record them.

use clap::{Arg, ArgMatches, Command};

use super::arguments::flag;
use super::terminal::Terminal;
use super::{Ended, job};
use crate::pipeline::{Job, RECORD};
use crate::stages::record::Existing;

pub(super) fn command() -> Command {
    let command = Command::new("record").about("Train the networks of a pipeline and record their activations");
    job::add(command).arg(overwrite_arg())
}

pub(super) fn overwrite_arg() -> Arg {
    flag("overwrite", "Replace a recording that was made with other settings")
}

pub(super) fn existing(matches: &ArgMatches) -> Existing {
    if matches.get_flag("overwrite") { Existing::Overwrite } else { Existing::Keep }
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (declared, root) = job::declared(matches, terminal)?;
    let job = Job { steps: RECORD, existing: existing(matches) };
    job::run(&job, (&declared, &root), matches, terminal)
}
