//! A dense network with a softmax output: its parameters, its forward and its backward pass on one tile of samples.

use ndarray::{ArrayView1, ArrayView2};
use rand::Rng;
use thiserror::Error;

use super::activation::Activation;
use super::initialisation::{Fan, truncated_normal};
use crate::math::tile::{self, TILE};

/// Half a billion: weights, their gradient and Adam's two moments are then 8 GB.
const MOST_PARAMETERS: u128 = 500_000_000;

/// The shape of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Width of the layer below.
    pub n_inputs: usize,
    /// Width of this layer.
    pub n_units: usize,
    /// Where its kernel (n_units × n_inputs), then its bias, begin in the parameters.
    offset: usize,
}

/// Weights and biases of a dense network: hidden layers of one activation, then a softmax output.
#[derive(Debug, Clone)]
pub struct Network {
    layers: Vec<Layer>,
    activation: Activation,
    /// All parameters, layer after layer, kernel before bias: one slice for the optimiser to walk over.
    pub(super) parameters: Vec<f32>,
}

/// Why a network cannot be built.
#[derive(Debug, Error, PartialEq)]
pub enum NetworkError {
    /// A layer without units.
    #[error("layer {layer} has no units; every layer needs at least one")]
    NoUnits {
        /// Its position, 0 is the input.
        layer: usize,
    },
    /// More parameters than memory is likely to hold.
    #[error("layers of {widths} units have too many weights; at most {MOST_PARAMETERS} can be trained")]
    TooLarge {
        /// All widths, joined by dashes.
        widths: String,
    },
    /// Softmax needs classes to choose from.
    #[error("the output has {got} classes; softmax needs at least 2 different labels in the data")]
    TooFewClasses {
        /// Number of classes.
        got: usize,
    },
}

/// One tile's outputs t_l and gradients δ_l of every layer, allocated once.
#[derive(Debug)]
pub(super) struct Workspace {
    /// `t[l]` is the output of layer l + 1 of the paper's counting, in place of its weighted sums.
    pub(super) t: Vec<Vec<f32>>,
    delta: Vec<Vec<f32>>,
}

impl Layer {
    fn kernel(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.n_inputs * self.n_units
    }

    fn bias(&self) -> std::ops::Range<usize> {
        let start = self.kernel().end;
        start..start + self.n_units
    }

    /// This layer's kernel among values laid out like the parameters.
    pub(super) fn kernel_of<'a, T>(&self, parameters: &'a [T]) -> &'a [T] {
        &parameters[self.kernel()]
    }

    fn split<'a>(&self, parameters: &'a mut [f32]) -> (&'a mut [f32], &'a mut [f32]) {
        parameters[self.offset..self.bias().end].split_at_mut(self.n_inputs * self.n_units)
    }
}

impl Network {
    /// A network with truncated-normal kernels (σ = 1/√fan) and zero biases.
    ///
    /// `widths` are all layers from the input to the output, for example `[12, 10, 7, 5, 4, 3, 2]`.
    ///
    /// # Errors
    /// A layer without units; fewer than two classes at the output.
    pub fn new(widths: &[usize], activation: Activation, fan: Fan, rng: &mut impl Rng) -> Result<Self, NetworkError> {
        if let Some(layer) = widths.iter().position(|width| *width == 0) {
            return Err(NetworkError::NoUnits { layer });
        }
        let n_classes = if widths.len() < 2 { 0 } else { widths[widths.len() - 1] };
        if n_classes < 2 {
            return Err(NetworkError::TooFewClasses { got: n_classes });
        }
        let n_parameters =
            widths.windows(2).map(|pair| pair[0] as u128 * pair[1] as u128 + pair[1] as u128).sum::<u128>();
        if n_parameters > MOST_PARAMETERS {
            let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
            return Err(NetworkError::TooLarge { widths: widths.join("-") });
        }
        let mut layers = Vec::new();
        let mut offset = 0;
        for pair in widths.windows(2) {
            let layer = Layer { n_inputs: pair[0], n_units: pair[1], offset };
            offset = layer.bias().end;
            layers.push(layer);
        }
        let mut parameters = vec![0.0; offset];
        for layer in &layers {
            let fan = match fan {
                Fan::In => layer.n_inputs,
                Fan::Out => layer.n_units,
            };
            truncated_normal(&mut parameters[layer.kernel()], 1.0 / (fan as f32).sqrt(), rng);
        }
        Ok(Self { layers, activation, parameters })
    }

