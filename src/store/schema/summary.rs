//! Statistics over the runs of an experiment.

use std::sync::Arc;

use super::super::words::CompressionVerdict;
use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One experiment, estimator, layer and snapshot: means and spreads over runs.
    "summary" = SummaryRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimator with its parameters.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// What the estimate is, in words; null in files before version 7.
        quantity: Option<String>,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: LayerId,
        /// What the layer is called; null where it has no name, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; null in files of version 1.
        step: Option<i64>,
        /// Runs with an estimate.
        n_runs: i32,
        /// Runs without one.
        n_failed: i32,
        /// Mean of I(X;T) over runs, in bits; null where no run has one.
        i_xt_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(X;T) over runs, in bits; null with fewer than two runs.
        i_xt_bits_std: Option<f64>,
        /// Median of I(X;T) over runs, in bits.
        i_xt_bits_median: Option<f64>,
        /// Where the 95 % interval of the mean of I(X;T) begins, in bits (Student, over independently trained networks: it contains neither the bias of the estimator nor the choice of samples); null with fewer than two runs, and where all have the same number.
        i_xt_bits_low: Option<f64>,
        /// Where it ends.
        i_xt_bits_high: Option<f64>,
        /// Mean of I(T;Y) over runs, in bits; null where every run failed.
        i_ty_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(T;Y) over runs, in bits; null with fewer than two runs.
        i_ty_bits_std: Option<f64>,
        /// Median of I(T;Y) over runs, in bits.
        i_ty_bits_median: Option<f64>,
        /// Where the 95 % interval of the mean of I(T;Y) begins, in bits (Student, over independently trained networks: it contains neither the bias of the estimator nor the choice of samples); null with fewer than two runs, and where all have the same number.
        i_ty_bits_low: Option<f64>,
        /// Where it ends.
        i_ty_bits_high: Option<f64>,
        /// Mean over runs of I(T;T′) in bits, T′ being the layer above; null where no run has one.
        i_tt_bits_mean: Option<f64>,
        /// Mean over runs of the standard deviation of I(X;T) over random halves of the samples, in bits: the spread by the choice of samples, apart from that over networks; null without `--resample samples`, and in files before version 8.
        i_xt_resampled_bits_std_mean: Option<f64>,
        /// Mean over runs of that of I(T;Y), in bits.
        i_ty_resampled_bits_std_mean: Option<f64>,
        /// Mean over runs of I(X;T|Y) in bits; null where no run has one, and in files before version 8.
        i_xt_given_y_bits_mean: Option<f64>,
        /// Mean over runs of I(T;Ŷ) in bits, Ŷ being the class that the network predicts; null where no run has one, and in files before version 8.
        i_t_predicted_bits_mean: Option<f64>,
        /// Mean over runs of H(Ŷ|T) in bits; null where no run has one, and in files before version 8.
        h_predicted_given_t_bits_mean: Option<f64>,
        /// Mean over runs of H(T) in bits, a differential entropy but for codes; null where no run has one.
        h_t_bits_mean: Option<f64>,
        /// Mean over runs and shuffles of I(X;T) in bits with the inputs shuffled; null where no run has one.
        i_xt_null_bits_mean: Option<f64>,
        /// Mean over runs and shuffles of I(T;Y) in bits with the labels shuffled; null where no run has one.
        i_ty_null_bits_mean: Option<f64>,
        /// The largest possible I(X;T) in bits: the smallest over runs.
        i_xt_ceiling_bits: Option<f64>,
        /// The largest possible I(T;Y) in bits: the smallest over runs.
        i_ty_ceiling_bits: Option<f64>,
        /// Trainings that failed, whose runs end early; null in files before version 4 and for recordings that do not say.
        n_trainings_failed: Option<i64>,
        /// Trainings that ended degenerate, no better than a constant answer; null likewise.
        n_trainings_degenerate: Option<i64>,
        /// Mean over runs of the training loss, in nats; null where not every run has one.
        loss_train_nats_mean: Option<f64>,
        /// Mean over runs of the test loss, in nats; null where not every run has one.
        loss_test_nats_mean: Option<f64>,
        /// Mean over runs of the squared error of the training samples; null where not every run has one.
        squared_error_train_mean: Option<f64>,
        /// Mean over runs of the squared error of the test samples; null where not every run has one.
        squared_error_test_mean: Option<f64>,
        /// Mean over runs of the training accuracy; null where not every run has one.
        accuracy_train_mean: Option<f64>,
        /// Mean over runs of the test accuracy; null where not every run has one.
        accuracy_test_mean: Option<f64>,
        /// Which gradients the next columns are about, as in the table `gradients`: the kind that was recorded first.
        gradients_over: Option<String>,
        /// Mean over runs of the norm of the mean gradient; null where not every run has one.
        gradient_mean_norm_mean: Option<f64>,
        /// Mean over runs of the norm of the gradients' standard deviation; null where not every run has one.
        gradient_std_norm_mean: Option<f64>,
        /// Mean over runs of the quotient of the two, the signal-to-noise ratio; null where not every run has one.
        gradient_snr_mean: Option<f64>,
        /// Mean over runs of the Frobenius norm of the kernel, from the gradients or else the weights; null where not every run has one.
        weight_norm_mean: Option<f64>,
        /// Checks of `infoplane check` that ended in `warning`, `dpi-xt` and `dpi-ty` counted for both layers that they compare; null where this was not checked.
        n_checks_warning: Option<i64>,
        /// Checks that ended in `violated`; null likewise.
        n_checks_violated: Option<i64>,
    }

    /// One experiment, estimator, run and layer: the phases of its training.
    "phases" = PhaseRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimator with its parameters.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// What the estimate is, in words; null in files before version 7.
        quantity: Option<String>,
        /// Run, `r0000` is the first; `pooled` where the runs are pooled.
        run: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: LayerId,
        /// What the layer is called; null where it has no name, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// The last recorded epoch.
        end_epoch: i32,
        /// I(X;T) at the first recorded snapshot, in bits; null, like all that follows, where there is none or `failure` says why not.
        i_xt_start_bits: Option<f64>,
        /// The largest I(X;T), in bits.
        i_xt_peak_bits: Option<f64>,
        /// The first epoch that has it.
        i_xt_peak_epoch: Option<i64>,
        /// I(X;T) at the last recorded snapshot, in bits.
        i_xt_end_bits: Option<f64>,
        /// The largest I(X;T) less the last, in bits: never negative, and above 0 for mere noise.
        drop_bits: Option<f64>,
        /// The epoch at which the mean of the other half of the runs (by even and odd places) is largest; null with fewer than two runs.
        others_peak_epoch: Option<i64>,
        /// I(X;T) at that epoch less the last, in bits: compression, 0 on average where I(X;T) is nothing but noise; null with fewer than two runs or snapshots.
        compression_bits: Option<f64>,
        /// I(T;Y) at the first recorded snapshot, in bits.
        i_ty_start_bits: Option<f64>,
        /// I(T;Y) at the last recorded snapshot, in bits.
        i_ty_end_bits: Option<f64>,
        /// Length of the fitting phase: the first epoch with 90 % of the way from the first I(T;Y) to its largest; null where it never rises.
        fitted_epoch: Option<i64>,
        /// From drift to diffusion: the first epoch after the largest signal-to-noise ratio of the gradients at which it is below 1; null where it never is above, or stays there.
        diffusion_epoch: Option<i64>,
        /// Why there are no numbers, else null.
        failure: Option<String>,
    }

    /// One experiment, estimator and layer: compression and its phases over runs.
    "compression" = CompressionRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimator with its parameters.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// What the estimate is, in words; null in files before version 7.
        quantity: Option<String>,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: LayerId,
        /// What the layer is called; null where it has no name, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Runs with these numbers.
        n_runs: i32,
        /// Runs left out because their training or an estimate failed.
        n_failed: i32,
        /// Mean over runs of the largest I(X;T), in bits.
        i_xt_peak_bits_mean: Option<f64>,
        /// Median over runs of the epoch that has it.
        i_xt_peak_epoch_median: Option<f64>,
        /// Mean over runs of the last I(X;T), in bits.
        i_xt_end_bits_mean: Option<f64>,
        /// Mean over runs of `phases.drop_bits`.
        drop_bits_mean: Option<f64>,
        /// Mean over runs of `phases.compression_bits`; null with fewer than two runs.
        compression_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same.
        compression_bits_std: Option<f64>,
        /// Where its 95 % interval (Student, paired) begins, in bits; null with fewer than two runs, and where all have the same number.
        compression_bits_low: Option<f64>,
        /// Where it ends.
        compression_bits_high: Option<f64>,
        /// Mean over runs of I(X;T) at the end minus I(X;T) at the first snapshot, in bits; null where no run has both, and in files before version 8.
        rise_bits_mean: Option<f64>,
        /// Where its 95 % interval (Student) begins, in bits; null with fewer than two runs, and where all have the same number.
        rise_bits_low: Option<f64>,
        /// Where it ends.
        rise_bits_high: Option<f64>,
        /// Runs that compress: whose own number is above 0.
        n_compressing: i32,
        /// Two-sided p of the exact sign test of the same; null with fewer than two runs, and where all are 0.
        sign_p: Option<f64>,
        /// Two-sided p of Wilcoxon's signed-rank test of `phases.compression_bits`, exact; null with fewer than two runs, where all are 0, and in files before version 8, which call it `wilcoxon_p`. Of n runs it is at least 2¹⁻ⁿ: below 0.05 needs 6 runs or more.
        p: Option<f64>,
        /// `p` corrected by Holm for the layers of this estimator; null where `p` is.
        p_holm: Option<f64>,
        /// The smallest compression that counts, in bits; null in files before version 8.
        minimum_effect_bits: Option<f64>,
        /// Median over runs of `phases.fitted_epoch`.
        fitted_epoch_median: Option<f64>,
        /// Runs that have one.
        n_fitted: i32,
        /// Median over runs of `phases.diffusion_epoch`.
        diffusion_epoch_median: Option<f64>,
        /// Runs that have one.
        n_diffused: i32,
        /// `compresses` (the interval is above 0 and the mean at least the smallest effect that counts), `does not compress` (the interval is below that effect), `undecided` (neither, or the layer has no information that could be lost), `cannot tell (saturated)` (I(X;T) is near its ceiling at the end, or at the peak where no fall is seen) or `contradicted (checks)` (a check is violated at the peak or at the end, or scales of the estimator disagree).
        verdict: CompressionVerdict,
        /// The reason of the verdict, in words; null in files before version 8 where it was decided.
        reason: Option<String>,
    }
}
