//! The exact volume of a quadratic region, a reference for random directions.
//!
//! The region is ½ Σ h_i (w_i − w*_i)² ≤ ε.

use std::f64::consts::{LN_2, PI};

use statrs::function::gamma::ln_gamma;

use crate::parameter::{Kind, ParameterError};
use crate::units::Nats;
use crate::weights::{MeasureError, check_number};

/// Maximum number of terms of a series of chi-square distributions.
const MOST_TERMS: usize = 20_000;

/// −ln P(½ Σ h_i (w_i − w*_i)² ≤ ε) for w ~ N(0, vI): `eigenvalues` h, `centre` w*, `prior_variance` v, `tolerance` ε.
///
/// The probability is a mixture of chi-square distributions with positive weights; directions with h = 0 have no
/// effect.
///
/// # Errors
/// A number out of range, vectors of different lengths, or eigenvalues too different for the series.
///
/// # Reference
/// Ruben 1962, "Probability content of regions under spherical normal distributions IV", with β the smallest λ.
pub fn quadratic_information(
    eigenvalues: &[f64],
    centre: &[f64],
    prior_variance: f64,
    tolerance: f64,
) -> Result<Nats, MeasureError> {
    let refused = |problem: ParameterError| MeasureError::Refused(problem.to_string());
    let variance = check_number("prior_variance", prior_variance, Kind::Positive).map_err(refused)?;
    let tolerance = check_number("tolerance", tolerance, Kind::Positive).map_err(refused)?;
    if eigenvalues.len() != centre.len() || !eigenvalues.iter().chain(centre).all(|number| number.is_finite()) {
        let problem = "each eigenvalue needs a component of the centre, and both must be finite".to_owned();
        return Err(MeasureError::Refused(problem));
    }
    if eigenvalues.iter().any(|h| *h < 0.0) {
        return Err(MeasureError::Refused("eigenvalues must be at least 0".to_owned()));
    }
    // The sum is Σ λ (x + δ)² of standard normal x.
    let curved = eigenvalues.iter().zip(centre).filter(|(h, _)| **h > 0.0);
    let directions: Vec<(f64, f64)> = curved.map(|(h, w)| (h * variance / 2.0, w * w / variance)).collect();
    let Some(beta) = directions.iter().map(|(lambda, _)| *lambda).reduce(f64::min) else { return Ok(Nats(0.0)) };
    let d = directions.len() as f64;
    let log_first: f64 = directions.iter().map(|(lambda, shift)| 0.5 * ((beta / lambda).ln() - shift)).sum();
    // The weights c_k relative to c_0, and the coefficients g_m of their recursion.
    let (mut weights, mut coefficients) = (vec![1.0], Vec::new());
    let (mut sum, mut log_sum) = (0.0, f64::NEG_INFINITY);
    let log_scale = log_chi_square(d, tolerance / beta);
    for k in 0..MOST_TERMS {
        if k > 0 {
            let m = k as f64;
            let coefficient = |(lambda, shift): &(f64, f64)| {
                let gamma = 1.0 - beta / lambda;
                gamma.powf(m) + m * beta / lambda * shift * gamma.powf(m - 1.0)
            };
            coefficients.push(directions.iter().map(coefficient).sum::<f64>());
            let dot: f64 = weights.iter().rev().zip(&coefficients).map(|(c, g)| c * g).sum();
            weights.push(dot / (2.0 * m));
        }
        let tail = (log_chi_square(d + 2.0 * k as f64, tolerance / beta) - log_scale).exp();
        sum += weights[k] * tail;
        if !sum.is_finite() {
            let problem =
                "the centre is too many standard deviations of the prior away from 0 for the series".to_owned();
            return Err(MeasureError::Refused(problem));
        }
        // The remaining weights are 1 minus the sum, and their distribution functions are smaller still.
        let rest = (-log_first).exp() - weights.iter().sum::<f64>();
        log_sum = log_first + log_scale + sum.ln();
        if rest * tail <= 1e-15 * sum || weights[k] * tail <= 1e-17 * sum && k > 20 {
            return Ok(Nats(-log_sum));
        }
    }
    Err(MeasureError::Refused(format!(
        "the series of chi-square distributions has not converged after {MOST_TERMS} terms, at {log_sum}; the eigenvalues differ too much"
    )))
}

