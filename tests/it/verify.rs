//! `infoplane verify` and `infoplane bound`: claims with their verdicts, the information bottleneck curve and the layers.

use infoplane::layer_id::LayerId;
use infoplane::store::schema::{BoundLayerRow, BoundRow, ClaimRow};
use infoplane::store::{ClaimVerdict, CompressionVerdict, read_rows};
use infoplane::suggest::Named;

use crate::tool::{CLAIM, PIPELINE, Project};

const CLAIMS: &str = r#"
[[expect]]
figure = "Fig. 1"
claim = "every layer ends with less than 11 bits of the input"
paper = "12 bits"
estimate = "binning-n-edges-30"
quantity = "i_xt"
layer = "all"
measure = "end"
below = 11
[[expect]]
figure = "Fig. 2"
claim = "the output ends with 0.9 bits of the label"
estimate = "binning-bin-width-0.07"
quantity = "i_ty"
layer = "output"
measure = "end"
near = 0.9
within = 0.1
[[expect]]
figure = "Fig. 3"
claim = "the training ends with a loss of less than 0.5"
quantity = "loss_train"
measure = "end"
below = 0.5
[[expect]]
figure = "Fig. 4"
claim = "the noise of the gradients is never twice their mean"
quantity = "gradient_snr"
layer = [1, 2]
measure = { first_below = 0.5 }
above = 11
"#;

fn claims(project: &Project, folder: &str) -> Vec<ClaimRow> {
    read_rows(&project.path(&format!("{folder}/claims.parquet"))).unwrap()
}

#[test]
fn claims_are_judged_by_the_runs_printed_and_written() {
    let project = Project::new(&format!("{PIPELINE}{CLAIMS}"));
    let told = project.ok("run p.toml");
    assert!(told.contains("verify: 7 claims: 4 hold, 2 fail, 1 undecided"), "{told}");
    let rows = claims(&project, "outputs/p");
    let verdicts: Vec<(&str, Option<usize>, &str)> = rows
        .iter()
        .map(|row| (row.figure.as_deref().unwrap(), row.layer.map(LayerId::index), row.verdict.name()))
        .collect();
    let expected = [
        // 12.000 and 11.999 bits; 10.6 and 9.9, whose interval has 11; 4.5 and 4.1.
        ("Fig. 1", Some(1), "fails"),
        ("Fig. 1", Some(2), "undecided"),
        ("Fig. 1", Some(3), "holds"),
        ("Fig. 2", Some(3), "fails"),
        ("Fig. 3", None, "holds"),
        ("Fig. 4", Some(1), "holds"),
        ("Fig. 4", Some(2), "holds"),
    ];
    assert_eq!(verdicts, expected);
    assert_eq!((rows[0].paper.as_deref(), rows[0].n_runs, rows[0].n_met), (Some("12 bits"), 2, 0));
    assert_eq!((rows[1].n_met, rows[2].n_met), (2, 2));
    let inside = |row: &ClaimRow| row.low.unwrap() <= row.mean.unwrap() && row.mean.unwrap() <= row.high.unwrap();
    assert!(rows[..5].iter().all(inside));
    // What never happens has no epoch, and its claim is judged by the length of the training.
    let never = "it is never below 0.5 in 2 of 2 runs; the shortest run has 12 epochs";
    assert!(rows[5..].iter().all(|row| row.mean.is_none() && row.reason.as_deref() == Some(never)), "{:?}", rows[5]);

    let shown = project.run("verify outputs/p --pipeline p.toml");
    assert_eq!(shown.code, 0, "a claim that fails is a result");
    assert!(shown.stdout.contains("the output ends with 0.9 bits of the label"), "{}", shown.stdout);
    let strict = project.run("verify outputs/p --pipeline p.toml --strict");
    assert_eq!((strict.code, strict.stderr.trim()), (1, "infoplane: 2 claims fail"));
    let json: serde_json::Value =
        serde_json::from_str(&project.run("verify outputs/p --pipeline p.toml --json").stdout).unwrap();
    assert_eq!((&json[3]["verdict"], &json[3]["layer"]), (&"fails".into(), &3.into()));
    let table = project.run("verify outputs/p --pipeline p.toml --markdown").stdout;
    assert_eq!(table.lines().count(), 2 + 7);
    assert!(table.contains("| p | Fig. 2 | the output ends with 0.9 bits of the label | output |"), "{table}");

    let before = project.files("outputs/p");
    project.ok("run p.toml");
    assert!(project.files("outputs/p") == before, "judging again changes nothing");
}

