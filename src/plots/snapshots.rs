//! The information plane at three snapshots (the first, the middle and the last one); one dot per run and layer.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 2 (initial weights, 400 epochs, 9000 epochs). With 400 log-spaced records up to
//! epoch 10 000 the middle one is epoch 404.

use kuva::plot::ScatterPlot;
use kuva::render::plots::Plot;

use super::canvas::layer_colour;
use super::plane::{InPlane, PlaneAxes};
use super::series::{layers, legend};
use super::sheet::{Axes, Mark, Panel, Sheet};
use super::timeline::{AtSnapshot, EpochStep, Timeline};
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::layer_id::LayerId;
use crate::math::unique::unique;
use crate::store::schema::EstimateRow;

pub(super) const SPEC: Spec = Spec {
    name: "snapshots",
    summary: "the information plane at the start, in the middle and at the end, one dot per run and layer",
    subject: Subject::Estimator,
    needs: &[Table::Estimates],
    uses: &[Table::Summary],
    draw,
};

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows = tables.estimates;
    if rows.iter().all(|row| row.point().is_none()) {
        return Err(PlotError::Nothing("estimate of I(X;T): all estimates failed, or the estimator has no I(X;T)"));
    }
    let mut recorded: Vec<EpochStep> = rows.iter().map(AtSnapshot::snapshot).collect();
    recorded.sort_unstable();
    recorded.dedup();
    let snapshots = unique([0, recorded.len() / 2, recorded.len() - 1].map(|place| recorded[place]));

    let timeline = Timeline::new(rows);
    let layers = layers(rows.iter().map(|row| row.layer));
    let axes = PlaneAxes::around(&rows.iter().filter_map(InPlane::point).collect::<Vec<_>>());
    let panel = |snapshot: &EpochStep| {
        let mut panel = axes.clone().panel(timeline.name(*snapshot));
        draw_runs(&mut panel, rows, *snapshot, &layers);
        panel
    };
    let sheet = Sheet {
        title: tables.summary.first().map_or_else(String::new, |row| format!("{}: {}", row.experiment, row.estimator)),
        columns: snapshots.len(),
        size: (400.0, 370.0),
        panels: snapshots.iter().map(panel).collect(),
        axes: Axes::Same,
        legend: legend(rows.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Dot),
        ..Sheet::default()
    };
    sheet.draw()
}

/// The dots of all runs and layers at `snapshot`.
fn draw_runs(panel: &mut Panel, rows: &[EstimateRow], snapshot: EpochStep, layers: &[LayerId]) {
    let last = layers.last().map_or(0, |layer| layer.index());
    let plot = |layer: &LayerId| -> Plot {
        let here = rows.iter().filter(|row| row.snapshot() == snapshot && row.layer == *layer);
        ScatterPlot::new()
            .with_data(here.filter_map(InPlane::point))
            .with_color(layer_colour(*layer))
            // The first layers are often at the same place: lower layers have larger dots, so that all are visible.
            .with_size(4.0 + 0.7 * (last - layer.index()) as f64)
            .with_marker_opacity(0.8)
            .into()
    };
    panel.plots.extend(layers.iter().map(plot));
}
