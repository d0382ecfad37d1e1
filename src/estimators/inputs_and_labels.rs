//! Inputs and labels of the samples that an estimator uses, which are the same for every layer.

use std::sync::Arc;

use super::{EstimateError, Points};
use crate::math::atoms::Cells;
use crate::math::entropy::{Bias, CountTable, entropy};
use crate::math::information::{label_entropy_given, reordered_information, shuffled_information};
use crate::math::shuffles::{SampleShuffles, Shuffles};
use crate::sample::Labels;
use crate::units::Nats;

/// X and Y of some rows, their shuffles, and everything that depends only on them. Computed once, used for every layer
/// and snapshot.
///
/// A row is a sample, or a sample at one of several pooled snapshots. All rows of one sample have its input and its
/// label, also after a shuffle; otherwise a permutation null would have as many independent labels as there are rows.
///
/// ```
/// use infoplane::estimators::{Binning, Estimator, InputsAndLabels, LayerData};
/// use infoplane::sample::Representation;
///
/// // A permutation null from 5 shuffles of the labels, for each of two layers.
/// let samples = InputsAndLabels::of_distinct(&[0, 0, 1, 1, 0, 1], 5)?;
/// for activations in [[-0.9, -0.8, 0.9, 0.7, -0.7, 0.8], [0.1, 0.2, 0.1, 0.3, 0.2, 0.1]] {
///     let layer = LayerData::of_samples(Representation::new(&activations, 1)?, &samples)?;
///     let estimate = Binning::edges(3)?.estimate(&layer)?;
///     assert!(estimate.i_ty_null.is_some());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct InputsAndLabels {
    /// The input of every row: rows with equal X have the same cell.
    pub x: Cells,
    /// Y of every row.
    pub y: Labels,
    /// The class of every row; `None` if labels are probabilities.
    pub classes: Option<Cells>,
    /// The values of X, if an estimator needs them.
    inputs: Option<Arc<Points<'static>>>,
    n_shuffles: usize,
    /// Shuffles of the labels.
    shuffles: SampleShuffles,
    /// Permutations of the rows; `None` if the shuffles of the labels can be used, or if every row has a distinct
    /// input.
    row_shuffles: Option<Shuffles>,
    tables: Vec<Table>,
    /// H(X).
    pub h_x: Nats,
    /// The largest possible I(T;Y): H(Y), minus H(Y|X) if labels are probabilities.
    pub i_ty_ceiling: Nats,
    /// H(Y).
    pub h_y: Nats,
}

/// The entropies of partitions with one correction.
#[derive(Debug, Clone)]
struct Table {
    bias: Bias,
    entropies: CountTable,
    /// H(Y) of hard labels for each shuffle: equal counts, summed in another order.
    h_y: Vec<Nats>,
}

/// Mean and spread over shuffles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: Nats,
    /// Standard deviation (n − 1); `None` with fewer than two shuffles.
    pub std: Option<Nats>,
}

impl InputsAndLabels {
    /// The inputs `x` and labels `y` of some rows, and the number of the sample in every row, with `n_shuffles`
    /// shuffles of inputs and labels for the permutation nulls.
    ///
    /// # Errors
    /// Fewer than two rows, or different numbers of inputs and labels.
    pub fn new(x: Cells, samples: &[u32], y: Labels, n_shuffles: usize) -> Result<Self, EstimateError> {
        let n = x.n_samples();
        if y.n_samples() != n || samples.len() != n {
            return Err(EstimateError::Mismatch { n_t: n, n_y: y.n_samples().min(samples.len()) });
        }
        if n < 2 {
            return Err(EstimateError::TooFew { n });
        }
        let shuffles = SampleShuffles::new(samples, n_shuffles);
        let table = |bias| Table { bias, entropies: CountTable::new(n, bias), h_y: Vec::new() };
        let mut tables: Vec<Table> = Bias::ALL.into_iter().map(table).collect();
        for classes in y.classes().iter().flat_map(|classes| shuffled(classes, &shuffles)) {
            tables.iter_mut().for_each(|table| table.h_y.push(table.entropies.entropy(classes.counts())));
        }
        let h_y = entropy(y.p_y());
        let h_y_given_x = y.probabilities().map_or(Nats(0.0), |rows| stochastic_entropy_given(&x, rows));
        let needs_row_shuffles = x.n_cells() < n && shuffles.of_rows().is_none();
        Ok(Self {
            classes: y.classes().map(|classes| Cells::of_rows(classes, 1)),
            inputs: None,
            n_shuffles,
            row_shuffles: needs_row_shuffles.then(|| Shuffles::new(n_shuffles as u64, n as u32)),
            shuffles,
            h_x: tables[0].entropies.entropy(x.counts()),
            i_ty_ceiling: h_y - h_y_given_x,
            h_y,
            x,
            y,
            tables,
        })
    }

