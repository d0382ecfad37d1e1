//! Conversion of numbers and texts: each stays unchanged, or the first one that the wanted type cannot represent is
//! reported.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array};
use arrow::compute::cast;
use arrow::compute::kernels::cmp::distinct;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;

use super::Misfit;
use super::names::short;

/// `values` converted to `wanted`; nulls stay.
pub(super) fn converted(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, Misfit> {
    match (values.data_type(), wanted) {
        (got, wanted) if got == wanted => Ok(Arc::clone(values)),
        (DataType::Dictionary(_, value), _) => converted(&cast_to(values, value)?, wanted),
        (DataType::Float64, DataType::Float32) => singles(values.as_primitive::<Float64Type>()),
        (got, DataType::Float32) if got.is_decimal() => converted(&cast_to(values, &DataType::Float64)?, wanted),
        (got, DataType::Float32 | DataType::Float64) if got.is_integer() => exact_floats(values, wanted),
        (_, DataType::Int32 | DataType::Int64) => fitting_integers(values, wanted),
        _ => cast_to(values, wanted),
    }
}

/// f64 rounded to f32, the type of stored values. NaN and infinity stay; finite values must stay finite.
fn singles(values: &Float64Array) -> Result<ArrayRef, Misfit> {
    let rounded: Vec<f32> = values.values().iter().map(|value| *value as f32).collect();
    let is_lost = |place: &usize| rounded[*place].is_infinite() && values.value(*place).is_finite();
    if let Some(place) = (0..rounded.len()).find(|place| values.is_valid(*place) && is_lost(place)) {
        let problem = format!(
            "contains {:e}, which is outside the range of float32 (at most 3.4e38), the type of stored values; scale the values before writing",
            values.value(place)
        );
        return Err(Misfit { place, problem });
    }
    Ok(Arc::new(Float32Array::new(rounded.into(), values.nulls().cloned())))
}

/// Integers converted to floats; each must be exactly representable.
fn exact_floats(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, Misfit> {
    let floats = cast_to(values, wanted)?;
    // A float that the integer type cannot represent becomes null.
    let differs = distinct(&cast_to(&floats, values.data_type())?, values).map_err(|e| misfit(&e))?;
    match (0..differs.len()).find(|place| differs.value(*place)) {
        None => Ok(floats),
        Some(place) => {
            let name = short(wanted);
            let problem = format!(
                "contains {}, which {name}, the type of stored values, cannot represent exactly; write {name} yourself if rounding is acceptable: values.astype(np.{name})",
                text(values, place)
            );
            Err(Misfit { place, problem })
        }
    }
}

/// Integers converted to other integers; each must fit.
fn fitting_integers(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, Misfit> {
    // A value that does not fit becomes null.
    let integers = cast_to(values, wanted)?;
    match (0..values.len()).find(|place| values.is_valid(*place) && integers.is_null(*place)) {
        None => Ok(integers),
        Some(place) => {
            let (low, high) = match wanted {
                DataType::Int32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
                _ => (i64::MIN, i64::MAX),
            };
            let problem = format!(
                "contains {}, which does not fit into {} (from {low} to {high}); use smaller numbers",
                text(values, place),
                short(wanted)
            );
            Err(Misfit { place, problem })
        }
    }
}

pub(super) fn cast_to(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, Misfit> {
    cast(values, wanted).map_err(|e| misfit(&e))
}

fn misfit(error: &ArrowError) -> Misfit {
    Misfit { place: 0, problem: format!("cannot be converted: {error}") }
}

fn text(values: &ArrayRef, place: usize) -> String {
    array_value_to_string(values, place).unwrap_or_else(|_| "a number".to_owned())
}
