//! The `[network]` table of a pipeline: the layers (as widths, as tables or in shorthand) and their initial weights.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::keys::{Accepts, Key, KeyTable, Omitted, forms, names};
use super::layer::{self, RawLayer, operations};
use super::shorthand::shorthand;
use super::values;
use crate::estimators::ValueBounds;
use crate::layer_id::LayerId;
use crate::nn::{Activation, Architecture, Fan, Hidden, Initial, Operation, Output};
use crate::parameter::Kind;
use crate::suggest::Named;

/// The keys of `[network]`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "network",
    doc: "`[network]`: the layers of the networks and their initial weights. The input and output widths follow from the data. The activations T of a layer are the values after batch normalisation, activation function, quantisation, dropout and noise, in this order.",
    keys: &[
        Key {
            name: "hidden",
            accepts: Accepts::Form(&forms::HIDDEN),
            omitted: Omitted::Refused,
            doc: "The hidden layers, from the input to the output: 1 to 100 layers.",
        },
        Key {
            name: "activation",
            accepts: Accepts::Name(names::<Activation>),
            omitted: Omitted::Effect("every layer names its own"),
            doc: "The activation function of every hidden layer that does not name another one.",
        },
        Key {
            name: "batch_norm",
            accepts: Accepts::Kind(Kind::Flag),
            omitted: Omitted::Value("false"),
            doc: "Whether every hidden layer normalises its weighted sums over the batch before the activation function.",
        },
        Key {
            name: "dropout",
            accepts: Accepts::Form(&forms::RATE),
            omitted: Omitted::Value("0"),
            doc: "Probability of setting an activation of a hidden layer to 0, in training only.",
        },
        Key {
            name: "gaussian_dropout",
            accepts: Accepts::Form(&forms::RATE),
            omitted: Omitted::Value("0"),
            doc: "Dropout rate p of Gaussian dropout: activations of hidden layers are multiplied by Gaussian noise of mean 1 and variance p/(1 − p), in training only.",
        },
        Key {
            name: "noise_variance",
            accepts: Accepts::Kind(Kind::NotNegative),
            omitted: Omitted::Value("0"),
            doc: "Variance of Gaussian noise that is added to the activations of every hidden layer, in training and in recorded snapshots.",
        },
        Key {
            name: "quantise_bits",
            accepts: Accepts::Form(&forms::BITS_OR_ZERO),
            omitted: Omitted::Value("0"),
            doc: "Number of bits to which kernels, activations and the output are rounded (fake quantisation). 0 means no rounding.",
        },
        Key {
            name: "output",
            accepts: Accepts::Name(names::<Output>),
            omitted: Omitted::Value("\"softmax\""),
            doc: "The function of the output layer.",
        },
        Key {
            name: "initial",
            accepts: Accepts::Name(names::<Initial>),
            omitted: Omitted::Value("\"truncated_normal\""),
            doc: "Distribution of the initial weights of all layers. Biases start at 0, except for `pytorch`: weights and biases uniform within ±1/√(number of inputs of the layer), the default of `torch.nn.Linear`.",
        },
        Key {
            name: "initial_fan",
            accepts: Accepts::Name(names::<Fan>),
            omitted: Omitted::Value("\"in\""),
            doc: "For `truncated_normal`: whether the standard deviation is 1/√(number of inputs of the layer) (\"in\") or 1/√(number of units of the layer) (\"out\"). Values beyond two standard deviations are drawn again.",
        },
        Key {
            name: "output_initial",
            accepts: Accepts::Name(names::<Initial>),
            omitted: Omitted::ValueOf { table: "", key: "initial" },
            doc: "Distribution of the initial weights of the output layer.",
        },
        Key {
            name: "initial_scale",
            accepts: Accepts::Kind(Kind::Positive),
            omitted: Omitted::Value("1"),
            doc: "Factor applied to all initial weights and biases.",
        },
    ],
    parameters: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNetwork {
    #[serde(deserialize_with = "layers")]
    hidden: Vec<RawLayer>,
    #[serde(default, deserialize_with = "values::some_choice")]
    activation: Option<Activation>,
    #[serde(default)]
    batch_norm: bool,
    #[serde(default, deserialize_with = "layer::rate")]
    dropout: Option<f32>,
    #[serde(default, deserialize_with = "layer::rate")]
    gaussian_dropout: Option<f32>,
    #[serde(default, deserialize_with = "layer::variance")]
    noise_variance: Option<f32>,
    #[serde(default, deserialize_with = "layer::bits")]
    quantise_bits: Option<u32>,
    #[serde(default = "softmax", deserialize_with = "values::choice")]
    output: Output,
    #[serde(default = "truncated_normal", deserialize_with = "values::choice")]
    initial: Initial,
    #[serde(default = "values::fan_in", deserialize_with = "values::choice")]
    initial_fan: Fan,
    #[serde(default, deserialize_with = "values::some_choice")]
    output_initial: Option<Initial>,
    #[serde(default = "one", deserialize_with = "values::positive")]
    initial_scale: f32,
}

