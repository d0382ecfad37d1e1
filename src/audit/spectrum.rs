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
use crate::math::shuffles::Shuffles;
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

/// Number of samples whose activations determine the covariance; in wide layers, twice the number of units.
const LEAST_ROWS: usize = 500;

impl LayerShape {
    /// The shape of the activations `t` with this number of samples in each class; `None` if all samples are equal or there
    /// are fewer than two classes.
    pub fn of(t: &Representation<'_>, class_counts: &[u32]) -> Option<Self> {
        let (n, n_units) = (t.n_samples(), t.n_units());
        let n_rows = n.min(LEAST_ROWS.max(2 * n_units));
        // Drawn at random, because samples are often sorted by their label.
        let order = Shuffles::new(1, n as u32);
        let order = order.iter().next().unwrap_or_default();
        let row = |sample: &u32| &t.values()[*sample as usize * n_units..][..n_units];
        let mut centred: Vec<f64> = order[..n_rows].iter().flat_map(row).copied().map(f64::from).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::Variable;
    use crate::math::descriptive::{mean, population_variance};

    /// 400 samples of two units with variances near 4 and 1 and covariance near 1, and labels in the ratio 1 : 3.
    fn shape() -> LayerShape {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let row = |_| {
            let (a, b) = (normal(&mut rng), normal(&mut rng));
            [(2.0 * a) as f32, (0.5 * a + 0.75_f64.sqrt() * b) as f32]
        };
        let values: Vec<f32> = (0..400).flat_map(row).collect();
        LayerShape::of(&Representation::new(&values, 2).unwrap(), &[100, 300]).unwrap()
    }

    #[test]
    fn samples_have_the_covariance_of_the_layer_and_the_shares_of_its_labels() {
        let shape = shape();
        let Sampled { x, y } = shape.with_correlation(0.5).draw(4000, 2);
        let (Variable::Real(t), Variable::Classes(classes)) = (x, y) else { panic!("real vectors and classes") };
        let unit = |unit: usize| t.values()[unit..].iter().step_by(2).copied().collect::<Vec<f64>>();
        let (a, b) = (unit(0), unit(1));
        let products: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
        // Of the 400 samples and of the 4000: relative standard errors of about 7 % and 2 %.
        for (found, expected) in [
            (population_variance(&a).unwrap(), 4.0),
            (population_variance(&b).unwrap(), 1.0),
            (mean(&products).unwrap() - mean(&a).unwrap() * mean(&b).unwrap(), 1.0),
        ] {
            assert!((found - expected).abs() < 0.3 * expected, "{found} is not {expected}");
        }
        let share = f64::from(*classes.counts().iter().min().unwrap()) / 4000.0;
        assert!((share - 0.25).abs() < 0.03, "{share}");
    }

    #[test]
    fn the_truth_is_the_information_of_the_drawn_classes() {
        let shape = shape();
        assert_eq!(shape.with_correlation(0.0).truth(), Nats(0.0));
        let like = shape.with_correlation(0.95);
        let Sampled { x, y } = like.draw(20_000, 3);
        let (Variable::Real(t), Variable::Classes(classes)) = (x, y) else { panic!("real vectors and classes") };
        // The plug-in information of 40 bins of the first unit, which has all of it; its bias is 39/2N = 0.001.
        let cells: Vec<u32> = t.values().iter().step_by(2).map(|t| ((t + 8.0) * 2.5).clamp(0.0, 39.0) as u32).collect();
        let cells = crate::estimators::Cells::of_rows(&cells, 1);
        let entropy =
            |counts: &[u32]| counts.iter().map(|n| -f64::from(*n) / 2e4 * (f64::from(*n) / 2e4).ln()).sum::<f64>();
        let joint = cells.split_by(|sample| classes.numbers()[sample]);
        let found = entropy(cells.counts()) + entropy(classes.counts()) - entropy(joint.counts());
        assert!((found - like.truth().0).abs() < 0.02, "{found} is not {:?}", like.truth());
    }
}
