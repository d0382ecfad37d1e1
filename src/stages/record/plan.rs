//! The state of a recording, without changing anything.

use super::super::StageError;
use super::budget::Size;
use super::place::{Existing, expect_room, has_something, is_replacing};
use super::setup::Setup;
use super::{data_path, is_whole, pending, settings};
use crate::config::{Data, Networks, RecordedSamples};
use crate::nn::LARGE;
use crate::store::{Experiment, Facts, Pending, RunId, read_samples};

/// The state of the recording of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingProgress {
    /// Every run is recorded.
    Whole,
    /// This number of runs is recorded.
    Begun(usize),
    /// No run is recorded.
    Nothing,
}

/// The state of the recording of `pipeline`.
///
/// # Errors
/// Another recording is in the folder, or a file cannot be read.
pub fn plan(networks: &Networks, experiment: &Experiment, existing: Existing) -> Result<RecordingProgress, StageError> {
    let root = experiment.recording();
    if !root.exists() && !is_replacing(experiment) {
        return Ok(RecordingProgress::Nothing);
    }
    if !networks.data.path().exists() {
        // The state is read from the recorded files, so the data are not needed.
        let n = (0..networks.n_runs).filter(|run| has_manifest(experiment, *run)).count();
        return Ok(if n == 0 { RecordingProgress::Nothing } else { RecordingProgress::Begun(n) });
    }
    let settings = settings(networks, &data_path(&networks.data)?)?;
    if is_whole(&pending(&root, networks.n_runs, &settings), &root, networks.n_runs)? && !is_replacing(experiment) {
        return Ok(RecordingProgress::Whole);
    }
    let is_in_the_way = expect_room(experiment, &Pending::new(&root, "settings", &settings), networks.n_runs);
    match (is_in_the_way, existing) {
        (Err(_), Existing::Overwrite) => Ok(RecordingProgress::Nothing),
        (Err(e), Existing::Keep) => Err(e),
        (Ok(()), _) if !has_something(&root) => Ok(RecordingProgress::Nothing),
        (Ok(()), _) => {
            Ok(RecordingProgress::Begun((0..networks.n_runs).filter(|run| has_manifest(experiment, *run)).count()))
        }
    }
}

/// Makes sure that the data exist and that network, split and snapshots fit them.
///
/// # Errors
/// The data do not exist, or something does not fit them.
pub fn expect_fit(networks: &Networks) -> Result<(), StageError> {
    let path = data_path(&networks.data)?;
    Setup::new(networks, &read_samples(&path)?, &path).map(drop)
}

/// Whether one network of the pipeline uses all cores, or one run per core does not fit into memory. This is an approximation
/// without the output layer, whose width depends on the data. It does not depend on the number of runs, because one experiment
/// per core would train at the same time and share the memory.
pub fn is_large(networks: &Networks) -> bool {
    let facts = data_path(&networks.data).ok().and_then(|path| Facts::of(&path).ok());
    let (n_inputs, n_samples) = facts.map_or((0, 0), |facts| (facts.width.unwrap_or(0), facts.rows as usize));
    let hidden = networks.architecture.hidden.iter().map(|layer| layer.n_units);
    let widths: Vec<usize> = [n_inputs].into_iter().chain(hidden).collect();
    let n_parameters = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let n_recorded = match networks.record.samples {
        RecordedSamples::Subset(wanted) => wanted,
        _ => n_samples,
    };
    let size = Size { n_inputs, n_outputs: 0, n_samples, n_recorded, n_parameters };
    n_parameters >= LARGE || size.n_at_once(networks) < rayon::current_num_threads()
}

/// Whether the data are a data set that has not been made yet.
pub fn is_to_be_made(data: &Data) -> bool {
    matches!(data, Data::Named(named) if !named.path().exists())
}

fn has_manifest(experiment: &Experiment, run: usize) -> bool {
    experiment.recording().join(format!(".meta/runs/{}.json", RunId::new(run))).exists()
}
