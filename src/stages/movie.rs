//! The movie stage: summary → an animated information plane, as GIF, APNG, or through ffmpeg as MP4.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;

use super::{Outcome, Progress, StageError, keys};
use crate::count::counted;
use crate::estimate_id::EstimateId;
use crate::math::unique::unique;
use crate::plots::film::{Frame, frame};
use crate::store::schema::{SummaryRow, VERSION};
use crate::store::{Experiment, Lock, Pending, read_rows, verified_hash, write_by, write_bytes};
use crate::suggest::suggestion;

/// Which animation is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// The kind of file.
    pub format: Format,
    /// Name of the experiment, needed if the summary has several.
    pub experiment: Option<String>,
    /// Identity of the estimator; by default the first that estimates I(X;T).
    pub estimator: Option<String>,
    /// Largest number of frames; they are evenly spaced over the recorded snapshots.
    pub n_frames: usize,
    /// Frames per second.
    pub fps: u16,
}

/// Kinds of animated files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Every viewer and slide program shows it; 256 colours.
    Gif,
    /// All colours, for browsers.
    Apng,
    /// Smallest, made by ffmpeg.
    Mp4,
}

impl Format {
    /// Every kind with the ending of its files.
    pub const ALL: &[(&str, Format)] = &[("gif", Format::Gif), ("apng", Format::Apng), ("mp4", Format::Mp4)];

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(ending, _)| ending)
    }
}

/// Number of frames for which the last frame is held.
const REST: usize = 20;

/// Writes `figures/movie-<estimator>.<ending>` into `out`, with the experiment before the estimator where it was named.
///
/// # Errors
/// There is no summary, no such estimator, no I(X;T); ffmpeg is not installed or fails; a file cannot be written.
pub fn movie(
    experiment: &Experiment,
    film: &Film,
    out: &Path,
    progress: &dyn Progress,
) -> Result<(Outcome, PathBuf), StageError> {
    let path = keys::aggregated(experiment.root(), Experiment::SUMMARY)?;
    let hash = verified_hash(experiment.root(), "summary", Experiment::SUMMARY)?;
    let rows = chosen(read_rows(&path)?, film)?;
    let name = match &film.experiment {
        Some(experiment) => format!("{experiment}-{}", rows[0].estimator),
        None => rows[0].estimator.to_string(),
    };
    let relative = format!("figures/movie-{name}.{}", film.format.ending());
    let made_from = json!({ "tables": [hash], "format": film.format.ending(), "experiment": film.experiment, "estimator": film.estimator, "n_frames": film.n_frames, "fps": film.fps, "schema": VERSION, "program": env!("CARGO_PKG_VERSION") });
    let work = Pending::new(out, &format!("movie-{name}-{}", film.format.ending()), &made_from);
    if work.finished()?.is_some() {
        return Ok((Outcome::UpToDate, out.join(relative)));
    }
    let _lock = Lock::take(out)?;
    let steps = steps(&rows, film.n_frames);
    progress.begin("movie", steps.len() as u64);
    let draw = |step: &i64| {
        let drawn = frame(&rows, *step).map_err(|e| StageError::Refused(e.to_string()));
        progress.advance(1);
        drawn
    };
    let frames: Vec<Frame> = steps.par_iter().map(draw).collect::<Result<_, StageError>>()?;
    progress.end();
    let refused = |problem: String| StageError::Refused(format!("cannot make the animation: {problem}"));
    let file = match film.format {
        Format::Gif => write_bytes(out, &relative, &gif(&frames, film.fps).map_err(refused)?)?,
        Format::Apng => write_bytes(out, &relative, &apng(&frames, film.fps).map_err(refused)?)?,
        Format::Mp4 => write_by(out, &relative, |path| mp4(&frames, film.fps, path).map_err(refused))?,
    };
    let size = file.bytes as f64 / 1e6;
    work.finish(vec![file])?;
    let text = format!("{}, {size:.1} MB → {}", counted(frames.len(), "picture"), out.join(&relative).display());
    Ok((Outcome::Done(text), out.join(relative)))
}

