//! The plan: which tables of which runs do not exist yet.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;

use super::super::{PlannedTables, StageError};
use super::pools::{expect_memory, fits, groups};
use super::snapshots::{Recorded, Runs};
use crate::config::Request;
use crate::estimate_id::{Pool, Samples, Unit, Values};
use crate::estimators::{InputsAndLabels, RangeOver};
use crate::store::schema::VERSION;
use crate::store::{Experiment, Pending, RunId};

/// One run, or all runs pooled, with its missing tables.
pub(super) struct EstimateTarget<'a> {
    /// The name of its tables.
    pub(super) id: RunId,
    /// The numbers of its runs.
    pub(super) runs: Vec<usize>,
    /// The tables that are not there yet.
    pub(super) pending: Vec<Work<'a>>,
}

/// A table to make.
pub(super) struct Work<'a> {
    pub(super) request: &'a Request,
    pub(super) pending: Pending,
}

/// What [`super::estimate`] would do, without doing it.
///
/// # Errors
/// There is no recording, or it cannot be read.
pub fn plan(experiment: &Experiment, requests: &[Request], out: &Path) -> Result<Vec<PlannedTables>, StageError> {
    let recorded = Recorded::open(experiment)?;
    let out = Experiment::new(out);
    let targets = targets(&recorded, &Hashes::of(&recorded, requests)?, requests, &out)?;
    if targets.iter().flat_map(EstimateTarget::by_reading).any(|((_, pool), _)| pool != Pool::Nothing) {
        expect_pools(&Runs::read(&recorded, requests)?, &targets)?;
    }
    let planned = |request: &Request| {
        let n = if request.id.pool == Pool::Runs { 1 } else { recorded.len() };
        let is_of = |work: &&Work<'_>| std::ptr::eq(work.request, request);
        let n_pending = targets.iter().flat_map(|target| &target.pending).filter(is_of).count();
        let folder = match request.id.unit {
            Unit::Layers => out.estimates(),
            Unit::Units => out.unit_estimates(),
        };
        let folder = folder.join(request.id.to_string());
        PlannedTables { folder, quantity: request.quantity(), n_pending, n_done: n - n_pending }
    };
    Ok(requests.iter().map(planned).collect())
}

/// The inputs of tables, by run. Computed once, because for recordings of other programs every byte is read.
pub(super) struct Hashes {
    values: BTreeMap<Values, Vec<Vec<String>>>,
    splits: Vec<Vec<String>>,
    training: Vec<Vec<String>>,
}

impl Hashes {
    /// Computes the inputs that `requests` need.
    pub(super) fn of(recorded: &Recorded, requests: &[Request]) -> Result<Self, StageError> {
        let mut values = BTreeMap::new();
        for request in requests {
            if let Entry::Vacant(place) = values.entry(request.id.values) {
                place.insert(recorded.hashes(request.id.values)?);
            }
        }
        let needs_splits = requests.iter().any(|request| request.id.samples != Samples::All);
        let splits = if needs_splits { recorded.split_hashes()? } else { Vec::new() };
        Ok(Self { values, splits, training: recorded.training_hashes()? })
    }

    /// The inputs of the table of `request` over the runs `indices`.
    fn made_from(&self, recorded: &Recorded, request: &Request, indices: &[usize]) -> serde_json::Value {
        let chosen = |by_run: &[Vec<String>]| -> Vec<String> {
            indices.iter().flat_map(|index| &by_run[*index]).cloned().collect()
        };
        let values = &self.values[&request.id.values];
        json!({
            "estimator": request.id.to_string(),
            "values": chosen(values),
            "samples": recorded.samples_hash,
            "recording": recorded.settings(),
            "training": recorded.settings().is_none().then(|| chosen(&self.training)),
            "layers": recorded.names.in_words(),
            "splits": if request.id.samples == Samples::All { Vec::new() } else { chosen(&self.splits) },
            "range": if request.member.range == RangeOver::AllRuns { values.concat() } else { Vec::new() },
            "shuffles": request.n_shuffles,
            "resamples": request.n_resamples,
            "schema": VERSION,
        })
    }
}

