//! `infoplane data fetch`: download what data sets are made of.

use std::path::PathBuf;

use crate::datasets;
use crate::stages::Progress;
use crate::stages::fetch::{PATIENCE, fetch, published};
use crate::store::raw_folder;
use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::Ended;
use super::arguments::path;
use super::terminal::Terminal;

pub(super) fn command() -> Command {
    Command::new("fetch")
        .about("Download the files that a data set is published as; a fetch that was stopped is resumed")
        .after_help("Every file is compared with its known SHA-256, so a mirror need not be trusted; http:// is sufficient. Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, trusted authorities from the file that SSL_CERT_FILE names, otherwise Mozilla's.")
        .arg(Arg::new("name").value_name("NAME").help("Data sets, for example mnist").required(true).num_args(1..))
        .arg(Arg::new("mirror").long("mirror").value_name("URL").help("The address of a folder that holds the files, instead of the known ones; several are tried in order, --mirror once for each").action(ArgAction::Append))
        .arg(
            Arg::new("folder")
                .long("folder")
                .value_name("DIR")
                .help("Where the files go [default: data/raw/<name>]")
                .value_parser(value_parser!(PathBuf)),
        )
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let names = matches.get_many::<String>("name").context("clap requires a name")?;
    let specs = names.map(|name| datasets::find(name)).collect::<Result<Vec<_>, _>>()?;
    let sources = specs.iter().map(|spec| published(spec)).collect::<Result<Vec<_>, _>>()?;
    let own: Option<Vec<&str>> = matches.get_many::<String>("mirror").map(|urls| urls.map(String::as_str).collect());
    let folder = path(matches, "folder");
    if specs.len() > 1 && (own.is_some() || folder.is_some()) {
        anyhow::bail!(
            "files of several data sets have the same names; with `--mirror` or `--folder`, fetch one at a time"
        );
    }
    for (spec, (files, mirrors)) in specs.iter().zip(sources) {
        let folder = folder.map_or_else(|| raw_folder(spec.name), PathBuf::from);
        let outcome = fetch(files, own.as_deref().unwrap_or(mirrors), &folder, PATIENCE, terminal)?;
        terminal.report(spec.name, &outcome);
    }
    Ok(Ended::default())
}
