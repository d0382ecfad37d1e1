//! Draws an animation of the information plane from a summary, as GIF, APNG, or (with ffmpeg) MP4.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;

use super::{Outcome, Progress, StageError, keys, overview};
use crate::count::counted;
use crate::estimate_id::EstimateId;
use crate::math::unique::unique;
use crate::plots::frame::{frame, schedule};
use crate::plots::pixels::Pixels;
use crate::store::schema::{SummaryRow, VERSION};
use crate::store::{Experiment, Lock, Pending, read_rows, verified_hash, write_by, write_bytes};
use crate::suggest::suggestion;

/// Settings of an animation.
#[derive(Debug, Clone, PartialEq)]
pub struct Animation {
    /// The kind of file.
    pub format: Format,
    /// Name of the experiment, needed if the summary has several.
    pub experiment: Option<String>,
    /// Identity of the estimator; by default the first that estimates I(X;T).
    pub estimator: Option<String>,
    /// Number of frames, which are evenly spaced over the logarithm of the epoch, in [`FRAMES`] and at most
    /// [`FRAMES_PER_SECOND`] per second of the play time. A snapshot that lasts several frames is drawn once.
    pub n_frames: u16,
    /// Play time in seconds, in [`SECONDS`].
    pub seconds: u16,
}

/// The possible numbers of frames.
pub const FRAMES: RangeInclusive<u16> = 1..=2000;
/// The possible play times in seconds. GIF and APNG hold the length of a frame in 16 bits, here in hundredths of a second: at most
/// 655 s.
pub const SECONDS: RangeInclusive<u16> = 1..=600;
/// At most this many frames per second of the play time: with the last frame, which is held for a fifth of it, 50 per second.
/// Viewers of GIF and APNG replace shorter lengths than 2 hundredths of a second by a long one.
pub const FRAMES_PER_SECOND: u16 = 40;

impl Animation {
    /// Whether viewers can show so many frames in this time.
    fn expect_possible(&self) -> Result<(), StageError> {
        let Self { n_frames, seconds, .. } = *self;
        let out_of_range = |option: &str, got: u16, allowed: &RangeInclusive<u16>| {
            let (least, most) = (allowed.start(), allowed.end());
            StageError::Refused(format!("`--{option} {got}` is not possible; use {least} to {most}"))
        };
        if !FRAMES.contains(&n_frames) {
            return Err(out_of_range("frames", n_frames, &FRAMES));
        }
        if !SECONDS.contains(&seconds) {
            return Err(out_of_range("seconds", seconds, &SECONDS));
        }
        let most = FRAMES_PER_SECOND * seconds;
        if n_frames > most {
            return Err(StageError::Refused(format!(
                "{} in {seconds} s are too many for viewers, which show at most {FRAMES_PER_SECOND} per second; use \
                 `--frames {most}` or fewer, or `--seconds {}` or more",
                counted(n_frames, "frame"),
                n_frames.div_ceil(FRAMES_PER_SECOND)
            )));
        }
        Ok(())
    }
}

/// Kinds of animated files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For every viewer and slide program; 256 colours.
    Gif,
    /// For browsers; all colours.
    Apng,
    /// The smallest file; needs ffmpeg.
    Mp4,
}

impl Format {
    /// Every kind with its file extension.
    pub const ALL: &[(&str, Format)] = &[("gif", Format::Gif), ("apng", Format::Apng), ("mp4", Format::Mp4)];

    /// The file extension.
    pub fn ending(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(ending, _)| ending)
    }
}

/// The last frame is held for this share of the play time.
const HELD: f64 = 0.2;

