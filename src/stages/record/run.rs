//! One run: trains a network and records it at the chosen snapshots, part after part.

use std::path::Path;

use super::super::{Progress, StageError};
use super::adaptive::{Spacing, bisect, change};
use super::checkpoint::{self, State};
use super::ending::{Best, Ending};
use super::part::{Gradients, Identity, Part};
use super::setup::{Parts, Purpose, Setup};
use crate::config::{Adaptive, StopOn, When};
use crate::estimators::{self, Estimator, Given, Sample};
use crate::nn::{Evaluation, Fit, GradientKind, Loss, Network, PreActivations, Streams, Training, Watch};
use crate::parameter::{Parameters, Value};
use crate::sample::Representation;
use crate::store::schema::{EpochRow, Row, RunRow, SplitRow};
use crate::store::{Experiment, FileRecord, RunId, write_rows};
use crate::units::Nats;

/// A checkpoint is also made when this much has been computed since the last, in samples × weights: some minutes, so that
/// a killed run of a large network loses no more. (Counted, not timed: the same on every machine.)
const PART_WORK: u64 = 1_000_000_000_000;

/// Every snapshot of every layer is an entry in the footer of the open part, which is kept in memory.
const PART_SNAPSHOTS: usize = 2048;

/// Bytes of weights that exact adaptive spacing may hold to look back.
const LOOK_BACK_BYTES: u64 = 64 << 20;

/// Bins over the layer's own range by which adaptive spacing measures: those of its author, good for any activation.
const ADAPTIVE_BINS: u64 = 30;

/// A run being recorded.
struct Run<'a> {
    setup: &'a Setup<'a>,
    identity: Identity<'a>,
    index: usize,
    parts: Parts,
    training: Training<'a>,
    evaluation: Evaluation<'a>,
    watches: Vec<Watch>,
    spacing: Spacing,
    best: Best,
    /// How well the last recorded network fits the training samples.
    last_fit: Option<Fit>,
    files: Vec<FileRecord>,
    open: Option<OpenPart>,
    n_parts: usize,
    /// Number of the next checkpoint, and the step of the last one.
    checkpoint: (usize, u64),
    /// Steps that the progress bar knows of.
    told: u64,
    progress: &'a dyn Progress,
}

struct OpenPart {
    part: Part,
    raw_bytes: u64,
    n_snapshots: usize,
}

/// What stops the search for snapshots to record.
enum Interruption {
    /// The training.
    Ended(Ending),
    /// Anything else.
    Failed(StageError),
}

impl From<StageError> for Interruption {
    fn from(e: StageError) -> Self {
        Self::Failed(e)
    }
}

/// Records run `index` from its beginning or its checkpoint; returns its files.
pub(super) fn record_run(
    setup: &Setup<'_>,
    root: &Path,
    index: usize,
    key: &str,
    progress: &dyn Progress,
) -> Result<Vec<FileRecord>, StageError> {
    let record = &setup.pipeline.record;
    let run = RunId::new(index);
    let parts = setup.split(index);
    let network = setup.network(index)?;
    let kept = if record.pre_activations { PreActivations::Kept } else { PreActivations::Dropped };
    let evaluation = Evaluation::new(&network, setup.samples(), setup.recorded(&parts), kept);
    let samples = evaluation.chosen().iter().map(|sample| *sample as i32).collect();
    let streams = Streams {
        batches: setup.stream(index, Purpose::Batches),
        draws: setup.stream(index, Purpose::Draws),
        labels: setup.stream(index, Purpose::PrefitLabels),
    };
    let training = Training::new(network, setup.samples(), parts.train.clone(), setup.pipeline.training, streams);
    let mut run = Run {
        setup,
        identity: Identity { root, run, key, record, samples },
        index,
        parts,
        training,
        evaluation,
        watches: Vec::new(),
        spacing: Spacing::new(),
        best: Best::from(setup.pipeline.training.n_prefit_epochs),
        last_fit: None,
        files: Vec::new(),
        open: None,
        n_parts: 0,
        checkpoint: (0, 0),
        told: 0,
        progress,
    };
    let resumed = run.resume()?;
    if !resumed {
        run.write_splits()?;
    }
    let ending = match &record.when {
        When::Fixed { .. } => {
            let steps = setup.steps.as_deref().unwrap_or_default();
            // A checkpoint is made after the record of its step, never between the step and its record.
            let done = if resumed { steps.partition_point(|step| *step <= run.training.step()) } else { 0 };
            run.record_fixed(steps, done)?
        }
        When::Adaptive { delta_bits, method } => run.record_adaptive(*delta_bits, *method)?,
    };
    run.end_part()?;
    run.progress.advance(setup.last_step() - run.told);
    run.write_ending(ending)?;
    tracing::debug!(run = %run.identity.run, files = run.files.len(), "recorded");
    Ok(run.files)
}

