//! Reads recorded runs for the estimate stage: snapshots, values, and whether layers and runs match.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rayon::prelude::*;

use super::super::StageError;
use super::super::inputs::{input_values, inputs};
use super::pools::Group;
use crate::config::Request;
use crate::estimate_id::{Samples, Values};
use crate::estimators::{EstimateError, InputsAndLabels, KnownInputs, Points};
use crate::layer_id::LayerId;
use crate::math::atoms::Cells;
use crate::memory::reserved;
use crate::sample::{Labels, Range};
use crate::store::schema::{Row, RunRow, SampleRow, SplitRow};
use crate::store::{
    ActivationReader, Activations, Experiment, LayerNames, MADE_Y, RecordedRun, Recording, RunId, StoreError,
    TrainingOutcome, believed_hash, plain, read_footer, read_recorded, read_samples, verified_hash,
};

/// The runs of a recording, with the hashes that tell whether their estimates are up to date; no value is read.
#[derive(Debug)]
pub(super) struct Recorded {
    recording: Recording,
    experiment: Experiment,
    pub(super) samples_hash: String,
    pub(super) names: LayerNames,
}

/// All runs of a recording, with its samples.
#[derive(Debug)]
pub(super) struct Runs<'a> {
    recording: &'a Recording,
    pub(super) labels: Labels,
    /// Samples of equal X share a cell.
    pub(super) x: Cells,
    /// The values of X of every sample, if an estimator needs them and they are recorded.
    x_values: Option<Points<'static>>,
    pub(super) names: LayerNames,
    /// The description of Y, if the labels were made from numbers.
    pub(super) made_y: Option<String>,
    /// The output layer, if it is known and predicts classes.
    pub(super) output: Option<LayerId>,
}

/// The activations of one run, opened.
#[derive(Debug)]
pub(super) struct OpenRun<'a> {
    pub(super) recorded: &'a RecordedRun,
    pub(super) layers: Vec<(LayerId, ActivationReader)>,
    /// Indices of the recorded samples, equal at all snapshots.
    pub(super) samples: Vec<i32>,
    /// Whether its training failed or was stopped, so that later snapshots of other runs are missing here.
    pub(super) ended_early: bool,
}

/// The selected rows of a recorded snapshot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    /// Their positions among the recorded samples.
    places: Vec<usize>,
    /// The numbers of these samples.
    pub(super) samples: Vec<i32>,
}

impl Recorded {
    pub(super) fn open(experiment: &Experiment) -> Result<Self, StageError> {
        let recording = Recording::open(experiment)?;
        let samples_hash = believed_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?;
        let names = LayerNames::read(experiment, &recording)?;
        Ok(Self { recording, experiment: experiment.clone(), samples_hash, names })
    }

    pub(super) fn len(&self) -> usize {
        self.recording.runs().len()
    }

    /// Hash of the settings of all runs; `None` for recordings of another program.
    pub(super) fn settings(&self) -> Option<&str> {
        self.recording.runs().first()?.settings()
    }

    pub(super) fn id(&self, run: usize) -> RunId {
        self.recording.runs()[run].id.clone()
    }

    /// Makes sure that a layer is as wide in every run.
    pub(super) fn expect_same_widths(&self, requests: &[Request]) -> Result<(), StageError> {
        let values: BTreeSet<Values> = requests.iter().map(|request| request.id.values).collect();
        Ok(values.into_iter().try_for_each(|values| self.recording.expect_same_widths(values))?)
    }

    /// The hashes of the values of every run.
    pub(super) fn hashes(&self, values: Values) -> Result<Vec<Vec<String>>, StageError> {
        let layers = self.recording.layers(values)?;
        let of_run = |run: &RecordedRun| {
            let of_layer = |layer: &LayerId| run.hashes(values.table(), Some(*layer));
            Ok(layers.iter().map(of_layer).collect::<Result<Vec<_>, StoreError>>()?.concat())
        };
        self.recording.runs().iter().map(of_run).collect()
    }

