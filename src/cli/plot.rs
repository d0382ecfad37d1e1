//! `infoplane plot`: draw figures.

use crate::parameter::capitalised;
use crate::pipeline::Needs;
use crate::plots::{PLOTS, Spec, find};
use crate::stages::Progress;
use crate::stages::plot::{PlotSelection, plot};
use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::Ended;
use super::arguments::{experiment_arg, out_arg, path, resolved};
use super::table::grid;
use super::terminal::Terminal;

pub(super) fn command() -> Command {
    let list: String =
        PLOTS.iter().map(|spec| format!("  {}\n      {}\n", spec.name, capitalised(spec.summary))).collect();
    Command::new("plot")
        .about("Draw figures as SVG and PNG, and index.html with a thumbnail of each")
        .after_help(format!("Plots:\n{list}  all\n      Every plot"))
        .arg(Arg::new("name").value_name("PLOT").help("Plot to draw, or `all`").required_unless_present("list"))
        .arg(experiment_arg().required(false).required_unless_present("list"))
        .arg(out_arg("Write the folder `figures` here [default: the experiment's folder]"))
        .arg(Arg::new("list").long("list").help("List the plots without drawing").action(ArgAction::SetTrue))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    if matches.get_flag("list") {
        match terminal.is_json() {
            true => terminal.print_json(&list_for_programs())?,
            false => terminal.print(&list())?,
        }
        return Ok(Ended::default());
    }
    let name = matches.get_one::<String>("name").context("clap requires the plot")?;
    let (plots, selection): (Vec<&'static Spec>, PlotSelection) = match name.as_str() {
        "all" => (PLOTS.to_vec(), PlotSelection::ForAll),
        name => (vec![find(name)?], PlotSelection::ByName),
    };
    let resolved = resolved(matches, Needs::Summary)?;
    let folder = resolved.folder();
    let outcome = plot(folder, &plots, selection, path(matches, "out").unwrap_or(folder.root()))?;
    terminal.report("plot", &outcome);
    Ok(Ended::from(&outcome))
}

fn list() -> String {
    let row = |spec: &&Spec| vec![spec.name.to_owned(), spec.subject.words().to_owned(), spec.summary.to_owned()];
    grid(&["plot", "one for", "description"], PLOTS.iter().map(row))
}

fn list_for_programs() -> Vec<serde_json::Value> {
    let entry = |spec: &&Spec| json!({ "name": spec.name, "of": spec.subject.words(), "summary": spec.summary });
    PLOTS.iter().map(entry).collect()
}
