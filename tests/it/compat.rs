//! Files of every version of the tables still read. They were written by the program of that version and are never made
//! again; `tests/compat/README.md` says how.

use std::fs;
use std::path::Path;

use infoplane::estimate_id::{EstimateId, Pool, Samples, Scale, ScaleKind};
use infoplane::store::schema::{
    BoundLayerRow, BoundRow, CheckRow, ClaimRow, CompressionRow, EffectRow, EpochRow, EstimateRow, ExperimentRow,
    GradientRow, LevelRow, MinimalModelRow, PhaseRow, RelationRow, RunRow, SampleRow, SettingRow, StabilityRow,
    SummaryRow, TrainingSummaryRow, UnitEstimateRow, VERSION, WeightMeasureRow, WeightRow, WeightSummaryRow,
};
use infoplane::store::{CheckVerdict, ClaimVerdict, ExperimentState, read_rows};
use infoplane::suggest::Named;

use crate::tool::{Project, copy_folder};

fn committed(version: u32) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/compat/v{version}"))
}

#[test]
fn every_version_has_files_for_the_tests() {
    for version in 1..=VERSION {
        assert!(committed(version).is_dir(), "tests/compat/v{version} is missing; see tests/compat/README.md");
    }
}

#[test]
fn recordings_of_every_version_can_be_inspected_and_estimated() {
    for version in 1..=VERSION {
        let project = Project::new("");
        copy_folder(&committed(version), &project.path("outputs/small"));
        project.ok("inspect outputs/small --validate");
        let said = project.run("inspect outputs/small").stdout;
        assert!(said.contains(&format!("schema version {version}")), "{said}");

        // Estimates of that time and of today are aggregated together.
        project.ok("estimate quantised outputs/small");
        project.ok("aggregate outputs/small");
        let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/small/summary.parquet")).unwrap();
        let n_of =
            |name: &str| summary.iter().filter(|row| row.estimator.to_string() == name && row.n_runs == 2).count();
        assert!(n_of("binning-n-edges-30") > 0 && n_of("binning-n-edges-30") == n_of("quantised-bits-8"));
        project.ok("check outputs/small");

        // The estimates of that time are what today's program makes of the recording.
        let path = project.path("outputs/small/estimates/binning-n-edges-30/run=r0001.parquet");
        let before: Vec<EstimateRow> = read_rows(&path).unwrap();
        fs::remove_dir_all(project.path("outputs/small/estimates")).unwrap();
        project.ok("estimate binning outputs/small --n-edges 30");
        let after: Vec<EstimateRow> = read_rows(&path).unwrap();
        assert!(!before.is_empty() && before.len() == after.len(), "version {version}");
        for (before, after) in before.iter().zip(&after) {
            let place = |row: &EstimateRow| (row.layer, row.step, row.n_samples, row.n_codes);
            assert_eq!(place(before), place(after));
            // The order of additions may differ.
            assert!((before.i_xt_bits.unwrap() - after.i_xt_bits.unwrap()).abs() < 1e-12, "version {version}");
            assert!((before.i_ty_bits.unwrap() - after.i_ty_bits.unwrap()).abs() < 1e-12, "version {version}");
        }
        assert!(version < VERSION || before == after, "a column of today's version");
        assert!(version >= 3 || before.iter().all(|row| row.quantity.is_none() && row.i_ty_null_bits_mean.is_none()));

        let summary = project.path("outputs/small/summary.parquet");
        let before: Vec<SummaryRow> = read_rows(&committed(version).join("summary.parquet")).unwrap();
        fs::remove_file(&summary).unwrap();
        project.ok("aggregate outputs/small");
        let after: Vec<SummaryRow> = read_rows(&summary).unwrap();
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(after) {
            assert!((before.i_xt_bits_mean.unwrap() - after.i_xt_bits_mean.unwrap()).abs() < 1e-12);
            assert_eq!(before.loss_test_nats_mean, after.loss_test_nats_mean);
        }
        project.ok("plot all outputs/small");
    }
}

