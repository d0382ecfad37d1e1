//! Fake quantisation: values are rounded to a few levels in the forward pass, and gradients pass unchanged.
//!
//! # Reference
//! TensorFlow's `fake_quant_with_min_max_vars`, which Lorenzen et al. 2021 use in training: 2^b evenly spaced levels
//! from a lowest to a highest value, shifted so that 0 is a level; values outside this range are clipped and their
//! gradient is 0 (straight-through estimator, Bengio et al. 2013). Kernels have symmetric levels, −max|w| to max|w|,
//! one fewer.

use crate::math::elementwise::map;

/// 2^b levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    /// The lowest level.
    low: f32,
    /// The highest level.
    high: f32,
    /// Distance of neighbouring levels.
    step: f32,
}

impl Levels {
    /// Levels from about `low` ≤ 0 to about `high` ≥ 0, including 0.
    pub(super) fn nudged(low: f32, high: f32, bits: u32) -> Self {
        let n_steps = ((1_u32 << bits) - 1) as f32;
        let step = usable((high - low) / n_steps);
        // Number of the level with value 0. In f64: for −1 to 1 with 16 levels this is 7.5, which f32 would compute
        // slightly too small.
        let exact = -f64::from(low) / (f64::from(high) - f64::from(low)) * f64::from(n_steps);
        let zero = if step > 0.0 { (exact.round() as f32).clamp(0.0, n_steps) } else { 0.0 };
        Self { low: -zero * step, high: (n_steps - zero) * step, step }
    }

    /// The lowest and the highest level.
    pub(super) fn range(self) -> (f32, f32) {
        (self.low, self.high)
    }

    /// The level nearest to each value.
    pub(super) fn round(self, from: &[f32], to: &mut [f32]) {
        let Self { low, high, step } = self;
        let scale = if step > 0.0 { 1.0 / step } else { 0.0 };
        // The level is counted from 0, so that 0 and every other level is one exact value for all values rounded to
        // it.
        map(from, to, |v| {
            let cut = if v < low {
                low
            } else if v > high {
                high
            } else {
                v
            };
            (cut * scale).round_ties_even() * step
        });
    }

    /// Sets the gradient to 0 if the value was clipped.
    pub(super) fn stop_gradient(self, delta: &mut [f32], from: &[f32]) {
        let Self { low, high, .. } = self;
        crate::math::elementwise::multiply(delta, from, |v| if v >= low && v <= high { 1.0 } else { 0.0 });
    }
}

/// The step, if its inverse is finite; otherwise 0, so that 0 is the only level.
fn usable(step: f32) -> f32 {
    if step >= f32::MIN_POSITIVE { step } else { 0.0 }
}

/// Rounds a kernel to 2^`bits` − 1 levels from −max|w| to max|w|.
pub(super) fn round_kernel(kernel: &[f32], bits: u32, to: &mut [f32]) {
    let largest = kernel.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
    let step = usable(largest / ((1_u32 << (bits - 1)) - 1) as f32);
    let scale = if step > 0.0 { 1.0 / step } else { 0.0 };
    map(kernel, to, |w| (w * scale).round_ties_even() * step);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_too_small_for_levels_leave_0() {
        // The running range of a layer with only dead units shrinks with every update, below the normal numbers.
        for reach in [1e-30_f32, 1e-37, 1e-40, 1e-45, 0.0] {
            let mut rounded = [1.0; 3];
            Levels::nudged(-reach, reach, 8).round(&[0.0, reach, 1.0], &mut rounded);
            assert!(rounded.iter().all(|v| v.is_finite() && v.abs() <= reach), "{reach}: {rounded:?}");
            round_kernel(&[0.0, reach, -reach], 4, &mut rounded);
            assert!(rounded.iter().all(|v| v.is_finite() && v.abs() <= reach), "{reach}: {rounded:?}");
        }
    }
}
