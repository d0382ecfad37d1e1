//! NumPy arrays: `.npy` (one array) and `.npz` (a zip of named ones).

use std::io::Cursor;

use ndarray::ArrayD;
use ndarray_npy::{NpzReader, ReadNpyExt, ReadableElement};

use super::ImportError;
use crate::columns::Column;

/// The columns of a 2-D array, named `0`, `1`, …; a 1-D array is the column `0`.
pub(super) fn read_array(content: &[u8]) -> Result<Vec<Column>, ImportError> {
    let failed = |problem| ImportError::Format { format: "NumPy .npy", problem };
    let whole = to_column("array", &Source::File(content).numbers().map_err(failed)?);
    if let Some(problem) = whole.problem {
        return Err(failed(problem));
    }
    let column =
        |c: usize| Column::new(c.to_string(), 1, whole.values.iter().skip(c).step_by(whole.width).copied().collect());
    Ok((0..whole.width).map(column).collect())
}

/// Every array of the archive, under its name.
pub(super) fn read_archive(content: &[u8]) -> Result<Vec<Column>, ImportError> {
    let failed = |problem| ImportError::Format { format: "NumPy .npz", problem };
    let names = NpzReader::new(Cursor::new(content)).and_then(|mut archive| archive.names());
    let names = names.map_err(|e| failed(e.to_string()))?;
    let member = |name: &String| {
        let column = name.trim_end_matches(".npy");
        match Source::Member(content, name).numbers() {
            Ok(array) => to_column(column, &array),
            Err(problem) => Column::unusable(column, problem),
        }
    };
    Ok(names.iter().map(member).collect())
}

/// Where an array's bytes are.
enum Source<'a> {
    File(&'a [u8]),
    Member(&'a [u8], &'a str),
}

impl Source<'_> {
    fn array<T: Element>(&self) -> Result<ArrayD<f64>, String> {
        let array: ArrayD<T> = match self {
            Source::File(content) => ArrayD::read_npy(Cursor::new(content)).map_err(|e| e.to_string())?,
            Source::Member(content, name) => {
                let mut archive = NpzReader::new(Cursor::new(*content)).map_err(|e| e.to_string())?;
                archive.by_name(name).map_err(|e| e.to_string())?
            }
        };
        Ok(array.mapv(Element::widen))
    }

    fn numbers(&self) -> Result<ArrayD<f64>, String> {
        // A reader must name the type before it sees the file: try one after the other.
        self.array::<f64>()
            .or_else(|_| self.array::<f32>())
            .or_else(|_| self.array::<i64>())
            .or_else(|_| self.array::<i32>())
            .or_else(|_| self.array::<i16>())
            .or_else(|_| self.array::<i8>())
            .or_else(|_| self.array::<u64>())
            .or_else(|_| self.array::<u32>())
            .or_else(|_| self.array::<u16>())
            .or_else(|_| self.array::<u8>())
            .or_else(|_| self.array::<bool>())
            .map_err(|e| format!("not an array of a number type that can be read (float16 cannot): {e}"))
    }
}

fn to_column(name: &str, array: &ArrayD<f64>) -> Column {
    let width = match array.shape() {
        [_] => 1,
        [_, width] => *width,
        shape => return Column::unusable(name, format!("has {} dimensions, samples and values make 2", shape.len())),
    };
    Column::new(name, width, array.iter().copied().collect())
}

/// A type of number that NumPy stores.
trait Element: ReadableElement + Copy {
    fn widen(self) -> f64;
}

macro_rules! elements {
    ($($type:ty),+) => { $( impl Element for $type { fn widen(self) -> f64 { self as f64 } } )+ };
}

elements!(f64, f32, i64, i32, i16, i8, u64, u32, u16, u8);

impl Element for bool {
    fn widen(self) -> f64 {
        f64::from(u8::from(self))
    }
}
