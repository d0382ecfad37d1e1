//! Information of noisy activations by sample propagation: entropies of mixtures of Gaussians, by Monte Carlo.
//!
//! The activations of a layer with noise are T = S + Z, with a noiseless part S and Gaussian noise Z. For n sampled
//! values s_i of S, the density of T is the mixture g(t) = (1/n) Σ_i p_i(t) of n Gaussians p_i: [`NoiseMixture`]. Two
//! kinds of noise are supported:
//! - additive: p_i = N(s_i, σ²I), see [`NoiseMixture::additive`];
//! - Gaussian dropout, T = S ∘ D with D ~ N(1, s²): p_i has the variance (s s_iu)² in unit u, see
//!   [`NoiseMixture::dropout`].
//!
//! [`NoiseMixture::information`] draws from each p_i and gives h(T), the information about i, and I(T;Y). In the first
//! layer with noise, S is a function of X: with one s_i per input, the information about i is I(X;T). In a later layer,
//! S is random for a given X: make a mixture of several noisy passes of each input, and call
//! [`NoiseMixture::information_about_inputs`].
//!
//! The mixture replaces the distribution of S by a sample. The entropy of T is therefore underestimated, by an amount
//! that falls with n and grows exponentially with the number of units; the Monte Carlo error does not contain it. No
//! information of n values exceeds ln n.
//!
//! ```
//! use infoplane::noise_mixture::NoiseMixture;
//!
//! // Two inputs, one unit, and noise of standard deviation 1: a binary channel with Gaussian noise.
//! let mixture = NoiseMixture::additive(&[-1.0, 1.0], 1, 1.0)?;
//! let got = mixture.information(&[], 10_000, 0)?;
//!
//! // The exact information is 0.4859 bits.
//! println!("I(X;T) = {:.3} ± {:.3} bits", got.i_centre.value.bits(), got.i_centre.error.bits());
//! assert!((got.i_centre.value.bits() - 0.4859).abs() < 0.02);
//! # Ok::<(), infoplane::noise_mixture::NoiseMixtureError>(())
//! ```
//!
//! # Reference
//! Goldfeld et al. 2019, "Estimating information flow in deep neural networks" (ICML); Adilova et al. 2023, "Information
//! plane analysis for dropout neural networks" (ICLR), for Gaussian dropout.
//!
//! Deviation: the papers average −ln g(t). Here ln p_i(t) − ln g(t) is averaged and the known entropy of p_i added,
//! which has the same mean, and is at most ln n for every draw. For later layers, h(T) and h(T|X=x) are entropies of the same
//! passes, as in the program of Goldfeld et al.; if they were of independent samples, I(X;T) could be far above ln n or
//! below 0. Adilova et al. use the variance s²|s_iu| in the mixture;
//! the product S ∘ D has the variance s² s_iu², which is used here.

mod inputs;

use std::f64::consts::PI;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use thiserror::Error;

use crate::math::exponentials::exp_in_place;
use crate::units::Nats;
pub use inputs::InputInformation;

/// A mixture of Gaussians with equal weights and independent units, one Gaussian around each noiseless activation.
#[derive(Debug, Clone)]
pub struct NoiseMixture {
    n_centres: usize,
    n_units: usize,
    /// s_iu at u · n_centres + i, so that the loop over all Gaussians reads one unit in order.
    centres: Vec<f64>,
    /// Standard deviations, in the same order.
    deviations: Vec<f64>,
    /// Σ_u ln(standard deviation) of each Gaussian.
    log_volumes: Vec<f64>,
}

/// A mean of random draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MonteCarlo {
    /// The mean.
    pub value: Nats,
    /// Its standard error from the number of draws.
    pub error: Nats,
}

/// Entropy and information of a [`NoiseMixture`].
#[derive(Debug, Clone, PartialEq)]
pub struct MixtureInformation {
    /// h(T), the differential entropy of the mixture.
    pub h_t: MonteCarlo,
    /// h(T) − (1/n) Σ_i h(p_i), the information of T about the Gaussian that it was drawn from; at most ln n.
    pub i_centre: MonteCarlo,
    /// I(T;Y) = h(T) − Σ_y p_y h(T|Y=y) for each labelling.
    pub i_ty: Vec<MonteCarlo>,
}

