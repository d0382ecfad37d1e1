//! The noise of gradients: the randomness is which samples are in the batch.
//!
//! g_n is the gradient of −ln p(y_n | x_n), G its mean and Σ its covariance over the samples. tr Σ/|G|² is the batch size at which
//! noise and signal are equal (the simple noise scale), |G|/√(tr Σ) the signal-to-noise ratio of one sample. All of it is about
//! the next step of the training, not about the past: near a minimum G vanishes and Σ does not.
//!
//! # Reference
//! McCandlish et al. 2018 (arXiv 1812.06162), "An empirical model of large-batch training"; Shwartz-Ziv & Tishby 2017 for the
//! ratio by layers.

mod curvature;
mod langevin;
mod two_batches;

use std::ops::Range;

use ndarray::Axis;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

pub use langevin::{LangevinStep, information_of_shifts};
pub use two_batches::TwoBatches;

use super::gradients::each_block;
use super::{
    Curvature, DenseNetwork, Labelled, Measure, MeasureError, MeasureUnit, MissingReading, OfNetwork, Randomness,
    Reading, RecordedNetwork, Spec,
};
use crate::layer_id::LayerId;
use crate::parameter::{Kind, Parameter, ParameterError};

pub(super) const SPEC: Spec = Spec {
    name: "batch",
    summary: "noise of the gradient by the choice of the batch: covariance, simple noise scale, signal-to-noise ratio of each layer",
    randomness: Randomness::Batch,
    quantities: &[
        ("noise_scale", "simple noise scale, tr Σ/|G|², in samples"),
        ("unbiased_noise_scale", "the same with |G|² and tr Σ without bias"),
        ("snr", "norm of the mean gradient divided by the standard deviation of the gradients of single samples"),
        ("batch_snr", "the same of the gradients of batches of the recorded size"),
        ("squared_gradient", "|G|², squared norm of the mean gradient"),
        ("covariance_trace", "tr Σ of the gradients of single samples"),
        ("two_batch_noise_scale", "noise scale by batches of two sizes"),
        ("curvature_noise_scale", "tr(HΣ)/GᵀHG"),
        ("step_information", "largest information of one Langevin step about its batch, by determinant, in bits"),
        ("step_information_by_trace", "the same by trace"),
        ("compat_elementwise_snr", "released signal-to-noise ratio, of means over single weights"),
        ("compat_batch_variance", "variance of the gradients of batches, released as that of samples"),
    ],
    parameters: &[
        Parameter {
            name: "learning_rate",
            doc: "eta of a Langevin step w - eta g + sqrt(2 eta/beta) xi, whose information about the batch is bounded",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "inverse_temperature",
            doc: "beta of this step; give both or neither",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "curvature",
            doc: "also the noise scale with the Hessian, tr(H Sigma)/G'HG, which takes a pass for each of at most 1000 weights",
            kind: Kind::Flag,
            default: "",
        },
        Parameter {
            name: "compat",
            doc: "also what papers and released programs compute by mistake, as quantities that begin with compat_",
            kind: Kind::Flag,
            default: "",
        },
    ],
    build: |parameters| {
        let noise = BatchNoise::default();
        let noise = if parameters.flag("curvature") { noise.curvature() } else { noise };
        let noise = if parameters.flag("compat") { noise.compat() } else { noise };
        let noise = match (parameters.number("learning_rate"), parameters.number("inverse_temperature")) {
            (Some(rate), Some(beta)) => noise.langevin(rate, beta),
            (None, None) => Ok(noise),
            _ => {
                Err(MeasureError::Refused("give both `learning_rate` and `inverse_temperature`, or neither".to_owned()))
            }
        };
        Ok(Measure::OfNetwork(Box::new(noise.map_err(|error| ParameterError::Refused(error.to_string()))?)))
    },
};

