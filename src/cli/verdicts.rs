//! One table of the verdicts on the layers of several experiments or estimates.

use std::collections::BTreeSet;

use super::table::{Heading, LEAST_WORDS, fitted, paragraph};
use crate::layer_id::LayerId;
use crate::stages::summary::Summary;
use crate::store::schema::CompressionRow;
use crate::store::{CompressionVerdict, layer_in_cell};
use crate::suggest::Named;

/// What shows the columns and names that a narrow table lacks.
const ALL_COLUMNS: &str = "--all | cat";

/// An experiment or estimate by its name.
type NamedSummary<'a> = (String, &'a Summary);

/// One line for each of `rows`, with the verdict on each layer; at most `most` lines of at most `width` columns. If the names of
/// layers are too long, their numbers are shown; if there are too many layers, they are counted.
pub(super) fn verdicts(what: &str, rows: &[NamedSummary<'_>], most: usize, width: usize) -> String {
    let longest = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let room = width.saturating_sub(longest.min(LEAST_WORDS));
    let shown = &rows[..rows.len().min(most)];
    let columns: [fn(&CompressionRow) -> LayerColumn; 2] = [LayerColumn::named, LayerColumn::numbered];
    let fitting = columns.into_iter().find(|column| width_of(&different(rows, *column)) <= room);
    let mut text = match fitting {
        Some(column) => by_layer(what, shown, &different(rows, column), column, width),
        None => by_verdict(what, shown, width),
    };
    if rows.len() > most {
        text.push_str(&format!("… and {} more; `--all` prints them\n", rows.len() - most));
    }
    format!("{text}{}\n", paragraph(&legend(rows), 1, Some(width)))
}

/// A column of verdicts: the layers of several networks that have the same number and name. Outputs are one column, whatever
/// the depth of their networks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum LayerColumn {
    Inner(LayerId, String),
    Output,
}

impl LayerColumn {
    fn named(row: &CompressionRow) -> Self {
        match row.layer_name.as_deref() {
            Some("output") => Self::Output,
            name => Self::Inner(row.layer, layer_in_cell(row.layer, name)),
        }
    }

    fn numbered(row: &CompressionRow) -> Self {
        match Self::named(row) {
            Self::Inner(layer, _) => Self::Inner(layer, layer.to_string()),
            Self::Output => Self::Output,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Inner(_, name) => name,
            Self::Output => "output",
        }
    }
}

fn layers<'a>(rows: &'a [NamedSummary<'_>]) -> impl Iterator<Item = &'a CompressionRow> {
    rows.iter().flat_map(|(_, summary)| &summary.layers)
}

fn different(rows: &[NamedSummary<'_>], column: fn(&CompressionRow) -> LayerColumn) -> BTreeSet<LayerColumn> {
    layers(rows).map(column).collect()
}

/// The width of the columns with their gaps.
fn width_of(columns: &BTreeSet<LayerColumn>) -> usize {
    const SIGN: usize = 3;
    const GAP: usize = 2;
    columns.iter().map(|column| column.name().chars().count().max(SIGN) + GAP).sum()
}

/// The verdict on every layer. Names of experiments have different lengths, so they are last.
fn by_layer(
    what: &str,
    rows: &[NamedSummary<'_>],
    columns: &BTreeSet<LayerColumn>,
    column: fn(&CompressionRow) -> LayerColumn,
    width: usize,
) -> String {
    let headings: Vec<Heading<'_>> = columns.iter().map(LayerColumn::name).chain([what]).map(Heading::kept).collect();
    let cell = |summary: &Summary, wanted: &LayerColumn| {
        let row = summary.layers.iter().find(|row| column(row) == *wanted);
        row.map_or("", |row| sign(row.verdict)).to_owned()
    };
    let line = |(label, summary): &NamedSummary<'_>| {
        columns.iter().map(|wanted| cell(summary, wanted)).chain([label.clone()]).collect()
    };
    fitted(&headings, rows.iter().map(line), Some(width), ALL_COLUMNS)
}

/// The number of layers with each verdict.
fn by_verdict(what: &str, rows: &[NamedSummary<'_>], width: usize) -> String {
    let used = used(rows);
    let headings: Vec<Heading<'_>> =
        used.iter().map(|verdict| sign(*verdict)).chain([what]).map(Heading::kept).collect();
    let n = |summary: &Summary, verdict: CompressionVerdict| {
        summary.layers.iter().filter(|row| row.verdict == verdict).count().to_string()
    };
    let line = |(label, summary): &NamedSummary<'_>| {
        used.iter().map(|verdict| n(summary, *verdict)).chain([label.clone()]).collect()
    };
    format!(
        "number of layers with each verdict\n{}",
        fitted(&headings, rows.iter().map(line), Some(width), ALL_COLUMNS)
    )
}

/// The verdicts that occur, in their order.
fn used(rows: &[NamedSummary<'_>]) -> Vec<CompressionVerdict> {
    let is_used = |verdict: &CompressionVerdict| layers(rows).any(|row| row.verdict == *verdict);
    CompressionVerdict::ALL.iter().copied().filter(is_used).collect()
}

/// What the signs mean.
fn legend(rows: &[NamedSummary<'_>]) -> String {
    let words = |verdict: CompressionVerdict| match verdict {
        CompressionVerdict::Compresses => "compresses",
        CompressionVerdict::DoesNot => "does not",
        CompressionVerdict::Undecided => "undecided",
        CompressionVerdict::Saturated => "estimate saturated",
        CompressionVerdict::Contradicted => "contradicted by checks",
    };
    let used: Vec<String> =
        used(rows).into_iter().map(|verdict| format!("{}: {}", sign(verdict), words(verdict))).collect();
    format!("({})", used.join(", "))
}

/// A verdict in the column of a layer.
fn sign(verdict: CompressionVerdict) -> &'static str {
    match verdict {
        CompressionVerdict::Compresses => "yes",
        CompressionVerdict::DoesNot => "no",
        CompressionVerdict::Undecided => "?",
        CompressionVerdict::Saturated => "sat",
        CompressionVerdict::Contradicted => "con",
    }
}
