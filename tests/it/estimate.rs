//! Which estimates are made of what: samples, snapshots pooled, units, neighbours, nulls; and what is left alone.

use std::collections::BTreeMap;
use std::fs;

use infoplane::estimate_id::Values;
use infoplane::store::schema::{EstimateRow, SplitRow, SummaryRow, UnitEstimateRow};
use infoplane::store::{ActivationWriter, Footer, Precision, Shape, Zeros, read_rows};

use crate::tool::{PIPELINE, Project};

/// `PIPELINE` without its estimates, recorded.
fn recorded() -> Project {
    let (before, _) = PIPELINE.split_once("[[estimate]]").unwrap();
    let project = Project::new(before);
    project.ok("run p.toml");
    project
}

fn estimates(project: &Project, estimator: &str, run: &str) -> Vec<EstimateRow> {
    read_rows(&project.path(&format!("outputs/p/estimates/{estimator}/run={run}.parquet"))).unwrap()
}

/// T of a layer at a snapshot of run 0.
fn t(project: &Project, layer: usize, snapshot: usize) -> Vec<Vec<f64>> {
    let file = format!("outputs/p/recording/activations/layer={layer}/run=r0000/part-00000.parquet");
    let reader = project.activations(&file);
    let t = reader.read(snapshot).unwrap().t;
    t.chunks(reader.n_units()).map(|row| row.iter().map(|value| f64::from(*value)).collect()).collect()
}

/// The bin numbers of rows: `n_bins` equal ones from `low` to `high`, as the formula has it.
fn binned(t: &[Vec<f64>], low: f64, high: f64, n_bins: usize) -> Vec<Vec<i64>> {
    let width = (high - low) / n_bins as f64;
    let bin = |value: &f64| (((value - low) / width).floor() as i64).min(n_bins as i64 - 1);
    t.iter().map(|row| row.iter().map(bin).collect()).collect()
}

fn extremes(t: &[Vec<f64>]) -> (f64, f64) {
    let fold = |start: f64, f: fn(f64, f64) -> f64| t.iter().flatten().copied().fold(start, f);
    (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max))
}

/// −Σ p log2 p of whole rows.
fn entropy(rows: &[Vec<i64>]) -> f64 {
    let mut counts: BTreeMap<&[i64], f64> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row).or_default() += 1.0);
    let n = rows.len() as f64;
    -counts.values().map(|count| count / n * (count / n).log2()).sum::<f64>()
}

fn joined(a: &[Vec<i64>], b: &[Vec<i64>]) -> Vec<Vec<i64>> {
    a.iter().zip(b).map(|(a, b)| [a.as_slice(), b].concat()).collect()
}

#[track_caller]
fn close(got: Option<f64>, expected: f64) {
    // Sums of some thousand terms.
    assert!((got.unwrap() - expected).abs() < 1e-9, "{got:?} is not {expected}");
}

#[test]
fn every_row_has_its_quantity_its_ceiling_and_its_null() {
    let project = recorded();
    project.ok("estimate binning outputs/p --n-bins 9");
    let rows = estimates(&project, "binning-n-bins-9", "r0000");
    assert_eq!(rows.len(), 3 * 6);
    for row in &rows {
        assert_eq!(row.quantity.as_deref(), Some("entropy of the code of 9 bins over the layer's range"));
        assert_eq!((row.estimator.samples.name(), row.randomness.as_deref()), ("all", Some("none")));
        assert_eq!((row.n_pooled, row.n_shuffles, row.n_samples), (Some(1), Some(5), 4096));
        assert_eq!((row.i_xt_null_bits_mean, row.i_xt_null_bits_std), (row.i_xt_bits, Some(0.0)));
        assert!(row.i_ty_null_bits_std.unwrap() > 0.0 && row.i_ty_null_bits_mean < row.i_ty_ceiling_bits);
        assert_eq!((row.h_t_bits, row.h_t_given_x_bits), (row.i_xt_bits, Some(0.0)));
        assert_eq!(row.i_tt_bits.is_none(), row.layer.index() == 3, "the last layer has none above");
        let untrained = rows.iter().find(|other| other.layer == row.layer && other.step == 0).unwrap();
        assert_eq!((row.i_xt_untrained_bits, row.i_ty_untrained_bits), (untrained.i_xt_bits, untrained.i_ty_bits));
        // No two of Tishby's inputs are mapped to the same row here.
        assert!(row.n_distinct.unwrap() > 4000 && row.atom_share.unwrap() < 0.01);
    }
}

