//! Reading and writing whole tables of rows. (Activations are read and written in `activations/`.)

use std::collections::BTreeMap;
use std::fs::File;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::conversion::{Conversion, Unreadable, row_of_null};
use super::error::StoreError;
use super::files::{Draft, FileRecord, open_file};
use super::guard::guarded;
use super::layers::plain;
use super::room::{expect_bytes, expect_room};
use super::schema::{OLDEST_READABLE, Row, SampleRow, VERSION};
use crate::memory::reserved;

/// What a footer contains apart from the schema.
pub type Footer = BTreeMap<String, String>;

const TABLE_KEY: &str = "infoplane.table";
const VERSION_KEY: &str = "infoplane.schema_version";
const CRATE_VERSION_KEY: &str = "infoplane.crate_version";
/// zstd level 1: higher levels need 2 to 4 times as long and save only 1 to 2 %.
const COMPRESSION_LEVEL: i32 = 1;

/// A table that is written epoch by epoch closes a row group when this many bytes are buffered.
const BUFFER_BYTES: usize = 16 << 20;

/// Writes a table row by row with bounded memory.
#[derive(Debug)]
pub struct RowWriter<R> {
    writer: ArrowWriter<Draft>,
    schema: Arc<Schema>,
    path: PathBuf,
    rows: u64,
    row: PhantomData<R>,
}

impl<R: Row> RowWriter<R> {
    /// Starts the table file `relative` below `root`. List columns have the width that they have in `first`.
    ///
    /// `footer` is stored next to the name and versions of the table, for example the hash of the configuration.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(root: &Path, relative: &str, first: &[R], footer: &Footer) -> Result<Self, StoreError> {
        let draft = Draft::create(root, relative)?;
        let path = draft.path();
        let schema = R::schema(first);
        let properties = properties(R::TABLE, footer, Encoding::BYTE_STREAM_SPLIT).build();
        let writer = ArrowWriter::try_new(draft, Arc::clone(&schema), Some(properties))
            .map_err(|e| StoreError::Unwritable { path: path.clone(), problem: e.to_string() })?;
        Ok(Self { writer, schema, path, rows: 0, row: PhantomData })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// The disk is full, or a list has another width than in the first row.
    pub fn append(&mut self, rows: &[R]) -> Result<(), StoreError> {
        let mut write = || {
            self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), R::to_arrays(rows))?)?;
            if self.writer.memory_size() > BUFFER_BYTES { self.writer.flush() } else { Ok(()) }
        };
        write().map_err(|e| StoreError::Unwritable { path: self.path.clone(), problem: e.to_string() })?;
        self.rows += rows.len() as u64;
        Ok(())
    }

    /// Finishes the file and gives it its name.
    ///
    /// # Errors
    /// The disk is full.
    pub fn commit(self) -> Result<FileRecord, StoreError> {
        let draft = self.writer.into_inner();
        let draft = draft.map_err(|e| StoreError::Unwritable { path: self.path.clone(), problem: e.to_string() })?;
        draft.commit(self.rows)
    }
}

/// Writes `rows` as the table file `relative` below `root`.
///
/// # Errors
/// The file cannot be written; an existing file stays.
pub fn write_rows<R: Row>(root: &Path, relative: &str, rows: &[R], footer: &Footer) -> Result<FileRecord, StoreError> {
    let mut writer = RowWriter::create(root, relative, rows, footer)?;
    writer.append(rows)?;
    writer.commit()
}

/// Reads the whole table file `path`.
///
/// # Errors
/// The file is missing, damaged, of another table or of a newer version, or a column is missing or of another type.
pub fn read_rows<R: Row>(path: &Path) -> Result<Vec<R>, StoreError> {
    guarded(path, || read_unguarded(path))
}

/// Reads the whole table files `paths`, in order.
///
/// # Errors
/// See [`read_rows`].
pub fn read_all_rows<R: Row>(paths: &[PathBuf]) -> Result<Vec<R>, StoreError> {
    let mut rows = Vec::new();
    for path in paths {
        rows.extend(read_rows(path)?);
    }
    Ok(rows)
}

