//! The inputs of results. Estimates of another recording than the present one are left out, and tables that were made from
//! other tables than the present ones cause an error.

mod present;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::StageError;
use crate::count::counted;
use crate::estimate_id::{EstimateId, Unit, Values};
use crate::store::schema::{OnlineLossRow, Row, SplitRow, WeightRow};
use crate::store::{Experiment, RecordedRun, Recording, RunId, StoreError, believed_hash};
pub(super) use present::{Depth, Present, expect_current, inputs_of};

/// The recording of an experiment; `None` if it has no run, for example if estimates are in another folder than their
/// recording.
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
    /// The estimates of layers or of single units. Without a recording, all estimates of one origin are used.
    ///
    /// # Errors
    /// A folder, a manifest or the recording cannot be read; tables without a recording are of different ones.
    pub(super) fn read(experiment: &Experiment, unit: Unit) -> Result<Self, StageError> {
        let files = match unit {
            Unit::Layers => experiment.estimate_files()?,
            Unit::Units => experiment.unit_estimate_files()?,
        };
        Self::of_recording(experiment, files, "estimate")
    }

    /// The measures of weights that were made from the recording.
    ///
    /// # Errors
    /// As [`CurrentEstimates::read`].
    pub(super) fn of_weights(experiment: &Experiment) -> Result<Self, StageError> {
        Self::of_recording(experiment, experiment.weight_measure_files()?, "weights")
    }

    /// The current ones among `files`, which `command` has made.
    fn of_recording(
        experiment: &Experiment,
        files: Vec<(String, Vec<PathBuf>)>,
        command: &str,
    ) -> Result<Self, StageError> {
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
                    "{tables} of {estimator} in {name} left out: {first}; run `infoplane {command}` again, or remove these tables"
                );
                found.left_out.push((estimator.clone(), sentence));
            }
            if !current.is_empty() {
                found.tables.push((estimator, current));
            }
        }
        Ok(found)
    }

    /// As [`CurrentEstimates::read`] of layers, for stages that need estimates. Left out estimates are printed as a warning.
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

/// The hashes of the files of a recording, to compare with the inputs of tables.
struct Origin<'a> {
    experiment: &'a Experiment,
    recording: &'a Recording,
    samples: String,
    /// The hashes of the values of every run, for the kinds of values that a table needed.
    values: Vec<(Values, Vec<Vec<String>>)>,
}

impl<'a> Origin<'a> {
    fn new(experiment: &'a Experiment, recording: &'a Recording) -> Result<Self, StoreError> {
        let samples = believed_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?;
        Ok(Self { experiment, recording, samples, values: Vec::new() })
    }

    /// Why a table of `estimator` was not made from this recording; `None` if it was.
    fn problem(&mut self, estimator: &str, table: &Path) -> Result<Option<String>, StoreError> {
        let run = run_of(table);
        let Some(made_from) = self.experiment.made_from(table)? else {
            return Ok(Some(format!("{run} has no manifest, so its recording is unknown")));
        };
        let places = self.places(&run);
        let differs = |what: &str| Ok(Some(format!("{run} was made from another recording ({what} differ)")));
        if places.is_empty() {
            return Ok(Some(format!("{run} is not in the recording")));
        }
        if let Some(weights) = texts(&made_from["weights"]) {
            if weights != self.hashes(&places, |run| of_layers(run, WeightRow::TABLE))? {
                return differs("its weights");
            }
            // Exact information needs no other tables.
            if made_from["measure"].is_null() {
                return Ok(None);
            }
            if made_from["samples"].as_str() != Some(&self.samples) {
                return differs("its samples");
            }
            for (key, table) in [("splits", SplitRow::TABLE), ("online_losses", OnlineLossRow::TABLE)] {
                let before = texts(&made_from[key]).unwrap_or_default();
                if before != self.hashes(&places, |run| run.listed_hashes(table, None))? {
                    return differs(&format!("its {}", table.replace('_', " ")));
                }
            }
            return Ok(None);
        }
        if made_from["samples"].as_str() != Some(&self.samples) {
            return differs("its samples");
        }
        let values = EstimateId::of_table(estimator).values;
        let by_run = self.values(values)?;
        let now: Vec<String> = places.iter().flat_map(|place| &by_run[*place]).cloned().collect();
        // Versions 1 to 3 had only activations, under this name.
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
            return differs("the activations of all runs, which define its range,");
        }
        // For recordings of this program this is in the manifests.
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

    /// The indices of `run` among the runs; all indices if runs are pooled.
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
pub(super) fn run_of(table: &Path) -> String {
    let name = table.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    name.trim_start_matches("run=").to_owned()
}

fn texts(list: &Value) -> Option<Vec<String>> {
    list.as_array().map(|list| list.iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect())
}

/// Prints a warning once, because several stages of one call read the same estimates.
fn warn_once(sentence: &str) {
    static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if PRINTED.lock().unwrap_or_else(PoisonError::into_inner).insert(sentence.to_owned()) {
        tracing::warn!("{sentence}");
    }
}

/// Tables without their recording are accepted if they were made from equal samples and, if this program recorded them, with
/// equal settings. Tables without this information are accepted with a warning.
fn expect_one_origin(experiment: &Experiment, files: &[(String, Vec<PathBuf>)]) -> Result<(), StageError> {
    let mut seen: Vec<(&str, Value, &Path)> = Vec::new();
    for path in files.iter().flat_map(|(_, paths)| paths) {
        let Some(made_from) = experiment.made_from(path)? else {
            let name = experiment.name();
            warn_once(&format!("estimates of {name} have no manifest, so they may be of different recordings"));
            continue;
        };
        for what in ["samples", "recording"].into_iter().filter(|what| !made_from[*what].is_null()) {
            match seen.iter().find(|(other, ..)| *other == what) {
                Some((_, other, first)) if *other != made_from[what] => {
                    return Err(StageError::Refused(format!(
                        "{} and {} were made from different recordings; keep the estimates of each recording in a separate folder",
                        first.display(),
                        path.display()
                    )));
                }
                Some(_) => {}
                None => seen.push((what, made_from[what].clone(), path)),
            }
        }
    }
    Ok(())
}
