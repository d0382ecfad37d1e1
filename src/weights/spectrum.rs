//! The eigenvalues of a curvature or a covariance, and sums over them for codes and channels.

use ndarray::Array2;

use super::MeasureError;
use crate::math::eigenvalues::eigenvalues;

/// The eigenvalues h_i of a symmetric matrix A; every value of a Gaussian code is a sum over them.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    eigenvalues: Vec<f64>,
}

impl Spectrum {
    /// The eigenvalues of a symmetric matrix; only its lower triangle is read.
    ///
    /// # Errors
    /// Numbers that are not finite, or that overflow.
    pub fn new(matrix: Array2<f64>) -> Result<Self, MeasureError> {
        let eigenvalues = eigenvalues(matrix).ok_or(MeasureError::NotFinite { what: "an eigenvalue" })?;
        Ok(Self { eigenvalues })
    }

    /// The eigenvalues of a diagonal matrix.
    pub(super) fn sorted(mut eigenvalues: Vec<f64>) -> Self {
        eigenvalues.sort_by(|a, b| b.total_cmp(a));
        Self { eigenvalues }
    }

    /// The eigenvalues of a block-diagonal matrix.
    pub(super) fn joined(parts: &[Self]) -> Self {
        Self::sorted(parts.iter().flat_map(|part| part.eigenvalues.iter().copied()).collect())
    }

    /// The eigenvalues in descending order. The error of each is about 10⁻¹⁵ of the largest.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// Number of eigenvalues above `share` times the largest.
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

    /// tr A (A + aI)⁻¹: the number of directions that are determined by A and not by a.
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

    /// Σ_i f(h_i) for a positive definite A + aI.
    pub(super) fn sum(&self, a: f64, f: impl Fn(f64) -> f64) -> Result<f64, MeasureError> {
        let smallest = self.eigenvalues.last().copied().unwrap_or(0.0);
        if !(a > 0.0 && a.is_finite()) {
            return Err(MeasureError::Refused(format!(
                "the number added to the curvature is {a:e}, but must be finite and above 0"
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
