//! `infoplane mi`: mutual information of two variables from files, without a network.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::Ended;
use super::chosen::{chosen, set_arg};
use super::import::{file_args, file_options};
use super::table::{Heading, fitted, paragraph};
use super::terminal::Terminal;
use crate::audit::TrialSettings;
use crate::count::counted;
use crate::estimators::Variable;
use crate::stages::Progress;
use crate::stages::mi::{
    MiRow, NumbersAre, ReadPair, UnsuitableEstimator, VariableSource, default_estimator, estimate_pair, read_pair,
};

const EXAMPLES: &str = "\
Examples:
  Two arrays with one row per sample:
    infoplane mi x.npy y.npy
  Columns of a table; `*` matches any characters:
    infoplane mi data.parquet --x 'a,b*' --y c --estimator ksg,copula
  Activations and labels:
    infoplane mi activations.npy labels.npy --labels y --estimator decoder
  Parameters of an estimator, with one or several values each:
    infoplane mi x.csv y.csv --estimator ksg --set k=1,3,5

Strings are labels; numbers are real, unless `--labels` says otherwise. Values are in bits. The 95 % interval is from random halves of the \
samples and does not include the bias of the estimator; the null is the mean ± standard deviation over permutations of Y.";

pub(super) fn command() -> Command {
    let columns = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("COLUMNS").help(help).value_delimiter(',').action(ArgAction::Append)
    };
    let count = |name: &'static str, default: &'static str, help: &'static str| {
        let range = value_parser!(u16).range(0..=10_000);
        Arg::new(name).long(name).value_name("N").help(help).default_value(default).value_parser(range)
    };
    let command = Command::new("mi")
        .about("Estimate the mutual information of two variables from files: .parquet, .csv, .npy and others")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .help("The file of X and the file of Y, or one file with the columns of both. Row i of both is one sample")
                .num_args(1..=2)
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(columns("x", "Columns of X, for example `a,b*` [default: all columns that are not Y]"))
        .arg(columns("y", "Columns of Y; required with one file [default: all columns]"))
        .arg(
            Arg::new("labels")
                .long("labels")
                .value_name("VARIABLE")
                .help("Use the numbers of x, y or both (`x,y`) as labels")
                .value_delimiter(',')
                .value_parser(["x", "y"]),
        )
        .arg(
            Arg::new("estimator")
                .long("estimator")
                .value_name("NAMES")
                .help("Estimators, separated by commas, or `all` [default: one that suits the kinds of X and Y]")
                .value_delimiter(','),
        )
        .arg(set_arg())
        .arg(count("shuffles", "99", "Number of permutations of Y for the permutation null; 0: none"))
        .arg(count("halves", "20", "Number of random halves of the samples for the interval; 0: none"));
    file_args(command)
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let [x, y] = sources(matches)?;
    let names: Option<Vec<String>> = matches.get_many("estimator").map(|names| names.cloned().collect());
    // Invalid names and parameters are reported before the files are read.
    let is_every = names.iter().flatten().any(|name| name == "all");
    let unsuitable = if is_every { UnsuitableEstimator::LeftOut } else { UnsuitableEstimator::Reported };
    let named = names.map(|names| chosen(&names, matches)).transpose()?;
    let read = read_pair(&x, &y, &file_options(matches))?;
    let requested = match named {
        Some(requested) => requested,
        None => chosen(&[default_estimator(&read.pair).to_owned()], matches)?,
    };
    let count = |name: &str| usize::from(matches.get_one::<u16>(name).copied().unwrap_or_default());
    let settings = TrialSettings { n_shuffles: count("shuffles"), n_halves: count("halves") };
    let mut rows = Vec::new();
    for (spec, parameters) in requested {
        let of_estimator = estimate_pair(&read, spec, &parameters, settings, unsuitable)?;
        if of_estimator.is_empty() {
            terminal.tell(&format!("`{}` is not for variables of these kinds", spec.name));
        }
        rows.extend(of_estimator);
    }
    print(&read, &rows, terminal)?;
    let n_failed = rows.iter().filter(|row| row.failure.is_some()).count();
    let objection =
        format!("{n_failed} of {} without an estimate; the last column says why", counted(rows.len(), "row"));
    Ok(Ended { objections: if n_failed > 0 { vec![objection] } else { Vec::new() }, ..Ended::default() })
}

