//! I(X;T) against the epoch, one panel for each estimator, all with the same axes unless an estimate exceeds the ceiling by far.
//! A property of the network shows in all panels, a property of an estimator in one.
//!
//! # Reference
//! Saxe et al. 2018, Fig. 10 and Appendix C: estimators differ about the same network.

use super::axes::{Axis, number};
use super::series::{Column, by_estimator, has_curve, layers, legend, line_ends, lines, values};
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
    let heights: Vec<Vec<f64>> = estimators
        .iter()
        .zip(&single)
        .map(|(rows, single)| values(rows, I_XT).chain(single.iter().filter_map(|row| row.i_xt_bits)).collect())
        .collect();
    let axis = |heights: Vec<f64>| Axis::from_zero("I(X;T) (bits)", heights);
    let limit = limit(&shown, &heights);
    let is_shared = |heights: &Vec<f64>| heights.iter().all(|height| *height <= limit);
    let y = axis(heights.iter().filter(|heights| is_shared(heights)).flatten().copied().collect());
    let layers = layers(shown.iter().map(|row| row.layer));
    let panel = |((rows, single), heights): ((&Vec<SummaryRow>, &Vec<&EstimateRow>), &Vec<f64>)| {
        let (mark, y) = if is_shared(heights) { ("", y.clone()) } else { (" *", axis(heights.clone())) };
        let mut panel = Panel::new(format!("{}{mark}", rows[0].estimator), timeline.axis(), y);
        panel.plots = single::lines(single, |row| row.i_xt_bits, &timeline);
        panel.plots.extend(lines(rows, &layers, I_XT, Mark::Solid, &timeline));
        panel.ends = line_ends(rows, &layers, I_XT, &timeline);
        panel
    };
    let mut legend = legend(shown.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Solid);
    if single.iter().any(|rows| !rows.is_empty()) {
        legend.push(single::entry(Mark::Thin));
    }
    let mut remarks = left_out(&without_curve, &too_many);
    if !heights.iter().all(is_shared) {
        remarks.push(format!("* Above {} bits, with another scale of the vertical axis.", number(limit)));
    }
    let sheet = Sheet {
        title: format!("{}: I(X;T) by epoch and estimator, mean over runs", first.experiment),
        columns: columns(estimators.len()),
        size: (350.0, 290.0),
        panels: estimators.iter().zip(&single).zip(&heights).map(panel).collect(),
        axes: Axes::Same,
        legend,
        remarks,
        ..Sheet::default()
    };
    sheet.draw()
}

/// The largest estimate of a panel with the common axis. Estimates that exceed the ceiling by far would make the other panels flat.
fn limit(rows: &[SummaryRow], heights: &[Vec<f64>]) -> f64 {
    /// In units of the ceiling.
    const FAR: f64 = 1.25;
    let ceiling = values(rows, |row| row.i_xt_ceiling_bits).reduce(f64::max);
    let limit = ceiling.map_or(f64::INFINITY, |ceiling| (FAR * ceiling).ceil());
    // If all exceed it, they have the common axis.
    if heights.iter().all(|heights| heights.iter().any(|height| *height > limit)) { f64::INFINITY } else { limit }
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
