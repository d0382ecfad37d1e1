//! exp, tanh and functions derived from them, in f32, written so that the compiler turns a loop over them into vector
//! instructions.
//!
//! Both reduce their argument to r = x − k ln 2 with |r| ≤ ln(2)/2 and use the Taylor polynomial of e^r − 1 up to
//! r⁷/7!, whose remainder is below 2⁻²⁵ of the result. Only additions, multiplications, fused multiply-adds and
//! one division occur, each correctly rounded by IEEE 754, so the bits do not depend on the machine.

/// e^−87 is the last normal power in f32; softmax probabilities are limited to it instead of becoming 0.
const SMALLEST_EXPONENT: f32 = -87.0;
/// tanh(10) differs from 1 by 4e-9, far below half a unit in the last place of f32.
const TANH_IS_ONE: f32 = 10.0;
/// 1.5 · 2²³: adding it to a small number leaves the nearest integer in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has trailing zero bits, so that k · LN_2_HIGH is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// Splits e^x into 2^k and e^r − 1.
#[inline(always)]
fn power_and_remainder(x: f32) -> (f32, f32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    let r = k.mul_add(-LN_2_LOW, k.mul_add(-LN_2_HIGH, x));
    let mut series = 1.0 / 5040.0_f32;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5_f32] {
        series = series.mul_add(r, coefficient);
    }
    (power, (r * r).mul_add(series, r))
}

/// e^x for x in −87 ≤ x ≤ 88, to 2 units in the last place; smaller x give e^−87. NaN gives NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Not `max`, which turns NaN into a number and would hide that a training diverged.
    let (power, remainder) = power_and_remainder(if x < SMALLEST_EXPONENT { SMALLEST_EXPONENT } else { x });
    power.mul_add(remainder, power)
}

/// tanh x to 3 units in the last place. Exactly ±1 from |x| ≈ 9.01 on, as in exact rounding. NaN gives NaN.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let magnitude = if x.abs() > TANH_IS_ONE { TANH_IS_ONE } else { x.abs() };
    let (power, remainder) = power_and_remainder(2.0 * magnitude);
    let exp_m1 = power.mul_add(remainder, power - 1.0);
    // tanh = (e²ˣ − 1)/(e²ˣ + 1). Near 0 the quotient is accurate, near 1 its difference from 1 is.
    let near_one = exp_m1 > 1.0;
    let numerator = if near_one { -2.0 } else { exp_m1 };
    let quotient = numerator / (exp_m1 + 2.0);
    let magnitude = if near_one { 1.0 + quotient } else { quotient };
    magnitude.copysign(x)
}

/// e^x − 1 for x ≤ 0, to 3 units in the last place. NaN gives NaN.
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let (power, remainder) = power_and_remainder(if x < SMALLEST_EXPONENT { SMALLEST_EXPONENT } else { x });
    power.mul_add(remainder, power - 1.0)
}

/// 1/(1 + e^−x), to 4 units in the last place if it is above e^−87. NaN gives NaN.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    // From the smaller of e^x and e^−x, which cannot overflow and whose quotient stays accurate near 0.
    let e = exp(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// ln(1 + e^x), to 4 units in the last place if it is above e^−87. NaN gives NaN.
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let e = exp(-x.abs());
    // ln(1 + e) = 2 artanh s with s = e/(2 + e) ≤ 1/3: the series in s², whose ninth term is below 2⁻²⁵ of the sum.
    let s = e / (2.0 + e);
    let square = s * s;
    let mut series = 1.0 / 15.0_f32;
    for coefficient in [1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 0.2, 1.0 / 3.0, 1.0_f32] {
        series = series.mul_add(square, coefficient);
    }
    (2.0 * s).mul_add(series, if x < 0.0 { 0.0 } else { x })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error in units in the last place compared with the f64 library function, over `n` points of `range`.
    fn largest_error(f: fn(f32) -> f32, exact: fn(f64) -> f64, range: std::ops::Range<f32>, n: u32) -> f64 {
        let points = (0..n).map(|i| range.start + (range.end - range.start) * i as f32 / n as f32);
        let error = |x: f32| {
            let (got, want) = (f(x), exact(f64::from(x)));
            let spacing = f64::from((want as f32).abs().next_up() - (want as f32).abs());
            (f64::from(got) - want).abs() / spacing
        };
        points.map(error).fold(0.0, f64::max)
    }

    #[test]
    fn tanh_agrees_with_the_library_to_three_units_in_the_last_place() {
        assert!(largest_error(tanh, f64::tanh, -12.0..12.0, 1_000_000) < 3.0);
        assert!(largest_error(tanh, f64::tanh, -1e-3..1e-3, 100_000) < 3.0);
    }

    #[test]
    fn tanh_saturates_where_exact_rounding_does() {
        // 1 − tanh x < 2⁻²⁵ rounds to 1: x > ln(2²⁶ − 1)/2 = 9.0109.
        assert_eq!(tanh(9.02), 1.0);
        assert_eq!(tanh(-9.02), -1.0);
        assert!(tanh(9.0) < 1.0);
        assert_eq!(tanh(f32::MAX), 1.0);
        assert!(tanh(f32::NAN).is_nan());
        assert_eq!(tanh(0.0).to_bits(), 0.0_f32.to_bits());
        assert_eq!(tanh(-0.0).to_bits(), (-0.0_f32).to_bits());
    }

    #[test]
    fn functions_made_of_exp_agree_with_the_library() {
        assert!(largest_error(exp_m1, f64::exp_m1, -20.0..0.0, 1_000_000) < 3.0);
        assert!(largest_error(exp_m1, f64::exp_m1, -1e-3..0.0, 100_000) < 3.0);
        for range in [-80.0..0.0, -1.0..1.0, 0.0..90.0] {
            assert!(largest_error(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), range.clone(), 1_000_000) < 4.0);
            assert!(largest_error(softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), range, 1_000_000) < 4.0);
        }
        assert_eq!((sigmoid(200.0), softplus(200.0), softplus(3e38)), (1.0, 200.0, 3e38));
        assert!(sigmoid(-1e30) > 0.0 && softplus(-1e30) > 0.0);
        assert!([exp_m1, sigmoid, softplus].iter().all(|f| f(f32::NAN).is_nan()));
    }

    #[test]
    fn exp_agrees_with_the_library_to_two_units_in_the_last_place() {
        assert!(largest_error(exp, f64::exp, -87.0..0.0, 1_000_000) < 2.0);
        assert!(largest_error(exp, f64::exp, 0.0..88.0, 1_000_000) < 2.0);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-1e30) > 0.0);
        assert!(exp(f32::NAN).is_nan());
    }
}
