//! Mean over runs, and the 95 % interval of the mean.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::descriptive::{mean, std};
use super::student::student_factor;

/// Mean and spread of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Their mean.
    pub mean: f64,
    /// Standard deviation (n − 1).
    pub std: f64,
    /// The 95 % interval of the mean; `None` if the numbers are equal, because the uncertainty is then unknown.
    pub range: Option<Range>,
}

/// Limits of the interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Numbers that differ by less than this share of the largest are equal: sums of thousands of terms have such rounding
/// errors.
const ROUNDING: f64 = 1e-12;

/// The mean of n independent numbers from one normal distribution with its interval, m ± t s/√n, with t the quantile of
/// Student's distribution with n − 1 degrees of freedom; `None` for fewer than two numbers. Equal numbers (from copies
/// of one run, or from an estimate at its ceiling) have s = 0, which does not prove that the mean is exact: they have
/// no interval.
///
/// # Reference
/// Student 1908, "The probable error of a mean".
pub fn mean_interval(numbers: &[f64]) -> Option<Interval> {
    let n = numbers.len() as f64;
    let factor = student_factor(numbers.len())?;
    // The first number is subtracted before and added after, so that equal numbers have no spread from rounding.
    let shifted: Vec<f64> = numbers.iter().map(|number| number - numbers[0]).collect();
    let (mean, std) = (mean(&shifted)?, std(&shifted)?);
    let half = factor * std / n.sqrt();
    let mean = numbers[0] + mean;
    let largest = numbers.iter().fold(0.0_f64, |largest, number| largest.max(number.abs()));
    let are_equal = shifted.iter().all(|difference| difference.abs() <= ROUNDING * largest);
    Some(Interval { mean, std, range: (!are_equal).then_some(Range { low: mean - half, high: mean + half }) })
}

/// Two-sided p for a mean of 0 of n independent numbers from one normal distribution, from t = m √n / s with n − 1
/// degrees of freedom; `None` if there is no interval.
pub fn p_of_zero(numbers: &[f64]) -> Option<f64> {
    let Interval { mean, std, range } = mean_interval(numbers)?;
    let n = numbers.len() as f64;
    let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    range.map(|_| 2.0 * student.cdf(-(mean.abs() * n.sqrt() / std)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(numbers: &[f64], mean: f64, std: f64, half: f64) {
        let interval = mean_interval(numbers).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{a} is not {b}");
        close(interval.mean, mean);
        close(interval.std, std);
        let range = interval.range.unwrap();
        close(range.high - mean, half);
        close(mean - range.low, half);
    }

    #[test]
    fn intervals_are_as_wide_as_students_table_says() {
        // t of 0.975 in Student's table: 12.7062047 for 1 degree of freedom, 4.3026527 for 2, 2.2621572 for 9.
        check(&[1.0, 3.0], 2.0, 2.0_f64.sqrt(), 12.706_204_7);
        check(&[1.0, 2.0, 3.0], 2.0, 1.0, 4.302_652_7 / 3.0_f64.sqrt());
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        check(&ten, 5.5, (55.0_f64 / 6.0).sqrt(), 2.262_157_2 * (55.0_f64 / 60.0).sqrt());
    }

    #[test]
    fn one_number_has_no_spread_and_equal_ones_have_no_range() {
        assert_eq!((mean_interval(&[]), mean_interval(&[1.0])), (None, None));
        let same = mean_interval(&[0.1; 7]).unwrap();
        assert_eq!((same.mean, same.std, same.range), (0.1, 0.0, None));
        assert_eq!(mean_interval(&[0.0; 3]).unwrap().range, None);
        // One rounding error is not a spread, a millionth is.
        assert_eq!(mean_interval(&[12.0, 12.0 - 2e-15, 12.0]).unwrap().range, None);
        assert!(mean_interval(&[12.0, 12.0 - 1e-6, 12.0]).unwrap().range.is_some());
    }
}
