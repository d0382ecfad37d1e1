//! Properties of recorded networks in addition to their weights: activation functions, samples, batches, seeds.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{Array2, Axis};

use super::super::StageError;
use super::agreement;
use super::networks::{NetworkPlace, RunWeights};
use super::plan::MeasureWork;
use crate::config::{MeasureRequest, measured_activations, recorded_architecture};
use crate::estimate_id::Samples;
use crate::nn::Activation;
use crate::sample::{class_of, distinct};
use crate::store::schema::{OnlineLossRow, Row, SampleRow, SplitRow};
use crate::store::{Experiment, Manifest, Recording, RunId, hash_bytes, read_recorded, read_samples, verified_hash};
use crate::suggest::Named;
use crate::weights::{DenseNetwork, Labelled, MeasureError, MembershipSplit, RecordedNetwork};

/// A recording and its settings.
pub(super) struct Given {
    pub(super) recording: Recording,
    pub(super) n_inputs: usize,
    /// Samples per batch; `None` for full batches, and if it is unknown.
    pub(super) batch_size: Option<usize>,
    /// The activation function of each hidden layer; for recordings of another program, of all hidden layers.
    hidden: Hidden,
    seed: u64,
    samples: RunSamples,
}

/// The activation functions of the hidden layers.
enum Hidden {
    Each(Vec<Activation>),
    Every(Activation),
}

/// Samples of a run in the numbers of the measures.
pub(super) struct RunSamples {
    x: Array2<f64>,
    classes: Vec<usize>,
    /// Number of training samples of the run, if it is recorded.
    n_train: Option<usize>,
}

impl RunSamples {
    pub(super) fn labelled(&self) -> Labelled<'_> {
        Labelled::new(self.x.view(), &self.classes).expect("they were checked when they were read")
    }
}

impl Given {
    /// Reads the samples and the settings of a recording, for measures that `requests` ask for.
    pub(super) fn read(
        experiment: &Experiment,
        recording: Recording,
        requests: &[MeasureRequest],
    ) -> Result<Self, StageError> {
        let root = experiment.recording();
        let claim = Manifest::read(&root.join(".meta/settings.json"))?;
        let settings = claim.map_or(serde_json::Value::Null, |claim| claim.made_from["run"].clone());
        let hidden = hidden(&settings, requests)?;
        verified_hash(&root, "settings", Experiment::SAMPLES)?;
        let rows = read_samples(&root.join(Experiment::SAMPLES))?;
        let samples = samples(&rows)?;
        Ok(Self {
            recording,
            n_inputs: samples.x.ncols(),
            batch_size: settings["batch"].as_u64().map(|size| size as usize),
            hidden,
            seed: settings["seed"].as_u64().unwrap_or(0),
            samples,
        })
    }

    /// The activation functions of a network with `n_layers` above the input; that of the output is not used.
    pub(super) fn activations(&self, n_layers: usize) -> Result<Vec<Activation>, StageError> {
        let mut activations = match &self.hidden {
            Hidden::Each(activations) => activations.clone(),
            Hidden::Every(activation) => vec![*activation; n_layers.saturating_sub(1)],
        };
        if activations.len() + 1 != n_layers {
            return Err(StageError::Refused(format!(
                "the recording has weights of {n_layers} layers, but its settings describe {}; record it again",
                activations.len() + 1
            )));
        }
        activations.push(Activation::Linear);
        Ok(activations)
    }

    /// Makes sure that the last network of a run reproduces its activations, if another program recorded it.
    pub(super) fn agrees(&self, run: usize, weights: &RunWeights<'_>) -> Result<(), StageError> {
        let last = weights.places().last().copied().filter(|_| matches!(self.hidden, Hidden::Every(_)));
        let Some(last) = last else { return Ok(()) };
        let networks = weights.at(&[last])?;
        networks.first().map_or(Ok(()), |network| agreement::check(self, run, last, network))
    }

