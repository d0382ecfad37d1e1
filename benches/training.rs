//! Milliseconds per epoch of 12-10-7-5-4-3-2 on 3277 of Tishby's 4096 inputs, one thread, Adam. Run it through
//! `benches/peers/training.py`, which measures NumPy and PyTorch on the same machine in the same run.

use std::time::Instant;

use infoplane::nn::{
    Activation, Architecture, BatchSize, Fan, Initial, Network, Optimiser, Samples, Streams, Targets, Training,
    TrainingSettings,
};
use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const N_TRAIN: usize = 3277;
const EPOCHS_PER_REPEAT: usize = 100;
const REPEATS: usize = 15;

fn main() {
    for (name, batch_size) in [("512", BatchSize::Mini(512)), ("full", BatchSize::Full)] {
        // The cost of an epoch does not depend on the labels: any balanced rule will do.
        let x = Array2::from_shape_fn((4096, 12), |(i, bit)| ((i >> (11 - bit)) & 1) as f32);
        let classes: Vec<usize> = (0..4096_u32).map(|i| usize::from(i.count_ones() > 5)).collect();
        let rng = || ChaCha8Rng::seed_from_u64(1);
        let architecture = Architecture::plain(&[10, 7, 5, 4, 3], Activation::Tanh, Initial::TruncatedNormal(Fan::In));
        let network = Network::new(12, &architecture, 2, &mut rng()).expect("the widths are valid");
        let samples = Samples { x: x.view(), targets: Targets::Classes { classes: &classes, n_classes: 2 } };
        let settings = TrainingSettings::plain(Optimiser::ADAM, 4e-4, batch_size, 1);
        let streams = Streams { batches: rng(), draws: rng(), labels: rng() };
        let mut training = Training::new(network, samples, (0..N_TRAIN).collect(), settings, streams);

        let mut times: Vec<f64> = (0..=REPEATS)
            .map(|_| {
                let start = Instant::now();
                (0..EPOCHS_PER_REPEAT).for_each(|_| training.epoch());
                start.elapsed().as_secs_f64() * 1e3 / EPOCHS_PER_REPEAT as f64
            })
            .skip(1) // the first repeat warms up
            .collect();
        times.sort_by(f64::total_cmp);
        #[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
        {
            println!("batch {name}: {:.3} ms per epoch (median of {REPEATS})", times[REPEATS / 2]);
        }
    }
}
