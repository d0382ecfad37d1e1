//! The key `stop` of `[training]`: when a training ends before its last epoch.

use serde::Deserialize;

use super::keys::{Accepts, Key, KeyTable, Omitted, forms, names};
use super::values;
use crate::parameter::Kind;
use crate::suggest::Named;

/// When a training ends before its last epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// It ends after the first epoch with at least this accuracy.
    pub accuracy: Option<f64>,
    /// It ends after this many epochs without a better accuracy.
    pub patience: Option<u64>,
    /// The samples whose accuracy is tested.
    pub samples: StopOn,
}

/// The samples whose accuracy ends a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopOn {
    /// The training samples.
    Train,
    /// The other samples.
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

/// The keys of `stop`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "training",
    name: "stop",
    doc: "The table `stop` in `[training]`: when training ends before the last epoch. It needs `accuracy`, `patience` or both. The conditions are tested at the end of every epoch, but not during `prefit`. `stop` cannot be combined with `adaptive` in `[record]`.",
    keys: &[
        Key {
            name: "accuracy",
            accepts: Accepts::Form(&forms::FRACTION),
            omitted: Omitted::Effect("no accuracy ends the training"),
            doc: "Training ends after the first epoch with at least this accuracy, a fraction.",
        },
        Key {
            name: "patience",
            accepts: Accepts::Kind(Kind::Count { min: 1, max: u64::MAX }),
            omitted: Omitted::Effect("no number of epochs ends the training"),
            doc: "Training ends after this many epochs without a better accuracy.",
        },
        Key {
            name: "of",
            accepts: Accepts::Name(names::<StopOn>),
            omitted: Omitted::Value("\"train\""),
            doc: "The samples whose accuracy is tested.",
        },
    ],
    parameters: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStop {
    accuracy: Option<f64>,
    patience: Option<u64>,
    #[serde(default = "train", deserialize_with = "values::choice", rename = "of")]
    samples: StopOn,
}

impl RawStop {
    /// The checked conditions, or the reason why they are not allowed.
    pub(super) fn check(self) -> Result<Stop, String> {
        let Self { accuracy, patience, samples } = self;
        match (accuracy, patience) {
            (None, None) => Err("`stop` needs `accuracy`, `patience` or both".to_owned()),
            (Some(accuracy), _) if !(accuracy > 0.0 && accuracy <= 1.0) => {
                Err(format!("`accuracy`: must be above 0 and at most 1, got {accuracy}"))
            }
            (_, Some(0)) => Err("`patience`: must be a whole number of at least 1, got 0".to_owned()),
            _ => Ok(Stop { accuracy, patience, samples }),
        }
    }
}

fn train() -> StopOn {
    StopOn::Train
}