/// Versions 1 to 8 kept the manifests of estimates among the tables.
#[test]
fn estimates_of_earlier_versions_are_used_only_if_unchanged() {
    for version in 1..=8 {
        let project = Project::new("");
        copy_folder(&committed(version), &project.path("outputs/small"));
        let tables = project.path("outputs/small/estimates");
        let path = tables.join("binning-n-edges-30/run=r0001.parquet");
        let table = fs::read(&path).unwrap();
        let mut flipped = table.clone();
        flipped[table.len() / 2] ^= 1;
        let check = || {
            fs::write(&path, &flipped).unwrap();
            let refusal = project.refused("aggregate outputs/small");
            assert!(refusal.contains("its content was changed"), "version {version}: {refusal}");
            fs::remove_file(&path).unwrap();
            let refusal = project.refused("aggregate outputs/small");
            assert!(refusal.contains("missing, although it was made"), "version {version}: {refusal}");
            fs::write(&path, &table).unwrap();
            project.ok("aggregate outputs/small");
        };
        // From version 8 on they are in the folder of the experiment.
        assert_eq!(tables.join(".meta").exists(), version < 8, "version {version}");
        check();
        project.ok("estimate quantised outputs/small");
        assert!(!tables.join(".meta").exists(), "version {version}: not only tables");
        check();
        if project.path("outputs/small/relations.parquet").exists() {
            project.ok("relate outputs/small");
        }
        project.ok("inspect outputs/small --validate");
        // Whoever has estimated may throw the activations away.
        fs::remove_dir_all(project.path("outputs/small/recording/activations")).unwrap();
        project.ok("check outputs/small");
        project.ok("aggregate outputs/small");
    }
}

#[test]
fn tables_that_came_with_version_3_are_read() {
    let root = committed(3);
    let units: Vec<UnitEstimateRow> =
        read_rows(&root.join("unit_estimates/quantised-bits-8/run=r0000.parquet")).unwrap();
    // Three hidden units and two outputs at three snapshots.
    assert_eq!(units.len(), 5 * 3);
    assert!(units.iter().all(|row| row.i_xt_bits.is_some() && row.failure.is_none()));
    let checks: Vec<CheckRow> = read_rows(&root.join("checks.parquet")).unwrap();
    assert!(checks.iter().any(|row| row.check == "saturation" && row.verdict == CheckVerdict::Warning));
}

#[test]
fn tables_that_came_with_version_4_are_read() {
    let runs: Vec<RunRow> = read_rows(&committed(4).join("recording/runs/run=r0001/part-00000.parquet")).unwrap();
    assert_eq!((runs.len(), runs[0].outcome.name(), runs[0].epoch), (1, "finished", 4));
    let sweep = committed(4).with_file_name("sweep-v4");
    let experiments: Vec<ExperimentRow> = read_rows(&sweep.join("experiments.parquet")).unwrap();
    let of = |row: &ExperimentRow| (row.experiment.clone(), row.state, row.n_runs);
    let done = |name: &str| (name.to_owned(), ExperimentState::Done, Some(2));
    assert_eq!(experiments.iter().map(of).collect::<Vec<_>>(), ["activation-tanh", "activation-relu"].map(done));
    let settings: Vec<SettingRow> = read_rows(&sweep.join("settings.parquet")).unwrap();
    assert!(settings.iter().all(|row| row.parameter == "network.activation" && row.number.is_none()));
}

#[test]
fn tables_that_came_with_version_5_are_read() {
    let root = committed(5).with_file_name("claims-v5");
    let claims: Vec<ClaimRow> = read_rows(&root.join("claims.parquet")).unwrap();
    assert_eq!(claims.iter().map(|row| row.layer.unwrap().index()).collect::<Vec<_>>(), [1, 2]);
    assert!(claims.iter().all(|row| row.verdict == ClaimVerdict::Holds && row.n_runs == 2));
    let curve: Vec<BoundRow> = read_rows(&root.join("bound.parquet")).unwrap();
    assert_eq!(curve.iter().map(|row| row.beta).collect::<Vec<_>>(), [0.5, 1.0, 2.0, 4.0, 8.0]);
    let layers: Vec<BoundLayerRow> = read_rows(&root.join("bound_layers.parquet")).unwrap();
    assert!(layers.len() == 4 && layers.iter().all(|row| row.gap_bits.is_some()));
    let units: Vec<MinimalModelRow> = read_rows(&root.join("minimal_model.parquet")).unwrap();
    // Saxe et al. 2018, Fig. 2: tanh in 30 bins, ReLU in bins of width 1, w = 1.
    assert!((units[0].i_xt_bits - 4.8771).abs() < 1e-4 && (units[1].i_xt_bits - 0.7328).abs() < 1e-4, "{units:?}");
}

