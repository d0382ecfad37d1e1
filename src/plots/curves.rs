//! I(X;T) and I(T;Y) against the epoch, a line per layer, with what is uncertain about it: the 95 % interval of the mean over
//! runs, and the range that the next smaller and the next larger scale of the same estimator span with it.
//!
//! # Reference
//! Saxe et al. 2018, Figs 9 and 10 B, C.

use kuva::render::annotations::ReferenceLine;
use kuva::render::plots::Plot;

use super::axes::{Axis, place};
use super::canvas::{GREY, layer_colour};
use super::series::{Column, course, estimators, has_course, layers, legend, line, lines, ribbon, values};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::{Picture, PlotError, Spec, Subject, Tables};
use crate::estimate_id::EstimateId;
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "curves",
    summary: "I(X;T) and I(T;Y) against the epoch, one line per layer, with intervals, other scales, null and ceiling",
    of: Subject::Estimator,
    draw,
};

/// Opacity in percent of the interval over runs.
const INTERVAL: u8 = 30;
/// Opacity in percent of the range over scales, which is wide and lies under everything.
const SCALES: u8 = 12;

/// One of the two panels: its columns.
struct Quantity {
    label: &'static str,
    mean: Column,
    low: Column,
    high: Column,
    null: Column,
    ceiling: Column,
}

const QUANTITIES: [Quantity; 2] = [
    Quantity {
        label: "I(X;T) (bits)",
        mean: |row| row.i_xt_bits_mean,
        low: |row| row.i_xt_bits_low,
        high: |row| row.i_xt_bits_high,
        null: |row| row.i_xt_null_bits_mean,
        ceiling: |row| row.i_xt_ceiling_bits,
    },
    Quantity {
        label: "I(T;Y) (bits)",
        mean: |row| row.i_ty_bits_mean,
        low: |row| row.i_ty_bits_low,
        high: |row| row.i_ty_bits_high,
        null: |row| row.i_ty_null_bits_mean,
        ceiling: |row| row.i_ty_ceiling_bits,
    },
];

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let Some(first) = tables.summary.first() else { return Err(PlotError::Nothing("summary")) };
    let scales = neighbours(tables.siblings, &first.estimator);
    let drawn: Vec<&Quantity> = QUANTITIES.iter().filter(|q| has_course(tables.summary, q.mean)).collect();
    if drawn.is_empty() {
        return Err(PlotError::Nothing("course of I(X;T) or I(T;Y): two epochs with estimates"));
    }
    let n_runs = tables.summary.iter().map(|row| row.n_runs).max().unwrap_or(0);
    let sheet = Sheet {
        title: format!("{}: information by epoch, mean over {n_runs} runs", first.experiment),
        subtitle: first.estimator.to_string(),
        columns: drawn.len(),
        size: (500.0, 440.0),
        legend: [legend(&layers(tables.summary)), explanations(tables.summary, &scales, &drawn)].concat(),
        panels: drawn.into_iter().map(|quantity| panel(tables.summary, &scales, quantity)).collect(),
        ..Sheet::default()
    };
    sheet.draw()
}

fn panel(rows: &[SummaryRow], scales: &[SummaryRow], quantity: &Quantity) -> Panel {
    let layers = layers(rows);
    let over_scales: Vec<Ribbon> = layers.iter().map(|layer| range(scales, *layer, quantity.mean)).collect();
    let heights = [quantity.mean, quantity.low, quantity.high, quantity.ceiling].into_iter();
    let heights = heights.flat_map(|column| values(rows, column));
    let heights = heights.chain(over_scales.iter().flatten().flat_map(|(_, least, most)| [*least, *most]));
    let y = Axis::from_zero(quantity.label, heights);
    let mut panel = Panel::new("", Axis::epochs(rows.iter().map(|row| row.epoch)), y);
    let ribbons = |ribbons: &[Ribbon], percent: u8| -> Vec<Plot> {
        let of = |(layer, points): (&i32, &Ribbon)| ribbon(points, layer_colour(*layer), percent);
        layers.iter().zip(ribbons).filter_map(of).collect()
    };
    let intervals: Vec<Ribbon> = layers.iter().map(|layer| interval(rows, *layer, quantity)).collect();
    panel.plots = ribbons(&over_scales, SCALES);
    panel.plots.extend(ribbons(&intervals, INTERVAL));
    panel.plots.extend(ceilings(rows, &layers, quantity));
    if null_differs(rows, quantity) {
        panel.plots.extend(lines(rows, &layers, quantity.null, Mark::Dotted));
    }
    panel.plots.extend(lines(rows, &layers, quantity.mean, Mark::Solid));
    panel.lines = top(rows, quantity).map(|top| ReferenceLine::horizontal(top).with_color(GREY)).into_iter().collect();
    panel
}

/// Places on the axis of epochs, each with a lower and an upper end.
type Ribbon = Vec<(f64, f64, f64)>;

