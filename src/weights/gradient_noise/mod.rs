//! Gradient noise: the randomness is which samples are in the batch.
//!
//! g_n is the gradient of −ln p(y_n | x_n), G its mean and Σ its covariance over the samples. tr Σ/|G|² is the batch
//! size at which noise and signal are equal (the simple noise scale), |G|/√(tr Σ) is the signal-to-noise ratio of one
//! sample. All of these describe the next training step, not the past: near a minimum G vanishes, but Σ does not.
//!
//! # Reference
//! McCandlish et al. 2018 (arXiv 1812.06162), "An empirical model of large-batch training"; Shwartz-Ziv & Tishby 2017 for the
//! ratio by layers.

mod curvature;
mod langevin;
mod quantities;
mod two_batches;

use std::ops::Range;

use ndarray::Axis;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

pub use langevin::{LangevinStep, information_of_shifts};
use quantities::QUANTITIES;
pub use two_batches::TwoBatches;

use super::gradients::each_block;
use super::{
    Curvature, DenseNetwork, Labelled, Measure, MeasureError, MeasureUnit, MissingReading, OfNetwork, Randomness,
    Reading, RecordedNetwork, Spec,
};
use crate::layer_id::LayerId;
use crate::math::descriptive::squared_norm;
use crate::parameter::{Kind, Parameter, ParameterError};

pub(super) const SPEC: Spec = Spec {
    name: "batch",
    summary: "noise of the gradient that the random choice of the batch causes: covariance, simple noise scale, signal-to-noise ratio of each layer",
    randomness: Randomness::Batch,
    quantities: QUANTITIES,
    parameters: &[
        Parameter {
            name: "learning_rate",
            doc: "learning rate eta of a Langevin step w - eta g + sqrt(2 eta/beta) xi; the measure bounds the information of this step about the batch; requires inverse_temperature",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "inverse_temperature",
            doc: "inverse temperature beta of this Langevin step; requires learning_rate",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "curvature",
            doc: "also compute the noise scale with the Hessian, tr(H Sigma)/(G'HG); needs one pass per weight, for at most 1000 weights",
            kind: Kind::Flag,
            default: "",
        },
        Parameter {
            name: "compat",
            doc: "also compute the erroneous formulas of papers and released programs, as quantities that start with compat_",
            kind: Kind::Flag,
            default: "",
        },
    ],
    build: |parameters| {
        let noise = BatchNoise::default();
        let noise = if parameters.flag("curvature") { noise.curvature() } else { noise };
        let noise = if parameters.flag("compat") { noise.compat() } else { noise };
        let noise = match (parameters.number("learning_rate"), parameters.number("inverse_temperature")) {
            (Some(rate), Some(beta)) => noise.langevin(rate, beta),
            (None, None) => Ok(noise),
            _ => {
                Err(MeasureError::Refused("give both `learning_rate` and `inverse_temperature`, or neither".to_owned()))
            }
        };
        Ok(Measure::OfNetwork(Box::new(noise.map_err(|error| ParameterError::Refused(error.to_string()))?)))
    },
};

/// Mean and spread of gradients, of single samples or of batches.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientNoise {
    n_gradients: usize,
    mean: Vec<f64>,
    /// The mean |g|² by the weights of each layer.
    mean_squares: Vec<f64>,
    norms: Vec<f64>,
    layers: Vec<Range<usize>>,
}

impl GradientNoise {
    /// The statistics of the gradients of single samples.
    ///
    /// # Errors
    /// Samples that do not fit the network, or gradients that are not finite.
    pub fn of_samples(network: &DenseNetwork, samples: Labelled<'_>) -> Result<Self, MeasureError> {
        network.check(samples)?;
        let n = samples.len() as f64;
        let mut mean = vec![0.0; network.n_weights()];
        let mut mean_squares = vec![0.0; network.layers().len()];
        let mut norms = Vec::with_capacity(samples.len());
        each_block(network, samples, |gradients| {
            mean.iter_mut().zip(gradients.sum()).for_each(|(mean, sum)| *mean += sum / n);
            let squares = gradients.squared_norms();
            mean_squares.iter_mut().zip(squares.sum_axis(Axis(0))).for_each(|(mean, sum)| *mean += sum / n);
            norms.extend(squares.sum_axis(Axis(1)).mapv(f64::sqrt));
        });
        Self { n_gradients: samples.len(), mean, mean_squares, norms, layers: network.ranges() }.checked()
    }

