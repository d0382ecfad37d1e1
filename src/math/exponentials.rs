//! exp and tanh of f64, like those of f32 in [`crate::math::elementary`]: the bits do not depend on the machine, and
//! the loops compile to vector instructions.

use std::array::from_mut;

use pulp::{Arch, Simd};

/// tanh(20) differs from 1 by 8e-18, far below half a unit in the last place.
const TANH_IS_ONE: f64 = 20.0;
/// e^−708 is the last power with a whole exponent that is a normal number.
const SMALLEST_EXPONENT: f64 = -708.0;
/// 1.5 · 2⁵²: adding it to a small number leaves the nearest integer in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has trailing zero bits, so that k · LN_2_HIGH is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1/n! for n from 12 to 2. With 1/13! before them, the relative truncation error of e^r − 1 for |r| ≤ ln(2)/2 is
/// below 2⁻⁵⁶.
const SERIES: [f64; 11] = [
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
];

/// Values that are processed together: enough vectors to hide the latency of an instruction.
const LANES: usize = 32;

/// Replaces each value x ≤ 0 with e^x, to 2 units in the last place, or with 0 if it is not a normal number. NaN stays
/// NaN.
#[pulp::with_simd(exp_in_place = Arch::new())]
#[inline(always)]
pub fn exp_in_place_simd<S: Simd>(_: S, values: &mut [f64]) {
    let (blocks, rest) = values.as_chunks_mut::<LANES>();
    for block in blocks {
        exp(block);
    }
    rest.iter_mut().for_each(|value| exp(from_mut(value)));
}

/// Replaces each value with its tanh, to 3 units in the last place. NaN stays NaN.
#[pulp::with_simd(tanh_in_place = Arch::new())]
#[inline(always)]
pub fn tanh_in_place_simd<S: Simd>(_: S, values: &mut [f64]) {
    let (blocks, rest) = values.as_chunks_mut::<LANES>();
    for block in blocks {
        tanh(block);
    }
    rest.iter_mut().for_each(|value| tanh(from_mut(value)));
}

#[inline(always)]
fn exp<const N: usize>(values: &mut [f64; N]) {
    let mut x = *values;
    for x in &mut x {
        // Not `max`, which turns NaN into a number.
        *x = if *x < SMALLEST_EXPONENT { SMALLEST_EXPONENT } else { *x };
    }
    let (power, remainder) = powers_and_remainders(x);
    for l in 0..N {
        values[l] = if values[l] < SMALLEST_EXPONENT { 0.0 } else { power[l].mul_add(remainder[l], power[l]) };
    }
}

#[inline(always)]
fn tanh<const N: usize>(values: &mut [f64; N]) {
    let mut x = *values;
    for x in &mut x {
        *x = 2.0 * if x.abs() > TANH_IS_ONE { TANH_IS_ONE } else { x.abs() };
    }
    let (power, remainder) = powers_and_remainders(x);
    for l in 0..N {
        let exp_m1 = power[l].mul_add(remainder[l], power[l] - 1.0);
        // tanh = (e²ˣ − 1)/(e²ˣ + 1). Near 0 the quotient is accurate, near 1 its difference from 1 is.
        let (whole, numerator) = if exp_m1 > 1.0 { (1.0, -2.0) } else { (0.0, exp_m1) };
        values[l] = (whole + numerator / (exp_m1 + 2.0)).copysign(values[l]);
    }
}

/// Splits each e^x into 2^k and e^r − 1.
#[inline(always)]
fn powers_and_remainders<const N: usize>(x: [f64; N]) -> ([f64; N], [f64; N]) {
    let (mut power, mut r, mut series) = ([0.0; N], [0.0; N], [1.0 / 6_227_020_800.0_f64; N]);
    for l in 0..N {
        let shifted = x[l].mul_add(std::f64::consts::LOG2_E, ROUND);
        let k = shifted - ROUND;
        power[l] = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
        r[l] = k.mul_add(-LN_2_LOW, k.mul_add(-LN_2_HIGH, x[l]));
    }
    for coefficient in SERIES {
        for l in 0..N {
            series[l] = series[l].mul_add(r[l], coefficient);
        }
    }
    for l in 0..N {
        r[l] = (r[l] * r[l]).mul_add(series[l], r[l]);
    }
    (power, r)
}

/// Multiplies each value by 1 − t², the derivative of tanh at value t.
#[pulp::with_simd(multiply_by_slopes = Arch::new())]
#[inline(always)]
pub fn multiply_by_slopes_simd<'a, S: Simd>(_: S, values: &'a mut [f64], t: &'a [f64]) {
    for (value, t) in values.iter_mut().zip(t) {
        *value *= 1.0 - t * t;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_agrees_with_the_library_to_three_units_in_the_last_place() {
        for reach in [25.0, 2.0, 0.3, 1e-3] {
            let x: Vec<f64> = (0..200_001).map(|i| reach * (f64::from(i) / 100_000.0 - 1.0)).collect();
            let mut got = x.clone();
            tanh_in_place(&mut got);
            for (x, got) in x.iter().zip(got) {
                // The error of the library is below 1 unit.
                let unit = x.tanh().abs().next_up() - x.tanh().abs();
                assert!((got - x.tanh()).abs() <= 4.0 * unit, "{x}: {got:e} is not {:e}", x.tanh());
            }
        }
    }

    #[test]
    fn exp_agrees_with_the_library_to_two_units_in_the_last_place_and_ends_in_zero() {
        let x: Vec<f64> = (0..200_001).map(|i| -708.0 * f64::from(i) / 200_000.0).collect();
        let mut got = x.clone();
        exp_in_place(&mut got);
        for (x, got) in x.iter().zip(got) {
            // The error of the library is below 1 unit.
            assert!((got - x.exp()).abs() <= 3.0 * (x.exp().next_up() - x.exp()), "{x}: {got:e} is not {:e}", x.exp());
        }
        let mut values = [0.0, -709.0, f64::NEG_INFINITY, f64::NAN];
        exp_in_place(&mut values);
        assert_eq!(values[..3], [1.0, 0.0, 0.0]);
        assert!(values[3].is_nan());
    }

    #[test]
    fn tanh_saturates_and_keeps_signs_and_nan() {
        let mut values = [30.0, -30.0, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::NAN];
        tanh_in_place(&mut values);
        assert_eq!(values[..6], [1.0, -1.0, 1.0, -1.0, 0.0, -0.0]);
        assert!(values[5].is_sign_negative() && values[6].is_nan());
    }
}
