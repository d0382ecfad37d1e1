//! Noisy passes through a network, and the information of its layers with noise.

use ndarray::{Array2, ArrayView2, Axis};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::config::{LayerNoise, Propagation};
use crate::layer_id::LayerId;
use crate::math::noise_mixture::{MonteCarlo, NoiseMixture, NoiseMixtureError, i_xt};
use crate::store::hash_bytes;
use crate::units::Nats;
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
    /// The samples whose h(T|X=x) is computed, ascending.
    pub(super) chosen: &'a [usize],
}

/// The information of a layer with noise.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayerInformation {
    pub(super) h_t: MonteCarlo,
    pub(super) i_xt: MonteCarlo,
    /// `None` if labels are probabilities.
    pub(super) i_ty: Option<MonteCarlo>,
}

/// The random numbers of one network.
pub(super) struct Draws<'a> {
    /// Text that no other network has.
    pub(super) key: &'a str,
}

impl Draws<'_> {
    /// A seed for a layer and a purpose.
    fn seed(&self, purpose: &str, layer: LayerId) -> u64 {
        let hash = hash_bytes(format!("{} {purpose} {layer}", self.key).as_bytes());
        u64::from_str_radix(&hash[..16], 16).expect("a hash is hexadecimal")
    }
}

/// The entropies of T given one input, of each layer that follows the first with noise.
type EntropiesGivenInput = Vec<Result<MonteCarlo, NoiseMixtureError>>;

impl NoisyNetwork {
    /// I(X;T) and I(T;Y) of each layer with noise.
    ///
    /// In the first layer with noise, the noiseless activations S are a function of X, and h(T|X) is the entropy of the noise.
    /// In a later layer, S is random given X, and h(T|X=x) is the entropy of the mixture of `n_passes` passes of x.
    pub(super) fn information(
        &self,
        samples: &PropagatedSamples<'_>,
        settings: &Propagation,
        draws: &Draws<'_>,
    ) -> Vec<(LayerId, Result<LayerInformation, NoiseMixtureError>)> {
        let noiseless = self.noiseless(samples.x, draws);
        let mut given_inputs = self.given_inputs(samples, &noiseless, settings, draws).into_iter();
        let labellings: Vec<&[u32]> = samples.classes.into_iter().collect();
        let mut found = Vec::new();
        for (place, (layer, noise)) in self.with_noise().enumerate() {
            let of_all = mixture(&noiseless[layer.index() - 1], noise)
                .and_then(|mixture| mixture.information(&labellings, settings.n_draws, draws.seed("draws", layer)));
            let given_inputs = if place == 0 { None } else { given_inputs.next() };
            let information = of_all.and_then(|of_all| {
                let i_xt = match given_inputs {
                    None => of_all.i_centre,
                    Some(given) => information_about_inputs(of_all.h_t, &given?, samples)?,
                };
                Ok(LayerInformation { h_t: of_all.h_t, i_xt, i_ty: of_all.i_ty.first().copied() })
            });
            found.push((layer, information));
        }
        found
    }

    /// The layers with noise.
    fn with_noise(&self) -> impl Iterator<Item = (LayerId, LayerNoise)> {
        LayerId::above_input().zip(&self.layers).filter_map(|(layer, (_, noise))| Some((layer, (*noise)?)))
    }

    /// The noiseless activations of every layer in one pass of all inputs, with noise in the layers below.
    fn noiseless(&self, x: ArrayView2<'_, f64>, draws: &Draws<'_>) -> Vec<Array2<f64>> {
        let mut all_layers: Vec<Array2<f64>> = Vec::new();
        let mut t = x.to_owned();
        for (layer, (dense, noise)) in LayerId::above_input().zip(&self.layers) {
            let s = dense.activations(t.view());
            t = s.clone();
            if let Some(noise) = noise {
                add(*noise, &mut t, &mut ChaCha8Rng::seed_from_u64(draws.seed("pass", layer)));
            }
            all_layers.push(s);
        }
        all_layers
    }

