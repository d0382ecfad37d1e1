//! A dense network: its parameters, and its forward and backward pass over the tiles of a batch.

use ndarray::{ArrayView1, ArrayView2};
use rand::Rng;
use rand::rngs::ChaCha8Rng;

use super::architecture::{Architecture, NetworkError, Operation};
use super::batches::Tile;
use super::layer::Layer;
use super::loss::{Loss, Output};
use super::operation::{Before, Held, Phase, Placed};
use super::passing::{Backward, Forward, Seen};
use super::quantise::round_kernel;
use super::regularisation::Constraints;
use crate::layer_id::LayerId;
use crate::math::tile::{self, TILE};
use crate::math::wide::{self, Cores};

/// Half a billion: weights, their gradient and the two moments of Adam then need 8 GB.
const MOST_PARAMETERS: u128 = 500_000_000;
/// Number of parameters above which one network uses all cores: about a millisecond of work per tile.
pub const LARGE: usize = 200_000;

/// Weights and biases of a dense network, and the other parameters of its operations.
#[derive(Debug, Clone)]
pub struct Network {
    layers: Vec<Layer>,
    output: Output,
    couples_samples: bool,
    /// All parameters, layer by layer, kernel before bias, then those of the operations of the layer: one slice for the
    /// optimiser.
    pub(super) parameters: Vec<f32>,
    /// Values that operations adapt without gradients: running means and variances, ranges.
    pub(super) statistics: Vec<f32>,
}

/// Buffers for all tiles that pass through a network together, allocated once.
#[derive(Debug)]
pub(super) struct Workspace {
    tiles: Vec<Vec<LayerTile>>,
    /// The rounded kernels of quantised layers; empty if there are none.
    kernels: Vec<Vec<f32>>,
    /// For every layer and operation: its statistics of the batch.
    seen: Vec<Vec<Seen>>,
    /// Squares of the input of one layer; empty until needed.
    squares: Vec<f32>,
}

/// One tile in one layer.
#[derive(Debug)]
struct LayerTile {
    /// The pre-activations, then the output of each operation.
    values: Vec<Vec<f32>>,
    /// Values that operations store for the backward pass.
    kept: Vec<Vec<f32>>,
    /// ∂loss/∂values, in the backward pass.
    delta: Vec<f32>,
}

impl LayerTile {
    /// T of the layer.
    fn t(&self) -> &[f32] {
        &self.values[self.values.len() - 1]
    }
}

