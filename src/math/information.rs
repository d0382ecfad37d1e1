//! Information between partitions of the samples, in nats, from the counts of their cells.

use crate::math::atoms::Cells;
use crate::math::entropy::{CountTable, entropy};
use crate::units::Nats;

/// I(T;Y) = H(T) + H(Y) − H(T,Y), with every entropy corrected as in `table`.
pub fn information(t: &Cells, y: &Cells, table: &CountTable) -> Nats {
    let joint = JointCounts::new(t, y, table).entropy(|i| y.numbers()[i]);
    Nats(table.entropy(t.counts()).0 + table.entropy(y.counts()).0 - joint)
}

/// I(T;Y) with sample i given the label of sample `permutation[i]`, for every one of `permutations`: the permutation
/// null of the estimator.
pub fn shuffled_information<O: AsRef<[u32]>>(
    t: &Cells,
    y: &Cells,
    permutations: impl IntoIterator<Item = O>,
    table: &CountTable,
) -> Vec<Nats> {
    let h_y = table.entropy(y.counts());
    reordered_information(t, y, permutations.into_iter().map(|permutation| (permutation, h_y)), table)
}

/// I(T;Y) with sample i given the label of sample `order[i]`, for every one of `orders`, each with its H(Y).
pub fn reordered_information<O: AsRef<[u32]>>(
    t: &Cells,
    y: &Cells,
    orders: impl IntoIterator<Item = (O, Nats)>,
    table: &CountTable,
) -> Vec<Nats> {
    let h_t = table.entropy(t.counts()).0;
    let mut joint = JointCounts::new(t, y, table);
    let reordered = |(order, h_y): (O, Nats)| {
        let order = order.as_ref();
        Nats(h_t + h_y.0 - joint.entropy(|i| y.numbers()[order[i] as usize]))
    };
    orders.into_iter().map(reordered).collect()
}

/// H(Y|T) = Σ_t p(t) H(Y|t) of stochastic labels, with p(y|t) the mean of p(y|x) over the samples in cell t.
/// `p_y_given_x` has `n_classes` probabilities for every sample.
pub fn label_entropy_given<'a>(t: &Cells, p_y_given_x: impl IntoIterator<Item = &'a [f64]>, n_classes: usize) -> Nats {
    let mut p_y = vec![0.0; t.n_cells() * n_classes];
    for (cell, p) in t.numbers().iter().zip(p_y_given_x) {
        let sums = &mut p_y[*cell as usize * n_classes..][..n_classes];
        sums.iter_mut().zip(p).for_each(|(sum, p)| *sum += p);
    }
    let n = t.n_samples() as f64;
    let of_cell = |(count, sums): (&u32, &[f64])| {
        let count = f64::from(*count);
        count / n * entropy(sums.iter().map(|sum| sum / count)).0
    };
    Nats(t.counts().iter().zip(p_y.chunks_exact(n_classes)).map(of_cell).sum())
}

/// The joint entropy of cells and labels, for several permutations of the labels.
struct JointCounts<'a> {
    t: &'a Cells,
    n_labels: usize,
    table: &'a CountTable,
    /// The count of every pair; empty if most pairs cannot occur.
    counts: Vec<u32>,
}

/// Pairs are counted in a complete table if it has at most this number of entries per sample, otherwise by hashing.
const PAIRS_PER_SAMPLE: usize = 16;

impl<'a> JointCounts<'a> {
    fn new(t: &'a Cells, y: &Cells, table: &'a CountTable) -> Self {
        let n_pairs = t.n_cells() * y.n_cells();
        let n_pairs = if n_pairs <= PAIRS_PER_SAMPLE * t.n_samples() { n_pairs } else { 0 };
        Self { t, n_labels: y.n_cells(), table, counts: vec![0; n_pairs] }
    }

