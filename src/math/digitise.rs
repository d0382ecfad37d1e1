//! Values become the numbers of their cells, by rules that agree to the last bit with NumPy's.
//!
//! A loop over a block of values is plain Rust without branches or tables; `pulp` compiles it a second time for AVX2 and
//! picks at run time. Only correctly rounded operations occur, so the cells do not depend on the machine.

use std::ops::RangeInclusive;

use pulp::Arch;
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
    fn range(&self, values: &[V]) -> Result<RangeInclusive<i32>, TooFar<V>>;

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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TooFar<V> {
    /// The value.
    pub value: V,
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
pub fn digitise<V: Value>(values: &[V], rule: &impl Rule<V>) -> Result<Codes, TooFar<V>> {
    let range = rule.range(values)?;
    let (first, n_codes) = (*range.start(), i64::from(*range.end()) - i64::from(*range.start()) + 1);
    // Subtracted modulo 2³², so that even −2³¹..2³¹ has codes.
    let code = |cell: i32| cell.wrapping_sub(first).cast_unsigned();
    Ok(match n_codes {
        ..=0x100 => Codes::U8(narrow(values, rule, |cell| code(cell) as u8)),
        ..=0x1_0000 => Codes::U16(narrow(values, rule, |cell| code(cell) as u16)),
        _ => Codes::U32(narrow(values, rule, code)),
    })
}

fn narrow<V: Value, C: Copy + Default>(values: &[V], rule: &impl Rule<V>, code: impl Fn(i32) -> C) -> Vec<C> {
    let mut codes = vec![C::default(); values.len()];
    let mut block = [0; BLOCK];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (values, codes) in values.chunks(BLOCK).zip(codes.chunks_mut(BLOCK)) {
                let cells = &mut block[..values.len()];
                rule.cells(values, cells);
                codes.iter_mut().zip(cells).for_each(|(c, cell)| *c = code(*cell));
            }
        },
    );
    codes
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
    pub fn new(
        low: f64,
        high: f64,
        n_edges: usize,
        precision: Precision,
        below: Below,
        above: Above,
    ) -> Result<Self, EdgesError> {
        let largest = low.abs().max(high.abs());
        let ulp = match precision {
            Precision::Single => f64::from(largest as f32) - f64::from((largest as f32).next_down()),
            Precision::Double => largest - largest.next_down(),
        };
        // A rounded edge is then off by at most a quarter of the spacing, and the nearest edge is found without a table.
        let step = (high - low) / (n_edges - 1) as f64;
        if !(step >= 2.0 * ulp && step.is_finite() && n_edges <= i32::MAX as usize) {
            return Err(EdgesError::TooClose { n_edges, low, high });
        }
        let last = n_edges as i32 - 1;
        let below = match below {
            Below::OwnCell => -1,
            Below::FirstCell => 0,
            Below::LastCell => last,
        };
        let above = if above == Above::OwnCell { last } else { last - 1 };
        Ok(Self { low, high, last: last.into(), precision, below, above })
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
        Self::new(low, high, n_bins + 1, Precision::Double, Below::FirstCell, Above::LastBin)
    }

    /// The edges, one after the other.
    pub fn edges(&self) -> Vec<f64> {
        let step = self.step();
        (0..=self.last as u32).map(|k| self.edge(f64::from(k), step)).collect()
    }

    fn step(&self) -> f64 {
        if self.last > 0.0 { (self.high - self.low) / self.last } else { 0.0 }
    }

    #[inline(always)]
    fn edge(&self, k: f64, step: f64) -> f64 {
        let edge = if k == self.last { self.high } else { k * step + self.low };
        if self.precision == Precision::Single { f64::from(edge as f32) } else { edge }
    }
}

impl<V: Value> Rule<V> for EvenEdges {
    fn range(&self, _: &[V]) -> Result<RangeInclusive<i32>, TooFar<V>> {
        Ok(self.below.min(0)..=self.above.max(self.below))
    }

