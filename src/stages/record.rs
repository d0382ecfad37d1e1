//! The record stage: trains R networks and writes down what each layer does with every sample, once.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde_json::json;

use super::{Outcome, Progress, StageError};
use crate::config::{Data, Pipeline, Split};
use crate::nn::{Evaluation, GradientStatistics, Network, Samples, Training};
use crate::sample::{Representation, class_of, distinct};
use crate::store::schema::{EpochRow, GradientRow, SampleRow, SplitRow, WeightRow};
use crate::store::{
    ActivationWriter, Experiment, FileRecord, Footer, Lock, Pending, RowWriter, RunId, data_file, hash_file,
    move_folder, read_samples, remove_folder, write_rows,
};

/// What to do with a recording that was made with other settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse to touch it.
    Keep,
    /// Remove it and record anew.
    Overwrite,
}

/// Activations of one epoch that fit into 2 GB, which every run in training holds once.
const MOST_VALUES: u128 = 500_000_000;

/// What draws random numbers: each use has a stream of its own, so that changing one leaves the others as they are.
#[derive(Clone, Copy)]
enum Purpose {
    Split,
    Weights,
    Batches,
}

/// The samples in the form that training needs.
struct TrainingData {
    x: Array2<f32>,
    classes: Vec<usize>,
    n_classes: usize,
}

/// Trains and records every run of `pipeline` that is not recorded yet.
///
/// # Errors
/// The data are missing or do not fit, another recording is in the way, the disk is full. Finished runs stay.
pub fn record(
    pipeline: &Pipeline,
    experiment: &Experiment,
    existing: Existing,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let root = experiment.recording();
    let data_path = data_path(&pipeline.data)?;
    let settings = json!({ "run": pipeline.run_settings(), "data": hash_file(&data_path)? });
    let whole = Pending::new(&root, "manifest", &json!({ "runs": pipeline.n_runs, "settings": settings }));
    if whole.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let rows = read_samples(&data_path)?;
    let data = training_data(&rows, pipeline)?;
    let claim = Pending::new(&root, "settings", &settings);
    if existing == Existing::Overwrite && claim.existing()?.is_none_or(|manifest| manifest.key != claim.key()) {
        return replace(experiment, || record_runs(pipeline, &root, &settings, &whole, &claim, &rows, &data, progress));
    }
    refuse_other_recordings(&claim, &whole, pipeline.n_runs, &root)?;
    record_runs(pipeline, &root, &settings, &whole, &claim, &rows, &data, progress)
}

/// Does `work` with the recording and all that was made from it out of the way; they are removed when it succeeds and put
/// back when it fails.
fn replace(experiment: &Experiment, work: impl FnOnce() -> Result<Outcome, StageError>) -> Result<Outcome, StageError> {
    let aside = experiment.root().join(".meta/replaced");
    let folders = [experiment.recording(), experiment.estimates()];
    let names = ["recording", "estimates"];
    remove_folder(&aside)?;
    for (folder, name) in folders.iter().zip(names) {
        move_folder(folder, &aside.join(name))?;
    }
    let outcome = work();
    if outcome.is_err() {
        for (folder, name) in folders.iter().zip(names) {
            remove_folder(folder)?;
            move_folder(&aside.join(name), folder)?;
        }
    }
    remove_folder(&aside)?;
    outcome
}

