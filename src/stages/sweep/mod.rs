//! A sweep: the same stages for many experiments, and tables of what became of each. It calls no stage: whoever knows
//! which stages are asked for hands them over as [`Work`].

mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use serde_json::json;

use super::{Outcome, Progress, StageError};
use crate::config::{Data, Exact, Pipeline, Sweep, Variant};
use crate::store::schema::ExperimentRow;
use crate::store::{Experiment, Lock, Manifest, Pending, StoreError, hash_bytes, remove_file};

/// What is done for the experiments of a sweep.
pub trait Work: Sync {
    /// What several experiments need and only one may make: called for one after the other.
    ///
    /// # Errors
    /// It cannot be made.
    fn prepare(&self, pipeline: &Pipeline) -> Result<(), StageError>;

    /// Whether one experiment keeps all cores busy, so that it is done by itself.
    fn is_large(&self, pipeline: &Pipeline) -> bool;

    /// All that is to be done for one experiment and is not done yet.
    ///
    /// # Errors
    /// It cannot be done; others can.
    fn one(&self, pipeline: &Pipeline, experiment: &Experiment) -> Result<Outcome, StageError>;

    /// How far an experiment is.
    ///
    /// # Errors
    /// Something is in its way.
    fn state(&self, pipeline: &Pipeline, experiment: &Experiment) -> Result<State, StageError>;

    /// Joins the estimates of finished experiments in the folder `out`.
    ///
    /// # Errors
    /// A file cannot be read or written.
    fn join(&self, experiments: &[Experiment], out: &Path) -> Result<Outcome, StageError>;
}

/// How far an experiment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Everything that its pipeline asks for is there.
    Done,
    /// Some is; the text says what is missing.
    Unfinished(String),
    /// Nothing is.
    Pending,
}

/// The reasons that are told on the screen; all of them are in the table.
const MOST_REASONS: usize = 20;

/// The experiment of a variant of the sweep in `root`.
pub fn experiment(root: &Path, variant: &Variant) -> Experiment {
    Experiment::new(root.join(&variant.id))
}

/// Does the `work` for the `chosen` experiments of `sweep`, each in a folder of its own below `root`, and writes what
/// became of all experiments of the sweep. Small experiments run side by side; large ones, which use all cores
/// themselves, one after the other. What cannot be done for one leaves the others as they are.
///
/// # Errors
/// None of the chosen ones could be done; the tables cannot be written.
pub fn sweep(
    sweep: &Sweep,
    chosen: &[&Variant],
    root: &Path,
    work: &dyn Work,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    if Experiment::new(root).recording().exists() {
        let problem = "holds the recording of a pipeline without lists; move it away, or choose a folder with `--out`";
        return Err(StageError::Refused(format!("{} {problem}", root.display())));
    }
    progress.begin("sweep", chosen.len() as u64);
    // Reading and hashing the files of a data set takes its time; most experiments share one.
    let mut done: Vec<(&Data, Result<(), String>)> = Vec::new();
    let prepared: Vec<Result<&Pipeline, String>> = chosen
        .iter()
        .map(|variant| {
            let pipeline = variant.pipeline.as_ref().map_err(ToString::to_string)?;
            let before = done.iter().find(|(data, _)| **data == pipeline.data).map(|(_, outcome)| outcome.clone());
            let outcome = before.unwrap_or_else(|| {
                let outcome = work.prepare(pipeline).map_err(|e| e.to_string());
                done.push((&pipeline.data, outcome.clone()));
                outcome
            });
            outcome.map(|()| pipeline)
        })
        .collect();
    let n_ended = AtomicUsize::new(0);
    let one = |index: usize| {
        let (variant, pipeline) = (chosen[index], &prepared[index]);
        let experiment = experiment(root, variant);
        let ended = match pipeline {
            Ok(pipeline) => work.one(pipeline, &experiment).map_err(|e| e.to_string()),
            Err(reason) => Err(reason.clone()),
        };
        let n_ended = 1 + n_ended.fetch_add(1, Ordering::Relaxed);
        tell(&variant.id, &ended, &format!("{n_ended}/{}", chosen.len()), progress);
        progress.advance(1);
        (index, ended)
    };
    let is_large = |index: &usize| prepared[*index].as_ref().is_ok_and(|pipeline| work.is_large(pipeline));
    let (large, small): (Vec<usize>, Vec<usize>) = (0..chosen.len()).partition(is_large);
    let mut ended: Vec<(usize, Result<Outcome, String>)> = small.into_par_iter().map(one).collect();
    ended.extend(large.into_iter().map(one));
    progress.end();

    let failures: BTreeMap<&str, &str> = ended
        .iter()
        .filter_map(|(index, ended)| Some((chosen[*index].id.as_str(), ended.as_ref().err()?.as_str())))
        .collect();
    let none_could_run = || Err(StageError::Refused(why_none(chosen, &failures)));
    if failures.len() == sweep.experiments.len() {
        // Nothing of it is right: nothing is left behind.
        return none_could_run();
    }
    let concluded = conclude(sweep, chosen, root, work, &failures)?;
    if failures.len() == chosen.len() {
        return none_could_run();
    }
    let is_partial =
        |outcome: &Outcome| matches!(outcome, Outcome::DoneWithFailures { .. } | Outcome::TrainingsFailed { .. });
    let n_partial = ended.iter().filter(|(_, ended)| ended.as_ref().is_ok_and(is_partial)).count();
    let n_failed = failures.len() + n_partial;
    let nothing_done = ended.iter().all(|(_, ended)| matches!(ended, Ok(Outcome::UpToDate)));
    if nothing_done && concluded.is_up_to_date {
        return Ok(Outcome::UpToDate);
    }
    let text = summary(&concluded.rows, start.elapsed().as_secs_f64(), root);
    Ok(if n_failed == 0 { Outcome::Done(text) } else { Outcome::ExperimentsFailed { text, n_failed } })
}

