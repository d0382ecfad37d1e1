//! The time of recorded snapshots: their epoch, or their step if several snapshots have the same epoch.

use std::collections::BTreeSet;

use super::Histogram;
use super::axes::{Axis, whole};
use crate::store::schema::{EstimateRow, SummaryRow};

/// Epoch and step of a snapshot, by which snapshots are ordered.
pub(super) type EpochStep = (i32, i64);

/// A row of a table that belongs to a snapshot.
pub(super) trait AtSnapshot {
    fn snapshot(&self) -> EpochStep;
}

impl AtSnapshot for SummaryRow {
    fn snapshot(&self) -> EpochStep {
        // Tables of version 1 have no steps; their epochs have one snapshot each.
        (self.epoch, self.step.unwrap_or(self.epoch.into()))
    }
}

impl AtSnapshot for EstimateRow {
    fn snapshot(&self) -> EpochStep {
        (self.epoch, self.step)
    }
}

impl AtSnapshot for Histogram {
    fn snapshot(&self) -> EpochStep {
        (self.epoch, self.step)
    }
}

/// Where the place of the untrained network is on a logarithmic axis: this factor left of the first other snapshot.
pub(super) const ZERO: f64 = 0.45;

/// The snapshots of a recording in time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timeline {
    snapshots: BTreeSet<EpochStep>,
    unit: Unit,
}

/// What time is counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    /// Epochs: no two snapshots have the same one.
    Epochs,
    /// Steps (updates of the weights): several snapshots have the same epoch.
    Steps,
}

impl Timeline {
    /// The times of all snapshots of `rows`, which are of one experiment.
    pub(super) fn new<'a, R: AtSnapshot + 'a>(rows: impl IntoIterator<Item = &'a R>) -> Self {
        Self::of(rows.into_iter().map(AtSnapshot::snapshot))
    }

    /// The times of some snapshots of one experiment.
    pub(super) fn of(snapshots: impl IntoIterator<Item = EpochStep>) -> Self {
        let snapshots: BTreeSet<EpochStep> = snapshots.into_iter().collect();
        let epochs: BTreeSet<i32> = snapshots.iter().map(|(epoch, _)| *epoch).collect();
        let unit = if epochs.len() == snapshots.len() { Unit::Epochs } else { Unit::Steps };
        Self { snapshots, unit }
    }

    /// The time of `snapshot`, in epochs or in steps.
    pub(super) fn time(&self, snapshot: EpochStep) -> f64 {
        match self.unit {
            Unit::Epochs => f64::from(snapshot.0),
            Unit::Steps => snapshot.1 as f64,
        }
    }

    /// The unit of the times: `epoch` or `step`.
    pub(super) fn label(&self) -> &'static str {
        match self.unit {
            Unit::Epochs => "epoch",
            Unit::Steps => "step",
        }
    }

    /// The name of `snapshot`: `epoch 3`, or `step 17` if several snapshots have the same epoch.
    pub(super) fn name(&self, snapshot: EpochStep) -> String {
        format!("{} {}", self.label(), whole(self.time(snapshot) as i64))
    }

    /// Whether `snapshot` is one of the snapshots.
    pub(super) fn contains(&self, snapshot: EpochStep) -> bool {
        self.snapshots.contains(&snapshot)
    }

    /// Whether the untrained network was recorded.
    pub(super) fn has_zero(&self) -> bool {
        self.snapshots.iter().any(|snapshot| self.time(*snapshot) <= 0.0)
    }

    /// The time of the first snapshot after the start of the training; 1 if there is none.
    pub(super) fn first(&self) -> f64 {
        let times = self.snapshots.iter().map(|snapshot| self.time(*snapshot));
        times.filter(|time| *time > 0.0).reduce(f64::min).unwrap_or(1.0)
    }

    /// The time of the last snapshot.
    pub(super) fn last(&self) -> f64 {
        self.snapshots.iter().map(|snapshot| self.time(*snapshot)).fold(0.0, f64::max)
    }

    /// The place of `snapshot` on the axis of time.
    pub(super) fn place(&self, snapshot: EpochStep) -> f64 {
        let time = self.time(snapshot);
        if time > 0.0 { time } else { ZERO * self.first() }
    }

    /// The axis of time, logarithmic, with a place for the untrained network if it was recorded.
    pub(super) fn axis(&self) -> Axis {
        let zero = self.has_zero().then(|| ZERO * self.first());
        Axis::time(self.label(), zero, self.snapshots.iter().map(|snapshot| self.place(*snapshot)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::tests::summary_row;

    fn timeline(snapshots: &[EpochStep]) -> Timeline {
        let row = |(epoch, step): &EpochStep| SummaryRow { epoch: *epoch, step: Some(*step), ..summary_row() };
        Timeline::new(&snapshots.iter().map(row).collect::<Vec<_>>())
    }

    #[test]
    fn snapshots_of_different_epochs_are_placed_at_their_epochs() {
        let timeline = timeline(&[(0, 0), (1, 7), (100, 700)]);
        assert!(timeline.place((0, 0)) < timeline.place((1, 7)));
        assert_eq!((timeline.place((1, 7)), timeline.place((100, 700))), (1.0, 100.0));
        assert_eq!((timeline.label(), timeline.name((100, 700)).as_str()), ("epoch", "epoch 100"));
    }

    #[test]
    fn snapshots_of_one_epoch_are_placed_by_their_step() {
        // Four steps an epoch.
        let timeline = timeline(&[(0, 0), (0, 1), (0, 3), (1, 5), (2, 8), (2, 9)]);
        let times: Vec<f64> = timeline.snapshots.iter().map(|snapshot| timeline.time(*snapshot)).collect();
        assert_eq!(times, [0.0, 1.0, 3.0, 5.0, 8.0, 9.0]);
        assert_eq!((timeline.first(), timeline.last(), timeline.has_zero()), (1.0, 9.0, true));
        assert!(timeline.place((0, 0)) < timeline.place((0, 1)));
        assert_eq!((timeline.label(), timeline.name((2, 9)).as_str()), ("step", "step 9"));
    }

    #[test]
    fn steps_of_an_unfinished_epoch_are_counted_as_steps() {
        let timeline = timeline(&[(0, 0), (0, 1), (0, 20)]);
        assert_eq!((timeline.place((0, 20)), timeline.label()), (20.0, "step"));
        assert_eq!(timeline.name((0, 20)), "step 20");
    }

    #[test]
    fn the_untrained_network_is_next_to_the_first_snapshot_after_it() {
        let timeline = timeline(&[(0, 0), (500, 500), (12_345, 12_345)]);
        assert_eq!((timeline.first(), timeline.place((0, 0))), (500.0, 500.0 * ZERO));
        assert_eq!(timeline.name((12_345, 12_345)), "epoch 12\u{2009}345");
    }

    #[test]
    fn tables_without_steps_are_placed_by_their_epochs() {
        let rows = [0, 5].map(|epoch| SummaryRow { epoch, step: None, ..summary_row() });
        assert_eq!(Timeline::new(&rows).place((5, 5)), 5.0);
    }
}