    /// The layers above the input: hidden ones, then the output.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The kernel of layer `index` of [`Network::layers`], n_units × n_inputs.
    pub fn kernel(&self, index: usize) -> ArrayView2<'_, f32> {
        let layer = &self.layers[index];
        ArrayView2::from_shape((layer.n_units, layer.n_inputs), layer.kernel_of(&self.parameters))
            .expect("a layer's range was computed from its shape")
    }

    /// The bias of layer `index` of [`Network::layers`].
    pub fn bias(&self, index: usize) -> ArrayView1<'_, f32> {
        ArrayView1::from(&self.parameters[self.layers[index].bias()])
    }

    pub(super) fn workspace(&self) -> Workspace {
        let tiles = || self.layers.iter().map(|layer| vec![0.0; layer.n_units * TILE]).collect();
        Workspace { t: tiles(), delta: tiles() }
    }

    /// Computes every layer's output for one tile of inputs; the last becomes p(class | x).
    pub(super) fn forward(&self, x: &[f32], work: &mut Workspace) {
        self.forward_seen(x, work, |_, _| {});
    }

    /// As [`Network::forward`]; `see` gets each layer's number and its weighted sums before the activation function.
    pub(super) fn forward_seen(&self, x: &[f32], work: &mut Workspace, mut see: impl FnMut(usize, &[f32])) {
        let output = self.layers.len() - 1;
        for (l, layer) in self.layers.iter().enumerate() {
            let (below, here) = work.t.split_at_mut(l);
            let input = below.last().map_or(x, Vec::as_slice);
            let t = &mut here[0];
            tile::affine(&self.parameters[layer.kernel()], &self.parameters[layer.bias()], input, t);
            see(l, t);
            if l == output {
                tile::softmax_in_place(t);
            } else {
                self.activation.apply(t);
            }
        }
    }

    /// Adds the gradient of `scale` · Σ_s cross-entropy(s) over the tile's first `n_valid` samples to `gradient`, which
    /// is laid out like the parameters. Needs the outputs that [`Network::forward`] left in `work`.
    pub(super) fn backward(
        &self,
        x: &[f32],
        targets: &[f32],
        n_valid: usize,
        scale: f32,
        work: &mut Workspace,
        gradient: &mut [f32],
    ) {
        let output = self.layers.len() - 1;
        softmax_delta(&work.t[output], targets, n_valid, scale, &mut work.delta[output]);
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let (below, here) = work.delta.split_at_mut(l);
            let input = if l == 0 { x } else { work.t[l - 1].as_slice() };
            let (kernel_gradient, bias_gradient) = layer.split(gradient);
            tile::add_gradients(input, &here[0], kernel_gradient, bias_gradient);
            if let Some(delta) = below.last_mut() {
                tile::back_affine(&self.parameters[layer.kernel()], &here[0], delta);
                self.activation.times_slope(delta, input);
            }
        }
    }
}

impl Network {
    /// Adds Σ_s g_s² of the tile to `squares`, which is laid out like the parameters; g_s are the gradients of single
    /// samples. Needs what [`Network::backward`] left in `work`, and leaves squares there.
    ///
    /// For a dense layer g = δ a, so that Σ_s g_s² = Σ_s δ_s² a_s²: the sum of gradients with every factor squared.
    pub(super) fn add_squared_gradients(&self, x: &[f32], work: &mut Workspace, squares: &mut [f32]) {
        let squared = |values: &[f32]| values.iter().map(|v| v * v).collect::<Vec<f32>>();
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let input = squared(if l == 0 { x } else { &work.t[l - 1] });
            let delta = &mut work.delta[l];
            delta.iter_mut().for_each(|d| *d *= *d);
            let (kernel, bias) = layer.split(squares);
            tile::add_gradients(&input, delta, kernel, bias);
        }
    }
}

/// ∂/∂z of softmax with cross-entropy is p − target; samples beyond `n_valid` are padding and weigh nothing.
fn softmax_delta(p: &[f32], targets: &[f32], n_valid: usize, scale: f32, delta: &mut [f32]) {
    for ((delta, p), target) in delta.chunks_exact_mut(TILE).zip(p.chunks_exact(TILE)).zip(targets.chunks_exact(TILE)) {
        delta.iter_mut().zip(p.iter().zip(target)).for_each(|(d, (p, y))| *d = scale * (p - y));
        delta[n_valid..].fill(0.0);
    }
}
