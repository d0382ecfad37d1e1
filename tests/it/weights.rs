//! Measures of recorded weights: made of a recording, claimed about, related with compression, and refused where they cannot be.

use std::collections::BTreeMap;
use std::fs;

use infoplane::store::ClaimVerdict;
use infoplane::store::schema::{ClaimRow, OnlineLossRow, RelationRow, SplitRow, WeightMeasureRow, WeightSummaryRow};

use crate::tool::{Project, rows};

/// A small network on the parity of four bits, trained on one sample of each pair.
const PIPELINE: &str = r#"
seed = 5
runs = 6
[data]
name = "parity"
n_bits = 4
split = "membership"
masks = 3
train_fraction = 0.5
[network]
hidden = [4, 3]
activation = "tanh"
[training]
optimiser = "sgd"
learning_rate = 0.5
batch = 2
epochs = 20
[record]
epochs = { every = 5 }
online_losses = true
[[estimate]]
estimator = "binning"
n_edges = 8
[[weights]]
measure = "membership"
[[weights]]
measure = "ensemble"
groups = 2
snapshots = 2
[[weights]]
measure = "code"
beta = [0.1, 1]
[[weights]]
measure = "batch"
[[weights]]
measure = "bits"
snapshots = 2
[[weights]]
measure = "prequential"
[[weights]]
measure = "llc"
snapshots = 1
chains = 2
draws = 20
[[weights]]
measure = "volume"
snapshots = 1
[[weights]]
measure = "pac_bayes"
snapshots = 1
[[expect]]
claim = "the gap is below 1"
weights = "membership"
quantity = "gap"
layer = "network"
measure = "end"
below = 1.0
[[expect]]
claim = "the norm is not the whole code"
weights = "code-beta-0.1"
quantity = "norm_part"
layer = [1, 2]
measure = "end"
minus = { weights = "code-beta-0.1", quantity = "code_length", layer = "network", measure = "end" }
below = 0.0
[[expect]]
claim = "the volume is small"
weights = "volume-snapshots-1"
quantity = "volume"
layer = "network"
measure = "end"
above = 0.0
"#;

fn project(text: &str) -> Project {
    let project = Project::new("");
    project.write("w.toml", text);
    project
}

fn measured(project: &Project, id: &str, run: &str) -> Vec<WeightMeasureRow> {
    rows(project, &format!("outputs/w/weight_measures/{id}/run={run}.parquet"))
}

