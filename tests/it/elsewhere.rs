//! Networks that were trained elsewhere: names of layers, X by its hash, pipelines without training, `analyse`.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, LargeStringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use infoplane::store::schema::{ClaimRow, CompressionRow, EstimateRow, LayerRow, SummaryRow};

use crate::foreign::{Columns, lists, numbers, variable, write_with};
use crate::tool::{Project, rows};

const N: usize = 32;
const N_SNAPSHOTS: usize = 4;
const N_RUNS: usize = 6;
const FOLDER: &str = "outputs/my-cnn";

/// The layers: their names and the shapes of the activations of a sample.
const LAYERS: [(&str, &[i32]); 3] = [("conv1", &[2, 3, 2]), ("features.fc", &[5]), ("head", &[2])];

/// float64, as nested lists where the shape has several dimensions.
fn t(run: usize, layer: usize, snapshot: usize, shape: &[i32]) -> ArrayRef {
    let width: i32 = shape.iter().product();
    let value = |i: usize| {
        let (sample, unit) = (i / width as usize, i % width as usize);
        let noise = ((sample * 37 + unit * 11 + run * 101 + layer * 7) % 64) as f64 / 64.0;
        // ReLU, and more of the sample is lost at every snapshot.
        (5.0 * noise + sample as f64 / (1 + snapshot) as f64 - 1.0).max(0.0)
    };
    let values: ArrayRef = Arc::new(Float64Array::from_iter_values((0..N * width as usize).map(value)));
    shape.iter().rev().fold(values, |values, width| lists(values, *width))
}

fn snapshot(index: usize, t: ArrayRef) -> Columns {
    let step: ArrayRef = Arc::new(Int64Array::from(vec![10 * index as i64; N]));
    vec![("epoch", numbers(N, |_| index as i32)), ("step", step), ("sample", numbers(N, |i| i as i32)), ("t", t)]
}

/// int64 labels, and a hash in place of X: samples 0 and 1 are the same input.
fn samples() -> Columns {
    let hash =
        Int64Array::from_iter_values((0..N as i64).map(|i| i.max(1).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64)));
    let y = Int64Array::from_iter_values((0..N as i64).map(|i| i % 2));
    vec![("sample", numbers(N, |i| i as i32)), ("x_hash", Arc::new(hash)), ("y", Arc::new(y))]
}

/// A recording of named layers as another program writes it, with names in the footers.
fn recorded() -> Project {
    let project = Project::new("");
    write_with(&project, &format!("{FOLDER}/recording/samples.parquet"), &[("table", "samples")], &[samples()]);
    for run in 0..N_RUNS {
        for (layer, (name, shape)) in LAYERS.into_iter().enumerate() {
            let file = format!("{FOLDER}/recording/activations/layer={}/run=r{run:04}/part-00000.parquet", layer + 1);
            let groups: Vec<Columns> =
                (0..N_SNAPSHOTS).map(|index| snapshot(index, t(run, layer, index, shape))).collect();
            let entries = [("table", "activations"), ("layer_name", name), ("layer_kind", "Conv2d")];
            write_with(&project, &file, &entries, &groups);
        }
        let words = LargeStringArray::from_iter_values((0..N).map(|i| if i < 24 { "train" } else { "test" }));
        let splits: Columns = vec![("sample", numbers(N, |i| i as i32)), ("split", Arc::new(words))];
        let file = format!("{FOLDER}/recording/splits/run=r{run:04}/part-00000.parquet");
        write_with(&project, &file, &[("table", "splits")], &[splits]);
    }
    project
}

