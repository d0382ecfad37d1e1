//! Products of narrow layers in f64: a matrix product would first pack them, which takes longer than the product.
//!
//! Samples are stored unit by unit, so that every loop runs over neighbouring samples and uses vector instructions.

use pulp::{Arch, Simd};

/// Number of neighbouring samples whose sums are in registers together: enough vectors to hide latency.
const LANES: usize = 32;

/// Appends `start` + Σ_i w_i v_i of each sample to `sums`. `values` are stored unit by unit.
#[pulp::with_simd(append_weighted_sums = Arch::new())]
#[inline(always)]
pub fn append_weighted_sums_simd<'a, S: Simd>(
    _: S,
    weights: &'a [f64],
    values: &'a [f64],
    start: f64,
    sums: &'a mut Vec<f64>,
) {
    let n_samples = values.len() / weights.len();
    let whole = n_samples - n_samples % LANES;
    for first in (0..whole).step_by(LANES) {
        sums.extend_from_slice(&weighted_sums::<LANES>(weights, values, n_samples, first, start));
    }
    for sample in whole..n_samples {
        sums.extend_from_slice(&weighted_sums::<1>(weights, values, n_samples, sample, start));
    }
}

/// The sums of N samples, starting at `first`.
#[inline(always)]
fn weighted_sums<const N: usize>(
    weights: &[f64],
    values: &[f64],
    n_samples: usize,
    first: usize,
    start: f64,
) -> [f64; N] {
    let mut sums = [start; N];
    for (w, unit) in weights.iter().zip(values.chunks_exact(n_samples)) {
        let unit = &unit[first..][..N];
        sums.iter_mut().zip(unit).for_each(|(sum, v)| *sum = w.mul_add(*v, *sum));
    }
    sums
}

/// `products[s]` = `a[s]` · `b[s]`.
#[pulp::with_simd(multiply = Arch::new())]
#[inline(always)]
pub fn multiply_simd<'a, S: Simd>(_: S, a: &'a [f64], b: &'a [f64], products: &'a mut [f64]) {
    for ((product, a), b) in products.iter_mut().zip(a).zip(b) {
        *product = a * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_products_are_those_of_each_sample() {
        // Two blocks and a remainder.
        let n = 2 * LANES + 5;
        let values: Vec<f64> = (0..3 * n).map(|i| (0.7391 * i as f64).sin()).collect();
        let weights = [0.3, -1.7, 0.9];
        let mut sums = vec![7.0];
        append_weighted_sums(&weights, &values, 0.5, &mut sums);
        let mut products = vec![0.0; n];
        multiply(&values[..n], &values[n..2 * n], &mut products);
        assert_eq!((sums.len(), sums[0]), (n + 1, 7.0));
        for s in 0..n {
            let expected = 0.5 + 0.3 * values[s] - 1.7 * values[n + s] + 0.9 * values[2 * n + s];
            assert!((sums[s + 1] - expected).abs() < 1e-15);
            assert_eq!(products[s], values[s] * values[n + s]);
        }
    }
}
