//! The `[training]` table of a pipeline: loss, optimiser, batches, regularisation, and when to stop.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::keys::{Accepts, Key, KeyTable, Omitted, forms, names};
use super::learning_rate::{RawSchedule, schedule};
use super::stop::{RawStop, Stop};
use super::values;
use crate::nn::{
    Adam, BatchOrder, BatchSize, Constraints, Loss, Momentum, Optimiser, Penalties, Renormalise, Schedule,
    TrainingSettings,
};
use crate::parameter::Kind;
use crate::suggest::Named;

/// The keys of `[training]`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "training",
    doc: "`[training]`: how the networks are trained.",
    keys: &[
        Key {
            name: "loss",
            accepts: Accepts::Name(names::<Loss>),
            omitted: Omitted::Value("\"cross_entropy\""),
            doc: "The function that training minimises: the cross-entropy in nats, or the squared error averaged over the output units. It is averaged over the samples of a batch.",
        },
        Key {
            name: "optimiser",
            accepts: Accepts::Name(names::<Rule>),
            omitted: Omitted::Refused,
            doc: "The rule that updates the weights. `adam` adds epsilon before the bias correction, as TensorFlow 1 does; `adam_pytorch` adds it after.",
        },
        Key {
            name: "learning_rate",
            accepts: Accepts::Kind(Kind::Positive),
            omitted: Omitted::Refused,
            doc: "The step size of the optimiser.",
        },
        Key {
            name: "schedule",
            accepts: Accepts::Form(&forms::SCHEDULE),
            omitted: Omitted::Value("\"constant\""),
            doc: "How the learning rate changes from epoch to epoch.",
        },
        Key {
            name: "momentum",
            accepts: Accepts::Form(&forms::RATE),
            omitted: Omitted::Value("0.9"),
            doc: "Momentum, for the optimisers `momentum` and `nesterov` only.",
        },
        Key {
            name: "beta_1",
            accepts: Accepts::Form(&forms::RATE),
            omitted: Omitted::Value("0.9"),
            doc: "Decay rate of the mean of the gradients, for the optimisers `adam` and `adam_pytorch` only.",
        },
        Key {
            name: "beta_2",
            accepts: Accepts::Form(&forms::RATE),
            omitted: Omitted::Value("0.999"),
            doc: "Decay rate of the mean of the squared gradients, for the optimisers `adam` and `adam_pytorch` only.",
        },
        Key {
            name: "decay",
            accepts: Accepts::Form(&forms::RATE),
            omitted: Omitted::Value("0.99"),
            doc: "Decay rate of the mean of the squared gradients, for the optimiser `rmsprop` only.",
        },
        Key {
            name: "epsilon",
            accepts: Accepts::Kind(Kind::Positive),
            omitted: Omitted::Value("1e-8"),
            doc: "Number added to the denominator of an update, for the optimisers `adam`, `adam_pytorch` and `rmsprop` only.",
        },
        Key {
            name: "batch",
            accepts: Accepts::Form(&forms::BATCH),
            omitted: Omitted::Refused,
            doc: "Number of training samples in one update; \"full\" means all of them. If the number of samples is not a multiple of this number, the last batch is smaller.",
        },
        Key {
            name: "reshuffle",
            accepts: Accepts::Kind(Kind::Flag),
            omitted: Omitted::Value("false"),
            doc: "Whether the training samples are put in a new random order before every epoch. If false, every epoch has the same batches.",
        },
        Key {
            name: "epochs",
            accepts: Accepts::Kind(Kind::Count { min: 1, max: values::MOST_EPOCHS }),
            omitted: Omitted::Refused,
            doc: "Number of passes over the training samples.",
        },
        Key {
            name: "prefit",
            accepts: Accepts::Kind(Kind::Count { min: 0, max: values::MOST_EPOCHS }),
            omitted: Omitted::Value("0"),
            doc: "Number of initial epochs that train on labels shuffled among the training samples. They count as epochs of `epochs`.",
        },
        Key {
            name: "stop",
            accepts: Accepts::Form(&forms::STOP),
            omitted: Omitted::Effect("every run trains for all `epochs`"),
            doc: "When training ends before the last epoch.",
        },
        Key {
            name: "l1",
            accepts: Accepts::Kind(Kind::NotNegative),
            omitted: Omitted::Value("0"),
            doc: "Factor of the sum of the absolute weights, which is added to the loss. Biases are left out.",
        },
        Key {
            name: "l2",
            accepts: Accepts::Kind(Kind::NotNegative),
            omitted: Omitted::Value("0"),
            doc: "Factor of the sum of the squared weights, which is added to the loss. Biases are left out. PyTorch's `weight_decay` is twice this number.",
        },
        Key {
            name: "orthonormal",
            accepts: Accepts::Kind(Kind::NotNegative),
            omitted: Omitted::Value("0"),
            doc: "Factor of a penalty on kernels that are not orthonormal: the squared Frobenius norm of W Wᵀ − 1, or of Wᵀ W − 1 for layers with more units than inputs.",
        },
        Key {
            name: "max_norm",
            accepts: Accepts::Kind(Kind::Positive),
            omitted: Omitted::Effect("no limit"),
            doc: "Largest Euclidean norm of the weights of a unit. Larger weights are scaled down after every update.",
        },
        Key {
            name: "renormalise",
            accepts: Accepts::Form(&forms::INITIAL_OR_POSITIVE),
            omitted: Omitted::Effect("no scaling"),
            doc: "Frobenius norm to which the kernel of every layer is scaled after every epoch; \"initial\" means its norm before training.",
        },
    ],
    parameters: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTraining {
    #[serde(default = "cross_entropy", deserialize_with = "values::choice")]
    loss: Loss,
    #[serde(deserialize_with = "values::choice")]
    optimiser: Rule,
    #[serde(deserialize_with = "values::positive")]
    learning_rate: f32,
    #[serde(default)]
    schedule: RawSchedule,
    #[serde(default, deserialize_with = "decay")]
    momentum: Option<f64>,
    #[serde(default, deserialize_with = "decay")]
    beta_1: Option<f64>,
    #[serde(default, deserialize_with = "decay")]
    beta_2: Option<f64>,
    #[serde(default, deserialize_with = "decay")]
    decay: Option<f64>,
    #[serde(default, deserialize_with = "epsilon")]
    epsilon: Option<f64>,
    #[serde(deserialize_with = "values::batch")]
    batch: BatchSize,
    #[serde(default)]
    reshuffle: bool,
    #[serde(deserialize_with = "values::epochs")]
    pub(super) epochs: u64,
    #[serde(default)]
    prefit: u64,
    stop: Option<RawStop>,
    #[serde(default, deserialize_with = "not_negative")]
    l1: f32,
    #[serde(default, deserialize_with = "not_negative")]
    l2: f32,
    #[serde(default, deserialize_with = "not_negative")]
    orthonormal: f32,
    #[serde(default, deserialize_with = "some_positive")]
    max_norm: Option<f32>,
    #[serde(default, deserialize_with = "renormalise")]
    renormalise: Renormalise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Adam,
    AdamPyTorch,
    Sgd,
    Momentum,
    Nesterov,
    RmsProp,
}

