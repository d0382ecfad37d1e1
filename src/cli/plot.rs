//! `infoplane plot`: draw pictures.

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use infoplane::plots::{self, PLOTS, Spec};
use infoplane::stages::Outcome;
use infoplane::stages::plot::{Asked, plot};
use serde_json::json;

use super::inspect::grid;
use super::terminal::Terminal;
use super::{experiment, experiment_arg, out_arg, path};

pub(super) fn command() -> Command {
    let list: String = PLOTS.iter().map(|spec| format!("  {:<18} {}\n", spec.name, spec.summary)).collect();
    Command::new("plot")
        .about("Draw pictures, SVG and PNG, of every estimator, experiment and sweep")
        .after_help(format!("Plots:\n{list}  {:<18} every one of them", "all"))
        .arg(Arg::new("name").value_name("PLOT").help("Which picture, or `all`").required_unless_present("list"))
        .arg(experiment_arg().required(false).required_unless_present("list"))
        .arg(out_arg("Write the folder `figures` here [default: the experiment's folder]"))
        .arg(Arg::new("list").long("list").help("List the pictures, draw nothing").action(ArgAction::SetTrue))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    if matches.get_flag("list") {
        match terminal.is_json() {
            true => terminal.print_json(&list_for_programs())?,
            false => terminal.print(&list())?,
        }
        return Ok(Outcome::UpToDate);
    }
    let name = matches.get_one::<String>("name").context("clap requires the plot")?;
    let (chosen, asked): (Vec<&'static Spec>, Asked) = match name.as_str() {
        "all" => (PLOTS.to_vec(), Asked::ForAll),
        name => (vec![plots::find(name)?], Asked::ByName),
    };
    let experiment = experiment(matches)?;
    let outcome = plot(&experiment, &chosen, asked, path(matches, "out").unwrap_or(experiment.root()))?;
    terminal.report("plot", &outcome);
    Ok(outcome)
}

fn list() -> String {
    let row = |spec: &&Spec| vec![spec.name.to_owned(), spec.subject.words().to_owned(), spec.summary.to_owned()];
    grid(&["plot", "one of", "what"], PLOTS.iter().map(row))
}

fn list_for_programs() -> Vec<serde_json::Value> {
    let entry = |spec: &&Spec| json!({ "name": spec.name, "of": spec.subject.words(), "summary": spec.summary });
    PLOTS.iter().map(entry).collect()
}
