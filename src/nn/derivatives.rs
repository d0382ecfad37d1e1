//! Compares gradients of every layer, activation, loss and penalty with finite differences of the textbook formulas in
//! f64, a slow implementation of the forward pass.
#![cfg(test)]

use ndarray::Array2;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

use super::*;
use crate::suggest::Named;

/// More than one tile, so that there is padding.
const TWO_TILES: usize = 150;
/// One thread, so that random numbers are drawn layer by layer.
const ONE_TILE: usize = 100;
const WIDTHS: [usize; 4] = [4, 6, 5, 3];

/// Numbers that an operation draws or rounds away: recorded at the original weights, reused when weights are shifted. A
/// rounding is then a constant shift, as the straight-through estimator assumes.
enum Shifts {
    Write(Vec<f64>),
    Read(std::vec::IntoIter<f64>),
}

impl Shifts {
    fn next(&mut self, now: impl FnOnce() -> f64) -> f64 {
        match self {
            Shifts::Write(shifts) => {
                shifts.push(now());
                shifts[shifts.len() - 1]
            }
            Shifts::Read(shifts) => shifts.next().unwrap(),
        }
    }
}

struct Twin<'a> {
    architecture: &'a Architecture,
    x: &'a Array2<f32>,
    targets: Array2<f64>,
    loss: Loss,
    penalties: Penalties,
    draws: ChaCha8Rng,
    statistics: Vec<f32>,
}

fn activation(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Tanh => z.tanh(),
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu => z.max(0.01 * z),
        Activation::Elu => z.max(z.min(0.0).exp_m1()),
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::Softsign => z / (1.0 + z.abs()),
        Activation::Softplus => z.exp().ln_1p(),
        Activation::HardTanh => z.clamp(-1.0, 1.0),
        Activation::Relu6 => z.clamp(0.0, 6.0),
        Activation::Silu => z / (1.0 + (-z).exp()),
        Activation::Linear => z,
    }
}

/// The levels of TensorFlow's fake quantisation: the lowest, the highest, and their distance.
fn levels(low: f64, high: f64, bits: u32) -> (f64, f64, f64) {
    let n = 2.0_f64.powi(bits as i32) - 1.0;
    let step = (high - low) / n;
    let zero = (-low / (high - low) * n).round();
    (-zero * step, (n - zero) * step, step)
}

