//! Statistics over the runs of an experiment.

use std::sync::Arc;

use super::super::words::CompressionVerdict;
use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One experiment, estimator, layer and snapshot: mean and spread over runs.
    "summary" = SummaryRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimate (its name, for example `binning-n-edges-30`): the estimator, its parameters, and the values, samples and pooling that it uses.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Name of the estimated quantity; null in files before version 7.
        quantity: Option<String>,
        /// Number of the layer: 1 is the first layer after the input; the highest number is the output layer.
        layer: LayerId,
        /// Name of the layer; null if it has none, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network; null in files of version 1.
        step: Option<i64>,
        /// Number of runs with an estimate.
        n_runs: i32,
        /// Number of runs without an estimate.
        n_failed: i32,
        /// Mean of I(X;T) over runs, in bits; null if no run has an estimate.
        i_xt_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(X;T) over runs, in bits; null with fewer than two runs.
        i_xt_bits_std: Option<f64>,
        /// Median of I(X;T) over runs, in bits; null if no run has an estimate.
        i_xt_bits_median: Option<f64>,
        /// Lower end of the 95 % interval of the mean of I(X;T) over independently trained networks (Student's t), in bits; null with fewer than two runs, and if the values of all runs are equal. The interval does not include the bias of the estimator or the choice of samples.
        i_xt_bits_low: Option<f64>,
        /// Upper end of the 95 % interval of the mean of I(X;T) over independently trained networks (Student's t), in bits; null with fewer than two runs, and if the values of all runs are equal. The interval does not include the bias of the estimator or the choice of samples.
        i_xt_bits_high: Option<f64>,
        /// Mean of I(T;Y) over runs, in bits; null if no run has an estimate.
        i_ty_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(T;Y) over runs, in bits; null with fewer than two runs.
        i_ty_bits_std: Option<f64>,
        /// Median of I(T;Y) over runs, in bits; null if no run has an estimate.
        i_ty_bits_median: Option<f64>,
        /// Lower end of the 95 % interval of the mean of I(T;Y) over independently trained networks (Student's t), in bits; null with fewer than two runs, and if the values of all runs are equal. The interval does not include the bias of the estimator or the choice of samples.
        i_ty_bits_low: Option<f64>,
        /// Upper end of the 95 % interval of the mean of I(T;Y) over independently trained networks (Student's t), in bits; null with fewer than two runs, and if the values of all runs are equal. The interval does not include the bias of the estimator or the choice of samples.
        i_ty_bits_high: Option<f64>,
        /// Mean over runs of I(T;T′) in bits, with T′ the next layer; null if no run has it.
        i_tt_bits_mean: Option<f64>,
        /// Mean over runs of the standard deviation of I(X;T) over random halves of the samples, in bits: the spread caused by the choice of samples, without the spread over networks; null without `--resample samples`, and in files before version 8.
        i_xt_resampled_bits_std_mean: Option<f64>,
        /// Mean over runs of the standard deviation of I(T;Y) over random halves of the samples, in bits: the spread caused by the choice of samples, without the spread over networks; null without `--resample samples`, and in files before version 8.
        i_ty_resampled_bits_std_mean: Option<f64>,
        /// Mean over runs of I(X;T|Y) in bits; null if no run has it, and in files before version 8.
        i_xt_given_y_bits_mean: Option<f64>,
        /// Mean over runs of I(T;Ŷ) in bits, with Ŷ the class that the network predicts; null if no run has it, and in files before version 8.
        i_t_predicted_bits_mean: Option<f64>,
        /// Mean over runs of H(Ŷ|T) in bits, with Ŷ the class that the network predicts; null if no run has it, and in files before version 8.
        h_predicted_given_t_bits_mean: Option<f64>,
        /// Mean over runs of H(T) in bits, a differential entropy unless the estimator makes discrete codes; null if no run has it.
        h_t_bits_mean: Option<f64>,
        /// Mean over runs and shuffles of the permutation null of I(X;T) (inputs shuffled), in bits; null if no run has it.
        i_xt_null_bits_mean: Option<f64>,
        /// Mean over runs and shuffles of the permutation null of I(T;Y) (labels shuffled), in bits; null if no run has it.
        i_ty_null_bits_mean: Option<f64>,
        /// Largest possible I(X;T) in bits; the minimum over runs.
        i_xt_ceiling_bits: Option<f64>,
        /// Largest possible I(T;Y) in bits; the minimum over runs.
        i_ty_ceiling_bits: Option<f64>,
        /// H(X) in bits, the entropy of the inputs; the minimum over runs; null if no run has it, and in files before version 8.
        h_x_bits: Option<f64>,
        /// H(Y) in bits, the entropy of the labels; the minimum over runs; null if no run has it, and in files before version 8.
        h_y_bits: Option<f64>,
        /// Number of runs whose training failed and ended early; null in files before version 4, and if the recording does not contain it.
        n_trainings_failed: Option<i64>,
        /// Number of runs whose training ended degenerate (no better than always predicting the most frequent class); null in files before version 4, and if the recording does not contain it.
        n_trainings_degenerate: Option<i64>,
        /// Mean over runs of the training loss, in nats; null if any run lacks it.
        loss_train_nats_mean: Option<f64>,
        /// Mean over runs of the test loss, in nats; null if any run lacks it.
        loss_test_nats_mean: Option<f64>,
        /// Mean over runs of the squared error on the training samples; null if any run lacks it.
        squared_error_train_mean: Option<f64>,
        /// Mean over runs of the squared error on the test samples; null if any run lacks it.
        squared_error_test_mean: Option<f64>,
        /// Mean over runs of the training accuracy, from 0 to 1; null if any run lacks it.
        accuracy_train_mean: Option<f64>,
        /// Mean over runs of the test accuracy, from 0 to 1; null if any run lacks it.
        accuracy_test_mean: Option<f64>,
        /// Which gradients the columns `gradient_…` describe, as in the table `gradients`; if several kinds are recorded, the first.
        gradients_over: Option<String>,
        /// Mean over runs of `gradients.gradient_mean_norm`, the norm of the mean gradient of the loss with respect to the weights; null if any run lacks it.
        gradient_mean_norm_mean: Option<f64>,
        /// Mean over runs of `gradients.gradient_std_norm`, the norm of the standard deviation of the gradients of the loss with respect to the weights; null if any run lacks it.
        gradient_std_norm_mean: Option<f64>,
        /// Mean over runs of the signal-to-noise ratio of the gradients: norm of the mean divided by norm of the standard deviation; null if any run lacks it.
        gradient_snr_mean: Option<f64>,
        /// Mean over runs of the Frobenius norm of the kernel, from the table `gradients`, otherwise from the table `weights`; null if any run lacks it.
        weight_norm_mean: Option<f64>,
        /// Number of checks by `infoplane check` with the verdict `warning`; `dpi-xt` and `dpi-ty` count for both layers that they compare; null if `infoplane check` was not run on these estimates.
        n_checks_warning: Option<i64>,
        /// Number of checks by `infoplane check` with the verdict `violated`; `dpi-xt` and `dpi-ty` count for both layers that they compare; null if `infoplane check` was not run on these estimates.
        n_checks_violated: Option<i64>,
    }

    /// One experiment, number of the training, layer and snapshot: mean and spread over runs.
    "training_summary" = TrainingSummaryRow {
        /// Name of the experiment.
        experiment: String,
        /// Name of the number: `loss_train` and `loss_test` in nats, `squared_error_train` and `squared_error_test`, `accuracy_train` and `accuracy_test` from 0 to 1, and for each layer `gradient_mean_norm`, `gradient_std_norm`, both also divided by the norm of the weights (`…_by_weight_norm`), `gradient_snr` and `weight_norm`.
        quantity: String,
        /// Number of the layer: 1 is the first layer after the input; null for losses, errors and accuracies.
        layer: Option<LayerId>,
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Number of runs with a finite value: a quotient by a norm of 0 is left out.
        n_runs: i32,
        /// Mean over these runs.
        mean: f64,
        /// Standard deviation (n − 1) over these runs; null with fewer than two.
        std: Option<f64>,
        /// Lower end of the 95 % interval of `mean` over independently trained networks (Student's t); null with fewer than two runs, and if the values of all runs are equal.
        low: Option<f64>,
        /// Upper end of the 95 % interval of `mean` over independently trained networks (Student's t); null with fewer than two runs, and if the values of all runs are equal.
        high: Option<f64>,
    }

    /// One experiment, estimator, run and layer: the phases of its training.
    "phases" = PhaseRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimate (its name, for example `binning-n-edges-30`): the estimator, its parameters, and the values, samples and pooling that it uses.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Name of the estimated quantity; null in files before version 7.
        quantity: Option<String>,
        /// Name of the run; `r0000` is the first; `pooled` if the runs are pooled.
        run: String,
        /// Number of the layer: 1 is the first layer after the input; the highest number is the output layer.
        layer: LayerId,
        /// Name of the layer; null if it has none, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// The last recorded epoch.
        end_epoch: i32,
        /// I(X;T) at the first recorded snapshot, in bits; null if there is none or `failure` is set.
        i_xt_start_bits: Option<f64>,
        /// Maximum of I(X;T) over the snapshots, in bits; null if there is none or `failure` is set.
        i_xt_peak_bits: Option<f64>,
        /// First epoch at which I(X;T) has its maximum; null if there is none or `failure` is set.
        i_xt_peak_epoch: Option<i64>,
        /// I(X;T) at the last recorded snapshot, in bits; null if there is none or `failure` is set.
        i_xt_end_bits: Option<f64>,
        /// `i_xt_peak_bits` − `i_xt_end_bits`, in bits; never negative, and above 0 even for pure noise; null if one of the two is null.
        drop_bits: Option<f64>,
        /// Epoch at which the mean I(X;T) of the other half of the runs has its maximum (one half consists of the runs at even positions, the other half of those at odd positions); null with fewer than two runs, or if `failure` is set.
        others_peak_epoch: Option<i64>,
        /// Compression: I(X;T) at `others_peak_epoch` minus I(X;T) at the last snapshot, in bits; 0 on average for pure noise; null with fewer than two runs or snapshots, or if `failure` is set.
        compression_bits: Option<f64>,
        /// I(T;Y) at the first recorded snapshot, in bits; null if there is none or `failure` is set.
        i_ty_start_bits: Option<f64>,
        /// I(T;Y) at the last recorded snapshot, in bits; null if there is none or `failure` is set.
        i_ty_end_bits: Option<f64>,
        /// End of the fitting phase: the first epoch at which I(T;Y) has made 90 % of its rise from the first snapshot to its maximum; null if I(T;Y) never rises, or if `failure` is set.
        fitted_epoch: Option<i64>,
        /// Start of the diffusion phase: the first epoch with a signal-to-noise ratio of the gradients below 1 after the maximum of this ratio; null if the ratio is never above 1 or does not fall below it, or if `failure` is set.
        diffusion_epoch: Option<i64>,
        /// Why there are no values; otherwise null.
        failure: Option<String>,
    }

    /// One experiment, estimator and layer: compression and phases of training over runs.
    "compression" = CompressionRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimate (its name, for example `binning-n-edges-30`): the estimator, its parameters, and the values, samples and pooling that it uses.
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Name of the estimated quantity; null in files before version 7.
        quantity: Option<String>,
        /// Number of the layer: 1 is the first layer after the input; the highest number is the output layer.
        layer: LayerId,
        /// Name of the layer; null if it has none, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Number of runs with values.
        n_runs: i32,
        /// Number of runs left out because their training or an estimate failed.
        n_failed: i32,
        /// Mean over runs of `phases.i_xt_peak_bits`, the maximum of I(X;T), in bits; null if no run has it.
        i_xt_peak_bits_mean: Option<f64>,
        /// Median over runs of `phases.i_xt_peak_epoch`, the epoch of the maximum of I(X;T); null if no run has it.
        i_xt_peak_epoch_median: Option<f64>,
        /// Mean over runs of I(X;T) at the last recorded snapshot, in bits; null if no run has it.
        i_xt_end_bits_mean: Option<f64>,
        /// Mean over runs of `phases.drop_bits`, in bits; null if no run has it.
        drop_bits_mean: Option<f64>,
        /// Mean over runs of `phases.compression_bits`, in bits; null with fewer than two runs.
        compression_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of `phases.compression_bits` over runs, in bits; null with fewer than two runs.
        compression_bits_std: Option<f64>,
        /// Lower end of the 95 % interval of `compression_bits_mean` (Student's t, paired), in bits; null with fewer than two runs, and if the values of all runs are equal.
        compression_bits_low: Option<f64>,
        /// Upper end of the 95 % interval of `compression_bits_mean` (Student's t, paired), in bits; null with fewer than two runs, and if the values of all runs are equal.
        compression_bits_high: Option<f64>,
        /// Mean over runs of I(X;T) at the last snapshot minus I(X;T) at the first snapshot, in bits; null if no run has both, and in files before version 8.
        rise_bits_mean: Option<f64>,
        /// Lower end of the 95 % interval of `rise_bits_mean` (Student's t), in bits; null with fewer than two runs, and if the values of all runs are equal.
        rise_bits_low: Option<f64>,
        /// Upper end of the 95 % interval of `rise_bits_mean` (Student's t), in bits; null with fewer than two runs, and if the values of all runs are equal.
        rise_bits_high: Option<f64>,
        /// Number of runs whose `phases.compression_bits` is above 0.
        n_compressing: i32,
        /// Two-sided p of the exact sign test of `phases.compression_bits`; null with fewer than two runs, and if all values are 0.
        sign_p: Option<f64>,
        /// Two-sided p of the exact Wilcoxon signed-rank test of `phases.compression_bits`; null with fewer than two runs, if all values are 0, and in files before version 8, which call it `wilcoxon_p`. With n runs it is at least 2¹⁻ⁿ, so a value below 0.05 needs 6 runs or more.
        p: Option<f64>,
        /// `p` after Holm's correction over the layers of this estimator; null if `p` is null.
        p_holm: Option<f64>,
        /// Smallest compression that counts as an effect, in bits; null in files before version 8.
        minimum_effect_bits: Option<f64>,
        /// Median over runs of `phases.fitted_epoch`; null if no run has it.
        fitted_epoch_median: Option<f64>,
        /// Number of runs for which `phases.fitted_epoch` is not null.
        n_fitted: i32,
        /// Median over runs of `phases.diffusion_epoch`; null if no run has it.
        diffusion_epoch_median: Option<f64>,
        /// Number of runs for which `phases.diffusion_epoch` is not null.
        n_diffused: i32,
        /// Whether the layer compresses. `compresses`: the interval is above 0 and the mean is at least `minimum_effect_bits`. `does not compress`: the interval is below `minimum_effect_bits`. `undecided`: none of these, or the layer has no information to lose. `cannot tell (saturated)`: I(X;T) is near its ceiling at the last snapshot, or at the peak without a visible fall. `contradicted (checks)`: a check is violated at the peak or at the last snapshot, or scales of the estimator disagree.
        verdict: CompressionVerdict,
        /// Reason of the verdict, as a sentence; null in files before version 8 unless the verdict is `undecided`.
        reason: Option<String>,
    }
}
