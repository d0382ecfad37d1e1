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

use std::ops::RangeInclusive;

use super::{Built, Estimate, EstimateError, Estimator, Given, Member, Randomness, RangeOver, Sample, Spec, Spread};
use crate::math::atoms::Cells;
use crate::math::kde::{Bound, h_t_given_x, i_ty, i_xt};
use crate::math::kernels::{KernelSums, kernel_sums};
use crate::math::powers::Kernel;
use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value};
use crate::sample::{Range, Representation};
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

/// The variances that f64 serves whatever the layer.
const ALLOWED_VARIANCES: RangeInclusive<f64> = 1e-100..=1e100;

fn build(parameters: &[Parameters]) -> Built {
    let noise = |parameters: &Parameters| {
        let variance = parameters.number("noise_variance").unwrap_or(1e-3);
        if !ALLOWED_VARIANCES.contains(&variance) {
            return Err(ParameterError::Value {
                name: "noise_variance",
                allowed: format!("a number from {:e} to {:e}", ALLOWED_VARIANCES.start(), ALLOWED_VARIANCES.end()),
                got: Value::Number(variance).to_string(),
            });
        }
        Ok(Noise {
            variance,
            unit: if parameters.flag("relative") { VarianceUnit::LayerVariance } else { VarianceUnit::Absolute },
            bound: if parameters.text("bound") == Some("lower") { Bound::Lower } else { Bound::Upper },
            precision: if parameters.text("precision") == Some("f64") { Precision::F64 } else { Precision::F32 },
        })
    };
    Ok(Box::new(Kde(parameters.iter().map(noise).collect::<Result<_, _>>()?)))
}

/// The noise of one member in one layer.
#[derive(Debug, Clone, Copy)]
struct LayerNoise {
    /// In activations squared.
    variance: f64,
    kernel: Kernel,
    /// That serves this kernel and this layer.
    precision: Precision,
}

impl Noise {
    fn in_layer(&self, t: Representation<'_>) -> Result<LayerNoise, EstimateError> {
        let unit = match self.unit {
            VarianceUnit::Absolute => 1.0,
            VarianceUnit::LayerVariance => mean_variance(t),
        };
        if unit == 0.0 {
            return Err(EstimateError::Constant);
        }
        let variance = self.variance * unit;
        let kernel = self.bound.kernel(variance);
        let precision = if f32_holds(kernel.exponent(), t) { self.precision } else { Precision::F64 };
        Ok(LayerNoise { variance, kernel, precision })
    }
}

