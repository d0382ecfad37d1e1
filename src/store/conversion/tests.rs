//! Which conversions are made, which are refused, and with which messages.
#![cfg(test)]

use arrow::array::{
    BooleanArray, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int8Array, Int64Array, LargeListArray,
    LargeStringArray, ListArray, StringArray, StringViewArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int32Type};

use super::*;

/// The rows of a list column of our type; `None` for a null row.
fn rows(array: &ArrayRef) -> Vec<Option<Vec<f32>>> {
    let row = |row: Option<ArrayRef>| row.map(|row| row.as_primitive::<Float32Type>().values().to_vec());
    array.as_fixed_size_list().iter().map(row).collect()
}

fn wanted(data_type: DataType, is_nullable: bool) -> Schema {
    Schema::new(vec![Field::new("t", data_type, is_nullable)])
}

/// A column read by a table in one batch, or the error.
fn read(array: ArrayRef, wanted: &Schema) -> Result<ArrayRef, String> {
    let batch = RecordBatch::try_from_iter([("t", array)]).unwrap();
    let conversion = Conversion::new(&batch.schema(), wanted);
    let converted = conversion.and_then(|mut conversion| conversion.apply(batch));
    converted.map(|batch| Arc::clone(batch.column(0))).map_err(|unreadable| unreadable.problem)
}

fn read_lists(array: ArrayRef) -> Result<Vec<Option<Vec<f32>>>, String> {
    read(array, &wanted(lists::data_type(0), false)).map(|array| rows(&array))
}

fn list_of(values: &[Option<Vec<Option<f32>>>]) -> ListArray {
    ListArray::from_iter_primitive::<Float32Type, _, _>(values.iter().cloned())
}

/// Lists of one length made from an array.
fn fixed(values: ArrayRef, width: i32) -> ArrayRef {
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    Arc::new(arrow::array::FixedSizeListArray::new(item, width, values, None))
}

#[test]
fn numbers_of_any_type_become_the_same_floats() {
    let whole: ArrayRef = Arc::new(Float32Array::from(vec![1.0, 2.0, 0.0, 5.0]));
    let expected = vec![Some(vec![1.0, 2.0]), Some(vec![0.0, 5.0])];
    use DataType::{Float16, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    for data_type in [Float16, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64] {
        let values = cast(&whole, &data_type).unwrap();
        assert_eq!(read_lists(fixed(values, 2)).unwrap(), expected, "{data_type}");
    }
    let decimals = Decimal128Array::from(vec![125, -50]).with_precision_and_scale(9, 2).unwrap();
    assert_eq!(read_lists(fixed(Arc::new(decimals), 2)).unwrap(), [Some(vec![1.25, -0.5])]);
    let bits: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
    assert_eq!(read_lists(fixed(bits, 1)).unwrap(), [Some(vec![1.0]), Some(vec![0.0])]);
}

#[test]
fn conversion_keeps_nan_and_refuses_overflow() {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY, 0.1, -1e-60]));
    let read = read_lists(fixed(values, 4)).unwrap()[0].clone().unwrap();
    assert!(read[0].is_nan() && read[1] == f32::INFINITY && read[2] == 0.1_f32 && read[3] == 0.0);
    let beyond: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 0.0, 0.0, -1e39]));
    let expected = "row 1 contains -1e39, which is outside the range of float32 (at most 3.4e38), the type of stored values; scale the values before writing";
    assert_eq!(read_lists(fixed(beyond, 2)).unwrap_err(), expected);
}

#[test]
fn integers_are_exact_or_refused() {
    // 2^24 + 1 is the first whole number that f32 cannot represent.
    let values = |last: i64| fixed(Arc::new(Int64Array::from(vec![1 << 24, -(1 << 40), 3, last])), 2);
    assert!(read_lists(values(i64::MIN)).is_ok());
    for last in [(1 << 24) + 1, i64::MAX] {
        let error = read_lists(values(last)).unwrap_err();
        assert!(error.starts_with(&format!("row 1 contains {last}, which float32, the type of stored values, cannot")));
    }
    // As f32 it is 2^64, which saturating conversions turn into the largest 64-bit number.
    let largest: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert!(read_lists(fixed(largest, 1)).unwrap_err().contains("contains 18446744073709551615, which float32"));
}

