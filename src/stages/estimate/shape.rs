//! How often values of T are equal, independent of the estimator.

use crate::math::atoms::Cells;
use crate::sample::Representation;

/// How often values of T are equal.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Number of different rows.
    pub(super) n_distinct: usize,
    /// Share of the most frequent value.
    pub(super) atom_share: f64,
}

impl Shape {
    pub(super) fn of(t: &Representation<'_>) -> Self {
        Self { n_distinct: Cells::of_rows(t.values(), t.n_units()).n_cells(), atom_share: t.atom_share() }
    }
}