/// A line for an experiment for which something was done, or could not be.
fn tell(id: &str, ended: &Result<Outcome, String>, count: &str, progress: &dyn Progress) {
    match ended {
        Ok(Outcome::UpToDate) => {}
        Ok(Outcome::DoneWithFailures { n_failures, .. }) => {
            progress.tell(&format!("{count} {id}: done, {n_failures} estimates failed"));
        }
        Ok(Outcome::TrainingsFailed { n_failed, .. }) => {
            progress.tell(&format!("{count} {id}: done, {n_failed} trainings failed"));
        }
        Ok(_) => progress.tell(&format!("{count} {id}: done")),
        Err(reason) => progress.tell(&format!("{count} {id}: failed: {reason}")),
    }
}

/// The one sentence where none of the chosen experiments could be done.
fn why_none(chosen: &[&Variant], failures: &BTreeMap<&str, &str>) -> String {
    let reason = |variant: &&Variant| failures.get(variant.id.as_str()).copied().unwrap_or_default();
    let first = chosen.first().map(reason).unwrap_or_default();
    if chosen.iter().all(|variant| reason(variant) == first) {
        return first.to_owned();
    }
    let id = chosen.first().map_or("", |variant| variant.id.as_str());
    format!("none of {} experiments could run; the first, {id}: {first}", chosen.len())
}

/// What is known of the sweep when the work is over.
struct Concluded {
    rows: Vec<ExperimentRow>,
    is_up_to_date: bool,
}

/// Writes down failures, joins the estimates of finished experiments, and writes the tables of the sweep. Several calls
/// with different experiments may end at the same time: each waits for the other and then looks at all of them.
fn conclude(
    sweep: &Sweep,
    chosen: &[&Variant],
    root: &Path,
    work: &dyn Work,
    failures: &BTreeMap<&str, &str>,
) -> Result<Concluded, StageError> {
    let _lock = Lock::wait(root, "sweep")?;
    for variant in chosen {
        match (&variant.pipeline, failures.get(variant.id.as_str())) {
            (Ok(pipeline), Some(reason)) => note_failure(root, &variant.id, pipeline, reason)?,
            _ => forget_failure(root, &variant.id)?,
        }
    }
    let mut states = Vec::new();
    for variant in &sweep.experiments {
        states.push(match &variant.pipeline {
            Err(e) => Err(e.without_folder()),
            Ok(pipeline) => {
                let state = work.state(pipeline, &experiment(root, variant));
                match state.map_err(|e| relative(&e.to_string(), root)) {
                    Ok(State::Done) => Ok(State::Done),
                    other => failure(root, &variant.id, pipeline)?.map_or(other, Err),
                }
            }
        });
    }
    let done = sweep.experiments.iter().zip(&states).filter(|(_, state)| **state == Ok(State::Done));
    let has_estimates = |experiment: &Experiment| experiment.estimate_files().is_ok_and(|files| !files.is_empty());
    let done: Vec<Experiment> = done.map(|(variant, _)| experiment(root, variant)).filter(has_estimates).collect();
    let joined = match done.is_empty() {
        true => Ok(Outcome::UpToDate),
        false => work.join(&done, root),
    };
    let rows = tables::rows(sweep, &states, root)?;
    let is_written = tables::write(root, &rows, &tables::settings(sweep))?;
    match joined {
        Err(StageError::Store(StoreError::Locked { .. })) => {
            tracing::warn!("{} is being written by another call; run this again when it is done", Experiment::SUMMARY);
            Ok(Concluded { rows, is_up_to_date: false })
        }
        joined => Ok(Concluded { rows, is_up_to_date: joined? == Outcome::UpToDate && !is_written }),
    }
}

