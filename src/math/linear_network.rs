//! Exact information of linear networks with Gaussian inputs and Gaussian noise.
//!
//! Everything is a logarithm of a determinant: h(N(μ, C)) = ½ ln |2πe C|.
//!
//! # Reference
//! Saxe et al. 2018, eqs 5, 6 and 21–24, which omit the input covariance and a factor ½ that are needed for their
//! figures.

use ndarray::{Array2, ArrayView2, Axis, concatenate};

pub use crate::math::determinant::NotPositiveDefinite;
use crate::math::determinant::{log_determinant, log_determinant_of_noise};
use crate::units::Nats;

/// T = WX + Z with X ~ N(0, Σ) and Z ~ N(0, σ²I).
#[derive(Debug, Clone, Copy)]
pub struct LinearNetwork<'a> {
    /// W, n_units × n_inputs: the product of the matrices of all layers up to T.
    pub weights: ArrayView2<'a, f64>,
    /// Σ, n_inputs × n_inputs.
    pub input_covariance: ArrayView2<'a, f64>,
    /// σ² > 0.
    pub noise_variance: f64,
}

/// Y = W_o X + ε with ε ~ N(0, σ_o²I).
#[derive(Debug, Clone, Copy)]
pub struct LinearTeacher<'a> {
    /// W_o, n_outputs × n_inputs.
    pub weights: ArrayView2<'a, f64>,
    /// σ_o² ≥ 0.
    pub noise_variance: f64,
}

impl LinearNetwork<'_> {
    /// I(X;T) = ½ ln |WΣWᵀ + σ²I| − ½ ln |σ²I|.
    ///
    /// # Errors
    /// σ² is not positive, or Σ is not a covariance.
    pub fn i_xt(&self) -> Result<Nats, NotPositiveDefinite> {
        let noise = log_determinant_of_noise(self.noise_variance, self.weights.nrows())?;
        Ok(Nats(0.5 * (log_determinant(&self.covariance())? - noise)))
    }

    /// I(T;Y) = ½ ln |A| + ½ ln |B| − ½ ln |A C; Cᵀ B| with the covariances A of T, B of Y, and C = WΣW_oᵀ between
    /// them.
    ///
    /// # Errors
    /// A variance is not positive, or Σ is not a covariance.
    pub fn i_ty(&self, teacher: &LinearTeacher<'_>) -> Result<Nats, NotPositiveDefinite> {
        let a = self.covariance();
        let b = covariance_of_outputs(teacher.weights, self.input_covariance, teacher.noise_variance);
        let c = self.weights.dot(&self.input_covariance).dot(&teacher.weights.t());
        let joint = concatenate![Axis(0), concatenate![Axis(1), a, c], concatenate![Axis(1), c.t(), b],];
        Ok(Nats(0.5 * (log_determinant(&a)? + log_determinant(&b)? - log_determinant(&joint)?)))
    }

    /// I(T;X_S), the information about only the inputs in `subset`; the other inputs act as noise if they are
    /// independent of these.
    ///
    /// It is I(T;Y) with Y = X_S. `subset` has distinct column numbers of W.
    ///
    /// # Errors
    /// σ² is not positive, or Σ is not positive definite.
    pub fn i_subset_t(&self, subset: &[usize]) -> Result<Nats, NotPositiveDefinite> {
        let mut selection = Array2::zeros((subset.len(), self.weights.ncols()));
        for (row, input) in subset.iter().enumerate() {
            selection[(row, *input)] = 1.0;
        }
        self.i_ty(&LinearTeacher { weights: selection.view(), noise_variance: 0.0 })
    }

    fn covariance(&self) -> Array2<f64> {
        covariance_of_outputs(self.weights, self.input_covariance, self.noise_variance)
    }
}

/// W̄_l = W_l … W_1 of every layer l: T_l = W̄_l X up to a constant, for any biases.
///
/// `layers` are W_1, W_2, …; the number of columns of each is the number of rows of the previous one.
pub fn total_weights(layers: Vec<Array2<f64>>) -> Vec<Array2<f64>> {
    let mut totals: Vec<Array2<f64>> = Vec::with_capacity(layers.len());
    for weights in layers {
        totals.push(totals.last().map_or(weights.clone(), |below| weights.dot(below)));
    }
    totals
}

