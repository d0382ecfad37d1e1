//! One file a command: its words for clap, and how it calls the stages. The only place that names `clap` and `anyhow`.

mod aggregate;
mod bound;
mod check;
mod completions;
mod data;
mod estimate;
mod exact;
mod fetch;
mod inspect;
mod movie;
mod parameters;
mod plot;
mod record;
mod report;
mod run;
mod schema;
mod stability;
mod summary;
mod sweep;
mod terminal;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use infoplane::stages::Outcome;
use infoplane::store::Experiment;
use terminal::{Form, Terminal};

/// A command: its words, and what it does.
type Entry = (fn() -> Command, fn(&ArgMatches, &Terminal) -> anyhow::Result<Outcome>);

/// Every command, in the order of a pipeline.
const COMMANDS: &[Entry] = &[
    (run::command, run::run),
    (data::command, data::run),
    (record::command, record::run),
    (estimate::command, estimate::run),
    (exact::command, exact::run),
    (bound::command, bound::run),
    (aggregate::command, aggregate::run),
    (check::command, check::run),
    (summary::command, summary::run),
    (verify::command, verify::run),
    (stability::command, stability::run),
    (plot::command, plot::run),
    (report::command, report::run),
    (movie::command, movie::run),
    (inspect::command, inspect::run),
    (schema::command, schema::run),
    (completions::command, completions::run),
    (completions::man_command, completions::run_man),
];

const EXIT_CODES: &str = "Exit codes: 0 all done (or nothing to do); 1 done, but some trainings, estimates or experiments failed, or `--strict` objects; 2 could not run.";

/// Parses the command line and does what it says.
pub(crate) fn main() -> ExitCode {
    let matches = command().get_matches();
    let form = if matches.get_flag("json") { Form::Json } else { Form::Words };
    let terminal = Terminal::new(matches.get_flag("quiet"), matches.get_flag("verbose"), form);
    let (complaint, exit_code) = match dispatch(&matches, &terminal) {
        Ok(Outcome::DoneWithFailures { n_failures, .. }) => {
            (format!("{n_failures} estimates failed; their reasons are in the column `failure`"), 1)
        }
        Ok(Outcome::ExperimentsFailed { n_failed, .. }) => {
            (format!("{n_failed} experiments failed or hold failures; see experiments.parquet"), 1)
        }
        Ok(Outcome::TrainingsFailed { n_failed, .. }) => {
            (format!("{n_failed} trainings failed; their reasons are in the table `runs` of the recording"), 1)
        }
        Ok(Outcome::Objections(text)) => (text, 1),
        Ok(_) => return ExitCode::SUCCESS,
        Err(e) => (e.to_string(), 2),
    };
    terminal.error(&complaint, exit_code);
    ExitCode::from(exit_code)
}

/// All words.
fn command() -> Command {
    Command::new("infoplane")
        .term_width(100) // the same help whatever the window: documents and tests quote it
        .version(clap::crate_version!())
        .about("Record what neural networks do while they learn, once; measure the information inside them, any time later")
        .after_help(EXIT_CODES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("threads")
                .long("threads")
                .value_name("N")
                .help("Threads to use; the results do not depend on it [default: all cores]")
                .value_parser(value_parser!(u16).range(1..=1024))
                .global(true),
        )
        .arg(Arg::new("quiet").short('q').long("quiet").help("Say nothing but errors").action(ArgAction::SetTrue).global(true))
        .arg(Arg::new("verbose").short('v').long("verbose").help("Say more").action(ArgAction::SetTrue).global(true))
        .arg(Arg::new("json").long("json").help("Print JSON: one value, or an object a line and stage").action(ArgAction::SetTrue).global(true))
        .subcommands(COMMANDS.iter().map(|(words, _)| words()))
}

fn dispatch(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    if let Some(n_threads) = matches.get_one::<u16>("threads") {
        let pool = rayon::ThreadPoolBuilder::new().num_threads((*n_threads).into());
        pool.build_global().map_err(|e| anyhow::anyhow!("cannot start {n_threads} threads: {e}"))?;
    }
    let (name, matches) = matches.subcommand().context("no command given")?;
    let entry = COMMANDS.iter().find(|(words, _)| words().get_name() == name);
    let (_, run) = entry.context("clap accepts only listed commands")?;
    run(matches, terminal)
}

fn pipeline_arg() -> Arg {
    Arg::new("pipeline")
        .value_name("PIPELINE")
        .help("A pipeline file, for example pipelines/tishby.toml")
        .required(true)
        .value_parser(value_parser!(PathBuf))
}

fn experiment_arg() -> Arg {
    Arg::new("experiment")
        .value_name("EXPERIMENT")
        .help("An experiment's folder, for example outputs/tishby")
        .required(true)
        .value_parser(value_parser!(PathBuf))
}

fn out_arg(help: &'static str) -> Arg {
    Arg::new("out").long("out").value_name("DIR").help(help).value_parser(value_parser!(PathBuf))
}

fn path<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a Path> {
    matches.get_one::<PathBuf>(name).map(PathBuf::as_path)
}

/// The experiment named on the command line.
fn experiment(matches: &ArgMatches) -> anyhow::Result<Experiment> {
    Ok(Experiment::new(path(matches, "experiment").context("clap requires the experiment")?))
}

/// The experiments named on the command line, and where what they have in common goes: `--out`, else the folder of the only one.
fn experiments(matches: &ArgMatches, what: &str) -> anyhow::Result<(Vec<Experiment>, PathBuf)> {
    let roots: Vec<&PathBuf> = matches.get_many("experiment").context("clap requires an experiment")?.collect();
    let out = match (path(matches, "out"), roots.as_slice()) {
        (Some(out), _) => out,
        (None, [only]) => only,
        (None, _) => anyhow::bail!("several experiments: say with `--out DIR` where their common {what} goes"),
    };
    Ok((roots.iter().map(|root| Experiment::new(root.as_path())).collect(), out.to_owned()))
}
