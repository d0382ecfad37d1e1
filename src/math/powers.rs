//! Kernels exp(−aD) of many exponents a from one squared distance D, with as few exponentials as possible.
//!
//! The two Kolchinsky–Tracey bounds have exponents 4 apart, and noise variances are often chosen as powers of 2 or 4: a
//! kernel is then a square or a fourth power of another.

use crate::math::distances::{ROWS, TILE};
use crate::math::real::Real;

/// How the kernels of all exponents follow from a squared distance, smallest exponent first.
pub struct Powers<T> {
    steps: Vec<Step<T>>,
    /// The caller's number of each step's exponent.
    pub places: Vec<usize>,
}

/// How a kernel is computed. `of` is the number of an earlier step.
#[derive(Clone, Copy)]
enum Step<T> {
    /// 2^(scale · D) with scale = −a / ln 2.
    Exponential { scale: T },
    /// The kernel of half the exponent, squared.
    Square { of: usize },
    /// The kernel of a quarter of the exponent, squared twice.
    FourthPower { of: usize },
}

/// A power multiplies the relative error of an exponential by itself: 16 makes 2e−6 of 1e−7, which the mean of N
/// logarithms does not show.
const LARGEST_POWER: u32 = 16;

impl<T: Real> Powers<T> {
    /// `exponents` a ≥ 0 in any order.
    pub fn new(exponents: &[f64]) -> Self {
        let mut places: Vec<usize> = (0..exponents.len()).collect();
        places.sort_by(|a, b| exponents[*a].total_cmp(&exponents[*b]));
        let mut steps: Vec<Step<T>> = Vec::with_capacity(exponents.len());
        // Which power of an exponential each step is.
        let mut powers: Vec<u32> = Vec::with_capacity(exponents.len());
        for (step, place) in places.iter().enumerate() {
            let a = exponents[*place];
            let earlier = |multiple: u32| {
                let is_multiple = |of: &usize| {
                    let expected = f64::from(multiple) * exponents[places[*of]];
                    powers[*of] * multiple <= LARGEST_POWER && (expected - a).abs() <= 4.0 * f64::EPSILON * a
                };
                (0..step).find(is_multiple)
            };
            let (next, power) = if let Some(of) = earlier(2) {
                (Step::Square { of }, 2 * powers[of])
            } else if let Some(of) = earlier(4) {
                (Step::FourthPower { of }, 4 * powers[of])
            } else {
                (Step::Exponential { scale: T::from_f64(-a * std::f64::consts::LOG2_E) }, 1)
            };
            steps.push(next);
            powers.push(power);
        }
        Self { steps, places }
    }

    /// The kernels of the first `width` samples in each row of a strip of squared `distances`, `ROWS` × `TILE`.
    ///
    /// `kernels` holds one such strip for each exponent, smallest first.
    #[inline(always)]
    pub fn take(&self, distances: &[T], width: usize, kernels: &mut [T]) {
        const STRIP: usize = ROWS * TILE;
        for (step, next) in self.steps.iter().enumerate() {
            let (earlier, kernels) = kernels.split_at_mut(step * STRIP);
            for row in 0..ROWS {
                let place = row * TILE..row * TILE + width;
                let out = &mut kernels[place.clone()];
                match *next {
                    Step::Exponential { scale } => {
                        for (k, d) in out.iter_mut().zip(&distances[place]) {
                            *k = (*d * scale).power_of_two();
                        }
                    }
                    Step::Square { of } => {
                        for (k, root) in out.iter_mut().zip(&earlier[of * STRIP..][place]) {
                            let root = without_denormal_powers(*root);
                            *k = root * root;
                        }
                    }
                    Step::FourthPower { of } => {
                        for (k, root) in out.iter_mut().zip(&earlier[of * STRIP..][place]) {
                            let root = without_denormal_powers(*root);
                            let square = root * root;
                            *k = square * square;
                        }
                    }
                }
            }
        }
    }
}

/// 0 in place of a number whose fourth power is denormal, which would be slow; NaN stays NaN.
#[inline(always)]
fn without_denormal_powers<T: Real>(root: T) -> T {
    if root < T::FOURTH_ROOT_OF_SMALLEST { T::zero() } else { root }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_in_powers_of_two_and_four_share_exponentials_up_to_the_sixteenth_power() {
        let powers = Powers::<f64>::new(&[16.0, 1.0, 4.0, 2.0, 64.0, 3.0]);
        let steps: Vec<String> = powers
            .steps
            .iter()
            .map(|step| match step {
                Step::Exponential { .. } => "exp".to_string(),
                Step::Square { of } => format!("{of}²"),
                Step::FourthPower { of } => format!("{of}⁴"),
            })
            .collect();
        assert_eq!(powers.places, [1, 3, 5, 2, 0, 4]);
        assert_eq!(steps, ["exp", "0²", "exp", "1²", "3⁴", "exp"]);
    }
}
