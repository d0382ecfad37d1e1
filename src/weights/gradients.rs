//! Gradients of single samples, the basis of covariances, Fisher information and projections.
//!
//! For a dense layer z = W t + b, the gradient of a number per sample is the product of δ = ∂/∂z and t, and δ for the
//! bias. So norms, projections and sums of squares need no matrix of n_samples × n_weights.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};

use super::MeasureError;
use super::dense::{DenseNetwork, ForwardPass, blocks, values_of};
use super::inputs::Labelled;
use crate::math::narrow::multiply;

/// Number of samples that are processed together: small enough that their gradients stay in the cache of a core, and
/// that memory does not grow with the data.
const BLOCK: usize = 256;

impl DenseNetwork {
    /// The gradient of −ln p(y | x) of each sample, n_samples × n_weights, in the order of [`DenseNetwork::weights`].
    /// It is stored weight by weight.
    ///
    /// # Errors
    /// The samples do not fit the network.
    pub fn sample_gradients(&self, samples: Labelled<'_>) -> Result<Array2<f64>, MeasureError> {
        self.check(samples)?;
        let shape = (self.n_weights(), samples.len());
        let mut gradients = vec![0.0; shape.0 * shape.1];
        let mut start = 0;
        each_block(self, samples, |block| {
            let end = start + block.n_samples();
            let rows = gradients.chunks_exact_mut(samples.len()).map(|row| &mut row[start..end]);
            block.write(0..self.layers().len(), rows);
            start = end;
        });
        Ok(Array2::from_shape_vec(shape, gradients).expect("a row for each weight").reversed_axes())
    }

    /// Calls `work` with the rows of [`DenseNetwork::sample_gradients`], some hundred at a time, in order. They stay in
    /// the cache of a core, and memory does not grow with the data.
    ///
    /// # Errors
    /// The samples do not fit the network.
    pub fn each_sample_gradients(
        &self,
        samples: Labelled<'_>,
        mut work: impl FnMut(ArrayView2<'_, f64>),
    ) -> Result<(), MeasureError> {
        self.check(samples)?;
        let mut gradients = vec![0.0; self.n_weights() * BLOCK.min(samples.len())];
        each_block(self, samples, |block| {
            let shape = (self.n_weights(), block.n_samples());
            let gradients = &mut gradients[..shape.0 * shape.1];
            block.write(0..self.layers().len(), gradients.chunks_exact_mut(shape.1));
            work(ArrayView2::from_shape(shape, gradients).expect("a row for each weight").reversed_axes());
        });
        Ok(())
    }

    /// The gradient of a number per sample with slopes `to_logits` with respect to the logits, n_samples × n_classes.
    ///
    /// # Errors
    /// The arrays do not fit the network.
    pub fn gradients_through_logits(
        &self,
        x: ArrayView2<'_, f64>,
        to_logits: Array2<f64>,
    ) -> Result<Array2<f64>, MeasureError> {
        self.check_inputs(x)?;
        let (got, wanted) = (to_logits.dim(), (x.nrows(), self.n_classes()));
        if got != wanted {
            let problem =
                format!("got slopes for {} × {} logits, but there are {} × {}", got.0, got.1, wanted.0, wanted.1);
            return Err(MeasureError::Refused(problem));
        }
        let pass = self.pass(x);
        Ok(SampleGradients::of_logits(&pass, to_logits).columns(0..self.layers().len()))
    }

    /// The derivative of −ln p(y | x) of each sample along a `direction` in the space of the weights, by the weights of
    /// each layer: n_samples × n_layers.
    ///
    /// # Errors
    /// The samples or the direction do not fit the network.
    pub fn slopes_along(&self, samples: Labelled<'_>, direction: &[f64]) -> Result<Array2<f64>, MeasureError> {
        self.check(samples)?;
        self.check_direction(direction)?;
        let direction = self.with_weights(direction);
        let mut slopes = Array2::zeros((0, self.layers().len()));
        each_block(self, samples, |gradients| {
            let of_block = gradients.slopes_along(&direction);
            slopes.append(Axis(0), of_block.view()).expect("a column for each layer");
        });
        Ok(slopes)
    }
}

/// The gradients of one number per sample of a block.
pub(super) struct SampleGradients<'a> {
    /// The input of each layer, as in [`ForwardPass`].
    inputs: &'a [Array2<f64>],
    /// ∂/∂z of each layer.
    deltas: Vec<Array2<f64>>,
}

