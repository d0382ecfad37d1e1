//! The information plane: for every recorded snapshot a thin line through the layers, coloured by epoch, mean over runs, and a
//! small dot for each run where they are few.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 3. Deviation: the colour is logarithmic in the epoch, as the recorded epochs are; theirs
//! is linear, so that all of the fitting phase has one colour.

use super::canvas::TimeColours;
use super::plane::{InPlane, PlaneAxes, draw_dots_in_time, draw_snapshots};
use super::sheet::Sheet;
use super::single;
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::count::counted;

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
