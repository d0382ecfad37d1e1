//! What a recording contains for a given pipeline, and what `infoplane inspect` prints about it.

use std::fs;

use infoplane::estimate_id::Values;
use infoplane::store::schema::{EpochRow, EstimateRow, GradientRow, Row};
use infoplane::store::{Precision, read_rows};

use crate::tool::{PIPELINE, Project};

/// `PIPELINE` with another `[record]` table and without the second estimator.
fn recording(record: &str) -> String {
    let (before, _) = PIPELINE.split_once("[record]").unwrap();
    format!("{before}[record]\n{record}\n[[estimate]]\nestimator = \"binning\"\nn_edges = 30\n")
}

fn epochs(project: &Project, run: &str) -> Vec<EpochRow> {
    read_rows(&project.path(&format!("outputs/p/recording/epochs/run={run}/part-00000.parquet"))).unwrap()
}

fn steps(record: &str) -> Vec<i64> {
    let project = Project::new(&recording(record));
    project.ok("data make tishby");
    project.ok("record p.toml");
    project.ok("inspect outputs/p --validate");
    epochs(&project, "r0000").iter().map(|row| row.step).collect()
}

// 3482 training samples in batches of 512: 7 steps an epoch, 12 epochs, 84 steps.

#[test]
fn snapshots_are_those_that_the_pipeline_asks_for() {
    assert_eq!(steps("epochs = { every = 5 }"), [0, 35, 70, 84]);
    assert_eq!(steps("epochs = \"saxe\""), (1..=12).map(|epoch| 7 * epoch).collect::<Vec<i64>>());
    assert_eq!(steps("steps = { every = 40 }"), [0, 40, 80, 84]);
    assert_eq!(steps("steps = { windows = [[1, 2], [20, 23]] }"), [1, 2, 20, 21, 22, 23]);
    assert_eq!(steps("epochs = { list = [0, 3] }\nsteps = { list = [1, 21, 30] }"), [0, 1, 21, 30]);
}

#[test]
fn a_step_beyond_the_training_is_refused_before_anything_is_written() {
    let project = Project::new(&recording("steps = { list = [85] }"));
    assert_eq!(project.refused("run p.toml"), "infoplane: `steps`: step 85 is after the last step of the training, 84");
    assert!(!project.path("outputs").exists());
}

#[test]
fn epoch_and_step_are_both_stored() {
    let project = Project::new(&recording("steps = { list = [6, 7, 8] }"));
    project.ok("run p.toml");
    let snapshots: Vec<(i32, i64)> = epochs(&project, "r0001").iter().map(|row| (row.epoch, row.step)).collect();
    assert_eq!(snapshots, [(0, 6), (1, 7), (1, 8)]);
    let rows: Vec<EstimateRow> =
        read_rows(&project.path("outputs/p/estimates/binning-n-edges-30/run=r0001.parquet")).unwrap();
    assert_eq!(rows.iter().filter(|row| row.layer.index() == 3).map(|row| row.step).collect::<Vec<_>>(), [6, 7, 8]);
}

#[test]
fn neighbouring_records_differ_by_at_most_delta_in_information() {
    for method in ["exact", "approximate"] {
        // A slow learner on full batches, so that one step changes less than delta.
        let record = format!("adaptive = {{ delta = 0.25, method = \"{method}\" }}");
        let text = recording(&record).replace("batch = 512", "batch = \"full\"").replace("4e-3", "1e-3");
        let project = Project::new(&text.replace("epochs = 12", "epochs = 150").replace("n_edges", "n_bins"));
        project.ok("run p.toml");
        let rows: Vec<EstimateRow> =
            read_rows(&project.path("outputs/p/estimates/binning-n-bins-30/run=r0000.parquet")).unwrap();
        let mut n_records = 0;
        for layer in 1..=3 {
            let of_layer: Vec<&EstimateRow> = rows.iter().filter(|row| row.layer.index() == layer).collect();
            n_records = of_layer.len();
            for pair in of_layer.windows(2).filter(|pair| method == "exact" && pair[1].step > pair[0].step + 1) {
                let change = |f: fn(&EstimateRow) -> Option<f64>| (f(pair[1]).unwrap() - f(pair[0]).unwrap()).abs();
                let largest = change(|row| row.i_xt_bits).max(change(|row| row.i_ty_bits));
                assert!(largest <= 0.25 + 1e-9, "layer {layer}, step {}: {largest}", pair[1].step);
            }
        }
        assert!((5..150).contains(&n_records), "{method}: {n_records} records of 151 snapshots");
    }
}

