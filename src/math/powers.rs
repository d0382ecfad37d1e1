//! Kernels exp(−aD) of many exponents a from one squared distance D, with as few exponentials as possible.
//!
//! A kernel determines the exponential that it is computed from, so its bits do not depend on the other requested
//! kernels: a kernel is never computed as the square of another one that happens to be requested.

use crate::math::distances::{ROWS, TILE};
use crate::math::real::Real;

/// The kernel exp(−aD) with a = base · 2^squarings, computed as exp(−base D), squared `squarings` times.
///
/// Kernels with equal base share the exponential. Every squaring doubles the relative error: four squarings turn 1e−7
/// into 2e−6 in f32, which has no visible effect on the mean of N logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kernel {
    /// Exponent of the exponential, in units of 1/t², at least 0.
    pub base: f64,
    /// Number of squarings of the exponential.
    pub squarings: u32,
}

impl Kernel {
    /// The exponent a, in units of 1/t².
    pub fn exponent(self) -> f64 {
        self.base * f64::from(self.squarings).exp2()
    }
}

/// How several kernels are computed from a squared distance.
pub struct Powers<T> {
    /// One step for each distinct kernel; those with equal base are neighbours, fewest squarings first.
    steps: Vec<KernelStep<T>>,
    /// The step that computes each of the caller's kernels.
    pub places: Vec<usize>,
}

struct KernelStep<T> {
    start: Start<T>,
    /// Number of remaining squarings.
    squarings: u32,
}

/// What is squared.
enum Start<T> {
    /// 2^(scale · D) with scale = −base / ln 2.
    Exponential { scale: T },
    /// The squares of the kernels of the previous step.
    Squares,
}

impl<T: Real> Powers<T> {
    /// `kernels` in any order, possibly with duplicates.
    pub fn new(kernels: &[Kernel]) -> Self {
        let key = |kernel: &Kernel| (kernel.base.to_bits(), kernel.squarings);
        let mut distinct = kernels.to_vec();
        distinct.sort_by_key(key);
        distinct.dedup_by_key(|kernel| key(kernel));
        let step = |at: usize| match distinct[..at].last() {
            Some(previous) if previous.base.to_bits() == distinct[at].base.to_bits() => {
                KernelStep { start: Start::Squares, squarings: distinct[at].squarings - previous.squarings - 1 }
            }
            _ => {
                let scale = T::from_f64(-distinct[at].base * std::f64::consts::LOG2_E);
                KernelStep { start: Start::Exponential { scale }, squarings: distinct[at].squarings }
            }
        };
        let place = |kernel: &Kernel| distinct.partition_point(|other| key(other) < key(kernel));
        Self { steps: (0..distinct.len()).map(step).collect(), places: kernels.iter().map(place).collect() }
    }

    /// Number of distinct kernels.
    pub fn n_steps(&self) -> usize {
        self.steps.len()
    }

    /// The kernels of the first `width` samples in each row of a strip of squared `distances`, `ROWS` × `TILE`.
    ///
    /// `kernels` has one such strip for each step.
    #[inline(always)]
    pub fn take(&self, distances: &[T], width: usize, kernels: &mut [T]) {
        const STRIP: usize = ROWS * TILE;
        for (step, KernelStep { start, squarings }) in self.steps.iter().enumerate() {
            let (earlier, kernels) = kernels.split_at_mut(step * STRIP);
            for row in 0..ROWS {
                let place = row * TILE..row * TILE + width;
                let out = &mut kernels[place.clone()];
                match start {
                    Start::Exponential { scale } => {
                        for (k, d) in out.iter_mut().zip(&distances[place]) {
                            *k = (*d * *scale).power_of_two();
                        }
                    }
                    Start::Squares => {
                        for (k, root) in out.iter_mut().zip(&earlier[(step - 1) * STRIP..][place]) {
                            *k = square(*root);
                        }
                    }
                }
                for _ in 0..*squarings {
                    for k in &mut *out {
                        *k = square(*k);
                    }
                }
            }
        }
    }
}

/// Replaces a denormal square, which would be slow, with 0; NaN stays NaN.
#[inline(always)]
fn square<T: Real>(root: T) -> T {
    let root = if root < T::SQUARE_ROOT_OF_SMALLEST { T::zero() } else { root };
    root * root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_of_equal_base_share_the_exponential_and_equal_ones_the_step() {
        let kernel = |base, squarings| Kernel { base, squarings };
        let powers =
            Powers::<f64>::new(&[kernel(3.0, 1), kernel(1.0, 4), kernel(1.0, 0), kernel(1.0, 4), kernel(2.0, 0)]);
        let steps: Vec<(bool, u32)> =
            powers.steps.iter().map(|step| (matches!(step.start, Start::Squares), step.squarings)).collect();
        assert_eq!(steps, [(false, 0), (true, 3), (false, 0), (false, 1)]);
        assert_eq!(powers.places, [3, 1, 0, 1, 2]);
    }

    #[test]
    fn a_kernel_has_the_same_bits_whatever_is_computed_with_it() {
        let kernels: Vec<Kernel> = (0..5).map(|squarings| Kernel { base: 0.3, squarings }).collect();
        let distances: Vec<f32> = (0..ROWS * TILE).map(|i| i as f32 * 0.07).collect();
        let take = |kernels: &[Kernel]| {
            let mut strips = vec![0.0; kernels.len() * ROWS * TILE];
            Powers::new(kernels).take(&distances, TILE, &mut strips);
            strips
        };
        let alone: Vec<f32> = kernels.iter().flat_map(|kernel| take(&[*kernel])).collect();
        assert_eq!(take(&kernels), alone);
    }

    #[test]
    fn the_exponent_is_the_base_times_a_power_of_two() {
        assert_eq!(Kernel { base: 0.3, squarings: 3 }.exponent(), 0.3 * 8.0);
    }
}
