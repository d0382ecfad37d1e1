//! Pure functions on slices: entropies, informations, spacings, and inner loops. No state, no I/O.

pub mod atoms;
pub mod digitise;
pub mod distances;
pub mod edges;
pub mod elementary;
pub mod entropy;
pub mod gaussian;
pub mod information;
pub mod kde;
pub mod kernels;
pub mod real;
pub mod shuffles;
pub mod spacing;
pub mod tile;

#[cfg(test)]
mod golden;
