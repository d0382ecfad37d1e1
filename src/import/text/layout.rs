//! The layout of a text table: its separator, and whether its first line has names.

use std::borrow::Cow;

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::super::{Decimal, Header, ImportError, Options, Separator};
use super::number;
use crate::count::counted;

/// A text with the separator of its values.
pub(super) struct Layout<'a> {
    pub(super) text: Cow<'a, str>,
    delimiter: u8,
    header: Header,
    options: &'a Options,
}

/// The separators that are tried if none is given: first the comma, last runs of spaces and tabs.
const CANDIDATES: &[u8] = b",;\t|";
/// Number of rows used for a guess.
const N_LOOKED_AT: usize = 50;

/// The content as text, without a byte order mark.
pub(super) fn utf8(content: &[u8]) -> Result<Cow<'_, str>, String> {
    let remedy = "save it as UTF-8, in Excel as `CSV UTF-8`";
    if content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]) {
        return Err(format!("its text is UTF-16; {remedy}"));
    }
    let text = std::str::from_utf8(content).map_err(|e| {
        let line = 1 + content[..e.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!("line {line} is not UTF-8 text; {remedy}")
    })?;
    Ok(Cow::Borrowed(text.trim_start_matches('\u{feff}')))
}

impl<'a> Layout<'a> {
    /// # Errors
    /// The separator is ambiguous, or the first line looks like a row of the table.
    pub(super) fn new(text: &'a str, options: &'a Options) -> Result<Self, String> {
        let (named, text) = excel_separator(text);
        let separator = match options.separator.or(named) {
            Some(separator) => separator,
            None => guess(text, options.decimal)?,
        };
        let (text, delimiter) = match separator {
            Separator::Character(character) => (Cow::Borrowed(text), character),
            Separator::Spaces => (Cow::Owned(one_tab(text)), b'\t'),
        };
        let first_line = if named.is_some() { 2 } else { 1 };
        if let Some(line) = open_quotation(&text, delimiter) {
            return Err(format!(
                "line {}: a quotation mark opens here and is never closed, so all following lines would be one value; close or remove it",
                first_line + line
            ));
        }
        let mut layout = Self { text, delimiter, header: options.header, options };
        if options.header == Header::Guess {
            layout.check_names()?;
            layout.header = Header::Names;
        }
        Ok(layout)
    }

    /// Whether the separator is the comma.
    pub(super) fn is_of_commas(&self) -> bool {
        self.delimiter == b','
    }

    /// The names of the columns; 0, 1, … if the text has none.
    pub(super) fn names(&self) -> Result<Vec<String>, ImportError> {
        let mut reader = reader(&self.text, self.delimiter);
        let mut first = StringRecord::new();
        reader.read_record(&mut first).map_err(failed)?;
        Ok(match self.header {
            Header::Missing => (0..first.len()).map(|column| column.to_string()).collect(),
            _ => first.iter().map(str::to_owned).collect(),
        })
    }

    /// Calls `with` for every row below the names.
    pub(super) fn rows(
        &self,
        mut with: impl FnMut(usize, &StringRecord) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let (mut reader, mut record) = (reader(&self.text, self.delimiter), StringRecord::new());
        let n_columns = match self.header {
            Header::Missing => None,
            _ => reader.read_record(&mut record).map_err(failed)?.then_some(record.len()),
        };
        let (mut row, mut n_columns) = (0, n_columns);
        while reader.read_record(&mut record).map_err(failed)? {
            let n_expected = *n_columns.get_or_insert(record.len());
            if record.len() != n_expected {
                let first: Vec<String> = record.iter().take(3).map(|value| format!("`{value}`")).collect();
                let before = match self.header {
                    Header::Missing => format!("row 0 has {n_expected}"),
                    _ => format!("the header has {}", counted(n_expected, "name")),
                };
                let remedy = match record.len() == n_expected + 1 {
                    true if record.iter().next_back() == Some("") => {
                        "its line ends with a separator: remove it, or end every line and the header with one"
                    }
                    true if self.header != Header::Missing => {
                        "if the first value is the name of the row, add a name for it to the header (in R: `write.table(…, col.names = NA)`)"
                    }
                    _ => "every row needs equally many values",
                };
                return Err(ImportError::Refused(format!(
                    "row {row} has {}, but {before}; row {row} starts with {}; {remedy}",
                    counted(record.len(), "value"),
                    first.join(", ")
                )));
            }
            with(row, &record)?;
            row += 1;
        }
        Ok(())
    }

