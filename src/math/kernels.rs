//! Sums of Gaussian kernels over all pairs of samples, exp(−a ‖t_i − t_j‖²), for several a and within classes.
//!
//! Half of the pairs are visited, tile by tile, and counted for both samples. A kernel is computed, compared by
//! class and added while it is in the first cache; nothing of size N × N is stored. Sums use the precision of the
//! values within one tile, [`TILE`] kernels, and f64 beyond it.
//!
//! Squared distances come from differences for narrow layers, and from a matrix product for wide ones. The bits of the
//! former do not depend on the machine; those of the latter depend on the kernel that `matrixmultiply` selects.

use pulp::{Arch, Simd, WithSimd};

use crate::math::distances::{Distances, LANES, PairOfTiles, ROWS, TILE};
use crate::math::powers::{Kernel, Powers};
use crate::math::real::{Real, fold};

/// The results of one kernel, N values each.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelSums {
    /// Σ_j exp(−a ‖t_i − t_j‖²) for every sample i, j = i included: in 1..=N.
    pub all: Vec<f64>,
    /// For every labelling, this sum over the j with the class of i: in 1..=N_y.
    pub same_class: Vec<Vec<f64>>,
}

/// Σ_j exp(−a ‖t_i − t_j‖²) for every sample i and kernel, including j = i, over all samples and over those of the
/// class of i.
///
/// `values` is n_samples × n_units row-major, finite. There is one result for each of `kernels`, in their order; its
/// bits depend only on the values and the kernel. Kernels with equal base share an exponential, equal kernels
/// everything. `labellings` are class numbers, each of length n_samples; the cost of a labelling does not depend on its
/// number of classes.
///
/// The largest error of a kernel is about 1e−7 in f32 and 2e−16 in f64, 16 times as much after four squarings; in wide
/// layers, the error of the distances is added. Squared distances and their products with an exponent must not
/// overflow. A value that is not finite gives NaN in all sums that contain it.
///
/// # Panics
/// Shapes that do not match.
pub fn kernel_sums<T: Real>(
    values: &[T],
    n_units: usize,
    kernels: &[Kernel],
    labellings: &[&[u32]],
) -> Vec<KernelSums> {
    assert!(n_units > 0 && values.len().is_multiple_of(n_units), "values are n_samples × n_units");
    let n_samples = values.len() / n_units;
    assert!(labellings.iter().all(|classes| classes.len() == n_samples), "a labelling has one class per sample");

    let powers = Powers::new(kernels);
    let classes: Vec<Vec<T::Class>> = labellings.iter().map(|classes| padded(classes)).collect();
    let n_sums = powers.n_steps() * (1 + labellings.len());
    let mut totals = vec![vec![0.0; n_samples.next_multiple_of(TILE)]; n_sums];
    let mut scratch = Scratch::new(powers.n_steps(), n_sums);

    Distances::new(values, n_units).for_each_pair_of_tiles(|pair| {
        scratch.columns.fill(T::zero());
        Arch::new().dispatch(AddKernels { pair, powers: &powers, classes: &classes, scratch: &mut scratch });
        scratch.flush(pair, &mut totals);
    });

    totals.iter_mut().for_each(|total| total.truncate(n_samples));
    let mut totals = totals.into_iter();
    let mut next = || totals.next().expect("there are 1 + labellings totals per step");
    let steps = 0..powers.n_steps();
    let sums: Vec<KernelSums> =
        steps.map(|_| KernelSums { all: next(), same_class: labellings.iter().map(|_| next()).collect() }).collect();
    powers.places.iter().map(|place| sums[*place].clone()).collect()
}

/// Class numbers of the width of the values, padded to whole tiles.
fn padded<C: Copy + Default + From<u32>>(classes: &[u32]) -> Vec<C> {
    let mut padded: Vec<C> = classes.iter().map(|class| C::from(*class)).collect();
    padded.resize(classes.len().next_multiple_of(TILE), C::default());
    padded
}

