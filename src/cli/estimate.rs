//! `infoplane estimate`: estimates information from a recording.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use clap::{ArgMatches, Command};
use serde_json::json;

use super::arguments::{dry_run_arg, experiment_arg, for_each, out_arg, path, resolved};
use super::terminal::Terminal;
use super::{Ended, job, parameters};
use crate::config::{Declared, Pipeline, Request, SCOPE};
use crate::count::counted;
use crate::estimators::{self, ESTIMATORS, ValueBounds};
use crate::parameter::capitalised;
use crate::pipeline::{ESTIMATE, Job, Needs, Resolved, Step};
use crate::stages::estimate::{estimate, plan, value_bounds};
use crate::stages::keys::expect_recorded_with;
use crate::stages::{PlannedTables, Progress, StageError, exact, propagate};
use crate::store::Experiment;

/// The subcommand that reads its estimators from a pipeline instead of flags.
const PIPELINE: &str = "pipeline";

pub(super) fn command() -> Command {
    let from_pipeline = job::add_to_reader(Command::new(PIPELINE))
        .about("Make all estimates of a pipeline; each snapshot is read only once for all estimators, and once more for each kind of pooling");
    Command::new("estimate")
        .about("Estimate I(X;T) and I(T;Y) from recorded activations, without training")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(ESTIMATORS.iter().map(|spec| {
            let command = Command::new(spec.name)
                .about(capitalised(spec.summary))
                .after_help(
                    "An option may have several values, separated by commas; every combination makes a separate estimate, in its own table.",
                )
                .arg(experiment_arg())
                .arg(out_arg("The folder in which the folder `estimates` is written [default: the experiment's folder]"))
                .arg(dry_run_arg());
            parameters::add(parameters::add(command, spec.parameters), SCOPE)
        }))
        .subcommand(from_pipeline)
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (name, matches) = matches.subcommand().context("clap requires an estimator")?;
    if name == PIPELINE {
        return run_pipeline(matches, terminal);
    }
    let spec = estimators::find(name)?;
    let given = parameters::read_lists(matches, [spec.parameters, SCOPE].concat());
    // Invalid parameters are reported before a missing folder.
    Request::all(spec, given.clone(), ValueBounds::Unknown)?;
    let resolved = resolved(matches, Needs::Recording)?;
    let requests = Request::all(spec, given, value_bounds(resolved.experiments()))?;
    report_chosen(&requests, terminal);
    for_each("estimate", &resolved, path(matches, "out"), terminal, |experiment, out| {
        if matches.get_flag("dry-run") {
            let tables = plan(experiment, &requests, out)?;
            return describe_of(experiment, &resolved, &tables, terminal).map(|()| None);
        }
        Ok(Some(estimate(experiment, &requests, out, terminal)?))
    })
}

fn run_pipeline(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (declared, root) = job::declared(matches, terminal)?;
    if let (Declared::One(pipeline), true) = (&declared, matches.get_flag("dry-run")) {
        report_chosen(&pipeline.estimates, terminal);
        let experiment = Experiment::new(&root);
        expect_recorded_with(pipeline, &experiment)?;
        let mut tables = plan(&experiment, &pipeline.estimates, &root)?;
        tables.extend(exact::plan(pipeline, &experiment, &root)?);
        tables.extend(propagate::plan(pipeline, &experiment, &root)?);
        describe(&tables, terminal)?;
        return Ok(Ended::default());
    }
    job::run(&Job::new(ESTIMATE), (&declared, &root), matches, terminal)
}

/// Runs steps that make tables from recorded weights; with `--dry-run`, prints which tables a pipeline lacks.
pub(super) fn run_steps(
    steps: &'static [&'static Step],
    plan: impl Fn(&Pipeline, &Experiment, &Path) -> Result<Vec<PlannedTables>, StageError>,
    matches: &ArgMatches,
    terminal: &Terminal,
) -> anyhow::Result<Ended> {
    let (declared, root) = job::declared(matches, terminal)?;
    match &declared {
        Declared::One(pipeline) if matches.get_flag("dry-run") && steps.iter().any(|step| (step.applies)(pipeline)) => {
            describe(&plan(pipeline, &Experiment::new(&root), &root)?, terminal)?;
            Ok(Ended::default())
        }
        _ => job::run(&Job::new(steps), (&declared, &root), matches, terminal),
    }
}

/// Prints each automatic choice of a parameter once.
pub(super) fn report_chosen<'a>(requests: impl IntoIterator<Item = &'a Request>, terminal: &Terminal) {
    let sentences: BTreeSet<&String> = requests.into_iter().filter_map(|request| request.chosen.as_ref()).collect();
    sentences.into_iter().for_each(|sentence| terminal.tell(sentence));
}

/// Prints which tables would be made for one of the resolved experiments.
pub(super) fn describe_of(
    experiment: &Experiment,
    resolved: &Resolved,
    tables: &[PlannedTables],
    terminal: &Terminal,
) -> anyhow::Result<()> {
    match (terminal.is_json(), resolved) {
        (true, Resolved::Sweep { .. }) => {
            terminal.print_line(&json!({ "experiment": experiment.name(), "tables": tables }))
        }
        _ => describe(tables, terminal),
    }
}

/// Prints which tables would be made.
pub(super) fn describe(tables: &[PlannedTables], terminal: &Terminal) -> anyhow::Result<()> {
    if terminal.is_json() {
        return terminal.print_json(&tables);
    }
    for table in tables {
        let (folder, n, n_done) = (table.folder.display(), table.n_pending, table.n_done);
        terminal.print(&format!(
            "{folder}: {} to make, {n_done} up to date ({})\n",
            counted(n, "table"),
            table.quantity
        ))?;
    }
    Ok(())
}
