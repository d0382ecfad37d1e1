//! One layer: its shape, its operations, and the position of its weights among all parameters.

use super::architecture::Operation;
use super::operation::Placed;
use crate::math::tile;
use crate::math::wide::{self, Cores};

/// Size from which kernels are multiplied by a matrix product, which is then faster.
const WIDE: usize = 1 << 14;

/// The shape of one layer, and its operations.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Number of units of the previous layer.
    pub n_inputs: usize,
    /// Number of units of this layer.
    pub n_units: usize,
    /// Index of its kernel (n_units × n_inputs, followed by its bias) in the parameters.
    pub(super) offset: usize,
    /// The operations on its pre-activations; for the output layer, on its output.
    pub(super) operations: Vec<Placed>,
    /// Bits of its quantised kernel.
    pub(super) kernel_bits: Option<u32>,
}

impl Layer {
    pub(super) fn kernel(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.n_inputs * self.n_units
    }

    pub(super) fn bias(&self) -> std::ops::Range<usize> {
        let start = self.kernel().end;
        start..start + self.n_units
    }

    /// The kernel of this layer in values with the layout of the parameters.
    pub(super) fn kernel_of<'a, T>(&self, parameters: &'a [T]) -> &'a [T] {
        &parameters[self.kernel()]
    }

    /// The kernel of this layer, mutable, in values with the layout of the parameters.
    pub(super) fn kernel_of_mut<'a>(&self, parameters: &'a mut [f32]) -> &'a mut [f32] {
        &mut parameters[self.kernel()]
    }

    /// The kernel and the bias of this layer, mutable, in values with the layout of the parameters.
    pub(super) fn split<'a>(&self, parameters: &'a mut [f32]) -> (&'a mut [f32], &'a mut [f32]) {
        parameters[self.offset..self.bias().end].split_at_mut(self.n_inputs * self.n_units)
    }

    /// Whether T is often exactly 0, for example after ReLU.
    pub fn is_often_zero(&self) -> bool {
        let of_operation = |placed: &Placed| match placed.operation() {
            Operation::Activation(activation) => Some(activation.is_often_zero()),
            Operation::BatchNorm | Operation::Noise { .. } => Some(false),
            _ => None,
        };
        self.operations.iter().rev().find_map(of_operation).unwrap_or(false)
    }

    /// Whether its products are computed by a matrix product.
    pub(super) fn is_wide(&self) -> bool {
        self.n_inputs * self.n_units >= WIDE
    }

    /// Adds the gradients of kernel and bias of one tile to `gradient`, which has the layout of the parameters.
    pub(super) fn add_gradients(&self, cores: Cores, input: &[f32], delta: &[f32], gradient: &mut [f32]) {
        let (kernel, bias) = self.split(gradient);
        match self.is_wide() {
            true => wide::add_gradients(cores, input, delta, kernel, bias),
            false => tile::add_gradients(input, delta, kernel, bias),
        }
    }
}
