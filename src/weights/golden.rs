//! Compares gradients of single samples and Fisher information with PyTorch in f64: `tests/golden/weights.json`,
//! written by the script next to it.

#![cfg(test)]

use ndarray::Array2;
use serde_json::Value;

use super::fixtures::{assert_all_close, numbers};
use super::{Curvature, CurvatureForm, DenseLayer, DenseNetwork, Labelled};
use crate::nn::Activation;
use crate::suggest::Named;

fn matrix(rows: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = rows.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[test]
fn gradients_and_fisher_information_are_those_of_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("../../tests/golden/weights.json")).unwrap();
    let x = matrix(&golden["x"]);
    let classes: Vec<usize> = numbers(&golden["classes"]).into_iter().map(|class| class as usize).collect();
    let samples = Labelled::new(x.view(), &classes).unwrap();
    for (name, expected) in golden["activations"].as_object().unwrap() {
        let activation = *<Activation as Named>::ALL.iter().find(|activation| activation.name() == name).unwrap();
        let layer = |layer: &Value| DenseLayer {
            kernel: matrix(&layer["kernel"]),
            bias: numbers(&layer["bias"]).into(),
            activation,
        };
        let network = DenseNetwork::new(golden["layers"].as_array().unwrap().iter().map(layer).collect()).unwrap();
        let flat = |matrix: Array2<f64>| matrix.iter().copied().collect::<Vec<f64>>();
        let gradients = network.sample_gradients(samples).unwrap();
        assert_all_close(&flat(gradients), &flat(matrix(&expected["gradients"])));
        let fisher = Curvature::fisher(&network, x.view(), CurvatureForm::Full).unwrap();
        assert_all_close(&flat(fisher.matrix()), &flat(matrix(&expected["fisher"])));
    }
}
