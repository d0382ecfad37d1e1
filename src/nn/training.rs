//! The training loop: one update at a time, so that whoever drives it decides when to look.

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::batches::{BatchOrder, BatchSize, Batches, Samples, reorder};
use super::gradients::{GradientKind, GradientStatistics, Moments};
use super::network::{Network, Workspace};
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

/// A network in training. Nothing is allocated between two updates that nobody watches.
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

/// All that the next updates depend on, besides the settings and the samples.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "pipeline", derive(serde::Serialize, serde::Deserialize))]
pub struct TrainingState {
    parameters: Vec<f32>,
    optimiser: OptimiserState,
    order: Vec<usize>,
    step: u64,
    rng_position: u128,
}

/// Gathers the gradients of the batches of one epoch, from its first step to its last.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "pipeline", derive(serde::Serialize, serde::Deserialize))]
pub struct Watch {
    moments: Moments,
    /// The samples in another order, whose batches are looked at before each step; none: the epoch's own batches, after.
    probe: Option<Vec<usize>>,
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

    /// Updates in one pass over the training samples.
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches.len() as u64
    }

    /// Whether the next update is the first of an epoch.
    pub fn is_between_epochs(&self) -> bool {
        self.step.is_multiple_of(self.steps_per_epoch())
    }

    /// One update, seen by `watches`.
    pub fn update(&mut self, watches: &mut [Watch]) {
        if self.is_between_epochs() && reorder(&mut self.order, self.settings.batch_order, &mut self.rng) {
            self.batches.fill(self.samples, &self.order);
        }
        let batch = (self.step % self.steps_per_epoch()) as usize;
        for watch in watches.iter_mut().filter(|watch| watch.probe.is_some()) {
            self.look(watch, batch);
        }
        self.compute_gradient(batch);
        self.optimiser.step(self.settings.optimiser, &mut self.network.parameters, &self.gradient);
        self.step += 1;
        for watch in watches.iter_mut().filter(|watch| watch.probe.is_none()) {
            self.look(watch, batch);
        }
    }

    /// One pass over the training samples, or the rest of one that was begun.
    pub fn epoch(&mut self) {
        self.update(&mut []);
        while !self.is_between_epochs() {
            self.update(&mut []);
        }
    }

    /// Begins to gather the gradients of the epoch that begins now; `rng` draws the probe of [`GradientKind::BeforeStep`].
    /// `None` for [`GradientKind::Samples`], which needs no steps.
    pub fn watch(&self, kind: GradientKind, rng: &mut ChaCha8Rng) -> Option<Watch> {
        let probe = match kind {
            GradientKind::AfterStep => None,
            GradientKind::BeforeStep => {
                let mut order = self.order.clone();
                // Independent of how the epochs before have shuffled it.
                order.sort_unstable();
                order.shuffle(rng);
                Some(order)
            }
            GradientKind::Samples => return None,
        };
        Some(Watch { moments: Moments::new(self.gradient.len()), probe })
    }

    /// What a watch has seen, for each layer in order.
    pub fn statistics(&self, watch: &Watch) -> Vec<GradientStatistics> {
        watch.moments.statistics(self.network.layers(), &self.network.parameters)
    }

    /// The gradients of all batches without a step: what there is to see of the untrained network.
    pub fn statistics_at_rest(&mut self, mut watch: Watch) -> Vec<GradientStatistics> {
        for batch in 0..self.batches.len() {
            self.look(&mut watch, batch);
        }
        self.statistics(&watch)
    }

    /// Mean and spread of the gradients of single training samples, at the weights of `network`.
    pub fn statistics_over_samples(&mut self, network: &Network) -> Vec<GradientStatistics> {
        let len = self.gradient.len();
        let (mut sums, mut sums_of_squares) = (vec![0.0; len], vec![0.0; len]);
        let mut squares = vec![0.0_f32; len];
        let add = |totals: &mut [f64], values: &[f32]| {
            totals.iter_mut().zip(values).for_each(|(total, value)| *total += f64::from(*value));
        };
        for tile in (0..self.batches.len()).flat_map(|batch| self.batches.tiles(batch)) {
            self.gradient.fill(0.0);
            squares.fill(0.0);
            network.forward(tile.x, &mut self.work);
            network.backward(tile.x, tile.targets, tile.n_valid, 1.0, &mut self.work, &mut self.gradient);
            network.add_squared_gradients(tile.x, &mut self.work, &mut squares);
            add(&mut sums, &self.gradient);
            add(&mut sums_of_squares, &squares);
        }
        let n = self.order.len() as f64;
        Moments::from_sums(n, &sums, &sums_of_squares).statistics(network.layers(), &network.parameters)
    }

    /// What is needed to go on later.
    pub fn state(&self) -> TrainingState {
        TrainingState {
            parameters: self.network.parameters.clone(),
            optimiser: self.optimiser.clone(),
            order: self.order.clone(),
            step: self.step,
            rng_position: self.rng.get_word_pos(),
        }
    }

    /// Goes on from `state`, which a training with the same settings and samples was in; false, and nothing is changed,
    /// where it cannot be such a state.
    pub fn resume(&mut self, state: TrainingState) -> bool {
        let mut known = [self.order.clone(), state.order.clone()];
        known.iter_mut().for_each(|order| order.sort_unstable());
        if state.parameters.len() != self.network.parameters.len()
            || !state.optimiser.has_shape_of(&self.optimiser)
            || known[0] != known[1]
        {
            return false;
        }
        self.network.parameters = state.parameters;
        self.optimiser = state.optimiser;
        self.order = state.order;
        self.step = state.step;
        self.rng.set_word_pos(state.rng_position);
        self.batches.fill(self.samples, &self.order);
        true
    }

    /// Adds the gradient of a batch, at the weights as they are, to what a watch has seen.
    fn look(&mut self, watch: &mut Watch, batch: usize) {
        match &watch.probe {
            None => self.compute_gradient(batch),
            Some(order) => {
                let size = self.batches.n_samples(0);
                let chosen = &order[batch * size..order.len().min((batch + 1) * size)];
                let batches = Batches::new(self.samples, chosen, BatchSize::Full);
                gradient_of(&self.network, &batches, 0, &mut self.work, &mut self.gradient);
            }
        }
        watch.moments.add(&self.gradient);
    }

    fn compute_gradient(&mut self, batch: usize) {
        gradient_of(&self.network, &self.batches, batch, &mut self.work, &mut self.gradient);
    }
}

