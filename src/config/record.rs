//! The `[record]` table of a pipeline: what of a run is recorded, and when.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::schedule::{MOST_RECORDS, RawEpochs};
use super::tree::Located;
use super::values::{self, count};
use crate::layer_id::LayerId;
use crate::nn::GradientKind;
use crate::store::Precision;
use crate::suggest::Named;

/// What is recorded of a run, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The snapshots.
    pub when: When,
    /// Layers whose activations are recorded, ascending; 0 is the input, the last the output.
    pub layers: Vec<LayerId>,
    /// Whether the weighted sums of these layers (but the input) are recorded besides.
    pub pre_activations: bool,
    /// The samples whose activations are recorded.
    pub samples: RecordedSamples,
    /// How activations are stored.
    pub precision: Precision,
    /// Kernels and biases.
    pub weights: bool,
    /// Losses and accuracies.
    pub losses: bool,
    /// The loss of each batch of the first epoch before its update.
    pub online_losses: bool,
    /// Gradient statistics.
    pub gradients: Vec<GradientKind>,
    /// Raw bytes of activations after which a part of the recording is finished.
    pub part_bytes: u64,
}

/// The snapshots that are recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// Given ends of epochs and given steps, both ascending.
    Fixed {
        /// Epochs; 0 is the untrained network.
        epochs: Vec<u64>,
        /// Updates.
        steps: Steps,
    },
    /// Wherever the information has changed.
    Adaptive {
        /// Largest change of I(X;T) and I(T;Y) of any layer between neighbouring records, in bits.
        delta_bits: f64,
        /// How closely it is kept.
        method: Adaptive,
    },
}

/// Recorded updates besides the ends of epochs; step s is the network after s updates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steps {
    /// 0, n, 2n, … and the last.
    Every(u64),
    /// Exactly these.
    List(Vec<u64>),
    /// Every step from a first to a last one, both included.
    Windows(Vec<[u64; 2]>),
}

/// How adaptive spacing chooses its snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adaptive {
    /// The distance doubles while the changes are small enough and halves when one is not.
    Approximate,
    /// Likewise, and where a change was too large the steps between are bisected.
    Exact,
}

impl Named for Adaptive {
    const ALL: &'static [Self] = &[Self::Approximate, Self::Exact];

    fn name(self) -> &'static str {
        match self {
            Self::Approximate => "approximate",
            Self::Exact => "exact",
        }
    }
}

/// The samples whose activations are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedSamples {
    /// All of them.
    All,
    /// Those that train the run.
    Train,
    /// The others.
    Test,
    /// This many, drawn once, the same in every run.
    Subset(usize),
}

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
    #[serde(default = "part_mb", deserialize_with = "parts")]
    part_mb: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAdaptive {
    delta: f64,
    #[serde(deserialize_with = "values::choice")]
    method: Adaptive,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be \"input\", \"hidden\", \"output\" or a layer's number")]
enum RawRecordedLayer {
    Number(usize),
    Name(String),
}

impl RawRecord {
    /// Leaves out the epochs after `n_epochs`, to which the training was shortened; at least the last of it is recorded.
    pub(super) fn shorten(&mut self, n_epochs: u64) {
        if let Some(epochs) = &mut self.epochs {
            epochs.value.shorten(n_epochs);
        }
    }

