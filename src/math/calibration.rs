//! The temperature ε of a soft assignment to reference points on the unit sphere in d dimensions.
//!
//! ε is the inverse of the concentration κ of the von Mises-Fisher distribution whose divergence from the uniform
//! distribution is ln m for m reference points. With ν = d/2 − 1 the divergence is
//! κ I_{ν+1}(κ)/I_ν(κ) − ln [Γ(ν+1) (2/κ)^ν I_ν(κ)].

use statrs::function::gamma::ln_gamma;

/// ε from a lower bound on the divergence; `None` for fewer than 3 dimensions, where the bound is never positive.
///
/// The bound is r − d/2 − [q − ν + ν ln (2ν/(ν + q))], with r = √(κ² + (d/2)²) and q = √(κ² + ν²).
///
/// # Reference
/// Amos 1974 (Mathematics of Computation 28, 239) for the bound on I_{ν+1}/I_ν; arXiv 2604.07569 for its use.
pub fn epsilon_by_bound(n_dims: usize, n_points: usize) -> Option<f64> {
    let (d, nu) = (n_dims as f64, n_dims as f64 / 2.0 - 1.0);
    let bound = |kappa: f64| {
        let (r, q) = (kappa.hypot(d / 2.0), kappa.hypot(nu));
        // r − q = (d − 1)/(r + q), and ν − d/2 = −1: without cancellation for large κ.
        (d - 1.0) / (r + q) - 1.0 + nu * ((nu + q) / (2.0 * nu)).ln()
    };
    (n_dims >= 3).then(|| 1.0 / solve((n_points as f64).ln(), bound))
}

/// ε from the exact divergence; `None` for fewer than 2 dimensions, where the divergence is at most ln 2.
pub fn exact_epsilon(n_dims: usize, n_points: usize) -> Option<f64> {
    let divergence = |kappa: f64| divergence_from_uniform(n_dims as f64 / 2.0 - 1.0, kappa);
    (n_dims >= 2).then(|| 1.0 / solve((n_points as f64).ln(), divergence))
}

/// ε = 1/√(2d ln m), to leading order in ln m/d.
pub fn leading_epsilon(n_dims: usize, n_points: usize) -> f64 {
    1.0 / (2.0 * n_dims as f64 * (n_points as f64).ln()).sqrt()
}

/// The divergence of the von Mises-Fisher distribution from the uniform one on the sphere, in nats.
///
/// Γ(ν+1) (2/κ)^ν I_ν(κ) = Σ_k t_k with t_k = (κ²/4)^k / (k! (ν+1)(ν+2)…(ν+k)). The divergence is
/// Σ_k 2k t_k / Σ_k t_k − ln Σ_k t_k. The sums start at the largest term.
fn divergence_from_uniform(nu: f64, kappa: f64) -> f64 {
    let quarter = kappa * kappa / 4.0;
    let top = (2.0 * quarter / (nu + kappa.hypot(nu))).floor();
    let log_top = 2.0 * top * (kappa / 2.0).ln() + ln_gamma(nu + 1.0) - ln_gamma(top + 1.0) - ln_gamma(nu + top + 1.0);
    // Relative to the largest term: Σ t_k and Σ (k − top) t_k.
    let (mut sum, mut first_moment) = (1.0, 0.0);
    let (mut k, mut term) = (top, 1.0);
    while term > NEGLIGIBLE * sum {
        term *= quarter / ((k + 1.0) * (nu + k + 1.0));
        k += 1.0;
        sum += term;
        first_moment += (k - top) * term;
    }
    (k, term) = (top, 1.0);
    while k > 0.0 && term > NEGLIGIBLE * sum {
        term *= k * (nu + k) / quarter;
        k -= 1.0;
        sum += term;
        first_moment += (k - top) * term;
    }
    2.0 * (top + first_moment / sum) - log_top - sum.ln()
}

/// Terms below this part of the sum do not change it: beyond it, terms decrease at least geometrically.
const NEGLIGIBLE: f64 = 1e-20;

/// The κ at which the increasing function `f` reaches `target` > 0, to the last bits.
fn solve(target: f64, f: impl Fn(f64) -> f64) -> f64 {
    let mut high = 1.0;
    while f(high) < target {
        high *= 2.0;
    }
    let mut low = if high > 1.0 { high / 2.0 } else { 0.0 };
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if f(middle) < target { low = middle } else { high = middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_divergence_is_that_of_closed_forms() {
        // d = 3: κ coth κ − 1 − ln (sinh κ/κ).
        for kappa in [0.1_f64, 1.0, 30.0, 700.0] {
            let log_sinh = kappa + (-(-2.0 * kappa).exp()).ln_1p() - 2_f64.ln();
            let expected = kappa / kappa.tanh() - 1.0 - log_sinh + kappa.ln();
            let got = divergence_from_uniform(0.5, kappa);
            // Differences of numbers of size κ, and of lnΓ of this size.
            assert!((got - expected).abs() < 1e-14 * kappa.max(10.0), "{kappa}: {got} is not {expected}");
        }
        // d = 1: two points, with probabilities e^±κ/(2 cosh κ).
        let p = 1.0 / (1.0 + (-2.0_f64 * 0.7).exp());
        let expected = 2_f64.ln() + p * p.ln() + (1.0 - p) * (1.0 - p).ln();
        assert!((divergence_from_uniform(-0.5, 0.7) - expected).abs() < 1e-14);
    }

    #[test]
    fn more_reference_points_need_a_lower_temperature_and_few_dimensions_have_none() {
        for epsilon in [epsilon_by_bound, exact_epsilon, |d, m| Some(leading_epsilon(d, m))] {
            assert!([(3, 2), (64, 20), (768, 100)].iter().all(|(d, m)| epsilon(*d, *m) > epsilon(*d, m * 5)));
        }
        assert_eq!((epsilon_by_bound(2, 10), exact_epsilon(1, 10)), (None, None));
        // d = 2, large κ: ½ ln 2πκ − ½ = ln m up to 1/κ, so κ = e m²/2π.
        let kappa = 1.0 / exact_epsilon(2, 10_000).unwrap();
        let expected = 1e8 * std::f64::consts::E / std::f64::consts::TAU;
        assert!((kappa / expected - 1.0).abs() < 1e-5, "{kappa} is not {expected}");
    }
}
