//! Bounds on the information of a step of stochastic gradient Langevin dynamics about its batch.
//!
//! w⁺ = w − η g_B + √(2η/β) ξ is a channel with the signal η g_B and Gaussian noise of variance 2η/β, so that I(w⁺; B |
//! w) ≤ ½ ln |I + (ηβ/2) Σ/b| ≤ ηβ tr Σ/4b. Sums over the steps bound the information of the *path*, which grows during
//! the whole training; the final weights may have much less information.

use super::GradientNoise;
use crate::units::Nats;
use crate::weights::{MeasureError, Spectrum};

/// One step: η, β, b, and the gradients of single samples at its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LangevinStep {
    learning_rate: f64,
    inverse_temperature: f64,
    batch_size: f64,
    /// tr Σ of single samples, ddof 0.
    trace: f64,
    /// The largest |g_n|.
    largest_norm: f64,
    n_weights: f64,
    n_samples: f64,
}

/// Refuses numbers that are not finite and above 0.
pub(super) fn check(learning_rate: f64, inverse_temperature: f64) -> Result<(), MeasureError> {
    for (name, value) in [("learning_rate", learning_rate), ("inverse_temperature", inverse_temperature)] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(MeasureError::Refused(format!("{name} is {value:e}, but must be finite and above 0")));
        }
    }
    Ok(())
}

impl LangevinStep {
    /// A step with the `noise` of single samples.
    ///
    /// # Errors
    /// A number that is not finite and above 0.
    pub fn new(
        learning_rate: f64,
        inverse_temperature: f64,
        batch_size: usize,
        noise: &GradientNoise,
    ) -> Result<Self, MeasureError> {
        check(learning_rate, inverse_temperature)?;
        if batch_size == 0 {
            return Err(MeasureError::Refused("a batch has no samples; it needs at least 1".to_owned()));
        }
        Ok(Self {
            learning_rate,
            inverse_temperature,
            batch_size: batch_size as f64,
            trace: noise.trace(),
            largest_norm: noise.norms().iter().copied().fold(0.0, f64::max),
            n_weights: noise.mean().len() as f64,
            n_samples: noise.norms().len() as f64,
        })
    }

    /// ηβ tr Σ/4b, at least [`LangevinStep::log_determinant_bound`].
    pub fn trace_bound(self) -> Nats {
        Nats(self.learning_rate * self.inverse_temperature * self.trace / (4.0 * self.batch_size))
    }

    /// ½ ln |I + (ηβ/2) Σ/b| with the eigenvalues of the covariance Σ of single samples.
    ///
    /// # Errors
    /// A covariance with eigenvalues that are negative beyond rounding.
    pub fn log_determinant_bound(self, covariance: &Spectrum) -> Result<Nats, MeasureError> {
        let noise = 2.0 * self.batch_size / (self.learning_rate * self.inverse_temperature);
        Ok(Nats(covariance.channel_information(noise)?))
    }

    /// (k/2) ln(1 + η²L²/kσ²) with σ² = 2η/β, and the largest |g_n| as Lipschitz constant L: I(S; W_T) is at most the
    /// sum over the steps.
    ///
    /// # Reference
    /// Pensia, Jog & Loh 2018 (arXiv 1801.04295), theorem 1.
    pub fn pensia_jog_loh(self) -> Nats {
        let (eta, k) = (self.learning_rate, self.n_weights);
        let variance = 2.0 * eta / self.inverse_temperature;
        Nats(k / 2.0 * ((eta * self.largest_norm).powi(2) / (k * variance)).ln_1p())
    }

    /// The bound on the difference between the losses of new and of training samples, √(Σ_t ηβ tr Σ/4) √(n/(4b(n −
    /// 1)²)), for a loss whose values differ by at most 1.
    ///
    /// No steps, or one sample. No steps; one sample.
    ///
    /// # Reference
    /// Negrea et al. 2019 (arXiv 1911.02151), eq. 6, as in the program of f-CMI (2f92316), but with all steps.
    pub fn negrea(steps: &[Self]) -> Result<f64, MeasureError> {
        Self::gap(steps, steps.iter().map(|step| step.learning_rate * step.inverse_temperature * step.trace))
    }

