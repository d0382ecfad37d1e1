//! `infoplane data import`: tables, arrays and images of other programs.

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
  A table of the UCI repository, without a header, its class in the last of nine columns:
    infoplane data import pima.data --no-header --y 8
  A table saved by a German Excel, its class a word in the column `Art`:
    infoplane data import iris.csv --separator ';' --decimal , --y Art
  Keras' mnist.npz, a file with several arrays:
    infoplane data import mnist.npz --x x_train --y y_train
  IDX files, one of images and one of their labels, packed or not:
    infoplane data import train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz

Names of columns: those of the header; 0, 1, … without one, and for a .npy matrix. An array in a .mat, .npz or .parquet file is one \
column of several values; images are flattened row by row. Labels may be whole numbers, words, true and false, or one-hot. Row numbers \
that pandas writes are left out. In a table of samples that infoplane wrote, x, y, p_y1 and target are what they are called.";

pub(super) fn command() -> Command {
    const COLUMNS: &str = "Which column is what";
    const TEXT: &str = "How text is read (.csv, .tsv, .txt, .data)";
    const ARRAYS: &str = "How arrays are read (.mat, .npy, .npz, IDX)";
    const INPUTS: &str = "What becomes of the inputs";
    let names = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("NAMES").help(help).action(ArgAction::Append).help_heading(COLUMNS)
    };
    let name = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("NAME").help(help).help_heading(COLUMNS)
    };
    let out = "Where the table goes [default: data/<name of the file>.parquet]";
    let separator =
        "What separates values: a character, or comma, semicolon, tab, space, pipe [default: the one that fits]";
    Command::new("import")
        .about("Import a table, arrays or images: .csv, .tsv, .txt, .data, .mat (MATLAB 5), .npy, .npz, IDX or .parquet")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .help("The file, also packed (.gz, .zst); or two: one of inputs and one of their labels. In place of FILE, `--x FILE` and `--y FILE` may be given several times: the files of x are put one below the other, and those of y")
                .num_args(0..=2)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(Arg::new("out").long("out").value_name("FILE").help(out).value_parser(value_parser!(PathBuf)))
        .arg(names("x", "Columns that make x, in order: `a,b,c`, or --x once for each [default: all others]"))
        .arg(names("y", "The column of labels, or the columns of one-hot labels, `a,b,c`").default_value("y"))
        .arg(name("p-y1", "The column of p(y=1|x), for stochastic labels"))
        .arg(names("target", "Columns that make y as numbers, in order, to train the squared error on them. One column needs no labels (--y-bins); several need --y"))
        .arg(
            Arg::new("y-bins")
                .long("y-bins")
                .value_name("N")
                .help("With --target and no labels: labels are N bins of equal frequency of the target [default: 10]")
                .value_parser(value_parser!(u32).range(2..=1000))
                .help_heading(COLUMNS),
        )
        .arg(flag("no-header", "The first line is a row of the table; columns are called 0, 1, …").help_heading(TEXT))
        .arg(flag("header", "The first line holds names, even if they look like numbers").conflicts_with("no-header").help_heading(TEXT))
        .arg(Arg::new("separator").long("separator").value_name("CHARACTER").help(separator).value_parser(separator_of).help_heading(TEXT))
        .arg(
            Arg::new("decimal")
                .long("decimal")
                .value_name("CHARACTER")
                .help("How 0.5 is written: `.` or `,`, also point or comma [default: .]")
                .value_parser(decimal_of)
                .help_heading(TEXT),
        )
        .arg(flag("transpose", "The last dimension counts the samples, as in SVHN, in place of the first").help_heading(ARRAYS))
        .arg(flag("standardise", "Subtract the mean from every input unit and divide it by its standard deviation, before inputs are stored as f32").help_heading(INPUTS))
        .arg(flag("x-hash", "Tell inputs apart by their values in the file, also where they become equal as f32").help_heading(INPUTS))
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Outcome> {
    let texts =
        |name: &str| matches.get_many(name).map_or_else(Vec::new, |names| names.cloned().collect::<Vec<String>>());
    let y = texts("y");
    let is_on = |name: &str| matches.get_flag(name);
    let header = match (is_on("header"), is_on("no-header")) {
        (true, _) => Header::Names,
        (_, true) => Header::Missing,
        _ => Header::Guess,
    };
    let request = ImportRequest {
        x: texts("x"),
        y: y.join(","),
        p_y1: matches.get_one::<String>("p-y1").cloned(),
        target: texts("target"),
        y_bins: matches.get_one::<u32>("y-bins").map(|n| *n as usize),
        options: Options {
            header,
            separator: matches.get_one("separator").copied(),
            decimal: matches.get_one("decimal").copied().unwrap_or_default(),
            samples: if is_on("transpose") { SamplesAre::Last } else { SamplesAre::First },
        },
        standardise: is_on("standardise"),
        x_hash: is_on("x-hash"),
    };
    let source = source(matches, &request.x, &y)?;
    let out = path(matches, "out").map_or_else(|| default_out(&source), |out| Ok(out.to_owned()))?;
    Ok(import(&source, &request, &out)?)
}

/// The files that are named, in any of the three ways.
fn source(matches: &ArgMatches, x: &[String], y: &[String]) -> anyhow::Result<ImportFiles> {
    let files: Vec<PathBuf> = matches.get_many("file").map_or_else(Vec::new, |files| files.cloned().collect());
    let is_named = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let named: Vec<&str> = ["x", "y", "p-y1", "target"].into_iter().filter(|name| is_named(name)).collect();
    match (files.as_slice(), named.as_slice()) {
        ([file], _) => Ok(ImportFiles::Table(file.clone())),
        ([x, y], []) => Ok(ImportFiles::Pair { x: vec![x.clone()], y: vec![y.clone()] }),
        ([_, _], [name, ..]) => {
            bail!("two files are inputs and their labels, so that `--{name}` has nothing to choose; leave it out")
        }
        (_, ["x", "y"]) => {
            if let Some(missing) = x.iter().chain(y).find(|file| !Path::new(file).exists()) {
                bail!("there is no file {missing}; without a FILE, --x and --y name the files of inputs and of labels")
            }
            let paths = |names: &[String]| names.iter().map(PathBuf::from).collect();
            Ok(ImportFiles::Pair { x: paths(x), y: paths(y) })
        }
        _ => bail!("no file is named; write `infoplane data import FILE`, or `infoplane data import X-FILE Y-FILE`"),
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
            "allowed: one character that is no letter, digit or quotation mark, or comma, semicolon, tab, space, pipe"
                .to_owned(),
        ),
    }
}

fn decimal_of(text: &str) -> Result<Decimal, String> {
    match text {
        "." | "point" => Ok(Decimal::Point),
        "," | "comma" => Ok(Decimal::Comma),
        _ => Err("allowed: `.` or `,`, also point or comma".to_owned()),
    }
}
