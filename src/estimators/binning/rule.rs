//! The rules of binning: how a value is assigned to a cell, the settings of each rule, and their names.

use std::borrow::Cow;

use crate::estimate_id::{EstimatorId, Form, Scale, ScaleKind};
use crate::estimators::{EstimateError, InvalidParameter, LayerData, Precision, RangeOver};
use crate::math::atoms::Cells;
use crate::math::digitise::{Codes, TooFar, Value as _, Width, digitise};
use crate::math::edges::{Above, Below, Edges, EdgesError, EvenEdges};
use crate::parameter::{Kind, Value};
use crate::sample::{Range, Representation};

/// f32 cannot distinguish more cells than this over [-1, 1].
pub(super) const MOST_CELLS: u64 = 1 << 24;
/// Net inputs of the edges: tanh of evenly spaced values from −50 to 50 (Saxe et al. 2018, Figs 13 and 14).
const TANH_REACH: f64 = 50.0;
/// The value of a saturated tanh, which f32 reaches.
const SATURATED: f32 = 1.0;

/// How a value is assigned to a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    Even { edges: EvenEdges, settings: FixedEdges },
    Tanh { n_edges: usize, edges: Edges<f32> },
    Width(BinWidth),
    Bins { n_bins: usize, range: BinRange },
    Quantiles { n: usize, low: Option<f64> },
    Exact,
}

/// Evenly spaced edges: e_k = low + k (high − low)/(n_edges − 1), from −1 to 1 by default.
///
/// A value is in the bin of the last edge that is not above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedEdges {
    n_edges: usize,
    low: f64,
    high: f64,
    below: BelowEdges,
    above: AboveEdges,
    precision: Precision,
}

/// Unbounded bins of one width: the bin of a value t is floor(t / width).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinWidth {
    width: f64,
    above: AboveEdges,
    precision: Precision,
}

/// What happens to a value below the first edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BelowEdges {
    /// It has a separate cell.
    OwnCell,
    /// It is in the first bin.
    FirstBin,
    /// The estimate fails.
    Refuse,
    /// It is in the cell of the values at or above the last edge: the effect of NumPy's negative index in the code
    /// released by Shwartz-Ziv and Tishby.
    LastCell,
}

/// What happens to a value at the last edge or above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AboveEdges {
    /// It has a separate cell.
    OwnCell,
    /// It is in the last bin.
    LastBin,
    /// A value above the last edge makes the estimate fail; one at the last edge is in the last bin.
    Refuse,
}

/// The values whose minimum and maximum are the limits of the bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinRange {
    /// The values of each unit of the layer.
    Unit,
    /// The values of the layer.
    Layer,
    /// The values of all layers and snapshots of the run, [`Ranges::run`](crate::estimators::Ranges::run).
    Run,
    /// The values of all layers and snapshots of all runs, [`Ranges::all_runs`](crate::estimators::Ranges::all_runs).
    AllRuns,
}

impl FixedEdges {
    /// The default first edge.
    pub(super) const LOW: f64 = -1.0;
    /// The default last edge.
    pub(super) const HIGH: f64 = 1.0;

    /// `n_edges` edges from −1 to 1 in single precision; values outside have separate cells.
    pub fn new(n_edges: usize) -> Self {
        let (below, above) = (BelowEdges::OwnCell, AboveEdges::OwnCell);
        Self { n_edges, low: Self::LOW, high: Self::HIGH, below, above, precision: Precision::Single }
    }

    /// Sets the first and the last edge.
    #[must_use]
    pub fn range(self, low: f64, high: f64) -> Self {
        Self { low, high, ..self }
    }

    /// Sets what happens to values below the first edge.
    #[must_use]
    pub fn below(self, below: BelowEdges) -> Self {
        Self { below, ..self }
    }

    /// Sets what happens to values at the last edge or above.
    #[must_use]
    pub fn above(self, above: AboveEdges) -> Self {
        Self { above, ..self }
    }

    /// Sets the precision of edges and comparisons.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// An edge rounded to its precision.
    fn rounded(&self, edge: f64) -> f64 {
        if self.precision == Precision::Single { f64::from(edge as f32) } else { edge }
    }
}

impl From<usize> for FixedEdges {
    fn from(n_edges: usize) -> Self {
        Self::new(n_edges)
    }
}

impl BinWidth {
    /// Bins of this width in single precision.
    pub fn new(width: f64) -> Self {
        Self { width, above: AboveEdges::OwnCell, precision: Precision::Single }
    }

    /// Puts the value 1, the limit of a saturated tanh, into the bin of the values just below 1.
    #[must_use]
    pub fn saturated_in_last_bin(self) -> Self {
        Self { above: AboveEdges::LastBin, ..self }
    }

    /// Sets the precision of the division.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }
}

impl From<f64> for BinWidth {
    fn from(width: f64) -> Self {
        Self::new(width)
    }
}

