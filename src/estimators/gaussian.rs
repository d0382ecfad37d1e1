//! Information of T plus Gaussian noise, as if T were Gaussian.
//!
//! I(X;T+Z) = ½ ln |Σ̂ + vI| − ½ d ln v, Σ̂ being the covariance of T over the samples and Z ~ N(0, vI) noise that is added
//! in the analysis. It is exact, up to the sampling of Σ̂, for a linear network of Gaussian inputs; of all distributions
//! of this covariance the Gaussian has the most information, so for any other it is too large. I(T;Y) = H(T) − Σ_y p(y)
//! H(T|Y=y) with a Gaussian for all samples and one for each class is neither a bound.
//!
//! # Reference
//! Saxe et al. 2018, section 3 (linear networks). The correction of the bias and where it ends: [`crate::math::gaussian`].

use super::{Built, Estimate, EstimateError, Estimator, Member, Randomness, RangeOver, Sample, Spec, Spread};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::atoms::Cells;
use crate::math::gaussian::{GaussianError, i_ty, i_xt};
use crate::math::kde::h_t_given_x;
use crate::parameter::{Kind, Parameter, Parameters, Value};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "gaussian",
    summary: "information of T plus Gaussian noise as if T were Gaussian; exact for linear networks of Gaussian inputs",
    parameters: &[Parameter {
        name: "noise_variance",
        doc: "variance of the noise on every unit",
        kind: Kind::Positive,
        default: "0.001,0.01,0.1",
    }],
    build,
};

/// Estimates for several noise variances.
#[derive(Debug)]
struct Gaussian(Vec<f64>);

fn build(parameters: &[Parameters]) -> Built {
    let variance =
        |parameters: &Parameters| parameters.number("noise_variance").expect("the noise variance has a default");
    Ok(Box::new(Gaussian(parameters.iter().map(variance).collect())))
}

impl Estimator for Gaussian {
    fn members(&self) -> Vec<Member> {
        let member = |variance: &f64| {
            let scale = Scale::new(ScaleKind::NoiseVariance, *variance);
            let variance = Value::Number(*variance);
            Member {
                id: EstimatorId::new(SPEC.name, Some(scale)),
                quantity: format!(
                    "I(X;T+Z) as if T were Gaussian, Z being Gaussian noise of variance {variance} added in the analysis"
                ),
                randomness: Randomness::Noise,
                range: RangeOver::Estimated,
                no_pool: Some("`gaussian` adds noise of its own and cannot pool; use `binning` or `quantised`"),
            }
        };
        self.0.iter().map(member).collect()
    }

    fn estimate(&self, of: &Sample<'_>) -> Vec<Result<Estimate, EstimateError>> {
        self.0.iter().map(|variance| estimate(*variance, of)).collect()
    }
}

fn estimate(variance: f64, of: &Sample<'_>) -> Result<Estimate, EstimateError> {
    let (given, n_units) = (of.given, of.t.n_units());
    let classes = given.classes.as_ref().ok_or(EstimateError::NeedsHardLabels { what: "H(T|Y)" })?;
    let fewest = classes.counts().iter().copied().min().unwrap_or(0) as usize;
    if fewest <= n_units {
        return Err(EstimateError::TooWide { n_units, n: fewest });
    }
    let singular = |e: GaussianError| EstimateError::Singular { problem: e.to_string() };
    let values = of.t.values();
    let i_ty = |classes: &[u32]| i_ty(values, n_units, variance, classes).map_err(singular);
    let i_xt = i_xt(values, n_units, variance).map_err(singular)?;
    let h_t_given_x = h_t_given_x(n_units, variance);
    Estimate {
        i_xt: Some(i_xt),
        i_ty: i_ty(classes.numbers())?,
        // ½ ln |2πe (Σ̂ + vI)|.
        h_t: Some(i_xt + h_t_given_x),
        h_t_given_x: Some(h_t_given_x),
        // A covariance does not see which input made which T.
        i_xt_null: Spread::unmoved(given.n_shuffles(), i_xt),
        i_ty_null: Spread::of(
            &given.shuffled_classes().map(|classes| i_ty(classes.numbers())).collect::<Result<Vec<Nats>, _>>()?,
        ),
        i_xt_ceiling: Some(given.h_x),
        i_ty_ceiling: given.i_ty_ceiling,
        n_codes: Cells::of_rows(values, n_units).n_cells(),
        code: None,
    }
    .finite()
}
