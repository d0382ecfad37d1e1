//! The settings in which a recording and a pipeline differ, named by the keys of a pipeline file.

use std::collections::BTreeSet;

use serde_json::Value;

/// Largest number of differences that a message names.
const MOST_NAMED: usize = 3;
/// Lists with more values are shortened to the first and last values.
const MOST_ENTRIES: usize = 6;

/// The differences between the settings of a recording and those of a pipeline, in words; `None` if they are equal. Both are
/// settings of runs as [`Networks::run_settings`](super::Networks::run_settings) writes them.
pub fn differences(recorded: &Value, wanted: &Value) -> Option<String> {
    // Numbers read from a file can differ in the last digit from those that were written.
    let wanted: Value = serde_json::from_str(&wanted.to_string()).expect("JSON that was just written is JSON");
    let (mut of_recording, mut of_pipeline) = (Vec::new(), Vec::new());
    flatten("", recorded, &mut of_recording);
    flatten("", &wanted, &mut of_pipeline);
    let value = |entries: &[(String, Value)], key: &str| entries.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let keys: BTreeSet<&String> = of_recording.iter().chain(&of_pipeline).map(|(key, _)| key).collect();
    let both = keys.into_iter().map(|key| (key, value(&of_recording, key), value(&of_pipeline, key)));
    let mut differing: Vec<(String, String)> = both
        .filter(|(_, recorded, wanted)| recorded != wanted)
        .map(|(key, recorded, wanted)| {
            let (recorded, wanted) = (shown(recorded.as_ref()), shown(wanted.as_ref()));
            (key_of(key), format!("{recorded} in the recording, {wanted} in the pipeline"))
        })
        .collect();
    // Recorded epochs follow from those of the training.
    differing.sort_by_key(|(key, _)| (key.starts_with("record."), key.clone()));
    let named: Vec<String> =
        differing.iter().take(MOST_NAMED).map(|(key, values)| format!("{key}: {values}")).collect();
    let n_more = differing.len() - named.len();
    let more = if n_more > 0 { format!("; and {n_more} more") } else { String::new() };
    (!named.is_empty()).then(|| named.join("; ") + &more)
}

/// The values of `settings` that are not tables, each with its path.
fn flatten(prefix: &str, settings: &Value, entries: &mut Vec<(String, Value)>) {
    match settings {
        Value::Object(table) => {
            let dot = if prefix.is_empty() { "" } else { "." };
            table.iter().for_each(|(key, value)| flatten(&format!("{prefix}{dot}{key}"), value, entries));
        }
        value => entries.push((prefix.to_owned(), value.clone())),
    }
}

/// The key of a pipeline file that has a setting.
fn key_of(setting: &str) -> String {
    if let Some(snapshots) = setting.strip_prefix("record.when.") {
        return format!("record.{snapshots}");
    }
    let table = match setting.split('.').next().unwrap_or_default() {
        "seed" | "record" => return setting.to_owned(),
        "train_fraction" | "split" | "labels" => "data",
        "hidden" | "activation" | "operations" | "output" | "output_bits" => "network",
        initial if initial.contains("initial") => "network",
        _ => "training",
    };
    format!("{table}.{setting}")
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "not set".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(float) if !number.is_u64() && is_f32(float) => (float as f32).to_string(),
            _ => number.to_string(),
        },
        Some(Value::Array(list)) if list.len() > MOST_ENTRIES => {
            let entry = |index: usize| shown(list.get(index));
            format!("[{}, {}, …, {}] ({} values)", entry(0), entry(1), entry(list.len() - 1), list.len())
        }
        Some(Value::Array(list)) => {
            format!("[{}]", list.iter().map(|value| shown(Some(value))).collect::<Vec<_>>().join(", "))
        }
        Some(other) => other.to_string(),
    }
}

/// Whether a number is an f32, as most settings of a training are, up to the rounding of reading it from a file.
fn is_f32(number: f64) -> bool {
    (f64::from(number as f32) - number).abs() <= 4.0 * f64::EPSILON * number.abs()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn three_differences_are_named_with_both_values() {
        let settings = |rate: f32, activation: &str, epochs: &[u64]| {
            json!({ "seed": 1, "activation": activation, "learning_rate": rate, "batch": "full", "epochs": epochs.last(),
                    "record": { "when": { "epochs": epochs }, "layers": [1, 2] } })
        };
        let list: Vec<u64> = (0..20).collect();
        let recorded = settings(0.03, "tanh", &list);
        // As it is read from a file.
        let recorded: Value = serde_json::from_str(&recorded.to_string()).unwrap();
        assert_eq!(differences(&recorded, &settings(0.03, "tanh", &list)), None);
        let activation = "network.activation: tanh in the recording, relu in the pipeline";
        assert_eq!(differences(&recorded, &settings(0.03, "relu", &list)).as_deref(), Some(activation));
        let epochs = "record.epochs: [0, 1, …, 19] (20 values) in the recording, [0, 19] in the pipeline";
        assert_eq!(differences(&recorded, &settings(0.03, "tanh", &[0, 19])).as_deref(), Some(epochs));
        let expected = format!(
            "{activation}; training.epochs: 19 in the recording, 5 in the pipeline; training.learning_rate: 0.03 in the recording, 0.0004 in the pipeline; and 1 more"
        );
        assert_eq!(differences(&recorded, &settings(4e-4, "relu", &[0, 5])), Some(expected));
        let absent = differences(&json!({ "seed": 1 }), &json!({ "seed": 1, "max_norm": 2.5 }));
        assert_eq!(absent.as_deref(), Some("training.max_norm: not set in the recording, 2.5 in the pipeline"));
    }
}
