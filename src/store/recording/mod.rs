//! A recording on disk: its runs, the files of each run, and whether the files are unchanged.
//!
//! For recordings of this program, manifests list the files; for those of other programs, the folders define them.

mod runs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::activations::ActivationReader;
use super::error::StoreError;
use super::facts::Facts;
use super::files::{FileRecord, hash_file, hash_once, sorted_entries};
use super::guard::guarded;
use super::layout::{Experiment, RunId};
use super::manifest::{Manifest, compare};
use super::schema::{EpochRow, GradientRow, OnlineLossRow, Row, RunRow, SplitRow};
use super::table::{expect_entries, open};
use crate::estimate_id::Values;
use crate::layer_id::LayerId;
pub(super) use runs::{Hidden, files_below, part_of};
use runs::{PartOf, foreign, has_activations, own};

/// The complete runs of a recording.
#[derive(Debug)]
pub struct Recording {
    root: PathBuf,
    runs: Vec<RecordedRun>,
    /// Runs whose training failed before their first recorded snapshot.
    empty: Vec<RecordedRun>,
}

/// One run and its files.
#[derive(Debug)]
pub struct RecordedRun {
    root: PathBuf,
    /// Name of the run.
    pub id: RunId,
    files: Vec<(PartOf, File)>,
    /// Time at which its manifest was written; `None` without a manifest.
    written: Option<SystemTime>,
    /// Hash of the settings in its manifest.
    settings: Option<String>,
}

/// A file, with its entry in the manifest.
#[derive(Debug)]
struct File {
    relative: String,
    listed: Option<FileRecord>,
}

impl Recording {
    /// Finds the runs of the recording of `experiment`.
    ///
    /// # Errors
    /// There are no runs, a manifest or a folder cannot be read, or a folder has an invalid name.
    pub fn open(experiment: &Experiment) -> Result<Self, StoreError> {
        let Self { root, runs, empty } = Self::find(experiment)?;
        if runs.is_empty() {
            let problem = match experiment.is_unfinished() {
                true => "no run is completely recorded; run `infoplane record` again",
                false if !empty.is_empty() => {
                    "every training failed before its first recorded snapshot; see the table `runs`, and lower `learning_rate`"
                }
                false => "no recorded activations; run `infoplane record` first",
            };
            return Err(StoreError::Missing { path: root, problem: problem.to_owned() });
        }
        Ok(Self { root, runs, empty })
    }

    /// Opens a recording as [`Recording::open`] does, but accepts that there are no runs, or none with activations.
    ///
    /// # Errors
    /// A manifest or a folder cannot be read, or a folder has an invalid name.
    pub fn find(experiment: &Experiment) -> Result<Self, StoreError> {
        let root = experiment.recording();
        let manifests = root.join(".meta/runs");
        let runs = if manifests.exists() { own(&root, &manifests)? } else { foreign(&root)? };
        let (runs, empty): (Vec<_>, Vec<_>) = runs.into_iter().partition(has_activations);
        Ok(Self { root, runs, empty })
    }

    /// Whether this program made the recording, so that manifests list its files.
    pub fn is_own(&self) -> bool {
        self.runs.iter().any(|run| run.written.is_some())
    }

    /// Checks that the manifest of the recording and those of the runs agree, that the files which belong to no run are
    /// unchanged, and that there are no other files.
    ///
    /// # Errors
    /// The recording is unfinished, or a file is missing, changed, or not part of the recording.
    pub fn verify_whole(&self) -> Result<(), StoreError> {
        Manifest::read(&self.root.join(".meta/settings.json"))?;
        let path = self.root.join(".meta/manifest.json");
        let Some(whole) = Manifest::read(&path)? else {
            let n = self.runs.len();
            let problem =
                format!("missing: the recording is unfinished (complete runs: {n}); run `infoplane record` again");
            return Err(StoreError::Missing { path, problem });
        };
        let listed: BTreeMap<&str, &FileRecord> = whole.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let of_runs: BTreeMap<&str, &FileRecord> = self
            .all_runs()
            .flat_map(|run| &run.files)
            .filter_map(|(_, file)| Some((file.relative.as_str(), file.listed.as_ref()?)))
            .collect();
        for file in &whole.files {
            match of_runs.get(file.path.as_str()) {
                Some(of_run) if *of_run == file => {}
                None if part_of(&file.path).is_none() => {
                    compare(self.root.join(&file.path), file, hash_file(&self.root.join(&file.path))?)?;
                    expect_rows(&self.root, file)?;
                }
                _ => {
                    let problem = format!(
                        "its entry for {} differs from the one in the manifest of the run; record again",
                        file.path
                    );
                    return Err(StoreError::Rows { path, problem });
                }
            }
        }
        match of_runs.keys().find(|path| !listed.contains_key(*path)) {
            Some(unlisted) => {
                let problem = format!("does not list {unlisted}, but the manifest of the run does; record again");
                Err(StoreError::Rows { path, problem })
            }
            None => {
                self.expect_no_other_run()?;
                expect_no_other_file(&self.root, &listed)
            }
        }
    }

