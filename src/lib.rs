//! `infoplane` measures mutual information inside deep neural networks: it records what a network does while it learns
//! once, into Parquet; everything after that reads those files. See ARCHITECTURE.md for the map.

pub mod datasets;
pub mod estimators;
pub mod math;
pub mod nn;
pub mod parameter;
pub mod sample;
pub mod suggest;
pub mod units;
