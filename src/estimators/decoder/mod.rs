//! A lower bound on I(T;Y) from a classifier (probe) of T, tested on samples that it was not trained on.
//!
//! I(T;Y) = H(Y) − H(Y|T), and the cross-entropy of any probe q(y|t) is at least H(Y|T). So H(Y) minus the cross-entropy on
//! held-out samples is a lower bound on I(T;Y) in expectation; a single value may exceed I(T;Y) by sampling error. The
//! cross-entropy is the mean over all samples, each from the probe of the fold that does not train on it; H(Y) is the plug-in
//! entropy of the labels.
//!
//! # Reference
//! Barber & Agakov 2003 (the bound); Alain & Bengio 2017 (linear probes); McAllester & Stratos 2020 (H(Y) minus
//! cross-entropy). The logistic probe is scikit-learn's `LogisticRegression` (`math/logistic.rs`).

mod folds;
mod mlp;

use rayon::prelude::*;

use super::pair::{estimate_layer, expect_few_classes};
use super::{
    Cells, Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Points,
    Randomness, RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Form};
use crate::math::entropy::entropy;
use crate::math::logistic::{Logistic, N_STEPS};
use crate::math::standardise::standardised_by;
use crate::parameter::{Kind, Parameter, ParameterError, Value};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "decoder",
    summary: "lower bound on I(T;Y): H(Y) minus the cross-entropy of a classifier of T on samples that it was not trained on; gives no I(X;T)",
    of_pair: "lower bound: H(Y) minus the cross-entropy of a classifier on held-out samples",
    parameters: &[
        Parameter {
            name: "probe",
            doc: "classifier of T: logistic (multinomial logistic regression) or mlp (a network with one hidden layer of ReLU units)",
            kind: Kind::Choice(&["logistic", "mlp"]),
            default: "logistic",
        },
        Parameter {
            name: "folds",
            doc: "number of parts of the samples; each part is tested with a classifier that is trained on the others",
            kind: Kind::Count { min: FOLDS.0, max: FOLDS.1 },
            default: "5",
        },
        Parameter {
            name: "l2",
            doc: "penalty of the logistic classifier, l2/2 times the squared weights, added to the sum of the losses; 1 by default",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "hidden",
            doc: "number of hidden units of the mlp; 32 by default",
            kind: Kind::Count { min: HIDDEN.0, max: HIDDEN.1 },
            default: "",
        },
        Parameter {
            name: "seed",
            doc: "seed of the random numbers: the parts, and for the mlp its initial weights and its batches",
            kind: Kind::Count { min: 0, max: u64::MAX },
            default: "0",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let (l2, hidden) = (parameters.number("l2"), parameters.count("hidden"));
            let decoder = match (parameters.text("probe"), l2, hidden) {
                (Some("mlp"), Some(_), _) => return Err(not_of_probe("l2", "logistic")),
                (Some("mlp"), None, hidden) => Decoder::mlp(hidden.unwrap_or(DEFAULT_HIDDEN))?,
                (_, _, Some(_)) => return Err(not_of_probe("hidden", "mlp")),
                (_, l2, None) => Decoder::logistic(l2.unwrap_or(DEFAULT_L2))?,
            };
            let n_folds = parameters.count("folds").expect("the number of folds has a default");
            let seed = parameters.count("seed").expect("the seed has a default");
            Ok(decoder.folds(n_folds)?.seed(seed as u64))
        })
    },
    choose: |_, _| None,
};

fn not_of_probe(parameter: &str, probe: &str) -> ParameterError {
    ParameterError::Refused(format!("parameter `{parameter}`: only for `probe` {probe}; leave out `{parameter}`"))
}

/// The allowed numbers of folds.
const FOLDS: (u64, u64) = (2, 1000);
const DEFAULT_FOLDS: usize = 5;
/// scikit-learn's default, C = 1.
const DEFAULT_L2: f64 = 1.0;
/// The allowed numbers of hidden units.
const HIDDEN: (u64, u64) = (1, 4096);
const DEFAULT_HIDDEN: usize = 32;

