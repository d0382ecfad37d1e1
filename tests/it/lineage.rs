//! Results and the recording that they were made from: whatever happens to a folder, no row joins numbers of two recordings.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use infoplane::store::schema::SummaryRow;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::foreign::{Columns, lists, numbers, write_with};
use crate::tool::{Project, copy_folder, rows};

/// Samples of the recordings of another program.
const N: usize = 16;
const FOLDER: &str = "outputs/e";
/// Recordings of which each sequence chooses: two of this program, two of another.
const RECORDINGS: [&str; 4] = ["own-1", "own-2", "foreign-1", "foreign-2"];
const ESTIMATES: [&str; 3] = ["binning --n-edges 8", "binning --n-edges 8 --samples train", "quantised --per-unit"];

fn pipeline(seed: u32) -> String {
    format!(
        r#"
seed = {seed}
runs = 1
[data]
name = "parity"
n_bits = 4
train_fraction = 0.5
[network]
hidden = [3]
activation = "tanh"
[training]
optimiser = "sgd"
learning_rate = 0.1
batch = 4
epochs = 4
[record]
epochs = {{ every = 2 }}
[[estimate]]
estimator = "binning"
n_edges = 8
"#
    )
}

/// A recording of another program, whose activations have 2^k values at both snapshots and whose loss is k.
fn write_foreign(project: &Project, folder: &str, k: u32) {
    let at = |table: &str| format!("{folder}/recording/{table}/run=r0000/part-00000.parquet");
    let x = Arc::new(Float64Array::from_iter_values((0..N).map(|i| i as f64)));
    let samples: Columns = vec![
        ("sample", numbers(N, |i| i as i32)),
        ("x", lists(x, 1)),
        ("y", Arc::new(Int64Array::from_iter_values((0..N as i64).map(|i| i % 2)))),
    ];
    write_with(project, &format!("{folder}/recording/samples.parquet"), &[("table", "samples")], &[samples]);
    let snapshot = |index: i64| -> Columns {
        let t = Float64Array::from_iter_values((0..N).map(|i| (i % (1 << k)) as f64));
        let step: ArrayRef = Arc::new(Int64Array::from(vec![index; N]));
        let epoch = numbers(N, |_| index as i32);
        vec![("epoch", epoch), ("step", step), ("sample", numbers(N, |i| i as i32)), ("t", lists(Arc::new(t), 1))]
    };
    let groups = [snapshot(0), snapshot(1)];
    write_with(project, &at("activations/layer=1"), &[("table", "activations")], &groups);
    let loss: ArrayRef = Arc::new(Float64Array::from(vec![f64::from(k); 2]));
    let step: ArrayRef = Arc::new(Int64Array::from(vec![0, 1]));
    let fits: Columns = vec![("epoch", numbers(2, |i| i as i32)), ("step", step), ("loss_train_nats", loss)];
    write_with(project, &at("epochs"), &[("table", "epochs")], &[fits]);
    let split: ArrayRef = Arc::new(StringArray::from(vec!["train"; N]));
    write_with(
        project,
        &at("splits"),
        &[("table", "splits")],
        &[vec![("sample", numbers(N, |i| i as i32)), ("split", split)]],
    );
}

/// The recordings, each with all of its estimates and the rows of its summary.
fn references() -> (Project, Vec<SummaryRow>) {
    let project = Project::new("");
    for (seed, name) in (1..).zip(&RECORDINGS[..2]) {
        project.write(&format!("{name}.toml"), pipeline(seed));
        project.ok(&format!("run {name}.toml"));
    }
    for (k, name) in (1..).zip(&RECORDINGS[2..]) {
        write_foreign(&project, &format!("outputs/{name}"), k);
    }
    let mut summary = Vec::new();
    for name in RECORDINGS {
        for estimate in ESTIMATES {
            project.ok(&format!("estimate {estimate} outputs/{name}"));
        }
        project.ok(&format!("aggregate outputs/{name}"));
        summary.extend(rows::<SummaryRow>(&project, &format!("outputs/{name}/summary.parquet")));
    }
    (project, summary)
}