impl Twin<'_> {
    /// Mean loss and penalties.
    fn value(&mut self, parameters: &[f64], shifts: &mut Shifts) -> f64 {
        let n = self.x.nrows();
        let mut t: Vec<Vec<f64>> =
            self.x.rows().into_iter().map(|row| row.iter().map(|v| f64::from(*v)).collect()).collect();
        let (mut rest, mut statistics, mut penalty) = (parameters, self.statistics.as_slice(), 0.0);
        for l in 0..WIDTHS.len() - 1 {
            let (n_in, n_out) = (WIDTHS[l], WIDTHS[l + 1]);
            let mut take = |n: usize| {
                let (taken, after) = rest.split_at(n);
                rest = after;
                taken
            };
            let (kernel, bias) = (take(n_in * n_out), take(n_out));
            penalty += self.penalty(kernel, n_in);
            let hidden = self.architecture.hidden.get(l);
            let bits = hidden.map_or(self.architecture.output_bits, Hidden::kernel_bits);
            let kernel: Vec<f64> = match bits {
                None => kernel.to_vec(),
                Some(bits) => {
                    let step =
                        kernel.iter().fold(0.0_f64, |m, w| m.max(w.abs())) / (2.0_f64.powi(bits as i32 - 1) - 1.0);
                    kernel.iter().map(|w| w + shifts.next(|| (w / step).round() * step - w)).collect()
                }
            };
            let z = |t: &Vec<f64>, j: usize| bias[j] + (0..n_in).map(|i| kernel[j * n_in + i] * t[i]).sum::<f64>();
            t = t.iter().map(|t| (0..n_out).map(|j| z(t, j)).collect()).collect();
            for operation in hidden.map_or(&[][..], |hidden| &hidden.operations) {
                match *operation {
                    Operation::Activation(function) => each(&mut t, |v| activation(function, v)),
                    Operation::BatchNorm => {
                        let (gamma, beta) = (take(n_out), take(n_out));
                        for j in 0..n_out {
                            let mean = t.iter().map(|t| t[j]).sum::<f64>() / n as f64;
                            let variance = t.iter().map(|t| (t[j] - mean).powi(2)).sum::<f64>() / n as f64;
                            let scale = gamma[j] / (variance + 1e-3).sqrt();
                            t.iter_mut().for_each(|t| t[j] = scale * (t[j] - mean) + beta[j]);
                        }
                        statistics = &statistics[2 * n_out..];
                    }
                    Operation::Dropout { .. } | Operation::GaussianDropout { .. } | Operation::Noise { .. } => {
                        // The program draws for all positions of a tile, unit by unit.
                        let draws = &mut self.draws;
                        let drawn: Vec<f64> =
                            (0..n_out * 128).map(|_| shifts.next(|| draw(*operation, draws))).collect();
                        for (s, t) in t.iter_mut().enumerate() {
                            for (j, v) in t.iter_mut().enumerate() {
                                match operation {
                                    Operation::Noise { .. } => *v += drawn[j * 128 + s],
                                    _ => *v *= drawn[j * 128 + s],
                                }
                            }
                        }
                    }
                    Operation::Quantise { bits } => {
                        let (low, high, step) = levels(statistics[0].into(), statistics[1].into(), bits);
                        each(&mut t, |v| {
                            let cut = v.clamp(low, high);
                            cut + shifts.next(|| (cut / step).round() * step - cut)
                        });
                        statistics = &statistics[2..];
                    }
                }
            }
        }
        let of_sample = |(t, y): (&Vec<f64>, ndarray::ArrayView1<'_, f64>)| self.loss(t, &y.to_vec());
        t.iter().zip(self.targets.rows()).map(of_sample).sum::<f64>() / n as f64 + penalty
    }

    fn loss(&self, z: &[f64], y: &[f64]) -> f64 {
        let total: f64 = z.iter().map(|z| z.exp()).sum();
        let p: Vec<f64> = match self.architecture.output {
            Output::Softmax => z.iter().map(|z| z.exp() / total).collect(),
            Output::Sigmoid => z.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect(),
            Output::Linear => z.to_vec(),
        };
        let pairs = || p.iter().zip(y);
        match (self.loss, self.architecture.output) {
            (Loss::SquaredError, _) => pairs().map(|(p, y)| (p - y).powi(2)).sum::<f64>() / y.len() as f64,
            (_, Output::Softmax) => pairs().map(|(p, y)| -y * p.ln()).sum(),
            _ => pairs().map(|(p, y)| -y * p.ln() - (1.0 - y) * (1.0 - p).ln()).sum(),
        }
    }

    fn penalty(&self, kernel: &[f64], n_in: usize) -> f64 {
        let n_out = kernel.len() / n_in;
        let Penalties { l1, l2, orthonormal } = self.penalties;
        let w = |j: usize, i: usize| kernel[j * n_in + i];
        let product = |a: usize, b: usize| -> f64 {
            match n_out <= n_in {
                true => (0..n_in).map(|i| w(a, i) * w(b, i)).sum(),
                false => (0..n_out).map(|j| w(j, a) * w(j, b)).sum(),
            }
        };
        let m = n_in.min(n_out);
        let off: f64 = (0..m * m).map(|k| (product(k / m, k % m) - f64::from(u8::from(k / m == k % m))).powi(2)).sum();
        f64::from(l1) * kernel.iter().map(|w| w.abs()).sum::<f64>()
            + f64::from(l2) * kernel.iter().map(|w| w * w).sum::<f64>()
            + f64::from(orthonormal) * off
    }
}

