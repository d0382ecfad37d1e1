//! How a value gets its cell: the rules of binning, what they take, and what they are called.

use std::borrow::Cow;

use crate::estimate_id::{EstimatorId, Form, Scale, ScaleKind};
use crate::estimators::{EstimateError, RangeOver, Sample};
use crate::math::atoms::Cells;
use crate::math::digitise::{Codes, Precision, TooFar, Width, digitise};
use crate::math::edges::{Above, Below, Edges, EdgesError, EvenEdges};
use crate::parameter::{ParameterError, Parameters, Value};
use crate::sample::{Range, Representation};

/// More cells than f32 tells apart over [-1, 1] mean nothing.
pub(super) const MOST_CELLS: u64 = 1 << 24;
/// Edges of the released code (HEAD); the paper speaks of 30 bins.
const DEFAULT_N_EDGES: usize = 30;
/// tanh of −50 to 50 in even steps (Saxe et al. 2018, Figs 13 and 14): even bins of the net input, mostly beyond ±1.
const TANH_REACH: f64 = 50.0;
/// The value of a saturated tanh, which f32 reaches.
const SATURATED: f32 = 1.0;

/// How a value gets its cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    Even {
        edges: EvenEdges,
        low: f64,
        high: f64,
        n_edges: usize,
        below: BelowEdges,
        above: AboveEdges,
        precision: Precision,
    },
    Tanh {
        n_edges: usize,
        edges: Edges<f32>,
    },
    Width {
        width: f64,
        above: AboveEdges,
        precision: Precision,
    },
    Bins {
        n_bins: usize,
        over: Over,
    },
    Quantiles {
        n: usize,
        low: Option<f64>,
    },
    Exact,
}

/// What happens to a value below the first edge, −1, which tanh and softmax never produce.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum BelowEdges {
    OwnCell,
    FirstBin,
    Refuse,
    /// NumPy's negative index: the last cell.
    WrapAround,
}

/// What happens to a value at the last edge or above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AboveEdges {
    OwnCell,
    LastBin,
    Refuse,
}

/// Whose smallest and largest values bins lie between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Over {
    Unit,
    Layer,
    Run,
    AllRuns,
}

/// Which parameters belong to each rule, the first of them naming it.
const RULES: &[&[&str]] = &[
    &["n_edges", "spacing", "low", "high", "below", "above", "compat", "precision"],
    &["bin_width", "above", "precision"],
    &["n_bins", "range"],
    &["n_quantiles", "low"],
    &["exact"],
];