    /// A network of a run, with properties of its training for measures.
    pub(super) fn recorded<'a>(
        &self,
        run: usize,
        place: NetworkPlace,
        network: &'a DenseNetwork,
        initial: Option<&'a DenseNetwork>,
        samples: &'a RunSamples,
    ) -> Result<RecordedNetwork<'a>, MeasureError> {
        let labelled = samples.labelled();
        let mut recorded = RecordedNetwork::new(network, labelled)?.with_seed(self.seed(run, place));
        if let Some(initial) = initial {
            recorded = recorded.with_initial(initial)?;
        }
        // A batch of all training samples counts as no batch.
        let is_part = |size: &usize| *size < samples.n_train.unwrap_or(labelled.len()) && *size <= labelled.len();
        match self.batch_size.filter(is_part) {
            Some(size) => recorded.with_batch_size(size),
            None => Ok(recorded),
        }
    }

    /// All samples of the data.
    pub(super) fn all_samples(&self) -> &RunSamples {
        &self.samples
    }

    /// The samples of a part of the data in run number `run`.
    pub(super) fn samples(&self, run: usize, part: Samples) -> Result<RunSamples, StageError> {
        let RunSamples { x, classes, .. } = &self.samples;
        let splits = self.splits(run)?;
        let rows: Vec<usize> = match part {
            Samples::All | Samples::Distribution => (0..classes.len()).collect(),
            Samples::Train | Samples::Test => {
                if splits.is_empty() {
                    return Err(StageError::Refused(format!(
                        "the training samples of run {} are not recorded; use `--samples all`",
                        self.recording.runs()[run].id
                    )));
                }
                splits.iter().filter(|row| row.split == part.name()).map(|row| row.sample as usize).collect()
            }
        };
        if rows.is_empty() || rows.iter().any(|row| *row >= classes.len()) {
            let (name, id) = (part.name(), &self.recording.runs()[run].id);
            return Err(StageError::Refused(format!("run {id} has no {name} samples; use `--samples all`")));
        }
        let n_train = splits.iter().filter(|row| row.split == Samples::Train.name()).count();
        Ok(RunSamples {
            x: x.select(Axis(0), &rows),
            classes: rows.iter().map(|row| classes[*row]).collect(),
            n_train: (n_train > 0).then_some(n_train),
        })
    }

    fn splits(&self, run: usize) -> Result<Vec<SplitRow>, StageError> {
        let run = &self.recording.runs()[run];
        run.verify(SplitRow::TABLE, None)?;
        Ok(read_recorded(&run.parts(SplitRow::TABLE, None))?)
    }

    /// Whether all `runs` were trained on the same samples; `None` if the samples of a run are unknown.
    pub(super) fn have_same_samples(&self, runs: &[usize]) -> Result<Option<bool>, StageError> {
        let train = |run: &usize| -> Result<BTreeSet<i32>, StageError> {
            let splits = self.splits(*run)?;
            Ok(splits.iter().filter(|row| row.split == Samples::Train.name()).map(|row| row.sample).collect())
        };
        let by_run: Vec<BTreeSet<i32>> = runs.iter().map(train).collect::<Result<_, _>>()?;
        if by_run.iter().any(BTreeSet::is_empty) {
            return Ok(None);
        }
        Ok(Some(by_run.windows(2).all(|pair| pair[0] == pair[1])))
    }

    /// The pairs of a run, and which sample of each pair was trained on; `None` if it was not trained on pairs.
    pub(super) fn membership(&self, run: usize) -> Result<Option<MembershipSplit>, StageError> {
        let splits = self.splits(run)?;
        let mut pairs: BTreeMap<i32, Vec<(usize, bool)>> = BTreeMap::new();
        for row in &splits {
            if let Some(pair) = row.pair {
                pairs.entry(pair).or_default().push((row.sample as usize, row.split == Samples::Train.name()));
            }
        }
        let mut found = MembershipSplit { pairs: Vec::new(), mask: Vec::new() };
        for (pair, members) in pairs {
            let [(first, first_trains), (second, second_trains)] = members[..] else {
                return Err(pair_fault(&self.recording.runs()[run].id, pair, members.len()));
            };
            if first_trains == second_trains || first.max(second) >= self.samples.classes.len() {
                return Err(pair_fault(&self.recording.runs()[run].id, pair, members.len()));
            }
            found.pairs.push([first, second]);
            found.mask.push(second_trains);
        }
        Ok((!found.pairs.is_empty()).then_some(found))
    }

    /// The losses before each update of the first epoch, and the snapshot of the last one.
    pub(super) fn online_losses(&self, run: usize) -> Result<(Vec<(usize, f64)>, NetworkPlace), StageError> {
        let run = &self.recording.runs()[run];
        run.verify(OnlineLossRow::TABLE, None)?;
        let rows: Vec<OnlineLossRow> = read_recorded(&run.parts(OnlineLossRow::TABLE, None))?;
        if rows.is_empty() {
            let problem = "no losses before each update; record them with `online_losses = true`";
            return Err(StageError::Refused(format!("run {} has {problem}", run.id)));
        }
        let last = (1, rows.last().map_or(0, |row| row.step + 1));
        Ok((rows.iter().map(|row| (row.n_samples.max(0) as usize, row.loss_nats)).collect(), last))
    }

    /// The seed of a sampler: equal for equal networks, independent of other measures.
    pub(super) fn seed(&self, run: usize, (epoch, step): NetworkPlace) -> u64 {
        let text = format!("{} {} {epoch} {step}", self.seed, self.recording.runs()[run].id);
        u64::from_str_radix(&hash_bytes(text.as_bytes())[..16], 16).expect("a hash is hexadecimal")
    }
}