/// Why there is no mixture or no information.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum NoiseMixtureError {
    /// The values are not rows of units.
    #[error(
        "{n_values} values are not one or more rows of {n_units} units; give n_samples × n_units values, row-major"
    )]
    NotRows {
        /// Number of values.
        n_values: usize,
        /// Number of units.
        n_units: usize,
    },
    /// A value that is not finite.
    #[error("the activation of sample {sample}, unit {unit} is {value}; activations must be finite numbers")]
    NotFinite {
        /// Row, from 0.
        sample: usize,
        /// Column, from 0.
        unit: usize,
        /// The value.
        value: f64,
    },
    /// An invalid noise variance.
    #[error("the noise variance is {noise_variance}; it must be a finite number above 0")]
    Variance {
        /// The variance.
        noise_variance: f64,
    },
    /// Dropout of an activation that it does not change.
    #[error(
        "the activation of sample {sample}, unit {unit} is 0 and stays 0 under Gaussian dropout, so that T has no density and its differential entropy is −∞; use an activation function that is never exactly 0, such as leaky_relu or softplus, or additive noise"
    )]
    ZeroActivation {
        /// Row, from 0.
        sample: usize,
        /// Column, from 0.
        unit: usize,
    },
    /// Too few draws for an error.
    #[error("{n_draws} draws per sample; the Monte Carlo error needs at least 2")]
    FewDraws {
        /// The given number.
        n_draws: usize,
    },
    /// A labelling of another length.
    #[error("{n_labels} labels for {n_samples} samples; give one label per sample")]
    Labels {
        /// Number of labels.
        n_labels: usize,
        /// Number of samples.
        n_samples: usize,
    },
    /// More passes than fit into memory.
    #[error(
        "{n_passes} passes of {n_inputs} inputs through layers of up to {n_units} units are more than {most} values; choose fewer passes, or record fewer samples"
    )]
    ManyPasses {
        /// Number of passes of each input.
        n_passes: usize,
        /// Number of inputs.
        n_inputs: usize,
        /// Number of units of the widest layer.
        n_units: usize,
        /// The largest number of values.
        most: usize,
    },
    /// Passes that are not equally many for each input.
    #[error("{n_passes} activations for {n_inputs} inputs; give the same number of passes for each input")]
    Passes {
        /// Number of all activations.
        n_passes: usize,
        /// Number of inputs.
        n_inputs: usize,
    },
}

impl NoiseMixture {
    /// The mixture of T = S + Z, Z ~ N(0, σ²I). `values` are the noiseless activations, n_samples × `n_units`
    /// row-major; `noise_variance` is σ² > 0, not the standard deviation.
    ///
    /// # Errors
    /// Values that are not rows of units or not finite, or a variance that is not positive.
    pub fn additive(values: &[f64], n_units: usize, noise_variance: f64) -> Result<Self, NoiseMixtureError> {
        let deviation = checked_deviation(noise_variance)?;
        Self::new(values, n_units, |_| deviation)
    }

    /// The mixture of T = S ∘ D with independent D ~ N(1, s²) for each unit: Gaussian dropout. `values` are the
    /// activations before dropout, n_samples × `n_units` row-major; `noise_variance` is s² > 0, which is p/(1 − p) for
    /// a dropout rate p.
    ///
    /// # Errors
    /// As [`NoiseMixture::additive`], and activations that are exactly 0, such as those of a ReLU.
    pub fn dropout(values: &[f64], n_units: usize, noise_variance: f64) -> Result<Self, NoiseMixtureError> {
        let deviation = checked_deviation(noise_variance)?;
        let zero = values.iter().position(|value| value * deviation == 0.0);
        if let Some(zero) = zero.filter(|_| n_units > 0) {
            return Err(NoiseMixtureError::ZeroActivation { sample: zero / n_units, unit: zero % n_units });
        }
        Self::new(values, n_units, |value| deviation * value.abs())
    }

    fn new(values: &[f64], n_units: usize, deviation: impl Fn(f64) -> f64) -> Result<Self, NoiseMixtureError> {
        if values.is_empty() || n_units == 0 || !values.len().is_multiple_of(n_units) {
            return Err(NoiseMixtureError::NotRows { n_values: values.len(), n_units });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(NoiseMixtureError::NotFinite { sample: at / n_units, unit: at % n_units, value: values[at] });
        }
        let n_centres = values.len() / n_units;
        let mut centres = Vec::with_capacity(values.len());
        let mut deviations = Vec::with_capacity(values.len());
        let mut log_volumes = vec![0.0; n_centres];
        for u in 0..n_units {
            for (i, row) in values.chunks_exact(n_units).enumerate() {
                centres.push(row[u]);
                deviations.push(deviation(row[u]));
                log_volumes[i] += deviation(row[u]).ln();
            }
        }
        Ok(Self { n_centres, n_units, centres, deviations, log_volumes })
    }

