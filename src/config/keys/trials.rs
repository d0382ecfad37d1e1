//! A pipeline file in which every key can be tried: with one of its values, or without it.

use std::collections::BTreeMap;

use crate::config::Declared;

/// A key after its table, and its value in TOML.
pub(super) type Entry<'a> = (&'a str, &'a str);

/// A pipeline file that is accepted, and in which every key is tried.
const BASE: &[Entry<'_>] = &[
    ("data.name", "\"tishby\""),
    ("data.train_fraction", "0.5"),
    ("network.hidden", "[3]"),
    ("network.activation", "\"tanh\""),
    ("training.optimiser", "\"sgd\""),
    ("training.learning_rate", "0.1"),
    ("training.batch", "\"full\""),
    ("training.epochs", "20"),
    ("record.epochs", "{ list = [0] }"),
    ("estimate.estimator", "\"quantised\""),
];

/// Other keys that a key, or every key of a table, needs; an empty value removes a key of [`BASE`].
const NEEDS: &[(&str, &[Entry<'_>])] = &[
    ("pipeline.estimate", &[("estimate.estimator", "")]),
    ("data.file", &[("data.name", "")]),
    ("data.folder", &[("data.name", "\"mnist\"")]),
    ("data.masks", &[("data.split", "\"membership\"")]),
    // A table in the list, not the list.
    ("network.hidden.", &[("network.hidden", ""), ("network.hidden.units", "3")]),
    ("network.output", &[("training.loss", "\"squared_error\"")]),
    ("training.momentum", &[("training.optimiser", "\"momentum\"")]),
    ("training.beta_1", &[("training.optimiser", "\"adam\"")]),
    ("training.beta_2", &[("training.optimiser", "\"adam\"")]),
    ("training.decay", &[("training.optimiser", "\"rmsprop\"")]),
    ("training.epsilon", &[("training.optimiser", "\"adam\"")]),
    ("training.prefit", &[("training.epochs", "2147483647")]),
    ("training.stop.accuracy", &[("training.stop.patience", "3")]),
    ("training.stop.patience", &[("training.stop.accuracy", "0.5")]),
    ("training.stop.of", &[("training.stop.accuracy", "0.5")]),
    ("record.adaptive", &[("record.epochs", "")]),
    ("record.adaptive.delta", &[("record.adaptive.method", "\"exact\"")]),
    ("record.adaptive.method", &[("record.adaptive.delta", "0.1")]),
    (
        "exact",
        &[
            ("data.name", "\"student-teacher\""),
            ("data.n_relevant", "30"),
            ("network.activation", "\"linear\""),
            ("network.output", "\"linear\""),
            ("training.loss", "\"squared_error\""),
        ],
    ),
    ("propagation", &[("network.noise_variance", "0.01")]),
    ("bound", &[("bound.code", "\"quantised-bits-8\"")]),
    (
        "expect",
        &[
            ("expect.claim", "\"it falls\""),
            ("expect.quantity", "\"loss_test\""),
            ("expect.measure", "\"end\""),
            ("expect.above", "1"),
        ],
    ),
    ("expect.estimate", &[("expect.quantity", "\"i_xt\""), ("expect.layer", "1")]),
    (
        "expect.weights",
        &[("weights.measure", "\"code\""), ("expect.quantity", "\"code_length\""), ("expect.layer", "1")],
    ),
    (
        "expect.gradients",
        &[
            ("expect.quantity", "\"weight_norm\""),
            ("expect.layer", "1"),
            ("record.gradients", "[\"after_step\", \"before_step\", \"samples\"]"),
        ],
    ),
    ("expect.layer", &[("expect.quantity", "\"weight_norm\"")]),
    ("expect.below", &[("expect.above", "")]),
    ("expect.near", &[("expect.above", ""), ("expect.within", "1")]),
    ("expect.within", &[("expect.above", ""), ("expect.near", "1")]),
    ("expect.minus.quantity", &[("expect.minus.measure", "\"start\"")]),
    ("expect.minus.measure", &[("expect.minus.quantity", "\"loss_train\"")]),
    (
        "expect.minus.estimate",
        &[
            ("expect.quantity", "\"i_xt\""),
            ("expect.estimate", "\"quantised-bits-8\""),
            ("expect.layer", "1"),
            ("expect.minus.quantity", "\"i_ty\""),
            ("expect.minus.measure", "\"start\""),
        ],
    ),
    (
        "expect.minus.weights",
        &[
            ("weights.measure", "\"code\""),
            ("expect.quantity", "\"code_length\""),
            ("expect.weights", "\"code\""),
            ("expect.layer", "1"),
            ("expect.minus.quantity", "\"norm_part\""),
            ("expect.minus.measure", "\"start\""),
        ],
    ),
    (
        "expect.minus.gradients",
        &[
            ("expect.quantity", "\"weight_norm\""),
            ("expect.layer", "1"),
            ("expect.minus.quantity", "\"gradient_std_norm\""),
            ("expect.minus.measure", "\"start\""),
            ("record.gradients", "[\"after_step\", \"before_step\", \"samples\"]"),
        ],
    ),
    ("expect.minus.layer", &[("expect.minus.quantity", "\"loss_train\""), ("expect.minus.measure", "\"start\"")]),
];

/// Other keys that a pipeline file needs if a key is left out; an empty value removes a key.
const INSTEAD: &[(&str, &[Entry<'_>])] = &[
    ("data.name", &[("data.file", "\"x.parquet\"")]),
    ("data.file", &[("data.name", "\"tishby\"")]),
    ("network.activation", &[("network.hidden", "\"4-tanh\"")]),
    ("record.epochs", &[("record.steps", "{ list = [0] }")]),
    ("record.adaptive", &[("record.epochs", "{ list = [0] }")]),
    ("expect.estimate", &[("expect.quantity", "\"loss_test\""), ("expect.layer", "")]),
    ("expect.weights", &[("expect.quantity", "\"loss_test\""), ("expect.layer", "")]),
    ("expect.layer", &[("expect.quantity", "\"loss_test\"")]),
    ("expect.above", &[("expect.below", "1")]),
    ("expect.below", &[("expect.above", "1")]),
    ("expect.near", &[("expect.within", ""), ("expect.above", "1")]),
    ("expect.within", &[("expect.near", ""), ("expect.above", "1")]),
    (
        "expect.minus.estimate",
        &[
            ("expect.minus.quantity", "\"weight_norm\""),
            ("expect.quantity", "\"weight_norm\""),
            ("expect.estimate", ""),
        ],
    ),
    (
        "expect.minus.weights",
        &[("expect.minus.quantity", "\"i_xt\""), ("expect.minus.estimate", "\"quantised-bits-8\"")],
    ),
];

/// Reads [`BASE`] with what the key `path` needs, and with a `value` of it; without it if there is none.
pub(super) fn read(path: &str, value: Option<&str>) -> Result<String, String> {
    read_with(path, value, &[])
}

/// As [`read`], with `more` keys.
pub(super) fn read_with(path: &str, value: Option<&str>, more: &[Entry<'_>]) -> Result<String, String> {
    let is_needed = |name: &str| path == name || path.starts_with(&format!("{}.", name.trim_end_matches('.')));
    let needed = NEEDS.iter().filter(|(name, _)| is_needed(name)).flat_map(|(_, entries)| entries.iter().copied());
    let mut entries: BTreeMap<&str, &str> = BASE.iter().copied().chain(needed).chain(more.iter().copied()).collect();
    match value {
        Some(value) => drop(entries.insert(path, value)),
        None => {
            let instead = INSTEAD.iter().filter(|(name, _)| *name == path);
            entries.extend(instead.flat_map(|(_, entries)| entries.iter().copied()));
            // Without a table, its keys are missing as well.
            let inner = path.strip_prefix("pipeline").unwrap_or(path).trim_start_matches('.');
            entries.retain(|name, _| *name != path && !name.starts_with(&format!("{inner}.")));
        }
    }
    entries.retain(|_, value| !value.is_empty());
    // A table is there even if it has no keys.
    let table = path.rsplit_once('.').map_or("", |(table, _)| table);
    let mut lines = BTreeMap::from([(table, String::new())]);
    for (name, value) in entries {
        let (table, key) = name.rsplit_once('.').unwrap();
        lines.entry(table).or_default().push_str(&format!("{key} = {value}\n"));
    }
    let mut text = lines.remove("pipeline").unwrap_or_default();
    for (table, lines) in lines {
        let header = match table {
            "estimate" | "weights" | "expect" => format!("[[{table}]]"),
            "network.hidden" => "[[network.hidden]]".to_owned(),
            _ => format!("[{table}]"),
        };
        text.push_str(&format!("{header}\n{lines}"));
    }
    Declared::of_text(&text).map(|declared| format!("{declared:?}"))
}
