//! The inner loops of training, on tiles: [`TILE`] samples, stored unit by unit, so that every loop runs over
//! neighbouring samples and vectorises for any number of units.
//!
//! A tile of `n` units is a slice of `n · TILE` values; unit u is `tile[u · TILE..][..TILE]`. Sums over samples use a
//! fixed number of partial sums, so the bits do not depend on the width of the machine's vectors.
//!
//! Each `…_simd` function is plain Rust; `pulp` compiles it a second time for AVX2 with FMA and picks at run time.

use std::array::from_fn;
use std::hint::black_box;

use pulp::{Arch, Simd};

use crate::math::elementary::exp;

/// Samples per tile. 128 samples of a 12-10-7-5-4-3-2 network and their gradients stay in a 64 kB cache.
pub const TILE: usize = 128;
/// Neighbouring samples whose weighted sums are in registers at once: four vectors of eight.
const LANES: usize = 32;
/// Partial sums of a dot product: two vectors of eight.
const SUMS: usize = 16;
/// Number of dot products computed together, so that a δ is loaded once for four units.
const BLOCK: usize = 4;

/// z_j = b_j + Σ_i w_ji a_i. `kernel` is n_out × n_in row-major, `input` n_in units, `output` n_out units.
#[pulp::with_simd(affine = Arch::new())]
#[inline(always)]
pub fn affine_simd<'a, S: Simd>(_: S, kernel: &'a [f32], bias: &'a [f32], input: &'a [f32], output: &'a mut [f32]) {
    let n_in = input.len() / TILE;
    for ((z, row), b) in output.chunks_exact_mut(TILE).zip(kernel.chunks_exact(n_in)).zip(bias) {
        weighted_sum(row.iter().copied(), input, *b, z);
    }
}

/// δ_i = Σ_j w_ji δ_j, the gradient with respect to a layer's input. `kernel` is n_out × n_in row-major.
#[pulp::with_simd(back_affine = Arch::new())]
#[inline(always)]
pub fn back_affine_simd<'a, S: Simd>(_: S, kernel: &'a [f32], output_delta: &'a [f32], input_delta: &'a mut [f32]) {
    let n_in = input_delta.len() / TILE;
    for (i, delta) in input_delta.chunks_exact_mut(TILE).enumerate() {
        weighted_sum(kernel[i..].iter().step_by(n_in).copied(), output_delta, 0.0, delta);
    }
}

/// Adds ∂/∂w_ji = Σ_s δ_j a_i and ∂/∂b_j = Σ_s δ_j of one tile to the gradients.
#[pulp::with_simd(add_gradients = Arch::new())]
#[inline(always)]
pub fn add_gradients_simd<'a, S: Simd>(
    _: S,
    input: &'a [f32],
    output_delta: &'a [f32],
    kernel_gradient: &'a mut [f32],
    bias_gradient: &'a mut [f32],
) {
    let n_in = input.len() / TILE;
    let rows = kernel_gradient.chunks_exact_mut(n_in).zip(bias_gradient);
    for ((row, b), delta) in rows.zip(output_delta.chunks_exact(TILE)) {
        let (blocks, rest) = row.as_chunks_mut::<BLOCK>();
        let (input_blocks, input_rest) = input.split_at(blocks.len() * BLOCK * TILE);
        for (w, a) in blocks.iter_mut().zip(input_blocks.chunks_exact(BLOCK * TILE)) {
            let dots = dots::<BLOCK>(delta, a);
            w.iter_mut().zip(dots).for_each(|(w, dot)| *w += dot);
        }
        for (w, a) in rest.iter_mut().zip(input_rest.chunks_exact(TILE)) {
            *w += dots::<1>(delta, a)[0];
        }
        *b += sum(delta);
    }
}

/// Replaces the values of every sample with their softmax e^z_c / Σ e^z, shifted by the largest z.
#[pulp::with_simd(softmax_in_place = Arch::new())]
#[inline(always)]
pub fn softmax_in_place_simd<S: Simd>(_: S, units: &mut [f32]) {
    let mut largest = [f32::NEG_INFINITY; TILE];
    for unit in units.chunks_exact(TILE) {
        largest.iter_mut().zip(unit).for_each(|(m, z)| *m = m.max(*z));
    }
    let mut total = [0.0_f32; TILE];
    for unit in units.chunks_exact_mut(TILE) {
        for ((z, m), s) in unit.iter_mut().zip(&largest).zip(&mut total) {
            *z = exp(*z - m);
            *s += *z;
        }
    }
    for unit in units.chunks_exact_mut(TILE) {
        unit.iter_mut().zip(&total).for_each(|(z, s)| *z /= s);
    }
}

