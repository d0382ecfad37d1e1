//! Activation functions in f64 and their derivatives.

use crate::math::exponentials::{multiply_by_slopes, tanh_in_place};
use crate::nn::Activation;

/// Replaces pre-activations z with t.
pub(super) fn activate(activation: Activation, values: &mut [f64]) {
    match activation {
        Activation::Tanh => tanh_in_place(values),
        _ => values.iter_mut().for_each(|z| *z = value(activation, *z)),
    }
}

/// Multiplies `values` by ∂t/∂z, given the pre-activations z and their t.
pub(super) fn multiply_by_slope(activation: Activation, values: &mut [f64], z: &[f64], t: &[f64]) {
    match activation {
        Activation::Tanh => multiply_by_slopes(values, t),
        _ => values.iter_mut().zip(z).zip(t).for_each(|((value, z), t)| *value *= slope(activation, *z, *t)),
    }
}

/// Slope of the leaky ReLU below 0, as in the training, in f32.
const LEAK: f64 = 0.01_f32 as f64;

/// t of z, as for [`Activation`].
fn value(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Tanh => z.tanh(),
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu => {
            if z < 0.0 {
                LEAK * z
            } else {
                z
            }
        }
        Activation::Elu => {
            if z < 0.0 {
                z.exp_m1()
            } else {
                z
            }
        }
        Activation::Sigmoid => sigmoid(z),
        Activation::Softsign => z / (1.0 + z.abs()),
        Activation::Softplus => z.max(0.0) + (-z.abs()).exp().ln_1p(),
        Activation::HardTanh => z.clamp(-1.0, 1.0),
        Activation::Relu6 => z.clamp(0.0, 6.0),
        Activation::Silu => z * sigmoid(z),
        Activation::Linear => z,
    }
}

/// ∂t/∂z.
fn slope(activation: Activation, z: f64, t: f64) -> f64 {
    match activation {
        Activation::Tanh => 1.0 - t * t,
        Activation::Relu => f64::from(z > 0.0),
        Activation::LeakyRelu => {
            if z > 0.0 {
                1.0
            } else {
                LEAK
            }
        }
        Activation::Elu => {
            if z > 0.0 {
                1.0
            } else {
                t + 1.0
            }
        }
        Activation::Sigmoid => t * (1.0 - t),
        Activation::Softsign => (1.0 - t.abs()) * (1.0 - t.abs()),
        Activation::Softplus => sigmoid(z),
        Activation::HardTanh => f64::from(z > -1.0 && z < 1.0),
        Activation::Relu6 => f64::from(z > 0.0 && z < 6.0),
        Activation::Silu => sigmoid(z) * (1.0 + z * (1.0 - sigmoid(z))),
        Activation::Linear => 1.0,
    }
}

/// ∂²t/∂z²; 0 at the kinks of a piecewise linear function.
pub(super) fn curvature(activation: Activation, z: f64, t: f64) -> f64 {
    match activation {
        Activation::Tanh => -2.0 * t * (1.0 - t * t),
        Activation::Elu => {
            if z > 0.0 {
                0.0
            } else {
                t + 1.0
            }
        }
        Activation::Sigmoid => t * (1.0 - t) * (1.0 - 2.0 * t),
        Activation::Softsign => -2.0 * (1.0 - t.abs()).powi(3).copysign(z),
        Activation::Softplus => sigmoid(z) * (1.0 - sigmoid(z)),
        Activation::Silu => sigmoid(z) * (1.0 - sigmoid(z)) * (2.0 + z * (1.0 - 2.0 * sigmoid(z))),
        Activation::Relu | Activation::LeakyRelu | Activation::HardTanh | Activation::Relu6 | Activation::Linear => 0.0,
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}
