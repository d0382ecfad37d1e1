//! Compares quantised weights of networks from closed formulas with NumPy.

#![cfg(test)]

use serde_json::Value;

use super::super::fixtures::{Fixture, assert_all_close, assert_close, f_net, numbers, t_net, values};
use super::super::{Curvature, CurvatureForm};
use super::*;

#[test]
fn ties_are_rounded_to_even_levels() {
    let quantiser = Quantiser::new(3).unwrap();
    let (step, levels) = quantiser.levels(&[0.5, 1.5, 2.5, 3.0, -0.5, -1.5, -2.5]);
    assert_eq!((step, levels), (1.0, vec![0.0, 2.0, 2.0, 3.0, 0.0, -2.0, -2.0]));
    let values = [-1.5, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5];
    let (step, levels) = quantiser.levels(&values);
    assert_eq!(step, 0.5);
    assert_eq!(levels, [-3.0, -2.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 3.0]);
    assert_eq!(quantiser.levels(&[0.0, -0.0]), (0.0, vec![0.0, 0.0]));
    for n_bits in [0, 1, 33] {
        assert!(Quantiser::new(n_bits).unwrap_err().to_string().ends_with("2 to 32 are allowed"));
    }
}

#[test]
fn fewest_bits_of_both_networks_are_those_of_numpy() {
    for (fixture, joint, layers) in
        [(f_net(), (4, 2, 5), [(2, 2), (2, 5), (3, 5)]), (t_net(), (5, 5, 8), [(8, 8), (5, 5), (2, 2)])]
    {
        let curve = PrecisionCurve::of_network(&fixture.network, fixture.samples()).unwrap();
        let bits =
            |curve: &PrecisionCurve| (curve.first_bits_below(0.01).unwrap(), curve.stable_bits_below(0.01).unwrap());
        assert_eq!(curve.fewest_bits(Nats(1e-3)), Some(joint.0));
        assert_eq!(bits(&curve), (joint.1, joint.2));
        for (l, expected) in layers.into_iter().enumerate() {
            assert_eq!(bits(&PrecisionCurve::of_layer(&fixture.network, fixture.samples(), l).unwrap()), expected);
        }
    }
    let f = f_net();
    let curve = PrecisionCurve::of_network(&f.network, f.samples()).unwrap();
    assert_close(curve.rises()[0], -0.079_266_651_267_8);
    assert_close(curve.divergences()[0], 0.002_688_791_433_585);
    assert_eq!(curve.stable_bits_within(0.01), Some(5));
    assert_eq!(curve.fewest_bits(Nats(1e-30)), None);
}

#[test]
fn precision_curves_and_lengths_are_those_of_numpy() {
    if let Some(expected) = values("d7_precision") {
        check(&f_net(), &expected);
    }
    if let Some(expected) = values("d4_d7_d8_trained") {
        check(&t_net(), &expected["precision"]);
    }
}

