//! The start of every run of a recording: the data, the untrained network, the split, the streams of random numbers.

use std::path::Path;

use ndarray::Array2;
use rand::rngs::ChaCha8Rng;
use rand::seq::{SliceRandom, index};
use rand::{RngExt, SeedableRng};

use super::super::StageError;
use super::budget::Size;
use crate::config::{Networks, RecordedSamples, Split, StopOn, When};
use crate::nn::{BatchSize, Evaluation, Fit, Loss, Network, Samples, Targets};
use crate::sample::{Labels, Representation, SampleError, class_of, distinct};
use crate::store::schema::SampleRow;

/// Largest number of activations of one snapshot: 2 GB, which every run in training keeps in memory once.
const MOST_VALUES: u128 = 500_000_000;

/// The uses of random numbers. Each use has its own stream, so that changing one use does not change the others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Split,
    Weights,
    Batches,
    Subset,
    Probe,
    /// Dropout and noise in training.
    Draws,
    /// Noise in evaluations of the network.
    Looks,
    PrefitLabels,
    /// Shuffled or random labels, equal in all runs.
    Labels,
    /// The choice of the training sample of each pair.
    Mask,
}

/// What all runs have in common.
#[derive(Debug)]
pub(super) struct Setup<'a> {
    pub(super) networks: &'a Networks,
    x: Array2<f32>,
    labels: Labels,
    classes: Vec<usize>,
    n_classes: usize,
    /// Numeric targets for the squared error.
    target: Option<Array2<f32>>,
    /// The recorded steps, ascending; none for adaptive spacing.
    pub(super) steps: Option<Vec<u64>>,
    /// Largest number of runs recorded in parallel.
    pub(super) n_at_once: usize,
}

/// The training and the test samples of a run.
#[derive(Debug)]
pub(super) struct TrainTest {
    pub(super) train: Vec<usize>,
    pub(super) test: Vec<usize>,
    /// Number of test samples that form pairs with training samples at equal positions; 0 without pairs.
    pub(super) n_pairs: usize,
}

