//! The weights stage: applies measures to recorded weights, at any time after the recording, and writes tables.

mod agreement;
mod given;
mod networks;
mod plan;
pub(super) mod rows;

use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;

use super::{Failures, Outcome, Progress, StageError};
use crate::config::MeasureRequest;
use crate::count::counted;
use crate::store::{Experiment, Footer, LayerNames, Lock, Recording, RunId, write_rows};
use crate::weights::{
    Ensemble, Measure, MeasureError, MembershipSplit, MissingReading, OfNetwork, OnlineLosses, Randomness, Reading,
    RecordedNetwork,
};
use given::{Given, RunSamples};
use networks::{NetworkPlace, RunWeights, chosen, shared};
pub use plan::plan;
use plan::{MeasureTarget, MeasureWork};
use rows::MeasureRows;

/// Applies the requested measures whose tables do not exist yet, below `<out>/weight_measures`.
///
/// # Errors
/// There is no recording, it has no weights, its networks cannot be measured, or a file does not match its hash.
pub fn measure_weights(
    experiment: &Experiment,
    requests: &[MeasureRequest],
    out: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    if experiment.is_unfinished() {
        tracing::warn!("{} is unfinished: only its complete runs are measured", experiment.recording().display());
    }
    let recording = Recording::open(experiment)?;
    let out = Experiment::new(out);
    if plan::targets(experiment, &recording, requests, &out)?.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    let given = Given::read(experiment, recording, requests)?;
    let mut names: Vec<String> = requests.iter().map(|request| Experiment::weight_measure_lock(&request.id)).collect();
    names.sort();
    let _locks = names.iter().map(|name| Lock::named(out.root(), name)).collect::<Result<Vec<_>, _>>()?;
    // Another call may have made some of them while this one waited.
    let targets = plan::targets(experiment, &given.recording, requests, &out)?;
    let layer_names = LayerNames::read(experiment, &given.recording)?;
    progress.begin("weights", targets.iter().map(|target| target.work.len() as u64).sum());
    let mut counts = NumberCounts::default();
    for target in &targets {
        make(target, &given, &layer_names, progress, &mut counts)?;
    }
    progress.end();
    let seconds = start.elapsed().as_secs_f64();
    let folder = out.weight_measures();
    let NumberCounts { numbers, warned, failed, first_failure } = counts;
    if let Some(first) = first_failure {
        tracing::warn!(
            "{}: no value in {} of measures of weights, the first: {first}",
            experiment.name(),
            counted(failed, "row")
        );
    }
    let warned = if warned > 0 { format!(", {warned} of them with a warning,") } else { String::new() };
    let text = format!("{} of weights{warned} in {seconds:.1} s → {}", counted(numbers, "number"), folder.display());
    Ok(Outcome::done(text, Failures::of_measurements(failed)))
}

/// A warning about a measure of several runs that does not depend on the seed alone.
const OTHER_SAMPLES: &str = "the runs were trained on different samples, so the value depends on the seed and on the samples; use `split = \"fixed\"`";

/// The numbers of rows, of rows with a warning, and of rows without a value.
#[derive(Debug, Default)]
struct NumberCounts {
    numbers: usize,
    warned: usize,
    failed: usize,
    /// The measure, run and epoch of the first failure, and its reason.
    first_failure: Option<String>,
}

/// Makes the missing tables of a target, and adds their rows to `counts`.
fn make(
    target: &MeasureTarget<'_>,
    given: &Given,
    layer_names: &LayerNames,
    progress: &dyn Progress,
    counts: &mut NumberCounts,
) -> Result<(), StageError> {
    for (work, rows) in target.work.iter().zip(found(target, given)?) {
        let rows = rows.named(layer_names);
        let footer = Footer::from([("infoplane.config_hash".to_owned(), work.pending.key().to_owned())]);
        let relative = Experiment::weight_measure(&work.request.id, &target.id.to_string());
        work.pending.finish(vec![write_rows(work.pending.root(), &relative, &rows, &footer)?])?;
        counts.numbers += rows.len();
        counts.warned += rows.iter().filter(|row| row.warning.is_some()).count();
        counts.failed += rows.iter().filter(|row| row.failure.is_some()).count();
        let failure = rows.iter().find_map(|row| Some((row, row.failure.as_ref()?)));
        if let (None, Some((row, why))) = (&counts.first_failure, failure) {
            counts.first_failure = Some(format!("`{}`, {}, epoch {}: {why}", work.request.id, row.run, row.epoch));
        }
        progress.advance(1);
    }
    Ok(())
}

