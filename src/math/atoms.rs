//! Which rows are equal: a partition of the samples into cells, numbered in the order of their first appearance.

/// A partition of the samples: the number of the cell of every sample. Cells are numbered in the order of first
/// appearance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    numbers: Vec<u32>,
    counts: Vec<u32>,
}

/// A number of at most 64 bits, compared by `==`. [`Code::bits`] of equal numbers are equal.
pub trait Code: Copy + PartialEq {
    /// Bits of one number in a word of 64.
    const BITS: u32;
    /// The bits of the number.
    fn bits(self) -> u64;
}

impl Cells {
    /// Equal rows are one cell; `codes` has rows of `width` numbers. Rows of f32 or f64 are equal if their numbers
    /// are, including −0.0 and 0.0; they must not contain NaN.
    ///
    /// Rows are compared completely; a hash collision costs time and never gives a wrong number.
    pub fn of_rows<C: Code>(codes: &[C], width: usize) -> Self {
        let row = |i: usize| &codes[i * width..][..width];
        number(codes.len() / width, |i| hash_of_row(row(i)), |i, j| row(i) == row(j))
    }

    /// The cells divided by a label of every sample.
    pub fn split_by(&self, label: impl Fn(usize) -> u32) -> Self {
        let pair = |i: usize| (u64::from(self.numbers[i]) << u32::BITS) | u64::from(label(i));
        number(self.n_samples(), |i| mix(SEED, pair(i)), |i, j| pair(i) == pair(j))
    }

    /// The cell of every sample, below [`Cells::n_cells`].
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The number of samples in every cell, at least 1.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.counts.len()
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.numbers.len()
    }
}

/// Numbers the samples 0..`n`; `equal` returns whether two samples are equal. Equal samples must have equal `hash`.
#[inline(always)]
fn number(n: usize, hash: impl Fn(usize) -> u64, equal: impl Fn(usize, usize) -> bool) -> Cells {
    // A slot is empty (0), or has the upper half of a hash and the number of a cell + 1. At most half of the slots are
    // used.
    let mut slots = vec![0_u64; (2 * n).next_power_of_two()];
    let mask = slots.len() - 1;
    let (mut numbers, mut counts, mut first) = (Vec::with_capacity(n), Vec::<u32>::new(), Vec::new());
    for i in 0..n {
        let hash = hash(i);
        let tag = hash & !u64::from(u32::MAX);
        let mut at = hash as usize & mask;
        let cell = loop {
            let slot = slots[at];
            if slot == 0 {
                first.push(i);
                counts.push(0);
                slots[at] = tag | counts.len() as u64;
                break counts.len() - 1;
            }
            let cell = (slot as u32 - 1) as usize;
            if slot & !u64::from(u32::MAX) == tag && equal(first[cell], i) {
                break cell;
            }
            at = (at + 1) & mask;
        };
        counts[cell] += 1;
        numbers.push(cell as u32);
    }
    Cells { numbers, counts }
}

/// Any odd number with irregular bits can be used: the fractions of the golden ratio and of π.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const SEED: u64 = 0x243f_6a88_85a3_08d3;

/// The two halves of the 128-bit product, added without carries: every bit of the input affects every bit of the
/// output.
#[inline(always)]
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(FACTOR);
    product as u64 ^ (product >> 64) as u64
}

/// Mixes the row word by word, with as many numbers per word as fit.
#[inline(always)]
fn hash_of_row<C: Code>(row: &[C]) -> u64 {
    let word = |codes: &[C]| (0..).zip(codes).fold(0, |word, (k, code)| word | (code.bits() << (k * C::BITS)));
    let words = row.chunks_exact((u64::BITS / C::BITS) as usize);
    let rest = words.remainder();
    let hash = words.fold(SEED, |hash, codes| mix(hash, word(codes)));
    if rest.is_empty() { hash } else { mix(hash, word(rest)) }
}

impl Code for u8 {
    const BITS: u32 = Self::BITS;
    fn bits(self) -> u64 {
        self.into()
    }
}

impl Code for u16 {
    const BITS: u32 = Self::BITS;
    fn bits(self) -> u64 {
        self.into()
    }
}

impl Code for u32 {
    const BITS: u32 = Self::BITS;
    fn bits(self) -> u64 {
        self.into()
    }
}

impl Code for i32 {
    const BITS: u32 = Self::BITS;
    fn bits(self) -> u64 {
        self.cast_unsigned().into()
    }
}

