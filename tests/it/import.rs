//! `infoplane data import` of what people have: tables without header, in other notations, images, labels of every kind.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use infoplane::store::schema::SampleRow;
use infoplane::store::{read_footer, read_samples};
use ndarray::{Array1, Array2, Array3, Array4, array};
use ndarray_npy::{NpzWriter, WritableElement, WriteNpyExt};

use crate::tool::{PIPELINE, Project};

fn samples(project: &Project) -> Vec<SampleRow> {
    read_samples(&project.path("out.parquet")).unwrap()
}

/// Imports with the words of `line` and returns what is printed.
#[track_caller]
fn import(project: &Project, line: &str) -> String {
    let _ = fs::remove_file(project.path("out.parquet"));
    project.ok(&format!("data import {line} --out out.parquet"))
}

/// Imports what must be refused.
#[track_caller]
fn refused(project: &Project, line: &str) -> String {
    let sentence = project.refused(&format!("data import {line} --out out.parquet"));
    assert!(!project.path("out.parquet").exists(), "{line}: something was written");
    sentence
}

fn described(project: &Project) -> serde_json::Value {
    serde_json::from_str(&project.run("data describe out.parquet --json").stdout).unwrap()
}

/// X and labels of the table that was imported.
#[track_caller]
fn check(project: &Project, x: &[&[f32]], y: &[i32]) {
    let rows = samples(project);
    assert_eq!(rows.iter().map(|row| row.x().to_vec()).collect::<Vec<_>>(), x);
    assert_eq!(rows.iter().map(|row| row.y).collect::<Vec<_>>(), y);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn npz<T: WritableElement, U: WritableElement, D: ndarray::Dimension, E: ndarray::Dimension>(
    project: &Project,
    x: &ndarray::Array<T, D>,
    y: &ndarray::Array<U, E>,
) {
    let mut npz = NpzWriter::new_compressed(fs::File::create(project.path("d.npz")).unwrap());
    npz.add_array("x", x).unwrap();
    npz.add_array("y", y).unwrap();
    npz.finish().unwrap();
}

fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut content = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| content.extend(size.to_be_bytes()));
    [&content, bytes].concat()
}

#[test]
fn a_table_without_header_loses_no_sample() {
    let project = Project::new("");
    let advice = "add `--no-header` if the file has no line of names, or `--header` if these are the names";
    for text in ["7,121,1\n10,183,0\n5,148,1\n", "5,0,0\n4,1,0\n", "5,a\n4,a\n"] {
        project.write("d.csv", text);
        assert!(refused(&project, "d.csv --y 1").ends_with(advice), "{text}");
    }
    project.write("d.csv", "7,121,1\n10,183,0\n5,148,1\n");
    import(&project, "d.csv --no-header --y 2");
    check(&project, &[&[7.0, 121.0], &[10.0, 183.0], &[5.0, 148.0]], &[1, 0, 1]);
    let sentence = refused_after(&project, "d.csv --no-header");
    assert!(
        sentence
            .ends_with("no column `y`; known: `0`, `1`, `2`; name the column of labels with --y, for example `--y 2`"),
        "{sentence}"
    );
}

/// As [`refused`], where an earlier table is there.
#[track_caller]
fn refused_after(project: &Project, line: &str) -> String {
    fs::remove_file(project.path("out.parquet")).unwrap();
    refused(project, line)
}

#[test]
fn the_index_of_pandas_is_left_out_and_reported() {
    let project = Project::new("");
    for (name, header, what) in [
        ("d.csv", "", "the first column, which has no name"),
        ("d.csv", "Unnamed: 0", "`Unnamed: 0`, which numbers the rows"),
    ] {
        let rows: String = (0..20).map(|i| format!("{i},{}.0,{}.0,{}\n", i % 2, i / 2 % 2, i % 2)).collect();
        project.write(name, format!("{header},a,b,y\n{rows}"));
        let said = import(&project, name);
        assert!(said.contains("20 samples of 2 inputs") && said.contains(&format!("left out of x: {what}")), "{said}");
        assert_eq!(described(&project)["h_x_bits"], 2.0);
    }
    project.write("px.csv", ",a\n0,0.5\n1,1.5\n");
    project.write("py.csv", "y\n0\n1\n");
    let said = import(&project, "px.csv py.csv");
    assert!(said.contains("left out of px.csv: the first column, which has no name"), "{said}");
    check(&project, &[&[0.5], &[1.5]], &[0, 1]);
    project.write("id.csv", "Id,a,y\n1,0.5,0\n2,0.5,1\n3,1.5,1\n");
    let warning = "column `Id` numbers the rows; if it is not an input, name the inputs with --x";
    assert!(import(&project, "id.csv").contains(warning));
    assert!(!import(&project, "id.csv --x Id,a").contains(warning));
    // What counts nothing is an input.
    project.write("d.csv", "Unnamed: 0,y\n0.5,0\n0.5,1\n");
    import(&project, "d.csv");
    check(&project, &[&[0.5], &[0.5]], &[0, 1]);
}

