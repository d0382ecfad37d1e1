//! The declared defaults of parameters of data sets, estimators and measures of weights, compared with what a pipeline file makes.

use super::*;
use crate::config::{Data, Declared, MEASURE_SCOPE, MeasureRequest, Request, SCOPE};
use crate::datasets::Source;

/// A parameter that another one needs: the entry, the parameter, and lines of TOML.
const NEEDS: &[(&str, &str, &str)] = &[
    ("committee", "slope", "function = \"logistic\""),
    ("binning", "spacing", "n_edges = 9"),
    ("binning", "low", "n_edges = 9"),
    ("binning", "high", "n_edges = 9"),
    ("binning", "below", "n_edges = 9"),
    ("binning", "above", "n_edges = 9"),
    ("binning", "range", "n_bins = 9"),
    ("binning", "precision", "n_edges = 9"),
];

const HEAD: &str = "[network]\nhidden = [3]\nactivation = \"tanh\"\n[training]\noptimiser = \"sgd\"\nlearning_rate = 0.1\nbatch = \"full\"\nepochs = 2\n";

/// A pipeline file with an entry of a registry in `table`, and `lines` in its table.
fn pipeline(table: &str, name: &str, lines: &str) -> String {
    let data = if table == "data" { format!("name = \"{name}\"\n{lines}") } else { "name = \"tishby\"\n".to_owned() };
    let split =
        if name == "membership" { "split = \"membership\"\ntrain_fraction = 0.5\n" } else { "train_fraction = 0.5\n" };
    let requested = match table {
        "estimate" => format!("[[estimate]]\nestimator = \"{name}\"\n{lines}"),
        "weights" => format!("[[weights]]\nmeasure = \"{name}\"\n{lines}"),
        _ => String::new(),
    };
    format!(
        "runs = 4\n[data]\n{data}{split}{HEAD}[record]\nepochs = {{ list = [0] }}\nonline_losses = true\n{requested}"
    )
}

/// Everything that the results depend on: the samples, the estimates or the measures.
fn made(table: &str, name: &str, lines: &str) -> Result<String, String> {
    let Declared::One(pipeline) = Declared::of_text(&pipeline(table, name, lines))? else {
        return Err("it is a sweep".to_owned());
    };
    if table == "data" {
        let Data::Named(named) = &pipeline.networks().unwrap().data else { return Err("it is a file".to_owned()) };
        return Ok(match named.spec.source {
            Source::Rule(_) => {
                format!("{:?}", named.spec.make(&named.parameters, &mut |_| unreachable!("a rule reads no file")))
            }
            Source::Files { .. } => named.path().display().to_string(),
        });
    }
    let estimates = pipeline.estimates.iter().map(|request| {
        let Request { id, member, n_shuffles, n_resamples, .. } = request;
        format!("{id} {:?} {member:?} {n_shuffles} {n_resamples}", id.unit)
    });
    let measures = pipeline.weights.iter().map(|request| {
        let MeasureRequest { id, measure, samples, n_snapshots, n_groups, activation, .. } = request;
        format!("{id} {measure:?} {samples:?} {n_snapshots:?} {n_groups} {activation:?}")
    });
    let mut made: Vec<String> = estimates.chain(measures).collect();
    made.sort();
    Ok(made.join("\n"))
}

/// The default of a parameter in TOML: as declared, or from the text `[default: …]` of its description.
fn default_of(row: &KeyRow, parameter: &Parameter) -> Option<String> {
    let in_words = parameter.doc.rsplit_once("[default: ").and_then(|(_, rest)| Some(rest.split_once(']')?.0));
    let word = match (&row.default, in_words) {
        (Some(value), _) => return Some(value.clone()),
        (None, word) => word?,
    };
    match parameter.kind {
        Kind::Choice(choices) => choices.contains(&word).then(|| format!("\"{word}\"")),
        Kind::Count { .. } | Kind::Positive | Kind::NotNegative | Kind::Number => {
            word.parse::<f64>().is_ok().then(|| word.to_owned())
        }
        Kind::Flag | Kind::Steps | Kind::Rows => None,
    }
}

#[test]
fn a_parameter_that_is_left_out_has_its_declared_default() {
    let (mut wrong, mut n_compared) = (Vec::new(), 0);
    for table in ["data", "estimate", "weights"] {
        let scope: &[Parameter] = match table {
            "estimate" => SCOPE,
            "weights" => MEASURE_SCOPE,
            _ => &[],
        };
        for entry in entries(table) {
            for parameter in entry.parameters.iter().chain(scope) {
                let name = parameter.name;
                let Some(default) = default_of(&KeyRow::from(parameter), parameter) else { continue };
                let needed: String = NEEDS
                    .iter()
                    .filter(|(entry_name, parameter_name, _)| (*entry_name, *parameter_name) == (entry.name, name))
                    .map(|(.., line)| format!("{line}\n"))
                    .collect();
                let without = made(table, entry.name, &needed);
                let with = made(table, entry.name, &format!("{needed}{name} = {default}\n"));
                // A measure refuses parameters of others.
                if with.as_ref().is_err_and(|problem| problem.contains(&format!("leave out `{name}`"))) {
                    continue;
                }
                n_compared += 1;
                if without.is_err() || with != without {
                    wrong.push(format!("{}.{name} = {default}: {with:.300?}, without {without:.300?}", entry.path()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_compared > 60, "{n_compared}");
}
