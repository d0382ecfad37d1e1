//! The large tables: activations and pre-activations. One file per run, layer and part of the run, and one row group
//! per recorded snapshot (several if it would be too large).
//!
//! Values go from the training loop to the file, and from the file to an estimator, as one flat slice without row
//! objects. A reader of one snapshot reads only the bytes of that snapshot.

mod reader;
mod writer;

use std::sync::Arc;

use arrow::datatypes::{ArrowPrimitiveType, DataType, Float16Type, Schema};
use parquet::basic::Encoding;

use super::cell::list_item;
use super::schema::{ActivationRow, PreActivationRow, Row};
use crate::estimate_id::Values;
use crate::suggest::Named;
pub use reader::ActivationReader;
pub use writer::ActivationWriter;

/// Largest row group, in bytes of raw f32: the memory that a reader needs for a snapshot of a wide layer.
const ROW_GROUP_BYTES: usize = 64 << 20;

type F16 = <Float16Type as ArrowPrimitiveType>::Native;

/// Precision of the stored values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// Values as computed, with 32 bits.
    #[default]
    F32,
    /// 16 bits: 11 significant bits, up to 65504, half the size.
    F16,
}

impl Named for Precision {
    const ALL: &'static [Self] = &[Self::F32, Self::F16];

    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }
}

impl Precision {
    /// The first of `values` that is finite but becomes infinite when stored.
    pub fn overflow(self, values: &[f32]) -> Option<f32> {
        let overflows = |value: &&f32| value.is_finite() && !F16::from_f32(**value).is_finite();
        if self == Precision::F32 { None } else { values.iter().find(overflows).copied() }
    }

    fn data_type(self) -> DataType {
        match self {
            Precision::F32 => DataType::Float32,
            Precision::F16 => DataType::Float16,
        }
    }
}

impl Values {
    /// Name of the column with the values.
    pub(super) fn column(self) -> &'static str {
        match self {
            Values::Activations => "t",
            Values::PreActivations => "z",
        }
    }

    /// The Arrow schema for a layer of `n_units`.
    pub(super) fn schema(self, n_units: usize, precision: Precision) -> Arc<Schema> {
        let values = vec![0.0; n_units];
        let schema = match self {
            Values::Activations => ActivationRow::schema(&[ActivationRow { epoch: 0, step: 0, sample: 0, t: values }]),
            Values::PreActivations => {
                PreActivationRow::schema(&[PreActivationRow { epoch: 0, step: 0, sample: 0, z: values }])
            }
        };
        let list = DataType::FixedSizeList(list_item(precision.data_type()), n_units as i32);
        let fields = schema.fields().iter().map(|field| match field.name() == self.column() {
            true => Arc::new(field.as_ref().clone().with_data_type(list.clone())),
            false => Arc::clone(field),
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// The kind of values in a file, and how they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The kind of values.
    pub values: Values,
    /// Their precision.
    pub precision: Precision,
    /// How many of them are exactly 0.
    pub zeros: Zeros,
}

/// Whether zeros are frequent. It does not change the values, only the size of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// For example after tanh: grouping bytes of equal significance compresses best.
    Few,
    /// For example after ReLU: runs of zeros compress best unchanged.
    Many,
}

impl Shape {
    fn encoding(self) -> Encoding {
        match self {
            Shape { precision: Precision::F32, zeros: Zeros::Few, .. } => Encoding::BYTE_STREAM_SPLIT,
            // DuckDB cannot read the byte-stream split of f16.
            _ => Encoding::PLAIN,
        }
    }
}

/// The values of one layer at one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    /// Number of complete passes over the training samples.
    pub epoch: i32,
    /// Number of weight updates.
    pub step: i64,
    /// Numbers of the samples, ascending.
    pub samples: Vec<i32>,
    /// n_samples × n_units, sample after sample.
    pub t: Vec<f32>,
}
