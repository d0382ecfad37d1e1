//! What results were made from. Estimates of another recording than the one that is there are left out, and tables that were
//! made from others than those that are there now are refused.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::StageError;
use super::experiments::{self, is_sweep};
use crate::count::counted;
use crate::estimate_id::{EstimateId, Unit, Values};
use crate::store::schema::{Row, SplitRow, WeightRow};
use crate::store::{
    Experiment, FileRecord, Manifest, RecordedRun, Recording, RunId, StoreError, believed_hash, hash_file,
    is_folder_name, manifests,
};

/// The recording of an experiment; `None` where no run of it is there, as where estimates lie apart from their recording.
///
/// # Errors
/// It cannot be read.
pub(super) fn recording(experiment: &Experiment) -> Result<Option<Recording>, StoreError> {
    match Recording::open(experiment) {
        Err(StoreError::Missing { .. }) => Ok(None),
        recording => recording.map(Some),
    }
}

/// The tables of estimates in an experiment that were made from its recording.
#[derive(Debug, Default)]
pub(super) struct CurrentEstimates {
    /// By estimator, the tables of its runs.
    pub(super) tables: Vec<(String, Vec<PathBuf>)>,
    /// What was left out: the estimator, and a sentence.
    pub(super) left_out: Vec<(String, String)>,
}

impl CurrentEstimates {
    /// The estimates of layers or of single units. Where there is no recording, all of one origin count.
    ///
    /// # Errors
    /// A folder, a manifest or the recording cannot be read; tables without a recording are of different ones.
    pub(super) fn read(experiment: &Experiment, unit: Unit) -> Result<Self, StageError> {
        let files = match unit {
            Unit::Layers => experiment.estimate_files()?,
            Unit::Units => experiment.unit_estimate_files()?,
        };
        if files.is_empty() {
            return Ok(Self::default());
        }
        let Some(recording) = recording(experiment)? else {
            expect_one_origin(experiment, &files)?;
            return Ok(Self { tables: files, left_out: Vec::new() });
        };
        let mut origin = Origin::new(experiment, &recording)?;
        let mut found = Self::default();
        for (estimator, paths) in files {
            let (mut current, mut problems) = (Vec::new(), Vec::new());
            for path in paths {
                match origin.problem(&estimator, &path)? {
                    None => current.push(path),
                    Some(problem) => problems.push(problem),
                }
            }
            if let Some(first) = problems.first() {
                let tables = counted(problems.len(), "table");
                let name = experiment.name();
                let sentence = format!(
                    "{tables} of {estimator} in {name} left out: {first}; run `infoplane estimate` again, or remove these tables"
                );
                found.left_out.push((estimator.clone(), sentence));
            }
            if !current.is_empty() {
                found.tables.push((estimator, current));
            }
        }
        Ok(found)
    }

    /// As [`CurrentEstimates::read`] of layers, for stages that cannot do without: what is left out is printed as a warning.
    ///
    /// # Errors
    /// As [`CurrentEstimates::read`]; there are no estimates, or all of them are left out.
    pub(super) fn expect(experiment: &Experiment) -> Result<Vec<(String, Vec<PathBuf>)>, StageError> {
        let Self { tables, left_out } = Self::read(experiment, Unit::Layers)?;
        match (tables.is_empty(), left_out.first()) {
            (true, Some((_, first))) => Err(StageError::Refused(format!(
                "{}: no estimates of this recording: {first}",
                experiment.root().display()
            ))),
            (true, None) => {
                let problem = "no estimates; run `infoplane estimate` first".to_owned();
                Err(StoreError::Missing { path: experiment.estimates(), problem }.into())
            }
            (false, _) => {
                left_out.iter().for_each(|(_, sentence)| warn_once(sentence));
                Ok(tables)
            }
        }
    }
}

/// What the files of a recording are, to compare with what tables were made from.
struct Origin<'a> {
    experiment: &'a Experiment,
    recording: &'a Recording,
    samples: String,
    /// The hashes of the values of every run, where a table needed them.
    values: Vec<(Values, Vec<Vec<String>>)>,
}

