//! The epochs at which a pipeline records.

use serde::Deserialize;

use super::keys::{Accepts, Key, KeyTable, Omitted};
use crate::math::spacing::{log_spaced, saxe, saxe_mnist};

/// Largest number of recorded snapshots; more are most likely a mistake.
pub(super) const MOST_RECORDS: usize = 1_000_000;

/// The forms of `epochs`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "record",
    name: "epochs",
    doc: "The forms of `epochs` in `[record]`. Epoch 0 is the untrained network.",
    keys: &[
        Key {
            name: "log_spaced",
            accepts: Accepts::Example("{ log_spaced = 5 }"),
            omitted: Omitted::OneOfSeveral,
            doc: "This many epochs, evenly spaced in the logarithm of the epoch, and also epoch 0 and the last epoch. At least 1, at most the number of epochs of the training.",
        },
        Key {
            name: "every",
            accepts: Accepts::Example("{ every = 5 }"),
            omitted: Omitted::OneOfSeveral,
            doc: "Epochs 0, n, 2n, … and the last epoch. n is a whole number of at least 1.",
        },
        Key {
            name: "list",
            accepts: Accepts::Example("{ list = [0, 1, 10] }"),
            omitted: Omitted::OneOfSeveral,
            doc: "Exactly these epochs.",
        },
        Key {
            name: "saxe",
            accepts: Accepts::Example("\"saxe\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The epochs that the code of Saxe et al. (2018) records for Tishby's task: the first 20, then every 5th, from 100 every 20th, from 2000 every 100th.",
        },
        Key {
            name: "saxe_mnist",
            accepts: Accepts::Example("\"saxe_mnist\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The epochs that the code of Saxe et al. (2018) records for MNIST: the first 20, then every 5th, from 100 every 10th, from 200 every 100th.",
        },
    ],
    parameters: &[],
};

/// The key `epochs` of `[record]`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawEpochs {
    /// This many points, evenly spaced in log epoch, and the untrained network and the last epoch.
    LogSpaced(usize),
    /// 0, n, 2n, … and the last.
    Every(u64),
    /// Exactly these.
    List(Vec<u64>),
    /// The epochs of Saxe's network on Tishby's task.
    Saxe,
    /// The epochs of Saxe's network on MNIST.
    SaxeMnist,
}

impl RawEpochs {
    /// Removes the epochs after `n_epochs`, to which the training was shortened; the last epoch is always recorded.
    pub(super) fn shorten(&mut self, n_epochs: u64) {
        match self {
            Self::LogSpaced(count) => *count = (*count as u64).min(n_epochs) as usize,
            Self::List(list) => {
                list.retain(|epoch| *epoch < n_epochs);
                list.push(n_epochs);
            }
            Self::Every(_) | Self::Saxe | Self::SaxeMnist => {}
        }
    }

    /// The recorded epochs of a training of `n_epochs`, ascending, or the reason why they are not allowed.
    pub(super) fn list(self, n_epochs: u64) -> Result<Vec<u64>, String> {
        let too_many = |n: u64| Err(format!("`epochs`: at most {MOST_RECORDS} epochs can be recorded, got {n}"));
        let mut epochs = match self {
            Self::LogSpaced(0) => {
                return Err("`epochs`: `log_spaced` must be at least 1, got 0".to_owned());
            }
            Self::LogSpaced(count) if count > MOST_RECORDS => return too_many(count as u64),
            Self::LogSpaced(count) if count as u64 > n_epochs => {
                return Err(format!("`epochs`: `log_spaced` is {count}, but `[training]` has only {n_epochs} epochs"));
            }
            Self::LogSpaced(count) => [log_spaced(count, n_epochs), vec![0, n_epochs]].concat(),
            Self::Every(0) => return Err("`epochs`: `every` must be at least 1, got 0".to_owned()),
            Self::Every(n) if n_epochs / n > MOST_RECORDS as u64 => return too_many(n_epochs / n),
            Self::Every(n) => (0..=n_epochs / n).map(|k| k * n).chain([n_epochs]).collect(),
            Self::Saxe => saxe(n_epochs),
            Self::SaxeMnist => saxe_mnist(n_epochs),
            Self::List(list) if list.is_empty() => {
                return Err("`epochs`: the list is empty; give at least one epoch".to_owned());
            }
            Self::List(list) => match list.iter().find(|epoch| **epoch > n_epochs) {
                Some(beyond) => {
                    return Err(format!(
                        "`epochs`: epoch {beyond} is after the last epoch of `[training]`, {n_epochs}"
                    ));
                }
                None => list,
            },
        };
        epochs.sort_unstable();
        epochs.dedup();
        if epochs.len() > MOST_RECORDS { too_many(epochs.len() as u64) } else { Ok(epochs) }
    }
}