#[test]
fn an_undecided_claim_has_a_reason() {
    let project = Project::new(&format!("{PIPELINE}{CLAIMS}"));
    let refused = || project.refused("verify outputs/p --pipeline p.toml");
    assert!(refused().ends_with("outputs/p: no such folder; run `infoplane record` first"));
    std::fs::create_dir_all(project.path("outputs/p")).unwrap();
    assert!(refused().ends_with("outputs/p: nothing is recorded in this folder; run `infoplane record` first"));
    // One run has no interval, and another number of epochs is another experiment.
    project.ok("run p.toml --runs 1 --epochs 8");
    let rows = claims(&project, "outputs/p-trial");
    assert!(rows.iter().all(|row| row.verdict == ClaimVerdict::Undecided && row.low.is_none()));
    assert_eq!(rows[0].reason.as_deref(), Some("a single run has no interval; record two or more runs"));
    let shown = project.run("verify outputs/p-trial --pipeline p.toml");
    assert!(shown.stderr.contains("recorded with other settings than in the pipeline"), "{}", shown.stderr);

    assert!(project.refused("verify outputs/p-trial").contains("there is no pipeline pipelines/p-trial.toml"));
    project.write("q.toml", PIPELINE);
    assert!(project.refused("verify outputs/p-trial --pipeline q.toml").contains("the pipeline makes no claims"));
}

#[test]
fn the_claims_of_another_pipeline_are_only_printed() {
    let project = Project::new(&format!("{PIPELINE}{CLAIM}"));
    let told = project.ok("run p.toml --epochs 8 --runs 2");
    assert!(
        told.contains("trial with other epochs or runs than in the pipeline; its folder is outputs/p-trial"),
        "{told}"
    );
    let before = project.files("outputs");
    project.write("other.toml", format!("{PIPELINE}{CLAIMS}"));
    let shown = project.run("verify outputs/p-trial --pipeline other.toml");
    assert!(shown.stdout.contains("the output ends with 0.9 bits of the label"), "{}", shown.stdout);
    let note = "the claims of other are printed but not written; outputs/p-trial/claims.parquet is unchanged";
    assert!(shown.stderr.contains(note), "{}", shown.stderr);
    assert!(project.files("outputs") == before);
    // So are those of a pipeline that was changed after the recording.
    project.ok("run p.toml");
    project.write("p.toml", format!("{PIPELINE}{CLAIMS}").replace("seed = 5", "seed = 6"));
    let before = project.files("outputs");
    let shown = project.run("verify outputs/p --pipeline p.toml");
    assert!(shown.stderr.contains("the claims of p are printed but not written"), "{}", shown.stderr);
    assert!(project.files("outputs") == before);
    // A trial belongs to its pipeline, and its report says how it was made.
    std::fs::create_dir(project.path("pipelines")).unwrap();
    project.write("pipelines/p.toml", format!("{PIPELINE}{CLAIMS}"));
    project.ok("verify outputs/p-trial");
    assert_eq!(claims(&project, "outputs/p-trial").len(), 7);
    project.ok("report outputs/p-trial");
    let page = std::fs::read_to_string(project.path("outputs/p-trial/report.html")).unwrap();
    assert!(page.contains("infoplane run pipelines/p.toml --epochs 8 --runs 2"));
    assert!(page.contains("the output ends with 0.9 bits of the label"), "claims are those of the folder");
}

