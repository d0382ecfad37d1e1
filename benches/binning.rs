//! Milliseconds of binned information on one core: of 4096 samples of 10 units, the published task, and of 60 000 samples
//! of 1024, a wide layer on MNIST.

use std::hint::black_box;
use std::time::Instant;

use infoplane::math::atoms::Cells;
use infoplane::math::digitise::{Precision, Quantised, Rule, Width, digitise};
use infoplane::math::edges::{Edges, EvenEdges};
use infoplane::math::entropy::{Bias, CountTable};
use infoplane::math::information::{information, shuffled_information};
use infoplane::math::shuffles::Shuffles;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const N_SHUFFLES: u64 = 5;

fn main() {
    let golden: Vec<f32> = (0..4096).flat_map(|i| (0..10).map(move |c| golden_unit(i, c))).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let random: Vec<f32> = (0..60_000 * 1024).map(|_| rng.random_range(-2.0_f32..2.0).tanh()).collect();
    for (t, n_units, n_classes, repeats) in [(golden, 10, 2_u8, 501), (random, 1024, 10, 9)] {
        let n_samples = t.len() / n_units;
        print(&format!("{n_samples} × {n_units}"));
        let y: Vec<u8> = (0..n_samples).map(|_| rng.random_range(0..n_classes)).collect();
        let y = Cells::of_rows(&y, 1);
        let table = median("table of counts", repeats, || CountTable::new(n_samples, Bias::PlugIn));
        let shuffles = median("5 shuffles", repeats, || Shuffles::new(N_SHUFFLES, n_samples as u32));

        let bins = EvenEdges::bins(-1.0, 1.0, 30).expect("30 bins are wide");
        let edges = EvenEdges::new(-1.0, 1.0, 31, Precision::Single).expect("30 bins are wide");
        let codes = median("30 bins: digitise", repeats, || digitise(&t, &bins).expect("bins are numbered"));
        let cells = median("30 bins: cells", repeats, || codes.cells(n_units));
        median("30 bins: I(X;T), I(T;Y)", repeats, || both(&cells, &y, &table));
        median("30 bins: I(T;Y) of 5 shuffles", repeats, || shuffled_information(&cells, &y, shuffles.iter(), &table));
        let binned = || partition(&t, n_units, &bins);
        median("30 bins: digitise, cells, I(X;T), I(T;Y)", repeats, || both(&binned(), &y, &table));
        median("30 bins: the same and 5 shuffles", repeats, || {
            let cells = binned();
            (both(&cells, &y, &table), shuffled_information(&cells, &y, shuffles.iter(), &table))
        });

        median("31 edges of f32: digitise, cells", repeats, || partition(&t, n_units, &edges));
        let any = Edges::new(&edges.edges()).expect("they ascend");
        median("any 31 edges: digitise, cells", repeats, || partition(&t, n_units, &any));
        median("any 30 edges of equal frequency: edges", repeats.min(51), || {
            Edges::equally_frequent(&t, -1.000_001, 30)
        });
        let width = Width { width: 0.07, precision: Precision::Single };
        median("width 0.07: digitise, cells", repeats, || partition(&t, n_units, &width));
        let quantised = Quantised { low: -1.0, high: 1.0, bits: 8 };
        median("8 bits: digitise, cells, I(X;T), I(T;Y)", repeats, || {
            both(&partition(&t, n_units, &quantised), &y, &table)
        });
        median("exact rows: cells, I(X;T), I(T;Y)", repeats, || both(&Cells::of_rows(&t, n_units), &y, &table));
    }
}

fn both(t: &Cells, y: &Cells, table: &CountTable) -> (f64, f64) {
    (table.entropy(t.counts()).0, information(t, y, table).0)
}

fn partition(t: &[f32], n_units: usize, rule: &impl Rule<f32>) -> Cells {
    digitise(t, rule).expect("cells are numbered").cells(n_units)
}

/// The first layer of net G1 of the project's reference values, on all patterns of 12 bits.
fn golden_unit(i: usize, c: usize) -> f32 {
    let weight = |r: usize| (1.0 + 12.9898 * r as f64 + 78.233 * c as f64).sin();
    let sum: f64 = (0..12).map(|r| ((i >> (11 - r)) & 1) as f64 * weight(r)).sum();
    (sum + 0.1 * (c as f64).cos()).tanh() as f32
}

/// Prints the median time of `repeats` calls, after one that warms up; returns what the last call gave.
fn median<T>(name: &str, repeats: usize, mut f: impl FnMut() -> T) -> T {
    let mut last = f();
    let time = |_| {
        let start = Instant::now();
        last = black_box(f());
        start.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = (0..repeats).map(time).collect();
    times.sort_by(f64::total_cmp);
    print(&format!("  {name:<44} {:9.3} ms", times[repeats / 2]));
    last
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn print(line: &str) {
    println!("{line}");
}
