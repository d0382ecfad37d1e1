//! Lower bounds on the information between two variables from a trained critic, tested on held-out samples.
//!
//! A critic gives a score S to a pair (a, b). Its weights maximise a bound (`math/variational.rs`) on the information that
//! distinguishes the pairs of the samples from shuffled pairs. The critic is separable, S = g(a)·h(b), with two networks of one
//! hidden layer. The samples are divided at random: 60 % train the critic, 20 % decide when to stop, and the bound is that of
//! the remaining 20 %, so that a critic that learned its samples by heart gains nothing.
//!
//! # Reference
//! van den Oord et al. 2018 (InfoNCE); Nguyen, Wainwright & Jordan 2010 (NWJ); Belghazi et al. 2018 (MINE, DV); Poole et al.
//! 2019 (comparison, separable critics); McAllester & Stratos 2020 (limits). Deviations: MINE corrects the bias of the gradient
//! of DV in small batches by a moving average; here the n(n − 1) shuffled pairs of a batch make it small, and it is not
//! corrected. The papers report the bound of the training samples.

mod critic;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use self::critic::{Critic, Input};
use super::pair::{estimate_layer, expect_few_classes};
use super::{
    Cells, Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Points,
    Randomness, RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Form};
use crate::math::variational::{BatchSums, VariationalBound};
use crate::nn::Network;
use crate::parameter::{Kind, Parameter, Value};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "neural",
    summary: "lower bounds on I(X;T) and I(T;Y) from a trained critic, tested on held-out samples: InfoNCE, NWJ or DV (MINE)",
    of_pair: "lower bound from a trained critic, on held-out samples",
    parameters: &[
        Parameter {
            name: "bound",
            doc: "infonce (at most ln of the batch size), nwj or dv (no largest value, but a large variance)",
            kind: Kind::Choice(&["infonce", "nwj", "dv"]),
            default: "infonce",
        },
        Parameter {
            name: "batch",
            doc: "number of samples that are compared with each other; infonce is at most the logarithm of it",
            kind: Kind::Count { min: BATCH.0, max: BATCH.1 },
            default: "256",
        },
        Parameter {
            name: "steps",
            doc: "largest number of training steps; the training ends earlier if the bound of the validation samples stops rising",
            kind: Kind::Count { min: STEPS.0, max: STEPS.1 },
            default: "1000",
        },
        Parameter { name: "learning_rate", doc: "learning rate of Adam", kind: Kind::Positive, default: "0.003" },
        Parameter {
            name: "seed",
            doc: "seed of the random numbers: training, validation and test samples, initial weights and batches",
            kind: Kind::Count { min: 0, max: u64::MAX },
            default: "0",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let neural = match parameters.text("bound") {
                Some("nwj") => Neural::nwj(),
                Some("dv") => Neural::dv(),
                _ => Neural::infonce(),
            };
            let count = |name| parameters.count(name).expect("the parameter has a default");
            let learning_rate = parameters.number("learning_rate").expect("the learning rate has a default");
            let neural = neural.batch(count("batch"))?.steps(count("steps"))?.learning_rate(learning_rate)?;
            Ok(neural.seed(count("seed") as u64))
        })
    },
    choose: |_, _| None,
};

/// The allowed batch sizes: the scores of a batch are a square matrix.
const BATCH: (u64, u64) = (2, 8192);
/// The allowed numbers of steps.
const STEPS: (u64, u64) = (1, 1_000_000);
const DEFAULT: Neural =
    Neural { bound: VariationalBound::InfoNce, batch: 256, n_steps: 1000, learning_rate: 0.003, seed: 0 };

/// Number of times that the bound of the validation samples is computed during the training.
const N_CHECKS: usize = 25;
/// Number of checks without a larger bound after which the training ends.
const PATIENCE: usize = 5;
/// With fewer samples, a fifth of them has no pairs to average over.
const FEWEST_SAMPLES: usize = 20;
/// Every class is an input of a network; the table of their codes is square.
const MOST_CLASSES: usize = 4096;