/// A claim about a compression that cannot be told: layer 1 has 12 of 12 bits.
const SATURATED: &str = r#"
[[expect]]
figure = "Fig. 1"
claim = "the first layer loses less than 5 bits of the input"
estimate = "binning-n-edges-30"
quantity = "i_xt"
layer = 1
measure = "drop"
below = 5
"#;

#[test]
fn a_claim_about_a_saturated_compression_is_marked() {
    let project = Project::new(&format!("{PIPELINE}{CLAIM}{SATURATED}"));
    let told = project.ok("run p.toml");
    let marked =
        "2 hold, 0 fail, 0 undecided; 1 of the claims that hold are about a saturated or contradicted compression";
    assert!(told.contains(marked), "{told}");
    let verdicts =
        || -> Vec<_> { claims(&project, "outputs/p").into_iter().map(|r| (r.verdict, r.compression)).collect() };
    assert_eq!(verdicts(), [(ClaimVerdict::Holds, None), (ClaimVerdict::Holds, Some(CompressionVerdict::Saturated))]);
    let remark = "`summary` of this compression: cannot tell (saturated)";
    let shown = |flag: &str| project.run(&format!("verify outputs/p --pipeline p.toml {flag}")).stdout;
    assert!(shown("").contains(&format!("loses less than 5 bits of the input ({remark})")), "{}", shown(""));
    assert!(shown("--markdown").contains(&format!("| holds: {remark} |")), "{}", shown("--markdown"));
    assert!(
        shown("--json").contains("\"compression\":\"cannot tell (saturated)\"")
            || shown("--json").contains("\"compression\": \"cannot tell (saturated)\"")
    );
    // What was aggregated before the estimates were made says nothing of them.
    project.write("p.toml", format!("{PIPELINE}{CLAIM}{SATURATED}").replace("runs = 2", "runs = 3"));
    project.ok("record p.toml");
    project.ok("estimate pipeline p.toml");
    project.ok("verify outputs/p --pipeline p.toml");
    assert_eq!(verdicts()[1], (ClaimVerdict::Holds, None));
}

#[test]
fn runs_with_equal_numbers_are_printed_with_their_number() {
    // The accuracy is above 0 from the first snapshot in every run.
    let claim = "[[expect]]\nclaim = \"it never guesses all labels wrong\"\nquantity = \"accuracy_train\"\nmeasure = { first_above = 0.0 }\nbelow = 5\n";
    let project = Project::new(&format!("{PIPELINE}{claim}"));
    project.ok("run p.toml --runs 3 --epochs 2");
    let shown = project.run("verify outputs/p-trial --pipeline p.toml").stdout;
    assert!(shown.contains("  0 in each of 3 runs  ") && !shown.contains("1 run "), "{shown}");
}

#[test]
fn a_sweep_is_judged_experiment_by_experiment() {
    let text = format!("{PIPELINE}{CLAIMS}only = \"activation-relu\"\n");
    let project = Project::new(&text.replace("\"tanh\"", "[\"tanh\", \"relu\"]"));
    project.ok("run p.toml");
    let rows = claims(&project, "outputs/p");
    let n_of = |experiment: &str| rows.iter().filter(|row| row.experiment == experiment).count();
    // The last claim, of two layers, is about one of them.
    assert_eq!((n_of("activation-tanh"), n_of("activation-relu")), (5, 7));
}

const BOUND: &str = "
[bound]
code = \"binning-n-edges-30\"
beta = [0.5, 64.0]
per_octave = 4
";

