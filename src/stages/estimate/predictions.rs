//! Ŷ, the class predicted by a network, at one group of snapshots.

use std::collections::BTreeMap;

use super::pools::Group;
use super::snapshots::{GroupValues, Rows, chosen};
use crate::estimate_id::Samples;
use crate::math::atoms::Cells;

/// For each selection of samples, the cells of equal Ŷ; none if the output is not recorded or is not of a classifier.
pub(super) type Predictions = BTreeMap<Samples, Cells>;

/// The predictions for the `rows` at a group of snapshots, from the values `read` from the output.
pub(super) fn predictions(read: &GroupValues, group: &Group, rows: &BTreeMap<Samples, Vec<Rows>>) -> Predictions {
    let of_rows = |(samples, rows): (&Samples, &Vec<Rows>)| {
        Some((*samples, predicted(&chosen(read, group, rows), read.n_units)?))
    };
    rows.iter().filter_map(of_rows).collect()
}

/// The index of the largest of `n_units` outputs (the first of equal outputs); for a single output, whether it is above 1/2, if
/// all outputs are probabilities. `None` if there are no such classes, or if a value is not finite.
fn predicted(outputs: &[f32], n_units: usize) -> Option<Cells> {
    let class = |row: &[f32]| match row {
        [probability] => u32::from(*probability > 0.5),
        row => {
            row.iter().enumerate().fold(0, |best, (unit, value)| if *value > row[best] { unit } else { best }) as u32
        }
    };
    let is_class = |value: &f32| if n_units == 1 { (0.0..=1.0).contains(value) } else { value.is_finite() };
    let classes: Vec<u32> = outputs.chunks_exact(n_units.max(1)).map(class).collect();
    (!classes.is_empty() && outputs.iter().all(is_class)).then(|| Cells::of_rows(&classes, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_is_the_largest_output() {
        let classes = |outputs: &[f32], n_units| predicted(outputs, n_units).map(|cells| cells.numbers().to_vec());
        assert_eq!(classes(&[0.2, 0.3, 0.5, -9.0, -3.0, -4.0, 0.5, 0.5, 0.0], 3), Some(vec![0, 1, 2]));
        assert_eq!(classes(&[0.2, 0.7, 0.5], 1), Some(vec![0, 1, 0]));
        assert_eq!(classes(&[0.2, 1.7], 1), None);
        assert_eq!(classes(&[0.2, f32::NAN], 2), None);
    }
}
