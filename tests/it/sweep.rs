//! Sweeps through the program: sixty settings in a few lines, stopped and gone on with, some of which cannot run.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use infoplane::store::schema::{ClaimRow, ExperimentRow, SampleRow, SettingRow, SummaryRow};
use infoplane::store::{Footer, read_rows, write_rows};
use infoplane::suggest::Named;

use crate::tool::{PIPELINE, Project};

/// 3 × 4 × 5 settings of a network on 16 samples.
pub(crate) const SIXTY: &str = r#"seed = 5
[data]
file = "d.parquet"
train_fraction = [0.25, 0.5, 0.75, 1.0]
[network]
hidden = [[3], [4], [3, 3], [4, 3], [4, 4]]
activation = ["tanh", "relu", "linear"]
[training]
optimiser = "adam"
learning_rate = 4e-3
batch = 2
epochs = 2
[record]
epochs = { every = 1 }
[[estimate]]
estimator = "binning"
n_edges = 4
"#;

/// A project with 16 samples, in memory, and `text` as its pipeline.
pub(crate) fn project(text: &str) -> Project {
    let project = Project::in_memory();
    let row = |sample: i32| SampleRow {
        sample,
        x: Some((0..4).map(|bit| (sample >> bit & 1) as f32).collect()),
        x_hash: None,
        y: i32::from(sample.count_ones() > 2),
        p_y1: None,
        target: None,
    };
    write_rows(&project.path(""), "d.parquet", &(0..16).map(row).collect::<Vec<_>>(), &Footer::new()).unwrap();
    project.write("p.toml", text);
    project
}

fn experiments(project: &Project) -> Vec<ExperimentRow> {
    read_rows(&project.path("outputs/p/experiments.parquet")).unwrap()
}

/// How many experiments are in `state`.
fn count(rows: &[ExperimentRow], state: &str) -> usize {
    rows.iter().filter(|row| row.state.name() == state).count()
}

/// The experiments that have a whole recording.
fn recorded(project: &Project) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(project.path("outputs/p")) else { return BTreeSet::new() };
    let whole = |entry: fs::DirEntry| {
        let is_whole = entry.path().join("recording/.meta/manifest.json").exists();
        is_whole.then(|| entry.file_name().to_string_lossy().into_owned())
    };
    entries.filter_map(|entry| whole(entry.unwrap())).collect()
}

#[test]
fn sixty_settings_that_were_interrupted_give_the_bytes_of_one_call() {
    let whole = project(SIXTY);
    let said = whole.ok("run p.toml --threads 2");
    assert!(said.contains("60/60 ") && said.contains("sweep: 60 experiments: 60 done in "), "{said}");
    let files = whole.files("outputs");

    let rows = experiments(&whole);
    assert_eq!((rows.len(), count(&rows, "done"), recorded(&whole).len()), (60, 60, 60));
    assert!(rows.iter().all(|row| row.n_runs == Some(1) && row.reason.is_none()));
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.experiment.as_str()).collect();
    assert!(ids.len() == 60 && ids.contains("activation-relu,hidden-4-3,train-fraction-0.25"), "{ids:?}");
    let settings: Vec<SettingRow> = read_rows(&whole.path("outputs/p/settings.parquet")).unwrap();
    assert_eq!(settings.len(), 3 * 60);
    let is_of = |row: &&SettingRow| row.experiment == "activation-relu,hidden-4-3,train-fraction-0.25";
    let of: Vec<(&str, &str, Option<f64>)> =
        settings.iter().filter(is_of).map(|row| (row.parameter.as_str(), row.value.as_str(), row.number)).collect();
    let expected = [
        ("data.train_fraction", "0.25", Some(0.25)),
        ("network.hidden", "[4, 3]", None),
        ("network.activation", "relu", None),
    ];
    assert_eq!(of, expected);

    // Verdicts and means of each experiment, and the figures that compare experiments.
    let member = whole.path("outputs/p/activation-relu,hidden-4-3,train-fraction-0.25");
    assert!(member.join("checks.parquet").exists() && member.join("summary.parquet").exists());
    assert!(whole.path("outputs/p/figures/panels-binning-n-edges-4.svg").exists() && !member.join("figures").exists());
    let said = whole.ok("run p.toml");
    assert!(said.starts_with("sweep: up to date\n"), "{said}");
    assert!(whole.files("outputs") == files, "a second run changed a file");

    let single = project(SIXTY);
    single.ok("run p.toml --threads 1");
    assert!(single.files("outputs") == files, "the bytes depend on the threads");

    let killed = project(SIXTY);
    let mut child = killed.start("run p.toml --threads 1");
    let start = Instant::now();
    while recorded(&killed).len() < 10 && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = recorded(&killed);
    assert!((10..60).contains(&before.len()), "{} experiments were recorded when it was killed", before.len());
    let kept = killed.path(&format!("outputs/p/{}/recording/.meta/manifest.json", before.first().unwrap()));
    let written = fs::metadata(&kept).unwrap().modified().unwrap();
    killed.ok("run p.toml");
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), written, "a finished experiment was done again");
    assert!(killed.files("outputs") == files, "other files than undisturbed");
}

