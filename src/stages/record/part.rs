//! The open files of one part of a run: all tables are split at the same snapshots.

use std::path::Path;
use std::sync::Arc;

use super::super::StageError;
use crate::config::{Record, RecordedSamples};
use crate::estimate_id::Values;
use crate::layer_id::LayerId;
use crate::nn::{Evaluation, GradientKind, GradientStatistics, Network};
use crate::store::schema::{EpochRow, GradientRow, LayerRow, WeightRow};
use crate::store::{ActivationWriter, Experiment, FileRecord, Footer, RowWriter, RunId, Shape, Zeros};
use crate::suggest::Named;

/// Gradient statistics of every layer, by kind.
pub(super) type Gradients = Vec<(GradientKind, Vec<GradientStatistics>)>;

/// The run and settings of a part.
#[derive(Debug)]
pub(super) struct Identity<'a> {
    pub(super) root: &'a Path,
    pub(super) run: RunId,
    /// Hash of everything that the run depends on.
    pub(super) key: &'a str,
    pub(super) record: &'a Record,
    pub(super) layers: Vec<LayerRow>,
    pub(super) samples: Arc<[i32]>,
}

/// The files of one part while they are written.
#[derive(Debug)]
pub(super) struct PartFiles {
    /// Layer and its file.
    activations: Vec<(LayerId, ActivationWriter)>,
    pre_activations: Vec<(LayerId, ActivationWriter)>,
    weights: Vec<RowWriter<WeightRow>>,
    gradients: Option<RowWriter<GradientRow>>,
    epochs: Option<RowWriter<EpochRow>>,
}

impl Identity<'_> {
    pub(super) fn footer(&self, layer: Option<LayerId>) -> Footer {
        let mut footer = Footer::from([
            ("infoplane.config_hash".to_owned(), self.key.to_owned()),
            ("infoplane.run".to_owned(), self.run.to_string()),
        ]);
        footer.extend(layer.map(|layer| ("infoplane.layer".to_owned(), layer.to_string())));
        footer
    }

    /// Raw bytes of one snapshot's activations and weights.
    pub(super) fn snapshot_bytes(&self, network: &Network) -> u64 {
        let has_both = |layer: LayerId| self.record.pre_activations && layer > LayerId::INPUT;
        let n_values = |layer: &LayerId| network.n_units(*layer) * if has_both(*layer) { 2 } else { 1 };
        let n_weights = if self.record.weights { network.n_weights() } else { 0 };
        ((self.record.layers.iter().map(n_values).sum::<usize>() * self.samples.len() + n_weights) * size_of::<f32>())
            as u64
    }
}

impl PartFiles {
    /// Opens the files of part `part`.
    pub(super) fn open(identity: &Identity<'_>, part: usize, network: &Network) -> Result<Self, StageError> {
        let Identity { root, record, .. } = *identity;
        let path = |table: &str, layer| Experiment::part(table, layer, &identity.run, part);
        let values_of = |values: Values, layer: LayerId| {
            let mut footer = identity.footer(Some(layer));
            footer.insert("infoplane.samples".to_owned(), samples_entry(record.samples).to_owned());
            footer.extend(identity.layers.iter().filter(|row| row.layer == layer).flat_map(LayerRow::footer));
            let file = path(values.table(), Some(layer));
            let samples = Arc::clone(&identity.samples);
            let shape = Shape { values, precision: record.precision, zeros: zeros(values, layer, network) };
            let writer = ActivationWriter::create(root, &file, shape, samples, network.n_units(layer), &footer);
            writer.map(|writer| (layer, writer))
        };
        let activations = record.layers.iter().map(|layer| values_of(Values::Activations, *layer));
        let hidden = record.layers.iter().filter(|layer| record.pre_activations && **layer > LayerId::INPUT);
        let pre_activations = hidden.map(|layer| values_of(Values::PreActivations, *layer));
        let mut weights = Vec::new();
        for (layer, dense) in LayerId::above_input().zip(network.layers()).filter(|_| record.weights) {
            let mut footer = identity.footer(Some(layer));
            footer.insert("infoplane.kernel_shape".to_owned(), format!("[{}, {}]", dense.n_units, dense.n_inputs));
            let shape = [weight_row(0, 0, network, layer)];
            weights.push(RowWriter::create(root, &path("weights", Some(layer)), &shape, &footer)?);
        }
        let has_gradients = !record.gradients.is_empty();
        let gradients =
            has_gradients.then(|| RowWriter::create(root, &path("gradients", None), &[], &identity.footer(None)));
        let epochs = record.losses.then(|| RowWriter::create(root, &path("epochs", None), &[], &identity.footer(None)));
        Ok(Self {
            activations: activations.collect::<Result<_, _>>()?,
            pre_activations: pre_activations.collect::<Result<_, _>>()?,
            weights,
            gradients: gradients.transpose()?,
            epochs: epochs.transpose()?,
        })
    }