impl Rule {
    pub(super) fn new(parameters: &Parameters) -> Result<Self, ParameterError> {
        let given = |name: &str| parameters.iter().any(|(n, value)| n == name && *value != Value::Flag(false));
        let rules: Vec<&&[&str]> = RULES.iter().filter(|rule| given(rule[0])).collect();
        if let [first, second, ..] = rules[..] {
            return Err(ParameterError::Exclusive { first: first[0], second: second[0] });
        }
        let rule = rules.first().map_or(RULES[0], |rule| **rule);
        let stray = RULES.iter().copied().flatten().find(|name| given(name) && !rule.contains(name));
        if let Some(second) = stray {
            return Err(ParameterError::Exclusive { first: rule[0], second });
        }
        let exclude = |first: &'static str, others: &[&'static str]| match others.iter().find(|name| given(name)) {
            Some(second) => Err(ParameterError::Exclusive { first, second }),
            None => Ok(()),
        };
        let precision = if parameters.text("precision") == Some("f64") { Precision::Double } else { Precision::Single };
        let above = match parameters.text("above") {
            Some("last-bin") => AboveEdges::LastBin,
            Some("refuse") => AboveEdges::Refuse,
            _ => AboveEdges::OwnCell,
        };
        if parameters.flag("exact") {
            return Ok(Rule::Exact);
        }
        if let Some(width) = parameters.number("bin_width") {
            if above == AboveEdges::Refuse {
                return Err(ParameterError::Exclusive { first: "bin_width", second: "above = refuse" });
            }
            let held = f64::from(width as f32);
            if precision == Precision::Single && !(held > 0.0 && held.is_finite()) {
                let width = Value::Number(width);
                let problem = format!("parameter `bin_width`: f32 cannot hold {width}; use `precision` f64");
                return Err(ParameterError::Refused(problem));
            }
            return Ok(Rule::Width { width, above, precision });
        }
        if let Some(n_bins) = parameters.count("n_bins") {
            let over = match parameters.text("range") {
                Some("unit") => Over::Unit,
                Some("run") => Over::Run,
                Some("all-runs") => Over::AllRuns,
                _ => Over::Layer,
            };
            return Ok(Rule::Bins { n_bins, over });
        }
        if let Some(n) = parameters.count("n_quantiles") {
            return Ok(Rule::Quantiles { n, low: parameters.number("low") });
        }
        let n_edges = parameters.count("n_edges").unwrap_or(DEFAULT_N_EDGES);
        if parameters.text("spacing") == Some("tanh") {
            exclude("spacing", &["low", "high", "below", "above", "compat", "precision"])?;
            let step = 2.0 * TANH_REACH / (n_edges - 1) as f64;
            let edges: Vec<f64> = (0..n_edges).map(|k| (k as f64 * step - TANH_REACH).tanh()).collect();
            let edges = Edges::new(&edges).map_err(|e| ParameterError::Refused(format!("parameter `n_edges`: {e}")))?;
            return Ok(Rule::Tanh { n_edges, edges });
        }
        if given("compat") {
            exclude("compat", &["below", "above"])?;
        }
        let below = match (parameters.text("below"), given("compat")) {
            (_, true) => BelowEdges::WrapAround,
            (Some("first-bin"), _) => BelowEdges::FirstBin,
            (Some("refuse"), _) => BelowEdges::Refuse,
            _ => BelowEdges::OwnCell,
        };
        let (low, high) = (parameters.number("low").unwrap_or(-1.0), parameters.number("high").unwrap_or(1.0));
        if low >= high {
            let (low, high) = (Value::Number(low), Value::Number(high));
            let problem = format!("parameter `low`: must be below `high`, got {low} and {high}");
            return Err(ParameterError::Refused(problem));
        }
        let edges = EvenEdges::new(low, high, n_edges, precision);
        let edges = edges.map_err(|e| ParameterError::Refused(format!("parameter `n_edges`: {e}")))?;
        let to_below = match below {
            BelowEdges::OwnCell => Below::OwnCell,
            BelowEdges::FirstBin | BelowEdges::Refuse => Below::FirstCell,
            BelowEdges::WrapAround => Below::LastCell,
        };
        let to_above = match above {
            AboveEdges::OwnCell => Above::OwnCell,
            AboveEdges::LastBin | AboveEdges::Refuse => Above::LastBin,
        };
        let edges = edges.outside(to_below, to_above);
        Ok(Rule::Even { edges, low, high, n_edges, below, above, precision })
    }

    /// The cell of every row.
    pub(super) fn cells(&self, sample: &Sample<'_>) -> Result<Cells, EstimateError> {
        let t = sample.t;
        let codes = match self {
            Rule::Exact => return Ok(Cells::of_rows(t.values(), t.n_units())),
            Rule::Even { edges, low, high, below, above, precision, .. } => {
                let edge = |edge: f64| if *precision == Precision::Single { f64::from(edge as f32) } else { edge };
                let (first, last) = (edge(*low), edge(*high));
                let is_refused = |value: &f32| {
                    let value = f64::from(*value);
                    (*below == BelowEdges::Refuse && value < first) || (*above == AboveEdges::Refuse && value > last)
                };
                if let Some(at) = t.values().iter().position(is_refused) {
                    let (sample, unit) = (at / t.n_units(), at % t.n_units());
                    return Err(EstimateError::Outside { sample, unit, value: t.values()[at], low: *low, high: *high });
                }
                digitise(t.values(), edges)
            }
            Rule::Tanh { edges, .. } => digitise(t.values(), edges),
            Rule::Width { width, above, precision } => {
                let below_one = |value: &f32| if *value == SATURATED { value.next_down() } else { *value };
                let values: Cow<'_, [f32]> = match above {
                    AboveEdges::LastBin => t.values().iter().map(below_one).collect(),
                    _ => t.values().into(),
                };
                let codes = digitise(&values, &Width { width: *width, precision: *precision });
                return Ok(codes.map_err(|e| too_far(t, &values, *width, e))?.cells(t.n_units()));
            }
            Rule::Bins { n_bins, over } => {
                let range = match over {
                    Over::Unit => return cells_over_units(t, *n_bins),
                    Over::Layer => Some(sample.ranges.layer),
                    Over::Run => sample.ranges.run,
                    Over::AllRuns => sample.ranges.all_runs,
                };
                let missing = || EstimateError::Range { problem: "the range of the run is not known".to_owned() };
                digitise(t.values(), &bins(range.ok_or_else(missing)?, *n_bins)?)
            }
            Rule::Quantiles { n, low } => {
                let low = low.unwrap_or(sample.ranges.layer.low.into());
                digitise(t.values(), &Edges::equally_frequent(t.values(), low, *n))
            }
        };
        let beyond = |e: TooFar| EstimateError::Range { problem: e.to_string() };
        Ok(codes.map_err(beyond)?.cells(t.n_units()))
    }

    /// The values whose range the bins need.
    pub(super) fn range_over(&self) -> RangeOver {
        match self {
            Rule::Bins { over: Over::Run, .. } => RangeOver::Run,
            Rule::Bins { over: Over::AllRuns, .. } => RangeOver::AllRuns,
            _ => RangeOver::Estimated,
        }
    }

    /// How many cells one unit can have, where that is bounded.
    pub(super) fn n_cells(&self) -> Option<f64> {
        match self {
            Rule::Even { n_edges, below, above, .. } => {
                let own = f64::from(u8::from(*below == BelowEdges::OwnCell));
                let own = own + f64::from(u8::from(*above == AboveEdges::OwnCell));
                Some((n_edges - 1) as f64 + own)
            }
            // Edges that f32 does not tell apart leave no cell between them.
            Rule::Tanh { edges, .. } => Some((edges.edges().chunk_by(|a, b| a == b).count() + 1) as f64),
            Rule::Bins { n_bins, .. } => Some(*n_bins as f64),
            // Below the first edge, between low and the smallest other value, the n, and the largest value.
            Rule::Quantiles { n, .. } => Some((n + 3) as f64),
            Rule::Width { .. } | Rule::Exact => None,
        }
    }

    /// The identity of this rule in the estimator called `family`.
    pub(super) fn id(&self, family: &str) -> EstimatorId {
        let (kind, value, options) = match self {
            Rule::Even { low, high, n_edges, below, above, precision, .. } => {
                let low = (*low != -1.0).then(|| format!("low-{}", Value::Number(*low)));
                let high = (*high != 1.0).then(|| format!("high-{}", Value::Number(*high)));
                let below = match below {
                    BelowEdges::OwnCell => None,
                    BelowEdges::FirstBin => Some("below-first-bin".to_owned()),
                    BelowEdges::Refuse => Some("below-refuse".to_owned()),
                    BelowEdges::WrapAround => Some("compat-idnns".to_owned()),
                };
                (ScaleKind::NEdges, *n_edges as f64, vec![low, high, below, above.option(), option(*precision)])
            }
            Rule::Tanh { n_edges, .. } => (ScaleKind::NEdges, *n_edges as f64, vec![Some("spacing-tanh".to_owned())]),
            Rule::Width { width, above, precision } => {
                (ScaleKind::BinWidth, *width, vec![above.option(), option(*precision)])
            }
            Rule::Bins { n_bins, over } => {
                let over = match over {
                    Over::Unit => Some("range-unit".to_owned()),
                    Over::Layer => None,
                    Over::Run => Some("range-run".to_owned()),
                    Over::AllRuns => Some("range-all-runs".to_owned()),
                };
                (ScaleKind::NBins, *n_bins as f64, vec![over])
            }
            Rule::Quantiles { n, low } => {
                let low = low.map(|low| format!("low-{}", Value::Number(low)));
                (ScaleKind::NQuantiles, *n as f64, vec![low])
            }
            Rule::Exact => return EstimatorId { form: Some(Form::Exact), ..EstimatorId::new(family, None) },
        };
        let options: Vec<String> = options.into_iter().flatten().collect();
        let options = (!options.is_empty()).then(|| options.join("-"));
        EstimatorId { options, ..EstimatorId::new(family, Some(Scale::new(kind, value))) }
    }

    pub(super) fn quantity(&self) -> String {
        match self {
            Rule::Even { low, high, n_edges, .. } => {
                format!("entropy of the code of {n_edges} edges over [{low}, {high}]")
            }
            Rule::Tanh { n_edges, .. } => {
                format!("entropy of the code of {n_edges} even edges over net inputs of -50 to 50")
            }
            Rule::Width { width, .. } => format!("entropy of the code of bins of width {width}"),
            Rule::Bins { n_bins, over } => {
                let over = match over {
                    Over::Unit => "each unit's range",
                    Over::Layer => "the layer's range",
                    Over::Run => "the range of all layers and snapshots of the run",
                    Over::AllRuns => "the range of all layers and snapshots of all runs",
                };
                format!("entropy of the code of {n_bins} bins over {over}")
            }
            Rule::Quantiles { n, .. } => format!("entropy of the code of {n} cells of equally many different values"),
            Rule::Exact => "entropy of the rows at the full precision of the recording".to_owned(),
        }
    }
}

