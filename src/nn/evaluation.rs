//! Evaluates a network on all samples: the activations T of all layers, and losses and accuracies.

use std::borrow::Cow;

use rand::rngs::ChaCha8Rng;

use super::batches::{BatchSize, Batches, Samples, Targets};
use super::loss::{Loss, Output};
use super::network::{Network, Workspace};
use super::operation::Phase;
use crate::layer_id::LayerId;
use crate::math::tile::TILE;

/// The values of all layers for some chosen samples, and the output for all samples, in buffers that are allocated
/// once.
#[derive(Debug)]
pub struct Evaluation<'a> {
    samples: Samples<'a>,
    tiles: Batches,
    work: Workspace,
    /// Numbers of the chosen samples, ascending.
    chosen: Vec<usize>,
    /// `t[l]`: n_chosen × n_units of `layers()[l]`, sample by sample.
    t: Vec<Vec<f32>>,
    /// `z[l]`: the pre-activations in the layout of `t[l]`; empty unless they are kept.
    z: Vec<Vec<f32>>,
    /// The pre-activations of the output: n_samples × n_outputs.
    sums: Vec<f32>,
}

/// Whether pre-activations are kept in addition to activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreActivations {
    /// They are not kept.
    Dropped,
    /// They are kept.
    Kept,
}

/// Loss and accuracy on some samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Mean loss: cross-entropy in nats, or squared error. Finite if the pre-activations of the output are.
    pub loss: f64,
    /// Share of samples whose predicted class equals their label; `None` if the targets are real numbers.
    pub accuracy: Option<f64>,
    /// Accuracy of always predicting the most frequent class; for real numbers, the smallest squared error of a
    /// constant.
    pub constant: f64,
}

impl<'a> Evaluation<'a> {
    /// Prepares the evaluation of networks of the shape of `network` on all `samples`, in their order, keeping the
    /// layer values of the samples `chosen` (ascending).
    pub fn new(network: &Network, samples: Samples<'a>, chosen: Vec<usize>, pre_activations: PreActivations) -> Self {
        let order: Vec<usize> = (0..samples.x.nrows()).collect();
        let buffers = || network.layers().iter().map(|layer| vec![0.0; chosen.len() * layer.n_units]).collect();
        Self {
            t: buffers(),
            z: if pre_activations == PreActivations::Kept { buffers() } else { Vec::new() },
            sums: vec![0.0; order.len() * samples.targets.n_outputs()],
            tiles: Batches::new(samples, &order, &order, BatchSize::Full),
            work: network.workspace(1),
            samples,
            chosen,
        }
    }

    /// Computes the values of all layers of `network`; `draws` provides the noise of layers with noise.
    pub fn run(&mut self, network: &Network, mut draws: ChaCha8Rng) {
        let output = network.layers().len() - 1;
        let (mut first, mut n_before) = (0, 0);
        network.begin_batch(&mut self.work);
        for tile in self.tiles.tiles(0) {
            let rest = &self.chosen[n_before..];
            let here = &rest[..rest.partition_point(|sample| *sample < first + tile.n_valid)];
            network.forward(&[tile], &mut self.work, Phase::Inference, &mut draws);
            let places = || here.iter().map(|sample| sample - first);
            for (l, kept) in self.t.iter_mut().enumerate() {
                transpose(self.work.t(0, l), places(), n_before, kept);
            }
            for (l, kept) in self.z.iter_mut().enumerate() {
                transpose(self.work.z(0, l), places(), n_before, kept);
            }
            transpose(self.work.z(0, output), 0..tile.n_valid, first, &mut self.sums);
            first += tile.n_valid;
            n_before += here.len();
        }
    }

    /// Whether every value is finite.
    pub fn is_finite(&self) -> bool {
        self.t.iter().chain(&self.z).flatten().all(|value| value.is_finite())
    }

    /// The samples whose layer values are kept, ascending.
    pub fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    /// The activations of a layer in the last [`Evaluation::run`]: n_chosen × n_units, sample by sample.
    pub fn representation(&self, layer: LayerId) -> Cow<'_, [f32]> {
        if layer > LayerId::INPUT {
            return Cow::Borrowed(&self.t[layer.index() - 1]);
        }
        let mut input = Vec::with_capacity(self.chosen.len() * self.samples.x.ncols());
        self.chosen.iter().for_each(|sample| input.extend(self.samples.x.row(*sample)));
        Cow::Owned(input)
    }

    /// The pre-activations of a layer after the input in the last [`Evaluation::run`], n_chosen × n_units, sample by
    /// sample; empty unless [`PreActivations::Kept`].
    pub fn pre_activation(&self, layer: LayerId) -> &[f32] {
        self.z.get(layer.index() - 1).map_or(&[], Vec::as_slice)
    }

    /// Loss and accuracy on the `chosen` samples; `None` if there are none.
    pub fn fit(&self, output: Output, loss: Loss, chosen: &[usize]) -> Option<Fit> {
        if chosen.is_empty() {
            return None;
        }
        let n_outputs = self.samples.targets.n_outputs();
        let (mut total, mut z, mut y) = (0.0, vec![0.0; n_outputs], vec![0.0; n_outputs]);
        for sample in chosen {
            for unit in 0..n_outputs {
                z[unit] = f64::from(self.sums[sample * n_outputs + unit]);
                y[unit] = f64::from(self.samples.targets.value(*sample, unit));
            }
            total += loss.of_sample(output, &z, &y);
        }
        let n = chosen.len() as f64;
        let (accuracy, constant) = match self.samples.targets {
            Targets::Classes { classes, n_classes } => {
                let mut n_of_class = vec![0_usize; n_classes];
                chosen.iter().for_each(|sample| n_of_class[classes[*sample]] += 1);
                let n_right = chosen.iter().filter(|sample| self.answer(**sample) == classes[**sample]).count();
                let largest = n_of_class.into_iter().max().unwrap_or(0);
                (Some(n_right as f64 / n), largest as f64 / n)
            }
            Targets::Numbers(values) => {
                let column = |unit: usize| chosen.iter().map(move |sample| f64::from(values[[*sample, unit]]));
                let variance = |unit: usize| {
                    let mean = column(unit).sum::<f64>() / n;
                    column(unit).map(|y| (y - mean).powi(2)).sum::<f64>() / n
                };
                (None, (0..n_outputs).map(variance).sum::<f64>() / n_outputs as f64)
            }
        };
        Some(Fit { loss: total / n, accuracy, constant })
    }

    /// The predicted class. Ties go to the first class, as in NumPy's argmax.
    fn answer(&self, sample: usize) -> usize {
        let n_outputs = self.samples.targets.n_outputs();
        let row = &self.sums[sample * n_outputs..][..n_outputs];
        (1..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best })
    }
}

/// Copies the samples at `places` of a tile, which is ordered unit by unit, to the rows of `kept` from `row` on.
pub(super) fn transpose(tile: &[f32], places: impl Iterator<Item = usize>, row: usize, kept: &mut [f32]) {
    let n_units = tile.len() / TILE;
    for (place, row) in places.zip(kept[row * n_units..].chunks_exact_mut(n_units)) {
        row.iter_mut().enumerate().for_each(|(unit, value)| *value = tile[unit * TILE + place]);
    }
}
