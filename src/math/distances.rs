//! Squared distances ‖t_i − t_j‖² between all samples, a strip of [`ROWS`] × [`TILE`] at a time.
//!
//! Narrow layers are stored unit by unit within a tile of samples and subtracted: every loop runs over neighbouring
//! samples, and the result is exact to rounding. Wide layers use D = ‖x_i‖² + ‖x_j‖² − 2 x_i·x_j of centred values, a
//! matrix product per block, and recompute by subtraction the pairs for which this cancels too much.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};
use pulp::{Arch, Simd, WithSimd};

use crate::math::real::{Real, fold};

/// Samples per tile.
pub const TILE: usize = 256;
/// Number of samples of the first tile whose distances are computed together.
pub const ROWS: usize = 4;
/// The length of loops is a multiple of this.
pub const LANES: usize = 16;
/// Number of samples on the second side of one matrix product: enough to hide its packing, few enough to keep the
/// product in cache.
const PANEL: usize = 4 * TILE;
/// Number of samples whose distances are recomputed together: 256 kB for 1024 units in f32.
const REPAIRED_TOGETHER: usize = 64;
/// Number of units from which the matrix product is faster than differences: 64 in f32, 32 in f64, measured with 4096
/// samples.
pub const WIDE: usize = 48;

/// All samples of a layer, in the layout for the computation of distances.
pub struct Distances<'a, T: Real> {
    n_samples: usize,
    n_units: usize,
    layout: Layout<'a, T>,
}

enum Layout<'a, T: Real> {
    /// Tile by tile, unit u of a tile in `[u · TILE..][..TILE]`, the last tile padded with 0.
    Narrow(Vec<T>),
    Wide(Wide<'a, T>),
}

struct Wide<'a, T: Real> {
    /// n_samples × n_units, as given: recomputed pairs use the original numbers.
    values: &'a [T],
    /// Values minus the mean of their unit: an offset would cancel in D, but not in the squares.
    centred: Vec<T>,
    n_units: usize,
    /// ‖x_i‖² of the centred values, padded with 0 to whole tiles.
    norms: Vec<T>,
}

/// Two tiles of samples. If i = j, every pair of samples appears twice.
#[derive(Clone, Copy)]
pub struct PairOfTiles<'a, T: Real> {
    /// Number of the first tile.
    pub i: usize,
    /// Number of the second tile.
    pub j: usize,
    n_samples: usize,
    source: Source<'a, T>,
}

#[derive(Clone, Copy)]
enum Source<'a, T: Real> {
    Differences {
        units_i: &'a [T],
        units_j: &'a [T],
    },
    /// Rows of `PANEL` distances, starting at tile j.
    Computed(&'a [T]),
}

impl<'a, T: Real> Distances<'a, T> {
    /// `values` is n_samples × n_units row-major.
    pub fn new(values: &'a [T], n_units: usize) -> Self {
        let layout = if n_units < WIDE {
            Layout::Narrow(unit_major(values, n_units))
        } else {
            Layout::Wide(Wide::new(values, n_units))
        };
        Self { n_samples: values.len() / n_units, n_units, layout }
    }

