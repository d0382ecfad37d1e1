//! All stages on a small pipeline: what they write, what they skip, and that it is the same every time.

use std::collections::BTreeMap;
use std::fs;

use infoplane::layer_id::LayerId;
use infoplane::store::schema::{EpochRow, EstimateRow, GradientRow, SplitRow, SummaryRow, WeightRow};
use infoplane::store::{read_rows, read_samples};

use crate::tool::{PIPELINE, Project};

/// Of the layers of `PIPELINE`.
const WIDTHS: [usize; 3] = [6, 3, 2];

#[test]
fn a_pipeline_writes_every_table_and_the_second_call_does_nothing() {
    let project = Project::new(PIPELINE);
    let said = project.ok("run p.toml");
    assert!(said.contains("rows/s"), "{said}");
    let epochs = [0, 1, 2, 4, 7, 12];

    let reader = project.activations("outputs/p/recording/activations/layer=2/run=r0001/part-00000.parquet");
    assert_eq!((reader.n_units(), reader.read(0).unwrap().samples), (3, (0..4096).collect()));
    assert_eq!(reader.snapshots().map(|(epoch, _)| epoch).collect::<Vec<_>>(), epochs);
    assert_eq!(reader.read(5).unwrap().step, 12 * 7); // 3482 samples in batches of 512: 6 whole ones and 410

    let rows: Vec<EpochRow> =
        read_rows(&project.path("outputs/p/recording/epochs/run=r0000/part-00000.parquet")).unwrap();
    assert_eq!(rows.iter().map(|row| row.epoch).collect::<Vec<_>>(), epochs);
    assert!(rows[5].loss_train_nats < rows[0].loss_train_nats && rows[5].accuracy_train > rows[0].accuracy_train);
    assert!(rows.iter().all(|row| row.loss_test_nats.unwrap() > 0.0 && row.accuracy_test.unwrap() > 0.0));

    let splits: Vec<SplitRow> =
        read_rows(&project.path("outputs/p/recording/splits/run=r0000/part-00000.parquet")).unwrap();
    assert_eq!(splits.iter().filter(|row| row.split == "train").count(), 3482); // 0.85 · 4096 = 3481.6
    let other: Vec<SplitRow> =
        read_rows(&project.path("outputs/p/recording/splits/run=r0001/part-00000.parquet")).unwrap();
    assert_ne!(splits, other, "every run has a split of its own");

    let rows: Vec<WeightRow> =
        read_rows(&project.path("outputs/p/recording/weights/layer=1/run=r0000/part-00000.parquet")).unwrap();
    assert_eq!((rows.len(), rows[0].kernel.len(), rows[0].bias.clone()), (6, 72, vec![0.0; 6]));
    let rows: Vec<GradientRow> =
        read_rows(&project.path("outputs/p/recording/gradients/run=r0000/part-00000.parquet")).unwrap();
    assert_eq!(rows.len(), 6 * 3);
    assert!(rows.iter().all(|row| row.gradient_mean_norm > 0.0 && row.gradient_std_norm.unwrap() > 0.0));

    let rows: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    assert_eq!(rows.len(), 2 * 3 * epochs.len());
    let csv = fs::read_to_string(project.path("outputs/p/summary.csv")).unwrap();
    assert_eq!(csv.lines().count(), rows.len() + 1);
    for picture in ["information-plane", "snapshots"] {
        let svg =
            fs::read_to_string(project.path(&format!("outputs/p/figures/{picture}-binning-n-edges-30.svg"))).unwrap();
        assert!(svg.contains("I(X;T) (bits)"));
        let png = fs::read(project.path(&format!("outputs/p/figures/{picture}-binning-n-edges-30.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
    }

    let before = project.files("outputs");
    let said = project.ok("run p.toml");
    let steps = "data: up to date\nrecord: up to date\nestimate: up to date\ncheck: up to date\naggregate: up to date\nplot: up to date\n";
    assert!(said.starts_with(steps), "{said}");
    assert!(project.files("outputs") == before, "a second run changed a file");
}

#[test]
fn the_summary_is_the_mean_and_the_spread_over_runs() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    // Per layer and epoch, of each run: I(X;T), I(T;Y), training loss, test accuracy.
    let mut by_group: BTreeMap<(LayerId, i32), Vec<[f64; 4]>> = BTreeMap::new();
    for run in ["r0000", "r0001"] {
        let fits: Vec<EpochRow> =
            read_rows(&project.path(&format!("outputs/p/recording/epochs/run={run}/part-00000.parquet"))).unwrap();
        let path = project.path(&format!("outputs/p/estimates/binning-n-edges-30/run={run}.parquet"));
        for row in read_rows::<EstimateRow>(&path).unwrap() {
            let fit = fits.iter().find(|fit| fit.epoch == row.epoch).unwrap();
            let values = [
                row.i_xt_bits.unwrap(),
                row.i_ty_bits.unwrap(),
                fit.loss_train_nats.unwrap(),
                fit.accuracy_test.unwrap(),
            ];
            by_group.entry((row.layer, row.epoch)).or_default().push(values);
        }
    }
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    let of_estimator: Vec<&SummaryRow> =
        summary.iter().filter(|row| row.estimator.to_string() == "binning-n-edges-30").collect();
    assert_eq!(of_estimator.len(), by_group.len());
    for row in of_estimator {
        let [first, second] = by_group[&(row.layer, row.epoch)][..] else { panic!("two runs") };
        // Of two values: mean (a+b)/2, standard deviation |a−b|/√2.
        let mean = |k: usize| (first[k] + second[k]) / 2.0;
        let std = |k: usize| (first[k] - second[k]).abs() / 2.0_f64.sqrt();
        for (got, expected) in [
            (row.i_xt_bits_mean, mean(0)),
            (row.i_xt_bits_std, std(0)),
            (row.i_ty_bits_mean, mean(1)),
            (row.i_ty_bits_std, std(1)),
            (row.loss_train_nats_mean, mean(2)),
            (row.accuracy_test_mean, mean(3)),
        ] {
            assert!((got.unwrap() - expected).abs() < 1e-12, "{got:?} is not {expected}");
        }
        assert_eq!((row.n_runs, row.n_failed), (2, 0));
        // 12 bits of X, or 31 cells of each unit: 29 bins, below -1, from 1 on.
        let ceiling = (WIDTHS[row.layer.index() - 1] as f64 * 31.0_f64.log2()).min(12.0);
        assert!((row.i_xt_ceiling_bits.unwrap() - ceiling).abs() < 1e-12);
    }
}

#[test]
fn recorded_activations_losses_and_weights_belong_together() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let recording = |file: &str| project.path(&format!("outputs/p/recording/{file}/part-00000.parquet"));
    let samples = read_samples(&project.path("outputs/p/recording/samples.parquet")).unwrap();
    let splits: Vec<SplitRow> = read_rows(&recording("splits/run=r0001")).unwrap();
    let fits: Vec<EpochRow> = read_rows(&recording("epochs/run=r0001")).unwrap();
    let of_layer = |layer: usize| {
        let file = format!("outputs/p/recording/activations/layer={layer}/run=r0001/part-00000.parquet");
        let reader = project.activations(&file);
        let weights: Vec<WeightRow> = read_rows(&recording(&format!("weights/layer={layer}/run=r0001"))).unwrap();
        (reader, weights)
    };
    let layers: Vec<_> = (1..=3).map(of_layer).collect();
    for (index, fit) in fits.iter().enumerate() {
        let mut below: Vec<Vec<f64>> =
            samples.iter().map(|row| row.x().iter().map(|v| f64::from(*v)).collect()).collect();
        for (l, (reader, weights)) in layers.iter().enumerate() {
            let (t, weights) = (reader.read(index).unwrap().t, &weights[index]);
            let n_units = reader.n_units();
            for (sample, row) in below.iter_mut().enumerate() {
                let z = |j: usize| {
                    let kernel = &weights.kernel[j * row.len()..][..row.len()];
                    f64::from(weights.bias[j]) + kernel.iter().zip(&*row).map(|(w, t)| f64::from(*w) * t).sum::<f64>()
                };
                let z: Vec<f64> = (0..n_units).map(z).collect();
                let sum: f64 = z.iter().map(|z| z.exp()).sum();
                *row = z.iter().map(|z| if l == 2 { z.exp() / sum } else { z.tanh() }).collect();
                for (unit, expected) in row.iter().enumerate() {
                    // Three layers of f32 arithmetic with weights of size 1.
                    assert!((f64::from(t[sample * n_units + unit]) - expected).abs() < 1e-5);
                }
            }
        }
        // Labels 0 and 1 are classes 0 and 1.
        let train = samples.iter().zip(&splits).zip(&below).filter(|((_, split), _)| split.split == "train");
        let (mut loss, mut n_right, mut n) = (0.0, 0.0, 0.0);
        for ((sample, _), p) in train {
            loss -= p[sample.y as usize].ln();
            n_right += f64::from(u8::from((p[1] > p[0]) == (sample.y == 1)));
            n += 1.0;
        }
        assert!((fit.loss_train_nats.unwrap() - loss / n).abs() < 1e-5);
        // A sample on the boundary may fall to either side in f32.
        assert!((fit.accuracy_train.unwrap() - n_right / n).abs() < 1.5 / n);
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_threads() {
    let (one, two) = (Project::new(PIPELINE), Project::new(PIPELINE));
    one.ok("run p.toml --threads 1");
    two.ok("run p.toml --threads 2");
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (one, two) = (one.files("."), two.files("."));
    assert_eq!(names(&one), names(&two));
    for ((name, a), (_, b)) in one.iter().zip(&two) {
        assert!(a == b, "{name} differs between 1 and 2 threads");
    }
}

#[test]
fn stages_chained_by_hand_write_what_run_writes() {
    let (whole, chained) = (Project::new(PIPELINE), Project::new(PIPELINE));
    whole.ok("run p.toml");
    for line in [
        "data make tishby",
        "record p.toml",
        "estimate binning outputs/p --n-edges 30",
        "estimate binning outputs/p --bin-width 0.07",
        "check outputs/p",
        "aggregate outputs/p",
        "plot all outputs/p",
    ] {
        chained.ok(line);
    }
    let tables = |project: &Project| -> Vec<(String, Vec<u8>)> {
        project.files("outputs").into_iter().filter(|(name, _)| name.ends_with(".parquet")).collect()
    };
    assert!(tables(&whole) == tables(&chained));
}

#[test]
fn a_new_estimator_needs_no_training_and_touches_nothing_else() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let before = project.files("outputs");
    project.ok("estimate binning outputs/p --n-bins 10");
    let after = project.files("outputs");
    assert!(before.iter().all(|file| after.contains(file)), "an earlier file changed");
    let added: Vec<&str> = after.iter().filter(|f| !before.contains(f)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        added,
        [
            "p/.meta/estimates/binning-n-bins-10/r0000.json",
            "p/.meta/estimates/binning-n-bins-10/r0001.json",
            "p/estimates/binning-n-bins-10/run=r0000.parquet",
            "p/estimates/binning-n-bins-10/run=r0001.parquet",
        ]
    );
    let said = project.ok("estimate binning outputs/p --n-bins 10");
    assert_eq!(said, "estimate: up to date\n");
}

#[test]
fn stochastic_labels_reach_the_estimates() {
    let project = Project::new(PIPELINE);
    project.recording(&[0.1, 0.1, 0.9, 0.9], &[Some(0.0), Some(0.5), Some(0.5), Some(1.0)]);
    project.ok("estimate binning outputs/p --n-edges 30");
    let path = project.path("outputs/p/estimates/binning-n-edges-30/run=r0000.parquet");
    let row = &read_rows::<EstimateRow>(&path).unwrap()[0];
    // Two cells with p(y=1|t) = 1/4 and 3/4: I(X;T) = 1 bit, I(T;Y) = 1 − H_b(1/4) = 0.1887 bits.
    let h_quarter = -(0.25 * 0.25_f64.log2() + 0.75 * 0.75_f64.log2());
    assert!((row.i_xt_bits.unwrap() - 1.0).abs() < 1e-12);
    assert!((row.i_ty_bits.unwrap() - (1.0 - h_quarter)).abs() < 1e-12);
}

#[test]
fn an_interrupted_recording_resumes_at_the_first_unfinished_run() {
    let (whole, interrupted) = (Project::new(PIPELINE), Project::new(PIPELINE));
    whole.ok("run p.toml");
    interrupted.ok("run p.toml");
    // As if killed in the second run: its files half there, no manifest of it nor of the whole.
    let recording = |file: &str| interrupted.path(&format!("outputs/p/recording/{file}"));
    fs::remove_file(recording(".meta/manifest.json")).unwrap();
    fs::remove_file(recording(".meta/runs/r0001.json")).unwrap();
    fs::remove_file(recording("epochs/run=r0001/part-00000.parquet")).unwrap();
    let kept = recording("activations/layer=1/run=r0000/part-00000.parquet");
    let before = fs::metadata(&kept).unwrap().modified().unwrap();

    interrupted.ok("run p.toml");
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), before, "the finished run was recorded again");
    assert!(whole.files("outputs") == interrupted.files("outputs"));
}

