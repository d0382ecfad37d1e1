//! Matrix-based Rényi entropies of kernel matrices with trace 1.
//!
//! S_α(A) = ln(Σ λ_i^α)/(1 − α) of the eigenvalues λ of A, which is −Σ λ ln λ for α = 1 (von Neumann) and −ln Σ A_ij²
//! for α = 2. A is K/N with K_ij = exp(−d_ij²/w) of the distances between samples, so its diagonal is 1/N.
//!
//! # Reference
//! Sánchez Giraldo, Rao & Príncipe 2015 (IEEE Trans. Inf. Theory 61, 535).

use ndarray::Array2;
use rayon::prelude::*;

use crate::math::atoms::Cells;
use crate::math::eigenvalues::eigenvalues;
use crate::math::exponentials::exp_in_place;

/// Squared Euclidean distances between all rows of `n_dims` values, N × N.
pub fn squared_distances(values: &[f64], n_dims: usize) -> Array2<f64> {
    let n = values.len() / n_dims;
    let mut distances = Array2::<f64>::zeros((n, n));
    let rows = distances.as_slice_mut().expect("the matrix is in standard order").par_chunks_mut(n);
    rows.zip(values.par_chunks(n_dims)).for_each(|(row, a)| {
        for (distance, b) in row.iter_mut().zip(values.chunks_exact(n_dims)) {
            *distance = squared_distance(a, b);
        }
    });
    distances
}

/// Σ (aᵢ − bᵢ)² in eight partial sums; equal in either order of a and b.
fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for k in 0..8 {
            sums[k] += (a[k] - b[k]).powi(2);
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| (a - b).powi(2)).sum::<f64>()
}

/// K_ij = exp(−d_ij²/`divisor`), with 1 where d_ij = 0, whatever the divisor.
pub fn kernel(squared_distances: &Array2<f64>, divisor: f64) -> Array2<f64> {
    let mut kernel = squared_distances.clone();
    kernel.as_slice_mut().expect("the matrix is in standard order").par_chunks_mut(CHUNK).for_each(|values| {
        in_place(values, divisor);
    });
    kernel
}

fn in_place(squared_distances: &mut [f64], divisor: f64) {
    squared_distances.iter_mut().for_each(|d| *d = if *d == 0.0 { 0.0 } else { -*d / divisor });
    exp_in_place(squared_distances);
}

/// Values whose powers are computed together.
const CHUNK: usize = 1 << 14;

/// The alignment ⟨K, L⟩/(‖K‖ ‖L‖), from 0 to 1, of the kernel exp(−d²/`divisor`) and the kernel L that is 1 for samples
/// of one class and 0 otherwise.
///
/// # Reference
/// Cristianini, Shawe-Taylor, Elisseeff & Kandola 2001 (NIPS 14).
pub fn alignment(squared_distances: &Array2<f64>, divisor: f64, classes: &Cells) -> f64 {
    let n = squared_distances.ncols();
    let rows = squared_distances.as_slice().expect("the matrix is in standard order").par_chunks(n);
    // Σ_j K_ij L_ij and Σ_j K_ij² of every row, added in their order.
    let sums: Vec<(f64, f64)> = rows
        .zip(classes.numbers())
        .map(|(row, class)| {
            let mut row = row.to_vec();
            in_place(&mut row, divisor);
            let same = row.iter().zip(classes.numbers()).map(|(k, other)| if other == class { *k } else { 0.0 });
            (same.sum::<f64>(), row.iter().map(|k| k * k).sum::<f64>())
        })
        .collect();
    let product: f64 = sums.iter().map(|(product, _)| product).sum();
    let square: f64 = sums.iter().map(|(_, square)| square).sum();
    let labels: f64 = classes.counts().iter().map(|count| f64::from(*count).powi(2)).sum();
    product / (square.sqrt() * labels.sqrt())
}

/// S_α in nats of a kernel matrix K with diagonal 1, divided by its number of rows, for each of the `orders`; `None` if
/// the eigenvalues do not converge, for which no example is known.
pub fn entropies(kernel: &Array2<f64>, orders: &[f64]) -> Option<Vec<f64>> {
    let n = kernel.nrows() as f64;
    let square: f64 = kernel.rows().into_iter().map(|row| row.iter().map(|k| k * k).sum::<f64>()).sum();
    let values = if needs_eigenvalues(orders) { eigenvalues(kernel / n)? } else { Vec::new() };
    Some(orders.iter().map(|order| entropy(*order, &values, square / (n * n))).collect())
}

/// S_α in nats of K ∘ L divided by its number of rows, with L the kernel that is 1 for samples of one class and 0
/// otherwise; the matrix consists of one block for each class.
pub fn entropies_within(kernel: &Array2<f64>, classes: &Cells, orders: &[f64]) -> Option<Vec<f64>> {
    let n = kernel.nrows() as f64;
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes.n_cells()];
    classes.numbers().iter().enumerate().for_each(|(sample, class)| members[*class as usize].push(sample));
    let needs_eigenvalues = needs_eigenvalues(orders);
    let of_class = |samples: &Vec<usize>| {
        let block =
            Array2::from_shape_fn((samples.len(), samples.len()), |(i, j)| kernel[(samples[i], samples[j])] / n);
        let square: f64 = block.iter().map(|k| k * k).sum();
        let values = if needs_eigenvalues { eigenvalues(block)? } else { Vec::new() };
        Some((values, square))
    };
    let blocks: Vec<(Vec<f64>, f64)> = members.par_iter().map(of_class).collect::<Option<_>>()?;
    let square: f64 = blocks.iter().map(|(_, square)| square).sum();
    let values: Vec<f64> = blocks.into_iter().flat_map(|(values, _)| values).collect();
    Some(orders.iter().map(|order| entropy(*order, &values, square)).collect())
}

