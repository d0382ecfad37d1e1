//! Converts values to the numbers of their cells, by rules that agree to the last bit with those of NumPy.
//!
//! A loop over a block of values is plain Rust without branches or tables; `pulp` compiles it a second time for AVX2 and
//! selects at run time. Only correctly rounded operations are used, so the cells do not depend on the machine.

use std::ops::RangeInclusive;

use pulp::{Arch, Simd};
use thiserror::Error;

use crate::math::atoms::Cells;

/// f32, the type of activations, or f64, the type of some reference values.
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
    /// f32, as NumPy uses for an array of f32 with edges of f32 or a Python number.
    Single,
    /// f64.
    Double,
}

/// A rule that assigns values to cells. Values must be finite.
pub trait Rule<V: Value> {
    /// The range of cells for `values`.
    ///
    /// # Errors
    /// A cell number that does not fit into 31 bits.
    fn range(&self, values: &[V]) -> Result<RangeInclusive<i32>, TooFar>;

    /// The cell of every value; `cells` has the length of `values`. To be inlined into a loop over blocks.
    fn cells(&self, values: &[V], cells: &mut [i32]);
}

/// Cell numbers of many values, each minus the smallest possible one, in the smallest sufficient integer type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codes {
    /// At most 2⁸ cells.
    U8(Vec<u8>),
    /// At most 2¹⁶ cells.
    U16(Vec<u16>),
    /// At most 2³² cells.
    U32(Vec<u32>),
}

/// A value that is too far from 0 for the range of cell numbers.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
#[error("the bin number of {value} does not fit into 32 bits; choose wider bins")]
pub struct TooFar {
    /// The value.
    pub value: f64,
}

impl Codes {
    /// The partition of the samples, which are rows of `width` codes.
    pub fn cells(&self, width: usize) -> Cells {
        match self {
            Codes::U8(codes) => Cells::of_rows(codes, width),
            Codes::U16(codes) => Cells::of_rows(codes, width),
            Codes::U32(codes) => Cells::of_rows(codes, width),
        }
    }
}

/// Number of values that a loop keeps in the first cache, between their cells and their codes.
const BLOCK: usize = 1024;

/// The codes of `values` under `rule`.
///
/// # Errors
/// A value whose cell number does not fit into 31 bits.
pub fn digitise<V: Value>(values: &[V], rule: &impl Rule<V>) -> Result<Codes, TooFar> {
    let range = rule.range(values)?;
    let (first, n_codes) = (*range.start(), i64::from(*range.end()) - i64::from(*range.start()) + 1);
    // Subtracted modulo 2³², so that even −2³¹..2³¹ can be represented.
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

/// 1.5 · 2⁵²: adding it to a smaller number rounds this to a whole number, which is then in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The nearest whole number, half to even, for −2³¹ ≤ x < 2³¹. Unlike `as i32`, this vectorises.
#[inline(always)]
pub(super) fn nearest(x: f64) -> (f64, i32) {
    let shifted = x + ROUND;
    (shifted - ROUND, shifted.to_bits() as i32)
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
    /// From the cell of the minimum to that of the maximum.
    fn range(&self, values: &[V]) -> Result<RangeInclusive<i32>, TooFar> {
        let Some((low, high)) = extremes(values) else { return Ok(0..=0) };
        let cell = |value: V| {
            let cell = self.quotient(value).floor();
            // −2³¹ and 2³¹ are f64 numbers; 2³¹ − 1 is not an f32 number.
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
/// whole number, half to even. Values outside get the nearest level; if `low` = `high`, all values get level 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantised {
    /// The value of the lowest level.
    pub low: f64,
    /// The value of the highest level.
    pub high: f64,
    /// Number of bits of a level, at most 31.
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

/// The minimum and the maximum of `values`; `None` without values.
pub fn extremes<V: Value>(values: &[V]) -> Option<(V, V)> {
    let (low, high) = extremes_of_lanes(values, *values.first()?);
    let low = low.into_iter().reduce(|a, b| if b < a { b } else { a })?;
    let high = high.into_iter().reduce(|a, b| if b > a { b } else { a })?;
    Some((low, high))
}

/// Neighbouring values whose minima and maxima are in registers together: four vectors of eight.
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
pub(in crate::math) mod tests {
    use super::*;

    pub(in crate::math) fn cells<V: Value>(rule: &impl Rule<V>, values: &[V]) -> Vec<i32> {
        let mut cells = vec![0; values.len()];
        rule.cells(values, &mut cells);
        let range = rule.range(values).unwrap();
        assert!(cells.iter().all(|cell| range.contains(cell)), "{cells:?} outside of {range:?}");
        cells
    }

    #[test]
    fn widths_count_from_zero_in_the_precision_asked_for() {
        let double = Width { width: 0.1, precision: Precision::Double };
        let single = Width { width: 0.1, precision: Precision::Single };
        // 0.7f32 is 0.69999998807…; in f32, 0.7/0.1 is 7 minus one unit in the last place, or 7.
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
    fn extremes_of_any_length() {
        let values: Vec<f32> = (0..100_u16).map(|i| f32::from(i * 37 % 100) - 50.0).collect();
        for n in 1..100 {
            let slow = values[..n].iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            assert_eq!(extremes(&values[..n]), Some(slow));
        }
        assert_eq!(extremes::<f32>(&[]), None);
    }
}
