//! `infoplane run`: runs all steps of a pipeline. Each step does only the work that is missing.

use clap::{ArgMatches, Command};

use super::screen::headline;
use super::terminal::Terminal;
use super::{Ended, job, record};
use crate::pipeline::{Job, STEPS};
use crate::stages::Progress;
use crate::stages::summary::{claims, summary};
use crate::store::{ClaimVerdict, Experiment};

pub(super) fn command() -> Command {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    let about = format!(
        "Run all steps of a pipeline, or of every experiment of a sweep, and skip steps that are up to date: {}",
        names.join(", ")
    );
    job::add(Command::new("run").about(about)).arg(record::overwrite_arg())
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (declared, root) = job::declared(matches, terminal)?;
    let job = Job { steps: STEPS, existing: record::existing(matches) };
    let ended = job::run(&job, (&declared, &root), matches, terminal)?;
    // Without estimates there is no summary.
    if !matches.get_flag("dry-run") && root.join(Experiment::SUMMARY).exists() {
        // The results are complete: a table that cannot be shown changes nothing about them.
        match closing(&Experiment::new(root)) {
            Ok(lines) => terminal.tell(&lines),
            Err(error) => tracing::warn!("the results cannot be summarised: {error:#}"),
        }
    }
    Ok(ended)
}

/// What was found, and which commands show more of it.
fn closing(folder: &Experiment) -> anyhow::Result<String> {
    let claims = claims(folder)?;
    let mut lines = vec![String::new(), headline(&folder.name(), &summary(folder)?, &claims)];
    if claims.iter().any(|row| row.verdict == ClaimVerdict::Fails) {
        lines.push("A failing claim is a result, not an error: the networks differ from the claim.".to_owned());
    }
    let root = folder.root().display();
    let figures = folder.root().join("figures");
    let index = figures.join("index.html");
    if index.exists() {
        lines.push(format!("figures: {} (open in a browser)", index.display()));
    } else if figures.exists() {
        lines.push(format!("figures: {}", figures.display()));
    }
    lines.push(format!("results on one screen: infoplane summary {root}"));
    if !claims.is_empty() {
        lines.push(format!("claims with measured values: infoplane verify {root}"));
    }
    lines.push(format!("unreliable estimates, and why: infoplane check {root}"));
    lines.push(format!("interactive page: infoplane report {root}"));
    Ok(lines.join("\n"))
}
