//! Coordinates with mean 0 and standard deviation 1, so that a distance does not depend on units of measurement.

/// Every coordinate of `values` (n_samples × n_dims, row-major, finite) shifted and divided by its standard deviation, and the
/// number of coordinates that are left: those whose values are all equal are left out.
///
/// Nothing is squared or added before the values are shifted and scaled to about 1, so values near 1e−300 or 1e9 ± 1 keep
/// their digits.
pub fn standardised(values: &[f64], n_dims: usize) -> (Vec<f64>, usize) {
    let columns: Vec<Vec<f64>> = (0..n_dims).filter_map(|dim| standardised_column(&values[dim..], n_dims)).collect();
    let n_samples = values.len() / n_dims;
    let rows = (0..n_samples).flat_map(|sample| columns.iter().map(move |column| column[sample]));
    (rows.collect(), columns.len())
}

fn standardised_column(values: &[f64], n_dims: usize) -> Option<Vec<f64>> {
    let column = || values.iter().step_by(n_dims).copied();
    let (low, high) = column().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    // Halves, because a difference of finite numbers may be infinite.
    let (middle, half_range) = (0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low);
    if low == high || half_range == 0.0 {
        return None;
    }
    let centred: Vec<f64> = column().map(|value| (0.5 * value - 0.5 * middle) / half_range).collect();
    let n = centred.len() as f64;
    let mean = centred.iter().sum::<f64>() / n;
    let variance = centred.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    Some(centred.into_iter().map(|value| (value - mean) / variance.sqrt()).collect())
}

/// The `values` (n × `n_dims`, row-major) shifted and scaled so that every coordinate has mean 0 and standard deviation 1 over
/// the samples `chosen`; a coordinate that is constant there becomes 0.
pub fn standardised_by(values: &[f64], n_dims: usize, chosen: &[usize]) -> Vec<f64> {
    let mut scaled = values.to_vec();
    let n = chosen.len() as f64;
    for dim in 0..n_dims {
        let of_chosen = || chosen.iter().map(|sample| values[sample * n_dims + dim]);
        let (low, high) =
            of_chosen().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), value| (l.min(value), h.max(value)));
        let range = high - low;
        // In units of the range, so that no square overflows.
        let mean = of_chosen().map(|value| (value - low) / range).sum::<f64>() / n;
        let variance = of_chosen().map(|value| ((value - low) / range - mean).powi(2)).sum::<f64>() / n;
        for value in scaled[dim..].iter_mut().step_by(n_dims) {
            *value = if range > 0.0 { ((*value - low) / range - mean) / variance.sqrt() } else { 0.0 };
        }
    }
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_have_mean_0_and_variance_1_and_constants_are_left_out() {
        // Means 1 and 0, standard deviations 1 and 2.
        let values = [0.0, 7.0, -2.0, 2.0, 7.0, 2.0, 0.0, 7.0, -2.0, 2.0, 7.0, 2.0];
        let (scaled, n_dims) = standardised(&values, 3);
        assert_eq!((scaled, n_dims), (vec![-1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0], 2));
        assert_eq!(standardised(&[3.0, 3.0], 1), (vec![], 0));
    }

    #[test]
    fn units_of_measurement_do_not_matter() {
        let x: Vec<f64> = (0..50).map(|i| f64::from(i).sin()).collect();
        let (expected, _) = standardised(&x, 1);
        for (factor, shift, tolerance) in
            [(1e-300, 0.0, 1e-13), (1e308, 0.0, 1e-13), (1e-12, 0.0, 1e-13), (1.0, 1e9, 1e-6)]
        {
            let (scaled, _) = standardised(&x.iter().map(|x| x * factor + shift).collect::<Vec<_>>(), 1);
            assert!(scaled.iter().zip(&expected).all(|(a, b)| (a - b).abs() < tolerance), "{factor} {shift}");
        }
    }

    #[test]
    fn mean_and_spread_are_those_of_the_chosen_samples() {
        // The first coordinate is 1, 3 for the chosen samples: mean 2, standard deviation 1. The second is constant there.
        let scaled = standardised_by(&[1.0, 7.0, 3.0, 7.0, 10.0, 9.0], 2, &[0, 1]);
        assert_eq!(scaled, [-1.0, 0.0, 1.0, 0.0, 8.0, 0.0]);
        let large = standardised_by(&[1e300, 3e300], 1, &[0, 1]);
        assert!((large[0] + 1.0).abs() < 1e-12 && (large[1] - 1.0).abs() < 1e-12, "{large:?}");
    }
}