    /// The statistics of the mean gradients of batches of sample numbers, all of one size.
    ///
    /// # Errors
    /// No batches, samples that do not exist, or an error of [`GradientNoise::of_samples`].
    pub fn of_batches(
        network: &DenseNetwork,
        samples: Labelled<'_>,
        batches: &[Vec<usize>],
    ) -> Result<Self, MeasureError> {
        network.check(samples)?;
        let is_wrong = |batch: &Vec<usize>| batch.is_empty() || batch.iter().any(|sample| *sample >= samples.len());
        if batches.is_empty() || batches.iter().any(is_wrong) {
            let last = samples.len() - 1;
            let problem = format!("batches must have at least one sample each, with numbers from 0 to {last}");
            return Err(MeasureError::Refused(problem));
        }
        let layers = network.ranges();
        let n = batches.len() as f64;
        let (mut mean, mut mean_squares) = (vec![0.0; network.n_weights()], vec![0.0; layers.len()]);
        let mut norms = Vec::new();
        for batch in batches {
            let x = samples.x().select(Axis(0), batch);
            let classes: Vec<usize> = batch.iter().map(|sample| samples.classes()[*sample]).collect();
            let (_, gradient) = network.gradient(Labelled::new(x.view(), &classes)?);
            mean.iter_mut().zip(&gradient).for_each(|(mean, g)| *mean += g / n);
            for (mean, layer) in mean_squares.iter_mut().zip(&layers) {
                *mean += squared_norm(&gradient[layer.clone()]) / n;
            }
            norms.push(squared_norm(&gradient).sqrt());
        }
        Self { n_gradients: batches.len(), mean, mean_squares, norms, layers }.checked()
    }

    fn checked(self) -> Result<Self, MeasureError> {
        let is_finite = self.mean.iter().chain(&self.mean_squares).all(|value| value.is_finite());
        if is_finite { Ok(self) } else { Err(MeasureError::NotFinite { what: "a gradient" }) }
    }

    /// G, in the order of [`DenseNetwork::weights`].
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// |g| of each gradient.
    pub fn norms(&self) -> &[f64] {
        &self.norms
    }

    /// The mean |g|², which is tr Σ + |G|² (ddof 0), and the trace of the empirical Fisher information.
    pub fn mean_squared_norm(&self) -> f64 {
        self.mean_squares.iter().sum()
    }

    /// |G|².
    pub fn squared_mean(&self) -> f64 {
        squared_norm(&self.mean)
    }

    /// tr Σ, the sum of squared deviations over N.
    pub fn trace(&self) -> f64 {
        self.mean_squared_norm() - self.squared_mean()
    }

    /// tr Σ, the sum of squared deviations over N − 1.
    ///
    /// # Errors
    /// Fewer than two gradients.
    pub fn sample_trace(&self) -> Result<f64, MeasureError> {
        let n = self.n_gradients as f64;
        ratio(self.trace() * n, n - 1.0, "one gradient has no covariance; give at least two")
    }

    /// |G| of each layer.
    pub fn layer_means(&self) -> Vec<f64> {
        self.layers.iter().map(|layer| squared_norm(&self.mean[layer.clone()]).sqrt()).collect()
    }

    /// tr Σ (ddof 0) of each layer.
    pub fn layer_traces(&self) -> Vec<f64> {
        self.mean_squares.iter().zip(self.layer_means()).map(|(squares, mean)| squares - mean * mean).collect()
    }

    /// |G|/√(tr Σ) (ddof 0) of each layer, with Σ the covariance of these gradients; for batches of B samples it is on
    /// average √B times that of single samples.
    ///
    /// # Errors
    /// A layer whose gradients are all equal.
    pub fn layer_snr(&self) -> Result<Vec<f64>, MeasureError> {
        let problem =
            "the gradients of a layer are all equal, so there is no noise; use a snapshot of a network that learns";
        let layers = self.layer_means().into_iter().zip(self.layer_traces());
        layers.map(|(mean, trace)| ratio(mean, trace.sqrt(), problem)).collect()
    }

