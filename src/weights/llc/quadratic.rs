//! The exact local learning coefficient of a quadratic loss, a reference for samplers.
//!
//! L(w) = ½ Σ h (w − w*)², a = nβ h + γ for each eigenvalue h. Under exp(−nβ L − γ|w − w*|²/2) each direction is N(0, 1/a).

use std::f64::consts::PI;

use ndarray::{Array2, ArrayView2};

use crate::math::determinant::{cholesky, inverse_of_triangle};
use crate::parameter::{Kind, ParameterError};
use crate::weights::{MeasureError, check_number};

/// nβ = n/ln n of `n` samples: the inverse temperature at which the coefficient is defined.
///
/// # Reference
/// Watanabe 2013, "A widely applicable Bayesian information criterion", theorem 4.
pub fn n_beta(n: f64) -> f64 {
    n / n.ln()
}

/// Which losses of a chain are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The loss of the weights before each step, as released programs record it; without burn-in the first is L(w*).
    BeforeStep,
    /// The loss of the weights after each step.
    AfterStep,
}

/// A quadratic loss with a localised posterior around its minimum.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalQuadratic {
    eigenvalues: Vec<f64>,
    n_beta: f64,
    gamma: f64,
}

impl LocalQuadratic {
    /// Eigenvalues h ≥ 0 of the Hessian of the mean loss, the inverse temperature nβ, the localisation γ ≥ 0.
    ///
    /// # Errors
    /// A number that is negative or not finite; nβ = 0.
    pub fn new(eigenvalues: &[f64], n_beta: f64, gamma: f64) -> Result<Self, ParameterError> {
        for h in eigenvalues {
            check_number("eigenvalues", *h, Kind::NotNegative)?;
        }
        let n_beta = check_number("n_beta", n_beta, Kind::Positive)?;
        Ok(Self { eigenvalues: eigenvalues.to_vec(), n_beta, gamma: check_number("gamma", gamma, Kind::NotNegative)? })
    }

    /// nβ h and a of each curved direction; the others contribute nothing.
    fn curved(&self) -> impl Iterator<Item = (f64, f64)> {
        let curved = self.eigenvalues.iter().filter(|h| **h > 0.0);
        curved.map(|h| (self.n_beta * h, self.n_beta * h + self.gamma))
    }

    /// ½ Σ nβ h/a; d/2 without localisation.
    pub fn exact(&self) -> f64 {
        self.curved().map(|(nh, a)| 0.5 * nh / a).sum()
    }

    /// The expectation of an infinite chain with step size ε: ½ Σ nβ h/(a(1 − εa/4)).
    pub fn stationary(&self, step_size: f64) -> f64 {
        self.curved().map(|(nh, a)| 0.5 * nh * stationary_variance(a, step_size)).sum()
    }

    /// The expectation if each component of ∇L has independent noise of variance σ² at each step, as for batches:
    /// ½ Σ nβ h(1 + ε(nβ)²σ²/4)/(a(1 − εa/4)).
    pub fn stationary_of_batches(&self, step_size: f64, gradient_noise_variance: f64) -> f64 {
        let noise = 1.0 + step_size * self.n_beta * self.n_beta * gradient_noise_variance / 4.0;
        self.stationary(step_size) * noise
    }

    /// The mean over chains of the value of one chain from w* with `n_draws` losses after `burn_in` steps: Σ (nβ h v/2)
    /// mean_t (1 − ρ^2t) with ρ = 1 − εa/2 and v = 1/(a(1 − εa/4)).
    pub fn estimator_mean(&self, step_size: f64, burn_in: usize, n_draws: usize, recorded: Recorded) -> f64 {
        let first = first_draw(burn_in, recorded);
        let of_direction = |(nh, a): (f64, f64)| {
            let square = (1.0 - step_size * a / 2.0).powi(2);
            let grown: f64 = (first..first + n_draws).map(|t| 1.0 - square.powf(t as f64)).sum();
            0.5 * nh * stationary_variance(a, step_size) * grown / n_draws as f64
        };
        self.curved().map(of_direction).sum()
    }

