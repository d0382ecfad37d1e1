//! Transformations of `gaussian-sparse` that are one to one, so that the information stays the same.
//!
//! # Reference
//! Czyż et al. 2023, where each of them is a task. The functions `wiggly` and `spiral` follow the idea, not the constants.

use super::gaussian::{of_correlation, sparse, sparse_information};
use super::sampled::{Sampled, normal, points};
use super::{Distribution, SecondVariable, Truth};
use crate::estimators::Variable;
use crate::math::normal::probability;
use crate::units::Nats;

pub(super) const NORMAL_CDF: Distribution = Distribution {
    name: "normal-cdf",
    summary: "`gaussian-sparse` with uniform coordinates: Φ of each; I is that of `gaussian-sparse`",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 25],
    truth: |d| Truth::Finite(sparse_information(d)),
    sample: |d, n, rng| sparse(d, n, rng).map(|value| probability(f64::NEG_INFINITY, value)),
};

pub(super) const HALF_CUBE: Distribution = Distribution {
    name: "half-cube",
    summary: "`gaussian-sparse` with longer tails: sign(x)|x|^1.5 of each coordinate; I is that of `gaussian-sparse`",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 25],
    truth: |d| Truth::Finite(sparse_information(d)),
    sample: |d, n, rng| sparse(d, n, rng).map(|value| value * value.abs().sqrt()),
};

pub(super) const ASINH: Distribution = Distribution {
    name: "asinh",
    summary: "`gaussian-sparse` with shorter tails: asinh of each coordinate; I is that of `gaussian-sparse`",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 25],
    truth: |d| Truth::Finite(sparse_information(d)),
    sample: |d, n, rng| sparse(d, n, rng).map(f64::asinh),
};

pub(super) const WIGGLY: Distribution = Distribution {
    name: "wiggly",
    summary: "`gaussian-sparse` with a monotone function of varying slope: x + 0.4 sin x + 0.2 sin(1.7x + 1) + 0.03 sin(3.3x − 2.5); I is that of `gaussian-sparse`",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 25],
    truth: |d| Truth::Finite(sparse_information(d)),
    // The slope is at least 1 − 0.4 − 0.34 − 0.099.
    sample: |d, n, rng| {
        let wiggly = |x: f64| x + 0.4 * x.sin() + 0.2 * (1.7 * x + 1.0).sin() + 0.03 * (3.3 * x - 2.5).sin();
        sparse(d, n, rng).map(wiggly)
    },
};

pub(super) const SPIRAL: Distribution = Distribution {
    name: "spiral",
    summary: "`gaussian-sparse` with the plane of the first two coordinates of X rotated by an angle proportional to |x|²/d; I is that of `gaussian-sparse`",
    y: SecondVariable::Real,
    dims: &[2, 3, 5, 10, 25],
    truth: |d| Truth::Finite(sparse_information(d)),
    sample: |d, n, rng| {
        let Sampled { x, y } = sparse(d, n, rng);
        let Variable::Real(straight) = x else { unreachable!("X is real") };
        let mut values = Vec::with_capacity(n * d);
        for row in straight.rows() {
            // The norm does not change, so the rotation can be undone.
            let angle = row.iter().map(|value| value * value).sum::<f64>() / d as f64;
            let (sin, cos) = angle.sin_cos();
            values.extend([cos * row[0] - sin * row[1], sin * row[0] + cos * row[1]]);
            values.extend_from_slice(&row[2..]);
        }
        Sampled { x: points(values, d), y }
    },
};

pub(super) const SWISS_ROLL: Distribution = Distribution {
    name: "swiss-roll",
    summary: "a normal pair with correlation 0.75; Φ of the first is rolled up to a spiral in the plane; I = −½ ln(1 − 0.75²)",
    y: SecondVariable::Real,
    dims: &[1],
    truth: |_| Truth::Finite(Nats(of_correlation(0.75))),
    sample: |_, n, rng| {
        Sampled::real(n, (2, 1), |x, y| {
            let (a, b) = (normal(rng), normal(rng));
            let t = 1.5 * std::f64::consts::PI * (1.0 + 2.0 * probability(f64::NEG_INFINITY, a));
            x.extend([t * t.cos() / 21.0, t * t.sin() / 21.0]);
            y.push(0.75 * a + (1.0 - 0.75_f64 * 0.75).sqrt() * b);
        })
    },
};
