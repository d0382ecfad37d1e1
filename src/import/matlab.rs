//! MATLAB version 5 files (`.mat`), such as Tishby's `var_u.mat`.

use matfile::{MatFile, NumericData};

use super::ImportError;
use crate::columns::Column;

/// The real numeric variables; a 1 × n row vector is read as n samples of one value.
pub(super) fn read(content: &[u8]) -> Result<Vec<Column>, ImportError> {
    let file =
        MatFile::parse(content).map_err(|e| ImportError::Format { format: "MATLAB 5", problem: e.to_string() })?;
    file.arrays().iter().map(column).collect()
}

fn column(array: &matfile::Array) -> Result<Column, ImportError> {
    let name = array.name().to_owned();
    let &[n_rows, n_columns] = array.size().as_slice() else {
        return Err(ImportError::Dimensions { name, n_dimensions: array.ndims() });
    };
    let by_column = numbers(array.data());
    if n_rows == 1 || n_columns == 1 {
        return Ok(Column { name, width: 1, values: by_column });
    }
    // MATLAB stores column after column.
    let at = |k: usize| by_column[(k % n_columns) * n_rows + k / n_columns];
    Ok(Column { name, width: n_columns, values: (0..by_column.len()).map(at).collect() })
}

fn numbers(data: &NumericData) -> Vec<f64> {
    fn widen<T: Copy>(values: &[T], f: fn(T) -> f64) -> Vec<f64> {
        values.iter().map(|v| f(*v)).collect()
    }
    match data {
        NumericData::Int8 { real, .. } => widen(real, f64::from),
        NumericData::UInt8 { real, .. } => widen(real, f64::from),
        NumericData::Int16 { real, .. } => widen(real, f64::from),
        NumericData::UInt16 { real, .. } => widen(real, f64::from),
        NumericData::Int32 { real, .. } => widen(real, f64::from),
        NumericData::UInt32 { real, .. } => widen(real, f64::from),
        NumericData::Int64 { real, .. } => widen(real, |v| v as f64),
        NumericData::UInt64 { real, .. } => widen(real, |v| v as f64),
        NumericData::Single { real, .. } => widen(real, f64::from),
        NumericData::Double { real, .. } => real.clone(),
    }
}
