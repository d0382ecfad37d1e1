//! Distances to the k-th nearest neighbour, by comparing every sample with all others: exact for any number of units.

use pulp::{Arch, Simd, WithSimd};

use crate::math::distances::{Distances, LANES, PairOfTiles, ROWS, TILE};

/// Distances to the k-th nearest neighbour, N values each.
#[derive(Debug, Clone, PartialEq)]
pub struct KthDistances {
    /// From every sample to the others.
    pub all: Vec<f64>,
    /// For every labelling, from every sample to the others of its class.
    pub same_class: Vec<Vec<f64>>,
}

/// r_i, the Euclidean distance ‖t_i − t_j‖ of every sample i from its k-th nearest neighbour j ≠ i, among all samples
/// and among those of the class of i.
///
/// `values` is n_samples × n_units row-major, finite; k ≥ 1. `labellings` are class numbers, each of length n_samples.
/// A distance is accurate to a few rounding errors, even if samples nearly coincide, and in wide layers to a relative
/// 1e−12; it is exactly 0 for equal samples, and infinite if there are fewer than k others. O(N² d) time for all
/// labellings together; memory for 256 N numbers in addition to the values.
///
/// # Panics
/// Shapes that do not match, or k = 0.
pub fn kth_distances(values: &[f64], n_units: usize, k: usize, labellings: &[&[u32]]) -> KthDistances {
    assert!(n_units > 0 && values.len().is_multiple_of(n_units), "values are n_samples × n_units");
    let n_samples = values.len() / n_units;
    assert!(labellings.iter().all(|classes| classes.len() == n_samples), "a labelling has one class per sample");
    assert!(k > 0, "the nearest neighbour is the first");

    let n_tiles = n_samples.div_ceil(TILE);
    let width = n_tiles * TILE;
    let mut squares = vec![0.0; TILE * width];
    let mut of_class = Vec::new();
    let mut found = KthDistances { all: Vec::new(), same_class: vec![Vec::new(); labellings.len()] };
    Distances::new(values, n_units).for_each_tile_and_all(|pair| {
        Arch::new().dispatch(Collect { pair, squares: &mut squares, width });
        if pair.j + 1 < n_tiles {
            return;
        }
        for (row, i) in squares.chunks_exact_mut(width).take(pair.n_rows()).zip(pair.i * TILE..) {
            let row = &mut row[..n_samples];
            // A sample is not its own neighbour.
            row[i] = f64::INFINITY;
            let near = Arch::new().dispatch(Nearest { row, n: LISTED_PER_NEIGHBOUR * k });
            found.all.push(near.get(k - 1).map_or(f64::INFINITY, |(square, _)| square.sqrt()));
            for (classes, found) in labellings.iter().zip(&mut found.same_class) {
                let is_same = |j: usize| classes[j] == classes[i];
                let listed = near.iter().filter(|(_, j)| is_same(*j)).nth(k - 1);
                let square = listed.map_or_else(|| kth_of_class(row, is_same, k, &mut of_class), |(square, _)| *square);
                found.push(square.sqrt());
            }
        }
    });
    found
}

/// Number of listed samples per requested neighbour: with ten classes of equal size and k = 2, one list in a hundred
/// does not contain the second neighbour of the class.
const LISTED_PER_NEIGHBOUR: usize = 32;

/// Copies the distances of a pair of tiles into `squares`, rows of `width` squared distances of the samples of tile i.
struct Collect<'a> {
    pair: PairOfTiles<'a, f64>,
    squares: &'a mut [f64],
    width: usize,
}

impl WithSimd for Collect<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { pair, squares, width } = self;
        let mut strip = [0.0; ROWS * TILE];
        for first_row in (0..pair.n_rows()).step_by(ROWS) {
            pair.strip(first_row, &mut strip);
            for (row, strip) in squares[first_row * width..].chunks_exact_mut(width).zip(strip.chunks_exact(TILE)) {
                row[pair.j * TILE..][..TILE].copy_from_slice(strip);
            }
        }
    }
}

/// The `n` smallest finite numbers of `row`, ascending, with their positions.
struct Nearest<'a> {
    row: &'a [f64],
    n: usize,
}

impl WithSimd for Nearest<'_> {
    type Output = Vec<(f64, usize)>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<(f64, usize)> {
        let Self { row, n } = self;
        let by_distance = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0);
        let mut near: Vec<(f64, usize)> = Vec::with_capacity(2 * n + LANES);
        let mut bound = f64::INFINITY;
        for (first, block) in (0..).step_by(LANES).zip(row.chunks(LANES)) {
            // A count instead of a search: it vectorises, and usually there is nothing to add.
            if block.iter().filter(|square| **square < bound).count() == 0 {
                continue;
            }
            near.extend(block.iter().copied().zip(first..).filter(|(square, _)| *square < bound));
            if near.len() >= 2 * n {
                bound = near.select_nth_unstable_by(n - 1, by_distance).1.0;
                near.truncate(n);
            }
        }
        near.sort_unstable_by(by_distance);
        near.truncate(n);
        near
    }
}

