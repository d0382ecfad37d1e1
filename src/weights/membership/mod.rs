//! Membership: how much networks reveal about which sample of each pair was used for training.
//!
//! Pairs of samples are drawn, a supersample z̃; for every pair a fair coin U selects the training sample. Only the
//! coins are random, so I(·; U_i | z̃) has a ceiling, ln 2, and a permutation null, with the coins assigned to the
//! networks at random. It is computed for the predictions of both samples (f-CMI), for the losses of both (e-CMI) and
//! for their difference (ld-CMI), in descending order, and each bounds the gap between the errors on training samples
//! and on the other samples of the pairs.
//!
//! The estimate is plug-in, from one table of counts per pair. With few masks and many classes it is mostly bias: the
//! released code of f-CMI has 100 cells for 40 masks and reports no null. Here each value has its exact null.
//!
//! # Reference
//! Steinke & Zakynthinou 2020, "Reasoning about generalization via conditional mutual information"; Harutyunyan et al. 2021,
//! "Information-theoretic generalization bounds for black-box learning algorithms"; Hellström & Durisi 2022, "A new family of
//! generalization bounds using samplewise evaluated CMI"; Wang & Mao 2023, "Tighter information-theoretic generalization
//! bounds from supersamples".

mod bounds;
mod counts;
#[cfg(test)]
mod enumerations;
mod floor;
mod supersample;

use std::f64::consts::LN_2;

use ndarray::{Array2, Axis};
use rayon::prelude::*;

pub use bounds::{PairInformation, PairNull, binary_kl_bound, interpolating_bound, pooled, root_bound};
pub use counts::{MaskCounts, discrete_information};
pub use floor::{FloorSpread, PermutationFloor, fair_floor};
pub use supersample::{PairOutcome, Supersample};

use super::{
    DenseNetwork, Ensemble, Measure, MeasureError, MeasureUnit, MembershipSplit, OfRuns, Quantity, Randomness, Reading,
    Spec,
};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "membership",
    summary: "information of predictions and losses about which sample of each pair was trained on, and its bounds on the generalisation gap",
    randomness: Randomness::Membership,
    quantities: &[
        Quantity::bits(
            "prediction_information",
            "f-CMI: information of the two predictions of a pair about its mask, mean over pairs, in bits",
        ),
        Quantity::bits(
            "loss_information",
            "e-CMI: information of the two losses of a pair about its mask, mean over pairs, in bits",
        ),
        Quantity::bits(
            "loss_difference_information",
            "ld-CMI: information of the difference of the two losses of a pair about its mask, mean over pairs, in bits",
        ),
        Quantity::bits(
            "pooled_loss_difference_information",
            "information of the difference of the two losses about the mask, all pairs of the supersample in one table, in bits",
        ),
        Quantity::probability("train_error", "error on the samples of the pairs that were trained on"),
        Quantity::probability("test_error", "error on the samples of the pairs that were not trained on"),
        Quantity::probability("gap", "test_error minus train_error"),
        Quantity::probability(
            "binary_kl_bound",
            "upper bound on the gap from loss_information, by the binary Kullback-Leibler divergence",
        ),
        Quantity::probability(
            "interpolating_bound",
            "upper bound on the gap from loss_information if train_error is 0, I/ln 2",
        ),
        Quantity::probability(
            "prediction_bound",
            "upper bound on the gap from prediction_information, mean of √2I over pairs",
        ),
        Quantity::probability("loss_bound", "upper bound on the gap from loss_information, mean of √2I over pairs"),
        Quantity::probability(
            "loss_difference_bound",
            "upper bound on the gap from loss_difference_information, mean of √2I over pairs",
        ),
    ],
    parameters: &[],
    build: |_| Ok(Measure::OfRuns(Box::new(Membership::new()))),
};

/// How much the networks of several runs reveal about which sample of each pair was used for training.
///
/// Runs with equal pairs are one supersample; its runs are the masks. Readings are means over supersamples of means
/// over their pairs, per example. Losses are 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Membership {}

impl Membership {
    /// The measure has no parameters.
    pub fn new() -> Self {
        Self {}
    }

