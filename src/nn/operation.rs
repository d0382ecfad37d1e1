//! The operations on the values of a layer, between its dense map and the next: forward and backward pass.

use std::ops::Range;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::architecture::Operation;
use super::batch_norm;
use super::loss::Output;
use super::passing::{Backward, Forward, Seen};
use super::quantise::Levels;
use crate::math::elementwise::map;
use crate::math::tile::TILE;
use crate::math::wide::{Cores, bands};

/// Training or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Training,
    Inference,
}

/// An operation, with the position of its parameters and running statistics among those of the network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    operation: Operation,
    /// Fixed range for a quantisation of bounded values.
    range: Option<(f32, f32)>,
    pub(super) parameters: Range<usize>,
    pub(super) statistics: Range<usize>,
}

/// The parameters and statistics of the network, and the threads that work on a tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) parameters: &'a [f32],
    pub(super) statistics: &'a [f32],
    pub(super) cores: Cores,
}

/// Number of values up to which one core computes the activation function: those of 128 units.
const BAND: usize = 128 * TILE;

/// Share of the previous value in an update of the running range of a quantisation.
///
/// TensorFlow's `MovingAverageQuantizer` uses 0.999, which needs thousands of updates to forget the initial range
/// [`FIRST_RANGE`]; full-batch trainings have fewer updates.
const RANGE_KEPT: f32 = 0.99;

/// The initial range of a quantisation, as in TensorFlow's `MovingAverageQuantizer`.
const FIRST_RANGE: [f32; 2] = [-6.0, 6.0];

impl Placed {
    /// `operation` in a layer of `n_units`, on values within `range`; its parameters and statistics start at the given
    /// indices.
    pub(super) fn new(
        operation: Operation,
        range: Option<(f32, f32)>,
        n_units: usize,
        parameters: usize,
        statistics: usize,
    ) -> Self {
        let (n_parameters, n_statistics) = match operation {
            Operation::BatchNorm => (2 * n_units, 2 * n_units),
            Operation::Quantise { .. } => (0, 2),
            _ => (0, 0),
        };
        let (parameters, statistics) = (parameters..parameters + n_parameters, statistics..statistics + n_statistics);
        Self { operation, range, parameters, statistics }
    }

    pub(super) fn operation(&self) -> Operation {
        self.operation
    }

    /// Sets parameters and statistics to their initial values.
    pub(super) fn begin(&self, parameters: &mut [f32], statistics: &mut [f32]) {
        let statistics = &mut statistics[self.statistics.clone()];
        match self.operation {
            Operation::BatchNorm => batch_norm::begin(&mut parameters[self.parameters.clone()], statistics),
            Operation::Quantise { .. } => {
                let (low, high) = self.range.unwrap_or(FIRST_RANGE.into());
                statistics.copy_from_slice(&[low, high]);
            }
            _ => {}
        }
    }

    /// Allocates memory for the other values that the backward pass needs.
    pub(super) fn kept(&self, len: usize) -> Vec<f32> {
        match self.operation {
            Operation::Dropout { .. } | Operation::GaussianDropout { .. } | Operation::BatchNorm => vec![0.0; len],
            _ => Vec::new(),
        }
    }