/// The files and columns of X and Y.
fn sources(matches: &ArgMatches) -> anyhow::Result<[VariableSource; 2]> {
    let files: Vec<PathBuf> = matches.get_many("file").map_or_else(Vec::new, |files| files.cloned().collect());
    let texts = |name: &str| -> Vec<String> { matches.get_many(name).map_or_else(Vec::new, |n| n.cloned().collect()) };
    let labels = texts("labels");
    let numbers =
        |name: &str| if labels.iter().any(|label| label == name) { NumbersAre::Labels } else { NumbersAre::Real };
    let source = |file: &PathBuf, name: &str| VariableSource {
        file: file.clone(),
        columns: texts(name),
        numbers: numbers(name),
    };
    match files.as_slice() {
        [x, y] => Ok([source(x, "x"), source(y, "y")]),
        [file] if texts("y").is_empty() => {
            bail!("{} is the only file: name the columns of Y with --y, or give a second file", file.display())
        }
        [file] => Ok([source(file, "x"), source(file, "y")]),
        _ => bail!("give one file or two"),
    }
}

fn print(read: &ReadPair, rows: &[MiRow], terminal: &Terminal) -> anyhow::Result<()> {
    let (x, y) = (words(&read.pair.x), words(&read.pair.y));
    let n = read.pair.x.n_samples();
    if terminal.is_json() {
        return terminal.print_json(&json!({ "n_samples": n, "x": x, "y": y, "notes": read.notes, "estimates": rows }));
    }
    let mut text = format!("I(X;Y) in bits, {}; X: {x}; Y: {y}\n", counted(n, "sample"));
    const HEADINGS: [Heading<'_>; 7] = [
        Heading::kept("estimator"),
        Heading::kept("I(X;Y)"),
        Heading::optional("95 %", 1),
        Heading::optional("null", 2),
        Heading::optional("p", 3),
        Heading::optional("ceiling", 0),
        Heading::kept("quantity"),
    ];
    text.push_str(&fitted(&HEADINGS, rows.iter().map(line), terminal.width(), "--json"));
    let sentences = read.notes.iter().cloned();
    let warned = rows.iter().flat_map(|row| row.warnings.iter().map(|warning| format!("{}: {warning}", row.estimator)));
    for sentence in sentences.chain(warned) {
        text.push_str(&paragraph(&format!("note: {sentence}"), 0, terminal.width()));
        text.push('\n');
    }
    terminal.print(&text)
}

fn line(row: &MiRow) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let with = |value: Option<f64>, error: Option<f64>| match error {
        Some(error) => format!("{} ± {error:.3}", number(value)),
        None => number(value),
    };
    let range = match (row.low_bits, row.high_bits) {
        (Some(low), Some(high)) => format!("[{low:.3}, {high:.3}]"),
        _ => "–".to_owned(),
    };
    vec![
        row.estimator.clone(),
        with(row.value_bits, row.error_bits),
        range,
        with(row.null_bits_mean, row.null_bits_std),
        number(row.p),
        number(row.ceiling_bits),
        row.failure.clone().unwrap_or_else(|| row.quantity.clone()),
    ]
}

fn words(variable: &Variable<'_>) -> String {
    match variable {
        Variable::Real(points) => counted(points.n_dims(), "dimension"),
        Variable::Classes(cells) if cells.n_cells() == 1 => "labels of 1 class".to_owned(),
        Variable::Classes(cells) => format!("labels of {} classes", cells.n_cells()),
    }
}