/// Writes `figures/movie-<estimator>.<ending>` into `out`; if the summary has several experiments,
/// `figures/<experiment>/movie-<estimator>.<ending>`.
///
/// # Errors
/// There are too many frames for the play time; there is no summary, no such estimator, no I(X;T); ffmpeg is not installed or fails; a file cannot be written.
pub fn movie(
    experiment: &Experiment,
    animation: &Animation,
    out: &Path,
    progress: &dyn Progress,
) -> Result<(Outcome, PathBuf), StageError> {
    animation.expect_possible()?;
    let path = keys::aggregated(experiment.root(), Experiment::SUMMARY)?;
    let hash = verified_hash(experiment.root(), "summary", Experiment::SUMMARY)?;
    let summary: Vec<SummaryRow> = read_rows(&path)?;
    let is_sweep = summary.iter().any(|row| row.experiment != summary[0].experiment);
    let rows = chosen(summary, animation)?;
    let folder = is_sweep.then_some(rows[0].experiment.as_str());
    let name = folder.into_iter().chain([rows[0].estimator.to_string().as_str()]).collect::<Vec<&str>>().join("-");
    let kind = overview::ANIMATION;
    let file = overview::file(kind, folder, Some(&rows[0].estimator));
    let relative = format!("figures/{file}.{}", animation.format.ending());
    let made_from = json!({ "tables": [hash], "format": animation.format.ending(), "experiment": folder, "estimator": animation.estimator, "n_frames": animation.n_frames, "seconds": animation.seconds, "schema": VERSION, "program": env!("CARGO_PKG_VERSION") });
    let work = Pending::new(out, &format!("{kind}-{name}-{}", animation.format.ending()), &made_from);
    if work.finished()?.is_some() && overview::is_current(experiment, out)? {
        return Ok((Outcome::UpToDate, out.join(relative)));
    }
    let _lock = Lock::take(out)?;
    if work.finished()?.is_some() {
        overview::update(experiment, out)?;
        return Ok((Outcome::UpToDate, out.join(relative)));
    }
    let schedule = schedule(&rows, animation.n_frames.into());
    progress.begin("movie", schedule.len() as u64);
    let draw = |(step, frames): &(i64, usize)| {
        let drawn = frame(&rows, *step).map_err(|e| StageError::Refused(e.to_string()));
        progress.advance(1);
        Ok(ShownFrame { png: drawn?.png, frames: *frames })
    };
    let mut shown: Vec<ShownFrame> = schedule.par_iter().map(draw).collect::<Result<_, StageError>>()?;
    progress.end();
    let n_drawn = shown.len();
    let clock = Clock::of(animation, &mut shown);
    let refused = |problem: String| StageError::Refused(format!("cannot make the animation: {problem}"));
    let file = match animation.format {
        Format::Gif => write_bytes(out, &relative, &gif(&shown, &clock).map_err(refused)?)?,
        Format::Apng => write_bytes(out, &relative, &apng(&shown, &clock).map_err(refused)?)?,
        Format::Mp4 => write_by(out, &relative, |path| mp4(&shown, &clock, path).map_err(refused))?,
    };
    let size = file.bytes as f64 / 1e6;
    work.finish(vec![file])?;
    overview::update(experiment, out)?;
    let text = format!(
        "{}, {} s, {size:.1} MB → {}",
        counted(n_drawn, "snapshot"),
        animation.seconds,
        out.join(&relative).display()
    );
    Ok((Outcome::Done(text), out.join(relative)))
}

/// The rows of the experiment and the estimator that are shown.
fn chosen(rows: Vec<SummaryRow>, animation: &Animation) -> Result<Vec<SummaryRow>, StageError> {
    let experiments: Vec<&str> = unique(rows.iter().map(|row| row.experiment.as_str()));
    let experiment = match (&animation.experiment, experiments.as_slice()) {
        (Some(name), names) if names.contains(&name.as_str()) => name.clone(),
        (Some(name), names) => {
            let suggestion = suggestion(name, names.iter().copied());
            return Err(StageError::Refused(format!("no experiment `{name}` in the summary; {suggestion}")));
        }
        (None, [only]) => (*only).to_owned(),
        (None, names) => {
            let first = names.first().copied().unwrap_or_default();
            let problem = format!(
                "the summary has {} experiments; choose one with `--experiment`, for example `{first}`",
                names.len()
            );
            return Err(StageError::Refused(problem));
        }
    };
    let rows: Vec<SummaryRow> = rows.into_iter().filter(|row| row.experiment == experiment).collect();
    let estimators = unique(rows.iter().map(|row| Arc::clone(&row.estimator)));
    let names: Vec<String> = estimators.iter().map(|id| id.to_string()).collect();
    let has_plane = |id: &Arc<EstimateId>| rows.iter().any(|row| row.estimator == *id && row.i_xt_bits_mean.is_some());
    let estimator = match &animation.estimator {
        None => estimators.iter().find(|id| has_plane(id)).ok_or_else(|| {
            let problem = "no estimator of this experiment estimates I(X;T), so there is nothing to animate";
            StageError::Refused(problem.to_owned())
        })?,
        Some(name) => match names.iter().position(|other| other == name) {
            Some(place) if has_plane(&estimators[place]) => &estimators[place],
            Some(_) => {
                let problem = "does not estimate I(X;T), so it cannot be drawn in the information plane";
                return Err(StageError::Refused(format!("`{name}` {problem}")));
            }
            None => {
                let suggestion = suggestion(name, names.iter().map(String::as_str));
                return Err(StageError::Refused(format!("no estimates `{name}` in the summary; {suggestion}")));
            }
        },
    };
    Ok(rows.iter().filter(|row| row.estimator == *estimator).cloned().collect())
}

