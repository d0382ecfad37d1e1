//! What networks do, as their recordings show it: quantisation, noise, dropout, normalisation, failing and stopping early.

use std::collections::BTreeSet;

use infoplane::estimate_id::Values;
use infoplane::store::schema::{EpochRow, EstimateRow, Row, RunRow, SampleRow, SplitRow, WeightRow};
use infoplane::store::{Footer, TrainingOutcome, read_rows, read_samples, write_rows};
use infoplane::suggest::Named;

use crate::tool::{PIPELINE, Project};

/// `PIPELINE` with another line for its activation, and other replacements.
fn with(network: &str, replace: &[(&str, &str)]) -> String {
    let start = PIPELINE.replace("activation = \"tanh\"", network);
    replace.iter().fold(start, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

/// Runs the pipeline `text` and returns where it is.
fn ran(text: &str) -> Project {
    let project = Project::new(text);
    project.ok("run p.toml");
    project.ok("inspect outputs/p --validate");
    project
}

fn part(table: &str, run: &str) -> String {
    format!("outputs/p/recording/{table}/run={run}/part-00000.parquet")
}

fn rows<R: Row>(project: &Project, table: &str, run: &str) -> Vec<R> {
    read_rows(&project.path(&part(table, run))).unwrap()
}

/// T of a layer at the recorded snapshot `index`.
fn t(project: &Project, layer: usize, index: usize) -> Vec<f32> {
    project.activations(&part(&format!("activations/layer={layer}"), "r0000")).read(index).unwrap().t
}

#[test]
fn a_quantised_network_has_at_most_two_to_the_bits_levels_a_layer() {
    for (activation, bits) in [("tanh", 4), ("tanh", 8), ("relu", 4), ("relu", 8)] {
        let project = ran(&with(&format!("activation = \"{activation}\"\nquantise_bits = {bits}"), &[]));
        for layer in 1..=3 {
            for index in 0..6 {
                let levels: BTreeSet<u32> = t(&project, layer, index).iter().map(|t| (t + 0.0).to_bits()).collect();
                assert!(levels.len() <= 1 << bits, "{activation}, layer {layer}: {} levels", levels.len());
                assert!(levels.len() > 1, "{activation}, layer {layer}: all values are one");
            }
        }
        // What the levels reach to is beside the weights: the lowest and the highest.
        let weights: Vec<WeightRow> = rows(&project, "weights/layer=1", "r0000");
        let range = weights[5].operations.clone().unwrap();
        assert!(range.len() == 2 && range[0] <= 0.0 && range[1] > 0.0, "{range:?}");
    }
}

#[test]
fn initial_scale_changes_the_initial_weights_only() {
    let first = |network: &str| -> Vec<f32> {
        let project = Project::new(&with(network, &[]));
        project.ok("data make tishby");
        project.ok("record p.toml");
        let of_layer = |layer: usize| rows::<WeightRow>(&project, &format!("weights/layer={layer}"), "r0000");
        (1..=3).flat_map(|layer| of_layer(layer)[0].kernel.clone()).collect()
    };
    let plain = first("activation = \"tanh\"");
    let halves: Vec<f32> = plain.iter().map(|weight| 0.5 * weight).collect();
    assert_eq!(first("activation = \"tanh\"\ninitial_scale = 0.5"), halves);
}

#[test]
fn noise_is_in_training_and_in_the_recording_and_has_the_declared_variance() {
    let project = ran(&with(
        "activation = \"tanh\"\nnoise_variance = 0.04",
        &[("epochs = { log_spaced = 6 }", "epochs = { log_spaced = 6 }\npre_activations = true")],
    ));
    let z = project.values(&part("pre_activations/layer=1", "r0000"), Values::PreActivations);
    for index in [0, 5] {
        let noise: Vec<f64> = t(&project, 1, index)
            .iter()
            .zip(z.read(index).unwrap().t)
            .map(|(t, z)| f64::from(*t) - f64::from(z).tanh())
            .collect();
        let n = noise.len() as f64;
        let mean = noise.iter().sum::<f64>() / n;
        let variance = noise.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        // 4096 × 6 deviates: five standard errors of a mean and of a variance.
        assert!(mean.abs() < 5.0 * 0.2 / n.sqrt(), "mean {mean}");
        assert!((variance / 0.04 - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "variance {variance}");
    }
    // The output has none: probabilities sum to 1.
    assert!(t(&project, 3, 5).chunks(2).all(|p| (p[0] + p[1] - 1.0).abs() < 1e-6));
    // And the noise of one snapshot is not that of another.
    assert_ne!(
        t(&project, 1, 0)[0] - z.read(0).unwrap().t[0].tanh(),
        t(&project, 1, 5)[0] - z.read(5).unwrap().t[0].tanh()
    );
}

#[test]
fn dropout_is_not_in_the_recording_and_changes_the_training() {
    let plain = ran(&with("activation = \"tanh\"", &[]));
    for key in ["dropout", "gaussian_dropout"] {
        let project = ran(&with(&format!("activation = \"tanh\"\n{key} = 0.5"), &[]));
        assert!(t(&project, 1, 0) == t(&plain, 1, 0), "the untrained network is the same");
        assert!(t(&project, 1, 5) != t(&plain, 1, 5), "the trained one is another");
        assert!(t(&project, 1, 5).iter().all(|t| t.abs() <= 1.0), "no value is scaled up");
    }
}

#[test]
fn the_shorthand_and_the_tables_are_the_same_network() {
    let shorthand = with("activation = \"tanh\"", &[("hidden = [6, 3]", "hidden = \"6-relu,BN,Dr-0.25,3\"")]);
    let tables = "hidden = [{ units = 6, activation = \"relu\", dropout = 0.25 }, 3]";
    let project = ran(&shorthand);
    // Tables have batch normalisation before the activation; without it both ways say the same.
    let plain = ran(&shorthand.replace("BN,", ""));
    let of_tables = ran(&with("activation = \"tanh\"", &[("hidden = [6, 3]", tables)]));
    assert!(plain.files("outputs/p/recording/activations") == of_tables.files("outputs/p/recording/activations"));
    let weights: Vec<WeightRow> = rows(&project, "weights/layer=1", "r0000");
    // γ, β, running mean and variance of six units: at the beginning 1, 0, 0, 1.
    assert_eq!(weights[0].operations, Some([[1.0; 6], [0.0; 6], [0.0; 6], [1.0; 6]].concat()));
    assert!(weights[5].operations.as_ref().unwrap()[12..18].iter().all(|mean| *mean > 0.0), "means of ReLU");
}

#[test]
fn a_diverging_run_is_kept_and_marked_and_the_others_continue() {
    // At this rate the first run of a ReLU network overflows; the units of the second die in the first step.
    let project = Project::new(&with("activation = \"relu\"", &[("\"adam\"", "\"sgd\""), ("4e-3", "1e20")]));
    let finished = project.run("run p.toml");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("1 training failed"), "{}", finished.stderr);
    assert!(finished.stderr.contains("r0000 failed: at epoch 1 its weights are not finite; lower `learning_rate`"));
    project.ok("inspect outputs/p --validate");
    // What the first did before it failed is there, and all that the second did; both are estimated.
    let recorded: [&[i32]; 2] = [&[0], &[0, 1, 2, 4, 7, 12]];
    for (run, outcome, epochs) in [("r0000", "failed", recorded[0]), ("r0001", "finished", recorded[1])] {
        let ended: Vec<RunRow> = rows(&project, "runs", run);
        assert_eq!((ended[0].outcome.name(), ended[0].epoch), (outcome, if run == "r0000" { 1 } else { 12 }));
        let fit: Vec<EpochRow> = rows(&project, "epochs", run);
        assert_eq!(fit.iter().map(|row| row.epoch).collect::<Vec<_>>(), epochs);
        let estimates: Vec<EstimateRow> =
            read_rows(&project.path(&format!("outputs/p/estimates/binning-n-edges-30/run={run}.parquet"))).unwrap();
        assert_eq!(estimates.len(), 3 * epochs.len());
    }
    let before = project.files("outputs");
    let again = project.run("run p.toml");
    assert_eq!((again.code, again.stderr.matches("up to date").count()), (0, 6), "{}", again.stderr);
    assert!(project.files("outputs") == before);
}

#[test]
fn a_run_that_overflows_f16_is_a_failed_training_and_the_others_go_on() {
    let changes = [("\"adam\"", "\"sgd\""), ("4e-3", "1e12"), ("[record]", "[record]\nprecision = \"f16\"")];
    let project = Project::new(&with("activation = \"relu\"", &changes));
    let finished = project.run("run p.toml");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("r0001 failed: at epoch 1 activations of layer 1 reach "), "{}", finished.stderr);
    assert!(finished.stderr.contains("beyond the largest f16, 65504; record with `precision = \"f32\"`"));
    let outcome = |run: &str| rows::<RunRow>(&project, "runs", run)[0].outcome;
    assert_eq!([outcome("r0000"), outcome("r0001")], [TrainingOutcome::Finished, TrainingOutcome::Failed]);
    project.ok("inspect outputs/p --validate");
    // With f32 both runs are recorded to their ends.
    project.write("p.toml", with("activation = \"relu\"", &changes[..2]));
    assert!(!project.ok("record p.toml --overwrite").contains("failed"));
}

#[test]
fn a_run_that_fails_before_its_first_snapshot_has_no_activations_and_is_counted() {
    let text = with("activation = \"relu\"", &[("4e-3", "1e30"), ("{ log_spaced = 6 }", "{ list = [12] }")]);
    let project = Project::new(&text);
    project.ok("data make tishby");
    assert_eq!(project.run("record p.toml").code, 1);
    let sentence = project.refused("estimate pipeline p.toml");
    assert!(sentence.contains("every training failed before its first recorded snapshot"), "{sentence}");
}

#[test]
fn training_stops_at_an_accuracy() {
    let text =
        with("activation = \"tanh\"", &[("epochs = 12", "epochs = 400\nstop = { accuracy = 0.8, of = \"train\" }")]);
    let project = ran(&text);
    let ended: Vec<RunRow> = rows(&project, "runs", "r0000");
    let epochs: Vec<EpochRow> = rows(&project, "epochs", "r0000");
    let last = epochs.last().unwrap();
    assert_eq!((ended[0].outcome.name(), ended[0].epoch), ("stopped", last.epoch));
    assert!(last.accuracy_train.unwrap() >= 0.8 && last.epoch < 400);
    assert!(epochs[..epochs.len() - 1].iter().all(|row| row.accuracy_train.unwrap() < 0.8));
}

#[test]
fn labels_are_shuffled_in_the_prefit_epochs_only() {
    // 12 epochs on shuffled labels teach nothing about the true ones; 12 more on these do.
    let text = with("activation = \"tanh\"", &[("epochs = 12", "epochs = 80\nprefit = 40")]);
    let text = text.replace("{ log_spaced = 6 }", "{ list = [0, 40, 80] }");
    let project = ran(&text);
    let accuracy: Vec<f64> =
        rows::<EpochRow>(&project, "epochs", "r0000").iter().map(|row| row.accuracy_train.unwrap()).collect();
    let share = 2118.0 / 4096.0;
    assert!((accuracy[1] - share).abs() < 0.1 && accuracy[2] > 0.8, "{accuracy:?}");
}

#[test]
fn a_constant_network_is_marked_degenerate() {
    // Nothing is learnt at this rate: the network answers one class to all.
    let text =
        with("activation = \"relu\"\ninitial = \"orthogonal\"", &[("4e-3", "1e-12"), ("epochs = 12", "epochs = 6")]);
    let project = ran(&text.replace("{ log_spaced = 6 }", "{ every = 1 }").replace("runs = 2", "runs = 8"));
    let ends = |run: usize| rows::<RunRow>(&project, "runs", &format!("r{run:04}")).remove(0);
    let fits = |run: usize| rows::<EpochRow>(&project, "epochs", &format!("r{run:04}")).remove(6);
    for run in 0..8 {
        let splits: Vec<SplitRow> = rows(&project, "splits", &format!("r{run:04}"));
        let samples = read_samples(&project.path("outputs/p/recording/samples.parquet")).unwrap();
        let train = || splits.iter().zip(&samples).filter(|(split, _)| split.split == "train");
        let ones = train().filter(|(_, sample)| sample.y == 1).count() as f64 / train().count() as f64;
        let is_no_better = fits(run).accuracy_train.unwrap() <= ones.max(1.0 - ones);
        assert_eq!(ends(run).degenerate.is_some(), is_no_better, "run {run}");
    }
    assert!(
        (0..8).any(|run| ends(run).degenerate.is_some()),
        "an untrained network that is never worse than a constant"
    );
}

#[test]
fn numeric_targets_are_trained_with_the_squared_error() {
    let project = Project::new(&with(
        "activation = \"tanh\"\noutput = \"linear\"",
        &[
            ("name = \"tishby\"", "file = \"d.parquet\""),
            ("optimiser", "loss = \"squared_error\"\noptimiser"),
            ("4e-3", "1e-2"),
        ],
    ));
    let row = |sample: i32| {
        let x: Vec<f32> = (0..3).map(|k| ((sample * 3 + k) as f32 * 0.7).sin()).collect();
        let target = Some(vec![x[0] + 0.5 * x[1], -x[2]]);
        SampleRow { sample, y: i32::from(x[0] > 0.0), x: Some(x), x_hash: None, p_y1: None, target }
    };
    write_rows(&project.path(""), "d.parquet", &(0..400).map(row).collect::<Vec<_>>(), &Footer::new()).unwrap();
    project.ok("run p.toml");
    project.ok("inspect outputs/p --validate");
    let epochs: Vec<EpochRow> = rows(&project, "epochs", "r0000");
    let error = |row: &EpochRow| row.squared_error_train.unwrap();
    assert!(epochs.iter().all(|row| row.loss_train_nats.is_none() && row.accuracy_train.is_none()));
    assert!(error(&epochs[5]) < 0.5 * error(&epochs[0]), "{epochs:?}");
    // The recorded output is what the error is of.
    let samples = read_samples(&project.path("outputs/p/recording/samples.parquet")).unwrap();
    let splits: Vec<SplitRow> = rows(&project, "splits", "r0000");
    let output = t(&project, 3, 5);
    let of_training = || (0..400).filter(|i| splits[*i].split == "train");
    let squares = of_training().flat_map(|i| {
        let target = samples[i].target.clone().unwrap();
        [0, 1].map(|unit| (f64::from(output[2 * i + unit]) - f64::from(target[unit])).powi(2))
    });
    let mean = squares.sum::<f64>() / (2 * of_training().count()) as f64;
    assert!((error(&epochs[5]) / mean - 1.0).abs() < 1e-5, "{mean}");
}

#[test]
fn a_large_network_has_the_same_bytes_on_one_thread_and_on_two() {
    // 12 × 400 + 400 × 500 weights: a network that uses all cores by itself.
    let text =
        with("activation = \"tanh\"", &[("hidden = [6, 3]", "hidden = [400, 500]"), ("epochs = 12", "epochs = 1")]);
    let text = text.replace("{ log_spaced = 6 }", "{ every = 1 }");
    let files = |threads: usize| {
        let project = Project::new(&text);
        project.ok("data make tishby");
        project.ok(&format!("record p.toml --threads {threads}"));
        project.files("outputs/p/recording")
    };
    assert!(files(1) == files(2));
}

#[test]
fn impossible_architectures_are_refused_with_the_reason() {
    let refused = |network: &str, replace: &[(&str, &str)]| {
        let project = Project::new(&with(network, replace));
        let sentence = project.refused("run p.toml");
        assert!(!project.path("outputs").exists());
        sentence
    };
    assert!(
        refused("activation = \"tanh\"\noutput = \"linear\"", &[])
            .contains("`loss = \"cross_entropy\"` needs probabilities")
    );
    assert!(
        refused("activation = \"tanh\"\nbatch_norm = true", &[("batch = 512", "batch = 1")])
            .contains("batch normalisation of single samples")
    );
    assert!(
        refused("activation = \"tanh\"\nbatch_norm = true", &[("6 }", "6 }\ngradients = \"samples\"")])
            .contains("is not defined with batch normalisation")
    );
    assert!(
        refused("activation = \"tanh\"\ndropout = 1.0", &[])
            .contains("a dropout rate must be at least 0 and below 1, got 1")
    );
    assert!(refused("", &[]).contains("missing key `activation`"));
}

#[test]
fn a_run_that_ends_early_does_not_affect_the_estimates_of_other_runs() {
    // Runs stop at different epochs; the window lies beyond the end of some.
    let text = with(
        "activation = \"tanh\"",
        &[("epochs = 12", "epochs = 200\nstop = { accuracy = 0.8, of = \"train\" }"), ("runs = 2", "runs = 3")],
    );
    let window = "{ log_spaced = 6 }\nsteps = { windows = [[1390, 1400]] }";
    let pooled = "[[estimate]]\nestimator = \"binning\"\nn_edges = 30\npool = ";
    let text = format!("{}{pooled}\"runs\"\n{pooled}\"windows\"\n", text.replace("{ log_spaced = 6 }", window));
    let project = Project::new(&text);
    project.ok("run p.toml");
    project.ok("inspect outputs/p --validate");
    let estimates = |file: &str| -> Vec<EstimateRow> {
        read_rows(&project.path(&format!("outputs/p/estimates/binning-n-edges-30{file}"))).unwrap()
    };
    for run in ["r0000", "r0001", "r0002"] {
        let ended: Vec<RunRow> = rows(&project, "runs", run);
        assert_eq!(ended[0].outcome, TrainingOutcome::Stopped);
        let snapshots = rows::<EpochRow>(&project, "epochs", run).len();
        assert_eq!(estimates(&format!("/run={run}.parquet")).len(), 3 * snapshots);
        assert!(estimates(&format!("-pool-windows/run={run}.parquet")).is_empty(), "no training went so far");
    }
    // What all have is pooled: at least the untrained networks.
    let pooled = estimates("-pool-runs/run=pooled.parquet");
    assert!(pooled.iter().any(|row| row.step == 0) && pooled.iter().all(|row| row.n_pooled == Some(3)));
    assert!(project.ok("run p.toml").matches("up to date").count() == 6);
}

#[test]
fn an_overflow_under_adaptive_spacing_is_a_failed_training() {
    let text = with(
        "activation = \"relu\"",
        &[
            ("4e-3", "1e18"),
            ("\"adam\"", "\"sgd\""),
            ("epochs = { log_spaced = 6 }", "adaptive = { delta = 0.2, method = \"exact\" }"),
        ],
    );
    let project = Project::new(&text);
    let finished = project.run("run p.toml");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("r0000 failed: at epoch 0 its activations are not finite"), "{}", finished.stderr);
    // The other run is recorded to its end.
    let ended: Vec<RunRow> = rows(&project, "runs", "r0001");
    assert_eq!(ended[0].outcome, TrainingOutcome::Finished);
    project.ok("inspect outputs/p --validate");
}

#[test]
fn a_stopping_rule_ignores_the_accuracy_of_prefit_epochs() {
    let text = with("activation = \"tanh\"", &[("epochs = 12", "epochs = 60\nprefit = 30\nstop = { patience = 5 }")]);
    let project = ran(&text);
    let ended: Vec<RunRow> = rows(&project, "runs", "r0000");
    assert!(ended[0].epoch > 30, "{ended:?}");
}

#[test]
fn a_last_batch_of_one_sample_cannot_be_normalised() {
    // 0.85 of 4096 are 3482 samples: 3481 + 1.
    let project = Project::new(&with("activation = \"tanh\"\nbatch_norm = true", &[("batch = 512", "batch = 3481")]));
    assert!(project.refused("run p.toml").contains("3482 training samples in batches of 3481 leave a last batch of 1"));
}
