//! Information of noisy representations T = t(X) + Z, Z ~ N(0, vI), by the bounds of Kolchinsky & Tracey.
//!
//! The density of T is a mixture of Gaussians, one around each sample. Its entropy has no closed form but is between
//! two expressions in the distances D_ij = ‖t_i − t_j‖² of the centres, which differ only in the exponent a of a kernel
//! exp(−aD): [`Bound`]. The noise is never drawn.
//!
//! # Reference
//! Kolchinsky & Tracey 2017 (Entropy 19, 361); used for networks by Saxe et al. 2018, eqs 8–12, whose released code
//! (`entropy_estimator_kl`, `entropy_estimator_bd`) these numbers reproduce.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use crate::math::powers::Kernel;
use crate::units::Nats;

/// Which bound on the entropy of a mixture an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// From the Kullback–Leibler divergences of the components, D/2v.
    Upper,
    /// From their Bhattacharyya distances, D/8v.
    Lower,
}

impl Bound {
    /// The kernel exp(−aD) for `noise_variance` v, a normal number above 0: a = 1/2v or 1/8v.
    ///
    /// With v = m 2^e, 1 ≤ m < 2, the exponents of three octaves e = 3j, 3j + 1, 3j + 2 are powers of two times that of
    /// the lower bound at the largest of their variances, 1/(8 m 2^(3j+2)). So both bounds always share an exponential,
    /// and variances that differ by a factor of 2 or 4 often do; this depends only on v, not on other requested
    /// kernels.
    pub fn kernel(self, noise_variance: f64) -> Kernel {
        let e = (noise_variance.to_bits() >> (f64::MANTISSA_DIGITS - 1)) as i32 - (f64::MAX_EXP - 1);
        let octaves_below = 2 - e.rem_euclid(3) as u32;
        let base = 1.0 / (8.0 * noise_variance * f64::from(1_u32 << octaves_below));
        match self {
            Self::Upper => Kernel { base, squarings: octaves_below + 2 },
            Self::Lower => Kernel { base, squarings: octaves_below },
        }
    }
}

/// I(X;T) = −(1/N) Σ_i ln (S_i/N), a bound on the information of X = one of N equally likely samples.
///
/// `kernel_sums` are S_i = Σ_j exp(−a D_ij) for each of N ≥ 1 samples, see
/// [`kernel_sums`](crate::math::kernels::kernel_sums). Between 0 and ln N.
pub fn i_xt(kernel_sums: &[f64]) -> Nats {
    let n = kernel_sums.len() as f64;
    Nats(-kernel_sums.iter().map(|sum| (sum / n).ln()).sum::<f64>() / n)
}

/// I(T;Y) = H(T) − Σ_l p_l H(T|Y=l) with one kind of bound for all entropies, which makes it an estimate, not a bound.
///
/// The entropies of the noise cancel; what remains is (1/N) Σ_i ln [(S_i^same/N_i)/(S_i/N)]. `sums` are the sums S_i
/// over all N ≥ 1 samples, `same_class` the sums S_i^same over those N_i that have the class of i, `classes` the N
/// class numbers.
pub fn i_ty(sums: &[f64], same_class: &[f64], classes: &[u32]) -> Nats {
    let mut class_sizes: BTreeMap<u32, u32> = BTreeMap::new();
    for class in classes {
        *class_sizes.entry(*class).or_default() += 1;
    }
    let n = sums.len() as f64;
    let log_density = |same: f64, class: &u32| (same / f64::from(class_sizes[class])).ln();
    let h_t_given_y = -same_class.iter().zip(classes).map(|(same, class)| log_density(*same, class)).sum::<f64>() / n;
    Nats(i_xt(sums).0 - h_t_given_y)
}

