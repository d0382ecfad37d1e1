//! Output for the user: a progress bar for each stage on a terminal, otherwise a plain line from time to time.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use super::table::paragraph;
use crate::stages::{Outcome, Progress};
use crate::visible::{visible, visible_json, visible_line};

/// The output streams of the program.
#[derive(Debug)]
pub(super) struct Terminal {
    quiet: bool,
    form: Form,
    /// Whether a JSON value was printed that is the entire output.
    has_printed: AtomicBool,
    bar: Mutex<Bar>,
}

#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    step: Step,
    last_line: Instant,
}

/// The format of the standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Text and tables.
    Words,
    /// JSON: one value, or one object per stage for commands that run stages, each on its own line.
    Json,
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
enum Step {
    Work,
    Byte,
}

impl Step {
    /// A bar's numbers and words.
    fn template(self) -> &'static str {
        match self {
            Self::Work => "{prefix:>9} [{wide_bar}] {human_pos}/{human_len} {msg} {elapsed} ({eta} left)",
            Self::Byte => "{prefix:>9} [{wide_bar}] {bytes}/{total_bytes} {msg} {bytes_per_sec} ({eta} left)",
        }
    }

    fn text(self, n: u64) -> String {
        match self {
            Self::Work => n.to_string(),
            Self::Byte => HumanBytes(n).to_string(),
        }
    }
}

/// The time between two plain progress lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Terminal {
    pub(super) fn new(quiet: bool, verbose: bool, form: Form) -> Self {
        let level = match (quiet, verbose) {
            (true, _) => tracing::Level::ERROR,
            (false, true) => tracing::Level::DEBUG,
            (false, false) => tracing::Level::WARN,
        };
        let is_coloured = is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let format = tracing_subscriber::fmt().with_target(false).with_max_level(level).with_writer(|| Warnings);
        // Another call in this process, or the embedding program, may have set a subscriber already.
        let _ = format.with_ansi(is_coloured).without_time().try_init();
        Self {
            quiet,
            form,
            has_printed: AtomicBool::new(false),
            bar: Mutex::new(Bar { bar: ProgressBar::hidden(), step: Step::Work, last_line: Instant::now() }),
        }
    }

    /// Whether standard output carries JSON.
    pub(super) fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Prints why the command did not succeed, with its exit code.
    pub(super) fn error(&self, text: &str, exit_code: u8) {
        // Nothing may follow a JSON value that is the entire output.
        if self.form == Form::Json && !self.has_printed.load(Ordering::Relaxed) {
            let _ = self.print_line(&json!({ "error": text, "exit_code": exit_code }));
        }
        let _ = writeln!(std::io::stderr(), "infoplane: {}", visible(text));
    }

    /// Writes a JSON value to the standard output, indented.
    pub(super) fn print_json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value).context("what is printed is plain data")?;
        self.has_printed.store(true, Ordering::Relaxed);
        write_out(&format!("{}\n", visible_json(&text)))
    }

    /// Writes a JSON value as one of several lines of the standard output, after which others may come.
    pub(super) fn print_line(&self, value: &serde_json::Value) -> anyhow::Result<()> {
        write_out(&format!("{}\n", visible_json(&value.to_string())))
    }

    /// As [`Progress::report`], for an experiment of a sweep.
    pub(super) fn report_member(&self, stage: &str, experiment: &str, outcome: &Outcome) {
        if self.form == Form::Json {
            let mut line = for_programs(stage, outcome);
            line["experiment"] = json!(experiment);
            // The work continues even if the output is closed.
            let _ = self.print_line(&line);
        }
        self.say_outcome(&format!("{stage} {experiment}"), outcome);
    }

    /// Reports why a stage could not be done for an experiment of a sweep.
    pub(super) fn report_failure(&self, stage: &str, experiment: &str, reason: &str) {
        if self.form == Form::Json {
            let _ = self.print_line(&json!({ "stage": stage, "experiment": experiment, "error": reason }));
        }
        self.tell(&format!("{stage} {experiment}: failed: {reason}"));
    }

    fn say_outcome(&self, name: &str, outcome: &Outcome) {
        match outcome {
            Outcome::UpToDate => self.say(&format!("{name}: up to date")),
            Outcome::Done(text) | Outcome::Partial { text, .. } => self.say(&format!("{name}: {text}")),
        }
    }

    /// Writes a text to the standard output.
    pub(super) fn print(&self, text: &str) -> anyhow::Result<()> {
        write_out(&visible(text))
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            let width = width_of(std::io::stderr());
            let text = visible(text);
            let lines: Vec<String> = text.lines().map(|line| paragraph(line, 4, width)).collect();
            let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
        }
    }

    /// The width of the terminal; `None` if the standard output is a file or a pipe, which gets the full width.
    pub(super) fn width(&self) -> Option<usize> {
        width_of(std::io::stdout())
    }
}

