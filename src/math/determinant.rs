//! Determinants of covariances, from the Cholesky decomposition.

use ndarray::{Array2, Axis};
use thiserror::Error;

/// A matrix that is not positive definite, so it is not a covariance.
#[derive(Debug, Error, Clone, PartialEq)]
#[error("a covariance matrix is not positive definite at row {row}; add noise of positive variance, check for NaN")]
pub struct NotPositiveDefinite {
    /// The first row that depends linearly on the previous rows, counted from 0.
    pub row: usize,
}

/// ln |C| of a covariance, n × n and symmetric; only its lower triangle is read.
///
/// # Errors
/// C is not positive definite.
pub fn log_determinant(covariance: &Array2<f64>) -> Result<f64, NotPositiveDefinite> {
    Ok(log_determinant_of_root(&cholesky(covariance)?))
}

/// ln |σ²I| for independent noise of `variance` σ² in n units.
///
/// # Errors
/// σ² is not positive.
pub fn log_determinant_of_noise(variance: f64, n_units: usize) -> Result<f64, NotPositiveDefinite> {
    if variance > 0.0 { Ok(n_units as f64 * variance.ln()) } else { Err(NotPositiveDefinite { row: 0 }) }
}

/// ln |LLᵀ|.
pub fn log_determinant_of_root(root: &Array2<f64>) -> f64 {
    2.0 * root.diag().iter().map(|l| l.ln()).sum::<f64>()
}

/// The lower triangle L with LLᵀ = C, from the Cholesky decomposition.
///
/// # Errors
/// C is not positive definite.
pub fn cholesky(covariance: &Array2<f64>) -> Result<Array2<f64>, NotPositiveDefinite> {
    let n = covariance.nrows();
    let mut root = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| root[(i, k)] * root[(j, k)]).sum();
            let rest = covariance[(i, j)] - dot;
            if i > j {
                root[(i, j)] = rest / root[(j, j)];
            } else if rest > 0.0 && rest.is_finite() {
                root[(i, i)] = rest.sqrt();
            } else {
                return Err(NotPositiveDefinite { row: i });
            }
        }
    }
    Ok(root)
}

/// L⁻¹, row by row: L_ii (L⁻¹)_i = e_i − Σ_{k<i} L_ik (L⁻¹)_k.
pub fn inverse_of_triangle(root: &Array2<f64>) -> Array2<f64> {
    let n = root.nrows();
    let mut inverse = Array2::<f64>::eye(n);
    for i in 0..n {
        let (earlier, mut row) = inverse.view_mut().split_at(Axis(0), i);
        let mut row = row.row_mut(0);
        for k in 0..i {
            row.scaled_add(-root[(i, k)], &earlier.row(k));
        }
        row /= root[(i, i)];
    }
    inverse
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn determinants_agree_with_those_computed_by_hand() {
        // 4 · 5 − 2² = 16.
        assert_eq!(log_determinant(&array![[4.0, 2.0], [2.0, 5.0]]), Ok(16_f64.ln()));
        assert_eq!(log_determinant(&Array2::zeros((0, 0))), Ok(0.0));
    }

    #[test]
    fn the_inverse_of_the_root_inverts() {
        let root = cholesky(&array![[4.0, 2.0, 1.0], [2.0, 5.0, 3.0], [1.0, 3.0, 6.0]]).unwrap();
        let product = root.dot(&inverse_of_triangle(&root));
        // Entries of size 1, a few roundings each.
        assert!(product.iter().zip(&Array2::<f64>::eye(3)).all(|(got, want)| (got - want).abs() < 1e-15));
    }

    #[test]
    fn matrices_that_are_no_covariance_are_refused() {
        assert_eq!(log_determinant(&array![[1.0, 1.0], [1.0, 1.0]]), Err(NotPositiveDefinite { row: 1 }));
        assert_eq!(log_determinant(&array![[f64::NAN]]), Err(NotPositiveDefinite { row: 0 }));
        assert_eq!(log_determinant(&array![[f64::INFINITY]]), Err(NotPositiveDefinite { row: 0 }));
        assert_eq!(log_determinant_of_noise(-0.1, 3), Err(NotPositiveDefinite { row: 0 }));
        assert_eq!(log_determinant_of_noise(f64::NAN, 3), Err(NotPositiveDefinite { row: 0 }));
    }
}
