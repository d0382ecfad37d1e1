//! Recordings of other programs in the types that these programs write: the same numbers as in ours, or a sentence.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float32Type};
use infoplane::estimate_id::Values;
use infoplane::store::schema::{CheckRow, EstimateRow, SummaryRow};
use infoplane::store::{ActivationReader, CheckVerdict, Precision};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;

use crate::tool::{Project, rows};

/// Samples, units of the only layer, recorded snapshots.
const N: usize = 16;
const N_UNITS: usize = 4;
const N_SNAPSHOTS: usize = 2;

const SAMPLES: &str = "outputs/p/recording/samples.parquet";
const ACTIVATIONS: &str = "outputs/p/recording/activations/layer=1/run=r0000/part-00000.parquet";
const SPLITS: &str = "outputs/p/recording/splits/run=r0000/part-00000.parquet";
const EPOCHS: &str = "outputs/p/recording/epochs/run=r0000/part-00000.parquet";
const GRADIENTS: &str = "outputs/p/recording/gradients/run=r0000/part-00000.parquet";

/// Columns of a table.
pub(crate) type Columns = Vec<(&'static str, ArrayRef)>;

/// Writes a table as another program would, a batch a row group.
fn write(project: &Project, file: &str, table: &str, groups: &[Columns]) {
    write_with(project, file, &[("table", table)], groups);
}

/// As [`write`], with these entries in the footer.
pub(crate) fn write_with(project: &Project, file: &str, entries: &[(&str, &str)], groups: &[Columns]) {
    let path = project.path(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = |columns: &Columns| {
        RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, array)| (*name, Arc::clone(array), true)))
    };
    let batches: Vec<RecordBatch> = groups.iter().map(batch).collect::<Result<_, _>>().unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batches[0].schema(), None).unwrap();
    for (key, value) in entries.iter().chain(&[("schema_version", "3")]) {
        writer.append_key_value_metadata(KeyValue::new(format!("infoplane.{key}"), (*value).to_owned()));
    }
    for batch in batches {
        writer.write(&batch).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
}

pub(crate) fn numbers(n: usize, number: impl Fn(usize) -> i32) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values((0..n).map(number)))
}

fn reals(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

/// `values` as lists of `width`.
pub(crate) fn lists(values: ArrayRef, width: i32) -> ArrayRef {
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    Arc::new(FixedSizeListArray::new(item, width, values, None))
}

pub(crate) fn variable(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("element", item, true)))
}

/// The values of one snapshot: whole numbers from 0 to 15, which every type of numbers holds.
fn t(snapshot: usize) -> ArrayRef {
    let value = |i: usize| ((7 * i * i + 3 * snapshot * i + i / 5) % 16) as f32;
    Arc::new(Float32Array::from_iter_values((0..N * N_UNITS).map(value)))
}

fn samples() -> Columns {
    let x = Arc::new(Float32Array::from_iter_values((0..2 * N).map(|i| i as f32)));
    vec![("sample", numbers(N, |i| i as i32)), ("x", lists(x, 2)), ("y", numbers(N, |i| (i % 2) as i32))]
}

fn snapshot(index: usize, t: ArrayRef) -> Columns {
    let step: ArrayRef = Arc::new(Int64Array::from(vec![10 * index as i64; N]));
    vec![("epoch", numbers(N, |_| index as i32)), ("step", step), ("sample", numbers(N, |i| i as i32)), ("t", t)]
}

fn splits() -> Columns {
    let split = |i: usize| if i < 12 { "train" } else { "test" };
    let words = Arc::new(StringArray::from_iter_values((0..N).map(split)));
    vec![("sample", numbers(N, |i| i as i32)), ("split", words)]
}

fn epochs(accuracy_train: &[f64], accuracy_test: &[f64]) -> Columns {
    let step: ArrayRef = Arc::new(Int64Array::from(vec![0, 10]));
    vec![
        ("epoch", numbers(N_SNAPSHOTS, |i| i as i32)),
        ("step", step),
        ("loss_train_nats", reals(&[0.75, 0.25])),
        ("loss_test_nats", reals(&[0.75, 0.5])),
        ("accuracy_train", reals(accuracy_train)),
        ("accuracy_test", reals(accuracy_test)),
    ]
}

