//! Information of T plus Gaussian noise, assuming a Gaussian T.
//!
//! I(X;T+Z) = ½ ln |Σ̂ + vI| − ½ d ln v, with Σ̂ the covariance of T over the samples and Z ~ N(0, vI) noise that is
//! added in the analysis. It is exact, up to the sampling error of Σ̂, for a linear network with Gaussian inputs. Among
//! all distributions with this covariance the Gaussian has the most information, so the value is too large for any
//! other. I(T;Y) = H(T) − Σ_y p(y) H(T|Y=y), with a Gaussian for all samples and one for each class, is not a bound.
//!
//! # Reference
//! Saxe et al. 2018, section 3 (linear networks). Bias correction and its limits: `math/gaussian.rs`.

use super::{
    Estimate, EstimateError, Estimator, InvalidParameter, KnownInputs, LayerData, Member, Randomness, RangeOver, Spec,
    Spread, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::atoms::Cells;
use crate::math::gaussian::{GaussianError, i_ty, i_xt};
use crate::math::kde::h_t_given_x;
use crate::parameter::{Kind, Parameter, Value};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "gaussian",
    summary: "mutual information of T plus Gaussian noise, assuming that T is Gaussian; exact for linear networks with Gaussian inputs",
    of_pair: "difference of entropies of Gaussians plus noise, with and without the label; not a bound",
    parameters: &[Parameter {
        name: "noise_variance",
        doc: "variance of the noise added to every unit",
        kind: Kind::Positive,
        default: "0.001,0.01,0.1",
    }],
    build: |sets| {
        build_each(sets, |parameters| {
            let variance = parameters.number("noise_variance").expect("the noise variance has a default");
            Ok(Gaussian::noise(variance)?)
        })
    },
    choose: |_, _| None,
};

/// Information of T plus Gaussian noise, assuming a Gaussian T.
///
/// ```
/// use infoplane::estimators::{Estimator, Gaussian, LayerData};
///
/// let layer = LayerData::new(&[0.3, -1.2, 0.8, 1.1, -0.4, 0.2], 1, &[0, 0, 1, 1, 0, 1])?;
/// let estimate = Gaussian::noise(0.1)?.estimate(&layer)?;
/// assert!(estimate.i_xt.is_some_and(|i_xt| i_xt.bits() > 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Saxe et al. 2018, section 3 (linear networks).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    noise_variance: f64,
}

impl Gaussian {
    /// Noise of this variance, in squared units of the activations, on every unit.
    ///
    /// # Errors
    /// A variance that is not a finite number above 0.
    pub fn noise(noise_variance: f64) -> Result<Self, InvalidParameter> {
        let noise_variance = InvalidParameter::check_number("noise_variance", noise_variance, Kind::Positive)?;
        Ok(Self { noise_variance })
    }
}

impl Estimator for Gaussian {
    fn member(&self) -> Member {
        let variance = Value::Number(self.noise_variance);
        Member {
            id: EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::NoiseVariance, self.noise_variance))),
            quantity: format!(
                "I(X;T+Z) for a Gaussian T, with Gaussian noise Z of variance {variance} added in the analysis"
            ),
            randomness: Randomness::Noise,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some("`gaussian` adds noise in the analysis and cannot pool; use `binning` or `quantised`"),
            inputs: KnownInputs::Identity,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate(self.noise_variance, layer)
    }
}

fn estimate(variance: f64, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
    let (samples, values, n_units) = (&layer.samples, layer.activations.values(), layer.activations.n_units());
    let classes = samples.classes.as_ref().ok_or(EstimateError::NeedsHardLabels { what: "H(T|Y)" })?;
    let fewest = classes.counts().iter().copied().min().unwrap_or(0) as usize;
    if fewest <= n_units {
        return Err(EstimateError::TooWide { n_units, n: fewest });
    }
    let singular = |e: GaussianError| EstimateError::Singular { problem: e.to_string() };
    let i_ty = |classes: &[u32]| i_ty(values, n_units, variance, classes).map_err(singular);
    let i_xt = i_xt(values, n_units, variance).map_err(singular)?;
    let h_t_given_x = h_t_given_x(n_units, variance);
    Estimate {
        i_xt: Some(i_xt),
        i_ty: i_ty(classes.numbers())?,
        i_xt_error: None,
        i_ty_error: None,
        // ½ ln |2πe (Σ̂ + vI)|.
        h_t: Some(i_xt + h_t_given_x),
        h_t_given_x: Some(h_t_given_x),
        // A covariance does not depend on which input produced which T.
        i_xt_null: Spread::unmoved(samples.n_shuffles(), i_xt),
        i_ty_null: Spread::of(
            &samples.shuffled_classes().map(|classes| i_ty(classes.numbers())).collect::<Result<Vec<Nats>, _>>()?,
        ),
        i_xt_ceiling: Some(samples.h_x),
        i_ty_ceiling: samples.i_ty_ceiling,
        n_codes: Cells::of_rows(values, n_units).n_cells(),
        code: None,
    }
    .finite()
}