impl<'a> Setup<'a> {
    /// Prepares the data. Faults of the pipeline or the data are reported here, before anything is written.
    pub(super) fn new(networks: &'a Networks, rows: &[SampleRow], path: &Path) -> Result<Self, StageError> {
        let refused = |problem: String| Err(StageError::Refused(problem));
        let of_file = |e: SampleError| StageError::Refused(format!("{}: {e}", path.display()));
        let y: Vec<i32> = rows.iter().map(|row| row.y).collect();
        let p_y1: Vec<Option<f64>> = rows.iter().map(|row| row.p_y1).collect();
        let distinct_labels = distinct(&y);
        if rows.iter().any(|row| row.x.is_none()) {
            let problem = "has hashes of X (`x_hash`) instead of X; networks can only be trained on X";
            return Err(of_path(path, problem));
        }
        let n_inputs = rows.first().map_or(0, |row| row.x().len());
        let values: Vec<f32> = rows.iter().flat_map(|row| row.x()).copied().collect();
        Representation::new(&values, n_inputs).map_err(of_file)?;
        let labels = Labels::new(&y, &p_y1).map_err(of_file)?;
        let x = Array2::from_shape_vec((rows.len(), n_inputs), values).expect("x has one width in its file");
        let classes = y.iter().map(|label| class_of(&distinct_labels, *label)).collect();
        let target = match networks.training.loss {
            Loss::SquaredError => target(rows).map_err(|problem| of_path(path, &problem))?,
            Loss::CrossEntropy => None,
        };
        if networks.stop.is_some() && target.is_some() {
            return refused("`stop` needs an accuracy, but numeric targets have none; leave out `stop`".to_owned());
        }
        let mut setup =
            Self { networks, x, labels, classes, n_classes: distinct_labels.len(), target, steps: None, n_at_once: 1 };
        let (n_train, n) = (setup.n_train(), rows.len());
        if n_train == 0 {
            let share = networks.train_fraction;
            return refused(format!(
                "`train_fraction` {share} of {n} samples is less than one training sample; use a larger `train_fraction`"
            ));
        }
        if networks.split == Split::Membership && 2 * n_train > n {
            return refused(format!(
                "`split = \"membership\"` needs pairs of samples: {n_train} pairs are more than the {n} samples; use an even number of samples or a smaller `train_fraction`"
            ));
        }
        if let Some(masks) = networks.masks.filter(|masks| !networks.n_runs.is_multiple_of(*masks)) {
            let n_runs = networks.n_runs;
            return refused(format!("`runs` must be a multiple of `masks`, got {n_runs} runs and {masks} masks"));
        }
        let n_recorded = match networks.record.samples {
            RecordedSamples::All => n,
            RecordedSamples::Train => n_train,
            RecordedSamples::Test if n_train == n => {
                return refused(
                    "`samples = \"test\"`, but all samples are used for training; use a smaller `train_fraction`"
                        .to_owned(),
                );
            }
            RecordedSamples::Test => n - n_train,
            RecordedSamples::Subset(wanted) if wanted > n => {
                return refused(format!("`samples` must be at most {n}, the number of samples; got {wanted}"));
            }
            RecordedSamples::Subset(wanted) => wanted,
        };
        let n_outputs = setup.samples().targets.n_outputs();
        let n_outputs_of_all = n_outputs as u128 * n as u128;
        if n_outputs_of_all > MOST_VALUES {
            return refused(format!(
                "{n_outputs} output units for {n} samples make {n_outputs_of_all} values, more than {MOST_VALUES}; the labels of {} may be a column of identifiers; import other labels with `--y`",
                path.display()
            ));
        }
        let size = Size { n_inputs, n_outputs, n_samples: n, n_recorded, n_parameters: 0 };
        let n_values = size.snapshot_values(networks);
        if n_values > MOST_VALUES {
            return refused(format!(
                "one snapshot would be {n_values} activations, more than {MOST_VALUES}; record fewer `samples`, or use narrower layers"
            ));
        }
        if networks.stop.is_some_and(|stop| stop.samples == StopOn::Test) && n_train == n {
            return refused(
                "`stop` uses test samples, but all samples are used for training; use a smaller `train_fraction`"
                    .to_owned(),
            );
        }
        let batch = match networks.training.batch_size {
            BatchSize::Full => n_train,
            BatchSize::Mini(size) => size.min(n_train),
        };
        if networks.architecture.couples_samples() && (batch == 1 || n_train % batch == 1) {
            return refused(format!(
                "batch normalisation needs at least 2 samples per batch, but {n_train} training samples in batches of {batch} leave a last batch of 1; choose another `batch` or `train_fraction`"
            ));
        }
        let network = setup.network(0)?;
        // A single large network uses all cores.
        if !network.is_large() {
            setup.n_at_once = Size { n_parameters: network.n_parameters(), ..size }.n_at_once(networks);
        }
        if let When::Fixed { epochs, steps } = &networks.record.when {
            let per_epoch = setup.steps_per_epoch();
            let within = steps.up_to(networks.training.n_epochs * per_epoch).map_err(StageError::Refused)?;
            let mut recorded: Vec<u64> = epochs.iter().map(|epoch| epoch * per_epoch).chain(within).collect();
            recorded.sort_unstable();
            recorded.dedup();
            setup.steps = Some(recorded);
        }
        Ok(setup)
    }

    /// The last recorded step, at which the training ends.
    pub(super) fn last_step(&self) -> u64 {
        let whole = self.networks.training.n_epochs * self.steps_per_epoch();
        self.steps.as_ref().map_or(whole, |steps| steps.last().copied().unwrap_or(0))
    }

    pub(super) fn steps_per_epoch(&self) -> u64 {
        match self.networks.training.batch_size {
            BatchSize::Full => 1,
            BatchSize::Mini(size) => self.n_train().div_ceil(size) as u64,
        }
    }

    /// Whole passes over the training samples after `step` updates.
    pub(super) fn epoch(&self, step: u64) -> u64 {
        step / self.steps_per_epoch()
    }

    pub(super) fn n_train(&self) -> usize {
        (self.networks.train_fraction * self.n_samples() as f64).round_ties_even() as usize
    }

    pub(super) fn n_samples(&self) -> usize {
        self.classes.len()
    }

