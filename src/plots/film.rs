//! One snapshot of the training, as a film shows it: the plane with the layers' way so far, and below it how well the network fits.
//!
//! # Reference
//! The films of Shwartz-Ziv & Tishby 2017: the plane above, the accuracy below.

use kuva::render::annotations::ReferenceLine;

use super::PlotError;
use super::axes::Axis;
use super::canvas::{BLACK, GREY, layer_colour, pixels};
use super::plane::{InPlane, PlaneAxes, Point, draw_dots, draw_line, sorted};
use super::series::{Column, curve, has_curve, layers, legend, line, values};
use super::sheet::{Mark, Panel, Sheet};
use super::timeline::{AtSnapshot, EpochStep, Timeline};
use crate::count::counted;
use crate::layer_id::LayerId;
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
    let Some(now) = rows.iter().find(|row| row.snapshot().1 == step) else {
        return Err(PlotError::Nothing("summary of this snapshot"));
    };
    if rows.iter().all(|row| row.point().is_none()) {
        return Err(PlotError::Nothing("mean of I(X;T): every estimate failed, or has none"));
    }
    let timeline = Timeline::new(rows);
    let layers = layers(rows.iter().map(|row| row.layer));
    let mut panels = vec![plane(rows, &layers, now.snapshot())];
    panels.extend(fit(rows, now.snapshot(), &timeline));
    let sheet = Sheet {
        title: format!("{}: {}", now.experiment, timeline.name(now.snapshot())),
        subtitle: format!("{}, mean over {}", now.estimator, counted(now.n_runs, "run")),
        columns: 1,
        size: SIZE,
        panels,
        legend: legend(rows.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Solid),
        ..Sheet::default()
    };
    Ok(Frame { png: pixels(sheet.scene(), SCALE)? })
}

/// The way of each layer until `now`, and a line through the layers there.
fn plane(rows: &[SummaryRow], layers: &[LayerId], now: EpochStep) -> Panel {
    let mut panel = PlaneAxes::whole(rows).panel("");
    let mut ends: Vec<(Point, &str)> = Vec::new();
    for layer in layers {
        let until_now = rows.iter().filter(|row| row.layer == *layer && row.snapshot() <= now);
        let way: Vec<Point> = sorted(until_now).into_iter().map(|(_, point)| point).collect();
        ends.extend(way.last().map(|last| (*last, layer_colour(*layer))));
        draw_line(&mut panel, way, layer_colour(*layer), 1.0);
    }
    draw_line(&mut panel, ends.iter().map(|(point, _)| *point).collect(), GREY, 1.0);
    for (point, colour) in ends {
        draw_dots(&mut panel, vec![point], colour, 6.0);
    }
    panel
}

/// Accuracy, or the loss where there is none, with a line at `now`.
fn fit(rows: &[SummaryRow], now: EpochStep, timeline: &Timeline) -> Option<Panel> {
    let measures: [(&str, Column, Column); 3] = [
        ("accuracy", |row| row.accuracy_train_mean, |row| row.accuracy_test_mean),
        ("loss (nats)", |row| row.loss_train_nats_mean, |row| row.loss_test_nats_mean),
        ("squared error", |row| row.squared_error_train_mean, |row| row.squared_error_test_mean),
    ];
    let (label, train, test) = measures.into_iter().find(|(_, train, _)| has_curve(rows, *train))?;
    let heights = values(rows, train).chain(values(rows, test));
    let label = if has_curve(rows, test) { format!("{label}, test dashed") } else { label.to_owned() };
    let mut panel = Panel::new("", timeline.axis(), Axis::over(&label, heights));
    let layer = rows.first()?.layer;
    let lines = [(train, BLACK, Mark::Solid), (test, GREY, Mark::Dashed)];
    let drawn = |(column, colour, mark)| line(curve(rows, layer, column, timeline), colour, mark);
    panel.plots = lines.into_iter().filter_map(drawn).collect();
    panel.lines = vec![ReferenceLine::vertical(timeline.place(now)).with_color(layer_colour(LayerId::FIRST))];
    Some(panel)
}