fn read_unguarded<R: Row>(path: &Path) -> Result<Vec<R>, StoreError> {
    let (file, metadata) = open(path, R::TABLE)?;
    let unreadable = |Unreadable { column, problem }| StoreError::Column { path: path.to_owned(), column, problem };
    let mut conversion = Conversion::new(metadata.schema(), &R::schema(&[])).map_err(unreadable)?;
    let damaged = |problem: String| StoreError::Damaged { path: path.to_owned(), problem };
    let groups = metadata.metadata().row_groups().iter();
    let n_rows = expect_room(path, &metadata, groups, (size_of::<R>(), size_of::<f32>()))?;
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .build()
        .map_err(|e| damaged(e.to_string()))?;
    let mut rows = reserved(n_rows, "rows").map_err(damaged)?;
    // A long text that repeats is stored once in the file, but once per row in memory.
    let mut text_bytes = 0;
    for batch in reader {
        let batch = batch.map_err(|e| damaged(e.to_string()))?;
        let batch = conversion.apply(batch).map_err(unreadable)?;
        let texts = batch.columns().iter().filter(|column| *column.data_type() == DataType::Utf8);
        text_bytes += texts.map(|column| column.get_buffer_memory_size() as u64).sum::<u64>();
        expect_bytes(path, text_bytes)?;
        let read = R::from_batch(&batch);
        rows.extend(read.map_err(|column| unreadable(unexpected(&batch, column, R::words(column), rows.len())))?);
    }
    Ok(rows)
}

/// Why a column of a supported type could not be read, in a batch after `n_before` rows; `words` are its allowed
/// values, if it has a fixed set of strings.
fn unexpected(batch: &RecordBatch, column: &str, words: &[&str], n_before: usize) -> Unreadable {
    let array = batch.column_by_name(column);
    let texts = array.and_then(|array| array.as_string_opt::<i32>()).filter(|_| !words.is_empty());
    let unknown = texts.and_then(|texts| texts.iter().flatten().enumerate().find(|(_, text)| !words.contains(text)));
    let numbers = array.and_then(|array| array.as_primitive_opt::<Int32Type>());
    let negative = numbers.and_then(|numbers| numbers.iter().flatten().enumerate().find(|(_, number)| *number < 0));
    let problem = match (array.and_then(|array| row_of_null(array)), unknown, negative) {
        (Some(row), ..) => format!("row {} contains a null; every row needs a value", n_before + row),
        (_, Some((row, got)), _) => {
            let allowed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            let (row, got) = (n_before + row, plain(got));
            format!("row {row} contains the unknown value `{got}`; allowed: {}", allowed.join(", "))
        }
        (.., Some((row, got))) => {
            format!("row {} contains {got}, which is no valid layer number; 0 is the input", n_before + row)
        }
        _ => "contains a value that this column cannot have; see docs/schema.md".to_owned(),
    };
    Unreadable { column: column.to_owned(), problem }
}

/// Reads a table of samples. Other tables refer to its rows by position.
///
/// # Errors
/// See [`read_rows`]; also samples without X or its hash, and samples that are not numbered 0, 1, 2, … in order.
pub fn read_samples(path: &Path) -> Result<Vec<SampleRow>, StoreError> {
    let rows: Vec<SampleRow> = read_rows(path)?;
    let has_inputs = |row: &SampleRow| match rows[0].x.is_some() {
        true => row.x.is_some() && row.x_hash.is_some() == rows[0].x_hash.is_some(),
        false => row.x.is_none() && row.x_hash.is_some(),
    };
    if let Some(row) = rows.iter().position(|row| !has_inputs(row)) {
        let (has_x, first_has_x) = (rows[row].x.is_some(), rows[0].x.is_some());
        let problem = match has_x {
            true if first_has_x => "is null in some rows; give every sample its `x_hash`, or none",
            true => {
                "has an `x`, but the first sample has none; give every sample its `x`, or every sample an `x_hash` instead"
            }
            false => "contains a null; every sample needs its `x`, or every sample an `x_hash` instead",
        };
        let column = if first_has_x && !has_x { "x" } else { "x_hash" };
        return Err(StoreError::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            problem: format!("row {row} {problem}"),
        });
    }
    match rows.iter().zip(0..).find(|(row, want)| row.sample != *want) {
        None => Ok(rows),
        Some((row, want)) => Err(StoreError::Column {
            path: path.to_owned(),
            column: "sample".to_owned(),
            problem: format!("samples must be 0, 1, 2, … in order; got {} instead of {want}", row.sample),
        }),
    }
}

/// The footer entries of a file of `table`, without reading its rows.
///
/// # Errors
/// The file is missing, damaged, of another table or of a newer version.
pub fn read_footer(path: &Path, table: &'static str) -> Result<Footer, StoreError> {
    guarded(path, || Ok(footer_of(&open(path, table)?.1)))
}

/// The schema version of a file of `table`.
///
/// # Errors
/// See [`read_footer`].
pub fn schema_version(path: &Path, table: &'static str) -> Result<u32, StoreError> {
    let footer = read_footer(path, table)?;
    Ok(footer.get(VERSION_KEY).and_then(|version| version.parse().ok()).unwrap_or(OLDEST_READABLE))
}

