//! MATLAB version 5 files (`.mat`), such as Tishby's `var_u.mat`.

use matfile::{MatFile, NumericData};

use super::ImportError;
use crate::columns::Column;

/// The real numeric variables; a 1 × n row vector is read as n samples of one value.
pub(super) fn read(content: &[u8]) -> Result<Vec<Column>, ImportError> {
    let file =
        MatFile::parse(content).map_err(|e| ImportError::Format { format: "MATLAB 5", problem: e.to_string() })?;
    Ok(file.arrays().iter().map(column).collect())
}

fn column(array: &matfile::Array) -> Column {
    let name = array.name();
    let &[n_rows, n_columns] = array.size().as_slice() else {
        return Column::unusable(name, format!("has {} dimensions, samples and values make 2", array.ndims()));
    };
    let Some(by_column) = numbers(array.data()) else {
        return Column::unusable(name, "holds complex numbers".to_owned());
    };
    if n_rows == 1 || n_columns == 1 {
        return Column::new(name, 1, by_column);
    }
    // MATLAB stores column after column.
    let at = |k: usize| by_column[(k % n_columns) * n_rows + k / n_columns];
    Column::new(name, n_columns, (0..by_column.len()).map(at).collect())
}

/// The numbers of an array, `None` where they are complex.
fn numbers(data: &NumericData) -> Option<Vec<f64>> {
    fn widen<T: Copy>(values: &[T], imaginary: &Option<Vec<T>>, f: fn(T) -> f64) -> Option<Vec<f64>> {
        imaginary.is_none().then(|| values.iter().map(|v| f(*v)).collect())
    }
    match data {
        NumericData::Int8 { real, imag } => widen(real, imag, f64::from),
        NumericData::UInt8 { real, imag } => widen(real, imag, f64::from),
        NumericData::Int16 { real, imag } => widen(real, imag, f64::from),
        NumericData::UInt16 { real, imag } => widen(real, imag, f64::from),
        NumericData::Int32 { real, imag } => widen(real, imag, f64::from),
        NumericData::UInt32 { real, imag } => widen(real, imag, f64::from),
        NumericData::Int64 { real, imag } => widen(real, imag, |v| v as f64),
        NumericData::UInt64 { real, imag } => widen(real, imag, |v| v as f64),
        NumericData::Single { real, imag } => widen(real, imag, f64::from),
        NumericData::Double { real, imag } => widen(real, imag, |v| v),
    }
}
