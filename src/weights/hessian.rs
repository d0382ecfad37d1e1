//! Exact second derivatives of the loss.

use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder};

use super::MeasureError;
use super::activation::curvature;
use super::dense::{DenseNetwork, add_parts, pass_blocks, products, weighted_sums};
use super::inputs::Labelled;

impl DenseNetwork {
    /// H v: the derivative of the gradient of the mean −ln p(y | x) along a `direction` v, in the order of
    /// [`DenseNetwork::weights`].
    ///
    /// # Errors
    /// The samples or the direction do not fit the network.
    ///
    /// # Reference
    /// Pearlmutter 1994 (Neural Computation 6, 147): every value of the forward and backward pass is differentiated
    /// along v.
    pub fn hessian_times(&self, samples: Labelled<'_>, direction: &[f64]) -> Result<Vec<f64>, MeasureError> {
        self.check(samples)?;
        self.check_direction(direction)?;
        let n = samples.len() as f64;
        let direction = self.with_weights(direction);
        let mut sums = vec![0.0; self.n_weights()];
        for (x, classes) in pass_blocks(samples) {
            add_parts(&mut sums, self.hessian_parts(x, classes, n, &direction).into_iter());
        }
        Ok(sums)
    }

    /// The contribution of some of `n` samples to H v, for the kernel and the biases of each layer.
    fn hessian_parts(
        &self,
        x: ArrayView2<'_, f64>,
        classes: &[usize],
        n: f64,
        direction: &Self,
    ) -> Vec<(Array2<f64>, Array1<f64>)> {
        let (layers, directions) = (self.layers(), direction.layers());
        let pass = self.pass(x);

        // Derivatives of the inputs of each layer, and of its weighted sums.
        let mut moved_inputs = vec![Array2::zeros(pass.inputs[0].raw_dim().f())];
        let mut moved_sums: Vec<Array2<f64>> = Vec::new();
        for (l, (layer, direction)) in layers.iter().zip(directions).enumerate() {
            let of_weights = weighted_sums(direction.kernel.view(), &pass.inputs[l], &direction.bias);
            let moved = products(layer.kernel.view(), &moved_inputs[l]) + of_weights;
            if l + 1 < layers.len() {
                let mut moved_t = moved.clone();
                pass.times_slope(l, &mut moved_t);
                moved_inputs.push(moved_t);
            }
            moved_sums.push(moved);
        }

        // δ = (p − y)/n at the logits; its derivative is (diag p − ppᵀ)/n times that of the logits.
        let p = pass.probabilities(1.0);
        let mut moved_delta = &p * &moved_sums[moved_sums.len() - 1] / n;
        let sums = moved_delta.sum_axis(Axis(1)).insert_axis(Axis(1));
        moved_delta = moved_delta - &p * &sums;
        let mut to_logits = p / n;
        classes.iter().enumerate().for_each(|(s, class)| to_logits[(s, *class)] -= 1.0 / n);
        let deltas = pass.deltas(to_logits);

        let mut parts = Vec::new();
        for l in (0..layers.len()).rev() {
            let of_kernel = moved_delta.t().dot(&pass.inputs[l]) + deltas[l].t().dot(&moved_inputs[l]);
            parts.push((of_kernel, moved_delta.sum_axis(Axis(0))));
            if l > 0 {
                let (activation, z, t) = (layers[l - 1].activation, &pass.sums[l - 1], &pass.inputs[l]);
                let kernel = layers[l].kernel.t();
                let to_t = products(kernel, &deltas[l]);
                let mut next = products(kernel, &moved_delta) + products(directions[l].kernel.t(), &deltas[l]);
                pass.times_slope(l - 1, &mut next);
                let curvatures = ndarray::Zip::from(z).and(t).map_collect(|z, t| curvature(activation, *z, *t));
                moved_delta = next + to_t * curvatures * &moved_sums[l - 1];
            }
        }
        parts.reverse();
        parts
    }

    /// The Hessian of the mean −ln p(y | x), n_weights × n_weights, in the order of [`DenseNetwork::weights`]: one
    /// forward and backward pass for each weight.
    ///
    /// # Errors
    /// The samples do not fit the network.
    pub fn hessian(&self, samples: Labelled<'_>) -> Result<Array2<f64>, MeasureError> {
        let n_weights = self.n_weights();
        let mut hessian = Array2::zeros((n_weights, n_weights));
        let mut direction = vec![0.0; n_weights];
        for (k, mut row) in hessian.rows_mut().into_iter().enumerate() {
            direction[k] = 1.0;
            row.iter_mut().zip(self.hessian_times(samples, &direction)?).for_each(|(entry, value)| *entry = value);
            direction[k] = 0.0;
        }
        Ok(hessian)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::f_net;
    use super::super::{DenseLayer, DenseNetwork};
    use crate::nn::Activation;
    use crate::suggest::Named;

    #[test]
    fn the_hessian_agrees_with_differences_of_the_gradient() {
        let f = f_net();
        for activation in <Activation as Named>::ALL {
            let of_layer = |layer: &DenseLayer| DenseLayer { activation: *activation, ..layer.clone() };
            let network = DenseNetwork::new(f.network.layers().iter().map(of_layer).collect()).unwrap();
            let hessian = network.hessian(f.samples()).unwrap();
            let weights = network.weights();
            for k in 0..weights.len() {
                let moved = |by: f64| {
                    let mut moved = weights.clone();
                    moved[k] += by;
                    network.with_weights(&moved).gradient(f.samples()).1
                };
                let (up, down) = (moved(1e-5), moved(-1e-5));
                for (j, (up, down)) in up.iter().zip(down).enumerate() {
                    // Central differences of step 1e-5 have an error of about 1e-10; no sum of this network is at a
                    // kink.
                    let difference = (up - down) / 2e-5;
                    assert!((hessian[(k, j)] - difference).abs() < 1e-8, "{activation:?} {k} {j}");
                }
            }
        }
    }
}
