//! The driver for sweeps: runs the same steps for each experiment, then the steps that join them, and writes a table of their
//! states.

mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use serde_json::json;

use super::{Job, Joint, Kind, State, Step, Stopped, Task, aggregate, results_state};
use crate::config::{Data, Exact, Networks, Pipeline, Sweep, Variant};
use crate::count::counted;
use crate::stages::experiments;
use crate::stages::record::is_large;
use crate::stages::{Failures, Outcome, Progress, Silent, StageError};
use crate::store::schema::ExperimentRow;
use crate::store::{Experiment, ExperimentState, Lock, Manifest, Pending, StoreError, hash_bytes, remove_below};
use crate::suggest::Named;

/// Number of reasons printed; the table has all of them.
const MOST_REASONS: usize = 20;

/// The steps for each experiment.
const OF_EACH: &[Kind] = &[Kind::Results, Kind::View];

/// The report of a joining step if another call is running the same step.
const LOCKED: &str = "not done, because another process is writing; run this command again";

/// The outcome of an experiment, or why it could not be run.
type Ended = Result<Outcome, Stopped>;

/// Runs a `job` for the `chosen` experiments of `sweep`, each in its own folder below `root`, and writes the states of all
/// experiments of the sweep. Small experiments run in parallel. Large experiments use all cores, so they run one after the
/// other. A failed experiment does not stop the others.
///
/// # Errors
/// None of the chosen experiments could be run, or the tables cannot be written.
pub fn run_sweep(
    job: &Job,
    sweep: &Sweep,
    chosen: &[&Variant],
    root: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    experiments::expect_no_experiment(root)?;
    progress.begin("sweep", chosen.len() as u64);
    let prepared = prepare(job, chosen, root);
    let n_ended = AtomicUsize::new(0);
    let run = |index: usize| {
        let variant = chosen[index];
        let experiment = experiment(root, variant);
        let ended = match &prepared[index] {
            Ok(pipeline) => {
                let task = Task { pipeline, experiment: &experiment, existing: job.existing, progress: &Silent };
                job.run_kinds(&task, OF_EACH)
            }
            Err(reason) => Err(StageError::Refused(reason.clone()).into()),
        };
        let n_ended = 1 + n_ended.fetch_add(1, Ordering::Relaxed);
        tell(&variant.id, &ended, &format!("{n_ended}/{}", chosen.len()), progress);
        progress.advance(1);
        (index, ended)
    };
    let is_large =
        |index: &usize| prepared[*index].as_ref().is_ok_and(|pipeline| pipeline.networks().is_some_and(is_large));
    let (large, small): (Vec<usize>, Vec<usize>) = (0..chosen.len()).partition(is_large);
    let mut ended: Vec<(usize, Ended)> = small.into_par_iter().map(run).collect();
    ended.extend(large.into_iter().map(run));
    progress.end();

    let reasons: BTreeMap<&str, &Stopped> =
        ended.iter().filter_map(|(index, ended)| Some((chosen[*index].id.as_str(), ended.as_ref().err()?))).collect();
    let none_could_run = || Err(StageError::Refused(reason_of_none(chosen, &reasons)));
    if reasons.len() == sweep.experiments.len() {
        // No experiment could be run, so no folder is left behind.
        return none_could_run();
    }
    let concluded = conclude(job, sweep, chosen, root, &reasons, progress)?;
    if reasons.len() == chosen.len() {
        return none_could_run();
    }
    let nothing_done = ended.iter().all(|(_, ended)| matches!(ended, Ok(Outcome::UpToDate)));
    if nothing_done && !concluded.is_written && matches!(concluded.joined, Ok(Outcome::UpToDate)) {
        return Ok(Outcome::UpToDate);
    }
    let text = summary(&concluded.rows, start.elapsed().as_secs_f64(), root);
    if let Err(e) = concluded.joined {
        progress.tell(&text);
        return Err(e);
    }
    Ok(Outcome::done(text, all_failures(&ended)))
}

/// The experiment of a variant of the sweep in `root`.
fn experiment(root: &Path, variant: &Variant) -> Experiment {
    Experiment::new(root.join(&variant.id))
}

/// The pipelines, after the shared data are made. Data named by several experiments are read and hashed only once, which saves
/// time.
fn prepare<'a>(job: &Job, chosen: &[&'a Variant], root: &Path) -> Vec<Result<&'a Pipeline, String>> {
    let has_shared = job.steps.iter().any(|step| step.kind == Kind::Shared);
    let mut made: Vec<(Option<&Data>, Result<(), String>)> = Vec::new();
    let prepared = |variant: &&'a Variant| {
        let pipeline = variant.pipeline.as_ref().map_err(ToString::to_string)?;
        let data = pipeline.networks().map(|networks| &networks.data);
        let before = made.iter().find(|(other, _)| *other == data).map(|(_, outcome)| outcome.clone());
        let outcome = before.unwrap_or_else(|| {
            let experiment = experiment(root, variant);
            let task = Task { pipeline, experiment: &experiment, existing: job.existing, progress: &Silent };
            let outcome = match has_shared {
                true => job.run_kinds(&task, &[Kind::Shared]).map(drop).map_err(|e| e.to_string()),
                false => Ok(()),
            };
            made.push((data, outcome.clone()));
            outcome
        });
        outcome.map(|()| pipeline)
    };
    chosen.iter().map(prepared).collect()
}

