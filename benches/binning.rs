//! Milliseconds of binned information on one core: of 4096 samples of 10 units, the published task, and of 60 000 samples
//! of 1024, a wide layer on MNIST.

use std::hint::black_box;
use std::time::Instant;

use infoplane::estimators::{BinRange, Binning, Estimator, InputsAndLabels, LayerData, Quantised, Ranges};
use infoplane::sample::{Range, Representation};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const N_SHUFFLES: usize = 5;

fn main() {
    let golden: Vec<f32> = (0..4096).flat_map(|i| (0..10).map(move |c| golden_unit(i, c))).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let random: Vec<f32> = (0..60_000 * 1024).map(|_| rng.random_range(-2.0_f32..2.0).tanh()).collect();
    for (t, n_units, n_classes, repeats) in [(golden, 10, 2, 501), (random, 1024, 10, 9)] {
        let activations = Representation::new(&t, n_units).expect("the values are finite");
        let n_samples = activations.n_samples();
        print(&format!("{n_samples} × {n_units}"));
        let y: Vec<i32> = (0..n_samples).map(|_| rng.random_range(0..n_classes)).collect();
        let samples = |n_shuffles| InputsAndLabels::of_distinct(&y, n_shuffles).expect("there are samples");
        median("tables of counts", repeats, || samples(0));
        median("tables of counts, 5 shuffles", repeats, || samples(N_SHUFFLES));
        let (plain, shuffled) = (samples(0), samples(N_SHUFFLES));
        let layer = |samples| {
            let layer = LayerData::of_samples(activations, samples).expect("every sample has a label");
            let run = Some(Range { low: -1.0, high: 1.0 });
            LayerData { ranges: Ranges { run, ..layer.ranges }, ..layer }
        };

        let bins = Binning::bins(30, BinRange::Run).expect("30 bins are allowed");
        report("30 bins", repeats, &bins, &layer(&plain));
        report("30 bins and 5 shuffles", repeats, &bins, &layer(&shuffled));
        report("31 edges", repeats, &Binning::edges(31).expect("31 edges are allowed"), &layer(&plain));
        report("31 edges of tanh", repeats, &Binning::tanh_edges(31).expect("31 edges are allowed"), &layer(&plain));
        let quantiles = Binning::quantiles(30).expect("30 cells are allowed");
        report("30 cells of equal frequency", repeats.min(51), &quantiles, &layer(&plain));
        report("width 0.07", repeats, &Binning::width(0.07).expect("the width is allowed"), &layer(&plain));
        report("8 bits", repeats, &Quantised::bits(8).expect("8 bits are allowed"), &layer(&plain));
        report("exact rows", repeats, &Binning::exact(), &layer(&plain));
    }
}

/// Cells, I(X;T) and I(T;Y), and the I(T;Y) of every shuffle.
fn report(name: &str, repeats: usize, estimator: &impl Estimator, layer: &LayerData<'_>) {
    median(name, repeats, || estimator.estimate(layer).expect("the values have cells"));
}

/// The first layer of net G1 of the project's reference values, on all patterns of 12 bits.
fn golden_unit(i: usize, c: usize) -> f32 {
    let weight = |r: usize| (1.0 + 12.9898 * r as f64 + 78.233 * c as f64).sin();
    let sum: f64 = (0..12).map(|r| ((i >> (11 - r)) & 1) as f64 * weight(r)).sum();
    (sum + 0.1 * (c as f64).cos()).tanh() as f32
}

/// Prints the median time of `repeats` calls, after one that warms up.
fn median<T>(name: &str, repeats: usize, mut f: impl FnMut() -> T) {
    black_box(f());
    let time = |_| {
        let start = Instant::now();
        black_box(f());
        start.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = (0..repeats).map(time).collect();
    times.sort_by(f64::total_cmp);
    print(&format!("  {name:<44} {:9.3} ms", times[repeats / 2]));
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn print(line: &str) {
    println!("{line}");
}