    /// These inputs and labels, with the values of X in the same order, for estimators that need them.
    ///
    /// # Errors
    /// Another number of values.
    pub fn with_inputs(mut self, x: Points<'static>) -> Result<Self, EstimateError> {
        if x.n_samples() != self.n_samples() {
            return Err(EstimateError::Mismatch { n_t: x.n_samples(), n_y: self.n_samples() });
        }
        self.inputs = Some(Arc::new(x));
        Ok(self)
    }

    /// The values of X, if they are known.
    pub fn inputs(&self) -> Option<&Points<'static>> {
        self.inputs.as_deref()
    }

    /// The permutations of the rows for the permutation null of I(X;T); none if rows of one sample must stay together.
    pub(super) fn row_orders(&self) -> impl Iterator<Item = &[u32]> {
        self.row_shuffles.as_ref().or(self.shuffles.of_rows()).into_iter().flat_map(Shuffles::iter)
    }

    /// Number of values that the shuffles of `n_rows` rows of `n_samples` different samples contain.
    pub fn numbers_of_shuffles(n_shuffles: usize, n_rows: usize, n_samples: usize) -> usize {
        n_shuffles.saturating_mul(if n_rows > n_samples { n_rows + n_samples } else { n_rows })
    }

    /// Samples with distinct inputs, with `n_shuffles` shuffles of their labels.
    ///
    /// # Errors
    /// Fewer than two samples.
    pub fn of_distinct(labels: impl Into<Labels>, n_shuffles: usize) -> Result<Self, EstimateError> {
        let labels = labels.into();
        let numbers: Vec<u32> = (0..labels.n_samples() as u32).collect();
        Self::new(Cells::of_rows(&numbers, 1), &numbers, labels, n_shuffles)
    }

    /// The entropies of partitions of these rows with a correction.
    pub(super) fn table(&self, bias: Bias) -> &CountTable {
        &self.table_of(bias).entropies
    }

    fn table_of(&self, bias: Bias) -> &Table {
        self.tables.iter().find(|table| table.bias == bias).expect("there is a table for every correction")
    }

    /// Number of shuffles.
    pub fn n_shuffles(&self) -> usize {
        self.n_shuffles
    }

    /// The shuffles of the labels.
    pub(super) fn shuffles(&self) -> &SampleShuffles {
        &self.shuffles
    }

    /// The classes of every row for each shuffle, generated one by one; none if labels are probabilities.
    pub fn shuffled_classes(&self) -> impl Iterator<Item = Cells> {
        self.y.classes().into_iter().flat_map(|classes| shuffled(classes, &self.shuffles))
    }

    /// I(X;T) of the cells `t` for each permutation of the rows; none if every row has a distinct input.
    pub fn shuffled_i_xt(&self, t: &Cells, bias: Bias) -> Vec<Nats> {
        let shuffles = self.row_shuffles.as_ref().or(self.shuffles.of_rows());
        let shuffles = shuffles.filter(|_| !self.is_distinct());
        shuffles.map_or(Vec::new(), |shuffles| shuffled_information(t, &self.x, shuffles.iter(), self.table(bias)))
    }

    /// I(T;Y) of the cells `t` for each shuffle of the labels; none if labels are probabilities.
    pub fn shuffled_i_ty(&self, t: &Cells, bias: Bias) -> Vec<Nats> {
        let Table { entropies, h_y, .. } = self.table_of(bias);
        let orders = || self.shuffles.iter().zip(h_y.iter().copied());
        self.classes.as_ref().map_or(Vec::new(), |y| reordered_information(t, y, orders(), entropies))
    }

    /// Number of rows.
    pub fn n_samples(&self) -> usize {
        self.x.n_samples()
    }

    /// Whether every row has a distinct input, so that shuffling the inputs changes nothing.
    pub fn is_distinct(&self) -> bool {
        self.x.n_cells() == self.n_samples()
    }
}

/// H(Y|T) of stochastic labels; `rows` has p(y=0|x) and p(y=1|x) of every row.
pub(super) fn stochastic_entropy_given(t: &Cells, rows: &[[f64; 2]]) -> Nats {
    label_entropy_given(t, rows.iter().map(<[f64; 2]>::as_slice), 2)
}

/// The classes of every row for each shuffle.
fn shuffled<'a>(classes: &'a [u32], shuffles: &'a SampleShuffles) -> impl Iterator<Item = Cells> + 'a {
    let reordered = |order: &[u32]| order.iter().map(|row| classes[*row as usize]).collect::<Vec<_>>();
    shuffles.iter().map(move |order| Cells::of_rows(&reordered(&order), 1))
}