impl Rule {
    pub(super) fn edges(settings: FixedEdges) -> Result<Self, InvalidParameter> {
        let FixedEdges { n_edges, low, high, below, above, precision } = settings;
        InvalidParameter::check_count("n_edges", n_edges, (2, MOST_CELLS))?;
        InvalidParameter::check_number("low", low, Kind::Number)?;
        InvalidParameter::check_number("high", high, Kind::Number)?;
        if low >= high {
            return Err(InvalidParameter::Descending { low, high });
        }
        let to_below = match below {
            BelowEdges::OwnCell => Below::OwnCell,
            BelowEdges::FirstBin | BelowEdges::Refuse => Below::FirstBin,
            BelowEdges::LastCell => Below::LastEdge,
        };
        let to_above = match above {
            AboveEdges::OwnCell => Above::OwnCell,
            AboveEdges::LastBin | AboveEdges::Refuse => Above::LastBin,
        };
        let edges = EvenEdges::new(low, high, n_edges, precision)?.outside(to_below, to_above);
        Ok(Rule::Even { edges, settings })
    }

    pub(super) fn tanh(n_edges: usize) -> Result<Self, InvalidParameter> {
        InvalidParameter::check_count("n_edges", n_edges, (2, MOST_CELLS))?;
        let step = 2.0 * TANH_REACH / (n_edges - 1) as f64;
        let edges: Vec<f64> = (0..n_edges).map(|k| (k as f64 * step - TANH_REACH).tanh()).collect();
        Ok(Rule::Tanh { n_edges, edges: Edges::new(&edges)? })
    }

    pub(super) fn width(settings: BinWidth) -> Result<Self, InvalidParameter> {
        let BinWidth { width, precision, .. } = settings;
        InvalidParameter::check_number("bin_width", width, Kind::Positive)?;
        let held = f64::from(width as f32);
        match precision == Precision::Single && !(held > 0.0 && held.is_finite()) {
            true => Err(InvalidParameter::NotSingle { width }),
            false => Ok(Rule::Width(settings)),
        }
    }

    pub(super) fn bins(n_bins: usize, range: BinRange) -> Result<Self, InvalidParameter> {
        Ok(Rule::Bins { n_bins: InvalidParameter::check_count("n_bins", n_bins, (1, MOST_CELLS))?, range })
    }

    pub(super) fn quantiles(n: usize, low: Option<f64>) -> Result<Self, InvalidParameter> {
        low.map_or(Ok(0.0), |low| InvalidParameter::check_number("low", low, Kind::Number))?;
        Ok(Rule::Quantiles { n: InvalidParameter::check_count("n_quantiles", n, (1, MOST_CELLS))?, low })
    }

