//! Reads and checks the table of a claim.

use serde::Deserialize;

use super::super::MeasureRequest;
use super::super::networks::Layers;
use super::super::pattern::matches;
use super::super::tree::Located;
use super::{Expect, Measure, Minus, Quantity, Wanted};
use crate::layer_id::LayerId;
use crate::nn::GradientKind;
use crate::store::quantities::{self, Getter};
use crate::store::schema::{EstimateRow, GradientRow};
use crate::suggest::{Named, suggestion};

/// The word for the whole network in place of a layer.
const NETWORK: &str = "network";

/// The table as written in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RawExpect {
    figure: Option<String>,
    claim: String,
    paper: Option<String>,
    estimate: Option<Located<String>>,
    weights: Option<Located<String>>,
    gradients: Option<Located<String>>,
    quantity: Located<String>,
    layer: Option<Located<toml::Value>>,
    measure: Measure,
    minus: Option<Located<RawMinus>>,
    above: Option<f64>,
    below: Option<f64>,
    near: Option<f64>,
    within: Option<f64>,
    /// In a sweep: the experiments that the claim is about.
    only: Option<Located<String>>,
}

/// The table of the number that is subtracted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RawMinus {
    estimate: Option<Located<String>>,
    weights: Option<Located<String>>,
    gradients: Option<Located<String>>,
    quantity: Located<String>,
    layer: Option<Located<String>>,
    measure: Measure,
}

/// The keys that together name a quantity.
struct NamedQuantity<'a> {
    estimate: Option<&'a Located<String>>,
    weights: Option<&'a Located<String>>,
    gradients: Option<&'a Located<String>>,
    quantity: &'a Located<String>,
}

/// What claims of the pipeline can refer to.
pub(in super::super) struct ClaimContext<'a> {
    /// Identities of the estimates.
    pub(in super::super) estimates: &'a [String],
    /// The measures of weights.
    pub(in super::super) weights: &'a [MeasureRequest],
    /// The layers of its networks.
    pub(in super::super) layers: &'a Layers,
    /// Kinds of gradients that are recorded.
    pub(in super::super) gradients: &'a [GradientKind],
    /// Whether the pipeline has `[bound]`.
    pub(in super::super) has_bound: bool,
}

/// The claims about the experiment called `experiment`; an error has the place of the wrong key.
pub(in super::super) fn claims(
    tables: Vec<Located<RawExpect>>,
    experiment: &str,
    context: &ClaimContext<'_>,
) -> Result<Vec<Expect>, (usize, String)> {
    let is_about = |only: &Located<String>| matches(&only.value, experiment);
    let tables = tables.into_iter().filter(|table| table.value.only.as_ref().is_none_or(is_about));
    tables.map(|Located { at, value: table }| table.check(at, context)).collect()
}

impl RawExpect {
    /// Checks the table, which begins at byte `at`.
    fn check(self, at: usize, context: &ClaimContext<'_>) -> Result<Expect, (usize, String)> {
        let named = NamedQuantity {
            estimate: self.estimate.as_ref(),
            weights: self.weights.as_ref(),
            gradients: self.gradients.as_ref(),
            quantity: &self.quantity,
        };
        let quantity = named.check(context)?;
        if matches!(quantity, Quantity::Bound(_)) && self.measure != Measure::End {
            let problem = "`measure`: must be \"end\" for this quantity, as layers are compared with the bound at their last snapshot only";
            return Err((at, problem.to_owned()));
        }
        let layers = match (&quantity, &self.layer) {
            (Quantity::Fit(_), Some(layer)) => {
                let problem =
                    format!("`layer`: `{}` does not belong to a layer; leave `layer` out", self.quantity.value);
                return Err((layer.at, problem));
            }
            (Quantity::Fit(_), None) => Vec::new(),
            (Quantity::Weights { .. }, Some(layer)) if layer.value.as_str() == Some(NETWORK) => Vec::new(),
            (Quantity::Weights { .. }, None) => {
                let problem = "a claim about weights needs `layer`: a number, a list of them, \"hidden\", \"output\", \"all\" or \"network\"";
                return Err((at, problem.to_owned()));
            }
            (_, None) => {
                let problem =
                    "a claim about a layer needs `layer`: a number, a list of them, \"hidden\", \"output\" or \"all\"";
                return Err((at, problem.to_owned()));
            }
            (Quantity::Weights { .. }, Some(layer)) => layers(&layer.value, context.layers)
                .map_err(|e| (layer.at, format!("{e}; or \"{NETWORK}\" for the whole network")))?,
            (_, Some(layer)) => layers(&layer.value, context.layers).map_err(|e| (layer.at, e))?,
        };
        let wanted = self.wanted().map_err(|problem| (at, problem))?;
        let minus = match self.minus {
            None => None,
            Some(Located { at, value: raw }) => {
                let minus = raw.check(context)?;
                minus.fits(&quantity, self.measure, &layers).map_err(|problem| (at, format!("`minus`: {problem}")))?;
                Some(minus)
            }
        };
        Ok(Expect {
            minus,
            wanted,
            figure: self.figure,
            claim: self.claim,
            paper: self.paper,
            quantity,
            layers,
            measure: self.measure,
        })
    }

