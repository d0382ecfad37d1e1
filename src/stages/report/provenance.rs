//! The origin of an experiment of the page: settings, versions, commands and files.

use serde::Serialize;

use super::super::StageError;
use super::super::lineage::CurrentEstimates;
use super::settings::{as_tables, estimate_table};
use crate::config::MADE_OF;
use crate::estimate_id::{EstimateId, Unit};
use crate::store::schema::{Row, SampleRow};
use crate::store::{Experiment, Manifest, StoreError, read_footer};

/// The settings, versions and files that one experiment of the page was made from.
#[derive(Debug, Serialize)]
pub(super) struct Provenance {
    crate_version: String,
    schema_version: u32,
    config_hash: String,
    /// Lines of text: tables of a pipeline file.
    settings: Vec<String>,
    commands: Vec<String>,
    pub(super) files: Vec<(String, String)>,
}

impl Provenance {
    /// Reads the settings and versions of the recording of `experiment`; `files` are the tables of the page with their hashes.
    pub(super) fn read(
        experiment: &Experiment,
        sweep: Option<&str>,
        files: Vec<(String, String)>,
    ) -> Result<Self, StageError> {
        let name = experiment.name();
        let is_there = experiment.recording().exists();
        let claim = Manifest::read(&experiment.recording().join(".meta/settings.json"))?;
        let commands = match sweep {
            Some(sweep) => vec![
                format!("{} --only '{name}'", run_command(sweep, experiment, claim.as_ref())?),
                format!("infoplane check outputs/{sweep}/{name}"),
                format!("infoplane report outputs/{sweep}"),
            ],
            None => vec![
                run_command(&name, experiment, claim.as_ref())?,
                format!("infoplane check outputs/{name}"),
                format!("infoplane report outputs/{name}"),
            ],
        };
        let (settings, commands) = match &claim {
            Some(claim) => (pipeline_settings(claim, experiment)?, commands),
            None if is_there => ("# recorded by another program, which stored no settings\n".to_owned(), Vec::new()),
            None => ("# the recording and its settings are missing\n".to_owned(), commands),
        };
        let settings = format!("{settings}{}", estimates(experiment)?);
        Ok(Self {
            crate_version: claim.as_ref().map_or_else(|| "unknown".to_owned(), |claim| claim.crate_version.clone()),
            schema_version: claim.as_ref().map_or(0, |claim| claim.schema_version),
            config_hash: claim.map_or_else(String::new, |claim| claim.key),
            settings: settings.lines().map(str::to_owned).collect(),
            commands,
            files,
        })
    }
}

/// The settings of a recording as a pipeline writes them: the number of runs, then the tables.
fn pipeline_settings(claim: &Manifest, experiment: &Experiment) -> Result<String, StageError> {
    let runs = n_runs(experiment)?.map_or_else(String::new, |n| format!("runs = {n}\n"));
    let data = match read_footer(&experiment.recording().join(Experiment::SAMPLES), SampleRow::TABLE) {
        Ok(mut footer) => footer.remove(MADE_OF),
        Err(StoreError::Missing { .. }) => None,
        Err(e) => return Err(e.into()),
    };
    Ok(runs + &claim.made_from.get("run").map_or_else(String::new, |run| as_tables(run, data.as_deref())))
}

/// An `[[estimate]]` table for each estimate of the recording, each after an empty line.
fn estimates(experiment: &Experiment) -> Result<String, StageError> {
    let mut text = String::new();
    for unit in [Unit::Layers, Unit::Units] {
        for (name, paths) in CurrentEstimates::read(experiment, unit)?.tables {
            let id = EstimateId { unit, ..EstimateId::of_table(&name) };
            let run = paths.first().and_then(|path| path.file_stem()?.to_str()?.strip_prefix("run="));
            let manifest = run.map(|run| Manifest::named(experiment.root(), &Experiment::estimate_manifest(&id, run)));
            let manifest = manifest.transpose()?.flatten();
            let number = |key: &str| manifest.as_ref()?.made_from[key].as_u64();
            text.push_str(&format!("\n{}", estimate_table(&id, number("shuffles"), number("resamples"))));
        }
    }
    Ok(text)
}

/// The number of runs of the recording; `None` if it was never finished.
fn n_runs(experiment: &Experiment) -> Result<Option<u64>, StageError> {
    let whole = Manifest::read(&experiment.recording().join(".meta/manifest.json"))?;
    Ok(whole.and_then(|whole| whole.made_from["runs"].as_u64()))
}

/// The command that makes the results in `outputs/<folder>`. A trial is made by the complete pipeline with `--epochs` and `--runs`.
fn run_command(folder: &str, experiment: &Experiment, claim: Option<&Manifest>) -> Result<String, StageError> {
    let Some(pipeline) = Experiment::new(folder).trial_of() else {
        return Ok(format!("infoplane run pipelines/{folder}.toml"));
    };
    let epochs = claim.and_then(|claim| claim.made_from["run"]["epochs"].as_u64());
    let flag = |name: &str, n: Option<u64>| n.map_or_else(String::new, |n| format!(" --{name} {n}"));
    Ok(format!(
        "infoplane run pipelines/{pipeline}.toml{}{}",
        flag("epochs", epochs),
        flag("runs", n_runs(experiment)?)
    ))
}
