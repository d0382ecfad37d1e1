//! Networks from closed formulas, whose measures were computed in NumPy, SciPy and mpmath, independently of this
//! program.
//!
//! The kernels are W_l[i, j] = a sin(a₀ + aᵢ i + aⱼ j + aᵢⱼ i j + aₗ l), with inputs i and units j counted from 0 and layers l from 1.

#![cfg(test)]

use std::path::Path;

use ndarray::{Array1, Array2};
use serde_json::Value;

use super::dense::{DenseLayer, DenseNetwork};
use super::inputs::{Labelled, RecordedNetwork};
use crate::nn::Activation;

/// A network with its samples.
pub(super) struct Fixture {
    pub(super) network: DenseNetwork,
    pub(super) x: Array2<f64>,
    pub(super) classes: Vec<usize>,
}

impl Fixture {
    pub(super) fn samples(&self) -> Labelled<'_> {
        Labelled::new(self.x.view(), &self.classes).unwrap()
    }

    pub(super) fn recorded(&self) -> RecordedNetwork<'_> {
        RecordedNetwork::new(&self.network, self.samples()).unwrap()
    }

    /// The samples with other weights, given in the order of the fixtures: in each layer, the inputs of a kernel vary
    /// slowest, then the biases.
    pub(super) fn with_weights(self, weights: &[f64]) -> Self {
        let mut rest = weights.iter().copied();
        let layer = |layer: &DenseLayer| {
            let (n_units, n_inputs) = layer.kernel.dim();
            let by_input =
                Array2::from_shape_vec((n_inputs, n_units), rest.by_ref().take(layer.kernel.len()).collect());
            let kernel = by_input.unwrap().reversed_axes().as_standard_layout().into_owned();
            DenseLayer { kernel, bias: rest.by_ref().take(n_units).collect(), activation: layer.activation }
        };
        let network = DenseNetwork::new(self.network.layers().iter().map(layer).collect()).unwrap();
        Self { network, ..self }
    }
}

/// Converts a vector from the order of [`DenseNetwork::weights`] to that of the fixtures.
pub(super) fn by_inputs(network: &DenseNetwork, vector: &[f64]) -> Vec<f64> {
    let mut ordered = Vec::with_capacity(vector.len());
    for (layer, range) in network.layers().iter().zip(network.ranges()) {
        let (n_units, n_inputs) = layer.kernel.dim();
        let of_layer = &vector[range];
        for i in 0..n_inputs {
            ordered.extend((0..n_units).map(|j| of_layer[j * n_inputs + i]));
        }
        ordered.extend(&of_layer[n_units * n_inputs..]);
    }
    ordered
}

/// The layers of the formula for the numbers of units from the input to the output; `amplitude` is a function of the
/// number of inputs.
fn layers(widths: &[usize], amplitude: impl Fn(usize) -> f64) -> Vec<DenseLayer> {
    let layer = |(index, pair): (usize, &[usize])| {
        let (l, n_inputs) = ((index + 1) as f64, pair[0]);
        let kernel = Array2::from_shape_fn((pair[1], n_inputs), |(j, i)| {
            let (i, j) = (i as f64, j as f64);
            amplitude(n_inputs) * (1.0 + 0.37 * i + 0.91 * j + 0.53 * i * j + 1.7 * l).sin()
        });
        let bias = Array1::from_shape_fn(pair[1], |j| 0.2 * (0.5 + 0.83 * j as f64 + 1.3 * l).cos());
        DenseLayer { kernel, bias, activation: Activation::Tanh }
    };
    widths.windows(2).enumerate().map(layer).collect()
}

/// F-net: 3-4-3-2, 39 weights, 40 samples.
pub(super) fn f_net() -> Fixture {
    let x = Array2::from_shape_fn((40, 3), |(s, i)| {
        let (s, i) = (s as f64, i as f64);
        (0.2 + 0.71 * s + 1.13 * i + 0.05 * s * i).cos()
    });
    let classes = x.rows().into_iter().map(|x| usize::from(x[0] + x[1] * x[2] > 0.1)).collect();
    Fixture { network: DenseNetwork::new(layers(&[3, 4, 3, 2], |_| 0.9)).unwrap(), x, classes }
}

/// F-net before training, from another formula; its biases are 0.
pub(super) fn f_net_initial() -> DenseNetwork {
    let layer = |(index, pair): (usize, &[usize])| {
        let l = (index + 1) as f64;
        let kernel = Array2::from_shape_fn((pair[1], pair[0]), |(j, i)| {
            let (i, j) = (i as f64, j as f64);
            0.5 * (2.0 + 0.53 * i + 0.29 * j + 0.41 * i * j + 0.7 * l).sin()
        });
        DenseLayer { kernel, bias: Array1::zeros(pair[1]), activation: Activation::Tanh }
    };
    DenseNetwork::new([3, 4, 3, 2].windows(2).enumerate().map(layer).collect()).unwrap()
}

