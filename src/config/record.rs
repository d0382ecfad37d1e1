//! The `[record]` table of a pipeline: what is recorded of a run, and when.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::adaptive::{Adaptive, RawAdaptive};
use super::keys::{Accepts, Key, KeyTable, Omitted, forms, names};
use super::schedule::RawEpochs;
use super::steps::Steps;
use super::tree::Located;
use super::values::{self, count};
use crate::layer_id::LayerId;
use crate::nn::GradientKind;
use crate::parameter::Kind;
use crate::store::Precision;
use crate::suggest::{Named, suggestion};

/// What is recorded of a run, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The snapshots.
    pub when: When,
    /// Layers whose activations are recorded, ascending; 0 is the input, the last the output.
    pub layers: Vec<LayerId>,
    /// Whether the weighted sums of these layers, except the input, are recorded as well.
    pub pre_activations: bool,
    /// The samples whose activations are recorded.
    pub samples: RecordedSamples,
    /// The floating-point type of the stored activations.
    pub precision: Precision,
    /// Whether kernels and biases are recorded.
    pub weights: bool,
    /// Whether losses and accuracies are recorded.
    pub losses: bool,
    /// Whether the loss of each batch of the first epoch is recorded before its update.
    pub online_losses: bool,
    /// The gradients whose statistics are recorded.
    pub gradients: Vec<GradientKind>,
    /// Bytes of activations, before compression, after which a part of the recording is finished.
    pub part_bytes: u64,
}

/// The snapshots that are recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// The ends of given epochs, and given steps, both ascending.
    Fixed {
        /// Epochs; 0 is the untrained network.
        epochs: Vec<u64>,
        /// Updates.
        steps: Steps,
    },
    /// Chosen by the change of information.
    Adaptive {
        /// Largest change of I(X;T) and I(T;Y) of any layer between neighbouring records, in bits.
        delta_bits: f64,
        /// How strictly this limit is enforced.
        method: Adaptive,
    },
}

/// The samples whose activations are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedSamples {
    /// All of them.
    All,
    /// The training samples of the run.
    Train,
    /// The other samples.
    Test,
    /// This many random samples, the same in all runs.
    Subset(usize),
}

/// The keys of `[record]`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "record",
    doc: "`[record]`: what is recorded, and when. It needs `epochs`, `steps`, both, or `adaptive`.",
    keys: &[
        Key {
            name: "epochs",
            accepts: Accepts::Form(&forms::EPOCHS),
            omitted: Omitted::Effect("no epochs"),
            doc: "The ends of epochs at which a snapshot is recorded.",
        },
        Key {
            name: "steps",
            accepts: Accepts::Form(&forms::STEPS),
            omitted: Omitted::Effect("no steps"),
            doc: "The steps at which a snapshot is recorded, in addition to `epochs`. Step s is the network after s updates; step 0 is the untrained network.",
        },
        Key {
            name: "adaptive",
            accepts: Accepts::Form(&forms::ADAPTIVE),
            omitted: Omitted::Effect("snapshots are recorded at `epochs` and `steps`"),
            doc: "The program chooses the snapshots so that neighbouring ones differ little in I(X;T) and I(T;Y). It cannot be combined with `epochs` and `steps`.",
        },
        Key {
            name: "layers",
            accepts: Accepts::Form(&forms::RECORDED_LAYERS),
            omitted: Omitted::Value("[\"hidden\", \"output\"]"),
            doc: "The layers whose activations are recorded. 0 is the input, 1 the first hidden layer.",
        },
        Key {
            name: "pre_activations",
            accepts: Accepts::Kind(Kind::Flag),
            omitted: Omitted::Value("false"),
            doc: "Whether the weighted sums before the activation function are recorded as well.",
        },
        Key {
            name: "samples",
            accepts: Accepts::Form(&forms::SAMPLES),
            omitted: Omitted::Value("\"all\""),
            doc: "The samples whose activations are recorded. A number draws that many samples once, the same samples for every run.",
        },
        Key {
            name: "precision",
            accepts: Accepts::Name(names::<Precision>),
            omitted: Omitted::Value("\"f32\""),
            doc: "The floating-point type of recorded activations.",
        },
        Key {
            name: "weights",
            accepts: Accepts::Kind(Kind::Flag),
            omitted: Omitted::Value("true"),
            doc: "Whether weights and biases are recorded.",
        },
        Key {
            name: "losses",
            accepts: Accepts::Kind(Kind::Flag),
            omitted: Omitted::Value("true"),
            doc: "Whether losses and accuracies are recorded.",
        },
        Key {
            name: "online_losses",
            accepts: Accepts::Kind(Kind::Flag),
            omitted: Omitted::Value("false"),
            doc: "Whether the loss of each batch of the first epoch is recorded before its update. It cannot be combined with `adaptive`.",
        },
        Key {
            name: "gradients",
            accepts: Accepts::NameOr(
                names::<GradientKind>,
                "a list of these names, or true (which means \"after_step\") or false",
            ),
            omitted: Omitted::Effect("\"after_step\", or false with `adaptive`"),
            doc: "The gradients whose mean and standard deviation are recorded: of the batches of an epoch, each after its own update (`after_step`); of other random batches, each before an update (`before_step`); of single samples at fixed weights (`samples`). `adaptive` allows \"samples\" and false only.",
        },
        Key {
            name: "part_mb",
            accepts: Accepts::Kind(Kind::Count { min: 1, max: MOST_PART_MB }),
            omitted: Omitted::Value("256"),
            doc: "Size of activations in MiB, before compression, after which a part of a recording is finished. If a run is killed, at most its unfinished part is lost.",
        },
    ],
    parameters: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRecord {
    epochs: Option<Located<RawEpochs>>,
    steps: Option<Located<Steps>>,
    adaptive: Option<Located<RawAdaptive>>,
    layers: Option<Located<Vec<RawRecordedLayer>>>,
    #[serde(default)]
    pre_activations: bool,
    #[serde(default = "all", deserialize_with = "samples")]
    samples: RecordedSamples,
    #[serde(default, deserialize_with = "values::choice")]
    precision: Precision,
    #[serde(default = "values::yes")]
    weights: bool,
    #[serde(default = "values::yes")]
    losses: bool,
    #[serde(default)]
    online_losses: bool,
    #[serde(default, deserialize_with = "gradients")]
    gradients: Option<Vec<GradientKind>>,
    #[serde(default = "part_mb", deserialize_with = "part_size")]
    part_mb: u64,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be \"input\", \"hidden\", \"output\" or a layer's number")]
