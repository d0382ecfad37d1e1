//! The smallest number of bits of the weights that preserves the predictions: nothing is random, the tolerance is
//! chosen.
//!
//! Each kernel and each vector of biases T is rounded to b bits: s = max|T|/(2^(b−1) − 1), q = round(T/s) with ties to
//! even, T̂ = q s. The criterion is the mean over the samples of KL(p_w ‖ p_ŵ), which is never negative. A rise of the
//! loss below 1 % is also reported, but away from a minimum it can be negative, and it does not decrease steadily with
//! b.

use std::collections::BTreeMap;

use ndarray::Axis;

use super::{
    DenseLayer, DenseNetwork, Labelled, Measure, MeasureError, MeasureUnit, OfNetwork, Quantity, Randomness, Reading,
    RecordedNetwork, Spec,
};
use crate::layer_id::LayerId;
use crate::math::entropy::entropy;
use crate::parameter::{Kind, Parameter, ParameterError};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "bits",
    summary: "smallest number of bits per weight that keeps the predictions, and description lengths of the weights",
    randomness: Randomness::Tolerance,
    quantities: &[
        Quantity::bits(
            "fewest_bits",
            "smallest number of bits per weight such that, for this and every larger number, the mean Kullback-Leibler divergence of the predictions is below the tolerance",
        ),
        Quantity::bits("smooth_length", "smooth code length, the sum of log2(1 + w²/D)/2 over the weights, in bits"),
        Quantity::bits("fixed_rate_length", "fewest_bits times the number of weights, in bits"),
        Quantity::bits(
            "entropy_coded_length",
            "length of the weights, quantised to fewest_bits, after entropy coding of the levels, in bits; the code table is not counted",
        ),
        Quantity::bits("first_bits", "smallest number of bits per weight that raises the loss by less than 1 %"),
        Quantity::bits(
            "stable_bits",
            "smallest number of bits per weight such that, for this and every larger number, the rise of the loss is below 1 %",
        ),
        Quantity::bits(
            "layer_bits_length",
            "length of the weights if each layer has the smallest number of bits that it needs when only this layer is rounded, in bits",
        ),
        Quantity::bits(
            "layer_bits_divergence",
            "mean Kullback-Leibler divergence of the predictions for the precisions of layer_bits_length, in bits",
        ),
    ],
    parameters: &[
        Parameter {
            name: "tolerance",
            doc: "tolerated mean Kullback-Leibler divergence of the predictions, in nats",
            kind: Kind::Positive,
            default: "0.001",
        },
        Parameter {
            name: "resolution",
            doc: "D of the smooth code length, the sum of log2(1 + w^2/D)/2 over the weights",
            kind: Kind::Positive,
            default: "0.01",
        },
    ],
    build: |parameters| {
        let tolerance = parameters.number("tolerance").unwrap_or(1e-3);
        let bits = FewestBits::new(tolerance, parameters.number("resolution").unwrap_or(0.01));
        Ok(Measure::OfNetwork(Box::new(bits.map_err(|error| ParameterError::Refused(error.to_string()))?)))
    },
};

/// The smallest tested number of bits: with one bit, 0 is the only level.
const FEWEST: u32 = 2;
/// The largest tested number of bits.
const MOST: u32 = 16;
/// The tolerated relative rise of the loss, if the loss is the criterion.
const TOLERATED_RISE: f64 = 0.01;

/// Rounds weights to b bits, kernels and biases of each layer separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiser {
    n_bits: u32,
}

impl Quantiser {
    /// A quantiser with `n_bits` from 2 to 32.
    ///
    /// # Errors
    /// `n_bits` outside this range.
    pub fn new(n_bits: u32) -> Result<Self, MeasureError> {
        if !(FEWEST..=32).contains(&n_bits) {
            return Err(MeasureError::Refused(format!("weights of {n_bits} bits; {FEWEST} to 32 are allowed")));
        }
        Ok(Self { n_bits })
    }

