//! The networks of a pipeline: trained with its settings, or recorded by another program.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::data::{Data, Labelling, Split};
use super::record::Record;
use super::stop::Stop;
use super::{network, recorded_bounds, training};
use crate::estimate_id::Values;
use crate::estimators::ValueBounds;
use crate::layer_id::LayerId;
use crate::nn::{Architecture, TrainingSettings};
use crate::store::{Experiment, LayerNames, Manifest, Recording, StoreError};
use crate::suggest::Named;

/// The networks to train, on which data, and what to record.
#[derive(Debug)]
pub struct Networks {
    /// Seed of all random numbers; each run has separate streams of random numbers.
    pub seed: u64,
    /// Number of networks to train.
    pub n_runs: usize,
    /// The samples.
    pub data: Data,
    /// Fraction of the samples that train the networks.
    pub train_fraction: f64,
    /// How samples are chosen for training.
    pub split: Split,
    /// Number of runs that share the same pairs, for [`Split::Membership`]; `None`: all runs.
    pub masks: Option<usize>,
    /// The labels of the samples.
    pub labels: Labelling,
    /// The network, without the widths that follow from the data.
    pub architecture: Architecture,
    /// Loss, optimiser, batches, epochs.
    pub training: TrainingSettings,
    /// When training ends before its last epoch.
    pub stop: Option<Stop>,
    /// What to record.
    pub record: Record,
}

/// The origin of the networks of a pipeline.
#[derive(Debug)]
pub enum Origin {
    /// They are trained and recorded.
    Trained(Box<Networks>),
    /// They are recorded in this folder of an experiment.
    Recorded(PathBuf),
}

impl Networks {
    /// Everything that the recording of a run depends on, except the data and the number of the run: the key of a manifest.
    pub fn run_settings(&self) -> serde_json::Value {
        let mut settings = serde_json::Map::new();
        settings.insert("seed".to_owned(), json!(self.seed));
        settings.insert("train_fraction".to_owned(), json!(self.train_fraction));
        settings.insert("split".to_owned(), json!(self.split.name()));
        if let Some(masks) = self.masks {
            settings.insert("masks".to_owned(), json!(masks));
        }
        // Earlier versions had no such setting; their manifests stay valid.
        if self.labels != Labelling::Given {
            settings.insert("labels".to_owned(), json!(self.labels.name()));
        }
        settings.extend(network::settings(&self.architecture));
        settings.extend(training::settings(&self.training, self.stop.as_ref()));
        settings.insert("record".to_owned(), self.record.settings());
        settings.into()
    }
}

/// The layers of networks, for claims about them.
pub(super) struct Layers {
    /// The last layer, recorded or not.
    pub(super) output: LayerId,
    /// The layers above the input that claims can be about, ascending.
    pub(super) available: Vec<LayerId>,
    pub(super) names: LayerNames,
}

impl Layers {
    /// The layers of trained networks, up to `output`.
    pub(super) fn of_trained(output: LayerId) -> Self {
        let available = LayerId::above_input().take_while(|layer| *layer <= output).collect();
        Self { output, available, names: LayerNames::default() }
    }

    /// The layers of the recording in the folder of an experiment, and the known bounds of their values.
    pub(super) fn of_recording(folder: &Path) -> Result<(Self, ValueBounds), String> {
        let experiment = Experiment::new(folder);
        if !experiment.recording().is_dir() {
            let folder = folder.display();
            return Err(format!(
                "`recording`: there is no recording in {folder}; a relative path starts at the working directory"
            ));
        }
        let read = || {
            let recording = Recording::open(&experiment)?;
            let names = LayerNames::read(&experiment, &recording)?;
            let mut available = recording.layers(Values::Activations)?;
            available.retain(|layer| *layer > LayerId::INPUT);
            let output = available.last().copied().max(names.output()).unwrap_or(LayerId::INPUT);
            let claim = Manifest::read(&experiment.recording().join(".meta/settings.json"))?;
            let bounds = claim.map_or(ValueBounds::Unknown, |claim| recorded_bounds(&claim.made_from["run"]));
            Ok((Self { output, available, names }, bounds))
        };
        read().map_err(|e: StoreError| format!("`recording`: {e}"))
    }
}
