//! Tests of the sampler on potentials with known answers, and of the measure on networks.

use super::*;
use crate::parameter::Parameters;
use crate::weights::fixtures::{assert_close, f_net, t_net, values};

/// L(x) = ½ Σ h x².
fn quadratic(h: &[f64]) -> impl Fn(&[f64]) -> (f64, Vec<f64>) + Sync {
    let h = h.to_vec();
    move |x: &[f64]| {
        let loss = x.iter().zip(&h).map(|(x, h)| 0.5 * h * x * x).sum();
        (loss, x.iter().zip(&h).map(|(x, h)| h * x).collect())
    }
}

#[test]
fn chains_on_a_quadratic_find_what_the_closed_form_says() {
    let h = [1.0, 0.3, 0.05];
    let (eps, gamma, n_beta, n_chains) = (0.001, 1.0, n_beta(1000.0), 400);
    let sgld = Sgld::new(eps, gamma).unwrap().chains(n_chains, 500, 200).unwrap();
    let found = sgld.sample(&[0.0; 3], n_beta, 1, quadratic(&h)).unwrap();
    let exact = LocalQuadratic::new(&h, n_beta, gamma).unwrap();
    let mean = exact.estimator_mean(eps, 200, 500, Recorded::AfterStep);
    let std = exact.estimator_std(eps, 200, 500, Recorded::AfterStep);
    // Four standard errors of the mean of 400 independent chains.
    assert!((found.value - mean).abs() < 4.0 * std / 20.0, "{} is not {mean}", found.value);
    // The standard deviation of 400 numbers, with heavier tails than a normal distribution, is accurate to about 10 %.
    let ratio = found.std_error.unwrap() * 20.0 / std;
    assert!((ratio - 1.0).abs() < 0.2, "{ratio}");
    assert!(found.r_hat < 1.2, "{}", found.r_hat);
    assert_eq!((found.loss, found.gradient_norm), (0.0, 0.0));
    assert_eq!(sgld.sample(&[0.0; 3], n_beta, 1, quadratic(&h)).unwrap(), found);
}

#[test]
fn the_acceptance_is_that_of_the_arcsine_law() {
    for (ea, draws) in [(0.5, 4000), (2.0, 4000)] {
        let sgld = Sgld::new(ea / 11.0, 1.0).unwrap().chains(8, draws, 100).unwrap();
        let found = sgld.sample(&[0.0], 10.0, 3, quadratic(&[1.0])).unwrap();
        // The stationary distribution of the chain is wider than the posterior by 1/(1 − εa/4), which the closed form
        // ignores.
        let x_scale = 1.0 / (1.0 - ea / 4.0_f64).sqrt();
        let expected = acceptance_of_gaussian(ea, x_scale);
        // Each is at most ½ from the mean, with 32 000 draws: four standard errors are below 0.012.
        assert!((found.acceptance - expected).abs() < 0.012, "{} is not {expected}", found.acceptance);
    }
}

/// E min(1, exp(−(εa²/8)(y² − x²))) for x ~ N(0, s²/a) by a sum over a grid of x and noise, a = 1.
fn acceptance_of_gaussian(ea: f64, s: f64) -> f64 {
    let grid: Vec<f64> = (-400..=400).map(|k| f64::from(k) * 0.02).collect();
    let weight = |z: f64| (-0.5 * z * z).exp() * 0.02 / (2.0 * std::f64::consts::PI).sqrt();
    let mut sum = 0.0;
    for x in &grid {
        for xi in &grid {
            let y = (1.0 - ea / 2.0) * s * x + ea.sqrt() * xi;
            sum += weight(*x) * weight(*xi) * (-(ea / 8.0) * (y * y - s * s * x * x)).min(0.0).exp();
        }
    }
    sum
}

#[test]
fn the_grid_of_the_acceptance_agrees_with_the_closed_form() {
    // Kinks of the integrand on a grid of step 0.02.
    assert!((acceptance_of_gaussian(0.5, 1.0) - mala_acceptance(0.5)).abs() < 1e-4);
}

#[test]
fn away_from_the_minimum_the_estimate_is_negative() {
    let (h, offsets) = ([1.0, 0.3, 0.05], [0.5, -0.4, 0.3]);
    let sgld = Sgld::new(0.0005, 1.0).unwrap().chains(8, 20_000, 4000).unwrap();
    let found = sgld.sample(&offsets, n_beta(1000.0), 2, quadratic(&h)).unwrap();
    let exact = LocalQuadratic::new(&h, n_beta(1000.0), 1.0).unwrap().off_minimum(&offsets);
    // The step widens each direction by less than εa/4 = 2 % of at most ½.
    assert!((found.value - exact).abs() < 4.0 * found.std_error.unwrap() + 0.03, "{} is not {exact}", found.value);
    assert!(found.gradient_norm > 0.5);
}