/// ln P(χ²_d ≤ x) = ln of the incomplete gamma function P(d/2, x/2), by its power series.
fn log_chi_square(d: f64, x: f64) -> f64 {
    let (a, x) = (d / 2.0, x / 2.0);
    let (mut term, mut sum, mut n) = (1.0, 1.0, a);
    while term > 1e-17 * sum {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    a * x.ln() - x - ln_gamma(a + 1.0) + sum.ln()
}

/// ln of the volume of {½ Σ h x² ≤ ε}: (d/2) ln(2πε) − ln Γ(d/2 + 1) − ½ Σ ln h.
///
/// # Errors
/// An eigenvalue or the tolerance is not above 0.
pub fn log_ellipsoid_volume(eigenvalues: &[f64], tolerance: f64) -> Result<f64, ParameterError> {
    let half_d = eigenvalues.len() as f64 / 2.0;
    Ok(log_mean_of_radii(eigenvalues, tolerance)? + half_d * PI.ln() - ln_gamma(half_d + 1.0))
}

/// ln E_u r(u)^d over directions u, r(u)² = 2ε/Σ h u²: d/2 ln 2ε − ½ Σ ln h. The volume of the region relative to that
/// of the unit ball.
///
/// # Errors
/// An eigenvalue or the tolerance is not above 0.
pub fn log_mean_of_radii(eigenvalues: &[f64], tolerance: f64) -> Result<f64, ParameterError> {
    let tolerance = check_number("tolerance", tolerance, Kind::Positive)?;
    let mut sum = 0.0;
    for h in eigenvalues {
        sum += 0.5 * (2.0 * tolerance / check_number("eigenvalues", *h, Kind::Positive)?).ln();
    }
    Ok(sum)
}

/// E_u ln r(u)^d, the value of a mean of logarithms instead of [`log_mean_of_radii`]; never larger.
///
/// E ln Σ h z² of standard normal z is ∫ (e⁻ᵗ − Π (1 + 2ht)^(−1/2)) dt/t.
///
/// # Errors
/// An eigenvalue or the tolerance is not above 0.
pub fn mean_of_log_radii(eigenvalues: &[f64], tolerance: f64) -> Result<f64, ParameterError> {
    log_mean_of_radii(eigenvalues, tolerance)?;
    let d = eigenvalues.len() as f64;
    // Relative to h = 1, so that both ends of the integral vanish; in x = ln t, by the trapezoidal rule.
    const STEP: f64 = 0.05;
    let scale = eigenvalues.iter().fold(0.0_f64, |largest, h| largest.max(h.ln().abs()));
    let n = ((60.0 + 2.0 * LN_2 + scale) / STEP * 2.0) as i32;
    let mut difference = 0.0;
    for k in -n..=n {
        let t = (STEP * f64::from(k)).exp();
        let log_form = |h: f64| -0.5 * (2.0 * h * t).ln_1p();
        let form: f64 = eigenvalues.iter().map(|h| log_form(*h)).sum();
        difference += STEP * ((d * log_form(1.0)).exp() - form.exp());
    }
    Ok(0.5 * d * ((2.0 * tolerance).ln() - difference))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fixtures::assert_close;

    fn information(h: &[f64], centre: &[f64]) -> f64 {
        quadratic_information(h, centre, 1.0, 0.05).unwrap().0
    }

    #[test]
    fn shares_of_a_prior_are_those_of_scipy() {
        assert_close(information(&[2.0; 5], &[0.0; 5]), 10.441_015_189_76);
        assert_close(information(&[2.0; 5], &[1.5, 0.0, 0.0, 0.0, 0.0]), 11.557_999_379_03);
        // Only the distance from 0 matters if all directions are equal.
        assert_close(information(&[2.0; 5], &[0.9, 1.2, 0.0, 0.0, 0.0]), 11.557_999_379_03);
        assert_close(information(&[1.0, 0.1], &[0.8, -0.5]), 2.384_143_945_116_9);
        assert_close(information(&[1.0, 0.1, 0.0], &[0.8, -0.5, 7.0]), 2.384_143_945_116_9);
        assert_eq!(information(&[0.0], &[1.0]), 0.0);
    }

    #[test]
    fn large_regions_hold_the_whole_prior() {
        // P(χ² > 400 of 2 degrees of freedom) = e⁻²⁰⁰.
        assert!(quadratic_information(&[1.0, 1.0], &[0.0, 0.0], 1.0, 200.0).unwrap().0.abs() < 1e-12);
        // −ln(1 − e⁻¹).
        assert_close(
            quadratic_information(&[1.0, 1.0], &[0.0, 0.0], 1.0, 1.0).unwrap().0,
            -(-(-1.0_f64).exp()).ln_1p(),
        );
        assert!(quadratic_information(&[1.0], &[], 1.0, 1.0).is_err());
        assert!(quadratic_information(&[-1.0], &[0.0], 1.0, 1.0).is_err());
        assert!(quadratic_information(&[1.0], &[100.0], 1.0, 1e4).is_err());
    }

    #[test]
    fn volumes_of_ellipsoids_and_the_mean_of_logarithms() {
        assert_close(log_ellipsoid_volume(&[1.0, 0.3, 0.05], 0.05).unwrap(), 0.078_386_857_750_08);
        assert_close(log_mean_of_radii(&[1.0, 0.01], 0.05).unwrap(), 0.0);
        assert_close(mean_of_log_radii(&[1.0, 0.01], 0.05).unwrap(), -1.106_911_091_483);
        // For a sphere the two are equal.
        assert_close(mean_of_log_radii(&[0.3; 7], 0.05).unwrap(), log_mean_of_radii(&[0.3; 7], 0.05).unwrap());
        assert!(mean_of_log_radii(&[0.0], 0.05).is_err());
    }
}
