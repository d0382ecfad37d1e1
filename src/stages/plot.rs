//! The plot stage: summary and estimates → pictures under `figures/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Outcome, StageError};
use crate::plots::{Spec, Tables};
use crate::store::schema::{EstimateRow, SummaryRow};
use crate::store::{Experiment, Lock, Pending, StoreError, read_all_rows, read_rows, verified_hash, write_bytes};

/// Draws `plots` of every experiment and estimator in the summary of `experiment` into `<out>/figures`. A picture that
/// needs what is not there (single runs of a summary over several experiments; estimates that all failed) is left out
/// with a warning, and estimates that have no I(X;T) without one: they have no place in the plane.
///
/// # Errors
/// There is no summary, nothing can be drawn, or a file cannot be read or written.
pub fn plot(experiment: &Experiment, plots: &[&Spec], out: &Path) -> Result<Outcome, StageError> {
    let summary_path = experiment.root().join(Experiment::SUMMARY);
    if !summary_path.exists() {
        let problem = format!("there is no {}; run `infoplane aggregate` first", summary_path.display());
        return Err(StageError::Refused(problem));
    }
    let names: Vec<&str> = plots.iter().map(|spec| spec.name).collect();
    let estimates = experiment.estimate_files()?;
    let hashes = hashes(experiment, &estimates)?;
    let made_from = json!({ "plots": names, "tables": hashes, "program": env!("CARGO_PKG_VERSION") });
    let work = Pending::new(out, &format!("figures-{}", names.join("-")), &made_from);
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::take(out)?;
    let summary: Vec<SummaryRow> = read_rows(&summary_path)?;
    let is_of_plane = |row: &SummaryRow| row.i_xt_bits_mean.is_some() || row.n_failed > 0;
    if !summary.is_empty() && !summary.iter().any(is_of_plane) {
        return Ok(Outcome::Done("no pictures: no estimate here has I(X;T)".to_owned()));
    }
    let subjects: BTreeSet<(&str, &str)> =
        summary.iter().map(|r| (r.experiment.as_str(), r.estimator.as_str())).collect();
    let is_single = subjects.iter().all(|(name, _)| *name == subjects.first().map_or("", |(first, _)| first));

    let (mut files, mut n_pictures) = (Vec::new(), 0);
    for (name, estimator) in &subjects {
        let of_subject = |row: &&SummaryRow| row.estimator == *estimator && row.experiment == *name;
        let summary: Vec<SummaryRow> = summary.iter().filter(of_subject).cloned().collect();
        if !summary.iter().any(is_of_plane) {
            continue;
        }
        let paths = estimates.iter().find(|(id, _)| is_single && id == estimator).map(|(_, paths)| paths.as_slice());
        let estimates: Vec<EstimateRow> = read_all_rows(paths.unwrap_or_default())?;
        for spec in plots {
            let picture = match (spec.draw)(Tables { summary: &summary, estimates: &estimates, ..Tables::default() }) {
                Ok(picture) => picture,
                Err(e) => {
                    tracing::warn!("{} of {name}, {estimator}: {e}", spec.name);
                    continue;
                }
            };
            n_pictures += 1;
            let subject = if is_single { (*estimator).to_owned() } else { format!("{name}-{estimator}") };
            for (ending, content) in [("svg", picture.svg.as_bytes()), ("png", &picture.png)] {
                files.push(write_bytes(out, &format!("figures/{}-{subject}.{ending}", spec.name), content)?);
            }
        }
    }
    if n_pictures == 0 {
        return Err(StageError::Refused(format!("{}: nothing can be drawn from it", summary_path.display())));
    }
    work.finish(files)?;
    Ok(Outcome::Done(format!("{n_pictures} pictures, SVG and PNG → {}", out.join("figures").display())))
}

/// The hashes of all tables that are drawn, as they were written.
fn hashes(experiment: &Experiment, estimates: &[(String, Vec<PathBuf>)]) -> Result<Vec<String>, StoreError> {
    let mut hashes = vec![verified_hash(experiment.root(), "summary", Experiment::SUMMARY)?];
    for path in estimates.iter().flat_map(|(_, paths)| paths) {
        hashes.push(experiment.verified_estimates(path)?.1);
    }
    Ok(hashes)
}
