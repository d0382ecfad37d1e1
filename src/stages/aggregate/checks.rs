//! The findings of `infoplane check`, by estimator, layer and snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::inputs::Input;
use super::verdict::LayerChecks;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::{CheckRow, SummaryRow};
use crate::store::{CheckVerdict, Experiment, StoreError, read_rows};

/// Checks that a verdict on the compression depends on.
const DECIDING: [&str; 8] =
    ["saturation", "null-xt", "ceiling-xt", "ceiling-ty", "outside", "fano", "dpi-xt", "dpi-ty"];
/// The checks that compare a layer with the layer above.
const COMPARING: [&str; 2] = ["dpi-xt", "dpi-ty"];

/// The findings of one experiment.
#[derive(Debug, Default)]
pub(super) struct Checks {
    estimators: BTreeMap<Arc<EstimateId>, EstimatorChecks>,
}

/// The findings of one estimator.
#[derive(Debug, Default)]
pub(super) struct EstimatorChecks {
    /// The findings of every layer.
    pub(super) layers: BTreeMap<LayerId, LayerChecks>,
    /// How many checks warn and how many are violated, by layer, epoch and step.
    counts: BTreeMap<(LayerId, i32, i64), [i64; 2]>,
}

impl Checks {
    /// Reads the findings of `input`; none if it is not checked.
    pub(super) fn read(input: &Input) -> Result<Self, StoreError> {
        let mut checks = Self::default();
        if !input.is_checked {
            return Ok(checks);
        }
        for row in read_rows::<CheckRow>(&input.experiment.root().join(Experiment::CHECKS))? {
            let of_estimator = checks.estimators.entry(Arc::clone(&row.estimator)).or_default();
            // Counted for both layers, as in verdicts: if two layers are compared, either number may be wrong.
            let above = LayerId::of_number(row.layer.index() + 1).filter(|_| COMPARING.contains(&row.check.as_str()));
            for layer in [Some(row.layer), above].into_iter().flatten() {
                let counts = of_estimator.counts.entry((layer, row.epoch, row.step)).or_default();
                counts[0] += i64::from(row.verdict == CheckVerdict::Warning);
                counts[1] += i64::from(row.verdict == CheckVerdict::Violated);
            }
            if DECIDING.contains(&row.check.as_str()) {
                of_estimator.layers.entry(row.layer).or_default().add(&row);
            }
            if let Some(above) = above {
                of_estimator.layers.entry(above).or_default().add_from_below(&row);
            }
        }
        Ok(checks)
    }

    /// The findings of an estimator.
    pub(super) fn of(&self, estimator: &EstimateId) -> Option<&EstimatorChecks> {
        self.estimators.get(estimator)
    }
}

impl EstimatorChecks {
    /// Writes the counts into the rows of the same layer and snapshot.
    pub(super) fn count(&self, summary: &mut [SummaryRow]) {
        for row in summary {
            let counts = row.step.and_then(|step| self.counts.get(&(row.layer, row.epoch, step)));
            (row.n_checks_warning, row.n_checks_violated) = (counts.map(|c| c[0]), counts.map(|c| c[1]));
        }
    }
}
