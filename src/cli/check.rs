//! `infoplane check`: what each estimate can and cannot mean.

use std::cell::Cell;

use clap::{ArgMatches, Command};
use serde_json::json;

use super::Ended;
use super::arguments::{experiment_arg, flag, for_each, out_arg, path, resolved};
use super::table::paragraph;
use super::terminal::Terminal;
use crate::count::counted;
use crate::pipeline::{Needs, Resolved};
use crate::stages::check::{CheckResults, Finding, check};
use crate::store::CheckVerdict;
use crate::suggest::Named;

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Report which estimates mean little or contradict themselves, and why")
        .arg(experiment_arg())
        .arg(flag("all", "Print the checks that pass, or could not be made, as well"))
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
            (false, _) => terminal.print(&table(&verdicts, matches.get_flag("all"), terminal.width()))?,
        }
        Ok(None)
    })?;
    if matches.get_flag("strict") && n_objections.get() > 0 {
        let (n, verb) = (n_objections.get(), if n_objections.get() == 1 { "does" } else { "do" });
        ended.objections.push(format!("{} {verb} not pass", counted(n, "check")));
    }
    Ok(ended)
}

/// What does not pass, or with `has_all` everything, by estimator; the worst first.
fn table(results: &CheckResults, has_all: bool, width: Option<usize>) -> String {
    let mut text = format!("{}\n", paragraph(&headline(results), 2, width));
    for findings in results.findings.chunk_by(|a, b| a.estimator == b.estimator) {
        let mut shown: Vec<&Finding> = findings.iter().filter(|finding| has_all || is_found(finding)).collect();
        let share = |finding: &Finding| finding.n_found as f64 / finding.n_checked.max(1) as f64;
        shown.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(share(b).total_cmp(&share(a))));
        if let Some(first) = shown.first() {
            text.push_str(&format!("\n{}\n", first.estimator));
        }
        for finding in shown {
            let share = format!("{} of {}", finding.n_found, finding.n_checked);
            let line = format!("  {:<11} {:<9} {share:>14}  {}", finding.check, finding.verdict, finding.says);
            text.push_str(&format!("{}\n", paragraph(line.trim_end(), 6, width)));
        }
    }
    text
}

/// Whether a finding is worth a line of its own.
fn is_found(finding: &Finding) -> bool {
    finding.verdict > CheckVerdict::Passed
}

/// How many checks end how.
fn headline(results: &CheckResults) -> String {
    let count = |verdict: CheckVerdict| {
        let n = results.findings.iter().filter(|finding| finding.verdict == verdict).count();
        (n > 0).then(|| format!("{n} {verdict}"))
    };
    let counts: Vec<String> = CheckVerdict::ALL.iter().rev().copied().filter_map(count).collect();
    let (n, n_estimates) = (results.findings.len(), results.n_estimates);
    format!(
        "{}: {} of {}: {}",
        results.experiment,
        counted(n, "check"),
        counted(n_estimates, "estimate"),
        counts.join(", ")
    )
}