/// Buffers for one pair of tiles.
struct Scratch<T> {
    /// `ROWS` × `TILE` squared distances.
    distances: Vec<T>,
    /// For each step, `ROWS` × `TILE` kernels.
    kernels: Vec<T>,
    /// For each step and its class sums, the sum over the columns for every row of the tile.
    rows: Vec<T>,
    /// For each step and its class sums, the sum over the rows for every column of the tile.
    columns: Vec<T>,
}

impl<T: Real> Scratch<T> {
    fn new(n_steps: usize, n_sums: usize) -> Self {
        let zeros = |n| vec![T::zero(); n];
        let strip = ROWS * TILE;
        Self {
            distances: zeros(strip),
            kernels: zeros(n_steps * strip),
            rows: zeros(n_sums * TILE),
            columns: zeros(n_sums * TILE),
        }
    }

    fn flush(&self, pair: PairOfTiles<'_, T>, totals: &mut [Vec<f64>]) {
        let add = |total: &mut [f64], sums: &[T]| total.iter_mut().zip(sums).for_each(|(t, s)| *t += s.to_f64());
        for ((total, rows), columns) in
            totals.iter_mut().zip(self.rows.chunks_exact(TILE)).zip(self.columns.chunks_exact(TILE))
        {
            add(&mut total[pair.i * TILE..][..pair.n_rows()], rows);
            // If both tiles are the same, every sample was counted as a row.
            if pair.i != pair.j {
                add(&mut total[pair.j * TILE..][..pair.n_columns()], columns);
            }
        }
    }
}

/// The kernels of one pair of tiles, summed over rows and columns.
struct AddKernels<'a, T: Real> {
    pair: PairOfTiles<'a, T>,
    powers: &'a Powers<T>,
    classes: &'a [Vec<T::Class>],
    scratch: &'a mut Scratch<T>,
}

impl<T: Real> WithSimd for AddKernels<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { pair, powers, classes, scratch } = self;
        let Scratch { distances, kernels, rows, columns } = scratch;
        let n_columns = pair.n_columns();
        let width = n_columns.next_multiple_of(LANES);
        for first_row in (0..pair.n_rows()).step_by(ROWS) {
            pair.strip(first_row, distances);
            powers.take(distances, width, kernels);
            if n_columns < width {
                kernels.chunks_exact_mut(TILE).for_each(|row| row[n_columns..width].fill(T::zero()));
            }
            let sums_of_step = (1 + classes.len()) * TILE;
            for ((kernels, rows), columns) in kernels
                .chunks_exact(ROWS * TILE)
                .zip(rows.chunks_exact_mut(sums_of_step))
                .zip(columns.chunks_exact_mut(sums_of_step))
            {
                let (rows, class_rows) = rows.split_at_mut(TILE);
                let (columns, class_columns) = columns.split_at_mut(TILE);
                rows[first_row..][..ROWS].copy_from_slice(&add(kernels, width, columns));
                for ((classes, rows), columns) in
                    classes.iter().zip(class_rows.chunks_exact_mut(TILE)).zip(class_columns.chunks_exact_mut(TILE))
                {
                    let classes_i =
                        classes[pair.i * TILE + first_row..].first_chunk().expect("classes are padded to whole tiles");
                    let classes_j = &classes[pair.j * TILE..];
                    let sums = add_same_class(kernels, classes_i, classes_j, width, columns);
                    rows[first_row..][..ROWS].copy_from_slice(&sums);
                }
            }
        }
    }
}

