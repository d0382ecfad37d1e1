//! tanh of f64, written as that of [`crate::math::elementary`], so that a loop over it is made of vector instructions.

use pulp::Arch;

/// tanh(20) differs from 1 by 8e-18, far below half a unit in the last place.
const TANH_IS_ONE: f64 = 20.0;
/// 1.5 · 2⁵²: adding it to a small number leaves the nearest integer in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has trailing zero bits, so that k · LN_2_HIGH is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1/n! for n from 12 down to 2. With 1/13! before them, what is left out of e^r − 1 for |r| ≤ ln(2)/2 is below 2⁻⁵⁶ of it.
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

/// Replaces each value by its tanh, to 3 units in the last place. NaN stays NaN.
pub fn tanh_in_place(values: &mut [f64]) {
    Arch::new().dispatch(|| values.iter_mut().for_each(|value| *value = tanh(*value)));
}

#[inline(always)]
fn tanh(x: f64) -> f64 {
    let magnitude = if x.abs() > TANH_IS_ONE { TANH_IS_ONE } else { x.abs() };
    // e²ˣ is 2ᵏ times e^r.
    let shifted = (2.0 * magnitude).mul_add(std::f64::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    let r = k.mul_add(-LN_2_LOW, k.mul_add(-LN_2_HIGH, 2.0 * magnitude));
    let mut series = 1.0 / 6_227_020_800.0_f64;
    for coefficient in SERIES {
        series = series.mul_add(r, coefficient);
    }
    let exp_m1 = power.mul_add((r * r).mul_add(series, r), power - 1.0);
    // tanh = (e²ˣ − 1)/(e²ˣ + 1). Near 0 the quotient itself is accurate, near 1 its distance from 1 is.
    let near_one = exp_m1 > 1.0;
    let numerator = if near_one { -2.0 } else { exp_m1 };
    let quotient = numerator / (exp_m1 + 2.0);
    let magnitude = if near_one { 1.0 + quotient } else { quotient };
    magnitude.copysign(x)
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
                // The library's own error is below 1 unit.
                let unit = x.tanh().abs().next_up() - x.tanh().abs();
                assert!((got - x.tanh()).abs() <= 4.0 * unit, "{x}: {got:e} is not {:e}", x.tanh());
            }
        }
    }

    #[test]
    fn tanh_saturates_and_keeps_signs_and_nan() {
        let mut values = [30.0, -30.0, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::NAN];
        tanh_in_place(&mut values);
        assert_eq!(values[..6], [1.0, -1.0, 1.0, -1.0, 0.0, -0.0]);
        assert!(values[5].is_sign_negative() && values[6].is_nan());
    }
}
