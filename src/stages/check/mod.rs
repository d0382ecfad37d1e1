//! The check stage: reads estimates and writes verdicts on their reliability to `checks.parquet`.

mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

pub use super::findings::{Finding, meaning};
use super::findings::{badness, findings};
use super::lineage::CurrentEstimates;
use super::{Outcome, StageError, lineage};
use crate::count::counted;
use crate::estimate_id::{EstimateId, Samples};
use crate::layer_id::LayerId;
use crate::store::schema::{CheckRow, EpochRow, EstimateRow, Row, SplitRow, VERSION, accuracy_problem};
use crate::store::{
    CheckVerdict, Experiment, Footer, LayerNames, Lock, Pending, RecordedRun, Recording, StoreError, believed_hash,
    read_recorded, read_rows, read_samples, verified_hash, write_rows,
};
use judge::{Accuracy, Judgement, Scales, judge};

/// The results of all checks of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckResults {
    /// Name of the experiment.
    pub experiment: String,
    /// Number of estimates that were checked.
    pub n_estimates: usize,
    /// One entry per estimator and check, in the order of the checks.
    pub findings: Vec<Finding>,
}

impl CheckResults {
    /// Number of checks that end in a warning or a violation.
    pub fn n_objections(&self) -> usize {
        let objects = |finding: &&Finding| finding.verdict >= CheckVerdict::Warning;
        self.findings.iter().filter(objects).count()
    }
}

