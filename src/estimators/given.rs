//! What an estimator is given: one layer's values, and what is known of the same rows whatever the layer.

use super::EstimateError;
use crate::math::atoms::Cells;
use crate::math::entropy::{Bias, CountTable, entropy};
use crate::math::information::label_entropy_given;
use crate::math::shuffles::Shuffles;
use crate::sample::{Labels, Range, Representation};
use crate::units::Nats;

/// One layer's values at one snapshot, or one unit's, and what is known besides.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// T.
    pub t: Representation<'a>,
    /// X and Y.
    pub given: &'a Given,
    /// Smallest and largest values.
    pub ranges: Ranges,
}

/// Smallest and largest values, from which an estimator may take its bins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranges {
    /// Of the layer at this snapshot, also where T is one unit of it.
    pub layer: Range,
    /// Of every layer and snapshot of the run; `None` where no estimator asked for it.
    pub run: Option<Range>,
    /// Of every layer and snapshot of all runs; `None` where no estimator asked for it.
    pub all_runs: Option<Range>,
}

/// X and Y of some rows, their shuffles, and what follows from them alone. Made once, used for every layer and snapshot.
///
/// Where snapshots are pooled, a sample has a row in each. Its copies share the input and the label, and they share the label
/// that a shuffle deals to them: otherwise a null would see as many independent labels as there are rows.
#[derive(Debug)]
pub struct Given {
    /// Which input every row came from: samples of equal X share a cell.
    pub x: Cells,
    /// Y of every row.
    pub y: Labels,
    /// The class of every row, where labels are hard.
    pub classes: Option<Cells>,
    /// The classes of every row as each shuffle deals them to the samples; empty where labels are not hard.
    pub dealt: Vec<Cells>,
    /// For each shuffle the row whose label a row gets.
    pub orders: Vec<Vec<u32>>,
    /// Whether an order takes each row once and leaves it in its snapshot, so that it may deal the rows of another layer too.
    pub keeps_snapshots: bool,
    /// Permutations of the rows, whatever their samples; none where every row came from an input of its own.
    pub shuffles: Shuffles,
    tables: Vec<(Bias, CountTable)>,
    /// H(X).
    pub h_x: Nats,
    /// H(Y), less H(Y|X) where labels are probabilities: the largest possible I(T;Y).
    pub i_ty_ceiling: Nats,
    /// H(Y).
    pub h_y: Nats,
}

/// Mean and spread over shuffles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: Nats,
    /// Standard deviation (n − 1); `None` with fewer than two shuffles.
    pub std: Option<Nats>,
}

impl<'a> Sample<'a> {
    /// A layer's values `t` of the rows that are `given`.
    ///
    /// # Errors
    /// T has another number of rows.
    pub fn new(t: Representation<'a>, given: &'a Given) -> Result<Self, EstimateError> {
        let (n_t, n_y) = (t.n_samples(), given.n_samples());
        let ranges = Ranges { layer: Range::of(t.values()), run: None, all_runs: None };
        if n_t == n_y { Ok(Self { t, given, ranges }) } else { Err(EstimateError::Mismatch { n_t, n_y }) }
    }
}

impl Given {
    /// The inputs `x` and labels `y` of the same rows, whose samples have the numbers `samples`, with `n_shuffles` shuffles.
    ///
    /// # Errors
    /// Fewer than two rows; not as many inputs as labels.
    pub fn new(x: Cells, samples: &[u32], y: Labels, n_shuffles: usize) -> Result<Self, EstimateError> {
        let n = x.n_samples();
        if y.n_samples() != n || samples.len() != n {
            return Err(EstimateError::Mismatch { n_t: n, n_y: y.n_samples().min(samples.len()) });
        }
        if n < 2 {
            return Err(EstimateError::TooFew { n });
        }
        let tables: Vec<_> = Bias::ALL.into_iter().map(|bias| (bias, CountTable::new(n, bias))).collect();
        let h_y = label_entropy(&y.rows().collect::<Vec<_>>());
        let (orders, keeps_snapshots) = orders(samples, n_shuffles);
        let class_of = |order: &Vec<u32>, classes: &[u32]| {
            Cells::of_rows(&order.iter().map(|row| classes[*row as usize]).collect::<Vec<_>>(), 1)
        };
        let dealt = y.classes().map_or(Vec::new(), |classes| orders.iter().map(|o| class_of(o, classes)).collect());
        let h_y_given_x = match y.classes() {
            Some(_) => Nats(0.0),
            None => label_entropy_given(&x, y.rows(), y.n_classes()),
        };
        let n_of_rows = if x.n_cells() == n { 0 } else { n_shuffles };
        Ok(Self {
            classes: y.classes().map(|classes| Cells::of_rows(classes, 1)),
            dealt,
            orders,
            keeps_snapshots,
            shuffles: Shuffles::new(n_of_rows as u64, n as u32),
            h_x: tables[0].1.entropy(x.counts()),
            i_ty_ceiling: h_y - h_y_given_x,
            h_y,
            x,
            y,
            tables,
        })
    }

