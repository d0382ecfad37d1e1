//! From tables to insight: statistics over runs, stability, the report, the film, the summary, and what programs read.

use infoplane::store::read_rows;
use infoplane::store::schema::{CompressionRow, EffectRow, EstimateRow, LevelRow, PhaseRow, StabilityRow, SummaryRow};

use crate::tool::{PIPELINE, Project};

fn rows<R: infoplane::store::schema::Row>(project: &Project, path: &str) -> Vec<R> {
    read_rows(&project.path(path)).unwrap()
}

/// I(X;T) of one run and layer over the training.
fn course(project: &Project, run: &str, layer: i32) -> Vec<(i32, f64)> {
    let rows: Vec<EstimateRow> = rows(project, &format!("outputs/p/estimates/binning-n-edges-30/run={run}.parquet"));
    rows.iter().filter(|row| row.layer == layer).map(|row| (row.epoch, row.i_xt_bits.unwrap())).collect()
}

#[test]
fn a_summary_says_what_the_estimates_of_the_runs_say() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let (first, second) = (course(&project, "r0000", 2), course(&project, "r0001", 2));
    let summary: Vec<SummaryRow> = rows(&project, "outputs/p/summary.parquet");
    let of_layer: Vec<&SummaryRow> =
        summary.iter().filter(|row| row.estimator.to_string() == "binning-n-edges-30" && row.layer == 2).collect();
    assert_eq!(of_layer.len(), first.len());
    for (row, (a, b)) in of_layer.iter().zip(first.iter().zip(&second)) {
        let (least, most) = (a.1.min(b.1), a.1.max(b.1));
        assert!((row.i_xt_bits_mean.unwrap() - (a.1 + b.1) / 2.0).abs() < 1e-12);
        assert_eq!(row.i_xt_bits_median, Some((least + most) / 2.0));
        // A quarter of all resamples of two runs is twice the lower one, a quarter twice the upper.
        assert_eq!((row.i_xt_bits_low, row.i_xt_bits_high), (Some(least), Some(most)));
        assert!(row.gradient_mean_norm_mean.unwrap() > 0.0 && row.weight_norm_mean.unwrap() > 0.0);
        assert_eq!(row.gradients_over.as_deref(), Some("after_step"));
        assert!(row.n_checks_violated.is_some(), "`run` checks before it aggregates");
    }

    // With two runs the others are the other one.
    let phases: Vec<PhaseRow> = rows(&project, "outputs/p/phases.parquet");
    let is_of =
        |row: &&PhaseRow| row.run == "r0000" && row.layer == 2 && row.estimator.to_string() == "binning-n-edges-30";
    let phase = phases.iter().find(is_of).unwrap();
    let peak = second.iter().copied().reduce(|peak, next| if next.1 > peak.1 { next } else { peak }).unwrap();
    assert_eq!(phase.others_peak_epoch, Some(peak.0.into()));
    let at_peak = first.iter().find(|(epoch, _)| *epoch == peak.0).unwrap().1;
    assert_eq!(phase.compression_bits, Some(at_peak - first.last().unwrap().1));
    let own = first.iter().map(|(_, bits)| *bits).fold(0.0, f64::max);
    assert_eq!(phase.drop_bits, Some(own - first.last().unwrap().1));

    let compression: Vec<CompressionRow> = rows(&project, "outputs/p/compression.parquet");
    assert_eq!(compression.len(), 2 * 3);
    assert!(compression.iter().all(|row| row.n_runs == 2 && row.compression_bits_low.is_some()));
    let header = std::fs::read_to_string(project.path("outputs/p/compression.csv")).unwrap();
    assert!(header.starts_with("experiment,estimator,layer,n_runs,n_failed,"), "{header}");
}