    /// The cell of every row.
    pub(super) fn cells(&self, layer: &LayerData<'_>) -> Result<Cells, EstimateError> {
        let t = layer.activations;
        let codes = match self {
            Rule::Exact => return Ok(Cells::of_rows(t.values(), t.n_units())),
            Rule::Even { edges, settings } => {
                let FixedEdges { low, high, below, above, .. } = *settings;
                let (first, last) = (settings.rounded(low), settings.rounded(high));
                let is_refused = |value: &f32| {
                    let value = f64::from(*value);
                    (below == BelowEdges::Refuse && value < first) || (above == AboveEdges::Refuse && value > last)
                };
                if let Some(at) = t.values().iter().position(is_refused) {
                    let (sample, unit) = (at / t.n_units(), at % t.n_units());
                    return Err(EstimateError::Outside { sample, unit, value: t.values()[at], low, high });
                }
                digitise(t.values(), edges)
            }
            Rule::Tanh { edges, .. } => digitise(t.values(), edges),
            Rule::Width(BinWidth { width, above, precision }) => {
                let below_one = |value: &f32| if *value == SATURATED { value.next_down() } else { *value };
                let values: Cow<'_, [f32]> = match above {
                    AboveEdges::LastBin => t.values().iter().map(below_one).collect(),
                    _ => t.values().into(),
                };
                let codes = digitise(&values, &Width { width: *width, precision: *precision });
                return Ok(codes.map_err(|e| too_far(t, &values, *width, e))?.cells(t.n_units()));
            }
            Rule::Bins { n_bins, range } => {
                let range = match range {
                    BinRange::Unit => return cells_over_units(t, *n_bins),
                    BinRange::Layer => Some(layer.ranges.layer),
                    BinRange::Run => layer.ranges.run,
                    BinRange::AllRuns => layer.ranges.all_runs,
                };
                let missing = || EstimateError::Range { problem: "the range of the run is unknown".to_owned() };
                digitise(t.values(), &bins(range.ok_or_else(missing)?, *n_bins)?)
            }
            Rule::Quantiles { n, low } => {
                let low = low.unwrap_or(layer.ranges.layer.low.into());
                digitise(t.values(), &Edges::equally_frequent(t.values(), low, *n))
            }
        };
        let beyond = |e: TooFar| EstimateError::Range { problem: e.to_string() };
        Ok(codes.map_err(beyond)?.cells(t.n_units()))
    }

    /// The values whose range determines the bins.
    pub(super) fn range_over(&self) -> RangeOver {
        match self {
            Rule::Bins { range: BinRange::Run, .. } => RangeOver::Run,
            Rule::Bins { range: BinRange::AllRuns, .. } => RangeOver::AllRuns,
            _ => RangeOver::Estimated,
        }
    }

    /// From the lowest to the highest edge if edges are fixed, in f32 as for the comparison with values.
    pub(super) fn fixed_edges(&self) -> Option<Range> {
        match self {
            Rule::Even { settings, .. } => {
                let (low, high) = (settings.rounded(settings.low), settings.rounded(settings.high));
                Some(Range { low: f32::at_least(low), high: -f32::at_least(-high) })
            }
            Rule::Tanh { edges, .. } => Some(Range { low: *edges.edges().first()?, high: *edges.edges().last()? }),
            Rule::Width(_) | Rule::Bins { .. } | Rule::Quantiles { .. } | Rule::Exact => None,
        }
    }

    /// Number of possible cells of one unit, if it is bounded.
    pub(super) fn n_cells(&self) -> Option<f64> {
        match self {
            Rule::Even { settings: FixedEdges { n_edges, below, above, .. }, .. } => {
                let own = f64::from(u8::from(*below == BelowEdges::OwnCell));
                let own = own + f64::from(u8::from(*above == AboveEdges::OwnCell));
                Some((n_edges - 1) as f64 + own)
            }
            // Edges that are equal in f32 have no cell between them.
            Rule::Tanh { edges, .. } => Some((edges.edges().chunk_by(|a, b| a == b).count() + 1) as f64),
            Rule::Bins { n_bins, .. } => Some(*n_bins as f64),
            // Below the first edge, between `low` and the smallest other value, the n bins, and the maximum.
            Rule::Quantiles { n, .. } => Some((n + 3) as f64),
            Rule::Width(_) | Rule::Exact => None,
        }
    }

    /// The identity of this rule in the estimator `family`.
    pub(super) fn id(&self, family: &str) -> EstimatorId {
        let (kind, value, options) = match self {
            Rule::Even { settings: FixedEdges { n_edges, low, high, below, above, precision }, .. } => {
                let low = (*low != FixedEdges::LOW).then(|| format!("low-{}", Value::Number(*low)));
                let high = (*high != FixedEdges::HIGH).then(|| format!("high-{}", Value::Number(*high)));
                let below = match below {
                    BelowEdges::OwnCell => None,
                    BelowEdges::FirstBin => Some("below-first-bin".to_owned()),
                    BelowEdges::Refuse => Some("below-refuse".to_owned()),
                    BelowEdges::LastCell => Some("compat-idnns".to_owned()),
                };
                (ScaleKind::NEdges, *n_edges as f64, vec![low, high, below, above.option(), option(*precision)])
            }
            Rule::Tanh { n_edges, .. } => (ScaleKind::NEdges, *n_edges as f64, vec![Some("spacing-tanh".to_owned())]),
            Rule::Width(BinWidth { width, above, precision }) => {
                (ScaleKind::BinWidth, *width, vec![above.option(), option(*precision)])
            }
            Rule::Bins { n_bins, range } => {
                let over = match range {
                    BinRange::Unit => Some("range-unit".to_owned()),
                    BinRange::Layer => None,
                    BinRange::Run => Some("range-run".to_owned()),
                    BinRange::AllRuns => Some("range-all-runs".to_owned()),
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
            Rule::Even { settings: FixedEdges { low, high, n_edges, .. }, .. } => {
                format!("entropy of the code of {n_edges} edges over [{low}, {high}]")
            }
            Rule::Tanh { n_edges, .. } => {
                format!("entropy of the code of {n_edges} edges, evenly spaced in net input from -50 to 50")
            }
            Rule::Width(BinWidth { width, .. }) => format!("entropy of the code of bins of width {width}"),
            Rule::Bins { n_bins, range } => {
                let over = match range {
                    BinRange::Unit => "each unit's range",
                    BinRange::Layer => "the layer's range",
                    BinRange::Run => "the range of all layers and snapshots of the run",
                    BinRange::AllRuns => "the range of all layers and snapshots of all runs",
                };
                format!("entropy of the code of {n_bins} bins over {over}")
            }
            Rule::Quantiles { n, .. } => format!("entropy of the code of {n} bins with equally many distinct values"),
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

/// The error for the value that is too far from 0; `values` are those of `t` that were digitised.
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

/// Equal to bins over the range of each unit.
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