#[test]
fn layers_values_samples_and_precision_can_be_chosen() {
    let record = "epochs = { list = [0, 12] }\nlayers = [\"input\", 2]\npre_activations = true\nsamples = 50\nprecision = \"f16\"\nweights = false\nlosses = false\ngradients = false";
    let project = Project::new(&recording(record));
    project.ok("run p.toml");
    project.ok("inspect outputs/p --validate");
    let root = "outputs/p/recording";
    let folders = |table: &str| -> Vec<String> {
        let entries = fs::read_dir(project.path(&format!("{root}/{table}")));
        let mut names: Vec<String> =
            entries.map_or(Vec::new(), |e| e.map(|e| e.unwrap().file_name().into_string().unwrap()).collect());
        names.sort();
        names
    };
    assert_eq!(folders("activations"), ["layer=0", "layer=2"]);
    assert_eq!(folders("pre_activations"), ["layer=2"]);
    for absent in ["weights", "gradients", "epochs"] {
        assert!(folders(absent).is_empty(), "{absent}");
    }
    let t = project.activations(&format!("{root}/activations/layer=2/run=r0000/part-00000.parquet"));
    let z =
        project.values(&format!("{root}/pre_activations/layer=2/run=r0000/part-00000.parquet"), Values::PreActivations);
    assert_eq!((t.precision(), t.read(1).unwrap().samples.len()), (Precision::F16, 50));
    let (t, z) = (t.read(1).unwrap(), z.read(1).unwrap());
    assert_eq!(t.samples, z.samples);
    for (t, z) in t.t.iter().zip(&z.t) {
        // f16 keeps 11 bits: 2⁻¹¹ of t, and of z up to a few units.
        assert!((t - z.tanh()).abs() < 3e-3, "{t} is not tanh {z}");
    }
    let other = project.activations(&format!("{root}/activations/layer=2/run=r0001/part-00000.parquet"));
    assert_eq!(other.read(0).unwrap().samples, t.samples, "a subset is the same in every run");
    let x = project.activations(&format!("{root}/activations/layer=0/run=r0000/part-00000.parquet"));
    assert_eq!(x.read(0).unwrap().t, x.read(1).unwrap().t);
    let rows: Vec<EstimateRow> =
        read_rows(&project.path("outputs/p/estimates/binning-n-edges-30/run=r0000.parquet")).unwrap();
    assert!(rows.iter().all(|row| row.n_samples == 50));
    // 50 different inputs: the layer that repeats them has log2 50 bits.
    assert!((rows[0].i_xt_bits.unwrap() - 50_f64.log2()).abs() < 1e-9);
}

#[test]
fn train_and_test_samples_are_those_of_the_split() {
    for (samples, n) in [("train", 3482), ("test", 614)] {
        let project = Project::new(&recording(&format!("epochs = {{ list = [12] }}\nsamples = \"{samples}\"")));
        project.ok("run p.toml");
        project.ok("inspect outputs/p --validate");
        let reader = project.activations("outputs/p/recording/activations/layer=1/run=r0001/part-00000.parquet");
        assert_eq!(reader.read(0).unwrap().samples.len(), n);
    }
}

