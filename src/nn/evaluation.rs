//! What a network does with every sample: the representations T of all layers, and how well the output fits.

use super::batches::{BatchSize, Batches, Samples};
use super::network::{Network, Workspace};
use crate::math::tile::TILE;

/// The activations of all layers for all samples, in buffers that are allocated once.
#[derive(Debug)]
pub struct Evaluation<'a> {
    samples: Samples<'a>,
    tiles: Batches,
    work: Workspace,
    /// `t[l]`: n_samples × n_units of layer l, sample after sample.
    t: Vec<Vec<f32>>,
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
    /// Prepares to evaluate networks of the shape of `network` on all `samples`, in their order.
    pub fn new(network: &Network, samples: Samples<'a>) -> Self {
        let order: Vec<usize> = (0..samples.x.nrows()).collect();
        let t = network.layers().iter().map(|layer| vec![0.0; order.len() * layer.n_units]).collect();
        Self { samples, tiles: Batches::new(samples, &order, BatchSize::Full), work: network.workspace(), t }
    }

    /// Computes all representations of `network`.
    pub fn run(&mut self, network: &Network) {
        let mut first = 0;
        for tile in self.tiles.tiles(0) {
            network.forward(tile.x, &mut self.work);
            for (layer, (all, here)) in network.layers().iter().zip(self.t.iter_mut().zip(&self.work.t)) {
                let rows = all[first * layer.n_units..].chunks_exact_mut(layer.n_units);
                for (s, row) in rows.take(tile.n_valid).enumerate() {
                    row.iter_mut().enumerate().for_each(|(unit, value)| *value = here[unit * TILE + s]);
                }
            }
            first += tile.n_valid;
        }
    }

    /// The representation by layer `index` of [`Network::layers`] after the last [`Evaluation::run`]: n_samples × n_units,
    /// sample after sample.
    pub fn representation(&self, index: usize) -> &[f32] {
        &self.t[index]
    }

    /// How well the output fits the `chosen` samples; `None` where none are chosen.
    pub fn fit(&self, chosen: &[usize]) -> Option<Fit> {
        if chosen.is_empty() {
            return None;
        }
        let p = self.t.last().expect("a network has an output layer");
        let (mut loss, mut n_right) = (0.0, 0_usize);
        for sample in chosen {
            let row = &p[sample * self.samples.n_classes..][..self.samples.n_classes];
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
