//! Dense networks: layers and their operations, forward and backward passes, initialisation, losses, optimisers, and the
//! training loop.
//!
//! The caller controls the training, epoch by epoch or update by update, and evaluates the network at any time: there
//! are no callbacks, and no files are written.
//!
//! ```
//! use infoplane::layer_id::LayerId;
//! use infoplane::nn::{
//!     Activation, Architecture, BatchSize, Evaluation, Fan, Initial, Network, Optimiser, PreActivations, Samples, Streams,
//!     Targets, Training, TrainingSettings,
//! };
//! use ndarray::array;
//! use rand::SeedableRng;
//! use rand::rngs::ChaCha8Rng;
//!
//! // Four samples of two inputs, and the class of each.
//! let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0_f32]];
//! let classes = [0, 0, 1, 1];
//! let samples = Samples { x: x.view(), targets: Targets::Classes { classes: &classes, n_classes: 2 } };
//!
//! // Two hidden layers of tanh, of 3 and 2 units; softmax follows. Random numbers come from the caller.
//! let rng = |stream| {
//!     let mut rng = ChaCha8Rng::seed_from_u64(1);
//!     rng.set_stream(stream);
//!     rng
//! };
//! let architecture = Architecture::plain(&[3, 2], Activation::Tanh, Initial::TruncatedNormal(Fan::In));
//! let network = Network::new(2, &architecture, 2, &mut rng(0))?;
//! let settings = TrainingSettings::plain(Optimiser::ADAM, 0.05, BatchSize::Full, 200);
//! let streams = Streams { batches: rng(1), draws: rng(2), labels: rng(3) };
//! let mut training = Training::new(network, samples, vec![0, 1, 2, 3], settings, streams);
//!
//! let mut evaluation = Evaluation::new(training.network(), samples, vec![0, 1, 2, 3], PreActivations::Dropped);
//! for _ in 0..settings.n_epochs {
//!     training.epoch();
//! }
//! evaluation.run(training.network(), rng(4));
//! // T of the first hidden layer: 4 samples × 3 units, row-major.
//! assert_eq!(evaluation.representation(LayerId::FIRST).len(), 12);
//! let fit = evaluation.fit(architecture.output, settings.loss, &[0, 1, 2, 3]).ok_or("there are samples")?;
//! assert_eq!(fit.accuracy, Some(1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activation;
mod architecture;
mod batch_norm;
mod batches;
mod custom_loss;
mod evaluation;
mod gradients;
mod initialisation;
mod layer;
mod loss;
mod network;
mod online;
mod operation;
mod optimiser;
mod passing;
mod quantise;
mod regularisation;
mod schedule;
mod training;

mod derivatives;
mod golden;

pub use activation::Activation;
pub use architecture::{Architecture, Hidden, NetworkError, Operation};
pub use batches::{BatchOrder, BatchSize, Samples, Targets};
pub use custom_loss::CustomTraining;
pub use evaluation::{Evaluation, Fit, PreActivations};
pub use gradients::{GradientKind, GradientStatistics};
pub use initialisation::{Fan, Initial};
pub use layer::Layer;
pub use loss::{Loss, Output};
pub use network::{LARGE, Network};
pub use optimiser::{Adam, Momentum, Optimiser};
pub use regularisation::{Constraints, Penalties, Renormalise};
pub use schedule::Schedule;
pub use training::{Streams, Training, TrainingSettings, TrainingState, Watch};