enum RawRecordedLayer {
    Number(usize),
    Name(String),
}

impl RawRecord {
    /// Removes the epochs after `n_epochs`, to which the training was shortened; the last epoch is always recorded.
    pub(super) fn shorten(&mut self, n_epochs: u64) {
        if let Some(epochs) = &mut self.epochs {
            epochs.value.shorten(n_epochs);
        }
    }

    /// Checks the table for a training of `n_epochs` and a network whose last layer is `output`; an error has the place of
    /// the wrong key.
    pub(super) fn check(self, at: usize, n_epochs: u64, output: LayerId) -> Result<Record, (usize, String)> {
        let when = match (self.epochs, self.steps, self.adaptive) {
            (None, None, None) => {
                return Err((at, "`[record]` needs `epochs`, `steps` or `adaptive`".to_owned()));
            }
            (None, None, Some(adaptive)) => {
                let Located { at, value: raw } = adaptive;
                if !(raw.delta > 0.0 && raw.delta.is_finite()) {
                    return Err((at, format!("`delta`: must be a finite number of bits above 0, got {}", raw.delta)));
                }
                if self.gradients.as_ref().is_some_and(|kinds| kinds.iter().any(|k| *k != GradientKind::Samples)) {
                    let problem = "with `adaptive`, `gradients` must be \"samples\" or false";
                    return Err((at, problem.to_owned()));
                }
                When::Adaptive { delta_bits: raw.delta, method: raw.method }
            }
            (_, _, Some(adaptive)) => {
                let problem = "`adaptive` cannot be combined with `epochs` or `steps`; leave them out";
                return Err((adaptive.at, problem.to_owned()));
            }
            (epochs, steps, None) => When::Fixed {
                epochs: epochs.map_or(Ok(Vec::new()), |Located { at, value: raw }| {
                    raw.list(n_epochs).map_err(|problem| (at, problem))
                })?,
                steps: steps.map_or(Ok(Steps::List(Vec::new())), |Located { at, value: raw }| {
                    raw.checked().map_err(|problem| (at, problem))
                })?,
            },
        };
        if self.online_losses && matches!(when, When::Adaptive { .. }) {
            let problem = "`online_losses` cannot be combined with `adaptive`; record `epochs` or `steps`";
            return Err((at, problem.to_owned()));
        }
        let default = if matches!(when, When::Fixed { .. }) { vec![GradientKind::AfterStep] } else { Vec::new() };
        Ok(Record {
            when,
            layers: layers(self.layers, output)?,
            pre_activations: self.pre_activations,
            samples: self.samples,
            precision: self.precision,
            weights: self.weights,
            losses: self.losses,
            online_losses: self.online_losses,
            gradients: self.gradients.unwrap_or(default),
            part_bytes: self.part_mb << 20,
        })
    }
}

