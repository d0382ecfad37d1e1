//! Ranks of numbers.

/// The rank of each number, from 1; equal numbers have the mean of their ranks.
pub fn ranks(numbers: &[f64]) -> Vec<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_share_the_mean_of_their_ranks() {
        // scipy.stats.rankdata, method "average".
        assert_eq!(ranks(&[3.0, -1.0, 3.0, 0.0, -0.0, 3.0]), [5.0, 1.0, 5.0, 2.5, 2.5, 5.0]);
        assert_eq!(ranks(&[]), Vec::<f64>::new());
    }
}
