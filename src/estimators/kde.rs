//! Bounds on the information of T plus Gaussian noise, from the distances between all pairs of samples.
//!
//! All layers of a deterministic network have equal information, so noise Z ~ N(0, vI) is added, in the analysis only:
//! I(X;T+Z) = H(T+Z) − H(T+Z|X), with the second term (d/2)(1 + ln 2πv). H(T+Z) is the entropy of a mixture of N
//! Gaussians and is between the two bounds of Kolchinsky & Tracey. I(X;T) is therefore between the values of `lower`
//! and `upper`. I(T;Y) = H(T) − H(T|Y) with one kind of bound in both terms is *not* a bound, in either form.
//!
//! # Reference
//! Kolchinsky & Tracey 2017 (Entropy 19, 361), eqs 10 and 11; Saxe et al. 2018, with v = 0.1 in the paper, 1e-3 (Tishby's
//! task) and 0.1 (MNIST) in the code; v = 0.05 in Grabauskas 2019. Noise relative to the layer: Chelombiev et al.
//! 2019.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::{
    Estimate, EstimateError, Estimator, InputsAndLabels, InvalidParameter, KnownInputs, LayerData, Member, Precision,
    Randomness, RangeOver, Spec, Spread, build_each,
};
use crate::estimate_id::{EstimatorId, Form, Scale, ScaleKind};
use crate::math::atoms::Cells;
use crate::math::descriptive::population_variance;
use crate::math::distances::TILE;
use crate::math::kde::{Bound, h_t_given_x, i_ty, i_xt};
use crate::math::kernels::kernel_sums;
use crate::math::powers::Kernel;
use crate::math::real::Real;
use crate::parameter::{Kind, Parameter, Value};
use crate::sample::{Range, Representation};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "kde",
    summary: "Kolchinsky-Tracey bounds on the mutual information of T plus Gaussian noise that is added in the analysis",
    of_pair: "difference of bounds on the entropy of the real variable plus Gaussian noise, with and without the label; not a bound",
    parameters: &[
        Parameter {
            name: "noise_variance",
            doc: "variance of the noise added to every unit, from 1e-100 to 1e100",
            kind: Kind::Positive,
            default: "0.001,0.01,0.1",
        },
        Parameter {
            name: "relative",
            doc: "multiply noise_variance by the variance of the layer in the same snapshot (mean over its units)",
            kind: Kind::Flag,
            default: "",
        },
        Parameter {
            name: "bound",
            doc: "bound on the entropy of T: upper (Kullback-Leibler) or lower (Bhattacharyya)",
            kind: Kind::Choice(&["upper", "lower"]),
            default: "upper,lower",
        },
        Parameter {
            name: "precision",
            doc: "floating-point type: f32 is four times as fast and accurate to about 1e-5 bits, f64 to 1e-12 bits",
            kind: Kind::Choice(&["f32", "f64"]),
            default: "f32",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let variance = parameters.number("noise_variance").expect("the noise variance has a default");
            let is_lower = parameters.text("bound") == Some("lower");
            let kde = if is_lower { Kde::lower(variance)? } else { Kde::upper(variance)? };
            let kde = if parameters.flag("relative") { kde.relative() } else { kde };
            let is_double = parameters.text("precision") == Some("f64");
            Ok(if is_double { kde.precision(Precision::Double) } else { kde })
        })
    },
    choose: |_, _| None,
};

/// A bound on the information of T plus Gaussian noise that is added in the analysis only.
///
/// I(X;T) is between the values of [`Kde::lower`] and [`Kde::upper`]; I(T;Y) is not a bound in either form.
///
/// ```
/// use infoplane::estimators::{Estimator, Kde, LayerData};
///
/// let layer = LayerData::new(&[0.9, 0.8, -0.7, -0.9], 1, &[1, 1, 0, 0])?;
/// let bounds = Kde::estimate_all(&[Kde::lower(0.01)?, Kde::upper(0.01)?], &layer);
/// let i_xt: Vec<_> = bounds.into_iter().flatten().filter_map(|estimate| estimate.i_xt).collect();
/// assert!(i_xt[0] < i_xt[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Kolchinsky & Tracey 2017 (Entropy 19, 361), eqs 10 and 11; Saxe et al. 2018.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kde {
    variance: f64,
    unit: VarianceUnit,
    bound: Bound,
    precision: Precision,
}

