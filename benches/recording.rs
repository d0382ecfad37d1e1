//! Megabytes of raw f32 per second of one core that the program's own writer records. Run it through
//! `benches/peers/recording.py`, which measures pyarrow, h5py and NumPy on the same data in the same run.

mod layers;

use std::path::Path;

use infoplane::estimate_id::Values;
use infoplane::store::{ActivationWriter, Footer, Precision, Shape, Zeros};
use layers::{Layer, from_arguments, median, megabytes, seconds};

fn main() {
    let (repeats, folder, layers) = from_arguments();
    let mut bytes = 0;
    let times = (0..=repeats).map(|_| {
        seconds(|| bytes = layers.iter().enumerate().map(|(number, layer)| write(&folder, number, layer)).sum())
    });
    let median = median(times.skip(1).collect()); // the first repeat warms up
    #[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
    {
        println!("{:.1} MB/s, {bytes} bytes", megabytes(&layers) / median);
    }
}

fn write(folder: &Path, number: usize, layer: &Layer) -> u64 {
    let name = format!("infoplane-{number}.parquet");
    let samples = (0..layer.n_samples as i32).collect();
    let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: zeros(layer) };
    let writer = ActivationWriter::create(folder, &name, shape, samples, layer.n_units, &Footer::new());
    let mut writer = writer.expect("the folder can be written");
    for (epoch, t) in (0..).zip(layer.records()) {
        writer.write(epoch, 7 * i64::from(epoch), t).expect("the folder can be written");
    }
    writer.commit().expect("the folder can be written").bytes
}

/// What `infoplane record` derives from the activation function.
fn zeros(layer: &Layer) -> Zeros {
    let n_zeros = layer.records().next().map_or(0, |t| t.iter().filter(|value| **value == 0.0).count());
    if 2 * n_zeros > layer.n_samples * layer.n_units { Zeros::Many } else { Zeros::Few }
}
