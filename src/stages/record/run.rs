//! One run: trains a network, records it at the snapshots of a schedule, and writes checkpoints.

use std::path::Path;

use super::super::{Progress, StageError};
use super::adaptive::Spacing;
use super::checkpoint::{self, Checkpoint};
use super::ending::{Best, Ending};
use super::setup::{Purpose, Setup, TrainTest};
use super::writer::Writer;
use crate::config::When;
use crate::nn::{Streams, Training, Watch};
use crate::store::FileRecord;
use crate::store::schema::{OnlineLossRow, SplitRow};

/// A checkpoint is also made after this amount of computation since the last one, in samples × weights: a few minutes, so that
/// an interrupted run of a large network loses no more. (Counted, not timed, so that it is equal on every machine.)
const PART_WORK: u64 = 1_000_000_000_000;

/// A run being recorded.
pub(super) struct Run<'a> {
    pub(super) setup: &'a Setup<'a>,
    pub(super) writer: Writer<'a>,
    pub(super) training: Training<'a>,
    pub(super) watches: Vec<Watch>,
    pub(super) spacing: Spacing,
    pub(super) best: Best,
    /// The loss of each batch before its update in the first epoch, if these losses are recorded.
    pub(super) online: Vec<(usize, f64)>,
    /// Number of the next checkpoint, and the step of the last one.
    checkpoint: (usize, u64),
    /// Steps shown by the progress bar.
    reported: u64,
    progress: &'a dyn Progress,
}

/// Records run `index` from its beginning or its checkpoint; returns its files.
pub(super) fn record_run(
    setup: &Setup<'_>,
    root: &Path,
    index: usize,
    key: &str,
    progress: &dyn Progress,
) -> Result<Vec<FileRecord>, StageError> {
    let network = setup.network(index)?;
    let writer = Writer::new(setup, root, index, key, &network);
    let streams = Streams {
        batches: setup.stream(index, Purpose::Batches),
        draws: setup.stream(index, Purpose::Draws),
        labels: setup.stream(index, Purpose::PrefitLabels),
    };
    let settings = setup.networks.training;
    let training = Training::new(network, setup.samples(), writer.samples.train.clone(), settings, streams);
    let mut run = Run {
        setup,
        writer,
        training,
        watches: Vec::new(),
        spacing: Spacing::new(),
        best: Best::from(settings.n_prefit_epochs),
        online: Vec::new(),
        checkpoint: (0, 0),
        reported: 0,
        progress,
    };
    let is_resumed = run.resume()?;
    if !is_resumed {
        run.write_splits()?;
    }
    let ending = match &setup.networks.record.when {
        When::Fixed { .. } => {
            let steps = setup.steps.as_deref().unwrap_or_default();
            // A checkpoint is made after its step is recorded, never between the step and its recording.
            let n_done = if is_resumed { steps.partition_point(|step| *step <= run.training.step()) } else { 0 };
            run.record_fixed(steps, n_done)?
        }
        When::Adaptive { delta_bits, method } => run.record_adaptive(*delta_bits, *method)?,
    };
    run.writer.end_part()?;
    run.progress.advance(setup.last_step() - run.reported);
    run.write_online_losses()?;
    run.write_ending(ending)?;
    tracing::debug!(run = %run.writer.identity.run, files = run.writer.files.len(), "recorded");
    Ok(run.writer.files)
}

impl Run<'_> {
    /// Continues from the checkpoint, if there is one.
    fn resume(&mut self) -> Result<bool, StageError> {
        let identity = &self.writer.identity;
        let Some((files, state)) = checkpoint::load(identity.root, &identity.run, identity.key)? else {
            return Ok(false);
        };
        if !self.training.resume(state.training, &state.watches) {
            tracing::warn!("{} starts again from the beginning: its checkpoint is of another training", identity.run);
            return Ok(false);
        }
        (self.writer.files, self.writer.n_parts) = (files, state.part);
        (self.watches, self.spacing, self.best) = (state.watches, state.spacing, state.best);
        self.online = state.online;
        self.checkpoint = (state.number + 1, self.training.step());
        self.report();
        Ok(true)
    }

    /// Moves the progress bar to the present step.
    pub(super) fn report(&mut self) {
        self.progress.advance(self.training.step() - self.reported);
        self.reported = self.training.step();
    }

    fn write_splits(&mut self) -> Result<(), StageError> {
        let TrainTest { train, test, n_pairs } = &self.writer.samples;
        let row = |sample| SplitRow { sample, split: "test".to_owned(), pair: None };
        let mut rows: Vec<SplitRow> = (0..self.setup.n_samples() as i32).map(row).collect();
        train.iter().for_each(|sample| "train".clone_into(&mut rows[*sample].split));
        for (pair, (first, second)) in train.iter().zip(test).take(*n_pairs).enumerate() {
            rows[*first].pair = Some(pair as i32);
            rows[*second].pair = Some(pair as i32);
        }
        self.writer.write_table(&rows)
    }

    fn write_online_losses(&mut self) -> Result<(), StageError> {
        if self.online.is_empty() {
            return Ok(());
        }
        let row = |(step, (n_samples, loss_nats)): (usize, &(usize, f64))| OnlineLossRow {
            step: step as i64,
            n_samples: *n_samples as i32,
            loss_nats: *loss_nats,
        };
        let rows: Vec<OnlineLossRow> = self.online.iter().enumerate().map(row).collect();
        self.writer.write_table(&rows)
    }

    fn write_ending(&mut self, ending: Ending) -> Result<(), StageError> {
        let (loss, step) = (self.setup.networks.training.loss, self.training.step());
        let row = ending.row(self.setup.epoch(step), step, loss, self.writer.last_fit);
        self.writer.write_table(&[row])
    }

    /// Whether the next checkpoint is due.
    pub(super) fn has_worked_enough(&self) -> bool {
        let steps = self.training.step() - self.checkpoint.1;
        let samples = steps * self.writer.samples.train.len() as u64 / self.training.steps_per_epoch();
        samples * self.training.network().n_weights() as u64 >= PART_WORK
    }

    /// Finishes the open part and writes a checkpoint.
    pub(super) fn make_checkpoint(&mut self) -> Result<(), StageError> {
        self.writer.end_part()?;
        let state = Checkpoint {
            training: self.training.state(),
            watches: self.watches.clone(),
            spacing: self.spacing.clone(),
            best: self.best.clone(),
            online: self.online.clone(),
            part: self.writer.n_parts,
            number: self.checkpoint.0,
        };
        let identity = &self.writer.identity;
        checkpoint::save(identity.root, &identity.run, identity.key, &self.writer.files, &state)?;
        self.checkpoint = (state.number + 1, self.training.step());
        Ok(())
    }
}
