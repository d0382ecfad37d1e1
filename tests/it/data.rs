//! `infoplane data`: Tishby's task, and files of other programs.

use std::fs;

use infoplane::store::read_rows;
use infoplane::store::schema::SampleRow;
use ndarray::{Array1, Array2, array};
use ndarray_npy::{NpzWriter, WriteNpyExt};

use crate::tool::{Project, real_data};

fn samples(project: &Project, relative: &str) -> Vec<SampleRow> {
    read_rows(&project.path(relative)).unwrap()
}

#[test]
fn all_labels_agree_with_tishbys_file() {
    let Some(file) = real_data("var_u.mat") else { return };
    let project = Project::new("");
    project.ok("data make tishby --out made.parquet");
    project.ok(&format!("data import {} --x F --y y --out imported.parquet", file.display()));
    let (made, imported) = (samples(&project, "made.parquet"), samples(&project, "imported.parquet"));
    assert_eq!(made.len(), 4096);
    assert!(made == imported, "inputs or labels differ");
}

#[test]
fn stochastic_labels_are_written_with_their_probability() {
    let project = Project::new("");
    project.ok("data make tishby --gamma 0.5 --seed 3");
    let rows = samples(&project, "data/tishby-gamma-0.5-seed-3.parquet");
    assert!((rows[0].p_y1.unwrap() - 1.0 / (1.0 + (0.5_f64 * 98.5).exp())).abs() < 1e-15);
    assert_eq!(rows[0].y, 0); // drawn with p = e⁻⁴⁹
}

#[test]
fn every_format_is_imported_as_the_same_numbers() {
    let project = Project::new("");
    let x: Array2<f32> = array![[0.5, -1.0], [2.0, 3.5], [0.0, 1.0]];
    let y: Array1<i64> = array![1, 0, 7];
    let expected = vec![
        SampleRow { sample: 0, x: Some(vec![0.5, -1.0]), x_hash: None, y: 1, p_y1: None, target: None },
        SampleRow { sample: 1, x: Some(vec![2.0, 3.5]), x_hash: None, y: 0, p_y1: None, target: None },
        SampleRow { sample: 2, x: Some(vec![0.0, 1.0]), x_hash: None, y: 7, p_y1: None, target: None },
    ];

    let csv = "a,b,y\n0.5,-1,1\n2,3.5,0\n0,1,7\n";
    project.write("d.csv", csv);
    project.write("text.csv", "a,b,name,y\n0.5,-1,one,1\n2,3.5,two,0\n0,1,three,7\n");
    project.write("d.csv.zst", zstd::encode_all(csv.as_bytes(), 0).unwrap());
    let mut npz = NpzWriter::new_compressed(fs::File::create(project.path("d.npz")).unwrap());
    npz.add_array("x", &x).unwrap();
    npz.add_array("y", &y).unwrap();
    npz.finish().unwrap();
    let all: Array2<f64> = array![[0.5, -1.0, 1.0], [2.0, 3.5, 0.0], [0.0, 1.0, 7.0]];
    all.write_npy(fs::File::create(project.path("d.npy")).unwrap()).unwrap();

    for (line, case) in [
        ("data import d.csv --out csv.parquet", "csv"),
        ("data import text.csv --x a,b --out text.parquet", "text"),
        ("data import d.csv.zst --x a,b --out zst.parquet", "zst"),
        ("data import d.npz --out npz.parquet", "npz"),
        ("data import d.npy --y 2 --out npy.parquet", "npy"),
        ("data import csv.parquet --x x --out parquet.parquet", "parquet"),
    ] {
        project.ok(line);
        assert_eq!(samples(&project, &format!("{case}.parquet")), expected, "{case}");
    }
}

