//! Information of representations under the assumption that they are Gaussian, from their sample covariance.
//!
//! Everything is a logarithm of a determinant: h(N(μ, C)) = ½ ln |2πe C|.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};
use thiserror::Error;

use crate::math::determinant::{
    NotPositiveDefinite, cholesky, inverse_of_triangle, log_determinant_of_noise, log_determinant_of_root,
};
use crate::math::real::Real;
use crate::units::Nats;

/// Why there is no Gaussian information.
#[derive(Debug, Error, PartialEq)]
pub enum GaussianError {
    /// The covariance of the noisy representation is not positive definite.
    #[error(transparent)]
    NotPositiveDefinite(#[from] NotPositiveDefinite),
    /// A covariance of fewer than two samples.
    #[error("a covariance needs at least 2 samples, got {got}")]
    TooFewSamples {
        /// Number of samples.
        got: usize,
    },
    /// A covariance of a class with fewer than two samples.
    #[error("class {class} has {got} sample, but at least 2 are needed; use more samples or merge classes")]
    TooSmallClass {
        /// The class number.
        class: u32,
        /// Number of its samples.
        got: usize,
    },
}

/// I(X;T+Z) = ½ ln |Σ̂ + σ²I| − ½ d ln σ² of representations T that are assumed to be Gaussian, bias-corrected.
///
/// Σ̂ is the sample covariance of `values`, N ≥ 2 samples × `n_units` row-major, finite; Z ~ N(0, σ²I) is noise of
/// `noise_variance` σ² > 0 that is added in the analysis. Other distributions with this covariance have less
/// information.
///
/// Bias: Σ̂ = Σ + Δ with E Δ = 0 and, for Gaussian samples, E ΔMΔ = [ΣMΣ + tr(MΣ) Σ]/(N − 1) for a symmetric M. To
/// second order ln |Σ̂ + σ²I| = ln |Σ + σ²I| + tr MΔ − ½ tr MΔMΔ with M = (Σ + σ²I)⁻¹, so that with A = MΣ
///
/// E ln |Σ̂ + σ²I| ≈ ln |Σ + σ²I| − [(tr A)² + tr A²]/2(N − 1).
///
/// Half of the bracket, with Â of the samples instead of A, is added here. The next order is about d³/12N²: results are
/// reliable only if d² is much less than N, with d the number of units that vary more than the noise.
///
/// # Errors
/// Fewer than 2 samples, σ² that is not positive, or values that are not finite.
///
/// # Reference
/// Moments of the Wishart distribution: Muirhead 1982, Aspects of Multivariate Statistical Theory, §3.2.
pub fn i_xt<T: Real>(values: &[T], n_units: usize, noise_variance: f64) -> Result<Nats, GaussianError> {
    let n_samples = values.len() / n_units;
    if n_samples < 2 {
        return Err(GaussianError::TooFewSamples { got: n_samples });
    }
    let mut covariance = sample_covariance(values, n_units);
    covariance.diag_mut().mapv_inplace(|c| c + noise_variance);
    let root = cholesky(&covariance)?;
    let plug_in = 0.5 * (log_determinant_of_root(&root) - log_determinant_of_noise(noise_variance, n_units)?);

    // A is similar to B = L⁻¹ Σ̂ L⁻ᵀ = I − σ² L⁻¹ L⁻ᵀ, which is symmetric: tr A² is its sum of squares.
    let inverse = inverse_of_triangle(&root);
    let mut b = inverse.dot(&inverse.t()) * -noise_variance;
    b.diag_mut().mapv_inplace(|c| c + 1.0);
    let bracket = b.diag().sum().powi(2) + b.iter().map(|b| b * b).sum::<f64>();
    Ok(Nats(plug_in + bracket / (4.0 * (n_samples - 1) as f64)))
}

/// I(T;Y) = H(T) − Σ_y p_y H(T|Y=y) of T + Z, assuming a Gaussian for all samples and for those of each class, all
/// bias-corrected.
///
/// The entropies of the noise cancel, so this is a difference of [`i_xt`], which has the same arguments; `classes` has
/// one number per sample. A mixture of Gaussian classes is not Gaussian: H(T) is then too large, and so is the
/// information.
///
/// # Errors
/// See [`i_xt`]; also a class with one sample.
///
/// # Panics
/// The length of `classes` is not N.
pub fn i_ty<T: Real>(
    values: &[T],
    n_units: usize,
    noise_variance: f64,
    classes: &[u32],
) -> Result<Nats, GaussianError> {
    assert_eq!(values.len(), n_units * classes.len(), "one class per sample");
    let mut by_class: BTreeMap<u32, Vec<T>> = BTreeMap::new();
    for (class, row) in classes.iter().zip(values.chunks_exact(n_units)) {
        by_class.entry(*class).or_default().extend_from_slice(row);
    }
    let mut within_classes = 0.0;
    for (class, values_of_class) in &by_class {
        let got = values_of_class.len() / n_units;
        if got < 2 {
            return Err(GaussianError::TooSmallClass { class: *class, got });
        }
        let p = got as f64 / classes.len() as f64;
        within_classes += p * i_xt(values_of_class, n_units, noise_variance)?.0;
    }
    Ok(Nats(i_xt(values, n_units, noise_variance)?.0 - within_classes))
}

/// Σ̂ = Σ_s (t_s − t̄)(t_s − t̄)ᵀ/(N − 1), n_units × n_units.
pub fn sample_covariance<T: Real>(values: &[T], n_units: usize) -> Array2<f64> {
    let n_samples = values.len() / n_units;
    let centred = Array2::from_shape_fn((n_samples, n_units), |(s, u)| values[s * n_units + u].to_f64());
    let means = centred.sum_axis(Axis(0)) / n_samples as f64;
    let centred = centred - means;
    centred.t().dot(&centred) / (n_samples - 1) as f64
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::math::determinant::log_determinant;
    use crate::math::linear_network::LinearNetwork;

    #[track_caller]
    fn close(got: Result<Nats, GaussianError>, want: f64, tolerance: f64) {
        let got = got.unwrap().0;
        assert!((got - want).abs() <= tolerance, "{got} is not {want} to {tolerance}");
    }

    fn standard_normal(n: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        (0..n).map(|_| StandardNormal.sample(rng)).collect()
    }

    #[test]
    fn what_has_no_covariance_is_refused() {
        assert_eq!(i_xt(&[1.0, 2.0], 1, -0.1), Err(NotPositiveDefinite { row: 0 }.into()));
        assert_eq!(i_xt(&[1.0, 1.0], 1, 0.0), Err(NotPositiveDefinite { row: 0 }.into()));
        assert_eq!(i_xt(&[1.0_f32, 1.0], 2, 0.1), Err(GaussianError::TooFewSamples { got: 1 }));
        let classes = [4, 4, 7];
        assert_eq!(
            i_ty(&[1.0_f32, 2.0, 3.0], 1, 0.1, &classes),
            Err(GaussianError::TooSmallClass { class: 7, got: 1 })
        );
    }

    #[test]
    fn a_covariance_agrees_with_one_computed_by_hand() {
        // Means 2 and 5; deviations (−1, −4), (0, 1), (1, 3).
        let got = sample_covariance(&[1.0_f32, 1.0, 2.0, 6.0, 3.0, 8.0], 2);
        assert_eq!(got, ndarray::array![[1.0, 3.5], [3.5, 13.0]]);
    }

    const N_UNITS: usize = 5;
    const NOISE_VARIANCE: f64 = 0.2;

    /// Samples of T = WX, X ~ N(0, I), and I(X;T+Z) of their distribution.
    fn mixing() -> (Array2<f64>, Nats) {
        let weights = Array2::from_shape_fn((N_UNITS, N_UNITS), |(r, c)| {
            f64::from(u8::from(r == c)) + 0.5 * (1.0 + 3.1 * r as f64 + 5.3 * c as f64).sin()
        });
        let input_covariance = Array2::eye(N_UNITS);
        let network = LinearNetwork {
            weights: weights.view(),
            input_covariance: input_covariance.view(),
            noise_variance: NOISE_VARIANCE,
        };
        let exact = network.i_xt().unwrap();
        (weights, exact)
    }

    fn samples(weights: &Array2<f64>, n_samples: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let x = Array2::from_shape_vec((n_samples, N_UNITS), standard_normal(n_samples * N_UNITS, rng)).unwrap();
        x.dot(&weights.t()).into_raw_vec_and_offset().0
    }

    #[test]
    fn the_bias_of_small_samples_is_corrected() {
        let (n_samples, repeats) = (60, 4000);
        let (weights, exact) = mixing();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut corrected, mut plug_in) = (0.0, 0.0);
        for _ in 0..repeats {
            let values = samples(&weights, n_samples, &mut rng);
            corrected += i_xt(&values, N_UNITS, NOISE_VARIANCE).unwrap().0 / f64::from(repeats);
            let mut covariance = sample_covariance(&values, N_UNITS);
            covariance.diag_mut().mapv_inplace(|c| c + NOISE_VARIANCE);
            let log_noise = N_UNITS as f64 * NOISE_VARIANCE.ln();
            plug_in += 0.5 * (log_determinant(&covariance).unwrap() - log_noise) / f64::from(repeats);
        }
        // One estimate has the variance tr A²/2(N − 1) ≤ 5/118, so the standard error of the mean of 4000 is 0.0033;
        // four of them. The next order of the bias is at most d(2d² + 3d − 1)/24(N − 1)² = 0.004 (expansion of ψ, for Σ
        // ≫ σ²).
        assert!((corrected - exact.0).abs() < 0.017, "{corrected} is not {}", exact.0);
        // Every variance is well above the noise, tr A > 3 and tr A² > 3²/5: the bias is more than (9 + 1.8)/(4 · 59).
        assert!(exact.0 - plug_in > 0.045, "{plug_in} is not below {}", exact.0);
    }

