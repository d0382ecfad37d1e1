//! The exact stage: numbers that need no estimator, because everything is known of X and of what makes T of it.

mod linear;
mod minimal_model;

pub use linear::{linear, plan};
pub use minimal_model::{MinimalModelRequest, minimal_model};
