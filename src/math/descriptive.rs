//! Mean, standard deviation, median, and first maximum of some numbers.

/// The mean x̄ = Σᵢ xᵢ / n; `None` without numbers.
pub fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

/// Σᵢ xᵢ².
pub fn squared_norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum()
}

/// The standard deviation of a sample, √(Σᵢ (xᵢ − x̄)² / (n − 1)); `None` for fewer than two numbers.
#[cfg(any(feature = "pipeline", test))]
pub fn std(numbers: &[f64]) -> Option<f64> {
    let squares = squared_deviations(numbers).filter(|_| numbers.len() > 1)?;
    Some((squares / (numbers.len() as f64 - 1.0)).sqrt())
}

/// The variance of a population, Σᵢ (xᵢ − x̄)² / n; `None` without numbers.
pub fn population_variance(numbers: &[f64]) -> Option<f64> {
    Some(squared_deviations(numbers)? / numbers.len() as f64)
}

fn squared_deviations(numbers: &[f64]) -> Option<f64> {
    let mean = mean(numbers)?;
    Some(numbers.iter().map(|number| (number - mean).powi(2)).sum())
}

/// The median: the middle number, or the mean of the two middle numbers; `None` without numbers.
#[cfg(any(feature = "pipeline", test))]
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let n = numbers.len();
    let (below, above) = (numbers.get(n.checked_sub(1)? / 2)?, numbers.get(n / 2)?);
    Some((below + above) / 2.0)
}

/// The first of the pairs (position, value) with the largest value; `None` without pairs.
#[cfg(any(feature = "pipeline", test))]
pub fn first_largest<P: Copy>(pairs: &[(P, f64)]) -> Option<(P, f64)> {
    pairs.iter().copied().reduce(|largest, next| if next.1 > largest.1 { next } else { largest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_spreads_and_medians_are_those_of_a_table_made_by_hand() {
        // 1, 2, 3, 6: mean 3; squares 4 + 1 + 0 + 9 = 14 over 3, or over 4; the middle is between 2 and 3.
        let numbers = [6.0, 1.0, 3.0, 2.0];
        assert_eq!((mean(&numbers), median(numbers.to_vec())), (Some(3.0), Some(2.5)));
        assert!((std(&numbers).unwrap() - (14.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(population_variance(&numbers), Some(3.5));
        assert_eq!((mean(&[]), std(&[]), population_variance(&[]), median(vec![])), (None, None, None, None));
        assert_eq!((mean(&[2.0]), std(&[2.0]), median(vec![2.0])), (Some(2.0), None, Some(2.0)));
        assert_eq!((population_variance(&[2.0]), median(vec![3.0, 1.0, 2.0])), (Some(0.0), Some(2.0)));
    }

    #[test]
    fn of_several_largest_values_the_first_is_found() {
        assert_eq!(first_largest(&[(0, 1.0), (1, 4.0), (2, 3.0), (3, 4.0)]), Some((1, 4.0)));
        assert_eq!(first_largest::<i32>(&[]), None);
    }
}