/// The k-th smallest number in `row` among the positions for which `is_same` is true; infinite if there are fewer.
fn kth_of_class(row: &[f64], is_same: impl Fn(usize) -> bool, k: usize, of_class: &mut Vec<f64>) -> f64 {
    of_class.clear();
    of_class.extend(row.iter().enumerate().filter(|(j, _)| is_same(*j)).map(|(_, square)| *square));
    if of_class.len() < k { f64::INFINITY } else { *of_class.select_nth_unstable_by(k - 1, f64::total_cmp).1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A slow and simple implementation: sorts the distances of every sample from all others.
    fn slow(values: &[f64], n_units: usize, k: usize, classes: &[u32]) -> Vec<f64> {
        let rows: Vec<&[f64]> = values.chunks_exact(n_units).collect();
        let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let kth = |i: usize| {
            let others = (0..rows.len()).filter(|j| *j != i && classes[*j] == classes[i]);
            let mut distances: Vec<f64> = others.map(|j| distance(rows[i], rows[j])).collect();
            distances.sort_by(f64::total_cmp);
            distances.get(k - 1).copied().unwrap_or(f64::INFINITY)
        };
        (0..rows.len()).map(kth).collect()
    }

    #[track_caller]
    fn assert_close(got: &[f64], expected: &[f64], relative: f64) {
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!(got == expected || (got - expected).abs() <= relative * expected, "{got} is not {expected}");
        }
    }

    #[test]
    fn neighbours_on_a_line_are_counted_by_hand() {
        let found = kth_distances(&[0.0, 1.0, 3.0, 7.0], 1, 1, &[&[0, 0, 1, 1], &[5, 6, 7, 8]]);
        assert_eq!(found.all, [1.0, 1.0, 2.0, 4.0]);
        assert_eq!(found.same_class, [vec![1.0, 1.0, 4.0, 4.0], vec![f64::INFINITY; 4]]);
        assert_eq!(kth_distances(&[0.0, 1.0, 3.0, 7.0], 1, 3, &[]).all, [7.0, 6.0, 4.0, 7.0]);
        assert_eq!(kth_distances(&[0.0, 1.0], 1, 2, &[]).all, [f64::INFINITY; 2]);
        assert_eq!(kth_distances(&[], 3, 2, &[&[]]), KthDistances { all: vec![], same_class: vec![vec![]] });
    }

    /// Far from the origin, where a difference of squares would lose all digits.
    #[test]
    fn the_distance_of_samples_that_nearly_coincide_is_not_lost() {
        for n_units in [2, 100, 1024] {
            let n = 600;
            let step = 1e-6;
            // Pairs that differ in one unit, by exactly `step` up to the rounding of 1000 + step, 1e−13.
            let value = |i: usize, u: usize| match u {
                0 => step * (i % 2) as f64,
                _ => 1000.0 + (((i / 2) * n_units + u) as f64 * 1.7391).sin(),
            };
            let values: Vec<f64> = (0..n * n_units).map(|at| value(at / n_units, at % n_units)).collect();
            assert_close(&kth_distances(&values, n_units, 1, &[]).all, &vec![step; n], 1e-12);
        }
    }

    #[test]
    fn equal_samples_are_at_distance_zero_in_narrow_and_wide_layers() {
        for n_units in [1, 47, 48, 300] {
            let row = |i: usize| (0..n_units).map(move |u| (((i % 5) * n_units + u) as f64).sin());
            let values: Vec<f64> = (0..15).flat_map(row).collect();
            assert_eq!(kth_distances(&values, n_units, 2, &[]).all, [0.0; 15]);
            assert!(kth_distances(&values, n_units, 3, &[]).all.iter().all(|r| *r > 0.05));
        }
    }

    /// More samples than in a tile and in a list, with classes that lists leave out.
    #[test]
    fn many_samples_have_the_neighbours_of_the_slow_twin() {
        for (n, n_units) in [(256, 2), (257, 3), (1100, 2), (1100, 60)] {
            let values: Vec<f64> = (0..n * n_units).map(|i| (i as f64 * i as f64 * 0.7391).sin()).collect();
            let rare: Vec<u32> = (0..n as u32).map(|i| u32::from(i % 97 == 0)).collect();
            let many: Vec<u32> = (0..n as u32).map(|i| i % 50).collect();
            let all = vec![0; n];
            for k in [1, 2, 9] {
                let found = kth_distances(&values, n_units, k, &[&rare, &many]);
                // Sums in another order: some rounding errors of 1e−16, in wide layers 5e−13 of the squares.
                assert_close(&found.all, &slow(&values, n_units, k, &all), 1e-12);
                assert_close(&found.same_class[0], &slow(&values, n_units, k, &rare), 1e-12);
                assert_close(&found.same_class[1], &slow(&values, n_units, k, &many), 1e-12);
            }
        }
    }

    proptest! {
        /// Whole numbers, so that distances are exact, and many tie or are 0.
        #[test]
        fn neighbours_are_those_of_the_slow_twin(
            n_units in 1..4_usize,
            k in 1..5_usize,
            samples in proptest::collection::vec((proptest::collection::vec(-3..4_i8, 4), 0..3_u32), 0..300),
        ) {
            let values: Vec<f64> = samples.iter().flat_map(|(row, _)| &row[..n_units]).map(|v| f64::from(*v)).collect();
            let classes: Vec<u32> = samples.iter().map(|(_, class)| *class).collect();
            let found = kth_distances(&values, n_units, k, &[&classes]);
            prop_assert_eq!(&found.all, &slow(&values, n_units, k, &vec![0; classes.len()]));
            prop_assert_eq!(&found.same_class[0], &slow(&values, n_units, k, &classes));
        }
    }
}