fn pair_fault(run: &RunId, pair: i32, n: usize) -> StageError {
    StageError::Refused(format!(
        "run {run}: pair {pair} has {n} samples; a pair must have two samples, and one of them must be a training sample; record it again"
    ))
}

/// The indices of the works, grouped by equal samples.
pub(super) fn by_samples(works: &[&MeasureWork<'_>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, work) in works.iter().enumerate() {
        match groups.iter_mut().find(|group| works[group[0]].request.samples == work.request.samples) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

fn samples(rows: &[SampleRow]) -> Result<RunSamples, StageError> {
    if rows.iter().any(|row| row.x.is_none()) {
        let problem = "the samples have hashes instead of X, so losses cannot be computed";
        return Err(StageError::Refused(problem.to_owned()));
    }
    let labels: Vec<i32> = rows.iter().map(|row| row.y).collect();
    let label_list = distinct(&labels);
    let n_inputs = rows.first().map_or(0, |row| row.x().len());
    let values: Vec<f64> = rows.iter().flat_map(|row| row.x()).copied().map(f64::from).collect();
    let x = Array2::from_shape_vec((rows.len(), n_inputs), values).expect("x has one width in its file");
    let classes: Vec<usize> = labels.iter().map(|label| class_of(&label_list, *label)).collect();
    Labelled::new(x.view(), &classes).map_err(|e| StageError::Refused(format!("the samples: {e}")))?;
    Ok(RunSamples { x, classes, n_train: None })
}

/// The activation functions of the hidden layers, from the settings of a recording or as the requests say.
fn hidden(settings: &serde_json::Value, requests: &[MeasureRequest]) -> Result<Hidden, StageError> {
    let refused = |problem: String| Err(StageError::Refused(problem));
    let given: BTreeSet<Option<&str>> = requests.iter().map(|request| request.activation.map(Named::name)).collect();
    if given.len() > 1 {
        let names: Vec<&str> = given.iter().map(|name| name.unwrap_or("none")).collect();
        return refused(format!("`activation` must be the same for all measures, got {}", names.join(" and ")));
    }
    let given = requests.first().and_then(|request| request.activation);
    let Some(architecture) = recorded_architecture(settings) else {
        return match given {
            Some(activation) => Ok(Hidden::Every(activation)),
            None => refused(
                "the activation functions of this recording are unknown; name the activation function of the hidden layers with `--activation`"
                    .to_owned(),
            ),
        };
    };
    if given.is_some() {
        return refused("`activation` is for recordings of another program; leave it out".to_owned());
    }
    let has_cross_entropy = settings.get("loss").is_none();
    measured_activations(&architecture, has_cross_entropy).map(Hidden::Each).map_err(StageError::Refused)
}
