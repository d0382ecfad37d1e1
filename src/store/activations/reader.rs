//! Reads the values of one layer in one run, snapshot by snapshot in any order.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float16Type, Float32Type, Int32Type, Int64Type, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;

use super::super::conversion::{Conversion, RowWidth, Unreadable, row_of_null, row_width};
use super::super::error::StoreError;
use super::super::files::open_file;
use super::super::guard::guarded;
use super::super::room::expect_room;
use super::super::table::{expect_entries, footer_of, open};
use super::{Activations, Precision, ROW_GROUP_BYTES};
use crate::estimate_id::Values;
use crate::memory::reserved;

/// Footer entry: which samples the file contains.
const SAMPLES_KEY: &str = "infoplane.samples";

/// Number of values of a foreign type that are converted at a time.
const FOREIGN_VALUES: usize = 1 << 20;

/// A file, and the conversion that its columns need.
#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    conversion: Conversion,
}

/// Position of a snapshot in a file.
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
    parts: Vec<OpenFile>,
    n_units: usize,
    precision: Precision,
    /// The recorded snapshots, ascending.
    snapshots: Vec<Place>,
}

impl ActivationReader {
    /// Opens the files of one run and layer and finds their snapshots from the footers alone. `entries` are the
    /// expected footer entries; a footer may lack them.
    ///
    /// # Errors
    /// A file is missing, damaged, or of another table, run or layer; a row group has several snapshots; or snapshots
    /// are not in order.
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
        let mut conversion = Conversion::new(metadata.schema(), &self.values.schema(1, precision))
            .map_err(|Unreadable { column, problem }| fail(&column, problem))?;
        let n_units = match row_width(&metadata, name) {
            Some(RowWidth::Each(width)) => {
                conversion.expect_width(name, width);
                width
            }
            // The reader of the rows reports which of them has another length.
            Some(RowWidth::Mean(width)) if self.n_units == 0 => width,
            _ => self.n_units,
        };
        if !self.parts.is_empty() && self.n_units > 0 && (n_units, precision) != (self.n_units, self.precision) {
            let problem = "has another width or precision than the previous parts; record again";
            return Err(fail(name, problem.to_owned()));
        }
        (self.n_units, self.precision) = (n_units, precision);
        let part = self.parts.len();
        for (index, group) in metadata.metadata().row_groups().iter().enumerate() {
            let only = |column: &str| {
                let problem = "every row group must contain one snapshot and have statistics of `epoch` and `step`";
                single(group, metadata.schema(), column).ok_or_else(|| fail(column, problem.to_owned()))
            };
            let (epoch, step) = (only("epoch")?, only("step")?);
            let epoch = i32::try_from(epoch).map_err(|_| fail("epoch", format!("{epoch} does not fit into int32")))?;
            if let Some((column, number)) = [("epoch", i64::from(epoch)), ("step", step)].iter().find(|(_, n)| *n < 0) {
                return Err(fail(column, format!("contains {number}; must be 0 or greater")));
            }
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
        self.parts.push(OpenFile { path: path.to_owned(), metadata, conversion });
        Ok(())
    }

    /// Number of units of the layer.
    pub fn n_units(&self) -> usize {
        self.n_units
    }

    /// Precision of the stored values.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Whether the files contain only some of the samples, by the footer entry `infoplane.samples`.
    pub fn is_partial(&self) -> bool {
        let entry = |part: &OpenFile| footer_of(&part.metadata).remove(SAMPLES_KEY);
        self.parts.first().and_then(entry).is_some_and(|samples| samples != "all")
    }

    /// Path of the first file.
    pub fn path(&self) -> &Path {
        self.parts.first().map_or(Path::new(""), |part| &part.path)
    }