/// The gradient of the mean loss of one batch.
fn gradient_of(network: &Network, batches: &Batches, batch: usize, work: &mut Workspace, gradient: &mut [f32]) {
    gradient.fill(0.0);
    let scale = 1.0 / batches.n_samples(batch) as f32;
    for tile in batches.tiles(batch) {
        network.forward(tile.x, work);
        network.backward(tile.x, tile.targets, tile.n_valid, scale, work, gradient);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::SeedableRng;

    use super::super::activation::Activation;
    use super::super::gradients::norm;
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

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(7)
    }

    /// The gradients of batch after batch at rest.
    fn gradients(training: &mut Training<'_>) -> Vec<GradientStatistics> {
        let watch = training.watch(GradientKind::AfterStep, &mut rng()).unwrap();
        training.statistics_at_rest(watch)
    }

    #[test]
    fn measuring_gradients_does_not_change_the_training() {
        let (x, classes) = data();
        let mut plain = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let mut measured = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        gradients(&mut measured);
        for _ in 0..3 {
            plain.epoch();
            let kinds = [GradientKind::AfterStep, GradientKind::BeforeStep];
            let mut watches = kinds.map(|kind| measured.watch(kind, &mut rng()).unwrap());
            (0..4).for_each(|_| measured.update(&mut watches));
            let network = measured.network().clone();
            measured.statistics_over_samples(&network);
        }
        assert_eq!(plain.network.parameters, measured.network.parameters);
    }

    #[test]
    fn gradient_statistics_are_mean_and_spread_over_batches() {
        let (x, classes) = data();
        let mut training = training(&x, &classes, Activation::Tanh, BatchSize::Mini(75));
        let statistics = gradients(&mut training);
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
        let mut full = self::training(&x, &classes, Activation::Tanh, BatchSize::Full);
        assert_eq!(gradients(&mut full)[0].std_norm, None);
    }

    #[test]
    fn gradients_over_samples_are_those_of_batches_of_one() {
        let (x, classes) = data();
        let mut whole = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let mut single = training(&x, &classes, Activation::Tanh, BatchSize::Mini(1));
        let network = whole.network().clone();
        for (a, b) in whole.statistics_over_samples(&network).iter().zip(gradients(&mut single)) {
            // f32 sums of 128 gradients on one side, single f32 gradients on the other.
            assert!((a.mean_norm / b.mean_norm - 1.0).abs() < 1e-5, "{a:?} {b:?}");
            assert!((a.std_norm.unwrap() / b.std_norm.unwrap() - 1.0).abs() < 1e-5, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_probe_sees_every_sample_once_an_epoch() {
        let (x, classes) = data();
        // At rest, the mean over equal batches of any permutation is the gradient of the full batch.
        let mut probed = training(&x, &classes, Activation::Tanh, BatchSize::Mini(50));
        let watch = probed.watch(GradientKind::BeforeStep, &mut rng()).unwrap();
        let probed = probed.statistics_at_rest(watch);
        let full = gradients(&mut training(&x, &classes, Activation::Tanh, BatchSize::Full));
        assert!((probed[1].mean_norm / full[1].mean_norm - 1.0).abs() < 1e-5);
    }

    #[test]
    fn gradients_of_an_epoch_are_taken_after_each_step() {
        let (x, classes) = data();
        let mut measured = training(&x, &classes, Activation::Tanh, BatchSize::Full);
        let mut stepped = training(&x, &classes, Activation::Tanh, BatchSize::Full);
        stepped.epoch();
        // One batch: its gradient after its step is that of the network as the epoch leaves it. The order of samples,
        // and with it the rounding, is the same in both.
        let mut watches = [measured.watch(GradientKind::AfterStep, &mut rng()).unwrap()];
        measured.update(&mut watches);
        assert_eq!(measured.statistics(&watches[0]), gradients(&mut stepped));
    }

    #[test]
    fn a_training_goes_on_from_its_state_with_the_same_bits() {
        let (x, classes) = data();
        let mut whole = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let mut first = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let mut resumed = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        (0..23).for_each(|_| whole.update(&mut []));
        (0..10).for_each(|_| first.update(&mut [])); // two steps into the third epoch
        assert!(resumed.resume(first.state()));
        (10..23).for_each(|_| resumed.update(&mut []));
        assert_eq!(whole.state(), resumed.state());
        let mut other = training(&x, &classes, Activation::Tanh, BatchSize::Full);
        assert!(other.resume(first.state()), "the size of batches is not part of the state");
        let mut shorter = first.state();
        shorter.order.pop();
        assert!(!whole.resume(shorter));
    }
}
