//! Which samples have the same input X.

use crate::estimators::Points;
use crate::math::atoms::Cells;
use crate::store::schema::SampleRow;

/// Samples with equal X share a cell. Equal means equal `x_hash`, if there is one (X is not stored, or lost digits), otherwise
/// equal `x`.
pub(super) fn inputs(rows: &[SampleRow]) -> Cells {
    if rows.first().is_none_or(|row| row.x_hash.is_none()) {
        let n_inputs = rows.first().map_or(1, |row| row.x().len());
        let x: Vec<f32> = rows.iter().flat_map(|row| row.x()).copied().collect();
        return Cells::of_rows(&x, n_inputs);
    }
    let hashes = rows.iter().map(|row| row.x_hash.unwrap_or_default().cast_unsigned());
    let halves: Vec<u32> = hashes.flat_map(|hash| [(hash >> 32) as u32, hash as u32]).collect();
    Cells::of_rows(&halves, 2)
}

/// The values of X of every sample; `None` if they are not recorded, or not finite.
pub(super) fn input_values(rows: &[SampleRow]) -> Option<Points<'static>> {
    let n_inputs = rows.first()?.x.as_ref()?.len();
    let x: Vec<f64> = rows.iter().flat_map(|row| row.x()).copied().map(f64::from).collect();
    Points::new(x, n_inputs).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_hashes_are_equal_inputs_to_the_last_bit() {
        let row = |hash: i64| SampleRow { sample: 0, x: None, x_hash: Some(hash), y: 0, p_y1: None, target: None };
        let rows = [7, i64::MIN, 7, i64::MIN + 1, 7 << 32, -1].map(row);
        assert_eq!(inputs(&rows).numbers(), [0, 1, 0, 2, 3, 4]);
        // Also where x itself is there, which then lost digits.
        let rounded = rows.map(|row| SampleRow { x: Some(vec![0.5]), ..row });
        assert_eq!(inputs(&rounded).numbers(), [0, 1, 0, 2, 3, 4]);
    }
}
