//! The exact mean of the plug-in information if the mask is independent of the outcome.

use statrs::function::factorial::ln_factorial;

use super::counts::{MaskCounts, divergence};
use crate::units::Nats;

/// The plug-in information I(outcome; U) of a table under independence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PermutationFloor {
    /// E I.
    pub information: Nats,
    /// Statistics that need the whole distribution of I; `None` if there are too many different tables.
    pub spread: Option<FloorSpread>,
}

/// Statistics of the whole distribution of I under independence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FloorSpread {
    /// Standard deviation of I.
    pub information_std: Nats,
    /// E √2I.
    pub bound: f64,
    /// Standard deviation of √2I.
    pub bound_std: f64,
}

/// Maximum number of different tables of half of the cells before equal ones are merged.
const MOST_HALVES: usize = 1 << 16;
/// Maximum number of different tables for √2I: 2²⁴ need about 50 ms.
const MOST_TABLES: usize = 1 << 24;
/// Sums are merged if they agree to 2⁻⁴⁰: equal sums differ by rounding, and different ones by much more.
const MERGED: f64 = (1_u64 << 40) as f64;

impl MaskCounts {
    /// The means of I and √2I over all assignments of the masks to the outcomes (with the counts of outcomes and of
    /// masks fixed): among the c members of a cell, a hypergeometric number a has the second sample of the pair trained
    /// on.
    ///
    /// E I is a sum over cells and costs O(N). E √2I needs the distribution of Σ c kl(a/c ‖ K/N): the cells are divided
    /// into two halves, the tables of each half are listed as (ones, sum), equal ones are merged, and all pairs with K
    /// ones in total are visited. k cells of size c have at most c^(k−1) tables, and far fewer if cells have equal
    /// sizes. There is no result if half of the cells have more than 65536 tables, or both halves together more than
    /// 16.8 million.
    pub fn permuted(&self) -> PermutationFloor {
        floor(&self.sizes(), self.n_second())
    }
}

/// Tables of some of the cells: their numbers of ones, Σ c kl(a/c ‖ K/N), and their probabilities.
#[derive(Debug, Clone, Copy)]
struct PartialTable {
    ones: u64,
    sum: f64,
    probability: f64,
}

/// The means for cells of these `sizes`; `k` of their members are ones.
fn floor(sizes: &[u64], k: u64) -> PermutationFloor {
    let n: u64 = sizes.iter().sum();
    let share = k as f64 / n as f64;
    let mut sum = 0.0;
    for c in sizes {
        let (first, probabilities) = hypergeometric(n, k, *c);
        for (a, probability) in (first..).zip(probabilities) {
            sum += probability * divergence(a, *c, share);
        }
    }
    let information = if n > 0 { sum / n as f64 } else { 0.0 };
    PermutationFloor { information: Nats(information), spread: spread(sizes, k) }
}

/// Mean and standard deviation of √2I, and the standard deviation of I; `None` if there are too many tables.
fn spread(sizes: &[u64], k: u64) -> Option<FloorSpread> {
    let n: u64 = sizes.iter().sum();
    let [some, others] = halves(sizes).map(|half| tables(&half, k, n));
    let (some, others) = (some?, others?);
    let matching = |table: &PartialTable| {
        let ones = k - table.ones;
        let start = others.partition_point(|other| other.ones < ones);
        &others[start..others.partition_point(|other| other.ones <= ones)]
    };
    if some.iter().map(|table| matching(table).len()).sum::<usize>() > MOST_TABLES {
        return None;
    }
    let (mut total, mut i, mut i_squared, mut root) = (0.0, 0.0, 0.0, 0.0);
    for table in &some {
        for other in matching(table) {
            let probability = table.probability * other.probability;
            let information = (table.sum + other.sum) / n as f64;
            total += probability;
            i += probability * information;
            i_squared += probability * information * information;
            root += probability * (2.0 * information).sqrt();
        }
    }
    let (i, i_squared, bound) = (i / total, i_squared / total, root / total);
    Some(FloorSpread { information_std: Nats(std(i_squared - i * i)), bound, bound_std: std(2.0 * i - bound * bound) })
}

/// The square root of a variance, which may be slightly negative after rounding.
fn std(variance: f64) -> f64 {
    if variance > 0.0 { variance.sqrt() } else { 0.0 }
}

/// Two groups of the cells with approximately equal numbers of tables.
fn halves(sizes: &[u64]) -> [Vec<u64>; 2] {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    let mut halves = [Vec::new(), Vec::new()];
    let mut log_tables = [0.0, 0.0];
    for size in sizes.into_iter().rev() {
        let smaller = usize::from(log_tables[1] < log_tables[0]);
        log_tables[smaller] += ((size + 1) as f64).ln();
        halves[smaller].push(size);
    }
    halves
}

