//! Converts columns of f64 to the inputs of a table, which are f32. A loss of information is an error, or is kept in a hash.

use ndarray::Array2;
use serde::Serialize;

use super::choice::place;
use super::import::ImportRequest;
use crate::columns::Column;
use crate::math::atoms::Cells;
use crate::math::descriptive::{mean, population_variance};
use crate::store::hash_bytes;

/// The stored X.
pub(super) struct StoredInputs {
    pub(super) x: Array2<f32>,
    /// A hash of every row of the file; empty if hashes were not requested.
    pub(super) hashes: Vec<i64>,
    pub(super) standardised: Option<Standardised>,
}

/// The subtracted mean and the divisor of every value of X.
#[derive(Debug, Serialize)]
pub(super) struct Standardised {
    mean: Vec<f64>,
    std: Vec<f64>,
}

const STANDARDISE: &str = "`--standardise` (every column minus its mean, divided by its standard deviation)";
const X_HASH: &str = "`--x-hash` (inputs are distinguished by a hash of the numbers in the file)";

impl StoredInputs {
    /// Converts the columns of X, which have `n` rows of finite numbers.
    ///
    /// # Errors
    /// A number is outside the range of f32, or different inputs become equal as f32 and hashes were not requested.
    pub(super) fn new(columns: &[&Column], n: usize, request: &ImportRequest) -> Result<Self, String> {
        let (scaled, standardised) = match request.standardise {
            true => {
                let (scaled, standardised) = standardised(columns)?;
                (Some(scaled), Some(standardised))
            }
            false => (None, None),
        };
        let scaled: Option<Vec<&Column>> = scaled.as_ref().map(|scaled| scaled.iter().collect());
        let stored = scaled.as_deref().unwrap_or(columns);
        check_range(columns, stored, request)?;
        let x = side_by_side(stored, n);
        if !request.x_hash {
            check_distinct(columns, stored, &x, request)?;
        }
        let hashes = if request.x_hash { (0..n).map(|row| hash(columns, row)).collect() } else { Vec::new() };
        Ok(Self { x, hashes, standardised })
    }
}

/// Columns of `n` rows as one matrix; −0 becomes 0.
pub(super) fn side_by_side(columns: &[&Column], n: usize) -> Array2<f32> {
    let width: usize = columns.iter().map(|c| c.width).sum();
    let values = (0..n).flat_map(|row| columns.iter().flat_map(move |c| &c.values[row * c.width..][..c.width]));
    let matrix = Array2::from_shape_vec((n, width), values.map(|v| *v as f32 + 0.0).collect());
    matrix.expect("every column has n rows")
}

/// Every column minus its mean over the rows, divided by its standard deviation; 0 for a constant column.
fn standardised(columns: &[&Column]) -> Result<(Vec<Column>, Standardised), String> {
    let (mut scaled, mut taken) = (Vec::new(), Standardised { mean: Vec::new(), std: Vec::new() });
    for column in columns {
        let mut values = column.values.clone();
        for unit in 0..column.width {
            // Differences from the first row are exact for large numbers that are close to each other.
            let (first, first_rest) = original(column, 0, unit);
            let difference = |row: usize| {
                let (value, rest) = original(column, row, unit);
                (value - first) + (rest - first_rest)
            };
            let differences: Vec<f64> = (0..column.n_rows()).map(difference).collect();
            let shift = mean(&differences).unwrap_or(0.0);
            let std = population_variance(&differences).unwrap_or(0.0).sqrt();
            if !shift.is_finite() || !std.is_finite() {
                let name = &column.name;
                return Err(format!(
                    "column `{name}`: its mean or standard deviation is outside the range of f64; scale the column first"
                ));
            }
            for (value, difference) in values.iter_mut().skip(unit).step_by(column.width).zip(&differences) {
                *value = if std == 0.0 { 0.0 } else { (difference - shift) / std };
            }
            taken.mean.push(first + shift);
            taken.std.push(std);
        }
        scaled.push(Column { shape: column.shape.clone(), ..Column::new(&column.name, column.width, values) });
    }
    Ok((scaled, taken))
}