    /// tr Σ/|G|² (ddof 0): the simple noise scale, in samples.
    ///
    /// # Errors
    /// G is 0.
    pub fn noise_scale(&self) -> Result<f64, MeasureError> {
        ratio(self.trace(), self.squared_mean(), NO_MEAN)
    }

    /// tr Σ/|G|² with ddof 1, in samples; |G|² is still too large by tr Σ/N.
    ///
    /// # Errors
    /// G is 0, or fewer than two gradients.
    pub fn sample_noise_scale(&self) -> Result<f64, MeasureError> {
        ratio(self.sample_trace()?, self.squared_mean(), NO_MEAN)
    }

    /// |G|² − tr Σ/N with ddof 1: unbiased, and negative if the samples cannot distinguish G from 0.
    ///
    /// # Errors
    /// Fewer than two gradients.
    pub fn unbiased_squared_mean(&self) -> Result<f64, MeasureError> {
        Ok(self.squared_mean() - self.sample_trace()? / self.n_gradients as f64)
    }

    /// tr Σ (ddof 1) divided by the unbiased |G|²; negative if the latter is.
    ///
    /// # Errors
    /// The unbiased |G|² is 0, or fewer than two gradients.
    pub fn unbiased_noise_scale(&self) -> Result<f64, MeasureError> {
        ratio(self.sample_trace()?, self.unbiased_squared_mean()?, NO_MEAN)
    }
}

/// Gradient noise at a recorded network.
///
/// Its readings: `squared_gradient` = |G|², `covariance_trace` (ddof 0; of each layer too), `noise_scale` (ddof 0),
/// `unbiased_noise_scale`, `snr` of single samples in each layer; for the recorded batch size `batch_snr` in each layer
/// and `two_batch_noise_scale`; on request `curvature_noise_scale`, and `step_information` with
/// `step_information_by_trace`, bounds in bits on the information of one Langevin step about its batch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BatchNoise {
    /// Learning rate and inverse temperature.
    langevin: Option<(f64, f64)>,
    curvature: bool,
    compat: bool,
}

impl BatchNoise {
    /// Also computes the bounds for a Langevin step.
    ///
    /// # Errors
    /// A number that is not finite and above 0.
    pub fn langevin(self, learning_rate: f64, inverse_temperature: f64) -> Result<Self, MeasureError> {
        langevin::check(learning_rate, inverse_temperature)?;
        Ok(Self { langevin: Some((learning_rate, inverse_temperature)), ..self })
    }

    /// Also computes the noise scale with the Hessian.
    #[must_use]
    pub fn curvature(self) -> Self {
        Self { curvature: true, ..self }
    }

    /// Also computes the erroneous formulas of papers and released programs.
    #[must_use]
    pub fn compat(self) -> Self {
        Self { compat: true, ..self }
    }

    /// Readings for the recorded batch size.
    fn of_batch(&self, recorded: &RecordedNetwork<'_>, noise: &GradientNoise) -> Result<Vec<Reading>, MeasureError> {
        let (network, samples) = (recorded.network, recorded.samples);
        let n = samples.len();
        let Some(b) = recorded.batch_size.filter(|b| *b < n) else { return Ok(Vec::new()) };
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(recorded.seed));
        let batches: Vec<Vec<usize>> = order.chunks_exact(b).map(<[usize]>::to_vec).collect();
        let of_batches = GradientNoise::of_batches(network, samples, &batches)?;
        let two = TwoBatches::new((b, of_batches.mean_squared_norm()), (n, noise.squared_mean()))?;
        let mut readings = vec![
            Reading::new("two_batch_noise_scale", MeasureUnit::Samples, two.noise_scale()?)
                .by(format!("{} shuffled batches of {b} and all {n} samples", batches.len())),
        ];
        for (layer, snr) in LayerId::above_input().zip(noise.layer_snr()?) {
            let reading = Reading::new("batch_snr", MeasureUnit::Ratio, snr * (b as f64).sqrt()).of_layer(layer);
            readings.push(reading.by(format!("batches of {b}: square root of {b} times the ratio of single samples")));
        }
        if let Some((rate, beta)) = self.langevin {
            let step = LangevinStep::new(rate, beta, b, noise)?;
            readings.push(
                Reading::information("step_information_by_trace", step.trace_bound()).by(format!("batches of {b}")),
            );
            if network.n_weights() <= super::LARGEST_MATRIX {
                let covariance = Curvature::gradient_covariance(network, samples)?;
                let bound = step.log_determinant_bound(covariance.spectrum()?)?;
                readings.push(Reading::information("step_information", bound).by(format!("batches of {b}")));
            }
        }
        if self.compat {
            let reading = Reading::new("compat_batch_variance", MeasureUnit::Ratio, of_batches.trace());
            readings.push(reading.by(format!("variance of means of {b} samples, reported as that of single samples")));
        }
        Ok(readings)
    }
}

