//! The settings of a recording and its estimates as tables of a pipeline file, for the top of the page.

use serde_json::{Map, Value, json};

use crate::config::{KeyValue, keys_of_data, keys_of_estimate};
use crate::estimate_id::EstimateId;
use crate::parameter;

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

/// The settings that `run` contains, as text that looks like the TOML of a pipeline. `data` is the identity of the data set, if it
/// is recorded.
pub(super) fn as_tables(run: &Value, data: Option<&str>) -> String {
    let Some(settings) = run.as_object() else { return String::new() };
    let listed = |key: &str| TABLES.iter().any(|(_, keys)| keys.contains(&key));
    let data: Vec<(String, Value)> = data.map_or_else(Vec::new, keys_of);
    let mut text = String::new();
    for (table, keys) in TABLES {
        let named = data.iter().filter(|_| *table == "data").map(|(key, value)| (key.as_str(), value));
        let recorded = keys.iter().filter_map(|key| Some((*key, settings.get(*key)?)));
        push_table(&mut text, table, named.chain(recorded));
    }
    let rest = settings.iter().filter(|(key, _)| *key != "record" && !listed(key));
    push_table(&mut text, "training", rest.map(|(key, value)| (key.as_str(), value)));
    if let Some(record) = settings.get("record").and_then(Value::as_object) {
        let entries: Vec<(String, Value)> =
            record.iter().flat_map(|(key, value)| entries_of_record(key, value)).collect();
        push_table(&mut text, "record", entries.iter().map(|(key, value)| (key.as_str(), value)));
    }
    text
}

/// The `[[estimate]]` table of the estimates `id`, made with so many shuffles and random halves of the samples. If no estimator
/// makes them, the text is a comment.
pub(super) fn estimate_table(id: &EstimateId, n_shuffles: Option<u64>, n_resamples: Option<u64>) -> String {
    let Some(keys) = keys_of_estimate(id) else { return format!("# estimates {id}\n") };
    let mut entries = vec![("estimator".to_owned(), json!(id.estimator.family))];
    entries.extend(keys.into_iter().map(in_json));
    entries.extend(n_shuffles.map(|n| ("shuffles".to_owned(), json!(n))));
    entries.extend(n_resamples.filter(|n| *n > 0).map(|_| ("resample".to_owned(), json!("samples"))));
    let mut text = String::new();
    push_table(&mut text, "[estimate]", entries.iter().map(|(key, value)| (key.as_str(), value)));
    text
}

/// The keys of `[data]` that a data set stands for.
fn keys_of(identity: &str) -> Vec<(String, Value)> {
    let Some((name, parameters)) = keys_of_data(identity) else { return vec![("name".to_owned(), json!(identity))] };
    [("name".to_owned(), json!(name))].into_iter().chain(parameters.into_iter().map(in_json)).collect()
}

fn in_json((name, value): KeyValue) -> (String, Value) {
    let value = match value {
        parameter::Value::Count(count) => json!(count),
        parameter::Value::Number(number) => json!(number),
        parameter::Value::Text(text) => json!(text),
        parameter::Value::Flag(flag) => json!(flag),
    };
    (name, value)
}

/// An entry of the recorded settings as keys of `[record]`: `when` contains the snapshots, and `part_bytes` is in bytes.
fn entries_of_record(key: &str, value: &Value) -> Vec<(String, Value)> {
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    match (key, value) {
        ("when", Value::Object(when)) => match when.get("delta_bits") {
            Some(delta) => vec![("adaptive".to_owned(), json!({ "delta": delta, "method": when.get("method") }))],
            None => when
                .iter()
                .filter(|(_, value)| !is_empty(value))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        },
        ("part_bytes", Value::Number(bytes)) => {
            bytes.as_u64().map(|bytes| ("part_mb".to_owned(), json!(bytes >> 20))).into_iter().collect()
        }
        (key, value) => vec![(key.to_owned(), value.clone())],
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
            "record": {
                "layers": [1, 2], "when": { "epochs": epochs, "steps": [] }, "precision": "f16", "part_bytes": 268_435_456,
            },
        });
        let expected = "\
seed = 1

[data]
name = \"student-teacher\"
n_relevant = 30
train_fraction = 0.5

[network]
hidden = [10, 7]
activation = \"tanh\"

[training]
learning_rate = 0.004
schedule = { step = { every = 2, factor = 0.5 } }

[record]
layers = [1, 2]
part_mb = 256
precision = \"f16\"
epochs = [0, 1, 2, 3, …, 19]  # 20 values
";
        assert_eq!(as_tables(&settings, Some("student-teacher n-relevant-30")), expected);
        assert!(!as_tables(&settings, None).contains("name = "));
    }

    #[test]
    fn adaptive_snapshots_are_a_key_of_the_record_table() {
        let settings = serde_json::json!({ "record": { "when": { "delta_bits": 0.1, "method": "exact" } } });
        assert_eq!(as_tables(&settings, None), "[record]\nadaptive = { delta = 0.1, method = \"exact\" }\n");
    }

    #[test]
    fn an_estimate_is_the_table_that_requests_it() {
        let table = |id: &str, resamples| estimate_table(&EstimateId::of_table(id), Some(5), resamples);
        let expected = "[[estimate]]\nestimator = \"binning\"\nn_edges = 30\nabove = \"last-bin\"\nsamples = \"test\"\nshuffles = 5\n";
        assert_eq!(table("binning-n-edges-30-above-last-bin-samples-test", Some(0)), expected);
        assert!(table("quantised-bits-8", Some(20)).ends_with("shuffles = 5\nresample = \"samples\"\n"));
        assert_eq!(table("made-elsewhere", None), "# estimates made-elsewhere\n");
    }
}
