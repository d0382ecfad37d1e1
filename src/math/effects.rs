//! The share of the variance that each factor of an experiment explains.

use std::collections::BTreeMap;

use super::descriptive::mean;

/// The effect of one factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Main {
    /// η² = Σ_a n_a (mean_a − mean)² / total over its levels a; in 0..=1.
    pub share: f64,
    /// Number of levels among the values. A factor without effect has a share of (`n_levels` − 1)/(N − 1) on
    /// average.
    pub n_levels: usize,
}

/// The decomposition of the sum of squares of some values: Σ `main` + `within` + `rest` = 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Effects {
    /// Σ_i (v_i − mean)², in squared units of the values; the shares are relative to this.
    pub total: f64,
    /// The main effect of each factor, in the order of the factors.
    pub main: Vec<Main>,
    /// Share of the differences between values with equal levels of every factor, about their mean; in 0..=1.
    pub within: f64,
    /// The remaining share: interactions of factors and, if the design is not balanced, effects that several factors
    /// have in common and that are counted more than once above. It may then be negative (or slightly negative by
    /// rounding).
    pub rest: f64,
    /// Whether every possible combination of levels has equally many values.
    pub is_balanced: bool,
}

/// Decomposes the variance of N `values` into the main effects of factors, each considered separately.
///
/// `values` are finite; `levels` has one vector per factor, of length N, with a number for the level of each value.
/// `None` if there are no values or all are equal. In a balanced design a share is the first-order Sobol index of the
/// factor among the tested levels. O(N log N) time per factor.
///
/// # Panics
/// A factor whose number of levels is not the number of values.
///
/// # Reference
/// Fisher 1925, "Statistical methods for research workers", ch. VII and VIII; Sobol 1993 on the index.
pub fn main_effects(values: &[f64], levels: &[Vec<usize>]) -> Option<Effects> {
    assert!(levels.iter().all(|factor| factor.len() == values.len()), "a factor has one level per value");
    let deviations = deviations(values)?;
    let total = sum_of_squares(&deviations);
    if total == 0.0 {
        return None;
    }

    let main: Vec<Main> = levels
        .iter()
        .map(|factor| {
            let groups = groups(&deviations, |i| factor[i]);
            let square = |group: &Vec<f64>| Some(group.len() as f64 * mean(group)?.powi(2));
            let between: f64 = groups.values().filter_map(square).sum();
            Main { share: between / total, n_levels: groups.len() }
        })
        .collect();

    let cells = groups(&deviations, |i| levels.iter().map(|factor| factor[i]).collect::<Vec<usize>>());
    let within =
        cells.values().filter_map(|cell| self::deviations(cell)).map(|d| sum_of_squares(&d)).sum::<f64>() / total;
    let rest = 1.0 - main.iter().map(|factor| factor.share).sum::<f64>() - within;

    // With very many factors, the combinations cannot be counted, and not all of them can have been tested.
    let n_combinations = main.iter().try_fold(1_usize, |n, factor| n.checked_mul(factor.n_levels));
    let is_balanced =
        n_combinations == Some(cells.len()) && cells.values().all(|cell| cell.len() * cells.len() == values.len());
    Some(Effects { total, main, within, rest, is_balanced })
}

/// v_i − mean; `None` without values.
fn deviations(values: &[f64]) -> Option<Vec<f64>> {
    // The first value is subtracted before the mean, so that equal values do not differ by rounding.
    let first = values.first()?;
    let shifted: Vec<f64> = values.iter().map(|v| v - first).collect();
    let mean = mean(&shifted)?;
    Some(shifted.into_iter().map(|v| v - mean).collect())
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum()
}