fn gradients() -> Columns {
    vec![
        ("epoch", numbers(1, |_| 1)),
        ("step", Arc::new(Int64Array::from(vec![10]))),
        ("layer", numbers(1, |_| 1)),
        ("gradient_mean_norm", reals(&[0.5])),
        ("gradient_std_norm", reals(&[0.25])),
        ("weight_norm", reals(&[2.0])),
    ]
}

fn write_activations(project: &Project, change: impl Fn(usize, ArrayRef) -> Columns) {
    let groups: Vec<Columns> = (0..N_SNAPSHOTS).map(|index| change(index, lists(t(index), N_UNITS as i32))).collect();
    write(project, ACTIVATIONS, "activations", &groups);
}

/// A recording in our types.
fn recorded() -> Project {
    let project = Project::new("");
    write(&project, SAMPLES, "samples", &[samples()]);
    write_activations(&project, snapshot);
    write(&project, SPLITS, "splits", &[splits()]);
    write(&project, EPOCHS, "epochs", &[epochs(&[0.5, 0.75], &[0.5, 1.0])]);
    write(&project, GRADIENTS, "gradients", &[gradients()]);
    project
}

/// The columns with one of them replaced.
fn with(mut columns: Columns, name: &str, change: impl Fn(&ArrayRef) -> ArrayRef) -> Columns {
    let column = columns.iter_mut().find(|(column, _)| *column == name).unwrap();
    column.1 = change(&column.1);
    columns
}

/// The columns with some of them cast.
fn as_types(columns: Columns, types: &[(&str, DataType)]) -> Columns {
    types.iter().fold(columns, |columns, (name, to)| with(columns, name, |array| cast(array, to).unwrap()))
}

#[test]
fn activations_of_any_type_are_read_as_the_same_numbers() {
    use DataType::{Float16, Float32, Float64, Int8, Int16, Int32, Int64, LargeList, UInt8, UInt16, UInt32, UInt64};
    let of_numbers = [Float16, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64]
        .map(|item| move |t: ArrayRef| lists(cast(&t, &item).unwrap(), N_UNITS as i32));
    let maps = |t: ArrayRef| lists(lists(t, 2), 2);
    let element = |item| Arc::new(Field::new("element", item, true));
    let mut kinds: Vec<Box<dyn Fn(ArrayRef) -> ArrayRef>> = of_numbers.map(|kind| Box::new(kind) as Box<_>).into();
    kinds.push(Box::new(|t| cast(&lists(t, 4), &variable(Float32)).unwrap()));
    kinds.push(Box::new(move |t| cast(&lists(t, 4), &LargeList(element(Float64))).unwrap()));
    kinds.push(Box::new(maps));
    kinds.push(Box::new(move |t| cast(&maps(t), &variable(variable(Float16))).unwrap()));
    let project = recorded();
    let path = [project.path(ACTIVATIONS)];
    for kind in kinds {
        write_activations(&project, |index, _| snapshot(index, kind(t(index))));
        let reader = ActivationReader::open(&path, Values::Activations, &[]).unwrap();
        let snapshots: Vec<(i32, i64)> = reader.snapshots().collect();
        let kind = kind(t(0)).data_type().clone();
        assert_eq!((reader.n_units(), snapshots.as_slice()), (N_UNITS, &[(0, 0), (1, 10)][..]), "{kind}");
        for index in [1, 0] {
            let expected: Vec<f32> = t(index).as_any().downcast_ref::<Float32Array>().unwrap().values().to_vec();
            assert_eq!(reader.read(index).unwrap().t, expected, "{kind}");
        }
        let is_half = kind == DataType::FixedSizeList(Arc::new(Field::new("item", Float16, true)), 4);
        assert_eq!(reader.precision() == Precision::F16, is_half, "{kind}");
    }
}