#[test]
fn one_failing_setting_does_not_affect_the_other_fifty_nine() {
    let id = "activation-relu,hidden-4-3,train-fraction-0.25";
    let project = project(SIXTY);
    // Somebody else's recording is in its place.
    fs::create_dir_all(project.path(&format!("outputs/p/{id}/recording"))).unwrap();
    project.write(&format!("outputs/p/{id}/recording/samples.parquet"), "not ours");
    let reason = format!(
        "{id}/recording has a recording that was not made by this program; record to another folder with `--out DIR`, or replace the recording with `--overwrite`"
    );
    let finished = project.run("run p.toml");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("sweep: 60 experiments: 59 done, 1 failed in "), "{}", finished.stderr);
    assert!(finished.stderr.contains(&format!("\n  {id}: failed: {reason}\n")), "{}", finished.stderr);
    let last = finished.stderr.lines().last().unwrap();
    assert_eq!(last, "infoplane: 1 experiment failed or had failed runs; see experiments.parquet");

    let rows = experiments(&project);
    assert_eq!((rows.len(), count(&rows, "done"), recorded(&project).len()), (60, 59, 59));
    let failed = rows.iter().find(|row| row.experiment == id).unwrap();
    assert_eq!((failed.state.name(), failed.reason.as_deref()), ("failed", Some(reason.as_str())));
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    let joined: BTreeSet<&str> = summary.iter().map(|row| row.experiment.as_str()).collect();
    assert!(joined.len() == 59 && !joined.contains(id));

    let files = project.files("outputs");
    assert_eq!(project.run("run p.toml").code, 1);
    assert!(project.files("outputs") == files, "a second run changed a file");
    assert_eq!(project.refused(&format!("run p.toml --only {id}")), format!("infoplane: outputs/p/{reason}"));
    assert!(project.files("outputs") == files, "a refused run changed a file");

    project.ok(&format!("run p.toml --overwrite --only {id}"));
    let rows = experiments(&project);
    assert_eq!(count(&rows, "done"), 60);
    assert!(!project.path("outputs/p/.meta/failed").exists(), "a failure that is over is still noted");
}

