//! The hot tables: activations, and weighted sums before the activation function. One file per run, layer and part of the
//! run; one row group (or several, capped by size) per recorded snapshot.
//!
//! Values go from the training loop to the file and from the file to an estimator as one flat slice, without a row
//! object in between. A reader of one snapshot touches only the bytes of that snapshot.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float16Array, Float32Array, Int32Array, Int64Array, RecordBatch,
};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float16Type, Float32Type, Int32Type, Int64Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnPath;

use super::cell::list_item;
use super::error::StoreError;
use super::files::{Draft, FileRecord, open_file};
use super::guard::guarded;
use super::schema::{ActivationRow, PreActivationRow, Row};
use super::table::{Footer, expect_entries, expect_types, footer_of, open, properties};
use crate::estimate_id::Values;
use crate::suggest::Named;

/// Largest row group, in bytes of raw f32: what a reader must hold of one snapshot of a wide layer.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// Raw f32 given to the Parquet writer at once. It builds indices and levels several times as large beside them, which
/// should stay in the cache.
const BATCH_BYTES: usize = 256 << 10;

/// Footer entry: which of the samples are there.
const SAMPLES_KEY: &str = "infoplane.samples";

type F16 = <Float16Type as ArrowPrimitiveType>::Native;

/// How values are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// As they were computed.
    #[default]
    F32,
    /// 11 significant bits, up to 65504: half the size.
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
    fn data_type(self) -> DataType {
        match self {
            Precision::F32 => DataType::Float32,
            Precision::F16 => DataType::Float16,
        }
    }
}

impl Values {
    /// Name of the column that holds the values.
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

/// What a file of values holds, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Which values.
    pub values: Values,
    /// In which precision.
    pub precision: Precision,
    /// How many of them are exactly 0.
    pub zeros: Zeros,
}

/// Whether zeros are frequent. Any answer gives the same values; the right one gives the smaller file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// As after tanh: bytes of equal significance side by side compress best.
    Few,
    /// As after ReLU: runs of zeros compress best as they stand.
    Many,
}

impl Shape {
    fn encoding(self) -> Encoding {
        match self {
            Shape { precision: Precision::F32, zeros: Zeros::Few, .. } => Encoding::BYTE_STREAM_SPLIT,
            // DuckDB cannot read byte-stream split of f16.
            _ => Encoding::PLAIN,
        }
    }
}

/// Writes the values of one layer in one run, or a part of them.
#[derive(Debug)]
pub struct ActivationWriter {
    writer: ArrowWriter<Draft>,
    schema: Arc<Schema>,
    path: PathBuf,
    samples: Arc<[i32]>,
    n_units: usize,
    precision: Precision,
    rows: u64,
}

/// One layer's values at one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    /// Whole passes over the training samples.
    pub epoch: i32,
    /// Updates so far.
    pub step: i64,
    /// Numbers of the samples, ascending.
    pub samples: Vec<i32>,
    /// n_samples × n_units, sample after sample.
    pub t: Vec<f32>,
}

/// Where in a file a recorded snapshot is.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    part: usize,
    epoch: i32,
    step: i64,
    groups: Vec<usize>,
}

/// Reads the values of one layer in one run, snapshot by snapshot in any order.
#[derive(Debug)]
pub struct ActivationReader {
    values: Values,
    parts: Vec<(PathBuf, ArrowReaderMetadata)>,
    n_units: usize,
    precision: Precision,
    /// The recorded snapshots, ascending.
    snapshots: Vec<Place>,
}

