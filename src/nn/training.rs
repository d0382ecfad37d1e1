//! The training loop: one epoch at a time, so that whoever drives it decides when to look.

use rand::rngs::ChaCha8Rng;

use super::batches::{BatchOrder, BatchSize, Batches, Samples, reorder};
use super::network::{Layer, Network, Workspace};
use super::optimiser::{Optimiser, OptimiserState};

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingSettings {
    /// The rule of a gradient step.
    pub optimiser: Optimiser,
    /// Samples per step.
    pub batch_size: BatchSize,
    /// Order of samples from epoch to epoch.
    pub batch_order: BatchOrder,
}

/// A network in training. Nothing is allocated between two epochs.
#[derive(Debug)]
pub struct Training<'a> {
    network: Network,
    settings: TrainingSettings,
    samples: Samples<'a>,
    order: Vec<usize>,
    batches: Batches,
    optimiser: OptimiserState,
    gradient: Vec<f32>,
    work: Workspace,
    step: u64,
    rng: ChaCha8Rng,
}

/// Gradients of the batches of one epoch, of one layer's kernel (biases left out).
///
/// # Reference
/// Shwartz-Ziv & Tishby 2017, Fig. 4, by its released code: g_b is the gradient of batch b's mean loss, taken *after*
/// that batch's step. Deviation: the code plots the trace of the covariance as "STD"; this is its square root.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientStatistics {
    /// ‖mean over batches of g_b‖₂.
    pub mean_norm: f64,
    /// √(Σ_w Var_b g_b,w), population variance; `None` with fewer than two batches.
    pub std_norm: Option<f64>,
    /// ‖W‖_F at the end of the epoch.
    pub weight_norm: f64,
}

