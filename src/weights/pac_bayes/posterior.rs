//! Gaussians around weights: the posterior Q of a PAC-Bayes bound, its divergence from the prior, and samples from it.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::math::normal::probability;
use crate::units::Nats;

/// Q = N(w, Σ) with a diagonal Σ.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightPosterior {
    /// w.
    pub mean: Vec<f64>,
    /// The diagonal of Σ, one positive number per weight.
    pub variances: Vec<f64>,
}

impl WeightPosterior {
    /// Σ = β (D + β/λ)⁻¹, which minimises E_Q of the loss to second order plus β KL(Q‖P) around weights with the curvature
    /// `diagonal` D (non-negative) of the mean loss, for a prior of variance λ.
    pub fn of_curvature(mean: Vec<f64>, diagonal: &[f64], beta: f64, prior_variance: f64) -> Self {
        let variances = diagonal.iter().map(|d| 1.0 / (d / beta + 1.0 / prior_variance)).collect();
        Self { mean, variances }
    }

    /// |w − w₀|²/2λ: the part of KL(Q‖N(w₀, λI)) from the distance to the mean of the prior.
    pub fn distance_part(&self, prior_mean: &[f64], prior_variance: f64) -> Nats {
        let squares: f64 = self.mean.iter().zip(prior_mean).map(|(w, w_0)| (w - w_0).powi(2)).sum();
        Nats(squares / (2.0 * prior_variance))
    }

    /// ½ Σ_i (Σ_ii/λ − 1 − ln(Σ_ii/λ)): the part of KL(Q‖N(w₀, λI)) from the variances.
    pub fn variance_part(&self, prior_variance: f64) -> Nats {
        let ratios = self.variances.iter().map(|variance| variance / prior_variance);
        Nats(0.5 * ratios.map(|ratio| ratio - 1.0 - ratio.ln()).sum::<f64>())
    }

    /// KL(Q‖N(w₀, λI)) for a `prior_mean` w₀ and a `prior_variance` λ.
    pub fn kl(&self, prior_mean: &[f64], prior_variance: f64) -> Nats {
        self.distance_part(prior_mean, prior_variance) + self.variance_part(prior_variance)
    }

    /// Draws weights into `weights`, which has the length of w.
    pub fn draw(&self, rng: &mut impl Rng, weights: &mut [f64]) {
        for ((weight, mean), variance) in weights.iter_mut().zip(&self.mean).zip(&self.variances) {
            let normal: f64 = StandardNormal.sample(rng);
            *weight = mean + variance.sqrt() * normal;
        }
    }
}

/// The exact error E_{w~N(μ, σ²I)} of the classifier sign(w·x): the mean over samples of Φ(−y μ·x/(σ|x|)).
///
/// `x` are the samples, row by row, each with the length of μ `mean`; `is_positive` is whether y = 1 (otherwise −1).
pub fn gibbs_error_of_linear_classifier(
    x: ndarray::ArrayView2<'_, f64>,
    is_positive: &[bool],
    mean: &[f64],
    variance: f64,
) -> f64 {
    let mut sum = 0.0;
    for (x, is_positive) in x.rows().into_iter().zip(is_positive) {
        let product: f64 = x.iter().zip(mean).map(|(x, m)| x * m).sum();
        let scale = variance.sqrt() * x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let margin = if *is_positive { product / scale } else { -product / scale };
        sum += probability(f64::NEG_INFINITY, -margin);
    }
    sum / is_positive.len() as f64
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::weights::GibbsRisk;
    use crate::weights::fixtures::assert_close;

    #[test]
    fn a_linear_classifier_has_the_error_and_the_bound_of_scipy() {
        let x = Array2::from_shape_fn((60, 3), |(s, i)| {
            let s = s as f64;
            [(0.3 + 0.71 * s).cos(), (1.1 + 0.37 * s).sin(), 1.0][i]
        });
        let is_positive: Vec<bool> = (0..60).map(|s| (0.9 + 1.7 * s as f64).sin() + 2.0 * x[(s, 0)] > 0.0).collect();
        let mean = vec![3.0, 0.2, 0.1];
        let error = gibbs_error_of_linear_classifier(x.view(), &is_positive, &mean, 0.25);
        assert_close(error, 0.118_443_106_777_1);
        let kl = WeightPosterior { mean, variances: vec![0.25; 3] }.kl(&[0.0; 3], 4.0);
        assert_close(kl.0, 3.883_883_083_359_67);
        let bound = GibbsRisk::new(error, kl, 60, 0.05).unwrap().kl_inverse_maurer();
        // The error above has 13 digits, as on the page.
        assert_close(bound, 0.369_137_955_061_2);
    }

    #[test]
    fn variances_are_those_of_the_prior_where_nothing_is_curved() {
        let posterior = WeightPosterior::of_curvature(vec![1.0, 2.0], &[0.0, 3.0], 0.5, 4.0);
        assert_eq!(posterior.variances, [4.0, 1.0 / (6.0 + 0.25)]);
        assert_close(posterior.distance_part(&[0.0, 0.0], 4.0).0, 5.0 / 8.0);
        let ratio: f64 = 0.16 / 4.0;
        assert_close(posterior.variance_part(4.0).0, 0.5 * (ratio - 1.0 - ratio.ln()));
    }
}
