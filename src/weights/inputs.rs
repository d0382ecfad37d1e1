//! The inputs of measures: samples, networks and ensembles.

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
    /// No samples, another number of classes than of samples, or an input that is not finite.
    pub fn new(x: ArrayView2<'a, f64>, classes: &'a [usize]) -> Result<Self, MeasureError> {
        if x.nrows() == 0 || x.nrows() != classes.len() {
            let (n, n_classes) = (x.nrows(), classes.len());
            return Err(MeasureError::Refused(format!(
                "{n} samples have {n_classes} classes; give one class per sample"
            )));
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

    /// Whether there are no samples; always false.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }
}

/// One recorded network, with data of its training that a measure may need.
///
/// The Fisher information, which several measures use, is computed at its first use and kept.
#[derive(Debug)]
pub struct RecordedNetwork<'a> {
    /// Its weights.
    pub network: &'a DenseNetwork,
    /// The training samples.
    pub samples: Labelled<'a>,
    /// The network before training, if it was recorded.
    pub initial: Option<&'a DenseNetwork>,
    /// Number of samples per batch; `None` if all training samples are one batch, or if unknown.
    pub batch_size: Option<usize>,
    /// Seed of the random numbers of samplers.
    pub seed: u64,
    /// Full, block-diagonal by layer, diagonal.
    pub(super) fishers: [OnceLock<Curvature>; 3],
}

impl<'a> RecordedNetwork<'a> {
    /// A network and its training samples, all of them in one batch.
    ///
    /// # Errors
    /// The number of inputs differs from that of the network, or a class does not exist in its output.
    pub fn new(network: &'a DenseNetwork, samples: Labelled<'a>) -> Result<Self, MeasureError> {
        network.check(samples)?;
        Ok(Self { network, samples, initial: None, batch_size: None, seed: 0, fishers: Default::default() })
    }

    /// This network, with the network before training.
    ///
    /// # Errors
    /// Layers of another shape.
    pub fn with_initial(self, initial: &'a DenseNetwork) -> Result<Self, MeasureError> {
        let shapes = |network: &DenseNetwork| -> Vec<(usize, usize)> {
            network.layers().iter().map(|layer| layer.kernel.dim()).collect()
        };
        if shapes(initial) != shapes(self.network) {
            let problem = "the network before training has layers of another shape; use the network of the same run";
            return Err(MeasureError::Refused(problem.to_owned()));
        }
        Ok(Self { initial: Some(initial), ..self })
    }

    /// This network, trained on batches.
    ///
    /// # Errors
    /// An empty batch, or one larger than the number of samples.
    pub fn with_batch_size(self, batch_size: usize) -> Result<Self, MeasureError> {
        let n = self.samples.len();
        if batch_size == 0 || batch_size > n {
            return Err(MeasureError::Refused(format!("a batch has {batch_size} samples; 1 to {n} are allowed")));
        }
        Ok(Self { batch_size: Some(batch_size), ..self })
    }

    /// This network, with another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The Fisher information of the samples, as [`Curvature::fisher`] computes it, once for each form.
    ///
    /// # Errors
    /// See [`Curvature::fisher`].
    pub fn fisher(&self, form: CurvatureForm) -> Result<&Curvature, MeasureError> {
        let place = &self.fishers[form as usize];
        if let Some(fisher) = place.get() {
            return Ok(fisher);
        }
        let fisher = Curvature::fisher(self.network, self.samples.x(), form)?;
        Ok(place.get_or_init(|| fisher))
    }
}

/// The networks of several runs at one step.
#[derive(Debug)]
pub struct Ensemble<'a> {
    /// Their weights, one network per run.
    pub networks: &'a [DenseNetwork],
    /// The networks before training, if they were recorded.
    pub initial: Option<&'a [DenseNetwork]>,
    /// All samples of the data set.
    pub samples: Labelled<'a>,
    /// The training samples of each run; empty if the runs were not split into pairs.
    pub splits: &'a [MembershipSplit],
}

/// Pairs of samples; one sample of each pair was used for training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipSplit {
    /// The pairs, as numbers of samples.
    pub pairs: Vec<[usize; 2]>,
    /// For each pair, whether the second sample was used for training (otherwise the first).
    pub mask: Vec<bool>,
}

/// The losses of a training epoch that sees every sample for the first time.
#[derive(Debug, Clone, Copy)]
pub struct OnlineLosses<'a> {
    /// For each batch in the order of training: number of samples, and their mean loss before the update, in nats.
    pub batches: &'a [(usize, f64)],
}
