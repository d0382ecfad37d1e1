//! `infoplane data fetch`: downloads the published files of data sets.

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
        .about("Download the published files of a data set; an interrupted download is resumed")
        .after_help("Every file is compared with its published SHA-256, so any mirror is safe to use, even with http://. Proxies are read from the environment variables HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. Trusted certificates are read from the file in SSL_CERT_FILE; without it, Mozilla's list is used.")
        .arg(Arg::new("name").value_name("NAME").help("Data sets, for example mnist").required(true).num_args(1..))
        .arg(Arg::new("mirror").long("mirror").value_name("URL").help("URL of a folder that contains the files, used instead of the known mirrors; may be given several times, and the URLs are tried in this order").action(ArgAction::Append))
        .arg(
            Arg::new("folder")
                .long("folder")
                .value_name("DIR")
                .help("The folder for the files [default: data/raw/<name>]")
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
            "`--mirror` and `--folder` work with one data set only, because files of different data sets have equal names; fetch one data set at a time"
        );
    }
    for (spec, (files, mirrors)) in specs.iter().zip(sources) {
        let folder = folder.map_or_else(|| raw_folder(spec.name), PathBuf::from);
        let outcome = fetch(files, own.as_deref().unwrap_or(mirrors), &folder, PATIENCE, terminal)?;
        terminal.report(spec.name, &outcome);
    }
    Ok(Ended::default())
}
