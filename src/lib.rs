//! Mutual information inside deep neural networks: I(X;T) of the input and I(T;Y) of the label with the activations T of a
//! layer.
//!
//! # Information of two arrays
//! Activations are `f32`, one row per sample; labels are integers. To use only the estimators, without default features
//! (builds in seconds): `infoplane = { version = "0.1", default-features = false }`.
//!
//! ```
//! use infoplane::estimators::{Binning, Estimator, LayerData};
//!
//! // Five samples of two units, row-major, and the label of every sample.
//! let activations: Vec<f32> = vec![0.9, -0.7, 0.8, -0.6, 0.9, -0.7, -0.9, 0.6, -0.8, 0.7];
//! let labels = vec![1, 1, 1, 0, 0];
//!
//! let layer = LayerData::new(&activations, 2, &labels)?;
//! let estimate = Binning::edges(30)?.estimate(&layer)?;
//!
//! // The label is a function of T here, so that I(T;Y) = H(Y) = 0.971 bits.
//! println!("I(T;Y) = {:.3} bits of at most {:.3}", estimate.i_ty.bits(), estimate.i_ty_ceiling.bits());
//! assert!((estimate.i_ty.bits() - 0.971).abs() < 1e-3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Next steps
//! - [`estimators`]: which estimators there are, and how to evaluate several at once.
//! - [`datasets`] and [`nn`]: make a data set and train a small network on it.
//! - `store` (feature `store`): read the activations that `infoplane record` or another program wrote.
//! - [`weights`]: measures of the information in recorded weights; each measure names the randomness that it is about.
//! - [`bottleneck`]: the information bottleneck of a known joint distribution. [`linear_network`] and [`minimal_model`]: models
//!   whose information is known exactly. [`noise_mixture`]: information of layers with Gaussian noise or Gaussian dropout.
//! - The feature `pipeline`, on by default, adds what the command `infoplane` does.
//!
//! The map of the source code is ARCHITECTURE.md.

pub mod audit;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "store")]
pub mod columns;
#[cfg(feature = "pipeline")]
pub mod config;
#[cfg(feature = "import")]
mod count;
pub mod datasets;
pub mod estimate_id;
pub mod estimators;
#[cfg(feature = "import")]
pub mod import;
pub mod layer_id;
#[allow(unreachable_pub, reason = "private; what a user needs is re-exported below and in `estimators`")]
mod math;
#[cfg(any(feature = "import", feature = "store"))]
pub mod memory;
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
#[cfg(feature = "pipeline")]
pub mod visible;
pub mod weights;

pub use math::{bottleneck, linear_network, minimal_model, noise_mixture};
