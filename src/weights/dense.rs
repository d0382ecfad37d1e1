//! A dense network with fixed weights, in f64: outputs, loss and gradient.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, ShapeBuilder, Slice};

use super::MeasureError;
use super::activation::{activate, multiply_by_slope};
use super::inputs::Labelled;
use crate::math::exponentials::exp_in_place;
use crate::math::narrow::append_weighted_sums;
use crate::nn::Activation;

/// Number of weights of a layer from which a matrix product is faster, despite its packing.
const WIDE: usize = 128;

/// Number of samples that are processed together, so that wide layers do not need memory for all samples.
const BLOCK: usize = 1024;

/// One dense layer: t = activation(W x + b).
#[derive(Debug, Clone, PartialEq)]
pub struct DenseLayer {
    /// W, n_units × n_inputs.
    pub kernel: Array2<f64>,
    /// b, one value per unit.
    pub bias: Array1<f64>,
    /// Activation function; ignored for the last layer, whose weighted sums are the logits of a softmax.
    pub activation: Activation,
}

impl DenseLayer {
    /// Number of weights and biases.
    pub fn n_weights(&self) -> usize {
        self.kernel.len() + self.bias.len()
    }

    /// T = activation(W x + b), n_samples × n_units, of the inputs `x` of the layer, n_samples × n_inputs.
    pub fn activations(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut t = weighted_sums(self.kernel.view(), &by_unit(x), &self.bias);
        activate(self.activation, values_mut(&mut t));
        t
    }
}

/// Dense layers, followed by a softmax.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseNetwork {
    layers: Vec<DenseLayer>,
}

