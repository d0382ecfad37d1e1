//! `infoplane freeze`: registers claims before anything is recorded.

use anyhow::Context;
use clap::{ArgMatches, Command};

use super::Ended;
use super::arguments::{experiments_of, out_arg, path, pipeline_arg};
use super::job::default_folder;
use super::terminal::Terminal;
use crate::config::Declared;
use crate::stages::Progress;
use crate::stages::freeze::freeze;

pub(super) fn command() -> Command {
    Command::new("freeze")
        .about("Register the claims of a pipeline in frozen_claims.json before anything is recorded")
        .after_help(
            "A recording that is made later stores a copy of this file. `infoplane verify` and the report then show for each claim whether it was registered before the recording. The file contains no date: commit it to version control, or publish it.",
        )
        .arg(pipeline_arg())
        .arg(out_arg("The folder of the experiment or sweep [default: outputs/<pipeline>]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let declared = Declared::read(path(matches, "pipeline").context("clap requires the pipeline")?)?;
    let root = path(matches, "out").map_or_else(|| default_folder(&declared), ToOwned::to_owned);
    let outcome = freeze(&experiments_of(&declared, &root))?;
    terminal.report("freeze", &outcome);
    Ok(Ended::from(&outcome))
}
