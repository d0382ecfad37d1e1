//! Properties that every estimator of the registry must have, whatever its formula.

#![cfg(test)]

use super::{ESTIMATORS, Estimate, EstimateError, EstimatorSet, InputsAndLabels, LayerData, Randomness};
use crate::math::atoms::Cells;
use crate::math::shuffles::Shuffles;
use crate::parameter::{Parameters, Value};
use crate::sample::{Labels, Representation};
use crate::units::Nats;

const N: usize = 200;
const N_UNITS: usize = 3;

/// Parameters that make a training short; the properties do not depend on its length.
const SHORT: &[(&str, &str, u64)] = &[("neural", "steps", 100)];

/// Every estimator with its default parameters, or those of [`SHORT`].
fn all() -> impl Iterator<Item = (&'static str, Box<dyn EstimatorSet>)> {
    ESTIMATORS.iter().map(|spec| {
        let short = SHORT.iter().filter(|(name, ..)| *name == spec.name);
        let given = short.map(|(_, parameter, count)| ((*parameter).to_owned(), vec![Value::Count(*count)])).collect();
        let parameters = Parameters::product(spec.parameters, given).unwrap();
        (spec.name, (spec.build)(&parameters).unwrap())
    })
}

/// Smooth values of size 1 without a pattern, and labels that depend on them.
fn values() -> (Vec<f32>, Vec<i32>) {
    let t: Vec<f32> = (0..N * N_UNITS).map(|i| (i as f32 * 1.7391).sin() * 0.9).collect();
    let y = t.chunks(N_UNITS).map(|row| i32::from(row[0] + row[1] > 0.1)).collect();
    (t, y)
}

fn given(y: &[i32], n_shuffles: usize) -> InputsAndLabels {
    InputsAndLabels::of_distinct(y, n_shuffles).unwrap()
}

fn estimates(estimator: &dyn EstimatorSet, t: &[f32], given: &InputsAndLabels) -> Vec<Result<Estimate, EstimateError>> {
    estimator.estimate(&LayerData::of_samples(Representation::new(t, N_UNITS).unwrap(), given).unwrap())
}

#[track_caller]
fn assert_same(
    name: &str,
    a: &[Result<Estimate, EstimateError>],
    b: &[Result<Estimate, EstimateError>],
    tolerance: f64,
) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (numbers(a.as_ref().unwrap()), numbers(b.as_ref().unwrap()));
        for (a, b) in a.into_iter().zip(b) {
            assert_eq!(a.is_some(), b.is_some(), "{name}");
            let difference = a.zip(b).map_or(0.0, |(a, b)| (a - b).0.abs());
            assert!(difference <= tolerance, "{name}: {a:?} is not {b:?}");
        }
    }
}

/// All estimated values; an estimator may lack some of them.
fn numbers(estimate: &Estimate) -> [Option<Nats>; 4] {
    [estimate.i_xt, Some(estimate.i_ty), estimate.h_t, estimate.h_t_given_x]
}

/// Sums of f32 kernels in another order: a few units in the last place of ln N.
const REORDERED: f64 = 2e-6;

/// Estimators that divide the samples at random into parts, by their position: another order gives other parts.
const DIVIDES_SAMPLES: &[&str] = &["decoder", "neural"];

#[test]
fn the_order_of_the_samples_does_not_matter() {
    let (t, y) = values();
    let backwards: Vec<f32> = t.chunks(N_UNITS).rev().flatten().copied().collect();
    let y_backwards: Vec<i32> = y.iter().rev().copied().collect();
    for (name, estimator) in all().filter(|(name, _)| !DIVIDES_SAMPLES.contains(name)) {
        let a = estimates(estimator.as_ref(), &t, &given(&y, 0));
        let b = estimates(estimator.as_ref(), &backwards, &given(&y_backwards, 0));
        assert_same(name, &a, &b, REORDERED);
    }
}

#[test]
fn labels_are_names_and_the_same_input_gives_the_same_bits() {
    let (t, y) = values();
    let renamed: Vec<i32> = y.iter().map(|y| 7 - 10 * y).collect();
    for (name, estimator) in all() {
        let a = estimates(estimator.as_ref(), &t, &given(&y, 3));
        assert_same(name, &a, &estimates(estimator.as_ref(), &t, &given(&y, 3)), 0.0);
        assert_same(name, &a, &estimates(estimator.as_ref(), &t, &given(&renamed, 3)), REORDERED);
    }
}

#[test]
fn constant_labels_carry_no_information() {
    let (t, _) = values();
    for (name, estimator) in all() {
        for estimate in estimates(estimator.as_ref(), &t, &given(&[4; N], 2)) {
            let estimate = estimate.unwrap();
            assert!(estimate.i_ty.0.abs() < 1e-12, "{name}: {:?}", estimate.i_ty);
            assert_eq!(estimate.i_ty_ceiling.0, 0.0, "{name}");
        }
    }
}

/// Estimators that divide by the standard deviation of T, or use ranks.
const NEEDS_SPREAD: &[&str] = &["ksg", "copula", "sliced", "lossy", "edge", "decoder", "neural"];

