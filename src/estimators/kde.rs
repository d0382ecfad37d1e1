//! Bounds on the information of T plus Gaussian noise, from the distances between all pairs of samples.
//!
//! A deterministic network has no information that differs between its layers, so noise Z ~ N(0, vI) is added, in the
//! analysis only: I(X;T+Z) = H(T+Z) − H(T+Z|X), the second term being (d/2)(1 + ln 2πv). H(T+Z) is the entropy of a mixture
//! of N Gaussians and lies between the two bounds of Kolchinsky & Tracey. I(X;T) is therefore between the numbers of
//! `upper` and `lower`. I(T;Y) = H(T) − H(T|Y) with the same bound in both terms is *not* a bound, in either form.
//!
//! # Reference
//! Kolchinsky & Tracey 2017 (Entropy 19, 361), eqs 10 and 11; Saxe et al. 2018, with v = 0.1 in the paper, 1e-3 (Tishby's
//! task) and 0.1 (MNIST) in the code; v = 0.05 in Grabauskas 2019. Noise in proportion to the layer: Chelombiev et al. 2019.

use super::{Built, Estimate, EstimateError, Estimator, Given, Member, Randomness, RangeOver, Sample, Spec, Spread};
use crate::math::atoms::Cells;
use crate::math::kde::{Bound, h_t_given_x, i_ty, i_xt};
use crate::math::kernels::{KernelSums, kernel_sums};
use crate::parameter::{Kind, Parameter, Parameters, Value};
use crate::sample::Representation;
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "kde",
    summary: "Kolchinsky-Tracey bounds on the information of T plus Gaussian noise that is added in the analysis",
    parameters: &[
        Parameter {
            name: "noise_variance",
            doc: "variance of the noise on every unit",
            kind: Kind::Positive,
            default: "0.001,0.01,0.1",
        },
        Parameter {
            name: "relative",
            doc: "noise_variance is in units of the layer's variance at that moment, the mean over its units",
            kind: Kind::Flag,
            default: "",
        },
        Parameter {
            name: "bound",
            doc: "on the entropy of T: upper (Kullback-Leibler) or lower (Bhattacharyya)",
            kind: Kind::Choice(&["upper", "lower"]),
            default: "upper,lower",
        },
        Parameter {
            name: "precision",
            doc: "arithmetic: f32 is four times as fast and right to about 1e-5 bits, f64 to 1e-12",
            kind: Kind::Choice(&["f32", "f64"]),
            default: "f32",
        },
    ],
    build,
};

/// Estimates for several noise variances and both bounds.
#[derive(Debug)]
struct Kde(Vec<Noise>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Noise {
    variance: f64,
    unit: VarianceUnit,
    bound: Bound,
    precision: Precision,
}

/// What a noise variance is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VarianceUnit {
    /// Activations squared.
    Absolute,
    /// The layer's own variance.
    LayerVariance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    F32,
    F64,
}

fn build(parameters: &[Parameters]) -> Built {
    let noise = |parameters: &Parameters| Noise {
        variance: parameters.number("noise_variance").unwrap_or(1e-3),
        unit: if parameters.flag("relative") { VarianceUnit::LayerVariance } else { VarianceUnit::Absolute },
        bound: if parameters.text("bound") == Some("lower") { Bound::Lower } else { Bound::Upper },
        precision: if parameters.text("precision") == Some("f64") { Precision::F64 } else { Precision::F32 },
    };
    Ok(Box::new(Kde(parameters.iter().map(noise).collect())))
}

impl Noise {
    /// The variance in activations squared.
    fn variance_for(&self, t: Representation<'_>) -> Result<f64, EstimateError> {
        let unit = match self.unit {
            VarianceUnit::Absolute => 1.0,
            VarianceUnit::LayerVariance => mean_variance(t),
        };
        if unit > 0.0 { Ok(self.variance * unit) } else { Err(EstimateError::Constant) }
    }
}

/// The variance (population) of a unit, mean over the units.
fn mean_variance(t: Representation<'_>) -> f64 {
    let n = t.n_samples() as f64;
    let of_unit = |unit: usize| {
        let mean = t.column(unit).map(f64::from).sum::<f64>() / n;
        t.column(unit).map(|value| (f64::from(value) - mean).powi(2)).sum::<f64>() / n
    };
    (0..t.n_units()).map(of_unit).sum::<f64>() / t.n_units() as f64
}

