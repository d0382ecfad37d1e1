//! Which estimators see compression in which layers: its mean over runs with the 95 % interval, beside a line at zero, and the
//! single runs where they are few.
//!
//! # Reference
//! Saxe et al. 2018 ask whether compression is of the network or of the estimator; here every estimator answers.

use kuva::plot::{MarkerShape, ScatterPlot};
use kuva::render::annotations::ReferenceLine;
use kuva::render::plots::Plot;

use super::axes::Axis;
use super::canvas::{GREY, layer_colour};
use super::series::{layers, legend, line};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::single;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::math::unique::unique;
use crate::store::CompressionVerdict;
use crate::store::schema::{CompressionRow, PhaseRow};

pub(super) const SPEC: Spec = Spec {
    name: "compression",
    summary: "compression of I(X;T) with its 95 % interval (and single networks where there are fewer than five), per estimator and layer",
    subject: Subject::Experiment,
    needs: &[Table::Compression],
    uses: &[Table::Phases],
    draw,
};

/// The part of an estimator's row that its layers take.
const SPREAD: f64 = 0.72;

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
    let y = Axis::names(estimators.iter().map(ToString::to_string).collect());
    let mut panel = Panel::new("", x, y);
    for (row, single) in rows.iter().zip(&single) {
        let line = estimators.iter().position(|id| **id == row.estimator).unwrap_or_default();
        let place = layers.iter().position(|layer| *layer == row.layer).unwrap_or_default();
        let offset = SPREAD * ((place as f64 + 0.5) / layers.len() as f64 - 0.5);
        let y = -(line as f64) - offset;
        panel.plots.extend(dot_and_whisker(row, y));
        let ticks =
            ScatterPlot::new().with_data(single.iter().map(|bits| (*bits, y))).with_color(layer_colour(row.layer));
        panel.plots.push(ticks.with_marker(MarkerShape::Cross).with_size(4.0).into());
    }
    panel.lines = vec![ReferenceLine::vertical(0.0).with_color(GREY)];

    let mut legend = legend(rows.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Dot);
    legend.push(Entry::new("not above 0 for sure", GREY, Mark::Ring));
    if single.iter().any(|networks| !networks.is_empty()) {
        legend.push(single::entry(Mark::Cross));
    }
    let height = 88.0 + estimators.len() as f64 * (layers.len() as f64 * 13.0 + 16.0);
    let sheet = Sheet {
        title: format!("{}: compression by estimator and layer", first.experiment),
        subtitle: "mean and 95 % interval over networks (Student)".to_owned(),
        columns: 1,
        size: (860.0, height),
        panels: vec![panel],
        legend,
        ..Sheet::default()
    };
    sheet.draw()
}

/// The compression of every network of `row`, where they are few.
fn single_networks(row: &CompressionRow, phases: &[PhaseRow]) -> Vec<f64> {
    let is_of_row = |phase: &&PhaseRow| {
        (&phase.experiment, &phase.estimator, phase.layer) == (&row.experiment, &row.estimator, row.layer)
    };
    let networks = phases.iter().filter(|_| single::are_drawn(row.n_runs)).filter(is_of_row);
    networks.filter_map(|phase| phase.compression_bits).collect()
}

/// A ring where compression is not certain, else a dot.
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