impl DenseNetwork {
    /// The network of some layers, from the first after the input.
    ///
    /// # Errors
    /// No layers, shapes that do not match, or a weight that is not finite.
    pub fn new(layers: Vec<DenseLayer>) -> Result<Self, MeasureError> {
        if layers.is_empty() {
            return Err(MeasureError::Refused("a network needs at least one layer".to_owned()));
        }
        for (l, layer) in layers.iter().enumerate() {
            if layer.kernel.is_empty() {
                return Err(MeasureError::Refused(format!("layer {} has no weights", l + 1)));
            }
            if layer.kernel.nrows() != layer.bias.len() {
                let (n_units, n_biases) = (layer.kernel.nrows(), layer.bias.len());
                let problem = format!("layer {} has {n_units} units but {n_biases} biases", l + 1);
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

    /// The layers, from the first after the input.
    pub fn layers(&self) -> &[DenseLayer] {
        &self.layers
    }

    /// Number of inputs.
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

    /// Ranges of the weights of each layer in [`DenseNetwork::weights`].
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let mut next = |layer: &DenseLayer| {
            let range = start..start + layer.n_weights();
            start = range.end;
            range
        };
        self.layers.iter().map(&mut next).collect()
    }

    /// All weights as one vector: layer by layer, the kernel row-major (the weights of unit 0, then of unit 1, …), then
    /// the biases.
    pub fn weights(&self) -> Vec<f64> {
        self.layers.iter().flat_map(|layer| layer.kernel.iter().chain(&layer.bias)).copied().collect()
    }

    /// A network of this shape with other weights, in the order of [`DenseNetwork::weights`].
    ///
    /// # Panics
    /// The number of weights is different.
    #[must_use]
    pub fn with_weights(&self, weights: &[f64]) -> Self {
        assert_eq!(weights.len(), self.n_weights(), "the number of weights must be that of the network");
        let mut other = self.clone();
        let places = other.layers.iter_mut().flat_map(|layer| layer.kernel.iter_mut().chain(&mut layer.bias));
        places.zip(weights).for_each(|(place, weight)| *place = *weight);
        other
    }

    /// Refuses inputs of another number.
    pub(super) fn check_inputs(&self, x: ArrayView2<'_, f64>) -> Result<(), MeasureError> {
        if x.ncols() != self.n_inputs() {
            let (got, wanted) = (x.ncols(), self.n_inputs());
            return Err(MeasureError::Refused(format!("samples have {got} inputs, but the network has {wanted}")));
        }
        Ok(())
    }

    /// Refuses samples with another number of inputs, and classes that the network does not have.
    pub(super) fn check(&self, samples: Labelled<'_>) -> Result<(), MeasureError> {
        self.check_inputs(samples.x())?;
        let n_classes = self.n_classes();
        if let Some(class) = samples.classes().iter().find(|class| **class >= n_classes) {
            let problem = format!("a sample has class {class}, but the network has classes 0 to {}", n_classes - 1);
            return Err(MeasureError::Refused(problem));
        }
        Ok(())
    }

    /// Refuses a vector with another length than the number of weights.
    pub(super) fn check_direction(&self, direction: &[f64]) -> Result<(), MeasureError> {
        if direction.len() != self.n_weights() {
            let (got, wanted) = (direction.len(), self.n_weights());
            return Err(MeasureError::Refused(format!(
                "a direction has {got} numbers, but the network has {wanted} weights"
            )));
        }
        Ok(())
    }

    /// The values of all layers for the inputs `x`, n_samples × n_inputs; for many samples, only of a block.
    pub(super) fn pass(&self, x: ArrayView2<'_, f64>) -> ForwardPass<'_> {
        let (mut sums, mut inputs): (Vec<Array2<f64>>, Vec<Array2<f64>>) = (Vec::new(), vec![by_unit(x)]);
        for (l, layer) in self.layers.iter().enumerate() {
            let z = weighted_sums(layer.kernel.view(), &inputs[l], &layer.bias);
            if l + 1 < self.layers.len() {
                let mut t = z.clone();
                activate(layer.activation, values_mut(&mut t));
                inputs.push(t);
            }
            sums.push(z);
        }
        ForwardPass { network: self, sums, inputs }
    }

    /// The logits, n_samples × n_classes.
    pub fn logits(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        if x.nrows() <= BLOCK {
            return self.pass(x).into_logits();
        }
        let mut logits = Array2::zeros((x.nrows(), self.n_classes()).f());
        for (x, mut rows) in blocks(x, BLOCK).zip(logits.axis_chunks_iter_mut(Axis(0), BLOCK)) {
            rows.assign(self.pass(x).logits());
        }
        logits
    }

    /// The class with the largest logit for each sample; the first if several are equal.
    pub(super) fn predictions(&self, x: ArrayView2<'_, f64>) -> Vec<usize> {
        let logits = self.logits(x);
        let largest = |row: ArrayView1<'_, f64>| {
            (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
        };
        logits.rows().into_iter().map(largest).collect()
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
        for (x, classes) in pass_blocks(samples) {
            let pass = self.pass(x);
            let mut to_logits = pass.logits().clone();
            log_softmax(&mut to_logits);
            for (mut row, class) in to_logits.axis_iter_mut(Axis(0)).zip(classes) {
                loss -= row[*class];
                row.mapv_inplace(|log_p| log_p.exp() / n);
                row[*class] -= 1.0 / n;
            }
            let deltas = pass.deltas(to_logits);
            add_parts(
                &mut gradient,
                deltas.iter().zip(&pass.inputs).map(|(delta, input)| (delta.t().dot(input), delta.sum_axis(Axis(0)))),
            );
        }
        (loss / n, gradient)
    }

    /// τ: the root mean square, over samples and classes, of the logits minus their mean over the classes.
    ///
    /// # Errors
    /// Another number of inputs, or logits that are equal for all classes and samples, or not finite.
    pub fn logit_scale(&self, x: ArrayView2<'_, f64>) -> Result<f64, MeasureError> {
        self.check_inputs(x)?;
        let logits = self.logits(x);
        let means = logits.mean_axis(Axis(1)).expect("a network has classes").insert_axis(Axis(1));
        let squares = (&logits - &means).iter().map(|z| z * z).sum::<f64>();
        let scale = (squares / logits.len() as f64).sqrt();
        if scale == 0.0 {
            let problem = "all classes have the same logits, so they have no scale; use a later snapshot";
            return Err(MeasureError::Refused(problem.to_owned()));
        }
        if !scale.is_finite() {
            return Err(MeasureError::NotFinite { what: "a logit" });
        }
        Ok(scale)
    }
}

/// The values of all layers for some samples, stored for backward passes. The arrays are n_samples × n_units and stored
/// unit by unit, so that every loop runs over samples.
pub(super) struct ForwardPass<'a> {
    network: &'a DenseNetwork,
    /// The weighted sums of each layer.
    pub(super) sums: Vec<Array2<f64>>,
    /// The input of each layer: X, then T of each layer except the last.
    pub(super) inputs: Vec<Array2<f64>>,
}

impl ForwardPass<'_> {
    /// The logits, n_samples × n_classes.
    pub(super) fn logits(&self) -> &Array2<f64> {
        &self.sums[self.sums.len() - 1]
    }

    fn into_logits(mut self) -> Array2<f64> {
        self.sums.pop().expect("a network has at least one layer")
    }

    /// The softmax of z/τ at the `temperature` τ, n_samples × n_classes.
    pub(super) fn probabilities(&self, temperature: f64) -> Array2<f64> {
        let mut logits = self.logits() / temperature;
        softmax(&mut logits);
        logits
    }

    /// ∂/∂z of each layer, for a number per sample with the slopes `to_logits`, n_samples × n_classes.
    pub(super) fn deltas(&self, to_logits: Array2<f64>) -> Vec<Array2<f64>> {
        let layers = self.network.layers();
        let mut deltas = vec![by_unit(to_logits.view())];
        for l in (1..layers.len()).rev() {
            let mut delta = products(layers[l].kernel.t(), &deltas[deltas.len() - 1]);
            self.times_slope(l - 1, &mut delta);
            deltas.push(delta);
        }
        deltas.reverse();
        deltas
    }

    /// Multiplies by ∂t/∂z of a layer; its index counts from 0.
    pub(super) fn times_slope(&self, l: usize, values: &mut Array2<f64>) {
        let activation = self.network.layers()[l].activation;
        multiply_by_slope(activation, values_mut(values), values_of(&self.sums[l]), values_of(&self.inputs[l + 1]));
    }
}

/// The inputs in blocks of `size` samples.
pub(super) fn blocks(x: ArrayView2<'_, f64>, size: usize) -> impl Iterator<Item = ArrayView2<'_, f64>> {
    (0..x.nrows()).step_by(size).map(move |start| {
        let end = x.nrows().min(start + size);
        x.slice_axis_move(Axis(0), Slice::from(start..end))
    })
}

/// The samples and their classes in blocks.
pub(super) fn pass_blocks<'a>(samples: Labelled<'a>) -> impl Iterator<Item = (ArrayView2<'a, f64>, &'a [usize])> {
    blocks(samples.x(), BLOCK).zip(samples.classes().chunks(BLOCK))
}

/// Concatenates one number for each weight, of the kernel and the biases of each layer, in the order of
/// [`DenseNetwork::weights`].
pub(super) fn add_parts(sums: &mut [f64], layers: impl Iterator<Item = (Array2<f64>, Array1<f64>)>) {
    let mut start = 0;
    for (kernel, bias) in layers {
        let sums = &mut sums[start..start + kernel.len() + bias.len()];
        sums.iter_mut().zip(kernel.iter().chain(&bias)).for_each(|(sum, number)| *sum += number);
        start += sums.len();
    }
}

/// start_j + Σ_i w_ji v_i of each sample and the `values` v of a pass, as an array of a pass.
pub(super) fn weighted_sums(kernel: ArrayView2<'_, f64>, values: &Array2<f64>, start: &Array1<f64>) -> Array2<f64> {
    let shape = (kernel.nrows(), values.nrows());
    if kernel.len() >= WIDE {
        let mut sums = start.view().insert_axis(Axis(1)).broadcast(shape).expect("a start for each unit").to_owned();
        general_mat_mul(1.0, &kernel, &values.t(), 1.0, &mut sums);
        return sums.reversed_axes();
    }
    let mut sums = Vec::with_capacity(shape.0 * shape.1);
    for (weights, start) in kernel.rows().into_iter().zip(start) {
        append_weighted_sums(&weights.to_vec(), values_of(values), *start, &mut sums);
    }
    Array2::from_shape_vec(shape, sums).expect("a row for each unit").reversed_axes()
}

/// Σ_i w_ji v_i of each sample, with the same choice of loops.
pub(super) fn products(kernel: ArrayView2<'_, f64>, values: &Array2<f64>) -> Array2<f64> {
    weighted_sums(kernel, values, &Array1::zeros(kernel.nrows()))
}

/// The values of an array of a pass, unit by unit.
pub(super) fn values_of(values: &Array2<f64>) -> &[f64] {
    values.t().to_slice().expect("arrays of a pass are in memory unit after unit")
}

fn values_mut(values: &mut Array2<f64>) -> &mut [f64] {
    values.view_mut().reversed_axes().into_slice().expect("arrays of a pass are in memory unit after unit")
}

/// A copy that is stored unit by unit.
fn by_unit(values: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut copy = Array2::zeros(values.raw_dim().f());
    copy.assign(&values);
    copy
}

/// Converts logits to p.
fn softmax(logits: &mut Array2<f64>) {
    subtract_largest(logits);
    exp_in_place(values_mut(logits));
    let sums = logits.sum_axis(Axis(1)).insert_axis(Axis(1));
    *logits /= &sums;
}

/// Converts logits to ln p.
fn log_softmax(logits: &mut Array2<f64>) {
    subtract_largest(logits);
    let mut powers = logits.clone();
    exp_in_place(values_mut(&mut powers));
    let sums = powers.sum_axis(Axis(1)).insert_axis(Axis(1));
    *logits -= &sums.mapv_into(f64::ln);
}

/// Subtracts the largest logit of each sample.
fn subtract_largest(logits: &mut Array2<f64>) {
    let largest = logits.fold_axis(Axis(1), f64::NEG_INFINITY, |largest, z| largest.max(*z));
    *logits -= &largest.insert_axis(Axis(1));
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{assert_all_close, assert_close, b_net};
    use super::*;

    #[test]
    fn blocks_of_samples_add_up_to_all_of_them() {
        let b = b_net();
        // Two complete blocks and a part of one.
        let n = 2 * BLOCK + 452;
        let x = b.x.select(Axis(0), &(0..n).collect::<Vec<_>>());
        let samples = Labelled::new(x.view(), &b.classes[..n]).unwrap();
        let logits = b.network.logits(x.view());
        assert_eq!(logits.dim(), (n, 2));
        let direction = b.network.weights();
        let (mut loss, mut gradient, mut product) = (0.0, vec![0.0; direction.len()], vec![0.0; direction.len()]);
        for s in 0..n {
            let (row, classes) = (x.slice_axis(Axis(0), Slice::from(s..=s)), &b.classes[s..=s]);
            assert_all_close(&logits.row(s).to_vec(), &b.network.logits(row).row(0).to_vec());
            let sample = Labelled::new(row, classes).unwrap();
            let (of_sample, slopes) = b.network.gradient(sample);
            loss += of_sample / n as f64;
            gradient.iter_mut().zip(slopes).for_each(|(sum, g)| *sum += g / n as f64);
            let slopes = b.network.hessian_times(sample, &direction).unwrap();
            product.iter_mut().zip(slopes).for_each(|(sum, g)| *sum += g / n as f64);
        }
        let (found_loss, found) = b.network.gradient(samples);
        assert_close(found_loss, loss);
        assert_close(b.network.loss(samples), loss);
        assert_all_close(&found, &gradient);
        assert_all_close(&b.network.hessian_times(samples, &direction).unwrap(), &product);
    }
}