/// A lower bound on the information between two variables, in nats, from a critic that is tested on held-out samples.
///
/// ```
/// use infoplane::estimators::{Estimator, Neural, Points, Variable};
///
/// // A point on a line and its square root.
/// let a: Vec<f64> = (0..200).map(f64::from).collect();
/// let b: Vec<f64> = a.iter().map(|a| a.sqrt()).collect();
/// let (a, b) = (Variable::Real(Points::new(a, 1)?), Variable::Real(Points::new(b, 1)?));
/// let found = Neural::infonce().batch(40)?.between(&a, &[b]).remove(0)?;
/// assert!(found.value.0 > 0.5 && found.ceiling.is_some_and(|ceiling| ceiling.0 == 40_f64.ln()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Poole et al. 2019; McAllester & Stratos 2020.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neural {
    bound: VariationalBound,
    batch: usize,
    n_steps: usize,
    learning_rate: f64,
    seed: u64,
}

impl Neural {
    /// InfoNCE, with batches of 256 samples: at most ln 256 nats.
    pub fn infonce() -> Self {
        DEFAULT
    }

    /// The bound of Nguyen, Wainwright and Jordan.
    pub fn nwj() -> Self {
        Self { bound: VariationalBound::Nwj, ..DEFAULT }
    }

    /// The bound of Donsker and Varadhan, as in MINE. The logarithm of a mean over few pairs is too small on average, so this
    /// value may exceed the information.
    pub fn dv() -> Self {
        Self { bound: VariationalBound::Dv, ..DEFAULT }
    }

    /// Sets the number of samples that are compared with each other.
    ///
    /// # Errors
    /// `batch` is not from 2 to 8192.
    pub fn batch(self, batch: usize) -> Result<Self, InvalidParameter> {
        Ok(Self { batch: InvalidParameter::check_count("batch", batch, BATCH)?, ..self })
    }

    /// Sets the largest number of training steps.
    ///
    /// # Errors
    /// `steps` is not from 1 to 1 000 000.
    pub fn steps(self, steps: usize) -> Result<Self, InvalidParameter> {
        Ok(Self { n_steps: InvalidParameter::check_count("steps", steps, STEPS)?, ..self })
    }

    /// Sets the learning rate of Adam.
    ///
    /// # Errors
    /// A learning rate that is not a finite number above 0.
    pub fn learning_rate(self, learning_rate: f64) -> Result<Self, InvalidParameter> {
        let learning_rate = InvalidParameter::check_number("learning_rate", learning_rate, Kind::Positive)?;
        Ok(Self { learning_rate, ..self })
    }

    /// Sets the seed of the random numbers.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    fn stream(&self, purpose: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(purpose);
        rng
    }

    fn information(&self, a: &Input, b: &Variable<'_>, parts: &Parts) -> Result<Information, EstimateError> {
        check(b, "B")?;
        let batch = self.batch.min(parts.validation.len()).min(parts.test.len());
        let ceiling = (self.bound == VariationalBound::InfoNce).then(|| Nats((batch as f64).ln()));
        if is_single_class(b) {
            return Ok(Information { value: Nats(0.0), monte_carlo_error: None, ceiling });
        }
        let b = Input::new(b, &parts.train);
        let mut critic = Critic::new(a, &b, &mut self.stream(1))?;
        self.train(&mut critic, a, &b, parts, batch)?;
        let value = self.value(&mut critic, a, &b, &parts.test, batch);
        Ok(Information { value: Nats(value), monte_carlo_error: None, ceiling })
    }

    /// Trains the critic; its weights are then those with the largest bound for the validation samples.
    fn train(
        &self,
        critic: &mut Critic,
        a: &Input,
        b: &Input,
        parts: &Parts,
        batch: usize,
    ) -> Result<(), EstimateError> {
        let mut rng = self.stream(2);
        let mut order = parts.train.clone();
        order.shuffle(&mut rng);
        let (size, interval) = (self.batch.min(order.len()), self.n_steps.div_ceil(N_CHECKS));
        let (mut largest, mut best, mut n_since, mut next) = (f64::NEG_INFINITY, None, 0, 0);
        for step in 0..=self.n_steps {
            if step % interval == 0 || step == self.n_steps {
                let value = self.value(critic, a, b, &parts.validation, batch);
                if !value.is_finite() || !critic.networks().into_iter().all(Network::is_finite) {
                    let advice = "choose a smaller `learning_rate`";
                    return Err(EstimateError::NotConverged { what: "the critic of `neural`", n_steps: step, advice });
                }
                n_since += 1;
                if value > largest {
                    (largest, best, n_since) = (value, Some(critic.networks().map(Network::clone)), 0);
                }
                if n_since == PATIENCE {
                    break;
                }
            }
            if next + size > order.len() {
                order.shuffle(&mut rng);
                next = 0;
            }
            critic.update(a, b, &order[next..next + size], self.bound, self.learning_rate as f32);
            next += size;
        }
        best.iter().for_each(|networks| critic.set_weights(networks));
        Ok(())
    }

    /// The bound for some samples, in nats. The last batch overlaps the batch before it, so that all batches have equal
    /// sizes.
    fn value(&self, critic: &mut Critic, a: &Input, b: &Input, samples: &[usize], batch: usize) -> f64 {
        let mut sums = BatchSums::default();
        for start in (0..samples.len()).step_by(batch) {
            let start = start.min(samples.len() - batch);
            sums.add(&critic.scores(a, b, &samples[start..start + batch]), batch);
        }
        sums.value(self.bound)
    }
}

