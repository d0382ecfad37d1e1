//! `infoplane completions` and `infoplane man`: shell completions and man pages, generated from the command definitions.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::Ended;
use super::arguments::path;
use super::terminal::Terminal;
use crate::stages::{Outcome, Progress};

pub(super) fn command() -> Command {
    Command::new("completions")
        .about("Print a completion script for a shell (commands and options)")
        .after_help(
            "Examples:\n  Bash: infoplane completions bash > ~/.local/share/bash-completion/completions/infoplane\n  Zsh: infoplane completions zsh > DIR/_infoplane (DIR must be in $fpath)\n  Fish: infoplane completions fish > ~/.config/fish/completions/infoplane.fish",
        )
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let shell = matches.get_one::<Shell>("shell").context("clap requires the shell")?;
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut super::command(), "infoplane", &mut script);
    terminal.print(&String::from_utf8(script).context("a script is text")?)?;
    Ok(Ended::default())
}

pub(super) fn man_command() -> Command {
    Command::new("man")
        .about("Print the man page, or write the man pages of all commands to a folder")
        .after_help("Examples:\n  infoplane man | man -l -\n  infoplane man --out ~/.local/share/man/man1; man infoplane-estimate")
        .arg(
            Arg::new("out")
                .long("out")
                .value_name("DIR")
                .help("Write infoplane.1, infoplane-run.1, … to this folder")
                .value_parser(value_parser!(PathBuf)),
        )
}

pub(super) fn run_man(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let mut words = super::command();
    words.build();
    let page = |command: Command| {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).context("cannot write a man page")?;
        anyhow::Ok(page)
    };
    let Some(folder) = path(matches, "out") else {
        terminal.print(&String::from_utf8(page(words)?).context("a page is text")?)?;
        return Ok(Ended::default());
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut pending = vec![words];
    let mut n = 0;
    while let Some(command) = pending.pop() {
        pending.extend(command.get_subcommands().filter(|c| c.get_name() != "help").cloned());
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        let file = folder.join(format!("{name}.1"));
        fs::write(&file, page(command)?).with_context(|| format!("cannot write {}", file.display()))?;
        n += 1;
    }
    let outcome = Outcome::Done(format!("{n} pages → {}", folder.display()));
    terminal.report("man", &outcome);
    Ok(Ended::default())
}
