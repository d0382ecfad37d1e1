//! The data of the page of a report, as JSON: what the script of the page reads.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::StageError;
use super::super::findings::{Finding, findings};
use super::super::histograms;
use super::super::keys::missing_runs;
use super::super::lineage::{CurrentEstimates, inputs_of};
use super::checks::CheckCounts;
use super::estimates::EstimateData;
use super::histograms::HistogramData;
use super::network::{Fits, GradientData};
use super::provenance::Provenance;
use super::tables::RunTables;
use super::weights::MeasureData;
use crate::estimate_id::Unit;
use crate::layer_id::LayerId;
use crate::plots::histograms::SHARE_TICKS;
use crate::store::schema::{CheckRow, ClaimRow, CompressionRow, EstimateRow, SummaryRow, VERSION};
use crate::store::{
    CheckVerdict, Experiment, RunId, StoreError, layer_in_words, read_all_rows, read_rows, verified_hash,
};

/// Most numbers of single runs in one page, so that browsers open it quickly: 48 MB of base64.
const MOST_NUMBERS: usize = 9_000_000;

/// Largest size of the histograms in one page, so that browsers open it quickly. An experiment with six layers has 0.06 MB.
const MOST_HISTOGRAM_BYTES: usize = 4_000_000;

/// Size of the data that is limited, so far.
#[derive(Debug, Default)]
struct PageSize {
    /// Numbers of single runs.
    numbers: usize,
    histogram_bytes: usize,
}

/// An experiment and the folder with the tables over its runs: the experiment's folder, or the folder of its sweep.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) experiment: Experiment,
    pub(super) summaries: PathBuf,
    /// Name of the sweep that contains the experiment.
    pub(super) sweep: Option<String>,
}

/// Everything that the script of the page reads.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    infoplane: &'static str,
    schema_version: u32,
    pub(super) experiments: Vec<ExperimentData>,
    notes: Vec<Note>,
    /// The scale of shades of histograms: shares with their labels.
    share_ticks: [(f64, &'static str); 4],
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
    /// The name of each layer; its number if it has no name.
    layer_names: Vec<String>,
    n_trainings_failed: Option<i64>,
    fits: Fits,
    gradients: Option<GradientData>,
    histograms: Vec<HistogramData>,
    /// The parameters of the sweep with their values in this experiment; none without a sweep.
    varied: Vec<(String, String)>,
    estimates: Vec<EstimateData>,
    weights: Vec<MeasureData>,
    compression: Vec<CompressionRow>,
    claims: Vec<ClaimRow>,
    checks: Vec<Finding>,
    check_counts: Vec<CheckCounts>,
    checked: bool,
    provenance: Provenance,
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
        let mut size = PageSize::default();
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
            let experiment = ExperimentData::read(source, run_tables, &summary, &mut size, &mut notes)?;
            hashes.extend(experiment.provenance.files.iter().map(|(_, hash)| hash.clone()));
            experiments.push(experiment);
        }
        if size.numbers > MOST_NUMBERS {
            let text = "single runs of some estimators are left out, because there are too many numbers for a page";
            notes.push(Note::missing(text.to_owned()));
        }
        if size.histogram_bytes > MOST_HISTOGRAM_BYTES {
            let text = "the histograms of some experiments are left out, because there are too many for a page";
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
        let (infoplane, share_ticks) = (env!("CARGO_PKG_VERSION"), SHARE_TICKS);
        let page = Self { infoplane, schema_version: VERSION, experiments, notes, share_ticks, fallback };
        Ok((page, hashes))
    }
}

impl ExperimentData {
    fn read(
        source: &Source,
        run_tables: &mut RunTables,
        summary: &[SummaryRow],
        size: &mut PageSize,
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
            size.numbers += 2 * single.len();
            let estimate = EstimateData::new(rows, &single, &layers, size.numbers <= MOST_NUMBERS);
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
        let histograms = histograms_of(experiment, size).unwrap_or_else(|reason| {
            notes.push(Note::missing(format!("the histograms of {name} are left out: {reason}")));
            Vec::new()
        });
        let checks = checks.unwrap_or_default();
        let training = run_tables.training.remove(&name).unwrap_or_default();
        let objections = |finding: &Finding| finding.verdict != CheckVerdict::Passed;
        Ok(Self {
            name: name.clone(),
            runs: runs.into_iter().collect(),
            n_trainings_failed: summary[0].n_trainings_failed,
            layer_names: layers.iter().map(|layer| name_of(summary, *layer)).collect(),
            layers,
            fits: Fits::of(summary, &training),
            gradients: GradientData::of(summary, &training),
            histograms,
            varied: run_tables
                .varied
                .remove(&name)
                .unwrap_or_default()
                .into_iter()
                .map(|row| (row.parameter, row.value))
                .collect(),
            estimates,
            weights: MeasureData::of_tables(&run_tables.weights.remove(&name).unwrap_or_default()),
            compression: run_tables.compression.remove(&name).unwrap_or_default(),
            claims: run_tables.claims.remove(&name).unwrap_or_default(),
            checked: is_there && is_current,
            check_counts: CheckCounts::of(&checks),
            checks: findings(&checks).into_iter().filter(objections).collect(),
            provenance: Provenance::read(experiment, source.sweep.as_deref(), files)?,
        })
    }
}

/// The histograms of the first run; none if its activations were removed, or if the page has too many already.
fn histograms_of(experiment: &Experiment, size: &mut PageSize) -> Result<Vec<HistogramData>, StoreError> {
    if size.histogram_bytes > MOST_HISTOGRAM_BYTES {
        return Ok(Vec::new());
    }
    let histograms = HistogramData::of_layers(&histograms::of(experiment)?);
    size.histogram_bytes += histograms.iter().map(HistogramData::bytes).sum::<usize>();
    Ok(if size.histogram_bytes > MOST_HISTOGRAM_BYTES { Vec::new() } else { histograms })
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
