//! `infoplane summary`: the results of an experiment or a sweep on one screen, or with `--all` every table.

use crate::count::counted;
use crate::stages::Progress;
use crate::stages::summary::{MeasureSummary, Summary, claims, remarks, summary};
use crate::store::schema::CompressionRow;
use crate::store::{CompressionVerdict, Experiment, layer_in_cell, layer_in_words};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::Ended;
use super::arguments::{experiment_arg, flag, resolved};
use super::screen::{plane, screen};
use super::table::{Heading, fitted, or_dash, paragraph, short};
use super::terminal::Terminal;
use crate::estimate_id::Pool;
use crate::math::unique::unique;
use crate::pipeline::Needs;

pub(super) fn command() -> Command {
    Command::new("summary")
        .about("Print the results of an experiment or a sweep on one screen: the compression of every layer, and the information plane as text")
        .after_help(
            "Compression is I(X;T) at the peak epoch minus I(X;T) at the end. The peak epoch is found on the other half of the runs, so that noise alone gives zero on average. The 95 % interval of the compression (Student's t) is over independently trained networks; it does not include the bias of the estimator or the choice of samples. Verdicts: `compresses`: the interval is above 0 and the mean is at least the smallest effect that counts. `does not compress`: the interval is below the smallest effect that counts. `undecided`: none of these. `saturated` (in tables: `cannot tell (saturated)`): I(X;T) is near its ceiling, so the estimate cannot show compression. `contradicted` (in tables: `contradicted (checks)`): a check of this estimate fails. With --all, the column `epoch of 90 % of I(T;Y)` is the median epoch at which I(T;Y) has made 90 % of the rise from its first to its largest value. If I(T;Y) does not rise in all runs, the number of runs in which it rises is in parentheses. The column p is the p-value of Wilcoxon's test, with Holm's correction over the layers of an estimate.",
        )
        .arg(experiment_arg().help("The folder of an experiment, of a sweep, or of a summary of several experiments"))
        .arg(
            Arg::new("estimator")
                .long("estimator")
                .value_name("ID")
                .help("Show only this estimate, for example binning-n-edges-30; may be given several times")
                .action(ArgAction::Append),
        )
        .arg(flag("all", "Print the tables of all experiments and estimates, with p values and the reasons of the verdicts"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let resolved = resolved(matches, Needs::Summary)?;
    let mut found = summary(resolved.folder())?;
    remarks(resolved.folder())?.iter().for_each(|remark| terminal.tell(remark));
    let chosen: Vec<&String> = matches.get_many("estimator").into_iter().flatten().collect();
    for id in &chosen {
        if !found.iter().any(|summary| summary.estimator.to_string() == **id) {
            let names: Vec<String> = found.iter().map(|summary| summary.estimator.to_string()).collect();
            let names = names.iter().map(String::as_str);
            anyhow::bail!("no estimates `{id}` here; {}", crate::suggest::suggestion(id, names));
        }
    }
    found.retain(|summary| chosen.is_empty() || chosen.contains(&&summary.estimator.to_string()));
    if terminal.is_json() {
        terminal.print_json(&found)?;
        return Ok(Ended::default());
    }
    let width = terminal.width();
    let text = match matches.get_flag("all") {
        true => tables(&found, width),
        false => {
            let folder = resolved.folder();
            let screen = screen(&folder.name(), &found, &claims(folder)?, width);
            format!("{screen}\n{}", next(&found, folder))
        }
    };
    terminal.print(&text)?;
    Ok(Ended::default())
}

/// Which commands print more.
fn next(found: &[Summary], folder: &Experiment) -> String {
    let root = folder.root().display();
    let n_measures: usize =
        found.chunk_by(|a, b| a.experiment == b.experiment).map(|estimates| estimates[0].weights.len()).sum();
    let contents = match n_measures {
        0 => "all estimates, p values and reasons",
        _ => "all estimates, p values, reasons, measures of weights",
    };
    format!("{contents}: infoplane summary {root} --all\nunreliable estimates, and why: infoplane check {root}\n")
}

/// Every table: each estimate of each experiment with the reasons of its verdicts, measures of weights, and one plane.
fn tables(found: &[Summary], width: Option<usize>) -> String {
    let mut text = Vec::new();
    for estimates in found.chunk_by(|a, b| a.experiment == b.experiment) {
        text.extend(estimates.iter().map(|summary| table(summary, width)));
        text.extend(measures(&estimates[0], width));
    }
    // Planes of several experiments would be too many to compare.
    let with_plane = found.iter().find(|summary| !summary.plane.is_empty());
    if let Some(first) = with_plane.filter(|first| found.iter().all(|summary| summary.experiment == first.experiment)) {
        text.push(plane(first, 18));
    }
    text.extend(by_chance(found).map(|text| format!("{}\n", paragraph(&text, 0, width))));
    text.join("\n")
}

/// The number of verdicts expected by chance: a 95 % interval is above a true 0 in 2.5 % of cases.
fn by_chance(found: &[Summary]) -> Option<String> {
    let is_open = |row: &&CompressionRow| {
        use CompressionVerdict::{Compresses, DoesNot, Undecided};
        row.compression_bits_low.is_some() && matches!(row.verdict, Compresses | DoesNot | Undecided)
    };
    let n = found.iter().flat_map(|summary| &summary.layers).filter(is_open).count();
    let expected = 0.025 * n as f64;
    (n > 0).then(|| {
        format!("{n} verdicts with an interval: without any compression, at most {expected:.1} of them would be `compresses` by chance")
    })
}

/// The columns of a table of layers.
const OF_LAYERS: [Heading<'_>; 9] = [
    Heading::kept("layer"),
    Heading::optional("peak I(X;T)", 5),
    Heading::optional("peak epoch", 1),
    Heading::optional("final I(X;T)", 4),
    Heading::kept("compression, bits"),
    Heading::optional("p", 2),
    Heading::optional("epoch of 90 % of I(T;Y)", 0),
    Heading::optional("checks", 3),
    Heading::kept("verdict"),
];

/// The columns of a table of measures of weights.
const OF_MEASURES: [Heading<'_>; 10] = [
    Heading::kept("measure of weights"),
    Heading::optional("number", 5),
    Heading::optional("unit", 3),
    Heading::kept("first"),
    Heading::kept("last"),
    Heading::optional("epochs", 2),
    Heading::optional("null", 1),
    Heading::optional("ceiling", 0),
    Heading::optional("with a warning", 4),
    Heading::kept("random"),
];

fn table(summary: &Summary, width: Option<usize>) -> String {
    let lines = summary.layers.iter().zip(&summary.checks).map(|(row, checks)| line(row, *checks));
    let n_runs = summary.layers.iter().map(|row| row.n_runs).max().unwrap_or(0);
    let runs = if summary.estimator.pool == Pool::Runs { "all runs pooled".to_owned() } else { counted(n_runs, "run") };
    let mut title = format!("{}, {}: {runs}", summary.experiment, summary.estimator);
    let n_failed = summary.layers.iter().map(|row| row.n_failed).max().unwrap_or(0);
    if n_failed > 0 {
        title.push_str(&format!(", {n_failed} left out"));
    }
    if let Some(n) = summary.n_trainings_failed.filter(|n| *n > 0) {
        title.push_str(&format!(" ({} failed)", counted(n, "training")));
    }
    let grid = fitted(&OF_LAYERS, lines, width, "| cat");
    format!("{}\n\n{grid}\n{}", paragraph(&title, 2, width), reasons(&summary.layers, width))
}

/// The measures of weights of an experiment for the whole network, at the first and the last snapshot.
fn measures(summary: &Summary, width: Option<usize>) -> Option<String> {
    let lines = summary.weights.iter().map(|MeasureSummary { first, last }| {
        vec![
            last.weights.clone(),
            last.quantity.clone(),
            last.unit.clone(),
            with_interval(first.mean, first.low, first.high),
            with_interval(last.mean, last.low, last.high),
            format!("{}, {}", first.epoch, last.epoch),
            or_dash(last.null_mean, short),
            or_dash(last.ceiling, short),
            format!("{} of {}", last.n_warned, last.n_runs),
            last.randomness.clone(),
        ]
    });
    let title = format!("{}: information in weights, whole network, mean over runs", summary.experiment);
    let grid = || fitted(&OF_MEASURES, lines, width, "| cat");
    (!summary.weights.is_empty()).then(|| format!("{}\n\n{}\n", paragraph(&title, 2, width), grid()))
}

/// A mean with its interval, if there is one.
fn with_interval(mean: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match (mean, low, high) {
        (Some(mean), Some(low), Some(high)) => format!("{} [{}, {}]", short(mean), short(low), short(high)),
        (Some(mean), ..) => short(mean),
        _ => "–".to_owned(),
    }
}

/// Every verdict with its reason and its layers.
fn reasons(rows: &[CompressionRow], width: Option<usize>) -> String {
    let mut text = String::new();
    let reasons = rows.iter().filter_map(|row| Some((row.verdict, row.reason.as_deref()?)));
    for (verdict, reason) in unique(reasons) {
        let is_of = |row: &&CompressionRow| (row.verdict, row.reason.as_deref()) == (verdict, Some(reason));
        let layers: Vec<String> =
            rows.iter().filter(is_of).map(|row| layer_in_words(row.layer, row.layer_name.as_deref())).collect();
        let line = format!("{}: {verdict}: {reason}", layers.join(", "));
        text.push_str(&format!("{}\n", paragraph(&line, 2, width)));
    }
    text
}

fn line(row: &CompressionRow, checks: Option<[i64; 2]>) -> Vec<String> {
    let number = |number: Option<f64>| or_dash(number, short);
    let epoch = |epoch: Option<f64>| or_dash(epoch, |epoch| format!("{epoch}"));
    let compression = with_interval(row.compression_bits_mean, row.compression_bits_low, row.compression_bits_high);
    let checks = match checks {
        None => "–".to_owned(),
        Some([0, 0]) => "pass".to_owned(),
        Some([warnings, 0]) => format!("{warnings} warn"),
        Some([0, violated]) => format!("{violated} violated"),
        Some([warnings, violated]) => format!("{violated} violated, {warnings} warn"),
    };
    let p = match row.p_holm {
        Some(_) if row.n_runs < LEAST_RUNS => format!("needs at least {LEAST_RUNS} runs"),
        p => or_dash(p, |p| format!("{p:.2e}")),
    };
    vec![
        layer_in_cell(row.layer, row.layer_name.as_deref()),
        number(row.i_xt_peak_bits_mean),
        epoch(row.i_xt_peak_epoch_median),
        number(row.i_xt_end_bits_mean),
        compression,
        p,
        of_some(row.fitted_epoch_median, row.n_fitted, row.n_runs),
        checks,
        row.verdict.to_string(),
    ]
}

/// The median epoch of `k` of `n` runs.
fn of_some(epoch: Option<f64>, k: i32, n: i32) -> String {
    match epoch {
        None => "–".to_owned(),
        Some(epoch) if k == n => format!("{epoch}"),
        Some(epoch) => format!("{epoch} ({k} of {n})"),
    }
}

/// The smallest number of runs with which the p of an exact sign test can be below 0.05.
const LEAST_RUNS: i32 = 6;
