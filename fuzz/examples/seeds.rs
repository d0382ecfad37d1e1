//! Writes the inputs that fuzzing starts from: one small valid file per table, and a file of another program in several encodings.
//!
//!     cd fuzz && cargo run --example seeds

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Int32Type};
use infoplane::store::schema::{EpochRow, EstimateRow, GradientRow, Row, SampleRow, SplitRow, SummaryRow, WeightRow};
use infoplane::estimate_id::Values;
use infoplane::store::{ActivationWriter, Footer, Precision, Shape, Zeros, write_rows};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};

/// The readers, by the number that the fuzz target gives them.
const ACTIVATIONS: u8 = 0;
const SAMPLES: u8 = 1;
const FOREIGN: u8 = 2;
const SPLITS: u8 = 3;
const EPOCHS: u8 = 4;
const ACTIVATION_ROWS: u8 = 5;
const WEIGHTS: u8 = 6;
const GRADIENTS: u8 = 7;
const ESTIMATES: u8 = 8;
const SUMMARY: u8 = 9;

fn main() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/reader");
    let work = seeds.join("work");
    fs::create_dir_all(&work).expect("the folder of the seeds can be made");
    let keep = |name: &str, reader: u8, file: &[u8]| {
        fs::write(seeds.join(name), [&[reader], file].concat()).expect("the seeds can be written");
    };
    let file = |name: &str| fs::read(work.join(name)).expect("it was just written");

    let activations = activations(&work);
    keep("activations", ACTIVATIONS, &activations);
    keep("activation-rows", ACTIVATION_ROWS, &activations);
    keep("activations-foreign", FOREIGN, &activations);
    write(&work, &samples());
    keep("samples", SAMPLES, &file(SampleRow::TABLE));
    write(
        &work,
        &[SplitRow { sample: 0, split: "train".to_owned() }, SplitRow { sample: 1, split: "test".to_owned() }],
    );
    keep("splits", SPLITS, &file(SplitRow::TABLE));
    write(&work, &epochs());
    keep("epochs", EPOCHS, &file(EpochRow::TABLE));
    write(&work, &[WeightRow { epoch: 0, step: 0, kernel: vec![0.5, -0.5], bias: vec![0.0] }]);
    keep("weights", WEIGHTS, &file(WeightRow::TABLE));
    write(&work, &gradients());
    keep("gradients", GRADIENTS, &file(GradientRow::TABLE));
    write(&work, &[estimate(None), estimate(Some("a unit is constant"))]);
    keep("estimates", ESTIMATES, &file(EstimateRow::TABLE));
    write(&work, &[summary()]);
    keep("summary", SUMMARY, &file(SummaryRow::TABLE));
    fs::remove_dir_all(&work).expect("it was just made");

    for (name, compression, encoding) in [
        ("plain", Compression::UNCOMPRESSED, None),
        ("snappy", Compression::SNAPPY, Some(Encoding::BYTE_STREAM_SPLIT)),
        ("gzip", Compression::GZIP(GzipLevel::default()), Some(Encoding::PLAIN)),
        ("lz4", Compression::LZ4_RAW, Some(Encoding::DELTA_BINARY_PACKED)),
        ("zstd", Compression::ZSTD(ZstdLevel::default()), None),
    ] {
        keep(&format!("foreign-{name}"), FOREIGN, &foreign(compression, encoding));
    }
}

fn write<R: Row>(folder: &Path, rows: &[R]) {
    write_rows(folder, R::TABLE, rows, &Footer::new()).expect("small tables can be written");
}

fn activations(folder: &Path) -> Vec<u8> {
    let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: Zeros::Few };
    let samples = Arc::from([0, 1, 2]);
    let writer = ActivationWriter::create(folder, "activations", shape, samples, 2, &Footer::new());
    let mut writer = writer.expect("a small table");
    for epoch in [0, 1, 5] {
        let t: Vec<f32> = (0..6).map(|i| (i as f32 - epoch as f32).tanh()).collect();
        writer.write(epoch, i64::from(epoch) * 7, &t).expect("a small table");
    }
    writer.commit().expect("a small table");
    fs::read(folder.join("activations")).expect("it was just written")
}

