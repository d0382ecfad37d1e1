//! The data of the page of a report, as JSON: numbers are f32, arrays of them in base64, decoded by `page/numbers.js`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::super::StageError;
use super::super::findings::{Finding, findings};
use super::super::keys::missing_runs;
use super::super::lineage::{CurrentEstimates, inputs_of};
use super::provenance::Provenance;
use super::tables::RunTables;
use super::weights::MeasureData;
use crate::estimate_id::{EstimateId, Unit};
use crate::layer_id::LayerId;
use crate::store::schema::{CheckRow, ClaimRow, CompressionRow, EstimateRow, SummaryRow, VERSION};
use crate::store::{CheckVerdict, Experiment, RunId, layer_in_words, read_all_rows, read_rows, verified_hash};

/// Most numbers of single runs in one page, so that browsers open it quickly: 48 MB of base64.
const MOST_NUMBERS: usize = 9_000_000;

/// An experiment and the folder with the tables over its runs: the experiment's folder, or the folder of its sweep.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) experiment: Experiment,
    pub(super) summaries: PathBuf,
    /// The sweep that the experiment belongs to.
    pub(super) sweep: Option<String>,
}

/// Everything that the script of the page reads.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    infoplane: &'static str,
    schema_version: u32,
    pub(super) experiments: Vec<ExperimentData>,
    notes: Vec<Note>,
    #[serde(skip)]
    pub(super) fallback: String,
}