#[test]
fn weights_tell_their_norms_where_gradients_are_left_out() {
    let project = Project::new(&PIPELINE.replace("[record]\n", "[record]\ngradients = false\n"));
    project.ok("run p.toml");
    let summary: Vec<SummaryRow> = rows(&project, "outputs/p/summary.parquet");
    assert!(summary.iter().all(|row| row.weight_norm_mean.unwrap() > 0.0 && row.gradient_snr_mean.is_none()));
}

#[test]
fn one_run_has_no_interval_and_says_so() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml --runs 1");
    let shown = project.run("summary outputs/p");
    assert_eq!(shown.code, 0);
    assert!(shown.stdout.contains("undecided: one run has no interval; record more"), "{}", shown.stdout);
    let summary: Vec<SummaryRow> = rows(&project, "outputs/p/summary.parquet");
    assert!(summary.iter().all(|row| row.i_xt_bits_low.is_none() && row.i_xt_bits_std.is_none()));
    project.ok("report outputs/p");
}

#[test]
fn verdicts_about_other_estimates_are_not_joined() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    project.ok("estimate binning outputs/p --n-edges 10");
    let said = project.ok("aggregate outputs/p");
    assert!(said.contains("not about binning-n-edges-10 as it is now; run `infoplane check` again"), "{said}");
    let checked = |project: &Project, estimator: &str| {
        let summary: Vec<SummaryRow> = rows(project, "outputs/p/summary.parquet");
        summary.iter().filter(|row| row.estimator.to_string() == estimator).all(|row| row.n_checks_warning.is_some())
    };
    assert!(checked(&project, "binning-n-edges-30") && !checked(&project, "binning-n-edges-10"));
    assert_eq!(project.run("check outputs/p").code, 0);
    project.ok("aggregate outputs/p");
    assert!(checked(&project, "binning-n-edges-10"));
}

#[test]
fn what_matches_is_joined_and_the_rest_is_named() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml --out outputs/a");
    project.write("q.toml", PIPELINE.replace("[6, 3]", "[6]").replace("bin_width = 0.07", "bin_width = 0.5"));
    project.ok("run q.toml --out outputs/b");
    let said = project.ok("aggregate outputs/a outputs/b --out both");
    assert!(said.contains("layer 3 is only in 1 of 2 experiments: a"), "{said}");
    assert!(said.contains("binning-bin-width-0.5 is only in 1 of 2 experiments: b"), "{said}");
    let joined: Vec<SummaryRow> = read_rows(&project.path("both/summary.parquet")).unwrap();
    let n_of = |name: &str| joined.iter().filter(|row| row.experiment == name).count();
    assert!(n_of("a") > 0 && n_of("b") > 0);

    project.ok("report outputs/a outputs/b --out both");
    let page = std::fs::read_to_string(project.path("both/report.html")).unwrap();
    assert!(page.contains("layer 3 is only in a") && page.contains("estimator binning-bin-width-0.5 is only in b"));
    assert!(project.refused("report outputs/a outputs/b").contains("say with `--out DIR`"));
}

const CLAIM: &str = r#"
[[expect]]
figure = "Fig. 1"
claim = "the output knows something of the label"
estimate = "binning-n-edges-30"
quantity = "i_ty"
layer = "output"
measure = "end"
above = -40.0
"#;

