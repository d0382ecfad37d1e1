//! The information bottleneck's curve with the trained layers beside it: the best encoder for each, and its β.
//! The large dot of a layer is the centre of those of its runs.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 6.

use kuva::plot::{MarkerShape, ScatterPlot};

use super::axes::Axis;
use super::canvas::{BLACK, layer_colour, layer_name};
use super::series::{estimators, line};
use super::sheet::{Entry, Mark, Note, Panel, Sheet};
use super::{Picture, PlotError, Spec, Subject, Tables};
use crate::estimate_id::EstimateId;
use crate::store::schema::{BoundLayerRow, BoundRow};

pub(super) const SPEC: Spec = Spec {
    name: "bound",
    summary: "the information bottleneck's curve with the trained layers beside it and their β",
    of: Subject::Folder,
    draw,
};

/// At most as many estimators, each of which has a panel.
const MOST: usize = 6;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    if tables.bound.len() < 2 {
        return Err(PlotError::Nothing("curve of the information bottleneck; `infoplane bound` makes it"));
    }
    let mut estimators = estimators(tables.bound_layers.iter().map(|row| &row.estimator));
    estimators.truncate(MOST);
    let rows_of = |id: &EstimateId| tables.bound_layers.iter().filter(|row| *row.estimator == *id).collect::<Vec<_>>();
    let panels: Vec<Panel> = match estimators.is_empty() {
        true => vec![panel("", &tables, &[])],
        false => estimators.iter().map(|id| panel(&id.to_string(), &tables, &rows_of(id))).collect(),
    };
    let mut layers: Vec<i32> = tables.bound_layers.iter().map(|row| row.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let last = layers.last().copied().unwrap_or_default();
    let mut legend = vec![Entry::new("bound", BLACK, Mark::Solid)];
    legend.extend(layers.iter().map(|l| Entry::new(layer_name(*l, last), layer_colour(*l), Mark::Dot)));
    if tables.bound_layers.iter().any(|row| row.i_xt_fitted_bits.is_some()) {
        legend.push(Entry::new("encoder of this β", BLACK, Mark::Ring));
    }
    let sheet = Sheet {
        title: "trained layers and the information bottleneck".to_owned(),
        subtitle: "small: single runs; large: their mean".to_owned(),
        columns: panels.len().min(2),
        size: if panels.len() > 1 { (540.0, 470.0) } else { (700.0, 540.0) },
        panels,
        legend,
        ..Sheet::default()
    };
    sheet.draw()
}

fn panel(estimator: &str, tables: &Tables<'_>, rows: &[&BoundLayerRow]) -> Panel {
    let curve: Vec<(f64, f64)> = curve(tables.bound);
    let points = |row: &&BoundLayerRow| [(row.i_xt_bits, row.i_ty_bits), (row.i_xt_fitted_bits, row.i_ty_fitted_bits)];
    let points: Vec<_> = rows.iter().flat_map(points).filter_map(|(x, y)| Some((x?, y?))).collect();
    let largest = |of: fn(&(f64, f64)) -> f64| curve.iter().chain(&points).map(of).fold(0.0, f64::max);
    let corner = (largest(|p| p.0), largest(|p| p.1));
    let x = Axis::from_zero("I(X;T) (bits)", curve.iter().chain(&points).map(|p| p.0));
    let y = Axis::from_zero("I(T;Y) (bits)", curve.iter().chain(&points).map(|p| p.1));
    let mut panel = Panel::new(estimator, x, y);
    panel.plots.extend(line(curve, BLACK, Mark::Solid));
    let mut layers: Vec<i32> = rows.iter().map(|row| row.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let last = layers.last().copied().unwrap_or_default();
    for layer in &layers {
        let here: Vec<&BoundLayerRow> = rows.iter().filter(|row| row.layer == *layer).copied().collect();
        draw_layer(&mut panel, &here, last - layer);
    }
    panel.notes = notes(rows, &layers, corner);
    panel
}

/// The β of every layer, in the lower right corner, where neither the curve nor a layer can be.
fn notes(rows: &[&BoundLayerRow], layers: &[i32], corner: (f64, f64)) -> Vec<Note> {
    let last = layers.last().copied().unwrap_or_default();
    let says = |layer: &i32| {
        let betas = rows.iter().filter(|row| row.layer == *layer).filter_map(|row| row.beta);
        let (least, most) = betas.clone().reduce(f64::min).zip(betas.reduce(f64::max))?;
        Some(format!("{}: {}", layer_name(*layer, last), beta(least, most)))
    };
    let says: Vec<String> = layers.iter().filter_map(says).collect();
    let n = says.len();
    let at = |i: usize| (0.6 * corner.0, corner.1 * (0.04 + 0.06 * (n - i) as f64));
    says.into_iter().enumerate().map(|(i, says)| Note { at: at(i), says }).collect()
}

/// The points of the curve that are to be trusted.
fn curve(bound: &[BoundRow]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> =
        bound.iter().filter(|row| row.failure.is_none()).map(|row| (row.i_xt_bits, row.i_ty_bits)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// Draws a layer with `above` others above it.
fn draw_layer(panel: &mut Panel, rows: &[&BoundLayerRow], above: i32) {
    let Some(colour) = rows.first().map(|row| layer_colour(row.layer)) else { return };
    let runs: Vec<(f64, f64)> = rows.iter().filter_map(|row| Some((row.i_xt_bits?, row.i_ty_bits?))).collect();
    let fitted: Vec<(f64, f64)> =
        rows.iter().filter_map(|row| Some((row.i_xt_fitted_bits?, row.i_ty_fitted_bits?))).collect();
    let Some(middle) = middle(&runs) else { return };
    let dots = |data: Vec<(f64, f64)>, size: f64| ScatterPlot::new().with_data(data).with_color(colour).with_size(size);
    panel.plots.push(dots(runs, 2.5).with_marker_opacity(0.6).into());
    let ring =
        dots(fitted, 4.0).with_marker(MarkerShape::Circle).with_marker_opacity(0.0).with_marker_stroke_width(1.5);
    panel.plots.push(ring.into());
    // Lower layers often lie on top of each other: they are larger, so that a rim of each is seen.
    panel.plots.push(dots(vec![middle], 6.0 + 0.9 * f64::from(above)).into());
}

/// The β of all runs, as a range.
fn beta(least: f64, most: f64) -> String {
    let (least, most) = (rounded(least), rounded(most));
    if least == most { format!("β {least}") } else { format!("β {least} … {most}") }
}

/// Two digits are more than runs agree on.
fn rounded(value: f64) -> String {
    match value {
        value if value >= 10.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}

/// The centre of the dots of single runs.
fn middle(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let sum = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    (!points.is_empty()).then_some((sum.0 / n, sum.1 / n))
}
