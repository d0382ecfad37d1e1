//! Noisy passes through a network, and the information of its layers with noise.

use ndarray::{Array2, ArrayView2, Axis};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::config::{LayerNoise, Propagation};
use crate::layer_id::LayerId;
use crate::math::noise_mixture::{InputInformation, NoiseMixture, NoiseMixtureError};
use crate::store::hash_bytes;
use crate::weights::DenseLayer;

/// A network with noise: its hidden layers, from the first after the input to the last with noise.
pub(super) struct NoisyNetwork {
    pub(super) layers: Vec<(DenseLayer, Option<LayerNoise>)>,
}

/// The samples that are propagated.
pub(super) struct PropagatedSamples<'a> {
    /// X, n_samples × n_inputs.
    pub(super) x: ArrayView2<'a, f64>,
    /// The class of each sample; `None` if labels are probabilities.
    pub(super) classes: Option<&'a [u32]>,
}

/// A seed for a purpose and a layer; `key` is text that no other network of the experiment has.
fn seed(key: &str, purpose: &str, layer: LayerId) -> u64 {
    let hash = hash_bytes(format!("{key} {purpose} {layer}").as_bytes());
    u64::from_str_radix(&hash[..16], 16).expect("a hash is hexadecimal")
}

/// The largest number of values of a layer in all passes: 2 GiB.
const MOST_VALUES: usize = 1 << 28;

impl NoisyNetwork {
    /// Information of each layer with noise.
    ///
    /// Up to the first layer with noise, the noiseless activations S are a function of X, and one pass of each input is
    /// enough. In a later layer, S is random given X, and each input passes `n_passes` times. `key` is text that no other
    /// network of the experiment has; it sets the random numbers.
    pub(super) fn information(
        &self,
        samples: &PropagatedSamples<'_>,
        settings: &Propagation,
        key: &str,
    ) -> Vec<(LayerId, Result<InputInformation, NoiseMixtureError>)> {
        let labellings: Vec<&[u32]> = samples.classes.into_iter().collect();
        let mut t = samples.x.to_owned();
        let mut found = Vec::new();
        let n_units = self.layers.iter().map(|(dense, _)| dense.bias.len()).max().unwrap_or_default();
        let (n_inputs, n_passes) = (samples.x.nrows(), settings.n_passes);
        let fits = n_inputs.saturating_mul(n_passes).saturating_mul(n_units) <= MOST_VALUES;
        for (layer, (dense, noise)) in LayerId::above_input().zip(&self.layers) {
            if !found.is_empty() && !fits {
                if noise.is_some() {
                    let most = MOST_VALUES;
                    found.push((layer, Err(NoiseMixtureError::ManyPasses { n_passes, n_inputs, n_units, most })));
                }
                continue;
            }
            t = dense.activations(t.view());
            let Some(noise) = noise else { continue };
            let information = mixture(&t, *noise).and_then(|mixture| {
                mixture.information_about_inputs(n_inputs, &labellings, settings.n_draws, seed(key, "draws", layer))
            });
            let is_first = found.is_empty();
            found.push((layer, information));
            if layer.index() == self.layers.len() || !fits {
                continue;
            }
            if is_first {
                t = repeated(&t, n_passes);
            }
            add(*noise, &mut t, &mut ChaCha8Rng::seed_from_u64(seed(key, "noise", layer)));
        }
        found
    }
}

/// Every row `n` times, one after another.
fn repeated(rows: &Array2<f64>, n: usize) -> Array2<f64> {
    let places: Vec<usize> = (0..rows.nrows() * n).map(|place| place / n).collect();
    rows.select(Axis(0), &places)
}

/// The mixture of Gaussians around noiseless activations, n_samples × n_units.
fn mixture(s: &Array2<f64>, noise: LayerNoise) -> Result<NoiseMixture, NoiseMixtureError> {
    let rows: Vec<f64> = s.iter().copied().collect();
    match noise {
        LayerNoise::Additive(variance) => NoiseMixture::additive(&rows, s.ncols(), variance),
        LayerNoise::Dropout(variance) => NoiseMixture::dropout(&rows, s.ncols(), variance),
    }
}

