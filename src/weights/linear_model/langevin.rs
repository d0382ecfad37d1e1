//! Information of weights about random responses: for the Gibbs distribution, Langevin training, and finite
//! resolution.

use ndarray::Array2;

use super::{finite, half_log_determinant_of_one_plus, inverse, inverse_root, positive, refused};
use crate::math::determinant::log_determinant;
use crate::units::Nats;
use crate::weights::MeasureError;

/// Responses y of a [`LinearModel`](super::LinearModel), of which only the covariance Σ_y is given.
///
/// Weights depend on y only through Xᵀy, whose covariance is S = Xᵀ Σ_y X.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomResponses {
    gram: Array2<f64>,
    /// S.
    covariance: Array2<f64>,
}

/// Full-batch Langevin training from w = 0 on |y − Xw|²/2 + α|w|²/2: w ← w − (ε/2) β (Hw − Xᵀy) + N(0, εI), H = XᵀX + αI.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Langevin {
    step: f64,
    inverse_temperature: f64,
    ridge: f64,
}

impl RandomResponses {
    pub(super) fn new(gram: Array2<f64>, covariance: Array2<f64>) -> Self {
        Self { gram, covariance }
    }

    /// H = XᵀX + αI.
    fn curvature(&self, ridge: f64) -> Array2<f64> {
        &self.gram + Array2::<f64>::eye(self.gram.nrows()) * ridge
    }

    /// K S Kᵀ, the covariance of weights K Xᵀy.
    fn spread(&self, k: &Array2<f64>) -> Array2<f64> {
        k.dot(&self.covariance).dot(&k.t())
    }

    /// I(W;y) of a draw W from the Gibbs distribution exp(−β (|y − Xw|² + α|w|²)/2), ½ ln |I + β H⁻¹S|, β =
    /// `inverse_temperature` and α = `ridge`. It grows without bound with β: an exact minimum has infinite information.
    ///
    /// With β = 1/σ², α = σ²/λ and Σ_y = λXXᵀ + σ²I it is the information of the posterior.
    ///
    /// # Errors
    /// β that is not a finite number above 0, a negative α, or a singular H.
    pub fn gibbs_information(&self, inverse_temperature: f64, ridge: f64) -> Result<Nats, MeasureError> {
        let beta = positive("inverse_temperature", inverse_temperature)?;
        let root = inverse_root(&self.curvature(not_negative(ridge)?))?;
        half_log_determinant_of_one_plus(&(self.spread(&root) * beta))
    }

    /// I(W_T; y) of the weights after `n_steps` updates T.
    ///
    /// # Errors
    /// No step, or weights that overflow because the step is too large.
    pub fn final_information(&self, training: Langevin, n_steps: usize) -> Result<Nats, MeasureError> {
        let Langevin { step, inverse_temperature, ridge } = training;
        if n_steps == 0 {
            return refused("weights before the first step have no information; use 1 step or more".to_owned());
        }
        let d = self.gram.nrows();
        let pull = 0.5 * step * inverse_temperature;
        let keep = Array2::<f64>::eye(d) - self.curvature(ridge) * pull;
        // W_T = K Xᵀy + N(0, C).
        let (mut k, mut c) = (Array2::<f64>::zeros((d, d)), Array2::<f64>::zeros((d, d)));
        for _ in 0..n_steps {
            k = keep.dot(&k);
            k.diag_mut().iter_mut().for_each(|entry| *entry += pull);
            c = keep.dot(&c).dot(&keep.t());
            c.diag_mut().iter_mut().for_each(|entry| *entry += step);
        }
        half_log_determinant_of_one_plus(&self.spread(&inverse_root(&c)?.dot(&k)))
    }