    #[test]
    fn labels_without_meaning_carry_no_information_on_average() {
        let (n_samples, repeats) = (120, 2000);
        let (weights, _) = mixing();
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let classes: Vec<u32> = (0..n_samples as u32).map(|i| i % 2).collect();
        let mean: f64 = (0..repeats)
            .map(|_| i_ty(&samples(&weights, n_samples, &mut rng), N_UNITS, NOISE_VARIANCE, &classes).unwrap().0)
            .sum::<f64>()
            / f64::from(repeats);
        // The errors of the three entropies are as above, and strongly correlated; the next order of the bias of the
        // classes is 0.004.
        assert!(mean.abs() < 0.017, "{mean}");
    }

    #[test]
    fn two_distant_classes_have_the_information_of_their_variances() {
        // T|y ~ N(±μ, 1) in one unit: the total variance is 1 + μ², I = ½ ln [(1 + μ² + σ²)/(1 + σ²)].
        let (n_samples, mu) = (20_000, 3.0);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let classes: Vec<u32> = (0..n_samples as u32).map(|i| 10 + i % 2).collect();
        let values: Vec<f64> = standard_normal(n_samples, &mut rng)
            .iter()
            .zip(&classes)
            .map(|(z, class)| z + if *class == 10 { mu } else { -mu })
            .collect();
        // The logarithm of a variance has a standard deviation of √(2/N) = 0.01 at most; half of it, four times.
        close(i_ty(&values, 1, 0.1, &classes), 0.5 * (10.1_f64 / 1.1).ln(), 0.02);
    }
}
