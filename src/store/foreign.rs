//! Parquet files of other programs, as named columns of numbers for `infoplane data import`.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

use super::error::StoreError;
use super::files::io_error;
use super::guard::guarded;
use crate::columns::Column;

/// All columns of a Parquet file: numbers, booleans, and lists of them of one length. A null becomes NaN, which whoever
/// chooses the column will refuse.
///
/// # Errors
/// Missing or damaged.
pub fn read_columns(path: &Path) -> Result<Vec<Column>, StoreError> {
    guarded(path, || read(path))
}

fn read(path: &Path) -> Result<Vec<Column>, StoreError> {
    let file = std::fs::File::open(path).map_err(|source| io_error("read", path, source))?;
    let damaged = |problem: String| StoreError::Damaged { path: path.to_owned(), problem };
    // Parquet's own types are enough for numbers. The Arrow schema beside them may name what this reader does not know
    // (128-bit integers of polars), and would keep dictionaries and kinds of lists apart that are one to Parquet.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options);
    let builder = builder.map_err(|e| damaged(e.to_string()))?;
    let schema = builder.schema().clone();
    let mut columns: Vec<Column> = Vec::new();
    for (index, field) in schema.fields().iter().enumerate() {
        let unreadable = unusable(field.data_type()).or_else(|| compression(builder.metadata(), index));
        columns.push(match unreadable {
            Some(problem) => Column::unusable(field.name(), problem),
            None => Column::new(field.name(), 0, Vec::new()),
        });
    }
    let usable = (0..columns.len()).filter(|index| columns[*index].problem.is_none()).collect::<Vec<_>>();
    if usable.is_empty() {
        return Ok(columns);
    }
    let projection = ProjectionMask::roots(builder.parquet_schema(), usable.iter().copied());
    for batch in builder.with_projection(projection).build().map_err(|e| damaged(e.to_string()))? {
        let batch = batch.map_err(|e| damaged(e.to_string()))?;
        for (index, array) in usable.iter().zip(batch.columns()) {
            let column = &mut columns[*index];
            if let Err(problem) = append(column, array) {
                column.problem.get_or_insert(problem);
            }
        }
    }
    // A file without rows leaves the widths unknown.
    columns.iter_mut().for_each(|column| column.width = column.width.max(1));
    Ok(columns)
}

/// Why a column of this type cannot be used, where it cannot.
fn unusable(data_type: &DataType) -> Option<String> {
    let item = match data_type {
        DataType::List(item) => item.data_type(),
        other => other,
    };
    (!is_number(item)).then(|| format!("is of type {data_type}; only numbers and lists of numbers can be used"))
}

/// Which compression keeps the column number `index` from being read, if any does.
fn compression(metadata: &ParquetMetaData, index: usize) -> Option<String> {
    let schema = metadata.file_metadata().schema_descr();
    let leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == index);
    let mut codecs = leaves.flat_map(|leaf| metadata.row_groups().iter().map(move |g| g.column(leaf).compression()));
    let name = codecs.find_map(|codec| match codec {
        Compression::BROTLI(_) => Some("brotli"),
        Compression::LZO => Some("LZO"),
        _ => None,
    })?;
    Some(format!("is compressed with {name}, which this program does not read; write the file with zstd"))
}

