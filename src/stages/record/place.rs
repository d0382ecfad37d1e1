//! Checks whether a recording may be written to a folder. Existing recordings are never lost without `--overwrite`.
//!
//! A replaced recording is kept with its estimates in `<experiment>/.meta/replaced` until the new recording is complete.

use std::path::Path;

use super::super::{Outcome, StageError};
use crate::config::differences;
use crate::count::counted;
use crate::store::schema::{Row, RunRow};
use crate::store::{
    Experiment, Manifest, Pending, RunId, StoreError, TrainingOutcome, expect_no_link, expect_only_own, manifests,
    move_folder, read_rows, remove_below, remove_replaced, remove_views,
};

/// What to do with a recording that was made with other settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Keep it and return an error.
    Keep,
    /// Remove it when the new recording is complete.
    Overwrite,
}

/// The folder in an experiment that keeps folders made obsolete by a new recording.
fn aside(folder: &str) -> String {
    format!("{}/{folder}", Experiment::REPLACED)
}

/// Makes sure, before anything is moved or removed, that the replaced files were written by this program in this folder.
/// Otherwise a manipulated folder could cause the removal of other files.
fn expect_replaceable(experiment: &Experiment) -> Result<(), StoreError> {
    let root = experiment.root();
    [".meta", "figures"].into_iter().try_for_each(|folder| expect_no_link(&root.join(folder)))?;
    for folder in Experiment::REPLACEABLE {
        expect_no_link(&root.join(folder))?;
        expect_only_own(root, folder)?;
    }
    manifests(root)?.iter().try_for_each(|manifest| Manifest::read(manifest).map(drop))
}

/// Whether an earlier recording is kept until a new recording is complete.
pub(super) fn is_replacing(experiment: &Experiment) -> bool {
    experiment.replaced().join("recording").exists()
}

/// Makes sure that the recording of `claim` can be started or resumed in its folder.
pub(super) fn make_room(
    experiment: &Experiment,
    claim: &Pending,
    n_runs: usize,
    existing: Existing,
) -> Result<(), StageError> {
    let root = experiment.recording();
    // It is removed at the end; an obstacle should be reported before the training.
    expect_only_own(experiment.root(), Experiment::REPLACED)?;
    if is_replacing(experiment) {
        settle_interrupted(experiment, claim, existing)?;
    } else {
        // The remains of an interrupted removal or restoration of a replaced recording.
        remove_replaced(experiment.root())?;
    }
    match (obstacle(experiment, claim, n_runs)?, existing) {
        (None, _) if is_leftover(experiment, claim)? => {
            expect_replaceable(experiment)?;
            Ok(remove_below(experiment.root(), "recording")?)
        }
        (None, _) => Ok(()),
        (Some(what), Existing::Keep) => Err(refused(&root, &what)),
        // The earlier, complete recording is still kept; this unfinished recording is replaced.
        (Some(_), Existing::Overwrite) if is_replacing(experiment) => Ok(remove_present(experiment)?),
        (Some(_), Existing::Overwrite) => {
            expect_replaceable(experiment)?;
            for folder in Experiment::REPLACEABLE {
                move_folder(experiment.root(), folder, &aside(folder))?;
            }
            Ok(())
        }
    }
}

/// As [`make_room`], but changes nothing.
pub(super) fn expect_room(experiment: &Experiment, claim: &Pending, n_runs: usize) -> Result<(), StageError> {
    obstacle(experiment, claim, n_runs)?.map_or(Ok(()), |what| Err(refused(&experiment.recording(), &what)))
}

fn refused(root: &Path, what: &str) -> StageError {
    let remedy = "record to another folder with `--out DIR`, or replace the recording with `--overwrite`";
    StageError::Refused(format!("{} {what}; {remedy}", root.display()))
}

/// Whether the folder has the settings of a recording that was interrupted before anything was recorded.
fn is_leftover(experiment: &Experiment, claim: &Pending) -> Result<bool, StageError> {
    let is_other = claim.existing()?.is_some_and(|manifest| manifest.key != claim.key());
    Ok(is_other && !has_something(&experiment.recording()))
}

/// The obstacle for the recording of `claim`.
fn obstacle(experiment: &Experiment, claim: &Pending, n_runs: usize) -> Result<Option<String>, StageError> {
    let root = experiment.recording();
    let found = claim.existing()?;
    let is_foreign = found.is_none() && (root.join(Experiment::SAMPLES).exists() || root.join("activations").exists());
    let other = found.filter(|manifest| manifest.key != claim.key());
    let is_other = other.is_some();
    let n_recorded = if is_foreign { 0 } else { n_recorded(&root)? };
    Ok(if is_foreign {
        Some("has a recording that was not made by this program".to_owned())
    } else if is_other && !has_something(&root) {
        None
    } else if is_other && is_replacing(experiment) {
        let waiting = experiment.replaced();
        Some(format!(
            "has an unfinished recording made with other settings, which was going to replace the recording in {}",
            waiting.display()
        ))
    } else if let Some(other) = other {
        Some(described(&other, claim))
    } else if n_recorded > n_runs {
        Some(format!("has {}, but the pipeline asks for {n_runs}", counted(n_recorded, "run")))
    } else {
        None
    })
}

/// The description of the other recording in the folder.
fn described(other: &Manifest, claim: &Pending) -> String {
    match differences(&other.made_from["run"], &claim.made_from()["run"]) {
        Some(differing) => format!("has a recording made with other settings ({differing})"),
        None if other.made_from["data"] != claim.made_from()["data"] => {
            "has a recording made from other data".to_owned()
        }
        None => "has a recording made by another version, with other settings".to_owned(),
    }
}

