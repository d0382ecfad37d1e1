//! What measures are applied to.

use std::sync::OnceLock;

use ndarray::ArrayView2;

use super::MeasureError;
use super::dense::DenseNetwork;
use super::fisher::{Curvature, CurvatureForm};

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
///
/// The Fisher information, which several measures share, is computed when it is first asked for, and kept.
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
    /// Whole, by layer, diagonal.
    pub(super) fishers: [OnceLock<Curvature>; 3],
}

impl<'a> RecordedNetwork<'a> {
    /// A network and the samples that it was trained on, all of them in one batch.
    ///
    /// # Errors
    /// Samples of another width than the network's input, classes that it does not have.
    pub fn new(network: &'a DenseNetwork, samples: Labelled<'a>) -> Result<Self, MeasureError> {
        network.check(samples)?;
        Ok(Self { network, samples, initial: None, batch_size: None, seed: 0, fishers: Default::default() })
    }

    /// The same with the network before training.
    ///
    /// # Errors
    /// Layers of another shape.
    pub fn with_initial(self, initial: &'a DenseNetwork) -> Result<Self, MeasureError> {
        let shapes = |network: &DenseNetwork| -> Vec<(usize, usize)> {
            network.layers().iter().map(|layer| layer.kernel.dim()).collect()
        };
        if shapes(initial) != shapes(self.network) {
            let problem = "the network before training has layers of another shape; give that of the same run";
            return Err(MeasureError::Refused(problem.to_owned()));
        }
        Ok(Self { initial: Some(initial), ..self })
    }

    /// The same, trained on batches.
    ///
    /// # Errors
    /// A batch without samples, or of more than there are.
    pub fn with_batch_size(self, batch_size: usize) -> Result<Self, MeasureError> {
        let n = self.samples.len();
        if batch_size == 0 || batch_size > n {
            return Err(MeasureError::Refused(format!("a batch of {batch_size} samples; it has 1 to {n}")));
        }
        Ok(Self { batch_size: Some(batch_size), ..self })
    }

    /// The same with another beginning of random numbers.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The Fisher information of the samples, as [`Curvature::fisher`] computes it, once for each form.
    ///
    /// # Errors
    /// As [`Curvature::fisher`].
    pub fn fisher(&self, form: CurvatureForm) -> Result<&Curvature, MeasureError> {
        let place = &self.fishers[form as usize];
        if let Some(fisher) = place.get() {
            return Ok(fisher);
        }
        let fisher = Curvature::fisher(self.network, self.samples.x(), form)?;
        Ok(place.get_or_init(|| fisher))
    }
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