fn append(column: &mut Column, array: &ArrayRef) -> Result<(), String> {
    let rows: Vec<ArrayRef> = match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().iter().flatten().collect(),
        _ => vec![Arc::clone(array)],
    };
    let is_list = !is_number(array.data_type());
    if is_list && rows.len() < array.len() {
        return Err("holds nulls; every sample needs every value".to_owned());
    }
    for row in rows {
        let width = if is_list { row.len() } else { 1 };
        if width == 0 {
            return Err("holds lists without values".to_owned());
        }
        if column.width == 0 {
            column.width = width;
        }
        if column.width != width {
            return Err(format!("holds lists of {} and of {width} values; all must have one length", column.width));
        }
        let numbers = cast(&row, &DataType::Float64).map_err(|e| e.to_string())?;
        column.values.extend(numbers.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)));
    }
    Ok(())
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || *data_type == DataType::Boolean
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use arrow::array::{
        Decimal128Array, DictionaryArray, FixedSizeListArray, Float16Array, Float64Array, Int8Array, Int64Array,
        RecordBatch, StringArray,
    };
    use arrow::datatypes::{Field, Float16Type, Int8Type};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ArrowReaderMetadata;
    use parquet::arrow::arrow_writer::ArrowWriterOptions;
    use parquet::basic::BrotliLevel;
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;

    use super::*;

    fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    fn columns(content: &[u8]) -> Result<Vec<Column>, StoreError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.parquet");
        fs::write(&path, content).unwrap();
        read_columns(&path)
    }

    #[test]
    fn numbers_of_unusual_types_are_read() {
        let half = |values: &[f32]| -> ArrayRef {
            let values = values.iter().map(|v| cast(&arrow::array::Float32Array::from(vec![*v]), &DataType::Float16));
            let values = values.map(|v| v.unwrap().as_primitive::<Float16Type>().value(0));
            Arc::new(Float16Array::from_iter_values(values))
        };
        let keys = Int8Array::from(vec![1, 0, 1]);
        let dictionary = DictionaryArray::<Int8Type>::new(keys, Arc::new(Int64Array::from(vec![-5, 70])));
        let decimal = Decimal128Array::from(vec![125, -50, 0]).with_precision_and_scale(9, 2).unwrap();
        let content = parquet(vec![
            ("half", half(&[0.5, -2.0, 0.0])),
            ("dictionary", Arc::new(dictionary)),
            ("decimal", Arc::new(decimal)),
        ]);
        let values: Vec<Vec<f64>> = columns(&content).unwrap().into_iter().map(|c| c.values).collect();
        assert_eq!(values, [vec![0.5, -2.0, 0.0], vec![70.0, -5.0, 70.0], vec![1.25, -0.5, 0.0]]);
    }

    #[test]
    fn a_column_that_is_no_number_keeps_no_other_from_being_read() {
        let content = parquet(vec![
            ("name", Arc::new(StringArray::from(vec!["one", "two"]))),
            ("a", Arc::new(Float64Array::from(vec![1.0, 2.0]))),
        ]);
        let columns = columns(&content).unwrap();
        assert_eq!(columns[1], Column::new("a", 1, vec![1.0, 2.0]));
        let problem = columns[0].problem.as_deref();
        assert_eq!(problem, Some("is of type Utf8; only numbers and lists of numbers can be used"));
    }

    #[test]
    fn an_arrow_schema_that_nobody_understands_does_not_matter() {
        let batch = RecordBatch::try_from_iter([("a", Arc::new(Float64Array::from(vec![1.0, 2.0])) as ArrayRef)]);
        let strange = KeyValue::new("ARROW:schema".to_owned(), "not a schema".to_owned());
        let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![strange])).build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let batch = batch.unwrap();
        let mut writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        assert_eq!(columns(&writer.into_inner().unwrap()).unwrap(), [Column::new("a", 1, vec![1.0, 2.0])]);
    }

    #[test]
    fn a_compression_that_cannot_be_undone_is_named() {
        let content = parquet(vec![("a", Arc::new(Float64Array::from(vec![1.0, 2.0])))]);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).unwrap();
        let with = |codec: Compression| {
            let group = metadata.metadata().row_group(0);
            let column = group.column(0).clone().into_builder().set_compression(codec).build().unwrap();
            let group = group.clone().into_builder().set_column_metadata(vec![column]).build().unwrap();
            let file = metadata.metadata().file_metadata().clone();
            compression(&ParquetMetaData::new(file, vec![group]), 0)
        };
        let problem = with(Compression::BROTLI(BrotliLevel::default())).unwrap();
        assert!(problem.starts_with("is compressed with brotli, which this program does not read"), "{problem}");
        assert_eq!(with(Compression::SNAPPY), None);
    }

    /// One bit of every byte, each time another one.
    #[test]
    fn a_flipped_bit_never_ends_in_a_panic() {
        let item = Arc::new(Field::new("item", DataType::Float64, false));
        let list = FixedSizeListArray::new(item, 2, Arc::new(Float64Array::from(vec![0.5; 8])), None);
        let content = parquet(vec![
            ("x", Arc::new(list)),
            ("y", Arc::new(Int64Array::from(vec![0, 1, 1, 0]))),
            ("name", Arc::new(StringArray::from(vec!["a", "b", "c", "d"]))),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.parquet");
        let mut n_refused = 0;
        for bit in (0..8 * content.len()).step_by(7) {
            let mut flipped = content.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, flipped).unwrap();
            let _ = crate::store::read_footer(&path, "samples");
            n_refused += usize::from(read_columns(&path).is_err());
        }
        assert!(n_refused > 0);
    }
}