    /// The hashes of the training tables of every run of another program, which are joined to its estimates in summaries.
    pub(super) fn training_hashes(&self) -> Result<Vec<Vec<String>>, StageError> {
        self.recording.runs().iter().map(|run| Ok(run.training_hashes()?)).collect()
    }

    /// The hashes of the splits of every run.
    pub(super) fn split_hashes(&self) -> Result<Vec<Vec<String>>, StageError> {
        let of_run = |run: &RecordedRun| Ok(run.hashes(SplitRow::TABLE, None)?);
        self.recording.runs().iter().map(of_run).collect()
    }
}

impl<'a> Runs<'a> {
    /// Reads the samples and verifies their hash.
    pub(super) fn read(recorded: &'a Recorded, requests: &[Request]) -> Result<Self, StageError> {
        let root = recorded.experiment.recording();
        verified_hash(&root, "settings", Experiment::SAMPLES)?;
        let path = root.join(Experiment::SAMPLES);
        let rows = read_samples(&path)?;
        let made_y = read_footer(&path, SampleRow::TABLE)?.remove(MADE_Y).map(|words| plain(&words));
        let y: Vec<i32> = rows.iter().map(|row| row.y).collect();
        let p_y1: Vec<Option<f64>> = rows.iter().map(|row| row.p_y1).collect();
        let labels = Labels::new(&y, &p_y1).map_err(|e| StageError::Refused(format!("{}: {e}", path.display())))?;
        let names = recorded.names.clone();
        // Recordings of earlier versions do not name the output layer; with numeric targets there are no classes.
        let last = recorded.recording.layers(Values::Activations)?.last().copied();
        let output = names.output().max(if recorded.recording.is_own() { None } else { last });
        let output = output.filter(|_| rows.iter().all(|row| row.target.is_none()));
        let needs_values = requests.iter().any(|request| request.member.inputs == KnownInputs::Values);
        let x_values = if needs_values { input_values(&rows) } else { None };
        Ok(Self { recording: &recorded.recording, labels, x: inputs(&rows), x_values, names, made_y, output })
    }

    /// The inputs and labels of these samples, with `n_shuffles` shuffles for the nulls.
    pub(super) fn inputs_and_labels(
        &self,
        samples: &[i32],
        n_shuffles: usize,
    ) -> Result<InputsAndLabels, EstimateError> {
        let x: Vec<u32> = samples.iter().map(|sample| self.x.numbers()[*sample as usize]).collect();
        let numbers: Vec<u32> = samples.iter().map(|sample| *sample as u32).collect();
        let given = InputsAndLabels::new(Cells::of_rows(&x, 1), &numbers, self.labels.of(samples), n_shuffles)?;
        match &self.x_values {
            Some(values) => given.with_inputs(values.of(&numbers)),
            None => Ok(given),
        }
    }

    fn len(&self) -> usize {
        self.recording.runs().len()
    }

    /// Snapshots of the first run, which represents all runs.
    pub(super) fn n_snapshots(&self) -> Result<usize, StageError> {
        let layers = self.recording.layers(Values::Activations)?;
        Ok(self.recording.runs()[0].activations(Values::Activations, layers[0])?.snapshots().len())
    }

    /// Opens the values of a run and verifies its files.
    pub(super) fn open_run(&self, run: usize, values: Values) -> Result<OpenRun<'_>, StageError> {
        let layers = self.recording.layers(values)?;
        for layer in &layers {
            self.recording.runs()[run].verify(values.table(), Some(*layer))?;
        }
        self.look_into(run, values)
    }

    /// Opens the values of a run to see which snapshots there are.
    pub(super) fn look_into(&self, run: usize, values: Values) -> Result<OpenRun<'_>, StageError> {
        let layers = self.recording.layers(values)?;
        OpenRun::open(&self.recording.runs()[run], values, &layers, self.labels.n_samples())
    }

    /// The smallest and the largest value of every layer above the input at every snapshot of all runs.
    pub(super) fn range_of_all(&self, values: Values) -> Result<Range, StageError> {
        let ranges: Result<Vec<Range>, StageError> =
            (0..self.len()).into_par_iter().map(|run| self.open_run(run, values)?.range()).collect();
        Ok(ranges?.into_iter().fold(Range::of(&[]), Range::and))
    }
}

