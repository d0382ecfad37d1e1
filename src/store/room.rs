//! Checks the memory for the rows in a footer before reading them: repeated values need no space in a file.

use std::path::Path;

use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::file::metadata::RowGroupMetaData;

use super::conversion::{RowWidth, innermost, row_width};
use super::error::StoreError;
use crate::memory;

/// Checks that there is memory for the rows of `groups`: `row_bytes` for each row and `value_bytes` for each value of a
/// list; returns the number of rows.
///
/// # Errors
/// There is not enough memory.
pub(super) fn expect_room<'m>(
    path: &Path,
    metadata: &'m ArrowReaderMetadata,
    groups: impl Iterator<Item = &'m RowGroupMetaData>,
    (row_bytes, value_bytes): (usize, usize),
) -> Result<usize, StoreError> {
    let number = |claimed: i64| u64::try_from(claimed).unwrap_or(0);
    let (mut n_rows, mut content, mut pages) = (0_u64, 0_u64, 0_u64);
    for group in groups {
        n_rows = n_rows.saturating_add(number(group.num_rows()));
        content = content.saturating_add(list_values(metadata, group).saturating_mul(value_bytes as u64));
        // Checked for one group at a time, because they are unpacked one by one.
        let unpacked = group.columns().iter().map(|chunk| number(chunk.uncompressed_size()));
        pages = pages.max(unpacked.fold(0, u64::saturating_add));
    }
    let rows = n_rows.saturating_mul(row_bytes as u64);
    expect_bytes(path, rows.saturating_add(content).saturating_add(pages))?;
    Ok(usize::try_from(n_rows).unwrap_or(usize::MAX))
}

/// Checks that there is memory for the `bytes` that the content of the file `path` needs.
///
/// # Errors
/// There is not enough memory.
pub(super) fn expect_bytes(path: &Path, bytes: u64) -> Result<(), StoreError> {
    memory::ask(bytes).map_err(|problem| StoreError::Rows { path: path.to_owned(), problem })
}

/// Number of values in the lists of a row group; in lists of fixed length, also the values of null lists.
fn list_values(metadata: &ArrowReaderMetadata, group: &RowGroupMetaData) -> u64 {
    let columns = metadata.parquet_schema();
    let of_field = |(index, field): (usize, &std::sync::Arc<arrow::datatypes::Field>)| {
        if innermost(field.data_type()) == field.data_type() {
            return 0;
        }
        let leaves = (0..columns.num_columns()).filter(|leaf| columns.get_column_root_idx(*leaf) == index);
        let claimed = leaves.filter_map(|leaf| Some(group.columns().get(leaf)?.num_values())).max().unwrap_or(0);
        let width = row_width(metadata, field.name()).map_or(0, RowWidth::n_values) as u64;
        let n_rows = u64::try_from(group.num_rows()).unwrap_or(0);
        u64::try_from(claimed).unwrap_or(0).max(n_rows.saturating_mul(width))
    };
    metadata.schema().fields().iter().enumerate().map(of_field).fold(0, u64::saturating_add)
}
