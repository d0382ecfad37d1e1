//! `infoplane audit`: estimators applied to distributions whose information is known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::chosen::{chosen, set_arg};
use super::table::{Heading, fitted, grid};
use super::terminal::Terminal;
use super::{Ended, arguments};
use crate::audit::{DISTRIBUTIONS, Distribution, SecondVariable, TrialSettings, Truth, find};
use crate::math::descriptive::{mean, median};
use crate::stages::audit::{AuditRequest, Audited, Timing, audit, audit_like, layer_shape, verdict};
use crate::store::Experiment;
use crate::store::schema::AuditSummaryRow;

const EXAMPLES: &str = "\
Examples:
  Nearest neighbours and the Gaussian copula at 1000 samples, in 1, 3 and 10 dimensions:
    infoplane audit --estimators ksg,copula
  Whether estimates of independent variables are within their permutation null:
    infoplane audit --distributions independent-gaussians --shuffles 39 --seeds 100
  Which estimators can be trusted at layer 5 of a recording:
    infoplane audit --like outputs/tishby --layer 5";

pub(super) fn command() -> Command {
    let list = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).value_delimiter(',')
    };
    let count = |name: &'static str, default: &'static str, help: &'static str| {
        let range = value_parser!(u16).range(0..=10_000);
        Arg::new(name).long(name).value_name("N").help(help).default_value(default).value_parser(range)
    };
    Command::new("audit")
        .about("Apply estimators to distributions whose mutual information is known: bias, spread, coverage and time")
        .after_help(EXAMPLES)
        .arg(list("estimators", "NAMES", "Estimators [default: all; `neural` takes a second for each estimate]"))
        .arg(set_arg())
        .arg(list("distributions", "NAMES", "Distributions, see --list [default: all]"))
        .arg(list("dims", "LIST", "Dimensions; a distribution is used in those for which it is defined").default_value("1,3,10").value_parser(value_parser!(u16).range(1..=1000)))
        .arg(list("samples", "LIST", "Numbers of samples").default_value("1000").value_parser(value_parser!(u32).range(4..=1_000_000)))
        .arg(count("seeds", "10", "Number of independent draws of each distribution"))
        .arg(count("shuffles", "0", "Number of permutations of Y in each draw"))
        .arg(count("halves", "0", "Number of random halves of the samples, for the 95 % interval and its coverage; 20 are enough"))
        .arg(arguments::flag("time", "Measure time; estimates are then made one after the other, on one thread"))
        .arg(arguments::flag("all", "Print a line for every distribution, not only one for each estimator, dimension and number of samples"))
        .arg(arguments::flag("list", "List the distributions and leave"))
        .arg(
            Arg::new("like")
                .long("like")
                .value_name("EXPERIMENT")
                .help("Audit at the number of samples, the dimension and the covariance of a recorded layer, and say which estimators can be trusted there")
                .requires("layer")
                .conflicts_with_all(["distributions", "dims", "samples"])
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(Arg::new("layer").long("layer").value_name("LAYER").help("The layer for --like: its number or its name").requires("like"))
        .arg(
            Arg::new("out")
                .long("out")
                .value_name("FOLDER")
                .help("The folder for audit.parquet, audit_summary.parquet and the figure")
                .conflicts_with("like")
                .default_value("outputs/audit")
                .value_parser(value_parser!(PathBuf)),
        )
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    if matches.get_flag("list") {
        return print_list(terminal);
    }
    let request = request(matches)?;
    if let Some(folder) = arguments::path(matches, "like") {
        let layer = matches.get_one::<String>("layer").map_or("", String::as_str);
        let shape = layer_shape(&Experiment::new(folder), layer)?;
        let audited = audit_like(&request, &shape, shape.n_samples(), terminal)?;
        let sentence = verdict(&audited, &shape);
        match terminal.is_json() {
            true => terminal.print_json(&json!({ "verdict": sentence, "estimates": audited.summary }))?,
            false => terminal.print(&format!("{}{sentence}\n", table(&audited)))?,
        }
        return Ok(Ended::default());
    }
    let out = arguments::path(matches, "out").unwrap_or(Path::new("outputs/audit"));
    let audited = audit(&request, out, terminal)?;
    match terminal.is_json() {
        true => terminal.print_json(&audited.summary)?,
        false => {
            let words = if matches.get_flag("all") { table(&audited) } else { overview(&audited) };
            terminal.print(&format!(
                "{words}errors are root mean squared errors in bits over seeds → {}\n",
                out.display()
            ))?;
        }
    }
    Ok(Ended::default())
}

fn request(matches: &ArgMatches) -> anyhow::Result<AuditRequest> {
    let texts = |name: &str| -> Vec<String> { matches.get_many(name).map_or_else(Vec::new, |n| n.cloned().collect()) };
    let names = match texts("estimators") {
        names if names.is_empty() => vec!["all".to_owned()],
        names => names,
    };
    let distributions: Vec<&'static Distribution> = match texts("distributions") {
        names if names.is_empty() => DISTRIBUTIONS.to_vec(),
        names => names.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
    };
    let count = |name: &str| usize::from(matches.get_one::<u16>(name).copied().unwrap_or_default());
    if count("seeds") == 0 {
        bail!("`--seeds` must be at least 1");
    }
    Ok(AuditRequest {
        estimators: chosen(&names, matches)?,
        distributions,
        dims: distinct(matches.get_many("dims").into_iter().flatten().map(|d: &u16| usize::from(*d))),
        n_samples: distinct(matches.get_many("samples").into_iter().flatten().map(|n: &u32| *n as usize)),
        n_seeds: count("seeds") as u64,
        settings: TrialSettings { n_shuffles: count("shuffles"), n_halves: count("halves") },
        timing: if matches.get_flag("time") { Timing::On } else { Timing::Off },
    })
}