#[test]
fn integers_fit_or_are_refused() {
    let labels = |values: Vec<i64>| read(Arc::new(Int64Array::from(values)), &wanted(DataType::Int32, false));
    let read_labels = labels(vec![0, -5, i64::from(i32::MAX)]).unwrap();
    assert_eq!(read_labels.as_primitive::<Int32Type>().values(), &[0, -5, i32::MAX]);
    let expected = "row 1 contains 3000000000, which does not fit into int32 (from -2147483648 to 2147483647); use smaller numbers";
    assert_eq!(labels(vec![0, 3_000_000_000]).unwrap_err(), expected);
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.0]));
    let expected = "must be int32 or another integer type, got float64; cast it: values.astype(np.int32)";
    assert_eq!(read(floats, &wanted(DataType::Int32, false)).unwrap_err(), expected);
    let words: ArrayRef = Arc::new(StringArray::from(vec!["cat"]));
    let error = read(words, &wanted(DataType::Int32, false)).unwrap_err();
    assert!(error.ends_with("got string; number them: np.unique(values, return_inverse=True)[1]"), "{error}");
}

#[test]
fn floats_of_other_widths_are_read_as_float64() {
    let singles: ArrayRef = Arc::new(Float32Array::from(vec![0.5]));
    for values in [cast(&singles, &DataType::Float16).unwrap(), singles] {
        let read = read(values, &wanted(DataType::Float64, true)).unwrap();
        assert_eq!(read.as_primitive::<Float64Type>().values(), &[0.5]);
    }
    let nothing = read(new_null_array(&DataType::Null, 2), &wanted(DataType::Float64, true)).unwrap();
    assert_eq!((nothing.len(), nothing.null_count()), (2, 2));
    let error = read(new_null_array(&DataType::Null, 2), &wanted(DataType::Float64, false)).unwrap_err();
    assert!(error.contains("got null"), "{error}");
}

#[test]
fn texts_of_any_kind_are_read() {
    let words = ["train", "test", "train"];
    let keys = Int8Array::from(vec![0, 1, 0]);
    let dictionary = DictionaryArray::<Int8Type>::new(keys, Arc::new(StringArray::from(words[..2].to_vec())));
    let kinds: [ArrayRef; 3] = [
        Arc::new(LargeStringArray::from(words.to_vec())),
        Arc::new(StringViewArray::from(words.to_vec())),
        Arc::new(dictionary),
    ];
    for kind in kinds {
        let read = read(kind, &wanted(DataType::Utf8, false)).unwrap();
        assert!(read.as_string::<i32>().iter().flatten().eq(words));
    }
}

