//! What measures are applied to.

use ndarray::ArrayView2;

use super::MeasureError;
use super::dense::DenseNetwork;

/// Samples with their classes.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    x: ArrayView2<'a, f64>,
    classes: &'a [usize],
}

impl<'a> Labelled<'a> {
    /// The inputs `x`, n_samples × n_inputs, and the class of each, counted from 0.
    ///
    /// # Errors
    /// No samples; not as many classes as samples; an input that is not finite.
    pub fn new(x: ArrayView2<'a, f64>, classes: &'a [usize]) -> Result<Self, MeasureError> {
        if x.nrows() == 0 || x.nrows() != classes.len() {
            let (n, n_classes) = (x.nrows(), classes.len());
            return Err(MeasureError::Refused(format!("{n} samples have {n_classes} classes; give one for each")));
        }
        if x.iter().any(|value| !value.is_finite()) {
            return Err(MeasureError::NotFinite { what: "an input" });
        }
        Ok(Self { x, classes })
    }

    /// The inputs, n_samples × n_inputs.
    pub fn x(&self) -> ArrayView2<'a, f64> {
        self.x
    }

    /// The class of each sample.
    pub fn classes(&self) -> &'a [usize] {
        self.classes
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none, which cannot be.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }
}

/// One recorded network, with what a measure may need of its training.
#[derive(Debug)]
pub struct RecordedNetwork<'a> {
    /// Its weights.
    pub network: &'a DenseNetwork,
    /// The samples that it was trained on.
    pub samples: Labelled<'a>,
    /// The same network before training, where it was recorded.
    pub initial: Option<&'a DenseNetwork>,
    /// Samples in a batch; `None` where all training samples are one batch, or where it is not known.
    pub batch_size: Option<usize>,
    /// Where random numbers of samplers begin.
    pub seed: u64,
}

/// The networks of several runs at one step, which differ in what is random.
#[derive(Debug)]
pub struct Ensemble<'a> {
    /// Their weights, a run each.
    pub networks: &'a [DenseNetwork],
    /// The same networks before training, where they were recorded.
    pub initial: Option<&'a [DenseNetwork]>,
    /// All samples of the data.
    pub samples: Labelled<'a>,
    /// Of each run, which samples were trained on; empty where the runs were not split into pairs.
    pub splits: &'a [MembershipSplit],
}

/// Pairs of samples, of each of which one was trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipSplit {
    /// The pairs, as numbers of samples.
    pub pairs: Vec<[usize; 2]>,
    /// Of each pair, whether the second was trained on, and not the first.
    pub mask: Vec<bool>,
}

/// The losses of a training that sees every sample for the first time.
#[derive(Debug, Clone, Copy)]
pub struct OnlineLosses<'a> {
    /// Of each batch in the order of training: number of samples, and their mean loss before the update, in nats.
    pub batches: &'a [(usize, f64)],
}