#[test]
fn a_pipeline_measures_weights_judges_claims_and_relates_them_with_compression() {
    let project = project(PIPELINE);
    let printed = project.ok("run w.toml");
    assert!(printed.contains("weights: ") && printed.contains("relate: "), "{printed}");

    // One sample of each pair was trained on, and runs with the same pairs differ in which.
    let splits: Vec<Vec<SplitRow>> = (0..6)
        .map(|run| rows(&project, &format!("outputs/w/recording/splits/run=r000{run}/part-00000.parquet")))
        .collect();
    let pairs = |rows: &[SplitRow]| rows.iter().map(|row| row.pair).collect::<Vec<_>>();
    assert!(pairs(&splits[0]) == pairs(&splits[2]) && pairs(&splits[0]) != pairs(&splits[3]));
    for rows in &splits {
        let mut trained: BTreeMap<i32, Vec<bool>> = BTreeMap::new();
        rows.iter().for_each(|row| trained.entry(row.pair.unwrap()).or_default().push(row.split == "train"));
        assert!(trained.len() == 8 && trained.values().all(|both| both.len() == 2 && both[0] != both[1]));
    }
    assert_ne!(splits[0], splits[1]);

    // The losses before each update of the first epoch: 8 samples in batches of 2.
    let losses: Vec<OnlineLossRow> = rows(&project, "outputs/w/recording/online_losses/run=r0000/part-00000.parquet");
    assert_eq!(
        losses.iter().map(|row| (row.step, row.n_samples)).collect::<Vec<_>>(),
        [(0, 2), (1, 2), (2, 2), (3, 2)]
    );

    // Supersamples and groups are measured by themselves.
    let membership = measured(&project, "membership", "pooled");
    let runs: Vec<&str> = membership.iter().map(|row| row.run.as_str()).collect();
    assert!(runs.contains(&"pooled-0000") && runs.contains(&"pooled-0001"));
    assert!(membership.iter().all(|row| row.n_runs == 3 && row.failure.is_none() && row.randomness == "membership"));
    let ensemble = measured(&project, "ensemble-groups-2-snapshots-2", "pooled");
    let steps: Vec<i64> = ensemble.iter().map(|row| row.step).collect();
    assert!(steps.contains(&0) && steps.contains(&80) && !steps.contains(&40));
    assert!(ensemble.iter().all(|row| row.n_runs == 3));

    // What is of single networks is at every snapshot of every run, by layer and for the whole.
    let code = measured(&project, "code-beta-0.1", "r0005");
    let of = |quantity: &str, step: i64| {
        let is_it = |row: &&WeightMeasureRow| row.quantity.as_deref() == Some(quantity) && row.step == step;
        code.iter().filter(is_it).map(|row| (row.layer.map(i32::from), row.value.unwrap())).collect::<BTreeMap<_, _>>()
    };
    let (norm, covariance, length) = (of("norm_part", 80), of("covariance_part", 80), of("code_length", 80));
    assert_eq!(norm.keys().copied().collect::<Vec<_>>(), [None, Some(1), Some(2), Some(3)]);
    assert!((norm[&None] + covariance[&None] - length[&None]).abs() < 1e-9);
    assert_ne!(measured(&project, "code-beta-1", "r0005"), code);
    assert!(measured(&project, "prequential", "r0000").iter().any(|row| row.quantity.as_deref() == Some("excess")));

    let claims: Vec<ClaimRow> = rows(&project, "outputs/w/claims.parquet");
    assert_eq!((claims[0].n_runs, claims[0].weights.as_deref()), (2, Some("membership")));
    assert_eq!(claims[1].minus.as_deref(), Some("minus code_length at the end"));
    assert!(claims[1].mean.unwrap() < 0.0 && claims[1].n_runs == 6);
    let relations: Vec<RelationRow> = rows(&project, "outputs/w/relations.parquet");
    assert!(relations.iter().any(|row| row.statistic == "runs" && row.value.is_some()));
    assert!(relations.iter().all(|row| row.value.is_some() || row.reason.is_some()));
    let summary: Vec<WeightSummaryRow> = rows(&project, "outputs/w/weight_summary.parquet");
    assert!(summary.iter().any(|row| row.weights == "batch" && row.n_runs == 6 && row.low.is_some()));
    // The volumes of these networks are upper bounds: a claim about them is undecided, and no relation is of them.
    let upper_bound = "an upper bound, not an estimate: fewer than 10 directions are effective";
    let volume = measured(&project, "volume-snapshots-1", "r0000");
    let warnings: Vec<Option<&str>> = volume.iter().map(|row| row.warning.as_deref()).collect();
    assert_eq!(warnings, [Some(upper_bound), None]);
    assert!(printed.contains(" of them with a warning, in "), "{printed}");
    assert_eq!((claims[3].verdict, claims[3].n_runs), (ClaimVerdict::Undecided, 0));
    let reason = format!("6 of 6 runs have a number with a warning: epoch 20: {upper_bound}");
    assert_eq!(claims[3].reason.as_deref(), Some(reason.as_str()));
    assert!(relations.iter().all(|row| row.quantity != "effective_directions" && row.quantity != "key_gap"));
    // Two groups of runs are no two runs.
    let of_groups: Vec<&RelationRow> =
        relations.iter().filter(|row| row.weights.starts_with("ensemble") && row.statistic != "settings").collect();
    let why = "; left out because the runs of a group are unknown: 2 groups";
    assert!(!of_groups.is_empty());
    assert!(of_groups.iter().all(|row| row.n == 0 && row.reason.as_ref().unwrap().ends_with(why)), "{of_groups:?}");
    let of_volume: Vec<&RelationRow> = relations.iter().filter(|row| row.quantity == "volume").collect();
    assert!(!of_volume.is_empty() && of_volume.iter().all(|row| row.value.is_none()), "{of_volume:?}");
    let runs = of_volume.iter().find(|row| row.statistic == "runs" && row.number == "end").unwrap();
    assert!(
        runs.reason.as_ref().unwrap().ends_with("; left out because of a failure or a warning: 6 runs"),
        "{runs:?}"
    );
    let n_warned = |quantity: &str| {
        let of_quantity = summary.iter().filter(|row| row.quantity == quantity);
        of_quantity.map(|row| (row.n_runs, row.n_warned)).collect::<Vec<_>>()
    };
    assert_eq!((n_warned("volume"), n_warned("effective_directions")), (vec![(6, 6)], vec![(6, 0)]));

    // Groups of runs have an interval as runs have.
    let is_drift = |row: &&WeightSummaryRow| {
        row.weights == "ensemble-groups-2-snapshots-2"
            && row.quantity == "drift"
            && row.step == 80
            && row.layer.is_none()
    };
    let drift = summary.iter().find(is_drift).unwrap();
    assert!(drift.n_runs == 2 && drift.std.unwrap() > 0.0, "{drift:?}");
    assert!(drift.low.unwrap() < drift.mean.unwrap() && drift.mean.unwrap() < drift.high.unwrap(), "{drift:?}");

    project.ok("inspect --validate outputs/w");
    let again = project.ok("run w.toml");
    assert!(again.contains("weights: up to date") && again.contains("relate: up to date"), "{again}");
    // The command reads what is there.
    let json: serde_json::Value = serde_json::from_str(&project.run("relate outputs/w --json").stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), relations.len());
}

