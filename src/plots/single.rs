//! Curves of single runs, which figures show if there are too few runs for a meaningful interval.

use kuva::render::plots::Plot;

use super::canvas::{GREY, layer_colour};
use super::series::line;
use super::sheet::{Entry, Mark};
use super::timeline::{AtSnapshot, Timeline};
use crate::store::schema::EstimateRow;

/// From this number of runs on, only their mean and its interval are shown.
const ENOUGH: i32 = 5;
/// Number of runs from which on an interval is drawn: that of two runs is thirteen times as wide as their distance.
const ENOUGH_FOR_INTERVAL: i32 = 3;

/// Whether each of `n_runs` runs is drawn. A single run is equal to its mean and is not drawn again.
pub(crate) fn are_drawn(n_runs: i32) -> bool {
    (2..ENOUGH).contains(&n_runs)
}

/// Whether the 95 % interval of the mean over `n_runs` runs is drawn, in figures that do not draw the single runs.
pub(crate) fn has_interval(n_runs: i32) -> bool {
    n_runs >= ENOUGH_FOR_INTERVAL
}

/// A column of the estimates.
pub(super) type RunColumn = fn(&EstimateRow) -> Option<f64>;

/// A thin line for each run and layer of `rows`, which are of one estimator.
pub(super) fn lines(rows: &[&EstimateRow], column: RunColumn, timeline: &Timeline) -> Vec<Plot> {
    let network = |rows: &[&EstimateRow]| {
        let point = |row: &&EstimateRow| Some((timeline.place(row.snapshot()), column(row)?));
        line(rows.iter().filter_map(point).collect(), layer_colour(rows[0].layer), Mark::Thin)
    };
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| (&a.run, a.layer, a.snapshot()).cmp(&(&b.run, b.layer, b.snapshot())));
    rows.chunk_by(|a, b| (&a.run, a.layer) == (&b.run, b.layer)).filter_map(network).collect()
}

/// The legend's entry for single runs.
pub(super) fn entry(mark: Mark) -> Entry {
    Entry::new("single runs", GREY, mark)
}
