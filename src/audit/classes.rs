//! Real vectors and classes.
//!
//! # Reference
//! Cube corners: the channel with binary inputs ±1 and Gaussian noise (BPSK), Goldfeld et al. 2019.

use std::f64::consts::{LN_2, PI};

use super::sampled::{Sampled, normal, uniform};
use super::{Distribution, SecondVariable, Truth};
use crate::math::normal::{probability, quantile};
use crate::math::quadrature::integrate;
use crate::units::Nats;

/// P(x, y) of [`TABLE`], a row for each x.
const P_XY: [[f64; 2]; 3] = [[0.3, 0.05], [0.1, 0.25], [0.05, 0.25]];

pub(super) const TABLE: Distribution = Distribution {
    name: "discrete-table",
    summary: "X one of the numbers 0, 1, 2 and Y one of two classes, with a table of joint probabilities; I = Σ p ln(p/(p_x p_y))",
    y: SecondVariable::Classes,
    dims: &[1],
    truth: |_| {
        let p_x = P_XY.map(|row| row[0] + row[1]);
        let p_y = [0, 1].map(|y| P_XY.iter().map(|row| row[y]).sum::<f64>());
        let terms = (0..3).flat_map(|x| [(x, 0), (x, 1)]);
        Truth::Finite(Nats(terms.map(|(x, y)| P_XY[x][y] * (P_XY[x][y] / (p_x[x] * p_y[y])).ln()).sum()))
    },
    sample: |_, n, rng| {
        Sampled::labelled(n, 1, |values| {
            let (mut rest, mut drawn) = (uniform(rng), (2, 1));
            for (x, y) in (0..3).flat_map(|x| [(x, 0), (x, 1)]) {
                if rest < P_XY[x][y] {
                    drawn = (x, y);
                    break;
                }
                rest -= P_XY[x][y];
            }
            values.push(drawn.0 as f64);
            drawn.1 as u32
        })
    },
};

pub(super) const QUANTISED_NORMAL: Distribution = Distribution {
    name: "quantised-normal",
    summary: "normal X of dimension d; Y is the quarter of a normal variable that is correlated (0.8) with the first coordinate; I by integration",
    y: SecondVariable::Classes,
    dims: &[1, 2, 3, 5, 10, 25, 50],
    truth: |_| Truth::Finite(quantised_information(0.8, &[0.25; 4])),
    sample: |d, n, rng| {
        Sampled::labelled(n, d, |x| {
            let first = normal(rng);
            x.push(first);
            x.extend((1..d).map(|_| normal(rng)));
            quantile_class(0.8 * first + 0.6 * normal(rng), &[0.25; 4])
        })
    },
};

/// The class of a standard normal `value`, if class k has the share `shares[k]` and classes are in the order of the values.
pub(super) fn quantile_class(value: f64, shares: &[f64]) -> u32 {
    let below = probability(f64::NEG_INFINITY, value);
    let mut sum = 0.0;
    let n_lower = shares[..shares.len() - 1].iter().take_while(|share| {
        sum += **share;
        sum <= below
    });
    n_lower.count() as u32
}

/// I(U;Q) of a standard normal U and the [`quantile_class`] Q of a standard normal variable with correlation `rho` to U.
pub(super) fn quantised_information(rho: f64, shares: &[f64]) -> Nats {
    let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    let mut edges = vec![f64::NEG_INFINITY];
    let mut sum = 0.0;
    for share in &shares[..shares.len() - 1] {
        sum += share;
        edges.push(quantile(sum));
    }
    edges.push(f64::INFINITY);
    let noise = (1.0 - rho * rho).sqrt();
    let given = |u: f64| -> f64 {
        let p = |pair: &[f64]| probability((pair[0] - rho * u) / noise, (pair[1] - rho * u) / noise);
        edges.windows(2).map(|pair| term(p(pair))).sum()
    };
    let h: f64 = shares.iter().map(|share| term(*share)).sum();
    Nats(h - normal_mean(given))
}

/// E f(Z) of a standard normal Z.
fn normal_mean(f: impl Fn(f64) -> f64) -> f64 {
    integrate(-10.0, 10.0, 400, |z| f(z) * (-0.5 * z * z).exp() / (2.0 * PI).sqrt())
}

pub(super) const TWO_GAUSSIANS: Distribution = Distribution {
    name: "two-gaussians",
    summary: "two classes; X normal of dimension d with mean ±1 in the first coordinate; I = ln 2 − E ln(1 + e^(−2(1 + Z)))",
    y: SecondVariable::Classes,
    dims: &[1, 2, 3, 5, 10, 25, 50],
    truth: |_| Truth::Finite(Nats(sign_in_noise(1.0))),
    sample: |d, n, rng| {
        Sampled::labelled(n, d, |x| {
            let class = u32::from(uniform(rng) < 0.5);
            x.push(2.0 * f64::from(class) - 1.0 + normal(rng));
            x.extend((1..d).map(|_| normal(rng)));
            class
        })
    },
};

pub(super) const CUBE_CORNERS: Distribution = Distribution {
    name: "cube-corners",
    summary: "Y one of the 2^d corners of a cube (±1 in each coordinate), X the corner plus normal noise of standard deviation ½; I = d times that of one coordinate",
    y: SecondVariable::Classes,
    dims: &[1, 2, 3, 4],
    truth: |d| Truth::Finite(Nats(d as f64 * sign_in_noise(0.5))),
    sample: |d, n, rng| {
        Sampled::labelled(n, d, |x| {
            let mut class = 0;
            for bit in 0..d {
                let is_high = uniform(rng) < 0.5;
                class |= u32::from(is_high) << bit;
                x.push(if is_high { 1.0 } else { -1.0 } + 0.5 * normal(rng));
            }
            class
        })
    },
};

/// I(S; S + σZ) of a sign S, in nats: ln 2 − E ln(1 + e^(−2(1 + σZ)/σ²)).
pub(super) fn sign_in_noise(sigma: f64) -> f64 {
    LN_2 - normal_mean(|z| {
        let exponent = -2.0 * (1.0 + sigma * z) / (sigma * sigma);
        // ln(1 + e^a) without overflow.
        exponent.max(0.0) + (-exponent.abs()).exp().ln_1p()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Goldfeld et al.'s channel, computed with another program.
    #[test]
    fn information_of_a_sign_in_noise() {
        let expected = [(0.2, 0.693_146_317_4), (0.5, 0.632_720_193_7), (1.0, 0.336_830_820_3), (2.0, 0.111_421_482_2)];
        for (sigma, expected) in expected {
            assert!((sign_in_noise(sigma) - expected).abs() < 1e-9, "{sigma}: {}", sign_in_noise(sigma));
        }
    }

    #[test]
    fn classes_have_their_shares_and_no_information_without_correlation() {
        let shares = [0.1, 0.6, 0.3];
        assert!(quantised_information(0.0, &shares).0.abs() < 1e-9);
        // With full correlation it is the entropy of the classes.
        let h: f64 = shares.iter().map(|share| -share * share.ln()).sum();
        assert!((quantised_information(0.999_999, &shares).0 - h).abs() < 1e-2);
        let places = [(-3.0, 0), (-1.2, 1), (0.5, 1), (0.6, 2), (9.0, 2)];
        places.iter().for_each(|(value, class)| assert_eq!(quantile_class(*value, &shares), *class, "{value}"));
    }
}
