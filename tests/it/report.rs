//! `infoplane report`: one file with all recorded experiments, which names the others.

use infoplane::store::schema::StabilityRow;

use crate::tool::{CLAIM, PIPELINE, Project, rows};

#[test]
fn a_report_is_one_file_that_is_made_once() {
    let project = Project::new(&format!("{PIPELINE}{CLAIM}"));
    assert!(project.refused("report outputs/p").ends_with("outputs/p: no such folder; run `infoplane record` first"));
    project.ok("run p.toml");
    assert!(project.ok("report outputs/p").contains("1 experiment"));
    assert_eq!(project.ok("report outputs/p"), "report: up to date\n");
    let page = std::fs::read_to_string(project.path("outputs/p/report.html")).unwrap();
    for place in ["/*CSS*/", "/*PLOTLY*/", "/*DATA*/", "/*JS*/", "<!--FALLBACK-->"] {
        assert!(!page.contains(place), "{place}");
    }
    assert!(
        page.contains("the output has more than 0.3 bits of the label")
            && page.contains("infoplane run pipelines/p.toml")
    );
    assert!(page.contains("default-src 'none'"), "the policy of the page must forbid all requests");
    // The settings are tables of a pipeline.
    assert!(page.contains(r#""[network]","hidden = ["#), "the settings have no table `network`");
    // The page does not contain the folder in which it was made.
    assert!(!page.contains(&project.path("").display().to_string()));
}

#[test]
fn experiments_without_a_recording_are_left_out_of_stability_and_report_and_named() {
    let text = format!("{PIPELINE}{CLAIM}").replace("batch = 512", "batch = [512, \"full\", 0]");
    let project = Project::new(&text);
    project.run("run p.toml --only batch-512");
    let shown = project.run("stability outputs/p --pipeline p.toml");
    assert!(shown.stdout.contains("p: 1 experiment"), "{}", shown.stdout);
    assert!(shown.stdout.contains("batch-full is left out: no recorded activations"), "{}", shown.stdout);
    assert!(shown.stdout.contains("batch-0 is left out: p.toml, line"), "{}", shown.stdout);
    let claims: Vec<StabilityRow> = rows(&project, "outputs/p/stability.parquet");
    assert_eq!(claims[0].n_settings, 2);

    project.ok("report outputs/p");
    let page = std::fs::read_to_string(project.path("outputs/p/report.html")).unwrap();
    assert!(page.contains("batch-full is left out: it is pending"));
    assert!(page.contains("infoplane run pipelines/p.toml --only 'batch-512'"));
    // The summary has one experiment, so its animation is not in a folder of its own.
    project.ok("movie outputs/p --frames 2 --experiment batch-512");
    assert!(project.path("outputs/p/figures/movie-binning-bin-width-0.07.gif").exists());
}
