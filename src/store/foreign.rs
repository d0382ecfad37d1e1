//! Parquet files of other programs, as named columns of numbers for `infoplane data import`.

use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::error::StoreError;
use super::files::io_error;
use crate::columns::Column;

/// All numeric columns of a Parquet file: numbers, booleans, and fixed-size lists of them. A null becomes NaN, which
/// whoever chooses the column will refuse.
///
/// # Errors
/// Missing or damaged.
pub fn read_columns(path: &Path) -> Result<Vec<Column>, StoreError> {
    let file = std::fs::File::open(path).map_err(|source| io_error("read", path, source))?;
    let damaged = |problem: String| StoreError::Damaged { path: path.to_owned(), problem };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(e.to_string()))?;
    let schema = builder.schema().clone();
    let mut columns: Vec<Option<Column>> = schema
        .fields()
        .iter()
        .map(|field| {
            let width = match field.data_type() {
                DataType::FixedSizeList(item, width) if is_number(item.data_type()) => usize::try_from(*width).ok()?,
                other if is_number(other) => 1,
                _ => return None,
            };
            Some(Column { name: field.name().clone(), width, values: Vec::new() })
        })
        .collect();
    for batch in builder.build().map_err(|e| damaged(e.to_string()))? {
        let batch = batch.map_err(|e| damaged(e.to_string()))?;
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            let Some(column) = column else { continue };
            column
                .values
                .extend(numbers(array, column.width).ok_or_else(|| damaged(format!("column `{}`", column.name)))?);
        }
    }
    Ok(columns.into_iter().flatten().collect())
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || *data_type == DataType::Boolean
}

fn numbers(array: &ArrayRef, width: usize) -> Option<Vec<f64>> {
    let Some(list) = array.as_fixed_size_list_opt() else { return flat_numbers(array) };
    let row = |i: usize| if list.is_null(i) { Some(vec![f64::NAN; width]) } else { flat_numbers(&list.value(i)) };
    Some((0..list.len()).map(row).collect::<Option<Vec<_>>>()?.concat())
}

fn flat_numbers(array: &ArrayRef) -> Option<Vec<f64>> {
    let array = cast(array, &DataType::Float64).ok()?;
    Some(array.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}
