//! A dense network whose weights are fixed, in f64: outputs, loss and gradient.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::MeasureError;
use super::inputs::Labelled;
use crate::math::tanh::tanh_in_place;
use crate::nn::Activation;

/// One dense layer: t = activation(W x + b).
#[derive(Debug, Clone, PartialEq)]
pub struct DenseLayer {
    /// W, n_units × n_inputs.
    pub kernel: Array2<f64>,
    /// b, one value per unit.
    pub bias: Array1<f64>,
    /// What happens to the weighted sums; of the last layer it is ignored, its sums are the logits of a softmax.
    pub activation: Activation,
}

impl DenseLayer {
    /// Number of weights and biases.
    pub fn n_weights(&self) -> usize {
        self.kernel.len() + self.bias.len()
    }
}

/// Samples that pass through a network together.
const ROWS: usize = 256;

/// Dense layers below a softmax.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseNetwork {
    layers: Vec<DenseLayer>,
}

impl DenseNetwork {
    /// The network of some layers, the first above the input first.
    ///
    /// # Errors
    /// No layers, shapes that do not fit together, a weight that is not finite.
    pub fn new(layers: Vec<DenseLayer>) -> Result<Self, MeasureError> {
        if layers.is_empty() {
            return Err(MeasureError::Refused("a network needs at least one layer".to_owned()));
        }
        for (l, layer) in layers.iter().enumerate() {
            if layer.kernel.nrows() != layer.bias.len() {
                let (n_units, n_biases) = (layer.kernel.nrows(), layer.bias.len());
                let problem = format!("layer {} has {n_units} units and {n_biases} biases", l + 1);
                return Err(MeasureError::Refused(problem));
            }
            if let Some(below) = l.checked_sub(1).map(|below| &layers[below])
                && below.bias.len() != layer.kernel.ncols()
            {
                let (got, wanted) = (layer.kernel.ncols(), below.bias.len());
                return Err(MeasureError::Shape { layer: l + 1, got, wanted });
            }
            if layer.kernel.iter().chain(&layer.bias).any(|weight| !weight.is_finite()) {
                return Err(MeasureError::NotFinite { what: "a weight" });
            }
        }
        Ok(Self { layers })
    }

    /// The layers, the first above the input first.
    pub fn layers(&self) -> &[DenseLayer] {
        &self.layers
    }

    /// Width of the input.
    pub fn n_inputs(&self) -> usize {
        self.layers[0].kernel.ncols()
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.layers[self.layers.len() - 1].bias.len()
    }

    /// Number of weights and biases.
    pub fn n_weights(&self) -> usize {
        self.layers.iter().map(DenseLayer::n_weights).sum()
    }