#[test]
fn layers_are_below_the_curve_of_the_bottleneck() {
    let project = Project::new(&format!("{PIPELINE}{BOUND}"));
    let told = project.ok("run p.toml");
    assert!(told.contains("bound: 29 points of the curve, 6 layers"), "{told}");
    let curve: Vec<BoundRow> = read_rows(&project.path("outputs/p/bound.parquet")).unwrap();
    // Labels are certain: the curve is min(I(X;T), H(Y)), nothing below β = 1 and all of H(Y) = 0.9991571 above.
    assert!(curve.iter().all(|point| point.failure.is_none()));
    for point in curve.iter().filter(|point| point.beta < 1.0) {
        assert!(point.i_xt_bits.abs() < 1e-6 && point.i_ty_bits.abs() < 1e-6);
    }
    for point in curve.iter().filter(|point| point.beta > 1.01) {
        assert!((point.i_ty_bits - 0.999_157_1).abs() < 1e-6, "{point:?}");
        assert!((point.i_xt_bits - 0.999_157_1).abs() < 1e-6, "{point:?}");
    }
    let layers: Vec<BoundLayerRow> = read_rows(&project.path("outputs/p/bound_layers.parquet")).unwrap();
    assert_eq!(layers.len(), 6);
    for layer in &layers {
        let (i_xt, i_ty) = (layer.i_xt_bits.unwrap(), layer.i_ty_bits.unwrap());
        let bound = layer.i_ty_bound_bits.unwrap();
        assert!((bound - i_xt.min(0.999_157_1)).abs() < 1e-6, "{layer:?}");
        assert!(i_ty <= bound + 1e-9 && (layer.gap_bits.unwrap() - (bound - i_ty)).abs() < 1e-12);
        assert!(layer.beta_one_step.is_some() || layer.failure.as_ref().unwrap().contains("end of the range"));
    }
    // The same numbers as in the table whose codes they are.
    let estimates: Vec<infoplane::store::schema::EstimateRow> =
        read_rows(&project.path("outputs/p/estimates/binning-n-edges-30/run=r0001.parquet")).unwrap();
    let last = estimates.iter().filter(|row| row.layer.index() == 2).max_by_key(|row| row.step).unwrap();
    let layer = layers.iter().find(|row| row.layer.index() == 2 && row.run == "r0001").unwrap();
    assert!((last.i_xt_bits.unwrap() - layer.i_xt_bits.unwrap()).abs() < 1e-9);
    assert!((last.i_ty_bits.unwrap() - layer.i_ty_bits.unwrap()).abs() < 1e-9);

    let before = project.files("outputs/p");
    assert!(project.ok("bound p.toml").contains("bound: up to date"));
    assert!(project.files("outputs/p") == before);
}

#[test]
fn the_curve_of_probabilistic_labels_is_not_a_straight_line() {
    let text = format!("{PIPELINE}{BOUND}").replace("name = \"tishby\"", "name = \"tishby\"\ngamma = 1");
    let project = Project::new(&text.replace("beta = [0.5, 64.0]", "beta = [0.5, 1000.0]"));
    project.ok("run p.toml");
    let curve: Vec<BoundRow> = read_rows(&project.path("outputs/p/bound.parquet")).unwrap();
    let last = curve.last().unwrap();
    // I(X;Y) of p(y=1|x) = 1/(1 + exp(98.5 − f)), summed over all 4096 patterns by a few lines of Python.
    let i_xy = 0.882_813_379_968;
    assert!(last.i_ty_bits <= i_xy + 1e-9 && last.i_ty_bits > i_xy - 1e-3, "{last:?}");
    // Between the ends it is neither nothing nor everything, and each bit of T costs more than the one before.
    let slopes: Vec<f64> = curve
        .windows(2)
        .filter(|pair| pair[1].i_xt_bits > pair[0].i_xt_bits + 1e-6)
        .map(|pair| (pair[1].i_ty_bits - pair[0].i_ty_bits) / (pair[1].i_xt_bits - pair[0].i_xt_bits))
        .collect();
    assert!(slopes.len() > 5 && slopes.is_sorted_by(|a, b| a >= b), "{slopes:?}");
    let layers: Vec<BoundLayerRow> = read_rows(&project.path("outputs/p/bound_layers.parquet")).unwrap();
    assert!(layers.iter().all(|layer| layer.gap_bits.unwrap() > -1e-9), "no layer is above the curve");
}

