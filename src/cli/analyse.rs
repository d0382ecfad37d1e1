//! `infoplane analyse`: verdicts, figures and a report from a recording in one call.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::Ended;
use super::arguments::{experiment_arg, for_each, resolved};
use super::table::{Heading, fitted, or_dash, paragraph, short};
use super::terminal::Terminal;
use crate::config::Pipeline;
use crate::count::counted;
use crate::layer_id::LayerId;
use crate::math::unique::unique;
use crate::pipeline::{Job, Needs, Resolved, STEPS, Task, checked_aggregate};
use crate::stages::aggregate::present_minimum;
use crate::stages::analysis::{Analysis, FAMILIES, Wishes, choose};
use crate::stages::experiments::joined;
use crate::stages::record::Existing;
use crate::stages::report::report;
use crate::stages::summary::{Summary, summary};
use crate::stages::{Outcome, Progress};
use crate::store::schema::CompressionRow;
use crate::store::{Experiment, layer_in_cell};

/// Number of reasons printed; `infoplane summary --all` prints all of them.
const MOST_REASONS: usize = 6;

pub(super) fn command() -> Command {
    let list = |name: &'static str, value: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).default_value(default).value_delimiter(',')
    };
    Command::new("analyse")
        .visible_alias("analyze")
        .about("Analyse a recording in one call: choose estimators, estimate, check, aggregate, plot, write a report, and print the verdicts")
        .after_help(
            "The recording may be made by any program, and may be an experiment or a sweep. The chosen estimators are written to `analysis.toml` in the folder of the experiment. This file is a pipeline for `infoplane run`.",
        )
        .arg(experiment_arg().help("The folder of an experiment or a sweep, for example outputs/my-cnn"))
        .arg(
            Arg::new("estimators")
                .long("estimators")
                .value_name("LIST")
                .help("Use only these estimators, separated by commas [default: the estimators that suit the recording]")
                .value_delimiter(',')
                .value_parser(FAMILIES),
        )
        .arg(list("n-bins", "LIST", "15,30,60", "Numbers of bins over the range of the activations of each run").value_parser(value_parser!(u64).range(1..=16_777_216)))
        .arg(list("noise-variance", "LIST", "0.001,0.01,0.1", "Noise variances of `kde`, relative to the variance of the layer").value_parser(positive))
        .arg(
            Arg::new("shuffles")
                .long("shuffles")
                .value_name("N")
                .help("Number of shuffles of labels and inputs for the permutation nulls")
                .default_value("5")
                .value_parser(value_parser!(u64).range(0..=1000)),
        )
}

fn positive(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number.filter(|number| number.is_finite() && *number > 0.0).ok_or_else(|| "must be a number above 0".to_owned())
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let resolved = resolved(matches, Needs::Recording)?;
    let many = |name: &str| matches.get_many(name).into_iter().flatten().copied().collect();
    let wishes = Wishes {
        families: matches.get_many("estimators").map(|names| names.cloned().collect()),
        n_bins: many("n-bins"),
        noise_variances: matches.get_many("noise-variance").into_iter().flatten().copied().collect(),
        n_shuffles: matches.get_one("shuffles").copied().unwrap_or_default(),
        minimum_effect: None,
    };
    let folder = resolved.folder();
    let chosen = RefCell::new(BTreeSet::new());
    let analyse = |experiment: &Experiment| {
        let (ids, outcome) = analyse(experiment, &wishes, terminal)?;
        chosen.borrow_mut().extend(ids);
        anyhow::Ok(outcome)
    };
    let mut ended = match &resolved {
        Resolved::Experiment(experiment) => Ended::from(&analyse(experiment)?),
        Resolved::Sweep { .. } => {
            for_each("analyse", &resolved, None, terminal, |experiment, _| Ok(Some(analyse(experiment)?)))?
        }
    };
    if let Resolved::Sweep { .. } = resolved {
        let minimum = present_minimum(folder.root())?.unwrap_or_default();
        let outcome = checked_aggregate(&joined(folder.root())?, minimum, folder.root())?;
        terminal.report("aggregate", &outcome);
        ended.failures = ended.failures.and(outcome.failures());
    }
    let page = report(std::slice::from_ref(folder), folder.root())?;
    terminal.report("report", &page);
    let (found, others): (Vec<Summary>, Vec<Summary>) =
        summary(folder)?.into_iter().partition(|summary| chosen.borrow().contains(&summary.estimator.to_string()));
    if terminal.is_json() {
        terminal.print_json(&json!({ "folder": folder.root(), "estimates": found }))?;
    } else {
        terminal.print(&screen(&found, others.len(), folder, terminal.width()))?;
    }
    Ok(ended)
}

/// Chooses estimators for a recording and runs all steps that follow the recording; returns the names of the chosen estimates.
fn analyse(experiment: &Experiment, wishes: &Wishes, terminal: &Terminal) -> anyhow::Result<(Vec<String>, Outcome)> {
    // Like `aggregate`, it keeps the smallest effect of an earlier call.
    let minimum = present_minimum(experiment.root())?.filter(|minimum| minimum.share == 0.0);
    let wishes = Wishes { minimum_effect: minimum.map(|minimum| minimum.bits), ..wishes.clone() };
    let Analysis { path, reasons } = choose(experiment, &wishes)?;
    reasons.iter().for_each(|reason| terminal.tell(reason));
    terminal.tell(&format!("written to {}", path.display()));
    let pipeline = Pipeline::read(&path)?;
    let task = Task { pipeline: &pipeline, experiment, existing: Existing::Keep, progress: terminal };
    let outcome = Job::new(STEPS).run(&task)?;
    Ok((pipeline.estimates.iter().map(|request| request.id.to_string()).collect(), outcome))
}

