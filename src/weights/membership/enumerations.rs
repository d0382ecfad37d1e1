//! Tests with learners whose supersamples and masks can be enumerated, and with tables from closed formulas.

#![cfg(test)]

use std::collections::BTreeMap;

use ndarray::Array2;
use serde_json::Value;

use super::*;
use crate::weights::fixtures::{assert_close, values};

/// A sample: its input and its label.
type Sample = (usize, usize);

/// Means for a learner over all supersamples, each with every mask once.
#[derive(Debug, Default)]
struct Found {
    /// I(W; U | z̃).
    cmi: f64,
    /// Mean over pairs of I(W; U_i | z̃), and its square-root bound.
    of_weights: [f64; 2],
    of_losses: [f64; 2],
    of_difference: [f64; 2],
    train_error: f64,
    test_error: f64,
    /// Counts of each difference of losses for both values of the mask.
    differences: BTreeMap<[usize; 2], [f64; 2]>,
}

/// All masks of `n` pairs, one per row.
fn every_mask(n: usize) -> Array2<bool> {
    Array2::from_shape_fn((1 << n, n), |(m, pair)| m >> pair & 1 == 1)
}

/// The training samples of the supersample.
fn chosen(pairs: &[[Sample; 2]], mask: &[bool]) -> Vec<Sample> {
    pairs.iter().zip(mask).map(|(pair, second)| pair[usize::from(*second)]).collect()
}

/// The supersample of `pairs` with every mask; `learn` returns a weight from the training samples, with which
/// `predict` predicts.
fn supersample(
    pairs: &[[Sample; 2]],
    learn: impl Fn(&[Sample]) -> usize,
    predict: impl Fn(usize, usize) -> usize,
) -> (Vec<usize>, Supersample) {
    let masks = every_mask(pairs.len());
    let weights: Vec<usize> =
        masks.rows().into_iter().map(|mask| learn(&chosen(pairs, mask.as_slice().unwrap()))).collect();
    let predictions =
        Array2::from_shape_fn(masks.dim(), |(m, i)| pairs[i].map(|(input, _)| predict(weights[m], input)));
    let classes: Vec<[usize; 2]> = pairs.iter().map(|pair| pair.map(|(_, label)| label)).collect();
    (weights, Supersample::new(masks.view(), predictions.view(), &classes).unwrap())
}

/// All multisets of `n` numbers below `n_kinds` in ascending order, each with its share of all sequences.
fn multisets(n_kinds: usize, n: usize) -> Vec<(Vec<usize>, f64)> {
    let mut found = vec![(Vec::new(), 1.0)];
    for place in 0..n {
        let mut longer = Vec::new();
        for (members, share) in &found {
            let least: usize = members.last().copied().unwrap_or(0);
            for kind in least..n_kinds {
                let n_equal = members.iter().filter(|member| **member == kind).count() + 1;
                // A multinomial coefficient grows by (position + 1)/(present count of this kind).
                let share = share * (place + 1) as f64 / n_equal as f64 / n_kinds as f64;
                longer.push(([members.as_slice(), &[kind]].concat(), share));
            }
        }
        found = longer;
    }
    found
}

/// The learner on `n` pairs of equally probable `samples`. The order of the pairs does not matter, so each multiset of pairs
/// is enumerated once.
fn enumerated(
    samples: &[Sample],
    n: usize,
    learn: impl Fn(&[Sample]) -> usize,
    predict: impl Fn(usize, usize) -> usize,
) -> Found {
    let pairs: Vec<[Sample; 2]> = samples.iter().flat_map(|a| samples.iter().map(move |b| [*a, *b])).collect();
    let mut found = Found::default();
    for (members, share) in multisets(pairs.len(), n) {
        let drawn: Vec<[Sample; 2]> = members.iter().map(|member| pairs[*member]).collect();
        let (weights, supersample) = supersample(&drawn, &learn, &predict);
        found.cmi += share * discrete_information(weights.iter().zip(0..)).0;
        found.train_error += share * supersample.train_error();
        found.test_error += share * supersample.test_error();
        for i in 0..n {
            let side = supersample.outcomes(i, PairOutcome::Losses).map(|(_, second)| second);
            let of_weights = MaskCounts::of(weights.iter().zip(side));
            let of_losses = supersample.counts(i, PairOutcome::Losses);
            let of_difference = supersample.counts(i, PairOutcome::LossDifference);
            let sums = [
                (&mut found.of_weights, of_weights),
                (&mut found.of_losses, of_losses),
                (&mut found.of_difference, of_difference),
            ];
            for ([information, bound], counts) in sums {
                *information += share * counts.information().0 / n as f64;
                *bound += share * root_bound(counts.information()) / n as f64;
            }
            for (difference, second) in supersample.outcomes(i, PairOutcome::LossDifference) {
                found.differences.entry(difference).or_default()[usize::from(second)] += share;
            }
        }
    }
    found
}

