//! The reference of all keys of a pipeline file: each table is declared next to the code that reads it, and listed here.

#[cfg(test)]
mod examples;
pub(super) mod forms;
mod markdown;
mod pipeline;
#[cfg(test)]
mod registry_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trials;

use super::{
    adaptive, aggregate, bound, data, estimate, exact, expect, layer, learning_rate, network, propagation, record,
    schedule, shorthand, steps, stop, sweep, training, weights,
};
use crate::datasets::DATASETS;
use crate::estimators::ESTIMATORS;
use crate::parameter::{Kind, Parameter, capitalised};
use crate::suggest::{Named, Suggestion, suggestion};
use crate::weights::MEASURES;
pub use forms::Form;
pub use markdown::{markdown, page};

/// A table of a pipeline file, or the forms of one value.
#[derive(Debug, Clone, Copy)]
pub struct KeyTable {
    /// The table that contains it; empty for a table of the file.
    pub within: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Its keys that are parameters of a registry: of an estimator, a measure of weights or a data set.
    pub parameters: &'static [Parameter],
}

/// A key of a pipeline file.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The values that it accepts.
    pub accepts: Accepts,
    /// What follows if it is left out.
    pub omitted: Omitted,
    /// What it means, in sentences, with the unit.
    pub doc: &'static str,
}

