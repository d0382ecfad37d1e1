//! The tables of a pipeline that name an entry of a registry and give one or several values of each of its parameters:
//! `[[estimate]]` and `[[weights]]`.

use std::collections::BTreeMap;

use super::tree::{Located, keys_of};
use super::values::parameter;
use crate::parameter::{Parameter, ParameterError, Parameters, Value};
use crate::suggest::suggestion;

/// The table as written in the file; its keys depend on the entry.
pub(super) type RawEntry = BTreeMap<String, Located<toml::Value>>;

/// The given values of the parameters of an entry.
pub(super) type Given = Vec<(String, Vec<Value>)>;

/// The entry that the table names by `key`, found in its registry, and the values of its parameters, each of which has passed
/// `check`. The table begins at byte `at`; an error has the place of the wrong key.
pub(super) fn entry<S: Copy>(
    (at, table): (usize, RawEntry),
    (name, key): (&str, &str),
    find: impl Fn(&str) -> Result<S, String>,
    check: impl Fn(S, &str, &[Value]) -> Result<(), ParameterError>,
) -> Result<(S, Given), (usize, String)> {
    let mut spec = None;
    let mut given = Vec::new();
    for (named, Located { at, value }) in table {
        let values = match value {
            toml::Value::String(entry) if named == key => {
                spec = Some(find(&entry).map_err(|problem| (at, problem))?);
                continue;
            }
            toml::Value::Array(values) if !values.is_empty() => values,
            single => vec![single],
        };
        let values: Result<Vec<Value>, String> = values.into_iter().map(|value| parameter(&named, value)).collect();
        given.push((at, named, values.map_err(|problem| (at, problem))?));
    }
    let spec = spec.ok_or_else(|| (at, format!("missing key `{key}`{}", keys_of(name))))?;
    // Keys are checked one by one first, so that an error has the line of the wrong key.
    for (at, key, values) in &given {
        check(spec, key, values).map_err(|e| (*at, e.to_string()))?;
    }
    Ok((spec, given.into_iter().map(|(_, key, values)| (key, values)).collect()))
}

/// Checks each of the `values` of the parameter `name`, which one of the `lists` declares.
///
/// # Errors
/// The parameter does not exist, or a value is out of range.
pub(super) fn check(lists: [&'static [Parameter]; 2], name: &str, values: &[Value]) -> Result<(), ParameterError> {
    let declared = lists.into_iter().find(|declared| declares(declared, name));
    let declared = declared.ok_or_else(|| {
        let names = lists.into_iter().flatten().map(|parameter| parameter.name);
        ParameterError::Unknown { name: name.to_owned(), suggestion: suggestion(name, names) }
    })?;
    values.iter().try_for_each(|value| Parameters::new(declared, [(name.to_owned(), value.clone())]).map(drop))
}

/// Whether the list declares a parameter called `name`.
pub(super) fn declares(list: &[Parameter], name: &str) -> bool {
    list.iter().any(|parameter| parameter.name == name)
}
