//! Layers in shorthand: `12,Dr-0.2,10-tanh,BN,8-relu`.

use super::keys::{Accepts, Key, KeyTable, Omitted};
use super::layer::{Order, RawLayer, checked_bits, checked_rate, checked_units, checked_variance};
use super::tree::keys_of;
use super::values::named;
use crate::nn::{Activation, Operation};
use crate::suggest::{Named, suggestion};

/// The items of the shorthand.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "network",
    name: "shorthand",
    doc: "The items of a text in `hidden` of `[network]`, separated by commas: `hidden = \"12,Dr-0.2,10-tanh,BN,8-relu\"` (the notation of Grabauskas 2019). A width begins a layer; the items after it belong to that layer and are applied in their order. Properties that no item sets have the values of `[network]`.",
    keys: &[
        Key {
            name: "WIDTH",
            accepts: Accepts::Example("\"12\""),
            omitted: Omitted::OneOfSeveral,
            doc: "A hidden layer with this many units.",
        },
        Key {
            name: "WIDTH-ACTIVATION",
            accepts: Accepts::Example("\"12-tanh\""),
            omitted: Omitted::OneOfSeveral,
            doc: "A hidden layer with this many units and this activation function.",
        },
        Key {
            name: "ACTIVATION",
            accepts: Accepts::Example("\"12,tanh\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The activation function of the layer, after the items before it.",
        },
        Key {
            name: "BN",
            accepts: Accepts::Example("\"12-tanh,BN\""),
            omitted: Omitted::OneOfSeveral,
            doc: "Batch normalisation.",
        },
        Key {
            name: "Dr-RATE",
            accepts: Accepts::Example("\"12-tanh,Dr-0.2\""),
            omitted: Omitted::OneOfSeveral,
            doc: "Dropout with this rate, as `dropout` in `network.hidden`.",
        },
        Key {
            name: "GDr-RATE",
            accepts: Accepts::Example("\"12-tanh,GDr-0.2\""),
            omitted: Omitted::OneOfSeveral,
            doc: "Gaussian dropout with this rate, as `gaussian_dropout` in `network.hidden`.",
        },
        Key {
            name: "Noise-VARIANCE",
            accepts: Accepts::Example("\"12-tanh,Noise-0.01\""),
            omitted: Omitted::OneOfSeveral,
            doc: "Gaussian noise of this variance, as `noise_variance` in `network.hidden`.",
        },
        Key {
            name: "Q-BITS",
            accepts: Accepts::Example("\"12-tanh,Q-8\""),
            omitted: Omitted::OneOfSeveral,
            doc: "Rounding to this many bits, as `quantise_bits` in `network.hidden`.",
        },
    ],
    parameters: &[],
};

/// Reads the shorthand of Grabauskas 2019, `12,Dr-0.2,10-tanh,BN,8-relu`: dense layers by their width, with an activation or
/// that of the network, and the operations that follow each. In addition to his `Dr` and `BN`: `GDr` (Gaussian dropout),
/// `Noise` (with its variance), `Q` (with its bits), and the name of an activation alone.
pub(super) fn shorthand(text: &str) -> Result<Vec<RawLayer>, String> {
    let mut layers: Vec<RawLayer> = Vec::new();
    for item in text.split(',').map(str::trim) {
        let (word, value) = item.split_once('-').map_or((item, None), |(word, value)| (word, Some(value)));
        let wrong = |allowed: &str| format!("item `{item}`: must be {allowed}");
        let number = |allowed: &str| value.and_then(|v| v.parse::<f32>().ok()).ok_or_else(|| wrong(allowed));
        let operation = if word.starts_with(|c: char| c.is_ascii_digit()) {
            let n_units = word.parse().map_err(|_| wrong("a width such as 12, or 10-tanh")).and_then(checked_units)?;
            let operations = value.map(|name| named(name).map(Operation::Activation)).transpose()?;
            layers.push(RawLayer {
                n_units,
                operations: operations.into_iter().collect(),
                without: Vec::new(),
                order: Order::AsWritten,
            });
            continue;
        } else if let (None, Ok(activation)) = (value, Activation::find(word)) {
            Operation::Activation(activation)
        } else {
            match word {
                "BN" if value.is_none() => Operation::BatchNorm,
                "Dr" => Operation::Dropout { rate: checked_rate(number("Dr-RATE, such as Dr-0.2")?.into())? },
                "GDr" => {
                    Operation::GaussianDropout { rate: checked_rate(number("GDr-RATE, such as GDr-0.2")?.into())? }
                }
                "Noise" => {
                    let variance = number("Noise-VARIANCE, such as Noise-0.01")?;
                    Operation::Noise { variance: checked_variance(variance.into())? }
                }
                "Q" => Operation::Quantise { bits: checked_bits(number("Q-BITS, such as Q-8")?.into())? },
                _ => {
                    let items = KEYS.keys.iter().map(|key| key.name);
                    let items = items.chain(Activation::ALL.iter().map(|activation| activation.name()));
                    return Err(format!("unknown item `{item}`; {}{}", suggestion(word, items), keys_of("shorthand")));
                }
            }
        };
        let layer =
            layers.last_mut().ok_or_else(|| format!("item `{item}` is before the first layer; begin with a width"))?;
        layer.operations.push(operation);
    }
    Ok(layers)
}