    /// The recorded snapshots as (epoch, step), ascending.
    pub fn snapshots(&self) -> impl ExactSizeIterator<Item = (i32, i64)> + '_ {
        self.snapshots.iter().map(|place| (place.epoch, place.step))
    }

    /// Reads the `index`-th recorded snapshot.
    ///
    /// # Errors
    /// The file is damaged, has nulls, or its samples are not in order.
    pub fn read(&self, index: usize) -> Result<Activations, StoreError> {
        let path = &self.parts[self.snapshots[index].part].path;
        guarded(path, || self.read_from(open_file(path)?, index))
    }

    fn read_from(&self, file: impl ChunkReader + 'static, index: usize) -> Result<Activations, StoreError> {
        let place = &self.snapshots[index];
        let OpenFile { path, metadata, conversion } = &self.parts[place.part];
        let mut conversion = conversion.clone();
        let n_at_once = if conversion.converts(self.values.column()) { FOREIGN_VALUES } else { ROW_GROUP_BYTES };
        let damaged = |problem: String| StoreError::Damaged { path: path.clone(), problem };
        let n_rows: i64 = place.groups.iter().map(|g| metadata.metadata().row_group(*g).num_rows()).sum();
        let groups = place.groups.iter().map(|group| metadata.metadata().row_group(*group));
        // A row is its sample number and its values.
        expect_room(path, metadata, groups, (size_of::<i32>(), size_of::<f32>()))?;
        let n_samples = usize::try_from(n_rows).unwrap_or(0);
        let samples = reserved(n_samples, "samples").map_err(damaged)?;
        let t = reserved(n_samples.saturating_mul(self.n_units), "activations").map_err(damaged)?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
            .with_row_groups(place.groups.clone())
            .with_batch_size(n_samples.clamp(1, (n_at_once / self.n_units.max(1)).max(1)))
            .build()
            .map_err(|e| damaged(e.to_string()))?;
        let mut read = Activations { epoch: place.epoch, step: place.step, samples, t };
        for batch in reader {
            let batch = batch.map_err(|e| damaged(e.to_string()))?;
            let batch = conversion.apply(batch).map_err(|Unreadable { column, problem }| StoreError::Column {
                path: path.clone(),
                column,
                problem: format!("epoch {}, step {}: {problem}", place.epoch, place.step),
            })?;
            self.append(path, &batch, &mut read)?;
        }
        match read.t.len() == read.samples.len() * self.n_units {
            true => Ok(read),
            false => Err(damaged("its footer declares another number of values".to_owned())),
        }
    }

    fn append(&self, path: &Path, batch: &RecordBatch, read: &mut Activations) -> Result<(), StoreError> {
        let (epoch, step, n_before) = (read.epoch, read.step, read.samples.len());
        let fail = |column: &str, problem: String| StoreError::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            problem: format!("epoch {epoch}, step {step}: {problem}"),
        };
        let missing = |column: &str| {
            let row = batch.column_by_name(column).and_then(|array| row_of_null(array));
            let row = row.map_or_else(String::new, |row| format!("row {} ", n_before + row));
            fail(column, format!("{row}contains a null; every sample needs a value"))
        };
        let column =
            |name: &str| batch.column_by_name(name).filter(|a| a.null_count() == 0).ok_or_else(|| missing(name));
        let epochs = column("epoch")?.as_primitive_opt::<Int32Type>().ok_or_else(|| missing("epoch"))?;
        let steps = column("step")?.as_primitive_opt::<Int64Type>().ok_or_else(|| missing("step"))?;
        if let Some(other) = epochs.values().iter().find(|e| **e != epoch) {
            return Err(fail("epoch", format!("a row has {other}, the statistics of its row group have {epoch}")));
        }
        if let Some(other) = steps.values().iter().find(|s| **s != step) {
            return Err(fail("step", format!("a row has {other}, the statistics of its row group have {step}")));
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

/// The value of a column that is constant in a row group, by its statistics.
fn single(group: &RowGroupMetaData, schema: &Schema, column: &str) -> Option<i64> {
    // Statistics store unsigned numbers by their bits.
    let is_unsigned = schema.field_with_name(column).is_ok_and(|field| *field.data_type() == DataType::UInt32);
    let column = group.columns().iter().find(|c| c.column_path().string() == column)?;
    let (min, max) = match column.statistics()? {
        Statistics::Int32(s) if is_unsigned => (i64::from(*s.min_opt()? as u32), i64::from(*s.max_opt()? as u32)),
        Statistics::Int32(s) => (i64::from(*s.min_opt()?), i64::from(*s.max_opt()?)),
        Statistics::Int64(s) => (*s.min_opt()?, *s.max_opt()?),
        _ => return None,
    };
    (min == max).then_some(min)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use parquet::file::reader::Length;

    use super::super::super::table::Footer;
    use super::super::{ActivationWriter, Shape, Zeros};
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
        assert!(error.contains("70000 is above the largest f16"), "{error}");
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

    /// A file that counts the bytes read from it.
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
            // Values that do not compress, so that file sizes equal value sizes.
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
        let group = reader.parts[0].metadata.metadata().row_group(117).compressed_size() as u64;
        let touched = counter.load(Ordering::Relaxed);
        assert!(touched <= group, "{touched} bytes read of a row group of {group}");
        assert!(group < n_bytes / 190, "a row group of {group} in a file of {n_bytes}");
    }
}
