//! Compares Fisher information and Hessians of networks from closed formulas with NumPy.

#![cfg(test)]

use super::super::fixtures::{
    Fixture, assert_all_close, assert_close, b_net, by_inputs, f_net, numbers, t_net, values,
};
use super::*;

fn fisher(fixture: &Fixture, form: CurvatureForm) -> Curvature {
    Curvature::fisher(&fixture.network, fixture.x.view(), form).unwrap()
}

#[test]
fn fisher_information_of_the_f_net_is_that_of_numpy() {
    let f = f_net();
    let full = fisher(&f, CurvatureForm::Full);
    let spectrum = full.spectrum().unwrap();
    assert_close(full.trace(), 1.812_989_596_921);
    assert_all_close(&full.layer_traces(), &[0.548_994_683_572_2, 0.305_664_994_778_5, 0.958_329_918_570_1]);
    assert_all_close(&spectrum.eigenvalues()[..3], &[0.853_577_343_943_3, 0.541_796_460_517_9, 0.278_776_875_856_5]);
    let determinants = [10.0, 1.0, 0.1].map(|a| spectrum.log_determinant(a).unwrap());
    assert_all_close(&determinants, &[89.976_828_790_3, 1.430_767_588_261, -83.246_620_405_19]);
    assert_eq!(spectrum.rank(1e-10), 35);
    let Some(expected) = values("d4_gaussian_code") else { return };
    let expected = &expected["full_fisher(=GGN)"];
    assert_close(full.frobenius_norm(), expected["frobenius"].as_f64().unwrap());
    assert_all_close(&by_inputs(&f.network, &full.diagonal()), &numbers(&expected["diagonal"]));
    for (got, expected) in spectrum.eigenvalues().iter().zip(numbers(&expected["all_eigenvalues"])) {
        // As the page states, the error of small eigenvalues is 1e-13 of the largest.
        assert!((got - expected).abs() <= 1e-10 * expected + 1e-13);
    }
}

#[test]
fn other_curvatures_of_the_f_net_are_those_of_numpy() {
    let f = f_net();
    let empirical = Curvature::empirical_fisher(&f.network, f.samples(), CurvatureForm::Full).unwrap();
    let diagonal = fisher(&f, CurvatureForm::Diagonal);
    let squared = Curvature::compat_squared_mean_gradient(&f.network, f.samples(), CurvatureForm::Full).unwrap();
    let traces = [empirical.trace(), diagonal.trace(), squared.trace()];
    assert_all_close(&traces, &[2.229_590_069_53, 1.812_989_596_921, 0.429_290_937_237_7]);
    assert_all_close(&squared.layer_traces(), &[0.109_428_332_14, 0.077_160_888_021_53, 0.242_701_717_076_2]);
    let at_1 = [&empirical, &diagonal, &squared].map(|c| c.spectrum().unwrap().log_determinant(1.0).unwrap());
    assert_all_close(&at_1, &[1.684_497_605_381, 1.711_516_008_703, 0.357_178_473_213]);
    assert_eq!([&empirical, &diagonal, &squared].map(|c| c.spectrum().unwrap().rank(1e-10)), [35, 39, 1]);
    let Some(expected) = values("d4_gaussian_code") else { return };
    let names = ["empirical_fisher", "diag_fisher", "squared_batch_mean_gradient(Task2Vec, wrong)"];
    for (curvature, name) in [&empirical, &diagonal, &squared].into_iter().zip(names) {
        let expected = &expected[name];
        assert_all_close(&curvature.layer_traces(), &numbers(&expected["trace_per_layer"]));
        assert_close(curvature.frobenius_norm(), expected["frobenius"].as_f64().unwrap());
        let spectrum = curvature.spectrum().unwrap();
        assert_all_close(&spectrum.eigenvalues()[..8], &numbers(&expected["top8_eigenvalues"]));
        for (a, lambda) in [(10.0, "0.1"), (1.0, "1.0"), (0.1, "10.0")] {
            let expected = expected["logdet(A+I/lambda2)"][lambda].as_f64().unwrap();
            assert_close(spectrum.log_determinant(a).unwrap(), expected);
        }
    }
}

