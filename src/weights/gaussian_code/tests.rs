//! Compares code lengths of networks from closed formulas and of a linear regression with NumPy.

#![cfg(test)]

use ndarray::{Array2, array};

use super::super::fixtures::{
    assert_all_close, assert_close, b_net, by_inputs, f_net, f_net_initial, numbers, t_net, values,
};
use super::*;
use crate::math::determinant::{cholesky, inverse_of_triangle};
use crate::parameter::Parameters;

fn length(beta: f64, variance: f64, curvature: &Curvature, squared_norm: f64) -> f64 {
    let code = CodeParameters::new(beta, variance).unwrap();
    (code.norm_part(squared_norm) + code.covariance_part(curvature.spectrum().unwrap()).unwrap()).0
}

#[test]
fn code_lengths_of_the_f_net_are_those_of_numpy() {
    let f = f_net();
    let full = Curvature::fisher(&f.network, f.x.view(), CurvatureForm::Full).unwrap();
    let diagonal = full.to_diagonal();
    let empirical = Curvature::empirical_fisher(&f.network, f.samples(), CurvatureForm::Full).unwrap();
    let norm = squared_norm(&f.network.weights());
    let at = |factor: f64, curvature: &Curvature| {
        [0.025, 0.1, 1.0, 10.0].map(|beta| length(factor * beta, 1.0, curvature, norm))
    };
    assert_all_close(&at(1.0, &full), &[9.664_494_807_28, 7.592_205_198_227, 6.147_176_166_317, 6.014_756_877_682]);
    assert_all_close(
        &at(1.0, &diagonal),
        &[12.715_305_399_43, 7.624_540_085_989, 6.057_958_557_447, 6.012_784_155_261],
    );
    assert_all_close(
        &at(1.0, &empirical),
        &[10.031_486_701_32, 7.836_234_471_351, 6.193_997_445_597, 6.015_994_162_54],
    );
    assert_all_close(&at(0.5, &full), &[11.060_073_073_25, 8.512_949_607_734, 6.351_400_142_078, 6.021_492_877_622]);
    let code = CodeParameters::new(0.025, 1.0).unwrap();
    let spectrum = full.spectrum().unwrap();
    assert_close(code.norm_part(norm).0, 6.012_232_169_632);
    assert_close(code.covariance_part(spectrum).unwrap().0, 3.652_262_637_648);
    assert_close(code.loss_rise(spectrum).unwrap().0, 0.063_201_053_047_08);
    assert_close(spectrum.effective_dimension(code.added()).unwrap(), 5.056_084_243_766);
    let best = code.with_best_prior_variance(spectrum, norm).unwrap();
    assert_close(best.prior_variance, 1.970_255_395_483);
    assert_close((best.norm_part(norm) + best.covariance_part(spectrum).unwrap()).0, 8.066_307_952_062);
    let Some(expected) = values("d4_gaussian_code") else { return };
    let change: Vec<f64> = f.network.weights().iter().zip(f_net_initial().weights()).map(|(w, w_0)| w - w_0).collect();
    for expected in expected["gaussian_code_lambda2=1"].as_object().unwrap().values() {
        let number = |key: &str| expected[key].as_f64().unwrap();
        let beta = number("beta");
        let code = CodeParameters::new(beta, 1.0).unwrap();
        let kl = length(beta, 1.0, &full, norm);
        assert_close(code.loss_rise(spectrum).unwrap().0 + beta * kl, number("objective_rise"));
        assert_close(length(beta, 1.0, &full, squared_norm(&change)), number("KL_relative_to_init_mean_w0"));
    }
}

#[test]
fn code_lengths_of_the_other_networks_are_those_of_numpy() {
    let (b, t) = (b_net(), t_net());
    let full = Curvature::fisher(&b.network, b.x.view(), CurvatureForm::Full).unwrap();
    let norm = squared_norm(&b.network.weights());
    assert_close(norm, 60.703_416_884_55);
    let lengths = [1.0 / 4096.0, 0.01, 1.0].map(|beta| length(beta, 1.0, &full, norm));
    assert_all_close(&lengths, &[216.198_662_649, 60.914_396_861_59, 31.299_282_502_6]);
    assert_close(length(1.0 / 4096.0, 1.0, &full.to_diagonal(), norm), 517.925_307_582_2);

    let full = Curvature::fisher(&t.network, t.x.view(), CurvatureForm::Full).unwrap();
    let hessian = Curvature::hessian(&t.network, t.samples()).unwrap();
    let norm = squared_norm(&t.network.weights());
    assert_close(norm, 48.208_247_999_99);
    let lengths = [&hessian, &full, &full.to_diagonal()].map(|curvature| length(0.025, 25.0, curvature, norm));
    // The smallest eigenvalue of H + 0.001 I is 1.9e-5: 4 of the 13 digits of the weights in the source are lost in
    // the first.
    assert!((lengths[0] / 44.813_624_968_49 - 1.0).abs() < 1e-9, "{}", lengths[0]);
    assert_all_close(&lengths[1..], &[13.453_217_906_18, 36.606_488_211_77]);
    // Laplace's value of the local learning coefficient: ½ tr nβF (nβF + γI)⁻¹ with γ = 1.
    let half_dimension = 0.5 * full.spectrum().unwrap().effective_dimension(1.0 / 10.843_401_227_27).unwrap();
    assert_close(half_dimension, 1.551_364_295_286);
}

