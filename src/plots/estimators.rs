//! I(X;T) against the epoch, one panel for each estimator, all with the same axes: what is of the network shows in all of
//! them, what is of the estimator in one.
//!
//! # Reference
//! Saxe et al. 2018, Fig. 10 and Appendix C: the same network looks different to other estimators.

use super::axes::Axis;
use super::series::{Column, estimators, has_course, layers, legend, lines, values};
use super::sheet::{Axes, Mark, Panel, Sheet};
use super::{Picture, PlotError, Spec, Subject, Tables};
use crate::estimate_id::EstimateId;
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "estimators",
    summary: "I(X;T) against the epoch, one panel per estimator, one line per layer",
    of: Subject::Experiment,
    draw,
};

/// More panels than these are no picture any more.
const MOST: usize = 24;
const I_XT: Column = |row| row.i_xt_bits_mean;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows_of =
        |id: &EstimateId| tables.summary.iter().filter(|row| *row.estimator == *id).cloned().collect::<Vec<_>>();
    let by_estimator = estimators(tables.summary.iter().map(|row| &row.estimator)).into_iter().map(rows_of);
    let mut by_estimator: Vec<Vec<SummaryRow>> = by_estimator.filter(|rows| has_course(rows, I_XT)).collect();
    let n_all = by_estimator.len();
    by_estimator.truncate(MOST);
    let shown = by_estimator.concat();
    let Some(first) = shown.first() else {
        return Err(PlotError::Nothing("course of I(X;T): two epochs with estimates"));
    };
    let x = Axis::epochs(shown.iter().map(|row| row.epoch));
    let y = Axis::from_zero("I(X;T) (bits)", values(&shown, I_XT));
    let layers = layers(&shown);
    let panel = |rows: &Vec<SummaryRow>| {
        let mut panel = Panel::new(rows[0].estimator.to_string(), x.clone(), y.clone());
        panel.plots = lines(rows, &layers, I_XT, Mark::Solid);
        panel
    };
    let sheet = Sheet {
        title: format!("{}: I(X;T) by epoch and estimator, mean over runs", first.experiment),
        subtitle: if n_all > MOST { format!("{MOST} of {n_all} estimators") } else { String::new() },
        columns: by_estimator.len().min(if by_estimator.len() > 9 { 4 } else { 3 }),
        size: (350.0, 290.0),
        panels: by_estimator.iter().map(panel).collect(),
        axes: Axes::Same,
        legend: legend(&layers),
        ..Sheet::default()
    };
    sheet.draw()
}
