//! Checks whether the weights in a recording of another program, with the given activation function, reproduce its activations.

use ndarray::{Array1, Array2};

use super::super::StageError;
use super::given::Given;
use super::networks::NetworkPlace;
use crate::estimate_id::Values;
use crate::layer_id::LayerId;
use crate::nn::Activation;
use crate::suggest::Named;
use crate::weights::{DenseLayer, DenseNetwork};

/// Largest difference, relative to the largest value, that can be explained by rounding to half precision.
const TOLERANCE: f64 = 0.01;

/// Compares the last hidden layer of the `network` at `place` of run number `run` with its recorded activations, if there are
/// any.
///
/// # Errors
/// They differ, or cannot be read.
pub(super) fn check(given: &Given, run: usize, place: NetworkPlace, network: &DenseNetwork) -> Result<(), StageError> {
    let run = &given.recording.runs()[run];
    let hidden = &network.layers()[..network.layers().len() - 1];
    let (Some(last), Some(layer)) = (hidden.last(), LayerId::of_number(hidden.len() as i64)) else { return Ok(()) };
    let paths = run.parts(Values::Activations.table(), Some(layer));
    if paths.is_empty() || !paths.iter().all(|path| path.exists()) {
        return Ok(());
    }
    run.verify(Values::Activations.table(), Some(layer))?;
    let reader = run.activations(Values::Activations, layer)?;
    let Some(snapshot) = reader.snapshots().position(|other| other == place).filter(|_| !reader.is_partial()) else {
        return Ok(());
    };
    let n_units = last.bias.len();
    let refused = |problem: String| Err(StageError::Refused(format!("run {}, layer {layer}: {problem}", run.id)));
    if reader.n_units() != n_units {
        return refused(format!("its weights have {n_units} units, its activations {}", reader.n_units()));
    }
    let recorded: Vec<f64> = reader.read(snapshot)?.t.iter().map(|value| f64::from(*value)).collect();
    // The output of this network is the last hidden layer of the recorded network.
    let unchanged =
        DenseLayer { kernel: Array2::eye(n_units), bias: Array1::zeros(n_units), activation: Activation::Linear };
    let below = DenseNetwork::new(hidden.iter().cloned().chain([unchanged]).collect());
    let below = below.map_err(|e| StageError::Refused(format!("run {}: {e}", run.id)))?;
    let computed = below.logits(given.all_samples().labelled().x());
    let differences = computed.iter().zip(&recorded).map(|(computed, recorded)| (computed - recorded).abs());
    let (largest, size) =
        (differences.fold(0.0, f64::max), recorded.iter().fold(1.0, |size: f64, value| size.max(value.abs())));
    if largest > TOLERANCE * size {
        return refused(format!(
            "computed from its weights with `{}` it differs from the recorded activations by up to {largest:.3}; give the activation \
             function that the network has, and kernels of units × inputs",
            last.activation.name()
        ));
    }
    Ok(())
}
