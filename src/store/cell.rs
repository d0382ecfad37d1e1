//! Conversion of Rust values to Arrow columns and back: one implementation per type that a table may use.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int32Type, Int64Type};

use super::schema::Column;
use crate::layer_id::LayerId;

/// A type that can be a column of a table.
pub(super) trait Cell: Sized {
    /// Arrow type of the column, and whether it may be null.
    const KIND: &'static str;
    /// Whether the column may have nulls.
    const NULLABLE: bool;
    /// Value of a column that is missing in the file; `None` if the column is required.
    const MISSING: Option<Self> = None;

    /// The Arrow type; `width` is the length of list columns and is ignored for other types.
    fn data_type(width: usize) -> DataType;

    /// The column made of some cells; every list must have `width` entries.
    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, width: usize) -> ArrayRef
    where
        Self: 'a;

    /// The cell in `row`; `None` if the column has another type or an unexpected null.
    fn from_array(array: &dyn Array, row: usize) -> Option<Self>;

    /// The values that the column may have, if it is a column with a fixed set of strings.
    const WORDS: &'static [&'static str] = &[];

    /// Columns computed from this one and written after it, for readers of the file; they are not read back.
    const DERIVED: &'static [Column] = &[];

    /// The derived columns of some cells.
    fn derived_arrays<'a>(_cells: impl Iterator<Item = &'a Self> + Clone) -> Vec<ArrayRef>
    where
        Self: 'a,
    {
        Vec::new()
    }

    /// The `n` cells of a column; `None` if a required column is missing, or has another type or an unexpected null.
    fn read(column: Option<&ArrayRef>, n: usize) -> Option<Vec<Self>> {
        match column {
            Some(array) => (0..n).map(|row| Self::from_array(array, row)).collect(),
            None => (0..n).map(|_| Self::MISSING).collect(),
        }
    }

    /// Whether every number in the cell is finite.
    fn is_finite(&self) -> bool {
        true
    }

    /// The length of a list, 0 for other types.
    fn width(&self) -> usize {
        0
    }
}

macro_rules! primitive {
    ($type:ty, $kind:literal, $data_type:expr, $array:ty, $arrow:ty, $is_finite:expr) => {
        impl Cell for $type {
            const KIND: &'static str = $kind;
            const NULLABLE: bool = false;

            fn data_type(_: usize) -> DataType {
                $data_type
            }

            fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
                Arc::new(<$array>::from_iter_values(cells.copied()))
            }

            fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
                array.is_valid(row).then(|| array.as_primitive_opt::<$arrow>().map(|a| a.value(row)))?
            }

            fn is_finite(&self) -> bool {
                $is_finite(self)
            }
        }
    };
}

primitive!(i32, "int32", DataType::Int32, Int32Array, Int32Type, |_: &i32| true);
primitive!(i64, "int64", DataType::Int64, Int64Array, Int64Type, |_: &i64| true);
primitive!(f64, "float64", DataType::Float64, Float64Array, Float64Type, |value: &f64| f64::is_finite(*value));

impl Cell for String {
    const KIND: &'static str = "string";
    const NULLABLE: bool = false;

    fn data_type(_: usize) -> DataType {
        DataType::Utf8
    }

    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(cells))
    }

    fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
        array.is_valid(row).then(|| array.as_string_opt::<i32>().map(|a| a.value(row).to_owned()))?
    }
}

macro_rules! nullable_primitive {
    ($type:ty, $kind:literal, $data_type:expr, $array:ty, $arrow:ty) => {
        impl Cell for Option<$type> {
            const KIND: &'static str = $kind;
            const NULLABLE: bool = true;
            const MISSING: Option<Self> = Some(None);

            fn data_type(_: usize) -> DataType {
                $data_type
            }

            fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
                Arc::new(cells.copied().collect::<$array>())
            }

            fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
                array.as_primitive_opt::<$arrow>().map(|a| a.is_valid(row).then(|| a.value(row)))
            }

            fn is_finite(&self) -> bool {
                self.as_ref().is_none_or(Cell::is_finite)
            }
        }
    };
}