/// The runs with missing tables.
pub(super) fn targets<'a>(
    recorded: &Recorded,
    hashes: &Hashes,
    requests: &'a [Request],
    out: &Experiment,
) -> Result<Vec<EstimateTarget<'a>>, StageError> {
    let by_itself = |index: usize| (recorded.id(index), vec![index]);
    let pooled = (RunId::pooled(), (0..recorded.len()).collect());
    let mut targets = Vec::new();
    for (id, indices) in (0..recorded.len()).map(by_itself).chain([pooled]) {
        let is_pooled = id == RunId::pooled();
        let mut pending = Vec::new();
        for request in requests.iter().filter(|request| (request.id.pool == Pool::Runs) == is_pooled) {
            let made_from = hashes.made_from(recorded, request, &indices);
            let name = Experiment::estimate_manifest(&request.id, &id.to_string());
            let work = Pending::new(out.root(), &name, &made_from);
            if work.finished()?.is_none() {
                pending.push(Work { request, pending: work });
            }
        }
        if !pending.is_empty() {
            targets.push(EstimateTarget { id, runs: indices, pending });
        }
    }
    Ok(targets)
}

/// Makes sure, before anything is written, that the snapshots to pool exist, and that their values and shuffles fit into
/// memory; returns the largest number of pooled values.
pub(super) fn expect_pools(runs: &Runs<'_>, targets: &[EstimateTarget<'_>]) -> Result<usize, StageError> {
    let mut most = 0;
    for target in targets {
        for ((values, pool), works) in target.by_reading() {
            // Without a pool only shuffles can be too many, and only if they would be of all samples.
            let n_shuffles = n_shuffles(&works);
            let n_samples = runs.labels.n_samples();
            if pool != Pool::Nothing || !fits(InputsAndLabels::numbers_of_shuffles(n_shuffles, n_samples, n_samples)) {
                let open = target.runs.iter().map(|run| runs.look_into(*run, values)).collect::<Result<Vec<_>, _>>()?;
                most = most.max(expect_memory(&open, &groups(&open, pool)?, n_shuffles)?);
            }
        }
    }
    Ok(most)
}

/// Number of shuffles in memory for `works`, for each selection and number of shuffles.
fn n_shuffles(works: &[&Work<'_>]) -> usize {
    let shuffled = |work: &&Work<'_>| (work.request.id.samples, work.request.n_shuffles);
    let shuffled: BTreeSet<(Samples, usize)> = works.iter().map(shuffled).collect();
    shuffled.iter().map(|(_, n_shuffles)| n_shuffles).sum()
}

/// The names of the locks of the tables that `targets` lack, sorted.
pub(super) fn locks(targets: &[EstimateTarget<'_>]) -> Vec<String> {
    let name = |work: &Work<'_>| Experiment::estimate_lock(&work.request.id);
    let mut names: Vec<_> = targets.iter().flat_map(|target| &target.pending).map(name).collect();
    names.sort();
    names.dedup();
    names
}

impl<'a> EstimateTarget<'a> {
    /// The pending tables that read the same values of the same snapshots together.
    pub(super) fn by_reading(&self) -> Vec<((Values, Pool), Vec<&Work<'a>>)> {
        let reading = |work: &Work<'_>| (work.request.id.values, work.request.id.pool);
        let mut readings: Vec<(Values, Pool)> = self.pending.iter().map(reading).collect();
        readings.sort();
        readings.dedup();
        let works = |wanted| self.pending.iter().filter(move |work| reading(work) == wanted).collect();
        readings.into_iter().map(|wanted| (wanted, works(wanted))).collect()
    }

    /// Its share in the progress.
    pub(super) fn work(&self, n_snapshots: usize) -> u64 {
        (n_snapshots * self.pending.len()) as u64
    }
}

/// Whether one of `works` needs the range of the values.
pub(super) fn needs<'w, 'a: 'w>(works: impl IntoIterator<Item = &'w Work<'a>>, range: RangeOver) -> bool {
    works.into_iter().any(|work| work.request.member.range == range)
}
