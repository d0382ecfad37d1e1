//! The length of a Gaussian code for the weights: the randomness is noise of a chosen tolerance.
//!
//! Q = N(w*, Σ*) represents the network, P = N(0, λ²I) is chosen in advance. Among all Σ, Σ* = β (H + (β/λ²) I)⁻¹
//! minimises the mean loss plus β KL(Q‖P), to second order in the noise, and KL(Q‖P) is the number of nats that specify
//! an equally good network. H is the Fisher information, which is never negative; the Hessian of a network has negative
//! eigenvalues. With the eigenvalues h_i of H and a = β/λ²,
//!
//! KL = |w*|²/2λ² + ½ Σ_i [ln(1 + h_i/a) − h_i/(h_i + a)].
//!
//! The first term, which does not depend on the data, is most of it, so both are reported separately.
//!
//! # Reference
//! Achille, Paolini & Soatto 2019 (arXiv 1905.12213). Their Σ* has β/2 instead of β, a slip: the rise of the loss is ½
//! tr(HΣ), so ½H − ½βΣ⁻¹ + ½(β/λ²)I = 0. β = 1/N is Laplace's approximation of the posterior.

mod iiw;

pub use iiw::InformationInWeights;
use iiw::ten_batches;

use super::{
    Curvature, CurvatureForm, Measure, MeasureError, MeasureUnit, MissingReading, OfNetwork, Quantity, Randomness,
    Reading, RecordedNetwork, Spec, Spectrum,
};
use crate::layer_id::LayerId;
use crate::math::descriptive::squared_norm;
use crate::parameter::{Kind, Parameter, ParameterError};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "code",
    summary: "length of a Gaussian code for the weights, from the Fisher information: a part from the norm and a part from the covariance",
    randomness: Randomness::Code,
    quantities: &[
        Quantity::bits("code_length", "KL(Q‖P) of the best Gaussian code, in bits: norm_part + covariance_part"),
        Quantity::bits("norm_part", "part of code_length from the squared norm of the weights, |w|²/2λ², in bits"),
        Quantity::bits(
            "covariance_part",
            "part of code_length from the covariance of the code, 0 if the data determine nothing, in bits",
        ),
        Quantity::ratio("fisher_trace", "trace of the Fisher information"),
        Quantity::bits("loss_rise", "rise of the mean loss under the code, to second order, in bits"),
        Quantity::ratio("effective_dimension", "number of directions that the samples determine"),
        Quantity::ratio("fisher_log_determinant", "natural logarithm of the determinant of F + β/λ² I, dimensionless"),
        Quantity::ratio(
            "normalised_trace",
            "trace of the Fisher information over all layers except the last, for logits divided by the root mean square of the centred logits",
        ),
        Quantity::bits("norm_part_from_initial", "squared distance from the initial weights, |w − w₀|²/2λ², in bits"),
        Quantity::bits(
            "code_length_from_initial",
            "KL(Q‖P) for a P around the initial weights, in bits: norm_part_from_initial + covariance_part",
        ),
        Quantity::ratio(
            "iiw",
            "the quantity that PAC-Bayes-IB calls information in weights, the mean of the squared slopes along w − w₀; dimensionless, not bits",
        ),
        Quantity::ratio(
            "compat_iiw",
            "iiw as in the released code, the square of a mean instead of the mean of squares; dimensionless, not bits",
        ),
        Quantity::bits("compat_half_beta_code_length", "code_length with β/2 instead of β, as in the paper, in bits"),
        Quantity::ratio(
            "compat_squared_mean_trace",
            "squared norm of the mean gradient, which the released code reports as the trace of the Fisher information",
        ),
    ],
    parameters: &[
        Parameter {
            name: "fisher",
            doc: "entries of the Fisher information: full up to 1000 weights, block (by layer) up to 1000 in each layer, diagonal, or \
                  auto, the first of these that fits",
            kind: Kind::Choice(&["auto", "full", "block", "diagonal"]),
            default: "auto",
        },
        Parameter {
            name: "beta",
            doc: "weight of the code length in the objective, mean loss plus beta times code length, both in nats [default: 1/N for N samples]",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "prior_variance",
            doc: "prior variance of each weight; choose it without looking at the data",
            kind: Kind::Positive,
            default: "1.0",
        },
        Parameter {
            name: "compat",
            doc: "also compute the erroneous formulas of papers and released programs, as quantities that start with compat_",
            kind: Kind::Flag,
            default: "",
        },
    ],
    build: |parameters| {
        let code = GaussianCode::new(parameters.number("prior_variance").unwrap_or(1.0));
        let code = code.and_then(|code| match parameters.number("beta") {
            Some(beta) => code.beta(beta),
            None => Ok(code),
        });
        let code = code.map_err(|error| ParameterError::Refused(error.to_string()))?;
        let code = match parameters.text("fisher") {
            Some("full") => code.form(CurvatureForm::Full),
            Some("block") => code.form(CurvatureForm::Block),
            Some("diagonal") => code.form(CurvatureForm::Diagonal),
            _ => code,
        };
        Ok(Measure::OfNetwork(Box::new(if parameters.flag("compat") { code.compat() } else { code })))
    },
};

