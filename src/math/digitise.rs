//! Values become the numbers of their cells, by rules that agree to the last bit with NumPy's.
//!
//! A loop over a block of values is plain Rust without branches or tables; `pulp` compiles it a second time for AVX2 and
//! picks at run time. Only correctly rounded operations occur, so the cells do not depend on the machine.

use std::ops::RangeInclusive;

use pulp::{Arch, Simd};
use thiserror::Error;

/// f32, of which activations are made, or f64, in which reference values were computed.
pub trait Value: Copy + PartialOrd {
    /// The value in single precision.
    fn single(self) -> f32;
    /// The value in double precision, exactly.
    fn double(self) -> f64;
    /// The smallest value that is not below `bound`.
    fn at_least(bound: f64) -> Self;
    /// IEEE 754's total order.
    fn total_cmp(&self, other: &Self) -> std::cmp::Ordering;
}

/// The precision in which a rule computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// f32, as NumPy where an array of f32 meets edges of f32 or a Python number.
    Single,
    /// f64.
    Double,
}

/// How every value gets its cell. Values must be finite.
pub trait Rule<V: Value> {
    /// The cells that `values` can fall into.
    ///
    /// # Errors
    /// A cell number that does not fit into 31 bits.
    fn range(&self, values: &[V]) -> Result<RangeInclusive<i32>, TooFar>;

    /// The cell of every value; `cells` is as long as `values`. To be inlined into a loop over blocks.
    fn cells(&self, values: &[V], cells: &mut [i32]);
}

/// Cell numbers of many values, each minus the smallest possible one, in as few bytes as they need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codes {
    /// At most 2⁸ cells.
    U8(Vec<u8>),
    /// At most 2¹⁶ cells.
    U16(Vec<u16>),
    /// At most 2³² cells.
    U32(Vec<u32>),
}

/// A value is further from 0 than cell numbers reach.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
#[error("the bin of {value} has no number of 32 bits; choose wider bins")]
pub struct TooFar {
    /// The value.
    pub value: f64,
}

/// Why a rule cannot be built.
#[derive(Debug, Error, PartialEq)]
pub enum EdgesError {
    /// Rounding would make edges equal or uneven.
    #[error("{n_edges} edges over {low}..={high} are closer than numbers of their precision; give fewer")]
    TooClose {
        /// Number of edges.
        n_edges: usize,
        /// The first.
        low: f64,
        /// The last.
        high: f64,
    },
    /// Edges must ascend; they may be equal.
    #[error("edge {at} is {edge}; edges are finite and none is smaller than the one before")]
    Unsorted {
        /// Position of the edge.
        at: usize,
        /// The edge.
        edge: f64,
    },
}

/// Values that a loop holds in the nearest cache, between their cells and their codes.
const BLOCK: usize = 1024;

/// The codes of `values` under `rule`.
///
/// # Errors
/// A value whose cell number does not fit into 31 bits.
pub fn digitise<V: Value>(values: &[V], rule: &impl Rule<V>) -> Result<Codes, TooFar> {
    let range = rule.range(values)?;
    let (first, n_codes) = (*range.start(), i64::from(*range.end()) - i64::from(*range.start()) + 1);
    // Subtracted modulo 2³², so that even −2³¹..2³¹ has codes.
    let code = |cell: i32| cell.wrapping_sub(first).cast_unsigned();
    Ok(match n_codes {
        1..=0x100 => Codes::U8(codes(values, rule, |cell| code(cell) as u8)),
        0x101..=0x1_0000 => Codes::U16(codes(values, rule, |cell| code(cell) as u16)),
        _ => Codes::U32(codes(values, rule, code)),
    })
}

fn codes<V: Value, R: Rule<V>, C: Copy + Default, F: Fn(i32) -> C>(values: &[V], rule: &R, code: F) -> Vec<C> {
    let mut codes = vec![C::default(); values.len()];
    narrow(values, rule, code, &mut codes);
    codes
}

#[pulp::with_simd(narrow = Arch::new())]
#[inline(always)]
fn narrow_simd<'a, S: Simd, V: Value, R: Rule<V>, C: Copy, F: Fn(i32) -> C>(
    _: S,
    values: &'a [V],
    rule: &'a R,
    code: F,
    codes: &'a mut [C],
) {
    let mut block = [0; BLOCK];
    for (values, codes) in values.chunks(BLOCK).zip(codes.chunks_mut(BLOCK)) {
        let cells = &mut block[..values.len()];
        rule.cells(values, cells);
        codes.iter_mut().zip(cells).for_each(|(c, cell)| *c = code(*cell));
    }
}

/// 1.5 · 2⁵²: adding it to a smaller number rounds this to a whole one, which is then in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The whole number next to x, half to even, for −2³¹ ≤ x < 2³¹. Unlike `as i32`, this vectorises.
#[inline(always)]
fn nearest(x: f64) -> (f64, i32) {
    let shifted = x + ROUND;
    (shifted - ROUND, shifted.to_bits() as i32)
}

