//! Pure functions on slices: partitions, their entropies, spacings, and the inner loops of training. No state, no I/O, no
//! randomness but that of a constant seed.

pub mod atoms;
pub mod digitise;
pub mod edges;
pub mod elementary;
pub mod entropy;
pub mod information;
pub mod shuffles;
pub mod spacing;
pub mod tile;

#[cfg(test)]
mod golden;
