//! The bounds compared with distributions whose information is known.

use std::borrow::Cow;

use rand::RngExt;
use rand_distr::StandardNormal;

use super::*;
use crate::parameter::Parameters;

/// Standard normal x and y of `d` coordinates, with correlation `rho` in each: I = −(d/2) ln(1 − ρ²).
fn gaussian(n: usize, d: usize, rho: f64) -> (Variable<'static>, Variable<'static>) {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut normal = || rng.sample::<f64, _>(StandardNormal);
    let x: Vec<f64> = (0..n * d).map(|_| normal()).collect();
    let y: Vec<f64> = x.iter().map(|x| rho * x + (1.0 - rho * rho).sqrt() * normal()).collect();
    (Variable::Real(Points::new(x, d).unwrap()), Variable::Real(Points::new(y, d).unwrap()))
}

fn value(neural: Neural, a: &Variable<'_>, b: &Variable<'_>) -> f64 {
    neural.between(a, std::slice::from_ref(b)).remove(0).unwrap().value.0
}

fn every_bound() -> [Neural; 3] {
    [Neural::infonce(), Neural::nwj(), Neural::dv()].map(|neural| neural.steps(400).unwrap())
}

#[test]
fn bounds_of_gaussians_are_below_the_information_and_above_half_of_it() {
    let (infonce, [_, nwj, dv]) = (every_bound()[0], every_bound());
    let cases =
        [(infonce, 1, 0.5), (infonce, 1, 0.9), (infonce, 3, 0.5), (infonce, 3, 0.9), (nwj, 1, 0.9), (nwj, 3, 0.5)];
    for (neural, d, rho) in cases.into_iter().chain([(dv, 1, 0.9), (dv, 3, 0.5)]) {
        let (x, y) = gaussian(2000, d, rho);
        let (found, truth) = (value(neural, &x, &y), -(d as f64) / 2.0 * (1.0 - rho * rho).ln());
        // The pointwise information has a standard deviation of ρ√d; its mean over the 400 test samples, four times.
        let error = 4.0 * rho * (d as f64).sqrt() / 20.0;
        assert!(found < truth + error && found > truth / 2.0, "{:?} {d} {rho}: {found} of {truth}", neural.bound);
    }
}

#[test]
fn infonce_ends_at_the_logarithm_of_the_batch() {
    // 19.6 nats: every pair of a batch can be found.
    let (x, y) = gaussian(1000, 10, 0.99);
    let neural = Neural::infonce().batch(16).unwrap().steps(1000).unwrap();
    let found = neural.between(&x, &[y]).remove(0).unwrap();
    assert_eq!(found.ceiling, Some(Nats(16_f64.ln())));
    assert!((0.9 * 16_f64.ln()..=16_f64.ln()).contains(&found.value.0), "{found:?}");
    assert_eq!(Neural::nwj().steps(1).unwrap().between(&x, std::slice::from_ref(&x)).remove(0).unwrap().ceiling, None);
}

#[test]
fn independent_variables_have_a_bound_of_about_0_even_if_the_critic_can_learn_them_by_heart() {
    // 40 coordinates and 180 training samples.
    let (x, y) = gaussian(300, 40, 0.0);
    for neural in every_bound() {
        let found = value(neural, &x, &y);
        assert!(found.abs() < 0.1, "{:?}: {found}", neural.bound);
    }
}

#[test]
fn classes_are_variables_too_on_either_side() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let y: Vec<u32> = (0..2000).map(|_| rng.random_range(0..2)).collect();
    let t: Vec<f64> = y.iter().map(|y| 2.0 * f64::from(*y) - 1.0 + rng.sample::<f64, _>(StandardNormal)).collect();
    let (t, y) = (Variable::Real(Points::new(t, 1).unwrap()), Variable::Classes(Cow::Owned(Cells::of_rows(&y, 1))));
    for neural in every_bound() {
        for found in [value(neural, &t, &y), value(neural, &y, &t)] {
            // By quadrature (SciPy): 0.33683 nats, standard deviation of the pointwise information 0.563, 400 test samples.
            assert!((0.168..0.336_830_820_3 + 4.0 * 0.563 / 20.0).contains(&found), "{:?}: {found}", neural.bound);
        }
    }
    // A label and itself: ln 2.
    let itself = value(Neural::infonce(), &y, &y);
    assert!((0.6..0.75).contains(&itself), "{itself}");
}

