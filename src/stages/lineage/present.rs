//! The present tables, and whether other tables were made from them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::super::StageError;
use super::super::experiments::{self, is_sweep};
use super::{CurrentEstimates, recording};
use crate::estimate_id::{Unit, Values};
use crate::store::{Experiment, FileRecord, Manifest, StoreError, believed_hash, hash_file, is_folder_name, manifests};

/// The hashes of the present tables from which summaries, figures and reports of some experiments are made.
#[derive(Debug, Default)]
pub(in super::super) struct Present {
    hashes: BTreeSet<String>,
}

/// Which tables of a recording are compared: tables of activations are the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Depth {
    WithoutActivations,
    Everything,
}

impl Present {
    /// Reads the hashes of the recording and the estimates of each of `experiments`, and of the tables in manifests of `root`.
    ///
    /// # Errors
    /// A table cannot be read, or does not match its hash.
    pub(in super::super) fn of(experiments: &[Experiment], root: &Path, depth: Depth) -> Result<Self, StageError> {
        let mut present = Self::default();
        experiments.iter().try_for_each(|experiment| present.add(experiment, depth))?;
        // The root may be one of the experiments.
        let roots: BTreeSet<&Path> = experiments.iter().map(Experiment::root).chain([root]).collect();
        roots.into_iter().try_for_each(|root| present.add_derived(root))?;
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
        for path in CurrentEstimates::of_weights(experiment)?.tables.iter().flat_map(|(_, paths)| paths) {
            self.hashes.insert(experiment.verified_estimates(path)?.1);
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

    /// Whether a manifest lists the inputs of its work, and all of them exist unchanged.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub(in super::super) fn has_inputs_of(&self, root: &Path, manifest: &str) -> Result<bool, StageError> {
        let inputs = inputs_of(root, manifest)?;
        Ok(!inputs.is_empty() && inputs.is_subset(&self.hashes))
    }
}

/// The hashes of the tables that a stage read, from its manifest.
///
/// # Errors
/// The manifest cannot be read.
pub(in super::super) fn inputs_of(root: &Path, manifest: &str) -> Result<BTreeSet<String>, StoreError> {
    fn hashes(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            // Paths of tables are among the hashes.
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

/// Makes sure that the tables over runs in `folder` were made from the present recordings and estimates. Experiments outside of
/// `folder` are not compared.
///
/// # Errors
/// They were made from other tables, or a table does not match its hash.
pub(in super::super) fn expect_current(folder: &Experiment) -> Result<(), StageError> {
    let root = folder.root();
    let Some(manifest) = Manifest::read(&root.join(".meta/summary.json"))? else {
        if folder.recording().is_dir() || !folder.estimate_files()?.is_empty() {
            let what = "has no manifest, so its inputs are unknown";
            return Err(outdated(root, what));
        }
        return Ok(());
    };
    let read = tables_read(&manifest.made_from);
    let names: BTreeSet<&str> = read.iter().map(|(name, ..)| name.as_str()).collect();
    let is_sweep = is_sweep(root);
    for name in &names {
        let member = match is_sweep {
            true if is_folder_name(name) => Experiment::new(root.join(name)),
            false if names.len() == 1 => folder.clone(),
            _ => continue,
        };
        if is_sweep && !member.root().is_dir() && has_members(root) {
            return Err(outdated(root, &format!("has rows of {name}, but this folder does not exist any more")));
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

/// Whether experiments of the sweep in `root` exist; a sweep may be shared without them, as tables only.
fn has_members(root: &Path) -> bool {
    let is_there = |name: &String| Experiment::new(root.join(name)).recording().is_dir();
    experiments::rows(root).is_ok_and(|rows| rows.iter().any(|row| is_there(&row.experiment)))
}

fn outdated(root: &Path, what: &str) -> StageError {
    let (summary, root) = (root.join(Experiment::SUMMARY), root.display());
    StageError::Refused(format!("{} {what}; run `infoplane aggregate {root}` again", summary.display()))
}

/// Experiment, path and hash of every table that the tables over runs were made from. Versions 1 to 6 had one list.
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
