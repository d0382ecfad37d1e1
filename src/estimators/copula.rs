//! Information of the Gaussian copula: ½ ln (|C_a| |C_b| / |C_ab|) with the covariances C of the normal scores.
//!
//! Every coordinate is replaced by its normal scores Φ⁻¹(rank/(N + 1)), so its distribution does not matter, only how it
//! depends on the others. If one of the two variables has a Gaussian copula, as every single coordinate has, the information
//! of the Gaussian copula is at most that of the variables: the other one can only have less entropy given the first than a
//! Gaussian. Without this condition it is no bound.
//!
//! I(T;Y) = ½ ln |C| − ½ Σ_y p(y) ln |C_y| with the covariance C_y of the scores within class y: a lower bound for one unit,
//! and no bound for several.
//!
//! Deviations: equal values have the mean of their ranks (the published program ranks them in their order in memory); more
//! than 5 % equal values in a coordinate are refused; coordinates without spread are left out.
//!
//! # Reference
//! Ince, Giordano, Kayser, Rousselet, Gross & Schyns 2017, `gcmi_cc` and `gcmi_model_cd`.

use super::normal_scores::Scored;
use super::pair::estimate_layer;
use super::{
    Estimate, EstimateError, Estimator, Information, KnownInputs, LayerData, Member, Randomness, RangeOver, Spec,
    Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Form};

pub(super) const SPEC: Spec = Spec {
    name: "copula",
    summary: "mutual information of Gaussian variables with the rank correlations of the values; a lower bound for single coordinates; refuses values that repeat",
    parameters: &[],
    build: |sets| build_each(sets, |_| Ok(Copula)),
    choose: |_, _| None,
};

/// Information of the Gaussian copula, with bias correction; it has no parameters.
///
/// ```
/// use infoplane::estimators::{Copula, Estimator, Points, Variable};
///
/// let x = [0.1, 0.4, -0.3, 1.2, -0.8, 0.6, -1.5, 0.9];
/// let y = [0.2, 0.3, -0.1, 0.8, -1.1, 0.9, -0.7, 1.5];
/// let [x, y] = [x, y].map(|values| Points::new(values.to_vec(), 1).map(Variable::Real));
/// let found = Copula.between(&x?, &[y?]).remove(0)?;
/// assert!(found.value.bits() > 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Ince et al. 2017, `gcmi_cc` for real vectors and `gcmi_model_cd` for classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copula;

impl Estimator for Copula {
    fn member(&self) -> Member {
        Member {
            id: EstimatorId { form: Some(Form::Gaussian), ..EstimatorId::new(SPEC.name, None) },
            quantity: "information of the Gaussian copula of the ranks, bias-corrected; a lower bound of the mutual information if one of the two variables has a Gaussian copula, as every single coordinate has".to_owned(),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`copula` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let a = Scored::new(a, "a coordinate of the first variable");
        let with = |b: &Variable<'_>| {
            let b = Scored::new(b, "a coordinate of the second variable")?;
            a.as_ref().map_err(Clone::clone)?.information(&b, SPEC.name).map(Information::of)
        };
        bs.iter().map(with).collect()
    }
}
