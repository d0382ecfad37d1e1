//! I(X;T) and I(T;Y) over time, one line per layer, with the 95 % interval of the mean over runs, or single runs if they are few,
//! and the range of the estimates of the same estimator at similar scales.
//!
//! # Reference
//! Saxe et al. 2018, Figs 9 and 10 B, C.

use kuva::render::annotations::ReferenceLine;
use kuva::render::plots::Plot;

use super::axes::{Axis, is_nearly_reached, number};
use super::canvas::{GREY, layer_colour};
use super::series::{Column, curve, has_curve, interval_name, layers, legend, line_ends, lines, ribbon, values};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::single::{self, RunColumn};
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::count::counted;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::{EstimateRow, SummaryRow};

pub(super) const SPEC: Spec = Spec {
    name: "curves",
    summary: "I(X;T) and I(T;Y) against the epoch, one line per layer, with 95 % intervals (single runs if there are fewer than five), the range of the estimates at similar scales, the permutation null and the ceiling (in the title if it is far above)",
    subject: Subject::Estimator,
    needs: &[Table::Summary],
    uses: &[Table::Estimates],
    draw,
};

/// Opacity in percent of the interval over runs.
const INTERVAL: u8 = 30;
/// Opacity in percent of the range over scales, which is wide and behind everything.
const SCALES: u8 = 12;
/// A scale is similar to another one if it is at most this factor larger or smaller.
const SIMILAR: f64 = 3.0;

/// One of the two panels: its columns.
struct Quantity {
    label: &'static str,
    mean: Column,
    run: RunColumn,
    low: Column,
    high: Column,
    null: Column,
    ceiling: Column,
}

const QUANTITIES: [Quantity; 2] = [
    Quantity {
        label: "I(X;T) (bits)",
        mean: |row| row.i_xt_bits_mean,
        run: |row| row.i_xt_bits,
        low: |row| row.i_xt_bits_low,
        high: |row| row.i_xt_bits_high,
        null: |row| row.i_xt_null_bits_mean,
        ceiling: |row| row.i_xt_ceiling_bits,
    },
    Quantity {
        label: "I(T;Y) (bits)",
        mean: |row| row.i_ty_bits_mean,
        run: |row| row.i_ty_bits,
        low: |row| row.i_ty_bits_low,
        high: |row| row.i_ty_bits_high,
        null: |row| row.i_ty_null_bits_mean,
        ceiling: |row| row.i_ty_ceiling_bits,
    },
];

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows = tables.summary;
    let drawn: Vec<&Quantity> = QUANTITIES.iter().filter(|quantity| has_curve(rows, quantity.mean)).collect();
    let (Some(first), false) = (rows.first(), drawn.is_empty()) else {
        return Err(PlotError::Nothing("I(X;T) or I(T;Y) at two snapshots"));
    };
    let scales = similar_scales(tables.siblings, &first.estimator);
    let timeline = Timeline::new(rows.iter().chain(&scales));
    let layers = layers(rows.iter().map(|row| row.layer));
    let n_runs = n_runs(rows);
    let single = if single::are_drawn(n_runs) { tables.estimates.iter().collect() } else { Vec::new() };
    let estimates = Estimates { rows, single, scales: &scales, layers: &layers, timeline: &timeline };
    let sheet = Sheet {
        title: format!(
            "{}: information by {}, mean over {}",
            first.experiment,
            timeline.label(),
            counted(n_runs, "run")
        ),
        subtitle: first.estimator.to_string(),
        columns: drawn.len(),
        size: (500.0, 440.0),
        legend: [
            legend(rows.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Solid),
            estimates.explanations(&drawn),
        ]
        .concat(),
        panels: drawn.into_iter().map(|quantity| estimates.panel(quantity)).collect(),
        ..Sheet::default()
    };
    sheet.draw()
}

fn n_runs(rows: &[SummaryRow]) -> i32 {
    rows.iter().map(|row| row.n_runs).max().unwrap_or(0)
}

/// Places on the axis of time, each with a lower and an upper end.
type Ribbon = Vec<(f64, f64, f64)>;

/// The rows of one estimator, and of its similar scales.
struct Estimates<'a> {
    rows: &'a [SummaryRow],
    /// The rows of its single runs if these are drawn.
    single: Vec<&'a EstimateRow>,
    scales: &'a [SummaryRow],
    layers: &'a [LayerId],
    timeline: &'a Timeline,
}

