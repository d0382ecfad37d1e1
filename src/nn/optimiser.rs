//! Optimisers: rules for gradient steps.

use rayon::prelude::*;

use crate::math::wide::Cores;

/// How a gradient g changes the parameters w; lr is the learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimiser {
    /// w ← w − lr·g.
    Sgd,
    /// v ← μv + g, w ← w − lr·v; with `nesterov` w ← w − lr·(g + μv) (Sutskever et al. 2013, in PyTorch's form).
    Momentum {
        /// μ.
        momentum: f64,
        /// Where the gradient is evaluated.
        form: Momentum,
    },
    /// Adam: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − lr·c/(1−β₁ᵗ) · m/(√v + ε̂) with c = √(1−β₂ᵗ).
    ///
    /// # Reference
    /// Kingma & Ba 2015, §2. Deviation from TensorFlow 1: 1 − β and the powers of β are computed in f64, as PyTorch
    /// does; in f32 1 − β₂ has an error of 1.3e-5 of its value.
    Adam {
        /// β₁.
        beta_1: f64,
        /// β₂.
        beta_2: f64,
        /// ε.
        epsilon: f64,
        /// Definition of ε̂.
        form: Adam,
    },
    /// v ← αv + (1−α)g², w ← w − lr·g/(√v + ε) (Hinton 2012, as in PyTorch).
    RmsProp {
        /// α.
        decay: f64,
        /// ε.
        epsilon: f64,
    },
}

/// Where the gradient of a step with momentum is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Momentum {
    /// At the weights.
    Classical,
    /// At the weights shifted by the momentum.
    Nesterov,
}

/// Value added to √v in Adam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adam {
    /// ε itself, as in TensorFlow 1 and Keras, which the papers used.
    TensorFlow,
    /// ε c, which is ε after the bias correction, as in the algorithm of the paper and in PyTorch.
    PyTorch,
}

/// Parameters that are updated together: a few pages of memory.
const CHUNK: usize = 1 << 14;

/// State of an optimiser between steps.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "pipeline", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct OptimiserState {
    /// First moment or velocity.
    m: Vec<f32>,
    /// Second moment.
    v: Vec<f32>,
    beta_1_power: f64,
    beta_2_power: f64,
}

impl Optimiser {
    /// Adam with the constants of its authors.
    pub const ADAM: Self = Self::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, form: Adam::TensorFlow };
}

impl OptimiserState {
    pub(super) fn new(optimiser: Optimiser, n_parameters: usize) -> Self {
        let (n_m, n_v, powers) = match optimiser {
            Optimiser::Sgd => (0, 0, (1.0, 1.0)),
            Optimiser::Momentum { .. } => (n_parameters, 0, (1.0, 1.0)),
            Optimiser::Adam { beta_1, beta_2, .. } => (n_parameters, n_parameters, (beta_1, beta_2)),
            Optimiser::RmsProp { .. } => (0, n_parameters, (1.0, 1.0)),
        };
        Self { m: vec![0.0; n_m], v: vec![0.0; n_v], beta_1_power: powers.0, beta_2_power: powers.1 }
    }

    /// Whether both have equally many values.
    pub(super) fn has_shape_of(&self, other: &Self) -> bool {
        (self.m.len(), self.v.len()) == (other.m.len(), other.v.len())
    }

    /// Makes one step of the parameters against their gradient.
    pub(super) fn step(
        &mut self,
        optimiser: Optimiser,
        learning_rate: f32,
        cores: Cores,
        parameters: &mut [f32],
        gradient: &[f32],
    ) {
        // Every parameter is updated independently, so dividing them into chunks changes no bit.
        let moments = chunks_or_nothing(&mut self.m).zip(chunks_or_nothing(&mut self.v));
        let chunks = parameters.chunks_mut(CHUNK).zip(gradient.chunks(CHUNK)).zip(moments);
        let chunks = chunks.map(|((w, g), (m, v))| Chunk { w, g, m, v });
        let (mut now, mut rate) = (optimiser, learning_rate);
        if let Optimiser::Adam { beta_1, beta_2, epsilon, form } = &mut now {
            let correction = (1.0 - self.beta_2_power).sqrt();
            rate = (f64::from(learning_rate) * correction / (1.0 - self.beta_1_power)) as f32;
            if *form == Adam::PyTorch {
                *epsilon *= correction;
            }
            self.beta_1_power *= *beta_1;
            self.beta_2_power *= *beta_2;
        }
        each(cores, chunks, |chunk| chunk.step(now, rate));
    }
}