/// Judgements with equal keys are combined over runs: estimator, layer, step, epoch, check.
type Key = (Arc<EstimateId>, LayerId, i64, i32, &'static str);

/// One judgement, combined over runs.
#[derive(Debug)]
struct OverRuns {
    n_runs: i32,
    n_found: i32,
    n_violated: i64,
    worst: Judgement,
    layer_name: Option<Arc<str>>,
    quantity: Option<String>,
}

/// Judges every estimate of `experiment` and writes `checks.parquet` into `out`.
///
/// # Errors
/// There are no estimates, or a file does not match its hash.
pub fn check(experiment: &Experiment, out: &Path) -> Result<CheckResults, StageError> {
    let Inputs { tables, work } = Inputs::read(experiment, out)?;
    let fits = RecordedFits::read(experiment)?;
    let mut judged: BTreeMap<Key, OverRuns> = BTreeMap::new();
    let (mut scales, mut n_estimates) = (Scales::default(), 0);
    for (_, paths) in &tables {
        for path in paths {
            let rows: Vec<EstimateRow> = read_rows(path)?;
            n_estimates += rows.len();
            for snapshot in by_snapshot(&rows).values() {
                for (place, row) in snapshot.iter().enumerate() {
                    let is_next_layer = |above: &&&EstimateRow| {
                        above.layer.is_next_above(row.layer) && !fits.layers.is_reduced(row.layer)
                    };
                    let above = snapshot.get(place + 1).filter(is_next_layer);
                    let accuracy = match fits.layers.is_reduced(row.layer) {
                        true => Err("the layer is recorded reduced, but the accuracy is of the whole layer"),
                        false => fits.accuracy(row),
                    };
                    for judgement in judge(row, above.copied(), accuracy.as_ref()) {
                        add(&mut judged, Arc::clone(&row.estimator), row, judgement);
                    }
                    scales.add(row);
                }
            }
        }
    }
    for (estimator, row, judgement) in scales.judgements() {
        add(&mut judged, estimator, &row, judgement);
    }

    let rows: Vec<CheckRow> = judged.iter().map(check_row).collect();
    if work.finished()?.is_none() {
        let _lock = Lock::take(out)?;
        let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
        work.finish(vec![write_rows(out, Experiment::CHECKS, &rows, &footer)?])?;
    }
    Ok(CheckResults { experiment: experiment.name(), n_estimates, findings: findings(&rows) })
}

/// As [`check`], but does nothing if the verdicts on these estimates already exist.
///
/// # Errors
/// As [`check`].
pub fn update(experiment: &Experiment, out: &Path) -> Result<Outcome, StageError> {
    if is_done(experiment, out)? {
        return Ok(Outcome::UpToDate);
    }
    let verdicts = check(experiment, out)?;
    let (n, n_findings) = (verdicts.n_objections(), verdicts.findings.len());
    Ok(Outcome::Done(format!(
        "{n} of {} ended in a warning or a violation; run `infoplane check` to list them",
        counted(n_findings, "check")
    )))
}

/// Whether `out` has the verdicts on the present estimates of `experiment`.
///
/// # Errors
/// There are no estimates, or a file does not match its hash.
pub fn is_done(experiment: &Experiment, out: &Path) -> Result<bool, StageError> {
    Ok(Inputs::read(experiment, out)?.work.finished()?.is_some())
}

/// The tables of estimates, and the work of checking them.
struct Inputs {
    tables: Vec<(String, Vec<PathBuf>)>,
    work: Pending,
}

impl Inputs {
    fn read(experiment: &Experiment, out: &Path) -> Result<Self, StageError> {
        let tables = CurrentEstimates::expect(experiment)?;
        let mut hashes = match lineage::recording(experiment)? {
            None => Vec::new(),
            Some(recording) => hashes_of(experiment, &recording)?,
        };
        for path in tables.iter().flat_map(|(_, paths)| paths) {
            hashes.push(experiment.verified_estimates(path)?.1);
        }
        let work = Pending::new(out, "checks", &serde_json::json!({ "tables": hashes, "schema": VERSION }));
        Ok(Self { tables, work })
    }
}

/// The rows of one table by snapshot, each sorted by layer.
fn by_snapshot(rows: &[EstimateRow]) -> BTreeMap<(i32, i64), Vec<&EstimateRow>> {
    let mut snapshots: BTreeMap<(i32, i64), Vec<&EstimateRow>> = BTreeMap::new();
    for row in rows {
        snapshots.entry((row.epoch, row.step)).or_default().push(row);
    }
    snapshots.values_mut().for_each(|rows| rows.sort_by_key(|row| row.layer));
    snapshots
}

fn add(judged: &mut BTreeMap<Key, OverRuns>, estimator: Arc<EstimateId>, row: &EstimateRow, judgement: Judgement) {
    let is_found = i32::from(judgement.verdict > CheckVerdict::Passed);
    let is_violated = i64::from(judgement.verdict == CheckVerdict::Violated);
    let key = (estimator, row.layer, row.step, row.epoch, judgement.check);
    match judged.get_mut(&key) {
        None => {
            let over_runs = OverRuns {
                n_runs: 1,
                n_found: is_found,
                n_violated: is_violated,
                worst: judgement,
                layer_name: row.layer_name.clone(),
                quantity: row.quantity.clone(),
            };
            judged.insert(key, over_runs);
        }
        Some(runs) => {
            runs.n_runs += 1;
            runs.n_found += is_found;
            runs.n_violated += is_violated;
            if severity(&judgement) > severity(&runs.worst) {
                runs.worst = judgement;
            }
        }
    }
}

fn severity(judgement: &Judgement) -> (CheckVerdict, f64) {
    badness(judgement.verdict, judgement.value, judgement.bound)
}

fn check_row(((estimator, layer, step, epoch, check), runs): (&Key, &OverRuns)) -> CheckRow {
    CheckRow {
        estimator: Arc::clone(estimator),
        layer: *layer,
        layer_name: runs.layer_name.clone(),
        epoch: *epoch,
        step: *step,
        check: (*check).to_owned(),
        verdict: runs.worst.verdict,
        n_runs: runs.n_runs,
        n_found: runs.n_found,
        n_violated: Some(runs.n_violated),
        value: runs.worst.value,
        bound: runs.worst.bound,
        says: runs.worst.says.clone(),
        quantity: runs.quantity.clone(),
    }
}

/// The recorded accuracies.
#[derive(Debug, Default)]
struct RecordedFits {
    /// Whether there is a recording in the folder of the estimates.
    is_there: bool,
    n_classes: usize,
    /// Whether labels are certain (not probabilities), so that an accuracy bounds the information.
    is_hard: bool,
    /// Whether some accuracy is above 1, so that all accuracies may be percentages.
    is_percent: bool,
    layers: LayerNames,
    /// By run, epoch and step: the accuracy on the train and test samples, and the numbers of samples.
    fits: BTreeMap<(String, i32, i64), Fit>,
}

#[derive(Debug, Clone, Copy)]
struct Fit {
    train: f64,
    test: Option<f64>,
    n_train: usize,
    n_test: usize,
}

/// The hashes of the recorded tables that the verdicts depend on.
fn hashes_of(experiment: &Experiment, recording: &Recording) -> Result<Vec<String>, StageError> {
    let mut hashes = vec![believed_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?];
    // Reduced layers, which the data-processing checks leave out.
    let layers = LayerNames::read(experiment, recording)?;
    hashes.extend(layers.in_words());
    for run in recording.runs() {
        hashes.extend(run.verify(EpochRow::TABLE, None)?);
        hashes.extend(run.verify(SplitRow::TABLE, None)?);
    }
    Ok(hashes)
}

impl RecordedFits {
    fn read(experiment: &Experiment) -> Result<Self, StageError> {
        let Some(recording) = lineage::recording(experiment)? else { return Ok(Self::default()) };
        verified_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?;
        let samples = read_samples(&experiment.recording().join(Experiment::SAMPLES))?;
        let classes: BTreeSet<i32> = samples.iter().map(|row| row.y).collect();
        let is_hard = samples.iter().all(|row| row.p_y1.is_none());
        let layers = LayerNames::read(experiment, &recording)?;
        let mut recorded = Self { is_there: true, n_classes: classes.len(), is_hard, layers, ..Self::default() };
        for run in recording.runs() {
            recorded.add(run)?;
        }
        Ok(recorded)
    }

    fn add(&mut self, run: &RecordedRun) -> Result<(), StoreError> {
        let splits: Vec<SplitRow> = read_recorded(&run.parts(SplitRow::TABLE, None))?;
        let n_train = splits.iter().filter(|row| row.split == "train").count();
        for row in read_recorded::<EpochRow>(&run.parts(EpochRow::TABLE, None))? {
            self.is_percent |= row.accuracies().any(|(_, accuracy)| accuracy > 1.0);
            let (Some(train), test) = (row.accuracy_train, row.accuracy_test) else { continue };
            let fit = Fit { train, test, n_train, n_test: splits.len() - n_train };
            self.fits.insert((run.id.to_string(), row.epoch, row.step), fit);
        }
        Ok(())
    }

    /// The accuracy on the samples of an estimate, or the reason why it is unknown.
    fn accuracy(&self, row: &EstimateRow) -> Result<Accuracy, &'static str> {
        if !self.is_there {
            return Err("there is no recording in the folder of these estimates");
        }
        if !self.is_hard {
            return Err("labels are probabilities, so the accuracy does not bound the information");
        }
        if row.n_pooled.unwrap_or(1) > 1 {
            return Err("the estimate pools snapshots of different accuracies");
        }
        let no_share = "recorded accuracies are not between 0 and 1; run `infoplane inspect --validate` to find them";
        if self.is_percent {
            return Err(no_share);
        }
        let unknown = "the accuracy on these samples is not recorded";
        let fit = self.fits.get(&(row.run.clone(), row.epoch, row.step)).ok_or(unknown)?;
        let share = |accuracy: f64| match accuracy_problem(accuracy) {
            None => Ok(accuracy),
            Some(_) => Err(no_share),
        };
        let (right, n) = match row.estimator.samples {
            Samples::Train => (share(fit.train)?, fit.n_train),
            Samples::Test => (share(fit.test.ok_or(unknown)?)?, fit.n_test),
            _ if fit.n_test == 0 => (share(fit.train)?, fit.n_train),
            _ => {
                let n = fit.n_train + fit.n_test;
                let (train, test) = (share(fit.train)?, share(fit.test.ok_or(unknown)?)?);
                ((train * fit.n_train as f64 + test * fit.n_test as f64) / n as f64, n)
            }
        };
        if n == row.n_samples as usize { Ok(Accuracy { right, n_classes: self.n_classes }) } else { Err(unknown) }
    }
}