#[test]
fn information_between_neighbours_and_on_the_prediction_is_that_of_the_formula() {
    let project = recorded();
    project.ok("estimate binning outputs/p --n-bins 9");
    let rows = estimates(&project, "binning-n-bins-9", "r0000");
    for (snapshot, step) in [(0, 0), (5, 84)] {
        let codes: Vec<Vec<Vec<i64>>> = (1..=3)
            .map(|layer| {
                let t = t(&project, layer, snapshot);
                let (low, high) = extremes(&t);
                binned(&t, low, high, 9)
            })
            .collect();
        let class = |outputs: &Vec<f64>| vec![i64::from(outputs[1] > outputs[0])];
        let predicted: Vec<Vec<i64>> = t(&project, 3, snapshot).iter().map(class).collect();
        for layer in 1..=3_usize {
            let row = rows.iter().find(|row| row.layer.index() == layer && row.step == step).unwrap();
            let code = &codes[layer - 1];
            close(row.i_xt_bits, entropy(code));
            close(row.i_xt_given_y_bits, row.i_xt_bits.unwrap() - row.i_ty_bits.unwrap());
            let h_joint = entropy(&joined(code, &predicted));
            close(row.i_t_predicted_bits, entropy(code) + entropy(&predicted) - h_joint);
            close(row.h_predicted_given_t_bits, h_joint - entropy(code));
            if let Some(above) = codes.get(layer) {
                let below = &codes[layer - 1];
                close(row.i_tt_bits, entropy(below) + entropy(above) - entropy(&joined(below, above)));
                assert!(row.i_tt_null_bits_mean < row.i_tt_bits);
            }
        }
    }
}

#[test]
fn bins_over_the_run_use_every_layer_and_snapshot() {
    let project = recorded();
    project.ok("estimate binning outputs/p --n-bins 9 --range run");
    let rows = estimates(&project, "binning-n-bins-9-range-run", "r0000");
    let all: Vec<Vec<f64>> = (1..=3)
        .flat_map(|layer| (0..6).map(move |snapshot| (layer, snapshot)))
        .flat_map(|(l, m)| t(&project, l, m))
        .collect();
    let (low, high) = extremes(&all);
    let row = rows.iter().find(|row| row.layer.index() == 3 && row.step == 0).unwrap();
    close(row.i_xt_bits, entropy(&binned(&t(&project, 3, 0), low, high, 9)));
}

#[test]
fn each_of_several_values_makes_a_table_and_existing_tables_are_unchanged() {
    let project = recorded();
    let planned = project.run("estimate binning outputs/p --n-bins 5,9 --dry-run").stdout;
    let line = "outputs/p/estimates/binning-n-bins-9: 2 tables to make, 0 up to date (entropy of the code of 9 bins over the layer's range)";
    assert!(planned.lines().any(|got| got == line), "{planned}");
    assert!(!project.path("outputs/p/estimates").exists(), "a dry run writes nothing");

    project.ok("estimate binning outputs/p --n-bins 5,9");
    let before = project.files("outputs/p");
    let written = |name: &str| fs::metadata(project.path("outputs/p").join(name)).unwrap().modified().unwrap();
    let times: Vec<_> = before.iter().map(|(name, _)| written(name)).collect();
    let planned = project.run("estimate binning outputs/p --n-bins 5,9,13 --dry-run").stdout;
    assert!(planned.contains("binning-n-bins-5: 0 tables to make, 2 up to date"), "{planned}");
    project.ok("estimate binning outputs/p --n-bins 5,9,13");
    let after = project.files("outputs/p");
    assert_eq!(after.len(), before.len() + 4, "two tables and two manifests");
    for ((name, content), time) in before.iter().zip(times) {
        assert!(after.contains(&(name.clone(), content.clone())) && written(name) == time, "{name} was touched");
    }
    assert!(project.ok("estimate binning outputs/p --n-bins 13,5,9").contains("up to date"));
}