/// Unit of the noise variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VarianceUnit {
    /// Squared units of the activations.
    Absolute,
    /// The variance of the layer.
    LayerVariance,
}

/// The variances for which f64 is sufficient in every layer.
const ALLOWED_VARIANCES: RangeInclusive<f64> = 1e-100..=1e100;

impl Kde {
    /// The upper bound (from Kullback-Leibler divergences) with noise of this variance, in squared units of the
    /// activations, on every unit; in single precision.
    ///
    /// # Errors
    /// A variance outside 1e-100 to 1e100.
    pub fn upper(noise_variance: f64) -> Result<Self, InvalidParameter> {
        Self::new(noise_variance, Bound::Upper)
    }

    /// The lower bound (from Bhattacharyya distances) with noise of this variance, in squared units of the
    /// activations, on every unit; in single precision.
    ///
    /// # Errors
    /// A variance outside 1e-100 to 1e100.
    pub fn lower(noise_variance: f64) -> Result<Self, InvalidParameter> {
        Self::new(noise_variance, Bound::Lower)
    }

    fn new(variance: f64, bound: Bound) -> Result<Self, InvalidParameter> {
        if !ALLOWED_VARIANCES.contains(&variance) {
            return Err(InvalidParameter::OutOfRange {
                parameter: "noise_variance",
                allowed: format!("a number from {:e} to {:e}", ALLOWED_VARIANCES.start(), ALLOWED_VARIANCES.end()),
                got: variance,
            });
        }
        Ok(Self { variance, unit: VarianceUnit::Absolute, bound, precision: Precision::Single })
    }

    /// Measures the noise variance in units of the variance of the layer (mean over its units).
    #[must_use]
    pub fn relative(self) -> Self {
        Self { unit: VarianceUnit::LayerVariance, ..self }
    }

    /// Sets the precision: single is four times as fast and accurate to about 1e-5 bits, double to 1e-12 bits.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Noise and precision for a layer `t` whose squared distances are at most `largest_distance`.
    fn in_layer(&self, t: Representation<'_>, largest_distance: f64) -> Result<LayerNoise, EstimateError> {
        let unit = match self.unit {
            VarianceUnit::Absolute => 1.0,
            VarianceUnit::LayerVariance => mean_variance(t),
        };
        if unit == 0.0 {
            return Err(EstimateError::Constant);
        }
        let variance = self.variance * unit;
        let kernel = self.bound.kernel(variance);
        let precision = if f32_holds(kernel.exponent(), largest_distance) { self.precision } else { Precision::Double };
        Ok(LayerNoise { variance, kernel, precision })
    }
}

/// The noise of one estimator in one layer.
#[derive(Debug, Clone, Copy)]
struct LayerNoise {
    /// Noise variance in squared units of the activations.
    variance: f64,
    kernel: Kernel,
    /// Precision that is sufficient for this kernel and this layer.
    precision: Precision,
}

/// (high − low)² n_units: no squared distance exceeds it.
fn largest_distance(t: Representation<'_>) -> f64 {
    let range = Range::of(t.values());
    (f64::from(range.high) - f64::from(range.low)).powi(2) * t.n_units() as f64
}

/// Whether f32, from 1e−38 to 3e38, is enough for squared distances D and their products with the `exponent` a of a
/// kernel exp(−aD).
///
/// Nothing overflows: the terms of a matrix product of centred values have a sum of at most 4 times the largest D, that
/// is 4e30, and aD/ln 2 is at most 6e37. Underflow does no harm: the square of a difference below 1e−38 is rounded by
/// at most 1e−45, which changes aD by 1e−15 a unit.
///
/// f64, from 1e−308 to 1e308, is sufficient for all layers of f32 and all allowed variances: D is 0 or from 1e−90 to
/// 1e78 n_units, a from 1e−178, with noise of 1e100 times the largest variance, to 1e190 n_samples n_units, with 1e−100
/// times the smallest, where D/variance is at most some n_samples n_units.
fn f32_holds(exponent: f64, largest_distance: f64) -> bool {
    (1e-30..=1e30).contains(&exponent) && largest_distance <= 1e30 && exponent * largest_distance <= 1e37
}

/// The variance (population) of a unit, mean over the units.
fn mean_variance(t: Representation<'_>) -> f64 {
    let of_unit = |unit: usize| population_variance(&t.column(unit).map(f64::from).collect::<Vec<f64>>());
    (0..t.n_units()).filter_map(of_unit).sum::<f64>() / t.n_units() as f64
}

