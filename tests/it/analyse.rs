//! `analyse` chooses an estimator of I(T;Y) with audits like the recorded layers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};

use crate::foreign::{Columns, lists, numbers, write_with};
use crate::tool::Project;

const N: usize = 300;
const FOLDER: &str = "outputs/net";

/// A value in (0, 1) that differs from sample to sample and between units.
fn spread(sample: usize, unit: usize) -> f64 {
    ((sample + 1) as f64 * [0.618_033_988_7, 0.414_213_562_4][unit]).fract()
}

/// One run of one layer of two units with two snapshots.
fn recorded(value: impl Fn(usize, usize) -> f64, label: impl Fn(usize) -> i64) -> Project {
    let project = Project::new("");
    let x: ArrayRef = Arc::new(Float64Array::from_iter_values((0..2 * N).map(|i| spread(i / 2, i % 2))));
    let y = Int64Array::from_iter_values((0..N).map(label));
    let samples: Columns = vec![("sample", numbers(N, |i| i as i32)), ("x", lists(x, 2)), ("y", Arc::new(y))];
    write_with(&project, &format!("{FOLDER}/recording/samples.parquet"), &[("table", "samples")], &[samples]);
    let snapshot = |index: usize| -> Columns {
        let t: ArrayRef = Arc::new(Float64Array::from_iter_values((0..2 * N).map(|i| value(i / 2, i % 2))));
        let step: ArrayRef = Arc::new(Int64Array::from(vec![10 * index as i64; N]));
        vec![
            ("epoch", numbers(N, |_| index as i32)),
            ("step", step),
            ("sample", numbers(N, |i| i as i32)),
            ("t", lists(t, 2)),
        ]
    };
    let file = format!("{FOLDER}/recording/activations/layer=1/run=r0000/part-00000.parquet");
    write_with(&project, &file, &[("table", "activations")], &[snapshot(0), snapshot(1)]);
    project
}

fn half(sample: usize) -> i64 {
    i64::from(spread(sample, 0) > 0.5)
}

fn written(project: &Project) -> String {
    std::fs::read_to_string(project.path(&format!("{FOLDER}/analysis.toml"))).unwrap()
}

/// The estimators of `analysis.toml`.
fn chosen(pipeline: &str) -> Vec<&str> {
    pipeline.lines().filter_map(|line| line.strip_prefix("estimator = ")).map(|name| name.trim_matches('"')).collect()
}

#[test]
fn the_trusted_estimator_is_added_with_the_numbers_of_its_audit() {
    let project = recorded(spread, half);
    let printed = project.run(&format!("analyse {FOLDER}")).stderr;
    let pipeline = written(&project);
    let [binning, kde, added] = chosen(&pipeline)[..] else { panic!("{pipeline}\n{printed}") };
    assert_eq!((binning, kde), ("binning", "kde"));
    assert!(["mixed-ksg", "copula", "decoder"].contains(&added), "{added}");
    let reason = format!("# {added}: the smallest error of I(T;Y) among the audited estimators: error up to 0.0");
    assert!(pipeline.contains(&reason), "{pipeline}");
    // Half of the samples have each label.
    assert!(pipeline.contains("like layer 1 (300 samples, 2 units, H(Y) = 1.00 bits)"), "{pipeline}");
    assert!(printed.matches("is left out").count() >= 2, "{printed}");
    project.run(&format!("analyse {FOLDER} --threads 1"));
    assert_eq!(written(&project), pipeline);
}

#[test]
fn an_estimator_that_refuses_the_recorded_values_is_not_chosen() {
    let project = recorded(|sample, unit| (spread(sample, unit) - 0.4).max(0.0), half);
    let printed = project.run(&format!("analyse {FOLDER}")).stderr;
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(printed.contains("copula is left out") && printed.contains("no estimate of layer 1"), "{printed}");
    assert!(!chosen(&written(&project)).contains(&"copula"));
}

#[test]
fn recordings_that_cannot_be_audited_are_analysed_without_an_audit() {
    for (project, why) in [
        (recorded(|_, _| 1.0, half), "layer 1 is constant at its last snapshot"),
        (recorded(spread, |_| 0), "or has only one class"),
    ] {
        let printed = project.run(&format!("analyse {FOLDER}")).stderr;
        let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(printed.contains("no audit, because") && printed.contains(why), "{printed}");
        assert_eq!(chosen(&written(&project))[..2], ["binning", "kde"]);
        assert!(project.path(&format!("{FOLDER}/report.html")).exists(), "{printed}");
    }
}

#[test]
fn named_estimators_are_not_audited() {
    let project = recorded(spread, half);
    let printed = project.run(&format!("analyse {FOLDER} --estimators copula,decoder")).stderr;
    assert!(printed.contains("copula: chosen by the user") && !printed.contains("error up to"), "{printed}");
    assert_eq!(chosen(&written(&project)), ["copula", "decoder"]);
}