    /// For each layer that follows the first with noise: h(T|X=x) of the chosen inputs, in their order.
    fn given_inputs(
        &self,
        samples: &PropagatedSamples<'_>,
        noiseless: &[Array2<f64>],
        settings: &Propagation,
        draws: &Draws<'_>,
    ) -> Vec<Result<Vec<MonteCarlo>, NoiseMixtureError>> {
        let n_later = self.with_noise().skip(1).count();
        if n_later == 0 {
            return Vec::new();
        }
        // Collected in the order of the inputs, independent of the order of threads.
        let by_input: Vec<EntropiesGivenInput> =
            samples.chosen.par_iter().map(|sample| self.given_input(*sample, noiseless, settings, draws)).collect();
        (0..n_later).map(|place| by_input.iter().map(|entropies| entropies[place].clone()).collect()).collect()
    }

    /// h(T|X=x) of the layers that follow the first with noise, from several passes of one input.
    fn given_input(
        &self,
        sample: usize,
        noiseless: &[Array2<f64>],
        settings: &Propagation,
        draws: &Draws<'_>,
    ) -> EntropiesGivenInput {
        let mut entropies = Vec::new();
        let first = self.layers.iter().position(|(_, noise)| noise.is_some()).unwrap_or(0);
        // Below the first noise, all passes are equal.
        let s = noiseless[first].row(sample).insert_axis(Axis(0));
        let mut t = s.broadcast((settings.n_passes, s.ncols())).expect("one row is repeated").to_owned();
        for (layer, (dense, noise)) in LayerId::above_input().zip(&self.layers).skip(first) {
            if layer.index() > first + 1 {
                t = dense.activations(t.view());
            }
            let Some(noise) = noise else { continue };
            if layer.index() > first + 1 {
                // Another seed for each input, whose centres have streams.
                let seed = draws.seed("draws given x", layer).wrapping_add(sample as u64);
                let entropy = mixture(&t, *noise).and_then(|mixture| mixture.information(&[], settings.n_draws, seed));
                entropies.push(entropy.map(|found| found.h_t));
            }
            let mut rng = ChaCha8Rng::seed_from_u64(draws.seed("passes given x", layer));
            rng.set_stream(sample as u64);
            add(*noise, &mut t, &mut rng);
        }
        entropies
    }
}