/// H(T|X) = (d/2)(1 + ln 2πv), the differential entropy of the noise alone. With it, H(T) = I(X;T) + H(T|X).
pub fn h_t_given_x(n_units: usize, noise_variance: f64) -> Nats {
    Nats(0.5 * n_units as f64 * (1.0 + (2.0 * PI * noise_variance).ln()))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::datasets::DATASETS;
    use crate::math::kernels::kernel_sums;
    use crate::math::real::Real;
    use crate::parameter::Parameters;

    /// I(X;T) and I(T;Y) of both bounds, upper first.
    struct Bounds {
        i_xt: [Nats; 2],
        i_ty: [Nats; 2],
    }

    fn bounds<T: Real>(values: &[f64], n_units: usize, classes: &[u32], noise_variance: f64) -> Bounds {
        let values: Vec<T> = values.iter().map(|v| T::from_f64(*v)).collect();
        let kernels = [Bound::Upper, Bound::Lower].map(|bound| bound.kernel(noise_variance));
        let sums = kernel_sums(&values, n_units, &kernels, &[classes]);
        Bounds {
            i_xt: [0, 1].map(|bound| i_xt(&sums[bound].all)),
            i_ty: [0, 1].map(|bound| i_ty(&sums[bound].all, &sums[bound].same_class[0], classes)),
        }
    }

    #[test]
    fn exponents_are_those_of_the_bounds_and_octaves_share_exponentials() {
        for v in [1e-190, 1e-100, 1e-3, 0.1, 0.5, 1.0, 2.0, 3.7, 1e40, 1e177] {
            let (upper, lower) = (Bound::Upper.kernel(v), Bound::Lower.kernel(v));
            // One rounding of the quotient; everything else is a power of two.
            close(upper.exponent() * 2.0 * v, 1.0, 2.0 * f64::EPSILON);
            close(lower.exponent() * 8.0 * v, 1.0, 2.0 * f64::EPSILON);
            assert_eq!(upper.base, lower.base);
            assert!(lower.squarings <= 2 && upper.squarings == lower.squarings + 2);
        }
        let squarings = |e: i32| Bound::Lower.kernel(1.3 * f64::from(e).exp2()).squarings;
        assert_eq!([-4, -3, -2, -1, 0, 1, 2, 3].map(squarings), [0, 2, 1, 0, 2, 1, 0, 2]);
        assert_eq!(Bound::Upper.kernel(5.2), Kernel { squarings: 2, ..Bound::Upper.kernel(1.3) });
        assert_eq!(Bound::Upper.kernel(1.3 * 4.0).base, Bound::Lower.kernel(1.3).base);
    }

    fn pattern(i: usize) -> [f64; 12] {
        std::array::from_fn(|bit| f64::from((i >> (11 - bit)) as u8 & 1))
    }

    /// W[j][k] of the golden activations on Saxe et al. 2018, and T = tanh(gain (xW + b)).
    fn set_a_or_b(gain: f64) -> Vec<f64> {
        let mut values = Vec::new();
        for i in 0..4096 {
            for k in 0..10 {
                let sum: f64 =
                    pattern(i).iter().enumerate().map(|(j, x)| x * f64::from(1 + 7 * j as u32 + 3 * k).sin()).sum();
                values.push((gain * (sum + 0.25 * f64::from(1 + k).cos())).tanh());
            }
        }
        values
    }

    fn y_a() -> Vec<u32> {
        (0..4096_u32).map(|i| u32::from(i.count_ones() >= 7)).collect()
    }

    /// The labels of `var_u.mat`.
    fn y_u() -> Vec<u32> {
        let tishby = DATASETS.iter().find(|spec| spec.name == "tishby").unwrap();
        tishby.make(&Parameters::default(), &mut |_| unreachable!()).unwrap().y.iter().map(|y| *y as u32).collect()
    }

    #[track_caller]
    fn close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "{got} is not {want} to {tolerance}");
    }

    /// `expected`: I(X;T) upper, lower, I(T;Y) upper, lower, in bits, from NumPy in f64.
    #[track_caller]
    fn check_set_a(classes: &[u32], noise_variance: f64, expected: [f64; 4]) {
        let values = set_a_or_b(0.5);
        let check = |got: Bounds, tolerance| {
            let got = [got.i_xt[0], got.i_xt[1], got.i_ty[0], got.i_ty[1]];
            got.iter().zip(expected).for_each(|(got, want)| close(got.bits(), want, tolerance));
        };
        // All digits given.
        check(bounds::<f64>(&values, 10, classes, noise_variance), 5.1e-11);
        // What NumPy in f32 with a Gram matrix achieves.
        check(bounds::<f32>(&values, 10, classes, noise_variance), 5e-6);
    }

    #[test]
    fn the_reference_values_of_set_a_are_reproduced() {
        let value = set_a_or_b(0.5);
        close(value[0], 0.067_435_287_352_486_43, 1e-16);
        close(value.iter().sum(), -57.585_495_789_604, 1e-11);
        close(value.iter().map(|v| v * v).sum(), 14_362.671_097_833_972, 1e-10);

        check_set_a(&y_a(), 1e-3, [9.920_252_380_9, 8.191_335_364_6, 0.322_348_944_1, 0.129_660_481_2]);
        check_set_a(&y_a(), 0.1, [3.846_008_103_6, 2.234_427_366_0, 0.041_276_239_5, 0.035_371_649_7]);
        check_set_a(&y_u(), 1e-3, [9.920_252_380_9, 8.191_335_364_6, 0.347_671_621_5, 0.133_542_324_2]);
        check_set_a(&y_u(), 0.1, [3.846_008_103_6, 2.234_427_366_0, 0.036_563_395_5, 0.030_288_305_0]);
    }

    #[test]
    fn entropies_of_set_a_are_reproduced() {
        let got = bounds::<f64>(&set_a_or_b(0.5), 10, &y_a(), 1e-3);
        let h_t_given_x = h_t_given_x(10, 1e-3).0;
        close(h_t_given_x, -20.349_391_062_9, 5.1e-11);
        close(got.i_xt[0].0 + h_t_given_x, -13.473_196_094_6, 5.1e-11);
        close(got.i_xt[1].0 + h_t_given_x, -14.671_590_049_9, 5.1e-11);
        // H(T|Y) = H(T) − I(T;Y).
        close(got.i_xt[0].0 + h_t_given_x - got.i_ty[0].0, -13.696_631_356_3, 1.1e-10);
        close(got.i_xt[1].0 + h_t_given_x - got.i_ty[1].0, -14.761_463_846_8, 1.1e-10);
    }

    #[test]
    fn saturated_units_in_f32_stay_close_to_f64() {
        let values = set_a_or_b(4.0);
        let (single, double) = (bounds::<f32>(&values, 10, &y_u(), 1e-3), bounds::<f64>(&values, 10, &y_u(), 1e-3));
        for bound in [0, 1] {
            // A rounded activation is off by 6e-8 of 1, D by at most 2·√10·6e-8·√D; that is e⁻¹ᐟ²·√(a)·4e-7 = 6e-6 of a
            // kernel for a = 500 at worst, and the errors of many pairs average.
            close(single.i_xt[bound].bits(), double.i_xt[bound].bits(), 5e-6);
            close(single.i_ty[bound].bits(), double.i_ty[bound].bits(), 5e-6);
        }
    }

    /// Layer H2 of the golden network G1: 12-10-3 tanh with sin(1 + 12.9898 r + 78.233 c) as
    /// weights.
    fn layer_h2_of_g1() -> Vec<f64> {
        let weight = |r: usize, c: usize| (1.0 + 12.9898 * r as f64 + 78.233 * c as f64).sin();
        let bias = |c: usize| 0.1 * (c as f64).cos();
        let layer = |input: &[f64], width: usize, scale: f64| -> Vec<f64> {
            let unit = |c| input.iter().enumerate().map(|(r, x)| x * scale * weight(r, c)).sum::<f64>() + bias(c);
            (0..width).map(|c| unit(c).tanh()).collect()
        };
        (0..4096).flat_map(|i| layer(&layer(&pattern(i), 10, 1.0), 3, 1.5)).collect()
    }

    #[test]
    fn the_reference_values_of_g1_are_reproduced() {
        let (values, classes) = (layer_h2_of_g1(), y_g1());
        let cases = [
            (0.1, [1.287_723_278_829, 0.576_504_981_178, 0.020_390_370_853]),
            (0.01, [3.209_368_329_604, 1.919_892_565_966, 0.095_408_752_269]),
            (0.001, [5.870_396_622_230, 4.206_438_124_924, 0.159_186_266_825]),
        ];
        for (noise_variance, expected) in cases {
            let check = |got: Bounds, tolerance: f64| {
                let got = [got.i_xt[0], got.i_xt[1], got.i_ty[0]];
                got.iter().zip(expected).for_each(|(got, want)| close(got.bits(), want, tolerance));
            };
            check(bounds::<f64>(&values, 3, &classes, noise_variance), 1e-12);
            check(bounds::<f32>(&values, 3, &classes, noise_variance), 5e-6);
        }
    }

    /// y = [x₀ + … + x₅ + 2(x₆ + x₇) > 4].
    fn y_g1() -> Vec<u32> {
        let sum = |x: [f64; 12]| x[..6].iter().sum::<f64>() + 2.0 * (x[6] + x[7]);
        (0..4096).map(|i| u32::from(sum(pattern(i)) > 4.0)).collect()
    }

    #[track_caller]
    fn check_points(points: &[f64], noise_variance: f64, upper: f64, lower: f64) {
        let classes = vec![7; points.len()];
        let got = bounds::<f64>(points, 1, &classes, noise_variance);
        close(got.i_xt[0].bits(), upper, 1e-10);
        close(got.i_xt[1].bits(), lower, 1e-10);
        // One class is no information.
        close(got.i_ty[0].0, 0.0, 1e-15);
    }

    #[test]
    fn two_points_and_far_clusters_have_known_information() {
        check_points(&[0.0, 0.1], 1e-3, 0.990_311_800_0, 0.636_543_163_7);
        check_points(&[0.0, 0.1], 0.1, 0.035_616_580_8, 0.008_988_666_6);
        check_points(&[0.25; 300], 0.1, 0.0, 0.0);
        let far: Vec<f64> = (0..300).map(|i| 1000.0 * f64::from(i)).collect();
        check_points(&far, 0.1, 300_f64.log2(), 300_f64.log2());
        check_points(&[0.0, 0.0, 0.0, 0.0, 1e3, 1e3, -1e3, -1e3], 0.1, 1.5, 1.5);
    }

    #[test]
    fn labels_of_far_clusters_are_fully_known() {
        let values: Vec<f64> = (0..600).map(|i| 100.0 * f64::from(i % 3)).collect();
        let classes: Vec<u32> = (0..600).map(|i| 10 * (i % 3)).collect();
        let got = bounds::<f32>(&values, 1, &classes, 0.1);
        // 600 additions to sums of at most 600 · 1.1, each rounded by 1.1e−16 of the sum, divided by 600.
        close(got.i_ty[0].0, 3_f64.ln(), 1e-13);
        close(got.i_ty[1].0, 3_f64.ln(), 1e-13);
    }

    fn check_offset<T: Real>(n_units: usize, offset: f64, noise_variance: f64, tolerance: f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let values: Vec<T> = (0..2048 * n_units)
            .map(|_| T::from_f64(offset + Distribution::<f64>::sample(&StandardNormal, &mut rng)))
            .collect();
        for bound in [Bound::Upper, Bound::Lower] {
            let got = i_xt(&kernel_sums(&values, n_units, &[bound.kernel(noise_variance)], &[])[0].all).0;
            // Samples 64 units apart in all directions: nothing overlaps, the information is ln N.
            close(got, 2048_f64.ln(), tolerance);
        }
    }

    #[test]
    fn an_offset_of_all_values_does_not_push_information_beyond_ln_n() {
        // 2048 logarithms of exactly 1/N, added with roundings of 1e−16 of a sum of 2048 · 7.6: 2e−13 of the mean at
        // worst. The nearest neighbours in 64 units have D ≈ 50, exp(−50/8v) < 1e−200 for v = 0.01, exp(−50/0.8) =
        // 7e−28 for 0.1.
        for n_units in [40, 64, 300] {
            for (offset, noise_variance) in [(0.0, 0.1), (0.0, 0.001), (10.0, 0.001), (100.0, 0.01)] {
                check_offset::<f32>(n_units, offset, noise_variance, 1e-12);
                check_offset::<f64>(n_units, offset, noise_variance, 1e-12);
            }
        }
    }
}
