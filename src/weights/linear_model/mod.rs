//! Linear regression y = Xw + noise, whose I(W;S) is known exactly for the posterior, the Gibbs distribution and
//! Langevin training.
//!
//! The inputs X are fixed and the responses y are random, S = y. If training adds noise, W given y is Gaussian, W = K
//! Xᵀy + N(0, C), and I(W;y) = ½ ln |I + C⁻¹ K (Xᵀ Σ_y X) Kᵀ|. Without noise it is infinite. This is the one case in
//! which Shannon's information in weights can be computed, so that estimates and bounds can be compared with it. All
//! values are in nats.
//!
//! # Reference
//! Xu & Raginsky 2017, "Information-theoretic analysis of generalization capability of learning algorithms"; Welling & Teh 2011
//! (Langevin); Pensia, Jog & Loh 2018 (sums over steps).

mod code_length;
mod langevin;
mod posterior;
#[cfg(test)]
mod tests;

use ndarray::{Array1, Array2, ArrayView2};

pub use langevin::{Langevin, RandomResponses};
pub use posterior::RegressionPosterior;

use super::MeasureError;
use crate::math::determinant::{cholesky, inverse_of_triangle, log_determinant};
use crate::math::gaussian_kl::gaussian_kl_of_covariance;
use crate::parameter::{Kind, Value};
use crate::units::Nats;

/// The inputs of a linear regression.
///
/// ```
/// use infoplane::weights::LinearModel;
/// use ndarray::array;
///
/// // One weight, y = w + noise, both of variance 1: I(W;y) = ½ ln 2.
/// let model = LinearModel::new(array![[1.0]].view())?;
/// assert!((model.posterior_information(1.0, 1.0)?.bits() - 0.5).abs() < 1e-15);
/// # Ok::<(), infoplane::weights::MeasureError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    /// X, n × d.
    x: Array2<f64>,
    /// XᵀX, d × d.
    gram: Array2<f64>,
}

impl LinearModel {
    /// The regression on the rows of `x`, n_samples × n_weights.
    ///
    /// # Errors
    /// No samples or no weights, or an input that is not finite.
    pub fn new(x: ArrayView2<'_, f64>) -> Result<Self, MeasureError> {
        if x.is_empty() {
            let (n, d) = x.dim();
            return refused(format!(
                "a regression needs at least one sample and one input, got {n} samples and {d} inputs"
            ));
        }
        if x.iter().any(|input| !input.is_finite()) {
            return Err(MeasureError::NotFinite { what: "an input" });
        }
        Ok(Self { x: x.to_owned(), gram: x.t().dot(&x) })
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.x.nrows()
    }

    /// Number of weights.
    pub fn n_weights(&self) -> usize {
        self.x.ncols()
    }

    /// I(W;y) of a draw W from the posterior, ½ ln |I + (λ/σ²) XᵀX|: weights have the prior N(0, λI), λ =
    /// `prior_variance`, and responses have noise N(0, σ²), σ² = `noise_variance`.
    ///
    /// # Errors
    /// Variances that are not finite numbers above 0.
    pub fn posterior_information(&self, prior_variance: f64, noise_variance: f64) -> Result<Nats, MeasureError> {
        let ratio = positive("prior_variance", prior_variance)? / positive("noise_variance", noise_variance)?;
        half_log_determinant_of_one_plus(&(&self.gram * ratio))
    }

    /// E_y KL(Q ‖ P), with Q = N(m, C) the posterior and P = N(0, λI): the mean code length of weights to the precision
    /// of the posterior. It equals the [information](Self::posterior_information), but uses another formula.
    ///
    /// # Errors
    /// Variances that are not finite numbers above 0.
    pub fn expected_kl(&self, prior_variance: f64, noise_variance: f64) -> Result<Nats, MeasureError> {
        let covariance = self.posterior_covariance(prior_variance, noise_variance)?;
        // m = C Xᵀy/σ², and Xᵀ Σ_y X = λ (XᵀX)² + σ² XᵀX.
        let to_mean = covariance.dot(&self.gram) / noise_variance;
        let mean_square = prior_variance * (&to_mean * &to_mean).sum()
            + covariance.dot(&self.gram).dot(&covariance).diag().sum() / noise_variance;
        let kl = gaussian_kl_of_covariance(mean_square, &covariance, prior_variance);
        finite(kl.map_err(|error| MeasureError::Refused(error.to_string()))?)
    }