/// Every layer keeps files open while a run is recorded.
const MOST_LAYERS: usize = 100;

impl RawNetwork {
    /// The architecture, or the reason why it is not allowed.
    pub(super) fn check(self) -> Result<Architecture, String> {
        let defaults = operations(
            self.activation,
            self.batch_norm,
            self.dropout,
            self.gaussian_dropout,
            self.noise_variance,
            self.quantise_bits,
        );
        let hidden = self.hidden.into_iter().map(|layer| layer.complete(&defaults));
        let with_fan = |initial| match initial {
            Initial::TruncatedNormal(_) => Initial::TruncatedNormal(self.initial_fan),
            other => other,
        };
        let initial = with_fan(self.initial);
        Ok(Architecture {
            hidden: hidden.collect::<Result<_, _>>()?,
            initial,
            output: self.output,
            output_initial: self.output_initial.map_or(initial, with_fan),
            initial_scale: self.initial_scale,
            output_bits: self.quantise_bits.filter(|bits| *bits > 0),
        })
    }
}

fn layers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RawLayer>, D::Error> {
    from.deserialize_any(LayersVisitor)
}

struct LayersVisitor;

impl<'de> Visitor<'de> for LayersVisitor {
    type Value = Vec<RawLayer>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("widths such as [10, 7, 5], tables of layers, or a shorthand such as \"10-tanh,Dr-0.2,7\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<RawLayer>, E> {
        shorthand(text).and_then(checked).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Vec<RawLayer>, A::Error> {
        let layers = Vec::deserialize(SeqAccessDeserializer::new(items))?;
        checked(layers).map_err(A::Error::custom)
    }
}

fn checked(layers: Vec<RawLayer>) -> Result<Vec<RawLayer>, String> {
    if layers.is_empty() {
        return Err("no hidden layers; give at least one width, for example [10, 7, 5, 4, 3]".to_owned());
    }
    if layers.len() > MOST_LAYERS {
        return Err(format!("at most {MOST_LAYERS} hidden layers can be recorded, got {}", layers.len()));
    }
    Ok(layers)
}

fn softmax() -> Output {
    Output::Softmax
}

fn truncated_normal() -> Initial {
    Initial::TruncatedNormal(Fan::In)
}

fn one() -> f32 {
    1.0
}

/// The settings of an architecture that a recording depends on, for manifests. Settings that were added later are written only
/// if they differ from the earlier behaviour, so that older manifests stay valid.
pub(super) fn settings(architecture: &Architecture) -> serde_json::Map<String, Value> {
    let mut settings = serde_json::Map::new();
    let mut add = |key: &str, value: Value| settings.insert(key.to_owned(), value);
    let hidden = &architecture.hidden;
    let widths: Vec<usize> = hidden.iter().map(|layer| layer.n_units).collect();
    add("hidden", json!(widths));
    match hidden.first().map(|layer| layer.operations.as_slice()) {
        Some([Operation::Activation(activation)]) if hidden.iter().all(|l| l.operations == hidden[0].operations) => {
            add("activation", json!(activation.name()));
        }
        _ => {
            let of_layer = |layer: &Hidden| layer.operations.iter().map(operation).collect::<Vec<Value>>();
            add("operations", hidden.iter().map(of_layer).collect());
        }
    }
    add_initial("initial", architecture.initial, &mut add);
    if architecture.output_initial != architecture.initial {
        add_initial("output_initial", architecture.output_initial, &mut add);
    }
    if architecture.initial_scale != 1.0 {
        add("initial_scale", json!(as_written(architecture.initial_scale)));
    }
    if architecture.output != Output::Softmax {
        add("output", json!(architecture.output.name()));
    }
    if let Some(bits) = architecture.output_bits {
        add("output_bits", json!(bits));
    }
    settings
}

/// The known bounds of the activations of the recorded `layers` above the input.
pub(super) fn bounds(architecture: &Architecture, layers: &[LayerId]) -> ValueBounds {
    let is_within = |layer: &LayerId| architecture.range(*layer).is_some_and(|(low, high)| low >= -1.0 && high <= 1.0);
    let are_within = layers.iter().filter(|layer| **layer != LayerId::INPUT).all(is_within);
    if are_within { ValueBounds::WithinOne } else { ValueBounds::Open }
}

/// The known bounds of the activations of a recording, from the settings of its runs as
/// [`Networks::run_settings`](super::Networks::run_settings) writes them.
pub fn recorded_bounds(settings: &Value) -> ValueBounds {
    let Some(architecture) = recorded_architecture(settings) else { return ValueBounds::Unknown };
    let n_layers = architecture.hidden.len() + 1;
    let layers = settings["record"]["layers"].as_array();
    let numbers = layers.map(|layers| layers.iter().filter_map(|layer| LayerId::of_number(layer.as_u64()?)).collect());
    // Version 1 recorded all of them.
    bounds(&architecture, &numbers.unwrap_or_else(|| LayerId::above_input().take(n_layers).collect::<Vec<LayerId>>()))
}

/// The architecture that the settings of a recording describe, without its initial weights; `None` if they describe none.
pub fn recorded_architecture(settings: &Value) -> Option<Architecture> {
    let widths: Option<Vec<usize>> =
        settings.get("hidden")?.as_array()?.iter().map(|width| Some(width.as_u64()? as usize)).collect();
    let widths = widths?;
    let activation = |name: &Value| Some(Operation::Activation(Activation::find(name.as_str()?).ok()?));
    let of_layer = |layer: &Value| layer.as_array()?.iter().map(recorded_operation).collect::<Option<Vec<_>>>();
    let operations: Vec<Vec<Operation>> = match settings.get("activation") {
        Some(name) => vec![vec![activation(name)?]; widths.len()],
        None => settings.get("operations")?.as_array()?.iter().map(of_layer).collect::<Option<_>>()?,
    };
    let hidden = widths.into_iter().zip(operations);
    Some(Architecture {
        hidden: hidden.map(|(n_units, operations)| Hidden { n_units, operations }).collect(),
        initial: truncated_normal(),
        output: settings.get("output").map_or(Some(softmax()), |name| Output::find(name.as_str()?).ok())?,
        output_initial: truncated_normal(),
        initial_scale: one(),
        output_bits: settings.get("output_bits").and_then(recorded_bits),
    })
}

/// The operation that [`operation`] has written.
fn recorded_operation(value: &Value) -> Option<Operation> {
    let number = |key: &str| Some(value.get(key)?.as_f64()? as f32);
    match value.as_str() {
        Some("batch_norm") => Some(Operation::BatchNorm),
        Some(name) => Some(Operation::Activation(Activation::find(name).ok()?)),
        None => number("dropout")
            .map(|rate| Operation::Dropout { rate })
            .or_else(|| number("gaussian_dropout").map(|rate| Operation::GaussianDropout { rate }))
            .or_else(|| number("noise_variance").map(|variance| Operation::Noise { variance }))
            .or_else(|| Some(Operation::Quantise { bits: recorded_bits(value.get("quantise_bits")?)? })),
    }
}

fn recorded_bits(value: &Value) -> Option<u32> {
    layer::checked_bits(value.as_f64()?).ok()
}

fn add_initial(key: &str, initial: Initial, add: &mut impl FnMut(&str, Value) -> Option<Value>) {
    match initial {
        Initial::TruncatedNormal(fan) => add(&format!("{key}_fan"), json!(fan.name())),
        other => add(key, json!(other.name())),
    };
}

fn operation(operation: &Operation) -> Value {
    match operation {
        Operation::Activation(activation) => json!(activation.name()),
        Operation::BatchNorm => json!("batch_norm"),
        Operation::Quantise { bits } => json!({ "quantise_bits": bits }),
        Operation::Dropout { rate } => json!({ "dropout": as_written(*rate) }),
        Operation::GaussianDropout { rate } => json!({ "gaussian_dropout": as_written(*rate) }),
        Operation::Noise { variance } => json!({ "noise_variance": as_written(*variance) }),
    }
}

/// The shortest number that is this f32: 0.2, not 0.20000000298023224.
fn as_written(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: &str) -> Result<Architecture, String> {
        let raw: RawNetwork = toml::from_str(table).map_err(|e| e.message().to_owned())?;
        raw.check()
    }