#[test]
fn all_estimators_of_a_pipeline_give_the_tables_that_each_gives_alone() {
    let (before, _) = PIPELINE.split_once("[[estimate]]").unwrap();
    let estimate = |table: &str| format!("[[estimate]]\n{table}\n");
    let asked = [
        "estimator = \"binning\"\nn_bins = [5, 9]\nsamples = [\"all\", \"test\"]",
        "estimator = \"quantised\"\nbits = 4",
        "estimator = \"kde\"\nnoise_variance = [0.05, 0.1]",
        "estimator = \"gaussian\"\nnoise_variance = 0.1",
        "estimator = \"kozachenko-leonenko\"\nepsilon = 1e-16",
        "estimator = \"binning\"\nn_bins = 5\npool = \"runs\"",
    ];
    let together = Project::new(&format!("{before}{}", asked.map(estimate).concat()));
    together.ok("data make tishby");
    together.ok("record p.toml");
    let said = together.ok("estimate pipeline p.toml");
    assert!(said.contains(" estimates in "), "{said}");
    let alone = recorded();
    for line in [
        "binning outputs/p --n-bins 5,9 --samples all,test",
        "quantised outputs/p --bits 4",
        "kde outputs/p --noise-variance 0.1 --bound lower",
        "kde outputs/p --noise-variance 0.1 --bound upper",
        "kde outputs/p --noise-variance 0.05 --bound upper,lower",
        "gaussian outputs/p --noise-variance 0.1",
        "kozachenko-leonenko outputs/p --epsilon 1e-16",
        "binning outputs/p --n-bins 5 --pool runs",
    ] {
        alone.ok(&format!("--threads 1 estimate {line}"));
    }
    assert!(together.files("outputs/p/estimates") == alone.files("outputs/p/estimates"));
}

#[test]
fn train_and_test_samples_are_those_of_the_split_of_the_run() {
    let project = recorded();
    project.ok("estimate binning outputs/p --n-bins 9 --samples train,test");
    let splits: Vec<SplitRow> =
        read_rows(&project.path("outputs/p/recording/splits/run=r0000/part-00000.parquet")).unwrap();
    let t = t(&project, 2, 5);
    for split in ["train", "test"] {
        let rows = estimates(&project, &format!("binning-n-bins-9-samples-{split}"), "r0000");
        let row = rows.iter().find(|row| row.layer.index() == 2 && row.step == 84).unwrap();
        let chosen: Vec<Vec<f64>> =
            t.iter().zip(&splits).filter(|(_, of)| of.split == split).map(|(row, _)| row.clone()).collect();
        assert_eq!((row.n_samples as usize, row.estimator.samples.name()), (chosen.len(), split));
        let (low, high) = extremes(&chosen);
        close(row.i_xt_bits, entropy(&binned(&chosen, low, high, 9)));
    }
}