#[test]
fn stability_asks_every_claim_of_every_setting_and_estimate() {
    let text = format!("{PIPELINE}{CLAIM}").replace("batch = 512", "batch = [512, \"full\"]");
    let project = Project::new(&text);
    assert!(project.refused("stability outputs/p --pipeline p.toml").contains("phases.parquet; run `infoplane"));
    project.ok("run p.toml");
    let shown = project.run("stability outputs/p --pipeline p.toml");
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("p: 2 experiments") && shown.stdout.contains("4 of 4"), "{}", shown.stdout);
    assert!(shown.stdout.contains("training.batch  512 2/2, full 2/2"), "{}", shown.stdout);

    let claims: Vec<StabilityRow> = rows(&project, "outputs/p/stability.parquet");
    let of = |row: &StabilityRow| (row.parameter.clone(), row.value.clone(), row.n_settings, row.n_runs);
    let expected = [
        ("all", "", 4, 8),
        ("training.batch", "512", 2, 4),
        ("training.batch", "full", 2, 4),
        ("estimate", "binning-n-edges-30", 2, 4),
        ("estimate", "binning-bin-width-0.07", 2, 4),
    ]
    .map(|(parameter, value, n, runs)| (parameter.to_owned(), value.to_owned(), n, runs));
    assert_eq!(claims.iter().map(of).collect::<Vec<_>>(), expected);
    assert!(claims.iter().all(|row| row.n_holds + row.n_fails + row.n_undecided == row.n_settings));

    // Shares are of one whole, in a balanced design.
    let effects: Vec<EffectRow> = rows(&project, "outputs/p/effects.parquet");
    for of_layer in effects.chunk_by(|a, b| a.layer == b.layer) {
        let sum: f64 = of_layer.iter().map(|row| row.share).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        assert_eq!(of_layer.iter().filter(|row| row.source == "training.batch").count(), 1);
        assert!(of_layer.iter().all(|row| row.n_values == 8 && row.remark.is_none()));
    }
    let levels: Vec<LevelRow> = rows(&project, "outputs/p/levels.parquet");
    let phases: Vec<PhaseRow> = rows(&project, "outputs/p/phases.parquet");
    let full = levels.iter().find(|row| row.layer == 2 && row.value == "full").unwrap();
    let of_full: Vec<f64> = phases
        .iter()
        .filter(|row| row.experiment == "batch-full" && row.layer == 2)
        .map(|row| row.compression_bits.unwrap())
        .collect();
    assert_eq!((full.n_runs, full.n_settings), (4, 2));
    assert!((full.compression_bits_mean - of_full.iter().sum::<f64>() / 4.0).abs() < 1e-12);

    let before = project.files("outputs/p");
    project.run("stability outputs/p --pipeline p.toml --markdown");
    assert!(project.files("outputs/p") == before, "asking again changes nothing");
    project.ok("plot stability outputs/p");
    assert!(project.path("outputs/p/figures/stability.svg").exists());
}

#[test]
fn a_claim_about_what_never_happens_counts_in_every_setting() {
    let never = "\n[[expect]]\nfigure = \"Fig. 1\"\nclaim = \"soon\"\nestimate = \"binning-n-edges-30\"\nquantity = \"i_ty\"\nlayer = 1\nmeasure = { first_above = 9.0 }\nbelow = 3\n";
    let project = Project::new(&format!("{PIPELINE}{never}"));
    project.ok("run p.toml");
    let verdict = &rows::<infoplane::store::schema::ClaimRow>(&project, "outputs/p/claims.parquet")[0].verdict;
    assert_eq!(verdict, "fails", "after 12 epochs it is later than the third");
    assert_eq!(project.run("stability outputs/p --pipeline p.toml").code, 0);
    let claims: Vec<StabilityRow> = rows(&project, "outputs/p/stability.parquet");
    assert_eq!((claims[0].n_settings, claims[0].n_fails), (2, 2), "of both ways to bin");

    // One JSON value, whatever the exit code.
    let strict = project.run("verify outputs/p --pipeline p.toml --strict --json");
    let value: serde_json::Value = serde_json::from_str(&strict.stdout).unwrap();
    assert_eq!((strict.code, &value[0]["verdict"]), (1, &"fails".into()));
}