#[expect(clippy::too_many_arguments, reason = "the parts of one recording, prepared by the only caller")]
fn record_runs(
    pipeline: &Pipeline,
    root: &Path,
    settings: &serde_json::Value,
    whole: &Pending,
    claim: &Pending,
    rows: &[SampleRow],
    data: &TrainingData,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    let _lock = Lock::take(root)?;
    // Before anything else: whose recording this is.
    claim.finish(Vec::new())?;
    let footer = Footer::from([("infoplane.config_hash".to_owned(), claim.key().to_owned())]);
    let samples = write_rows(root, Experiment::SAMPLES, rows, &footer)?;
    progress.begin("record", pipeline.n_runs as u64 * pipeline.n_epochs);
    let n_done = AtomicUsize::new(0);
    let recorded: Result<Vec<Recorded>, StageError> = (0..pipeline.n_runs)
        .into_par_iter()
        .map(|index| {
            let run = RunId::new(index);
            let name = format!("runs/{run}");
            let work = Pending::new(root, &name, &json!({ "id": run.to_string(), "settings": settings }));
            let recorded = match work.finished()? {
                Some(manifest) => {
                    progress.advance(pipeline.n_epochs);
                    Recorded::Before(manifest.files)
                }
                None => {
                    let files = record_run(pipeline, root, index, work.key(), data, progress)?;
                    Recorded::Now(work.finish(files)?.files)
                }
            };
            let n_done = 1 + n_done.fetch_add(1, Ordering::Relaxed);
            progress.message(&format!("{n_done} of {} runs", pipeline.n_runs));
            Ok(recorded)
        })
        .collect();
    progress.end();
    let seconds = start.elapsed().as_secs_f64();
    let (mut files, mut n_rows, mut n_bytes, mut n_runs) = (vec![samples], 0, 0, 0);
    for run in recorded? {
        if let Recorded::Now(files) = &run {
            n_rows += files.iter().map(|file| file.rows).sum::<u64>();
            n_bytes += files.iter().map(|file| file.bytes).sum::<u64>();
            n_runs += 1;
        }
        let (Recorded::Now(of_run) | Recorded::Before(of_run)) = run;
        files.extend(of_run);
    }
    whole.finish(files)?;
    Ok(Outcome::Done(format!(
        "{n_runs} runs, {n_rows} rows, {:.1} MB in {seconds:.1} s ({:.0} rows/s) → {}",
        n_bytes as f64 / 1e6,
        n_rows as f64 / seconds,
        root.display()
    )))
}

/// The files of a run.
enum Recorded {
    /// It was there.
    Before(Vec<FileRecord>),
    /// It was recorded by this call.
    Now(Vec<FileRecord>),
}

/// The data file of a pipeline.
///
/// # Errors
/// It is not there.
fn data_path(data: &Data) -> Result<PathBuf, StageError> {
    let (path, remedy) = match data {
        Data::Named(name) => (data_file(name), format!("run `infoplane data make {name}` first")),
        Data::File(path) => (path.clone(), "make it with `infoplane data import`".to_owned()),
    };
    if path.exists() {
        return Ok(path);
    }
    Err(StageError::Refused(format!("there is no data file {}; {remedy}", path.display())))
}

/// A recording made with other settings, or by another program, is somebody's work: it is not overwritten unasked. More
/// runs of the same settings are added to those that are there.
fn refuse_other_recordings(claim: &Pending, whole: &Pending, n_runs: usize, root: &Path) -> Result<(), StageError> {
    let refused = |what: String| {
        let remedy = "record elsewhere with `--out DIR`, or replace it with `--overwrite`";
        Err(StageError::Refused(format!("{} {what}; {remedy}", root.display())))
    };
    match claim.existing()? {
        Some(manifest) if manifest.key != claim.key() => {
            return refused("holds a recording made with other settings or data".to_owned());
        }
        None if root.join(Experiment::SAMPLES).exists() || root.join("activations").exists() => {
            return refused("holds a recording that this program did not make".to_owned());
        }
        _ => {}
    }
    let n_recorded = whole.existing()?.and_then(|manifest| manifest.made_from["runs"].as_u64()).unwrap_or(0);
    if n_recorded > n_runs as u64 {
        return refused(format!("holds {n_recorded} runs, the pipeline asks for {n_runs}"));
    }
    Ok(())
}