#[test]
fn tables_that_came_with_version_6_are_read() {
    let phases: Vec<PhaseRow> = read_rows(&committed(6).join("phases.parquet")).unwrap();
    // Two layers and two runs.
    assert!(phases.len() == 4 && phases.iter().all(|row| row.compression_bits.is_some()));
    let compression: Vec<CompressionRow> = read_rows(&committed(6).join("compression.parquet")).unwrap();
    assert!(compression.len() == 2 && compression.iter().all(|row| row.n_runs == 2));
    let sweep = committed(6).with_file_name("sweep-v6");
    let stability: Vec<StabilityRow> = read_rows(&sweep.join("stability.parquet")).unwrap();
    let values: Vec<&str> = stability.iter().map(|row| row.value.as_str()).collect();
    assert_eq!(values, ["", "tanh", "relu"]);
    let effects: Vec<EffectRow> = read_rows(&sweep.join("effects.parquet")).unwrap();
    assert!(effects.iter().any(|row| row.source == "network.activation" && row.n_levels == Some(2)));
    let levels: Vec<LevelRow> = read_rows(&sweep.join("levels.parquet")).unwrap();
    assert!(levels.iter().all(|row| row.parameter == "network.activation" && row.n_runs == 2));
}

#[test]
fn identities_that_came_with_version_7_are_those_of_older_files() {
    for version in 1..=VERSION {
        let rows: Vec<SummaryRow> = read_rows(&committed(version).join("summary.parquet")).unwrap();
        let mut ids: Vec<EstimateId> = rows.iter().map(|row| row.estimator.as_ref().clone()).collect();
        ids.dedup();
        let id = ids.iter().find(|id| id.to_string() == "binning-n-edges-30").unwrap();
        assert_eq!((id.estimator.family.as_str(), id.estimator.variant().as_deref()), ("binning", Some("n_edges")));
        assert_eq!(id.estimator.scale, Some(Scale::new(ScaleKind::NEdges, 30.0)));
        assert_eq!((id.samples, id.pool), (Samples::All, Pool::Nothing));
        assert!((version < 7) == rows.iter().all(|row| row.quantity.is_none()), "version {version}");
    }
    // Claims and the bound as well.
    let root = committed(7).with_file_name("claims-v7");
    let claims: Vec<ClaimRow> = read_rows(&root.join("claims.parquet")).unwrap();
    assert!(claims.iter().all(|row| row.estimate_quantity.as_deref().is_some_and(|words| words.contains("30 edges"))));
    let layers: Vec<BoundLayerRow> = read_rows(&root.join("bound_layers.parquet")).unwrap();
    assert!(layers.iter().all(|row| row.estimator.estimator.family == "binning"));
}

#[test]
fn a_column_that_version_7_lacks_is_null() {
    let path = "estimates/binning-n-edges-30/run=r0000.parquet";
    let units = "unit_estimates/quantised-bits-8/run=r0000.parquet";
    let rows: Vec<EstimateRow> = read_rows(&committed(7).join(path)).unwrap();
    assert!(rows.iter().all(|row| row.outside_share.is_none() && row.i_xt_bits.is_some()));
    let rows: Vec<UnitEstimateRow> = read_rows(&committed(7).join(units)).unwrap();
    assert!(rows.iter().all(|row| row.outside_share.is_none() && row.i_xt_bits.is_some()));
    // tanh and softmax are within [−1, 1]; levels have no fixed edges.
    let rows: Vec<EstimateRow> = read_rows(&committed(8).join(path)).unwrap();
    assert!(rows.iter().all(|row| row.outside_share == Some(0.0)));
    let rows: Vec<UnitEstimateRow> = read_rows(&committed(8).join(units)).unwrap();
    assert!(rows.iter().all(|row| row.outside_share.is_none()));
}

#[test]
fn columns_that_version_5_lacks_are_null() {
    let rows: Vec<SummaryRow> = read_rows(&committed(5).join("summary.parquet")).unwrap();
    assert!(rows.iter().all(|row| row.i_xt_bits_low.is_none() && row.weight_norm_mean.is_none()));
}

