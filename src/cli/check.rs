//! `infoplane check`: what each estimate can and cannot mean.

use std::cell::Cell;

use clap::{ArgMatches, Command};
use serde_json::json;

use super::Ended;
use super::arguments::{experiment_arg, flag, for_each, out_arg, path, resolved};
use super::terminal::Terminal;
use crate::pipeline::{Needs, Resolved};
use crate::stages::check::{CheckResults, check};
use crate::store::CheckVerdict;

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Report which estimates mean little or contradict themselves, and why")
        .arg(experiment_arg())
        .arg(flag("strict", "Exit with code 1 if there is a warning or a violation"))
        .arg(out_arg("Write checks.parquet here [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let resolved = resolved(matches, Needs::Estimates)?;
    let n_objections = Cell::new(0);
    let mut ended = for_each("check", &resolved, path(matches, "out"), terminal, |experiment, out| {
        let verdicts = check(experiment, out)?;
        n_objections.set(n_objections.get() + verdicts.n_objections());
        match (terminal.is_json(), &resolved) {
            (true, Resolved::Experiment(_)) => terminal.print_json(&verdicts)?,
            (true, Resolved::Sweep { .. }) => terminal.print_line(&json!(verdicts))?,
            (false, _) => terminal.print(&table(&verdicts))?,
        }
        Ok(None)
    })?;
    if matches.get_flag("strict") && n_objections.get() > 0 {
        ended.objections.push(format!("{} checks do not pass", n_objections.get()));
    }
    Ok(ended)
}

fn table(verdicts: &CheckResults) -> String {
    let mut text = format!("{}: {} estimates\n", verdicts.experiment, verdicts.n_estimates);
    let mut estimator = None;
    for finding in &verdicts.findings {
        if estimator != Some(&finding.estimator) {
            estimator = Some(&finding.estimator);
            text.push_str(&format!("\n{}\n", finding.estimator));
        }
        let share = format!("{} of {}", finding.n_found, finding.n_checked);
        let (check, verdict) = (&finding.check, &finding.verdict);
        let says = match verdict {
            CheckVerdict::Passed => String::new(),
            _ => format!("  {}", finding.says),
        };
        text.push_str(&format!("  {check:<11} {verdict:<9} {share:>14}{says}\n"));
    }
    text
}