/// The failures of all experiments.
fn all_failures(ended: &[(usize, Ended)]) -> Failures {
    let of_experiment = |(_, ended): &(usize, Ended)| {
        let failures = ended.as_ref().map_or_else(|stopped| stopped.before, Outcome::failures);
        Failures { experiments: usize::from(ended.is_err() || !failures.is_none()), ..failures }
    };
    ended.iter().map(of_experiment).fold(Failures::default(), Failures::and)
}

/// Prints a line for an experiment that was changed or failed.
fn tell(id: &str, ended: &Ended, count: &str, progress: &dyn Progress) {
    match ended {
        Ok(Outcome::UpToDate) => {}
        Ok(Outcome::Done(_)) => progress.tell(&format!("{count} {id}: done")),
        Ok(Outcome::Partial { failures, .. }) => progress.tell(&format!("{count} {id}: done, {}", failures.words())),
        Err(reason) => progress.tell(&format!("{count} {id}: failed: {reason}")),
    }
}

/// One sentence that explains why none of the chosen experiments could be run.
fn reason_of_none(chosen: &[&Variant], reasons: &BTreeMap<&str, &Stopped>) -> String {
    let reason = |variant: &&Variant| reasons.get(variant.id.as_str()).map(ToString::to_string).unwrap_or_default();
    let first = chosen.first().map(reason).unwrap_or_default();
    if chosen.iter().all(|variant| reason(variant) == first) {
        return first.to_owned();
    }
    let id = chosen.first().map_or("", |variant| variant.id.as_str());
    format!("none of {} experiments could run; the first, {id}: {first}", chosen.len())
}

/// The state of the sweep after the work.
struct Concluded {
    rows: Vec<ExperimentRow>,
    /// Whether the tables of the sweep were rewritten.
    is_written: bool,
    /// The outcome of the joining steps, or why they could not be run.
    joined: Result<Outcome, StageError>,
}

/// Records failures, joins the estimates of finished experiments, writes the tables of the sweep (also if joining failed), and
/// runs the joining steps of the job. If several calls with different experiments end at the same time, each waits for the
/// others and then joins all experiments.
fn conclude(
    job: &Job,
    sweep: &Sweep,
    chosen: &[&Variant],
    root: &Path,
    reasons: &BTreeMap<&str, &Stopped>,
    progress: &dyn Progress,
) -> Result<Concluded, StageError> {
    let _lock = Lock::wait(root, "sweep")?;
    for variant in chosen {
        match (&variant.pipeline, reasons.get(variant.id.as_str())) {
            // Another call is running this experiment and records its outcome.
            (_, Some(Stopped { source: StageError::Store(StoreError::Locked { .. }), .. })) => {}
            (Ok(pipeline), Some(reason)) => note_failure(root, &variant.id, pipeline, &reason.to_string())?,
            _ => forget_failure(root, &variant.id)?,
        }
    }
    let mut found = Vec::new();
    for variant in &sweep.experiments {
        let (state, failure) = match &variant.pipeline {
            Err(e) => (Err(e.without_folder()), None),
            Ok(pipeline) => {
                let experiment = experiment(root, variant);
                let task = Task { pipeline, experiment: &experiment, existing: job.existing, progress: &Silent };
                let state = results_state(&task).map_err(|e| relative(&e.to_string(), root));
                (state, failure(root, &variant.id, pipeline)?)
            }
        };
        found.push(tables::Found::new(variant, state, failure, root));
    }
    let with_results = sweep.experiments.iter().zip(&found).filter(|(_, found)| found.has_results());
    let done = experiments::to_join(with_results.map(|(variant, _)| experiment(root, variant)));
    let pipelines = sweep.experiments.iter().filter_map(|variant| Some((variant, variant.pipeline.as_ref().ok()?)));
    let experiments: Vec<(&Pipeline, Experiment)> =
        pipelines.map(|(variant, pipeline)| (pipeline, experiment(root, variant))).collect();
    let joint = Joint { experiments: &experiments, done: &done, folder: &Experiment::new(root) };
    // The tables of the sweep count failed estimates from the joint summary, so every command makes the summary.
    let joined = join(&aggregate::STEP, &joint);
    let rows = tables::rows(sweep, &found, root)?;
    let is_written = tables::write(root, &rows, &tables::settings(sweep))?;
    let rest = job.steps.iter().filter(|step| step.name != aggregate::STEP.name && !done.is_empty());
    let joined = joined.and_then(|joined| {
        rest.into_iter().try_fold(joined, |joined, step| {
            let outcome = join(step, &joint)?;
            if outcome != Outcome::UpToDate {
                progress.report(step.name, &outcome);
            }
            Ok(joined.and(outcome))
        })
    });
    Ok(Concluded { rows, is_written, joined })
}

