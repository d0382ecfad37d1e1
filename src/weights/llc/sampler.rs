//! Stochastic-gradient Langevin dynamics around weights, and estimates of the local learning coefficient from its
//! chains.
//!
//! x⁺ = x − (ε/2)(nβ ∇L(x) + γ(x − w*)) + N(0, ε): a step towards the density exp(−nβ L(x) − γ|x − w*|²/2). No step is
//! rejected. Instead, the acceptance probability of Metropolis' rule (MALA) is reported, which shows the error caused
//! by ε.
//!
//! # Reference
//! Welling & Teh 2011; Lau, Furman, Wang, Murfet & Wei 2023 (arXiv 2308.12108), eq. 20; Roberts & Tweedie 1996 (MALA).

use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::math::descriptive::mean;
use crate::parameter::{Kind, ParameterError};
use crate::weights::{MeasureError, check_count, check_number, rng};

/// Step size, number and length of the chains of a sampler.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgld {
    pub(super) step_size: f64,
    pub(super) gamma: f64,
    pub(super) n_chains: usize,
    pub(super) n_draws: usize,
    pub(super) burn_in: usize,
}

/// Allowed numbers of chains, draws per chain, and burn-in steps.
pub(super) const CHAINS: (u64, u64) = (1, 1000);
pub(super) const DRAWS: (u64, u64) = (4, 10_000_000);
pub(super) const BURN_IN: (u64, u64) = (0, 10_000_000);

/// Difference of two losses that may be rounding: relative, or absolute for losses below 1.
const ROUNDING: f64 = 1e-12;

impl Sgld {
    /// Four chains of 1000 draws after 200 steps, with `step_size` ε and the localisation `gamma` γ.
    ///
    /// # Errors
    /// A step size that is not above 0, a negative `gamma`.
    pub fn new(step_size: f64, gamma: f64) -> Result<Self, ParameterError> {
        let step_size = check_number("step_size", step_size, Kind::Positive)?;
        let gamma = check_number("gamma", gamma, Kind::NotNegative)?;
        Ok(Self { step_size, gamma, n_chains: 4, n_draws: 1000, burn_in: 200 })
    }

    /// `n_chains` chains of `n_draws` draws each, after `burn_in` steps.
    ///
    /// # Errors
    /// The number of chains is not from 1 to 1000, or there are fewer than 4 draws.
    pub fn chains(self, n_chains: usize, n_draws: usize, burn_in: usize) -> Result<Self, ParameterError> {
        Ok(Self {
            n_chains: check_count("chains", n_chains, CHAINS)?,
            n_draws: check_count("draws", n_draws, DRAWS)?,
            burn_in: check_count("burn_in", burn_in, BURN_IN)?,
            ..self
        })
    }

    /// Samples around `start` w*, at the inverse temperature `n_beta` nβ, with the potential L: `loss_and_gradient` returns L(x)
    /// and ∇L(x). Chain c draws from stream c of `seed`.
    ///
    /// # Errors
    /// L or its gradient is not finite: the step size is too large, or L is not finite at w*.
    pub fn sample(
        &self,
        start: &[f64],
        n_beta: f64,
        seed: u64,
        loss_and_gradient: impl Fn(&[f64]) -> (f64, Vec<f64>) + Sync,
    ) -> Result<LlcEstimate, MeasureError> {
        let (loss, gradient) = loss_and_gradient(start);
        if !loss.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
            return Err(MeasureError::NotFinite { what: "the loss at the recorded weights, or its gradient" });
        }
        let chain =
            |c| self.chain(start, n_beta, &first_state(start, loss, &gradient), rng(seed, c), &loss_and_gradient);
        let chains = (0..self.n_chains as u64).into_par_iter().map(chain).collect::<Result<Vec<Chain>, _>>()?;
        let of_chains: Vec<f64> = chains
            .iter()
            .map(|chain| n_beta * chain.losses.iter().map(|l| l - loss).sum::<f64>() / self.n_draws as f64)
            .collect();
        let below = loss - ROUNDING * loss.abs().max(1.0);
        let n_below = chains.iter().flat_map(|chain| &chain.losses).filter(|l| **l < below).count();
        let acceptances: Vec<f64> = chains.iter().map(|chain| chain.acceptance).collect();
        let traces: Vec<&[f64]> = chains.iter().map(|chain| chain.losses.as_slice()).collect();
        let value = mean(&of_chains).expect("there is at least one chain");
        Ok(LlcEstimate {
            value,
            std_error: standard_error(&of_chains),
            loss,
            gradient_norm: gradient.iter().map(|g| g * g).sum::<f64>().sqrt(),
            acceptance: mean(&acceptances).expect("there is at least one chain"),
            share_below: n_below as f64 / (self.n_chains * self.n_draws) as f64,
            r_hat: r_hat(&traces),
            chains: of_chains,
        })
    }

    fn chain(
        &self,
        start: &[f64],
        n_beta: f64,
        first: &State,
        mut rng: ChaCha8Rng,
        loss_and_gradient: &impl Fn(&[f64]) -> (f64, Vec<f64>),
    ) -> Result<Chain, MeasureError> {
        let Self { step_size, gamma, n_draws, burn_in, .. } = *self;
        let mut here = first.clone();
        let (mut losses, mut acceptance) = (Vec::with_capacity(n_draws), 0.0);
        for step in 0..burn_in + n_draws {
            let mut next = here.x.clone();
            let (mut forward, mut backward, mut pull) = (0.0, 0.0, 0.0);
            for (k, x) in next.iter_mut().enumerate() {
                let drift = 0.5 * step_size * (n_beta * here.gradient[k] + gamma * (*x - start[k]));
                let noise: f64 = StandardNormal.sample(&mut rng);
                let noise = step_size.sqrt() * noise;
                *x += noise - drift;
                forward += noise * noise;
            }
            let (loss, gradient) = loss_and_gradient(&next);
            if !loss.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
                let problem =
                    format!("a chain diverged at step {}; choose a smaller `step_size` than {step_size}", step + 1);
                return Err(MeasureError::Refused(problem));
            }
            for k in 0..next.len() {
                let (from, to) = (here.x[k] - start[k], next[k] - start[k]);
                let drift = 0.5 * step_size * (n_beta * gradient[k] + gamma * to);
                backward += (from - to + drift).powi(2);
                pull += 0.5 * gamma * (to * to - from * from);
            }
            if step >= burn_in {
                // ln of the ratio of the densities of the reverse step and of the step.
                let log_ratio = -n_beta * (loss - here.loss) - pull - (backward - forward) / (2.0 * step_size);
                acceptance += log_ratio.min(0.0).exp() / n_draws as f64;
                losses.push(loss);
            }
            here = State { x: next, loss, gradient };
        }
        Ok(Chain { losses, acceptance })
    }
}

