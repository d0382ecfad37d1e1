//! Initialisation of weights: several kinds of random kernels; biases are zero, or random as in PyTorch.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use crate::suggest::Named;

/// The number that sets the spread of the initial weights of a layer, σ = 1/√fan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// The number of inputs (Shwartz-Ziv & Tishby 2017).
    In,
    /// The number of units (Saxe et al. 2018).
    Out,
}

impl Named for Fan {
    const ALL: &'static [Self] = &[Self::In, Self::Out];

    fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// Initialisation of a kernel of n_out units with n_in inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initial {
    /// Normal with σ = 1/√fan, drawn again if beyond 2σ.
    TruncatedNormal(Fan),
    /// Uniform in ±√(6/(n_in + n_out)) (Glorot & Bengio 2010), Keras' default.
    GlorotUniform,
    /// Normal with variance 2/(n_in + n_out) (Glorot & Bengio 2010); not truncated, as in PyTorch.
    GlorotNormal,
    /// Uniform in ±√(6/n_in) (He et al. 2015).
    HeUniform,
    /// Normal with variance 2/n_in (He et al. 2015); not truncated, as in PyTorch.
    HeNormal,
    /// Orthonormal rows (or columns, if there are fewer of them), uniformly distributed (Saxe et al. 2014).
    Orthogonal,
    /// Kernel and biases uniform in ±1/√n_in, the default of `torch.nn.Linear` (PyTorch 2).
    Pytorch,
}

impl Named for Initial {
    const ALL: &'static [Self] = &[
        Self::TruncatedNormal(Fan::In),
        Self::GlorotUniform,
        Self::GlorotNormal,
        Self::HeUniform,
        Self::HeNormal,
        Self::Orthogonal,
        Self::Pytorch,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::TruncatedNormal(_) => "truncated_normal",
            Self::GlorotUniform => "glorot_uniform",
            Self::GlorotNormal => "glorot_normal",
            Self::HeUniform => "he_uniform",
            Self::HeNormal => "he_normal",
            Self::Orthogonal => "orthogonal",
            Self::Pytorch => "pytorch",
        }
    }
}

impl Initial {
    /// Fills `kernel`, n_out × n_in row-major, and `bias`, n_out.
    pub(super) fn fill(self, kernel: &mut [f32], bias: &mut [f32], rng: &mut impl Rng) {
        let n_out = bias.len();
        let n_in = kernel.len() / n_out;
        let (fan_in, fan_out) = (n_in as f32, n_out as f32);
        match self {
            Initial::TruncatedNormal(Fan::In) => truncated_normal(kernel, 1.0 / fan_in.sqrt(), rng),
            Initial::TruncatedNormal(Fan::Out) => truncated_normal(kernel, 1.0 / fan_out.sqrt(), rng),
            Initial::GlorotUniform => uniform(kernel, (6.0 / (fan_in + fan_out)).sqrt(), rng),
            Initial::GlorotNormal => normal(kernel, (2.0 / (fan_in + fan_out)).sqrt(), rng),
            Initial::HeUniform => uniform(kernel, (6.0 / fan_in).sqrt(), rng),
            Initial::HeNormal => normal(kernel, (2.0 / fan_in).sqrt(), rng),
            Initial::Orthogonal => orthogonal(kernel, n_in, rng),
            Initial::Pytorch => {
                uniform(kernel, 1.0 / fan_in.sqrt(), rng);
                uniform(bias, 1.0 / fan_in.sqrt(), rng);
            }
        }
    }
}

fn uniform(kernel: &mut [f32], most: f32, rng: &mut impl Rng) {
    kernel.iter_mut().for_each(|weight| *weight = most * rng.random_range(-1.0..1.0_f32));
}

fn normal(kernel: &mut [f32], sigma: f32, rng: &mut impl Rng) {
    kernel.iter_mut().for_each(|weight| *weight = sigma * rng.sample::<f32, _>(StandardNormal));
}

/// Orthonormalises normal vectors one after another (Gram-Schmidt, twice for accuracy).
fn orthogonal(kernel: &mut [f32], n_in: usize, rng: &mut impl Rng) {
    let n_out = kernel.len() / n_in;
    let (n_vectors, len) = (n_in.min(n_out), n_in.max(n_out));
    let mut vectors: Vec<Vec<f64>> = Vec::new();
    for _ in 0..n_vectors {
        let mut vector: Vec<f64> = (0..len).map(|_| rng.sample(StandardNormal)).collect();
        for before in vectors.iter().chain(&vectors) {
            let along: f64 = before.iter().zip(&vector).map(|(a, b)| a * b).sum();
            vector.iter_mut().zip(before).for_each(|(v, b)| *v -= along * b);
        }
        let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|v| *v /= length);
        vectors.push(vector);
    }
    for (place, weight) in kernel.iter_mut().enumerate() {
        let (row, column) = (place / n_in, place % n_in);
        *weight = (if n_out <= n_in { vectors[row][column] } else { vectors[column][row] }) as f32;
    }
}