    /// Refuses a first line that is a row of the table.
    fn check_names(&self) -> Result<(), String> {
        let mut reader = reader(&self.text, self.delimiter);
        let records: Vec<StringRecord> =
            reader.records().take(1 + N_LOOKED_AT).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let Some((first, rows)) = records.split_first() else { return Ok(()) };
        let is_number = |name: &&str| number(name, self.options.decimal).is_some();
        let numbers: Vec<f64> =
            first.iter().filter(is_number).filter_map(|name| name.replace(',', ".").parse().ok()).collect();
        let columns_of_words = || first.iter().enumerate().filter(|(_, name)| !is_number(name) && !name.is_empty());
        let recurs = |(column, name): (usize, &str)| rows.iter().any(|row| row.get(column) == Some(name));
        let has_words = columns_of_words().next().is_some();
        // pandas writes numbers for columns without names. A string above numbers, or nothing above row numbers, is
        // not a value.
        let is_counted = [0, 1].iter().any(|start| (*start..).zip(&numbers).all(|(i, number)| f64::from(i) == *number));
        let holds_numbers = |column: usize| rows.iter().filter_map(|row| row.get(column)).any(|text| is_number(&text));
        let is_named = || first.get(0) == Some("") || columns_of_words().any(|(column, _)| holds_numbers(column));
        let what = match (numbers.is_empty(), has_words) {
            (false, false) if first.iter().all(|name| !name.is_empty()) => "has only numbers",
            (false, _) if !is_counted || !is_named() => "looks like a row of the table",
            (_, true) if columns_of_words().all(recurs) => "looks like a row of the table",
            _ => return Ok(()),
        };
        let shown: Vec<String> = first.iter().take(6).map(|name| format!("`{name}`")).collect();
        let more = if first.len() > shown.len() { ", …" } else { "" };
        Err(format!(
            "its first line {what}: {}{more}; add `--no-header` if the file has no line of names, or `--header` if these are the names",
            shown.join(", ")
        ))
    }
}

fn reader(text: &str, delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
}

fn failed(e: csv::Error) -> ImportError {
    ImportError::Format { format: "CSV", problem: e.to_string() }
}

/// The separator in a first line such as `sep=;`, as Excel writes it, and the text below it.
fn excel_separator(text: &str) -> (Option<Separator>, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let line = line.trim_end_matches('\r');
    let line = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line);
    match line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP=")).map(str::as_bytes) {
        Some([separator]) if separator.is_ascii() => (Some(Separator::Character(*separator)), rest),
        _ => (None, text),
    }
}

/// The separator for which the first rows have equally many values.
fn guess(text: &str, decimal: Decimal) -> Result<Separator, String> {
    // A comma within numbers is not a separator.
    let candidates = if decimal == Decimal::Comma { &CANDIDATES[1..] } else { CANDIDATES };
    let (mut fitting, mut most) = (Vec::new(), (1, candidates[0]));
    for candidate in candidates {
        let records = reader(text, *candidate).into_records().take(1 + N_LOOKED_AT);
        let widths: Vec<usize> = records.map_while(Result::ok).map(|record| record.len()).collect();
        let width = widths.first().copied().unwrap_or(0);
        if width > 1 && widths.iter().all(|other| *other == width) {
            fitting.push(*candidate);
        }
        if width > most.0 {
            most = (width, *candidate);
        }
    }
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).take(1 + N_LOOKED_AT);
    let n_words = |line: &str| one_tab(line).split('\t').count();
    match fitting.as_slice() {
        [separator] => Ok(Separator::Character(*separator)),
        [] => {
            let width = lines().next().map_or(0, n_words);
            // In R's tables, the header has no name for the row names.
            let is_of = |width: usize| lines().skip(1).all(|line| n_words(line) == width);
            let fits = (most.0 == 1 || most.1 == b'\t') && width > 1 && (is_of(width) || is_of(width + 1));
            Ok(if fits { Separator::Spaces } else { Separator::Character(most.1) })
        }
        several => {
            let flags: Vec<String> =
                several.iter().map(|separator| format!("`--separator {}`", quoted(*separator))).collect();
            let named: Vec<String> = several.iter().map(|separator| named(*separator)).collect();
            let comma =
                if several.contains(&b',') { ", and `--decimal ,` if the comma is a decimal point" } else { "" };
            Err(format!("its values may be separated by {}; add {}{comma}", named.join(" or by "), flags.join(" or ")))
        }
    }
}

fn named(separator: u8) -> String {
    if separator == b'\t' { "tabs".to_owned() } else { format!("`{}`", char::from(separator)) }
}

/// The separator as written on a command line.
fn quoted(separator: u8) -> String {
    match separator {
        b'\t' => "tab".to_owned(),
        b',' => ",".to_owned(),
        other => format!("'{}'", char::from(other)),
    }
}

/// The line, counted from 0, of a quotation mark that starts a value and is never closed.
fn open_quotation(text: &str, delimiter: u8) -> Option<usize> {
    let (mut opened, mut line, mut before) = (None, 0, b'\n');
    for byte in text.bytes() {
        match byte {
            b'"' if opened.is_some() => opened = None,
            // Two consecutive quotation marks within a quoted value mean one quotation mark.
            b'"' if before == delimiter || matches!(before, b'\n' | b'\r' | b'"') => opened = Some(line),
            b'\n' => line += 1,
            _ => {}
        }
        before = byte;
    }
    opened
}

/// The text with every run of spaces and tabs outside quotes replaced by one tab, and none at the ends of lines.
fn one_tab(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut is_quoted, mut is_space) = (false, false);
    for character in text.chars() {
        match character {
            ' ' | '\t' if !is_quoted => is_space = true,
            _ => {
                let is_end = matches!(character, '\n' | '\r');
                if is_space && !is_end && !out.is_empty() && !out.ends_with(['\n', '\r']) {
                    out.push('\t');
                }
                is_space = false;
                // Within a value, a quotation mark is an ordinary character, for example the sign for inches.
                let may_open = || out.is_empty() || out.ends_with(['\t', '\n', '\r', '"']);
                is_quoted = (character == '"') ^ is_quoted && (is_quoted || may_open());
                out.push(character);
            }
        }
    }
    out
}
