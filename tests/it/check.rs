//! `infoplane check` on recordings: what it prints, writes, and exits with.

use infoplane::store::schema::CheckRow;
use infoplane::store::{CheckVerdict, read_rows};

use crate::tool::{PIPELINE, Project};

#[test]
fn verdicts_are_printed_written_and_in_the_exit_code() {
    let project = Project::new(&PIPELINE.replace("n_edges = 30", "n_edges = [30, 50]"));
    project.ok("run p.toml");
    let shown = project.run("check outputs/p");
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("null-ty") && shown.stdout.contains("not above its permutation null"));
    let all_checks = project.run("check outputs/p --all").stdout;
    assert!(all_checks.contains("binning-bin-width-0.07"), "{all_checks}");
    assert!(all_checks.contains("indistinguishable from shuffled labels"), "{all_checks}");
    let rows: Vec<CheckRow> = read_rows(&project.path("outputs/p/checks.parquet")).unwrap();
    // Of all three estimates: three layers at six snapshots; the last layer has none above. Two of them are scales of one
    // variant; the bin width has one scale only.
    let n_of = |check: &str| rows.iter().filter(|row| row.check == check).count();
    assert_eq!((n_of("saturation"), n_of("fano"), n_of("dpi-xt"), n_of("scales")), (54, 54, 36, 18));
    assert!(rows.iter().all(|row| row.n_runs == 2 && row.n_found <= 2));
    assert!(rows.iter().all(|row| (row.verdict == CheckVerdict::Passed) == (row.n_found == 0)));
    // 6 tanh units and 30 edges leave most samples alone in their cell.
    assert!(rows.iter().any(|row| row.check == "cells"
        && row.layer.index() == 1
        && row.verdict == CheckVerdict::Warning
        && row.n_found == 2));

    // One line for each kind of check that does not pass, the worst first, under one headline, on a screen.
    assert!(shown.stdout.lines().count() <= 24, "{}", shown.stdout);
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
    let mut lines = shown.stdout.lines();
    assert!(lines.next().unwrap().starts_with("p: "), "{}", shown.stdout);
    assert!(!shown.stdout.contains(" passed  "), "{}", shown.stdout);
    assert!(all_checks.contains(" passed  "));

    let before = project.files("outputs/p");
    let json: serde_json::Value = serde_json::from_str(&project.run("check outputs/p --json").stdout).unwrap();
    assert_eq!((&json["experiment"], &json["n_estimates"]), (&"p".into(), &108.into()));
    let objections =
        json["findings"].as_array().unwrap().iter().filter(|finding| finding["verdict"] == "warning").count();
    assert!(objections > 0);
    assert!(project.files("outputs/p") == before, "checking again changes nothing");
    let strict = project.run("check outputs/p --strict");
    assert_eq!(strict.code, 1);
    assert!(strict.stderr.contains("checks do not pass"), "{}", strict.stderr);
}

#[test]
fn missing_inputs_of_checks_are_reported() {
    let project = Project::new("");
    project.recording(&[0.1, 0.2], &[None; 2]);
    assert!(project.refused("check outputs/p").ends_with("there are no estimates yet; run `infoplane estimate` first"));
    // A code of one bin: nothing to object to but that it tells nothing from chance.
    project.ok("estimate binning outputs/p --n-bins 1");
    let shown = project.run("check outputs/p --strict --all");
    assert_eq!(shown.code, 1);
    assert!(shown.stdout.contains("the accuracy on these samples is not recorded"), "{}", shown.stdout);
    project.ok("estimate binning outputs/p --n-bins 1 --out elsewhere");
    let shown = project.run("check elsewhere --all");
    assert!(shown.stdout.contains("there is no recording in the folder of these estimates"), "{}", shown.stdout);
}