#[test]
fn the_mean_code_length_of_linear_regression_is_the_information_of_its_weights() {
    // w ~ N(0, I), y = Xw + N(0, 0.1 I); E over y of KL at β = 1/n is I(W;y) = ½ ln |I + XᵀX/σ²|.
    let (n, noise) = (20, 0.1);
    let x = Array2::from_shape_fn((n, 3), |(i, j)| {
        let (i, j) = (i as f64, j as f64);
        (1.0 + 0.37 * i + 0.91 * j + 0.53 * i * j).sin()
    });
    let curvature = Curvature::of_matrix(x.t().dot(&x) / (noise * n as f64)).unwrap();
    // w* = A y with A = (XᵀX/σ² + I)⁻¹ Xᵀ/σ²; E|w*|² = tr A (σ²I + XXᵀ) Aᵀ.
    let precision = x.t().dot(&x) / noise + Array2::<f64>::eye(3);
    let root = inverse_of_triangle(&cholesky(&precision).unwrap());
    let a = root.t().dot(&root).dot(&x.t()) / noise;
    let mean_norm = a.dot(&(Array2::<f64>::eye(n) * noise + x.dot(&x.t()))).dot(&a.t()).diag().sum();
    assert_close(length(1.0 / n as f64, 1.0, &curvature, mean_norm), 6.938_265_818_682);
    let information = curvature.spectrum().unwrap().channel_information(1.0 / n as f64).unwrap();
    assert_close(information, 6.938_265_818_682);
}

#[test]
fn the_released_information_in_weights_is_the_square_of_a_mean() {
    let (f, initial) = (f_net(), f_net_initial());
    let information = InformationInWeights::new(&f.network, &initial, f.samples()).unwrap();
    let batches: Vec<Vec<usize>> = (0..10).map(|t| (0..8).map(|q| (7 * t + 3 * q * q + q) % 40).collect()).collect();
    let released = information.compat_of_batches(&batches).unwrap();
    assert_all_close(&released, &[0.031_342_480_247_31, 0.045_224_252_338_92, 0.070_909_736_161_67]);
    let correct = information.mean_squares();
    assert_all_close(&correct, &[0.015_199_005_530_02, 0.025_999_995_511_57, 0.066_390_259_553_85]);
    let of_mean = information.squared_means();
    assert_all_close(&of_mean, &[0.006_048_823_303_135, 0.010_090_332_635_14, 0.014_651_655_532_01]);
    let of_batches = information.mean_squares_of_batches(&batches).unwrap();
    assert_all_close(&of_batches, &[0.009_052_089_738_413, 0.013_169_544_383_75, 0.020_398_439_998_52]);
    for wrong in [vec![], vec![vec![]], vec![vec![40]]] {
        assert!(information.compat_of_batches(&wrong).unwrap_err().to_string().contains("numbers from 0 to 39"));
    }

    // All weights, with biases and with the terms between layers.
    let change: Vec<f64> = f.network.weights().iter().zip(initial.weights()).map(|(w, w_0)| w - w_0).collect();
    let empirical = Curvature::empirical_fisher(&f.network, f.samples(), CurvatureForm::Full).unwrap();
    let fisher = Curvature::fisher(&f.network, f.x.view(), CurvatureForm::Full).unwrap();
    assert_close(empirical.along(&change).unwrap(), 0.094_117_049_226_89);
    assert_close(fisher.along(&change).unwrap(), 0.070_383_155_124_8);

    // Gradient descent: for (Δw·g)², with gradient 2 (Δw·g)(g + H Δw), the released program uses 2 (Δw·g) g.
    let (_, g) = f.network.gradient(f.samples());
    let moved = f.network.hessian_times(f.samples(), &change).unwrap();
    let slope: f64 = change.iter().zip(&g).map(|(w, g)| w * g).sum();
    assert_close(slope * slope, 0.024_209_687_425_16);
    let released: Vec<f64> = g.iter().map(|g| 2.0 * slope * g).collect();
    let exact: Vec<f64> = g.iter().zip(&moved).map(|(g, moved)| 2.0 * slope * (g + moved)).collect();
    let norms = [&released, &exact].map(|vector| squared_norm(vector).sqrt());
    assert_all_close(&norms, &[0.203_892_122_505_8, 0.439_618_517_444_5]);
    let cosine = released.iter().zip(&exact).map(|(a, b)| a * b).sum::<f64>() / (norms[0] * norms[1]);
    assert_close(cosine, 0.960_837_331_862_9);
    if let Some(expected) = values("d4_gaussian_code") {
        let expected = &expected["IIW_gradient"];
        assert_all_close(&by_inputs(&f.network, &released)[..3], &numbers(&expected["released_first3"]));
        assert_all_close(&by_inputs(&f.network, &exact)[..3], &numbers(&expected["true_first3"]));
    }

    // At a minimum the released value vanishes; here it is six times smaller than the correct one.
    let t = t_net();
    let change: Vec<f64> = t.network.weights().iter().zip(initial.weights()).map(|(w, w_0)| w - w_0).collect();
    let (_, g) = t.network.gradient(t.samples());
    let slope: f64 = change.iter().zip(&g).map(|(w, g)| w * g).sum();
    let empirical = Curvature::empirical_fisher(&t.network, t.samples(), CurvatureForm::Full).unwrap();
    assert_close(slope * slope, 0.002_114_101_813_556);
    assert_close(empirical.along(&change).unwrap(), 0.013_205_711_787_73);
    assert_close(empirical.trace(), 0.031_224_029_606_4);
}