/// The results, one screen for each experiment: one line for each layer, with the verdicts of each family of estimators.
fn screen(found: &[Summary], n_others: usize, folder: &Experiment, width: Option<usize>) -> String {
    let mut text = String::new();
    for of_experiment in found.chunk_by(|a, b| a.experiment == b.experiment) {
        text.push_str(&format!("\n{}", results(of_experiment, width)));
    }
    if n_others > 0 {
        let others = counted(n_others, "other table");
        text.push_str(&format!("\n{others} of estimates in this folder not included above\n"));
    }
    let page = folder.root().join("report.html");
    text.push_str(&format!(
        "\nAll numbers: infoplane summary {} --all\nReport: {}\n",
        folder.root().display(),
        page.display()
    ));
    text
}

fn results(found: &[Summary], width: Option<usize>) -> String {
    let (with_x, without): (Vec<&Summary>, Vec<&Summary>) =
        found.iter().partition(|summary| summary.layers.iter().any(|row| row.i_xt_end_bits_mean.is_some()));
    // Without any I(X;T), the verdicts say why.
    let (found, left_out) = if with_x.is_empty() { (without, Vec::new()) } else { (with_x, without) };
    let families: Vec<&str> = unique(found.iter().copied().map(family));
    // I(X;T) and I(T;Y) are shown for the middle scale of the first family.
    let scales: Vec<&Summary> = found.iter().copied().filter(|summary| family(summary) == families[0]).collect();
    let middle = scales[scales.len() / 2];
    let layers: Vec<&CompressionRow> = middle.layers.iter().collect();
    let n_runs = layers.iter().map(|row| row.n_runs).max().unwrap_or(0);
    let end = |layer: LayerId| middle.plane.iter().rfind(|point| point.layer == layer);
    let row = |row: &&CompressionRow| {
        let end = end(row.layer);
        let verdicts = families.iter().map(|family| {
            let of_family = found.iter().filter(|summary| summary.estimator.estimator.family == **family);
            verdicts(of_family.flat_map(|summary| &summary.layers).filter(|other| other.layer == row.layer))
        });
        let numbers = [
            layer_in_cell(row.layer, row.layer_name.as_deref()),
            or_dash(end, |point| short(point.i_xt_bits)),
            or_dash(end, |point| short(point.i_ty_bits)),
            or_dash(end.and_then(|point| point.i_ty_null_bits), short),
        ];
        numbers.into_iter().chain(verdicts).collect()
    };
    let numbers = [
        Heading::kept("layer"),
        Heading::optional("I(X;T)", 2),
        Heading::optional("I(T;Y)", 1),
        Heading::optional("shuffled", 0),
    ];
    let headings: Vec<Heading<'_>> =
        numbers.into_iter().chain(families.iter().map(|family| Heading::kept(family))).collect();
    let table = fitted(&headings, layers.iter().map(row), width, "| cat");
    let title = format!(
        "{}, {}. I(X;T), I(T;Y) and I(T;Y) with shuffled labels are in bits at the end of the training ({}); the other columns are verdicts on compression",
        middle.experiment,
        counted(n_runs, "run"),
        middle.estimator,
    );
    let only_labels = unique(left_out.iter().copied().map(family)).into_iter().map(|family| {
        let text = format!("{family} estimates I(T;Y) only, see the column `i_ty_bits_mean` of summary.csv");
        format!("{}\n", paragraph(&text, 0, width))
    });
    let reasons = reasons(&found, width);
    format!("{}\n\n{table}\n{}{reasons}", paragraph(&title, 0, width), only_labels.collect::<String>())
}

fn family(summary: &Summary) -> &str {
    &summary.estimator.estimator.family
}

/// The verdicts on one layer at all scales of one family, each with its number of scales.
fn verdicts<'a>(rows: impl Iterator<Item = &'a CompressionRow>) -> String {
    let rows: Vec<&CompressionRow> = rows.collect();
    let of_rows = unique(rows.iter().map(|row| row.verdict));
    if let [only] = of_rows.as_slice() {
        return only.to_string();
    }
    let n_of = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let mut counts: Vec<_> = of_rows.into_iter().map(|verdict| (n_of(verdict), verdict)).collect();
    counts.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let words = counts.iter().map(|(n, verdict)| format!("{n} of {} {verdict}", rows.len()));
    words.collect::<Vec<_>>().join(", ")
}

/// The reasons of the verdicts, the most frequent first.
fn reasons(found: &[&Summary], width: Option<usize>) -> String {
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for row in found.iter().flat_map(|summary| &summary.layers) {
        *counts.entry((row.verdict.to_string(), row.reason.as_deref().unwrap_or_default())).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let line = |((verdict, reason), n): &((String, &str), usize)| {
        format!("{}\n", paragraph(&format!("{verdict} ({n}): {reason}"), 2, width))
    };
    let mut text: String = counts.iter().take(MOST_REASONS).map(line).collect();
    if counts.len() > MOST_REASONS {
        text.push_str(&format!("… and {} more\n", counted(counts.len() - MOST_REASONS, "reason")));
    }
    text
}
