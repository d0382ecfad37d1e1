//! A classifier with one hidden layer, trained with early stopping.

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::{Cells, EstimateError};
use crate::nn::{
    Activation, Architecture, BatchOrder, BatchSize, Evaluation, Initial, Loss, Network, Optimiser, Output,
    PreActivations, Samples, Streams, Targets, Training, TrainingSettings,
};

/// Standardised coordinates of all samples (n × `n_dims`, row-major), and their classes.
pub(super) struct Classified<'a> {
    pub(super) x: &'a [f64],
    pub(super) n_dims: usize,
    pub(super) y: &'a Cells,
}

/// Share of the training samples whose loss decides when to stop: one in this number.
const VALIDATION: usize = 5;
const N_EPOCHS: u64 = 200;
/// Number of epochs without a lower loss of the validation samples after which the training ends.
const PATIENCE: u64 = 10;
const BATCH: usize = 64;
const LEARNING_RATE: f32 = 0.003;

/// Σ −ln q(y|t) over the samples `test`, with the network of the epoch at which the loss of the validation samples was
/// smallest; trained on the samples `train`.
pub(super) fn cross_entropy(
    classified: &Classified<'_>,
    mut train: Vec<usize>,
    test: &[usize],
    n_hidden: usize,
    seed: u64,
    fold: u64,
) -> Result<f64, EstimateError> {
    let Classified { x, n_dims, y } = *classified;
    // Stream 0 divides the samples into folds.
    let stream = |purpose: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1 + 5 * fold + purpose);
        rng
    };
    let classes: Vec<usize> = y.numbers().iter().map(|class| *class as usize).collect();
    let values = x.iter().map(|value| *value as f32).collect();
    let x = Array2::from_shape_vec((classes.len(), n_dims), values).expect("samples are complete");
    let samples = Samples { x: x.view(), targets: Targets::Classes { classes: &classes, n_classes: y.n_cells() } };

    let architecture = Architecture::plain(&[n_hidden], Activation::Relu, Initial::HeUniform);
    let no_network = |problem: crate::nn::NetworkError| EstimateError::NoNetwork { problem: problem.to_string() };
    let network = Network::new(n_dims, &architecture, y.n_cells(), &mut stream(0)).map_err(no_network)?;
    train.shuffle(&mut stream(1));
    let validation = train.split_off(train.len() - train.len().div_ceil(VALIDATION));
    let settings = TrainingSettings {
        batch_order: BatchOrder::Reshuffled,
        ..TrainingSettings::plain(Optimiser::ADAM, LEARNING_RATE, BatchSize::Mini(BATCH), N_EPOCHS)
    };
    let streams = Streams { batches: stream(2), draws: stream(3), labels: stream(4) };
    let mut training = Training::new(network, samples, train, settings, streams);
    let mut evaluation = Evaluation::new(training.network(), samples, Vec::new(), PreActivations::Dropped);
    let (mut smallest, mut of_test, mut best_epoch) = (f64::INFINITY, f64::INFINITY, 0);
    for epoch in 0..=N_EPOCHS {
        evaluation.run(training.network(), stream(3));
        let loss = |chosen: &[usize]| {
            evaluation.fit(Output::Softmax, Loss::CrossEntropy, chosen).map_or(f64::INFINITY, |fit| fit.loss)
        };
        let now = loss(&validation);
        if now < smallest {
            (smallest, of_test, best_epoch) = (now, loss(test), epoch);
        }
        if epoch - best_epoch >= PATIENCE || !training.network().is_finite() {
            break;
        }
        if epoch < N_EPOCHS {
            training.epoch();
        }
    }
    if !of_test.is_finite() || !training.network().is_finite() {
        return Err(EstimateError::NotConverged {
            what: "the mlp classifier",
            n_steps: training.step() as usize,
            advice: "use `probe` logistic",
        });
    }
    Ok(of_test * test.len() as f64)
}