#[test]
fn pooled_windows_make_t_random_given_x() {
    let (before, _) = PIPELINE.split_once("[[estimate]]").unwrap();
    let steps = "epochs = { list = [0] }\nsteps = { windows = [[2, 4], [6, 7]] }";
    let project = Project::new(&before.replace("epochs = { log_spaced = 6 }", steps));
    project.ok("run p.toml");
    project.ok("estimate binning outputs/p --n-bins 4 --pool windows");
    project.ok("estimate binning outputs/p --n-bins 4 --window 2-4");
    let rows = estimates(&project, "binning-n-bins-4-pool-windows", "r0001");
    assert_eq!(
        rows.iter().map(|row| (row.layer.index(), row.step)).collect::<Vec<_>>(),
        [1, 2, 3].map(|l| [(l, 4), (l, 7)]).concat()
    );
    let rows = estimates(&project, "binning-n-bins-4-pool-windows", "r0000");
    // Snapshots: steps 0, 2, 3, 4, 6, 7, 84.
    let pooled: Vec<Vec<f64>> = (1..=3).flat_map(|snapshot| t(&project, 2, snapshot)).collect();
    let x: Vec<Vec<i64>> = (0..3).flat_map(|_| (0..4096).map(|sample| vec![sample])).collect();
    let (low, high) = extremes(&pooled);
    let codes = binned(&pooled, low, high, 4);
    let h_t_given_x = entropy(&joined(&codes, &x)) - entropy(&x);
    let row = rows.iter().find(|row| row.layer.index() == 2 && row.step == 4).unwrap();
    assert!(h_t_given_x > 0.01, "the steps differ");
    close(row.h_t_given_x_bits, h_t_given_x);
    close(row.i_xt_bits, entropy(&codes) - h_t_given_x);
    assert_eq!((row.randomness.as_deref(), row.n_pooled, row.n_samples), (Some("window"), Some(3), 3 * 4096));
    close(row.i_xt_ceiling_bits, (3.0 * 4_f64.log2()).min(12.0));
    assert!(row.i_xt_null_bits_mean < row.i_xt_bits, "shuffling the inputs removes the information about them");
    // One window by itself is the same.
    let one = estimates(&project, "binning-n-bins-4-window-2-4", "r0000");
    let numbers = |row: &EstimateRow| (row.i_xt_bits, row.i_ty_bits, row.i_ty_null_bits_mean);
    assert_eq!(numbers(one.iter().find(|row| row.layer.index() == 2).unwrap()), numbers(row));

    let sentence = project.refused("estimate binning outputs/p --window 5-6");
    assert!(sentence.contains("only step 6 of the steps from 5 to 6 is recorded in run r000"), "{sentence}");
    let sentence = project.refused("estimate binning outputs/p --window 50-60");
    assert!(sentence.contains("no step from 50 to 60 is recorded in run r000"), "{sentence}");
    let sentence = project.refused("estimate kde outputs/p --pool windows");
    assert!(sentence.contains("`kde` adds noise in the analysis and cannot pool"), "{sentence}");
    let sentence = project.refused("estimate kozachenko-leonenko outputs/p --pool runs");
    assert!(sentence.contains("assumes independent samples, and pooled snapshots are not"), "{sentence}");
    project.ok("aggregate outputs/p");
    project.ok("plot all outputs/p");
}

#[test]
fn pooled_runs_are_one_table() {
    let project = recorded();
    project.ok("estimate quantised outputs/p --bits 2 --pool runs");
    let rows = estimates(&project, "quantised-bits-2-pool-runs", "pooled");
    assert_eq!(rows.len(), 3 * 6);
    for row in &rows {
        assert_eq!((row.randomness.as_deref(), row.n_pooled, row.n_samples), (Some("runs"), Some(2), 2 * 4096));
        assert!(row.h_t_given_x_bits.unwrap() > 0.0 && row.i_xt_bits.unwrap() > 0.0);
    }
    let said = project.ok("aggregate outputs/p");
    assert!(!said.contains("has estimates of 1 of 2"), "{said}");
    project.ok("inspect outputs/p --validate");
}

#[test]
fn estimates_of_units_have_a_separate_table() {
    let project = recorded();
    project.ok("estimate binning outputs/p --n-bins 9 --per-unit");
    assert!(!project.path("outputs/p/estimates").exists());
    let rows: Vec<UnitEstimateRow> =
        read_rows(&project.path("outputs/p/unit_estimates/binning-n-bins-9/run=r0000.parquet")).unwrap();
    assert_eq!(rows.len(), (6 + 3 + 2) * 6);
    let layer = t(&project, 2, 5);
    let (low, high) = extremes(&layer);
    for unit in 0..3 {
        let row = rows.iter().find(|row| (row.layer.index(), row.unit, row.step) == (2, unit, 84)).unwrap();
        let column: Vec<Vec<f64>> = layer.iter().map(|row| vec![row[unit as usize]]).collect();
        // Bins of the layer's range, not the unit's.
        close(row.i_xt_bits, entropy(&binned(&column, low, high, 9)));
    }
    let contents = project.run("inspect outputs/p").stdout;
    assert!(contents.contains("unit_estimates binning-n-bins-9"), "{contents}");
    project.ok("inspect outputs/p --validate");
    // A new recording makes them obsolete.
    project.write("p.toml", fs::read_to_string(project.path("p.toml")).unwrap().replace("seed = 5", "seed = 6"));
    project.ok("record p.toml --overwrite");
    assert!(!project.path("outputs/p/unit_estimates").exists());
}