#[test]
fn other_separators_and_decimal_commas_are_read() {
    let project = Project::new("");
    let x: [&[f32]; 2] = [&[0.5, 1.25], &[1.5, 0.25]];
    for (file, text, flags) in [
        ("d.csv", "a;b;y\n0.5;1.25;0\n1.5;0.25;1\n", ""),
        ("d.csv", "a;b;y\n0,5;1,25;0\n1,5;0,25;1\n", "--decimal ,"),
        ("d.csv", "0,5;1,25;0\n1,5;0,25;1\n", "--no-header --separator semicolon --decimal comma --y 2"),
        ("d.csv", "sep=;\r\na;b;y\r\n0.5;1.25;0\r\n1.5;0.25;1\r\n", ""),
        ("d.csv", "\u{feff}a b y\n0.5 1.25 0\n1.5  0.25 1\n", ""),
        ("d.tsv", "a\tb\ty\n0.5\t1.25\t0\n1.5\t0.25\t1\n", ""),
        ("d.txt", "a|b|y\n0.5|1.25|0\n1.5|0.25|1\n", "--separator pipe"),
    ] {
        project.write(file, text);
        import(&project, &format!("{file} {flags}"));
        check(&project, &x, &[0, 1]);
    }
    project.write("d.csv", "a;y\n0,5;0\n");
    let sentence = refused_after(&project, "d.csv");
    assert!(
        sentence.contains("`0,5` is not a number; if the comma is a decimal point, add `--decimal ,`"),
        "{sentence}"
    );
    project.write("d.csv", "0,5;1,5\n1,5;2,5\n");
    let sentence = refused(&project, "d.csv --no-header");
    assert!(
        sentence.contains("may be separated by `,` or by `;`; add `--separator ,` or `--separator ';'`"),
        "{sentence}"
    );
    let sentence = refused(&project, "d.csv --separator ab");
    assert!(!sentence.is_empty());
    npz(&project, &array![[1.0]], &array![0]);
    let sentence = refused(&project, "d.npz --no-header");
    assert!(
        sentence.ends_with("--no-header, --header, --separator and --decimal are for text, not for .npz"),
        "{sentence}"
    );
    project.write("d.csv", "a,y\n1,0\n");
    assert!(refused(&project, "d.csv --transpose").contains("--transpose is for arrays"));
}

#[test]
fn compressed_files_of_every_format_are_read() {
    let project = Project::new("");
    project.write("d.csv.gz", gzip(b"a,y\n0.5,1\n"));
    import(&project, "d.csv.gz");
    check(&project, &[&[0.5]], &[1]);
    let mut npy = Vec::new();
    array![[0.5, 1.0], [2.0, 0.0]].write_npy(&mut npy).unwrap();
    project.write("d.npy.gz", gzip(&npy));
    import(&project, "d.npy.gz --y 1");
    check(&project, &[&[0.5], &[2.0]], &[1, 0]);
    // Also under the name of the file inside.
    project.write("plain.npy", gzip(&npy));
    import(&project, "plain.npy --y 1");
    project.ok("data import d.csv.gz");
    assert!(project.path("data/d.parquet").exists());
}

