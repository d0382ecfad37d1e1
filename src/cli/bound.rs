//! `infoplane bound`: the information bottleneck's curve, and the layers compared with it.

use clap::{ArgMatches, Command};

use super::terminal::Terminal;
use super::{Ended, job};
use crate::pipeline::{BOUND, Job};

pub(super) fn command() -> Command {
    let command = Command::new("bound").about(
        "Solve the information bottleneck of the data and compare every trained layer with its curve, as `[bound]` of a pipeline asks",
    );
    job::add(command.after_help(
        "bound_layers.parquet: a layer is fitted at the β whose solution is nearest to its code (the smallest mean KL divergence); `i_xt_fitted_bits` and `i_ty_fitted_bits` are the information of that solution.",
    ))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (declared, root) = job::declared(matches, terminal)?;
    job::run(&Job::new(BOUND), (&declared, &root), matches, terminal)
}
