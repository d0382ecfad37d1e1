//! Dense networks: layers and what they do, forward and backward passes, initialisation, losses, optimisers, the training
//! loop. Writes no files and knows no estimators; whoever trains asks for what it wants to see.

mod activation;
mod architecture;
mod batch_norm;
mod batches;
mod evaluation;
mod gradients;
mod initialisation;
mod layer;
mod loss;
mod network;
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
