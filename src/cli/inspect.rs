//! `infoplane inspect`: shows the contents of a file or a folder, or checks that they are valid.

use std::path::Path;

use crate::count::counted;
use crate::pipeline::{Needs, resolve};
use crate::stages::experiments::is_sweep;
use crate::stages::inspect::{Contents, Report, SweepEntry, TableFacts, inspect, validate};
use crate::store::{Experiment, Facts, layer_in_cell, plain};
use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use indicatif::DecimalBytes;
use serde_json::json;

use super::Ended;
use super::arguments::{flag, for_each, path};
use super::table::{grid, or_dash};
use super::terminal::Terminal;

pub(super) fn command() -> Command {
    Command::new("inspect")
        .about("Show the contents of a file or a folder, or check that they are valid")
        .arg(
            Arg::new("path")
                .value_name("PATH")
                .help("A Parquet file, or the folder of an experiment or a sweep, for example outputs/tishby")
                .required(true)
                .value_parser(value_parser!(std::path::PathBuf)),
        )
        .arg(flag(
            "validate",
            "Read and check everything; exit with code 0 if it is valid, otherwise report the first fault and exit with code 2",
        ))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let path = path(matches, "path").context("clap requires the path")?;
    let is_json = terminal.is_json();
    if matches.get_flag("validate") {
        return run_validate(path, terminal);
    }
    if !path.exists() {
        anyhow::bail!("{}: no such file or folder", path.display());
    }
    let report = match inspect(path) {
        // `resolve` explains better why a folder is not an experiment.
        Err(_) if path.is_dir() && !is_sweep(path) && !path.join("recording").is_dir() => {
            resolve(path, Needs::Recording)?;
            inspect(path)?
        }
        report => report?,
    };
    if is_json {
        terminal.print_json(&report)?;
        return Ok(Ended::default());
    }
    let text = match &report {
        Report::File(facts) => describe_file(facts),
        Report::Experiment(contents) => describe_experiment(contents),
        Report::Sweep(members) => describe_sweep(members),
    };
    terminal.print(&text)?;
    Ok(Ended::default())
}

fn run_validate(path: &Path, terminal: &Terminal) -> anyhow::Result<Ended> {
    let validate_one = |path: &Path, member: Option<String>| -> anyhow::Result<()> {
        let outcome = validate(path, terminal);
        if terminal.is_json() {
            let fault = outcome.as_ref().err().map(ToString::to_string);
            let is_valid = fault.is_none();
            match member {
                None => terminal.print_json(&json!({ "valid": is_valid, "fault": fault }))?,
                Some(name) => terminal.print_line(&json!({ "experiment": name, "valid": is_valid, "fault": fault }))?,
            }
        }
        let text = outcome?.text().to_owned();
        if terminal.is_json() { Ok(()) } else { terminal.print(&format!("{text}\n")) }
    };
    if !is_sweep(path) {
        validate_one(path, None)?;
        return Ok(Ended::default());
    }
    let validate_named = |experiment: &Experiment| {
        if !terminal.is_json() {
            terminal.print(&format!("{}: ", experiment.name()))?;
        }
        validate_one(experiment.root(), Some(experiment.name()))
    };
    let resolved = resolve(path, Needs::Recording)?;
    let ended =
        for_each("validate", &resolved, None, terminal, |experiment, _| validate_named(experiment).map(|()| None))?;
    // A damaged experiment must be repaired first.
    if ended.objections.is_empty() {
        validate_named(resolved.folder())?;
    }
    Ok(ended)
}

fn describe_file(facts: &Facts) -> String {
    let table = facts.table.as_deref().unwrap_or("not a table of infoplane");
    let mut text = format!(
        "{table}: {} in {}, {} from {} raw ({:.2} times smaller), {}\n",
        counted(facts.rows, "row"),
        counted(facts.row_groups, "row group"),
        DecimalBytes(facts.bytes),
        DecimalBytes(facts.raw_bytes),
        facts.raw_bytes as f64 / facts.bytes.max(1) as f64,
        facts.compression.join(", "),
    );
    text.push_str(&format!("made by {}\n\n", facts.creator.as_deref().unwrap_or("an unknown program")));
    let columns = facts.columns.iter().map(|(name, kind)| vec![name.clone(), kind.clone()]);
    text.push_str(&grid(&["column", "type"], columns));
    text.push('\n');
    let entries = facts.footer.iter().map(|(key, value)| vec![plain(key), plain(value)]);
    text.push_str(&grid(&["footer", "value"], entries));
    text
}

fn describe_experiment(contents: &Contents) -> String {
    let state = match contents.is_whole {
        Some(true) => "whole",
        Some(false) => "unfinished",
        None => "made by another program",
    };
    let n_runs = contents.runs.len();
    let mut text = format!(
        "{}: {}, {state}; made by {}\n",
        contents.experiment,
        counted(n_runs, "run"),
        contents.creators.join("; ")
    );
    if let (Some(first), Some(last)) = (contents.snapshots.first(), contents.snapshots.last()) {
        let n = contents.snapshots.len();
        text.push_str(&format!(
            "{} from epoch {}, step {} to epoch {}, step {} in {}\n",
            counted(n, "snapshot"),
            first.0,
            first.1,
            last.0,
            last.1,
            contents.runs[0]
        ));
    }
    text.push('\n');
    let row = |t: &TableFacts| {
        vec![
            t.table.clone(),
            or_dash(t.layer, |layer| layer_in_cell(layer, t.layer_name.as_deref())),
            or_dash(t.width, |width| width.to_string()),
            t.files.to_string(),
            t.rows.to_string(),
            DecimalBytes(t.bytes).to_string(),
            DecimalBytes(t.raw_bytes).to_string(),
            format!("{:.2}", t.compression_ratio),
        ]
    };
    let header = ["table", "layer", "width", "files", "rows", "on disk", "raw", "ratio"];
    text.push_str(&grid(&header, contents.tables.iter().map(row)));
    text
}

fn describe_sweep(members: &[SweepEntry]) -> String {
    let row = |member: &SweepEntry| {
        let n_runs = member.n_runs.map_or_else(|| "-".to_owned(), |n| n.to_string());
        vec![member.experiment.clone(), member.state.to_string(), n_runs, member.reason.clone().unwrap_or_default()]
    };
    format!(
        "a sweep of {}\n\n{}",
        counted(members.len(), "experiment"),
        grid(&["experiment", "state", "runs", ""], members.iter().map(row))
    )
}
