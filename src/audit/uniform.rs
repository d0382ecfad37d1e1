//! A uniform variable with uniform noise.
//!
//! X ~ U(0, 1), Y = X + U, U ~ U(−ε, ε). I(X;Y) = ε − ln 2ε for ε ≤ ½, and 1/(4ε) for ε ≥ ½.
//!
//! # Reference
//! Czyż et al. 2023 (`additive-noise`).

use rand::rngs::ChaCha8Rng;

use super::sampled::{Sampled, uniform};
use super::{Distribution, SecondVariable, Truth};
use crate::units::Nats;

pub(super) const NARROW: Distribution = Distribution {
    name: "uniform-noise-0.1",
    summary: "X uniform on [0, 1], Y = X plus uniform noise within ±0.1, d independent coordinates; I = d (ε − ln 2ε)",
    y: SecondVariable::Real,
    dims: &[1, 2, 3],
    truth: |d| Truth::Finite(Nats(d as f64 * information(0.1))),
    sample: |d, n, rng| noisy(0.1, d, n, rng),
};

pub(super) const WIDE: Distribution = Distribution {
    name: "uniform-noise-0.75",
    summary: "X uniform on [0, 1], Y = X plus uniform noise within ±0.75, d independent coordinates; I = d/(4ε)",
    y: SecondVariable::Real,
    dims: &[1, 2, 3],
    truth: |d| Truth::Finite(Nats(d as f64 * information(0.75))),
    sample: |d, n, rng| noisy(0.75, d, n, rng),
};

fn information(epsilon: f64) -> f64 {
    if epsilon <= 0.5 { epsilon - (2.0 * epsilon).ln() } else { 0.25 / epsilon }
}

fn noisy(epsilon: f64, d: usize, n: usize, rng: &mut ChaCha8Rng) -> Sampled {
    Sampled::real(n, (d, d), |x, y| {
        for _ in 0..d {
            let value = uniform(rng);
            x.push(value);
            y.push(value + epsilon * (2.0 * uniform(rng) - 1.0));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the package benchmark-mi 0.1.3, and of the tests of the package mutinfo (1/ε = 0.5, 1, 2.5).
    #[test]
    fn information_is_that_of_the_published_benchmark() {
        for (epsilon, expected) in [(0.1, 1.709_438), (0.75, 0.333_333)] {
            assert!((information(epsilon) - expected).abs() < 1e-6);
        }
        // mutinfo's ε is the width of the interval in units of that of X: 2ε here.
        assert!((information(0.2) - 1.116_290_732).abs() < 1e-9);
    }
}
