//! Estimates, and what checks and claims say of them.

use std::sync::Arc;

use super::super::words::{CheckVerdict, ClaimVerdict, CompressionVerdict, Registration};
use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One estimator, run, layer and recorded snapshot: the estimates for the whole layer.
    "estimates" = EstimateRow {
        /// Identity of the estimate (its name, for example `binning-n-edges-30`): the estimator, its parameters, and the values, samples and pooling that it uses.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Name of the run; `r0000` is the first; `pooled` if the runs are pooled.
        run: String,
        /// Number of the layer: 1 is the first layer after the input; the highest number is the output layer.
        layer: LayerId,
        /// Name of the layer; null if it has none, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Number of complete passes over the training samples; for a window of pooled snapshots, the epoch of the last one.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network; for a window of pooled snapshots, the step of the last one.
        step: i64,
        /// Name of the estimated quantity; estimators with different quantities cannot be compared by value.
        quantity: Option<String>,
        /// What makes T random once X is known: `none`, `noise` (added in the analysis and absent in training; for sample propagation, the noise of the network), `window` (the pooled steps) or `runs` (the pooled runs).
        randomness: Option<String>,
        /// Number of pooled snapshots; 1 without pooling.
        n_pooled: Option<i64>,
        /// I(X;T) in bits; null without an estimate, and for estimators that know it only up to a constant.
        i_xt_bits: Option<f64>,
        /// I(T;Y) in bits; null without an estimate.
        i_ty_bits: Option<f64>,
        /// Standard error of I(X;T) in bits from the random numbers of the estimator, such as random projections; null for estimators without random numbers or that do not measure their effect, and in files before version 8.
        i_xt_error_bits: Option<f64>,
        /// Standard error of I(T;Y) in bits from the random numbers of the estimator; null for estimators without random numbers or that do not measure their effect, and in files before version 8.
        i_ty_error_bits: Option<f64>,
        /// I(T;T′) in bits, with T′ the next layer; null for the last layer and for estimators that do not provide it.
        i_tt_bits: Option<f64>,
        /// I(X;T|Y) = I(X;T) − I(T;Y) in bits: the information in T about X that is not information about Y. The formula assumes that T depends on Y only through X. Null without I(X;T), and in files before version 8.
        i_xt_given_y_bits: Option<f64>,
        /// I(T;Ŷ) in bits, with Ŷ the class that the network predicts (its largest output); null if the output is not recorded or is not that of a classifier, for estimators that do not make discrete codes of T, and in files before version 8.
        i_t_predicted_bits: Option<f64>,
        /// H(Ŷ|T) in bits, with Ŷ the class that the network predicts. Ŷ is a function of T, so a value above 0 shows that the code of T does not contain all information that the network uses for its prediction. Null if `i_t_predicted_bits` is null.
        h_predicted_given_t_bits: Option<f64>,
        /// H(T) in bits: the entropy of a discrete code, or the differential entropy of a density (for example of T plus noise), which may be negative; null without an estimate, and for estimators that do not provide it.
        h_t_bits: Option<f64>,
        /// H(T|X) in bits: 0 for a discrete code, unless snapshots are pooled or inputs repeat; the differential entropy of the noise for T plus noise; null without an estimate, and for estimators that treat T itself as a density.
        h_t_given_x_bits: Option<f64>,
        /// Largest possible I(X;T) in bits: the smaller of H(X) and the logarithm of the number of possible codes. Formulas that correct a bias or assume a Gaussian T can exceed it. Null without I(X;T).
        i_xt_ceiling_bits: Option<f64>,
        /// Largest possible I(T;Y) in bits: H(Y), minus H(Y|X) if labels are probabilities; null without an estimate.
        i_ty_ceiling_bits: Option<f64>,
        /// H(X) in bits: the entropy of the inputs of the rows used by the estimate, log₂ of their number if all are distinct; null without an estimate, if the inputs are continuous, and in files before version 8.
        h_x_bits: Option<f64>,
        /// H(Y) in bits: the entropy of the labels of the rows used by the estimate; null without an estimate, if the labels are continuous, and in files before version 8.
        h_y_bits: Option<f64>,
        /// Number of shuffles for the columns `…_null_…`.
        n_shuffles: Option<i64>,
        /// Number of random halves of the samples for the columns `…_resampled_…`; 0 without `--resample samples`; null in files before version 8.
        n_resamples: Option<i64>,
        /// Mean of I(X;T) in bits over random halves of the samples, drawn without replacement; null without `--resample samples`, and if snapshots are pooled.
        i_xt_resampled_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(X;T) in bits over random halves of the samples. For a mean over samples it equals the standard error over all samples. It does not include the bias of the estimator. Null if `i_xt_resampled_bits_mean` is null.
        i_xt_resampled_bits_std: Option<f64>,
        /// Mean of I(T;Y) in bits over random halves of the samples, drawn without replacement; null without `--resample samples`, and if snapshots are pooled.
        i_ty_resampled_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(T;Y) in bits over random halves of the samples. For a mean over samples it equals the standard error over all samples. It does not include the bias of the estimator. Null if `i_ty_resampled_bits_mean` is null.
        i_ty_resampled_bits_std: Option<f64>,
        /// Permutation null of I(X;T): mean in bits over shuffles of the inputs among the rows. It equals the estimate if no two rows have the same input, because shuffling distinct inputs cannot change I(X;T). Null without I(X;T).
        i_xt_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the permutation null of I(X;T) over shuffles, in bits; null with fewer than two shuffles.
        i_xt_null_bits_std: Option<f64>,
        /// Permutation null of I(T;Y): mean in bits over shuffles of the labels among the samples (pooled snapshots of one sample keep one label). It is the bias of the estimate if T and Y are independent. Null without shuffles.
        i_ty_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the permutation null of I(T;Y) over shuffles, in bits; null with fewer than two shuffles.
        i_ty_null_bits_std: Option<f64>,
        /// Permutation null of I(T;T′): mean in bits over shuffles of the rows of T′ among the samples of their snapshot; null without I(T;T′), and if runs with different samples are pooled.
        i_tt_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the permutation null of I(T;T′) over shuffles, in bits; null with fewer than two shuffles.
        i_tt_null_bits_std: Option<f64>,
        /// I(X;T) in bits of this layer and run before training; null if step 0 is not recorded, has no estimate, or is pooled with other snapshots.
        i_xt_untrained_bits: Option<f64>,
        /// I(T;Y) in bits of this layer and run before training; null if step 0 is not recorded, has no estimate, or is pooled with other snapshots.
        i_ty_untrained_bits: Option<f64>,
        /// Number of rows used by the estimate: samples times pooled snapshots; 0 if the value is exact.
        n_samples: i32,
        /// Number of values of T that the estimator distinguishes, for example of codes after binning; 0 without an estimate.
        n_codes: i32,
        /// Number of distinct rows of T at the full precision of the recording.
        n_distinct: Option<i64>,
        /// Share of the values of T that equal the most frequent of three values: the minimum, the maximum and 0. A saturated tanh and a ReLU have large shares.
        atom_share: Option<f64>,
        /// Share of the values of T below the lowest or above the highest edge of an estimator with fixed edges. The parameters `below`, `above` and `compat` of the estimator determine in which bins these values are counted; by default, in an extra bin at each end. Null for other estimators, without an estimate, and in files before version 8.
        outside_share: Option<f64>,
        /// Why there is no estimate; otherwise null.
        failure: Option<String>,
    }

    /// One estimator, run, layer, unit and recorded snapshot: the estimates for a single unit t of the layer.
    "unit_estimates" = UnitEstimateRow {
        /// Identity of the estimate (its name, for example `binning-n-edges-30`): the estimator, its parameters, and the values, samples and pooling that it uses.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Name of the run; `r0000` is the first; `pooled` if the runs are pooled.
        run: String,
        /// Number of the layer: 1 is the first layer after the input; the highest number is the output layer.
        layer: LayerId,
        /// Name of the layer; null if it has none, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Number of the unit within its layer, from 0.
        unit: i32,
        /// Number of complete passes over the training samples; for a window of pooled snapshots, the epoch of the last one.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network; for a window of pooled snapshots, the step of the last one.
        step: i64,
        /// I(X;t) in bits; null without an estimate, and for estimators that know it only up to a constant.
        i_xt_bits: Option<f64>,
        /// I(t;Y) in bits; null without an estimate.
        i_ty_bits: Option<f64>,
        /// Permutation null of I(t;Y): mean in bits over shuffles of the labels among the samples; null without shuffles.
        i_ty_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the permutation null of I(t;Y) over shuffles, in bits; null with fewer than two shuffles.
        i_ty_null_bits_std: Option<f64>,
        /// Largest possible I(X;t) in bits; null without I(X;t).
        i_xt_ceiling_bits: Option<f64>,
        /// Largest possible I(t;Y) in bits: H(Y), minus H(Y|X) if labels are probabilities; null without an estimate.
        i_ty_ceiling_bits: Option<f64>,
        /// Number of rows used by the estimate: samples times pooled snapshots.
        n_samples: i32,
        /// Number of values of t that the estimator distinguishes, for example of codes after binning; 0 without an estimate.
        n_codes: i32,
        /// Share of the values of t below the lowest or above the highest edge of an estimator with fixed edges. The parameters `below`, `above` and `compat` of the estimator determine in which bins these values are counted; by default, in an extra bin at each end. Null for other estimators, without an estimate, and in files before version 8.
        outside_share: Option<f64>,
        /// Why there is no estimate; otherwise null.
        failure: Option<String>,
    }

    /// One estimator, layer, recorded snapshot and check: how many runs pass it.
    "checks" = CheckRow {
        /// Identity of the estimate (its name, for example `binning-n-edges-30`): the estimator, its parameters, and the values, samples and pooling that it uses.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Number of the layer: 1 is the first layer after the input; the highest number is the output layer.
        layer: LayerId,
        /// Name of the layer; null if it has none, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Name of the check, for example `dpi-xt`; docs/numbers/checks.md lists all checks.
        check: String,
        /// `passed`, `note`, `warning`, `violated`, or `unknown` if the data that the check needs are missing.
        verdict: CheckVerdict,
        /// Number of runs checked.
        n_runs: i32,
        /// Number of runs that do not pass the check.
        n_found: i32,
        /// Number of runs in which the check is `violated`; null in files before version 8.
        n_violated: Option<i64>,
        /// The worst value over runs, which the check compares with `bound`; the column `says` explains it.
        value: Option<f64>,
        /// Limit that `value` is compared with.
        bound: Option<f64>,
        /// What the check found, as a sentence.
        says: String,
        /// Name of the estimated quantity; null in files before version 7.
        quantity: Option<String>,
    }

    /// One claim of a paper, experiment and layer: whether the runs support it.
    "claims" = ClaimRow {
        /// Name of the experiment; in a sweep, the name of its folder.
        experiment: String,
        /// Figure or section of the paper; null if the claim names none.
        figure: Option<String>,
        /// The claim as a sentence.
        claim: String,
        /// What the paper reports, as a sentence; null if the pipeline does not give it.
        paper: Option<String>,
        /// Identity of the estimate, for example `binning-n-edges-30`; null if the quantity is not an estimate.
        #[serde(flatten)]
        estimator: Option<Arc<EstimateId>>,
        /// Name of the quantity: estimates and entropies are in bits, losses in nats, accuracies are shares from 0 to 1.
        quantity: String,
        /// Number of the layer: 1 is the first layer after the input; null if the quantity does not belong to a layer.
        layer: Option<LayerId>,
        /// Name of the layer; null if it has none, if the quantity does not belong to a layer, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Identity of the measure of weights that provides the quantity; null for other quantities, and in files before version 8.
        weights: Option<String>,
        /// Which number the claim takes from the curve of the quantity over the training, in words.
        measure: String,
        /// Which other number of the same run is subtracted before the comparison, in words; null if no number is subtracted, and in files before version 8.
        minus: Option<String>,
        /// The range in which the claim requires the number to be, in words.
        wanted: String,
        /// `holds` (the whole 95 % interval of the mean is as claimed), `fails` (no part of the interval is as claimed) or `undecided`.
        verdict: ClaimVerdict,
        /// Number of runs with a value.
        n_runs: i32,
        /// Number of runs left out because their training failed.
        n_failed: i32,
        /// Number of runs whose value is as claimed.
        n_met: i32,
        /// Mean over runs; null if no run has a value.
        mean: Option<f64>,
        /// Standard deviation (n − 1) over runs; null with fewer than two runs.
        std: Option<f64>,
        /// Lower end of the 95 % interval of the mean (Student's t); null with fewer than two runs, and if the values of all runs are equal.
        low: Option<f64>,
        /// Upper end of the 95 % interval of the mean (Student's t); null with fewer than two runs, and if the values of all runs are equal.
        high: Option<f64>,
        /// Why the claim is undecided, or which event never happens in the runs; otherwise null.
        reason: Option<String>,
        /// Name of the estimated quantity; null if the quantity is not an estimate, and in files before version 7.
        estimate_quantity: Option<String>,
        /// Whether `infoplane freeze` registered the claim before the recording was started: `before the recording`, `changed since` (a claim with the same text was registered, but with other settings, such as another range or measure) or `no`; null if the recording cannot be read, and in files before version 8.
        registered: Option<Registration>,
        /// Verdict of `infoplane aggregate` on the compression of this layer for this estimator, as in the table `compression`, if the claim is about a change of I(X;T) during training; null for other claims, if these estimates are not aggregated, and in files before version 8. `verdict` does not depend on it.
        compression: Option<CompressionVerdict>,
    }
}