/// Mean and spread of gradients, of single samples or of batches.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientNoise {
    n_gradients: usize,
    mean: Vec<f64>,
    /// The mean |g|² by the weights of each layer.
    mean_squares: Vec<f64>,
    norms: Vec<f64>,
    layers: Vec<Range<usize>>,
}

impl GradientNoise {
    /// Of single samples.
    ///
    /// # Errors
    /// Samples that do not fit the network; gradients that are not finite.
    pub fn of_samples(network: &DenseNetwork, samples: Labelled<'_>) -> Result<Self, MeasureError> {
        network.check(samples)?;
        let n = samples.len() as f64;
        let mut mean = vec![0.0; network.n_weights()];
        let mut mean_squares = vec![0.0; network.layers().len()];
        let mut norms = Vec::with_capacity(samples.len());
        each_block(network, samples, |gradients| {
            mean.iter_mut().zip(gradients.sum()).for_each(|(mean, sum)| *mean += sum / n);
            let squares = gradients.squared_norms();
            mean_squares.iter_mut().zip(squares.sum_axis(Axis(0))).for_each(|(mean, sum)| *mean += sum / n);
            norms.extend(squares.sum_axis(Axis(1)).mapv(f64::sqrt));
        });
        Self { n_gradients: samples.len(), mean, mean_squares, norms, layers: network.ranges() }.checked()
    }

    /// Of the means of batches of sample numbers, all of one size.
    ///
    /// # Errors
    /// No batches; samples that do not exist; otherwise as [`GradientNoise::of_samples`].
    pub fn of_batches(
        network: &DenseNetwork,
        samples: Labelled<'_>,
        batches: &[Vec<usize>],
    ) -> Result<Self, MeasureError> {
        network.check(samples)?;
        let is_wrong = |batch: &Vec<usize>| batch.is_empty() || batch.iter().any(|sample| *sample >= samples.len());
        if batches.is_empty() || batches.iter().any(is_wrong) {
            let last = samples.len() - 1;
            let problem = format!("batches must have at least one sample each, with numbers from 0 to {last}");
            return Err(MeasureError::Refused(problem));
        }
        let layers = network.ranges();
        let n = batches.len() as f64;
        let (mut mean, mut mean_squares) = (vec![0.0; network.n_weights()], vec![0.0; layers.len()]);
        let mut norms = Vec::new();
        for batch in batches {
            let x = samples.x().select(Axis(0), batch);
            let classes: Vec<usize> = batch.iter().map(|sample| samples.classes()[*sample]).collect();
            let (_, gradient) = network.gradient(Labelled::new(x.view(), &classes)?);
            mean.iter_mut().zip(&gradient).for_each(|(mean, g)| *mean += g / n);
            for (mean, layer) in mean_squares.iter_mut().zip(&layers) {
                *mean += squared_norm(&gradient[layer.clone()]) / n;
            }
            norms.push(squared_norm(&gradient).sqrt());
        }
        Self { n_gradients: batches.len(), mean, mean_squares, norms, layers }.checked()
    }

    fn checked(self) -> Result<Self, MeasureError> {
        let is_finite = self.mean.iter().chain(&self.mean_squares).all(|value| value.is_finite());
        if is_finite { Ok(self) } else { Err(MeasureError::NotFinite { what: "a gradient" }) }
    }

    /// G, in the order of [`DenseNetwork::weights`].
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// |g| of each gradient.
    pub fn norms(&self) -> &[f64] {
        &self.norms
    }

    /// The mean |g|², which is tr Σ + |G|² (ddof 0), and the trace of the empirical Fisher information.
    pub fn mean_squared_norm(&self) -> f64 {
        self.mean_squares.iter().sum()
    }

    /// |G|².
    pub fn squared_mean(&self) -> f64 {
        squared_norm(&self.mean)
    }

    /// tr Σ, the sum of squared deviations over N.
    pub fn trace(&self) -> f64 {
        self.mean_squared_norm() - self.squared_mean()
    }