#[test]
fn the_numbers_do_not_depend_on_the_number_of_threads() {
    let (one, two) = (project(PIPELINE), project(PIPELINE));
    one.ok("run w.toml --threads 1");
    two.ok("run w.toml --threads 2");
    for table in [
        "weight_measures/llc-chains-2-draws-20-snapshots-1/run=r0001.parquet",
        "weight_measures/code-beta-1/run=r0001.parquet",
        "weight_measures/ensemble-groups-2-snapshots-2/run=pooled.parquet",
        "relations.parquet",
    ] {
        let bytes = |project: &Project| fs::read(project.path(&format!("outputs/w/{table}"))).unwrap();
        assert!(bytes(&one) == bytes(&two), "{table}");
    }
}

#[test]
fn losses_before_updates_do_not_change_the_training() {
    let without =
        PIPELINE.replace("online_losses = true\n", "").replace("[[weights]]\nmeasure = \"prequential\"\n", "");
    let (with, without) = (project(PIPELINE), project(&without));
    for project in [&with, &without] {
        project.ok("data make parity --n-bits 4");
        project.ok("record w.toml");
    }
    let table = |project: &Project| -> Vec<infoplane::store::schema::EpochRow> {
        rows(project, "outputs/w/recording/epochs/run=r0003/part-00000.parquet")
    };
    assert_eq!(table(&with), table(&without));
}

#[test]
fn measures_of_another_recording_are_left_out() {
    let project = project(PIPELINE);
    project.ok("run w.toml");
    project.write("v.toml", PIPELINE.replace("seed = 5", "seed = 6"));
    project.ok("run v.toml");
    let (from, to) = ("outputs/v/weight_measures", "outputs/w/weight_measures");
    fs::copy(
        project.path(&format!("{from}/batch/run=r0000.parquet")),
        project.path(&format!("{to}/batch/run=r0000.parquet")),
    )
    .unwrap();
    let refused = project.refused("inspect --validate outputs/w");
    assert!(refused.contains("weight_measures/batch/run=r0000.parquet"), "{refused}");
}

