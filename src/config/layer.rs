//! A hidden layer of the `[network]` table: as written, and completed by the settings of the network.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::keys::{Accepts, Key, KeyTable, Omitted, forms, names};
use super::values;
use crate::nn::{Activation, Hidden, Operation};
use crate::parameter::Kind;

/// A hidden layer as written; what it leaves out is taken from the network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawLayer {
    pub(super) n_units: usize,
    pub(super) operations: Vec<Operation>,
    /// Kinds of operations of the network that this layer does not have.
    pub(super) without: Vec<OperationKind>,
    pub(super) order: Order,
}

/// The order in which the operations of a layer are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The order of [`OperationKind`].
    ByKind,
    /// As written. Of the operations of the network, normalisation and activation come first, the others last.
    AsWritten,
}

/// Kinds of operations, in the order in which a layer that is written as a table applies them to its weighted sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OperationKind {
    BatchNorm,
    Activation,
    Quantise,
    Dropout,
    GaussianDropout,
    Noise,
}

/// The keys of a layer.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "network",
    name: "hidden",
    doc: "A table in the list `hidden` of `[network]`: one hidden layer. Keys that are left out have the values of `[network]`.",
    keys: &[
        Key {
            name: "units",
            accepts: Accepts::Kind(Kind::Count { min: 1, max: MOST_UNITS }),
            omitted: Omitted::Refused,
            doc: "Number of units.",
        },
        Key {
            name: "activation",
            accepts: Accepts::Name(names::<Activation>),
            omitted: Omitted::ValueOf { table: "network", key: "activation" },
            doc: "The activation function.",
        },
        Key {
            name: "batch_norm",
            accepts: Accepts::Kind(Kind::Flag),
            omitted: Omitted::ValueOf { table: "network", key: "batch_norm" },
            doc: "Whether the weighted sums are normalised over the batch before the activation function.",
        },
        Key {
            name: "dropout",
            accepts: Accepts::Form(&forms::RATE),
            omitted: Omitted::ValueOf { table: "network", key: "dropout" },
            doc: "Probability of setting an activation to 0, in training only.",
        },
        Key {
            name: "gaussian_dropout",
            accepts: Accepts::Form(&forms::RATE),
            omitted: Omitted::ValueOf { table: "network", key: "gaussian_dropout" },
            doc: "Dropout rate p of Gaussian dropout: activations are multiplied by Gaussian noise of mean 1 and variance p/(1 − p), in training only.",
        },
        Key {
            name: "noise_variance",
            accepts: Accepts::Kind(Kind::NotNegative),
            omitted: Omitted::ValueOf { table: "network", key: "noise_variance" },
            doc: "Variance of Gaussian noise that is added to the activations, in training and in recorded snapshots.",
        },
        Key {
            name: "quantise_bits",
            accepts: Accepts::Form(&forms::BITS_OR_ZERO),
            omitted: Omitted::ValueOf { table: "network", key: "quantise_bits" },
            doc: "Number of bits to which kernel and activations are rounded. 0 means no rounding.",
        },
    ],
    parameters: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    #[serde(deserialize_with = "units")]
    units: usize,
    #[serde(default, deserialize_with = "values::some_choice")]
    activation: Option<Activation>,
    batch_norm: Option<bool>,
    #[serde(default, deserialize_with = "rate")]
    dropout: Option<f32>,
    #[serde(default, deserialize_with = "rate")]
    gaussian_dropout: Option<f32>,
    #[serde(default, deserialize_with = "variance")]
    noise_variance: Option<f32>,
    #[serde(default, deserialize_with = "bits")]
    quantise_bits: Option<u32>,
}

/// Largest number of units; sums over units stay within the range of the number types.
const MOST_UNITS: u64 = 10_000_000;
/// With more than 16 bits, levels are finer than f32 can distinguish in some ranges.
const BITS: std::ops::RangeInclusive<i64> = 2..=16;

/// The operations that the keys of a table describe.
pub(super) fn operations(
    activation: Option<Activation>,
    batch_norm: bool,
    dropout: Option<f32>,
    gaussian_dropout: Option<f32>,
    noise_variance: Option<f32>,
    quantise_bits: Option<u32>,
) -> Vec<Operation> {
    let operations = [
        batch_norm.then_some(Operation::BatchNorm),
        activation.map(Operation::Activation),
        // 0 means no such operation, so that a sweep can contain 0.
        quantise_bits.filter(|bits| *bits > 0).map(|bits| Operation::Quantise { bits }),
        dropout.filter(|rate| *rate > 0.0).map(|rate| Operation::Dropout { rate }),
        gaussian_dropout.filter(|rate| *rate > 0.0).map(|rate| Operation::GaussianDropout { rate }),
        noise_variance.filter(|variance| *variance > 0.0).map(|variance| Operation::Noise { variance }),
    ];
    operations.into_iter().flatten().collect()
}

