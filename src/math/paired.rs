//! Tests whether differences between pairs have a preferred sign: exact, without an assumption about their
//! distribution.
//!
//! Both tests compute the probability that random signs give a sum of scores at least as far from the centre as the
//! observed one. The smallest p of n differences is therefore 2¹⁻ⁿ: five pairs cannot have less than 0.0625.

/// Two-sided p of the sign test, P(|S| ≥ |s|), with S the sum of n fair signs and s the sum of the signs of
/// `differences`.
///
/// `differences` are finite, in any unit; zeros are left out. In 0..=1, exact to 2 n rounding errors (below 10⁻³⁰⁸ it
/// becomes 0); `None` if no difference remains. O(n²) time.
///
/// # Reference
/// Dixon & Mood 1946, "The statistical sign test".
pub fn sign_test(differences: &[f64]) -> Option<f64> {
    let sign = |d: &f64| if *d > 0.0 { 1 } else { -1 };
    let signs: Vec<i64> = differences.iter().filter(|d| **d != 0.0).map(sign).collect();
    two_sided(&signs)
}

/// Two-sided p of the signed-rank test, P(|S| ≥ |s|), with S = Σ_i ±r_i for fair signs, s = Σ_i sign(d_i) r_i, and r_i
/// the rank of |d_i|.
///
/// `differences` are finite, in any unit; zeros are left out, and differences of equal size have the mean of their
/// ranks, for which the distribution of S is exact. In 0..=1, exact to n² rounding errors (below 10⁻³⁰⁸ it becomes 0);
/// `None` if no difference remains. There is no approximation for large n: O(n³) time and memory for n² numbers, for n
/// = 1000 a third of a second and 8 MB.
///
/// # Reference
/// Wilcoxon 1945, "Individual comparisons by ranking methods"; Pratt & Gibbons 1981, ch. 3, on ties.
pub fn wilcoxon(differences: &[f64]) -> Option<f64> {
    let mut left: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    left.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let mut signed_ranks = Vec::with_capacity(left.len());
    for ties in left.chunk_by(|a, b| a.abs() == b.abs()) {
        // Ranks are doubled, so that their mean, half of the first plus the last, is a whole number.
        let n_below = signed_ranks.len();
        let rank = (n_below + 1 + n_below + ties.len()) as i64;
        signed_ranks.extend(ties.iter().map(|d| if *d > 0.0 { rank } else { -rank }));
    }
    two_sided(&signed_ranks)
}

/// P(|Σ ±|a_i|| ≥ |Σ a_i|) for fair signs ±; `None` without scores a_i.
fn two_sided(scores: &[i64]) -> Option<f64> {
    if scores.is_empty() {
        return None;
    }
    let sizes: Vec<usize> = scores.iter().map(|a| a.unsigned_abs() as usize).collect();
    let plus: i64 = scores.iter().filter(|a| **a > 0).sum();
    let smaller = (plus as usize).min(sizes.iter().sum::<usize>() - plus as usize);
    // The distribution is symmetric. If the sum is 0, its probability is in both tails, whose sum then exceeds 1.
    Some((2.0 * lower_tail(&sizes, smaller)).min(1.0))
}

/// P(Σ of the sizes with a positive sign ≤ `at_most`), each positive with probability ½: P_i(w) = ½ P_{i−1}(w) +
/// ½ P_{i−1}(w − a_i), summed over w.
fn lower_tail(sizes: &[usize], at_most: usize) -> f64 {
    let mut p = vec![0.0; at_most + 1];
    p[0] = 1.0;
    let mut next = p.clone();
    for &size in sizes {
        let (without, with) = next.split_at_mut(size.min(p.len()));
        for (next, p) in without.iter_mut().zip(&p) {
            *next = 0.5 * p;
        }
        for ((next, p), p_with) in with.iter_mut().zip(&p[without.len()..]).zip(&p) {
            *next = 0.5 * (p + p_with);
        }
        std::mem::swap(&mut p, &mut next);
    }
    p.iter().sum()
}