    /// Calls `visit` for every pair of tiles (i, j) with i ≤ j, for symmetric functions.
    pub fn for_each_pair_of_tiles(&self, visit: impl FnMut(PairOfTiles<'_, T>)) {
        self.for_each(|i| i, visit);
    }

    /// Calls `visit` for every tile i with all tiles j in ascending order, for functions that need all distances of a
    /// sample together. Twice the work.
    pub fn for_each_tile_and_all(&self, visit: impl FnMut(PairOfTiles<'_, T>)) {
        self.for_each(|_| 0, visit);
    }

    /// The second tile of a pair starts at number `first_j(i)`.
    fn for_each(&self, first_j: impl Fn(usize) -> usize, mut visit: impl FnMut(PairOfTiles<'_, T>)) {
        let n_tiles = self.n_samples.div_ceil(TILE);
        let n_samples = self.n_samples;
        match &self.layout {
            Layout::Narrow(units) => {
                let tiles: Vec<&[T]> = units.chunks_exact(self.n_units * TILE).collect();
                for i in 0..n_tiles {
                    for j in first_j(i)..n_tiles {
                        let source = Source::Differences { units_i: tiles[i], units_j: tiles[j] };
                        visit(PairOfTiles { i, j, n_samples, source });
                    }
                }
            }
            Layout::Wide(wide) => {
                let mut panel = vec![T::zero(); TILE * PANEL];
                for i in 0..n_tiles {
                    for first in (first_j(i)..n_tiles).step_by(PANEL / TILE) {
                        wide.multiply(i, first, &mut panel);
                        for j in first..n_tiles.min(first + PANEL / TILE) {
                            let distances = &mut panel[(j - first) * TILE..];
                            Arch::new().dispatch(FromProduct { wide, i, j, distances: &mut *distances });
                            visit(PairOfTiles { i, j, n_samples, source: Source::Computed(distances) });
                        }
                    }
                }
            }
        }
    }
}

impl<T: Real> PairOfTiles<'_, T> {
    /// Samples in the first tile.
    pub fn n_rows(&self) -> usize {
        TILE.min(self.n_samples - self.i * TILE)
    }

    /// Samples in the second tile.
    pub fn n_columns(&self) -> usize {
        TILE.min(self.n_samples - self.j * TILE)
    }

    /// Squared distances of the samples `first_row..first_row + ROWS` of tile i from those of tile j, as `ROWS` rows
    /// of `TILE`. In each row only the first n_columns values are valid, and only rows that are samples.
    #[inline(always)]
    pub fn strip(&self, first_row: usize, strip: &mut [T]) {
        match self.source {
            // Eight vector registers for sums, for any precision.
            Source::Differences { units_i, units_j } if size_of::<T>() == 4 => {
                differences::<T, LANES>(units_i, units_j, first_row, self.n_columns(), strip);
            }
            Source::Differences { units_i, units_j } => {
                differences::<T, { LANES / 2 }>(units_i, units_j, first_row, self.n_columns(), strip);
            }
            Source::Computed(distances) => {
                for (row, computed) in strip.chunks_exact_mut(TILE).zip(distances[first_row * PANEL..].chunks(PANEL)) {
                    row[..self.n_columns()].copy_from_slice(&computed[..self.n_columns()]);
                }
            }
        }
    }
}

/// Σ_u (x_ui − x_uj)², for L samples j at a time.
#[inline(always)]
fn differences<T: Real, const L: usize>(
    units_i: &[T],
    units_j: &[T],
    first_row: usize,
    n_columns: usize,
    strip: &mut [T],
) {
    for column in (0..n_columns).step_by(L) {
        let mut sums = [[T::zero(); L]; ROWS];
        for (i, j) in units_i.chunks_exact(TILE).zip(units_j.chunks_exact(TILE)) {
            let (i, j) = (&i[first_row..][..ROWS], &j[column..][..L]);
            for (sums, i) in sums.iter_mut().zip(i) {
                for (sum, j) in sums.iter_mut().zip(j) {
                    let difference = *i - *j;
                    *sum = difference.mul_add(difference, *sum);
                }
            }
        }
        for (row, sums) in strip.chunks_exact_mut(TILE).zip(&sums) {
            row[column..][..L].copy_from_slice(sums);
        }
    }
}

fn unit_major<T: Real>(values: &[T], n_units: usize) -> Vec<T> {
    let n_samples = values.len() / n_units;
    let mut units = vec![T::zero(); n_samples.next_multiple_of(TILE) * n_units];
    for (s, row) in values.chunks_exact(n_units).enumerate() {
        let tile = &mut units[s / TILE * n_units * TILE..][..n_units * TILE];
        for (unit, value) in tile.chunks_exact_mut(TILE).zip(row) {
            unit[s % TILE] = *value;
        }
    }
    units
}

impl<'a, T: Real> Wide<'a, T> {
    fn new(values: &'a [T], n_units: usize) -> Self {
        let n_samples = values.len() / n_units;
        let mut means = vec![0.0; n_units];
        for row in values.chunks_exact(n_units) {
            means.iter_mut().zip(row).for_each(|(m, v)| *m += v.to_f64());
        }
        means.iter_mut().for_each(|m| *m /= n_samples as f64);
        let mut centred: Vec<T> = Vec::with_capacity(values.len());
        let mut norms = Vec::with_capacity(n_samples.next_multiple_of(TILE));
        for row in values.chunks_exact(n_units) {
            centred.extend(row.iter().zip(&means).map(|(v, m)| T::from_f64(v.to_f64() - m)));
            norms.push(centred[centred.len() - n_units..].iter().map(|x| x.to_f64() * x.to_f64()).sum());
        }
        norms.resize(n_samples.next_multiple_of(TILE), 0.0);
        let norms = norms.into_iter().map(T::from_f64).collect();
        Self { values, centred, n_units, norms }
    }

    /// −2 x_i·x_j for the samples of tile i and those of `PANEL` from tile j on.
    fn multiply(&self, i: usize, j: usize, product: &mut [T]) {
        let samples = |first: usize, most: usize| {
            let shape = (most.min(self.n_samples() - first), self.n_units);
            ArrayView2::from_shape(shape, &self.centred[first * self.n_units..][..shape.0 * shape.1])
                .expect("the shape is the length")
        };
        let (x_i, x_j) = (samples(i * TILE, TILE), samples(j * TILE, PANEL));
        let shape = (x_i.nrows(), x_j.nrows()).strides((PANEL, 1));
        let mut product = ArrayViewMut2::from_shape(shape, product).expect("the buffer holds TILE rows of PANEL");
        general_mat_mul(T::from_f64(-2.0), &x_i, &x_j.t(), T::zero(), &mut product);
    }

    fn sample(&self, s: usize) -> &[T] {
        &self.values[s * self.n_units..][..self.n_units]
    }

    fn n_samples(&self) -> usize {
        self.values.len() / self.n_units
    }
}

/// Replaces −2 x_i·x_j with D = ‖x_i‖² + ‖x_j‖² − 2 x_i·x_j, for the samples of tiles i and j; with the difference
/// itself if D < τ (‖x_i‖² + ‖x_j‖²) with τ = [`Real::CANCELLED`].
///
/// The partial sums of x_i·x_j of two close samples grow linearly to ‖x‖², each with a relative rounding error of at
/// most u: the standard deviation of the product is about u ‖x‖² √(n_units)/3, and rounding the norms and their sum
/// adds u (‖x_i‖² + ‖x_j‖²). Four times that, divided by τ (‖x_i‖² + ‖x_j‖²), is the largest relative error of a
/// distance that is kept, ε = 4u (1 + √(n_units)/3)/τ: 3e−5 in f32 and 5e−13 in f64 for 1024 units. The relative error
/// of a kernel is then at most aD ε, and that of their sum, which contains the 1 of the sample itself, Σ aD exp(−aD) ε
/// / (1 + Σ exp(−aD)) < ε ln N. Only pairs just above τ come near ε, and their errors average.
///
/// The criterion does not depend on the kernels, so that a distance has equal bits for all of them.
struct FromProduct<'a, T: Real> {
    wide: &'a Wide<'a, T>,
    i: usize,
    j: usize,
    /// Rows of `PANEL`, of which the first `TILE` are computed.
    distances: &'a mut [T],
}

impl<T: Real> WithSimd for FromProduct<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { wide, i, j, distances } = self;
        let n_rows = TILE.min(wide.n_samples() - i * TILE);
        let n_columns = TILE.min(wide.n_samples() - j * TILE);
        let norms_j = &wide.norms[j * TILE..][..n_columns];
        let cancelled = T::from_f64(T::CANCELLED);
        let mark = T::from_f64(-1.0);
        for (r, row) in distances.chunks_mut(PANEL).take(n_rows).enumerate() {
            let norm_i = wide.norms[i * TILE + r];
            for (d, norm_j) in row.iter_mut().zip(norms_j) {
                let norms = norm_i + *norm_j;
                let distance = norms + *d;
                *d = if distance < cancelled * norms { mark } else { distance };
            }
        }
        // A block of samples j stays in the second cache while all samples i pass.
        for first in (0..n_columns).step_by(REPAIRED_TOGETHER) {
            for (r, row) in distances.chunks_mut(PANEL).take(n_rows).enumerate() {
                let block = &mut row[first..n_columns.min(first + REPAIRED_TOGETHER)];
                // A count instead of a search: it vectorises, and usually there is nothing to recompute.
                if block.iter().filter(|d| **d < T::zero()).count() > 0 {
                    for (d, sample_j) in block.iter_mut().zip(j * TILE + first..) {
                        if *d < T::zero() {
                            *d = squared_distance(wide.sample(i * TILE + r), wide.sample(sample_j));
                        }
                    }
                }
            }
        }
    }
}

/// Σ_u (a_u − b_u)² in `2 · LANES` partial sums and one for the remainder.
#[inline(always)]
fn squared_distance<T: Real>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::zero(); 2 * LANES];
    let (a_blocks, a_rest) = a.as_chunks::<{ 2 * LANES }>();
    let (b_blocks, b_rest) = b.as_chunks::<{ 2 * LANES }>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            let difference = *a - *b;
            *sum = difference.mul_add(difference, *sum);
        }
    }
    // Not into these sums: the loop above would become scalar.
    let mut rest = T::zero();
    for (a, b) in a_rest.iter().zip(b_rest) {
        let difference = *a - *b;
        rest = difference.mul_add(difference, rest);
    }
    fold(sums) + rest
}
