//! A recording as it lies on disk: its runs, the files of each, and whether they are what was written.
//!
//! Where this program recorded, manifests say which files there are; of another program's recording, the folders do.

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

/// The runs of a recording that are there whole.
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
    /// Its name.
    pub id: RunId,
    files: Vec<(PartOf, File)>,
    /// When its manifest was written; `None` where it has none.
    written: Option<SystemTime>,
    /// Hash of the settings in its manifest.
    settings: Option<String>,
}

/// A file, and what its manifest says of it.
#[derive(Debug)]
struct File {
    relative: String,
    listed: Option<FileRecord>,
}

impl Recording {
    /// Finds the runs of the recording of `experiment`.
    ///
    /// # Errors
    /// There are none, a manifest or a folder cannot be read, or a folder has a name that cannot be right.
    pub fn open(experiment: &Experiment) -> Result<Self, StoreError> {
        let Self { root, runs, empty } = Self::find(experiment)?;
        if runs.is_empty() {
            let problem = match experiment.is_unfinished() {
                true => "no run is recorded whole; run `infoplane record` again",
                false if !empty.is_empty() => {
                    "every training failed before its first recorded snapshot; see the table `runs`, and lower `learning_rate`"
                }
                false => "no recorded activations; run `infoplane record` first",
            };
            return Err(StoreError::Missing { path: root, problem: problem.to_owned() });
        }
        Ok(Self { root, runs, empty })
    }

    /// As [`Recording::open`], but there may be no run, or none that has activations.
    ///
    /// # Errors
    /// A manifest or a folder cannot be read, or a folder has a name that cannot be right.
    pub fn find(experiment: &Experiment) -> Result<Self, StoreError> {
        let root = experiment.recording();
        let manifests = root.join(".meta/runs");
        let runs = if manifests.exists() { own(&root, &manifests)? } else { foreign(&root)? };
        let (runs, empty): (Vec<_>, Vec<_>) = runs.into_iter().partition(has_activations);
        Ok(Self { root, runs, empty })
    }

    /// Whether this program made it, so that manifests vouch for its files.
    pub fn is_own(&self) -> bool {
        self.runs.iter().any(|run| run.written.is_some())
    }

