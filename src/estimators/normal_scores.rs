//! Variables as the Gaussian copula sees them, for `copula` and the estimators that apply it to projections.

use super::{Cells, EstimateError, Points, Variable};
use crate::math::copula::{information, information_about_classes, normal_scores};
use crate::units::Nats;

/// The normal scores of the coordinates that vary, or classes.
#[derive(Debug)]
pub(super) enum Scored<'a> {
    /// Scores of all samples, and the number of coordinates.
    Scores(Vec<f64>, usize),
    /// The class of every sample.
    Classes(&'a Cells),
}

/// The largest share of the samples that may have the same value in a coordinate. The normal scores of equal values are
/// equal, so they are not normal, and the result is no bound if both variables have such values.
const LARGEST_ATOM: f64 = 0.05;

impl<'a> Scored<'a> {
    /// The scores of `variable`, which `what` names in errors. Coordinates without spread are left out: they change no
    /// information.
    ///
    /// # Errors
    /// No spread, values that repeat, more classes than half of the samples.
    pub(super) fn new(variable: &'a Variable<'_>, what: &'static str) -> Result<Self, EstimateError> {
        match variable {
            Variable::Real(points) => Self::of_points(points, what),
            Variable::Classes(cells) => {
                let (n_classes, n_samples) = (cells.n_cells(), cells.n_samples());
                if 2 * n_classes > n_samples {
                    return Err(EstimateError::ManyClasses { n_classes, n_samples });
                }
                Ok(Self::Classes(cells))
            }
        }
    }

    pub(super) fn of_points(points: &Points<'_>, what: &'static str) -> Result<Self, EstimateError> {
        let n_samples = points.n_samples();
        let column = |dim: usize| points.values()[dim..].iter().step_by(points.n_dims()).copied();
        let mut varying = Vec::new();
        for dim in 0..points.n_dims() {
            let mut sorted: Vec<f64> = column(dim).collect();
            sorted.sort_by(f64::total_cmp);
            let n = sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).max().unwrap_or(0);
            if n == n_samples {
                continue;
            }
            if n > 1 && n as f64 > LARGEST_ATOM * n_samples as f64 {
                let advice =
                    "use an estimator that allows equal values, such as `binning`, or `lossy` for principal components";
                return Err(EstimateError::Repeated { what, n, n_samples, advice });
            }
            varying.push(dim);
        }
        if varying.is_empty() {
            return Err(EstimateError::NoSpread { what });
        }
        let values: Vec<f64> = points.rows().flat_map(|row| varying.iter().map(|dim| row[*dim])).collect();
        Ok(Self::Scores(normal_scores(&values, varying.len()), varying.len()))
    }

    /// The information of Gaussian variables with the covariances of the scores.
    ///
    /// # Errors
    /// Two labels, too few samples for the covariances, coordinates that depend linearly on each other.
    pub(super) fn information(&self, other: &Self, estimator: &'static str) -> Result<Nats, EstimateError> {
        match (self, other) {
            (Self::Scores(a, n_a), Self::Scores(b, n_b)) => between_scores(a, *n_a, b, *n_b),
            (Self::Scores(a, n_dims), Self::Classes(y)) | (Self::Classes(y), Self::Scores(a, n_dims)) => {
                about_classes(a, *n_dims, y)
            }
            (Self::Classes(_), Self::Classes(_)) => Err(EstimateError::WrongKinds {
                estimator,
                got: "two labels",
                needed: "two real vectors, or real vectors and labels; use `infoplane mi --estimator binning` or another plug-in estimator",
            }),
        }
    }
}

fn between_scores(a: &[f64], n_a: usize, b: &[f64], n_b: usize) -> Result<Nats, EstimateError> {
    let n = a.len() / n_a;
    if n <= n_a + n_b {
        return Err(EstimateError::FewSamples {
            what: "the covariance of both variables together",
            n,
            needed: n_a + n_b + 1,
            advice: "use fewer coordinates, or `lossy` with a small `n_components`",
        });
    }
    information(a, n_a, b, n_b).map_err(|_| DEPENDENT)
}

fn about_classes(a: &[f64], n_dims: usize, y: &Cells) -> Result<Nats, EstimateError> {
    if y.n_cells() == 1 {
        return Ok(Nats(0.0));
    }
    let fewest = y.counts().iter().copied().min().unwrap_or(0) as usize;
    if fewest <= n_dims {
        return Err(EstimateError::TooWide { n_units: n_dims, n: fewest });
    }
    information_about_classes(a, n_dims, y.numbers()).map_err(|_| DEPENDENT)
}

const DEPENDENT: EstimateError = EstimateError::DependentCoordinates {
    what: "the normal scores",
    advice: "leave out coordinates that are functions of others, or use `lossy` with a small `n_components`",
};
