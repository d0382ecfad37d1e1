//! What the page of a report holds: every number in f32, base64 where there are many, read back by `page.js`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::super::StageError;
use super::super::findings::{Finding, findings};
use crate::estimate_id::{EstimateId, EstimatorId};
use crate::store::schema::{CheckRow, ClaimRow, CompressionRow, EstimateRow, Row, SummaryRow, VERSION};
use crate::store::{CheckVerdict, Experiment, Manifest, RunId, StoreError, read_all_rows, read_rows, verified_hash};

/// Numbers of single runs that a page may hold, so that browsers open it at once: 48 MB.
const MOST_NUMBERS: usize = 9_000_000;

/// An experiment, and the folder with the tables over its runs: its own, or that of its sweep.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) experiment: Experiment,
    pub(super) summaries: PathBuf,
    /// The sweep that it is of.
    pub(super) sweep: Option<String>,
}

/// All that the script reads.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    infoplane: &'static str,
    schema_version: u32,
    pub(super) experiments: Vec<OfExperiment>,
    notes: Vec<String>,
    #[serde(skip)]
    pub(super) fallback: String,
}

#[derive(Debug, Serialize)]
pub(super) struct OfExperiment {
    name: String,
    runs: Vec<String>,
    layers: Vec<i32>,
    n_trainings_failed: Option<i64>,
    fits: Fits,
    estimates: Vec<OfEstimator>,
    compression: Vec<CompressionRow>,
    claims: Vec<ClaimRow>,
    checks: Vec<Finding>,
    checked: bool,
    provenance: Provenance,
}

/// Means over runs, one number an epoch.
#[derive(Debug, Default, Serialize)]
struct Fits {
    epochs: Vec<i32>,
    loss_train: Option<String>,
    loss_test: Option<String>,
    squared_error_train: Option<String>,
    squared_error_test: Option<String>,
    accuracy_train: Option<String>,
    accuracy_test: Option<String>,
}

#[derive(Debug, Serialize)]
struct OfEstimator {
    id: String,
    #[serde(flatten)]
    estimator: Arc<EstimateId>,
    /// The variant with its scale, for a list.
    setting: String,
    /// The identity that all scales share.
    all_scales: String,
    quantity: String,
    runs: Vec<String>,
    epochs: Vec<i32>,
    steps: Vec<i64>,
    i_xt: Option<Course>,
    i_ty: Option<Course>,
    i_xt_null: Option<String>,
    i_ty_null: Option<String>,
    i_xt_ceiling: Option<f64>,
    i_ty_ceiling: Option<f64>,
    n_failed: i32,
}

/// Numbers by layer and snapshot; of single runs by run, layer and snapshot.
#[derive(Debug, Serialize)]
struct Course {
    mean: String,
    low: String,
    high: String,
    runs: Option<String>,
}

#[derive(Debug, Serialize)]
struct Provenance {
    crate_version: String,
    schema_version: u32,
    config_hash: String,
    settings: String,
    commands: Vec<String>,
    files: Vec<(String, String)>,
}

impl Page {
    /// Reads the tables of all `sources`; also gives the hashes of what was read. The `notes` are about what is not there.
    pub(super) fn read(sources: &[Source], mut notes: Vec<String>) -> Result<(Self, Vec<String>), StageError> {
        let mut names: Vec<String> = sources.iter().map(|source| source.experiment.name()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let problem = format!("two experiments are called `{}`; make a report of each folder", pair[0]);
            return Err(StageError::Refused(problem));
        }
        let (mut experiments, mut hashes) = (Vec::new(), Vec::new());
        let mut fallback = String::new();
        let mut n_numbers = 0;
        let mut folders: BTreeMap<&Path, OverRuns> = BTreeMap::new();
        for source in sources {
            let name = source.experiment.name();
            let over_runs = match folders.entry(&source.summaries) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(OverRuns::read(&source.summaries)?),
            };
            let summary = over_runs.summary.remove(&name).unwrap_or_default();
            if summary.is_empty() {
                notes.push(format!(
                    "{name} is left out: it is not in {}",
                    source.summaries.join(Experiment::SUMMARY).display()
                ));
                continue;
            }
            if fallback.is_empty() {
                fallback = super::fallback(&summary);
            }
            let of_experiment = OfExperiment::read(source, over_runs, &summary, &mut n_numbers, &mut notes)?;
            hashes.extend(of_experiment.provenance.files.iter().map(|(_, hash)| hash.clone()));
            experiments.push(of_experiment);
        }
        if n_numbers > MOST_NUMBERS {
            notes.push(
                "single runs of some estimators are left out, because there are too many numbers for a page".to_owned(),
            );
        }
        if experiments.is_empty() {
            let first = sources.first().map_or_else(PathBuf::new, |source| source.summaries.clone());
            let problem = format!(
                "{}: its summary is of no experiment that is here; run `infoplane aggregate` again",
                first.display()
            );
            return Err(StageError::Refused(problem));
        }
        notes.extend(what_does_not_match(&experiments));
        let page = Self { infoplane: env!("CARGO_PKG_VERSION"), schema_version: VERSION, experiments, notes, fallback };
        Ok((page, hashes))
    }
}

