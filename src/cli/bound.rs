//! `infoplane bound`: compares the layers with the information bottleneck curve.

use clap::{ArgMatches, Command};

use super::terminal::Terminal;
use super::{Ended, job};
use crate::pipeline::{BOUND, Job};

pub(super) fn command() -> Command {
    let command = Command::new("bound").about(
        "Compute the information bottleneck curve of the data, and compare every trained layer with it (settings: `[bound]` in the pipeline)",
    );
    job::add_to_reader(command.after_help(
        "The results for layers are in bound_layers.parquet. The fitted β of a layer is the β whose solution of the self-consistent equations is nearest to the discrete code of the layer (smallest mean KL divergence); `i_xt_fitted_bits` and `i_ty_fitted_bits` are I(X;T) and I(T;Y) of that solution.",
    ))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let (declared, root) = job::declared(matches, terminal)?;
    job::run(&Job::new(BOUND), (&declared, &root), matches, terminal)
}
