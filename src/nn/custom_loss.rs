//! Training with a loss that the caller computes, for losses that are not a mean over single samples.

use ndarray::ArrayView2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::batches::{Tile, lay_out};
use super::evaluation::transpose;
use super::network::{Network, Workspace};
use super::operation::Phase;
use super::optimiser::{Optimiser, OptimiserState};
use crate::math::tile::TILE;

/// A network in training, whose loss is any function of its outputs for a batch. The caller computes the derivatives of the
/// loss from the outputs.
///
/// The architecture must not contain operations that draw random numbers or couple samples.
///
/// ```
/// use infoplane::nn::{Activation, Architecture, CustomTraining, Fan, Initial, Network, Optimiser, Output};
/// use ndarray::array;
/// use rand::SeedableRng;
/// use rand::rngs::ChaCha8Rng;
///
/// // The difference between the outputs of two samples, which should be 1: not a mean over samples.
/// let initial = Initial::TruncatedNormal(Fan::In);
/// let architecture = Architecture { output: Output::Linear, ..Architecture::plain(&[4], Activation::Tanh, initial) };
/// let network = Network::new(2, &architecture, 1, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let mut training = CustomTraining::new(network, Optimiser::ADAM);
/// let x = array![[0.5, -0.2], [-0.1, 0.9_f32]];
/// for _ in 0..200 {
///     let z = training.forward(x.view(), &[0, 1]);
///     let error = z[0] - z[1] - 1.0;
///     training.update(&[2.0 * error, -2.0 * error], 0.05);
/// }
/// let z = training.forward(x.view(), &[0, 1]);
/// assert!((z[0] - z[1] - 1.0).abs() < 1e-2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CustomTraining {
    network: Network,
    optimiser: Optimiser,
    state: OptimiserState,
    gradient: Vec<f32>,
    work: Workspace,
    /// The inputs of the last batch, tile by tile.
    x: Vec<f32>,
    /// Number of samples of every tile of the last batch.
    n_valid: Vec<usize>,
    /// The pre-activations of the output for the last batch, n_samples × n_outputs.
    sums: Vec<f32>,
}

impl CustomTraining {
    /// Prepares the training of `network`.
    pub fn new(network: Network, optimiser: Optimiser) -> Self {
        let n_parameters = network.n_parameters();
        Self {
            state: OptimiserState::new(optimiser, n_parameters),
            optimiser,
            gradient: vec![0.0; n_parameters],
            work: network.workspace(1),
            x: Vec::new(),
            n_valid: Vec::new(),
            sums: Vec::new(),
            network,
        }
    }

    /// The network in its present state.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Continues from the weights of another network of the same shape.
    pub fn set_weights(&mut self, network: &Network) {
        self.network.copy_weights(network);
    }

    /// The pre-activations of the output for a batch, n_samples × n_outputs, row-major: the rows of `x` (n × n_inputs) with
    /// the numbers `batch`.
    pub fn forward(&mut self, x: ArrayView2<'_, f32>, batch: &[usize]) -> &[f32] {
        let (n_inputs, output) = (x.ncols() * TILE, self.network.layers().len() - 1);
        self.n_valid = batch.chunks(TILE).map(<[usize]>::len).collect();
        self.x.resize(self.n_valid.len() * n_inputs, 0.0);
        for (samples, tile) in batch.chunks(TILE).zip(self.x.chunks_exact_mut(n_inputs)) {
            lay_out(x, samples, tile);
        }
        if self.work.n_tiles() < self.n_valid.len() {
            self.work = self.network.workspace(self.n_valid.len());
        }
        // Nothing is drawn.
        let mut draws = ChaCha8Rng::seed_from_u64(0);
        self.network.begin_batch(&mut self.work);
        self.network.forward(&tiles(&self.x, &self.n_valid), &mut self.work, Phase::Training, &mut draws);
        self.sums.resize(batch.len() * self.network.layers()[output].n_units, 0.0);
        for (tile, n_valid) in self.n_valid.iter().enumerate() {
            transpose(self.work.z(tile, output), 0..*n_valid, tile * TILE, &mut self.sums);
        }
        &self.sums
    }

