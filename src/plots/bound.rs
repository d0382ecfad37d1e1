//! The trained layers and the information bottleneck curve: for each layer, the closest optimal encoder and its β. The large dot of a
//! layer is the mean of those of its runs.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 6.

use std::sync::Arc;

use kuva::plot::{MarkerShape, ScatterPlot};

use super::axes::whole;
use super::canvas::{BLACK, layer_colour, layer_name};
use super::marks::Path;
use super::plane::{PlaneAxes, Point};
use super::series::{layers, legend, line};
use super::sheet::{Entry, Mark, Note, Panel, Sheet};
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::math::descriptive::mean;
use crate::math::unique::unique;
use crate::store::schema::{BoundLayerRow, BoundRow};

pub(super) const SPEC: Spec = Spec {
    name: "bound",
    summary: "the trained layers and the information bottleneck curve, with the β of the closest optimal encoder",
    subject: Subject::Folder,
    needs: &[Table::Bound],
    uses: &[Table::BoundLayers],
    draw,
};

/// At most this many estimators, each of which has a panel.
const MOST: usize = 6;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    if tables.bound.len() < 2 {
        return Err(PlotError::Nothing("curve of the information bottleneck: it has one point"));
    }
    let mut estimators = unique(tables.bound_layers.iter().map(|row| &row.estimator));
    estimators.sort();
    estimators.truncate(MOST);
    let rows_of =
        |id: &Arc<EstimateId>| tables.bound_layers.iter().filter(|row| row.estimator == *id).collect::<Vec<_>>();
    let panels: Vec<Panel> = match estimators.is_empty() {
        true => vec![panel("", &tables, &[])],
        false => estimators.into_iter().map(|id| panel(&id.to_string(), &tables, &rows_of(id))).collect(),
    };
    let mut entries = vec![Entry::new("information bottleneck", BLACK, Mark::Solid)];
    entries.extend(legend(tables.bound_layers.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Dot));
    if tables.bound_layers.iter().any(|row| row.i_xt_fitted_bits.is_some()) {
        entries.push(Entry::new("closest optimal encoder", BLACK, Mark::Ring));
    }
    let sheet = Sheet {
        title: "trained layers and the information bottleneck".to_owned(),
        subtitle: "small dots: single runs; large dots: mean over runs".to_owned(),
        columns: panels.len().min(2),
        size: if panels.len() > 1 { (540.0, 470.0) } else { (700.0, 540.0) },
        panels,
        legend: entries,
        ..Sheet::default()
    };
    sheet.draw()
}

fn panel(estimator: &str, tables: &Tables<'_>, rows: &[&BoundLayerRow]) -> Panel {
    let curve: Vec<Point> = curve(tables.bound);
    let points = |row: &&BoundLayerRow| [(row.i_xt_bits, row.i_ty_bits), (row.i_xt_fitted_bits, row.i_ty_fitted_bits)];
    let mut points: Vec<Point> = rows.iter().flat_map(points).filter_map(|(x, y)| Some((x?, y?))).collect();
    points.extend(&curve);
    let largest = |number: fn(&Point) -> f64| points.iter().map(number).fold(0.0, f64::max);
    let corner = (largest(|p| p.0), largest(|p| p.1));
    let mut panel = PlaneAxes::around(&points).panel(estimator);
    panel.avoided = points.iter().map(|point| vec![*point]).chain([curve.clone()]).collect();
    panel.plots.extend(line(curve, BLACK, Mark::Solid));
    let layers = layers(rows.iter().map(|row| row.layer));
    let last = layers.last().map_or(0, |layer| layer.index());
    for layer in &layers {
        let here: Vec<&BoundLayerRow> = rows.iter().filter(|row| row.layer == *layer).copied().collect();
        draw_layer(&mut panel, &here, last - layer.index());
    }
    panel.paths = means(rows, &layers);
    panel.notes = betas(rows, &layers, corner);
    panel
}