    /// Every layer as `width: operations`.
    #[track_caller]
    fn check(table: &str, expected: &[&str]) {
        let of_layer = |layer: &Hidden| {
            let operations: Vec<String> = layer.operations.iter().map(|o| operation(o).to_string()).collect();
            format!("{}: {}", layer.n_units, operations.join(" ")).replace(['"', '{', '}'], "")
        };
        let got: Vec<String> = read(table).unwrap().hidden.iter().map(of_layer).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn layers_are_widths_tables_or_shorthand() {
        check("hidden = [10, 7]\nactivation = \"tanh\"", &["10: tanh", "7: tanh"]);
        check(
            "hidden = \"12,Dr-0.2,10-tanh,BN,8-relu\"\nactivation = \"linear\"",
            &["12: linear dropout:0.2", "10: tanh batch_norm", "8: relu"],
        );
        check(
            "hidden = [{ units = 6, activation = \"elu\", batch_norm = true, quantise_bits = 8 }, 3]\nactivation = \"relu\"",
            &["6: batch_norm elu quantise_bits:8", "3: relu"],
        );
        check(
            "hidden = \"5,BN,silu,Noise-0.25,Q-4,GDr-0.5\"",
            &["5: batch_norm silu noise_variance:0.25 quantise_bits:4 gaussian_dropout:0.5"],
        );
    }

    #[test]
    fn initial_weights_can_be_scaled_and_older_recordings_keep_their_keys() {
        let plain = "hidden = [10, 7]\nactivation = \"tanh\"";
        let scaled = read(&format!("{plain}\ninitial_scale = 0.3")).unwrap();
        assert_eq!(settings(&scaled)["initial_scale"], json!(0.3));
        assert!(!settings(&read(plain).unwrap()).contains_key("initial_scale"));
        let refused = read(&format!("{plain}\ninitial_scale = 0")).unwrap_err();
        assert!(refused.contains("must be a finite number above 0"), "{refused}");
    }

    #[test]
    fn a_layer_takes_what_it_leaves_out_from_the_network() {
        let network = "activation = \"tanh\"\nbatch_norm = true\nnoise_variance = 0.5\ndropout = 0.25\n";
        check(
            &format!("{network}hidden = \"4,3-relu,Dr-0.5\""),
            &[
                "4: batch_norm tanh dropout:0.25 noise_variance:0.5",
                "3: batch_norm relu dropout:0.5 noise_variance:0.5",
            ],
        );
        let table = "hidden = [{ units = 4, batch_norm = false, noise_variance = 0, dropout = 0.0 }, 2]";
        check(&format!("{network}{table}"), &["4: tanh", "2: batch_norm tanh dropout:0.25 noise_variance:0.5"]);
        check("activation = \"tanh\"\ndropout = 0\nnoise_variance = 0.0\nhidden = [2]", &["2: tanh"]);
    }

    #[test]
    fn own_operations_and_those_of_the_network_are_in_one_order() {
        let layers = "hidden = [{ units = 4, batch_norm = true }, { units = 3, dropout = 0.25 }, { units = 2, noise_variance = 0.5 }]";
        check(
            &format!("activation = \"tanh\"\nquantise_bits = 4\n{layers}"),
            &[
                "4: batch_norm tanh quantise_bits:4",
                "3: tanh quantise_bits:4 dropout:0.25",
                "2: tanh quantise_bits:4 noise_variance:0.5",
            ],
        );
        check(
            "activation = \"tanh\"\nquantise_bits = 4\nhidden = [{ units = 4, quantise_bits = 0 }, 3]",
            &["4: tanh", "3: tanh quantise_bits:4"],
        );
        assert_eq!(read("activation = \"tanh\"\nquantise_bits = 0\nhidden = [4]").unwrap().output_bits, None);
    }

    #[test]
    fn values_are_bounded_by_their_activation_function_also_in_the_settings_of_a_recording() {
        let check = |table: &str, layers: &[usize], expected: ValueBounds| {
            let architecture = read(table).unwrap();
            let recorded: Vec<LayerId> = layers.iter().copied().map(LayerId::from_index).collect();
            assert_eq!(bounds(&architecture, &recorded), expected, "{table} {layers:?}");
            let mut written = settings(&architecture);
            written.insert("record".to_owned(), json!({ "layers": layers }));
            assert_eq!(recorded_bounds(&written.into()), expected, "{table} {layers:?}, as written");
        };
        let (within, open) = (ValueBounds::WithinOne, ValueBounds::Open);
        for activation in Activation::ALL {
            use Activation::{HardTanh, Sigmoid, Softsign, Tanh};
            let is_within = matches!(activation, Tanh | Sigmoid | Softsign | HardTanh);
            let table = format!("activation = \"{}\"\nhidden = [3, 2]", activation.name());
            check(&table, &[1, 2, 3], if is_within { within } else { open });
            // The output is softmax; the input is not of the network.
            check(&table, &[0, 3], within);
        }
        let tanh = "activation = \"tanh\"\nhidden = [3, 2]\n";
        check(&format!("{tanh}output = \"linear\""), &[1, 2], within);
        check(&format!("{tanh}output = \"linear\""), &[1, 2, 3], open);
        check(&format!("{tanh}output = \"sigmoid\""), &[1, 2, 3], within);
        // Dropout does nothing after training; noise is added, and normalised sums have no bound.
        check(&format!("{tanh}dropout = 0.5"), &[1, 2, 3], within);
        check(&format!("{tanh}gaussian_dropout = 0.5"), &[1, 2, 3], within);
        check(&format!("{tanh}batch_norm = true"), &[1, 2, 3], within);
        check("activation = \"tanh\"\nhidden = \"3-tanh,BN\"", &[1], open);
        check(&format!("{tanh}noise_variance = 0.5"), &[1], open);
        // 16 levels, 0 among them, from -16/15 to 14/15; of the values of a sigmoid from 0 to 1.
        check(&format!("{tanh}quantise_bits = 4"), &[1], open);
        check("activation = \"sigmoid\"\nhidden = [3]\nquantise_bits = 4", &[1, 2], within);
        check("activation = \"relu\"\nhidden = \"3-tanh,2\"", &[1, 3], within);
        check("activation = \"relu\"\nhidden = \"3-tanh,2\"", &[1, 2, 3], open);
        for other in [json!(null), json!({ "hidden": [3] }), json!({ "hidden": [3], "activation": "mish" })] {
            assert_eq!(recorded_bounds(&other), ValueBounds::Unknown);
        }
    }

    #[test]
    fn values_that_are_not_allowed_are_refused() {
        let refused = |table: &str, expected: &str| assert_eq!(read(table).unwrap_err(), expected, "{table}");
        let with_hidden = |hidden: &str| format!("activation = \"tanh\"\nhidden = {hidden}");
        refused(&with_hidden("[]"), "no hidden layers; give at least one width, for example [10, 7, 5, 4, 3]");
        refused(&with_hidden("[0]"), "every layer needs 1 to 10000000 units, got 0");
        refused(&with_hidden("\"10,0-relu\""), "every layer needs 1 to 10000000 units, got 0");
        refused(&with_hidden("\"Dr-0.2,10\""), "item `Dr-0.2` is before the first layer; begin with a width");
        refused(&with_hidden("\"10,Dr\""), "item `Dr`: must be Dr-RATE, such as Dr-0.2");
        refused(&with_hidden("\"10,Dr-1\""), "a dropout rate must be at least 0 and below 1, got 1");
        refused(&with_hidden("\"10-tanhh\""), "unknown choice `tanhh`; did you mean `tanh`?");
        refused(&with_hidden("\"10,Q-1\""), "bits must be 0 or a whole number from 2 to 16, got 1");
        refused(
            &with_hidden("[{ units = 3, droput = 0.1 }]").replace("droput", "noise_variance").replace("0.1", "-1"),
            "a variance must be a finite number of at least 0 within the range of f32, got -1",
        );
        refused(
            "hidden = [3]",
            "missing key `activation`: give it for the network or for each layer, for example \"tanh\" or \"linear\"",
        );
        assert!(
            read(&with_hidden("\"10,XY\""))
                .unwrap_err()
                .starts_with("unknown item `XY`; known: `WIDTH`, `WIDTH-ACTIVATION`")
        );
    }
}
