//! Estimates against the true information, with their spread over seeds: one panel per estimator.

use super::axes::Axis;
use super::canvas::{BLACK, rank_colours};
use super::series::line;
use super::sheet::{Axes, Entry, Mark, Panel, Sheet, columns};
use super::{Picture, PlotError};
use crate::store::schema::AuditSummaryRow;

/// The largest number of panels.
const MOST_PANELS: usize = 24;

/// The figure of an audit: a point for each distribution, dimension and number of samples, with a line of one standard deviation
/// to both sides; the dashed diagonal is the truth.
///
/// # Errors
/// There is no estimate of finite information.
pub fn figure(rows: &[AuditSummaryRow]) -> Result<Picture, PlotError> {
    let drawn: Vec<&AuditSummaryRow> =
        rows.iter().filter(|row| row.truth_bits.is_some() && row.mean_bits.is_some()).collect();
    let mut dims: Vec<i32> = drawn.iter().map(|row| row.dims).collect();
    dims.sort_unstable();
    dims.dedup();
    let colours = rank_colours(dims.len());
    let colour = |row: &AuditSummaryRow| colours(dims.iter().position(|d| *d == row.dims).unwrap_or_default());
    let truths = || drawn.iter().filter_map(|row| row.truth_bits);
    let most = truths().fold(0.0, f64::max);
    // Estimates far above the truth would hide all others.
    let within = |value: f64| if most > 0.0 { value.clamp(-most, 2.0 * most) } else { value };
    let panel = |rows: &[&AuditSummaryRow]| {
        let ends = |row: &&AuditSummaryRow| {
            let (mean, std) = (row.mean_bits.unwrap_or_default(), row.std_bits.unwrap_or_default());
            [mean - std, mean + std]
        };
        let shown = rows.iter().flat_map(ends).map(within);
        let mut panel = Panel::new(
            rows[0].estimator.to_string(),
            Axis::from_zero("true I(X;Y) (bits)", truths()),
            Axis::from_zero("estimate (bits)", shown.chain([most])),
        );
        panel.plots.extend(line(vec![(0.0, 0.0), (most, most)], BLACK, Mark::Dashed));
        for row in rows {
            let truth = row.truth_bits.unwrap_or_default();
            let [low, high] = ends(row).map(within);
            panel.plots.extend(line(vec![(truth, low), (truth, high)], &colour(row), Mark::Solid));
            let middle = within(row.mean_bits.unwrap_or_default());
            super::plane::draw_dots(&mut panel, vec![(truth, middle)], &colour(row), 3.0);
        }
        panel
    };
    let panels: Vec<Panel> = drawn.chunk_by(|a, b| a.estimator == b.estimator).take(MOST_PANELS).map(panel).collect();
    if panels.is_empty() {
        return Err(PlotError::Nothing("estimates of finite information"));
    }
    let n_estimators = drawn.chunk_by(|a, b| a.estimator == b.estimator).count();
    let left_out = n_estimators.saturating_sub(MOST_PANELS);
    let remark = match left_out {
        0 => Vec::new(),
        n => vec![format!("{n} more estimators are in the table audit_summary.")],
    };
    let dimension = |d: &i32| {
        Entry::new(format!("d = {d}"), &colours(dims.iter().position(|x| x == d).unwrap_or_default()), Mark::Dot)
    };
    let sheet = Sheet {
        title: "estimates of known information".to_owned(),
        subtitle: "mean ± standard deviation over seeds; values beyond twice the largest truth are drawn at the edge"
            .to_owned(),
        columns: columns(panels.len()),
        size: (340.0, 300.0),
        panels,
        axes: Axes::Own,
        legend: dims.iter().map(dimension).collect(),
        bar: None,
        remarks: remark,
    };
    sheet.draw()
}