    /// s and the levels q; if all values are 0, s = 0 and q = 0.
    pub fn levels(self, values: &[f64]) -> (f64, Vec<f64>) {
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let step = largest / (2_f64.powi(self.n_bits as i32 - 1) - 1.0);
        if step == 0.0 {
            return (0.0, vec![0.0; values.len()]);
        }
        (step, values.iter().map(|value| (value / step).round_ties_even()).collect())
    }

    /// The layer made of its levels.
    fn layer(self, layer: &DenseLayer) -> DenseLayer {
        let rounded = |values: Vec<f64>| -> Vec<f64> {
            let (step, levels) = self.levels(&values);
            levels.iter().map(|level| level * step).collect()
        };
        let kernel = rounded(layer.kernel.iter().copied().collect());
        DenseLayer {
            kernel: ndarray::Array2::from_shape_vec(layer.kernel.dim(), kernel).expect("as many weights as before"),
            bias: rounded(layer.bias.to_vec()).into(),
            activation: layer.activation,
        }
    }

    /// Σ_T n_T H(q_T), the length of an entropy code of the levels of a layer, without its dictionary.
    fn entropy_coded(self, layer: &DenseLayer) -> Nats {
        let of_tensor = |values: Vec<f64>| {
            let n = values.len() as f64;
            let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
            // Levels are whole numbers below 2³².
            self.levels(&values).1.iter().for_each(|level| *counts.entry(*level as i64).or_default() += 1);
            Nats(n * entropy(counts.values().map(|count| *count as f64 / n)).0)
        };
        of_tensor(layer.kernel.iter().copied().collect()) + of_tensor(layer.bias.to_vec())
    }
}

impl DenseNetwork {
    /// The network with one quantiser per layer; `None` leaves a layer unchanged.
    ///
    /// # Errors
    /// Another number of quantisers than of layers.
    pub fn quantised(&self, quantisers: &[Option<Quantiser>]) -> Result<Self, MeasureError> {
        if quantisers.len() != self.layers().len() {
            let (got, wanted) = (quantisers.len(), self.layers().len());
            return Err(MeasureError::Refused(format!("got {got} precisions for {wanted} layers; give one per layer")));
        }
        let layers = self.layers().iter().zip(quantisers);
        Self::new(layers.map(|(layer, q)| q.map_or_else(|| layer.clone(), |q| q.layer(layer))).collect())
    }

    /// The mean over samples of KL(p ‖ p′), with p the predictions of this network and p′ those of the `other`.
    ///
    /// # Errors
    /// Inputs that do not fit; predictions that are not finite.
    pub fn mean_divergence(&self, other: &Self, x: ndarray::ArrayView2<'_, f64>) -> Result<Nats, MeasureError> {
        self.check_inputs(x)?;
        other.check_inputs(x)?;
        if self.n_classes() != other.n_classes() {
            let (a, b) = (self.n_classes(), other.n_classes());
            return Err(MeasureError::Refused(format!("one network has {a} classes, the other {b}")));
        }
        let (log_p, log_q) = (self.log_probabilities(x), other.log_probabilities(x));
        let mut sum = 0.0;
        for (log_p, log_q) in log_p.axis_iter(Axis(0)).zip(log_q.axis_iter(Axis(0))) {
            sum += log_p.iter().zip(log_q).map(|(log_p, log_q)| log_p.exp() * (log_p - log_q)).sum::<f64>();
        }
        let mean = sum / x.nrows() as f64;
        if mean.is_finite() { Ok(Nats(mean)) } else { Err(MeasureError::NotFinite { what: "a prediction" }) }
    }
}

/// Effects of rounding a network to 2, 3, …, 16 bits.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionCurve {
    /// (L(ŵ) − L(w))/L(w) for each precision.
    rises: Vec<f64>,
    /// Mean KL(p_w ‖ p_ŵ) for each precision, in nats.
    divergences: Vec<f64>,
}

impl PrecisionCurve {
    /// The curve if all layers are rounded to an equal number of bits.
    ///
    /// # Errors
    /// Samples that do not fit the network; predictions that are not finite.
    pub fn of_network(network: &DenseNetwork, samples: Labelled<'_>) -> Result<Self, MeasureError> {
        Self::new(network, samples, |_| true)
    }

