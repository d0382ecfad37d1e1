//! Edges between cells: evenly spaced edges without a table, any other edges by comparison.

use std::ops::RangeInclusive;

use thiserror::Error;

use crate::math::digitise::{Precision, Rule, TooFar, Value, nearest};

/// The cell of a value below the first edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// −1.
    OwnCell,
    /// 0, the cell of the first edge.
    FirstBin,
    /// That of the last edge: NumPy's index −1, a bug of the released code.
    LastEdge,
}

/// The cell of a value at the last edge or above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Above {
    /// A separate cell, with the number of the last edge.
    OwnCell,
    /// The bin below the last edge.
    LastBin,
}

/// Edges that are evenly spaced: e_k = low + k (high − low)/(n − 1) in f64 as by `numpy.linspace`, then rounded to the
/// precision. The cell of a value is the last k with e_k ≤ value, `numpy.digitize(value, edges) − 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvenEdges {
    low: f64,
    high: f64,
    last: f64,
    precision: Precision,
    below: i32,
    above: i32,
}

impl EvenEdges {
    /// `n_edges` ≥ 2 edges from `low` to `high`.
    ///
    /// # Errors
    /// Edges so close that numbers of this precision cannot distinguish them.
    pub fn new(low: f64, high: f64, n_edges: usize, precision: Precision) -> Result<Self, EdgesError> {
        let largest = low.abs().max(high.abs());
        let ulp = match precision {
            Precision::Single => f64::from(largest as f32) - f64::from((largest as f32).next_down()),
            Precision::Double => largest - largest.next_down(),
        };
        // The error of a rounded edge is then at most a quarter of the spacing, and the nearest edge is found without
        // a table.
        let step = (high - low) / n_edges.saturating_sub(1) as f64;
        if !(step >= 2.0 * ulp && step.is_finite() && n_edges <= i32::MAX as usize) {
            return Err(EdgesError::TooClose { n_edges, low, high });
        }
        let last = n_edges as i32 - 1;
        Ok(Self { low, high, last: last.into(), precision, below: -1, above: last })
    }

    /// These edges with another rule for values outside, which have separate cells by default.
    #[must_use]
    pub fn outside(self, below: Below, above: Above) -> Self {
        let last = self.last as i32;
        let below = match below {
            Below::OwnCell => -1,
            Below::FirstBin => 0,
            Below::LastEdge => last,
        };
        Self { below, above: if above == Above::OwnCell { last } else { last - 1 }, ..self }
    }

    /// `n_bins` equal bins from `low` to `high`, the last one closed; values outside belong to the nearest bin. If
    /// `low` = `high`, all values are in bin 0.
    ///
    /// # Errors
    /// Bins narrower than the spacing of f64.
    pub fn bins(low: f64, high: f64, n_bins: usize) -> Result<Self, EdgesError> {
        if low == high {
            return Ok(Self { low, high, last: 0.0, precision: Precision::Double, below: 0, above: 0 });
        }
        Ok(Self::new(low, high, n_bins + 1, Precision::Double)?.outside(Below::FirstBin, Above::LastBin))
    }

    /// The edges, in order.
    #[cfg(test)]
    pub fn edges(&self) -> Vec<f64> {
        let last = self.last as u32;
        let edge = |k: u32| if k == last { self.high } else { f64::from(k) * self.step() + self.low };
        let round = |edge: f64| if self.precision == Precision::Single { f64::from(edge as f32) } else { edge };
        (0..=last).map(|k| round(edge(k))).collect()
    }

    #[inline(always)]
    fn cells_by<V: Value>(self, values: &[V], cells: &mut [i32], round: impl Fn(f64) -> f64) {
        let Self { low, high, last, below, above, .. } = self;
        let step = self.step();
        let per_unit = if step > 0.0 { 1.0 / step } else { 0.0 };
        for (cell, value) in cells.iter_mut().zip(values) {
            let value = value.double();
            // The edge nearest to a value is the lower or the upper edge of its cell.
            let (nearest, k) = nearest(((value - low) * per_unit).max(0.0).min(last));
            let edge = round(if nearest == last { high } else { nearest * step + low });
            let k = k - i32::from(value < edge);
            *cell = if k < 0 { below } else { k.min(above) };
        }
    }