impl ActivationWriter {
    /// Begins the file `relative` below `root` for the `samples` of a layer of `n_units` units.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(
        root: &Path,
        relative: &str,
        shape: Shape,
        samples: Arc<[i32]>,
        n_units: usize,
        footer: &Footer,
    ) -> Result<Self, StoreError> {
        let draft = Draft::create(root, relative)?;
        let path = draft.path();
        let schema = shape.values.schema(n_units, shape.precision);
        let mut properties = properties(shape.values.table(), footer, shape.encoding());
        // One value, or a count, per row group: a few bytes as differences. A dictionary, and contexts of zstd for every
        // column and snapshot, would cost a sixth of the time that narrow layers take.
        for column in ["epoch", "step", "sample"] {
            properties = properties
                .set_column_dictionary_enabled(ColumnPath::from(column), false)
                .set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED)
                .set_column_compression(ColumnPath::from(column), Compression::UNCOMPRESSED);
        }
        let properties = properties.build();
        let writer = ArrowWriter::try_new(draft, Arc::clone(&schema), Some(properties))
            .map_err(|e| StoreError::Unwritable { path: path.clone(), problem: e.to_string() })?;
        Ok(Self { writer, schema, path, samples, n_units, precision: shape.precision, rows: 0 })
    }

    /// Appends one snapshot; `t` is n_samples × n_units.
    ///
    /// # Errors
    /// The disk is full; a value too large for f16.
    pub fn write(&mut self, epoch: i32, step: i64, t: &[f32]) -> Result<(), StoreError> {
        let rows_of = |bytes: usize| (bytes / (self.n_units * size_of::<f32>())).max(1);
        let (rows_per_group, rows_per_batch) = (rows_of(ROW_GROUP_BYTES), rows_of(BATCH_BYTES));
        let samples = Arc::clone(&self.samples);
        for (samples, t) in samples.chunks(rows_per_group).zip(t.chunks(rows_per_group * self.n_units)) {
            for (samples, t) in samples.chunks(rows_per_batch).zip(t.chunks(rows_per_batch * self.n_units)) {
                let batch = self.batch(epoch, step, samples, t)?;
                self.writer.write(&batch).map_err(|e| self.unwritable(e.to_string()))?;
                self.rows += samples.len() as u64;
            }
            self.writer.flush().map_err(|e| self.unwritable(e.to_string()))?;
        }
        Ok(())
    }

    fn batch(&self, epoch: i32, step: i64, samples: &[i32], t: &[f32]) -> Result<RecordBatch, StoreError> {
        let item = list_item(self.precision.data_type());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![epoch; samples.len()])),
            Arc::new(Int64Array::from(vec![step; samples.len()])),
            Arc::new(Int32Array::from(samples.to_vec())),
            Arc::new(FixedSizeListArray::new(item, self.n_units as i32, self.array(t)?, None)),
        ];
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|e| self.unwritable(e.to_string()))
    }

    fn unwritable(&self, problem: String) -> StoreError {
        StoreError::Unwritable { path: self.path.clone(), problem }
    }

    /// Finishes the file and puts it in place.
    ///
    /// # Errors
    /// The disk is full.
    pub fn commit(self) -> Result<FileRecord, StoreError> {
        let draft = self.writer.into_inner();
        let draft = draft.map_err(|e| StoreError::Unwritable { path: self.path.clone(), problem: e.to_string() })?;
        draft.commit(self.rows)
    }

    fn array(&self, t: &[f32]) -> Result<ArrayRef, StoreError> {
        if self.precision == Precision::F32 {
            return Ok(Arc::new(Float32Array::from(t.to_vec())));
        }
        if let Some(value) = t.iter().find(|v| v.is_finite() && !F16::from_f32(**v).is_finite()) {
            let problem = format!("{value} is beyond the largest f16, 65504; record with `precision = \"f32\"`");
            return Err(self.unwritable(problem));
        }
        Ok(Arc::new(Float16Array::from_iter_values(t.iter().map(|v| F16::from_f32(*v)))))
    }
}

impl ActivationReader {
    /// Opens the parts of one run and layer and finds out which snapshots they hold, from their footers alone. `entries` are
    /// what the footers must say, where they say it.
    ///
    /// # Errors
    /// Missing, damaged, another table, run or layer, a row group that mixes snapshots, snapshots out of order.
    pub fn open(paths: &[PathBuf], values: Values, entries: &[(&str, String)]) -> Result<Self, StoreError> {
        let mut reader =
            Self { values, parts: Vec::new(), n_units: 0, precision: Precision::F32, snapshots: Vec::new() };
        for path in paths {
            guarded(path, || reader.add(path, entries))?;
        }
        Ok(reader)
    }