/// Adds noise to noiseless activations, sample by sample.
fn add(noise: LayerNoise, values: &mut Array2<f64>, rng: &mut ChaCha8Rng) {
    for value in values.iter_mut() {
        let z: f64 = StandardNormal.sample(rng);
        match noise {
            LayerNoise::Additive(variance) => *value += variance.sqrt() * z,
            LayerNoise::Dropout(variance) => *value *= 1.0 + variance.sqrt() * z,
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::math::noise_mixture::MonteCarlo;
    use crate::nn::Activation;

    /// Information of a binary input ±1 in Gaussian noise of the variance ½, then 1, in nats: numerical integration in SciPy.
    const FIRST: f64 = 0.5000721361;
    const SECOND: f64 = 0.3368308203;

    /// Layers of one unit without bias, T = activation(w x) with noise.
    fn units(layers: &[(f64, Activation, Option<LayerNoise>)]) -> NoisyNetwork {
        let layer = |(weight, activation, noise): &(f64, Activation, Option<LayerNoise>)| {
            (DenseLayer { kernel: array![[*weight]], bias: array![0.0], activation: *activation }, *noise)
        };
        NoisyNetwork { layers: layers.iter().map(layer).collect() }
    }

    type Found = Vec<(LayerId, Result<InputInformation, NoiseMixtureError>)>;

    /// The results for the inputs `x` with the labels 0 and 1 in turn.
    fn of_inputs(network: &NoisyNetwork, x: &[f64], (n_passes, n_draws): (usize, usize), key: &str) -> Found {
        let classes: Vec<u32> = (0..x.len() as u32).map(|i| i % 2).collect();
        let x = Array2::from_shape_vec((x.len(), 1), x.to_vec()).unwrap();
        let settings = Propagation { n_passes, n_draws, seed: 0, layers: Vec::new() };
        network.information(&PropagatedSamples { x: x.view(), classes: Some(&classes) }, &settings, key)
    }

    #[track_caller]
    fn close(got: MonteCarlo, want: f64, other_error: f64) {
        let tolerance = 4.0 * got.error.0.hypot(other_error);
        assert!((got.value.0 - want).abs() < tolerance && tolerance < 0.1, "{got:?} is not {want} to {tolerance}");
    }

    #[test]
    fn noise_passes_through_the_layers_above() {
        // T₁ = X + Z₁ with variance ½, T₂ = 2 T₁ + Z₂ with variance 2: a binary channel with the variance ½, then ½ + 2/4 = 1.
        // A layer without noise can come between. As X = ±1, X D − X is noise, too.
        let (linear, two) = (Activation::Linear, Some(LayerNoise::Additive(2.0)));
        for half in [LayerNoise::Additive(0.5), LayerNoise::Dropout(0.5)] {
            let direct = units(&[(1.0, linear, Some(half)), (2.0, linear, two)]);
            let between = units(&[(1.0, linear, Some(half)), (2.0, linear, None), (1.0, linear, two)]);
            for (network, last) in [(direct, 2), (between, 3)] {
                let found = of_inputs(&network, &[-1.0, 1.0], (1000, 1000), "a");
                assert_eq!(found.iter().map(|(layer, _)| layer.index()).collect::<Vec<_>>(), [1, last]);
                let [first, second] = [0, 1].map(|place: usize| found[place].1.clone().unwrap());
                close(first.i_xt, FIRST, 0.0);
                // The information of 1000 passes differs from the exact one as the mean of 1000 values of ln g_x(T) − ln g(T),
                // whose standard deviation is below 0.6.
                close(second.i_xt, SECOND, 0.6 / 1000_f64.sqrt());
                // Y = X.
                assert_eq!((first.i_ty[0], second.i_ty[0]), (first.i_xt, second.i_xt));
            }
        }
    }

    #[test]
    fn layers_below_the_first_noise_are_functions_of_the_input() {
        // ½ X without noise, then 2 T + Z: as X + Z.
        let (linear, noise) = (Activation::Linear, Some(LayerNoise::Additive(0.5)));
        let found = of_inputs(&units(&[(0.5, linear, None), (2.0, linear, noise)]), &[-1.0, 1.0], (2, 1000), "a");
        let [(layer, Ok(information))] = &found[..] else { panic!("{found:?}") };
        assert_eq!(layer.index(), 2);
        close(information.i_xt, FIRST, 0.0);
        let of_noise = 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E * 0.5).ln();
        close(information.h_t, FIRST + of_noise, 0.0);
    }

    #[test]
    fn information_falls_from_layer_to_layer_and_stays_below_that_of_the_inputs() {
        let (tanh, noise) = (Activation::Tanh, Some(LayerNoise::Additive(0.01)));
        let network = units(&[(1.0, tanh, noise), (3.0, tanh, noise), (3.0, tanh, noise)]);
        let x: Vec<f64> = (0..60).map(|i| f64::from(i) / 30.0 - 1.0).collect();
        let found = of_inputs(&network, &x, (50, 20), "a");
        let values: Vec<f64> = found.into_iter().map(|(_, information)| information.unwrap().i_xt.value.0).collect();
        assert!(values.windows(2).all(|pair| pair[0] > pair[1]) && values[0] < 60_f64.ln(), "{values:?}");
    }

    #[test]
    fn results_depend_on_the_key_and_not_on_the_number_of_threads() {
        let (tanh, noise) = (Activation::Tanh, Some(LayerNoise::Additive(0.1)));
        let network = units(&[(1.0, tanh, noise), (3.0, tanh, noise)]);
        let on = |n_threads: usize, key: &str| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| of_inputs(&network, &[-1.0, 0.0, 0.5, 1.0], (10, 5), key))
        };
        assert_eq!(on(1, "a"), on(3, "a"));
        assert_ne!(on(1, "a"), on(1, "b"));
    }

    #[test]
    fn passes_that_do_not_fit_into_memory_are_a_failure_of_the_layers_that_need_them() {
        let noise = Some(LayerNoise::Additive(0.1));
        let network = units(&[(1.0, Activation::Linear, noise), (1.0, Activation::Linear, noise)]);
        let x: Vec<f64> = (0..300).map(f64::from).collect();
        let found = of_inputs(&network, &x, (1_000_000, 2), "a");
        assert!(found[0].1.is_ok());
        let problem = found[1].1.clone().unwrap_err().to_string();
        assert!(problem.starts_with("1000000 passes of 300 inputs through layers of up to 1 units"), "{problem}");
    }

    #[test]
    fn a_layer_without_a_density_fails_alone() {
        let (dropout, noise) = (Some(LayerNoise::Dropout(0.1)), Some(LayerNoise::Additive(0.1)));
        let network = units(&[(1.0, Activation::Relu, dropout), (1.0, Activation::Linear, noise)]);
        let found = of_inputs(&network, &[-1.0, 1.0], (10, 5), "a");
        let problem = found[0].1.clone().unwrap_err().to_string();
        assert!(problem.starts_with("the activation of sample 0, unit 0 is 0 and stays 0"), "{problem}");
        assert!(found[1].1.is_ok());
        let broken = units(&[(f64::NAN, Activation::Linear, noise)]);
        let problem = of_inputs(&broken, &[-1.0, 1.0], (10, 5), "a")[0].1.clone().unwrap_err().to_string();
        assert!(problem.starts_with("the activation of sample 0, unit 0 is NaN"), "{problem}");
    }
}
