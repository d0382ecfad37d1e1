//! Parquet files of other programs, read as named columns of numbers and strings for `infoplane data import`.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

use super::error::StoreError;
use super::files::open_file;
use super::guard::guarded;
use crate::columns::{Column, Words};
use crate::memory::Room;

/// All columns of a Parquet file: numbers, booleans, strings, and lists of numbers of equal length. A null number
/// becomes NaN, which is refused if the column is selected.
///
/// # Errors
/// The file is missing or damaged, or larger than the memory limit.
pub fn read_columns(path: &Path, room: &mut Room) -> Result<Vec<Column>, StoreError> {
    guarded(path, || read(path, room))
}

fn read(path: &Path, room: &mut Room) -> Result<Vec<Column>, StoreError> {
    let file = open_file(path)?;
    let damaged = |problem: String| StoreError::Damaged { path: path.to_owned(), problem };
    // The types of Parquet are sufficient for numbers. The embedded Arrow schema may name types that this reader does
    // not know
    // (128-bit integers of polars), and would distinguish dictionaries and kinds of lists that are equal in Parquet.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options);
    let builder = builder.map_err(|e| damaged(e.to_string()))?;
    let schema = builder.schema().clone();
    let mut columns: Vec<Column> = Vec::new();
    let indices = pandas_indices(builder.metadata());
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
    let too_large = |problem: String| StoreError::Rows { path: path.to_owned(), problem };
    let (n_promised, mut n_read) = (n_values(builder.metadata(), &usable), 0);
    room.take_numbers(n_promised, "its table").map_err(too_large)?;
    let mut words: Vec<Option<Words>> =
        schema.fields().iter().map(|field| is_words(field.data_type()).then(Words::default)).collect();
    let projection = ProjectionMask::roots(builder.parquet_schema(), usable.iter().copied());
    for batch in builder.with_projection(projection).build().map_err(|e| damaged(e.to_string()))? {
        let batch = batch.map_err(|e| damaged(e.to_string()))?;
        for (index, array) in usable.iter().zip(batch.columns()) {
            let column = &mut columns[*index];
            let before = column.values.len();
            let appended = match &mut words[*index] {
                Some(words) => append_words(words, array),
                None => append(column, array),
            };
            if let Err(problem) = appended {
                column.problem.get_or_insert(problem);
            }
            // A footer may declare fewer values than the pages contain.
            n_read += column.values.len() - before;
            if n_read as u128 > n_promised {
                return Err(damaged("it contains more values than its footer declares".to_owned()));
            }
        }
    }
    for (column, words) in columns.iter_mut().zip(words) {
        if let Some(words) = words {
            let found = words.column(&column.name);
            *column = Column { problem: column.problem.take().or(found.problem), ..found };
        }
    }
    for column in columns.iter_mut().filter(|column| indices.contains(&column.name)) {
        column.left_out = Some(format!("`{}`, which is an index of pandas", column.name));
    }
    // In a file without rows, the width of a list is unknown.
    columns.iter_mut().for_each(|column| column.width = column.width.max(1));
    Ok(columns)
}

/// The columns that pandas lists in the footer as row names.
fn pandas_indices(metadata: &ParquetMetaData) -> Vec<String> {
    let entries = metadata.file_metadata().key_value_metadata();
    let note = entries.into_iter().flatten().find(|entry| entry.key == "pandas").and_then(|entry| entry.value.as_ref());
    // Other entries of the list are ignored: an index of consecutive numbers is an object and has no column.
    let note: serde_json::Value = note.and_then(|note| serde_json::from_str(note).ok()).unwrap_or_default();
    let names = note["index_columns"].as_array().into_iter().flatten();
    names.filter_map(|name| name.as_str()).map(str::to_owned).collect()
}

/// Why a column of this type cannot be used; `None` if it can.
fn unusable(data_type: &DataType) -> Option<String> {
    let item = match data_type {
        DataType::List(item) => item.data_type(),
        other => other,
    };
    let is_usable = is_number(item) || *item == DataType::Boolean || is_words(data_type);
    (!is_usable).then(|| format!("is of type {data_type}; only numbers, lists of numbers and strings can be used"))
}

/// The values of some columns, in the order of the footer.
fn n_values(metadata: &ParquetMetaData, columns: &[usize]) -> u128 {
    let schema = metadata.file_metadata().schema_descr();
    let leaves: Vec<usize> =
        (0..schema.num_columns()).filter(|leaf| columns.contains(&schema.get_column_root_idx(*leaf))).collect();
    let of_group =
        |leaf: &usize| metadata.row_groups().iter().map(|g| g.column(*leaf).num_values()).collect::<Vec<_>>();
    leaves.iter().flat_map(of_group).map(|n| u128::try_from(n).unwrap_or(0)).sum()
}

fn append_words(words: &mut Words, array: &ArrayRef) -> Result<(), String> {
    let texts = cast(array, &DataType::Utf8).map_err(|e| e.to_string())?;
    texts.as_string::<i32>().iter().for_each(|word| words.push(word.unwrap_or("null")));
    Ok(())
}

/// The compression that this program cannot read, if the column number `index` has one.
fn compression(metadata: &ParquetMetaData, index: usize) -> Option<String> {
    let schema = metadata.file_metadata().schema_descr();
    let leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == index);
    let mut codecs = leaves.flat_map(|leaf| metadata.row_groups().iter().map(move |g| g.column(leaf).compression()));
    let name = codecs.find_map(|codec| match codec {
        Compression::BROTLI(_) => Some("brotli"),
        Compression::LZO => Some("LZO"),
        _ => None,
    })?;
    Some(format!("is compressed with {name}, which this program cannot read; write the file with zstd"))
}

