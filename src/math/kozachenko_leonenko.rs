//! Differential entropy from the distances to nearest neighbours: small distances mean a high density.
//!
//! # Reference
//! Kozachenko & Leonenko 1987 (k = 1); any k as in Kraskov, Stögbauer & Grassberger 2004, eq. 20. With k = 2 and
//! ε = 1e−16: Saxe et al. 2018, Fig. 12.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use statrs::function::gamma::{digamma, ln_gamma};

use crate::units::Nats;

/// h(T) = (d/N) Σ_i ln (r_i + ε) + (d/2) ln π − ln Γ(d/2 + 1) + ψ(N) − ψ(k).
///
/// `distances` are r_i, the Euclidean distances of N > k samples of d = `n_units` units from their k-th nearest neighbours,
/// see [`kth_distances`](crate::math::neighbours::kth_distances); ε = `epsilon` ≥ 0 is added to each. The second and the
/// third term are the logarithm of the volume of the unit ball. Any number; −∞ if an r_i + ε is 0.
pub fn h_t(distances: &[f64], n_units: usize, k: usize, epsilon: f64) -> Nats {
    let (n, d) = (distances.len() as f64, n_units as f64);
    let sum: f64 = distances.iter().map(|r| (r + epsilon).ln()).sum();
    Nats(d / n * sum + 0.5 * d * PI.ln() - ln_gamma(0.5 * d + 1.0) + digamma(n) - digamma(k as f64))
}

