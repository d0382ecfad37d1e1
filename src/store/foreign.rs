//! Parquet files of other programs, as named columns of numbers for `infoplane data import`.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::error::StoreError;
use super::files::io_error;
use crate::columns::Column;

/// All columns of a Parquet file: numbers, booleans, and lists of them of one length. A null becomes NaN, which whoever
/// chooses the column will refuse.
///
/// # Errors
/// Missing or damaged.
pub fn read_columns(path: &Path) -> Result<Vec<Column>, StoreError> {
    let file = std::fs::File::open(path).map_err(|source| io_error("read", path, source))?;
    let damaged = |problem: String| StoreError::Damaged { path: path.to_owned(), problem };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(e.to_string()))?;
    let schema = builder.schema().clone();
    let mut columns: Vec<Column> =
        schema.fields().iter().map(|field| Column::new(field.name(), 0, Vec::new())).collect();
    for batch in builder.build().map_err(|e| damaged(e.to_string()))? {
        let batch = batch.map_err(|e| damaged(e.to_string()))?;
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            if let Err(problem) = append(column, array) {
                column.problem.get_or_insert(problem);
            }
        }
    }
    // A file without rows leaves the widths unknown.
    columns.iter_mut().for_each(|column| column.width = column.width.max(1));
    Ok(columns)
}

fn append(column: &mut Column, array: &ArrayRef) -> Result<(), String> {
    let unusable = || format!("is of type {}; only numbers and lists of numbers can be used", array.data_type());
    let rows: Vec<ArrayRef> = match array.data_type() {
        DataType::FixedSizeList(item, _) if is_number(item.data_type()) => {
            array.as_fixed_size_list().iter().flatten().collect()
        }
        DataType::List(item) if is_number(item.data_type()) => array.as_list::<i32>().iter().flatten().collect(),
        DataType::LargeList(item) if is_number(item.data_type()) => array.as_list::<i64>().iter().flatten().collect(),
        other if is_number(other) => vec![Arc::clone(array)],
        _ => return Err(unusable()),
    };
    let is_list = !is_number(array.data_type());
    if is_list && rows.len() < array.len() {
        return Err("holds nulls; every sample needs every value".to_owned());
    }
    for row in rows {
        let width = if is_list { row.len() } else { 1 };
        if column.width == 0 {
            column.width = width;
        }
        if column.width != width {
            return Err(format!("holds lists of {} and of {width} values; all must have one length", column.width));
        }
        let numbers = cast(&row, &DataType::Float64).map_err(|_| unusable())?;
        column.values.extend(numbers.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)));
    }
    Ok(())
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || *data_type == DataType::Boolean
}
