//! Checkpoints of runs that are written in parts: the finished parts, and the state of the training after them.
//!
//! The state is in a separate file. The manifest, which is renamed into place last, names this file and the parts.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::StageError;
use super::adaptive::Spacing;
use super::ending::Best;
use crate::nn::{TrainingState, Watch};
use crate::store::{FileRecord, Pending, RunId, hash_file, read_bytes, remove_below, remove_notes, write_bytes};

/// Increased whenever [`Checkpoint`] changes.
const FORMAT: u32 = 3;

/// Everything that the rest of a run depends on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) training: TrainingState,
    pub(super) watches: Vec<Watch>,
    pub(super) spacing: Spacing,
    pub(super) best: Best,
    pub(super) online: Vec<(usize, f64)>,
    /// Number of the next part.
    pub(super) part: usize,
    /// Number of this checkpoint. Its file must not replace the file of the previous checkpoint, which is still in use.
    pub(super) number: usize,
}

const FOLDER: &str = ".meta/checkpoints";

/// The state is stored without names, so another version of the program would misread it.
fn pending(root: &Path, run: &RunId, key: &str) -> Pending {
    let made_from = json!({ "run": key, "program": env!("CARGO_PKG_VERSION"), "format": FORMAT });
    Pending::new(root, &format!("checkpoints/{run}"), &made_from)
}

fn state_file(run: &RunId, number: usize) -> String {
    format!("{FOLDER}/{run}-{number:05}.state")
}

/// Records that `files` are finished and that the run continues from `state`.
pub(super) fn save(
    root: &Path,
    run: &RunId,
    key: &str,
    files: &[FileRecord],
    state: &Checkpoint,
) -> Result<(), StageError> {
    let content = postcard::to_allocvec(state)
        .map_err(|e| StageError::Refused(format!("cannot save the state of the training: {e}")))?;
    let kept = write_bytes(root, &state_file(run, state.number), &content)?;
    pending(root, run, key).finish(files.iter().cloned().chain([kept]).collect())?;
    if let Some(before) = state.number.checked_sub(1) {
        remove_below(root, &state_file(run, before))?;
    }
    Ok(())
}

/// The finished parts and the state after them. `None` if the run must start again: there is no checkpoint with these settings,
/// or the checkpoint or a part does not match its hash.
pub(super) fn load(root: &Path, run: &RunId, key: &str) -> Result<Option<(Vec<FileRecord>, Checkpoint)>, StageError> {
    let pending = pending(root, run, key);
    if !matches!(pending.existing(), Ok(None)) {
        match read(root, &pending) {
            Ok(found) => return Ok(Some(found)),
            Err(why) => tracing::warn!("{run} starts again from the beginning: {why}"),
        }
    }
    Ok(None)
}

fn read(root: &Path, pending: &Pending) -> Result<(Vec<FileRecord>, Checkpoint), String> {
    let manifest = pending.finished().map_err(|e| e.to_string())?;
    let manifest = manifest.ok_or("its checkpoint has other settings or another version, or a file is missing")?;
    for file in &manifest.files {
        if hash_file(&root.join(&file.path)).map_err(|e| e.to_string())? != file.blake3 {
            return Err(format!("{} is not what was written", file.path));
        }
    }
    let (states, files): (Vec<_>, Vec<_>) = manifest.files.into_iter().partition(|file| file.path.ends_with(".state"));
    let kept = states.first().ok_or("its checkpoint names no state")?;
    let content = read_bytes(&root.join(&kept.path)).map_err(|e| e.to_string())?;
    let state: Checkpoint = postcard::from_bytes(&content).map_err(|e| format!("{}: {e}", kept.path))?;
    // The next numbers continue from these.
    if u32::try_from(state.part.max(state.number)).is_err() {
        return Err(format!("{}: it has more parts than a run can have", kept.path));
    }
    Ok((files, state))
}

/// Removes the checkpoints of all runs, which are completely recorded.
pub(super) fn discard_all(root: &Path) -> Result<(), StageError> {
    Ok(remove_notes(root, FOLDER)?)
}