/// Estimators without I(X;T), or that have it only if the values of X are known, which are not given here.
const NEEDS_VALUES_OF_X: &[&str] = &["mixed-ksg", "renyi", "soft"];

#[test]
fn a_constant_layer_has_no_information() {
    let (_, y) = values();
    for (name, estimator) in all() {
        for estimate in estimates(estimator.as_ref(), &[0.3; N * N_UNITS], &given(&y, 2)) {
            // Or there is no density or no spread, which is an error.
            if let Err(EstimateError::Duplicates { n, n_samples, .. }) = estimate {
                assert_eq!((n, n_samples), (N, N), "{name}");
                continue;
            }
            if let Err(EstimateError::NoSpread { .. }) = estimate {
                assert!(NEEDS_SPREAD.contains(&name), "{name}");
                continue;
            }
            let estimate = estimate.unwrap();
            assert_eq!(estimate.i_xt.is_none(), NEEDS_VALUES_OF_X.contains(&name), "{name}");
            assert!(
                estimate.i_xt.is_none_or(|i_xt| i_xt.0.abs() < 1e-6) && estimate.i_ty.0.abs() < 1e-6,
                "{name}: {estimate:?}"
            );
            assert_eq!(estimate.n_codes, 1, "{name}");
        }
    }
}

#[test]
fn nulls_are_there_exactly_where_there_are_shuffles_and_say_less_than_the_labels() {
    let (t, y) = values();
    for (name, estimator) in all() {
        for estimate in estimates(estimator.as_ref(), &t, &given(&y, 0)) {
            let estimate = estimate.unwrap();
            assert_eq!((estimate.i_xt_null, estimate.i_ty_null), (None, None), "{name}");
        }
        for estimate in estimates(estimator.as_ref(), &t, &given(&y, 1)) {
            assert!(estimate.unwrap().i_ty_null.unwrap().std.is_none(), "{name}");
        }
        let shuffled = estimates(estimator.as_ref(), &t, &given(&y, 5));
        let by_i_xt = |a: &Estimate, b: &Estimate| a.i_xt.partial_cmp(&b.i_xt).unwrap();
        let least_saturated = shuffled.into_iter().map(Result::unwrap).min_by(by_i_xt).unwrap();
        let i_xt_null = least_saturated.i_xt_null.map(|null| null.mean);
        assert_eq!(i_xt_null, least_saturated.i_xt, "{name}: every row has a distinct input");
        // Labels are a function of T: with few cells the null is far below.
        let null = least_saturated.i_ty_null.unwrap();
        assert!(null.std.is_some() && null.mean <= least_saturated.i_ty, "{name}: {null:?}");
    }
}

#[test]
fn a_null_is_the_estimate_of_the_shuffled_labels() {
    let (t, y) = values();
    let shuffled = given(&y, 2);
    let shuffled_labels = |shuffle: usize| -> Vec<i32> {
        Shuffles::new(2, N as u32).iter().nth(shuffle).unwrap().iter().map(|row| y[*row as usize]).collect()
    };
    for (name, estimator) in all() {
        let nulls = estimates(estimator.as_ref(), &t, &shuffled);
        let first = estimates(estimator.as_ref(), &t, &given(&shuffled_labels(0), 0));
        let second = estimates(estimator.as_ref(), &t, &given(&shuffled_labels(1), 0));
        for ((null, first), second) in nulls.into_iter().zip(first).zip(second) {
            let null = null.unwrap().i_ty_null.unwrap();
            let (a, b) = (first.unwrap().i_ty.0, second.unwrap().i_ty.0);
            assert!((null.mean.0 - (a + b) / 2.0).abs() < 1e-12, "{name}: {null:?}, {a}, {b}");
            // Of two values: |a − b|/√2.
            assert!((null.std.unwrap().0 - (a - b).abs() / 2_f64.sqrt()).abs() < 1e-12, "{name}");
        }
    }
}

/// Whether the estimator can pool snapshots; estimators that add noise cannot.
fn pools(estimator: &dyn EstimatorSet) -> bool {
    let members = estimator.members();
    assert!(members.iter().all(|member| member.randomness == Randomness::None || member.no_pool.is_some()));
    members.iter().all(|member| member.no_pool.is_none())
}

#[test]
fn the_entropy_is_the_information_and_what_is_left_once_x_is_known() {
    let (t, y) = values();
    let rows: Vec<u32> = (0..N as u32).map(|row| row / 2).collect();
    let repeating = InputsAndLabels::new(Cells::of_rows(&rows, 1), &rows, Labels::hard(&y), 1).unwrap();
    for (name, estimator) in all() {
        for given in [&given(&y, 1), &repeating] {
            for estimate in estimates(estimator.as_ref(), &t, given).into_iter().map(Result::unwrap) {
                let parts = [estimate.i_xt.is_some(), estimate.h_t_given_x.is_some(), estimate.i_xt_ceiling.is_some()];
                assert!(parts == [true; 3] || parts == [false; 3], "{name}: {estimate:?}");
                if let (Some(i_xt), Some(h_t_given_x)) = (estimate.i_xt, estimate.h_t_given_x) {
                    let rest = estimate.h_t.unwrap() - (i_xt + h_t_given_x);
                    assert!(rest.0.abs() < 1e-12, "{name}: {estimate:?}");
                }
            }
        }
    }
}