/// A sentence for the reader of the page.
#[derive(Debug, Serialize)]
pub(super) struct Note {
    kind: NoteKind,
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum NoteKind {
    /// Data that the page lacks.
    Missing,
    /// An estimator or a layer that some of the experiments lack.
    Difference,
}

impl Note {
    pub(super) fn missing(text: String) -> Self {
        Self { kind: NoteKind::Missing, text }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ExperimentData {
    name: String,
    runs: Vec<String>,
    layers: Vec<LayerId>,
    /// What each of them is called, by its name or its number.
    layer_names: Vec<String>,
    n_trainings_failed: Option<i64>,
    fits: Fits,
    estimates: Vec<EstimateData>,
    weights: Vec<MeasureData>,
    compression: Vec<CompressionRow>,
    claims: Vec<ClaimRow>,
    checks: Vec<Finding>,
    checked: bool,
    provenance: Provenance,
}

/// Losses and accuracies, means over runs, one number per snapshot.
#[derive(Debug, Default, Serialize)]
struct Fits {
    epochs: Vec<i32>,
    steps: Vec<i64>,
    loss_train: Option<String>,
    loss_test: Option<String>,
    squared_error_train: Option<String>,
    squared_error_test: Option<String>,
    accuracy_train: Option<String>,
    accuracy_test: Option<String>,
}

#[derive(Debug, Serialize)]
struct EstimateData {
    id: String,
    #[serde(flatten)]
    estimator: Arc<EstimateId>,
    /// The identity without the value of the scale.
    all_scales: String,
    quantity: String,
    runs: Vec<String>,
    epochs: Vec<i32>,
    steps: Vec<i64>,
    i_xt: Option<Curve>,
    i_ty: Option<Curve>,
    i_xt_null: Option<String>,
    i_ty_null: Option<String>,
    i_xt_ceiling: Option<f64>,
    i_ty_ceiling: Option<f64>,
    n_failed: i32,
}

/// One quantity by layer and snapshot; `runs` by run, layer and snapshot.
#[derive(Debug, Serialize)]
struct Curve {
    mean: String,
    low: String,
    high: String,
    runs: Option<String>,
}

impl Page {
    /// Reads the tables of all `sources` and adds to the `notes` about missing data; also returns the hashes of the tables.
    pub(super) fn read(sources: &[Source], mut notes: Vec<Note>) -> Result<(Self, Vec<String>), StageError> {
        let mut names: Vec<String> = sources.iter().map(|source| source.experiment.name()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let problem = format!("two experiments are called `{}`; make a report of each folder", pair[0]);
            return Err(StageError::Refused(problem));
        }
        let (mut experiments, mut hashes) = (Vec::new(), Vec::new());
        let mut fallback = String::new();
        let mut n_numbers = 0;
        let mut folders: BTreeMap<&Path, RunTables> = BTreeMap::new();
        for source in sources {
            let name = source.experiment.name();
            let run_tables = match folders.entry(&source.summaries) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let is_here = |other: &&Source| other.summaries == source.summaries;
                    let members: Vec<Experiment> =
                        sources.iter().filter(is_here).map(|source| source.experiment.clone()).collect();
                    let run_tables = RunTables::read(&source.summaries, &members)?;
                    notes.extend(run_tables.remarks.iter().cloned().map(Note::missing));
                    entry.insert(run_tables)
                }
            };
            let summary = run_tables.summary.remove(&name).unwrap_or_default();
            if summary.is_empty() {
                let summary = source.summaries.join(Experiment::SUMMARY);
                notes.push(Note::missing(format!("{name} is left out: it is not in {}", summary.display())));
                continue;
            }
            if fallback.is_empty() {
                fallback = super::fallback(&summary);
            }
            let experiment = ExperimentData::read(source, run_tables, &summary, &mut n_numbers, &mut notes)?;
            hashes.extend(experiment.provenance.files.iter().map(|(_, hash)| hash.clone()));
            experiments.push(experiment);
        }
        if n_numbers > MOST_NUMBERS {
            let text = "single runs of some estimators are left out, because there are too many numbers for a page";
            notes.push(Note::missing(text.to_owned()));
        }
        if experiments.is_empty() {
            let first = sources.first().map_or_else(PathBuf::new, |source| source.summaries.clone());
            let problem = format!(
                "{}: its summary contains none of these experiments; run `infoplane aggregate` again",
                first.display()
            );
            return Err(StageError::Refused(problem));
        }
        notes.extend(differences(&experiments));
        let page = Self { infoplane: env!("CARGO_PKG_VERSION"), schema_version: VERSION, experiments, notes, fallback };
        Ok((page, hashes))
    }
}

impl ExperimentData {
    fn read(
        source: &Source,
        run_tables: &mut RunTables,
        summary: &[SummaryRow],
        n_numbers: &mut usize,
        notes: &mut Vec<Note>,
    ) -> Result<Self, StageError> {
        let (experiment, name) = (&source.experiment, source.experiment.name());
        let checks_file = experiment.root().join(Experiment::CHECKS);
        let is_there = checks_file.exists();
        let is_current = run_tables.present.has_inputs_of(experiment.root(), "checks")?;
        let checks: Option<Vec<CheckRow>> = if is_there && is_current { Some(read_rows(&checks_file)?) } else { None };
        let mut files = run_tables.files.clone();
        if checks.is_some() {
            let hash = verified_hash(experiment.root(), "checks", Experiment::CHECKS)?;
            files.push((Experiment::CHECKS.to_owned(), hash));
        }
        let mut estimates = Vec::new();
        let mut runs = BTreeSet::new();
        let CurrentEstimates { tables: estimate_files, left_out } = CurrentEstimates::read(experiment, Unit::Layers)?;
        notes.extend(left_out.into_iter().map(|(_, sentence)| Note::missing(sentence)));
        notes.extend(missing_runs(experiment, &estimate_files).map(Note::missing));
        let tables: BTreeMap<String, Vec<PathBuf>> = estimate_files.into_iter().collect();
        let layers: BTreeSet<LayerId> = summary.iter().map(|row| row.layer).collect();
        let layers: Vec<LayerId> = layers.into_iter().collect();
        let checked = inputs_of(experiment.root(), "checks")?;
        let (mut is_older, mut is_checked) = (false, true);
        for rows in summary.chunk_by(|a, b| a.estimator == b.estimator) {
            let paths = tables.get(&rows[0].estimator.to_string()).map_or(&[][..], Vec::as_slice);
            for path in paths {
                let (relative, hash) = experiment.verified_estimates(path)?;
                is_older |= !run_tables.made_from.contains(&hash);
                is_checked &= checked.contains(&hash);
                files.push((relative, hash));
            }
            let single: Vec<EstimateRow> = read_all_rows(paths)?;
            *n_numbers += 2 * single.len();
            let estimate = EstimateData::new(rows, &single, &layers, *n_numbers <= MOST_NUMBERS);
            runs.extend(estimate.runs.iter().filter(|run| **run != RunId::pooled().to_string()).cloned());
            estimates.push(estimate);
        }
        let is_new = |estimator: &String| !estimates.iter().any(|estimate: &EstimateData| estimate.id == *estimator);
        if is_older || tables.keys().any(is_new) {
            let text = format!("{name} has estimates that are not in its summary; run `infoplane aggregate` again");
            notes.push(Note::missing(text));
        }
        if is_there && !(is_current && is_checked) {
            let is_out = if is_current { "" } else { " and are left out" };
            let text = format!("the checks of {name} are about older estimates{is_out}; run `infoplane check` again");
            notes.push(Note::missing(text));
        }
        let objections = |finding: &Finding| finding.verdict != CheckVerdict::Passed;
        Ok(Self {
            name: name.clone(),
            runs: runs.into_iter().collect(),
            n_trainings_failed: summary[0].n_trainings_failed,
            layer_names: layers.iter().map(|layer| name_of(summary, *layer)).collect(),
            layers,
            fits: Fits::of(summary),
            estimates,
            weights: MeasureData::of_tables(&run_tables.weights.remove(&name).unwrap_or_default()),
            compression: run_tables.compression.remove(&name).unwrap_or_default(),
            claims: run_tables.claims.remove(&name).unwrap_or_default(),
            checked: checks.is_some(),
            checks: findings(&checks.unwrap_or_default()).into_iter().filter(objections).collect(),
            provenance: Provenance::read(experiment, source.sweep.as_deref(), files)?,
        })
    }
}

impl Fits {
    fn of(summary: &[SummaryRow]) -> Self {
        let mut rows: BTreeMap<(Option<i64>, i32), &SummaryRow> = BTreeMap::new();
        // Pooled estimates have no losses; other estimates of the same snapshot have them.
        let has_fit = |row: &SummaryRow| row.loss_train_nats_mean.or(row.squared_error_train_mean).is_some();
        for row in summary {
            let kept = rows.entry((row.step, row.epoch)).or_insert(row);
            if !has_fit(kept) && has_fit(row) {
                *kept = row;
            }
        }
        let numbers = |number: fn(&SummaryRow) -> Option<f64>| packed(rows.values().map(|row| number(row)));
        Self {
            epochs: rows.keys().map(|(_, epoch)| *epoch).collect(),
            steps: rows.keys().map(|(step, epoch)| step.unwrap_or((*epoch).into())).collect(),
            loss_train: numbers(|row| row.loss_train_nats_mean),
            loss_test: numbers(|row| row.loss_test_nats_mean),
            squared_error_train: numbers(|row| row.squared_error_train_mean),
            squared_error_test: numbers(|row| row.squared_error_test_mean),
            accuracy_train: numbers(|row| row.accuracy_train_mean),
            accuracy_test: numbers(|row| row.accuracy_test_mean),
        }
    }
}

impl EstimateData {
    /// `summary` has the rows of one estimate over runs, `single` its rows for each run; `layers` are those of the experiment.
    fn new(summary: &[SummaryRow], single: &[EstimateRow], layers: &[LayerId], with_runs: bool) -> Self {
        let id = &summary[0].estimator;
        let snapshots: Vec<(i64, i32)> = summary
            .iter()
            .map(|row| (row.step.unwrap_or(row.epoch.into()), row.epoch))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let runs: Vec<String> = single.iter().map(|row| row.run.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let place = |layer: LayerId, step: i64, epoch: i32| {
            let layer = layers.binary_search(&layer).ok()?;
            Some(layer * snapshots.len() + snapshots.binary_search(&(step, epoch)).ok()?)
        };
        let n = layers.len() * snapshots.len();
        let over_runs = |number: fn(&SummaryRow) -> Option<f64>| {
            let mut numbers = vec![None; n];
            for row in summary {
                if let Some(place) = place(row.layer, row.step.unwrap_or(row.epoch.into()), row.epoch) {
                    numbers[place] = number(row);
                }
            }
            packed(numbers.into_iter())
        };
        let of_runs = |number: fn(&EstimateRow) -> Option<f64>| {
            let mut numbers = vec![None; n * runs.len()];
            for row in single {
                let run = runs.binary_search(&row.run).ok();
                if let (Some(run), Some(place)) = (run, place(row.layer, row.step, row.epoch)) {
                    numbers[run * n + place] = number(row);
                }
            }
            packed(numbers.into_iter()).filter(|_| with_runs)
        };
        type SummaryNumber = fn(&SummaryRow) -> Option<f64>;
        let curve = |[mean, low, high]: [SummaryNumber; 3], runs: fn(&EstimateRow) -> Option<f64>| {
            let mean = over_runs(mean)?;
            let none = || packed_all(&vec![f32::NAN; n]);
            let [low, high] = [low, high].map(|number| over_runs(number).unwrap_or_else(none));
            Some(Curve { mean, low, high, runs: of_runs(runs) })
        };
        let i_xt: [SummaryNumber; 3] = [|row| row.i_xt_bits_mean, |row| row.i_xt_bits_low, |row| row.i_xt_bits_high];
        let i_ty: [SummaryNumber; 3] = [|row| row.i_ty_bits_mean, |row| row.i_ty_bits_low, |row| row.i_ty_bits_high];
        // The ceiling of the widest layer: a layer of few units may have a lower one.
        let most = |number: SummaryNumber| summary.iter().filter_map(number).reduce(f64::max);
        let first = single.first();
        Self {
            estimator: Arc::clone(id),
            all_scales: id.at_all_scales().to_string(),
            quantity: first.and_then(|row| row.quantity.clone()).unwrap_or_default(),
            i_xt: curve(i_xt, |row| row.i_xt_bits),
            i_ty: curve(i_ty, |row| row.i_ty_bits),
            i_xt_null: over_runs(|row| row.i_xt_null_bits_mean),
            i_ty_null: over_runs(|row| row.i_ty_null_bits_mean),
            i_xt_ceiling: most(|row| row.i_xt_ceiling_bits),
            i_ty_ceiling: most(|row| row.i_ty_ceiling_bits),
            n_failed: summary.iter().map(|row| row.n_failed).sum(),
            epochs: snapshots.iter().map(|(_, epoch)| *epoch).collect(),
            steps: snapshots.iter().map(|(step, _)| *step).collect(),
            runs,
            id: id.to_string(),
        }
    }
}

/// The name of a layer in the summary; the last one without a name is the output.
fn name_of(summary: &[SummaryRow], layer: LayerId) -> String {
    let name = summary.iter().filter(|row| row.layer == layer).find_map(|row| row.layer_name.as_deref());
    let is_last = summary.iter().all(|row| row.layer <= layer);
    match name {
        None if is_last => format!("output (layer {layer})"),
        Some("output") if is_last => format!("output (layer {layer})"),
        name => layer_in_words(layer, name),
    }
}

/// Layers and estimators that only some of the experiments have.
fn differences(experiments: &[ExperimentData]) -> Vec<Note> {
    let mut owners: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for experiment in experiments {
        for layer in &experiment.layers {
            owners.entry(format!("layer {layer}")).or_default().push(&experiment.name);
        }
        for estimate in &experiment.estimates {
            owners.entry(format!("estimator {}", estimate.id)).or_default().push(&experiment.name);
        }
    }
    let partial = owners.into_iter().filter(|(_, owners)| owners.len() < experiments.len());
    let text = |(subject, owners): (String, Vec<&str>)| format!("{subject} is only in {}", owners.join(", "));
    partial.map(|found| Note { kind: NoteKind::Difference, text: text(found) }).collect()
}

/// Numbers in f32, NaN if missing; `None` if all are missing.
pub(super) fn packed(numbers: impl Iterator<Item = Option<f64>>) -> Option<String> {
    let numbers: Vec<f32> = numbers.map(|number| number.map_or(f32::NAN, |number| number as f32)).collect();
    numbers.iter().any(|number| number.is_finite()).then(|| packed_all(&numbers))
}

fn packed_all(numbers: &[f32]) -> String {
    STANDARD.encode(numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_packed_little_endian_with_nan_if_missing() {
        assert_eq!(packed([None, None].into_iter()), None);
        // 1.0 is 0x3F800000, the quiet NaN 0x7FC00000.
        let bytes = STANDARD.decode(packed([Some(1.0), None].into_iter()).unwrap()).unwrap();
        assert_eq!(bytes, [0, 0, 0x80, 0x3F, 0, 0, 0xC0, 0x7F]);
    }
}