impl Estimator for Kde {
    fn members(&self) -> Vec<Member> {
        let member = |noise: &Noise| {
            let (bound, side) = match noise.bound {
                Bound::Upper => ("upper", "at most"),
                Bound::Lower => ("lower", "at least"),
            };
            let variance = Value::Number(noise.variance);
            let (suffix, of) = match noise.unit {
                VarianceUnit::Absolute => ("", ""),
                VarianceUnit::LayerVariance => ("-relative", " times the layer's"),
            };
            let precision = if noise.precision == Precision::F64 { "-f64" } else { "" };
            Member {
                id: format!("kde-{bound}-noise-variance-{variance}{suffix}{precision}"),
                quantity: format!(
                    "I(X;T+Z) is {side} this, Z being Gaussian noise of variance {variance}{of} added in the analysis; I(T+Z;Y) is no bound"
                ),
                randomness: Randomness::Noise,
                range: RangeOver::Estimated,
            }
        };
        self.0.iter().map(member).collect()
    }

    fn estimate(&self, of: &Sample<'_>) -> Vec<Result<Estimate, EstimateError>> {
        let given = of.given;
        let Some(classes) = &given.classes else {
            return vec![Err(EstimateError::NeedsHardLabels { what: "H(T|Y)" }); self.0.len()];
        };
        let labellings: Vec<Vec<u32>> =
            std::iter::once(classes).chain(&given.dealt).map(|classes| classes.numbers().to_vec()).collect();
        let n_codes = Cells::of_rows(of.t.values(), of.t.n_units()).n_cells();
        let variances: Vec<Result<f64, EstimateError>> = self.0.iter().map(|noise| noise.variance_for(of.t)).collect();

        let mut estimates: Vec<Result<Estimate, EstimateError>> =
            variances.iter().map(|_| Err(EstimateError::Constant)).collect();
        for precision in [Precision::F32, Precision::F64] {
            // The place of every member of this precision that has a variance, and its exponent.
            let chosen: Vec<(usize, f64, f64)> = (0..self.0.len())
                .filter(|at| self.0[*at].precision == precision)
                .filter_map(|at| {
                    let variance = *variances[at].as_ref().ok()?;
                    Some((at, variance, self.0[at].bound.exponent(variance)))
                })
                .collect();
            if chosen.is_empty() {
                continue;
            }
            // With variances 4 apart, the upper bound of one has the exponent of the lower bound of the next.
            let mut exponents: Vec<f64> = chosen.iter().map(|(_, _, exponent)| *exponent).collect();
            exponents.sort_by(f64::total_cmp);
            exponents.dedup();
            let labellings: Vec<&[u32]> = labellings.iter().map(Vec::as_slice).collect();
            let sums = match precision {
                Precision::F32 => kernel_sums(of.t.values(), of.t.n_units(), &exponents, &labellings),
                Precision::F64 => {
                    let values: Vec<f64> = of.t.values().iter().copied().map(f64::from).collect();
                    kernel_sums(&values, of.t.n_units(), &exponents, &labellings)
                }
            };
            for (at, variance, exponent) in chosen {
                let place = exponents.partition_point(|other| *other < exponent);
                estimates[at] = Ok(from_sums(&sums[place], &labellings, given, of.t.n_units(), variance, n_codes));
            }
        }
        estimates
    }
}

fn from_sums(
    sums: &KernelSums,
    labellings: &[&[u32]],
    given: &Given,
    n_units: usize,
    variance: f64,
    n_codes: usize,
) -> Estimate {
    let of_labelling = |(same_class, classes): (&Vec<f64>, &&[u32])| i_ty(&sums.all, same_class, classes);
    let i_ty: Vec<Nats> = sums.same_class.iter().zip(labellings).map(of_labelling).collect();
    let i_xt = i_xt(&sums.all);
    Estimate {
        i_xt,
        i_ty: i_ty[0],
        h_t_given_x: h_t_given_x(n_units, variance),
        // The mixture has one component a row; which input a row came from is not looked at.
        i_xt_null: Spread::unmoved(given.orders.len(), i_xt),
        i_ty_null: Spread::of(&i_ty[1..]),
        i_xt_ceiling: given.h_x,
        i_ty_ceiling: given.i_ty_ceiling,
        n_codes,
        code: None,
    }
}
