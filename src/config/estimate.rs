//! The requested estimates: an estimator with its parameters, and the samples, snapshots and units it is applied to.

use std::sync::Arc;

use super::entry::{check, declares};
use super::keys::{Accepts, Key, KeyTable, Omitted};
use crate::estimate_id::{EstimateId, Pool, Samples, Unit, Values};
use crate::estimators::{Chosen, ESTIMATORS, EstimatorSet, Member, Randomness, Spec, ValueBounds};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value};

/// One table of estimates to make.
#[derive(Debug, Clone)]
pub struct Request {
    /// The estimator.
    pub spec: &'static Spec,
    /// One value for each of its parameters.
    pub parameters: Parameters,
    /// The estimator with these parameters.
    pub member: Member,
    /// The identity of its estimates, with the values, samples and snapshots that it is applied to.
    pub id: Arc<EstimateId>,
    /// Number of shuffles for the null columns.
    pub n_shuffles: usize,
    /// Number of random halves of the samples that are estimated in addition.
    pub n_resamples: usize,
    /// The values that were chosen for parameters that were not given, and the reason, in one sentence; `None` if all were given.
    pub chosen: Option<String>,
}

/// Number of random halves of the samples; the standard deviation over 20 values has a relative error of about one sixth.
const N_RESAMPLES: usize = 20;

/// The parameters that all estimators have.
pub const SCOPE: &[Parameter] = &[
    Parameter {
        name: "values",
        doc: "values that are used as T: activations, or pre-activations if they are recorded",
        kind: Kind::Choice(&["activations", "pre-activations"]),
        default: "activations",
    },
    Parameter {
        name: "samples",
        doc: "recorded samples to use: all, train or test",
        kind: Kind::Choice(&["all", "train", "test"]),
        default: "all",
    },
    Parameter {
        name: "pool",
        doc: "pool snapshots, so that T is random given X (only for binning and quantised): the same snapshot of all runs (runs), or all snapshots in each window of consecutive recorded steps (windows)",
        kind: Kind::Choice(&["runs", "windows"]),
        default: "",
    },
    Parameter {
        name: "window",
        doc: "pool all snapshots that were recorded from the first to the last of these steps, for example 100-110, so that T is random given X",
        kind: Kind::Steps,
        default: "",
    },
    Parameter {
        name: "per_unit",
        doc: "estimate I(X;t) and I(t;Y) of every single unit t, and write them to unit_estimates/",
        kind: Kind::Flag,
        default: "",
    },
    Parameter {
        name: "shuffles",
        doc: "number of shuffles of labels and inputs for the permutation nulls",
        kind: Kind::Count { min: 0, max: 1000 },
        default: "5",
    },
    Parameter {
        name: "resample",
        doc: "also estimate from 20 random halves of the samples; the columns `…_resampled_…` show how much the estimate depends on the choice of samples",
        kind: Kind::Choice(&["samples"]),
        default: "",
    },
];

/// The keys of `[[estimate]]` that all estimators have.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "estimate",
    doc: "`[[estimate]]`: an estimator that is applied to the recorded activations. The parameters of the estimator (`estimate.binning` and others) are keys of this table too. Every key except `estimator` accepts one value or a list of values; every combination of values is a separate estimate.",
    keys: &[Key {
        name: "estimator",
        accepts: Accepts::Name(estimator_names),
        omitted: Omitted::Refused,
        doc: "The estimator.",
    }],
    parameters: SCOPE,
};

fn estimator_names() -> Vec<&'static str> {
    ESTIMATORS.iter().map(|spec| spec.name).collect()
}

impl Request {
    /// One request for every combination of the `given` values of the parameters of `spec` and of [`SCOPE`]. A rule that is not
    /// given is chosen by the `bounds` of the activations.
    ///
    /// # Errors
    /// A parameter does not exist, is out of range, or cannot be combined with another.
    pub fn all(
        spec: &'static Spec,
        given: Vec<(String, Vec<Value>)>,
        bounds: ValueBounds,
    ) -> Result<Vec<Self>, ParameterError> {
        given.iter().try_for_each(|(name, values)| Self::check(spec, name, values))?;
        let (scope, own): (Vec<_>, Vec<_>) = given.into_iter().partition(|(name, _)| declares(SCOPE, name));
        let scopes = Parameters::product(SCOPE, scope)?;
        let mut requests: Vec<Self> = Vec::new();
        for parameters in Parameters::product(spec.parameters, own)? {
            for scope in &scopes {
                let (parameters, chosen) = with_chosen_rule(spec, &parameters, values(scope), bounds);
                let member = single_member((spec.build)(std::slice::from_ref(&parameters))?.as_ref());
                let id = identity(&member, scope)?;
                let n_shuffles = scope.count("shuffles").expect("the shuffles have a default");
                let n_resamples = if scope.text("resample").is_some() { N_RESAMPLES } else { 0 };
                if requests.iter().any(|other: &Self| other.id == id) {
                    return Err(ParameterError::Refused(format!("`{id}` is requested twice")));
                }
                requests.push(Self { spec, parameters, member, id, n_shuffles, n_resamples, chosen });
            }
        }
        Ok(requests)
    }

