//! Coordinates with mean 0 and standard deviation 1 over some of the samples.

/// The `values` (n × `n_dims`, row-major) shifted and scaled so that every coordinate has mean 0 and standard deviation 1 over
/// the samples `chosen`; a coordinate that is constant there becomes 0.
pub fn standardised(values: &[f64], n_dims: usize, chosen: &[usize]) -> Vec<f64> {
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
    fn mean_and_spread_are_those_of_the_chosen_samples() {
        // The first coordinate is 1, 3 for the chosen samples: mean 2, standard deviation 1. The second is constant there.
        let scaled = standardised(&[1.0, 7.0, 3.0, 7.0, 10.0, 9.0], 2, &[0, 1]);
        assert_eq!(scaled, [-1.0, 0.0, 1.0, 0.0, 8.0, 0.0]);
        let large = standardised(&[1e300, 3e300], 1, &[0, 1]);
        assert!((large[0] + 1.0).abs() < 1e-12 && (large[1] - 1.0).abs() < 1e-12, "{large:?}");
    }
}