impl Named for Rule {
    const ALL: &'static [Self] =
        &[Self::Adam, Self::AdamPyTorch, Self::Sgd, Self::Momentum, Self::Nesterov, Self::RmsProp];

    fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamPyTorch => "adam_pytorch",
            Self::Sgd => "sgd",
            Self::Momentum => "momentum",
            Self::Nesterov => "nesterov",
            Self::RmsProp => "rmsprop",
        }
    }
}

impl RawTraining {
    /// The settings and the conditions to stop, or the reason why they are not allowed.
    pub(super) fn check(self) -> Result<(TrainingSettings, Option<Stop>), String> {
        let settings = TrainingSettings {
            loss: self.loss,
            optimiser: self.optimiser()?,
            learning_rate: self.learning_rate,
            schedule: schedule(self.schedule)?,
            batch_size: self.batch,
            batch_order: if self.reshuffle { BatchOrder::Reshuffled } else { BatchOrder::Fixed },
            penalties: Penalties { l1: self.l1, l2: self.l2, orthonormal: self.orthonormal },
            constraints: Constraints { max_norm: self.max_norm, renormalise: self.renormalise },
            n_epochs: self.epochs,
            n_prefit_epochs: self.prefit,
        };
        if settings.n_prefit_epochs > settings.n_epochs {
            let (prefit, epochs) = (settings.n_prefit_epochs, settings.n_epochs);
            return Err(format!("`prefit` must be at most `epochs`, which includes it; got {prefit} and {epochs}"));
        }
        Ok((settings, self.stop.map(RawStop::check).transpose()?))
    }

