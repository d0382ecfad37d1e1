//! `infoplane weights`: measures the information in recorded weights.

use anyhow::Context;
use clap::{ArgMatches, Command};

use super::arguments::{dry_run_arg, experiment_arg, for_each, out_arg, path, resolved};
use super::terminal::Terminal;
use super::{Ended, estimate, job, parameters};
use crate::config::{Declared, MEASURE_SCOPE, MeasureRequest};
use crate::parameter::capitalised;
use crate::pipeline::{Job, Needs, WEIGHTS};
use crate::stages::weights::{measure_weights, plan};
use crate::store::Experiment;
use crate::weights::{self, MEASURES, Spec};

/// The subcommand that reads its measures from a pipeline instead of flags.
const PIPELINE: &str = "pipeline";

pub(super) fn command() -> Command {
    let from_pipeline = job::add_to_reader(Command::new(PIPELINE)).about("Make all measures of weights of a pipeline");
    Command::new("weights")
        .about("Measure the information in recorded weights; the help of each measure states what makes the weights random")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(MEASURES.iter().map(|spec| {
            let command = Command::new(spec.name)
                .about(format!("{} [random: {}]", capitalised(spec.summary), spec.randomness.name()))
                .after_help(after_help(spec))
                .arg(experiment_arg())
                .arg(out_arg("The folder in which the folder `weight_measures` is written [default: the experiment's folder]"))
                .arg(dry_run_arg());
            let command = parameters::add(parameters::add(command, spec.parameters), MEASURE_SCOPE);
            // A flag that the measure refuses is read, so that the error gives the reason, but not shown.
            refused(spec).fold(command, |command, name| command.mut_arg(name, |arg| arg.hide(true)))
        }))
        .subcommand(from_pipeline)
}

/// The parameters of all measures that this one refuses.
fn refused(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
    let names = MEASURE_SCOPE.iter().map(|parameter| parameter.name);
    names.filter(|name| MeasureRequest::why_refused(spec, name).is_some())
}

/// The names in backticks, with "and" before the last.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The quantities of a measure, and the names of its tables.
fn after_help(spec: &'static Spec) -> String {
    let is_refused = |name: &str| refused(spec).any(|other| other == name);
    let mut scope: Vec<&str> = MEASURE_SCOPE.iter().map(|parameter| parameter.name).collect();
    scope.retain(|name| !is_refused(name));
    scope.sort_unstable();
    let numbers: Vec<String> =
        spec.quantities.iter().map(|quantity| format!("  {}: {}", quantity.name, quantity.doc)).collect();
    format!(
        "Quantities (values of the column `quantity`):\n{}\n\nAn option may have several values, separated by commas; every combination makes a separate table. The name of a table consists of the name of the measure and the parameters that differ from their defaults: first the parameters of the measure, then {}. Next steps: `infoplane aggregate` and `infoplane relate`.",
        numbers.join("\n"),
        listed(&scope)
    )
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (name, matches) = matches.subcommand().context("clap requires a measure")?;
    if name == PIPELINE {
        return run_pipeline(matches, terminal);
    }
    let spec = weights::find(name)?;
    let given = parameters::read_lists(matches, [spec.parameters, MEASURE_SCOPE].concat());
    // Invalid parameters are reported before a missing folder.
    let requests = MeasureRequest::all(spec, given)?;
    let resolved = resolved(matches, Needs::Recording)?;
    for_each("weights", &resolved, path(matches, "out"), terminal, |experiment, out| {
        if matches.get_flag("dry-run") {
            let tables = plan(experiment, &requests, out)?;
            return estimate::describe_of(experiment, &resolved, &tables, terminal).map(|()| None);
        }
        Ok(Some(measure_weights(experiment, &requests, out, terminal)?))
    })
}

fn run_pipeline(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (declared, root) = job::declared(matches, terminal)?;
    match &declared {
        Declared::One(pipeline) if matches.get_flag("dry-run") && !pipeline.weights.is_empty() => {
            estimate::describe(&plan(&Experiment::new(&root), &pipeline.weights, &root)?, terminal)?;
            Ok(Ended::default())
        }
        _ => job::run(&Job::new(WEIGHTS), (&declared, &root), matches, terminal),
    }
}
