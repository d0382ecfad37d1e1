//! What a user reads when something is wrong: one clear sentence, exit code 2, and nothing lost.

use std::fs;

use infoplane::store::schema::{EstimateRow, SampleRow, SummaryRow};
use infoplane::store::{Footer, read_rows, write_rows};

use crate::tool::{PIPELINE, PROGRAM, Project};

#[test]
fn mistakes_in_a_pipeline_are_named_with_file_and_line() {
    let check = |from: &str, to: &str, expected: &str| {
        let project = Project::new(&PIPELINE.replace(from, to));
        assert_eq!(project.refused("run p.toml"), format!("infoplane: p.toml, line {expected}"));
        assert!(!project.path("outputs").exists());
    };
    check(
        "epochs = 12",
        "epoks = 12",
        "14: unknown key `epoks`; did you mean `epochs`? (`infoplane keys training` lists the keys)",
    );
    check(
        "hidden = [6, 3]",
        "hidden = []",
        "7: `hidden`: no hidden layers; give at least one width, for example [10, 7, 5, 4, 3]",
    );
    check("batch = 512", "batch = 0", "12: `batch`: must be \"full\" or a whole number of at least 1, got 0");
    check("log_spaced = 6", "log_spaced = 13", "16: `epochs`: `log_spaced` is 13, but `[training]` has only 12 epochs");
    check("seed = 5", "seed = ", "1: this is not TOML: string values must be quoted, expected literal string");
}

#[test]
fn a_table_of_keys_that_does_not_exist_is_refused_with_a_suggestion() {
    let project = Project::new("");
    let refused = |name: &str| project.finish(project.command(PROGRAM, "keys").arg(name)).sentence();
    let empty = "infoplane: the name of the table is empty; give a table such as `training`, or leave it out to print all tables";
    assert_eq!([refused(""), refused(" ")], [empty, empty]);
    let rest = " (`infoplane keys` prints all tables)";
    let meant = |name: &str, other: &str| {
        assert_eq!(
            refused(name),
            format!("infoplane: a pipeline file has no table `{name}`; did you mean `{other}`?{rest}")
        );
    };
    meant("trainng", "training");
    meant("quantized", "quantised");
    assert!(refused("zzzz").starts_with("infoplane: a pipeline file has no table `zzzz`; known: `pipeline`, `data`"));
}

#[test]
fn a_missing_pipeline_or_data_file_is_named() {
    let project = Project::new(PIPELINE);
    assert!(project.refused("run q.toml").starts_with("infoplane: q.toml: cannot read the pipeline: "));
    assert_eq!(
        project.refused("record p.toml"),
        "infoplane: there is no data file data/tishby.parquet; run `infoplane data make tishby` first"
    );
    assert_eq!(project.refused("estimate binning outputs/p").split("; ").last(), Some("run `infoplane record` first"));
}

#[test]
fn parameters_are_checked_before_any_work() {
    let project = Project::new(PIPELINE);
    assert_eq!(
        project.refused("estimate binning outputs/p --bin-width -0.1"),
        "infoplane: parameter `bin_width`: must be a finite number above 0, got -0.1"
    );
    assert_eq!(
        project.refused("estimate binning outputs/p --bin-width 1 --n-bins 2"),
        "infoplane: parameters `bin_width` and `n_bins` exclude each other; give one of them"
    );
    assert!(project.refused("plot planes outputs/p").ends_with("unknown plot `planes`; did you mean `panels`?"));
}

#[test]
fn a_recording_with_other_settings_is_not_overwritten_unasked() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let before = project.files("outputs");
    project.write("p.toml", PIPELINE.replace("seed = 5", "seed = 6"));
    assert_eq!(
        project.refused("run p.toml"),
        "infoplane: outputs/p/recording has a recording made with other settings (seed: 5 in the recording, 6 in the pipeline); record to another folder with `--out DIR`, or replace the recording with `--overwrite`"
    );
    assert!(project.files("outputs") == before);
    project.write("p.toml", PIPELINE.replace("runs = 2", "runs = 1"));
    assert!(project.refused("run p.toml").contains("has 2 runs, but the pipeline asks for 1"));
    assert!(project.refused("estimate pipeline p.toml").contains("has 2 runs, but the pipeline asks for 1"));
    assert!(project.files("outputs") == before);

    project.write("p.toml", PIPELINE.replace("seed = 5", "seed = 6"));
    project.ok("run p.toml --overwrite");
    assert!(project.files("outputs") != before);
    assert_eq!(project.ok("run p.toml").matches("up to date").count(), 6);
}

