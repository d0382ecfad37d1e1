//! The information plane: for every recorded epoch a thin line through the layers, coloured by epoch, mean over runs.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 3. Deviation: the colour is logarithmic in the epoch, as the recorded epochs are; theirs
//! is linear, so that all of the fitting phase has one colour.

use kuva::plot::{LinePlot, ScatterPlot};
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;

use super::canvas::{EpochColours, picture, plane};
use super::{Picture, PlotError, Spec, Subject, Tables};

pub(super) const SPEC: Spec = Spec {
    name: "information-plane",
    summary: "I(X;T) against I(T;Y), one line through the layers per recorded epoch, mean over runs",
    of: Subject::Estimator,
    draw,
};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 620.0;
/// Room for the colour bar and its labels.
const RIGHT: f64 = 110.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 60.0;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let mut points: Vec<(i32, i32, f64, f64)> = tables
        .summary
        .iter()
        .filter_map(|row| Some((row.epoch, row.layer, row.i_xt_bits_mean?, row.i_ty_bits_mean?)))
        .collect();
    points.sort_by_key(|(epoch, layer, ..)| (*epoch, *layer));
    let (Some(last), Some(first_row)) = (points.last(), tables.summary.first()) else {
        return Err(PlotError::Nothing("mean of I(X;T): every estimate failed, or has none"));
    };
    let colours = EpochColours::new(last.0);

    let mut plots: Vec<Plot> = Vec::new();
    for epoch in points.chunk_by(|a, b| a.0 == b.0) {
        let path: Vec<(f64, f64)> = epoch.iter().map(|(_, _, x, y)| (*x, *y)).collect();
        plots.push(LinePlot::new().with_data(path).with_color(colours.of(epoch[0].0)).with_stroke_width(0.3).into());
    }
    let dots = points.iter().map(|(_, _, x, y)| (*x, *y));
    let of_dots: Vec<String> = points.iter().map(|(epoch, ..)| colours.of(*epoch)).collect();
    plots.push(ScatterPlot::new().with_data(dots).with_colors(of_dots).with_size(4.0).into());

    let n_runs = tables.summary.iter().map(|row| row.n_runs).max().unwrap_or(0);
    let title = format!("{}: information plane, mean over {n_runs} runs", first_row.experiment);
    let (x_max, y_max) = limits(&tables);
    let layout = plane(x_max, y_max)
        .with_width(WIDTH)
        .with_height(HEIGHT)
        .with_force_margins(LEFT, RIGHT)
        .with_force_margins_y(TOP, BOTTOM)
        .with_title(title)
        .with_subtitle(first_row.estimator.to_string());
    let mut scene = render_multiple(plots, layout);
    let (bar_x, bar_bottom) = (scene.width - RIGHT + 28.0, scene.height - BOTTOM);
    colours.bar().draw(&mut scene, bar_x, TOP + 24.0, bar_bottom);
    picture(scene)
}

/// The ceilings of the estimator, the whole plane that a point could lie in; and beyond them where formulas exceed them.
fn limits(tables: &Tables<'_>) -> (f64, f64) {
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let x = largest(&mut tables.summary.iter().flat_map(|row| [row.i_xt_ceiling_bits, row.i_xt_bits_mean]).flatten());
    let y = largest(&mut tables.summary.iter().flat_map(|row| [row.i_ty_ceiling_bits, row.i_ty_bits_mean]).flatten());
    (x, y)
}