    /// Where the weights of each layer are in [`DenseNetwork::weights`].
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let mut next = |layer: &DenseLayer| {
            let range = start..start + layer.n_weights();
            start = range.end;
            range
        };
        self.layers.iter().map(&mut next).collect()
    }

    /// All weights in one vector: layer after layer, the kernel row-major (the weights of unit 0, then of unit 1, …), then the
    /// biases.
    pub fn weights(&self) -> Vec<f64> {
        self.layers.iter().flat_map(|layer| layer.kernel.iter().chain(&layer.bias)).copied().collect()
    }

    /// A network of the same shape with other weights, in the order of [`DenseNetwork::weights`].
    ///
    /// # Panics
    /// There are not as many.
    #[must_use]
    pub fn with_weights(&self, weights: &[f64]) -> Self {
        assert_eq!(weights.len(), self.n_weights(), "as many weights as the network has");
        let mut other = self.clone();
        let places = other.layers.iter_mut().flat_map(|layer| layer.kernel.iter_mut().chain(&mut layer.bias));
        places.zip(weights).for_each(|(place, weight)| *place = *weight);
        other
    }

    /// The weighted sums of each layer, n_samples × n_units, and T of each layer but the last.
    fn forward(&self, x: ArrayView2<'_, f64>) -> (Vec<Array2<f64>>, Vec<Array2<f64>>) {
        let (mut sums, mut values): (Vec<Array2<f64>>, Vec<Array2<f64>>) = (Vec::new(), Vec::new());
        for (l, layer) in self.layers.iter().enumerate() {
            let input = values.last().map_or(x, |t| t.view());
            let z = input.dot(&layer.kernel.t()) + &layer.bias;
            if l + 1 < self.layers.len() {
                values.push(activated(layer.activation, &z));
            }
            sums.push(z);
        }
        (sums, values)
    }

    /// The logits, n_samples × n_classes.
    pub fn logits(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut logits = Array2::zeros((x.nrows(), self.n_classes()));
        for (x, mut rows) in x.axis_chunks_iter(Axis(0), ROWS).zip(logits.axis_chunks_iter_mut(Axis(0), ROWS)) {
            let (sums, _) = self.forward(x);
            rows.assign(&sums[sums.len() - 1]);
        }
        logits
    }

    /// ln p(class | x), n_samples × n_classes.
    pub fn log_probabilities(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut logits = self.logits(x);
        log_softmax(&mut logits);
        logits
    }

    /// −ln p(y | x) of each sample, in nats.
    pub fn losses(&self, samples: Labelled<'_>) -> Vec<f64> {
        let log_p = self.log_probabilities(samples.x());
        log_p.axis_iter(Axis(0)).zip(samples.classes()).map(|(row, class)| -row[*class]).collect()
    }

    /// Mean −ln p(y | x), in nats.
    pub fn loss(&self, samples: Labelled<'_>) -> f64 {
        self.losses(samples).iter().sum::<f64>() / samples.len() as f64
    }

    /// Mean −ln p(y | x), in nats, and its gradient in the order of [`DenseNetwork::weights`].
    pub fn gradient(&self, samples: Labelled<'_>) -> (f64, Vec<f64>) {
        let n = samples.len() as f64;
        let (mut loss, mut gradient) = (0.0, vec![0.0; self.n_weights()]);
        // Few samples at a time, whose values stay in the cache.
        let classes = samples.classes().chunks(ROWS);
        for (x, classes) in samples.x().axis_chunks_iter(Axis(0), ROWS).zip(classes) {
            let (mut sums, values) = self.forward(x);
            let mut delta = sums.pop().expect("a network has at least one layer");
            log_softmax(&mut delta);
            for (mut row, class) in delta.axis_iter_mut(Axis(0)).zip(classes) {
                loss -= row[*class] / n;
                row.mapv_inplace(|log_p| log_p.exp() / n);
                row[*class] -= 1.0 / n;
            }
            let mut parts: Vec<(Array2<f64>, Array1<f64>)> = Vec::new();
            self.backward(x, &sums, &values, delta, |delta, input| {
                parts.push((delta.t().dot(&input), delta.sum_axis(Axis(0))));
            });
            gradient.iter_mut().zip(in_order(&parts)).for_each(|(sum, part)| *sum += part);
        }
        (loss, gradient)
    }

    /// The diagonal of the full Fisher matrix, which is the Gauss-Newton matrix, in the order of [`DenseNetwork::weights`]:
    /// (1/N) Σ_x Σ_c p(c|x) (∂ ln p(c|x)/∂w_k)², exact over the classes c.
    pub fn diagonal_fisher(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let (sums, values) = self.forward(x);
        let mut p = sums[sums.len() - 1].clone();
        log_softmax(&mut p);
        p.mapv_inplace(f64::exp);
        let n = x.nrows() as f64;
        let mut diagonal = vec![0.0; self.n_weights()];
        for class in 0..self.n_classes() {
            let mut delta = -&p;
            delta.column_mut(class).mapv_inplace(|delta| delta + 1.0);
            let share = p.column(class).mapv(|p| p / n).insert_axis(Axis(1));
            let mut parts: Vec<(Array2<f64>, Array1<f64>)> = Vec::new();
            self.backward(x, &sums, &values, delta, |delta, input| {
                let squares = &(delta * delta) * &share;
                parts.push((squares.t().dot(&(&input * &input)), squares.sum_axis(Axis(0))));
            });
            diagonal.iter_mut().zip(in_order(&parts)).for_each(|(sum, part)| *sum += part);
        }
        diagonal
    }

    /// Shows `visit` the ∂/∂z of each layer, n_samples × n_units, with the layer's input, from the last layer to the first;
    /// `delta` is that of the last.
    fn backward(
        &self,
        x: ArrayView2<'_, f64>,
        sums: &[Array2<f64>],
        values: &[Array2<f64>],
        mut delta: Array2<f64>,
        mut visit: impl FnMut(&Array2<f64>, ArrayView2<'_, f64>),
    ) {
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let Some(below) = l.checked_sub(1) else {
                visit(&delta, x);
                return;
            };
            visit(&delta, values[below].view());
            delta = delta.dot(&layer.kernel);
            times_slope(&mut delta, self.layers[below].activation, &sums[below], &values[below]);
        }
    }
}