/// State of a chain.
#[derive(Clone)]
struct State {
    x: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
}

fn first_state(start: &[f64], loss: f64, gradient: &[f64]) -> State {
    State { x: start.to_vec(), loss, gradient: gradient.to_vec() }
}

/// Results of one chain: L after each step, and the mean probability that Metropolis' rule accepts a step.
struct Chain {
    losses: Vec<f64>,
    acceptance: f64,
}

/// Results of the chains.
#[derive(Debug, Clone, PartialEq)]
pub struct LlcEstimate {
    /// nβ (mean L − L(w*)): the mean over chains and draws, of the losses after each step.
    pub value: f64,
    /// Its standard error over chains; `None` for one chain.
    pub std_error: Option<f64>,
    /// L(w*), computed once.
    pub loss: f64,
    /// |∇L(w*)|, 0 at a minimum.
    pub gradient_norm: f64,
    /// Mean probability that Metropolis' rule accepts a step; below 0.9 the steps are too large.
    pub acceptance: f64,
    /// Share of the draws with a loss below L(w*), beyond rounding: 0 at a minimum.
    pub share_below: f64,
    /// Split R̂ of the losses; above 1.1 the chains have not mixed.
    pub r_hat: f64,
    /// The estimate of each chain.
    pub chains: Vec<f64>,
}

/// s/√n of the numbers; `None` for fewer than two.
fn standard_error(numbers: &[f64]) -> Option<f64> {
    let n = numbers.len() as f64;
    let mean = mean(numbers).filter(|_| numbers.len() > 1)?;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    Some((squares / (n * (n - 1.0))).sqrt())
}

/// R̂ = √(((n − 1)W + B)/(nW)) of the halves of chains: n draws each, W the mean of the variances within, B/n the
/// variance of the means. 1 if all losses are equal.
///
/// # Reference
/// Gelman, Carlin, Stern, Dunson, Vehtari & Rubin 2013, "Bayesian data analysis", eqs 11.3 and 11.4.
pub fn r_hat(chains: &[&[f64]]) -> f64 {
    let halves: Vec<&[f64]> = chains
        .iter()
        .flat_map(|chain| {
            let n = chain.len() / 2;
            [&chain[..n], &chain[chain.len() - n..]]
        })
        .collect();
    let n = halves[0].len() as f64;
    let means: Vec<f64> = halves.iter().filter_map(|half| mean(half)).collect();
    let grand = means.iter().sum::<f64>() / means.len() as f64;
    let between = means.iter().map(|m| (m - grand).powi(2)).sum::<f64>() / (means.len() as f64 - 1.0);
    let variance = |(half, m): (&&[f64], &f64)| half.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (n - 1.0);
    let within = halves.iter().zip(&means).map(variance).sum::<f64>() / means.len() as f64;
    if within == 0.0 && between == 0.0 {
        return 1.0;
    }
    ((n - 1.0) / n + between / within).sqrt()
}
