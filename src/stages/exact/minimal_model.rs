//! Exact information of one binned unit with one Gaussian input, as a function of the weight.

use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::super::{Outcome, Progress, StageError};
use crate::count::counted;
use crate::math::minimal_model::{Bins, CURVES, Curve, i_xt};
use crate::store::schema::{MinimalModelRow, VERSION};
use crate::store::{Experiment, Footer, Lock, Pending, write_rows};
use crate::suggest::suggestion;

/// The requested curves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MinimalModelRequest {
    /// Activation functions by their names in a pipeline.
    pub activations: Vec<String>,
    /// Equal bins of bounded activations.
    pub n_bins: usize,
    /// Bin width for unbounded activation functions.
    pub bin_width: f64,
    /// If given, bins with this number of edges evenly spaced in the net input are also used for every activation function.
    pub n_net_input_edges: Option<usize>,
    /// The weights.
    pub weights: Vec<f64>,
}

/// Writes `minimal_model.parquet` into the folder `out`.
///
/// # Errors
/// An activation function has no exact result, bins or weights are invalid, or the table cannot be written.
pub fn minimal_model(choice: &MinimalModelRequest, out: &Path, progress: &dyn Progress) -> Result<Outcome, StageError> {
    let curves = choice.activations.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>()?;
    let work = Pending::new(out, "minimal_model", &json!({ "choice": choice, "schema": VERSION }));
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let mut wanted = Vec::new();
    for curve in curves {
        let of_curve = match curve.is_bounded() {
            true => Bins::Equal(choice.n_bins),
            false => Bins::Width(choice.bin_width),
        };
        let of_net_input = choice.n_net_input_edges.map(Bins::NetInput);
        for bins in [of_curve].into_iter().chain(of_net_input) {
            wanted.extend(choice.weights.iter().map(|weight| (curve, bins, *weight)));
        }
    }
    progress.begin("exact", wanted.len() as u64);
    // Collected in the order of the request, independent of the order of threads.
    let rows: Result<Vec<MinimalModelRow>, StageError> = wanted
        .par_iter()
        .map(|(curve, bins, weight)| {
            let row = row(curve, *bins, *weight);
            progress.advance(1);
            row
        })
        .collect();
    progress.end();
    let rows = rows?;
    let _lock = Lock::take(out)?;
    let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
    work.finish(vec![write_rows(out, Experiment::MINIMAL_MODEL, &rows, &footer)?])?;
    Ok(Outcome::Done(format!("{} → {}", counted(rows.len(), "row"), out.join(Experiment::MINIMAL_MODEL).display())))
}

fn row(curve: &Curve, bins: Bins, weight: f64) -> Result<MinimalModelRow, StageError> {
    let i_xt = i_xt(weight, curve, bins).map_err(|e| StageError::Refused(e.to_string()))?;
    Ok(MinimalModelRow {
        activation: curve.name.to_owned(),
        bins: bins.in_words(curve),
        weight,
        i_xt_bits: i_xt.bits(),
    })
}

fn named(name: &str) -> Result<&'static Curve, StageError> {
    Curve::named(name).ok_or_else(|| {
        let suggestion = suggestion(name, CURVES.iter().map(|curve| curve.name));
        StageError::Refused(format!("there is no exact result for the activation function `{name}`; {suggestion}"))
    })
}