/// The rows of the one experiment and estimator that is shown.
fn chosen(rows: Vec<SummaryRow>, film: &Film) -> Result<Vec<SummaryRow>, StageError> {
    let experiments: Vec<&str> = unique(rows.iter().map(|row| row.experiment.as_str()));
    let experiment = match (&film.experiment, experiments.as_slice()) {
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
    let estimator = match &film.estimator {
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

/// At most `n` of the recorded steps, evenly by their number in the recording, with the first and the last.
fn steps(rows: &[SummaryRow], n: usize) -> Vec<i64> {
    let mut recorded: Vec<i64> = rows.iter().map(|row| row.step.unwrap_or(row.epoch.into())).collect();
    recorded.sort_unstable();
    recorded.dedup();
    let n = n.clamp(1, recorded.len());
    let last = recorded.len() - 1;
    (0..n).map(|i| if n == 1 { recorded[last] } else { recorded[i * last / (n - 1)] }).collect()
}

/// The pixels of a picture.
struct Pixels {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

fn pixels(frame: &Frame) -> Result<Pixels, String> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(&frame.png));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let mut rgba = vec![0; reader.output_buffer_size().ok_or("a picture is too large")?];
    let info = reader.next_frame(&mut rgba).map_err(|e| e.to_string())?;
    rgba.truncate(info.buffer_size());
    Ok(Pixels { width: info.width, height: info.height, rgba })
}

fn gif(frames: &[Frame], fps: u16) -> Result<Vec<u8>, String> {
    /// 1 is best and slowest, 30 worst and fastest.
    const SPEED: i32 = 10;
    let encoded = |frame: &Frame| {
        let Pixels { width, height, mut rgba } = pixels(frame)?;
        let mut frame = gif::Frame::from_rgba_speed(width as u16, height as u16, &mut rgba, SPEED);
        frame.delay = hundredths(fps);
        frame.make_lzw_pre_encoded();
        Ok(frame)
    };
    let mut encoded: Vec<gif::Frame<'_>> = frames.par_iter().map(encoded).collect::<Result<_, String>>()?;
    if let Some(last) = encoded.last_mut() {
        last.delay = last.delay.saturating_mul(REST as u16);
    }
    let first = encoded.first().ok_or("it has no pictures")?;
    let mut content = Vec::new();
    let mut encoder = gif::Encoder::new(&mut content, first.width, first.height, &[]).map_err(|e| e.to_string())?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(|e| e.to_string())?;
    encoded.iter().try_for_each(|frame| encoder.write_lzw_pre_encoded_frame(frame)).map_err(|e| e.to_string())?;
    drop(encoder);
    Ok(content)
}

/// Length of a picture in the unit of a GIF.
fn hundredths(fps: u16) -> u16 {
    (100 / fps.max(1)).max(2) // viewers take less for a slow default
}

fn apng(frames: &[Frame], fps: u16) -> Result<Vec<u8>, String> {
    let first = pixels(frames.first().ok_or("it has no pictures")?)?;
    let mut content = Vec::new();
    let mut encoder = png::Encoder::new(&mut content, first.width, first.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(frames.len() as u32, 0).map_err(|e| e.to_string())?;
    encoder.set_frame_delay(1, fps.max(1)).map_err(|e| e.to_string())?;
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    for (i, frame) in frames.iter().enumerate() {
        if i + 1 == frames.len() {
            writer.set_frame_delay(REST as u16, fps.max(1)).map_err(|e| e.to_string())?;
        }
        writer.write_image_data(&pixels(frame)?.rgba).map_err(|e| e.to_string())?;
    }
    writer.finish().map_err(|e| e.to_string())?;
    Ok(content)
}

/// Has ffmpeg write the pictures to `path`.
fn mp4(frames: &[Frame], fps: u16, path: &Path) -> Result<(), String> {
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-y", "-f", "image2pipe", "-framerate", &fps.max(1).to_string(), "-c:v", "png"])
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
    let (mut pictures, mut errors) =
        (ffmpeg.stdin.take().expect("it is piped"), ffmpeg.stderr.take().expect("it is piped"));
    let last = frames.last().into_iter().cycle().take(REST);
    // A pipe holds 64 kB: messages have to be read while pictures are written, or each program waits for the other.
    let reader = std::thread::spawn(move || {
        let mut messages = Vec::new();
        errors.read_to_end(&mut messages).map(|_| messages)
    });
    let written = frames.iter().chain(last).try_for_each(|frame| pictures.write_all(&frame.png));
    drop(pictures);
    let status = ffmpeg.wait().map_err(|e| format!("ffmpeg cannot be waited for: {e}"))?;
    let messages = reader.join().expect("the reader does not panic").map_err(|e| e.to_string())?;
    match (status.success(), written) {
        (true, Ok(())) => Ok(()),
        (true, Err(e)) => Err(format!("ffmpeg did not read all pictures: {e}")),
        (false, _) => Err(format!("ffmpeg failed ({status}): {}", end_of(&String::from_utf8_lossy(&messages)))),
    }
}

/// The last lines of what a program wrote, where the reason of its failure is.
fn end_of(messages: &str) -> String {
    const LINES: usize = 5;
    let lines: Vec<&str> = messages.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::tests::summary_row;

    #[test]
    fn pictures_are_taken_evenly_with_the_first_and_the_last() {
        let rows: Vec<SummaryRow> = (0..11).map(|step| SummaryRow { step: Some(step * 10), ..summary_row() }).collect();
        assert_eq!(steps(&rows, 3), [0, 50, 100]);
        assert_eq!(steps(&rows, 1), [100]);
        assert_eq!(steps(&rows, 99).len(), 11);
    }
}