#[test]
fn a_failed_estimate_is_a_row_with_its_reason() {
    let project = Project::new("");
    project.recording(&[0.1, 0.2, 0.3, f32::NAN], &[None; 4]);
    for estimator in ["binning", "quantised", "kde", "gaussian", "kozachenko-leonenko"] {
        let finished = project.run(&format!("estimate {estimator} outputs/p"));
        assert_eq!(finished.code, 1, "{estimator}: {}", finished.stderr);
    }
    let rows = estimates(&project, "kde-upper-noise-variance-0.1", "r0000");
    assert_eq!(rows[0].failure.as_deref(), Some("sample 3, unit 0 is NaN; only finite values can be estimated"));
    assert_eq!((rows[0].i_xt_bits, rows[0].i_ty_null_bits_mean, rows[0].n_codes), (None, None, 0));

    let project = Project::new("");
    project.recording(&[0.1, 0.2, 0.3, 0.4], &[Some(0.0), Some(0.25), Some(0.75), Some(1.0)]);
    assert_eq!(project.run("estimate kde outputs/p --noise-variance 1 --bound upper").code, 1);
    let rows = estimates(&project, "kde-upper-noise-variance-1", "r0000");
    let reason = "H(T|Y) needs one label for every sample, but these labels are probabilities";
    assert_eq!(rows[0].failure.as_deref(), Some(reason));
    project.ok("estimate binning outputs/p");

    let project = Project::new("");
    project.recording(&[0.1], &[None]);
    assert_eq!(project.run("estimate binning outputs/p --n-edges 30").code, 1);
    let rows = estimates(&project, "binning-n-edges-30", "r0000");
    assert_eq!(rows[0].failure.as_deref(), Some("an estimate needs at least 2 samples, got 1"));

    let project = Project::new("");
    project.recording(&[0.5; 4], &[None; 4]);
    assert_eq!(project.run("estimate kde outputs/p --relative --noise-variance 1 --bound upper").code, 1);
    let rows = estimates(&project, "kde-upper-noise-variance-1-relative", "r0000");
    let reason =
        "all values of the layer are equal, so noise cannot be relative to their variance; leave out `relative`";
    assert_eq!(rows[0].failure.as_deref(), Some(reason));
}

#[test]
fn a_density_has_an_entropy_but_no_information_about_x() {
    let project = Project::new("");
    project.recording(&[0.0, 1.0, 3.0, 6.0, 10.0, 15.0], &[None; 6]);
    project.ok("estimate kozachenko-leonenko outputs/p --k 1");
    let row = &estimates(&project, "kozachenko-leonenko-k-1", "r0000")[0];
    // Neighbours at 1, 1, 2, 3, 4, 5; of 0, 3, 10 at 3, 3, 7 and of 1, 6, 15 at 5, 5, 9. The unit ball is 2 long,
    // ψ(6) − ψ(1) = 137/60 and ψ(3) − ψ(1) = 3/2.
    let h_t = 120_f64.ln() / 6.0 + 2_f64.ln() + 137.0 / 60.0;
    let h_t_given_y = (63_f64.ln() + 225_f64.ln()) / 6.0 + 2_f64.ln() + 1.5;
    close(row.h_t_bits, h_t / 2_f64.ln());
    close(row.i_ty_bits, (h_t - h_t_given_y) / 2_f64.ln());
    assert!(row.i_ty_null_bits_mean.is_some() && row.failure.is_none());
    assert_eq!((row.i_xt_bits, row.i_xt_ceiling_bits, row.i_xt_null_bits_mean), (None, None, None));
    assert_eq!((row.h_t_given_x_bits, row.i_xt_untrained_bits), (None, None));

    project.ok("aggregate outputs/p");
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    assert_eq!((summary[0].n_runs, summary[0].n_failed, summary[0].i_xt_bits_mean), (1, 0, None));
    close(summary[0].h_t_bits_mean, h_t / 2_f64.ln());
    project.ok("plot all outputs/p");
    assert!(project.path("outputs/p/figures/histograms.svg").exists());
    assert!(!project.path("outputs/p/figures/information-plane-kozachenko-leonenko-k-1.svg").exists());
    let shown = project.run("check outputs/p");
    assert!(shown.code == 0 && !shown.stdout.contains("-xt"), "{}", shown.stdout);

    let project = Project::new("");
    project.recording(&[0.0, 1.0, 3.0, 3.0, 3.0, 8.0], &[None; 6]);
    assert_eq!(project.run("estimate kozachenko-leonenko outputs/p").code, 1);
    let rows = estimates(&project, "kozachenko-leonenko-k-2", "r0000");
    assert!(rows[0].failure.as_deref().unwrap().starts_with("3 of 6 samples are equal to 2 or more other samples"));
    project.ok("estimate kozachenko-leonenko outputs/p --epsilon 1e-16");
    let rows = estimates(&project, "kozachenko-leonenko-k-2-epsilon-1e-16", "r0000");
    // By SciPy −15.877 333 999 782 06 nats.
    close(rows[0].h_t_bits, -15.877_333_999_782_06 / 2_f64.ln());
    assert_eq!((rows[0].n_distinct, rows[0].atom_share), (Some(4), Some(1.0 / 6.0)));
}

