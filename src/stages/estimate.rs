//! The estimate stage: recorded activations → tables of I(X;T) and I(T;Y), any time after the recording.

use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use serde_json::json;

use super::{Outcome, Progress, StageError};
use crate::estimators::{Estimate, Estimator};
use crate::sample::{Labels, Representation};
use crate::store::schema::{EstimateRow, VERSION};
use crate::store::{
    ActivationReader, Experiment, Footer, Lock, Pending, RecordedRun, Recording, RunId, Values, read_samples,
    verified_hash, write_rows,
};

/// The activations of one run, layer by layer.
struct Run<'a> {
    recorded: &'a RecordedRun,
    layers: Vec<(usize, ActivationReader)>,
}

/// An estimator and what it has yet to write.
type Work<'a> = (&'a dyn Estimator, Pending);

/// Applies `estimators` to every run, layer and recorded moment of `experiment` that they have not been applied to yet.
/// The tables go to `<out>/estimates`. The recording is read once for all estimators.
///
/// # Errors
/// There is no recording, a file is not what was written, or runs, layers or samples do not belong together.
pub fn estimate(
    experiment: &Experiment,
    estimators: &[Box<dyn Estimator>],
    out: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    let recording = Recording::open(experiment)?;
    let layers = recording.layers(Values::Activations)?;
    let samples_path = experiment.recording().join(Experiment::SAMPLES);
    let samples_hash = verified_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?;
    let labels = labels(&samples_path)?;

    if experiment.is_unfinished() {
        tracing::warn!("{} is unfinished: only its whole runs are estimated", experiment.recording().display());
    }
    let root = Experiment::new(out).estimates();
    let mut todo: Vec<(&RecordedRun, Vec<Work<'_>>)> = Vec::new();
    for recorded in recording.runs() {
        let hashes_of = |layer: &usize| recorded.hashes(Values::Activations.table(), Some(*layer));
        let hashes: Vec<Vec<String>> = layers.iter().map(hashes_of).collect::<Result<_, _>>()?;
        let mut pending = Vec::new();
        for estimator in estimators {
            let made_from = json!({
                "estimator": estimator.id(),
                "activations": hashes.concat(),
                "samples": samples_hash,
                "schema": VERSION,
            });
            let work = Pending::new(&root, &format!("{}/{}", estimator.id(), recorded.id), &made_from);
            if work.finished()?.is_none() {
                pending.push((estimator.as_ref(), work));
            }
        }
        if !pending.is_empty() {
            todo.push((recorded, pending));
        }
    }
    if todo.is_empty() {
        return Ok(Outcome::UpToDate);
    }

    // Different estimators may be at work at the same time, as under `make -j`; sorted, so that two calls with several of
    // them cannot wait for each other.
    let mut ids: Vec<String> = estimators.iter().map(|estimator| estimator.id()).collect();
    ids.sort();
    let _locks = ids.iter().map(|id| Lock::named(&root, id)).collect::<Result<Vec<_>, _>>()?;
    // The first run tells for all of them.
    let n_moments: usize = Run::open(todo[0].0, &layers)?.layers.iter().map(|(_, reader)| reader.moments().len()).sum();
    progress.begin("estimate", todo.iter().map(|(_, pending)| (n_moments * pending.len()) as u64).sum());
    let done: Result<Vec<(usize, usize)>, StageError> = todo
        .par_iter()
        .map(|(recorded, pending)| {
            let id = &recorded.id;
            layers.iter().try_for_each(|layer| recorded.verify(Values::Activations.table(), Some(*layer)).map(drop))?;
            let run = &Run::open(recorded, &layers)?;
            let tables = estimate_run(run, pending, &labels, progress)?;
            tracing::debug!(run = %id, estimators = pending.len(), "estimated");
            let mut counts = (0, 0);
            for ((estimator, work), rows) in pending.iter().zip(tables) {
                let footer = Footer::from([
                    ("infoplane.config_hash".to_owned(), work.key().to_owned()),
                    ("infoplane.quantity".to_owned(), estimator.quantity()),
                ]);
                let file = write_rows(&root, &Experiment::estimate(&estimator.id(), id), &rows, &footer)?;
                work.finish(vec![file])?;
                counts.0 += rows.len();
                counts.1 += rows.iter().filter(|row| row.failure.is_some()).count();
            }
            Ok(counts)
        })
        .collect();
    progress.end();
    let (n_estimates, n_failures) = done?.into_iter().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    let seconds = start.elapsed().as_secs_f64();
    let text = format!("{n_estimates} estimates in {seconds:.1} s → {}", root.display());
    Ok(if n_failures == 0 { Outcome::Done(text) } else { Outcome::DoneWithFailures { text, n_failures } })
}

fn labels(path: &Path) -> Result<Labels, StageError> {
    let rows = read_samples(path)?;
    let y: Vec<i32> = rows.iter().map(|row| row.y).collect();
    let p_y1: Vec<Option<f64>> = rows.iter().map(|row| row.p_y1).collect();
    Labels::new(&y, &p_y1).map_err(|e| StageError::Refused(format!("{}: {e}", path.display())))
}

impl<'a> Run<'a> {
    /// Opens the layers of a run, which must have been recorded at the same moments.
    fn open(recorded: &'a RecordedRun, layers: &[usize]) -> Result<Self, StageError> {
        let open = |layer: &usize| Ok((*layer, recorded.activations(Values::Activations, *layer)?));
        let opened: Vec<(usize, ActivationReader)> = layers.iter().map(open).collect::<Result<_, StageError>>()?;
        let moments = |reader: &ActivationReader| reader.moments().collect::<Vec<_>>();
        for pair in opened.windows(2) {
            let [(below, first), (layer, second)] = pair else { continue };
            let (a, b) = (moments(first), moments(second));
            if a != b {
                let (n_a, n_b) = (a.len(), b.len());
                let differing = a
                    .iter()
                    .zip(&b)
                    .find(|(a, b)| a != b)
                    .map_or_else(String::new, |((_, step), _)| format!(", first at step {step}"));
                return Err(StageError::Refused(format!(
                    "{}: layer {layer} of {} has {n_b} recorded moments, layer {below} {n_a}{differing}; layers must be recorded at the same moments",
                    second.path().display(),
                    recorded.id
                )));
            }
        }
        Ok(Self { recorded, layers: opened })
    }
}

/// One table per pending estimator, sorted by layer and moment.
fn estimate_run(
    run: &Run<'_>,
    pending: &[Work<'_>],
    all_labels: &Labels,
    progress: &dyn Progress,
) -> Result<Vec<Vec<EstimateRow>>, StageError> {
    let (samples, labels) = recorded_samples(run, all_labels)?;
    let jobs: Vec<(usize, &ActivationReader, usize)> = run
        .layers
        .iter()
        .flat_map(|(layer, reader)| (0..reader.moments().len()).map(move |index| (*layer, reader, index)))
        .collect();
    // Collected in the order of the jobs, whichever thread does them.
    let by_job: Result<Vec<Vec<EstimateRow>>, StageError> = jobs
        .par_iter()
        .map(|(layer, reader, index)| {
            let recorded = reader.read(*index)?;
            if recorded.samples != samples {
                return Err(StageError::Refused(format!(
                    "{}: epoch {}, step {} has other samples than the first moment of layer {}; every moment must have the same",
                    reader.path().display(), recorded.epoch, recorded.step, run.layers[0].0
                )));
            }
            let t = Representation::new(&recorded.t, reader.n_units());
            let row = |(estimator, _): &Work<'_>| {
                let estimate = match &t {
                    Ok(t) => estimator.estimate(*t, &labels).map_err(|e| e.to_string()),
                    Err(e) => Err(e.to_string()),
                };
                progress.advance(1);
                let place = (*layer as i32, recorded.epoch, recorded.step);
                estimate_row(&estimator.id(), &run.recorded.id, place, labels.n_samples(), estimate)
            };
            Ok(pending.iter().map(row).collect())
        })
        .collect();
    let mut tables: Vec<Vec<EstimateRow>> = pending.iter().map(|_| Vec::with_capacity(jobs.len())).collect();
    for rows in by_job? {
        tables.iter_mut().zip(rows).for_each(|(table, row)| table.push(row));
    }
    Ok(tables)
}

/// The samples that the first moment of a run has, and their labels. All of the samples table, unless the files say that
/// they hold a part of it.
fn recorded_samples(run: &Run<'_>, labels: &Labels) -> Result<(Vec<i32>, Labels), StageError> {
    let Some((_, reader)) = run.layers.first().filter(|(_, reader)| reader.moments().len() > 0) else {
        return Err(StageError::Refused(format!("run {} has no recorded moments; record it again", run.recorded.id)));
    };
    let samples = reader.read(0)?.samples;
    let (n, n_all) = (samples.len(), labels.n_samples());
    let is_beyond = samples.last().is_some_and(|last| *last as usize >= n_all);
    if is_beyond || (n < n_all && !reader.is_partial()) {
        return Err(StageError::Refused(format!(
            "{}: activations of {n} samples, but the samples table has {n_all}; record again or repair it",
            reader.path().display()
        )));
    }
    let labels = labels.of(&samples);
    Ok((samples, labels))
}

fn estimate_row(
    estimator: &str,
    run: &RunId,
    (layer, epoch, step): (i32, i32, i64),
    n_samples: usize,
    estimate: Result<Estimate, String>,
) -> EstimateRow {
    let bits = |f: fn(&Estimate) -> crate::units::Nats| estimate.as_ref().ok().map(|e| f(e).bits());
    EstimateRow {
        estimator: estimator.to_owned(),
        run: run.to_string(),
        layer,
        epoch,
        step,
        i_xt_bits: bits(|e| e.i_xt),
        i_ty_bits: bits(|e| e.i_ty),
        i_xt_ceiling_bits: bits(|e| e.i_xt_ceiling),
        i_ty_ceiling_bits: bits(|e| e.i_ty_ceiling),
        n_samples: n_samples as i32,
        n_codes: estimate.as_ref().map_or(0, |e| e.n_codes as i32),
        failure: estimate.err(),
    }
}
