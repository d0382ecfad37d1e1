//! The hot table: one file per run and layer, one row group (or several, capped by size) per epoch.
//!
//! Values go from the training loop to the file and from the file to an estimator as one flat slice, without a row
//! object in between. A reader of one epoch touches only the bytes of that epoch.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, FixedSizeListArray, Float32Array, Int32Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Float32Type, Int32Type, Int64Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::file::statistics::Statistics;

use super::cell::list_item;
use super::error::StoreError;
use super::files::{Draft, FileRecord, io_error};
use super::schema::{ActivationRow, Row};
use super::table::{Footer, open, properties};

/// Largest row group, in bytes of raw f32: what a reader must hold for one epoch of a part of a wide layer.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// Writes the activations of one layer in one run.
#[derive(Debug)]
pub struct ActivationWriter {
    writer: ArrowWriter<Draft>,
    schema: Arc<Schema>,
    path: PathBuf,
    n_units: usize,
    rows: u64,
}

/// One layer's values for all samples at one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    /// Passes over the training samples.
    pub epoch: i32,
    /// Updates so far.
    pub step: i64,
    /// n_samples × n_units, sample after sample in the order of the samples table.
    pub t: Vec<f32>,
}

/// Reads the activations of one layer in one run, epoch by epoch in any order.
#[derive(Debug)]
pub struct ActivationReader {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    n_units: usize,
    /// The recorded epochs, ascending, with the row groups of each.
    epochs: Vec<(i32, Vec<usize>)>,
}

impl ActivationWriter {
    /// Begins the file `relative` below `root` for a layer of `n_units` units.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(root: &Path, relative: &str, n_units: usize, footer: &Footer) -> Result<Self, StoreError> {
        let draft = Draft::create(root, relative)?;
        let path = draft.path();
        let shape = ActivationRow { epoch: 0, step: 0, sample: 0, t: vec![0.0; n_units] };
        let schema = ActivationRow::schema(&[shape]);
        let properties = properties(ActivationRow::TABLE, footer).build();
        let writer = ArrowWriter::try_new(draft, Arc::clone(&schema), Some(properties))
            .map_err(|e| StoreError::Unwritable { path: path.clone(), problem: e.to_string() })?;
        Ok(Self { writer, schema, path, n_units, rows: 0 })
    }

    /// Appends one epoch; `t` is n_samples × n_units.
    ///
    /// # Errors
    /// The disk is full.
    pub fn write_epoch(&mut self, epoch: i32, step: i64, t: &[f32]) -> Result<(), StoreError> {
        let rows_per_group = (ROW_GROUP_BYTES / (self.n_units * size_of::<f32>())).max(1);
        let mut first = 0;
        for values in t.chunks(rows_per_group * self.n_units) {
            let n = values.len() / self.n_units;
            let samples = Int32Array::from_iter_values(first..first + n as i32);
            first += n as i32;
            let values = Arc::new(Float32Array::from(values.to_vec()));
            let columns: Vec<Arc<dyn Array>> = vec![
                Arc::new(Int32Array::from(vec![epoch; n])),
                Arc::new(Int64Array::from(vec![step; n])),
                Arc::new(samples),
                Arc::new(FixedSizeListArray::new(list_item(), self.n_units as i32, values, None)),
            ];
            let write = |writer: &mut ArrowWriter<Draft>| {
                writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?;
                writer.flush()
            };
            write(&mut self.writer)
                .map_err(|e| StoreError::Unwritable { path: self.path.clone(), problem: e.to_string() })?;
            self.rows += n as u64;
        }
        Ok(())
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
}

