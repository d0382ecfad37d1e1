//! Eigenvalues of symmetric matrices.

use ndarray::Array2;

/// The eigenvalues of an n × n `matrix` in descending order, each with an error of about 10⁻¹⁵ of the largest; only the
/// lower triangle is read. `None` if a number is not finite, or its square overflows.
///
/// # Reference
/// Golub & Van Loan, Matrix Computations, 4th ed.: Householder's reduction to tridiagonal form (algorithm 8.3.1), then
/// the implicit QR steps with Wilkinson's shift (algorithms 8.3.2 and 8.3.3).
pub fn eigenvalues(matrix: Array2<f64>) -> Option<Vec<f64>> {
    let (mut diagonal, mut off_diagonal) = tridiagonal(matrix);
    if diagonal.iter().chain(&off_diagonal).any(|value| !value.is_finite()) {
        return None;
    }
    diagonalise(&mut diagonal, &mut off_diagonal)?;
    diagonal.sort_by(|a, b| b.total_cmp(a));
    Some(diagonal)
}

/// The diagonal and the subdiagonal of a tridiagonal matrix with equal eigenvalues.
fn tridiagonal(matrix: Array2<f64>) -> (Vec<f64>, Vec<f64>) {
    let n = matrix.nrows();
    let mut a = matrix.as_standard_layout().into_owned().into_raw_vec_and_offset().0;
    let mut off_diagonal = Vec::with_capacity(n.saturating_sub(1));
    // From the last row upwards, so that the remainder is the upper left corner, whose rows are contiguous.
    for last in (1..n).rev() {
        let (corner, row) = a.split_at_mut(last * n);
        let v = &mut row[..last];
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let pivot = v[last - 1];
        let alpha = if pivot > 0.0 { -norm } else { norm };
        off_diagonal.push(alpha);
        // The reflection 1 − vvᵀ/h maps the row to (0, …, 0, α).
        v[last - 1] -= alpha;
        let h = norm * norm - pivot * alpha;
        if h == 0.0 {
            continue;
        }
        // p = Av/h, from the lower triangle only: every row contributes to its own element and to those of its
        // columns.
        let mut p = vec![0.0; last];
        for i in 0..last {
            let row = &corner[i * n..i * n + i];
            p[i] += dot(row, &v[..i]) + corner[i * n + i] * v[i];
            p[..i].iter_mut().zip(row).for_each(|(p, a)| *p += a * v[i]);
        }
        p.iter_mut().for_each(|p| *p /= h);
        // A ← A − vwᵀ − wvᵀ with w = p − (vᵀp/2h) v.
        let k = dot(v, &p) / (2.0 * h);
        p.iter_mut().zip(v.iter()).for_each(|(p, v)| *p -= k * v);
        for i in 0..last {
            let row = &mut corner[i * n..=i * n + i];
            row.iter_mut().zip(v.iter().zip(&p)).for_each(|(a, (v_j, w_j))| *a -= v[i] * w_j + p[i] * v_j);
        }
    }
    off_diagonal.reverse();
    ((0..n).map(|i| a[i * n + i]).collect(), off_diagonal)
}

/// Σ aᵢbᵢ in four partial sums.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        for k in 0..4 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Maximum number of steps per eigenvalue; two are usual.
const MOST_STEPS: usize = 60;

/// Replaces the diagonal with the eigenvalues; `None` if it does not converge, for which no example is known.
fn diagonalise(diagonal: &mut [f64], off_diagonal: &mut [f64]) -> Option<()> {
    // An absolute limit: compared with its neighbours only, an element of a kernel matrix of nearly equal rows, all rounding
    // errors, may never be small.
    let limit = f64::EPSILON * diagonal.iter().chain(&*off_diagonal).fold(0.0_f64, |most, value| most.max(value.abs()));
    let mut steps = 0;
    let mut end = diagonal.len();
    while end > 1 {
        let is_zero = |k: usize, diagonal: &[f64], off_diagonal: &[f64]| {
            off_diagonal[k].abs() <= limit.max(f64::EPSILON * (diagonal[k].abs() + diagonal[k + 1].abs()))
        };
        if is_zero(end - 2, diagonal, off_diagonal) {
            (end, steps) = (end - 1, 0);
            continue;
        }
        // The last unreduced block.
        let start = (0..end - 1).rev().find(|k| is_zero(*k, diagonal, off_diagonal)).map_or(0, |k| k + 1);
        steps += 1;
        if steps > MOST_STEPS {
            return None;
        }
        implicit_step(&mut diagonal[start..end], &mut off_diagonal[start..end - 1]);
    }
    Some(())
}

