//! Where a run that is cut into parts goes on: the parts that are finished, and the state of the training after them.
//!
//! The state lies in a file of its own; the manifest beside it, renamed into place last, names that file and the parts.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::StageError;
use super::adaptive::Spacing;
use crate::nn::{TrainingState, Watch};
use crate::store::{FileRecord, Pending, RunId, hash_file, read_bytes, remove_file, sorted_entries, write_bytes};

/// All that the rest of a run depends on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) training: TrainingState,
    pub(super) watches: Vec<Watch>,
    pub(super) spacing: Spacing,
    /// Number of the next part.
    pub(super) part: usize,
}

fn pending(root: &Path, run: &RunId, key: &str) -> Pending {
    Pending::new(root, &format!("checkpoints/{run}"), &json!({ "run": key }))
}

fn state_file(run: &RunId, part: usize) -> String {
    format!(".meta/checkpoints/{run}-{part:05}.state")
}

/// Notes that `files` are finished and that the run goes on from `state`.
pub(super) fn save(root: &Path, run: &RunId, key: &str, files: &[FileRecord], state: &State) -> Result<(), StageError> {
    let content =
        postcard::to_allocvec(state).map_err(|e| StageError::Refused(format!("cannot keep the state: {e}")))?;
    let kept = write_bytes(root, &state_file(run, state.part), &content)?;
    pending(root, run, key).finish(files.iter().cloned().chain([kept]).collect())?;
    if let Some(before) = state.part.checked_sub(1) {
        remove_file(&root.join(state_file(run, before)))?;
    }
    Ok(())
}

/// The finished parts and the state after them; `None` where the run must begin anew: there is no checkpoint of these
/// settings, or it or a part is not what was written.
pub(super) fn load(root: &Path, run: &RunId, key: &str) -> Result<Option<(Vec<FileRecord>, State)>, StageError> {
    let Ok(Some(manifest)) = pending(root, run, key).finished() else { return Ok(None) };
    for file in &manifest.files {
        if hash_file(&root.join(&file.path))? != file.blake3 {
            tracing::warn!("{run} begins anew: {} is not what was written", file.path);
            return Ok(None);
        }
    }
    let (states, files): (Vec<_>, Vec<_>) = manifest.files.into_iter().partition(|file| file.path.ends_with(".state"));
    let Some(kept) = states.first() else { return Ok(None) };
    let state = postcard::from_bytes(&read_bytes(&root.join(&kept.path))?).ok();
    Ok(state.map(|state| (files, state)))
}

/// Removes the checkpoint of a run that is recorded whole, and states that killed calls left behind.
pub(super) fn discard(root: &Path, run: &RunId) -> Result<(), StageError> {
    pending(root, run, "").discard()?;
    let folder = root.join(".meta/checkpoints");
    let of_run = format!("{run}-");
    for path in sorted_entries(&folder)? {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&of_run)) {
            remove_file(&path)?;
        }
    }
    remove_if_empty(&folder);
    Ok(())
}

fn remove_if_empty(folder: &Path) {
    // A folder in use is not empty and stays.
    let _ = std::fs::remove_dir(folder);
}