    /// Forward pass of the tiles of a batch that belong together.
    pub(super) fn forward<'a>(
        &self,
        tiles: impl Iterator<Item = Forward<'a>>,
        held: Held<'_>,
        seen: &mut Seen,
        phase: Phase,
        draws: &mut ChaCha8Rng,
    ) {
        let statistics = &held.statistics[self.statistics.clone()];
        if self.operation == Operation::BatchNorm {
            let parameters = &held.parameters[self.parameters.clone()];
            return match phase {
                Phase::Training => batch_norm::forward(&mut tiles.collect::<Vec<_>>(), parameters, seen),
                Phase::Inference => batch_norm::infer(tiles, parameters, statistics),
            };
        }
        for tile in tiles {
            let Forward { from, to, kept, n_valid } = tile;
            match (self.operation, phase) {
                (Operation::Activation(activation), _) => {
                    bands(held.cores, to, BAND, |band, to| activation.apply(&from[band * BAND..][..to.len()], to));
                }
                (Operation::Dropout { .. } | Operation::GaussianDropout { .. }, Phase::Inference) => {
                    to.copy_from_slice(from);
                }
                (Operation::Dropout { rate }, Phase::Training) => {
                    let left = 1.0 / (1.0 - rate);
                    kept.iter_mut().for_each(|f| *f = if draws.random::<f32>() < rate { 0.0 } else { left });
                    multiply(from, kept, to);
                }
                (Operation::GaussianDropout { rate }, Phase::Training) => {
                    let sigma = (rate / (1.0 - rate)).sqrt();
                    kept.iter_mut().for_each(|f| *f = 1.0 + sigma * draws.sample::<f32, _>(StandardNormal));
                    multiply(from, kept, to);
                }
                (Operation::Noise { variance }, _) => {
                    let sigma = variance.sqrt();
                    to.iter_mut()
                        .zip(from)
                        .for_each(|(to, s)| *to = s + sigma * draws.sample::<f32, _>(StandardNormal));
                }
                (Operation::Quantise { bits }, _) => {
                    if phase == Phase::Training && self.range.is_none() {
                        see_range(seen, from, n_valid);
                    }
                    levels(statistics, bits).round(from, to);
                }
                (Operation::BatchNorm, _) => unreachable!("done above, for all tiles together"),
            }
        }
    }

    /// Backward pass of the gradient of the tiles of a batch that belong together.
    pub(super) fn backward<'a>(
        &self,
        tiles: impl Iterator<Item = Backward<'a>>,
        held: Held<'_>,
        seen: &Seen,
        gradient: &mut [f32],
    ) {
        if self.operation == Operation::BatchNorm {
            let parameters = &held.parameters[self.parameters.clone()];
            let gradient = &mut gradient[self.parameters.clone()];
            return batch_norm::backward(&mut tiles.collect::<Vec<_>>(), parameters, seen, gradient);
        }
        for Backward { from, to, kept, delta, .. } in tiles {
            match self.operation {
                Operation::Activation(activation) => bands(held.cores, delta, BAND, |band, delta| {
                    let here = band * BAND..band * BAND + delta.len();
                    activation.times_slope(delta, &from[here.clone()], &to[here]);
                }),
                Operation::Dropout { .. } | Operation::GaussianDropout { .. } => {
                    delta.iter_mut().zip(kept).for_each(|(d, factor)| *d *= factor);
                }
                Operation::Quantise { bits } => {
                    levels(&held.statistics[self.statistics.clone()], bits).stop_gradient(delta, from);
                }
                Operation::Noise { .. } | Operation::BatchNorm => {}
            }
        }
    }

    /// Updates the running statistics with those of a batch.
    pub(super) fn learn(&self, seen: &Seen, statistics: &mut [f32]) {
        let statistics = &mut statistics[self.statistics.clone()];
        match self.operation {
            Operation::BatchNorm => batch_norm::learn(seen, statistics),
            Operation::Quantise { .. } if !seen.0.is_empty() => {
                // 0 remains a level.
                let now = [seen.0[0].min(0.0), seen.0[1].max(0.0)];
                statistics.iter_mut().zip(now).for_each(|(s, now)| *s = RANGE_KEPT * *s + (1.0 - RANGE_KEPT) * now);
            }
            _ => {}
        }
    }
}

fn multiply(a: &[f32], b: &[f32], to: &mut [f32]) {
    map(a, to, |a| a);
    to.iter_mut().zip(b).for_each(|(to, b)| *to *= b);
}

fn levels(statistics: &[f32], bits: u32) -> Levels {
    Levels::nudged(statistics[0], statistics[1], bits)
}

fn see_range(seen: &mut Seen, values: &[f32], n_valid: usize) {
    if seen.0.is_empty() {
        seen.0.extend([f32::INFINITY, f32::NEG_INFINITY]);
    }
    for v in values.chunks_exact(TILE).flat_map(|unit| &unit[..n_valid]) {
        seen.0[0] = seen.0[0].min(*v);
        seen.0[1] = seen.0[1].max(*v);
    }
}