    #[inline(always)]
    fn cells(&self, values: &[V], cells: &mut [i32]) {
        let step = self.step();
        let per_unit = if step > 0.0 { 1.0 / step } else { 0.0 };
        for (cell, value) in cells.iter_mut().zip(values) {
            let value = value.double();
            // A value lies nearest to the edge that begins its cell, or to the one that ends it.
            let nearest = ((value - self.low) * per_unit).clamp(0.0, self.last).round_ties_even();
            let k = nearest as i32 - i32::from(value < self.edge(nearest, step));
            *cell = if k < 0 { self.below } else { k.min(self.above) };
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
const FEW: usize = 128;

impl<V: Value> Rule<V> for Edges<V> {
    fn range(&self, _: &[V]) -> Result<RangeInclusive<i32>, TooFar<V>> {
        Ok(-1..=self.edges.len() as i32 - 1)
    }

    #[inline(always)]
    fn cells(&self, values: &[V], cells: &mut [i32]) {
        if self.edges.len() <= FEW {
            let (values, last_values) = values.as_chunks::<32>();
            let (cells, last_cells) = cells.as_chunks_mut::<32>();
            for (cells, values) in cells.iter_mut().zip(values) {
                *cells = [-1; 32];
                for edge in &self.edges {
                    cells.iter_mut().zip(values).for_each(|(cell, value)| *cell += i32::from(edge <= value));
                }
            }
            for (cell, value) in last_cells.iter_mut().zip(last_values) {
                *cell = self.edges.iter().map(|edge| i32::from(edge <= value)).sum::<i32>() - 1;
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
    fn range(&self, values: &[V]) -> Result<RangeInclusive<i32>, TooFar<V>> {
        let Some((low, high)) = extremes(values) else { return Ok(0..=0) };
        let cell = |value: V| {
            let cell = self.quotient(value).floor();
            // −2³¹ and 2³¹ are f64 numbers, 2³¹ − 1 is not a number of f32.
            let fits = -2_147_483_648.0 <= cell && cell < 2_147_483_648.0;
            if fits { Ok(cell as i32) } else { Err(TooFar { value }) }
        };
        Ok(cell(low)?..=cell(high)?)
    }

    #[inline(always)]
    fn cells(&self, values: &[V], cells: &mut [i32]) {
        match self.precision {
            Precision::Single => {
                let width = self.width as f32;
                for (cell, value) in cells.iter_mut().zip(values) {
                    *cell = (value.single() / width).floor() as i32;
                }
            }
            Precision::Double => {
                for (cell, value) in cells.iter_mut().zip(values) {
                    *cell = (value.double() / self.width).floor() as i32;
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
    fn range(&self, _: &[V]) -> Result<RangeInclusive<i32>, TooFar<V>> {
        Ok(0..=((1_i64 << self.bits) - 1) as i32)
    }

    #[inline(always)]
    fn cells(&self, values: &[V], cells: &mut [i32]) {
        let highest = ((1_i64 << self.bits) - 1) as f64;
        let range = if self.low < self.high { self.high - self.low } else { f64::INFINITY };
        for (cell, value) in cells.iter_mut().zip(values) {
            let level = (value.double() - self.low) * highest / range;
            *cell = level.round_ties_even().clamp(0.0, highest) as i32;
        }
    }
}

/// The smallest and the largest of `values`, none if there are no values.
pub fn extremes<V: Value>(values: &[V]) -> Option<(V, V)> {
    const LANES: usize = 32;
    let first = *values.first()?;
    let (mut low, mut high) = ([first; LANES], [first; LANES]);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let (blocks, rest) = values.as_chunks::<LANES>();
            for block in blocks.iter().map(<[V; LANES]>::as_slice).chain([rest]) {
                low.iter_mut().zip(block).for_each(|(l, v)| *l = if *v < *l { *v } else { *l });
                high.iter_mut().zip(block).for_each(|(h, v)| *h = if *v > *h { *v } else { *h });
            }
        },
    );
    let low = low.into_iter().reduce(|a, b| if b < a { b } else { a })?;
    let high = high.into_iter().reduce(|a, b| if b > a { b } else { a })?;
    Some((low, high))
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