#[test]
fn what_is_not_recorded_is_left_out_of_stability_and_report_and_named() {
    let text = format!("{PIPELINE}{CLAIM}").replace("batch = 512", "batch = [512, \"full\", 0]");
    let project = Project::new(&text);
    project.run("run p.toml --only batch-512");
    let shown = project.run("stability outputs/p --pipeline p.toml");
    assert!(shown.stdout.contains("p: 1 experiments"), "{}", shown.stdout);
    assert!(shown.stdout.contains("batch-full is left out: no recorded activations"), "{}", shown.stdout);
    assert!(shown.stdout.contains("batch-0 is left out: p.toml, line"), "{}", shown.stdout);
    let claims: Vec<StabilityRow> = rows(&project, "outputs/p/stability.parquet");
    assert_eq!(claims[0].n_settings, 2);

    project.ok("report outputs/p");
    let page = std::fs::read_to_string(project.path("outputs/p/report.html")).unwrap();
    assert!(page.contains("batch-full is left out: it is pending"));
    assert!(page.contains("infoplane run pipelines/p.toml --only 'batch-512'"));
    // Each experiment has a film of its own.
    project.ok("movie outputs/p --frames 2 --experiment batch-512");
    assert!(project.path("outputs/p/figures/movie-batch-512-binning-bin-width-0.07.gif").exists());
}

#[test]
fn a_report_is_one_file_that_is_made_once() {
    let project = Project::new(&format!("{PIPELINE}{CLAIM}"));
    assert!(project.refused("report outputs/p").contains("summary.parquet; run `infoplane aggregate` first"));
    project.ok("run p.toml");
    assert!(project.ok("report outputs/p").contains("1 experiments"));
    assert_eq!(project.ok("report outputs/p"), "report: up to date\n");
    let page = std::fs::read_to_string(project.path("outputs/p/report.html")).unwrap();
    for place in ["/*CSS*/", "/*PLOTLY*/", "/*DATA*/", "/*JS*/", "<!--FALLBACK-->"] {
        assert!(!page.contains(place), "{place}");
    }
    assert!(
        page.contains("the output knows something of the label") && page.contains("infoplane run pipelines/p.toml")
    );
    assert!(page.contains("default-src 'none'"), "the page may ask for nothing");
    // Nothing in it tells where it was made.
    assert!(!page.contains(&project.path("").display().to_string()));
}

#[test]
fn films_are_animated_and_say_what_they_cannot_show() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    project.ok("movie outputs/p --frames 3");
    let gif = std::fs::read(project.path("outputs/p/figures/movie-binning-bin-width-0.07.gif")).unwrap();
    assert!(gif.starts_with(b"GIF89a") && gif.windows(11).any(|bytes| bytes == b"NETSCAPE2.0"), "it repeats");
    project.ok("movie outputs/p --frames 3 --format apng --estimator binning-n-edges-30");
    let png = std::fs::read(project.path("outputs/p/figures/movie-binning-n-edges-30.apng")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.windows(4).filter(|bytes| bytes == b"fcTL").count() == 3);
    assert_eq!(project.ok("movie outputs/p --frames 3"), "movie: up to date\n");
    let said = project.refused("movie outputs/p --estimator binning-n-edges-3");
    assert!(
        said.contains("no estimates `binning-n-edges-3` in the summary; did you mean `binning-n-edges-30`?"),
        "{said}"
    );
    // Without ffmpeg on the path.
    let mut command = project.command(crate::tool::PROGRAM, "movie outputs/p --frames 2 --format mp4");
    let said = project.finish(command.env("PATH", project.path("nowhere"))).sentence();
    assert!(said.contains("ffmpeg is not installed; install it, or use `--format gif`"), "{said}");
}