/// β and λ² of a code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CodeParameters {
    beta: f64,
    prior_variance: f64,
}

impl CodeParameters {
    /// `beta` is the weight of the code length relative to the mean loss, `prior_variance` is λ².
    ///
    /// # Errors
    /// A number that is not finite and above 0.
    pub fn new(beta: f64, prior_variance: f64) -> Result<Self, MeasureError> {
        for (name, value) in [("beta", beta), ("prior_variance", prior_variance)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(MeasureError::Refused(format!("{name} is {value:e}, but must be finite and above 0")));
            }
        }
        Ok(Self { beta, prior_variance })
    }

    /// a = β/λ², the term that is added to the curvature.
    pub fn added(self) -> f64 {
        self.beta / self.prior_variance
    }

    /// |w|²/2λ².
    pub fn norm_part(self, squared_norm: f64) -> Nats {
        Nats(squared_norm / (2.0 * self.prior_variance))
    }

    /// ½ Σ_i [ln(1 + h_i/a) − h_i/(h_i + a)], at least 0 if no h_i is negative.
    ///
    /// # Errors
    /// The curvature with a added is not positive definite.
    pub fn covariance_part(self, curvature: &Spectrum) -> Result<Nats, MeasureError> {
        let a = self.added();
        let part = |h: f64| 0.5 * ((h / a).ln_1p() - h / (h + a));
        Ok(Nats(curvature.sum(a, part)?))
    }

    /// ½ tr(HΣ*): rise of the mean loss by the noise, to second order.
    ///
    /// # Errors
    /// As [`CodeParameters::covariance_part`].
    pub fn loss_rise(self, curvature: &Spectrum) -> Result<Nats, MeasureError> {
        Ok(Nats(0.5 * self.beta * curvature.effective_dimension(self.added())?))
    }

    /// These parameters with the λ² that minimises mean loss plus β KL, for which the effective dimension
    /// Σ_i h_i/(h_i + β/λ²) is |w|²/λ², as in MacKay's evidence. It depends on the data, so the code must also specify it, and a bound needs a
    /// union over the values that were tested.
    ///
    /// # Errors
    /// No weight or no curvature above 0; negative eigenvalues beyond rounding.
    pub fn with_best_prior_variance(self, curvature: &Spectrum, squared_norm: f64) -> Result<Self, MeasureError> {
        let largest = curvature.eigenvalues().first().copied().unwrap_or(0.0);
        if !(squared_norm > 0.0 && largest > 0.0) {
            let problem = "the prior variance with the shortest code exists only if weights and curvature are not 0";
            return Err(MeasureError::Refused(problem.to_owned()));
        }
        // The slope in ln λ² increases from −∞ to the rank of the curvature.
        let slope = |prior_variance: f64| {
            Ok(curvature.effective_dimension(self.beta / prior_variance)? - squared_norm / prior_variance)
        };
        // At λ² = |w|²/k the second term is the number of weights, which the first does not reach; for λ² ≥ β/h₁ the
        // first term is at least ½, and for λ² ≥ 2|w|² the second is at most ½.
        let (mut low, mut high) = (
            (squared_norm / curvature.eigenvalues().len() as f64).ln(),
            (self.beta / largest).max(2.0 * squared_norm).ln(),
        );
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            let above = slope(middle.exp())? > 0.0;
            *(if above { &mut high } else { &mut low }) = middle;
        }
        Self::new(self.beta, (0.5 * (low + high)).exp())
    }
}

