//! The rows of one table of estimates: of layers, or of single units.

use super::plan::Work;
use crate::estimate_id::Unit;
use crate::store::schema::{EstimateRow, UnitEstimateRow};

/// Rows of one table.
#[derive(Debug, Clone)]
pub(super) enum Table {
    Layers(Vec<EstimateRow>),
    Units(Vec<UnitEstimateRow>),
}

impl Table {
    /// The table of `work`, without rows.
    pub(super) fn empty(work: &Work<'_>) -> Self {
        match work.request.id.unit {
            Unit::Layers => Self::Layers(Vec::new()),
            Unit::Units => Self::Units(Vec::new()),
        }
    }

    /// Adds the rows of another part of the same table.
    pub(super) fn append(&mut self, part: Self) {
        match (self, part) {
            (Self::Layers(rows), Self::Layers(more)) => rows.extend(more),
            (Self::Units(rows), Self::Units(more)) => rows.extend(more),
            (Self::Layers(_) | Self::Units(_), _) => unreachable!("a table is of layers or of units, always"),
        }
    }
}
