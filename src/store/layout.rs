//! Where everything lies below `outputs/<experiment>`: the one place that knows the folders.

use std::fmt;
use std::path::{Path, PathBuf};

use super::earlier;
use super::error::StoreError;
use super::files::sorted_entries;
use super::manifest::{Manifest, verified_hash};
use crate::estimate_id::{EstimateId, Unit};
use crate::layer_id::LayerId;

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
    /// Stands for all runs where they are pooled.
    pub fn pooled() -> Self {
        Self("pooled".to_owned())
    }

    /// Stands for the runs of group `index` where groups of runs are pooled.
    pub fn pooled_group(index: usize) -> Self {
        Self(format!("pooled-{index:04}"))
    }

    /// Whether a table calls several runs together so.
    pub fn is_pooled(name: &str) -> bool {
        name == "pooled" || name.strip_prefix("pooled-").is_some_and(|number| number.parse::<usize>().is_ok())
    }

    /// The name of run `index`.
    pub fn new(index: usize) -> Self {
        Self(format!("r{index:04}"))
    }

    /// A run of another program, by its name.
    pub(super) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In the footer of a table of samples: what the labels are, if they were made of numbers, in words.
pub const MADE_Y: &str = "infoplane.y";

/// Where `infoplane data make NAME` puts a data set.
pub fn data_file(name: &str) -> PathBuf {
    Path::new("data").join(format!("{name}.parquet"))
}

