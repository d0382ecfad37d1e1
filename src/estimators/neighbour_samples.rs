//! Two variables as an estimator by numbers of neighbours needs them: scaled, and checked.

use super::pair::expect_few_classes;
use super::{Cells, EstimateError, Points, Variable};
use crate::math::ksg::{Arranged, KthNeighbours};
use crate::math::standardise::standardised;

/// The two variables of `a` and `b`.
pub(super) enum Kinds<'a> {
    /// Two real vectors.
    Real(&'a Points<'a>, &'a Points<'a>),
    /// A real vector and classes, in either order.
    WithClasses(&'a Points<'a>, &'a Cells),
}

/// The allowed numbers of neighbours.
pub(super) const K: (u64, u64) = (1, 1000);

/// The largest share of samples with ties that is ignored. A tie changes the terms of a sample by about 1/k; in single
/// precision activations of a density have ties in less than 1 % of 100,000 samples.
pub(super) const IGNORED_TIES: f64 = 0.1;

impl<'a> Kinds<'a> {
    /// # Errors
    /// Two variables that are both classes, or different numbers of samples.
    pub(super) fn of(estimator: &'static str, a: &'a Variable<'a>, b: &'a Variable<'a>) -> Result<Self, EstimateError> {
        let (n_t, n_y) = (a.n_samples(), b.n_samples());
        if n_t != n_y {
            return Err(EstimateError::Mismatch { n_t, n_y });
        }
        match (a, b) {
            (Variable::Real(a), Variable::Real(b)) => Ok(Self::Real(a, b)),
            (Variable::Real(t), Variable::Classes(y)) | (Variable::Classes(y), Variable::Real(t)) => {
                Ok(Self::WithClasses(t, y))
            }
            (Variable::Classes(_), Variable::Classes(_)) => Err(EstimateError::WrongKinds {
                estimator,
                got: "two labels",
                needed: "at least one real vector; use `binning` or `quantised` for two labels",
            }),
        }
    }
}

/// A real vector, each coordinate divided by its standard deviation; `None` if all samples are equal.
pub(super) fn scaled(points: &Points<'_>) -> Option<Arranged> {
    let (values, n_dims) = standardised(points.values(), points.n_dims());
    (n_dims > 0).then(|| Arranged::new(values, n_dims))
}

/// # Errors
/// At most `k` samples.
pub(super) fn check_number(n: usize, k: usize) -> Result<(), EstimateError> {
    if n > k {
        return Ok(());
    }
    let advice = "choose a smaller `k`, or use more samples";
    Err(EstimateError::FewSamples { what: "the distance to neighbour `k`", n, needed: k + 1, advice })
}

/// # Errors
/// More classes than half of the samples, or a class of at most `k` samples.
pub(super) fn check_classes(classes: &Cells, k: usize) -> Result<(), EstimateError> {
    expect_few_classes(classes)?;
    let n = classes.counts().iter().min().map_or(0, |fewest| *fewest as usize);
    if n > k { Ok(()) } else { Err(EstimateError::FewInClass { n, k }) }
}

/// # Errors
/// More than `most`, a share of the samples, have ties.
pub(super) fn check_ties(
    neighbours: &KthNeighbours,
    k: usize,
    most: f64,
    advice: &'static str,
) -> Result<(), EstimateError> {
    let (n, n_samples) = (neighbours.n_tied, neighbours.radii.len());
    if n as f64 <= most * n_samples as f64 { Ok(()) } else { Err(EstimateError::Tied { n, n_samples, k, advice }) }
}
