//! Columns of the summary over time: the layers, and the line and the ribbon of each layer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kuva::plot::{BandPlot, LinePlot, LineStyle};
use kuva::render::plots::Plot;

use super::canvas::{layer_colour, layer_name};
use super::line_ends::LineEnd;
use super::sheet::{Entry, Mark};
use super::timeline::{AtSnapshot, Timeline};
use crate::count::counted;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::math::unique::unique;
use crate::store::schema::{SummaryRow, TrainingSummaryRow};

/// A column of the summary.
pub(super) type Column = fn(&SummaryRow) -> Option<f64>;

/// The different ones of `layers`, ascending.
pub(super) fn layers<L: Ord>(layers: impl IntoIterator<Item = L>) -> Vec<L> {
    layers.into_iter().collect::<BTreeSet<L>>().into_iter().collect()
}

/// The rows of each estimator, in the order of their first rows.
pub(super) fn by_estimator(rows: &[SummaryRow]) -> Vec<Vec<SummaryRow>> {
    let rows_of = |id: &Arc<EstimateId>| rows.iter().filter(|row| row.estimator == *id).cloned().collect();
    unique(rows.iter().map(|row| &row.estimator)).into_iter().map(rows_of).collect()
}

/// The rows of the estimator that has most rows with losses or norms, and then most rows: losses and norms are repeated in the
/// rows of every estimator, but some estimators have few snapshots, and pooled estimates have no losses and norms.
pub(super) fn of_network(rows: &[SummaryRow]) -> Vec<SummaryRow> {
    let describes_network = |row: &&SummaryRow| {
        let SummaryRow { loss_train_nats_mean, squared_error_train_mean, weight_norm_mean, .. } = row;
        [loss_train_nats_mean, squared_error_train_mean, weight_norm_mean].into_iter().any(Option::is_some)
    };
    let weight = |rows: &[SummaryRow]| (rows.iter().filter(describes_network).count(), rows.len());
    by_estimator(rows)
        .into_iter()
        .fold(Vec::new(), |most, rows| if weight(&rows) > weight(&most) { rows } else { most })
}

/// A column in one layer over time: places on the axis of `timeline`, ascending, and values.
pub(super) fn curve(rows: &[SummaryRow], layer: LayerId, column: Column, timeline: &Timeline) -> Vec<(f64, f64)> {
    let here = rows.iter().filter(|row| row.layer == layer);
    let mut points: Vec<(f64, f64)> =
        here.filter_map(|row| Some((timeline.place(row.snapshot()), column(row)?))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// Every number of a column.
pub(super) fn values(rows: &[SummaryRow], column: Column) -> impl Iterator<Item = f64> {
    rows.iter().filter_map(column)
}

/// The lines of all `layers`, each in its colour; no line for layers without numbers.
pub(super) fn lines(
    rows: &[SummaryRow],
    layers: &[LayerId],
    column: Column,
    mark: Mark,
    timeline: &Timeline,
) -> Vec<Plot> {
    let layer_line = |layer: &LayerId| line(curve(rows, *layer, column, timeline), layer_colour(*layer), mark);
    layers.iter().filter_map(layer_line).collect()
}

/// The ends of the lines of all `layers` that are called by their number or `output`: other names are too long for the margin.
pub(super) fn line_ends(rows: &[SummaryRow], layers: &[LayerId], column: Column, timeline: &Timeline) -> Vec<LineEnd> {
    let name = |layer: LayerId| rows.iter().find(|row| row.layer == layer).and_then(|row| row.layer_name.as_deref());
    let end = |layer: &LayerId| {
        let is_output = match name(*layer) {
            None => layers.last() == Some(layer),
            Some("output") => true,
            Some(number) if number == format!("layer {layer}") => false,
            Some(_) => return None,
        };
        let (_, value) = *curve(rows, *layer, column, timeline).last()?;
        Some(LineEnd { layer: *layer, is_output, value })
    };
    layers.iter().filter_map(end).collect()
}

/// The line through `points`, if there are at least two.
pub(super) fn line(points: Vec<(f64, f64)>, colour: &str, mark: Mark) -> Option<Plot> {
    /// Thick enough to distinguish colours in print.
    const WIDTH: f64 = 2.2;
    const THIN: f64 = 0.8;
    if points.len() < 2 {
        return None;
    }
    let line = LinePlot::new().with_data(points).with_color(colour);
    let line = line.with_stroke_width(if mark == Mark::Thin { THIN } else { WIDTH });
    let style = mark.dashes();
    Some(if style.is_empty() { line.into() } else { line.with_line_style(LineStyle::Custom(style.to_owned())).into() })
}

/// The ribbon between the lower and upper ends of `points` (place, lower end, upper end), with an opacity in percent.
pub(super) fn ribbon(points: &[(f64, f64, f64)], colour: &str, percent: u8) -> Option<Plot> {
    if points.len() < 2 {
        return None;
    }
    let column = |number: fn(&(f64, f64, f64)) -> f64| points.iter().map(number).collect::<Vec<f64>>();
    let band = BandPlot::new(column(|p| p.0), column(|p| p.1), column(|p| p.2));
    Some(band.with_color(colour).with_opacity(f64::from(percent) / 100.0).into())
}

/// An entry of the legend for each layer; the layers are given with their names.
pub(super) fn legend<'a>(of_rows: impl IntoIterator<Item = (LayerId, Option<&'a str>)>, mark: Mark) -> Vec<Entry> {
    // Layers of several experiments have their number if their names differ.
    let mut names: BTreeMap<LayerId, Option<&str>> = BTreeMap::new();
    for (layer, name) in of_rows {
        let held = names.entry(layer).or_insert(name);
        *held = held.filter(|held| name == Some(held));
    }
    let Some(last) = names.keys().next_back().copied() else { return Vec::new() };
    let entry = |(layer, name)| Entry::new(layer_name(layer, name, last), layer_colour(layer), mark);
    names.into_iter().map(entry).collect()
}

/// The rows of a quantity of the training at the snapshots that all runs have.
pub(crate) fn of_all_runs<'a>(
    rows: &'a [TrainingSummaryRow],
    quantity: &'a str,
    layer: Option<LayerId>,
) -> impl Iterator<Item = &'a TrainingSummaryRow> {
    let here = move || rows.iter().filter(move |row| row.quantity == quantity && row.layer == layer);
    let n_runs = here().map(|row| row.n_runs).max();
    here().filter(move |row| Some(row.n_runs) == n_runs)
}

/// The intervals over runs of a quantity of the training: places on the axis of `timeline`, lower and upper ends. None of
/// snapshots that some runs do not have, because the line is not drawn there.
pub(super) fn intervals(
    rows: &[TrainingSummaryRow],
    quantity: &str,
    layer: Option<LayerId>,
    timeline: &Timeline,
) -> Vec<(f64, f64, f64)> {
    let drawn = of_all_runs(rows, quantity, layer).filter(|row| timeline.contains((row.epoch, row.step)));
    drawn.filter_map(|row| Some((timeline.place((row.epoch, row.step)), row.low?, row.high?))).collect()
}

/// The name of the interval over `n_runs` runs in a legend.
pub(super) fn interval_name(n_runs: i32) -> String {
    format!("95 % interval over {}", counted(n_runs, "run"))
}

/// Whether there is a curve to draw: numbers at two snapshots.
pub(super) fn has_curve(rows: &[SummaryRow], column: Column) -> bool {
    let mut snapshots = rows.iter().filter(|row| column(row).is_some()).map(AtSnapshot::snapshot);
    snapshots.next().is_some_and(|first| snapshots.any(|snapshot| snapshot != first))
}