impl Network {
    /// An untrained network with `n_inputs` inputs and `n_outputs` outputs: kernels as in the architecture, biases 0.
    ///
    /// # Errors
    /// A layer without units; fewer than two classes for softmax; too many weights.
    pub fn new(
        n_inputs: usize,
        architecture: &Architecture,
        n_outputs: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, NetworkError> {
        let hidden = architecture.hidden.iter().map(|layer| layer.n_units);
        let widths: Vec<usize> = [n_inputs].into_iter().chain(hidden).chain([n_outputs]).collect();
        if architecture.output == Output::Softmax && n_outputs < 2 {
            return Err(NetworkError::TooFewClasses { got: n_outputs });
        }
        if let Some(index) = widths.iter().position(|width| *width == 0) {
            return Err(NetworkError::NoUnits { layer: LayerId::from_index(index) });
        }
        let n_weights = widths.windows(2).map(|pair| (pair[0] as u128 + 1) * pair[1] as u128).sum::<u128>();
        if n_weights > MOST_PARAMETERS {
            let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
            return Err(NetworkError::TooLarge { widths: widths.join("-"), most: MOST_PARAMETERS });
        }
        let (mut layers, mut n_parameters, mut n_statistics) = (Vec::new(), 0, 0);
        for (l, pair) in widths.windows(2).enumerate() {
            let (operations, kernel_bits) = match architecture.hidden.get(l) {
                Some(hidden) => (hidden.operations.clone(), hidden.kernel_bits()),
                None => {
                    let quantise = architecture.output_bits.map(|bits| Operation::Quantise { bits });
                    (quantise.into_iter().collect(), architecture.output_bits)
                }
            };
            let mut layer = Layer {
                n_inputs: pair[0],
                n_units: pair[1],
                offset: n_parameters,
                operations: Vec::new(),
                kernel_bits,
            };
            n_parameters = layer.bias().end;
            let is_output = l == architecture.hidden.len();
            let mut before = is_output.then_some(architecture.output).map_or(Before::Sums, Before::Output);
            for operation in operations {
                let placed = Placed::new(operation, before.range(), layer.n_units, n_parameters, n_statistics);
                n_parameters = placed.parameters.end;
                n_statistics = placed.statistics.end;
                before = Before::Operation(operation);
                layer.operations.push(placed);
            }
            layers.push(layer);
        }
        let (mut parameters, mut statistics) = (vec![0.0; n_parameters], vec![0.0; n_statistics]);
        for (l, layer) in layers.iter().enumerate() {
            let initial =
                if l < architecture.hidden.len() { architecture.initial } else { architecture.output_initial };
            let (kernel, bias) = layer.split(&mut parameters);
            initial.fill(kernel, bias, rng);
            kernel.iter_mut().chain(bias).for_each(|weight| *weight *= architecture.initial_scale);
            for placed in &layer.operations {
                placed.begin(&mut parameters, &mut statistics);
            }
        }
        let couples_samples = architecture.couples_samples();
        Ok(Self { layers, output: architecture.output, couples_samples, parameters, statistics })
    }

    /// The layers after the input: hidden layers, then the output.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// A layer after the input.
    ///
    /// # Panics
    /// The input, which has no weights, and numbers above the output layer.
    pub fn layer(&self, layer: LayerId) -> &Layer {
        &self.layers[layer.index() - 1]
    }

    /// Number of units of a layer, or of inputs for the input layer.
    pub fn n_units(&self, layer: LayerId) -> usize {
        if layer == LayerId::INPUT { self.layers[0].n_inputs } else { self.layer(layer).n_units }
    }

    /// The kernel of a layer after the input, n_units × n_inputs, at full precision.
    pub fn kernel(&self, layer: LayerId) -> ArrayView2<'_, f32> {
        let layer = self.layer(layer);
        ArrayView2::from_shape((layer.n_units, layer.n_inputs), layer.kernel_of(&self.parameters))
            .expect("a layer's range was computed from its shape")
    }

