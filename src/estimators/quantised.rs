//! Exact information of a network whose units have few levels, from counts of integer codes.
//!
//! The value of every unit is replaced by the number of its level, round((t − lo)(2^bits − 1)/(hi − lo)), with lo and
//! hi the minimum and the maximum of the layer at that snapshot. If the layer has at most 2^bits evenly spaced levels,
//! as in a network that computes with quantised activations, every level has a different number: then H(T), and with it
//! I(X;T) and I(T;Y), is exact for the empirical distribution of the recorded samples. For any other network it is the
//! entropy of a code, as for binning.
//!
//! # Reference
//! Lorenzen, Igel & Nielsen 2022 (arXiv 2106.12912), whose code has 2^bits instead of 2^bits − 1: one code more, equally
//! exact.

use super::discrete::{BIAS, bias, bias_words, estimate, no_pool, of_codes};
use super::{
    Cells, Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member,
    Randomness, RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::digitise::{Quantised as Levels, digitise};
use crate::math::entropy::Bias;
use crate::parameter::{Kind, Parameter};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "quantised",
    summary: "mutual information of networks with 2^bits levels per unit, exact for the recorded samples",
    of_pair: "plug-in information of the codes of 2^bits levels; labels are codes already",
    parameters: &[
        Parameter {
            name: "bits",
            doc: "number of bits per unit: a unit has 2^bits levels",
            kind: Kind::Count { min: BITS.0, max: BITS.1 },
            default: "8",
        },
        BIAS,
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let bits = parameters.count("bits").expect("the bits have a default");
            Ok(Quantised::bits(bits)?.corrected(bias(parameters)))
        })
    },
    choose: |_, _| None,
};

/// The allowed numbers of bits.
const BITS: (u64, u64) = (1, 24);

/// Information of codes of 2^bits levels, evenly spaced over the range of the layer.
///
/// ```
/// use infoplane::estimators::{Estimator, LayerData, Quantised};
///
/// // A unit of four levels: two bits are enough.
/// let layer = LayerData::new(&[0.0, 1.0, 2.0, 3.0], 1, &[0, 0, 1, 1])?;
/// let estimate = Quantised::bits(2)?.estimate(&layer)?;
/// assert!((estimate.i_ty.bits() - 1.0).abs() < 1e-12);
/// assert_eq!(estimate.n_codes, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Lorenzen, Igel & Nielsen 2022 (arXiv 2106.12912).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantised {
    bits: u32,
    correction: Bias,
}

impl Quantised {
    /// Codes with `bits` bits per unit, without a correction of the entropies.
    ///
    /// # Errors
    /// `bits` is not from 1 to 24.
    pub fn bits(bits: usize) -> Result<Self, InvalidParameter> {
        let bits = InvalidParameter::check_count("bits", bits, BITS)? as u32;
        Ok(Self { bits, correction: Bias::PlugIn })
    }

    /// Corrects the bias of the plug-in entropies, which are too low on average.
    #[must_use]
    pub fn corrected(self, correction: Bias) -> Self {
        Self { correction, ..self }
    }
}

impl Estimator for Quantised {
    fn member(&self) -> Member {
        let Self { bits, correction } = self;
        Member {
            id: EstimatorId {
                correction: *correction,
                ..EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::Bits, f64::from(*bits))))
            },
            quantity: format!(
                "entropy of {bits}-bit codes under the empirical distribution of the samples, exact if units have at most 2^{bits} evenly spaced levels{}",
                bias_words(*correction)
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: no_pool(*correction),
            inputs: KnownInputs::Identity,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        let most_codes = f64::from(self.bits) * std::f64::consts::LN_2 * layer.activations.n_units() as f64;
        estimate(self.cells(layer)?, Nats(most_codes), self.correction, layer)
    }

    /// The plug-in information of two codes; labels are codes already.
    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        of_codes(a, bs, |layer| self.cells(layer), self.correction)
    }
}

impl Quantised {
    /// The cell of every sample.
    fn cells(&self, layer: &LayerData<'_>) -> Result<Cells, EstimateError> {
        let range = layer.ranges.layer;
        let levels = Levels { low: range.low.into(), high: range.high.into(), bits: self.bits };
        let codes = digitise(layer.activations.values(), &levels);
        let codes = codes.map_err(|e| EstimateError::Range { problem: e.to_string() })?;
        Ok(codes.cells(layer.activations.n_units()))
    }
}
