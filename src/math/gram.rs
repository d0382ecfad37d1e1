//! GᵀG of a matrix with more rows than columns.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Slice};
use rayon::prelude::*;

/// Rows of the product that are computed together; with few columns, half of the product is still skipped.
const BAND: usize = 64;

/// Adds the lower triangle of GᵀG to a square `product`, and a part of its upper triangle: see [`mirror`].
///
/// The bands are shared among the threads of the pool; the bits do not depend on their number.
pub fn add_gram(g: ArrayView2<'_, f64>, product: &mut Array2<f64>) {
    let n_columns = g.ncols();
    let bands = product.as_slice_mut().expect("the product is in standard order").par_chunks_mut(BAND * n_columns);
    bands.enumerate().for_each(|(band, values)| {
        let (start, n_rows) = (band * BAND, values.len() / n_columns);
        let mut rows = ArrayViewMut2::from_shape((n_rows, n_columns), values).expect("bands are whole rows");
        let end = start + n_rows;
        let columns = |from: usize| g.slice_axis(Axis(1), Slice::from(from..end));
        let mut rows = rows.slice_axis_mut(Axis(1), Slice::from(..end));
        general_mat_mul(1.0, &columns(start).t(), &columns(0), 1.0, &mut rows);
    });
}

/// Copies the lower triangle to the upper one.
pub fn mirror(product: &mut Array2<f64>) {
    for i in 0..product.nrows() {
        for j in 0..i {
            product[(j, i)] = product[(i, j)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gram_matrix_is_the_whole_product_on_any_number_of_threads() {
        // More than two bands, the last one incomplete.
        let g = Array2::from_shape_fn((31, 150), |(s, k)| (0.7391 * (s * 150 + k) as f64).sin());
        let on = |n_threads: usize| {
            let mut product = Array2::<f64>::ones((150, 150));
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| add_gram(g.view(), &mut product));
            mirror(&mut product);
            product
        };
        // 31 products of size 1 each, in another order.
        let difference = on(1) - g.t().dot(&g) - 1.0;
        assert!(difference.iter().all(|difference| difference.abs() < 1e-13));
        assert_eq!(on(1), on(3));
    }
}
