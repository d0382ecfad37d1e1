//! Arguments shared by several commands.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use super::Ended;
use super::terminal::Terminal;
use crate::config::{Declared, Pipeline};
use crate::count::counted;
use crate::pipeline::{Needs, Resolved, resolve};
use crate::stages::experiments::joined;
use crate::stages::{Outcome, Progress, StageError};
use crate::store::Experiment;

pub(super) fn pipeline_arg() -> Arg {
    Arg::new("pipeline")
        .value_name("PIPELINE")
        .help("A pipeline file, for example pipelines/tishby.toml")
        .required(true)
        .value_parser(value_parser!(PathBuf))
}

/// The pipeline that belongs to the folder of an experiment or a sweep.
pub(super) fn pipeline_flag(help: &'static str) -> Arg {
    Arg::new("pipeline").long("pipeline").value_name("FILE").help(help).value_parser(value_parser!(PathBuf))
}

pub(super) fn experiment_arg() -> Arg {
    Arg::new("experiment")
        .value_name("EXPERIMENT")
        .help("The folder of an experiment or a sweep, for example outputs/tishby")
        .required(true)
        .value_parser(value_parser!(PathBuf))
}

pub(super) fn out_arg(help: &'static str) -> Arg {
    Arg::new("out").long("out").value_name("DIR").help(help).value_parser(value_parser!(PathBuf))
}

pub(super) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

pub(super) fn dry_run_arg() -> Arg {
    flag("dry-run", "Print what would be done, without doing it")
}

pub(super) fn path<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a Path> {
    matches.get_one::<PathBuf>(name).map(PathBuf::as_path)
}

/// The experiment or sweep named on the command line.
pub(super) fn resolved(matches: &ArgMatches, needs: Needs) -> anyhow::Result<Resolved> {
    Ok(resolve(path(matches, "experiment").context("clap requires the experiment")?, needs)?)
}

/// The experiments and sweeps named on the command line.
pub(super) fn all_resolved(matches: &ArgMatches, needs: Needs) -> anyhow::Result<Vec<Resolved>> {
    let folders = matches.get_many::<PathBuf>("experiment").context("clap requires an experiment")?;
    Ok(folders.map(|folder| resolve(folder, needs)).collect::<Result<_, StageError>>()?)
}

/// The experiments that the joint tables of `folders` contain.
pub(super) fn all_joined(folders: &[Resolved]) -> anyhow::Result<Vec<Experiment>> {
    let mut experiments = Vec::new();
    for resolved in folders {
        match resolved {
            Resolved::Experiment(experiment) => experiments.push(experiment.clone()),
            Resolved::Sweep { folder, .. } => experiments.extend(joined(folder.root())?),
        }
    }
    Ok(experiments)
}

/// The folder for a result of several experiments: `--out`, otherwise the only folder.
pub(super) fn common_out(matches: &ArgMatches, folders: &[Resolved], what: &str) -> anyhow::Result<PathBuf> {
    match (path(matches, "out"), folders) {
        (Some(out), _) => Ok(out.to_owned()),
        (None, [only]) => Ok(only.folder().root().to_owned()),
        (None, _) => anyhow::bail!("several experiments were given; name the folder for their {what} with `--out DIR`"),
    }
}

/// The pipeline of an experiment or a sweep: `--pipeline`, otherwise `pipelines/<name>.toml`. A trial uses the pipeline that it
/// is a trial of.
pub(super) fn pipeline_of(matches: &ArgMatches, folder: &Experiment) -> anyhow::Result<PathBuf> {
    if let Some(file) = path(matches, "pipeline") {
        return Ok(file.to_owned());
    }
    let of_name = |name: String| Path::new("pipelines").join(format!("{name}.toml"));
    let file = of_name(folder.name());
    if !file.exists() {
        if let Some(whole) = folder.trial_of().map(of_name).filter(|whole| whole.exists()) {
            return Ok(whole);
        }
        let (root, file) = (folder.root().display(), file.display());
        anyhow::bail!(
            "{root}: there is no pipeline {file}, which would have the claims; give the pipeline of this folder with `--pipeline FILE`"
        );
    }
    Ok(file)
}

/// The experiments that a pipeline file declares, with results in `root`. Experiments of a sweep that cannot be run are left
/// out.
pub(super) fn experiments_of<'d>(declared: &'d Declared, root: &Path) -> Vec<(&'d Pipeline, Experiment)> {
    let folder = |id: Option<&str>| id.map_or_else(|| root.to_owned(), |id| root.join(id));
    declared.pipelines().map(|(id, pipeline)| (pipeline, Experiment::new(folder(id)))).collect()
}

/// Does `work` for an experiment, or for every experiment of a sweep, and reports its outcome, if any, under the name of the
/// `stage`. The arguments of `work` are the experiment and the folder for its results. A failed experiment of a sweep does not
/// stop the others.
pub(super) fn for_each(
    stage: &str,
    resolved: &Resolved,
    out: Option<&Path>,
    terminal: &Terminal,
    work: impl Fn(&Experiment, &Path) -> anyhow::Result<Option<Outcome>>,
) -> anyhow::Result<Ended> {
    let members = match resolved {
        Resolved::Experiment(experiment) => {
            let outcome = work(experiment, out.unwrap_or(experiment.root()))?;
            outcome.iter().for_each(|outcome| terminal.report(stage, outcome));
            return Ok(outcome.as_ref().map_or_else(Ended::default, Ended::from));
        }
        Resolved::Sweep { members, left_out, .. } => {
            left_out.iter().for_each(|sentence| terminal.tell(sentence));
            members
        }
    };
    let mut ended = Ended::default();
    let mut reasons = Vec::new();
    for member in members {
        let out = out.map_or_else(|| member.root().to_owned(), |out| out.join(member.name()));
        match work(member, &out) {
            Ok(None) => {}
            Ok(Some(outcome)) => {
                terminal.report_member(stage, &member.name(), &outcome);
                ended.failures = ended.failures.and(outcome.failures());
            }
            Err(e) => {
                terminal.report_failure(stage, &member.name(), &e.to_string());
                reasons.push(e);
            }
        }
    }
    let (n_failed, n) = (reasons.len(), members.len());
    match reasons.into_iter().next() {
        Some(first) if n_failed == n => Err(first),
        Some(_) => {
            ended
                .objections
                .push(format!("{n_failed} of {} failed; the reasons are printed above", counted(n, "experiment")));
            Ok(ended)
        }
        None => Ok(ended),
    }
}
