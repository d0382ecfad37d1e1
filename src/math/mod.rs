//! Pure functions on slices: entropies, information, distances, spacings, and inner loops. No state, no I/O.

pub mod atoms;
pub mod binary_kl;
pub mod bottleneck;
pub mod descriptive;
pub mod determinant;
pub mod digitise;
pub mod distances;
pub mod edges;
#[cfg(feature = "pipeline")]
pub mod effects;
pub mod eigenvalues;
pub mod elementary;
pub mod elementwise;
pub mod entropy;
pub mod exponentials;
pub mod gaussian;
pub mod gaussian_kl;
pub mod gram;
pub mod information;
#[cfg(feature = "pipeline")]
pub mod interval;
pub mod kde;
pub mod kernels;
pub mod kozachenko_leonenko;
pub mod linear_network;
pub mod minimal_model;
pub mod narrow;
pub mod neighbours;
pub mod normal;
#[cfg(feature = "pipeline")]
pub mod paired;
pub mod powers;
pub mod quadrature;
#[cfg(feature = "pipeline")]
pub mod rank;
pub mod real;
pub mod shuffles;
#[cfg(feature = "pipeline")]
pub mod spacing;
pub mod tile;
#[cfg(feature = "pipeline")]
pub mod unique;
pub mod wide;

mod golden;