/// The cell of a value below the first edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// −1.
    OwnCell,
    /// 0, as if it were the first edge.
    FirstCell,
    /// The last edge's: NumPy's index −1, a bug of the released code.
    LastCell,
}

/// The cell of a value that is the last edge or above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Above {
    /// A cell of its own, numbered as the last edge.
    OwnCell,
    /// The bin that the last edge closes.
    LastBin,
}

/// Edges that are evenly spaced: e_k = low + k (high − low)/(n − 1) in f64 as by `numpy.linspace`, then rounded to the
/// precision. A value's cell is the last k with e_k ≤ value, `numpy.digitize(value, edges) − 1`.
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
    /// Edges so close that numbers of this precision do not tell them apart.
    pub fn new(low: f64, high: f64, n_edges: usize, precision: Precision) -> Result<Self, EdgesError> {
        let largest = low.abs().max(high.abs());
        let ulp = match precision {
            Precision::Single => f64::from(largest as f32) - f64::from((largest as f32).next_down()),
            Precision::Double => largest - largest.next_down(),
        };
        // A rounded edge is then off by at most a quarter of the spacing, and the nearest edge is found without a table.
        let step = (high - low) / n_edges.saturating_sub(1) as f64;
        if !(step >= 2.0 * ulp && step.is_finite() && n_edges <= i32::MAX as usize) {
            return Err(EdgesError::TooClose { n_edges, low, high });
        }
        let last = n_edges as i32 - 1;
        Ok(Self { low, high, last: last.into(), precision, below: -1, above: last })
    }

    /// The same edges with another rule for values outside, which have cells of their own otherwise.
    #[must_use]
    pub fn outside(self, below: Below, above: Above) -> Self {
        let last = self.last as i32;
        let below = match below {
            Below::OwnCell => -1,
            Below::FirstCell => 0,
            Below::LastCell => last,
        };
        Self { below, above: if above == Above::OwnCell { last } else { last - 1 }, ..self }
    }

    /// `n_bins` equal bins from `low` to `high`, the last one closed; values outside belong to the nearest bin. Where
    /// `low` = `high`, all values are in bin 0.
    ///
    /// # Errors
    /// Bins narrower than the spacing of f64.
    pub fn bins(low: f64, high: f64, n_bins: usize) -> Result<Self, EdgesError> {
        if low == high {
            return Ok(Self { low, high, last: 0.0, precision: Precision::Double, below: 0, above: 0 });
        }
        Ok(Self::new(low, high, n_bins + 1, Precision::Double)?.outside(Below::FirstCell, Above::LastBin))
    }

    /// The edges, one after the other.
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
            // A value lies nearest to the edge that begins its cell, or to the one that ends it.
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

/// Any edges that ascend; equal ones leave empty cells. A value's cell is the last k with e_k ≤ value, −1 below the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Edges<V> {
    edges: Vec<V>,
}

impl<V: Value> Edges<V> {
    /// The given edges; values are compared with them exactly, whatever the precision of the values.
    ///
    /// # Errors
    /// An edge smaller than the one before, or NaN.
    pub fn new(edges: &[f64]) -> Result<Self, EdgesError> {
        let ascends = |at: &usize| edges[*at].is_finite() && (*at == 0 || edges[*at - 1] <= edges[*at]);
        if let Some(at) = (0..edges.len()).find(|at| !ascends(at)) {
            return Err(EdgesError::Unsorted { at, edge: edges[at] });
        }
        Ok(Self { edges: edges.iter().map(|edge| V::at_least(*edge)).collect() })
    }

    /// Edges such that each of `n_cells` cells holds equally many different values: with U unique values u other than
    /// `low`, the edges are `low`, u[⌊kU/n⌋] for k < n, and the largest u, which has a cell of its own.
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

    /// The edges, one after the other.
    pub fn edges(&self) -> &[V] {
        &self.edges
    }
}

/// Up to as many edges, comparing a value with all of them is faster than halving, which cannot be vectorised.
const FEW: usize = 64;

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

/// ⌊value / width⌋, as in Saxe et al. 2018.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Width {
    /// The width, above 0.
    pub width: f64,
    /// The precision of the width and the quotient.
    pub precision: Precision,
}

impl<V: Value> Rule<V> for Width {
    /// From the cell of the smallest to that of the largest value.
    fn range(&self, values: &[V]) -> Result<RangeInclusive<i32>, TooFar> {
        let Some((low, high)) = extremes(values) else { return Ok(0..=0) };
        let cell = |value: V| {
            let cell = self.quotient(value).floor();
            // −2³¹ and 2³¹ are f64 numbers, 2³¹ − 1 is not a number of f32.
            let fits = (-2_147_483_648.0..2_147_483_648.0).contains(&cell);
            if fits { Ok(cell as i32) } else { Err(TooFar { value: value.double() }) }
        };
        Ok(cell(low)?..=cell(high)?)
    }