/// What 64 kB of a pipe hold is less than this program says before it reads a picture.
#[cfg(unix)]
fn with_ffmpeg(project: &Project, end: &str) -> crate::tool::Finished {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(project.path("bin")).unwrap();
    let talk = "i=0; while [ $i -lt 4000 ]; do echo \"a message of 40 characters, number $i\" >&2; i=$((i+1)); done";
    project.write("bin/ffmpeg", format!("#!/bin/sh\nfor last; do :; done\n{talk}\n{end}\n"));
    std::fs::set_permissions(project.path("bin/ffmpeg"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = project.command(crate::tool::PROGRAM, "movie outputs/p --frames 2 --format mp4");
    let path = format!("{}:{}", project.path("bin").display(), std::env::var("PATH").unwrap());
    project.finish(command.env("PATH", path))
}

#[test]
#[cfg(unix)]
fn messages_of_ffmpeg_neither_block_nor_are_lost() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let failed = with_ffmpeg(&project, "cat > /dev/null; echo 'no such codec' >&2; exit 3");
    let said = failed.sentence();
    assert!(said.contains("ffmpeg failed (exit status: 3)") && said.ends_with("no such codec"), "{said}");
    assert!(said.len() < 500, "only the end of its messages is shown");
    assert!(with_ffmpeg(&project, "echo 'bad option' >&2; exit 1").sentence().ends_with("bad option"));
    let left = || project.files("outputs/p").into_iter().map(|(path, _)| path).filter(|path| path.contains("movie"));
    assert_eq!(left().count(), 0, "no file of a failed call is left");
    let made = with_ffmpeg(&project, "case $last in */.meta/tmp/*) cat > \"$last\";; *) exit 4;; esac");
    assert_eq!(made.code, 0, "{}", made.stderr);
    let film = std::fs::read(project.path("outputs/p/figures/movie-binning-bin-width-0.07.mp4")).unwrap();
    assert!(film.starts_with(b"\x89PNG"), "what the program was given");
    assert!(!project.path("outputs/p/.meta/tmp").exists());
}

#[test]
fn every_command_prints_json_when_asked() {
    let project = Project::new(&format!("{PIPELINE}{CLAIM}"));
    let json = |line: &str| {
        let shown = project.run(line);
        let values: Vec<serde_json::Value> =
            serde_json::Deserializer::from_str(&shown.stdout).into_iter().collect::<Result<_, _>>().unwrap();
        assert!(!values.is_empty(), "{line}: {}", shown.stderr);
        values
    };
    assert_eq!(json("run p.toml --dry-run --json")[0]["state"], "pending: 2 runs to record");
    let stages: Vec<String> =
        json("run p.toml --json").iter().map(|value| value["stage"].as_str().unwrap().to_owned()).collect();
    assert_eq!(stages, ["data", "record", "estimate", "check", "aggregate", "plot", "verify"]);
    assert_eq!(json("run p.toml --json")[1]["state"], "up to date");
    assert_eq!(json("estimate binning outputs/p --n-edges 9 --dry-run --json")[0][0]["n_pending"], 2);
    assert_eq!(json("summary outputs/p --json")[0].as_array().unwrap().len(), 2);
    for line in [
        "data list",
        "data describe tishby",
        "check outputs/p",
        "verify outputs/p --pipeline p.toml",
        "stability outputs/p --pipeline p.toml",
        "inspect outputs/p",
        "plot --list",
        "schema",
        "report outputs/p",
        "movie outputs/p --frames 2",
    ] {
        assert_eq!(json(&format!("{line} --json")).len(), 1, "{line}");
    }
    let refused = json("record nothing.toml --json");
    assert_eq!(refused[0]["exit_code"], 2);
}

#[test]
fn shells_and_man_know_every_command() {
    let project = Project::new("");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = project.run(&format!("completions {shell}")).stdout;
        assert!(script.contains("stability") && script.contains("estimator"), "{shell}");
    }
    assert!(project.run("man").stdout.starts_with(".ie"), "roff");
    project.ok("man --out man1");
    let page = std::fs::read_to_string(project.path("man1/infoplane-report.1")).unwrap();
    assert!(page.contains("report.html"), "{page}");
}

#[test]
fn colours_are_for_terminals_that_want_them_and_quiet_is_quiet() {
    let project = Project::new(PIPELINE);
    let quiet = project.run("run p.toml --quiet");
    assert_eq!((quiet.code, quiet.stderr.as_str(), quiet.stdout.as_str()), (0, "", ""));
    let said = project.run("record nothing.toml");
    assert!(!said.stderr.contains('\u{1b}'), "no escape sequences where nobody looks");
}
