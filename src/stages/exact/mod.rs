//! The exact stage: information without an estimator, because the distribution of X and the map to T are known.

mod linear;
mod minimal_model;

pub use linear::{linear, plan};
pub use minimal_model::{MinimalModelRequest, minimal_model};
