//! Trains a small network on the parity of 8 bits, and estimates the information of its layers during training.

use infoplane::datasets;
use infoplane::estimators::{Binning, Estimator, LayerData};
use infoplane::layer_id::LayerId;
use infoplane::nn::{
    Activation, Architecture, BatchSize, Evaluation, Fan, Initial, Network, Optimiser, PreActivations, Samples,
    Streams, Targets, Training, TrainingSettings,
};
use infoplane::parameter::{Parameters, Value};
use rand::{SeedableRng, rngs::ChaCha8Rng};

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec = datasets::find("parity")?;
    let parameters = Parameters::new(spec.parameters, [("n_bits".to_owned(), Value::Count(8))])?;
    let data = spec.make(&parameters, &mut |_| unreachable!("a rule reads no files"))?;
    let classes: Vec<usize> = data.y.iter().map(|y| *y as usize).collect();
    let samples = Samples { x: data.x.view(), targets: Targets::Classes { classes: &classes, n_classes: 2 } };
    let every_sample: Vec<usize> = (0..classes.len()).collect();

    let rng = |stream: u64| ChaCha8Rng::seed_from_u64(stream);
    let architecture = Architecture::plain(&[16, 6], Activation::Tanh, Initial::TruncatedNormal(Fan::In));
    let network = Network::new(8, &architecture, 2, &mut rng(0))?;
    let settings = TrainingSettings::plain(Optimiser::ADAM, 1e-2, BatchSize::Mini(32), 300);
    let streams = Streams { batches: rng(1), draws: rng(2), labels: rng(3) };
    let mut training = Training::new(network, samples, every_sample.clone(), settings, streams);
    let mut evaluation = Evaluation::new(training.network(), samples, every_sample, PreActivations::Dropped);
    let layer = LayerId::from_index(2);
    for epoch in 1..=settings.n_epochs {
        training.epoch();
        if epoch % 100 == 0 {
            evaluation.run(training.network(), rng(4));
            let t = evaluation.representation(layer);
            let estimate = Binning::edges(30)?.estimate(&LayerData::new(&t, 6, &data.y)?)?;
            println!("epoch {epoch}, layer {layer}: I(T;Y) = {:.3} bits", estimate.i_ty.bits());
        }
    }
    Ok(())
}