#[test]
fn every_stage_takes_the_types_of_other_programs() {
    use DataType::{
        Dictionary, Float32, Float64, Int8, Int16, Int64, LargeUtf8, Null, UInt8, UInt32, UInt64, Utf8, Utf8View,
    };
    let stages = |project: &Project| {
        project.ok("inspect outputs/p --validate");
        project.ok("estimate binning outputs/p --n-bins 3");
        project.ok("estimate binning outputs/p --n-bins 3 --samples test");
        project.ok("check outputs/p");
        project.ok("aggregate outputs/p");
        project.ok("plot all outputs/p");
        let estimates: Vec<EstimateRow> = rows(project, "outputs/p/estimates/binning-n-bins-3/run=r0000.parquet");
        let checks: Vec<CheckRow> = rows(project, "outputs/p/checks.parquet");
        let summary: Vec<SummaryRow> = rows(project, "outputs/p/summary.parquet");
        (estimates, checks, summary)
    };
    let ours = stages(&recorded());
    assert_eq!((ours.0.len(), ours.2[0].accuracy_train_mean), (N_SNAPSHOTS, Some(0.5)));
    assert_eq!(ours.2.last().unwrap().gradient_snr_mean, Some(2.0));
    for (text, small, large) in [
        (LargeUtf8, Int64, Int64),
        (Utf8View, UInt32, UInt64),
        (Dictionary(Box::new(Int8), Box::new(Utf8)), UInt8, Int16),
    ] {
        let project = recorded();
        let x = cast(&samples()[1].1, &variable(Float64)).unwrap();
        let mut of_samples = as_types(samples(), &[("sample", large.clone()), ("y", small.clone())]);
        of_samples[1].1 = x;
        of_samples.push(("p_y1", new_null_array(&Null, N)));
        write(&project, SAMPLES, "samples", &[of_samples]);
        write_activations(&project, |index, t| {
            let t = cast(&t, &variable(Float64)).unwrap();
            let types = [("epoch", small.clone()), ("step", large.clone()), ("sample", large.clone())];
            as_types(snapshot(index, t), &types)
        });
        let of_splits = as_types(splits(), &[("sample", large.clone()), ("split", text)]);
        write(&project, SPLITS, "splits", &[of_splits]);
        let types = [
            ("epoch", large.clone()),
            ("step", small.clone()),
            ("accuracy_train", Float32),
            ("loss_test_nats", Float32),
        ];
        write(&project, EPOCHS, "epochs", &[as_types(epochs(&[0.5, 0.75], &[0.5, 1.0]), &types)]);
        let types = [("layer", large.clone()), ("step", small.clone()), ("gradient_mean_norm", Float32)];
        write(&project, GRADIENTS, "gradients", &[as_types(gradients(), &types)]);
        assert!(stages(&project) == ours);
        assert!(project.run("inspect outputs/p").stdout.contains("activations"));
    }
}

/// What `estimate` and `inspect --validate` answer to a recording with these activations.
#[track_caller]
fn check_refused(change: impl Fn(usize, ArrayRef) -> Columns, expected: &str) {
    let project = recorded();
    write_activations(&project, change);
    for line in ["estimate binning outputs/p --n-bins 3", "inspect outputs/p --validate"] {
        let sentence = project.refused(line);
        assert!(sentence.contains(&format!("{ACTIVATIONS}, column `")) && sentence.contains(expected), "{sentence}");
        assert!(!sentence.contains("field:") && !sentence.contains("FixedSizeList"), "a type in full: {sentence}");
    }
}

/// The list column with rows changed: `row` gives those of the second snapshot.
fn ragged(index: usize, t: ArrayRef, row: impl Fn(usize) -> Option<Vec<Option<f32>>>) -> Columns {
    let whole = |_: usize| Some(vec![Some(0.5); N_UNITS]);
    let rows = (0..N).map(|i| if index == 1 { row(i) } else { whole(i) });
    let array = ListArray::from_iter_primitive::<Float32Type, _, _>(rows);
    with(snapshot(index, t), "t", |_| Arc::new(array.clone()))
}

