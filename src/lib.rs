//! `infoplane` measures mutual information inside deep neural networks: it records what a network does while it learns
//! once, into Parquet; everything after that reads those files. See ARCHITECTURE.md for the map.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "store")]
pub mod columns;
#[cfg(feature = "pipeline")]
pub mod config;
pub mod datasets;
pub mod estimate_id;
pub mod estimators;
#[cfg(feature = "pipeline")]
pub mod import;
pub mod math;
pub mod nn;
pub mod parameter;
#[cfg(feature = "pipeline")]
pub mod pipeline;
#[cfg(feature = "pipeline")]
pub mod plots;
pub mod sample;
#[cfg(feature = "pipeline")]
pub mod stages;
#[cfg(feature = "store")]
pub mod store;
pub mod suggest;
pub mod units;
