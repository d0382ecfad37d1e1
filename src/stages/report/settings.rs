//! The settings of a recording as tables of a pipeline file, for the top of the page.

use serde_json::{Map, Value};

/// Keys of the recorded settings that are not in `[training]`, by table. The recorded settings have no tables except `record`.
const TABLES: &[(&str, &[&str])] = &[
    ("", &["seed"]),
    ("data", &["train_fraction", "split", "masks", "labels"]),
    (
        "network",
        &[
            "hidden",
            "operations",
            "activation",
            "output",
            "output_bits",
            "initial",
            "initial_fan",
            "initial_scale",
            "output_initial",
            "output_initial_fan",
        ],
    ),
];
/// A longer list is shortened.
const MOST_ITEMS: usize = 12;
/// Items at the start of a shortened list; one more is at its end.
const FIRST_ITEMS: usize = 4;

/// The settings that `run` contains, as text that looks like the TOML of a pipeline.
pub(super) fn as_tables(run: &Value) -> String {
    let Some(settings) = run.as_object() else { return String::new() };
    let listed = |key: &str| TABLES.iter().any(|(_, keys)| keys.contains(&key));
    let mut text = String::new();
    for (table, keys) in TABLES {
        let entries = keys.iter().filter_map(|key| Some((*key, settings.get(*key)?)));
        push_table(&mut text, table, entries);
    }
    let rest = settings.iter().filter(|(key, _)| *key != "record" && !listed(key));
    push_table(&mut text, "training", rest.map(|(key, value)| (key.as_str(), value)));
    if let Some(record) = settings.get("record").and_then(Value::as_object) {
        let entries: Vec<(&str, &Value)> =
            record.iter().flat_map(|(key, value)| entries_of_record(key, value)).collect();
        push_table(&mut text, "record", entries.into_iter());
    }
    text
}

/// `when` contains the recorded epochs and steps, which are keys of `[record]` in a pipeline.
fn entries_of_record<'a>(key: &'a str, value: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    match value {
        Value::Object(when) if key == "when" => {
            when.iter().filter(|(_, value)| !is_empty(value)).map(|(key, value)| (key.as_str(), value)).collect()
        }
        value => vec![(key, value)],
    }
}

/// Appends a table with its header; a table without entries is left out.
fn push_table<'a>(text: &mut String, table: &str, entries: impl Iterator<Item = (&'a str, &'a Value)>) {
    let lines: String = entries.map(|(key, value)| format!("{key} = {}\n", written(value))).collect();
    if lines.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    if !table.is_empty() {
        text.push_str(&format!("[{table}]\n"));
    }
    text.push_str(&lines);
}

/// A value as TOML writes it.
fn written(value: &Value) -> String {
    match value {
        Value::Array(list) if list.len() > MOST_ITEMS => {
            let first: Vec<String> = list[..FIRST_ITEMS].iter().map(written).collect();
            let last = written(&list[list.len() - 1]);
            format!("[{}, …, {last}]  # {} values", first.join(", "), list.len())
        }
        Value::Array(list) => format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => inline(table),
        Value::Number(number) => shortest(number),
        other => other.to_string(),
    }
}

fn inline(table: &Map<String, Value>) -> String {
    let entries: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", written(value))).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// Settings are 32-bit floats: 0.004 is recorded as 0.004000000189989805.
fn shortest(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() && f64::from(value as f32) == value => (value as f32).to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_tables_and_long_lists_are_shortened() {
        let epochs: Vec<i32> = (0..20).collect();
        let settings = serde_json::json!({
            "seed": 1, "hidden": [10, 7], "activation": "tanh", "train_fraction": 0.5, "learning_rate": 0.004_f32,
            "schedule": { "step": { "every": 2, "factor": 0.5 } },
            "record": { "layers": [1, 2], "when": { "epochs": epochs, "steps": [] } },
        });
        let expected = "\
seed = 1

[data]
train_fraction = 0.5

[network]
hidden = [10, 7]
activation = \"tanh\"

[training]
learning_rate = 0.004
schedule = { step = { every = 2, factor = 0.5 } }

[record]
layers = [1, 2]
epochs = [0, 1, 2, 3, …, 19]  # 20 values
";
        assert_eq!(as_tables(&settings), expected);
    }
}