/// Where `infoplane data fetch NAME` puts the files that a data set is published as.
pub fn raw_folder(name: &str) -> PathBuf {
    Path::new("data").join("raw").join(name)
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

    /// Its name: that of its folder, whatever the path to it is.
    pub fn name(&self) -> String {
        let absolute = || std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        let real = std::fs::canonicalize(&self.root).unwrap_or_else(|_| absolute());
        real.file_name().map_or_else(|| "experiment".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// What follows the name of a pipeline in the folder of its smaller versions.
    pub const TRIAL: &str = "-trial";

    /// The name of the pipeline that it is a smaller version of, if it is one by its name.
    pub fn trial_of(&self) -> Option<String> {
        self.name().strip_suffix(Self::TRIAL).map(str::to_owned)
    }

    /// The folder of the recording.
    pub fn recording(&self) -> PathBuf {
        self.root.join("recording")
    }

    /// The folder of the estimates. Nothing but tables lies in it, so that any reader takes it as a whole.
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

    /// Below the experiment: the recording, then everything that belongs to its estimates: tables and manifests.
    pub const REPLACEABLE: [&str; 7] = [
        "recording",
        "estimates",
        "unit_estimates",
        WEIGHT_MEASURES,
        ".meta/estimates",
        ".meta/unit_estimates",
        ".meta/weight_measures",
    ];

    /// Below the experiment: the folders of the estimates and of the measures of weights.
    pub(super) const TABLE_FOLDERS: [&str; 3] =
        [table_folder(Unit::Layers), table_folder(Unit::Units), WEIGHT_MEASURES];

    /// Where a recording waits, with its estimates, until the one that replaces it is whole.
    pub fn replaced(&self) -> PathBuf {
        self.root.join(Self::REPLACED)
    }

    /// Below the experiment: the folder of [`Experiment::replaced`].
    pub const REPLACED: &str = ".meta/replaced";

    /// Below the recording: the samples.
    pub const SAMPLES: &str = "samples.parquet";

    /// Below the recording: what its layers are called.
    pub const LAYERS: &str = "layers.parquet";

    /// Below the experiment: verdicts on the estimates.
    pub const CHECKS: &str = "checks.parquet";

    /// Below the experiment or the sweep: what runs say of the claims of a paper.
    pub const CLAIMS: &str = "claims.parquet";

    /// Below the experiment: the claims that were registered before there were data.
    pub const FROZEN_CLAIMS: &str = "frozen_claims.json";

    /// Below the experiment: the information bottleneck's curve.
    pub const BOUND: &str = "bound.parquet";

    /// Below the experiment: the layers beside that curve.
    pub const BOUND_LAYERS: &str = "bound_layers.parquet";

    /// Below the experiment: means over runs.
    pub const SUMMARY: &str = "summary.parquet";

    /// Beside the summary: the phases of every run and layer.
    pub const PHASES: &str = "phases.parquet";

    /// Beside the summary: compression over runs.
    pub const COMPRESSION: &str = "compression.parquet";

    /// Below a sweep or an experiment: where its claims hold.
    pub const STABILITY: &str = "stability.parquet";

    /// Below a sweep or an experiment: what the variance of the compression comes from.
    pub const EFFECTS: &str = "effects.parquet";

    /// Below a sweep or an experiment: compression by the values of what varies.
    pub const LEVELS: &str = "levels.parquet";

    /// Beside the summary: measures of weights over runs; only where there are some.
    pub const WEIGHT_SUMMARY: &str = "weight_summary.parquet";

    /// Below a sweep or an experiment: how compression and measures of weights go together.
    pub const RELATIONS: &str = "relations.parquet";

    /// Where the minimal model is asked for: its exact information.
    pub const MINIMAL_MODEL: &str = "minimal_model.parquet";

    /// Below a sweep: what became of each experiment.
    pub const EXPERIMENTS: &str = "experiments.parquet";

    /// Below a sweep: the values of what varies.
    pub const SETTINGS: &str = "settings.parquet";

    /// Below the experiment: the page about it.
    pub const REPORT: &str = "report.html";

    /// Below an experiment or a sweep: every table or page that is made from estimates, except the figures.
    pub(super) const VIEWS: [&str; 14] = [
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
        Self::WEIGHT_SUMMARY,
        Self::RELATIONS,
        Self::MINIMAL_MODEL,
        Self::REPORT,
    ];

    /// Below the recording: a part of a table that has files for every run, and for every layer where one is given.
    pub fn part(table: &str, layer: Option<LayerId>, run: &RunId, part: usize) -> String {
        let layer = layer.map_or_else(String::new, |layer| format!("layer={layer}/"));
        format!("{table}/{layer}run={run}/part-{part:05}.parquet")
    }

    /// Below the experiment: the table of the estimates `id` of the run called `run`.
    pub fn estimate(id: &EstimateId, run: &str) -> String {
        format!("{}/run={run}.parquet", Self::estimate_lock(id))
    }

    /// The name of the manifest of that table.
    pub fn estimate_manifest(id: &EstimateId, run: &str) -> String {
        manifest_of(&Self::estimate(id, run))
    }

    /// The name of the lock of whoever makes the estimates `id`.
    pub fn estimate_lock(id: &EstimateId) -> String {
        format!("{}/{id}", table_folder(id.unit))
    }

    /// Below the experiment: what the measure `id` finds of the run called `run`.
    pub fn weight_measure(id: &str, run: &str) -> String {
        format!("{}/run={run}.parquet", Self::weight_measure_lock(id))
    }

    /// The name of the manifest of that table.
    pub fn weight_measure_manifest(id: &str, run: &str) -> String {
        manifest_of(&Self::weight_measure(id, run))
    }

    /// The name of the lock of whoever applies the measure `id`.
    pub fn weight_measure_lock(id: &str) -> String {
        format!("{WEIGHT_MEASURES}/{id}")
    }

    /// Whether this program began the recording and has not finished it.
    pub fn is_unfinished(&self) -> bool {
        self.recording().join(".meta/settings.json").exists() && !self.recording().join(".meta/manifest.json").exists()
    }

    /// The place below the experiment and the hash of a table of estimates, which is what was written.
    ///
    /// # Errors
    /// The table cannot be read, or is not what its manifest lists.
    pub fn verified_estimates(&self, table: &Path) -> Result<(String, String), StoreError> {
        let relative = table.strip_prefix(&self.root).unwrap_or(table).to_string_lossy().into_owned();
        let hash = verified_hash(&self.root, &manifest_of(&relative), &relative)?;
        Ok((relative, hash))
    }

    /// What a table of estimates was made from, as its manifest says; `None` where it has no manifest.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn made_from(&self, table: &Path) -> Result<Option<serde_json::Value>, StoreError> {
        let relative = table.strip_prefix(&self.root).unwrap_or(table).to_string_lossy().into_owned();
        Ok(Manifest::named(&self.root, &manifest_of(&relative))?.map(|manifest| manifest.made_from))
    }

    /// The estimators that have tables, with the tables of each.
    ///
    /// # Errors
    /// A folder cannot be listed; some tables of an estimator are gone and others are there.
    pub fn estimate_files(&self) -> Result<Vec<(String, Vec<PathBuf>)>, StoreError> {
        self.tables_below(table_folder(Unit::Layers))
    }

    /// Likewise of single units.
    ///
    /// # Errors
    /// As [`Experiment::estimate_files`].
    pub fn unit_estimate_files(&self) -> Result<Vec<(String, Vec<PathBuf>)>, StoreError> {
        self.tables_below(table_folder(Unit::Units))
    }

    /// The measures of weights that have tables, with the tables of each.
    ///
    /// # Errors
    /// As [`Experiment::estimate_files`].
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
            // Such as `._run=r0000.parquet`, which another operating system leaves beside a copied file.
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

    /// Every table that was made is still there: means over fewer runs would be read as those over all.
    fn check_complete(&self, folder: &str, estimator: &str) -> Result<(), StoreError> {
        let today = self.root.join(".meta").join(folder).join(estimator);
        for manifest in sorted_entries(&today)?.into_iter().chain(earlier::manifests(&self.root, folder, estimator)?) {
            let run = manifest.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            let path = self.root.join(folder).join(estimator).join(format!("run={run}.parquet"));
            if manifest.extension().is_some_and(|ending| ending == "json") && !path.exists() {
                let command = if folder == WEIGHT_MEASURES { "weights" } else { "estimate" };
                let problem = format!("missing, though it was made; run `infoplane {command}` again");
                return Err(StoreError::Missing { path, problem });
            }
        }
        Ok(())
    }
}

/// Below the experiment: the folder of the measures of weights.
const WEIGHT_MEASURES: &str = "weight_measures";

/// Below the experiment: the folder of the estimates of layers, or of single units.
const fn table_folder(unit: Unit) -> &'static str {
    match unit {
        Unit::Layers => "estimates",
        Unit::Units => "unit_estimates",
    }
}

/// The name of the manifest of a table of estimates.
fn manifest_of(table: &str) -> String {
    table.replace("/run=", "/").replace(".parquet", "")
}
