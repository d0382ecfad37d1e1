//! `infoplane stability`: claims over the settings of a sweep, and what compression depends on.

use infoplane::store::ClaimVerdict;
use infoplane::store::schema::{ClaimRow, EffectRow, LevelRow, PhaseRow, StabilityRow};

use crate::tool::{CLAIM, PIPELINE, Project, rows};

#[test]
fn stability_judges_every_claim_in_every_setting_and_estimate() {
    let text = format!("{PIPELINE}{CLAIM}").replace("batch = 512", "batch = [512, \"full\"]");
    let project = Project::new(&text);
    assert!(
        project
            .refused("stability outputs/p --pipeline p.toml")
            .contains("no such folder; run `infoplane record` first")
    );
    project.ok("run p.toml");
    let shown = project.run("stability outputs/p --pipeline p.toml");
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(
        shown.stdout.contains("p: 2 experiments") && shown.stdout.contains("2 of 4, fails in 2"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains("training.batch  512 2/2, full 0/2"), "{}", shown.stdout);

    let claims: Vec<StabilityRow> = rows(&project, "outputs/p/stability.parquet");
    let setting = |row: &StabilityRow| (row.parameter.clone(), row.value.clone(), row.n_settings, row.n_runs);
    let expected = [
        ("all", "", 4, 8),
        ("training.batch", "512", 2, 4),
        ("training.batch", "full", 2, 4),
        ("estimate", "binning-n-edges-30", 2, 4),
        ("estimate", "binning-bin-width-0.07", 2, 4),
    ]
    .map(|(parameter, value, n, runs)| (parameter.to_owned(), value.to_owned(), n, runs));
    assert_eq!(claims.iter().map(setting).collect::<Vec<_>>(), expected);
    // It holds with mini-batches by both ways to bin, and with the full batch by neither.
    let decided = |row: &StabilityRow| (row.n_holds, row.n_fails, row.n_undecided);
    let expected = [(2, 2, 0), (2, 0, 0), (0, 2, 0), (1, 1, 0), (1, 1, 0)];
    assert_eq!(claims.iter().map(decided).collect::<Vec<_>>(), expected);

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
        .filter(|row| row.experiment == "batch-full" && row.layer.index() == 2)
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
    let verdict = rows::<ClaimRow>(&project, "outputs/p/claims.parquet")[0].verdict;
    assert_eq!(verdict, ClaimVerdict::Fails, "after 12 epochs it is later than the third");
    assert_eq!(project.run("stability outputs/p --pipeline p.toml").code, 0);
    let claims: Vec<StabilityRow> = rows(&project, "outputs/p/stability.parquet");
    assert_eq!((claims[0].n_settings, claims[0].n_fails), (2, 2), "of both ways to bin");

    // One JSON value, whatever the exit code.
    let strict = project.run("verify outputs/p --pipeline p.toml --strict --json");
    let value: serde_json::Value = serde_json::from_str(&strict.stdout).unwrap();
    assert_eq!((strict.code, &value[0]["verdict"]), (1, &"fails".into()));
}
