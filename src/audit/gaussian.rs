//! Multivariate normal distributions.
//!
//! # Reference
//! I(X;Y) = ½ ln(|Σ_x| |Σ_y| / |Σ|). `gaussian-dense` and `gaussian-sparse`: Czyż et al. 2023 ("Beyond Normal").

use rand::rngs::ChaCha8Rng;

use super::sampled::{Sampled, normal};
use super::{Distribution, SecondVariable, Truth};
use crate::units::Nats;

pub(super) const DENSE: Distribution = Distribution {
    name: "gaussian-dense",
    summary: "normal X and Y of dimension d; the correlation of any two coordinates is 0.5; I = ½ ln(|Σx||Σy|/|Σ|)",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 25, 50],
    truth: |d| Truth::Finite(Nats(log_determinant(d) - 0.5 * log_determinant(2 * d))),
    sample: |d, n, rng| {
        Sampled::real(n, (d, d), |x, y| {
            // A common term of variance 0.5 correlates all coordinates.
            let common = normal(rng);
            let mut coordinate = || (common + normal(rng)) / 2_f64.sqrt();
            x.extend((0..d).map(|_| coordinate()));
            y.extend((0..d).map(|_| coordinate()));
        })
    },
};

/// ln |Σ| of n normal variables with correlation ½ between any two.
fn log_determinant(n: usize) -> f64 {
    (n as f64 - 1.0) * 0.5_f64.ln() + ((n as f64 + 1.0) / 2.0).ln()
}

pub(super) const SPARSE: Distribution = Distribution {
    name: "gaussian-sparse",
    summary: "normal X and Y of dimension d; only the first two coordinates of X and Y are correlated (0.8; with d = 1: 0.75); I = −½ Σ ln(1 − ρ²)",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 25],
    truth: |d| Truth::Finite(sparse_information(d)),
    sample: sparse,
};

pub(super) const PAIRS: Distribution = Distribution {
    name: "gaussian-pairs",
    summary: "normal X and Y of dimension d; each coordinate of Y is correlated (0.9) with the same coordinate of X; I = −½ d ln(1 − 0.9²)",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 25, 50],
    truth: |d| Truth::Finite(Nats(d as f64 * of_correlation(0.9))),
    sample: |d, n, rng| Sampled::real(n, (d, d), |x, y| correlated(&vec![0.9; d], rng, x, y)),
};

/// −½ ln(1 − ρ²).
pub(super) fn of_correlation(rho: f64) -> f64 {
    -0.5 * (1.0 - rho * rho).ln()
}

/// The correlation of each coordinate of [`SPARSE`].
fn correlations(d: usize) -> Vec<f64> {
    if d == 1 { vec![0.75] } else { (0..d).map(|i| if i < 2 { 0.8 } else { 0.0 }).collect() }
}

/// I(X;Y) of [`SPARSE`].
pub(super) fn sparse_information(d: usize) -> Nats {
    Nats(correlations(d).into_iter().map(of_correlation).sum())
}

/// Samples of [`SPARSE`].
pub(super) fn sparse(d: usize, n: usize, rng: &mut ChaCha8Rng) -> Sampled {
    let rhos = correlations(d);
    Sampled::real(n, (d, d), |x, y| correlated(&rhos, rng, x, y))
}

/// Appends a sample of X and Y; coordinate i of both is correlated by `rhos[i]`.
fn correlated(rhos: &[f64], rng: &mut ChaCha8Rng, x: &mut Vec<f64>, y: &mut Vec<f64>) {
    for rho in rhos {
        let (a, b) = (normal(rng), normal(rng));
        x.push(a);
        y.push(rho * a + (1.0 - rho * rho).sqrt() * b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(distribution: &Distribution, d: usize, expected: f64) {
        let Truth::Finite(truth) = (distribution.truth)(d) else { panic!("finite") };
        assert!((truth.0 - expected).abs() < 1e-6, "{}", truth.0);
    }

    /// Values of the package benchmark-mi 0.1.3.
    #[test]
    fn information_is_that_of_the_published_benchmark() {
        for (d, expected) in [(2, 0.293_893), (3, 0.413_339), (5, 0.592_812), (25, 1.292_184), (50, 1.624_265)] {
            check(&DENSE, d, expected);
        }
        check(&SPARSE, 1, 0.413_339);
        check(&SPARSE, 5, 1.021_651);
        check(&PAIRS, 1, 0.830_366);
    }
}
