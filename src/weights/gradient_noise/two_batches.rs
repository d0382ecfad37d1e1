//! Gradient noise from batches of two sizes.

use super::{NO_MEAN, ratio};
use crate::weights::MeasureError;

/// An estimate of |G|² and tr Σ from the gradients of batches of two sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoBatches {
    small: (f64, f64),
    big: (f64, f64),
}

impl TwoBatches {
    /// The estimate from the size and the mean |G|² of `small` and of `big` batches.
    ///
    /// # Errors
    /// The small batch is empty or not smaller.
    ///
    /// # Reference
    /// McCandlish et al. 2018, appendix A.1: E|G_B|² = |G|² + tr Σ/B.
    pub fn new(small: (usize, f64), big: (usize, f64)) -> Result<Self, MeasureError> {
        if small.0 == 0 || small.0 >= big.0 {
            let problem = format!("batches of {} and {} samples; the first must be the smaller one", small.0, big.0);
            return Err(MeasureError::Refused(problem));
        }
        Ok(Self { small: (small.0 as f64, small.1), big: (big.0 as f64, big.1) })
    }

    /// |G|², which can be negative.
    pub fn squared_mean(self) -> f64 {
        (self.big.0 * self.big.1 - self.small.0 * self.small.1) / (self.big.0 - self.small.0)
    }

    /// tr Σ.
    pub fn trace(self) -> f64 {
        (self.small.1 - self.big.1) / (1.0 / self.small.0 - 1.0 / self.big.0)
    }

    /// tr Σ/|G|², in samples.
    ///
    /// # Errors
    /// |G|² is 0.
    pub fn noise_scale(self) -> Result<f64, MeasureError> {
        ratio(self.trace(), self.squared_mean(), NO_MEAN)
    }
}