    fn entropy(&mut self, label: impl Fn(usize) -> u32) -> f64 {
        if self.counts.is_empty() {
            return self.table.entropy(self.t.split_by(label).counts()).0;
        }
        // Σ w(c) is updated with every sample, so that the table of pairs, mostly empty, is not read again.
        self.counts.fill(0);
        let mut sum = 0.0;
        for (i, cell) in self.t.numbers().iter().enumerate() {
            let count = &mut self.counts[*cell as usize * self.n_labels + label(i) as usize];
            sum += self.table.increment(*count);
            *count += 1;
        }
        self.table.of_sum(sum).0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::entropy::Bias;

    fn plug_in(n: usize) -> CountTable {
        CountTable::new(n, Bias::PlugIn)
    }

    #[track_caller]
    fn assert_close(got: Nats, expected: f64) {
        assert!((got.0 - expected).abs() < 1e-12, "{} is not {expected}", got.0);
    }

    #[test]
    fn information_in_closed_form() {
        let y = Cells::of_rows(&[0_u8, 0, 1, 1], 1);
        let check =
            |t: [u8; 4], expected: f64| assert_close(information(&Cells::of_rows(&t, 1), &y, &plug_in(4)), expected);
        check([5, 5, 9, 9], 2.0_f64.ln());
        check([5, 9, 5, 9], 0.0);
        check([7, 7, 7, 7], 0.0);
        // H(Y) − ¾ H(⅓): three of four in one cell.
        check([0, 0, 0, 1], 2.0_f64.ln() - 0.75 * (3.0_f64.ln() - 2.0 / 3.0 * 2.0_f64.ln()));
    }

    #[test]
    fn a_bias_is_that_of_all_three_entropies() {
        // Counts 2, 2; 2, 2; and 1, 1, 1, 1: (1 + 1 − 3)/(2 · 4).
        let (t, y) = (Cells::of_rows(&[0_u8, 1, 0, 1], 1), Cells::of_rows(&[0_u8, 0, 1, 1], 1));
        assert_close(information(&t, &y, &CountTable::new(4, Bias::MillerMadow)), -0.125);
    }

    #[test]
    fn stochastic_labels_use_the_mean_probability_of_a_cell() {
        let p_y = [[1.0, 0.0], [0.5, 0.5], [0.5, 0.5], [0.0, 1.0]];
        let given = |t: &[u8]| label_entropy_given(&Cells::of_rows(t, 1), p_y.iter().map(<[f64; 2]>::as_slice), 2);
        assert_close(given(&[0, 0, 0, 0]), 2.0_f64.ln());
        // p(y=1|t) = ¼, ¾.
        assert_close(given(&[0, 0, 1, 1]), -0.25 * 0.25_f64.ln() - 0.75 * 0.75_f64.ln());
    }

    proptest! {
        #[test]
        fn counting_and_hashing_pairs_agree(samples in proptest::collection::vec((0..200_u8, 0..200_u8, any::<u32>()), 1..200)) {
            let n = samples.len();
            let t = Cells::of_rows(&samples.iter().map(|s| s.0).collect::<Vec<_>>(), 1);
            let y = Cells::of_rows(&samples.iter().map(|s| s.1).collect::<Vec<_>>(), 1);
            let few = Cells::of_rows(&samples.iter().map(|s| s.1 % 4).collect::<Vec<_>>(), 1);
            let mut permutation: Vec<u32> = (0..n as u32).collect();
            permutation.sort_by_key(|i| samples[*i as usize].2);
            let identity: Vec<u32> = (0..n as u32).collect();
            for bias in Bias::ALL {
                let table = CountTable::new(n, bias);
                for y in [&y, &few] {
                    let slow = |y: &Cells| {
                        let joint = table.entropy(t.split_by(|i| y.numbers()[i]).counts());
                        table.entropy(t.counts()).0 + table.entropy(y.counts()).0 - joint.0
                    };
                    let shuffled: Vec<u32> = permutation.iter().map(|i| y.numbers()[*i as usize]).collect();
                    let got = shuffled_information(&t, y, [&identity[..], &permutation], &table);
                    prop_assert!((got[0].0 - slow(y)).abs() < 1e-12);
                    prop_assert!((got[1].0 - slow(&Cells::of_rows(&shuffled, 1))).abs() < 1e-12);
                    prop_assert_eq!(got[0], information(&t, y, &table));
                }
            }
        }

        #[test]
        fn certain_labels_are_stochastic_labels_too(samples in proptest::collection::vec((0..9_u8, 0..3_usize), 1..100)) {
            let t = Cells::of_rows(&samples.iter().map(|s| s.0).collect::<Vec<_>>(), 1);
            let y = Cells::of_rows(&samples.iter().map(|s| s.1 as u8).collect::<Vec<_>>(), 1);
            let table = plug_in(samples.len());
            const ONE_HOT: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
            let soft = label_entropy_given(&t, samples.iter().map(|s| ONE_HOT[s.1].as_slice()), 3);
            prop_assert!((table.entropy(y.counts()).0 - soft.0 - information(&t, &y, &table).0).abs() < 1e-12);
        }
    }
}
