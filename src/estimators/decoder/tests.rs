//! The decoder compared with scikit-learn, and with distributions whose information is known.

use std::borrow::Cow;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use serde_json::Value as Json;

use super::*;
use crate::parameter::Parameters;

/// A class of equal probability for every sample, and T ~ N(mean(class), spread(class)²).
fn mixture(n: usize, mean: fn(u32) -> f64, spread: fn(u32) -> f64) -> (Vec<f64>, Vec<u32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let y: Vec<u32> = (0..n).map(|_| rng.random_range(0..2)).collect();
    let t = y.iter().map(|y| mean(*y) + spread(*y) * rng.sample::<f64, _>(StandardNormal)).collect();
    (t, y)
}

fn information(decoder: Decoder, t: &[f64], n_dims: usize, y: &[u32]) -> Result<f64, EstimateError> {
    let t = Variable::Real(Points::new(t, n_dims).unwrap());
    let y = Variable::Classes(Cow::Owned(Cells::of_rows(y, 1)));
    decoder.between(&t, &[y]).remove(0).map(|found| found.value.0)
}

fn logistic() -> Decoder {
    Decoder::logistic(1.0).unwrap()
}

fn mlp() -> Decoder {
    Decoder::mlp(32).unwrap()
}

#[test]
fn held_out_cross_entropies_are_those_of_scikit_learn() {
    let golden: Json = serde_json::from_str(include_str!("../../../tests/golden/decoder.json")).unwrap();
    let numbers = |json: &Json| -> Vec<f64> { json.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect() };
    let t = numbers(&golden["t"]);
    let t = Points::new(t.as_slice(), 3).unwrap();
    let fold_of: Vec<usize> = (0..t.n_samples()).map(|sample| sample % 5).collect();
    for case in golden["cases"].as_array().unwrap() {
        let y: Vec<u32> = numbers(&case["y"]).into_iter().map(|y| y as u32).collect();
        let y = Cells::of_rows(&y, 1);
        let decoder = Decoder::logistic(case["l2"].as_f64().unwrap()).unwrap();
        let found = decoder.cross_entropy(&t, &y, &fold_of).unwrap() / t.n_samples() as f64;
        let expected = case["cross_entropy"].as_f64().unwrap();
        // The gradients of both are below 1e-8 at the solution.
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        let h_y = entropy(y.counts().iter().map(|count| f64::from(*count) / t.n_samples() as f64)).0;
        assert!((h_y - case["h_y"].as_f64().unwrap()).abs() < 1e-12);
    }
}

#[test]
fn the_information_of_linearly_separable_gaussians_is_found() {
    let (t, y) = mixture(4000, |y| 2.0 * f64::from(y) - 1.0, |_| 1.0);
    // By quadrature (SciPy): 0.33683 nats; the pointwise information has a standard deviation of 0.563, its mean over 4000
    // samples 0.0089. Four of them.
    for decoder in [logistic(), mlp()] {
        let found = information(decoder, &t, 1, &y).unwrap();
        assert!((found - 0.336_830_820_3).abs() < 0.036, "{found}");
    }
}

#[test]
fn classes_of_equal_means_need_a_hidden_layer() {
    let (t, y) = mixture(4000, |_| 0.0, |y| if y == 0 { 1.0 } else { 4.0 });
    // By quadrature (SciPy): 0.25347 nats, standard deviation of the pointwise information 0.488.
    let found = information(mlp(), &t, 1, &y).unwrap();
    assert!((found - 0.253_471_355).abs() < 4.0 * 0.488 / 4000_f64.sqrt(), "{found}");
    assert!(information(logistic(), &t, 1, &y).unwrap().abs() < 0.01);
}

#[test]
fn labels_that_t_does_not_determine_have_a_bound_of_about_0() {
    let (t, _) = mixture(4000, |_| 0.0, |_| 1.0);
    let y: Vec<u32> = (0..1000).map(|i| i * i % 3).collect();
    // The log-likelihood of held-out samples is lower by about one half per weight and N for the fit, and as much for the
    // test: (4 + 1) · 2 weights give −0.01, with a standard deviation of about √10/1000.
    let found = information(logistic(), &t, 4, &y).unwrap();
    assert!((-0.025..0.005).contains(&found), "{found}");
    let found = information(mlp(), &t, 4, &y).unwrap();
    assert!((-0.1..0.02).contains(&found), "{found}");
}