    /// The curve if only one layer is rounded; its index counts from 0.
    ///
    /// # Errors
    /// See [`PrecisionCurve::of_network`]; also an index without layer.
    pub fn of_layer(network: &DenseNetwork, samples: Labelled<'_>, layer: usize) -> Result<Self, MeasureError> {
        if layer >= network.layers().len() {
            let n = network.layers().len();
            return Err(MeasureError::Refused(format!(
                "layer {layer}, counted from 0, does not exist; the network has {n} layers"
            )));
        }
        Self::new(network, samples, |l| l == layer)
    }

    fn new(
        network: &DenseNetwork,
        samples: Labelled<'_>,
        is_rounded: impl Fn(usize) -> bool,
    ) -> Result<Self, MeasureError> {
        network.check(samples)?;
        let loss = network.loss(samples);
        let (mut rises, mut divergences) = (Vec::new(), Vec::new());
        for n_bits in FEWEST..=MOST {
            let quantiser = Quantiser { n_bits };
            let quantisers: Vec<_> = (0..network.layers().len()).map(|l| is_rounded(l).then_some(quantiser)).collect();
            let rounded = network.quantised(&quantisers)?;
            rises.push((rounded.loss(samples) - loss) / loss);
            divergences.push(network.mean_divergence(&rounded, samples.x())?.0);
        }
        Ok(Self { rises, divergences })
    }

    /// (L(ŵ) − L(w))/L(w) with 2, 3, …, 16 bits; not finite if L(w) is 0.
    pub fn rises(&self) -> &[f64] {
        &self.rises
    }

    /// Mean KL(p_w ‖ p_ŵ) with 2, 3, …, 16 bits, in nats.
    pub fn divergences(&self) -> &[f64] {
        &self.divergences
    }

    /// The smallest number of bits from which the divergence stays below `tolerance`.
    pub fn fewest_bits(&self, tolerance: Nats) -> Option<u32> {
        stable(&self.divergences, |divergence| divergence < tolerance.0)
    }

    /// The smallest number of bits with a rise of the loss below `share`; more bits may exceed it again.
    pub fn first_bits_below(&self, share: f64) -> Option<u32> {
        (FEWEST..).zip(&self.rises).find(|(_, rise)| **rise < share).map(|(n_bits, _)| n_bits)
    }

    /// The smallest number of bits from which the rise of the loss stays below `share`.
    pub fn stable_bits_below(&self, share: f64) -> Option<u32> {
        stable(&self.rises, |rise| rise < share)
    }

    /// The smallest number of bits from which the change of the loss stays within ± `share`.
    pub fn stable_bits_within(&self, share: f64) -> Option<u32> {
        stable(&self.rises, |rise| rise.abs() < share)
    }
}

/// The smallest number of bits from which all values pass.
fn stable(values: &[f64], passes: impl Fn(f64) -> bool) -> Option<u32> {
    let n_passing = values.iter().rev().take_while(|value| passes(**value)).count();
    (n_passing > 0).then(|| MOST + 1 - n_passing as u32)
}

/// Σ ½ log₂(1 + w²/D), in bits: a code length that needs no precision, with the `resolution` D.
pub fn smooth_code_length(weights: &[f64], resolution: f64) -> Nats {
    Nats(weights.iter().map(|w| 0.5 * (w * w / resolution).ln_1p()).sum())
}

/// The length of an entropy code of the levels of the weights with `quantiser`; each kernel and each vector of biases
/// has a separate dictionary, which is not counted.
pub fn entropy_coded_length(network: &DenseNetwork, quantiser: Quantiser) -> Nats {
    Nats(network.layers().iter().map(|layer| quantiser.entropy_coded(layer).0).sum())
}