    /// The readings for tables of predictions.
    ///
    /// # Errors
    /// No supersamples.
    pub fn of_supersamples(&self, supersamples: &[Supersample]) -> Result<Vec<Reading>, MeasureError> {
        if supersamples.is_empty() {
            return refused("there is no supersample; give at least one".to_owned());
        }
        let predictions = PairInformation::of(supersamples, PairOutcome::Predictions);
        let losses = PairInformation::of(supersamples, PairOutcome::Losses);
        let loss_difference = PairInformation::of(supersamples, PairOutcome::LossDifference);
        let mut readings = vec![
            information("prediction_information", &predictions),
            information("loss_information", &losses),
            information("loss_difference_information", &loss_difference),
            pooled_information("pooled_loss_difference_information", supersamples),
        ];
        readings.extend(errors(supersamples, &losses));
        readings.extend([
            bound("prediction_bound", &predictions),
            bound("loss_bound", &losses),
            bound("loss_difference_bound", &loss_difference),
        ]);
        let method = method(supersamples);
        Ok(readings.into_iter().map(|reading| reading.by(method.clone())).collect())
    }
}

impl OfRuns for Membership {
    fn measure(&self, runs: &Ensemble<'_>) -> Result<Vec<Reading>, MeasureError> {
        self.of_supersamples(&supersamples(runs)?)
    }
}

/// Mean information per pair, in bits.
fn information(quantity: &'static str, found: &PairInformation) -> Reading {
    let std = found.null.information_std.map(Nats::bits);
    Reading::information(quantity, found.information).with_null(found.null.information.bits(), std).at_most(1.0)
}

/// The information in the difference of the losses without knowledge of the supersample, in bits: it equals the gap for
/// networks without train error.
fn pooled_information(quantity: &'static str, supersamples: &[Supersample]) -> Reading {
    let counts = pooled(supersamples, PairOutcome::LossDifference);
    let floor = counts.permuted();
    let std = floor.spread.map(|spread| spread.information_std.bits());
    Reading::information(quantity, counts.information()).with_null(floor.information.bits(), std).at_most(1.0)
}

/// Mean √2I.
fn bound(quantity: &'static str, found: &PairInformation) -> Reading {
    let reading = probability(quantity, found.bound).at_most(root_bound(Nats(LN_2)));
    match found.null.bound {
        Some(mean) => reading.with_null(mean, found.null.bound_std),
        None => reading,
    }
}

/// The errors on both sides of the pairs, their difference, and the bounds from the information in the losses.
fn errors(supersamples: &[Supersample], losses: &PairInformation) -> Vec<Reading> {
    let mean = |error: fn(&Supersample) -> f64| supersamples.iter().map(error).sum::<f64>() / supersamples.len() as f64;
    let (train_error, test_error) = (mean(Supersample::train_error), mean(Supersample::test_error));
    let most = binary_kl_bound(train_error, losses.information);
    let most_by_chance = binary_kl_bound(train_error, losses.null.information);
    let (gap_null, gap_std) = permuted_gap(supersamples);
    let gap = probability("gap", test_error - train_error).with_null(gap_null, Some(gap_std));
    let mut readings = vec![
        probability("train_error", train_error),
        probability("test_error", test_error).at_most(most),
        gap.at_most(most - train_error),
        probability("binary_kl_bound", most - train_error).with_null(most_by_chance - train_error, None),
    ];
    if train_error == 0.0 {
        let bound = probability("interpolating_bound", interpolating_bound(losses.information)).at_most(1.0);
        readings.push(bound.with_null(interpolating_bound(losses.null.information), None));
    }
    readings
}

/// Mean and standard deviation of the gap if the masks are assigned to the networks at random, independently for every
/// pair.
fn permuted_gap(supersamples: &[Supersample]) -> (f64, f64) {
    let (mut gap, mut variance) = (0.0, 0.0);
    for supersample in supersamples {
        let weight = 1.0 / (supersamples.len() as f64 * supersample.n_pairs() as f64);
        for pair in 0..supersample.n_pairs() {
            let (mean, of_pair) = supersample.permuted_gap(pair);
            gap += weight * mean;
            variance += weight * weight * of_pair;
        }
    }
    (gap, variance.sqrt())
}

fn probability(quantity: &'static str, value: f64) -> Reading {
    Reading::new(quantity, MeasureUnit::Probability, value)
}