/// I(X;T) = h(T) − mean_x h(T|X=x). If not all inputs were chosen, the error contains the choice.
fn information_about_inputs(
    h_t: MonteCarlo,
    given_inputs: &[MonteCarlo],
    samples: &PropagatedSamples<'_>,
) -> Result<MonteCarlo, NoiseMixtureError> {
    let found = i_xt(h_t, given_inputs)?;
    if given_inputs.len() == samples.x.nrows() {
        return Ok(found);
    }
    let n = given_inputs.len() as f64;
    let mean = given_inputs.iter().map(|h| h.value.0).sum::<f64>() / n;
    let squares = given_inputs.iter().map(|h| (h.value.0 - mean) * (h.value.0 - mean)).sum::<f64>();
    // The entropies vary among the inputs, and by their own draws.
    let of_mean = (squares / (n - 1.0) / n).sqrt();
    Ok(MonteCarlo { error: Nats(h_t.error.0.hypot(of_mean)), ..found })
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
    use crate::config::LayerWithNoise;
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

    fn settings(n_passes: usize) -> Propagation {
        let layers: Vec<LayerWithNoise> = Vec::new();
        Propagation { n_passes, n_draws: 2, n_inputs: None, seed: 0, layers }
    }

    /// The results for `n` samples X = ±1 in turn with the labels Y = X; h(T|X=x) of every 50th and the next.
    fn of_signs(
        network: &NoisyNetwork,
        n: usize,
        key: &str,
    ) -> Vec<(LayerId, Result<LayerInformation, NoiseMixtureError>)> {
        let x = Array2::from_shape_fn((n, 1), |(i, _)| if i % 2 == 0 { -1.0 } else { 1.0 });
        let classes: Vec<u32> = (0..n as u32).map(|i| i % 2).collect();
        let chosen: Vec<usize> = (0..n).filter(|i| i % 50 < 2).collect();
        let samples = PropagatedSamples { x: x.view(), classes: Some(&classes), chosen: &chosen };
        network.information(&samples, &settings(100), &Draws { key })
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
                let found = of_signs(&network, 2000, "a");
                assert_eq!(found.iter().map(|(layer, _)| layer.index()).collect::<Vec<_>>(), [1, last]);
                let [first, second] = [0, 1].map(|place: usize| found[place].1.clone().unwrap());
                // Four standard errors of the draws.
                let tolerance = 4.0 * first.i_xt.error.0;
                assert!((first.i_xt.value.0 - FIRST).abs() < tolerance && tolerance < 0.06, "{first:?}");
                // The mixture is made of 2000 random T₁: −ln g(T) has a variance below 0.8, so h(T) has a standard error below
                // 0.02. h(T|X=x) of 100 passes is too small by (2 − 1)/200, of a second-order expansion.
                let got = second.i_xt.value.0;
                assert!((got - 0.005 - SECOND).abs() < 4.0 * 0.02, "{second:?}");
                assert!(second.i_xt.error.0 > first.i_xt.error.0 && second.i_xt.error.0 < 0.03, "{second:?}");
                for information in [first, second] {
                    let i_ty = information.i_ty.unwrap();
                    assert!((i_ty.value.0 - information.i_xt.value.0).abs() < 0.08 && i_ty.value.0 < 2_f64.ln());
                }
            }
        }
    }

    #[test]
    fn layers_below_the_first_noise_are_functions_of_the_input() {
        // ½ X without noise, then 2 T + Z: as X + Z.
        let (linear, noise) = (Activation::Linear, Some(LayerNoise::Additive(0.5)));
        let found = of_signs(&units(&[(0.5, linear, None), (2.0, linear, noise)]), 500, "a");
        let [(layer, Ok(information))] = &found[..] else { panic!("{found:?}") };
        assert_eq!(layer.index(), 2);
        let LayerInformation { h_t, i_xt, .. } = information;
        assert!((i_xt.value.0 - FIRST).abs() < 4.0 * i_xt.error.0 && i_xt.error.0 < 0.03, "{i_xt:?}");
        let noise = 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E * 0.5).ln();
        assert!((h_t.value.0 - i_xt.value.0 - noise).abs() < 1e-12);
    }

    #[test]
    fn results_depend_on_the_key_and_not_on_the_number_of_threads() {
        let (tanh, noise) = (Activation::Tanh, Some(LayerNoise::Additive(0.1)));
        let network = units(&[(1.0, tanh, noise), (3.0, tanh, noise)]);
        let on = |n_threads: usize, key: &str| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| of_signs(&network, 100, key))
        };
        assert_eq!(on(1, "a"), on(3, "a"));
        assert_ne!(on(1, "a"), on(1, "b"));
    }

    #[test]
    fn a_layer_without_a_density_fails_alone() {
        let dropout = Some(LayerNoise::Dropout(0.1));
        let network =
            units(&[(1.0, Activation::Relu, dropout), (1.0, Activation::Linear, Some(LayerNoise::Additive(0.1)))]);
        let found = of_signs(&network, 100, "a");
        let problem = found[0].1.clone().unwrap_err().to_string();
        assert!(problem.starts_with("the activation of sample 0, unit 0 is 0 and stays 0"), "{problem}");
        assert!(found[1].1.is_ok());
        let broken = units(&[(f64::NAN, Activation::Linear, Some(LayerNoise::Additive(0.1)))]);
        let problem = of_signs(&broken, 100, "a")[0].1.clone().unwrap_err().to_string();
        assert!(problem.starts_with("the activation of sample 0, unit 0 is NaN"), "{problem}");
    }

    #[test]
    fn few_inputs_have_a_larger_error() {
        let (linear, noise) = (Activation::Linear, Some(LayerNoise::Additive(0.5)));
        // The entropy given x differs among inputs: a steep tanh widens the noise at 0 and removes it at ±3.
        let network = units(&[(1.0, linear, noise), (1.0, Activation::Tanh, Some(LayerNoise::Additive(0.01)))]);
        let x = Array2::from_shape_fn((60, 1), |(i, _)| (i % 3) as f64 * 3.0 - 3.0);
        let error = |chosen: Vec<usize>| {
            let samples = PropagatedSamples { x: x.view(), classes: None, chosen: &chosen };
            let found = network.information(&samples, &settings(50), &Draws { key: "a" });
            let LayerInformation { h_t, i_xt, i_ty } = found[1].1.clone().unwrap();
            assert_eq!(i_ty, None);
            // Without that of h(T).
            (i_xt.error.0.powi(2) - h_t.error.0.powi(2)).sqrt()
        };
        let (everything, some) = (error((0..60).collect()), error((0..6).collect()));
        assert!(everything < 0.05 && some > 0.1, "{everything} {some}");
    }
}