/// The numbers without repetition, ascending.
fn distinct(numbers: impl Iterator<Item = usize>) -> Vec<usize> {
    numbers.collect::<BTreeSet<usize>>().into_iter().collect()
}

fn print_list(terminal: &Terminal) -> anyhow::Result<Ended> {
    let dims = |d: &Distribution| d.dims.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let kind = |d: &Distribution| if d.y == SecondVariable::Real { "real" } else { "labels" };
    if terminal.is_json() {
        // JSON has no infinity: an infinite truth is null.
        let truth = |d: &Distribution, dims: usize| match (d.truth)(dims) {
            Truth::Finite(truth) => Some(truth.bits()),
            Truth::Infinite => None,
        };
        let truths = |d: &Distribution| d.dims.iter().map(|dims| truth(d, *dims)).collect::<Vec<_>>();
        let entry = |d: &&Distribution| json!({ "name": d.name, "y": kind(d), "dims": d.dims, "truth_bits": truths(d), "summary": d.summary });
        terminal.print_json(&DISTRIBUTIONS.iter().map(entry).collect::<Vec<_>>())?;
        return Ok(Ended::default());
    }
    let bits = |d: &Distribution| match (d.truth)(d.dims[0]) {
        Truth::Finite(truth) => format!("{:.3}", truth.bits()),
        Truth::Infinite => "infinite".to_owned(),
    };
    let headings = ["distribution", "Y", "d", "bits at the first d", "description"].map(Heading::kept);
    let line = |d: &&Distribution| vec![d.name.to_owned(), kind(d).to_owned(), dims(d), bits(d), d.summary.to_owned()];
    terminal.print(&fitted(&headings, DISTRIBUTIONS.iter().map(line), terminal.width(), "--json"))?;
    Ok(Ended::default())
}

/// One line for each estimator, dimension and number of samples.
fn overview(audited: &Audited) -> String {
    let mut groups: BTreeMap<(String, i32, i32), Vec<&AuditSummaryRow>> = BTreeMap::new();
    for row in &audited.summary {
        groups.entry((row.estimator.to_string(), row.dims, row.n_samples)).or_default().push(row);
    }
    let header = ["estimator", "d", "N", "distributions", "median error", "largest error", "coverage", "in null", "s"];
    let line = |((estimator, dims, n_samples), rows): (&(String, i32, i32), &Vec<&AuditSummaryRow>)| {
        let errors: Vec<f64> = rows.iter().filter_map(|row| row.rmse_bits).collect();
        let mean_of = |column: fn(&AuditSummaryRow) -> Option<f64>| {
            mean(&rows.iter().filter_map(|row| column(row)).collect::<Vec<f64>>())
        };
        let of_null = |row: &AuditSummaryRow| row.within_null.filter(|_| row.truth_bits == Some(0.0));
        let worst = rows
            .iter()
            .filter(|row| row.rmse_bits.is_some())
            .max_by(|a, b| a.rmse_bits.unwrap_or_default().total_cmp(&b.rmse_bits.unwrap_or_default()));
        let n_without = rows.iter().filter(|row| row.n_seeds == 0).count();
        let without = if n_without == 0 { String::new() } else { format!(", {n_without} without estimate") };
        vec![
            estimator.clone(),
            dims.to_string(),
            n_samples.to_string(),
            format!("{}{without}", rows.len()),
            number(median(errors)),
            worst.map_or_else(|| "–".to_owned(), |row| format!("{} ({})", number(row.rmse_bits), row.distribution)),
            percent(mean_of(|row| row.coverage)),
            percent(mean_of(of_null)),
            number(mean_of(|row| row.seconds_mean)),
        ]
    };
    grid(&header, groups.iter().map(line))
}

/// Every row of the summary.
fn table(audited: &Audited) -> String {
    let header =
        ["estimator", "distribution", "d", "N", "truth", "mean", "bias", "std", "RMSE", "coverage", "in null", "s"];
    grid(&header, audited.summary.iter().map(line))
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share))
}

fn line(row: &AuditSummaryRow) -> Vec<String> {
    vec![
        row.estimator.to_string(),
        row.distribution.clone(),
        row.dims.to_string(),
        row.n_samples.to_string(),
        row.truth_bits.map_or_else(|| "∞".to_owned(), |truth| format!("{truth:.3}")),
        if row.n_seeds == 0 { "no estimate".to_owned() } else { number(row.mean_bits) },
        number(row.bias_bits),
        number(row.std_bits),
        number(row.rmse_bits),
        percent(row.coverage),
        percent(row.within_null),
        number(row.seconds_mean),
    ]
}
