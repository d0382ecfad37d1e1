//! Activation functions: a fixed list of formulas, each with its derivative.

use crate::math::elementary::{exp_m1, sigmoid, softplus, tanh};
use crate::math::elementwise::{map, multiply};
use crate::suggest::Named;

/// An activation function of the pre-activations z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// t = tanh z.
    Tanh,
    /// t = max(0, z); derivative 0 at 0.
    Relu,
    /// t = z above 0, otherwise 0.01 z.
    LeakyRelu,
    /// t = z above 0, otherwise e^z − 1.
    Elu,
    /// t = 1/(1 + e^−z).
    Sigmoid,
    /// t = z/(1 + |z|).
    Softsign,
    /// t = ln(1 + e^z).
    Softplus,
    /// t = z within ±1, otherwise ±1; derivative 0 at and beyond ±1.
    HardTanh,
    /// t = z from 0 to 6, 0 below, 6 above; derivative 0 at both ends.
    Relu6,
    /// t = z/(1 + e^−z).
    Silu,
    /// t = z.
    Linear,
}

/// Slope of the leaky ReLU below 0, as in PyTorch by default.
const LEAK: f32 = 0.01;

impl Named for Activation {
    const ALL: &'static [Self] = &[
        Self::Tanh,
        Self::Relu,
        Self::LeakyRelu,
        Self::Elu,
        Self::Sigmoid,
        Self::Softsign,
        Self::Softplus,
        Self::HardTanh,
        Self::Relu6,
        Self::Silu,
        Self::Linear,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Elu => "elu",
            Self::Sigmoid => "sigmoid",
            Self::Softsign => "softsign",
            Self::Softplus => "softplus",
            Self::HardTanh => "hard_tanh",
            Self::Relu6 => "relu6",
            Self::Silu => "silu",
            Self::Linear => "linear",
        }
    }
}

impl Activation {
    /// t of every z.
    pub(super) fn apply(self, z: &[f32], t: &mut [f32]) {
        match self {
            Activation::Tanh => map(z, t, tanh),
            // Not `max`, which turns NaN into a number.
            Activation::Relu => map(z, t, |z| if z < 0.0 { 0.0 } else { z }),
            Activation::LeakyRelu => map(z, t, |z| if z < 0.0 { LEAK * z } else { z }),
            Activation::Elu => map(z, t, |z| if z < 0.0 { exp_m1(z) } else { z }),
            Activation::Sigmoid => map(z, t, sigmoid),
            Activation::Softsign => map(z, t, |z| z / (1.0 + z.abs())),
            Activation::Softplus => map(z, t, softplus),
            Activation::HardTanh => map(z, t, |z| clamp(z, -1.0, 1.0)),
            Activation::Relu6 => map(z, t, |z| clamp(z, 0.0, 6.0)),
            Activation::Silu => map(z, t, |z| z * sigmoid(z)),
            Activation::Linear => t.copy_from_slice(z),
        }
    }

    /// Converts ∂loss/∂t to ∂loss/∂z, given z and t.
    pub(super) fn times_slope(self, delta: &mut [f32], z: &[f32], t: &[f32]) {
        match self {
            Activation::Tanh => multiply(delta, t, |t| t.mul_add(-t, 1.0)),
            Activation::Relu => multiply(delta, t, |t| step(t > 0.0)),
            Activation::LeakyRelu => multiply(delta, z, |z| if z > 0.0 { 1.0 } else { LEAK }),
            // e^z = t + 1 for z < 0.
            Activation::Elu => multiply(delta, t, |t| if t > 0.0 { 1.0 } else { t + 1.0 }),
            Activation::Sigmoid => multiply(delta, t, |t| t * (1.0 - t)),
            Activation::Softsign => multiply(delta, t, |t| (1.0 - t.abs()) * (1.0 - t.abs())),
            Activation::Softplus => multiply(delta, z, sigmoid),
            Activation::HardTanh => multiply(delta, z, |z| step(z > -1.0 && z < 1.0)),
            Activation::Relu6 => multiply(delta, z, |z| step(z > 0.0 && z < 6.0)),
            Activation::Silu => multiply(delta, z, |z| {
                let s = sigmoid(z);
                s * (1.0 + z * (1.0 - s))
            }),
            Activation::Linear => {}
        }
    }

    /// The smallest and the largest possible t; `None` if unbounded.
    pub(super) fn range(self) -> Option<(f32, f32)> {
        match self {
            Activation::Tanh | Activation::Softsign | Activation::HardTanh => Some((-1.0, 1.0)),
            Activation::Sigmoid => Some((0.0, 1.0)),
            Activation::Relu6 => Some((0.0, 6.0)),
            _ => None,
        }
    }

    /// Whether t is never below 0 and often exactly 0.
    pub fn is_often_zero(self) -> bool {
        matches!(self, Activation::Relu | Activation::Relu6)
    }
}

#[inline(always)]
fn step(is_one: bool) -> f32 {
    if is_one { 1.0 } else { 0.0 }
}

/// NaN stays NaN.
#[inline(always)]
fn clamp(z: f32, low: f32, high: f32) -> f32 {
    if z < low {
        low
    } else if z > high {
        high
    } else {
        z
    }
}
