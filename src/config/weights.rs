//! The `[[weights]]` tables of a pipeline: a measure of recorded weights, with one or several values of each parameter.

use std::sync::Arc;

use super::entry::{RawEntry, check, declares, entry};
use super::keys::{Accepts, Key, KeyTable, Omitted};
use super::networks::Networks;
use super::tree::Located;
use crate::config::Split;
use crate::estimate_id::Samples;
use crate::layer_id::LayerId;
use crate::nn::{Activation, Architecture, Hidden, Loss, Operation, Output};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value};
use crate::suggest::Named;
use crate::weights::{self, MEASURES, Measure, Randomness, Spec};

/// One measure of weights to apply.
#[derive(Debug, Clone)]
pub struct MeasureRequest {
    /// The entry of the registry.
    pub spec: &'static Spec,
    /// The measure with these parameters.
    pub measure: Arc<Measure>,
    /// Its name with the parameters that differ from their defaults: the name of a folder.
    pub id: String,
    /// The parameters that differ from their defaults, as text; `None` if there are none.
    pub settings: Option<String>,
    /// The samples whose losses are used.
    pub samples: Samples,
    /// Number of recorded snapshots that are measured; `None`: all.
    pub n_snapshots: Option<usize>,
    /// Number of groups of runs that are measured separately, for measures of several runs.
    pub n_groups: usize,
    /// The activation function of the hidden layers, for the recording of another program.
    pub activation: Option<Activation>,
}

/// The parameters that all measures have.
pub const MEASURE_SCOPE: &[Parameter] = &[
    Parameter {
        name: "samples",
        doc: "samples whose losses and gradients are used: train, test or all",
        kind: Kind::Choice(&["train", "test", "all"]),
        default: "train",
    },
    Parameter {
        name: "snapshots",
        doc: "number of snapshots to measure, evenly spaced among the recorded ones, including the first and the last [default: all]",
        kind: Kind::Count { min: 1, max: 1_000_000 },
        default: "",
    },
    Parameter {
        name: "groups",
        doc: "only for `ensemble`: number of groups of consecutive runs; each group is measured separately, which gives an interval over groups",
        kind: Kind::Count { min: 1, max: 1000 },
        default: "1",
    },
    Parameter {
        name: "activation",
        doc: "activation function of the hidden layers; required for recordings of other programs, not allowed for others",
        kind: Kind::Choice(&[
            "tanh",
            "relu",
            "leaky_relu",
            "elu",
            "sigmoid",
            "softsign",
            "softplus",
            "hard_tanh",
            "relu6",
            "silu",
            "linear",
        ]),
        default: "",
    },
];

/// The keys of `[[weights]]` that all measures have.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "weights",
    doc: "`[[weights]]`: a measure of information that is applied to the recorded weights. The parameters of the measure (`weights.code` and others) are keys of this table too. Every key except `measure` accepts one value or a list of values; every combination of values is a separate table.",
    keys: &[Key {
        name: "measure",
        accepts: Accepts::Name(measure_names),
        omitted: Omitted::Refused,
        doc: "The measure.",
    }],
    parameters: MEASURE_SCOPE,
};

fn measure_names() -> Vec<&'static str> {
    MEASURES.iter().map(|spec| spec.name).collect()
}

impl MeasureRequest {
    /// One request for every combination of the `given` values of the parameters of `spec` and of [`MEASURE_SCOPE`].
    ///
    /// # Errors
    /// A parameter that does not exist, is out of range, or does not go with another.
    pub fn all(spec: &'static Spec, given: Vec<(String, Vec<Value>)>) -> Result<Vec<Self>, ParameterError> {
        given.iter().try_for_each(|(name, values)| Self::check(spec, name, values))?;
        let (scope, own): (Vec<_>, Vec<_>) = given.into_iter().partition(|(name, _)| declares(MEASURE_SCOPE, name));
        let scopes = Parameters::product(MEASURE_SCOPE, scope)?;
        let mut requests: Vec<Self> = Vec::new();
        for parameters in Parameters::product(spec.parameters, own)? {
            for scope in &scopes {
                let request = Self::new(spec, &parameters, scope)?;
                if requests.iter().any(|other| other.id == request.id) {
                    return Err(ParameterError::Refused(format!("`{}` is requested twice", request.id)));
                }
                requests.push(request);
            }
        }
        Ok(requests)
    }

    fn new(spec: &'static Spec, parameters: &Parameters, scope: &Parameters) -> Result<Self, ParameterError> {
        let slugs = [parameters.but_defaults(spec.parameters).slug(), scope.but_defaults(MEASURE_SCOPE).slug()];
        let settings = slugs.iter().filter(|slug| !slug.is_empty()).cloned().collect::<Vec<_>>().join("-");
        let id = [spec.name, &settings].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        let samples = Samples::CHOICES.into_iter().find(|samples| Some(samples.name()) == scope.text("samples"));
        Ok(Self {
            spec,
            measure: Arc::new((spec.build)(&parameters.or_defaults(spec.parameters))?),
            id,
            settings: Some(settings).filter(|settings| !settings.is_empty()),
            samples: samples.unwrap_or(Samples::Train),
            n_snapshots: scope.count("snapshots"),
            n_groups: scope.count("groups").unwrap_or(1),
            activation: scope.text("activation").and_then(|name| Activation::find(name).ok()),
        })
    }

