//! Minimisation of smooth functions by L-BFGS.
//!
//! # Reference
//! Nocedal & Wright 2006, Numerical Optimization, algorithms 7.4 and 7.5, with 10 stored steps. Deviation: the line search
//! halves the step until the decrease is sufficient (Armijo, c = 1e-4). It does not enforce the curvature condition, which
//! convex functions do not need: a pair with sᵀy ≤ 0 is not stored.

use std::collections::VecDeque;

/// Number of stored steps.
const MEMORY: usize = 10;
/// Share of the decrease of the linear approximation that a step must reach.
const SUFFICIENT: f64 = 1e-4;
/// Relative rounding error of the value of a function that adds up to about a million terms.
const ROUNDING: f64 = 1e-12;
/// A step of 2⁻⁵⁰ of the direction is below the rounding of the parameters.
const HALVINGS: usize = 50;

/// A step s and the change y of the gradient, with 1/sᵀy.
struct StoredStep {
    s: Vec<f64>,
    y: Vec<f64>,
    inverse: f64,
}

/// Minimises `function`, which returns its value and writes its gradient, from `start` on. The result is the first point whose
/// gradient has no component above `tolerance` in absolute value; `None` if there is none within `n_steps` steps.
pub fn minimise(
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
    start: Vec<f64>,
    tolerance: f64,
    n_steps: usize,
) -> Option<Vec<f64>> {
    let mut x = start;
    let mut gradient = vec![0.0; x.len()];
    let mut value = function(&x, &mut gradient);
    let mut steps: VecDeque<StoredStep> = VecDeque::new();
    for _ in 0..n_steps {
        if gradient.iter().all(|g| g.abs() <= tolerance) {
            return Some(x);
        }
        let direction = direction(&steps, &gradient);
        let slope = dot(&gradient, &direction);
        let (mut length, mut new_x, mut new_gradient) = (1.0, x.clone(), gradient.clone());
        let new_value = (0..HALVINGS).find_map(|_| {
            new_x.iter_mut().zip(x.iter().zip(&direction)).for_each(|(new, (x, d))| *new = x + length * d);
            let new_value = function(&new_x, &mut new_gradient);
            let is_enough = new_value <= value + SUFFICIENT * length * slope;
            // Close to the minimum the decrease of the value is lost to rounding, but not that of the gradient.
            let is_flat = (new_value - value).abs() <= ROUNDING * value.abs() && norm(&new_gradient) < norm(&gradient);
            length /= 2.0;
            (is_enough || is_flat).then_some(new_value)
        })?;
        let s: Vec<f64> = new_x.iter().zip(&x).map(|(new, old)| new - old).collect();
        let y: Vec<f64> = new_gradient.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let curvature = dot(&s, &y);
        if curvature > 0.0 {
            steps.push_back(StoredStep { s, y, inverse: 1.0 / curvature });
            if steps.len() > MEMORY {
                steps.pop_front();
            }
        }
        (x, gradient, value) = (new_x, new_gradient, new_value);
    }
    gradient.iter().all(|g| g.abs() <= tolerance).then_some(x)
}

/// The direction −H g, H the approximate inverse Hessian.
fn direction(steps: &VecDeque<StoredStep>, gradient: &[f64]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let alpha = step.inverse * dot(&step.s, &q);
        q.iter_mut().zip(&step.y).for_each(|(q, y)| *q -= alpha * y);
        alphas.push(alpha);
    }
    // Without a step the length of the first one is that of a unit vector.
    let scale =
        steps.back().map_or_else(|| 1.0 / norm(gradient).max(1.0), |step| 1.0 / (step.inverse * dot(&step.y, &step.y)));
    q.iter_mut().for_each(|q| *q *= scale);
    for (step, alpha) in steps.iter().zip(alphas.into_iter().rev()) {
        let beta = step.inverse * dot(&step.y, &q);
        q.iter_mut().zip(&step.s).for_each(|(q, s)| *q += (alpha - beta) * s);
    }
    q
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badly_scaled_convex_function_is_minimised() {
        // Σ_i c_i (x_i − i)² with curvatures from 1 to 10⁴, and a quartic term at the minimum of the rest.
        let curvature = |i: usize| 10.0_f64.powf(i as f64 / 2.0);
        let function = |x: &[f64], gradient: &mut [f64]| {
            let mut value = 0.0;
            for (i, (x, g)) in x.iter().zip(gradient).enumerate() {
                let off = x - i as f64;
                value += curvature(i) * off * off + off.powi(4);
                *g = 2.0 * curvature(i) * off + 4.0 * off.powi(3);
            }
            value
        };
        let found = minimise(function, vec![5.0; 9], 1e-9, 500).unwrap();
        // |x − i| ≤ tolerance/(2 c).
        assert!(found.iter().enumerate().all(|(i, x)| (x - i as f64).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn a_function_without_a_minimum_has_no_result() {
        let slope = |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = 1.0;
            x[0]
        };
        assert_eq!(minimise(slope, vec![0.0], 1e-6, 30), None);
    }
}
