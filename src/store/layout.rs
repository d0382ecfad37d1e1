//! The paths of all files below `outputs/<experiment>`; no other file knows them.

use std::fmt;
use std::path::{Path, PathBuf};

use super::earlier;
use super::error::StoreError;
use super::files::sorted_entries;
use super::manifest::{Manifest, verified_hash};
use crate::estimate_id::{EstimateId, Unit};
use crate::layer_id::LayerId;

/// The folder with the results of one experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    root: PathBuf,
}

/// Name of a run in paths and tables; `r0000` is the first. It starts with a letter, so that readers of hive partitions
/// do not parse it as a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(String);

impl RunId {
    /// Name for all runs, if they are pooled.
    pub fn pooled() -> Self {
        Self("pooled".to_owned())
    }

    /// Name for the runs of group `index`, if groups of runs are pooled.
    pub fn pooled_group(index: usize) -> Self {
        Self(format!("pooled-{index:04}"))
    }

    /// Whether a name in a table means several runs.
    pub fn is_pooled(name: &str) -> bool {
        name == "pooled" || name.strip_prefix("pooled-").is_some_and(|number| number.parse::<usize>().is_ok())
    }

    /// The name of run `index`.
    pub fn new(index: usize) -> Self {
        Self(format!("r{index:04}"))
    }