/// p values of several tests, corrected for multiple testing (family-wise error rate): the i-th smallest of m becomes
/// max over j ≤ i of (m − j + 1) p₍ⱼ₎, at most 1. Tests without p are left out.
///
/// # Reference
/// Holm 1979, "A simple sequentially rejective multiple test procedure".
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut ascending: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(place, p)| Some((place, (*p)?))).collect();
    ascending.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (mut corrected, mut largest) = (vec![None; p.len()], 0.0_f64);
    let n = ascending.len();
    for (rank, (place, p)) in ascending.into_iter().enumerate() {
        largest = largest.max((n - rank) as f64 * p).min(1.0);
        corrected[place] = Some(largest);
    }
    corrected
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn holm_multiplies_by_the_tests_that_are_left() {
        // By hand: 4 · 0.01, 3 · 0.03, 2 · 0.04 raised to the previous value, 0.5.
        let corrected = holm(&[Some(0.01), None, Some(0.04), Some(0.03), Some(0.5)]);
        let expected = [Some(0.04), None, Some(0.09), Some(0.09), Some(0.5)];
        for (got, expected) in corrected.iter().zip(expected) {
            assert!(got.zip(expected).map_or(*got == expected, |(got, expected)| (got - expected).abs() < 1e-12));
        }
        assert_eq!(holm(&[Some(0.9), Some(0.8)]), [Some(1.0), Some(1.0)]);
    }

    /// `n_plus` positive differences and some negative ones.
    fn signs(n_plus: usize, n: usize) -> Vec<f64> {
        (0..n).map(|i| if i < n_plus { 1.0 } else { -1.0 }).collect()
    }

    #[test]
    fn signs_are_those_of_coins() {
        // By hand: 2 (1 + 10 + 45)/2¹⁰; both tails of 4 of 9 include everything.
        assert_eq!(sign_test(&signs(2, 10)), Some(112.0 / 1024.0));
        assert_eq!(sign_test(&signs(8, 10)), Some(112.0 / 1024.0));
        assert_eq!((sign_test(&signs(5, 10)), sign_test(&signs(4, 9))), (Some(1.0), Some(1.0)));
        assert_eq!(sign_test(&[0.3]), Some(1.0));
        // 2 Σ_{i ≤ k} comb(n, i) / 2ⁿ in Python's whole numbers. Each of the n steps rounds once and the sum k times, by
        // 1.1e−16, and nothing is subtracted.
        for (k, n, want) in SIGNS {
            let got = sign_test(&signs(k, n)).unwrap();
            assert!((got / want - 1.0).abs() < (n + k) as f64 * 1.2e-16, "{k} of {n}: {got:e} is not {want:e}");
        }
    }

    #[test]
    fn darwins_maize_has_the_p_of_scipy() {
        // Crossed less self-fertilised plants, in eighths of an inch (Darwin 1876, Fisher 1935, ch. 3);
        // scipy.stats.wilcoxon(method="exact") and binomtest(2, 15). A multiple of 2⁻¹⁴, and exact.
        let heights = [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];
        assert_eq!(wilcoxon(&heights), Some(0.041_259_765_625));
        assert_eq!(sign_test(&heights), Some(2.0 * (1.0 + 15.0 + 105.0) / 32_768.0));
    }

    #[test]
    fn ranks_without_ties_have_the_exact_distribution() {
        for (n, seed, want) in RANKS {
            let sign = |i: u32| if (7 * i * i + seed * i) % 11 < 6 { 1.0 } else { -1.0 };
            let differences: Vec<f64> = (1..=n).map(|i| sign(i) * f64::from(i)).collect();
            let got = wilcoxon(&differences).unwrap();
            // n steps round once each, by 1.1e−16; half of the n (n + 1)/2 terms of the sum are not 0.
            let n = f64::from(n);
            assert!((got / want - 1.0).abs() < (n + n * (n + 1.0) / 4.0) * 1.2e-16, "{n}: {got:e} is not {want:e}");
        }
    }

    #[test]
    fn tied_ranks_have_the_p_of_all_patterns_of_signs() {
        // scipy.stats.wilcoxon(zero_method="wilcox", method=PermutationMethod(n_resamples=10**6)), which enumerates all
        // 2ⁿ; the counts from an enumeration in NumPy.
        let cases: [(&[f64], f64); 5] = [
            (&[1.0, 1.0, 1.0, -1.0], 2.0 * 5.0 / 16.0),
            (&[1.0, 2.0, 2.0, 3.0, -3.0, 4.0, 0.0, 0.0], 2.0 * 8.0 / 64.0),
            (&[-1.0, 1.0, 2.0, 2.0, 2.0, -3.0, 5.0, 5.0, -5.0, 7.0, 8.0, 0.0], 2.0 * 134.0 / 2048.0),
            (&[1.0, -1.0], 1.0),
            (&[2.0, 2.0, -4.0, 4.0, 6.0, 6.0, 8.0, -2.0, 10.0, 3.0], 2.0 * 22.0 / 1024.0),
        ];
        for (differences, want) in cases {
            assert_eq!(wilcoxon(differences), Some(want), "{differences:?}");
        }
    }

    #[test]
    fn differences_that_are_all_0_have_no_p() {
        for differences in [[].as_slice(), &[0.0], &[0.0, -0.0]] {
            assert_eq!((sign_test(differences), wilcoxon(differences)), (None, None));
        }
    }

    #[test]
    fn differences_of_one_sign_have_the_smallest_p() {
        for n in 1..=60_u32 {
            let differences: Vec<f64> = (1..=n).map(|i| 0.1 * f64::from(i)).collect();
            let smallest = Some(2.0_f64.powi(1 - n as i32));
            assert_eq!((sign_test(&differences), wilcoxon(&differences)), (smallest, smallest));
        }
    }

    /// The share of all 2ⁿ patterns of signs whose sum is at least as far from 0 as that of `differences`.
    fn slow(differences: &[f64], score: impl Fn(f64) -> i64) -> f64 {
        let sum = |sign: &dyn Fn(usize) -> bool| {
            let signed = |(i, d): (usize, &f64)| if sign(i) { score(*d) } else { -score(*d) };
            differences.iter().enumerate().map(signed).sum::<i64>().abs()
        };
        let found = sum(&|i| differences[i] > 0.0);
        let patterns = 0..1_u32 << differences.len();
        let n_patterns = patterns.len() as f64;
        patterns.filter(|pattern| sum(&|i| pattern >> i & 1 == 1) >= found).count() as f64 / n_patterns
    }

    proptest! {
        /// Whole numbers, so that many are equal or 0. Probabilities are multiples of 2⁻¹⁰, and exact.
        #[test]
        fn both_tests_count_all_patterns_of_signs(
            differences in proptest::collection::vec(-5..6_i8, 0..=10),
        ) {
            let differences: Vec<f64> = differences.into_iter().map(f64::from).collect();
            let left: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
            let count = |is: &dyn Fn(f64) -> bool| left.iter().filter(|d| is(d.abs())).count() as i64;
            // Twice the mid-rank: the number of smaller ones, plus half of the equal ones, plus a half.
            let rank = |d: f64| 2 * count(&|size| size < d.abs()) + count(&|size| size == d.abs()) + 1;
            let expected = |p: f64| (!left.is_empty()).then_some(p);
            prop_assert_eq!(sign_test(&differences), expected(slow(&left, |_| 1)));
            prop_assert_eq!(wilcoxon(&differences), expected(slow(&left, rank)));
        }

        #[test]
        fn neither_order_nor_direction_nor_unit_matters(
            differences in proptest::collection::vec(-2.0..2.0_f64, 1..40),
        ) {
            let reversed: Vec<f64> = differences.iter().rev().map(|d| -4.0 * d).collect();
            prop_assert_eq!(sign_test(&differences), sign_test(&reversed));
            prop_assert_eq!(wilcoxon(&differences), wilcoxon(&reversed));
        }
    }

    /// Number of positive signs, number of signs, and p.
    const SIGNS: [(usize, usize, f64); 5] = [
        (3, 17, 0.012_725_830_078_125),
        (20, 60, 0.013_489_293_731_191_86),
        (400, 1000, 2.728_464_156_066_018_4e-10),
        (900, 2000, 8.457_089_535_503_927e-6),
        (40, 1200, 1.123_082_200_975_007e-286),
    ];

    /// n, what the signs are made from, and p: twice the number of sets of ranks whose sum is not above the smaller one, over
    /// 2ⁿ, counted in Python's whole numbers.
    const RANKS: [(u32, u32, f64); 3] =
        [(20, 1, 0.409_097_671_508_789_06), (60, 2, 0.180_432_041_908_070_27), (200, 3, 0.000_597_984_117_739_269_2)];
}
