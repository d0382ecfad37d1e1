//! What the program prints: the screen of a summary, the end of a run, and messages about wrong folders, outdated tables and
//! missing flags.

use std::fs;
use std::path::Path;

use crate::tool::{PIPELINE, Project, copy_folder};

#[test]
fn a_summary_reports_that_it_is_older_than_the_estimates_or_lacks_runs() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let said = |project: &Project| project.ok("summary outputs/p");
    assert_eq!(said(&project), "");
    project.ok("estimate binning outputs/p --n-edges 10");
    assert!(
        said(&project).contains("p has estimates that are not in its summary; run `infoplane aggregate outputs/p`")
    );
    project.ok("aggregate outputs/p");
    assert_eq!(said(&project), "");

    let estimates = "outputs/p/estimates/binning-n-edges-10";
    fs::remove_file(project.path(&format!("{estimates}/run=r0001.parquet"))).unwrap();
    fs::remove_file(project.path("outputs/p/.meta/estimates/binning-n-edges-10/r0001.json")).unwrap();
    let refusal = project.refused("summary outputs/p");
    let removed =
        "was made from tables of p that were changed or removed since (estimates/binning-n-edges-10/run=r0001.parquet)";
    assert!(refusal.contains(removed), "{refusal}");
    project.ok("aggregate outputs/p");
    let remark = "binning-n-edges-10 of p has estimates of 1 of 2 recorded runs";
    assert!(said(&project).contains(remark), "{}", said(&project));
    project.ok("report outputs/p");
    assert!(fs::read_to_string(project.path("outputs/p/report.html")).unwrap().contains(remark));

    let sentence = project.refused("summary outputs/q");
    assert!(sentence.ends_with("run `infoplane record` first"), "{sentence}");
    copy_folder(&project.path("outputs/p"), &project.path("outputs/tishby"));
    let sentence = project.refused("summary outputs/tishbi");
    assert!(sentence.contains("no such folder; did you mean `outputs/tishby`?"), "{sentence}");
    assert!(project.refused("inspect outputs").contains("a folder of experiments"));
    assert!(project.refused("inspect nothing").contains("no such file or folder"));
}

#[test]
fn a_summary_is_one_screen_and_a_run_ends_with_its_headline() {
    let claim = "\n[[expect]]\nclaim = \"no network is ever right\"\nquantity = \"accuracy_train\"\nmeasure = \"end\"\nbelow = 0.0\n";
    let project = Project::new(&format!("{PIPELINE}{claim}"));
    let said = project.ok("run p.toml");
    let headline = "p: 2 networks; ";
    let end = said.lines().skip_while(|line| !line.starts_with(headline)).collect::<Vec<_>>().join("\n");
    assert!(end.contains("0 of 1 claims hold, 1 fails"), "{said}");
    assert!(end.contains("A failing claim is a result, not an error"), "{said}");
    assert!(end.contains("infoplane summary outputs/p") && end.contains("outputs/p/figures"), "{said}");

    let screen = project.run("summary outputs/p").stdout;
    assert!(screen.starts_with(headline), "{screen}");
    assert!(screen.lines().count() <= 30 && screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    assert!(screen.contains("peak I(X;T)") && screen.contains("I(T;Y), bits"), "{screen}");
    assert!(project.run("summary outputs/p --all").stdout.contains("by chance"));
}

#[test]
fn intervals_of_an_older_summary_are_left_out() {
    let project = Project::new("");
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/v7");
    copy_folder(&old, &project.path("outputs/small"));
    for command in ["summary outputs/small", "plot curves outputs/small"] {
        let said = project.ok(command);
        assert!(
            said.contains("is of version 7") && said.contains("run `infoplane aggregate outputs/small` again"),
            "{said}"
        );
    }
    project.ok("report outputs/small");
    let page = fs::read_to_string(project.path("outputs/small/report.html")).unwrap();
    assert!(page.contains("is of version 7"));
    project.ok("aggregate outputs/small");
    let said = project.ok("summary outputs/small");
    assert!(!said.contains("version"), "{said}");
}

#[test]
fn bins_is_an_alias_and_range_needs_n_bins() {
    let project = Project::new(PIPELINE);
    project.ok("data make tishby");
    project.ok("record p.toml");
    let planned = project.run("estimate binning outputs/p --bins 7 --dry-run");
    assert!(planned.stdout.contains("binning-n-bins-7: 2 tables to make"), "{}", planned.stdout);
    let sentence = project.refused("estimate binning outputs/p --range layer");
    assert!(sentence.contains("`range` needs `n_bins`, which is not given"), "{sentence}");
}

#[test]
fn help_lists_the_values_of_choices_and_own_options_first() {
    let help = Project::new("").run("estimate binning --help").stdout;
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for choice in [
        "[possible values: unit, layer, run, all-runs]",
        "[possible values: all, train, test]",
        "[possible values: runs, windows]",
    ] {
        assert!(words.contains(choice), "{choice}: {help}");
    }
    let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text}: {help}"));
    assert!(place("--n-bins") < place("Options of all commands:") && place("--shuffles") < place("--threads"));
}

#[test]
fn the_recorded_experiments_of_an_unfinished_sweep_are_estimated() {
    let text = PIPELINE.replace("activation = \"tanh\"", "activation = [\"tanh\", \"relu\"]");
    let text = text.replace("[record]\n", "[record]\nlayers = [\"input\", \"hidden\", \"output\"]\n");
    let project = Project::new(&text);
    project.ok("data make tishby");
    project.ok("record p.toml --only activation-relu");
    // A folder in which a recording has only begun.
    fs::create_dir_all(project.path("outputs/p/activation-tanh/recording/.meta")).unwrap();
    let finished = project.run("estimate binning outputs/p");
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(finished.stderr.contains("left out: 1 of 2 experiments with no recorded run yet"), "{}", finished.stderr);
    assert!(finished.stderr.contains("30 bins over the range of each run"), "{}", finished.stderr);
    assert!(project.path("outputs/p/activation-relu/estimates/binning-n-bins-30-range-run").is_dir());
}
