//! How the compression of I(X;T) and measures of weights go together.

use std::sync::Arc;

use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One estimator and layer, one number of a measure of weights, one statistic: how the compression of I(X;T) in the layer and the number go together. Compression is `phases.compression_bits`, or, where no run has that for the estimator and the layer, `phases.drop_bits`, which is never negative.
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
        /// Which of the measure's numbers. Those that only say how well the measure could be computed, for example `r_hat`, and those of released programs, `compat_…`, are left out.
        quantity: String,
        /// The layer of that number; null for the whole network.
        weights_layer: Option<LayerId>,
        /// `settings` (rank correlation over the means of experiments), `runs` (rank correlation over single runs, after the mean over the runs of the experiment is subtracted from both), `snapshots` (rank correlation of I(X;T) and the number within each run, over the snapshots from the peak of I(X;T) on; mean over runs) or `order` (when the number turns, compared with when I(X;T) turns, in decades of epochs + 1; mean over the runs in which both turn after the first snapshot and before the last; negative where the number turns first). Several groups of runs are the one setting of their experiment, and are left out of the other three.
        statistic: String,
        /// What is taken of the number: `end` (at the last snapshot), `change` (from the first snapshot to the last) or, for `snapshots` and `order`, `course` (all snapshots).
        number: String,
        /// How many independent values the statistic is of: experiments for `settings`; for `runs`, runs less one for every further experiment; for `snapshots` and `order`, runs.
        n: i32,
        /// Value of the statistic; null where `reason` says why there is none.
        value: Option<f64>,
        /// Lower end of the 95 % interval of `value`; null where there is none.
        low: Option<f64>,
        /// Upper end of the 95 % interval of `value`; null where there is none.
        high: Option<f64>,
        /// Probability of a value at least as far from 0 if there is no relation, two-sided; null where there is none.
        p: Option<f64>,
        /// `p` after Holm's correction for all rows of this estimator and statistic; null where `p` is.
        p_holm: Option<f64>,
        /// Why there is no value or no interval, else null: with what was left out.
        reason: Option<String>,
    }
}

impl RelationRow {
    /// Whether its p is below 5 % after Holm's correction.
    pub fn is_clear(&self) -> bool {
        self.p_holm.is_some_and(|p| p < 0.05)
    }
}