/// The mean of each layer over its runs, with its name.
fn means(rows: &[&BoundLayerRow], layers: &[LayerId]) -> Vec<Path> {
    let Some(last) = layers.last() else { return Vec::new() };
    let named = |layer: &LayerId| {
        let here: Vec<&BoundLayerRow> = rows.iter().filter(|row| row.layer == *layer).copied().collect();
        let name = here.iter().find_map(|row| row.layer_name.as_deref());
        Some(Path { name: layer_name(*layer, name, *last), points: vec![middle(&runs(&here))?] })
    };
    layers.iter().filter_map(named).collect()
}

/// The points of single runs.
fn runs(rows: &[&BoundLayerRow]) -> Vec<Point> {
    rows.iter().filter_map(|row| row.i_xt_bits.zip(row.i_ty_bits)).collect()
}

/// The β of every layer, in the lower right corner, which neither the curve nor a layer reaches.
fn betas(rows: &[&BoundLayerRow], layers: &[LayerId], corner: (f64, f64)) -> Vec<Note> {
    let Some(last) = layers.last() else { return Vec::new() };
    let line = |layer: &LayerId| {
        let here = || rows.iter().filter(|row| row.layer == *layer);
        let name = here().find_map(|row| row.layer_name.as_deref());
        let betas = here().filter_map(|row| row.beta);
        let (least, most) = betas.clone().reduce(f64::min).zip(betas.reduce(f64::max))?;
        Some(format!("{}: {}", layer_name(*layer, name, *last), beta(least, most)))
    };
    let lines: Vec<String> = layers.iter().filter_map(line).collect();
    let n = lines.len();
    let at = |i: usize| (0.6 * corner.0, corner.1 * (0.04 + 0.06 * (n - i) as f64));
    lines.into_iter().enumerate().map(|(i, says)| Note { at: at(i), says }).collect()
}

/// The points of the curve that were computed without a failure, by I(X;T).
fn curve(bound: &[BoundRow]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> =
        bound.iter().filter(|row| row.failure.is_none()).map(|row| (row.i_xt_bits, row.i_ty_bits)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// Draws a layer with `n_above` others above it.
fn draw_layer(panel: &mut Panel, rows: &[&BoundLayerRow], n_above: usize) {
    let Some(colour) = rows.first().map(|row| layer_colour(row.layer)) else { return };
    let runs = runs(rows);
    let fitted: Vec<(f64, f64)> =
        rows.iter().filter_map(|row| Some((row.i_xt_fitted_bits?, row.i_ty_fitted_bits?))).collect();
    let Some(middle) = middle(&runs) else { return };
    let dots = |data: Vec<(f64, f64)>, size: f64| ScatterPlot::new().with_data(data).with_color(colour).with_size(size);
    panel.plots.push(dots(runs, 2.5).with_marker_opacity(0.6).into());
    let ring =
        dots(fitted, 4.0).with_marker(MarkerShape::Circle).with_marker_opacity(0.0).with_marker_stroke_width(1.5);
    panel.plots.push(ring.into());
    // Points of the first layers often coincide: those of lower layers are larger, so that a rim of each is visible.
    panel.plots.push(dots(vec![middle], 6.0 + 0.9 * n_above as f64).into());
}

/// The range of β over all runs.
fn beta(least: f64, most: f64) -> String {
    let (least, most) = (rounded(least), rounded(most));
    if least == most { format!("β {least}") } else { format!("β {least} … {most}") }
}

/// Runs differ in more than two digits.
fn rounded(value: f64) -> String {
    match value {
        value if value >= 10.0 => whole(value.round() as i64),
        value => format!("{value:.1}"),
    }
}

/// The mean of the points of single runs.
fn middle(points: &[Point]) -> Option<Point> {
    let column = |number: fn(&Point) -> f64| mean(&points.iter().map(number).collect::<Vec<f64>>());
    column(|point| point.0).zip(column(|point| point.1))
}