#[test]
fn a_failed_overwrite_restores_the_old_recording() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let before = project.files("outputs");
    // Weights this large overflow in a ReLU network: the first run diverges.
    project.write("p.toml", PIPELINE.replace("4e-3", "1e30").replace("tanh", "relu"));
    assert!(project.refused("run p.toml --overwrite").contains("every training failed"));
    project.write("p.toml", PIPELINE.replace("name = \"tishby\"", "file = \"p.toml\""));
    assert!(project.refused("run p.toml --overwrite").contains("is not a table of samples"));
    let kept = project.files("outputs");
    assert!(before.iter().all(|file| kept.contains(file)), "something of the old recording is lost");
}

#[test]
fn overwriting_removes_all_estimates_of_the_old_recording() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    project.ok("estimate binning outputs/p --n-bins 9");
    project.write("p.toml", PIPELINE.replace("seed = 5", "seed = 6").replace("runs = 2", "runs = 1"));
    project.ok("run p.toml --overwrite");
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    assert!(summary.iter().all(|row| row.n_runs == 1 && row.estimator.to_string() != "binning-n-bins-9"));
}

#[test]
fn a_recording_of_another_program_is_not_touched() {
    let project = Project::new(PIPELINE);
    project.ok("data make tishby");
    project.recording(&[0.1, 0.2], &[None; 2]);
    let before = project.files("outputs");
    assert!(project.refused("record p.toml").contains("has a recording that was not made by this program"));
    assert!(project.files("outputs") == before);
}

#[test]
fn a_data_file_with_other_content_is_not_replaced() {
    let project = Project::new(PIPELINE);
    project.ok("data make tishby --gamma 0.5 --out data/tishby.parquet");
    let before = project.files("data");
    let sentence = project.refused("run p.toml");
    assert!(sentence.contains("data/tishby.parquet exists with other content"), "{sentence}");
    assert!(project.refused("data import data/tishby.parquet --x x").contains("exists with other content"));
    assert!(project.files("data") == before);
}

#[test]
fn samples_out_of_order_are_refused() {
    let project = Project::new(PIPELINE);
    let row =
        |sample: i32| SampleRow { sample, x: Some(vec![0.0]), x_hash: None, y: sample % 2, p_y1: None, target: None };
    write_rows(&project.path(""), "d.parquet", &[row(0), row(2), row(1)], &Footer::new()).unwrap();
    project.write("p.toml", PIPELINE.replace("name = \"tishby\"", "file = \"d.parquet\""));
    let sentence = project.refused("record p.toml");
    assert!(
        sentence.ends_with("column `sample`: samples must be 0, 1, 2, … in order; got 2 instead of 1"),
        "{sentence}"
    );
}

#[test]
fn an_estimator_that_always_fails_does_not_remove_the_figures_of_others() {
    let project = Project::new(&PIPELINE.replace("bin_width = 0.07", "bin_width = 1e-12"));
    let finished = project.run("run p.toml");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(project.path("outputs/p/figures/snapshots-binning-n-edges-30.png").exists());
    assert!(!project.path("outputs/p/figures/snapshots-binning-bin-width-1e-12.png").exists());
}

#[test]
fn failure_of_all_estimates_gives_exit_code_1() {
    let (before, _) = PIPELINE.split_once("[[estimate]]").unwrap();
    let project = Project::new(&format!("{before}[[estimate]]\nestimator = \"binning\"\nbin_width = 1e-12\n"));
    let finished = project.run("run p.toml");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("nothing can be drawn"), "{}", finished.stderr);
    // Nothing is left to do, whatever failed.
    assert_eq!(project.run("run p.toml --dry-run").stdout, "outputs/p: done\n");
    assert!(project.run("run p.toml").stderr.contains("plot: up to date\n"));
}

#[test]
fn a_file_of_another_table_among_the_estimates_is_named() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let folder = project.path("outputs/p/estimates/binning-n-edges-30");
    let stranger = folder.join("run=r0002.parquet");
    fs::copy(project.path("data/tishby.parquet"), &stranger).unwrap();
    let left_out = "1 table of binning-n-edges-30 in p left out: r0002 has no manifest";
    let printed = project.ok("aggregate outputs/p");
    assert!(printed.contains(left_out), "{printed}");
    // A copy of a table is not one more run, with a manifest or without.
    fs::copy(folder.join("run=r0001.parquet"), &stranger).unwrap();
    assert!(project.ok("aggregate outputs/p").contains(left_out));
    let manifests = project.path("outputs/p/.meta/estimates/binning-n-edges-30");
    fs::copy(manifests.join("r0001.json"), manifests.join("r0002.json")).unwrap();
    assert!(project.ok("aggregate outputs/p").contains("left out: r0002 is not in the recording"));
    fs::remove_file(&stranger).unwrap();
    fs::remove_file(manifests.join("r0002.json")).unwrap();
    fs::write(folder.join("._run=r0001.parquet"), "what another operating system leaves").unwrap();
    project.ok("aggregate outputs/p");
}

