//! The plot stage: summary and estimates → pictures under `figures/`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Outcome, StageError};
use crate::plots::{Spec, Tables};
use crate::store::schema::{EstimateRow, SummaryRow};
use crate::store::{Experiment, Pending, hash_file, read_rows, write_bytes};

/// Draws `plots` of every estimator of `experiment` into `<out>/figures`.
///
/// # Errors
/// There is no summary, or a file cannot be read or written.
pub fn plot(experiment: &Experiment, plots: &[&Spec], out: &Path) -> Result<Outcome, StageError> {
    let summary_path = experiment.root().join(Experiment::SUMMARY);
    if !summary_path.exists() {
        let problem = format!("there is no {}; run `infoplane aggregate` first", summary_path.display());
        return Err(StageError::Refused(problem));
    }
    let summary: Vec<SummaryRow> = read_rows(&summary_path)?;
    let names: Vec<&str> = plots.iter().map(|spec| spec.name).collect();
    let estimates = experiment.estimate_files()?;
    let made_from =
        json!({ "plots": names, "summary": hash_file(&summary_path)?, "program": env!("CARGO_PKG_VERSION") });
    let work = Pending::new(out, &format!("figures-{}", names.join("-")), &made_from);
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let mut files = Vec::new();
    for (estimator, paths) in estimates {
        let estimates = read_all(&paths)?;
        let of_estimator = |row: &&SummaryRow| row.estimator == estimator && row.experiment == experiment.name();
        let summary: Vec<SummaryRow> = summary.iter().filter(of_estimator).cloned().collect();
        for spec in plots {
            let picture = (spec.draw)(Tables { summary: &summary, estimates: &estimates })
                .map_err(|e| StageError::Refused(format!("{} of {estimator}: {e}", spec.name)))?;
            for (ending, content) in [("svg", picture.svg.as_bytes()), ("png", &picture.png)] {
                files.push(write_bytes(out, &format!("figures/{}-{estimator}.{ending}", spec.name), content)?);
            }
        }
    }
    let text = format!("{} pictures → {}", files.len(), out.join("figures").display());
    work.finish(files)?;
    Ok(Outcome::Done(text))
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<EstimateRow>, StageError> {
    let mut rows = Vec::new();
    for path in paths {
        rows.extend(read_rows::<EstimateRow>(path)?);
    }
    Ok(rows)
}