#[test]
fn a_selection_that_is_not_recorded_is_refused() {
    let project = Project::new("");
    project.recording(&[0.1, 0.2, 0.3, 0.4], &[None; 4]);
    let sentence = project.refused("estimate binning outputs/p --samples train");
    assert!(sentence.contains("the table `splits` of run r0000 has"), "{sentence}");
    let misspelt = project.run("estimate binning outputs/p --n-bins 3 --samples train --shufles 3");
    assert_eq!(misspelt.code, 2);
    assert!(misspelt.stderr.contains("unexpected argument '--shufles' found"), "{}", misspelt.stderr);
    assert!(misspelt.stderr.contains("a similar argument exists: '--shuffles'"), "{}", misspelt.stderr);
    for (words, reason) in [
        ("kde outputs/p --noise-variance 0", "parameter `noise_variance`: must be a finite number above 0, got 0"),
        ("kde outputs/p --noise-variance 0.1,x", "parameter `noise_variance`: must be a finite number above 0, got x"),
        ("binning outputs/p --n-bins 5,5", "`binning-n-bins-5` is requested twice"),
        ("quantised outputs/p --bits 99", "parameter `bits`: must be a whole number from 1 to 24, got 99"),
        (
            "binning outputs/p --bias none",
            "parameter `bias`: must be one of plug-in, miller-madow, jackknife, got none",
        ),
        (
            "binning outputs/p --pool runs --window 1-2",
            "parameters `pool` and `window` exclude each other; give one of them",
        ),
    ] {
        let sentence = project.refused(&format!("estimate {words}"));
        assert!(sentence.ends_with(reason), "{sentence}");
    }
}

#[test]
fn pre_activations_are_estimated_if_they_are_recorded() {
    let project = recorded();
    let sentence = project.refused("estimate binning outputs/p --n-bins 9 --values pre-activations");
    assert!(sentence.contains("pre_activations"), "{sentence}");

    let (before, _) = PIPELINE.split_once("[[estimate]]").unwrap();
    let project = Project::new(&before.replace("[record]", "[record]\npre_activations = true"));
    project.ok("run p.toml");
    project.ok("estimate binning outputs/p --n-bins 9 --values pre-activations,activations");
    let rows = estimates(&project, "binning-n-bins-9-pre-activations", "r0000");
    let quantity = "entropy of the code of 9 bins over the layer's range, T being the weighted sums before the activation function";
    assert!(rows.iter().all(|row| row.quantity.as_deref() == Some(quantity)));
    let reader = project
        .values("outputs/p/recording/pre_activations/layer=2/run=r0000/part-00000.parquet", Values::PreActivations);
    let z: Vec<Vec<f64>> =
        reader.read(5).unwrap().t.chunks(3).map(|row| row.iter().copied().map(f64::from).collect()).collect();
    let (low, high) = extremes(&z);
    let row = rows.iter().find(|row| row.layer.index() == 2 && row.step == 84).unwrap();
    close(row.i_xt_bits, entropy(&binned(&z, low, high, 9)));
    let activations = estimates(&project, "binning-n-bins-9", "r0000");
    assert_ne!(
        activations.iter().find(|row| row.layer.index() == 2 && row.step == 84).unwrap().i_xt_bits,
        row.i_xt_bits
    );
}