#[test]
fn a_flipped_byte_in_a_table_is_never_aggregated() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    fs::remove_file(project.path("outputs/p/summary.parquet")).unwrap();
    for file in ["estimates/binning-n-edges-30/run=r0001.parquet", "recording/epochs/run=r0000/part-00000.parquet"] {
        let path = project.path(&format!("outputs/p/{file}"));
        let content = fs::read(&path).unwrap();
        for at in (0..content.len()).step_by(content.len() / 40) {
            let mut flipped = content.clone();
            flipped[at] ^= 45;
            fs::write(&path, flipped).unwrap();
            let sentence = project.refused("aggregate outputs/p");
            assert!(sentence.contains(file), "byte {at}: {sentence}");
        }
        fs::write(&path, content).unwrap();
    }
    project.ok("aggregate outputs/p");
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_written() {
    let check = |from: &str, to: &str, expected: &str| {
        let project = Project::new(&PIPELINE.replace(from, to));
        let sentence = project.refused("run p.toml");
        assert!(sentence.contains(expected), "{sentence}");
        assert!(!project.path("outputs").exists());
    };
    check("0.85", "1e-7", "`train_fraction` 0.0000001 of 4096 samples is less than one training sample");
    check("[6, 3]", "[9_000_000]", "one snapshot would be 36864008192 activations");
    check("4e-3", "1e-50", "`learning_rate`: must be a finite number above 0 within the range of f32, got 1e-50");
    check(
        "n_edges = 30",
        "n_edges = 4_000_000_000_000",
        "must be a whole number from 2 to 16777216, got 4000000000000",
    );
}

#[test]
fn a_truncated_or_foreign_parquet_file_is_refused_with_a_sentence() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let file = project.path("outputs/p/recording/activations/layer=1/run=r0000/part-00000.parquet");
    let content = fs::read(&file).unwrap();
    fs::write(&file, &content[..content.len() / 2]).unwrap();
    let before = project.files("outputs/p/estimates");
    let sentence = project.refused("estimate binning outputs/p --n-bins 7");
    assert!(sentence.contains("layer=1/run=r0000/part-00000.parquet: its content was changed"), "{sentence}");
    assert!(project.files("outputs/p/estimates") == before);

    // The same where no manifest vouches for the files.
    fs::remove_dir_all(project.path("outputs/p/recording/.meta")).unwrap();
    let sentence = project.refused("estimate binning outputs/p --n-bins 7");
    assert!(sentence.contains("layer=1/run=r0000/part-00000.parquet") && sentence.contains("damaged"), "{sentence}");

    fs::copy(project.path("data/tishby.parquet"), &file).unwrap();
    let sentence = project.refused("estimate binning outputs/p --n-bins 7");
    assert!(sentence.ends_with("contains table `samples`, expected table `activations`"), "{sentence}");

    fs::remove_file(&file).unwrap();
    let sentence = project.refused("estimate binning outputs/p --n-bins 7");
    assert!(sentence.contains("layer=1/run=r0000: this run lacks a layer that other runs have"), "{sentence}");
}

#[test]
fn a_truncated_data_file_is_refused() {
    let project = Project::new(PIPELINE);
    project.ok("data make tishby");
    let file = project.path("data/tishby.parquet");
    let content = fs::read(&file).unwrap();
    fs::write(&file, &content[..content.len() - 9]).unwrap();
    assert!(project.refused("record p.toml").contains("data/tishby.parquet"));
    assert!(!project.path("outputs").exists());
}

#[test]
fn activations_of_other_samples_than_the_labels_are_refused() {
    let project = Project::new(PIPELINE);
    project.recording(&[0.1, 0.2, 0.3], &[None; 4]);
    let sentence = project.refused("estimate binning outputs/p");
    assert!(sentence.contains("activations of 3 samples, but the samples table has 4"), "{sentence}");
}

