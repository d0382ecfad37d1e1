//! Compares values for a regression with 20 samples and 3 weights with formulas in NumPy.

#![cfg(test)]

use std::f64::consts::{E, PI};

use proptest::prelude::*;

use super::*;
use crate::weights::fixtures::{assert_all_close, assert_close, numbers, values};

/// sin(a + b i + c j + e i j) of 20 samples i and 3 weights j.
fn model(a: f64, b: f64, c: f64, e: f64) -> LinearModel {
    let entry = |(i, j): (usize, usize)| (a + b * i as f64 + c * j as f64 + e * (i * j) as f64).sin();
    LinearModel::new(Array2::from_shape_fn((20, 3), entry).view()).unwrap()
}

fn full_rank() -> LinearModel {
    model(1.0, 0.37, 0.91, 0.53)
}

/// Σ_y = λ XXᵀ + σ² I.
fn responses(model: &LinearModel, lambda: f64, noise: f64) -> RandomResponses {
    let covariance = model.x.dot(&model.x.t()) * lambda + Array2::<f64>::eye(model.n_samples()) * noise;
    model.with_responses(covariance.view()).unwrap()
}

#[test]
fn information_of_the_posterior() {
    let page = model(1.0, 1.3, 2.1, 0.0);
    for (lambda, noise, expected) in
        [(1.0, 1.0, 2.771_868_526_365), (1.0, 0.1, 5.016_484_412_644), (10.0, 0.1, 7.313_083_173_663)]
    {
        assert_close(page.posterior_information(lambda, noise).unwrap().0, expected);
    }
    let cases = [
        (1.0, 1.0, 3.613_653_368_391),
        (1.0, 0.1, 6.938_265_818_682),
        (10.0, 0.1, 10.378_552_684_25),
        (0.01, 1.0, 0.147_012_448_507_2),
    ];
    for (lambda, noise, expected) in cases {
        assert_close(full_rank().posterior_information(lambda, noise).unwrap().0, expected);
    }
}

#[test]
fn the_mean_kl_is_the_information() {
    assert_close(full_rank().expected_kl(1.0, 0.1).unwrap().0, 6.938_265_818_682);
}

#[test]
fn information_of_gibbs_law() {
    let model = full_rank();
    // The true weights are random, and the Gibbs distribution is the posterior with variances 1 and 0.1.
    assert_close(responses(&model, 1.0, 0.1).gibbs_information(10.0, 0.1).unwrap().0, 6.938_265_818_682);
    let fixed = responses(&model, 0.0, 0.1);
    for (beta, expected) in [(1.0, 0.141_598_310_275_2), (10.0, 1.032_186_284_763), (1000.0, 6.907_722_291_449)] {
        assert_close(fixed.gibbs_information(beta, 0.1).unwrap().0, expected);
    }
}

#[test]
fn information_of_langevin_training() {
    let fixed = responses(&full_rank(), 0.0, 0.1);
    let training = Langevin::new(0.002, 10.0, 0.1).unwrap();
    let cases = [
        (1, 0.075_368_091_830_2, 0.075_368_091_830_2, 0.075_368_091_830_2),
        (10, 0.571_334_558_740_4, 0.620_548_150_125_1, 0.753_680_918_302),
        (100, 0.992_607_592_299_7, 2.705_161_116_975, 7.536_809_183_02),
        (1000, 0.992_785_535_128_8, 5.913_496_096_398, 75.368_091_830_2),
    ];
    for (n_steps, last, path, sum) in cases {
        assert_close(fixed.final_information(training, n_steps).unwrap().0, last);
        assert_close(fixed.path_information(training, n_steps).unwrap().0, path);
        assert_close(fixed.sum_over_steps(training, n_steps).unwrap().0, sum);
    }
    assert_close(fixed.stationary_information(training).unwrap().0, 0.992_785_535_128_8);
    // Short steps converge to the Gibbs distribution; the difference is of the order of the step, which is 1/200000
    // here.
    let short = Langevin::new(1e-8, 10.0, 0.1).unwrap();
    let gibbs = fixed.gibbs_information(10.0, 0.1).unwrap().0;
    assert!((fixed.stationary_information(short).unwrap().0 - gibbs).abs() < 1e-6);
}

