//! Milliseconds of the gradients of single samples and of the Fisher information of 12-10-7-5-4-3-2 on all 4096 patterns of 12 bits.
//! Run it through `benches/peers/weights.py`, which measures PyTorch on the same machine in the same run.

use std::hint::black_box;
use std::time::Instant;

use infoplane::nn::Activation;
use infoplane::weights::{Curvature, CurvatureForm, DenseLayer, DenseNetwork, Labelled};
use ndarray::{Array1, Array2};

const WIDTHS: [usize; 7] = [12, 10, 7, 5, 4, 3, 2];
const REPEATS: usize = 51;

fn main() {
    let layer = |(l, pair): (usize, &[usize])| {
        let scale = 2.0 / (pair[0] as f64).sqrt();
        let kernel = |(j, i): (usize, usize)| scale * (1.0 + 7.0 * j as f64 + 3.0 * i as f64 + l as f64).sin();
        DenseLayer {
            kernel: Array2::from_shape_fn((pair[1], pair[0]), kernel),
            bias: Array1::from_shape_fn(pair[1], |j| 0.2 * (j as f64 + l as f64).cos()),
            activation: Activation::Tanh,
        }
    };
    let network = DenseNetwork::new(WIDTHS.windows(2).enumerate().map(layer).collect()).expect("the widths fit");
    let x = Array2::from_shape_fn((4096, 12), |(s, bit)| ((s >> (11 - bit)) & 1) as f64);
    let classes: Vec<usize> = (0..4096_u32).map(|s| usize::from(s.count_ones() > 5)).collect();
    let samples = Labelled::new(x.view(), &classes).expect("each sample has a class");

    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be had");
    single.install(|| {
        report("per-sample gradients, whole matrix, 1 thread", || {
            black_box(network.sample_gradients(samples).expect("the samples fit"));
        });
        report("per-sample gradients, block after block, 1 thread", || {
            network
                .each_sample_gradients(samples, |block| {
                    black_box(block);
                })
                .expect("the samples fit");
        });
    });
    let fisher = |form| Curvature::fisher(&network, x.view(), form).expect("the samples fit");
    for form in [CurvatureForm::Full, CurvatureForm::Block, CurvatureForm::Diagonal] {
        single.install(|| report(&format!("{} Fisher, 1 thread", form.name()), || drop(black_box(fisher(form)))));
    }
    report("full Fisher, all threads", || drop(black_box(fisher(CurvatureForm::Full))));
    let matrix = fisher(CurvatureForm::Full).matrix();
    report("eigenvalues of the full Fisher, 1 thread", || {
        black_box(Curvature::of_matrix(matrix.clone()).and_then(|f| f.spectrum().cloned()).expect("they are finite"));
    });
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn report(what: &str, mut work: impl FnMut()) {
    work(); // warms up
    let mut times: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{what}: {:.3} ms (median of {REPEATS}; least {:.3})", times[REPEATS / 2], times[0]);
}