/// B-net: 12-10-7-5-4-3-2, 294 weights, all 4096 patterns of 12 bits.
pub(super) fn b_net() -> Fixture {
    let x = Array2::from_shape_fn((4096, 12), |(s, i)| f64::from(u8::from(s >> (11 - i) & 1 == 1)));
    let class =
        |x: ndarray::ArrayView1<'_, f64>| usize::from(x.iter().take(6).sum::<f64>() + 2.0 * (x[6] + x[7]) > 4.0);
    let classes = x.rows().into_iter().map(class).collect();
    let network = DenseNetwork::new(layers(&[12, 10, 7, 5, 4, 3, 2], |n_inputs| 2.0 / (n_inputs as f64).sqrt()));
    Fixture { network: network.unwrap(), x, classes }
}

/// T-net: F-net trained to a minimum of L + 0.0005 |θ|².
pub(super) fn t_net() -> Fixture {
    f_net().with_weights(&T_NET)
}

#[allow(clippy::excessive_precision, reason = "all digits of the source")]
const T_NET: [f64; 39] = [
    0.029708675880738718,
    -1.1509626506357105,
    -0.71968203600262537,
    -0.86555736888454982,
    -0.11135231974518993,
    -0.85302237977450479,
    -0.98847542868852489,
    1.7657130606637548,
    -0.098279198388759509,
    -1.5425135161184231,
    1.3251539552216356,
    1.3725360512836084,
    0.031363470194765208,
    0.38424159107597478,
    -0.93740568971416871,
    1.4092461880277771,
    -0.088628375868517573,
    0.088628375868517531,
    -0.088628375868517642,
    -1.1958027089858503,
    1.1958027089858505,
    -1.1958027089858501,
    -1.2868428568745305,
    1.2868428568745309,
    -1.2868428568745305,
    -1.3224879142451744,
    1.3224879142451746,
    -1.3224879142451744,
    -0.085245967292051972,
    0.085245967292052055,
    -0.08524596729205175,
    -1.6925292293868039,
    1.6925292293868017,
    1.6925292293868039,
    -1.6925292293868022,
    -1.6925292293868035,
    1.6925292293868017,
    -0.015422852942254914,
    0.015422852942241227,
];

/// The values of a file of reference values; `None` with a message if it is missing.
#[allow(clippy::print_stderr, reason = "tests say what they skip")]
pub(super) fn values(name: &str) -> Option<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/random-weights-fixtures");
    let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.json"))) else {
        eprintln!("skipped: {name}.json is not here");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// The numbers of a list.
pub(super) fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The values have 13 digits.
#[track_caller]
pub(super) fn assert_close(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-10 * expected.abs() + 1e-12, "{got} is not {expected}");
}

#[track_caller]
pub(super) fn assert_all_close(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).for_each(|(got, expected)| assert_close(*got, *expected));
}

#[test]
fn losses_of_the_three_networks() {
    let (f, b, t) = (f_net(), b_net(), t_net());
    assert_close(f.network.loss(f.samples()), 0.793_395_338_311_7);
    assert_close(b.network.loss(b.samples()), 0.902_929_780_987_9);
    assert_close(t.network.loss(t.samples()), 0.004_036_818_346_256);
    let norm = f.network.weights().iter().map(|w| w * w).sum::<f64>();
    assert_close(norm, 12.024_464_339_26);
    assert_all_close(&f.network.logits(f.x.view()).row(0).to_vec(), &[-0.356_149_112_697_1, -0.413_998_109_441_7]);
    assert_eq!((f.network.n_weights(), b.network.n_weights()), (39, 294));
}

#[test]
fn the_gradient_agrees_with_that_of_numpy_and_with_finite_differences() {
    let f = f_net();
    let (loss, gradient) = f.network.gradient(f.samples());
    assert_close(loss, f.network.loss(f.samples()));
    if let Some(expected) = values("d4_gaussian_code") {
        assert_all_close(&by_inputs(&f.network, &gradient), &numbers(&expected["gradient_mean"]));
    }
    for activation in <Activation as crate::suggest::Named>::ALL {
        let of_layer = |layer: &DenseLayer| DenseLayer { activation: *activation, ..layer.clone() };
        let network = DenseNetwork::new(f.network.layers().iter().map(of_layer).collect()).unwrap();
        let (_, gradient) = network.gradient(f.samples());
        let weights = network.weights();
        for k in 0..weights.len() {
            let moved = |by: f64| {
                let mut moved = weights.clone();
                moved[k] += by;
                network.with_weights(&moved).loss(f.samples())
            };
            // Central differences of step 1e-5 have an error of about 1e-10; no sum of this network is at a kink.
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((gradient[k] - difference).abs() < 1e-8, "{activation:?} {k}: {} {difference}", gradient[k]);
        }
    }
}
