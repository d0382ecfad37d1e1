//! One information plane for each experiment of a sweep, all with the same axes and colours: one parameter varies over the columns and
//! the others over the rows.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 5 (number of layers); Saxe et al. 2018, Figs 5 and 8.

use super::canvas::TimeColours;
use super::grid::{Arrangement, Grid};
use super::plane::{InPlane, PlaneAxes, Point, draw_snapshots};
use super::settings::{Parameter, experiments, parameters};
use super::sheet::Panel;
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::count::counted;
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "panels",
    summary: "one information plane for each experiment of a sweep, mean over runs",
    subject: Subject::Sweep,
    needs: &[Table::Summary],
    uses: &[Table::Settings],
    draw,
};

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows: Vec<SummaryRow> = tables.summary.iter().filter(|row| row.point().is_some()).cloned().collect();
    let names = experiments(&rows, tables.settings);
    let (Some(first), true) = (rows.first(), names.len() > 1) else {
        return Err(PlotError::Nothing("second experiment with estimates of I(X;T)"));
    };
    let mut parameters = parameters(&names, tables.settings);
    if parameters.is_empty() {
        parameters.push(Parameter::of_experiments(&names, tables.settings));
    }
    let arrangement = Arrangement::of(&parameters.iter().collect::<Vec<_>>(), names.len());
    let n_drawn = arrangement.n_drawn();
    let of_cell = |cell: usize| {
        let place = arrangement.cells.iter().position(|other| *other == cell);
        let name = place.map(|place| names[place]);
        rows.iter().filter(|row| Some(row.experiment.as_str()) == name).collect::<Vec<&SummaryRow>>()
    };
    let drawn: Vec<Vec<&SummaryRow>> = (0..n_drawn).map(of_cell).collect();
    let filled = || drawn.iter().filter(|rows| !rows.is_empty());
    let timelines: Vec<Timeline> = filled().map(|rows| Timeline::new(rows.iter().copied())).collect();
    let colours = TimeColours::new(&timelines);
    let axes = PlaneAxes::around(&drawn.iter().flatten().filter_map(|row| row.point()).collect::<Vec<Point>>());
    let panel = |rows: &Vec<&SummaryRow>| -> Option<Panel> {
        let mut panel = (!rows.is_empty()).then(|| axes.clone().panel(""))?;
        draw_snapshots(&mut panel, rows.iter().copied(), &Timeline::new(rows.iter().copied()), &colours, 2.6);
        Some(panel)
    };
    let n_left_out = names.len() - filled().count();
    let left_out = match n_left_out {
        0 => String::new(),
        n => format!("; {} left out", counted(n, "experiment")),
    };
    let grid = Grid {
        title: "information plane, mean over runs".to_owned(),
        subtitle: format!("{}{left_out}", first.estimator),
        panels: drawn.iter().map(panel).collect(),
        arrangement,
        legend: Vec::new(),
        bar: Some(colours.bar()),
    };
    grid.draw()
}
