//! `infoplane data`: make, fetch, import, list and describe data sets.

use std::path::PathBuf;

use crate::config::NamedData;
use crate::count::{counted, shown};
use crate::datasets::{self, DATASETS, Source, Spec};
use crate::parameter::capitalised;
use crate::stages::Progress;
use crate::stages::data::{Class, Description, State, describe, make, parts, state};
use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::arguments::path;
use super::table::paragraph;
use super::terminal::Terminal;
use super::{Ended, fetch, import, parameters};

pub(super) fn command() -> Command {
    let out = || {
        let help = "The table to write [default: data/<name>.parquet, or data/<name>-<parameters>.parquet if a parameter differs from its default]";
        Arg::new("out").long("out").value_name("FILE").help(help).value_parser(value_parser!(PathBuf))
    };
    let make_command = |spec: &&'static Spec| {
        let folder = Arg::new("folder")
            .long("folder")
            .value_name("DIR")
            .help(format!(
                "The folder of the downloaded files, which may be compressed [default: data/raw/{}]",
                spec.name
            ))
            .value_parser(value_parser!(PathBuf));
        let command = Command::new(spec.name).about(capitalised(spec.summary)).arg(out());
        let command = if let Source::Files { .. } = spec.source { command.arg(folder) } else { command };
        parameters::add(command, spec.parameters)
    };
    let make = Command::new("make")
        .about("Make the table of a data set from its rule or from its published files")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(DATASETS.iter().map(make_command));
    let describe = Command::new("describe")
        .about("Describe a data set: number of samples, class balance, H(X), H(Y), I(X;Y)")
        .arg(
            Arg::new("what")
                .value_name("NAME|FILE")
                .help("The name of a data set, or a table of samples (a .parquet file)")
                .required(true),
        );
    Command::new("data")
        .about("Make, fetch, import, list or describe data sets")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(make)
        .subcommand(fetch::command())
        .subcommand(import::command())
        .subcommand(Command::new("list").about(
            "List the data sets, and whether each is already made, can be made now, or must be downloaded first",
        ))
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
        ("import", matches) => import::run(matches)?,
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
            if terminal.is_json() {
                let part = |(name, state)| json!({ "part": name, "state": in_words(state) });
                let parts = |spec| parts(spec).into_iter().map(part).collect::<Vec<_>>();
                let entry = |spec: &&'static Spec| json!({ "name": spec.name, "state": in_words(state(spec)), "parts": parts(spec), "summary": spec.summary });
                terminal.print_json(&DATASETS.iter().map(entry).collect::<Vec<_>>())?;
                return Ok(Ended::default());
            }
            for spec in DATASETS {
                terminal.print(&format!("{}\t{}\t{}\n", spec.name, state_in_words(spec), spec.summary))?;
            }
            return Ok(Ended::default());
        }
    };
    terminal.report("data", &outcome);
    Ok(Ended::from(&outcome))
}

fn in_words(state: State) -> &'static str {
    match state {
        State::Made => "made",
        State::CanBeMade => "can be made",
        State::ToBeFetched => "to be fetched",
    }
}

/// The state of a data set, and of its parts if they differ.
fn state_in_words(spec: &'static Spec) -> String {
    let (whole, parts) = (state(spec), parts(spec));
    if parts.iter().all(|(_, state)| *state == whole) {
        return in_words(whole).to_owned();
    }
    let in_state = |wanted: State| {
        let names: Vec<&str> = parts.iter().filter(|(_, state)| *state == wanted).map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| format!("{}: {}", in_words(wanted), names.join(", ")))
    };
    let states = [State::Made, State::CanBeMade, State::ToBeFetched].into_iter().filter_map(in_state);
    states.collect::<Vec<_>>().join("; ")
}

/// The description as text.
fn words(what: &str, described: &Description) -> String {
    const MOST_CLASSES: usize = 20;
    let ((low, high), n_ambiguous) = (described.x_range, described.n_ambiguous_inputs);
    let sizes = |shape: &Vec<usize>| shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
    let shape = described.x_shape.as_ref().map_or_else(String::new, |shape| format!(" ({})", sizes(shape)));
    let mut text = format!(
        "{what}: {} of {}{shape}, from {low} to {high}\n",
        counted(described.n_samples, "sample"),
        counted(described.n_inputs, "input")
    );
    let standardised = if described.is_standardised { "; standardised: mean 0, standard deviation 1" } else { "" };
    let hashed = if described.has_x_hash { "; distinguished by their values in the imported file" } else { "" };
    text.push_str(&format!(
        "inputs   {} distinct, {n_ambiguous} of them with different labels{standardised}{hashed}\n",
        described.n_distinct_inputs
    ));
    let name = |c: &Class| c.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    let class = |c: &Class| format!("{}{}: {} ({:.2} %)", c.label, name(c), c.n_samples, 100.0 * c.share);
    let mut classes: Vec<String> = described.classes.iter().take(MOST_CLASSES).map(class).collect();
    if described.classes.len() > MOST_CLASSES {
        classes.push(format!("and {} more", described.classes.len() - MOST_CLASSES));
    }
    let stochastic =
        if described.is_stochastic { "; stochastic: shares and entropies are computed from p(y=1|x)" } else { "" };
    text.push_str(&format!("classes  {}{stochastic}\n", classes.join(", ")));
    if let Some(targets) = &described.targets {
        let (low, high) = targets.range;
        let of_units = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (n, mean, variance) = (targets.n_outputs, of_units(&targets.mean), of_units(&targets.variance));
        text.push_str(&format!(
            "targets  {n}, from {low} to {high}; mean {}, variance {}\n",
            shown(mean),
            shown(variance)
        ));
    }
    for (name, bits) in [("H(X)", described.h_x_bits), ("H(Y)", described.h_y_bits), ("I(X;Y)", described.i_xy_bits)] {
        text.push_str(&format!("{name:<8} {} bits\n", shown(bits)));
    }
    text
}
