//! Files: tables, columns, types and versions; atomic writes; manifests. No other part names `arrow` and `parquet`.
//!
//! The activations of a recording are read by run, layer and snapshot:
//!
//! ```no_run
//! use infoplane::estimate_id::Values;
//! use infoplane::estimators::{Binning, Estimator, LayerData};
//! use infoplane::store::{Experiment, Recording, read_samples, schema_version};
//!
//! let experiment = Experiment::new("outputs/tiny");
//! let samples = read_samples(&experiment.recording().join(Experiment::SAMPLES))?;
//! let recording = Recording::open(&experiment)?;
//! // Layer 0 is the input.
//! for layer in recording.layers(Values::Activations)? {
//!     let reader = recording.runs()[0].activations(Values::Activations, layer)?;
//!     let last = reader.read(reader.snapshots().len() - 1)?;
//!     let labels: Vec<i32> = last.samples.iter().map(|sample| samples[*sample as usize].y).collect();
//!     let data = LayerData::new(&last.t, reader.n_units(), &labels)?;
//!     let estimate = Binning::edges(30)?.estimate(&data)?;
//!     println!("layer {layer}, step {}: I(T;Y) = {:.3} bits", last.step, estimate.i_ty.bits());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activations;
mod below;
mod cell;
mod conversion;
mod csv;
mod earlier;
mod error;
mod facts;
mod files;
pub mod foreign;
mod frozen;
mod guard;
mod identity;
mod layers;
mod layout;
mod lock;
mod manifest;
mod own;
mod partial;
pub mod quantities;
mod recorded;
mod recording;
mod room;
pub mod schema;
mod table;
mod temporary;
mod words;

pub use activations::{ActivationReader, ActivationWriter, Activations, Precision, Shape, Zeros};
pub use below::{expect_no_link, is_folder_name};
pub use csv::write_csv;
pub use earlier::move_earlier_manifests;
pub use error::StoreError;
pub use facts::Facts;
pub use files::{
    FileRecord, hash_bytes, hash_file, move_folder, read_bytes, read_text, remove_below, remove_folder, sha256_file,
    write_by, write_bytes,
};
pub use frozen::{FrozenClaim, FrozenClaims, is_frozen};
pub use guard::caught;
pub use layers::{LayerNames, layer_in_cell, layer_in_words, plain};
pub use layout::{Experiment, MADE_Y, RunId, data_file, raw_folder};
pub use lock::Lock;
pub use manifest::{Manifest, Pending, believed_hash, manifests, verified_hash};
pub use own::{expect_only_own, remove_notes, remove_replaced, remove_views};
pub use partial::Partial;
pub use recorded::{RecordedRow, RowKeys, read_recorded};
pub use recording::{RecordedRun, Recording};
pub use table::{Footer, RowWriter, read_all_rows, read_footer, read_rows, read_samples, schema_version, write_rows};
pub use temporary::{Temporary, sweep};
pub use words::{CheckVerdict, ClaimVerdict, CompressionVerdict, ExperimentState, Registration, TrainingOutcome};
