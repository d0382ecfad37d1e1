//! Sums of Gaussian kernels over all pairs of samples, exp(−a ‖t_i − t_j‖²), for several a and within classes.
//!
//! Half of the pairs are visited, tile against tile, and counted for both samples. A kernel is computed, compared in
//! class and added while it is in the first cache; nothing of size N × N exists. Sums run in the precision of the values
//! over one tile, [`TILE`] kernels, and in f64 from there on.
//!
//! Squared distances come from differences where layers are narrow, and from a matrix product where they are wide. The
//! bits of the first do not depend on the machine; those of the second depend on the kernel that `matrixmultiply` chooses.

use pulp::{Arch, Simd, WithSimd};

use crate::math::distances::{Distances, LANES, PairOfTiles, ROWS, TILE};
use crate::math::real::{Real, fold};

/// What one exponent a gives, N values each.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelSums {
    /// Σ_j exp(−a ‖t_i − t_j‖²) for every sample i, j = i included: in 1..=N.
    pub all: Vec<f64>,
    /// For every labelling, the same sum over those j that have the class of i: in 1..=N_y.
    pub same_class: Vec<Vec<f64>>,
}

/// Σ_j exp(−a ‖t_i − t_j‖²) for every sample i and exponent a, j = i included, over all samples and over those of i's class.
///
/// `values` is n_samples × n_units row-major, finite. Exponents a ≥ 0 in units of 1/t², one result for each in their order;
/// those that are 2 or 4 times another cost no exponential. `labellings` are any numbers of classes of length
/// n_samples; a labelling costs the same whatever the number of its classes.
///
/// Every kernel is within a few units of rounding of its own (1e−7, 1e−16), or [`Real::NEGLIGIBLE`] in wide layers. A value that is
/// not finite gives NaN in all sums that contain it.
///
/// # Panics
/// Shapes that do not fit together.
pub fn kernel_sums<T: Real>(values: &[T], n_units: usize, exponents: &[f64], labellings: &[&[u32]]) -> Vec<KernelSums> {
    assert!(n_units > 0 && values.len().is_multiple_of(n_units), "values are n_samples × n_units");
    let n_samples = values.len() / n_units;
    assert!(labellings.iter().all(|classes| classes.len() == n_samples), "a labelling has one class per sample");

    let powers = Powers::new(exponents);
    let classes: Vec<Vec<T::Class>> = labellings.iter().map(|classes| padded(classes)).collect();
    let n_sums = exponents.len() * (1 + labellings.len());
    let mut totals = vec![vec![0.0; n_samples.next_multiple_of(TILE)]; n_sums];
    let mut scratch = Scratch::new(exponents.len(), n_sums);

    Distances::new(values, n_units, exponents).for_each_pair_of_tiles(|pair| {
        scratch.columns.fill(T::zero());
        Arch::new().dispatch(AddKernels { pair, powers: &powers, classes: &classes, scratch: &mut scratch });
        scratch.flush(pair, &mut totals);
    });

    totals.iter_mut().for_each(|total| total.truncate(n_samples));
    let mut totals = totals.into_iter();
    let mut sums: Vec<(usize, KernelSums)> = Vec::with_capacity(exponents.len());
    for place in powers.places {
        let mut next = || totals.next().expect("there are 1 + labellings totals per exponent");
        sums.push((place, KernelSums { all: next(), same_class: labellings.iter().map(|_| next()).collect() }));
    }
    sums.sort_by_key(|(place, _)| *place);
    sums.into_iter().map(|(_, sums)| sums).collect()
}

/// Class numbers as wide as the values, padded to whole tiles.
fn padded<C: Copy + Default + From<u32>>(classes: &[u32]) -> Vec<C> {
    let mut padded: Vec<C> = classes.iter().map(|class| C::from(*class)).collect();
    padded.resize(classes.len().next_multiple_of(TILE), C::default());
    padded
}

/// How the kernels of all exponents follow from a squared distance, smallest exponent first.
struct Powers<T> {
    steps: Vec<Step<T>>,
    /// The caller's number of each step's exponent.
    places: Vec<usize>,
}

/// How a kernel is computed. `of` is the number of an earlier step.
#[derive(Clone, Copy)]
enum Step<T> {
    /// 2^(scale · D) with scale = −a / ln 2.
    Exponential { scale: T },
    /// The kernel of half the exponent, squared.
    Square { of: usize },
    /// The kernel of a quarter of the exponent, squared twice.
    FourthPower { of: usize },
}