    /// Makes one step of the optimiser against the gradient of the loss, whose `derivatives` with respect to the result of
    /// the last [`CustomTraining::forward`] are n_samples × n_outputs.
    pub fn update(&mut self, derivatives: &[f32], learning_rate: f32) {
        self.compute_gradient(derivatives);
        let cores = self.network.cores();
        self.state.step(self.optimiser, learning_rate, cores, &mut self.network.parameters, &self.gradient);
    }

    fn compute_gradient(&mut self, derivatives: &[f32]) {
        let n_outputs = derivatives.len() / self.n_valid.iter().sum::<usize>();
        for (tile, rows) in derivatives.chunks(TILE * n_outputs).enumerate() {
            let delta = self.work.output_delta(tile);
            delta.fill(0.0);
            for (sample, row) in rows.chunks_exact(n_outputs).enumerate() {
                row.iter().enumerate().for_each(|(unit, value)| delta[unit * TILE + sample] = *value);
            }
        }
        self.gradient.fill(0.0);
        self.network.backward_from_output(&tiles(&self.x, &self.n_valid), &mut self.work, &mut self.gradient);
    }
}

/// The tiles of a batch, without targets.
fn tiles<'a>(x: &'a [f32], n_valid: &[usize]) -> Vec<Tile<'a>> {
    let n_values = x.len() / n_valid.len();
    x.chunks_exact(n_values).zip(n_valid).map(|(x, n_valid)| Tile { x, targets: &[], n_valid: *n_valid }).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::{Activation, Architecture, Initial, Output};
    use super::*;

    /// ½ (Σ_s Σ_u z_su cos(s + 2u))²: it depends on all samples together.
    fn loss(z: &[f32]) -> (f64, Vec<f32>) {
        let factor = |place: usize| ((place / 2) as f64 + 2.0 * (place % 2) as f64).cos();
        let sum: f64 = z.iter().enumerate().map(|(place, z)| factor(place) * f64::from(*z)).sum();
        (sum * sum / 2.0, (0..z.len()).map(|place| (sum * factor(place)) as f32).collect())
    }

    #[test]
    fn the_gradient_of_any_function_of_the_outputs_is_that_of_finite_differences() {
        let hidden = Architecture::plain(&[5, 4], Activation::Tanh, Initial::GlorotUniform);
        let architecture = Architecture { output: Output::Linear, ..hidden };
        let network = Network::new(3, &architecture, 2, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let x = Array2::from_shape_fn((200, 3), |(s, u)| ((s * 3 + u) as f32 * 0.61).sin());
        // More than one tile, in another order, with a sample twice.
        let batch: Vec<usize> = (0..150).rev().chain([7]).collect();
        let mut training = CustomTraining::new(network, Optimiser::Sgd);
        let (_, derivatives) = loss(training.forward(x.view(), &batch));
        training.compute_gradient(&derivatives);
        let gradient = training.gradient.clone();
        let largest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
        for (place, expected) in gradient.iter().enumerate() {
            let step = 1e-2;
            let mut at = |shift: f32| {
                training.network.parameters[place] += shift;
                let value = loss(training.forward(x.view(), &batch)).0;
                training.network.parameters[place] -= shift;
                value
            };
            let slope = (at(step) - at(-step)) / (2.0 * f64::from(step));
            // The third derivative contributes step²/6 of its size; the rounding of f32 in z is 1e-7/step of z.
            assert!((slope - f64::from(*expected)).abs() < 2e-3 * f64::from(largest), "{place}: {slope} {expected}");
        }
        assert!(largest > 0.0);
    }

    #[test]
    fn an_output_kernel_of_0_gives_the_bias_and_is_trained() {
        let architecture =
            Architecture { output: Output::Linear, ..Architecture::plain(&[4], Activation::Tanh, Initial::HeNormal) };
        let mut network = Network::new(2, &architecture, 1, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        network.clear_output_kernel();
        let x = Array2::from_shape_fn((3, 2), |(s, u)| (s + u) as f32);
        let mut training = CustomTraining::new(network, Optimiser::Sgd);
        assert_eq!(training.forward(x.view(), &[0, 1, 2]), [0.0; 3]);
        training.update(&[1.0, 0.0, -1.0], 0.1);
        let z = training.forward(x.view(), &[0, 1, 2]);
        assert!(z[0] < z[1] && z[1] < z[2], "{z:?}");
    }
}
