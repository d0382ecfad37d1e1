//! Losses whose minimum is not a point: their local learning coefficients, and the expectation of a perfect sampler at
//! finite n.
//!
//! A coefficient λ with multiplicity m is the limit for n → ∞; at finite n, nβ·E(K) is about λ − (m − 1)/ln(nβ) and can
//! be far below λ.

use crate::math::quadrature::{integrate, nodes_on_both_sides};
use crate::parameter::{Kind, ParameterError};
use crate::units::Nats;
use crate::weights::{check_count, check_number};

/// K(w) = Π |w_i|^p_i on the cube [−1, 1]^d with a uniform prior, for whole exponents p_i ≥ 1.
///
/// −ln|w_i| is exponential with mean 1, so −ln K is a sum of exponentials of means p_i, whose density is known in closed form.
#[derive(Debug, Clone, PartialEq)]
pub struct Monomial {
    exponents: Vec<u32>,
    /// The density of s = −ln K: a sum of terms c s^q e^(−rs).
    terms: Vec<DensityTerm>,
}

/// `factor` · s^`power` · exp(−`rate` s).
#[derive(Debug, Clone, Copy, PartialEq)]
struct DensityTerm {
    factor: f64,
    power: i32,
    rate: f64,
}

impl Monomial {
    /// A monomial with these exponents, each from 1 to 1000.
    ///
    /// # Errors
    /// No exponent, or one outside of this range.
    pub fn new(exponents: &[u32]) -> Result<Self, ParameterError> {
        if exponents.is_empty() {
            return Err(ParameterError::Refused("a monomial needs at least one exponent".to_owned()));
        }
        for p in exponents {
            check_count("exponents", *p as usize, (1, 1000))?;
        }
        let mut terms =
            vec![DensityTerm { factor: 1.0 / f64::from(exponents[0]), power: 0, rate: 1.0 / f64::from(exponents[0]) }];
        for p in &exponents[1..] {
            terms = plus_exponential(&terms, 1.0 / f64::from(*p));
        }
        Ok(Self { exponents: exponents.to_vec(), terms })
    }

    /// λ = 1/max p_i.
    pub fn coefficient(&self) -> f64 {
        1.0 / f64::from(self.largest())
    }

    /// m, the number of exponents equal to the largest.
    pub fn multiplicity(&self) -> usize {
        self.exponents.iter().filter(|p| **p == self.largest()).count()
    }

    fn largest(&self) -> u32 {
        *self.exponents.iter().max().expect("there is an exponent")
    }

    /// V(ε) = P(K ≤ ε) for a tolerance 0 < ε ≤ 1.
    pub fn volume(&self, tolerance: f64) -> f64 {
        let start = -tolerance.ln();
        // ∫ s^q e^(−rs) from L on: e^(−rL) Σ_k q!/k! L^k/r^(q−k+1).
        let tail = |term: &DensityTerm| {
            let (mut sum, mut part) = (0.0, 1.0 / term.rate);
            for k in (0..=term.power).rev() {
                sum += part * start.powi(k);
                part *= f64::from(k) / term.rate;
            }
            term.factor * (-term.rate * start).exp() * sum
        };
        self.terms.iter().map(tail).sum()
    }

    /// The learning coefficient that a perfect sampler finds: t·E(K) under exp(−tK) times the uniform prior, t = nβ.
    pub fn sampled_coefficient(&self, t: f64) -> f64 {
        let weighted = |s: f64| self.density(s) * t * (-s).exp() * (-t * (-s).exp()).exp();
        self.integral(t, weighted) / self.integral(t, |s| self.density(s) * (-t * (-s).exp()).exp())
    }

    /// F = −ln E(exp(−tK)) over the prior.
    pub fn free_energy(&self, t: f64) -> f64 {
        -self.integral(t, |s| self.density(s) * (-t * (-s).exp()).exp()).ln()
    }

    fn density(&self, s: f64) -> f64 {
        self.terms.iter().map(|term| term.factor * s.powi(term.power) * (-term.rate * s).exp()).sum()
    }

    /// The integral over s from 0 to the value at which the density has fallen by e⁻⁴⁵ below its value at ln t.
    fn integral(&self, t: f64, f: impl Fn(f64) -> f64) -> f64 {
        let end = t.max(1.0).ln() + 45.0 * f64::from(self.largest()) * (1.0 + 0.2 * self.exponents.len() as f64);
        integrate(0.0, end, (end * 2.0).ceil() as usize, f)
    }
}

/// λ ln(1/ε) − (m − 1) ln ln(1/ε): the nats needed to specify weights to a tolerance ε of the loss, up to a constant,
/// for ε → 0.
///
/// # Reference
/// Urdshals, Urdshals, Furman & Murfet 2025 (arXiv 2510.12077).
pub fn code_length_at_tolerance(coefficient: f64, multiplicity: usize, tolerance: f64) -> Nats {
    let log = -tolerance.ln();
    Nats(coefficient * log - (multiplicity as f64 - 1.0) * log.ln())
}

