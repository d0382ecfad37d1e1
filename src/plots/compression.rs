//! Compression by estimator and layer: its mean over runs with the 95 % interval, a line at zero, and single runs if they are few.
//!
//! # Reference
//! Saxe et al. 2018 ask whether compression is a property of the network or of the estimator.

use std::sync::Arc;

use kuva::plot::{MarkerShape, ScatterPlot};
use kuva::render::annotations::ReferenceLine;
use kuva::render::plots::Plot;

use super::axes::Axis;
use super::canvas::{GREY, layer_colour};
use super::series::{layers, legend, line};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::single;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::estimate_id::EstimateId;
use crate::math::unique::unique;
use crate::store::CompressionVerdict;
use crate::store::schema::{CompressionRow, PhaseRow};

pub(super) const SPEC: Spec = Spec {
    name: "compression",
    summary: "compression of I(X;T) with its 95 % interval (and single runs if there are fewer than five), by estimator and layer",
    subject: Subject::Experiment,
    needs: &[Table::Compression],
    uses: &[Table::Phases],
    draw,
};

/// The share of an estimator's row that its layers take.
const SPREAD: f64 = 0.72;
/// Width of a panel.
const WIDTH: f64 = 860.0;
/// Height of the axis and its label.
const AXIS: f64 = 88.0;
/// Height of a layer.
const LAYER: f64 = 12.0;
/// Height between two estimators.
const BETWEEN: f64 = 14.0;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows: Vec<&CompressionRow> =
        tables.compression.iter().filter(|row| row.compression_bits_mean.is_some()).collect();
    let Some(first) = rows.first() else {
        return Err(PlotError::Nothing("compression over two runs or more"));
    };
    let estimators = unique(rows.iter().map(|row| &row.estimator));
    let layers = layers(rows.iter().map(|row| row.layer));

    let ends = |row: &&CompressionRow| [row.compression_bits_mean, row.compression_bits_low, row.compression_bits_high];
    let single: Vec<Vec<f64>> = rows.iter().map(|row| single_networks(row, tables.phases)).collect();
    let ends = rows.iter().flat_map(ends).flatten().chain(single.iter().flatten().copied());
    let x = Axis::over("compression of I(X;T) (bits)", ends.chain([0.0]));
    let row_height = layers.len() as f64 * LAYER + BETWEEN;
    let n_columns = columns(estimators.len(), row_height);
    let per_column = estimators.len().div_ceil(n_columns);
    let panel = |column: &[&Arc<EstimateId>]| {
        let y = Axis::names(column.iter().map(ToString::to_string).collect());
        let mut panel = Panel::new("", x.clone(), y);
        panel.lines = vec![ReferenceLine::vertical(0.0).with_color(GREY)];
        panel
    };
    let mut panels: Vec<Panel> = estimators.chunks(per_column).map(panel).collect();
    for (row, single) in rows.iter().zip(&single) {
        let place = estimators.iter().position(|id| **id == row.estimator).unwrap_or_default();
        let (panel, line) = (&mut panels[place / per_column], place % per_column);
        let place = layers.iter().position(|layer| *layer == row.layer).unwrap_or_default();
        let offset = SPREAD * ((place as f64 + 0.5) / layers.len() as f64 - 0.5);
        let y = -(line as f64) - offset;
        panel.plots.extend(dot_and_whisker(row, y));
        let ticks =
            ScatterPlot::new().with_data(single.iter().map(|bits| (*bits, y))).with_color(layer_colour(row.layer));
        panel.plots.push(ticks.with_marker(MarkerShape::Cross).with_size(4.0).into());
    }

    let mut legend = legend(rows.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Dot);
    legend.push(Entry::new("compresses", GREY, Mark::Dot));
    legend.push(Entry::new("no, or undecided", GREY, Mark::Ring));
    if single.iter().any(|networks| !networks.is_empty()) {
        legend.push(single::entry(Mark::Cross));
    }
    let sheet = Sheet {
        title: format!("{}: compression by estimator and layer", first.experiment),
        subtitle: "mean and 95 % interval over runs (Student's t)".to_owned(),
        columns: n_columns,
        size: (WIDTH, AXIS + per_column as f64 * row_height),
        panels,
        legend,
        ..Sheet::default()
    };
    sheet.draw()
}

/// The number of columns of panels with which the figure is not higher than a page.
fn columns(n_estimators: usize, row_height: f64) -> usize {
    /// Height of a page divided by its width.
    const PAGE: f64 = 1.3;
    let is_page =
        |columns: &usize| AXIS + n_estimators.div_ceil(*columns) as f64 * row_height <= PAGE * WIDTH * *columns as f64;
    (1..n_estimators).find(is_page).unwrap_or(n_estimators.max(1))
}

/// The compression of every run of `row` if they are few.
fn single_networks(row: &CompressionRow, phases: &[PhaseRow]) -> Vec<f64> {
    let is_of_row = |phase: &&PhaseRow| {
        (&phase.experiment, &phase.estimator, phase.layer) == (&row.experiment, &row.estimator, row.layer)
    };
    let networks = phases.iter().filter(|_| single::are_drawn(row.n_runs)).filter(is_of_row);
    networks.filter_map(|phase| phase.compression_bits).collect()
}

/// A dot if the layer compresses, otherwise a ring.
fn dot_and_whisker(row: &CompressionRow, y: f64) -> Vec<Plot> {
    let colour = layer_colour(row.layer);
    let whisker = row.compression_bits_low.zip(row.compression_bits_high);
    let whisker = whisker.and_then(|(low, high)| line(vec![(low, y), (high, y)], colour, Mark::Solid));
    let dot = |colour: &str, size: f64| -> Option<Plot> {
        let at = vec![(row.compression_bits_mean?, y)];
        Some(ScatterPlot::new().with_data(at).with_color(colour).with_size(size).into())
    };
    let inside = if row.verdict == CompressionVerdict::Compresses { None } else { dot("#ffffff", 2.6) };
    [whisker, dot(colour, 5.0), inside].into_iter().flatten().collect()
}