nullable_primitive!(i32, "int32, null", DataType::Int32, Int32Array, Int32Type);
nullable_primitive!(i64, "int64, null", DataType::Int64, Int64Array, Int64Type);
nullable_primitive!(f64, "float64, null", DataType::Float64, Float64Array, Float64Type);

impl Cell for LayerId {
    const KIND: &'static str = "int32";
    const NULLABLE: bool = false;

    fn data_type(_: usize) -> DataType {
        DataType::Int32
    }

    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(cells.map(|layer| i32::from(*layer))))
    }

    fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
        i32::from_array(array, row).and_then(Self::of_number)
    }
}

/// The layer of a claim, which is null for claims without a layer; such columns have 64 bits in all versions.
impl Cell for Option<LayerId> {
    const KIND: &'static str = "int64, null";
    const NULLABLE: bool = true;
    const MISSING: Option<Self> = Some(None);

    fn data_type(_: usize) -> DataType {
        DataType::Int64
    }

    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
        Arc::new(cells.map(|layer| layer.map(|layer| i32::from(layer).into())).collect::<Int64Array>())
    }

    fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
        match Option::<i64>::from_array(array, row)? {
            None => Some(None),
            Some(number) => LayerId::of_number(number).map(Some),
        }
    }
}

macro_rules! nullable_text {
    ($type:ty) => {
        impl Cell for Option<$type> {
            const KIND: &'static str = "string, null";
            const NULLABLE: bool = true;
            const MISSING: Option<Self> = Some(None);

            fn data_type(_: usize) -> DataType {
                DataType::Utf8
            }

            fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
                Arc::new(cells.map(Option::as_deref).collect::<StringArray>())
            }

            fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
                array.as_string_opt::<i32>().map(|a| a.is_valid(row).then(|| a.value(row).into()))
            }
        }
    };
}

nullable_text!(String);
// For strings that many rows share.
nullable_text!(Arc<str>);

impl Cell for Vec<f32> {
    const KIND: &'static str = "fixed-size list of float32";
    const NULLABLE: bool = false;

    fn data_type(width: usize) -> DataType {
        DataType::FixedSizeList(list_item(DataType::Float32), width as i32)
    }

    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, width: usize) -> ArrayRef {
        let values: Float32Array = cells.flatten().copied().collect::<Vec<f32>>().into();
        Arc::new(FixedSizeListArray::new(list_item(DataType::Float32), width as i32, Arc::new(values), None))
    }

    fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
        let list = array.as_fixed_size_list_opt()?;
        let values = list.is_valid(row).then(|| list.value(row))?;
        let values = values.as_primitive_opt::<Float32Type>()?;
        (values.null_count() == 0).then(|| values.values().to_vec())
    }

    fn is_finite(&self) -> bool {
        self.iter().all(|value| value.is_finite())
    }

    fn width(&self) -> usize {
        self.len()
    }
}

impl Cell for Option<Vec<f32>> {
    const KIND: &'static str = "fixed-size list of float32, null";
    const NULLABLE: bool = true;
    const MISSING: Option<Self> = Some(None);

    /// A list column with only nulls gets the width 1, because some Parquet readers fail on lists of width 0.
    fn data_type(width: usize) -> DataType {
        <Vec<f32> as Cell>::data_type(width.max(1))
    }

    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, width: usize) -> ArrayRef {
        let width = width.max(1);
        let (mut values, mut is_valid) = (Vec::new(), Vec::new());
        for cell in cells {
            is_valid.push(cell.is_some());
            match cell {
                Some(cell) => values.extend_from_slice(cell),
                None => values.resize(values.len() + width, 0.0),
            }
        }
        let values = Arc::new(Float32Array::from(values));
        let item = list_item(DataType::Float32);
        Arc::new(FixedSizeListArray::new(item, width as i32, values, Some(is_valid.into())))
    }

    fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
        if array.is_null(row) {
            return array.as_fixed_size_list_opt().map(|_| None);
        }
        <Vec<f32> as Cell>::from_array(array, row).map(Some)
    }

    fn is_finite(&self) -> bool {
        self.as_ref().is_none_or(Cell::is_finite)
    }

    fn width(&self) -> usize {
        self.as_ref().map_or(0, Vec::len)
    }
}

/// The element type of list columns, never null.
pub(super) fn list_item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", data_type, false))
}
