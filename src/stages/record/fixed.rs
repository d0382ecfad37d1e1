//! Records a run at given steps.

use super::super::StageError;
use super::ending::Ending;
use super::part::Gradients;
use super::run::Run;
use super::setup::Purpose;
use crate::config::StopOn;
use crate::nn::{GradientKind, Watch};

impl Run<'_> {
    /// Continues the training and records the network after each of `steps`; the first `n_done` are recorded already.
    pub(super) fn record_fixed(&mut self, steps: &[u64], n_done: usize) -> Result<Ending, StageError> {
        for step in &steps[n_done..] {
            let ending = self.train_to(*step, steps)?;
            if matches!(ending, Some(Ending::Failed(_))) {
                return Ok(ending.unwrap_or(Ending::Finished));
            }
            let gradients = self.gradients();
            // The last snapshot of a stopped training is recorded.
            let failure = self.writer.record(self.training.network(), self.training.step(), &gradients)?;
            if let Some(ending) = failure.or(ending) {
                return Ok(ending);
            }
            let is_due = self.writer.is_full() || self.has_worked_enough();
            if is_due && self.training.step() < self.setup.last_step() {
                self.make_checkpoint()?;
            }
        }
        Ok(Ending::Finished)
    }

    /// Continues the training unless it must end. In an epoch whose end will be recorded, gradient statistics are collected.
    fn train_to(&mut self, step: u64, recorded: &[u64]) -> Result<Option<Ending>, StageError> {
        while self.training.step() < step {
            if self.training.is_between_epochs() {
                self.report();
                if self.has_worked_enough() {
                    self.make_checkpoint()?;
                }
                self.watches.clear();
                let end = self.training.step() + self.training.steps_per_epoch();
                if recorded.binary_search(&end).is_ok() {
                    self.watches = self.new_watches().into_iter().map(|(_, watch)| watch).collect();
                }
            }
            self.look_before_update();
            self.training.update(&mut self.watches);
            if self.training.is_between_epochs()
                && let Some(ending) = self.look_after_epoch()
            {
                return Ok(Some(ending));
            }
        }
        self.report();
        Ok(None)
    }

    /// In the first epoch, if requested: the loss of the next batch, whose samples are new, before its update.
    fn look_before_update(&mut self) {
        if !self.setup.networks.record.online_losses || self.training.step() >= self.training.steps_per_epoch() {
            return;
        }
        let output = self.setup.networks.architecture.output;
        self.online.push(self.training.next_loss(output));
    }

    /// Whether the training must end after this epoch.
    fn look_after_epoch(&mut self) -> Option<Ending> {
        let epoch = self.setup.epoch(self.training.step());
        if !self.training.network().is_finite() {
            return Some(Ending::diverged(epoch, "weights are"));
        }
        // While labels are shuffled, the training proper has not begun.
        let n_prefit_epochs = self.setup.networks.training.n_prefit_epochs;
        let stop = self.setup.networks.stop.as_ref().filter(|_| epoch > n_prefit_epochs)?;
        self.writer.evaluate(self.training.network(), self.training.step());
        let fit = match stop.samples {
            StopOn::Train => Some(self.writer.fit_train()),
            StopOn::Test => self.writer.fit_test(),
        };
        self.best.see(stop, fit?.accuracy?, epoch)
    }

    fn new_watches(&self) -> Vec<(GradientKind, Watch)> {
        let mut rng = self.setup.stream(self.writer.index, Purpose::Probe);
        // Every epoch has its own position in the stream of random numbers, so that its probe does not depend on earlier
        // epochs.
        let epoch = self.setup.epoch(self.training.step());
        rng.set_word_pos(u128::from(epoch) << 32);
        let watch = |kind: &GradientKind| Some((*kind, self.training.watch(*kind, &mut rng)?));
        self.setup.networks.record.gradients.iter().filter_map(watch).collect()
    }

    /// The gradient statistics to record now.
    fn gradients(&mut self) -> Gradients {
        let kinds = &self.setup.networks.record.gradients;
        let mut gradients: Gradients = match self.training.step() {
            0 => {
                let watches = self.new_watches();
                watches.into_iter().map(|(kind, watch)| (kind, self.training.statistics_at_rest(watch))).collect()
            }
            // In an epoch after which the training stops, no statistics may have been collected.
            _ if self.training.is_between_epochs() => {
                let watched = kinds.iter().filter(|kind| **kind != GradientKind::Samples).zip(&self.watches);
                watched.map(|(kind, watch)| (*kind, self.training.statistics(watch))).collect()
            }
            _ => Vec::new(),
        };
        if kinds.contains(&GradientKind::Samples) {
            gradients.push((GradientKind::Samples, self.training.statistics_over_samples()));
        }
        gradients
    }
}
