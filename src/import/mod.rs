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
    /// An array of more dimensions than samples × values.
    #[error(
        "`{name}` has {n_dimensions} dimensions; an array must have 1 (one value a sample) or 2 (samples × values)"
    )]
    Dimensions {
        /// The array.
        name: String,
        /// Its dimensions.
        n_dimensions: usize,
    },
    /// A field of a CSV file that is not a number.
    #[error("row {row}, column `{column}`: `{text}` is not a number")]
    NotANumber {
        /// Row of the data, 0 is the first below the header.
        row: usize,
        /// Column.
        column: String,
        /// What stands there.
        text: String,
    },
}
