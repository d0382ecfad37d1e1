//! `infoplane propagate`: information of networks with noise.

use clap::{ArgMatches, Command};

use super::terminal::Terminal;
use super::{Ended, estimate, job};
use crate::pipeline::PROPAGATE;
use crate::stages::propagate::plan;

pub(super) fn command() -> Command {
    let command = Command::new("propagate").about(
        "Compute I(X;T) and I(T;Y) of a network with Gaussian noise or Gaussian dropout by sample propagation (settings: `[propagation]` in the pipeline), and write them as a table of estimates",
    );
    job::add_to_reader(command.after_help(
        "The noise is part of the network, so the information is a property of the network. The network is made of its recorded weights, and every input passes through it several times with other noise. Layers without noise have no result. The columns `i_xt_error_bits` and `i_ty_error_bits` contain the Monte Carlo error.",
    ))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    estimate::run_steps(PROPAGATE, plan, matches, terminal)
}
