//! Conversion of columns that another program wrote in other types: to equal numbers in the types of our tables, or to
//! an error with the number that cannot be converted and what to do. Files of this program need no conversion.

mod lists;
mod names;
mod numbers;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Field, Schema};

pub(super) use lists::{RowWidth, innermost, row_width};
use names::short;

/// A column that cannot be read, with the reason.
#[derive(Debug, PartialEq)]
pub(super) struct Unreadable {
    pub(super) column: String,
    pub(super) problem: String,
}

/// A value that the wanted type cannot represent: its index in the array, and the reason.
#[derive(Debug, PartialEq)]
struct Misfit {
    place: usize,
    problem: String,
}

/// Turns the batches of one file, in order, into the types of our tables.
#[derive(Debug, Clone)]
pub(super) struct Conversion {
    columns: Vec<ForeignColumn>,
    /// Number of rows in the previous batches.
    n_rows: usize,
}

#[derive(Debug, Clone)]
struct ForeignColumn {
    name: String,
    index: usize,
    wanted: DataType,
    is_nullable: bool,
    /// Number of values per row of a list column, once it is known.
    width: Option<usize>,
}

impl Conversion {
    /// The conversion of a file with this `schema` to a table with the `wanted` columns; lists may have any width.
    ///
    /// # Errors
    /// A column is missing, or of a type that cannot be converted.
    pub(super) fn new(schema: &Schema, wanted: &Schema) -> Result<Self, Unreadable> {
        let mut columns = Vec::new();
        for field in wanted.fields() {
            let unreadable = |problem: String| Unreadable { column: field.name().clone(), problem };
            let (index, got) = match schema.index_of(field.name()) {
                Ok(index) => (index, schema.field(index).data_type()),
                // A column that may be null may also be missing.
                Err(_) if field.is_nullable() => continue,
                Err(_) => return Err(unreadable("missing; see docs/schema.md".to_owned())),
            };
            if is_same(got, field.data_type()) {
                continue;
            }
            let is_null_throughout = field.is_nullable() && *got == DataType::Null;
            if !is_null_throughout && !can_convert(got, field.data_type()) {
                return Err(unreadable(refusal(got, field.data_type())));
            }
            columns.push(ForeignColumn {
                name: field.name().clone(),
                index,
                wanted: field.data_type().clone(),
                is_nullable: field.is_nullable(),
                width: None,
            });
        }
        Ok(Self { columns, n_rows: 0 })
    }

    /// Whether this column has another type than in our tables.
    pub(super) fn converts(&self, column: &str) -> bool {
        self.columns.iter().any(|foreign| foreign.name == column)
    }

    /// Requires this number of values in every list of `column`.
    pub(super) fn expect_width(&mut self, column: &str, width: usize) {
        for foreign in self.columns.iter_mut().filter(|foreign| foreign.name == column) {
            foreign.width = Some(width);
        }
    }

    /// The next batch of the file, in the types of our tables.
    ///
    /// # Errors
    /// A value that our type cannot represent, lists of different lengths, or a null inside a list.
    pub(super) fn apply(&mut self, batch: RecordBatch) -> Result<RecordBatch, Unreadable> {
        let n_before = self.n_rows;
        self.n_rows += batch.num_rows();
        if self.columns.is_empty() {
            return Ok(batch);
        }
        let mut arrays = batch.columns().to_vec();
        let mut fields: Vec<Arc<Field>> = batch.schema().fields().iter().cloned().collect();
        for foreign in &mut self.columns {
            let converted = foreign.convert(&arrays[foreign.index]).map_err(|misfit| Unreadable {
                column: foreign.name.clone(),
                problem: format!("row {} {}", n_before + misfit.place, misfit.problem),
            })?;
            fields[foreign.index] = Arc::new(Field::new(&foreign.name, converted.data_type().clone(), true));
            arrays[foreign.index] = converted;
        }
        let unreadable = |e: arrow::error::ArrowError| Unreadable {
            column: self.columns[0].name.clone(),
            problem: format!("cannot be converted: {e}"),
        };
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(unreadable)
    }
}