    /// tr Σ, the sum of squared deviations over N − 1.
    ///
    /// # Errors
    /// Fewer than two gradients.
    pub fn sample_trace(&self) -> Result<f64, MeasureError> {
        let n = self.n_gradients as f64;
        ratio(self.trace() * n, n - 1.0, "of one gradient there is no covariance; give at least two")
    }

    /// |G| of each layer.
    pub fn layer_means(&self) -> Vec<f64> {
        self.layers.iter().map(|layer| squared_norm(&self.mean[layer.clone()]).sqrt()).collect()
    }

    /// tr Σ (ddof 0) of each layer.
    pub fn layer_traces(&self) -> Vec<f64> {
        self.mean_squares.iter().zip(self.layer_means()).map(|(squares, mean)| squares - mean * mean).collect()
    }

    /// |G|/√(tr Σ) (ddof 0) of each layer, Σ being that of these gradients; of batches of B samples it is √B times that of single
    /// samples, on average.
    ///
    /// # Errors
    /// A layer whose gradients are all the same.
    pub fn layer_snr(&self) -> Result<Vec<f64>, MeasureError> {
        let problem =
            "the gradients of a layer are all the same, there is no noise; look at a snapshot of a network that learns";
        let layers = self.layer_means().into_iter().zip(self.layer_traces());
        layers.map(|(mean, trace)| ratio(mean, trace.sqrt(), problem)).collect()
    }

    /// tr Σ/|G|² (ddof 0): the simple noise scale, in samples.
    ///
    /// # Errors
    /// G is 0.
    pub fn noise_scale(&self) -> Result<f64, MeasureError> {
        ratio(self.trace(), self.squared_mean(), NO_MEAN)
    }

    /// The same with ddof 1; |G|² is still too large by tr Σ/N.
    ///
    /// # Errors
    /// G is 0; fewer than two gradients.
    pub fn sample_noise_scale(&self) -> Result<f64, MeasureError> {
        ratio(self.sample_trace()?, self.squared_mean(), NO_MEAN)
    }

    /// |G|² − tr Σ/N with ddof 1: unbiased, and negative where the samples cannot tell G from 0.
    ///
    /// # Errors
    /// Fewer than two gradients.
    pub fn unbiased_squared_mean(&self) -> Result<f64, MeasureError> {
        Ok(self.squared_mean() - self.sample_trace()? / self.n_gradients as f64)
    }

    /// tr Σ (ddof 1) over the unbiased |G|²; negative where this is.
    ///
    /// # Errors
    /// The unbiased |G|² is 0; fewer than two gradients.
    pub fn unbiased_noise_scale(&self) -> Result<f64, MeasureError> {
        ratio(self.sample_trace()?, self.unbiased_squared_mean()?, NO_MEAN)
    }
}

/// The noise of gradients at a recorded network.
///
/// Its readings: `squared_gradient` = |G|², `covariance_trace` (ddof 0; of each layer too), `noise_scale` (ddof 0),
/// `unbiased_noise_scale`, `snr` of single samples in each layer; of the recorded batch size `batch_snr` in each layer and
/// `two_batch_noise_scale`; on demand `curvature_noise_scale`, and `step_information` with `step_information_by_trace`, bounds in
/// bits on what one Langevin step tells of its batch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BatchNoise {
    /// Learning rate and inverse temperature.
    langevin: Option<(f64, f64)>,
    curvature: bool,
    compat: bool,
}

impl BatchNoise {
    /// Also the bounds for a Langevin step.
    ///
    /// # Errors
    /// A number that is not finite and above 0.
    pub fn langevin(self, learning_rate: f64, inverse_temperature: f64) -> Result<Self, MeasureError> {
        langevin::check(learning_rate, inverse_temperature)?;
        Ok(Self { langevin: Some((learning_rate, inverse_temperature)), ..self })
    }

    /// Also the noise scale with the Hessian.
    #[must_use]
    pub fn curvature(self) -> Self {
        Self { curvature: true, ..self }
    }

