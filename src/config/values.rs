//! Functions that read and check the values of keys; an error names the allowed values.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::nn::{BatchSize, Fan};
use crate::parameter::Value;
use crate::suggest::Named;

pub(super) fn one() -> usize {
    1
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn fan_in() -> Fan {
    Fan::In
}

/// Runs have names of four digits, so that they sort as they are numbered.
pub(super) const MOST_RUNS: u64 = 9999;
/// Epochs are stored as 32-bit numbers.
pub(super) const MOST_EPOCHS: u64 = i32::MAX as u64;

/// A whole number in 1..=`most`.
pub(super) fn count<'de, D: Deserializer<'de>>(from: D, most: u64) -> Result<u64, D::Error> {
    let got = i64::deserialize(from)?;
    if let Some(count) = u64::try_from(got).ok().filter(|count| (1..=most).contains(count)) {
        return Ok(count);
    }
    Err(Error::custom(format!("must be a whole number from 1 to {most}, got {got}")))
}

pub(super) fn runs<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    count(from, MOST_RUNS).map(|runs| runs as usize)
}

pub(super) fn epochs<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    count(from, MOST_EPOCHS)
}

pub(super) fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    let got = f64::deserialize(from)?;
    let value = got as f32;
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(Error::custom(format!("must be a finite number above 0 within the range of f32, got {got:?}")))
}

pub(super) fn fraction<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let got = f64::deserialize(from)?;
    if got > 0.0 && got <= 1.0 {
        return Ok(got);
    }
    Err(Error::custom(format!("must be above 0 and at most 1, got {got}")))
}

pub(super) fn batch<'de, D: Deserializer<'de>>(from: D) -> Result<BatchSize, D::Error> {
    let got = toml::Value::deserialize(from)?;
    match &got {
        toml::Value::String(word) if word == "full" => Ok(BatchSize::Full),
        toml::Value::Integer(size) if *size > 0 => Ok(BatchSize::Mini(*size as usize)),
        _ => Err(Error::custom(format!("must be \"full\" or a whole number of at least 1, got {got}"))),
    }
}

/// The value with the given name.
pub(super) fn choice<'de, D: Deserializer<'de>, T: Named>(from: D) -> Result<T, D::Error> {
    named(&String::deserialize(from)?).map_err(Error::custom)
}

/// The value with the given name, for a key that can be left out.
pub(super) fn some_choice<'de, D: Deserializer<'de>, T: Named>(from: D) -> Result<Option<T>, D::Error> {
    choice(from).map(Some)
}

/// The value called `name`, or an error with the nearest names.
pub(super) fn named<T: Named>(name: &str) -> Result<T, String> {
    T::find(name).map_err(|suggestion| format!("unknown choice `{name}`; {suggestion}"))
}

/// A value of an estimator's or a data set's parameter.
pub(super) fn parameter(key: &str, value: toml::Value) -> Result<Value, String> {
    match value {
        toml::Value::Integer(count) => Ok(u64::try_from(count).map_or(Value::Number(count as f64), Value::Count)),
        toml::Value::Float(number) => Ok(Value::Number(number)),
        toml::Value::String(text) => Ok(Value::Text(text)),
        toml::Value::Boolean(flag) => Ok(Value::Flag(flag)),
        other => Err(format!("parameter `{key}`: must be a number, a text, true or false, got {}", other.type_str())),
    }
}
