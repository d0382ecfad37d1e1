//! Where the networks of a pipeline come from: trained as its tables say, or recorded by another program.

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
    /// Seed of everything random; run r draws from streams of its own.
    pub seed: u64,
    /// Number of networks to train.
    pub n_runs: usize,
    /// Which samples.
    pub data: Data,
    /// Share of the samples that train the network.
    pub train_fraction: f64,
    /// How samples are chosen for training.
    pub split: Split,
    /// Runs with the same pairs, where samples are chosen from pairs; `None`: all of them.
    pub masks: Option<usize>,
    /// Which labels the samples have.
    pub labels: Labelling,
    /// The network, but for the widths that the data give.
    pub architecture: Architecture,
    /// Loss, optimiser, batches, epochs.
    pub training: TrainingSettings,
    /// When training ends before its last epoch.
    pub stop: Option<Stop>,
    /// What to record.
    pub record: Record,
}

/// Where the networks of a pipeline come from.
#[derive(Debug)]
pub enum Origin {
    /// They are trained and recorded.
    Trained(Box<Networks>),
    /// Their recording lies in this folder of an experiment.
    Recorded(PathBuf),
}

impl Networks {
    /// Everything that one run's recording depends on, besides the data and the run's number: what a manifest is keyed by.
    pub fn run_settings(&self) -> serde_json::Value {
        let mut settings = serde_json::Map::new();
        settings.insert("seed".to_owned(), json!(self.seed));
        settings.insert("train_fraction".to_owned(), json!(self.train_fraction));
        settings.insert("split".to_owned(), json!(self.split.name()));
        if let Some(masks) = self.masks {
            settings.insert("masks".to_owned(), json!(masks));
        }
        // Recordings of earlier versions had no choice, and keep their keys.
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
    /// The last one, whether it is recorded or not.
    pub(super) output: LayerId,
    /// Those above the input that claims can be about, ascending.
    pub(super) there: Vec<LayerId>,
    pub(super) names: LayerNames,
}

impl Layers {
    /// The layers of networks that are trained, up to `output`.
    pub(super) fn of_trained(output: LayerId) -> Self {
        let there = LayerId::above_input().take_while(|layer| *layer <= output).collect();
        Self { output, there, names: LayerNames::default() }
    }

    /// The layers of the recording in the folder of an experiment, and what is known of their values.
    pub(super) fn of_recording(folder: &Path) -> Result<(Self, ValueBounds), String> {
        let experiment = Experiment::new(folder);
        if !experiment.recording().is_dir() {
            let folder = folder.display();
            return Err(format!(
                "`recording`: there is no recording in {folder}; paths count from where `infoplane` is called"
            ));
        }
        let read = || {
            let recording = Recording::open(&experiment)?;
            let names = LayerNames::read(&experiment, &recording)?;
            let mut there = recording.layers(Values::Activations)?;
            there.retain(|layer| *layer > LayerId::INPUT);
            let output = there.last().copied().max(names.output()).unwrap_or(LayerId::INPUT);
            let claim = Manifest::read(&experiment.recording().join(".meta/settings.json"))?;
            let bounds = claim.map_or(ValueBounds::Unknown, |claim| recorded_bounds(&claim.made_from["run"]));
            Ok((Self { output, there, names }, bounds))
        };
        read().map_err(|e: StoreError| format!("`recording`: {e}"))
    }
}
