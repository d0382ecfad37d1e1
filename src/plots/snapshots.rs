//! Three snapshots of training: the start, the middle of the recorded epochs, the end; one dot per run and layer.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 2 (initial weights, 400 epochs, 9000 epochs). With 400 log-spaced records up to
//! epoch 10 000 the middle one is epoch 404.

use kuva::plot::ScatterPlot;
use kuva::render::figure::Figure;
use kuva::render::plots::Plot;

use super::canvas::{layer_colour, layer_name, picture, plane};
use super::{Picture, PlotError, Spec, Subject, Tables};
use crate::store::schema::EstimateRow;

pub(super) const SPEC: Spec = Spec {
    name: "snapshots",
    summary: "the information plane at the start, in the middle and at the end, one dot per run and layer",
    of: Subject::Estimator,
    draw,
};

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let mut epochs: Vec<i32> = tables.estimates.iter().map(|row| row.epoch).collect();
    epochs.sort_unstable();
    epochs.dedup();
    let (Some(first), Some(last)) = (epochs.first(), epochs.last()) else {
        return Err(PlotError::Nothing("table of single runs here"));
    };
    let snapshots = [*first, epochs[epochs.len() / 2], *last];

    let largest =
        |value: fn(&EstimateRow) -> Option<f64>| tables.estimates.iter().filter_map(value).fold(0.0, f64::max);
    // As high as the ceilings, and beyond them where formulas exceed them.
    let x_max = largest(|row| row.i_xt_ceiling_bits).max(largest(|row| row.i_xt_bits));
    let y_max = largest(|row| row.i_ty_ceiling_bits).max(largest(|row| row.i_ty_bits));
    if x_max == 0.0 {
        return Err(PlotError::Nothing("estimate of I(X;T): all failed, or have none"));
    }
    let panels: Vec<Vec<Plot>> = snapshots.iter().map(|epoch| panel(tables.estimates, *epoch)).collect();
    let layouts = snapshots.map(|epoch| plane(x_max, y_max).with_title(format!("epoch {epoch}")));
    let title = tables.summary.first().map_or_else(String::new, |row| format!("{}: {}", row.experiment, row.estimator));
    let figure = Figure::new(1, snapshots.len())
        .with_title(title)
        .with_plots(panels)
        .with_layouts(layouts.into())
        .with_cell_size(430.0, 400.0)
        .with_shared_legend();
    picture(figure.render())
}

/// The dots of all runs and layers at `epoch`.
fn panel(estimates: &[EstimateRow], epoch: i32) -> Vec<Plot> {
    let mut layers: Vec<i32> = estimates.iter().map(|row| row.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let dots = |layer: i32| -> Vec<(f64, f64)> {
        let here = estimates.iter().filter(|row| row.epoch == epoch && row.layer == layer);
        here.filter_map(|row| Some((row.i_xt_bits?, row.i_ty_bits?))).collect()
    };
    let plot = |layer: &i32| {
        ScatterPlot::new()
            .with_data(dots(*layer))
            .with_color(layer_colour(*layer))
            // The first layers lie on top of each other: lower ones are larger, so that a rim of each is seen.
            .with_size(4.0 + 0.7 * f64::from(layers.last().unwrap_or(layer) - layer))
            .with_marker_opacity(0.8)
            .with_legend(layer_name(*layer, *layers.last().unwrap_or(layer)))
            .into()
    };
    layers.iter().map(plot).collect()
}
