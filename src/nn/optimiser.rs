//! Gradient steps: Adam as TensorFlow 1 defines it, and plain SGD.

/// How a gradient changes the parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimiser {
    /// Adam: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε).
    ///
    /// # Reference
    /// `tf.train.AdamOptimizer` of TensorFlow 1, with its defaults β₁ = 0.9, β₂ = 0.999, ε = 1e-8: ε is added to √v
    /// before the bias correction ("ε̂" of Kingma & Ba 2015, §2), and the powers of β are kept in f32.
    Adam {
        /// lr.
        learning_rate: f32,
    },
    /// w ← w − lr·g.
    Sgd {
        /// lr.
        learning_rate: f32,
    },
}

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// What an optimiser remembers between steps.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "pipeline", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct OptimiserState {
    m: Vec<f32>,
    v: Vec<f32>,
    beta_1_power: f32,
    beta_2_power: f32,
}

impl OptimiserState {
    pub(super) fn new(optimiser: Optimiser, n_parameters: usize) -> Self {
        let n_moments = match optimiser {
            Optimiser::Adam { .. } => n_parameters,
            Optimiser::Sgd { .. } => 0,
        };
        let (m, v) = (vec![0.0; n_moments], vec![0.0; n_moments]);
        Self { m, v, beta_1_power: BETA_1, beta_2_power: BETA_2 }
    }

    /// Whether both remember as many numbers.
    pub(super) fn has_shape_of(&self, other: &Self) -> bool {
        (self.m.len(), self.v.len()) == (other.m.len(), other.v.len())
    }

    /// One step of the parameters against their gradient.
    pub(super) fn step(&mut self, optimiser: Optimiser, parameters: &mut [f32], gradient: &[f32]) {
        match optimiser {
            Optimiser::Sgd { learning_rate } => {
                parameters.iter_mut().zip(gradient).for_each(|(w, g)| *w -= learning_rate * g);
            }
            Optimiser::Adam { learning_rate } => {
                let rate = learning_rate * (1.0 - self.beta_2_power).sqrt() / (1.0 - self.beta_1_power);
                let moments = self.m.iter_mut().zip(&mut self.v);
                for ((w, g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
                    *m += (g - *m) * (1.0 - BETA_1);
                    *v += (g * g - *v) * (1.0 - BETA_2);
                    *w -= rate * *m / (v.sqrt() + EPSILON);
                }
                self.beta_1_power *= BETA_1;
                self.beta_2_power *= BETA_2;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adam_follows_its_formula() {
        // The tiny gradients tell ε added before the bias correction from ε added after it.
        for gradients in [[0.5, -0.25, 0.125], [1e-8, 2e-8, -1e-8]] {
            check_adam(gradients);
        }
    }

    fn check_adam(gradients: [f64; 3]) {
        let rate = 0.1_f64;
        let adam = Optimiser::Adam { learning_rate: 0.1 };
        let mut state = OptimiserState::new(adam, 1);
        let mut weight = [1.0_f32];
        let (mut w, mut m, mut v) = (1.0_f64, 0.0_f64, 0.0_f64);
        for (t, g) in (1..).zip(gradients) {
            state.step(adam, &mut weight, &[g as f32]);
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            w -= rate * (1.0 - 0.999_f64.powi(t)).sqrt() / (1.0 - 0.9_f64.powi(t)) * m / (v.sqrt() + 1e-8);
            // 1 − β₂ in f32 carries a relative error of 5e-5; the first steps show it most.
            assert!((f64::from(weight[0]) - w).abs() < 1e-5, "step {t}: {} is not {w}", weight[0]);
        }
    }

    #[test]
    fn sgd_follows_the_gradient() {
        let mut weight = [1.0, 2.0];
        let sgd = Optimiser::Sgd { learning_rate: 0.5 };
        OptimiserState::new(sgd, 2).step(sgd, &mut weight, &[1.0, -2.0]);
        assert_eq!(weight, [0.5, 3.0]);
    }
}
