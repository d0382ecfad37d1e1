//! The parameters that an identity in files contains, as keys of a pipeline file: the reverse of [`Request::all`] and of
//! [`NamedData::identity`](super::NamedData::identity).

use super::estimate::Request;
use crate::datasets;
use crate::estimate_id::{EstimateId, Pool, Samples, Scale, Unit, Values};
use crate::estimators::{self, ValueBounds};
use crate::math::entropy::Bias;
use crate::parameter::{Kind, Parameter, Parameters, Value};

/// A key of a table of a pipeline file, with its value.
pub type KeyValue = (String, Value);

/// The keys of the `[[estimate]]` table that makes the estimates `id`, without `estimator` and without defaults. `None` if no
/// estimator makes them, as for the exact information of linear networks.
pub fn keys_of_estimate(id: &EstimateId) -> Option<Vec<KeyValue>> {
    let spec = estimators::find(&id.estimator.family).ok()?;
    let scale = match id.estimator.scale {
        Some(Scale { kind, value: Some(value) }) => Some((kind.name().to_owned(), Value::parse(&value.to_string()))),
        _ => None,
    };
    let correction = (id.estimator.correction != Bias::PlugIn).then(|| id.estimator.correction.name());
    let form = id.estimator.form.map(|form| form.name());
    let words: Vec<&str> = form.into_iter().chain(id.estimator.options.as_deref()).chain(correction).collect();
    let applied_to = applied_to(id);
    let keys = |own: Vec<KeyValue>| [scale.iter().cloned().collect(), own, applied_to.clone()].concat();
    let makes_it = |keys: &Vec<KeyValue>| {
        let given = keys.iter().map(|(name, value)| (name.clone(), vec![value.clone()])).collect();
        let requests = Request::all(spec, given, ValueBounds::Unknown);
        requests.is_ok_and(|requests| matches!(&requests[..], [request] if *request.id == *id))
    };
    // Words can be a part of the name of every estimate of an estimator, such as `gaussian` of `copula`.
    let without_words = std::iter::once(Vec::new());
    readings(&words.join("-"), spec.parameters).into_iter().chain(without_words).map(keys).find(makes_it)
}

/// The name of a data set and the keys of `[data]` that its `identity` contains. `None` if it is not the identity of a data set.
pub fn keys_of_data(identity: &str) -> Option<(&'static str, Vec<KeyValue>)> {
    let (name, slug) = identity.split_once(' ').unwrap_or((identity, ""));
    let spec = datasets::find(name).ok()?;
    let makes_it = |keys: &Vec<KeyValue>| {
        Parameters::new(spec.parameters, keys.clone()).is_ok_and(|parameters| spec.identity(&parameters) == identity)
    };
    Some((spec.name, readings(slug, spec.parameters).into_iter().find(makes_it)?))
}

/// The samples, snapshots and units of an estimate, as keys.
fn applied_to(id: &EstimateId) -> Vec<KeyValue> {
    let text = |name: &str, text: String| (name.to_owned(), Value::Text(text));
    let mut keys = Vec::new();
    if id.values == Values::PreActivations {
        keys.push(text("values", "pre-activations".to_owned()));
    }
    if let Samples::Train | Samples::Test = id.samples {
        keys.push(text("samples", id.samples.name().to_owned()));
    }
    match id.pool {
        Pool::Nothing => {}
        Pool::Windows | Pool::Runs => keys.push(text("pool", id.pool.to_string())),
        Pool::Steps(..) => keys.push(text("window", id.pool.to_string())),
    }
    if id.unit == Unit::Units {
        keys.push(("per_unit".to_owned(), Value::Flag(true)));
    }
    keys
}

/// Every way to read `text` as different parameters, joined by dashes. A parameter is written as `name-value`; the name of a choice
/// and the value of a flag may be left out.
fn readings(text: &str, declared: &[Parameter]) -> Vec<Vec<KeyValue>> {
    if text.is_empty() {
        return vec![Vec::new()];
    }
    let ends = text.match_indices('-').map(|(at, _)| at).chain([text.len()]);
    let mut found = Vec::new();
    for end in ends {
        let rest = text[end..].strip_prefix('-').unwrap_or_default();
        let firsts = declared.iter().filter_map(|parameter| read(&text[..end], parameter));
        for first in firsts {
            let others: Vec<Parameter> =
                declared.iter().filter(|parameter| parameter.name != first.0).copied().collect();
            let with = |others: Vec<KeyValue>| [vec![first.clone()], others].concat();
            found.extend(readings(rest, &others).into_iter().map(with));
        }
    }
    found
}