/// Compares footer entries, if present, with the expected values, to detect a file that was moved to another run or
/// layer.
pub(super) fn expect_entries(
    path: &Path,
    metadata: &ArrowReaderMetadata,
    entries: &[(&str, String)],
) -> Result<(), StoreError> {
    let footer = footer_of(metadata);
    for (key, want) in entries {
        if let Some(got) = footer.get(*key).filter(|got| *got != want) {
            let problem = format!("its footer has {key} = {got}, but its path means {want}; move it to the right path");
            return Err(StoreError::Rows { path: path.to_owned(), problem });
        }
    }
    Ok(())
}

/// Opens a table file and checks from its footer that it contains this table in a readable version.
pub(super) fn open(path: &Path, table: &'static str) -> Result<(File, ArrowReaderMetadata), StoreError> {
    let file = open_file(path)?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
        .map_err(|e| StoreError::Damaged { path: path.to_owned(), problem: e.to_string() })?;
    let footer = footer_of(&metadata);
    let wrong = |got: String| StoreError::WrongTable { path: path.to_owned(), expected: table, got };
    match footer.get(TABLE_KEY) {
        Some(got) if got == table => {}
        Some(got) => return Err(wrong(format!("table `{got}`"))),
        None => return Err(wrong(format!("Parquet without the footer entry `{TABLE_KEY}`"))),
    }
    match footer.get(VERSION_KEY).and_then(|version| version.parse().ok()) {
        Some(got) if got > VERSION => Err(StoreError::Newer { path: path.to_owned(), got, newest: VERSION }),
        Some(OLDEST_READABLE..) => Ok((file, metadata)),
        _ => Err(wrong(format!("no readable schema version in the footer entry `{VERSION_KEY}`"))),
    }
}

pub(super) fn footer_of(metadata: &ArrowReaderMetadata) -> Footer {
    let entries = metadata.metadata().file_metadata().key_value_metadata();
    entries.into_iter().flatten().filter_map(|kv| Some((kv.key.clone(), kv.value.clone()?))).collect()
}

/// Properties of all tables: zstd, statistics per column chunk, and the given encoding for lists of numbers.
pub(super) fn properties(table: &str, footer: &Footer, lists: Encoding) -> WriterPropertiesBuilder {
    let own = [
        (TABLE_KEY, table.to_owned()),
        (VERSION_KEY, VERSION.to_string()),
        (CRATE_VERSION_KEY, env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let own = own.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value));
    let given = footer.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let level = ZstdLevel::try_new(COMPRESSION_LEVEL).expect("a level that zstd knows");
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("infoplane version {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(level))
        .set_key_value_metadata(Some(own.chain(given).collect()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true);
    // Numbers that rarely repeat: a dictionary costs more than it saves. Grouping bytes of equal significance
    // compresses better (7 % for tanh).
    for list in ["x", "t", "z", "kernel", "bias"] {
        let path = ColumnPath::from(vec![list.to_owned(), "list".to_owned(), "element".to_owned()]);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), lists)
            .set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    // Ascending numbers become differences of 1.
    let sample = ColumnPath::from("sample");
    builder
        .set_column_dictionary_enabled(sample.clone(), false)
        .set_column_encoding(sample, Encoding::DELTA_BINARY_PACKED)
}

#[cfg(test)]
mod tests {
    use arrow::array::Int32Array;

    use super::super::schema::GradientRow;
    use super::*;
    use crate::layer_id::LayerId;

    #[test]
    fn a_negative_layer_in_a_file_is_refused_and_does_not_panic() {
        let row = GradientRow {
            epoch: 0,
            step: 0,
            layer: LayerId::FIRST,
            gradients_over: None,
            gradient_mean_norm: 1.0,
            gradient_std_norm: None,
            weight_norm: 1.0,
        };
        let (schema, mut columns) = (GradientRow::schema(&[]), GradientRow::to_arrays(&[row]));
        columns[schema.index_of("layer").unwrap()] = Arc::new(Int32Array::from(vec![-1]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gradients.parquet");
        let own = properties(GradientRow::TABLE, &Footer::new(), Encoding::PLAIN).build();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), Arc::clone(&schema), Some(own)).unwrap();
        writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
        writer.close().unwrap();

        let message = read_rows::<GradientRow>(&path).unwrap_err().to_string();
        assert!(
            message.contains("`layer`") && message.contains("row 0 contains -1, which is no valid layer number"),
            "{message}"
        );
    }
}
