//! Normal vectors with the covariance of a recorded layer, and classes with the shares of its labels: known information at
//! the size, the dimension and the spectrum of a layer.
//!
//! T = C'z/√m with C the centred activations of m samples and z standard normal: T is normal with their covariance. The
//! coordinate of the largest variance is correlated by ρ with a hidden normal variable, whose quantiles are the classes, so
//! I(T;Y) is an integral in one dimension.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::classes::{quantile_class, quantised_information};
use super::sampled::{Sampled, normal};
use crate::sample::Representation;
use crate::units::Nats;

/// What a distribution copies from a recorded layer.
#[derive(Debug, Clone)]
pub struct LayerShape {
    /// Centred activations of some samples, row after row.
    centred: Vec<f64>,
    n_units: usize,
    /// Number of samples of the layer.
    n_samples: usize,
    /// Share of each class.
    shares: Vec<f64>,
    /// The coordinate with the largest variance, and its standard deviation.
    largest: (usize, f64),
}

/// Samples like those of a layer, with a known I(T;Y).
#[derive(Debug, Clone)]
pub struct LayerLike<'a> {
    shape: &'a LayerShape,
    /// Correlation of the largest coordinate with the variable whose quantiles are the classes.
    rho: f64,
}

/// Number of samples whose activations determine the covariance, at most.
const MOST_ROWS: usize = 500;

impl LayerShape {
    /// The shape of the activations `t` with this number of samples in each class; `None` if all samples are equal or there
    /// are fewer than two classes.
    pub fn of(t: &Representation<'_>, class_counts: &[u32]) -> Option<Self> {
        let (n, n_units) = (t.n_samples(), t.n_units());
        let step = n.div_ceil(MOST_ROWS);
        let mut centred: Vec<f64> = t.rows().step_by(step).flatten().copied().map(f64::from).collect();
        let m = centred.len() / n_units;
        let mut largest = (0, 0.0);
        for unit in 0..n_units {
            let mean = centred[unit..].iter().step_by(n_units).sum::<f64>() / m as f64;
            centred[unit..].iter_mut().step_by(n_units).for_each(|value| *value -= mean);
            let variance = centred[unit..].iter().step_by(n_units).map(|value| value * value).sum::<f64>() / m as f64;
            if variance.sqrt() > largest.1 {
                largest = (unit, variance.sqrt());
            }
        }
        let shares: Vec<f64> = class_counts.iter().map(|count| f64::from(*count) / n as f64).collect();
        let is_usable = largest.1 > 0.0 && shares.len() > 1;
        is_usable.then_some(Self { centred, n_units, n_samples: n, shares, largest })
    }

    /// Number of samples of the layer.
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// Number of units of the layer.
    pub fn n_units(&self) -> usize {
        self.n_units
    }

    /// H(Y) of the labels.
    pub fn h_y(&self) -> Nats {
        Nats(self.shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum())
    }

    /// A distribution of this shape; `rho` is from 0, where T and Y are independent, to below 1.
    pub fn with_correlation(&self, rho: f64) -> LayerLike<'_> {
        LayerLike { shape: self, rho }
    }
}

impl LayerLike<'_> {
    /// The correlation of the coordinate of the largest variance with the variable whose quantiles are the classes.
    pub fn correlation(&self) -> f64 {
        self.rho
    }

    /// The true I(T;Y).
    pub fn truth(&self) -> Nats {
        if self.rho == 0.0 { Nats(0.0) } else { quantised_information(self.rho, &self.shape.shares) }
    }

    /// `n` samples; they depend only on the shape, `n` and `seed`.
    pub fn draw(&self, n: usize, seed: u64) -> Sampled {
        let LayerShape { centred, n_units, shares, largest: (unit, std), .. } = self.shape;
        let (mut rng, root) = (ChaCha8Rng::seed_from_u64(seed), ((centred.len() / n_units) as f64).sqrt());
        let noise = (1.0 - self.rho * self.rho).sqrt();
        Sampled::labelled(n, *n_units, |x| {
            let mut t = vec![0.0; *n_units];
            for row in centred.chunks_exact(*n_units) {
                let z = normal(&mut rng) / root;
                t.iter_mut().zip(row).for_each(|(t, value)| *t += z * value);
            }
            let hidden = self.rho * t[*unit] / std + noise * normal(&mut rng);
            x.extend(t);
            quantile_class(hidden, shares)
        })
    }
}
