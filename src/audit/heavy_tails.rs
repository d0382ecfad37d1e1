//! Student's t distributions: even without correlation X and Y are dependent, because they share their scale.
//!
//! (X, Y) = Z / √(W/ν) with Z standard normal of dimension 2d and W ~ χ²(ν). I(X;Y) = f(ν) + f(ν+2d) − 2 f(ν+d), with
//! f(t) = ln Γ(t/2) − (t/2) ψ(t/2).
//!
//! # Reference
//! Arellano-Valle, Contreras-Reyes & Genton 2013; Czyż et al. 2023.

use rand::rngs::ChaCha8Rng;
use rand_distr::{ChiSquared, Distribution as _};
use statrs::function::gamma::{digamma, ln_gamma};

use super::sampled::{Sampled, normal};
use super::{Distribution, SecondVariable, Truth};
use crate::units::Nats;

pub(super) const STUDENT_1: Distribution = Distribution {
    name: "student-1",
    summary: "uncorrelated Student t with 1 degree of freedom, dimension d; X and Y share their scale; I from ln Γ and ψ",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5],
    truth: |d| Truth::Finite(information(1.0, d)),
    sample: |d, n, rng| student(1.0, d, n, rng),
};

pub(super) const STUDENT_3: Distribution = Distribution {
    name: "student-3",
    summary: "uncorrelated Student t with 3 degrees of freedom, dimension d; X and Y share their scale; I from ln Γ and ψ",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10],
    truth: |d| Truth::Finite(information(3.0, d)),
    sample: |d, n, rng| student(3.0, d, n, rng),
};

pub(super) const ASINH_STUDENT_1: Distribution = Distribution {
    name: "asinh-student-1",
    summary: "asinh of every coordinate of `student-1`, which shortens the tails; I is that of `student-1`",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5],
    truth: |d| Truth::Finite(information(1.0, d)),
    sample: |d, n, rng| student(1.0, d, n, rng).map(f64::asinh),
};

fn information(nu: f64, d: usize) -> Nats {
    let f = |t: f64| ln_gamma(t / 2.0) - t / 2.0 * digamma(t / 2.0);
    let d = d as f64;
    Nats(f(nu) + f(nu + 2.0 * d) - 2.0 * f(nu + d))
}

fn student(nu: f64, d: usize, n: usize, rng: &mut ChaCha8Rng) -> Sampled {
    let chi_squared = ChiSquared::new(nu).expect("a positive number of degrees of freedom");
    Sampled::real(n, (d, d), |x, y| {
        let scale = (chi_squared.sample(rng) / nu).sqrt();
        x.extend((0..d).map(|_| normal(rng) / scale));
        y.extend((0..d).map(|_| normal(rng) / scale));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the package benchmark-mi 0.1.3.
    #[test]
    fn information_is_that_of_the_published_benchmark() {
        for (nu, d, expected) in
            [(1.0, 1, 0.224_171), (1.0, 2, 0.431_946), (2.0, 5, 0.448_151), (3.0, 3, 0.178_712), (3.0, 5, 0.298_544)]
        {
            assert!((information(nu, d).0 - expected).abs() < 1e-6, "{nu} {d}: {}", information(nu, d).0);
        }
    }
}