/// The values that a key accepts.
#[derive(Debug, Clone, Copy)]
pub enum Accepts {
    /// A value of this kind.
    Kind(Kind),
    /// A name from a list.
    Name(fn() -> Vec<&'static str>),
    /// A name from a list, or another value that is described in words.
    NameOr(fn() -> Vec<&'static str>, &'static str),
    /// A list of names.
    ListOf(fn() -> Vec<&'static str>),
    /// A value that is described in words.
    Form(&'static Form),
    /// A value that looks like this one, in TOML.
    Example(&'static str),
}

/// What follows if a key is left out.
#[derive(Debug, Clone, Copy)]
pub enum Omitted {
    /// The pipeline file is refused.
    Refused,
    /// The effect is the same as that of this value, in TOML.
    Value(&'static str),
    /// The value of another key.
    ValueOf {
        /// The table of the other key; empty if it is the table of this key.
        table: &'static str,
        /// The other key.
        key: &'static str,
    },
    /// The effect that is described in words. Leaving the key out is allowed, and a value has the same effect only if the words
    /// contain it.
    Effect(&'static str),
    /// Nothing: it is one form of several that a value can have.
    OneOfSeveral,
}

/// A key as the reference shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its name.
    pub name: &'static str,
    /// The values that it accepts, in words.
    pub accepts: String,
    /// Whether a file without it is refused.
    pub is_required: bool,
    /// The value, in TOML, that has the same effect as leaving it out.
    pub default: Option<String>,
    /// The effect of leaving it out, in words.
    pub if_left_out: Option<String>,
    /// What it means, in sentences.
    pub doc: String,
}

/// Every table that is not an entry of a registry, in the order of a pipeline file.
const TABLES: &[KeyTable] = &[
    pipeline::KEYS,
    data::KEYS,
    network::KEYS,
    layer::KEYS,
    shorthand::KEYS,
    training::KEYS,
    learning_rate::KEYS,
    stop::KEYS,
    record::KEYS,
    schedule::KEYS,
    steps::KEYS,
    adaptive::KEYS,
    estimate::KEYS,
    weights::KEYS,
    exact::KEYS,
    propagation::KEYS,
    bound::KEYS,
    aggregate::KEYS,
    expect::KEYS,
    expect::MEASURE_KEYS,
    expect::MINUS_KEYS,
    sweep::KEYS,
];

/// Every table, in the order of a pipeline file; a data set, an estimator or a measure of weights after its table.
pub fn tables() -> Vec<KeyTable> {
    TABLES.iter().flat_map(|table| [vec![*table], entries(table.path().as_str())].concat()).collect()
}

/// The tables of the entries of the registry that belongs to a table.
fn entries(table: &str) -> Vec<KeyTable> {
    match table {
        "data" => DATASETS.iter().map(|spec| entry("data", spec.name, spec.summary, spec.parameters)).collect(),
        "estimate" => {
            ESTIMATORS.iter().map(|spec| entry("estimate", spec.name, spec.summary, spec.parameters)).collect()
        }
        "weights" => MEASURES.iter().map(|spec| entry("weights", spec.name, spec.summary, spec.parameters)).collect(),
        _ => Vec::new(),
    }
}

/// The table called `name`, by its whole name or its last part, and the tables within it.
///
/// # Errors
/// There is no such table; the error has the nearest name.
pub fn find(name: &str) -> Result<Vec<KeyTable>, Suggestion> {
    let tables = tables();
    let names = |table: &KeyTable| [table.path(), table.within.to_owned(), table.name.to_owned()];
    // A table that is not within another one has the empty name in its place.
    let is_found = |table: &&KeyTable| !name.is_empty() && names(table).iter().any(|other| other == name);
    let found: Vec<KeyTable> = tables.iter().filter(is_found).copied().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    // The last part of a name is shorter than the whole, so that it is more similar to what was meant.
    let paths: Vec<String> = tables.iter().map(KeyTable::path).collect();
    let parts = tables.iter().map(|table| table.name);
    match suggestion(name, parts.chain(paths.iter().map(String::as_str))) {
        Suggestion::Known(_) => Err(Suggestion::Known(paths)),
        meant => Err(meant),
    }
}

/// The table of an entry of a registry.
fn entry(within: &'static str, name: &'static str, doc: &'static str, parameters: &'static [Parameter]) -> KeyTable {
    KeyTable { within, name, doc, keys: &[], parameters }
}

/// The names of all values of a closed set.
pub(super) fn names<T: Named>() -> Vec<&'static str> {
    T::ALL.iter().map(|value| value.name()).collect()
}

impl KeyTable {
    /// Its name after that of the table that contains it: `training`, `training.stop`.
    pub fn path(&self) -> String {
        if self.within.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.within, self.name) }
    }

    /// What it is for, in sentences; of an entry of a registry: what it is called, and its summary.
    pub fn description(&self) -> String {
        let entry = match self.within {
            "data" => "The data set",
            "estimate" => "The estimator",
            "weights" => "The measure",
            _ => return self.doc.to_owned(),
        };
        format!("{entry} `{}`: {}.", self.name, self.doc)
    }

    /// Its keys and parameters, in their order.
    pub fn rows(&self) -> Vec<KeyRow> {
        self.keys.iter().map(KeyRow::from).chain(self.parameters.iter().map(KeyRow::from)).collect()
    }
}

impl From<&Key> for KeyRow {
    fn from(key: &Key) -> Self {
        let accepts = match key.accepts {
            Accepts::Kind(kind) => of_kind(kind),
            Accepts::Name(names) => alternatives(&names()),
            Accepts::NameOr(names, other) => format!("{}, or {other}", quoted(&names())),
            Accepts::ListOf(names) => format!("a list of one or more of {}", quoted(&names())),
            Accepts::Form(form) => form.words.to_owned(),
            Accepts::Example(value) => format!("`{value}`"),
        };
        let (default, if_left_out) = match key.omitted {
            Omitted::Refused | Omitted::OneOfSeveral => (None, None),
            Omitted::Value(value) => (Some(value.to_owned()), None),
            Omitted::ValueOf { table: "", key } => (None, Some(format!("the value of `{key}`"))),
            Omitted::ValueOf { table, key } => (None, Some(format!("the value of `{key}` in `[{table}]`"))),
            Omitted::Effect(words) => (None, Some(words.to_owned())),
        };
        let is_required = matches!(key.omitted, Omitted::Refused);
        Self { name: key.name, accepts, is_required, default, if_left_out, doc: key.doc.to_owned() }
    }
}

impl From<&Parameter> for KeyRow {
    fn from(parameter: &Parameter) -> Self {
        let is_text = matches!(parameter.kind, Kind::Choice(_) | Kind::Steps | Kind::Rows);
        let value = |word: &str| if is_text { format!("\"{word}\"") } else { word.to_owned() };
        let values: Vec<String> = parameter.default.split(',').map(value).collect();
        let default = match (parameter.kind, parameter.default, &values[..]) {
            (Kind::Flag, "", _) => Some("false".to_owned()),
            (_, "", _) => None,
            (.., [value]) => Some(value.clone()),
            (.., values) => Some(format!("[{}]", values.join(", "))),
        };
        Self {
            name: parameter.name,
            accepts: of_kind(parameter.kind),
            is_required: false,
            default,
            if_left_out: None,
            doc: format!("{}.", capitalised(parameter.doc)),
        }
    }
}

/// The values of a kind, in words.
fn of_kind(kind: Kind) -> String {
    match kind {
        Kind::Count { min, max: u64::MAX } => format!("a whole number of at least {min}"),
        Kind::Choice(names) => alternatives(names),
        other => other.to_string(),
    }
}

/// The names as TOML has them, with commas.
fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// The names as TOML has them, with "or" before the last.
fn alternatives(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or \"{last}\"", quoted(rest)),
        _ => quoted(names),
    }
}