/// The length of a Gaussian code for the weights: see [`CodeParameters`] for the formulas.
///
/// Its readings: `code_length` = `norm_part` + `covariance_part` (bits; for a layer: the code of its weights with the
/// others fixed), `loss_rise` (bits) by the noise of the code, `effective_dimension`, `fisher_trace`,
/// `fisher_log_determinant` of F + (β/λ²)I, `normalised_trace` over all layers except the last at the temperature
/// [`DenseNetwork::logit_scale`](super::DenseNetwork::logit_scale); with the network before training w₀,
/// `norm_part_from_initial` and `code_length_from_initial` for P = N(w₀, λ²I).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaussianCode {
    form: Option<CurvatureForm>,
    beta: Option<f64>,
    prior_variance: f64,
    compat: bool,
}

impl GaussianCode {
    /// Uses β = 1/N and the most complete Fisher information that the size of the network allows.
    ///
    /// # Errors
    /// A variance that is not finite and above 0.
    pub fn new(prior_variance: f64) -> Result<Self, MeasureError> {
        CodeParameters::new(1.0, prior_variance)?;
        Ok(Self { form: None, beta: None, prior_variance, compat: false })
    }

    /// Uses another β.
    ///
    /// # Errors
    /// A number that is not finite and above 0.
    pub fn beta(self, beta: f64) -> Result<Self, MeasureError> {
        CodeParameters::new(beta, self.prior_variance)?;
        Ok(Self { beta: Some(beta), ..self })
    }

    /// Uses this form of the Fisher information.
    #[must_use]
    pub fn form(self, form: CurvatureForm) -> Self {
        Self { form: Some(form), ..self }
    }

    /// Also computes the erroneous formulas of papers and released programs.
    #[must_use]
    pub fn compat(self) -> Self {
        Self { compat: true, ..self }
    }

    /// β and λ² for `n_samples`.
    ///
    /// # Errors
    /// They are not finite and above 0.
    pub fn parameters(&self, n_samples: usize) -> Result<CodeParameters, MeasureError> {
        CodeParameters::new(self.beta.unwrap_or(1.0 / n_samples as f64), self.prior_variance)
    }

    /// The erroneous formulas, and what they should be.
    fn compat_readings(
        &self,
        recorded: &RecordedNetwork<'_>,
        code: CodeParameters,
    ) -> Result<Vec<Reading>, MeasureError> {
        let (network, samples) = (recorded.network, recorded.samples);
        let form = self.form.unwrap_or_else(|| CurvatureForm::fullest(network));
        let fisher = recorded.fisher(form)?;
        let half = CodeParameters::new(code.beta / 2.0, code.prior_variance)?;
        let length = half.norm_part(squared_norm(&network.weights())) + half.covariance_part(fisher.spectrum()?)?;
        let squared = Curvature::compat_squared_mean_gradient(network, samples, CurvatureForm::Diagonal)?;
        let mut readings = vec![
            Reading::information("compat_half_beta_code_length", length).by("beta/2 instead of beta"),
            Reading::new("compat_squared_mean_trace", MeasureUnit::Ratio, squared.trace())
                .by("square of the mean gradient instead of the mean of squares"),
        ];
        if let Some(initial) = recorded.initial {
            let information = InformationInWeights::new(network, initial, samples)?;
            let batches = ten_batches(samples.len(), recorded.batch_size.unwrap_or(samples.len()), recorded.seed);
            let released = information.compat_of_batches(&batches)?;
            let mean_squares = information.mean_squares();
            for (quantity, values, method) in [
                ("iiw", mean_squares, "mean of squares, kernels only"),
                ("compat_iiw", released, "square of the sum of 10 batch means divided by the number of batches"),
            ] {
                let reading = |value| Reading::new(quantity, MeasureUnit::Ratio, value).by(method);
                readings.push(reading(values.iter().sum()));
                let layers = LayerId::above_input().zip(&values);
                readings.extend(layers.map(|(layer, value)| reading(*value).of_layer(layer)));
            }
        }
        Ok(readings)
    }
}

