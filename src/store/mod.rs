//! Files: every table, column, type and version; atomic writes; manifests. The only place that names `arrow` and `parquet`.

mod activations;
mod cell;
mod error;
mod files;
pub mod foreign;
mod layout;
mod manifest;
pub mod schema;
mod table;

pub use activations::{ActivationReader, ActivationWriter, Activations};
pub use error::StoreError;
pub use files::{Draft, FileRecord, hash_bytes, hash_file, remove_folder, sorted_entries, write_bytes};
pub use layout::{Experiment, RunId, data_file};
pub use manifest::{Manifest, Pending};
pub use table::{Footer, RowWriter, read_footer, read_rows, write_rows};