    /// The standard deviation over chains of the value of one chain: variance Σ (nβ h/2)² 2 mean_{t,s} (v ρ^|t−s| (1 −
    /// ρ^(2 min(t,s))))².
    pub fn estimator_std(&self, step_size: f64, burn_in: usize, n_draws: usize, recorded: Recorded) -> f64 {
        let first = first_draw(burn_in, recorded);
        let mut variance = 0.0;
        for (nh, a) in self.curved() {
            let (square, v) = ((1.0 - step_size * a / 2.0).powi(2), stationary_variance(a, step_size));
            let mut sum = 0.0;
            for t in first..first + n_draws {
                // Σ_s ρ^2(s − t) over s > t; the pairs with s < t give the same sum.
                let n_later = (first + n_draws - 1 - t) as f64;
                let decay = square * (1.0 - square.powf(n_later)) / (1.0 - square);
                sum += (v * (1.0 - square.powf(t as f64))).powi(2) * (1.0 + 2.0 * decay);
            }
            variance += (nh / 2.0).powi(2) * 2.0 * sum / (n_draws as f64).powi(2);
        }
        variance.sqrt()
    }

    /// nβ (E L − L(w₀)) if w₀ is at a distance of `offsets` from the minimum, and the localisation is at w₀: ½ nβ Σ
    /// h(1/a + (γd/a)² − d²). Negative far from the minimum.
    pub fn off_minimum(&self, offsets: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (h, d) in self.eigenvalues.iter().zip(offsets).filter(|(h, _)| **h > 0.0) {
            let a = self.n_beta * h + self.gamma;
            sum += 0.5 * self.n_beta * h * (1.0 / a + (self.gamma * d / a).powi(2) - d * d);
        }
        sum
    }
}

/// ½ tr(nβ H_bb (nβ H_bb + γ)⁻¹) for the `block` b of directions of a Hessian, with the others fixed. The coefficients
/// of blocks have a sum of at least that of the whole.
///
/// # Errors
/// nβ H_bb + γ is not positive definite.
///
/// # Reference
/// Wang, Hoogland, van Wingerden, Furman & Murfet 2024 (arXiv 2410.02984), weight-refined coefficients.
pub fn block_llc(hessian: ArrayView2<'_, f64>, block: &[usize], n_beta: f64, gamma: f64) -> Result<f64, MeasureError> {
    let n = block.len();
    let curvature = Array2::from_shape_fn((n, n), |(i, j)| n_beta * hessian[(block[i], block[j])]);
    let precision = &curvature + &(gamma * Array2::<f64>::eye(n));
    let root = cholesky(&precision).map_err(|problem| MeasureError::Refused(problem.to_string()))?;
    let inverse = inverse_of_triangle(&root);
    // tr(A P⁻¹) with P⁻¹ = L⁻ᵀL⁻¹.
    Ok(0.5 * (curvature.dot(&inverse.t()) * inverse.t()).sum())
}

/// The share of steps that Metropolis' rule accepts for a one-dimensional Gaussian at stationarity, with
/// `step_size_times_precision` εa.
pub fn mala_acceptance(step_size_times_precision: f64) -> f64 {
    let ea = step_size_times_precision;
    let (r, v) = (1.0 - ea / 2.0, 1.0 + ea * ea / 4.0);
    let (u, w) = (1.0 - 2.0 * r + v, 1.0 + 2.0 * r + v);
    1.0 - 2.0 / PI * (ea * ea / 4.0 / (u * w).sqrt()).asin()
}

/// 1/(a(1 − εa/4)).
fn stationary_variance(a: f64, step_size: f64) -> f64 {
    1.0 / (a * (1.0 - step_size * a / 4.0))
}