/// Runs the joining part of a step.
fn join(step: &Step, joint: &Joint<'_>) -> Result<Outcome, StageError> {
    match step.join.map(|join| join(joint)) {
        None => Ok(Outcome::UpToDate),
        Some(Err(StageError::Store(StoreError::Locked { .. }))) => Ok(Outcome::Done(LOCKED.to_owned())),
        Some(outcome) => outcome,
    }
}

/// A reason without the path of the sweep, so that it does not depend on the location of the sweep.
fn relative(reason: &str, root: &Path) -> String {
    reason.replace(&format!("{}/", root.display()), "")
}

/// The file that keeps the reason of a failure for other calls of the sweep.
fn failure_name(id: &str) -> String {
    format!("failed/{id}")
}

/// The settings that a failure belongs to; with other settings it is discarded.
fn settings_hash(pipeline: &Pipeline) -> String {
    let exact = |exact: &Exact| {
        let teacher = &exact.teacher;
        let ids: Vec<String> = exact.ids().iter().map(ToString::to_string).collect();
        json!({ "ids": ids, "teacher": [teacher.n_relevant, teacher.n_inputs, teacher.n_outputs] })
    };
    let settings = json!({
        "run": pipeline.networks().map(Networks::run_settings),
        "runs": pipeline.networks().map(|networks| networks.n_runs),
        "estimates": pipeline.estimates.iter().map(|e| json!([e.id.to_string(), e.n_shuffles, e.n_resamples])).collect::<Vec<_>>(),
        "exact": pipeline.exact.as_ref().map(exact),
        "propagation": pipeline.propagation.as_ref().map(|propagation| propagation.id().to_string()),
        "bound": pipeline.bound.as_ref().map(|bound| json!([bound.code.id.to_string(), bound.betas])),
    });
    hash_bytes(settings.to_string().as_bytes())
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
    remove_below(root, &format!(".meta/{}.json", failure_name(id)))?;
    // The folder is removed with its last file; a folder that contains others is kept.
    let _ = std::fs::remove_dir(folder);
    Ok(())
}

/// Why the experiment `id` failed in an earlier call with the same settings.
fn failure(root: &Path, id: &str, pipeline: &Pipeline) -> Result<Option<String>, StoreError> {
    let note = Manifest::read(&root.join(format!(".meta/{}.json", failure_name(id))))?;
    let note = note.filter(|note| note.made_from["settings"] == settings_hash(pipeline));
    Ok(note.and_then(|note| note.made_from["reason"].as_str().map(str::to_owned)))
}

/// The state of each of `variants` with a `job`, or why it cannot be run. Nothing is changed.
///
/// # Errors
/// `root` is the folder of a single experiment, not of a sweep.
pub fn states(job: &Job, variants: &[&Variant], root: &Path) -> Result<Vec<Result<State, String>>, StageError> {
    experiments::expect_no_experiment(root)?;
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
    Ok(variants.iter().map(state).collect())
}

/// Counts of all states, and the first of the reasons.
fn summary(rows: &[ExperimentRow], seconds: f64, root: &Path) -> String {
    let is_in = |state: ExperimentState| move |row: &&ExperimentRow| row.state == state;
    let count = |state| (rows.iter().filter(is_in(state)).count(), state);
    let counts = ExperimentState::ALL.iter().copied().map(count);
    let counts: Vec<String> = counts.filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
    let path = root.join(Experiment::EXPERIMENTS);
    let mut text =
        format!("{}: {} in {seconds:.1} s → {}", counted(rows.len(), "experiment"), counts.join(", "), path.display());
    let is_explained =
        |row: &&ExperimentRow| is_in(ExperimentState::Partial)(row) || is_in(ExperimentState::Failed)(row);
    let with_reasons: Vec<&ExperimentRow> = rows.iter().filter(is_explained).collect();
    for row in with_reasons.iter().take(MOST_REASONS) {
        text.push_str(&format!(
            "\n  {}: {}: {}",
            row.experiment,
            row.state,
            row.reason.as_deref().unwrap_or("the reason is unknown")
        ));
    }
    if with_reasons.len() > MOST_REASONS {
        text.push_str(&format!("\n  … and {} more in {}", with_reasons.len() - MOST_REASONS, path.display()));
    }
    text
}
