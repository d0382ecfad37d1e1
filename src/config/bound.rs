//! The `[bound]` table of a pipeline: the information bottleneck curve, and the estimate whose codes are compared with it.

use serde::Deserialize;

use super::estimate::Request;
use super::keys::{Accepts, Key, KeyTable, Omitted, forms};
use super::tree::Located;
use crate::estimate_id::{EstimateId, Pool, Samples, Unit};
use crate::math::bottleneck::MAX_BETA;
use crate::parameter::Kind;
use crate::suggest::suggestion;

/// The settings of the information bottleneck.
#[derive(Debug, Clone)]
pub struct BoundRequest {
    /// The estimate whose codes of T are the encoders of the layers.
    pub code: Request,
    /// The multipliers β, ascending, evenly spaced in log β.
    pub betas: Vec<f64>,
}

/// The keys of `[bound]`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "bound",
    doc: "`[bound]`: the information bottleneck curve of the data, and the distance of every layer from it.",
    keys: &[
        Key {
            name: "code",
            accepts: Accepts::Form(&forms::ESTIMATE),
            omitted: Omitted::Refused,
            doc: "The estimate whose bins define the code T of a layer. It must be an estimate by `binning` or `quantised` of all samples, without pooling.",
        },
        Key {
            name: "beta",
            accepts: Accepts::Form(&forms::BETAS),
            omitted: Omitted::Value("[0.8, 300.0]"),
            doc: "Smallest and largest multiplier β of the information bottleneck.",
        },
        Key {
            name: "per_octave",
            accepts: Accepts::Kind(Kind::Count { min: 1, max: MOST_PER_OCTAVE }),
            omitted: Omitted::Value("10"),
            doc: "Number of values of β for each factor of 2 in β.",
        },
    ],
    parameters: &[],
};

/// Largest number of multipliers for each factor of 2.
const MOST_PER_OCTAVE: u64 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBound {
    code: Located<String>,
    #[serde(default = "range")]
    beta: Located<[f64; 2]>,
    #[serde(default = "per_octave")]
    per_octave: Located<u64>,
}

/// The range of the authors' external program, rounded.
fn range() -> Located<[f64; 2]> {
    Located { at: 0, value: [0.8, 300.0] }
}

/// The spacing of the authors' external program.
fn per_octave() -> Located<u64> {
    Located { at: 0, value: 10 }
}

impl RawBound {
    /// Checks the table against the estimates of the pipeline; an error has the place of the wrong key.
    pub(super) fn check(self, estimates: &[Request]) -> Result<BoundRequest, (usize, String)> {
        let Located { at, value: [least, largest] } = self.beta;
        if !(least > 0.0 && least < largest && largest <= MAX_BETA) {
            let problem = format!(
                "`beta`: must be two ascending numbers above 0, the second at most {MAX_BETA}, got [{least}, {largest}]"
            );
            return Err((at, problem));
        }
        let Located { at, value: per_octave } = self.per_octave;
        if !(1..=MOST_PER_OCTAVE).contains(&per_octave) {
            let problem = format!("`per_octave`: must be a whole number from 1 to {MOST_PER_OCTAVE}, got {per_octave}");
            return Err((at, problem));
        }
        let Located { at, value: code } = self.code;
        let Some(request) = estimates.iter().find(|request| request.id.to_string() == code) else {
            let ids: Vec<String> = estimates.iter().map(|request| request.id.to_string()).collect();
            let suggestion = suggestion(&code, ids.iter().map(String::as_str));
            return Err((at, format!("`code`: the pipeline has no estimate `{code}`; {suggestion}")));
        };
        let EstimateId { samples, pool, unit, .. } = *request.id;
        let is_all_samples_of_layers = samples == Samples::All && pool == Pool::Nothing && unit == Unit::Layers;
        let is_code = ["binning", "quantised"].contains(&request.spec.name);
        if !is_code || !is_all_samples_of_layers {
            let problem = format!(
                "`code`: `{code}` does not give a code for every sample; name an estimate by `binning` or `quantised` of all samples, without pooling"
            );
            return Err((at, problem));
        }
        let n = ((largest / least).log2() * per_octave as f64).floor() as i32;
        let steps = (0..=n).map(|step| least * 2.0_f64.powf(f64::from(step) / per_octave as f64));
        let mut betas: Vec<f64> = steps.filter(|beta| *beta < largest * (1.0 - 1e-9)).collect();
        betas.push(largest);
        Ok(BoundRequest { code: request.clone(), betas })
    }
}
