//! `infoplane bound`: the information bottleneck's curve, and the layers beside it.

use clap::{ArgMatches, Command};
use infoplane::config::{Declared, Pipeline};
use infoplane::stages::record::Existing;
use infoplane::stages::{Outcome, Progress, StageError, bound};
use infoplane::store::Experiment;

use super::sweep::{Job, Stages};
use super::terminal::Terminal;
use super::{out_arg, pipeline_arg, sweep};

pub(super) fn command() -> Command {
    let command = Command::new("bound")
        .about("Solve the information bottleneck of the data and lay every trained layer beside its curve, as `[bound]` of a pipeline asks")
        .arg(pipeline_arg())
        .arg(out_arg("The experiment's folder, or the sweep's [default: outputs/<pipeline>]"));
    sweep::add(command)
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let job = Job { stages: Stages::Bound, existing: Existing::Keep };
    let (pipeline, root) = match sweep::declared(matches)? {
        (Declared::Many(sweep), root) => return job.sweep(&sweep, &root, matches, terminal),
        (Declared::One(pipeline), root) => (pipeline, root),
    };
    if matches.get_flag("dry_run") {
        return job.describe(&pipeline, &root, terminal);
    }
    let outcome = of_pipeline(&pipeline, &Experiment::new(root), terminal)?;
    terminal.report("bound", &outcome);
    Ok(outcome)
}

/// What a pipeline's `[bound]` asks for.
pub(super) fn of_pipeline(
    pipeline: &Pipeline,
    experiment: &Experiment,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    match &pipeline.bound {
        Some(request) => bound::bound(experiment, request, experiment.root(), progress),
        None => {
            let problem = "the pipeline asks for no bound; add a table `[bound]` with `code`, one of its estimates";
            Err(StageError::Refused(problem.to_owned()))
        }
    }
}
