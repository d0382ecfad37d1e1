//! Activation functions: a closed set of formulas, each with its slope as a function of the output.

use crate::math::tile;

/// What a hidden layer does to its weighted sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// t = tanh z, slope 1 − t².
    Tanh,
    /// t = max(0, z), slope 1 where t > 0, else 0.
    Relu,
    /// t = z, slope 1.
    Linear,
}

impl Activation {
    /// Every activation with the name a pipeline TOML gives it.
    pub const ALL: &[(&str, Activation)] =
        &[("tanh", Activation::Tanh), ("relu", Activation::Relu), ("linear", Activation::Linear)];

    /// Replaces the weighted sums z of a tile by t.
    pub(super) fn apply(self, z: &mut [f32]) {
        match self {
            Activation::Tanh => tile::tanh_in_place(z),
            Activation::Relu => tile::relu_in_place(z),
            Activation::Linear => {}
        }
    }

    /// Turns ∂loss/∂t into ∂loss/∂z, given the outputs t.
    pub(super) fn times_slope(self, delta: &mut [f32], t: &[f32]) {
        match self {
            Activation::Tanh => tile::times_tanh_slope(delta, t),
            Activation::Relu => tile::times_relu_slope(delta, t),
            Activation::Linear => {}
        }
    }
}