fn method(supersamples: &[Supersample]) -> String {
    let numbers = |number: fn(&Supersample) -> usize| {
        let numbers = || supersamples.iter().map(number);
        let (least, most) = (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
        if least == most { least.to_string() } else { format!("{least} to {most}") }
    };
    let (n, masks, pairs) = (supersamples.len(), numbers(Supersample::n_masks), numbers(Supersample::n_pairs));
    format!("plug-in; supersamples: {n}, masks of each: {masks}, pairs of each: {pairs}")
}

fn refused<T>(problem: String) -> Result<T, MeasureError> {
    Err(MeasureError::Refused(problem))
}

/// The tables of predictions of runs, one table for all runs with equal pairs, in the order of their first runs.
fn supersamples(runs: &Ensemble<'_>) -> Result<Vec<Supersample>, MeasureError> {
    let Ensemble { networks, samples, splits, .. } = runs;
    if splits.is_empty() {
        return refused(
            "the runs were not split into pairs of samples, one trained on and one not; record with `[data] split = \"membership\"`"
                .to_owned(),
        );
    }
    if splits.len() != networks.len() {
        let (n_splits, n_networks) = (splits.len(), networks.len());
        return refused(format!("{n_networks} networks have {n_splits} membership splits; give one per network"));
    }
    let mut groups: Vec<(&[[usize; 2]], Vec<usize>)> = Vec::new();
    for (run, MembershipSplit { pairs, mask }) in splits.iter().enumerate() {
        if mask.len() != pairs.len() {
            let (n_sides, n_pairs) = (mask.len(), pairs.len());
            return refused(format!(
                "a membership split of {n_pairs} pairs has a mask of {n_sides}; give one side per pair"
            ));
        }
        match groups.iter_mut().find(|(of_group, _)| of_group == pairs) {
            Some((_, members)) => members.push(run),
            None => groups.push((pairs, vec![run])),
        }
    }
    let supersample = |(pairs, members): (&[[usize; 2]], Vec<usize>)| {
        check_pairs(pairs, samples.len())?;
        let classes: Vec<[usize; 2]> = pairs.iter().map(|pair| pair.map(|sample| samples.classes()[sample])).collect();
        let x = samples.x().select(Axis(0), pairs.as_flattened());
        let rows: Vec<Vec<[usize; 2]>> = members.par_iter().map(|run| predictions(&networks[*run], &x)).collect();
        let predictions = Array2::from_shape_fn((members.len(), pairs.len()), |(m, pair)| rows[m][pair]);
        let masks = Array2::from_shape_fn((members.len(), pairs.len()), |(m, pair)| splits[members[m]].mask[pair]);
        Supersample::new(masks.view(), predictions.view(), &classes)
    };
    groups.into_iter().map(supersample).collect()
}

/// Checks that the `pairs` consist of different samples among `n_samples`.
fn check_pairs(pairs: &[[usize; 2]], n_samples: usize) -> Result<(), MeasureError> {
    let mut is_used = vec![false; n_samples];
    for sample in pairs.as_flattened() {
        match is_used.get_mut(*sample) {
            None => {
                return refused(format!(
                    "a pair has sample {sample}, but there are {n_samples} samples, counted from 0"
                ));
            }
            Some(true) => {
                return refused(format!("sample {sample} is in two pairs; each sample may be in one pair only"));
            }
            Some(used) => *used = true,
        }
    }
    Ok(())
}

/// The class predicted by a network for both samples of every pair (consecutive rows of `x`); if logits are equal, the
/// first class.
fn predictions(network: &DenseNetwork, x: &Array2<f64>) -> Vec<[usize; 2]> {
    network.predictions(x.view()).as_chunks().0.to_vec()
}

#[cfg(test)]
mod tests {
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::weights::fixtures::{Fixture, assert_close, f_net};
    use crate::weights::{Labelled, Null};

    /// `n_runs` networks of the shape of F-net with different weights, and supersamples of `n_masks` runs each.
    fn runs(fixture: &Fixture, n_runs: usize, n_masks: usize) -> (Vec<DenseNetwork>, Vec<MembershipSplit>) {
        let network = |run: usize| {
            let weights = fixture.network.weights();
            let moved = |(k, w): (usize, &f64)| w + (0.3 * (k + 1) as f64 * (run + 1) as f64).sin();
            fixture.network.with_weights(&weights.iter().enumerate().map(moved).collect::<Vec<_>>())
        };
        let split = |run: usize| MembershipSplit {
            pairs: (0..10).map(|pair| [pair, 10 * (1 + run / n_masks) + pair]).collect(),
            mask: (0..10).map(|pair| (run * (pair + 3) + run / 2) % 5 < 2).collect(),
        };
        ((0..n_runs).map(network).collect(), (0..n_runs).map(split).collect())
    }

    fn measured(
        fixture: &Fixture,
        networks: &[DenseNetwork],
        splits: &[MembershipSplit],
    ) -> Result<Vec<Reading>, String> {
        let samples = Labelled::new(fixture.x.view(), &fixture.classes).unwrap();
        let runs = Ensemble { networks, initial: None, samples, splits };
        Membership::new().measure(&runs).map_err(|error| error.to_string())
    }

    #[test]
    fn runs_with_the_same_pairs_are_a_supersample() {
        let fixture = f_net();
        let (networks, splits) = runs(&fixture, 12, 6);
        let readings = measured(&fixture, &networks, &splits).unwrap();
        let value = |name: &str| readings.iter().find(|reading| reading.quantity == name).unwrap().value;
        let (mut train, mut test) = (0.0, 0.0);
        for (network, split) in networks.iter().zip(&splits) {
            for (pair, second) in split.pairs.iter().zip(&split.mask) {
                let is_wrong = |sample: usize| {
                    let logits = network.logits(fixture.x.view());
                    f64::from(usize::from(logits[(sample, 1)] > logits[(sample, 0)]) != fixture.classes[sample])
                };
                train += is_wrong(pair[usize::from(*second)]) / 120.0;
                test += is_wrong(pair[usize::from(!*second)]) / 120.0;
            }
        }
        assert_close(value("train_error"), train);
        assert_close(value("test_error"), test);
        assert_close(value("gap"), test - train);
        assert!(value("prediction_information") >= value("loss_information"));
        assert!(value("loss_information") >= value("loss_difference_information"));
        assert!(readings.iter().all(|reading| reading.value.is_finite() && reading.layer.is_none()));
        let method = readings[0].method.as_deref();
        assert_eq!(method, Some("plug-in; supersamples: 2, masks of each: 6, pairs of each: 10"));
    }

    #[test]
    fn what_cannot_be_measured_is_refused_with_the_way_out() {
        let fixture = f_net();
        let (networks, splits) = runs(&fixture, 4, 4);
        let refused =
            |networks: &[DenseNetwork], splits: &[MembershipSplit]| measured(&fixture, networks, splits).unwrap_err();
        assert_eq!(
            refused(&networks, &[]),
            "the runs were not split into pairs of samples, one trained on and one not; record with `[data] split = \"membership\"`"
        );
        assert_eq!(refused(&networks, &splits[..3]), "4 networks have 3 membership splits; give one per network");
        assert_eq!(
            refused(&networks[..1], &splits[..1]),
            "1 network was trained on a supersample, but membership compares several masks; record 2 runs or more with the same pairs"
        );
        assert_eq!(
            refused(&networks, &vec![splits[1].clone(); 4]),
            "the 4 masks of a supersample are all equal, so nothing depends on the mask; record runs with different masks"
        );
        let with = |change: fn(&mut MembershipSplit)| {
            let mut splits = splits.clone();
            splits.iter_mut().for_each(change);
            refused(&networks, &splits)
        };
        assert_eq!(
            with(|split| split.pairs[3][0] = 40),
            "a pair has sample 40, but there are 40 samples, counted from 0"
        );
        assert_eq!(
            with(|split| split.pairs[3][0] = 2),
            "sample 2 is in two pairs; each sample may be in one pair only"
        );
        assert_eq!(
            with(|split| split.mask.truncate(9)),
            "a membership split of 10 pairs has a mask of 9; give one side per pair"
        );
        assert_eq!(
            with(|split| (split.pairs, split.mask) = (Vec::new(), Vec::new())),
            "a supersample has no pairs; give at least one"
        );
    }

    #[test]
    fn networks_that_do_not_depend_on_the_mask_are_at_the_null() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let masks = Array2::from_shape_fn((24, 40), |_| rng.random::<bool>());
        let predictions = Array2::from_shape_fn((24, 40), |_| [rng.random_range(0..3), rng.random_range(0..3)]);
        let supersample = Supersample::new(masks.view(), predictions.view(), &[[0, 1]; 40]).unwrap();
        let readings = Membership::new().of_supersamples(&[supersample]).unwrap();
        for name in ["prediction_information", "loss_information", "loss_difference_information", "loss_bound", "gap"] {
            let reading = readings.iter().find(|reading| reading.quantity == name).unwrap();
            let Null { mean, std } = reading.null.unwrap();
            assert!((reading.value - mean).abs() < 4.0 * std.unwrap(), "{reading:?}");
        }
    }
}
