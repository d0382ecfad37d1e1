//! What an estimator is given: one layer's values, and what is known of the same rows whatever the layer.

use super::EstimateError;
use crate::math::atoms::Cells;
use crate::math::entropy::{Bias, CountTable, entropy};
use crate::math::shuffles::Shuffles;
use crate::sample::{Labels, Range, Representation};
use crate::units::Nats;

/// One layer's values at one moment, or one unit's, and what is known besides.
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
    /// Of the layer at this moment, also where T is one unit of it.
    pub layer: Range,
    /// Of every layer and moment of the run; `None` where no estimator asked for it.
    pub run: Option<Range>,
    /// Of every layer and moment of all runs; `None` where no estimator asked for it.
    pub all_runs: Option<Range>,
}

/// X and Y of some rows, their shuffles, and what follows from them alone. Made once, used for every layer and moment.
#[derive(Debug)]
pub struct Given {
    /// Which input every row came from.
    pub x: Cells,
    /// Y of every row.
    pub y: Labels,
    /// The class of every row, where labels are hard.
    pub classes: Option<Cells>,
    /// The permutations for the nulls.
    pub shuffles: Shuffles,
    tables: Vec<(Bias, CountTable)>,
    /// H(X).
    pub h_x: Nats,
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
    /// The inputs `x` and labels `y` of the same rows, with `n_shuffles` shuffles.
    ///
    /// # Errors
    /// Fewer than two rows; not as many inputs as labels.
    pub fn new(x: Cells, y: Labels, n_shuffles: usize) -> Result<Self, EstimateError> {
        let n = x.n_samples();
        if y.n_samples() != n {
            return Err(EstimateError::Mismatch { n_t: n, n_y: y.n_samples() });
        }
        if n < 2 {
            return Err(EstimateError::TooFew { n });
        }
        let tables: Vec<_> = Bias::ALL.iter().map(|(_, bias)| (*bias, CountTable::new(n, *bias))).collect();
        let p_y = |class: usize| y.rows().map(|p_y| p_y[class]).sum::<f64>() / n as f64;
        Ok(Self {
            classes: y.classes().map(|classes| Cells::of_rows(classes, 1)),
            shuffles: Shuffles::new(n_shuffles as u64, n as u32),
            h_x: tables[0].1.entropy(x.counts()),
            h_y: entropy((0..y.n_classes()).map(p_y)),
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
        Self::new(Cells::of_rows(&numbers, 1), y, 0)
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

impl Spread {
    /// Of the `values` that shuffles gave; `None` where there is none.
    pub fn of(values: &[Nats]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().map(|value| value.0).sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value.0 - mean).powi(2)).sum();
        let std = (values.len() > 1).then(|| Nats((squares / (n - 1.0)).sqrt()));
        (!values.is_empty()).then_some(Self { mean: Nats(mean), std })
    }

    /// What shuffling gives that cannot change `value`.
    pub fn unmoved(shuffles: &Shuffles, value: Nats) -> Option<Self> {
        let n = shuffles.iter().len();
        (n > 0).then_some(Self { mean: value, std: (n > 1).then_some(Nats(0.0)) })
    }
}