/// The samples that train the critic, that decide when to stop, and that the bound is computed from.
struct Parts {
    train: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
}

impl Parts {
    fn new(n: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut train: Vec<usize> = (0..n).collect();
        train.shuffle(rng);
        let fifth = n / 5;
        let test = train.split_off(n - fifth);
        let validation = train.split_off(n - 2 * fifth);
        Self { train, validation, test }
    }
}

/// Refuses variables without information, and too many classes.
fn check(variable: &Variable<'_>, what: &'static str) -> Result<(), EstimateError> {
    match variable {
        Variable::Real(points) => {
            let first = &points.values()[..points.n_dims()];
            let is_constant = points.rows().all(|row| row == first);
            if is_constant { Err(EstimateError::NoSpread { what }) } else { Ok(()) }
        }
        Variable::Classes(cells) => {
            expect_few_classes(cells)?;
            let n_classes = cells.n_cells();
            if n_classes > MOST_CLASSES {
                Err(EstimateError::ClassLimit { n_classes, estimator: SPEC.name, most: MOST_CLASSES })
            } else {
                Ok(())
            }
        }
    }
}

fn is_single_class(variable: &Variable<'_>) -> bool {
    matches!(variable, Variable::Classes(cells) if cells.n_cells() == 1)
}

impl Estimator for Neural {
    fn member(&self) -> Member {
        let (form, words) = match self.bound {
            VariationalBound::InfoNce => (Form::InfoNce, format!("InfoNCE with batches of {}", self.batch)),
            VariationalBound::Nwj => (Form::Nwj, "the bound of Nguyen, Wainwright and Jordan".to_owned()),
            VariationalBound::Dv => (Form::Dv, "the bound of Donsker and Varadhan (MINE)".to_owned()),
        };
        Member {
            id: EstimatorId { form: Some(form), options: self.options(), ..EstimatorId::new(SPEC.name, None) },
            quantity: format!("lower bound on I(X;T) and I(T;Y): {words}, of a trained critic on held-out samples"),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`neural` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let n = a.n_samples();
        if n < FEWEST_SAMPLES {
            let advice = "use another estimator, or more samples";
            let few = EstimateError::FewSamples { what: "`neural`", n, needed: FEWEST_SAMPLES, advice };
            return vec![Err(few); bs.len()];
        }
        if let Err(problem) = check(a, "A") {
            return vec![Err(problem); bs.len()];
        }
        let parts = Parts::new(n, &mut self.stream(0));
        let input = Input::new(a, &parts.train);
        let of_pair = |b: &Variable<'_>| match is_single_class(a) {
            true => Ok(Information::of(Nats(0.0))),
            false => self.information(&input, b, &parts),
        };
        bs.par_iter().map(of_pair).collect()
    }
}

impl Neural {
    /// The parameters that differ from their defaults.
    fn options(&self) -> Option<String> {
        let mut options = Vec::new();
        if self.batch != DEFAULT.batch {
            options.push(format!("batch-{}", self.batch));
        }
        if self.n_steps != DEFAULT.n_steps {
            options.push(format!("steps-{}", self.n_steps));
        }
        if self.learning_rate != DEFAULT.learning_rate {
            options.push(format!("learning-rate-{}", Value::Number(self.learning_rate)));
        }
        if self.seed != 0 {
            options.push(format!("seed-{}", self.seed));
        }
        (!options.is_empty()).then(|| options.join("-"))
    }
}

#[cfg(test)]
mod tests;
