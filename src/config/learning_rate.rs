//! The key `schedule` of `[training]`: how the learning rate changes during training.

use serde::Deserialize;

use super::keys::{Accepts, Key, KeyTable, Omitted};
use crate::nn::Schedule;

/// The forms of `schedule`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "training",
    name: "schedule",
    doc: "The forms of `schedule` in `[training]`. Epochs are counted from 0.",
    keys: &[
        Key {
            name: "constant",
            accepts: Accepts::Example("\"constant\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The learning rate does not change.",
        },
        Key {
            name: "step",
            accepts: Accepts::Example("{ step = { every = 1000, factor = 0.5 } }"),
            omitted: Omitted::OneOfSeveral,
            doc: "The learning rate is multiplied by `factor` after every `every` epochs. `every` is a whole number of at least 1, `factor` a number above 0.",
        },
        Key {
            name: "exponential",
            accepts: Accepts::Example("{ exponential = 0.999 }"),
            omitted: Omitted::OneOfSeveral,
            doc: "The learning rate is multiplied by this number above 0 after every epoch.",
        },
        Key {
            name: "cosine",
            accepts: Accepts::Example("\"cosine\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The learning rate falls to 0 after the last epoch along half a cosine.",
        },
        Key {
            name: "warm_up",
            accepts: Accepts::Example("{ warm_up = 5 }"),
            omitted: Omitted::OneOfSeveral,
            doc: "The learning rate grows linearly from a fraction 1/n of its value in the first epoch to its full value in epoch n, and is constant after that. n is a whole number of at least 1.",
        },
    ],
    parameters: &[],
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RawSchedule {
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

/// The checked schedule, or the reason why it is not allowed.
pub(super) fn schedule(raw: RawSchedule) -> Result<Schedule, String> {
    let factor = |factor: f64| match factor > 0.0 && factor.is_finite() {
        true => Ok(factor),
        false => Err(format!("`schedule`: a factor must be a finite number above 0, got {factor}")),
    };
    let epochs = |epochs: u64| match epochs {
        0 => Err("`schedule`: a number of epochs must be at least 1, got 0".to_owned()),
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