/// A run of a foreign recording beside that of `Project::recording`: one layer, one snapshot.
fn add_run(project: &Project, run: &str, layer: usize, t: &[f32], n_units: usize) {
    let file = format!("activations/layer={layer}/run={run}/part-00000.parquet");
    let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: Zeros::Few };
    let samples = (0..(t.len() / n_units) as i32).collect();
    let root = project.path("outputs/p/recording");
    let mut writer = ActivationWriter::create(&root, &file, shape, samples, n_units, &Footer::new()).unwrap();
    writer.write(0, 0, t).unwrap();
    writer.commit().unwrap();
}

#[test]
fn runs_of_different_widths_are_refused() {
    let project = Project::new("");
    project.recording(&[0.1, 0.2, 0.3, 0.4], &[None; 4]);
    add_run(&project, "r0001", 1, &[0.1; 8], 2);
    for line in ["inspect outputs/p --validate", "estimate binning outputs/p", "estimate binning outputs/p --pool runs"]
    {
        let sentence = project.refused(line);
        let expected = "run=r0001/part-00000.parquet: layer 1 has 2 units in run r0001, but 1 in run r0000; put runs of different networks into separate recordings";
        assert!(sentence.ends_with(expected), "{line}: {sentence}");
    }
}

#[test]
fn a_value_that_is_not_finite_is_reported_with_its_place_and_affects_nothing_else() {
    let project = Project::new("");
    project.recording(&[0.1, 0.2, 0.3, 0.4], &[None; 4]);
    add_run(&project, "r0001", 1, &[0.1, 0.2, f32::INFINITY, 0.4], 1);
    assert_eq!(project.run("estimate binning outputs/p --n-edges 30 --pool runs").code, 1);
    let rows = estimates(&project, "binning-n-edges-30-pool-runs", "pooled");
    let reason = "sample 2, unit 0 is inf; only finite values can be estimated (one of 2 pooled snapshots)";
    assert_eq!(rows[0].failure.as_deref(), Some(reason));
    // The range of all runs is that of their finite values.
    assert_eq!(project.run("estimate binning outputs/p --n-bins 3 --range all-runs").code, 1);
    assert_eq!(estimates(&project, "binning-n-bins-3-range-all-runs", "r0000")[0].n_codes, 3);
    assert!(estimates(&project, "binning-n-bins-3-range-all-runs", "r0001")[0].failure.is_some());
}

#[test]
fn the_range_of_the_layers_excludes_the_input() {
    let project = Project::new("");
    project.recording(&[0.1, 0.2, 0.3, 0.4], &[None; 4]);
    add_run(&project, "r0000", 0, &[0.0, 10.0, 20.0, 30.0], 1);
    project.ok("estimate binning outputs/p --n-bins 3 --range run");
    let rows = estimates(&project, "binning-n-bins-3-range-run", "r0000");
    // Bins of width 10 hold 0, 10 and, with the upper end, 20 and 30.
    assert_eq!((rows[0].layer.index(), rows[0].n_codes, rows[0].failure.as_deref()), (0, 3, None));
    assert_eq!((rows[1].layer.index(), rows[1].n_codes), (1, 3));
    project.ok("estimate binning outputs/p --n-bins 3");
    let rows = estimates(&project, "binning-n-bins-3", "r0000");
    assert!(rows[0].i_tt_bits.is_some() && rows[1].i_tt_bits.is_none());
}

#[test]
fn snapshots_that_cannot_be_pooled_are_refused_before_anything_is_written() {
    let (before, _) = PIPELINE.split_once("[[estimate]]").unwrap();
    let asked = "[[estimate]]\nestimator = \"binning\"\n[[estimate]]\nestimator = \"binning\"\npool = \"windows\"\n";
    let spaced = before.replace("epochs = { log_spaced = 6 }", "epochs = { list = [0, 5, 12] }");
    let project = Project::new(&format!("{spaced}{asked}"));
    project.ok("data make tishby");
    project.ok("record p.toml");
    for line in ["estimate pipeline p.toml --dry-run", "estimate pipeline p.toml"] {
        assert!(project.refused(line).contains("no two consecutive steps are recorded in run r0000"));
    }
    assert!(!project.path("outputs/p/estimates").exists());
    let sentence = project.refused("estimate binning outputs/p --pool runs --bias jackknife");
    assert!(sentence.contains("`bias` assumes independent samples"), "{sentence}");
}