    fn add(&mut self, path: &Path, entries: &[(&str, String)]) -> Result<(), StoreError> {
        let (_, metadata) = open(path, self.values.table())?;
        expect_entries(path, &metadata, entries)?;
        let name = self.values.column();
        let fail = |column: &str, problem: String| StoreError::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            problem,
        };
        let field = metadata.schema().field_with_name(name).map(arrow::datatypes::Field::data_type);
        let precision = match field {
            Ok(DataType::FixedSizeList(item, _)) if *item.data_type() == DataType::Float16 => Precision::F16,
            _ => Precision::F32,
        };
        expect_types(path, metadata.schema(), &self.values.schema(1, precision))?;
        let n_units = match field {
            Ok(DataType::FixedSizeList(_, width)) => *width as usize,
            _ => 0,
        };
        if !self.parts.is_empty() && (n_units, precision) != (self.n_units, self.precision) {
            let problem = "has another width or precision than the parts before it; record again";
            return Err(fail(name, problem.to_owned()));
        }
        (self.n_units, self.precision) = (n_units, precision);
        let part = self.parts.len();
        for (index, group) in metadata.metadata().row_groups().iter().enumerate() {
            let only = |column: &str| {
                let problem = "every row group must hold one snapshot, with statistics that say which";
                single(group, column).ok_or_else(|| fail(column, problem.to_owned()))
            };
            let (epoch, step) = (only("epoch")? as i32, only("step")?);
            match self.snapshots.last_mut() {
                Some(last) if last.part == part && (last.epoch, last.step) == (epoch, step) => last.groups.push(index),
                Some(last) if (last.epoch, last.step) >= (epoch, step) => {
                    let problem = format!(
                        "snapshots must ascend; epoch {epoch}, step {step} comes after epoch {}, step {}",
                        last.epoch, last.step
                    );
                    return Err(fail("step", problem));
                }
                _ => self.snapshots.push(Place { part, epoch, step, groups: vec![index] }),
            }
        }
        self.parts.push((path.to_owned(), metadata));
        Ok(())
    }

    /// Width of the layer.
    pub fn n_units(&self) -> usize {
        self.n_units
    }

    /// How the values are stored.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Whether the files say that they hold only some of the samples, by the footer entry `infoplane.samples`.
    pub fn is_partial(&self) -> bool {
        let entry = |(_, metadata): &(PathBuf, ArrowReaderMetadata)| footer_of(metadata).remove(SAMPLES_KEY);
        self.parts.first().and_then(entry).is_some_and(|samples| samples != "all")
    }

    /// The first of the files.
    pub fn path(&self) -> &Path {
        self.parts.first().map_or(Path::new(""), |(path, _)| path)
    }

    /// The recorded snapshots as (epoch, step), ascending.
    pub fn snapshots(&self) -> impl ExactSizeIterator<Item = (i32, i64)> + '_ {
        self.snapshots.iter().map(|place| (place.epoch, place.step))
    }

    /// Reads the `index`-th recorded snapshot.
    ///
    /// # Errors
    /// Damaged, nulls, samples out of order.
    pub fn read(&self, index: usize) -> Result<Activations, StoreError> {
        let (path, _) = &self.parts[self.snapshots[index].part];
        guarded(path, || self.read_from(open_file(path)?, index))
    }

    fn read_from(&self, file: impl ChunkReader + 'static, index: usize) -> Result<Activations, StoreError> {
        let place = &self.snapshots[index];
        let (path, metadata) = &self.parts[place.part];
        let damaged = |problem: String| StoreError::Damaged { path: path.clone(), problem };
        let n_rows: i64 = place.groups.iter().map(|g| metadata.metadata().row_group(*g).num_rows()).sum();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
            .with_row_groups(place.groups.clone())
            .with_batch_size(usize::try_from(n_rows).unwrap_or(0).clamp(1, (ROW_GROUP_BYTES / self.n_units).max(1)))
            .build()
            .map_err(|e| damaged(e.to_string()))?;
        let mut read = Activations { epoch: place.epoch, step: place.step, samples: Vec::new(), t: Vec::new() };
        for batch in reader {
            let batch = batch.map_err(|e| damaged(e.to_string()))?;
            self.append(path, &batch, &mut read)?;
        }
        Ok(read)
    }

    fn append(&self, path: &Path, batch: &RecordBatch, read: &mut Activations) -> Result<(), StoreError> {
        let (epoch, step) = (read.epoch, read.step);
        let fail = |column: &str, problem: String| StoreError::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            problem: format!("epoch {epoch}, step {step}: {problem}"),
        };
        let missing = |column: &str| fail(column, "holds a null; every sample needs a value".to_owned());
        let column =
            |name: &str| batch.column_by_name(name).filter(|a| a.null_count() == 0).ok_or_else(|| missing(name));
        let epochs = column("epoch")?.as_primitive_opt::<Int32Type>().ok_or_else(|| missing("epoch"))?;
        let steps = column("step")?.as_primitive_opt::<Int64Type>().ok_or_else(|| missing("step"))?;
        if let Some(other) = epochs.values().iter().find(|e| **e != epoch) {
            return Err(fail("epoch", format!("a row says {other}, the statistics of its row group say {epoch}")));
        }
        if let Some(other) = steps.values().iter().find(|s| **s != step) {
            return Err(fail("step", format!("a row says {other}, the statistics of its row group say {step}")));
        }
        let samples = column("sample")?.as_primitive_opt::<Int32Type>().ok_or_else(|| missing("sample"))?;
        for sample in samples.values() {
            let before = read.samples.last().copied().unwrap_or(-1);
            if *sample <= before {
                return Err(fail("sample", format!("samples must ascend; got {sample} after {before}")));
            }
            read.samples.push(*sample);
        }
        let name = self.values.column();
        let lists = column(name)?.as_fixed_size_list_opt().ok_or_else(|| missing(name))?;
        let values = Some(lists.values()).filter(|v| v.null_count() == 0).ok_or_else(|| missing(name))?;
        match self.precision {
            Precision::F32 => {
                let values = values.as_primitive_opt::<Float32Type>().ok_or_else(|| missing(name))?;
                read.t.extend_from_slice(values.values());
            }
            Precision::F16 => {
                let values = values.as_primitive_opt::<Float16Type>().ok_or_else(|| missing(name))?;
                read.t.extend(values.values().iter().map(|v| v.to_f32()));
            }
        }
        Ok(())
    }
}

