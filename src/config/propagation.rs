//! The `[propagation]` table of a pipeline: information of networks with noise, by sample propagation.

use serde::{Deserialize, Deserializer};

use super::keys::{Accepts, Key, KeyTable, Omitted};
use super::record::Record;
use crate::estimate_id::{EstimateId, EstimatorId, PROPAGATION_FAMILY, Scale, ScaleKind};
use crate::layer_id::LayerId;
use crate::nn::{Activation, Architecture, Hidden, Operation};
use crate::parameter::Kind;

/// Sample propagation through a network with noise (Goldfeld et al. 2019).
#[derive(Debug, Clone, PartialEq)]
pub struct Propagation {
    /// Noisy passes of each input through the network.
    pub n_passes: usize,
    /// Random values of T for each input.
    pub n_draws: usize,
    /// Seed of the passes and the draws.
    pub seed: u64,
    /// The hidden layers, from the first after the input.
    pub layers: Vec<LayerWithNoise>,
}

/// A hidden layer whose noise, if any, follows its activation function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerWithNoise {
    /// Its activation function.
    pub activation: Activation,
    /// Its noise.
    pub noise: Option<LayerNoise>,
}

/// Gaussian noise of the units of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LayerNoise {
    /// Added; has this variance.
    Additive(f64),
    /// Multiplied; has mean 1 and this variance: Gaussian dropout.
    Dropout(f64),
}

const N_PASSES: u64 = 100;
const N_DRAWS: u64 = 2;