    /// The posterior of weights with the prior N(0, λI) given responses `y` with noise N(0, σ²).
    ///
    /// # Errors
    /// Variances that are not finite numbers above 0, another number of responses than of samples, or a response that
    /// is not finite.
    pub fn posterior(
        &self,
        y: &[f64],
        prior_variance: f64,
        noise_variance: f64,
    ) -> Result<RegressionPosterior, MeasureError> {
        let covariance = self.posterior_covariance(prior_variance, noise_variance)?;
        if y.len() != self.n_samples() {
            let (n, got) = (self.n_samples(), y.len());
            return refused(format!("{n} samples have {got} responses; give one per sample"));
        }
        if y.iter().any(|response| !response.is_finite()) {
            return Err(MeasureError::NotFinite { what: "a response" });
        }
        let y = Array1::from(y.to_vec());
        let mean = covariance.dot(&self.x.t().dot(&y)) / noise_variance;
        let residuals = &y - &self.x.dot(&mean);
        let model = self.clone();
        Ok(RegressionPosterior { model, y, mean, covariance, residuals, prior_variance, noise_variance })
    }

    /// (XᵀX/σ² + I/λ)⁻¹.
    fn posterior_covariance(&self, prior_variance: f64, noise_variance: f64) -> Result<Array2<f64>, MeasureError> {
        let (prior, noise) = (positive("prior_variance", prior_variance)?, positive("noise_variance", noise_variance)?);
        inverse(&(&self.gram / noise + Array2::<f64>::eye(self.n_weights()) / prior))
    }

    /// These inputs with random responses of covariance Σ_y, n × n.
    ///
    /// # Errors
    /// A matrix of another size, an entry that is not finite, or a matrix that is not a covariance.
    pub fn with_responses(&self, covariance: ArrayView2<'_, f64>) -> Result<RandomResponses, MeasureError> {
        let n = self.n_samples();
        if covariance.dim() != (n, n) {
            let (rows, columns) = covariance.dim();
            return refused(format!("the covariance of {n} responses is {n} × {n}, got {rows} × {columns}"));
        }
        if covariance.iter().any(|entry| !entry.is_finite()) {
            return Err(MeasureError::NotFinite { what: "a covariance of responses" });
        }
        let scale = covariance.iter().fold(0.0, |largest: f64, entry| largest.max(entry.abs()));
        let is_symmetric =
            |((i, j), entry): ((usize, usize), &f64)| (entry - covariance[(j, i)]).abs() <= ROUNDING * scale;
        if !covariance.indexed_iter().all(is_symmetric) {
            return refused("the covariance of the responses is not symmetric; give a symmetric matrix".to_owned());
        }
        Ok(RandomResponses::new(self.gram.clone(), self.x.t().dot(&covariance).dot(&self.x)))
    }
}

/// Maximum relative difference of entries that should be equal.
const ROUNDING: f64 = 1e-12;

/// ½ ln |I + A| for a symmetric A.
fn half_log_determinant_of_one_plus(a: &Array2<f64>) -> Result<Nats, MeasureError> {
    let log_determinant = log_determinant(&(a + Array2::<f64>::eye(a.nrows())));
    finite(0.5 * log_determinant.map_err(|error| MeasureError::Refused(error.to_string()))?)
}

/// L⁻¹ for A = L Lᵀ.
fn inverse_root(a: &Array2<f64>) -> Result<Array2<f64>, MeasureError> {
    Ok(inverse_of_triangle(&cholesky(a).map_err(|error| MeasureError::Refused(error.to_string()))?))
}

fn inverse(a: &Array2<f64>) -> Result<Array2<f64>, MeasureError> {
    let root = inverse_root(a)?;
    Ok(root.t().dot(&root))
}

/// `value`, if it is a finite number above 0.
fn positive(name: &str, value: f64) -> Result<f64, MeasureError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        refused(format!("`{name}` must be {}, got {}", Kind::Positive, Value::Number(value)))
    }
}

fn finite(nats: f64) -> Result<Nats, MeasureError> {
    if nats.is_finite() { Ok(Nats(nats)) } else { Err(MeasureError::NotFinite { what: "the information" }) }
}

fn refused<T>(problem: String) -> Result<T, MeasureError> {
    Err(MeasureError::Refused(problem))
}