    /// Also with what papers and released programs compute by mistake.
    #[must_use]
    pub fn compat(self) -> Self {
        Self { compat: true, ..self }
    }

    /// What is said of the recorded batch size.
    fn of_batch(&self, recorded: &RecordedNetwork<'_>, noise: &GradientNoise) -> Result<Vec<Reading>, MeasureError> {
        let (network, samples) = (recorded.network, recorded.samples);
        let n = samples.len();
        let Some(b) = recorded.batch_size.filter(|b| *b < n) else { return Ok(Vec::new()) };
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(recorded.seed));
        let batches: Vec<Vec<usize>> = order.chunks_exact(b).map(<[usize]>::to_vec).collect();
        let of_batches = GradientNoise::of_batches(network, samples, &batches)?;
        let two = TwoBatches::new((b, of_batches.mean_squared_norm()), (n, noise.squared_mean()))?;
        let mut readings = vec![
            Reading::new("two_batch_noise_scale", MeasureUnit::Samples, two.noise_scale()?)
                .by(format!("{} shuffled batches of {b} and all {n} samples", batches.len())),
        ];
        for (layer, snr) in LayerId::above_input().zip(noise.layer_snr()?) {
            let reading = Reading::new("batch_snr", MeasureUnit::Ratio, snr * (b as f64).sqrt()).of_layer(layer);
            readings.push(reading.by(format!("batches of {b}: root of {b} times the ratio of single samples")));
        }
        if let Some((rate, beta)) = self.langevin {
            let step = LangevinStep::new(rate, beta, b, noise)?;
            readings.push(
                Reading::information("step_information_by_trace", step.trace_bound()).by(format!("batches of {b}")),
            );
            if network.n_weights() <= super::LARGEST_MATRIX {
                let covariance = Curvature::gradient_covariance(network, samples)?;
                let bound = step.log_determinant_bound(covariance.spectrum()?)?;
                readings.push(Reading::information("step_information", bound).by(format!("batches of {b}")));
            }
        }
        if self.compat {
            let reading = Reading::new("compat_batch_variance", MeasureUnit::Ratio, of_batches.trace());
            readings.push(reading.by(format!("variance of means of {b} samples, taken for that of single samples")));
        }
        Ok(readings)
    }
}

impl OfNetwork for BatchNoise {
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError> {
        let (network, samples) = (recorded.network, recorded.samples);
        let noise = GradientNoise::of_samples(network, samples)?;
        let pure = |quantity, value| Reading::new(quantity, MeasureUnit::Ratio, value);
        let count = |quantity, value| Reading::new(quantity, MeasureUnit::Samples, value);
        let mut readings = vec![
            pure("squared_gradient", noise.squared_mean()),
            pure("covariance_trace", noise.trace()),
            count("noise_scale", noise.noise_scale()?).by("biased: covariance with ddof 0"),
            count("unbiased_noise_scale", noise.unbiased_noise_scale()?),
        ];
        let layers = LayerId::above_input().zip(noise.layer_traces()).zip(noise.layer_snr()?);
        for ((layer, trace), snr) in layers {
            readings.push(pure("covariance_trace", trace).of_layer(layer));
            readings.push(pure("snr", snr).of_layer(layer).by("single samples: batch size 1"));
        }
        readings.extend(self.of_batch(recorded, &noise)?);
        if self.curvature {
            readings.push(count("curvature_noise_scale", network.curvature_noise_scale(samples)?));
        }
        if self.compat {
            let method = "mean over weights of |mean| over mean of standard deviations";
            readings.push(pure("compat_elementwise_snr", network.compat_elementwise_snr(samples)?).by(method));
        }
        Ok(readings)
    }