impl Propagation {
    /// The identity of its table.
    pub fn id(&self) -> EstimateId {
        let options: Vec<String> = [
            (self.n_draws as u64 != N_DRAWS).then(|| format!("n-draws-{}", self.n_draws)),
            (self.seed != 0).then(|| format!("seed-{}", self.seed)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let scale = Scale::new(ScaleKind::NPasses, self.n_passes as f64);
        let options = (!options.is_empty()).then(|| options.join("-"));
        EstimatorId { options, ..EstimatorId::new(PROPAGATION_FAMILY, Some(scale)) }.into()
    }

    /// The computed quantity, in words.
    pub fn quantity(&self) -> String {
        let is_dropout = |layer: &LayerWithNoise| matches!(layer.noise, Some(LayerNoise::Dropout(_)));
        let noise = match self.layers.iter().any(is_dropout) {
            true => "the noise and the Gaussian dropout of the network, as in training",
            false => "the noise of the network",
        };
        format!("information of T with {noise}, by sample propagation with {} passes per input", self.n_passes)
    }
}

/// The keys of `[propagation]`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "propagation",
    doc: "`[propagation]`: information of networks with noise, by sample propagation. It needs recorded weights, and hidden layers with `noise_variance` or `gaussian_dropout` and without batch normalisation, dropout and quantisation. Layers without noise have no result.",
    keys: &[
        Key {
            name: "n_passes",
            accepts: Accepts::Kind(Kind::Count { min: 2, max: MOST }),
            omitted: Omitted::Value("100"),
            doc: "Number of noisy passes of each input through the network. T given X is a mixture of Gaussians around them; with few passes, I(X;T) is too large. The first layer with noise needs one pass only.",
        },
        Key {
            name: "n_draws",
            accepts: Accepts::Kind(Kind::Count { min: 2, max: MOST }),
            omitted: Omitted::Value("2"),
            doc: "Number of random values of T for each input, for the entropies. More draws reduce the Monte Carlo error.",
        },
        Key {
            name: "seed",
            accepts: Accepts::Kind(Kind::Count { min: 0, max: i64::MAX as u64 }),
            omitted: Omitted::Value("0"),
            doc: "Seed of the random numbers.",
        },
    ],
    parameters: &[],
};

/// Largest number of passes and draws.
const MOST: u64 = 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPropagation {
    #[serde(default = "n_passes", deserialize_with = "from_two")]
    n_passes: u64,
    #[serde(default = "n_draws", deserialize_with = "from_two")]
    n_draws: u64,
    #[serde(default)]
    seed: u64,
}

impl RawPropagation {
    /// Checks the table against the rest of the pipeline; an error names the reason.
    pub(super) fn check(self, network: &Architecture, record: &Record) -> Result<Propagation, String> {
        let layers: Vec<LayerWithNoise> = LayerId::above_input()
            .zip(&network.hidden)
            .map(|(layer, hidden)| with_noise(layer, hidden))
            .collect::<Result<_, String>>()?;
        if layers.iter().all(|layer| layer.noise.is_none()) {
            return Err(
                "`[propagation]` needs a network with noise; set `noise_variance` or `gaussian_dropout` in `[network]`, or leave `[propagation]` out"
                    .to_owned(),
            );
        }
        if !record.weights {
            return Err("`[propagation]` needs recorded weights; leave out `weights = false` in `[record]`".to_owned());
        }
        let Self { n_passes, n_draws, seed } = self;
        Ok(Propagation { n_passes: n_passes as usize, n_draws: n_draws as usize, seed, layers })
    }
}

/// The layer, if it is an activation function and at most one kind of noise.
fn with_noise(layer: LayerId, hidden: &Hidden) -> Result<LayerWithNoise, String> {
    let refused = |has: &str| Err(format!("`[propagation]`: layer {layer} has {has}; leave it out"));
    let (mut activation, mut noise) = (None, None);
    for operation in &hidden.operations {
        match *operation {
            Operation::BatchNorm => return refused("batch normalisation"),
            Operation::Dropout { .. } => {
                return Err(format!(
                    "`[propagation]`: layer {layer} has dropout, whose noise has no density; use `gaussian_dropout` or `noise_variance`"
                ));
            }
            Operation::Quantise { .. } => return refused("quantised values"),
            Operation::Activation(_) if noise.is_some() => return refused("noise before its activation function"),
            Operation::Activation(_) if activation.is_some() => return refused("a second activation function"),
            Operation::Activation(given) => activation = Some(given),
            Operation::Noise { .. } | Operation::GaussianDropout { .. } if noise.is_some() => {
                return refused("a second kind of noise");
            }
            Operation::Noise { variance } => noise = Some(LayerNoise::Additive(f64::from(variance))),
            Operation::GaussianDropout { rate } => {
                let rate = f64::from(rate);
                noise = Some(LayerNoise::Dropout(rate / (1.0 - rate)));
            }
        }
    }
    Ok(LayerWithNoise { activation: activation.unwrap_or(Activation::Linear), noise })
}

fn n_passes() -> u64 {
    N_PASSES
}

fn n_draws() -> u64 {
    N_DRAWS
}

/// A whole number from 2 to [`MOST`].
fn from_two<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let got = i64::deserialize(from)?;
    let count = u64::try_from(got).ok().filter(|count| (2..=MOST).contains(count));
    count.ok_or_else(|| serde::de::Error::custom(format!("must be a whole number from 2 to {MOST}, got {got}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pipeline;

    const VALID: &str = "[data]
name = \"tishby\"
train_fraction = 0.5
[network]
hidden = [7, 5]
activation = \"tanh\"
noise_variance = 0.25
[training]
optimiser = \"sgd\"
learning_rate = 0.1
batch = \"full\"
epochs = 2
[record]
epochs = { every = 1 }
[propagation]
n_passes = 50
";

    fn read(text: &str) -> Result<Pipeline, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, text).unwrap();
        Pipeline::read(&path).map_err(|e| e.without_folder())
    }

    #[test]
    fn the_noise_of_each_layer_is_read_from_the_network() {
        let propagation = read(VALID).unwrap().propagation.unwrap();
        let layer = LayerWithNoise { activation: Activation::Tanh, noise: Some(LayerNoise::Additive(0.25)) };
        assert_eq!(propagation.layers, [layer, layer]);
        let dropout = VALID.replace("noise_variance = 0.25", "gaussian_dropout = 0.2");
        let propagation = read(&dropout).unwrap().propagation.unwrap();
        let Some(LayerNoise::Dropout(variance)) = propagation.layers[0].noise else { panic!("{propagation:?}") };
        // p/(1 − p), with p in f32.
        assert!((variance - 0.25).abs() < 1e-7);
        assert!(propagation.quantity().contains("Gaussian dropout"));
        let (before, _) = VALID.split_once("[propagation]").unwrap();
        assert_eq!(read(before).unwrap().propagation, None);
    }

    #[test]
    fn its_table_is_named_after_the_settings_that_change_it() {
        let id = |more: &str| {
            let text = read(&format!("{VALID}{more}")).unwrap().propagation.unwrap().id().to_string();
            assert_eq!(text.parse::<EstimateId>().unwrap().to_string(), text);
            text
        };
        assert_eq!(id(""), "propagation-n-passes-50");
        assert_eq!(id("n_draws = 2\nseed = 0\n"), "propagation-n-passes-50");
        let everything = "n_draws = 3\nseed = 7\n";
        assert_eq!(id(everything), "propagation-n-passes-50-n-draws-3-seed-7");
    }

    #[test]
    fn what_cannot_be_propagated_is_refused_with_its_line() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(VALID.contains(from), "{from}");
            assert_eq!(read(&VALID.replace(from, to)).unwrap_err(), format!("p.toml, line {expected}"));
        };
        check(
            "noise_variance = 0.25",
            "noise_variance = 0",
            "15: `[propagation]` needs a network with noise; set `noise_variance` or `gaussian_dropout` in `[network]`, or leave `[propagation]` out",
        );
        check(
            "noise_variance = 0.25",
            "noise_variance = 0.25\nbatch_norm = true",
            "16: `[propagation]`: layer 1 has batch normalisation; leave it out",
        );
        check(
            "noise_variance = 0.25",
            "noise_variance = 0.25\ndropout = 0.1",
            "16: `[propagation]`: layer 1 has dropout, whose noise has no density; use `gaussian_dropout` or `noise_variance`",
        );
        check(
            "noise_variance = 0.25",
            "noise_variance = 0.25\ngaussian_dropout = 0.1",
            "16: `[propagation]`: layer 1 has a second kind of noise; leave it out",
        );
        check(
            "[propagation]",
            "weights = false\n[propagation]",
            "16: `[propagation]` needs recorded weights; leave out `weights = false` in `[record]`",
        );
        check("n_passes = 50", "n_passes = 1", "16: `n_passes`: must be a whole number from 2 to 1000000, got 1");
    }
}
