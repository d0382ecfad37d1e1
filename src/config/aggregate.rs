//! The `[aggregate]` table of a pipeline: how means over runs are judged.

use serde::Deserialize;

use super::tree::Located;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAggregate {
    minimum_effect: Option<Located<f64>>,
}

impl RawAggregate {
    /// The smallest compression that counts, in bits, where it is given; an error carries the place of the key to blame.
    pub(super) fn check(self) -> Result<Option<f64>, (usize, String)> {
        match self.minimum_effect {
            Some(Located { at, value }) if !(value.is_finite() && value >= 0.0) => {
                Err((at, format!("`minimum_effect`: must be a finite number of bits, 0 or above, got {value}")))
            }
            bits => Ok(bits.map(|bits| bits.value)),
        }
    }
}