    pub(super) fn samples(&self) -> Samples<'_> {
        let targets = match &self.target {
            Some(values) => Targets::Numbers(values.view()),
            None => Targets::Classes { classes: &self.classes, n_classes: self.n_classes },
        };
        Samples { x: self.x.view(), targets }
    }

    /// The untrained network of a run.
    pub(super) fn network(&self, run: usize) -> Result<Network, StageError> {
        let mut rng = self.stream(run, Purpose::Weights);
        let n_outputs = self.samples().targets.n_outputs();
        Ok(Network::new(self.x.ncols(), &self.networks.architecture, n_outputs, &mut rng)?)
    }

    /// The random numbers of noisy layers in an evaluation of the network at `step`; equal in every evaluation.
    pub(super) fn looking(&self, run: usize, step: u64) -> ChaCha8Rng {
        // Room for 2³⁶ numbers per evaluation.
        let mut draws = self.stream(run, Purpose::Looks);
        draws.set_word_pos(u128::from(step) << 36);
        draws
    }

    /// The fit of an evaluated network on some samples; `None` without samples.
    pub(super) fn fit(&self, evaluation: &Evaluation<'_>, samples: &[usize]) -> Option<Fit> {
        evaluation.fit(self.networks.architecture.output, self.networks.training.loss, samples)
    }

    pub(super) fn stream(&self, run: usize, purpose: Purpose) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.networks.seed);
        rng.set_stream(((run as u64) << 8) | purpose as u64);
        rng
    }

    pub(super) fn split(&self, run: usize) -> TrainTest {
        let mut train: Vec<usize> = (0..self.n_samples()).collect();
        match self.networks.split {
            Split::Ordered => {}
            Split::Shuffled => train.shuffle(&mut self.stream(run, Purpose::Split)),
            Split::Fixed => train.shuffle(&mut self.stream(0, Purpose::Split)),
            Split::Membership => {
                let supersample = run / self.networks.masks.unwrap_or(usize::MAX);
                train.shuffle(&mut self.stream(supersample, Purpose::Split));
                let mut mask = self.stream(run, Purpose::Mask);
                for pair in 0..self.n_train() {
                    if mask.random::<bool>() {
                        train.swap(pair, self.n_train() + pair);
                    }
                }
            }
        }
        let test = train.split_off(self.n_train());
        let n_pairs = if self.networks.split == Split::Membership { train.len() } else { 0 };
        TrainTest { train, test, n_pairs }
    }

    /// The samples whose activations are recorded, ascending.
    pub(super) fn recorded(&self, parts: &TrainTest) -> Vec<usize> {
        let n = self.n_samples();
        let mut chosen = match self.networks.record.samples {
            RecordedSamples::All => (0..n).collect(),
            RecordedSamples::Train => parts.train.clone(),
            RecordedSamples::Test => parts.test.clone(),
            RecordedSamples::Subset(wanted) => {
                index::sample(&mut self.stream(0, Purpose::Subset), n, wanted).into_vec()
            }
        };
        chosen.sort_unstable();
        chosen
    }

    /// The labels of some samples.
    pub(super) fn labels(&self, chosen: &[i32]) -> Labels {
        self.labels.of(chosen)
    }
}

/// Numeric targets of all samples, or `None`.
fn target(rows: &[SampleRow]) -> Result<Option<Array2<f32>>, String> {
    let width = rows.first().and_then(|row| row.target.as_ref()).map_or(0, Vec::len);
    if let Some(row) = rows.iter().find(|row| row.target.as_ref().map_or(0, Vec::len) != width) {
        return Err(format!("sample {}: `target` must have {width} values, as in the first sample", row.sample));
    }
    let values: Vec<f32> = rows.iter().filter_map(|row| row.target.as_ref()).flatten().copied().collect();
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(format!("sample {}: `target` is {}; targets must be finite numbers", at / width, values[at]));
    }
    let shaped = Array2::from_shape_vec((rows.len(), width), values).expect("every row has the width");
    Ok((width > 0).then_some(shaped))
}

fn of_path(path: &Path, problem: &str) -> StageError {
    StageError::Refused(format!("{}: {problem}", path.display()))
}
