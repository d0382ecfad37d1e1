//! The tables of a recording.

use super::super::words::TrainingOutcome;
use super::tables;
use crate::layer_id::LayerId;

/// Why the accuracy cannot be one, which is a share; `None` if it can.
pub fn accuracy_problem(accuracy: f64) -> Option<&'static str> {
    match accuracy {
        0.0..=1.0 => None,
        1.0..=100.0 => Some("must be a share from 0 to 1; divide by 100"),
        _ => Some("must be a share from 0 to 1; write null if it was not measured"),
    }
}

impl SampleRow {
    /// X; empty if only its hash is stored.
    pub fn x(&self) -> &[f32] {
        self.x.as_deref().unwrap_or_default()
    }
}

impl EpochRow {
    /// The accuracies that are there, by column.
    pub fn accuracies(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let columns = [("accuracy_train", self.accuracy_train), ("accuracy_test", self.accuracy_test)];
        columns.into_iter().filter_map(|(column, accuracy)| Some((column, accuracy?)))
    }
}

tables! {
    /// One sample: its input X and its label.
    "samples" = SampleRow {
        /// Number of the sample: 0 to n_samples − 1, in order.
        sample: i32,
        /// X, one value per input unit; null if the recording has only `x_hash`.
        x: Option<Vec<f32>>,
        /// Number that is equal for two samples if and only if their X are equal. It replaces `x` if X is too large to be stored, and is next to `x` if `x` is rounded (`data import --x-hash`); null if `x` is exact, and in files before version 8.
        x_hash: Option<i64>,
        /// Label: an integer that identifies the class of the sample.
        y: i32,
        /// p(y=1 | x) if labels are stochastic; otherwise null.
        p_y1: Option<f64>,
        /// Y as real numbers, one value per output unit, if the network is trained with the squared error; otherwise null.
        target: Option<Vec<f32>>,
    }

    /// One sample in one run: whether it is in the training set or in the test set.
    "splits" = SplitRow {
        /// Number of the sample, as in the table `samples`.
        sample: i32,
        /// `train` or `test`.
        split: String,
        /// Number of the pair from which a fair coin chose one sample for training (`split = "membership"`); null for other splits, and in files before version 8.
        pair: Option<i32>,
    }

    /// One weight update of the first epoch, which sees every training sample for the first time: the loss of the batch before the update.
    "online_losses" = OnlineLossRow {
        /// Number of weight updates before this batch.
        step: i64,
        /// Number of samples in the batch.
        n_samples: i32,
        /// Mean cross-entropy of the batch before the update, in nats, without dropout.
        loss_nats: f64,
    }

    /// One recorded snapshot of one run: losses and accuracies.
    "epochs" = EpochRow {
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Mean cross-entropy of the training samples, in nats; null if the network is trained with the squared error.
        loss_train_nats: Option<f64>,
        /// Mean cross-entropy of the test samples, in nats; null without test samples, and if the network is trained with the squared error.
        loss_test_nats: Option<f64>,
        /// Mean squared error over training samples and output units; null if the network is trained with the cross-entropy.
        squared_error_train: Option<f64>,
        /// Mean squared error over test samples and output units; null without test samples, and if the network is trained with the cross-entropy.
        squared_error_test: Option<f64>,
        /// Share of training samples whose predicted class equals their label, from 0 to 1; null if Y consists of real numbers.
        accuracy_train: Option<f64>,
        /// Share of test samples whose predicted class equals their label, from 0 to 1; null without test samples, and if Y consists of real numbers.
        accuracy_test: Option<f64>,
    }

    /// One run: how its training ended.
    "runs" = RunRow {
        /// `finished`, `stopped` (early, by a stopping rule of the pipeline) or `failed`.
        outcome: TrainingOutcome,
        /// Number of complete passes over the training samples when the training ended.
        epoch: i32,
        /// Number of weight updates when the training ended.
        step: i64,
        /// Why the training failed or was stopped early; otherwise null.
        reason: Option<String>,
        /// Why the trained network is degenerate (no better than always predicting the most frequent class); otherwise null.
        degenerate: Option<String>,
    }

    /// One layer: its name and the form of its activations.
    "layers" = LayerRow {
        /// Number of the layer: 0 is the input, 1 is the first layer after it.
        layer: LayerId,
        /// Name of the layer, for example `conv1`; unique within the network.
        layer_name: String,
        /// Kind of the layer, for example `Conv2d` or `dense, tanh`; null if unknown.
        layer_kind: Option<String>,
        /// Shape of the activations of one sample before they were flattened, for example `8x26x26`; null if they were one-dimensional.
        shape: Option<String>,
        /// How the activations were reduced before recording, for example `mean over positions`; null if they were not reduced.
        reduction: Option<String>,
    }

    /// One sample at one recorded snapshot: the activations of one layer. One row group is one snapshot.
    "activations" = ActivationRow {
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Number of the sample, as in the table `samples`; ascending within a snapshot; every snapshot has the same samples.
        sample: i32,
        /// T, one value per unit of the layer, after the activation function (f32, or f16 if the pipeline requests it).
        t: Vec<f32>,
    }

    /// One sample at one recorded snapshot: the pre-activations of one layer (weighted sums before its activation function).
    "pre_activations" = PreActivationRow {
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Number of the sample, as in the table `samples`; ascending within a snapshot; every snapshot has the same samples.
        sample: i32,
        /// Pre-activations, one value per unit of the layer (f32, or f16 if the pipeline requests it).
        z: Vec<f32>,
    }

    /// One layer at one recorded snapshot: its weights.
    "weights" = WeightRow {
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Kernel, n_units × n_inputs, row-major: the n_inputs weights of unit 0, then those of unit 1, and so on.
        kernel: Vec<f32>,
        /// Bias, one value per unit.
        bias: Vec<f32>,
        /// Parameters of the other operations of the layer, in order: for batch normalisation γ, β, running mean and running variance, n_units values each; for quantisation the lowest and the highest level; null if there are none.
        operations: Option<Vec<f32>>,
    }

    /// One layer at the recorded end of an epoch: statistics of its gradients, without those of the biases. Snapshots within an epoch have no rows for gradients over batches.
    "gradients" = GradientRow {
        /// Number of complete passes over the training samples; the gradients of epoch 0 are those of the untrained network.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Number of the layer: 1 is the first layer after the input.
        layer: LayerId,
        /// Which gradients: `after_step` (of the batches of the epoch, each after the update with this batch), `before_step` (before each update of the epoch, of one batch of another permutation of the training samples) or `samples` (of every training sample, all with the weights of this snapshot); null in files of version 1, which have `after_step`.
        gradients_over: Option<String>,
        /// Euclidean norm of the mean gradient of the loss with respect to the weights; the mean is over batches or over samples, see `gradients_over`. The loss is in nats if it is the cross-entropy.
        gradient_mean_norm: f64,
        /// Square root of the summed variances (population) of the gradients of the loss with respect to the weights; null with fewer than two gradients. The loss is in nats if it is the cross-entropy.
        gradient_std_norm: Option<f64>,
        /// Frobenius norm of the kernel.
        weight_norm: f64,
    }
}
