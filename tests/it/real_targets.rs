//! Data whose Y is a number and no class: its bins are the labels, and every estimate says so.

use infoplane::store::schema::{EstimateRow, SampleRow};

use crate::tool::{PIPELINE, Project, rows};

/// 60 houses of which the price rises with the number.
fn houses() -> Project {
    let text = PIPELINE
        .replace("name = \"tishby\"", "file = \"data/house.parquet\"")
        .replace("batch = 512", "batch = 10\nloss = \"squared_error\"")
        .replace("activation = \"tanh\"", "activation = \"tanh\"\noutput = \"linear\"");
    let project = Project::new(&text);
    let row = |i: usize| format!("{}.5,{},{}.25", i % 7, i, 100 + i);
    let table: Vec<String> = std::iter::once("a,b,price".to_owned()).chain((0..60).map(row)).collect();
    project.write("house.csv", table.join("\n"));
    project
}

#[test]
fn a_target_without_labels_is_binned_and_every_estimate_states_it() {
    let project = houses();
    project.ok("data import house.csv --target price --y-bins 4");
    let samples: Vec<SampleRow> = rows(&project, "data/house.parquet");
    for (i, sample) in samples.iter().enumerate() {
        assert_eq!((sample.y, sample.target.clone()), (i as i32 / 15, Some(vec![100.25 + i as f32])));
    }
    let described = project.run("data describe data/house.parquet").stdout;
    assert!(described.contains("0 (100.25 to 114.25): 15 (25.00 %)") && described.contains("H(Y)     2.0000 bits"));

    project.ok("record p.toml");
    project.ok("estimate binning outputs/p --n-bins 30");
    let estimates: Vec<EstimateRow> = rows(&project, "outputs/p/estimates/binning-n-bins-30/run=r0000.parquet");
    for row in &estimates {
        assert!(row.quantity.as_ref().unwrap().ends_with(", Y being `price` in 4 bins of equal frequency"), "{row:?}");
        assert!(row.i_ty_ceiling_bits == Some(2.0) && row.i_ty_bits.unwrap() <= 2.0 + 1e-12);
    }
    // No accuracy is recorded of numbers, so that Fano's inequality judges nothing.
    project.ok("check outputs/p");
    let printed: serde_json::Value = serde_json::from_str(&project.run("check outputs/p --json").stdout).unwrap();
    let findings = printed["findings"].as_array().unwrap();
    assert!(!findings.iter().any(|finding| finding["check"] == "fano" && finding["verdict"] == "violated"));
}

#[test]
fn bins_are_made_only_from_one_target_without_labels() {
    let project = houses();
    project.ok("data import house.csv --target price --out ten.parquet");
    let samples: Vec<SampleRow> = rows(&project, "ten.parquet");
    assert_eq!(samples[59].y, 9, "ten bins unless another number is given");
    for (line, expected) in [
        ("--y-bins 4", "`--y-bins` makes labels from a target; name the target column with `--target`"),
        ("--target price --y b --y-bins 4", "`--y` names a column of labels; leave out one of them"),
        (
            "--x a --target b,price",
            "labels can be made only from a single target column; name a column of labels with --y",
        ),
    ] {
        let sentence = project.refused(&format!("data import house.csv {line}"));
        assert!(sentence.ends_with(expected), "{sentence}");
    }
    // With labels there are no bins to make.
    project.ok("data import house.csv --x a --target price --y b --out b.parquet");
    assert_eq!(rows::<SampleRow>(&project, "b.parquet")[59].y, 59);
}
