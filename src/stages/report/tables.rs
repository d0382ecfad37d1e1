//! The tables over runs that a report reads, by experiment, and what they were made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::store::schema::{ClaimRow, CompressionRow, Row, SummaryRow};
use crate::store::{Experiment, Manifest, StoreError, read_rows, verified_hash};

/// The tables over runs in one folder, by experiment.
pub(super) struct RunTables {
    pub(super) summary: BTreeMap<String, Vec<SummaryRow>>,
    pub(super) compression: BTreeMap<String, Vec<CompressionRow>>,
    pub(super) claims: BTreeMap<String, Vec<ClaimRow>>,
    /// Names and hashes of the tables.
    pub(super) files: Vec<(String, String)>,
    /// Hashes of the tables that the summary was made from.
    pub(super) made_from: BTreeSet<String>,
}

impl RunTables {
    pub(super) fn read(folder: &Path) -> Result<Self, StoreError> {
        let mut files = Vec::new();
        let tables =
            [(Experiment::SUMMARY, "summary"), (Experiment::COMPRESSION, "summary"), (Experiment::CLAIMS, "claims")];
        for (table, manifest) in tables {
            if folder.join(table).exists() {
                files.push((table.to_owned(), verified_hash(folder, manifest, table)?));
            }
        }
        Ok(Self {
            summary: by_experiment(&folder.join(Experiment::SUMMARY), |row: &SummaryRow| &row.experiment)?,
            compression: by_experiment(&folder.join(Experiment::COMPRESSION), |row: &CompressionRow| &row.experiment)?,
            claims: by_experiment(&folder.join(Experiment::CLAIMS), |row: &ClaimRow| &row.experiment)?,
            files,
            made_from: inputs_of(folder, "summary")?,
        })
    }
}

/// The rows of a table by experiment; empty if there is no table.
fn by_experiment<R: Row>(table: &Path, experiment: fn(&R) -> &String) -> Result<BTreeMap<String, Vec<R>>, StoreError> {
    let mut rows: BTreeMap<String, Vec<R>> = BTreeMap::new();
    if table.exists() {
        for row in read_rows::<R>(table)? {
            rows.entry(experiment(&row).clone()).or_default().push(row);
        }
    }
    Ok(rows)
}

/// The hashes of the tables that a stage read, from its manifest.
pub(super) fn inputs_of(root: &Path, manifest: &str) -> Result<BTreeSet<String>, StoreError> {
    fn texts(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::String(text) => drop(found.insert(text.clone())),
            serde_json::Value::Array(list) => list.iter().for_each(|value| texts(value, found)),
            serde_json::Value::Object(table) => table.values().for_each(|value| texts(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    if let Some(manifest) = Manifest::read(&root.join(format!(".meta/{manifest}.json")))? {
        texts(&manifest.made_from["tables"], &mut found);
    }
    Ok(found)
}