/// A reason that is the same wherever the sweep lies.
fn relative(reason: &str, root: &Path) -> String {
    reason.replace(&format!("{}/", root.display()), "")
}

/// Where the reason of a failure is kept for other calls, which look at all experiments of the sweep.
fn failure_name(id: &str) -> String {
    format!("failed/{id}")
}

/// What a failure belongs to: with other settings it is forgotten.
fn settings_hash(pipeline: &Pipeline) -> String {
    let exact = pipeline.exact.iter().flat_map(Exact::ids).map(|id| id.to_string());
    let estimates: Vec<String> = pipeline.estimates.iter().map(|request| request.id.to_string()).chain(exact).collect();
    hash_bytes(json!([pipeline.run_settings(), pipeline.n_runs, estimates]).to_string().as_bytes())
}

fn note_failure(root: &Path, id: &str, pipeline: &Pipeline, reason: &str) -> Result<(), StoreError> {
    let note = json!({ "settings": settings_hash(pipeline), "reason": relative(reason, root) });
    let note = Pending::new(root, &failure_name(id), &note);
    if note.finished()?.is_none() {
        note.finish(Vec::new())?;
    }
    Ok(())
}

fn forget_failure(root: &Path, id: &str) -> Result<(), StoreError> {
    let folder = root.join(".meta/failed");
    remove_file(&root.join(format!(".meta/{}.json", failure_name(id))))?;
    // The last one is gone: so is the folder. One that still holds others stays.
    let _ = std::fs::remove_dir(folder);
    Ok(())
}

/// Why the experiment `id` failed in an earlier call with the same settings.
fn failure(root: &Path, id: &str, pipeline: &Pipeline) -> Result<Option<String>, StoreError> {
    let note = Manifest::read(&root.join(format!(".meta/{}.json", failure_name(id))))?;
    let note = note.filter(|note| note.made_from["settings"] == settings_hash(pipeline));
    Ok(note.and_then(|note| note.made_from["reason"].as_str().map(str::to_owned)))
}

/// How far every one of `variants` is by `state`, or why it cannot be done; nothing is touched.
pub fn look(
    variants: &[&Variant],
    root: &Path,
    state: impl Fn(&Pipeline, &Experiment) -> Result<State, StageError>,
) -> Vec<Result<State, String>> {
    let of = |variant: &&Variant| {
        let pipeline = variant.pipeline.as_ref().map_err(ToString::to_string)?;
        let state = state(pipeline, &experiment(root, variant)).map_err(|e| e.to_string())?;
        let failure = failure(root, &variant.id, pipeline).map_err(|e| e.to_string())?;
        match failure.filter(|_| state != State::Done) {
            Some(reason) => Err(format!("failed before: {reason}")),
            None => Ok(state),
        }
    };
    variants.iter().map(of).collect()
}

/// Counts of all states, and the first of the reasons.
fn summary(rows: &[ExperimentRow], seconds: f64, root: &Path) -> String {
    let count = |state| (rows.iter().filter(|row| row.state == state).count(), state);
    let counts = ["done", "partial", "failed", "unfinished", "pending"].into_iter().map(count);
    let counts: Vec<String> = counts.filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
    let path = root.join(Experiment::EXPERIMENTS);
    let mut text = format!("{} experiments: {} in {seconds:.1} s → {}", rows.len(), counts.join(", "), path.display());
    let with_reasons: Vec<&ExperimentRow> =
        rows.iter().filter(|row| ["partial", "failed"].contains(&row.state.as_str())).collect();
    for row in with_reasons.iter().take(MOST_REASONS) {
        text.push_str(&format!(
            "\n  {}: {}: {}",
            row.experiment,
            row.state,
            row.reason.as_deref().unwrap_or("no reason is known")
        ));
    }
    if with_reasons.len() > MOST_REASONS {
        text.push_str(&format!("\n  … and {} more in {}", with_reasons.len() - MOST_REASONS, path.display()));
    }
    text
}
