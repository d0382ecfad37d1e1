//! The mean of real vectors, and the linear map after which their covariance is the identity.

use ndarray::{Array2, ArrayView2};

use crate::math::determinant::cholesky;
use crate::math::gram::add_gram;

/// Rows whose products are added together.
const BLOCK: usize = 1024;
/// The smallest allowed part of a variance that the previous coordinates do not determine: far above rounding errors.
const INDEPENDENT: f64 = 1e-10;

/// The mean of rows of `n_dims` values.
pub fn mean(values: &[f64], n_dims: usize) -> Vec<f64> {
    let mut mean = vec![0.0; n_dims];
    for row in values.chunks_exact(n_dims) {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value);
    }
    let n = (values.len() / n_dims) as f64;
    mean.iter_mut().for_each(|mean| *mean /= n);
    mean
}

/// M for which the rows (z − mean) M have the identity as covariance (divided by N): M = (L⁻¹)ᵀ with LLᵀ the covariance
/// of z. It differs from other whitening maps by a rotation only.
///
/// # Errors
/// The first coordinate, counted from 0, that the previous ones determine, which includes a constant one.
pub fn whitening(values: &[f64], mean: &[f64]) -> Result<Array2<f64>, usize> {
    let n_dims = mean.len();
    let mut covariance = Array2::zeros((n_dims, n_dims));
    for rows in values.chunks(BLOCK * n_dims) {
        let mut centred = rows.to_vec();
        for row in centred.chunks_exact_mut(n_dims) {
            row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
        }
        let centred = ArrayView2::from_shape((rows.len() / n_dims, n_dims), &centred).expect("rows are complete");
        add_gram(centred, &mut covariance);
    }
    covariance /= (values.len() / n_dims) as f64;
    let root = cholesky(&covariance).map_err(|problem| problem.row)?;
    let is_determined = |dim: &usize| root[(*dim, *dim)].powi(2) < INDEPENDENT * covariance[(*dim, *dim)];
    match (0..n_dims).find(is_determined) {
        Some(dim) => Err(dim),
        None => Ok(transposed_inverse(&root)),
    }
}

/// (L⁻¹)ᵀ of a lower triangle L.
fn transposed_inverse(root: &Array2<f64>) -> Array2<f64> {
    let n = root.nrows();
    // Row j of the result is column j of L⁻¹: L x = e_j by forward substitution.
    let mut inverse = Array2::<f64>::zeros((n, n));
    for (j, mut x) in inverse.rows_mut().into_iter().enumerate() {
        let x = x.as_slice_mut().expect("rows are contiguous");
        for i in j..n {
            let row = root.row(i);
            let row = row.as_slice().expect("rows are contiguous");
            let subtracted: f64 = row[j..i].iter().zip(&x[j..i]).map(|(l, x)| l * x).sum();
            x[i] = (f64::from(u8::from(i == j)) - subtracted) / row[i];
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitened_values_have_mean_0_and_the_identity_as_covariance() {
        let (n, d) = (3000, 5);
        let values: Vec<f64> =
            (0..n * d).map(|i| (f64::from(i).powi(2) * 0.7391).sin() + f64::from(i % d * 2)).collect();
        let mean = mean(&values, d as usize);
        let matrix = whitening(&values, &mean).unwrap();
        let z = Array2::from_shape_vec((n as usize, d as usize), values).unwrap() - &ndarray::Array1::from(mean);
        let white = z.dot(&matrix);
        assert!(white.sum_axis(ndarray::Axis(0)).iter().all(|sum| sum.abs() < 1e-9));
        let difference = white.t().dot(&white) / f64::from(n) - Array2::<f64>::eye(d as usize);
        assert!(difference.iter().all(|difference| difference.abs() < 1e-10), "{difference}");
    }

    #[test]
    fn constant_and_dependent_coordinates_are_reported() {
        let rows = |row: fn(f64) -> [f64; 3]| -> Vec<f64> { (0..50).flat_map(|i| row(f64::from(i))).collect() };
        let constant = rows(|i| [i.sin(), 2.0, i.cos()]);
        let dependent = rows(|i| [i.sin(), (2.0 * i).cos(), 0.3 * i.sin() + 0.1 * (2.0 * i).cos()]);
        for (values, dim) in [(constant, 1), (dependent, 2)] {
            assert_eq!(whitening(&values, &mean(&values, 3)), Err(dim));
        }
    }
}
