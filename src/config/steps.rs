//! The steps at which a pipeline records.

use serde::Deserialize;

use super::keys::{Accepts, Key, KeyTable, Omitted};
use super::schedule::MOST_RECORDS;

/// The forms of `steps`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "record",
    name: "steps",
    doc: "The forms of `steps` in `[record]`.",
    keys: &[
        Key {
            name: "every",
            accepts: Accepts::Example("{ every = 50 }"),
            omitted: Omitted::OneOfSeveral,
            doc: "Steps 0, n, 2n, … and the last step. n is a whole number of at least 1.",
        },
        Key {
            name: "list",
            accepts: Accepts::Example("{ list = [0, 1, 10] }"),
            omitted: Omitted::OneOfSeveral,
            doc: "Exactly these steps.",
        },
        Key {
            name: "windows",
            accepts: Accepts::Example("{ windows = [[1, 2], [10, 15]] }"),
            omitted: Omitted::OneOfSeveral,
            doc: "All steps from a first to a last one, both included, for each pair in the list.",
        },
    ],
    parameters: &[],
};

/// Recorded steps, in addition to the ends of epochs; step s is the network after s updates.
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

impl Steps {
    /// The steps in ascending order, if `last` is the last step of the training.
    ///
    /// # Errors
    /// A step is after the last, or there are too many steps.
    pub fn up_to(&self, last: u64) -> Result<Vec<u64>, String> {
        let mut steps: Vec<u64> = match self {
            Steps::Every(n) if last / n > MOST_RECORDS as u64 => {
                return Err(format!("`steps`: at most {MOST_RECORDS} steps can be recorded, got {}", last / n));
            }
            Steps::Every(n) => (0..=last / n).map(|k| k * n).chain([last]).collect(),
            Steps::List(list) => list.clone(),
            Steps::Windows(windows) => windows.iter().flat_map(|[first, last]| *first..=*last).collect(),
        };
        steps.sort_unstable();
        steps.dedup();
        match steps.last() {
            Some(beyond) if *beyond > last => {
                Err(format!("`steps`: step {beyond} is after the last step of the training, {last}"))
            }
            _ => Ok(steps),
        }
    }

    pub(super) fn checked(self) -> Result<Self, String> {
        match &self {
            Steps::Every(0) => Err("`steps`: `every` must be at least 1, got 0".to_owned()),
            Steps::List(list) if list.is_empty() => {
                Err("`steps`: the list is empty; give at least one step".to_owned())
            }
            Steps::Windows(windows) => {
                if let Some([first, last]) = windows.iter().find(|[first, last]| first > last) {
                    return Err(format!("`steps`: window [{first}, {last}] ends before it begins"));
                }
                let n: u128 = windows.iter().map(|[first, last]| u128::from(last - first) + 1).sum();
                match n {
                    0 => Err("`steps`: the list of windows is empty; give at least one".to_owned()),
                    n if n > MOST_RECORDS as u128 => {
                        Err(format!("`steps`: at most {MOST_RECORDS} steps can be recorded, got {n} in the windows"))
                    }
                    _ => Ok(self),
                }
            }
            _ => Ok(self),
        }
    }
}