#[test]
fn values_that_are_not_allowed_fail_with_their_line() {
    let text = SIXTY.replace("4e-3", "[4e-3, -1]").replace("[3], [4], [3, 3], [4, 3], ", "");
    let text = text.replace("[\"tanh\", \"relu\", \"linear\"]", "\"tanh\"");
    // All samples train in a fourth of them: none is left to test.
    let project = project(&text.replace("[record]", "[record]\nsamples = \"test\""));
    assert_eq!(project.run("run p.toml").code, 1);
    let rows = experiments(&project);
    assert_eq!((rows.len(), count(&rows, "done"), count(&rows, "failed")), (8, 3, 5));
    let reason = |id: &str| rows.iter().find(|row| row.experiment == id).unwrap().reason.clone().unwrap();
    assert_eq!(
        reason("hidden-4-4,learning-rate--1,train-fraction-0.5"),
        "p.toml, line 10: `learning_rate`: must be a finite number above 0 within the range of f32, got -1.0"
    );
    assert_eq!(
        reason("hidden-4-4,learning-rate-0.004,train-fraction-1"),
        "`samples = \"test\"`, but all samples are used for training; use a smaller `train_fraction`"
    );

    // The reason of an earlier call is told as long as the settings are the same.
    project.ok("run p.toml --only *0.004*0.5");
    assert_eq!(count(&experiments(&project), "failed"), 5);
    project.write("p.toml", &text);
    let finished = project.run("run p.toml --dry-run");
    assert!(finished.stdout.contains("8 experiments: 1 pending, 7 cannot run"), "{}", finished.stdout);
}

#[test]
fn a_problem_of_all_experiments_is_reported_once_and_nothing_is_written() {
    let wrong = project(&SIXTY.replace("epochs = 2\n", "epoks = 2\n"));
    assert_eq!(
        wrong.refused("run p.toml"),
        "infoplane: p.toml, line 12: unknown key `epoks`; did you mean `epochs`? (`infoplane keys training` lists the keys)"
    );
    let absent = project(&SIXTY.replace("d.parquet", "e.parquet"));
    assert_eq!(
        absent.refused("record p.toml"),
        "infoplane: there is no data file e.parquet; make it with `infoplane data import`"
    );
    let negative = project(&SIXTY.replace("4e-3", "[-1, -2]"));
    assert_eq!(
        negative.refused("run p.toml"),
        "infoplane: none of 120 experiments could run; the first, activation-tanh,hidden-3,learning-rate--1,train-fraction-0.25: p.toml, line 10: `learning_rate`: must be a finite number above 0 within the range of f32, got -1.0"
    );
    for project in [wrong, absent, negative] {
        assert!(!project.path("outputs").exists());
    }
}

#[test]
fn a_dry_run_lists_the_experiments_selected_by_only() {
    let text = SIXTY.replace("[3], [4], [3, 3], [4, 3], ", "").replace("0.25, 0.5, ", "");
    let project = project(&text);
    let dry = |line: &str| project.run(line).stdout;
    let said = dry("run p.toml --dry-run");
    assert!(said.ends_with("\n6 experiments: 6 pending\n"), "{said}");
    assert!(said.starts_with("experiment ") && said.contains("network.activation"), "{said}");
    assert!(!project.path("outputs").exists(), "a dry run made something");

    project.ok("record p.toml --only *relu*0.75 --only activation-tanh*");
    assert_eq!(recorded(&project).len(), 3);
    let rows = experiments(&project);
    assert_eq!((rows.len(), count(&rows, "unfinished"), count(&rows, "pending")), (6, 3, 3));
    assert!(dry("record p.toml --dry-run").ends_with("\n6 experiments: 3 done, 3 pending\n"));
    let said = dry("run p.toml --dry-run");
    assert!(said.ends_with("\n6 experiments: 3 unfinished, 3 pending\n"), "{said}");
    assert!(said.contains("recorded; 1 table of estimates missing"), "{said}");
    assert!(dry("estimate pipeline p.toml --dry-run").ends_with("\n6 experiments: 3 unfinished, 3 cannot run\n"));

    let finished = project.run("estimate pipeline p.toml");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    project.ok("estimate pipeline p.toml --only activation-tanh*");
    project.ok("run p.toml");
    assert_eq!(count(&experiments(&project), "done"), 6);

    let refused = project.refused("run p.toml --only activation-rel,hidden-4-4,train-fraction-1.0");
    assert_eq!(
        refused,
        "infoplane: no experiment `activation-rel,hidden-4-4,train-fraction-1.0` in the sweep; did you mean `activation-relu,hidden-4-4,train-fraction-1`?"
    );
    let said = dry("inspect outputs/p");
    assert!(said.starts_with("a sweep of 6 experiments\n"), "{said}");
    let valid = dry("inspect outputs/p --validate");
    assert_eq!(valid.matches(": valid: 1 run,").count(), 6, "{valid}");
    project.ok("inspect outputs/p/experiments.parquet --validate");
    project.ok("inspect outputs/p/activation-relu,hidden-4-4,train-fraction-1 --validate");
    project.ok("check outputs/p/activation-relu,hidden-4-4,train-fraction-1");
}