    /// Checks the table for a training of `n_epochs` and a network whose last layer is `output`; an error carries the
    /// place of the key to blame.
    pub(super) fn check(self, at: usize, n_epochs: u64, output: LayerId) -> Result<Record, (usize, String)> {
        let when = match (self.epochs, self.steps, self.adaptive) {
            (None, None, None) => {
                return Err((at, "`[record]` needs `epochs`, `steps` or `adaptive`: when to record".to_owned()));
            }
            (None, None, Some(adaptive)) => {
                let Located { at, value: raw } = adaptive;
                if !(raw.delta > 0.0 && raw.delta.is_finite()) {
                    return Err((at, format!("`delta` must be a number of bits above 0, got {}", raw.delta)));
                }
                if self.gradients.as_ref().is_some_and(|kinds| kinds.iter().any(|k| *k != GradientKind::Samples)) {
                    let problem =
                        "with `adaptive`, `gradients` can only be \"samples\" or false: others need whole epochs";
                    return Err((at, problem.to_owned()));
                }
                When::Adaptive { delta_bits: raw.delta, method: raw.method }
            }
            (_, _, Some(adaptive)) => {
                let problem = "`adaptive` chooses every snapshot by itself; leave out `epochs` and `steps`";
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
            let problem = "`online_losses` needs recorded `epochs` or `steps`; `adaptive` goes back and forth";
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

impl Steps {
    /// The steps in ascending order with `last` as the last of the training; what is wrong where something is.
    ///
    /// # Errors
    /// A step beyond the last.
    pub fn up_to(&self, last: u64) -> Result<Vec<u64>, String> {
        let mut steps: Vec<u64> = match self {
            Steps::Every(n) if last / n > MOST_RECORDS as u64 => {
                return Err(format!("{} recorded steps are more than {MOST_RECORDS}; record fewer", last / n));
            }
            Steps::Every(n) => (0..=last / n).map(|k| k * n).chain([last]).collect(),
            Steps::List(list) => list.clone(),
            Steps::Windows(windows) => windows.iter().flat_map(|[first, last]| *first..=*last).collect(),
        };
        steps.sort_unstable();
        steps.dedup();
        match steps.last() {
            Some(beyond) if *beyond > last => {
                Err(format!("recorded step {beyond} is beyond the {last} steps of the training"))
            }
            _ => Ok(steps),
        }
    }

    fn checked(self) -> Result<Self, String> {
        match &self {
            Steps::Every(0) => Err("`steps = { every = 0 }` records nothing; give at least 1".to_owned()),
            Steps::List(list) if list.is_empty() => Err("the list of recorded steps is empty".to_owned()),
            Steps::Windows(windows) => {
                if let Some([first, last]) = windows.iter().find(|[first, last]| first > last) {
                    return Err(format!("window [{first}, {last}] ends before it begins"));
                }
                let n: u128 = windows.iter().map(|[first, last]| u128::from(last - first) + 1).sum();
                match n {
                    0 => Err("the list of windows is empty".to_owned()),
                    n if n > MOST_RECORDS as u128 => Err(format!("windows of {n} steps are more than {MOST_RECORDS}")),
                    _ => Ok(self),
                }
            }
            _ => Ok(self),
        }
    }
}

impl Record {
    /// What of it the content of a recording depends on, for manifests.
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
        // Recordings of earlier versions had none, and keep their keys.
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
                let problem = || (at, format!("there is no layer {number}; 0 is the input, {output} the output"));
                layers.push(layer.ok_or_else(problem)?);
            }
            RawRecordedLayer::Name(name) => match name.as_str() {
                "input" => layers.push(LayerId::INPUT),
                "hidden" => layers.extend(hidden.clone()),
                "output" => layers.push(output),
                _ => {
                    return Err((
                        at,
                        format!("unknown layer `{name}`; known: `input`, `hidden`, `output`, and numbers"),
                    ));
                }
            },
        }
    }
    layers.sort_unstable();
    layers.dedup();
    if layers.is_empty() { Err((at, "no layers; leave `layers` out to record all".to_owned())) } else { Ok(layers) }
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
            "must be \"all\", \"train\", \"test\" or how many to draw, got {got}"
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
                return Err(serde::de::Error::custom(format!("must be true, false or some of {choices}, got {name}")));
            }
        }
    }
    Ok(Some(kinds))
}

fn part_mb() -> u64 {
    256
}

fn parts<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    count(from, 65_536).map(|mb| mb as u64)
}
