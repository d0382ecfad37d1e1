//! Estimates, and what checks and claims say of them.

use std::sync::Arc;

use super::super::words::{CheckVerdict, ClaimVerdict, CompressionVerdict, Registration};
use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One run, layer and recorded snapshot: what one estimator says of the layer as a whole.
    "estimates" = EstimateRow {
        /// Identity of the estimator with its parameters and its choice of values, samples and pool.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Run, `r0000` is the first; `pooled` where the runs are pooled.
        run: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: LayerId,
        /// What the layer is called; null where it has no name, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Whole passes over the training samples; of a window, the last of them.
        epoch: i32,
        /// Updates of the weights so far, 0 is the untrained network; of a window, the last of them.
        step: i64,
        /// What the number is, in words: another estimator measures another quantity.
        quantity: Option<String>,
        /// What makes T random once X is known: `none`, `noise` (added in the analysis, not there in training), `window` (the steps pooled) or `runs` (the runs pooled).
        randomness: Option<String>,
        /// Recorded snapshots that were pooled, 1 where nothing was.
        n_pooled: Option<i64>,
        /// I(X;T) in bits; null where there is no estimate, and for estimators that know it up to a constant only.
        i_xt_bits: Option<f64>,
        /// I(T;Y) in bits; null where there is no estimate.
        i_ty_bits: Option<f64>,
        /// I(T;T′) in bits, T′ being the layer above; null at the last layer and for estimators that have none.
        i_tt_bits: Option<f64>,
        /// I(X;T|Y) = I(X;T) − I(T;Y) in bits: what T keeps of X that says nothing of Y, T depending on Y through X only; null where there is no I(X;T), and in files before version 8.
        i_xt_given_y_bits: Option<f64>,
        /// I(T;Ŷ) in bits, Ŷ being the class that the network predicts (its largest output); null where the output is not recorded or no classifier's, for estimators that make no code of T, and in files before version 8.
        i_t_predicted_bits: Option<f64>,
        /// H(Ŷ|T) in bits: Ŷ is a function of T, so above 0 the code loses what the network makes its prediction of; null as `i_t_predicted_bits`.
        h_predicted_given_t_bits: Option<f64>,
        /// H(T) in bits: of a code its entropy, of T plus noise or of a density a differential entropy, which may be negative; null where there is no estimate, and for estimators that have none.
        h_t_bits: Option<f64>,
        /// H(T|X) in bits: of a code 0 unless snapshots are pooled or inputs repeat, of noise its differential entropy; null where there is no estimate, and where T is taken for a density.
        h_t_given_x_bits: Option<f64>,
        /// The largest possible I(X;T) in bits: H(X), or the logarithm of the number of possible codes where that is less; formulas that correct a bias or take T for Gaussian can exceed it; null where there is no I(X;T).
        i_xt_ceiling_bits: Option<f64>,
        /// The largest possible I(T;Y) in bits: H(Y), less H(Y|X) where labels are probabilities; null where there is no estimate.
        i_ty_ceiling_bits: Option<f64>,
        /// Shuffles behind the columns `…_null_…`.
        n_shuffles: Option<i64>,
        /// Random halves of the samples behind the columns `…_resampled_…`; 0 without `--resample samples`, and null in files before version 8.
        n_resamples: Option<i64>,
        /// Mean of I(X;T) in bits over random halves of the samples, drawn without replacement; null without such, and where snapshots are pooled.
        i_xt_resampled_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) over the same: of a mean over samples, its standard error by the choice of all samples. It does not contain the bias of the estimator.
        i_xt_resampled_bits_std: Option<f64>,
        /// Mean of I(T;Y) in bits over the same halves.
        i_ty_resampled_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(T;Y) over the same halves.
        i_ty_resampled_bits_std: Option<f64>,
        /// Mean over shuffles of I(X;T) in bits when the inputs are shuffled among the rows. Equal to the estimate where every row has an input of its own: then I(X;T) cannot see which input made which T; null where there is no I(X;T).
        i_xt_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same; null with fewer than two shuffles.
        i_xt_null_bits_std: Option<f64>,
        /// Mean over shuffles of I(T;Y) in bits when the labels are shuffled among the samples (pooled snapshots of a sample share its label): what the estimator says where there is no information.
        i_ty_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same; null with fewer than two shuffles.
        i_ty_null_bits_std: Option<f64>,
        /// Mean over shuffles of I(T;T′) in bits when the rows of T′ are shuffled among the samples of their snapshot; null where runs of different samples are pooled.
        i_tt_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same; null with fewer than two shuffles.
        i_tt_null_bits_std: Option<f64>,
        /// I(X;T) in bits of the same layer and run before training; null where step 0 is not recorded, has no estimate, or is pooled with others.
        i_xt_untrained_bits: Option<f64>,
        /// I(T;Y) in bits of the same layer and run before training; null where step 0 is not recorded, has no estimate, or is pooled with others.
        i_ty_untrained_bits: Option<f64>,
        /// Rows in the estimate: samples, times the snapshots pooled; 0 where the number is exact.
        n_samples: i32,
        /// Distinct values of T that the estimator saw; 0 where there is no estimate.
        n_codes: i32,
        /// Distinct rows of T at the full precision of the recording.
        n_distinct: Option<i64>,
        /// Share of the values of T that equal its smallest, its largest or 0, whichever is most frequent: atoms, as of a saturated tanh or of ReLU.
        atom_share: Option<f64>,
        /// Share of the values of T below the lowest or above the highest edge of an estimator with fixed edges, which puts them into one bin at each end; null for other estimators, where there is no estimate, and in files before version 8.
        outside_share: Option<f64>,
        /// Why there is no estimate, else null.
        failure: Option<String>,
    }

    /// One run, layer, unit and recorded snapshot: what one estimator says of a single unit t of the layer.
    "unit_estimates" = UnitEstimateRow {
        /// Identity of the estimator with its parameters and its choice of values, samples and pool.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Run, `r0000` is the first; `pooled` where the runs are pooled.
        run: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: LayerId,
        /// What the layer is called; null where it has no name, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Number of the unit in its layer, from 0.
        unit: i32,
        /// Whole passes over the training samples; of a window, the last of them.
        epoch: i32,
        /// Updates of the weights so far; of a window, the last of them.
        step: i64,
        /// I(X;t) in bits; null where there is no estimate, and for estimators that know it up to a constant only.
        i_xt_bits: Option<f64>,
        /// I(t;Y) in bits; null where there is no estimate.
        i_ty_bits: Option<f64>,
        /// Mean over shuffles of I(t;Y) in bits when the labels are shuffled among the samples.
        i_ty_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same; null with fewer than two shuffles.
        i_ty_null_bits_std: Option<f64>,
        /// The largest possible I(X;t) in bits; null where there is no I(X;t).
        i_xt_ceiling_bits: Option<f64>,
        /// The largest possible I(t;Y) in bits: H(Y), less H(Y|X) where labels are probabilities; null where there is no estimate.
        i_ty_ceiling_bits: Option<f64>,
        /// Rows in the estimate: samples, times the snapshots pooled.
        n_samples: i32,
        /// Distinct values of t that the estimator saw; 0 where there is no estimate.
        n_codes: i32,
        /// Share of the values of t below the lowest or above the highest edge of an estimator with fixed edges, which puts them into one bin at each end; null for other estimators, where there is no estimate, and in files before version 8.
        outside_share: Option<f64>,
        /// Why there is no estimate, else null.
        failure: Option<String>,
    }

    /// One estimator, layer, recorded snapshot and check: how many runs pass it.
    "checks" = CheckRow {
        /// Identity of the estimator with its parameters and its choice of values, samples and pool.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: LayerId,
        /// What the layer is called; null where it has no name, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far.
        step: i64,
        /// Name of the check.
        check: String,
        /// `passed`, `note`, `warning`, `violated`, or `unknown` where what it needs is not there.
        verdict: CheckVerdict,
        /// Runs that were looked at.
        n_runs: i32,
        /// Runs that do not pass.
        n_found: i32,
        /// Of them, runs in which the check is violated; null in files before version 8.
        n_violated: Option<i64>,
        /// The figure that is judged, in the run where it is worst; its meaning is in `says`.
        value: Option<f64>,
        /// What the figure is compared with.
        bound: Option<f64>,
        /// What was found, in words.
        says: String,
        /// What the estimate is, in words; null in files before version 7.
        quantity: Option<String>,
    }

    /// One claim of a paper, experiment and layer: what the runs say of it.
    "claims" = ClaimRow {
        /// Name of the experiment; in a sweep, that of its folder.
        experiment: String,
        /// Figure or section of the paper; null where the claim names none.
        figure: Option<String>,
        /// The claim in words.
        claim: String,
        /// What the paper has, in words, where the pipeline says it.
        paper: Option<String>,
        /// Identity of the estimator, where the quantity is an estimate.
        #[serde(flatten)]
        estimator: Option<Arc<EstimateId>>,
        /// Name of the quantity: estimates and entropies are in bits, losses in nats, accuracies are shares.
        quantity: String,
        /// Number of the layer; null where the quantity belongs to none.
        layer: Option<LayerId>,
        /// What the layer is called; null where it has no name or the quantity belongs to no layer, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Identity of the measure of weights that the quantity is of; null where it is none, and in files before version 8.
        weights: Option<String>,
        /// Which number is taken of its course over the training, in words.
        measure: String,
        /// Which other number of the same run is subtracted, in words; null where none is, and in files before version 8.
        minus: Option<String>,
        /// What is claimed of the number, in words.
        wanted: String,
        /// `holds` (the 95 % interval of the mean is wholly as claimed), `fails` (it is wholly not so) or `undecided`.
        verdict: ClaimVerdict,
        /// Runs with such a number.
        n_runs: i32,
        /// Runs left out because their training failed.
        n_failed: i32,
        /// Runs whose own number is as claimed.
        n_met: i32,
        /// Mean over runs; null where there is no number.
        mean: Option<f64>,
        /// Standard deviation (n − 1) over runs; null with fewer than two.
        std: Option<f64>,
        /// Where the 95 % interval of the mean (Student) begins; null with fewer than two runs, and where all have the same number.
        low: Option<f64>,
        /// Where it ends.
        high: Option<f64>,
        /// Why it is undecided, or what never happens, else null.
        reason: Option<String>,
        /// What the estimate is, in words; null where the quantity is no estimate, and in files before version 7.
        estimate_quantity: Option<String>,
        /// Whether `infoplane freeze` registered the claim before the recording was begun: `before the recording`, `changed since` (a claim of the same words was registered, which means something else) or `no`; null where the recording cannot be read, and in files before version 8.
        registered: Option<Registration>,
        /// Verdict of `infoplane aggregate` on the compression of this layer by this estimate, as in the table `compression`, where the claim is about a change of I(X;T) over the training; null otherwise, where these estimates are not aggregated, and in files before version 8. `verdict` does not depend on it.
        compression: Option<CompressionVerdict>,
    }
}
