//! Random directions for sliced information, and projections onto them.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A random orthonormal frame of min(`n_frame`, `n_dims`) vectors in `n_dims` dimensions, uniformly distributed: vector after
/// vector. It depends on the `seed` and on `stream`, a number for every frame.
///
/// Gram-Schmidt orthonormalisation of independent normal vectors.
pub fn frame(n_dims: usize, n_frame: usize, seed: u64, stream: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    let n_frame = n_frame.min(n_dims);
    let mut vectors: Vec<f64> = (0..n_frame * n_dims).map(|_| StandardNormal.sample(&mut rng)).collect();
    for at in 0..n_frame {
        let (earlier, rest) = vectors.split_at_mut(at * n_dims);
        let vector = &mut rest[..n_dims];
        // Twice, against rounding.
        for _ in 0..2 {
            for other in earlier.chunks_exact(n_dims) {
                let part = dot(vector, other);
                vector.iter_mut().zip(other).for_each(|(v, o)| *v -= part * o);
            }
            let norm = dot(vector, vector).sqrt();
            vector.iter_mut().for_each(|v| *v /= norm);
        }
    }
    vectors
}

/// The products of every row of `values` with every vector of a frame, row-major.
pub fn projected(values: &[f64], n_dims: usize, frame: &[f64]) -> Vec<f64> {
    let rows = values.chunks_exact(n_dims);
    rows.flat_map(|row| frame.chunks_exact(n_dims).map(|vector| dot(row, vector))).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_orthonormal_and_of_their_stream() {
        let vectors = frame(7, 3, 5, 11);
        for (i, a) in vectors.chunks_exact(7).enumerate() {
            for (j, b) in vectors.chunks_exact(7).enumerate() {
                assert!((dot(a, b) - f64::from(u8::from(i == j))).abs() < 1e-14, "{i}, {j}");
            }
        }
        assert_eq!(vectors, frame(7, 3, 5, 11));
        assert_ne!(vectors, frame(7, 3, 5, 12));
        assert_ne!(vectors, frame(7, 3, 6, 11));
        assert_eq!(frame(2, 5, 0, 0).len(), 4, "a whole basis");
        assert_eq!(frame(1, 1, 0, 3)[0].abs(), 1.0);
    }

    #[test]
    fn directions_are_uniform_on_the_sphere() {
        // E θ₁² = 1/d and E θ₁⁴ = 3/(d(d + 2)), so the standard error of the mean of 4000 squares is
        // √(2(d − 1)/(d²(d + 2)))/√4000; five of them.
        let (d, n) = (4, 4000_u64);
        let mean = (0..n).map(|stream| frame(d, 2, 1, stream)[d].powi(2)).sum::<f64>() / n as f64;
        let d = d as f64;
        let error = (2.0 * (d - 1.0) / (d * d * (d + 2.0)) / n as f64).sqrt();
        assert!((mean - 1.0 / d).abs() < 5.0 * error, "{mean}");
    }

    #[test]
    fn projections_are_products_with_the_vectors() {
        let got = projected(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, &[1.0, 0.0, -1.0, 0.5, 1.0, 0.0]);
        assert_eq!(got, [-2.0, 2.5, -2.0, 7.0]);
    }
}
