//! Tables as comma-separated values, for programs that do not read Parquet. An apostrophe precedes any text that a
//! spreadsheet would read as a formula, as the OWASP page on CSV injection recommends.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::csv::Writer;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::schema::Row;
use super::{FileRecord, StoreError, write_bytes};

/// Writes `rows` as comma-separated values with a header, atomically and synced. Nulls are empty; numbers have enough
/// digits to be read back exactly.
///
/// # Errors
/// The folder cannot be written to.
pub fn write_csv<R: Row>(root: &Path, relative: &str, rows: &[R]) -> Result<FileRecord, StoreError> {
    let text = text(rows).map_err(|e| StoreError::Unwritable { path: root.join(relative), problem: e.to_string() })?;
    write_bytes(root, relative, &text)
}

fn text<R: Row>(rows: &[R]) -> Result<Vec<u8>, ArrowError> {
    let mut text = Vec::new();
    let schema = R::schema(rows);
    let columns = R::to_arrays(rows).into_iter().map(as_text).collect::<Result<Vec<_>, _>>()?;
    let columns = schema.fields().iter().map(|field| field.name()).zip(columns);
    Writer::new(&mut text).write(&RecordBatch::try_from_iter(columns)?)?;
    Ok(text)
}

/// A column without formulas: texts get an apostrophe if they need it, numbers stay unchanged.
fn as_text(column: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let column = match column.data_type() {
        DataType::Dictionary(_, words) if **words == DataType::Utf8 => cast(&column, &DataType::Utf8)?,
        _ => column,
    };
    let Some(texts) = column.as_string_opt::<i32>() else { return Ok(column) };
    let is_formula = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if !texts.iter().flatten().any(is_formula) {
        return Ok(column);
    }
    let quoted = |text: &str| if is_formula(text) { format!("'{text}") } else { text.to_owned() };
    Ok(Arc::new(texts.iter().map(|text| text.map(quoted)).collect::<StringArray>()))
}
