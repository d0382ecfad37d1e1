//! Which epochs to record.

/// Logarithmically spaced whole numbers in 1..=`last`: the distinct integer parts of `count` points 2^u with u evenly
/// spaced over [0, log2 `last`].
///
/// # Reference
/// Shwartz-Ziv & Tishby 2017, released code: `unique(int(logspace(log2 1, log2 E, n, base 2)))`, from which it
/// subtracts 1 to get its epoch indices. As there, rounding may put the last point just below `last`.
pub fn log_spaced(count: usize, last: u64) -> Vec<u64> {
    let top = (last as f64).log2();
    let step = if count > 1 { top / (count - 1) as f64 } else { 0.0 };
    let mut points: Vec<u64> = (0..count)
        .map(|i| if count > 1 && i == count - 1 { top } else { i as f64 * step })
        .map(|u| 2.0_f64.powf(u) as u64)
        .collect();
    points.dedup();
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    // Numbers of epochs and last index (ours − 1) as the released code and the authors' saved run have them.
    #[track_caller]
    fn check(count: usize, last: u64, n_epochs: usize, last_index: u64) {
        let points = log_spaced(count, last);
        assert_eq!((points.len(), points[points.len() - 1] - 1), (n_epochs, last_index));
        assert_eq!(points[0], 1);
        assert!(points.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn as_many_epochs_as_the_released_code_records() {
        check(400, 8000, 274, 7999);
        check(400, 10_000, 279, 9998);
        check(1800, 10_000, 964, 9998);
    }

    #[test]
    fn one_point_is_the_first() {
        assert_eq!(log_spaced(1, 100), [1]);
        assert_eq!(log_spaced(5, 1), [1]);
    }
}