fn interval(rows: &[SummaryRow], layer: i32, quantity: &Quantity) -> Ribbon {
    let ends = |row: &SummaryRow| Some((place(row.epoch), (quantity.low)(row)?, (quantity.high)(row)?));
    rows.iter().filter(|row| row.layer == layer).filter_map(ends).collect()
}

/// The least and the largest mean of all scales at each epoch.
fn range(scales: &[SummaryRow], layer: i32, mean: Column) -> Ribbon {
    let mut points = course(scales, layer, mean);
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ends = |points: &[(f64, f64)]| {
        let (least, most) = points.iter().fold((f64::MAX, f64::MIN), |(l, m), (_, y)| (l.min(*y), m.max(*y)));
        (points[0].0, least, most)
    };
    points.chunk_by(|a, b| a.0 == b.0).map(ends).collect()
}

/// The estimates of the same estimator at this and the next smaller and larger scale; empty where there are no others.
fn neighbours(siblings: &[SummaryRow], own: &EstimateId) -> Vec<SummaryRow> {
    let all_scales = own.at_all_scales();
    let mut others: Vec<&EstimateId> = estimators(siblings.iter().map(|row| &row.estimator))
        .into_iter()
        .filter(|other| other.at_all_scales() == all_scales)
        .collect();
    others.sort();
    let below = others.iter().rfind(|other| **other < own);
    let above = others.iter().find(|other| **other > own);
    let kept: Vec<&EstimateId> = below.into_iter().chain(above).copied().collect();
    let is_kept = |row: &&SummaryRow| *row.estimator == *own || kept.contains(&&*row.estimator);
    if kept.is_empty() { Vec::new() } else { siblings.iter().filter(is_kept).cloned().collect() }
}

/// The highest ceiling, which stands as a line of its own.
fn top(rows: &[SummaryRow], quantity: &Quantity) -> Option<f64> {
    values(rows, quantity.ceiling).reduce(f64::max)
}

/// The ceilings of the layers that are lower.
fn ceilings(rows: &[SummaryRow], layers: &[i32], quantity: &Quantity) -> Vec<Plot> {
    let top = top(rows, quantity);
    let of = |layer: &i32| {
        let course = course(rows, *layer, quantity.ceiling);
        let is_lower = course.iter().any(|(_, value)| Some(*value) != top);
        is_lower.then(|| line(course, layer_colour(*layer), Mark::Dashed)).flatten()
    };
    layers.iter().filter_map(of).collect()
}

/// Where every row has an input of its own, the null of I(X;T) is the estimate, and its line would hide the estimate's.
fn null_differs(rows: &[SummaryRow], quantity: &Quantity) -> bool {
    // Sums over runs in another order differ in the last digits.
    const SAME: f64 = 1e-9;
    let differs = |row: &SummaryRow| Some(((quantity.null)(row)? - (quantity.mean)(row)?).abs() > SAME);
    rows.iter().filter_map(differs).any(|differs| differs)
}

/// The legend below the layers: only what is there.
fn explanations(rows: &[SummaryRow], scales: &[SummaryRow], drawn: &[&Quantity]) -> Vec<Entry> {
    let has = |is: &dyn Fn(&Quantity) -> bool| drawn.iter().any(|quantity| is(quantity));
    let has_interval = has(&|q| values(rows, q.low).next().is_some());
    let has_ceiling = has(&|q| top(rows, q).is_some());
    let has_lower = has(&|q| !ceilings(rows, &layers(rows), q).is_empty());
    [
        has_interval.then(|| Entry::new("95 % of the mean", GREY, Mark::Area(2 * INTERVAL))),
        (!scales.is_empty()).then(|| Entry::new("neighbouring scales", GREY, Mark::Area(2 * SCALES))),
        has(&|q| null_differs(rows, q)).then(|| Entry::new("shuffled (null)", GREY, Mark::Dotted)),
        has_ceiling.then(|| Entry::new("ceiling", GREY, Mark::Dashed)),
        has_lower.then(|| Entry::new("… of a layer, if lower", layer_colour(1), Mark::Dashed)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::tests::summary_row;

    #[test]
    fn only_the_next_scales_of_the_same_variant_are_neighbours() {
        let row = |id: &&str| SummaryRow { estimator: id.parse::<EstimateId>().unwrap().into(), ..summary_row() };
        let texts = [
            "b-k-1",
            "b-bin-width-1e-12",
            "b-bin-width-0.1",
            "b-bin-width-2",
            "b-bin-width-30",
            "b-bin-width-3-samples-test",
        ];
        let rows: Vec<SummaryRow> = texts.iter().map(row).collect();
        let of_id = |id: &str| -> Vec<String> {
            neighbours(&rows, &id.parse().unwrap()).into_iter().map(|row| row.estimator.to_string()).collect()
        };
        assert_eq!(of_id("b-bin-width-0.1"), ["b-bin-width-1e-12", "b-bin-width-0.1", "b-bin-width-2"]);
        assert_eq!(of_id("b-bin-width-30"), ["b-bin-width-2", "b-bin-width-30"]);
        assert_eq!(of_id("b-k-1"), Vec::<String>::new());
    }
}
