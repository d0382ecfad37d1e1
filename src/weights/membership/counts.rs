//! Counts of each outcome for both values of a mask, and the information between outcome and mask.

use std::collections::BTreeMap;

use crate::math::binary_kl::binary_kl;
use crate::units::Nats;

/// Counts of each outcome of a pair, for networks trained on its first sample and for networks trained on its second
/// sample.
///
/// ```
/// use infoplane::weights::MaskCounts;
///
/// // Four networks; for three of them the outcome shows which sample was trained on.
/// let counts = MaskCounts::of([("a", false), ("a", false), ("b", true), ("a", true)]);
/// assert_eq!(counts.cells(), [[2, 1], [0, 1]]);
/// assert!((counts.information().bits() - 0.311_278_124_459_132_86).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskCounts(Vec<[u64; 2]>);

impl MaskCounts {
    /// Counts `outcomes`, each with whether the second of the pair was trained on; in ascending order of the outcomes.
    pub fn of<C: Ord>(outcomes: impl IntoIterator<Item = (C, bool)>) -> Self {
        let mut cells: BTreeMap<C, [u64; 2]> = BTreeMap::new();
        for (outcome, second) in outcomes {
            cells.entry(outcome).or_default()[usize::from(second)] += 1;
        }
        Self(cells.into_values().collect())
    }

    /// The table with these counts; outcomes with counts 0 are left out.
    pub fn of_cells(cells: &[[u64; 2]]) -> Self {
        Self(cells.iter().copied().filter(|cell| *cell != [0, 0]).collect())
    }

    /// The counts of each outcome: with the first of the pair trained on, and with the second.
    pub fn cells(&self) -> &[[u64; 2]] {
        &self.0
    }

    /// The number of counted outcomes.
    pub fn n(&self) -> u64 {
        self.sizes().iter().sum()
    }

    /// The number of counted outcomes with the second of the pair trained on.
    pub fn n_second(&self) -> u64 {
        self.0.iter().map(|[_, second]| second).sum()
    }

    /// The count of each outcome.
    pub(super) fn sizes(&self) -> Vec<u64> {
        self.0.iter().map(|[first, second]| first + second).collect()
    }

    /// The plug-in information I(outcome; U) = Σ_cells (c/N) kl(a/c ‖ K/N), in 0..=ln 2; a of the c in a cell, and K of all N,
    /// have the second of the pair trained on.
    ///
    /// It is exactly 0 if each cell is divided as the total is: a/c and K/N are then equal in f64. (A difference of
    /// entropies would give √2I = 1e-8.)
    pub fn information(&self) -> Nats {
        let share = self.n_second() as f64 / self.n() as f64;
        let cells = self.0.iter().map(|[first, second]| divergence(*second, first + second, share));
        Nats(cells.sum::<f64>() / self.n() as f64)
    }
}

/// c kl(a/c ‖ share).
pub(super) fn divergence(a: u64, c: u64, share: f64) -> f64 {
    c as f64 * binary_kl(a as f64 / c as f64, share)
}

/// The plug-in information I(W;U) of two jointly observed variables, for example weights and whole masks. For a learner
/// without randomness, with each mask once, it is H(W).
pub fn discrete_information<W: Ord, U: Ord>(outcomes: impl IntoIterator<Item = (W, U)>) -> Nats {
    let mut joint: BTreeMap<W, BTreeMap<U, u64>> = BTreeMap::new();
    for (w, u) in outcomes {
        *joint.entry(w).or_default().entry(u).or_default() += 1;
    }
    let mut of_u: BTreeMap<&U, u64> = BTreeMap::new();
    for (u, count) in joint.values().flatten() {
        *of_u.entry(u).or_default() += count;
    }
    let n = of_u.values().sum::<u64>() as f64;
    let mut sum = 0.0;
    for row in joint.values() {
        let of_w = row.values().sum::<u64>() as f64;
        for (u, count) in row {
            let count = *count as f64;
            sum += count * (count * n / (of_w * of_u[u] as f64)).ln();
        }
    }
    Nats(if n > 0.0 { sum / n } else { 0.0 })
}
