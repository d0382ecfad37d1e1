//! Which estimates are asked for: an estimator with its parameters, and the samples, snapshots and units it is applied to.

use crate::estimators::{Estimator, Member, Randomness, Spec};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value};
use crate::store::Values;
use crate::suggest::suggestion;

/// One table of estimates to make.
#[derive(Debug, Clone)]
pub struct Request {
    /// The estimator.
    pub spec: &'static Spec,
    /// One value for each of its parameters.
    pub parameters: Parameters,
    /// What it is applied to.
    pub scope: Scope,
    /// What it estimates.
    pub member: Member,
}

/// What an estimator is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// What is taken for T.
    pub values: Values,
    /// Which samples.
    pub samples: Selection,
    /// What is put together before it is estimated.
    pub pool: Pool,
    /// Layers or their units.
    pub of: Of,
    /// Shuffles for the null columns.
    pub n_shuffles: usize,
}

/// Which of the recorded samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selection {
    /// All of them.
    All,
    /// Those that trained the network of the run.
    Train,
    /// The others.
    Test,
}

/// What is put together before it is estimated, so that T is random given X.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pool {
    /// Nothing: every snapshot of every run by itself.
    Nothing,
    /// The snapshots of every stretch of consecutive recorded steps.
    Windows,
    /// The snapshots recorded from the first to the last of these steps.
    Steps(i64, i64),
    /// The same snapshot of all runs.
    Runs,
}

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Every layer as a whole.
    Layers,
    /// Every unit by itself.
    Units,
}

impl Selection {
    /// Every choice with its name.
    pub const ALL: &[(&str, Selection)] =
        &[("all", Selection::All), ("train", Selection::Train), ("test", Selection::Test)];

    /// Its name.
    pub fn name(self) -> &'static str {
        super::values::name_of(Self::ALL, self)
    }
}

/// What every estimator can be asked for besides its own parameters.
pub const SCOPE: &[Parameter] = &[
    Parameter {
        name: "values",
        doc: "what is taken for T: activations, or pre-activations where they are recorded",
        kind: Kind::Choice(&["activations", "pre-activations"]),
        default: "activations",
    },
    Parameter {
        name: "samples",
        doc: "which of the recorded samples: all, train or test",
        kind: Kind::Choice(&["all", "train", "test"]),
        default: "all",
    },
    Parameter {
        name: "pool",
        doc: "as if random, for estimators of a code: put together the runs at each snapshot, or the snapshots of every stretch of consecutive recorded steps",
        kind: Kind::Choice(&["runs", "windows"]),
        default: "",
    },
    Parameter {
        name: "window",
        doc: "as if random: put together the snapshots recorded from the first to the last of these steps, for example 100-110",
        kind: Kind::Steps,
        default: "",
    },
    Parameter {
        name: "per_unit",
        doc: "estimate every unit by itself, I(X;t) and I(t;Y), into unit_estimates/",
        kind: Kind::Flag,
        default: "",
    },
    Parameter {
        name: "shuffles",
        doc: "how many times labels and inputs are shuffled for the null columns",
        kind: Kind::Count { min: 0, max: 1000 },
        default: "5",
    },
];

impl Request {
    /// One request for every combination of the `given` values of the parameters of `spec` and of [`SCOPE`].
    ///
    /// # Errors
    /// A parameter that does not exist, is out of range, or does not go with another.
    pub fn all(spec: &'static Spec, given: Vec<(String, Vec<Value>)>) -> Result<Vec<Self>, ParameterError> {
        given.iter().try_for_each(|(name, values)| Self::check(spec, name, values))?;
        let (scope, own): (Vec<_>, Vec<_>) = given.into_iter().partition(|(name, _)| declares(SCOPE, name));
        let scopes = Parameters::product(SCOPE, scope)?;
        let mut requests: Vec<Self> = Vec::new();
        for parameters in Parameters::product(spec.parameters, own)? {
            let estimator = (spec.build)(std::slice::from_ref(&parameters))?;
            for scope in &scopes {
                let member = only(estimator.as_ref());
                let scope = Scope::new(scope, &member)?;
                let request = Self { spec, parameters: parameters.clone(), scope, member };
                if requests.iter().any(|other| other.is_same(&request)) {
                    return Err(ParameterError::Refused(format!("`{}` is asked for twice", request.id())));
                }
                requests.push(request);
            }
        }
        Ok(requests)
    }

    /// Whether `name` may have these `values`, each by itself.
    ///
    /// # Errors
    /// A parameter that does not exist, or is out of range.
    pub fn check(spec: &'static Spec, name: &str, values: &[Value]) -> Result<(), ParameterError> {
        let declared = [spec.parameters, SCOPE].into_iter().find(|declared| declares(declared, name));
        let declared = declared.ok_or_else(|| {
            let known = spec.parameters.iter().chain(SCOPE).map(|parameter| parameter.name);
            ParameterError::Unknown { name: name.to_owned(), suggestion: suggestion(name, known) }
        })?;
        values.iter().try_for_each(|value| Parameters::new(declared, [(name.to_owned(), value.clone())]).map(drop))
    }

    /// Whether both ask for the same table.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id() == other.id() && self.scope.of == other.scope.of
    }

    /// A name for the folder of its table: estimator, parameters, and what it is applied to where that is not the default.
    pub fn id(&self) -> String {
        let values = match self.scope.values {
            Values::Activations => "",
            Values::PreActivations => "-pre-activations",
        };
        let samples = match self.scope.samples {
            Selection::All => String::new(),
            other => format!("-samples-{}", other.name()),
        };
        let pool = match self.scope.pool {
            Pool::Nothing => String::new(),
            Pool::Windows => "-pool-windows".to_owned(),
            Pool::Steps(first, last) => format!("-window-{first}-{last}"),
            Pool::Runs => "-pool-runs".to_owned(),
        };
        format!("{}{values}{samples}{pool}", self.member.id)
    }

    /// What the number is, in words.
    pub fn quantity(&self) -> String {
        let of = match self.scope.values {
            Values::Activations => "",
            Values::PreActivations => ", T being the weighted sums before the activation function",
        };
        format!("{}{of}", self.member.quantity)
    }

    /// What makes T random once X is known, as the tables have it.
    pub fn randomness(&self) -> &'static str {
        match (self.scope.pool, self.member.randomness) {
            (Pool::Windows | Pool::Steps(..), _) => "window",
            (Pool::Runs, _) => "runs",
            (Pool::Nothing, Randomness::None) => "none",
            (Pool::Nothing, Randomness::Noise) => "noise",
        }
    }
}

fn declares(list: &[Parameter], name: &str) -> bool {
    list.iter().any(|parameter| parameter.name == name)
}

/// The one member of an estimator that was built from one set of parameters.
fn only(estimator: &dyn Estimator) -> Member {
    estimator.members().into_iter().next().expect("an estimator has a member for each set of parameters")
}

impl Scope {
    fn new(chosen: &Parameters, member: &Member) -> Result<Self, ParameterError> {
        let samples = chosen.text("samples").and_then(|name| Selection::ALL.iter().find(|(known, _)| *known == name));
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
        let values = match chosen.text("values") {
            Some("pre-activations") => Values::PreActivations,
            _ => Values::Activations,
        };
        Ok(Self {
            values,
            samples: samples.map_or(Selection::All, |(_, selection)| *selection),
            pool,
            of: if chosen.flag("per_unit") { Of::Units } else { Of::Layers },
            n_shuffles: chosen.count("shuffles").expect("the shuffles have a default"),
        })
    }
}
