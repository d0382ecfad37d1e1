//! PAC-Bayes: the divergence, in nats, that a bound on the error charges for weights drawn from a Gaussian Q around the
//! recorded network.
//!
//! P = N(w₀, λI), with w₀ the network before training, and Q = N(w, Σ), with w the recorded weights. The papers find
//! the diagonal Σ by gradient descent on the bound. Deviation: here Σ = β (D + β/λ)⁻¹ in closed form, with D the
//! diagonal of the Gauss-Newton matrix, and β is the best of a grid. Q may depend on the samples in any way, so β has
//! no cost; λ needs the union bound over the grid of Dziugaite & Roy. E_Q of the 0-1 error is estimated by sampling,
//! and the sampling error is part of the bound. β is chosen with other samples of Q than those for the bound, so that
//! these are from a fixed Q.
//!
//! The bound is on the error of Q, which draws new weights for every sample. It is not about the recorded network.
//!
//! # Reference
//! McAllester 1999; Langford & Caruana 2002; Dziugaite & Roy 2017 (arXiv 1703.11008), eqs 5 to 7.

mod bounds;
mod posterior;

use ndarray::{Axis, Slice};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::{
    CurvatureForm, DenseNetwork, Labelled, Measure, MeasureError, MeasureUnit, OfNetwork, Quantity, Randomness,
    Reading, RecordedNetwork, Spec, check_count, check_probability,
};
use crate::parameter::{Kind, Parameter, ParameterError};
use crate::units::Nats;

pub use bounds::{GibbsRisk, PriorGrid, risk_of_draws_at_most};
pub use posterior::{WeightPosterior, gibbs_error_of_linear_classifier};

pub(super) const SPEC: Spec = Spec {
    name: "pac_bayes",
    summary: "divergence of a Gaussian Q around the weights from a Gaussian P around the initial weights, and a bound on the error of networks drawn from Q",
    randomness: Randomness::Code,
    quantities: &[
        Quantity::bits(
            "kl",
            "KL(Q‖P) of a Gaussian Q around the weights from a Gaussian P around the initial weights, in bits",
        ),
        Quantity::bits("distance_part", "part of KL(Q‖P) from the distance to the initial weights, in bits"),
        Quantity::bits("kl_per_sample", "KL(Q‖P) divided by the number of training samples, in bits"),
        Quantity::probability("gibbs_error", "mean error of networks drawn from Q, on the training samples"),
        Quantity::probability(
            "bound",
            "upper bound on the error of networks drawn from Q on new samples, with probability 1 − delta − delta_draws",
        ),
    ],
    parameters: &[
        Parameter {
            name: "delta",
            doc: "probability over the samples that the bound does not hold",
            kind: Kind::Positive,
            default: "0.025",
        },
        Parameter {
            name: "delta_draws",
            doc: "probability that the error of Q on the samples is larger than the bound that is computed from the draws",
            kind: Kind::Positive,
            default: "0.01",
        },
        Parameter {
            name: "draws",
            doc: "number of weight vectors that are drawn from Q for the bound; each is evaluated on one random sample",
            kind: Kind::Count { min: DRAWS.0, max: DRAWS.1 },
            default: "10000",
        },
        Parameter {
            name: "largest_variance",
            doc: "upper limit of the prior variances; choose it before looking at the data",
            kind: Kind::Positive,
            default: "10",
        },
        Parameter {
            name: "precision",
            doc: "number of prior variances per factor e of the variance; choose it before looking at the data",
            kind: Kind::Positive,
            default: "10",
        },
    ],
    build: |parameters| {
        let number = |name| parameters.number(name).expect("the parameter has a default");
        let grid = PriorGrid::new(number("largest_variance"), number("precision"))?;
        let draws = parameters.count("draws").expect("the draws have a default");
        let measure = PacBayes::new(number("delta"), grid)?.draws(draws, number("delta_draws"))?;
        Ok(Measure::OfNetwork(Box::new(measure)))
    },
};

/// Allowed number of draws.
const DRAWS: (u64, u64) = (100, 100_000_000);
/// Number of draws for each tested β, enough to distinguish errors that differ by some percent.
const TRIAL_DRAWS: usize = 500;
/// β = 10^(k/2) for these k: from a code much finer than the posterior of usual training sets to one as wide as the
/// prior.
const HALF_DECADES: std::ops::RangeInclusive<i32> = -12..=2;
/// Smallest tested variance of the prior, relative to the largest of the grid.
const SMALLEST_SHARE: f64 = 1e-6;