impl Record {
    /// The settings that the content of a recording depends on, for manifests.
    pub(super) fn settings(&self) -> Value {
        let gradients: Vec<&str> = self.gradients.iter().map(|kind| kind.name()).collect();
        let mut settings = json!({
            "when": match &self.when {
                When::Fixed { epochs, steps } => json!({ "epochs": epochs, "steps": match steps {
                    Steps::Every(n) => json!({ "every": n }),
                    Steps::List(list) => json!(list),
                    Steps::Windows(windows) => json!({ "windows": windows }),
                } }),
                When::Adaptive { delta_bits, method } => {
                    json!({ "delta_bits": delta_bits, "method": method.name() })
                }
            },
            "layers": self.layers,
            "pre_activations": self.pre_activations,
            "samples": match self.samples {
                RecordedSamples::All => json!("all"),
                RecordedSamples::Train => json!("train"),
                RecordedSamples::Test => json!("test"),
                RecordedSamples::Subset(n) => json!(n),
            },
            "precision": self.precision.name(),
            "weights": self.weights,
            "losses": self.losses,
            "gradients": gradients,
            "part_bytes": self.part_bytes,
        });
        // Earlier versions had no such setting; their manifests stay valid.
        if self.online_losses {
            settings["online_losses"] = json!(true);
        }
        settings
    }
}

fn layers(raw: Option<Located<Vec<RawRecordedLayer>>>, output: LayerId) -> Result<Vec<LayerId>, (usize, String)> {
    let hidden = LayerId::above_input().take_while(|layer| *layer < output);
    let Some(Located { at, value: raw }) = raw else { return Ok(hidden.chain([output]).collect()) };
    let mut layers = Vec::new();
    for layer in raw {
        match layer {
            RawRecordedLayer::Number(number) => {
                let layer = LayerId::of_number(number).filter(|layer| *layer <= output);
                let problem =
                    || (at, format!("`layers`: there is no layer {number}; 0 is the input, {output} the output"));
                layers.push(layer.ok_or_else(problem)?);
            }
            RawRecordedLayer::Name(name) => match name.as_str() {
                "input" => layers.push(LayerId::INPUT),
                "hidden" => layers.extend(hidden.clone()),
                "output" => layers.push(output),
                _ => {
                    let suggestion = suggestion(&name, ["input", "hidden", "output"]);
                    return Err((
                        at,
                        format!("`layers`: `{name}` is not a layer number or a known name; {suggestion}"),
                    ));
                }
            },
        }
    }
    layers.sort_unstable();
    layers.dedup();
    if layers.is_empty() {
        Err((at, "`layers`: the list is empty; give at least one layer, or leave the key out to record all".to_owned()))
    } else {
        Ok(layers)
    }
}

fn all() -> RecordedSamples {
    RecordedSamples::All
}

fn samples<'de, D: Deserializer<'de>>(from: D) -> Result<RecordedSamples, D::Error> {
    let got = toml::Value::deserialize(from)?;
    match (&got, got.as_str()) {
        (_, Some("all")) => Ok(RecordedSamples::All),
        (_, Some("train")) => Ok(RecordedSamples::Train),
        (_, Some("test")) => Ok(RecordedSamples::Test),
        (toml::Value::Integer(n), _) if *n > 0 => Ok(RecordedSamples::Subset(*n as usize)),
        _ => Err(serde::de::Error::custom(format!(
            "must be \"all\", \"train\", \"test\" or a whole number of at least 1, got {got}"
        ))),
    }
}

fn gradients<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<GradientKind>>, D::Error> {
    let got = toml::Value::deserialize(from)?;
    let names = match &got {
        toml::Value::Boolean(true) => return Ok(Some(vec![GradientKind::AfterStep])),
        toml::Value::Boolean(false) => return Ok(Some(Vec::new())),
        toml::Value::Array(names) => names.clone(),
        name => vec![name.clone()],
    };
    let mut kinds = Vec::new();
    for name in &names {
        match name.as_str().and_then(|name| GradientKind::find(name).ok()) {
            Some(kind) if !kinds.contains(&kind) => kinds.push(kind),
            Some(_) => {}
            None => {
                let choices: Vec<String> =
                    GradientKind::ALL.iter().map(|kind| format!("\"{}\"", kind.name())).collect();
                let choices = choices.join(", ");
                return Err(serde::de::Error::custom(format!(
                    "must be true, false, or one or more of {choices}, got {name}"
                )));
            }
        }
    }
    Ok(Some(kinds))
}

/// Largest part of a recording, in MiB.
const MOST_PART_MB: u64 = 65_536;

fn part_mb() -> u64 {
    256
}

fn part_size<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    count(from, MOST_PART_MB)
}