#[test]
fn singular_losses_have_the_numbers_of_scipy() {
    let cases: [(&[u32], &str); 6] = [
        (&[2], "w^2"),
        (&[4], "w^4"),
        (&[6], "w^6"),
        (&[2, 2], "w1^2 w2^2"),
        (&[2, 4], "w1^2 w2^4"),
        (&[2, 2, 2], "w1^2 w2^2 w3^2"),
    ];
    let monomial = |exponents: &[u32]| Monomial::new(exponents).unwrap();
    assert_close(monomial(&[2, 2]).sampled_coefficient(100.0), 0.347_762_416_844_148);
    assert_close(monomial(&[2, 2, 2]).sampled_coefficient(1e6), 0.375_712_826_578_179);
    assert_close(monomial(&[4, 2]).sampled_coefficient(1e4), 0.237_150_039_975_356);
    assert_close(monomial(&[4]).sampled_coefficient(10.0), 0.249_977_732_318_002);
    assert_close(monomial(&[2, 2]).volume(1e-4), 0.056_051_701_859_88);
    assert_close(-monomial(&[2, 2]).volume(1e-4).ln(), 2.881_480_766_68);
    // The leading term of −ln V, and the correction by the multiplicity.
    assert_close(code_length_at_tolerance(0.5, 1, 1e-4).0, 4.605_170_185_988);
    assert_close(code_length_at_tolerance(0.5, 2, 1e-4).0, 4.605_170_185_988 - 9.210_340_371_976_f64.ln());
    let Some(file) = values("d3_llc") else { return };
    for (exponents, key) in cases {
        let expected = &file["box_[-1,1]^d_uniform_prior"]["cases"][key];
        let monomial = monomial(exponents);
        assert_close(monomial.coefficient(), expected["lambda"].as_f64().unwrap());
        assert_eq!(Some(monomial.multiplicity() as u64), expected["multiplicity"].as_u64());
        for (t, numbers) in expected["values"].as_object().unwrap() {
            let t: f64 = t.strip_prefix("t=").unwrap().parse().unwrap();
            assert_close(monomial.sampled_coefficient(t), numbers["tE[K]"].as_f64().unwrap());
            assert_close(monomial.free_energy(t), numbers["F=-lnZ"].as_f64().unwrap());
        }
        for (tolerance, volume) in file["volume"][key].as_object().into_iter().flatten() {
            let tolerance: f64 = tolerance.strip_prefix("eps=").unwrap().parse().unwrap();
            assert_close(monomial.volume(tolerance), volume.as_f64().unwrap());
        }
    }
}

#[test]
fn localised_singular_losses_have_the_numbers_of_scipy() {
    let ridge = |n: f64, gamma| localised_llc_in_plane(|a, b| a * a * b * b, n_beta(n), gamma).unwrap();
    assert_close(ridge(1000.0, 1.0), 0.361_403_290_211_069);
    assert_close(ridge(1000.0, 100.0), 0.013_046_505_531_767_1);
    assert_close(ridge(1e6, 1.0), 0.425_291_741_954_799);
    let quartic = |n: f64, gamma| localised_llc_on_line(|w| w.powi(4), n_beta(n), gamma).unwrap();
    assert_close(quartic(1000.0, 1.0), 0.243_093_039_036_599);
    assert_close(quartic(1e6, 100.0), 0.220_818_192_112_159);
    let tanh_toy = |n: f64| {
        let x: Vec<f64> = (0..16).map(|s| (0.5 + 0.9 * f64::from(s)).cos()).collect();
        let excess = |a: f64, b: f64| x.iter().map(|x| (a * (b * x).tanh()).powi(2) / 2.0).sum::<f64>() / 16.0;
        localised_llc_in_plane(excess, n_beta(n), 1.0).unwrap()
    };
    assert_close(tanh_toy(1000.0), 0.338_294_860_393_2);
    assert_close(tanh_toy(1e5), 0.402_786_721_105_1);
}

