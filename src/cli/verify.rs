//! `infoplane verify`: which claims of a paper hold in the runs.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use infoplane::config::{Declared, Pipeline};
use infoplane::stages::verify::{ClaimVerdict, verify};
use infoplane::stages::{Outcome, StageError};
use infoplane::store::Experiment;
use infoplane::store::schema::ClaimRow;
use infoplane::suggest::Named;

use super::inspect::grid;
use super::terminal::{Terminal, short};
use super::{experiment_arg, path};

pub(super) fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    let pipeline = Arg::new("pipeline")
        .long("pipeline")
        .value_name("FILE")
        .help("The pipeline that makes the claims, of one experiment [default: pipelines/<experiment>.toml]")
        .value_parser(value_parser!(PathBuf));
    Command::new("verify")
        .about("Judge the claims that pipelines make in `[[expect]]`: holds, fails or undecided, with the measured value")
        .after_help(
            "A claim holds where the 95 % interval of the mean over runs (Student) lies wholly on its side, and fails where it lies wholly on the other.",
        )
        .arg(experiment_arg().num_args(1..).help("Folders of experiments or sweeps, for example outputs/tishby"))
        .arg(pipeline)
        .arg(flag("markdown", "Print one table for all experiments, for a document").conflicts_with("json"))
        .arg(flag("strict", "Exit with code 1 if a claim fails"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let roots: Vec<&PathBuf> = matches.get_many("experiment").context("clap requires an experiment")?.collect();
    let given = path(matches, "pipeline");
    if given.is_some() && roots.len() > 1 {
        anyhow::bail!("`--pipeline` is of one experiment, got {}; call once for each", roots.len());
    }
    let mut judged: Vec<(String, Vec<ClaimRow>)> = Vec::new();
    for root in roots {
        let name = Experiment::new(root).name();
        let file = given.map_or_else(|| Path::new("pipelines").join(format!("{name}.toml")), Path::to_owned);
        if given.is_none() && !file.exists() {
            let (root, file) = (root.display(), file.display());
            anyhow::bail!(
                "{root}: there is no {file}, which would make claims of it; name the pipeline with `--pipeline`"
            );
        }
        if !root.is_dir() {
            let (root, file) = (root.display(), file.display());
            anyhow::bail!("{root}: no such experiment; run `infoplane run {file}` first");
        }
        judged.push((name, of_declared(&Declared::read(&file)?, root)?));
    }
    let rows = || judged.iter().flat_map(|(_, rows)| rows);
    if terminal.is_json() {
        terminal.print_json(&rows().collect::<Vec<_>>())?;
    } else if matches.get_flag("markdown") {
        terminal.print(&markdown(&judged))?;
    } else {
        let tables: Vec<String> = judged.iter().map(|(name, rows)| table(name, rows)).collect();
        terminal.print(&tables.join("\n"))?;
    }
    let n_failing = rows().filter(|row| row.verdict == ClaimVerdict::Fails.name()).count();
    Ok(match matches.get_flag("strict") && n_failing > 0 {
        true => Outcome::Objections(format!("{n_failing} claims fail")),
        false => Outcome::UpToDate,
    })
}

/// The verdicts on whatever a pipeline file declares, whose results lie in `root`; a sweep's experiments that cannot be run
/// are left out.
pub(super) fn of_declared(declared: &Declared, root: &Path) -> Result<Vec<ClaimRow>, StageError> {
    let folder = |id: Option<&str>| id.map_or_else(|| root.to_owned(), |id| root.join(id));
    let experiments: Vec<(&Pipeline, Experiment)> =
        declared.pipelines().map(|(id, pipeline)| (pipeline, Experiment::new(folder(id)))).collect();
    verify(&experiments, root)
}

/// How many claims hold, fail and are undecided, in words.
pub(super) fn counts(rows: &[ClaimRow]) -> String {
    let n = |verdict: ClaimVerdict| rows.iter().filter(|row| row.verdict == verdict.name()).count();
    let [holding, failing, undecided] = [ClaimVerdict::Holds, ClaimVerdict::Fails, ClaimVerdict::Undecided].map(n);
    format!("{} claims: {holding} hold, {failing} fail, {undecided} undecided", rows.len())
}

fn table(name: &str, rows: &[ClaimRow]) -> String {
    let header = ["verdict", "figure", "layer", "measured", "claimed", "claim"];
    let line = |row: &ClaimRow| {
        let claim = match &row.reason {
            Some(reason) => format!("{} ({reason})", of_one(name, row)),
            None => of_one(name, row),
        };
        let layer = row.layer.map_or_else(String::new, |layer| layer.to_string());
        vec![row.verdict.clone(), row.figure.clone(), layer, measured(row), row.wanted.clone(), claim]
    };
    format!("{name}: {}\n\n{}", counts(rows), grid(&header, rows.iter().map(line)))
}

/// The claim, with the experiment where it is one of a sweep.
fn of_one(name: &str, row: &ClaimRow) -> String {
    if row.experiment == name { row.claim.clone() } else { format!("{}: {}", row.experiment, row.claim) }
}

fn markdown(judged: &[(String, Vec<ClaimRow>)]) -> String {
    let mut text = "| pipeline | figure | claim | layer | paper | number | claimed | measured | verdict |\n|---|---|---|---|---|---|---|---|---|\n".to_owned();
    for (name, rows) in judged {
        for row in rows {
            let number = match &row.estimator {
                Some(estimator) => format!("`{}` {}, `{estimator}`", row.quantity, row.measure),
                None => format!("`{}` {}", row.quantity, row.measure),
            };
            let is_failure = row.verdict == ClaimVerdict::Fails.name();
            let verdict = if is_failure { format!("**{}**", row.verdict) } else { row.verdict.clone() };
            let verdict = row.reason.as_ref().map_or(verdict.clone(), |reason| format!("{verdict}: {reason}"));
            let cells = [
                name.clone(),
                row.figure.clone(),
                of_one(name, row),
                row.layer.map_or_else(String::new, |layer| layer.to_string()),
                row.paper.clone().unwrap_or_default(),
                number,
                row.wanted.clone(),
                measured(row),
                verdict,
            ];
            text.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
    }
    text
}

/// The mean with its interval, and the number of runs.
fn measured(row: &ClaimRow) -> String {
    let failed = if row.n_failed > 0 { format!(", {} failed", row.n_failed) } else { String::new() };
    match (row.mean, row.low, row.high) {
        (Some(mean), Some(low), Some(high)) => {
            format!("{} [{}, {}], {} runs{failed}", short(mean), short(low), short(high), row.n_runs)
        }
        (Some(mean), ..) => format!("{}, one run{failed}", short(mean)),
        _ => "–".to_owned(),
    }
}
