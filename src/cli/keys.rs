//! `infoplane keys`: every key of a pipeline file, from the code that reads them.

use crate::config::keys::{self, KeyRow, KeyTable};
use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use super::Ended;
use super::terminal::Terminal;

pub(super) fn command() -> Command {
    Command::new("keys")
        .about("Print the keys of a pipeline file: what each accepts, its default and its meaning")
        .arg(
            Arg::new("table")
                .value_name("TABLE")
                .help("Print this table and the tables within it, for example training, training.stop or binning [default: print all tables as Markdown (docs/pipelines/keys.md)]"),
        )
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let tables = match matches.get_one::<String>("table") {
        Some(name) if name.trim().is_empty() => anyhow::bail!(
            "the name of the table is empty; give a table such as `training`, or leave it out to print all tables"
        ),
        Some(name) => keys::find(name).map_err(|suggestion| {
            anyhow::anyhow!("a pipeline file has no table `{name}`; {suggestion} (`infoplane keys` prints all tables)")
        })?,
        None => keys::tables(),
    };
    if terminal.is_json() {
        terminal.print_json(&tables.iter().map(table_json).collect::<Vec<_>>())?;
    } else if matches.contains_id("table") {
        terminal.print(&keys::markdown(&tables))?;
    } else {
        terminal.print(&keys::page())?;
    }
    Ok(Ended::default())
}

fn table_json(table: &KeyTable) -> serde_json::Value {
    let key = |row: &KeyRow| {
        json!({
            "name": row.name,
            "accepts": row.accepts,
            "required": row.is_required,
            "default": row.default,
            "if_left_out": row.if_left_out,
            "doc": row.doc,
        })
    };
    let keys: Vec<_> = table.rows().iter().map(key).collect();
    json!({ "table": table.path(), "doc": table.description(), "keys": keys })
}