impl<'a> Origin<'a> {
    fn new(experiment: &'a Experiment, recording: &'a Recording) -> Result<Self, StoreError> {
        let samples = believed_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?;
        Ok(Self { experiment, recording, samples, values: Vec::new() })
    }

    /// Why a table of `estimator` was not made from this recording; `None` where it was.
    fn problem(&mut self, estimator: &str, table: &Path) -> Result<Option<String>, StoreError> {
        let run = run_of(table);
        let Some(made_from) = self.experiment.made_from(table)? else {
            return Ok(Some(format!("{run} has no manifest, which would say what recording it was made from")));
        };
        let places = self.places(&run);
        let differs = |what: &str| Ok(Some(format!("{run} was made from another recording ({what} differ)")));
        if places.is_empty() {
            return Ok(Some(format!("{run} is not in the recording")));
        }
        if let Some(weights) = texts(&made_from["weights"]) {
            let now = self.hashes(&places, |run| of_layers(run, WeightRow::TABLE))?;
            return if weights == now { Ok(None) } else { differs("its weights") };
        }
        if made_from["samples"].as_str() != Some(&self.samples) {
            return differs("its samples");
        }
        let values = EstimateId::of_table(estimator).values;
        let by_run = self.values(values)?;
        let now: Vec<String> = places.iter().flat_map(|place| &by_run[*place]).cloned().collect();
        // Versions 1 to 3 knew activations only, and called them so.
        let before = texts(&made_from["values"]).or_else(|| texts(&made_from["activations"])).unwrap_or_default();
        if before != now {
            let are_fewer = !before.is_empty() && before.iter().all(|hash| now.contains(hash));
            return match are_fewer {
                true => Ok(Some(format!("{run} was made before runs were added to the recording"))),
                false => differs("its activations"),
            };
        }
        let range = texts(&made_from["range"]).unwrap_or_default();
        if !range.is_empty() && range != self.values(values)?.concat() {
            return differs("the activations of all runs, whose range it has,");
        }
        // Earlier estimates do not say it.
        let training = texts(&made_from["training"]);
        if training.is_some() && training != Some(self.hashes(&places, RecordedRun::training_hashes)?) {
            return differs("its losses, gradients or splits");
        }
        let splits = texts(&made_from["splits"]).unwrap_or_default();
        if !splits.is_empty() && splits != self.hashes(&places, |run| run.listed_hashes(SplitRow::TABLE, None))? {
            return differs("its splits");
        }
        Ok(None)
    }

    /// The places of `run` among the runs; all where runs are pooled.
    fn places(&self, run: &str) -> Vec<usize> {
        let is_pooled = run == RunId::pooled().to_string();
        let runs = self.recording.runs().iter().enumerate();
        runs.filter(|(_, other)| is_pooled || other.id.to_string() == run).map(|(place, _)| place).collect()
    }

