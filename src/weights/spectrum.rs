//! The eigenvalues of a curvature or a covariance, and the sums over them that codes and channels are made of.

use ndarray::Array2;

use super::MeasureError;
use crate::math::eigenvalues::eigenvalues;

/// The eigenvalues h_i of a symmetric matrix A, of which every number of a Gaussian code is a sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    eigenvalues: Vec<f64>,
}

impl Spectrum {
    /// Of a symmetric matrix; only its lower triangle is read.
    ///
    /// # Errors
    /// Numbers that are not finite, or overflow.
    pub fn new(matrix: Array2<f64>) -> Result<Self, MeasureError> {
        let eigenvalues = eigenvalues(matrix).ok_or(MeasureError::NotFinite { what: "an eigenvalue" })?;
        Ok(Self { eigenvalues })
    }

    /// Of a diagonal.
    pub(super) fn sorted(mut eigenvalues: Vec<f64>) -> Self {
        eigenvalues.sort_by(|a, b| b.total_cmp(a));
        Self { eigenvalues }
    }

    /// Of a matrix of blocks.
    pub(super) fn joined(parts: &[Self]) -> Self {
        Self::sorted(parts.iter().flat_map(|part| part.eigenvalues.iter().copied()).collect())
    }

    /// The eigenvalues, largest first. Each is accurate to some 10⁻¹⁵ of the largest.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// How many eigenvalues exceed `share` times the largest.
    pub fn rank(&self, share: f64) -> usize {
        let largest = self.eigenvalues.first().copied().unwrap_or(0.0);
        self.eigenvalues.iter().filter(|h| **h > share * largest).count()
    }

    /// ln |A + aI|.
    ///
    /// # Errors
    /// A + aI is not positive definite.
    pub fn log_determinant(&self, a: f64) -> Result<f64, MeasureError> {
        self.sum(a, |h| (h + a).ln())
    }

    /// tr A (A + aI)⁻¹: how many directions are decided by A and not by a.
    ///
    /// # Errors
    /// A + aI is not positive definite.
    pub fn effective_dimension(&self, a: f64) -> Result<f64, MeasureError> {
        self.sum(a, |h| h / (h + a))
    }

    /// ½ Σ_i ln(1 + h_i/a): the information of a channel with the signal covariance A and noise of variance a, in nats.
    ///
    /// # Errors
    /// A + aI is not positive definite.
    pub fn channel_information(&self, a: f64) -> Result<f64, MeasureError> {
        self.sum(a, |h| 0.5 * (h / a).ln_1p())
    }

    /// Σ_i f(h_i), of A + aI that is positive definite.
    pub(super) fn sum(&self, a: f64, f: impl Fn(f64) -> f64) -> Result<f64, MeasureError> {
        let smallest = self.eigenvalues.last().copied().unwrap_or(0.0);
        if !(a > 0.0 && a.is_finite()) {
            return Err(MeasureError::Refused(format!(
                "{a:e} is added to the curvature; it must be above 0 and finite"
            )));
        }
        if smallest + a <= 0.0 {
            return Err(MeasureError::Refused(format!(
                "the smallest eigenvalue of the curvature is {smallest:e}, and with {a:e} added it is not positive; use the \
                 Fisher information instead of a Hessian, a larger beta or a smaller prior variance"
            )));
        }
        Ok(self.eigenvalues.iter().map(|h| f(*h)).sum())
    }
}