    /// Appends the activations of `network` from `evaluation`, and its `fit`.
    pub(super) fn write(
        &mut self,
        fit: EpochRow,
        network: &Network,
        evaluation: &Evaluation<'_>,
        gradients: &Gradients,
    ) -> Result<(), StageError> {
        let (epoch, step) = (fit.epoch, fit.step);
        for (layer, writer) in &mut self.activations {
            writer.write(epoch, step, &evaluation.representation(*layer))?;
        }
        for (layer, writer) in &mut self.pre_activations {
            writer.write(epoch, step, evaluation.pre_activation(*layer))?;
        }
        for (layer, writer) in LayerId::above_input().zip(&mut self.weights) {
            writer.append(&[weight_row(epoch, step, network, layer)])?;
        }
        if let Some(writer) = &mut self.gradients {
            for (kind, statistics) in gradients {
                let row = |(layer, s): (LayerId, &GradientStatistics)| GradientRow {
                    epoch,
                    step,
                    layer,
                    gradients_over: Some(kind.name().to_owned()),
                    gradient_mean_norm: s.mean_norm,
                    gradient_std_norm: s.std_norm,
                    weight_norm: s.weight_norm,
                };
                writer.append(&LayerId::above_input().zip(statistics).map(row).collect::<Vec<_>>())?;
            }
        }
        if let Some(writer) = &mut self.epochs {
            writer.append(&[fit])?;
        }
        Ok(())
    }

    /// Puts all files in place.
    pub(super) fn commit(self) -> Result<Vec<FileRecord>, StageError> {
        let mut files = Vec::new();
        for (_, writer) in self.activations.into_iter().chain(self.pre_activations) {
            files.push(writer.commit()?);
        }
        for writer in self.weights {
            files.push(writer.commit()?);
        }
        files.extend(self.gradients.map(RowWriter::commit).transpose()?);
        files.extend(self.epochs.map(RowWriter::commit).transpose()?);
        Ok(files)
    }
}

/// Inputs are often sparse (bits, pixels), and hidden layers of ReLU are.
fn zeros(values: Values, layer: LayerId, network: &Network) -> Zeros {
    let is_sparse = layer == LayerId::INPUT || (values == Values::Activations && network.layer(layer).is_often_zero());
    if is_sparse { Zeros::Many } else { Zeros::Few }
}

/// The footer entry for the recorded samples.
fn samples_entry(samples: RecordedSamples) -> &'static str {
    match samples {
        RecordedSamples::All => "all",
        RecordedSamples::Train => "train",
        RecordedSamples::Test => "test",
        RecordedSamples::Subset(_) => "subset",
    }
}

fn weight_row(epoch: i32, step: i64, network: &Network, layer: LayerId) -> WeightRow {
    let kernel = network.kernel(layer).iter().copied().collect();
    let operations = Some(network.held_by_operations(layer)).filter(|held| !held.is_empty());
    WeightRow { epoch, step, kernel, bias: network.bias(layer).to_vec(), operations }
}