fn value(readings: &[Reading], quantity: &str, layer: Option<i32>) -> f64 {
    let is_meant = |r: &&Reading| r.quantity == quantity && r.layer.map(i32::from) == layer;
    readings.iter().find(is_meant).unwrap_or_else(|| panic!("no {quantity} of {layer:?}")).value
}

fn measure(words: &[(&str, &str)]) -> Box<dyn OfNetwork> {
    let given = words.iter().map(|(name, word)| ((*name).to_owned(), crate::parameter::Value::parse(word)));
    let parameters = Parameters::new(SPEC.parameters, given).unwrap();
    match (SPEC.build)(&parameters).unwrap() {
        Measure::OfNetwork(measure) => measure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_readings_are_in_bits_and_say_how_they_were_made() {
    let (f, initial) = (f_net(), f_net_initial());
    let recorded = f.recorded().with_initial(&initial).unwrap().with_batch_size(8).unwrap();
    let code = GaussianCode::new(1.0).unwrap().compat();
    let readings = code.measure(&recorded).unwrap();
    let bits = std::f64::consts::LN_2;
    assert_close(value(&readings, "code_length", None) * bits, 9.664_494_807_28);
    assert_close(value(&readings, "norm_part", None) * bits, 6.012_232_169_632);
    assert_close(value(&readings, "covariance_part", None) * bits, 3.652_262_637_648);
    assert_close(value(&readings, "code_length_from_initial", None) * bits, 11.158_822_862_81);
    assert_close(value(&readings, "compat_half_beta_code_length", None) * bits, 11.060_073_073_25);
    assert_close(value(&readings, "compat_squared_mean_trace", None), 0.429_290_937_237_7);
    assert_close(value(&readings, "normalised_trace", None), 19.083_520_582_86);
    assert_close(value(&readings, "fisher_trace", Some(3)), 0.958_329_918_570_1);
    assert_close(value(&readings, "iiw", None), 0.107_589_260_595_4);
    let norms: f64 = (1..=3).map(|layer| value(&readings, "norm_part", Some(layer))).sum();
    assert_close(norms, value(&readings, "norm_part", None));
    let method = readings[0].method.as_deref();
    assert_eq!(method, Some("full Fisher, beta 2.5e-2, prior variance 1"));
    assert_eq!(readings[0].n_weights, Some(39));
    assert!(code.missing(&recorded).is_empty());
    // Equal seeds give equal batches.
    assert_eq!(code.measure(&recorded).unwrap(), readings);

    // The layers of a block code add up; the code of the diagonal is different.
    let block = measure(&[("fisher", "block"), ("beta", "0.1")]).measure(&recorded).unwrap();
    let sum: f64 = (1..=3).map(|layer| value(&block, "code_length", Some(layer))).sum();
    assert_close(sum, value(&block, "code_length", None));
    let diagonal = measure(&[("fisher", "diagonal"), ("beta", "0.1")]).measure(&recorded).unwrap();
    assert_close(value(&diagonal, "code_length", None) * bits, 7.624_540_085_989);
}

#[test]
fn invalid_parameters_and_missing_quantities_have_a_reason() {
    let f = f_net();
    let missing = GaussianCode::new(1.0).unwrap().compat();
    assert!(missing.missing(&f.recorded()).iter().all(|m| m.why.to_string().contains("before training")));
    assert!(
        GaussianCode::new(0.0)
            .unwrap_err()
            .to_string()
            .contains("prior_variance is 0e0, but must be finite and above 0")
    );
    assert!(GaussianCode::new(1.0).unwrap().beta(f64::NAN).is_err());
    assert!(Curvature::of_matrix(array![[1.0, 2.0]]).unwrap_err().to_string().contains("is not square"));
    assert!(Curvature::of_matrix(array![[f64::NAN]]).is_err());
    let nothing = Curvature::of_matrix(Array2::zeros((2, 2))).unwrap();
    let code = CodeParameters::new(0.1, 1.0).unwrap();
    assert_eq!(code.covariance_part(nothing.spectrum().unwrap()).unwrap(), Nats(0.0));
    assert!(code.with_best_prior_variance(nothing.spectrum().unwrap(), 1.0).is_err());
}
