//! Files: every table, column, type and version; atomic writes; manifests. The only place that names `arrow` and `parquet`.

mod activations;
mod cell;
mod error;
mod facts;
mod files;
pub mod foreign;
mod guard;
mod identity;
mod layout;
mod lock;
mod manifest;
mod partial;
pub mod quantities;
mod recording;
pub mod schema;
mod table;
mod words;

pub use activations::{ActivationReader, ActivationWriter, Activations, Precision, Shape, Zeros};
pub use error::StoreError;
pub use facts::Facts;
pub use files::{
    FileRecord, hash_bytes, hash_file, move_folder, read_bytes, remove_file, remove_folder, sha256_file, write_by,
    write_bytes,
};
pub use layout::{Experiment, RunId, data_file, raw_folder};
pub use lock::Lock;
pub use manifest::{Manifest, Pending, believed_hash, manifests, verified_hash};
pub use partial::Partial;
pub use recording::{RecordedRun, Recording};
pub use table::{Footer, RowWriter, read_all_rows, read_footer, read_rows, read_samples, write_rows};
pub use words::{CheckVerdict, CompressionVerdict};
