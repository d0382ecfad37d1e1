//! How the compression of I(X;T) and measures of weights go together.

use std::sync::Arc;

use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One estimator and layer, one number of a measure of weights, one statistic: how the compression of I(X;T) in the layer and the number go together.
    "relations" = RelationRow {
        /// Identity of the estimator of I(X;T).
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Number of the layer whose I(X;T) it is.
        layer: LayerId,
        /// What the layer is called; null where it has no name.
        layer_name: Option<Arc<str>>,
        /// Identity of the measure of weights.
        weights: String,
        /// What makes the weights random.
        randomness: String,
        /// Which of the measure's numbers.
        quantity: String,
        /// The layer of that number; null for the whole network.
        weights_layer: Option<LayerId>,
        /// `settings` (rank correlation over the means of experiments), `runs` (over single runs, the mean of their experiment taken off both), `snapshots` (within each run, over the snapshots from the peak of I(X;T) on; mean over runs) or `order` (when the number turns, compared with the peak of I(X;T), in decades of epochs + 1; mean over runs, negative where the number turns first).
        statistic: String,
        /// What of the number: `end`, `change` (from its first snapshot to its last) or, for `snapshots` and `order`, `course`.
        number: String,
        /// Experiments, runs or pairs that it is of.
        n: i32,
        /// The statistic; null where it has none.
        value: Option<f64>,
        /// Where its 95 % interval begins; null where there is none.
        low: Option<f64>,
        /// Where it ends.
        high: Option<f64>,
        /// Probability of a statistic as far from 0 without any relation, two-sided.
        p: Option<f64>,
        /// The same after Holm's correction for all rows of this estimator and statistic.
        p_holm: Option<f64>,
        /// Why there is no value, else null.
        reason: Option<String>,
    }
}

impl RelationRow {
    /// Whether its p is below 5 % after Holm's correction.
    pub fn is_clear(&self) -> bool {
        self.p_holm.is_some_and(|p| p < 0.05)
    }
}
