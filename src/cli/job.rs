//! Commands that do steps of a pipeline, which may be a sweep: their arguments, and what they print.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::Ended;
use super::arguments::{dry_run_arg, out_arg, path, pipeline_arg};
use super::estimate::tell_chosen;
use super::table::grid;
use super::terminal::Terminal;
use crate::config::{Declared, Shortened, Sweep, Variant};
use crate::count::counted;
use crate::pipeline::{Job, State, Task, run_sweep, states};
use crate::stages::Progress;
use crate::store::Experiment;

/// Adds the arguments: the pipeline, the folder of its results, and which part of it is done.
pub(super) fn add(command: Command) -> Command {
    let only = Arg::new("only")
        .long("only")
        .value_name("ID")
        .help("Of a sweep, only this experiment; * stands for any text; may be given several times")
        .action(ArgAction::Append);
    let number = |name: &'static str, help: &'static str, most: i64| {
        Arg::new(name).long(name).value_name("N").help(help).value_parser(value_parser!(u64).range(1..=most as u64))
    };
    command
        .arg(pipeline_arg())
        .arg(out_arg("The folder of the experiment or the sweep [default: outputs/<pipeline>, with `--epochs` or `--runs` outputs/<pipeline>-trial]"))
        .arg(only)
        .arg(dry_run_arg())
        .arg(number(
            "epochs",
            "Train for N epochs instead of the pipeline's number, to try it out; its recorded `steps` must be among them",
            i64::from(i32::MAX),
        ))
        .arg(number("runs", "Train N networks instead of the pipeline's number", 9999))
}

/// What the pipeline named on the command line declares, and the folder of its results: `--out`, otherwise `outputs/<name>`, and
/// that of a smaller version `outputs/<name>-trial`, which leaves the results of the whole alone.
pub(super) fn declared(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<(Declared, PathBuf)> {
    let file = path(matches, "pipeline").context("clap requires the pipeline")?;
    let number = |name: &str| matches.get_one::<u64>(name).copied();
    let shortened = Shortened { epochs: number("epochs"), runs: number("runs").map(|runs| runs as usize) };
    let declared = Declared::shortened(file, shortened)?;
    if matches!(declared, Declared::One(_)) && matches.contains_id("only") {
        let file = file.display();
        anyhow::bail!("{file} is one experiment and no sweep (none of its parameters is a list); leave out `--only`");
    }
    let default = default_folder(&declared);
    if let Some(out) = path(matches, "out") {
        let is_recorded = matches!(&declared, Declared::One(pipeline) if pipeline.networks().is_none());
        if is_recorded && out != default {
            let folder = default.display();
            anyhow::bail!(
                "the results of recorded networks go to the folder of their recording, {folder}; leave out `--out`"
            );
        }
        return Ok((declared, out.to_owned()));
    }
    if shortened == Shortened::default() {
        return Ok((declared, default));
    }
    let out = folder_of(&format!("{}{}", declared.name(), Experiment::TRIAL));
    terminal.tell(&format!("a trial with other epochs or runs than the pipeline's: its folder is {}", out.display()));
    Ok((declared, out))
}

/// The folder of results where `--out` names none: that of a recording, or `outputs/<name>`.
pub(super) fn default_folder(declared: &Declared) -> PathBuf {
    match declared {
        Declared::One(pipeline) => pipeline.default_folder(),
        Declared::Many(sweep) => folder_of(&sweep.name),
    }
}

fn folder_of(name: &str) -> PathBuf {
    Path::new("outputs").join(name)
}

/// Does a `job` for what is declared, or prints how far it is.
pub(super) fn run(
    job: &Job,
    (declared, root): (&Declared, &Path),
    matches: &ArgMatches,
    terminal: &Terminal,
) -> anyhow::Result<Ended> {
    let is_dry = matches.get_flag("dry-run");
    if job.makes_estimates() {
        tell_chosen(declared.pipelines().flat_map(|(_, pipeline)| &pipeline.estimates), terminal);
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

/// The experiments with their settings, and how far each is, for programs.
fn for_programs(chosen: &[&Variant], states: &[Result<State, String>]) -> Vec<serde_json::Value> {
    let entry = |(variant, state): (&&Variant, &Result<State, String>)| {
        let (state, why) = words(state);
        let settings: serde_json::Map<String, serde_json::Value> =
            variant.settings.iter().map(|setting| (setting.parameter.clone(), json!(setting.value))).collect();
        json!({ "experiment": variant.id, "state": state, "reason": why, "settings": settings })
    };
    chosen.iter().zip(states).map(entry).collect()
}

/// How far an experiment is, and why no further.
fn words(state: &Result<State, String>) -> (&'static str, &str) {
    match state {
        Err(reason) => ("cannot run", reason.as_str()),
        Ok(State::Done) => ("done", ""),
        Ok(State::Pending) => ("pending", ""),
        Ok(State::Unfinished(missing)) => ("unfinished", missing.as_str()),
    }
}

/// The experiments with their settings, how far each is, and counts.
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
