//! Fake quantisation: values rounded to a few levels in the forward pass, gradients that pass through.
//!
//! # Reference
//! TensorFlow's `fake_quant_with_min_max_vars`, which Lorenzen et al. 2021 train with: 2^b evenly spaced levels from a
//! lowest to a highest value, shifted so that 0 is a level; beyond the range values are cut and their gradient is 0
//! (straight-through estimator, Bengio et al. 2013). Kernels have symmetric levels, −max|w| to max|w|, one fewer.

use crate::math::elementwise::map;

/// 2^b levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    /// The lowest.
    low: f32,
    /// The highest.
    high: f32,
    /// Distance of neighbours.
    step: f32,
}

impl Levels {
    /// Levels from about `low` ≤ 0 to about `high` ≥ 0, 0 among them.
    pub(super) fn nudged(low: f32, high: f32, bits: u32) -> Self {
        let n_steps = ((1_u32 << bits) - 1) as f32;
        let step = usable((high - low) / n_steps);
        // Number of the level that is 0.
        // In f64: −1 to 1 with 16 levels has its 0 at 7.5, which f32 takes for a little less.
        let exact = -f64::from(low) / (f64::from(high) - f64::from(low)) * f64::from(n_steps);
        let zero = if step > 0.0 { (exact.round() as f32).clamp(0.0, n_steps) } else { 0.0 };
        Self { low: -zero * step, high: (n_steps - zero) * step, step }
    }

    /// The lowest and the highest level.
    pub(super) fn range(self) -> (f32, f32) {
        (self.low, self.high)
    }

    /// The level next to every value.
    pub(super) fn round(self, from: &[f32], to: &mut [f32]) {
        let Self { low, high, step } = self;
        let scale = if step > 0.0 { 1.0 / step } else { 0.0 };
        // The level is counted from 0, so that 0 and every other level is one number whatever is rounded to it.
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

    /// Stops the gradient where a value was cut.
    pub(super) fn stop_gradient(self, delta: &mut [f32], from: &[f32]) {
        let Self { low, high, .. } = self;
        crate::math::elementwise::multiply(delta, from, |v| if v >= low && v <= high { 1.0 } else { 0.0 });
    }
}

/// A step whose inverse is a number; 0, which leaves no level but 0, where it is too small for that.
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
        // The running range of a layer whose units are all dead shrinks with every update, beyond the normal numbers.
        for reach in [1e-30_f32, 1e-37, 1e-40, 1e-45, 0.0] {
            let mut rounded = [1.0; 3];
            Levels::nudged(-reach, reach, 8).round(&[0.0, reach, 1.0], &mut rounded);
            assert!(rounded.iter().all(|v| v.is_finite() && v.abs() <= reach), "{reach}: {rounded:?}");
            round_kernel(&[0.0, reach, -reach], 4, &mut rounded);
            assert!(rounded.iter().all(|v| v.is_finite() && v.abs() <= reach), "{reach}: {rounded:?}");
        }
    }
}
