//! What the experiments of a sweep are called: the values of what varies.

use crate::math::unique::unique;
use crate::store::schema::{SettingRow, SummaryRow};

/// The experiments of `summary` in their order, by the numeric parameter where there is exactly one that varies.
pub(super) fn experiments<'a>(summary: &'a [SummaryRow], settings: &[SettingRow]) -> Vec<&'a str> {
    let mut found = unique(summary.iter().map(|row| row.experiment.as_str()));
    if let Some(number) = only_number(&found, settings) {
        found.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    found
}

/// The number of each experiment, where exactly one parameter varies and its values are numbers.
pub(super) fn only_number<'a>(experiments: &[&str], settings: &'a [SettingRow]) -> Option<impl Fn(&str) -> f64 + 'a> {
    let number =
        move |experiment: &str| settings.iter().find(|row| row.experiment == experiment).and_then(|row| row.number);
    let is_one = unique(settings.iter().map(|row| row.parameter.as_str())).len() == 1;
    let is_number = experiments.iter().all(|experiment| number(experiment).is_some());
    (is_one && is_number).then_some(move |experiment: &str| number(experiment).unwrap_or_default())
}

/// An experiment in words: `batch 256, activation tanh`; its own name where nothing of it varies.
pub(super) fn title(experiment: &str, settings: &[SettingRow]) -> String {
    let values = settings.iter().filter(|row| row.experiment == experiment);
    let words: Vec<String> = values.map(|row| format!("{} {}", short(&row.parameter), row.value)).collect();
    if words.is_empty() { experiment.to_owned() } else { words.join(", ") }
}

/// The last part of a parameter's name: `training.batch` is `batch`.
pub(super) fn short(parameter: &str) -> String {
    parameter.rsplit('.').next().unwrap_or(parameter).replace('_', " ")
}