/// `output` = `start` + Σ weight · unit over all units of `input`.
#[inline(always)]
fn weighted_sum(weights: impl Iterator<Item = f32> + Clone, input: &[f32], start: f32, output: &mut [f32]) {
    for (block, out) in output.chunks_exact_mut(LANES).enumerate() {
        let mut sums = [start; LANES];
        for (weight, unit) in weights.clone().zip(input.chunks_exact(TILE)) {
            let unit = &unit[block * LANES..][..LANES];
            sums.iter_mut().zip(unit).for_each(|(s, a)| *s = weight.mul_add(*a, *s));
        }
        out.copy_from_slice(&sums);
    }
}

/// Σ_s δ a for one δ and the N units of `units`.
#[inline(always)]
fn dots<const N: usize>(delta: &[f32], units: &[f32]) -> [f32; N] {
    let mut sums = [[0.0_f32; SUMS]; N];
    for (block, delta) in delta.chunks_exact(SUMS).enumerate() {
        for (sums, unit) in sums.iter_mut().zip(units.chunks_exact(TILE)) {
            let unit = &unit[block * SUMS..][..SUMS];
            sums.iter_mut().zip(delta.iter().zip(unit)).for_each(|(s, (d, a))| *s = d.mul_add(*a, *s));
        }
    }
    // Without the box the compiler works back from the last additions and uses vectors of length two: half as fast.
    black_box(sums).map(fold)
}

#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0; SUMS];
    for chunk in values.chunks_exact(SUMS) {
        sums.iter_mut().zip(chunk).for_each(|(s, v)| *s += v);
    }
    fold(black_box(sums))
}

/// Adds the partial sums in halves, 16 → 8 → 4 → 1.
#[inline(always)]
fn fold(sums: [f32; SUMS]) -> f32 {
    let sums: [f32; 8] = from_fn(|i| sums[i] + sums[i + 8]);
    let sums: [f32; 4] = from_fn(|i| sums[i] + sums[i + 4]);
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Smooth, asymmetric numbers of size 1.
    fn numbers(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.7391 + seed).sin()).collect()
    }

    #[track_caller]
    fn assert_close(got: &[f32], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            // Sums of at most 128 terms of size 1: a few hundred units in the last place at the worst.
            assert!((f64::from(*got) - want).abs() < 2e-5, "{got} is not {want}");
        }
    }

    #[test]
    fn the_fast_loops_agree_with_the_formulas() {
        let (n_in, n_out) = (5, 3);
        let (kernel, bias) = (numbers(n_in * n_out, 0.1), numbers(n_out, 0.2));
        let (input, delta) = (numbers(n_in * TILE, 0.3), numbers(n_out * TILE, 0.4));
        let w = |j: usize, i: usize| f64::from(kernel[j * n_in + i]);
        let a = |i: usize, s: usize| f64::from(input[i * TILE + s]);
        let d = |j: usize, s: usize| f64::from(delta[j * TILE + s]);
        let grid = |rows: usize, columns: usize, f: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..rows * columns).map(|k| f(k / columns, k % columns)).collect()
        };

        let mut z = vec![0.0; n_out * TILE];
        affine(&kernel, &bias, &input, &mut z);
        let expected = |j, s| f64::from(bias[j]) + (0..n_in).map(|i| w(j, i) * a(i, s)).sum::<f64>();
        assert_close(&z, &grid(n_out, TILE, &expected));

        let mut back = vec![0.0; n_in * TILE];
        back_affine(&kernel, &delta, &mut back);
        assert_close(&back, &grid(n_in, TILE, &|i, s| (0..n_out).map(|j| w(j, i) * d(j, s)).sum()));

        let (mut kernel_gradient, mut bias_gradient) = (vec![1.0; n_in * n_out], vec![2.0; n_out]);
        add_gradients(&input, &delta, &mut kernel_gradient, &mut bias_gradient);
        assert_close(
            &kernel_gradient,
            &grid(n_out, n_in, &|j, i| 1.0 + (0..TILE).map(|s| d(j, s) * a(i, s)).sum::<f64>()),
        );
        assert_close(&bias_gradient, &grid(n_out, 1, &|j, _| 2.0 + (0..TILE).map(|s| d(j, s)).sum::<f64>()));
    }

    #[test]
    fn softmax_sums_to_one_and_survives_large_inputs() {
        let mut units = numbers(3 * TILE, 0.5);
        units[0] = 1e4;
        units[TILE + 1] = -1e4;
        softmax_in_place(&mut units);
        for s in 0..TILE {
            let total: f32 = (0..3).map(|c| units[c * TILE + s]).sum();
            assert!((total - 1.0).abs() < 1e-6);
            assert!((0..3).all(|c| units[c * TILE + s] > 0.0));
        }
        assert!(units[0] > 0.999_999);
    }
}