    /// (1/n) Σ_i h(p_i) = (d/2) ln(2πe) + (1/n) Σ_iu ln(standard deviation of unit u), the mean entropy of the noise.
    ///
    /// It is h(T|X) if there is one noiseless activation per input: (d/2) ln(2πeσ²) for additive noise, and
    /// (1/n) Σ_iu ln(|s_iu| s √(2πe)) for Gaussian dropout.
    pub fn entropy_of_noise(&self) -> Nats {
        let volume = self.log_volumes.iter().sum::<f64>() / self.n_centres as f64;
        Nats(self.entropy_of_unit_noise().0 + volume)
    }

    /// (d/2) ln(2πe), the entropy of noise of variance 1.
    fn entropy_of_unit_noise(&self) -> Nats {
        Nats(0.5 * self.n_units as f64 * (1.0 + (2.0 * PI).ln()))
    }

    /// Entropy of T and its information about the centres and about labels, from `n_draws` ≥ 2 draws around each of the
    /// n centres.
    ///
    /// `labellings` have one class number per sample each; all use the same draws. The draws around centre i come from
    /// stream i of ChaCha8 with the key `seed`, so that the result does not depend on the number of threads; mixtures
    /// whose errors are combined need different seeds. The time is proportional to `n_draws` n² n_units.
    ///
    /// # Errors
    /// Fewer than two draws, or labels that do not match the samples.
    pub fn information(
        &self,
        labellings: &[&[u32]],
        n_draws: usize,
        seed: u64,
    ) -> Result<MixtureInformation, NoiseMixtureError> {
        if n_draws < 2 {
            return Err(NoiseMixtureError::FewDraws { n_draws });
        }
        if let Some(labels) = labellings.iter().find(|labels| labels.len() != self.n_centres) {
            return Err(NoiseMixtureError::Labels { n_labels: labels.len(), n_samples: self.n_centres });
        }
        let centres: Vec<Vec<MeanAndVariance>> = (0..self.n_centres)
            .into_par_iter()
            .map_init(|| vec![0.0; self.n_centres], |densities, i| self.around(i, labellings, n_draws, seed, densities))
            .collect();
        let mut means = combined(&centres, n_draws).into_iter();
        let i_centre = means.next().expect("the information about the centre comes first");
        let h_t = MonteCarlo { value: i_centre.value + self.entropy_of_noise(), ..i_centre };
        Ok(MixtureInformation { h_t, i_centre, i_ty: means.collect() })
    }

    /// Mean and variance over draws t from p_i: of ln p_i(t) − ln g(t), then of ln g_y(t) − ln g(t) for each labelling,
    /// with the mixture g_y of the class of i.
    fn around(
        &self,
        i: usize,
        labellings: &[&[u32]],
        n_draws: usize,
        seed: u64,
        densities: &mut [f64],
    ) -> Vec<MeanAndVariance> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(i as u64);
        let n = self.n_centres as f64;
        let mut draws = vec![Vec::with_capacity(n_draws); 1 + labellings.len()];
        for _ in 0..n_draws {
            self.draw_log_densities(i, &mut rng, densities);
            // Relative to the largest density, which cannot exceed p_i by much: P(p_k > a p_i) ≤ 1/a under p_i.
            let largest = densities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            densities.iter_mut().for_each(|density| *density -= largest);
            let log_density = densities[i];
            exp_in_place(densities);
            let log_mixture = (densities.iter().sum::<f64>() / n).ln();
            draws[0].push(log_density - log_mixture);
            for (labels, draws) in labellings.iter().zip(&mut draws[1..]) {
                let (mut sum, mut n_same) = (0.0, 0.0);
                for (density, label) in densities.iter().zip(*labels) {
                    if *label == labels[i] {
                        sum += density;
                        n_same += 1.0;
                    }
                }
                draws.push((sum / n_same).ln() - log_mixture);
            }
        }
        draws.iter().map(|values| mean_and_variance(values)).collect()
    }

    /// ln p_k(t) + (d/2) ln(2π) of all Gaussians k at a draw t from p_i.
    fn draw_log_densities(&self, i: usize, rng: &mut ChaCha8Rng, log_densities: &mut [f64]) {
        for (log_density, log_volume) in log_densities.iter_mut().zip(&self.log_volumes) {
            *log_density = -log_volume;
        }
        let units = self.centres.chunks_exact(self.n_centres).zip(self.deviations.chunks_exact(self.n_centres));
        for (centres, deviations) in units {
            let z: f64 = StandardNormal.sample(rng);
            let t = centres[i] + deviations[i] * z;
            for ((log_density, centre), deviation) in log_densities.iter_mut().zip(centres).zip(deviations) {
                let z = (t - centre) / deviation;
                *log_density -= 0.5 * z * z;
            }
        }
    }
}