#[test]
fn units_and_offsets_of_t_do_not_matter() {
    let (t, y) = mixture(400, f64::from, |_| 1.0);
    let expected = information(logistic(), &t, 2, &y[..200]).unwrap();
    let scaled: Vec<f64> =
        t.iter().enumerate().map(|(i, t)| if i % 2 == 0 { 1e-12 * t } else { 1e3 * t + 50.0 }).collect();
    let found = information(logistic(), &scaled, 2, &y[..200]).unwrap();
    assert!((found - expected).abs() < 1e-7, "{found} {expected}");
}

#[test]
fn results_depend_on_the_seed_and_not_on_the_number_of_threads() {
    let (t, y) = mixture(300, f64::from, |_| 1.0);
    for decoder in [logistic(), mlp()] {
        let all_threads = information(decoder, &t, 1, &y).unwrap();
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(single.install(|| information(decoder, &t, 1, &y).unwrap()).to_bits(), all_threads.to_bits());
        assert_ne!(information(decoder.seed(1), &t, 1, &y).unwrap(), all_threads);
    }
}

#[test]
fn data_that_have_no_estimate_are_refused_with_the_reason() {
    let t: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
    let refused = |decoder: Decoder, t: &[f64], y: &[u32]| information(decoder, t, 1, y).unwrap_err().to_string();
    let halves: Vec<u32> = (0..12).map(|i| i / 6).collect();
    let sevenths: Vec<u32> = (0..12).map(|i| i % 7).collect();
    let rare: Vec<u32> = (0..12).map(|i| u32::from(i == 3)).collect();
    let check = |got: String, expected: &str| assert!(got.starts_with(expected), "{got}");
    check(refused(logistic(), &t, &sevenths), "there are 7 classes for 12 samples");
    check(refused(logistic(), &t, &rare), "every class of `decoder` needs at least 2 samples, got 1; leave out rare");
    check(
        refused(logistic().folds(13).unwrap(), &t, &halves),
        "`folds` needs at least 13 samples, got 12; choose fewer",
    );
    check(refused(mlp(), &[0.5; 12], &halves), "all values of T are equal");
    let real = Variable::Real(Points::new(t.as_slice(), 1).unwrap());
    let wrong = logistic().between(&real, std::slice::from_ref(&real)).remove(0).unwrap_err().to_string();
    check(
        wrong,
        "`decoder` cannot estimate the information between two real vectors; it needs real vectors and classes",
    );
    // Classes with fewer samples than folds.
    assert!(information(logistic(), &t, 1, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]).is_ok());
    assert_eq!(information(logistic(), &t, 1, &[3; 12]), Ok(0.0));
}

#[test]
fn a_fit_that_does_not_converge_is_an_error() {
    // Nearly collinear powers, and almost no penalty: weights of opposite signs grow for thousands of steps.
    let t: Vec<f64> =
        (0..60).flat_map(|i| (1..12).map(move |power| (1.0 + f64::from(i) / 600.0).powi(power))).collect();
    let y: Vec<u32> = (0..60).map(|i| i / 5 % 2).collect();
    let refused = information(Decoder::logistic(1e-300).unwrap(), &t, 11, &y).unwrap_err();
    assert!(matches!(refused, EstimateError::NotConverged { n_steps: N_STEPS, .. }), "{refused}");
}

#[test]
fn parameters_are_checked_and_named_where_they_differ_from_their_defaults() {
    let built = |words: &[(&str, &str)]| {
        let given = words.iter().map(|(name, word)| ((*name).to_owned(), Value::parse_list(word))).collect();
        let built = Parameters::product(SPEC.parameters, given).and_then(|sets| (SPEC.build)(&sets));
        built.map(|set| set.members().iter().map(|member| member.id.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(built(&[]).unwrap(), ["decoder-logistic"]);
    assert_eq!(
        built(&[("probe", "logistic,mlp"), ("folds", "10")]).unwrap(),
        ["decoder-logistic-folds-10", "decoder-mlp-folds-10"]
    );
    assert_eq!(
        built(&[("l2", "1,0.1"), ("seed", "7")]).unwrap(),
        ["decoder-logistic-seed-7", "decoder-logistic-l2-0.1-seed-7"]
    );
    assert_eq!(built(&[("probe", "mlp"), ("hidden", "8")]).unwrap(), ["decoder-mlp-hidden-8"]);
    let refused = built(&[("probe", "mlp"), ("l2", "0.1")]).unwrap_err().to_string();
    assert_eq!(refused, "parameter `l2`: only for `probe` logistic; leave out `l2`");
    assert!(built(&[("hidden", "8")]).is_err() && Decoder::logistic(0.0).is_err() && Decoder::mlp(0).is_err());
    assert!(logistic().folds(1).is_err());
}