#[test]
fn information_at_a_resolution() {
    let fixed = responses(&full_rank(), 0.0, 0.1);
    let expected = [(1.0, 0.015_108_860_334_24), (0.1, 1.040_230_569_807), (0.01, 6.907_744_244_975)];
    for (tau, expected) in expected {
        assert_close(fixed.resolved_information(0.02, 100, tau).unwrap().0, expected);
    }
    assert_eq!(fixed.resolved_information(0.02, 0, 0.1).unwrap(), Nats(0.0));
    assert_close(fixed.loss_of_resolution(0.1), 0.154_728_927_481_6);
    let diverged = fixed.resolved_information(5.0, 1000, 1.0).unwrap_err().to_string();
    assert_eq!(diverged, "gradient descent diverged; choose a smaller learning rate than 5");
    let Some(source) = values("d9_newer") else { return };
    let source = &source["resolution_tau"];
    for (name, tau) in [("tau=1.0", 1.0), ("tau=0.1", 0.1), ("tau=0.01", 0.01)] {
        for (steps, informations) in source["values"].as_object().unwrap() {
            let n_steps: usize = steps.strip_prefix("T=").unwrap().parse().unwrap();
            let expected = informations[name].as_f64().unwrap();
            assert_close(fixed.resolved_information(0.02, n_steps, tau).unwrap().0, expected);
        }
        let expected = source["loss_cost tau^2 tr(X'X)/2 per tau"][name].as_f64().unwrap();
        assert_close(fixed.loss_of_resolution(tau), expected);
    }
}

/// The posterior with variances 1 and 0.1 given y = Xw + 0.3 cos(2.3 i² + 0.4), w = (0.5, 1, 1.5).
fn posterior() -> RegressionPosterior {
    let model = full_rank();
    let y: Vec<f64> = (0..20)
        .map(|i| {
            let signal = model.x.row(i).dot(&Array1::from(vec![0.5, 1.0, 1.5]));
            signal + 0.3 * (2.3 * (i * i) as f64 + 0.4).cos()
        })
        .collect();
    model.posterior(&y, 1.0, 0.1).unwrap()
}

/// The posterior without the first sample.
fn posterior_without_the_first() -> RegressionPosterior {
    let posterior = posterior();
    let keep: Vec<usize> = (1..20).collect();
    let rest = LinearModel::new(posterior.model.x.select(ndarray::Axis(0), &keep).view()).unwrap();
    rest.posterior(&posterior.y.to_vec()[1..], 1.0, 0.1).unwrap()
}

#[test]
fn the_excess_of_the_online_code_is_the_information_density() {
    let posterior = posterior();
    let online: Vec<f64> = posterior.online_code_lengths().iter().map(|nats| nats.0).collect();
    assert_all_close(&online[..3], &[2.455_572_594_322, 2.173_547_412_541, 0.745_689_763_046_5]);
    assert_close(posterior.online_code_length().0, 7.163_411_622_012);
    assert_close(posterior.minus_log_marginal().unwrap().0, 7.163_411_622_012);
    assert_close(posterior.final_model_code_length().0, -1.809_359_094_444);
    let excess = posterior.online_code_length() - posterior.final_model_code_length();
    assert_close(excess.0, 8.972_770_716_456);
    assert_close(posterior.information_density(posterior.mean().view()).unwrap().0, 8.972_770_716_456);
    assert_close(posterior.kl().unwrap().0, 7.487_800_092_554);
}

#[test]
fn the_mean_online_code_length_is_that_of_the_noise_and_the_information() {
    let noise = 10.0 * (2.0 * PI * E * 0.1).ln();
    assert_close(full_rank().expected_online_code_length(1.0, 0.1).unwrap().0 - noise, 6.938_265_818_682);
}

#[test]
fn samples_move_the_posterior_as_leaving_them_out_says() {
    let (posterior, without) = (posterior(), posterior_without_the_first());
    let information: Vec<f64> = posterior.sample_information().iter().map(|nats| nats.0).collect();
    assert_close(information[0], 0.024_609_764_327_62);
    assert_close(information.iter().sum(), 0.593_114_247_564);
    let difference = posterior.mean() - without.mean();
    let precision = inverse(posterior.covariance()).unwrap();
    assert_close(0.5 * difference.dot(&precision.dot(&difference)), information[0]);
    // ln q(m)/p(m) − ln q(m₋₁)/p(m₋₁) includes the distance and the difference of the norms.
    let at = |w: &Array1<f64>| posterior.information_density(w.view()).unwrap().0 - 0.5 * w.dot(w);
    assert_close(at(posterior.mean()) - at(without.mean()), information[0]);
    let Some(source) = values("d9_newer") else { return };
    assert_all_close(&information[..5], &numbers(&source["sample_information"]["first5"]));
}

