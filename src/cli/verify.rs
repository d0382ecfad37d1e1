//! `infoplane verify`: which claims of a paper hold in the runs.

use std::path::Path;

use clap::{ArgMatches, Command};

use super::Ended;
use super::arguments::{all_resolved, experiment_arg, flag, path, pipeline_flag, pipeline_of};
use super::table::{fitted, markdown, paragraph, short};
use super::terminal::Terminal;
use crate::config::{Declared, Pipeline};
use crate::count::counted;
use crate::pipeline::Needs;
use crate::stages::StageError;
use crate::stages::verify::{counts, verify};
use crate::store::schema::ClaimRow;
use crate::store::{ClaimVerdict, Experiment, layer_in_cell};
use crate::suggest::Named;

pub(super) fn command() -> Command {
    Command::new("verify")
        .about("Judge the claims that pipelines make in `[[expect]]`: holds, fails or undecided, with the measured value")
        .after_help(
            "A claim holds if the 95 % interval of the mean over runs (Student) is entirely on its side, and fails if it is entirely on the other; otherwise it is undecided.",
        )
        .arg(experiment_arg().num_args(1..).help("Folders of experiments or sweeps, for example outputs/tishby"))
        .arg(pipeline_flag("The pipeline that makes the claims, of one folder [default: pipelines/<experiment>.toml]"))
        .arg(flag("markdown", "Print one table for all experiments, for a document").conflicts_with("json"))
        .arg(flag("strict", "Exit with code 1 if a claim fails"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let folders = all_resolved(matches, Needs::Recording)?;
    if path(matches, "pipeline").is_some() && folders.len() > 1 {
        anyhow::bail!("`--pipeline` is for one folder, got {}; call once for each", folders.len());
    }
    let mut judged: Vec<(String, Vec<ClaimRow>)> = Vec::new();
    for resolved in &folders {
        let folder = resolved.folder();
        let declared = Declared::read(&pipeline_of(matches, folder)?)?;
        judged.push((folder.name(), verdicts(&declared, folder.root())?));
    }
    let rows = || judged.iter().flat_map(|(_, rows)| rows);
    if terminal.is_json() {
        terminal.print_json(&rows().collect::<Vec<_>>())?;
    } else if matches.get_flag("markdown") {
        terminal.print(&page(&judged))?;
    } else {
        let tables: Vec<String> = judged.iter().map(|(name, rows)| table(name, rows, terminal.width())).collect();
        terminal.print(&tables.join("\n"))?;
    }
    let mut ended = Ended::default();
    let n_failing = rows().filter(|row| row.verdict == ClaimVerdict::Fails).count();
    if matches.get_flag("strict") && n_failing > 0 {
        ended.objections.push(format!(
            "{} {}",
            counted(n_failing, "claim"),
            if n_failing == 1 { "fails" } else { "fail" }
        ));
    }
    Ok(ended)
}

/// The verdicts on whatever a pipeline file declares, whose results are in `root`; experiments of a sweep that cannot be run
/// are left out.
fn verdicts(declared: &Declared, root: &Path) -> Result<Vec<ClaimRow>, StageError> {
    let folder = |id: Option<&str>| id.map_or_else(|| root.to_owned(), |id| root.join(id));
    let experiments: Vec<(&Pipeline, Experiment)> =
        declared.pipelines().map(|(id, pipeline)| (pipeline, Experiment::new(folder(id)))).collect();
    verify(&experiments, root)
}

fn table(name: &str, rows: &[ClaimRow], width: Option<usize>) -> String {
    let header = ["verdict", "figure", "layer", "measured", "claimed", "claim"];
    let line = |row: &ClaimRow| {
        let claim = match &row.reason {
            Some(reason) => format!("{} ({reason})", named_claim(name, row)),
            None => named_claim(name, row),
        };
        let layer = layer_of(row);
        vec![
            row.verdict.to_string(),
            row.figure.clone().unwrap_or_default(),
            layer,
            measured(row),
            row.wanted.clone(),
            claim,
        ]
    };
    let grid = fitted(&header, rows.iter().map(line), &["figure", "claimed", "layer"], width);
    format!("{}\n\n{grid}", paragraph(&format!("{name}: {}", counts(rows)), 2, width))
}

/// The claim, with the experiment if it is one of a sweep.
fn named_claim(name: &str, row: &ClaimRow) -> String {
    if row.experiment == name { row.claim.clone() } else { format!("{}: {}", row.experiment, row.claim) }
}

/// One Markdown table for all experiments.
fn page(judged: &[(String, Vec<ClaimRow>)]) -> String {
    let header = ["pipeline", "figure", "claim", "layer", "paper", "number", "claimed", "measured", "verdict"];
    let cells = |(name, row): (&String, &ClaimRow)| {
        let number = match &row.estimator {
            Some(estimator) => format!("`{}` {}, `{estimator}`", row.quantity, row.measure),
            None => format!("`{}` {}", row.quantity, row.measure),
        };
        let verdict = if row.verdict == ClaimVerdict::Fails { "**fails**" } else { row.verdict.name() };
        vec![
            name.clone(),
            row.figure.clone().unwrap_or_default(),
            named_claim(name, row),
            layer_of(row),
            row.paper.clone().unwrap_or_default(),
            number,
            row.wanted.clone(),
            measured(row),
            row.reason.as_ref().map_or_else(|| verdict.to_owned(), |reason| format!("{verdict}: {reason}")),
        ]
    };
    markdown(&header, judged.iter().flat_map(|(name, rows)| rows.iter().map(move |row| (name, row))).map(cells))
}

/// The mean with its interval, and the number of runs.
fn measured(row: &ClaimRow) -> String {
    let failed = if row.n_failed > 0 { format!(", {} failed", row.n_failed) } else { String::new() };
    match (row.mean, row.low, row.high) {
        (Some(mean), Some(low), Some(high)) => {
            format!("{} [{}, {}], {}{failed}", short(mean), short(low), short(high), counted(row.n_runs, "run"))
        }
        (Some(mean), ..) => format!("{}, one run{failed}", short(mean)),
        _ => "–".to_owned(),
    }
}

fn layer_of(row: &ClaimRow) -> String {
    row.layer.map_or_else(String::new, |layer| layer_in_cell(layer, row.layer_name.as_deref()))
}