#[test]
fn a_bound_of_another_recording_is_not_used() {
    let claim = "[[expect]]\nfigure = \"Fig. 6\"\nclaim = \"near the curve\"\nquantity = \"bound_gap\"\nlayer = 3\nmeasure = \"end\"\nbelow = 0.5\n";
    let project = Project::new(&format!("{PIPELINE}{BOUND}{claim}"));
    assert!(project.ok("run p.toml").contains("verify: 1 claim: 1 holds"));
    project.write("p.toml", format!("{PIPELINE}{BOUND}{claim}").replace("64.0", "32.0"));
    let shown = project.run("verify outputs/p --pipeline p.toml").stdout;
    assert!(shown.contains("1 undecided") && shown.contains("run `infoplane bound` first"), "{shown}");
}

#[test]
fn a_bound_needs_a_recording_of_all_samples_and_the_table_bound() {
    let project = Project::new(&format!("{PIPELINE}{BOUND}"));
    assert!(project.refused("bound p.toml").contains("run `infoplane record` first"));
    let text = format!("{PIPELINE}{BOUND}").replace("{ log_spaced = 6 }", "{ log_spaced = 6 }\nsamples = \"test\"");
    let project = Project::new(&text);
    project.ok("data make tishby");
    project.ok("record p.toml");
    let told = project.refused("bound p.toml");
    assert!(told.contains("the bound needs all of them; record with `samples = \"all\"`"), "{told}");
    project.write("q.toml", PIPELINE);
    assert!(project.refused("bound q.toml --out outputs/p").contains("the pipeline `q` does not ask for a bound"));
}

#[test]
fn changed_claims_are_pending() {
    let project = Project::new(&format!("{PIPELINE}{CLAIM}"));
    project.ok("run p.toml");
    assert_eq!(project.run("run p.toml --dry-run").stdout, "outputs/p: done\n");
    project.write("p.toml", format!("{PIPELINE}{CLAIM}").replace("above = 0.3", "above = 0.2"));
    let told = project.run("run p.toml --dry-run").stdout;
    assert!(told.starts_with("outputs/p: unfinished: ") && told.contains("claims to judge"), "{told}");
}

/// What `verify` writes of each claim, and prints.
fn registered(project: &Project, folder: &str) -> Vec<&'static str> {
    project.ok(&format!("verify {folder} --pipeline p.toml"));
    claims(project, folder).iter().map(|row| row.registered.unwrap().name()).collect()
}