    fn hashes(
        &self,
        places: &[usize],
        of_run: impl Fn(&RecordedRun) -> Result<Vec<String>, StoreError>,
    ) -> Result<Vec<String>, StoreError> {
        let hashes = places.iter().map(|place| of_run(&self.recording.runs()[*place]));
        Ok(hashes.collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn values(&mut self, values: Values) -> Result<Vec<Vec<String>>, StoreError> {
        if let Some((_, hashes)) = self.values.iter().find(|(other, _)| *other == values) {
            return Ok(hashes.clone());
        }
        let hashes: Vec<Vec<String>> =
            self.recording.runs().iter().map(|run| of_layers(run, values.table())).collect::<Result<_, _>>()?;
        self.values.push((values, hashes.clone()));
        Ok(hashes)
    }
}

/// The hashes of a table of every layer, ascending.
fn of_layers(run: &RecordedRun, table: &str) -> Result<Vec<String>, StoreError> {
    let of_layer = run.layers(table).into_iter().map(|layer| run.listed_hashes(table, Some(layer)));
    Ok(of_layer.collect::<Result<Vec<_>, _>>()?.concat())
}

/// The run of a table `run=R.parquet`.
fn run_of(table: &Path) -> String {
    let name = table.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    name.trim_start_matches("run=").to_owned()
}

fn texts(list: &Value) -> Option<Vec<String>> {
    list.as_array().map(|list| list.iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect())
}

/// Several stages of one call read the same estimates.
fn warn_once(sentence: &str) {
    static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if PRINTED.lock().unwrap_or_else(PoisonError::into_inner).insert(sentence.to_owned()) {
        tracing::warn!("{sentence}");
    }
}

/// Tables apart from their recording are believed where they were made from the same samples, and, if this program recorded them,
/// with the same settings. A table that does not say so is believed, with a warning.
fn expect_one_origin(experiment: &Experiment, files: &[(String, Vec<PathBuf>)]) -> Result<(), StageError> {
    let mut seen: Vec<(String, Value, PathBuf)> = Vec::new();
    for path in files.iter().flat_map(|(_, paths)| paths) {
        let Some(made_from) = experiment.made_from(path)? else {
            let name = experiment.name();
            warn_once(&format!(
                "estimates of {name} have no manifest: nothing says whether they are all of one recording"
            ));
            continue;
        };
        let mut origins = vec![("samples".to_owned(), made_from["samples"].clone())];
        origins.push(("recording".to_owned(), made_from["recording"].clone()));
        for (what, value) in origins.into_iter().filter(|(_, value)| !value.is_null()) {
            match seen.iter().find(|(other, ..)| *other == what) {
                Some((_, other, first)) if *other != value => {
                    return Err(StageError::Refused(format!(
                        "{} and {} were made from different recordings; keep the estimates of each recording in a folder of its own",
                        first.display(),
                        path.display()
                    )));
                }
                Some(_) => {}
                None => seen.push((what, value, path.clone())),
            }
        }
    }
    Ok(())
}

/// The hashes of the tables that views of some experiments are made from, as they are now.
#[derive(Debug, Default)]
pub(super) struct Present {
    hashes: BTreeSet<String>,
}

/// Which tables of a recording are looked at: those of activations are the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    WithoutActivations,
    Everything,
}

impl Present {
    /// Of the recording and the estimates of each of `experiments`, and of the tables of `root` that manifests list.
    ///
    /// # Errors
    /// A table cannot be read, or is not what was written.
    pub(super) fn of(experiments: &[Experiment], root: &Path, depth: Depth) -> Result<Self, StageError> {
        let mut present = Self::default();
        for experiment in experiments {
            present.add(experiment, depth)?;
            present.add_derived(experiment.root())?;
        }
        present.add_derived(root)?;
        Ok(present)
    }

    fn add(&mut self, experiment: &Experiment, depth: Depth) -> Result<(), StageError> {
        if let Some(recording) = recording(experiment)? {
            self.hashes.insert(believed_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?);
            let is_large =
                |table: &str| table == Values::Activations.table() || table == Values::PreActivations.table();
            for run in recording.all_runs() {
                let tables: BTreeSet<_> = run.files().map(|(table, layer, _)| (table, layer)).collect();
                for (table, layer) in
                    tables.into_iter().filter(|(table, _)| depth == Depth::Everything || !is_large(table))
                {
                    self.hashes.extend(run.listed_hashes(table, layer)?);
                }
            }
        }
        for unit in [Unit::Layers, Unit::Units] {
            for path in CurrentEstimates::read(experiment, unit)?.tables.iter().flat_map(|(_, paths)| paths) {
                self.hashes.insert(experiment.verified_estimates(path)?.1);
            }
        }
        Ok(())
    }

    fn add_derived(&mut self, root: &Path) -> Result<(), StageError> {
        let is_table = |file: &&FileRecord| file.path.ends_with(".parquet");
        for manifest in manifests(root)? {
            let files = Manifest::read(&manifest)?.map_or(Vec::new(), |manifest| manifest.files);
            for file in files.iter().filter(is_table).filter(|file| root.join(&file.path).exists()) {
                self.hashes.insert(hash_file(&root.join(&file.path))?);
            }
        }
        Ok(())
    }

    /// Whether a manifest says what its work read, and all of that is there, unchanged.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub(super) fn has_inputs_of(&self, root: &Path, manifest: &str) -> Result<bool, StageError> {
        let inputs = inputs_of(root, manifest)?;
        Ok(!inputs.is_empty() && inputs.is_subset(&self.hashes))
    }
}

