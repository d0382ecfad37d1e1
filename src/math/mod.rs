//! Pure functions on slices: entropies, spacings, and the inner loops of training. No state, no I/O, no randomness.

pub mod atoms;
pub mod digitise;
pub mod elementary;
pub mod entropy;
pub mod information;
pub mod shuffles;
pub mod spacing;
pub mod tile;

#[cfg(test)]
mod golden;
