//! The names of the layers of a network in its recording.

use crate::layer_id::LayerId;
use crate::nn::{Architecture, Operation};
use crate::store::schema::LayerRow;
use crate::suggest::Named;

/// The names of the input, the hidden layers (by number), and the output.
pub(super) fn layers(architecture: &Architecture) -> Vec<LayerRow> {
    let row = |layer: LayerId, name: &str, kind: String| LayerRow {
        layer,
        layer_name: name.to_owned(),
        layer_kind: Some(kind),
        shape: None,
        reduction: None,
    };
    let hidden = LayerId::above_input().zip(&architecture.hidden).map(|(layer, hidden)| {
        let words: Vec<&str> = ["dense"].into_iter().chain(hidden.operations.iter().map(word)).collect();
        row(layer, &format!("layer {layer}"), words.join(", "))
    });
    let output = row(architecture.output_layer(), "output", format!("dense, {}", architecture.output.name()));
    [row(LayerId::INPUT, "input", "input".to_owned())].into_iter().chain(hidden).chain([output]).collect()
}

fn word(operation: &Operation) -> &'static str {
    match operation {
        Operation::Activation(activation) => activation.name(),
        Operation::BatchNorm => "batch normalisation",
        Operation::Dropout { .. } => "dropout",
        Operation::GaussianDropout { .. } => "Gaussian dropout",
        Operation::Noise { .. } => "noise",
        Operation::Quantise { .. } => "quantised",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Initial};

    #[test]
    fn a_layer_is_called_by_its_number_and_the_last_one_output() {
        let initial = Initial::find("glorot_uniform").unwrap();
        let mut architecture = Architecture::plain(&[4, 3], Activation::Tanh, initial);
        architecture.hidden[1].operations.push(Operation::Dropout { rate: 0.5 });
        let rows = layers(&architecture);
        let words: Vec<(i32, &str, Option<&str>)> =
            rows.iter().map(|row| (row.layer.into(), row.layer_name.as_str(), row.layer_kind.as_deref())).collect();
        let wanted = [
            (0, "input", Some("input")),
            (1, "layer 1", Some("dense, tanh")),
            (2, "layer 2", Some("dense, tanh, dropout")),
            (3, "output", Some("dense, softmax")),
        ];
        assert_eq!(words, wanted);
    }
}