    /// The value that the program of f-CMI prints: the first step is left out, and each other step uses tr Σ of the
    /// previous step.
    ///
    /// # Errors
    /// See [`LangevinStep::negrea`].
    pub fn compat_negrea_released(steps: &[Self]) -> Result<f64, MeasureError> {
        let pairs = steps.windows(2);
        Self::gap(steps, pairs.map(|pair| pair[1].learning_rate * pair[1].inverse_temperature * pair[0].trace))
    }

    /// The bound over all steps for the noise that the program of f-CMI adds: it draws ξ with the standard deviation
    /// 1/β, so that the variance is 2η/β³ instead of 2η/β.
    ///
    /// # Errors
    /// See [`LangevinStep::negrea`].
    pub fn compat_negrea_actual_noise(steps: &[Self]) -> Result<f64, MeasureError> {
        Self::gap(steps, steps.iter().map(|step| step.learning_rate * step.inverse_temperature.powi(3) * step.trace))
    }

    fn gap(steps: &[Self], terms: impl Iterator<Item = f64>) -> Result<f64, MeasureError> {
        let Some(first) = steps.first().filter(|first| first.n_samples > 1.0) else {
            return Err(MeasureError::Refused("the bound needs at least one step and two samples".to_owned()));
        };
        let n = first.n_samples;
        let sum = terms.map(|term| term / 4.0).sum::<f64>();
        Ok(sum.sqrt() * (n / (4.0 * first.batch_size * (n - 1.0).powi(2))).sqrt())
    }
}

/// Integration points per standard deviation of the noise; the error of the rule decreases like exp(−2π²·256).
const POINTS: f64 = 16.0;
/// Standard deviations of the noise beyond the outermost shifts: the remaining probability is 1e−33.
const BEYOND: f64 = 12.0;
/// Maximum number of integration points.
const MOST_POINTS: f64 = 1e7;

/// I(W; i) of W = aᵢ + σξ, with i uniform over the `shifts` a and ξ a standard normal: the exact information of a
/// scalar Gaussian channel about a sample, by the trapezoidal rule.
///
/// # Errors
/// No shifts, numbers that are not finite, or noise that is not above 0 or is so small that the integral has more than
/// 10⁷ points.
pub fn information_of_shifts(shifts: &[f64], noise_std: f64) -> Result<Nats, MeasureError> {
    let low = shifts.iter().copied().fold(f64::INFINITY, f64::min) - BEYOND * noise_std;
    let high = shifts.iter().copied().fold(f64::NEG_INFINITY, f64::max) + BEYOND * noise_std;
    let n_points = (high - low) / noise_std * POINTS;
    if shifts.iter().any(|shift| !shift.is_finite()) || !(noise_std > 0.0 && n_points > 0.0 && n_points <= MOST_POINTS)
    {
        let problem = format!(
            "the noise is {noise_std:e} for shifts from {low:e} to {high:e}; it must be above 0 and not too small"
        );
        return Err(MeasureError::Refused(problem));
    }
    let width = (high - low) / n_points.ceil();
    let scale = 1.0 / (noise_std * (2.0 * std::f64::consts::PI).sqrt() * shifts.len() as f64);
    let mut h_w = 0.0;
    for point in 0..=n_points.ceil() as usize {
        let w = low + width * point as f64;
        let density = scale * shifts.iter().map(|a| (-0.5 * ((w - a) / noise_std).powi(2)).exp()).sum::<f64>();
        if density > 0.0 {
            h_w -= width * density * density.ln();
        }
    }
    let h_noise = 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E * noise_std * noise_std).ln();
    Ok(Nats(h_w - h_noise))
}
