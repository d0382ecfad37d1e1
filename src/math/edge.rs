//! Cells of hashed real vectors, and the information of cells with a floor, as in EDGE.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::math::atoms::Cells;
use crate::units::Nats;

/// The number k of the neighbour that determines the bandwidth of `n` samples with `n_dims` hashed coordinates; the sample
/// itself is the first neighbour.
pub fn neighbour(n: usize, n_dims: usize) -> usize {
    let (n, d) = (n as f64, n_dims as f64);
    let exponent = 2.0 / 3.0 + 0.17 * d / (d + 1.0);
    (0.43 * n.powf(exponent) * (-1.0 / d.powi(4).max(1e4)).exp()).floor() as usize
}

/// The mean distance of the values from their `k`-th neighbour, counting the value itself as the first; 1 ≤ k ≤ N.
pub fn mean_distance(mut values: Vec<f64>, k: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    // The k nearest values are values[first..first + k]; first grows with the value.
    let (mut first, mut sum) = (0, 0.0);
    for i in 0..n {
        while first + k < n && values[first + k] - values[i] < values[i] - values[first] {
            first += 1;
        }
        sum += (values[i] - values[first]).max(values[first + k - 1] - values[i]);
    }
    sum / n as f64
}

/// The most coordinates that are hashed: ⌊log₂(N/10)⌋ of `n` samples; 0 below 20 samples.
pub fn most_coordinates(n: usize) -> usize {
    (n as f64 / 10.0).log2().max(0.0).floor() as usize
}