/// The smallest number of bits per weight that preserves the predictions.
///
/// Its readings, in bits: `fewest_bits` per weight (for all layers; for one layer: with the others unchanged), with it
/// `fixed_rate_length` and `entropy_coded_length` of the network; `smooth_length` = Σ ½ log₂(1 + w²/D);
/// `layer_bits_length` and `layer_bits_divergence` if each layer has its own smallest number of bits, whose divergences
/// do not add up; `first_bits` and `stable_bits` for a rise of the loss below 1 %, if such numbers exist.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FewestBits {
    tolerance: f64,
    resolution: f64,
}

impl FewestBits {
    /// A measure with a tolerated mean divergence in nats, and the resolution D of the smooth code length.
    ///
    /// # Errors
    /// A number that is not finite and above 0.
    pub fn new(tolerance: f64, resolution: f64) -> Result<Self, MeasureError> {
        for (name, value) in [("tolerance", tolerance), ("resolution", resolution)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(MeasureError::Refused(format!("{name} is {value:e}, but must be finite and above 0")));
            }
        }
        Ok(Self { tolerance, resolution })
    }

    fn fewest(&self, curve: &PrecisionCurve) -> Result<u32, MeasureError> {
        let tolerance = self.tolerance;
        let problem =
            format!("no precision up to {MOST} bits keeps the divergence below {tolerance:e} nats; raise `tolerance`");
        curve.fewest_bits(Nats(tolerance)).ok_or(MeasureError::Refused(problem))
    }
}

impl OfNetwork for FewestBits {
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError> {
        let (network, samples) = (recorded.network, recorded.samples);
        let n_weights = network.n_weights();
        let bits = |quantity, value| Reading::new(quantity, MeasureUnit::Bits, value);
        let joint = PrecisionCurve::of_network(network, samples)?;
        let fewest = self.fewest(&joint)?;
        let method = format!("mean divergence below {:e} nats from {fewest} to {MOST} bits", self.tolerance);
        let weights = network.weights();
        let mut readings = vec![
            bits("fewest_bits", f64::from(fewest)).by(method),
            bits("fixed_rate_length", n_weights as f64 * f64::from(fewest)).shared_among(n_weights),
            Reading::information("entropy_coded_length", entropy_coded_length(network, Quantiser { n_bits: fewest }))
                .shared_among(n_weights),
            Reading::information("smooth_length", smooth_code_length(&weights, self.resolution))
                .shared_among(n_weights),
        ];
        readings.extend(bits_by_loss(&joint));
        let (mut quantisers, mut length) = (Vec::new(), 0.0);
        for ((index, layer), range) in LayerId::above_input().enumerate().zip(network.ranges()) {
            let curve = PrecisionCurve::of_layer(network, samples, index)?;
            let fewest = self.fewest(&curve)?;
            quantisers.push(Some(Quantiser { n_bits: fewest }));
            length += range.len() as f64 * f64::from(fewest);
            let smooth = smooth_code_length(&weights[range.clone()], self.resolution);
            let of_layer = [
                bits("fewest_bits", f64::from(fewest)).by("the other layers unchanged"),
                Reading::information("smooth_length", smooth).shared_among(range.len()),
            ];
            readings.extend(of_layer.into_iter().chain(bits_by_loss(&curve)).map(|reading| reading.of_layer(layer)));
        }
        let rounded = network.quantised(&quantisers)?;
        readings.push(bits("layer_bits_length", length).shared_among(n_weights));
        readings.push(Reading::information("layer_bits_divergence", network.mean_divergence(&rounded, samples.x())?));
        Ok(readings)
    }
}

/// The numbers of bits from the criterion of the loss, if they exist.
fn bits_by_loss(curve: &PrecisionCurve) -> impl Iterator<Item = Reading> + use<> {
    let numbers = [
        ("first_bits", curve.first_bits_below(TOLERATED_RISE)),
        ("stable_bits", curve.stable_bits_below(TOLERATED_RISE)),
    ];
    let reading = |(quantity, n_bits): (&'static str, Option<u32>)| {
        Some(Reading::new(quantity, MeasureUnit::Bits, f64::from(n_bits?)).by("rise of the loss below 1 %"))
    };
    numbers.into_iter().filter_map(reading)
}

#[cfg(test)]
mod tests;
