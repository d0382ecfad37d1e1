//! How weights begin: truncated normal kernels, zero biases.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Which width sets the spread of a layer's first weights, σ = 1/√fan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// The number of inputs (Shwartz-Ziv & Tishby 2017).
    In,
    /// The number of units (Saxe et al. 2018).
    Out,
}

impl Fan {
    /// Every choice with the name a pipeline TOML gives it.
    pub const ALL: &[(&str, Fan)] = &[("in", Fan::In), ("out", Fan::Out)];
}

/// Fills `kernel` from a normal distribution of standard deviation `sigma` (before truncation), redrawing beyond 2σ.
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
}
