//! How the compression of I(X;T) and measures of weights go together.

use std::sync::Arc;

use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One estimator and layer, one quantity of a measure of weights, and one statistic: the relation between this quantity and the compression of I(X;T) in the layer. Compression is `phases.compression_bits`, or `phases.drop_bits` (never negative) if no run has `phases.compression_bits` for this estimator and layer.
    "relations" = RelationRow {
        /// Identity of the estimate of I(X;T), for example `binning-n-edges-30`.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Number of the layer of I(X;T): 1 is the first layer after the input.
        layer: LayerId,
        /// Name of the layer of I(X;T); null if it has none.
        layer_name: Option<Arc<str>>,
        /// Identity of the measure of weights.
        weights: String,
        /// What makes the weights random, as in the table `weight_measures`.
        randomness: String,
        /// Name of the quantity of the measure. Quantities that describe only how well the measure was computed (for example `r_hat`) and those of published programs (`compat_…`) are left out.
        quantity: String,
        /// Number of the layer of the measure of weights; null for the whole network.
        weights_layer: Option<LayerId>,
        /// Which statistic `value` is. `settings`: rank correlation over the means of experiments. `runs`: rank correlation over single runs, after subtracting from both values their mean over the runs of the experiment. `snapshots`: rank correlation between I(X;T) and the quantity over the snapshots of each run, starting at the peak of I(X;T); mean over runs. `order`: log10(epoch + 1) of the turning point of the quantity minus that of I(X;T), negative if the quantity turns first; mean over the runs in which both turn after the first and before the last snapshot. An experiment with several groups of runs counts as one setting in `settings`; the other three statistics leave it out.
        statistic: String,
        /// Which value of the quantity is used: `end` (at the last snapshot), `change` (last snapshot minus first snapshot) or, for `snapshots` and `order`, `course` (all snapshots).
        number: String,
        /// Number of independent values in the statistic: experiments for `settings`; runs minus experiments plus 1 for `runs`; runs for `snapshots` and `order`.
        n: i32,
        /// Value of the statistic; null if there is none, see `reason`.
        value: Option<f64>,
        /// Lower end of the 95 % interval of `value`; null if there is no interval.
        low: Option<f64>,
        /// Upper end of the 95 % interval of `value`; null if there is no interval.
        high: Option<f64>,
        /// Two-sided probability of a value at least this far from 0 if there is no relation; null if it was not computed.
        p: Option<f64>,
        /// `p` after Holm's correction over all rows of this estimator and statistic; null if `p` is null.
        p_holm: Option<f64>,
        /// Why there is no value or no interval, and what was left out; otherwise null.
        reason: Option<String>,
    }
}

impl RelationRow {
    /// Whether its p is below 5 % after Holm's correction.
    pub fn is_clear(&self) -> bool {
        self.p_holm.is_some_and(|p| p < 0.05)
    }
}
