//! Bounds on the generalisation gap from information about the mask, for losses in 0..=1.

use std::f64::consts::LN_2;

use rayon::prelude::*;

use super::counts::MaskCounts;
use super::floor::PermutationFloor;
use super::supersample::{PairOutcome, Supersample};
use crate::math::binary_kl::upper_inverse;
use crate::units::Nats;

/// √2I: the gap is at most this, for I = CMI/n, or on average over pairs and supersamples.
///
/// # Reference
/// Steinke & Zakynthinou 2020, theorem 1.2 (CMI); Harutyunyan et al. 2021, theorem 3.1 (predictions).
pub fn root_bound(information: Nats) -> f64 {
    (2.0 * information.0).sqrt()
}

/// The largest test error L with kl(L̂ ‖ (L̂ + L)/2) ≤ I, 2 kl⁻¹(L̂, I) − L̂, with the train error L̂ and the mean I
/// of the losses.
///
/// # Reference
/// Hellström & Durisi 2022, "A new family of generalization bounds using samplewise evaluated CMI".
pub fn binary_kl_bound(train_error: f64, information: Nats) -> f64 {
    2.0 * upper_inverse(train_error, information.0) - train_error
}

/// I/ln 2: the test error is at most this if the train error is 0, for the mean I of the losses or for CMI/n. For the
/// difference of losses, with the supersamples pooled ([`pooled`]), it equals the test error.
pub fn interpolating_bound(information: Nats) -> f64 {
    information.0 / LN_2
}

/// The information about the mask in an outcome, averaged over the pairs of some supersamples, and its bound on the
/// gap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairInformation {
    /// Mean I, in 0..=ln 2.
    pub information: Nats,
    /// Mean √2I.
    pub bound: f64,
    /// This information if the mask of every pair is permuted.
    pub null: PairNull,
}

/// The mean of [`PairInformation`] if the masks are assigned to the networks at random, independently for every pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairNull {
    /// Mean E I.
    pub information: Nats,
    /// Standard deviation of the mean I; `None` if a pair has too many different tables.
    pub information_std: Option<Nats>,
    /// Mean E √2I; `None` in the same case.
    pub bound: Option<f64>,
    /// Standard deviation of the mean √2I; `None` if a pair has too many different tables.
    pub bound_std: Option<f64>,
}

impl PairInformation {
    /// The mean over `supersamples` of the mean over their pairs; 0 without supersamples.
    pub fn of(supersamples: &[Supersample], outcome: PairOutcome) -> Self {
        let (mut i, mut bound, mut null_i) = (0.0, 0.0, 0.0);
        // Mean √2I, variances of both; every pair is permuted independently, so that variances add up.
        let mut spread = Some([0.0; 3]);
        for supersample in supersamples {
            let weight = 1.0 / (supersamples.len() as f64 * supersample.n_pairs() as f64);
            let of_pair = |pair: usize| {
                let counts = supersample.counts(pair, outcome);
                (counts.information(), counts.permuted())
            };
            let pairs: Vec<(Nats, PermutationFloor)> =
                (0..supersample.n_pairs()).into_par_iter().map(of_pair).collect();
            for (found, floor) in pairs {
                i += weight * found.0;
                bound += weight * root_bound(found);
                null_i += weight * floor.information.0;
                spread = spread.zip(floor.spread).map(|([root, of_i, of_root], floor)| {
                    [
                        root + weight * floor.bound,
                        of_i + (weight * floor.information_std.0).powi(2),
                        of_root + (weight * floor.bound_std).powi(2),
                    ]
                });
            }
        }
        let null = PairNull {
            information: Nats(null_i),
            information_std: spread.map(|[_, of_i, _]| Nats(of_i.sqrt())),
            bound: spread.map(|[root, ..]| root),
            bound_std: spread.map(|[_, _, of_root]| of_root.sqrt()),
        };
        Self { information: Nats(i), bound, null }
    }
}

/// The outcomes at all pairs of all supersamples in one table, as if they were of one pair: I(outcome; U) without
/// knowledge of the supersample.
pub fn pooled(supersamples: &[Supersample], outcome: PairOutcome) -> MaskCounts {
    let of_pairs = |supersample: &Supersample| -> Vec<_> {
        (0..supersample.n_pairs()).flat_map(|pair| supersample.outcomes(pair, outcome)).collect()
    };
    MaskCounts::of(supersamples.iter().flat_map(of_pairs))
}
