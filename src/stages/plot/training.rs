//! The 95 % intervals over runs of losses, accuracies and norms, snapshot by snapshot.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::layer_id::LayerId;
use crate::math::interval::mean_interval;
use crate::plots::{TrainingInterval, TrainingNumber};
use crate::store::quantities::gradient_snr;
use crate::store::schema::{EpochRow, GradientRow, Row};
use crate::store::{Experiment, RecordedRow, RecordedRun, Recording, StoreError, read_recorded};

/// The values of all runs, by number, layer (none for numbers of the whole network), epoch and step.
type RunValues = BTreeMap<(TrainingNumber, Option<LayerId>, i32, i64), Vec<f64>>;

/// A number of a table.
type Column<R> = (TrainingNumber, fn(&R) -> Option<f64>);

const FITS: [Column<EpochRow>; 6] = [
    (TrainingNumber::LossTrain, |row| row.loss_train_nats),
    (TrainingNumber::LossTest, |row| row.loss_test_nats),
    (TrainingNumber::SquaredErrorTrain, |row| row.squared_error_train),
    (TrainingNumber::SquaredErrorTest, |row| row.squared_error_test),
    (TrainingNumber::AccuracyTrain, |row| row.accuracy_train),
    (TrainingNumber::AccuracyTest, |row| row.accuracy_test),
];

const NORMS: [Column<GradientRow>; 4] = [
    (TrainingNumber::GradientMean, |row| Some(row.gradient_mean_norm / row.weight_norm)),
    (TrainingNumber::GradientStd, |row| Some(row.gradient_std_norm? / row.weight_norm)),
    (TrainingNumber::GradientRatio, gradient_snr),
    (TrainingNumber::WeightNorm, |row| Some(row.weight_norm)),
];

/// The intervals of all numbers that every run has, and that differ between runs; none if the tables were deleted.
///
/// # Errors
/// A file of the recording cannot be read or was changed.
pub(super) fn intervals(experiment: &Experiment) -> Result<Vec<TrainingInterval>, StoreError> {
    let recording = Recording::find(experiment)?;
    let mut values = RunValues::new();
    for run in recording.runs() {
        for row in rows::<EpochRow>(run)? {
            for (number, column) in FITS {
                values.entry((number, None, row.epoch, row.step)).or_default().extend(column(&row));
            }
        }
        let gradients = rows::<GradientRow>(run)?;
        let kind = gradients.first().map(|row| row.gradients_over.clone());
        for row in gradients.iter().filter(|row| Some(&row.gradients_over) == kind.as_ref()) {
            for (number, column) in NORMS {
                values.entry((number, Some(row.layer), row.epoch, row.step)).or_default().extend(column(row));
            }
        }
    }
    let n_runs = recording.runs().len();
    let interval = |((number, layer, epoch, step), values): (_, Vec<f64>)| {
        let range = mean_interval(&values).filter(|_| values.len() == n_runs)?.range?;
        // Runs that diverged have no interval.
        let is_finite = range.low.is_finite() && range.high.is_finite();
        is_finite.then_some(TrainingInterval { number, layer, epoch, step, low: range.low, high: range.high })
    };
    Ok(values.into_iter().filter_map(interval).collect())
}

/// The hashes of the tables that [`intervals`] reads.
///
/// # Errors
/// A manifest of the recording cannot be read.
pub(super) fn hashes(experiment: &Experiment) -> Result<Vec<String>, StoreError> {
    let recording = Recording::find(experiment)?;
    let mut hashes = Vec::new();
    for run in recording.runs() {
        for table in [EpochRow::TABLE, GradientRow::TABLE] {
            if parts(run, table).is_some() {
                hashes.extend(run.hashes(table, None)?);
            }
        }
    }
    Ok(hashes)
}

/// The rows of a table of `run`; none if it was deleted.
fn rows<R: RecordedRow>(run: &RecordedRun) -> Result<Vec<R>, StoreError> {
    let Some(paths) = parts(run, R::TABLE) else { return Ok(Vec::new()) };
    run.verify(R::TABLE, None)?;
    read_recorded(&paths)
}

/// The files of `table`; `None` if there are none, or if they were deleted.
fn parts(run: &RecordedRun, table: &str) -> Option<Vec<PathBuf>> {
    let paths = run.parts(table, None);
    (!paths.is_empty() && paths.iter().all(|path| path.exists())).then_some(paths)
}
