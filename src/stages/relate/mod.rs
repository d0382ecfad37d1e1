//! The relate stage: correlations between the compression of I(X;T) and the measures of weights, over settings, runs and
//! snapshots.

mod statistics;
mod trajectories;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::lineage::CurrentEstimates;
use super::{StageError, keys};
use crate::count::counted;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::math::paired::holm;
use crate::store::schema::{PhaseRow, RelationRow, VERSION};
use crate::store::{Experiment, Footer, Lock, Pending, read_rows, verified_hash, write_rows};
use statistics::{Pair, statistics};
use trajectories::{InformationTrajectories, WeightTrajectories};

/// Relates compression (`phases.parquet` in `out`) to the measures of weights of `experiments`, and writes `relations.parquet`
/// into `out`.
///
/// # Errors
/// Nothing is aggregated, no experiment has measures of weights, or a file does not match its hash.
pub fn relate(experiments: &[Experiment], out: &Path) -> Result<Vec<RelationRow>, StageError> {
    let sources = Sources::find(experiments, out)?;
    if sources.work.finished()?.is_some() {
        verified_hash(out, "relations", Experiment::RELATIONS)?;
        return Ok(read_rows(&out.join(Experiment::RELATIONS))?);
    }
    let rows = sources.relations()?;
    let _lock = Lock::wait(out, "relations")?;
    let footer = Footer::from([("infoplane.config_hash".to_owned(), sources.work.key().to_owned())]);
    sources.work.finish(vec![write_rows(out, Experiment::RELATIONS, &rows, &footer)?])?;
    Ok(rows)
}

/// Whether the table that [`relate`] would write is in `out`.
///
/// # Errors
/// As [`relate`].
pub fn is_done(experiments: &[Experiment], out: &Path) -> Result<bool, StageError> {
    Ok(Sources::find(experiments, out)?.work.finished()?.is_some())
}

/// The numbers of tested and of significant relations, in words.
pub fn counts(rows: &[RelationRow]) -> String {
    let n_tested = rows.iter().filter(|row| row.p.is_some()).count();
    let n_clear = rows.iter().filter(|row| row.is_clear()).count();
    format!("{} tested, {n_clear} with p < 0.05 after Holm's correction", counted(n_tested, "relation"))
}

/// The input tables of relations, not read yet.
struct Sources<'a> {
    phases: PathBuf,
    /// The tables of each measure of weights.
    weights: Vec<(&'a Experiment, String, Vec<PathBuf>)>,
    /// The tables of each estimator.
    estimates: Vec<(&'a Experiment, Vec<PathBuf>)>,
    /// The table of relations to make.
    work: Pending,
}

impl<'a> Sources<'a> {
    fn find(experiments: &'a [Experiment], out: &Path) -> Result<Self, StageError> {
        let phases = keys::aggregated(out, Experiment::PHASES)?;
        let mut hashes = BTreeSet::from([verified_hash(out, "summary", Experiment::PHASES)?]);
        let (mut weights, mut estimates) = (Vec::new(), Vec::new());
        for experiment in experiments {
            let measured = CurrentEstimates::of_weights(experiment)?;
            measured.left_out.iter().for_each(|(_, sentence)| tracing::warn!("{sentence}"));
            weights.extend(measured.tables.into_iter().map(|(id, paths)| (experiment, id, paths)));
            estimates.extend(CurrentEstimates::expect(experiment)?.into_iter().map(|(_, paths)| (experiment, paths)));
        }
        if weights.is_empty() {
            return Err(StageError::Refused(format!(
                "{}: there are no measures of weights; add `[[weights]]` tables to the pipeline, or run `infoplane weights` first",
                out.display()
            )));
        }
        let of_weights = weights.iter().map(|(experiment, _, paths)| (*experiment, paths));
        for (experiment, paths) in of_weights.chain(estimates.iter().map(|(experiment, paths)| (*experiment, paths))) {
            for path in paths {
                hashes.insert(experiment.verified_estimates(path)?.1);
            }
        }
        let work = Pending::new(out, "relations", &json!({ "tables": hashes, "schema": VERSION }));
        Ok(Self { phases, weights, estimates, work })
    }

    /// Reads the tables and relates them.
    fn relations(&self) -> Result<Vec<RelationRow>, StageError> {
        let phases: Vec<PhaseRow> = read_rows(&self.phases)?;
        let mut weights = WeightTrajectories::default();
        for (experiment, id, paths) in &self.weights {
            weights.read(experiment, id, paths)?;
        }
        let mut information = InformationTrajectories::default();
        for (experiment, paths) in &self.estimates {
            information.read(experiment, paths)?;
        }
        Ok(relations(&phases, &weights, &information))
    }
}

/// The rows of the table, estimator by estimator.
fn relations(
    phases: &[PhaseRow],
    weights: &WeightTrajectories,
    information: &InformationTrajectories,
) -> Vec<RelationRow> {
    let mut by_place: BTreeMap<(String, LayerId), Vec<&PhaseRow>> = BTreeMap::new();
    for row in phases {
        by_place.entry((row.estimator.to_string(), row.layer)).or_default().push(row);
    }
    let mut rows = Vec::new();
    for ((estimator, layer), phases) in by_place {
        for (series, trajectories) in weights.of_layer(layer) {
            let pairs: Vec<Pair> = Pair::all(&phases, trajectories, information);
            for found in statistics(&pairs) {
                rows.push(RelationRow {
                    estimator: Arc::new(EstimateId::of_table(&estimator)),
                    layer,
                    layer_name: phases[0].layer_name.clone(),
                    weights: series.weights.clone(),
                    randomness: series.randomness.clone(),
                    quantity: series.quantity.clone(),
                    weights_layer: series.layer,
                    statistic: found.statistic.to_owned(),
                    number: found.number.to_owned(),
                    n: found.n as i32,
                    value: found.value,
                    low: found.range.map(|range| range.low),
                    high: found.range.map(|range| range.high),
                    p: found.p,
                    p_holm: None,
                    reason: found.reason,
                });
            }
        }
    }
    correct(&mut rows);
    rows
}

/// Holm's correction over all rows of an estimator and a statistic.
fn correct(rows: &mut [RelationRow]) {
    let family = |row: &RelationRow| (row.estimator.to_string(), row.statistic.clone());
    let families: BTreeSet<(String, String)> = rows.iter().map(family).collect();
    for wanted in families {
        let places: Vec<usize> = (0..rows.len()).filter(|place| family(&rows[*place]) == wanted).collect();
        let p: Vec<Option<f64>> = places.iter().map(|place| rows[*place].p).collect();
        for (place, p_holm) in places.into_iter().zip(holm(&p)) {
            rows[place].p_holm = p_holm;
        }
    }
}