#[test]
fn a_logistic_regression_has_the_coefficient_of_scipy_and_of_laplace() {
    let x: Vec<[f64; 2]> =
        (0..40).map(|s| [(0.3 + 0.71 * f64::from(s)).cos(), (1.1 + 0.37 * f64::from(s)).sin()]).collect();
    let y: Vec<bool> = x.iter().enumerate().map(|(s, x)| (0.9 + 1.7 * s as f64).sin() + 0.8 * x[0] > 0.0).collect();
    let loss = |w: [f64; 2]| {
        let of_sample = |(x, y): (&[f64; 2], &bool)| {
            let z = x[0] * w[0] + x[1] * w[1];
            let z = if *y { -z } else { z };
            z.max(0.0) + (-z.abs()).exp().ln_1p()
        };
        x.iter().zip(&y).map(of_sample).sum::<f64>() / 40.0
    };
    let best = [1.587_297_616_882, 0.119_796_953_447_1];
    let lowest = loss(best);
    let excess = |u: f64, v: f64| loss([best[0] + u, best[1] + v]) - lowest;
    let found = localised_llc_in_plane(excess, n_beta(40.0), 1.0).unwrap();
    assert_close(found, 0.485_740_714_414_7);
    // Eigenvalues of the page's Hessian [[a, b], [b, c]].
    let (a, b, c) = (0.081_794_665_825_76, -0.001_608_046_689_468, 0.098_075_101_281_32);
    let (middle, half): (f64, f64) = ((a + c) / 2.0, (((a - c) / 2.0_f64).powi(2) + b * b).sqrt());
    let laplace = LocalQuadratic::new(&[middle - half, middle + half], n_beta(40.0), 1.0).unwrap();
    assert_close(laplace.exact(), 0.492_669_479_416_7);
}

#[test]
fn reduced_rank_regression_has_the_table_of_aoyagi_and_watanabe() {
    let table = [
        (1, 1, 1, 0, 0.5, 2),
        (5, 3, 5, 0, 6.5, 2),
        (5, 4, 5, 0, 8.0, 1),
        (4, 3, 8, 0, 6.0, 1),
        (8, 3, 4, 0, 6.0, 1),
        (3, 8, 4, 0, 6.0, 1),
        (5, 3, 5, 2, 9.5, 2),
        (2, 2, 2, 1, 2.0, 2),
    ];
    for (m, h, n, r, coefficient, multiplicity) in table {
        assert_eq!(reduced_rank_coefficient(m, h, n, r), Ok((coefficient, multiplicity)));
    }
    assert!(reduced_rank_coefficient(2, 1, 2, 2).is_err());
}

fn llc() -> Llc {
    Llc::new(Sgld::new(1e-3, 10.0).unwrap().chains(4, 400, 200).unwrap())
}

fn value(readings: &[Reading], quantity: &str) -> f64 {
    readings.iter().find(|reading| reading.quantity == quantity).unwrap().value
}

fn warning<'a>(readings: &'a [Reading], quantity: &str) -> Option<&'a str> {
    readings.iter().find(|reading| reading.quantity == quantity).unwrap().warning.as_deref()
}

#[test]
fn a_trained_network_has_a_positive_coefficient_below_half_its_weights() {
    let trained = t_net();
    let readings = llc().measure(&trained.recorded()).unwrap();
    let found = value(&readings, "llc");
    assert!(found > 0.0 && found < 39.0 / 2.0, "{readings:?}");
    assert!(value(&readings, "acceptance") > 0.9 && value(&readings, "gradient_norm") < 0.1, "{readings:?}");
    assert!(readings[0].std_error.is_some() && readings.iter().all(|reading| reading.warning.is_none()));
    assert_eq!(llc().measure(&trained.recorded()).unwrap(), readings);
}

#[test]
fn a_network_that_is_not_trained_is_marked() {
    let readings = llc().measure(&f_net().recorded()).unwrap();
    assert!(value(&readings, "llc") < 0.0);
    assert!(warning(&readings, "llc").unwrap().starts_with("not at a minimum"), "{readings:?}");
}

#[test]
fn doubts_are_warnings_of_the_coefficient_and_not_of_what_shows_them() {
    let found = |value, share_below, r_hat, acceptance| {
        let (loss, gradient_norm) = (0.1, 0.0);
        let chains = vec![value];
        let std_error = None;
        doubts(&LlcEstimate { value, std_error, loss, gradient_norm, acceptance, share_below, r_hat, chains })
            .join("; ")
    };
    assert_eq!(found(1.0, 0.01, 1.1, 0.9), "");
    assert_eq!(found(-1.0, 0.6, 1.0, 1.0), "not at a minimum: 60 % of the draws have a lower loss");
    assert_eq!(found(1.0, 0.12, 1.0, 1.0), "not at a minimum: 12 % of the draws have a lower loss");
    assert_eq!(
        found(1.0, 0.0, 1.2, 0.89),
        "the chains have not mixed: r_hat is above 1.1; the steps are too large: acceptance is below 0.9"
    );

    // Chains of four draws, and steps fifty times as large.
    let few = Llc::new(Sgld::new(1e-3, 10.0).unwrap().chains(4, 4, 0).unwrap());
    let large = Llc::new(Sgld::new(0.05, 10.0).unwrap().chains(4, 400, 200).unwrap());
    for (measure, expected) in [(few, "have not mixed"), (large, "acceptance is below 0.9")] {
        let readings = measure.measure(&t_net().recorded()).unwrap();
        assert!(warning(&readings, "llc").unwrap().contains(expected), "{readings:?}");
        assert_eq!(warning(&readings, "llc"), warning(&readings, "excess_loss"));
        for quantity in ["gradient_norm", "acceptance", "r_hat"] {
            assert_eq!(warning(&readings, quantity), None, "{readings:?}");
        }
        assert!(readings.iter().all(|reading| reading.method.as_ref().unwrap().ends_with("40 samples")));
    }
}

