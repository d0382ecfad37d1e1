//! The tables over runs that a report reads, by experiment, and the tables that they were made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::StageError;
use super::super::keys::read_summary;
use super::super::lineage::{Depth, Present, inputs_of};
use crate::store::schema::{
    ClaimRow, CompressionRow, Row, SettingRow, SummaryRow, TrainingSummaryRow, WeightSummaryRow,
};
use crate::store::{Experiment, StoreError, read_rows, verified_hash};

/// The tables over runs in one folder, by experiment.
pub(super) struct RunTables {
    pub(super) summary: BTreeMap<String, Vec<SummaryRow>>,
    pub(super) compression: BTreeMap<String, Vec<CompressionRow>>,
    pub(super) training: BTreeMap<String, Vec<TrainingSummaryRow>>,
    pub(super) weights: BTreeMap<String, Vec<WeightSummaryRow>>,
    pub(super) claims: BTreeMap<String, Vec<ClaimRow>>,
    /// The parameters of the sweep; none without a sweep.
    pub(super) varied: BTreeMap<String, Vec<SettingRow>>,
    /// Names and hashes of the tables.
    pub(super) files: Vec<(String, String)>,
    /// Hashes of the tables that the summary was made from.
    pub(super) made_from: BTreeSet<String>,
    /// The current tables, for the comparison with the inputs of derived tables.
    pub(super) present: Present,
    /// Problems of the tables, one sentence each.
    pub(super) remarks: Vec<String>,
}

impl RunTables {
    /// Reads the tables in `folder` about `experiments`. Claims that were judged with earlier tables are left out.
    pub(super) fn read(folder: &Path, experiments: &[Experiment]) -> Result<Self, StageError> {
        let present = Present::of(experiments, folder, Depth::WithoutActivations)?;
        let mut files = Vec::new();
        let tables = [
            (Experiment::SUMMARY, "summary"),
            (Experiment::COMPRESSION, "summary"),
            (Experiment::TRAINING_SUMMARY, "summary"),
            (Experiment::WEIGHT_SUMMARY, "summary"),
            (Experiment::CLAIMS, "claims"),
            (Experiment::SETTINGS, "experiments"),
        ];
        for (table, manifest) in tables {
            if folder.join(table).exists() {
                files.push((table.to_owned(), verified_hash(folder, manifest, table)?));
            }
        }
        let has_summary = folder.join(Experiment::SUMMARY).exists();
        let (summary, remark) = if has_summary { read_summary(folder)? } else { (Vec::new(), None) };
        let mut remarks: Vec<String> = remark.into_iter().collect();
        let mut claims: Vec<ClaimRow> = rows(&folder.join(Experiment::CLAIMS))?;
        if !claims.is_empty() && !present.has_inputs_of(folder, "claims")? {
            claims.clear();
            files.retain(|(table, _)| table != Experiment::CLAIMS);
            let claims = folder.join(Experiment::CLAIMS);
            remarks.push(format!(
                "{} is left out: it was made from tables that were changed since; run `infoplane verify` again",
                claims.display()
            ));
        }
        Ok(Self {
            summary: by_experiment(summary, |row: &SummaryRow| &row.experiment),
            remarks,
            present,
            compression: by_experiment(rows(&folder.join(Experiment::COMPRESSION))?, |row: &CompressionRow| {
                &row.experiment
            }),
            training: by_experiment(rows(&folder.join(Experiment::TRAINING_SUMMARY))?, |row: &TrainingSummaryRow| {
                &row.experiment
            }),
            weights: by_experiment(rows(&folder.join(Experiment::WEIGHT_SUMMARY))?, |row: &WeightSummaryRow| {
                &row.experiment
            }),
            varied: by_experiment(rows(&folder.join(Experiment::SETTINGS))?, |row: &SettingRow| &row.experiment),
            claims: by_experiment(claims, |row: &ClaimRow| &row.experiment),
            files,
            made_from: inputs_of(folder, "summary")?,
        })
    }
}

/// The rows of a table; none if the file is missing.
fn rows<R: Row>(table: &Path) -> Result<Vec<R>, StoreError> {
    if table.exists() { read_rows(table) } else { Ok(Vec::new()) }
}

/// The rows of a table by experiment.
fn by_experiment<R>(rows: Vec<R>, experiment: fn(&R) -> &String) -> BTreeMap<String, Vec<R>> {
    let mut by_experiment: BTreeMap<String, Vec<R>> = BTreeMap::new();
    for row in rows {
        by_experiment.entry(experiment(&row).clone()).or_default().push(row);
    }
    by_experiment
}
