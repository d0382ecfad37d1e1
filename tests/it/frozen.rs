//! Identities and numbers that later versions must keep: what earlier versions wrote is found and compared by them.

use std::fs;
use std::path::Path;

use infoplane::config::{Declared, Pipeline};
use infoplane::estimate_id::Values;
use infoplane::store::schema::{EstimateRow, Row, SummaryRow};
use infoplane::store::{Experiment, hash_bytes, read_rows};
use serde_json::Value;

use crate::tool::Project;

/// Compares `text` with the committed file; where they differ, the new text is left in the target folder.
#[track_caller]
fn check(name: &str, text: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if fs::read_to_string(&golden).ok().as_deref() != Some(text) {
        let now = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&now, text).unwrap();
        panic!("tests/golden/{name} is not what is written now; compare with {}", now.display());
    }
}

/// Identity and quantity of every table of estimates that a pipeline asks for.
fn requests(pipeline: &Pipeline) -> Vec<String> {
    let estimates = pipeline.estimates.iter().map(|request| {
        let folder = format!("{:?}", request.id.unit).to_lowercase();
        format!("{folder} {}: {}", request.id, request.quantity())
    });
    let exact = pipeline.exact.iter().flat_map(|exact| {
        let line = |inputs| format!("layers {}: {}", exact.id(inputs), exact.quantity(inputs));
        exact.inputs.iter().copied().map(line).collect::<Vec<_>>()
    });
    estimates.chain(exact).collect()
}

#[test]
fn the_pipelines_request_the_same_tables_as_before() {
    let mut paths: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    paths.sort();
    let mut text = String::new();
    for path in paths {
        let declared = Declared::read(&path).unwrap();
        let mut lines: Vec<String> = declared.pipelines().flat_map(|(_, pipeline)| requests(pipeline)).collect();
        lines.dedup();
        let mut seen = std::collections::BTreeSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        text.push_str(&format!("# {}\n{}\n", path.file_name().unwrap().to_string_lossy(), lines.join("\n")));
    }
    check("requests.txt", &text);
}

/// Columns of estimates whose numbers are frozen.
const ESTIMATES: &[&str] = &[
    "estimator",
    "run",
    "layer",
    "epoch",
    "step",
    "i_xt_bits",
    "i_ty_bits",
    "i_tt_bits",
    "h_t_bits",
    "h_t_given_x_bits",
    "i_xt_ceiling_bits",
    "i_ty_ceiling_bits",
    "n_shuffles",
    "i_xt_null_bits_mean",
    "i_xt_null_bits_std",
    "i_ty_null_bits_mean",
    "i_ty_null_bits_std",
    "i_tt_null_bits_mean",
    "i_tt_null_bits_std",
    "i_xt_untrained_bits",
    "i_ty_untrained_bits",
    "n_samples",
    "n_codes",
    "n_distinct",
    "atom_share",
];

/// Columns of the summary whose numbers are frozen. Intervals were those of a bootstrap until version 7.
const SUMMARY: &[&str] = &[
    "estimator",
    "layer",
    "epoch",
    "step",
    "n_runs",
    "n_failed",
    "i_xt_bits_mean",
    "i_xt_bits_std",
    "i_xt_bits_median",
    "i_ty_bits_mean",
    "i_ty_bits_std",
    "i_ty_bits_median",
    "i_tt_bits_mean",
    "h_t_bits_mean",
    "i_xt_null_bits_mean",
    "i_ty_null_bits_mean",
    "i_xt_ceiling_bits",
    "i_ty_ceiling_bits",
    "loss_train_nats_mean",
    "loss_test_nats_mean",
    "accuracy_train_mean",
    "accuracy_test_mean",
    "gradient_mean_norm_mean",
    "gradient_std_norm_mean",
    "gradient_snr_mean",
    "weight_norm_mean",
    "n_checks_violated",
];

/// A hash of some columns of a table; numbers count to their last bit, the order of rows does not.
fn hash<R: Row + serde::Serialize>(path: &Path, columns: &[&str]) -> String {
    let kept = |row: &R| {
        let row = serde_json::to_value(row).unwrap();
        let values: Vec<Value> = columns.iter().map(|column| row[*column].clone()).collect();
        serde_json::to_string(&values).unwrap()
    };
    let mut lines: Vec<String> = read_rows::<R>(path).unwrap().iter().map(kept).collect();
    lines.sort();
    hash_bytes(lines.join("\n").as_bytes())
}

#[test]
fn the_pipeline_tiny_gives_the_same_numbers_as_before() {
    let project = Project::new("");
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/tiny.toml");
    project.ok(&format!("run {}", tiny.display()));
    let mut text = String::new();
    for run in 0..3 {
        for layer in 1..=6 {
            let part = format!("activations/layer={layer}/run=r{run:04}/part-00000.parquet");
            let reader = project.values(&format!("outputs/tiny/recording/{part}"), Values::Activations);
            let mut bytes = Vec::new();
            for index in 0..reader.snapshots().len() {
                let read = reader.read(index).unwrap();
                bytes.extend(read.step.to_le_bytes());
                bytes.extend(read.t.iter().flat_map(|value| value.to_le_bytes()));
            }
            text.push_str(&format!("{part}: {}\n", hash_bytes(&bytes)));
        }
    }
    let experiment = Experiment::new(project.path("outputs/tiny"));
    for (estimator, paths) in experiment.estimate_files().unwrap() {
        for path in paths {
            let run = path.file_stem().unwrap().to_string_lossy().into_owned();
            text.push_str(&format!("estimates/{estimator}/{run}: {}\n", hash::<EstimateRow>(&path, ESTIMATES)));
        }
    }
    text.push_str(&format!(
        "summary: {}\n",
        hash::<SummaryRow>(&project.path("outputs/tiny/summary.parquet"), SUMMARY)
    ));
    check("tiny.txt", &text);
}