/// I(Δ; U) of shares: counts in units of `unit`, of which they are multiples.
fn unconditional(differences: &BTreeMap<[usize; 2], [f64; 2]>, unit: f64) -> Nats {
    let counts: Vec<[u64; 2]> =
        differences.values().map(|shares| shares.map(|share| (share / unit).round() as u64)).collect();
    MaskCounts::of_cells(&counts).information()
}

/// The values of the source for n = 1, 2, …, if it has them.
fn check_source(found: &Found, n: usize, pooled: Nats, expected: &Value) {
    let pairs = [
        ("CMI", found.cmi),
        ("CMI/n", found.cmi / n as f64),
        ("samplewise_mean I(W;U_i|Z~)", found.of_weights[0]),
        ("eCMI_samplewise_mean", found.of_losses[0]),
        ("ldCMI_samplewise_mean", found.of_difference[0]),
        ("ldMI_unconditional_mean I(Delta_i;U_i)", pooled.0),
        ("bound_ldMI_sqrt", root_bound(pooled)),
        ("train_loss", found.train_error),
        ("pop_loss", found.test_error),
        ("gap", found.test_error - found.train_error),
        ("bound_sqrt(2CMI/n)", root_bound(Nats(found.cmi / n as f64))),
        ("bound_samplewise_disintegrated_W", found.of_weights[1]),
        ("bound_eCMI_sqrt", found.of_losses[1]),
        ("bound_ldCMI_sqrt", found.of_difference[1]),
        ("binaryKL_pop_bound_from_CMI/n", binary_kl_bound(found.train_error, Nats(found.cmi / n as f64))),
        ("binaryKL_pop_bound_from_eCMI", binary_kl_bound(found.train_error, Nats(found.of_losses[0]))),
        ("interpolating_bound_CMI/(n ln2)", interpolating_bound(Nats(found.cmi / n as f64))),
        ("interpolating_bound_eCMI/ln2", interpolating_bound(Nats(found.of_losses[0]))),
        ("ldMI/ln2 (== pop_loss exactly)", interpolating_bound(pooled)),
    ];
    for (name, got) in pairs {
        // Learners with train error have no interpolating bounds.
        if let Some(expected) = expected.get(name) {
            assert_close(got, expected.as_f64().unwrap());
        }
    }
    let gap = found.test_error - found.train_error;
    // ld ≤ e ≤ W ≤ CMI/n, the bounds in this order, and each of them above the gap; sums of 10⁵ terms lose 1e-12. (√ of
    // the pooled information is also a bound, sometimes a looser one.)
    let ordered = |numbers: &[f64]| assert!(numbers.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "{numbers:?}");
    ordered(&[pooled.0, found.of_difference[0], found.of_losses[0], found.of_weights[0], found.cmi / n as f64]);
    let of_cmi = root_bound(Nats(found.cmi / n as f64));
    ordered(&[gap, found.of_difference[1], found.of_losses[1], found.of_weights[1], of_cmi]);
    ordered(&[gap, root_bound(pooled)]);
    ordered(&[found.test_error, binary_kl_bound(found.train_error, Nats(found.of_losses[0]))]);
}

/// For samples (x, [x ≥ 2]) the smallest x with label 1; 4 if there is none.
fn smallest_positive(samples: &[Sample]) -> usize {
    samples.iter().filter(|(_, label)| *label == 1).map(|(x, _)| *x).min().unwrap_or(4)
}

/// The threshold with the fewest labels 1 below it and labels 0 above it; the smallest if several are equal.
fn best_threshold(samples: &[Sample]) -> usize {
    let n_wrong = |t: usize| samples.iter().filter(|(x, label)| usize::from(*x >= t) != *label).count();
    (0..=3).min_by_key(|t| n_wrong(*t)).unwrap()
}

fn above(threshold: usize, x: usize) -> usize {
    usize::from(x >= threshold)
}