/// The results of each measure of a target, in the order of its work.
fn found(target: &MeasureTarget<'_>, given: &Given) -> Result<Vec<MeasureRows>, StageError> {
    if target.id == RunId::pooled() {
        return target.work.iter().map(|work| of_runs(target, work, given)).collect();
    }
    let run = target.runs[0];
    let mut found: Vec<MeasureRows> =
        target.work.iter().map(|work| MeasureRows::new(work.request, &target.id, 1)).collect();
    let (of_networks, of_training): (Vec<usize>, Vec<usize>) = (0..target.work.len())
        .partition(|place| matches!(target.work[*place].request.measure.as_ref(), Measure::OfNetwork(_)));
    for place in of_training {
        let (batches, last) = given.online_losses(run)?;
        if let Measure::OfTraining(measure) = target.work[place].request.measure.as_ref() {
            found[place].extend(last, 0, whole(measure.measure(&OnlineLosses { batches: &batches })));
        }
    }
    if !of_networks.is_empty() {
        let works: Vec<&MeasureWork<'_>> = of_networks.iter().map(|place| &target.work[*place]).collect();
        let by_snapshot = of_networks_of(run, &works, given)?;
        for (place, n_weights, readings) in by_snapshot {
            for (index, readings) in readings {
                found[of_networks[index]].extend(place, n_weights, readings);
            }
        }
    }
    Ok(found)
}

/// The values of a measure, and its failures with reasons.
type MeasureFound = Result<(Vec<Reading>, Vec<MissingReading>), MeasureError>;

/// The results of several measures, by their index in the work.
type Readings = Vec<(usize, MeasureFound)>;

fn found_of(measure: &dyn OfNetwork, recorded: Result<&RecordedNetwork<'_>, &MeasureError>) -> MeasureFound {
    let recorded = recorded.map_err(Clone::clone)?;
    Ok((measure.measure(recorded)?, measure.missing(recorded)))
}

/// The result of a measure that succeeds or fails for all of its quantities.
fn whole(found: Result<Vec<Reading>, MeasureError>) -> MeasureFound {
    found.map(|readings| (readings, Vec::new()))
}

