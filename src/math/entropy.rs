//! Entropies of discrete distributions, in nats.

use crate::units::Nats;

/// −Σ p ln p over `probabilities`, with 0 ln 0 = 0.
pub fn entropy(probabilities: impl IntoIterator<Item = f64>) -> Nats {
    Nats(-probabilities.into_iter().map(p_ln_p).sum::<f64>())
}

/// The plug-in entropy H = ln N − (1/N) Σ c ln c of `counts` that sum to `n`.
pub fn entropy_of_counts(counts: impl IntoIterator<Item = u32>, n: usize) -> Nats {
    let n = n as f64;
    let sum: f64 = counts.into_iter().map(|count| p_ln_p(f64::from(count))).sum();
    Nats(n.ln() - sum / n)
}

fn p_ln_p(p: f64) -> f64 {
    if p > 0.0 { p * p.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: &[u32], expected_bits: f64) {
        let n = counts.iter().sum::<u32>() as usize;
        let got = entropy_of_counts(counts.iter().copied(), n).bits();
        assert!((got - expected_bits).abs() < 1e-12, "{got} for {counts:?}");
        let got = entropy(counts.iter().map(|c| f64::from(*c) / n as f64)).bits();
        assert!((got - expected_bits).abs() < 1e-12, "{got} for {counts:?}");
    }

    #[test]
    fn entropies_in_closed_form() {
        check(&[1], 0.0);
        check(&[0, 5], 0.0);
        check(&[1, 1], 1.0);
        check(&[1; 4096], 12.0);
        check(&[2, 1, 1], 1.5);
    }
}
