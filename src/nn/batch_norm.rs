//! Batch normalisation: y = γ x̂ + β with x̂ = (x − mean)/√(variance + ε), per unit.
//!
//! # Reference
//! Ioffe & Szegedy 2015; ε, the momentum of the running values and the biased running variance as in Keras, whose
//! defaults Grabauskas 2019 uses.

use super::passing::{Backward, Forward, Seen};
use crate::math::tile::TILE;

const EPSILON: f32 = 1e-3;
/// Share of the previous value in an update of running mean and variance.
const KEPT: f32 = 0.99;

/// γ = 1, β = 0, running mean 0, running variance 1.
pub(super) fn begin(parameters: &mut [f32], statistics: &mut [f32]) {
    let n_units = parameters.len() / 2;
    parameters[..n_units].fill(1.0);
    statistics[n_units..].fill(1.0);
}

/// Training: uses all tiles of a batch, and stores x̂ of every tile and the mean and variance of the batch in `seen`.
pub(super) fn forward(tiles: &mut [Forward<'_>], parameters: &[f32], seen: &mut Seen) {
    let n_units = parameters.len() / 2;
    let n: f64 = tiles.iter().map(|tile| tile.n_valid as f64).sum();
    seen.0.resize(2 * n_units, 0.0);
    for unit in 0..n_units {
        let values = || tiles.iter().flat_map(|tile| &tile.from[unit * TILE..][..tile.n_valid]);
        let mean = values().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = values().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        (seen.0[unit], seen.0[n_units + unit]) = (mean as f32, variance as f32);
        let (gamma, beta) = (parameters[unit], parameters[n_units + unit]);
        let scale = 1.0 / (variance as f32 + EPSILON).sqrt();
        for tile in &mut *tiles {
            let place = unit * TILE..(unit + 1) * TILE;
            let values = tile.from[place.clone()].iter().zip(&mut tile.kept[place.clone()]).zip(&mut tile.to[place]);
            for ((from, kept), to) in values {
                *kept = (from - mean as f32) * scale;
                *to = gamma.mul_add(*kept, beta);
            }
        }
    }
}

/// Inference: uses the running mean and variance.
pub(super) fn infer<'a>(tiles: impl Iterator<Item = Forward<'a>>, parameters: &[f32], statistics: &[f32]) {
    let n_units = parameters.len() / 2;
    for tile in tiles {
        for (unit, (from, to)) in tile.from.chunks_exact(TILE).zip(tile.to.chunks_exact_mut(TILE)).enumerate() {
            let scale = parameters[unit] / (statistics[n_units + unit] + EPSILON).sqrt();
            let (mean, beta) = (statistics[unit], parameters[n_units + unit]);
            from.iter().zip(to).for_each(|(from, to)| *to = (from - mean).mul_add(scale, beta));
        }
    }
}

/// ∂loss/∂x = γ/√(variance + ε) · (δ − mean of δ − x̂ · mean of δ x̂), ∂loss/∂γ = Σ δ x̂, ∂loss/∂β = Σ δ.
pub(super) fn backward(tiles: &mut [Backward<'_>], parameters: &[f32], seen: &Seen, gradient: &mut [f32]) {
    let n_units = parameters.len() / 2;
    let n: f64 = tiles.iter().map(|tile| tile.n_valid as f64).sum();
    for unit in 0..n_units {
        let (mut sum, mut sum_x) = (0.0_f64, 0.0_f64);
        for tile in &*tiles {
            let place = unit * TILE..unit * TILE + tile.n_valid;
            for (d, x) in tile.delta[place.clone()].iter().zip(&tile.kept[place]) {
                sum += f64::from(*d);
                sum_x += f64::from(*d) * f64::from(*x);
            }
        }
        gradient[unit] += sum_x as f32;
        gradient[n_units + unit] += sum as f32;
        let scale = parameters[unit] / (seen.0[n_units + unit] + EPSILON).sqrt();
        let (mean, mean_x) = ((sum / n) as f32, (sum_x / n) as f32);
        for tile in &mut *tiles {
            let place = unit * TILE..unit * TILE + tile.n_valid;
            for (d, x) in tile.delta[place.clone()].iter_mut().zip(&tile.kept[place]) {
                *d = scale * (*d - mean - x * mean_x);
            }
        }
    }
}

/// Moves the running mean and variance towards those of the batch.
pub(super) fn learn(seen: &Seen, statistics: &mut [f32]) {
    statistics.iter_mut().zip(&seen.0).for_each(|(running, now)| *running = KEPT * *running + (1.0 - KEPT) * now);
}
