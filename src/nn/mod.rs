//! Small dense networks: forward and backward passes, initialisation, optimisers, the training loop. Writes no files and
//! knows no estimators; whoever trains asks for what it wants to see.

mod activation;
mod batches;
mod evaluation;
mod gradients;
mod initialisation;
mod network;
mod optimiser;
mod training;

pub use activation::Activation;
pub use batches::{BatchOrder, BatchSize, Samples};
pub use evaluation::{Evaluation, Fit, PreActivations};
pub use gradients::{GradientKind, GradientStatistics};
pub use initialisation::Fan;
pub use network::{Layer, Network, NetworkError};
pub use optimiser::Optimiser;
pub use training::{Training, TrainingSettings, TrainingState, Watch};