#[test]
fn lists_of_one_length_are_read_and_others_named_by_their_row() {
    let some = |values: &[f32]| Some(values.iter().copied().map(Some).collect::<Vec<_>>());
    let read_those = |values: &[Option<Vec<Option<f32>>>]| read_lists(Arc::new(list_of(values)));
    let expected = vec![Some(vec![1.0, 2.0]), Some(vec![3.0, 4.0])];
    assert_eq!(read_those(&[some(&[1.0, 2.0]), some(&[3.0, 4.0])]).unwrap(), expected);
    // A slice that starts in the middle of the values.
    let sliced = list_of(&[some(&[9.0]), some(&[1.0, 2.0]), some(&[3.0, 4.0])]).slice(1, 2);
    assert_eq!(read_lists(Arc::new(sliced)).unwrap(), expected);
    let large = LargeListArray::from_iter_primitive::<Float64Type, _, _>([Some([Some(1.0), Some(2.0)])]);
    assert_eq!(read_lists(Arc::new(large)).unwrap(), [Some(vec![1.0, 2.0])]);
    let refused: [(&[_], &str); 4] = [
        (&[some(&[1.0, 2.0]), some(&[3.0])], "row 1 contains a list of 1 entries, the first has 2; all lists"),
        (&[some(&[1.0]), Some(vec![None])], "row 1 contains a null inside its list; write a number"),
        (&[some(&[1.0]), None], "row 1 contains a null; every row needs a list of numbers"),
        (&[some(&[])], "row 0 contains an empty list"),
    ];
    for (values, expected) in refused {
        let error = read_those(values).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn nested_lists_are_flattened_row_by_row() {
    // Two samples of two channels of 1 × 3.
    let values: ArrayRef = Arc::new(Float32Array::from((0..12).map(|v| v as f32).collect::<Vec<_>>()));
    let maps = fixed(fixed(fixed(values, 3), 1), 2);
    let expected = vec![Some((0..6).map(|v| v as f32).collect()), Some((6..12).map(|v| v as f32).collect())];
    assert_eq!(read_lists(Arc::clone(&maps)).unwrap(), expected);
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    let list = |inner| DataType::List(item(inner));
    let lists = cast(&maps, &list(DataType::LargeList(item(list(DataType::Float32))))).unwrap();
    assert_eq!(read_lists(lists).unwrap(), expected);
    // The third of four inner lists, in the second row, is shorter.
    let some = |n: usize| Some(vec![Some(0.5); n]);
    let ragged = fixed(Arc::new(list_of(&[some(2), some(2), some(1), some(2)])), 2);
    assert!(read_lists(ragged).unwrap_err().starts_with("row 1 contains a list of 1 entries, the first has 2"));
    let with_null = fixed(Arc::new(list_of(&[some(1), some(1), some(1), Some(vec![None])])), 2);
    assert!(read_lists(with_null).unwrap_err().starts_with("row 1 contains a null inside its list"));
}

#[test]
fn lists_that_may_be_null_keep_their_nulls() {
    let schema = wanted(lists::data_type(1), true);
    let some = |values: &[f32]| Some(values.iter().copied().map(Some).collect::<Vec<_>>());
    let values = [None, some(&[1.0, 2.0]), None, some(&[3.0, 4.0])];
    let read_those = |values: &[_]| read(Arc::new(list_of(values)), &schema);
    let expected = [None, Some(vec![1.0, 2.0]), None, Some(vec![3.0, 4.0])];
    assert_eq!(rows(&read_those(&values).unwrap()), expected);
    assert_eq!(rows(&read_those(&[None, None]).unwrap()), [None, None]);
    let error = read_those(&[None, some(&[1.0]), None, some(&[3.0, 4.0])]).unwrap_err();
    assert!(error.starts_with("row 3 contains a list of 2 entries, the first has 1"), "{error}");
}

#[test]
fn all_batches_have_one_width_and_rows_are_counted_through() {
    let batch = |values: Vec<f64>, width| {
        let values: ArrayRef = Arc::new(Float64Array::from(values));
        RecordBatch::try_from_iter([("t", fixed(values, width))]).unwrap()
    };
    let first = batch(vec![0.0; 6], 2);
    let mut conversion = Conversion::new(&first.schema(), &wanted(lists::data_type(0), false)).unwrap();
    assert!(conversion.converts("t") && !conversion.converts("z"));
    conversion.apply(first).unwrap();
    let error = conversion.clone().apply(batch(vec![0.0; 3], 3)).unwrap_err();
    let expected = "row 3 has 3 values, but earlier rows of the file have 2; all must have one length";
    assert_eq!((error.column.as_str(), error.problem.as_str()), ("t", expected));
    let error = conversion.apply(batch(vec![0.0, 0.0, 1e300, 0.0], 2)).unwrap_err();
    assert!(error.problem.starts_with("row 4 contains 1e300"), "{}", error.problem);
}

#[test]
fn types_have_short_names() {
    let item = |data_type: &DataType| Arc::new(Field::new("element", data_type.clone(), true));
    let list = DataType::List(item(&DataType::Float64));
    let refused = [
        (DataType::FixedSizeList(item(&DataType::Utf8View), 4), "got list[4] of string_view; write numbers"),
        (DataType::LargeList(item(&DataType::Binary)), "got list of binary; write numbers"),
        (DataType::FixedSizeList(item(&DataType::Float32), 0), "got list[0] of float32; write one value per unit"),
        (DataType::Float32, "got float32; write one list per row"),
        (DataType::Struct(vec![item(&list)].into()), "got struct; write one list per row"),
        (DataType::List(item(&DataType::List(item(&DataType::Utf8)))), "got nested list of string; write"),
    ];
    for (data_type, expected) in refused {
        let problem =
            Conversion::new(&wanted(data_type, false), &wanted(lists::data_type(0), false)).unwrap_err().problem;
        assert!(problem.starts_with("must be a list of numbers per row") && problem.contains(expected), "{problem}");
    }
}