fn check(fixture: &Fixture, expected: &Value) {
    let (network, samples) = (&fixture.network, fixture.samples());
    let joint = PrecisionCurve::of_network(network, samples).unwrap();
    // The error of a loss is 1e-16, divided by a loss of 0.004.
    let close = |got: &[f64], expected: Vec<f64>| assert_all_close(got, &expected);
    close(joint.rises(), numbers(&expected["all_layers_same_b"]["rise_b2..16"]));
    close(joint.divergences(), numbers(&expected["output_KL_criterion"]["KL_b2..16"]));
    let mut own = Vec::new();
    for (l, expected) in expected["layers"].as_array().unwrap().iter().enumerate() {
        let curve = PrecisionCurve::of_layer(network, samples, l).unwrap();
        close(curve.rises(), numbers(&expected["rise_b2..16"]));
        own.push(curve.stable_bits_below(0.01).unwrap());
    }
    let quantisers: Vec<_> = own.iter().map(|n_bits| Some(Quantiser::new(*n_bits).unwrap())).collect();
    let together = &expected["per_layer_b_stable_together"];
    let (loss, rounded) = (network.loss(samples), network.quantised(&quantisers).unwrap());
    assert_close((rounded.loss(samples) - loss) / loss, together["rise"].as_f64().unwrap());
    let length: usize = own.iter().zip(network.ranges()).map(|(bits, range)| *bits as usize * range.len()).sum();
    assert_eq!(length as f64, together["code_bits"].as_f64().unwrap());
    let lengths = &expected["description_length"];
    for resolution in ["0.0001", "0.01", "1.0"] {
        let got = smooth_code_length(&network.weights(), resolution.parse().unwrap()).bits();
        assert_close(got, lengths["sum 1/2 log2(1+w^2/D)"][format!("D={resolution}")].as_f64().unwrap());
    }
    let stable = joint.stable_bits_below(0.01).unwrap();
    let entropy_coded = entropy_coded_length(network, Quantiser::new(stable).unwrap()).bits();
    assert_close(
        entropy_coded,
        lengths["entropy_coded_bits_at_joint_b_stable (sum over tensors size*H(q))"].as_f64().unwrap(),
    );
    let fixed = lengths["fixed_rate_bits_at_joint_b_stable"].as_f64().unwrap();
    assert_eq!(f64::from(stable) * network.n_weights() as f64, fixed);

    // To second order, rounding noise that is uniform over a step increases the loss by ½ Σ F_ii s²/12.
    let second = &expected["second_order_prediction_b=8"];
    let quantiser = Quantiser::new(8).unwrap();
    let steps = network.layers().iter().flat_map(|layer| {
        let kernel: Vec<f64> = layer.kernel.iter().copied().collect();
        let steps = [quantiser.levels(&kernel).0, quantiser.levels(&layer.bias.to_vec()).0];
        [vec![steps[0]; kernel.len()], vec![steps[1]; layer.bias.len()]].concat()
    });
    let fisher = Curvature::fisher(network, samples.x(), CurvatureForm::Diagonal).unwrap().diagonal();
    let prediction = fisher.iter().zip(steps).map(|(f, s)| 0.5 * f * s * s / 12.0).sum();
    assert_close(prediction, second["1/2 sum F_ii s_i^2/12"].as_f64().unwrap());
    let rounded = network.quantised(&[Some(quantiser); 3]).unwrap();
    assert_close(rounded.loss(samples) - loss, second["actual_loss_change"].as_f64().unwrap());
}

#[test]
fn lengths_by_golden_numbers() {
    let f = f_net();
    let weights = f.network.weights();
    assert_close(smooth_code_length(&weights, 0.01).bits(), 72.387_732_376_55);
    assert_close(entropy_coded_length(&f.network, Quantiser::new(5).unwrap()).bits(), 102.303_762_523_8);
}

#[test]
fn the_readings_count_bits_of_layers_and_of_the_network() {
    let f = f_net();
    let readings = FewestBits::new(1e-3, 0.01).unwrap().measure(&f.recorded()).unwrap();
    let value = |quantity: &str, layer: Option<i32>| {
        let is_meant = |r: &&Reading| r.quantity == quantity && r.layer.map(i32::from) == layer;
        readings.iter().find(is_meant).unwrap_or_else(|| panic!("no {quantity} of {layer:?}")).value
    };
    assert_eq!([value("fewest_bits", None), value("fixed_rate_length", None)], [4.0, 156.0]);
    assert_eq!([value("first_bits", None), value("stable_bits", None)], [2.0, 5.0]);
    assert_eq!([1, 2, 3].map(|layer| value("stable_bits", Some(layer))), [2.0, 5.0, 5.0]);
    assert_close(value("smooth_length", None), 72.387_732_376_55);
    assert!(value("layer_bits_divergence", None) > 0.0);
    let error = FewestBits::new(1e-30, 0.01).unwrap().measure(&f.recorded()).unwrap_err().to_string();
    assert_eq!(error, "no precision up to 16 bits keeps the divergence below 1e-30 nats; raise `tolerance`");
    assert!(FewestBits::new(0.0, 0.01).is_err() && FewestBits::new(1e-3, f64::INFINITY).is_err());
    assert!(f.network.quantised(&[None]).unwrap_err().to_string().ends_with("give one per layer"));
    assert_eq!(f.network.quantised(&[None; 3]).unwrap(), f.network);
}