/// Fills `kernel` from a normal distribution with standard deviation `sigma` (before truncation), drawing again beyond
/// 2σ.
pub(super) fn truncated_normal(kernel: &mut [f32], sigma: f32, rng: &mut impl Rng) {
    const TRUNCATED_AT: f32 = 2.0;
    for weight in kernel {
        let mut deviate: f32 = StandardNormal.sample(rng);
        while deviate.abs() > TRUNCATED_AT {
            deviate = StandardNormal.sample(rng);
        }
        *weight = sigma * deviate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    #[test]
    fn truncated_at_two_sigma_with_the_right_spread() {
        let mut weights = vec![0.0; 100_000];
        truncated_normal(&mut weights, 0.5, &mut ChaCha8Rng::seed_from_u64(3));
        assert!(weights.iter().all(|w| w.abs() <= 1.0));
        // Var of N(0,1) cut at ±2 is 1 − 4φ(2)/(2Φ(2) − 1) = 0.77374; its spread over 1e5 draws is about 0.003.
        let variance = weights.iter().map(|w| f64::from(w / 0.5).powi(2)).sum::<f64>() / 1e5;
        assert!((variance - 0.77374).abs() < 0.015, "{variance}");
    }

    #[test]
    fn every_kind_has_its_mean_and_variance() {
        let (n_in, n_out) = (300, 200);
        let variance_of = |initial: Initial| {
            let mut kernel = vec![0.0; n_in * n_out];
            initial.fill(&mut kernel, &mut vec![0.0; n_out], &mut ChaCha8Rng::seed_from_u64(4));
            let n = kernel.len() as f64;
            let mean = kernel.iter().map(|w| f64::from(*w)).sum::<f64>() / n;
            let variance = kernel.iter().map(|w| (f64::from(*w) - mean).powi(2)).sum::<f64>() / n;
            // Five standard errors of a mean of 60 000.
            assert!(mean.abs() < 5.0 * (variance / n).sqrt(), "{initial:?}: mean {mean}");
            variance
        };
        // A uniform distribution in ±a has variance a²/3; a unit vector of 300 entries 1/300 each.
        for (initial, expected) in [
            (Initial::TruncatedNormal(Fan::In), 0.77374 / 300.0),
            (Initial::TruncatedNormal(Fan::Out), 0.77374 / 200.0),
            (Initial::GlorotUniform, 2.0 / 500.0),
            (Initial::GlorotNormal, 2.0 / 500.0),
            (Initial::HeUniform, 2.0 / 300.0),
            (Initial::HeNormal, 2.0 / 300.0),
            (Initial::Orthogonal, 1.0 / 300.0),
            (Initial::Pytorch, 1.0 / 900.0),
        ] {
            // The relative standard error of a variance of 60 000 normal deviates is √(2/60 000) = 0.6 %.
            assert!((variance_of(initial) / expected - 1.0).abs() < 0.03, "{initial:?}");
        }
    }

    #[test]
    fn only_pytorch_has_random_biases() {
        let (n_in, n_out) = (4, 10_000);
        for initial in Initial::ALL {
            let (mut kernel, mut bias) = (vec![0.0; n_in * n_out], vec![0.0; n_out]);
            initial.fill(&mut kernel, &mut bias, &mut ChaCha8Rng::seed_from_u64(6));
            let largest = bias.iter().fold(0.0_f32, |most, b| most.max(b.abs()));
            match initial {
                // Uniform in ±1/2; the largest of 10 000 is below 0.499 with a probability of e⁻²⁰.
                Initial::Pytorch => assert!(largest <= 0.5 && largest > 0.499, "{largest}"),
                _ => assert_eq!(largest, 0.0, "{initial:?}"),
            }
        }
    }

    #[test]
    fn orthogonal_rows_or_columns_are_orthonormal() {
        for (n_out, n_in) in [(5, 8), (8, 5), (6, 6)] {
            let mut kernel = vec![0.0; n_out * n_in];
            Initial::Orthogonal.fill(&mut kernel, &mut vec![0.0; n_out], &mut ChaCha8Rng::seed_from_u64(5));
            let entry = |vector: usize, place: usize| match n_out <= n_in {
                true => kernel[vector * n_in + place],
                false => kernel[place * n_in + vector],
            };
            for a in 0..n_in.min(n_out) {
                for b in 0..n_in.min(n_out) {
                    let product: f32 = (0..n_in.max(n_out)).map(|place| entry(a, place) * entry(b, place)).sum();
                    assert!((product - f32::from(u8::from(a == b))).abs() < 1e-6);
                }
            }
        }
    }
}
