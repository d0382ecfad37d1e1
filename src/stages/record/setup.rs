//! What every run of a recording begins from: the data, the untrained network, the split, the streams of random numbers.

use std::path::Path;

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::{SliceRandom, index};

use super::super::StageError;
use crate::config::{Pipeline, RecordedSamples, Split, When};
use crate::nn::{BatchSize, Network, Samples};
use crate::sample::{Labels, Representation, SampleError, class_of, distinct};
use crate::store::schema::SampleRow;

/// Activations of one moment that fit into 2 GB, which every run in training holds once.
const MOST_VALUES: u128 = 500_000_000;

/// What draws random numbers: each use has a stream of its own, so that changing one leaves the others as they are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Split,
    Weights,
    Batches,
    Subset,
    Probe,
    Labels,
}

/// What all runs have in common.
#[derive(Debug)]
pub(super) struct Setup<'a> {
    pub(super) pipeline: &'a Pipeline,
    x: Array2<f32>,
    labels: Labels,
    classes: Vec<usize>,
    n_classes: usize,
    /// The recorded steps, ascending; none where they are found on the way.
    pub(super) steps: Option<Vec<u64>>,
}

/// The training and the test samples of a run.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) train: Vec<usize>,
    pub(super) test: Vec<usize>,
}

impl<'a> Setup<'a> {
    /// Prepares the data; what is wrong with the pipeline or the data is said here, before anything is written.
    pub(super) fn new(pipeline: &'a Pipeline, rows: &[SampleRow], path: &Path) -> Result<Self, StageError> {
        let refused = |problem: String| Err(StageError::Refused(problem));
        let of_file = |e: SampleError| StageError::Refused(format!("{}: {e}", path.display()));
        let y: Vec<i32> = rows.iter().map(|row| row.y).collect();
        let p_y1: Vec<Option<f64>> = rows.iter().map(|row| row.p_y1).collect();
        let known = distinct(&y);
        let n_inputs = rows.first().map_or(0, |row| row.x.len());
        let values: Vec<f32> = rows.iter().flat_map(|row| row.x.iter().copied()).collect();
        Representation::new(&values, n_inputs).map_err(of_file)?;
        let labels = Labels::new(&y, &p_y1).map_err(of_file)?;
        let x = Array2::from_shape_vec((rows.len(), n_inputs), values).expect("x has one width in its file");
        let classes = y.iter().map(|label| class_of(&known, *label)).collect();
        let mut setup = Self { pipeline, x, labels, classes, n_classes: known.len(), steps: None };
        let (n_train, n) = (setup.n_train(), rows.len());
        if n_train == 0 {
            let share = pipeline.train_fraction;
            return refused(format!("`train_fraction` {share} of {n} samples leaves none to train on"));
        }
        let n_recorded = match pipeline.record.samples {
            RecordedSamples::All => n,
            RecordedSamples::Train => n_train,
            RecordedSamples::Test if n_train == n => {
                return refused("`samples = \"test\"`: all samples train, none is left to test".to_owned());
            }
            RecordedSamples::Test => n - n_train,
            RecordedSamples::Subset(wanted) if wanted > n => {
                return refused(format!("`samples = {wanted}` of {n} samples; ask for {n} at most"));
            }
            RecordedSamples::Subset(wanted) => wanted,
        };
        let n_copies = if pipeline.record.pre_activations { 2 } else { 1 };
        let n_values = n_copies * (pipeline.hidden.iter().sum::<usize>() + known.len()) as u128 * n_recorded as u128;
        if n_values > MOST_VALUES {
            return refused(format!(
                "one moment would be {n_values} activations, more than {MOST_VALUES}; record fewer `samples`, or use narrower layers"
            ));
        }
        setup.network(0)?;
        if let When::Fixed { epochs, steps } = &pipeline.record.when {
            let per_epoch = setup.steps_per_epoch();
            let within = steps.up_to(pipeline.n_epochs * per_epoch).map_err(StageError::Refused)?;
            let mut all: Vec<u64> = epochs.iter().map(|epoch| epoch * per_epoch).chain(within).collect();
            all.sort_unstable();
            all.dedup();
            setup.steps = Some(all);
        }
        Ok(setup)
    }

    /// The last step that is recorded; there is no need to train further.
    pub(super) fn last_step(&self) -> u64 {
        let whole = self.pipeline.n_epochs * self.steps_per_epoch();
        self.steps.as_ref().map_or(whole, |steps| steps.last().copied().unwrap_or(0))
    }

    pub(super) fn steps_per_epoch(&self) -> u64 {
        match self.pipeline.training.batch_size {
            BatchSize::Full => 1,
            BatchSize::Mini(size) => self.n_train().div_ceil(size) as u64,
        }
    }

    pub(super) fn n_train(&self) -> usize {
        (self.pipeline.train_fraction * self.n_samples() as f64).round_ties_even() as usize
    }

    pub(super) fn n_samples(&self) -> usize {
        self.classes.len()
    }

    pub(super) fn samples(&self) -> Samples<'_> {
        Samples { x: self.x.view(), classes: &self.classes, n_classes: self.n_classes }
    }

    /// The untrained network of a run.
    pub(super) fn network(&self, run: usize) -> Result<Network, StageError> {
        let hidden = self.pipeline.hidden.iter().copied();
        let widths: Vec<usize> = [self.x.ncols()].into_iter().chain(hidden).chain([self.n_classes]).collect();
        let mut rng = self.stream(run, Purpose::Weights);
        Ok(Network::new(&widths, self.pipeline.activation, self.pipeline.fan, &mut rng)?)
    }

    pub(super) fn stream(&self, run: usize, purpose: Purpose) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.pipeline.seed);
        rng.set_stream(((run as u64) << 8) | purpose as u64);
        rng
    }

    pub(super) fn split(&self, run: usize) -> Parts {
        let mut train: Vec<usize> = (0..self.n_samples()).collect();
        if self.pipeline.split == Split::Shuffled {
            train.shuffle(&mut self.stream(run, Purpose::Split));
        }
        let test = train.split_off(self.n_train());
        Parts { train, test }
    }

    /// The samples whose activations are recorded, ascending.
    pub(super) fn recorded(&self, parts: &Parts) -> Vec<usize> {
        let n = self.n_samples();
        let mut chosen = match self.pipeline.record.samples {
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
