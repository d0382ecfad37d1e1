//! The command line: one file per command, with its definition for clap and its calls of the pipeline and the stages. The
//! only place that names `clap` and `anyhow`.

mod aggregate;
mod analyse;
mod arguments;
mod audit;
mod bound;
mod check;
mod chosen;
mod completions;
mod data;
mod estimate;
mod exact;
mod fetch;
mod freeze;
mod import;
mod inspect;
mod job;
mod keys;
mod mi;
mod movie;
mod parameters;
mod plot;
mod propagate;
mod record;
mod relate;
mod report;
mod run;
mod schema;
mod screen;
mod stability;
mod summary;
mod table;
mod terminal;
mod verdicts;
mod verify;
mod weights;

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::memory;
use crate::stages::{Failures, Outcome};
use crate::visible::{visible, visible_line};
use terminal::{Form, Terminal};

/// A command: its definition and its function.
type Entry = (fn() -> Command, fn(&ArgMatches, &Terminal) -> anyhow::Result<Ended>);

/// Every command, in the order of a pipeline.
const COMMANDS: &[Entry] = &[
    (run::command, run::run),
    (analyse::command, analyse::run),
    (mi::command, mi::run),
    (audit::command, audit::run),
    (data::command, data::run),
    (freeze::command, freeze::run),
    (record::command, record::run),
    (estimate::command, estimate::run),
    (exact::command, exact::run),
    (propagate::command, propagate::run),
    (bound::command, bound::run),
    (weights::command, weights::run),
    (aggregate::command, aggregate::run),
    (check::command, check::run),
    (summary::command, summary::run),
    (verify::command, verify::run),
    (relate::command, relate::run),
    (stability::command, stability::run),
    (plot::command, plot::run),
    (report::command, report::run),
    (movie::command, movie::run),
    (inspect::command, inspect::run),
    (keys::command, keys::run),
    (schema::command, schema::run),
    (completions::command, completions::run),
    (completions::man_command, completions::run_man),
];

const EXIT_CODES: &str = "Exit codes: 0: success, or nothing to do; 1: some trainings, estimates or experiments failed, or a check or claim failed under `--strict`; 2: the command could not run.";

/// The result of a command that could run.
#[derive(Debug, Default)]
struct Ended {
    failures: Failures,
    /// Other reasons for exit code 1, such as a failed check under `--strict`.
    objections: Vec<String>,
}

impl From<&Outcome> for Ended {
    fn from(outcome: &Outcome) -> Self {
        Self { failures: outcome.failures(), objections: Vec::new() }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    exit_with_code_2_without_memory();
    ExitCode::from(run(std::env::args_os()))
}

/// Makes the process exit with code 2, not with a signal, when an allocation fails. The standard library has printed the size
/// of the allocation by then.
fn exit_with_code_2_without_memory() {
    #[cfg(unix)]
    {
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool;
        let (abort, is_on) = (signal_hook::consts::SIGABRT, Arc::new(AtomicBool::new(true)));
        // If it cannot be registered, everything else still works.
        let _ = signal_hook::flag::register_conditional_shutdown(abort, CANNOT_RUN.into(), is_on);
    }
}

/// Runs a command line and returns its exit code: 0 after success or if everything was up to date, 1 if something failed or a
/// check or claim failed under `--strict`, 2 if it could not run. The first of the `arguments` is the name of the program.
///
/// ```
/// assert_eq!(infoplane::cli::run(["infoplane", "data", "list"]), 0);
/// ```
pub fn run<I>(arguments: I) -> u8
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let matches = match command().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(e) => {
            let is_seen = |argument: &OsString| argument.to_str().is_some_and(|text| visible_line(text) == text);
            // Standard error may be closed.
            let _ = match arguments.iter().all(is_seen) {
                true => e.print(),
                false => writeln!(std::io::stderr(), "{}", visible(&e.to_string())),
            };
            return u8::try_from(e.exit_code()).unwrap_or(CANNOT_RUN);
        }
    };
    let form = if matches.get_flag("json") { Form::Json } else { Form::Words };
    let terminal = Terminal::new(matches.get_flag("quiet"), matches.get_flag("verbose"), form);
    let ended = catch_unwind(AssertUnwindSafe(|| dispatch(&matches, &terminal))).unwrap_or_else(|_| {
        let remedy =
            "if memory is short, allow this process more; otherwise this is a bug in infoplane: please report it";
        Err(anyhow::anyhow!("internal error, see the lines above; {remedy}"))
    });
    let (exit_code, complaint) = exit_code(ended);
    if exit_code != 0 {
        terminal.error(&complaint, exit_code);
    }
    exit_code
}