impl AboveEdges {
    fn option(self) -> Option<String> {
        match self {
            AboveEdges::OwnCell => None,
            AboveEdges::LastBin => Some("above-last-bin".to_owned()),
            AboveEdges::Refuse => Some("above-refuse".to_owned()),
        }
    }
}

fn option(precision: Precision) -> Option<String> {
    (precision == Precision::Double).then(|| "f64".to_owned())
}

/// The place of the value that is too far; `values` are those of `t` as they were digitised.
fn too_far(t: Representation<'_>, values: &[f32], bin_width: f64, e: TooFar) -> EstimateError {
    let at = values.iter().position(|value| f64::from(*value) == e.value).unwrap_or(0);
    EstimateError::TooFar { sample: at / t.n_units(), unit: at % t.n_units(), value: t.values()[at], bin_width }
}

fn bins(range: Range, n_bins: usize) -> Result<EvenEdges, EstimateError> {
    EvenEdges::bins(range.low.into(), range.high.into(), n_bins).map_err(narrow_range)
}

fn narrow_range(e: EdgesError) -> EstimateError {
    EstimateError::Range { problem: e.to_string() }
}

/// As equal bins over each unit's own range.
fn cells_over_units(t: Representation<'_>, n_bins: usize) -> Result<Cells, EstimateError> {
    let mut codes = vec![0_u32; t.values().len()];
    for unit in 0..t.n_units() {
        let column: Vec<f32> = t.column(unit).collect();
        let places = codes[unit..].iter_mut().step_by(t.n_units());
        match digitise(&column, &bins(Range::of(&column), n_bins)?) {
            Ok(Codes::U8(of_unit)) => places.zip(of_unit).for_each(|(code, c)| *code = c.into()),
            Ok(Codes::U16(of_unit)) => places.zip(of_unit).for_each(|(code, c)| *code = c.into()),
            Ok(Codes::U32(of_unit)) => places.zip(of_unit).for_each(|(code, c)| *code = c),
            Err(e) => return Err(EstimateError::Range { problem: e.to_string() }),
        }
    }
    Ok(Cells::of_rows(&codes, t.n_units()))
}