#[test]
fn influences_are_covariances_of_losses() {
    let influence = posterior().influence();
    assert_close(influence[(0, 0)], 0.000_527_511_781_950_2);
    assert_close(influence[(0, 1)], -0.000_196_896_292_776_8);
    assert_close(influence.diag().sum(), 0.010_911_230_230_81);
    assert_close(influence.sum(), 0.015_219_478_169_07);
    let Some(source) = values("d9_newer") else { return };
    let source = &source["bayesian_influence"];
    assert_all_close(
        &[influence[(0, 0)], influence[(0, 1)], influence.sum()],
        &["00", "01", "sum"].map(|name| source[name].as_f64().unwrap()),
    );
}

#[test]
fn an_impossible_regression_is_refused() {
    let model = full_rank();
    let error = |result: Result<Nats, MeasureError>| result.unwrap_err().to_string();
    let expected = "`noise_variance` must be a finite number above 0, got 0";
    assert_eq!(error(model.posterior_information(1.0, 0.0)), expected);
    let expected = "`inverse_temperature` must be a finite number above 0, got inf";
    assert_eq!(error(responses(&model, 0.0, 0.1).gibbs_information(f64::INFINITY, 0.1)), expected);
    let diverging = Langevin::new(0.04, 10.0, 0.1).unwrap();
    let words = error(responses(&model, 0.0, 0.1).stationary_information(diverging));
    assert!(words.starts_with("a step of 0.04 at an inverse temperature of 10 diverges"), "{words}");
    let words = error(responses(&model, 0.0, 0.1).final_information(diverging, 0));
    assert!(words.starts_with("weights before the first step"), "{words}");
    let words = model.with_responses(Array2::eye(3).view()).unwrap_err().to_string();
    assert_eq!(words, "the covariance of 20 responses is 20 × 20, got 3 × 3");
    let mut covariance = Array2::eye(20);
    covariance[(0, 1)] = 0.5;
    let words = model.with_responses(covariance.view()).unwrap_err().to_string();
    assert_eq!(words, "the covariance of the responses is not symmetric; give a symmetric matrix");
    assert_eq!(
        model.posterior(&[0.0], 1.0, 1.0).unwrap_err().to_string(),
        "20 samples have 1 responses; give one per sample"
    );
    let words = |y: &[f64], prior| model.posterior(y, prior, 0.1).unwrap_err().to_string();
    assert_eq!(words(&[f64::NAN; 20], 1.0), "a response is not finite");
    assert_eq!(words(&[1.0; 20], 0.0), "`prior_variance` must be a finite number above 0, got 0");
    let words = posterior().information_density(Array1::zeros(2).view()).unwrap_err().to_string();
    assert_eq!(words, "the model has 3 weights, got 2");
    assert!(model.expected_online_code_length(1.0, 0.0).is_err());
    assert!(LinearModel::new(Array2::zeros((0, 3)).view()).is_err());
    assert!(LinearModel::new(Array2::from_elem((2, 3), f64::NAN).view()).is_err());
}

proptest! {
    #[test]
    fn both_routes_to_the_information_agree(
        n in 1..30_usize,
        d in 1..6_usize,
        lambda in 0.01..10.0_f64,
        noise in 0.05..5.0_f64,
    ) {
        let entry = |(i, j): (usize, usize)| (1.0 + 0.37 * i as f64 + 0.91 * j as f64 + 0.53 * (i * j) as f64).sin();
        let model = LinearModel::new(Array2::from_shape_fn((n, d), entry).view()).unwrap();
        let information = model.posterior_information(lambda, noise).unwrap().0;
        let code = model.expected_kl(lambda, noise).unwrap().0;
        let gibbs = responses(&model, lambda, noise).gibbs_information(1.0 / noise, noise / lambda).unwrap().0;
        // Matrices with condition number λ|X|²/σ² < 10⁵.
        prop_assert!((code - information).abs() < 1e-9 * (1.0 + information), "{code} {information}");
        prop_assert!((gibbs - information).abs() < 1e-9 * (1.0 + information), "{gibbs} {information}");
    }
}
