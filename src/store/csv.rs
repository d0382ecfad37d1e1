//! Tables as comma-separated values, for programs that do not read Parquet.

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::csv::Writer;
use arrow::error::ArrowError;

use super::schema::Row;
use super::{FileRecord, StoreError, write_bytes};

/// Writes `rows` as comma-separated values with a header, atomically and synced. Nulls are empty; numbers have as many digits
/// as are needed to read the same back.
///
/// # Errors
/// The folder cannot be written to.
pub fn write_csv<R: Row>(root: &Path, relative: &str, rows: &[R]) -> Result<FileRecord, StoreError> {
    let text = text(rows).map_err(|e| StoreError::Unwritable { path: root.join(relative), problem: e.to_string() })?;
    write_bytes(root, relative, &text)
}

fn text<R: Row>(rows: &[R]) -> Result<Vec<u8>, ArrowError> {
    let mut text = Vec::new();
    Writer::new(&mut text).write(&RecordBatch::try_new(R::schema(rows), R::to_arrays(rows))?)?;
    Ok(text)
}
