//! How much an estimate depends on the choice of samples: the estimate is repeated on random halves of the samples.
//!
//! Halves are drawn without replacement: a sample that is drawn twice would share its cell with itself, which would lower the
//! entropy. A mean over half of n samples, drawn without replacement, has variance σ²/(n/2) · (1 − 1/2) = σ²/n around
//! the mean over all: so the standard deviation over halves is the standard error of a mean over all n samples.
//!
//! # Reference
//! The delete-d jackknife with d = n/2, Shao & Wu 1989 (Ann. Statist. 17, 1176), with random instead of all subsets.

use std::collections::BTreeMap;

use super::pools::Group;
use super::snapshots::{Rows, Runs};
use crate::estimate_id::Samples;
use crate::estimators::{EstimateError, EstimatorSet, InputsAndLabels, LayerData, Ranges};
use crate::math::descriptive::{mean, std};
use crate::math::shuffles::Shuffles;
use crate::sample::Representation;
use crate::store::schema::EstimateRow;
use crate::units::Nats;

/// The halves of the samples of every selection and run, if requested.
#[derive(Default)]
pub(super) struct Resamples(BTreeMap<(Samples, usize), Halves>);

/// Random halves of the samples of a run.
pub(super) struct Halves(Vec<Half>);

struct Half {
    /// Indices of its samples among the samples of the run.
    places: Vec<usize>,
    given: InputsAndLabels,
}

/// Mean and standard deviation (n − 1) over halves, in bits; `None` if the estimator has no such quantity, or a half fails.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Resampled {
    pub(super) i_xt: Option<(f64, f64)>,
    pub(super) i_ty: Option<(f64, f64)>,
}

impl Resamples {
    /// Adds `n` halves of the samples of each run in `rows`.
    pub(super) fn add(&mut self, n: usize, selection: Samples, rows: &[Rows], runs: &Runs<'_>) {
        for (run, rows) in rows.iter().enumerate().filter(|_| n > 0) {
            // Too few samples for halves are too few for an estimate, which reports the failure.
            let halves = Halves::new(n, &rows.samples, runs).ok();
            self.0.extend(halves.map(|halves| ((selection, run), halves)));
        }
    }

    /// The halves of a group of snapshots, if `n` halves are requested and nothing is pooled.
    pub(super) fn of(&self, n: usize, selection: Samples, group: &Group) -> Option<&Halves> {
        match group.parts[..] {
            [(run, _)] if n > 0 => self.0.get(&(selection, run)),
            _ => None,
        }
    }
}

impl Resampled {
    /// Writes them into the row of the estimate.
    pub(super) fn add_to(self, row: &mut EstimateRow) {
        (row.i_xt_resampled_bits_mean, row.i_xt_resampled_bits_std) = self.i_xt.unzip();
        (row.i_ty_resampled_bits_mean, row.i_ty_resampled_bits_std) = self.i_ty.unzip();
    }
}

impl Halves {
    /// `n` halves of these samples; they depend only on `n` and on the number of samples.
    fn new(n: usize, samples: &[i32], runs: &Runs<'_>) -> Result<Self, EstimateError> {
        let half = |permutation: &[u32]| {
            let mut places: Vec<usize> = permutation[..samples.len() / 2].iter().map(|place| *place as usize).collect();
            places.sort_unstable();
            let chosen: Vec<i32> = places.iter().map(|place| samples[*place]).collect();
            Ok(Half { places, given: runs.inputs_and_labels(&chosen, 0)? })
        };
        let permutations = Shuffles::new(n as u64, samples.len() as u32);
        permutations.iter().map(half).collect::<Result<_, _>>().map(Self)
    }

    /// The estimates of every member of `estimator` for the halves of `values` (samples × units), with the `ranges` of all
    /// samples.
    pub(super) fn estimate(
        &self,
        estimator: &dyn EstimatorSet,
        values: &[f32],
        n_units: usize,
        ranges: &Ranges,
    ) -> Vec<Resampled> {
        let mut found: Vec<[Vec<Option<f64>>; 2]> = vec![Default::default(); estimator.members().len()];
        for Half { places, given } in &self.0 {
            let of_half: Vec<f32> =
                places.iter().flat_map(|place| &values[place * n_units..][..n_units]).copied().collect();
            let data = Representation::new(&of_half, n_units).map_err(EstimateError::from);
            let data = data.and_then(|t| LayerData::of_samples(t, given));
            let Ok(data) = data else { return Vec::new() };
            let estimates = estimator.estimate(&LayerData { ranges: *ranges, ..data });
            for ([i_xt, i_ty], estimate) in found.iter_mut().zip(estimates) {
                let estimate = estimate.ok();
                i_xt.push(estimate.as_ref().and_then(|estimate| estimate.i_xt).map(Nats::bits));
                i_ty.push(estimate.as_ref().map(|estimate| estimate.i_ty.bits()));
            }
        }
        let spread = |numbers: Vec<Option<f64>>| {
            let numbers: Vec<f64> = numbers.into_iter().collect::<Option<_>>()?;
            mean(&numbers).zip(std(&numbers))
        };
        found.into_iter().map(|[i_xt, i_ty]| Resampled { i_xt: spread(i_xt), i_ty: spread(i_ty) }).collect()
    }
}
