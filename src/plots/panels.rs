//! One small information plane for each experiment of a sweep, all with the same axes and colours.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 5 (number of layers); Saxe et al. 2018, Figs 5 and 8.

use kuva::plot::{LinePlot, ScatterPlot};

use super::axes::Axis;
use super::canvas::EpochColours;
use super::settings::{experiments, title};
use super::sheet::{Axes, Panel, Sheet};
use super::{Picture, PlotError, Spec, Subject, Tables};
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "panels",
    summary: "one small information plane for each experiment of a sweep, mean over runs",
    of: Subject::Sweep,
    draw,
};

/// More panels than these are no picture any more.
const MOST: usize = 24;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let is_drawn = |row: &&SummaryRow| row.i_xt_bits_mean.is_some() && row.i_ty_bits_mean.is_some();
    let rows: Vec<SummaryRow> = tables.summary.iter().filter(is_drawn).cloned().collect();
    let all = experiments(&rows, tables.settings);
    let (Some(first), true) = (rows.first(), all.len() > 1) else {
        return Err(PlotError::Nothing("second experiment with estimates of I(X;T)"));
    };
    let names = &all[..all.len().min(MOST)];
    let is_shown = |row: &&SummaryRow| names.contains(&row.experiment.as_str());
    let last = rows.iter().filter(is_shown).map(|row| row.epoch).max().unwrap_or(1);
    let colours = EpochColours::new(last);
    let axis = |label: &str, column: fn(&SummaryRow) -> Option<f64>| {
        Axis::from_zero(label, rows.iter().filter(is_shown).filter_map(column))
    };
    let x = axis("I(X;T) (bits)", |row| row.i_xt_bits_mean);
    let y = axis("I(T;Y) (bits)", |row| row.i_ty_bits_mean);
    let panel = |name: &&str| {
        let here = rows.iter().filter(|row| row.experiment == *name);
        panel(Panel::new(title(name, tables.settings), x.clone(), y.clone()), here, &colours)
    };
    let columns = names.len().min(if names.len() > 9 { 4 } else { 3 });
    let cut = if names.len() < all.len() { format!("; {} of {} experiments", MOST, all.len()) } else { String::new() };
    let sheet = Sheet {
        title: "information plane, mean over runs".to_owned(),
        subtitle: format!("{}{cut}", first.estimator),
        columns,
        size: (340.0, 300.0),
        panels: names.iter().map(panel).collect(),
        axes: Axes::Same,
        bar: Some(colours.bar()),
        ..Sheet::default()
    };
    sheet.draw()
}

fn panel<'a>(mut panel: Panel, rows: impl Iterator<Item = &'a SummaryRow>, colours: &EpochColours) -> Panel {
    let point = |row: &SummaryRow| Some((row.epoch, row.step, row.layer, row.i_xt_bits_mean?, row.i_ty_bits_mean?));
    let mut points: Vec<_> = rows.filter_map(point).collect();
    points.sort_by_key(|(epoch, step, layer, ..)| (*epoch, *step, *layer));
    for snapshot in points.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let path: Vec<(f64, f64)> = snapshot.iter().map(|(.., x, y)| (*x, *y)).collect();
        let line = LinePlot::new().with_data(path).with_color(colours.of(snapshot[0].0)).with_stroke_width(0.3);
        panel.plots.push(line.into());
    }
    let of_dots: Vec<String> = points.iter().map(|(epoch, ..)| colours.of(*epoch)).collect();
    let dots = points.iter().map(|(.., x, y)| (*x, *y));
    panel.plots.push(ScatterPlot::new().with_data(dots).with_colors(of_dots).with_size(2.6).into());
    panel
}
