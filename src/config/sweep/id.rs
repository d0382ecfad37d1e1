//! The id of an experiment of a sweep: the names and values of the parameters that vary, in characters that are allowed in
//! the name of a folder.

use toml::Spanned;
use toml::de::DeValue;

use super::super::tree::{integer, number};
use crate::parameter::Value;
use crate::store::hash_bytes;

/// Largest number of bytes of an id. The name of a file has at most 255, and figures add to it.
pub(super) const ID_BYTES: usize = 120;

/// The id of an experiment with these values of the named parameters.
pub(super) fn id(chosen: &[(String, &Spanned<DeValue<'_>>)]) -> String {
    const HASH: usize = 8;
    let mut parts: Vec<String> =
        chosen.iter().map(|(name, value)| format!("{}-{}", plain(name), slug(value))).collect();
    parts.sort();
    let id = parts.join(",");
    if id.len() <= ID_BYTES {
        return id;
    }
    format!("{}-{}", &id[..ID_BYTES - HASH - 1], &hash_bytes(id.as_bytes())[..HASH])
}

/// A text in which every character except letters, digits, dots, dashes, plus signs and underscores is replaced by an
/// underscore.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || ".+_-".contains(c) { c } else { '_' }).collect()
}

/// A value in letters, digits, dots, dashes, plus signs and underscores. Equal numbers give equal text; a text in which a
/// character is replaced gets a hash, so that different texts stay different.
pub(super) fn slug(value: &Spanned<DeValue<'_>>) -> String {
    const HASH: usize = 6;
    match value.get_ref() {
        DeValue::String(text) => {
            let dashed = text.replace(", ", ",").replace(',', "-");
            match plain(&dashed) {
                kept if kept == dashed && !kept.is_empty() => kept,
                kept => format!("{kept}-{}", &hash_bytes(text.as_bytes())[..HASH]),
            }
        }
        DeValue::Array(values) if values.is_empty() => "none".to_owned(),
        DeValue::Array(values) => values.iter().map(slug).collect::<Vec<_>>().join("-"),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| format!("{}-{}", plain(key.get_ref()), slug(value)));
            entries.collect::<Vec<_>>().join("-").replace('_', "-")
        }
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(date) => date.to_string().replace(':', "-"),
        DeValue::Integer(count) => integer(value.get_ref()).map_or_else(|| count.to_string(), |n| n.to_string()),
        DeValue::Float(float) => match number(value.get_ref()) {
            Some(number) => Value::Number(number).to_string(),
            None => float.to_string(),
        },
    }
}