/// The exit code of a command that could not run.
const CANNOT_RUN: u8 = 2;

/// The exit code, and the message for the user.
fn exit_code(ended: anyhow::Result<Ended>) -> (u8, String) {
    match ended {
        Err(e) => (CANNOT_RUN, e.to_string()),
        Ok(Ended { failures, objections }) => {
            let failed = (!failures.is_none()).then(|| failures.sentence());
            let complaints: Vec<String> = failed.into_iter().chain(objections).collect();
            (u8::from(!complaints.is_empty()), complaints.join("; "))
        }
    }
}

/// The definition of all commands.
fn command() -> Command {
    Command::new("infoplane")
        .term_width(100) // the help does not depend on the window, because documents and tests quote it
        .version(clap::crate_version!())
        .about("Record the activations of neural networks during training, and estimate mutual information from these recordings at any later time")
        .after_help(EXIT_CODES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("threads")
                .long("threads")
                .value_name("N")
                .help("Number of threads; results are the same for every number [default: all cores]")
                .value_parser(value_parser!(u16).range(1..=1024))
                .global(true)
                .help_heading(GLOBAL),
        )
        .arg(
            Arg::new("max-memory")
                .long("max-memory")
                .value_name("GB")
                .help("Memory limit for the contents of one file, and for all trainings that run at the same time [default: 4]")
                .value_parser(gigabytes)
                .global(true)
                .help_heading(GLOBAL),
        )
        .arg(global_flag("quiet", "Print errors only").short('q'))
        .arg(global_flag("verbose", "Print more detail").short('v'))
        .arg(global_flag("json", "Print JSON: one value, or JSON lines with one object per stage"))
        .subcommands(COMMANDS.iter().map(|(words, _)| words()))
}

/// The heading of the flags that every command has. They are listed after the flags of the command.
const GLOBAL: &str = "Options of all commands";

fn global_flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue).global(true).help_heading(GLOBAL)
}

/// A number of gigabytes, as bytes.
fn gigabytes(text: &str) -> Result<u64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= 1e6);
    number.map(|number| (number * 1e9) as u64).ok_or_else(|| "must be a number of gigabytes, such as 16".to_owned())
}

fn dispatch(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    if let Some(bytes) = matches.get_one::<u64>("max-memory") {
        memory::allow(*bytes);
    }
    let n_threads = matches.get_one::<u16>("threads").copied();
    let (name, matches) = matches.subcommand().context("no command given")?;
    let entry = COMMANDS.iter().find(|(words, _)| words().get_name() == name);
    let (_, run) = entry.context("clap accepts only listed commands")?;
    let refused = |what: &str, e: rayon::ThreadPoolBuildError| {
        let remedy = "use fewer threads (`--threads`), or allow this process more threads or memory";
        anyhow::anyhow!("cannot start {what}: {e}; {remedy}")
    };
    match n_threads {
        None => {
            // Started here, because a pool that cannot be started panics at its first use. A program that embeds this command
            // line may have started its own pool already, which is not a failure of the operating system.
            let started = rayon::ThreadPoolBuilder::new().build_global();
            started
                .or_else(|e| if e.source().is_none() { Ok(()) } else { Err(refused("a thread for every core", e)) })?;
            run(matches, terminal)
        }
        Some(n) => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n.into()).build();
            let what = format!("{n} {}", if n == 1 { "thread" } else { "threads" });
            pool.map_err(|e| refused(&what, e))?.install(|| run(matches, terminal))
        }
    }
}