    /// Rows that all came from different inputs, without shuffles.
    ///
    /// # Errors
    /// Fewer than two rows.
    pub fn of_distinct(y: Labels) -> Result<Self, EstimateError> {
        let numbers: Vec<u32> = (0..y.n_samples() as u32).collect();
        Self::new(Cells::of_rows(&numbers, 1), &numbers, y, 0)
    }

    /// The entropies of partitions of these rows under a correction.
    pub fn table(&self, bias: Bias) -> &CountTable {
        let found = self.tables.iter().find(|(of, _)| *of == bias);
        &found.expect("there is a table for every correction").1
    }

    /// Number of rows.
    pub fn n_samples(&self) -> usize {
        self.x.n_samples()
    }

    /// Whether every row came from an input of its own, so that dealing the inputs anew changes nothing.
    pub fn is_distinct(&self) -> bool {
        self.x.n_cells() == self.n_samples()
    }
}

/// H(Y) of rows of p(y|x), of which there is at least one.
pub(super) fn label_entropy(rows: &[&[f64]]) -> Nats {
    let p_y = |class: usize| rows.iter().map(|p_y| p_y[class]).sum::<f64>() / rows.len() as f64;
    entropy((0..rows[0].len()).map(p_y))
}

impl Spread {
    /// Of the `values` that shuffles gave; `None` where there is none.
    pub fn of(values: &[Nats]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().map(|value| value.0).sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value.0 - mean).powi(2)).sum();
        let std = (values.len() > 1).then(|| Nats((squares / (n - 1.0)).sqrt()));
        (!values.is_empty()).then_some(Self { mean: Nats(mean), std })
    }

    /// What `n` shuffles give that cannot change `value`; `None` where there is none.
    pub fn unmoved(n: usize, value: Nats) -> Option<Self> {
        (n > 0).then_some(Self { mean: value, std: (n > 1).then_some(Nats(0.0)) })
    }
}

/// For each shuffle the row whose label a row gets, and whether that row is of the same snapshot.
fn orders(samples: &[u32], n_shuffles: usize) -> (Vec<Vec<u32>>, bool) {
    let cells = Cells::of_rows(samples, 1);
    let n_distinct = cells.n_cells();
    let shuffles = Shuffles::new(n_shuffles as u64, n_distinct as u32);
    let of_first = |row: usize| samples[row % n_distinct];
    if samples.iter().enumerate().all(|(row, sample)| *sample == of_first(row)) {
        // Every snapshot has the same samples in the same order; the first has each once.
        let within = |order: &[u32]| {
            let row = |row: usize| (row - row % n_distinct) as u32 + order[row % n_distinct];
            (0..samples.len()).map(row).collect()
        };
        return (shuffles.iter().map(within).collect(), true);
    }
    let mut first = vec![u32::MAX; n_distinct];
    for (row, cell) in cells.numbers().iter().enumerate() {
        first[*cell as usize] = first[*cell as usize].min(row as u32);
    }
    let of_sample = |order: &[u32]| cells.numbers().iter().map(|cell| first[order[*cell as usize] as usize]).collect();
    (shuffles.iter().map(of_sample).collect(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_a_sample_share_the_label_that_a_shuffle_deals() {
        let y = Labels::hard(&[0, 1, 0, 1, 1, 0, 1, 0, 1, 1]);
        let samples: Vec<u32> = (0..2).flat_map(|_| [7, 3, 5, 4, 9]).collect();
        let given = Given::new(Cells::of_rows(&samples, 1), &samples, y, 4).unwrap();
        assert!(given.keeps_snapshots);
        for (order, dealt) in given.orders.iter().zip(&given.dealt) {
            for row in 0..5 {
                assert_eq!(order[row + 5], order[row] + 5, "a row stays in its snapshot");
                assert_eq!(dealt.numbers()[row], dealt.numbers()[row + 5]);
            }
        }
        // Other samples in the second snapshot: labels still go by sample.
        let samples = [0, 1, 2, 2, 3];
        let y = Labels::hard(&[0, 1, 2, 2, 3]);
        let given = Given::new(Cells::of_rows(&samples, 1), &samples, y, 3).unwrap();
        assert!(!given.keeps_snapshots);
        assert!(given.dealt.iter().all(|dealt| dealt.numbers()[2] == dealt.numbers()[3] && dealt.n_cells() == 4));
    }

    #[test]
    fn probabilities_of_labels_leave_less_to_know() {
        let y = Labels::stochastic(&[0.0, 0.5, 0.5, 1.0]).unwrap();
        let given = Given::of_distinct(y).unwrap();
        // H(Y) = 1 bit, H(Y|X) = half of the inputs times 1 bit.
        assert!((given.h_y.bits() - 1.0).abs() < 1e-12 && (given.i_ty_ceiling.bits() - 0.5).abs() < 1e-12);
    }
}