/// S_α in nats of classes, whose kernel has the eigenvalues n_y/N: the Rényi entropy of their frequencies.
pub fn entropies_of_classes(classes: &Cells, orders: &[f64]) -> Vec<f64> {
    let n = classes.n_samples() as f64;
    let values: Vec<f64> = classes.counts().iter().map(|count| f64::from(*count) / n).collect();
    let square = values.iter().map(|p| p * p).sum();
    orders.iter().map(|order| entropy(*order, &values, square)).collect()
}

/// The order whose entropy needs no eigenvalues: Σ λ² = Σ A_ij².
const COLLISION: f64 = 2.0;

fn needs_eigenvalues(orders: &[f64]) -> bool {
    orders.iter().any(|order| *order != COLLISION)
}

/// S_α from the eigenvalues and from Σ λ². Eigenvalues that rounding made negative are 0.
fn entropy(order: f64, eigenvalues: &[f64], square: f64) -> f64 {
    let positive = eigenvalues.iter().copied().filter(|value| *value > 0.0);
    if order == COLLISION {
        -square.ln()
    } else if order == 1.0 {
        -positive.map(|value| value * value.ln()).sum::<f64>()
    } else {
        positive.map(|value| value.powf(order)).sum::<f64>().ln() / (1.0 - order)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORDERS: [f64; 4] = [1.0, 1.01, 2.0, 3.5];

    /// S_α in nats of a matrix with trace 1, from all its eigenvalues.
    fn slow(matrix: Array2<f64>, order: f64) -> f64 {
        let values: Vec<f64> = eigenvalues(matrix).unwrap().into_iter().filter(|value| *value > 0.0).collect();
        if order == 1.0 {
            return values.iter().map(|value| -value * value.ln()).sum();
        }
        values.iter().map(|value| value.powf(order)).sum::<f64>().ln() / (1.0 - order)
    }

    proptest! {
        #[test]
        fn entropies_are_those_of_all_eigenvalues_of_whole_matrices(
            n_dims in 1_usize..12,
            divisor in 0.05_f64..5.0,
            rows in prop::collection::vec((0_u32..4, 0.1_f64..9.0), 2..30),
        ) {
            let n = rows.len();
            let values: Vec<f64> =
                rows.iter().flat_map(|(_, phase)| (0..n_dims).map(move |j| (phase + 1.3 * j as f64).sin())).collect();
            let labels: Vec<u32> = rows.iter().map(|(label, _)| *label).collect();
            let classes = Cells::of_rows(&labels, 1);
            let squared = |i: usize, j: usize| -> f64 {
                (0..n_dims).map(|k| (values[i * n_dims + k] - values[j * n_dims + k]).powi(2)).sum()
            };
            let power = |(i, j): (usize, usize)| (-squared(i, j) / divisor).exp();
            let equal = |(i, j): (usize, usize)| f64::from(u8::from(labels[i] == labels[j]));
            let entropy_of = |entry: &dyn Fn((usize, usize)) -> f64, order| slow(Array2::from_shape_fn((n, n), |at| entry(at) / n as f64), order);
            let kernel = kernel(&squared_distances(&values, n_dims), divisor);
            let got = [
                entropies(&kernel, &ORDERS).unwrap(),
                entropies_within(&kernel, &classes, &ORDERS).unwrap(),
                entropies_of_classes(&classes, &ORDERS),
            ];
            for (k, order) in ORDERS.into_iter().enumerate() {
                let expected = [entropy_of(&power, order), entropy_of(&|at| power(at) * equal(at), order), entropy_of(&equal, order)];
                for (got, expected) in got.iter().zip(expected) {
                    // Eigenvalues have errors of 1e-15, which −λ ln λ of 30 of them can multiply by 30 · 35.
                    prop_assert!((got[k] - expected).abs() < 2e-12, "order {}: {} is not {}", order, got[k], expected);
                }
            }
            // The alignment, by its definition.
            let sum = |entry: &dyn Fn((usize, usize)) -> f64| -> f64 {
                (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(entry).sum()
            };
            let norms = sum(&|at| power(at).powi(2)).sqrt() * sum(&equal).sqrt();
            let expected = sum(&|at| power(at) * equal(at)) / norms;
            prop_assert!((alignment(&squared_distances(&values, n_dims), divisor, &classes) - expected).abs() < 1e-13);
        }
    }

    #[test]
    fn equal_samples_have_entropy_0_and_a_narrow_kernel_ln_n() {
        let n = 50;
        let values: Vec<f64> = (0..n).map(f64::from).collect();
        let narrow = kernel(&squared_distances(&values, 1), 1e-3);
        let equal = kernel(&squared_distances(&vec![0.7; n as usize], 1), 0.0);
        // Rounding makes some of 49 eigenvalues 0 as large as 1e-16.
        for (narrow, equal) in entropies(&narrow, &ORDERS).unwrap().iter().zip(entropies(&equal, &ORDERS).unwrap()) {
            assert!((narrow - f64::from(n).ln()).abs() < 1e-12 && equal.abs() < 1e-12, "{narrow} {equal}");
        }
    }
}