#[test]
fn a_value_added_to_a_list_does_not_change_the_other_experiments() {
    let text = SIXTY.replace("[3], [4], [3, 3], [4, 3], ", "").replace("0.25, 0.5, ", "");
    let project = project(&text);
    project.ok("run p.toml");
    let before = project.files("outputs/p/activation-relu,hidden-4-4,train-fraction-1");
    project.write("p.toml", text.replace("0.75", "0.5, 0.75"));
    let said = project.ok("run p.toml");
    assert_eq!(said.matches(": done\n").count(), 3, "{said}");
    assert!(project.files("outputs/p/activation-relu,hidden-4-4,train-fraction-1") == before);
    assert_eq!(count(&experiments(&project), "done"), 9);
}

#[test]
fn calls_for_different_experiments_can_run_at_the_same_time() {
    let text = SIXTY.replace("[3], [4], [3, 3], ", "");
    let (project, whole) = (project(&text), project(&text));
    whole.ok("run p.toml");
    let calls = ["*tanh*", "*relu*", "*linear*"].map(|only| project.start(&format!("run p.toml --only {only}")));
    for mut call in calls {
        assert!(call.wait().unwrap().success());
    }
    assert!(project.files("outputs") == whole.files("outputs"), "other files than of one call");
}

#[test]
fn tables_of_a_sweep_have_one_name_for_an_experiment() {
    let project = project(&SIXTY.replace("[3], [4], [3, 3], [4, 3], ", ""));
    project.ok("run p.toml");
    let path = |name: &str| project.path(&format!("outputs/p/{name}.parquet"));
    let settings: Vec<SettingRow> = read_rows(&path("settings")).unwrap();
    let is_small = |row: &&SettingRow| row.parameter == "data.train_fraction" && row.number.unwrap() < 0.4;
    let small: BTreeSet<&str> = settings.iter().filter(is_small).map(|row| row.experiment.as_str()).collect();
    let names: BTreeSet<String> = experiments(&project).into_iter().map(|row| row.experiment).collect();
    assert!(small.iter().all(|name| names.contains(*name)));
    let summary: Vec<SummaryRow> = read_rows(&path("summary")).unwrap();
    let of_small = summary.iter().filter(|row| row.layer.index() == 1 && small.contains(row.experiment.as_str()));
    // Three activations, three snapshots.
    assert_eq!(of_small.count(), 3 * 3);
}

#[test]
fn a_pipeline_without_lists_has_a_dry_run_and_no_only() {
    let project = Project::new(PIPELINE);
    assert_eq!(project.run("run p.toml --dry-run").stdout, "outputs/p: pending: 2 runs to record\n");
    assert!(project.refused("record p.toml --dry-run").ends_with("run `infoplane data make tishby` first"));
    assert!(!project.path("outputs").exists() && !project.path("data").exists());
    assert_eq!(
        project.refused("run p.toml --only x"),
        "infoplane: `--only` is for sweeps, and p.toml is a single experiment (none of its parameters is a list); leave out `--only`"
    );
    project.ok("run p.toml");
    assert_eq!(project.run("run p.toml --dry-run").stdout, "outputs/p: done\n");
    project.write("p.toml", PIPELINE.replace("batch = 512", "batch = [512, 1024]"));
    assert_eq!(
        project.refused("run p.toml"),
        "infoplane: outputs/p has the recording of a single experiment, but the pipeline is a sweep; move it away, or choose another folder with `--out`"
    );
    assert!(project.refused("run p.toml --dry-run").contains("has the recording of a single experiment"));
}