/// I(T;Y) = h(T) − Σ_y p(y) h(T|Y=y); every class has its own neighbours and number of samples.
///
/// `distances` are the distances r_i over all N samples, `same_class` those from neighbours in the class of i,
/// `classes` the N class numbers; every class has more than k samples. See [`h_t`] for the other arguments. May be
/// negative; NaN if an r_i + ε is 0.
pub fn i_ty(distances: &[f64], same_class: &[f64], classes: &[u32], n_units: usize, k: usize, epsilon: f64) -> Nats {
    let mut by_class: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (class, r) in classes.iter().zip(same_class) {
        by_class.entry(*class).or_default().push(*r);
    }
    let mut h_t_given_y = 0.0;
    for inside in by_class.values() {
        let p_y = inside.len() as f64 / classes.len() as f64;
        h_t_given_y += p_y * h_t(inside, n_units, k, epsilon).0;
    }
    Nats(h_t(distances, n_units, k, epsilon).0 - h_t_given_y)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::math::neighbours::kth_distances;

    fn entropy(values: &[f64], n_units: usize, k: usize, epsilon: f64) -> f64 {
        h_t(&kth_distances(values, n_units, k, &[]).all, n_units, k, epsilon).0
    }

    #[track_caller]
    fn close(got: f64, expected: f64, tolerance: f64) {
        assert!((got - expected).abs() <= tolerance, "{got} is not {expected} to {tolerance}");
    }

    /// 2000 normal numbers without a generator of this program: SplitMix64 of seed 42, u = (z >> 11) 2⁻⁵³, pairs by the
    /// Box-Muller transform with r = √(−2 ln(1 − u)).
    fn normals() -> Vec<f64> {
        let mut state = 42_u64;
        let mut uniform = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        let pair = |_| {
            let (r, angle) = ((-2.0 * (1.0 - uniform()).ln()).sqrt(), 2.0 * PI * uniform());
            [r * angle.cos(), r * angle.sin()]
        };
        (0..1000).flat_map(pair).collect()
    }

    #[test]
    fn special_functions_have_their_known_values() {
        // ψ(1) = −γ, ψ(2) = 1 − γ; Γ(7/2) = 15 √π/8, Γ(6) = 120.
        const EULER: f64 = 0.577_215_664_901_532_9;
        close(digamma(1.0), -EULER, 1e-14);
        close(digamma(2.0), 1.0 - EULER, 1e-14);
        close(ln_gamma(3.5), (15.0 * PI.sqrt() / 8.0).ln(), 1e-14);
        close(ln_gamma(6.0), 120_f64.ln(), 1e-14);
    }

    /// Computed with SciPy's k-d tree and special functions; the one-dimensional value also by another program,
    /// 1.404482728405.
    #[test]
    fn entropies_are_those_of_scipy() {
        let z = normals();
        let x: Vec<f64> = z.iter().step_by(2).copied().collect();
        close(entropy(&x, 1, 3, 0.0), 1.404_482_728_405, 1e-12);
        for (n_units, expected) in [
            (2, [2.732_435_534_125_681, 2.796_080_138_332_486, 2.831_083_588_302_547_6]),
            (5, [6.914_289_779_883_536_5, 7.063_403_859_862_48, 7.041_424_889_542_04]),
        ] {
            for (k, expected) in (1..).zip(expected) {
                close(entropy(&z, n_units, k, 0.0), expected, 1e-12);
            }
        }
        let classes: Vec<u32> = z.chunks_exact(2).map(|t| u32::from(t[0] + t[1] > 0.5)).collect();
        for (k, expected) in (1..).zip([0.646_502_209_451_162_1, 0.636_948_232_040_712_3, 0.634_507_485_741_000_8]) {
            let r = kth_distances(&z, 2, k, &[&classes]);
            close(i_ty(&r.all, &r.same_class[0], &classes, 2, k, 0.0).0, expected, 1e-12);
        }
    }

    #[test]
    fn epsilon_is_added_to_every_distance_and_decides_where_samples_repeat() {
        // 0, 1, 3, 3, 3, 8: second neighbours at 3, 2, 0, 0, 0, 5. Unit ball in one dimension: 2. ψ(6) − ψ(2) = ½ + ⅓ + ¼ + ⅕.
        let t = [0.0, 1.0, 3.0, 3.0, 3.0, 8.0];
        let harmonic = 1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0 + 1.0 / 5.0;
        let expected = |epsilon: f64| (30_f64.ln() + 3.0 * epsilon.ln()) / 6.0 + 2_f64.ln() + harmonic;
        close(entropy(&t, 1, 2, 1e-16), expected(1e-16), 1e-14);
        // Values from SciPy.
        close(entropy(&t, 1, 2, 1e-16), -15.877_333_999_782_06, 1e-12);
        // Another ε gives another value: three of six samples, half of ln 1e100.
        close(entropy(&t, 1, 2, 1e-16) - entropy(&t, 1, 2, 1e-116), 50.0 * 10_f64.ln(), 1e-12);
        assert_eq!(entropy(&t, 1, 2, 0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn gaussian_and_even_samples_have_the_entropy_of_the_books() {
        // −ln p(t) of a Gaussian has variance d/2, of an even density 0, and the logarithm of a ball's content ψ′(2) = 0.645.
        // Five standard deviations of a mean of 4000, and room for a bias: of the Gaussian's curvature in five dimensions
        // 0.06, found with SciPy on 60 other samples; at the edge of the square, where balls are half empty, less than ln 2 for
        // the share 4 r = 0.05 of the samples that are within r = √(2/4000π) of it.
        let n = 4000;
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let five_sigma = |variance: f64| 5.0 * ((variance + 0.645) / n as f64).sqrt();
        for (d, bias) in [(1, 0.0), (2, 0.0), (5, 0.06)] {
            let t: Vec<f64> = (0..n * d).map(|_| StandardNormal.sample(&mut rng)).collect();
            let exact = 0.5 * d as f64 * (1.0 + (2.0 * PI).ln());
            close(entropy(&t, d, 2, 0.0), exact, five_sigma(0.5 * d as f64) + bias);
        }
        for (d, bias) in [(1, 0.0), (2, 0.05 * 2_f64.ln())] {
            let t: Vec<f64> = (0..n * d).map(|_| rng.random_range(0.0..3.0)).collect();
            close(entropy(&t, d, 2, 0.0), d as f64 * 3_f64.ln(), five_sigma(0.0) + bias);
        }
    }

    proptest! {
        #[test]
        fn scaling_adds_its_logarithm_and_moving_and_turning_add_nothing(
            t in proptest::collection::vec(-1.0..1.0_f64, 90),
            scale in 0.01..100.0_f64,
            shift in -1.0..1.0_f64,
            angle in 0.0..6.3_f64,
        ) {
            let h = entropy(&t, 3, 2, 0.0);
            let is_h = |t: Vec<f64>, added: f64| (entropy(&t, 3, 2, 0.0) - h - added).abs() < 1e-9;
            prop_assert!(is_h(t.iter().map(|t| scale * t).collect(), 3.0 * scale.ln()));
            // Distances of 1e−3 and more among 30 samples keep twelve digits.
            prop_assert!(is_h(t.iter().map(|t| t + shift).collect(), 0.0));
            let (sin, cos) = angle.sin_cos();
            let turned = |t: &[f64]| [cos * t[0] - sin * t[1], sin * t[0] + cos * t[1], t[2]];
            prop_assert!(is_h(t.chunks_exact(3).flat_map(turned).collect(), 0.0));
            // By a power of two, to the last bit but those of the logarithms.
            prop_assert!((entropy(&t.iter().map(|t| 8.0 * t).collect::<Vec<_>>(), 3, 2, 0.0) - h - 3.0 * 8_f64.ln()).abs() < 1e-13);
        }
    }
}