#[test]
fn all_kinds_of_gradients_can_be_recorded_together() {
    let kinds = "gradients = [\"after_step\", \"before_step\", \"samples\"]";
    let project =
        Project::new(&recording(&format!("epochs = {{ list = [0, 12] }}\nsteps = {{ list = [3] }}\n{kinds}")));
    project.ok("data make tishby");
    project.ok("record p.toml");
    let path = project.path("outputs/p/recording/gradients/run=r0000/part-00000.parquet");
    let rows: Vec<GradientRow> = read_rows(&path).unwrap();
    let of = |step: i64, kind: &str| {
        let of_kind = |row: &&GradientRow| row.step == step && row.gradients_over.as_deref() == Some(kind);
        rows.iter().filter(of_kind).cloned().collect::<Vec<GradientRow>>()
    };
    // Within an epoch there are no batches of a whole epoch to look at.
    assert_eq!((of(3, "after_step").len(), of(3, "before_step").len(), of(3, "samples").len()), (0, 0, 3));
    for step in [0, 84] {
        for (batches, samples) in of(step, "before_step").iter().zip(of(step, "samples")) {
            assert_eq!(batches.weight_norm, samples.weight_norm);
            // Single samples scatter more than means over 512 of them.
            assert!(samples.gradient_std_norm > batches.gradient_std_norm);
        }
    }
    // At rest the means over batches and over samples differ only by the smaller last batch, 410 of 512.
    let (batches, samples) = (of(0, "before_step")[2].gradient_mean_norm, of(0, "samples")[2].gradient_mean_norm);
    assert!((batches / samples - 1.0).abs() < 0.1, "{batches} {samples}");
}

#[test]
fn a_long_run_has_several_parts_that_are_read_as_one() {
    let record = |mb: u32| recording(&format!("epochs = {{ every = 1 }}\npart_mb = {mb}"));
    let (parts, whole) = (Project::new(&record(1)), Project::new(&record(64)));
    for project in [&parts, &whole] {
        project.ok("run p.toml");
        project.ok("inspect outputs/p --validate");
    }
    // 4096 samples × 11 units × 4 bytes are 180 kB a snapshot: 6 snapshots a MiB.
    assert!(parts.path("outputs/p/recording/activations/layer=3/run=r0001/part-00002.parquet").exists());
    assert!(!whole.path("outputs/p/recording/activations/layer=3/run=r0001/part-00001.parquet").exists());
    assert!(!parts.path("outputs/p/recording/.meta/checkpoints").exists(), "nothing is left of checkpoints");
    let rows = |project: &Project| -> Vec<EstimateRow> {
        read_rows(&project.path("outputs/p/estimates/binning-n-edges-30/run=r0001.parquet")).unwrap()
    };
    assert!(rows(&parts) == rows(&whole));
    let csv = |project: &Project| fs::read_to_string(project.path("outputs/p/summary.csv")).unwrap();
    assert_eq!(csv(&parts), csv(&whole));
}

#[test]
fn an_adaptive_run_resumes_at_its_checkpoint_with_the_same_bytes() {
    let record = "adaptive = { delta = 0.02, method = \"exact\" }\npart_mb = 1\ngradients = \"samples\"";
    let text = recording(record).replace("epochs = 12", "epochs = 40").replace("runs = 2", "runs = 1");
    let (whole, killed) = (Project::new(&text), Project::new(&text));
    for project in [&whole, &killed] {
        project.ok("data make tishby");
    }
    whole.ok("record p.toml");
    let mut child = killed.start("record p.toml");
    let checkpoint = killed.path("outputs/p/recording/.meta/checkpoints/r0000.json");
    while !checkpoint.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(checkpoint.exists(), "it was over before it could be killed");
    let said = killed.ok("record p.toml");
    assert!(!said.contains("starts again from the beginning"), "{said}");
    assert!(whole.files("outputs") == killed.files("outputs"));
}

#[test]
fn runs_that_are_being_added_are_not_mistaken_for_foreign_files() {
    let project = Project::new(PIPELINE);
    project.ok("data make tishby");
    project.ok("record p.toml");
    let manifest = fs::read(project.path("outputs/p/recording/.meta/manifest.json")).unwrap();
    project.write("p.toml", PIPELINE.replace("runs = 2", "runs = 3"));
    project.ok("record p.toml");
    // As if stopped just before the manifest of the larger whole was put in place.
    project.write("outputs/p/recording/.meta/manifest.json", manifest);
    let sentence = project.refused("inspect outputs/p --validate");
    assert!(sentence.contains("r0002 is being added to the recording"), "{sentence}");
    project.ok("estimate binning outputs/p");
    assert!(!project.path("outputs/p/estimates/binning-n-edges-30/run=r0002.parquet").exists());
    project.ok("record p.toml");
    project.ok("inspect outputs/p --validate");
}

