//! The inspect stage: describes and validates a file, a recording or an experiment.

mod validate;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::StageError;
use super::experiments::{self, is_sweep};
use crate::estimate_id::Values;
use crate::layer_id::LayerId;
use crate::store::schema::ExperimentRow;
use crate::store::{Experiment, ExperimentState, Facts, LayerNames, Recording, StoreError};
pub use validate::validate;

/// The contents of a path.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// One Parquet file.
    File(Facts),
    /// A recording and what was made from it.
    Experiment(Contents),
    /// The experiments of a sweep.
    Sweep(Vec<SweepEntry>),
}

/// An experiment of a sweep, from the tables of the sweep.
#[derive(Debug, Serialize)]
pub struct SweepEntry {
    /// Its name.
    pub experiment: String,
    /// Its state.
    pub state: ExperimentState,
    /// Number of recorded runs.
    pub n_runs: Option<i64>,
    /// Why it failed, which part failed, or what is missing.
    pub reason: Option<String>,
}

/// The contents of an experiment.
#[derive(Debug, Serialize)]
pub struct Contents {
    /// Name of the experiment.
    pub experiment: String,
    /// Whether all requested runs are recorded; `None` for recordings of other programs.
    pub is_whole: Option<bool>,
    /// Names of the runs.
    pub runs: Vec<String>,
    /// Programs and schema versions that wrote the files.
    pub creators: Vec<String>,
    /// Recorded snapshots of the first run as (epoch, step).
    pub snapshots: Vec<(i32, i64)>,
    /// Every table, by layer.
    pub tables: Vec<TableFacts>,
}

/// One table of one layer, over all runs and parts.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct TableFacts {
    /// Its name; for estimates also the estimator.
    pub table: String,
    /// The layer, for tables by layer.
    pub layer: Option<LayerId>,
    /// The name of the layer, if it has one.
    pub layer_name: Option<Arc<str>>,
    /// Values per row of its list column, if it has one.
    pub width: Option<usize>,
    /// Files.
    pub files: usize,
    /// Rows in all of them.
    pub rows: u64,
    /// Their size.
    pub bytes: u64,
    /// Size of the uncompressed values.
    pub raw_bytes: u64,
    /// `raw_bytes / bytes`.
    pub compression_ratio: f64,
}

/// Describes `path`: a Parquet file, the folder of an experiment, the recording in it, or the folder of a sweep.
///
/// # Errors
/// `path` is something else, or cannot be read.
pub fn inspect(path: &Path) -> Result<Report, StageError> {
    if path.is_file() {
        return Ok(Report::File(Facts::of(path)?));
    }
    if is_sweep(path) {
        let member = |row: ExperimentRow| SweepEntry {
            experiment: row.experiment,
            state: row.state,
            n_runs: row.n_runs,
            reason: row.reason,
        };
        let rows = experiments::rows(path)?;
        return Ok(Report::Sweep(rows.into_iter().map(member).collect()));
    }
    let experiment = experiment_at(path)?;
    let recording = Recording::open(&experiment)?;
    let root = experiment.recording();
    let mut creators = Vec::new();
    let mut tables: BTreeMap<(String, Option<LayerId>), TableFacts> = BTreeMap::new();
    let mut add = |table: &str, layer: Option<LayerId>, path: &Path| -> Result<(), StoreError> {
        let facts = Facts::of(path)?;
        let version = facts.schema_version.as_deref().unwrap_or("?");
        creators.push(format!("{}, schema version {version}", facts.creator.as_deref().unwrap_or("unknown program")));
        let row = tables.entry((table.to_owned(), layer)).or_default();
        row.files += 1;
        row.width = facts.width;
        row.rows += facts.rows;
        row.bytes += facts.bytes;
        row.raw_bytes += facts.raw_bytes;
        Ok(())
    };
    add("samples", None, &root.join(Experiment::SAMPLES))?;
    if root.join(Experiment::LAYERS).exists() {
        add("layers", None, &root.join(Experiment::LAYERS))?;
    }
    let names = LayerNames::read(&experiment, &recording)?;
    for run in recording.runs() {
        for (table, layer, file) in run.files() {
            add(table, layer, &root.join(file))?;
        }
    }
    for (estimator, files) in experiment.estimate_files()? {
        files.iter().try_for_each(|file| add(&format!("estimates {estimator}"), None, file))?;
    }
    for (estimator, files) in experiment.unit_estimate_files()? {
        files.iter().try_for_each(|file| add(&format!("unit_estimates {estimator}"), None, file))?;
    }
    for (measure, files) in experiment.weight_measure_files()? {
        files.iter().try_for_each(|file| add(&format!("weight_measures {measure}"), None, file))?;
    }
    let summary = experiment.root().join(Experiment::SUMMARY);
    if summary.exists() {
        add("summary", None, &summary)?;
    }
    creators.sort();
    creators.dedup();
    let layer = recording.layers(Values::Activations)?[0];
    let snapshots = recording.runs()[0].activations(Values::Activations, layer)?.snapshots().collect();
    let named = |((table, layer), mut row): ((String, Option<LayerId>), TableFacts)| {
        (row.table, row.layer, row.layer_name) = (table, layer, layer.and_then(|layer| names.get(layer)));
        row.compression_ratio = row.raw_bytes as f64 / row.bytes.max(1) as f64;
        row
    };
    Ok(Report::Experiment(Contents {
        experiment: experiment.name(),
        is_whole: recording.is_own().then(|| !experiment.is_unfinished()),
        runs: recording.runs().iter().map(|run| run.id.to_string()).collect(),
        creators,
        snapshots,
        tables: tables.into_iter().map(named).collect(),
    }))
}

/// The experiment at `path`, or the experiment of the recording at `path`.
fn experiment_at(path: &Path) -> Result<Experiment, StageError> {
    if path.join("recording").is_dir() {
        return Ok(Experiment::new(path));
    }
    let is_recording = path.file_name().is_some_and(|name| name == "recording") && path.is_dir();
    if let (true, Some(parent)) = (is_recording, path.parent()) {
        return Ok(Experiment::new(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }));
    }
    let problem = "neither a Parquet file nor the folder of an experiment (with a folder `recording`)";
    Err(StageError::Refused(format!("{}: {problem}", path.display())))
}