/// Adds the rows of a strip to `columns` and returns the sum of each row.
#[inline(always)]
fn add<T: Real>(kernels: &[T], width: usize, columns: &mut [T]) -> [T; ROWS] {
    let mut sums = [[T::zero(); LANES]; ROWS];
    for (block, columns) in columns[..width].as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut column = [T::zero(); LANES];
        for (r, sums) in sums.iter_mut().enumerate() {
            let row = &kernels[r * TILE + block * LANES..][..LANES];
            for ((k, sum), column) in row.iter().zip(sums).zip(&mut column) {
                *sum += *k;
                *column += *k;
            }
        }
        columns.iter_mut().zip(column).for_each(|(total, sum)| *total += sum);
    }
    fold_each(sums)
}

/// Adds the rows of a strip to `columns` for the kernels whose samples have equal classes, and returns the sum of each
/// row.
#[inline(always)]
fn add_same_class<T: Real>(
    kernels: &[T],
    classes_i: &[T::Class; ROWS],
    classes_j: &[T::Class],
    width: usize,
    columns: &mut [T],
) -> [T; ROWS] {
    let mut sums = [[T::zero(); LANES]; ROWS];
    for (block, columns) in columns[..width].as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut column = [T::zero(); LANES];
        let classes_j = &classes_j[block * LANES..][..LANES];
        for (r, (class_i, sums)) in classes_i.iter().zip(&mut sums).enumerate() {
            let row = &kernels[r * TILE + block * LANES..][..LANES];
            for (((k, class_j), sum), column) in row.iter().zip(classes_j).zip(sums).zip(&mut column) {
                let same = k.where_same(*class_i, *class_j);
                *sum += same;
                *column += same;
            }
        }
        columns.iter_mut().zip(column).for_each(|(total, sum)| *total += sum);
    }
    fold_each(sums)
}

