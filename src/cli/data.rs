//! `infoplane data`: make, fetch, import, list and describe data sets.

use std::path::PathBuf;

use crate::config::NamedData;
use crate::count::counted;
use crate::datasets::{self, DATASETS, Source, Spec};
use crate::stages::Progress;
use crate::stages::data::{Class, Description, ImportRequest, State, default_out, describe, import, make, state};
use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::arguments::path;
use super::table::paragraph;
use super::terminal::Terminal;
use super::{Ended, fetch, parameters};

pub(super) fn command() -> Command {
    let out = || {
        Arg::new("out")
            .long("out")
            .value_name("FILE")
            .help("Where the table goes [default: data/<name>.parquet; with other parameters than the defaults data/<name>-<parameters>.parquet]")
            .value_parser(value_parser!(PathBuf))
    };
    let make_command = |spec: &&'static Spec| {
        let folder = Arg::new("folder")
            .long("folder")
            .value_name("DIR")
            .help(format!("Where its files lie, packed or not [default: data/raw/{}]", spec.name))
            .value_parser(value_parser!(PathBuf));
        let command = Command::new(spec.name).about(spec.summary).arg(out());
        let command = if let Source::Files { .. } = spec.source { command.arg(folder) } else { command };
        parameters::add(command, spec.parameters)
    };
    let make = Command::new("make")
        .about("Make a data set from its rule or its published files")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(DATASETS.iter().map(make_command));
    let import = Command::new("import")
        .about("Import .mat (MATLAB 5), .npy, .npz, .csv, .csv.zst or .parquet")
        .after_help("Columns of a .npy matrix are named 0, 1, …; a matrix in a .mat, .npz or .parquet file is one column of several values. In a table of samples that infoplane wrote, x, y, p_y1 and target are what they are called.")
        .arg(Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf)))
        .arg(Arg::new("x").long("x").value_name("NAMES").help("Columns that make x, in order: `a,b,c`, or --x once for each [default: all others]").action(ArgAction::Append))
        .arg(Arg::new("y").long("y").value_name("NAME").help("The column of labels, whole numbers").default_value("y"))
        .arg(Arg::new("p-y1").long("p-y1").value_name("NAME").help("The column of p(y=1|x), for stochastic labels"))
        .arg(Arg::new("target").long("target").value_name("NAMES").help("Columns that make y as numbers, in order, to train the squared error on them").action(ArgAction::Append))
        .arg(out());
    let describe = Command::new("describe").about("Describe a data set: sizes, balance, H(X), H(Y), I(X;Y)").arg(
        Arg::new("what")
            .value_name("NAME|FILE")
            .help("A data set, or a table of samples that ends in .parquet")
            .required(true),
    );
    Command::new("data")
        .about("Make, fetch, import, list or describe data sets")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(make)
        .subcommand(fetch::command())
        .subcommand(import)
        .subcommand(
            Command::new("list")
                .about("List the data sets, and whether they are made, can be made, or are to be fetched"),
        )
        .subcommand(describe)
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let outcome = match matches.subcommand().context("clap requires a subcommand")? {
        ("make", matches) => {
            let (name, matches) = matches.subcommand().context("clap requires a data set")?;
            let spec = datasets::find(name)?;
            let parameters = parameters::read(matches, spec.parameters)?;
            let folder = match spec.source {
                Source::Files { .. } => path(matches, "folder").map(PathBuf::from),
                Source::Rule(_) => None,
            };
            let named = NamedData { spec, parameters, folder };
            make(&named, &path(matches, "out").map_or_else(|| named.path(), PathBuf::from))?
        }
        ("fetch", matches) => return fetch::run(matches, terminal),
        ("import", matches) => {
            let file = path(matches, "file").context("clap requires the file")?;
            let text = |name: &str| matches.get_one::<String>(name).cloned();
            let texts = |name: &str| matches.get_many(name).map_or_else(Vec::new, |names| names.cloned().collect());
            let choice = ImportRequest {
                x: texts("x"),
                y: text("y").context("clap gives a default")?,
                p_y1: text("p-y1"),
                target: texts("target"),
            };
            let out = path(matches, "out").map_or_else(|| default_out(file), |out| Ok(out.to_owned()))?;
            import(file, &choice, &out)?
        }
        ("describe", matches) => {
            let what = matches.get_one::<String>("what").context("clap requires the data set")?;
            let description = describe(what)?;
            match terminal.is_json() {
                true => terminal.print_json(&description)?,
                false => {
                    let words = words(what, &description);
                    let lines = words.lines().map(|line| format!("{}\n", paragraph(line, 9, terminal.width())));
                    terminal.print(&lines.collect::<String>())?;
                }
            }
            return Ok(Ended::default());
        }
        _ => {
            let state = |spec: &'static Spec| match state(spec) {
                State::Made => "made",
                State::CanBeMade => "can be made",
                State::ToBeFetched => "to be fetched",
            };
            if terminal.is_json() {
                let entry =
                    |spec: &&'static Spec| json!({ "name": spec.name, "state": state(spec), "summary": spec.summary });
                terminal.print_json(&DATASETS.iter().map(entry).collect::<Vec<_>>())?;
                return Ok(Ended::default());
            }
            for spec in DATASETS {
                terminal.print(&format!("{}\t{}\t{}\n", spec.name, state(spec), spec.summary))?;
            }
            return Ok(Ended::default());
        }
    };
    terminal.report("data", &outcome);
    Ok(Ended::from(&outcome))
}

/// A description for people.
fn words(what: &str, described: &Description) -> String {
    const MOST_CLASSES: usize = 20;
    let ((low, high), n_ambiguous) = (described.x_range, described.n_ambiguous_inputs);
    let mut text = format!(
        "{what}: {} of {}, from {low} to {high}\n",
        counted(described.n_samples, "sample"),
        counted(described.n_inputs, "input")
    );
    text.push_str(&format!(
        "inputs   {} distinct, {n_ambiguous} of them with different labels\n",
        described.n_distinct_inputs
    ));
    let class = |c: &Class| format!("{}: {} ({:.2} %)", c.label, c.n_samples, 100.0 * c.share);
    let mut classes: Vec<String> = described.classes.iter().take(MOST_CLASSES).map(class).collect();
    if described.classes.len() > MOST_CLASSES {
        classes.push(format!("and {} more", described.classes.len() - MOST_CLASSES));
    }
    let stochastic =
        if described.is_stochastic { "; stochastic, shares and entropies are those of p(y=1|x)" } else { "" };
    text.push_str(&format!("classes  {}{stochastic}\n", classes.join(", ")));
    if let Some(targets) = &described.targets {
        let (low, high) = targets.range;
        let of_units = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (n, mean, variance) = (targets.n_outputs, of_units(&targets.mean), of_units(&targets.variance));
        text.push_str(&format!("targets  {n}, from {low} to {high}; mean {mean:.4}, variance {variance:.4}\n"));
    }
    for (name, bits) in [("H(X)", described.h_x_bits), ("H(Y)", described.h_y_bits), ("I(X;Y)", described.i_xy_bits)] {
        text.push_str(&format!("{name:<8} {bits:.4} bits\n"));
    }
    text
}