    fn step(&self) -> f64 {
        if self.last > 0.0 { (self.high - self.low) / self.last } else { 0.0 }
    }
}

impl<V: Value> Rule<V> for EvenEdges {
    fn range(&self, _: &[V]) -> Result<RangeInclusive<i32>, TooFar> {
        Ok(self.below.min(0)..=self.above.max(self.below))
    }

    #[inline(always)]
    fn cells(&self, values: &[V], cells: &mut [i32]) {
        match self.precision {
            Precision::Single => self.cells_by(values, cells, |edge| f64::from(edge as f32)),
            Precision::Double => self.cells_by(values, cells, |edge| edge),
        }
    }
}

/// Any ascending edges; equal edges make empty cells. The cell of a value is the last k with e_k ≤ value, −1 below the
/// first edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Edges<V> {
    edges: Vec<V>,
}

impl<V: Value> Edges<V> {
    /// The given edges; values of any precision are compared with them exactly.
    ///
    /// # Errors
    /// An edge smaller than the previous one, or NaN.
    pub fn new(edges: &[f64]) -> Result<Self, EdgesError> {
        let ascends = |at: &usize| edges[*at].is_finite() && (*at == 0 || edges[*at - 1] <= edges[*at]);
        if let Some(at) = (0..edges.len()).find(|at| !ascends(at)) {
            return Err(EdgesError::Unsorted { at, edge: edges[at] });
        }
        Ok(Self { edges: edges.iter().map(|edge| V::at_least(*edge)).collect() })
    }

    /// Edges for `n_cells` cells with equally many distinct values: with U unique values u other than `low`, the edges
    /// are `low`, u[⌊kU/n⌋] for k < n, and the largest u, which has a separate cell.
    ///
    /// # Reference
    /// Chelombiev et al. 2019 (arXiv 1902.09037), released code ("EBAB"): n = 30; low = 0 for ReLU, −1.000001 for tanh.
    pub fn equally_frequent(values: &[V], low: f64, n_cells: usize) -> Self {
        let mut unique: Vec<V> = values.iter().copied().filter(|value| value.double() != low).collect();
        unique.sort_unstable_by(V::total_cmp);
        unique.dedup_by(|a, b| a == b);
        let mut edges = vec![V::at_least(low)];
        if let Some(largest) = unique.last() {
            edges.extend((0..n_cells).map(|k| unique[k * unique.len() / n_cells]));
            edges.push(*largest);
        }
        Self { edges }
    }

    /// The edges, in order.
    pub fn edges(&self) -> &[V] {
        &self.edges
    }
}

/// Up to this number of edges, comparing a value with all of them is faster than bisection, which cannot be
/// vectorised.
const FEW: usize = 128;

impl<V: Value> Rule<V> for Edges<V> {
    fn range(&self, _: &[V]) -> Result<RangeInclusive<i32>, TooFar> {
        Ok(-1..=self.edges.len() as i32 - 1)
    }

    #[inline(always)]
    fn cells(&self, values: &[V], cells: &mut [i32]) {
        if self.edges.len() <= FEW {
            cells.fill(-1);
            let (fours, rest) = self.edges.as_chunks::<4>();
            for [a, b, c, d] in fours.iter().copied() {
                for (cell, value) in cells.iter_mut().zip(values) {
                    let v = *value;
                    *cell += i32::from(a <= v) + i32::from(b <= v) + i32::from(c <= v) + i32::from(d <= v);
                }
            }
            for edge in rest.iter().copied() {
                cells.iter_mut().zip(values).for_each(|(cell, value)| *cell += i32::from(edge <= *value));
            }
        } else {
            for (cell, value) in cells.iter_mut().zip(values) {
                *cell = self.edges.partition_point(|edge| edge <= value) as i32 - 1;
            }
        }
    }
}

