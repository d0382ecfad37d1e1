//! Draws figures from the summary, the estimates and the tables next to them, into the folder `figures`.

mod tables;

use std::path::Path;

use rayon::prelude::*;
use serde_json::json;

use self::tables::{Loaded, NextToSummary, Theme};
use super::{Outcome, StageError, histograms, keys, overview};
use crate::count::counted;
use crate::plots::{PLOTS, PlotError, Spec, Subject, Table, Tables};
use crate::store::schema::{EstimateRow, SummaryRow};
use crate::store::{
    Experiment, FileRecord, Lock, Manifest, Pending, manifests, read_all_rows, remove_below, write_bytes,
};

/// How the figures were selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotSelection {
    /// Every figure that can be drawn; a figure that does not apply is skipped silently.
    ForAll,
    /// By name; a figure that cannot be drawn is reported.
    ByName,
}

/// Draws `plots` for every subject in the summary of `experiment` into `<out>/figures`, and the page `index.html` that lists the
/// figures there. A figure whose data are missing (single runs of a summary over several experiments; estimates that all failed)
/// is left out, with a warning if it was requested by name.
///
/// # Errors
/// There is no summary, nothing can be drawn, or a file cannot be read or written.
pub fn plot(experiment: &Experiment, plots: &[&Spec], asked: PlotSelection, out: &Path) -> Result<Outcome, StageError> {
    let summary_path = keys::aggregated(experiment.root(), Experiment::SUMMARY)?;
    let next_to_summary = NextToSummary::read(experiment, plots)?;
    let work = pending(experiment, plots, &next_to_summary, asked, out)?;
    if work.finished()?.is_some() && overview::is_current(experiment, out)? {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::take(out)?;
    if work.finished()?.is_some() {
        overview::update(experiment, out)?;
        return Ok(Outcome::UpToDate);
    }
    let loaded = Loaded::read(experiment, plots, &next_to_summary)?;
    let easel = Easel { plots, asked, out };
    // If every estimate failed, the curves of the training alone would look like a result.
    let drawn = if loaded.has_estimates() { easel.draw_all(experiment, &loaded)? } else { Drawn::default() };
    let has_plane = |row: &SummaryRow| row.i_xt_bits_mean.is_some() || row.n_failed > 0;
    if drawn.files.is_empty() && asked == PlotSelection::ForAll && loaded.summary.iter().any(|row| !has_plane(row)) {
        work.finish(Vec::new())?;
        overview::update(experiment, out)?;
        return Ok(Outcome::Done("no figures: no estimator of this experiment estimates I(X;T)".to_owned()));
    }
    if drawn.files.is_empty() {
        let why = drawn.reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        let problem = format!("{}: nothing can be drawn from it{why}", summary_path.display());
        return Err(StageError::NothingToDraw(problem));
    }
    let n_figures = drawn.files.len() / 2;
    forget_replaced(out, &work.finish(drawn.files)?)?;
    overview::update(experiment, out)?;
    Ok(Outcome::Done(format!("{}, SVG and PNG → {}", counted(n_figures, "figure"), out.join(overview::PAGE).display())))
}

/// Whether the figures that [`plot`] would draw exist, were drawn from the present tables and are listed in `index.html`.
///
/// # Errors
/// As [`plot`].
pub fn is_done(experiment: &Experiment, plots: &[&Spec], asked: PlotSelection, out: &Path) -> Result<bool, StageError> {
    keys::aggregated(experiment.root(), Experiment::SUMMARY)?;
    let next_to_summary = NextToSummary::read(experiment, plots)?;
    let work = pending(experiment, plots, &next_to_summary, asked, out)?;
    Ok(work.finished()?.is_some() && overview::is_current(experiment, out)?)
}

/// Records that nothing can be drawn from the present tables, so that the figures count as done.
///
/// # Errors
/// As [`plot`].
pub fn skip(experiment: &Experiment, plots: &[&Spec], asked: PlotSelection, out: &Path) -> Result<(), StageError> {
    let next_to_summary = NextToSummary::read(experiment, plots)?;
    pending(experiment, plots, &next_to_summary, asked, out)?.finish(Vec::new())?;
    Ok(())
}

/// The work of drawing `plots`.
fn pending(
    experiment: &Experiment,
    plots: &[&Spec],
    next_to_summary: &NextToSummary,
    asked: PlotSelection,
    out: &Path,
) -> Result<Pending, StageError> {
    let names: Vec<&str> = plots.iter().map(|spec| spec.name).collect();
    let hashes = tables::hashes(experiment, plots, next_to_summary)?;
    let made_from = json!({ "plots": names, "tables": hashes, "program": env!("CARGO_PKG_VERSION") });
    let kind = match asked {
        PlotSelection::ForAll if plots.len() == PLOTS.len() => "all".to_owned(),
        PlotSelection::ForAll => "some".to_owned(),
        PlotSelection::ByName => names.join("-"),
    };
    Ok(Pending::new(out, &format!("figures-{kind}"), &made_from))
}

/// Removes the manifests of other calls whose figures were all drawn again: their files no longer exist.
fn forget_replaced(out: &Path, drawn: &Manifest) -> Result<(), StageError> {
    for path in manifests(out)? {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let other = if name.starts_with("figures-") { Manifest::read(&path)? } else { None };
        let is_redrawn = |file: &FileRecord| drawn.files.iter().any(|drawn| drawn.path == file.path);
        if other.is_some_and(|other| other.key != drawn.key && other.files.iter().all(is_redrawn)) {
            remove_below(out, &format!(".meta/{name}"))?;
        }
    }
    Ok(())
}

/// The plots to draw and the output folder.
struct Easel<'a> {
    plots: &'a [&'a Spec],
    asked: PlotSelection,
    out: &'a Path,
}