impl Estimates<'_> {
    fn panel(&self, quantity: &Quantity) -> Panel {
        let over_scales: Vec<Ribbon> = self.layers.iter().map(|layer| self.range(*layer, quantity.mean)).collect();
        let intervals: Vec<Ribbon> = self.layers.iter().map(|layer| self.interval(*layer, quantity)).collect();
        let heights = self.heights(quantity).into_iter().chain(self.shown_ceilings(quantity));
        let mut panel =
            Panel::new(self.title(quantity), self.timeline.axis(), Axis::from_zero(quantity.label, heights));
        let ribbons = |ribbons: &[Ribbon], percent: u8| -> Vec<Plot> {
            let layers = self.layers.iter().zip(ribbons);
            layers.filter_map(|(layer, points)| ribbon(points, layer_colour(*layer), percent)).collect()
        };
        let lines_of =
            |layers: &[LayerId], column: Column, mark: Mark| lines(self.rows, layers, column, mark, self.timeline);
        let lines = |column: Column, mark: Mark| lines_of(self.layers, column, mark);
        panel.plots = ribbons(&over_scales, SCALES);
        panel.plots.extend(ribbons(&intervals, INTERVAL));
        panel.plots.extend(single::lines(&self.single, quantity.run, self.timeline));
        panel.plots.extend(lines_of(&self.with_lower_ceiling(quantity), quantity.ceiling, Mark::Dashed));
        if self.null_differs(quantity) {
            panel.plots.extend(lines(quantity.null, Mark::Dotted));
        }
        panel.plots.extend(lines(quantity.mean, Mark::Solid));
        panel.ends = line_ends(self.rows, self.layers, quantity.mean, self.timeline);
        let top = self.shown_top(quantity).map(|top| ReferenceLine::horizontal(top).with_color(GREY));
        panel.lines = top.into_iter().collect();
        panel
    }

    /// The estimates that the panel shows, with the ends of their intervals and ranges.
    fn heights(&self, quantity: &Quantity) -> Vec<f64> {
        let ribbons = self.layers.iter().flat_map(|layer| {
            [self.range(*layer, quantity.mean), self.interval(*layer, quantity)].into_iter().flatten()
        });
        let heights = values(self.rows, quantity.mean).chain(self.single.iter().filter_map(|row| (quantity.run)(row)));
        heights.chain(ribbons.flat_map(|(_, low, high)| [low, high])).collect()
    }

    /// The ceilings that the panel shows.
    fn shown_ceilings(&self, quantity: &Quantity) -> Vec<f64> {
        let reached = self.heights(quantity).into_iter().fold(0.0, f64::max);
        values(self.rows, quantity.ceiling).filter(|ceiling| is_nearly_reached(*ceiling, reached)).collect()
    }

    /// The highest ceiling in words, because the panel may not show it; an empty text if there is none.
    fn title(&self, quantity: &Quantity) -> String {
        let above = if self.shown_top(quantity).is_none() { ", above the axis" } else { "" };
        self.top(quantity).map_or_else(String::new, |top| format!("ceiling {top:.2} bits{above}"))
    }

    /// The 95 % interval of the mean at each snapshot; none if single runs are drawn, and for two runs.
    fn interval(&self, layer: LayerId, quantity: &Quantity) -> Ribbon {
        if !(self.single.is_empty() && single::has_interval(n_runs(self.rows))) {
            return Ribbon::new();
        }
        let curve = |column: Column| curve(self.rows, layer, column, self.timeline);
        let ends = curve(quantity.low).into_iter().zip(curve(quantity.high));
        ends.map(|((place, low), (_, high))| (place, low, high)).collect()
    }

    /// The smallest and the largest mean of all scales at each snapshot.
    fn range(&self, layer: LayerId, mean: Column) -> Ribbon {
        let ends = |points: &[(f64, f64)]| {
            let (least, most) = points.iter().fold((f64::MAX, f64::MIN), |(l, m), (_, y)| (l.min(*y), m.max(*y)));
            (points[0].0, least, most)
        };
        curve(self.scales, layer, mean, self.timeline).chunk_by(|a, b| a.0 == b.0).map(ends).collect()
    }

    /// The highest ceiling.
    fn top(&self, quantity: &Quantity) -> Option<f64> {
        values(self.rows, quantity.ceiling).reduce(f64::max)
    }

    /// The highest ceiling if the panel shows it, as one line.
    fn shown_top(&self, quantity: &Quantity) -> Option<f64> {
        self.top(quantity).filter(|top| self.shown_ceilings(quantity).contains(top))
    }

    /// The layers whose ceiling is lower, if the panel shows it.
    fn with_lower_ceiling(&self, quantity: &Quantity) -> Vec<LayerId> {
        let (top, shown) = (self.top(quantity), self.shown_ceilings(quantity));
        let is_drawn = |layer: &LayerId| {
            let curve = curve(self.rows, *layer, quantity.ceiling, self.timeline);
            let is_lower = curve.iter().any(|(_, value)| Some(*value) != top);
            is_lower && curve.len() > 1 && curve.iter().all(|(_, value)| shown.contains(value))
        };
        self.layers.iter().copied().filter(is_drawn).collect()
    }

    /// If all samples have different inputs, the permutation null of I(X;T) is the estimate, and its line would hide it.
    fn null_differs(&self, quantity: &Quantity) -> bool {
        // Sums over runs in different orders differ in the last digits.
        const SAME: f64 = 1e-9;
        let differs = |row: &SummaryRow| Some(((quantity.null)(row)? - (quantity.mean)(row)?).abs() > SAME);
        self.rows.iter().filter_map(differs).any(|differs| differs)
    }

    /// The entries of the legend below the layers, for what is drawn.
    fn explanations(&self, drawn: &[&Quantity]) -> Vec<Entry> {
        let n_runs = n_runs(self.rows);
        let has = |is: &dyn Fn(&Quantity) -> bool| drawn.iter().any(|quantity| is(quantity));
        let has_interval = has(&|quantity| self.layers.iter().any(|layer| !self.interval(*layer, quantity).is_empty()));
        let has_ceiling = has(&|quantity| self.shown_top(quantity).is_some());
        let lower = drawn.iter().flat_map(|quantity| self.with_lower_ceiling(quantity)).min();
        [
            (!self.single.is_empty()).then(|| single::entry(Mark::Thin)),
            has_interval.then(|| Entry::new(interval_name(n_runs), GREY, Mark::Area(2 * INTERVAL))),
            scales_name(self.scales).map(|name| Entry::new(name, GREY, Mark::Area(2 * SCALES))),
            has(&|quantity| self.null_differs(quantity)).then(|| Entry::new("permutation null", GREY, Mark::Dotted)),
            has_ceiling.then(|| Entry::new("ceiling", GREY, Mark::Dashed)),
            lower.map(|layer| Entry::new("lower ceiling of a layer", layer_colour(layer), Mark::Dashed)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The estimates of the same estimator at this scale and at scales within a factor of three; empty if there are no others.
fn similar_scales(siblings: &[SummaryRow], own: &EstimateId) -> Vec<SummaryRow> {
    let at_all_scales = own.at_all_scales();
    let is_similar = |row: &&SummaryRow| {
        let factor = scale(&row.estimator).zip(scale(own)).map(|(scale, own)| (scale / own).max(own / scale));
        factor.is_some_and(|factor| factor <= SIMILAR * (1.0 + f64::EPSILON))
            && row.estimator.at_all_scales() == at_all_scales
    };
    let similar: Vec<SummaryRow> = siblings.iter().filter(is_similar).cloned().collect();
    if similar.iter().all(|row| *row.estimator == *own) { Vec::new() } else { similar }
}

fn scale(id: &EstimateId) -> Option<f64> {
    id.estimator.scale.as_ref().and_then(|scale| scale.value)
}

/// The name of the range over scales in the legend: `n_edges 20 to 50`.
fn scales_name(rows: &[SummaryRow]) -> Option<String> {
    let kind = rows.first()?.estimator.estimator.scale.as_ref()?.kind;
    let scales = || rows.iter().filter_map(|row| scale(&row.estimator));
    let (least, most) = (scales().reduce(f64::min)?, scales().reduce(f64::max)?);
    Some(format!("{} {} to {}", kind.name(), number(least), number(most)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::tests::summary_row;

    #[test]
    fn only_scales_of_the_same_estimator_within_a_factor_of_three_are_similar() {
        let row = |id: &&str| SummaryRow { estimator: id.parse::<EstimateId>().unwrap().into(), ..summary_row() };
        let texts = [
            "b-k-1",
            "b-bin-width-0.1",
            "b-bin-width-0.3",
            "b-bin-width-0.9",
            "b-bin-width-2",
            "b-bin-width-0.3-samples-test",
        ];
        let rows: Vec<SummaryRow> = texts.iter().map(row).collect();
        let similar = |id: &str| similar_scales(&rows, &id.parse().unwrap());
        let names = |id: &str| similar(id).iter().map(|row| row.estimator.to_string()).collect::<Vec<_>>();
        assert_eq!(names("b-bin-width-0.3"), ["b-bin-width-0.1", "b-bin-width-0.3", "b-bin-width-0.9"]);
        assert_eq!(names("b-bin-width-2"), ["b-bin-width-0.9", "b-bin-width-2"]);
        assert_eq!(names("b-k-1"), Vec::<String>::new());
        assert_eq!(scales_name(&similar("b-bin-width-0.3")), Some("bin_width 0.1 to 0.9".to_owned()));
    }
}
