//! What a network does with every sample: the representations T of all layers, and how well the output fits.

use super::batches::{BatchSize, Batches, Samples};
use super::network::{Network, Workspace};
use crate::math::tile::TILE;

/// What all layers do with some chosen samples, and the output for all samples, in buffers that are allocated once.
#[derive(Debug)]
pub struct Evaluation<'a> {
    samples: Samples<'a>,
    tiles: Batches,
    work: Workspace,
    /// Ascending.
    chosen: Vec<usize>,
    /// `t[l]`: n_chosen × n_units of layer l, sample after sample.
    t: Vec<Vec<f32>>,
    /// Likewise before the activation function; empty where nobody asked.
    z: Vec<Vec<f32>>,
    /// p(class | x): n_samples × n_classes.
    p: Vec<f32>,
}

/// Whether weighted sums are kept besides activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreActivations {
    /// They are not.
    Dropped,
    /// They are.
    Kept,
}

/// How well the output fits the labels of some samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Mean cross-entropy in nats. Finite: no output probability is below about e⁻⁸⁷ (see [`crate::math::elementary`]).
    pub loss_nats: f64,
    /// Share of samples whose most probable class is theirs.
    pub accuracy: f64,
}

impl<'a> Evaluation<'a> {
    /// Prepares to evaluate networks of the shape of `network` on all `samples`, in their order, and to keep what layers do
    /// with the samples `chosen` (ascending).
    pub fn new(network: &Network, samples: Samples<'a>, chosen: Vec<usize>, pre_activations: PreActivations) -> Self {
        let order: Vec<usize> = (0..samples.x.nrows()).collect();
        let buffers = || network.layers().iter().map(|layer| vec![0.0; chosen.len() * layer.n_units]).collect();
        Self {
            t: buffers(),
            z: if pre_activations == PreActivations::Kept { buffers() } else { Vec::new() },
            p: vec![0.0; order.len() * samples.n_classes],
            tiles: Batches::new(samples, &order, BatchSize::Full),
            work: network.workspace(),
            samples,
            chosen,
        }
    }

    /// Computes all representations of `network`.
    pub fn run(&mut self, network: &Network) {
        let (mut first, mut n_before) = (0, 0);
        for tile in self.tiles.tiles(0) {
            let rest = &self.chosen[n_before..];
            let here = &rest[..rest.partition_point(|sample| *sample < first + tile.n_valid)];
            let z = &mut self.z;
            network.forward_seen(tile.x, &mut self.work, |l, values| {
                if let Some(kept) = z.get_mut(l) {
                    transpose(values, here.iter().map(|sample| sample - first), n_before, kept);
                }
            });
            for (kept, values) in self.t.iter_mut().zip(&self.work.t) {
                transpose(values, here.iter().map(|sample| sample - first), n_before, kept);
            }
            transpose(self.work.t.last().map_or(&[], Vec::as_slice), 0..tile.n_valid, first, &mut self.p);
            first += tile.n_valid;
            n_before += here.len();
        }
    }

    /// The samples whose representations are kept, ascending.
    pub fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    /// The input of the chosen samples: n_chosen × n_inputs.
    pub fn input(&self) -> Vec<f32> {
        self.chosen.iter().flat_map(|sample| self.samples.x.row(*sample).to_vec()).collect()
    }

    /// The representation by layer `index` of [`Network::layers`] after the last [`Evaluation::run`]: n_chosen × n_units,
    /// sample after sample.
    pub fn representation(&self, index: usize) -> &[f32] {
        &self.t[index]
    }

    /// As [`Evaluation::representation`], before the activation function; empty unless [`PreActivations::Kept`].
    pub fn pre_activation(&self, index: usize) -> &[f32] {
        self.z.get(index).map_or(&[], Vec::as_slice)
    }

    /// How well the output fits the `chosen` samples; `None` where none are chosen.
    pub fn fit(&self, chosen: &[usize]) -> Option<Fit> {
        if chosen.is_empty() {
            return None;
        }
        let (mut loss, mut n_right) = (0.0, 0_usize);
        for sample in chosen {
            let row = &self.p[sample * self.samples.n_classes..][..self.samples.n_classes];
            let class = self.samples.classes[*sample];
            loss -= f64::from(row[class]).ln();
            // Ties go to the first class, as in NumPy's argmax.
            let best = (1..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best });
            n_right += usize::from(best == class);
        }
        let n = chosen.len() as f64;
        Some(Fit { loss_nats: loss / n, accuracy: n_right as f64 / n })
    }
}

/// Copies the samples at `places` of a tile, which holds unit after unit, to the rows of `kept` that begin at `row`.
fn transpose(tile: &[f32], places: impl Iterator<Item = usize>, row: usize, kept: &mut [f32]) {
    let n_units = tile.len() / TILE;
    for (place, row) in places.zip(kept[row * n_units..].chunks_exact_mut(n_units)) {
        row.iter_mut().enumerate().for_each(|(unit, value)| *value = tile[unit * TILE + place]);
    }
}
