//! The training loop, one update at a time, so that the caller decides when to evaluate the network.

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::batches::{BatchOrder, BatchSize, Batches, Samples, Tile, reorder};
use super::gradients::{GradientKind, GradientStatistics, Moments};
use super::loss::Loss;
use super::network::{Network, Workspace};
use super::operation::Phase;
use super::optimiser::{Optimiser, OptimiserState};
use super::regularisation::{Constraints, Penalties, kernel_norms};
use super::schedule::Schedule;
use crate::math::wide::bands;

/// Settings of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingSettings {
    /// Loss function.
    pub loss: Loss,
    /// Optimiser.
    pub optimiser: Optimiser,
    /// Initial learning rate.
    pub learning_rate: f32,
    /// Schedule of the learning rate.
    pub schedule: Schedule,
    /// Number of samples per update.
    pub batch_size: BatchSize,
    /// Order of the samples in every epoch.
    pub batch_order: BatchOrder,
    /// Penalties that are added to the loss.
    pub penalties: Penalties,
    /// Constraints on the weights.
    pub constraints: Constraints,
    /// Number of passes over the training samples.
    pub n_epochs: u64,
    /// Number of initial epochs trained on labels that are shuffled among the training samples.
    pub n_prefit_epochs: u64,
}

impl TrainingSettings {
    /// Settings with cross-entropy and without penalty, constraint or schedule; batches in a fixed order.
    pub fn plain(optimiser: Optimiser, learning_rate: f32, batch_size: BatchSize, n_epochs: u64) -> Self {
        Self {
            loss: Loss::CrossEntropy,
            optimiser,
            learning_rate,
            schedule: Schedule::Constant,
            batch_size,
            batch_order: BatchOrder::Fixed,
            penalties: Penalties::default(),
            constraints: Constraints::default(),
            n_epochs,
            n_prefit_epochs: 0,
        }
    }
}

/// The random streams of a training, one for each use, so that changing one use does not affect the others.
#[derive(Debug)]
pub struct Streams {
    /// Stream for the orders of samples.
    pub batches: ChaCha8Rng,
    /// Stream for dropout and noise. Every update has a separate position in it, so that evaluations change nothing.
    pub draws: ChaCha8Rng,
    /// Stream for the shuffled labels of the first epochs (`prefit`).
    pub labels: ChaCha8Rng,
}

/// A network in training.
#[derive(Debug)]
pub struct Training<'a> {
    pub(super) network: Network,
    pub(super) settings: TrainingSettings,
    pub(super) samples: Samples<'a>,
    order: Vec<usize>,
    /// For each sample, the index of the sample whose label it is trained on, now and during `prefit` (a permutation).
    taught_as: Vec<usize>,
    shuffled: Vec<usize>,
    pub(super) batches: Batches,
    optimiser: OptimiserState,
    gradient: Vec<f32>,
    pub(super) work: Workspace,
    pub(super) step: u64,
    /// The step at which the last started epoch began.
    begun: Option<u64>,
    pub(super) streams: Streams,
    /// The initial norms of the kernels.
    first_norms: Vec<f32>,
}

/// Everything that the next updates depend on, apart from settings and samples.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "pipeline", derive(serde::Serialize, serde::Deserialize))]
pub struct TrainingState {
    parameters: Vec<f32>,
    statistics: Vec<f32>,
    optimiser: OptimiserState,
    order: Vec<usize>,
    step: u64,
    rng_position: u128,
}

/// Collects the gradients of the batches of one epoch, from its first to its last update.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "pipeline", derive(serde::Serialize, serde::Deserialize))]
pub struct Watch {
    moments: Moments,
    /// The samples in another order, whose batches are evaluated before each update; `None`: the batches of the epoch,
    /// after each update.
    probe: Option<Vec<usize>>,
}

impl<'a> Training<'a> {
    /// Prepares the training of `network` on the samples with indices in `train`.
    pub fn new(
        network: Network,
        samples: Samples<'a>,
        train: Vec<usize>,
        settings: TrainingSettings,
        mut streams: Streams,
    ) -> Self {
        let n_parameters = network.parameters.len();
        let itself: Vec<usize> = (0..samples.x.nrows()).collect();
        let mut shuffled = itself.clone();
        if settings.n_prefit_epochs > 0 {
            let mut permuted = train.clone();
            permuted.shuffle(&mut streams.labels);
            train.iter().zip(permuted).for_each(|(sample, other)| shuffled[*sample] = other);
        }
        let taught_as = if settings.n_prefit_epochs > 0 { shuffled.clone() } else { itself };
        let batches = Batches::new(samples, &train, &taught_as, settings.batch_size);
        Self {
            optimiser: OptimiserState::new(settings.optimiser, n_parameters),
            gradient: vec![0.0; n_parameters],
            work: network.workspace(network.tiles_together(batches.most_tiles())),
            first_norms: kernel_norms(network.layers(), &network.parameters),
            order: train,
            step: 0,
            begun: None,
            taught_as,
            shuffled,
            batches,
            network,
            settings,
            samples,
            streams,
        }
    }