#[test]
fn inspect_describes_a_recording_as_text_and_as_json() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let said = project.run("inspect outputs/p").stdout;
    assert!(said.starts_with("p: 2 runs, whole; made by infoplane version "), "{said}");
    assert!(said.contains("6 snapshots from epoch 0, step 0 to epoch 12, step 84 in r0000"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&project.run("inspect outputs/p --json").stdout).unwrap();
    let tables = json["experiment"]["tables"].as_array().unwrap();
    let first = tables.iter().find(|t| t["table"] == "activations" && t["layer"] == 1).unwrap();
    // 2 runs × 6 snapshots × 4096 samples of 6 units; 4 + 8 + 4 + 6 · 4 bytes a row.
    assert_eq!((&first["rows"], &first["width"], &first["raw_bytes"]), (&49152.into(), &6.into(), &1_966_080.into()));

    let file = "outputs/p/recording/activations/layer=1/run=r0000/part-00000.parquet";
    let json: serde_json::Value = serde_json::from_str(&project.run(&format!("inspect {file} --json")).stdout).unwrap();
    assert_eq!((&json["file"]["table"], &json["file"]["rows"]), (&"activations".into(), &24576.into()));
    assert!(project.run(&format!("inspect {file} --validate")).stdout.starts_with("valid table: 24576 rows"));
    assert!(project.refused("inspect p.toml").contains("damaged or not Parquet"));
    assert!(project.refused("inspect nowhere").contains("no such file or folder"));
}

#[test]
fn validate_names_the_place_of_the_first_fault() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    assert!(project.run("inspect outputs/p --validate").stdout.starts_with("valid: 2 runs, 3 layers"));
    let faults = |project: &Project| {
        let json: serde_json::Value =
            serde_json::from_str(&project.run("inspect outputs/p --validate --json").stdout).unwrap();
        assert_eq!(json["valid"], false);
        let sentence = project.refused("inspect outputs/p --validate");
        assert_eq!(sentence, format!("infoplane: {}", json["fault"].as_str().unwrap()));
        sentence
    };
    let stray = project.path("outputs/p/recording/epochs/run=r0000/notes.txt");
    fs::write(&stray, "mine").unwrap();
    assert!(faults(&project).contains("epochs/run=r0000/notes.txt: not a file of the recording"));
    fs::remove_file(&stray).unwrap();

    let weights = project.path("outputs/p/recording/weights/layer=1/run=r0001/part-00000.parquet");
    let content = fs::read(&weights).unwrap();
    let mut flipped = content.clone();
    flipped[200] ^= 1;
    fs::write(&weights, flipped).unwrap();
    assert!(faults(&project).contains("weights/layer=1/run=r0001/part-00000.parquet: its content was changed"));
    fs::write(&weights, content).unwrap();

    fs::remove_file(project.path("outputs/p/recording/.meta/manifest.json")).unwrap();
    assert!(faults(&project).contains("the recording is unfinished (complete runs: 2)"));
}

#[test]
fn validate_finds_what_is_wrong_with_a_recording_of_another_program() {
    let project = Project::new(PIPELINE);
    project.recording(&[0.1, f32::NAN, 0.3], &[None; 3]);
    let sentence = project.refused("inspect outputs/p --validate");
    assert!(sentence.ends_with("part-00000.parquet: epoch 0, step 0, sample 1, unit 0 is NaN"), "{sentence}");

    let other = Project::new(PIPELINE);
    other.recording(&[0.1, 0.2], &[None; 2]);
    other.ok("inspect outputs/p --validate");
    let row = |epoch: i32| EpochRow {
        epoch,
        step: epoch.into(),
        loss_train_nats: Some(0.5),
        loss_test_nats: None,
        squared_error_train: None,
        squared_error_test: None,
        accuracy_train: Some(1.0),
        accuracy_test: None,
    };
    let root = other.path("outputs/p/recording");
    let path = format!("{}/run=r0000/part-00000.parquet", EpochRow::TABLE);
    infoplane::store::write_rows(&root, &path, &[row(0), row(1)], &infoplane::store::Footer::new()).unwrap();
    let sentence = other.refused("inspect outputs/p --validate");
    assert!(sentence.ends_with("has 2 snapshots, the activations have 1"), "{sentence}");
}