#[test]
fn more_runs_are_added_to_existing_runs() {
    let (grown, whole) = (Project::new(PIPELINE), Project::new(&PIPELINE.replace("runs = 2", "runs = 3")));
    grown.ok("run p.toml");
    grown.write("p.toml", PIPELINE.replace("runs = 2", "runs = 3"));
    let kept = grown.path("outputs/p/recording/activations/layer=1/run=r0001/part-00000.parquet");
    let before = fs::metadata(&kept).unwrap().modified().unwrap();
    let said = grown.ok("run p.toml");
    assert!(
        said.contains("record: 1 run,") && said.contains("36 estimates"),
        "the earlier runs were done again: {said}"
    );
    whole.ok("run p.toml");
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), before, "an earlier run was recorded again");
    assert!(grown.files("outputs") == whole.files("outputs"));
}

#[test]
fn results_are_written_to_the_folder_of_out() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml --out elsewhere/x");
    assert!(!project.path("outputs").exists());
    project.ok("estimate binning elsewhere/x --n-bins 5 --out apart");
    assert!(project.path("apart/estimates/binning-n-bins-5/run=r0001.parquet").exists());
    project.ok("plot snapshots elsewhere/x --out apart");
    assert!(project.path("apart/figures/snapshots-binning-n-edges-30.png").exists());
    project.ok("run p.toml --out elsewhere/y");
    project.ok("aggregate elsewhere/x elsewhere/y --out both");
    let rows: Vec<SummaryRow> = read_rows(&project.path("both/summary.parquet")).unwrap();
    assert_eq!(rows.iter().filter(|row| row.experiment == "y").count(), 36);
    project.ok("plot all both");
    assert!(project.path("both/figures/y/information-plane-binning-n-edges-30.png").exists());
    // However the path is written, the table is the same.
    assert_eq!(project.ok("aggregate ./elsewhere/x elsewhere/../elsewhere/y --out both"), "aggregate: up to date\n");
}

#[test]
fn whether_results_are_up_to_date_is_decided_without_reading_the_samples() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let path = project.path("outputs/p/recording/samples.parquet");
    let (content, written) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
    // Other bytes of the same length and time: whoever reads them finds that they are not what was written.
    fs::write(&path, vec![0; content.len()]).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    assert_eq!(project.ok("estimate pipeline p.toml"), "estimate: up to date\n");
    assert_eq!(project.run("estimate pipeline p.toml --dry-run").code, 0);
    assert_eq!(project.ok("run p.toml").matches("up to date").count(), 6);
    let sentence = project.refused("estimate binning outputs/p --n-bins 9");
    assert!(sentence.contains("samples.parquet: its content was changed"), "{sentence}");
}