    /// I(W_T; y) after infinitely many steps: W = H⁻¹Xᵀy + N(0, C) with C⁻¹ = βH(1 − εβH/4). For ε → 0 it is that of
    /// the Gibbs distribution.
    ///
    /// # Errors
    /// A singular H, or a step for which the training diverges, εβH ≥ 4.
    pub fn stationary_information(&self, training: Langevin) -> Result<Nats, MeasureError> {
        let Langevin { step, inverse_temperature: beta, ridge } = training;
        let h = self.curvature(ridge);
        let precision = (&h - h.dot(&h) * (0.25 * step * beta)) * beta;
        let Ok(log_precision) = log_determinant(&precision) else {
            return refused(format!(
                "a step of {step} at an inverse temperature of {beta} diverges, or a direction has no curvature; \
                 choose a smaller step or a larger ridge"
            ));
        };
        // ln |I + C⁻¹M| = ln |C + M| + ln |C⁻¹|.
        let total = inverse(&precision)? + self.spread(&inverse(&h)?);
        let log_total = log_determinant(&total).map_err(|error| MeasureError::Refused(error.to_string()))?;
        finite(0.5 * (log_total + log_precision))
    }

    /// I(W_1, …, W_T; y) of all weights of the path, ½ ln |I + T (εβ²/4) S|: it grows like (d/2) ln T, while that of
    /// the last weights converges.
    ///
    /// # Errors
    /// A number that is not finite.
    pub fn path_information(&self, training: Langevin, n_steps: usize) -> Result<Nats, MeasureError> {
        let of_step = 0.25 * training.step * training.inverse_temperature.powi(2);
        half_log_determinant_of_one_plus(&(&self.covariance * (n_steps as f64 * of_step)))
    }

    /// T I(W_1; y), the sum over steps of the information of each given the previous weights, as in stepwise bounds:
    /// it grows like T.
    ///
    /// # Errors
    /// A number that is not finite.
    pub fn sum_over_steps(&self, training: Langevin, n_steps: usize) -> Result<Nats, MeasureError> {
        finite(n_steps as f64 * self.path_information(training, 1)?.0)
    }

    /// I(W_T + τξ; y), ξ ~ N(0, I), of gradient descent on |y − Xw|²/2 from w = 0, w ← w − η (XᵀXw − Xᵀy): without
    /// noise, information is finite only at a resolution τ, and it grows like −d ln τ.
    ///
    /// # Errors
    /// η or τ that is not a finite number above 0, or gradient descent that diverges.
    ///
    /// # Reference
    /// Neu, Dziugaite, Haghifam & Roy 2021 (virtual noise); Wang & Mao 2022.
    pub fn resolved_information(&self, learning_rate: f64, n_steps: usize, tau: f64) -> Result<Nats, MeasureError> {
        let (eta, tau) = (positive("learning_rate", learning_rate)?, positive("tau", tau)?);
        let d = self.gram.nrows();
        let keep = Array2::<f64>::eye(d) - &self.gram * eta;
        let mut k = Array2::<f64>::zeros((d, d));
        for _ in 0..n_steps {
            k = keep.dot(&k);
            k.diag_mut().iter_mut().for_each(|entry| *entry += eta);
        }
        if k.iter().any(|entry| !entry.is_finite()) {
            return refused(format!("gradient descent diverged; choose a smaller learning rate than {eta}"));
        }
        half_log_determinant_of_one_plus(&self.spread(&(k / tau)))
    }

    /// τ² tr(XᵀX)/2, the increase of the mean loss by noise of standard deviation τ on the weights.
    pub fn loss_of_resolution(&self, tau: f64) -> f64 {
        0.5 * tau * tau * self.gram.diag().sum()
    }
}

impl Langevin {
    /// Updates of step ε = `step` at the inverse temperature β, with the ridge α.
    ///
    /// # Errors
    /// ε or β that is not a finite number above 0, or α that is negative or not finite.
    pub fn new(step: f64, inverse_temperature: f64, ridge: f64) -> Result<Self, MeasureError> {
        let (step, beta) = (positive("step", step)?, positive("inverse_temperature", inverse_temperature)?);
        Ok(Self { step, inverse_temperature: beta, ridge: not_negative(ridge)? })
    }
}

fn not_negative(ridge: f64) -> Result<f64, MeasureError> {
    if ridge == 0.0 { Ok(0.0) } else { positive("ridge", ridge) }
}