fn names<T>(rows: &[T], name: impl Fn(&T) -> Option<&str>) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().map(|row| name(row).unwrap_or("-").to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn analyse_gives_verdicts_on_a_recording_with_names_and_without_x() {
    let project = recorded();
    project.ok(&format!("inspect {FOLDER} --validate"));
    let printed = project.run(&format!("analyse {FOLDER}")).stdout;
    for (name, _) in LAYERS {
        assert!(printed.lines().any(|line| line.starts_with(name)), "{printed}");
    }
    let expected = ["conv1", "features.fc", "head"];
    let summary: Vec<SummaryRow> = rows(&project, &format!("{FOLDER}/summary.parquet"));
    assert_eq!(names(&summary, |row| row.layer_name.as_deref()), expected);
    let compression: Vec<CompressionRow> = rows(&project, &format!("{FOLDER}/compression.parquet"));
    assert_eq!(names(&compression, |row| row.layer_name.as_deref()), expected);
    // Three scales of each family.
    assert_eq!(names(&compression, |row| Some(&row.estimator.estimator.family)), ["binning", "kde"]);
    assert_eq!(compression.len(), 3 * 6);
    // Two of 32 samples share their input: H(X) is 30/32 · 5 + 2/32 · 4 bits, the ceiling of 60 bins of many units.
    let h_x = 30.0 / 32.0 * 5.0 + 2.0 / 32.0 * 4.0;
    let fine = summary.iter().find(|row| row.estimator.to_string().contains("n-bins-60")).unwrap();
    assert!((fine.i_xt_ceiling_bits.unwrap() - h_x).abs() < 1e-12, "{fine:?}");
    let pictures = project.files(&format!("{FOLDER}/figures"));
    let drawn =
        pictures.iter().filter(|(file, _)| file.ends_with(".svg")).map(|(file, content)| (file, content.clone()));
    let page = ("report.html".to_owned(), fs::read(project.path(&format!("{FOLDER}/report.html"))).unwrap());
    for (file, content) in drawn.chain([(&page.0, page.1)]) {
        let text = String::from_utf8(content).unwrap();
        assert!(text.contains("conv1") && text.contains("features.fc"), "{file}");
    }
    // The choice is a pipeline, and nothing is left to do for it.
    let again = project.run(&format!("run {FOLDER}/analysis.toml"));
    assert!(again.stderr.matches("up to date").count() >= 4, "{}", again.stderr);
    assert!(project.run(&format!("analyze {FOLDER}")).stderr.contains("estimate: up to date"));
}

#[test]
fn a_table_of_layers_names_them_as_well_and_bad_names_are_refused() {
    let project = recorded();
    let file = format!("{FOLDER}/recording/layers.parquet");
    let write = |names: [&str; 2]| {
        let names = cast(&LargeStringArray::from(names.to_vec()), &DataType::LargeUtf8).unwrap();
        let columns: Columns = vec![("layer", numbers(2, |i| i as i32 + 1)), ("layer_name", names)];
        write_with(&project, &file, &[("table", "layers")], &[columns]);
    };
    let estimate = format!("estimate binning {FOLDER} --n-bins 5");
    let of_run = format!("{FOLDER}/estimates/binning-n-bins-5/run=r0000.parquet");
    project.ok(&estimate);
    assert_eq!(
        names(&rows::<EstimateRow>(&project, &of_run), |row| row.layer_name.as_deref()),
        ["conv1", "features.fc", "head"]
    );
    write(["stem", "pool"]);
    project.ok(&estimate);
    assert_eq!(names(&rows::<EstimateRow>(&project, &of_run), |row| row.layer_name.as_deref()), ["-", "pool", "stem"]);
    for (bad, why) in [
        (["a", "a"], "two layers have the name `a`"),
        (["\u{1b}[2J", "b"], "layer 1 has the name `?"),
        (["<i>", "b"], "layer 1"),
    ] {
        write(bad);
        for line in [estimate.as_str(), &format!("inspect {FOLDER} --validate")] {
            let refused = project.refused(line);
            assert!(refused.contains(why) && !refused.contains('\u{1b}'), "{refused}");
        }
    }
}

const PIPELINE: &str = "recording = \"outputs/my-cnn\"
[[estimate]]
estimator = \"binning\"
n_bins = [5, 9]
shuffles = 0
[bound]
code = \"binning-exact\"
[[expect]]
claim = \"the first layer keeps more than the last\"
estimate = \"binning-n-bins-5-range-run\"
quantity = \"i_xt\"
layer = [\"conv1\", 3]
measure = \"end\"
above = 0.1
";

#[test]
fn a_pipeline_of_recorded_networks_estimates_and_judges_claims() {
    let project = recorded();
    project.write("p.toml", PIPELINE.replace("[bound]\ncode = \"binning-exact\"\n", "").replace("-range-run", ""));
    project.ok("run p.toml");
    let claims: Vec<ClaimRow> = rows(&project, &format!("{FOLDER}/claims.parquet"));
    let places: Vec<(Option<&str>, Option<&str>)> =
        claims.iter().map(|row| (row.layer_name.as_deref(), row.figure.as_deref())).collect();
    assert_eq!(places, [(Some("conv1"), None), (Some("head"), None)]);
    assert!(project.run(&format!("verify {FOLDER} --pipeline p.toml")).stdout.contains("conv1"));
    assert!(project.run("run p.toml").stderr.contains("estimate: up to date"));
}

#[test]
fn a_pipeline_of_recorded_networks_has_no_keys_of_the_training() {
    let project = recorded();
    let check = |text: &str, line: &str, expected: &str| {
        project.write("p.toml", text);
        let refused = project.refused(line);
        assert!(refused.contains(expected), "{refused}");
    };
    let plain = "recording = \"outputs/my-cnn\"\n[[estimate]]\nestimator = \"kde\"\n";
    check(plain, "record p.toml", "uses a recording of another program, so there is nothing to train");
    check(plain, "run p.toml --epochs 3", "`--runs` and `--epochs` apply only to networks that the pipeline trains");
    check(plain, "run p.toml --out elsewhere", "leave out `--out`");
    let both = format!("runs = 3\n{plain}");
    check(&both, "run p.toml", "p.toml, line 1: `runs` applies to networks that the pipeline trains");
    let missing = plain.replace("my-cnn", "none");
    check(&missing, "run p.toml", "p.toml, line 1: `recording`: there is no recording in outputs/none");
    let claim = "[[expect]]\nclaim = \"c\"\nquantity = \"i_xt\"\nestimate = \"kde-upper-noise-variance-0.1\"\nmeasure = \"end\"\nabove = 0\n";
    let unknown = format!("{plain}{claim}layer = \"conv9\"\n");
    check(
        &unknown,
        "run p.toml",
        "\"conv1\", \"features.fc\", \"head\", \"hidden\", \"output\" or \"all\", got \"conv9\"",
    );
}

#[test]
fn layers_of_trained_networks_have_names() {
    let project = Project::in_memory();
    project.write("d.csv", "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n");
    project.ok("data import d.csv");
    project.write(
        "p.toml",
        "[data]\nfile = \"data/d.parquet\"\ntrain_fraction = 1\n[network]\nhidden = [3]\nactivation = \"tanh\"\n[training]\noptimiser = \"sgd\"\nlearning_rate = 0.1\nbatch = \"full\"\nepochs = 2\n[record]\nepochs = { every = 1 }\nlayers = [0, 1, 2]\n[[estimate]]\nestimator = \"binning\"\nn_edges = 30\n",
    );
    project.ok("record p.toml");
    project.ok("estimate pipeline p.toml");
    let layers: Vec<LayerRow> = rows(&project, "outputs/p/recording/layers.parquet");
    let words: Vec<(&str, Option<&str>)> =
        layers.iter().map(|row| (row.layer_name.as_str(), row.layer_kind.as_deref())).collect();
    let expected = [("input", Some("input")), ("layer 1", Some("dense, tanh")), ("output", Some("dense, softmax"))];
    assert_eq!(words, expected);
    let estimates: Vec<EstimateRow> = rows(&project, "outputs/p/estimates/binning-n-edges-30/run=r0000.parquet");
    assert_eq!(names(&estimates, |row| row.layer_name.as_deref()), ["input", "layer 1", "output"]);
    project.ok("inspect outputs/p --validate");
}

#[test]
fn samples_need_x_or_a_hash_of_it_and_training_needs_x() {
    let project = recorded();
    let place = format!("{FOLDER}/recording/samples.parquet");
    let without = |name: &str| samples().into_iter().filter(|(column, _)| *column != name).collect::<Columns>();
    write_with(&project, &place, &[("table", "samples")], &[without("x_hash")]);
    let refused = project.refused(&format!("estimate binning {FOLDER}"));
    assert!(refused.contains("every sample needs its `x`, or every sample an `x_hash`"), "{refused}");
    let gap: ArrayRef = Arc::new(Int64Array::from_iter((0..N as i64).map(|i| (i != 7).then_some(i))));
    let mut columns = without("x_hash");
    columns.push(("x_hash", gap));
    write_with(&project, &place, &[("table", "samples")], &[columns]);
    assert!(project.refused(&format!("estimate binning {FOLDER}")).contains("`x_hash`: row 7 contains a null"));
    let mut columns = without("x_hash");
    let lists_with_a_gap =
        cast(&lists(Arc::new(Float64Array::from(vec![0.5; N])), 1), &variable(DataType::Float64)).unwrap();
    columns.push(("x", lists_with_a_gap));
    write_with(&project, &place, &[("table", "samples")], &[columns]);
    project.ok(&format!("estimate binning {FOLDER}"));
    write_with(&project, "data/hashed.parquet", &[("table", "samples")], &[samples()]);
    project.write("p.toml", "[data]\nfile = \"data/hashed.parquet\"\ntrain_fraction = 1\n[network]\nhidden = [3]\nactivation = \"tanh\"\n[training]\noptimiser = \"sgd\"\nlearning_rate = 0.1\nbatch = \"full\"\nepochs = 2\n[record]\nepochs = { every = 1 }\n");
    assert!(project.refused("record p.toml").contains("networks can only be trained on X"));
}