impl ActivationReader {
    /// Opens a file and finds out which epochs it holds, from its footer alone.
    ///
    /// # Errors
    /// Missing, damaged, not activations, a row group that mixes epochs.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (_, metadata) = open(path, ActivationRow::TABLE)?;
        let column = |column: &str, problem: &str| StoreError::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            problem: problem.to_owned(),
        };
        let n_units = match metadata.schema().field_with_name("t").map(arrow::datatypes::Field::data_type) {
            Ok(DataType::FixedSizeList(item, width)) if *width > 0 && *item.data_type() == DataType::Float32 => *width,
            Ok(other) => return Err(column("t", &format!("must be a fixed-size list of float32, got {other}"))),
            Err(_) => return Err(column("t", "missing; see docs/schema.md")),
        };
        let mut epochs: Vec<(i32, Vec<usize>)> = Vec::new();
        for (index, group) in metadata.metadata().row_groups().iter().enumerate() {
            let epoch = group
                .columns()
                .iter()
                .find(|c| c.column_path().string() == "epoch")
                .and_then(|c| match c.statistics() {
                    Some(Statistics::Int32(s)) if s.min_opt() == s.max_opt() => s.min_opt().copied(),
                    _ => None,
                })
                .ok_or_else(|| {
                    column("epoch", "every row group must hold one epoch, with statistics that say which")
                })?;
            match epochs.last_mut() {
                Some((last, groups)) if *last == epoch => groups.push(index),
                Some((last, _)) if *last > epoch => return Err(column("epoch", "row groups must ascend by epoch")),
                _ => epochs.push((epoch, vec![index])),
            }
        }
        Ok(Self { path: path.to_owned(), metadata, n_units: n_units as usize, epochs })
    }

    /// Width of the layer.
    pub fn n_units(&self) -> usize {
        self.n_units
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Samples per epoch.
    ///
    /// # Errors
    /// Epochs of different lengths.
    pub fn n_samples(&self) -> Result<usize, StoreError> {
        let rows = |groups: &Vec<usize>| groups.iter().map(|g| self.metadata.metadata().row_group(*g).num_rows()).sum();
        let mut lengths: Vec<(i32, i64)> = self.epochs.iter().map(|(epoch, groups)| (*epoch, rows(groups))).collect();
        lengths.dedup_by_key(|(_, n)| *n);
        match lengths.as_slice() {
            [] => Ok(0),
            [(_, n)] => Ok(usize::try_from(*n).unwrap_or(0)),
            [(_, n), (epoch, other), ..] => Err(StoreError::Rows {
                path: self.path.clone(),
                problem: format!("epoch {epoch} has {other} samples, those before it {n}; record again"),
            }),
        }
    }

    /// The recorded epochs, ascending.
    pub fn epochs(&self) -> impl ExactSizeIterator<Item = i32> + '_ {
        self.epochs.iter().map(|(epoch, _)| *epoch)
    }

    /// Reads the `index`-th recorded epoch.
    ///
    /// # Errors
    /// Damaged, nulls, samples out of order.
    pub fn read(&self, index: usize) -> Result<Activations, StoreError> {
        let damaged = |problem: String| StoreError::Damaged { path: self.path.clone(), problem };
        let (epoch, groups) = &self.epochs[index];
        let file = File::open(&self.path).map_err(|source| io_error("read", &self.path, source))?;
        let n_rows: i64 = groups.iter().map(|g| self.metadata.metadata().row_group(*g).num_rows()).sum();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_row_groups(groups.clone())
            .with_batch_size(usize::try_from(n_rows).unwrap_or(0).clamp(1, ROW_GROUP_BYTES / self.n_units))
            .build()
            .map_err(|e| damaged(e.to_string()))?;
        let mut read = Activations { epoch: *epoch, step: 0, t: Vec::new() };
        for batch in reader {
            let batch = batch.map_err(|e| damaged(e.to_string()))?;
            self.append(&batch, &mut read)?;
        }
        Ok(read)
    }

    fn append(&self, batch: &RecordBatch, read: &mut Activations) -> Result<(), StoreError> {
        let fail = |column: &str, problem: String| StoreError::Column {
            path: self.path.clone(),
            column: column.to_owned(),
            problem: format!("epoch {}: {problem}", read.epoch),
        };
        let missing = |column: &str| fail(column, "missing, of another type, or null; see docs/schema.md".to_owned());
        let column =
            |name: &str| batch.column_by_name(name).filter(|a| a.null_count() == 0).ok_or_else(|| missing(name));
        let steps = column("step")?.as_primitive_opt::<Int64Type>().ok_or_else(|| missing("step"))?;
        let samples = column("sample")?.as_primitive_opt::<Int32Type>().ok_or_else(|| missing("sample"))?;
        let lists = column("t")?.as_fixed_size_list_opt().ok_or_else(|| missing("t"))?;
        let values = lists.values().as_primitive_opt::<Float32Type>().filter(|v| v.null_count() == 0);
        let values = values.ok_or_else(|| missing("t"))?;

        let first = (read.t.len() / self.n_units) as i32;
        if let Some((want, got)) = (first..).zip(samples.values()).find(|(want, got)| want != *got) {
            return Err(fail("sample", format!("samples must be 0, 1, 2, … in order; got {got} in place of {want}")));
        }
        let step = steps.values().first().copied().unwrap_or(0);
        if steps.values().iter().any(|s| *s != step) {
            return Err(fail("step", "an epoch must have one step".to_owned()));
        }
        read.step = step;
        read.t.extend_from_slice(values.values());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(epochs: &[i32]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = ActivationWriter::create(folder.path(), "a.parquet", 2, &Footer::new()).unwrap();
        for epoch in epochs {
            let t: Vec<f32> = (0..6).map(|v| (v + 10 * epoch) as f32).collect();
            writer.write_epoch(*epoch, i64::from(*epoch) * 7, &t).unwrap();
        }
        assert_eq!(writer.commit().unwrap().rows, 3 * epochs.len() as u64);
        let path = folder.path().join("a.parquet");
        (folder, path)
    }

    #[test]
    fn what_was_written_is_read_in_any_order() {
        let (_folder, path) = written(&[0, 3, 9]);
        let reader = ActivationReader::open(&path).unwrap();
        assert_eq!((reader.n_units(), reader.epochs().collect::<Vec<_>>()), (2, vec![0, 3, 9]));
        assert_eq!(
            reader.read(2).unwrap(),
            Activations { epoch: 9, step: 63, t: (90..96).map(|v| v as f32).collect() }
        );
        assert_eq!(reader.read(1).unwrap().step, 21);
    }

    #[test]
    fn epochs_out_of_order_and_truncated_files_are_refused() {
        let (_folder, path) = written(&[3, 0]);
        assert!(ActivationReader::open(&path).unwrap_err().to_string().contains("ascend by epoch"));
        let content = std::fs::read(&path).unwrap();
        for length in [0, 3, content.len() / 2, content.len() - 1] {
            std::fs::write(&path, &content[..length]).unwrap();
            let error = ActivationReader::open(&path).unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        }
    }
}