fn training_data(rows: &[SampleRow], pipeline: &Pipeline) -> Result<TrainingData, StageError> {
    let y: Vec<i32> = rows.iter().map(|row| row.y).collect();
    let labels = distinct(&y);
    let n_inputs = rows.first().map_or(0, |row| row.x.len());
    let values: Vec<f32> = rows.iter().flat_map(|row| row.x.iter().copied()).collect();
    Representation::new(&values, n_inputs)?;
    if n_train(pipeline, rows.len()) == 0 {
        let (share, n) = (pipeline.train_fraction, rows.len());
        return Err(StageError::Refused(format!("`train_fraction` {share} of {n} samples leaves none to train on")));
    }
    let n_values = (pipeline.hidden.iter().sum::<usize>() + labels.len()) as u128 * rows.len() as u128;
    if n_values > MOST_VALUES {
        let problem =
            format!("one epoch would be {n_values} activations, more than {MOST_VALUES}; use narrower layers");
        return Err(StageError::Refused(problem));
    }
    let x = Array2::from_shape_vec((rows.len(), n_inputs), values).expect("x has one width in its file");
    let classes = y.iter().map(|label| class_of(&labels, *label)).collect();
    let data = TrainingData { x, classes, n_classes: labels.len() };
    // What is wrong with the network is said before anything is written.
    network(pipeline, &data, 0)?;
    Ok(data)
}

/// The untrained network of a run.
fn network(pipeline: &Pipeline, data: &TrainingData, run: usize) -> Result<Network, StageError> {
    let hidden = pipeline.hidden.iter().copied();
    let widths: Vec<usize> = [data.x.ncols()].into_iter().chain(hidden).chain([data.n_classes]).collect();
    let mut rng = stream(pipeline.seed, run, Purpose::Weights);
    Ok(Network::new(&widths, pipeline.activation, pipeline.fan, &mut rng)?)
}

fn n_train(pipeline: &Pipeline, n_samples: usize) -> usize {
    (pipeline.train_fraction * n_samples as f64).round_ties_even() as usize
}

fn stream(seed: u64, run: usize, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((run as u64) << 8) | purpose as u64);
    rng
}

/// The training and the test samples of a run.
fn split(pipeline: &Pipeline, run: usize, n_samples: usize) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..n_samples).collect();
    if pipeline.split == Split::Shuffled {
        order.shuffle(&mut stream(pipeline.seed, run, Purpose::Split));
    }
    let test = order.split_off(n_train(pipeline, n_samples));
    (order, test)
}

/// The open files of one run.
struct Writers {
    run: RunId,
    epochs: RowWriter<EpochRow>,
    activations: Vec<ActivationWriter>,
    weights: Vec<RowWriter<WeightRow>>,
    gradients: Option<RowWriter<GradientRow>>,
}

fn record_run(
    pipeline: &Pipeline,
    root: &Path,
    index: usize,
    key: &str,
    data: &TrainingData,
    progress: &dyn Progress,
) -> Result<Vec<FileRecord>, StageError> {
    let run = RunId::new(index);
    let samples = Samples { x: data.x.view(), classes: &data.classes, n_classes: data.n_classes };
    let (train, test) = split(pipeline, index, data.classes.len());
    let network = network(pipeline, data, index)?;

    let footer = |layer: Option<usize>| {
        let mut footer = Footer::from([
            ("infoplane.config_hash".to_owned(), key.to_owned()),
            ("infoplane.run".to_owned(), run.to_string()),
        ]);
        footer.extend(layer.map(|layer| ("infoplane.layer".to_owned(), layer.to_string())));
        footer
    };
    let in_train: std::collections::HashSet<usize> = train.iter().copied().collect();
    let part = |sample: usize| if in_train.contains(&sample) { "train" } else { "test" };
    let splits: Vec<SplitRow> = (0..data.classes.len())
        .map(|sample| SplitRow { sample: sample as i32, split: part(sample).to_owned() })
        .collect();
    let mut files = vec![write_rows(root, &Experiment::per_run("splits", &run), &splits, &footer(None))?];

    let mut writers = open_writers(pipeline, root, &run, &network, &footer)?;
    let mut evaluation = Evaluation::new(&network, samples);
    let batches = stream(pipeline.seed, index, Purpose::Batches);
    let mut training = Training::new(network, samples, train.clone(), pipeline.training, batches);
    let mut next = pipeline.record.epochs.iter().copied().peekable();
    for epoch in 0..=pipeline.n_epochs {
        let recorded = next.next_if_eq(&epoch).is_some();
        let gradients = match (epoch, recorded && pipeline.record.gradients) {
            (0, true) => Some(training.gradients()),
            (_, true) => Some(training.epoch_with_gradients()),
            (0, false) => None,
            (_, false) => {
                training.epoch();
                None
            }
        };
        if recorded {
            evaluation.run(training.network());
            writers.write(epoch as i32, &training, &evaluation, gradients.as_deref(), &train, &test)?;
        }
        progress.advance(u64::from(epoch > 0));
    }
    files.extend(writers.commit()?);
    tracing::debug!(%run, files = files.len(), "recorded");
    Ok(files)
}