#[test]
fn texts_and_booleans_are_labels_in_sorted_order_whose_names_are_kept() {
    let project = Project::new("");
    project.write("iris.csv", "sl,species\n7.0,versicolor\n5.1,setosa\n6.3,virginica\n4.9,setosa\n");
    import(&project, "iris.csv --y species");
    check(&project, &[&[7.0], &[5.1], &[6.3], &[4.9]], &[1, 0, 2, 0]);
    let footer = read_footer(&project.path("out.parquet"), "samples").unwrap();
    assert_eq!(footer["infoplane.classes"], r#"["setosa","versicolor","virginica"]"#);
    let text = project.run("data describe out.parquet").stdout;
    assert!(text.contains("0 (setosa): 2 (50.00 %), 1 (versicolor): 1 (25.00 %)"), "{text}");
    assert_eq!(described(&project)["classes"][2]["name"], "virginica");
    // The names survive another import.
    project.ok("data import out.parquet --out again.parquet");
    let again = read_footer(&project.path("again.parquet"), "samples").unwrap();
    assert_eq!(again["infoplane.classes"], footer["infoplane.classes"]);

    project.write("bool.csv", "a,b,y\n0.1,True,True\n0.2,False,False\n");
    import(&project, "bool.csv");
    check(&project, &[&[0.1, 1.0], &[0.2, 0.0]], &[1, 0]);
    assert_eq!(described(&project)["classes"][1]["name"], "True");

    project.write("mixed.csv", "a,y\n1,0\n2,?\n");
    let sentence = refused_after(&project, "mixed.csv");
    assert!(sentence.contains("column `y`: row 1 is `?`, which means a missing value"), "{sentence}");
}

#[test]
fn a_one_hot_label_is_the_position_of_its_1() {
    let project = Project::new("");
    let x = array![[0.0], [1.0], [2.0]];
    npz(&project, &x, &array![[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
    import(&project, "d.npz");
    check(&project, &[&[0.0], &[1.0], &[2.0]], &[1, 0, 1]);
    npz(&project, &x, &array![[0.0, 1.0], [1.0, 1.0], [0.0, 1.0]]);
    let sentence = refused_after(&project, "d.npz");
    assert!(
        sentence.contains("row 1 of the labels `y` is 1, 1; labels must be one number or word per row, or one-hot"),
        "{sentence}"
    );
    // One column for each class has the name of the class.
    project.write("d.csv", "a,red,blue\n5,0,1\n6,1,0\n");
    import(&project, "d.csv --y red,blue");
    check(&project, &[&[5.0], &[6.0]], &[1, 0]);
    assert_eq!(described(&project)["classes"][0]["name"], "red");
    project.write("words.csv", "a,color,size\n1,blue,big\n2,red,small\n");
    let sentence = refused_after(&project, "words.csv --y color,size");
    assert!(sentence.contains("column `color`: row 0: `blue` is not a number; several columns"), "{sentence}");
}

#[test]
fn images_are_flattened_row_by_row_and_keep_their_shape() {
    let project = Project::new("");
    let images = Array3::from_shape_fn((3, 2, 2), |(i, j, k)| (4 * i + 2 * j + k) as u8);
    // Labels as MedMNIST has them, one a row.
    npz(&project, &images, &array![[2_u8], [0], [1]]);
    import(&project, "d.npz");
    check(&project, &[&[0.0, 1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0], &[8.0, 9.0, 10.0, 11.0]], &[2, 0, 1]);
    let text = project.run("data describe out.parquet").stdout;
    assert!(text.contains("3 samples of 4 inputs (2 × 2), from 0 to 11"), "{text}");
    assert_eq!(described(&project)["x_shape"], serde_json::json!([2, 2]));

    // SVHN: height, width, colour, sample.
    let last = Array4::from_shape_fn((2, 1, 2, 5), |(h, _, c, i)| (100 * i + 10 * h + c) as f32);
    npz(&project, &last, &Array2::from_shape_fn((5, 1), |(i, _)| i as i32));
    let sentence = refused_after(&project, "d.npz");
    assert!(
        sentence.ends_with(
            "`x` has 2 rows, `y` has 5; the last dimension of x is 5: if it is the number of samples, add `--transpose`"
        ),
        "{sentence}"
    );
    import(&project, "d.npz --transpose");
    assert_eq!(samples(&project)[3].x(), [300.0, 301.0, 310.0, 311.0]);
    assert_eq!(described(&project)["x_shape"], serde_json::json!([2, 1, 2]));
}

#[test]
fn idx_files_of_any_data_set_are_read_in_pairs() {
    let project = Project::new("");
    project.write("emnist-letters-train-images-idx3-ubyte", idx(&[2, 1, 2], &[0, 255, 7, 8]));
    project.write("train-labels.gz", gzip(&idx(&[2], &[26, 1])));
    let x: [&[f32]; 2] = [&[0.0, 255.0], &[7.0, 8.0]];
    import(&project, "emnist-letters-train-images-idx3-ubyte train-labels.gz");
    check(&project, &x, &[26, 1]);
    import(&project, "--x emnist-letters-train-images-idx3-ubyte --y train-labels.gz");
    check(&project, &x, &[26, 1]);
    project.ok("data import emnist-letters-train-images-idx3-ubyte train-labels.gz");
    assert!(project.path("data/emnist-letters-train.parquet").exists());
    // Several pairs, one after the other.
    project.write("test-images", idx(&[1, 1, 2], &[5, 6]));
    project.write("test-labels", idx(&[1], &[3]));
    let pairs = "--x emnist-letters-train-images-idx3-ubyte --x test-images --y train-labels.gz --y test-labels";
    import(&project, pairs);
    check(&project, &[x[0], x[1], &[5.0, 6.0]], &[26, 1, 3]);

    let sentence = refused_after(&project, "test-images");
    assert!(sentence.ends_with("give two files, `infoplane data import X-FILE Y-FILE`"), "{sentence}");
    assert!(refused(&project, "--x test-images --y nowhere").contains("there is no file nowhere"));
    assert!(refused(&project, "test-images test-labels --y 0").contains("`--y` is not allowed; leave it out"));
    assert!(refused(&project, "").contains("no file is given"));
}

#[test]
fn inputs_that_are_equal_in_f32_are_refused_standardised_or_hashed() {
    let project = Project::new("");
    let ids: String = (0..8).map(|i| format!("{},{}\n", 16_777_216 + i % 4, i % 2)).collect();
    let times: String = (0..8).map(|i| format!("{}.0,{}\n", 1_700_000_000 + i, i % 2)).collect();
    let beyond: String = (0..8).map(|i| format!("{},{}\n", (1_u64 << 60) + i, i % 2)).collect();
    for (rows, h_x) in [(&ids, 2.0), (&times, 3.0), (&beyond, 3.0)] {
        project.write("d.csv", format!("id,y\n{rows}"));
        let sentence = refused(&project, "d.csv");
        let numbers: Vec<&str> = rows.lines().map(|row| row.split([',', '.']).next().unwrap()).collect();
        let expected = format!(
            "row 1, column `id`: {} and {} in row 0 become equal when they are stored as f32",
            numbers[1], numbers[0]
        );
        assert!(sentence.contains(&expected), "{sentence}");
        assert!(sentence.contains("--standardise") && sentence.contains("--x-hash"), "{sentence}");
        for flag in ["--standardise", "--x-hash"] {
            import(&project, &format!("d.csv {flag}"));
            let described = described(&project);
            assert_eq!(
                (described["h_x_bits"].as_f64(), described["n_ambiguous_inputs"].as_u64()),
                (Some(h_x), Some(0)),
                "{flag}"
            );
            assert!((described["i_xy_bits"].as_f64().unwrap() - 1.0).abs() < 1e-12, "{flag}");
        }
        fs::remove_file(project.path("out.parquet")).unwrap();
    }
    // The same numbers from an array, whose rows differ elsewhere too: only rows that become one matter.
    npz(&project, &array![[1_i64 << 60, 0], [(1 << 60) + 1, 1], [(1 << 60) + 2, 0]], &array![0, 1, 0]);
    assert!(
        refused(&project, "d.npz").contains("row 2, column `x`, value 0: 1152921504606846978 and 1152921504606846976")
    );
    npz(&project, &array![[0.1_f64, 0.0], [0.1 + 1e-12, 1.0]], &array![0, 1]);
    import(&project, "d.npz");
}

#[test]
fn numbers_too_small_for_f32_are_refused_and_zero_has_no_sign() {
    let project = Project::new("");
    project.write("d.csv", "a,y\n1e-42,0\n2e-320,1\n-0.0,1\n0,0\n");
    let sentence = refused(&project, "d.csv");
    assert!(
        sentence.contains(
            "row 0, column `a` is 1e-42, too small for the full precision of f32, which stores it as 1.000527e-42"
        ),
        "{sentence}"
    );
    import(&project, "d.csv --x-hash");
    assert_eq!(described(&project)["n_distinct_inputs"], 3);
    assert!(samples(&project).iter().all(|row| row.x()[0].is_sign_positive()));
}

#[test]
fn standardised_columns_have_mean_0_and_standard_deviation_1_and_constant_columns_are_0() {
    let project = Project::new("");
    project.write("d.csv", "a,c,y\n1,0.1,0\n3,0.1,1\n5,0.1,0\n");
    import(&project, "d.csv --standardise");
    let deviation = (8.0_f64 / 3.0).sqrt();
    let outer = (2.0 / deviation) as f32;
    check(&project, &[&[-outer, 0.0], &[0.0, 0.0], &[outer, 0.0]], &[0, 1, 0]);
    let footer = read_footer(&project.path("out.parquet"), "samples").unwrap();
    let taken: serde_json::Value = serde_json::from_str(&footer["infoplane.x_standardised"]).unwrap();
    assert_eq!(taken["mean"][0], 3.0);
    assert_eq!(described(&project)["is_standardised"], true);
    // It is another table than that of the plain columns.
    let sentence = project.refused("data import d.csv --out out.parquet");
    assert!(sentence.contains("exists with other content"), "{sentence}");
}

#[test]
fn estimates_distinguish_inputs_that_are_equal_in_f32() {
    let project = Project::new(&PIPELINE.replace("name = \"tishby\"", "file = \"out.parquet\""));
    let rows: String = (0..64).map(|i| format!("{},{}\n", 1_700_000_000 + i, i % 2)).collect();
    project.write("d.csv", format!("t,y\n{rows}"));
    import(&project, "d.csv --x-hash");
    project.ok("run p.toml");
    let recorded = read_samples(&project.path("outputs/p/recording/samples.parquet")).unwrap();
    assert!(recorded == samples(&project));
}

#[test]
fn a_file_that_is_no_table_is_refused_with_a_remedy() {
    let project = Project::new("");
    for (name, content, expected) in [
        (
            "train-images-idx3-ubyte",
            b"<!DOCTYPE html><html>".as_slice(),
            "this is a web page; download the data file itself",
        ),
        ("d.csv", b"\n<html>", "this is a web page"),
        ("d.mat", b"# Created by Octave 8.4.0\n# name: x\n", "save it in Octave with `save -v7 file.mat x y`"),
        ("d.mat", b"\x89HDF\r\n\x1a\n....", "this is an HDF5 file"),
        ("data_batch_1", b"\x80\x02}q\x01(U\x0b", "this is a Python pickle"),
        ("d.csv", b"PK\x03\x04....", "this is a zip archive or an Excel workbook"),
    ] {
        project.write(name, content);
        let sentence = refused(&project, name);
        assert!(sentence.contains(expected), "{sentence}");
    }
}

#[test]
fn labels_that_look_like_ids_are_refused() {
    let project = Project::new("");
    let rows = |n: usize, n_labels: usize| (0..n).map(|i| format!("{},{}\n", i % 97, i % n_labels)).collect::<String>();
    project.write("d.csv", format!("a,y\n{}", rows(1500, 1500)));
    let sentence = refused(&project, "d.csv");
    assert!(
        sentence.contains("column `y` has 1500 different labels in 1500 samples, so it may be a column of identifiers"),
        "{sentence}"
    );
    project.write("d.csv", format!("a,y\n{}", rows(3000, 1200)));
    import(&project, "d.csv");
    project.write("d.csv", format!("a,y\n{}", rows(900, 900)));
    import(&project, "d.csv");
}

#[test]
fn content_beyond_the_limit_is_refused_and_the_limit_can_be_raised() {
    let project = Project::new("");
    let text = format!("a,y\n{}", "0,1\n0,0\n".repeat(200_000));
    project.write("gz.csv.gz", gzip(text.as_bytes()));
    project.write("zst.csv.zst", zstd::encode_all(text.as_bytes(), 0).unwrap());
    let mut mat = [b' '; 128].to_vec();
    mat[124..].copy_from_slice(&[0, 1, b'I', b'M']);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&[14_u32.to_le_bytes(), 4_000_000_000_u32.to_le_bytes()].concat()).unwrap();
    zlib.write_all(&vec![0; 1 << 20]).unwrap();
    let packed = zlib.finish().unwrap();
    mat.extend([15_u32.to_le_bytes(), (packed.len() as u32).to_le_bytes()].concat());
    mat.extend(packed);
    project.write("d.mat", mat);
    npz(&project, &Array2::<f64>::zeros((1000, 1000)), &Array1::<u8>::zeros(1000));
    for file in ["gz.csv.gz", "zst.csv.zst", "d.mat", "d.npz"] {
        let sentence = refused(&project, &format!("{file} --max-memory 0.001"));
        assert!(sentence.contains("of memory; the limit is 1.0 MB"), "{sentence}");
        assert!(sentence.contains("raise it with `--max-memory`"), "{sentence}");
    }
    import(&project, "gz.csv.gz --max-memory 0.1");
    project.ok("data import out.parquet --out again.parquet");
    let sentence = project.refused("data import out.parquet --max-memory 0.00001 --out again.parquet");
    assert!(sentence.contains("out.parquet: its table needs"), "{sentence}");
}

#[test]
fn entropies_of_0_are_printed_without_sign() {
    let project = Project::new("");
    project.write("d.csv", "a,y\n1,0\n1,0\n1,0\n1,1\n1,1\n1,1\n");
    import(&project, "d.csv");
    let text = project.run("data describe out.parquet").stdout;
    assert!(text.contains("H(X)     0.0000 bits") && text.contains("I(X;Y)   0.0000 bits"), "{text}");
    let json = project.run("data describe out.parquet --json").stdout;
    assert!(json.contains("\"h_x_bits\": 0.0") && !json.contains(": -"), "{json}");
}

#[test]
fn a_pipeline_that_names_a_foreign_file_says_how_to_import_it() {
    let project = Project::new(&PIPELINE.replace("name = \"tishby\"", "file = \"own.csv\""));
    project.write("own.csv", "a,y\n1,0\n2,1\n");
    let expected = "infoplane: own.csv is not a table of samples; run `infoplane data import own.csv` first";
    for line in ["run p.toml", "record p.toml", "run p.toml --dry-run"] {
        assert_eq!(project.refused(line), expected, "{line}");
    }
    // A Parquet file of one's own.
    project.write("own.toml", PIPELINE.replace("name = \"tishby\"", "file = \"outputs/e/recording/own.parquet\""));
    fs::create_dir_all(project.path("outputs/e/recording")).unwrap();
    let split = infoplane::store::schema::SplitRow { sample: 0, split: "train".to_owned(), pair: None };
    let footer = infoplane::store::Footer::new();
    infoplane::store::write_rows(&project.path("outputs/e/recording"), "own.parquet", &[split], &footer).unwrap();
    assert!(
        project.refused("run own.toml").contains("own.parquet is not a table of samples; run `infoplane data import")
    );
}

#[test]
fn columns_of_several_files_are_joined_by_name() {
    let project = Project::new("");
    project.write("a.csv", "a,b\n1,2\n3,4\n");
    project.write("b.csv", "b,a\n6,5\n");
    project.write("ya.csv", "y\n1\n0\n");
    project.write("yb.csv", "y\n1\n");
    let sentence = project.refused("data import --x a.csv --x b.csv --y ya.csv --y yb.csv --out o.parquet");
    assert!(
        sentence.contains("b.csv: its columns are `b`, `a`, the columns of the first file are `a`, `b`"),
        "{sentence}"
    );
}

#[test]
fn the_column_of_labels_is_not_an_input() {
    let project = Project::new("");
    project.write("t.csv", "a,b,y,u\n1,2,0,.5\n3,4,1,.7\n5,7,1,.9\n");
    let sentence = project.refused("data import t.csv --target u --y-bins 2 --out o.parquet");
    assert!(sentence.contains("the column `y` would become an input"), "{sentence}");
    project.ok("data import t.csv --target u --y-bins 2 --x a,b --out o.parquet");
}
