//! The two precisions of activations, f32 and f64, and their powers of two.

use std::fmt::Debug;
use std::hint::black_box;
use std::ops::AddAssign;

use ndarray::LinalgScalar;

/// f32 or f64, with the operations that sums of kernels need.
pub trait Real: LinalgScalar + PartialOrd + Debug + AddAssign + Send + Sync {
    /// A class number of the width of this type, so that a comparison of classes is a mask for a vector of numbers.
    type Class: Copy + PartialEq + Debug + Default + From<u32> + Send + Sync;

    /// Rounding unit: half the distance from 1 to the next number.
    #[cfg(test)]
    const ROUNDING: f64;
    /// The share of ‖x_i‖² + ‖x_j‖² below which ‖x_i − x_j‖² is not computed from them: too many digits cancel.
    const CANCELLED: f64;
    /// The smallest power of two whose square is a normal number.
    const SQUARE_ROOT_OF_SMALLEST: Self;

    /// The nearest number.
    fn from_f64(value: f64) -> Self;
    /// This number in f64, exactly.
    fn to_f64(self) -> f64;
    /// self · a + b, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// This number if the classes are equal, otherwise 0.
    fn where_same(self, a: Self::Class, b: Self::Class) -> Self;
    /// 2^self for self ≤ 0, to 2 units in the last place; exactly 1 at 0. Results below the smallest normal number are
    /// replaced with it (1e−38 or 2e−308), because denormal numbers are slow. NaN gives NaN.
    fn power_of_two(self) -> Self;
}

/// Coefficients of f, f², … in the polynomial p with p(0) = 1 and the smallest maximum of |p(f)/2^f − 1| over
/// |f| ≤ 1/2, 1.9e−8; from the Remez algorithm in 50 digits.
const POWER_F32: [f32; 6] =
    [0.693_147_3, 0.240_226_97, 0.055_502_046, 0.009_612_638, 0.001_343_552_4, 0.000_169_482_43];
/// Coefficients of f, f², … of this polynomial for f64, with a maximum error of 3.5e−17.
const POWER_F64: [f64; 11] = [
    0.693_147_180_559_945_6,
    0.240_226_506_959_100_92,
    0.055_504_108_664_794_9,
    0.009_618_129_107_610_063,
    0.001_333_355_815_270_782_4,
    0.000_154_035_304_366_845_51,
    1.525_272_782_233_120_1e-5,
    1.321_544_551_780_655_5e-6,
    1.018_055_812_206_850_8e-7,
    7.072_026_195_529_529e-9,
    4.079_636_847_078_933e-10,
];

impl Real for f32 {
    type Class = u32;

    #[cfg(test)]
    const ROUNDING: f64 = 1.0 / (1_u64 << 24) as f64;
    const CANCELLED: f64 = 0.1;
    const SQUARE_ROOT_OF_SMALLEST: Self = f32::from_bits((127 - 63) << 23);

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self.into()
    }

    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f32::mul_add(self, a, b)
    }

    #[inline(always)]
    fn where_same(self, a: u32, b: u32) -> Self {
        // Not `if`, which becomes a branch instead of a mask.
        f32::from_bits(self.to_bits() & u32::from(a == b).wrapping_neg())
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        /// 1.5 · 2²³: adding it to a small number leaves the nearest integer in the low bits of the sum.
        const ROUND: f32 = 12_582_912.0;
        // Not `max`, which turns NaN into a number.
        let x = if self < -126.0 { -126.0 } else { self };
        let shifted = x + ROUND;
        let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
        let f = x - (shifted - ROUND);
        power.mul_add(f * horner(&POWER_F32, f), power)
    }
}

impl Real for f64 {
    type Class = u64;

    #[cfg(test)]
    const ROUNDING: f64 = 1.0 / (1_u64 << 53) as f64;
    const CANCELLED: f64 = 0.01;
    const SQUARE_ROOT_OF_SMALLEST: Self = f64::from_bits((1023 - 511) << 52);

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f64::mul_add(self, a, b)
    }

    #[inline(always)]
    fn where_same(self, a: u64, b: u64) -> Self {
        // Not `if`, which becomes a branch instead of a mask.
        f64::from_bits(self.to_bits() & u64::from(a == b).wrapping_neg())
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        /// 1.5 · 2⁵².
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let x = if self < -1022.0 { -1022.0 } else { self };
        let shifted = x + ROUND;
        let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
        let f = x - (shifted - ROUND);
        power.mul_add(f * horner(&POWER_F64, f), power)
    }
}

/// c₀ + c₁ f + c₂ f² + …
#[inline(always)]
fn horner<T: Real, const N: usize>(coefficients: &[T; N], f: T) -> T {
    let mut sum = coefficients[N - 1];
    for c in coefficients[..N - 1].iter().rev() {
        sum = sum.mul_add(f, *c);
    }
    sum
}

/// Adds N = 2^k partial sums in halves, N → N/2 → … → 1.
///
/// Without the box the compiler works back from the last additions and uses short vectors in the loop that makes the
/// sums.
#[inline(always)]
pub fn fold<T: Real, const N: usize>(sums: [T; N]) -> T {
    let mut sums = black_box(sums);
    let mut half = N / 2;
    while half > 0 {
        for l in 0..half {
            sums[l] += sums[l + half];
        }
        half /= 2;
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error of 2^x relative to that of the library, in rounding units.
    fn largest_error<T: Real>(lowest: f64, n: u32) -> f64 {
        let error = |i: u32| {
            let x = T::from_f64(lowest * f64::from(i) / f64::from(n));
            let want = x.to_f64().exp2();
            (x.power_of_two().to_f64() - want).abs() / want / T::ROUNDING
        };
        (0..=n).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn powers_of_two_agree_with_the_library() {
        // One rounding of the last addition, half of one of 2^f − 1 ≤ 0.42, and the polynomial: 1.9e−8 are 0.3 of f32.
        assert!(largest_error::<f32>(-126.0, 1_000_000) < 2.0);
        // The library is accurate to 1 unit in the last place, 2 rounding units.
        assert!(largest_error::<f64>(-1022.0, 1_000_000) < 3.0);
    }

    #[test]
    fn powers_of_two_are_exact_at_zero_and_negligible_far_below() {
        assert_eq!(0.0_f32.power_of_two(), 1.0);
        assert_eq!((-0.0_f64).power_of_two(), 1.0);
        assert_eq!((-1e30_f32).power_of_two(), f32::MIN_POSITIVE);
        assert_eq!(f64::NEG_INFINITY.power_of_two(), f64::MIN_POSITIVE);
        assert!(f32::NAN.power_of_two().is_nan());
        assert!(f64::NAN.power_of_two().is_nan());
    }

    #[test]
    fn the_square_of_the_square_root_is_normal_and_that_of_half_is_not() {
        assert!(f32::SQUARE_ROOT_OF_SMALLEST.powi(2).is_normal());
        assert!(!(f32::SQUARE_ROOT_OF_SMALLEST / 2.0).powi(2).is_normal());
        assert!(f64::SQUARE_ROOT_OF_SMALLEST.powi(2).is_normal());
        assert!(!(f64::SQUARE_ROOT_OF_SMALLEST / 2.0).powi(2).is_normal());
    }

    #[test]
    fn sums_are_folded_completely() {
        assert_eq!(fold([1.0, 2.0, 4.0, 8.0]), 15.0);
    }
}