/// The hashes of the tables that a stage read, from its manifest.
///
/// # Errors
/// The manifest cannot be read.
pub(super) fn inputs_of(root: &Path, manifest: &str) -> Result<BTreeSet<String>, StoreError> {
    fn hashes(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            // Places of tables stand among them.
            Value::String(text) if is_hash(text) => drop(found.insert(text.clone())),
            Value::Array(list) => list.iter().for_each(|value| hashes(value, found)),
            Value::Object(table) => table.values().for_each(|value| hashes(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    if let Some(manifest) = Manifest::read(&root.join(format!(".meta/{manifest}.json")))? {
        hashes(&manifest.made_from["tables"], &mut found);
    }
    Ok(found)
}

/// Whether a text is a BLAKE3 hash as manifests write it.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Makes sure that the tables over runs in `folder` were made from the recordings and estimates that are there now. Of
/// experiments that are not below it nothing is known.
///
/// # Errors
/// They were made from others, or a table is not what was written.
pub(super) fn expect_current(folder: &Experiment) -> Result<(), StageError> {
    let root = folder.root();
    let Some(manifest) = Manifest::read(&root.join(".meta/summary.json"))? else {
        if folder.recording().is_dir() || !folder.estimate_files()?.is_empty() {
            let what = "has no manifest, which would say what it was made from";
            return Err(outdated(root, what));
        }
        return Ok(());
    };
    let read = tables_read(&manifest.made_from);
    let names: BTreeSet<&str> = read.iter().map(|(name, ..)| name.as_str()).collect();
    for name in &names {
        let member = match is_sweep(root) {
            true if is_folder_name(name) => Experiment::new(root.join(name)),
            false if names.len() == 1 => folder.clone(),
            _ => continue,
        };
        if is_sweep(root) && !member.root().is_dir() && has_members(root) {
            return Err(outdated(root, &format!("has rows of {name}, whose folder is not there any more")));
        }
        let has_recording = recording(&member)?.is_some();
        if !has_recording && member.estimate_files()?.is_empty() {
            continue;
        }
        let present = Present::of(std::slice::from_ref(&member), member.root(), Depth::WithoutActivations)?;
        let is_comparable = |place: &str| has_recording || place.starts_with("estimates/");
        let is_gone = |(other, place, hash): &&(String, String, String)| {
            other == name && is_comparable(place) && !present.hashes.contains(hash)
        };
        let gone: Vec<&str> = read.iter().filter(is_gone).map(|(_, place, _)| place.as_str()).collect();
        if let Some(first) = gone.first() {
            let more = if gone.len() > 1 { format!(" and {} more", gone.len() - 1) } else { String::new() };
            let what = format!("was made from tables of {name} that were changed or removed since ({first}{more})");
            return Err(outdated(root, &what));
        }
    }
    Ok(())
}

/// Whether experiments of the sweep in `root` are there; of a sweep that was shared as its tables alone, none are.
fn has_members(root: &Path) -> bool {
    let is_there = |name: &String| Experiment::new(root.join(name)).recording().is_dir();
    experiments::rows(root).is_ok_and(|rows| rows.iter().any(|row| is_there(&row.experiment)))
}

fn outdated(root: &Path, what: &str) -> StageError {
    let (summary, root) = (root.join(Experiment::SUMMARY), root.display());
    StageError::Refused(format!("{} {what}; run `infoplane aggregate {root}` again", summary.display()))
}

/// Experiment, place and hash of every table that the tables over runs were made from. Versions 1 to 6 had one list.
fn tables_read(made_from: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = made_from["tables"].as_array().or(made_from.as_array());
    let of_list = list.into_iter().flatten().map(|entry| (text(&entry[0]), text(&entry[1]), text(&entry[2])));
    let of_table = made_from["tables"].as_object().into_iter().flatten().flat_map(|(name, entries)| {
        let entries = entries.as_array().into_iter().flatten();
        entries.map(move |entry| (name.clone(), text(&entry[0]), text(&entry[1])))
    });
    of_list.chain(of_table).collect()
}
