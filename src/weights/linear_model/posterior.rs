//! The posterior of a linear regression given its responses, and the influence of single samples on it.

use ndarray::{Array1, Array2};

use super::{LinearModel, finite};
use crate::math::gaussian_kl::gaussian_kl_of_covariance;
use crate::units::Nats;
use crate::weights::MeasureError;

/// Q = N(m, C), the posterior of weights with the prior P = N(0, λI) given responses y with noise N(0, σ²).
///
/// ```
/// use infoplane::weights::LinearModel;
/// use ndarray::array;
///
/// let model = LinearModel::new(array![[1.0, 0.5], [0.2, -1.0], [0.3, 0.8]].view())?;
/// let posterior = model.posterior(&[1.0, -0.4, 0.9], 1.0, 0.1)?;
/// let excess = posterior.online_code_length() - posterior.final_model_code_length();
/// let density = posterior.information_density(posterior.mean().view())?;
/// assert!((excess.0 - density.0).abs() < 1e-12);
/// # Ok::<(), infoplane::weights::MeasureError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RegressionPosterior {
    pub(super) model: LinearModel,
    pub(super) y: Array1<f64>,
    pub(super) mean: Array1<f64>,
    pub(super) covariance: Array2<f64>,
    /// y − Xm.
    pub(super) residuals: Array1<f64>,
    pub(super) prior_variance: f64,
    pub(super) noise_variance: f64,
}

impl RegressionPosterior {
    /// m.
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// C.
    pub fn covariance(&self) -> &Array2<f64> {
        &self.covariance
    }

    /// KL(Q ‖ P) for these responses: the code length of weights to the precision of the posterior.
    ///
    /// # Errors
    /// A number that is not finite.
    pub fn kl(&self) -> Result<Nats, MeasureError> {
        let kl = gaussian_kl_of_covariance(self.mean.dot(&self.mean), &self.covariance, self.prior_variance);
        finite(kl.map_err(|error| MeasureError::Refused(error.to_string()))?)
    }

    /// X C Xᵀ, n × n.
    fn spread_of_outputs(&self) -> Array2<f64> {
        self.model.x.dot(&self.covariance).dot(&self.model.x.t())
    }

    /// For each sample i, ½ (m − m₋ᵢ)ᵀ C⁻¹ (m − m₋ᵢ) = hᵢ rᵢ²/2σ²(1 − hᵢ)², the change of the mean without this sample;
    /// r are the residuals and hᵢ = xᵢᵀ C xᵢ/σ².
    ///
    /// # Reference
    /// Harutyunyan et al. 2021, "Estimating informativeness of samples with smooth unique information".
    pub fn sample_information(&self) -> Vec<Nats> {
        let spread = self.spread_of_outputs();
        let of_sample = |(variance, residual): (&f64, &f64)| {
            let leverage = variance / self.noise_variance;
            Nats(leverage * residual * residual / (2.0 * self.noise_variance * (1.0 - leverage).powi(2)))
        };
        spread.diag().iter().zip(&self.residuals).map(of_sample).collect()
    }

    /// Cov_Q(ℓᵢ, ℓⱼ) of the losses ℓ = ½ (y − xᵀw)², n × n: rᵢ rⱼ xᵢᵀCxⱼ + (xᵢᵀCxⱼ)²/2.
    pub fn influence(&self) -> Array2<f64> {
        let spread = self.spread_of_outputs();
        Array2::from_shape_fn(spread.dim(), |(i, j)| {
            let covariance = spread[(i, j)];
            self.residuals[i] * self.residuals[j] * covariance + 0.5 * covariance * covariance
        })
    }
}
