//! `infoplane movie`: an animated information plane.

use clap::{Arg, ArgMatches, Command, value_parser};
use infoplane::stages::Outcome;
use infoplane::stages::movie::{Film, Format, movie};

use super::terminal::Terminal;
use super::{experiment, experiment_arg, out_arg, path};

pub(super) fn command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("movie")
        .about("Animate the information plane: GIF, APNG, or MP4 where ffmpeg is installed")
        .arg(experiment_arg())
        .arg(text("format", "KIND", "Kind of file").default_value("gif").value_parser(["gif", "apng", "mp4"]))
        .arg(text(
            "estimator",
            "ID",
            "Which estimates, for example binning-n-edges-30 [default: the first in the plane]",
        ))
        .arg(text("member", "NAME", "Which experiment, where the folder is a sweep").long("experiment"))
        .arg(
            text("frames", "N", "At most so many pictures")
                .default_value("120")
                .value_parser(value_parser!(u16).range(1..=2000)),
        )
        .arg(text("fps", "N", "Pictures a second").default_value("12").value_parser(value_parser!(u16).range(1..=50)))
        .arg(out_arg("Write the folder `figures` here [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let of = experiment(matches)?;
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let format = text("format").unwrap_or_default();
    let film = Film {
        format: Format::ALL.iter().find(|(ending, _)| *ending == format).map_or(Format::Gif, |(_, format)| *format),
        experiment: text("member"),
        estimator: text("estimator"),
        n_frames: matches.get_one::<u16>("frames").copied().unwrap_or(1).into(),
        fps: matches.get_one::<u16>("fps").copied().unwrap_or(1),
    };
    let (outcome, _) = movie(&of, &film, path(matches, "out").unwrap_or(of.root()), terminal)?;
    terminal.report("movie", &outcome);
    Ok(outcome)
}