#[test]
fn wrong_values_are_named_with_their_place() {
    let project = Project::new("");
    let check = |csv: &str, arguments: &str, expected: &str| {
        project.write("d.csv", csv);
        let sentence = project.refused(&format!("data import d.csv {arguments}"));
        assert_eq!(sentence, format!("infoplane: d.csv: {expected}"));
    };
    check(
        "a,y\n1,0\nNaN,1\n",
        "",
        "column `a`: row 1 is `NaN`, which means a missing value; every sample needs a value: remove or complete such rows before the import; choose other columns with --x and --y",
    );
    check(
        "a,y\n1,0\n1e99,1\n",
        "",
        "row 1, column `a` is 1e99; only finite f32 values are allowed; add `--standardise` (every column minus its mean, divided by its standard deviation)",
    );
    let range = "a label must be an integer from -2147483648 to 2147483647";
    check("a,y\n1,0.5\n", "", &format!("row 0, column `y` is 0.5; {range}"));
    check("a,y\n1,2147483648\n", "", &format!("row 0, column `y` is 2147483648; {range}"));
    check("a,y\none,0\n", "", "column `a`: row 0: `one` is not a number; choose other columns with --x and --y");
    let named = "name the column of labels with --y, for example `--y label`";
    check("a,label\n1,0\n", "", &format!("no column `y`; known: `a`, `label`; {named}"));
    check("a,y\n1,0\n", "--x b", "no column `b`; known: `a`, `y`");
    check("y\n1\n", "", "no column is left for x; name the columns of x with --x");
    check("a,y\n", "", "the file has no rows");
    check("a,y,p\n1,2,0.5\n", "--p-y1 p", "sample 0 has label 2 and p(y=1|x); stochastic labels must be 0 or 1");
    check("a,y,p\n1,0,1.5\n", "--p-y1 p", "p(y=1|x) of sample 0 is 1.5; must be from 0 to 1");
    assert!(!project.path("data").exists(), "nothing may be written");

    project.write("d.npz", b"not a zip");
    assert!(project.refused("data import d.npz").contains("d.npz: not a readable NumPy .npz file"));
    project.write("d.mat", b"not MATLAB");
    assert!(project.refused("data import d.mat").contains("d.mat: not a readable MATLAB 5 file"));
    let hdf5 = [b"MATLAB 7.3 MAT-file".as_slice(), &[b' '; 105], &[0, 2, b'I', b'M']].concat();
    project.write("d.mat", hdf5);
    assert!(project.refused("data import d.mat").ends_with("save it in MATLAB with the option `-v7`"));
    project.write("d.xlsx", b"neither");
    project.write("d.parquet", b"PAR1");
    assert!(project.refused("data import d.parquet").contains("damaged or not Parquet"));
    assert!(
        project
            .refused("data import d.xlsx")
            .contains("unknown file ending; allowed: csv, tsv, txt, data, mat, npy, npz, idx, parquet")
    );
    assert!(project.refused("data import missing.csv").contains("cannot read missing.csv"));
}

#[test]
fn labels_that_do_not_match_are_refused() {
    let project = Project::new("");
    let mut npz = NpzWriter::new(fs::File::create(project.path("d.npz")).unwrap());
    npz.add_array("x", &Array2::<f32>::zeros((3, 2))).unwrap();
    npz.add_array("y", &Array1::<i32>::zeros(4)).unwrap();
    npz.finish().unwrap();
    let sentence = project.refused("data import d.npz");
    assert_eq!(sentence, "infoplane: d.npz: `x` has 3 rows, `y` has 4; every sample needs a value of each");
}

#[test]
fn a_choice_of_columns_that_contradicts_itself_is_refused() {
    let project = Project::new("");
    let check = |header: &str, arguments: &str, expected: &str| {
        let n = header.split(',').count();
        project.write("d.csv", format!("{header}\n{}\n", vec!["1"; n].join(",")));
        let sentence = project.refused(&format!("data import d.csv {arguments}"));
        assert_eq!(sentence, format!("infoplane: d.csv: {expected}"));
    };
    check("a,a,y", "", "two columns are called `a`; rename one of them");
    check("a,y,y", "--x a", "two columns are called `y`; rename one of them");
    check("a,y", "--x a,y", "`y` is the column of labels or probabilities, so it cannot also be in x");
    check("a,p,y", "--x p --p-y1 p", "`p` is the column of labels or probabilities, so it cannot also be in x");
    check("a,b,y", "--x a,b --x a", "`--x` names `a` twice; name every column once");
    check("a,y", "--p-y1 y", "`--y` and `--p-y1` both name `y`; name different columns");
    // What nobody asks for does not matter.
    project.write("d.csv", "a,b,b,y\n1,2,3,4\n");
    project.ok("data import d.csv --x a");
}