/// The tables of cells of these `sizes` with at most `k` ones, in ascending order of ones; `None` if there are too
/// many.
fn tables(sizes: &[u64], k: u64, n: u64) -> Option<Vec<PartialTable>> {
    let share = k as f64 / n as f64;
    let mut tables = vec![PartialTable { ones: 0, sum: 0.0, probability: 1.0 }];
    for c in sizes.iter().rev() {
        if tables.len() * (*c as usize + 1) > MOST_HALVES {
            return None;
        }
        // Binomial numbers with the sum K are hypergeometric: no large binomial coefficients.
        let (first, probabilities) = binomial(*c, share);
        let mut larger = Vec::new();
        for table in &tables {
            for (a, probability) in (first..).zip(&probabilities) {
                let (ones, sum) = (table.ones + a, table.sum + divergence(a, *c, share));
                if ones <= k {
                    larger.push(PartialTable { ones, sum, probability: table.probability * probability });
                }
            }
        }
        tables = merged(larger);
    }
    Some(tables)
}

/// The tables in ascending order, with equal ones merged.
fn merged(mut tables: Vec<PartialTable>) -> Vec<PartialTable> {
    let key = |table: &PartialTable| (table.ones, (table.sum * MERGED).round() as u64);
    tables.sort_by_key(key);
    let mut kept: Vec<PartialTable> = Vec::new();
    for table in tables {
        match kept.last_mut() {
            Some(last) if key(last) == key(&table) => last.probability += table.probability,
            _ => kept.push(table),
        }
    }
    kept
}

/// The smallest number of ones among `c` of `n` members with `k` ones, and the probabilities from this number on.
fn hypergeometric(n: u64, k: u64, c: u64) -> (u64, Vec<f64>) {
    let (first, last) = ((k + c).saturating_sub(n), k.min(c));
    let mode = ((c + 1) as f64 * (k + 1) as f64 / (n + 2) as f64) as u64;
    let ratio = |a: u64| ((c - a) as f64 * (k - a) as f64) / ((a + 1) as f64 * (n + a + 1 - c - k) as f64);
    (first, distribution(first, last, mode, ratio))
}

/// The smallest number of ones among `c` members, each a one with probability `p`, and the probabilities from this
/// number on.
fn binomial(c: u64, p: f64) -> (u64, Vec<f64>) {
    match p {
        0.0 => (0, vec![1.0]),
        1.0 => (c, vec![1.0]),
        _ => {
            let ratio = |a: u64| (c - a) as f64 / (a + 1) as f64 * (p / (1.0 - p));
            (0, distribution(0, c, ((c + 1) as f64 * p) as u64, ratio))
        }
    }
}

/// Probabilities of `first`..=`last` from their `ratio` p(a + 1)/p(a), relative to the most probable, so that none
/// overflows.
fn distribution(first: u64, last: u64, mode: u64, ratio: impl Fn(u64) -> f64) -> Vec<f64> {
    let mode = mode.clamp(first, last);
    let mut p = vec![1.0; (last - first + 1) as usize];
    for a in mode..last {
        p[(a + 1 - first) as usize] = p[(a - first) as usize] * ratio(a);
    }
    for a in (first..mode).rev() {
        p[(a - first) as usize] = p[(a + 1 - first) as usize] / ratio(a);
    }
    let total: f64 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= total);
    p
}

/// The means of I and √2I if each of `n_masks` masks is a fair coin, and the outcome is independent and uniform over
/// `n_cells` outcomes.
///
/// E I costs O(N) for any number of cells. E √2I is a sum over the partitions of N into cells and over K: 30 masks with 4
/// cells need 0.1 s, with 10 cells 5 s. `spread` is `None` if a partition has too many tables.
pub fn fair_floor(n_masks: u64, n_cells: u64) -> PermutationFloor {
    let (n, k) = (n_masks as f64, n_cells as f64);
    // H(U) + H(outcome) − H(outcome, U), for multinomial counts.
    let parts = 2.0 * mean_c_ln_c(n_masks, 0.5) + k * mean_c_ln_c(n_masks, 1.0 / k);
    let information = n.ln() + (2.0 * k * mean_c_ln_c(n_masks, 0.5 / k) - parts) / n;
    PermutationFloor { information: Nats(information), spread: fair_spread(n_masks, n_cells) }
}

/// E c ln c for a binomial number of n with probability p.
fn mean_c_ln_c(n: u64, p: f64) -> f64 {
    let (first, probabilities) = binomial(n, p);
    let terms = (first..).zip(probabilities).filter(|(c, _)| *c > 0);
    terms.map(|(c, probability)| probability * c as f64 * (c as f64).ln()).sum()
}

