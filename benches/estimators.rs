//! Seconds of the Kolchinsky–Tracey bounds, and of the nearest-neighbour estimate; one thread.

use std::time::Instant;

use infoplane::estimators::{Estimator, InputsAndLabels, Kde, KozachenkoLeonenko, LayerData, Precision};
use infoplane::sample::Representation;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis, Slice};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Noise variance of Saxe et al. 2018, appendix B.
const VARIANCE: f64 = 0.1;
const N_CLASSES: i32 = 10;

fn main() {
    for n_labellings in [1, 5] {
        report("f32", Precision::Single, 4096, 10, n_labellings, 21);
        report("f64", Precision::Double, 4096, 10, n_labellings, 21);
    }
    for n_units in [16, 32, 64, 128, 256] {
        report("f32", Precision::Single, 4096, n_units, 1, 7);
        report("f64", Precision::Double, 4096, n_units, 1, 7);
    }
    for (n_units, n_labellings) in [(2, 6), (10, 1), (10, 6), (64, 6), (256, 6), (1024, 6)] {
        report_neighbours(4096, n_units, n_labellings);
    }
    let product = matrix_product(10_000, 1024);
    let seconds = report("f32", Precision::Single, 10_000, 1024, 1, 3);
    let gigaflop = 2.0 * 1e4 * 1e4 * 1024.0 * 1e-9;
    print(&format!(
        "10000 x 1024 f32: {:.1} GFLOP/s, counted as the full product; the bare product in blocks {product:.3} s, {:.1} GFLOP/s",
        gigaflop / seconds,
        gigaflop / product
    ));
}

/// Both bounds, of the labels and of `n_labellings` − 1 shuffles of them.
fn report(
    name: &str,
    precision: Precision,
    n_samples: usize,
    n_units: usize,
    n_labellings: usize,
    repeats: usize,
) -> f64 {
    let bounds = [Kde::upper(VARIANCE), Kde::lower(VARIANCE)];
    let bounds = bounds.map(|kde| kde.expect("the variance is allowed").precision(precision));
    let seconds = seconds(&bounds, n_samples, n_units, n_labellings, repeats);
    print(&format!(
        "N = {n_samples}, d = {n_units}, {name}, {n_labellings} labellings: {:.2} ms (median of {repeats})",
        seconds * 1e3
    ));
    seconds
}

/// Second neighbours among all samples and within the classes of every labelling.
fn report_neighbours(n_samples: usize, n_units: usize, n_labellings: usize) {
    let second = [KozachenkoLeonenko::neighbour(2).expect("the neighbour is allowed")];
    let seconds = seconds(&second, n_samples, n_units, n_labellings, 7);
    print(&format!(
        "N = {n_samples}, d = {n_units}, second neighbours, {n_labellings} labellings: {:.1} ms (median of 7)",
        seconds * 1e3
    ));
}

/// The median time of an estimate.
fn seconds<E: Estimator>(
    estimators: &[E],
    n_samples: usize,
    n_units: usize,
    n_labellings: usize,
    repeats: usize,
) -> f64 {
    let values: Vec<f32> = values(n_samples, n_units).map(|value| value as f32).collect();
    let y: Vec<i32> = (0..n_samples as i32).map(|i| i * 7 / 3 % N_CLASSES).collect();
    let samples = InputsAndLabels::of_distinct(&y, n_labellings - 1);
    let samples = samples.expect("there are samples");
    let activations = Representation::new(&values, n_units).expect("the values are finite");
    let layer = LayerData::of_samples(activations, &samples).expect("every sample has a label");
    median(repeats, || {
        std::hint::black_box(E::estimate_all(estimators, &layer));
    })
}

/// Product of N × d and d × N in blocks of 256 rows with a buffer: the minimum work for a wide layer, except for
/// symmetry.
fn matrix_product(n: usize, d: usize) -> f64 {
    let x = Array2::from_shape_vec((n, d), values(n, d).map(|v| v as f32).collect()).expect("the size fits");
    let mut block = Array2::<f32>::zeros((256, n));
    median(3, || {
        for start in (0..n).step_by(256) {
            let rows = x.slice_axis(Axis(0), Slice::from(start..n.min(start + 256)));
            let mut product = block.slice_axis_mut(Axis(0), Slice::from(..rows.nrows()));
            general_mat_mul(1.0, &rows, &x.t(), 0.0, &mut product);
            std::hint::black_box(&block);
        }
    })
}

/// Uniform values in −1..1.
fn values(n_samples: usize, n_units: usize) -> impl Iterator<Item = f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    (0..n_samples * n_units).map(move |_| rng.random_range(-1.0..1.0))
}

fn median(repeats: usize, mut work: impl FnMut()) -> f64 {
    work(); // warms up
    let mut times: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[repeats / 2]
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn print(line: &str) {
    println!("{line}");
}
