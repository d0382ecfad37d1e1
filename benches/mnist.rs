//! Seconds per epoch of 784-1024-20-20-20-10 on 8000 images, all cores, SGD, batches of 128 that are reshuffled. Run it
//! through `benches/peers/mnist.py`, which measures PyTorch on the same machine in the same run. Takes the path of an
//! IDX file of images that is not compressed.

use std::time::Instant;

use infoplane::nn::{
    Activation, Architecture, BatchOrder, BatchSize, Initial, Network, Optimiser, Samples, Streams, Targets, Training,
    TrainingSettings,
};
use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const N_TRAIN: usize = 8000;
const N_PIXELS: usize = 784;
/// Bytes of an IDX header of three dimensions.
const HEADER: usize = 16;
const REPEATS: usize = 5;

fn main() {
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let path = path.expect("the path of an IDX file of images");
    let bytes = std::fs::read(&path).expect("the file can be read");
    let pixel = |(s, p): (usize, usize)| f32::from(bytes[HEADER + s * N_PIXELS + p]) / 255.0;
    let x = Array2::from_shape_fn((N_TRAIN, N_PIXELS), pixel);
    // The cost of an epoch does not depend on the labels.
    let classes: Vec<usize> = (0..N_TRAIN).map(|sample| sample % 10).collect();
    for (name, activation) in [("tanh", Activation::Tanh), ("relu", Activation::Relu)] {
        let rng = || ChaCha8Rng::seed_from_u64(1);
        let architecture = Architecture::plain(&[1024, 20, 20, 20], activation, Initial::GlorotUniform);
        let network = Network::new(N_PIXELS, &architecture, 10, &mut rng()).expect("the widths are valid");
        let samples = Samples { x: x.view(), targets: Targets::Classes { classes: &classes, n_classes: 10 } };
        let plain = TrainingSettings::plain(Optimiser::Sgd, 1e-3, BatchSize::Mini(128), 1);
        let settings = TrainingSettings { batch_order: BatchOrder::Reshuffled, ..plain };
        let streams = Streams { batches: rng(), draws: rng(), labels: rng() };
        let mut training = Training::new(network, samples, (0..N_TRAIN).collect(), settings, streams);
        let mut times: Vec<f64> = (0..=REPEATS)
            .map(|_| {
                let start = Instant::now();
                // On a thread of the pool, as in the record stage, so that the work need not be passed to the pool.
                rayon::scope(|_| training.epoch());
                start.elapsed().as_secs_f64()
            })
            .skip(1) // the first repeat warms up
            .collect();
        times.sort_by(f64::total_cmp);
        #[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
        {
            println!("{name}: {:.4} s per epoch (median of {REPEATS})", times[REPEATS / 2]);
        }
    }
}
