//! Writes the values of one layer in one run, snapshot by snapshot.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float16Array, Float32Array, Int32Array, Int64Array, RecordBatch};
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::schema::types::ColumnPath;

use super::super::cell::list_item;
use super::super::error::StoreError;
use super::super::files::{Draft, FileRecord};
use super::super::table::{Footer, properties};
use super::{F16, Precision, ROW_GROUP_BYTES, Shape};

/// Bytes of raw f32 given to the Parquet writer at once. It builds indices and levels of several times this size, which
/// should fit in the cache.
const BATCH_BYTES: usize = 256 << 10;

/// Writes the values of one layer in one run, or one part of them.
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

impl ActivationWriter {
    /// Starts the file `relative` below `root` for the `samples` of a layer with `n_units` units.
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
        // One value, or a count, per row group: a few bytes as differences. A dictionary, and a zstd context for every
        // column and snapshot, would need a sixth of the time for narrow layers.
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
    /// The disk is full, or a value is too large for f16.
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

    /// Finishes the file and gives it its name.
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
        if let Some(value) = self.precision.overflow(t) {
            let problem = format!("{value} is above the largest f16, 65504; record with `precision = \"f32\"`");
            return Err(self.unwritable(problem));
        }
        Ok(Arc::new(Float16Array::from_iter_values(t.iter().map(|v| F16::from_f32(*v)))))
    }
}
