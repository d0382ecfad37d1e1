//! Rank correlation: whether two numbers rise and fall together.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::interval::Range;

/// A rank correlation with what chance says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankCorrelation {
    /// Spearman's ρ, from −1 to 1.
    pub rho: f64,
    /// Its 95 % interval; `None` with fewer than 4 pairs or where |ρ| = 1.
    pub range: Option<Range>,
    /// Two-sided p of no relation, by Student's t; `None` with fewer than 3 pairs.
    pub p: Option<f64>,
}

/// Spearman's ρ of the pairs (xᵢ, yᵢ), finite numbers: the correlation of their ranks, equal numbers sharing the mean of theirs.
/// `n` is the number of independent pairs, which is smaller than that of the pairs where means were taken off. `None` of fewer than
/// two pairs, and where all x or all y are equal.
///
/// The interval is that of Fisher's z with variance (1 + ρ²/2)/(n − 3); p that of t = ρ √((n − 2)/(1 − ρ²)) with n − 2 degrees of
/// freedom.
///
/// # Reference
/// Spearman 1904; Bonett & Wright 2000, "Sample size requirements for estimating Pearson, Kendall and Spearman correlations", eq. 4.
pub fn spearman(x: &[f64], y: &[f64], n: usize) -> Option<RankCorrelation> {
    let rho = correlation(&ranks(x), &ranks(y))?;
    let n = n as f64;
    let has_range = n > 3.0 && rho.abs() < 1.0;
    let range = has_range.then(|| {
        let standard_normal = Normal::new(0.0, 1.0).expect("a variance of 1");
        let half = standard_normal.inverse_cdf(0.975) * ((1.0 + rho * rho / 2.0) / (n - 3.0)).sqrt();
        Range { low: (rho.atanh() - half).tanh(), high: (rho.atanh() + half).tanh() }
    });
    let p = (n > 2.0).then(|| {
        let t = rho.abs() * ((n - 2.0) / (1.0 - rho * rho)).sqrt();
        let student = StudentsT::new(0.0, 1.0, n - 2.0).expect("more than 0 degrees of freedom");
        2.0 * student.cdf(-t)
    });
    Some(RankCorrelation { rho, range, p })
}

/// The rank of each number from 1 on; equal numbers share the mean of their ranks.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut n_below = 0;
    for ties in order.chunk_by(|a, b| numbers[*a] == numbers[*b]) {
        let rank = (2 * n_below + ties.len() + 1) as f64 / 2.0;
        ties.iter().for_each(|place| ranks[*place] = rank);
        n_below += ties.len();
    }
    ranks
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
        // scipy.stats.spearmanr of these lists: 0.8207826816681233 with p 0.08858700531354381.
        let found = spearman(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0], 5).unwrap();
        assert!((found.rho - 0.820_782_681_668_123_3).abs() < 1e-12);
        assert!((found.p.unwrap() - 0.088_587_005_313_543_81).abs() < 1e-9);
        let Range { low, high } = found.range.unwrap();
        // atanh ρ = 1.15911; ± 1.959964 √(1.33684/2) = 1.60241.
        assert!((low - (1.159_11_f64 - 1.602_41).tanh()).abs() < 1e-4 && (high - 2.761_52_f64.tanh()).abs() < 1e-4);
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
