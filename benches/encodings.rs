//! Measures other layouts and encodings of activations than ours: a table of write speed (with the conversion
//! to f16 and the transposition to rows of units), time to read one epoch of all layers, and size, on one core. Run it
//! through `benches/peers/recording.py --encodings`.

mod layers;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrowPrimitiveType, FixedSizeListArray, Float16Array, Float32Array, Int32Array, RecordBatch,
};
use arrow::datatypes::{Field, Float16Type};
use layers::{Layer, from_arguments, median, megabytes, seconds};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

/// Content of a row: all units of one sample, or all samples of one unit.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Sample,
    Unit,
}

#[derive(Clone, Copy, PartialEq)]
enum Precision {
    F32,
    F16,
}

#[derive(Clone, Copy)]
struct Variant {
    layout: Layout,
    precision: Precision,
    encoding: Encoding,
    /// zstd level; 0 is no compression.
    level: i32,
    epochs_per_group: usize,
}

const EPOCHS_PER_GROUP: usize = 10;
const READS: usize = 40;

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn main() {
    let (repeats, folder, layers) = from_arguments();
    let n_records = layers[0].records().len();
    println!("| row | value | row group | encoding | zstd | write MB/s | read one epoch, ms | size, % of raw f32 |");
    println!("|---|---|---|---|---|---|---|---|");
    for variant in variants(n_records) {
        let paths: Vec<PathBuf> = (0..layers.len()).map(|i| folder.join(format!("encodings-{i}.parquet"))).collect();
        let files = || paths.iter().zip(&layers);
        let times = (0..repeats).map(|_| seconds(|| files().for_each(|(path, layer)| write(path, layer, variant))));
        let write_seconds = median(times.collect());
        let read_one = |record| files().for_each(|(path, layer)| read(path, layer, variant, record));
        // Linux counts processor time in steps of some milliseconds, so all reads are measured together.
        let read_seconds = seconds(|| (0..READS).for_each(|i| read_one(i * (n_records - 1) / READS))) / READS as f64;
        let bytes: u64 = paths.iter().map(|path| path.metadata().expect("it was just written").len()).sum();
        println!(
            "| {} | {} | {} | {} | {} | {:.0} | {:.2} | {:.1} |",
            if variant.layout == Layout::Sample { "sample" } else { "unit" },
            if variant.precision == Precision::F32 { "f32" } else { "f16" },
            if variant.epochs_per_group == 1 { "epoch" } else { "10 epochs" },
            if variant.encoding == Encoding::PLAIN { "plain" } else { "byte-stream split" },
            if variant.level == 0 { "none".to_owned() } else { variant.level.to_string() },
            megabytes(&layers) / write_seconds,
            read_seconds * 1e3,
            bytes as f64 / megabytes(&layers) / 1e4,
        );
        paths.iter().for_each(|path| std::fs::remove_file(path).expect("it was just written"));
    }
}

fn variants(n_records: usize) -> Vec<Variant> {
    let mut variants = Vec::new();
    for layout in [Layout::Sample, Layout::Unit] {
        for epochs_per_group in [1, EPOCHS_PER_GROUP].into_iter().filter(|epochs| *epochs <= n_records) {
            for precision in [Precision::F32, Precision::F16] {
                for encoding in [Encoding::PLAIN, Encoding::BYTE_STREAM_SPLIT] {
                    for level in [0, 1, 3, 9] {
                        variants.push(Variant { layout, precision, encoding, level, epochs_per_group });
                    }
                }
            }
        }
    }
    variants
}

fn write(path: &Path, layer: &Layer, variant: Variant) {
    let compression = match variant.level {
        0 => Compression::UNCOMPRESSED,
        level => Compression::ZSTD(ZstdLevel::try_new(level).expect("a level that zstd knows")),
    };
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_column_dictionary_enabled(column("t.list.item"), false)
        .set_column_encoding(column("t.list.item"), variant.encoding)
        .set_column_statistics_enabled(column("t.list.item"), EnabledStatistics::None)
        .set_column_dictionary_enabled(column("row"), false)
        .set_column_encoding(column("row"), Encoding::DELTA_BINARY_PACKED);
    let mut batches = layer.records().enumerate().map(|(epoch, t)| batch(epoch, t, layer, variant)).peekable();
    let schema = batches.peek().expect("at least one epoch").schema();
    let file = File::create(path).expect("the folder can be written");
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties.build())).expect("a valid schema");
    for (epoch, batch) in batches.enumerate() {
        writer.write(&batch).expect("the folder can be written");
        if (epoch + 1) % variant.epochs_per_group == 0 {
            writer.flush().expect("the folder can be written");
        }
    }
    writer.close().expect("the folder can be written");
}

fn column(path: &str) -> ColumnPath {
    ColumnPath::new(path.split('.').map(str::to_owned).collect())
}

fn batch(epoch: usize, t: &[f32], layer: &Layer, variant: Variant) -> RecordBatch {
    let (n_rows, values) = match variant.layout {
        Layout::Sample => (layer.n_samples, t.to_vec()),
        Layout::Unit => (layer.n_units, transposed(t, layer)),
    };
    let width = (values.len() / n_rows) as i32;
    let values: Arc<dyn Array> = match variant.precision {
        Precision::F32 => Arc::new(Float32Array::from(values)),
        Precision::F16 => {
            let half = <Float16Type as ArrowPrimitiveType>::Native::from_f32;
            Arc::new(Float16Array::from_iter_values(values.into_iter().map(half)))
        }
    };
    let item = Arc::new(Field::new("item", values.data_type().clone(), false));
    let columns: [(&str, Arc<dyn Array>); 3] = [
        ("epoch", Arc::new(Int32Array::from(vec![epoch as i32; n_rows]))),
        ("row", Arc::new(Int32Array::from_iter_values(0..n_rows as i32))),
        ("t", Arc::new(FixedSizeListArray::new(item, width, values, None))),
    ];
    let columns = columns.map(|(name, values)| (name, values, false));
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

/// n_samples × n_units to n_units × n_samples, in blocks that stay in the first cache.
fn transposed(t: &[f32], layer: &Layer) -> Vec<f32> {
    const BLOCK: usize = 32;
    let (n_samples, n_units) = (layer.n_samples, layer.n_units);
    let mut by_unit = vec![0.0; t.len()];
    for first_sample in (0..n_samples).step_by(BLOCK) {
        for first_unit in (0..n_units).step_by(BLOCK) {
            for unit in first_unit..(first_unit + BLOCK).min(n_units) {
                for sample in first_sample..(first_sample + BLOCK).min(n_samples) {
                    by_unit[unit * n_samples + sample] = t[sample * n_units + unit];
                }
            }
        }
    }
    by_unit
}

/// Reads one epoch, as far as Arrow arrays: opens the file, reads its footer, decodes the rows.
fn read(path: &Path, layer: &Layer, variant: Variant, record: usize) {
    let n_rows = if variant.layout == Layout::Sample { layer.n_samples } else { layer.n_units };
    let before = record % variant.epochs_per_group * n_rows;
    let rows = RowSelection::from(vec![RowSelector::skip(before), RowSelector::select(n_rows)]);
    let file = File::open(path).expect("it was just written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|reader| {
            let reader = reader.with_row_groups(vec![record / variant.epochs_per_group]);
            reader.with_row_selection(rows).with_batch_size(n_rows).build()
        })
        .expect("it was just written");
    let n_read: usize = reader.map(|batch| batch.expect("it was just written").num_rows()).sum();
    assert_eq!(n_read, n_rows);
}