    /// Makes sure that the manifest of the whole and the manifests of the runs tell the same, that the files which belong
    /// to no run are what was written, and that no other file lies among them.
    ///
    /// # Errors
    /// The recording is unfinished; a file is missing, changed, or not of the recording.
    pub fn verify_whole(&self) -> Result<(), StoreError> {
        Manifest::read(&self.root.join(".meta/settings.json"))?;
        let path = self.root.join(".meta/manifest.json");
        let Some(whole) = Manifest::read(&path)? else {
            let n = self.runs.len();
            let problem =
                format!("missing: the recording is unfinished (whole runs: {n}); run `infoplane record` again");
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
                    let problem = format!("the manifest of its run does not list {} likewise; record again", file.path);
                    return Err(StoreError::Rows { path, problem });
                }
            }
        }
        match of_runs.keys().find(|path| !listed.contains_key(*path)) {
            Some(unlisted) => {
                let problem = format!("does not list {unlisted}, which the manifest of its run does; record again");
                Err(StoreError::Rows { path, problem })
            }
            None => {
                self.expect_no_other_run()?;
                expect_no_other_file(&self.root, &listed)
            }
        }
    }

    /// Runs beyond those of the whole are being added, or were until `record` was stopped.
    fn expect_no_other_run(&self) -> Result<(), StoreError> {
        for folder in [".meta/runs", ".meta/checkpoints"] {
            for path in sorted_entries(&self.root.join(folder))? {
                let run = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
                let is_manifest = path.extension().is_some_and(|ending| ending == "json");
                if is_manifest && self.all_runs().all(|other| other.id != RunId::named(&run)) {
                    let problem = format!("{run} is being added to the recording; run `infoplane record` to its end");
                    return Err(StoreError::Rows { path, problem });
                }
            }
        }
        Ok(())
    }

    /// The runs that have activations, by name.
    pub fn runs(&self) -> &[RecordedRun] {
        &self.runs
    }

    /// These, then those whose training failed before their first recorded snapshot.
    pub fn all_runs(&self) -> impl Iterator<Item = &RecordedRun> {
        self.runs.iter().chain(&self.empty)
    }

    /// The layers with activations, ascending: the same in every run.
    ///
    /// # Errors
    /// There are none; a run lacks a layer that another has.
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

    /// Makes sure that a layer is as wide in every run as in the first: numbers of other networks would be averaged. The runs
    /// of an own recording are of one pipeline.
    ///
    /// # Errors
    /// A layer is wider or narrower; a file cannot be read.
    pub fn expect_same_widths(&self, values: Values) -> Result<(), StoreError> {
        if self.is_own() {
            return Ok(());
        }
        for layer in self.layers(values)? {
            // The other parts of a run are compared with its first when they are opened.
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
                        "layer {layer} has {n_units} units in run {}, but {width} in run {}; put runs of other networks into a recording of their own",
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
    /// As [`ActivationReader::open`].
    pub fn activations(&self, values: Values, layer: LayerId) -> Result<ActivationReader, StoreError> {
        ActivationReader::open(&self.parts(values.table(), Some(layer)), values, &self.entries(Some(layer)))
    }

    /// What the footers of its files say of their place.
    fn entries(&self, layer: Option<LayerId>) -> Vec<(&'static str, String)> {
        let layer = layer.map(|layer| ("infoplane.layer", layer.to_string()));
        [("infoplane.run", self.id.to_string())].into_iter().chain(layer).collect()
    }

    /// The hashes of the parts of a table: those of the manifest while the files look untouched since it was written,
    /// else those of the files as they are.
    ///
    /// # Errors
    /// A file cannot be read, or is not what was written.
    pub fn hashes(&self, table: &str, layer: Option<LayerId>) -> Result<Vec<String>, StoreError> {
        let hash = |file: &File| match &file.listed {
            Some(listed) if self.looks_untouched(file, listed) => Ok(listed.blake3.clone()),
            _ => self.verify_file(file),
        };
        self.files_of(table, layer).map(hash).collect()
    }

    /// The hashes of the parts of a table as the recording lists them: those of the manifest, whether or not the files are still
    /// there; of another program's recording those of the files.
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

    /// Reads every part of a table whole and compares its hash, which is returned, with the manifest's, where there is one,
    /// and its place with the one in its footer.
    ///
    /// # Errors
    /// A file cannot be read, is not what was written, or belongs elsewhere.
    pub fn verify(&self, table: &'static str, layer: Option<LayerId>) -> Result<Vec<String>, StoreError> {
        let verified = |file: &File| {
            let hash = self.verify_file(file)?;
            let path = self.root.join(&file.relative);
            guarded(&path, || expect_entries(&path, &open(&path, table)?.1, &self.entries(layer)))?;
            Ok(hash)
        };
        self.files_of(table, layer).map(verified).collect()
    }

    /// As [`RecordedRun::verify`], of every file of the run; where a manifest lists a number of rows, the file has them.
    ///
    /// # Errors
    /// A file cannot be read, or is not what was written.
    pub fn verify_all(&self) -> Result<(), StoreError> {
        for (_, file) in &self.files {
            self.verify_file(file)?;
            if let Some(listed) = &file.listed {
                expect_rows(&self.root, listed)?;
            }
        }
        Ok(())
    }

    /// Hash of the settings that it was recorded with, which all runs of a recording share; `None` of another program's.
    pub fn settings(&self) -> Option<&str> {
        self.settings.as_deref()
    }

    /// The hashes of what is recorded of its training, without values and weights.
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

    /// The layers that have files of a table.
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

/// The rows that a manifest lists are in the file.
fn expect_rows(root: &Path, listed: &FileRecord) -> Result<(), StoreError> {
    let path = root.join(&listed.path);
    let rows = Facts::of(&path)?.rows;
    if rows == listed.rows {
        return Ok(());
    }
    Err(StoreError::Rows { path, problem: format!("has {rows} rows, its manifest lists {}", listed.rows) })
}

/// Files that are not of the recording disturb readers of whole folders.
fn expect_no_other_file(root: &Path, listed: &BTreeMap<&str, &FileRecord>) -> Result<(), StoreError> {
    let is_other = |path: &&String| !path.starts_with(".meta/") && !listed.contains_key(path.as_str());
    match files_below(root, Hidden::Listed)?.iter().find(is_other) {
        None => Ok(()),
        Some(other) => {
            let problem = "not a file of the recording (no manifest lists it); move it away".to_owned();
            Err(StoreError::Rows { path: root.join(other), problem })
        }
    }
}