/// Writes to the standard output. A closed pipe (`| head`) is not an error; a full disk is.
fn write_out(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e).context("cannot write to the standard output"),
        _ => Ok(()),
    }
}

/// Writes warnings to the standard error stream. Colours are kept; all other escape sequences are made visible.
struct Warnings;

impl Write for Warnings {
    fn write(&mut self, content: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(content);
        let mut pieces = text.split("\u{1b}[");
        let mut shown = visible(pieces.next().unwrap_or_default()).into_owned();
        for piece in pieces {
            let code =
                piece.find(|c: char| !c.is_ascii_digit() && c != ';').filter(|end| piece[*end..].starts_with('m'));
            shown.push_str(if code.is_some() { "\u{1b}[" } else { "\\u{1b}[" });
            shown.push_str(&visible(piece));
        }
        std::io::stderr().write_all(shown.as_bytes()).map(|()| content.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

fn width_of(stream: impl IsTerminal) -> Option<usize> {
    let size = stream.is_terminal().then(terminal_size::terminal_size).flatten();
    size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
}

impl Terminal {
    fn show(&self, what: &str, total: u64, step: Step) {
        let interactive = !self.quiet && is_terminal();
        let target = if interactive { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(step.template()).expect("the template is valid").progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(total), target)
            .with_style(style)
            .with_prefix(visible_line(what).into_owned());
        let mut shown = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Bar { bar, step, last_line: Instant::now() };
    }
}

impl Progress for Terminal {
    fn begin(&self, what: &str, total: u64) {
        self.show(what, total, Step::Work);
    }

    fn begin_bytes(&self, what: &str, total: u64) {
        self.show(what, total, Step::Byte);
    }

    fn advance(&self, steps: u64) {
        let mut shown = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        shown.bar.inc(steps);
        if shown.bar.is_hidden() && shown.last_line.elapsed() > LINE_EVERY {
            shown.last_line = Instant::now();
            let (done, total) = (shown.bar.position(), shown.bar.length().unwrap_or(0));
            let percent = 100 * done / total.max(1);
            let (done, total) = (shown.step.text(done), shown.step.text(total));
            let left = shown.bar.eta().as_secs();
            let (what, message) = (shown.bar.prefix(), shown.bar.message());
            let message = if message.is_empty() { message } else { format!(" ({message})") };
            self.say(&format!("{what}: {percent} %, {done} of {total}{message}, about {left} s left"));
        }
    }

    fn message(&self, text: &str) {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).bar.set_message(visible_line(text).into_owned());
    }

    fn tell(&self, line: &str) {
        let shown = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        shown.bar.suspend(|| self.say(line));
    }

    fn report(&self, stage: &str, outcome: &Outcome) {
        if self.form == Form::Json {
            // The work continues even if the output is closed.
            let _ = self.print_line(&for_programs(stage, outcome));
        }
        self.say_outcome(stage, outcome);
    }

    fn end(&self) {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).bar.finish_and_clear();
    }
}

/// Whether the standard error stream is a terminal that supports more than plain lines.
fn is_terminal() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The outcome of a stage as JSON.
fn for_programs(stage: &str, outcome: &Outcome) -> serde_json::Value {
    let state = match outcome {
        Outcome::UpToDate => "up to date",
        Outcome::Done(_) => "done",
        Outcome::Partial { .. } => "partial",
    };
    json!({ "stage": stage, "state": state, "text": outcome.text(), "failures": outcome.failures() })
}
