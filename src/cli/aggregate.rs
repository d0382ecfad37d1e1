//! `infoplane aggregate`: means, standard deviations and intervals over runs.

use std::path::Path;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::Ended;
use super::arguments::{all_joined, all_resolved, common_out, experiment_arg, for_each, out_arg, path};
use super::terminal::Terminal;
use crate::pipeline::{Needs, Resolved, checked_aggregate};
use crate::stages::Progress;
use crate::stages::aggregate::{MinimumEffect, present_minimum};

pub(super) fn command() -> Command {
    Command::new("aggregate")
        .about("Average the estimates over runs, join them with losses, gradients and checks, and write the tables summary, compression and phases (Parquet and CSV)")
        .arg(experiment_arg().num_args(1..).help("Folders of experiments or sweeps, for example outputs/tishby"))
        .arg(
            Arg::new("minimum-effect")
                .long("minimum-effect")
                .value_name("BITS")
                .help("Smallest compression, in bits, that counts as an effect; `infoplane run` uses `minimum_effect` of the pipeline [default: the value of the existing summary; without one, the larger of 0.05 and 1 % of the ceiling of I(X;T)]")
                .value_parser(value_parser!(f64)),
        )
        .arg(out_arg("The folder for the summary; required for several experiments [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let folders = all_resolved(matches, Needs::Estimates)?;
    let out = common_out(matches, &folders, "summary")?;
    let given = matches.get_one::<f64>("minimum-effect").copied();
    if let Some(bits) = given.filter(|bits| !(bits.is_finite() && *bits >= 0.0)) {
        anyhow::bail!("`--minimum-effect` must be a finite number of bits, 0 or above; got {bits}");
    }
    let minimum = |out: &Path| match given {
        None => Ok(present_minimum(out)?.unwrap_or_default()),
        given => anyhow::Ok(MinimumEffect::given(given)),
    };
    let mut ended = Ended::default();
    if let ([sweep @ Resolved::Sweep { .. }], None) = (folders.as_slice(), path(matches, "out")) {
        // Every experiment of a sweep also has its own summary.
        ended = for_each("aggregate", sweep, None, terminal, |experiment, out| {
            Ok(Some(checked_aggregate(std::slice::from_ref(experiment), minimum(out)?, out)?))
        })?;
    }
    let experiments = all_joined(&folders)?;
    let outcome = checked_aggregate(&experiments, minimum(&out)?, &out)?;
    terminal.report("aggregate", &outcome);
    ended.failures = ended.failures.and(outcome.failures());
    Ok(ended)
}