    fn optimiser(&self) -> Result<Optimiser, String> {
        let given = [
            ("momentum", self.momentum.is_some()),
            ("beta_1", self.beta_1.is_some()),
            ("beta_2", self.beta_2.is_some()),
            ("decay", self.decay.is_some()),
            ("epsilon", self.epsilon.is_some()),
        ];
        let takes: &[&str] = match self.optimiser {
            Rule::Adam | Rule::AdamPyTorch => &["beta_1", "beta_2", "epsilon"],
            Rule::Sgd => &[],
            Rule::Momentum | Rule::Nesterov => &["momentum"],
            Rule::RmsProp => &["decay", "epsilon"],
        };
        if let Some((key, _)) = given.iter().find(|(key, is_given)| *is_given && !takes.contains(key)) {
            let name = self.optimiser.name();
            return Err(format!("the optimiser `{name}` has no parameter `{key}`; leave it out"));
        }
        let momentum = self.momentum.unwrap_or(0.9);
        let (beta_1, beta_2) = (self.beta_1.unwrap_or(0.9), self.beta_2.unwrap_or(0.999));
        let epsilon = self.epsilon.unwrap_or(1e-8);
        Ok(match self.optimiser {
            Rule::Adam => Optimiser::Adam { beta_1, beta_2, epsilon, form: Adam::TensorFlow },
            Rule::AdamPyTorch => Optimiser::Adam { beta_1, beta_2, epsilon, form: Adam::PyTorch },
            Rule::Sgd => Optimiser::Sgd,
            Rule::Momentum => Optimiser::Momentum { momentum, form: Momentum::Classical },
            Rule::Nesterov => Optimiser::Momentum { momentum, form: Momentum::Nesterov },
            Rule::RmsProp => Optimiser::RmsProp { decay: self.decay.unwrap_or(0.99), epsilon },
        })
    }
}