#[test]
fn learners_of_coins_reveal_what_was_enumerated_elsewhere() {
    let sum = |samples: &[Sample]| samples.iter().map(|(x, _)| x).sum::<usize>();
    let majority = |samples: &[Sample]| usize::from(2 * sum(samples) > samples.len());
    let tuple = |samples: &[Sample]| samples.iter().fold(0, |code, (x, _)| 2 * code + x);
    let cmi = |n, learn: &dyn Fn(&[Sample]) -> usize| enumerated(&[(0, 0), (1, 0)], n, learn, |_, _| 0).cmi;
    let expected_sum =
        [0.346_573_590_28, 0.606_503_782_99, 0.806_760_772_422_3, 0.965_023_399_294_6, 1.093_096_763_707];
    let expected_majority =
        [0.346_573_590_28, 0.313_870_581_294_7, 0.427_484_173_157, 0.395_696_873_738_3, 0.458_291_572_206_5];
    for n in 1..=5 {
        assert_close(cmi(n, &sum), expected_sum[n - 1]);
        assert_close(cmi(n, &majority), expected_majority[n - 1]);
        assert_close(cmi(n, &tuple), n as f64 * 0.5 * LN_2);
    }
}

#[test]
fn a_threshold_learner_reveals_what_was_enumerated_elsewhere() {
    let samples = [(0, 0), (1, 0), (2, 1), (3, 1)];
    let source = values("d5_membership");
    let golden = [
        (0.433_216_987_85, 0.3125),
        (0.536_610_889_404_4, 0.203_125),
        (0.518_575_707_673_3, 0.136_718_75),
        (0.460_452_180_070_2, 0.094_726_562_5),
        (0.393_549_488_879_5, 0.067_138_671_875),
    ];
    for n in 1..=5 {
        let found = enumerated(&samples, n, smallest_positive, above);
        let pooled = unconditional(&found.differences, 4.0_f64.powi(-2 * n as i32));
        let (cmi, gap) = golden[n - 1];
        assert_close(found.cmi, cmi);
        assert_close(found.test_error, gap);
        // The learner makes no error on what it was trained on.
        assert_close(interpolating_bound(pooled), gap);
        if let Some(source) = &source {
            check_source(&found, n, pooled, &source["threshold_realizable"]["values"][format!("n={n}")]);
        }
        if n == 5 {
            assert_close(root_bound(Nats(found.cmi / 5.0)), 0.396_761_635_685_5);
            assert_close(found.of_losses[1], 0.197_951_081_354_8);
            assert_close(binary_kl_bound(0.0, Nats(found.of_losses[0])), 0.127_264_844_045_8);
            assert_close(interpolating_bound(Nats(found.of_losses[0])), 0.094_853_113_343_74);
        }
    }
}

#[test]
fn a_learner_of_random_labels_reveals_what_was_enumerated_elsewhere() {
    let samples: Vec<Sample> = (0..3).flat_map(|x| [(x, 0), (x, 1)]).collect();
    let source = values("d5_membership");
    let golden = [
        (0.462_098_120_373_3, 0.5),
        (0.557_351_959_528_9, 1.0 / 3.0),
        (0.731_965_954_360_8, 8.0 / 27.0),
        (0.743_207_649_414_2, 0.25),
    ];
    for n in 1..=4 {
        let found = enumerated(&samples, n, best_threshold, above);
        let pooled = unconditional(&found.differences, 6.0_f64.powi(-2 * n as i32));
        assert_close(found.cmi, golden[n - 1].0);
        assert_close(found.test_error - found.train_error, golden[n - 1].1);
        if let Some(source) = &source {
            check_source(&found, n, pooled, &source["threshold_random_labels"]["values"][format!("n={n}")]);
        }
    }
}

#[test]
fn all_supersamples_together_are_what_they_are_one_by_one() {
    let samples = [(0, 0), (1, 0), (2, 1), (3, 1)];
    let pairs: Vec<[Sample; 2]> = samples.iter().flat_map(|a| samples.iter().map(move |b| [*a, *b])).collect();
    let drawn = pairs.iter().flat_map(|first| pairs.iter().map(|second| [*first, *second]));
    let supersamples: Vec<Supersample> = drawn.map(|drawn| supersample(&drawn, smallest_positive, above).1).collect();
    let found = enumerated(&samples, 2, smallest_positive, above);
    let of_losses = PairInformation::of(&supersamples, PairOutcome::Losses);
    assert_close(of_losses.information.0, found.of_losses[0]);
    assert_close(of_losses.bound, found.of_losses[1]);
    let readings = Membership::new().of_supersamples(&supersamples).unwrap();
    let value = |name: &str| readings.iter().find(|reading| reading.quantity == name).unwrap().value;
    assert_close(value("gap"), 0.203_125);
    // In bits, the pooled information of a learner without train error equals the gap.
    assert_close(value("pooled_loss_difference_information"), 0.203_125);
    assert_close(value("binary_kl_bound"), 0.437_475_026_556_8);
    assert_close(value("interpolating_bound"), 0.356_120_751_809_5);
    assert_close(value("loss_bound"), 0.496_438_227_254_5);
}

