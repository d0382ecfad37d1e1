//! The shape of a network before it has weights: what each layer does, and which combinations cannot be.

use thiserror::Error;

use super::activation::Activation;
use super::batches::BatchSize;
use super::initialisation::Initial;
use super::loss::{Loss, Output};
use super::quantise::Levels;
use crate::layer_id::LayerId;

/// A dense network but for the widths of its input and output, which the data give.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// The hidden layers, the first above the input first.
    pub hidden: Vec<Hidden>,
    /// How the hidden kernels begin.
    pub initial: Initial,
    /// What turns the last weighted sums into the output.
    pub output: Output,
    /// How the kernel of the output layer begins.
    pub output_initial: Initial,
    /// What all first kernels are multiplied by.
    pub initial_scale: f32,
    /// Bits of the output layer's quantised kernel and output; none: full precision.
    pub output_bits: Option<u32>,
}

/// One hidden layer: a dense map, then operations in order. T is what the last of them gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Hidden {
    /// Its width.
    pub n_units: usize,
    /// What happens to the weighted sums.
    pub operations: Vec<Operation>,
}

/// What a layer does to the values of its units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// An activation function.
    Activation(Activation),
    /// Batch normalisation: γ (z − mean)/√(variance + ε) + β, per unit, of the batch in training; in inference mean and
    /// variance are the running ones.
    BatchNorm,
    /// In training each value is 0 with probability `rate`, else divided by 1 − `rate`; in inference nothing happens.
    Dropout {
        /// Share of values that are dropped, below 1.
        rate: f32,
    },
    /// In training each value is multiplied by a normal deviate of mean 1 and variance `rate`/(1 − `rate`); in inference
    /// nothing happens.
    GaussianDropout {
        /// Share as of binary dropout of the same variance, below 1.
        rate: f32,
    },
    /// A normal deviate of mean 0 is added to each value, in training and in inference (Goldfeld et al. 2019).
    Noise {
        /// Its variance.
        variance: f32,
    },
    /// Values, and the layer's kernel, are rounded to 2^`bits` levels; gradients pass as if they were not.
    Quantise {
        /// From 2 to 16.
        bits: u32,
    },
}

/// Why a network cannot be built or trained.
#[derive(Debug, Error, PartialEq)]
pub enum NetworkError {
    /// A layer without units.
    #[error("layer {layer} has no units; every layer needs at least one")]
    NoUnits {
        /// Which one.
        layer: LayerId,
    },
    /// More parameters than memory is likely to hold.
    #[error("layers of {widths} units have too many weights; at most {most} can be trained")]
    TooLarge {
        /// All widths, joined by dashes.
        widths: String,
        /// The limit.
        most: u128,
    },
    /// Softmax needs classes to choose from.
    #[error("the output has {got} classes; softmax needs at least 2 different labels in the data")]
    TooFewClasses {
        /// Number of classes.
        got: usize,
    },
    /// The cross-entropy is of probabilities.
    #[error(
        "`loss = \"cross_entropy\"` needs probabilities; `output = \"linear\"` has none: use `softmax` or `sigmoid`, or `loss = \"squared_error\"`"
    )]
    CrossEntropyOfNumbers,
    /// Batch normalisation of nothing but the sample itself.
    #[error("batch normalisation of batches of one sample leaves nothing but its bias; use `batch` of 2 or more")]
    BatchOfOne,
    /// Samples of a normalised batch have no gradients of their own.
    #[error(
        "`gradients = \"samples\"` cannot be told apart under batch normalisation; use \"after_step\" or \"before_step\""
    )]
    CoupledSamples,
}

impl Architecture {
    /// Hidden layers of one activation and nothing else, then softmax; every kernel begins like `initial`.
    pub fn plain(hidden: &[usize], activation: Activation, initial: Initial) -> Self {
        let layer = |n_units: &usize| Hidden { n_units: *n_units, operations: vec![Operation::Activation(activation)] };
        Self {
            hidden: hidden.iter().map(layer).collect(),
            initial,
            output: Output::Softmax,
            output_initial: initial,
            initial_scale: 1.0,
            output_bits: None,
        }
    }

    /// The layer that is the output.
    pub fn output_layer(&self) -> LayerId {
        LayerId::from_index(self.hidden.len() + 1)
    }

    /// Whether a sample's values depend on the other samples of its batch.
    pub fn couples_samples(&self) -> bool {
        self.operations().any(|operation| *operation == Operation::BatchNorm)
    }

    /// Whether the same input gives other values each time, also after training.
    pub fn is_noisy(&self) -> bool {
        self.operations().any(|operation| matches!(operation, Operation::Noise { .. }))
    }

    /// The smallest and the largest value that a layer can have outside of training, whatever its weights; `None` where there
    /// is no such bound, and for the input, layer 0.
    pub fn range(&self, layer: LayerId) -> Option<(f32, f32)> {
        if layer.index() == self.hidden.len() + 1 {
            let range = self.output.range()?;
            return Some(self.output_bits.map_or(range, |bits| Levels::nudged(range.0, range.1, bits).range()));
        }
        range_after(&self.hidden.get(layer.index().checked_sub(1)?)?.operations)
    }

    /// Whether output, loss and batches go together.
    ///
    /// # Errors
    /// They do not.
    pub fn check(&self, loss: Loss, batch_size: BatchSize) -> Result<(), NetworkError> {
        if (self.output, loss) == (Output::Linear, Loss::CrossEntropy) {
            return Err(NetworkError::CrossEntropyOfNumbers);
        }
        if self.couples_samples() && batch_size == BatchSize::Mini(1) {
            return Err(NetworkError::BatchOfOne);
        }
        Ok(())
    }

    fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.hidden.iter().flat_map(|layer| &layer.operations)
    }
}

/// The smallest and the largest value after some operations on sums of any size.
fn range_after(operations: &[Operation]) -> Option<(f32, f32)> {
    match operations {
        [.., Operation::Activation(activation)] => activation.range(),
        [.., Operation::Activation(activation), Operation::Quantise { bits }] => {
            let (low, high) = activation.range()?;
            Some(Levels::nudged(low, high, *bits).range())
        }
        [below @ .., Operation::Dropout { .. } | Operation::GaussianDropout { .. }] => range_after(below),
        // Levels of any other value follow a range that is learned.
        [.., Operation::BatchNorm | Operation::Noise { .. } | Operation::Quantise { .. }] | [] => None,
    }
}

impl Hidden {
    /// Bits of the layer's quantised kernel; none: full precision.
    pub(super) fn kernel_bits(&self) -> Option<u32> {
        self.operations.iter().find_map(|operation| match operation {
            Operation::Quantise { bits } => Some(*bits),
            _ => None,
        })
    }
}