/// A power multiplies the relative error of an exponential by itself: 16 makes 2e−6 of 1e−7, which the mean of N logarithms
/// does not show.
const LARGEST_POWER: u32 = 16;

impl<T: Real> Powers<T> {
    fn new(exponents: &[f64]) -> Self {
        let mut places: Vec<usize> = (0..exponents.len()).collect();
        places.sort_by(|a, b| exponents[*a].total_cmp(&exponents[*b]));
        let mut steps: Vec<Step<T>> = Vec::with_capacity(exponents.len());
        // Which power of an exponential each step is.
        let mut powers: Vec<u32> = Vec::with_capacity(exponents.len());
        for (step, place) in places.iter().enumerate() {
            let a = exponents[*place];
            let earlier = |multiple: u32| {
                let is_multiple = |of: &usize| {
                    let expected = f64::from(multiple) * exponents[places[*of]];
                    powers[*of] * multiple <= LARGEST_POWER && (expected - a).abs() <= 4.0 * f64::EPSILON * a
                };
                (0..step).find(is_multiple)
            };
            let (next, power) = if let Some(of) = earlier(2) {
                (Step::Square { of }, 2 * powers[of])
            } else if let Some(of) = earlier(4) {
                (Step::FourthPower { of }, 4 * powers[of])
            } else {
                (Step::Exponential { scale: T::from_f64(-a * std::f64::consts::LOG2_E) }, 1)
            };
            steps.push(next);
            powers.push(power);
        }
        Self { steps, places }
    }
}

/// What one pair of tiles is computed in.
struct Scratch<T> {
    /// `ROWS` × `TILE` squared distances.
    distances: Vec<T>,
    /// For each exponent, `ROWS` × `TILE` kernels.
    kernels: Vec<T>,
    /// For each exponent and its class sums, the sum over the columns for every row of the tile.
    rows: Vec<T>,
    /// Likewise the sum over the rows for every column.
    columns: Vec<T>,
}

impl<T: Real> Scratch<T> {
    fn new(n_exponents: usize, n_sums: usize) -> Self {
        let zeros = |n| vec![T::zero(); n];
        let strip = ROWS * TILE;
        Self {
            distances: zeros(strip),
            kernels: zeros(n_exponents * strip),
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
            // In a tile with itself every sample has been a row.
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
            take_powers(&powers.steps, distances, width, kernels);
            if n_columns < width {
                kernels.chunks_exact_mut(TILE).for_each(|row| row[n_columns..width].fill(T::zero()));
            }
            let sums_of_exponent = (1 + classes.len()) * TILE;
            for ((kernels, rows), columns) in kernels
                .chunks_exact(ROWS * TILE)
                .zip(rows.chunks_exact_mut(sums_of_exponent))
                .zip(columns.chunks_exact_mut(sums_of_exponent))
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

/// The kernels of all exponents, from the squared distances of one strip.
#[inline(always)]
fn take_powers<T: Real>(steps: &[Step<T>], distances: &[T], width: usize, kernels: &mut [T]) {
    const STRIP: usize = ROWS * TILE;
    for (step, next) in steps.iter().enumerate() {
        let (earlier, kernels) = kernels.split_at_mut(step * STRIP);
        for row in 0..ROWS {
            let place = row * TILE..row * TILE + width;
            let out = &mut kernels[place.clone()];
            match *next {
                Step::Exponential { scale } => {
                    for (k, d) in out.iter_mut().zip(&distances[place]) {
                        *k = (*d * scale).power_of_two();
                    }
                }
                Step::Square { of } => {
                    for (k, root) in out.iter_mut().zip(&earlier[of * STRIP..][place]) {
                        let root = without_denormal_powers(*root);
                        *k = root * root;
                    }
                }
                Step::FourthPower { of } => {
                    for (k, root) in out.iter_mut().zip(&earlier[of * STRIP..][place]) {
                        let root = without_denormal_powers(*root);
                        let square = root * root;
                        *k = square * square;
                    }
                }
            }
        }
    }
}

/// 0 in place of a number whose fourth power is denormal, which would be slow; NaN stays NaN.
#[inline(always)]
fn without_denormal_powers<T: Real>(root: T) -> T {
    if root < T::FOURTH_ROOT_OF_SMALLEST { T::zero() } else { root }
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
    sums.map(fold)
}

/// Likewise for those kernels whose samples are of the same class.
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
    sums.map(fold)
}
