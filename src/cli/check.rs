//! `infoplane check`: which estimates are unreliable or contradictory, and why.

use std::cell::RefCell;
use std::cmp::Ordering;

use clap::{ArgMatches, Command};
use serde_json::json;

use super::Ended;
use super::arguments::{experiment_arg, flag, for_each, out_arg, path, resolved};
use super::screen::COLUMNS;
use super::table::{grid, paragraph};
use super::terminal::Terminal;
use crate::count::counted;
use crate::math::unique::unique;
use crate::pipeline::{Needs, Resolved};
use crate::stages::check::{CheckResults, Finding, check, meaning};
use crate::store::CheckVerdict;
use crate::suggest::Named;

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Report which estimates are unreliable or contradictory, and why")
        .after_help(
            "Prints one line for each kind of check that does not pass, the worst first. `estimates`: number of estimates that do not pass the check. `share`: share of the layers and snapshots that do not pass, for the worst of these estimates. `violated`: the estimate contradicts an inequality that the true information obeys, or many values are outside its edges. `warning`: the estimate contains little information about the layer. `note`: a property of the activations that matters for other estimators. `unknown`: something that the check needs is missing.",
        )
        .arg(experiment_arg())
        .arg(flag("all", "Print every check of every estimate, with layer, epoch and numbers, including checks that pass"))
        .arg(flag("strict", "Exit with code 1 if there is a warning or a violation"))
        .arg(out_arg("Write checks.parquet to this folder [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let resolved = resolved(matches, Needs::Estimates)?;
    let checked = RefCell::new(Vec::new());
    let mut ended = for_each("check", &resolved, path(matches, "out"), terminal, |experiment, out| {
        let results = check(experiment, out)?;
        if terminal.is_json() {
            match &resolved {
                Resolved::Experiment(_) => terminal.print_json(&results)?,
                Resolved::Sweep { .. } => terminal.print_line(&json!(results))?,
            }
        } else if matches.get_flag("all") {
            terminal.print(&table(&results, terminal.width()))?;
        }
        checked.borrow_mut().push(results);
        Ok(None)
    })?;
    let checked = checked.into_inner();
    if !terminal.is_json() && !matches.get_flag("all") {
        let folder = resolved.folder();
        let next = format!("every estimate, layer and epoch: infoplane check {} --all\n", folder.root().display());
        let screen = screen(&folder.name(), &checked);
        terminal.print(&format!("{screen}\n{next}"))?;
    }
    let n: usize = checked.iter().map(CheckResults::n_objections).sum();
    if matches.get_flag("strict") && n > 0 {
        ended.objections.push(format!("{} {} not pass", counted(n, "check"), if n == 1 { "does" } else { "do" }));
    }
    Ok(ended)
}

/// A headline, and one line for each kind of check that does not pass, the worst first.
fn screen(name: &str, checked: &[CheckResults]) -> String {
    let findings: Vec<&Finding> = checked.iter().flat_map(|results| &results.findings).collect();
    let n_estimates: usize = checked.iter().map(|results| results.n_estimates).sum();
    let experiments = match checked {
        [_] => String::new(),
        several => format!(" in {}", counted(several.len(), "experiment")),
    };
    let headline = format!("{name}: {} of {}{experiments}", counts(&findings), counted(n_estimates, "estimate"));
    let mut kinds: Vec<Kind<'_>> = unique(findings.iter().map(|finding| finding.check.as_str()))
        .into_iter()
        .filter_map(|check| Kind::of(&findings, check))
        .collect();
    kinds.sort_by(|a, b| by_badness(a.worst, b.worst));
    let mut text = format!("{}\n", paragraph(&headline, 2, Some(COLUMNS)));
    let Some(worst) = kinds.first() else { return text };
    text.push_str(&format!("{}\n", paragraph(&worst.example(), 2, Some(COLUMNS))));
    let row = |kind: &Kind<'_>| {
        vec![
            kind.check.to_owned(),
            kind.worst.verdict.to_string(),
            kind.n_estimates.to_string(),
            format!("{:.0} %", 100.0 * kind.share),
            meaning(kind.check).to_owned(),
        ]
    };
    text.push_str(&format!(
        "\n{}",
        grid(&["check", "verdict", "estimates", "share", "meaning"], kinds.iter().map(row))
    ));
    text
}

/// One check over all estimates of all experiments.
struct Kind<'a> {
    check: &'a str,
    /// The finding with the worst verdict and, of these, the largest share.
    worst: &'a Finding,
    /// Estimates of experiments for which it does not pass.
    n_estimates: usize,
    /// The largest share of the layers and snapshots of one estimate for which it does not pass.
    share: f64,
}

impl<'a> Kind<'a> {
    /// `None` if the check passes or could not be made for every estimate.
    fn of(findings: &[&'a Finding], check: &'a str) -> Option<Self> {
        let found: Vec<&'a Finding> =
            findings.iter().copied().filter(|finding| finding.check == check && is_found(finding)).collect();
        let worst = found.iter().copied().min_by(|a, b| by_badness(a, b))?;
        let share = found.iter().map(|finding| share(finding)).fold(0.0, f64::max);
        Some(Self { check, worst, n_estimates: found.len(), share })
    }

    fn example(&self) -> String {
        format!("worst: {} of {}, {}", self.check, self.worst.estimator, self.worst.says)
    }
}

/// The worst verdict first, and of equal verdicts the largest share.
fn by_badness(a: &Finding, b: &Finding) -> Ordering {
    b.verdict.cmp(&a.verdict).then(share(b).total_cmp(&share(a)))
}

/// In which share of the layers and snapshots a check does not pass.
fn share(finding: &Finding) -> f64 {
    finding.n_found as f64 / finding.n_checked.max(1) as f64
}

/// Every check of every estimate of one experiment, the worst of each estimate first.
fn table(results: &CheckResults, width: Option<usize>) -> String {
    let findings: Vec<&Finding> = results.findings.iter().collect();
    let n_estimates = counted(results.n_estimates, "estimate");
    let headline = format!("{}: {} of {n_estimates}", results.experiment, counts(&findings));
    let mut text = format!("{}\n", paragraph(&headline, 2, width));
    for findings in results.findings.chunk_by(|a, b| a.estimator == b.estimator) {
        text.push_str(&format!("\n{}\n", findings[0].estimator));
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by(|a, b| by_badness(a, b));
        for finding in sorted {
            let share = format!("{} of {}", finding.n_found, finding.n_checked);
            let line = format!("  {:<11} {:<9} {share:>14}  {}", finding.check, finding.verdict, finding.says);
            text.push_str(&format!("{}\n", paragraph(line.trim_end(), 6, width)));
        }
    }
    text
}

/// Whether a check does not pass.
fn is_found(finding: &Finding) -> bool {
    finding.verdict > CheckVerdict::Passed
}

/// How many checks have each verdict, the worst first.
fn counts(findings: &[&Finding]) -> String {
    let count = |verdict: CheckVerdict| {
        let n = findings.iter().filter(|finding| finding.verdict == verdict).count();
        (n > 0).then(|| match verdict {
            CheckVerdict::Note | CheckVerdict::Warning => counted(n, verdict.name()),
            CheckVerdict::Unknown | CheckVerdict::Passed | CheckVerdict::Violated => format!("{n} {verdict}"),
        })
    };
    let counts: Vec<String> = CheckVerdict::ALL.iter().rev().copied().filter_map(count).collect();
    format!("{} in {}", counts.join(", "), counted(findings.len(), "check"))
}
