//! The report stage: the tables of some experiments → one page that needs nothing else, to be opened in a browser.

mod data;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::experiments::{self, ExperimentState};
use super::{Outcome, StageError, expect_aggregated};
use crate::plots::{self, Tables};
use crate::store::schema::{ExperimentRow, SummaryRow, VERSION};
use crate::store::{Experiment, Lock, Pending, write_bytes};
use data::{Page, Source};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// plotly.js, its basic bundle (scatter, bar and pie, drawn as SVG), MIT; see `plotly-LICENSE.txt`.
const PLOTLY: &str = include_str!("plotly-basic-4.1.1.min.js");

/// The name of the page.
pub const REPORT: &str = "report.html";

/// Writes `report.html` about `experiments`, of which each may be a sweep, into the folder `out`.
///
/// # Errors
/// There is no summary of one of them, or a table is not what was written.
pub fn report(experiments: &[Experiment], out: &Path) -> Result<Outcome, StageError> {
    let (mut sources, mut notes) = (Vec::new(), Vec::new());
    for experiment in experiments {
        sources.extend(members(experiment, &mut notes)?);
    }
    if sources.is_empty() {
        return Err(StageError::Refused("no experiment of the sweep is done; run it first".to_owned()));
    }
    let (page, hashes) = Page::read(&sources, notes)?;
    let text = assemble(&page)?;
    let made_from = json!({ "tables": hashes, "page": crate::store::hash_bytes(text.as_bytes()), "schema": VERSION });
    let work = Pending::new(out, "report", &made_from);
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::take(out)?;
    let file = write_bytes(out, REPORT, text.as_bytes())?;
    let size = file.bytes as f64 / 1e6;
    work.finish(vec![file])?;
    let n = page.experiments.len();
    Ok(Outcome::Done(format!("{n} experiments, {size:.1} MB → {}", out.join(REPORT).display())))
}

/// The experiment, or those of the sweep that are done; their summary lies in the folder of the sweep.
fn members(experiment: &Experiment, notes: &mut Vec<String>) -> Result<Vec<Source>, StageError> {
    let summaries = experiment.root().to_owned();
    expect_aggregated(&summaries, Experiment::SUMMARY)?;
    if !experiments::is_sweep(experiment.root()) {
        return Ok(vec![Source { experiment: experiment.clone(), summaries, sweep: None }]);
    }
    let rows = experiments::rows(experiment.root())?;
    let (done, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| ExperimentState::of(row).is_some_and(ExperimentState::has_results));
    notes.extend(others.iter().map(|row| format!("{} is left out: it is {}", row.experiment, row.state)));
    let folder = |row: ExperimentRow| -> PathBuf { experiment.root().join(row.experiment) };
    let sweep = Some(experiment.name());
    let source =
        |row| Source { experiment: Experiment::new(folder(row)), summaries: summaries.clone(), sweep: sweep.clone() };
    Ok(done.into_iter().map(source).collect())
}

/// The page with its style, script, plot library and data.
fn assemble(page: &Page) -> Result<String, StageError> {
    let data = serde_json::to_string(page).map_err(|e| StageError::Refused(format!("cannot write the page: {e}")))?;
    // A `<` inside of a text could end the element that holds the data.
    let data = data.replace('<', "\\u003c");
    let parts = [
        ("/*CSS*/", STYLE),
        ("/*PLOTLY*/", PLOTLY),
        ("/*DATA*/", data.as_str()),
        ("/*JS*/", SCRIPT),
        ("<!--FALLBACK-->", page.fallback.as_str()),
    ];
    let mut text = String::with_capacity(PLOTLY.len() + data.len() + 100_000);
    let mut rest = PAGE;
    // One after the other in the order of the page: what is put in is never searched for more places.
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

/// The picture for browsers without scripts: the plane of the first estimator that has one.
fn fallback(summary: &[SummaryRow]) -> String {
    let of_one = summary.chunk_by(|a, b| (&a.experiment, &a.estimator) == (&b.experiment, &b.estimator));
    let drawn = of_one.filter_map(|rows| {
        let spec = plots::find("information-plane").ok()?;
        (spec.draw)(Tables { summary: rows, ..Tables::default() }).ok()
    });
    drawn.map(|picture| picture.svg).next().unwrap_or_default()
}