    /// Checks each of the `values` of the parameter `name` of `spec` or of [`MEASURE_SCOPE`].
    fn check(spec: &'static Spec, name: &str, values: &[Value]) -> Result<(), ParameterError> {
        check([spec.parameters, MEASURE_SCOPE], name, values)?;
        match Self::why_refused(spec, name) {
            Some(problem) => Err(ParameterError::Refused(format!("{problem}; leave out `{name}`"))),
            None => Ok(()),
        }
    }

    /// Why the measure `spec` refuses the parameter `name` of [`MEASURE_SCOPE`]; `None` if it accepts it.
    pub fn why_refused(spec: &Spec, name: &str) -> Option<String> {
        let measure = spec.name;
        match (name, spec.randomness) {
            ("groups", Randomness::Membership) => Some(format!("`{measure}` compares runs of the same pairs")),
            ("groups", other) if other != Randomness::Seed => Some(format!("`{measure}` measures each run separately")),
            ("samples", Randomness::Membership | Randomness::Seed | Randomness::Data) => {
                Some(format!("`{measure}` does not choose among samples"))
            }
            ("snapshots", Randomness::Data) => Some(format!("`{measure}` uses the first epoch only")),
            _ => None,
        }
    }

    /// Checks that networks with these settings can be measured; an error names the reason.
    fn check_networks(&self, networks: &Networks) -> Result<(), String> {
        let name = self.spec.name;
        if self.activation.is_some() {
            return Err("`activation` is for recordings of another program; leave it out".to_owned());
        }
        if !matches!(self.measure.as_ref(), Measure::OfTraining(_)) {
            measured_activations(&networks.architecture, networks.training.loss == Loss::CrossEntropy)?;
        }
        match self.measure.as_ref() {
            Measure::OfTraining(_) if !networks.record.online_losses => {
                Err(format!("`{name}` needs the losses before each update; set `online_losses = true` in `[record]`"))
            }
            Measure::OfTraining(_) if networks.training.n_prefit_epochs > 0 => {
                Err(format!("`{name}` uses the first epoch, but `prefit` shuffles its labels; leave out one of them"))
            }
            Measure::OfNetwork(_) | Measure::OfRuns(_) if !networks.record.weights => {
                Err(format!("`{name}` needs recorded weights; leave out `weights = false` in `[record]`"))
            }
            Measure::OfRuns(_)
                if self.spec.randomness == Randomness::Membership && networks.split != Split::Membership =>
            {
                Err(format!(
                    "`{name}` needs runs that were trained on one sample of each pair; use `split = \"membership\"` in `[data]`"
                ))
            }
            Measure::OfRuns(_) if self.spec.randomness == Randomness::Membership && networks.masks == Some(1) => {
                Err(format!("`{name}` compares runs with the same pairs; `masks` must be at least 2, got 1"))
            }
            Measure::OfRuns(_) if networks.n_runs < 2 * self.n_groups => {
                let (least, got) = (2 * self.n_groups, networks.n_runs);
                Err(format!("`{name}` compares runs; `runs` must be at least {least}, got {got}"))
            }
            _ => Ok(()),
        }
    }
}

/// The activation function of each hidden layer, for measures of weights; an error names the reason why they cannot be applied.
pub fn measured_activations(architecture: &Architecture, has_cross_entropy: bool) -> Result<Vec<Activation>, String> {
    if architecture.output != Output::Softmax || !has_cross_entropy {
        return Err("measures of weights need the cross-entropy of a softmax output".to_owned());
    }
    if architecture.output_bits.is_some() {
        return Err("the output is quantised; measures of weights need derivatives".to_owned());
    }
    let of_layer = |(layer, hidden): (LayerId, &Hidden)| -> Result<Activation, String> {
        let mut activation = None;
        for operation in &hidden.operations {
            match operation {
                Operation::Activation(function) if activation.is_none() => activation = Some(*function),
                // It has no effect after training.
                Operation::Dropout { .. } | Operation::GaussianDropout { .. } => {}
                // The network is measured without its noise.
                Operation::Noise { .. } => {}
                Operation::BatchNorm => {
                    return Err(format!(
                        "layer {layer} has batch normalisation, which couples the samples; measures of weights need networks without it"
                    ));
                }
                Operation::Quantise { .. } => {
                    return Err(format!("layer {layer} is quantised; measures of weights need derivatives"));
                }
                Operation::Activation(_) => {
                    return Err(format!("layer {layer} has two activation functions; measures of weights need one"));
                }
            }
        }
        Ok(activation.unwrap_or(Activation::Linear))
    };
    LayerId::above_input().zip(&architecture.hidden).map(of_layer).collect()
}

/// The measures of the tables, for networks that are trained as in `networks` or, if there are none, were recorded by another
/// program; an error has the place of the wrong key.
pub(super) fn measures(
    tables: Vec<Located<RawEntry>>,
    networks: Option<&Networks>,
) -> Result<Vec<MeasureRequest>, (usize, String)> {
    let mut requests: Vec<MeasureRequest> = Vec::new();
    for Located { at, value: table } in tables {
        let find = |name: &str| weights::find(name).map_err(|e| e.to_string());
        let (spec, given) = entry((at, table), ("weights", "measure"), find, MeasureRequest::check)?;
        for request in MeasureRequest::all(spec, given).map_err(|e| (at, e.to_string()))? {
            if requests.iter().any(|other| other.id == request.id) {
                return Err((at, format!("`{}` is requested twice", request.id)));
            }
            networks.map_or(Ok(()), |networks| request.check_networks(networks)).map_err(|problem| (at, problem))?;
            requests.push(request);
        }
    }
    Ok(requests)
}
