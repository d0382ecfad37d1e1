//! `infoplane data import`: imports tables, arrays and images of other programs.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::arguments::{flag, path};
use crate::import::{Decimal, Header, Options, SamplesAre, Separator};
use crate::stages::Outcome;
use crate::stages::data::{ImportFiles, ImportRequest, default_out, import};

const EXAMPLES: &str = "\
Examples:
  A table from the UCI repository without a header; the class is in the last of nine columns:
    infoplane data import pima.data --no-header --y 8
  A table with semicolons and decimal commas; the class is a string in the column `Art`:
    infoplane data import iris.csv --separator ';' --decimal , --y Art
  A file with several arrays, mnist.npz of Keras:
    infoplane data import mnist.npz --x x_train --y y_train
  Two IDX files, one with images and one with labels, compressed or not:
    infoplane data import train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz

Column names are read from the header. Without a header, and for a .npy matrix, columns are called 0, 1, …. An array in a .mat, .npz or \
.parquet file is one column with several values. Images are flattened row by row. Labels may be integers, strings, true/false, or one-hot \
columns. The column of row numbers that pandas writes is ignored. If the file is a table of samples that infoplane wrote, the columns \
x, y, p_y1 and target are used as such.";

pub(super) fn command() -> Command {
    const COLUMNS: &str = "Choice of columns";
    const INPUTS: &str = "Transformation of the inputs";
    let names = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("NAMES").help(help).action(ArgAction::Append).help_heading(COLUMNS)
    };
    let name = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("NAME").help(help).help_heading(COLUMNS)
    };
    let out = "The table to write [default: data/<name of the file>.parquet]";
    let command = Command::new("import")
        .about("Import a table, arrays or images: .csv, .tsv, .txt, .data, .mat (MATLAB 5 to 7.2), .npy, .npz, IDX or .parquet")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .help("One file, or two files: the inputs and their labels. Files may be compressed (.gz, .zst). Instead of FILE, `--x FILE` and `--y FILE` may be given several times; the rows of several files are concatenated")
                .num_args(0..=2)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(Arg::new("out").long("out").value_name("FILE").help(out).value_parser(value_parser!(PathBuf)))
        .arg(names("x", "Columns of x, in order: `a,b,c`, or give --x several times [default: all columns that no other option uses]"))
        .arg(names("y", "The column of labels, or the columns of one-hot labels, `a,b,c`").default_value("y"))
        .arg(name("p-y1", "Column with the probability p(y=1|x), for stochastic labels"))
        .arg(names("target", "Columns of numeric targets, in order, for training with the squared error. With one column, labels can be made from it (--y-bins); several columns also need labels (--y)"))
        .arg(
            Arg::new("y-bins")
                .long("y-bins")
                .value_name("N")
                .help("Number of labels made from --target if there is no column of labels; labels are bins of equal frequency [default: 10]")
                .value_parser(value_parser!(u32).range(2..=1000))
                .help_heading(COLUMNS),
        );
    file_args(command)
        .arg(
            flag(
                "standardise",
                "Subtract the mean of each column of x and divide by its standard deviation, before x is stored as f32",
            )
            .help_heading(INPUTS),
        )
        .arg(
            flag("x-hash", "Distinguish inputs by their values in the file, even if they become equal as f32")
                .help_heading(INPUTS),
        )
}

/// The options for files whose format does not define header, separator and dimensions.
pub(super) fn file_args(command: Command) -> Command {
    const TEXT: &str = "Text files (.csv, .tsv, .txt, .data)";
    const ARRAYS: &str = "Array files (.mat, .npy, .npz, IDX)";
    let separator = "The separator of values: one character, or comma, semicolon, tab, space, pipe [default: detected]";
    command
        .arg(
            flag("no-header", "The first line contains data, not names; columns are called 0, 1, …").help_heading(TEXT),
        )
        .arg(
            flag("header", "The first line contains column names, even if they look like numbers")
                .conflicts_with("no-header")
                .help_heading(TEXT),
        )
        .arg(
            Arg::new("separator")
                .long("separator")
                .value_name("CHARACTER")
                .help(separator)
                .value_parser(separator_of)
                .help_heading(TEXT),
        )
        .arg(
            Arg::new("decimal")
                .long("decimal")
                .value_name("CHARACTER")
                .help("The decimal separator: `.` or `,`, or the word point or comma [default: .]")
                .value_parser(decimal_of)
                .help_heading(TEXT),
        )
        .arg(flag("transpose", "Samples are along the last dimension (as in SVHN), not the first").help_heading(ARRAYS))
}