/// One implicit QR step with Wilkinson's shift.
fn implicit_step(diagonal: &mut [f64], off_diagonal: &mut [f64]) {
    let n = diagonal.len();
    let (last, below) = (diagonal[n - 1], off_diagonal[n - 2]);
    let half = (diagonal[n - 2] - last) / 2.0;
    let shift = last - below * below / (half + half.hypot(below).copysign(half));
    let (mut x, mut z) = (diagonal[0] - shift, off_diagonal[0]);
    for k in 0..n - 1 {
        // The rotation of rows k and k + 1 that removes z.
        let r = x.hypot(z);
        let (c, s) = if r == 0.0 { (1.0, 0.0) } else { (x / r, z / r) };
        if k > 0 {
            off_diagonal[k - 1] = r;
        }
        let (a, b, d) = (diagonal[k], off_diagonal[k], diagonal[k + 1]);
        diagonal[k] = c * c * a + 2.0 * c * s * b + s * s * d;
        diagonal[k + 1] = s * s * a - 2.0 * c * s * b + c * c * d;
        off_diagonal[k] = c * s * (d - a) + (c * c - s * s) * b;
        if k + 2 < n {
            x = off_diagonal[k];
            z = s * off_diagonal[k + 1];
            off_diagonal[k + 1] *= c;
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn eigenvalues_agree_with_those_computed_by_hand() {
        assert_eq!(eigenvalues(Array2::zeros((0, 0))), Some(vec![]));
        assert_eq!(eigenvalues(array![[3.0]]), Some(vec![3.0]));
        assert_eq!(eigenvalues(Array2::zeros((3, 3))), Some(vec![0.0; 3]));
        assert_eq!(eigenvalues(array![[1.0, 0.0, 0.0], [0.0, -2.0, 0.0], [0.0, 0.0, 5.0]]), Some(vec![5.0, 1.0, -2.0]));
        // 2 ± 1; only the lower triangle is read.
        let got = eigenvalues(array![[2.0, f64::NAN], [1.0, 2.0]]).unwrap();
        assert!((got[0] - 3.0).abs() < 1e-15 && (got[1] - 1.0).abs() < 1e-15);
        assert_eq!(eigenvalues(array![[f64::NAN]]), None);
        assert_eq!(eigenvalues(array![[1.0, 0.0], [f64::INFINITY, 1.0]]), None);
    }

    #[test]
    fn a_chain_of_springs_has_the_eigenvalues_of_the_textbook() {
        // 2 on the diagonal and −1 off it: 2 − 2 cos(πk/(n + 1)).
        let n = 40;
        let chain = Array2::from_shape_fn((n, n), |(i, j)| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        });
        let got = eigenvalues(chain).unwrap();
        for (k, got) in (1..=n).rev().zip(got) {
            let want = 2.0 - 2.0 * (std::f64::consts::PI * k as f64 / (n as f64 + 1.0)).cos();
            assert!((got - want).abs() < 1e-14, "{got} is not {want}");
        }
    }

    #[test]
    fn kernels_of_heavy_tails_converge() {
        // Quantiles of Student's distribution with one degree of freedom: some rows are nearly equal and others nearly 0, so
        // that parts of the tridiagonal matrix are rounding errors.
        let n = 150;
        let x = |i: usize| (std::f64::consts::PI * ((i as f64 + 0.5) / n as f64 - 0.5)).tan();
        for width in [0.1, 0.3, 1.0, 3.0, 10.0, 30.0] {
            let kernel = Array2::from_shape_fn((n, n), |(i, j)| (-((x(i) - x(j)) / width).powi(2) / 2.0).exp());
            let got = eigenvalues(kernel).expect("it converges");
            // The trace, and no eigenvalue of a positive matrix below 0.
            assert!((got.iter().sum::<f64>() - n as f64).abs() < 1e-12 * n as f64);
            assert!(got.iter().all(|value| *value > -1e-13 * got[0]), "{width}: {got:?}");
        }
    }

    #[test]
    fn eigenvalues_survive_a_rotation_of_the_axes() {
        // Reflections along two directions of 1/(k + 1)², partly below the rounding of the largest; and a double
        // eigenvalue.
        let n = 60;
        let wanted: Vec<f64> = (0..n).map(|k| if k < 2 { 1.0 } else { 10_f64.powi(-(k / 3)) }).collect();
        let mut matrix = Array2::from_diag(&ndarray::Array1::from(wanted.clone()));
        for phase in [0.3, 1.7] {
            let v = ndarray::Array1::from_shape_fn(n as usize, |k| (phase + 2.1 * k as f64).sin());
            let v = v.view().insert_axis(ndarray::Axis(1));
            let reflection = Array2::eye(n as usize) - v.dot(&v.t()) * (2.0 / v.iter().map(|x| x * x).sum::<f64>());
            matrix = reflection.dot(&matrix).dot(&reflection);
        }
        let got = eigenvalues(matrix).unwrap();
        assert!(got.iter().zip(&wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-14), "{got:?}");
    }
}
