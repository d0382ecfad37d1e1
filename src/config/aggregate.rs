//! The `[aggregate]` table of a pipeline: how means over runs are judged.

use serde::Deserialize;

use super::keys::{Accepts, Key, KeyTable, Omitted};
use super::tree::Located;
use crate::parameter::Kind;

/// The keys of `[aggregate]`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "aggregate",
    doc: "`[aggregate]`: how means over runs are judged.",
    keys: &[Key {
        name: "minimum_effect",
        accepts: Accepts::Kind(Kind::NotNegative),
        omitted: Omitted::Effect("1 % of the largest possible I(X;T), at least 0.05 bits"),
        doc: "The smallest compression that counts, in bits. Compression is I(X;T) at its peak minus I(X;T) at the end.",
    }],
    parameters: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAggregate {
    minimum_effect: Option<Located<f64>>,
}

impl RawAggregate {
    /// The smallest compression that counts, in bits, if it is given; an error has the place of the wrong key.
    pub(super) fn check(self) -> Result<Option<f64>, (usize, String)> {
        match self.minimum_effect {
            Some(Located { at, value }) if !(value.is_finite() && value >= 0.0) => {
                Err((at, format!("`minimum_effect`: must be a finite number of bits of at least 0, got {value}")))
            }
            bits => Ok(bits.map(|bits| bits.value)),
        }
    }
}
