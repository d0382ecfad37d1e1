//! `infoplane aggregate` and `infoplane summary`: statistics over runs, and which experiments and checks are joined.

use infoplane::store::CompressionVerdict;
use infoplane::store::schema::{CompressionRow, EstimateRow, PhaseRow, SummaryRow};

use crate::tool::{PIPELINE, Project, rows};

/// I(X;T) of one run and layer over the training.
fn course(project: &Project, run: &str, layer: usize) -> Vec<(i32, f64)> {
    let rows: Vec<EstimateRow> = rows(project, &format!("outputs/p/estimates/binning-n-edges-30/run={run}.parquet"));
    rows.iter().filter(|row| row.layer.index() == layer).map(|row| (row.epoch, row.i_xt_bits.unwrap())).collect()
}

#[test]
fn a_summary_has_the_numbers_of_the_estimates_of_its_runs() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let (first, second) = (course(&project, "r0000", 2), course(&project, "r0001", 2));
    let summary: Vec<SummaryRow> = rows(&project, "outputs/p/summary.parquet");
    let of_layer: Vec<&SummaryRow> = summary
        .iter()
        .filter(|row| row.estimator.to_string() == "binning-n-edges-30" && row.layer.index() == 2)
        .collect();
    assert_eq!(of_layer.len(), first.len());
    for (row, (a, b)) in of_layer.iter().zip(first.iter().zip(&second)) {
        let (least, most) = (a.1.min(b.1), a.1.max(b.1));
        assert!((row.i_xt_bits_mean.unwrap() - (a.1 + b.1) / 2.0).abs() < 1e-12);
        assert_eq!(row.i_xt_bits_median, Some((least + most) / 2.0));
        // Student's t of one degree of freedom, 12.7062047, times s/√2, which is half the difference.
        let half = 12.706_204_7 * (most - least) / 2.0;
        let mean = (least + most) / 2.0;
        assert!((row.i_xt_bits_low.unwrap() - (mean - half)).abs() < 1e-6);
        assert!((row.i_xt_bits_high.unwrap() - (mean + half)).abs() < 1e-6);
        assert!(row.gradient_mean_norm_mean.unwrap() > 0.0 && row.weight_norm_mean.unwrap() > 0.0);
        assert_eq!(row.gradients_over.as_deref(), Some("after_step"));
        assert!(row.n_checks_violated.is_some(), "`run` checks before it aggregates");
    }

    // With two runs the others are the other one.
    let phases: Vec<PhaseRow> = rows(&project, "outputs/p/phases.parquet");
    let is_of = |row: &&PhaseRow| {
        row.run == "r0000" && row.layer.index() == 2 && row.estimator.to_string() == "binning-n-edges-30"
    };
    let phase = phases.iter().find(is_of).unwrap();
    let peak = second.iter().copied().reduce(|peak, next| if next.1 > peak.1 { next } else { peak }).unwrap();
    assert_eq!(phase.others_peak_epoch, Some(peak.0.into()));
    let at_peak = first.iter().find(|(epoch, _)| *epoch == peak.0).unwrap().1;
    assert_eq!(phase.compression_bits, Some(at_peak - first.last().unwrap().1));
    let own = first.iter().map(|(_, bits)| *bits).fold(0.0, f64::max);
    assert_eq!(phase.drop_bits, Some(own - first.last().unwrap().1));

    let compression: Vec<CompressionRow> = rows(&project, "outputs/p/compression.parquet");
    assert_eq!(compression.len(), 2 * 3);
    assert!(
        compression
            .iter()
            .all(|row| row.n_runs == 2 && row.compression_bits_low.is_some() == (row.compression_bits_std > Some(0.0)))
    );
    let header = std::fs::read_to_string(project.path("outputs/p/compression.csv")).unwrap();
    let first = "experiment,estimator,family,variant,scale_kind,scale,correction,values,samples,pool,quantity,layer,layer_name,n_runs,";
    assert!(header.starts_with(first), "{header}");
}

#[test]
fn norms_of_weights_are_recorded_without_gradients() {
    let project = Project::new(&PIPELINE.replace("[record]\n", "[record]\ngradients = false\n"));
    project.ok("run p.toml");
    let summary: Vec<SummaryRow> = rows(&project, "outputs/p/summary.parquet");
    assert!(summary.iter().all(|row| row.weight_norm_mean.unwrap() > 0.0 && row.gradient_snr_mean.is_none()));
}