#[test]
fn away_from_a_minimum_the_number_is_too_small_and_still_positive() {
    // L = (x² + y²)/2: at the minimum no draw has a lower loss. From (a, 0) with nβ a²/2 = ½, the draws within |w| < a
    // have one, a share of 1 − exp(−½) without localisation, and λ = 1 is underestimated by nβ L(w*) = ½.
    let sgld = Sgld::new(1e-3, 1e-6).unwrap().chains(4, 20_000, 2000).unwrap();
    let at_minimum = sgld.sample(&[0.0, 0.0], 100.0, 0, quadratic(&[1.0, 1.0])).unwrap();
    assert_eq!(at_minimum.share_below, 0.0);
    let found = sgld.sample(&[0.1, 0.0], 100.0, 0, quadratic(&[1.0, 1.0])).unwrap();
    assert!((found.value - 0.5).abs() < 0.1, "{found:?}");
    assert!((found.share_below - 0.393).abs() < 0.05, "{found:?}");
    assert_eq!(doubts(&found).len(), 1, "{found:?}");

    // If losses differ only by rounding, no draw is lower.
    let flat = |x: &[f64]| (1.0 - 1e-15 * x[0].signum(), vec![0.0]);
    assert_eq!(sgld.sample(&[0.0], 100.0, 0, flat).unwrap().share_below, 0.0);
}

#[test]
fn all_settings_are_in_the_method() {
    let readings = llc().measure(&t_net().recorded()).unwrap();
    let Sgld { n_chains, n_draws, burn_in, .. } = llc().sgld;
    let expected = format!("{n_chains} chains of {n_draws} draws after {burn_in} steps, 40 samples");
    assert!(readings[0].method.as_ref().unwrap().ends_with(&expected), "{readings:?}");
}

#[test]
fn a_step_that_is_too_large_is_refused_by_the_step_where_the_chain_diverged() {
    let sgld = Sgld::new(1.0, 1.0).unwrap().chains(1, 5000, 0).unwrap();
    let refused = sgld.sample(&[0.0], 100.0, 0, quadratic(&[1.0])).unwrap_err().to_string();
    assert!(refused.starts_with("a chain diverged at step") && refused.ends_with("than 1"), "{refused}");
}

#[test]
fn a_subset_has_an_inverse_temperature_of_its_own() {
    let method = |measure: Llc| measure.measure(&t_net().recorded()).unwrap()[0].method.clone().unwrap();
    assert!(method(llc()).starts_with(&format!("n beta {:.6}", n_beta(40.0))));
    assert!(method(llc().subset(20)).starts_with(&format!("n beta {:.6}", n_beta(20.0))));
    assert!(method(llc().subset(20)).ends_with("20 samples"));
    let fixture = t_net();
    let compat = RecordedNetwork { batch_size: Some(8), ..fixture.recorded() };
    let readings = llc().compat_devinterp().measure(&compat).unwrap();
    assert!(readings[0].method.as_ref().unwrap().starts_with(&format!("n beta {:.6}", n_beta(8.0))));
    let refused = llc().compat_devinterp().measure(&fixture.recorded()).unwrap_err().to_string();
    assert!(refused.contains("needs a batch size"), "{refused}");
}

#[test]
fn chains_that_have_not_mixed_have_a_large_r_hat() {
    assert_eq!(r_hat(&[&[1.0; 8], &[1.0; 8]]), 1.0);
    assert_eq!(r_hat(&[&[1.0; 8], &[2.0; 8]]), f64::INFINITY);
    // Halves (1, 2), (1, 2), (3, 4), (3, 4): W = ½, means 1.5, 1.5, 3.5, 3.5 of variance 4/3, n = 2.
    let got = r_hat(&[&[1.0, 2.0, 1.0, 2.0], &[3.0, 4.0, 3.0, 4.0]]);
    assert_close(got, (0.5 + 8.0 / 3.0_f64).sqrt());
}

#[test]
fn parameters_are_those_of_the_constructors() {
    let defaults = Parameters::default().or_defaults(SPEC.parameters);
    assert!((SPEC.build)(&defaults).is_ok());
    assert!(Sgld::new(0.0, 1.0).is_err() && Sgld::new(1.0, -1.0).is_err());
    assert!(Sgld::new(1.0, 1.0).unwrap().chains(0, 10, 0).is_err());
}
