//! `infoplane schema`: documents every table and column, from the code that writes them.

use crate::store::schema::{Column, TABLES, Table, VERSION, markdown};
use clap::{ArgMatches, Command};
use serde_json::json;

use super::Ended;
use super::terminal::Terminal;

pub(super) fn command() -> Command {
    Command::new("schema").about("Print the documentation of all tables and columns as Markdown")
}

pub(super) fn run(_: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    if terminal.is_json() {
        let column = |column: &Column| json!({ "name": column.name, "type": column.kind, "doc": column.doc });
        let table = |Table { name, doc, columns }: &Table| json!({ "table": name, "row": doc, "columns": columns().iter().map(column).collect::<Vec<_>>() });
        let tables: Vec<_> = TABLES.iter().copied().flatten().map(table).collect();
        terminal.print_json(&json!({ "version": VERSION, "tables": tables }))?;
        return Ok(Ended::default());
    }
    terminal.print(&markdown())?;
    Ok(Ended::default())
}