    fn missing(&self, recorded: &RecordedNetwork<'_>) -> Vec<MissingReading> {
        let mut missing = Vec::new();
        let missed = |quantity, why: String| MissingReading::new(quantity, MeasureError::Refused(why));
        let bounds = ["step_information", "step_information_by_trace"].into_iter().filter(|_| self.langevin.is_some());
        if recorded.batch_size.is_none_or(|b| b >= recorded.samples.len()) {
            let compat = ["compat_batch_variance"].into_iter().filter(|_| self.compat);
            let quantities = ["two_batch_noise_scale", "batch_snr"].into_iter().chain(bounds).chain(compat);
            let why = "all training samples are one batch: there is no batch noise; train with smaller batches";
            missing.extend(quantities.map(|quantity| missed(quantity, why.to_owned())));
        } else if self.langevin.is_some() && recorded.network.n_weights() > super::LARGEST_MATRIX {
            let (n, most) = (recorded.network.n_weights(), super::LARGEST_MATRIX);
            let why =
                format!("the covariance of {n} weights is not computed beyond {most}; use step_information_by_trace");
            missing.push(missed("step_information", why));
        }
        missing
    }
}

const NO_MEAN: &str = "the mean gradient is 0, the noise has nothing to be compared with; look at an earlier snapshot";

/// The quotient; `problem` where there is none.
fn ratio(numerator: f64, denominator: f64, problem: &str) -> Result<f64, MeasureError> {
    let quotient = numerator / denominator;
    if quotient.is_finite() { Ok(quotient) } else { Err(MeasureError::Refused(problem.to_owned())) }
}