#[test]
fn pooling_copies_of_a_snapshot_changes_neither_estimate_nor_null() {
    let (t, y) = values();
    let samples: Vec<u32> = (0..3).flat_map(|_| 0..N as u32).collect();
    let (t3, y3) = (t.repeat(3), y.repeat(3));
    let pooled = InputsAndLabels::new(Cells::of_rows(&samples, 1), &samples, Labels::hard(&y3), 4).unwrap();
    for (name, estimator) in all().filter(|(_, estimator)| pools(estimator.as_ref())) {
        let (once, thrice) =
            (estimates(estimator.as_ref(), &t, &given(&y, 4)), estimates(estimator.as_ref(), &t3, &pooled));
        assert_same(name, &once, &thrice, 1e-12);
        for (once, thrice) in once.into_iter().zip(thrice) {
            let (once, thrice) = (once.unwrap().i_ty_null.unwrap(), thrice.unwrap().i_ty_null.unwrap());
            assert!((once.mean.0 - thrice.mean.0).abs() < 1e-12, "{name}: {once:?} {thrice:?}");
        }
    }
}

#[test]
fn samples_that_do_not_match_and_single_samples_are_refused() {
    let given = given(&[0, 1], 0);
    let three = Representation::new(&[0.0; 9], N_UNITS).unwrap();
    assert_eq!(LayerData::of_samples(three, &given).unwrap_err(), EstimateError::Mismatch { n_t: 3, n_y: 2 });
    assert_eq!(InputsAndLabels::of_distinct(&[1], 0).unwrap_err(), EstimateError::TooFew { n: 1 });
}

#[test]
fn labels_that_are_probabilities_are_served_or_refused_in_words() {
    let (t, y) = values();
    let p_y1: Vec<f64> = y.iter().map(|y| 0.25 + 0.5 * f64::from(*y)).collect();
    let given = InputsAndLabels::of_distinct(Labels::stochastic(&p_y1).unwrap(), 2).unwrap();
    for (name, estimator) in all() {
        for estimate in estimates(estimator.as_ref(), &t, &given) {
            match estimate {
                Ok(estimate) => assert!(estimate.i_ty.0 <= estimate.i_ty_ceiling.0 + 1e-12, "{name}"),
                Err(e) => assert!(
                    e.to_string().ends_with("needs one label for every sample, but these labels are probabilities")
                ),
            }
        }
    }
}

#[test]
fn estimates_of_several_parameters_are_those_of_each_by_itself() {
    let (t, y) = values();
    let given = given(&y, 2);
    for spec in ESTIMATORS {
        let parameters = Parameters::product(spec.parameters, Vec::new()).unwrap();
        let together = (spec.build)(&parameters).unwrap();
        let estimates_together = estimates(together.as_ref(), &t, &given);
        assert_eq!((together.members().len(), estimates_together.len()), (parameters.len(), parameters.len()));
        for (single, from_all) in parameters.iter().zip(estimates_together) {
            let alone = (spec.build)(std::slice::from_ref(single)).unwrap();
            // To the last bit: a table must not depend on the other tables of a request.
            assert_same(spec.name, &estimates(alone.as_ref(), &t, &given), &[from_all], 0.0);
        }
        let ids: std::collections::BTreeSet<String> =
            together.members().into_iter().map(|member| member.id.to_string()).collect();
        assert_eq!(ids.len(), parameters.len(), "{}: every table has a unique name", spec.name);
        assert!(ids.iter().all(|id| id.starts_with(spec.name)), "{ids:?}");
    }
}

#[test]
fn inputs_that_repeat_lower_the_ceiling_and_pooling_makes_t_random() {
    // Two inputs, each seen twice with T that is 0 or 1 by chance: H(T) = 1 bit, H(T|X) = 1 bit.
    let given =
        InputsAndLabels::new(Cells::of_rows(&[0_u32, 0, 1, 1], 1), &[0, 0, 1, 1], Labels::hard(&[0, 0, 1, 1]), 3)
            .unwrap();
    let sample = LayerData::of_samples(Representation::new(&[0.0, 1.0, 0.0, 1.0], 1).unwrap(), &given).unwrap();
    for (name, estimator) in all().filter(|(_, estimator)| pools(estimator.as_ref())) {
        for estimate in estimator.estimate(&sample) {
            let estimate = estimate.unwrap();
            assert!(estimate.i_xt.unwrap().0.abs() < 1e-12 && estimate.i_ty.0.abs() < 1e-12, "{name}: {estimate:?}");
            for bit in [estimate.h_t, estimate.h_t_given_x, estimate.i_xt_ceiling] {
                assert!((bit.unwrap().bits() - 1.0).abs() < 1e-12, "{name}: {estimate:?}");
            }
        }
    }
}
