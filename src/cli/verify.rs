//! `infoplane verify`: evaluates the claims of a pipeline on its runs.

use std::path::Path;

use clap::{ArgMatches, Command};

use super::Ended;
use super::arguments::{all_resolved, experiment_arg, experiments_of, flag, path, pipeline_flag, pipeline_of};
use super::table::{Heading, fitted, markdown, paragraph, short};
use super::terminal::Terminal;
use crate::config::Declared;
use crate::count::counted;
use crate::pipeline::Needs;
use crate::stages::Progress;
use crate::stages::verify::{are_of_their_recordings, counts, judged_only, verify};
use crate::store::schema::ClaimRow;
use crate::store::{ClaimVerdict, Registration, layer_in_cell};
use crate::suggest::Named;

pub(super) fn command() -> Command {
    Command::new("verify")
        .about("Evaluate the claims in `[[expect]]` of a pipeline, and print for each whether it holds, fails or is undecided, with the measured values")
        .after_help(
            "A claim holds if the 95 % interval of the mean over runs (Student's t) is entirely in the claimed range, and fails if it is entirely outside; otherwise it is undecided. A claim that fails is a result, not an error: the exit code is 0 without --strict.",
        )
        .arg(experiment_arg().num_args(1..).help("Folders of experiments or sweeps, for example outputs/tishby"))
        .arg(pipeline_flag("The pipeline with the claims, for one folder only. If the name of the pipeline differs from that of the folder, or its settings from those of the recording, the results are printed but not written [default: pipelines/<experiment>.toml]"))
        .arg(flag("markdown", "Print one table for all experiments in Markdown").conflicts_with("json"))
        .arg(flag("strict", "Exit with code 1 if a claim fails"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let folders = all_resolved(matches, Needs::Recording)?;
    if path(matches, "pipeline").is_some() && folders.len() > 1 {
        anyhow::bail!(
            "`--pipeline` works with one folder, got {}; run the command once for each folder",
            folders.len()
        );
    }
    let mut judged: Vec<(String, Vec<ClaimRow>)> = Vec::new();
    for resolved in &folders {
        let folder = resolved.folder();
        let declared = Declared::read(&pipeline_of(matches, folder)?)?;
        let experiments = experiments_of(&declared, folder.root());
        let is_own = [Some(folder.name()), folder.trial_of()].iter().flatten().any(|name| name == declared.name())
            || matches!(&declared, Declared::One(pipeline) if pipeline.networks().is_none() && is_same(&pipeline.default_folder(), folder.root()));
        // A trial has fewer epochs than its pipeline.
        let is_trial = folder.trial_of().is_some();
        let is_written = is_own && (is_trial || are_of_their_recordings(&experiments)?);
        if !is_written {
            let root = folder.root().display();
            terminal.tell(&format!(
                "the claims of {} are printed but not written; {root}/claims.parquet is unchanged",
                declared.name()
            ));
        }
        let rows = if is_written { verify(&experiments, folder.root())? } else { judged_only(&experiments)? };
        judged.push((folder.name(), rows));
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

/// The verdicts as text, with a column `registered` if some claims are registered.
fn table(name: &str, rows: &[ClaimRow], width: Option<usize>) -> String {
    let is_registered = |row: &ClaimRow| !matches!(row.registered, None | Some(Registration::No));
    let registered_too = rows.iter().any(is_registered);
    let mut headings = vec![
        Heading::kept("verdict"),
        Heading::optional("figure", 0),
        Heading::optional("layer", 3),
        Heading::kept("measured"),
        Heading::optional("claimed", 1),
        Heading::kept("claim"),
    ];
    if registered_too {
        headings.insert(1, Heading::optional("registered", 2));
    }
    let line = |row: &ClaimRow| {
        let claim = match &remarks(row)[..] {
            [] => named_claim(name, row),
            remarks => format!("{} ({})", named_claim(name, row), remarks.join("; ")),
        };
        let verdict = row.verdict.to_string();
        let figure = row.figure.clone().unwrap_or_default();
        let mut cells = vec![verdict, figure, layer_of(row), measured(row), row.wanted.clone(), claim];
        if registered_too {
            cells.insert(1, registered(row));
        }
        cells
    };
    let note = if registered_too { "" } else { "; none was registered before the recording (`infoplane freeze`)" };
    let grid = fitted(&headings, rows.iter().map(line), width, "| cat");
    format!("{}\n\n{grid}", paragraph(&format!("{name}: {}{note}", counts(rows)), 2, width))
}

/// The claim, with the experiment if it is one of a sweep.
fn named_claim(name: &str, row: &ClaimRow) -> String {
    if row.experiment == name { row.claim.clone() } else { format!("{}: {}", row.experiment, row.claim) }
}

/// One Markdown table for all experiments.
fn page(judged: &[(String, Vec<ClaimRow>)]) -> String {
    let header =
        ["pipeline", "figure", "claim", "layer", "paper", "number", "claimed", "measured", "registered", "verdict"];
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
            registered(row),
            match &remarks(row)[..] {
                [] => verdict.to_owned(),
                remarks => format!("{verdict}: {}", remarks.join("; ")),
            },
        ]
    };
    markdown(&header, judged.iter().flat_map(|(name, rows)| rows.iter().map(move |row| (name, row))).map(cells))
}

/// Why a claim is undecided, and whether `summary` withholds its verdict on the compression that the claim is about.
fn remarks(row: &ClaimRow) -> Vec<String> {
    let withheld = row.compression.filter(|verdict| verdict.is_withheld());
    let withheld = withheld.map(|verdict| format!("`summary` of this compression: {verdict}"));
    row.reason.iter().cloned().chain(withheld).collect()
}

/// Whether the claim was registered before the recording.
fn registered(row: &ClaimRow) -> String {
    row.registered.map_or_else(|| "–".to_owned(), |registered| registered.to_string())
}

/// The mean with its interval, and the number of runs; runs with equal numbers have no interval.
fn measured(row: &ClaimRow) -> String {
    let failed = if row.n_failed > 0 { format!(", {} failed", row.n_failed) } else { String::new() };
    match (row.mean, row.low, row.high) {
        (Some(mean), Some(low), Some(high)) => {
            format!("{} [{}, {}], {}{failed}", short(mean), short(low), short(high), counted(row.n_runs, "run"))
        }
        (Some(mean), ..) if row.n_runs > 1 => format!("{} in each of {} runs{failed}", short(mean), row.n_runs),
        (Some(mean), ..) => format!("{}, 1 run{failed}", short(mean)),
        _ => "–".to_owned(),
    }
}

fn layer_of(row: &ClaimRow) -> String {
    row.layer.map_or_else(String::new, |layer| layer_in_cell(layer, row.layer_name.as_deref()))
}

/// Whether two paths name the same folder.
fn is_same(a: &Path, b: &Path) -> bool {
    a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}
