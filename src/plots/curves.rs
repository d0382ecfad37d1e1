//! I(X;T) and I(T;Y) against the epoch, a line per layer, with what is uncertain about it: the 95 % interval of the mean over
//! runs, and the range that the next smaller and the next larger scale of the same estimator span with it.
//!
//! # Reference
//! Saxe et al. 2018, Figs 9 and 10 B, C.

use kuva::render::annotations::ReferenceLine;
use kuva::render::plots::Plot;

use super::axes::{Axis, place};
use super::canvas::{GREY, layer_colour};
use super::series::{Column, course, has_course, layers, legend, line, lines, names, ribbon, values};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::{Picture, PlotError, Spec, Subject, Tables};
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
        subtitle: first.estimator.clone(),
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
fn neighbours(siblings: &[SummaryRow], estimator: &str) -> Vec<SummaryRow> {
    let own = numbers(estimator);
    let mut others: Vec<(f64, &str)> = names(siblings, |row| &row.estimator)
        .into_iter()
        .filter(|other| family(other) == family(estimator))
        .filter_map(|other| Some((step(&own, &numbers(other))?, other)))
        .collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    let below = others.iter().rfind(|(step, _)| *step < 0.0);
    let above = others.iter().find(|(step, _)| *step > 0.0);
    let kept: Vec<&str> = below.into_iter().chain(above).map(|(_, other)| *other).collect();
    let is_kept = |row: &&SummaryRow| row.estimator == estimator || kept.contains(&row.estimator.as_str());
    if kept.is_empty() { Vec::new() } else { siblings.iter().filter(is_kept).cloned().collect() }
}

/// How far `other` is from `own`, where they differ in one number.
fn step(own: &[f64], other: &[f64]) -> Option<f64> {
    let differences: Vec<f64> = own.iter().zip(other).map(|(own, other)| other - own).filter(|d| *d != 0.0).collect();
    match differences[..] {
        [difference] if own.len() == other.len() => Some(difference),
        _ => None,
    }
}

/// The numbers in an estimator's identity: of `kde-upper-noise-variance-0.001`, 0.001.
fn numbers(estimator: &str) -> Vec<f64> {
    let mut numbers = Vec::new();
    let mut base = None;
    for part in estimator.split('-') {
        // The sign of an exponent is no hyphen: 1e-12 has come in two parts.
        let whole = base.take().map_or_else(|| part.to_owned(), |base| format!("{base}-{part}"));
        match part.strip_suffix('e') {
            Some(digits) if digits.parse::<f64>().is_ok() => base = Some(part),
            _ => numbers.extend(whole.parse::<f64>().ok()),
        }
    }
    numbers
}

/// What an estimator's identity says besides the numbers of its parameters: `kde-upper-noise-variance-samples-test`. The
/// steps of a window are no scale, so they stay.
fn family(estimator: &str) -> (String, &str) {
    let (own, window) = estimator.split_at(estimator.find("-window-").unwrap_or(estimator.len()));
    let is_word = |part: &&str| !part.starts_with(|c: char| c.is_ascii_digit());
    (own.split('-').filter(is_word).collect::<Vec<_>>().join("-"), window)
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

    #[test]
    fn scales_of_one_estimator_are_a_family() {
        let same = |a, b| family(a) == family(b);
        assert!(same("kde-upper-noise-variance-0.001", "kde-upper-noise-variance-0.1"));
        assert!(same("binning-bin-width-1e-12", "binning-bin-width-0.07"));
        assert_eq!(numbers("binning-bin-width-1e-12"), [1e-12]);
        assert_eq!(numbers("kde-upper-noise-variance-0.001-samples-test"), [0.001]);
        assert!(!same("kde-upper-noise-variance-0.001", "kde-lower-noise-variance-0.001"));
        assert!(!same("binning-n-edges-30", "binning-n-edges-50-samples-test"));
        assert!(same("binning-n-edges-30-samples-test", "binning-n-edges-50-samples-test"));
        assert!(!same("binning-n-bins-4-window-100-110", "binning-n-bins-4-window-500-510"));
    }

    #[test]
    fn only_the_next_scales_are_neighbours() {
        let rows = |ids: &[&str]| -> Vec<SummaryRow> {
            let row = |id: &&str| SummaryRow { estimator: (*id).to_owned(), ..crate::plots::tests::summary_row() };
            ids.iter().map(row).collect()
        };
        let ids = ["b-1e-12", "b-0.1", "b-2", "b-30", "c-1"];
        let of = |id: &str| neighbours(&rows(&ids), id).into_iter().map(|row| row.estimator).collect::<Vec<_>>();
        assert_eq!(of("b-0.1"), ["b-1e-12", "b-0.1", "b-2"]);
        assert_eq!(of("b-30"), ["b-2", "b-30"]);
        assert_eq!(of("c-1"), Vec::<String>::new());
    }
}
