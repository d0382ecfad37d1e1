//! The values of a pipeline's keys, one function each: what is allowed, and the sentence where it is not.

use serde::{Deserialize, Deserializer};

use super::{Labelling, Split};
use crate::nn::{BatchSize, Fan};
use crate::suggest::suggestion;

pub(super) fn one() -> usize {
    1
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn fan_in() -> Fan {
    Fan::In
}

/// A whole number in 1..=`most`.
pub(super) fn count<'de, D: Deserializer<'de>>(from: D, most: i64) -> Result<i64, D::Error> {
    let got = i64::deserialize(from)?;
    if (1..=most).contains(&got) {
        return Ok(got);
    }
    Err(serde::de::Error::custom(format!("must be a whole number from 1 to {most}, got {got}")))
}

/// Runs have names of four digits, so that they sort as they are numbered.
pub(super) fn runs<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    count(from, 9999).map(|runs| runs as usize)
}

/// Epochs are stored as 32-bit numbers.
pub(super) fn epochs<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    count(from, i64::from(i32::MAX)).map(|epochs| epochs as u64)
}

pub(super) fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    let got = f64::deserialize(from)?;
    let value = got as f32;
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(serde::de::Error::custom(format!("must be a number above 0 that f32 can hold, got {got:?}")))
}

pub(super) fn fraction<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let got = f64::deserialize(from)?;
    if got > 0.0 && got <= 1.0 {
        return Ok(got);
    }
    Err(serde::de::Error::custom(format!("must be above 0 and at most 1, got {got}")))
}

pub(super) fn batch<'de, D: Deserializer<'de>>(from: D) -> Result<BatchSize, D::Error> {
    let got = toml::Value::deserialize(from)?;
    match &got {
        toml::Value::String(word) if word == "full" => Ok(BatchSize::Full),
        toml::Value::Integer(size) if *size > 0 => Ok(BatchSize::Mini(*size as usize)),
        _ => Err(serde::de::Error::custom(format!("must be \"full\" or a whole number of at least 1, got {got}"))),
    }
}

/// One of a list of named values.
pub(super) fn choice<'de, D: Deserializer<'de>, T: Copy>(from: D, all: &[(&'static str, T)]) -> Result<T, D::Error> {
    choice_of(&String::deserialize(from)?, all).map_err(serde::de::Error::custom)
}

/// The value called `got` in a list of named values; the sentence where there is none.
pub(super) fn choice_of<T: Copy>(got: &str, all: &[(&'static str, T)]) -> Result<T, String> {
    let found = all.iter().find(|(name, _)| *name == got);
    let unknown = || format!("unknown choice `{got}`; {}", suggestion(got, all.iter().map(|(name, _)| *name)));
    found.map(|(_, value)| *value).ok_or_else(unknown)
}

pub(super) fn fan<'de, D: Deserializer<'de>>(from: D) -> Result<Fan, D::Error> {
    choice(from, Fan::ALL)
}

pub(super) fn split<'de, D: Deserializer<'de>>(from: D) -> Result<Split, D::Error> {
    choice(from, Split::ALL)
}

pub(super) fn labelling<'de, D: Deserializer<'de>>(from: D) -> Result<Labelling, D::Error> {
    choice(from, Labelling::ALL)
}

/// The name of a value in a list of named values.
pub(super) fn name_of<T: PartialEq>(all: &[(&'static str, T)], value: T) -> &'static str {
    all.iter().find(|(_, other)| *other == value).map_or("", |(name, _)| name)
}