impl<'a> SampleGradients<'a> {
    /// The gradients of a number with the slopes `to_logits`, n_samples × n_classes.
    pub(super) fn of_logits(pass: &'a ForwardPass<'_>, to_logits: Array2<f64>) -> Self {
        Self { inputs: &pass.inputs, deltas: pass.deltas(to_logits) }
    }

    fn n_samples(&self) -> usize {
        self.deltas[0].nrows()
    }

    fn layers(&self) -> impl Iterator<Item = (&Array2<f64>, &Array2<f64>)> {
        self.deltas.iter().zip(self.inputs)
    }

    /// The gradients with respect to the weights of some layers, n_samples × n_weights, stored weight by weight.
    pub(super) fn columns(&self, layers: Range<usize>) -> Array2<f64> {
        let n_weights: usize = self.layers().take(layers.end).skip(layers.start).map(n_weights).sum();
        let shape = (n_weights, self.n_samples());
        let mut values = vec![0.0; shape.0 * shape.1];
        self.write(layers, values.chunks_exact_mut(shape.1));
        Array2::from_shape_vec(shape, values).expect("a row for each weight").reversed_axes()
    }

    /// Writes the gradients with respect to the weights of some layers to `rows`, one for each weight.
    fn write<'b>(&self, layers: Range<usize>, mut rows: impl Iterator<Item = &'b mut [f64]>) {
        for (delta, input) in self.layers().take(layers.end).skip(layers.start) {
            for delta in units(delta) {
                units(input).zip(&mut rows).for_each(|(t, row)| multiply(delta, t, row));
            }
            units(delta).zip(&mut rows).for_each(|(delta, row)| row.copy_from_slice(delta));
        }
    }

    /// Σ_n g_n.
    pub(super) fn sum(&self) -> Vec<f64> {
        let mut sum = Vec::new();
        for (delta, input) in self.layers() {
            sum.extend(&delta.t().dot(input));
            sum.extend(&delta.sum_axis(Axis(0)));
        }
        sum
    }

    /// Σ_n g_n² of each weight.
    pub(super) fn sum_of_squares(&self) -> Vec<f64> {
        let mut sum = Vec::new();
        for (delta, input) in self.layers() {
            let delta_squared = delta.mapv(|delta| delta * delta);
            sum.extend(&delta_squared.t().dot(&input.mapv(|t| t * t)));
            sum.extend(&delta_squared.sum_axis(Axis(0)));
        }
        sum
    }

    /// |g_n|² by the weights of each layer, n_samples × n_layers.
    pub(super) fn squared_norms(&self) -> Array2<f64> {
        let mut norms = Array2::zeros((self.n_samples(), self.deltas.len()));
        for ((delta, input), mut norms) in self.layers().zip(norms.columns_mut()) {
            let of_input = input.mapv(|t| t * t).sum_axis(Axis(1)) + 1.0;
            norms.assign(&(delta.mapv(|delta| delta * delta).sum_axis(Axis(1)) * of_input));
        }
        norms
    }

    fn slopes_along(&self, direction: &DenseNetwork) -> Array2<f64> {
        let mut slopes = Array2::zeros((self.n_samples(), self.deltas.len()));
        let layers = self.layers().zip(direction.layers());
        for (((delta, input), direction), mut slopes) in layers.zip(slopes.columns_mut()) {
            let change = input.dot(&direction.kernel.t()) + &direction.bias;
            slopes.assign(&(delta * &change).sum_axis(Axis(1)));
        }
        slopes
    }
}

/// Number of weights of a layer with these deltas and inputs.
fn n_weights((delta, input): (&Array2<f64>, &Array2<f64>)) -> usize {
    delta.ncols() * (input.ncols() + 1)
}