#[test]
fn blocks_and_diagonal_are_parts_of_the_whole() {
    let f = f_net();
    let [full, block, diagonal] =
        [CurvatureForm::Full, CurvatureForm::Block, CurvatureForm::Diagonal].map(|form| fisher(&f, form));
    assert_all_close(&block.diagonal(), &full.diagonal());
    assert_all_close(&diagonal.diagonal(), &full.diagonal());
    let (a, b) = (full.matrix(), block.matrix());
    for ((i, j), entry) in b.indexed_iter() {
        let layer = |k: usize| f.network.ranges().iter().position(|range| range.contains(&k));
        assert_close(*entry, if layer(i) == layer(j) { a[(i, j)] } else { 0.0 });
    }
    for (a, b) in full.layer_spectra().unwrap().iter().zip(block.layer_spectra().unwrap()) {
        assert_all_close(a.eigenvalues(), b.eigenvalues());
    }
    let v: Vec<f64> = (0..39).map(|k| f64::from(k).sin()).collect();
    let by_hand = |m: &Array2<f64>| m.indexed_iter().map(|((i, j), entry)| v[i] * entry * v[j]).sum::<f64>();
    assert_close(full.along(&v).unwrap(), by_hand(&a));
    assert_close(block.along(&v).unwrap(), by_hand(&b));
    assert_close(diagonal.along(&v).unwrap(), by_hand(&diagonal.matrix()));
}

#[test]
fn the_hessian_of_the_f_net_and_its_signs_are_those_of_numpy() {
    let (f, t) = (f_net(), t_net());
    let hessian = Curvature::hessian(&f.network, f.samples()).unwrap();
    assert_close(hessian.trace(), 1.884_551_481_876);
    let eigenvalues = hessian.spectrum().unwrap().eigenvalues();
    assert_all_close(&eigenvalues[..2], &[1.174_792_250_957, 0.844_481_252_104_3]);
    assert_all_close(&eigenvalues[37..], &[-0.474_805_528_223_7, -0.550_802_159_925_6]);
    assert_eq!(eigenvalues.iter().filter(|h| **h < -1e-12).count(), 14);
    let error = hessian.spectrum().unwrap().log_determinant(0.1).unwrap_err().to_string();
    assert!(error.contains("smallest eigenvalue") && error.contains("Fisher"), "{error}");
    let hessian = Curvature::hessian(&t.network, t.samples()).unwrap();
    assert_close(hessian.trace(), 1.942_857_749_565);
    assert_eq!(hessian.spectrum().unwrap().eigenvalues().iter().filter(|h| **h < -1e-12).count(), 4);
}

#[test]
fn fisher_information_of_the_b_net_is_that_of_numpy() {
    let b = b_net();
    let full = fisher(&b, CurvatureForm::Full);
    assert_close(full.trace(), 11.862_324_805_79);
    let layers = [
        1.627_072_604_571,
        2.855_202_497_421,
        3.264_518_551_929,
        1.935_512_216_178,
        1.533_204_250_19,
        0.646_814_685_500_6,
    ];
    assert_all_close(&full.layer_traces(), &layers);
    let spectrum = full.spectrum().unwrap();
    assert_all_close(&spectrum.eigenvalues()[..3], &[4.510_233_702_455, 1.307_588_589_344, 1.178_565_838_158]);
    assert_close(spectrum.log_determinant(1.0).unwrap(), 7.512_487_062_431);
    assert_close(spectrum.log_determinant(1e-3).unwrap(), -1_697.407_420_361);
    assert_close(full.to_diagonal().spectrum().unwrap().log_determinant(1.0).unwrap(), 11.010_617_991_93);
    let empirical = Curvature::empirical_fisher(&b.network, b.samples(), CurvatureForm::Diagonal).unwrap();
    assert_close(empirical.trace(), 20.508_392_488_12);
}

