//! The parameters of binning in pipelines and on the command line, and which of them can be combined.

use super::Binning;
use super::rule::{AboveEdges, BelowEdges, BinRange, BinWidth, FixedEdges, MOST_CELLS};
use crate::estimators::discrete::{BIAS, bias};
use crate::estimators::{Chosen, Precision, Spec, ValueBounds, build_each};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value};

pub(in crate::estimators) const SPEC: Spec = Spec {
    name: "binning",
    summary: "plug-in estimate of the mutual information of binned activations: bins by fixed edges, by width, over a range, of equal frequency, or no bins",
    of_pair: "plug-in information of the codes of bin numbers; labels are codes already",
    parameters: &[
        Parameter {
            name: "n_edges",
            doc: "number of fixed edges from `low` to `high` [default: 30, if no other kind of bins is chosen and the activation functions keep all recorded values between -1 and 1]",
            kind: Kind::Count { min: 2, max: MOST_CELLS },
            default: "",
        },
        Parameter {
            name: "spacing",
            doc: "with n_edges: evenly spaced edges (even), or tanh(z) for evenly spaced z from -50 to 50 (tanh) [default: even]",
            kind: Kind::Choice(&["even", "tanh"]),
            default: "",
        },
        Parameter {
            name: "low",
            doc: "first edge [default: -1; with n_quantiles the smallest value]",
            kind: Kind::Number,
            default: "",
        },
        Parameter { name: "high", doc: "last edge [default: 1]", kind: Kind::Number, default: "" },
        Parameter {
            name: "below",
            doc: "with n_edges: a value below the first edge is counted in an extra cell (own-cell), in the first bin (first-bin), or makes the estimate fail (refuse) [default: own-cell]",
            kind: Kind::Choice(&["own-cell", "first-bin", "refuse"]),
            default: "",
        },
        Parameter {
            name: "above",
            doc: "with n_edges: a value at or above the last edge is counted in an extra cell (own-cell) or in the last bin (last-bin), or a value above the last edge makes the estimate fail (refuse) [default: own-cell]. With bin_width, only last-bin is possible: it counts the value 1 in the bin just below 1",
            kind: Kind::Choice(&["own-cell", "last-bin", "refuse"]),
            default: "",
        },
        Parameter {
            name: "bin_width",
            doc: "width of the bins: a value t is in the bin floor(t / bin_width), and the number of bins is not limited",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "n_bins",
            doc: "number of equal bins between the smallest and the largest value of `range` [default: 30 with `range` run, if no other kind of bins is chosen and values may be outside -1 to 1 or the activation functions are unknown]",
            kind: Kind::Count { min: 1, max: MOST_CELLS },
            default: "",
        },
        Parameter {
            name: "range",
            doc: "with n_bins: the values over which the range is taken: those of one unit or one layer in one snapshot (unit, layer), of all layers and snapshots of a run (run), or of all runs (all-runs); the input layer has a separate range [default: layer]",
            kind: Kind::Choice(&["unit", "layer", "run", "all-runs"]),
            default: "",
        },
        Parameter {
            name: "n_quantiles",
            doc: "number of cells, each with the same number of distinct values of the layer (entropy-based adaptive binning, EBAB)",
            kind: Kind::Count { min: 1, max: MOST_CELLS },
            default: "",
        },
        Parameter {
            name: "exact",
            doc: "no bins: two rows are equal only if all their values are equal at full precision",
            kind: Kind::Flag,
            default: "",
        },
        Parameter {
            name: "precision",
            doc: "with n_edges or bin_width: arithmetic in f32, as in the authors' programs, or in f64 [default: f32]",
            kind: Kind::Choice(&["f32", "f64"]),
            default: "",
        },
        Parameter {
            name: "compat",
            doc: "idnns: a value below -1 is counted in the cell of the values of 1 or more, as in the released code (IDNNs)",
            kind: Kind::Choice(&["idnns"]),
            default: "",
        },
        BIAS,
    ],
    build: |sets| build_each(sets, binning),
    choose,
};

/// Number of edges in the released code (HEAD); the paper has 30 bins.
const DEFAULT_N_EDGES: usize = 30;

/// Default number of bins if fixed edges may miss values: equal to the usual number of edges (Grabauskas 2019 and
/// Lorenzen et al. 2022 have 30).
const DEFAULT_N_BINS: u64 = 30;

/// The parameters of each rule; the first one selects the rule.
const RULES: &[&[&str]] = &[
    &["n_edges", "spacing", "low", "high", "below", "above", "compat", "precision"],
    &["bin_width", "above", "precision"],
    &["n_bins", "range"],
    &["n_quantiles", "low"],
    &["exact"],
];