fn each(t: &mut [Vec<f64>], mut f: impl FnMut(f64) -> f64) {
    // The order of the program, unit by unit, is not needed: roundings are recorded and reused in one order.
    t.iter_mut().flatten().for_each(|v| *v = f(*v));
}

fn draw(operation: Operation, draws: &mut ChaCha8Rng) -> f64 {
    match operation {
        Operation::Dropout { rate } if draws.random::<f32>() < rate => 0.0,
        Operation::Dropout { rate } => 1.0 / (1.0 - f64::from(rate)),
        Operation::GaussianDropout { rate } => {
            let variance = f64::from(rate) / (1.0 - f64::from(rate));
            1.0 + variance.sqrt() * f64::from(draws.sample::<f32, _>(StandardNormal))
        }
        Operation::Noise { variance } => f64::from(variance).sqrt() * f64::from(draws.sample::<f32, _>(StandardNormal)),
        _ => unreachable!(),
    }
}

fn input(n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, WIDTHS[0]), |(s, u)| ((s * 4 + u) as f32 * 0.61).sin())
}

fn classes(x: &Array2<f32>) -> Vec<usize> {
    let class = |s| usize::from(x[[s, 0]] + x[[s, 1]] * x[[s, 2]] > 0.0) + usize::from(x[[s, 3]] > 0.8);
    (0..x.nrows()).map(class).collect()
}

fn stream(number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    rng.set_stream(number);
    rng
}

#[track_caller]
fn check(n: usize, architecture: &Architecture, loss: Loss, penalties: Penalties, targets: Option<&Array2<f32>>) {
    let x = input(n);
    let classes = classes(&x);
    let targets_given = match targets {
        Some(values) => Targets::Numbers(values.view()),
        None => Targets::Classes { classes: &classes, n_classes: WIDTHS[3] },
    };
    let network = Network::new(WIDTHS[0], architecture, WIDTHS[3], &mut stream(0)).unwrap();
    let samples = Samples { x: x.view(), targets: targets_given };
    let streams = Streams { batches: stream(1), draws: stream(2), labels: stream(3) };
    let settings = TrainingSettings {
        loss,
        penalties,
        batch_order: BatchOrder::Reshuffled,
        ..TrainingSettings::plain(Optimiser::ADAM, 0.01, BatchSize::Full, 1)
    };
    let mut training = Training::new(network, samples, (0..n).collect(), settings, streams);
    // One epoch shifts the zero biases: a unit whose inputs are all dead would be exactly at ReLU's kink.
    training.epoch();
    let (gradient, parameters, statistics, order) = training.gradient_now();

    let value = |s: usize, unit: usize| match targets {
        Some(values) => f64::from(values[[s, unit]]),
        None => f64::from(u8::from(classes[s] == unit)),
    };
    // In the order of the batch, which determines the random numbers of a sample.
    let x = Array2::from_shape_fn(x.dim(), |(s, u)| x[[order[s], u]]);
    let mut draws = stream(2);
    draws.set_word_pos(1 << 36); // of the second update
    let targets = Array2::from_shape_fn((n, WIDTHS[3]), |(s, unit)| value(order[s], unit));
    let mut twin = Twin { architecture, x: &x, targets, loss, penalties, draws, statistics };
    let mut parameters: Vec<f64> = parameters.iter().map(|p| f64::from(*p)).collect();
    let mut shifts = Shifts::Write(Vec::new());
    twin.value(&parameters, &mut shifts);
    let Shifts::Write(shifts) = shifts else { unreachable!() };
    for k in 0..gradient.len() {
        const H: f64 = 1e-5;
        let mut moved = |h: f64| {
            parameters[k] += h;
            let value = twin.value(&parameters, &mut Shifts::Read(shifts.clone().into_iter()));
            parameters[k] -= h;
            value
        };
        let slope = (moved(H) - moved(-H)) / (2.0 * H);
        // Central differences in f64 have errors of 1e-9; the f32 gradient has errors of a few 1e-7 of the terms in
        // its sum.
        let got = f64::from(gradient[k]);
        assert!((got - slope).abs() < 4e-6, "{architecture:?}, {loss:?}, parameter {k}: {got} is not {slope}");
    }
}

