//! Information of T about the input, from a mixture with several noisy passes of every input.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{MeanAndVariance, MonteCarlo, NoiseMixture, NoiseMixtureError, combined, mean_and_variance};
use crate::math::exponentials::exp_in_place;

/// Entropy and information of a layer with noise.
#[derive(Debug, Clone, PartialEq)]
pub struct InputInformation {
    /// h(T), the differential entropy of the mixture.
    pub h_t: MonteCarlo,
    /// I(X;T) = h(T) − (1/n) Σ_x h(T|X=x) of n inputs; at most ln n.
    pub i_xt: MonteCarlo,
    /// I(T;Y) = h(T) − Σ_y p_y h(T|Y=y) for each labelling.
    pub i_ty: Vec<MonteCarlo>,
}

/// Logarithm of the share of a density below which it is left out. With n inputs, ln g(t) changes by less than n e^−50,
/// which is 2e−16 for a million inputs.
const NEGLIGIBLE: f64 = -50.0;

impl NoiseMixture {
    /// Entropy of T and its information about inputs and labels.
    ///
    /// The Gaussians are the passes of `n_inputs` inputs: equally many of each, input after input. `labellings` have one
    /// class number per input each. `n_draws` ≥ 2 values of T are drawn for each input, around random passes of it, from
    /// stream x of ChaCha8 with the key `seed` for input x, so that the result does not depend on the number of threads.
    ///
    /// h(T) and h(T|X=x) are entropies of the same passes. Few passes overestimate I(X;T), because the distribution of T
    /// given X is replaced by a sample. No value exceeds ln `n_inputs`.
    ///
    /// # Errors
    /// Fewer than two draws, Gaussians that cannot be divided among the inputs, or labels that do not match the inputs.
    pub fn information_about_inputs(
        &self,
        n_inputs: usize,
        labellings: &[&[u32]],
        n_draws: usize,
        seed: u64,
    ) -> Result<InputInformation, NoiseMixtureError> {
        if n_draws < 2 {
            return Err(NoiseMixtureError::FewDraws { n_draws });
        }
        if n_inputs == 0 || !self.n_centres.is_multiple_of(n_inputs) {
            return Err(NoiseMixtureError::Passes { n_passes: self.n_centres, n_inputs });
        }
        if let Some(labels) = labellings.iter().find(|labels| labels.len() != n_inputs) {
            return Err(NoiseMixtureError::Labels { n_labels: labels.len(), n_samples: n_inputs });
        }
        let passes = Passes::new(self, n_inputs);
        let by_input: Vec<Vec<MeanAndVariance>> = (0..n_inputs)
            .into_par_iter()
            .map_init(Vec::new, |densities, x| passes.of_input(x, labellings, n_draws, seed, densities))
            .collect();
        let mut means = combined(&by_input, n_draws).into_iter();
        let [h_t, i_xt] = [0, 1].map(|_: usize| means.next().expect("h(T) and I(X;T) come first"));
        let h_t = MonteCarlo { value: h_t.value + self.entropy_of_unit_noise(), ..h_t };
        Ok(InputInformation { h_t, i_xt, i_ty: means.collect() })
    }
}

/// The passes of each input, and the box that contains them.
struct Passes<'a> {
    mixture: &'a NoiseMixture,
    n_inputs: usize,
    n_passes: usize,
    /// Lowest and highest centre and largest standard deviation, at x · n_units + u.
    boxes: Vec<[f64; 3]>,
    /// The smallest Σ_u ln(standard deviation) of each input.
    smallest_volumes: Vec<f64>,
}

impl<'a> Passes<'a> {
    fn new(mixture: &'a NoiseMixture, n_inputs: usize) -> Self {
        let n_passes = mixture.n_centres / n_inputs;
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut boxes = Vec::with_capacity(n_inputs * mixture.n_units);
        for x in 0..n_inputs {
            for u in 0..mixture.n_units {
                let passes = u * mixture.n_centres + x * n_passes..u * mixture.n_centres + (x + 1) * n_passes;
                let centres = &mixture.centres[passes.clone()];
                boxes.push([least(centres), most(centres), most(&mixture.deviations[passes])]);
            }
        }
        let smallest_volumes = mixture.log_volumes.chunks_exact(n_passes).map(least).collect();
        Self { mixture, n_inputs, n_passes, boxes, smallest_volumes }
    }