impl Code for f32 {
    const BITS: u32 = u32::BITS;
    fn bits(self) -> u64 {
        // −0.0 + 0.0 is 0.0.
        (self + 0.0).to_bits().into()
    }
}

impl Code for f64 {
    const BITS: u32 = u64::BITS;
    fn bits(self) -> u64 {
        (self + 0.0).to_bits()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A slow and simple implementation: compares every sample with the first of every cell.
    fn slow<T: PartialEq>(samples: &[T]) -> Cells {
        let (mut numbers, mut counts, mut first) = (Vec::new(), Vec::new(), Vec::<&T>::new());
        for sample in samples {
            let cell = first.iter().position(|f| *f == sample).unwrap_or(first.len());
            if cell == first.len() {
                first.push(sample);
                counts.push(0);
            }
            counts[cell] += 1;
            numbers.push(cell as u32);
        }
        Cells { numbers, counts }
    }

    #[test]
    fn equal_rows_get_equal_numbers_in_order_of_appearance() {
        assert_eq!(Cells::of_rows(&[1_u8, 2, 3, 4, 1, 2, 1, 3], 2).numbers, [0, 1, 0, 2]);
        assert_eq!(Cells::of_rows(&[-1, 0, -1], 1).numbers, [0, 1, 0]);
        assert_eq!(Cells::of_rows(&[7_u8, 7, 9], 1), Cells { numbers: vec![0, 0, 1], counts: vec![2, 1] });
    }

    #[test]
    fn no_samples_have_no_cells() {
        assert_eq!(Cells::of_rows::<u8>(&[], 3).n_cells(), 0);
    }

    #[test]
    fn minus_zero_is_zero_and_neighbouring_values_are_not_equal() {
        let values = [0.0, 1.0, -0.0, 1.0, 0.0, 1.0_f32.next_up()];
        assert_eq!(Cells::of_rows(&values, 2).numbers(), [0, 0, 1]);
        assert_eq!(Cells::of_rows(&values.map(f64::from), 2).numbers(), [0, 0, 1]);
    }

    /// Whether all bits of a row are used: rows that differ in one bit of one number only.
    #[test]
    fn every_bit_of_every_number_counts() {
        for width in 1..20 {
            let n_rows = 8 * width;
            let codes: Vec<u8> = (0..n_rows * width)
                .map(|k| if k % width == k / width / 8 { 1 << (k / width % 8) } else { 0 })
                .collect();
            assert_eq!(Cells::of_rows(&codes, width).n_cells(), n_rows, "{width}");
        }
    }

    /// Rows with few different values, so that many are equal.
    fn rows() -> impl Strategy<Value = (usize, Vec<u8>)> {
        (1..20_usize).prop_flat_map(|width| (Just(width), proptest::collection::vec(0..3_u8, 0..40 * width)))
    }

    proptest! {
        #[test]
        fn cells_are_those_of_the_slow_twin((width, mut codes) in rows()) {
            codes.truncate(codes.len() / width * width);
            let expected = slow(&codes.chunks_exact(width).collect::<Vec<_>>());
            prop_assert_eq!(&Cells::of_rows(&codes, width), &expected);
            let wide: Vec<u16> = codes.iter().map(|c| u16::from(*c) << 8).collect();
            prop_assert_eq!(&Cells::of_rows(&wide, width), &expected);
            let wider: Vec<u32> = codes.iter().map(|c| u32::from(*c) << 24).collect();
            prop_assert_eq!(&Cells::of_rows(&wider, width), &expected);
            let values: Vec<f32> = codes.iter().map(|c| f32::from(*c) - 1.0).collect();
            prop_assert_eq!(&Cells::of_rows(&values, width), &expected);

            // Bad hashes only cost time.
            let row = |i: usize| &codes[i * width..][..width];
            let n = codes.len() / width;
            for bad in [0, u64::MAX, 1] {
                prop_assert_eq!(&number(n, |_| bad, |i, j| row(i) == row(j)), &expected);
                prop_assert_eq!(&number(n, |i| u64::from(row(i)[0]).wrapping_mul(bad), |i, j| row(i) == row(j)), &expected);
            }
        }

        #[test]
        fn pairs_are_the_joint_partition(samples in proptest::collection::vec((0..5_u8, 0..4_u8), 0..100)) {
            let a = Cells::of_rows(&samples.iter().map(|s| s.0).collect::<Vec<_>>(), 1);
            let b = Cells::of_rows(&samples.iter().map(|s| s.1).collect::<Vec<_>>(), 1);
            prop_assert_eq!(a.split_by(|i| b.numbers()[i]), slow(&samples));
        }
    }
}