fn fair_spread(n_masks: u64, n_cells: u64) -> Option<FloorSpread> {
    let (_, of_ones) = binomial(n_masks, 0.5);
    let mut partitions = Vec::new();
    push_partitions(n_masks, n_masks, n_cells, &mut Vec::new(), &mut partitions);
    let (mut i, mut i_squared, mut bound) = (0.0, 0.0, 0.0);
    for sizes in partitions {
        let of_partition = partition_probability(&sizes, n_masks, n_cells);
        for (k, of_k) in (0..).zip(&of_ones) {
            let probability = of_partition * of_k;
            let PermutationFloor { information: Nats(mean), spread } = floor(&sizes, k);
            let spread = spread?;
            i += probability * mean;
            i_squared += probability * (spread.information_std.0.powi(2) + mean * mean);
            bound += probability * spread.bound;
        }
    }
    Some(FloorSpread { information_std: Nats(std(i_squared - i * i)), bound, bound_std: std(2.0 * i - bound * bound) })
}

/// All ways to write `n` as a sum of at most `n_parts` numbers of at most `largest`, in descending order.
fn push_partitions(n: u64, largest: u64, n_parts: u64, begun: &mut Vec<u64>, found: &mut Vec<Vec<u64>>) {
    if n == 0 {
        found.push(begun.clone());
    } else if n_parts > 0 {
        for part in (1..=largest.min(n)).rev() {
            begun.push(part);
            push_partitions(n - part, part, n_parts - 1, begun, found);
            begun.pop();
        }
    }
}

/// The probability that `n` outcomes fall into `n_cells` equally probable cells in numbers that are, in some order, `sizes`.
fn partition_probability(sizes: &[u64], n: u64, n_cells: u64) -> f64 {
    let mut log = ln_factorial(n) - n as f64 * (n_cells as f64).ln() + ln_factorial(n_cells);
    log -= sizes.iter().map(|size| ln_factorial(*size)).sum::<f64>();
    log -= sizes.chunk_by(|a, b| a == b).map(|equal| ln_factorial(equal.len() as u64)).sum::<f64>();
    (log - ln_factorial(n_cells - sizes.len() as u64)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fixtures::assert_close;

    /// E I and E √2I from all assignments of the masks to the outcomes.
    fn by_enumeration(sizes: &[u64], k: u32) -> (f64, f64) {
        let cell: Vec<usize> = sizes.iter().enumerate().flat_map(|(cell, c)| vec![cell; *c as usize]).collect();
        let (mut n_ways, mut i, mut root) = (0.0, 0.0, 0.0);
        for mask in (0..1_u32 << cell.len()).filter(|mask| mask.count_ones() == k) {
            let outcomes = cell.iter().enumerate().map(|(m, cell)| (cell, mask >> m & 1 == 1));
            let information = MaskCounts::of(outcomes).information().0;
            (n_ways, i, root) = (n_ways + 1.0, i + information, root + (2.0 * information).sqrt());
        }
        (i / n_ways, root / n_ways)
    }

    #[test]
    fn floors_are_those_of_all_permutations() {
        for sizes in [&[5, 7][..], &[1, 1, 1, 1, 1, 6], &[2, 2, 3, 5], &[12], &[1, 2, 3, 4]] {
            for k in 0..=sizes.iter().sum::<u64>() {
                let (i, root) = by_enumeration(sizes, k as u32);
                let PermutationFloor { information, spread } = floor(sizes, k);
                let spread = spread.unwrap();
                assert_close(information.0, i);
                assert_close(spread.bound, root);
                assert_close(spread.bound_std, (2.0 * i - root * root).max(0.0).sqrt());
            }
        }
    }

    #[test]
    fn floors_of_fair_masks() {
        // The source has 0.1494437573298 for 2 cells: there, differences of rounded entropies are not 0 for tables
        // without information, and √ turns 1e-16 into 1e-8. This is the sum with 50 digits.
        let expected = [
            (2, 0.149_443_756_950_387_95, 0.017_677_575_244_92),
            (3, 0.238_945_061_348_7, 0.036_523_330_840_51),
            (4, 0.310_310_482_461_1, 0.056_986_179_512_74),
        ];
        for (n_cells, root, i) in expected {
            let PermutationFloor { information, spread } = fair_floor(30, n_cells);
            assert_close(information.0, i);
            assert_close(spread.unwrap().bound, root);
        }
    }

    #[test]
    fn tables_with_many_different_cells_have_a_mean_and_no_spread() {
        let sizes: Vec<u64> = (1..40).collect();
        let PermutationFloor { information, spread } = floor(&sizes, 400);
        // (cells − 1)/2N to first order.
        assert!((information.0 - 38.0 / 1560.0).abs() < 0.002, "{}", information.0);
        assert_eq!(spread, None);
    }
}