    /// Whether runs are being added to the recording, or were being added when `record` was stopped.
    fn expect_no_other_run(&self) -> Result<(), StoreError> {
        for folder in [".meta/runs", ".meta/checkpoints"] {
            for path in sorted_entries(&self.root.join(folder))? {
                let run = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
                let is_manifest = path.extension().is_some_and(|ending| ending == "json");
                if is_manifest && self.all_runs().all(|other| other.id != RunId::named(&run)) {
                    let problem =
                        format!("{run} is being added to the recording; run `infoplane record` until it finishes");
                    return Err(StoreError::Rows { path, problem });
                }
            }
        }
        Ok(())
    }

    /// The runs with activations, by name.
    pub fn runs(&self) -> &[RecordedRun] {
        &self.runs
    }

    /// The runs with activations, then those whose training failed before their first recorded snapshot.
    pub fn all_runs(&self) -> impl Iterator<Item = &RecordedRun> {
        self.runs.iter().chain(&self.empty)
    }

    /// The layers with activations, in ascending order; all runs have the same.
    ///
    /// # Errors
    /// There are no layers, or a run lacks a layer that another run has.
    pub fn layers(&self, values: Values) -> Result<Vec<LayerId>, StoreError> {
        let by_run: Vec<BTreeSet<LayerId>> = self.runs.iter().map(|run| run.layers(values.table())).collect();
        let layers: BTreeSet<LayerId> = by_run.iter().flatten().copied().collect();
        let missing = |path: PathBuf, problem: String| Err(StoreError::Missing { path, problem });
        if layers.is_empty() {
            let problem = "nothing is recorded there; run `infoplane record` first".to_owned();
            return missing(self.root.join(values.table()), problem);
        }
        for (run, of_run) in self.runs.iter().zip(&by_run) {
            if let Some(layer) = layers.difference(of_run).next() {
                let folder = self.root.join(format!("{}/layer={layer}/run={}", values.table(), run.id));
                let problem =
                    "this run lacks a layer that other runs have; record it again, or remove the run everywhere";
                return missing(folder, problem.to_owned());
            }
        }
        Ok(layers.into_iter().collect())
    }

    /// Checks that a layer has equally many units in every run, because averages over different networks are
    /// meaningless. A recording of this program is always from one pipeline.
    ///
    /// # Errors
    /// A layer has another number of units than in the first run, or a file cannot be read.
    pub fn expect_same_widths(&self, values: Values) -> Result<(), StoreError> {
        if self.is_own() {
            return Ok(());
        }
        for layer in self.layers(values)? {
            // The other parts of a run are compared with its first part when they are opened.
            let first_part = |run: &RecordedRun| {
                let parts = run.parts(values.table(), Some(layer));
                ActivationReader::open(parts.get(..1).unwrap_or_default(), values, &run.entries(Some(layer)))
            };
            let Some((first, others)) = self.runs.split_first() else { return Ok(()) };
            let width = first_part(first)?.n_units();
            for run in others {
                let reader = first_part(run)?;
                if reader.n_units() != width {
                    let (path, n_units) = (reader.path().to_owned(), reader.n_units());
                    let problem = format!(
                        "layer {layer} has {n_units} units in run {}, but {width} in run {}; put runs of different networks into separate recordings",
                        run.id, first.id
                    );
                    return Err(StoreError::Rows { path, problem });
                }
            }
        }
        Ok(())
    }
}

impl RecordedRun {
    /// The parts of a table, in order.
    pub fn parts(&self, table: &str, layer: Option<LayerId>) -> Vec<PathBuf> {
        self.files_of(table, layer).map(|file| self.root.join(&file.relative)).collect()
    }

    /// Opens the values of one layer.
    ///
    /// # Errors
    /// See [`ActivationReader::open`].
    pub fn activations(&self, values: Values, layer: LayerId) -> Result<ActivationReader, StoreError> {
        ActivationReader::open(&self.parts(values.table(), Some(layer)), values, &self.entries(Some(layer)))
    }

    /// The footer entries that its files must have at this path.
    fn entries(&self, layer: Option<LayerId>) -> Vec<(&'static str, String)> {
        let layer = layer.map(|layer| ("infoplane.layer", layer.to_string()));
        [("infoplane.run", self.id.to_string())].into_iter().chain(layer).collect()
    }

    /// The hashes of the parts of a table: from the manifest if the files look unchanged, otherwise computed from the
    /// files.
    ///
    /// # Errors
    /// A file cannot be read, or was changed.
    pub fn hashes(&self, table: &str, layer: Option<LayerId>) -> Result<Vec<String>, StoreError> {
        let hash = |file: &File| match &file.listed {
            Some(listed) if self.looks_untouched(file, listed) => Ok(listed.blake3.clone()),
            _ => self.verify_file(file),
        };
        self.files_of(table, layer).map(hash).collect()
    }

