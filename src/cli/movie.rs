//! `infoplane movie`: an animated information plane.

use std::ops::RangeInclusive;

use crate::pipeline::Needs;
use crate::stages::Progress;
use crate::stages::movie::{Animation, FRAMES, FRAMES_PER_SECOND, Format, SECONDS, movie};
use clap::{Arg, ArgMatches, Command, value_parser};

use super::Ended;
use super::arguments::{experiment_arg, out_arg, path, resolved};
use super::terminal::Terminal;

pub(super) fn command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let range = |allowed: RangeInclusive<u16>| i64::from(*allowed.start())..=i64::from(*allowed.end());
    let endings: Vec<&str> = Format::ALL.iter().map(|(ending, _)| *ending).collect();
    Command::new("movie")
        .about("Animate the information plane: GIF, APNG, or MP4 if ffmpeg is installed")
        .arg(experiment_arg())
        .arg(text("format", "KIND", "Kind of file").default_value("gif").value_parser(endings))
        .arg(text(
            "estimator",
            "ID",
            "Estimate to show, for example binning-n-edges-30 [default: the first estimate that contains I(X;T)]",
        ))
        .arg(text("member", "NAME", "Experiment to show; required if the folder is a sweep").long("experiment"))
        .arg(
            text("seconds", "N", "Duration in seconds; the last frame is shown for a fifth of it")
                .default_value("10")
                .value_parser(value_parser!(u16).range(range(SECONDS))),
        )
        .arg(
            text("frames", "N", "")
                .help(format!(
                    "Number of frames, evenly spaced over the logarithm of the epoch; at most {FRAMES_PER_SECOND} per second [default: 120, or fewer if the duration is short]"
                ))
                .value_parser(value_parser!(u16).range(range(FRAMES))),
        )
        .arg(out_arg("Write the folder `figures` here [default: the experiment's folder]"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let resolved = resolved(matches, Needs::Summary)?;
    let folder = resolved.folder();
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let format = text("format").unwrap_or_default();
    let seconds = matches.get_one::<u16>("seconds").copied().unwrap_or(1);
    let animation = Animation {
        format: Format::ALL.iter().find(|(ending, _)| *ending == format).map_or(Format::Gif, |(_, format)| *format),
        experiment: text("member"),
        estimator: text("estimator"),
        n_frames: matches
            .get_one::<u16>("frames")
            .copied()
            .unwrap_or(FRAMES_PER_SECOND.saturating_mul(seconds).min(120)),
        seconds,
    };
    let (outcome, _) = movie(folder, &animation, path(matches, "out").unwrap_or(folder.root()), terminal)?;
    terminal.report("movie", &outcome);
    Ok(Ended::from(&outcome))
}
