//! Values outside of fixed edges: they are counted, reported and judged, and no rule that can miss them is taken unasked.

use std::fs;

use infoplane::estimate_id::Values;
use infoplane::store::schema::{CheckRow, EstimateRow, UnitEstimateRow};
use infoplane::store::{ActivationWriter, CheckVerdict, Footer, Precision, Shape, Zeros};

use crate::tool::{PIPELINE, Project, rows};

/// A layer of two ReLU units recorded by another program in `outputs/p`: of 16 values five are 0 and six above 1.
fn relu() -> Project {
    let project = Project::new("");
    project.recording(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], &[None; 8]);
    let t = [0.0, 3.0, 0.5, 0.0, 2.0, 1.0, 0.0, 0.25, 9.0, 0.0, 1.5, 4.0, 0.75, 1.25, 0.0, 1.0];
    let root = project.path("outputs/p/recording");
    let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: Zeros::Many };
    let file = "activations/layer=2/run=r0000/part-00000.parquet";
    let mut writer = ActivationWriter::create(&root, file, shape, (0..8).collect(), 2, &Footer::new()).unwrap();
    writer.write(0, 0, &t).unwrap();
    writer.commit().unwrap();
    project
}

fn estimates(project: &Project, estimator: &str) -> Vec<EstimateRow> {
    rows(project, &format!("outputs/p/estimates/{estimator}/run=r0000.parquet"))
}