/// The figures that were drawn.
#[derive(Default)]
struct Drawn {
    /// Two files for each figure.
    files: Vec<FileRecord>,
    /// Why the last missing figure could not be drawn.
    reason: Option<String>,
}

impl Easel<'_> {
    fn draw_all(&self, experiment: &Experiment, loaded: &Loaded) -> Result<Drawn, StageError> {
        let themes = loaded.themes();
        let drawn: Vec<Result<Drawn, StageError>> =
            themes.par_iter().map(|theme| self.draw_theme(experiment, loaded, theme)).collect();
        drawn.into_iter().try_fold(Drawn::default(), |mut total, drawn| {
            let drawn = drawn?;
            total.files.extend(drawn.files);
            total.reason = drawn.reason.or(total.reason);
            Ok(total)
        })
    }

    /// Draws every figure about a subject such as that of `theme`.
    fn draw_theme(&self, experiment: &Experiment, loaded: &Loaded, theme: &Theme<'_>) -> Result<Drawn, StageError> {
        let plots: Vec<&Spec> = self.plots.iter().filter(|spec| spec.subject == theme.subject).copied().collect();
        let mut drawn = Drawn::default();
        let estimates: Vec<EstimateRow> = match theme.subject {
            Subject::Estimator | Subject::Experiment if tables::is_read(&plots, Table::Estimates) => {
                read_all_rows(&loaded.estimates_of(theme))?
            }
            _ => Vec::new(),
        };
        let histograms = match theme.subject {
            Subject::Experiment if tables::is_read(&plots, Table::Activations) => {
                histograms::of(&tables::recorded(experiment, theme.experiment, loaded.is_single()))?
            }
            _ => Vec::new(),
        };
        let tables = Tables { estimates: &estimates, histograms: &histograms, ..loaded.tables(theme) };
        for spec in plots {
            match spec.draw(tables) {
                Ok(picture) => {
                    let name = theme.file(spec.name);
                    for (ending, content) in [("svg", picture.svg.as_bytes()), ("png", &picture.png)] {
                        drawn.files.push(write_bytes(self.out, &format!("figures/{name}.{ending}"), content)?);
                    }
                }
                Err(reason @ (PlotError::Nothing(_) | PlotError::Missing(_)))
                    if self.asked == PlotSelection::ForAll =>
                {
                    tracing::debug!("{}: {reason}", theme.file(spec.name));
                    drawn.reason = Some(reason.to_string());
                }
                Err(reason) => {
                    tracing::warn!("{}: {reason}", theme.file(spec.name));
                    drawn.reason = Some(reason.to_string());
                }
            }
        }
        Ok(drawn)
    }
}