#[test]
fn results_depend_on_the_seed_and_not_on_threads_or_other_variables() {
    let (x, y) = gaussian(200, 2, 0.9);
    let neural = Neural::infonce().steps(60).unwrap();
    let pair = neural.between(&x, &[x.clone(), y.clone()]);
    let alone = value(neural, &x, &y);
    assert_eq!(pair[1].as_ref().unwrap().value.0.to_bits(), alone.to_bits());
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(single.install(|| value(neural, &x, &y)).to_bits(), alone.to_bits());
    assert_ne!(value(neural.seed(1), &x, &y), alone);
}

#[test]
fn data_that_have_no_estimate_are_refused_with_the_reason() {
    let (x, y) = gaussian(40, 1, 0.5);
    let constant = Variable::Real(Points::new(vec![0.25; 40], 1).unwrap());
    let classes =
        |f: fn(u32) -> u32| Variable::Classes(Cow::Owned(Cells::of_rows(&(0..40).map(f).collect::<Vec<u32>>(), 1)));
    let refused = |a: &Variable<'_>, b: &Variable<'_>| {
        Neural::infonce().between(a, std::slice::from_ref(b)).remove(0).unwrap_err().to_string()
    };
    let check = |got: String, expected: &str| assert!(got.starts_with(expected), "{got}");
    check(refused(&x, &constant), "all values of B are equal");
    check(refused(&constant, &x), "all values of A are equal");
    check(refused(&x, &classes(|i| i % 21)), "there are 21 classes for 40 samples");
    let few: Vec<u32> = (0..19).collect();
    check(refused(&x.of(&few), &y.of(&few)), "`neural` needs at least 20 samples, got 19");
    assert_eq!(value(Neural::infonce(), &x, &classes(|_| 0)), 0.0);
    let many: Vec<u32> = (0..10_000).collect();
    let (many, most) = (Cells::of_rows(&many.iter().map(|i| i / 2).collect::<Vec<_>>(), 1), MOST_CLASSES);
    let many = Variable::Classes(Cow::Owned(many));
    check(refused(&many, &many), &format!("there are 5000 classes, but `neural` can use at most {most}"));
    let diverged = Neural::nwj().learning_rate(1e30).unwrap().between(&x, &[y]).remove(0).unwrap_err();
    check(diverged.to_string(), "the critic of `neural` did not converge within");
}

#[test]
fn parameters_are_checked_and_named_where_they_differ_from_their_defaults() {
    let names = |words: &[(&str, &str)]| {
        let given = words.iter().map(|(name, word)| ((*name).to_owned(), Value::parse_list(word))).collect();
        let set = (SPEC.build)(&Parameters::product(SPEC.parameters, given).unwrap()).unwrap();
        set.members().iter().map(|member| member.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["neural-infonce"]);
    assert_eq!(names(&[("bound", "infonce,nwj,dv")]), ["neural-infonce", "neural-nwj", "neural-dv"]);
    let others = [("batch", "64"), ("steps", "50"), ("learning_rate", "1e-5"), ("seed", "2")];
    assert_eq!(names(&others), ["neural-infonce-batch-64-steps-50-learning-rate-1e-5-seed-2"]);
    assert!(Neural::infonce().batch(1).is_err() && Neural::infonce().steps(0).is_err());
    assert!(Neural::infonce().learning_rate(0.0).is_err());
}
