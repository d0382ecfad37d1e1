//! Which rows are equal: the distinct values of a discrete vector, numbered in the order of their first appearance.

use rustc_hash::FxHashMap;

/// For every row of `codes` (rows of `width` integers), the number of its distinct value.
///
/// Rows are compared whole; a collision of hashes costs time, never a wrong number.
pub fn first_seen(codes: &[i32], width: usize) -> Vec<u32> {
    let mut numbers: FxHashMap<&[i32], u32> = FxHashMap::default();
    codes
        .chunks_exact(width)
        .map(|row| {
            let next = numbers.len() as u32;
            *numbers.entry(row).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_get_equal_numbers_in_order_of_appearance() {
        assert_eq!(first_seen(&[1, 2, 3, 4, 1, 2, 1, 3], 2), [0, 1, 0, 2]);
        assert_eq!(first_seen(&[-1, 0, -1], 1), [0, 1, 0]);
    }
}
