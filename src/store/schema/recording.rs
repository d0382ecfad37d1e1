//! What a recording holds.

use super::super::words::TrainingOutcome;
use super::tables;
use crate::layer_id::LayerId;

/// Why the accuracy cannot be one, which is a share; `None` if it can.
pub fn accuracy_problem(accuracy: f64) -> Option<&'static str> {
    match accuracy {
        0.0..=1.0 => None,
        1.0..=100.0 => Some("must be a share from 0 to 1; divide by 100"),
        _ => Some("must be a share from 0 to 1; write null where none was measured"),
    }
}

impl SampleRow {
    /// X; empty where only its hash is stored.
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
    /// One input: a sample of X with its label.
    "samples" = SampleRow {
        /// Number of the sample, 0 to n_samples − 1 in order.
        sample: i32,
        /// X, one value per input unit; null where `x_hash` takes its place.
        x: Option<Vec<f32>>,
        /// In place of X, where it is too large to be stored, or next to it, where `x` lost digits (`data import --x-hash`): samples of the same X have the same number, all others another one; null where `x` says all, and in files before version 8.
        x_hash: Option<i64>,
        /// Label; equal integers are one class.
        y: i32,
        /// p(y=1 | x) where labels are stochastic, else null.
        p_y1: Option<f64>,
        /// Y as numbers, one value per output unit, where the squared error is trained on them, else null.
        target: Option<Vec<f32>>,
    }

    /// One sample in one run: which part of the data it was in.
    "splits" = SplitRow {
        /// Number of the sample, as in `samples`.
        sample: i32,
        /// `train` or `test`.
        split: String,
        /// Number of the pair of which one sample was chosen for training by a fair coin (`split = "membership"`); null elsewhere, and in files before version 8.
        pair: Option<i32>,
    }

    /// One update of the first epoch, in which every training sample is seen for the first time: how well its batch was predicted before.
    "online_losses" = OnlineLossRow {
        /// Updates of the weights before this one.
        step: i64,
        /// Samples of the batch.
        n_samples: i32,
        /// Mean cross-entropy of the batch before the update, in nats, without dropout.
        loss_nats: f64,
    }

    /// One recorded snapshot of one run: how well the network fits.
    "epochs" = EpochRow {
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Mean cross-entropy of the training samples, in nats; null where the squared error is trained on.
        loss_train_nats: Option<f64>,
        /// Mean cross-entropy of the test samples, in nats; null without test samples, and where the squared error is trained on.
        loss_test_nats: Option<f64>,
        /// Mean squared error of the training samples and output units; null where the cross-entropy is trained on.
        squared_error_train: Option<f64>,
        /// Mean squared error of the test samples and output units; null without test samples, and where the cross-entropy is trained on.
        squared_error_test: Option<f64>,
        /// Share of training samples whose most probable class is theirs; null where Y are numbers.
        accuracy_train: Option<f64>,
        /// Share of test samples whose most probable class is theirs; null without test samples, and where Y are numbers.
        accuracy_test: Option<f64>,
    }

    /// One run: how its training ended.
    "runs" = RunRow {
        /// `finished`, `stopped` (early, as the pipeline asks) or `failed`.
        outcome: TrainingOutcome,
        /// Whole passes over the training samples until then.
        epoch: i32,
        /// Updates of the weights until then.
        step: i64,
        /// Why it failed or was stopped, else null.
        reason: Option<String>,
        /// Why the trained network is degenerate (no better than a constant answer), else null.
        degenerate: Option<String>,
    }

    /// One layer: what it is called and what its activations are.
    "layers" = LayerRow {
        /// Number of the layer, 0 is the input, 1 the first above it.
        layer: LayerId,
        /// What it is called, for example `conv1`; every layer has a name of its own.
        layer_name: String,
        /// What it is, for example `Conv2d` or `dense, tanh`; null where that is not known.
        layer_kind: Option<String>,
        /// Shape of the activations of one sample before they became a list, for example `8x26x26`; null where they were a list.
        shape: Option<String>,
        /// How the activations were made smaller before they were recorded, in words, for example `mean over positions`; null where they are recorded as they are.
        reduction: Option<String>,
    }

    /// One sample at one recorded snapshot: what one layer made of it. A row group is one snapshot.
    "activations" = ActivationRow {
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Number of the sample, as in `samples`; ascending within a snapshot, the same samples at every snapshot.
        sample: i32,
        /// T, one value per unit of the layer, after the activation function (f32, or f16 where the pipeline asks for it).
        t: Vec<f32>,
    }

    /// One sample at one recorded snapshot: the weighted sums of one layer, before its activation function.
    "pre_activations" = PreActivationRow {
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Number of the sample, as in `samples`; ascending within a snapshot, the same samples at every snapshot.
        sample: i32,
        /// One value per unit of the layer (f32, or f16 where the pipeline asks for it).
        z: Vec<f32>,
    }

    /// One layer at one recorded snapshot: its weights.
    "weights" = WeightRow {
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Kernel, n_units × n_inputs row-major: the n_inputs weights of unit 0, then those of unit 1, and so on.
        kernel: Vec<f32>,
        /// Bias, one value per unit.
        bias: Vec<f32>,
        /// What the layer's operations hold besides, in their order: of batch normalisation γ, β, running mean and running variance, n_units values each; of quantisation the lowest and the highest level; null where there is nothing.
        operations: Option<Vec<f32>>,
    }

    /// One layer at the recorded end of an epoch: its gradients, kernels only. Steps within an epoch have none over batches.
    "gradients" = GradientRow {
        /// Whole passes over the training samples; the gradients of the untrained network, 0, are taken without a step.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Number of the layer, 1 is the first above the input.
        layer: LayerId,
        /// Which gradients: `after_step` (of the batches of the epoch, each after its own step), `before_step` (of batches of another permutation, each before a step) or `samples` (of every training sample, all with the weights of this record); null, in files of version 1, is `after_step`.
        gradients_over: Option<String>,
        /// Euclidean norm of the mean of these gradients (nats per unit of weight): of a batch's mean loss, or of one sample's loss.
        gradient_mean_norm: f64,
        /// Square root of the summed variances (population) of these gradients; null with fewer than two of them.
        gradient_std_norm: Option<f64>,
        /// Frobenius norm of the kernel.
        weight_norm: f64,
    }
}
