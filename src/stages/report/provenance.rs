//! Where an experiment of the page comes from: settings, versions, commands and files.

use serde::Serialize;

use super::super::StageError;
use crate::store::{Experiment, Manifest};

/// The settings, versions and files that one experiment of the page was made from.
#[derive(Debug, Serialize)]
pub(super) struct Provenance {
    crate_version: String,
    schema_version: u32,
    config_hash: String,
    settings: String,
    commands: Vec<String>,
    pub(super) files: Vec<(String, String)>,
}

impl Provenance {
    /// Reads what the recording of `experiment` says of itself; `files` are the tables of the page with their hashes.
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
            Some(claim) => (claim.made_from.get("run").map_or_else(String::new, |run| lines("", run)), commands),
            None if is_there => ("recorded by another program, which stored no settings".to_owned(), Vec::new()),
            None => ("the recording and its settings are missing".to_owned(), commands),
        };
        Ok(Self {
            crate_version: claim.as_ref().map_or_else(|| "unknown".to_owned(), |claim| claim.crate_version.clone()),
            schema_version: claim.as_ref().map_or(0, |claim| claim.schema_version),
            config_hash: claim.map_or_else(String::new, |claim| claim.key),
            settings,
            commands,
            files,
        })
    }
}

/// The command that makes the results in `outputs/<folder>`: of a trial, the pipeline of the whole with its flags.
fn run_command(folder: &str, experiment: &Experiment, claim: Option<&Manifest>) -> Result<String, StageError> {
    let Some(pipeline) = Experiment::new(folder).trial_of() else {
        return Ok(format!("infoplane run pipelines/{folder}.toml"));
    };
    let whole = Manifest::read(&experiment.recording().join(".meta/manifest.json"))?;
    let epochs = claim.and_then(|claim| claim.made_from["run"]["epochs"].as_u64());
    let runs = whole.and_then(|whole| whole.made_from["runs"].as_u64());
    let flag = |name: &str, n: Option<u64>| n.map_or_else(String::new, |n| format!(" --{name} {n}"));
    Ok(format!("infoplane run pipelines/{pipeline}.toml{}{}", flag("epochs", epochs), flag("runs", runs)))
}

/// Settings as lines of `key = value`; long lists are shortened.
fn lines(prefix: &str, settings: &serde_json::Value) -> String {
    let Some(table) = settings.as_object() else { return String::new() };
    let line = |(key, value): (&String, &serde_json::Value)| match value {
        serde_json::Value::Object(_) => lines(&format!("{prefix}{key}."), value),
        serde_json::Value::Array(list) if list.len() > 12 => {
            let (first, last) = (&list[..4], &list[list.len() - 1]);
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{prefix}{key} = [{}, … {} values …, {last}]\n", first.join(", "), list.len())
        }
        value => format!("{prefix}{key} = {value}\n"),
    };
    table.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_lines_and_long_lists_are_shortened() {
        let list: Vec<i32> = (0..20).collect();
        let settings = serde_json::json!({ "seed": 1, "record": { "epochs": list, "layers": [1, 2] } });
        let expected = "record.epochs = [0, 1, 2, 3, … 20 values …, 19]\nrecord.layers = [1,2]\nseed = 1\n";
        assert_eq!(lines("", &settings), expected);
    }
}