/// A drawn snapshot and the number of frames that show it.
struct ShownFrame {
    png: Vec<u8>,
    frames: usize,
}

/// The play time of frames, all of one length.
struct Clock {
    n_frames: u64,
    seconds: u16,
}

/// Parts of a second in which GIF counts the length of a frame.
const HUNDREDTHS: u16 = 100;

impl Clock {
    /// Holds the last of `shown`, and divides the play time by the number of frames.
    fn of(animation: &Animation, shown: &mut [ShownFrame]) -> Self {
        let n_moving = shown.iter().map(|shown| shown.frames).sum::<usize>();
        let n_held = (n_moving as f64 * HELD / (1.0 - HELD)).ceil() as usize;
        shown.iter_mut().last().into_iter().for_each(|last| last.frames += n_held);
        Self { n_frames: (n_moving + n_held) as u64, seconds: animation.seconds }
    }

    /// For each of `shown`, its length in [`HUNDREDTHS`] of a second. Ends are rounded, not lengths, so that the play time is exact.
    fn lengths(&self, shown: &[ShownFrame]) -> Vec<u16> {
        let play_time = u64::from(HUNDREDTHS) * u64::from(self.seconds);
        let end = |frames: u64| (2 * frames * play_time + self.n_frames) / (2 * self.n_frames);
        let mut frames = 0;
        let length = |shown: &ShownFrame| {
            let start = end(frames);
            frames += shown.frames as u64;
            (end(frames) - start) as u16 // at most 60 000, by the range of the play time
        };
        shown.iter().map(length).collect()
    }
}

fn gif(shown: &[ShownFrame], clock: &Clock) -> Result<Vec<u8>, String> {
    /// 1 is best and slowest, 30 worst and fastest.
    const SPEED: i32 = 10;
    let encoded = |(shown, hundredths): (&ShownFrame, &u16)| {
        let Pixels { width, height, bytes: mut rgba } = Pixels::read(&shown.png)?;
        keep_frequent_colours(&mut rgba);
        let mut frame = gif::Frame::from_rgba_speed(width as u16, height as u16, &mut rgba, SPEED);
        frame.delay = *hundredths;
        frame.make_lzw_pre_encoded();
        Ok(frame)
    };
    let hundredths = clock.lengths(shown);
    let encoded: Vec<gif::Frame<'_>> = shown.par_iter().zip(&hundredths).map(encoded).collect::<Result<_, String>>()?;
    let first = encoded.first().ok_or("it has no frames")?;
    let mut content = Vec::new();
    let mut encoder = gif::Encoder::new(&mut content, first.width, first.height, &[]).map_err(|e| e.to_string())?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(|e| e.to_string())?;
    encoded.iter().try_for_each(|frame| encoder.write_lzw_pre_encoded_frame(frame)).map_err(|e| e.to_string())?;
    drop(encoder);
    Ok(content)
}

