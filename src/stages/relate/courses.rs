//! The numbers of measures and of I(X;T) over the training, run by run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::StageError;
use crate::layer_id::LayerId;
use crate::store::schema::{EstimateRow, WeightMeasureRow};
use crate::store::{Experiment, read_all_rows};

/// I(X;T) by snapshot: step, epoch, bits.
pub(super) type InformationCourse = Vec<(i64, i32, f64)>;

/// A number of a measure by snapshot: step, epoch, number; `None` where the number failed or has a warning.
pub(super) type NumberCourse = Vec<(i64, i32, Option<f64>)>;

/// One number of a measure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) weights: String,
    pub(super) randomness: String,
    pub(super) quantity: String,
    pub(super) layer: Option<LayerId>,
}

/// The courses of one number, by experiment and run.
pub(super) type ByRun = BTreeMap<(String, String), NumberCourse>;

/// What measures of weights found.
#[derive(Debug, Default)]
pub(super) struct WeightCourses {
    series: BTreeMap<Series, ByRun>,
}

impl WeightCourses {
    /// Reads the tables of the measure `id` in `experiment`.
    pub(super) fn read(
        &mut self,
        experiment: &Experiment,
        id: &str,
        paths: &[PathBuf],
        hashes: &mut BTreeSet<String>,
    ) -> Result<(), StageError> {
        for path in paths {
            hashes.insert(experiment.verified_estimates(path)?.1);
        }
        let rows: Vec<WeightMeasureRow> = read_all_rows(paths)?;
        for row in rows {
            let Some(quantity) = row.quantity else { continue };
            let series = Series {
                weights: id.to_owned(),
                randomness: row.randomness,
                quantity: quantity.to_string(),
                layer: row.layer,
            };
            let course = self.series.entry(series).or_default().entry((experiment.name(), row.run)).or_default();
            course.push((row.step, row.epoch, row.value.filter(|_| row.warning.is_none())));
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// The numbers of a layer, and those of the whole network.
    pub(super) fn of_layer(&self, layer: LayerId) -> impl Iterator<Item = (&Series, &ByRun)> {
        self.series.iter().filter(move |(series, _)| series.layer.is_none_or(|other| other == layer))
    }
}

/// I(X;T) over the training.
#[derive(Debug, Default)]
pub(super) struct InformationCourses {
    /// By experiment, estimator, run and layer.
    courses: BTreeMap<(String, String, String, LayerId), InformationCourse>,
}

impl InformationCourses {
    /// Reads the tables of one estimator in `experiment`.
    pub(super) fn read(
        &mut self,
        experiment: &Experiment,
        paths: &[PathBuf],
        hashes: &mut BTreeSet<String>,
    ) -> Result<(), StageError> {
        for path in paths {
            hashes.insert(experiment.verified_estimates(path)?.1);
        }
        let rows: Vec<EstimateRow> = read_all_rows(paths)?;
        for row in rows {
            if let Some(bits) = row.i_xt_bits {
                let place = (experiment.name(), row.estimator.to_string(), row.run, row.layer);
                self.courses.entry(place).or_default().push((row.step, row.epoch, bits));
            }
        }
        Ok(())
    }

    /// The course of one run.
    pub(super) fn of_run(
        &self,
        experiment: &str,
        estimator: &str,
        run: &str,
        layer: LayerId,
    ) -> Option<&InformationCourse> {
        self.courses.get(&(experiment.to_owned(), estimator.to_owned(), run.to_owned(), layer))
    }
}
