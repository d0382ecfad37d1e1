//! The estimate stage: recorded activations → tables of I(X;T) and I(T;Y), any time after the recording.

use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use serde_json::json;

use super::{Outcome, Progress, StageError};
use crate::estimators::{Estimate, Estimator};
use crate::sample::{Labels, Representation};
use crate::store::schema::{EstimateRow, SampleRow};
use crate::store::{
    ActivationReader, Experiment, Footer, Lock, Manifest, Pending, RunId, hash_file, read_samples, write_rows,
};

/// The activations of one run: where they are, and hashes that change when they do.
struct Run {
    id: RunId,
    layers: Vec<(usize, ActivationReader)>,
    hashes: Vec<String>,
}

/// An estimator and what it has yet to write.
type Work<'a> = (&'a dyn Estimator, Pending);

/// Applies `estimators` to every run, layer and recorded epoch of `experiment` that they have not been applied to yet.
/// The tables go to `<out>/estimates`. The recording is read once for all estimators.
///
/// # Errors
/// There is no recording, it is damaged, or it has other samples than its labels.
pub fn estimate(
    experiment: &Experiment,
    estimators: &[Box<dyn Estimator>],
    out: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    let layers = experiment.layers()?;
    let samples_path = experiment.recording().join(Experiment::SAMPLES);
    let labels = labels(&read_samples(&samples_path)?, &samples_path)?;
    let samples_hash = hash_file(&samples_path)?;

    if experiment.is_unfinished() {
        tracing::warn!("{} is unfinished: only its whole runs are estimated", experiment.recording().display());
    }
    let root = Experiment::new(out).estimates();
    let mut todo: Vec<(Run, Vec<Work<'_>>)> = Vec::new();
    for run in runs(experiment, &layers, labels.n_samples())? {
        let mut pending = Vec::new();
        for estimator in estimators {
            let made_from = json!({ "estimator": estimator.id(), "activations": run.hashes, "samples": samples_hash });
            let work = Pending::new(&root, &format!("{}/{}", estimator.id(), run.id), &made_from);
            if work.finished()?.is_none() {
                pending.push((estimator.as_ref(), work));
            }
        }
        if !pending.is_empty() {
            todo.push((run, pending));
        }
    }
    if todo.is_empty() {
        return Ok(Outcome::UpToDate);
    }

    let _lock = Lock::take(&root)?;
    let n_epochs = |run: &Run| run.layers.iter().map(|(_, reader)| reader.epochs().len() as u64).sum::<u64>();
    progress.begin("estimate", todo.iter().map(|(run, pending)| n_epochs(run) * pending.len() as u64).sum());
    let done: Result<Vec<(usize, usize)>, StageError> = todo
        .par_iter()
        .map(|(run, pending)| {
            let tables = estimate_run(run, pending, &labels, progress)?;
            tracing::debug!(run = %run.id, estimators = pending.len(), "estimated");
            let mut counts = (0, 0);
            for ((estimator, work), rows) in pending.iter().zip(tables) {
                let footer = Footer::from([
                    ("infoplane.config_hash".to_owned(), work.key().to_owned()),
                    ("infoplane.quantity".to_owned(), estimator.quantity()),
                ]);
                let file = write_rows(&root, &Experiment::estimate(&estimator.id(), &run.id), &rows, &footer)?;
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

fn labels(samples: &[SampleRow], path: &Path) -> Result<Labels, StageError> {
    let y: Vec<i32> = samples.iter().map(|row| row.y).collect();
    let p_y1: Vec<f64> = samples.iter().filter_map(|row| row.p_y1).collect();
    if p_y1.is_empty() {
        return Ok(Labels::hard(&y));
    }
    if p_y1.len() < y.len() || y.iter().any(|label| ![0, 1].contains(label)) {
        let problem = "`p_y1` must be given for every sample or for none, beside labels 0 and 1";
        return Err(StageError::Refused(format!("{}: {problem}", path.display())));
    }
    Ok(Labels::stochastic(&p_y1)?)
}

/// Every run with the activations of all of its layers.
fn runs(experiment: &Experiment, layers: &[usize], n_samples: usize) -> Result<Vec<Run>, StageError> {
    let mut runs = Vec::new();
    for id in experiment.runs()? {
        let relative: Vec<String> = layers.iter().map(|layer| Experiment::activations(*layer, &id)).collect();
        let path = |relative: &String| experiment.recording().join(relative);
        let readers = relative.iter().map(|r| ActivationReader::open(&path(r))).collect::<Result<Vec<_>, _>>()?;
        for reader in &readers {
            let n_recorded = reader.n_samples()?;
            if n_recorded != n_samples {
                return Err(StageError::Refused(format!(
                    "{}: activations of {n_recorded} samples, but the samples table has {n_samples}; record again or repair it",
                    reader.path().display()
                )));
            }
        }
        let hashes = hashes_of(experiment, &id, &relative)?;
        runs.push(Run { layers: layers.iter().copied().zip(readers).collect(), id, hashes });
    }
    Ok(runs)
}

/// Hashes of a run's files: from its manifest where this program recorded it, else from the files themselves.
fn hashes_of(experiment: &Experiment, run: &RunId, files: &[String]) -> Result<Vec<String>, StageError> {
    let root = experiment.recording();
    let manifest = Manifest::read(&root.join(format!(".meta/runs/{run}.json")))?;
    let listed = |file: &String| manifest.as_ref()?.files.iter().find(|f| f.path == *file).map(|f| f.blake3.clone());
    let hash = |file: &String| listed(file).map_or_else(|| hash_file(&root.join(file)), Ok);
    Ok(files.iter().map(hash).collect::<Result<_, _>>()?)
}

/// One table per pending estimator, sorted by layer and epoch.
fn estimate_run(
    run: &Run,
    pending: &[Work<'_>],
    labels: &Labels,
    progress: &dyn Progress,
) -> Result<Vec<Vec<EstimateRow>>, StageError> {
    let epochs = |(layer, reader)| (0..ActivationReader::epochs(reader).len()).map(move |index| (layer, reader, index));
    let jobs: Vec<(usize, &ActivationReader, usize)> =
        run.layers.iter().flat_map(|(layer, reader)| epochs((*layer, reader))).collect();
    // Collected in the order of the jobs, whichever thread does them.
    let by_job: Result<Vec<Vec<EstimateRow>>, StageError> = jobs
        .par_iter()
        .map(|(layer, reader, index)| {
            let recorded = reader.read(*index)?;
            let t = Representation::new(&recorded.t, reader.n_units());
            let row = |(estimator, _): &Work<'_>| {
                let estimate = match &t {
                    Ok(t) => estimator.estimate(*t, labels).map_err(|e| e.to_string()),
                    Err(e) => Err(e.to_string()),
                };
                progress.advance(1);
                let place = (*layer as i32, recorded.epoch, recorded.step);
                estimate_row(&estimator.id(), &run.id, place, labels.n_samples(), estimate)
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