/// The folders of estimates of an experiment.
fn tables(project: &Project, experiment: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(project.path(experiment).join("estimates")) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

#[test]
fn the_share_of_values_outside_is_in_the_row_and_a_warning_names_the_worst_layer() {
    let project = relu();
    let said = project.ok("estimate binning outputs/p --n-edges 30,9");
    let shares = |estimator: &str| -> Vec<Option<f64>> {
        estimates(&project, estimator).iter().map(|row| row.outside_share).collect()
    };
    // Six of 16 values are above 1; 1 itself is at the edge.
    assert_eq!(shares("binning-n-edges-30"), [Some(0.0), Some(0.375)]);
    let warning = "WARN p: `binning-n-edges-30`: 37.5 % of the values of layer 2 (r0000, step 0) are outside the edges [-1, 1] and share one bin at each end; use bins over the range of the values (`n_bins` in a pipeline, `--n-bins` on the command line) or wider edges";
    assert!(said.lines().any(|line| line.trim() == warning), "{said}");
    assert_eq!(said.matches("WARN").count(), 2, "a line for each estimator: {said}");
    assert!(!project.ok("estimate binning outputs/p --n-edges 30").contains("WARN"), "nothing is made anew");

    for (words, id, share) in [
        ("--n-edges 30 --low 0 --high 9", "binning-n-edges-30-low-0-high-9", Some(0.0)),
        ("--n-edges 30 --low 0 --high 3.5", "binning-n-edges-30-low-0-high-3.5", Some(0.125)),
        ("--n-edges 30 --spacing tanh", "binning-n-edges-30-spacing-tanh", Some(0.375)),
        ("--n-edges 30 --above last-bin", "binning-n-edges-30-above-last-bin", Some(0.375)),
        ("--n-bins 30", "binning-n-bins-30", None),
        ("--bin-width 0.5", "binning-bin-width-0.5", None),
    ] {
        project.ok(&format!("estimate binning outputs/p {words}"));
        assert_eq!(shares(id)[1], share, "{words}");
    }
    // No estimate, no share.
    assert_eq!(project.run("estimate binning outputs/p --n-edges 30 --above refuse").code, 1);
    assert_eq!(shares("binning-n-edges-30-above-refuse"), [Some(0.0), None]);
}

#[test]
fn every_unit_has_its_share_outside_of_the_edges() {
    let project = relu();
    let said = project.ok("estimate binning outputs/p --n-edges 30 --per-unit");
    let units: Vec<UnitEstimateRow> = rows(&project, "outputs/p/unit_estimates/binning-n-edges-30/run=r0000.parquet");
    let shares: Vec<Option<f64>> = units.iter().map(|row| row.outside_share).collect();
    // 2, 9 and 1.5 in the first unit of layer 2; 3, 4 and 1.25 in the second.
    assert_eq!(shares, [Some(0.0), Some(0.375), Some(0.375)]);
    assert!(said.contains("37.5 % of the values of unit 0 of layer 2 (r0000, step 0)"), "{said}");
}

#[test]
fn the_check_outside_depends_on_the_share_of_values_outside_of_the_edges() {
    let project = relu();
    project.ok("estimate binning outputs/p --n-edges 30");
    project.ok("estimate binning outputs/p --n-edges 30 --low 0 --high 9");
    let shown = project.run("check outputs/p --all").stdout;
    let line = "layer 2, epoch 0: 37.5 % of the values are outside the edges and share one bin at each end (entropy of the code of 30 edges over [-1, 1]); use bins over the range of the values (`n_bins` in a pipeline, `--n-bins` on the command line) or wider edges";
    assert!(shown.contains(line), "{shown}");
    let checks: Vec<CheckRow> = rows(&project, "outputs/p/checks.parquet");
    let verdicts = |estimator: &str| -> Vec<(i32, CheckVerdict)> {
        let of = checks.iter().filter(|row| row.check == "outside" && row.estimator.to_string() == estimator);
        of.map(|row| (i32::from(row.layer), row.verdict)).collect()
    };
    use CheckVerdict::{Passed, Violated};
    assert_eq!(verdicts("binning-n-edges-30"), [(1, Passed), (2, Violated)]);
    assert_eq!(verdicts("binning-n-edges-30-low-0-high-9"), [(1, Passed), (2, Passed)]);
}

#[test]
fn a_recording_of_another_program_is_binned_over_its_own_range() {
    let project = relu();
    let sentence = "binning: no rule given; 30 bins over the range of each run, because the activation functions of this recording are not known";
    let planned = project.run("estimate binning outputs/p --dry-run --shuffles 2");
    assert!(
        planned.stderr.contains(sentence) && planned.stdout.contains("binning-n-bins-30-range-run: 1 table to make")
    );
    let said = project.ok("estimate binning outputs/p --bias plug-in,miller-madow");
    assert_eq!(said.matches(sentence).count(), 1, "{said}");
    assert!(!said.contains("WARN"), "{said}");
    let expected = ["binning-n-bins-30-range-run", "binning-n-bins-30-range-run-miller-madow"];
    assert_eq!(tables(&project, "outputs/p"), expected);
    // 0 to 9 in 30 bins of 0.3: no two of the eight rows share a cell.
    let row = &estimates(&project, "binning-n-bins-30-range-run")[1];
    assert_eq!((row.n_codes, row.i_xt_bits, row.outside_share), (8, Some(3.0), None));
    assert!(!project.ok("estimate binning outputs/p --n-edges 30 --quiet").contains("no rule given"));
    // A rule is given by any of its parameters.
    project.ok("estimate binning outputs/p --high 9");
    assert!(tables(&project, "outputs/p").contains(&"binning-n-edges-30-high-9".to_owned()));
}

/// `PIPELINE` with an estimate `binning` that names no rule, and another activation.
fn without_rule(activation: &str, more: &str) -> Project {
    let (before, _) = PIPELINE.split_once("[[estimate]]").unwrap();
    let before = before.replace("\"tanh\"", activation).replace("{ log_spaced = 6 }", "{ list = [0, 12] }");
    Project::new(&format!("{before}[[estimate]]\nestimator = \"binning\"\n{more}"))
}

const WITHIN: &str = "binning: no rule given; 30 edges over [-1, 1], because the activation functions of the recorded layers keep all values within [-1, 1]";
const OPEN: &str = "binning: no rule given; 30 bins over the range of each run, because values of the recorded layers may be outside [-1, 1]";

#[test]
fn fixed_edges_are_the_default_if_all_values_are_within_them() {
    for (activation, sentence, id) in
        [("\"tanh\"", WITHIN, "binning-n-edges-30"), ("\"relu\"", OPEN, "binning-n-bins-30-range-run")]
    {
        let project = without_rule(activation, "");
        let said = project.ok("run p.toml");
        assert_eq!(said.matches(sentence).count(), 1, "{said}");
        assert!(!said.contains("WARN"), "{said}");
        assert_eq!(tables(&project, "outputs/p"), [id]);
        // The single command learns of the network from what is recorded of it.
        let said = project.ok("estimate binning outputs/p");
        assert!(said.contains(sentence) && said.contains("up to date"), "{said}");
        assert!(!project.ok("record p.toml").contains("no rule given"));
    }
    // Weighted sums have no bound.
    let project = without_rule("\"tanh\"", "values = [\"activations\", \"pre-activations\"]");
    let text = fs::read_to_string(project.path("p.toml")).unwrap();
    project.write("p.toml", text.replace("[record]", "[record]\npre_activations = true"));
    let said = project.ok("run p.toml");
    assert!(said.contains(WITHIN) && said.contains("because weighted sums may be outside [-1, 1]"), "{said}");
    assert_eq!(tables(&project, "outputs/p"), ["binning-n-bins-30-range-run-pre-activations", "binning-n-edges-30"]);
}

#[test]
fn the_experiments_of_a_sweep_share_one_default() {
    let project = without_rule("[\"tanh\", \"relu\"]", "");
    let said = project.ok("run p.toml");
    assert_eq!(said.matches("no rule given").count(), 1, "{said}");
    assert!(said.contains(OPEN), "{said}");
    let folders = ["outputs/p/activation-tanh", "outputs/p/activation-relu"];
    for folder in folders {
        assert_eq!(tables(&project, folder), ["binning-n-bins-30-range-run"], "{folder}");
    }
    let said = project.ok("estimate binning outputs/p");
    assert_eq!(said.matches("no rule given").count(), 1, "{said}");
    for folder in folders {
        assert_eq!(tables(&project, folder), ["binning-n-bins-30-range-run"], "{folder}");
    }
    // By itself, the one of tanh has fixed edges.
    assert!(project.ok("estimate binning outputs/p/activation-tanh").contains(WITHIN));
}
