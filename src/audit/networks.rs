//! Functions of X as in networks: with noise, where the information is finite, and without, where it is not.
//!
//! # Reference
//! Cube in noise: Goldfeld et al. 2019 (Reed-Muller codes of full length). A function without noise: Amjad & Geiger 2020.

use ndarray::Array2;

use super::classes::sign_in_noise;
use super::sampled::{Sampled, normal, uniform};
use super::{Distribution, SecondVariable, Truth};
use crate::math::linear_network::LinearNetwork;
use crate::units::Nats;

pub(super) const CUBE_IN_NOISE: Distribution = Distribution {
    name: "cube-in-noise",
    summary: "X a corner of a cube of dimension d (±1 in each coordinate), Y = X plus normal noise of variance 1; I = d times that of one coordinate",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 16],
    truth: |d| Truth::Finite(Nats(d as f64 * sign_in_noise(1.0))),
    sample: |d, n, rng| {
        Sampled::real(n, (d, d), |x, y| {
            for _ in 0..d {
                let sign = if uniform(rng) < 0.5 { 1.0 } else { -1.0 };
                x.push(sign);
                y.push(sign + normal(rng));
            }
        })
    },
};

/// Variance of the noise of [`LINEAR`].
const NOISE_VARIANCE: f64 = 0.1;

pub(super) const LINEAR: Distribution = Distribution {
    name: "linear-network",
    summary: "normal X of dimension d, Y = WX plus normal noise of variance 0.1, W fixed; I = ½ ln|I + WWᵀ/0.1|",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10],
    truth: |d| {
        let (weights, input_covariance) = (weights(d), Array2::eye(d));
        let network = LinearNetwork {
            weights: weights.view(),
            input_covariance: input_covariance.view(),
            noise_variance: NOISE_VARIANCE,
        };
        Truth::Finite(network.i_xt().expect("a covariance plus noise is positive definite"))
    },
    sample: |d, n, rng| {
        let weights = weights(d);
        Sampled::real(n, (d, d), |x, y| {
            let input: Vec<f64> = (0..d).map(|_| normal(rng)).collect();
            for row in weights.rows() {
                let sum: f64 = row.iter().zip(&input).map(|(w, x)| w * x).sum();
                y.push(sum + NOISE_VARIANCE.sqrt() * normal(rng));
            }
            x.extend(input);
        })
    },
};

/// Fixed weights without a pattern, of size 1/√d.
fn weights(d: usize) -> Array2<f64> {
    Array2::from_shape_fn((d, d), |(r, c)| (1.0 + 12.9898 * r as f64 + 78.233 * c as f64).sin() / (d as f64).sqrt())
}

pub(super) const TANH_FUNCTION: Distribution = Distribution {
    name: "tanh-function",
    summary: "normal X of dimension d, Y = tanh of the mean of its coordinates times √d, without noise; I is infinite, so estimates grow with the number of samples",
    y: SecondVariable::Real,
    dims: &[1, 2, 5],
    truth: |_| Truth::Infinite,
    sample: |d, n, rng| {
        Sampled::real(n, (d, 1), |x, y| {
            let input: Vec<f64> = (0..d).map(|_| normal(rng)).collect();
            y.push((input.iter().sum::<f64>() / (d as f64).sqrt()).tanh());
            x.extend(input);
        })
    },
};