    #[inline(always)]
    fn cells(&self, values: &[V], cells: &mut [i32]) {
        match self.precision {
            Precision::Single => {
                let width = self.width as f32;
                for (cell, value) in cells.iter_mut().zip(values) {
                    *cell = nearest((value.single() / width).floor().into()).1;
                }
            }
            Precision::Double => {
                let width = self.width;
                for (cell, value) in cells.iter_mut().zip(values) {
                    *cell = nearest((value.double() / width).floor()).1;
                }
            }
        }
    }
}

impl Width {
    fn quotient<V: Value>(&self, value: V) -> f64 {
        match self.precision {
            Precision::Single => (value.single() / self.width as f32).into(),
            Precision::Double => value.double() / self.width,
        }
    }
}

/// Quantisation to 2^bits levels from `low` to `high`: (value − low)(2^bits − 1)/(high − low), rounded to the nearest
/// whole number, half to even. Values outside get the nearest level; where `low` = `high`, all values get level 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantised {
    /// The value of the lowest level.
    pub low: f64,
    /// The value of the highest.
    pub high: f64,
    /// Bits of a level's number, at most 31.
    pub bits: u32,
}

impl<V: Value> Rule<V> for Quantised {
    fn range(&self, _: &[V]) -> Result<RangeInclusive<i32>, TooFar> {
        Ok(0..=((1_i64 << self.bits) - 1) as i32)
    }

    #[inline(always)]
    fn cells(&self, values: &[V], cells: &mut [i32]) {
        let low = self.low;
        let highest = ((1_i64 << self.bits) - 1) as f64;
        let range = if self.low < self.high { self.high - self.low } else { f64::INFINITY };
        for (cell, value) in cells.iter_mut().zip(values) {
            let level = (value.double() - low) * highest / range;
            *cell = nearest(level.max(0.0).min(highest)).1;
        }
    }
}

/// The smallest and the largest of `values`, none if there are no values.
pub fn extremes<V: Value>(values: &[V]) -> Option<(V, V)> {
    let (low, high) = extremes_of_lanes(values, *values.first()?);
    let low = low.into_iter().reduce(|a, b| if b < a { b } else { a })?;
    let high = high.into_iter().reduce(|a, b| if b > a { b } else { a })?;
    Some((low, high))
}

/// Neighbouring values whose extremes are in registers at once: four vectors of eight.
const LANES: usize = 32;

#[pulp::with_simd(extremes_of_lanes = Arch::new())]
#[inline(always)]
fn extremes_of_lanes_simd<S: Simd, V: Value>(_: S, values: &[V], start: V) -> ([V; LANES], [V; LANES]) {
    let (mut low, mut high) = ([start; LANES], [start; LANES]);
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        low.iter_mut().zip(block).for_each(|(l, v)| *l = if *v < *l { *v } else { *l });
        high.iter_mut().zip(block).for_each(|(h, v)| *h = if *v > *h { *v } else { *h });
    }
    for v in rest {
        low[0] = if *v < low[0] { *v } else { low[0] };
        high[0] = if *v > high[0] { *v } else { high[0] };
    }
    (low, high)
}

impl Value for f32 {
    #[inline(always)]
    fn single(self) -> f32 {
        self
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self.into()
    }

    fn at_least(bound: f64) -> Self {
        let rounded = bound as f32;
        if f64::from(rounded) < bound { rounded.next_up() } else { rounded }
    }

    fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        f32::total_cmp(self, other)
    }
}

impl Value for f64 {
    #[inline(always)]
    fn single(self) -> f32 {
        self as f32
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self
    }

    fn at_least(bound: f64) -> Self {
        bound
    }

    fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        f64::total_cmp(self, other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells<V: Value>(rule: &impl Rule<V>, values: &[V]) -> Vec<i32> {
        let mut cells = vec![0; values.len()];
        rule.cells(values, &mut cells);
        let range = rule.range(values).unwrap();
        assert!(cells.iter().all(|cell| range.contains(cell)), "{cells:?} outside of {range:?}");
        cells
    }

    /// `numpy.digitize(value, edges) - 1`.
    fn slow<V: Value>(edges: &[f64], value: V) -> i32 {
        edges.partition_point(|edge| *edge <= value.double()) as i32 - 1
    }

    /// Checks values on and beside the edges, at most some 100 000 of them.
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
            // f32 values beside edges of f64.
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
        // numpy.digitize(…) - 1
        let values: [f32; 6] = [-1.0, -1.1, 0.0, 0.999_999_94, 1.0, 7.0];
        assert_eq!(cells(&rule, &values), [0, -1, 14, 28, 29, 29]);
        assert_eq!(cells(&rule.outside(Below::FirstCell, Above::LastBin), &values), [0, 0, 14, 28, 28, 28]);
        assert_eq!(cells(&rule.outside(Below::LastCell, Above::OwnCell), &values), [0, 29, 14, 28, 29, 29]);
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
        // From ±20 on, tanh in f64 is ±1: four equal edges on either side.
        let edges: Vec<f64> = (0..11).map(|k| (f64::from(k) * 10.0 - 50.0).tanh()).collect();
        let rule = Edges::<f64>::new(&edges).unwrap();
        assert_eq!(cells(&rule, &[-1.0, -0.5, 0.0, 0.5, 1.0]), [3, 4, 5, 5, 10]);
        assert_eq!(Edges::<f64>::new(&[0.0, 1.0, 0.5]), Err(EdgesError::Unsorted { at: 2, edge: 0.5 }));
        assert!(Edges::<f32>::new(&[f64::NAN]).is_err());
    }

    #[test]
    fn widths_count_from_zero_in_the_precision_asked_for() {
        let double = Width { width: 0.1, precision: Precision::Double };
        let single = Width { width: 0.1, precision: Precision::Single };
        // 0.7f32 is 0.69999998807…; in f32, 0.7/0.1 is 7 less one unit in the last place or 7.
        let expected = (0.7_f32 / 0.1_f32).floor() as i32;
        assert_eq!(cells::<f32>(&single, &[-0.05, 0.0, -0.0, 0.05, 0.7, 1.0]), [-1, 0, 0, 0, expected, 10]);
        assert_eq!(cells::<f32>(&double, &[-0.05, 0.0, -0.0, 0.05, 0.7, 1.0]), [-1, 0, 0, 0, 6, 10]);
        // Codes count from the smallest cell that occurs.
        assert_eq!(digitise::<f32>(&[-100.0, 0.0, 100.0], &double), Ok(Codes::U16(vec![0, 1000, 2000])));
        assert_eq!(digitise::<f32>(&[-1e5, 0.0], &double), Ok(Codes::U32(vec![0, 1_000_000])));
        assert_eq!(digitise::<f32>(&[], &double), Ok(Codes::U8(vec![])));
    }

    #[test]
    fn cell_numbers_beyond_31_bits_are_an_error() {
        for precision in [Precision::Single, Precision::Double] {
            let unit = Width { width: 1.0, precision };
            let (lowest, beyond) = (-2_147_483_648.0_f32, 2_147_483_648.0_f32);
            assert_eq!(digitise(&[0.0, beyond], &unit), Err(TooFar { value: 2_147_483_648.0 }));
            assert!(digitise(&[0.0, lowest.next_down()], &unit).is_err());
            assert_eq!(digitise(&[lowest, beyond.next_down()], &unit), Ok(Codes::U32(vec![0, 4_294_967_168])));
            assert!(digitise(&[1.0_f32], &Width { width: 1e-300, precision }).is_err());
        }
    }

    #[test]
    fn levels_are_rounded_half_to_even() {
        // Levels 0, 1, 2, 3 at 0, 2, 4, 6.
        let rule = Quantised { low: 0.0, high: 6.0, bits: 2 };
        assert_eq!(cells::<f32>(&rule, &[0.0, 1.0, 1.1, 3.0, 5.0, 6.0, 9.0, -9.0]), [0, 0, 1, 2, 2, 3, 3, 0]);
        assert_eq!(cells::<f32>(&Quantised { low: 2.0, high: 2.0, bits: 8 }, &[2.0, 2.0]), [0, 0]);
        let finest = Quantised { low: -1.0, high: 1.0, bits: 31 };
        assert_eq!(cells::<f32>(&finest, &[-1.0, 1.0]), [0, i32::MAX]);
    }

    #[test]
    fn unique_values_are_shared_out_equally() {
        let values: [f32; 9] = [0.0, 3.0, 1.0, 1.0, 1.0, 2.0, 4.0, 0.0, -0.0];
        let rule = Edges::equally_frequent(&values, 0.0, 2);
        assert_eq!(rule.edges(), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(cells(&rule, &values), [0, 2, 1, 1, 1, 1, 3, 0, 0]);
        assert_eq!(Edges::<f32>::equally_frequent(&[0.0], 0.0, 3).edges(), [0.0]);
    }

    #[test]
    fn extremes_of_any_length() {
        let values: Vec<f32> = (0..100_u16).map(|i| f32::from(i * 37 % 100) - 50.0).collect();
        for n in 1..100 {
            let slow = values[..n].iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            assert_eq!(extremes(&values[..n]), Some(slow));
        }
        assert_eq!(extremes::<f32>(&[]), None);
    }
}