/// The default rule. Fixed edges put all values outside them into one cell at each end, so they are used only if there
/// are no such values.
fn choose(parameters: &Parameters, bounds: ValueBounds) -> Option<Chosen> {
    let names_rule = |(name, value): (&str, &Value)| {
        *value != Value::Flag(false) && RULES.iter().copied().flatten().any(|of_rule| *of_rule == name)
    };
    if parameters.iter().any(names_rule) {
        return None;
    }
    let parameters = parameters.clone();
    Some(match bounds {
        ValueBounds::WithinOne => {
            let (low, high) = (FixedEdges::LOW, FixedEdges::HIGH);
            Chosen { parameters, words: format!("{DEFAULT_N_EDGES} edges over [{low}, {high}]") }
        }
        ValueBounds::Open | ValueBounds::Unknown => Chosen {
            parameters: parameters
                .with("n_bins", Value::Count(DEFAULT_N_BINS))
                .with("range", Value::Text("run".to_owned())),
            words: format!("{DEFAULT_N_BINS} bins over the range of each run"),
        },
    })
}

/// The binning with the `parameters`.
pub(super) fn binning(parameters: &Parameters) -> Result<Binning, ParameterError> {
    let given = |name: &str| parameters.iter().any(|(n, value)| n == name && *value != Value::Flag(false));
    let rules: Vec<&&[&str]> = RULES.iter().filter(|rule| given(rule[0])).collect();
    if let [first, second, ..] = rules[..] {
        return Err(ParameterError::Exclusive { first: first[0], second: second[0] });
    }
    let rule = rules.first().map_or(RULES[0], |rule| **rule);
    let stray = RULES.iter().copied().flatten().find(|name| given(name) && !rule.contains(name));
    if let (Some(stray), true) = (stray, rules.is_empty()) {
        let owner = RULES.iter().find(|rule| rule.contains(stray)).map_or(*stray, |rule| rule[0]);
        let problem = format!("`{stray}` needs `{owner}`, which is not given; give both, or leave out `{stray}`");
        return Err(ParameterError::Refused(problem));
    }
    if let Some(second) = stray {
        return Err(ParameterError::Exclusive { first: rule[0], second });
    }
    let precision = if parameters.text("precision") == Some("f64") { Precision::Double } else { Precision::Single };
    let above = match parameters.text("above") {
        Some("last-bin") => AboveEdges::LastBin,
        Some("refuse") => AboveEdges::Refuse,
        _ => AboveEdges::OwnCell,
    };
    let binning = if parameters.flag("exact") {
        Binning::exact()
    } else if let Some(width) = parameters.number("bin_width") {
        let width = BinWidth::new(width).precision(precision);
        Binning::width(match above {
            AboveEdges::OwnCell => width,
            AboveEdges::LastBin => width.saturated_in_last_bin(),
            AboveEdges::Refuse => {
                return Err(ParameterError::Exclusive { first: "bin_width", second: "above = refuse" });
            }
        })?
    } else if let Some(n_bins) = parameters.count("n_bins") {
        let range = match parameters.text("range") {
            Some("unit") => BinRange::Unit,
            Some("run") => BinRange::Run,
            Some("all-runs") => BinRange::AllRuns,
            _ => BinRange::Layer,
        };
        Binning::bins(n_bins, range)?
    } else if let Some(n) = parameters.count("n_quantiles") {
        match parameters.number("low") {
            Some(low) => Binning::quantiles_from(n, low)?,
            None => Binning::quantiles(n)?,
        }
    } else {
        edges(parameters, given, above, precision)?
    };
    Ok(binning.corrected(bias(parameters)))
}

/// The binning with fixed edges for the `parameters`; `given` are those that the user set.
fn edges(
    parameters: &Parameters,
    given: impl Fn(&str) -> bool,
    above: AboveEdges,
    precision: Precision,
) -> Result<Binning, ParameterError> {
    let exclude = |first: &'static str, others: &[&'static str]| match others.iter().find(|name| given(name)) {
        Some(second) => Err(ParameterError::Exclusive { first, second }),
        None => Ok(()),
    };
    let n_edges = parameters.count("n_edges").unwrap_or(DEFAULT_N_EDGES);
    if parameters.text("spacing") == Some("tanh") {
        exclude("spacing", &["low", "high", "below", "above", "compat", "precision"])?;
        return Ok(Binning::tanh_edges(n_edges)?);
    }
    if given("compat") {
        exclude("compat", &["below", "above"])?;
    }
    let below = match (parameters.text("below"), given("compat")) {
        (_, true) => BelowEdges::LastCell,
        (Some("first-bin"), _) => BelowEdges::FirstBin,
        (Some("refuse"), _) => BelowEdges::Refuse,
        _ => BelowEdges::OwnCell,
    };
    let low = parameters.number("low").unwrap_or(FixedEdges::LOW);
    let high = parameters.number("high").unwrap_or(FixedEdges::HIGH);
    let edges = FixedEdges::new(n_edges).range(low, high).below(below).above(above).precision(precision);
    Ok(Binning::edges(edges)?)
}
