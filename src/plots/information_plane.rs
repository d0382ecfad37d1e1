//! The information plane: for every recorded snapshot a thin line through the layers, coloured by epoch, mean over runs, and a
//! small dot for each run where they are few.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 3. Deviation: the colour is logarithmic in the epoch, as the recorded epochs are; theirs
//! is linear, so that all of the fitting phase has one colour.

use super::canvas::{TimeColours, layer_name};
use super::plane::{InPlane, PlaneAxes, Point, draw_dots_in_time, draw_snapshots};
use super::series::layers;
use super::sheet::{Note, Sheet};
use super::single;
use super::timeline::{AtSnapshot, Timeline};
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::count::counted;
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "information-plane",
    summary: "I(X;T) against I(T;Y), one line through the layers per recorded epoch, mean over runs, small dots for single networks where there are fewer than five",
    subject: Subject::Estimator,
    needs: &[Table::Summary],
    uses: &[Table::Estimates],
    draw,
};

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows = tables.summary;
    let drawn = rows.iter().filter(|row| row.point().is_some());
    let Some(first) = drawn.clone().next() else {
        return Err(PlotError::Nothing("mean of I(X;T): every estimate failed, or has none"));
    };
    let timeline = Timeline::new(drawn.clone());
    let colours = TimeColours::new([&timeline]);
    let n_runs = rows.iter().map(|row| row.n_runs).max().unwrap_or(0);
    let single = if single::are_drawn(n_runs) { tables.estimates } else { &[] };
    let mut panel = PlaneAxes::around(&[PlaneAxes::corners(rows), PlaneAxes::corners(single)].concat()).panel("");
    draw_dots_in_time(&mut panel, single, &timeline, &colours, 1.5);
    draw_snapshots(&mut panel, drawn, &timeline, &colours, 4.0);
    panel.notes = names(rows);
    let small = if single.is_empty() { "" } else { "; small dots: single networks" };
    let sheet = Sheet {
        title: format!("{}: information plane, mean over {}", first.experiment, counted(n_runs, "run")),
        subtitle: format!("{}{small}", first.estimator),
        columns: 1,
        size: (790.0, 560.0),
        panels: vec![panel],
        bar: Some(colours.bar()),
        ..Sheet::default()
    };
    sheet.draw()
}

/// The name of every layer at its last snapshot; layers that end at the same place share a note.
fn names(rows: &[SummaryRow]) -> Vec<Note> {
    /// Of the range of an axis, how close two places are whose names would overlap.
    const CLOSE: (f64, f64) = (0.12, 0.04);
    let points: Vec<Point> = rows.iter().filter_map(InPlane::point).collect();
    let largest = |number: fn(&Point) -> f64| points.iter().map(number).fold(0.0, f64::max);
    let (x, y) = (CLOSE.0 * largest(|point| point.0), CLOSE.1 * largest(|point| point.1));
    let Some(last) = rows.iter().map(|row| row.layer).max() else { return Vec::new() };
    let mut notes: Vec<Note> = Vec::new();
    for layer in layers(rows.iter().map(|row| row.layer)) {
        let here = rows.iter().filter(|row| row.layer == layer).max_by_key(|row| row.snapshot());
        let Some((row, at)) = here.and_then(|row| Some((row, row.point()?))) else { continue };
        let says = layer_name(layer, row.layer_name.as_deref(), last);
        match notes.iter_mut().find(|note| (note.at.0 - at.0).abs() <= x && (note.at.1 - at.1).abs() <= y) {
            Some(note) => note.says = format!("{}, {says}", note.says),
            None => notes.push(Note { at, says }),
        }
    }
    notes
}
