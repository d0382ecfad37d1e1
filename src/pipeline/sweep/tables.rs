//! The tables of a sweep: the state of each experiment, and the values of its varied parameters.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::super::State;
use super::experiment;
use crate::config::{Sweep, Variant};
use crate::count::counted;
use crate::stages::trainings::{self, Trainings};
use crate::store::schema::{ExperimentRow, SettingRow, SummaryRow, VERSION};
use crate::store::{Experiment, ExperimentState, Footer, Pending, Recording, StoreError, read_rows, write_rows};

/// The state of one experiment, without its failed estimates, which are counted from the joint summary.
pub(super) struct Found {
    /// The state of its results, or why they cannot be made.
    state: Result<State, String>,
    /// Why a derived table could not be made, although all results exist.
    problem: Option<String>,
    n_runs: Option<i64>,
    trainings: Option<Trainings>,
}

impl Found {
    /// `failure` is the reason why the last call failed, if it failed.
    pub(super) fn new(variant: &Variant, state: Result<State, String>, failure: Option<String>, root: &Path) -> Self {
        let (state, problem) = match (state, failure) {
            (Ok(State::Done), failure) => (Ok(State::Done), failure),
            (state, failure) => (failure.map_or(state, Err), None),
        };
        match recorded(&experiment(root, variant)) {
            Ok((n_runs, trainings)) => Self { state, problem, n_runs, trainings },
            Err(e) => {
                let state = state.and_then(|_| Err(super::relative(&e.to_string(), root)));
                Self { state, problem, n_runs: None, trainings: None }
            }
        }
    }

    fn n_failed(&self) -> i64 {
        self.trainings.as_ref().map_or(0, Trainings::n_failed)
    }

    /// Whether all its results exist and at least one training did not fail.
    pub(super) fn has_results(&self) -> bool {
        self.state == Ok(State::Done) && Some(self.n_failed()) != self.n_runs
    }
}

/// The state of every experiment, in the order of the sweep.
pub(super) fn rows(sweep: &Sweep, found: &[Found], root: &Path) -> Result<Vec<ExperimentRow>, StoreError> {
    let estimates = estimates(root)?;
    let n_estimates = |variant: &Variant| estimates.get(&variant.id).copied().unwrap_or_default();
    let experiments = sweep.experiments.iter().zip(found);
    Ok(experiments.map(|(variant, found)| row(variant, found, n_estimates(variant))).collect())
}

fn row(variant: &Variant, found: &Found, (n_failures, n_estimates): (i64, i64)) -> ExperimentRow {
    let Found { n_runs, trainings, .. } = found;
    let n_failed = found.n_failed();
    let mut problems = Vec::new();
    if n_failed > 0 {
        let reason = trainings.as_ref().and_then(Trainings::reason).unwrap_or_default();
        problems.push(format!("{n_failed} of {} failed ({reason})", counted(n_runs.unwrap_or(0), "training")));
    }
    if n_failures > 0 {
        problems
            .push(format!("{n_failures} of {} failed (see the column `failure`)", counted(n_estimates, "estimate")));
    }
    problems.extend(found.problem.clone());
    let (state, reason) = match &found.state {
        Err(reason) => (ExperimentState::Failed, Some(reason.clone())),
        Ok(State::Pending) => (ExperimentState::Pending, None),
        Ok(State::Unfinished(missing)) => (ExperimentState::Unfinished, Some(missing.clone())),
        Ok(State::Done) if problems.is_empty() => (ExperimentState::Done, None),
        Ok(State::Done) if !found.has_results() => (ExperimentState::Failed, Some(problems.join("; "))),
        Ok(State::Done) => (ExperimentState::Partial, Some(problems.join("; "))),
    };
    ExperimentRow {
        experiment: variant.id.clone(),
        state,
        n_runs: *n_runs,
        n_trainings_failed: trainings.as_ref().map(Trainings::n_failed),
        n_trainings_degenerate: trainings.as_ref().map(|trainings| trainings.n_degenerate),
        reason,
    }
}

/// The number of recorded runs, and how their trainings ended.
fn recorded(experiment: &Experiment) -> Result<(Option<i64>, Option<Trainings>), StoreError> {
    let recording = Recording::find(experiment)?;
    match recording.all_runs().count() {
        0 => Ok((None, None)),
        n_runs => Ok((Some(n_runs as i64), trainings::of(&recording)?)),
    }
}

/// By experiment: the number of failed estimates and of all estimates, from the joint summary.
fn estimates(root: &Path) -> Result<BTreeMap<String, (i64, i64)>, StoreError> {
    let path = root.join(Experiment::SUMMARY);
    let mut counts: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    if path.exists() {
        for row in read_rows::<SummaryRow>(&path)? {
            let count = counts.entry(row.experiment).or_default();
            count.0 += i64::from(row.n_failed);
            count.1 += i64::from(row.n_failed + row.n_runs);
        }
    }
    Ok(counts)
}

/// The values of the varied parameters.
pub(super) fn settings(sweep: &Sweep) -> Vec<SettingRow> {
    let rows = |variant: &Variant| -> Vec<SettingRow> {
        let row = |setting: &crate::config::Setting| SettingRow {
            experiment: variant.id.clone(),
            parameter: setting.parameter.clone(),
            value: setting.value.clone(),
            number: setting.number,
        };
        variant.settings.iter().map(row).collect()
    };
    sweep.experiments.iter().flat_map(rows).collect()
}

/// Writes both tables if they have changed; returns whether they were written.
pub(super) fn write(root: &Path, experiments: &[ExperimentRow], settings: &[SettingRow]) -> Result<bool, StoreError> {
    let experiment = |row: &ExperimentRow| {
        json!([row.experiment, row.state, row.n_runs, row.n_trainings_failed, row.n_trainings_degenerate, row.reason])
    };
    let setting = |row: &SettingRow| json!([row.experiment, row.parameter, row.value, row.number]);
    let work = Pending::new(
        root,
        "experiments",
        &json!({
            "experiments": experiments.iter().map(experiment).collect::<Vec<_>>(),
            "settings": settings.iter().map(setting).collect::<Vec<_>>(),
            "schema": VERSION,
        }),
    );
    if work.finished()?.is_some() {
        return Ok(false);
    }
    let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
    let files = vec![
        write_rows(root, Experiment::EXPERIMENTS, experiments, &footer)?,
        write_rows(root, Experiment::SETTINGS, settings, &footer)?,
    ];
    work.finish(files)?;
    Ok(true)
}
