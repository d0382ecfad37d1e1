//! The architecture of a network: the operations of each layer, and which combinations are invalid.

use thiserror::Error;

use super::activation::Activation;
use super::batches::BatchSize;
use super::initialisation::Initial;
use super::loss::{Loss, Output};
use super::quantise::Levels;
use crate::layer_id::LayerId;

/// A dense network without the numbers of inputs and outputs, which the data set determines.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// The hidden layers, from the first after the input.
    pub hidden: Vec<Hidden>,
    /// Initialisation of the hidden kernels.
    pub initial: Initial,
    /// Output function of the last layer.
    pub output: Output,
    /// Initialisation of the output kernel.
    pub output_initial: Initial,
    /// Factor applied to all initial kernels.
    pub initial_scale: f32,
    /// Number of bits of the quantised kernel and output of the output layer; `None` for full precision.
    pub output_bits: Option<u32>,
}

/// One hidden layer: a dense map, then operations in order. T is the result of the last operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Hidden {
    /// Number of units.
    pub n_units: usize,
    /// The operations on the pre-activations.
    pub operations: Vec<Operation>,
}

/// An operation on the values of the units of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// An activation function.
    Activation(Activation),
    /// Batch normalisation: γ (z − mean)/√(variance + ε) + β per unit. Training uses mean and variance of the batch;
    /// inference uses the running ones.
    BatchNorm,
    /// Dropout: in training, each value is set to 0 with probability `rate`, otherwise divided by 1 − `rate`; no
    /// effect in inference.
    Dropout {
        /// Share of values that are dropped, below 1.
        rate: f32,
    },
    /// Gaussian dropout: in training, each value is multiplied by a normal deviate of mean 1 and variance `rate`/(1 −
    /// `rate`); no effect in inference.
    GaussianDropout {
        /// Rate of the binary dropout with this variance, below 1.
        rate: f32,
    },
    /// Gaussian noise of mean 0, added to each value in training and in inference (Goldfeld et al. 2019).
    Noise {
        /// Variance of the noise.
        variance: f32,
    },
    /// Quantisation: values, and the kernel of the layer, are rounded to 2^`bits` levels; gradients pass unchanged.
    Quantise {
        /// Number of bits, from 2 to 16.
        bits: u32,
    },
}

/// Why a network cannot be built or trained.
#[derive(Debug, Error, PartialEq)]
pub enum NetworkError {
    /// A layer without units.
    #[error("layer {layer} has no units; every layer needs at least one")]
    NoUnits {
        /// Number of the layer.
        layer: LayerId,
    },
    /// More parameters than fit in the memory of usual machines.
    #[error("layers of {widths} units have too many weights; at most {most} can be trained")]
    TooLarge {
        /// All numbers of units, joined by dashes.
        widths: String,
        /// Maximum number of weights.
        most: u128,
    },
    /// Softmax with fewer than two classes.
    #[error("the output has {got} classes; softmax needs at least 2 different labels in the data")]
    TooFewClasses {
        /// Number of classes.
        got: usize,
    },
    /// Cross-entropy of outputs that are not probabilities.
    #[error(
        "`loss = \"cross_entropy\"` needs probabilities; `output = \"linear\"` has none: use `softmax` or `sigmoid`, or `loss = \"squared_error\"`"
    )]
    CrossEntropyOfNumbers,
    /// Batch normalisation with batches of one sample.
    #[error("batch normalisation of single samples returns only its bias β; use `batch` of 2 or more")]
    BatchOfOne,
    /// Gradients of single samples with batch normalisation, which couples samples.
    #[error(
        "`gradients = \"samples\"` is not defined with batch normalisation, which couples the samples of a batch; use \"after_step\" or \"before_step\""
    )]
    CoupledSamples,
}

impl Architecture {
    /// Hidden layers with one activation function and no other operations, then softmax; every kernel is initialised
    /// with `initial`.
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

    /// Whether the values of a sample depend on the other samples of its batch.
    pub fn couples_samples(&self) -> bool {
        self.operations().any(|operation| *operation == Operation::BatchNorm)
    }

    /// Whether the same input gives other values each time, even after training.
    pub fn is_noisy(&self) -> bool {
        self.operations().any(|operation| matches!(operation, Operation::Noise { .. }))
    }

    /// The smallest and the largest possible value of a layer outside of training, whatever its weights; `None` if it
    /// is unbounded, and for the input, layer 0.
    pub fn range(&self, layer: LayerId) -> Option<(f32, f32)> {
        if layer.index() == self.hidden.len() + 1 {
            let range = self.output.range()?;
            return Some(self.output_bits.map_or(range, |bits| Levels::nudged(range.0, range.1, bits).range()));
        }
        range_after(&self.hidden.get(layer.index().checked_sub(1)?)?.operations)
    }

    /// Checks whether output, loss and batches can be combined.
    ///
    /// # Errors
    /// They cannot be combined.
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

/// The smallest and the largest possible value after some operations on unbounded sums.
fn range_after(operations: &[Operation]) -> Option<(f32, f32)> {
    match operations {
        [.., Operation::Activation(activation)] => activation.range(),
        [.., Operation::Activation(activation), Operation::Quantise { bits }] => {
            let (low, high) = activation.range()?;
            Some(Levels::nudged(low, high, *bits).range())
        }
        [below @ .., Operation::Dropout { .. } | Operation::GaussianDropout { .. }] => range_after(below),
        // In other cases the levels follow a learned range.
        [.., Operation::BatchNorm | Operation::Noise { .. } | Operation::Quantise { .. }] | [] => None,
    }
}

impl Hidden {
    /// Number of bits of the quantised kernel of the layer; `None` for full precision.
    pub(super) fn kernel_bits(&self) -> Option<u32> {
        self.operations.iter().find_map(|operation| match operation {
            Operation::Quantise { bits } => Some(*bits),
            _ => None,
        })
    }
}