impl<'a> Training<'a> {
    /// Starts training `network` on the samples whose indices are in `train`.
    pub fn new(
        network: Network,
        samples: Samples<'a>,
        train: Vec<usize>,
        settings: TrainingSettings,
        rng: ChaCha8Rng,
    ) -> Self {
        let n_parameters = network.parameters.len();
        Self {
            batches: Batches::new(samples, &train, settings.batch_size),
            optimiser: OptimiserState::new(settings.optimiser, n_parameters),
            gradient: vec![0.0; n_parameters],
            work: network.workspace(),
            order: train,
            step: 0,
            network,
            settings,
            samples,
            rng,
        }
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Updates so far.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// One pass over the training samples.
    pub fn epoch(&mut self) {
        self.next_order();
        for batch in 0..self.batches.len() {
            self.update(batch);
        }
    }

    /// One pass that also measures the gradient of every batch after its step, for each layer in order.
    pub fn epoch_with_gradients(&mut self) -> Vec<GradientStatistics> {
        self.next_order();
        let mut moments = Moments::new(self.gradient.len());
        for batch in 0..self.batches.len() {
            self.update(batch);
            self.compute_gradient(batch);
            moments.add(&self.gradient);
        }
        self.statistics(&moments)
    }

    /// The gradients of all batches without a step: those of the untrained network, before the first epoch.
    pub fn gradients(&mut self) -> Vec<GradientStatistics> {
        let mut moments = Moments::new(self.gradient.len());
        for batch in 0..self.batches.len() {
            self.compute_gradient(batch);
            moments.add(&self.gradient);
        }
        self.statistics(&moments)
    }

    fn next_order(&mut self) {
        if reorder(&mut self.order, self.settings.batch_order, &mut self.rng) {
            self.batches.fill(self.samples, &self.order);
        }
    }

    fn update(&mut self, batch: usize) {
        self.compute_gradient(batch);
        self.optimiser.step(&mut self.network.parameters, &self.gradient);
        self.step += 1;
    }

    /// The gradient of the mean loss of one batch.
    fn compute_gradient(&mut self, batch: usize) {
        self.gradient.fill(0.0);
        let scale = 1.0 / self.batches.n_samples(batch) as f32;
        for tile in self.batches.tiles(batch) {
            self.network.forward(tile.x, &mut self.work);
            self.network.backward(tile.x, tile.targets, tile.n_valid, scale, &mut self.work, &mut self.gradient);
        }
    }

    fn statistics(&self, moments: &Moments) -> Vec<GradientStatistics> {
        let of_layer = |layer: &Layer| GradientStatistics {
            mean_norm: norm(layer.kernel_of(&moments.mean).iter().copied()),
            std_norm: (moments.n > 1.0)
                .then(|| (layer.kernel_of(&moments.squares).iter().sum::<f64>() / moments.n).sqrt()),
            weight_norm: norm(layer.kernel_of(&self.network.parameters).iter().map(|w| f64::from(*w))),
        };
        self.network.layers().iter().map(of_layer).collect()
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

/// Mean and summed squared deviations of vectors that come one by one (Welford 1962).
struct Moments {
    n: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn new(len: usize) -> Self {
        Self { n: 0.0, mean: vec![0.0; len], squares: vec![0.0; len] }
    }

    fn add(&mut self, values: &[f32]) {
        self.n += 1.0;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(values) {
            let before = f64::from(*value) - *mean;
            *mean += before / self.n;
            *squares += before * (f64::from(*value) - *mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::SeedableRng;

    use super::super::activation::Activation;
    use super::super::initialisation::Fan;
    use super::*;

    const N: usize = 150; // more than one tile, so that padding takes part

    fn data() -> (Array2<f32>, Vec<usize>) {
        let x = Array2::from_shape_fn((N, 4), |(s, u)| ((s * 4 + u) as f32 * 0.61).sin());
        let classes =
            (0..N).map(|s| usize::from(x[[s, 0]] + x[[s, 1]] * x[[s, 2]] > 0.0) + usize::from(x[[s, 3]] > 0.8));
        let classes = classes.collect();
        (x, classes)
    }

    fn training<'a>(x: &'a Array2<f32>, classes: &'a [usize], activation: Activation, size: BatchSize) -> Training<'a> {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let network = Network::new(&[4, 6, 5, 3], activation, Fan::In, &mut rng).unwrap();
        let samples = Samples { x: x.view(), classes, n_classes: 3 };
        let optimiser = Optimiser::Adam { learning_rate: 0.01 };
        let settings = TrainingSettings { optimiser, batch_size: size, batch_order: BatchOrder::Reshuffled };
        Training::new(network, samples, (0..N).collect(), settings, rng)
    }

    /// The mean loss by the textbook's formula in f64, with parameter `k` moved by `h`: the slow twin of the forward pass.
    fn loss(training: &Training<'_>, activation: Activation, k: usize, h: f64) -> f64 {
        let network = &training.network;
        let mut parameters: Vec<f64> = network.parameters.iter().map(|p| f64::from(*p)).collect();
        parameters[k] += h;
        let mut total = 0.0;
        for (row, class) in training.samples.x.rows().into_iter().zip(training.samples.classes) {
            let mut t: Vec<f64> = row.iter().map(|v| f64::from(*v)).collect();
            let mut rest = parameters.as_slice();
            for (l, layer) in network.layers().iter().enumerate() {
                let (kernel, after) = rest.split_at(layer.n_inputs * layer.n_units);
                let (bias, after) = after.split_at(layer.n_units);
                rest = after;
                let z = |j: usize| {
                    bias[j] + (0..layer.n_inputs).map(|i| kernel[j * layer.n_inputs + i] * t[i]).sum::<f64>()
                };
                let hidden = l + 1 < network.layers().len();
                t = (0..layer.n_units)
                    .map(z)
                    .map(|z| match activation {
                        Activation::Tanh if hidden => z.tanh(),
                        Activation::Relu if hidden => z.max(0.0),
                        _ => z,
                    })
                    .collect();
            }
            let log_sum = t.iter().map(|z| z.exp()).sum::<f64>().ln();
            total += log_sum - t[*class];
        }
        total / N as f64
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (x, classes) = data();
        for (_, activation) in Activation::ALL {
            let mut training = training(&x, &classes, *activation, BatchSize::Full);
            // One epoch moves the zero biases: a unit whose inputs are all dead would sit exactly on ReLU's kink.
            training.epoch();
            training.compute_gradient(0);
            for k in 0..training.gradient.len() {
                const H: f64 = 1e-5;
                let slope = (loss(&training, *activation, k, H) - loss(&training, *activation, k, -H)) / (2.0 * H);
                // Central differences in f64 err by 1e-10; the f32 gradient by a few 1e-7 of the terms it sums.
                let got = f64::from(training.gradient[k]);
                assert!((got - slope).abs() < 2e-6, "{activation:?}, parameter {k}: {got} is not {slope}");
            }
        }
    }

    #[test]
    fn training_lowers_the_loss_and_counts_its_steps() {
        let (x, classes) = data();
        let mut training = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let before = loss(&training, Activation::Tanh, 0, 0.0);
        (0..200).for_each(|_| training.epoch());
        let after = loss(&training, Activation::Tanh, 0, 0.0);
        assert!(after < 0.3 * before, "{before} → {after}");
        assert_eq!(training.step(), 800); // 150 samples in batches of 40: 40, 40, 40 and 30
    }

    #[test]
    fn measuring_gradients_does_not_change_the_training() {
        let (x, classes) = data();
        let mut plain = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let mut measured = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        measured.gradients();
        for _ in 0..3 {
            plain.epoch();
            measured.epoch_with_gradients();
        }
        assert_eq!(plain.network.parameters, measured.network.parameters);
    }

    #[test]
    fn gradient_statistics_are_mean_and_spread_over_batches() {
        let (x, classes) = data();
        let mut training = training(&x, &classes, Activation::Tanh, BatchSize::Mini(75));
        let statistics = training.gradients();
        let mut gradient = |batch| {
            training.compute_gradient(batch);
            training.gradient.clone()
        };
        let (a, b) = (gradient(0), gradient(1));
        // Of two numbers the mean is (a+b)/2 and the population variance ((a−b)/2)².
        let norm_of = |f: &dyn Fn(f64, f64) -> f64| {
            norm(a[..24].iter().zip(&b[..24]).map(|(a, b)| f(f64::from(*a), f64::from(*b))))
        };
        assert!((statistics[0].mean_norm - norm_of(&|a, b| (a + b) / 2.0)).abs() < 1e-12);
        assert!((statistics[0].std_norm.unwrap() - norm_of(&|a, b| (a - b) / 2.0)).abs() < 1e-12);
        assert_eq!(self::training(&x, &classes, Activation::Tanh, BatchSize::Full).gradients()[0].std_norm, None);
    }

    #[test]
    fn gradients_of_an_epoch_are_taken_after_each_step() {
        let (x, classes) = data();
        let mut measured = training(&x, &classes, Activation::Tanh, BatchSize::Full);
        let mut stepped = training(&x, &classes, Activation::Tanh, BatchSize::Full);
        stepped.epoch();
        // One batch: its gradient after its step is that of the network as the epoch leaves it. The order of samples,
        // and with it the rounding, is the same in both.
        assert_eq!(measured.epoch_with_gradients(), stepped.gradients());
    }
}
