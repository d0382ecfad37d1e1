//! The estimators that `sliced` and `lossy` apply to projections of their variables.

use statrs::function::gamma::digamma;

use super::normal_scores::Scored;
use super::{Cells, EstimateError, Points, Variable};
use crate::math::ksg::{
    Arranged, class_neighbours, first_algorithm, joint_neighbours, of_mixture, of_mixture_with_classes, with_classes,
};
use crate::units::Nats;

/// An estimator of the information between two projections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnProjections {
    /// Kraskov, Stögbauer & Grassberger 2004, algorithm 1, with k = 3; Ross 2014 for classes.
    Ksg,
    /// Gao et al. 2017, with k = 3: values may repeat.
    MixedKsg,
    /// The Gaussian copula.
    Copula,
}

/// The neighbour of the estimators by nearest neighbours: 2 to 4 in Kraskov et al. 2004.
const K: usize = 3;

/// A projection of a variable, or classes.
pub(super) enum Projection<'a> {
    /// Arranged for nearest neighbours.
    Neighbours(Arranged),
    /// For the Gaussian copula.
    Scores(Scored<'a>),
    /// The class of every sample.
    Classes(&'a Cells),
}

impl OnProjections {
    /// The name in pipelines and tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ksg => "ksg",
            Self::MixedKsg => "mixed-ksg",
            Self::Copula => "copula",
        }
    }

    /// The name in sentences.
    pub(super) fn words(self) -> String {
        match self {
            Self::Ksg => format!("nearest neighbours (KSG, k = {K})"),
            Self::MixedKsg => format!("nearest neighbours of mixtures (Gao et al. 2017, k = {K})"),
            Self::Copula => "a Gaussian copula".to_owned(),
        }
    }

    /// A projection, which `what` names in errors.
    ///
    /// # Errors
    /// No spread, values that repeat, too few samples.
    pub(super) fn projection(
        self,
        points: &Points<'_>,
        what: &'static str,
    ) -> Result<Projection<'static>, EstimateError> {
        if self == Self::Copula {
            return Scored::of_points(points, what).map(Projection::Scores);
        }
        let n = points.n_samples();
        if n <= K {
            let advice = "use more samples";
            return Err(EstimateError::FewSamples {
                what: "an estimate from third neighbours",
                n,
                needed: K + 1,
                advice,
            });
        }
        Ok(Projection::Neighbours(Arranged::new(scaled(points, what)?, points.n_dims())))
    }

    /// The information between two projections, or a projection and classes.
    ///
    /// # Errors
    /// Values that repeat, small classes, coordinates that depend on each other.
    pub(super) fn information(self, a: &Projection<'_>, b: &Projection<'_>) -> Result<Nats, EstimateError> {
        match (a, b) {
            (Projection::Neighbours(a), Projection::Neighbours(b)) => self.of_neighbours(a, b),
            (Projection::Neighbours(t), Projection::Classes(y))
            | (Projection::Classes(y), Projection::Neighbours(t)) => self.with_classes(t, y),
            (Projection::Scores(a), Projection::Scores(b)) => a.information(b, self.name()),
            (Projection::Scores(t), Projection::Classes(y)) | (Projection::Classes(y), Projection::Scores(t)) => {
                t.information(&Scored::Classes(y), self.name())
            }
            _ => Err(EstimateError::WrongKinds {
                estimator: self.name(),
                got: "two labels",
                needed: "two real vectors, or real vectors and labels",
            }),
        }
    }

    fn of_neighbours(self, a: &Arranged, b: &Arranged) -> Result<Nats, EstimateError> {
        let joint = joint_neighbours(a, b, K);
        if self == Self::MixedKsg {
            return Ok(of_mixture(a, b, &joint, K));
        }
        without_repeats(joint.n_repeated, joint.radii.len())?;
        Ok(first_algorithm(a, b, &joint, K))
    }

    fn with_classes(self, t: &Arranged, y: &Cells) -> Result<Nats, EstimateError> {
        if y.n_cells() == 1 {
            return Ok(Nats(0.0));
        }
        let fewest = y.counts().iter().copied().min().unwrap_or(0) as usize;
        if fewest <= K {
            return Err(EstimateError::FewInClass { n: fewest, k: K });
        }
        let inside = class_neighbours(t, y.numbers(), K);
        if self == Self::MixedKsg {
            return Ok(of_mixture_with_classes(t, y.numbers(), &inside, K));
        }
        without_repeats(inside.n_repeated, inside.radii.len())?;
        Ok(with_classes(t, y.numbers(), &inside, K))
    }
}

/// ψ(N) − ψ(k), the largest value of KSG for `n_samples` N.
pub(super) fn largest_information(n_samples: usize) -> Nats {
    Nats(digamma(n_samples as f64) - digamma(K as f64))
}

/// Classes, if they are not too many.
///
/// # Errors
/// More classes than half of the samples.
pub(super) fn few_classes(cells: &Cells) -> Result<&Cells, EstimateError> {
    let (n_classes, n_samples) = (cells.n_cells(), cells.n_samples());
    if 2 * n_classes > n_samples { Err(EstimateError::ManyClasses { n_classes, n_samples }) } else { Ok(cells) }
}

/// The real vectors of a variable, or its classes.
pub(super) fn points_of<'a>(variable: &'a Variable<'_>) -> Result<&'a Points<'a>, &'a Cells> {
    match variable {
        Variable::Real(points) => Ok(points),
        Variable::Classes(cells) => Err(cells),
    }
}

fn without_repeats(n: usize, n_samples: usize) -> Result<(), EstimateError> {
    if n == 0 {
        return Ok(());
    }
    let advice = "use `mixed-ksg`, which allows equal values, or `binning`";
    Err(EstimateError::Repeated { what: "the projections", n, n_samples, advice })
}

/// The values divided by their standard deviation over all coordinates, so that both variables have distances of equal size.
fn scaled(points: &Points<'_>, what: &'static str) -> Result<Vec<f64>, EstimateError> {
    let (n, n_dims) = (points.n_samples() as f64, points.n_dims());
    let mut means = vec![0.0; n_dims];
    for row in points.rows() {
        means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n);
    }
    let squares = |row: &[f64]| row.iter().zip(&means).map(|(value, mean)| (value - mean).powi(2)).sum::<f64>();
    let variance = points.rows().map(squares).sum::<f64>() / (n * n_dims as f64);
    let first = &points.values()[..n_dims];
    if variance == 0.0 || points.rows().all(|row| row == first) {
        return Err(EstimateError::NoSpread { what });
    }
    Ok(points.values().iter().map(|value| value / variance.sqrt()).collect())
}
