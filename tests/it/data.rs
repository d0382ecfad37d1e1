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
fn all_labels_are_those_of_tishbys_file() {
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
    let rows = samples(&project, "data/tishby.parquet");
    assert!((rows[0].p_y1.unwrap() - 1.0 / (1.0 + (0.5_f64 * 98.5).exp())).abs() < 1e-15);
    assert_eq!(rows[0].y, 0); // drawn with p = e⁻⁴⁹
}

#[test]
fn the_same_numbers_come_in_from_every_format() {
    let project = Project::new("");
    let x: Array2<f32> = array![[0.5, -1.0], [2.0, 3.5], [0.0, 1.0]];
    let y: Array1<i64> = array![1, 0, 7];
    let expected = vec![
        SampleRow { sample: 0, x: vec![0.5, -1.0], y: 1, p_y1: None },
        SampleRow { sample: 1, x: vec![2.0, 3.5], y: 0, p_y1: None },
        SampleRow { sample: 2, x: vec![0.0, 1.0], y: 7, p_y1: None },
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
    check("a,y\n1,0\nNaN,1\n", "", "row 1, column `a` is NaN; only finite f32 values can be used");
    check(
        "a,y\n1,0\n1e99,1\n",
        "",
        "row 1, column `a` is 1e99; only finite f32 values can be used".replace("1e99", &1e99.to_string()).as_str(),
    );
    check("a,y\n1,0.5\n", "", "row 0, column `y` is 0.5; a label is a whole number");
    check("a,y\n1,zero\n", "", "column `y`: row 0: `zero` is not a number; choose others with --x and --y");
    check("a,label\n1,0\n", "", "no column `y`; known: `a`, `label`");
    check("a,y\n1,0\n", "--x b", "no column `b`; known: `a`, `y`");
    check("y\n1\n", "", "no column is left for x; name some with --x");
    check("a,y\n", "", "there are no rows");
    check("a,y,p\n1,2,0.5\n", "--p-y1 p", "row 0: label 2 beside p(y=1|x); stochastic labels are 0 or 1");
    check("a,y,p\n1,0,1.5\n", "--p-y1 p", "p(y=1|x) of sample 0 is 1.5; a probability lies in 0..=1");
    assert!(!project.path("data").exists(), "nothing may be written");

    project.write("d.npz", b"not a zip");
    assert!(project.refused("data import d.npz").contains("d.npz: not a readable NumPy .npz file"));
    project.write("d.mat", b"not MATLAB");
    assert!(project.refused("data import d.mat").contains("d.mat: not a readable MATLAB 5 file"));
    project.write("d.parquet", b"PAR1");
    assert!(project.refused("data import d.parquet").contains("damaged or not Parquet"));
    assert!(
        project
            .refused("data import d.xlsx")
            .contains("unknown file ending; known: mat, npy, npz, csv, csv.zst, parquet")
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
    assert_eq!(sentence, "infoplane: d.npz: `x` has 3 rows, `y` has 4; every sample needs all of them");
}
