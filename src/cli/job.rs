//! Commands that run steps of a pipeline or a sweep: their arguments and output.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::Ended;
use super::arguments::{dry_run_arg, out_arg, path, pipeline_arg};
use super::estimate::report_chosen;
use super::table::grid;
use super::terminal::Terminal;
use crate::config::{Declared, Shortened, Sweep, Variant};
use crate::count::counted;
use crate::pipeline::{Job, State, Task, run_sweep, states};
use crate::stages::Progress;
use crate::store::Experiment;

/// Adds the arguments for the pipeline, the folder of its results, and the part to run, to a command that trains networks.
pub(super) fn add(command: Command) -> Command {
    let epochs = "Train for N epochs instead of the number in the pipeline, for a quick trial; all recorded `steps` of the pipeline must lie within N epochs";
    add_with_trial(command, epochs, "Train N networks instead of the number in the pipeline")
}

/// Adds these arguments to a command that reads an existing recording.
pub(super) fn add_to_reader(command: Command) -> Command {
    let epochs = "Use the trial recording that was made with `--epochs N`";
    add_with_trial(command, epochs, "Use the trial recording that was made with `--runs N`")
}

fn add_with_trial(command: Command, epochs: &'static str, runs: &'static str) -> Command {
    let only = Arg::new("only")
        .long("only")
        .value_name("ID")
        .help("Run only this experiment of a sweep; * matches any text; may be given several times")
        .action(ArgAction::Append);
    let number = |name: &'static str, help: &'static str, most: i64| {
        Arg::new(name).long(name).value_name("N").help(help).value_parser(value_parser!(u64).range(1..=most as u64))
    };
    command
        .arg(pipeline_arg())
        .arg(out_arg("The folder of the experiment or sweep [default: outputs/<pipeline>, or outputs/<pipeline>-trial with `--epochs` or `--runs`]"))
        .arg(only)
        .arg(dry_run_arg())
        .arg(number("epochs", epochs, i64::from(i32::MAX)))
        .arg(number("runs", runs, 9999))
}

/// The pipeline named on the command line, and the folder of its results: `--out`, otherwise `outputs/<name>`. A trial with
/// fewer epochs or runs has the folder `outputs/<name>-trial`, so that it does not touch the full results.
pub(super) fn declared(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<(Declared, PathBuf)> {
    let file = path(matches, "pipeline").context("clap requires the pipeline")?;
    let number = |name: &str| matches.get_one::<u64>(name).copied();
    let shortened = Shortened { epochs: number("epochs"), runs: number("runs").map(|runs| runs as usize) };
    let declared = Declared::shortened(file, shortened)?;
    if matches!(declared, Declared::One(_)) && matches.contains_id("only") {
        let file = file.display();
        anyhow::bail!(
            "`--only` is for sweeps, and {file} is a single experiment (none of its parameters is a list); leave out `--only`"
        );
    }
    let default = default_folder(&declared);
    if let Some(out) = path(matches, "out") {
        let is_recorded = matches!(&declared, Declared::One(pipeline) if pipeline.networks().is_none());
        if is_recorded && out != default {
            let folder = default.display();
            anyhow::bail!("results are written to the folder of the recording, {folder}; leave out `--out`");
        }
        return Ok((declared, out.to_owned()));
    }
    if shortened == Shortened::default() {
        return Ok((declared, default));
    }
    let out = folder_of(&format!("{}{}", declared.name(), Experiment::TRIAL));
    terminal.tell(&format!("trial with other epochs or runs than in the pipeline; its folder is {}", out.display()));
    Ok((declared, out))
}

/// The folder of results without `--out`: the folder of the recording, or `outputs/<name>`.
pub(super) fn default_folder(declared: &Declared) -> PathBuf {
    match declared {
        Declared::One(pipeline) => pipeline.default_folder(),
        Declared::Many(sweep) => folder_of(&sweep.name),
    }
}

fn folder_of(name: &str) -> PathBuf {
    Path::new("outputs").join(name)
}

/// Runs a `job` for the declared experiments, or prints its state.
pub(super) fn run(
    job: &Job,
    (declared, root): (&Declared, &Path),
    matches: &ArgMatches,
    terminal: &Terminal,
) -> anyhow::Result<Ended> {
    let is_dry = matches.get_flag("dry-run");
    if job.makes_estimates() {
        report_chosen(declared.pipelines().flat_map(|(_, pipeline)| &pipeline.estimates), terminal);
    }
    match declared {
        Declared::One(pipeline) => {
            let experiment = Experiment::new(root);
            let task = Task { pipeline, experiment: &experiment, existing: job.existing, progress: terminal };
            if is_dry {
                let n_runs = pipeline.networks().map_or(0, |networks| networks.n_runs);
                return describe(&job.state(&task)?, n_runs, root, terminal);
            }
            Ok(Ended::from(&job.run(&task)?))
        }
        Declared::Many(sweep) => {
            let chosen = chosen(sweep, matches)?;
            if is_dry {
                return describe_sweep(&chosen, &states(job, &chosen, root)?, terminal);
            }
            let outcome = run_sweep(job, sweep, &chosen, root, terminal)?;
            terminal.report("sweep", &outcome);
            Ok(Ended::from(&outcome))
        }
    }
}

fn chosen<'a>(sweep: &'a Sweep, matches: &ArgMatches) -> anyhow::Result<Vec<&'a Variant>> {
    let patterns: Vec<&str> = matches.get_many::<String>("only").into_iter().flatten().map(String::as_str).collect();
    Ok(sweep.chosen(&patterns)?)
}

