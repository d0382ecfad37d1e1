//! Gradient noise weighted by the curvature of the loss, and the ratio used in released code.

use super::ratio;
use crate::weights::gradients::each_block;
use crate::weights::{Curvature, DenseNetwork, Labelled, MeasureError};

impl DenseNetwork {
    /// tr(HΣ)/GᵀHG (ddof 1): the batch size at which the loss caused by noise equals the gain of the step (McCandlish
    /// et al. 2018, eq. 2.8).
    ///
    /// # Errors
    /// Samples that do not fit, more weights than [`crate::weights::LARGEST_MATRIX`], or no curvature along the
    /// gradient.
    pub fn curvature_noise_scale(&self, samples: Labelled<'_>) -> Result<f64, MeasureError> {
        let hessian = Curvature::hessian(self, samples)?;
        let covariance = Curvature::gradient_covariance(self, samples)?;
        let (n, (_, gradient)) = (samples.len() as f64, self.gradient(samples));
        let trace = (hessian.matrix() * covariance.matrix()).sum() * n / (n - 1.0);
        ratio(trace, hessian.along(&gradient)?, "the loss has no curvature along its gradient; use another snapshot")
    }

    /// The ratio of the mean |G_k| to the mean standard deviation over the weights k. It is not |G|/√(tr Σ), although
    /// it is used as such.
    ///
    /// # Errors
    /// Samples that do not fit, or gradients that are all equal.
    pub fn compat_elementwise_snr(&self, samples: Labelled<'_>) -> Result<f64, MeasureError> {
        self.check(samples)?;
        let mut squares = vec![0.0; self.n_weights()];
        each_block(self, samples, |gradients| {
            squares.iter_mut().zip(gradients.sum_of_squares()).for_each(|(sum, square)| *sum += square);
        });
        let (_, mean) = self.gradient(samples);
        let n = samples.len() as f64;
        // The variance of a weight with constant gradient may be slightly negative after rounding.
        let deviation = |(square, g): (&f64, &f64)| (square / n - g * g).abs().sqrt();
        let deviations: f64 = squares.iter().zip(&mean).map(deviation).sum();
        ratio(mean.iter().map(|g| g.abs()).sum(), deviations, "the gradients are all equal, so there is no noise")
    }
}