/// The sum of each row. Not `map`, whose closure would be compiled without the machine's vectors.
#[inline(always)]
fn fold_each<T: Real>(sums: [[T; LANES]; ROWS]) -> [T; ROWS] {
    let mut folded = [T::zero(); ROWS];
    for (row, sums) in folded.iter_mut().zip(sums) {
        *row = fold(sums);
    }
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::math::distances::WIDE;

    /// The formula, directly in f64. `is_counted(i, j)` selects the pairs.
    fn slow_sums(values: &[f64], n_units: usize, a: f64, is_counted: impl Fn(usize, usize) -> bool) -> Vec<f64> {
        let samples: Vec<&[f64]> = values.chunks_exact(n_units).collect();
        let kernel =
            |t_i: &[f64], t_j: &[f64]| (-a * t_i.iter().zip(t_j).map(|(i, j)| (i - j).powi(2)).sum::<f64>()).exp();
        let sum = |i: usize| {
            (0..samples.len()).filter(|j| is_counted(i, *j)).map(|j| kernel(samples[i], samples[j])).sum::<f64>()
        };
        (0..samples.len()).map(sum).collect()
    }

    #[track_caller]
    fn assert_close(got: &[f64], want: &[f64], tolerance: f64) {
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() <= tolerance * want, "{got} is not {want}");
        }
    }

    #[track_caller]
    fn check<T: Real>(values: &[f64], n_units: usize, kernels: &[Kernel], labellings: &[&[u32]], tolerance: f64) {
        let values: Vec<T> = values.iter().map(|v| T::from_f64(*v)).collect();
        let got = kernel_sums(&values, n_units, kernels, labellings);
        // From the rounded values, so that only the arithmetic differs.
        let values: Vec<f64> = values.iter().map(|v| v.to_f64()).collect();
        assert_eq!(got.len(), kernels.len());
        for (kernel, got) in kernels.iter().zip(got) {
            let a = kernel.exponent();
            assert_close(&got.all, &slow_sums(&values, n_units, a, |_, _| true), tolerance);
            assert_eq!(got.same_class.len(), labellings.len());
            for (classes, got) in labellings.iter().zip(got.same_class) {
                assert_close(&got, &slow_sums(&values, n_units, a, |i, j| classes[i] == classes[j]), tolerance);
            }
        }
    }

    /// Compares both precisions of `values` with the formula.
    ///
    /// The worst case in units of rounding, u = 6e−8: a difference, its square and up to n_units additions make
    /// (n_units + 2) aD of the exponent, and aD exp(−aD) < 0.37; the power of two makes 2, its sixteenth power 32 and 15
    /// of the squarings; a column is added in 64 + 3 steps. For 100 units these are 38 + 47 + 67 < 170 of u, or 1e−5. In
    /// f64 u = 1.1e−16, and the slow sums add up to `n_samples` of it. Distances from a matrix product add ε ln N, see
    /// there.
    #[track_caller]
    fn check_both(values: &[f64], n_units: usize, kernels: &[Kernel], labellings: &[&[u32]]) {
        let n = (values.len() / n_units) as f64;
        let unrepaired = if n_units < WIDE { 0.0 } else { 4.0 * (1.0 + (n_units as f64).sqrt() / 3.0) * n.ln() };
        check::<f32>(values, n_units, kernels, labellings, (170.0 + unrepaired / f32::CANCELLED) * f32::ROUNDING);
        check::<f64>(values, n_units, kernels, labellings, (170.0 + n + unrepaired / f64::CANCELLED) * f64::ROUNDING);
    }

    fn kernel(base: f64, squarings: u32) -> Kernel {
        Kernel { base, squarings }
    }

    /// Values similar to those of layers: spread, in tight clusters, in tight clusters far apart, or with many equal
    /// rows.
    fn values(n_samples: usize, n_units: usize, kind: usize, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut spread = |n: usize| -> Vec<f64> { (0..n * n_units).map(|_| rng.random_range(-1.0..1.0)).collect() };
        let (rows, centres) = (spread(n_samples), spread(3));
        let centre = |s: usize| &centres[s % 3 * n_units..][..n_units];
        let row = |s: usize| &rows[s * n_units..][..n_units];
        match kind {
            0 => rows,
            1 => (0..n_samples).flat_map(|s| row(s).iter().zip(centre(s)).map(|(x, c)| c + 0.02 * x)).collect(),
            2 => (0..n_samples).flat_map(|s| row(s).iter().zip(centre(s)).map(|(x, c)| 30.0 * c + 0.2 * x)).collect(),
            _ => (0..n_samples).flat_map(|s| centre(s).to_vec()).collect(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn sums_agree_with_the_formula(
            n_samples in 1_usize..600,
            n_units in prop::sample::select(vec![1, 2, 3, 10, 31, 47, 48, 49, 65, 100]),
            kind in 0_usize..4,
            n_classes in 1_u32..200,
            noise in -1.0_f64..1.0,
            seed: u64,
        ) {
            let values = values(n_samples, n_units, kind, seed);
            // A typical distance is n_units; the exponents go from many neighbours to few.
            let a = 10_f64.powf(noise) / n_units as f64;
            let kernels =
                [kernel(a, 2), kernel(a, 0), kernel(a, 4), kernel(3.0 * a, 0), kernel(a, 1), kernel(100.0 * a, 2), kernel(a, 4)];
            let labels: Vec<u32> = (0..n_samples as u32).map(|i| i % n_classes).collect();
            let shuffled: Vec<u32> = (0..n_samples as u32).map(|i| (i * 7 + 3) % 11).collect();
            check_both(&values, n_units, &kernels, &[&labels, &shuffled]);
        }
    }

    #[test]
    fn kernel_sums_of_one_and_two_samples_agree_with_the_formula() {
        for n_units in [1, 100] {
            check_both(&values(1, n_units, 0, 1), n_units, &[kernel(0.5, 0)], &[&[3]]);
            check_both(&values(2, n_units, 0, 1), n_units, &[kernel(0.5, 0), kernel(0.0, 0)], &[&[3, 4], &[3, 3]]);
        }
        assert_eq!(
            kernel_sums::<f32>(&[], 3, &[kernel(1.0, 0)], &[&[]])[0],
            KernelSums { all: vec![], same_class: vec![vec![]] }
        );
        assert_eq!(kernel_sums(&[1.0_f32], 1, &[], &[]), []);
    }

    fn far_clusters<T: Real>(n_units: usize) {
        // Clusters of 100, 200 and 300 samples at 0, 1000 and −1000 in every unit.
        let place = |s: usize| {
            if s < 100 {
                0.0
            } else if s < 300 {
                1000.0
            } else {
                -1000.0
            }
        };
        let values: Vec<T> = (0..600 * n_units).map(|k| T::from_f64(0.1 + place(k / n_units))).collect();
        let two_halves: Vec<u32> = (0..600).map(|s| u32::from(s % 2 == 0)).collect();
        let sums = &kernel_sums(&values, n_units, &[kernel(1.25, 2), kernel(1.25, 0)], &[&two_halves]);
        for sums in sums {
            for s in 0..600 {
                let count = if s < 100 {
                    100.0
                } else if s < 300 {
                    200.0
                } else {
                    300.0
                };
                assert_eq!(sums.all[s], count);
                assert_eq!(sums.same_class[0][s], count / 2.0);
            }
        }
    }

    #[test]
    fn sums_of_far_clusters_are_exactly_their_counts() {
        for n_units in [1, 10, 100] {
            far_clusters::<f32>(n_units);
            far_clusters::<f64>(n_units);
        }
    }

    #[test]
    fn one_class_is_all_samples_and_distinct_classes_are_none_but_the_sample() {
        for n_units in [7, 100] {
            let values: Vec<f32> = values(520, n_units, 0, 2).iter().map(|v| *v as f32).collect();
            let distinct: Vec<u32> = (0..520).map(|i| u32::MAX - i).collect();
            let sums = &kernel_sums(&values, n_units, &[kernel(0.1, 0)], &[&[9; 520], &distinct])[0];
            assert_eq!(sums.same_class[0], sums.all);
            assert_eq!(sums.same_class[1], [1.0; 520]);
        }
    }

    /// Compares rows and columns of one pair of tiles with and without vector instructions.
    fn sums_of_first_tiles<T: Real>(add: impl Fn(AddKernels<'_, T>)) -> Vec<f64> {
        let values: Vec<T> = values(300, 10, 1, 4).iter().map(|v| T::from_f64(*v)).collect();
        let (powers, classes) =
            (Powers::new(&[kernel(1.0, 0), kernel(1.0, 2), kernel(7.0, 0)]), [padded(&[1, 2, 3].repeat(100))]);
        let mut scratch = Scratch::new(3, 6);
        let mut sums = Vec::new();
        Distances::new(&values, 10).for_each_pair_of_tiles(|pair| {
            scratch.columns.fill(T::zero());
            add(AddKernels { pair, powers: &powers, classes: &classes, scratch: &mut scratch });
            sums.extend(scratch.rows.iter().chain(&scratch.columns).map(|sum| sum.to_f64()));
        });
        sums
    }

    #[test]
    fn bits_do_not_depend_on_the_vectors_of_the_machine() {
        assert_eq!(
            sums_of_first_tiles::<f32>(|kernels| Arch::new().dispatch(kernels)),
            sums_of_first_tiles::<f32>(|kernels| kernels.with_simd(pulp::Scalar)),
        );
        assert_eq!(
            sums_of_first_tiles::<f64>(|kernels| Arch::new().dispatch(kernels)),
            sums_of_first_tiles::<f64>(|kernels| kernels.with_simd(pulp::Scalar)),
        );
    }

    #[test]
    fn nan_is_reported() {
        for n_units in [2, 100] {
            let mut values = vec![0.5_f32; 300 * n_units];
            values[3 * n_units] = f32::NAN;
            let sums = &kernel_sums(&values, n_units, &[kernel(1.0, 0), kernel(1.0, 2)], &[])[1];
            assert!(sums.all.iter().all(|sum| sum.is_nan()));
        }
    }
}