impl OfNetwork for GaussianCode {
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError> {
        let (network, x) = (recorded.network, recorded.samples.x());
        let code = self.parameters(recorded.samples.len())?;
        let form = self.form.unwrap_or_else(|| CurvatureForm::fullest(network));
        let fisher = recorded.fisher(form)?;
        let spectrum = fisher.spectrum()?;
        let weights = network.weights();
        let method = format!("{} Fisher, beta {:e}, prior variance {}", form.name(), code.beta, code.prior_variance);
        let covariance = code.covariance_part(spectrum)?;
        let norm = code.norm_part(squared_norm(&weights));
        let pure = |quantity, value| Reading::new(quantity, MeasureUnit::Ratio, value).by(method.clone());
        let length = |quantity, nats| Reading::information(quantity, nats).by(method.clone());

        let mut readings = vec![
            length("code_length", norm + covariance).shared_among(weights.len()),
            length("norm_part", norm).shared_among(weights.len()),
            length("covariance_part", covariance).shared_among(weights.len()).with_null(0.0, None),
            length("loss_rise", code.loss_rise(spectrum)?),
            pure("effective_dimension", spectrum.effective_dimension(code.added())?).at_most(weights.len() as f64),
            pure("fisher_trace", fisher.trace()),
            pure("fisher_log_determinant", spectrum.log_determinant(code.added())?),
        ];
        if let Ok(normalised) = Curvature::normalised_fisher(network, x, CurvatureForm::Diagonal) {
            let traces = normalised.layer_traces();
            let earlier = traces[..traces.len() - 1].iter().sum();
            readings.push(pure("normalised_trace", earlier).by("softmax(z/tau), all layers except the last"));
        }
        if let Some(initial) = recorded.initial {
            let change: Vec<f64> = weights.iter().zip(initial.weights()).map(|(w, w_0)| w - w_0).collect();
            let norm = code.norm_part(squared_norm(&change));
            readings.push(length("norm_part_from_initial", norm).shared_among(weights.len()).with_null(0.0, None));
            readings.push(length("code_length_from_initial", norm + covariance).shared_among(weights.len()));
        }
        let traces = fisher.layer_traces();
        let layers = LayerId::above_input().zip(network.ranges()).zip(fisher.layer_spectra()?).zip(traces);
        for (((layer, range), spectrum), trace) in layers {
            let covariance = code.covariance_part(spectrum)?;
            let norm = code.norm_part(squared_norm(&weights[range.clone()]));
            let length = |quantity, nats| length(quantity, nats).shared_among(range.len()).of_layer(layer);
            readings.push(length("code_length", norm + covariance));
            readings.push(length("norm_part", norm));
            readings.push(length("covariance_part", covariance).with_null(0.0, None));
            readings.push(pure("fisher_trace", trace).of_layer(layer));
        }
        if self.compat {
            readings.extend(self.compat_readings(recorded, code)?);
        }
        if readings.iter().any(|reading| !reading.value.is_finite()) {
            return Err(MeasureError::NotFinite { what: "the length of the code" });
        }
        Ok(readings)
    }

    fn missing(&self, recorded: &RecordedNetwork<'_>) -> Vec<MissingReading> {
        let mut missing = Vec::new();
        if let Err(why) = recorded.network.logit_scale(recorded.samples.x()) {
            missing.push(MissingReading::new("normalised_trace", why));
        }
        if recorded.initial.is_none() {
            let quantities = ["norm_part_from_initial", "code_length_from_initial"].into_iter();
            let compat = ["iiw", "compat_iiw"].into_iter().filter(|_| self.compat);
            let why = "the network before training was not recorded; record epoch 0";
            let missed = |quantity| MissingReading::new(quantity, MeasureError::Refused(why.to_owned()));
            missing.extend(quantities.chain(compat).map(missed));
        }
        missing
    }
}

#[cfg(test)]
mod tests;