/// The tables from the formulas, with `n_masks` masks, `n` pairs and `n_classes` classes.
fn formula_tables(n_masks: usize, n: usize, n_classes: usize) -> Supersample {
    let masks = Array2::from_shape_fn((n_masks, n), |(m, i)| {
        (7 * m * m + 13 * m * i + 5 * i * i * m + 3 * m + 11 * i + 1) % 31 % 2 == 1
    });
    let class = |i: usize, j: usize| (3 * i + 5 * j + i * j) % n_classes;
    let classes: Vec<[usize; 2]> = (0..n).map(|i| [class(i, 0), class(i, 1)]).collect();
    let predictions = Array2::from_shape_fn((n_masks, n), |(m, i)| {
        [0, 1].map(|j| {
            let r = ((3 + j) * m * m + 19 * m * i + 7 * i * i + 23 * j + m * j) % 10;
            let is_bad = if usize::from(masks[(m, i)]) == j { r < 1 } else { r < 4 };
            let other = if n_classes > 2 { 1 + r % 2 } else { 1 };
            if is_bad { (classes[i][j] + other) % n_classes } else { classes[i][j] }
        })
    });
    Supersample::new(masks.view(), predictions.view(), &classes).unwrap()
}

#[test]
fn plug_in_numbers_and_floors_of_tables_of_formulas() {
    let supersample = formula_tables(30, 8, 2);
    let supersamples = std::slice::from_ref(&supersample);
    let golden = [
        (PairOutcome::Predictions, 0.271_591_032_330_4, 0.729_042_357_037_4, 0.050_290_127_453_02, 0.289_378_593_26),
        (PairOutcome::Losses, 0.271_591_032_330_4, 0.729_042_357_037_4, 0.050_290_127_453_02, 0.289_378_593_26),
        (
            PairOutcome::LossDifference,
            0.255_778_880_958_8,
            0.705_030_036_181_1,
            0.038_843_546_853_19,
            0.247_558_087_177_3,
        ),
    ];
    for (outcome, information, bound, null, null_bound) in golden {
        let found = PairInformation::of(supersamples, outcome);
        assert_close(found.information.0, information);
        assert_close(found.bound, bound);
        assert_close(found.null.information.0, null);
        assert_close(found.null.bound.unwrap(), null_bound);
    }
    let (train_error, test_error) = (supersample.train_error(), supersample.test_error());
    assert_close(test_error - train_error, 0.354_166_666_666_7);
    let most = binary_kl_bound(train_error, PairInformation::of(supersamples, PairOutcome::Losses).information);
    assert_close(most, 0.651_912_049_472_7);
    let Some(source) = values("d5_membership") else { return };
    let source = &source["plugin_tables"];
    assert_close(train_error, source["train_error"].as_f64().unwrap());
    assert_close(test_error, source["test_error"].as_f64().unwrap());
    for (pair, expected) in source["per_example"].as_array().unwrap().iter().enumerate() {
        let number = |name: &str| expected[name].as_f64().unwrap();
        let outcomes =
            [(PairOutcome::Predictions, "f"), (PairOutcome::Losses, "e"), (PairOutcome::LossDifference, "ld")];
        for (outcome, name) in outcomes {
            let counts = supersample.counts(pair, outcome);
            let PermutationFloor { information, spread } = counts.permuted();
            assert_eq!(counts.n_second() as f64, number("ones_in_mask"));
            assert_close(counts.information().0, number(&format!("{name}CMI")));
            assert_close(information.0, number(&format!("{name}CMI_null_mean")));
            assert_close(spread.unwrap().bound, number(&format!("sqrt2I_{name}_null_mean")));
        }
    }
}

#[test]
fn losses_alone_are_enough_for_all_but_predictions() {
    let masks = every_mask(2);
    let losses = Array2::from_shape_fn(masks.dim(), |(m, i)| [m == 1, masks[(m, i)]]);
    let of_losses = Supersample::of_losses(masks.view(), losses.view()).unwrap();
    let predictions = losses.map(|losses| losses.map(|wrong| if wrong { 0 } else { 3 }));
    let of_predictions = Supersample::new(masks.view(), predictions.view(), &[[3, 3]; 2]).unwrap();
    for outcome in [PairOutcome::Predictions, PairOutcome::Losses, PairOutcome::LossDifference] {
        for pair in 0..2 {
            let [got, expected] =
                [&of_losses, &of_predictions].map(|tables| tables.counts(pair, outcome).information());
            assert_close(got.0, expected.0);
        }
    }
    assert_eq!(of_losses.train_error(), of_predictions.train_error());
}