fn open_writers(
    pipeline: &Pipeline,
    root: &Path,
    run: &RunId,
    network: &Network,
    footer: &dyn Fn(Option<usize>) -> Footer,
) -> Result<Writers, StageError> {
    let (mut activations, mut weights) = (Vec::new(), Vec::new());
    for (l, layer) in network.layers().iter().enumerate() {
        let number = l + 1;
        let path = Experiment::activations(number, run);
        activations.push(ActivationWriter::create(root, &path, layer.n_units, &footer(Some(number)))?);
        if pipeline.record.weights {
            let path = Experiment::weights(number, run);
            let mut footer = footer(Some(number));
            footer.insert("infoplane.kernel_shape".to_owned(), format!("[{}, {}]", layer.n_units, layer.n_inputs));
            weights.push(RowWriter::create(root, &path, &[weight_row(0, 0, network, l)], &footer)?);
        }
    }
    let per_run = |table| Experiment::per_run(table, run);
    let gradients =
        pipeline.record.gradients.then(|| RowWriter::create(root, &per_run("gradients"), &[], &footer(None)));
    let epochs = RowWriter::create(root, &per_run("epochs"), &[], &footer(None))?;
    Ok(Writers { run: run.clone(), epochs, activations, weights, gradients: gradients.transpose()? })
}

impl Writers {
    fn write(
        &mut self,
        epoch: i32,
        training: &Training<'_>,
        evaluation: &Evaluation<'_>,
        gradients: Option<&[GradientStatistics]>,
        train: &[usize],
        test: &[usize],
    ) -> Result<(), StageError> {
        let (step, network) = (training.step() as i64, training.network());
        for (l, writer) in self.activations.iter_mut().enumerate() {
            writer.write_epoch(epoch, step, evaluation.representation(l))?;
        }
        for (l, writer) in self.weights.iter_mut().enumerate() {
            writer.append(&[weight_row(epoch, step, network, l)])?;
        }
        if let (Some(writer), Some(statistics)) = (&mut self.gradients, gradients) {
            let row = |(l, s): (usize, &GradientStatistics)| GradientRow {
                epoch,
                step,
                layer: l as i32 + 1,
                gradient_mean_norm: s.mean_norm,
                gradient_std_norm: s.std_norm,
                weight_norm: s.weight_norm,
            };
            writer.append(&statistics.iter().enumerate().map(row).collect::<Vec<_>>())?;
        }
        let fit = evaluation.fit(train).expect("a run trains on at least one sample");
        if !fit.loss_nats.is_finite() {
            return Err(StageError::Diverged { run: self.run.clone(), epoch });
        }
        let test = evaluation.fit(test);
        self.epochs.append(&[EpochRow {
            epoch,
            step,
            loss_train_nats: fit.loss_nats,
            loss_test_nats: test.map(|fit| fit.loss_nats),
            accuracy_train: fit.accuracy,
            accuracy_test: test.map(|fit| fit.accuracy),
        }])?;
        Ok(())
    }

    fn commit(self) -> Result<Vec<FileRecord>, StageError> {
        let mut files = vec![self.epochs.commit()?];
        for writer in self.activations {
            files.push(writer.commit()?);
        }
        for writer in self.weights {
            files.push(writer.commit()?);
        }
        files.extend(self.gradients.map(RowWriter::commit).transpose()?);
        Ok(files)
    }
}

fn weight_row(epoch: i32, step: i64, network: &Network, layer: usize) -> WeightRow {
    let kernel = network.kernel(layer).iter().copied().collect();
    WeightRow { epoch, step, kernel, bias: network.bias(layer).to_vec() }
}
