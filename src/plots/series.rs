//! Columns of the summary as series over the epochs: which layers there are, and the lines and ribbons of each.

use std::sync::Arc;

use kuva::plot::{BandPlot, LinePlot, LineStyle};
use kuva::render::plots::Plot;

use super::axes::place;
use super::canvas::{layer_colour, layer_name};
use super::sheet::{Entry, Mark};
use crate::estimate_id::EstimateId;
use crate::store::schema::SummaryRow;

/// A column of the summary.
pub(super) type Column = fn(&SummaryRow) -> Option<f64>;

/// The layers of `rows`, ascending.
pub(super) fn layers(rows: &[SummaryRow]) -> Vec<i32> {
    let mut layers: Vec<i32> = rows.iter().map(|row| row.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    layers
}

/// The names of `rows` in their order, each once.
pub(super) fn names<R>(rows: &[R], name: fn(&R) -> &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&name(row)) {
            names.push(name(row));
        }
    }
    names
}

/// The identities in their order, each once.
pub(super) fn estimators<'a>(ids: impl Iterator<Item = &'a Arc<EstimateId>>) -> Vec<&'a EstimateId> {
    let mut found: Vec<&Arc<EstimateId>> = Vec::new();
    for id in ids {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found.into_iter().map(AsRef::as_ref).collect()
}

/// The rows of the estimator that has most with losses or norms, and most at all: what belongs to the network is told in the
/// rows of every estimator, but some have a few snapshots only, and pooled ones none of it.
pub(super) fn of_network(rows: &[SummaryRow]) -> Vec<SummaryRow> {
    let rows_of = |id: &EstimateId| rows.iter().filter(|row| *row.estimator == *id).cloned().collect::<Vec<_>>();
    let by_estimator = estimators(rows.iter().map(|row| &row.estimator)).into_iter().map(rows_of);
    let tells = |row: &&SummaryRow| {
        let SummaryRow { loss_train_nats_mean, squared_error_train_mean, weight_norm_mean, .. } = row;
        [loss_train_nats_mean, squared_error_train_mean, weight_norm_mean].into_iter().any(Option::is_some)
    };
    let weight = |rows: &[SummaryRow]| (rows.iter().filter(tells).count(), rows.len());
    by_estimator.fold(Vec::new(), |most, rows| if weight(&rows) > weight(&most) { rows } else { most })
}

/// The course of a column in one layer: places on the axis of epochs, and values.
pub(super) fn course(rows: &[SummaryRow], layer: i32, column: Column) -> Vec<(f64, f64)> {
    let here = rows.iter().filter(|row| row.layer == layer);
    here.filter_map(|row| Some((place(row.epoch), column(row)?))).collect()
}

/// Every number of a column.
pub(super) fn values(rows: &[SummaryRow], column: Column) -> impl Iterator<Item = f64> {
    rows.iter().filter_map(column)
}

/// The lines of all `layers`, each in its colour; nothing for layers without numbers.
pub(super) fn lines(rows: &[SummaryRow], layers: &[i32], column: Column, mark: Mark) -> Vec<Plot> {
    let of = |layer: &i32| line(course(rows, *layer, column), layer_colour(*layer), mark);
    layers.iter().filter_map(of).collect()
}

/// The line through `points`, where there are two at least.
pub(super) fn line(points: Vec<(f64, f64)>, colour: &str, mark: Mark) -> Option<Plot> {
    /// Thick enough to be told apart by colour in print.
    const WIDTH: f64 = 2.2;
    if points.len() < 2 {
        return None;
    }
    let line = LinePlot::new().with_data(points).with_color(colour).with_stroke_width(WIDTH);
    let style = mark.dashes();
    Some(if style.is_empty() { line.into() } else { line.with_line_style(LineStyle::Custom(style.to_owned())).into() })
}

/// The ribbon between the two ends that `points` have, of an opacity in percent.
pub(super) fn ribbon(points: &[(f64, f64, f64)], colour: &str, percent: u8) -> Option<Plot> {
    if points.len() < 2 {
        return None;
    }
    let column = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(of).collect::<Vec<f64>>();
    let band = BandPlot::new(column(|p| p.0), column(|p| p.1), column(|p| p.2));
    Some(band.with_color(colour).with_opacity(f64::from(percent) / 100.0).into())
}

/// A line of the legend for each layer.
pub(super) fn legend(layers: &[i32]) -> Vec<Entry> {
    let last = layers.last().copied().unwrap_or_default();
    layers.iter().map(|layer| Entry::new(layer_name(*layer, last), layer_colour(*layer), Mark::Solid)).collect()
}

/// Whether there is a course to draw: two epochs with a number.
pub(super) fn has_course(rows: &[SummaryRow], column: Column) -> bool {
    let mut epochs = rows.iter().filter(|row| column(row).is_some()).map(|row| row.epoch);
    epochs.next().is_some_and(|first| epochs.any(|epoch| epoch != first))
}