    /// A run of another program, with its name.
    pub(super) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Footer entry of a table of samples: how the labels were made, if they were made from numbers.
pub const MADE_Y: &str = "infoplane.y";

/// Default folder of `infoplane data make NAME` for a data set.
pub fn data_file(name: &str) -> PathBuf {
    Path::new("data").join(format!("{name}.parquet"))
}

/// Default folder of `infoplane data fetch NAME` for the published files of a data set.
pub fn raw_folder(name: &str) -> PathBuf {
    Path::new("data").join("raw").join(name)
}

impl Experiment {
    /// The experiment with its results in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of the experiment.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The name of the experiment: the last part of its path.
    pub fn name(&self) -> String {
        let absolute = || std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        let real = std::fs::canonicalize(&self.root).unwrap_or_else(|_| absolute());
        real.file_name().map_or_else(|| "experiment".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Suffix of the folders of reduced versions of a pipeline.
    pub const TRIAL: &str = "-trial";

    /// The name of the full pipeline, if the name of this experiment is that of a reduced version.
    pub fn trial_of(&self) -> Option<String> {
        self.name().strip_suffix(Self::TRIAL).map(str::to_owned)
    }

    /// The folder of the recording.
    pub fn recording(&self) -> PathBuf {
        self.root.join("recording")
    }

    /// The folder of the estimates. It contains only tables, so that any program can read it as one data set.
    pub fn estimates(&self) -> PathBuf {
        self.root.join(table_folder(Unit::Layers))
    }

    /// The folder of the estimates of single units.
    pub fn unit_estimates(&self) -> PathBuf {
        self.root.join(table_folder(Unit::Units))
    }

    /// The folder of the measures of weights.
    pub fn weight_measures(&self) -> PathBuf {
        self.root.join(WEIGHT_MEASURES)
    }

    /// Folders below the experiment: the recording and everything that belongs to its estimates (tables and
    /// manifests).
    pub const REPLACEABLE: [&str; 7] = [
        "recording",
        "estimates",
        "unit_estimates",
        WEIGHT_MEASURES,
        ".meta/estimates",
        ".meta/unit_estimates",
        ".meta/weight_measures",
    ];

    /// Folders below the experiment: the estimates and the measures of weights.
    pub(super) const TABLE_FOLDERS: [&str; 3] =
        [table_folder(Unit::Layers), table_folder(Unit::Units), WEIGHT_MEASURES];

    /// Folder for a recording and its estimates while the recording that replaces it is incomplete.
    pub fn replaced(&self) -> PathBuf {
        self.root.join(Self::REPLACED)
    }

    /// Path below the experiment of the folder [`Experiment::replaced`].
    pub const REPLACED: &str = ".meta/replaced";

    /// Path below the recording: the samples.
    pub const SAMPLES: &str = "samples.parquet";

    /// Path below the recording: the names of the layers.
    pub const LAYERS: &str = "layers.parquet";

    /// Path below the experiment: verdicts of the checks.
    pub const CHECKS: &str = "checks.parquet";

    /// Path below the experiment or the sweep: verdicts on the claims.
    pub const CLAIMS: &str = "claims.parquet";

    /// Path below the experiment: the claims that were registered before the data existed.
    pub const FROZEN_CLAIMS: &str = "frozen_claims.json";

    /// Path below the experiment: the information bottleneck curve.
    pub const BOUND: &str = "bound.parquet";

    /// Path below the experiment: the layers compared with the information bottleneck curve.
    pub const BOUND_LAYERS: &str = "bound_layers.parquet";

    /// Path below the experiment: means over runs.
    pub const SUMMARY: &str = "summary.parquet";

    /// Path below the experiment: the phases of every run and layer.
    pub const PHASES: &str = "phases.parquet";

    /// Path below the experiment: compression over runs.
    pub const COMPRESSION: &str = "compression.parquet";

    /// Path below a sweep or an experiment: for which settings its claims hold.
    pub const STABILITY: &str = "stability.parquet";

    /// Path below a sweep or an experiment: sources of the variance of the compression.
    pub const EFFECTS: &str = "effects.parquet";

    /// Path below a sweep or an experiment: compression for each value of the varied parameters.
    pub const LEVELS: &str = "levels.parquet";

    /// Path below the experiment: losses, accuracies, gradients and norms over runs; absent if none are recorded.
    pub const TRAINING_SUMMARY: &str = "training_summary.parquet";

    /// Path below the experiment: measures of weights over runs; absent if there are none.
    pub const WEIGHT_SUMMARY: &str = "weight_summary.parquet";

    /// Path below a sweep or an experiment: relations between compression and measures of weights.
    pub const RELATIONS: &str = "relations.parquet";

    /// Path below the folder of an audit: every estimate of known information.
    pub const AUDIT: &str = "audit.parquet";

    /// Path below the folder of an audit: bias and spread over seeds.
    pub const AUDIT_SUMMARY: &str = "audit_summary.parquet";

    /// File name of the exact information of the minimal model.
    pub const MINIMAL_MODEL: &str = "minimal_model.parquet";

    /// Path below a sweep: the state of each experiment.
    pub const EXPERIMENTS: &str = "experiments.parquet";

    /// Path below a sweep: the values of the varied parameters.
    pub const SETTINGS: &str = "settings.parquet";

    /// Path below the experiment: the report.
    pub const REPORT: &str = "report.html";

    /// Paths below an experiment or a sweep: all tables and pages made from estimates, without the figures.
    pub(super) const VIEWS: [&str; 15] = [
        Self::CHECKS,
        Self::CLAIMS,
        Self::BOUND,
        Self::BOUND_LAYERS,
        Self::SUMMARY,
        Self::PHASES,
        Self::COMPRESSION,
        Self::STABILITY,
        Self::EFFECTS,
        Self::LEVELS,
        Self::TRAINING_SUMMARY,
        Self::WEIGHT_SUMMARY,
        Self::RELATIONS,
        Self::MINIMAL_MODEL,
        Self::REPORT,
    ];

    /// Path below the recording: the file of a table for a run, and for a layer if one is given.
    pub fn part(table: &str, layer: Option<LayerId>, run: &RunId, part: usize) -> String {
        let layer = layer.map_or_else(String::new, |layer| format!("layer={layer}/"));
        format!("{table}/{layer}run={run}/part-{part:05}.parquet")
    }

    /// Path below the experiment: the table of the estimates `id` of the run `run`.
    pub fn estimate(id: &EstimateId, run: &str) -> String {
        format!("{}/run={run}.parquet", Self::estimate_lock(id))
    }

    /// Name of the manifest of the table of the estimates `id` of the run `run`.
    pub fn estimate_manifest(id: &EstimateId, run: &str) -> String {
        manifest_of(&Self::estimate(id, run))
    }

    /// Name of the lock that protects the estimates `id` while they are made.
    pub fn estimate_lock(id: &EstimateId) -> String {
        format!("{}/{id}", table_folder(id.unit))
    }

    /// Path below the experiment: the results of the measure `id` for the run `run`.
    pub fn weight_measure(id: &str, run: &str) -> String {
        format!("{}/run={run}.parquet", Self::weight_measure_lock(id))
    }

    /// Name of the manifest of the results of the measure `id` for the run `run`.
    pub fn weight_measure_manifest(id: &str, run: &str) -> String {
        manifest_of(&Self::weight_measure(id, run))
    }

    /// Name of the lock that protects the results of the measure `id` while they are made.
    pub fn weight_measure_lock(id: &str) -> String {
        format!("{WEIGHT_MEASURES}/{id}")
    }

    /// Whether this program started the recording but has not finished it.
    pub fn is_unfinished(&self) -> bool {
        self.recording().join(".meta/settings.json").exists() && !self.recording().join(".meta/manifest.json").exists()
    }

    /// Path below the experiment and hash of a table of estimates, after comparing it with its manifest.
    ///
    /// # Errors
    /// The table cannot be read, or differs from its manifest.
    pub fn verified_estimates(&self, table: &Path) -> Result<(String, String), StoreError> {
        let relative = table.strip_prefix(&self.root).unwrap_or(table).to_string_lossy().into_owned();
        let hash = verified_hash(&self.root, &manifest_of(&relative), &relative)?;
        Ok((relative, hash))
    }

    /// The inputs of a table of estimates, from its manifest; `None` without a manifest.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn made_from(&self, table: &Path) -> Result<Option<serde_json::Value>, StoreError> {
        let relative = table.strip_prefix(&self.root).unwrap_or(table).to_string_lossy().into_owned();
        Ok(Manifest::named(&self.root, &manifest_of(&relative))?.map(|manifest| manifest.made_from))
    }

    /// The estimators with tables, each with its tables.
    ///
    /// # Errors
    /// A folder cannot be listed, or some tables of an estimator are missing.
    pub fn estimate_files(&self) -> Result<Vec<(String, Vec<PathBuf>)>, StoreError> {
        self.tables_below(table_folder(Unit::Layers))
    }

    /// The estimators with tables of single units, each with its tables.
    ///
    /// # Errors
    /// See [`Experiment::estimate_files`].
    pub fn unit_estimate_files(&self) -> Result<Vec<(String, Vec<PathBuf>)>, StoreError> {
        self.tables_below(table_folder(Unit::Units))
    }

    /// The measures of weights with tables, each with its tables.
    ///
    /// # Errors
    /// See [`Experiment::estimate_files`].
    pub fn weight_measure_files(&self) -> Result<Vec<(String, Vec<PathBuf>)>, StoreError> {
        self.tables_below(WEIGHT_MEASURES)
    }

    fn tables_below(&self, folder: &str) -> Result<Vec<(String, Vec<PathBuf>)>, StoreError> {
        let mut found = Vec::new();
        for path in sorted_entries(&self.root.join(folder))? {
            let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
            if name.starts_with('.') || !path.is_dir() {
                continue;
            }
            // Such as `._run=r0000.parquet`, which macOS creates next to a copied file.
            let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
            let is_table = |path: &PathBuf| path.extension().is_some_and(|e| e == "parquet") && !is_hidden(path);
            let files: Vec<PathBuf> = sorted_entries(&path)?.into_iter().filter(is_table).collect();
            if !files.is_empty() {
                self.check_complete(folder, &name)?;
                found.push((name, files));
            }
        }
        Ok(found)
    }

    /// Checks that every table that was made still exists: otherwise means over fewer runs would look like means over
    /// all runs.
    fn check_complete(&self, folder: &str, estimator: &str) -> Result<(), StoreError> {
        let today = self.root.join(".meta").join(folder).join(estimator);
        for manifest in sorted_entries(&today)?.into_iter().chain(earlier::manifests(&self.root, folder, estimator)?) {
            let run = manifest.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            let path = self.root.join(folder).join(estimator).join(format!("run={run}.parquet"));
            if manifest.extension().is_some_and(|ending| ending == "json") && !path.exists() {
                let command = if folder == WEIGHT_MEASURES { "weights" } else { "estimate" };
                let problem = format!("missing, although it was made; run `infoplane {command}` again");
                return Err(StoreError::Missing { path, problem });
            }
        }
        Ok(())
    }
}

/// Path below the experiment of the folder of the measures of weights.
const WEIGHT_MEASURES: &str = "weight_measures";

/// Path below the experiment of the folder of the estimates of layers, or of single units.
const fn table_folder(unit: Unit) -> &'static str {
    match unit {
        Unit::Layers => "estimates",
        Unit::Units => "unit_estimates",
    }
}

/// Name of the manifest of a table of estimates.
fn manifest_of(table: &str) -> String {
    table.replace("/run=", "/").replace(".parquet", "")
}