impl<'a> OpenRun<'a> {
    /// Opens the layers of a run, which must be recorded at the same snapshots.
    fn open(
        recorded: &'a RecordedRun,
        values: Values,
        layers: &[LayerId],
        n_samples: usize,
    ) -> Result<Self, StageError> {
        let open = |layer: &LayerId| Ok((*layer, recorded.activations(values, *layer)?));
        let opened: Vec<(LayerId, ActivationReader)> = layers.iter().map(open).collect::<Result<_, StageError>>()?;
        for pair in opened.windows(2) {
            let [(below, first), (layer, second)] = pair else { continue };
            let (a, b) = (snapshots(first), snapshots(second));
            if a != b {
                return Err(StageError::Refused(format!(
                    "{}: layer {layer} of {} has {} recorded snapshots, layer {below} {}{}; layers must be recorded at the same snapshots",
                    second.path().display(),
                    recorded.id,
                    b.len(),
                    a.len(),
                    first_difference(&a, &b)
                )));
            }
        }
        let samples = recorded_samples(recorded, &opened, n_samples)?;
        recorded.verify(RunRow::TABLE, None)?;
        let endings: Vec<RunRow> = read_recorded(&recorded.parts(RunRow::TABLE, None))?;
        let ended_early = endings.iter().any(|row| row.outcome != TrainingOutcome::Finished);
        Ok(Self { recorded, layers: opened, samples, ended_early })
    }

    /// The smallest and the largest value of every layer above the input at every snapshot.
    pub(super) fn range(&self) -> Result<Range, StageError> {
        let above_input = self.layers.iter().filter(|(layer, _)| *layer > LayerId::INPUT);
        let jobs: Vec<_> = above_input
            .flat_map(|(_, reader)| (0..reader.snapshots().len()).map(move |index| (reader, index)))
            .collect();
        let ranges: Result<Vec<Range>, StageError> =
            jobs.par_iter().map(|(reader, index)| Ok(finite_range(&reader.read(*index)?.t))).collect();
        Ok(ranges?.into_iter().fold(Range::of(&[]), Range::and))
    }

    /// The recorded samples of a selection.
    pub(super) fn rows(&self, selection: Samples) -> Result<Rows, StageError> {
        let places: Vec<usize> = match selection {
            Samples::All | Samples::Distribution => (0..self.samples.len()).collect(),
            Samples::Train | Samples::Test => {
                let is_meant = self.split(selection.name())?;
                (0..self.samples.len()).filter(|place| is_meant[self.samples[*place] as usize]).collect()
            }
        };
        let samples = places.iter().map(|place| self.samples[*place]).collect();
        Ok(Rows { places, samples })
    }

    /// For every sample, whether it is in the part called `split`.
    fn split(&self, split: &str) -> Result<Vec<bool>, StageError> {
        let of_sample: Vec<SplitRow> = read_recorded(&self.recorded.parts(SplitRow::TABLE, None))?;
        let n_needed = self.samples.last().map_or(0, |last| *last as usize + 1);
        let is_in_order = of_sample.iter().enumerate().all(|(number, row)| row.sample as usize == number);
        if of_sample.len() < n_needed || !is_in_order {
            return Err(StageError::Refused(format!(
                "the table `splits` of run {} has {} rows and does not list every sample in order; use `--samples all`",
                self.recorded.id,
                of_sample.len()
            )));
        }
        self.recorded.verify(SplitRow::TABLE, None)?;
        Ok(of_sample.iter().map(|row| row.split == split).collect())
    }

    fn read(&self, place: usize, index: usize) -> Result<Activations, StageError> {
        let (_, reader) = &self.layers[place];
        let recorded = reader.read(index)?;
        if recorded.samples != self.samples {
            return Err(StageError::Refused(format!(
                "{}: epoch {}, step {} has other samples than the first snapshot of layer {}; all snapshots must have the same samples",
                reader.path().display(),
                recorded.epoch,
                recorded.step,
                self.layers[0].0
            )));
        }
        Ok(recorded)
    }
}