#[test]
fn lists_of_different_lengths_and_nulls_are_reported_with_their_row() {
    let n_values = |n: usize| Some(vec![Some(0.5); n]);
    let shorter = |i: usize| n_values(if i == 5 { 3 } else { 4 });
    check_refused(
        |index, t| ragged(index, t, shorter),
        "column `t`: epoch 1, step 10: row 5 contains a list of 3 entries, the first has 4; all lists of a column must have one length",
    );
    // The footer counts as many values as if all were right.
    let crossed = |i: usize| n_values([4, 5, 3][i.min(2)] + usize::from(i > 2));
    check_refused(|index, t| ragged(index, t, crossed), "row 1 contains a list of 5 entries, the first has 4");
    check_refused(
        |index, t| ragged(index, t, |_| n_values(5)),
        "row 0 has 5 values, but earlier rows of the file have 4",
    );
    check_refused(
        |index, t| ragged(index, t, |i| (i != 3).then(|| vec![Some(0.5); 4])),
        "row 3 contains a null; every row",
    );
    let hole = |i: usize| Some(vec![Some(0.5), Some(0.5), (i != 7).then_some(0.5), Some(0.5)]);
    check_refused(|index, t| ragged(index, t, hole), "row 7 contains a null inside its list");
    // In our own type as well.
    let width = DataType::FixedSizeList(Arc::new(Field::new("element", DataType::Float32, true)), 4);
    let fixed = |index, t| with(ragged(index, t, hole), "t", |array| cast(array, &width).unwrap());
    check_refused(fixed, "column `t`: epoch 1, step 10: row 7 contains a null; every sample needs a value");
    check_refused(|index, t| ragged(index, t, |_| n_values(0)), "row 0 contains an empty list");
}

#[test]
fn values_beyond_our_types_are_named_by_their_row() {
    let values = |value: f64| {
        move |index: usize, t: ArrayRef| {
            let mut values = vec![0.5; N * N_UNITS];
            values[N_UNITS * 6] = value;
            with(snapshot(index, t), "t", |_| lists(reals(&values), N_UNITS as i32))
        }
    };
    check_refused(values(1e300), "epoch 0, step 0: row 6 contains 1e300, which is outside the range of float32");
    let integers = |index: usize, t: ArrayRef| {
        let values: ArrayRef = Arc::new(Int64Array::from(vec![(1_i64 << 24) + 1; N * N_UNITS]));
        with(snapshot(index, t), "t", |_| lists(Arc::clone(&values), N_UNITS as i32))
    };
    check_refused(
        integers,
        "row 0 contains 16777217, which float32, the type of stored values, cannot represent exactly; write float32",
    );
    let step = |index: usize, t: ArrayRef| {
        with(snapshot(index, t), "epoch", |_| Arc::new(Int64Array::from(vec![3_000_000_000 + index as i64; N])))
    };
    check_refused(step, "column `epoch`: 3000000000 does not fit into int32");
    // What is not finite was recorded as such: that estimate fails, others do not.
    let project = recorded();
    write_activations(&project, values(f64::NAN));
    assert_eq!(project.run("estimate binning outputs/p --n-bins 3").code, 1);
    assert!(project.refused("inspect outputs/p --validate").ends_with("sample 6, unit 0 is NaN"));
}

#[test]
fn types_that_cannot_hold_the_numbers_are_refused_with_a_remedy() {
    let one_value = |index: usize, t: ArrayRef| with(snapshot(index, t), "t", |_| reals(&[0.5; N]));
    let allowed = "must be a list of numbers per row, all of one length (float32, float16, float64 or integers), got";
    check_refused(one_value, &format!("{allowed} float64; write one list per row, even for a single value"));
    let words = |index: usize, t: ArrayRef| {
        with(snapshot(index, t), "t", |_| lists(Arc::new(StringArray::from(vec!["a"; N])), 1))
    };
    check_refused(words, &format!("{allowed} list[1] of string; write numbers: values.astype(np.float32)"));
    let real_step = |index, t| as_types(snapshot(index, t), &[("step", DataType::Float64)]);
    check_refused(
        real_step,
        "column `step`: must be int64 or another integer type, got float64; cast it: values.astype(np.int64)",
    );
}

