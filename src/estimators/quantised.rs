//! Exact information of a network whose units have few levels, by counting rows of integer codes.
//!
//! Every unit's value becomes the number of its level, round((t − lo)(2^bits − 1)/(hi − lo)), lo and hi being the smallest
//! and the largest value of the layer at that snapshot. Where the layer has at most 2^bits evenly spaced levels, as a
//! network that computes with quantised activations has, no two levels share a number: then H(T), and with it I(X;T) and
//! I(T;Y), is exact, for the empirical distribution of the recorded samples. For any other network it is the entropy of a
//! code, as binning is.
//!
//! # Reference
//! Lorenzen, Igel & Nielsen 2022 (arXiv 2106.12912), whose code has 2^bits instead of 2^bits − 1: one code more, equally
//! exact.

use super::discrete::{BIAS, bias, bias_words, estimate, no_pool};
use super::{Built, Estimate, EstimateError, Estimator, Member, Randomness, RangeOver, Sample, Spec};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::digitise::{Quantised as Levels, digitise};
use crate::math::entropy::Bias;
use crate::parameter::{Kind, Parameter, Parameters};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "quantised",
    summary: "information of networks with 2^bits levels a unit, exact for the recorded samples",
    parameters: &[
        Parameter {
            name: "bits",
            doc: "bits of a level's number",
            kind: Kind::Count { min: 1, max: 24 },
            default: "8",
        },
        BIAS,
    ],
    build,
};

/// Estimates for several numbers of bits.
#[derive(Debug)]
struct Quantised(Vec<(u32, Bias)>);

fn build(parameters: &[Parameters]) -> Built {
    let one =
        |parameters: &Parameters| (parameters.count("bits").expect("the bits have a default") as u32, bias(parameters));
    Ok(Box::new(Quantised(parameters.iter().map(one).collect())))
}

impl Estimator for Quantised {
    fn members(&self) -> Vec<Member> {
        let member = |(bits, bias): &(u32, Bias)| Member {
            id: EstimatorId {
                correction: *bias,
                ..EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::Bits, f64::from(*bits))))
            },
            quantity: format!(
                "entropy of {bits}-bit codes under the empirical distribution of the samples, exact where units have at most 2^{bits} even levels{}",
                bias_words(*bias)
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            no_pool: no_pool(*bias),
        };
        self.0.iter().map(member).collect()
    }

    fn estimate(&self, of: &Sample<'_>) -> Vec<Result<Estimate, EstimateError>> {
        let one = |(bits, bias): &(u32, Bias)| {
            let range = of.ranges.layer;
            let rule = Levels { low: range.low.into(), high: range.high.into(), bits: *bits };
            let codes = digitise(of.t.values(), &rule).map_err(|e| EstimateError::Range { problem: e.to_string() })?;
            let most_codes = f64::from(*bits) * std::f64::consts::LN_2 * of.t.n_units() as f64;
            estimate(codes.cells(of.t.n_units()), Nats(most_codes), *bias, of)
        };
        self.0.iter().map(one).collect()
    }
}
