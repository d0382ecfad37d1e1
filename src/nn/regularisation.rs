//! Regularisation of kernels: penalties, which have gradients, and constraints, which are applied after an update or an
//! epoch. Biases are not regularised.

use super::layer::Layer;

/// Penalties that are added to the loss of every batch. The recorded loss does not include them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Penalties {
    /// Factor of Σ |w|.
    pub l1: f32,
    /// Factor of Σ w² (Keras' L2; PyTorch's `weight_decay` is twice this).
    pub l2: f32,
    /// Factor of ‖W Wᵀ − 1‖²_F, or of ‖Wᵀ W − 1‖²_F if there are more units than inputs.
    ///
    /// # Reference
    /// Parseval networks, Cisse et al. 2017, as a gradient; Goldfeld's code applies this step separately after each
    /// update.
    pub orthonormal: f32,
}

/// Constraints on kernels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Constraints {
    /// After every update, the Euclidean norm of the weights of a unit is limited to this value.
    pub max_norm: Option<f32>,
    /// After every epoch, the kernel of a layer is scaled to a norm.
    pub renormalise: Renormalise,
}

/// Frobenius norm to which the kernel of a layer is scaled after every epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Renormalise {
    /// No scaling.
    #[default]
    Never,
    /// The initial norm of the kernel.
    Initial,
    /// This norm.
    To(f32),
}

impl Penalties {
    /// Adds the gradient of the penalties, in the layout of the parameters.
    pub(super) fn add_gradient(&self, layers: &[Layer], parameters: &[f32], gradient: &mut [f32]) {
        if *self == Self::default() {
            return;
        }
        for layer in layers {
            let (kernel, gradient) = (layer.kernel_of(parameters), layer.kernel_of_mut(gradient));
            for (g, w) in gradient.iter_mut().zip(kernel) {
                // The subgradient of |w| at 0 is 0.
                let sign = if *w == 0.0 { 0.0 } else { w.signum() };
                *g += self.l1 * sign + 2.0 * self.l2 * w;
            }
            if self.orthonormal > 0.0 {
                add_orthonormal(self.orthonormal, kernel, layer, gradient);
            }
        }
    }
}

/// Adds 4λ (W Wᵀ − 1) W, or 4λ W (Wᵀ W − 1).
fn add_orthonormal(lambda: f32, kernel: &[f32], layer: &Layer, gradient: &mut [f32]) {
    let w = ndarray::ArrayView2::from_shape((layer.n_units, layer.n_inputs), kernel).expect("the kernel's shape");
    let is_wide = layer.n_units <= layer.n_inputs;
    let mut gram = if is_wide { w.dot(&w.t()) } else { w.t().dot(&w) };
    gram.diag_mut().iter_mut().for_each(|d| *d -= 1.0);
    let slope = if is_wide { gram.dot(&w) } else { w.dot(&gram) };
    gradient.iter_mut().zip(&slope).for_each(|(g, s)| *g += 4.0 * lambda * s);
}

impl Constraints {
    /// Applies the constraints after an update.
    pub(super) fn after_step(&self, layers: &[Layer], parameters: &mut [f32]) {
        let Some(most) = self.max_norm else { return };
        for layer in layers {
            for weights in layer.kernel_of_mut(parameters).chunks_exact_mut(layer.n_inputs) {
                let norm = norm(weights);
                if norm > most {
                    weights.iter_mut().for_each(|w| *w *= most / norm);
                }
            }
        }
    }

    /// Applies the constraints after an epoch; `first` are the initial norms of the kernels.
    pub(super) fn after_epoch(&self, first: &[f32], layers: &[Layer], parameters: &mut [f32]) {
        for (layer, first) in layers.iter().zip(first) {
            let wanted = match self.renormalise {
                Renormalise::Never => return,
                Renormalise::Initial => *first,
                Renormalise::To(norm) => norm,
            };
            let kernel = layer.kernel_of_mut(parameters);
            let norm = norm(kernel);
            if norm > 0.0 {
                kernel.iter_mut().for_each(|w| *w *= wanted / norm);
            }
        }
    }
}

/// The Frobenius norms of all kernels.
pub(super) fn kernel_norms(layers: &[Layer], parameters: &[f32]) -> Vec<f32> {
    layers.iter().map(|layer| norm(layer.kernel_of(parameters))).collect()
}

fn norm(values: &[f32]) -> f32 {
    values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt() as f32
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::super::{Activation, Architecture, Initial, Network};
    use super::*;

    fn network() -> Network {
        let architecture = Architecture::plain(&[5, 4], Activation::Tanh, Initial::GlorotNormal);
        Network::new(6, &architecture, 3, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    #[test]
    fn no_unit_is_longer_than_the_max_norm_and_shorter_ones_are_left_alone() {
        let mut network = network();
        let before = network.parameters.clone();
        let constraints = Constraints { max_norm: Some(0.9), ..Constraints::default() };
        network.constrain(&constraints, None);
        let (mut n_cut, mut n_kept) = (0, 0);
        for layer in network.layers() {
            let units = layer.kernel_of(&network.parameters).chunks_exact(layer.n_inputs);
            for (weights, before) in units.zip(layer.kernel_of(&before).chunks_exact(layer.n_inputs)) {
                assert!(norm(weights) <= 0.9 + 1e-6);
                let is_cut = norm(before) > 0.9;
                assert!(is_cut || weights == before);
                // A clipped unit keeps its direction.
                assert!((weights[0] / weights[1] - before[0] / before[1]).abs() < 1e-4);
                (n_cut, n_kept) = (n_cut + usize::from(is_cut), n_kept + usize::from(!is_cut));
            }
        }
        assert!(n_cut > 0 && n_kept > 0);
    }

    #[test]
    fn kernels_get_their_norm_back_after_an_epoch_and_only_then() {
        let first = kernel_norms(network().layers(), &network().parameters);
        for (renormalise, wanted) in [(Renormalise::Initial, first.clone()), (Renormalise::To(2.0), vec![2.0; 3])] {
            let mut network = network();
            network.parameters.iter_mut().for_each(|w| *w *= 3.0);
            let constraints = Constraints { renormalise, ..Constraints::default() };
            network.constrain(&constraints, None);
            assert!((kernel_norms(network.layers(), &network.parameters)[0] / first[0] - 3.0).abs() < 1e-5);
            network.constrain(&constraints, Some(&first));
            for (got, wanted) in kernel_norms(network.layers(), &network.parameters).iter().zip(wanted) {
                assert!((got / wanted - 1.0).abs() < 1e-5, "{got} is not {wanted}");
            }
        }
    }
}