fn network(operations: &[Operation]) -> Architecture {
    let layer = |n_units: usize| Hidden { n_units, operations: operations.to_vec() };
    let plain = Architecture::plain(&[], Activation::Tanh, Initial::TruncatedNormal(Fan::In));
    Architecture { hidden: vec![layer(WIDTHS[1]), layer(WIDTHS[2])], ..plain }
}

const TANH: Operation = Operation::Activation(Activation::Tanh);

fn check_operations(n: usize, operations: &[Operation]) {
    check(n, &network(operations), Loss::CrossEntropy, Penalties::default(), None);
}

#[test]
fn every_activation_has_the_slope_of_its_formula() {
    for activation in Activation::ALL {
        check_operations(TWO_TILES, &[Operation::Activation(*activation)]);
    }
}

#[test]
fn batch_normalisation_before_and_after_the_activation() {
    check_operations(TWO_TILES, &[Operation::BatchNorm, TANH]);
    check_operations(TWO_TILES, &[Operation::Activation(Activation::Relu), Operation::BatchNorm]);
}

#[test]
fn dropout_and_noise_as_they_were_drawn() {
    check_operations(ONE_TILE, &[TANH, Operation::Dropout { rate: 0.3 }]);
    check_operations(ONE_TILE, &[TANH, Operation::GaussianDropout { rate: 0.3 }]);
    check_operations(ONE_TILE, &[TANH, Operation::Noise { variance: 0.1 }]);
    check_operations(ONE_TILE, &[Operation::Dropout { rate: 0.2 }, TANH, Operation::Noise { variance: 0.1 }]);
}

#[test]
fn gradients_pass_straight_through_quantisation() {
    check_operations(TWO_TILES, &[TANH, Operation::Quantise { bits: 4 }]);
    check_operations(TWO_TILES, &[TANH, Operation::Quantise { bits: 8 }]);
    check_operations(TWO_TILES, &[Operation::Activation(Activation::Relu), Operation::Quantise { bits: 4 }]);
    // A sum that is clipped at the end of its range has slope 0: TensorFlow's first range is ±6, so weights are scaled
    // up.
    let loud = [Operation::Activation(Activation::Linear), Operation::Quantise { bits: 8 }, TANH];
    check_operations(TWO_TILES, &loud);
    let output = Architecture { output_bits: Some(8), ..network(&[TANH]) };
    check(TWO_TILES, &output, Loss::CrossEntropy, Penalties::default(), None);
}

#[test]
fn every_output_with_every_loss() {
    for output in Output::ALL {
        for loss in Loss::ALL {
            let architecture = Architecture { output: *output, ..network(&[TANH]) };
            if architecture.check(*loss, BatchSize::Full).is_ok() {
                check(TWO_TILES, &architecture, *loss, Penalties::default(), None);
            }
        }
    }
    let numbers = Array2::from_shape_fn((TWO_TILES, WIDTHS[3]), |(s, unit)| ((s + 7 * unit) as f32).sin());
    let linear = Architecture { output: Output::Linear, ..network(&[Operation::Activation(Activation::Silu)]) };
    check(TWO_TILES, &linear, Loss::SquaredError, Penalties::default(), Some(&numbers));
}

#[test]
fn every_penalty() {
    let none = Penalties::default();
    for penalties in [
        Penalties { l1: 0.01, ..none },
        Penalties { l2: 0.02, ..none },
        Penalties { orthonormal: 0.03, ..none },
        Penalties { l1: 0.01, l2: 0.02, orthonormal: 0.03 },
    ] {
        check(TWO_TILES, &network(&[TANH]), Loss::CrossEntropy, penalties, None);
    }
}