#[test]
fn networks_that_a_measure_cannot_use_are_refused_with_the_reason() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(PIPELINE.contains(from), "{from}");
        let project = project(&PIPELINE.replace(from, to));
        let refused = project.refused("run w.toml");
        assert!(refused.contains(expected), "{to}: {refused}");
        assert!(!project.path("outputs").exists(), "{to}");
    };
    check("masks = 3", "masks = 4", "`runs` must be a multiple of `masks`, got 6 runs and 4 masks");
    check("train_fraction = 0.5", "train_fraction = 0.6", "so `train_fraction` is at most 0.5, got 0.6");
    check("split = \"membership\"\nmasks = 3\n", "", "use `split = \"membership\"` in `[data]`");
    check("online_losses = true", "", "set `online_losses = true` in `[record]`");
    check("online_losses = true", "online_losses = true\nweights = false", "leave out `weights = false` in `[record]`");
    check("measure = \"code\"", "measure = \"cod\"", "unknown measure `cod`; did you mean `code`?");
    check(
        "measure = \"membership\"",
        "measure = \"membership\"\ngroups = 2",
        "`membership` compares runs of the same pairs; leave out `groups`",
    );
    check("beta = [0.1, 1]", "groups = 2", "`code` measures each run separately; leave out `groups`");
    check("groups = 2", "samples = \"test\"", "`ensemble` does not choose among samples; leave out `samples`");
    check(
        "measure = \"prequential\"",
        "measure = \"prequential\"\nsnapshots = 2",
        "`prequential` uses the first epoch only; leave out `snapshots`",
    );
    check("epochs = 20", "epochs = 20\nprefit = 2", "but `prefit` shuffles its labels; leave out one of them");
    check(
        "masks = 3",
        "masks = 1",
        "`membership` compares runs with the same pairs; `masks` must be at least 2, got 1",
    );
    check(
        "beta = [0.1, 1]",
        "activation = \"relu\"",
        "`activation` is for recordings of another program; leave it out",
    );
    check("layer = \"network\"\nmeasure", "measure", "a claim about weights needs `layer`");
    check("groups = 2", "groups = 4", "`runs` must be at least 8, got 6");
    check("quantity = \"gap\"", "quantity = \"gaps\"", "`membership` has no quantity `gaps`; did you mean `gap`?");
    check("weights = \"membership\"", "weights = \"membershi\"", "the pipeline has no measure `membershi`");
    // The command line refuses it as pipelines do.
    let refused = Project::new("").refused("weights membership outputs/w --groups 2");
    assert!(refused.contains("`membership` compares runs of the same pairs; leave out `groups`"), "{refused}");
    // An odd number of samples has no pairs.
    let odd = PIPELINE.replace("name = \"parity\"\nn_bits = 4", "file = \"odd.csv.parquet\"");
    let project = project(&odd);
    project.write("odd.csv", "a,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,1\n");
    project.ok("data import odd.csv --out odd.csv.parquet");
    let refused = project.refused("run w.toml");
    assert!(refused.contains("4 pairs are more than the 7 samples"), "{refused}");
}

#[test]
fn an_ensemble_needs_runs_with_the_same_samples() {
    let ensemble = "[[weights]]\nmeasure = \"ensemble\"\nsnapshots = 1\n";
    let first = PIPELINE.split("[[estimate]]").next().unwrap().replace("masks = 3\n", "");
    for (split, is_warned) in [("fixed", false), ("shuffled", true)] {
        let project = project(&format!("{}{ensemble}", first.replace("membership", split)));
        project.ok("data make parity --n-bits 4");
        project.ok("record w.toml");
        project.ok("weights pipeline w.toml");
        let train = |run: usize| -> Vec<i32> {
            let rows: Vec<SplitRow> =
                rows(&project, &format!("outputs/w/recording/splits/run=r000{run}/part-00000.parquet"));
            rows.iter().filter(|row| row.split == "train").map(|row| row.sample).collect()
        };
        assert_eq!(train(0) != train(1), is_warned, "{split}");
        let measured = measured(&project, "ensemble-snapshots-1", "pooled");
        let warning = "the runs were trained on different samples";
        let has_warning = |row: &WeightMeasureRow| row.warning.as_ref().is_some_and(|text| text.starts_with(warning));
        assert!(
            measured.iter().all(|row| row.value.is_some() && has_warning(row) == is_warned),
            "{split}: {measured:?}"
        );
    }
}