/// The divergence of a Gaussian around recorded weights from a prior around the initial ones, and the bound on its
/// error.
///
/// ```
/// use infoplane::weights::{PacBayes, PriorGrid};
///
/// let measure = PacBayes::new(0.025, PriorGrid::new(10.0, 10.0)?)?.draws(20_000, 0.01)?;
/// # Ok::<(), infoplane::parameter::ParameterError>(())
/// ```
///
/// # Reference
/// Dziugaite & Roy 2017 (arXiv 1703.11008).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PacBayes {
    delta: f64,
    delta_draws: f64,
    n_draws: usize,
    grid: PriorGrid,
}

/// A candidate for the posterior, with its cost.
struct Candidate {
    posterior: WeightPosterior,
    beta: f64,
    prior_variance: f64,
    rank: f64,
    kl: Nats,
}

impl PacBayes {
    /// A bound with probability 1 − `delta` − 0.01, for priors with the variances of a `grid`, from 10 000 draws.
    ///
    /// # Errors
    /// `delta` is not between 0 and 1.
    pub fn new(delta: f64, grid: PriorGrid) -> Result<Self, ParameterError> {
        Ok(Self { delta: check_probability("delta", delta)?, delta_draws: 0.01, n_draws: 10_000, grid })
    }

    /// Draws `n_draws` weight vectors; their error bound fails with probability `delta_draws`.
    ///
    /// # Errors
    /// Fewer than 100 draws, or a `delta_draws` that is not between 0 and 1.
    pub fn draws(self, n_draws: usize, delta_draws: f64) -> Result<Self, ParameterError> {
        let n_draws = check_count("draws", n_draws, DRAWS)?;
        Ok(Self { n_draws, delta_draws: check_probability("delta_draws", delta_draws)?, ..self })
    }

    /// For each β, the posterior with the prior of the grid that minimises KL plus the cost of its rank.
    fn candidates(&self, weights: &[f64], initial: &[f64], diagonal: &[f64]) -> Result<Vec<Candidate>, MeasureError> {
        let largest_rank = self.grid.rank(self.grid.variance(1) * SMALLEST_SHARE).map_err(refused)? as u32;
        let mut candidates = Vec::new();
        for half_decade in HALF_DECADES {
            let beta = 10_f64.powf(f64::from(half_decade) / 2.0);
            let mut best: Option<(f64, Candidate)> = None;
            for j in 1..=largest_rank {
                let prior_variance = self.grid.variance(j);
                let posterior = WeightPosterior::of_curvature(weights.to_vec(), diagonal, beta, prior_variance);
                let kl = posterior.kl(initial, prior_variance);
                let price = kl.0 + 2.0 * f64::from(j).ln();
                if best.as_ref().is_none_or(|(least, _)| price < *least) {
                    best = Some((price, Candidate { posterior, beta, prior_variance, rank: f64::from(j), kl }));
                }
            }
            candidates.extend(best.map(|(_, candidate)| candidate));
        }
        Ok(candidates)
    }

    /// The bound if the share `error` of `n_draws` draws was wrong.
    fn bound(&self, candidate: &Candidate, error: f64, n_draws: usize, n: usize) -> Result<f64, MeasureError> {
        let at_most = risk_of_draws_at_most(error, n_draws, self.delta_draws).map_err(refused)?;
        let risk = GibbsRisk::new(at_most, candidate.kl, n, self.delta).map_err(refused)?;
        Ok(risk.kl_inverse_dziugaite_roy(candidate.rank))
    }
}

/// The error in a parameter as an error of a measure.
fn refused(problem: ParameterError) -> MeasureError {
    MeasureError::Refused(problem.to_string())
}

/// The share of wrong classes in `n_draws` draws, each of weights and of one sample.
fn error_of_draws(
    network: &DenseNetwork,
    samples: Labelled<'_>,
    posterior: &WeightPosterior,
    n_draws: usize,
    rng: &mut ChaCha8Rng,
) -> f64 {
    let mut weights = vec![0.0; posterior.mean.len()];
    let mut n_wrong = 0_usize;
    for _ in 0..n_draws {
        posterior.draw(rng, &mut weights);
        let sample = rng.random_range(0..samples.len());
        let x = samples.x().slice_axis_move(Axis(0), Slice::from(sample..=sample));
        n_wrong += usize::from(network.with_weights(&weights).predictions(x) != [samples.classes()[sample]]);
    }
    n_wrong as f64 / n_draws as f64
}