    /// Checks each of the `values` of the parameter `name`.
    ///
    /// # Errors
    /// The parameter does not exist, or a value is out of range.
    pub fn check(spec: &'static Spec, name: &str, values: &[Value]) -> Result<(), ParameterError> {
        check([spec.parameters, SCOPE], name, values)
    }

    /// The estimated quantity, in words.
    pub fn quantity(&self) -> String {
        let values = match self.id.values {
            Values::Activations => "",
            Values::PreActivations => ", T being the weighted sums before the activation function",
        };
        format!("{}{values}", self.member.quantity)
    }

    /// The estimated quantity, in words, if the labels are not the Y of the data: `made_y` describes them.
    pub fn quantity_of(&self, made_y: Option<&str>) -> String {
        made_y.map_or_else(|| self.quantity(), |made_y| format!("{}, Y being {made_y}", self.quantity()))
    }

    /// The source of randomness of T given X, in the words of the tables.
    pub fn randomness(&self) -> &'static str {
        match (self.id.pool, self.member.randomness) {
            (Pool::Windows | Pool::Steps(..), _) => "window",
            (Pool::Runs, _) => "runs",
            (Pool::Nothing, Randomness::None) => "none",
            (Pool::Nothing, Randomness::Noise) => "noise",
        }
    }
}

/// The `parameters` with those that the estimator chooses, and a sentence about the choice and its reason.
fn with_chosen_rule(
    spec: &Spec,
    parameters: &Parameters,
    values: Values,
    bounds: ValueBounds,
) -> (Parameters, Option<String>) {
    let bounds = if values == Values::Activations { bounds } else { ValueBounds::Open };
    let Some(Chosen { parameters, words }) = (spec.choose)(parameters, bounds) else {
        return (parameters.clone(), None);
    };
    let reason = match (values, bounds) {
        (Values::PreActivations, _) => "weighted sums may be outside [-1, 1]",
        (_, ValueBounds::WithinOne) => "the activation functions of the recorded layers keep all values within [-1, 1]",
        (_, ValueBounds::Open) => "values of the recorded layers may be outside [-1, 1]",
        (_, ValueBounds::Unknown) => "the activation functions of this recording are not known",
    };
    (parameters, Some(format!("{}: no rule given; {words}, because {reason}", spec.name)))
}

/// The one member of an estimator that was built from one set of parameters.
fn single_member(estimator: &dyn EstimatorSet) -> Member {
    estimator.members().into_iter().next().expect("an estimator has a member for each set of parameters")
}

/// The identity of the estimates of `member`, with the `chosen` parameters of [`SCOPE`].
fn identity(member: &Member, chosen: &Parameters) -> Result<Arc<EstimateId>, ParameterError> {
    let samples = Samples::CHOICES.into_iter().find(|samples| Some(samples.name()) == chosen.text("samples"));
    let pool = match (chosen.text("pool"), chosen.steps("window")) {
        (Some(_), Some(_)) => return Err(ParameterError::Exclusive { first: "pool", second: "window" }),
        (Some("runs"), _) => Pool::Runs,
        (Some(_), _) => Pool::Windows,
        (_, Some((first, last))) => Pool::Steps(first, last),
        (None, None) => Pool::Nothing,
    };
    if let (true, Some(problem)) = (pool != Pool::Nothing, member.no_pool) {
        return Err(ParameterError::Refused(problem.to_owned()));
    }
    Ok(Arc::new(EstimateId {
        values: values(chosen),
        samples: samples.unwrap_or(Samples::All),
        pool,
        unit: if chosen.flag("per_unit") { Unit::Units } else { Unit::Layers },
        ..member.id.clone().into()
    }))
}

/// The values T that are `chosen` in [`SCOPE`].
fn values(chosen: &Parameters) -> Values {
    match chosen.text("values") {
        Some("pre-activations") => Values::PreActivations,
        _ => Values::Activations,
    }
}
