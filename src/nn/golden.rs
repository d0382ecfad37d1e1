//! Compares networks with PyTorch in f64: `tests/golden/networks.json`, written by the script next to it.
#![cfg(test)]

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::Value;

use super::batch_norm;
use super::passing::{Backward, Forward, Seen};
use super::quantise::Levels;
use super::*;
use crate::math::tile::TILE;
use crate::suggest::Named;

fn golden(table: &str) -> Value {
    let tables: Value = serde_json::from_str(include_str!("../../tests/golden/networks.json")).unwrap();
    tables[table].clone()
}

/// All numbers inside a value, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Bool(is_one) => vec![f64::from(u8::from(*is_one))],
        number => vec![number.as_f64().unwrap()],
    }
}

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

#[track_caller]
fn assert_close(got: &[f32], want: &Value, tolerance: f64, what: &str) {
    let want = numbers(want);
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(*got) - want).abs();
        assert!(error <= tolerance * want.abs().max(1.0), "{what}, number {i}: {got} is not {want}");
    }
}

/// The layers of a table as parameters: kernel, bias, kernel, bias, …
fn parameters(layers: &Value) -> Vec<f32> {
    let layers = layers.as_array().unwrap();
    layers.iter().flat_map(|layer| [floats(&layer["kernel"]), floats(&layer["bias"])].concat()).collect()
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

/// Trains with the settings of the file and compares the final weights.
fn check_training(
    optimiser: Optimiser,
    learning_rate: f32,
    schedule: Schedule,
    n_epochs: u64,
    n_steps: u64,
    expected: &Value,
    what: &str,
) {
    let table = golden("optimisers");
    let x = floats(&table["x"]);
    let x = Array2::from_shape_vec((x.len() / 4, 4), x).unwrap();
    let classes: Vec<usize> = numbers(&table["classes"]).into_iter().map(|class| class as usize).collect();
    let architecture = Architecture::plain(&[6, 5], Activation::Tanh, Initial::GlorotUniform);
    let mut network = Network::new(4, &architecture, 3, &mut rng()).unwrap();
    network.parameters = parameters(&table["initial"]);
    let samples = Samples { x: x.view(), targets: Targets::Classes { classes: &classes, n_classes: 3 } };
    let plain = TrainingSettings::plain(optimiser, learning_rate, BatchSize::Mini(8), n_epochs);
    let settings = TrainingSettings { schedule, ..plain };
    let streams = Streams { batches: rng(), draws: rng(), labels: rng() };
    let mut training = Training::new(network, samples, (0..classes.len()).collect(), settings, streams);
    (0..n_steps).for_each(|_| training.update(&mut []));
    let want = Value::from(parameters(&expected["layers"]).into_iter().map(f64::from).collect::<Vec<f64>>());
    // The documented tolerance; PyTorch's own f32 differs from its f64 by up to 1.7e-6.
    assert_close(&training.network().parameters, &want, 1e-5, what);
}

#[test]
fn optimisers_make_the_steps_of_pytorch() {
    let table = golden("optimisers");
    let momentum = |form| Optimiser::Momentum { momentum: 0.9, form };
    let adam = |epsilon, form| Optimiser::Adam { beta_1: 0.9, beta_2: 0.999, epsilon, form };
    for (name, optimiser, rate) in [
        ("sgd", Optimiser::Sgd, 0.1),
        ("momentum", momentum(Momentum::Classical), 0.05),
        ("nesterov", momentum(Momentum::Nesterov), 0.05),
        ("adam", adam(1e-8, Adam::PyTorch), 0.01),
        ("adam_tensorflow", adam(1e-8, Adam::TensorFlow), 0.01),
        ("adam_tensorflow_large_epsilon", adam(1e-3, Adam::TensorFlow), 0.01),
        ("rmsprop", Optimiser::RmsProp { decay: 0.99, epsilon: 1e-8 }, 0.005),
    ] {
        check_training(optimiser, rate, Schedule::Constant, 34, 100, &table["runs"][name], name);
    }
}

#[test]
fn schedules_are_those_of_pytorch() {
    let table = golden("schedules");
    for (name, schedule) in [
        ("step", Schedule::Step { every: 10, factor: 0.5 }),
        ("exponential", Schedule::Exponential { factor: 0.97 }),
        ("cosine", Schedule::Cosine),
        ("warm_up", Schedule::WarmUp { epochs: 5 }),
    ] {
        let expected = &table["runs"][name];
        let rates: Vec<f32> = (0..40).map(|epoch| (0.1 * schedule.factor(epoch, 40)) as f32).collect();
        assert_close(&rates, &expected["rates"], 1e-7, name);
        check_training(Optimiser::Sgd, 0.1, schedule, 40, 120, expected, name);
    }
}

#[test]
fn activations_and_their_slopes_are_those_of_pytorch() {
    let table = golden("activations");
    for activation in Activation::ALL.iter().filter(|activation| **activation != Activation::Linear) {
        let name = activation.name();
        let function = &table["functions"][name.replace("hard_tanh", "hardtanh")];
        let z = floats(&function["z"]);
        let mut t = vec![0.0; z.len()];
        activation.apply(&z, &mut t);
        assert_close(&t, &function["value"], 1e-6, name);
        let mut slope = vec![1.0; z.len()];
        activation.times_slope(&mut slope, &z, &t);
        assert_close(&slope, &function["derivative"], 1e-6, name);
    }
}

#[test]
fn losses_and_their_slopes_are_those_of_pytorch() {
    let table = golden("losses");
    let logits = table["logits"].as_array().unwrap();
    let n = logits.len();
    let in_tile = |rows: &[Value]| {
        let mut tile = vec![0.0_f32; 3 * TILE];
        for (s, row) in rows.iter().enumerate() {
            floats(row).iter().enumerate().for_each(|(unit, value)| tile[unit * TILE + s] = *value);
        }
        tile
    };
    for (name, output, loss) in [
        ("softmax_cross_entropy", Output::Softmax, Loss::CrossEntropy),
        ("sigmoid_cross_entropy", Output::Sigmoid, Loss::CrossEntropy),
        ("softmax_squared_error", Output::Softmax, Loss::SquaredError),
        ("sigmoid_squared_error", Output::Sigmoid, Loss::SquaredError),
        ("linear_squared_error", Output::Linear, Loss::SquaredError),
    ] {
        let case = &table["losses"][name];
        let targets = case["targets"].as_array().unwrap();
        let pairs = logits.iter().zip(targets);
        let value = pairs.map(|(z, y)| loss.of_sample(output, &numbers(z), &numbers(y))).sum::<f64>() / n as f64;
        let want = case["value"].as_f64().unwrap();
        assert!((value - want).abs() < 1e-9 * want, "{name}: {value} is not {want}");

        let (z, mut p, mut delta) = (in_tile(logits), vec![0.0; 3 * TILE], vec![0.0; 3 * TILE]);
        output.apply(&z, &mut p);
        loss.delta(output, &p, &in_tile(targets), n, 1.0 / n as f32, &mut delta);
        let got: Vec<f32> = (0..n).flat_map(|s| (0..3).map(move |unit| unit * TILE + s)).map(|i| delta[i]).collect();
        assert_close(&got, &case["gradient"], 1e-6, name);
        assert!(delta.chunks_exact(TILE).all(|unit| unit[n..].iter().all(|d| *d == 0.0)), "padding has an influence");
    }
}

#[test]
fn batch_normalisation_is_that_of_pytorch_with_the_running_variance_of_keras() {
    let table = golden("batch_normalisation");
    let parameters = [floats(&table["gamma"]), floats(&table["beta"])].concat();
    let n_units = parameters.len() / 2;
    let mut statistics = vec![0.0; 2 * n_units];
    batch_norm::begin(&mut parameters.clone(), &mut statistics);
    // 24 samples as two tiles, with 20 and 4 samples.
    let rows = [0..20, 20..24];
    let tiles = |table: &Value| -> Vec<Vec<f32>> {
        let values = floats(table);
        let tile = |rows: &std::ops::Range<usize>| {
            let mut tile = vec![7.0_f32; n_units * TILE];
            for (s, row) in rows.clone().enumerate() {
                (0..n_units).for_each(|unit| tile[unit * TILE + s] = values[row * n_units + unit]);
            }
            tile
        };
        rows.iter().map(tile).collect()
    };
    let samples = |tiles: &[Vec<f32>]| -> Vec<f32> {
        let of_tile = |(tile, rows): (&Vec<f32>, &std::ops::Range<usize>)| -> Vec<f32> {
            (0..rows.len()).flat_map(|s| (0..n_units).map(move |unit| unit * TILE + s)).map(|i| tile[i]).collect()
        };
        tiles.iter().zip(&rows).flat_map(of_tile).collect()
    };
    let empty = || vec![vec![0.0_f32; n_units * TILE]; 2];
    let forward =
        |x: &[Vec<f32>], to: &mut [Vec<f32>], kept: &mut [Vec<f32>], how: &mut dyn FnMut(Vec<Forward<'_>>)| {
            let tiles = x.iter().zip(to).zip(kept).zip(&rows);
            how(tiles.map(|(((from, to), kept), rows)| Forward { from, to, kept, n_valid: rows.len() }).collect());
        };
    for batch in table["batches"].as_array().unwrap() {
        let (x, mut y, mut kept) = (tiles(&batch["x"]), empty(), empty());
        let mut seen = Seen::default();
        forward(&x, &mut y, &mut kept, &mut |mut tiles| batch_norm::forward(&mut tiles, &parameters, &mut seen));
        assert_close(&samples(&y), &batch["y"], 2e-6, "y");

        let (mut delta, mut gradient) = (tiles(&table["upstream"]), vec![0.0; 2 * n_units]);
        let tiles = x.iter().zip(&y).zip(&kept).zip(&mut delta).zip(&rows);
        let tiles =
            tiles.map(|((((from, to), kept), delta), rows)| Backward { from, to, kept, delta, n_valid: rows.len() });
        batch_norm::backward(&mut tiles.collect::<Vec<_>>(), &parameters, &seen, &mut gradient);
        assert_close(&samples(&delta), &batch["gradient_x"], 4e-6, "gradient of x");
        assert_close(&gradient[..n_units], &batch["gradient_gamma"], 4e-6, "gradient of gamma");
        assert_close(&gradient[n_units..], &batch["gradient_beta"], 4e-6, "gradient of beta");

        batch_norm::learn(&seen, &mut statistics);
        assert_close(&statistics[..n_units], &batch["running_mean"], 1e-6, "running mean");
        assert_close(&statistics[n_units..], &batch["running_variance"], 1e-6, "running variance");
    }
    let (x, mut y, mut kept) = (tiles(&table["batches"][0]["x"]), empty(), empty());
    forward(&x, &mut y, &mut kept, &mut |tiles| batch_norm::infer(tiles.into_iter(), &parameters, &statistics));
    assert_close(&samples(&y), &table["inference"], 2e-6, "inference");
}

#[test]
fn fake_quantisation_is_that_of_tensorflow() {
    for case in golden("fake_quantisation")["cases"].as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap() as f32;
        let levels = Levels::nudged(number("low"), number("high"), case["n_bits"].as_u64().unwrap() as u32);
        let x = floats(&case["x"]);
        let mut rounded = vec![0.0; x.len()];
        levels.round(&x, &mut rounded);
        assert_close(&rounded, &case["value"], 1e-6, "value");
        let mut passes = vec![1.0; x.len()];
        levels.stop_gradient(&mut passes, &x);
        assert_close(&passes, &case["gradient_passes"], 0.0, "gradient");
    }
}

#[test]
fn penalties_have_the_gradients_of_pytorch() {
    let table = golden("penalties");
    let factor = table["factor"].as_f64().unwrap() as f32;
    for case in table["kernels"].as_array().unwrap() {
        let rows = case["kernel"].as_array().unwrap();
        let kernel = floats(&case["kernel"]);
        let (n_units, n_inputs) = (rows.len(), kernel.len() / rows.len());
        let architecture = Architecture {
            output: Output::Linear,
            ..Architecture::plain(&[], Activation::Tanh, Initial::GlorotUniform)
        };
        let mut network = Network::new(n_inputs, &architecture, n_units, &mut rng()).unwrap();
        network.parameters[..kernel.len()].copy_from_slice(&kernel);
        let none = Penalties::default();
        for (name, penalties) in [
            ("l1", Penalties { l1: factor, ..none }),
            ("l2", Penalties { l2: factor, ..none }),
            ("orthonormal", Penalties { orthonormal: factor, ..none }),
        ] {
            let mut gradient = vec![0.0; network.parameters.len()];
            penalties.add_gradient(network.layers(), &network.parameters, &mut gradient);
            assert_close(&gradient[..kernel.len()], &case["penalties"][name]["gradient"], 1e-6, name);
        }
    }
}