#[test]
fn weights_of_another_program_must_reproduce_its_activations() {
    let project = project(PIPELINE.split("[[estimate]]").next().unwrap());
    project.ok("data make parity --n-bits 4");
    project.ok("record w.toml");
    // Nothing says any more that this program recorded them.
    fs::remove_dir_all(project.path("outputs/w/recording/.meta")).unwrap();
    let refused = project.refused("weights code outputs/w");
    assert!(refused.contains("name the activation function of the hidden layers with `--activation`"), "{refused}");
    let refused = project.refused("weights code outputs/w --activation relu");
    assert!(refused.contains("run r0000, layer 2: computed from its weights with `relu` it differs"), "{refused}");
    project.ok("weights code outputs/w --activation tanh");
    assert!(measured(&project, "code-activation-tanh", "r0000").iter().all(|row| row.value.is_some()));
}

#[test]
fn quantised_networks_and_full_batches_are_refused_with_the_reason() {
    let quantised = PIPELINE.replace("activation = \"tanh\"", "activation = \"tanh\"\nquantise_bits = 8");
    let refused = project(&quantised).refused("run w.toml");
    assert!(refused.contains("the output is quantised; measures of weights need derivatives"), "{refused}");
    assert!(refused.contains("w.toml, line "), "{refused}");

    let claim = r#"
[[expect]]
claim = "batches are noisy"
weights = "batch"
quantity = "batch_snr"
layer = 2
measure = "end"
below = 1.0
"#;
    let project = project(&(PIPELINE.replace("batch = 2", "batch = \"full\"") + claim));
    let finished = project.run("run w.toml");
    assert_eq!(finished.code, 1);
    assert!(
        finished.stderr.contains("no value in 66 rows of measures of weights, the first: `batch`, r0000, epoch 0: all"),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("66 weight measurements failed"), "{}", finished.stderr);
    let batch = measured(&project, "batch", "r0000");
    let failed: Vec<&WeightMeasureRow> = batch.iter().filter(|row| row.failure.is_some()).collect();
    assert!(failed.iter().any(|row| row.failure.as_deref().unwrap().contains("there is no batch noise")), "{failed:?}");
    assert!(batch.iter().any(|row| row.quantity.as_deref() == Some("noise_scale") && row.value.is_some()));
    // A claim about a layer says why there is no number in any.
    let claims: Vec<ClaimRow> = rows(&project, "outputs/w/claims.parquet");
    let why = "6 of 6 runs have no number: epoch 0: all training samples are one batch: there is no batch noise";
    assert!(claims[4].reason.as_ref().unwrap().starts_with(why), "{:?}", claims[4]);
}

#[test]
fn the_summary_the_report_and_a_plot_show_measures_of_weights() {
    let project = project(PIPELINE);
    project.ok("run w.toml");
    let text = project.run("summary outputs/w --all").stdout;
    assert_eq!(text.matches("w: information in weights, whole network, mean over runs").count(), 1, "{text}");
    let line = text
        .lines()
        .find(|line| line.starts_with("code-beta-0.1 ") && line.contains("norm_part"))
        .expect("the measure has a line");
    assert!(line.contains("bits") && line.contains("0, 20"), "{line}");
    let json: serde_json::Value = serde_json::from_str(&project.run("summary outputs/w --json").stdout).unwrap();
    let of_json =
        json[0]["weights"].as_array().unwrap().iter().find(|measure| measure["last"]["weights"] == "membership");
    assert_eq!(of_json.unwrap()["last"]["randomness"], "membership");

    project.ok("report outputs/w");
    let page = fs::read_to_string(project.path("outputs/w/report.html")).unwrap();
    assert!(page.contains(r#""id":"membership","randomness":"membership","quantity":"prediction_information""#));
    let svg = fs::read_to_string(project.path("outputs/w/figures/weights.svg")).unwrap();
    assert!(svg.contains("random: membership – membership") && svg.contains("prediction information (bits)"));
}
