//! `infoplane exact`: numbers that need no estimator.

use std::path::Path;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use infoplane::config::Declared;
use infoplane::stages::Outcome;
use infoplane::stages::exact::{Choice, linear, minimal_model, plan};
use infoplane::stages::record::Existing;
use infoplane::store::Experiment;

use super::sweep::{Job, Stages};
use super::terminal::Terminal;
use super::{estimate, out_arg, path, pipeline_arg, sweep};

/// More weights than a picture has pixels.
const MOST_WEIGHTS: usize = 1_000_000;

pub(super) fn command() -> Command {
    let of_pipeline = sweep::add(Command::new("linear"))
        .about("What the table [exact] of a pipeline asks for: exact I(X;T) and I(T;Y) of a linear network on student-teacher data, in tables of estimates")
        .arg(pipeline_arg())
        .arg(out_arg("The experiment's folder, or the sweep's [default: outputs/<pipeline>]"));
    Command::new("exact")
        .about("Exact information where no estimator is needed: linear networks, the minimal model")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(of_pipeline)
        .subcommand(of_minimal_model())
}

fn of_minimal_model() -> Command {
    Command::new("minimal-model")
        .about("I(X;T) of a single binned unit T = bin(f(wX)), X ~ N(0, 1), against the weight w (Saxe et al. 2018, Fig. 2)")
        .arg(
            Arg::new("activation")
                .long("activation")
                .value_name("NAME")
                .help("Activation f, as in a pipeline; may be given several times [default: tanh, relu]")
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("n_bins")
                .long("n-bins")
                .value_name("N")
                .help("Equal bins over the range of a bounded activation")
                .default_value("30")
                .value_parser(value_parser!(usize)),
        )
        .arg(
            Arg::new("bin_width")
                .long("bin-width")
                .value_name("WIDTH")
                .help("Width of the bins of the other activations")
                .default_value("1")
                .value_parser(value_parser!(f64)),
        )
        .arg(
            Arg::new("net_input_bins")
                .long("net-input-bins")
                .value_name("N")
                .help("Besides, bins between the edges f(z) of N even net inputs z from -50 to 50 (Fig. 13)")
                .value_parser(value_parser!(usize)),
        )
        .arg(
            Arg::new("weights")
                .long("weights")
                .value_name("FROM,TO,STEPS")
                .help("Evenly spaced weights, both ends included [default: 0,10,101]")
                .allow_hyphen_values(true),
        )
        .arg(
            Arg::new("weight")
                .long("weight")
                .value_name("W")
                .help("Just this weight; may be given several times")
                .value_delimiter(',')
                .allow_negative_numbers(true)
                .action(ArgAction::Append)
                .value_parser(value_parser!(f64))
                .conflicts_with("weights"),
        )
        .arg(out_arg("Write minimal_model.parquet here [default: outputs/minimal-model]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    match matches.subcommand().context("clap requires a subcommand")? {
        ("linear", matches) => run_linear(matches, terminal),
        (_, matches) => run_minimal_model(matches, terminal),
    }
}

fn run_linear(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let (pipeline, out) = match sweep::declared(matches)? {
        (Declared::Many(sweep), root) => {
            let job = Job { stages: Stages::Exact, existing: Existing::Keep };
            return job.sweep(&sweep, &root, matches, terminal);
        }
        (Declared::One(pipeline), root) => (pipeline, root),
    };
    let experiment = Experiment::new(&out);
    if matches.get_flag("dry_run") {
        estimate::describe(&plan(&pipeline, &experiment, &out)?, terminal)?;
        return Ok(Outcome::UpToDate);
    }
    let outcome = linear(&pipeline, &experiment, &out, terminal)?;
    terminal.report("exact", &outcome);
    Ok(outcome)
}

fn run_minimal_model(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let defaults = || vec!["tanh".to_owned(), "relu".to_owned()];
    let choice = Choice {
        activations: matches.get_many::<String>("activation").map_or_else(defaults, |names| names.cloned().collect()),
        n_bins: *matches.get_one::<usize>("n_bins").context("clap gives a default")?,
        bin_width: *matches.get_one::<f64>("bin_width").context("clap gives a default")?,
        n_net_input_edges: matches.get_one::<usize>("net_input_bins").copied(),
        weights: weights(matches)?,
    };
    let out = path(matches, "out").unwrap_or(Path::new("outputs/minimal-model"));
    let outcome = minimal_model(&choice, out, terminal)?;
    terminal.report("exact", &outcome);
    Ok(outcome)
}

fn weights(matches: &ArgMatches) -> anyhow::Result<Vec<f64>> {
    if let Some(weights) = matches.get_many::<f64>("weight") {
        return Ok(weights.copied().collect());
    }
    let given = matches.get_one::<String>("weights").map_or("0,10,101", String::as_str);
    let words: Vec<&str> = given.split(',').map(str::trim).collect();
    let parsed = match words[..] {
        [from, to, steps] => from.parse::<f64>().ok().zip(to.parse::<f64>().ok()).zip(steps.parse::<usize>().ok()),
        _ => None,
    };
    let is_allowed = |((from, to), steps): &((f64, f64), usize)| {
        from.is_finite() && to.is_finite() && (1..=MOST_WEIGHTS).contains(steps)
    };
    let Some(((from, to), steps)) = parsed.filter(is_allowed) else {
        bail!(
            "`--weights`: must be two numbers and how many from one to the other, at most {MOST_WEIGHTS}, such as 0,10,101, got {given}"
        );
    };
    Ok((0..steps).map(|i| from + (to - from) * i as f64 / (steps - 1).max(1) as f64).collect())
}
