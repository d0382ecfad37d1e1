//! Facts about a Parquet file, from its footer.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use serde::Serialize;

use super::conversion::{RowWidth, innermost, row_width};
use super::error::StoreError;
use super::files::open_file;
use super::guard::guarded;
use super::table::footer_of;

/// Facts about a Parquet file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Name of the table, if this program or one that follows its format wrote it.
    pub table: Option<String>,
    /// Schema version of the table.
    pub schema_version: Option<String>,
    /// The program that wrote the file.
    pub creator: Option<String>,
    /// Names and types of the columns.
    pub columns: Vec<(String, String)>,
    /// Values per row of the first list column, if there is one.
    pub width: Option<usize>,
    /// Number of rows.
    pub rows: u64,
    /// Number of row groups.
    pub row_groups: usize,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Size of the values in bytes, uncompressed and without structure; strings as they are stored.
    pub raw_bytes: u64,
    /// Compression of the columns.
    pub compression: Vec<String>,
    /// All entries of the footer.
    pub footer: super::table::Footer,
}

impl Facts {
    /// Reads the footer of `path`.
    ///
    /// # Errors
    /// The file is missing or damaged.
    pub fn of(path: &Path) -> Result<Self, StoreError> {
        guarded(path, || Self::unguarded(path))
    }

    fn unguarded(path: &Path) -> Result<Self, StoreError> {
        let file = open_file(path)?;
        let damaged = |problem: String| StoreError::Damaged { path: path.to_owned(), problem };
        let bytes = file.metadata().map_err(|e| damaged(e.to_string()))?.len();
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| damaged(e.to_string()))?;
        let (schema, parquet) = (metadata.schema(), metadata.metadata());
        let mut footer = footer_of(&metadata);
        footer.remove("ARROW:schema");
        let rows = u64::try_from(parquet.file_metadata().num_rows()).unwrap_or(0);
        let chunks = || parquet.row_groups().iter().flat_map(|group| group.columns());
        // Written as `ZSTD(ZstdLevel(1))`, but a file contains only the name of the codec.
        let codec = |text: String| text.split('(').next().unwrap_or_default().to_lowercase();
        let mut compression: Vec<String> = chunks().map(|chunk| codec(chunk.compression().to_string())).collect();
        compression.sort();
        compression.dedup();
        let texts: i64 = chunks()
            .filter(|chunk| is_text(schema, chunk.column_path().parts().first().map_or("", String::as_str)))
            .map(|chunk| chunk.uncompressed_size())
            .sum();
        Ok(Self {
            table: footer.get("infoplane.table").cloned(),
            schema_version: footer.get("infoplane.schema_version").cloned(),
            creator: parquet.file_metadata().created_by().map(str::to_owned),
            columns: schema.fields().iter().map(|f| (f.name().clone(), f.data_type().to_string())).collect(),
            width: schema.fields().iter().find_map(|field| Some(row_width(&metadata, field.name())?.n_values())),
            rows,
            row_groups: parquet.num_row_groups(),
            bytes,
            raw_bytes: rows.saturating_mul(row_bytes(&metadata)).saturating_add(u64::try_from(texts).unwrap_or(0)),
            compression,
            footer,
        })
    }
}

fn is_text(schema: &Schema, column: &str) -> bool {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    schema.field_with_name(column).is_ok_and(|field| is_text(field.data_type()))
}

/// Bytes of the numbers in one row.
fn row_bytes(metadata: &ArrowReaderMetadata) -> u64 {
    let field_bytes = |field: &Arc<Field>| {
        let n_values = row_width(metadata, field.name()).map_or(1, RowWidth::n_values);
        n_values.saturating_mul(innermost(field.data_type()).primitive_width().unwrap_or(0)) as u64
    };
    metadata.schema().fields().iter().map(field_bytes).fold(0, u64::saturating_add)
}
