//! The verify stage: evaluates the claims of a pipeline on its runs, and writes the verdicts to `claims.parquet`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use super::claims::{Aggregated, ClaimTables, Judged, each, judged};
use super::{Outcome, StageError, keys};
use crate::config::Pipeline;
use crate::config::expect::{Expect, Minus, Quantity};
use crate::count::counted;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::{ClaimRow, VERSION};
use crate::store::{
    ClaimVerdict, CompressionVerdict, Experiment, Footer, FrozenClaim, FrozenClaims, Lock, Pending, write_rows,
};

/// Evaluates the claims of pipelines about their experiments, and writes `claims.parquet` into `out`.
///
/// A claim holds if the 95 % interval of the mean over runs is entirely in the claimed range, and fails if it is entirely
/// outside; otherwise it is undecided. Runs whose training failed are left out, and counted. If one of several experiments
/// cannot be read, its claims are undecided.
///
/// # Errors
/// There are no claims, or a file does not match its hash.
pub fn verify(experiments: &[(&Pipeline, Experiment)], out: &Path) -> Result<Vec<ClaimRow>, StageError> {
    Ok(judge(experiments, out)?.0)
}

/// Whether every recording was made with the settings of its pipeline, so that claims are about it.
///
/// # Errors
/// A manifest cannot be read.
pub fn are_of_their_recordings(experiments: &[(&Pipeline, Experiment)]) -> Result<bool, StageError> {
    for (pipeline, experiment) in experiments {
        if keys::is_recorded_with(pipeline, experiment)? == Some(false) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// As [`verify`], but writes nothing: for claims of another pipeline.
///
/// # Errors
/// As [`verify`].
pub fn judged_only(experiments: &[(&Pipeline, Experiment)]) -> Result<Vec<ClaimRow>, StageError> {
    Ok(verdicts(experiments)?.0)
}

/// As [`verify`], but reports whether the verdicts changed, and counts them.
///
/// # Errors
/// As [`verify`].
pub fn update(experiments: &[(&Pipeline, Experiment)], out: &Path) -> Result<Outcome, StageError> {
    Ok(match judge(experiments, out)? {
        (_, Written::Before) => Outcome::UpToDate,
        (rows, Written::Now) => Outcome::Done(format!("{} → {}", counts(&rows), out.display())),
    })
}

/// The numbers of claims that hold, fail and are undecided, in words, and how many hold for a compression with a withheld
/// verdict.
pub fn counts(rows: &[ClaimRow]) -> String {
    let n = |verdict: ClaimVerdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let [holding, failing, undecided] = [ClaimVerdict::Holds, ClaimVerdict::Fails, ClaimVerdict::Undecided].map(n);
    let is_withheld = |row: &&ClaimRow| row.compression.is_some_and(CompressionVerdict::is_withheld);
    let n_withheld = rows.iter().filter(is_withheld).filter(|row| row.verdict == ClaimVerdict::Holds).count();
    let withheld = match n_withheld {
        0 => String::new(),
        n => format!("; {n} of the claims that hold are about a saturated or contradicted compression"),
    };
    format!(
        "{}: {holding} {}, {failing} {}, {undecided} undecided{withheld}",
        counted(rows.len(), "claim"),
        verb(holding, "hold"),
        verb(failing, "fail")
    )
}

/// A verb after a number of things.
fn verb(n: usize, verb: &str) -> String {
    if n == 1 { format!("{verb}s") } else { verb.to_owned() }
}

/// When a table was written.
enum Written {
    Before,
    Now,
}

/// Whether the verdicts that [`verify`] would write are in `out`.
///
/// # Errors
/// As [`verify`].
pub fn is_done(experiments: &[(&Pipeline, Experiment)], out: &Path) -> Result<bool, StageError> {
    Ok(prepare(experiments, out)?.1.finished()?.is_some())
}

fn judge(experiments: &[(&Pipeline, Experiment)], out: &Path) -> Result<(Vec<ClaimRow>, Written), StageError> {
    let (rows, work) = prepare(experiments, out)?;
    if work.finished()?.is_some() {
        return Ok((rows, Written::Before));
    }
    let _lock = Lock::wait(out, "claims")?;
    let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
    work.finish(vec![write_rows(out, Experiment::CLAIMS, &rows, &footer)?])?;
    Ok((rows, Written::Now))
}

/// The verdicts, and the work of writing them.
fn prepare(experiments: &[(&Pipeline, Experiment)], out: &Path) -> Result<(Vec<ClaimRow>, Pending), StageError> {
    let (rows, hashes) = verdicts(experiments)?;
    let work = Pending::new(out, "claims", &json!({ "tables": hashes, "claims": rows, "schema": VERSION }));
    Ok((rows, work))
}

/// The verdicts, and the hashes of the tables that they were made from.
fn verdicts(experiments: &[(&Pipeline, Experiment)]) -> Result<(Vec<ClaimRow>, BTreeSet<String>), StageError> {
    if experiments.iter().all(|(pipeline, _)| pipeline.claims.is_empty()) {
        let problem = "the pipeline makes no claims; add `[[expect]]` tables";
        return Err(StageError::Refused(problem.to_owned()));
    }
    let (mut rows, mut hashes) = (Vec::new(), BTreeSet::new());
    for (pipeline, experiment) in experiments.iter().filter(|(pipeline, _)| !pipeline.claims.is_empty()) {
        match of_experiment(pipeline, experiment, &mut hashes) {
            Ok(judged) => rows.extend(judged),
            Err(e) if experiments.len() == 1 => return Err(e),
            Err(e) => rows.extend(
                each(pipeline)
                    .map(|(claim, layer)| row(&experiment.name(), claim, layer, Judged::undecided(e.to_string()))),
            ),
        }
    }
    Ok((rows, hashes))
}

fn of_experiment(
    pipeline: &Pipeline,
    experiment: &Experiment,
    hashes: &mut BTreeSet<String>,
) -> Result<Vec<ClaimRow>, StageError> {
    let mut tables = ClaimTables::open(pipeline, experiment)?;
    let place = experiment.recording();
    if keys::is_recorded_with(pipeline, experiment)? == Some(false) {
        tracing::warn!(
            "{} was recorded with other settings than in the pipeline, so the claims may not apply to it",
            place.display()
        );
    }
    if experiment.is_unfinished() {
        tracing::warn!("{} is unfinished: only its complete runs are evaluated", place.display());
    }
    let aggregated = Aggregated::read(experiment)?;
    let made: Vec<FrozenClaim> = pipeline.claims.iter().map(Expect::frozen).collect();
    let (registered, dropped) = FrozenClaims::compare(FrozenClaims::of_recording(experiment)?, &made);
    if let [first, ..] = &dropped[..] {
        // Otherwise they would disappear silently.
        let (n, first) = (dropped.len(), &first.claim);
        let (claims, name) = (counted(n, "claim"), &pipeline.name);
        let (was, is) = if n == 1 { ("was", "is") } else { ("were", "are") };
        tracing::warn!(
            "{claims} {was} registered before the recording and {is} no longer in the pipeline {name}; the first is “{first}”"
        );
    }
    let mut rows = Vec::new();
    for (claim, layer) in each(pipeline) {
        let judged = judged(&mut tables, claim, &claim.quantity, layer)?;
        let layer_name = layer.and_then(|layer| tables.names.get(layer));
        let compression = aggregated.verdict(claim, layer, tables.estimate_files(&claim.quantity));
        rows.push(ClaimRow {
            layer_name,
            registered: registered.get(&claim.frozen().blake3).copied(),
            compression,
            ..row(&experiment.name(), claim, layer, judged)
        });
    }
    hashes.extend(tables.hashes);
    Ok(rows)
}

fn row(experiment: &str, claim: &Expect, layer: Option<LayerId>, judged: Judged) -> ClaimRow {
    let estimate = match &claim.quantity {
        Quantity::Estimated { estimate, .. } => Some(EstimateId::of_table(estimate)),
        Quantity::Fit(_) | Quantity::Gradient { .. } | Quantity::Bound(_) | Quantity::Weights { .. } => None,
    };
    let weights = match &claim.quantity {
        Quantity::Weights { measure, .. } => Some(measure.clone()),
        _ => None,
    };
    ClaimRow {
        experiment: experiment.to_owned(),
        figure: claim.figure.clone(),
        claim: claim.claim.clone(),
        paper: claim.paper.clone(),
        estimator: estimate.map(std::sync::Arc::new),
        quantity: claim.quantity.name().to_owned(),
        layer,
        layer_name: None,
        weights,
        measure: claim.measure.words(),
        minus: claim.minus.as_ref().map(Minus::words),
        wanted: claim.wanted.words(),
        verdict: judged.verdict,
        n_runs: judged.numbers.len() as i32,
        n_failed: judged.n_failed as i32,
        n_met: judged.n_met as i32,
        mean: judged.mean(),
        std: judged.interval.map(|i| i.std),
        low: judged.interval.and_then(|i| i.range).map(|r| r.low),
        high: judged.interval.and_then(|i| i.range).map(|r| r.high),
        reason: judged.reason,
        estimate_quantity: judged.quantity,
        registered: None,
        compression: None,
    }
}