/// Why a rule cannot be built.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum EdgesError {
    /// Edges that would be equal or uneven after rounding.
    #[error("{n_edges} edges over {low}..={high} are closer than numbers of their precision; use fewer edges")]
    TooClose {
        /// Number of edges.
        n_edges: usize,
        /// The first edge.
        low: f64,
        /// The last edge.
        high: f64,
    },
    /// Edges that are not ascending; equal edges are allowed.
    #[error("edge {at} is {edge}; edges must be finite and ascending")]
    Unsorted {
        /// Position of the edge.
        at: usize,
        /// The edge.
        edge: f64,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::digitise::tests::cells;
    use crate::math::digitise::{Codes, digitise};

    /// `numpy.digitize(value, edges) - 1`.
    fn slow<V: Value>(edges: &[f64], value: V) -> i32 {
        edges.partition_point(|edge| *edge <= value.double()) as i32 - 1
    }

    /// Checks values at and next to the edges, at most about 100 000 of them.
    #[track_caller]
    fn check_even(low: f64, high: f64, n_edges: usize) {
        let every = 1 + n_edges / 100_000;
        if let Ok(rule) = EvenEdges::new(low, high, n_edges, Precision::Single) {
            let edges = rule.edges();
            let around = |e: &f64| [(*e as f32).next_down(), *e as f32, (*e as f32).next_up()];
            let values: Vec<f32> =
                edges.iter().step_by(every).flat_map(around).chain([0.0, -0.0, 1e30, -1e30]).collect();
            let expected: Vec<i32> = values.iter().map(|v| slow(&edges, *v)).collect();
            assert_eq!(cells(&rule, &values), expected, "{low} {high} {n_edges}");
        }
        if let Ok(rule) = EvenEdges::new(low, high, n_edges, Precision::Double) {
            let edges = rule.edges();
            let around = |e: &f64| [e.next_down(), *e, e.next_up()];
            let values: Vec<f64> =
                edges.iter().step_by(every).flat_map(around).chain([0.0, -0.0, 1e300, -1e300]).collect();
            let expected: Vec<i32> = values.iter().map(|v| slow(&edges, *v)).collect();
            assert_eq!(cells(&rule, &values), expected, "{low} {high} {n_edges}");
            // f32 values next to edges in f64.
            let values: Vec<f32> =
                edges.iter().step_by(every).flat_map(|e| [*e as f32, (*e as f32).next_up()]).collect();
            let expected: Vec<i32> = values.iter().map(|v| slow(&edges, *v)).collect();
            assert_eq!(cells(&rule, &values), expected, "{low} {high} {n_edges}");
        }
    }

    proptest! {
        #[test]
        fn evenly_spaced_edges_are_found_as_by_a_search_of_the_table(
            low in -100.0..100.0_f64, exponent in -20.0..20.0_f64, n_edges in 2..400_usize,
        ) {
            let low = f64::from(low as f32);
            check_even(low, low + exponent.exp2(), n_edges);
        }

        #[test]
        fn any_edges_are_found_as_by_a_search_of_the_table(
            mut edges in proptest::collection::vec(-2.0..2.0_f64, 1..200),
            values in proptest::collection::vec(-3.0..3.0_f32, 0..100),
        ) {
            edges.sort_by(f64::total_cmp);
            let rule = Edges::<f32>::new(&edges).unwrap();
            let around = |e: &f64| [(*e as f32).next_down(), *e as f32, (*e as f32).next_up()];
            let values: Vec<f32> = edges.iter().flat_map(around).chain(values).collect();
            let expected: Vec<i32> = values.iter().map(|v| slow(&edges, *v)).collect();
            prop_assert_eq!(cells(&rule, &values), expected);
        }
    }

    #[test]
    fn the_published_edges_are_found_as_by_a_search_of_the_table() {
        for n_edges in [2, 3, 29, 30, 31, 50, 51, 101, 257, 65_537, 1 << 20, 1 << 24] {
            check_even(-1.0, 1.0, n_edges);
        }
        for n_edges in [2, 30, 100, 256] {
            check_even(0.0, 1.0, n_edges);
            check_even(0.0, 3e-39, n_edges);
            check_even(-1e30, 1e30, n_edges);
        }
    }

    #[test]
    fn edges_and_cells_are_numpys() {
        let rule = EvenEdges::new(-1.0, 1.0, 30, Precision::Single).unwrap();
        // numpy.linspace(-1, 1, 30, dtype="f4")[[0, 1, 15, 28, 29]]
        let b = rule.edges();
        assert_eq!(
            [b[0], b[1], b[15], b[28], b[29]].map(|e| e as f32),
            [-1.0, -0.931_034_5, 0.034_482_76, 0.931_034_5, 1.0]
        );
        // numpy.linspace(-1, 1, n, dtype="f4").view("u4").astype("u8").sum() of NumPy 2.4.6
        for (n_edges, sum) in [
            (30, 63_816_479_990_u64),
            (31, 63_851_847_142),
            (50, 106_346_663_520),
            (51, 106_387_011_008),
            (257, 544_470_990_848),
        ] {
            let edges = EvenEdges::new(-1.0, 1.0, n_edges, Precision::Single).unwrap().edges();
            assert_eq!(edges.iter().map(|edge| u64::from((*edge as f32).to_bits())).sum::<u64>(), sum);
        }
        // numpy.digitize(…) - 1
        let values: [f32; 6] = [-1.0, -1.1, 0.0, 0.999_999_94, 1.0, 7.0];
        assert_eq!(cells(&rule, &values), [0, -1, 14, 28, 29, 29]);
        assert_eq!(cells(&rule.outside(Below::FirstBin, Above::LastBin), &values), [0, 0, 14, 28, 28, 28]);
        assert_eq!(cells(&rule.outside(Below::LastEdge, Above::OwnCell), &values), [0, 29, 14, 28, 29, 29]);
        let codes = digitise(&values, &rule).unwrap();
        assert_eq!(codes, Codes::U8(vec![1, 0, 15, 29, 30, 30]));
    }

    #[test]
    fn edges_that_rounding_would_make_equal_are_refused() {
        assert!(EvenEdges::new(-1.0, 1.0, 1 << 24, Precision::Single).is_ok());
        assert!(EvenEdges::new(-1.0, 1.0, 1 << 25, Precision::Single).is_err());
        assert!(EvenEdges::new(-1.0, 1.0, 1 << 25, Precision::Double).is_ok());
        for (low, high, n_edges) in
            [(1.0, -1.0, 3), (0.0, 0.0, 2), (0.0, f64::INFINITY, 3), (f64::NAN, 1.0, 3), (0.0, 1.0, 0)]
        {
            assert!(EvenEdges::new(low, high, n_edges, Precision::Double).is_err(), "{low} {high} {n_edges}");
        }
    }

    #[test]
    fn the_upper_edge_closes_the_last_of_equal_bins() {
        // Bins of width 5: [-10,-5), [-5,0), [0,5), [5,10].
        let bins = EvenEdges::bins(-10.0, 10.0, 4).unwrap();
        assert_eq!(cells::<f32>(&bins, &[-10.0, -5.1, -4.9, 5.0, 10.0, 11.0, -11.0]), [0, 0, 1, 3, 3, 3, 0]);
        assert_eq!(cells::<f32>(&EvenEdges::bins(3.0, 3.0, 4).unwrap(), &[3.0, 3.0]), [0, 0]);
    }

    #[test]
    fn equal_edges_leave_empty_cells() {
        // From ±20 on, tanh in f64 is ±1: four equal edges at each end.
        let edges: Vec<f64> = (0..11).map(|k| (f64::from(k) * 10.0 - 50.0).tanh()).collect();
        let rule = Edges::<f64>::new(&edges).unwrap();
        assert_eq!(cells(&rule, &[-1.0, -0.5, 0.0, 0.5, 1.0]), [3, 4, 5, 5, 10]);
        assert_eq!(Edges::<f64>::new(&[0.0, 1.0, 0.5]), Err(EdgesError::Unsorted { at: 2, edge: 0.5 }));
        assert!(Edges::<f32>::new(&[f64::NAN]).is_err());
    }

    #[test]
    fn unique_values_are_shared_out_equally() {
        let values: [f32; 9] = [0.0, 3.0, 1.0, 1.0, 1.0, 2.0, 4.0, 0.0, -0.0];
        let rule = Edges::equally_frequent(&values, 0.0, 2);
        assert_eq!(rule.edges(), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(cells(&rule, &values), [0, 2, 1, 1, 1, 1, 3, 0, 0]);
        assert_eq!(Edges::<f32>::equally_frequent(&[0.0], 0.0, 3).edges(), [0.0]);
    }
}