/// What happens to the folder. Numbers choose a recording, an estimate or a file.
#[derive(Debug, Clone)]
enum Event {
    /// Another recording takes the place of the one that is there.
    Record(usize),
    /// The same, over the files that are there.
    RecordInto(usize),
    /// The pipeline is edited and run.
    Run {
        pipeline: usize,
        overwrites: bool,
    },
    Estimate(usize),
    Aggregate,
    CopyEstimates(usize),
    CopyAll(usize),
    Touch {
        file: usize,
        seconds_ago: u64,
    },
    Delete(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let recording = || 0..RECORDINGS.len();
    prop_oneof![
        recording().prop_map(Event::Record),
        recording().prop_map(Event::RecordInto),
        (0_usize..2, any::<bool>()).prop_map(|(pipeline, overwrites)| Event::Run { pipeline, overwrites }),
        (0..ESTIMATES.len()).prop_map(Event::Estimate),
        Just(Event::Aggregate),
        recording().prop_map(Event::CopyEstimates),
        recording().prop_map(Event::CopyAll),
        (0_usize..1000, 0_u64..100_000).prop_map(|(file, seconds_ago)| Event::Touch { file, seconds_ago }),
        (0_usize..1000).prop_map(Event::Delete),
    ]
}

/// Whatever the program answers, it must not panic, which [`Project::run`] asserts.
fn happens(project: &Project, event: &Event) {
    let of_recording = |index: usize, part: &str| project.path(&format!("outputs/{}{part}", RECORDINGS[index]));
    let here = |part: &str| project.path(&format!("{FOLDER}{part}"));
    match event {
        Event::Record(index) => {
            let _ = fs::remove_dir_all(here("/recording"));
            copy_folder(&of_recording(*index, "/recording"), &here("/recording"));
        }
        Event::RecordInto(index) => copy_folder(&of_recording(*index, "/recording"), &here("/recording")),
        Event::Run { pipeline, overwrites } => {
            let flag = if *overwrites { " --overwrite" } else { "" };
            project.run(&format!("record {}.toml --out {FOLDER}{flag}", RECORDINGS[*pipeline]));
            project.run(&format!("run {}.toml --out {FOLDER}", RECORDINGS[*pipeline]));
        }
        Event::Estimate(index) => drop(project.run(&format!("estimate {} {FOLDER}", ESTIMATES[*index]))),
        Event::Aggregate => drop(project.run(&format!("aggregate {FOLDER}"))),
        Event::CopyEstimates(index) => copy_folder(&of_recording(*index, "/estimates"), &here("/estimates")),
        Event::CopyAll(index) => copy_folder(&of_recording(*index, ""), &here("")),
        Event::Touch { file, seconds_ago } => {
            if let Some(path) = file_of(project, *file) {
                let time = SystemTime::now() - Duration::from_secs(*seconds_ago);
                fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
            }
        }
        Event::Delete(file) => {
            if let Some(path) = file_of(project, *file) {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

/// One of the files of the folder.
fn file_of(project: &Project, index: usize) -> Option<PathBuf> {
    let files = if project.path(FOLDER).is_dir() { project.files(FOLDER) } else { Vec::new() };
    let (name, _) = files.get(index % files.len().max(1))?;
    Some(project.path(FOLDER).join(name))
}

/// Whether a row over the one run is what a single recording has: its information and, where there is one, its loss.
fn is_of_one_recording(row: &SummaryRow, references: &[SummaryRow]) -> bool {
    let place = |row: &SummaryRow| (row.estimator.clone(), row.layer, row.epoch, row.step);
    references.iter().any(|other| {
        place(row) == place(other)
            && (row.i_xt_bits_mean, row.i_ty_bits_mean) == (other.i_xt_bits_mean, other.i_ty_bits_mean)
            && (row.loss_train_nats_mean.is_none() || row.loss_train_nats_mean == other.loss_train_nats_mean)
    })
}

#[test]
fn no_row_joins_numbers_of_two_recordings() {
    let (project, references) = references();
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let sequence = proptest::collection::vec(event(), 2..9);
    let checked = TestRunner::new_with_rng(config, rng).run(&sequence, |events| {
        let _ = fs::remove_dir_all(project.path(FOLDER));
        for event in events {
            happens(&project, &event);
            if project.run(&format!("aggregate {FOLDER}")).code != 0 {
                continue;
            }
            let rows: Vec<SummaryRow> = rows(&project, &format!("{FOLDER}/summary.parquet"));
            if let Some(row) = rows.iter().find(|row| !is_of_one_recording(row, &references)) {
                return Err(TestCaseError::fail(format!("after {event:?}: {row:?}")));
            }
        }
        Ok(())
    });
    checked.unwrap();
}

/// A recording of another program with estimates, a summary, checks, pictures and a page.
fn with_results() -> Project {
    let project = Project::new("");
    write_foreign(&project, FOLDER, 1);
    for line in ["estimate binning --n-edges 8", "estimate quantised", "aggregate", "plot curves", "report"] {
        project.ok(&format!("{line} {FOLDER}"));
    }
    project.ok(&format!("inspect {FOLDER} --validate"));
    project
}

const READERS: [&str; 6] = ["check", "aggregate", "plot curves", "report", "summary", "movie"];

#[test]
fn every_command_refuses_results_of_another_recording() {
    let project = with_results();
    write_foreign(&project, FOLDER, 2);
    for reader in READERS {
        let refusal = project.refused(&format!("{reader} {FOLDER}"));
        let is_named = refusal.contains("made from another recording (its activations differ)")
            || refusal.contains("was made from tables of e that were changed or removed since");
        assert!(is_named && refusal.contains("again"), "{reader}: {refusal}");
    }
    assert!(project.refused(&format!("inspect {FOLDER} --validate")).contains("made from another recording"));

    // One estimate is made again: the other is left out, and said so.
    project.ok(&format!("estimate quantised {FOLDER}"));
    let printed = project.ok(&format!("aggregate {FOLDER}"));
    assert!(printed.contains("1 table of binning-n-edges-8 in e left out: r0000 was made from another"), "{printed}");
    let summary: Vec<SummaryRow> = rows(&project, &format!("{FOLDER}/summary.parquet"));
    assert!(summary.iter().all(|row| row.i_xt_bits_mean == Some(2.0) && row.loss_train_nats_mean == Some(2.0)));
    project.ok(&format!("plot curves {FOLDER}"));
    assert!(project.refused(&format!("inspect {FOLDER} --validate")).contains("binning-n-edges-8"));
    project.ok(&format!("estimate binning --n-edges 8 {FOLDER}"));
    project.ok(&format!("aggregate {FOLDER}"));
    let refusal = project.refused(&format!("inspect {FOLDER} --validate"));
    assert!(refusal.contains("made from tables that were changed or removed since"), "the pictures: {refusal}");
    project.ok(&format!("plot curves {FOLDER}"));
    project.ok(&format!("report {FOLDER}"));
    project.ok(&format!("inspect {FOLDER} --validate"));
}

#[test]
fn losses_of_another_recording_are_not_joined_with_the_estimates() {
    let project = with_results();
    let epochs = "recording/epochs/run=r0000/part-00000.parquet";
    write_foreign(&project, "outputs/other", 2);
    fs::copy(project.path(&format!("outputs/other/{epochs}")), project.path(&format!("{FOLDER}/{epochs}"))).unwrap();
    for reader in READERS {
        project.refused(&format!("{reader} {FOLDER}"));
    }
    let refusal = project.refused(&format!("aggregate {FOLDER}"));
    assert!(refusal.contains("made from another recording (its losses, gradients or splits differ)"), "{refusal}");
    assert!(
        project.refused(&format!("inspect {FOLDER} --validate")).contains("its losses, gradients or splits differ")
    );
    // Where they belong together, estimating again says so.
    project.ok(&format!("estimate quantised {FOLDER}"));
    project.ok(&format!("aggregate {FOLDER}"));
    let summary: Vec<SummaryRow> = rows(&project, &format!("{FOLDER}/summary.parquet"));
    let is_one_bit = |row: &SummaryRow| (row.i_xt_bits_mean.unwrap() - 1.0).abs() < 1e-12;
    assert!(summary.iter().all(|row| is_one_bit(row) && row.loss_train_nats_mean == Some(2.0)));
}

#[test]
fn estimates_that_were_copied_without_their_manifest_are_left_out() {
    let project = with_results();
    write_foreign(&project, "outputs/other", 2);
    copy_folder(&project.path(&format!("{FOLDER}/estimates")), &project.path("outputs/other/estimates"));
    let refusal = project.refused("aggregate outputs/other");
    assert!(refusal.contains("r0000 has no manifest, so its recording is unknown"), "{refusal}");
    project.ok("estimate binning --n-edges 8 outputs/other");
    let printed = project.ok("aggregate outputs/other");
    assert!(printed.contains("1 table of quantised-bits-8 in other left out"), "{printed}");
    // A summary alone is a table like any other; next to a recording it must say what it is of.
    project.ok("estimate quantised outputs/other");
    fs::remove_file(project.path("outputs/other/.meta/summary.json")).unwrap();
    assert!(project.refused("plot curves outputs/other").contains("has no manifest"));
}

#[test]
fn a_run_of_another_recording_is_refused_where_it_is() {
    let project = Project::new(&pipeline(1));
    project.write("q.toml", pipeline(2).replace("runs = 1", "runs = 2"));
    project.ok("run p.toml");
    project.ok("run q.toml");
    let run = "recording/.meta/runs/r0001.json";
    fs::copy(project.path(&format!("outputs/q/{run}")), project.path(&format!("outputs/p/{run}"))).unwrap();
    fs::remove_file(project.path("outputs/p/recording/.meta/manifest.json")).unwrap();
    for line in ["estimate quantised outputs/p", "aggregate outputs/p", "inspect outputs/p --validate"] {
        let refusal = project.refused(line);
        assert!(refusal.contains("r0001.json") && refusal.contains("with other settings"), "{line}: {refusal}");
    }
}

#[test]
fn estimates_without_a_recording_must_be_of_one_recording() {
    let project = Project::new(&pipeline(1));
    project.write("q.toml", pipeline(2));
    project.ok("run p.toml");
    project.ok("run q.toml");
    project.ok("estimate quantised outputs/p --out outputs/apart");
    project.ok("aggregate outputs/apart");
    project.ok("estimate binning --n-edges 4 outputs/q --out outputs/apart");
    assert!(project.refused("aggregate outputs/apart").contains("were made from different recordings"));
}

#[test]
fn checks_and_claims_of_another_recording_are_left_out_of_the_page() {
    let project = with_results();
    let claim = "[[expect]]\nclaim = \"it ends above one bit\"\nquantity = \"i_xt\"\nestimate = \"quantised-bits-8\"\nlayer = 1\nmeasure = \"end\"\nabove = 1.5\n";
    project.write("e.toml", format!("recording = \"{FOLDER}\"\n[[estimate]]\nestimator = \"quantised\"\n{claim}"));
    project.ok("run e.toml");
    let page = |project: &Project| fs::read_to_string(project.path(&format!("{FOLDER}/report.html"))).unwrap();
    project.ok(&format!("report {FOLDER}"));
    assert!(page(&project).contains("it ends above one bit"));
    write_foreign(&project, FOLDER, 2);
    project.ok(&format!("estimate quantised {FOLDER}"));
    project.ok(&format!("estimate binning --n-edges 8 {FOLDER}"));
    project.ok(&format!("aggregate {FOLDER}"));
    project.ok(&format!("report {FOLDER}"));
    let page = page(&project);
    assert!(!page.contains("it ends above one bit"));
    assert!(page.contains("claims.parquet is left out: it was made from tables that were changed since"));
}

#[test]
fn the_inputs_of_a_sweep_are_checked_with_those_of_its_experiments() {
    let project = Project::new(&pipeline(1).replace("seed = 1", "seed = [1, 2]"));
    project.ok("run p.toml");
    let said = project.run("inspect outputs/p --validate").stdout;
    assert!(said.ends_with("p: valid: the tables over 2 experiments\n"), "{said}");
    project.ok("estimate binning --n-edges 8 --shuffles 3 outputs/p/seed-2");
    let validated = project.run("inspect outputs/p --validate");
    assert!(validated.code == 1 && validated.stderr.contains("seed-2/.meta/checks.json: its files were made from"));
    assert!(project.refused("report outputs/p").contains("made from tables of seed-2"));
    project.ok("aggregate outputs/p");
    project.ok("plot all outputs/p");
    project.ok("inspect outputs/p --validate");
}

#[test]
fn swapped_folders_of_experiments_are_detected() {
    let claim = "[[expect]]\nclaim = \"c\"\nquantity = \"i_xt\"\nestimate = \"binning-n-edges-8\"\nlayer = 1\nmeasure = \"end\"\nabove = 0.5\n";
    let project = Project::new(&format!(
        "{}{claim}",
        pipeline(1).replace("seed = 1", "seed = [1, 2]").replace("runs = 1", "runs = 2")
    ));
    project.ok("run p.toml");
    project.ok("stability outputs/p --pipeline p.toml");
    for (from, to) in [("seed-1", "aside"), ("seed-2", "seed-1"), ("aside", "seed-2")] {
        fs::rename(project.path(&format!("outputs/p/{from}")), project.path(&format!("outputs/p/{to}"))).unwrap();
    }
    assert!(project.refused("summary outputs/p").contains("changed or removed since"));
    let validated = project.run("inspect outputs/p --validate");
    assert!(validated.code == 2 && validated.stderr.contains("changed or removed since"), "{}", validated.stderr);
    project.ok("aggregate outputs/p");
    let refusal = project.refused("stability outputs/p --pipeline p.toml");
    assert!(refusal.contains("recorded with other settings than in the pipeline"), "{refusal}");
    fs::remove_dir_all(project.path("outputs/p/seed-2")).unwrap();
    assert!(
        project.refused("plot all outputs/p").contains("has rows of seed-2, but this folder does not exist any more")
    );
}

#[test]
fn a_name_of_the_length_of_a_hash_is_no_hash() {
    let project = Project::new(&pipeline(1));
    project.ok("run p.toml");
    let place = "estimates/binning-bin-width-0.125-miller-madow/run=r0000.parquet";
    assert_eq!(place.len(), 64);
    project.ok("estimate binning --bin-width 0.125 --bias miller-madow outputs/p");
    assert!(project.path("outputs/p").join(place).exists());
    for line in ["check outputs/p", "aggregate outputs/p", "plot all outputs/p", "inspect outputs/p --validate"] {
        project.ok(line);
    }
    // An experiment may be called like one of its own folders.
    fs::rename(project.path("outputs/p"), project.path("outputs/figures")).unwrap();
    project.ok("aggregate outputs/figures");
    fs::remove_file(project.path("outputs/figures").join(place)).unwrap();
    project.refused("plot all outputs/figures");
}

#[test]
fn pooled_estimates_are_made_again_after_runs_were_added() {
    let project = Project::new(&pipeline(1).replace("runs = 1", "runs = 2"));
    project.ok("run p.toml");
    project.ok("estimate binning --n-edges 8 --pool runs outputs/p");
    project.write("p.toml", pipeline(1).replace("runs = 1", "runs = 3"));
    project.ok("run p.toml");
    let printed = project.ok("aggregate outputs/p");
    assert!(printed.is_empty() || printed.matches("left out").count() <= 1, "{printed}");
    fs::remove_file(project.path("outputs/p/summary.parquet")).unwrap();
    let printed = project.ok("aggregate outputs/p");
    assert!(printed.contains("pooled was made before runs were added to the recording"), "{printed}");
    assert_eq!(printed.matches("left out").count(), 1, "{printed}");
}

#[test]
fn an_experiment_has_the_name_of_its_folder_on_every_path_to_it() {
    let project = with_results();
    let names = |path: &str| -> Vec<String> {
        project.ok(&format!("aggregate {path} --out elsewhere"));
        rows::<SummaryRow>(&project, "elsewhere/summary.parquet").into_iter().map(|row| row.experiment).collect()
    };
    for path in ["outputs/e/", "outputs/e/recording/..", "outputs/./e/../e"] {
        assert!(names(path).iter().all(|name| name == "e"), "{path}");
    }
    for file in ["..toml", "...toml"] {
        project.write(file, pipeline(1));
        let refusal = project.refused(&format!("run {file}"));
        assert!(refusal.contains("which is not a separate folder; rename the file"), "{refusal}");
    }
    assert!(!project.path("outputs/recording").exists() && !project.path("recording").exists());
}
