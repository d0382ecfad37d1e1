//! Training samples divided into batches, and batches into tiles.

use ndarray::{ArrayView1, ArrayView2};
use rand::Rng;
use rand::seq::SliceRandom;

use crate::math::tile::TILE;
use crate::math::wide::{Cores, bands};

/// Samples for training or evaluation: inputs (n_samples × n_inputs) and targets.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// X, one sample per row.
    pub x: ArrayView2<'a, f32>,
    /// Y.
    pub targets: Targets<'a>,
}

/// Target values of the output.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// Target 1 at the unit of the class, and 0 at the others.
    Classes {
        /// The class of every sample, below `n_classes`.
        classes: &'a [usize],
        /// Number of classes.
        n_classes: usize,
    },
    /// Real numbers, n_samples × n_outputs.
    Numbers(ArrayView2<'a, f32>),
}

impl Targets<'_> {
    /// Number of output units.
    pub fn n_outputs(&self) -> usize {
        match self {
            Targets::Classes { n_classes, .. } => *n_classes,
            Targets::Numbers(values) => values.ncols(),
        }
    }

    /// Target of output unit `unit` for `sample`.
    pub(super) fn value(&self, sample: usize, unit: usize) -> f32 {
        match self {
            Targets::Classes { classes, .. } => f32::from(u8::from(classes[sample] == unit)),
            Targets::Numbers(values) => values[[sample, unit]],
        }
    }
}

/// Number of samples per gradient step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// All training samples.
    Full,
    /// This number of samples; the remaining samples are a smaller last batch.
    Mini(usize),
}

/// Order in which samples enter the batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOrder {
    /// The order of the split, in every epoch.
    Fixed,
    /// A new permutation in every epoch.
    Reshuffled,
}

/// A tile of samples, and how many of them are not padding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile<'a> {
    pub(super) x: &'a [f32],
    /// One-hot targets, unit after unit like `x`.
    pub(super) targets: &'a [f32],
    pub(super) n_valid: usize,
}

/// Samples in the layout of `math/tile.rs`, batch by batch; every batch starts a new tile.
#[derive(Debug)]
pub(super) struct Batches {
    x: Vec<f32>,
    targets: Vec<f32>,
    /// Number of valid samples in every tile.
    n_valid: Vec<usize>,
    /// The tiles of every batch.
    batches: Vec<std::ops::Range<usize>>,
    n_inputs: usize,
    n_outputs: usize,
}

impl Batches {
    /// Divides `order` (indices into `samples`) into batches of `size`; sample i is trained on the target of
    /// `taught_as[i]`.
    pub(super) fn new(samples: Samples<'_>, order: &[usize], taught_as: &[usize], size: BatchSize) -> Self {
        let size = match size {
            BatchSize::Full => order.len(),
            BatchSize::Mini(size) => size.min(order.len()),
        };
        let (mut n_valid, mut batches) = (Vec::new(), Vec::new());
        for batch in order.chunks(size.max(1)) {
            let first = n_valid.len();
            n_valid.extend(batch.chunks(TILE).map(<[usize]>::len));
            batches.push(first..n_valid.len());
        }
        let (n_inputs, n_outputs) = (samples.x.ncols(), samples.targets.n_outputs());
        let mut laid_out = Self {
            x: vec![0.0; n_valid.len() * n_inputs * TILE],
            targets: vec![0.0; n_valid.len() * n_outputs * TILE],
            n_valid,
            batches,
            n_inputs,
            n_outputs,
        };
        laid_out.fill(samples, order, taught_as, Cores::One);
        laid_out
    }

    /// Rearranges the samples in another order of the same length.
    pub(super) fn fill(&mut self, samples: Samples<'_>, order: &[usize], taught_as: &[usize], cores: Cores) {
        let starts = self.n_valid.iter().scan(0, |next, n_valid| {
            *next += n_valid;
            Some(*next - n_valid)
        });
        let of_tile: Vec<&[usize]> =
            starts.zip(&self.n_valid).map(|(start, n_valid)| &order[start..start + n_valid]).collect();
        bands(cores, &mut self.x, self.n_inputs * TILE, |tile, x| lay_out(samples.x, of_tile[tile], x));
        for (here, targets) in of_tile.iter().zip(self.targets.chunks_exact_mut(self.n_outputs * TILE)) {
            for (s, sample) in here.iter().enumerate() {
                for unit in 0..self.n_outputs {
                    targets[unit * TILE + s] = samples.targets.value(taught_as[*sample], unit);
                }
            }
        }
    }

    /// Number of batches.
    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    /// Number of samples of batch `index`.
    pub(super) fn n_samples(&self, index: usize) -> usize {
        self.n_valid[self.batches[index].clone()].iter().sum()
    }

    /// The largest number of tiles of a batch.
    pub(super) fn most_tiles(&self) -> usize {
        self.batches.iter().map(ExactSizeIterator::len).max().unwrap_or(0)
    }

    /// The tiles of batch `index`.
    pub(super) fn tiles(&self, index: usize) -> impl Iterator<Item = Tile<'_>> {
        let (n_inputs, n_outputs) = (self.n_inputs * TILE, self.n_outputs * TILE);
        self.batches[index].clone().map(move |tile| Tile {
            x: &self.x[tile * n_inputs..][..n_inputs],
            targets: &self.targets[tile * n_outputs..][..n_outputs],
            n_valid: self.n_valid[tile],
        })
    }
}

/// Copies some samples into a tile, unit by unit.
pub(super) fn lay_out(x: ArrayView2<'_, f32>, order: &[usize], tile: &mut [f32]) {
    // Processes as many samples at a time as a cache line has values, so that lines are written completely.
    const TOGETHER: usize = 16;
    for (block, samples) in order.chunks(TOGETHER).enumerate() {
        let rows: Vec<ArrayView1<'_, f32>> = samples.iter().map(|sample| x.row(*sample)).collect();
        for (unit, places) in tile.chunks_exact_mut(TILE).enumerate() {
            let places = &mut places[block * TOGETHER..][..rows.len()];
            places.iter_mut().zip(&rows).for_each(|(place, row)| *place = row[unit]);
        }
    }
}

/// Shuffles `order` if the batches require it; returns whether it changed.
pub(super) fn reorder(order: &mut [usize], how: BatchOrder, rng: &mut impl Rng) -> bool {
    match how {
        BatchOrder::Fixed => false,
        BatchOrder::Reshuffled => {
            order.shuffle(rng);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn the_remainder_batch_is_kept_and_padding_is_marked() {
        let x = Array2::from_shape_fn((300, 2), |(s, u)| (s * 2 + u) as f32);
        let classes: Vec<usize> = (0..300).map(|s| s % 2).collect();
        let samples = Samples { x: x.view(), targets: Targets::Classes { classes: &classes, n_classes: 2 } };
        let order: Vec<usize> = (0..300).rev().collect();
        let itself: Vec<usize> = (0..300).collect();
        let batches = Batches::new(samples, &order, &itself, BatchSize::Mini(200));

        assert_eq!((batches.len(), batches.n_samples(0), batches.n_samples(1)), (2, 200, 100));
        let valid: Vec<usize> = (0..2).flat_map(|b| batches.tiles(b)).map(|t| t.n_valid).collect();
        assert_eq!(valid, [128, 72, 100]);
        let second = batches.tiles(1).next().unwrap();
        // The 201st of the reversed samples is sample 99, of class 1.
        assert_eq!((second.x[0], second.x[TILE]), (198.0, 199.0));
        assert_eq!((second.targets[0], second.targets[TILE]), (0.0, 1.0));
    }
}
