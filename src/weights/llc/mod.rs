//! The local learning coefficient: the effective number of weights of a network near its recorded weights, from a
//! sampler.
//!
//! λ̂ = nβ (E L(w) − L(w*)) under exp(−nβ L(w) − γ|w − w*|²/2), nβ = n/ln n, with L the mean loss of n samples in nats.
//! The recorded weights w* are fixed; the randomness is one draw from a posterior defined by nβ and γ. Chains are
//! full-batch SGLD from w*; L(w*) is computed once, on the same samples. At a regular minimum λ = d/2; flat directions
//! make it smaller.
//!
//! The value depends on (nβ, γ, ε) and the chains, which are in `method`. If w* is not a minimum, the chains find lower
//! losses and the value is too small, or even negative. It is reported with a warning, as are values of chains that
//! have not mixed or whose steps are too large. Chains that are not finite are an error.
//!
//! Deviation: released programs record the loss before each step, so that without burn-in the first draw is L(w*); here
//! it is the loss after the step. With `compat`, nβ = b/ln b with the batch size b, which a released default uses for
//! data loaders.
//!
//! # Reference
//! Lau, Furman, Wang, Murfet & Wei 2023 (arXiv 2308.12108); Watanabe 2013.

mod quadratic;
mod sampler;
mod singular;

use ndarray::{Array2, Axis};
use rand::seq::index;

use super::{
    Labelled, Measure, MeasureError, MeasureUnit, OfNetwork, Quantity, Randomness, Reading, RecordedNetwork, Spec, rng,
};
use crate::parameter::{Kind, Parameter};
use crate::units::Nats;

pub use quadratic::{LocalQuadratic, Recorded, block_llc, mala_acceptance, n_beta};
pub use sampler::{LlcEstimate, Sgld, r_hat};
pub use singular::{
    Monomial, code_length_at_tolerance, localised_llc_in_plane, localised_llc_on_line, reduced_rank_coefficient,
};

pub(super) const SPEC: Spec = Spec {
    name: "llc",
    summary: "local learning coefficient: half the effective number of weights near the recorded weights, estimated by Langevin dynamics",
    randomness: Randomness::Sampler,
    quantities: &[
        Quantity::ratio(
            "llc",
            "local learning coefficient, n β (E L(w) − L(w*)), at most half of the number of weights",
        ),
        Quantity::bits(
            "excess_loss",
            "mean loss under the sampler minus that of the recorded weights, E L(w) − L(w*), in bits",
        ),
        Quantity::ratio("gradient_norm", "norm of the gradient of the loss at the recorded weights, 0 at a minimum"),
        Quantity::probability(
            "acceptance",
            "mean probability that Metropolis' rule (MALA) would accept a step of the sampler",
        ),
        Quantity::ratio("r_hat", "potential scale reduction of the losses of the chains, 1 if they have mixed"),
    ],
    parameters: &[
        Parameter {
            name: "step_size",
            doc: "step size epsilon of the sampler; halve it until the result does not change and the acceptance is above 0.9",
            kind: Kind::Positive,
            default: "0.0001",
        },
        Parameter {
            name: "gamma",
            doc: "strength gamma of the localisation at the recorded weights",
            kind: Kind::NotNegative,
            default: "10",
        },
        Parameter {
            name: "chains",
            doc: "number of independent chains, which give the standard error",
            kind: Kind::Count { min: sampler::CHAINS.0, max: sampler::CHAINS.1 },
            default: "4",
        },
        Parameter {
            name: "draws",
            doc: "number of averaged steps of each chain",
            kind: Kind::Count { min: sampler::DRAWS.0, max: sampler::DRAWS.1 },
            default: "1000",
        },
        Parameter {
            name: "burn_in",
            doc: "number of steps of each chain before the averaged ones",
            kind: Kind::Count { min: sampler::BURN_IN.0, max: sampler::BURN_IN.1 },
            default: "200",
        },
        Parameter {
            name: "subset",
            doc: "number of training samples for the loss, drawn once; 0 for all of them",
            kind: Kind::Count { min: 0, max: 1_000_000_000 },
            default: "0",
        },
        Parameter {
            name: "compat",
            doc: "devinterp: use the inverse temperature b/ln b with the batch size b instead of n/ln n",
            kind: Kind::Choice(&["devinterp"]),
            default: "",
        },
    ],
    build: |parameters| {
        let number = |name| parameters.number(name).expect("the parameter has a default");
        let count = |name| parameters.count(name).expect("the parameter has a default");
        let sgld = Sgld::new(number("step_size"), number("gamma"))?;
        let measure = Llc::new(sgld.chains(count("chains"), count("draws"), count("burn_in"))?).subset(count("subset"));
        let is_compat = parameters.text("compat").is_some();
        Ok(Measure::OfNetwork(Box::new(if is_compat { measure.compat_devinterp() } else { measure })))
    },
};

/// Share of draws with a lower loss than L(w*) above which w* is not considered a minimum. For a quadratic in two
/// directions, a share of 1 % means a value that is too small by 1 %; more directions give a larger error, one
/// direction a much smaller one.
const MOST_BELOW: f64 = 0.01;
/// R̂ above which chains have not mixed.
const MIXED: f64 = 1.1;
/// Mean acceptance below which the size of the steps biases the number.
const FEWEST_ACCEPTED: f64 = 0.9;
/// Streams of the seed that chains do not use: one draws the subset.
const SUBSET_STREAM: u64 = u64::MAX;