/// Why an unbiased noise scale is negative.
const LOST: &str = "the mean gradient is indistinguishable from noise: the estimate of its squared norm is negative";

impl OfNetwork for BatchNoise {
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError> {
        let (network, samples) = (recorded.network, recorded.samples);
        let noise = GradientNoise::of_samples(network, samples)?;
        let pure = |quantity, value| Reading::new(quantity, MeasureUnit::Ratio, value);
        let count = |quantity, value| Reading::new(quantity, MeasureUnit::Samples, value);
        let unbiased = count("unbiased_noise_scale", noise.unbiased_noise_scale()?);
        let is_lost = unbiased.value < 0.0;
        let mut readings = vec![
            pure("squared_gradient", noise.squared_mean()),
            pure("covariance_trace", noise.trace()),
            count("noise_scale", noise.noise_scale()?).by("biased: covariance with ddof 0"),
            unbiased.warned(if is_lost { &[LOST] } else { &[] }),
        ];
        let layers = LayerId::above_input().zip(noise.layer_traces()).zip(noise.layer_snr()?);
        for ((layer, trace), snr) in layers {
            readings.push(pure("covariance_trace", trace).of_layer(layer));
            readings.push(pure("snr", snr).of_layer(layer).by("single samples: batch size 1"));
        }
        readings.extend(self.of_batch(recorded, &noise)?);
        if self.curvature {
            readings.push(count("curvature_noise_scale", network.curvature_noise_scale(samples)?));
        }
        if self.compat {
            let method = "mean over weights of |mean|, divided by the mean of the standard deviations";
            readings.push(pure("compat_elementwise_snr", network.compat_elementwise_snr(samples)?).by(method));
        }
        Ok(readings)
    }

    fn missing(&self, recorded: &RecordedNetwork<'_>) -> Vec<MissingReading> {
        let mut missing = Vec::new();
        let missed = |quantity, why: String| MissingReading::new(quantity, MeasureError::Refused(why));
        let bounds = ["step_information", "step_information_by_trace"].into_iter().filter(|_| self.langevin.is_some());
        if recorded.batch_size.is_none_or(|b| b >= recorded.samples.len()) {
            let compat = ["compat_batch_variance"].into_iter().filter(|_| self.compat);
            let quantities = ["two_batch_noise_scale", "batch_snr"].into_iter().chain(bounds).chain(compat);
            let why = "all training samples are one batch: there is no batch noise (or the batch size is unknown)";
            missing.extend(quantities.map(|quantity| missed(quantity, why.to_owned())));
        } else if self.langevin.is_some() && recorded.network.n_weights() > super::LARGEST_MATRIX {
            let (n, most) = (recorded.network.n_weights(), super::LARGEST_MATRIX);
            let why = format!(
                "the network has {n} weights, but the covariance is computed for at most {most}; use step_information_by_trace"
            );
            missing.push(missed("step_information", why));
        }
        missing
    }
}

const NO_MEAN: &str = "the mean gradient is 0, so a ratio to the noise is not defined; use an earlier snapshot";

/// The quotient; the error `problem` if the divisor is 0.
fn ratio(numerator: f64, denominator: f64, problem: &str) -> Result<f64, MeasureError> {
    let quotient = numerator / denominator;
    if quotient.is_finite() { Ok(quotient) } else { Err(MeasureError::Refused(problem.to_owned())) }
}

#[cfg(test)]
mod tests;
