//! The report stage: the tables of one or more experiments → one self-contained page for a browser.

mod checks;
mod data;
mod estimates;
mod histograms;
mod library;
mod network;
mod packing;
mod provenance;
mod settings;
mod tables;
mod weights;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::experiments;
use super::{Outcome, StageError, keys};
use crate::count::counted;
use crate::plots::{self, Tables};
use crate::store::schema::{ExperimentRow, SummaryRow, VERSION};
use crate::store::{Experiment, Lock, Pending, write_bytes};
use data::{Note, Page, Source};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// The script of the page, one panel or topic per file; `start.js` comes last and runs it.
const SCRIPTS: &[&str] = &[
    include_str!("page/state.js"),
    include_str!("page/elements.js"),
    include_str!("page/numbers.js"),
    include_str!("page/time.js"),
    include_str!("page/choices.js"),
    include_str!("page/series.js"),
    include_str!("page/colours.js"),
    include_str!("page/layout.js"),
    include_str!("page/plane.js"),
    include_str!("page/curves.js"),
    include_str!("page/csv.js"),
    include_str!("page/download.js"),
    include_str!("page/views.js"),
    include_str!("page/player.js"),
    include_str!("page/snapshot_table.js"),
    include_str!("page/legend.js"),
    include_str!("page/banner.js"),
    include_str!("page/settings.js"),
    include_str!("page/notes.js"),
    include_str!("page/panels.js"),
    include_str!("page/overlay.js"),
    include_str!("page/histograms.js"),
    include_str!("page/gradients.js"),
    include_str!("page/weights.js"),
    include_str!("page/compression.js"),
    include_str!("page/claims.js"),
    include_str!("page/checks.js"),
    include_str!("page/provenance.js"),
    include_str!("page/url.js"),
    include_str!("page/controls.js"),
    include_str!("page/access.js"),
    include_str!("page/start.js"),
];
const LICENCE: &str = include_str!("page/plotly-LICENSE.txt");

/// The name of the page.
pub const REPORT: &str = "report.html";

/// Writes `report.html` with all results of `experiments`, each of which may be a sweep, into the folder `out`.
///
/// # Errors
/// The summary of an experiment is missing, or a table was changed after it was written.
pub fn report(experiments: &[Experiment], out: &Path) -> Result<Outcome, StageError> {
    let (mut sources, mut notes) = (Vec::new(), Vec::new());
    for experiment in experiments {
        sources.extend(members(experiment, &mut notes)?);
    }
    if sources.is_empty() {
        return Err(StageError::Refused("no experiment of the sweep is done; run it first".to_owned()));
    }
    let (page, hashes) = Page::read(&sources, notes)?;
    let without_library = assemble(&page, &library::version())?;
    let hash = crate::store::hash_bytes(without_library.as_bytes());
    let made_from = json!({ "tables": hashes, "page": hash, "schema": VERSION });
    let work = Pending::new(out, "report", &made_from);
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::take(out)?;
    let file = write_bytes(out, REPORT, assemble(&page, &library::packed())?.as_bytes())?;
    let size = file.bytes as f64 / 1e6;
    work.finish(vec![file])?;
    let n = page.experiments.len();
    Ok(Outcome::Done(format!("{}, {size:.1} MB → {}", counted(n, "experiment"), out.join(REPORT).display())))
}

/// The experiment, or the finished experiments of the sweep, whose summary is in the folder of the sweep.
fn members(experiment: &Experiment, notes: &mut Vec<Note>) -> Result<Vec<Source>, StageError> {
    let summaries = experiment.root().to_owned();
    keys::aggregated(&summaries, Experiment::SUMMARY)?;
    if !experiments::is_sweep(experiment.root()) {
        return Ok(vec![Source { experiment: experiment.clone(), summaries, sweep: None }]);
    }
    let rows = experiments::rows(experiment.root())?;
    let (done, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.state.has_results());
    let note = |row: &ExperimentRow| Note::missing(format!("{} is left out: it is {}", row.experiment, row.state));
    notes.extend(others.iter().map(note));
    let folder = |row: ExperimentRow| -> PathBuf { experiment.root().join(row.experiment) };
    let sweep = Some(experiment.name());
    let source =
        |row| Source { experiment: Experiment::new(folder(row)), summaries: summaries.clone(), sweep: sweep.clone() };
    Ok(done.into_iter().map(source).collect())
}

/// The page with its style, script, data and plot library.
fn assemble(page: &Page, library: &str) -> Result<String, StageError> {
    let data = serde_json::to_string(page).map_err(|e| StageError::Refused(format!("cannot write the page: {e}")))?;
    // A `<` in a text could end the element that holds the data.
    let data = data.replace('<', "\\u003c");
    let script = format!("(() => {{\n'use strict';\n\n{}}})();\n", SCRIPTS.join("\n"));
    let parts = [
        ("/*CSS*/", STYLE),
        ("/*LICENCE*/", LICENCE),
        ("/*PLOTLY*/", library),
        ("/*DATA*/", data.as_str()),
        ("/*JS*/", script.as_str()),
        ("<!--FALLBACK-->", page.fallback.as_str()),
    ];
    let mut text = String::with_capacity(library.len() + data.len() + 100_000);
    let mut rest = PAGE;
    // Places are filled in the order of the page, so that inserted text is never searched for them.
    while let Some((at, place, part)) =
        parts.iter().filter_map(|(place, part)| Some((rest.find(place)?, *place, *part))).min_by_key(|(at, ..)| *at)
    {
        text.push_str(&rest[..at]);
        text.push_str(part);
        rest = &rest[at + place.len()..];
    }
    text.push_str(rest);
    Ok(text)
}

/// The figure for browsers without scripts: the information plane of the first estimator that has both estimates.
fn fallback(summary: &[SummaryRow]) -> String {
    let by_estimator = summary.chunk_by(|a, b| (&a.experiment, &a.estimator) == (&b.experiment, &b.estimator));
    let drawn = by_estimator.filter_map(|rows| {
        let spec = plots::find("information-plane").ok()?;
        spec.draw(Tables { summary: rows, ..Tables::default() }).ok()
    });
    drawn.map(|picture| picture.svg).next().unwrap_or_default()
}
