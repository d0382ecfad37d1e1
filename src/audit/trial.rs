//! The estimates of one pair of variables, with the permutation null and the spread over halves of the samples.

use super::Sampled;
use crate::estimators::{EstimateError, EstimatorSet, Information, Spread, Variable};
use crate::math::shuffles::Shuffles;
use crate::math::student::student_factor;
use crate::units::Nats;

/// How an estimate is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialSettings {
    /// Number of permutations of Y.
    pub n_shuffles: usize,
    /// Number of random halves of the samples.
    pub n_halves: usize,
}

/// An estimate of I(X;Y), and what it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The estimate from all samples.
    pub information: Information,
    /// Estimates with Y permuted, sorted.
    pub null: Vec<Nats>,
    /// Mean and standard deviation over random halves of the samples; `None` without halves, or if one of them has no
    /// estimate. The standard deviation is about the standard error of the estimate from all samples.
    pub halves: Option<Spread>,
    /// Number of halves.
    n_halves: usize,
}

impl Trial {
    /// Share of the permutations, the identity among them, whose estimate is at least this one: the p value of independent
    /// X and Y.
    pub fn p_value(&self) -> Option<f64> {
        let n_above = self.null.iter().filter(|null| **null >= self.information.value).count();
        (!self.null.is_empty()).then(|| (1 + n_above) as f64 / (1 + self.null.len()) as f64)
    }

    /// Whether the estimate is neither below nor above all estimates with Y permuted. If X and Y are independent, this has
    /// probability 1 − 2/(n + 1) for n permutations and estimates without ties: 95 % for 39.
    pub fn is_within_null(&self) -> Option<bool> {
        let (low, high) = (self.null.first()?, self.null.last()?);
        Some((*low..=*high).contains(&self.information.value))
    }

    /// The 95 % interval (Student) from the standard deviation over halves, which does not include the bias; `None` with
    /// fewer than two halves, and if all halves give the same value.
    pub fn interval(&self) -> Option<(Nats, Nats)> {
        let std = self.halves?.std.filter(|std| std.0 > 0.0)?;
        let half = student_factor(self.n_halves)? * std.0;
        Some((Nats(self.information.value.0 - half), Nats(self.information.value.0 + half)))
    }
}

/// The largest number of values of permuted copies of Y in memory at the same time.
const MOST_VALUES: usize = 1 << 25;

/// The trial of every estimator of a set on one pair of variables. Permutations and halves depend only on the settings and
/// on the number of samples.
pub fn trials(
    estimators: &dyn EstimatorSet,
    Sampled { x, y }: &Sampled,
    settings: TrialSettings,
) -> Vec<Result<Trial, EstimateError>> {
    let n = y.n_samples() as u32;
    let shuffles = Shuffles::new(settings.n_shuffles as u64, n);
    let halves: Vec<Vec<Result<Information, EstimateError>>> = Shuffles::new(settings.n_halves as u64, n)
        .iter()
        .map(|order| {
            let mut half = order[..n as usize / 2].to_vec();
            half.sort_unstable();
            let of_half = estimators.between(&x.of(&half), &[y.of(&half)]);
            of_half.into_iter().flatten().collect()
        })
        .collect();
    // In groups, so that the permuted copies of a wide Y fit into memory. An estimator prepares X once for each group.
    let width = if let Variable::Real(points) = y { points.n_dims() } else { 1 };
    let n_together = (MOST_VALUES / (y.n_samples() * width).max(1)).max(1);
    let identity: Vec<u32> = (0..n).collect();
    let orders: Vec<&[u32]> = std::iter::once(identity.as_slice()).chain(shuffles.iter()).collect();
    let mut found: Vec<Vec<Result<Information, EstimateError>>> = Vec::new();
    for orders in orders.chunks(n_together) {
        let permuted: Vec<Variable<'_>> = orders.iter().map(|order| y.of(order)).collect();
        let of_group = estimators.between(x, &permuted);
        found.resize_with(of_group.len(), Vec::new);
        found.iter_mut().zip(of_group).for_each(|(found, more)| found.extend(more));
    }
    found
        .into_iter()
        .enumerate()
        .map(|(place, found)| {
            let mut found = found.into_iter().collect::<Result<Vec<Information>, _>>()?.into_iter();
            let information = found.next().expect("there is an estimate for Y itself");
            let mut null: Vec<Nats> = found.map(|information| information.value).collect();
            null.sort_by(|a, b| a.0.total_cmp(&b.0));
            let of_halves: Result<Vec<Nats>, EstimateError> =
                halves.iter().map(|half| Ok(half[place].clone()?.value)).collect();
            let halves = of_halves.ok().and_then(|values| Spread::of(&values));
            Ok(Trial { information, null, halves, n_halves: settings.n_halves })
        })
        .collect()
}
