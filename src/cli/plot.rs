//! `infoplane plot`: draw pictures.

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use infoplane::plots::{self, PLOTS, Spec};
use infoplane::stages::Outcome;
use infoplane::stages::plot::plot;

use super::terminal::Terminal;
use super::{experiment, experiment_arg, out_arg, path};

pub(super) fn command() -> Command {
    let list: String = PLOTS.iter().map(|spec| format!("  {:<18} {}\n", spec.name, spec.summary)).collect();
    Command::new("plot")
        .about("Draw pictures, SVG and PNG, of every estimator")
        .after_help(format!("Plots:\n{list}  {:<18} every one of them", "all"))
        .arg(Arg::new("name").value_name("PLOT").help("Which picture").required(true))
        .arg(experiment_arg())
        .arg(out_arg("Write the folder `figures` here [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let name = matches.get_one::<String>("name").context("clap requires the plot")?;
    let chosen: Vec<&Spec> = if name == "all" { PLOTS.to_vec() } else { vec![plots::find(name)?] };
    let experiment = experiment(matches)?;
    let outcome = plot(&experiment, &chosen, path(matches, "out").unwrap_or(experiment.root()))?;
    terminal.report("plot", &outcome);
    Ok(outcome)
}
