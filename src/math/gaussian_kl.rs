//! The divergence KL(Q‖P) of Gaussians, in nats, for a centred and isotropic P.

use ndarray::Array2;

use crate::math::determinant::{NotPositiveDefinite, log_determinant};

/// KL(N(μ, s²) ‖ N(0, s₀²)) = ln(s₀/s) + (s² + μ²)/2s₀² − ½; infinite if s² = 0.
pub fn gaussian_kl(mean: f64, variance: f64, prior_variance: f64) -> f64 {
    0.5 * ((prior_variance / variance).ln() + (variance + mean * mean) / prior_variance - 1.0)
}

/// KL(N(m, C) ‖ N(0, s₀² I)) = ½ [d ln s₀² − ln |C| + (tr C + |m|²)/s₀² − d], for given |m|² or its mean over many m.
///
/// # Errors
/// C is not positive definite.
pub fn gaussian_kl_of_covariance(
    mean_square: f64,
    covariance: &Array2<f64>,
    prior_variance: f64,
) -> Result<f64, NotPositiveDefinite> {
    let d = covariance.nrows() as f64;
    let trace = covariance.diag().sum();
    let log_volume = d * prior_variance.ln() - log_determinant(covariance)?;
    Ok(0.5 * (log_volume + (trace + mean_square) / prior_variance - d))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn divergences_agree_with_those_computed_by_hand() {
        assert_eq!(gaussian_kl(0.0, 0.7, 0.7), 0.0);
        // ½ (ln 2 + (½ + 9)/1 − 1).
        assert!((gaussian_kl(3.0, 0.5, 1.0) - 0.5 * (2.0_f64.ln() + 8.5)).abs() < 1e-15);
        assert_eq!(gaussian_kl(1.0, 0.0, 1.0), f64::INFINITY);
    }

    #[test]
    fn independent_units_add_up() {
        let got = gaussian_kl_of_covariance(13.0, &array![[0.5, 0.0], [0.0, 0.2]], 2.0).unwrap();
        let expected = gaussian_kl(3.0, 0.5, 2.0) + gaussian_kl(2.0, 0.2, 2.0);
        // A dozen roundings of numbers below 4.
        assert!((got - expected).abs() < 1e-14, "{got} {expected}");
    }
}