/// After an interrupted `--overwrite`: the new recording may be complete, or the user may want to restore the old one.
fn settle_interrupted(experiment: &Experiment, claim: &Pending, existing: Existing) -> Result<(), StageError> {
    let waiting = experiment.replaced();
    let (recording, old_recording) = (experiment.recording(), Experiment::new(&waiting).recording());
    let manifest = |recording: &Path, name: &str| Manifest::read(&recording.join(".meta").join(name));
    if manifest(&recording, "manifest.json")?.is_some() {
        return if is_worthless(&recording)? { restore(experiment) } else { forget_replaced(experiment) };
    }
    if !has_something(&recording) {
        return restore(experiment);
    }
    if manifest(&old_recording, "settings.json")?.is_some_and(|old| old.key == claim.key()) {
        let has = "has finished runs of an unfinished recording that was going to replace the recording of this pipeline, which is kept in";
        return match existing {
            Existing::Overwrite => restore(experiment),
            Existing::Keep => Err(StageError::Refused(format!(
                "{} {has} {}; finish it with its own pipeline, or discard it and restore the old recording with `--overwrite`",
                recording.display(),
                waiting.display()
            ))),
        };
    }
    tracing::warn!("the replaced recording is kept in {} until the new recording is complete", waiting.display());
    Ok(())
}

/// After the work: removes the replaced recording after success; restores it if the work failed and left nothing.
pub(super) fn settle(experiment: &Experiment, outcome: Result<Outcome, StageError>) -> Result<Outcome, StageError> {
    if !is_replacing(experiment) {
        return outcome;
    }
    match &outcome {
        // Failed trainings are kept, but they do not replace a complete recording.
        Ok(_) if is_worthless(&experiment.recording())? => {
            let first = failures(&experiment.recording())?.swap_remove(0);
            restore(experiment)?;
            let problem = "every training failed, so the old recording was restored";
            return Err(StageError::Refused(format!("{problem}; {first}")));
        }
        Ok(_) => forget_replaced(experiment)?,
        Err(_) if !has_something(&experiment.recording()) => restore(experiment)?,
        Err(_) => tracing::warn!(
            "the old recording is kept in {}; `infoplane record --overwrite` with its pipeline restores it",
            experiment.replaced().display()
        ),
    }
    outcome
}

fn forget_replaced(experiment: &Experiment) -> Result<(), StageError> {
    remove_views(experiment.root())?;
    Ok(remove_replaced(experiment.root())?)
}

/// Restores the replaced recording. If this is interrupted, the next call continues.
fn restore(experiment: &Experiment) -> Result<(), StageError> {
    // Without a new recording, existing estimates belong to the old recording: not moved away yet, or restored already.
    if experiment.recording().exists() {
        remove_present(experiment)?;
    }
    for folder in Experiment::REPLACEABLE.into_iter().rev() {
        move_folder(experiment.root(), &aside(folder), folder)?;
    }
    Ok(remove_replaced(experiment.root())?)
}

/// Removes the recording last: as long as it exists, the estimates belong to it.
fn remove_present(experiment: &Experiment) -> Result<(), StoreError> {
    expect_replaceable(experiment)?;
    let [recording, estimates @ ..] = Experiment::REPLACEABLE;
    estimates.into_iter().chain([recording]).try_for_each(|folder| remove_below(experiment.root(), folder))
}

/// Whether anything was recorded: a complete run, or a finished part of a run.
pub(super) fn has_something(recording: &Path) -> bool {
    let has_entries = |folder: &str| std::fs::read_dir(recording.join(folder)).is_ok_and(|mut e| e.next().is_some());
    has_entries(".meta/runs") || has_entries(".meta/checkpoints")
}

/// Complete runs, or runs listed in the manifest of the recording.
fn n_recorded(root: &Path) -> Result<usize, StoreError> {
    let whole = Manifest::read(&root.join(".meta/manifest.json"))?;
    let listed = whole.and_then(|manifest| manifest.made_from["runs"].as_u64()).unwrap_or(0);
    let runs = std::fs::read_dir(root.join(".meta/runs")).map_or(0, |entries| entries.count());
    Ok(runs.max(usize::try_from(listed).unwrap_or(usize::MAX)))
}

/// The reasons of failed trainings, one sentence each.
pub(super) fn failures(recording: &Path) -> Result<Vec<String>, StoreError> {
    let why = |(run, row): (RunId, RunRow)| format!("{run} failed: {}", row.reason.unwrap_or_default());
    Ok(endings(recording)?.into_iter().filter(|(_, row)| row.outcome == TrainingOutcome::Failed).map(why).collect())
}

/// Whether there are finished runs, and the training of every one failed.
fn is_worthless(recording: &Path) -> Result<bool, StoreError> {
    let endings = endings(recording)?;
    Ok(!endings.is_empty() && endings.iter().all(|(_, row)| row.outcome == TrainingOutcome::Failed))
}

/// How the finished runs ended, if this is recorded.
fn endings(recording: &Path) -> Result<Vec<(RunId, RunRow)>, StoreError> {
    let mut endings = Vec::new();
    for index in 0..n_recorded(recording)? {
        let run = RunId::new(index);
        let is_finished = recording.join(format!(".meta/runs/{run}.json")).exists();
        let path = recording.join(Experiment::part(RunRow::TABLE, None, &run, 0));
        if is_finished && path.exists() {
            endings.extend(read_rows(&path)?.into_iter().map(|row| (run.clone(), row)));
        }
    }
    Ok(endings)
}
