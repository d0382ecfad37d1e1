//! The experiments of a sweep: their order, their titles, and the parameters that vary between them.

use super::axes::whole;
use crate::math::unique::unique;
use crate::store::schema::{SettingRow, SummaryRow};

/// A parameter that varies over the experiments of a sweep, or several that vary together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    /// Every value with the parameter's name, such as `batch 256`: numbers ascending, then words in the order of the table.
    pub(super) values: Vec<String>,
    /// Whether the values are numbers. A word among several numbers (`full` of a batch) follows them.
    pub(super) is_ordered: bool,
    /// For each experiment, the index of its value.
    pub(super) ranks: Vec<usize>,
}

impl Parameter {
    /// The experiments themselves as values, for experiments that no known parameter distinguishes.
    pub(super) fn of_experiments(experiments: &[&str], settings: &[SettingRow]) -> Self {
        let values = experiments.iter().map(|name| title(name, settings)).collect();
        Self { values, is_ordered: false, ranks: (0..experiments.len()).collect() }
    }

    /// Several parameters as one, whose values are the combinations that experiments have, in the order of the first parameter,
    /// then of the second, and so on.
    pub(super) fn combined(parameters: &[&Parameter]) -> Self {
        let n_experiments = parameters.first().map_or(0, |parameter| parameter.ranks.len());
        let ranks_of = |place: usize| parameters.iter().map(|parameter| parameter.ranks[place]).collect::<Vec<usize>>();
        let of_experiments: Vec<Vec<usize>> = (0..n_experiments).map(ranks_of).collect();
        let mut combinations = of_experiments.clone();
        combinations.sort();
        combinations.dedup();
        let words = |ranks: &Vec<usize>| {
            let values = parameters.iter().zip(ranks).map(|(parameter, rank)| parameter.values[*rank].as_str());
            values.collect::<Vec<&str>>().join(", ")
        };
        let rank = |ranks: &Vec<usize>| combinations.partition_point(|other| other < ranks);
        Self {
            values: combinations.iter().map(words).collect(),
            is_ordered: false,
            ranks: of_experiments.iter().map(rank).collect(),
        }
    }

    /// The parameter called `name`; `None` if an experiment has no value of it.
    fn named(name: &str, experiments: &[&str], settings: &[SettingRow]) -> Option<Self> {
        let row_of =
            |experiment: &&str| settings.iter().find(|row| row.parameter == name && row.experiment == *experiment);
        let rows: Vec<&SettingRow> = experiments.iter().map(row_of).collect::<Option<_>>()?;
        let mut values = unique(rows.iter().map(|row| (row.number.unwrap_or(f64::INFINITY), row.value.as_str())));
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let n_numbers = values.iter().filter(|(number, _)| number.is_finite()).count();
        let rank = |row: &&SettingRow| values.iter().position(|(_, value)| *value == row.value);
        Some(Self {
            ranks: rows.iter().map(rank).collect::<Option<_>>()?,
            values: values.iter().map(|(_, value)| format!("{} {}", short(name), value_words(value))).collect(),
            is_ordered: n_numbers > 1,
        })
    }

    /// Whether each value of one parameter has exactly one value of the other.
    fn varies_with(&self, other: &Self) -> bool {
        let n_pairs = unique(self.ranks.iter().zip(&other.ranks)).len();
        n_pairs == self.values.len() && n_pairs == other.values.len()
    }

    /// Adds the values of a parameter that [varies with](Self::varies_with) this one.
    fn join(&mut self, other: &Self) {
        for (rank, value) in self.values.iter_mut().enumerate() {
            let experiment = self.ranks.iter().position(|own| *own == rank);
            value.extend(experiment.map(|place| format!(", {}", other.values[other.ranks[place]])));
        }
    }
}

/// The parameters with more than one value among `experiments`; those that vary together are joined. None if the settings of
/// an experiment are not known.
pub(super) fn parameters(experiments: &[&str], settings: &[SettingRow]) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for name in unique(settings.iter().map(|row| row.parameter.as_str())) {
        let Some(parameter) = Parameter::named(name, experiments, settings) else { return Vec::new() };
        match parameters.iter_mut().find(|other| other.varies_with(&parameter)) {
            Some(other) => other.join(&parameter),
            None => parameters.push(parameter),
        }
    }
    parameters.retain(|parameter| parameter.values.len() > 1);
    parameters
}

/// The experiments of `summary`, sorted by the values of their parameters.
pub(super) fn experiments<'a>(summary: &'a [SummaryRow], settings: &[SettingRow]) -> Vec<&'a str> {
    let found = unique(summary.iter().map(|row| row.experiment.as_str()));
    let parameters = parameters(&found, settings);
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|place| parameters.iter().map(|parameter| parameter.ranks[*place]).collect::<Vec<usize>>());
    order.into_iter().map(|place| found[place]).collect()
}

/// The settings of an experiment, such as `batch 256, activation tanh`; its name if nothing varies.
pub(super) fn title(experiment: &str, settings: &[SettingRow]) -> String {
    let values = settings.iter().filter(|row| row.experiment == experiment);
    let words: Vec<String> =
        values.map(|row| format!("{} {}", short(&row.parameter), value_words(&row.value))).collect();
    if words.is_empty() { experiment.to_owned() } else { words.join(", ") }
}

/// A value as axes write it if it is a whole number.
pub(super) fn value_words(value: &str) -> String {
    value.parse().map_or_else(|_| value.to_owned(), whole)
}

/// The last part of a parameter's name: `training.batch` is `batch`.
pub(super) fn short(parameter: &str) -> String {
    parameter.rsplit('.').next().unwrap_or(parameter).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(rows: &[(&str, &str, &str)]) -> Vec<SettingRow> {
        let row = |(experiment, parameter, value): &(&str, &str, &str)| SettingRow {
            experiment: (*experiment).to_owned(),
            parameter: (*parameter).to_owned(),
            value: (*value).to_owned(),
            number: value.parse().ok(),
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn values_are_sorted_as_numbers_and_words_follow() {
        let rows = [("a", "training.batch", "full"), ("b", "training.batch", "1024"), ("c", "training.batch", "256")];
        let found = parameters(&["a", "b", "c"], &settings(&rows));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].values, ["batch 256", "batch 1024", "batch full"]);
        assert_eq!((found[0].is_ordered, found[0].ranks.as_slice()), (true, [2, 1, 0].as_slice()));
    }

    #[test]
    fn parameters_that_vary_together_are_one() {
        let rows = [("a", "hidden", "8"), ("a", "rate", "0.1"), ("b", "hidden", "4"), ("b", "rate", "0.5")];
        let found = parameters(&["a", "b"], &settings(&rows));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].values, ["hidden 4, rate 0.5", "hidden 8, rate 0.1"]);
    }

    #[test]
    fn whole_numbers_are_written_as_on_axes() {
        let rows = [("a", "n_train", "10000"), ("b", "n_train", "500")];
        assert_eq!(parameters(&["a", "b"], &settings(&rows))[0].values, ["n train 500", "n train 10\u{2009}000"]);
        assert_eq!(title("a", &settings(&rows)), "n train 10\u{2009}000");
        assert_eq!((value_words("1e-4"), value_words("0.50")), ("1e-4".to_owned(), "0.50".to_owned()));
    }

    #[test]
    fn an_experiment_without_settings_leaves_no_parameter() {
        assert!(parameters(&["a", "b"], &settings(&[("a", "rate", "0.1")])).is_empty());
        assert_eq!(title("b", &settings(&[("a", "rate", "0.1")])), "b");
    }
}