#[test]
fn labels_of_another_type_are_reported_with_their_row() {
    let project = recorded();
    let large: ArrayRef = Arc::new(Int64Array::from_iter_values((0..N as i64).map(|i| 3_000_000_000 * (i / 5))));
    write(&project, SAMPLES, "samples", &[with(samples(), "y", |_| Arc::clone(&large))]);
    for line in ["estimate binning outputs/p --n-bins 3", "inspect outputs/p --validate"] {
        let expected = "column `y`: row 5 contains 3000000000, which does not fit into int32 (from -2147483648 to 2147483647); use smaller numbers";
        assert!(project.refused(line).ends_with(expected));
    }
    let nulls =
        |_: &ArrayRef| Arc::new(Int64Array::from_iter((0..N as i64).map(|i| (i != 9).then_some(i)))) as ArrayRef;
    write(&project, SAMPLES, "samples", &[with(samples(), "y", nulls)]);
    let sentence = project.refused("inspect outputs/p --validate");
    assert!(sentence.ends_with("column `y`: row 9 contains a null; every row needs a value"), "{sentence}");
}

/// What `check` finds of Fano's inequality in a recording with these accuracies.
fn fano(accuracy_train: &[f64; 2], accuracy_test: &[f64; 2]) -> (Project, Vec<CheckRow>) {
    let project = recorded();
    write(&project, EPOCHS, "epochs", &[epochs(accuracy_train, accuracy_test)]);
    project.ok("estimate binning outputs/p --n-bins 1");
    project.ok("check outputs/p");
    let checks = rows::<CheckRow>(&project, "outputs/p/checks.parquet");
    (project, checks.into_iter().filter(|row| row.check == "fano").collect())
}

#[test]
fn accuracies_outside_0_and_1_are_refused_and_do_not_affect_verdicts() {
    let (project, judged) = fano(&[0.5, 0.98], &[0.5, 0.97]);
    project.ok("inspect outputs/p --validate");
    // One bin holds no information; of an accuracy of (12 × 0.98 + 4 × 0.97) / 16 it needs 1 − h(0.9775) = 0.8447 bits.
    let verdicts: Vec<CheckVerdict> = judged.iter().map(|row| row.verdict).collect();
    assert_eq!(verdicts, [CheckVerdict::Passed, CheckVerdict::Violated]);
    assert!((judged[1].bound.unwrap() - 0.8447).abs() < 1e-4);

    let (percent, none) = (
        "must be a share from 0 to 1; divide by 100",
        "must be a share from 0 to 1; write null if it was not measured",
    );
    for (train, test, place, problem) in [
        // Of the first snapshot the accuracy could be a share.
        ([0.9, 98.0], [0.9, 97.0], "row 1, column `accuracy_train` is 98", percent),
        ([0.5, 1.0], [50.0, 100.0], "row 0, column `accuracy_test` is 50", percent),
        ([-1.0, -1.0], [-1.0, -1.0], "row 0, column `accuracy_train` is -1", none),
        ([0.5, 0.9], [0.5, 101.0], "row 1, column `accuracy_test` is 101", none),
    ] {
        let (project, judged) = fano(&train, &test);
        let sentence = project.refused("inspect outputs/p --validate");
        assert!(sentence.ends_with(&format!("{EPOCHS}: {place}: {problem}")), "{sentence}");
        assert_eq!(project.refused(&format!("inspect {EPOCHS} --validate")), sentence);
        let warned = project.ok("aggregate outputs/p");
        assert!(warned.contains(problem), "{warned}");
        assert_eq!(judged.len(), N_SNAPSHOTS);
        for row in judged {
            assert_eq!((row.verdict, row.value, row.bound), (CheckVerdict::Unknown, None, None));
            assert!(row.says.starts_with("recorded accuracies are not between 0 and 1"), "{}", row.says);
        }
    }
    let (project, judged) = fano(&[0.5, f64::NAN], &[0.5, 0.5]);
    assert!(project.refused("inspect outputs/p --validate").ends_with("row 1, column `accuracy_train` is not finite"));
    assert_eq!(judged[1].verdict, CheckVerdict::Unknown);
}

#[test]
fn accuracies_below_chance_do_not_affect_verdicts() {
    // Never right, as a placeholder is.
    let (project, judged) = fano(&[0.0, 0.5], &[0.0, 0.5]);
    project.ok("inspect outputs/p --validate");
    let verdicts: Vec<CheckVerdict> = judged.iter().map(|row| row.verdict).collect();
    assert_eq!(verdicts, [CheckVerdict::Unknown, CheckVerdict::Passed]);
    assert!(judged[0].says.starts_with("the accuracy is below chance"), "{}", judged[0].says);
}
