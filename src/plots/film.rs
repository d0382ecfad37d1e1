//! One snapshot of the training, as a film shows it: the plane with the layers' way so far, and below it how well the network fits.
//!
//! # Reference
//! The films of Shwartz-Ziv & Tishby 2017: the plane above, the accuracy below.

use kuva::plot::{LinePlot, ScatterPlot};
use kuva::render::annotations::ReferenceLine;
use kuva::render::plots::Plot;

use super::PlotError;
use super::axes::{Axis, place};
use super::canvas::{BLACK, GREY, layer_colour, pixels};
use super::series::{course, has_course, layers, legend, line, values};
use super::sheet::{Mark, Panel, Sheet};
use crate::store::schema::SummaryRow;

/// Width and height of a panel.
const SIZE: (f64, f64) = (640.0, 340.0);

/// Pixels per unit: a film is looked at on a screen, and has a hundred pictures.
const SCALE: f32 = 1.0;

/// One picture of a film.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// PNG.
    pub png: Vec<u8>,
}

/// The picture at the recorded `step`, of `rows`, the summary of one estimator; all pictures of one summary are of one size
/// and have the same axes.
///
/// # Errors
/// There is no mean of I(X;T), or the library cannot draw.
pub fn frame(rows: &[SummaryRow], step: i64) -> Result<Frame, PlotError> {
    let now = |row: &&SummaryRow| row.step.unwrap_or(row.epoch.into()) == step;
    let (Some(first), Some(snapshot)) = (rows.first(), rows.iter().find(now)) else {
        return Err(PlotError::Nothing("summary of this snapshot"));
    };
    if !rows.iter().any(|row| row.i_xt_bits_mean.is_some()) {
        return Err(PlotError::Nothing("mean of I(X;T): every estimate failed, or has none"));
    }
    let mut panels = vec![plane(rows, step)];
    panels.extend(fit(rows, snapshot.epoch));
    let sheet = Sheet {
        title: format!("{}: epoch {}", first.experiment, snapshot.epoch),
        subtitle: format!("{}, mean over {} runs", first.estimator, snapshot.n_runs),
        columns: 1,
        size: SIZE,
        panels,
        legend: legend(&layers(rows)),
        ..Sheet::default()
    };
    Ok(Frame { png: pixels(sheet.scene(), SCALE)? })
}

fn plane(rows: &[SummaryRow], step: i64) -> Panel {
    let x = values(rows, |row| row.i_xt_bits_mean).chain(values(rows, |row| row.i_xt_ceiling_bits));
    let y = values(rows, |row| row.i_ty_bits_mean).chain(values(rows, |row| row.i_ty_ceiling_bits));
    let mut panel = Panel::new("", Axis::from_zero("I(X;T) (bits)", x), Axis::from_zero("I(T;Y) (bits)", y));
    let until = |row: &&SummaryRow| row.step.unwrap_or(row.epoch.into()) <= step;
    let mut dots: Vec<((f64, f64), i32)> = Vec::new();
    for layer in layers(rows) {
        let way = rows.iter().filter(|row| row.layer == layer).filter(until);
        let way: Vec<(f64, f64)> = way.filter_map(|row| Some((row.i_xt_bits_mean?, row.i_ty_bits_mean?))).collect();
        dots.extend(way.last().map(|last| (*last, layer)));
        panel.plots.push(thin(way, layer_colour(layer)));
    }
    panel.plots.push(thin(dots.iter().map(|(at, _)| *at).collect(), GREY));
    for (at, layer) in dots {
        let dot = ScatterPlot::new().with_data([at]).with_color(layer_colour(layer)).with_size(6.0);
        panel.plots.push(dot.into());
    }
    panel
}

fn thin(points: Vec<(f64, f64)>, colour: &str) -> Plot {
    LinePlot::new().with_data(points).with_color(colour).with_stroke_width(1.0).into()
}

/// Accuracy, or the loss where there is none, with a line at `epoch`.
fn fit(rows: &[SummaryRow], epoch: i32) -> Option<Panel> {
    type Column = fn(&SummaryRow) -> Option<f64>;
    let measures: [(&str, Column, Column); 3] = [
        ("accuracy", |row| row.accuracy_train_mean, |row| row.accuracy_test_mean),
        ("loss (nats)", |row| row.loss_train_nats_mean, |row| row.loss_test_nats_mean),
        ("squared error", |row| row.squared_error_train_mean, |row| row.squared_error_test_mean),
    ];
    let (label, train, test) = measures.into_iter().find(|(_, train, _)| has_course(rows, *train))?;
    let heights = values(rows, train).chain(values(rows, test));
    let label = if has_course(rows, test) { format!("{label}, test dashed") } else { label.to_owned() };
    let mut panel = Panel::new("", Axis::epochs(rows.iter().map(|row| row.epoch)), Axis::over(&label, heights));
    let layer = rows.first().map_or(1, |row| row.layer);
    let lines = [(train, BLACK, Mark::Solid), (test, GREY, Mark::Dashed)];
    panel.plots =
        lines.into_iter().filter_map(|(of, colour, mark)| line(course(rows, layer, of), colour, mark)).collect();
    panel.lines = vec![ReferenceLine::vertical(place(epoch)).with_color(layer_colour(1))];
    Some(panel)
}
