//! Files of other programs → named columns. Bytes in, columns out; Parquet is read by `store/`.

mod csv_text;
mod matlab;
mod numpy;

use thiserror::Error;

use crate::columns::Column;

/// Reads the columns from the bytes of a file.
pub type Reader = fn(&[u8]) -> Result<Vec<Column>, ImportError>;

/// Every format with its file ending, besides Parquet.
pub const READERS: &[(&str, Reader)] = &[
    ("mat", matlab::read),
    ("npy", numpy::read_array),
    ("npz", numpy::read_archive),
    ("csv", csv_text::read),
    ("csv.zst", csv_text::read_compressed),
];

/// Why a file could not be understood.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Not a file of this format.
    #[error("not a readable {format} file: {problem}")]
    Format {
        /// The format.
        format: &'static str,
        /// What the reader said.
        problem: String,
    },
}