impl Spread {
    /// The mean and standard deviation of the `values` over shuffles; `None` without values.
    pub fn of(values: &[Nats]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().map(|value| value.0).sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value.0 - mean).powi(2)).sum();
        let std = (values.len() > 1).then(|| Nats((squares / (n - 1.0)).sqrt()));
        (!values.is_empty()).then_some(Self { mean: Nats(mean), std })
    }

    /// The mean and standard deviation over `n` shuffles that cannot change `value`; `None` without shuffles.
    pub fn unmoved(n: usize, value: Nats) -> Option<Self> {
        (n > 0).then_some(Self { mean: value, std: (n > 1).then_some(Nats(0.0)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::information::information;

    #[test]
    fn copies_of_a_sample_share_the_label_that_a_shuffle_gives() {
        let y = Labels::hard(&[0, 1, 0, 1, 1, 0, 1, 0, 1, 1]);
        let samples: Vec<u32> = (0..2).flat_map(|_| [7, 3, 5, 4, 9]).collect();
        let given = InputsAndLabels::new(Cells::of_rows(&samples, 1), &samples, y, 4).unwrap();
        assert!(given.shuffles().keeps_snapshots());
        for (order, classes) in given.shuffles().iter().zip(given.shuffled_classes()) {
            for row in 0..5 {
                assert_eq!(order[row + 5], order[row] + 5, "a row stays in its snapshot");
                assert_eq!(classes.numbers()[row], classes.numbers()[row + 5]);
            }
        }
        // The second snapshot has other samples: labels still belong to samples.
        let samples = [0, 1, 2, 2, 3];
        let y = Labels::hard(&[0, 1, 2, 2, 3]);
        let given = InputsAndLabels::new(Cells::of_rows(&samples, 1), &samples, y, 3).unwrap();
        assert!(!given.shuffles().keeps_snapshots());
        let mut classes = given.shuffled_classes();
        assert!(classes.all(|classes| classes.numbers()[2] == classes.numbers()[3] && classes.n_cells() == 4));
    }

    #[test]
    fn shuffles_are_held_once_and_give_the_bits_of_shuffled_labels() {
        let y: Vec<i32> = (0..60).map(|i| i * i % 7).collect();
        let t = Cells::of_rows(&(0..60_u32).map(|i| i * 5 % 11).collect::<Vec<_>>(), 1);
        let single: Vec<u32> = (0..60).collect();
        let repeated: Vec<u32> = (0..60).map(|row| row % 20).collect();
        let mixed: Vec<u32> = (0..60).map(|row| row * row % 20).collect();
        for samples in [single, repeated, mixed] {
            let y: Vec<i32> = samples.iter().map(|sample| y[*sample as usize]).collect();
            let inputs = Cells::of_rows(&samples.iter().map(|sample| sample / 2).collect::<Vec<_>>(), 1);
            let given = InputsAndLabels::new(inputs, &samples, Labels::hard(&y), 5).unwrap();
            let is_pooled = samples[59] != 59;
            assert_eq!(given.row_shuffles.is_some(), is_pooled, "permutations of the samples are those of the rows");
            for bias in Bias::ALL {
                let slow = |classes: Cells| information(&t, &classes, given.table(bias));
                assert_eq!(given.shuffled_i_ty(&t, bias), given.shuffled_classes().map(slow).collect::<Vec<_>>());
                let rows = Shuffles::new(5, 60);
                let slow = shuffled_information(&t, &given.x, rows.iter(), given.table(bias));
                assert_eq!(given.shuffled_i_xt(&t, bias), slow);
            }
        }
    }

    /// Sums over a table of samples × classes would take minutes here.
    #[test]
    fn labels_that_are_all_different_are_described_at_once() {
        const N: i32 = 70_000;
        let given = InputsAndLabels::of_distinct(&(0..N).collect::<Vec<_>>(), 0).unwrap();
        // A sum of N terms, each rounded to half a unit in its last place of at most ln N = 11.2.
        assert!((given.h_y.0 - f64::from(N).ln()).abs() < f64::from(N) * 11.2 * f64::EPSILON);
        assert_eq!(given.i_ty_ceiling, given.h_y);
    }

    #[test]
    fn probabilities_of_labels_leave_less_to_know() {
        let y = Labels::stochastic(&[0.0, 0.5, 0.5, 1.0]).unwrap();
        let given = InputsAndLabels::of_distinct(y, 0).unwrap();
        // H(Y) = 1 bit, H(Y|X) = half of the inputs times 1 bit.
        assert!((given.h_y.bits() - 1.0).abs() < 1e-12 && (given.i_ty_ceiling.bits() - 0.5).abs() < 1e-12);
    }
}
