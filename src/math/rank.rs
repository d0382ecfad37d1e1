//! Rank correlation: whether two numbers rise and fall together.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::gamma::ln_gamma;

use super::interval::Range;
use super::ranks::ranks;

/// Number of pairs up to which all orders are enumerated: 40 320.
const MOST_PERMUTED: usize = 8;

/// A rank correlation with its interval and p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankCorrelation {
    /// Spearman's ρ, from −1 to 1.
    pub rho: f64,
    /// Its 95 % interval; `None` with fewer than 4 pairs, and if |ρ| = 1.
    pub range: Option<Range>,
    /// Two-sided p for no relation; `None` with fewer than 3 pairs.
    pub p: Option<f64>,
}

/// Spearman's ρ of the pairs (xᵢ, yᵢ), finite numbers: the correlation of their ranks; equal numbers have the mean of
/// their ranks. `n` is the number of independent pairs, smaller than the number of pairs if means were subtracted.
/// `None` for fewer than two pairs, and if all x or all y are equal.
///
/// The interval is that of Fisher's z with variance (1 + ρ²/2)/(n − 3). For up to 8 pairs, all independent, p is exact:
/// the share of all orders of y with |ρ| at least as large. For more pairs it is that of t = ρ √((n − 2)/(1 − ρ²)) with
/// n − 2 degrees of freedom. If
/// |ρ| = 1, for which t would give 0, it is the share 2 ∏ k!/n! of the orders, for groups of k equal y.
///
/// # Reference
/// Spearman 1904; Bonett & Wright 2000, "Sample size requirements for estimating Pearson, Kendall and Spearman correlations", eq. 4.
pub fn spearman(x: &[f64], y: &[f64], n: usize) -> Option<RankCorrelation> {
    let (ranks_x, ranks_y) = (ranks(x), ranks(y));
    let rho = correlation(&ranks_x, &ranks_y)?;
    let is_exact = n == x.len() && n <= MOST_PERMUTED;
    let n = n as f64;
    let has_range = n > 3.0 && rho.abs() < 1.0;
    let range = has_range.then(|| {
        let standard_normal = Normal::new(0.0, 1.0).expect("a variance of 1");
        let half = standard_normal.inverse_cdf(0.975) * ((1.0 + rho * rho / 2.0) / (n - 3.0)).sqrt();
        Range { low: (rho.atanh() - half).tanh(), high: (rho.atanh() + half).tanh() }
    });
    let p = (n > 2.0).then(|| {
        if is_exact {
            return share_of_orders(&ranks_x, &ranks_y);
        }
        if rho.abs() > 1.0 - 1e-12 {
            let log_equal: f64 = group_sizes(&ranks_y).iter().map(|k| ln_gamma(*k as f64 + 1.0)).sum();
            return (2.0 * (log_equal - ln_gamma(n + 1.0)).exp()).min(1.0);
        }
        let t = rho.abs() * ((n - 2.0) / (1.0 - rho * rho)).sqrt();
        let student = StudentsT::new(0.0, 1.0, n - 2.0).expect("more than 0 degrees of freedom");
        2.0 * student.cdf(-t)
    });
    Some(RankCorrelation { rho, range, p })
}

/// Number of occurrences of each rank.
fn group_sizes(ranks: &[f64]) -> Vec<usize> {
    let mut sorted = ranks.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect()
}

/// The share of all orders of the ranks y for which |ρ| with x is at least as large. Ranks are multiples of ½, so
/// nothing is rounded.
fn share_of_orders(x: &[f64], y: &[f64]) -> f64 {
    let doubled = |ranks: &[f64]| -> Vec<i64> { ranks.iter().map(|rank| (2.0 * rank) as i64).collect() };
    let (x, mut y) = (doubled(x), doubled(y));
    let n = x.len();
    let of_means = x.iter().sum::<i64>() * y.iter().sum::<i64>();
    let covariance = |y: &[i64]| (n as i64 * x.iter().zip(y).map(|(x, y)| x * y).sum::<i64>() - of_means).abs();
    let found = covariance(&y);
    let (mut n_orders, mut n_as_large) = (1_u64, 1_u64);
    // Heap's algorithm: each step swaps two.
    let mut counts = vec![0; n];
    let mut i = 1;
    while i < n {
        if counts[i] < i {
            y.swap(if i % 2 == 0 { 0 } else { counts[i] }, i);
            n_orders += 1;
            n_as_large += u64::from(covariance(&y) >= found);
            counts[i] += 1;
            i = 1;
        } else {
            counts[i] = 0;
            i += 1;
        }
    }
    n_as_large as f64 / n_orders as f64
}

