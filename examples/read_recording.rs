//! Reads the activations of an experiment's recording and estimates the information of every layer at its last snapshot.
//!
//! `cargo run --example read_recording -- outputs/tiny`

use infoplane::estimate_id::Values;
use infoplane::estimators::{Binning, Estimator, LayerData};
use infoplane::store::{Experiment, Recording, read_samples};

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("give the folder of an experiment, such as outputs/tiny")?;
    let experiment = Experiment::new(folder);
    let samples = read_samples(&experiment.recording().join(Experiment::SAMPLES))?;
    let recording = Recording::open(&experiment)?;
    let binning = Binning::edges(30)?;
    for run in recording.runs() {
        // Layer 0 is the input.
        for layer in recording.layers(Values::Activations)? {
            let reader = run.activations(Values::Activations, layer)?;
            let last = reader.read(reader.snapshots().len() - 1)?;
            let labels: Vec<i32> = last.samples.iter().map(|sample| samples[*sample as usize].y).collect();
            let data = LayerData::new(&last.t, reader.n_units(), &labels)?;
            let estimate = binning.estimate(&data)?;
            let i_ty = estimate.i_ty.bits();
            println!("run {}, layer {layer}, epoch {}: I(T;Y) = {i_ty:.3} bits", run.id, last.epoch);
        }
    }
    Ok(())
}