    /// Mean and variance over draws t around input x: of −ln g(t) without its constant, of ln g_x(t) − ln g(t), and of
    /// ln g_y(t) − ln g(t) for each labelling, with the mixture g_y of the class of x.
    fn of_input(
        &self,
        x: usize,
        labellings: &[&[u32]],
        n_draws: usize,
        seed: u64,
        densities: &mut Vec<f64>,
    ) -> Vec<MeanAndVariance> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(x as u64);
        let n_same: Vec<usize> =
            labellings.iter().map(|labels| labels.iter().filter(|label| **label == labels[x]).count()).collect();
        let mut draws = vec![Vec::with_capacity(n_draws); 2 + labellings.len()];
        for _ in 0..n_draws {
            let (k, t) = self.draw(x, &mut rng);
            let near = self.near(x, &t, densities);
            let own = near.iter().position(|input| *input == x).expect("an input is near itself");
            let log_density = densities[own * self.n_passes + k];
            let largest = densities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            densities.iter_mut().for_each(|density| *density -= largest);
            exp_in_place(densities);
            let by_input: Vec<f64> =
                densities.chunks_exact(self.n_passes).map(|passes| passes.iter().sum::<f64>()).collect();
            let log_mean = |sum: f64, n_inputs: f64| (sum / (n_inputs * self.n_passes as f64)).ln();
            let log_mixture = log_mean(by_input.iter().sum(), self.n_inputs as f64);
            // As ln p_k(t) − ln g(t) plus the entropy of the noise, which has the same mean and less variance.
            let log_volume = self.mixture.log_volumes[x * self.n_passes + k];
            draws[0].push(log_density - largest - log_mixture + log_volume);
            draws[1].push(log_mean(by_input[own], 1.0) - log_mixture);
            for ((labels, n_same), draws) in labellings.iter().zip(&n_same).zip(&mut draws[2..]) {
                let same = near.iter().zip(&by_input).filter(|(input, _)| labels[**input] == labels[x]);
                draws.push(log_mean(same.map(|(_, sum)| sum).sum(), *n_same as f64) - log_mixture);
            }
        }
        draws.iter().map(|values| mean_and_variance(values)).collect()
    }

    /// A random pass of input x, and a T with its noise.
    fn draw(&self, x: usize, rng: &mut ChaCha8Rng) -> (usize, Vec<f64>) {
        let NoiseMixture { n_centres, n_units, centres, deviations, .. } = self.mixture;
        let k = rng.random_range(0..self.n_passes);
        let t = |u: usize| {
            let place = u * n_centres + x * self.n_passes + k;
            let z: f64 = StandardNormal.sample(rng);
            centres[place] + deviations[place] * z
        };
        (k, (0..*n_units).map(t).collect())
    }

    /// The inputs whose density at t, drawn around input x, is not negligible. `densities` becomes ln p_k(t) + (d/2) ln(2π)
    /// of all passes k of these inputs.
    fn near(&self, x: usize, t: &[f64], densities: &mut Vec<f64>) -> Vec<usize> {
        let mut own = Vec::with_capacity(self.n_passes);
        self.add_log_densities(x, t, &mut own);
        let largest = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let negligible = largest - (self.n_passes as f64).ln() + NEGLIGIBLE;
        let is_near = |input: &usize| *input == x || self.at_most(*input, t) >= negligible;
        let near: Vec<usize> = (0..self.n_inputs).filter(is_near).collect();
        densities.clear();
        for input in &near {
            if *input == x {
                densities.extend_from_slice(&own);
            } else {
                self.add_log_densities(*input, t, densities);
            }
        }
        near
    }

    /// An upper bound of ln p_k(t) + (d/2) ln(2π) of all passes k of an input.
    fn at_most(&self, input: usize, t: &[f64]) -> f64 {
        let boxes = &self.boxes[input * t.len()..][..t.len()];
        let squares = boxes.iter().zip(t).map(|([low, high, deviation], t)| {
            let z = (low - t).max(t - high).max(0.0) / deviation;
            z * z
        });
        -self.smallest_volumes[input] - 0.5 * squares.sum::<f64>()
    }

    /// Appends ln p_k(t) + (d/2) ln(2π) of the passes k of an input.
    fn add_log_densities(&self, input: usize, t: &[f64], densities: &mut Vec<f64>) {
        let NoiseMixture { n_centres, centres, deviations, log_volumes, .. } = self.mixture;
        let (first, start) = (input * self.n_passes, densities.len());
        densities.extend(log_volumes[first..][..self.n_passes].iter().map(|log_volume| -log_volume));
        for (u, t) in t.iter().enumerate() {
            let passes = u * n_centres + first..u * n_centres + first + self.n_passes;
            let of_unit = centres[passes.clone()].iter().zip(&deviations[passes]);
            for (density, (centre, deviation)) in densities[start..].iter_mut().zip(of_unit) {
                let z = (t - centre) / deviation;
                *density -= 0.5 * z * z;
            }
        }
    }
}