    /// The hashes of the parts of a table as the recording lists them: from the manifest, even if the files no longer
    /// exist; for a recording of another program, computed from the files.
    ///
    /// # Errors
    /// A file of another program's recording cannot be read.
    pub fn listed_hashes(&self, table: &str, layer: Option<LayerId>) -> Result<Vec<String>, StoreError> {
        let hash = |file: &File| match &file.listed {
            Some(listed) => Ok(listed.blake3.clone()),
            None => hash_once(&self.root.join(&file.relative)),
        };
        self.files_of(table, layer).map(hash).collect()
    }

    /// Reads every part of a table completely, compares its hash (which is returned) with the one in the manifest, if
    /// there is one, and compares its footer with its path.
    ///
    /// # Errors
    /// A file cannot be read, was changed, or has the path of another run or layer.
    pub fn verify(&self, table: &'static str, layer: Option<LayerId>) -> Result<Vec<String>, StoreError> {
        let verified = |file: &File| {
            let hash = self.verify_file(file)?;
            let path = self.root.join(&file.relative);
            guarded(&path, || expect_entries(&path, &open(&path, table)?.1, &self.entries(layer)))?;
            Ok(hash)
        };
        self.files_of(table, layer).map(verified).collect()
    }

    /// Checks every file of the run as [`RecordedRun::verify`] does, and the number of rows if the manifest lists it.
    ///
    /// # Errors
    /// A file cannot be read, or was changed.
    pub fn verify_all(&self) -> Result<(), StoreError> {
        for (_, file) in &self.files {
            self.verify_file(file)?;
            if let Some(listed) = &file.listed {
                expect_rows(&self.root, listed)?;
            }
        }
        Ok(())
    }

    /// Hash of the settings of the recording, equal for all its runs; `None` for recordings of other programs.
    pub fn settings(&self) -> Option<&str> {
        self.settings.as_deref()
    }

    /// The hashes of what is recorded about the training, without activations and weights.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn training_hashes(&self) -> Result<Vec<String>, StoreError> {
        let tables = [RunRow::TABLE, EpochRow::TABLE, GradientRow::TABLE, OnlineLossRow::TABLE, SplitRow::TABLE].iter();
        Ok(tables.map(|table| self.listed_hashes(table, None)).collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// The files of the run: table, layer, path relative to the recording.
    pub fn files(&self) -> impl Iterator<Item = (&str, Option<LayerId>, &str)> {
        self.files.iter().map(|(part, file)| (part.table.as_str(), part.layer, file.relative.as_str()))
    }

    /// The layers that have files of this table.
    pub fn layers(&self, table: &str) -> BTreeSet<LayerId> {
        self.files.iter().filter(|(part, _)| part.table == table).filter_map(|(part, _)| part.layer).collect()
    }

    fn files_of(&self, table: &str, layer: Option<LayerId>) -> impl Iterator<Item = &File> {
        let wanted = move |part: &PartOf| part.table == table && part.layer == layer;
        self.files.iter().filter(move |(part, _)| wanted(part)).map(|(_, file)| file)
    }

    fn looks_untouched(&self, file: &File, listed: &FileRecord) -> bool {
        let unchanged = |m: fs::Metadata| {
            m.len() == listed.bytes && m.modified().ok().zip(self.written).is_some_and(|(file, whole)| file <= whole)
        };
        fs::metadata(self.root.join(&file.relative)).is_ok_and(unchanged)
    }

    fn verify_file(&self, file: &File) -> Result<String, StoreError> {
        let path = self.root.join(&file.relative);
        let hash = hash_file(&path)?;
        match &file.listed {
            Some(listed) => compare(path, listed, hash),
            None => Ok(hash),
        }
    }
}

/// Checks that the file has the number of rows in the manifest.
fn expect_rows(root: &Path, listed: &FileRecord) -> Result<(), StoreError> {
    let path = root.join(&listed.path);
    let rows = Facts::of(&path)?.rows;
    if rows == listed.rows {
        return Ok(());
    }
    Err(StoreError::Rows { path, problem: format!("has {rows} rows, but its manifest lists {}", listed.rows) })
}

/// Checks that there are no other files, because they disturb readers of whole folders.
fn expect_no_other_file(root: &Path, listed: &BTreeMap<&str, &FileRecord>) -> Result<(), StoreError> {
    let is_other = |path: &&String| !path.starts_with(".meta/") && !listed.contains_key(path.as_str());
    match files_below(root, Hidden::Listed)?.iter().find(is_other) {
        None => Ok(()),
        Some(other) => {
            let problem = "not a file of the recording (no manifest lists it); move it to another folder".to_owned();
            Err(StoreError::Rows { path: root.join(other), problem })
        }
    }
}
