//! The record stage: trains R networks and writes down what each layer does with every sample, once.

use std::path::{Path, PathBuf};
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
use crate::sample::{class_of, distinct};
use crate::store::schema::{EpochRow, GradientRow, SampleRow, SplitRow, WeightRow};
use crate::store::{
    ActivationWriter, Experiment, FileRecord, Footer, Pending, RowWriter, RunId, data_file, hash_file, read_rows,
    remove_folder, write_rows,
};

/// What to do with a recording that was made with other settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse to touch it.
    Keep,
    /// Remove it and record anew.
    Overwrite,
}

/// What draws random numbers: each use has a stream of its own, so that changing one leaves the others as they are.
#[derive(Clone, Copy)]
enum Purpose {
    Split,
    Weights,
    Batches,
}

/// The samples in the form that training needs.
struct Data32 {
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
    let run_ids: Vec<RunId> = (0..pipeline.n_runs).map(RunId::new).collect();
    let works: Vec<Pending> = run_ids
        .iter()
        .map(|run| Pending::new(&root, &format!("runs/{run}"), &json!({ "id": run.to_string(), "settings": settings })))
        .collect();
    match existing {
        Existing::Overwrite => remove_folder(&root)?,
        Existing::Keep => refuse_other_recordings(&whole, &works, &root)?,
    }

    let start = Instant::now();
    let rows: Vec<SampleRow> = read_rows(&data_path)?;
    let data = data32(&rows)?;
    let footer = Footer::from([("infoplane.config_hash".to_owned(), whole.key().to_owned())]);
    let mut files = vec![write_rows(&root, Experiment::SAMPLES, &rows, &footer)?];
    progress.begin("record", pipeline.n_runs as u64 * pipeline.n_epochs);
    let n_done = std::sync::atomic::AtomicUsize::new(0);
    let recorded: Result<Vec<Vec<FileRecord>>, StageError> = (0..pipeline.n_runs)
        .into_par_iter()
        .map(|index| {
            let work = &works[index];
            let files = match work.finished()? {
                Some(manifest) => {
                    progress.advance(pipeline.n_epochs);
                    manifest.files
                }
                None => work.finish(record_run(pipeline, &root, index, work.key(), &data, progress)?)?.files,
            };
            let n_done = 1 + n_done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            progress.message(&format!("{n_done} of {} runs", pipeline.n_runs));
            Ok(files)
        })
        .collect();
    progress.end();
    files.extend(recorded?.into_iter().flatten());
    let seconds = start.elapsed().as_secs_f64();
    let (rows, bytes) = files.iter().fold((0, 0), |(rows, bytes), file| (rows + file.rows, bytes + file.bytes));
    whole.finish(files)?;
    let text = format!(
        "{} runs, {rows} rows, {:.1} MB in {seconds:.1} s ({:.0} rows/s) → {}",
        pipeline.n_runs,
        bytes as f64 / 1e6,
        rows as f64 / seconds,
        root.display()
    );
    Ok(Outcome::Done(text))
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

/// A recording made with other settings is somebody's work: it is not overwritten unasked. More runs of the same
/// settings are added to those that are there.
fn refuse_other_recordings(whole: &Pending, works: &[Pending], root: &Path) -> Result<(), StageError> {
    let refused = |what: String| {
        let remedy = "record elsewhere with `--out DIR`, or replace it with `--overwrite`";
        Err(StageError::Refused(format!("{} {what}; {remedy}", root.display())))
    };
    for work in works {
        if work.existing()?.is_some_and(|manifest| manifest.key != work.key()) {
            return refused("holds a recording made with other settings or data".to_owned());
        }
    }
    let n_recorded = whole.existing()?.and_then(|manifest| manifest.made_from["runs"].as_u64()).unwrap_or(0);
    if n_recorded > works.len() as u64 {
        return refused(format!("holds {n_recorded} runs, the pipeline asks for {}", works.len()));
    }
    Ok(())
}

fn data32(rows: &[SampleRow]) -> Result<Data32, StageError> {
    let y: Vec<i32> = rows.iter().map(|row| row.y).collect();
    let labels = distinct(&y);
    let n_inputs = rows.first().map_or(0, |row| row.x.len());
    let values: Vec<f32> = rows.iter().flat_map(|row| row.x.iter().copied()).collect();
    crate::sample::Representation::new(&values, n_inputs)?;
    let x = Array2::from_shape_vec((rows.len(), n_inputs), values).expect("x has one width in its file");
    Ok(Data32 { x, classes: y.iter().map(|label| class_of(&labels, *label)).collect(), n_classes: labels.len() })
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
    let n_train = (pipeline.train_fraction * n_samples as f64).round_ties_even() as usize;
    let test = order.split_off(n_train.clamp(1, n_samples));
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
    data: &Data32,
    progress: &dyn Progress,
) -> Result<Vec<FileRecord>, StageError> {
    let run = RunId::new(index);
    let samples = Samples { x: data.x.view(), classes: &data.classes, n_classes: data.n_classes };
    let (train, test) = split(pipeline, index, data.classes.len());
    let widths: Vec<usize> =
        [data.x.ncols()].into_iter().chain(pipeline.hidden.iter().copied()).chain([data.n_classes]).collect();
    let mut rng = stream(pipeline.seed, index, Purpose::Weights);
    let network = Network::new(&widths, pipeline.activation, pipeline.fan, &mut rng)?;

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
