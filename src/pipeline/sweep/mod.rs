//! The driver for many experiments: the same steps for each, then the steps that join them, and tables of what became of
//! each experiment.

mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use serde_json::json;

use super::{Job, Joint, Kind, State, Step, Task, aggregate, results_state};
use crate::config::{Data, Exact, Pipeline, Sweep, Variant};
use crate::stages::experiments::ExperimentState;
use crate::stages::record::is_large;
use crate::stages::{Failures, Outcome, Progress, Silent, StageError};
use crate::store::schema::ExperimentRow;
use crate::store::{Experiment, Lock, Manifest, Pending, StoreError, hash_bytes, remove_file};

/// The most reasons that are printed; all of them are in the table.
const MOST_REASONS: usize = 20;

/// What is done for each experiment.
const OF_EACH: &[Kind] = &[Kind::Results, Kind::View];

/// How the work for an experiment ended: its outcome, or why it could not be done.
type Ended = Result<Outcome, String>;

/// Does a `job` for the `chosen` experiments of `sweep`, each in its own folder below `root`, and writes what became of all
/// experiments of the sweep. Small experiments run in parallel; large ones, which use all cores themselves, one after the
/// other. What cannot be done for one leaves the others as they are.
///
/// # Errors
/// None of the chosen ones could be done; the tables cannot be written.
pub fn run_sweep(
    job: &Job,
    sweep: &Sweep,
    chosen: &[&Variant],
    root: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    if Experiment::new(root).recording().exists() {
        let problem = "holds the recording of a pipeline without lists; move it away, or choose a folder with `--out`";
        return Err(StageError::Refused(format!("{} {problem}", root.display())));
    }
    progress.begin("sweep", chosen.len() as u64);
    let prepared = prepare(job, chosen, root);
    let n_ended = AtomicUsize::new(0);
    let run = |index: usize| {
        let variant = chosen[index];
        let experiment = experiment(root, variant);
        let ended = match &prepared[index] {
            Ok(pipeline) => {
                let task = Task { pipeline, experiment: &experiment, existing: job.existing, progress: &Silent };
                job.run_kinds(&task, OF_EACH).map_err(|e| e.to_string())
            }
            Err(reason) => Err(reason.clone()),
        };
        let n_ended = 1 + n_ended.fetch_add(1, Ordering::Relaxed);
        tell(&variant.id, &ended, &format!("{n_ended}/{}", chosen.len()), progress);
        progress.advance(1);
        (index, ended)
    };
    let is_large = |index: &usize| prepared[*index].as_ref().is_ok_and(|pipeline| is_large(pipeline));
    let (large, small): (Vec<usize>, Vec<usize>) = (0..chosen.len()).partition(is_large);
    let mut ended: Vec<(usize, Ended)> = small.into_par_iter().map(run).collect();
    ended.extend(large.into_iter().map(run));
    progress.end();

    let reasons: BTreeMap<&str, &str> = ended
        .iter()
        .filter_map(|(index, ended)| Some((chosen[*index].id.as_str(), ended.as_ref().err()?.as_str())))
        .collect();
    let none_could_run = || Err(StageError::Refused(why_none(chosen, &reasons)));
    if reasons.len() == sweep.experiments.len() {
        // Nothing of it is right: nothing is left behind.
        return none_could_run();
    }
    let concluded = conclude(job, sweep, chosen, root, &reasons, progress)?;
    if reasons.len() == chosen.len() {
        return none_could_run();
    }
    let nothing_done = ended.iter().all(|(_, ended)| matches!(ended, Ok(Outcome::UpToDate)));
    if nothing_done && concluded.is_up_to_date {
        return Ok(Outcome::UpToDate);
    }
    let text = summary(&concluded.rows, start.elapsed().as_secs_f64(), root);
    Ok(Outcome::done(text, all_failures(&ended)))
}

/// The experiment of a variant of the sweep in `root`.
fn experiment(root: &Path, variant: &Variant) -> Experiment {
    Experiment::new(root.join(&variant.id))
}

/// The pipelines, after what several experiments share is made: once for all that name the same data, which takes time to
/// read and hash.
fn prepare<'a>(job: &Job, chosen: &[&'a Variant], root: &Path) -> Vec<Result<&'a Pipeline, String>> {
    let has_shared = job.steps.iter().any(|step| step.kind == Kind::Shared);
    let mut made: Vec<(&Data, Result<(), String>)> = Vec::new();
    let prepared = |variant: &&'a Variant| {
        let pipeline = variant.pipeline.as_ref().map_err(ToString::to_string)?;
        let before = made.iter().find(|(data, _)| **data == pipeline.data).map(|(_, outcome)| outcome.clone());
        let outcome = before.unwrap_or_else(|| {
            let experiment = experiment(root, variant);
            let task = Task { pipeline, experiment: &experiment, existing: job.existing, progress: &Silent };
            let outcome = match has_shared {
                true => job.run_kinds(&task, &[Kind::Shared]).map(drop).map_err(|e| e.to_string()),
                false => Ok(()),
            };
            made.push((&pipeline.data, outcome.clone()));
            outcome
        });
        outcome.map(|()| pipeline)
    };
    chosen.iter().map(prepared).collect()
}