impl Run<'_> {
    /// Goes on from the checkpoint, if there is one.
    fn resume(&mut self) -> Result<bool, StageError> {
        let Some((files, state)) = checkpoint::load(self.identity.root, &self.identity.run, self.identity.key)? else {
            return Ok(false);
        };
        if !self.training.resume(state.training) {
            return Ok(false);
        }
        (self.files, self.watches, self.spacing, self.n_parts) = (files, state.watches, state.spacing, state.part);
        self.best = state.best;
        self.checkpoint = (state.number + 1, self.training.step());
        self.tell();
        Ok(true)
    }

    /// Moves the progress bar to where the training is.
    fn tell(&mut self) {
        self.progress.advance(self.training.step() - self.told);
        self.told = self.training.step();
    }

    fn write_splits(&mut self) -> Result<(), StageError> {
        let mut split = vec!["test"; self.setup.n_samples()];
        self.parts.train.iter().for_each(|sample| split[*sample] = "train");
        let row = |(sample, split): (usize, &&str)| SplitRow { sample: sample as i32, split: (*split).to_owned() };
        let rows: Vec<SplitRow> = split.iter().enumerate().map(row).collect();
        let path = Experiment::part("splits", None, &self.identity.run, 0);
        self.files.push(write_rows(self.identity.root, &path, &rows, &self.identity.footer(None))?);
        Ok(())
    }

    fn write_ending(&mut self, ending: Ending) -> Result<(), StageError> {
        let (loss, step) = (self.setup.pipeline.training.loss, self.training.step());
        let row = ending.row(self.epoch(step), step, loss, self.last_fit);
        let path = Experiment::part(RunRow::TABLE, None, &self.identity.run, 0);
        self.files.push(write_rows(self.identity.root, &path, &[row], &self.identity.footer(None))?);
        Ok(())
    }

    fn n_prefit_epochs(&self) -> u64 {
        self.setup.pipeline.training.n_prefit_epochs
    }

    /// Whole passes over the training samples after `step` updates.
    fn epoch(&self, step: u64) -> u64 {
        step / self.training.steps_per_epoch()
    }

    fn record_fixed(&mut self, steps: &[u64], done: usize) -> Result<Ending, StageError> {
        for step in &steps[done..] {
            let ending = self.train_to(*step, steps)?;
            if matches!(ending, Some(Ending::Failed(_))) {
                return Ok(ending.unwrap_or(Ending::Finished));
            }
            let gradients = self.gradients();
            let network = self.training.network().clone();
            // A training that was stopped is recorded as it ends.
            let failure = self.record(&network, self.training.step(), &gradients)?;
            if let Some(ending) = failure.or(ending) {
                return Ok(ending);
            }
            self.end_part_if_full()?;
        }
        Ok(Ending::Finished)
    }

    /// Trains on, unless it has to end; where the end of an epoch will be recorded, its gradients are watched.
    fn train_to(&mut self, step: u64, recorded: &[u64]) -> Result<Option<Ending>, StageError> {
        while self.training.step() < step {
            if self.training.is_between_epochs() {
                self.tell();
                if self.work() >= PART_WORK {
                    self.make_checkpoint()?;
                }
                self.watches.clear();
                let end = self.training.step() + self.training.steps_per_epoch();
                if recorded.binary_search(&end).is_ok() {
                    self.watches = self.new_watches().into_iter().map(|(_, watch)| watch).collect();
                }
            }
            self.training.update(&mut self.watches);
            if self.training.is_between_epochs()
                && let Some(ending) = self.look_after_epoch()
            {
                return Ok(Some(ending));
            }
        }
        self.tell();
        Ok(None)
    }

    /// Whether the training has to end after this epoch.
    fn look_after_epoch(&mut self) -> Option<Ending> {
        let epoch = self.epoch(self.training.step());
        if !self.training.network().is_finite() {
            return Some(Ending::diverged(epoch, "weights are"));
        }
        // On shuffled labels the training has not begun.
        let stop = self.setup.pipeline.stop.as_ref().filter(|_| epoch > self.n_prefit_epochs())?;
        let draws = self.setup.looking(self.index, self.training.step());
        self.evaluation.run(self.training.network(), draws);
        let of = if stop.of == StopOn::Train { &self.parts.train } else { &self.parts.test };
        let accuracy = self.setup.fit(&self.evaluation, of)?.accuracy?;
        self.best.see(stop, accuracy, epoch)
    }

    fn new_watches(&self) -> Vec<(GradientKind, Watch)> {
        let mut rng = self.setup.stream(self.index, Purpose::Probe);
        // Every epoch has a place of its own in the stream, so that an epoch's probe does not depend on those before.
        let epoch = self.training.step() / self.training.steps_per_epoch();
        rng.set_word_pos(u128::from(epoch) << 32);
        let watch = |kind: &GradientKind| Some((*kind, self.training.watch(*kind, &mut rng)?));
        self.identity.record.gradients.iter().filter_map(watch).collect()
    }

    /// The gradient statistics that there are to record now.
    fn gradients(&mut self) -> Gradients {
        let kinds = &self.identity.record.gradients;
        let mut gradients: Gradients = match self.training.step() {
            0 => {
                let watches = self.new_watches();
                watches.into_iter().map(|(kind, watch)| (kind, self.training.statistics_at_rest(watch))).collect()
            }
            // An epoch after which the training is stopped may not have been watched.
            _ if self.training.is_between_epochs() => {
                let watched = kinds.iter().filter(|kind| **kind != GradientKind::Samples).zip(&self.watches);
                watched.map(|(kind, watch)| (*kind, self.training.statistics(watch))).collect()
            }
            _ => Vec::new(),
        };
        if kinds.contains(&GradientKind::Samples) {
            let network = self.training.network().clone();
            let step = self.training.step();
            gradients.push((GradientKind::Samples, self.training.statistics_over_samples(&network, step)));
        }
        gradients
    }

    fn record_adaptive(&mut self, delta: f64, method: Adaptive) -> Result<Ending, StageError> {
        match self.record_where_it_changes(delta, method) {
            Ok(()) => Ok(Ending::Finished),
            Err(Interruption::Ended(ending)) => Ok(ending),
            Err(Interruption::Failed(e)) => Err(e),
        }
    }

    fn record_where_it_changes(&mut self, delta: f64, method: Adaptive) -> Result<(), Interruption> {
        let estimator = adaptive_estimator()?;
        let given = Given::of_distinct(self.setup.labels(&self.identity.samples)).map_err(|e| refused(&e))?;
        let last_step = self.setup.last_step();
        let n_weights = n_weights(self.training.network());
        let most = match method {
            Adaptive::Approximate => last_step,
            Adaptive::Exact => LOOK_BACK_BYTES / (n_weights * size_of::<f32>()) as u64,
        };
        if self.spacing.last.is_empty() {
            let network = self.training.network().clone();
            self.spacing.last = self.measure(&network, 0, estimator.as_ref(), &given)?;
            self.record_with_samples_gradients(&network, 0)?;
        }
        while self.training.step() < last_step {
            let first = self.training.step();
            let n = self.spacing.distance.min(last_step - first) as usize;
            // Exact: the networks of all steps; approximate: that of the last.
            let mut networks = Vec::new();
            for left in (0..n).rev() {
                self.training.update(&mut []);
                if method == Adaptive::Exact || left == 0 {
                    networks.push(self.training.network().clone());
                }
            }
            self.tell();
            let newest = networks.len() - 1;
            let step_of = |i: usize| first + (n - networks.len() + i) as u64 + 1;
            if let Some(i) = networks.iter().position(|network| !network.is_finite()) {
                return Err(Interruption::Ended(Ending::diverged(self.epoch(step_of(i)), "weights are")));
            }
            let measured = self.measure(&networks[newest], step_of(newest), estimator.as_ref(), &given)?;
            let chosen = if newest == 0 || change(&self.spacing.last, &measured) <= delta {
                vec![newest]
            } else {
                let before = self.spacing.last.clone();
                let measure = &mut |i: usize| self.measure(&networks[i], step_of(i), estimator.as_ref(), &given);
                bisect(&before, &measured, networks.len(), delta, measure)?
            };
            let n_before = self.n_parts;
            for i in chosen {
                self.record_with_samples_gradients(&networks[i], step_of(i))?;
                if self.is_full() {
                    // No checkpoint yet: the training is ahead of what is recorded.
                    self.end_part()?;
                }
            }
            self.spacing.advance(measured, delta, most);
            let is_due = self.n_parts > n_before || self.work() >= PART_WORK;
            if is_due && self.training.step() < last_step {
                self.make_checkpoint()?;
            }
        }
        Ok(())
    }

    fn record_with_samples_gradients(&mut self, network: &Network, step: u64) -> Result<(), Interruption> {
        let kinds = self.identity.record.gradients.clone();
        let over_samples = |kind| (kind, self.training.statistics_over_samples(network, step));
        let gradients: Gradients = kinds.into_iter().map(over_samples).collect();
        self.record(network, step, &gradients)?.map_or(Ok(()), |ending| Err(Interruption::Ended(ending)))
    }

    /// I(X;T), where the estimator has it, and I(T;Y) of every layer of `network`, that of `step`, in bits.
    fn measure(
        &mut self,
        network: &Network,
        step: u64,
        estimator: &dyn Estimator,
        given: &Given,
    ) -> Result<Vec<f64>, Interruption> {
        self.evaluation.run(network, self.setup.looking(self.index, step));
        if !self.evaluation.is_finite() {
            return Err(Interruption::Ended(Ending::diverged(self.epoch(step), "activations are")));
        }
        let mut measured = Vec::new();
        for (l, layer) in network.layers().iter().enumerate() {
            let t = Representation::new(self.evaluation.representation(l), layer.n_units);
            let t = t.map_err(|e| refused(&format!("layer {}: {e}", l + 1)))?;
            let sample = Sample::new(t, given).map_err(|e| refused(&e))?;
            for estimate in estimator.estimate(&sample) {
                let estimate = estimate.map_err(|e| refused(&format!("layer {}: {e}", l + 1)))?;
                measured.extend([estimate.i_xt, Some(estimate.i_ty)].into_iter().flatten().map(Nats::bits));
            }
        }
        Ok(measured)
    }

    /// Writes down what `network`, that of `step`, does; or why there is nothing to write down.
    fn record(&mut self, network: &Network, step: u64, gradients: &Gradients) -> Result<Option<Ending>, StageError> {
        let epoch = self.epoch(step);
        self.evaluation.run(network, self.setup.looking(self.index, step));
        let train = self.setup.fit(&self.evaluation, &self.parts.train).expect("a run trains on at least one sample");
        let test = self.setup.fit(&self.evaluation, &self.parts.test);
        let is_finite = |fit: &Fit| fit.loss.is_finite();
        if !is_finite(&train) || !test.as_ref().is_none_or(is_finite) || !self.evaluation.is_finite() {
            return Ok(Some(Ending::diverged(epoch, "losses or activations are")));
        }
        self.last_fit = Some(train);
        let of = |loss: Loss, fit: Fit| (self.setup.pipeline.training.loss == loss).then_some(fit.loss);
        let fit = EpochRow {
            epoch: epoch as i32,
            step: step as i64,
            loss_train_nats: of(Loss::CrossEntropy, train),
            loss_test_nats: test.and_then(|test| of(Loss::CrossEntropy, test)),
            squared_error_train: of(Loss::SquaredError, train),
            squared_error_test: test.and_then(|test| of(Loss::SquaredError, test)),
            accuracy_train: train.accuracy,
            accuracy_test: test.and_then(|test| test.accuracy),
        };
        let mut open = match self.open.take() {
            Some(open) => open,
            None => OpenPart { part: Part::open(&self.identity, self.n_parts, network)?, raw_bytes: 0, n_snapshots: 0 },
        };
        open.part.write(fit, network, &self.evaluation, gradients)?;
        open.raw_bytes += bytes_of(network, &self.identity);
        open.n_snapshots += 1;
        self.open = Some(open);
        Ok(None)
    }

    fn is_full(&self) -> bool {
        let limit = self.identity.record.part_bytes;
        self.open.as_ref().is_some_and(|open| open.raw_bytes >= limit || open.n_snapshots >= PART_SNAPSHOTS)
    }

    /// Samples × weights computed since the last checkpoint.
    fn work(&self) -> u64 {
        let steps = self.training.step() - self.checkpoint.1;
        let samples = steps * self.parts.train.len() as u64 / self.training.steps_per_epoch();
        samples * n_weights(self.training.network()) as u64
    }

    /// Finishes the part when it is large enough, and notes how to go on unless the run is over.
    fn end_part_if_full(&mut self) -> Result<(), StageError> {
        let is_due = self.is_full() || self.work() >= PART_WORK;
        if is_due && self.training.step() < self.setup.last_step() { self.make_checkpoint() } else { Ok(()) }
    }

    fn make_checkpoint(&mut self) -> Result<(), StageError> {
        self.end_part()?;
        let state = State {
            training: self.training.state(),
            watches: self.watches.clone(),
            spacing: self.spacing.clone(),
            best: self.best.clone(),
            part: self.n_parts,
            number: self.checkpoint.0,
        };
        checkpoint::save(self.identity.root, &self.identity.run, self.identity.key, &self.files, &state)?;
        self.checkpoint = (state.number + 1, self.training.step());
        Ok(())
    }

    fn end_part(&mut self) -> Result<(), StageError> {
        if let Some(open) = self.open.take() {
            self.files.extend(open.part.commit()?);
            self.n_parts += 1;
        }
        Ok(())
    }
}