/// Pearson's correlation; `None` without a spread.
fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xy += (x - mean_x) * (y - mean_y);
        xx += (x - mean_x) * (x - mean_x);
        yy += (y - mean_y) * (y - mean_y);
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlations_by_scipy() {
        // scipy.stats.spearmanr of these lists: 0.8207826816681233; 16 of the 120 orders of y have as large a |ρ|.
        let found = spearman(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0], 5).unwrap();
        assert!((found.rho - 0.820_782_681_668_123_3).abs() < 1e-12);
        assert_eq!(found.p, Some(16.0 / 120.0));
        let Range { low, high } = found.range.unwrap();
        // atanh ρ = 1.15911; ± 1.959964 √(1.33684/2) = 1.60241.
        assert!((low - (1.159_11_f64 - 1.602_41).tanh()).abs() < 1e-4 && (high - 2.761_52_f64.tanh()).abs() < 1e-4);
    }

    #[test]
    fn few_pairs_have_the_p_of_all_orders() {
        let p = |x: &[f64], y: &[f64]| spearman(x, y, x.len()).unwrap().p.unwrap();
        let line = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        for (n, n_orders) in [(3, 6.0), (4, 24.0), (5, 120.0), (8, 40_320.0)] {
            assert_eq!(p(&line[..n], &line[..n]), 2.0 / n_orders, "{n}");
        }
        assert_eq!(p(&line[..7], &[2.0, 1.0, 4.0, 3.0, 7.0, 5.0, 6.0]), 172.0 / 5040.0);
        // 2 of the 24 orders swap the equal ones in the list; none reverses the list.
        assert_eq!(p(&[1.0, 1.0, 2.0, 3.0], &[1.0, 1.0, 2.0, 3.0]), 2.0 / 24.0);
        assert_eq!(p(&line[..4], &[4.0, 3.0, 2.0, 1.0]), 2.0 / 24.0);
    }

    #[test]
    fn more_pairs_have_the_p_of_student_and_never_0() {
        let line: Vec<f64> = (0..10).map(f64::from).collect();
        let found = spearman(&line, &[3.0, 1.0, 2.0, 5.0, 4.0, 9.0, 6.0, 8.0, 7.0, 10.0], 10).unwrap();
        // 1 − 6 · 22/990, and p of 8 degrees of freedom by Abramowitz & Stegun 26.7.4.
        assert!((found.rho - 13.0 / 15.0).abs() < 1e-12 && (found.p.unwrap() - 0.001173538180155309).abs() < 1e-9);
        assert!((spearman(&line, &line, 10).unwrap().p.unwrap() * 3_628_800.0 - 2.0).abs() < 1e-9);
        // Means were subtracted: 4 of 5 pairs are independent.
        assert!((spearman(&line[..5], &line[..5], 4).unwrap().p.unwrap() - 2.0 / 24.0).abs() < 1e-12);
    }

    #[test]
    fn only_the_order_counts_and_no_spread_is_no_correlation() {
        let x = [0.1, 0.2, 3.0, 40.0];
        assert_eq!(spearman(&x, &[1.0, 2.0, 3.0, 4.0], 4).unwrap().rho, 1.0);
        assert_eq!(spearman(&x, &[9.0, 8.0, 1.0, -4.0], 4).unwrap().rho, -1.0);
        assert_eq!(spearman(&x, &[1.0; 4], 4), None);
        assert_eq!(spearman(&[], &[], 0), None);
        assert_eq!(spearman(&[1.0], &[1.0], 1), None);
    }
}
