//! The factor of a standard error in a 95 % interval.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Confidence level.
const CONFIDENCE: f64 = 0.95;

/// The factor t of the standard error in the interval m ± t s, if s is from `n` numbers of one normal distribution: the quantile
/// of Student's distribution with n − 1 degrees of freedom; `None` for fewer than two numbers.
pub fn student_factor(n: usize) -> Option<f64> {
    let student = (n > 1).then(|| StudentsT::new(0.0, 1.0, n as f64 - 1.0))?.ok()?;
    Some(student.inverse_cdf(0.5 + CONFIDENCE / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles from the tables of Student's distribution (2.5 % in each tail).
    #[test]
    fn factors_are_the_tabulated_quantiles() {
        assert_eq!((student_factor(0), student_factor(1)), (None, None));
        for (n, expected) in [(2, 12.706), (5, 2.776), (20, 2.093)] {
            assert!((student_factor(n).unwrap() - expected).abs() < 1e-3, "{n}");
        }
    }
}