/// Replaces rare colours by the nearest of the 256 most frequent ones, which a GIF shows exactly. The encoder's own choice of colours
/// would give small dots of different layers one colour.
fn keep_frequent_colours(rgba: &mut [u8]) {
    const MOST: usize = 256;
    let mut counts: BTreeMap<[u8; 4], usize> = BTreeMap::new();
    for pixel in rgba.chunks_exact(4) {
        *counts.entry([pixel[0], pixel[1], pixel[2], pixel[3]]).or_default() += 1;
    }
    let mut frequent: Vec<[u8; 4]> = counts.keys().copied().collect();
    frequent.sort_by_key(|colour| std::cmp::Reverse(counts[colour]));
    frequent.truncate(MOST);
    let distance =
        |a: &[u8; 4], b: &[u8; 4]| -> u32 { a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum() };
    let nearest = |colour: [u8; 4]| frequent.iter().copied().min_by_key(|other| distance(&colour, other));
    let nearest: BTreeMap<[u8; 4], [u8; 4]> =
        counts.keys().filter_map(|colour| Some((*colour, nearest(*colour)?))).collect();
    for pixel in rgba.chunks_exact_mut(4) {
        pixel.copy_from_slice(&nearest[&[pixel[0], pixel[1], pixel[2], pixel[3]]]);
    }
}

fn apng(shown: &[ShownFrame], clock: &Clock) -> Result<Vec<u8>, String> {
    let first = Pixels::read(&shown.first().ok_or("it has no frames")?.png)?;
    let mut content = Vec::new();
    let mut encoder = png::Encoder::new(&mut content, first.width as u32, first.height as u32);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(shown.len() as u32, 0).map_err(|e| e.to_string())?;
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    for (shown, hundredths) in shown.iter().zip(clock.lengths(shown)) {
        writer.set_frame_delay(hundredths, HUNDREDTHS).map_err(|e| e.to_string())?;
        writer.write_image_data(&Pixels::read(&shown.png)?.bytes).map_err(|e| e.to_string())?;
    }
    writer.finish().map_err(|e| e.to_string())?;
    Ok(content)
}

/// Has ffmpeg write the frames to `path`.
fn mp4(shown: &[ShownFrame], clock: &Clock, path: &Path) -> Result<(), String> {
    let rate = format!("{}/{}", clock.n_frames, clock.seconds);
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-y", "-f", "image2pipe", "-framerate", &rate, "-c:v", "png"])
        .args(["-i", "-", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-f", "mp4"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => "ffmpeg is not installed; install it, or use `--format gif`".to_owned(),
            _ => format!("ffmpeg does not start: {e}"),
        })?;
    let (mut frames, mut errors) =
        (ffmpeg.stdin.take().expect("it is piped"), ffmpeg.stderr.take().expect("it is piped"));
    // A pipe holds 64 kB: messages have to be read while frames are written, or each program waits for the other.
    let reader = std::thread::spawn(move || {
        let mut messages = Vec::new();
        errors.read_to_end(&mut messages).map(|_| messages)
    });
    let repeated = shown.iter().flat_map(|shown| std::iter::repeat_n(&shown.png, shown.frames));
    let written = repeated.into_iter().try_for_each(|png| frames.write_all(png));
    drop(frames);
    let status = ffmpeg.wait().map_err(|e| format!("ffmpeg cannot be waited for: {e}"))?;
    let messages = reader.join().expect("the reader does not panic").map_err(|e| e.to_string())?;
    match (status.success(), written) {
        (true, Ok(())) => Ok(()),
        (true, Err(e)) => Err(format!("ffmpeg did not read all frames: {e}")),
        (false, _) => Err(format!("ffmpeg failed ({status}): {}", end_of(&String::from_utf8_lossy(&messages)))),
    }
}