#[test]
fn a_pipeline_that_is_no_longer_a_sweep_does_not_change_the_folder_of_the_sweep() {
    let project = Project::new(&PIPELINE.replace("batch = 512", "batch = [512, 1024]"));
    project.ok("run p.toml");
    let before = project.files("outputs");
    project.write("p.toml", PIPELINE);
    for line in ["run p.toml", "record p.toml", "record p.toml --overwrite", "run p.toml --dry-run"] {
        let refusal = project.refused(line);
        assert!(refusal.contains("outputs/p has the experiments of a sweep"), "{line}: {refusal}");
    }
    // The same where its first call was stopped before it had written its tables.
    fs::remove_file(project.path("outputs/p/experiments.parquet")).unwrap();
    assert!(project.refused("run p.toml").contains("outputs/p has the experiments of a sweep"));
    let is_table = |(name, _): &&(String, Vec<u8>)| name != "p/experiments.parquet";
    assert!(project.files("outputs").iter().eq(before.iter().filter(is_table)));
}

#[test]
fn a_sweep_of_one_setting_gives_the_tables_of_the_pipeline() {
    let claim = "[[expect]]\nfigure = \"1\"\nclaim = \"a\"\nestimate = \"binning-n-edges-30\"\nquantity = \"i_xt\"\nlayer = \"all\"\nmeasure = \"end\"\nbelow = 40\n";
    let text = format!("{PIPELINE}{claim}");
    let (plain, swept) = (Project::new(&text), Project::new(&text.replace("batch = 512", "batch = [512]")));
    plain.ok("run p.toml");
    swept.ok("run p.toml");
    // No table below an experiment repeats its name, so these are the same bytes.
    let tables = |project: &Project, folder: &str| -> Vec<(String, Vec<u8>)> {
        let mut files = project.files(folder);
        files.retain(|(name, _)| name.ends_with(".parquet") && (name.contains('/') || name == "checks.parquet"));
        files
    };
    let (alone, member) = (tables(&plain, "outputs/p"), tables(&swept, "outputs/p/batch-512"));
    assert!(alone.len() > 20 && alone == member, "recording, estimates and checks differ");
    // The tables over runs name the experiment.
    let named = |project: &Project, file: &str| {
        let rows: Vec<SummaryRow> = read_rows(&project.path(file)).unwrap();
        format!("{rows:?}").replace("\"batch-512\"", "\"p\"")
    };
    let summary = named(&plain, "outputs/p/summary.parquet");
    assert_eq!(named(&swept, "outputs/p/batch-512/summary.parquet"), summary);
    assert_eq!(named(&swept, "outputs/p/summary.parquet"), summary);
    let claims = |file: &str| {
        let rows: Vec<ClaimRow> = read_rows(&swept.path(file)).unwrap();
        rows.iter().map(|row| (row.claim.clone(), row.verdict, row.mean)).collect::<Vec<_>>()
    };
    assert_eq!(claims("outputs/p/claims.parquet"), claims("outputs/p/batch-512/claims.parquet"));
    assert!(swept.ok("run p.toml").starts_with("sweep: up to date\n"));
}