fn kind(operation: &Operation) -> OperationKind {
    match operation {
        Operation::Activation(_) => OperationKind::Activation,
        Operation::BatchNorm => OperationKind::BatchNorm,
        Operation::Quantise { .. } => OperationKind::Quantise,
        Operation::Dropout { .. } => OperationKind::Dropout,
        Operation::GaussianDropout { .. } => OperationKind::GaussianDropout,
        Operation::Noise { .. } => OperationKind::Noise,
    }
}

impl RawLayer {
    /// The layer, completed by the operations of the network, `defaults`.
    pub(super) fn complete(self, defaults: &[Operation]) -> Result<Hidden, String> {
        let mut operations = self.operations;
        let is_new = |operation: &&Operation| {
            let kind = kind(operation);
            !self.without.contains(&kind) && operations.iter().all(|own| self::kind(own) != kind)
        };
        let new: Vec<Operation> = defaults.iter().filter(is_new).copied().collect();
        match self.order {
            Order::ByKind => {
                operations.extend(new);
                operations.sort_by_key(kind);
            }
            Order::AsWritten => {
                let (early, late): (Vec<_>, Vec<_>) =
                    new.into_iter().partition(|new| kind(new) <= OperationKind::Activation);
                operations.splice(0..0, early);
                operations.extend(late);
            }
        }
        if operations.iter().all(|operation| kind(operation) != OperationKind::Activation) {
            let problem = "missing key `activation`: give it for the network or for each layer, for example \"tanh\" or \"linear\"";
            return Err(problem.to_owned());
        }
        Ok(Hidden { n_units: self.n_units, operations })
    }
}

impl From<RawTable> for RawLayer {
    fn from(raw: RawTable) -> Self {
        let is_removed = [
            (OperationKind::BatchNorm, raw.batch_norm == Some(false)),
            (OperationKind::Quantise, raw.quantise_bits == Some(0)),
            (OperationKind::Dropout, raw.dropout == Some(0.0)),
            (OperationKind::GaussianDropout, raw.gaussian_dropout == Some(0.0)),
            (OperationKind::Noise, raw.noise_variance == Some(0.0)),
        ];
        Self {
            n_units: raw.units,
            operations: operations(
                raw.activation,
                raw.batch_norm == Some(true),
                raw.dropout,
                raw.gaussian_dropout,
                raw.noise_variance,
                raw.quantise_bits,
            ),
            without: is_removed.into_iter().filter(|(_, is_removed)| *is_removed).map(|(kind, _)| kind).collect(),
            order: Order::ByKind,
        }
    }
}

impl<'de> Deserialize<'de> for RawLayer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(LayerVisitor)
    }
}

struct LayerVisitor;

impl<'de> Visitor<'de> for LayerVisitor {
    type Value = RawLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a width or a table such as { units = 10, dropout = 0.2 }")
    }

    fn visit_i64<E: Error>(self, width: i64) -> Result<RawLayer, E> {
        let n_units = checked_units(width).map_err(E::custom)?;
        Ok(RawLayer { n_units, operations: Vec::new(), without: Vec::new(), order: Order::ByKind })
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<RawLayer, A::Error> {
        RawTable::deserialize(MapAccessDeserializer::new(table)).map(RawLayer::from)
    }
}

fn units<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    checked_units(i64::deserialize(from)?).map_err(Error::custom)
}

pub(super) fn checked_units(width: i64) -> Result<usize, String> {
    match u64::try_from(width).is_ok_and(|width| (1..=MOST_UNITS).contains(&width)) {
        true => Ok(width as usize),
        false => Err(format!("every layer needs 1 to {MOST_UNITS} units, got {width}")),
    }
}

pub(super) fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f32>, D::Error> {
    checked_rate(f64::deserialize(from)?).map(Some).map_err(Error::custom)
}

pub(super) fn checked_rate(rate: f64) -> Result<f32, String> {
    match (0.0..1.0).contains(&rate) && (rate as f32) < 1.0 {
        true => Ok(rate as f32),
        false => Err(format!("a dropout rate must be at least 0 and below 1, got {rate}")),
    }
}

pub(super) fn variance<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f32>, D::Error> {
    checked_variance(f64::deserialize(from)?).map(Some).map_err(Error::custom)
}

pub(super) fn checked_variance(variance: f64) -> Result<f32, String> {
    match variance >= 0.0 && (variance as f32).is_finite() {
        true => Ok(variance as f32),
        false => {
            Err(format!("a variance must be a finite number of at least 0 within the range of f32, got {variance}"))
        }
    }
}

pub(super) fn bits<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    checked_bits(i64::deserialize(from)? as f64).map(Some).map_err(Error::custom)
}

pub(super) fn checked_bits(bits: f64) -> Result<u32, String> {
    match bits == 0.0 || (bits.fract() == 0.0 && BITS.contains(&(bits as i64))) {
        true => Ok(bits as u32),
        false => Err(format!("bits must be 0 or a whole number from {} to {}, got {bits}", BITS.start(), BITS.end())),
    }
}
