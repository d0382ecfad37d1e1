//! One small information plane for each experiment of a sweep, all with the same axes and colours.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 5 (number of layers); Saxe et al. 2018, Figs 5 and 8.

use super::canvas::TimeColours;
use super::plane::{InPlane, PlaneAxes, Point, draw_snapshots};
use super::settings::{experiments, title};
use super::sheet::{Axes, Sheet};
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "panels",
    summary: "one small information plane for each experiment of a sweep, mean over runs",
    subject: Subject::Sweep,
    needs: &[Table::Summary],
    uses: &[Table::Settings],
    draw,
};

/// More panels than these are no picture any more.
const MOST: usize = 24;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows: Vec<SummaryRow> = tables.summary.iter().filter(|row| row.point().is_some()).cloned().collect();
    let mut names = experiments(&rows, tables.settings);
    let (Some(first), true) = (rows.first(), names.len() > 1) else {
        return Err(PlotError::Nothing("second experiment with estimates of I(X;T)"));
    };
    let n_experiments = names.len();
    names.truncate(MOST);
    let of_experiment = |name: &&str| rows.iter().filter(|row| row.experiment == *name).collect::<Vec<_>>();
    let drawn: Vec<Vec<&SummaryRow>> = names.iter().map(of_experiment).collect();
    let timelines: Vec<Timeline> = drawn.iter().map(|rows| Timeline::new(rows.iter().copied())).collect();
    let colours = TimeColours::new(&timelines);
    let axes = PlaneAxes::around(&drawn.iter().flatten().filter_map(|row| row.point()).collect::<Vec<Point>>());
    let panel = |((name, rows), timeline): ((&&str, &Vec<&SummaryRow>), &Timeline)| {
        let mut panel = axes.clone().panel(title(name, tables.settings));
        draw_snapshots(&mut panel, rows.iter().copied(), timeline, &colours, 2.6);
        panel
    };
    let cut = if n_experiments > MOST { format!("; {MOST} of {n_experiments} experiments") } else { String::new() };
    let sheet = Sheet {
        title: "information plane, mean over runs".to_owned(),
        subtitle: format!("{}{cut}", first.estimator),
        columns: names.len().min(if names.len() > 9 { 4 } else { 3 }),
        size: (340.0, 300.0),
        panels: names.iter().zip(&drawn).zip(&timelines).map(panel).collect(),
        axes: Axes::Same,
        bar: Some(colours.bar()),
        ..Sheet::default()
    };
    sheet.draw()
}