#[test]
fn saturation_of_the_logits_lowers_the_trace_but_not_the_normalised_one() {
    let t = t_net();
    let expected = [
        (1.0, 1.655_167_880_727),
        (2.0, 0.130_120_176_363_5),
        (4.0, 0.000_338_681_729_979_3),
        (8.0, 1.136_537_009_03e-9),
        (16.0, 5.439_076_620_402e-21),
        (32.0, 4.787_694_465_925e-44),
    ];
    for (factor, trace) in expected {
        let network = last_layer_times(&t.network, factor);
        let fisher = Curvature::fisher(&network, t.x.view(), CurvatureForm::Diagonal).unwrap();
        // Logits of size 8 × factor have a rounding error of 1e-16 of it each, and the trace is the exponential of
        // their difference.
        assert!((fisher.trace() / trace - 1.0).abs() < 1e-10, "{} is not {trace}", fisher.trace());
        let normalised = Curvature::normalised_fisher(&network, t.x.view(), CurvatureForm::Diagonal).unwrap();
        assert_close(normalised.layer_traces()[..2].iter().sum(), 1.655_658_372_392);
    }
    let f = f_net();
    assert_close(f.network.logit_scale(f.x.view()).unwrap(), 0.163_139_955_528_1);
    let Some(expected) = values("d4_gaussian_code") else { return };
    for (name, expected) in expected["logit_saturation"]["values"].as_object().unwrap() {
        let network = last_layer_times(&f.network, name[2..].parse().unwrap());
        let number = |key: &str| expected[key].as_f64().unwrap();
        assert_close(network.logit_scale(f.x.view()).unwrap(), number("tau"));
        let fisher = Curvature::fisher(&network, f.x.view(), CurvatureForm::Diagonal).unwrap();
        assert_close(fisher.trace(), number("trace_F"));
        let normalised = Curvature::normalised_fisher(&network, f.x.view(), CurvatureForm::Diagonal).unwrap();
        assert_close(normalised.trace(), number("trace_F_temperature_normalised"));
        assert_close(normalised.layer_traces()[..2].iter().sum(), number("of_which_earlier_layers"));
    }
}

fn last_layer_times(network: &DenseNetwork, factor: f64) -> DenseNetwork {
    let mut layers = network.layers().to_vec();
    let last = layers.last_mut().unwrap();
    last.kernel *= factor;
    last.bias *= factor;
    DenseNetwork::new(layers).unwrap()
}

#[test]
fn too_large_networks_are_refused_with_an_alternative() {
    let layer = |n_units: usize, n_inputs: usize| super::super::DenseLayer {
        kernel: Array2::from_elem((n_units, n_inputs), 0.01),
        bias: ndarray::Array1::zeros(n_units),
        activation: crate::nn::Activation::Relu,
    };
    let wide = DenseNetwork::new(vec![layer(40, 30), layer(2, 40)]).unwrap();
    let long = DenseNetwork::new(vec![layer(30, 30), layer(30, 30)]).unwrap();
    let x = Array2::ones((2, 30));
    let refused = |network, form| Curvature::fisher(network, x.view(), form).unwrap_err().to_string();
    let expected =
        "the network has 1322 weights, but a full matrix is computed for at most 1000; use `block` or `diagonal`";
    assert_eq!(refused(&wide, CurvatureForm::Full), expected);
    let expected = "a layer has 1240 weights, but a full matrix is computed for at most 1000; use `diagonal`";
    assert_eq!(refused(&wide, CurvatureForm::Block), expected);
    let fullest = [&wide, &long, &f_net().network].map(CurvatureForm::fullest);
    assert_eq!(fullest, [CurvatureForm::Diagonal, CurvatureForm::Block, CurvatureForm::Full]);
    assert!(Curvature::fisher(&long, x.view(), CurvatureForm::Block).is_ok());
    let error = wide.logit_scale(x.view()).unwrap_err().to_string();
    assert!(error.starts_with("all classes have the same logits"), "{error}");
}

#[test]
fn many_classes_and_certain_ones_are_summed_exactly() {
    // The definition: the sum over classes of p_c g_c g_cᵀ, with one class of probability 0.
    let layer = super::super::DenseLayer {
        kernel: Array2::from_shape_fn((5, 3), |(j, i)| (1.0 + 2.3 * j as f64 + 0.7 * i as f64).sin()),
        bias: ndarray::array![0.0, -2000.0, 0.3, 1.0, -2000.0],
        activation: crate::nn::Activation::Tanh,
    };
    let network = DenseNetwork::new(vec![layer]).unwrap();
    let x = Array2::from_shape_fn((4, 3), |(s, i)| (0.4 + s as f64 + 1.9 * i as f64).cos());
    let p = network.log_probabilities(x.view()).mapv(f64::exp);
    let mut expected = Array2::<f64>::zeros((20, 20));
    for class in 0..5 {
        let mut slopes = -&p;
        slopes.column_mut(class).mapv_inplace(|slope| slope + 1.0);
        let g = network.gradients_through_logits(x.view(), slopes).unwrap();
        let weighted = &g * &p.column(class).insert_axis(Axis(1));
        expected += &(g.t().dot(&weighted) / 4.0);
    }
    let fisher = Curvature::fisher(&network, x.view(), CurvatureForm::Full).unwrap().matrix();
    assert!(fisher.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-15));
    assert!(fisher.iter().any(|entry| *entry > 0.01));
}
