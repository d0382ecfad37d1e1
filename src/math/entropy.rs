//! Entropies of discrete distributions, in nats.

use crate::units::Nats;

/// −Σ p ln p over `probabilities`, with 0 ln 0 = 0.
pub fn entropy(probabilities: impl IntoIterator<Item = f64>) -> Nats {
    Nats(-probabilities.into_iter().map(p_ln_p).sum::<f64>())
}

fn p_ln_p(p: f64) -> f64 {
    if p > 0.0 { p * p.ln() } else { 0.0 }
}

/// c ln c − (c − 1) ln(c − 1), without a difference of large numbers.
fn g(c: f64) -> f64 {
    if c > 1.0 { c.ln() - (c - 1.0) * (-1.0 / c).ln_1p() } else { 0.0 }
}

/// Correction for an entropy of N samples, which is too small on average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bias {
    /// None: H of the frequencies c/N.
    PlugIn,
    /// (K − 1)/2N is added, with K the number of occupied cells.
    MillerMadow,
    /// N H − (N − 1) H₋, with H₋ the mean of the plug-in entropies with one sample left out.
    Jackknife,
}

impl Bias {
    /// All corrections, in the order of lists.
    pub const ALL: [Self; 3] = [Self::PlugIn, Self::MillerMadow, Self::Jackknife];

    /// Name of the correction in pipelines and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::PlugIn => "plug-in",
            Self::MillerMadow => "miller-madow",
            Self::Jackknife => "jackknife",
        }
    }
}

/// Entropies of partitions of N samples. For any [`Bias`], H = h − (1/N) Σ w(c) over the counts c of the cells; h and
/// the w(c) for c = 0..=N are computed once:
///
/// - plug-in: h = ln N, w(c) = c ln c
/// - Miller-Madow: h = ln N − 1/2N, w(c) = c ln c − ½ for c > 0
/// - jackknife: h = g(N), w(c) = c g(c) with g(c) = c ln c − (c − 1) ln(c − 1), which is N H − (N − 1) H₋,
///   because leaving out a sample replaces c ln c of its cell by (c − 1) ln(c − 1)
///
/// # Reference
/// Miller 1955, "Note on the bias of information estimates"; Zahl 1977, "Jackknifing an index of diversity".
#[derive(Debug, Clone)]
pub struct CountTable {
    h: f64,
    w: Vec<f64>,
}

impl CountTable {
    /// For partitions of `n` ≥ 1 samples.
    pub fn new(n: usize, bias: Bias) -> Self {
        let n_samples = n as f64;
        let (h, w): (f64, fn(f64) -> f64) = match bias {
            Bias::PlugIn => (n_samples.ln(), p_ln_p),
            Bias::MillerMadow => (n_samples.ln() - 0.5 / n_samples, |c| if c > 0.0 { c * c.ln() - 0.5 } else { 0.0 }),
            Bias::Jackknife => (g(n_samples), |c| c * g(c)),
        };
        Self { h, w: (0..=n).map(|c| w(c as f64)).collect() }
    }

    /// N.
    pub fn n_samples(&self) -> usize {
        self.w.len() - 1
    }

    /// The entropy of cells with these counts, which sum to N.
    pub fn entropy(&self, counts: &[u32]) -> Nats {
        self.of_sum(counts.iter().map(|count| self.w[*count as usize]).sum())
    }

    /// The entropy for a given Σ w(c) `sum`.
    #[inline(always)]
    pub(super) fn of_sum(&self, sum: f64) -> Nats {
        Nats(self.h - sum / self.n_samples() as f64)
    }

    /// w(c + 1) − w(c): the change of Σ w(c) if one more sample is added to a cell of `count`.
    #[inline(always)]
    pub(super) fn increment(&self, count: u32) -> f64 {
        self.w[count as usize + 1] - self.w[count as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(counts: &[u32], expected_bits: f64) {
        let n = counts.iter().sum::<u32>() as usize;
        let got = entropy(counts.iter().map(|c| f64::from(*c) / n as f64)).bits();
        assert!((got - expected_bits).abs() < 1e-12, "{got} for {counts:?}");
        let got = corrected(counts, Bias::PlugIn) / std::f64::consts::LN_2;
        assert!((got - expected_bits).abs() < 1e-12, "{got} for {counts:?}");
    }

    /// In nats.
    fn corrected(counts: &[u32], bias: Bias) -> f64 {
        CountTable::new(counts.iter().sum::<u32>() as usize, bias).entropy(counts).0
    }

    #[test]
    fn entropies_in_closed_form() {
        check(&[1], 0.0);
        check(&[0, 5], 0.0);
        check(&[1, 1], 1.0);
        check(&[1; 4096], 12.0);
        check(&[2, 1, 1], 1.5);
    }

    #[test]
    fn miller_madow_adds_half_a_cell_per_sample() {
        // Three cells, four samples: (3 − 1)/(2 · 4). An empty cell does not count.
        let expected = 1.5 * std::f64::consts::LN_2 + 0.25;
        assert!((corrected(&[2, 1, 0, 1], Bias::MillerMadow) - expected).abs() < 1e-15);
        assert!(corrected(&[7], Bias::MillerMadow).abs() < 1e-15);
    }

    #[test]
    fn the_jackknife_of_a_pair_and_of_a_single_cell() {
        // If one of two different samples is left out, nothing is uncertain: 2 ln 2 − 1 · 0.
        assert!((corrected(&[1, 1], Bias::Jackknife) - 2.0 * std::f64::consts::LN_2).abs() < 1e-15);
        // Counts 2, 1: H = ln 3 − ⅔ ln 2; without a sample of the pair ln 2 (twice), without the third 0.
        let expected =
            3.0 * (3.0_f64.ln() - 2.0 / 3.0 * std::f64::consts::LN_2) - 2.0 * (2.0 / 3.0 * std::f64::consts::LN_2);
        assert!((corrected(&[2, 1], Bias::Jackknife) - expected).abs() < 1e-15);
        assert!(corrected(&[9], Bias::Jackknife).abs() < 1e-15);
        assert_eq!(corrected(&[1], Bias::Jackknife), 0.0);
    }

    proptest! {
        #[test]
        fn the_jackknife_leaves_out_every_sample(counts in proptest::collection::vec(0..9_u32, 2..20)) {
            let n = counts.iter().sum::<u32>();
            prop_assume!(n > 1);
            let mut left_out = 0.0;
            for (cell, count) in counts.iter().enumerate() {
                for _ in 0..*count {
                    let mut rest = counts.clone();
                    rest[cell] -= 1;
                    left_out += corrected(&rest, Bias::PlugIn) / f64::from(n);
                }
            }
            let expected = f64::from(n) * corrected(&counts, Bias::PlugIn) - f64::from(n - 1) * left_out;
            // N H is below 200 · ln 20 ≈ 600, of which a few units in the last place are lost.
            prop_assert!((corrected(&counts, Bias::Jackknife) - expected).abs() < 1e-11);
        }
    }
}
