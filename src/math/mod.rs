//! Pure functions on slices: entropies, spacings, and the inner loops of training. No state, no I/O, no randomness.

pub mod atoms;
pub mod determinant;
pub mod distances;
pub mod elementary;
pub mod entropy;
pub mod gaussian;
pub mod kde;
pub mod kernels;
pub mod linear_network;
pub mod powers;
pub mod real;
pub mod spacing;
pub mod tile;