/// The smallest and the largest value of every layer above the input at every snapshot of the opened `runs`.
pub(super) fn range(runs: &[OpenRun<'_>]) -> Result<Range, StageError> {
    runs.iter().try_fold(Range::of(&[]), |range, run| Ok(range.and(run.range()?)))
}

/// T of a layer at the snapshots of a group, concatenated.
pub(super) struct GroupValues {
    t: Vec<f32>,
    pub(super) n_units: usize,
    /// Rows of each snapshot.
    n_rows: Vec<usize>,
}

/// T of the layer at `place` in the list of layers, at the snapshots of a group. The values are in memory once, together
/// with one more snapshot.
pub(super) fn read(runs: &[OpenRun<'_>], group: &Group, place: usize) -> Result<GroupValues, StageError> {
    let n_units = runs[0].layers[place].1.n_units();
    let n_rows: Vec<usize> = group.parts.iter().map(|(run, _)| runs[*run].samples.len()).collect();
    if let [(run, index)] = group.parts[..] {
        return Ok(GroupValues { t: runs[run].read(place, index)?.t, n_units, n_rows });
    }
    let mut t = reserved(n_rows.iter().sum::<usize>().saturating_mul(n_units), "pooled values").map_err(|problem| {
        StageError::Refused(format!("{problem}; record fewer samples, or allow this process more"))
    })?;
    for (run, index) in &group.parts {
        t.extend_from_slice(&runs[*run].read(place, *index)?.t);
    }
    Ok(GroupValues { t, n_units, n_rows })
}

/// The chosen `rows` of each run from the values that were [`read`], row after row, snapshot after snapshot.
pub(super) fn chosen<'a>(read: &'a GroupValues, group: &Group, rows: &[Rows]) -> Cow<'a, [f32]> {
    let GroupValues { t, n_units, n_rows } = read;
    let of_parts = || group.parts.iter().map(|(run, _)| &rows[*run]).zip(n_rows);
    if of_parts().all(|(rows, n)| rows.samples.len() == *n) {
        return Cow::Borrowed(t);
    }
    let (mut chosen, mut first) = (Vec::new(), 0);
    for (rows, n) in of_parts() {
        rows.places.iter().for_each(|place| chosen.extend_from_slice(&t[(first + place) * n_units..][..*n_units]));
        first += n;
    }
    Cow::Owned(chosen)
}

/// The range of the finite values; estimates with other values fail separately.
pub(super) fn finite_range(values: &[f32]) -> Range {
    let range = Range::of(values);
    if range.low.is_finite() && range.high.is_finite() {
        return range;
    }
    Range::of(&values.iter().copied().filter(|value| value.is_finite()).collect::<Vec<_>>())
}

/// The recorded snapshots of a layer as (epoch, step).
pub(super) fn snapshots(reader: &ActivationReader) -> Vec<(i32, i64)> {
    reader.snapshots().collect()
}

/// The first difference of two lists of snapshots, for the end of a message.
pub(super) fn first_difference(a: &[(i32, i64)], b: &[(i32, i64)]) -> String {
    let differing = a.iter().zip(b).find(|(a, b)| a != b);
    differing.map_or_else(String::new, |((_, step), _)| format!(", first at step {step}"))
}

/// The samples of the first snapshot of a run: the entire samples table, unless the files declare a part of it.
fn recorded_samples(
    recorded: &RecordedRun,
    layers: &[(LayerId, ActivationReader)],
    n_all: usize,
) -> Result<Vec<i32>, StageError> {
    let Some((_, reader)) = layers.first().filter(|(_, reader)| reader.snapshots().len() > 0) else {
        return Err(StageError::Refused(format!("run {} has no recorded snapshots; record it again", recorded.id)));
    };
    let samples = reader.read(0)?.samples;
    let n = samples.len();
    let is_beyond = samples.last().is_some_and(|last| *last as usize >= n_all);
    if is_beyond || (n < n_all && !reader.is_partial()) {
        return Err(StageError::Refused(format!(
            "{}: activations of {n} samples, but the samples table has {n_all}; record again or repair it",
            reader.path().display()
        )));
    }
    Ok(samples)
}