fn samples() -> [SampleRow; 3] {
    [0, 1, 2].map(|sample| SampleRow {
        sample,
        x: vec![sample as f32, 1.0],
        y: sample % 2,
        p_y1: (sample > 0).then_some(0.5),
    })
}

fn epochs() -> [EpochRow; 2] {
    [0, 1].map(|epoch| EpochRow {
        epoch,
        step: 7 * i64::from(epoch),
        loss_train_nats: 0.7,
        loss_test_nats: (epoch > 0).then_some(0.8),
        accuracy_train: 0.5,
        accuracy_test: (epoch > 0).then_some(0.4),
    })
}

fn gradients() -> [GradientRow; 2] {
    [1, 2].map(|layer| GradientRow {
        epoch: 0,
        step: 0,
        layer,
        gradients_over: Some("samples".to_owned()),
        gradient_mean_norm: 0.1,
        gradient_std_norm: (layer > 1).then_some(0.2),
        weight_norm: 1.0,
    })
}

fn estimate(failure: Option<&str>) -> EstimateRow {
    let estimated = |bits: f64| failure.is_none().then_some(bits);
    EstimateRow {
        estimator: "binning-n-edges-30".to_owned(),
        run: "r0000".to_owned(),
        layer: 1,
        epoch: 0,
        step: 0,
        i_xt_bits: estimated(1.5),
        i_ty_bits: estimated(0.5),
        i_xt_ceiling_bits: estimated(1.6),
        i_ty_ceiling_bits: estimated(0.9),
        n_samples: 3,
        n_codes: 3,
        failure: failure.map(str::to_owned),
    }
}

fn summary() -> SummaryRow {
    SummaryRow {
        experiment: "tiny".to_owned(),
        estimator: "binning-n-edges-30".to_owned(),
        layer: 1,
        epoch: 0,
        step: Some(0),
        n_runs: 1,
        n_failed: 0,
        i_xt_bits_mean: Some(1.5),
        i_xt_bits_std: None,
        i_ty_bits_mean: Some(0.5),
        i_ty_bits_std: None,
        i_xt_ceiling_bits: Some(1.6),
        i_ty_ceiling_bits: Some(0.9),
        loss_train_nats_mean: Some(0.7),
        loss_test_nats_mean: None,
        accuracy_train_mean: Some(0.5),
        accuracy_test_mean: None,
    }
}

/// A file as another program could have written it: numbers, lists, nulls, text.
fn foreign(compression: Compression, encoding: Option<Encoding>) -> Vec<u8> {
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    let pairs = Float32Array::from(vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    let pairs = FixedSizeListArray::new(item(DataType::Float32), 2, Arc::new(pairs), None);
    let lists = [Some(vec![Some(1), None]), None, Some(vec![])];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("numbers", Arc::new(Float64Array::from(vec![Some(0.5), None, Some(-1.0)]))),
        ("integers", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("short", Arc::new(Int32Array::from(vec![4, 4, 4]))),
        ("flags", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("pairs", Arc::new(pairs)),
        ("lists", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))),
        (
            "wide",
            Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>([0.0, 1.0, 2.0].map(|v| Some([Some(v)])))),
        ),
        ("text", Arc::new(StringArray::from(vec![Some("a"), None, Some("a")]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut properties = WriterProperties::builder().set_compression(compression);
    if let Some(encoding) = encoding {
        // Encodings that a column's type does not take are refused, so only the numbers get them.
        let numbers = if encoding == Encoding::DELTA_BINARY_PACKED { "integers" } else { "numbers" };
        properties = properties.set_writer_version(WriterVersion::PARQUET_2_0).set_dictionary_enabled(false);
        properties = properties.set_column_encoding(numbers.into(), encoding);
    }
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).expect("a valid schema");
    writer.write(&batch).expect("memory");
    writer.into_inner().expect("memory")
}