/// The `word` as a value of a parameter.
fn read(word: &str, parameter: &Parameter) -> Option<KeyValue> {
    let dashed = parameter.name.replace('_', "-");
    let value = match (word.strip_prefix(&format!("{dashed}-")), parameter.kind) {
        (None, Kind::Flag) if word == dashed => Value::Flag(true),
        (None, Kind::Choice(choices)) if choices.contains(&word) => Value::Text(word.to_owned()),
        (Some("true"), Kind::Flag) => Value::Flag(true),
        (Some(word), Kind::Choice(choices)) if choices.contains(&word) => Value::Text(word.to_owned()),
        (
            Some(word),
            Kind::Count { .. } | Kind::Positive | Kind::NotNegative | Kind::Number | Kind::Steps | Kind::Rows,
        ) => Value::parse(word).fits(parameter.kind)?,
        _ => return None,
    };
    Some((parameter.name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Declared;
    use crate::datasets::DATASETS;

    #[track_caller]
    fn check(id: &str, keys: &[(&str, &str)]) {
        let found = keys_of_estimate(&id.parse().unwrap()).unwrap();
        let found: Vec<(&str, String)> = found.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        let keys: Vec<(&str, String)> = keys.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        assert_eq!(found, keys, "{id}");
    }

    #[test]
    fn an_identity_that_repeats_its_parameters_is_refused_at_once() {
        let repeated = "n-relevant-1-".repeat(200);
        assert_eq!(keys_of_data(&format!("student-teacher {}", repeated.trim_end_matches('-'))), None);
    }

    #[test]
    fn an_identity_is_read_as_the_keys_of_its_table() {
        check("binning-n-edges-30", &[("n_edges", "30")]);
        check("binning-n-edges-9-low--1.5-above-last-bin", &[("n_edges", "9"), ("low", "-1.5"), ("above", "last-bin")]);
        check("copula-gaussian-samples-test", &[("samples", "test")]);
        check("decoder-logistic-folds-2", &[("probe", "logistic"), ("folds", "2")]);
        check("binning-exact-samples-test", &[("exact", "true"), ("samples", "test")]);
        check(
            "binning-n-bins-9-range-all-runs-jackknife",
            &[("n_bins", "9"), ("range", "all-runs"), ("bias", "jackknife")],
        );
        check(
            "kde-lower-noise-variance-0.1-relative-f64",
            &[("noise_variance", "0.1"), ("bound", "lower"), ("relative", "true"), ("precision", "f64")],
        );
        check(
            "quantised-bits-8-pre-activations-window-100-110",
            &[("bits", "8"), ("values", "pre-activations"), ("window", "100-110")],
        );
    }

    #[test]
    fn no_estimator_makes_exact_information_or_an_unknown_name() {
        for id in ["linear-upper", "binning-n-edges-30-odd-3", "made-elsewhere"] {
            assert_eq!(keys_of_estimate(&EstimateId::of_table(id)), None, "{id}");
        }
    }

    #[test]
    fn the_estimates_of_every_pipeline_are_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
        let mut n_estimates = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "toml") {
                continue;
            }
            for (_, pipeline) in Declared::read(&path).unwrap().pipelines() {
                for request in &pipeline.estimates {
                    assert!(keys_of_estimate(&request.id).is_some(), "{}", request.id);
                    n_estimates += 1;
                }
            }
        }
        assert!(n_estimates > 100, "{n_estimates}");
    }

    #[test]
    fn a_data_set_is_read_with_its_parameters() {
        let entry = |name: &str, value: Value| (name.to_owned(), value);
        for spec in DATASETS {
            assert_eq!(keys_of_data(spec.name), Some((spec.name, Vec::new())));
        }
        let keys = vec![entry("n_relevant", Value::Count(30))];
        assert_eq!(keys_of_data("student-teacher n-relevant-30"), Some(("student-teacher", keys)));
        assert_eq!(keys_of_data("student-teacher n-relevant-x"), None);
        assert_eq!(keys_of_data("made elsewhere"), None);
    }
}
