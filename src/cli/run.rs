//! `infoplane run`: all steps of a pipeline, each of which does only what is not done yet.

use clap::{ArgMatches, Command};

use super::terminal::Terminal;
use super::{Ended, job, record};
use crate::pipeline::{Job, STEPS};

pub(super) fn command() -> Command {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    let about = format!("Do all steps of a pipeline, or of every experiment of a sweep: {}", names.join(", "));
    job::add(Command::new("run").about(about)).arg(record::overwrite_arg())
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (declared, root) = job::declared(matches, terminal)?;
    let job = Job { steps: STEPS, existing: record::existing(matches) };
    job::run(&job, (&declared, &root), matches, terminal)
}