/// The values of each unit.
fn units(values: &Array2<f64>) -> impl Iterator<Item = &[f64]> {
    values_of(values).chunks_exact(values.nrows())
}

/// Calls `work` with the gradients of −ln p(y | x) of each block of samples.
pub(super) fn each_block(network: &DenseNetwork, samples: Labelled<'_>, mut work: impl FnMut(&SampleGradients<'_>)) {
    for (x, classes) in blocks(samples.x(), BLOCK).zip(samples.classes().chunks(BLOCK)) {
        let pass = network.pass(x);
        let to_logits = loss_slopes(&pass, classes);
        work(&SampleGradients::of_logits(&pass, to_logits));
    }
}

/// Calls `work` with the gradients of C − 1 numbers of each block of samples, whose products sum to the Fisher
/// information of the softmax of z/τ at each sample: Σ_c p_c g_c g_cᵀ with g_c = ∂ ln p(c | x)/∂w.
///
/// The slopes of these numbers with respect to z are the columns of a triangle L with LLᵀ = (diag p − ppᵀ)/τ².
///
/// # Reference
/// Tanabe & Sagae 1992 (J. R. Stat. Soc. B 54, 211): L_jj = √(p_j q_j/q_{j−1}), L_ij = −p_i/q_j L_jj, q_j = Σ_{k>j} p_k.
pub(super) fn each_direction(
    network: &DenseNetwork,
    x: ArrayView2<'_, f64>,
    temperature: f64,
    mut work: impl FnMut(&SampleGradients<'_>),
) {
    for x in blocks(x, BLOCK) {
        let pass = network.pass(x);
        let p = pass.probabilities(temperature);
        // Column j + 1 is q_j; the probabilities are summed from the last class on, to avoid cancellation.
        let mut q = Array2::<f64>::zeros((p.nrows(), p.ncols() + 1));
        for j in (0..p.ncols()).rev() {
            let sum = &q.column(j + 1) + &p.column(j);
            q.column_mut(j).assign(&sum);
        }
        for j in 0..p.ncols() - 1 {
            let to_logits = Array2::from_shape_fn(p.dim(), |(s, i)| {
                // If no probability remains, the class and those after it have no share.
                if i < j || q[(s, j + 1)] == 0.0 {
                    return 0.0;
                }
                let root = (p[(s, j)] * q[(s, j + 1)] / q[(s, j)]).sqrt() / temperature;
                if i == j { root } else { -p[(s, i)] / q[(s, j + 1)] * root }
            });
            work(&SampleGradients::of_logits(&pass, to_logits));
        }
    }
}

/// ∂(−ln p(y | x))/∂z: p − 1 at the class of the sample, p elsewhere.
fn loss_slopes(pass: &ForwardPass<'_>, classes: &[usize]) -> Array2<f64> {
    let mut slopes = pass.probabilities(1.0);
    classes.iter().enumerate().for_each(|(s, class)| slopes[(s, *class)] -= 1.0);
    slopes
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Slice};

    use super::super::dense::DenseLayer;
    use super::super::fixtures::{assert_all_close, assert_close, b_net, f_net};
    use super::*;
    use crate::nn::Activation;

    #[test]
    fn each_row_is_the_gradient_of_its_sample_alone() {
        let f = f_net();
        let gradients = f.network.sample_gradients(f.samples()).unwrap();
        for (s, row) in gradients.rows().into_iter().enumerate() {
            let x = f.x.slice_axis(Axis(0), Slice::from(s..s + 1));
            let (_, expected) = f.network.gradient(Labelled::new(x, &f.classes[s..s + 1]).unwrap());
            assert_all_close(&row.to_vec(), &expected);
        }
        let norms = gradients.rows().into_iter().map(|g| g.iter().map(|g| g * g).sum::<f64>().sqrt());
        let expected = [1.248_205_463_148, 1.691_897_544_172, 1.799_310_276_065, 1.265_184_298_321, 1.425_748_335_61];
        assert_all_close(&norms.take(5).collect::<Vec<f64>>(), &expected);
    }

    #[test]
    fn sums_need_no_matrix_and_agree_with_it() {
        // More than one block of samples.
        let b = b_net();
        let gradients = b.network.sample_gradients(b.samples()).unwrap();
        let direction: Vec<f64> = (0..294).map(|k| f64::from(k).cos()).collect();
        let slopes = b.network.slopes_along(b.samples(), &direction).unwrap();
        let mut start = 0;
        each_block(&b.network, b.samples(), |block| {
            let n = block.n_samples();
            let rows = gradients.slice_axis(Axis(0), Slice::from(start..start + n));
            assert_all_close(&block.sum(), &rows.sum_axis(Axis(0)).to_vec());
            assert_all_close(&block.sum_of_squares(), &rows.mapv(|g| g * g).sum_axis(Axis(0)).to_vec());
            let norms = block.squared_norms();
            for (l, range) in b.network.ranges().into_iter().enumerate() {
                for s in [0, n - 1] {
                    let g: Vec<f64> = rows.row(s).to_vec()[range.clone()].to_vec();
                    assert_close(norms[(s, l)], g.iter().map(|g| g * g).sum());
                    let slope = g.iter().zip(&direction[range.clone()]).map(|(g, v)| g * v).sum();
                    assert_close(slopes[(start + s, l)], slope);
                }
            }
            start += n;
        });
        assert_eq!(start, 4096);
    }

    #[test]
    fn blocks_are_the_rows_of_the_matrix_in_their_order() {
        // The last block is not full.
        let b = b_net();
        let n = 3 * BLOCK + 100;
        let samples = Labelled::new(b.x.slice_axis(Axis(0), Slice::from(..n)), &b.classes[..n]).unwrap();
        let mut rows = Array2::zeros((0, 294));
        b.network.each_sample_gradients(samples, |block| rows.append(Axis(0), block).unwrap()).unwrap();
        assert_eq!(rows, b.network.sample_gradients(samples).unwrap());
    }

    #[test]
    fn wide_layers_have_the_gradients_of_differences() {
        // One input: a matrix of one column is stored both row by row and column by column.
        let layer = |n_units: usize, n_inputs: usize| DenseLayer {
            kernel: Array2::from_shape_fn((n_units, n_inputs), |(j, i)| (1.0 + 2.3 * j as f64 + 0.7 * i as f64).sin()),
            bias: Array1::from_shape_fn(n_units, |j| (j as f64).cos()),
            activation: Activation::Tanh,
        };
        let network = DenseNetwork::new(vec![layer(130, 1), layer(2, 130)]).unwrap();
        let x = Array2::from_shape_fn((40, 1), |(s, _)| (s as f64).sin());
        let samples = Labelled::new(x.view(), &[1; 40]).unwrap();
        let gradients = network.sample_gradients(samples).unwrap();
        for k in (0..network.n_weights()).step_by(7) {
            let losses = |by: f64| {
                let mut weights = network.weights();
                weights[k] += by;
                network.with_weights(&weights).losses(samples)
            };
            for ((up, down), g) in losses(1e-5).iter().zip(losses(-1e-5)).zip(gradients.column(k)) {
                assert!(((up - down) / 2e-5 - g).abs() < 1e-8, "{k}");
            }
        }
    }

    #[test]
    fn samples_that_do_not_fit_are_refused() {
        let f = f_net();
        let refused = |x: &Array2<f64>, classes: &[usize]| {
            f.network.sample_gradients(Labelled::new(x.view(), classes).unwrap()).unwrap_err().to_string()
        };
        assert_eq!(refused(&Array2::zeros((1, 4)), &[0]), "samples have 4 inputs, but the network has 3");
        assert_eq!(refused(&Array2::zeros((1, 3)), &[2]), "a sample has class 2, but the network has classes 0 to 1");
        let slopes = f.network.gradients_through_logits(f.x.view(), Array2::zeros((40, 3)));
        assert_eq!(slopes.unwrap_err().to_string(), "got slopes for 40 × 3 logits, but there are 40 × 2");
        let slopes = f.network.slopes_along(f.samples(), &[1.0]);
        assert_eq!(slopes.unwrap_err().to_string(), "a direction has 1 numbers, but the network has 39 weights");
    }
}
