//! The `[training]` table of a pipeline: loss, optimiser, batches, regularisation, and when to stop.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::values;
use crate::nn::{
    Adam, BatchOrder, BatchSize, Constraints, Loss, Momentum, Optimiser, Penalties, Renormalise, Schedule,
    TrainingSettings,
};
use crate::suggest::Named;

/// When a training ends before its last epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// At the first epoch with at least this accuracy.
    pub accuracy: Option<f64>,
    /// After this many epochs without a better accuracy.
    pub patience: Option<u64>,
    /// The accuracy of which samples.
    pub samples: StopOn,
}

/// The samples whose accuracy ends a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopOn {
    /// Those that train.
    Train,
    /// The others.
    Test,
}

impl Named for StopOn {
    const ALL: &'static [Self] = &[Self::Train, Self::Test];

    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

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

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum RawSchedule {
    #[default]
    Constant,
    Step {
        every: u64,
        factor: f64,
    },
    Exponential(f64),
    Cosine,
    WarmUp(u64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStop {
    accuracy: Option<f64>,
    patience: Option<u64>,
    #[serde(default = "train", deserialize_with = "values::choice", rename = "of")]
    samples: StopOn,
}

impl RawTraining {
    /// The settings, and when to stop; what is wrong where something is.
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
            return Err(format!(
                "`prefit` of {prefit} epochs is more than the {epochs} of `epochs`, which counts them too"
            ));
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
            return Err(format!("`{key}` means nothing to the optimiser `{name}`; leave it out"));
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

impl RawStop {
    fn check(self) -> Result<Stop, String> {
        let Self { accuracy, patience, samples } = self;
        match (accuracy, patience) {
            (None, None) => Err("`stop` needs `accuracy`, `patience` or both: when to stop".to_owned()),
            (Some(accuracy), _) if !(accuracy > 0.0 && accuracy <= 1.0) => {
                Err(format!("`accuracy` of `stop` must be above 0 and at most 1, got {accuracy}"))
            }
            (_, Some(0)) => Err("`patience` of `stop` must be at least 1 epoch, got 0".to_owned()),
            _ => Ok(Stop { accuracy, patience, samples }),
        }
    }
}

fn schedule(raw: RawSchedule) -> Result<Schedule, String> {
    let factor = |factor: f64| match factor > 0.0 && factor.is_finite() {
        true => Ok(factor),
        false => Err(format!("the factor of `schedule` must be a number above 0, got {factor}")),
    };
    let epochs = |epochs: u64| match epochs {
        0 => Err("`schedule` needs at least 1 epoch between changes, got 0".to_owned()),
        epochs => Ok(epochs),
    };
    Ok(match raw {
        RawSchedule::Constant => Schedule::Constant,
        RawSchedule::Step { every, factor: by } => Schedule::Step { every: epochs(every)?, factor: factor(by)? },
        RawSchedule::Exponential(by) => Schedule::Exponential { factor: factor(by)? },
        RawSchedule::Cosine => Schedule::Cosine,
        RawSchedule::WarmUp(within) => Schedule::WarmUp { epochs: epochs(within)? },
    })
}

/// What of a training a recording depends on, for manifests: keys that came later only where they are not as before.
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

fn train() -> StopOn {
    StopOn::Train
}

/// A share of the past: at least 0, below 1.
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
        false => Err(serde::de::Error::custom(format!("must be a number of at least 0 that f32 can hold, got {got}"))),
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