#[test]
fn a_name_with_a_comma_can_be_chosen_and_x_given_several_times() {
    let project = Project::new("");
    project.write("d.csv", "\"a,b\",c,d,y\n1,2,3,0\n");
    project.ok("data import d.csv --x d,c --x a,b --out d.parquet");
    assert_eq!(samples(&project, "d.parquet")[0].x(), [3.0, 2.0, 1.0]);
}

#[test]
fn a_table_of_samples_is_imported_unchanged() {
    let project = Project::new("");
    project.ok("data make tishby --gamma 0.5 --out soft.parquet");
    project.ok("data make tishby --out hard.parquet");
    for name in ["soft", "hard"] {
        project.ok(&format!("data import {name}.parquet --out again.parquet"));
        assert!(samples(&project, "again.parquet") == samples(&project, &format!("{name}.parquet")), "{name}");
        fs::remove_file(project.path("again.parquet")).unwrap();
    }
    project.ok("data import hard.parquet --x sample --out sample.parquet");
    assert_eq!(samples(&project, "sample.parquet")[7].x(), [7.0]);
}

#[test]
fn the_main_problem_of_a_column_is_reported_first() {
    let project = Project::new("");
    let mut npz = NpzWriter::new(fs::File::create(project.path("d.npz")).unwrap());
    npz.add_array("x", &Array2::<f32>::zeros((3, 0))).unwrap();
    npz.add_array("y", &Array1::<i32>::zeros(3)).unwrap();
    npz.finish().unwrap();
    let sentence = project.refused("data import d.npz");
    assert!(sentence.contains("column `x`: has no values"), "{sentence}");

    let mut npy = Vec::new();
    Array2::<f64>::zeros((5, 2)).write_npy(&mut npy).unwrap();
    project.write("d.npy", &npy[..npy.len() - 8]);
    let sentence = project.refused("data import d.npy --y 1");
    assert!(sentence.contains("declares 5 × 2 numbers of 8 bytes, but 72 bytes follow"), "{sentence}");

    let empty = NpzWriter::new(fs::File::create(project.path("empty.npz")).unwrap());
    empty.finish().unwrap();
    assert_eq!(project.refused("data import empty.npz"), "infoplane: empty.npz: no column `y`; there are none");
}

#[test]
fn a_false_shape_is_refused_with_a_sentence() {
    let project = Project::new("");
    let mut npy = Vec::new();
    Array2::<f64>::zeros((5, 2)).write_npy(&mut npy).unwrap();
    let text = String::from_utf8_lossy(&npy[10..128]).replace("(5, 2)}               ", "(5000000000000000, 2)}");
    assert!(text.contains("5000000000000000"), "{text}");
    npy.splice(10..128, text.into_bytes());
    project.write("d.npy", npy);
    assert!(project.refused("data import d.npy").contains("the file is truncated or damaged"));
}

#[test]
fn the_table_has_the_name_of_the_file_for_any_case_of_its_extension() {
    let project = Project::new("");
    project.write("a.CSV", "a,y\n1,0\n");
    project.ok("data import a.CSV");
    assert_eq!(samples(&project, "data/a.parquet").len(), 1);
    project.write(".csv", "a,y\n1,0\n");
    let sentence = project.refused("data import .csv");
    assert_eq!(sentence, "infoplane: .csv: has no name before its ending; name the table with `--out FILE`");
    project.ok("data import .csv --out b.parquet");
}

#[test]
fn only_the_table_is_left_in_the_folder() {
    let project = Project::new("");
    fs::create_dir(project.path("shared")).unwrap();
    project.ok("data make tishby --out shared/t.parquet");
    project.ok("data make tishby");
    for (folder, file) in [("shared", "t.parquet"), ("data", "tishby.parquet")] {
        let entries = fs::read_dir(project.path(folder)).unwrap().map(|e| e.unwrap().file_name());
        assert_eq!(entries.collect::<Vec<_>>(), [file]);
    }
}

#[test]
fn several_calls_can_make_the_same_table_at_once() {
    let project = Project::new("");
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| project.ok("data make tishby"));
        }
    });
    let entries = fs::read_dir(project.path("data")).unwrap().map(|e| e.unwrap().file_name());
    assert_eq!(entries.collect::<Vec<_>>(), ["tishby.parquet"]);
    assert_eq!(samples(&project, "data/tishby.parquet").len(), 4096);
}
