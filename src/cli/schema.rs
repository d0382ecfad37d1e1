//! `infoplane schema`: every table and column, from the code that writes them.

use crate::store::schema::{Column, TABLES, VERSION, kind, markdown};
use clap::{ArgMatches, Command};
use serde_json::json;

use super::Ended;
use super::terminal::Terminal;

pub(super) fn command() -> Command {
    Command::new("schema").about("Print every table and column as Markdown (docs/schema.md)")
}

pub(super) fn run(_: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    if terminal.is_json() {
        let column = |column: &Column| json!({ "name": column.name, "type": kind(column), "doc": column.doc });
        let table = |(name, doc, columns): &(&str, &str, &[Column])| json!({ "table": name, "row": doc, "columns": columns.iter().map(column).collect::<Vec<_>>() });
        terminal.print_json(&json!({ "version": VERSION, "tables": TABLES.iter().map(table).collect::<Vec<_>>() }))?;
        return Ok(Ended::default());
    }
    terminal.print(&markdown())?;
    Ok(Ended::default())
}
