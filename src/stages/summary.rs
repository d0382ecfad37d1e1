//! The summary stage: reads the results of an experiment or a sweep for a screen. Writes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::lineage::{Depth, Present};
use super::{StageError, experiments, keys};
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::plots::weights::shown_numbers;
use crate::store::schema::{ClaimRow, CompressionRow, SummaryRow, WeightSummaryRow};
use crate::store::{Experiment, read_rows, verified_hash};

/// One estimator of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Name of the experiment.
    pub experiment: String,
    /// Identity of the estimate.
    #[serde(flatten)]
    pub estimator: Arc<EstimateId>,
    /// Number of failed trainings; `None` if this is not recorded.
    pub n_trainings_failed: Option<i64>,
    /// Number of trainings that ended no better than always predicting the most frequent class; `None` if this is not recorded.
    pub n_trainings_degenerate: Option<i64>,
    /// Every layer: the largest and the last I(X;T), compression and verdict.
    pub layers: Vec<CompressionRow>,
    /// By layer, the numbers of warnings and of violated checks at the last snapshot; `None` if the estimates are not checked.
    pub checks: Vec<Option<[i64; 2]>>,
    /// Means over runs in the information plane, by layer and epoch.
    pub plane: Vec<Point>,
    /// The ceilings of I(X;T) and I(T;Y), in bits.
    pub ceilings: [Option<f64>; 2],
    /// Measures of the weights of the experiment, which are the same for all its estimators.
    pub weights: Arc<[MeasureSummary]>,
}

/// A number of a measure of weights, of the whole network, at its first and last snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasureSummary {
    /// At the first snapshot.
    pub first: WeightSummaryRow,
    /// At the last.
    pub last: WeightSummaryRow,
}

/// A point of the information plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Number of the layer.
    pub layer: LayerId,
    /// Whole passes over the training samples.
    pub epoch: i32,
    /// I(X;T) in bits, mean over runs.
    pub i_xt_bits: f64,
    /// I(T;Y) in bits, mean over runs.
    pub i_ty_bits: f64,
    /// I(T;Y) with shuffled labels, in bits, mean over runs.
    pub i_ty_null_bits: Option<f64>,
}

/// Remarks about incomplete tables in the folder of `experiment`, which may be a sweep: they are older than the estimates or of
/// an older version, or runs are missing.
///
/// # Errors
/// A table cannot be read, or does not match its hash.
pub fn remarks(experiment: &Experiment) -> Result<Vec<String>, StageError> {
    let root = experiment.root();
    let mut remarks: Vec<String> = keys::read_summary(root)?.1.into_iter().collect();
    for member in &members(experiment)? {
        remarks.extend(keys::outdated(root, member)?);
    }
    Ok(remarks)
}

/// The judged claims in the folder of `experiment`, which may be a sweep. None if there are none, or if they were judged with
/// tables that have changed since.
///
/// # Errors
/// A table cannot be read, or does not match its hash.
pub fn claims(experiment: &Experiment) -> Result<Vec<ClaimRow>, StageError> {
    let (root, members) = (experiment.root(), members(experiment)?);
    if !root.join(Experiment::CLAIMS).exists()
        || !Present::of(&members, root, Depth::WithoutActivations)?.has_inputs_of(root, "claims")?
    {
        return Ok(Vec::new());
    }
    verified_hash(root, "claims", Experiment::CLAIMS)?;
    Ok(read_rows(&root.join(Experiment::CLAIMS))?)
}

/// The experiment, or the experiments of a sweep that its tables contain.
fn members(experiment: &Experiment) -> Result<Vec<Experiment>, StageError> {
    let root = experiment.root();
    Ok(if experiments::is_sweep(root) { experiments::joined(root)? } else { vec![experiment.clone()] })
}

/// The results in the tables of `experiment`, by experiment and estimator.
///
/// # Errors
/// There is no summary, or it was made by an earlier version, or does not match its hash.
pub fn summary(experiment: &Experiment) -> Result<Vec<Summary>, StageError> {
    let root = experiment.root();
    keys::aggregated(root, Experiment::SUMMARY)?;
    keys::existing(root, Experiment::COMPRESSION)?;
    for table in [Experiment::SUMMARY, Experiment::COMPRESSION] {
        verified_hash(root, "summary", table)?;
    }
    let rows: Vec<SummaryRow> = read_rows(&root.join(Experiment::SUMMARY))?;
    let compression: Vec<CompressionRow> = read_rows(&root.join(Experiment::COMPRESSION))?;
    let weights = measures(root)?;
    let by_estimator = rows.chunk_by(|a, b| (&a.experiment, &a.estimator) == (&b.experiment, &b.estimator));
    let summary = |rows: &[SummaryRow]| {
        let first = &rows[0];
        let is_of_this = |row: &&CompressionRow| row.experiment == first.experiment && row.estimator == first.estimator;
        let layers: Vec<CompressionRow> = compression.iter().filter(is_of_this).cloned().collect();
        let last = |layer: LayerId| rows.iter().rfind(|row| row.layer == layer);
        let point = |row: &SummaryRow| {
            let (i_xt_bits, i_ty_bits) = (row.i_xt_bits_mean?, row.i_ty_bits_mean?);
            let i_ty_null_bits = row.i_ty_null_bits_mean;
            Some(Point { layer: row.layer, epoch: row.epoch, i_xt_bits, i_ty_bits, i_ty_null_bits })
        };
        let checks = layers.iter().map(|row| {
            let last = last(row.layer)?;
            Some([last.n_checks_warning?, last.n_checks_violated?])
        });
        let ceiling = |number: fn(&SummaryRow) -> Option<f64>| rows.iter().filter_map(number).reduce(f64::max);
        Summary {
            experiment: first.experiment.clone(),
            estimator: first.estimator.clone(),
            n_trainings_failed: first.n_trainings_failed,
            n_trainings_degenerate: first.n_trainings_degenerate,
            checks: checks.collect(),
            layers,
            plane: rows.iter().filter_map(point).collect(),
            weights: weights.get(&first.experiment).cloned().unwrap_or_default(),
            ceilings: [ceiling(|row| row.i_xt_ceiling_bits), ceiling(|row| row.i_ty_ceiling_bits)],
        }
    };
    Ok(by_estimator.map(summary).collect())
}

/// The measures of weights in `folder`, by experiment; none if the table does not exist.
fn measures(folder: &Path) -> Result<BTreeMap<String, Arc<[MeasureSummary]>>, StageError> {
    let table = folder.join(Experiment::WEIGHT_SUMMARY);
    if !table.exists() {
        return Ok(BTreeMap::new());
    }
    verified_hash(folder, "summary", Experiment::WEIGHT_SUMMARY)?;
    let rows: Vec<WeightSummaryRow> = read_rows(&table)?;
    let of_experiment = |rows: &[WeightSummaryRow]| {
        let ends = |rows: Vec<&WeightSummaryRow>| {
            let of_network = || rows.iter().filter(|row| row.layer.is_none());
            let first = of_network().min_by_key(|row| row.step)?;
            let last = of_network().max_by_key(|row| row.step)?;
            Some(MeasureSummary { first: (*first).clone(), last: (*last).clone() })
        };
        (rows[0].experiment.clone(), shown_numbers(rows).into_iter().filter_map(ends).collect())
    };
    Ok(rows.chunk_by(|a, b| a.experiment == b.experiment).map(of_experiment).collect())
}