    fn wanted(&self) -> Result<Wanted, String> {
        let numbers = [self.above, self.below, self.near, self.within];
        if numbers.iter().flatten().any(|number| !number.is_finite()) {
            return Err("`above`, `below`, `near` and `within` must be finite numbers".to_owned());
        }
        match numbers {
            [Some(value), None, None, None] => Ok(Wanted::Above(value)),
            [None, Some(value), None, None] => Ok(Wanted::Below(value)),
            [None, None, Some(value), Some(within)] if within >= 0.0 => Ok(Wanted::Near { value, within }),
            [None, None, Some(_), Some(within)] => {
                Err(format!("`within`: must be a number of at least 0, got {within}"))
            }
            _ => Err("a claim needs `above`, or `below`, or `near` together with `within`".to_owned()),
        }
    }
}

impl RawMinus {
    fn check(self, context: &ClaimContext<'_>) -> Result<Minus, (usize, String)> {
        let named = NamedQuantity {
            estimate: self.estimate.as_ref(),
            weights: self.weights.as_ref(),
            gradients: self.gradients.as_ref(),
            quantity: &self.quantity,
        };
        let quantity = named.check(context)?;
        if let Some(layer) = self.layer.as_ref().filter(|layer| layer.value != NETWORK) {
            let problem =
                format!("`layer`: must be \"{NETWORK}\"; leave it out to subtract a number of the claim's own layer");
            return Err((layer.at, problem));
        }
        if let (Some(layer), false) = (&self.layer, matches!(quantity, Quantity::Weights { .. } | Quantity::Fit(_))) {
            let name = quantity.name();
            let problem = format!(
                "`layer`: `{name}` belongs to a layer, not to the whole network; leave `layer` out to subtract a number of the claim's own layer"
            );
            return Err((layer.at, problem));
        }
        Ok(Minus { quantity, measure: self.measure, of_network: self.layer.is_some() })
    }
}

impl Minus {
    /// Makes sure that it can be subtracted from the `measure` of `quantity` in each of `layers`.
    fn fits(&self, quantity: &Quantity, measure: Measure, layers: &[LayerId]) -> Result<(), String> {
        let needs_layer = !self.of_network && !matches!(self.quantity, Quantity::Fit(_) | Quantity::Weights { .. });
        if needs_layer && layers.is_empty() {
            let name = self.quantity.name();
            return Err(format!(
                "`{name}` belongs to a layer, but the claim is about no single layer; name a `layer` in the claim"
            ));
        }
        let (unit, other) = (measure.unit(quantity.unit()), self.measure.unit(self.quantity.unit()));
        if !unit.is_comparable_with(other) {
            let number = |quantity: &Quantity, measure: Measure| format!("`{}` {}", quantity.name(), measure.words());
            return Err(format!(
                "{} is in {}, {} in {}; subtract a number of the same unit",
                number(quantity, measure),
                unit.words(),
                number(&self.quantity, self.measure),
                other.words()
            ));
        }
        Ok(())
    }
}