/// The input of an operation, which determines the range of its values.
pub(super) enum Before {
    Sums,
    Output(Output),
    Operation(Operation),
}

impl Before {
    /// The smallest and the largest possible value; `None` if unbounded.
    pub(super) fn range(&self) -> Option<(f32, f32)> {
        match self {
            Before::Operation(Operation::Activation(activation)) => activation.range(),
            Before::Output(output) => output.range(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const N_UNITS: usize = 200;

    /// The result of an operation for values that are all 2.
    fn of_twos(operation: Operation, phase: Phase) -> Vec<f32> {
        let held = Held { parameters: &[], statistics: &[], cores: Cores::One };
        let placed = Placed::new(operation, None, N_UNITS, 0, 0);
        let (from, mut to) = (vec![2.0; N_UNITS * TILE], vec![0.0; N_UNITS * TILE]);
        let mut kept = placed.kept(from.len());
        let tile = Forward { from: &from, to: &mut to, kept: &mut kept, n_valid: TILE };
        placed.forward([tile].into_iter(), held, &mut Seen::default(), phase, &mut ChaCha8Rng::seed_from_u64(2));
        to
    }

    /// Five standard errors of a mean and of a variance of normal deviates.
    #[track_caller]
    fn check_moments(values: &[f32], mean: f64, variance: f64) {
        let n = values.len() as f64;
        let got_mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let got = values.iter().map(|v| (f64::from(*v) - got_mean).powi(2)).sum::<f64>() / n;
        assert!((got_mean - mean).abs() < 5.0 * (variance / n).sqrt(), "mean {got_mean}");
        assert!((got / variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "variance {got}");
    }

    #[test]
    fn dropout_keeps_the_mean_in_training_and_does_nothing_in_inference() {
        let binary = Operation::Dropout { rate: 0.3 };
        let values = of_twos(binary, Phase::Training);
        let n_dropped = values.iter().filter(|v| **v == 0.0).count() as f64;
        let n = values.len() as f64;
        // The number of dropped values is binomial.
        assert!((n_dropped - 0.3 * n).abs() < 5.0 * (0.3 * 0.7 * n).sqrt(), "{n_dropped} of {n}");
        assert!(values.iter().all(|v| *v == 0.0 || (v - 2.0 / 0.7).abs() < 1e-6));
        // A factor of 1/0.7 with probability 0.7 has variance 0.3/0.7, as the Gaussian one of the same rate.
        check_moments(&values, 2.0, 4.0 * 0.3 / 0.7);
        let gaussian = Operation::GaussianDropout { rate: 0.3 };
        check_moments(&of_twos(gaussian, Phase::Training), 2.0, 4.0 * 0.3 / 0.7);
        for operation in [binary, gaussian] {
            assert!(of_twos(operation, Phase::Inference).iter().all(|v| *v == 2.0));
        }
    }

    #[test]
    fn noise_has_its_variance_in_training_and_in_inference() {
        for phase in [Phase::Training, Phase::Inference] {
            check_moments(&of_twos(Operation::Noise { variance: 0.25 }, phase), 2.0, 0.25);
        }
    }

    #[test]
    fn the_range_of_a_quantisation_follows_what_it_sees_and_keeps_0() {
        let placed = Placed::new(Operation::Quantise { bits: 8 }, None, 1, 0, 0);
        let mut range = [0.0; 2];
        placed.begin(&mut [], &mut range);
        assert_eq!(range, FIRST_RANGE);
        let mut seen = Seen::default();
        // Padding after the 3 valid samples has no influence.
        let mut values = vec![99.0; TILE];
        values[..3].copy_from_slice(&[0.5, 3.0, 1.0]);
        see_range(&mut seen, &values, 3);
        (0..2000).for_each(|_| placed.learn(&seen, &mut range));
        assert!(range[0].abs() < 1e-6 && (range[1] - 3.0).abs() < 1e-4, "{range:?}");
    }
}