#[test]
fn labels_of_pooled_snapshots_are_shuffled_by_sample() {
    // T is the same in both runs: pooling copies must leave the null as it is.
    let project = Project::new("");
    let t: Vec<f32> = (0..40).map(|i| (i as f32 * 1.7).sin()).collect();
    project.recording(&t, &[None; 40]);
    add_run(&project, "r0001", 1, &t, 1);
    project.ok("estimate binning outputs/p --n-bins 9");
    project.ok("estimate binning outputs/p --n-bins 9 --pool runs");
    let (once, pooled) =
        (estimates(&project, "binning-n-bins-9", "r0000"), estimates(&project, "binning-n-bins-9-pool-runs", "pooled"));
    close(pooled[0].i_ty_bits, once[0].i_ty_bits.unwrap());
    close(pooled[0].i_ty_null_bits_mean, once[0].i_ty_null_bits_mean.unwrap());
    close(pooled[0].i_ty_null_bits_std, once[0].i_ty_null_bits_std.unwrap());
}

#[test]
fn a_failing_unit_does_not_affect_the_other_units() {
    let project = Project::new("");
    project.recording(&[0.1, 0.2, 0.3, 0.4], &[None; 4]);
    add_run(&project, "r0000", 2, &[0.1, 0.1, 0.2, 0.2, 0.3, f32::NAN, 0.4, 0.4], 2);
    assert_eq!(project.run("estimate binning outputs/p --n-bins 4 --per-unit").code, 1);
    let path = project.path("outputs/p/unit_estimates/binning-n-bins-4/run=r0000.parquet");
    let rows: Vec<UnitEstimateRow> = read_rows(&path).unwrap();
    let of_layer: Vec<_> = rows.iter().filter(|row| row.layer.index() == 2).collect();
    assert_eq!((of_layer[0].n_codes, of_layer[0].failure.as_deref()), (4, None));
    let reason = "sample 2, unit 1 is NaN; only finite values can be estimated";
    assert_eq!((of_layer[1].unit, of_layer[1].failure.as_deref()), (1, Some(reason)));
    let sentence = project.refused("estimate binning outputs/p --pool runs");
    assert!(
        sentence.ends_with("r0000 is the only run, but T must be random over several runs; record more `runs`"),
        "{sentence}"
    );
}

#[test]
fn halves_of_the_samples_give_the_standard_error_of_an_entropy() {
    const N: usize = 400;
    let project = Project::new("");
    // 320 of 400 samples in one cell: p = 0.8.
    let t: Vec<f32> = (0..N).map(|i| if i % 5 == 0 { 0.5 } else { -0.5 }).collect();
    project.recording(&t, &vec![None; N]);
    project.ok("estimate binning outputs/p --n-edges 3 --resample samples");
    let row = &estimates(&project, "binning-n-edges-3", "r0000")[0];
    // By the delta method the plug-in entropy of n draws has the standard deviation |log2(p/(1 − p))| √(p(1 − p)/n): 2 · 0.4/20.
    let expected = 0.04;
    // A standard deviation over 20 halves is known to 1/√38 = 16 %; three of them.
    let got = row.i_xt_resampled_bits_std.unwrap();
    assert!((got - expected).abs() < 0.5 * expected, "{got} is not {expected}");
    // The mean over halves is within three standard errors of the whole.
    let mean = row.i_xt_resampled_bits_mean.unwrap();
    assert!((mean - row.i_xt_bits.unwrap()).abs() < 3.0 * expected / 20.0_f64.sqrt() + 0.01, "{mean}");
    assert_eq!(row.n_resamples, Some(20));
    assert!(row.i_ty_resampled_bits_std.unwrap() < 0.04 && row.i_ty_resampled_bits_mean.is_some());
    project.ok("aggregate outputs/p");
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    assert_eq!(summary[0].i_xt_resampled_bits_std_mean, row.i_xt_resampled_bits_std);
    // Without the flag the table is made again, without halves.
    project.ok("estimate binning outputs/p --n-edges 3");
    let row = &estimates(&project, "binning-n-edges-3", "r0000")[0];
    assert_eq!((row.n_resamples, row.i_xt_resampled_bits_std), (Some(0), None));
}
