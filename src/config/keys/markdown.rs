//! The reference of keys as Markdown, in lines of 100 columns that can be read in a terminal.

use super::{KeyRow, KeyTable, tables};

/// A complete pipeline file.
pub(super) const EXAMPLE: &str = include_str!("example.toml");

const INTRODUCTION: &str = "\
Everything in a pipeline file except `data`, `network`, `training` and `record` is optional. A key can be left out unless it is \
marked as required. In `[data]`, `[network]`, `[training]` and `[record]`, and for `seed`, a list in place of a single value is a \
sweep: one experiment for every value ([sweeps](../sweeps.md)). `infoplane run FILE --dry-run` checks a file without running it. \
An identity, such as \"binning-n-edges-30\", is the name of an estimate in the folder of an experiment and in all tables.";

/// Columns of a line.
const WIDTH: usize = 100;

/// The whole page: an example, and every table.
pub fn page() -> String {
    let head = "# Keys of a pipeline file\n\nThis page is the output of `infoplane keys`; `infoplane keys TABLE` prints one table.\n\nA short example:\n";
    let example = format!("```toml\n{EXAMPLE}```\n");
    let tables = tables();
    let outer = tables.iter().filter(|table| table.within.is_empty());
    let links: Vec<String> = outer.map(|table| format!("[{0}](#{0})", table.name)).collect();
    let contents = wrapped(&format!("Tables: {}.", links.join(", ")), "");
    [head, &example, &wrapped(INTRODUCTION, ""), &contents, &markdown(&tables)].join("\n")
}

/// These tables.
pub fn markdown(tables: &[KeyTable]) -> String {
    tables.iter().map(section).collect::<Vec<_>>().join("\n")
}

fn section(table: &KeyTable) -> String {
    let level = if table.within.is_empty() { "##" } else { "###" };
    let rows: String = table.rows().iter().map(item).collect();
    let gap = if rows.is_empty() { "" } else { "\n" };
    format!("{level} {}\n\n{}{gap}{rows}", table.path(), wrapped(&table.description(), ""))
}

fn item(row: &KeyRow) -> String {
    let omitted = match (row.is_required, &row.default, &row.if_left_out) {
        (true, ..) => "; required".to_owned(),
        (_, Some(value), _) => format!("; default {value}"),
        (_, _, Some(effect)) => format!("; if left out: {effect}"),
        _ => String::new(),
    };
    wrapped(&format!("- `{}` ({}{omitted}). {}", row.name, row.accepts, row.doc), "  ")
}

/// The words of a text in lines, all but the first after an `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = format!("{indent}{word}");
        } else {
            let space = if line.is_empty() { "" } else { " " };
            line.push_str(&format!("{space}{word}"));
        }
    }
    format!("{lines}{line}\n")
}
