//! What stages that read each other's files agree on: which settings a recording was made with, what a bound was made of, and
//! where the tables over runs are.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::StageError;
use crate::config::{BoundRequest, Networks, Pipeline, differences};
use crate::estimate_id::Values;
use crate::store::schema::VERSION;
use crate::store::{Experiment, Manifest, Pending, Recording, StoreError, believed_hash, hash_bytes};

/// The path of `table`, which `infoplane aggregate` writes into `folder`.
///
/// # Errors
/// The table is not there.
pub(super) fn aggregated(folder: &Path, table: &str) -> Result<PathBuf, StageError> {
    let path = folder.join(table);
    let missing = || StageError::Refused(format!("there is no {}; run `infoplane aggregate` first", path.display()));
    if path.exists() { Ok(path) } else { Err(missing()) }
}

/// Whether a recording was made with the settings of the pipeline, whatever its data; `None` of another program's.
///
/// The settings are written anew and hashed: numbers read from a manifest are not always those that were written.
pub(super) fn is_recorded_with(pipeline: &Pipeline, experiment: &Experiment) -> Result<Option<bool>, StoreError> {
    let Some(networks) = pipeline.networks() else { return Ok(None) };
    let root = experiment.recording();
    let Some(claim) = claim(experiment)? else { return Ok(None) };
    let settings = json!({ "run": networks.run_settings(), "data": claim.made_from["data"] });
    Ok(Some(Pending::new(&root, "settings", &settings).key() == claim.key))
}

/// What says whose a recording is; `None` of another program's.
fn claim(experiment: &Experiment) -> Result<Option<Manifest>, StoreError> {
    Manifest::read(&experiment.recording().join(".meta/settings.json"))
}

/// Makes sure that a recording was not made with other settings than the pipeline's. Its data, and how many runs it has, are
/// not looked at.
///
/// # Errors
/// It was.
pub(crate) fn expect_recorded_with(pipeline: &Pipeline, experiment: &Experiment) -> Result<(), StageError> {
    if is_recorded_with(pipeline, experiment)? != Some(false) {
        return Ok(());
    }
    let root = experiment.recording();
    let recorded = claim(experiment)?.map_or(serde_json::Value::Null, |claim| claim.made_from["run"].clone());
    let wanted = pipeline.networks().map(Networks::run_settings);
    let differing = wanted.and_then(|wanted| differences(&recorded, &wanted));
    let differing = differing.map_or_else(String::new, |differing| format!(" ({differing})"));
    let remedy = "name the pipeline that it was made with, or replace it with `infoplane record --overwrite`";
    let root = root.display();
    Err(StageError::Refused(format!("{root} holds a recording made with other settings{differing}; {remedy}")))
}

/// The work of laying the layers of a recording beside the bound, in the folder `out`.
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
        "activations": hash_bytes(hashes.concat().as_bytes()),
        "code": request.code.id.to_string(),
        "betas": request.betas,
        "schema": VERSION,
    });
    Ok(Pending::new(out, "bound", &made_from))
}