/// Lower bound on I(T;Y) from a classifier of T, in nats: H(Y) minus its cross-entropy on held-out samples.
///
/// There is no I(X;T).
///
/// ```
/// use infoplane::estimators::{Decoder, Estimator, LayerData};
///
/// let t: Vec<f32> = (0..40).map(|i| i as f32 - 19.5).collect();
/// let y: Vec<i32> = t.iter().map(|t| i32::from(*t > 0.0)).collect();
/// let estimate = Decoder::logistic(1.0)?.estimate(&LayerData::new(&t, 1, &y)?)?;
/// assert!(estimate.i_xt.is_none() && (0.5..1.0).contains(&estimate.i_ty.bits()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Barber & Agakov 2003; Alain & Bengio 2017.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decoder {
    probe: Probe,
    n_folds: usize,
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Probe {
    Logistic { l2: f64 },
    Mlp { n_hidden: usize },
}

impl Decoder {
    /// Multinomial logistic regression with the penalty (`l2`/2) Σ |w|² on the sum of the losses, and 5 folds.
    ///
    /// # Errors
    /// `l2` is not a finite number above 0.
    pub fn logistic(l2: f64) -> Result<Self, InvalidParameter> {
        let l2 = InvalidParameter::check_number("l2", l2, Kind::Positive)?;
        Ok(Self { probe: Probe::Logistic { l2 }, n_folds: DEFAULT_FOLDS, seed: 0 })
    }

    /// A network with one hidden layer of `hidden` ReLU units, trained until the loss of a fifth of its training samples
    /// stops falling, and 5 folds.
    ///
    /// # Errors
    /// `hidden` is not from 1 to 4096.
    pub fn mlp(hidden: usize) -> Result<Self, InvalidParameter> {
        let n_hidden = InvalidParameter::check_count("hidden", hidden, HIDDEN)?;
        Ok(Self { probe: Probe::Mlp { n_hidden }, n_folds: DEFAULT_FOLDS, seed: 0 })
    }

    /// Sets the number of parts of the samples.
    ///
    /// # Errors
    /// `folds` is not from 2 to 1000.
    pub fn folds(self, folds: usize) -> Result<Self, InvalidParameter> {
        Ok(Self { n_folds: InvalidParameter::check_count("folds", folds, FOLDS)?, ..self })
    }