/// The options of [`file_args`] that were given.
pub(super) fn file_options(matches: &ArgMatches) -> Options {
    let is_on = |name: &str| matches.get_flag(name);
    let header = match (is_on("header"), is_on("no-header")) {
        (true, _) => Header::Names,
        (_, true) => Header::Missing,
        _ => Header::Guess,
    };
    Options {
        header,
        separator: matches.get_one("separator").copied(),
        decimal: matches.get_one("decimal").copied().unwrap_or_default(),
        samples: if is_on("transpose") { SamplesAre::Last } else { SamplesAre::First },
    }
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Outcome> {
    let texts =
        |name: &str| matches.get_many(name).map_or_else(Vec::new, |names| names.cloned().collect::<Vec<String>>());
    let y = texts("y");
    let is_on = |name: &str| matches.get_flag(name);
    let request = ImportRequest {
        x: texts("x"),
        y: y.join(","),
        p_y1: matches.get_one::<String>("p-y1").cloned(),
        target: texts("target"),
        y_bins: matches.get_one::<u32>("y-bins").map(|n| *n as usize),
        options: file_options(matches),
        standardise: is_on("standardise"),
        x_hash: is_on("x-hash"),
    };
    let source = source(matches, &request.x, &y)?;
    let out = path(matches, "out").map_or_else(|| default_out(&source), |out| Ok(out.to_owned()))?;
    Ok(import(&source, &request, &out)?)
}

/// The files to import, named in one of three ways.
fn source(matches: &ArgMatches, x: &[String], y: &[String]) -> anyhow::Result<ImportFiles> {
    let files: Vec<PathBuf> = matches.get_many("file").map_or_else(Vec::new, |files| files.cloned().collect());
    let is_named = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let named: Vec<&str> = ["x", "y", "p-y1", "target"].into_iter().filter(|name| is_named(name)).collect();
    match (files.as_slice(), named.as_slice()) {
        ([file], _) => Ok(ImportFiles::Table(file.clone())),
        ([x, y], []) => Ok(ImportFiles::Pair { x: vec![x.clone()], y: vec![y.clone()] }),
        ([_, _], [name, ..]) => {
            bail!("with two files (inputs and labels), `--{name}` is not allowed; leave it out")
        }
        (_, ["x", "y"]) => {
            if let Some(missing) = x.iter().chain(y).find(|file| !Path::new(file).exists()) {
                bail!("there is no file {missing}; without FILE, --x and --y must name the files of inputs and labels")
            }
            let paths = |names: &[String]| names.iter().map(PathBuf::from).collect();
            Ok(ImportFiles::Pair { x: paths(x), y: paths(y) })
        }
        _ => bail!("no file is given; write `infoplane data import FILE` or `infoplane data import X-FILE Y-FILE`"),
    }
}

fn separator_of(text: &str) -> Result<Separator, String> {
    match (text, text.as_bytes()) {
        ("comma", _) => Ok(Separator::Character(b',')),
        ("semicolon", _) => Ok(Separator::Character(b';')),
        ("tab" | "\\t", _) => Ok(Separator::Character(b'\t')),
        ("pipe", _) => Ok(Separator::Character(b'|')),
        ("space" | "spaces" | " ", _) => Ok(Separator::Spaces),
        (_, [character]) if !character.is_ascii_alphanumeric() && *character != b'"' => {
            Ok(Separator::Character(*character))
        }
        _ => Err(
            "allowed: one character that is not a letter, digit or quotation mark, or comma, semicolon, tab, space, pipe"
                .to_owned(),
        ),
    }
}

fn decimal_of(text: &str) -> Result<Decimal, String> {
    match text {
        "." | "point" => Ok(Decimal::Point),
        "," | "comma" => Ok(Decimal::Comma),
        _ => Err("allowed: `.`, `,`, point, comma".to_owned()),
    }
}
