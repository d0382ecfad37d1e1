//! `infoplane schema`: every table and column, from the code that writes them.

use clap::{ArgMatches, Command};
use infoplane::stages::Outcome;
use infoplane::store::schema::markdown;

use super::terminal::Terminal;

pub(super) fn command() -> Command {
    Command::new("schema").about("Print every table and column as Markdown (docs/schema.md)")
}

pub(super) fn run(_: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    terminal.print(&markdown())?;
    Ok(Outcome::UpToDate)
}