fn first_draw(burn_in: usize, recorded: Recorded) -> usize {
    match recorded {
        Recorded::BeforeStep => burn_in,
        Recorded::AfterStep => burn_in + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fixtures::{assert_close, numbers, values};

    #[test]
    fn numbers_of_a_quadratic_are_those_of_numpy() {
        let case = LocalQuadratic::new(&[1.0, 0.3, 0.05], n_beta(1000.0), 1.0).unwrap();
        assert_close(case.exact(), 1.424_623_454_959);
        assert_close(case.stationary(0.001), 1.449_799_727_167);
        assert_close(case.estimator_mean(0.001, 200, 500, Recorded::BeforeStep), 1.429_582_826_708);
        assert_close(case.estimator_std(0.001, 200, 500, Recorded::BeforeStep), 0.428_035_631_902_6);
        assert_close(case.off_minimum(&[0.5, -0.4, 0.3]), -20.463_645_646_39);
        let narrow = LocalQuadratic::new(&[1.0], n_beta(1000.0), 1.0).unwrap();
        assert_close(narrow.stationary(0.001), 0.515_349_785_338_6);
        assert_close(narrow.stationary_of_batches(0.001, 0.02), 0.569_350_339_542_6);
        let Some(file) = values("d3_llc") else { return };
        for expected in file["quadratic_sgld"]["cases"].as_array().unwrap() {
            let number = |key: &str| expected[key].as_f64().unwrap();
            let count = |key: &str| expected[key].as_u64().unwrap() as usize;
            let case = LocalQuadratic::new(&numbers(&expected["h"]), n_beta(number("n")), number("gamma")).unwrap();
            assert_close(n_beta(number("n")), number("nbeta"));
            assert_close(case.exact(), number("lambda_exact_gibbs"));
            let (eps, burn_in, draws) = (number("eps"), count("burnin"), count("draws"));
            assert_close(case.stationary(eps), number("lambda_sgld_stationary"));
            assert_close(case.stationary(eps) / case.exact() - 1.0, number("relative_step_bias"));
            for (recorded, word) in [(Recorded::BeforeStep, "pre"), (Recorded::AfterStep, "post")] {
                let mean = case.estimator_mean(eps, burn_in, draws, recorded);
                assert_close(mean, number(&format!("estimator_mean_{word}_step")));
                let std = case.estimator_std(eps, burn_in, draws, recorded);
                assert_close(std, number(&format!("estimator_sd_one_chain_{word}_step")));
            }
        }
    }

    #[test]
    fn the_released_inverse_temperature_of_a_batch_makes_another_number() {
        assert_close(n_beta(32.0), 9.233_248_261_689);
        let released = LocalQuadratic::new(&[1.0, 0.3, 0.05], n_beta(32.0), 1.0).unwrap();
        assert_close(released.exact(), 0.976_436_514_402_5);
    }

    #[test]
    fn the_acceptance_of_a_gaussian_is_that_of_the_arcsine_law() {
        let expected = [
            (0.1, 0.997_483_552_501_2),
            (0.5, 0.971_883_410_667_1),
            (1.0, 0.920_833_151_678_9),
            (2.0, 0.783_653_104_061_2),
        ];
        for (ea, acceptance) in expected {
            assert_close(mala_acceptance(ea), acceptance);
        }
    }

    #[test]
    fn blocks_of_a_linear_regression_add_up_to_more_than_the_whole() {
        let x = Array2::from_shape_fn((20, 3), |(i, j)| {
            let (i, j) = (i as f64, j as f64);
            (1.0 + 0.37 * i + 0.91 * j + 0.53 * i * j).sin()
        });
        let hessian = x.t().dot(&x) / 20.0;
        let llc = |block: &[usize]| block_llc(hessian.view(), block, n_beta(20.0), 1.0).unwrap();
        assert_close(llc(&[0]), 0.394_089_705_136_3);
        assert_close(llc(&[1, 2]), 0.764_104_308_603_3);
        assert_close(llc(&[0, 1, 2]), 1.153_841_411_996);
        let flat = Array2::zeros((2, 2));
        assert!(block_llc(flat.view(), &[0, 1], 10.0, 0.0).is_err());
    }

    #[test]
    fn directions_that_are_not_curved_add_nothing() {
        let case = LocalQuadratic::new(&[0.0, 2.0], 10.0, 0.0).unwrap();
        assert_eq!((case.exact(), case.off_minimum(&[3.0, 0.0])), (0.5, 0.5));
        assert!(LocalQuadratic::new(&[-1.0], 10.0, 1.0).is_err());
    }
}
