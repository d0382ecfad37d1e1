//! `infoplane estimate`: put numbers on what was recorded.

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use infoplane::config::{Declared, Request, SCOPE};
use infoplane::estimators::{self, ESTIMATORS};
use infoplane::stages::estimate::{estimate, plan};
use infoplane::stages::record::Existing;
use infoplane::stages::{Outcome, Planned, exact};
use infoplane::store::Experiment;

use super::sweep::{Job, Stages};
use super::terminal::Terminal;
use super::{experiment, experiment_arg, out_arg, parameters, path, pipeline_arg, sweep};

/// The subcommand that takes its estimators from a pipeline instead of flags.
const PIPELINE: &str = "pipeline";

pub(super) fn command() -> Command {
    let of_pipeline = Command::new(PIPELINE);
    let of_pipeline = sweep::add(of_pipeline)
        .about("Every estimate that a pipeline asks for; each recorded snapshot is read once for all of them, once more for each pool")
        .arg(pipeline_arg())
        .arg(out_arg("The experiment's folder, or the sweep's [default: outputs/<pipeline>]"));
    Command::new("estimate")
        .about("Estimate I(X;T) and I(T;Y) from recorded activations, without training")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(ESTIMATORS.iter().map(|spec| {
            let command = Command::new(spec.name)
                .about(spec.summary)
                .after_help(
                    "A flag may have several values, divided by commas: every combination makes a table of its own.",
                )
                .arg(experiment_arg())
                .arg(out_arg("Write the folder `estimates` here [default: the experiment's folder]"))
                .arg(dry_run_arg());
            parameters::add(parameters::add(command, spec.parameters), SCOPE)
        }))
        .subcommand(of_pipeline)
}

fn dry_run_arg() -> Arg {
    Arg::new("dry_run").long("dry-run").help("Only say what would be done").action(ArgAction::SetTrue)
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let (name, matches) = matches.subcommand().context("clap requires an estimator")?;
    let (requests, pipeline, experiment, out) = if name == PIPELINE {
        let (pipeline, out) = match sweep::declared(matches)? {
            (Declared::Many(sweep), root) => {
                let job = Job { stages: Stages::Estimate, existing: Existing::Keep };
                return job.sweep(&sweep, &root, matches, terminal);
            }
            (Declared::One(pipeline), root) => (pipeline, root),
        };
        (pipeline.estimates.clone(), Some(pipeline), Experiment::new(&out), out)
    } else {
        let spec = estimators::find(name)?;
        let given = parameters::read_lists(matches, [spec.parameters, SCOPE].concat());
        let experiment = experiment(matches)?;
        let out = path(matches, "out").unwrap_or(experiment.root()).to_owned();
        (Request::all(spec, given)?, None, experiment, out)
    };
    let with_exact = pipeline.filter(|pipeline| pipeline.exact.is_some());
    if matches.get_flag("dry_run") {
        describe(&plan(&experiment, &requests, &out)?, terminal)?;
        if let Some(pipeline) = &with_exact {
            describe(&exact::plan(pipeline, &experiment, &out)?, terminal)?;
        }
        return Ok(Outcome::UpToDate);
    }
    let mut outcome = estimate(&experiment, &requests, &out, terminal)?;
    terminal.report("estimate", &outcome);
    if let Some(pipeline) = &with_exact {
        let made = exact::linear(pipeline, &experiment, &out, terminal)?;
        terminal.report("exact", &made);
        outcome = outcome.and(made);
    }
    Ok(outcome)
}

/// Says which tables would be made.
pub(super) fn describe(tables: &[Planned], terminal: &Terminal) -> anyhow::Result<()> {
    if terminal.is_json() {
        return terminal.print_json(&tables);
    }
    for table in tables {
        let (folder, n, n_done) = (table.folder.display(), table.n_pending, table.n_done);
        terminal.print(&format!("{folder}: {n} tables to make, {n_done} are there ({})\n", table.quantity))?;
    }
    Ok(())
}
