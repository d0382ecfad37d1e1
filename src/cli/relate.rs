//! `infoplane relate`: correlations between compression and measures of weights.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::Ended;
use super::arguments::{all_joined, all_resolved, common_out, experiment_arg, out_arg};
use super::table::grid;
use super::terminal::Terminal;
use crate::pipeline::Needs;
use crate::stages::relate::{counts, relate};
use crate::store::Experiment;
use crate::store::schema::RelationRow;

pub(super) fn command() -> Command {
    Command::new("relate")
        .about("Compute rank correlations between the compression of I(X;T) and measures of weights, over settings, runs and snapshots, and report which of the two changes direction first")
        .arg(experiment_arg().num_args(1..).help("Folders of aggregated experiments or sweeps, for example outputs/random-weights"))
        .arg(
            Arg::new("all")
                .long("all")
                .help("Print all rows, not only rows with p < 0.05 after Holm's correction")
                .action(ArgAction::SetTrue),
        )
        .arg(out_arg("The folder for relations.parquet; it must contain the tables of `aggregate` [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let folders = all_resolved(matches, Needs::Estimates)?;
    let out = common_out(matches, &folders, "table of relations")?;
    let experiments = all_joined(&folders)?;
    let rows = relate(&experiments, &out)?;
    if terminal.is_json() {
        terminal.print_json(&rows)?;
        return Ok(Ended::default());
    }
    let is_shown = |row: &&RelationRow| matches.get_flag("all") || row.is_clear();
    let shown: Vec<&RelationRow> = rows.iter().filter(is_shown).collect();
    if !shown.is_empty() {
        let header = ["estimator", "layer", "measure", "number", "of", "statistic", "n", "value", "95 %", "p (Holm)"];
        terminal.print(&grid(&header, shown.into_iter().map(line)))?;
    }
    terminal.print(&format!("{} → {}\n", counts(&rows), out.join(Experiment::RELATIONS).display()))?;
    Ok(Ended::default())
}

fn line(row: &RelationRow) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let range = match (row.low, row.high) {
        (Some(low), Some(high)) => format!("[{low:.2}, {high:.2}]"),
        _ => row.reason.clone().unwrap_or_default(),
    };
    vec![
        row.estimator.to_string(),
        row.layer.to_string(),
        row.weights.clone(),
        format!("{} ({})", row.quantity, row.number),
        row.weights_layer.map_or_else(|| "network".to_owned(), |layer| format!("layer {layer}")),
        row.statistic.clone(),
        row.n.to_string(),
        number(row.value),
        range,
        row.p_holm.map_or_else(|| "–".to_owned(), |p| format!("{p:.3}")),
    ]
}