impl NamedQuantity<'_> {
    fn check(&self, context: &ClaimContext<'_>) -> Result<Quantity, (usize, String)> {
        let (at, name) = (self.quantity.at, self.quantity.value.as_str());
        let quantity = if let Some(weights) = self.weights {
            Self::of_weights(weights, self.quantity, context)?
        } else if let Some(column) = quantities::find(quantities::ESTIMATES, name) {
            self.estimated(column, context)?
        } else if let Some(column) = quantities::find(quantities::EPOCHS, name) {
            Quantity::Fit(column)
        } else if let Some(column) = quantities::find(quantities::GRADIENTS, name) {
            self.gradient(column, context)?
        } else if let Some(column) = quantities::find(quantities::BOUND_LAYERS, name) {
            if !context.has_bound {
                return Err((at, format!("`{name}` needs the table `[bound]`; add it to the pipeline")));
            }
            Quantity::Bound(column)
        } else {
            return Err((at, format!("unknown quantity `{name}`; {}", suggestion(name, quantities::names()))));
        };
        let gradients = self.gradients.filter(|_| !matches!(quantity, Quantity::Gradient { .. }));
        if let Some(gradients) = gradients {
            return Err((
                gradients.at,
                format!("`gradients` applies only to quantities of gradients, not to `{name}`; leave it out"),
            ));
        }
        let estimate = self.estimate.filter(|_| !matches!(quantity, Quantity::Estimated { .. }));
        if let Some(estimate) = estimate {
            return Err((
                estimate.at,
                format!("`estimate` applies only to quantities of estimates, not to `{name}`; leave it out"),
            ));
        }
        Ok(quantity)
    }

    fn of_weights(
        measure: &Located<String>,
        quantity: &Located<String>,
        context: &ClaimContext<'_>,
    ) -> Result<Quantity, (usize, String)> {
        let Some(request) = context.weights.iter().find(|request| request.id == measure.value) else {
            let suggestion = suggestion(&measure.value, context.weights.iter().map(|request| request.id.as_str()));
            return Err((measure.at, format!("the pipeline has no measure `{}`; {suggestion}", measure.value)));
        };
        match request.spec.quantities.iter().find(|found| found.name == quantity.value) {
            Some(found) => Ok(Quantity::Weights { measure: measure.value.clone(), quantity: found }),
            None => {
                let names = request.spec.quantities.iter().map(|quantity| quantity.name);
                let (name, suggestion) = (&quantity.value, suggestion(&quantity.value, names));
                Err((quantity.at, format!("`{}` has no quantity `{name}`; {suggestion}", request.spec.name)))
            }
        }
    }

    fn estimated(
        &self,
        column: &'static Getter<EstimateRow>,
        context: &ClaimContext<'_>,
    ) -> Result<Quantity, (usize, String)> {
        let Some(Located { at, value: estimate }) = self.estimate else {
            let name = column.name;
            let problem = format!(
                "`{name}` needs `estimate`: the estimate that it is taken from, for example \"binning-n-edges-30\""
            );
            return Err((self.quantity.at, problem));
        };
        if !context.estimates.contains(estimate) {
            let suggestion = suggestion(estimate, context.estimates.iter().map(String::as_str));
            return Err((*at, format!("the pipeline has no estimate `{estimate}`; {suggestion}")));
        }
        Ok(Quantity::Estimated { estimate: estimate.clone(), column })
    }

    fn gradient(
        &self,
        column: &'static Getter<GradientRow>,
        context: &ClaimContext<'_>,
    ) -> Result<Quantity, (usize, String)> {
        let recorded: Vec<&str> = context.gradients.iter().map(|kind| kind.name()).collect();
        if recorded.is_empty() {
            let name = column.name;
            return Err((
                self.quantity.at,
                format!("`{name}` needs recorded gradients; set `gradients` in `[record]`"),
            ));
        }
        match self.gradients {
            Some(Located { at, value: over }) if !recorded.contains(&over.as_str()) => {
                Err((*at, format!("gradients `{over}` are not recorded; {}", suggestion(over, recorded))))
            }
            over => Ok(Quantity::Gradient { column, over: over.map(|over| over.value.clone()) }),
        }
    }
}

/// The layers that a claim names, without the input. `hidden`, `output` and `all` are words even if a layer has such a name.
fn layers(named: &toml::Value, network: &Layers) -> Result<Vec<LayerId>, String> {
    let Layers { output, available, names } = network;
    let if_available = |layer: LayerId| match available.contains(&layer) {
        true => Ok(vec![layer]),
        false => Err(format!("`layer`: layer {layer} is not recorded")),
    };
    match named {
        toml::Value::String(name) if name == "hidden" => {
            Ok(available.iter().copied().filter(|layer| layer < output).collect())
        }
        toml::Value::String(name) if name == "output" => if_available(*output),
        toml::Value::String(name) if name == "all" => Ok(available.clone()),
        toml::Value::String(name) if names.layer(name).is_some() => {
            names.layer(name).map_or_else(|| Ok(Vec::new()), if_available)
        }
        toml::Value::Array(items) if !items.is_empty() => {
            Ok(items.iter().map(|item| layers(item, network)).collect::<Result<Vec<_>, _>>()?.concat())
        }
        toml::Value::Integer(number) => {
            let layer = LayerId::of_number(*number).filter(|layer| (LayerId::FIRST..=*output).contains(layer));
            let layer = layer.ok_or_else(|| {
                format!("`layer`: there is no layer {number}; 1 is the first above the input, {output} the output")
            })?;
            if_available(layer)
        }
        other => {
            let names: Vec<String> = names.iter().map(|name| format!("\"{name}\", ")).collect();
            let names = names.concat();
            Err(format!(
                "`layer`: must be a number, a list of them, {names}\"hidden\", \"output\" or \"all\", got {other}"
            ))
        }
    }
}