fn describe(state: &State, n_runs: usize, root: &Path, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (name, reason) = match state {
        State::Done => ("done", String::new()),
        State::Pending => ("pending", format!("{} to record", counted(n_runs, "run"))),
        State::Unfinished(missing) => ("unfinished", missing.clone()),
    };
    let separator = if reason.is_empty() { "" } else { ": " };
    match terminal.is_json() {
        true => terminal.print_json(&json!({ "experiment": root, "state": name, "reason": reason }))?,
        false => terminal.print(&format!("{}: {name}{separator}{reason}\n", root.display()))?,
    }
    Ok(Ended::default())
}

fn describe_sweep(chosen: &[&Variant], states: &[Result<State, String>], terminal: &Terminal) -> anyhow::Result<Ended> {
    match terminal.is_json() {
        true => terminal.print_json(&for_programs(chosen, states))?,
        false => terminal.print(&table(chosen, states))?,
    }
    Ok(Ended::default())
}

/// The experiments with their settings and states, as JSON.
fn for_programs(chosen: &[&Variant], states: &[Result<State, String>]) -> Vec<serde_json::Value> {
    let entry = |(variant, state): (&&Variant, &Result<State, String>)| {
        let (state, why) = words(state);
        let settings: serde_json::Map<String, serde_json::Value> =
            variant.settings.iter().map(|setting| (setting.parameter.clone(), json!(setting.value))).collect();
        json!({ "experiment": variant.id, "state": state, "reason": why, "settings": settings })
    };
    chosen.iter().zip(states).map(entry).collect()
}

/// The state of an experiment in words, and what is missing or the reason why it cannot run.
fn words(state: &Result<State, String>) -> (&'static str, &str) {
    match state {
        Err(reason) => ("cannot run", reason.as_str()),
        Ok(State::Done) => ("done", ""),
        Ok(State::Pending) => ("pending", ""),
        Ok(State::Unfinished(missing)) => ("unfinished", missing.as_str()),
    }
}

/// The experiments with their settings and states, and the number in each state.
fn table(chosen: &[&Variant], states: &[Result<State, String>]) -> String {
    let parameters = chosen.first().map_or(&[][..], |variant| &variant.settings);
    let mut header = vec!["experiment", "state"];
    header.extend(parameters.iter().map(|setting| setting.parameter.as_str()));
    header.push("");
    let row = |(variant, state): (&&Variant, &Result<State, String>)| {
        let (state, why) = words(state);
        let values = variant.settings.iter().map(|setting| setting.value.clone());
        let row: Vec<String> = [variant.id.clone(), state.to_owned()].into_iter().chain(values).collect();
        [row, vec![why.to_owned()]].concat()
    };
    let rows: Vec<Vec<String>> = chosen.iter().zip(states).map(row).collect();
    let count = |state| (rows.iter().filter(|row| row[1] == state).count(), state);
    let counts = ["done", "unfinished", "pending", "cannot run"].into_iter().map(count);
    let counts: Vec<String> = counts.filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
    let n = rows.len();
    format!("{}\n{}: {}\n", grid(&header, rows.into_iter()), counted(n, "experiment"), counts.join(", "))
}