/// Mean of draws, and the variance of one draw.
#[derive(Debug, Clone, Copy)]
struct MeanAndVariance {
    mean: f64,
    variance: f64,
}

/// For each quantity, its mean over groups of `n_draws` draws each.
fn combined(groups: &[Vec<MeanAndVariance>], n_draws: usize) -> Vec<MonteCarlo> {
    let n = groups.len() as f64;
    let n_quantities = groups.first().map_or(0, Vec::len);
    let mean = |quantity: usize| {
        let parts = groups.iter().map(|quantities| quantities[quantity]);
        let sum: f64 = parts.clone().map(|part| part.mean).sum();
        let variance: f64 = parts.map(|part| part.variance / n_draws as f64).sum();
        MonteCarlo { value: Nats(sum / n), error: Nats(variance.sqrt() / n) }
    };
    (0..n_quantities).map(mean).collect()
}

fn mean_and_variance(values: &[f64]) -> MeanAndVariance {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    MeanAndVariance { mean, variance: squares / (n - 1.0) }
}

fn checked_deviation(noise_variance: f64) -> Result<f64, NoiseMixtureError> {
    if noise_variance.is_finite() && noise_variance > 0.0 {
        Ok(noise_variance.sqrt())
    } else {
        Err(NoiseMixtureError::Variance { noise_variance })
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::math::kde::{self, Bound};
    use crate::math::kernels::kernel_sums;
    use crate::math::normal;

    fn seed(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Four standard errors, a chance of 6e−5, and the `bias` of the approximation of S.
    #[track_caller]
    fn close(got: MonteCarlo, want: f64, bias: f64) {
        let tolerance = 4.0 * got.error.0 + bias;
        assert!((got.value.0 - want).abs() <= tolerance, "{} is not {want} to {tolerance}", got.value.0);
    }

    /// Words of ±1: all 2^d, row-major.
    fn cube(d: u32) -> Vec<f64> {
        let bit = |word: u32, bit: u32| if word >> bit & 1 == 1 { 1.0 } else { -1.0 };
        (0..1 << d).flat_map(|word| (0..d).map(move |i| bit(word, i))).collect()
    }

    /// The midpoints of `n` equally likely intervals of N(0, 1).
    fn quantiles(n: usize) -> Vec<f64> {
        (0..n).map(|i| normal::quantile((i as f64 + 0.5) / n as f64)).collect()
    }

    #[test]
    fn a_binary_input_in_gaussian_noise_has_the_exact_information() {
        // S = ±1. Information in bits and, below, entropies of T in nats, by numerical integration.
        let bits = [
            (0.1, 1.0),
            (0.2, 0.999_998_754_715),
            (0.5, 0.912_822_285_774),
            (1.0, 0.485_944_154_133),
            (2.0, 0.160_747_219_797),
        ];
        for (sigma, bits) in bits {
            let mixture = NoiseMixture::additive(&cube(1), 1, sigma * sigma).unwrap();
            let got = mixture.information(&[&[0, 1]], 50_000, 1).unwrap();
            // The deficit at σ = 0.2, 9e−7 nats, comes from draws with a chance of 3e−7.
            close(got.i_centre, bits * 2_f64.ln(), 1e-6);
            // With Y = S, I(T;Y) is I(X;T), from the same draws up to rounding.
            assert!((got.i_ty[0].value.0 - got.i_centre.value.0).abs() < 1e-12);
            assert!(got.i_centre.error.0 < 5e-3 && got.i_centre.value.0 <= 2_f64.ln());
        }
        let entropies =
            [(0.2, 0.502_646_938_2), (0.5, 1.358_511_546_4), (1.0, 1.755_769_353_6), (2.0, 2.223_507_195_9)];
        for (sigma, h_t) in entropies {
            let mixture = NoiseMixture::additive(&cube(1), 1, sigma * sigma).unwrap();
            close(mixture.information(&[], 50_000, 2).unwrap().h_t, h_t, 1e-6);
        }
    }

    #[test]
    fn the_words_of_reed_muller_codes_have_the_information_of_their_bits() {
        // RM(m, m) is the full cube of 2^m bits, so that the information is 2^m times that of a bit; here 2^3 bits with all
        // 256 words. Nats of a bit from SciPy.
        for (sigma, nats) in [(0.5, 0.632_720_193_7), (1.0, 0.336_830_820_3), (2.0, 0.111_421_482_2)] {
            let mixture = NoiseMixture::additive(&cube(8), 8, sigma * sigma).unwrap();
            let got = mixture.information(&[], 40, 3).unwrap();
            close(got.i_centre, 8.0 * nats, 0.0);
            assert!(got.i_centre.error.0 < 0.02);
        }
    }

    #[test]
    fn the_words_of_rm_4_4_are_reproduced_around_some_of_them() {
        // 65 536 words; by symmetry, the mean around any word is the information. Bits of the exact value.
        for (sigma, bits) in [(0.5, 14.605_156_572), (1.0, 7.775_106_466), (2.0, 2.571_955_517)] {
            let mixture = NoiseMixture::additive(&cube(16), 16, sigma * sigma).unwrap();
            let around = mixture.around(12_345, &[], 100, 4, &mut vec![0.0; 1 << 16])[0];
            let got = MonteCarlo { value: Nats(around.mean), error: Nats((around.variance / 100.0).sqrt()) };
            close(got, bits * 2_f64.ln(), 0.0);
        }
    }

    #[test]
    fn the_entropy_of_a_cube_is_between_the_bounds_of_kolchinsky_and_tracey() {
        let mixture = NoiseMixture::additive(&cube(4), 4, 0.25).unwrap();
        let got = mixture.information(&[], 4000, 5).unwrap();
        close(got.h_t, 5.434_046_185_5, 0.0);
        assert!(got.h_t.error.0 < 0.01);
        assert!((5.168_042_088_6..5.674_412_507_3).contains(&got.h_t.value.0));
    }

    #[test]
    fn the_information_of_random_centres_is_between_the_bounds() {
        let mut rng = seed(6);
        for (n_units, noise_variance) in [(1, 0.01), (3, 0.1), (10, 1.0), (10, 0.05)] {
            let values: Vec<f64> = (0..200 * n_units).map(|_| StandardNormal.sample(&mut rng)).collect();
            let mixture = NoiseMixture::additive(&values, n_units, noise_variance).unwrap();
            let got = mixture.information(&[], 50, 7).unwrap().i_centre;
            let bound =
                |bound: Bound| kde::i_xt(&kernel_sums(&values, n_units, &[bound.kernel(noise_variance)], &[])[0].all).0;
            let (lower, upper) = (bound(Bound::Lower), bound(Bound::Upper));
            assert!(lower - 4.0 * got.error.0 <= got.value.0, "{} is below {lower}", got.value.0);
            assert!(got.value.0 <= upper + 4.0 * got.error.0, "{} is above {upper}", got.value.0);
            assert!(got.value.0 <= 200_f64.ln());
        }
    }

    #[test]
    fn the_linear_network_of_the_reference_page_is_reproduced() {
        // T = WX + Z with W[c, r] = sin(1 + 12.9898 r + 78.233 c), 10 × 12, σ² = 0.01: two singular values are not 0, and
        // in their directions T has independent units. With 2000 quantiles for each, numerical integration of the mixture
        // in NumPy gives 7.980210297358; the truth is 7.988194990974.
        let mut total = MonteCarlo { value: Nats(0.0), error: Nats(0.0) };
        for singular in [5.921_774_491_351_812, 4.973_102_870_168_121] {
            let centres: Vec<f64> = quantiles(2000).iter().map(|x| singular * x).collect();
            let got = NoiseMixture::additive(&centres, 1, 0.01).unwrap().information(&[], 4, 8).unwrap();
            total.value = total.value + got.i_centre.value;
            total.error = Nats(total.error.0.hypot(got.i_centre.error.0));
        }
        close(total, 7.980_210_297_358, 1e-9);
        close(total, 7.988_194_990_974, 0.008);
        assert!(total.error.0 < 0.02);
    }

    #[test]
    fn noise_in_two_layers_is_propagated() {
        // T₁ = X + Z₁, T₂ = 2 T₁ + Z₂, all variances 1: given X, T₂ has the variance 5, in total 9. X and Z₁ by 40 and 50
        // quantiles; information and entropy of this mixture by numerical integration in NumPy.
        let (x, z) = (quantiles(40), quantiles(50));
        let values: Vec<f64> = x.iter().flat_map(|x| z.iter().map(move |z| 2.0 * (x + z))).collect();
        let labels: Vec<u32> = (0..40).map(|i| u32::from(i >= 20)).collect();
        let mixture = NoiseMixture::additive(&values, 1, 1.0).unwrap();
        let got = mixture.information_about_inputs(40, &[&labels], 100, 9).unwrap();
        close(got.i_xt, 0.29213885, 0.0);
        close(got.h_t, 2.50452941, 0.0);
        close(got.i_ty[0], 0.16925623, 0.0);
        assert!(got.i_xt.error.0 < 0.02 && got.h_t.error.0 < 0.02);
    }

    #[test]
    fn one_pass_of_each_input_is_the_information_about_the_centres() {
        let mut rng = seed(20);
        let values: Vec<f64> = (0..300).map(|_| StandardNormal.sample(&mut rng)).collect();
        let labels: Vec<u32> = (0..100).map(|i| i % 2).collect();
        for mixture in [NoiseMixture::additive(&values, 3, 0.05), NoiseMixture::dropout(&values, 3, 0.05)] {
            let mixture = mixture.unwrap();
            let (single, centre) = (
                mixture.information_about_inputs(100, &[&labels], 200, 21).unwrap(),
                mixture.information(&[&labels], 200, 22).unwrap(),
            );
            let pairs = [(single.i_xt, centre.i_centre), (single.h_t, centre.h_t), (single.i_ty[0], centre.i_ty[0])];
            for (got, want) in pairs {
                close(got, want.value.0, 4.0 * want.error.0);
            }
        }
    }

    #[test]
    fn distant_inputs_are_told_apart_whatever_their_passes() {
        // 50 inputs at distances of 10, passes within 1, noise of standard deviation 0.01.
        let mut rng = seed(23);
        let values: Vec<f64> = (0..500).map(|i| f64::from(i / 10 * 10) + rng.random::<f64>()).collect();
        let mixture = NoiseMixture::additive(&values, 1, 1e-4).unwrap();
        let labels: Vec<u32> = (0..50).map(|x| x % 5).collect();
        let got = mixture.information_about_inputs(50, &[&labels], 2, 24).unwrap();
        assert!((got.i_xt.value.0 - 50_f64.ln()).abs() < 1e-12 && got.i_xt.error.0 < 1e-12);
        assert!((got.i_ty[0].value.0 - 5_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn gaussian_dropout_of_a_linear_unit_has_the_exact_information() {
        // f = 2X + 0.5, X ~ N(0, 1): nats by numerical integration, ±5e−4; then of the mixture of 2000 quantiles, which
        // leaves gaps between the narrow Gaussians near 0, integrated in NumPy.
        let values: Vec<f64> = quantiles(2000).iter().map(|x| 2.0 * x + 0.5).collect();
        let cases =
            [(0.01, 2.9119, 2.909_081), (0.1, 1.7909, 1.790_101), (0.16, 1.5678, 1.567_403), (0.4, 1.1420, 1.141_974)];
        for (noise_variance, exact, of_quantiles) in cases {
            let mixture = NoiseMixture::dropout(&values, 1, noise_variance).unwrap();
            let got = mixture.information(&[], 10, 10).unwrap().i_centre;
            close(got, of_quantiles, 1e-5);
            close(got, exact, 5e-4 + (exact - of_quantiles));
            assert!(got.error.0 < 0.01);
        }
    }

    #[test]
    fn the_entropy_of_the_noise_has_a_closed_form() {
        let half_ln_2_pi_e = 0.5 * (2.0 * PI * std::f64::consts::E).ln();
        let additive = NoiseMixture::additive(&[0.0, 1.0, -2.0, 5.0, 0.0, 0.0], 3, 0.01).unwrap();
        // Three additions of numbers below 3.
        assert!((additive.entropy_of_noise().0 - 3.0 * (half_ln_2_pi_e + 0.1_f64.ln())).abs() < 1e-14);
        let dropout = NoiseMixture::dropout(&[1.0, -2.0, 3.0, 0.5], 2, 0.04).unwrap();
        let volumes = (0.2_f64 * 0.4).ln() + (0.6_f64 * 0.1).ln();
        assert!((dropout.entropy_of_noise().0 - (2.0 * half_ln_2_pi_e + 0.5 * volumes)).abs() < 1e-14);
    }

    #[test]
    fn information_about_labels_is_a_difference_of_entropies() {
        // I(T;Y) = h(T) − Σ p_y h(T|Y=y) from three separate mixtures; different draws, so that errors add.
        let mut rng = seed(11);
        let values: Vec<f64> = (0..300).map(|_| rng.random_range(-1.0..1.0)).collect();
        let labels: Vec<u32> = (0..150).map(|i| u32::from(values[2 * i] > 0.4)).collect();
        let whole = NoiseMixture::additive(&values, 2, 0.05).unwrap();
        let constant = vec![7; 150];
        let distinct: Vec<u32> = (0..150).collect();
        let got = whole.information(&[&labels, &constant, &distinct], 100, 12).unwrap();
        let (mut h_t_given_y, mut variance) = (0.0, 0.0);
        for y in [0, 1] {
            let rows = (0..150).filter(|i| labels[*i] == y);
            let class: Vec<f64> = rows.flat_map(|i| [values[2 * i], values[2 * i + 1]]).collect();
            let p = class.len() as f64 / 300.0;
            let h =
                NoiseMixture::additive(&class, 2, 0.05).unwrap().information(&[], 100, 13 + u64::from(y)).unwrap().h_t;
            h_t_given_y += p * h.value.0;
            variance += (p * h.error.0).powi(2);
        }
        let separate = MonteCarlo {
            value: Nats(got.h_t.value.0 - h_t_given_y),
            error: Nats(variance.sqrt().hypot(got.h_t.error.0)),
        };
        close(separate, got.i_ty[0].value.0, 4.0 * got.i_ty[0].error.0);
        assert!(separate.error.0 < 0.02 && got.i_ty[0].value.0 > 0.2);
        // One class has no information; distinct labels have that of the centre.
        assert_eq!(got.i_ty[1], MonteCarlo { value: Nats(0.0), error: Nats(0.0) });
        assert!((got.i_ty[2].value.0 - got.i_centre.value.0).abs() < 1e-12);
    }

    /// The mean over the same draws by the definition: −ln g(t) of every draw in f64, and the entropy of the noise.
    #[test]
    fn the_definition_gives_the_same_for_the_same_draws() {
        let values = [0.3, -0.5, 1.2, 0.8, -0.9, 0.1];
        for mixture in
            [NoiseMixture::additive(&values, 2, 0.3).unwrap(), NoiseMixture::dropout(&values, 2, 0.3).unwrap()]
        {
            let deviation = |i: usize, u: usize| mixture.deviations[u * 3 + i];
            let density = |i: usize, t: [f64; 2]| {
                let unit = |u: usize| {
                    let z = (t[u] - values[2 * i + u]) / deviation(i, u);
                    (-0.5 * z * z).exp() / (deviation(i, u) * (2.0 * PI).sqrt())
                };
                unit(0) * unit(1)
            };
            let (mut sum, mut n) = (0.0, 0.0);
            for i in 0..3 {
                let mut rng = seed(14);
                rng.set_stream(i as u64);
                for _ in 0..5 {
                    let t = [0, 1].map(|u| {
                        let z: f64 = StandardNormal.sample(&mut rng);
                        values[2 * i + u] + deviation(i, u) * z
                    });
                    sum += (density(i, t) / ((density(0, t) + density(1, t) + density(2, t)) / 3.0)).ln();
                    n += 1.0;
                }
            }
            let got = mixture.information(&[], 5, 14).unwrap().i_centre.value.0;
            assert!((got - sum / n).abs() < 1e-12, "{got} is not {}", sum / n);
        }
    }

    #[test]
    fn the_error_is_the_spread_over_seeds() {
        let mixture = NoiseMixture::additive(&cube(3), 3, 0.5).unwrap();
        let runs: Vec<MonteCarlo> = (0..400).map(|run| mixture.information(&[], 20, run).unwrap().i_centre).collect();
        let values: Vec<f64> = runs.iter().map(|run| run.value.0).collect();
        let spread = mean_and_variance(&values).variance.sqrt();
        let error = runs.iter().map(|run| run.error.0).sum::<f64>() / 400.0;
        // A standard deviation of 400 values has a relative error of 1/√800 = 3.5 %; four of them.
        assert!((spread / error - 1.0).abs() < 0.15, "{spread} is not {error}");
    }

    #[test]
    fn far_and_equal_centres_have_ln_n_and_none() {
        for far in [1e3, 1e150, 1e300] {
            let mixture = NoiseMixture::additive(&[-far, 0.0, far, 0.5 * far], 1, 1.0).unwrap();
            let got = mixture.information(&[], 10, 15).unwrap().i_centre;
            assert!((got.value.0 - 4_f64.ln()).abs() < 1e-14, "{}", got.value.0);
        }
        let equal = NoiseMixture::additive(&[0.25; 40], 4, 1e-3).unwrap().information(&[], 10, 16).unwrap();
        assert!(equal.i_centre.value.0.abs() < 1e-14);
        // Many units: densities of e^−1500, and squares that add up to 3000.
        let wide = NoiseMixture::additive(&cube(1).repeat(1500), 1500, 1e-2).unwrap();
        let got = wide.information(&[&[0, 1]], 4, 17).unwrap();
        assert!(got.i_centre.value.0.is_finite() && got.i_ty[0].value.0.is_finite());
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let values: Vec<f64> = (0..200).map(|i| (f64::from(i) * 0.73).sin()).collect();
        let mixture = NoiseMixture::additive(&values, 2, 0.1).unwrap();
        let labels: Vec<u32> = (0..100).map(|i| i % 3).collect();
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| mixture.information(&[&labels], 3, 18).unwrap())
        };
        assert_eq!(on(1), on(3));
        assert_ne!(on(1), mixture.information(&[&labels], 3, 19).unwrap());
    }

    #[track_caller]
    fn refused<T: std::fmt::Debug>(got: Result<T, NoiseMixtureError>, want: &str) {
        let message = got.unwrap_err().to_string();
        assert!(message.starts_with(want), "{message}");
    }

    #[test]
    fn bad_input_is_refused() {
        refused(NoiseMixture::additive(&[], 2, 1.0), "0 values are not one or more rows of 2 units");
        refused(NoiseMixture::additive(&[1.0; 3], 2, 1.0), "3 values are not one or more rows of 2 units");
        refused(NoiseMixture::dropout(&[0.0; 3], 0, 1.0), "3 values are not one or more rows of 0 units");
        refused(
            NoiseMixture::additive(&[1.0, 2.0, f64::NAN, 1.0], 2, 1.0),
            "the activation of sample 1, unit 0 is NaN",
        );
        for variance in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            refused(NoiseMixture::additive(&[1.0], 1, variance), &format!("the noise variance is {variance}"));
            refused(NoiseMixture::dropout(&[1.0], 1, variance), &format!("the noise variance is {variance}"));
        }
        refused(
            NoiseMixture::dropout(&[1.0, 2.0, 3.0, -0.0], 2, 1.0),
            "the activation of sample 1, unit 1 is 0 and stays 0",
        );
        let mixture = NoiseMixture::additive(&[1.0, 2.0], 1, 1.0).unwrap();
        refused(mixture.information(&[], 1, 0), "1 draws per sample");
        refused(mixture.information(&[&[1]], 2, 0), "1 labels for 2 samples");
        refused(mixture.information_about_inputs(2, &[], 1, 0), "1 draws per sample");
        refused(mixture.information_about_inputs(2, &[&[1]], 2, 0), "1 labels for 2 samples");
        for n_inputs in [0, 3] {
            let got = mixture.information_about_inputs(n_inputs, &[], 2, 0);
            refused(got, &format!("2 activations for {n_inputs} inputs"));
        }
    }
}
