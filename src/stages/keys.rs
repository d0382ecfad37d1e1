//! Shared by stages that read each other's files: the settings of a recording, the inputs of a bound, and the paths of the
//! tables over runs.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::lineage::CurrentEstimates;
use super::{StageError, lineage};
use crate::config::{BoundRequest, Networks, Pipeline, differences};
use crate::count::counted;
use crate::estimate_id::{Unit, Values};
use crate::store::schema::{Row, SummaryRow, VERSION};
use crate::store::{
    Experiment, LayerNames, Manifest, Pending, Recording, RunId, StoreError, believed_hash, read_rows, schema_version,
};

/// The path of `table`, which `infoplane aggregate` writes into `folder` from the present recordings and estimates.
///
/// # Errors
/// The table does not exist, or was made from other recordings or estimates.
pub(super) fn aggregated(folder: &Path, table: &str) -> Result<PathBuf, StageError> {
    let path = existing(folder, table)?;
    lineage::expect_current(&Experiment::new(folder))?;
    Ok(path)
}

/// The path of another table of a folder whose tables are [`aggregated`].
///
/// # Errors
/// The table does not exist.
pub(super) fn existing(folder: &Path, table: &str) -> Result<PathBuf, StageError> {
    let path = folder.join(table);
    if path.exists() {
        return Ok(path);
    }
    let folder = folder.display();
    let problem = format!("{folder}: there is no {table} yet; run `infoplane aggregate {folder}` first");
    Err(StageError::Refused(problem))
}

/// The first version whose intervals of the summary are Student's.
const STUDENT_SINCE: u32 = 8;

/// The summary in `folder`. Intervals of another kind, written by earlier versions, are left out, with a remark.
///
/// # Errors
/// The summary does not exist, or cannot be read.
pub(super) fn read_summary(folder: &Path) -> Result<(Vec<SummaryRow>, Option<String>), StoreError> {
    let path = folder.join(Experiment::SUMMARY);
    let mut rows: Vec<SummaryRow> = read_rows(&path)?;
    let version = schema_version(&path, SummaryRow::TABLE)?;
    if version >= STUDENT_SINCE {
        return Ok((rows, None));
    }
    for row in &mut rows {
        (row.i_xt_bits_low, row.i_xt_bits_high, row.i_ty_bits_low, row.i_ty_bits_high) = (None, None, None, None);
    }
    let (path, folder) = (path.display(), folder.display());
    let remark = format!(
        "{path} is of version {version}, so its intervals are not Student's intervals and are left out; run `infoplane aggregate {folder}` again"
    );
    Ok((rows, Some(remark)))
}

/// Remarks about results of an `experiment` that are missing in the tables over runs in `folder`, or in its estimates.
pub(super) fn outdated(folder: &Path, experiment: &Experiment) -> Result<Vec<String>, StageError> {
    let CurrentEstimates { tables: estimates, left_out } = CurrentEstimates::read(experiment, Unit::Layers)?;
    let (name, made_from) = (experiment.name(), lineage::inputs_of(folder, "summary")?);
    let mut remarks: Vec<String> = left_out.into_iter().map(|(_, sentence)| sentence).collect();
    let mut is_newer = false;
    for path in estimates.iter().flat_map(|(_, paths)| paths) {
        is_newer = is_newer || !made_from.contains(&experiment.verified_estimates(path)?.1);
    }
    if is_newer {
        let folder = folder.display();
        remarks.push(format!(
            "{name} has estimates that are not in its summary; run `infoplane aggregate {folder}` again"
        ));
    }
    remarks.extend(missing_runs(experiment, &estimates));
    Ok(remarks)
}

/// A remark about recorded runs without estimates.
pub(super) fn missing_runs(experiment: &Experiment, estimates: &[(String, Vec<PathBuf>)]) -> Option<String> {
    // Estimates may be in another folder than their recording.
    let n_runs = Recording::open(experiment).ok()?.runs().len();
    let pooled = format!("run={}.parquet", RunId::pooled());
    let is_short = |(_, paths): &&(String, Vec<PathBuf>)| {
        paths.len() < n_runs && !paths.iter().any(|path| path.ends_with(&pooled))
    };
    let (estimator, paths) = estimates.iter().find(is_short)?;
    let (name, n, runs) = (experiment.name(), paths.len(), counted(n_runs, "recorded run"));
    Some(format!(
        "{estimator} of {name} has estimates of {n} of {runs}; run `infoplane estimate`, then `infoplane aggregate`"
    ))
}

/// Whether a recording was made with the settings of the pipeline, for any data; `None` for recordings of another program.
///
/// The settings are written again and hashed, because numbers read from a manifest may differ from the written numbers.
pub(super) fn is_recorded_with(pipeline: &Pipeline, experiment: &Experiment) -> Result<Option<bool>, StoreError> {
    let Some(networks) = pipeline.networks() else { return Ok(None) };
    let root = experiment.recording();
    let Some(claim) = claim(experiment)? else { return Ok(None) };
    let settings = json!({ "run": networks.run_settings(), "data": claim.made_from["data"] });
    Ok(Some(Pending::new(&root, "settings", &settings).key() == claim.key))
}

/// The manifest of a recording with its settings; `None` for recordings of another program.
fn claim(experiment: &Experiment) -> Result<Option<Manifest>, StoreError> {
    Manifest::read(&experiment.recording().join(".meta/settings.json"))
}

/// Makes sure that a recording was not made with other settings than in the pipeline. Its data and number of runs are not
/// compared.
///
/// # Errors
/// It was made with other settings.
pub(crate) fn expect_recorded_with(pipeline: &Pipeline, experiment: &Experiment) -> Result<(), StageError> {
    if is_recorded_with(pipeline, experiment)? != Some(false) {
        return Ok(());
    }
    let root = experiment.recording();
    let recorded = claim(experiment)?.map_or(serde_json::Value::Null, |claim| claim.made_from["run"].clone());
    let wanted = pipeline.networks().map(Networks::run_settings);
    let differing = wanted.and_then(|wanted| differences(&recorded, &wanted));
    let differing = differing.map_or_else(String::new, |differing| format!(" ({differing})"));
    let remedy = "use the pipeline of the recording, or replace the recording with `infoplane record --overwrite`";
    let root = root.display();
    Err(StageError::Refused(format!("{root} has a recording made with other settings{differing}; {remedy}")))
}

/// The work of comparing the layers of a recording with the bound, in the folder `out`.
pub(super) fn bound(
    experiment: &Experiment,
    recording: &Recording,
    request: &BoundRequest,
    out: &Path,
) -> Result<Pending, StageError> {
    let mut hashes = vec![believed_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?];
    let layers = recording.layers(Values::Activations)?;
    for run in recording.runs() {
        for layer in &layers {
            hashes.extend(run.hashes(Values::Activations.table(), Some(*layer))?);
        }
    }
    let made_from = json!({
        "tables": hashes,
        "code": request.code.id.to_string(),
        "betas": request.betas,
        "layers": LayerNames::read(experiment, recording)?.in_words(),
        "schema": VERSION,
    });
    Ok(Pending::new(out, "bound", &made_from))
}