    /// The bias of a layer after the input.
    pub fn bias(&self, layer: LayerId) -> ArrayView1<'_, f32> {
        ArrayView1::from(&self.parameters[self.layer(layer).bias()])
    }

    /// The other parameters of the operations of a layer after the input, in order: for batch normalisation γ, β,
    /// running mean and running variance, n_units each; for quantisation the lowest and the highest value. Empty if
    /// there are none.
    pub fn held_by_operations(&self, layer: LayerId) -> Vec<f32> {
        let held = |placed: &Placed| {
            [&self.parameters[placed.parameters.clone()], &self.statistics[placed.statistics.clone()]].concat()
        };
        self.layer(layer).operations.iter().flat_map(held).collect()
    }

    /// Number of weights and biases, without other parameters of operations.
    pub fn n_weights(&self) -> usize {
        self.layers.iter().map(|layer| layer.n_inputs * layer.n_units + layer.n_units).sum()
    }

    /// Number of all parameters that are trained by gradients.
    pub fn n_parameters(&self) -> usize {
        self.parameters.len()
    }

    /// Whether all cores work on this network together, instead of each core on a separate network.
    pub fn is_large(&self) -> bool {
        self.parameters.len() >= LARGE
    }

    pub(super) fn cores(&self) -> Cores {
        if self.is_large() { Cores::All } else { Cores::One }
    }

    /// Whether every parameter is finite.
    pub fn is_finite(&self) -> bool {
        self.parameters.iter().all(|parameter| parameter.is_finite())
    }

    /// How many of `n_tiles` tiles pass through together: all tiles of a batch if its samples depend on each other;
    /// otherwise one, because its values fit in the cache.
    pub(super) fn tiles_together(&self, n_tiles: usize) -> usize {
        if self.couples_samples { n_tiles } else { 1 }
    }

    /// Allocates buffers for `n_tiles` tiles that pass through together.
    pub(super) fn workspace(&self, n_tiles: usize) -> Workspace {
        let tile = |layer: &Layer| vec![0.0; layer.n_units * TILE];
        let of_layer = |(l, layer): (usize, &Layer)| {
            let n_values = 1 + usize::from(l + 1 == self.layers.len()) + layer.operations.len();
            LayerTile {
                values: (0..n_values).map(|_| tile(layer)).collect(),
                kept: layer.operations.iter().map(|placed| placed.kept(layer.n_units * TILE)).collect(),
                delta: tile(layer),
            }
        };
        let rounded = |layer: &Layer| vec![0.0; layer.kernel_bits.map_or(0, |_| layer.n_inputs * layer.n_units)];
        Workspace {
            tiles: (0..n_tiles).map(|_| self.layers.iter().enumerate().map(of_layer).collect()).collect(),
            kernels: self.layers.iter().map(rounded).collect(),
            seen: self.layers.iter().map(|layer| vec![Seen::default(); layer.operations.len()]).collect(),
            squares: Vec::new(),
        }
    }

    /// Rounds the kernels of quantised layers, and clears the statistics of the previous batch.
    pub(super) fn begin_batch(&self, work: &mut Workspace) {
        for (layer, rounded) in self.layers.iter().zip(&mut work.kernels) {
            if let Some(bits) = layer.kernel_bits {
                round_kernel(layer.kernel_of(&self.parameters), bits, rounded);
            }
        }
        work.seen.iter_mut().flatten().for_each(Seen::forget);
    }

    /// Computes the values of every layer for some tiles of a batch.
    pub(super) fn forward(&self, tiles: &[Tile<'_>], work: &mut Workspace, phase: Phase, draws: &mut ChaCha8Rng) {
        let n_tiles = tiles.len();
        for (l, layer) in self.layers.iter().enumerate() {
            let kernel = self.kernel_in(layer, &work.kernels[l]);
            for (tile, of_tile) in tiles.iter().zip(&mut work.tiles) {
                let (below, here) = of_tile.split_at_mut(l);
                let (input, z) = (below.last().map_or(tile.x, LayerTile::t), &mut here[0].values[0]);
                let bias = &self.parameters[layer.bias()];
                match layer.is_wide() {
                    true => wide::affine(self.cores(), kernel, bias, input, z),
                    false => tile::affine(kernel, bias, input, z),
                }
                if l + 1 == self.layers.len() {
                    let (z, p) = here[0].values.split_at_mut(1);
                    self.output.apply(&z[0], &mut p[0]);
                }
            }
            // For the output layer, the first values are the pre-activations and the second ones the output.
            let first = usize::from(l + 1 == self.layers.len());
            for (k, placed) in layer.operations.iter().enumerate() {
                let views = work.tiles[..n_tiles].iter_mut().zip(tiles).map(|(of_tile, tile)| {
                    let LayerTile { values, kept, .. } = &mut of_tile[l];
                    let (before, after) = values.split_at_mut(first + k + 1);
                    Forward { from: &before[first + k], to: &mut after[0], kept: &mut kept[k], n_valid: tile.n_valid }
                });
                placed.forward(views, self.held(), &mut work.seen[l][k], phase, draws);
            }
        }
    }

    /// Adds the gradient of `scale` · Σ_s loss(s) over the samples of some tiles to `gradient`, which has the layout of
    /// the parameters. [`Network::forward`] must have filled `work`.
    pub(super) fn backward(
        &self,
        tiles: &[Tile<'_>],
        loss: Loss,
        scale: f32,
        work: &mut Workspace,
        gradient: &mut [f32],
    ) {
        let output = self.layers.len() - 1;
        for (tile, of_tile) in tiles.iter().zip(&mut work.tiles) {
            let LayerTile { values, delta, .. } = &mut of_tile[output];
            // Gradients pass through the quantisation of the output, if any.
            loss.delta(self.output, &values[1], tile.targets, tile.n_valid, scale, delta);
        }
        self.backward_from_output(tiles, work, gradient);
    }

    /// Adds the gradient of a function of the output to `gradient`, which has the layout of the parameters. `work` must
    /// contain the values of [`Network::forward`], and in [`Workspace::output_delta`] the derivatives of the function with
    /// respect to the pre-activations of the output, 0 for padding.
    pub(super) fn backward_from_output(&self, tiles: &[Tile<'_>], work: &mut Workspace, gradient: &mut [f32]) {
        let output = self.layers.len() - 1;
        for (l, layer) in self.layers.iter().enumerate().rev() {
            // The operations of the output are only roundings, which gradients pass.
            let operations = if l == output { &[][..] } else { &layer.operations };
            for (k, placed) in operations.iter().enumerate().rev() {
                let views = work.tiles[..tiles.len()].iter_mut().zip(tiles).map(|(of_tile, tile)| {
                    let LayerTile { values, kept, delta } = &mut of_tile[l];
                    Backward { from: &values[k], to: &values[k + 1], kept: &kept[k], delta, n_valid: tile.n_valid }
                });
                placed.backward(views, self.held(), &work.seen[l][k], gradient);
            }
            let kernel = self.kernel_in(layer, &work.kernels[l]);
            for (tile, of_tile) in tiles.iter().zip(&mut work.tiles) {
                let (below, here) = of_tile.split_at_mut(l);
                let input = below.last().map_or(tile.x, LayerTile::t);
                layer.add_gradients(self.cores(), input, &here[0].delta, gradient);
                if let Some(below) = below.last_mut() {
                    match layer.is_wide() {
                        true => wide::back_affine(self.cores(), kernel, &here[0].delta, &mut below.delta),
                        false => tile::back_affine(kernel, &here[0].delta, &mut below.delta),
                    }
                }
            }
        }
    }

    /// Adds Σ_s g_s² of some tiles to `squares`, which has the layout of the parameters; g_s are the gradients of
    /// single samples. [`Network::backward`] must have filled `work`, which is overwritten with squares.
    ///
    /// For a dense layer g = δ a, so Σ_s g_s² = Σ_s δ_s² a_s²: the sum of gradients with every factor squared.
    pub(super) fn add_squared_gradients(&self, tiles: &[Tile<'_>], work: &mut Workspace, squares: &mut [f32]) {
        let Workspace { tiles: work, squares: input, .. } = work;
        for (l, layer) in self.layers.iter().enumerate().rev() {
            for (tile, layers) in tiles.iter().zip(&mut *work) {
                input.clear();
                input.extend(if l == 0 { tile.x } else { layers[l - 1].t() }.iter().map(|v| v * v));
                let delta = &mut layers[l].delta;
                delta.iter_mut().for_each(|d| *d *= *d);
                layer.add_gradients(self.cores(), input, delta, squares);
            }
        }
    }

    /// Updates the running statistics with those of a training batch.
    pub(super) fn learn_statistics(&mut self, work: &Workspace) {
        for (layer, seen) in self.layers.iter().zip(&work.seen) {
            for (placed, seen) in layer.operations.iter().zip(seen) {
                placed.learn(seen, &mut self.statistics);
            }
        }
    }

    /// Applies the constraints after an update; `first_norms`, the initial norms of the kernels, are given after the
    /// last update of an epoch.
    pub(super) fn constrain(&mut self, constraints: &Constraints, first_norms: Option<&[f32]>) {
        constraints.after_step(&self.layers, &mut self.parameters);
        if let Some(first) = first_norms {
            constraints.after_epoch(first, &self.layers, &mut self.parameters);
        }
    }

    /// Sets the kernel of the output layer to 0, so that the output is its bias for every input.
    pub fn clear_output_kernel(&mut self) {
        let output = &self.layers[self.layers.len() - 1];
        output.kernel_of_mut(&mut self.parameters).fill(0.0);
    }

    /// Copies the weights of another network of the same shape.
    pub fn copy_weights(&mut self, other: &Self) {
        self.parameters.copy_from_slice(&other.parameters);
        self.statistics.copy_from_slice(&other.statistics);
    }

    fn held(&self) -> Held<'_> {
        Held { parameters: &self.parameters, statistics: &self.statistics, cores: self.cores() }
    }

    fn kernel_in<'a>(&'a self, layer: &Layer, rounded: &'a [f32]) -> &'a [f32] {
        if rounded.is_empty() { layer.kernel_of(&self.parameters) } else { rounded }
    }
}

impl Workspace {
    /// T of `layers()[l]` in tile `tile` of the tiles that passed last.
    pub(super) fn t(&self, tile: usize, l: usize) -> &[f32] {
        self.tiles[tile][l].t()
    }

    /// Number of tiles that fit.
    pub(super) fn n_tiles(&self) -> usize {
        self.tiles.len()
    }

    /// The derivatives with respect to the pre-activations of the output in tile `tile`, for
    /// [`Network::backward_from_output`].
    pub(super) fn output_delta(&mut self, tile: usize) -> &mut [f32] {
        let layers = &mut self.tiles[tile];
        let output = layers.len() - 1;
        &mut layers[output].delta
    }

    /// The pre-activations of `layers()[l]`.
    pub(super) fn z(&self, tile: usize, l: usize) -> &[f32] {
        &self.tiles[tile][l].values[0]
    }
}