impl Estimator for Kde {
    fn member(&self) -> Member {
        let (form, side) = match self.bound {
            Bound::Upper => (Form::Upper, "upper"),
            Bound::Lower => (Form::Lower, "lower"),
        };
        let scale = Scale::new(ScaleKind::NoiseVariance, self.variance);
        let variance = Value::Number(self.variance);
        let (relative, unit) = match self.unit {
            VarianceUnit::Absolute => (None, ""),
            VarianceUnit::LayerVariance => (Some("relative"), " times that of the layer"),
        };
        let precision = (self.precision == Precision::Double).then_some("f64");
        let options: Vec<&str> = relative.into_iter().chain(precision).collect();
        let options = (!options.is_empty()).then(|| options.join("-"));
        Member {
            id: EstimatorId { form: Some(form), options, ..EstimatorId::new(SPEC.name, Some(scale)) },
            quantity: format!(
                "{side} bound on I(X;T+Z), with Gaussian noise Z of variance {variance}{unit} added in the analysis; I(T+Z;Y) is not a bound"
            ),
            randomness: Randomness::Noise,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some("`kde` adds noise in the analysis and cannot pool; use `binning` or `quantised`"),
            inputs: KnownInputs::Identity,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        Self::estimate_all(std::slice::from_ref(self), layer).remove(0)
    }

    fn estimate_all(estimators: &[Self], layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>> {
        let (t, samples) = (layer.activations, layer.samples.as_ref());
        let Some(classes) = &samples.classes else {
            return vec![Err(EstimateError::NeedsHardLabels { what: "H(T|Y)" }); estimators.len()];
        };
        let largest_distance = largest_distance(t);
        let noises: Vec<Result<LayerNoise, EstimateError>> =
            estimators.iter().map(|kde| kde.in_layer(t, largest_distance)).collect();
        let kernels_in = |precision: Precision| -> Vec<Kernel> {
            noises.iter().flatten().filter(|noise| noise.precision == precision).map(|noise| noise.kernel).collect()
        };
        let in_f32 = information(t.values(), t.n_units(), &kernels_in(Precision::Single), samples, classes);
        let in_f64 = match kernels_in(Precision::Double) {
            none if none.is_empty() => Vec::new(),
            kernels => {
                let values: Vec<f64> = t.values().iter().copied().map(f64::from).collect();
                information(&values, t.n_units(), &kernels, samples, classes)
            }
        };

        let n_codes = Cells::of_rows(t.values(), t.n_units()).n_cells();
        let (mut in_f32, mut in_f64) = (in_f32.into_iter(), in_f64.into_iter());
        let estimate = |noise: Result<LayerNoise, EstimateError>| {
            let noise = noise?;
            let information = match noise.precision {
                Precision::Single => in_f32.next(),
                Precision::Double => in_f64.next(),
            };
            let BoundInformation { i_xt, i_ty } = information.expect("every kernel has its information");
            let h_t_given_x = h_t_given_x(t.n_units(), noise.variance);
            Estimate {
                i_xt: Some(i_xt),
                i_ty: i_ty[0],
                i_xt_error: None,
                i_ty_error: None,
                // One kind of bound for both entropies, that of T + Z and that of T + Z given Y.
                h_t: Some(i_xt + h_t_given_x),
                h_t_given_x: Some(h_t_given_x),
                // The mixture has one component per row, whatever the input of the row.
                i_xt_null: Spread::unmoved(samples.n_shuffles(), i_xt),
                i_ty_null: Spread::of(&i_ty[1..]),
                i_xt_ceiling: Some(samples.h_x),
                i_ty_ceiling: samples.i_ty_ceiling,
                n_codes,
                code: None,
            }
            .finite()
        };
        noises.into_iter().map(estimate).collect()
    }
}

/// The results of one kernel for a layer.
struct BoundInformation {
    i_xt: Nats,
    /// For the labels, then for every shuffle of them.
    i_ty: Vec<Nats>,
}

/// The results of each of `kernels` for `values`, n_samples × n_units.
///
/// The number of kernel sums is kernels × labellings × samples, so both are processed in blocks. Each sum is computed
/// independently of the others, so the sizes of the blocks change no bit of an estimate.
fn information<T: Real>(
    values: &[T],
    n_units: usize,
    kernels: &[Kernel],
    samples: &InputsAndLabels,
    classes: &Cells,
) -> Vec<BoundInformation> {
    let n_samples = samples.n_samples();
    let of_block = |kernels: &[Kernel]| -> Vec<BoundInformation> {
        let mut labellings = labellings(samples, classes);
        let mut i_xts = Vec::new();
        let mut i_tys: Vec<Vec<Nats>> = vec![Vec::new(); kernels.len()];
        loop {
            let block: Vec<Cow<'_, Cells>> =
                labellings.by_ref().take(labellings_at_once(kernels.len(), n_samples)).collect();
            let block: Vec<&[u32]> = block.iter().map(|classes| classes.numbers()).collect();
            if block.is_empty() {
                return i_xts.into_iter().zip(i_tys).map(|(i_xt, i_ty)| BoundInformation { i_xt, i_ty }).collect();
            }
            let sums = kernel_sums(values, n_units, kernels, &block);
            i_xts = sums.iter().map(|sums| i_xt(&sums.all)).collect();
            for (i_tys, sums) in i_tys.iter_mut().zip(&sums) {
                let by_labelling = sums.same_class.iter().zip(&block);
                i_tys.extend(by_labelling.map(|(same_class, classes)| i_ty(&sums.all, same_class, classes)));
            }
        }
    };
    kernels.chunks(kernels_at_once(n_samples)).flat_map(of_block).collect()
}

/// Maximum number of values in memory while kernels are summed, without the layer itself: 256 MB.
const NUMBERS_AT_ONCE: usize = 1 << 25;

/// Values for one kernel and labelling: a sum for each sample, once while it is accumulated and once as result, and the
/// buffers of some tiles. All samples count as one more labelling, and the classes as one more kernel.
fn numbers_of_one(n_samples: usize) -> usize {
    2 * (n_samples + 3 * TILE)
}

fn kernels_at_once(n_samples: usize) -> usize {
    (NUMBERS_AT_ONCE / (2 * numbers_of_one(n_samples))).saturating_sub(1).max(1)
}

fn labellings_at_once(n_kernels: usize, n_samples: usize) -> usize {
    (NUMBERS_AT_ONCE / ((n_kernels + 1) * numbers_of_one(n_samples))).saturating_sub(1).max(1)
}

/// The class of every row, then those of every shuffle.
fn labellings<'a>(samples: &'a InputsAndLabels, classes: &'a Cells) -> impl Iterator<Item = Cow<'a, Cells>> {
    std::iter::once(Cow::Borrowed(classes)).chain(samples.shuffled_classes().map(Cow::Owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Parameters;

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

    fn given(t: &[f32], n_units: usize, n_shuffles: usize) -> InputsAndLabels {
        let y: Vec<i32> = t.chunks(n_units).map(|row| i32::from(row[0] > row[1])).collect();
        InputsAndLabels::of_distinct(&y, n_shuffles).unwrap()
    }

    fn estimates(parameters: &[Parameters], t: &[f32], n_units: usize, n_shuffles: usize) -> Vec<Estimate> {
        let given = given(t, n_units, n_shuffles);
        let sample = LayerData::of_samples(Representation::new(t, n_units).unwrap(), &given).unwrap();
        (SPEC.build)(parameters).unwrap().estimate(&sample).into_iter().map(Result::unwrap).collect()
    }

    /// All values, to the bit.
    fn bits(estimate: &Estimate) -> Vec<u64> {
        let nulls = [estimate.i_xt_null, estimate.i_ty_null].into_iter().flatten();
        let nulls = nulls.flat_map(|null| [Some(null.mean), null.std]).flatten();
        let values =
            [estimate.i_xt, Some(estimate.i_ty), estimate.h_t, estimate.h_t_given_x].into_iter().flatten().chain(nulls);
        values.map(|nats| nats.0.to_bits()).collect()
    }

    #[test]
    fn a_member_has_the_same_bits_whatever_else_is_asked_for() {
        // Variances at distances of 2, 4, 8 and 3, within octaves that share an exponential and across octaves.
        let variances = ("noise_variance", "0.001,0.002,0.003,0.004,0.008,0.01,0.04,0.1,0.2,0.4,0.8");
        let precisions = ("precision", "f32,f64");
        let sets = [parameters(&[variances, precisions]), parameters(&[variances, precisions, ("relative", "yes")])];
        for n_units in [3, 100] {
            let t = values(n_units);
            for set in &sets {
                let together = estimates(set, &t, n_units, 2);
                assert_eq!(together.len(), 44);
                for (single, from_all) in set.iter().zip(together) {
                    let alone = &estimates(std::slice::from_ref(single), &t, n_units, 2)[0];
                    assert_eq!(bits(alone), bits(&from_all), "{n_units} units, {}", single.slug());
                }
            }
        }
    }

    /// Sizes of activations from denormal numbers to the largest number.
    const SCALES: [f32; 7] = [1e-40, 1e-25, 1e-10, 1.0, 1e10, 1e25, 3e38];

    #[test]
    fn information_with_relative_noise_is_the_same_for_activations_of_every_size() {
        let set = parameters(&[("noise_variance", "0.1,10"), ("relative", "yes"), ("precision", "f32,f64")]);
        for n_units in [3, 100] {
            let t = values(n_units);
            let expected = estimates(&set, &t, n_units, 1);
            assert!(
                expected.iter().all(|estimate| (0.01..5.5).contains(&estimate.i_xt.unwrap().0)),
                "no case is saturated"
            );
            for scale in SCALES {
                let scaled: Vec<f32> = t.iter().map(|value| scale * value).collect();
                // Values have a relative rounding error of 6e−8, aD of twice as much, and aD < 30 where it matters.
                // Denormal numbers of 1e−40 are multiples of 1.4e−45: their relative rounding error is 7e−6, mostly
                // with random sign.
                let tolerance = if scale == 1e-40 { 1e-4 } else { 1e-5 };
                for ((single, got), expected) in set.iter().zip(estimates(&set, &scaled, n_units, 1)).zip(&expected) {
                    let off = [got.i_xt.unwrap().0 - expected.i_xt.unwrap().0, got.i_ty.0 - expected.i_ty.0];
                    let slug = single.slug();
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
                    for (single, got) in set.iter().zip(estimates(&set, &scaled, n_units, 1)) {
                        // Logarithms of N and their mean are rounded a few times.
                        let i_xt = got.i_xt.unwrap().0;
                        let allowed = -1e-13..(N as f64).ln() + 1e-13;
                        assert!(allowed.contains(&i_xt), "{n_units} units of {scale}, {}: {i_xt}", single.slug());
                    }
                }
            }
        }
    }

    #[test]
    fn variances_beyond_the_range_of_the_arithmetic_are_refused() {
        for refused in ["1e-101", "1e101"] {
            assert_eq!(
                (SPEC.build)(&parameters(&[("noise_variance", refused)])).unwrap_err().to_string(),
                format!("parameter `noise_variance`: must be a number from 1e-100 to 1e100, got {refused}")
            );
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_an_error() {
        let estimate = estimates(&parameters(&[]), &values(3), 3, 1).remove(0);
        assert!(Estimate::finite(estimate.clone()).is_ok());
        let error = Estimate::finite(Estimate { i_ty: Nats(f64::NAN), ..estimate }).unwrap_err();
        assert_eq!(error, EstimateError::NotFinite { what: "estimate of I(T;Y)" });
    }

    #[test]
    fn many_shuffles_are_taken_in_blocks_and_have_the_bits_of_each_alone() {
        let t = values(3);
        let (given, kernel) = (given(&t, 3, 10_000), Bound::Upper.kernel(0.1));
        let classes = given.classes.as_ref().unwrap();
        let last_of_first = labellings_at_once(1, N);
        assert!(last_of_first < 10_000);
        let found = &information(&t, 3, &[kernel], &given, classes)[0];
        assert_eq!(found.i_ty.len(), 10_001);
        for at in [0, 1, last_of_first - 1, last_of_first, 10_000] {
            let labels = labellings(&given, classes).nth(at).unwrap();
            let alone = &kernel_sums(&t, 3, &[kernel], &[labels.numbers()])[0];
            assert_eq!(found.i_xt, i_xt(&alone.all));
            assert_eq!(found.i_ty[at], i_ty(&alone.all, &alone.same_class[0], labels.numbers()));
        }
    }

    #[test]
    fn sums_stay_within_their_memory_whatever_is_asked_for() {
        for n_samples in [2, 300, 60_000, 1_000_000] {
            for n_kernels in [1, 6, 1000, 1_000_000] {
                let n_kernels = n_kernels.min(kernels_at_once(n_samples));
                let n_sums = (n_kernels + 1) * (labellings_at_once(n_kernels, n_samples) + 1);
                assert!(n_sums * numbers_of_one(n_samples) <= NUMBERS_AT_ONCE);
            }
        }
    }
}
