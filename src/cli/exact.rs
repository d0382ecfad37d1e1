//! `infoplane exact`: exact information, without an estimator.

use std::path::Path;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::arguments::{out_arg, path};
use super::terminal::Terminal;
use super::{Ended, estimate, job};
use crate::math::minimal_model::CURVES;
use crate::pipeline::EXACT;
use crate::stages::Progress;
use crate::stages::exact::{MinimalModelRequest, minimal_model, plan};

/// More weights than a figure has pixels.
const MOST_WEIGHTS: usize = 1_000_000;

pub(super) fn command() -> Command {
    let linear = job::add_to_reader(Command::new("linear"))
        .about("Compute the exact I(X;T) and I(T;Y) of a linear network on student-teacher data (settings: `[exact]` in the pipeline), and write them as tables of estimates");
    Command::new("exact")
        .about("Compute exact information for models that need no estimator: linear networks and the minimal model")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(linear)
        .subcommand(minimal_model_command())
}

fn minimal_model_command() -> Command {
    let names: Vec<&str> = CURVES.iter().map(|curve| curve.name).collect();
    Command::new("minimal-model")
        .about("Compute I(X;T) of a single binned unit T = bin(f(wX)), X ~ N(0, 1), as a function of the weight w (Saxe et al. 2018, Fig. 2)")
        .arg(
            Arg::new("activation")
                .long("activation")
                .value_name("NAME")
                .help(format!("Activation function f; may be given several times [default: tanh, relu] [possible values: {}]", names.join(", ")))
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("n_bins")
                .long("n-bins")
                .value_name("N")
                .help("Number of equal bins over the range of a bounded activation function")
                .default_value("30")
                .value_parser(value_parser!(usize)),
        )
        .arg(
            Arg::new("bin_width")
                .long("bin-width")
                .value_name("WIDTH")
                .help("Bin width for unbounded activation functions")
                .default_value("1")
                .value_parser(value_parser!(f64)),
        )
        .arg(
            Arg::new("net_input_bins")
                .long("net-input-bins")
                .value_name("N")
                .help("Also use bins with the N edges f(z), for evenly spaced net inputs z from -50 to 50 (Fig. 13)")
                .value_parser(value_parser!(usize)),
        )
        .arg(
            Arg::new("weights")
                .long("weights")
                .value_name("FROM,TO,STEPS")
                .help("STEPS evenly spaced weights from FROM to TO, both included [default: 0,10,101]")
                .allow_hyphen_values(true),
        )
        .arg(
            Arg::new("weight")
                .long("weight")
                .value_name("W")
                .help("Use this weight instead of a range; may be given several times")
                .value_delimiter(',')
                .allow_negative_numbers(true)
                .action(ArgAction::Append)
                .value_parser(value_parser!(f64))
                .conflicts_with("weights"),
        )
        .arg(out_arg("The folder for minimal_model.parquet [default: outputs/minimal-model]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    match matches.subcommand().context("clap requires a subcommand")? {
        ("linear", matches) => estimate::run_steps(EXACT, plan, matches, terminal),
        (_, matches) => run_minimal_model(matches, terminal),
    }
}

fn run_minimal_model(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let defaults = || vec!["tanh".to_owned(), "relu".to_owned()];
    let choice = MinimalModelRequest {
        activations: matches.get_many::<String>("activation").map_or_else(defaults, |names| names.cloned().collect()),
        n_bins: *matches.get_one::<usize>("n_bins").context("clap gives a default")?,
        bin_width: *matches.get_one::<f64>("bin_width").context("clap gives a default")?,
        n_net_input_edges: matches.get_one::<usize>("net_input_bins").copied(),
        weights: weights(matches)?,
    };
    let out = path(matches, "out").unwrap_or(Path::new("outputs/minimal-model"));
    let outcome = minimal_model(&choice, out, terminal)?;
    terminal.report("exact", &outcome);
    Ok(Ended::from(&outcome))
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
            "`--weights` must be the first weight, the last weight and the number of weights (at most {MOST_WEIGHTS}), such as 0,10,101; got {given}"
        );
    };
    Ok((0..steps).map(|i| from + (to - from) * i as f64 / (steps - 1).max(1) as f64).collect())
}