fn squared_norm(vector: &[f64]) -> f64 {
    vector.iter().map(|g| g * g).sum()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{assert_all_close, assert_close, b_net, f_net, t_net};
    use super::*;

    fn noise(fixture: &super::super::fixtures::Fixture) -> GradientNoise {
        GradientNoise::of_samples(&fixture.network, fixture.samples()).unwrap()
    }

    #[test]
    fn noise_of_the_f_net_is_that_of_numpy() {
        let f = f_net();
        let noise = noise(&f);
        assert_close(noise.squared_mean(), 0.429_290_937_237_7);
        assert_all_close(&[noise.trace(), noise.sample_trace().unwrap()], &[1.800_299_132_292, 1.846_460_648_504]);
        let scales =
            [noise.noise_scale(), noise.sample_noise_scale(), noise.unbiased_noise_scale()].map(Result::unwrap);
        assert_all_close(&scales, &[4.193_657_438_65, 4.301_187_116_564, 4.819_417_531_455]);
        assert_close(noise.unbiased_squared_mean().unwrap(), 0.383_129_421_025_1);
        assert_close(noise.mean_squared_norm(), 2.229_590_069_53);
        let largest = noise.norms().iter().copied().fold(0.0, f64::max);
        assert_close(largest, 1.886_280_863_068);
        assert_all_close(&noise.layer_snr().unwrap(), &[0.444_337_091_154_1, 0.504_443_731_409_8, 0.507_366_577_261_2]);
        assert_all_close(&noise.layer_means(), &[0.330_799_534_673_1, 0.277_778_487_326_7, 0.492_647_660_175_3]);
        let deviations: Vec<f64> = noise.layer_traces().iter().map(|trace| trace.sqrt()).collect();
        assert_all_close(&deviations, &[0.744_478_778_069, 0.550_662_977_911_1, 0.970_989_580_816_8]);
        assert_close(f.network.curvature_noise_scale(f.samples()).unwrap(), 4.530_429_265_38);
        assert_close(f.network.compat_elementwise_snr(f.samples()).unwrap(), 0.478_383_667_878_8);
        let covariance = Curvature::gradient_covariance(&f.network, f.samples()).unwrap();
        assert_close(covariance.trace(), noise.trace());
    }

    #[test]
    fn noise_of_batches_is_that_of_numpy() {
        let f = f_net();
        let batches: Vec<Vec<usize>> = (0..5).map(|batch| (8 * batch..8 * batch + 8).collect()).collect();
        let of_batches = GradientNoise::of_batches(&f.network, f.samples(), &batches).unwrap();
        let snr = of_batches.layer_snr().unwrap();
        assert_all_close(&snr, &[1.397_815_103_14, 1.523_704_522_546, 1.847_909_840_533]);
        assert_close(of_batches.mean_squared_norm(), 0.589_605_480_391_9);
        assert_close(of_batches.trace(), 0.160_314_543_154_2);
        let two = TwoBatches::new((8, of_batches.mean_squared_norm()), (40, noise(&f).squared_mean())).unwrap();
        let numbers = [two.squared_mean(), two.trace(), two.noise_scale().unwrap()];
        assert_all_close(&numbers, &[0.389_212_301_449_1, 1.603_145_431_542, 4.118_948_516_203]);
        assert!(TwoBatches::new((40, 1.0), (40, 1.0)).is_err());
        for wrong in [vec![], vec![vec![]], vec![vec![40]]] {
            assert!(GradientNoise::of_batches(&f.network, f.samples(), &wrong).is_err());
        }
    }

    #[test]
    fn noise_of_the_other_networks_is_that_of_numpy() {
        let (b, t) = (noise(&b_net()), noise(&t_net()));
        assert_close(b.squared_mean(), 2.180_262_540_392);
        assert_close(b.noise_scale().unwrap(), 8.406_386_665_907);
        let traces = [
            2.885_308_074_466,
            4.418_960_948_91,
            5.150_535_860_34,
            2.822_686_933_438,
            2.149_717_810_728,
            0.900_920_319_846_1,
        ];
        assert_all_close(&b.layer_traces(), &traces);
        let snr = [
            0.238_485_541_311_3,
            0.367_514_597_812_5,
            0.309_347_799_360_2,
            0.343_633_988_166_1,
            0.414_637_615_367_6,
            0.498_091_571_455_2,
        ];
        assert_all_close(&b.layer_snr().unwrap(), &snr);
        assert_close(t.squared_mean(), 4.820_824_799_999e-5);
        assert_close(t.trace(), 0.031_175_821_358_4);
        assert_close(t.noise_scale().unwrap(), 646.690_611_084);
        assert_all_close(&t.layer_snr().unwrap(), &[0.024_956_924_772_27, 0.056_577_739_655_33, 0.302_649_149_736_1]);
    }

    #[test]
    fn bounds_of_six_langevin_steps_are_those_of_numpy() {
        let f = f_net();
        let (mut steps, mut determinants) = (Vec::new(), 0.0);
        for t in 0..6 {
            let factor = 1.0 + 0.05 * f64::from(t);
            let weights: Vec<f64> = f.network.weights().iter().map(|w| w * factor).collect();
            let network = f.network.with_weights(&weights);
            let noise = GradientNoise::of_samples(&network, f.samples()).unwrap();
            let step = LangevinStep::new(0.01 * 0.9_f64.powi(t), 1000.0 * 1.5_f64.powi(t), 5, &noise).unwrap();
            let covariance = Curvature::gradient_covariance(&network, f.samples()).unwrap();
            let bound = step.log_determinant_bound(covariance.spectrum().unwrap()).unwrap();
            if t == 0 {
                assert_all_close(&[step.trace_bound().0, bound.0], &[0.900_149_566_145_9, 0.702_122_124_449_8]);
            }
            determinants += bound.0;
            steps.push(step);
        }
        assert_close(determinants, 9.688_232_619_204);
        assert_close(steps.iter().map(|step| step.trace_bound().0).sum(), 17.369_031_650_62);
        assert_close(steps.iter().map(|step| step.pensia_jog_loh().0).sum(), 111.919_638_415_6);
        assert_close(LangevinStep::negrea(&steps).unwrap(), 0.337_927_236_104);
        assert_close(LangevinStep::compat_negrea_released(&steps).unwrap(), 0.315_623_209_729_7);
        assert_close(LangevinStep::compat_negrea_actual_noise(&steps).unwrap(), 1_827.764_691_921);
        assert!(LangevinStep::negrea(&[]).is_err());
    }

    #[test]
    fn a_scalar_channel_tells_less_than_its_bounds() {
        let f = f_net();
        let gradients = f.network.sample_gradients(f.samples()).unwrap();
        let shifts: Vec<f64> = gradients.column(0).iter().map(|g| -g).collect();
        let exact = information_of_shifts(&shifts, 0.3).unwrap().0;
        assert_close(exact, 0.171_250_479_332_064);
        let mean = shifts.iter().sum::<f64>() / 40.0;
        let variance = shifts.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / 40.0;
        assert_close(0.5 * (variance / 0.09).ln_1p(), 0.172_505_269_916_9);
        assert_close(variance / 0.18, 0.206_002_400_942_5);
        // Two shifts far apart are told apart: ln 2.
        assert_close(information_of_shifts(&[0.0, 100.0], 1.0).unwrap().0, std::f64::consts::LN_2);
        for (shifts, noise) in [(vec![], 1.0), (vec![0.0], 0.0), (vec![f64::NAN], 1.0), (vec![0.0, 1.0], 1e-9)] {
            assert!(information_of_shifts(&shifts, noise).is_err());
        }
    }

    fn value(readings: &[Reading], quantity: &str, layer: Option<i32>) -> f64 {
        let is_meant = |r: &&Reading| r.quantity == quantity && r.layer.map(i32::from) == layer;
        readings.iter().find(is_meant).unwrap_or_else(|| panic!("no {quantity} of {layer:?}")).value
    }

    #[test]
    fn the_batch_size_is_named_and_a_full_batch_has_no_noise() {
        let f = f_net();
        let measure = BatchNoise::default().curvature().compat().langevin(0.01, 1000.0).unwrap();
        let full = measure.measure(&f.recorded()).unwrap();
        assert_close(value(&full, "noise_scale", None), 4.193_657_438_65);
        assert_close(value(&full, "curvature_noise_scale", None), 4.530_429_265_38);
        assert!(full.iter().all(|reading| !["batch_snr", "two_batch_noise_scale"].contains(&reading.quantity)));
        let missing = measure.missing(&f.recorded());
        let quantities: Vec<&str> = missing.iter().map(|missing| missing.quantity).collect();
        let expected = [
            "two_batch_noise_scale",
            "batch_snr",
            "step_information",
            "step_information_by_trace",
            "compat_batch_variance",
        ];
        assert_eq!(quantities, expected);
        assert!(missing[0].why.to_string().starts_with("all training samples are one batch: there is no batch noise"));

        let recorded = f.recorded().with_batch_size(5).unwrap();
        let readings = measure.measure(&recorded).unwrap();
        assert!(measure.missing(&recorded).is_empty());
        assert_close(value(&readings, "batch_snr", Some(1)), 0.444_337_091_154_1 * 5_f64.sqrt());
        assert_close(value(&readings, "step_information_by_trace", None) * std::f64::consts::LN_2, 0.900_149_566_145_9);
        assert_close(value(&readings, "step_information", None) * std::f64::consts::LN_2, 0.702_122_124_449_8);
        let snr = readings.iter().find(|reading| reading.quantity == "batch_snr").unwrap();
        assert!(snr.method.as_deref().unwrap().starts_with("batches of 5"));
        assert_eq!(measure.measure(&recorded).unwrap(), readings);
    }

    #[test]
    fn what_has_no_noise_is_refused() {
        let f = f_net();
        let x = f.x.slice_axis(Axis(0), ndarray::Slice::from(0..1));
        let single = Labelled::new(x, &f.classes[..1]).unwrap();
        let noise = GradientNoise::of_samples(&f.network, single).unwrap();
        assert!(noise.sample_trace().unwrap_err().to_string().contains("at least two"));
        assert!(BatchNoise::default().langevin(0.0, 1.0).is_err());
        let recorded = RecordedNetwork::new(&f.network, single).unwrap();
        assert!(BatchNoise::default().measure(&recorded).is_err());
    }
}
