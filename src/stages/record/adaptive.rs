//! Adaptive spacing: chooses the steps to record so that consecutive snapshots differ little in information.
//!
//! # Reference
//! Grabauskas 2019: the number of skipped batches doubles while no measurement changes by more than δ; the exact form
//! bisects the skipped batches. Deviation: after a change that is too large the distance is halved; the paper leaves this open.

use serde::{Deserialize, Serialize};

/// Bytes of weights that exact adaptive spacing may keep in memory to look back.
pub(super) const LOOK_BACK_BYTES: u64 = 64 << 20;

/// The present distance between snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Spacing {
    /// I(X;T) and I(T;Y) of every layer at the last snapshot, in bits; empty before the first.
    pub(super) last: Vec<f64>,
    /// Steps to the next measurement.
    pub(super) distance: u64,
}

impl Spacing {
    pub(super) fn new() -> Self {
        Self { last: Vec::new(), distance: 1 }
    }

    /// Adds the next measurement; the next distance is at most `most`.
    pub(super) fn advance(&mut self, measured: Vec<f64>, delta: f64, most: u64) {
        let is_small = change(&self.last, &measured) <= delta;
        self.distance = if is_small { (2 * self.distance).min(most.max(1)) } else { (self.distance / 2).max(1) };
        self.last = measured;
    }
}

/// The largest difference between two measurements.
pub(super) fn change(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The indices of the steps among `n` that must be recorded so that consecutive snapshots differ by at most `delta`, or are
/// consecutive steps. The last step is always recorded. `before` is the measurement before step 0, `newest` the measurement of
/// the last step; `measure` makes others.
pub(super) fn bisect<E>(
    before: &[f64],
    newest: &[f64],
    n: usize,
    delta: f64,
    measure: &mut dyn FnMut(usize) -> Result<Vec<f64>, E>,
) -> Result<Vec<usize>, E> {
    // Counted from 1, so that 0 is the previous snapshot.
    let mut chosen = Vec::new();
    let mut left = (0, before.to_vec());
    let mut rights = vec![(n, newest.to_vec())];
    while let Some((at, measured)) = rights.last() {
        if at - left.0 == 1 || change(&left.1, measured) <= delta {
            left = (*at, measured.clone());
            chosen.push(at - 1);
            rights.pop();
        } else {
            let middle = left.0 + (at - left.0) / 2;
            rights.push((middle, measure(middle - 1)?));
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bisection_keeps_every_change_below_delta_and_records_no_flat_stretch() {
        // Flat, a jump of 1 between steps 39 and 40, a slope of 0.05 a step from 60 on.
        let value = |step: usize| f64::from(u8::from(step >= 40)) + 0.05 * step.saturating_sub(60) as f64;
        let measure = &mut |step: usize| Ok::<_, ()>(vec![value(step)]);
        let chosen = bisect(&[0.0], &[value(99)], 100, 0.2, measure).unwrap();
        let mut before = (0, 0.0);
        for step in &chosen {
            let change: f64 = value(*step) - before.1;
            assert!(change <= 0.2 + 1e-9 || step - before.0 == 1, "{change} at step {step}");
            before = (*step, value(*step));
        }
        assert_eq!(chosen.last(), Some(&99));
        assert!(chosen.contains(&39) && chosen.contains(&40) && chosen.len() < 25, "{chosen:?}");
    }

    #[test]
    fn the_distance_doubles_after_small_changes_and_halves_after_large_ones() {
        let mut spacing = Spacing { last: vec![0.0], distance: 4 };
        spacing.advance(vec![0.1], 0.2, 100);
        assert_eq!(spacing.distance, 8);
        spacing.advance(vec![0.9], 0.2, 100);
        assert_eq!(spacing.distance, 4);
        spacing.advance(vec![0.9], 0.2, 5);
        assert_eq!(spacing.distance, 5);
    }
}
