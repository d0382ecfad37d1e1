//! Writes the activations of a network at each recorded snapshot of one run, part after part.

use std::path::Path;

use super::super::StageError;
use super::ending::Ending;
use super::layers::layers;
use super::part::{Gradients, Identity, PartFiles};
use super::setup::{Setup, TrainTest};
use crate::layer_id::LayerId;
use crate::nn::{Evaluation, Fit, Loss, Network, PreActivations};
use crate::store::schema::{EpochRow, Row};
use crate::store::{Experiment, FileRecord, RunId, write_rows};

/// Every snapshot of every layer is an entry in the footer of the open part, which is in memory.
const PART_SNAPSHOTS: usize = 2048;

/// The files of a run, and the evaluation that fills them.
pub(super) struct Writer<'a> {
    pub(super) setup: &'a Setup<'a>,
    pub(super) identity: Identity<'a>,
    pub(super) index: usize,
    pub(super) samples: TrainTest,
    pub(super) evaluation: Evaluation<'a>,
    /// The fit of the last recorded network on the training samples.
    pub(super) last_fit: Option<Fit>,
    /// The finished files.
    pub(super) files: Vec<FileRecord>,
    open: Option<OpenPart>,
    pub(super) n_parts: usize,
}

struct OpenPart {
    files: PartFiles,
    raw_bytes: u64,
    n_snapshots: usize,
}

impl<'a> Writer<'a> {
    /// A writer for run `index` of a recording in `root`, with networks of the shape of `network`; `key` is the hash of
    /// everything that the run depends on.
    pub(super) fn new(setup: &'a Setup<'a>, root: &'a Path, index: usize, key: &'a str, network: &Network) -> Self {
        let record = &setup.networks.record;
        let samples = setup.split(index);
        let kept = if record.pre_activations { PreActivations::Kept } else { PreActivations::Dropped };
        let evaluation = Evaluation::new(network, setup.samples(), setup.recorded(&samples), kept);
        let recorded = evaluation.chosen().iter().map(|sample| *sample as i32).collect();
        let layers = layers(&setup.networks.architecture);
        let identity = Identity { root, run: RunId::new(index), key, record, layers, samples: recorded };
        Self { setup, identity, index, samples, evaluation, last_fit: None, files: Vec::new(), open: None, n_parts: 0 }
    }

    /// Writes a whole table of the run.
    pub(super) fn write_table<R: Row>(&mut self, rows: &[R]) -> Result<(), StageError> {
        let path = Experiment::part(R::TABLE, None, &self.identity.run, 0);
        self.files.push(write_rows(self.identity.root, &path, rows, &self.identity.footer(None))?);
        Ok(())
    }

    /// Evaluates `network` at `step` on all samples.
    pub(super) fn evaluate(&mut self, network: &Network, step: u64) {
        self.evaluation.run(network, self.setup.looking(self.index, step));
    }

    /// The fit of the evaluated network on the training samples.
    pub(super) fn fit_train(&self) -> Fit {
        self.setup.fit(&self.evaluation, &self.samples.train).expect("a run trains on at least one sample")
    }

    /// The fit of the evaluated network on the test samples; `None` without test samples.
    pub(super) fn fit_test(&self) -> Option<Fit> {
        self.setup.fit(&self.evaluation, &self.samples.test)
    }

    /// Records `network` at `step`; returns the reason if its numbers are not finite, or too large for the file.
    pub(super) fn record(
        &mut self,
        network: &Network,
        step: u64,
        gradients: &Gradients,
    ) -> Result<Option<Ending>, StageError> {
        let epoch = self.setup.epoch(step);
        self.evaluate(network, step);
        let (train, test) = (self.fit_train(), self.fit_test());
        let is_finite = |fit: &Fit| fit.loss.is_finite();
        if !is_finite(&train) || !test.as_ref().is_none_or(is_finite) || !self.evaluation.is_finite() {
            return Ok(Some(Ending::diverged(epoch, "losses or activations are")));
        }
        if let Some(overflow) = self.overflow() {
            return Ok(Some(Ending::Failed(format!("at epoch {epoch} {overflow}"))));
        }
        self.last_fit = Some(train);
        let value = |loss: Loss, fit: Fit| (self.setup.networks.training.loss == loss).then_some(fit.loss);
        let row = EpochRow {
            epoch: epoch as i32,
            step: step as i64,
            loss_train_nats: value(Loss::CrossEntropy, train),
            loss_test_nats: test.and_then(|test| value(Loss::CrossEntropy, test)),
            squared_error_train: value(Loss::SquaredError, train),
            squared_error_test: test.and_then(|test| value(Loss::SquaredError, test)),
            accuracy_train: train.accuracy,
            accuracy_test: test.and_then(|test| test.accuracy),
        };
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                let files = PartFiles::open(&self.identity, self.n_parts, network)?;
                OpenPart { files, raw_bytes: 0, n_snapshots: 0 }
            }
        };
        open.files.write(row, network, &self.evaluation, gradients)?;
        open.raw_bytes += self.identity.snapshot_bytes(network);
        open.n_snapshots += 1;
        self.open = Some(open);
        Ok(None)
    }

    /// Which values of the evaluated network are too large for the precision of the file.
    fn overflow(&self) -> Option<String> {
        let record = self.identity.record;
        let sentence = |what: &str, layer: LayerId, value: f32| {
            let remedy = "record with `precision = \"f32\"`, or lower `learning_rate`";
            format!("{what} of layer {layer} reach {value}, beyond the largest f16, 65504; {remedy}")
        };
        record.layers.iter().find_map(|layer| {
            let t = record.precision.overflow(&self.evaluation.representation(*layer));
            let has_z = record.pre_activations && *layer > LayerId::INPUT;
            let z = if has_z { self.evaluation.pre_activation(*layer) } else { &[] };
            let of_z = || record.precision.overflow(z).map(|value| sentence("pre-activations", *layer, value));
            t.map(|value| sentence("activations", *layer, value)).or_else(of_z)
        })
    }

    /// Whether the open part is as large as parts may be.
    pub(super) fn is_full(&self) -> bool {
        let limit = self.identity.record.part_bytes;
        self.open.as_ref().is_some_and(|open| open.raw_bytes >= limit || open.n_snapshots >= PART_SNAPSHOTS)
    }

    /// Puts the files of the open part in place.
    pub(super) fn end_part(&mut self) -> Result<(), StageError> {
        if let Some(open) = self.open.take() {
            self.files.extend(open.files.commit()?);
            self.n_parts += 1;
        }
        Ok(())
    }
}