impl OfNetwork for PacBayes {
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError> {
        let RecordedNetwork { network, samples, initial, seed, .. } = *recorded;
        let initial = initial.ok_or_else(|| {
            MeasureError::Refused(
                "the prior of `pac_bayes` is centred at the weights before training, which were not recorded; record step 0"
                    .to_owned(),
            )
        })?;
        let (weights, initial) = (network.weights(), initial.weights());
        if initial.len() != weights.len() {
            let problem = format!(
                "the network has {} weights, but the network before training has {}",
                weights.len(),
                initial.len()
            );
            return Err(MeasureError::Refused(problem));
        }
        let n = samples.len();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut best: Option<(f64, Candidate)> = None;
        for candidate in self.candidates(&weights, &initial, &recorded.fisher(CurvatureForm::Diagonal)?.diagonal())? {
            let error = error_of_draws(network, samples, &candidate.posterior, TRIAL_DRAWS, &mut rng);
            let bound = self.bound(&candidate, error, TRIAL_DRAWS, n)?;
            if best.as_ref().is_none_or(|(least, _)| bound < *least) {
                best = Some((bound, candidate));
            }
        }
        let (_, chosen) = best.expect("the grid of β is not empty");
        let error = error_of_draws(network, samples, &chosen.posterior, self.n_draws, &mut rng);
        let bound = self.bound(&chosen, error, self.n_draws, n)?;
        let method = format!("beta {:.3e}, prior variance {:.3e}", chosen.beta, chosen.prior_variance);
        let std_error = (error * (1.0 - error) / self.n_draws as f64).sqrt();
        let distance = chosen.posterior.distance_part(&initial, chosen.prior_variance);
        let readings = [
            Reading::information("kl", chosen.kl).shared_among(weights.len()),
            Reading::information("distance_part", distance).shared_among(weights.len()),
            Reading::information("kl_per_sample", Nats(chosen.kl.0 / n as f64)),
            Reading::new("gibbs_error", MeasureUnit::Probability, error).at_most(1.0).with_std_error(std_error),
            Reading::new("bound", MeasureUnit::Probability, bound).at_most(1.0),
        ];
        Ok(readings.map(|reading| reading.by(method.clone())).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Parameters;
    use crate::weights::fixtures::{Fixture, assert_close, b_net, f_net, t_net};

    fn measure() -> PacBayes {
        PacBayes::new(0.025, PriorGrid::new(10.0, 10.0).unwrap()).unwrap().draws(2000, 0.01).unwrap()
    }

    fn readings(fixture: &Fixture, initial: Option<&DenseNetwork>) -> Result<Vec<Reading>, MeasureError> {
        measure().measure(&RecordedNetwork { initial, ..fixture.recorded() })
    }

    #[test]
    fn a_trained_network_has_a_bound_below_one_and_an_error_below_it() {
        let (trained, initial) = (t_net(), f_net().network);
        let found = readings(&trained, Some(&initial)).unwrap();
        let value = |quantity: &str| found.iter().find(|reading| reading.quantity == quantity).unwrap().value;
        assert!(value("gibbs_error") < value("bound") && value("bound") < 1.0, "{found:?}");
        assert!(value("distance_part") < value("kl"));
        assert_close(value("kl_per_sample") * 40.0, value("kl"));
        // All Gaussians of the grid are different; equal seeds give equal draws.
        assert_eq!(readings(&trained, Some(&initial)).unwrap(), found);
    }

    #[test]
    fn a_network_that_did_not_move_has_almost_the_prior_for_its_posterior() {
        let untrained = f_net();
        let found = readings(&untrained, Some(&untrained.network)).unwrap();
        assert_eq!(found[1].value, 0.0);
        // An error near one half, and only 40 samples.
        assert!(found[0].value < 5.0 && found[4].value > 0.5, "{found:?}");
    }

    #[test]
    fn without_the_initial_weights_there_is_no_prior() {
        let refused = readings(&t_net(), None).unwrap_err().to_string();
        assert!(refused.ends_with("which were not recorded; record step 0"), "{refused}");
        let refused = readings(&t_net(), Some(&b_net().network)).unwrap_err().to_string();
        assert_eq!(refused, "the network has 39 weights, but the network before training has 294");
    }

    #[test]
    fn parameters_are_those_of_the_constructors() {
        let defaults = Parameters::default().or_defaults(SPEC.parameters);
        assert!((SPEC.build)(&defaults).is_ok());
        assert!(PacBayes::new(1.0, PriorGrid::new(1.0, 1.0).unwrap()).is_err());
        assert!(measure().draws(99, 0.1).is_err() && measure().draws(100, 0.0).is_err());
    }
}