/// Random projections of rows of `n_dims` values on `n_projections` directions, row-major. The weight of a coordinate is
/// normal, with standard deviation 1/(s √d), s the standard deviation of the coordinate. For s ≤ `smallest_std`, the weight
/// has the standard deviation `of_small`/√d.
pub fn random_projections(
    values: &[f64],
    n_dims: usize,
    n_projections: usize,
    (smallest_std, of_small): (f64, f64),
    mut rng: ChaCha8Rng,
) -> Vec<f64> {
    let size = |dim: usize| {
        let column = || values[dim..].iter().step_by(n_dims);
        let n = column().count() as f64;
        let mean = column().sum::<f64>() / n;
        let std = (column().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        if std > smallest_std { 1.0 / std } else { of_small }
    };
    let root = (n_dims as f64).sqrt();
    let sizes: Vec<f64> = (0..n_dims).map(|dim| size(dim) / root).collect();
    let normal = |size: &f64| size * Distribution::<f64>::sample(&StandardNormal, &mut rng);
    let weights: Vec<f64> = sizes.iter().cycle().take(n_dims * n_projections).map(normal).collect();
    let dot = |row: &[f64], weights: &[f64]| -> f64 { row.iter().zip(weights).map(|(t, w)| t * w).sum() };
    let projected = |row: &[f64]| weights.chunks_exact(n_dims).map(|w| dot(row, w)).collect::<Vec<f64>>();
    values.chunks_exact(n_dims).flat_map(projected).collect()
}

/// The generator of random projections.
pub fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// The cells ⌊v/ε + `shift`⌋ of rows of coordinates v, with a width ε for every coordinate; for ε = 0 the cell is the value.
pub fn cells(values: &[f64], widths: &[f64], shift: f64) -> Cells {
    let code =
        |(value, width): (&f64, &f64)| if *width > 0.0 { ((value + shift * width) / width).floor() } else { *value };
    let codes: Vec<f64> = values.iter().zip(widths.iter().cycle()).map(code).collect();
    Cells::of_rows(&codes, widths.len())
}

/// Σ p(a,b) max(min(log₂ p(a,b)/(p(a) p(b)), `most`), `least`) over the pairs of cells that occur; `least` and `most` in
/// bits.
pub fn floored_information(a: &Cells, b: &Cells, least: f64, most: f64) -> Nats {
    let pairs = a.split_by(|sample| b.numbers()[sample]);
    let n = pairs.n_samples() as f64;
    let mut is_counted = vec![false; pairs.n_cells()];
    let mut bits = 0.0;
    for ((pair, a_cell), b_cell) in pairs.numbers().iter().zip(a.numbers()).zip(b.numbers()) {
        if std::mem::replace(&mut is_counted[*pair as usize], true) {
            continue;
        }
        let [n_ab, n_a, n_b] =
            [(&pairs, pair), (a, a_cell), (b, b_cell)].map(|(cells, cell)| f64::from(cells.counts()[*cell as usize]));
        bits += n_ab * (n_ab * n / (n_a * n_b)).log2().min(most).max(least);
    }
    Nats(bits / n * std::f64::consts::LN_2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::entropy::{Bias, CountTable};
    use crate::math::information::information;

    #[test]
    fn neighbours_and_coordinates_are_those_of_the_formulas() {
        // ⌊0.43 · 1000^0.751667 · e^−0.0001⌋ and ⌊0.43 · 500^0.828571 · e^−1/160000⌋, by Python.
        assert_eq!((neighbour(1000, 1), neighbour(500, 20)), (77, 74));
        assert_eq!([19, 20, 500, 10_240].map(most_coordinates), [0, 1, 5, 10]);
    }

    proptest! {
        #[test]
        fn distances_are_those_of_a_search_among_all_pairs(
            values in prop::collection::vec(-3_i8..40, 2..30), share in 0.0..1.0,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let k = 1 + (share * (values.len() - 1) as f64) as usize;
            let kth = |value: &f64| {
                let mut distances: Vec<f64> = values.iter().map(|other| (value - other).abs()).collect();
                distances.sort_by(f64::total_cmp);
                distances[k - 1]
            };
            let want = values.iter().map(kth).sum::<f64>() / values.len() as f64;
            prop_assert!((mean_distance(values, k) - want).abs() < 1e-12);
        }

        #[test]
        fn without_a_floor_it_is_the_information_of_the_counts(
            pairs in prop::collection::vec((0_u32..4, 0_u32..3), 1..60),
        ) {
            let (a, b): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
            let table = CountTable::new(a.len(), Bias::PlugIn);
            let (a, b) = (Cells::of_rows(&a, 1), Cells::of_rows(&b, 1));
            let got = floored_information(&a, &b, f64::NEG_INFINITY, f64::INFINITY);
            prop_assert!((got.0 - information(&a, &b, &table).0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_floor_and_a_cap_change_every_pair() {
        let cells = |codes: &[u32]| Cells::of_rows(codes, 1);
        // Pairs 00, 00, 01, 10 of 4: log₂ 8/9, 8/9, 4/3, 4/3.
        let (a, b) = (cells(&[0, 0, 0, 1]), cells(&[0, 0, 1, 0]));
        let want = (2.0 * 0.001 + 2.0 * (4.0_f64 / 3.0).log2()) / 4.0;
        assert!((floored_information(&a, &b, 0.001, 10.0).bits() - want).abs() < 1e-14);
        // Four distinct values: 2 bits, capped.
        let different = cells(&[0, 1, 2, 3]);
        assert!((floored_information(&different, &different, 0.001, 1.5).bits() - 1.5).abs() < 1e-14);
    }

    #[test]
    fn cells_are_shifted_bins_or_values() {
        let values = [0.1, 5.0, 0.4, 5.0, 0.6, 7.0, 0.9, 7.0];
        assert_eq!(cells(&values, &[0.5, 0.0], 0.0).numbers(), [0, 0, 1, 1]);
        // Shifted by 0.45 of a width: 0.1 and 0.4 are now in different bins.
        assert_eq!(cells(&values, &[0.5, 0.0], 0.45).numbers(), [0, 1, 2, 3]);
    }

    #[test]
    fn projections_have_unit_variance_whatever_the_scale_of_the_coordinates() {
        let (n, d) = (400, 3);
        let values: Vec<f64> = (0..n * d).map(|i| ((i * i) as f64 * 0.37).sin() * [1.0, 1e6, 0.0][i % d]).collect();
        let n_projections = 300;
        let got = random_projections(&values, d, n_projections, (0.0, 0.0), generator(3, 0));
        let variance = got.iter().map(|t| t * t).sum::<f64>() / got.len() as f64;
        // Two coordinates of variance 1/3: the mean of 300 sums of squares has a standard deviation of
        // (1/3) √(2 · 2/300) = 0.038; five of them.
        assert!((variance - 2.0 / 3.0).abs() < 0.2, "{variance}");
    }
}
