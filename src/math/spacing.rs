//! Schedules of recorded epochs.

/// Logarithmically spaced whole numbers in 1..=`last`: the distinct integer parts of `count` points 2^u with u evenly
/// spaced over [0, log2 `last`].
///
/// # Reference
/// Shwartz-Ziv & Tishby 2017, released code: `unique(int(logspace(log2 1, log2 E, n, base 2)))`, from which it
/// subtracts 1 to get its epoch indices. As there, rounding may make the last point smaller than `last`.
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

/// The recorded epochs of Saxe's network on Tishby's task: all of the first 20, then every 5th, from 100 every 20th,
/// from 2000 every 100th. The paper counts epochs from 0 and records after the epoch; here they are counted from 1.
///
/// # Reference
/// Saxe et al. 2018, released code (`do_report` of `IBnet_SaveActivations`).
pub fn saxe(n_epochs: u64) -> Vec<u64> {
    saxe_with(n_epochs, |e| e.is_multiple_of(if e < 2000 { 20 } else { 100 }))
}

/// The recorded epochs of Saxe's network on MNIST: as on Tishby's task, but from 100 every 10th, from 200 every 100th
/// (`MNIST_SaveActivations`).
pub fn saxe_mnist(n_epochs: u64) -> Vec<u64> {
    saxe_with(n_epochs, |e| e.is_multiple_of(if e < 200 { 10 } else { 100 }))
}

fn saxe_with(n_epochs: u64, from_100: fn(u64) -> bool) -> Vec<u64> {
    let is_recorded = |e: &u64| match e {
        0..20 => true,
        20..100 => e.is_multiple_of(5),
        _ => from_100(*e),
    };
    (0..n_epochs).filter(is_recorded).map(|e| e + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Numbers of epochs and last index (ours − 1) in the released code and in the saved run of the authors.
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
    fn as_many_epochs_as_saxes_code_saves() {
        // 211 and 144 files, the last from epoch 9900 counted from 0.
        let (ib, mnist) = (saxe(10_000), saxe_mnist(10_000));
        assert_eq!((ib.len(), ib[0], ib[210]), (211, 1, 9901));
        assert_eq!((mnist.len(), mnist[0], mnist[143]), (144, 1, 9901));
    }

    #[test]
    fn one_point_is_the_first() {
        assert_eq!(log_spaced(1, 100), [1]);
        assert_eq!(log_spaced(5, 1), [1]);
    }
}