    /// The network in its present state.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Number of updates so far.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Number of updates in one pass over the training samples.
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches.len() as u64
    }

    /// Whether the next update is the first of an epoch.
    pub fn is_between_epochs(&self) -> bool {
        self.step.is_multiple_of(self.steps_per_epoch())
    }

    /// Makes one update, which `watches` observe.
    pub fn update(&mut self, watches: &mut [Watch]) {
        let epoch = self.step / self.steps_per_epoch();
        self.begin_epoch();
        let batch = (self.step % self.steps_per_epoch()) as usize;
        for watch in watches.iter_mut().filter(|watch| watch.probe.is_some()) {
            self.look(watch, batch, self.step);
        }
        self.compute_gradient(batch, self.step);
        self.network.learn_statistics(&self.work);
        self.settings.penalties.add_gradient(self.network.layers(), &self.network.parameters, &mut self.gradient);
        let factor = self.settings.schedule.factor(epoch, self.settings.n_epochs);
        let rate = (f64::from(self.settings.learning_rate) * factor) as f32;
        let cores = self.network.cores();
        self.optimiser.step(self.settings.optimiser, rate, cores, &mut self.network.parameters, &self.gradient);
        self.step += 1;
        let is_last = self.is_between_epochs();
        self.network.constrain(&self.settings.constraints, is_last.then_some(self.first_norms.as_slice()));
        for watch in watches.iter_mut().filter(|watch| watch.probe.is_none()) {
            self.look(watch, batch, self.step);
        }
    }

    /// Reorders the samples if the next update is the first of an epoch that has not started.
    pub(super) fn begin_epoch(&mut self) {
        if !self.is_between_epochs() || self.begun == Some(self.step) {
            return;
        }
        self.begun = Some(self.step);
        let epoch = self.step / self.steps_per_epoch();
        let is_reordered = reorder(&mut self.order, self.settings.batch_order, &mut self.streams.batches);
        let is_retaught = self.teach(epoch);
        if is_reordered || is_retaught {
            self.batches.fill(self.samples, &self.order, &self.taught_as, self.network.cores());
        }
    }

    /// Selects the labels for training in `epoch`; returns whether they changed.
    fn teach(&mut self, epoch: u64) -> bool {
        if self.settings.n_prefit_epochs == 0 {
            return false;
        }
        let wanted = if epoch < self.settings.n_prefit_epochs {
            self.shuffled.clone()
        } else {
            (0..self.samples.x.nrows()).collect()
        };
        let changes = wanted != self.taught_as;
        self.taught_as = wanted;
        changes
    }

    /// Makes one pass over the training samples, or completes a partial one.
    pub fn epoch(&mut self) {
        self.update(&mut []);
        while !self.is_between_epochs() {
            self.update(&mut []);
        }
    }

    /// Starts to collect the gradients of the epoch that starts now; `rng` draws the permutation for
    /// [`GradientKind::BeforeStep`]. `None` for [`GradientKind::Samples`], which needs no steps.
    pub fn watch(&self, kind: GradientKind, rng: &mut ChaCha8Rng) -> Option<Watch> {
        let probe = match kind {
            GradientKind::AfterStep => None,
            GradientKind::BeforeStep => {
                let mut order = self.order.clone();
                // Independent of the shuffles of previous epochs.
                order.sort_unstable();
                order.shuffle(rng);
                Some(order)
            }
            GradientKind::Samples => return None,
        };
        Some(Watch { moments: Moments::new(self.gradient.len()), probe })
    }

    /// The collected gradient statistics, for each layer in order.
    pub fn statistics(&self, watch: &Watch) -> Vec<GradientStatistics> {
        watch.moments.statistics(self.network.layers(), &self.network.parameters)
    }

    /// The gradients of all batches without updates, for the untrained network.
    pub fn statistics_at_rest(&mut self, mut watch: Watch) -> Vec<GradientStatistics> {
        for batch in 0..self.batches.len() {
            // Each batch has the random numbers of a separate update.
            self.look(&mut watch, batch, self.step + batch as u64);
        }
        self.statistics(&watch)
    }

    /// Mean and spread of the gradients of single training samples at the present weights; samples must not be coupled
    /// by batch normalisation.
    pub fn statistics_over_samples(&mut self) -> Vec<GradientStatistics> {
        self.statistics_over_samples_of(None, self.step)
    }

    /// Mean and spread of the gradients of single training samples at the weights of `network` at an earlier `step`.
    pub fn statistics_over_samples_at(&mut self, network: &Network, step: u64) -> Vec<GradientStatistics> {
        self.statistics_over_samples_of(Some(network), step)
    }

    /// Uses the weights of `network`, or those of the training.
    fn statistics_over_samples_of(&mut self, network: Option<&Network>, step: u64) -> Vec<GradientStatistics> {
        self.seek_draws(step);
        let network = network.unwrap_or(&self.network);
        let len = self.gradient.len();
        let (mut sums, mut sums_of_squares) = (vec![0.0; len], vec![0.0; len]);
        let mut squares = vec![0.0_f32; len];
        let add = |totals: &mut [f64], values: &[f32]| {
            totals.iter_mut().zip(values).for_each(|(total, value)| *total += f64::from(*value));
        };
        network.begin_batch(&mut self.work);
        for tile in (0..self.batches.len()).flat_map(|batch| self.batches.tiles(batch)) {
            self.gradient.fill(0.0);
            squares.fill(0.0);
            network.forward(&[tile], &mut self.work, Phase::Training, &mut self.streams.draws);
            network.backward(&[tile], self.settings.loss, 1.0, &mut self.work, &mut self.gradient);
            network.add_squared_gradients(&[tile], &mut self.work, &mut squares);
            add(&mut sums, &self.gradient);
            add(&mut sums_of_squares, &squares);
        }
        let n = self.order.len() as f64;
        Moments::from_sums(n, &sums, &sums_of_squares).statistics(network.layers(), &network.parameters)
    }

    /// The state from which the training can be continued later.
    pub fn state(&self) -> TrainingState {
        TrainingState {
            parameters: self.network.parameters.clone(),
            statistics: self.network.statistics.clone(),
            optimiser: self.optimiser.clone(),
            order: self.order.clone(),
            step: self.step,
            rng_position: self.streams.batches.get_word_pos(),
        }
    }

    /// Continues from `state`, which comes from a training with equal settings and samples, and restores the statistics
    /// of `watches`; returns false and changes nothing if `state` is invalid.
    pub fn resume(&mut self, state: TrainingState, watches: &[Watch]) -> bool {
        let sorted = |order: &[usize]| {
            let mut samples = order.to_vec();
            samples.sort_unstable();
            samples
        };
        let samples = sorted(&self.order);
        let fits = |watch: &Watch| {
            watch.moments.len() == Some(self.gradient.len())
                && watch.probe.as_ref().is_none_or(|order| sorted(order) == samples)
        };
        let n_steps = self.steps_per_epoch().saturating_mul(self.settings.n_epochs);
        if state.parameters.len() != self.network.parameters.len()
            || state.statistics.len() != self.network.statistics.len()
            || !state.optimiser.has_shape_of(&self.optimiser)
            || sorted(&state.order) != samples
            || state.step > n_steps
            || !watches.iter().all(fits)
        {
            return false;
        }
        self.network.parameters = state.parameters;
        self.network.statistics = state.statistics;
        self.optimiser = state.optimiser;
        self.order = state.order;
        self.step = state.step;
        self.begun = None;
        self.streams.batches.set_word_pos(state.rng_position);
        // Between two epochs this is still the previous epoch: the labels change at the start of the next one.
        self.teach(self.step.saturating_sub(1) / self.steps_per_epoch());
        self.batches.fill(self.samples, &self.order, &self.taught_as, self.network.cores());
        true
    }

    /// Adds the gradient of a batch, at the present weights and with the random numbers of `step`, to the statistics of
    /// a watch.
    fn look(&mut self, watch: &mut Watch, batch: usize, step: u64) {
        match &watch.probe {
            None => self.compute_gradient(batch, step),
            Some(order) => {
                let size = self.batches.n_samples(0);
                let chosen = &order[batch * size..order.len().min((batch + 1) * size)];
                let batches = Batches::new(self.samples, chosen, &self.taught_as, BatchSize::Full);
                self.seek_draws(step);
                let (loss, draws) = (self.settings.loss, &mut self.streams.draws);
                gradient_of(&self.network, loss, &batches, 0, &mut self.work, draws, &mut self.gradient);
            }
        }
        watch.moments.add(&self.gradient);
    }

    fn compute_gradient(&mut self, batch: usize, step: u64) {
        self.seek_draws(step);
        let (loss, draws) = (self.settings.loss, &mut self.streams.draws);
        gradient_of(&self.network, loss, &self.batches, batch, &mut self.work, draws, &mut self.gradient);
    }

    /// Moves to the random numbers of the update after `step`.
    pub(super) fn seek_draws(&mut self, step: u64) {
        self.streams.draws.set_word_pos(u128::from(step) << WORDS_OF_A_STEP);
    }
}