/// The local learning coefficient of a recorded network.
///
/// ```
/// use infoplane::weights::{Llc, Sgld};
///
/// let measure = Llc::new(Sgld::new(1e-4, 10.0)?.chains(4, 1000, 200)?);
/// # Ok::<(), infoplane::parameter::ParameterError>(())
/// ```
///
/// # Reference
/// Lau, Furman, Wang, Murfet & Wei 2023 (arXiv 2308.12108).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Llc {
    sgld: Sgld,
    subset: usize,
    temperature: Temperature,
}

/// Definition of nβ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Temperature {
    /// n/ln n for the number of samples.
    Samples,
    /// b/ln b for the batch size.
    CompatBatch,
}

impl Llc {
    /// With the chains of `sgld`, on all training samples, at nβ = n/ln n.
    pub fn new(sgld: Sgld) -> Self {
        Self { sgld, subset: 0, temperature: Temperature::Samples }
    }

    /// Uses `n_samples` of the training samples, drawn once for w* and all chains; all samples if it is 0 or larger
    /// than their number.
    #[must_use]
    pub fn subset(self, n_samples: usize) -> Self {
        Self { subset: n_samples, ..self }
    }

    /// Uses nβ = b/ln b with the batch size b, as `default_nbeta` of devinterp (a646b9d) does for a data loader. The
    /// value is too small.
    #[must_use]
    pub fn compat_devinterp(self) -> Self {
        Self { temperature: Temperature::CompatBatch, ..self }
    }

    fn n_beta(&self, n: usize, batch_size: Option<usize>) -> Result<f64, MeasureError> {
        let n = match self.temperature {
            Temperature::Samples => n,
            Temperature::CompatBatch => batch_size.ok_or_else(|| {
                MeasureError::Refused(
                    "`compat` devinterp needs a batch size, but this training has none; leave it out".to_owned(),
                )
            })?,
        };
        if n < 2 {
            return Err(MeasureError::Refused(format!("n/ln n needs at least 2 samples, got {n}")));
        }
        Ok(n_beta(n as f64))
    }
}

/// `n_samples` of the samples in their order, drawn without replacement.
fn drawn(samples: Labelled<'_>, n_samples: usize, seed: u64) -> (Array2<f64>, Vec<usize>) {
    let mut rows = index::sample(&mut rng(seed, SUBSET_STREAM), samples.len(), n_samples).into_vec();
    rows.sort_unstable();
    (samples.x().select(Axis(0), &rows), rows.iter().map(|row| samples.classes()[*row]).collect())
}

/// Why the value from the chains is not the local learning coefficient.
fn doubts(found: &LlcEstimate) -> Vec<String> {
    let below = format!("not at a minimum: {:.0} % of the draws have a lower loss", 100.0 * found.share_below);
    let doubts = [
        (found.value < 0.0 || found.share_below > MOST_BELOW, below.as_str()),
        (found.r_hat > MIXED, "the chains have not mixed: r_hat is above 1.1"),
        (found.acceptance < FEWEST_ACCEPTED, "the steps are too large: acceptance is below 0.9"),
    ];
    doubts.into_iter().filter(|(is_so, _)| *is_so).map(|(_, doubt)| doubt.to_owned()).collect()
}

impl OfNetwork for Llc {
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError> {
        let RecordedNetwork { network, samples, batch_size, seed, .. } = *recorded;
        if (1..samples.len()).contains(&self.subset) {
            let (x, classes) = drawn(samples, self.subset, seed);
            let samples = Labelled::new(x.view(), &classes)?;
            let all_samples = Self { subset: 0, ..*self };
            let mut of_subset = RecordedNetwork::new(network, samples)?.with_seed(seed);
            of_subset.batch_size = batch_size;
            return all_samples.measure(&of_subset);
        }
        let n_beta = self.n_beta(samples.len(), batch_size)?;
        let potential = |weights: &[f64]| network.with_weights(weights).gradient(samples);
        let found = self.sgld.sample(&network.weights(), n_beta, seed, potential)?;
        let Sgld { step_size, gamma, n_chains, n_draws, burn_in } = self.sgld;
        let method = format!(
            "n beta {n_beta:.6}, step size {step_size:e}, gamma {gamma}, {n_chains} chains of {n_draws} draws after {burn_in} steps, \
             {} samples",
            samples.len()
        );
        let doubts = doubts(&found);
        let doubts: Vec<&str> = doubts.iter().map(String::as_str).collect();
        let llc = Reading::new("llc", MeasureUnit::Ratio, found.value);
        let llc = llc.shared_among(network.n_weights()).at_most(network.n_weights() as f64 / 2.0);
        let excess = Nats(found.value / n_beta);
        let readings = [
            found.std_error.map_or(llc.clone(), |std_error| llc.with_std_error(std_error)).warned(&doubts),
            Reading::information("excess_loss", excess).warned(&doubts),
            Reading::new("gradient_norm", MeasureUnit::Ratio, found.gradient_norm),
            Reading::new("acceptance", MeasureUnit::Probability, found.acceptance).at_most(1.0),
            Reading::new("r_hat", MeasureUnit::Ratio, found.r_hat),
        ];
        Ok(readings.map(|reading| reading.by(method.clone())).to_vec())
    }
}

#[cfg(test)]
mod tests;
