//! Principal components: the directions of the largest variances, and the coordinates of the samples along them.

use ndarray::{Array1, Array2};
use thiserror::Error;

use crate::math::eigenvalues::eigenvalues;

/// An eigenvector that was not found to [`LARGEST_RESIDUAL`].
#[derive(Debug, Error, Clone, PartialEq)]
#[error("principal component {component} was not found")]
pub struct NotFound {
    /// Number of the component, counted from 1.
    pub component: usize,
}

/// The coordinates of the samples along the first `n_components` principal components, n_samples × n_components; fewer
/// components if the values have fewer dimensions or samples, or if other variances are rounding errors (below 10⁻¹² of the
/// largest; none for constant values). `values` has rows of `n_dims` numbers.
///
/// Components are orthogonal and have descending variances; of the coordinates of a component the one with the largest
/// absolute value is positive. Components of equal variances are any orthogonal directions with this variance.
///
/// With fewer samples N than dimensions, the eigenvectors u of the N × N products of the centred samples are used, as the
/// coordinates are √λ u.
///
/// # Errors
/// The variances cannot be computed: values of which the squares overflow.
pub fn principal_components(values: &[f64], n_dims: usize, n_components: usize) -> Result<Array2<f64>, NotFound> {
    let n_samples = values.len() / n_dims;
    let centred = centred(values, n_dims);
    let is_wide = n_samples < n_dims;
    let products = if is_wide { centred.dot(&centred.t()) } else { centred.t().dot(&centred) };
    let eigenvectors = leading_eigenvectors(&products, n_components)?;
    let mut scores = Array2::zeros((n_samples, eigenvectors.len()));
    for (component, (lambda, vector)) in eigenvectors.into_iter().enumerate() {
        let mut coordinates = if is_wide { vector * lambda.sqrt() } else { centred.dot(&vector) };
        let largest = coordinates.iter().fold(0.0_f64, |largest, c| if c.abs() > largest.abs() { *c } else { largest });
        coordinates *= if largest < 0.0 { -1.0 } else { 1.0 };
        scores.column_mut(component).assign(&coordinates);
    }
    Ok(scores)
}

fn centred(values: &[f64], n_dims: usize) -> Array2<f64> {
    let n_samples = values.len() / n_dims;
    let mut centred = Array2::from_shape_fn((n_samples, n_dims), |(s, d)| values[s * n_dims + d]);
    for mut column in centred.columns_mut() {
        // In the order of size, so that the order of the samples does not matter to the last bit.
        let mut sorted = column.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mean = sorted.iter().sum::<f64>() / n_samples as f64;
        column -= mean;
    }
    centred
}

/// The largest allowed ‖Av − λv‖, relative to the largest eigenvalue.
const LARGEST_RESIDUAL: f64 = 1e-9;

/// Solutions of (A − λ) w = v for one eigenvector; two are usual.
pub const MOST_ITERATIONS: usize = 8;

/// The smallest variance, relative to the largest, that is no rounding error of values in f32 or f64.
const SMALLEST_VARIANCE: f64 = 1e-12;

/// The `n` largest eigenvalues of a matrix without negative eigenvalues, and their eigenvectors, by inverse iteration.
///
/// # Reference
/// Golub & Van Loan, Matrix Computations, 4th ed., section 8.2.2.
fn leading_eigenvectors(matrix: &Array2<f64>, n: usize) -> Result<Vec<(f64, Array1<f64>)>, NotFound> {
    let lambdas = eigenvalues(matrix.clone()).ok_or(NotFound { component: 1 })?;
    let largest = lambdas.first().copied().unwrap_or(0.0);
    let is_variance = |lambda: &f64| *lambda > SMALLEST_VARIANCE * largest;
    let mut found: Vec<(f64, Array1<f64>)> = Vec::with_capacity(n);
    for (component, lambda) in lambdas.into_iter().take(n).filter(is_variance).enumerate() {
        // Slightly off the eigenvalue, so that the matrix has an inverse.
        let inverse = Factors::new(matrix, lambda + f64::EPSILON * 4.0 * largest.max(f64::MIN_POSITIVE));
        // A start without symmetry, different for every component.
        let start = |i: usize| 1.0 + 0.5 * (1.0 + 2.399 * i as f64 + 0.7 * component as f64).sin();
        let mut vector = Array1::from_shape_fn(matrix.nrows(), start);
        let mut is_found = false;
        for _ in 0..MOST_ITERATIONS {
            orthonormalise(&mut vector, &found);
            vector = inverse.solve(vector);
            orthonormalise(&mut vector, &found);
            let residual = matrix.dot(&vector) - &vector * lambda;
            is_found = norm(&residual) <= LARGEST_RESIDUAL * largest;
            if is_found {
                break;
            }
        }
        if !is_found {
            return Err(NotFound { component: component + 1 });
        }
        found.push((lambda, vector));
    }
    Ok(found)
}

fn norm(vector: &Array1<f64>) -> f64 {
    vector.dot(vector).sqrt()
}

/// Removes the parts along the eigenvectors that are there, twice against rounding, and scales to length 1.
fn orthonormalise(vector: &mut Array1<f64>, found: &[(f64, Array1<f64>)]) {
    for _ in 0..2 {
        let largest = vector.iter().fold(f64::MIN_POSITIVE, |largest, v| largest.max(v.abs()));
        *vector /= largest;
        for (_, other) in found {
            let part = vector.dot(other);
            vector.scaled_add(-part, other);
        }
        *vector /= norm(vector).max(f64::MIN_POSITIVE);
    }
}