#[cfg(test)]
impl Training<'_> {
    /// The gradient of the next batch with penalties, the parameters and running statistics, and the order of samples.
    pub(super) fn gradient_now(&mut self) -> (Vec<f32>, Vec<f32>, Vec<f32>, Vec<usize>) {
        self.compute_gradient(0, self.step);
        let (layers, parameters) = (self.network.layers(), &self.network.parameters);
        self.settings.penalties.add_gradient(layers, parameters, &mut self.gradient);
        (self.gradient.clone(), parameters.clone(), self.network.statistics.clone(), self.order.clone())
    }
}

/// 2³⁶ random words per step: more than the number of values in a batch of any network that fits into memory.
const WORDS_OF_A_STEP: u32 = 36;

/// Number of parameters up to which one core clears the gradient.
const CLEARED_TOGETHER: usize = 1 << 16;

/// The gradient of the mean loss of one batch.
fn gradient_of(
    network: &Network,
    loss: Loss,
    batches: &Batches,
    batch: usize,
    work: &mut Workspace,
    draws: &mut ChaCha8Rng,
    gradient: &mut [f32],
) {
    bands(network.cores(), gradient, CLEARED_TOGETHER, |_, gradient| gradient.fill(0.0));
    let scale = 1.0 / batches.n_samples(batch) as f32;
    network.begin_batch(work);
    let tiles: Vec<Tile<'_>> = batches.tiles(batch).collect();
    for together in tiles.chunks(network.tiles_together(tiles.len())) {
        network.forward(together, work, Phase::Training, draws);
        network.backward(together, loss, scale, work, gradient);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::SeedableRng;

    use super::super::gradients::norm;
    use super::super::{
        Activation, Architecture, Evaluation, Fan, Hidden, Initial, Operation, Output, PreActivations, Renormalise,
        Targets,
    };
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
        let architecture = Architecture::plain(&[6, 5], activation, Initial::TruncatedNormal(Fan::In));
        trained_by(x, classes, &architecture, plain(size))
    }

    fn plain(size: BatchSize) -> TrainingSettings {
        let batch_order = BatchOrder::Reshuffled;
        TrainingSettings { batch_order, ..TrainingSettings::plain(Optimiser::ADAM, 0.01, size, 200) }
    }

    fn trained_by<'a>(
        x: &'a Array2<f32>,
        classes: &'a [usize],
        architecture: &Architecture,
        settings: TrainingSettings,
    ) -> Training<'a> {
        let network = Network::new(4, architecture, 3, &mut stream(0)).unwrap();
        let samples = Samples { x: x.view(), targets: Targets::Classes { classes, n_classes: 3 } };
        let streams = Streams { batches: stream(1), draws: stream(2), labels: stream(3) };
        Training::new(network, samples, (0..N).collect(), settings, streams)
    }

    fn stream(number: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        rng.set_stream(number);
        rng
    }

    /// The mean loss of all samples.
    fn loss(training: &Training<'_>) -> f64 {
        let mut evaluation =
            Evaluation::new(training.network(), training.samples, (0..N).collect(), PreActivations::Dropped);
        evaluation.run(training.network(), rng());
        evaluation.fit(Output::Softmax, Loss::CrossEntropy, &(0..N).collect::<Vec<_>>()).unwrap().loss
    }

    #[test]
    fn training_lowers_the_loss_and_counts_its_steps() {
        let (x, classes) = data();
        let mut training = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let before = loss(&training);
        (0..200).for_each(|_| training.epoch());
        let after = loss(&training);
        assert!(after < 0.3 * before, "{before} → {after}");
        assert_eq!(training.step(), 800); // 150 samples in batches of 40: 40, 40, 40 and 30
    }

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(7)
    }

    /// The gradients of all batches at constant weights.
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
            measured.statistics_over_samples();
        }
        assert_eq!(plain.network.parameters, measured.network.parameters);
    }

    #[test]
    fn gradient_statistics_are_mean_and_spread_over_batches() {
        let (x, classes) = data();
        let mut training = training(&x, &classes, Activation::Tanh, BatchSize::Mini(75));
        let statistics = gradients(&mut training);
        let mut gradient = |batch| {
            training.compute_gradient(batch, 0);
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
        for (a, b) in whole.statistics_over_samples().iter().zip(gradients(&mut single)) {
            // One side has f32 sums of 128 gradients, the other single f32 gradients.
            assert!((a.mean_norm / b.mean_norm - 1.0).abs() < 1e-5, "{a:?} {b:?}");
            assert!((a.std_norm.unwrap() / b.std_norm.unwrap() - 1.0).abs() < 1e-5, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_probe_sees_every_sample_once_an_epoch() {
        let (x, classes) = data();
        // At constant weights, the mean over equal batches of any permutation is the gradient of the full batch.
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
        // With one batch, its gradient after the update is that of the network at the end of the epoch. The order of
        // samples, and therefore the rounding, is equal in both.
        let mut watches = [measured.watch(GradientKind::AfterStep, &mut rng()).unwrap()];
        measured.update(&mut watches);
        assert_eq!(measured.statistics(&watches[0]), gradients(&mut stepped));
    }

    #[test]
    fn a_training_resumes_from_its_state_with_the_same_bits() {
        let (x, classes) = data();
        let mut whole = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let mut first = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let mut resumed = training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        (0..23).for_each(|_| whole.update(&mut []));
        (0..10).for_each(|_| first.update(&mut [])); // two steps into the third epoch
        assert!(resumed.resume(first.state(), &[]));
        (10..23).for_each(|_| resumed.update(&mut []));
        assert_eq!(whole.state(), resumed.state());
        let mut other = training(&x, &classes, Activation::Tanh, BatchSize::Full);
        assert!(other.resume(first.state(), &[]), "the size of batches is not part of the state");
        let mut shorter = first.state();
        shorter.order.pop();
        assert!(!whole.resume(shorter, &[]));
    }

    #[test]
    fn a_training_resumes_only_from_a_possible_state() {
        let (x, classes) = data();
        let training = || training(&x, &classes, Activation::Tanh, BatchSize::Mini(40));
        let first = training();
        let watch = || first.watch(GradientKind::BeforeStep, &mut rng()).unwrap();
        assert!(training().resume(first.state(), &[watch()]));
        let spoilt = |spoil: fn(&mut TrainingState, &mut Watch)| {
            let (mut state, mut watch) = (first.state(), watch());
            spoil(&mut state, &mut watch);
            training().resume(state, &[watch])
        };
        assert!(!spoilt(|state, _| state.step = u64::MAX));
        assert!(!spoilt(|state, _| state.order[0] = usize::MAX));
        assert!(!spoilt(|state, _| state.parameters.push(0.0)));
        assert!(!spoilt(|state, _| state.statistics.push(0.0)));
        assert!(!spoilt(|_, watch| watch.moments = Moments::new(1)));
        assert!(!spoilt(|_, watch| watch.probe = Some(Vec::new())));
        assert!(!spoilt(|_, watch| watch.probe = watch.probe.as_ref().map(|order| vec![usize::MAX; order.len()])));
    }

    #[test]
    fn a_training_with_all_features_resumes_at_any_step_with_the_same_bits() {
        let (x, classes) = data();
        let operations = [
            Operation::BatchNorm,
            Operation::Activation(Activation::Relu),
            Operation::Quantise { bits: 8 },
            Operation::Dropout { rate: 0.2 },
            Operation::Noise { variance: 0.01 },
        ];
        let hidden = vec![Hidden { n_units: 6, operations: operations.to_vec() }; 2];
        let plain_network = Architecture::plain(&[], Activation::Tanh, Initial::GlorotUniform);
        let architecture = Architecture { hidden, output_bits: Some(8), ..plain_network };
        let settings = TrainingSettings {
            schedule: Schedule::Cosine,
            penalties: Penalties { l1: 1e-4, l2: 1e-3, orthonormal: 1e-3 },
            constraints: Constraints { max_norm: Some(2.0), renormalise: Renormalise::Initial },
            n_prefit_epochs: 3,
            ..plain(BatchSize::Mini(40))
        };
        let training = || trained_by(&x, &classes, &architecture, settings);
        let mut whole = training();
        (0..30).for_each(|_| whole.update(&mut []));
        // In the first epoch, at the end of `prefit`, in the middle of the regular training, between two epochs.
        for step in [1, 11, 12, 13, 18, 20] {
            let (mut first, mut resumed) = (training(), training());
            (0..step).for_each(|_| first.update(&mut []));
            assert!(resumed.resume(first.state(), &[]));
            (step..30).for_each(|_| resumed.update(&mut []));
            assert!(whole.state() == resumed.state(), "resumed after {step} steps");
        }
    }
}