/// The last lines of a program's messages, which name the reason of its failure.
fn end_of(messages: &str) -> String {
    const LINES: usize = 5;
    let lines: Vec<&str> = messages.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frequent_colour_is_kept_and_a_rare_one_becomes_the_nearest() {
        let grey = |i: u16| [(i % 256) as u8, (i / 256) as u8, 0, 255];
        // 256 colours twice, then once a colour that is similar to the first of them.
        let mut rgba: Vec<u8> = (0..512).flat_map(|i| grey(i % 256)).collect();
        rgba.extend([0, 3, 0, 255]);
        keep_frequent_colours(&mut rgba);
        assert_eq!(rgba[4 * 512..], [0, 0, 0, 255]);
        assert_eq!(rgba[4 * 7..4 * 8], grey(7));
    }

    fn animation(n_frames: u16, seconds: u16) -> Animation {
        Animation { format: Format::Gif, experiment: None, estimator: None, n_frames, seconds }
    }

    /// Snapshots that are shown for `frames` each, as images of two pixels of which no two are equal.
    fn drawn(frames: &[usize]) -> Vec<ShownFrame> {
        let png =
            |i: usize| Pixels { width: 2, height: 1, bytes: vec![i as u8, (i / 256) as u8, 9, 255, 0, 0, 0, 255] };
        let shown = |(i, frames): (usize, &usize)| ShownFrame { png: png(i).write().unwrap(), frames: *frames };
        frames.iter().enumerate().map(shown).collect()
    }

    /// The lengths of the frames in hundredths of a second, as a GIF states them.
    fn gif_lengths(content: &[u8]) -> Vec<u64> {
        let mut decoder = gif::DecodeOptions::new().read_info(content).unwrap();
        let mut lengths = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            lengths.push(frame.delay.into());
        }
        lengths
    }

    /// The same of an APNG, from its chunks `fcTL`: length, name, number, width, height, x, y, numerator, denominator.
    fn apng_lengths(content: &[u8]) -> Vec<u64> {
        let number = |at: usize| u64::from(u16::from_be_bytes([content[at], content[at + 1]]));
        let chunks = (0..content.len() - 4).filter(|at| &content[*at..at + 4] == b"fcTL");
        chunks.map(|at| 100 * number(at + 24) / number(at + 26)).collect()
    }

    #[test]
    fn the_play_time_is_exact_at_the_limits_and_no_frame_is_shorter_than_viewers_can_show() {
        let per_second = usize::from(FRAMES_PER_SECOND);
        let cases: [(&[usize], u16); 8] = [
            (&[1], 1),
            (&[1], 600),
            (&[1; 2], 600),
            (&[1; 40], 1),
            (&[40, 1, 79], 10),
            (&[1; 7], 10),
            (&[1; 400], 10),
            (&[2000], 600),
        ];
        for (frames, seconds) in cases {
            let n_frames: usize = frames.iter().sum();
            let animation = animation(n_frames as u16, seconds);
            assert!(n_frames <= per_second * usize::from(seconds) && animation.expect_possible().is_ok());
            let mut shown = drawn(frames);
            let clock = Clock::of(&animation, &mut shown);
            let written = [gif(&shown, &clock).unwrap(), apng(&shown, &clock).unwrap()];
            for lengths in [gif_lengths(&written[0]), apng_lengths(&written[1])] {
                let case = format!("{n_frames} frames in {seconds} s: {lengths:?}");
                assert_eq!((lengths.len(), lengths.iter().sum()), (frames.len(), 100 * u64::from(seconds)), "{case}");
                assert!(lengths.iter().all(|length| *length >= 2), "{case}");
                assert!(*lengths.last().unwrap() >= 20 * u64::from(seconds), "a fifth shows the last frame: {case}");
            }
        }
    }

    #[test]
    fn impossible_numbers_of_frames_are_refused_with_those_that_are_possible() {
        let problem = |n_frames, seconds| animation(n_frames, seconds).expect_possible().unwrap_err().to_string();
        assert_eq!(
            problem(121, 3),
            "121 frames in 3 s are too many for viewers, which show at most 40 per second; use `--frames 120` or fewer, \
             or `--seconds 4` or more"
        );
        for (n_frames, seconds) in [(0, 10), (2001, 600), (1, 0), (1, 601)] {
            assert!(problem(n_frames, seconds).contains("is not possible; use 1 to"), "{n_frames} {seconds}");
        }
        for (n_frames, seconds) in [(1, 1), (40, 1), (1, 600), (2000, 50), (2000, 600)] {
            assert!(animation(n_frames, seconds).expect_possible().is_ok(), "{n_frames} {seconds}");
        }
    }
}