#[test]
fn a_nan_inside_a_recording_is_a_failed_row_and_exit_code_1() {
    let project = Project::new(PIPELINE);
    project.recording(&[0.1, f32::NAN, 0.3], &[None; 3]);
    let finished = project.run("estimate binning outputs/p --n-edges 30");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("1 estimate failed"), "{}", finished.stderr);
    let rows: Vec<EstimateRow> =
        read_rows(&project.path("outputs/p/estimates/binning-n-edges-30/run=r0000.parquet")).unwrap();
    assert_eq!(rows[0].failure.as_deref(), Some("sample 1, unit 0 is NaN; only finite values can be estimated"));
    assert_eq!((rows[0].i_xt_bits, rows[0].i_ty_bits), (None, None));
}

#[test]
fn an_unwritable_output_folder_is_named() {
    let project = Project::new(PIPELINE);
    project.ok("data make tishby");
    // A file where the folder should be: permission bits would not stop a test that runs as root.
    project.write("outputs", "in the way");
    let sentence = project.refused("run p.toml");
    assert!(sentence.contains("cannot create the folder outputs/p: "), "{sentence}");
    assert_eq!(fs::read(project.path("outputs")).unwrap(), b"in the way");
}

#[test]
fn data_with_one_label_cannot_train_a_classifier() {
    let project = Project::new(&PIPELINE.replace("name = \"tishby\"", "file = \"one.parquet\""));
    project.write("d.csv", "a,y\n1,0\n2,0\n");
    project.ok("data import d.csv --out one.parquet");
    assert!(project.refused("run p.toml").contains("softmax needs at least 2 different labels"));
}

#[test]
fn a_folder_that_is_no_experiment_is_refused_with_what_it_is() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let (with_training, _) = PIPELINE.split_once("[[estimate]]").unwrap();
    project.write("q.toml", with_training);
    project.ok("run q.toml");
    fs::create_dir_all(project.path("empty")).unwrap();
    let commands = ["check", "estimate binning", "aggregate", "summary", "report", "movie", "plot all", "verify"];
    let folders = [
        ("outputs/x", "outputs/x: no such folder; run `infoplane record` first"),
        ("empty", "empty: nothing is recorded in this folder; run `infoplane record` first"),
        ("p.toml", "p.toml: this is a file; name the folder of an experiment"),
        ("outputs/p/recording", "outputs/p/recording: this folder is inside the experiment outputs/p; name outputs/p"),
        (
            "outputs/p/estimates/binning-n-edges-30",
            "outputs/p/estimates/binning-n-edges-30: this folder is inside the experiment outputs/p; name outputs/p",
        ),
        (
            "outputs",
            "outputs: this is not an experiment, but a folder of experiments; name one of them, for example outputs/p",
        ),
    ];
    for command in commands {
        for (folder, expected) in folders {
            assert_eq!(project.refused(&format!("{command} {folder}")), format!("infoplane: {expected}"), "{command}");
        }
    }
    for command in ["check", "aggregate"] {
        let sentence = project.refused(&format!("{command} outputs/q"));
        assert_eq!(sentence, "infoplane: outputs/q: there are no estimates yet; run `infoplane estimate` first");
    }
    assert!(project.refused("summary outputs/q").contains("there are no estimates yet"));
    fs::remove_file(project.path("outputs/p/summary.parquet")).unwrap();
    for command in ["summary", "report", "movie", "plot all"] {
        let expected =
            "infoplane: outputs/p: there is no summary.parquet yet; run `infoplane aggregate outputs/p` first";
        assert_eq!(project.refused(&format!("{command} outputs/p")), expected);
    }
}

#[test]
fn failed_trainings_and_failed_estimates_are_both_reported() {
    // Such a rate makes the weights of a ReLU network overflow, and such bins are too many to number.
    let text = PIPELINE.replace("\"adam\"", "\"sgd\"").replace("4e-3", "1e30").replace("tanh", "relu");
    let text = text.replace("bin_width = 0.07", "bin_width = 1e-12");
    let both = "2 trainings failed; see the table `runs` of the recording for the reasons; 6 estimates failed; see the column `failure` for the reasons";
    let finished = Project::new(&text).run("run p.toml");
    assert_eq!((finished.code, finished.stderr.lines().last().unwrap()), (1, format!("infoplane: {both}").as_str()));
    let swept = Project::new(&text.replace("batch = 512", "batch = [512, 1024]")).run("run p.toml");
    assert_eq!(swept.code, 1);
    assert!(swept.stderr.contains("batch-512: done, 2 trainings failed, 6 estimates failed"), "{}", swept.stderr);
    let last = swept.stderr.lines().last().unwrap();
    assert!(last.contains("4 trainings failed") && last.contains("12 estimates failed"), "{last}");
    assert!(last.ends_with("2 experiments failed or had failed runs; see experiments.parquet"), "{last}");
}
