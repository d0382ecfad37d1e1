//! Multinomial logistic regression: p(y=c|x) ∝ exp(w_c·x + b_c), with an L2 penalty.
//!
//! The weights minimise Σ_s −ln p(y_s|x_s) + (λ/2) Σ_c |w_c|²; the constants b_c have no penalty. This is scikit-learn's
//! `LogisticRegression` with C = 1/λ for three and more classes. For two classes scikit-learn has one vector w = w_1 − w_0 with
//! the penalty (λ/2)|w|², which is that of 2λ here.

use super::lbfgs::minimise;

/// The weights of a fitted model.
#[derive(Debug, Clone)]
pub struct Logistic {
    /// For every class w_c, then b_c.
    weights: Vec<f64>,
    n_dims: usize,
}

/// The largest component of the gradient of the mean loss at the solution: the loss is then below its minimum + 1e-10 for a
/// curvature of 1e-6.
const TOLERANCE: f64 = 1e-8;

/// Number of steps within which a fit must converge.
pub const N_STEPS: usize = 1000;

impl Logistic {
    /// Fits the samples `x` (n × `n_dims`, row-major) of the classes `y`, below `n_classes`; `l2` is λ. `None` if the fit did
    /// not converge within [`N_STEPS`] steps.
    pub fn fit(x: &[f64], n_dims: usize, y: &[u32], n_classes: usize, l2: f64) -> Option<Self> {
        let (n, width) = (y.len() as f64, n_dims + 1);
        let mut z = vec![0.0; n_classes];
        let loss = |weights: &[f64], gradient: &mut [f64]| {
            gradient.fill(0.0);
            let mut total = 0.0;
            for (x, class) in x.chunks_exact(n_dims).zip(y) {
                log_probabilities(weights, x, &mut z);
                total -= z[*class as usize];
                for (c, (g, log_p)) in gradient.chunks_exact_mut(width).zip(&z).enumerate() {
                    let error = (log_p.exp() - f64::from(u8::from(c == *class as usize))) / n;
                    g.iter_mut().zip(x).for_each(|(g, x)| *g += error * x);
                    g[n_dims] += error;
                }
            }
            let mut penalty = 0.0;
            for (g, w) in gradient.chunks_exact_mut(width).zip(weights.chunks_exact(width)) {
                for (g, w) in g.iter_mut().zip(w).take(n_dims) {
                    penalty += l2 / 2.0 * w * w;
                    *g += l2 * w / n;
                }
            }
            (total + penalty) / n
        };
        let weights = minimise(loss, vec![0.0; n_classes * width], TOLERANCE, N_STEPS)?;
        Some(Self { weights, n_dims })
    }

    /// Σ_s −ln p(y_s|x_s), in nats.
    pub fn cross_entropy(&self, x: &[f64], y: &[u32]) -> f64 {
        let mut z = vec![0.0; self.weights.len() / (self.n_dims + 1)];
        let of_sample = |(x, class): (&[f64], &u32)| {
            log_probabilities(&self.weights, x, &mut z);
            -z[*class as usize]
        };
        x.chunks_exact(self.n_dims).zip(y).map(of_sample).sum()
    }
}

/// Writes ln p(y=c|x) of every class c to `z`.
fn log_probabilities(weights: &[f64], x: &[f64], z: &mut [f64]) {
    for (z, w) in z.iter_mut().zip(weights.chunks_exact(x.len() + 1)) {
        *z = w[x.len()] + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    }
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_total = largest + z.iter().map(|z| (z - largest).exp()).sum::<f64>().ln();
    z.iter_mut().for_each(|z| *z -= log_total);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_alone_give_the_frequencies_of_the_classes() {
        // x = 0 cannot distinguish anything: the cross-entropy is N times the entropy of (3, 2, 1)/6.
        let y = [0, 0, 0, 1, 1, 2];
        let fitted = Logistic::fit(&[0.0; 6], 1, &y, 3, 1.0).unwrap();
        let entropy = -[3.0_f64, 2.0, 1.0].map(|count| count * (count / 6.0).ln()).iter().sum::<f64>();
        assert!((fitted.cross_entropy(&[0.0; 6], &y) - entropy).abs() < 1e-8);
    }

    #[test]
    fn two_balanced_classes_follow_the_equation_of_their_weight() {
        // x = ±1 of class 0, 1: w_1 = −w_0 = u by symmetry, and the derivative is 0 where 2/(1 + e^2u) = λ u.
        let (l2, u) = (0.5, 0.740_774_393_06); // root by SciPy's brentq
        let fitted = Logistic::fit(&[-1.0, 1.0], 1, &[0, 1], 2, l2).unwrap();
        let expected = 2.0 * (1.0 + (-2.0_f64 * u).exp()).ln();
        assert!((fitted.cross_entropy(&[-1.0, 1.0], &[0, 1]) - expected).abs() < 1e-7);
    }

    #[test]
    fn separable_classes_have_a_solution_even_with_almost_no_penalty() {
        let fitted = Logistic::fit(&[-2.0, -1.0, 1.0, 2.0], 1, &[0, 0, 1, 1], 2, 1e-6).unwrap();
        // The loss is below that of w = ∓10: 2 ln(1 + e^−20) + 2 ln(1 + e^−40) + 1e-6 · 100.
        assert!(fitted.cross_entropy(&[-2.0, -1.0, 1.0, 2.0], &[0, 0, 1, 1]) < 1.01e-4);
    }
}