/// Returns an error for numbers outside the range of f32, and for numbers so small that f32 stores fewer digits, or none.
fn check_range(columns: &[&Column], stored: &[&Column], request: &ImportRequest) -> Result<(), String> {
    let is_small = |value: f64| value != 0.0 && value.abs() < f64::from(f32::MIN_POSITIVE);
    for (column, stored) in columns.iter().zip(stored) {
        let flaw = |v: &f64| v.abs() > f64::from(f32::MAX) || (is_small(*v) && !request.x_hash);
        let Some(at) = stored.values.iter().position(flaw) else { continue };
        let (place, value, small) = (place(column, at), column.shown(at), is_small(stored.values[at]));
        let problem = match small {
            true => format!(
                "{place} is {value}, too small for the full precision of f32, which stores it as {}",
                in_f32(stored.values[at])
            ),
            false => format!("{place} is {value}; only finite f32 values are allowed"),
        };
        let remedies = match (request.standardise, small) {
            (false, true) => format!("; add {STANDARDISE} or {X_HASH}"),
            (false, false) => format!("; add {STANDARDISE}"),
            (true, true) => format!("; add {X_HASH}"),
            (true, false) => String::new(),
        };
        return Err(format!("{problem}{remedies}"));
    }
    Ok(())
}

/// A small number as f32, with the usual number of digits.
fn in_f32(value: f64) -> String {
    match value as f32 {
        0.0 => "0".to_owned(),
        kept => format!("{:.6e}", f64::from(kept)),
    }
}

/// Returns an error for rows that differ in the file and are equal in `x`.
fn check_distinct(
    columns: &[&Column],
    stored: &[&Column],
    x: &Array2<f32>,
    request: &ImportRequest,
) -> Result<(), String> {
    let is_exact = |c: &&Column| c.rests.is_empty() && c.values.iter().all(|v| f64::from(*v as f32) == *v);
    if !request.standardise && stored.iter().all(is_exact) {
        return Ok(());
    }
    let values = x.as_slice().expect("the matrix was made row by row");
    let cells = Cells::of_rows(values, x.ncols().max(1));
    let mut first_rows = vec![usize::MAX; cells.n_cells()];
    for (row, cell) in cells.numbers().iter().enumerate() {
        let first = &mut first_rows[*cell as usize];
        if *first == usize::MAX {
            *first = row;
            continue;
        }
        let differs =
            |column: &&&Column| (0..column.width).find(|k| original(column, *first, *k) != original(column, row, *k));
        if let Some((column, unit)) = columns.iter().find_map(|column| Some((column, differs(&column)?))) {
            let (this, other) = (row * column.width + unit, *first * column.width + unit);
            let remedies = match request.standardise {
                true => format!("add {X_HASH}"),
                false => format!("add {STANDARDISE} or {X_HASH}"),
            };
            return Err(format!(
                "{}: {} and {} in row {first} become equal when they are stored as f32, and so do these two inputs; {remedies}",
                place(column, this),
                column.shown(this),
                column.shown(other),
            ));
        }
    }
    Ok(())
}

/// The numbers of a row in a form that can be compared.
fn original(column: &Column, row: usize, unit: usize) -> (f64, f64) {
    let at = row * column.width + unit;
    (column.values[at] + 0.0, column.rests.get(at).copied().unwrap_or(0.0))
}

fn hash(columns: &[&Column], row: usize) -> i64 {
    let numbers = columns.iter().flat_map(|column| (0..column.width).map(|unit| original(column, row, unit)));
    let bytes: Vec<u8> =
        numbers.flat_map(|(value, rest)| [value.to_le_bytes(), rest.to_le_bytes()]).flatten().collect();
    let digits = &hash_bytes(&bytes)[..16];
    u64::from_str_radix(digits, 16).expect("a hash is hexadecimal digits").cast_signed()
}