/// The settings of a training that a recording depends on, for manifests. Settings that were added later are written only if
/// they differ from the earlier behaviour, so that older manifests stay valid.
pub(super) fn settings(training: &TrainingSettings, stop: Option<&Stop>) -> serde_json::Map<String, Value> {
    let plain = TrainingSettings::plain(training.optimiser, training.learning_rate, training.batch_size, 1);
    let (rule, parameters) = optimiser(training.optimiser);
    let mut settings = serde_json::Map::new();
    let mut add = |key: &str, value: Value| settings.insert(key.to_owned(), value);
    add("optimiser", json!(rule.name()));
    if training.optimiser != Optimiser::ADAM && !parameters.is_null() {
        add("optimiser_parameters", parameters);
    }
    add("learning_rate", json!(training.learning_rate));
    add(
        "batch",
        match training.batch_size {
            BatchSize::Full => json!("full"),
            BatchSize::Mini(size) => json!(size),
        },
    );
    add("reshuffle", json!(training.batch_order == BatchOrder::Reshuffled));
    add("epochs", json!(training.n_epochs));
    if training.loss != plain.loss {
        add("loss", json!(training.loss.name()));
    }
    match training.schedule {
        Schedule::Constant => {}
        Schedule::Step { every, factor } => {
            drop(add("schedule", json!({ "step": { "every": every, "factor": factor } })))
        }
        Schedule::Exponential { factor } => drop(add("schedule", json!({ "exponential": factor }))),
        Schedule::Cosine => drop(add("schedule", json!("cosine"))),
        Schedule::WarmUp { epochs } => drop(add("schedule", json!({ "warm_up": epochs }))),
    }
    if training.penalties != plain.penalties {
        let Penalties { l1, l2, orthonormal } = training.penalties;
        add("penalties", json!({ "l1": l1, "l2": l2, "orthonormal": orthonormal }));
    }
    if let Some(norm) = training.constraints.max_norm {
        add("max_norm", json!(norm));
    }
    match training.constraints.renormalise {
        Renormalise::Never => {}
        Renormalise::Initial => drop(add("renormalise", json!("initial"))),
        Renormalise::To(norm) => drop(add("renormalise", json!(norm))),
    }
    if training.n_prefit_epochs > 0 {
        add("prefit", json!(training.n_prefit_epochs));
    }
    if let Some(Stop { accuracy, patience, samples }) = stop {
        add("stop", json!({ "accuracy": accuracy, "patience": patience, "of": samples.name() }));
    }
    settings
}

fn optimiser(optimiser: Optimiser) -> (Rule, Value) {
    match optimiser {
        Optimiser::Sgd => (Rule::Sgd, Value::Null),
        Optimiser::Momentum { momentum, form: Momentum::Classical } => {
            (Rule::Momentum, json!({ "momentum": momentum }))
        }
        Optimiser::Momentum { momentum, form: Momentum::Nesterov } => (Rule::Nesterov, json!({ "momentum": momentum })),
        Optimiser::Adam { beta_1, beta_2, epsilon, form } => {
            let rule = if form == Adam::PyTorch { Rule::AdamPyTorch } else { Rule::Adam };
            (rule, json!({ "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon }))
        }
        Optimiser::RmsProp { decay, epsilon } => (Rule::RmsProp, json!({ "decay": decay, "epsilon": epsilon })),
    }
}

fn cross_entropy() -> Loss {
    Loss::CrossEntropy
}

/// A decay rate: a number of at least 0 and below 1.
fn decay<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let got = f64::deserialize(from)?;
    match (0.0..1.0).contains(&got) {
        true => Ok(Some(got)),
        false => Err(serde::de::Error::custom(format!("must be at least 0 and below 1, got {got}"))),
    }
}

fn epsilon<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let got = f64::deserialize(from)?;
    match got > 0.0 && got.is_finite() {
        true => Ok(Some(got)),
        false => Err(serde::de::Error::custom(format!("must be a number above 0, got {got}"))),
    }
}

fn some_positive<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f32>, D::Error> {
    values::positive(from).map(Some)
}

fn not_negative<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    let got = f64::deserialize(from)?;
    match got >= 0.0 && (got as f32).is_finite() {
        true => Ok(got as f32),
        false => Err(serde::de::Error::custom(format!(
            "must be a finite number of at least 0 within the range of f32, got {got}"
        ))),
    }
}

fn renormalise<'de, D: Deserializer<'de>>(from: D) -> Result<Renormalise, D::Error> {
    let got = toml::Value::deserialize(from)?;
    let number = got.as_float().or(got.as_integer().map(|n| n as f64)).filter(|n| *n > 0.0 && (*n as f32).is_finite());
    match (got.as_str(), number) {
        (Some("initial"), _) => Ok(Renormalise::Initial),
        (_, Some(norm)) => Ok(Renormalise::To(norm as f32)),
        _ => Err(serde::de::Error::custom(format!("must be \"initial\" or a norm above 0, got {got}"))),
    }
}