/// Whether f32, from 1e−38 to 3e38, is enough for the squared distances D of `t` and their products with the `exponent`
/// a of a kernel exp(−aD).
///
/// Nothing overflows: no D exceeds (high − low)² n_units, 1e30; from a matrix product of centred values it may come out
/// as 4 times that before it is found to be cancelled, and aD/ln 2 as 6e37. What underflows does not matter: the square
/// of a difference below 1e−38 is rounded by at most 1e−45, which changes aD by 1e−15 a unit.
///
/// f64 is enough for all layers of f32 and all allowed variances: D is 0 or in 1e−90..1e78 n_units, and a in
/// 1e−179..1e100, or 1e−178/1e−200 where the variance is relative to one of at least 1e−90/(n_samples n_units).
fn f32_holds(exponent: f64, t: Representation<'_>) -> bool {
    let range = Range::of(t.values());
    let largest_distance = (f64::from(range.high) - f64::from(range.low)).powi(2) * t.n_units() as f64;
    (1e-30..=1e30).contains(&exponent) && largest_distance <= 1e30 && exponent * largest_distance <= 1e37
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
        let shuffled = |order: &[u32]| order.iter().map(|row| classes.numbers()[*row as usize]).collect();
        let labellings: Vec<Vec<u32>> =
            std::iter::once(classes.numbers().to_vec()).chain(given.shuffles.iter().map(shuffled)).collect();
        let n_codes = Cells::of_rows(of.t.values(), of.t.n_units()).n_cells();
        let noises: Vec<Result<LayerNoise, EstimateError>> = self.0.iter().map(|noise| noise.in_layer(of.t)).collect();

        let mut estimates: Vec<Result<Estimate, EstimateError>> =
            noises.iter().map(|_| Err(EstimateError::Constant)).collect();
        for precision in [Precision::F32, Precision::F64] {
            // The place of every member of this precision, and its noise.
            let chosen: Vec<(usize, LayerNoise)> = (0..noises.len())
                .filter_map(|at| Some((at, *noises[at].as_ref().ok()?)))
                .filter(|(_, noise)| noise.precision == precision)
                .collect();
            if chosen.is_empty() {
                continue;
            }
            let kernels: Vec<Kernel> = chosen.iter().map(|(_, noise)| noise.kernel).collect();
            let labellings: Vec<&[u32]> = labellings.iter().map(Vec::as_slice).collect();
            let sums = match precision {
                Precision::F32 => kernel_sums(of.t.values(), of.t.n_units(), &kernels, &labellings),
                Precision::F64 => {
                    let values: Vec<f64> = of.t.values().iter().copied().map(f64::from).collect();
                    kernel_sums(&values, of.t.n_units(), &kernels, &labellings)
                }
            };
            for ((at, noise), sums) in chosen.into_iter().zip(&sums) {
                let estimate = from_sums(sums, &labellings, given, of.t.n_units(), noise.variance, n_codes);
                estimates[at] = if_finite(estimate);
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
        i_xt_null: Spread::unmoved(&given.shuffles, i_xt),
        i_ty_null: Spread::of(&i_ty[1..]),
        i_xt_ceiling: given.h_x,
        i_ty_ceiling: given.h_y,
        n_codes,
        code: None,
    }
}

fn if_finite(estimate: Estimate) -> Result<Estimate, EstimateError> {
    let numbers = [
        ("estimate of I(X;T)", estimate.i_xt.0),
        ("estimate of I(T;Y)", estimate.i_ty.0),
        ("entropy of the noise", estimate.h_t_given_x.0),
        ("null of I(T;Y)", estimate.i_ty_null.map_or(0.0, |null| null.mean.0)),
    ];
    match numbers.iter().find(|(_, number)| !number.is_finite()) {
        Some((what, _)) => Err(EstimateError::NotFinite { what }),
        None => Ok(estimate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Labels;

    const N: usize = 300;

    /// Smooth values of size 1 without a pattern.
    fn values(n_units: usize) -> Vec<f32> {
        (0..N * n_units).map(|i| (i as f32 * 1.7391).sin() * 0.9).collect()
    }

    /// Every combination of `words`, parameters as on the command line with one or several values each.
    fn parameters(words: &[(&str, &str)]) -> Vec<Parameters> {
        let value = |word: &str| if word == "yes" { vec![Value::Flag(true)] } else { Value::parse_list(word) };
        let given = words.iter().map(|(name, word)| ((*name).to_owned(), value(word))).collect();
        Parameters::product(SPEC.parameters, given).unwrap()
    }

    fn estimates(parameters: &[Parameters], t: &[f32], n_units: usize, n_shuffles: usize) -> Vec<Estimate> {
        let rows: Vec<u32> = (0..N as u32).collect();
        let y: Vec<i32> = t.chunks(n_units).map(|row| i32::from(row[0] > row[1])).collect();
        let given = Given::new(Cells::of_rows(&rows, 1), Labels::hard(&y), n_shuffles).unwrap();
        let sample = Sample::new(Representation::new(t, n_units).unwrap(), &given).unwrap();
        build(parameters).unwrap().estimate(&sample).into_iter().map(Result::unwrap).collect()
    }

    /// All numbers, to the bit.
    fn bits(estimate: &Estimate) -> Vec<u64> {
        let nulls = [estimate.i_xt_null, estimate.i_ty_null].into_iter().flatten();
        let nulls = nulls.flat_map(|null| [Some(null.mean), null.std]).flatten();
        let values = [estimate.i_xt, estimate.i_ty, estimate.h_t_given_x].into_iter().chain(nulls);
        values.map(|nats| nats.0.to_bits()).collect()
    }

    #[test]
    fn a_member_has_the_same_bits_whatever_else_is_asked_for() {
        // Variances 2, 4, 8 and 3 apart, within octaves that share an exponential and across.
        let variances = ("noise_variance", "0.001,0.002,0.003,0.004,0.008,0.01,0.04,0.1,0.2,0.4,0.8");
        let precisions = ("precision", "f32,f64");
        let sets = [parameters(&[variances, precisions]), parameters(&[variances, precisions, ("relative", "yes")])];
        for n_units in [3, 100] {
            let t = values(n_units);
            for set in &sets {
                let together = estimates(set, &t, n_units, 2);
                assert_eq!(together.len(), 44);
                for (one, from_all) in set.iter().zip(together) {
                    let alone = &estimates(std::slice::from_ref(one), &t, n_units, 2)[0];
                    assert_eq!(bits(alone), bits(&from_all), "{n_units} units, {}", one.slug());
                }
            }
        }
    }

    /// Sizes of activations from denormal numbers to the largest.
    const SCALES: [f32; 7] = [1e-40, 1e-25, 1e-10, 1.0, 1e10, 1e25, 3e38];

    #[test]
    fn information_with_relative_noise_is_the_same_for_activations_of_every_size() {
        let set = parameters(&[("noise_variance", "0.1,10"), ("relative", "yes"), ("precision", "f32,f64")]);
        for n_units in [3, 100] {
            let t = values(n_units);
            let expected = estimates(&set, &t, n_units, 1);
            assert!(expected.iter().all(|estimate| (0.01..5.5).contains(&estimate.i_xt.0)), "no case is saturated");
            for scale in SCALES {
                let scaled: Vec<f32> = t.iter().map(|value| scale * value).collect();
                // Values are rounded by 6e−8 of themselves, aD by twice as much, and aD < 30 where it matters. Denormal
                // numbers of 1e−40 are multiples of 1.4e−45: they are rounded by 7e−6, mostly in different directions.
                let tolerance = if scale == 1e-40 { 1e-4 } else { 1e-5 };
                for ((one, got), expected) in set.iter().zip(estimates(&set, &scaled, n_units, 1)).zip(&expected) {
                    let off = [got.i_xt.0 - expected.i_xt.0, got.i_ty.0 - expected.i_ty.0];
                    let slug = one.slug();
                    assert!(off.iter().all(|off| off.abs() < tolerance), "{n_units} units of {scale}, {slug}: {off:?}");
                }
            }
        }
    }

    #[test]
    fn every_allowed_variance_gives_information_for_activations_of_every_size() {
        let variances = ("noise_variance", "1e-100,1e-40,1e-3,1e40,1e100");
        let precisions = ("precision", "f32,f64");
        for set in [parameters(&[variances, precisions]), parameters(&[variances, precisions, ("relative", "yes")])] {
            for n_units in [3, 100] {
                for scale in SCALES {
                    let scaled: Vec<f32> = values(n_units).iter().map(|value| scale * value).collect();
                    for (one, got) in set.iter().zip(estimates(&set, &scaled, n_units, 1)) {
                        // Logarithms of N and their mean are rounded a few times.
                        let i_xt = got.i_xt.0;
                        let allowed = -1e-13..(N as f64).ln() + 1e-13;
                        assert!(allowed.contains(&i_xt), "{n_units} units of {scale}, {}: {i_xt}", one.slug());
                    }
                }
            }
        }
    }

    #[test]
    fn variances_beyond_the_range_of_the_arithmetic_are_refused() {
        for refused in ["1e-101", "1e101"] {
            assert_eq!(
                build(&parameters(&[("noise_variance", refused)])).unwrap_err().to_string(),
                format!("parameter `noise_variance`: must be a number from 1e-100 to 1e100, got {refused}")
            );
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_an_error() {
        let estimate = estimates(&parameters(&[]), &values(3), 3, 1).remove(0);
        assert!(if_finite(estimate.clone()).is_ok());
        let error = if_finite(Estimate { i_ty: Nats(f64::NAN), ..estimate }).unwrap_err();
        assert_eq!(error, EstimateError::NotFinite { what: "estimate of I(T;Y)" });
    }
}