/// What failed in all experiments.
fn all_failures(ended: &[(usize, Ended)]) -> Failures {
    let of_experiment = |(_, ended): &(usize, Ended)| {
        let failures = ended.as_ref().map_or_else(|_| Failures::default(), Outcome::failures);
        Failures { experiments: usize::from(ended.is_err() || !failures.is_none()), ..failures }
    };
    ended.iter().map(of_experiment).fold(Failures::default(), Failures::and)
}

/// Prints a line for an experiment for which something was done, or could not be.
fn tell(id: &str, ended: &Ended, count: &str, progress: &dyn Progress) {
    match ended {
        Ok(Outcome::UpToDate) => {}
        Ok(Outcome::Done(_)) => progress.tell(&format!("{count} {id}: done")),
        Ok(Outcome::Partial { failures, .. }) => progress.tell(&format!("{count} {id}: done, {}", failures.words())),
        Err(reason) => progress.tell(&format!("{count} {id}: failed: {reason}")),
    }
}

/// Why none of the chosen experiments could be done, in one sentence.
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

/// Notes failures, joins the estimates of finished experiments, writes the tables of the sweep, and does what the job joins
/// besides. Several calls with different experiments may end at the same time: each waits for the other and then looks at
/// all of them.
fn conclude(
    job: &Job,
    sweep: &Sweep,
    chosen: &[&Variant],
    root: &Path,
    reasons: &BTreeMap<&str, &str>,
    progress: &dyn Progress,
) -> Result<Concluded, StageError> {
    let _lock = Lock::wait(root, "sweep")?;
    for variant in chosen {
        match (&variant.pipeline, reasons.get(variant.id.as_str())) {
            (Ok(pipeline), Some(reason)) => note_failure(root, &variant.id, pipeline, reason)?,
            _ => forget_failure(root, &variant.id)?,
        }
    }
    let mut states = Vec::new();
    for variant in &sweep.experiments {
        states.push(match &variant.pipeline {
            Err(e) => Err(e.without_folder()),
            Ok(pipeline) => {
                let experiment = experiment(root, variant);
                let task = Task { pipeline, experiment: &experiment, existing: job.existing, progress: &Silent };
                let state = results_state(&task);
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
    let pipelines = sweep.experiments.iter().filter_map(|variant| Some((variant, variant.pipeline.as_ref().ok()?)));
    let experiments: Vec<(&Pipeline, Experiment)> =
        pipelines.map(|(variant, pipeline)| (pipeline, experiment(root, variant))).collect();
    let joint = Joint { experiments: &experiments, done: &done, folder: &Experiment::new(root) };
    // The tables of the sweep count failed estimates in the joint summary, so every command makes it.
    let mut joined = join(&aggregate::STEP, &joint)?;
    let rows = tables::rows(sweep, &states, root)?;
    let is_written = tables::write(root, &rows, &tables::settings(sweep))?;
    for step in job.steps.iter().filter(|step| step.name != aggregate::STEP.name && !done.is_empty()) {
        let outcome = join(step, &joint)?;
        if outcome != Outcome::UpToDate {
            progress.report(step.name, &outcome);
        }
        joined = joined.and(outcome);
    }
    Ok(Concluded { rows, is_up_to_date: joined == Outcome::UpToDate && !is_written })
}

/// Does what a step does for all experiments together.
fn join(step: &Step, joint: &Joint<'_>) -> Result<Outcome, StageError> {
    match step.join.map(|join| join(joint)) {
        None => Ok(Outcome::UpToDate),
        Some(Err(StageError::Store(StoreError::Locked { .. }))) => {
            tracing::warn!("{}: another call is writing; run this again when it is done", step.name);
            Ok(Outcome::Done(String::new()))
        }
        Some(outcome) => outcome,
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

/// How far every one of `variants` is with a `job`, or why it cannot be done; nothing is touched.
pub fn states(job: &Job, variants: &[&Variant], root: &Path) -> Vec<Result<State, String>> {
    let state = |variant: &&Variant| {
        let pipeline = variant.pipeline.as_ref().map_err(ToString::to_string)?;
        let experiment = experiment(root, variant);
        let task = Task { pipeline, experiment: &experiment, existing: job.existing, progress: &Silent };
        let state = job.state_of_kinds(&task, OF_EACH).map_err(|e| e.to_string())?;
        let failure = failure(root, &variant.id, pipeline).map_err(|e| e.to_string())?;
        match failure.filter(|_| state != State::Done) {
            Some(reason) => Err(format!("failed before: {reason}")),
            None => Ok(state),
        }
    };
    variants.iter().map(state).collect()
}

/// Counts of all states, and the first of the reasons.
fn summary(rows: &[ExperimentRow], seconds: f64, root: &Path) -> String {
    let is_in = |state: ExperimentState| move |row: &&ExperimentRow| ExperimentState::of(row) == Some(state);
    let count = |state| (rows.iter().filter(is_in(state)).count(), state.name());
    let counts = ExperimentState::ALL.into_iter().map(count);
    let counts: Vec<String> = counts.filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
    let path = root.join(Experiment::EXPERIMENTS);
    let mut text = format!("{} experiments: {} in {seconds:.1} s → {}", rows.len(), counts.join(", "), path.display());
    let is_explained =
        |row: &&ExperimentRow| is_in(ExperimentState::Partial)(row) || is_in(ExperimentState::Failed)(row);
    let with_reasons: Vec<&ExperimentRow> = rows.iter().filter(is_explained).collect();
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
