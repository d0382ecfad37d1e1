//! `infoplane check`: what each estimate can and cannot mean.

use clap::{Arg, ArgAction, ArgMatches, Command};
use infoplane::stages::Outcome;
use infoplane::stages::check::{Verdicts, check};
use infoplane::store::CheckVerdict;

use super::terminal::Terminal;
use super::{experiment, experiment_arg, out_arg, path};

pub(super) fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    Command::new("check")
        .about("Say which estimates mean little or contradict themselves, and why")
        .arg(experiment_arg())
        .arg(flag("strict", "Exit with code 1 if there is a warning or a violation"))
        .arg(out_arg("Write checks.parquet here [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let experiment = experiment(matches)?;
    let verdicts = check(&experiment, path(matches, "out").unwrap_or(experiment.root()))?;
    if terminal.is_json() {
        terminal.print_json(&verdicts)?;
    } else {
        terminal.print(&table(&verdicts))?;
    }
    let n = verdicts.n_objections();
    Ok(match matches.get_flag("strict") && n > 0 {
        true => Outcome::Objections(format!("{n} checks do not pass")),
        false => Outcome::UpToDate,
    })
}

fn table(verdicts: &Verdicts) -> String {
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
