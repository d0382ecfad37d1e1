//! Learning rate schedules.

use std::f64::consts::PI;

/// Schedule of the learning rate; epochs are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// Constant.
    Constant,
    /// Multiplied by `factor` after every `every` epochs.
    Step {
        /// Number of epochs between two changes.
        every: u64,
        /// The factor, above 0.
        factor: f64,
    },
    /// Multiplied by `factor` after every epoch.
    Exponential {
        /// The factor, above 0.
        factor: f64,
    },
    /// Half a cosine, from the initial learning rate in the first epoch to 0 after the last one.
    Cosine,
    /// Linear from 1/`epochs` of the learning rate in the first epoch to the full one in epoch `epochs`, then
    /// constant.
    WarmUp {
        /// Number of epochs of the linear part.
        epochs: u64,
    },
}

impl Schedule {
    /// The factor of the learning rate in `epoch` of `n_epochs`.
    pub(super) fn factor(self, epoch: u64, n_epochs: u64) -> f64 {
        match self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => factor.powf((epoch / every) as f64),
            Schedule::Exponential { factor } => factor.powf(epoch as f64),
            Schedule::Cosine => (1.0 + (PI * epoch as f64 / n_epochs as f64).cos()) / 2.0,
            Schedule::WarmUp { epochs } => ((epoch + 1) as f64 / epochs as f64).min(1.0),
        }
    }
}