#[test]
fn columns_that_version_4_lacks_are_null() {
    let rows: Vec<EstimateRow> =
        read_rows(&committed(4).join("estimates/binning-n-edges-30/run=r0000.parquet")).unwrap();
    assert!(rows.iter().all(|row| row.h_t_bits.is_none() && row.i_xt_bits.is_some()));
}

#[test]
fn columns_that_version_3_lacks_are_null() {
    let recording = committed(3).join("recording");
    let samples: Vec<SampleRow> = read_rows(&recording.join("samples.parquet")).unwrap();
    assert!(samples.len() == 8 && samples.iter().all(|row| row.target.is_none()));
    let weights: Vec<WeightRow> = read_rows(&recording.join("weights/layer=1/run=r0000/part-00000.parquet")).unwrap();
    assert!(!weights.is_empty() && weights.iter().all(|row| row.operations.is_none()));
    let epochs: Vec<EpochRow> = read_rows(&recording.join("epochs/run=r0000/part-00000.parquet")).unwrap();
    assert!(epochs.iter().all(|row| row.squared_error_train.is_none() && row.loss_train_nats.is_some()));
    let summary: Vec<SummaryRow> = read_rows(&committed(3).join("summary.parquet")).unwrap();
    assert!(summary.iter().all(|row| row.n_trainings_failed.is_none()));
}

#[test]
fn a_column_that_version_1_lacks_is_null() {
    let path = committed(1).join("recording/gradients/run=r0000/part-00000.parquet");
    let rows: Vec<GradientRow> = read_rows(&path).unwrap();
    assert!(rows.iter().all(|row| row.gradients_over.is_none() && row.gradient_mean_norm > 0.0));
    let rows: Vec<SummaryRow> = read_rows(&committed(1).join("summary.parquet")).unwrap();
    assert!(rows.iter().all(|row| row.step.is_none() && row.n_runs == 2));
}

#[test]
fn verdicts_of_version_7_are_read_and_those_of_version_8_have_reasons() {
    let rows = |version| read_rows::<CompressionRow>(&committed(version).join("compression.parquet")).unwrap();
    let words = |version| rows(version).iter().map(|row| row.verdict.name()).collect::<Vec<_>>();
    assert_eq!(words(7), ["does not compress", "undecided"]);
    assert!(rows(7).iter().all(|row| row.p_holm.is_none() && row.minimum_effect_bits.is_none()));
    assert_eq!(words(8), ["cannot tell (saturated)"; 2]);
    // 1 % of the 3 bits of 8 inputs are less than 0.05 bits.
    assert!(rows(8).iter().all(|row| row.reason.is_some() && row.minimum_effect_bits == Some(0.05)));
}

#[test]
fn tables_that_came_with_version_8_are_read() {
    let root = committed(8);
    let path = root.join("weight_measures/code-snapshots-2/run=r0001.parquet");
    let measured: Vec<WeightMeasureRow> = read_rows(&path).unwrap();
    assert!(measured.iter().all(|row| row.measure == "code" && row.randomness == "code" && row.failure.is_none()));
    assert!(measured.iter().all(|row| row.warning.is_none()));
    let summary: Vec<WeightSummaryRow> = read_rows(&root.join("weight_summary.parquet")).unwrap();
    assert!(summary.iter().any(|row| row.quantity == "code_length" && row.n_runs == 2 && row.layer.is_none()));
    assert!(summary.iter().all(|row| row.n_warned == 0));
    let training: Vec<TrainingSummaryRow> = read_rows(&root.join("training_summary.parquet")).unwrap();
    assert!(training.iter().any(|row| row.quantity == "loss_train" && row.n_runs == 2 && row.layer.is_none()));
    // The 8 inputs and the two labels of the parity of 3 bits.
    let over_runs: Vec<SummaryRow> = read_rows(&root.join("summary.parquet")).unwrap();
    assert!(over_runs.iter().all(|row| (row.h_x_bits, row.h_y_bits) == (Some(3.0), Some(1.0))));
    let relations: Vec<RelationRow> = read_rows(&root.join("relations.parquet")).unwrap();
    assert!(relations.iter().any(|row| row.statistic == "settings" && row.reason.is_some()));
    let claims: Vec<ClaimRow> = read_rows(&root.with_file_name("claims-v8").join("claims.parquet")).unwrap();
    assert!(!claims.is_empty() && claims.iter().all(|row| row.weights.is_none() && row.minus.is_none()));
}