fn append(column: &mut Column, array: &ArrayRef) -> Result<(), String> {
    let rows: Vec<ArrayRef> = match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().iter().flatten().collect(),
        _ => vec![Arc::clone(array)],
    };
    let is_list = !is_number(array.data_type());
    if is_list && rows.len() < array.len() {
        return Err("contains nulls; every sample needs every value".to_owned());
    }
    for row in rows {
        let width = if is_list { row.len() } else { 1 };
        if width == 0 {
            return Err("contains empty lists".to_owned());
        }
        if column.width == 0 {
            column.width = width;
        }
        if column.width != width {
            return Err(format!("contains lists of {} and of {width} values; all must have one length", column.width));
        }
        if let Some(digits) = whole_numbers(&row)? {
            digits.into_iter().for_each(|number| column.push_whole(number));
            continue;
        }
        let numbers = cast(&row, &DataType::Float64).map_err(|e| e.to_string())?;
        column.values.extend(numbers.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)));
    }
    Ok(())
}

/// 64-bit whole numbers without nulls, which may lose digits in f64.
fn whole_numbers(row: &ArrayRef) -> Result<Option<Vec<i128>>, String> {
    if row.null_count() > 0 {
        return Ok(None);
    }
    Ok(match row.data_type() {
        DataType::Int64 => Some(row.as_primitive::<Int64Type>().values().iter().map(|v| i128::from(*v)).collect()),
        DataType::UInt64 => Some(row.as_primitive::<UInt64Type>().values().iter().map(|v| i128::from(*v)).collect()),
        _ => None,
    })
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// Strings, and booleans as two strings.
fn is_words(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, DictionaryArray, FixedSizeListArray, Float16Array, Float64Array,
        Int8Array, Int64Array, RecordBatch, StringArray,
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

    fn room() -> Room {
        Room::of_bytes(1 << 20)
    }

    fn columns(content: &[u8]) -> Result<Vec<Column>, StoreError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.parquet");
        fs::write(&path, content).unwrap();
        read_columns(&path, &mut room())
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
    fn texts_and_booleans_are_read_and_other_arrays_are_reported() {
        let keys = Int8Array::from(vec![0, 1]);
        let dictionary = DictionaryArray::<Int8Type>::new(keys, Arc::new(StringArray::from(vec!["ox", "cat"])));
        let content = parquet(vec![
            ("name", Arc::new(StringArray::from(vec!["two", "one"]))),
            ("kind", Arc::new(dictionary)),
            ("flag", Arc::new(BooleanArray::from(vec![true, true]))),
            ("null", Arc::new(StringArray::from(vec![Some("two"), None]))),
            ("date", Arc::new(Date32Array::from(vec![1, 2]))),
            ("a", Arc::new(Float64Array::from(vec![1.0, 2.0]))),
        ]);
        let columns = columns(&content).unwrap();
        let words: Vec<(&[String], &[f64])> =
            columns[..3].iter().map(|c| (c.words.as_slice(), c.values.as_slice())).collect();
        let pair = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(words[0], (pair("one", "two").as_slice(), [1.0, 0.0].as_slice()));
        assert_eq!(words[1], (pair("cat", "ox").as_slice(), [1.0, 0.0].as_slice()));
        assert_eq!(words[2], (pair("false", "true").as_slice(), [1.0, 1.0].as_slice()));
        let problem = columns[3].problem.as_deref().unwrap();
        assert!(problem.starts_with("row 1 is `null`, which means a missing value"), "{problem}");
        let problem = columns[4].problem.as_deref();
        assert_eq!(problem, Some("is of type Date32; only numbers, lists of numbers and strings can be used"));
        assert_eq!(columns[5], Column::new("a", 1, vec![1.0, 2.0]));
    }

    #[test]
    fn whole_numbers_of_64_bits_keep_their_digits_and_a_table_without_room_is_refused() {
        let numbers = [(1 << 53) + 1, i64::MIN, 3];
        let content = parquet(vec![("id", Arc::new(Int64Array::from(numbers.to_vec())))]);
        let column = &columns(&content).unwrap()[0];
        assert_eq!((0..3).map(|at| column.shown(at)).collect::<Vec<_>>(), numbers.map(|number| number.to_string()));
        let many = parquet(vec![("id", Arc::new(Int64Array::from(vec![0; 200_000])))]);
        let refused = columns(&many).unwrap_err().to_string();
        assert!(
            refused.ends_with("its table needs 2.4 MB of memory; this machine has 1.0 MB; use one with more memory"),
            "{refused}"
        );
    }

    #[test]
    fn an_unknown_arrow_schema_is_ignored() {
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
    fn an_index_that_pandas_noted_is_left_out() {
        let number = || Arc::new(Float64Array::from(vec![1.0, 2.0])) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("a", number()), ("time", number())]).unwrap();
        let note = r#"{"index_columns": ["time", {"kind": "range"}]}"#;
        let note = KeyValue::new("pandas".to_owned(), note.to_owned());
        let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![note])).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        let columns = columns(&writer.into_inner().unwrap()).unwrap();
        assert_eq!(columns[0].left_out, None);
        assert_eq!(columns[1].left_out.as_deref(), Some("`time`, which is an index of pandas"));
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
        assert!(problem.starts_with("is compressed with brotli, which this program cannot read"), "{problem}");
        assert_eq!(with(Compression::SNAPPY), None);
    }

    /// Flips one bit of every byte, a different one each time.
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
            n_refused += usize::from(read_columns(&path, &mut room()).is_err());
        }
        assert!(n_refused > 0);
    }
}