#[test]
fn a_single_run_has_no_interval_and_the_reason_is_printed() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml --runs 1");
    let shown = project.run("summary outputs/p-trial --all");
    assert_eq!(shown.code, 0);
    assert!(shown.stdout.contains("undecided: a single run has no interval; record more runs"), "{}", shown.stdout);
    let summary: Vec<SummaryRow> = rows(&project, "outputs/p-trial/summary.parquet");
    assert!(summary.iter().all(|row| row.i_xt_bits_low.is_none() && row.i_xt_bits_std.is_none()));
    project.ok("report outputs/p-trial");
}

#[test]
fn aggregate_checks_estimates_without_checks() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    project.ok("estimate binning outputs/p --n-edges 10");
    let said = project.ok("aggregate outputs/p");
    assert!(!said.contains("check"), "{said}");
    let checked = |project: &Project, estimator: &str| {
        let summary: Vec<SummaryRow> = rows(project, "outputs/p/summary.parquet");
        summary.iter().filter(|row| row.estimator.to_string() == estimator).all(|row| row.n_checks_warning.is_some())
    };
    assert!(checked(&project, "binning-n-edges-30") && checked(&project, "binning-n-edges-10"));
    let compression: Vec<CompressionRow> = rows(&project, "outputs/p/compression.parquet");
    assert!(compression.iter().all(|row| !row.reason.as_ref().unwrap().contains("not checked")));
}

#[test]
fn matching_experiments_are_joined_and_the_others_are_reported() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml --out outputs/a");
    project.write("q.toml", PIPELINE.replace("[6, 3]", "[6]").replace("bin_width = 0.07", "bin_width = 0.5"));
    project.ok("run q.toml --out outputs/b");
    let said = project.ok("aggregate outputs/a outputs/b --out both");
    assert!(said.contains("layer 3 is only in 1 of 2 experiments: a"), "{said}");
    assert!(said.contains("binning-bin-width-0.5 is only in 1 of 2 experiments: b"), "{said}");
    let joined: Vec<SummaryRow> = rows(&project, "both/summary.parquet");
    let n_of = |name: &str| joined.iter().filter(|row| row.experiment == name).count();
    assert!(n_of("a") > 0 && n_of("b") > 0);

    project.ok("report outputs/a outputs/b --out both");
    let page = std::fs::read_to_string(project.path("both/report.html")).unwrap();
    assert!(page.contains("layer 3 is only in a") && page.contains("estimator binning-bin-width-0.5 is only in b"));
    assert!(project.refused("report outputs/a outputs/b").contains("name the folder for their page with `--out DIR`"));
}

#[test]
fn a_layer_in_one_cell_has_no_verdict_on_its_information() {
    let project = Project::new(&PIPELINE.replace("n_edges = 30", "n_edges = 2\nlow = -100\nhigh = 100"));
    project.ok("run p.toml");
    let compression: Vec<CompressionRow> = rows(&project, "outputs/p/compression.parquet");
    let in_one_cell = compression.iter().filter(|row| row.estimator.to_string().starts_with("binning-n-edges-2"));
    // With two runs an accuracy above chance may contradict the output's I(T;Y) of 0.
    for row in in_one_cell.filter(|row| row.layer.index() < 3) {
        let reason = row.reason.as_deref().unwrap();
        assert!(row.verdict != CompressionVerdict::DoesNot, "{}: {reason}", row.verdict);
        assert!(row.verdict != CompressionVerdict::Undecided || reason.contains("a single value of T"), "{reason}");
    }
    assert_eq!(compression.len(), 2 * 3);
}

#[test]
fn the_smallest_effect_that_counts_is_a_key_and_a_flag() {
    let project =
        Project::new(&PIPELINE.replacen("[[estimate]]", "[aggregate]\nminimum_effect = 0.5\n[[estimate]]", 1));
    let minimum = || -> Vec<f64> {
        let rows: Vec<CompressionRow> = rows(&project, "outputs/p/compression.parquet");
        let mut bits: Vec<f64> = rows.iter().filter_map(|row| row.minimum_effect_bits).collect();
        bits.dedup();
        bits
    };
    project.ok("run p.toml");
    assert_eq!(minimum(), [0.5]);
    // `aggregate` reads no pipeline, and keeps what it finds.
    assert!(project.ok("aggregate outputs/p").contains("up to date"));
    project.ok("aggregate outputs/p --minimum-effect 0.25");
    assert_eq!(minimum(), [0.25]);
    project.ok("run p.toml");
    assert_eq!(minimum(), [0.5]);
    assert!(project.refused("aggregate outputs/p --minimum-effect nan").contains("must be a finite number of bits"));
}
