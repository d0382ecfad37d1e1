//! The output of a network and its loss: values, and derivatives with respect to the pre-activations.

use crate::math::elementary::sigmoid;
use crate::math::elementwise::map;
use crate::math::tile::{self, TILE};
use crate::suggest::Named;

/// The function from the last pre-activations z to the output p.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// p_c = e^z_c / Σ e^z: one class of several.
    Softmax,
    /// p_c = 1/(1 + e^−z_c), each unit separately.
    Sigmoid,
    /// p = z.
    Linear,
}

impl Named for Output {
    const ALL: &'static [Self] = &[Self::Softmax, Self::Sigmoid, Self::Linear];

    fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
            Self::Linear => "linear",
        }
    }
}

impl Output {
    /// The smallest and the largest possible p; `None` if unbounded.
    pub(super) fn range(self) -> Option<(f32, f32)> {
        match self {
            Output::Softmax | Output::Sigmoid => Some((0.0, 1.0)),
            Output::Linear => None,
        }
    }

    /// p for the pre-activations of a tile.
    pub(super) fn apply(self, z: &[f32], p: &mut [f32]) {
        match self {
            Output::Softmax => {
                p.copy_from_slice(z);
                tile::softmax_in_place(p);
            }
            Output::Sigmoid => map(z, p, sigmoid),
            Output::Linear => p.copy_from_slice(z),
        }
    }
}

/// The loss, averaged over the samples of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Softmax: −ln p of the sample's class. Sigmoid: −Σ_c y_c ln p_c + (1 − y_c) ln(1 − p_c). In nats.
    CrossEntropy,
    /// Mean over the output units of (p_c − y_c)², PyTorch's `MSELoss`.
    SquaredError,
}

impl Named for Loss {
    const ALL: &'static [Self] = &[Self::CrossEntropy, Self::SquaredError];

    fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross_entropy",
            Self::SquaredError => "squared_error",
        }
    }
}

impl Loss {
    /// ∂(`scale` · Σ_s loss)/∂z of a tile; samples after `n_valid` are padding without influence.
    pub(super) fn delta(
        self,
        output: Output,
        p: &[f32],
        targets: &[f32],
        n_valid: usize,
        scale: f32,
        delta: &mut [f32],
    ) {
        // The derivative of cross-entropy with softmax or sigmoid is p − y; for the squared error, 2 (p − y)/n is
        // ∂/∂p.
        let scale = match self {
            Loss::CrossEntropy => scale,
            Loss::SquaredError => scale * 2.0 / (p.len() / TILE) as f32,
        };
        for ((delta, p), target) in
            delta.chunks_exact_mut(TILE).zip(p.chunks_exact(TILE)).zip(targets.chunks_exact(TILE))
        {
            delta.iter_mut().zip(p.iter().zip(target)).for_each(|(d, (p, y))| *d = scale * (p - y));
            delta[n_valid..].fill(0.0);
        }
        match (self, output) {
            (Loss::CrossEntropy, _) | (_, Output::Linear) => {}
            (Loss::SquaredError, Output::Sigmoid) => delta.iter_mut().zip(p).for_each(|(d, p)| *d *= p * (1.0 - p)),
            (Loss::SquaredError, Output::Softmax) => {
                // ∂p_k/∂z_c = p_k (δ_kc − p_c).
                let mut mean = [0.0_f32; TILE];
                for (delta, p) in delta.chunks_exact(TILE).zip(p.chunks_exact(TILE)) {
                    mean.iter_mut().zip(delta.iter().zip(p)).for_each(|(m, (d, p))| *m += d * p);
                }
                for (delta, p) in delta.chunks_exact_mut(TILE).zip(p.chunks_exact(TILE)) {
                    delta.iter_mut().zip(p.iter().zip(&mean)).for_each(|(d, (p, m))| *d = p * (*d - m));
                }
            }
        }
    }

    /// The loss of one sample from its pre-activations z and targets y; finite if z is.
    pub(super) fn of_sample(self, output: Output, z: &[f64], y: &[f64]) -> f64 {
        match self {
            Loss::CrossEntropy => match output {
                Output::Softmax => {
                    y.iter().zip(z).filter(|(y, _)| **y > 0.0).map(|(y, z_c)| y * (log_sum_exp(z) - z_c)).sum()
                }
                // −ln p = ln(1 + e^−z) and −ln(1 − p) = ln(1 + e^z).
                _ => y.iter().zip(z).map(|(y, z)| z.max(0.0) - z * y + (-z.abs()).exp().ln_1p()).sum(),
            },
            Loss::SquaredError => {
                let log_total = log_sum_exp(z);
                let p = |z: f64| match output {
                    Output::Softmax => (z - log_total).exp(),
                    Output::Sigmoid => 1.0 / (1.0 + (-z).exp()),
                    Output::Linear => z,
                };
                y.iter().zip(z).map(|(y, z)| (p(*z) - y).powi(2)).sum::<f64>() / z.len() as f64
            }
        }
    }
}

fn log_sum_exp(z: &[f64]) -> f64 {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + z.iter().map(|z| (z - largest).exp()).sum::<f64>().ln()
}
