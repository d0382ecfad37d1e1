//! Where everything lies below `outputs/<experiment>`: the one place that knows the folders.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::files::sorted_entries;

/// The folder of one experiment's results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    root: PathBuf,
}

/// A run's name in paths and tables, `r0000` for the first. It begins with a letter, so that no reader of hive
/// partitions takes it for a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(String);

impl RunId {
    /// The name of run `index`.
    pub fn new(index: usize) -> Self {
        Self(format!("r{index:04}"))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where `infoplane data make NAME` puts a data set.
pub fn data_file(name: &str) -> PathBuf {
    Path::new("data").join(format!("{name}.parquet"))
}

impl Experiment {
    /// The experiment whose results lie in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its name: the last part of its path.
    pub fn name(&self) -> String {
        let absolute = std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        absolute.file_name().map_or_else(|| "experiment".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The folder of the recording.
    pub fn recording(&self) -> PathBuf {
        self.root.join("recording")
    }

    /// The folder of the estimates.
    pub fn estimates(&self) -> PathBuf {
        self.root.join("estimates")
    }

    /// Below the recording: one manifest for every run that is recorded whole.
    pub const RUN_MANIFESTS: &str = ".meta/runs";

    /// Below the recording: the samples.
    pub const SAMPLES: &str = "samples.parquet";

    /// Below the experiment: means over runs.
    pub const SUMMARY: &str = "summary.parquet";

    /// Below the recording: the activations of `layer` in `run`.
    pub fn activations(layer: usize, run: &RunId) -> String {
        format!("activations/layer={layer}/run={run}/part-00000.parquet")
    }

    /// Below the recording: the weights of `layer` in `run`.
    pub fn weights(layer: usize, run: &RunId) -> String {
        format!("weights/layer={layer}/run={run}/part-00000.parquet")
    }

    /// Below the recording: a table that has one file per run (`epochs`, `gradients`, `splits`).
    pub fn per_run(table: &str, run: &RunId) -> String {
        format!("{table}/run={run}/part-00000.parquet")
    }

    /// Below the estimates: what `estimator` says of `run`.
    pub fn estimate(estimator: &str, run: &RunId) -> String {
        format!("{estimator}/run={run}.parquet")
    }

    /// The layers that have activations, ascending.
    ///
    /// # Errors
    /// There is no recording, or its folder cannot be listed.
    pub fn layers(&self) -> Result<Vec<usize>, StoreError> {
        let folder = self.recording().join("activations");
        let mut layers: Vec<usize> = keys(&folder, "layer")?.iter().filter_map(|layer| layer.parse().ok()).collect();
        layers.sort_unstable();
        if layers.is_empty() {
            let problem = "no recorded activations; run `infoplane record` first".to_owned();
            return Err(StoreError::Missing { path: folder, problem });
        }
        Ok(layers)
    }

    /// Whether this program began the recording and has not finished it.
    pub fn is_unfinished(&self) -> bool {
        self.recording().join(".meta/settings.json").exists() && !self.recording().join(".meta/manifest.json").exists()
    }

    /// The runs that are recorded whole, ascending: those with a manifest, or all that have a folder where the recording was
    /// made by another program and has no manifests.
    ///
    /// # Errors
    /// There are none, or a folder cannot be listed.
    pub fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        let manifests = self.recording().join(Self::RUN_MANIFESTS);
        let runs: Vec<RunId> = if manifests.exists() {
            let stem = |path: PathBuf| path.file_stem().map(|stem| RunId(stem.to_string_lossy().into_owned()));
            sorted_entries(&manifests)?.into_iter().filter_map(stem).collect()
        } else {
            let folder = self.recording().join(format!("activations/layer={}", self.layers()?[0]));
            keys(&folder, "run")?.into_iter().map(RunId).collect()
        };
        if runs.is_empty() {
            let problem = "no run is recorded whole; run `infoplane record` again".to_owned();
            return Err(StoreError::Missing { path: self.recording(), problem });
        }
        Ok(runs)
    }

    /// Where a table that has one file per run lies, for the runs that have it.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn per_run_files(&self, table: &str) -> Result<Vec<(String, PathBuf)>, StoreError> {
        let path = |run: RunId| (run.to_string(), self.recording().join(Self::per_run(table, &run)));
        let runs = keys(&self.recording().join(table), "run")?.into_iter().map(RunId);
        Ok(runs.map(path).filter(|(_, path)| path.exists()).collect())
    }

    /// The estimators that have tables, with the tables of each.
    ///
    /// # Errors
    /// A folder cannot be listed.
    pub fn estimate_files(&self) -> Result<Vec<(String, Vec<PathBuf>)>, StoreError> {
        let mut found = Vec::new();
        for folder in sorted_entries(&self.estimates())? {
            let name = folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
            if name.starts_with('.') || !folder.is_dir() {
                continue;
            }
            let is_table = |path: &PathBuf| path.extension().is_some_and(|e| e == "parquet");
            let files: Vec<PathBuf> = sorted_entries(&folder)?.into_iter().filter(is_table).collect();
            if !files.is_empty() {
                found.push((name, files));
            }
        }
        Ok(found)
    }
}

/// The values of the hive folders `key=value` in `folder`.
fn keys(folder: &Path, key: &str) -> Result<Vec<String>, StoreError> {
    let prefix = format!("{key}=");
    let name = |path: PathBuf| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let entries = sorted_entries(folder)?.into_iter().filter_map(name);
    Ok(entries.filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned)).collect())
}