    /// Sets the seed of the random numbers.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    fn information(&self, t: &Points<'_>, y: &Cells) -> Result<Information, EstimateError> {
        let n = y.n_samples();
        let h_y = entropy(y.counts().iter().map(|count| f64::from(*count) / n as f64));
        if y.n_cells() == 1 {
            return Ok(Information { value: Nats(0.0), monte_carlo_error: None, ceiling: Some(h_y) });
        }
        expect_few_classes(y)?;
        let smallest = y.counts().iter().copied().min().unwrap_or(0) as usize;
        if smallest < 2 {
            let advice = "leave out rare classes, or merge them";
            return Err(EstimateError::FewSamples { what: "every class of `decoder`", n: smallest, needed: 2, advice });
        }
        if n < self.n_folds {
            let advice = "choose fewer `folds`";
            return Err(EstimateError::FewSamples { what: "`folds`", n, needed: self.n_folds, advice });
        }
        if t.rows().skip(1).all(|row| row == &t.values()[..t.n_dims()]) {
            return Err(EstimateError::NoSpread { what: "T" });
        }
        let fold_of = folds::stratified(y, self.n_folds, self.seed);
        let cross_entropy = self.cross_entropy(t, y, &fold_of)? / n as f64;
        Ok(Information { value: h_y - Nats(cross_entropy), monte_carlo_error: None, ceiling: Some(h_y) })
    }

    /// Σ −ln q(y|t) over all samples, each with the probe that is trained on the other folds.
    fn cross_entropy(&self, t: &Points<'_>, y: &Cells, fold_of: &[usize]) -> Result<f64, EstimateError> {
        let of_fold = |fold: usize| {
            let (test, train): (Vec<usize>, Vec<usize>) = (0..fold_of.len()).partition(|s| fold_of[*s] == fold);
            let x = standardised_by(t.values(), t.n_dims(), &train);
            match self.probe {
                Probe::Logistic { l2 } => {
                    let rows = |samples: &[usize]| -> Vec<f64> {
                        samples.iter().flat_map(|s| &x[s * t.n_dims()..][..t.n_dims()]).copied().collect()
                    };
                    let classes = |samples: &[usize]| -> Vec<u32> { samples.iter().map(|s| y.numbers()[*s]).collect() };
                    let fitted = Logistic::fit(&rows(&train), t.n_dims(), &classes(&train), y.n_cells(), l2);
                    let not_converged = EstimateError::NotConverged {
                        what: "the logistic classifier",
                        n_steps: N_STEPS,
                        advice: "choose a larger `l2`",
                    };
                    Ok(fitted.ok_or(not_converged)?.cross_entropy(&rows(&test), &classes(&test)))
                }
                Probe::Mlp { n_hidden } => {
                    let samples = mlp::Classified { x: &x, n_dims: t.n_dims(), y };
                    mlp::cross_entropy(&samples, train, &test, n_hidden, self.seed, fold as u64)
                }
            }
        };
        // In the order of the folds on any number of threads.
        let sums: Vec<Result<f64, EstimateError>> = (0..self.n_folds).into_par_iter().map(of_fold).collect();
        sums.into_iter().sum()
    }
}

impl Estimator for Decoder {
    fn member(&self) -> Member {
        let (form, words) = match self.probe {
            Probe::Logistic { .. } => (Form::Logistic, "multinomial logistic regression".to_owned()),
            Probe::Mlp { n_hidden } => (Form::Mlp, format!("a network of {n_hidden} hidden units")),
        };
        let n_folds = self.n_folds;
        Member {
            id: EstimatorId { form: Some(form), options: self.options(), ..EstimatorId::new(SPEC.name, None) },
            quantity: format!(
                "lower bound on I(T;Y): H(Y) minus the cross-entropy of {words} on held-out samples, {n_folds} folds"
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`decoder` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Identity,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let of_pair = |b: &Variable<'_>| match (a, b) {
            (Variable::Real(t), Variable::Classes(y)) | (Variable::Classes(y), Variable::Real(t)) => {
                self.information(t, y)
            }
            (Variable::Real(_), Variable::Real(_)) => Err(wrong_kinds("two real vectors")),
            (Variable::Classes(_), Variable::Classes(_)) => Err(wrong_kinds("two variables of classes")),
        };
        bs.par_iter().map(of_pair).collect()
    }
}

impl Decoder {
    /// The parameters that differ from their defaults.
    fn options(&self) -> Option<String> {
        let mut options = Vec::new();
        if self.n_folds != DEFAULT_FOLDS {
            options.push(format!("folds-{}", self.n_folds));
        }
        match self.probe {
            Probe::Logistic { l2 } if l2 != DEFAULT_L2 => options.push(format!("l2-{}", Value::Number(l2))),
            Probe::Mlp { n_hidden } if n_hidden != DEFAULT_HIDDEN => options.push(format!("hidden-{n_hidden}")),
            _ => {}
        }
        if self.seed != 0 {
            options.push(format!("seed-{}", self.seed));
        }
        (!options.is_empty()).then(|| options.join("-"))
    }
}

fn wrong_kinds(got: &'static str) -> EstimateError {
    EstimateError::WrongKinds { estimator: SPEC.name, got, needed: "real vectors and classes" }
}

#[cfg(test)]
mod tests;
