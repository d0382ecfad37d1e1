//! "Information in weights" (IIW) of PAC-Bayes-IB: the Fisher information along the direction from the initial
//! weights.

use ndarray::{Array2, Axis};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::weights::{DenseNetwork, Labelled, MeasureError};

/// The slopes Δw·g_n of the loss of each sample along Δw = w − w₀, by layer, and quantities derived from them.
///
/// The quantity of the paper is the mean of their squares, Δwᵀ E Δw with the empirical Fisher information E. The
/// released program squares the *sum of ten batch means divided by the number of all batches*, and treats the gradient
/// as a constant in its descent.
///
/// # Reference
/// Wang, Huang, Kuruoglu et al. 2022 ("PAC-Bayes information bottleneck"), program at commit 993d070. As in the
/// program, biases and the terms between layers are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct InformationInWeights {
    /// n_samples × n_layers.
    slopes: Array2<f64>,
}

impl InformationInWeights {
    /// The slopes of a network and the `initial` network of its run.
    ///
    /// # Errors
    /// Samples or initial weights that do not fit the network.
    pub fn new(network: &DenseNetwork, initial: &DenseNetwork, samples: Labelled<'_>) -> Result<Self, MeasureError> {
        let mut change: Vec<f64> = Vec::with_capacity(network.n_weights());
        for (layer, initial) in network.layers().iter().zip(initial.layers()) {
            change.extend(layer.kernel.iter().zip(&initial.kernel).map(|(w, w_0)| w - w_0));
            change.resize(change.len() + layer.bias.len(), 0.0);
        }
        Ok(Self { slopes: network.slopes_along(samples, &change)? })
    }

    /// (1/N) Σ_n (Δw·g_n)² of each layer.
    pub fn mean_squares(&self) -> Vec<f64> {
        let n = self.slopes.nrows() as f64;
        self.slopes.columns().into_iter().map(|slopes| slopes.iter().map(|s| s * s).sum::<f64>() / n).collect()
    }

    /// (Δw·G)² of each layer, with G the gradient of the mean loss: always 0 at a minimum.
    pub fn squared_means(&self) -> Vec<f64> {
        let n = self.slopes.nrows() as f64;
        self.slopes.sum_axis(Axis(0)).iter().map(|sum| (sum / n).powi(2)).collect()
    }

    /// The result of the released program for some `batches` of sample numbers: (Σ_b Δw·ḡ_b / ⌈N/B⌉)² of each layer,
    /// with B the size of the first batch.
    ///
    /// # Errors
    /// No batch, an empty one, a sample that does not exist.
    pub fn compat_of_batches(&self, batches: &[Vec<usize>]) -> Result<Vec<f64>, MeasureError> {
        let means = self.batch_means(batches)?;
        let n_batches = self.slopes.nrows().div_ceil(batches[0].len()) as f64;
        Ok(means.sum_axis(Axis(0)).iter().map(|sum| (sum / n_batches).powi(2)).collect())
    }

    /// The mean over `batches` of (Δw·ḡ_b)² of each layer.
    ///
    /// # Errors
    /// As [`InformationInWeights::compat_of_batches`].
    pub fn mean_squares_of_batches(&self, batches: &[Vec<usize>]) -> Result<Vec<f64>, MeasureError> {
        let means = self.batch_means(batches)?;
        let squares = means.mapv(|mean| mean * mean).sum_axis(Axis(0));
        Ok(squares.iter().map(|sum| sum / batches.len() as f64).collect())
    }

    /// Δw·ḡ_b, n_batches × n_layers.
    fn batch_means(&self, batches: &[Vec<usize>]) -> Result<Array2<f64>, MeasureError> {
        let n = self.slopes.nrows();
        let is_wrong = |batch: &Vec<usize>| batch.is_empty() || batch.iter().any(|sample| *sample >= n);
        if batches.is_empty() || batches.iter().any(is_wrong) {
            let problem = format!("batches must have at least one sample each, with numbers from 0 to {}", n - 1);
            return Err(MeasureError::Refused(problem));
        }
        let mut means = Array2::zeros((batches.len(), self.slopes.ncols()));
        for (batch, mut mean) in batches.iter().zip(means.rows_mut()) {
            batch.iter().for_each(|sample| mean += &self.slopes.row(*sample));
            mean /= batch.len() as f64;
        }
        Ok(means)
    }
}

/// Ten batches of shuffled samples, epoch by epoch; the last batch of an epoch may be smaller.
pub(super) fn ten_batches(n_samples: usize, batch_size: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..n_samples).collect();
    let mut batches = Vec::new();
    while batches.len() < 10 {
        order.shuffle(&mut rng);
        batches.extend(order.chunks(batch_size).map(<[usize]>::to_vec));
    }
    batches.truncate(10);
    batches
}
