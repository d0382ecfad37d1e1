//! Statistics of gradients: the norm of their mean, and their spread.

use super::layer::Layer;
use crate::suggest::Named;

/// Over which gradients mean and spread are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GradientKind {
    /// The batches of one epoch, with the gradient of each computed after its update: Shwartz-Ziv & Tishby 2017, Fig.
    /// 4, according to the released code.
    AfterStep,
    /// Batches of an independent permutation of the training samples, one before every update of an epoch: Saxe et al.
    /// 2018, according to the released code.
    BeforeStep,
    /// Every training sample separately, all with the same weights: Saxe et al. 2018, eqs 26 and 27.
    Samples,
}

impl Named for GradientKind {
    const ALL: &'static [Self] = &[Self::AfterStep, Self::BeforeStep, Self::Samples];

    fn name(self) -> &'static str {
        match self {
            Self::AfterStep => "after_step",
            Self::BeforeStep => "before_step",
            Self::Samples => "samples",
        }
    }
}

/// Mean and spread of the gradients of one layer's kernel (biases left out).
///
/// # Reference
/// See [`GradientKind`]. Deviation from Shwartz-Ziv & Tishby: their code plots the trace of the covariance as "STD";
/// this is its square root.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientStatistics {
    /// ‖mean of g‖₂, where g is the gradient of a batch's mean loss, or of one sample's loss.
    pub mean_norm: f64,
    /// √(Σ_w Var g_w), population variance; `None` with fewer than two gradients.
    pub std_norm: Option<f64>,
    /// ‖W‖_F of the present kernel.
    pub weight_norm: f64,
}

/// Mean and summed squared deviations of a sequence of vectors (Welford 1962).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "pipeline", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Moments {
    n: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    pub(super) fn new(len: usize) -> Self {
        Self { n: 0.0, mean: vec![0.0; len], squares: vec![0.0; len] }
    }

    /// The moments of `n` vectors from the sums of their entries and of their squared entries.
    pub(super) fn from_sums(n: f64, sums: &[f64], sums_of_squares: &[f64]) -> Self {
        // Rounding can make a variance of 0 slightly negative. (`max` would turn NaN into 0.)
        let not_below_0 = |square: f64| if square < 0.0 { 0.0 } else { square };
        let squares = sums.iter().zip(sums_of_squares).map(|(s, ss)| not_below_0(ss - s * s / n)).collect();
        Self { n, mean: sums.iter().map(|s| s / n).collect(), squares }
    }

    /// The length of the vectors; `None` if mean and spread have different lengths.
    pub(super) fn len(&self) -> Option<usize> {
        (self.mean.len() == self.squares.len()).then_some(self.mean.len())
    }

    pub(super) fn add(&mut self, values: &[f32]) {
        self.n += 1.0;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(values) {
            let before = f64::from(*value) - *mean;
            *mean += before / self.n;
            *squares += before * (f64::from(*value) - *mean);
        }
    }

    /// The statistics of every layer; `parameters` are the present weights.
    pub(super) fn statistics(&self, layers: &[Layer], parameters: &[f32]) -> Vec<GradientStatistics> {
        let of_layer = |layer: &Layer| GradientStatistics {
            mean_norm: norm(layer.kernel_of(&self.mean).iter().copied()),
            std_norm: (self.n > 1.0).then(|| (layer.kernel_of(&self.squares).iter().sum::<f64>() / self.n).sqrt()),
            weight_norm: norm(layer.kernel_of(parameters).iter().map(|w| f64::from(*w))),
        };
        layers.iter().map(of_layer).collect()
    }
}

pub(super) fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_reference() {
        // Saxe's example: 2 parameters × 3 batches, [[1,2,3],[4,5,6]]: ‖mean‖ = √29, ‖std‖ = √(4/3).
        let mut moments = Moments::new(2);
        [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]].iter().for_each(|g| moments.add(g));
        let summed = Moments::from_sums(3.0, &[6.0, 15.0], &[14.0, 77.0]);
        for moments in [moments, summed] {
            assert!((norm(moments.mean.iter().copied()) - 5.385_164_807_134_504).abs() < 1e-12);
            assert!(((moments.squares.iter().sum::<f64>() / moments.n).sqrt() - 1.154_700_538_379_251_5).abs() < 1e-12);
        }
    }
}
