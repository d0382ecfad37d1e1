//! I(X;T) against the epoch, one panel for each estimator, all with the same axes: what is of the network shows in all of
//! them, what is of the estimator in one.
//!
//! # Reference
//! Saxe et al. 2018, Fig. 10 and Appendix C: the same network looks different to other estimators.

use super::axes::Axis;
use super::series::{Column, by_estimator, has_curve, layers, legend, lines, values};
use super::sheet::{Axes, Mark, Panel, Sheet};
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "estimators",
    summary: "I(X;T) against the epoch, one panel per estimator, one line per layer",
    subject: Subject::Experiment,
    needs: &[Table::Summary],
    uses: &[],
    draw,
};

/// More panels than these are no picture any more.
const MOST: usize = 24;
const I_XT: Column = |row| row.i_xt_bits_mean;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let mut estimators = by_estimator(tables.summary);
    estimators.retain(|rows| has_curve(rows, I_XT));
    let n_estimators = estimators.len();
    estimators.truncate(MOST);
    let shown = estimators.concat();
    let Some(first) = shown.first() else {
        return Err(PlotError::Nothing("I(X;T) at two snapshots"));
    };
    let timeline = Timeline::new(&shown);
    let y = Axis::from_zero("I(X;T) (bits)", values(&shown, I_XT));
    let layers = layers(shown.iter().map(|row| row.layer));
    let panel = |rows: &Vec<SummaryRow>| {
        let mut panel = Panel::new(rows[0].estimator.to_string(), timeline.axis(), y.clone());
        panel.plots = lines(rows, &layers, I_XT, Mark::Solid, &timeline);
        panel
    };
    let sheet = Sheet {
        title: format!("{}: I(X;T) by epoch and estimator, mean over runs", first.experiment),
        subtitle: if n_estimators > MOST { format!("{MOST} of {n_estimators} estimators") } else { String::new() },
        columns: estimators.len().min(if estimators.len() > 9 { 4 } else { 3 }),
        size: (350.0, 290.0),
        panels: estimators.iter().map(panel).collect(),
        axes: Axes::Same,
        legend: legend(shown.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Solid),
        ..Sheet::default()
    };
    sheet.draw()
}
