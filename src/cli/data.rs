//! `infoplane data`: make, import and list data sets.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use infoplane::datasets::{self, DATASETS};
use infoplane::stages::Outcome;
use infoplane::stages::data::{Choice, default_out, import, make};
use infoplane::store::data_file;

use super::terminal::Terminal;
use super::{fetch, parameters, path};

pub(super) fn command() -> Command {
    let out = || {
        Arg::new("out")
            .long("out")
            .value_name("FILE")
            .help("Where the table goes [default: data/<name>.parquet]")
            .value_parser(value_parser!(PathBuf))
    };
    let make = Command::new("make")
        .about("Make a data set from its rule")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(
            DATASETS
                .iter()
                .map(|spec| parameters::add(Command::new(spec.name).about(spec.summary).arg(out()), spec.parameters)),
        );
    let import = Command::new("import")
        .about("Import .mat (MATLAB 5), .npy, .npz, .csv, .csv.zst or .parquet")
        .after_help("Columns of a .npy matrix are named 0, 1, …; a matrix in a .mat, .npz or .parquet file is one column of several values. In a table of samples that infoplane wrote, x, y and p_y1 are what they are called.")
        .arg(Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf)))
        .arg(Arg::new("x").long("x").value_name("NAMES").help("Columns that make x, in order: `a,b,c`, or --x once for each [default: all others]").action(ArgAction::Append))
        .arg(Arg::new("y").long("y").value_name("NAME").help("The column of labels, whole numbers").default_value("y"))
        .arg(Arg::new("p-y1").long("p-y1").value_name("NAME").help("The column of p(y=1|x), for stochastic labels"))
        .arg(out());
    Command::new("data")
        .about("Make, import or list data sets")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(make)
        .subcommand(fetch::command())
        .subcommand(import)
        .subcommand(Command::new("list").about("List the data sets that can be made"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let outcome = match matches.subcommand().context("clap requires a subcommand")? {
        ("make", matches) => {
            let (name, matches) = matches.subcommand().context("clap requires a data set")?;
            let spec = datasets::find(name)?;
            let out = path(matches, "out").map_or_else(|| data_file(name), PathBuf::from);
            make(spec, &parameters::read(matches, spec.parameters)?, &out)?
        }
        ("fetch", matches) => return fetch::run(matches, terminal),
        ("import", matches) => {
            let file = path(matches, "file").context("clap requires the file")?;
            let text = |name: &str| matches.get_one::<String>(name).cloned();
            let choice = Choice {
                x: matches.get_many::<String>("x").map_or_else(Vec::new, |names| names.cloned().collect()),
                y: text("y").context("clap gives a default")?,
                p_y1: text("p-y1"),
            };
            let out = path(matches, "out").map_or_else(|| default_out(file), |out| Ok(out.to_owned()))?;
            import(file, &choice, &out)?
        }
        _ => {
            for spec in DATASETS {
                terminal.print(&format!("{}\t{}\n", spec.name, spec.summary))?;
            }
            return Ok(Outcome::UpToDate);
        }
    };
    terminal.report("data", &outcome);
    Ok(outcome)
}