/// The results of the measures of single networks at each requested snapshot.
fn of_networks_of(
    run: usize,
    works: &[&MeasureWork<'_>],
    given: &Given,
) -> Result<Vec<(NetworkPlace, usize, Readings)>, StageError> {
    let weights = RunWeights::open(given, run)?;
    let wanted: Vec<Vec<NetworkPlace>> =
        works.iter().map(|work| chosen(weights.places(), work.request.n_snapshots)).collect();
    let every: Vec<NetworkPlace> =
        weights.places().iter().copied().filter(|place| wanted.iter().any(|places| places.contains(place))).collect();
    let initial = weights.initial()?;
    given.agrees(run, &weights)?;
    // Measures of the same samples share the gradients.
    let by_samples = given::by_samples(works);
    let samples: Vec<RunSamples> = by_samples
        .iter()
        .map(|members| given.samples(run, works[members[0]].request.samples))
        .collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    weights.for_each_part(&every, |networks| {
        let of_part: Vec<(NetworkPlace, usize, Readings)> = networks
            .par_iter()
            .map(|(place, network)| {
                let mut readings: Readings = Vec::new();
                for (members, samples) in by_samples.iter().zip(&samples) {
                    let recorded = given.recorded(run, *place, network, initial.as_ref(), samples);
                    for index in members.iter().copied().filter(|index| wanted[*index].contains(place)) {
                        if let Measure::OfNetwork(measure) = works[index].request.measure.as_ref() {
                            readings.push((index, found_of(measure.as_ref(), recorded.as_ref())));
                        }
                    }
                }
                (*place, network.n_weights(), readings)
            })
            .collect();
        found.extend(of_part);
        Ok(())
    })?;
    Ok(found)
}

/// The results of a measure of several runs, for each group, at each snapshot that all runs of the group have.
fn of_runs(target: &MeasureTarget<'_>, work: &MeasureWork<'_>, given: &Given) -> Result<MeasureRows, StageError> {
    let Measure::OfRuns(measure) = work.request.measure.as_ref() else { unreachable!("only these are pooled") };
    let splits = target.runs.iter().map(|run| given.membership(*run)).collect::<Result<Option<Vec<_>>, _>>()?;
    let groups = groups(target.runs.len(), work.request, splits.as_deref());
    let mut rows = MeasureRows::new(work.request, &target.id, target.runs.len());
    for (number, group) in groups.iter().enumerate() {
        if groups.len() > 1 {
            rows.begin_group(&RunId::pooled_group(number), group.len());
        }
        let members: Vec<usize> = group.iter().map(|index| target.runs[*index]).collect();
        let runs: Vec<RunWeights<'_>> =
            members.iter().map(|run| RunWeights::open(given, *run)).collect::<Result<_, _>>()?;
        members.iter().zip(&runs).try_for_each(|(run, weights)| given.agrees(*run, weights))?;
        let of_group = |splits: &Vec<MembershipSplit>| group.iter().map(|index| splits[*index].clone()).collect();
        let splits: Vec<MembershipSplit> = splits.as_ref().map(of_group).unwrap_or_default();
        let initial = runs.iter().map(RunWeights::initial).collect::<Result<Option<Vec<_>>, _>>()?;
        let has_other_samples =
            work.request.spec.randomness == Randomness::Seed && given.have_same_samples(&members)? == Some(false);
        for places in chosen(&shared(&runs), work.request.n_snapshots).chunks(networks::at_once(&runs)) {
            let by_run: Vec<Vec<_>> = runs.iter().map(|run| run.at(places)).collect::<Result<_, _>>()?;
            let measured: Vec<_> = (0..places.len())
                .into_par_iter()
                .map(|index| {
                    let networks: Vec<_> = by_run.iter().map(|networks| networks[index].clone()).collect();
                    let ensemble = Ensemble {
                        networks: &networks,
                        initial: initial.as_deref(),
                        samples: given.all_samples().labelled(),
                        splits: &splits,
                    };
                    let mut found = measure.measure(&ensemble);
                    if has_other_samples {
                        found =
                            found.map(|readings| readings.into_iter().map(|r| r.warned(&[OTHER_SAMPLES])).collect());
                    }
                    (networks[0].n_weights(), whole(found))
                })
                .collect();
            for (place, (n_weights, readings)) in places.iter().zip(measured) {
                rows.extend(*place, n_weights, readings);
            }
        }
    }
    Ok(rows)
}

/// The groups of runs that are measured together: runs with equal pairs of samples, or groups of about equal size, in order.
fn groups(n_runs: usize, request: &MeasureRequest, splits: Option<&[MembershipSplit]>) -> Vec<Vec<usize>> {
    let Some(splits) = splits.filter(|_| request.spec.randomness == Randomness::Membership) else {
        let n_groups = request.n_groups.min(n_runs);
        return (0..n_groups).map(|g| (g * n_runs / n_groups..(g + 1) * n_runs / n_groups).collect()).collect();
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, split) in splits.iter().enumerate() {
        match groups.iter_mut().find(|group| splits[group[0]].pairs == split.pairs) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}
