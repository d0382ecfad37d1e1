//! The products of wide layers as matrix products, on tiles in the layout of [`crate::math::tile`].
//!
//! A product is divided into bands of [`BAND`] rows for any number of threads, so its bits do not depend on this
//! number. They do depend on the kernel that `matrixmultiply` selects for the machine.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use crate::math::tile::TILE;

/// Number of rows of a product that are computed together: small enough to use all cores, large enough to hide
/// packing.
const BAND: usize = 128;

/// The threads that compute the bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    /// The calling thread.
    One,
    /// All threads of the pool.
    All,
}

/// z_j = b_j + Σ_i w_ji a_i, like [`crate::math::tile::affine`].
pub fn affine(cores: Cores, kernel: &[f32], bias: &[f32], input: &[f32], output: &mut [f32]) {
    let n_in = input.len() / TILE;
    let input = matrix(input, TILE);
    bands(cores, output, BAND * TILE, |band, output| {
        for (z, b) in output.chunks_exact_mut(TILE).zip(&bias[band * BAND..]) {
            z.fill(*b);
        }
        let rows = output.len() / TILE;
        let kernel = matrix(&kernel[band * BAND * n_in..][..rows * n_in], n_in);
        general_mat_mul(1.0, &kernel, &input, 1.0, &mut matrix_mut(output, TILE));
    });
}

/// δ_i = Σ_j w_ji δ_j, like [`crate::math::tile::back_affine`].
pub fn back_affine(cores: Cores, kernel: &[f32], output_delta: &[f32], input_delta: &mut [f32]) {
    let kernel = matrix(kernel, input_delta.len() / TILE);
    let output_delta = matrix(output_delta, TILE);
    bands(cores, input_delta, BAND * TILE, |band, input_delta| {
        let (_, from_band) = kernel.split_at(Axis(1), band * BAND);
        let (kernel, _) = from_band.split_at(Axis(1), input_delta.len() / TILE);
        general_mat_mul(1.0, &kernel.t(), &output_delta, 0.0, &mut matrix_mut(input_delta, TILE));
    });
}

/// Adds ∂/∂w_ji = Σ_s δ_j a_i and ∂/∂b_j = Σ_s δ_j of one tile, like [`crate::math::tile::add_gradients`].
pub fn add_gradients(
    cores: Cores,
    input: &[f32],
    output_delta: &[f32],
    kernel_gradient: &mut [f32],
    bias_gradient: &mut [f32],
) {
    let n_in = input.len() / TILE;
    let input = matrix(input, TILE);
    bands(cores, kernel_gradient, BAND * n_in, |band, gradient| {
        let delta = matrix(&output_delta[band * BAND * TILE..][..gradient.len() / n_in * TILE], TILE);
        general_mat_mul(1.0, &delta, &input.t(), 1.0, &mut matrix_mut(gradient, n_in));
    });
    for (b, delta) in bias_gradient.iter_mut().zip(output_delta.chunks_exact(TILE)) {
        *b += delta.iter().sum::<f32>();
    }
}

/// Calls `work` for every chunk of `len` values, with its number.
pub fn bands(cores: Cores, values: &mut [f32], len: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    match cores {
        Cores::One => values.chunks_mut(len).enumerate().for_each(|(band, values)| work(band, values)),
        Cores::All => values.par_chunks_mut(len).enumerate().for_each(|(band, values)| work(band, values)),
    }
}

fn matrix(values: &[f32], n_columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / n_columns, n_columns), values).expect("values fill whole rows")
}

fn matrix_mut(values: &mut [f32], n_columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((values.len() / n_columns, n_columns), values).expect("values fill whole rows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tile;

    fn numbers(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.7391 + seed).sin()).collect()
    }

    #[track_caller]
    fn assert_close(a: &[f32], b: &[f32]) {
        assert_eq!(a.len(), b.len());
        // Sums of at most 300 terms of size 1 in another order.
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn wide_products_are_those_of_the_tile_on_any_number_of_cores() {
        let (n_in, n_out) = (150, 300);
        let (kernel, bias) = (numbers(n_in * n_out, 0.1), numbers(n_out, 0.2));
        let (input, delta) = (numbers(n_in * TILE, 0.3), numbers(n_out * TILE, 0.4));
        let all = |cores| {
            let (mut z, mut back) = (vec![0.0; n_out * TILE], vec![0.0; n_in * TILE]);
            let (mut of_kernel, mut of_bias) = (vec![1.0; n_in * n_out], vec![2.0; n_out]);
            affine(cores, &kernel, &bias, &input, &mut z);
            back_affine(cores, &kernel, &delta, &mut back);
            add_gradients(cores, &input, &delta, &mut of_kernel, &mut of_bias);
            [z, back, of_kernel, of_bias]
        };
        let (mut z, mut back) = (vec![0.0; n_out * TILE], vec![0.0; n_in * TILE]);
        let (mut of_kernel, mut of_bias) = (vec![1.0; n_in * n_out], vec![2.0; n_out]);
        tile::affine(&kernel, &bias, &input, &mut z);
        tile::back_affine(&kernel, &delta, &mut back);
        tile::add_gradients(&input, &delta, &mut of_kernel, &mut of_bias);
        for (wide, narrow) in all(Cores::One).iter().zip([z, back, of_kernel, of_bias]) {
            assert_close(wide, &narrow);
        }
        assert_eq!(all(Cores::One), all(Cores::All));
    }
}