#[test]
fn claims_that_were_frozen_before_the_recording_are_registered() {
    let text = format!("{PIPELINE}{CLAIMS}");
    let project = Project::new(&text);
    let told = project.ok("freeze p.toml");
    assert!(told.contains("freeze: 4 claims → outputs/p/frozen_claims.json"), "{told}");
    // The claims are what they mean: neither comments, nor the order of keys, nor where the paper has them.
    let edited = text.replace("measure = \"end\"\nbelow = 0.5", "below = 0.50 # nats\nmeasure = \"end\"");
    project.write("p.toml", edited.replace("\"Fig. 3\"", "\"Fig. 4b\""));
    assert!(project.ok("freeze p.toml").contains("up to date"));
    project.write("p.toml", edited.replace("below = 0.50", "below = 0.6"));
    let other = "outputs/p/frozen_claims.json: other claims are registered in this folder; nothing is recorded yet, so remove the file";
    assert!(project.refused("freeze p.toml").contains(other));

    project.write("p.toml", &text);
    project.ok("run p.toml");
    assert_eq!(registered(&project, "outputs/p"), ["before the recording"; 7]);
    let shown = project.run("verify outputs/p --pipeline p.toml").stdout;
    assert!(shown.contains("verdict    registered            figure"), "{shown}");
    project.ok("inspect outputs/p --validate");
    assert!(project.ok("freeze p.toml").contains("up to date"), "the registered claims are still the pipeline's");

    // A bound that is moved after the data are known, a claim that is added, one that is dropped.
    let start = |n: usize| text.match_indices("[[expect]]").nth(n).unwrap().0;
    let changed = format!("{}{}", &text[..start(0)], &text[start(1)..].replace("below = 0.5", "below = 0.1"));
    project.write("p.toml", changed.replace("is never twice", "is hardly ever twice"));
    assert_eq!(registered(&project, "outputs/p"), ["before the recording", "changed since", "no", "no"]);
    let shown = project.run("verify outputs/p --pipeline p.toml");
    let dropped = "2 claims were registered before the recording and are no longer in the pipeline p; the first is “every layer ends with";
    assert!(shown.stderr.contains(dropped), "{}", shown.stderr);
    let json: serde_json::Value =
        serde_json::from_str(&project.run("verify outputs/p --pipeline p.toml --json").stdout).unwrap();
    assert_eq!(json[1]["registered"], "changed since");
    let table = project.run("verify outputs/p --pipeline p.toml --markdown").stdout;
    assert!(table.contains("| changed since |"), "{table}");
    let page = project.path("outputs/p/report.html");
    project.ok("report outputs/p");
    assert!(std::fs::read_to_string(page).unwrap().contains("\"registered\":\"changed since\""));
    let late =
        "outputs/p/recording: there is a recording already, and claims can only be registered before the recording";
    assert!(project.refused("freeze p.toml").contains(late));

    // A new recording in the same place is younger than the registered claims, too.
    project.write("p.toml", text.replace("seed = 5", "seed = 6"));
    project.ok("run p.toml --overwrite");
    assert_eq!(registered(&project, "outputs/p"), ["before the recording"; 7]);
}

#[test]
fn claims_that_are_frozen_after_the_recording_began_are_not_registered() {
    let project = Project::new(&format!("{PIPELINE}{CLAIM}"));
    project.ok("freeze p.toml --out outputs/elsewhere");
    project.ok("run p.toml");
    let shown = project.run("verify outputs/p --pipeline p.toml").stdout;
    assert!(shown.contains("; none was registered before the recording (`infoplane freeze`)"), "{shown}");
    let frozen = std::fs::read(project.path("outputs/elsewhere/frozen_claims.json")).unwrap();
    project.write("outputs/p/frozen_claims.json", &frozen);
    // More runs go on with the recording that was begun without the file.
    project.write("p.toml", format!("{PIPELINE}{CLAIM}").replace("runs = 2", "runs = 3"));
    std::fs::remove_file(project.path("outputs/p/recording/samples.parquet")).unwrap();
    project.ok("run p.toml");
    assert_eq!(registered(&project, "outputs/p"), ["no"]);

    project.write("outputs/elsewhere/frozen_claims.json", "{");
    let refused = project.refused("freeze p.toml --out outputs/elsewhere");
    assert!(refused.contains("frozen_claims.json: not written by `infoplane freeze`"), "{refused}");
    project.write("q.toml", PIPELINE);
    assert!(project.refused("freeze q.toml").contains("the pipeline makes no claims; add `[[expect]]`"));
}

#[test]
fn a_sweep_registers_the_claims_of_each_experiment() {
    let text = format!("{PIPELINE}{CLAIM}");
    let project = Project::new(&text.replace("batch = 512", "batch = [512, 1024]"));
    let told = project.ok("freeze p.toml");
    assert!(told.contains("2 claims → 2 files, the first is outputs/p/batch-512/frozen_claims.json"), "{told}");
    project.ok("run p.toml");
    assert_eq!(registered(&project, "outputs/p"), ["before the recording"; 2]);
    // A value that is added later makes an experiment without data.
    project.write("p.toml", text.replace("batch = 512", "batch = [512, 1024, 2048]"));
    assert!(project.ok("freeze p.toml").contains("1 claim → outputs/p/batch-2048/frozen_claims.json"));
}
