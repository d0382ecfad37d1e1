//! Finds out whether a folder named by the user is an experiment or a sweep, and explains why it is neither.

use std::path::{Path, PathBuf};

use crate::count::counted;
use crate::stages::{StageError, experiments};
use crate::store::{Experiment, Recording};
use crate::suggest::{Suggestion, suggestion};

/// The contents of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// One experiment, or a summary of several.
    Experiment(Experiment),
    /// A sweep.
    Sweep {
        /// Its folder.
        folder: Experiment,
        /// The experiments that have the required results.
        members: Vec<Experiment>,
        /// A sentence about the experiments that lack the required results.
        left_out: Option<String>,
    },
}

/// The results that a command reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Recorded activations.
    Recording,
    /// Tables of estimates.
    Estimates,
    /// The summary over runs.
    Summary,
}

impl Resolved {
    /// The folder of the experiment or of the sweep.
    pub fn folder(&self) -> &Experiment {
        match self {
            Self::Experiment(folder) | Self::Sweep { folder, .. } => folder,
        }
    }

    /// The experiment, or the experiments of the sweep that have the required results.
    pub fn experiments(&self) -> &[Experiment] {
        match self {
            Self::Experiment(experiment) => std::slice::from_ref(experiment),
            Self::Sweep { members, .. } => members,
        }
    }
}

/// Finds out what `folder` is and makes sure that it has the results that a command needs.
///
/// # Errors
/// The folder does not exist, is inside an experiment, contains several experiments, or lacks the required results.
pub fn resolve(folder: &Path, needs: Needs) -> Result<Resolved, StageError> {
    let refused = |problem: String| Err(StageError::Refused(format!("{}: {problem}", folder.display())));
    if !folder.exists() {
        let meant =
            experiment_nearby(folder).map_or_else(String::new, |meant| format!("did you mean `{meant}`? If not, "));
        return refused(format!("no such folder; {meant}run `infoplane record` first"));
    }
    if !folder.is_dir() {
        return refused("this is a file; name the folder of an experiment".to_owned());
    }
    let experiment = Experiment::new(folder);
    if experiments::is_sweep(folder) {
        let rows = experiments::rows(folder)?;
        let members = rows.into_iter().map(|row| Experiment::new(folder.join(row.experiment)));
        let has_it = |member: &Experiment| match needs {
            Needs::Recording => is_recorded(member),
            // The summary of a sweep is in its own folder.
            Needs::Estimates | Needs::Summary => has_estimates(member),
        };
        let (members, others): (Vec<Experiment>, Vec<Experiment>) = members.partition(has_it);
        let left_out = left_out(&others, members.len(), needs);
        return match (needs, members.is_empty()) {
            (Needs::Summary, _) if has_summary(&experiment) => {
                Ok(Resolved::Sweep { folder: experiment, members, left_out: None })
            }
            (Needs::Recording, true) => {
                refused("no experiment of this sweep is recorded; run `infoplane record` first".to_owned())
            }
            (_, true) => {
                refused("no experiment of this sweep has estimates; run `infoplane estimate` first".to_owned())
            }
            _ => Ok(Resolved::Sweep { folder: experiment, members, left_out }),
        };
    }
    if !is_experiment(&experiment) {
        if let Some(outer) = folder.ancestors().skip(1).map(Experiment::new).find(|outer| is_inside(folder, outer)) {
            let outer = if outer.root().as_os_str().is_empty() { Path::new(".") } else { outer.root() }.display();
            return refused(format!("this folder is inside the experiment {outer}; name {outer}"));
        }
        if let Some(inner) = first_experiment_in(folder) {
            let inner = inner.display();
            return refused(format!(
                "this is not an experiment, but a folder of experiments; name one of them, for example {inner}"
            ));
        }
        return refused("nothing is recorded in this folder; run `infoplane record` first".to_owned());
    }
    match needs {
        Needs::Recording if !experiment.recording().is_dir() => {
            refused("nothing is recorded in this folder; run `infoplane record` first".to_owned())
        }
        Needs::Estimates if !has_estimates(&experiment) => {
            refused("there are no estimates yet; run `infoplane estimate` first".to_owned())
        }
        Needs::Summary if !has_summary(&experiment) && !has_estimates(&experiment) => {
            refused("there are no estimates yet; run `infoplane estimate`, then `infoplane aggregate`".to_owned())
        }
        _ => Ok(Resolved::Experiment(experiment)),
    }
}

/// Whether at least one run is completely recorded. An unreadable recording counts, so that its fault is reported.
fn is_recorded(experiment: &Experiment) -> bool {
    let is_empty = Recording::find(experiment).is_ok_and(|found| found.all_runs().count() == 0);
    experiment.recording().is_dir() && !is_empty
}

/// A sentence about the experiments of a sweep that lack the required results; `n` others have them.
fn left_out(others: &[Experiment], n: usize, needs: Needs) -> Option<String> {
    let first = others.first()?.name();
    let what = if needs == Needs::Recording { "no recorded run" } else { "no estimates" };
    let total = counted(n + others.len(), "experiment");
    let more = if others.len() > 1 { ", …" } else { "" };
    Some(format!("left out: {} of {total} with {what} yet ({first}{more})", others.len()))
}

/// Whether the folder has any part of an experiment.
fn is_experiment(experiment: &Experiment) -> bool {
    experiment.recording().is_dir() || has_estimates(experiment) || has_summary(experiment)
}

fn has_estimates(experiment: &Experiment) -> bool {
    experiment.estimates().is_dir() || experiment.unit_estimates().is_dir()
}

fn has_summary(experiment: &Experiment) -> bool {
    experiment.root().join(Experiment::SUMMARY).exists()
}

/// Whether `folder` is inside the experiment `outer`.
fn is_inside(folder: &Path, outer: &Experiment) -> bool {
    let figures = outer.root().join("figures");
    let meta = outer.root().join(".meta");
    let parts = [outer.recording(), outer.estimates(), outer.unit_estimates(), outer.weight_measures(), figures, meta];
    is_experiment(outer) && parts.iter().any(|part| folder.starts_with(part))
}

/// The experiment or sweep next to `folder` that has a similar name.
fn experiment_nearby(folder: &Path) -> Option<String> {
    let parent = folder.parent()?;
    let place = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let names: Vec<String> = experiments_in(place).into_iter().filter_map(name_of).collect();
    match suggestion(&name_of(folder.to_owned())?, names.iter().map(String::as_str)) {
        Suggestion::DidYouMean(name) => Some(parent.join(name).display().to_string()),
        Suggestion::Known(_) => None,
    }
}

fn name_of(folder: PathBuf) -> Option<String> {
    Some(folder.file_name()?.to_string_lossy().into_owned())
}

/// The first folder in `folder`, by name, that is an experiment or a sweep.
fn first_experiment_in(folder: &Path) -> Option<PathBuf> {
    experiments_in(folder).into_iter().min()
}

/// The folders in `folder` that are experiments or sweeps.
fn experiments_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let is_experiment = |path: &PathBuf| experiments::is_sweep(path) || is_experiment(&Experiment::new(path));
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_experiment).collect()
}