#[test]
fn commands_on_the_folder_of_a_sweep_do_every_experiment() {
    let project = project(&SIXTY.replace("[3], [4], [3, 3], [4, 3], ", "").replace("0.25, 0.5, ", ""));
    project.ok("record p.toml");
    assert!(
        project
            .refused("check outputs/p")
            .ends_with("no experiment of this sweep has estimates; run `infoplane estimate` first")
    );
    let said = project.ok("estimate binning outputs/p --n-edges 5");
    assert_eq!(said.matches(" estimates in ").count(), 6, "{said}");
    assert_eq!(project.ok("estimate binning outputs/p --n-edges 5").matches(": up to date").count(), 6);
    let checked = project.run("check outputs/p");
    let words: Vec<&str> = checked.stdout.split_whitespace().collect();
    assert!(checked.code == 0 && words.join(" ").contains("estimates in 6 experiments"), "{}", checked.stdout);
    assert!(project.refused("summary outputs/p").contains("run `infoplane aggregate outputs/p` first"));
    project.ok("aggregate outputs/p");
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    let joined: BTreeSet<&str> = summary.iter().map(|row| row.experiment.as_str()).collect();
    assert!(joined.len() == 6 && summary.iter().all(|row| row.n_checks_violated.is_some()));
    project.ok("summary outputs/p");
    project.ok("plot ends outputs/p");
    // What fails for one experiment leaves the others as they are.
    let damaged = project.path("outputs/p/activation-tanh,hidden-4-4,train-fraction-1/recording/samples.parquet");
    fs::write(&damaged, "damaged").unwrap();
    let finished = project.run("estimate binning outputs/p --n-edges 6");
    assert_eq!((finished.code, finished.stderr.matches(" estimates in ").count()), (1, 5), "{}", finished.stderr);
    assert!(
        finished.stderr.ends_with("1 of 6 experiments failed; the reasons are printed above\n"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_damaged_table_of_one_experiment_is_reported_in_the_table_of_the_sweep() {
    let project = project(&SIXTY.replace("[3], [4], [3, 3], [4, 3], ", "").replace("0.25, 0.5, ", ""));
    project.ok("run p.toml");
    let id = "activation-tanh,hidden-4-4,train-fraction-1";
    let estimates = project.path(&format!("outputs/p/{id}/estimates"));
    let folder =
        fs::read_dir(estimates).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    let is_table = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "parquet");
    let table = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find(is_table).unwrap();
    let whole = fs::read(&table).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0x20;
    fs::write(&table, damaged).unwrap();
    fs::remove_file(project.path("outputs/p/experiments.parquet")).unwrap();

    let finished = project.run("run p.toml");
    assert_eq!(finished.code, 2, "{}", finished.stderr);
    assert!(finished.stderr.contains("6 experiments: 5 done, 1 partial in "), "{}", finished.stderr);
    let rows = experiments(&project);
    let row = rows.iter().find(|row| row.experiment == id).unwrap();
    assert_eq!((count(&rows, "done"), row.state.name()), (5, "partial"));
    assert!(row.reason.as_ref().unwrap().contains("BLAKE3"), "{:?}", row.reason);

    fs::write(&table, whole).unwrap();
    project.ok("run p.toml");
    assert_eq!(count(&experiments(&project), "done"), 6);
}

#[test]
fn aggregate_joins_the_experiments_that_run_joins() {
    let text = SIXTY.replace("[3], [4], [3, 3], [4, 3], ", "").replace("0.25, 0.5, ", "");
    let project = project(&text);
    project.ok("run p.toml");
    project.write("p.toml", format!("{text}[[estimate]]\nestimator = \"binning\"\nn_edges = 5\n"));
    project.ok("estimate pipeline p.toml --only activation-tanh*");
    let rows = experiments(&project);
    assert_eq!((count(&rows, "done"), count(&rows, "unfinished")), (2, 4));
    let summary = fs::read(project.path("outputs/p/summary.parquet")).unwrap();
    project.ok("aggregate outputs/p");
    assert!(fs::read(project.path("outputs/p/summary.parquet")).unwrap() == summary, "other experiments are joined");
}

#[test]
fn a_recording_with_other_settings_is_refused_by_every_step() {
    let text = SIXTY.replace("[3], [4], [3, 3], [4, 3], ", "").replace("0.25, 0.5, ", "");
    let project = project(&text);
    project.ok("run p.toml");
    let before = project.files("outputs/p");
    project.write("p.toml", text.replace("epochs = 2", "epochs = 3"));
    for command in ["estimate pipeline p.toml", "run p.toml"] {
        let sentence = project.refused(command);
        let differing =
            "has a recording made with other settings (training.epochs: 2 in the recording, 3 in the pipeline";
        assert!(sentence.contains(differing), "{sentence}");
    }
    assert!(project.files("outputs/p") == before);
}