fn n_weights(network: &Network) -> usize {
    network.layers().iter().map(|layer| layer.n_inputs * layer.n_units + layer.n_units).sum()
}

/// Raw bytes of one record's activations and weights.
fn bytes_of(network: &Network, identity: &Identity<'_>) -> u64 {
    let widths = identity.record.layers.iter().map(|layer| match layer.checked_sub(1) {
        Some(l) => network.layers()[l].n_units * if identity.record.pre_activations { 2 } else { 1 },
        None => network.layers()[0].n_inputs,
    });
    let weights = if identity.record.weights { n_weights(network) } else { 0 };
    ((widths.sum::<usize>() * identity.samples.len() + weights) * size_of::<f32>()) as u64
}

fn adaptive_estimator() -> Result<Box<dyn Estimator>, StageError> {
    let spec = estimators::find("binning").map_err(|e| refused(&e))?;
    let n_bins = ("n_bins".to_owned(), Value::Count(ADAPTIVE_BINS));
    let parameters = Parameters::new(spec.parameters, [n_bins]).map_err(|e| refused(&e))?;
    (spec.build)(&[parameters]).map_err(|e| refused(&e))
}

fn refused(problem: &dyn std::fmt::Display) -> StageError {
    StageError::Refused(format!("adaptive spacing: {problem}"))
}
