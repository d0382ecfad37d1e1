//! Writes the inputs that fuzzing starts from: a file of every table, a file of another program in several encodings, and a
//! small file of every format that `infoplane data import` reads.
//!
//!     cd fuzz && cargo run --example seeds

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Int32Type};
use infoplane::import::{FORMATS, gzip};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};

/// The tables, with the numbers that the fuzz target `reader` gives them, and a file of each below tests/compat.
const TABLES: &[(&str, u8, &str)] = &[
    ("activations", 0, "recording/activations/layer=1/run=r0000/part-00000.parquet"),
    ("samples", 1, "recording/samples.parquet"),
    ("activations-foreign", FOREIGN, "recording/activations/layer=1/run=r0000/part-00000.parquet"),
    ("splits", 3, "recording/splits/run=r0000/part-00000.parquet"),
    ("epochs", 4, "recording/epochs/run=r0000/part-00000.parquet"),
    ("activation-rows", 5, "recording/activations/layer=1/run=r0000/part-00000.parquet"),
    ("weights", 6, "recording/weights/layer=1/run=r0000/part-00000.parquet"),
    ("gradients", 7, "recording/gradients/run=r0000/part-00000.parquet"),
    ("estimates", 8, "estimates/binning-n-edges-30/run=r0000.parquet"),
    ("summary", 9, "summary.parquet"),
];
const FOREIGN: u8 = 2;

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let keep = |target: &str, name: &str, begin: &[u8], file: &[u8]| {
        let folder = here.join("seeds").join(target);
        fs::create_dir_all(&folder).expect("the folder of the seeds can be made");
        fs::write(folder.join(name), [begin, file].concat()).expect("the seeds can be written");
    };
    for (name, reader, file) in TABLES {
        let file = fs::read(here.join("../tests/compat/v8").join(file)).expect("files of this version are kept");
        keep("reader", name, &[*reader], &file);
    }
    for (name, compression, encoding) in [
        ("plain", Compression::UNCOMPRESSED, None),
        ("snappy", Compression::SNAPPY, Some(Encoding::BYTE_STREAM_SPLIT)),
        ("gzip", Compression::GZIP(GzipLevel::default()), Some(Encoding::PLAIN)),
        ("lz4", Compression::LZ4_RAW, Some(Encoding::DELTA_BINARY_PACKED)),
        ("zstd", Compression::ZSTD(ZstdLevel::default()), None),
    ] {
        keep("reader", &format!("foreign-{name}"), &[FOREIGN], &foreign(compression, encoding));
    }
    for (name, ending, how, file) in imports() {
        let format = FORMATS.iter().position(|format| format.ending == ending).expect("a format that is listed");
        keep("import", name, &[format as u8, how], &file);
    }
}

/// Names, endings, ways to be read (0: as the file says) and contents of small files of other programs.
fn imports() -> Vec<(&'static str, &'static str, u8, Vec<u8>)> {
    let (plain, no_header, semicolons, german, last) = (0, 2, 3, 12, 18);
    let csv = b"a,b,y\n0.5,-1e3,setosa\n2,9007199254740993,virginica\n".as_slice();
    vec![
        ("csv", "csv", plain, csv.to_vec()),
        ("csv-gzip", "csv", plain, gzip(csv)),
        ("csv-pandas", "csv", plain, b",a,y\n0,0.5,True\n1,1.5,False\n".to_vec()),
        ("csv-excel", "csv", plain, b"\xef\xbb\xbfsep=;\r\na;\"b;c\";y\r\n0.5;1;0\r\n".to_vec()),
        ("csv-no-header", "csv", no_header, b"5,0,0,1\n0,1,0.25,0\n".to_vec()),
        ("csv-semicolons", "csv", semicolons, b"a;y\n1;0\n".to_vec()),
        ("csv-german", "csv", german, b"a;y\n1,5;0\n".to_vec()),
        ("tsv", "tsv", plain, b"a\ty\n1\t0\n".to_vec()),
        ("spaces", "data", plain, b"  a  \"the y\"\n 1   0\n".to_vec()),
        ("npy", "npy", plain, npy("<f8", "(2, 2)", &[0.5_f64, 1.0, -1.0, 0.0].map(f64::to_le_bytes).concat())),
        ("npy-integers", "npy", last, npy("<i8", "(1, 2, 2)", &[1_i64, i64::MAX, 3, 4].map(i64::to_le_bytes).concat())),
        ("npy-words", "npy", plain, npy("<U2", "(2,)", &[97_u32, 0, 98, 99].map(u32::to_le_bytes).concat())),
        ("npy-truths", "npy", plain, npy("|b1", "(2,)", &[1, 0])),
        ("npz", "npz", plain, npz()),
        ("idx", "idx", plain, [[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3].as_slice(), &[0, 1, 2, 3, 4, 255]].concat()),
        ("mat", "mat", plain, mat(false)),
        ("mat-compressed", "mat", last, mat(true)),
    ]
}

fn npy(descriptor: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
}

fn npz() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("x.npy", npy("|u1", "(2, 2, 1)", &[1, 2, 3, 4])), ("y.npy", npy("|u1", "(2, 1)", &[1, 0]))] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("memory");
        archive.write_all(&content).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

/// A variable of 2 × 2 × 1 bytes.
fn mat(is_compressed: bool) -> Vec<u8> {
    let element = |kind: u32, content: &[u8]| {
        let filling = vec![0; content.len().next_multiple_of(8) - content.len()];
        [&kind.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content, &filling].concat()
    };
    let shape = [2_i32, 2, 1].map(i32::to_le_bytes).concat();
    let parts = [element(6, &[9, 0, 0, 0, 0, 0, 0, 0]), element(5, &shape), element(1, b"X"), element(2, &[1, 2, 3, 4])];
    let mut variable = element(14, &parts.concat());
    if is_compressed {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&variable).expect("memory");
        let content = encoder.finish().expect("memory");
        variable = [&15_u32.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content.as_slice()].concat();
    }
    let mut header = [b' '; 128];
    header[124..].copy_from_slice(&[0, 1, b'I', b'M']);
    [header.as_slice(), &variable].concat()
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