/// The numbers of kernels and biases, the last layer first, in the order of [`DenseNetwork::weights`].
fn in_order(parts: &[(Array2<f64>, Array1<f64>)]) -> Vec<f64> {
    parts.iter().rev().flat_map(|(kernel, bias)| kernel.iter().chain(bias)).copied().collect()
}

/// Turns logits into ln p, row by row.
fn log_softmax(logits: &mut Array2<f64>) {
    for mut row in logits.axis_iter_mut(Axis(0)) {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = most + row.iter().map(|z| (z - most).exp()).sum::<f64>().ln();
        row.mapv_inplace(|z| z - log_sum);
    }
}

/// Turns ∂/∂t into ∂/∂z.
fn times_slope(delta: &mut Array2<f64>, activation: Activation, z: &Array2<f64>, t: &Array2<f64>) {
    ndarray::Zip::from(delta).and(z).and(t).for_each(|delta, z, t| *delta *= slope(activation, *z, *t));
}

/// Slope of the leaky ReLU below 0, as training has it, in f32.
const LEAK: f64 = 0.01_f32 as f64;

/// t of the weighted sums z.
fn activated(activation: Activation, z: &Array2<f64>) -> Array2<f64> {
    if activation != Activation::Tanh {
        return z.mapv(|z| value(activation, z));
    }
    let mut t = z.as_standard_layout().into_owned();
    tanh_in_place(t.as_slice_mut().expect("it is in standard layout"));
    t
}

/// t of z, as [`Activation`] says.
fn value(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Tanh => z.tanh(),
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu => {
            if z < 0.0 {
                LEAK * z
            } else {
                z
            }
        }
        Activation::Elu => {
            if z < 0.0 {
                z.exp_m1()
            } else {
                z
            }
        }
        Activation::Sigmoid => sigmoid(z),
        Activation::Softsign => z / (1.0 + z.abs()),
        Activation::Softplus => z.max(0.0) + (-z.abs()).exp().ln_1p(),
        Activation::HardTanh => z.clamp(-1.0, 1.0),
        Activation::Relu6 => z.clamp(0.0, 6.0),
        Activation::Silu => z * sigmoid(z),
        Activation::Linear => z,
    }
}

/// ∂t/∂z.
fn slope(activation: Activation, z: f64, t: f64) -> f64 {
    match activation {
        Activation::Tanh => 1.0 - t * t,
        Activation::Relu => f64::from(z > 0.0),
        Activation::LeakyRelu => {
            if z > 0.0 {
                1.0
            } else {
                LEAK
            }
        }
        Activation::Elu => {
            if z > 0.0 {
                1.0
            } else {
                t + 1.0
            }
        }
        Activation::Sigmoid => t * (1.0 - t),
        Activation::Softsign => (1.0 - t.abs()) * (1.0 - t.abs()),
        Activation::Softplus => sigmoid(z),
        Activation::HardTanh => f64::from(z > -1.0 && z < 1.0),
        Activation::Relu6 => f64::from(z > 0.0 && z < 6.0),
        Activation::Silu => sigmoid(z) * (1.0 + z * (1.0 - sigmoid(z))),
        Activation::Linear => 1.0,
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}
