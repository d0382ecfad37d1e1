//! Variational lower bounds on information from scores of pairs: values, and derivatives with respect to the scores.
//!
//! `scores` is n × n, row-major: S_ij is the score that a critic gives to a_i and b_j. The n pairs (a_i, b_i) are samples of
//! p(a, b); the n(n − 1) pairs with i ≠ j are samples of p(a) p(b).
//!
//! # Reference
//! InfoNCE: van den Oord et al. 2018. NWJ: Nguyen, Wainwright & Jordan 2010, written for a critic of ln p(a,b)/p(a)p(b), so
//! that a critic of 0 gives 0. DV: Donsker & Varadhan 1983, as in MINE (Belghazi et al. 2018). Poole et al. 2019 compare them.

/// Which bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariationalBound {
    /// (1/n) Σ_i [S_ii − ln (1/n) Σ_j e^S_ij]: at most ln n.
    InfoNce,
    /// (1/n) Σ_i S_ii + 1 − mean of e^S_ij over i ≠ j.
    Nwj,
    /// (1/n) Σ_i S_ii − ln of the mean of e^S_ij over i ≠ j.
    Dv,
}

/// Sums over the score matrices of several batches of equal size, from which a bound follows.
#[derive(Debug, Clone, Default)]
pub struct BatchSums {
    /// Mean of S_ii, for every batch.
    own: Vec<f64>,
    /// Mean over i of ln (1/n) Σ_j e^S_ij, for every batch.
    by_row: Vec<f64>,
    /// ln of the mean of e^S_ij over i ≠ j, for every batch.
    others: Vec<f64>,
}

impl BatchSums {
    /// Adds the `scores` of a batch of `n` samples, at least 2.
    pub fn add(&mut self, scores: &[f64], n: usize) {
        self.own.push((0..n).map(|i| scores[i * (n + 1)]).sum::<f64>() / n as f64);
        let of_row = |row: &[f64]| log_sum_exp(row.iter().copied()) - (n as f64).ln();
        self.by_row.push(scores.chunks_exact(n).map(of_row).sum::<f64>() / n as f64);
        self.others.push(log_mean_of_others(scores, n));
    }

    /// The bound, in nats.
    pub fn value(&self, bound: VariationalBound) -> f64 {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let own = mean(&self.own);
        let log_mean = || log_sum_exp(self.others.iter().copied()) - (self.others.len() as f64).ln();
        match bound {
            VariationalBound::InfoNce => own - mean(&self.by_row),
            VariationalBound::Nwj => own + 1.0 - log_mean().exp(),
            VariationalBound::Dv => own - log_mean(),
        }
    }
}

/// Replaces the `scores` of a batch of `n` samples with the derivatives ∂(bound)/∂S_ij.
pub fn differentiate(bound: VariationalBound, scores: &mut [f64], n: usize) {
    let of_own = 1.0 / n as f64;
    if bound == VariationalBound::InfoNce {
        for (i, row) in scores.chunks_exact_mut(n).enumerate() {
            let shift = largest(row);
            row.iter_mut().for_each(|score| *score = (*score - shift).exp());
            let total: f64 = row.iter().sum();
            row.iter_mut().for_each(|power| *power *= -of_own / total);
            row[i] += of_own;
        }
        return;
    }
    let diagonal = || (0..n).map(|i| i * (n + 1));
    diagonal().for_each(|own| scores[own] = f64::NEG_INFINITY);
    let shift = if bound == VariationalBound::Dv { largest(scores) } else { 0.0 };
    scores.iter_mut().for_each(|score| *score = (*score - shift).exp());
    let total = if bound == VariationalBound::Dv { scores.iter().sum() } else { (n * (n - 1)) as f64 };
    scores.iter_mut().for_each(|power| *power *= -1.0 / total);
    diagonal().for_each(|own| scores[own] = of_own);
}

/// ln of the mean of e^S_ij over i ≠ j.
fn log_mean_of_others(scores: &[f64], n: usize) -> f64 {
    let others = scores.chunks_exact(n).enumerate().map(|(i, row)| {
        let (before, after) = (&row[..i], &row[i + 1..]);
        log_sum_exp(before.iter().chain(after).copied())
    });
    log_sum_exp(others.collect::<Vec<f64>>().into_iter()) - ((n * (n - 1)) as f64).ln()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// ln Σ e^v.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [VariationalBound; 3] = [VariationalBound::InfoNce, VariationalBound::Nwj, VariationalBound::Dv];

    fn value(bound: VariationalBound, scores: &[f64], n: usize) -> f64 {
        let mut sums = BatchSums::default();
        sums.add(scores, n);
        sums.value(bound)
    }

    #[track_caller]
    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-12, "{got} is not {expected}");
    }

    #[test]
    fn two_pairs_have_the_values_of_the_formulas() {
        // S = [[ln 4, 0], [ln 2, ln 3]]: e^S = [[4, 1], [2, 3]].
        let scores = [4.0_f64.ln(), 0.0, 2.0_f64.ln(), 3.0_f64.ln()];
        let own = 12.0_f64.ln() / 2.0;
        close(value(VariationalBound::InfoNce, &scores, 2), own - (2.5_f64.ln() + 2.5_f64.ln()) / 2.0);
        close(value(VariationalBound::Nwj, &scores, 2), own + 1.0 - 1.5);
        close(value(VariationalBound::Dv, &scores, 2), own - 1.5_f64.ln());
    }

    #[test]
    fn batches_are_averaged_where_the_bound_has_a_mean() {
        let (first, second) = ([4.0_f64.ln(), 0.0, 2.0_f64.ln(), 3.0_f64.ln()], [0.0, 5.0_f64.ln(), 0.0, 0.0]);
        let mut sums = BatchSums::default();
        sums.add(&first, 2);
        sums.add(&second, 2);
        let own = 12.0_f64.ln() / 4.0;
        // The mean of e^S over the four pairs with i ≠ j is (1 + 2 + 5 + 1)/4.
        close(sums.value(VariationalBound::Nwj), own + 1.0 - 2.25);
        close(sums.value(VariationalBound::Dv), own - 2.25_f64.ln());
        close(sums.value(VariationalBound::InfoNce), own - (2.0 * 2.5_f64.ln() + 3.0_f64.ln()) / 4.0);
    }

    #[test]
    fn a_constant_critic_has_no_information_and_a_perfect_one_reaches_the_ceiling_of_infonce() {
        for bound in ALL {
            close(value(bound, &[0.0; 25], 5), 0.0);
        }
        let diagonal: Vec<f64> = (0..25).map(|place| if place % 6 == 0 { 0.0 } else { -800.0 }).collect();
        close(value(VariationalBound::InfoNce, &diagonal, 5), 5.0_f64.ln());
        // Scores that e^S cannot represent.
        close(value(VariationalBound::Dv, &diagonal, 5), 800.0);
        close(value(VariationalBound::Nwj, &diagonal, 5), 1.0);
    }

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        let n = 4;
        let scores: Vec<f64> = (0..n * n).map(|place| (place as f64 * 1.7).sin() * 2.0).collect();
        for bound in ALL {
            let mut derivatives = scores.clone();
            differentiate(bound, &mut derivatives, n);
            for place in 0..n * n {
                let shifted = |step: f64| {
                    let mut scores = scores.clone();
                    scores[place] += step;
                    value(bound, &scores, n)
                };
                // Errors: step²/6 times a third derivative of about 1, and 1e-16/step.
                let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((slope - derivatives[place]).abs() < 1e-9, "{bound:?} {place}: {slope} {}", derivatives[place]);
            }
        }
    }
}