/// The density of the sum of a variable with the density `terms` and an exponential variable with `rate`.
fn plus_exponential(terms: &[DensityTerm], rate: f64) -> Vec<DensityTerm> {
    let mut sum = Vec::new();
    for term in terms {
        let difference = term.rate - rate;
        if difference == 0.0 {
            let power = term.power + 1;
            sum.push(DensityTerm { factor: term.factor * rate / f64::from(power), power, rate });
            continue;
        }
        // ∫₀ˢ u^p e^(−δu) du = p!/δ^(p+1) − e^(−δs) Σ_q p!/q! s^q/δ^(p−q+1).
        let mut part = term.factor * rate / difference;
        for q in (0..=term.power).rev() {
            sum.push(DensityTerm { factor: -part, power: q, rate: term.rate });
            if q > 0 {
                part *= f64::from(q) / difference;
            }
        }
        sum.push(DensityTerm { factor: part, power: 0, rate });
    }
    sum
}

/// nβ·E(K) under exp(−nβ K(w) − γw²/2) for one weight, by quadrature; `excess` is K(w) = L(w* + w) − L(w*) ≥ 0.
///
/// # Errors
/// nβ or γ is not above 0.
pub fn localised_llc_on_line(excess: impl Fn(f64) -> f64, n_beta: f64, gamma: f64) -> Result<f64, ParameterError> {
    let n_beta = check_number("n_beta", n_beta, Kind::Positive)?;
    let nodes = nodes_on_both_sides(1.0 / check_number("gamma", gamma, Kind::Positive)?.sqrt());
    let (mut weighted, mut total) = (0.0, 0.0);
    for (w, share) in nodes {
        let k = n_beta * excess(w);
        let density = share * (-k - 0.5 * gamma * w * w).exp();
        weighted += k * density;
        total += density;
    }
    Ok(weighted / total)
}

/// nβ·E(K) under exp(−nβ K(w) − γ|w|²/2) for two weights, by quadrature; `excess` is K(w₁, w₂) = L(w* + w) − L(w*) ≥ 0.
///
/// # Errors
/// nβ or γ is not above 0.
pub fn localised_llc_in_plane(
    excess: impl Fn(f64, f64) -> f64,
    n_beta: f64,
    gamma: f64,
) -> Result<f64, ParameterError> {
    let n_beta = check_number("n_beta", n_beta, Kind::Positive)?;
    let nodes = nodes_on_both_sides(1.0 / check_number("gamma", gamma, Kind::Positive)?.sqrt());
    let (mut weighted, mut total) = (0.0, 0.0);
    for (w_1, share_1) in &nodes {
        for (w_2, share_2) in &nodes {
            let k = n_beta * excess(*w_1, *w_2);
            let density = share_1 * share_2 * (-k - 0.5 * gamma * (w_1 * w_1 + w_2 * w_2)).exp();
            weighted += k * density;
            total += density;
        }
    }
    Ok(weighted / total)
}

/// λ and m of reduced-rank regression, a linear network with `m_inputs` M inputs, `h_hidden` H hidden units and
/// `n_outputs` N outputs whose true map has rank `r_rank` r.
///
/// # Errors
/// A rank above H, M or N; a width of 0.
///
/// # Reference
/// Aoyagi & Watanabe 2005, "Stochastic complexities of reduced rank regression in Bayesian estimation", main theorem.
pub fn reduced_rank_coefficient(
    m_inputs: usize,
    h_hidden: usize,
    n_outputs: usize,
    r_rank: usize,
) -> Result<(f64, usize), ParameterError> {
    for (name, width) in [("m_inputs", m_inputs), ("h_hidden", h_hidden), ("n_outputs", n_outputs)] {
        check_count(name, width, (1, 1_000_000))?;
        check_count("r_rank", r_rank, (0, width as u64))?;
    }
    let (m, h, n, r) = (m_inputs as f64, h_hidden as f64, n_outputs as f64, r_rank as f64);
    Ok(if m + h < n + r {
        ((h * m - h * r + n * r) / 2.0, 1)
    } else if n + h < m + r {
        ((h * n - h * r + m * r) / 2.0, 1)
    } else if m + n < h + r {
        (m * n / 2.0, 1)
    } else {
        let sum = 2.0 * (h + r) * (m + n) + 2.0 * m * n - (h + r).powi(2) - m * m - n * n;
        let is_odd = (m_inputs + h_hidden + n_outputs + r_rank) % 2 == 1;
        if is_odd { ((sum + 1.0) / 8.0, 2) } else { (sum / 8.0, 1) }
    })
}
