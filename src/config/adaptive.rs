//! The key `adaptive` of `[record]`: snapshots that are chosen by the change of information.

use serde::Deserialize;

use super::keys::{Accepts, Key, KeyTable, Omitted, names};
use super::values;
use crate::parameter::Kind;
use crate::suggest::Named;

/// How adaptive spacing chooses its snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adaptive {
    /// The distance between snapshots doubles while changes are small enough, and halves when one is too large.
    Approximate,
    /// As `Approximate`; if a change was too large, the steps between two snapshots are also bisected.
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

/// The keys of `adaptive`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "record",
    name: "adaptive",
    doc: "The table `adaptive` in `[record]`: spacing of snapshots by information (Grabauskas 2019). It is measured with 30 bins over the range of each layer.",
    keys: &[
        Key {
            name: "delta",
            accepts: Accepts::Kind(Kind::Positive),
            omitted: Omitted::Refused,
            doc: "Largest allowed difference of I(X;T) and of I(T;Y) between neighbouring snapshots in any layer, in bits.",
        },
        Key {
            name: "method",
            accepts: Accepts::Name(names::<Adaptive>),
            omitted: Omitted::Refused,
            doc: "`approximate` doubles the distance between snapshots while differences are at most `delta`, and halves it otherwise. `exact` also searches the skipped steps, so that neighbouring snapshots differ by at most `delta` or are one step apart.",
        },
    ],
    parameters: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdaptive {
    pub(super) delta: f64,
    #[serde(deserialize_with = "values::choice")]
    pub(super) method: Adaptive,
}
