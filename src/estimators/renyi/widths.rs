//! Kernels of `renyi`, and how their widths are chosen.

use ndarray::Array2;

use super::SPEC;
use crate::estimators::{EstimateError, Points};
use crate::math::atoms::Cells;
use crate::math::renyi::{alignment, squared_distances};

/// A kernel of two samples at distance d with width σ, named after the paper that uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelConvention {
    /// exp(−d²/2σ²), Tapia & Estévez 2020 (IPDL).
    Ipdl,
    /// exp(−d²/σ²), Wickstrøm et al. 2019.
    Wickstrom,
    /// exp(−d²/σ), Yu et al. 2020. A width that is chosen by a rule is squared.
    Yu,
}

/// How the width σ of a kernel is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KernelWidth {
    /// σ = 0.8 s N^(−1/(4+d)), with s² the sum of the variances of the d units.
    Silverman,
    /// The one of 100 widths for which the kernel has the largest alignment with the kernel of the labels. The labels
    /// then influence I(X;T) also. X has the width of Silverman's rule.
    Alignment,
    /// A number, in units of the values; in squared units for [`KernelConvention::Yu`].
    Fixed(f64),
}

/// Factor of Silverman's rule in IPDL.
const SILVERMAN: f64 = 0.8;

/// Number of widths that are compared by their alignment, as in Wickstrøm et al. from the second epochs on.
const N_ALIGNED: usize = 100;

/// The smallest and the largest of them, in units of the mean distance, spaced evenly in their logarithm. In the paper
/// they are spaced evenly from 0.3 to 10 mean distances; the first is not in units of the values.
const ALIGNED: (f64, f64) = (0.01, 10.0);

impl KernelConvention {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ipdl => "ipdl",
            Self::Wickstrom => "wickstrom",
            Self::Yu => "yu",
        }
    }

    /// The formula, for the description of the estimated quantity.
    pub(super) fn formula(self) -> &'static str {
        match self {
            Self::Ipdl => "exp(-d^2/(2 sigma^2))",
            Self::Wickstrom => "exp(-d^2/sigma^2)",
            Self::Yu => "exp(-d^2/sigma)",
        }
    }

    /// The number by which −d² is divided, for a width in units of the values.
    fn divisor(self, sigma: f64) -> f64 {
        match self {
            Self::Ipdl => 2.0 * sigma * sigma,
            Self::Wickstrom | Self::Yu => sigma * sigma,
        }
    }
}

/// The squared distances of a variable, with what its width depends on.
pub(super) struct Distances {
    pub(super) squared: Array2<f64>,
    /// σ of Silverman's rule.
    silverman: f64,
}

/// With N samples, six N × N matrices exist at once: distances and kernels of two variables, their product, and the copy
/// of which the eigenvalues are computed. This is 4 GB.
const MOST_SAMPLES: usize = 9000;

impl Distances {
    /// # Errors
    /// More samples than [`MOST_SAMPLES`].
    pub(super) fn of(points: &Points<'_>) -> Result<Self, EstimateError> {
        let n = points.n_samples();
        if n > MOST_SAMPLES {
            return Err(EstimateError::ManySamples { estimator: SPEC.name, n, most: MOST_SAMPLES });
        }
        let squared = squared_distances(points.values(), points.n_dims());
        // Σ_ij d_ij²/2N² is the sum of the variances.
        let variance = squared.sum() / (2.0 * (n as f64).powi(2));
        let silverman = SILVERMAN * variance.sqrt() * (n as f64).powf(-1.0 / (4.0 + points.n_dims() as f64));
        Ok(Self { squared, silverman })
    }

    /// The number by which −d² is divided. `classes` are the labels with which a kernel is aligned; without them an
    /// aligned width is that of Silverman's rule.
    pub(super) fn divisor(&self, kernel: KernelConvention, width: KernelWidth, classes: Option<&Cells>) -> f64 {
        match (width, classes) {
            (KernelWidth::Fixed(sigma), _) if kernel == KernelConvention::Yu => sigma,
            (KernelWidth::Fixed(sigma), _) => kernel.divisor(sigma),
            (KernelWidth::Silverman, _) | (KernelWidth::Alignment, None) => kernel.divisor(self.silverman),
            (KernelWidth::Alignment, Some(classes)) => self.aligned(kernel, classes),
        }
    }

    /// The divisor with the largest alignment; of equal ones the smallest.
    fn aligned(&self, kernel: KernelConvention, classes: &Cells) -> f64 {
        let n = self.squared.nrows() as f64;
        let mean_distance = self.squared.iter().map(|d| d.sqrt()).sum::<f64>() / (n * (n - 1.0));
        let (low, high) = ALIGNED;
        let mut best = (f64::NEG_INFINITY, kernel.divisor(mean_distance));
        for step in 0..N_ALIGNED {
            let sigma = mean_distance * low * (high / low).powf(step as f64 / (N_ALIGNED - 1) as f64);
            let divisor = kernel.divisor(sigma);
            let found = alignment(&self.squared, divisor, classes);
            if found > best.0 {
                best = (found, divisor);
            }
        }
        best.1
    }
}
