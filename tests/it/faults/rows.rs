//! Rows that no recording can have: numbers below 0, one row twice. `inspect --validate` refuses them, and so does the stage
//! that would count them.

use std::sync::Arc;

use infoplane::estimate_id::Values;
use infoplane::stages::StageError;
use infoplane::store::schema::{EpochRow, GradientRow, Row, RunRow, SplitRow, WeightRow};
use infoplane::store::{ActivationWriter, Footer, Precision, Shape, Zeros, read_rows, write_rows};

use super::small::Small;

type Stage = fn(&Small) -> Result<(), StageError>;

const VALIDATE: Stage = |small| small.validate().map(|_| ());
const ESTIMATE: Stage = |small| small.estimate().map(|_| ());
const AGGREGATE: Stage = |small| small.aggregate().map(|_| ());

/// A table of the first run in `folder`, changed as another program could have written it, is refused by `stages` with a
/// sentence that ends in `expected`.
#[track_caller]
fn check<R: Row>(folder: &str, stages: &[Stage], expected: &str, change: impl FnOnce(&mut Vec<R>)) {
    let small = Small::foreign();
    let file = format!("p/recording/{folder}/run=r0000/part-00000.parquet");
    let mut rows: Vec<R> = read_rows(&small.project.path(&file)).unwrap();
    stages.iter().for_each(|stage| stage(&small).unwrap());
    change(&mut rows);
    write_rows(&small.project.path(""), &file, &rows, &Footer::new()).unwrap();
    for stage in stages {
        let told = stage(&small).unwrap_err().to_string();
        assert!(told.ends_with(&format!("{file}: {expected}")), "{told}");
    }
}

fn twice<R: Clone>(row: usize) -> impl FnOnce(&mut Vec<R>) {
    move |rows| rows.insert(row + 1, rows[row].clone())
}

#[test]
fn a_repeated_row_is_refused() {
    let end = "every such row must be unique";
    let stages = [VALIDATE, AGGREGATE];
    check::<EpochRow>("epochs", &stages, &format!("row 1 is the second row with epoch 0, step 0; {end}"), twice(0));
    check::<EpochRow>("epochs", &stages, &format!("row 3 is the second row with epoch 0, step 0; {end}"), |rows| {
        rows.push(rows[0].clone());
    });
    let gradients = format!("row 2 is the second row with epoch 0, step 0, layer 2, `after_step`; {end}");
    check::<GradientRow>("gradients", &stages, &gradients, twice(1));
    let ending = "row 1 is the second row of its run; `runs` has one row per run";
    check::<RunRow>("runs", &stages, ending, twice(0));
    check::<RunRow>("runs", &stages, ending, |rows| {
        rows.push(rows[0].clone());
        rows[0].epoch = 0;
        rows[0].step = 0;
    });
    check::<SplitRow>("splits", &[VALIDATE], &format!("row 4 is the second row with sample 3; {end}"), twice(3));
    let weights = format!("row 1 is the second row with epoch 0, step 0; {end}");
    check::<WeightRow>("weights/layer=1", &[VALIDATE], &weights, twice(0));
}

#[test]
fn numbers_below_0_are_refused() {
    let end = "must be 0 or greater";
    let stages = [VALIDATE, AGGREGATE];
    check::<EpochRow>("epochs", &stages, &format!("row 0, column `epoch` is -1; {end}"), |rows| rows[0].epoch = -1);
    check::<EpochRow>("epochs", &stages, &format!("row 2, column `step` is -7; {end}"), |rows| rows[2].step = -7);
    check::<GradientRow>("gradients", &stages, &format!("row 1, column `epoch` is -2; {end}"), |rows| {
        rows[1].epoch = -2;
    });
    check::<RunRow>("runs", &stages, &format!("row 0, column `step` is -1; {end}"), |rows| rows[0].step = -1);
    check::<SplitRow>("splits", &[VALIDATE], &format!("row 0, column `sample` is -1; {end}"), |rows| {
        rows[0].sample = -1;
    });
}

#[test]
fn activations_of_a_snapshot_before_the_first_are_refused() {
    for ((epoch, step), expected) in [
        ((-1, 0), "column `epoch`: contains -1; must be 0 or greater"),
        ((0, -1), "column `step`: contains -1; must be 0 or greater"),
        ((i32::MIN, i64::MIN), "column `epoch`: contains -2147483648; must be 0 or greater"),
    ] {
        let small = Small::foreign();
        let file = "p/recording/activations/layer=1/run=r0000/part-00000.parquet";
        let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: Zeros::Few };
        let samples: Arc<[i32]> = (0..8).collect();
        let root = small.project.path("");
        let mut writer = ActivationWriter::create(&root, file, shape, samples, 3, &Footer::new()).unwrap();
        writer.write(epoch, step, &[0.5; 24]).unwrap();
        writer.commit().unwrap();
        for stage in [VALIDATE, ESTIMATE] {
            let told = stage(&small).unwrap_err().to_string();
            assert!(told.ends_with(&format!("{file}, {expected}")), "{told}");
        }
    }
}

#[test]
fn a_layer_is_written_in_one_way_only() {
    // 4294967297 is 1 + 2³².
    for layer in ["01", "+1", "4294967297", "-1", "1 ", "0x1", "", "1.0"] {
        let small = Small::foreign();
        small.rename("p/recording/activations/layer=1", &format!("p/recording/activations/layer={layer}"));
        for stage in [VALIDATE, ESTIMATE] {
            let told = stage(&small).unwrap_err().to_string();
            assert!(
                told.contains(&format!("layer={layer}/run=r0000/part-00000.parquet: not a valid path of a part")),
                "{told}"
            );
        }
    }
}
