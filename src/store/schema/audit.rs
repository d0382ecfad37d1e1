//! Estimates of distributions whose information is known.

use std::sync::Arc;

use super::tables;
use crate::estimate_id::EstimateId;

tables! {
    /// One estimator, distribution, dimension, number of samples and seed: the estimate of a known I(X;Y).
    "audit" = AuditRow {
        /// Identity of the estimate (its name, for example `ksg-k-3`): the estimator and its parameters.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Name of the distribution; `infoplane audit --list` describes all of them.
        distribution: String,
        /// Dimension d of the distribution.
        dims: i32,
        /// Number of samples.
        n_samples: i32,
        /// Seed of the samples.
        seed: i64,
        /// Name of the estimated quantity.
        quantity: String,
        /// True I(X;Y) in bits; null if it is infinite.
        truth_bits: Option<f64>,
        /// The estimate in bits; null without an estimate.
        estimate_bits: Option<f64>,
        /// Standard error in bits from the random numbers of the estimator; null for estimators without random numbers.
        error_bits: Option<f64>,
        /// Lower end of the 95 % interval from random halves of the samples, in bits; null without halves.
        low_bits: Option<f64>,
        /// Upper end of this interval in bits; null without halves.
        high_bits: Option<f64>,
        /// Mean of the estimates with permuted Y, in bits; null without permutations.
        null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of these estimates in bits; null with fewer than two permutations.
        null_bits_std: Option<f64>,
        /// Smallest of these estimates in bits; null without permutations.
        null_bits_low: Option<f64>,
        /// Largest of these estimates in bits; null without permutations.
        null_bits_high: Option<f64>,
        /// Largest possible estimate in bits for this number of samples; null if there is none.
        ceiling_bits: Option<f64>,
        /// Time in seconds on one thread, with permutations and halves; null without `--time`, because it differs from call to call.
        seconds: Option<f64>,
        /// Why there is no estimate; otherwise null.
        failure: Option<String>,
    }

    /// One estimator, distribution, dimension and number of samples: bias and spread over seeds.
    "audit_summary" = AuditSummaryRow {
        /// Identity of the estimate (its name, for example `ksg-k-3`): the estimator and its parameters.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Name of the distribution; `infoplane audit --list` describes all of them.
        distribution: String,
        /// Dimension d of the distribution.
        dims: i32,
        /// Number of samples.
        n_samples: i32,
        /// Name of the estimated quantity.
        quantity: String,
        /// True I(X;Y) in bits; null if it is infinite.
        truth_bits: Option<f64>,
        /// Number of seeds with an estimate.
        n_seeds: i32,
        /// Number of seeds without an estimate.
        n_failed: i32,
        /// Mean of the estimates in bits; null if there is none.
        mean_bits: Option<f64>,
        /// Standard deviation (n − 1) over seeds in bits; null with fewer than two estimates.
        std_bits: Option<f64>,
        /// Mean minus truth, in bits; null if the truth is infinite.
        bias_bits: Option<f64>,
        /// Root of the mean squared difference from the truth, in bits; null if the truth is infinite.
        rmse_bits: Option<f64>,
        /// Share of the intervals that contain the truth, over the seeds that have an interval; null without intervals.
        coverage: Option<f64>,
        /// Share of the estimates between the smallest and the largest estimate with permuted Y, over the seeds that have permutations; null without permutations.
        within_null: Option<f64>,
        /// Mean time in seconds on one thread; null without `--time`.
        seconds_mean: Option<f64>,
        /// Why the first seed without an estimate has none; otherwise null.
        failure: Option<String>,
    }
}
