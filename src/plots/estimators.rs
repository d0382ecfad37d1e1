//! I(X;T) against the epoch, one panel for each estimator, all with the same axes. A property of the network shows in all panels,
//! a property of an estimator in one.
//!
//! # Reference
//! Saxe et al. 2018, Fig. 10 and Appendix C: estimators differ about the same network.

use super::axes::Axis;
use super::series::{Column, by_estimator, has_curve, layers, legend, lines, values};
use super::sheet::{Axes, Mark, Panel, Sheet, columns};
use super::single;
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::store::schema::{EstimateRow, SummaryRow};

pub(super) const SPEC: Spec = Spec {
    name: "estimators",
    summary: "I(X;T) against the epoch, one panel per estimator, one line per layer, thin lines for single runs if there are fewer than five",
    subject: Subject::Experiment,
    needs: &[Table::Summary],
    uses: &[Table::Estimates],
    draw,
};

/// At most this many panels.
const MOST: usize = 24;
const I_XT: Column = |row| row.i_xt_bits_mean;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let mut estimators = by_estimator(tables.summary);
    let without_curve: Vec<Vec<SummaryRow>> = estimators.extract_if(.., |rows| !has_curve(rows, I_XT)).collect();
    let too_many = estimators.split_off(estimators.len().min(MOST));
    let shown = estimators.concat();
    let Some(first) = shown.first() else {
        return Err(PlotError::Nothing("I(X;T) at two snapshots"));
    };
    let timeline = Timeline::new(&shown);
    let single_networks = |rows: &[SummaryRow]| -> Vec<&EstimateRow> {
        let is_drawn = rows.iter().map(|row| row.n_runs).max().is_some_and(single::are_drawn);
        tables.estimates.iter().filter(|row| is_drawn && row.estimator == rows[0].estimator).collect()
    };
    let single: Vec<Vec<&EstimateRow>> = estimators.iter().map(|rows| single_networks(rows)).collect();
    let heights = values(&shown, I_XT).chain(single.iter().flatten().filter_map(|row| row.i_xt_bits));
    let y = Axis::from_zero("I(X;T) (bits)", heights);
    let layers = layers(shown.iter().map(|row| row.layer));
    let panel = |(rows, single): (&Vec<SummaryRow>, &Vec<&EstimateRow>)| {
        let mut panel = Panel::new(rows[0].estimator.to_string(), timeline.axis(), y.clone());
        panel.plots = single::lines(single, |row| row.i_xt_bits, &timeline);
        panel.plots.extend(lines(rows, &layers, I_XT, Mark::Solid, &timeline));
        panel
    };
    let mut legend = legend(shown.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Solid);
    if single.iter().any(|rows| !rows.is_empty()) {
        legend.push(single::entry(Mark::Thin));
    }
    let sheet = Sheet {
        title: format!("{}: I(X;T) by epoch and estimator, mean over runs", first.experiment),
        columns: columns(estimators.len()),
        size: (350.0, 290.0),
        panels: estimators.iter().zip(&single).map(panel).collect(),
        axes: Axes::Same,
        legend,
        remarks: left_out(&without_curve, &too_many),
        ..Sheet::default()
    };
    sheet.draw()
}

/// Sentences that name the estimators without a panel, with the reason.
fn left_out(without_curve: &[Vec<SummaryRow>], too_many: &[Vec<SummaryRow>]) -> Vec<String> {
    let has_point = |rows: &&Vec<SummaryRow>| rows.iter().any(|row| I_XT(row).is_some());
    let (one_snapshot, no_estimate): (Vec<_>, Vec<_>) = without_curve.iter().partition(has_point);
    let sentence = |reason: &str, estimators: Vec<&Vec<SummaryRow>>| {
        let names: Vec<String> = estimators.iter().map(|rows| rows[0].estimator.to_string()).collect();
        (!names.is_empty()).then(|| format!("Left out, {reason}: {}.", names.join(", ")))
    };
    [
        sentence("no estimate of I(X;T)", no_estimate),
        sentence("I(X;T) at one snapshot only", one_snapshot),
        sentence(&format!("because the figure has at most {MOST} panels"), too_many.iter().collect()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
