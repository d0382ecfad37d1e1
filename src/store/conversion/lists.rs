//! Lists of other types, also nested lists such as feature maps (channels × height × width), as flat row-major lists
//! of one length.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, GenericListArray, OffsetSizeTrait};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float32Type};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::super::cell::list_item;
use super::{Misfit, numbers};

/// Number of values per row of a list column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum RowWidth {
    /// Exact, from the type or from the numbers of values and rows in the footer.
    Each(usize),
    /// An average: lists have different lengths, which the reader of the values reports.
    Mean(usize),
}

impl RowWidth {
    pub(in super::super) fn n_values(self) -> usize {
        match self {
            Self::Each(n_values) | Self::Mean(n_values) => n_values,
        }
    }
}

/// The width of the lists in `column`, from the footer alone; `None` for other columns, and for lists in a file
/// without rows.
pub(in super::super) fn row_width(metadata: &ArrowReaderMetadata, column: &str) -> Option<RowWidth> {
    // The maximum width of Arrow's fixed-size lists.
    const MOST: usize = i32::MAX as usize;
    let index = metadata.schema().index_of(column).ok()?;
    let data_type = metadata.schema().field(index).data_type();
    item(data_type)?;
    if let Some(width) = fixed_width(data_type) {
        return Some(RowWidth::Each(width.clamp(1, MOST)));
    }
    let columns = metadata.parquet_schema();
    let leaf = (0..columns.num_columns()).find(|leaf| columns.get_column_root_idx(*leaf) == index)?;
    let group = metadata.metadata().row_groups().iter().find(|group| group.num_rows() > 0)?;
    let (n_values, n_rows) = (group.columns().get(leaf)?.num_values(), group.num_rows());
    let width = usize::try_from(n_values / n_rows).unwrap_or(0).clamp(1, MOST);
    Some(if n_values % n_rows == 0 { RowWidth::Each(width) } else { RowWidth::Mean(width) })
}

/// Number of values of a flattened list; `None` if the type does not define it.
fn fixed_width(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::FixedSizeList(inner, width) => {
            Some(usize::try_from(*width).ok()?.saturating_mul(fixed_width(inner.data_type())?))
        }
        other => item(other).is_none().then_some(1),
    }
}

/// The type of the entries of a list; `None` for other types.
pub(super) fn item(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::FixedSizeList(item, _)
        | DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => Some(item.data_type()),
        _ => None,
    }
}

/// Whether a type is a list type, and no list in it has the fixed length 0.
pub(super) fn can_hold_values(data_type: &DataType) -> bool {
    let is_empty = matches!(data_type, DataType::FixedSizeList(_, width) if *width < 1);
    item(data_type).is_some_and(|inner| !is_empty && (item(inner).is_none() || can_hold_values(inner)))
}

/// The type of the values of a list, nested or not; other types are returned unchanged.
pub(in super::super) fn innermost(mut data_type: &DataType) -> &DataType {
    while let Some(inner) = item(data_type) {
        data_type = inner;
    }
    data_type
}

/// The type in our tables for lists of `width` values.
pub(super) fn data_type(width: usize) -> DataType {
    DataType::FixedSizeList(list_item(DataType::Float32), width as i32)
}

/// The width of some lists, and the lists as flat lists of f32. There is at least one list, and none is null.
pub(super) fn flattened(lists: &ArrayRef) -> Result<(usize, ArrayRef), Misfit> {
    let (mut values, mut width) = (Arc::clone(lists), 1);
    let of_row = |misfit: Misfit, width: usize| Misfit { place: misfit.place / width, ..misfit };
    while let Some((length, entries)) = entries(&values).map_err(|misfit| of_row(misfit, width))? {
        (values, width) = (entries, width * length);
    }
    let values = numbers::converted(&values, &DataType::Float32).map_err(|misfit| of_row(misfit, width))?;
    let item = list_item(DataType::Float32);
    Ok((width, Arc::new(FixedSizeListArray::new(item, width as i32, values, None))))
}

/// The length of some lists and their entries; `None` for other types. No list may be null.
fn entries(lists: &ArrayRef) -> Result<Option<(usize, ArrayRef)>, Misfit> {
    let (length, entries) = match lists.data_type() {
        DataType::FixedSizeList(_, length) => (*length as usize, Arc::clone(lists.as_fixed_size_list().values())),
        DataType::List(_) => of_one_length(lists.as_list::<i32>())?,
        DataType::LargeList(_) => of_one_length(lists.as_list::<i64>())?,
        DataType::ListView(inner) | DataType::LargeListView(inner) => {
            let wanted = DataType::LargeList(Arc::clone(inner));
            return entries(&numbers::cast_to(lists, &wanted)?);
        }
        _ => return Ok(None),
    };
    if length == 0 {
        return Err(Misfit {
            place: 0,
            problem: "contains an empty list; every row needs a value per unit".to_owned(),
        });
    }
    if let Some(nulls) = entries.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
        let place = (0..nulls.len()).find(|place| nulls.is_null(*place)).unwrap_or(0);
        let problem = "contains a null inside its list; write a number instead, or NaN for a missing value".to_owned();
        return Err(Misfit { place: place / length, problem });
    }
    Ok(Some((length, entries)))
}

/// The common length of some lists, and their entries.
fn of_one_length<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> Result<(usize, ArrayRef), Misfit> {
    let offsets = lists.value_offsets();
    let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]).as_usize());
    let first = lengths.clone().next().unwrap_or(0);
    if let Some((place, other)) = lengths.enumerate().find(|(_, length)| *length != first) {
        let problem = format!(
            "contains a list of {other} entries, the first has {first}; all lists of a column must have one length"
        );
        return Err(Misfit { place, problem });
    }
    let begin = offsets.first().map_or(0, |offset| offset.as_usize());
    Ok((first, lists.values().slice(begin, first * lists.len())))
}

/// The lists with `nulls` inserted at their rows; a null list is filled with zeros.
pub(super) fn spread(lists: &ArrayRef, nulls: NullBuffer) -> ArrayRef {
    let lists = lists.as_fixed_size_list();
    let width = lists.value_length() as usize;
    let mut rows = lists.values().as_primitive::<Float32Type>().values().chunks_exact(width);
    let mut values = vec![0.0; nulls.len() * width];
    for (place, is_there) in values.chunks_exact_mut(width).zip(&nulls) {
        if is_there && let Some(row) = rows.next() {
            place.copy_from_slice(row);
        }
    }
    let values = Arc::new(Float32Array::from(values));
    Arc::new(FixedSizeListArray::new(list_item(DataType::Float32), width as i32, values, Some(nulls)))
}