/// The tables over runs of one folder, by experiment.
struct OverRuns {
    summary: BTreeMap<String, Vec<SummaryRow>>,
    compression: BTreeMap<String, Vec<CompressionRow>>,
    claims: BTreeMap<String, Vec<ClaimRow>>,
    /// Names and hashes of the tables.
    files: Vec<(String, String)>,
    /// Hashes of what the summary was made from.
    made_from: BTreeSet<String>,
}

impl OverRuns {
    fn read(folder: &Path) -> Result<Self, StoreError> {
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

/// The rows of a table by experiment; none where there is no table.
fn by_experiment<R: Row>(table: &Path, experiment: fn(&R) -> &String) -> Result<BTreeMap<String, Vec<R>>, StoreError> {
    let mut rows: BTreeMap<String, Vec<R>> = BTreeMap::new();
    if table.exists() {
        for row in read_rows::<R>(table)? {
            rows.entry(experiment(&row).clone()).or_default().push(row);
        }
    }
    Ok(rows)
}

impl OfExperiment {
    fn read(
        source: &Source,
        over_runs: &mut OverRuns,
        summary: &[SummaryRow],
        n_numbers: &mut usize,
        notes: &mut Vec<String>,
    ) -> Result<Self, StageError> {
        let (experiment, name) = (&source.experiment, source.experiment.name());
        let checks_file = experiment.root().join(Experiment::CHECKS);
        let checks: Option<Vec<CheckRow>> = if checks_file.exists() { Some(read_rows(&checks_file)?) } else { None };
        let mut files = over_runs.files.clone();
        if checks.is_some() {
            let hash = verified_hash(experiment.root(), "checks", Experiment::CHECKS)?;
            files.push((Experiment::CHECKS.to_owned(), hash));
        }
        let mut estimates = Vec::new();
        let mut runs = BTreeSet::new();
        let tables: BTreeMap<String, Vec<PathBuf>> = experiment.estimate_files()?.into_iter().collect();
        let layers: BTreeSet<i32> = summary.iter().map(|row| row.layer).collect();
        let layers: Vec<i32> = layers.into_iter().collect();
        let checked = inputs_of(experiment.root(), "checks")?;
        let (mut is_older, mut is_checked) = (false, true);
        for rows in summary.chunk_by(|a, b| a.estimator == b.estimator) {
            let paths = tables.get(&rows[0].estimator.to_string()).map_or(&[][..], Vec::as_slice);
            for path in paths {
                let (relative, hash) = experiment.verified_estimates(path)?;
                is_older |= !over_runs.made_from.contains(&hash);
                is_checked &= checked.contains(&hash);
                files.push((format!("estimates/{relative}"), hash));
            }
            let single: Vec<EstimateRow> = read_all_rows(paths)?;
            *n_numbers += 2 * single.len();
            let of_estimator = OfEstimator::new(rows, &single, &layers, *n_numbers <= MOST_NUMBERS);
            runs.extend(of_estimator.runs.iter().filter(|run| **run != RunId::pooled().to_string()).cloned());
            estimates.push(of_estimator);
        }
        let is_new = |estimator: &String| !estimates.iter().any(|of: &OfEstimator| of.id == *estimator);
        if is_older || tables.keys().any(is_new) {
            notes.push(format!(
                "{name} has estimates that its summary knows nothing of; run `infoplane aggregate` again"
            ));
        }
        if checks.is_some() && !is_checked {
            notes.push(format!("the checks of {name} are of other estimates; run `infoplane check` again"));
        }
        let objections = |finding: &Finding| finding.verdict != CheckVerdict::Passed;
        Ok(Self {
            name: name.clone(),
            runs: runs.into_iter().collect(),
            n_trainings_failed: summary[0].n_trainings_failed,
            layers,
            fits: Fits::of(summary),
            estimates,
            compression: over_runs.compression.remove(&name).unwrap_or_default(),
            claims: over_runs.claims.remove(&name).unwrap_or_default(),
            checked: checks.is_some(),
            checks: findings(&checks.unwrap_or_default()).into_iter().filter(objections).collect(),
            provenance: Provenance::of(source, files)?,
        })
    }
}

impl Fits {
    fn of(summary: &[SummaryRow]) -> Self {
        let mut rows: BTreeMap<(Option<i64>, i32), &SummaryRow> = BTreeMap::new();
        // Pooled estimates have no losses, others of the same snapshot do.
        let tells = |row: &SummaryRow| row.loss_train_nats_mean.or(row.squared_error_train_mean).is_some();
        for row in summary {
            let known = rows.entry((row.step, row.epoch)).or_insert(row);
            if !tells(known) && tells(row) {
                *known = row;
            }
        }
        let numbers = |number: fn(&SummaryRow) -> Option<f64>| packed(rows.values().map(|row| number(row)));
        Self {
            epochs: rows.keys().map(|(_, epoch)| *epoch).collect(),
            loss_train: numbers(|row| row.loss_train_nats_mean),
            loss_test: numbers(|row| row.loss_test_nats_mean),
            squared_error_train: numbers(|row| row.squared_error_train_mean),
            squared_error_test: numbers(|row| row.squared_error_test_mean),
            accuracy_train: numbers(|row| row.accuracy_train_mean),
            accuracy_test: numbers(|row| row.accuracy_test_mean),
        }
    }
}

impl OfEstimator {
    /// `summary` are the rows of one estimator, `single` those of its runs, `layers` those of the experiment.
    fn new(summary: &[SummaryRow], single: &[EstimateRow], layers: &[i32], with_runs: bool) -> Self {
        let id = &summary[0].estimator;
        let snapshots: Vec<(i64, i32)> = summary
            .iter()
            .map(|row| (row.step.unwrap_or(row.epoch.into()), row.epoch))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let runs: Vec<String> = single.iter().map(|row| row.run.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let place = |layer: i32, step: i64, epoch: i32| {
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
        type OfSummary = fn(&SummaryRow) -> Option<f64>;
        let course = |[mean, low, high]: [OfSummary; 3], runs: fn(&EstimateRow) -> Option<f64>| {
            let mean = over_runs(mean)?;
            let none = || packed_all(&vec![f32::NAN; n]);
            let [low, high] = [low, high].map(|number| over_runs(number).unwrap_or_else(none));
            Some(Course { mean, low, high, runs: of_runs(runs) })
        };
        let i_xt: [OfSummary; 3] = [|row| row.i_xt_bits_mean, |row| row.i_xt_bits_low, |row| row.i_xt_bits_high];
        let i_ty: [OfSummary; 3] = [|row| row.i_ty_bits_mean, |row| row.i_ty_bits_low, |row| row.i_ty_bits_high];
        // That of a wide layer: one of few units may have a lower one.
        let most = |number: OfSummary| summary.iter().filter_map(number).reduce(f64::max);
        let first = single.first();
        Self {
            estimator: Arc::clone(id),
            setting: setting(&id.estimator),
            all_scales: id.at_all_scales().to_string(),
            quantity: first.and_then(|row| row.quantity.clone()).unwrap_or_default(),
            i_xt: course(i_xt, |row| row.i_xt_bits),
            i_ty: course(i_ty, |row| row.i_ty_bits),
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

/// The variant and the scale of an estimator: `n_edges 30`, `upper noise_variance 0.1`.
fn setting(estimator: &EstimatorId) -> String {
    let variant = estimator.variant();
    let scale = estimator.scale.and_then(|scale| Some((scale.kind.name(), scale.value?)));
    let correction = Some(estimator.correction_name()).filter(|name| *name != "none").map(str::to_owned);
    let scale = scale.map(|(kind, value)| match variant.as_deref().is_some_and(|variant| variant.starts_with(kind)) {
        true => value.to_string(),
        false => format!("{kind} {value}"),
    });
    [variant, scale, correction].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

impl Provenance {
    fn of(source: &Source, files: Vec<(String, String)>) -> Result<Self, StageError> {
        let (experiment, name) = (&source.experiment, source.experiment.name());
        let is_there = experiment.recording().exists();
        let commands = match &source.sweep {
            Some(sweep) => vec![
                format!("infoplane run pipelines/{sweep}.toml --only '{name}'"),
                format!("infoplane check outputs/{sweep}/{name}"),
                format!("infoplane report outputs/{sweep}"),
            ],
            None => vec![
                format!("infoplane run pipelines/{name}.toml"),
                format!("infoplane check outputs/{name}"),
                format!("infoplane report outputs/{name}"),
            ],
        };
        let claim = Manifest::read(&experiment.recording().join(".meta/settings.json"))?;
        let (settings, commands) = match &claim {
            Some(claim) => (claim.made_from.get("run").map_or_else(String::new, |run| lines("", run)), commands),
            None if is_there => {
                ("recorded by another program, which says nothing of its settings".to_owned(), Vec::new())
            }
            None => ("the recording is not here, and its settings with it".to_owned(), commands),
        };
        Ok(Self {
            crate_version: claim.as_ref().map_or_else(|| "unknown".to_owned(), |claim| claim.crate_version.clone()),
            schema_version: claim.as_ref().map_or(0, |claim| claim.schema_version),
            config_hash: claim.map_or_else(String::new, |claim| claim.key),
            settings,
            commands,
            files,
        })
    }
}

/// The hashes of all that a stage read, as its manifest has them.
fn inputs_of(root: &Path, manifest: &str) -> Result<BTreeSet<String>, StoreError> {
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

/// Settings as lines of `key = value`; long lists show their ends.
fn lines(prefix: &str, settings: &serde_json::Value) -> String {
    let Some(table) = settings.as_object() else { return String::new() };
    let line = |(key, value): (&String, &serde_json::Value)| match value {
        serde_json::Value::Object(_) => lines(&format!("{prefix}{key}."), value),
        serde_json::Value::Array(list) if list.len() > 12 => {
            let (first, last) = (&list[..4], &list[list.len() - 1]);
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{prefix}{key} = [{}, … {} values …, {last}]\n", first.join(", "), list.len())
        }
        value => format!("{prefix}{key} = {value}\n"),
    };
    table.iter().map(line).collect()
}

/// What one experiment has and another has not: it is shown for those that have it.
fn what_does_not_match(experiments: &[OfExperiment]) -> Vec<String> {
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
    partial.map(|(what, owners)| format!("{what} is only in {}", owners.join(", "))).collect()
}

/// Numbers in f32, NaN for what is missing; `None` where all is missing.
fn packed(numbers: impl Iterator<Item = Option<f64>>) -> Option<String> {
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
    fn numbers_are_packed_little_endian_with_nan_for_what_is_missing() {
        assert_eq!(packed([None, None].into_iter()), None);
        // 1.0 is 0x3F800000, the quiet NaN 0x7FC00000.
        let bytes = STANDARD.decode(packed([Some(1.0), None].into_iter()).unwrap()).unwrap();
        assert_eq!(bytes, [0, 0, 0x80, 0x3F, 0, 0, 0xC0, 0x7F]);
    }

    #[test]
    fn settings_are_lines_and_long_lists_show_their_ends() {
        let list: Vec<i32> = (0..20).collect();
        let settings = serde_json::json!({ "seed": 1, "record": { "epochs": list, "layers": [1, 2] } });
        let expected = "record.epochs = [0, 1, 2, 3, … 20 values …, 19]\nrecord.layers = [1,2]\nseed = 1\n";
        assert_eq!(lines("", &settings), expected);
    }
}