impl ForeignColumn {
    /// The column in its wanted type; the index of a misfit is its row.
    fn convert(&mut self, array: &ArrayRef) -> Result<ArrayRef, Misfit> {
        if *array.data_type() == DataType::Null {
            return Ok(new_null_array(&self.wanted, array.len()));
        }
        if !matches!(self.wanted, DataType::FixedSizeList(..)) {
            return numbers::converted(array, &self.wanted);
        }
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let Some(nulls) = nulls else { return self.convert_lists(array) };
        let rows: Vec<usize> = (0..array.len()).filter(|row| nulls.is_valid(*row)).collect();
        if !self.is_nullable {
            let place = (0..array.len()).find(|row| nulls.is_null(*row)).unwrap_or(0);
            return Err(Misfit { place, problem: "contains a null; every row needs a list of numbers".to_owned() });
        }
        let cannot = |e: arrow::error::ArrowError| Misfit { place: 0, problem: format!("cannot be read: {e}") };
        let there = filter(array, &BooleanArray::new(nulls.inner().clone(), None)).map_err(cannot)?;
        if there.is_empty() {
            return Ok(new_null_array(&lists::data_type(self.width.unwrap_or(1)), array.len()));
        }
        let there = self.convert_lists(&there).map_err(|misfit| Misfit { place: rows[misfit.place], ..misfit })?;
        Ok(lists::spread(&there, nulls))
    }

    /// Lists without null lists, as flat lists of one length.
    fn convert_lists(&mut self, array: &ArrayRef) -> Result<ArrayRef, Misfit> {
        if array.is_empty() {
            return Ok(new_null_array(&lists::data_type(self.width.unwrap_or(1)), 0));
        }
        let (width, converted) = lists::flattened(array)?;
        match self.width.replace(width) {
            Some(before) if before != width => {
                let problem =
                    format!("has {width} values, but earlier rows of the file have {before}; all must have one length");
                Err(Misfit { place: 0, problem })
            }
            _ => Ok(converted),
        }
    }
}

/// The first row of a column that is null or contains a null inside a list.
pub(super) fn row_of_null(array: &dyn Array) -> Option<usize> {
    let is_null = |row: &usize| match array.as_fixed_size_list_opt() {
        _ if array.is_null(*row) => true,
        Some(lists) => lists.value(*row).null_count() > 0,
        None => false,
    };
    (0..array.len()).find(is_null)
}

/// Whether a column of type `got` is read without conversion; lists may have any width.
fn is_same(got: &DataType, wanted: &DataType) -> bool {
    match (got, wanted) {
        (DataType::FixedSizeList(got, width), DataType::FixedSizeList(wanted, _)) => {
            *width > 0 && got.data_type() == wanted.data_type()
        }
        _ => got == wanted,
    }
}

/// Whether values of type `got` can be converted to `wanted`, if they fit.
fn can_convert(got: &DataType, wanted: &DataType) -> bool {
    let got = match got {
        DataType::Dictionary(_, value) => value.as_ref(),
        other => other,
    };
    let is_whole = got.is_integer() || *got == DataType::Boolean;
    match wanted {
        DataType::FixedSizeList(item, _) => {
            lists::can_hold_values(got) && can_convert(lists::innermost(got), item.data_type())
        }
        DataType::Utf8 => matches!(got, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        DataType::Int32 | DataType::Int64 => is_whole,
        DataType::Float32 | DataType::Float64 => is_whole || got.is_floating() || got.is_decimal(),
        _ => false,
    }
}

/// Why a column of type `got` cannot be converted to `wanted`, and what to do.
fn refusal(got: &DataType, wanted: &DataType) -> String {
    let got_name = short(got);
    match wanted {
        DataType::FixedSizeList(..) => {
            let remedy = match lists::item(got) {
                None => "write one list per row, even for a single value",
                Some(_) if !lists::can_hold_values(got) => "write one value per unit",
                Some(_) => "write numbers: values.astype(np.float32)",
            };
            format!(
                "must be a list of numbers per row, all of one length (float32, float16, float64 or integers), got {got_name}; {remedy}"
            )
        }
        DataType::Utf8 => format!("must be string, got {got_name}; convert it before writing"),
        DataType::Int32 | DataType::Int64 => {
            let name = short(wanted);
            let remedy = match can_convert(got, &DataType::Utf8) {
                true => "number them: np.unique(values, return_inverse=True)[1]".to_owned(),
                false => format!("cast it: values.astype(np.{name})"),
            };
            format!("must be {name} or another integer type, got {got_name}; {remedy}")
        }
        DataType::Float32 | DataType::Float64 => {
            let name = short(wanted);
            format!("must be {name} or another type of numbers, got {got_name}; cast it: values.astype(np.{name})")
        }
        other => format!("must be {}, got {got_name}", short(other)),
    }
}

#[cfg(test)]
mod tests;