/// Some parameters with their gradient and moments; moments that the optimiser does not use are empty.
struct Chunk<'a> {
    w: &'a mut [f32],
    g: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
}

impl Chunk<'_> {
    fn step(self, optimiser: Optimiser, rate: f32) {
        let Self { w, g, m, v } = self;
        let wg = w.iter_mut().zip(g);
        match optimiser {
            Optimiser::Sgd => wg.for_each(|(w, g)| *w -= rate * g),
            Optimiser::Momentum { momentum, form } => {
                let momentum = momentum as f32;
                for ((w, g), v) in wg.zip(m) {
                    *v = momentum * *v + g;
                    *w -= rate * if form == Momentum::Nesterov { g + momentum * *v } else { *v };
                }
            }
            Optimiser::Adam { beta_1, beta_2, epsilon, .. } => {
                let (new_m, new_v, epsilon) = ((1.0 - beta_1) as f32, (1.0 - beta_2) as f32, epsilon as f32);
                for ((w, g), (m, v)) in wg.zip(m.iter_mut().zip(v)) {
                    *m += (g - *m) * new_m;
                    *v += (g * g - *v) * new_v;
                    *w -= rate * *m / (v.sqrt() + epsilon);
                }
            }
            Optimiser::RmsProp { decay, epsilon } => {
                let (new_v, epsilon) = ((1.0 - decay) as f32, epsilon as f32);
                for ((w, g), v) in wg.zip(v) {
                    *v += (g * g - *v) * new_v;
                    *w -= rate * g / (v.sqrt() + epsilon);
                }
            }
        }
    }
}

/// The chunks of `values`, then endless empty ones.
fn chunks_or_nothing(values: &mut [f32]) -> impl Iterator<Item = &mut [f32]> {
    values.chunks_mut(CHUNK).chain(std::iter::repeat_with(Default::default))
}

fn each<'a>(cores: Cores, chunks: impl Iterator<Item = Chunk<'a>>, step: impl Fn(Chunk<'a>) + Sync + Send) {
    match cores {
        Cores::One => chunks.for_each(step),
        Cores::All => chunks.collect::<Vec<_>>().into_par_iter().for_each(step),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(state: &mut OptimiserState, optimiser: Optimiser, rate: f32, weight: &mut [f32], gradient: &[f32]) {
        state.step(optimiser, rate, Cores::One, weight, gradient);
    }

    #[test]
    fn adam_follows_its_formula() {
        // With tiny gradients, ε before the bias correction differs from ε after it.
        for gradients in [[0.5, -0.25, 0.125], [1e-8, 2e-8, -1e-8]] {
            check_adam(gradients);
        }
    }

    fn check_adam(gradients: [f64; 3]) {
        let rate = 0.1_f64;
        let mut state = OptimiserState::new(Optimiser::ADAM, 1);
        let mut weight = [1.0_f32];
        let (mut w, mut m, mut v) = (1.0_f64, 0.0_f64, 0.0_f64);
        for (t, g) in (1..).zip(gradients) {
            step(&mut state, Optimiser::ADAM, 0.1, &mut weight, &[g as f32]);
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            w -= rate * (1.0 - 0.999_f64.powi(t)).sqrt() / (1.0 - 0.9_f64.powi(t)) * m / (v.sqrt() + 1e-8);
            // A weight of size 1 in f32.
            assert!((f64::from(weight[0]) - w).abs() < 2e-7, "step {t}: {} is not {w}", weight[0]);
        }
    }

    #[test]
    fn sgd_follows_the_gradient() {
        let mut weight = [1.0, 2.0];
        step(&mut OptimiserState::new(Optimiser::Sgd, 2), Optimiser::Sgd, 0.5, &mut weight, &[1.0, -2.0]);
        assert_eq!(weight, [0.5, 3.0]);
    }

    #[test]
    fn all_cores_make_the_same_step() {
        let n = 3 * CHUNK + 5;
        let gradient: Vec<f32> = (0..n).map(|i| (i as f32).sin()).collect();
        let momentum = Optimiser::Momentum { momentum: 0.9, form: Momentum::Nesterov };
        let rms_prop = Optimiser::RmsProp { decay: 0.99, epsilon: 1e-8 };
        for optimiser in [Optimiser::Sgd, momentum, Optimiser::ADAM, rms_prop] {
            let stepped = |cores| {
                let (mut state, mut weights) = (OptimiserState::new(optimiser, n), vec![1.0; n]);
                (0..3).for_each(|_| state.step(optimiser, 0.1, cores, &mut weights, &gradient));
                weights
            };
            assert_eq!(stepped(Cores::One), stepped(Cores::All));
        }
    }
}