/// A − shift as PLU, with the largest pivot of every column.
struct Factors {
    lu: Array2<f64>,
    rows: Vec<usize>,
}

impl Factors {
    fn new(matrix: &Array2<f64>, shift: f64) -> Self {
        let n = matrix.nrows();
        let mut lu = matrix.clone();
        lu.diag_mut().mapv_inplace(|value| value - shift);
        let largest = lu.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let mut rows: Vec<usize> = (0..n).collect();
        for k in 0..n {
            let pivot = (k..n).max_by(|a, b| lu[(*a, k)].abs().total_cmp(&lu[(*b, k)].abs())).unwrap_or(k);
            if pivot != k {
                rows.swap(k, pivot);
                for j in 0..n {
                    lu.swap((k, j), (pivot, j));
                }
            }
            // A pivot of 0 is a rounding error of an eigenvalue that was found exactly.
            if lu[(k, k)].abs() < f64::EPSILON * largest {
                lu[(k, k)] = f64::EPSILON * largest;
            }
            let (upper, mut lower) = lu.view_mut().split_at(ndarray::Axis(0), k + 1);
            let pivot_row = upper.row(k);
            let pivot_row = pivot_row.as_slice().expect("rows are contiguous");
            for mut row in lower.rows_mut() {
                let row = row.as_slice_mut().expect("rows are contiguous");
                let factor = row[k] / pivot_row[k];
                row[k] = factor;
                row[k + 1..].iter_mut().zip(&pivot_row[k + 1..]).for_each(|(value, above)| *value -= factor * above);
            }
        }
        Self { lu, rows }
    }

    fn solve(&self, right: Array1<f64>) -> Array1<f64> {
        let n = right.len();
        let mut x: Array1<f64> = self.rows.iter().map(|row| right[*row]).collect();
        for i in 0..n {
            x[i] -= (0..i).map(|j| self.lu[(i, j)] * x[j]).sum::<f64>();
        }
        for i in (0..n).rev() {
            let rest: f64 = (i + 1..n).map(|j| self.lu[(i, j)] * x[j]).sum();
            x[i] = (x[i] - rest) / self.lu[(i, i)];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sin(i² + d) with a different size for every dimension, as in the NumPy program.
    fn values(n: usize, n_dims: usize) -> Vec<f64> {
        let value = |i: usize, d: usize| ((i * i + 3 * d * i + d) as f64 * 0.37).sin() * (1.0 + 0.5 * d as f64);
        (0..n).flat_map(|i| (0..n_dims).map(move |d| value(i, d))).collect()
    }

    #[test]
    fn components_are_those_of_a_singular_value_decomposition() {
        for (n, n_dims, gold) in GOLD {
            let scores = principal_components(&values(n, n_dims), n_dims, 3).unwrap();
            for (component, (norm, first)) in gold.into_iter().enumerate() {
                let column = scores.column(component);
                assert!((column.dot(&column).sqrt() - norm).abs() < 1e-9 * norm, "{n} {n_dims}: {column}");
                assert!((column[0] - first).abs() < 1e-8 * norm, "{n} {n_dims}: {column}");
            }
            for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                assert!(scores.column(a).dot(&scores.column(b)).abs() < 1e-8, "orthogonal");
            }
        }
    }

    #[test]
    fn variances_that_are_rounding_errors_are_no_components() {
        let line: Vec<f64> = (0..20).flat_map(|i| [0.1, 0.3, -0.7].map(|factor| factor * f64::from(i))).collect();
        let scores = principal_components(&line, 3, 3).unwrap();
        assert_eq!(scores.dim(), (20, 1));
        // Along (0.1, 0.3, −0.7), from −9.5 to 9.5 steps of its length, or the reverse.
        let (length, first) = (0.59_f64.sqrt(), scores[(0, 0)]);
        assert!((first.abs() - 9.5 * length).abs() < 1e-12 && (first + scores[(19, 0)]).abs() < 1e-12);
        assert_eq!(principal_components(&[0.3; 12], 3, 2).unwrap().dim(), (4, 0));
    }

    #[test]
    fn equal_variances_have_orthogonal_components() {
        // The corners of a cube: all three variances are 1.
        let cube: Vec<f64> = (0..8_u32).flat_map(|i| (0..3).map(move |d| f64::from(i >> d & 1) * 2.0 - 1.0)).collect();
        let scores = principal_components(&cube, 3, 3).unwrap();
        let difference = scores.t().dot(&scores) - Array2::<f64>::eye(3) * 8.0;
        assert!(difference.iter().all(|difference| difference.abs() < 1e-12), "{difference}");
    }

    type NormsAndFirst = [(f64, f64); 3];

    /// Numbers of samples and dimensions; for every component the square root of Σ score² and the first score, from
    /// numpy.linalg.svd.
    const GOLD: [(usize, usize, NormsAndFirst); 2] = [
        (
            50,
            6,
            [
                (18.306455944934, -3.360388632568),
                (15.502035494470, -1.764811281235),
                (12.983897656474, -1.341276059778),
            ],
        ),
        (
            8,
            12,
            [
                (16.333066232605, -2.851672248235),
                (15.042486368930, -6.900411812516),
                (10.084126976363, -0.834378090622),
            ],
        ),
    ];
}
