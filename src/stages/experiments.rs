//! The table of a sweep's experiments.

use std::path::Path;

use super::StageError;
use crate::store::schema::ExperimentRow;
use crate::store::{Experiment, StoreError, is_folder_name, read_rows};

/// Whether `root` is the folder of a sweep: it has the tables of one, and no recording.
pub fn is_sweep(root: &Path) -> bool {
    root.join(Experiment::EXPERIMENTS).exists() && !Experiment::new(root).recording().is_dir()
}

/// Makes sure that `root` is not the folder of a sweep, so that a single experiment can be written to it. Also recognises a
/// sweep whose first call was stopped before it had tables.
///
/// # Errors
/// It is the folder of a sweep.
pub(crate) fn expect_no_sweep(root: &Path) -> Result<(), StageError> {
    let has_recording = |folder: &Path| Experiment::new(folder).recording().join(".meta/settings.json").exists();
    let is_member = |entry: std::io::Result<std::fs::DirEntry>| entry.is_ok_and(|entry| has_recording(&entry.path()));
    let has_members = || std::fs::read_dir(root).is_ok_and(|mut entries| entries.any(is_member));
    if root.join(Experiment::EXPERIMENTS).exists() || (!has_recording(root) && has_members()) {
        let problem = "has the experiments of a sweep, but the pipeline is a single experiment; move them away, or choose another folder with `--out`";
        return Err(StageError::Refused(format!("{} {problem}", root.display())));
    }
    Ok(())
}

/// Makes sure that `root` is not the folder of a single experiment, so that it can be the folder of a sweep.
///
/// # Errors
/// It has a single experiment.
pub(crate) fn expect_no_experiment(root: &Path) -> Result<(), StageError> {
    if Experiment::new(root).recording().exists() {
        let problem = "has the recording of a single experiment, but the pipeline is a sweep; move it away, or choose another folder with `--out`";
        return Err(StageError::Refused(format!("{} {problem}", root.display())));
    }
    Ok(())
}

/// The experiments of the sweep in `root`.
///
/// # Errors
/// The table cannot be read, or an entry is not a folder in `root`.
pub fn rows(root: &Path) -> Result<Vec<ExperimentRow>, StoreError> {
    let path = root.join(Experiment::EXPERIMENTS);
    let rows: Vec<ExperimentRow> = read_rows(&path)?;
    match rows.iter().position(|row| !is_folder_name(&row.experiment)) {
        None => Ok(rows),
        Some(index) => {
            let name = &rows[index].experiment;
            let problem = format!("row {}: `experiment` must be the name of a folder, got `{name}`", index + 1);
            Err(StoreError::Rows { path, problem })
        }
    }
}

/// The experiments of the sweep in `root` that its joint tables contain: all experiments listed with results. Before there are
/// any, all experiments with estimates.
///
/// # Errors
/// As [`rows`].
pub fn joined(root: &Path) -> Result<Vec<Experiment>, StoreError> {
    let rows = rows(root)?;
    let has_results = |row: &&ExperimentRow| row.state.has_results();
    let member = |row: &ExperimentRow| Experiment::new(root.join(&row.experiment));
    let with_results = to_join(rows.iter().filter(has_results).map(member));
    Ok(if with_results.is_empty() { to_join(rows.iter().map(member)) } else { with_results })
}

/// The `experiments` that the joint tables of a sweep contain: all experiments with estimates.
pub fn to_join(experiments: impl Iterator<Item = Experiment>) -> Vec<Experiment> {
    let has_estimates = |experiment: &Experiment| experiment.estimate_files().is_ok_and(|files| !files.is_empty());
    experiments.filter(has_estimates).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ExperimentState, Footer, write_rows};

    #[test]
    fn experiments_of_a_sweep_are_folders_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| {
            let row = |experiment: &str| ExperimentRow {
                experiment: experiment.to_owned(),
                state: ExperimentState::Done,
                n_runs: None,
                n_trainings_failed: None,
                n_trainings_degenerate: None,
                reason: None,
            };
            write_rows(folder.path(), Experiment::EXPERIMENTS, &[row("a"), row(name)], &Footer::new()).unwrap();
            rows(folder.path())
        };
        assert_eq!(read("batch-2,rate-0.1").unwrap().len(), 2);
        for name in ["", ".", "..", "../a", "/tmp", "a/b", "a/", "a/..", "..\\a"] {
            let problem = read(name).unwrap_err().to_string();
            assert!(problem.contains("experiments.parquet") && problem.contains("row 2: "), "{name}: {problem}");
        }
    }
}
