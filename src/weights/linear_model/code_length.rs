//! Code lengths of the responses of a linear regression: each sent after those before it, or all with weights that are known beforehand.

use std::f64::consts::{E, PI};

use ndarray::{Array1, Array2, ArrayView1, Axis};

use super::{LinearModel, RegressionPosterior, finite, inverse_root, positive, refused};
use crate::math::determinant::log_determinant;
use crate::units::Nats;
use crate::weights::MeasureError;

impl LinearModel {
    /// E_y −ln p(y) over responses that the model itself makes: its [information](Self::posterior_information) plus the entropy of the
    /// noise, (n/2) ln 2πeσ².
    ///
    /// # Errors
    /// Variances that are not finite numbers above 0; a covariance of the responses that is singular in f64.
    pub fn expected_online_code_length(&self, prior_variance: f64, noise_variance: f64) -> Result<Nats, MeasureError> {
        let (prior, noise) = (positive("prior_variance", prior_variance)?, positive("noise_variance", noise_variance)?);
        let of_covariance = ln_determinant(&self.covariance_of_responses(prior, noise))?;
        finite(0.5 * (self.n_samples() as f64 * (2.0 * PI * E).ln() + of_covariance))
    }

    /// λXXᵀ + σ²I.
    fn covariance_of_responses(&self, prior_variance: f64, noise_variance: f64) -> Array2<f64> {
        self.x.dot(&self.x.t()) * prior_variance + Array2::<f64>::eye(self.n_samples()) * noise_variance
    }
}

impl RegressionPosterior {
    /// −ln p(y_t | y_1, …, y_(t−1)) of each response: what it costs to send it when all before were received.
    pub fn online_code_lengths(&self) -> Vec<Nats> {
        let d = self.model.n_weights();
        let mut mean = Array1::<f64>::zeros(d);
        let mut covariance = Array2::<f64>::eye(d) * self.prior_variance;
        let mut lengths = Vec::with_capacity(self.y.len());
        for (x, y) in self.model.x.rows().into_iter().zip(&self.y) {
            let direction = covariance.dot(&x);
            let variance = x.dot(&direction) + self.noise_variance;
            let residual = y - x.dot(&mean);
            lengths.push(Nats(0.5 * ((2.0 * PI * variance).ln() + residual * residual / variance)));
            mean.scaled_add(residual / variance, &direction);
            let column = direction.view().insert_axis(Axis(1));
            covariance -= &(column.dot(&column.t()) / variance);
        }
        lengths
    }

    /// −ln p(y): the sum of the online code lengths.
    pub fn online_code_length(&self) -> Nats {
        Nats(self.online_code_lengths().iter().map(|length| length.0).sum())
    }

    /// −ln p(y) from the density of y ~ N(0, λXXᵀ + σ²I).
    ///
    /// # Errors
    /// The covariance of y is singular in f64.
    pub fn minus_log_marginal(&self) -> Result<Nats, MeasureError> {
        let covariance = self.model.covariance_of_responses(self.prior_variance, self.noise_variance);
        let white = inverse_root(&covariance)?.dot(&self.y);
        let n = self.y.len() as f64;
        finite(0.5 * (n * (2.0 * PI).ln() + ln_determinant(&covariance)? + white.dot(&white)))
    }

    /// −ln p(y | m): the code length of y when the posterior's mean is known beforehand.
    pub fn final_model_code_length(&self) -> Nats {
        let n = self.y.len() as f64;
        let squares = self.residuals.dot(&self.residuals);
        Nats(0.5 * (n * (2.0 * PI * self.noise_variance).ln() + squares / self.noise_variance))
    }

    /// i(w;S) = ln q(w|S)/p(w) at some `weights`. At m it is the online code length minus that of the final model.
    ///
    /// # Errors
    /// Not as many weights as the model has; a number that is not finite.
    pub fn information_density(&self, weights: ArrayView1<'_, f64>) -> Result<Nats, MeasureError> {
        let d = self.model.n_weights();
        if weights.len() != d {
            return refused(format!("the model has {d} weights, got {}", weights.len()));
        }
        let offset = &weights - &self.mean;
        // (w − m)ᵀ C⁻¹ (w − m), with C⁻¹ = XᵀX/σ² + I/λ.
        let along = self.model.x.dot(&offset);
        let distance = along.dot(&along) / self.noise_variance + offset.dot(&offset) / self.prior_variance;
        let log_ratio = d as f64 * self.prior_variance.ln() - ln_determinant(&self.covariance)?;
        finite(0.5 * (log_ratio - distance + weights.dot(&weights) / self.prior_variance))
    }
}

/// ln |A|.
fn ln_determinant(a: &Array2<f64>) -> Result<f64, MeasureError> {
    log_determinant(a).map_err(|error| MeasureError::Refused(error.to_string()))
}