/// The values of each key.
fn groups<K: Ord>(values: &[f64], key: impl Fn(usize) -> K) -> BTreeMap<K, Vec<f64>> {
    let mut groups: BTreeMap<K, Vec<f64>> = BTreeMap::new();
    for (i, value) in values.iter().enumerate() {
        groups.entry(key(i)).or_default().push(*value);
    }
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rounding error of the shares of N values whose distance from 0 is similar to their differences: each of N
    /// squares and of N additions by at most 1.1e−16 of the total, in numerator and denominator; doubled for the
    /// deviations.
    fn rounding(n: usize) -> f64 {
        8.0 * 1.2e-16 * n as f64
    }

    /// `shares` are those of the factors, then `within` and `rest`.
    #[track_caller]
    fn check(values: &[f64], levels: &[Vec<usize>], total: f64, shares: &[f64], is_balanced: bool) -> Effects {
        let effects = main_effects(values, levels).unwrap();
        let tolerance = rounding(values.len());
        let got = effects.main.iter().map(|factor| factor.share).chain([effects.within, effects.rest]);
        let got: Vec<f64> = got.collect();
        assert_eq!(got.len(), shares.len());
        assert!((effects.total / total - 1.0).abs() < tolerance, "{} is not {total}", effects.total);
        assert!(got.iter().zip(shares).all(|(got, want)| (got - want).abs() < tolerance), "{got:?} is not {shares:?}");
        assert_eq!(effects.is_balanced, is_balanced);
        effects
    }

    #[test]
    fn a_matrix_of_two_rows_agrees_with_one_computed_by_hand() {
        let levels = [vec![0, 0, 1, 1], vec![0, 1, 0, 1]];
        // a + 2 b about 1.5: squares 2.25, 0.25, 0.25, 2.25; means of a are 1 and 2, of b 0.5 and 2.5.
        check(&[0.0, 2.0, 1.0, 3.0], &levels, 5.0, &[0.2, 0.8, 0.0, 0.0], true);
        // One of them, but not both: the means of the levels are equal.
        check(&[0.0, 1.0, 1.0, 0.0], &levels, 1.0, &[0.0, 0.0, 0.0, 1.0], true);
        // Values 0 and 2, 2 and 4, 2 and 2, 0 and 4, about their means 1, 3, 2, 2: squares 2 + 2 + 0 + 8 of 16. Means of a are
        // equal, of b 1.5 and 2.5.
        let repeated = levels.map(|factor| factor.repeat(2));
        check(&[0.0, 2.0, 2.0, 0.0, 2.0, 4.0, 2.0, 4.0], &repeated, 16.0, &[0.0, 0.125, 0.75, 0.125], true);
    }

    #[test]
    fn what_factors_have_in_common_is_counted_twice() {
        // a + b, mostly equal: means of the three of a level are 1/3 and 5/3, 2 · 3 · (2/3)² = 8/3 of 4, for either factor.
        let levels = [vec![0, 0, 0, 1, 1, 1], vec![0, 0, 1, 0, 1, 1]];
        let third = 1.0 / 3.0;
        check(&[0.0, 0.0, 1.0, 1.0, 2.0, 2.0], &levels, 4.0, &[2.0 * third, 2.0 * third, 0.0, -third], false);
        // One factor twice, and a constant factor.
        let levels = [vec![3, 3, 7], vec![7, 7, 3], vec![5, 5, 5]];
        let effects = check(&[0.0, 1.0, 2.0], &levels, 2.0, &[0.75, 0.75, 0.0, 0.25, -0.75], false);
        assert_eq!(effects.main.iter().map(|factor| factor.n_levels).collect::<Vec<_>>(), [2, 2, 1]);
    }

    #[test]
    fn peas_are_decomposed_as_r_does() {
        // R's data set npk (yields of peas, Venables & Ripley 2002) and its example(npk): sums of squares 189.28 of N, 8.40
        // of P, 95.20 of K, 343.30 of the blocks; more digits, the total and that within combinations from NumPy.
        let factor = |bit: u32| NPK.iter().map(|npk| npk >> bit & 1).collect::<Vec<usize>>();
        let mut levels = vec![factor(2), factor(1), factor(0)];
        let total = 876.365;
        let main = [189.281_666_666_666_7, 8.401_666_666_666_67, 95.201_666_666_666_7].map(|square| square / total);
        let within = 491.58 / total;
        let sum: f64 = main.iter().sum();
        check(&YIELDS, &levels, total, &[main[0], main[1], main[2], within, 1.0 - sum - within], true);
        // With the blocks there are 48 combinations, half of which were tested, once.
        levels.push((0..24).map(|plot| plot / 4).collect());
        let blocks = 343.295 / total;
        check(&YIELDS, &levels, total, &[main[0], main[1], main[2], blocks, 0.0, 1.0 - sum - blocks], false);
    }

    #[test]
    fn unbalanced_factors_are_those_of_least_squares() {
        // 1 − residual/total of numpy.linalg.lstsq with dummies of a factor, and residual/total with those of all
        // combinations.
        let ints = || 0..40_usize;
        let levels: [Vec<usize>; 3] = [
            ints().map(|i| (i * i + i / 7) % 3).collect(),
            ints().map(|i| i * 7 % 4 / 2).collect(),
            ints().map(|i| usize::from(i % 5 == 0)).collect(),
        ];
        let value = |i: usize| {
            let [a, b, c] = [0, 1, 2].map(|factor: usize| levels[factor][i] as f64);
            (1.0 + i as f64).sin() + 0.5 * a - 0.3 * b * c
        };
        let values: Vec<f64> = ints().map(value).collect();
        let want = [
            0.207_317_474_752_630_96,
            0.000_322_813_063_711_291_37,
            0.032_896_623_110_186_26,
            0.648_992_636_030_061_7,
            0.110_470_453_043_409_74,
        ];
        let effects = check(&values, &levels, 26.500_795_740_127_23, &want, false);
        assert_eq!(effects.main.iter().map(|factor| factor.n_levels).collect::<Vec<_>>(), [3, 2, 2]);
    }

    #[test]
    fn values_that_do_not_differ_have_no_shares() {
        assert_eq!(main_effects(&[], &[]), None);
        assert_eq!(main_effects(&[0.1; 7], &[vec![0, 0, 0, 0, 1, 1, 1]]), None);
        // Without factors all values are repetitions.
        check(&[1.0, 2.0], &[], 0.5, &[1.0, 0.0], true);
    }

    #[test]
    fn more_factors_than_can_be_combined_are_not_balanced() {
        let levels = vec![vec![0, 1]; 64];
        assert!(!main_effects(&[0.0, 1.0], &levels).unwrap().is_balanced);
    }

    /// Exact for every set of values (Fisher's randomisation): E Σ_a n_a mean_a² = Σ_a (1 − n_a/N) total/(N − 1).
    #[test]
    fn a_factor_that_does_nothing_has_the_share_of_its_levels() {
        let (values, levels) = ([0.3, -1.0, 2.5, 0.9, 4.0], vec![0, 0, 1, 2, 2]);
        let mut shares = Vec::new();
        // All 5⁵ orders, of which the 120 that take each value once are permutations.
        for code in 0..5_usize.pow(5) {
            let order: Vec<usize> = (0..5).map(|digit| code / 5_usize.pow(digit) % 5).collect();
            if (0..5).all(|i| order.contains(&i)) {
                let permuted: Vec<f64> = order.iter().map(|i| values[*i]).collect();
                shares.push(main_effects(&permuted, std::slice::from_ref(&levels)).unwrap().main[0].share);
            }
        }
        assert_eq!(shares.len(), 120);
        // (3 − 1)/(5 − 1); 120 more additions.
        let mean = mean(&shares).unwrap();
        assert!((mean - 0.5).abs() < rounding(5 + 120), "{mean}");
    }

    proptest! {
        #[test]
        fn parts_are_positive_and_add_up_in_a_full_design(
            values in proptest::collection::vec(-1.0..1.0_f64, 24),
            n_levels in prop_oneof![Just([2, 3, 2]), Just([4, 1, 3]), Just([2, 2, 6])],
        ) {
            let [_, b, c] = n_levels;
            let level = |period: usize, n: usize| (0..24).map(|i| i / period % n).collect::<Vec<usize>>();
            let levels = [level(b * c, n_levels[0]), level(c, b), level(1, c)];
            let effects = main_effects(&values, &levels).unwrap();
            prop_assert!(effects.is_balanced);
            prop_assert_eq!(effects.main.iter().map(|factor| factor.n_levels).collect::<Vec<_>>(), n_levels);
            prop_assert!(effects.main.iter().all(|factor| factor.share >= 0.0));
            prop_assert!(effects.within >= 0.0);
            prop_assert!(effects.rest >= -rounding(24));
        }

        #[test]
        fn neither_unit_nor_origin_nor_names_of_levels_matter(
            values in proptest::collection::vec((-1.0..1.0_f64, 0..3_usize, 0..2_usize), 5..30),
            shift in -100.0..100.0_f64,
        ) {
            let factor = |name: &dyn Fn((usize, usize)) -> usize| values.iter().map(|v| name((v.1, v.2))).collect::<Vec<_>>();
            let [a, b] = [factor(&|level| level.0), factor(&|level| level.1)];
            let [renamed_a, renamed_b] = [factor(&|level| 9 - 4 * level.0), factor(&|level| 1 - level.1)];
            let numbers: Vec<f64> = values.iter().map(|v| v.0).collect();
            let moved: Vec<f64> = numbers.iter().map(|v| shift - 3.0 * v).collect();
            let before = main_effects(&numbers, &[a, b]);
            prop_assume!(before.as_ref().is_some_and(|before| before.total > 1e-3));
            let before = before.unwrap();
            let after = main_effects(&moved, &[renamed_a, renamed_b]).unwrap();
            // A moved value is rounded by 103 · 1.1e−16 < 2e−14. Of a total S that is 30 · 2 · 2e−14/√S < 4e−11, and of a
            // share as much again.
            let tolerance = 1e-10;
            prop_assert!((after.total / before.total / 9.0 - 1.0).abs() < tolerance);
            for (before, after) in before.main.iter().zip(&after.main) {
                prop_assert!((before.share - after.share).abs() < tolerance);
                prop_assert_eq!(before.n_levels, after.n_levels);
            }
            prop_assert!((before.within - after.within).abs() < tolerance);
            prop_assert!((before.rest - after.rest).abs() < tolerance);
            prop_assert_eq!(before.is_balanced, after.is_balanced);
        }
    }

    /// Levels of N, P and K of 24 plots, in blocks of four.
    const NPK: [usize; 24] = [
        0b011, 0b110, 0b000, 0b101, 0b100, 0b111, 0b001, 0b010, 0b010, 0b111, 0b100, 0b001, 0b100, 0b111, 0b001, 0b010,
        0b110, 0b000, 0b101, 0b011, 0b101, 0b110, 0b011, 0b000,
    ];
    const YIELDS: [f64; 24] = [
        49.5, 62.8, 46.8, 57.0, 59.8, 58.5, 55.5, 56.0, 62.8, 55.8, 69.5, 55.0, 62.0, 48.8, 45.5, 44.2, 52.0, 51.5,
        49.8, 48.8, 57.2, 59.0, 53.2, 56.0,
    ];
}