/// The one value of a column in a row group, by its statistics.
fn single(group: &RowGroupMetaData, column: &str) -> Option<i64> {
    let column = group.columns().iter().find(|c| c.column_path().string() == column)?;
    let (min, max) = match column.statistics()? {
        Statistics::Int32(s) => (i64::from(*s.min_opt()?), i64::from(*s.max_opt()?)),
        Statistics::Int64(s) => (*s.min_opt()?, *s.max_opt()?),
        _ => return None,
    };
    (min == max).then_some(min)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::atomic::{AtomicU64, Ordering};

    use parquet::file::reader::Length;

    use super::*;

    const N: i32 = 3;

    fn written(snapshots: &[(i32, i64)], precision: Precision) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let shape = Shape { values: Values::Activations, precision, zeros: Zeros::Few };
        let samples: Arc<[i32]> = (0..N).collect();
        let mut writer =
            ActivationWriter::create(folder.path(), "a.parquet", shape, samples, 2, &Footer::new()).unwrap();
        for (epoch, step) in snapshots {
            let t: Vec<f32> = (0..2 * N).map(|v| (v + 10 * epoch) as f32).collect();
            writer.write(*epoch, *step, &t).unwrap();
        }
        assert_eq!(writer.commit().unwrap().rows, 3 * snapshots.len() as u64);
        let path = folder.path().join("a.parquet");
        (folder, path)
    }

    fn open(path: &Path) -> Result<ActivationReader, StoreError> {
        ActivationReader::open(&[path.to_owned()], Values::Activations, &[])
    }

    #[test]
    fn what_was_written_is_read_in_any_order_and_precision() {
        for precision in [Precision::F32, Precision::F16] {
            let (_folder, path) = written(&[(0, 0), (3, 21), (3, 22), (9, 63)], precision);
            let reader = open(&path).unwrap();
            let snapshots: Vec<(i32, i64)> = reader.snapshots().collect();
            assert_eq!((reader.n_units(), reader.precision()), (2, precision));
            assert_eq!(snapshots, [(0, 0), (3, 21), (3, 22), (9, 63)]);
            let t = (90..96).map(|v| v as f32).collect();
            assert_eq!(reader.read(3).unwrap(), Activations { epoch: 9, step: 63, samples: vec![0, 1, 2], t });
            assert_eq!(reader.read(1).unwrap().step, 21);
        }
    }

    #[test]
    fn a_value_beyond_f16_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let shape = Shape { values: Values::PreActivations, precision: Precision::F16, zeros: Zeros::Few };
        let mut writer =
            ActivationWriter::create(folder.path(), "a.parquet", shape, Arc::from([0]), 1, &Footer::new()).unwrap();
        let error = writer.write(0, 0, &[70_000.0]).unwrap_err().to_string();
        assert!(error.contains("70000 is beyond the largest f16"), "{error}");
    }

    #[test]
    fn snapshots_out_of_order_and_truncated_files_are_refused() {
        let (_folder, path) = written(&[(3, 3), (0, 0)], Precision::F32);
        assert!(open(&path).unwrap_err().to_string().contains("snapshots must ascend"));
        let content = std::fs::read(&path).unwrap();
        for length in [0, 3, content.len() / 2, content.len() - 1] {
            std::fs::write(&path, &content[..length]).unwrap();
            let error = open(&path).unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        }
    }

    /// A file that counts what is read from it.
    struct Counting(File, Arc<AtomicU64>);

    impl Length for Counting {
        fn len(&self) -> u64 {
            self.0.len()
        }
    }

    impl ChunkReader for Counting {
        type T = Box<dyn std::io::Read>;

        fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
            let counter = Arc::clone(&self.1);
            let inner = self.0.get_read(start)?;
            Ok(Box::new(CountingRead(inner, counter)))
        }

        fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<bytes::Bytes> {
            self.1.fetch_add(length as u64, Ordering::Relaxed);
            self.0.get_bytes(start, length)
        }
    }

    struct CountingRead<R>(R, Arc<AtomicU64>);

    impl<R: std::io::Read> std::io::Read for CountingRead<R> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let n = self.0.read(buffer)?;
            self.1.fetch_add(n as u64, Ordering::Relaxed);
            Ok(n)
        }
    }

    #[test]
    fn a_reader_of_one_snapshot_touches_only_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: Zeros::Few };
        let samples: Arc<[i32]> = (0..1000).collect();
        let mut writer =
            ActivationWriter::create(folder.path(), "a.parquet", shape, samples, 8, &Footer::new()).unwrap();
        let mut noise = 1_u32;
        for epoch in 0..200 {
            // Values that do not compress, so that sizes are what they seem.
            let t: Vec<f32> = (0..8000)
                .map(|_| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    noise as f32
                })
                .collect();
            writer.write(epoch, epoch.into(), &t).unwrap();
        }
        let n_bytes = writer.commit().unwrap().bytes;
        let path = folder.path().join("a.parquet");
        let reader = open(&path).unwrap();
        let counter = Arc::new(AtomicU64::new(0));
        reader.read_from(Counting(open_file(&path).unwrap(), Arc::clone(&counter)), 117).unwrap();
        let group = reader.parts[0].1.metadata().row_group(117).compressed_size() as u64;
        let touched = counter.load(Ordering::Relaxed);
        assert!(touched <= group, "{touched} bytes read of a row group of {group}");
        assert!(group < n_bytes / 190, "a row group of {group} in a file of {n_bytes}");
    }
}