/// WΣWᵀ + σ²I.
fn covariance_of_outputs(
    weights: ArrayView2<'_, f64>,
    input_covariance: ArrayView2<'_, f64>,
    noise_variance: f64,
) -> Array2<f64> {
    let mut covariance = weights.dot(&input_covariance).dot(&weights.t());
    covariance.diag_mut().mapv_inplace(|c| c + noise_variance);
    covariance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(got: Result<Nats, NotPositiveDefinite>, want: f64, tolerance: f64) {
        let got = got.unwrap().0;
        assert!((got - want).abs() <= tolerance, "{got} is not {want} to {tolerance}");
    }

    #[test]
    fn the_linear_network_of_the_reference_page_is_reproduced() {
        // A reference case computed in NumPy: 100 inputs of variance 1/100, 20 units, one teacher output, noise of variance 1.
        let weights = Array2::from_shape_fn((20, 100), |(r, c)| {
            let (r, c) = (r as f64, c as f64);
            (1.0 + 0.37 * r + 0.91 * c + 0.013 * r * c).sin()
        });
        let input_covariance = Array2::from_diag_elem(100, 0.01);
        let network =
            LinearNetwork { weights: weights.view(), input_covariance: input_covariance.view(), noise_variance: 1.0 };
        let teacher = Array2::from_shape_fn((1, 100), |(_, c)| (0.5 + 1.7 * c as f64).cos());
        let teacher = LinearTeacher { weights: teacher.view(), noise_variance: 1.0 };
        let relevant: Vec<usize> = (0..30).collect();
        let irrelevant: Vec<usize> = (30..100).collect();

        // To all given digits.
        close(network.i_xt(), 3.418_074_116_3, 5.1e-11);
        close(network.i_ty(&teacher), 1.425_418e-4, 5.1e-11);
        close(network.i_subset_t(&relevant), 0.985_746_990_5, 5.1e-11);
        close(network.i_subset_t(&irrelevant), 2.320_123_991_7, 5.1e-11);
        // All inputs are the input: two formulas for one value, which differ by the rounding of 120 logarithms of size
        // 5.
        close(network.i_subset_t(&(0..100).collect::<Vec<_>>()), network.i_xt().unwrap().0, 1e-12);
    }

    #[test]
    fn the_first_layer_of_g1_is_reproduced() {
        // The golden first layer of net G1, computed in NumPy.
        let weights = Array2::from_shape_fn((10, 12), |(c, r)| (1.0 + 12.9898 * r as f64 + 78.233 * c as f64).sin());
        let input_covariance = Array2::eye(12);
        let network =
            LinearNetwork { weights: weights.view(), input_covariance: input_covariance.view(), noise_variance: 0.01 };
        // The page has …974; 40 digits give …973026. The matrix has rank 2: eight eigenvalues of 0.01, with rounding
        // errors of 1e−16 of the largest, 70, should cancel the noise. Each has an error of 7e−15/0.01, half of eight
        // of them at worst.
        close(network.i_xt(), 7.988_194_990_973_026, 3e-12);
    }

    #[test]
    fn rescaling_the_weights_of_two_layers_changes_information_but_not_the_function() {
        // Saxe et al. 2018, eq. 21 with w₁ = 2 and noise of variance 1, in bits.
        for (c, bits) in [(0.1, 4.324), (1.0, 1.161), (10.0, 0.028)] {
            let (weights, input_covariance) = (Array2::from_elem((1, 1), 2.0 / c), Array2::eye(1));
            let network = LinearNetwork {
                weights: weights.view(),
                input_covariance: input_covariance.view(),
                noise_variance: 1.0,
            };
            close(network.i_xt(), bits * std::f64::consts::LN_2, 4e-4);
        }
    }

    #[test]
    fn layers_multiply_from_the_left() {
        let (first, second) = (ndarray::array![[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]], ndarray::array![[2.0, -1.0]]);
        // By hand: 2 (1, 2, 0) − (0, 1, 3).
        let totals = total_weights(vec![first.clone(), second]);
        assert_eq!(totals, [first, ndarray::array![[2.0, 3.0, -3.0]]]);
        // Two layers with one unit: I(X;T) = ½ ln(1 + (w₁w₂)²) with variances of 1.
        let totals = total_weights(vec![Array2::from_elem((1, 1), 3.0), Array2::from_elem((1, 1), 0.5)]);
        let input_covariance = Array2::eye(1);
        let network =
            LinearNetwork { weights: totals[1].view(), input_covariance: input_covariance.view(), noise_variance: 1.0 };
        close(network.i_xt(), 0.5 * 3.25_f64.ln(), 1e-15);
        assert!(total_weights(Vec::new()).is_empty());
    }

    #[test]
    fn correlated_inputs_have_mutual_information() {
        // T = X₁ + Z, with correlation ρ between X₂ and X₁: corr(T, X₂)² = ρ²/(1 + σ²), I = −½ ln (1 − corr²).
        let (rho, noise_variance) = (0.8_f64, 0.5);
        let weights = ndarray::array![[1.0, 0.0]];
        let input_covariance = ndarray::array![[1.0, rho], [rho, 1.0]];
        let network =
            LinearNetwork { weights: weights.view(), input_covariance: input_covariance.view(), noise_variance };
        close(network.i_subset_t(&[1]), -0.5 * (1.0 - rho * rho / 1.5).ln(), 1e-15);
    }
}
